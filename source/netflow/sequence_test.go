package netflow

import (
	"encoding/json"
	"net/netip"
	"slices"
	"testing"
	"time"

	"netmeta/flow"
	"netmeta/source"
)

// Another process goes on with the sequences up to which everything was safe, and with no
// others: not with those of which rows were in memory, of senders that were refused for a
// while, or of places a day old.
func TestFollow(t *testing.T) {
	b := flow.Table.NewBatch(100)
	now := time.Now()
	send := func(d *Decoder, version uint16, port uint16, sequence uint32) {
		p := datagram{version: version, sequence: sequence, body: append(templateOf(version, 300, bytesOnly...), set16(300, 0, 0, 0, 1)...)}.bytes()
		d.Decode(&source.Datagram{Payload: p, Exporter: netip.AddrPortFrom(router.Addr(), port), Received: now}, into(b, b.Reset))
	}
	first := New(Options{})
	d := first.Decoder()
	if d.Mark() != nil {
		t.Error("a mark, though nothing was heard")
	}
	for sequence := range uint32(10) {
		send(d, 9, 1, sequence)
		send(d, 10, 2, sequence)
	}
	safe := d.Mark()
	if len(first.Sequences()) != 0 {
		t.Error("sequences are kept before their rows are safe")
	}
	for sequence := range uint32(5) {
		send(d, 9, 1, 10+sequence) // are in memory when it is killed
		send(d, 10, 3, sequence)
	}
	safe()
	kept := first.Sequences()
	if len(kept) != 2 {
		t.Fatalf("kept: %+v", kept)
	}
	text, err := json.Marshal(kept)
	if err != nil {
		t.Fatal(err)
	}
	again := func() (list []KeptSequence) {
		if err := json.Unmarshal(text, &list); err != nil {
			t.Fatal(err)
		}
		return list
	}
	if !slices.Equal(again(), kept) {
		t.Errorf("%+v, was %+v", again(), kept)
	}

	// doubts are what a new process misses when the senders go on at 20.
	doubts := func(s *State) map[uint8]uint32 {
		d := s.Decoder()
		for sequence := uint32(20); sequence < 60; sequence++ {
			send(d, 9, 1, sequence)
			send(d, 10, 2, sequence)
		}
		units := map[uint8]uint32{}
		for _, x := range s.Missed() {
			units[x.Type] += x.Units
			x.Count(uint64(x.Units))
		}
		if lost := s.Counters().Lost.Load(); lost != uint64(units[flow.TypeNetFlow9]+units[flow.TypeIPFIX]) {
			t.Errorf("%d counted as lost of %v", lost, units)
		}
		return units
	}
	s := New(Options{})
	s.Follow(again())
	if len(s.Sequences()) != 2 {
		t.Error("what is not heard again yet is not kept")
	}
	if got := doubts(s); got[flow.TypeNetFlow9] != 10 || got[flow.TypeIPFIX] != 10 {
		t.Errorf("missed %v, want 10 of each", got)
	}
	if len(s.Sequences()) != 2 {
		t.Errorf("kept %+v", s.Sequences())
	}
	s = New(Options{})
	s.Follow(again())
	s.Resume(router.Addr())
	if got := doubts(s); len(got) != 0 || len(s.Sequences()) != 0 {
		t.Errorf("a sender that was refused for a while: missed %v", got)
	}
	old := again()
	for i := range old {
		old[i].At -= (25 * time.Hour).Milliseconds()
	}
	s = New(Options{})
	s.Follow(old)
	if got := doubts(s); len(got) != 0 {
		t.Errorf("a day later: missed %v", got)
	}
}

// Recording heard exporters costs nothing per datagram.
func TestMarkDoesNotAllocate(t *testing.T) {
	d := New(Options{}).Decoder()
	b := flow.Table.NewBatch(100)
	out := into(b, b.Reset)
	p, _ := benchmark5()
	dg := &source.Datagram{Payload: p, Exporter: router, Received: arrival}
	d.Decode(dg, out)
	d.Mark()
	d.Decode(dg, out)
	if n := testing.AllocsPerRun(100, func() { d.Decode(dg, out) }); n > 0 {
		t.Errorf("%v allocations for a datagram", n)
	}
}
