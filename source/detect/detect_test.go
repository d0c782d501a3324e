package detect

import (
	"testing"
	"time"

	"netmeta/column"
	"netmeta/flow"
	"netmeta/simulate"
	"netmeta/source"
	"netmeta/source/netflow"
	"netmeta/source/sflow"
)

func newDecoder() (*Decoder, *source.Counters) {
	refused := &source.Counters{}
	return &Decoder{Refused: refused, NetFlow: netflow.New(netflow.Config{}).Decoder(), SFlow: sflow.New(sflow.Config{}).Decoder()}, refused
}

// Datagrams of all protocols may come mixed to one port.
func TestMixed(t *testing.T) {
	d, refused := newDecoder()
	var streams [][][]byte
	const each = 200
	for _, p := range simulate.Protocols {
		payloads, _ := simulate.Capture(p, each, 1)
		streams = append(streams, payloads)
	}
	types := map[uint8]int{}
	b := flow.Table.NewBatch(64)
	flush := func() {
		for row := range b.Len() {
			types[flow.FlowType.At(b, row)]++
		}
		b.Reset()
	}
	for left := true; left; {
		left = false
		for i, s := range streams {
			if len(s) == 0 {
				continue
			}
			left = true
			d.Decode(&source.Datagram{Payload: s[0], Received: time.Unix(1767290400, 0)}, b, flush)
			streams[i] = s[1:]
		}
	}
	flush()
	for _, typ := range []uint8{flow.TypeNetFlow5, flow.TypeNetFlow9, flow.TypeIPFIX, flow.TypeSFlow} {
		if types[typ] != each {
			t.Errorf("%d flows of type %s, sent %d", types[typ], flow.FlowType.Field.Enum[typ], each)
		}
	}
	if n := refused.Datagrams.Load(); n != 0 {
		t.Errorf("%d datagrams refused", n)
	}
}

func TestUnknown(t *testing.T) {
	f := func(payload string, want source.Reason) {
		t.Helper()
		d, refused := newDecoder()
		d.Decode(&source.Datagram{Payload: []byte(payload)}, flow.Table.NewBatch(1), func() {})
		for r, n := range refused.Refused() {
			if (r == want) != (n == 1) {
				t.Errorf("%q: %q counted %d times", payload, r, n)
			}
		}
	}
	f("", source.ShortDatagram)
	f("\x00", source.ShortDatagram)
	f("GET / HTTP/1.1", source.UnknownVersion)
	f("\x00\x00\x00\x04....", source.UnknownVersion)
	f("\x00\x07\x00\x01....", source.UnknownVersion)
}

func FuzzDecode(f *testing.F) {
	for _, p := range simulate.Protocols {
		payloads, _ := simulate.Capture(p, 30, 1)
		for _, payload := range payloads {
			f.Add(payload)
		}
	}
	d, _ := newDecoder()
	b := flow.Table.NewBatch(16)
	f.Fuzz(func(t *testing.T, payload []byte) {
		d.Decode(&source.Datagram{Payload: payload, Received: time.Unix(1767290400, 0)}, b, b.Reset)
		for row := range b.Len() {
			column.AppendJSON(nil, b, row)
		}
		b.Reset()
	})
}
