package names

import (
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"netmeta/column"
)

func ip(text string) column.Addr { return column.AddrFrom(netip.MustParseAddr(text)) }

func iface(name, description string, speed uint64) Interface {
	return Interface{column.LabelOf(name), column.LabelOf(description), speed}
}

func (x Interface) text() string { return fmt.Sprint(x.Name, "|", x.Description, "|", x.Speed) }

// Each value comes from the first origin of the order that has it.
func TestOrder(t *testing.T) {
	var b Book
	a := ip("192.0.2.1")
	b.Put(NetFlow, a, 5, iface("et-0/0/0", "transit", 0))
	b.Put(SFlow, a, 5, iface("eth5", "", 0))
	b.Put(SFlow, a, 5, iface("", "", 1e9)) // the name stays
	from := b.Interface(a, 5)
	from[Config] = iface("", "uplink", 0)
	for order, want := range map[string]string{
		"config netflow sflow": "et-0/0/0|uplink|1000000000",
		"sflow netflow":        "eth5|transit|1000000000",
		"netflow config":       "et-0/0/0|transit|0",
		"":                     "||0",
	} {
		var o Order
		for _, name := range strings.Fields(order) {
			var origin Origin
			if err := origin.UnmarshalText([]byte(name)); err != nil {
				t.Fatal(err)
			}
			o = append(o, origin)
		}
		if got := o.Interface(from).text(); got != want {
			t.Errorf("%s: %s, want %s", order, got, want)
		}
	}
	if err := new(Origin).UnmarshalText([]byte("snmp")); err == nil || !strings.Contains(err.Error(), "use config, netflow, sflow") {
		t.Error(err)
	}
	if b.Interface(a, 6) != (Interfaces{}) || b.Interface(ip("192.0.2.2"), 5) != (Interfaces{}) {
		t.Error("another interface has names")
	}
}

// An edition changes with what is said about its exporter, and with nothing else.
func TestEdition(t *testing.T) {
	var b Book
	a, other := ip("192.0.2.1"), ip("192.0.2.2")
	step := func(what string, changes bool, f func()) {
		t.Helper()
		edition, all := b.Edition(a), b.Changes()
		f()
		if (b.Edition(a) != edition) != changes {
			t.Errorf("%s: the edition changes: %t", what, !changes)
		}
		if changes && b.Changes() == all {
			t.Errorf("%s: no change is counted", what)
		}
	}
	step("first", true, func() { b.Put(NetFlow, a, 1, iface("a", "", 0)) })
	step("the same", false, func() { b.Put(NetFlow, a, 1, iface("a", "", 0)) })
	step("another name", true, func() { b.Put(NetFlow, a, 1, iface("b", "", 0)) })
	step("a part that is known", false, func() { b.Put(NetFlow, a, 1, iface("b", "", 0)) })
	step("another origin", true, func() { b.Put(SFlow, a, 1, iface("b", "", 0)) })
	step("another exporter", false, func() { b.Put(NetFlow, other, 1, iface("c", "", 0)) })
	step("nothing", false, func() { b.Put(NetFlow, a, 2, Interface{}) })
	step("no interface", false, func() { b.Put(NetFlow, a, 0, iface("a", "", 0)) })
	step("its own name", true, func() { b.PutExporter(SFlow, a, column.LabelOf("edge1")) })
	if got := b.Exporter(a); got != (Labels{SFlow: column.LabelOf("edge1")}) {
		t.Errorf("the exporter is %v", got)
	}
	if exporters, interfaces := b.Counts(); exporters != 2 || interfaces != 3 {
		t.Errorf("%d exporters, %d interfaces", exporters, interfaces)
	}
}

// Names are hostile: they have no control characters, no end, and no encoding.
func TestClean(t *testing.T) {
	for text, want := range map[string]string{
		"xe-0/0/1":                  "xe-0/0/1",
		"Zürich":                    "Zürich",
		"a\x1b[31mb\r\n\x00":        "a[31mb",
		"\x07":                      "",
		"Z\xfcrich":                 "Z\ufffdrich",
		strings.Repeat("é", 200):    strings.Repeat("é", 128),
		strings.Repeat("x", 70_000): strings.Repeat("x", MaxName),
	} {
		if got := clean(column.LabelOf(text)).String(); got != want {
			t.Errorf("%.20q is %q, want %q", text, got, want)
		}
	}
	var b Book
	a := ip("192.0.2.1")
	b.Put(NetFlow, a, 1, iface("\x07", "\x1b", 0))
	b.PutExporter(NetFlow, a, column.LabelOf("\n"))
	if exporters, _ := b.Counts(); exporters != 0 {
		t.Error("an exporter without names is in the book")
	}
}

// bytesOf recomputes what the book counts.
func bytesOf(b *Book) (bytes int) {
	for _, e := range b.exporters {
		bytes += entryCost
		for _, l := range e.labels {
			bytes += len(l.String())
		}
		for _, of := range e.interfaces {
			for _, x := range of {
				bytes += entryCost + x.bytes()
			}
		}
	}
	return bytes
}

// A flood of forged exporters stays within the bounds, and evicts those without flows.
func TestBounds(t *testing.T) {
	var b Book
	real := ip("192.0.2.1")
	b.Put(NetFlow, real, 1, iface("et-0/0/0", "", 0))
	b.Edition(real) // flows come from it
	long := strings.Repeat("x", 250)
	for n := range uint32(MaxExporters + MaxExporters/2) {
		forged := column.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)})
		for index := range uint32(6) {
			b.Put(SFlow, forged, 1+index, iface(long, long, uint64(n)))
		}
		if n%5000 == 0 {
			b.Put(NetFlow, real, 1, iface("et-0/0/0", "", 0))
			b.Edition(real)
			if len(b.exporters) > MaxExporters || b.bytes > MaxBytes {
				t.Fatalf("%d exporters, %d bytes", len(b.exporters), b.bytes)
			}
			if got := bytesOf(&b); got != b.bytes {
				t.Fatalf("%d bytes are counted, there are %d", b.bytes, got)
			}
		}
	}
	if got := b.Interface(real, 1)[NetFlow].text(); got != "et-0/0/0||0" {
		t.Errorf("the exporter that sends flows is %s", got)
	}
	if b.Refused.Load() == 0 {
		t.Error("nothing is counted")
	}

	// One exporter has a bound of its own.
	refused := b.Refused.Load()
	for index := range uint32(2 * MaxInterfaces) {
		b.Put(SFlow, real, 1+index, iface("x", "", 0))
	}
	if got := b.Refused.Load() - refused; got < MaxInterfaces {
		t.Errorf("%d interfaces of one exporter are refused", got)
	}
	if b.exporters[real].bytes > maxExporterBytes || bytesOf(&b) != b.bytes {
		t.Errorf("%d bytes of one exporter, %d of all, %d are counted", b.exporters[real].bytes, bytesOf(&b), b.bytes)
	}
}

// Writers and readers do not wait for each other for long, nor disturb each other.
func TestConcurrent(t *testing.T) {
	var b Book
	var all sync.WaitGroup
	for from := NetFlow; from < origins; from++ {
		all.Go(func() {
			for n := range uint32(20_000) {
				b.Put(from, column.AddrFrom4([4]byte{10, 0, 0, byte(n)}), 1+n%7, iface(fmt.Sprint(from, n%3), "", 0))
			}
		})
		all.Go(func() {
			for n := range uint32(20_000) {
				a := column.AddrFrom4([4]byte{10, 0, 0, byte(n)})
				b.Edition(a)
				if name := b.Interface(a, 1+n%7)[from].Name.String(); name != "" && !strings.HasPrefix(name, from.String()) {
					t.Errorf("a name of %s is %s", from, name)
				}
			}
		})
	}
	all.Wait()
}

func TestNoAllocation(t *testing.T) {
	var b Book
	a, x := ip("192.0.2.1"), iface("et-0/0/0", "transit", 1e9)
	b.Put(NetFlow, a, 1, x)
	if n := testing.AllocsPerRun(100, func() {
		b.Put(NetFlow, a, 1, x)
		b.Edition(a)
		b.Interface(a, 1)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
