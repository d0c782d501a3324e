package network

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"netmeta/column"
	"netmeta/enrich/feed"
	"netmeta/flow"
)

// slowNames looks at every prefix, from the longest to the shortest, for each value.
func slowNames(c Config, a netip.Addr) (n Network) {
	for bits := 128; bits >= 0; bits-- {
		for p, x := range c {
			if p.Bits() != bits || !p.Contains(a) {
				continue
			}
			for _, v := range []struct{ to, from *string }{{&n.Name, &x.Name}, {&n.Role, &x.Role}, {&n.Site, &x.Site}, {&n.Region, &x.Region}, {&n.Tenant, &x.Tenant}} {
				if *v.to == "" {
					*v.to = *v.from
				}
			}
		}
	}
	return n
}

func randomAddr(r *rand.Rand) netip.Addr {
	if r.IntN(2) == 0 {
		return netip.AddrFrom4([4]byte{10, byte(r.IntN(3)), byte(r.IntN(3)), byte(r.IntN(256))})
	}
	return netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 0, byte(r.IntN(3)), 0, byte(r.IntN(3)), 15: byte(r.IntN(256))})
}

func randomConfig(r *rand.Rand) Config {
	c := Config{}
	word := func(prefix string) string {
		if r.IntN(3) == 0 {
			return ""
		}
		return fmt.Sprint(prefix, r.IntN(100))
	}
	for range r.IntN(40) {
		a := randomAddr(r)
		bits := r.IntN(a.BitLen() + 1)
		p, _ := a.Prefix(bits)
		c[Prefix{p}] = Network{Name: word("name"), Role: word("role"), Site: word("site"), Region: word("region"), Tenant: word("tenant")}
	}
	return c
}

// Every address gets what the slow, obvious version gives it.
func TestAgainstSlow(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 40 {
		c := randomConfig(r)
		table, err := newTable(c)
		if err != nil {
			t.Fatal(err)
		}
		if table.Entries() != len(c) {
			t.Fatalf("%d entries of %d", table.Entries(), len(c))
		}
		b := flow.Table.NewBatch(64)
		for range 64 {
			row := b.Add()
			flow.SrcAddr.Set(b, row, column.AddrFrom(randomAddr(r)))
			flow.DstAddr.Set(b, row, column.AddrFrom(randomAddr(r)))
		}
		table.Apply(b)
		for row := range b.Len() {
			src, dst := flow.SrcAddr.At(b, row).IP(), flow.DstAddr.At(b, row).IP()
			got := Network{
				flow.SrcNetName.At(b, row).String(), flow.SrcNetRole.At(b, row).String(), flow.SrcNetSite.At(b, row).String(),
				flow.SrcNetRegion.At(b, row).String(), flow.SrcNetTenant.At(b, row).String(),
			}
			if want := slowNames(c, src); got != want {
				t.Fatalf("source %s: %+v, want %+v of %v", src, got, want, c)
			}
			got = Network{
				flow.DstNetName.At(b, row).String(), flow.DstNetRole.At(b, row).String(), flow.DstNetSite.At(b, row).String(),
				flow.DstNetRegion.At(b, row).String(), flow.DstNetTenant.At(b, row).String(),
			}
			if want := slowNames(c, dst); got != want {
				t.Fatalf("destination %s: %+v, want %+v of %v", dst, got, want, c)
			}
		}
	}
}

// Columns without a description cost nothing.
func TestNothingKnown(t *testing.T) {
	for _, c := range []Config{nil, {pfx("192.0.2.0/24"): {Name: "a"}}} {
		table, err := newTable(c)
		if err != nil {
			t.Fatal(err)
		}
		b := flow.Table.NewBatch(4)
		flow.SrcAddr.Set(b, b.Add(), column.AddrFrom(netip.MustParseAddr("198.51.100.1")))
		table.Apply(b)
		if b.Used(flow.SrcNetName.Field) || b.Used(flow.SrcNetRole.Field) {
			t.Error("a column is in use without a value")
		}
	}
}

func newTable(c Config, files ...string) (*Table, error) {
	var locations []feed.Location
	for _, path := range files {
		locations = append(locations, feed.Location(path))
	}
	return New(c, locations, time.Hour, feed.Options{Log: slog.New(slog.DiscardHandler)}, nil)
}

func pfx(text string) Prefix {
	p, err := ParsePrefix(text)
	if err != nil {
		panic(err)
	}
	return p
}

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	file := func(text string) string {
		path := filepath.Join(dir, "networks.csv")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := file("# of the address plan\nname, prefix,Tenant\nOffice, 10.1.0.0/16,us\n\"Lab, cold\",2001:db8::/48,\n")
	table, err := newTable(Config{pfx("10.0.0.0/8"): {Name: "all", Role: "private"}}, good)
	if err != nil {
		t.Fatal(err)
	}
	b := flow.Table.NewBatch(4)
	row := b.Add()
	flow.SrcAddr.Set(b, row, column.AddrFrom(netip.MustParseAddr("10.1.2.3")))
	flow.DstAddr.Set(b, row, column.AddrFrom(netip.MustParseAddr("2001:db8::1")))
	table.Apply(b)
	got := []string{flow.SrcNetName.At(b, row).String(), flow.SrcNetTenant.At(b, row).String(), flow.SrcNetRole.At(b, row).String(), flow.DstNetName.At(b, row).String()}
	if fmt.Sprint(got) != "[Office us private Lab, cold]" {
		t.Errorf("read %q", got)
	}

	// Every mistake names the place, the value and a remedy.
	f := func(text string, want ...string) {
		t.Helper()
		path := file(text)
		_, err := newTable(Config{pfx("10.0.0.0/8"): {}}, path)
		if err == nil {
			t.Errorf("%q: no error", text)
			return
		}
		for _, w := range append(want, path) {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%q: error %q does not say %q", text, err, w)
			}
		}
	}
	f("", "first line", "prefix,name")
	f("name,role\n", "no column prefix")
	f("prefix,colour\n", `"colour"`, "tenant")
	f("prefix,name\n10.1.0.0/16,a\n10.2.0.1/16,b\n", "line 3", "10.2.0.0/16")
	f("prefix,name\nten,a\n", "line 2", `"ten"`, "192.0.2.0/24")
	f("prefix,name\n10.0.0.0/8,a\n", "line 2", "twice")
	f("prefix,name\n10.1.0.0/16\n", "line 2")
	if _, err := newTable(nil, filepath.Join(dir, "missing.csv")); err == nil || !strings.Contains(err.Error(), "missing.csv") {
		t.Errorf("a missing file: %v", err)
	}
}

func TestPrefix(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		p, err := ParsePrefix(text)
		if err != nil || p.Prefix.String() != want {
			t.Errorf("%s: %s, %v, want %s", text, p, err, want)
		}
		var again Prefix
		written, _ := p.MarshalText()
		if err := again.UnmarshalText(written); err != nil || again != p {
			t.Errorf("%s is written as %s, which is %s, %v", text, written, again, err)
		}
	}
	f("192.0.2.1", "192.0.2.1/32")
	f("::ffff:192.0.2.1", "192.0.2.1/32")
	f("2001:db8::1", "2001:db8::1/128")
	f("0.0.0.0/0", "0.0.0.0/0")
	for _, text := range []string{"", "x", "192.0.2.1/24", "::ffff:192.0.2.0/120", "fe80::1%eth0", "192.0.2.0/33"} {
		if p, err := ParsePrefix(text); err == nil {
			t.Errorf("%q is %s", text, p)
		}
	}
}

// FuzzCSV: whatever a file or a server sends, each entry is a prefix that is there once.
func FuzzCSV(f *testing.F) {
	f.Add([]byte("# of the address plan\nname, prefix,Tenant\nOffice, 10.1.0.0/16,us\n\"Lab, cold\",2001:db8::/48,\n"))
	f.Add([]byte("prefix,prefix\n10.0.0.0/8,10.0.0.0/9\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		list, err := parseCSV(content)
		if err != nil {
			return
		}
		made, err := (&Table{}).merge([][]entry{list})
		if err != nil || made.Size() != len(list) {
			t.Errorf("%d of %d entries, %v", made.Size(), len(list), err)
		}
	})
}
