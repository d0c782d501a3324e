package exporter

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"

	"netmeta/column"
	"netmeta/counter"
	"netmeta/flow"
	"netmeta/source"
	"netmeta/source/netflow"
)

func ip(text string) column.Addr { return column.AddrFrom(netip.MustParseAddr(text)) }

// row makes a batch of one row.
func row(exporter string, in, out uint32) *column.Batch {
	b := flow.Table.NewBatch(1)
	b.Add()
	flow.ExporterAddress.Set(b, 0, ip(exporter))
	flow.InIf.Set(b, 0, in)
	flow.OutIf.Set(b, 0, out)
	return b
}

// in says the attributes of the input interface.
func in(b *column.Batch, row int) string {
	return fmt.Sprintf("%s|%s|%d|%s|%s|%s", flow.InIfName.At(b, row), flow.InIfDescription.At(b, row), flow.InIfSpeed.At(b, row),
		boundary(flow.InIfBoundary.At(b, row)), flow.InIfConnectivity.At(b, row), flow.InIfProvider.At(b, row))
}

func out(b *column.Batch, row int) string {
	return fmt.Sprintf("%s|%s|%d|%s|%s|%s", flow.OutIfName.At(b, row), flow.OutIfDescription.At(b, row), flow.OutIfSpeed.At(b, row),
		boundary(flow.OutIfBoundary.At(b, row)), flow.OutIfConnectivity.At(b, row), flow.OutIfProvider.At(b, row))
}

func boundary(v uint8) string { return flow.InIfBoundary.Field.Enum[v] }

func newTable(t testing.TB, exporters map[string]Exporter, interfaces []Interface) *Table {
	t.Helper()
	table, err := New(exporters, interfaces)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func TestNames(t *testing.T) {
	table := newTable(t, map[string]Exporter{
		"192.0.2.1":     {Name: "edge1", Site: "Bern"},
		"192.0.2.0/24":  {Name: "edge", Role: "edge", Interfaces: []Interface{{Index: 3, Description: "to the south", Speed: "1G"}}},
		"2001:db8::/32": {Group: "six"},
	}, []Interface{
		{Index: 3, Name: "third", Description: "any third", Boundary: "external"},
		{Connectivity: "unknown", Boundary: "internal"},
	})
	told := &Told{}
	stage := told.Stage()
	f := func(exporter string, want, wantIn string) {
		t.Helper()
		b := row(exporter, 3, 4)
		stage.Apply(table, b)
		got := fmt.Sprintf("%s|%s|%s|%s|%s|%s", flow.ExporterName.At(b, 0), flow.ExporterGroup.At(b, 0), flow.ExporterRole.At(b, 0),
			flow.ExporterSite.At(b, 0), flow.ExporterRegion.At(b, 0), flow.ExporterTenant.At(b, 0))
		if got != want || in(b, 0) != wantIn || out(b, 0) != "||0|internal|unknown|" {
			t.Errorf("%s: %s and %s and %s, want %s and %s", exporter, got, in(b, 0), out(b, 0), want, wantIn)
		}
	}
	f("192.0.2.1", "edge1||edge|Bern||", "third|to the south|1000000000|external|unknown|")
	f("192.0.2.2", "edge||edge|||", "third|to the south|1000000000|external|unknown|")
	f("2001:db8::1", "|six||||", "third|any third|0|external|unknown|")
	f("198.51.100.1", "|||||", "third|any third|0|external|unknown|")
	if name := table.Name(netip.MustParseAddr("192.0.2.1")); name != "edge1" || table.Entries() != 3 {
		t.Errorf("%q, %d entries", name, table.Entries())
	}

	// Interface 0 is none; what has no value costs no column.
	b := row("192.0.2.1", 0, 0)
	stage.Apply(table, b)
	for _, f := range []*column.Field{flow.InIfName.Field, flow.OutIfConnectivity.Field, flow.ExporterTenant.Field} {
		if b.Used(f) {
			t.Errorf("%s is in use without a value", f.Name)
		}
	}
}

// options is a v9 datagram with an options template and one record of it: the name and
// description of an interface.
func options(index uint32, name, description string) []byte {
	be32 := func(b []byte, v uint32) []byte { return append(b, byte(v>>24), byte(v>>16), byte(v>>8), byte(v)) }
	text := func(b []byte, s string, n int) []byte { return append(append(b, s...), make([]byte, n-len(s))...) }
	b := []byte{0, 9, 0, 2}
	b = be32(be32(be32(be32(b, 1000), 1_800_000_000), 1), 7)
	// scope interface (2) of 4 octets; 82 of 16, 83 of 32
	b = append(b, 0, 1, 0, 24, 1, 0, 0, 4, 0, 8, 0, 2, 0, 4, 0, 82, 0, 16, 0, 83, 0, 32, 0, 0)
	b = append(b, 1, 0, 0, 56)
	return text(text(be32(b, index), name, 16), description, 32)
}

// What exporters told fills what nobody configured, and rules see it; news are seen.
func TestTold(t *testing.T) {
	const exporter = "192.0.2.9"
	told := &Told{NetFlow: netflow.New(netflow.Config{Exporters: &source.Exporters{}})}
	table := newTable(t, nil, []Interface{
		{Match: `^(?P<kind>transit|peering): (\w+)`, Boundary: "external", Connectivity: "$kind", Provider: "${2}"},
		{Match: `^xe-`, Speed: "10G", Name: "named"},
		{Index: 9, Match: "nothing", Name: "never"},
	})
	stage := told.Stage()
	f := func(index uint32, want string) {
		t.Helper()
		b := row(exporter, index, index)
		stage.Apply(table, b)
		if in(b, 0) != want || out(b, 0) != want {
			t.Errorf("interface %d: %s and %s, want %s", index, in(b, 0), out(b, 0), want)
		}
	}
	nothing := "||0|unknown||"
	f(5, nothing)
	decoder := told.NetFlow.Decoder()
	tell := func(index uint32, name, description string) {
		decoder.Decode(&source.Datagram{Payload: options(index, name, description), Exporter: netip.MustParseAddrPort(exporter + ":2055"),
			Received: time.Unix(1_800_000_000, 0)}, source.NewOut(source.SinkFunc(func(*column.Batch) {})))
	}
	tell(5, "et-0/0/0", "transit: Arelion 1")
	tell(70_000, "xe-1", "customers")
	tell(9, "ge-9", "")
	f(5, "et-0/0/0|transit: Arelion 1|0|external|transit|Arelion")
	f(70_000, "named|customers|10000000000|unknown||")
	f(9, "ge-9||0|unknown||")
	f(6, nothing)
	tell(5, "et-0/0/0", "peering: Other")
	f(5, "et-0/0/0|peering: Other|0|external|peering|Other")

	// sFlow tells names and speeds with its counters.
	counters := counter.Table.NewBatch(8)
	add := func(class uint8, index uint32, name string, speed uint64) {
		row := counters.Add()
		counter.ExporterAddress.Set(counters, row, ip(exporter))
		counter.SourceClass.Set(counters, row, class)
		counter.IfIndex.Set(counters, row, index)
		counter.IfName.Set(counters, row, column.LabelOf(name))
		counter.IfSpeed.Set(counters, row, speed)
	}
	add(0, 6, "eth6", 0)
	add(0, 6, "", 1e9)
	add(1, 7, "vlan", 0) // no interface
	add(0, 5, "eth5", 1e11)
	told.Learn(counters)
	f(6, "eth6||1000000000|unknown||")
	f(7, nothing)
	f(5, "et-0/0/0|peering: Other|100000000000|external|peering|Other")

	// Of interfaces without flows the operator's words are asked for alone.
	configured := func(table *Table, index uint32, want string) {
		t.Helper()
		name, description, boundary, speed := told.Configured(table, netip.MustParseAddr(exporter), index)
		if got := fmt.Sprintf("%s|%s|%s|%d", name, description, boundary, speed); got != want {
			t.Errorf("interface %d: %s, want %s", index, got, want)
		}
	}
	configured(table, 5, "||external|0")
	configured(table, 6, "|||0")
	configured(table, 70_000, "named|||10000000000")
	configured(newTable(t, map[string]Exporter{exporter: {Interfaces: []Interface{{Match: "^eth(.)", Name: "port $1", Description: "spare", Boundary: "internal"}}}}, nil), 6, "port 6|spare|internal|0")

	// Another table counts at once.
	table = newTable(t, nil, nil)
	f(70_000, "xe-1|customers|0|unknown||")
}

// However rows are mixed, each gets what it gets alone.
func TestRuns(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	exporters := map[string]Exporter{}
	for i := range 5 {
		x := Exporter{Name: fmt.Sprint("x", i)}
		for j := range 4 {
			x.Interfaces = append(x.Interfaces, Interface{Index: []uint32{1, 2, 1023, 4_000_000}[j], Name: fmt.Sprint("x", i, "if", j), Boundary: []string{"", "external", "internal", ""}[j]})
		}
		exporters[fmt.Sprint("192.0.2.", i)] = x
	}
	table, told := newTable(t, exporters, nil), &Told{}
	stage := told.Stage()
	for range 50 {
		b := flow.Table.NewBatch(64)
		exporter := "192.0.2.0"
		for !b.Full() {
			row := b.Add()
			if r.IntN(3) == 0 {
				exporter = fmt.Sprint("192.0.2.", r.IntN(6))
			}
			flow.ExporterAddress.Set(b, row, ip(exporter))
			flow.InIf.Set(b, row, []uint32{0, 1, 2, 3, 1023, 1024, 4_000_000}[r.IntN(7)])
			flow.OutIf.Set(b, row, []uint32{0, 1, 2, 3, 1023, 1024, 4_000_000}[r.IntN(7)])
		}
		stage.Apply(table, b)
		for i := range b.Len() {
			alone := row(flow.ExporterAddress.At(b, i).IP().String(), flow.InIf.At(b, i), flow.OutIf.At(b, i))
			told.Stage().Apply(table, alone)
			if in(b, i) != in(alone, 0) || out(b, i) != out(alone, 0) || flow.ExporterName.At(b, i) != flow.ExporterName.At(alone, 0) {
				t.Fatalf("row %d: %s, alone %s", i, column.AppendText(nil, b, i), column.AppendText(nil, alone, 0))
			}
		}
	}
}

// Forged exporters, interfaces and agents take no more than their bounds.
func TestBounds(t *testing.T) {
	table, told := newTable(t, nil, []Interface{{Name: "any"}}), &Told{}
	stage := told.Stage()
	b := flow.Table.NewBatch(8192)
	for n := uint32(0); n < 2*maxSlots; {
		b.Reset()
		for !b.Full() {
			row := b.Add()
			n++
			flow.ExporterAddress.Set(b, row, column.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)}))
			flow.InIf.Set(b, row, 1+n%5000)
			flow.OutIf.Set(b, row, n)
		}
		stage.Apply(table, b)
		if len(stage.views) > maxViews || stage.slots > maxSlots+8192*2*lowIndexes {
			t.Fatalf("%d exporters, %d interfaces", len(stage.views), stage.slots)
		}
		if last := b.Len() - 1; flow.InIfName.At(b, last).String() != "any" {
			t.Fatal("forgotten and not found again")
		}
	}
	counters := counter.Table.NewBatch(8192)
	for n := uint32(0); told.Refused.Load() == 0; {
		counters.Reset()
		for !counters.Full() {
			row := counters.Add()
			n++
			counter.ExporterAddress.Set(counters, row, column.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)}))
			counter.IfIndex.Set(counters, row, 1)
			counter.IfSpeed.Set(counters, row, 1)
		}
		told.Learn(counters)
		if n > 2*maxPorts {
			t.Fatal("nothing is refused")
		}
	}
	if told.ports != maxPorts || len(told.agents) > maxPorts {
		t.Errorf("%d interfaces of %d agents", told.ports, len(told.agents))
	}
}

// Every mistake names the key, the value and a remedy.
func TestMistakes(t *testing.T) {
	f := func(x Interface, want ...string) {
		t.Helper()
		for _, err := range []error{
			func() error {
				_, err := New(map[string]Exporter{"192.0.2.1": {Interfaces: []Interface{x}}}, nil)
				return err
			}(),
			func() error { _, err := New(nil, []Interface{x}); return err }(),
		} {
			if err == nil {
				t.Errorf("%+v: no error", x)
				continue
			}
			for _, w := range append(want, "interfaces[0]") {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("%+v: error %q does not say %q", x, err, w)
				}
			}
		}
	}
	f(Interface{}, "says nothing")
	f(Interface{Index: 3, Match: "x"}, "says nothing")
	f(Interface{Match: "(", Name: "x"}, "match", "(", "regular expression")
	f(Interface{Speed: "fast"}, "speed", "fast", "10G")
	f(Interface{Speed: "0"}, "speed")
	f(Interface{Speed: "-1G"}, "speed")
	f(Interface{Speed: "NaN"}, "speed")
	f(Interface{Boundary: "unknown"}, "boundary", "unknown", "external or internal")
	for _, c := range []struct {
		exporters map[string]Exporter
		want      string
	}{
		{map[string]Exporter{"edge1": {}}, `"edge1"`},
		{map[string]Exporter{"192.0.2.1/24": {}}, "write 192.0.2.0/24"},
		{map[string]Exporter{"192.0.2.1": {}, "192.0.2.1/32": {}}, "twice"},
	} {
		if _, err := New(c.exporters, nil); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v, want %q", c.exporters, err, c.want)
		}
	}
	for text, want := range map[string]uint64{"10G": 1e10, "2.5G": 2.5e9, "100M": 1e8, "64k": 64e3, "1T": 1e12, "1000": 1000} {
		if got, ok := parseSpeed(text); !ok || got != want {
			t.Errorf("%s is %d", text, got)
		}
	}
}
