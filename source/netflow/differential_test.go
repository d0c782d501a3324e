package netflow

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"

	goflow2 "github.com/netsampler/goflow2/v2/decoders/netflow"

	"netmeta/column"
	"netmeta/flow"
	"netmeta/source"
)

// FuzzDifferential decodes a template and a set of data twice: as we do, and
// record by record with goflow2 taking the message apart and slowRecord making
// rows of the values. The rows must be the same. Where goflow2 2.2.6 differs:
//
//   - A value whose length leads out of the set: goflow2 gives what is left of it,
//     we refuse the record (RFC 7011 §7: the length is that of the element).
//   - A set that ends within the length of a variable-length value: goflow2 refuses
//     the set with all its records, we give those that are whole.
//   - The count of v9 is for goflow2 the number of sets. RFC 3954 §5.1 says records;
//     here it is large enough for both.
//   - Up to three zero octets behind the last record are padding to us; goflow2
//     reads records out of them if some are so short. Here none are.
func FuzzDifferential(f *testing.F) {
	pool := slowElements()
	f.Add(true, []byte{0, 4, 1, 4, 2, 4, 3, 16, 4, 2}, bytes.Repeat([]byte{1, 2, 3, 4, 5}, 30))
	f.Add(false, []byte{10, 240, 11, 241, 30, 8, 40, 205}, bytes.Repeat([]byte{0, 3, 9, 0}, 40))
	f.Add(false, []byte{5, 250, 60, 1}, append([]byte{255, 0, 5, 1, 2, 3, 4, 5}, make([]byte, 40)...))
	f.Fuzz(func(t *testing.T, v9 bool, spec, body []byte) {
		version := uint16(10)
		if v9 {
			version = 9
		}
		var list []element
		protocols := 0
		for i := 0; i+1 < len(spec) && len(list) < 40; i += 2 {
			id, how := pool[int(spec[i])%len(pool)], spec[i+1]
			if id == 4 {
				if protocols++; protocols > 1 {
					continue // two headers: TestTwoHeaders
				}
			}
			e := iana(id, uint16(how%9))
			switch {
			case slices.Contains(addressElements, id):
				e.length = []uint16{4, 16, 5}[how%3]
			case id >= 154 && id <= 157:
				e.length = 8
			case id == 21 || id == 22:
				e.length = 4
			case how >= 240 && !v9:
				e.length = variable
			case how >= 200 && how < 216 && !v9:
				e.PEN = 9999
			}
			list = append(list, e)
		}
		if slices.ContainsFunc(list, func(e element) bool { return e.PEN == 0 && slices.Contains(startElements, e.ID) }) {
			// Totals become differences then, which the slow version does not know: totals_test.go.
			list = slices.DeleteFunc(list, func(e element) bool { return slices.Contains(sinceBegin, e.IE) })
		}
		list = append(list, iana(9999, 4)) // so that no record is shorter than padding
		body = body[:min(len(body), 1200)]
		m := datagram{version: version, body: slices.Concat(templateOf(version, 300, list...), set16(300, body...))}.bytes()
		if v9 {
			binary.BigEndian.PutUint16(m[2:], 1000)
		}

		state := New(Options{})
		d := state.Decoder()
		got := flow.Table.NewBatch(1024)
		d.Decode(&source.Datagram{Payload: m, Exporter: router, Received: arrival}, into(got, func() { t.Fatal("full") }))

		sets, err := takeApart(version, m)
		if err != nil {
			if refused(state, source.BadLength) == 0 && version == 9 {
				t.Fatal("goflow2: ", err)
			}
			return
		}
		want := flow.Table.NewBatch(1024)
		for _, set := range sets {
			data, ok := set.(goflow2.DataFlowSet)
			if !ok {
				continue
			}
			for _, record := range data.Records {
				values := make([][]byte, len(list))
				for i, v := range record.Values {
					values[i] = v.Value.([]byte)
				}
				if cut(list, values) {
					break
				}
				slowRecord(want, list, values, arrival.Unix()*1000, 1_000_000, v9)
			}
		}
		if want.Len() != got.Len() && !(want.Len() == got.Len()+1 && refused(state, source.BadLength) == 1) {
			t.Fatalf("%d rows, want %d, of %v", got.Len(), want.Len(), list)
		}
		slowFinish(d, want, got, version, list)
		for row := range got.Len() {
			g, w := column.AppendJSON(nil, got, row), column.AppendJSON(nil, want, row)
			if !bytes.Equal(g, w) {
				t.Fatalf("version %d, elements %v, row %d:\n got %s\nwant %s", version, list, row, g, w)
			}
		}
	})
}

func takeApart(version uint16, m []byte) ([]any, error) {
	templates := goflow2.CreateTemplateSystem()
	if version == 9 {
		var p goflow2.NFv9Packet
		err := goflow2.DecodeMessageVersion(bytes.NewBuffer(m), templates, &p, nil)
		return p.FlowSets, err
	}
	var p goflow2.IPFIXPacket
	err := goflow2.DecodeMessageVersion(bytes.NewBuffer(m), templates, nil, &p)
	return p.FlowSets, err
}

// cut reports that values end before their elements do.
func cut(list []element, values [][]byte) bool {
	for i, e := range list {
		if e.length != variable && len(values[i]) < int(e.length) {
			return true
		}
	}
	return false
}
