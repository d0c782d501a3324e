package route

import (
	"bytes"
	"encoding/binary"
	"encoding/csv"
	"fmt"
	"io"
	"log/slog"
	"math"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"netmeta/column"
	"netmeta/enrich/feed"
	"netmeta/flow"
)

// A slowRange is a line of a table.
type slowRange struct {
	from, to netip.Addr
	value    string
}

// slowTable is the obvious version: it looks at every range.
type slowTable []slowRange

// find gives the value of the narrowest range that holds an address.
func (t slowTable) find(a netip.Addr) (value string) {
	var best slowRange
	for _, r := range t {
		if a.Compare(r.from) >= 0 && a.Compare(r.to) <= 0 && (!best.from.IsValid() || r.from.Compare(best.from) > 0 || r.from == best.from && r.to.Compare(best.to) < 0) {
			best = r
		}
	}
	return best.value
}

func (t slowTable) csv(name bool) io.Reader {
	var b strings.Builder
	for _, r := range t {
		fmt.Fprintf(&b, "%s,%s,%s", r.from, r.to, r.value)
		if name {
			fmt.Fprintf(&b, ",\"AS, number %s\"", r.value)
		}
		b.WriteByte('\n')
	}
	return strings.NewReader(b.String())
}

func split(t slowTable) (v4, v6 slowTable) {
	for _, r := range t {
		if r.from.Is4() {
			v4 = append(v4, r)
		} else {
			v6 = append(v6, r)
		}
	}
	return v4, v6
}

// randomTable has ranges that lie apart or within each other, as the tables do.
func randomTable(r *rand.Rand, value func() string) (t slowTable) {
	for range r.IntN(30) {
		a, bits := randomAddr(r), 0
		if a.Is4() {
			bits = r.IntN(33)
		} else {
			bits = 3 + r.IntN(62)
		}
		p, _ := a.Prefix(bits)
		last := p.Addr().AsSlice()
		for i := bits; i < 8*len(last); i++ {
			last[i/8] |= 0x80 >> (i % 8)
		}
		to, _ := netip.AddrFromSlice(last)
		if !slices.ContainsFunc(t, func(x slowRange) bool { return x.from == p.Addr() && x.to == to }) {
			t = append(t, slowRange{p.Addr(), to, value()})
		}
	}
	slices.SortFunc(t, func(a, b slowRange) int { return a.from.Compare(b.from) })
	return t
}

func randomAddr(r *rand.Rand) netip.Addr {
	b := func() byte { return [...]byte{0, 1, 2, 127, 128, 255, byte(r.Uint32())}[r.IntN(7)] }
	if r.IntN(2) == 0 {
		return netip.AddrFrom4([4]byte{b(), b(), b(), b()})
	}
	a := [16]byte{0x20 | b()&0x1f, b(), b(), b(), b(), b(), b(), b()}
	a[15] = b()
	return netip.AddrFrom16(a)
}

func build(t testing.TB, as, country slowTable) *Data {
	t.Helper()
	as4, as6 := split(as)
	c4, c6 := split(country)
	d, err := Build(Sources{Name: "a test", AS: []io.Reader{as4.csv(true), as6.csv(true)}, Countries: []io.Reader{c4.csv(false), c6.csv(false)}})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Every address belongs where a scan over all ranges says, also after the file was
// written and read.
func TestAgainstSlow(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 60 {
		as := randomTable(r, func() string { return strconv.Itoa(1 + r.IntN(10)) })
		country := randomTable(r, func() string { return []string{"DE", "FR", "US"}[r.IntN(3)] })
		made := build(t, as, country)
		read, err := decode(made.encode())
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range []*Data{made, read} {
			for i := range 300 {
				a := randomAddr(r)
				if all := slices.Concat(as, country); i%2 == 0 && len(all) > 0 { // the edges
					x := all[r.IntN(len(all))]
					a = []netip.Addr{x.from, x.to, x.to.Next()}[r.IntN(3)]
					if !a.IsValid() || a.Is6() && a.As16()[0]>>5 != 1 {
						continue
					}
				}
				got := d.Location(column.AddrFrom(a))
				want := Location{Country: column.LabelOf(country.find(a))}
				n, _ := strconv.ParseUint(as.find(a), 10, 32)
				want.AS = uint32(n)
				if got != want {
					t.Fatalf("%s: %d %s, want %d %s\n%v\n%v", a, got.AS, got.Country, want.AS, want.Country, as, country)
				}
			}
		}
	}
}

func TestNames(t *testing.T) {
	d, err := Build(Sources{AS: []io.Reader{strings.NewReader("192.0.2.0,192.0.2.255,3,Alpha Beta\n198.51.100.0,198.51.100.255,1,beta\n203.0.113.0,203.0.113.255,2,Gamma\n")}})
	if err != nil {
		t.Fatal(err)
	}
	table := tableWith(Config{Order: Default().Order, Names: map[uint32]string{2: "Own Beta", 64500: "Own"}}, d, false)
	f := func(text string, want ...uint32) {
		t.Helper()
		var got []uint32
		table.Find(text, func(as uint32, name string) bool {
			if name != table.Name(as) {
				t.Errorf("%d is %q and %q", as, name, table.Name(as))
			}
			got = append(got, as)
			return true
		})
		if !slices.Equal(got, want) {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
	f("BETA", 2, 1, 3)
	f("own", 2, 64500)
	f("gamma") // it has another name now
	f("abet")  // the end of one name and the begin of another
	f("")
	if d.Names() != 3 || table.Name(3) != "Alpha Beta" || table.Name(9) != "" {
		t.Errorf("%d names, %q, %q", d.Names(), table.Name(3), table.Name(9))
	}
	n := 0
	table.Find("a", func(uint32, string) bool { n++; return false })
	if n != 1 {
		t.Errorf("%d found after the first was enough", n)
	}
	none := newTable(Config{}, false)
	none.Find("a", func(uint32, string) bool { t.Error("found in nothing"); return false })
	if none.Name(1) != "" {
		t.Error("a name in nothing")
	}
}

// Who says the AS, by the order.
func TestApply(t *testing.T) {
	d := build(t, slowTable{{netip.MustParseAddr("192.0.2.0"), netip.MustParseAddr("192.0.2.255"), "1"}}, slowTable{{netip.MustParseAddr("192.0.2.0"), netip.MustParseAddr("192.0.2.127"), "CH"}})
	f := func(order string, data *Data, country bool, want string) {
		t.Helper()
		b := flow.Table.NewBatch(8)
		for _, said := range []uint32{0, 7} {
			row := b.Add()
			flow.SrcAddr.Set(b, row, column.AddrFrom4([4]byte{192, 0, 2, 1}))
			flow.SrcAS.Set(b, row, said)
			flow.DstAddr.Set(b, row, column.AddrFrom4([4]byte{198, 51, 100, 1}))
			flow.DstAS.Set(b, row, said)
		}
		var c Config
		for _, name := range strings.Fields(order) {
			c.Order = append(c.Order, Origin(name))
		}
		tableWith(c, data, country).Apply(b)
		got := ""
		for row := range b.Len() {
			got += fmt.Sprintf("%d%s>%d%s ", flow.SrcAS.At(b, row), flow.SrcCountry.At(b, row), flow.DstAS.At(b, row), flow.DstCountry.At(b, row))
		}
		if got = strings.TrimSpace(got); got != want {
			t.Errorf("%s: %s, want %s", order, got, want)
		}
		if b.Used(flow.DstCountry.Field) {
			t.Error("a column is in use without a value")
		}
	}
	f("exporter data", d, true, "1CH>0 7CH>7")
	f("exporter data", d, false, "1>0 7>7")
	f("data exporter", d, false, "1>0 1>7")
	f("data", d, false, "1>0 1>0")
	f("data", nil, true, "0>0 0>0")
	f("exporter", d, true, "0CH>0 7CH>7")
	f("exporter", nil, true, "0>0 7>7")
}

func TestMistakes(t *testing.T) {
	if err := new(Origin).UnmarshalText([]byte("bgp")); err == nil || !strings.Contains(err.Error(), "bgp: use exporter or data") {
		t.Error("bgp: ", err)
	}
	for _, c := range []Config{{Order: []Origin{FromData, FromData}}, {Names: map[uint32]string{0: "a"}}, {Names: map[uint32]string{1: " "}}} {
		if err := c.Validate(); err == nil {
			t.Errorf("%+v is valid", c)
		}
	}
	if err := Default().Validate(); err != nil {
		t.Error(err)
	}
	f := func(as, country, want string) {
		t.Helper()
		_, err := Build(Sources{AS: []io.Reader{strings.NewReader(as)}, Countries: []io.Reader{strings.NewReader(country)}})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q %q: %v, want %q", as, country, err, want)
		}
	}
	f("192.0.2.0,192.0.2.1,x,a\n", "", "line 1")
	f("192.0.2.0,192.0.2.1,1,a\n192.0.2.9,192.0.2.3,1,a\n", "", "line 2")
	f("192.0.2.0,2001:db8::,1,a\n", "", "not a range")
	f("x,192.0.2.1,1,a\n", "", "line 1")
	f("", "192.0.2.0,192.0.2.1,Mars\n", "Mars")
	f("", "192.0.2.0\n", "line 1")
}

// A file that is cut, changed or of something else is refused, and nothing panics.
func TestDamagedFile(t *testing.T) {
	good := build(t, slowTable{{netip.MustParseAddr("192.0.2.0"), netip.MustParseAddr("192.0.2.255"), "1"}, {netip.MustParseAddr("2001:db8::"), netip.MustParseAddr("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"), "2"}}, nil).encode()
	for cut := range good {
		if _, err := decode(good[:cut]); err == nil {
			t.Errorf("%d of %d octets are taken", cut, len(good))
		}
		bad := bytes.Clone(good)
		bad[cut] ^= 0x10
		if _, err := decode(bad); err == nil {
			t.Errorf("taken with octet %d changed", cut)
		}
	}
	path := filepath.Join(t.TempDir(), "x")
	load := func() (*Table, error) {
		return New(Default(), true, feed.Location(path), time.Hour, feed.Options{Log: slog.New(slog.DiscardHandler)}, nil)
	}
	if _, err := load(); err == nil || !strings.Contains(err.Error(), "data: "+path) {
		t.Errorf("a missing file: %v", err)
	}
	if err := os.WriteFile(path, good[:len(good)-1], 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := load(); err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "make build") {
		t.Errorf("a damaged file: %v", err)
	}
	if err := os.WriteFile(path, good, 0o600); err != nil {
		t.Fatal(err)
	}
	table, err := load()
	if err != nil {
		t.Fatal(err)
	}
	if d := table.data.Load(); d.Source != "a test" || d.Entries() != 6 {
		t.Errorf("%s, %d entries", d.Source, d.Entries())
	}
}

// tableWith is a table with Data.
func tableWith(c Config, d *Data, country bool) *Table {
	t := newTable(c, country)
	t.data.Store(d)
	return t
}

// FuzzDecode: whatever a file holds, with a right checksum or not, a search in it ends.
func FuzzDecode(f *testing.F) {
	good := build(f, slowTable{{netip.MustParseAddr("192.0.2.0"), netip.MustParseAddr("192.0.2.255"), "1"}}, nil).encode()
	f.Add(good[:len(good)-4])
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := decode(sealed(b))
		if err != nil {
			return
		}
		r := rand.New(rand.NewPCG(1, 1))
		for range 50 {
			d.Location(column.AddrFrom(randomAddr(r)))
		}
		d.Find("a", func(as uint32, _ string) bool { d.Name(as); return true })
	})
}

// The real tables, where they are installed: every line of the AS tables, and the AS
// of some addresses.
func TestInstalledTables(t *testing.T) {
	dir := "ipdata/node_modules/@ip-location-db/asn"
	if _, err := os.Stat(dir); err != nil {
		t.Skip("not installed; `make build` does it")
	}
	var all []io.Reader
	var lines [][]string
	for _, name := range []string{"asn-ipv4.csv", "asn-ipv6.csv"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, bytes.NewReader(text))
		rows, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, rows...)
	}
	d, err := Build(Sources{AS: all})
	if err != nil {
		t.Fatal(err)
	}
	wrong, short := 0, 0
	for _, l := range lines {
		from, to := netip.MustParseAddr(l[0]), netip.MustParseAddr(l[1])
		if a, b := from.As16(), to.As16(); from.Is6() && (binary.BigEndian.Uint64(a[8:]) != 0 || binary.BigEndian.Uint64(b[8:]) != math.MaxUint64) {
			short++ // longer than /64, which are not distinguished
			continue
		}
		if got := fmt.Sprint(d.Location(column.AddrFrom(from)).AS); got != l[2] {
			wrong++
			t.Logf("%s is of AS%s, want AS%s", from, got, l[2])
		}
	}
	if wrong > 0 || short > 1000 || len(lines) < 500_000 {
		t.Errorf("%d of %d wrong, %d left out", wrong, len(lines), short)
	}
	if name := d.Name(2906); !strings.Contains(name, "Netflix") {
		t.Errorf("AS2906 is %q", name)
	}
}
