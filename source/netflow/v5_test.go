package netflow

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"netmeta/flow"
	"netmeta/source"
)

// The count of a header and the length of the datagram say how many records there are.
// Where they differ what fits is decoded and the rest is counted, unless neither can be
// right.
func TestCountOfV5(t *testing.T) {
	for _, c := range []struct {
		said, records, octets int // as the header says, and as there are, with some more octets
		want                  int
		reason                source.Reason // unless 0, which is another
	}{
		{30, 30, 0, 30, 0},
		{1, 1, 0, 1, 0},
		{0, 0, 0, 0, 0},
		{5, 5, 3, 5, 0}, // padding
		{5, 5, 4, 5, source.BadCount},
		{5, 5, 40, 5, source.BadCount},
		{5, 9, 0, 5, source.BadCount},
		{0, 9, 0, 0, source.BadCount},
		{30, 28, 0, 28, source.BadCount}, // cut
		{30, 28, 36, 28, source.BadCount},
		{40, 40, 0, 40, 0}, // against the format, but they agree
		{41, 40, 0, 0, source.BadCount},
		{55582, 30, 0, 30, source.BadCount}, // the length is right
		{55582, 30, 4, 0, source.BadCount},
		{55582, 31, 0, 0, source.BadCount},
		{0xffff, 1364, 11, 0, source.BadCount},
	} {
		p, n := benchmark5()
		record := p[len(p)-record5:]
		for ; n < c.records; n++ {
			p = append(p, record...)
		}
		p = append(p[:header5+c.records*record5], make([]byte, c.octets)...)
		binary.BigEndian.PutUint16(p[2:], uint16(c.said))
		state := New(Options{})
		b := flow.Table.NewBatch(100)
		state.Decoder().Decode(&source.Datagram{Payload: p, Exporter: router, Received: arrival}, into(b, func() { t.Fatal("full") }))
		if b.Len() != c.want || (refused(state, c.reason) == 1) != (c.reason != 0) {
			t.Errorf("count %d, %d records and %d octets: %d rows, refused %d", c.said, c.records, c.octets, b.Len(), refused(state, c.reason))
		}
	}
}

// Garbage that begins like v5 is not traffic, and makes neither loss nor restarts.
func TestGarbageLikeV5(t *testing.T) {
	random := rand.NewChaCha8([32]byte{5})
	garbage := func(length int, head ...byte) []byte {
		p := make([]byte, length)
		random.Read(p)
		copy(p, head)
		return p
	}
	state := New(Options{})
	d := state.Decoder()
	b := flow.Table.NewBatch(8192)
	decode := func(p []byte) {
		d.Decode(&source.Datagram{Payload: p, Exporter: router, Received: arrival}, into(b, b.Reset))
	}
	const each = 2000
	for range each {
		decode(garbage(1404, 0, 5, 0, 30))
		decode(garbage(header5+30*record5, 0, 5, 0, 30)) // the length is right
		decode(garbage(65_507, 0, 5, 0xff, 0xff))
		decode(garbage(1404, 0, 5))
		decode(garbage(header5+5*record5, 0, 5, 0, 5))
	}
	c := state.Counters()
	// Of five random records a half may look like records by chance.
	if got := c.Flows.Load(); got > 5*each/100 {
		t.Errorf("%d flows of %d datagrams of garbage", got, 5*each)
	}
	if lost, restarts := c.Lost.Load(), c.Restarts.Load(); lost+restarts > 0 {
		t.Errorf("%d lost, %d restarts", lost, restarts)
	}
	if n := refused(state, Implausible) + refused(state, source.BadCount); n < 5*each*99/100 {
		t.Errorf("%d datagrams refused of %d", n, 5*each)
	}
	// One odd record does not make the others garbage; a time that is none does.
	p, n := benchmark5()
	p[header5+44] = 99
	before := c.Flows.Load()
	decode(p)
	if got := c.Flows.Load() - before; got != uint64(n) {
		t.Errorf("%d flows, want %d", got, n)
	}
	binary.BigEndian.PutUint32(p[12:], 1_000_000_000)
	decode(p)
	if got := c.Flows.Load() - before; got != uint64(n) {
		t.Errorf("%d flows after a datagram of the nanosecond 1,000,000,000, want %d", got, n)
	}
}
