package sflow

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"netmeta/column"
	"netmeta/counter"
	"netmeta/flow"
	"netmeta/internal/golden"
	"netmeta/source"
)

// decodeCounters decodes datagrams and gives the rows of the counters table.
func decodeCounters(t testing.TB, state *State, each func(func(*source.Datagram))) (rows []map[string]any) {
	t.Helper()
	d, flows, counters := state.Decoder(), flow.Table.NewBatch(3), counter.Table.NewBatch(2)
	out := source.NewOut(source.SinkFunc(func(b *column.Batch) {
		for row := range b.Len() {
			if b == counters {
				rows = append(rows, object(t, column.AppendJSON(nil, b, row)))
			}
		}
	}), flows, counters)
	each(func(dg *source.Datagram) { d.Decode(dg, out) })
	if err := out.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestCounters(t *testing.T) {
	f := func(payload, want, wantRefused string) {
		t.Helper()
		state := New(Options{})
		rows := decodeCounters(t, state, func(decode func(*source.Datagram)) {
			decode(&source.Datagram{Payload: words(t, payload), Exporter: sender, Received: arrival})
		})
		var got strings.Builder
		for _, row := range rows {
			for name, v := range map[string]string{"TimeReceived": "2026-01-01T12:00:00.000Z", "ExporterAddress": "192.0.2.1", "ObservationDomain": "7", "SequenceNum": "9", "Uptime": "1000000"} {
				if fmt.Sprint(row[name]) != v {
					t.Errorf("%s = %v, want %s", name, row[name], v)
				}
				delete(row, name)
			}
			fmt.Fprintln(&got, row)
		}
		var wanted strings.Builder
		for line := range strings.Lines(want) {
			fmt.Fprintln(&wanted, object(t, []byte(line)))
		}
		if got.String() != wanted.String() {
			t.Errorf("%s\n got %s\nwant %s", payload, &got, &wanted)
		}
		if r := refused(state); r != wantRefused {
			t.Errorf("%s\nrefused %q, want %q", payload, r, wantRefused)
		}
	}
	// A counter sample of interface 3.
	sample := func(n int, records string) string { return head + "1" + block(t, 2, fmt.Sprint("9 3 ", n, records)) }
	generic := block(t, 1, "3 6 0 1000000000 1 3 1 0 2 3 4 5 6 7 0 12 13 14 15 16 17 2")
	const genericRow = `"IfIndex":3,"IfType":6,"IfSpeed":1000000000,"IfDirection":"full-duplex","IfStatus":["admin-up","oper-up"],` +
		`"InOctets":4294967296,"InUcastPkts":2,"InMulticastPkts":3,"InBroadcastPkts":4,"InDiscards":5,"InErrors":6,"InUnknownProtos":7,` +
		`"OutOctets":12,"OutUcastPkts":13,"OutMulticastPkts":14,"OutBroadcastPkts":15,"OutDiscards":16,"OutErrors":17,"PromiscuousMode":2`
	f(sample(1, generic), `{"Records":["interface"],`+genericRow+`}`, "")
	f(head+"1"+block(t, 4, "9 0 3 1"+generic), `{"Records":["interface"],`+genericRow+`}`, "")
	f(sample(2, generic+block(t, 2, "1 2 3 4 5 6 7 8 9 10 11 12 13")),
		`{"Records":["interface","ethernet"],`+genericRow+`,"AlignmentErrors":1,"FCSErrors":2,"SingleCollisionFrames":3,"MultipleCollisionFrames":4,`+
			`"SQETestErrors":5,"DeferredTransmissions":6,"LateCollisions":7,"ExcessiveCollisions":8,"InternalMacTransmitErrors":9,`+
			`"CarrierSenseErrors":10,"FrameTooLongs":11,"InternalMacReceiveErrors":12,"SymbolErrors":13}`, "")

	// What the device does not count has all bits set.
	f(sample(1, block(t, 2, "1 4294967295 3 4 5 6 7 8 9 10 11 12 4294967295")),
		`{"Records":["ethernet"],"IfIndex":3,"AlignmentErrors":1,"SingleCollisionFrames":3,"MultipleCollisionFrames":4,`+
			`"SQETestErrors":5,"DeferredTransmissions":6,"LateCollisions":7,"ExcessiveCollisions":8,"InternalMacTransmitErrors":9,`+
			`"CarrierSenseErrors":10,"FrameTooLongs":11,"InternalMacReceiveErrors":12}`, "")

	// Ports, VLANs, aggregates.
	f(sample(2, block(t, 1004, "0x0000000a00000001 5")+block(t, 1005, "4 0x65746830")),
		`{"Records":["port"],"IfIndex":3,"OFDatapath":42949672961,"OFPort":5,"IfName":"eth0"}`, "")
	f(sample(1, block(t, 5, "100 1 0 2 3 4 5")),
		`{"Records":["vlan"],"IfIndex":3,"VLAN":100,"VlanOctets":4294967296,"VlanUcastPkts":2,"VlanMulticastPkts":3,"VlanBroadcastPkts":4,"VlanDiscards":5}`, "")
	f(sample(1, block(t, 7, "0x020000000001 0x020000000002 10 0x4d3d4d3d 1 2 3 4 5 6 7 8")),
		`{"Records":["lag"],"IfIndex":3,"LAGActorSystem":"02:00:00:00:00:01","LAGPartnerSystem":"02:00:00:00:00:02","LAGAttachedIndex":10,"LAGPortState":1295863101,`+
			`"LACPDUsRx":1,"MarkerPDUsRx":2,"MarkerResponsesRx":3,"LACPUnknownRx":4,"LACPIllegalRx":5,"LACPDUsTx":6,"MarkerPDUsTx":7,"MarkerResponsesTx":8}`, "")

	// A row for each queue.
	queue := func(index int) string { return block(t, 1003, fmt.Sprint(index, " 256 1024 1 2 3 4 5 6 7 8 9 10")) }
	const queueRow = `,"QueueSegmentSize":256,"QueueSegments":1024,"QueueLength0":1,"QueueLength1":2,"QueueLength2":3,"QueueLength4":4,"QueueLength8":5,` +
		`"QueueLength32":6,"QueueLength128":7,"QueueLength1024":8,"QueueLengthMore":9,"QueueDropped":10}`
	f(sample(2, queue(0)+queue(1)), `{"Records":["queue"],"IfIndex":3`+queueRow+"\n"+`{"Records":["queue"],"IfIndex":3,"QueueIndex":1`+queueRow, "")

	// A host.
	f(head+"1"+block(t, 4, "9 2 1 4"+block(t, 2000, "4 0x7765623a 0x00112233445566778899aabbccddeeff 3 2 3 0x362e31")+
		block(t, 2003, "1069547520 0 3212836864 1 2 3 4 5 6 7 8 9 10 11 12 13 14")+
		block(t, 2004, "1 0 0 5 0 0 0 0 0 0 0 0 0 0 1 2 3 4")+block(t, 2006, "1 0 2 3 4 0 5 6 7 8")),
		`{"SourceClass":"entity","IfIndex":1,"Records":["host","cpu","memory","network"],"HostName":"web:","HostSystem":"linux","HostRelease":"6.1",`+
			`"Load1":150,"ProcsRunning":1,"Procs":2,"CPUs":3,"CPUMHz":4,"HostUptime":5,"CPUUser":6,"CPUNice":7,"CPUSystem":8,"CPUIdle":9,"CPUWait":10,`+
			`"CPUInterrupt":11,"CPUSoft":12,"Interrupts":13,"Contexts":14,"MemoryTotal":4294967296,"MemoryFree":5,"PageIn":1,"PageOut":2,"SwapIn":3,"SwapOut":4,`+
			`"InHostOctets":4294967296,"InHostPkts":2,"InHostErrors":3,"InHostDropped":4,"OutHostOctets":5,"OutHostPkts":6,"OutHostErrors":7,"OutHostDropped":8}`, "")
	// What a host gives to its virtual machines, and one of those.
	f(head+"1"+block(t, 4, "9 2 1 1"+block(t, 2100, "2400 8 1 0 0 5 3")),
		`{"SourceClass":"entity","IfIndex":1,"Records":["virtual"],"CPUMHz":2400,"CPUs":8,"MemoryTotal":4294967296,"MemoryFree":5,"VirtualMachines":3}`, "")
	f(head+"1"+block(t, 4, "9 3 100001 4"+block(t, 2101, "1 5000 2")+block(t, 2102, "0 4096 0 8192")+block(t, 2103, "0 9 0 8 0 7 6 0 5 4 0 3 2")+block(t, 2104, "1 0 2 3 4 0 5 6 7 8")),
		`{"SourceClass":"logical-entity","IfIndex":100001,"Records":["memory","disk","network","virtual"],"VirtualState":"running","CPUVirtual":5000,"CPUs":2,`+
			`"MemoryUsed":4096,"MemoryTotal":8192,"DiskTotal":9,"DiskAllocated":8,"DiskFree":7,"DiskReads":6,"DiskReadBytes":5,"DiskWrites":4,"DiskWriteBytes":3,"DiskErrors":2,`+
			`"InHostOctets":4294967296,"InHostPkts":2,"InHostErrors":3,"InHostDropped":4,"OutHostOctets":5,"OutHostPkts":6,"OutHostErrors":7,"OutHostDropped":8}`, "")
	f(sample(1, block(t, 1001, "100 200 300 0 4096 0 1024")),
		`{"Records":["processor"],"IfIndex":3,"CPU5s":100,"CPU1m":200,"CPU5m":300,"MemoryTotal":4096,"MemoryFree":1024}`, "")

	f(sample(1, block(t, 4413<<12|2, "100 200 300 4294967295 0 0")), `{"Records":["buffers"],"IfIndex":3,"InBufferUnicast":100,"InBufferMulticast":200,"OutBufferUnicast":300}`, "")
	f(sample(1, block(t, 10, "3 2 3300 35500 2 1 6000 500 0 0 850 400 0 0 850 2 6000 501 0 0 850 401 0 0 850")),
		`{"Records":["optics"],"IfIndex":3,"OpticsMilliVolts":3300,"OpticsMilliDegrees":35500,"OpticsTxPower":[500,501],"OpticsRxPower":[400,401]}`, "")
	f(sample(1, block(t, 10, "3 2 3300 4294931796 200 1")), `{"Records":["optics"],"IfIndex":3,"OpticsMilliVolts":3300}`, "1 bad length")

	// Other records are skipped, broken ones read as far as they go.
	f(sample(3, block(t, 4300<<12|1, "1 2 3")+block(t, 2008, "1")+block(t, 1005, "1 0x61")), `{"Records":["port"],"IfIndex":3,"IfName":"a"}`, "")
	f(sample(1, block(t, 2, "1 2")), `{"Records":["ethernet"],"IfIndex":3,"AlignmentErrors":1,"FCSErrors":2}`, "1 bad length")
	f(sample(1, block(t, 1005, "400 0x61")), `{"Records":["port"],"IfIndex":3}`, "1 bad length")
	f(sample(2, block(t, 1005, "1 0x61")), `{"Records":["port"],"IfIndex":3,"IfName":"a"}`, "1 bad count")
	f(head+"1"+block(t, 2, "9"), "", "1 bad length")
	f(head+"1"+block(t, 4, "9 77 3 0"), "", "1 unknown sample")
}

func TestCountersAllocate(t *testing.T) {
	d, flows, counters := New(Options{}).Decoder(), flow.Table.NewBatch(8), counter.Table.NewBatch(8)
	out := source.NewOut(source.SinkFunc(func(*column.Batch) {}), flows, counters)
	dg := &source.Datagram{Exporter: sender, Received: arrival, Payload: words(t, head+"1"+block(t, 2, "9 3 2"+
		block(t, 1, "3 6 0 1000000000 1 3 1 0 2 3 4 5 6 7 0 12 13 14 15 16 17 2")+block(t, 2, "1 2 3 4 5 6 7 8 9 10 11 12 13")))}
	if n := testing.AllocsPerRun(1000, func() { d.Decode(dg, out) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestGoldenCounters decodes the counter samples of Open vSwitch, ports and the switch as
// a whole, and of our simulator.
func TestGoldenCounters(t *testing.T) {
	for _, name := range []string{"ovs", "ovs-vxlan", "simulated"} {
		state := New(Options{})
		var text []byte
		for _, row := range decodeCounters(t, state, func(decode func(*source.Datagram)) { eachDatagram(t, "testdata/"+name+".pcap", decode) }) {
			line, err := json.Marshal(row) // columns by name
			if err != nil {
				t.Fatal(err)
			}
			text = append(append(text, line...), '\n')
		}
		c := state.Counters()
		text = fmt.Appendf(text, "%d counter samples; refused: %s\n", c.CounterSamples.Load(), refused(state))
		golden.Equal(t, "testdata/"+name+"-counters.golden", text)
	}
}

// Names and speeds of interfaces are reported, those of other data sources are not.
func TestNames(t *testing.T) {
	var got []string
	state := New(Options{Names: func(exporter column.Addr, index uint32, x source.Interface) {
		got = append(got, fmt.Sprint(exporter.IP(), " ", index, " ", x.Name, " ", x.Speed))
	}})
	generic := block(t, 1, "3 6 0 1000000000 1 3 1 0 2 3 4 5 6 7 0 12 13 14 15 16 17 2")
	name := block(t, 1005, "4 0x65746830")
	decodeCounters(t, state, func(decode func(*source.Datagram)) {
		for _, samples := range []string{
			"1" + block(t, 2, "9 3 1"+generic),
			"1" + block(t, 2, "9 4 1"+name),
			"1" + block(t, 2, "9 5 2"+generic+name),
			"1" + block(t, 4, "9 1 6 1"+generic), // a VLAN
		} {
			decode(&source.Datagram{Payload: words(t, head+samples), Exporter: sender, Received: arrival})
		}
	})
	want := "[192.0.2.1 3  1000000000 192.0.2.1 4 eth0 0 192.0.2.1 5  1000000000 192.0.2.1 5 eth0 1000000000]"
	if fmt.Sprint(got) != want {
		t.Errorf("got  %v\nwant %s", got, want)
	}
}
