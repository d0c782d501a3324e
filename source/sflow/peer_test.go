package sflow

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/netsampler/goflow2/v2/decoders/sflow"

	"netmeta/column"
	"netmeta/counter"
	"netmeta/flow"
	"netmeta/simulate"
	"netmeta/source"
)

// peerRows decodes with goflow2, an implementation that is not ours. It knows
// fewer records and gives up a datagram at the first mistake; ok is false then.
func peerRows(payload []byte) (rows, counters []map[string]any, ok bool) {
	if !comparable(payload) {
		return nil, nil, false
	}
	var p sflow.Packet
	if err := sflow.DecodeMessageVersion(bytes.NewBuffer(bytes.Clone(payload)), &p); err != nil || int(p.SamplesCount) != len(p.Samples) {
		return nil, nil, false
	}
	for _, s := range p.Samples {
		row := map[string]any{"SequenceNum": p.SequenceNumber, "ObservationDomain": p.SubAgentId}
		var in, out port
		var rate uint32
		var records []sflow.FlowRecord
		switch s := s.(type) {
		case sflow.FlowSample:
			rate, records = s.SamplingRate, s.Records
			in, out = port{s.Input >> 30, s.Input << 2 >> 2}, port{s.Output >> 30, s.Output << 2 >> 2}
		case sflow.ExpandedFlowSample:
			rate, records = s.SamplingRate, s.Records
			in, out = port{s.InputIfFormat, s.InputIfValue}, port{s.OutputIfFormat, s.OutputIfValue}
		case sflow.CounterSample:
			counters = append(counters, peerCounters(s)...)
			continue
		case nil: // a sample that is cut
			return nil, nil, false
		default:
			continue
		}
		row["SamplingRate"] = max(1, rate)
		row["InIf"], row["OutIf"] = in.index(), out.index()
		for _, r := range records {
			switch r := r.Data.(type) {
			case sflow.SampledHeader:
				row["Bytes"] = r.FrameLength
			case sflow.ExtendedSwitch:
				if isVLAN(r.SrcVlan) {
					row["SrcVlan"] = r.SrcVlan
				}
				if isVLAN(r.DstVlan) {
					row["DstVlan"] = r.DstVlan
				}
			case sflow.ExtendedRouter:
				row["NextHop"] = peerAddr(r.NextHop)
				if r.SrcMaskLen <= 128 && r.DstMaskLen <= 128 {
					row["SrcMask"], row["DstMask"] = r.SrcMaskLen, r.DstMaskLen
				}
			case sflow.ExtendedGateway:
				row["BGPNextHop"], row["SrcAS"] = peerAddr(r.NextHop), r.SrcAS
				if r.ASDestinations <= 1 { // it reads the first segment only, and takes the next for communities
					row["DstASPath"], row["DstCommunities"] = r.ASPath, r.Communities
				}
			}
		}
		rows = append(rows, row)
	}
	return rows, counters, true
}

// peerCounters is a counter sample as our rows: one, and one for each queue. goflow2
// decodes records of interfaces and Ethernet alone.
func peerCounters(s sflow.CounterSample) (rows []map[string]any) {
	if s.Header.SourceIdType > uint32(counter.ClassLogical) {
		return nil
	}
	var row map[string]any
	put := func(name string, v uint64, unknown uint64) {
		if v != 0 && v < unknown {
			row[name] = v
		}
	}
	add := func() map[string]any {
		rows = append(rows, map[string]any{"IfIndex": s.Header.SourceIdValue, "SequenceNum": s.Header.SampleSequenceNumber})
		return rows[len(rows)-1]
	}
	for _, r := range s.Records {
		if l, ok := layouts[r.Header.DataFormat]; !ok {
			continue
		} else if l.has == counter.HasQueue {
			add()
			continue
		}
		if row == nil {
			row = add()
		}
		const m32, m64 = math.MaxUint32, math.MaxUint64
		switch r := r.Data.(type) {
		case sflow.IfCounters:
			put("IfType", uint64(r.IfType), m32)
			put("IfSpeed", r.IfSpeed, m64)
			put("PromiscuousMode", uint64(r.IfPromiscuousMode), 3)
			put("InOctets", r.IfInOctets, m64)
			put("OutOctets", r.IfOutOctets, m64)
			for name, v := range map[string]uint32{
				"InUcastPkts": r.IfInUcastPkts, "InMulticastPkts": r.IfInMulticastPkts, "InBroadcastPkts": r.IfInBroadcastPkts,
				"InDiscards": r.IfInDiscards, "InErrors": r.IfInErrors, "InUnknownProtos": r.IfInUnknownProtos,
				"OutUcastPkts": r.IfOutUcastPkts, "OutMulticastPkts": r.IfOutMulticastPkts, "OutBroadcastPkts": r.IfOutBroadcastPkts,
				"OutDiscards": r.IfOutDiscards, "OutErrors": r.IfOutErrors,
			} {
				put(name, uint64(v), m32)
			}
		case sflow.EthernetCounters:
			for name, v := range map[string]uint32{
				"AlignmentErrors": r.Dot3StatsAlignmentErrors, "FCSErrors": r.Dot3StatsFCSErrors, "SingleCollisionFrames": r.Dot3StatsSingleCollisionFrames,
				"MultipleCollisionFrames": r.Dot3StatsMultipleCollisionFrames, "SQETestErrors": r.Dot3StatsSQETestErrors,
				"DeferredTransmissions": r.Dot3StatsDeferredTransmissions, "LateCollisions": r.Dot3StatsLateCollisions,
				"ExcessiveCollisions": r.Dot3StatsExcessiveCollisions, "InternalMacTransmitErrors": r.Dot3StatsInternalMacTransmitErrors,
				"CarrierSenseErrors": r.Dot3StatsCarrierSenseErrors, "FrameTooLongs": r.Dot3StatsFrameTooLongs,
				"InternalMacReceiveErrors": r.Dot3StatsInternalMacReceiveErrors, "SymbolErrors": r.Dot3StatsSymbolErrors,
			} {
				put(name, uint64(v), m32)
			}
		}
	}
	return rows
}

// comparable is false for datagrams that goflow2 reads in another way: it takes no
// padding into account where a length is no multiple of four (RFC 4506, section
// 4.10), makes room for as many records as an expanded flow sample says it has before
// it looks, and leaves out a record whose end is missing, of which we read what is there.
// Behind the last sample it reads nothing; we take what is there for a part of a sample
// whose length is too small.
func comparable(payload []byte) bool {
	_, b, _ := address(payload[4:])
	if len(b) < 16 {
		return false
	}
	samples := be32(b[12:])
	for b = b[16:]; len(b) >= 8; samples-- {
		if samples == 0 {
			return false
		}
		format, length := be32(b), int(be32(b[4:]))
		sample := b[8:min(len(b), 8+length)]
		b = b[8+len(sample):]
		size := 32
		switch format {
		case expandedFlowSample:
			size = 44
		case counterSample:
			size = 12
		case expandedCountersSample:
			size = 16
		}
		if length%4 != 0 || len(sample) < size || be32(sample[size-4:]) > 1000 {
			return false
		}
		for r := sample[size:]; len(r) >= 8; r = r[min(len(r), 8+int(be32(r[4:]))):] {
			n := int(be32(r[4:]))
			if n%4 != 0 || n > len(r)-8 {
				return false
			}
		}
	}
	return true
}

func peerAddr(b []byte) netip.Addr {
	a, _ := netip.AddrFromSlice(b)
	return a.Unmap()
}

// comparePeer reports whether goflow2 decodes a datagram, and compares ours with it
// then.
func comparePeer(t *testing.T, payload []byte) bool {
	t.Helper()
	flows, counters, ok := peerRows(payload)
	if !ok {
		return false
	}
	compare := func(got, want []map[string]any) {
		t.Helper()
		if len(got) != len(want) {
			t.Fatalf("%d rows, want %d\n%x", len(got), len(want), payload)
		}
		for i := range want {
			for name, v := range want[i] {
				text := fmt.Sprint(v)
				if got[i][name] == nil && (text == "0" || text == "[]" || text == "0.0.0.0" || text == "::") {
					continue
				}
				if fmt.Sprint(got[i][name]) != text {
					t.Fatalf("row %d: %s = %v, want %v\n%v\n%x", i, name, got[i][name], v, got[i], payload)
				}
			}
		}
	}
	compare(decodePayload(t, New(Options{}), payload), flows)
	compare(decodeCounters(t, New(Options{}), func(decode func(*source.Datagram)) {
		decode(&source.Datagram{Payload: payload, Exporter: sender, Received: arrival})
	}), counters)
	return true
}

// TestPeer decodes simulated and captured datagrams, whole and with bytes changed at
// random, and compares with goflow2 wherever that decodes them at all.
func TestPeer(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	payloads, _ := simulate.Capture(simulate.SFlow, 1000, 7)
	eachDatagram(t, "testdata/ovs.pcap", func(d *source.Datagram) {
		for range 10 {
			payloads = append(payloads, bytes.Clone(d.Payload))
		}
	})
	decoded := 0
	for _, whole := range payloads {
		for changes := range 12 {
			payload := bytes.Clone(whole)
			for range changes {
				payload[4*random.IntN(len(payload)/4)+random.IntN(4)] = byte(random.Uint32())
			}
			if comparePeer(t, payload) {
				decoded++
			}
		}
	}
	if decoded < len(payloads) {
		t.Errorf("goflow2 decoded only %d", decoded)
	}
	t.Logf("%d datagrams", decoded)
}

// FuzzDifferential compares with goflow2, and looks for panics besides.
func FuzzDifferential(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, payload []byte) {
		if len(payload) >= 4 {
			comparePeer(t, payload)
		}
	})
}

// seed adds datagrams of every kind.
func seed(f *testing.F) {
	for _, name := range []string{"pmsflow", "ovs", "ovs-vxlan"} {
		eachDatagram(f, "testdata/"+name+".pcap", func(d *source.Datagram) { f.Add(bytes.Clone(d.Payload)) })
	}
	payloads, _ := simulate.Capture(simulate.SFlow, 100, 3)
	for _, p := range payloads {
		f.Add(p)
	}
	for _, records := range []string{
		block(f, extendedGateway, "1 0xc0000203 64496 64500 64501 2 2 2 64497 64498 1 1 64499 2 1 2 100"),
		block(f, extendedMPLS, "1 0xc0000202 2 0x0012c0ff 0x000101ff 0"),
		block(f, extendedVLANTunnel, "2 0x88a800c8 0x81000064"),
		block(f, sampledIPv4, "1500 6 0xc000020a 0xc6336414 443 50000 24 184") + block(f, sampledEthernet, "64 0x020000000002 0x020000000001 34525"),
		block(f, tunnelIPv6Ingress, "1568 17 0x20010db8000000000000000000000001 0x20010db8000000000000000000000002 49152 4789 0 0") + block(f, tunnelVNIEgress, "5000"),
		block(f, extendedNAT, "1 0xcb007101 1 0xcb007102") + block(f, extendedNATPort, "1024 80"),
	} {
		f.Add(words(f, head+"1"+block(f, 3, ports2+"2 "+records)))
	}
	f.Add(words(f, head+"2"+block(f, 2, "9 3 2"+block(f, 2, "1 2 3 4 5 6 7 8 9 10 11 12 13")+block(f, 1005, "4 0x65746830"))+block(f, 5, "1 0 2 0 0 0 257 0")))
	f.Add(words(f, head+"1"+block(f, 4, "9 2 1 2"+block(f, 1003, "1 256 1024 1 2 3 4 5 6 7 8 9 10")+block(f, 2000, "4 0x7765623a 0x00112233445566778899aabbccddeeff 3 2 3 0x362e31"))))
}

// FuzzDecode looks for panics and for rows that do not add up.
func FuzzDecode(f *testing.F) {
	seed(f)
	b := flow.Table.NewBatch(4)
	f.Fuzz(func(t *testing.T, payload []byte) {
		state := New(Options{})
		rows := 0
		b.Reset()
		exact := bytes.Clone(payload)
		d := state.Decoder()
		counters := counter.Table.NewBatch(2)
		out := source.NewOut(source.SinkFunc(func(full *column.Batch) {
			if full == b {
				rows += b.Len()
			}
		}), b, counters)
		d.Decode(&source.Datagram{Payload: exact[:len(exact):len(exact)], Exporter: sender, Received: arrival}, out)
		for row := range b.Len() {
			if flow.SamplingRate.At(b, row) == 0 || flow.Packets.At(b, row) != 1 || flow.TimeReceived.At(b, row) == 0 {
				t.Errorf("row %d is not complete", row)
			}
		}
		if err := out.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := state.Counters().Flows.Load(); n != uint64(rows) {
			t.Errorf("%d flows counted, %d rows", n, rows)
		}
		if !bytes.Equal(exact, payload) {
			t.Error("the payload has changed")
		}
		// A sample takes at least 40 bytes of the datagram, so rows are bounded.
		if rows > len(payload)/40 {
			t.Errorf("%d rows from %d bytes", rows, len(payload))
		}
	})
}
