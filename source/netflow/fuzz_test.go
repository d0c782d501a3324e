package netflow

import (
	"bytes"
	"encoding/binary"
	"path/filepath"
	"testing"

	"netmeta/flow"
	"netmeta/source"
)

// FuzzDecode decodes a few datagrams of one exporter: each is two bytes of length
// and then so many bytes. Whatever they are, nothing panics, rows and accounts
// agree, and what waits is counted in the end.
func FuzzDecode(f *testing.F) {
	pack := func(list ...[]byte) (p []byte) {
		for _, dg := range list {
			p = append(binary.BigEndian.AppendUint16(p, uint16(len(dg))), dg...)
		}
		return p
	}
	files, _ := filepath.Glob("testdata/*.pcap")
	for _, file := range files {
		var seed []byte
		for _, dg := range readCapture(f, file) {
			if seed = append(seed, pack(dg.Payload)...); len(seed) > 4000 {
				break
			}
		}
		f.Add(seed)
	}
	for _, version := range []uint16{9, 10} {
		t, p, _ := benchmarkDatagram(version)
		f.Add(pack(t, p))
		f.Add(pack(p, t))
	}
	extra, err := Elements([]string{"octetDeltaCount", "sourceIPv4Address", "interfaceName", "flowStartMilliseconds", "flowEndMicroseconds",
		"basicList", "samplingProbability", "sourceMacAddress", "paddingOctets", "9:1", "reverse/packetDeltaCount"})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		state := New(Options{ExporterTemplates: 20, Templates: 30, WaitBytes: 4096, NameBytes: 2000, Extra: extra})
		d := state.Decoder()
		b := flow.Table.NewBatch(64)
		rows := uint64(0)
		flush := func() { rows += uint64(b.Len()); b.Reset() }
		for len(p) >= 2 {
			n := min(int(binary.BigEndian.Uint16(p)), len(p)-2)
			dg := source.Datagram{Payload: p[2 : 2+n], Exporter: router, Received: arrival}
			d.Decode(&dg, into(b, flush))
			p = p[2+n:]
			for row := range b.Len() {
				if flow.SamplingRate.At(b, row) == 0 || flow.FlowStart.At(b, row) < year2000 || flow.FlowEnd.At(b, row) < year2000 {
					t.Fatal("row without sampling rate or time")
				}
			}
		}
		flush()
		state.Settle()
		if rows != state.Counters().Flows.Load() {
			t.Fatal(rows, " rows, ", state.Counters().Flows.Load(), " counted")
		}
		if state.waiting != 0 {
			t.Fatal(state.waiting, " bytes still wait")
		}
		// What is kept over a restart is what was known.
		again := New(Options{NameBytes: 2000})
		if err := again.Load(bytes.NewReader(saved(t, state))); err != nil {
			t.Fatal(err)
		}
		if len(saved(t, again)) != len(saved(t, state)) || state.names > 2000 {
			t.Fatalf("kept\n%s\nof\n%s", saved(t, again), saved(t, state))
		}
	})
}
