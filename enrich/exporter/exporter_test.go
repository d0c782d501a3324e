package exporter

import (
	"encoding"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"regexp"
	"strings"
	"testing"

	"netmeta/column"
	"netmeta/enrich/names"
	"netmeta/enrich/network"
	"netmeta/flow"
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

// newTable makes a table over a book.
func newTable(t testing.TB, book *names.Book, exporters map[string]Exporter, interfaces []Interface, order ...names.Origin) *Table {
	t.Helper()
	if order == nil {
		order = names.Default().Order
	}
	c := configOf(t, exporters, interfaces)
	c.Order = order
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	return New(c, book)
}

func configOf(t testing.TB, exporters map[string]Exporter, interfaces []Interface) Config {
	t.Helper()
	c := Config{Exporters: map[network.Prefix]Exporter{}, Interfaces: interfaces}
	for text, x := range exporters {
		p, err := network.ParsePrefix(text)
		if err != nil {
			t.Fatal(err)
		}
		c.Exporters[p] = x
	}
	return c
}

// Values of rules.
const (
	external = Boundary(flow.BoundaryExternal)
	internal = Boundary(flow.BoundaryInternal)
)

func pattern(text string) Pattern { return Pattern{regexp.MustCompile(text)} }

func TestNames(t *testing.T) {
	table := newTable(t, new(names.Book), map[string]Exporter{
		"192.0.2.1":     {Name: "edge1", Site: "Bern"},
		"192.0.2.0/24":  {Name: "edge", Role: "edge", Interfaces: []Interface{{Index: 3, Description: "to the south", Speed: 1e9}}},
		"2001:db8::/32": {Group: "six"},
	}, []Interface{
		{Index: 3, Name: "third", Description: "any third", Boundary: external},
		{Connectivity: "unknown", Boundary: internal},
	})
	stage := table.Stage()
	f := func(exporter string, want, wantIn string) {
		t.Helper()
		b := row(exporter, 3, 4)
		stage.Apply(b)
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
	if name := table.Name(ip("192.0.2.1")); name != "edge1" || table.Entries() != 3 {
		t.Errorf("%q, %d entries", name, table.Entries())
	}

	// Interface 0 is none; what has no value costs no column.
	b := row("192.0.2.1", 0, 0)
	stage.Apply(b)
	for _, f := range []*column.Field{flow.InIfName.Field, flow.OutIfConnectivity.Field, flow.ExporterTenant.Field} {
		if b.Used(f) {
			t.Errorf("%s is in use without a value", f.Name)
		}
	}
}

// Reported values fill what is not configured, and rules match them; changes take effect.
func TestReported(t *testing.T) {
	const exporter = "192.0.2.9"
	book := new(names.Book)
	rules := []Interface{
		{Match: pattern(`^(?P<kind>transit|peering): (\w+)`), Boundary: external, Connectivity: "$kind", Provider: "${2}"},
		{Match: pattern(`^xe-`), Speed: 10e9, Name: "named"},
		{Index: 9, Match: pattern("nothing"), Name: "never"},
	}
	table := newTable(t, book, nil, rules)
	stage := table.Stage()
	f := func(index uint32, want string) {
		t.Helper()
		b := row(exporter, index, index)
		stage.Apply(b)
		if in(b, 0) != want || out(b, 0) != want {
			t.Errorf("interface %d: %s and %s, want %s", index, in(b, 0), out(b, 0), want)
		}
	}
	put := func(from names.Origin, index uint32, name, description string, speed uint64) {
		book.Put(from, ip(exporter), index, names.Interface{Name: column.LabelOf(name), Description: column.LabelOf(description), Speed: speed})
	}
	nothing := "||0|unknown||"
	f(5, nothing)
	put(names.NetFlow, 5, "et-0/0/0", "transit: Arelion 1", 0)
	put(names.NetFlow, 70_000, "xe-1", "customers", 0)
	put(names.NetFlow, 9, "ge-9", "", 0)
	f(5, "et-0/0/0|transit: Arelion 1|0|external|transit|Arelion")
	f(70_000, "named|customers|10000000000|unknown||")
	f(9, "ge-9||0|unknown||")
	f(6, nothing)
	put(names.NetFlow, 5, "et-0/0/0", "peering: Other", 0)
	f(5, "et-0/0/0|peering: Other|0|external|peering|Other")
	put(names.SFlow, 6, "eth6", "", 0)
	put(names.SFlow, 6, "", "", 1e9)
	put(names.SFlow, 5, "eth5", "", 1e11)
	f(6, "eth6||1000000000|unknown||")
	f(7, nothing)
	f(5, "et-0/0/0|peering: Other|100000000000|external|peering|Other")

	// Of interfaces without flows the operator's words are asked for alone.
	configured := func(table *Table, index uint32, want string) {
		t.Helper()
		name, description, boundary, speed := table.Configured(ip(exporter), index)
		if got := fmt.Sprintf("%s|%s|%s|%d", name, description, boundary, speed); got != want {
			t.Errorf("interface %d: %s, want %s", index, got, want)
		}
	}
	configured(table, 5, "||external|0")
	configured(table, 6, "|||0")
	configured(table, 70_000, "named|||10000000000")
	configured(newTable(t, book, map[string]Exporter{exporter: {Interfaces: []Interface{{Match: pattern("^eth(.)"), Name: "port $1", Description: "spare", Boundary: internal}}}}, nil), 6, "port 6|spare|internal|0")

	// Another order gives another origin precedence; one that is not listed is not used.
	stage = newTable(t, book, nil, rules, names.SFlow, names.NetFlow, names.Config).Stage()
	f(5, "eth5|peering: Other|100000000000|external|peering|Other")
	f(70_000, "xe-1|customers|10000000000|unknown||")
	stage = newTable(t, book, nil, rules, names.SFlow).Stage()
	f(5, "eth5||100000000000|unknown||")
	f(70_000, nothing)
	stage = newTable(t, book, nil, nil).Stage()
	f(70_000, "xe-1|customers|0|unknown||")
}

// An origin may name exporters too. What an exporter is called so does not make it one
// that the operator knows.
func TestReportedExporter(t *testing.T) {
	book := new(names.Book)
	table := newTable(t, book, map[string]Exporter{"192.0.2.1": {Name: "edge1"}, "192.0.2.0/24": {Site: "Bern"}}, nil)
	stage := table.Stage()
	f := func(exporter, want string, described bool) {
		t.Helper()
		b := row(exporter, 0, 0)
		stage.Apply(b)
		if got := flow.ExporterName.At(b, 0).String(); got != want || table.Name(ip(exporter)) != want || table.Described(ip(exporter)) != described {
			t.Errorf("%s is %q, and %q, want %q; described %t", exporter, got, table.Name(ip(exporter)), want, table.Described(ip(exporter)))
		}
	}
	f("192.0.2.2", "", false)
	book.PutExporter(names.SFlow, ip("192.0.2.1"), column.LabelOf("host1"))
	book.PutExporter(names.SFlow, ip("192.0.2.2"), column.LabelOf("host2"))
	f("192.0.2.1", "edge1", true)
	f("192.0.2.2", "host2", false)
	stage = newTable(t, book, map[string]Exporter{"192.0.2.1": {Name: "edge1"}}, nil, names.SFlow, names.Config).Stage()
	b := row("192.0.2.1", 0, 0)
	if stage.Apply(b); flow.ExporterName.At(b, 0).String() != "host1" {
		t.Errorf("with sflow first: %s", flow.ExporterName.At(b, 0))
	}
}

// However rows are mixed, each gets what it gets alone.
func TestRuns(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	exporters := map[string]Exporter{}
	for i := range 5 {
		x := Exporter{Name: fmt.Sprint("x", i)}
		for j := range 4 {
			x.Interfaces = append(x.Interfaces, Interface{Index: []uint32{1, 2, 1023, 4_000_000}[j], Name: fmt.Sprint("x", i, "if", j), Boundary: []Boundary{0, external, internal, 0}[j]})
		}
		exporters[fmt.Sprint("192.0.2.", i)] = x
	}
	table := newTable(t, new(names.Book), exporters, nil)
	stage := table.Stage()
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
		stage.Apply(b)
		for i := range b.Len() {
			alone := row(flow.ExporterAddress.At(b, i).IP().String(), flow.InIf.At(b, i), flow.OutIf.At(b, i))
			table.Stage().Apply(alone)
			if in(b, i) != in(alone, 0) || out(b, i) != out(alone, 0) || flow.ExporterName.At(b, i) != flow.ExporterName.At(alone, 0) {
				t.Fatalf("row %d: %s, alone %s", i, column.AppendText(nil, b, i), column.AppendText(nil, alone, 0))
			}
		}
	}
}

// Forged exporters and interfaces take no more than their bounds.
func TestBounds(t *testing.T) {
	stage := newTable(t, new(names.Book), nil, []Interface{{Name: "any"}}).Stage().(*Stage)
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
		stage.Apply(b)
		if len(stage.caches) > maxCaches || stage.slots > maxSlots+8192*2*lowIndexes {
			t.Fatalf("%d exporters, %d interfaces", len(stage.caches), stage.slots)
		}
		if last := b.Len() - 1; flow.InIfName.At(b, last).String() != "any" {
			t.Fatal("forgotten and not found again")
		}
	}
}

// Every mistake names the key, the value and a remedy.
func TestMistakes(t *testing.T) {
	for _, x := range []Interface{{}, {Index: 3, Match: pattern("x")}} {
		for _, c := range []Config{configOf(t, map[string]Exporter{"192.0.2.1": {Interfaces: []Interface{x}}}, nil), {Interfaces: []Interface{x}}} {
			if err := c.Validate(); err == nil || !strings.Contains(err.Error(), "interfaces[0]: says nothing") {
				t.Errorf("%+v: %v", c, err)
			}
		}
	}
	f := func(v encoding.TextUnmarshaler, text string, want ...string) {
		t.Helper()
		err := v.UnmarshalText([]byte(text))
		for _, w := range append(want, text) {
			if err == nil || !strings.Contains(err.Error(), w) {
				t.Errorf("%q: error %v does not say %q", text, err, w)
			}
		}
	}
	f(new(Pattern), "(", "regular expression")
	for _, text := range []string{"fast", "0", "-1G", "NaN", "1e300", "10Gbit"} {
		f(new(Speed), text, "10G")
	}
	f(new(Boundary), "unknown", "external or internal")
}

// What is read is written as it was, in the largest unit.
func TestValues(t *testing.T) {
	for text, want := range map[string]Speed{"": 0, "10G": 1e10, "2.5G": 2.5e9, "100M": 1e8, "64k": 64e3, "1T": 1e12, "999": 999, "12.345678G": 12345678000} {
		var got Speed
		if err := got.UnmarshalText([]byte(text)); err != nil || got != want || got.String() != text {
			t.Errorf("%s is %d and written %s, %v", text, got, got, err)
		}
	}
	for _, text := range []string{"", "external", "internal"} {
		var got Boundary
		if err := got.UnmarshalText([]byte(text)); err != nil || got.String() != text {
			t.Errorf("%s is written %s, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "^xe-"} {
		var got Pattern
		if err := got.UnmarshalText([]byte(text)); err != nil || got.String() != text {
			t.Errorf("%s is written %s, %v", text, got, err)
		}
	}
}
