package sflow

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"runtime"
	"strconv"
	"testing"

	"netmeta/column"
	"netmeta/counter"
	"netmeta/flow"
	"netmeta/simulate"
	"netmeta/source"
)

// TestHostileFlood decodes malformed, truncated and random datagrams from forged
// agents, and a good agent among them. Memory stays bounded, every refusal is
// counted, and the good agent loses nothing. NETMETA_HOSTILE says how many; a million
// take a few seconds.
func TestHostileFlood(t *testing.T) {
	total := 50_000
	if n, err := strconv.Atoi(os.Getenv("NETMETA_HOSTILE")); err == nil {
		total = n
	}
	random := rand.New(rand.NewPCG(3, 4))
	whole, _ := simulate.Capture(simulate.SFlow, 500, 11)
	eachDatagram(t, "testdata/ovs.pcap", func(d *source.Datagram) { whole = append(whole, bytes.Clone(d.Payload)) })

	exporters := new(source.Exporters)
	state := New(Options{Exporters: exporters})
	d, flows, counters := state.Decoder(), flow.Table.NewBatch(1024), counter.Table.NewBatch(64)
	rows := 0
	out := source.NewOut(source.SinkFunc(func(b *column.Batch) {
		if b == flows {
			rows += b.Len()
		}
	}), flows, counters)
	dg := &source.Datagram{Received: arrival}
	decode := func(from netip.AddrPort, payload []byte) {
		dg.Exporter, dg.Payload = from, payload[:len(payload):len(payload)]
		d.Decode(dg, out)
	}
	refusals := func() (n uint64) {
		for _, c := range state.Counters().Refused() {
			n += c
		}
		return n
	}

	good := words(t, head+"1"+block(t, 1, ports+"0"))
	goodSent := uint64(0)
	sendGood := func() {
		goodSent++
		binary.BigEndian.PutUint32(good[16:], uint32(goodSent))
		decode(sender, good)
	}
	sendGood()

	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for n := range total {
		var p []byte
		switch kind := random.IntN(5); kind {
		case 0: // random, but for the version
			p = make([]byte, random.IntN(300))
			for i := range p {
				p[i] = byte(random.Uint32())
			}
			if len(p) >= 8 {
				copy(p, []byte{0, 0, 0, 5, 0, 0, 0, byte(random.IntN(4))})
			}
		case 1: // random words, most of them small, as formats, lengths and counts are
			p = words(t, head+"9")
			for range random.IntN(80) {
				p = binary.BigEndian.AppendUint32(p, random.Uint32()>>random.IntN(32))
			}
		case 2: // cut
			p = bytes.Clone(whole[random.IntN(len(whole))])
			p = p[:random.IntN(len(p))]
		default: // with words changed
			p = bytes.Clone(whole[random.IntN(len(whole))])
			for range 1 + random.IntN(8) {
				binary.BigEndian.PutUint32(p[4*random.IntN(len(p)/4):], random.Uint32()>>random.IntN(32))
			}
		}
		if len(p) >= 16 && p[7] == 1 { // a forged agent and sub-agent
			binary.BigEndian.PutUint32(p[8:], random.Uint32())
			binary.BigEndian.PutUint32(p[12:], random.Uint32N(4))
		}
		c := state.Counters()
		refused, done := refusals(), c.Flows.Load()+c.CounterSamples.Load()+c.DiscardedSamples.Load()
		decode(netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)}), 6343), p)
		if refusals() == refused && c.Flows.Load()+c.CounterSamples.Load()+c.DiscardedSamples.Load() == done {
			// Nothing came of it, and nothing was said: it must have said that it is empty.
			_, rest, ok := address(p[4:])
			if !ok || be32(rest[12:]) != 0 {
				t.Fatalf("datagram %d was neither decoded nor refused: %x", n, p)
			}
		}
		if n%50 == 0 {
			sendGood()
		}
	}
	state.Settle()
	if err := out.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)

	if n := state.Counters().Flows.Load(); n != uint64(rows) || n < goodSent {
		t.Errorf("%d flows counted, %d rows", n, rows)
	}
	if x, known := exporters.Of(netip.MustParseAddr("192.0.2.1"), flow.TypeSFlow); !known || x.Flows.Load() < goodSent || x.Lost.Load() != 0 || state.agents[agentKey{sender.Addr(), agentOf(good), 7}].entry != x {
		t.Errorf("the good agent: known %v, %d flows of %d", known, x.Flows.Load(), goodSent)
	}
	if m, ok := state.agents[agentKey{sender.Addr(), agentOf(good), 7}].sequence.Mark(); !ok || m.Seq != uint32(goodSent) || m.Gap != 0 {
		t.Errorf("the good agent is at %d with a gap of %d, sent %d", m.Seq, m.Gap, goodSent)
	}
	if len(state.agents) > maxAgents || len(exporters.List()) > source.MaxExporters || state.samplers.Load() > maxSamplers {
		t.Errorf("%d agents, %d exporters, %d samplers are kept", len(state.agents), len(exporters.List()), state.samplers.Load())
	}
	grown := int64(after.HeapAlloc) - int64(before.HeapAlloc)
	if grown > 64<<20 {
		t.Errorf("memory has grown by %d MiB", grown>>20)
	}
	t.Logf("%d datagrams, %d rows, %d agents, %d samplers; refused %s; heap grown by %d KiB", total, rows, len(state.agents), state.samplers.Load(), refused(state), grown>>10)
}

// TestManySources: an agent cannot fill memory with data sources, nor take the room of
// others; its flows still count.
func TestManySources(t *testing.T) {
	state := New(Options{})
	d, b := state.Decoder(), flow.Table.NewBatch(1)
	payload := words(t, head+"1"+block(t, 3, ports2+"0"))
	const perAgent = maxAgentSamplers + 100
	agents := maxSamplers/maxAgentSamplers + 1
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for n := range agents {
		for i := range perAgent {
			binary.BigEndian.PutUint32(payload[8:], uint32(n)) // agent
			binary.BigEndian.PutUint32(payload[28+8+8:], uint32(i))
			d.Decode(&source.Datagram{Payload: payload, Exporter: sender, Received: arrival}, into(b, b.Reset))
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if n := state.Counters().Flows.Load(); n != uint64(agents*perAgent) {
		t.Errorf("%d flows, want %d", n, agents*perAgent)
	}
	if got, want := refused(state), fmt.Sprint(agents*perAgent-maxSamplers, " too many samplers"); got != want || state.samplers.Load() != maxSamplers {
		t.Errorf("refused %s, want %s; %d samplers", got, want, state.samplers.Load())
	}
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 32<<20 {
		t.Errorf("memory has grown by %d MiB", grown>>20)
	} else {
		t.Logf("%d samplers take %d KiB", state.samplers.Load(), grown>>10)
	}
	runtime.KeepAlive(state)
}

// agentOf is the agent address of a datagram.
func agentOf(p []byte) (a [16]byte) {
	x, _, _ := address(p[4:])
	return x
}
