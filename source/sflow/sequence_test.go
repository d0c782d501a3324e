package sflow

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"netmeta/flow"
	"netmeta/source"
)

// Another process goes on with the sequence of an agent up to which everything was safe.
func TestFollow(t *testing.T) {
	b := flow.Table.NewBatch(100)
	now := time.Now()
	agent := netip.MustParseAddr("192.0.2.1")
	send := func(d *Decoder, number uint32) {
		p := words(t, "5 1 0xc0000201 7 0 1000 0")
		binary.BigEndian.PutUint32(p[16:], number)
		d.Decode(&source.Datagram{Payload: p, Exporter: sender, Received: now}, into(b, b.Reset))
	}
	first := New(Options{})
	d := first.Decoder()
	if d.Mark() != nil {
		t.Error("a mark, though nothing was heard")
	}
	for n := range uint32(10) {
		send(d, n)
	}
	safe := d.Mark()
	for n := range uint32(5) {
		send(d, 10+n) // are in memory when it is killed
	}
	if len(first.Sequences()) != 0 {
		t.Error("a sequence is kept before its rows are safe")
	}
	safe()
	kept := first.Sequences()
	if len(kept) != 1 || kept[0].Agent != agent || kept[0].SubAgent != 7 || kept[0].Seq != 9 {
		t.Fatalf("kept: %+v", kept)
	}
	for _, c := range []struct {
		what   string
		change func(*State)
		want   uint32
	}{
		{"followed", func(s *State) { s.Follow(kept) }, 10},
		{"not followed", func(s *State) {}, 0},
		{"refused for a while", func(s *State) { s.Follow(kept); s.Resume(agent) }, 0},
		{"a day later", func(s *State) {
			old := kept[0]
			old.At -= (25 * time.Hour).Milliseconds()
			s.Follow([]KeptSequence{old})
		}, 0},
	} {
		s := New(Options{})
		c.change(s)
		d := s.Decoder()
		for n := uint32(20); n < 60; n++ {
			send(d, n)
		}
		units := uint32(0)
		for _, x := range s.Missed() {
			units += x.Units
			x.Count(uint64(x.Units))
			if x.Exporter != agent || x.Type != flow.TypeSFlow || x.Domain != 7 {
				t.Errorf("%s: %+v", c.what, x)
			}
		}
		if units != c.want || s.Counters().Lost.Load() != uint64(units) {
			t.Errorf("%s: missed %d, want %d; %d counted", c.what, units, c.want, s.Counters().Lost.Load())
		}
	}
}
