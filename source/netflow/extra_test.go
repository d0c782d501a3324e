package netflow

import (
	"slices"
	"strings"
	"testing"

	"netmeta/column"
	"netmeta/flow"
	"netmeta/source"
)

func TestElements(t *testing.T) {
	f := func(name string, pen uint32, id uint16, typ valueType) {
		t.Helper()
		list, err := Elements([]string{name})
		if err != nil {
			t.Error(err)
			return
		}
		if e := list[0]; e.IE != (column.IE{PEN: pen, ID: id}) || e.typ != typ || e.Name != name {
			t.Errorf("%s: %+v", name, e)
		}
	}
	f("octetDeltaCount", 0, 1, unsigned)
	f("applicationName", 0, 96, text)
	f("96", 0, 96, text)
	f("srhIPv6Section", 0, 499, octets)
	f("samplingProbability", 0, 311, float)
	f("ixia/l7ApplicationName", 3054, 111, text)
	f("3054:111", 3054, 111, text)
	f("paloalto/userId", 25461, 56702, text)
	f("procera/subscriberIdentifier", 15397, 28, text)
	f("12356:12", 12356, 12, unknownType)
	f("4000", 0, 4000, unknownType)
	f("reverse/sourceIPv4Address", 29305, 8, ipv4Address)
	f("29305:8", 29305, 8, ipv4Address)

	bad := func(name, hint string) {
		t.Helper()
		_, err := Elements([]string{"applicationName", name})
		if err == nil || !strings.Contains(err.Error(), hint) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	bad("ApplicationName", `did you mean "applicationName"?`)
	bad("l7applicationname", `did you mean "ixia/l7ApplicationName"?`)
	bad("nonsense", "use ID, or PEN:ID")
	bad("", "use ID")
	bad("0", "use ID")
	bad("3054:70000", "use ID")
	bad("reverse/ixia/hostName", "use ID")
}

func TestAppendValue(t *testing.T) {
	f := func(typ valueType, value, want string) {
		t.Helper()
		if got := string(appendValue(nil, typ, []byte(value))); got != want {
			t.Errorf("type %d, % x: got %q, want %q", typ, value, got, want)
		}
	}
	f(unsigned, "\x01\x00", "256")
	f(unsigned, "\x01\x00\x00", "65536")
	f(unsigned, "\xff\xff\xff\xff\xff\xff\xff\xff", "18446744073709551615")
	f(unsigned, "\x00\x00\x00\x00\x00\x00\x00\x00\x01", "000000000000000001")
	f(signed, "\xff", "-1")
	f(signed, "\xff\xfe", "-2")
	f(signed, "\x7f\xff\xff\xff", "2147483647")
	f(float, "\x3f\x80\x00\x00", "1")
	f(float, "\x3f\xb9\x99\x99\x99\x99\x99\x9a", "0.1")
	f(float, "\x3f\x80", "3f80")
	f(boolean, "\x01", "true")
	f(boolean, "\x02", "false")
	f(boolean, "\x03", "03")
	f(ipv4Address, "\xc0\x00\x02\x01", "192.0.2.1")
	f(ipv6Address, "\x20\x01\x0d\xb8"+strings.Repeat("\x00", 11)+"\x01", "2001:db8::1")
	f(ipv4Address, "\xc0\x00", "c000")
	f(macAddress, "\x02\x00\x00\x00\x00\x01", "02:00:00:00:00:01")
	f(text, "eth0\x00\x00", "eth0")
	f(text, "a\xffb", "a\ufffdb")
	f(text, strings.Repeat("é", 400), strings.Repeat("é", 256))
	f(text, "x"+strings.Repeat("é", 400), "x"+strings.Repeat("é", 255))
	f(text, "", "")
	f(octets, "\x00\xab", "00ab")
	f(dateTimeSeconds, "\x00\x00\x00\x01", "1970-01-01T00:00:01.000Z")
	f(dateTimeMilliseconds, "\x00\x00\x00\x00\x00\x00\x00\x01", "1970-01-01T00:00:00.001Z")
	f(dateTimeNTP, "\x83\xaa\x7e\x80\x80\x00\x00\x00", "1970-01-01T00:00:00.500Z")
	f(unknownType, "\x05", "5")
	f(unknownType, "some words", "some words")
	f(unknownType, "some words\x00\x00", "some words")
	f(unknownType, "\x00\x01\x02\x03\x04\x05\x06\x07\x08", "000102030405060708")
}

func TestExtra(t *testing.T) {
	chosen, err := Elements([]string{"ixia/l7ApplicationName", "flowId", "9999:7", "reverse/octetDeltaCount", "paloalto/userId"})
	if err != nil {
		t.Fatal(err)
	}
	d := New(Options{Extra: chosen}).Decoder()
	b := flow.Table.NewBatch(10)
	f := func(version uint16, list []element, record []byte, want string) {
		t.Helper()
		b.Reset()
		datagram{version: version, body: slices.Concat(templateOf(version, 300, list...), set16(300, record...))}.decode(d, b)
		var got []string
		for row := range b.Len() {
			s := string(column.AppendJSON(nil, b, row))
			_, s, _ = strings.Cut(s, `"Extra":`)
			got = append(got, strings.TrimSuffix(s, "}"))
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("got %s, want %s", s, want)
		}
	}
	fixed := []element{iana(1, 4), iana(148, 2), iana(148, 1)}
	f(10, fixed, slices.Concat(be(fixed, 1, 77, 5), be(fixed, 1, 0, 6)), `{"flowId":"77"} {"flowId":"0"}`)
	f(10, []element{iana(1, 4), {column.IE{PEN: 3054, ID: 111}, variable}, {column.IE{PEN: 9999, ID: 7}, 1}},
		[]byte("\x00\x00\x00\x01\x03ssh\x02\x00\x00\x00\x01\x00\x09"),
		`{"ixia/l7ApplicationName":"ssh","9999:7":"2"} {"9999:7":"9"}`)
	f(9, []element{iana(1, 4), iana(56702, 4)}, []byte("\x00\x00\x00\x01joe\x00"), `{"paloalto/userId":"joe"}`)
	f(10, bytesOnly, be(bytesOnly, 5), "")
	// Both rows of a biflow have it.
	biflow := []element{iana(1, 4), {column.IE{PEN: reversePEN, ID: 1}, 4}}
	f(10, biflow, be(biflow, 5, 6), `{"reverse/octetDeltaCount":"6"} {"reverse/octetDeltaCount":"6"}`)

	// Palo Alto Networks name applications with a type of their own.
	b.Reset()
	datagram{version: 9, body: slices.Concat(templateOf(9, 300, iana(1, 4), iana(56701, 8)), set16(300, []byte("\x00\x00\x00\x01web\x00\x00\x00\x00\x00")...))}.decode(d, b)
	if a := flow.ApplicationName.At(b, 0).String(); a != "web" {
		t.Errorf("application %q", a)
	}

	// What was seen before costs no memory.
	out := into(b, b.Reset)
	dg := source.Datagram{Payload: datagram{version: 10, body: set16(300, be(biflow, 5, 6)...)}.bytes(), Exporter: router, Received: arrival}
	if n := testing.AllocsPerRun(500, func() { b.Reset(); d.Decode(&dg, out) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// Other elements may be chosen while templates are known: what comes next is decoded
// with them, without a new template.
func TestSetExtra(t *testing.T) {
	s := New(Options{})
	d, other := s.Decoder(), s.Decoder()
	b := flow.Table.NewBatch(10)
	fields := []element{iana(1, 4), iana(148, 2)}
	datagram{version: 10, body: templateOf(10, 300, fields...)}.decode(d, b)
	f := func(want string, names ...string) {
		t.Helper()
		list, err := Elements(names)
		if err != nil {
			t.Fatal(err)
		}
		s.SetExtra(list)
		for _, d := range []*Decoder{d, other} {
			b.Reset()
			datagram{version: 10, body: set16(300, be(fields, 1, 77)...)}.decode(d, b)
			if b.Len() != 1 {
				t.Fatal(b.Len(), " rows")
			}
			if got := string(column.AppendJSON(nil, b, 0)); strings.Contains(got, `"Extra":`) != (want != "") || !strings.Contains(got, want) {
				t.Errorf("%v: %s has no %q", names, got, want)
			}
		}
	}
	f("")
	f(`{"flowId":"77"}`, "flowId")
	f(`{"octetDeltaCount":"1"}`, "octetDeltaCount")
	f("")
}
