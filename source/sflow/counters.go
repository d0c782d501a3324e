package sflow

import (
	"math"

	"netmeta/column"
	"netmeta/counter"
	"netmeta/source"
)

// countersSample reads
//
//	0          4                        8
//	| sequence | class (8), index (24) | records | record …
//
// and, expanded, class and index in one word each.
func (d *Decoder) countersSample(b []byte, expanded bool) {
	d.state.counters.CounterSamples.Add(1)
	size := 12
	if expanded {
		size = 16
	}
	if len(b) < size {
		d.refuse(source.BadLength)
		return
	}
	if d.counters = d.out.Batch(&counter.Table, 1); d.counters == nil { // not wanted
		return
	}
	class, index := be32(b[4:])>>24, be32(b[4:])&0xffffff
	if expanded {
		class, index = be32(b[4:]), be32(b[8:])
	}
	if class > uint32(counter.ClassLogical) {
		d.refuse(UnknownSample)
		return
	}
	r := reading{sequence: be32(b), class: uint8(class), index: index, row: -1}
	rest := b[size:]
	for n := be32(b[size-4:]); n > 0; n-- {
		if len(rest) < 8 {
			d.refuse(source.BadCount)
			return
		}
		var format uint32
		var content []byte
		if format, content, rest = d.next(rest); !d.counterRecord(&r, format, content) {
			d.refuse(source.BadLength)
		}
	}
}

// reading is a counter sample: one row, and one more for each queue in it.
type reading struct {
	sequence uint32
	class    uint8
	index    uint32
	row      int // -1 until it exists
}

// counterRow adds a row for the reading.
func (d *Decoder) counterRow(r *reading) int {
	if d.counters.Full() {
		d.counters = d.out.Batch(&counter.Table, 1)
		r.row = -1
	}
	b, row := d.counters, d.counters.Add()
	counter.TimeReceived.Set(b, row, d.seconds)
	counter.ExporterAddress.Set(b, row, d.exporter)
	counter.ObservationDomain.Set(b, row, d.subAgent)
	counter.SourceClass.Set(b, row, r.class)
	counter.IfIndex.Set(b, row, r.index)
	counter.SequenceNum.Set(b, row, r.sequence)
	counter.Uptime.Set(b, row, d.uptime)
	return row
}

// counterRecord reads one record into the row, as far as it goes. It returns false if the record is too
// short.
func (d *Decoder) counterRecord(r *reading, format uint32, b []byte) bool {
	l, ok := layouts[format]
	if !ok {
		return true
	}
	row := r.row
	switch {
	case l.has == counter.HasQueue:
		row = d.counterRow(r)
	case row < 0:
		r.row = d.counterRow(r)
		row = r.row
	}
	batch := d.counters
	counter.Records.Set(batch, row, counter.Records.At(batch, row)|l.has)
	for _, s := range l.steps {
		rest, ok := s.read(batch, row, b)
		if !ok {
			return len(b) == 0 && s.late
		}
		b = rest
	}
	if l.has&(counter.HasInterface|counter.HasPort) != 0 {
		d.reportInterface(r, row)
	}
	return true
}

// reportInterface hands on the name and the speed in a row.
func (d *Decoder) reportInterface(r *reading, row int) {
	x := source.Interface{Name: counter.IfName.At(d.counters, row), Speed: counter.IfSpeed.At(d.counters, row)}
	if r.class == counter.ClassInterface && d.state.options.Names != nil && x != (source.Interface{}) {
		d.state.options.Names(d.exporter, r.index, x)
	}
}

// step reads one field of a record.
type step struct {
	read func(b *column.Batch, row int, data []byte) (rest []byte, ok bool)
	late bool // added in a later version of the record, which may end before it
}

// layout is a record: the bit that marks it as present, and its fields in order.
type layout struct {
	has   uint32
	steps []step
}

// A counter that the device does not support has all bits set. It stays zero.

// c32 and c64 are counters of four and eight bytes.
func c32(c column.U64) step {
	return step{read: func(b *column.Batch, row int, p []byte) ([]byte, bool) {
		if len(p) < 4 {
			return p, false
		}
		if v := be32(p); v != 0 && v != math.MaxUint32 {
			c.Set(b, row, uint64(v))
		}
		return p[4:], true
	}}
}

func c64(c column.U64) step {
	return step{read: func(b *column.Batch, row int, p []byte) ([]byte, bool) {
		if len(p) < 8 {
			return p, false
		}
		if v := uint64(be32(p))<<32 | uint64(be32(p[4:])); v != 0 && v != math.MaxUint64 {
			c.Set(b, row, v)
		}
		return p[8:], true
	}}
}

// load is a float, stored in hundredths.
func load(c column.U64) step {
	return step{read: func(b *column.Batch, row int, p []byte) ([]byte, bool) {
		if len(p) < 4 {
			return p, false
		}
		if v := math.Float32frombits(be32(p)); v > 0 && v < 1e6 { // −1: unknown
			c.Set(b, row, uint64(math.Round(float64(v)*100)))
		}
		return p[4:], true
	}}
}

// word is a number that is not a counter; values above the maximum are invalid or unknown.
func word[T uint8 | uint16 | uint32](set func(*column.Batch, int, T), most T) step {
	return step{read: func(b *column.Batch, row int, p []byte) ([]byte, bool) {
		if len(p) < 4 {
			return p, false
		}
		if v := be32(p); v != 0 && v <= uint32(most) {
			set(b, row, T(v))
		}
		return p[4:], true
	}}
}

// mac is a MAC address, padded to eight bytes.
func mac(c column.U64) step {
	return step{read: func(b *column.Batch, row int, p []byte) ([]byte, bool) {
		if len(p) < 8 {
			return p, false
		}
		if v := column.MACFrom([6]byte(p)); v != 0 {
			c.Set(b, row, v)
		}
		return p[8:], true
	}}
}

// maxText bounds texts. The longest that the specification allows has 255 bytes.
const maxText = 255

func text(c column.Labels) step {
	return step{read: func(b *column.Batch, row int, p []byte) ([]byte, bool) {
		if len(p) < 4 || be32(p) > maxText || int(be32(p)) > len(p)-4 {
			return p, false
		}
		n := int(be32(p))
		p = p[4:]
		if n > 0 {
			c.Set(b, row, column.LabelOf(string(p[:n])))
		}
		return p[min(len(p), (n+3)&^3):], true
	}}
}

// maxLanes bounds the lanes of an optical module. Real modules have up to eight.
const maxLanes = 16

// lanes are the lanes of an optical module, ten words each:
//
//	0       4      8          12    16    20           24              28    32    36
//	| index | bias | sent, µW | min | max | wavelength | received, µW | min | max | wavelength
func lanes(sent, received column.List32) step {
	return step{read: func(b *column.Batch, row int, p []byte) ([]byte, bool) {
		const size = 40
		if len(p) < 4 || be32(p) > maxLanes || int(be32(p))*size > len(p)-4 {
			return p, false
		}
		n := int(be32(p))
		p = p[4:]
		var tx, rx [maxLanes]uint32
		for i := range n {
			tx[i], rx[i] = be32(p[8:]), be32(p[24:])
			p = p[size:]
		}
		sent.Set(b, row, tx[:n])
		received.Set(b, row, rx[:n])
		return p, true
	}}
}

// temperature is signed, in 1/1000 degree.
func temperature(c column.U64) step {
	return step{read: func(b *column.Batch, row int, p []byte) ([]byte, bool) {
		if len(p) < 4 {
			return p, false
		}
		if v := int32(be32(p)); v > 0 {
			c.Set(b, row, uint64(v))
		}
		return p[4:], true
	}}
}

func skip(n int) step {
	return step{read: func(b *column.Batch, row int, p []byte) ([]byte, bool) {
		if len(p) < n {
			return p, false
		}
		return p[n:], true
	}}
}

func late(s step) step {
	s.late = true
	return s
}

func all32(counters ...column.U64) (steps []step) {
	for _, c := range counters {
		steps = append(steps, c32(c))
	}
	return steps
}

func join(lists ...[]step) (steps []step) {
	for _, l := range lists {
		steps = append(steps, l...)
	}
	return steps
}

const broadcom = 4413 << 12 // enterprise number

// layouts are the counter records that have columns, by format. Others are skipped: those of obsolete media
// (token ring, 100VG), of radio and InfiniBand, of Java virtual machines, HTTP servers and caches, sensors,
// and lists of adaptors. Times are in milliseconds and percentages in hundredths, unless stated otherwise.
var layouts = map[uint32]layout{
	1: {counter.HasInterface, []step{ // if_counters
		skip(4), // ifIndex: that of the source
		word(counter.IfType.Set, math.MaxUint32-1), c64(counter.IfSpeed),
		word(counter.IfDirection.Set, 4), word(counter.IfStatus.Set, 3),
		c64(counter.InOctets), c32(counter.InUcastPkts), c32(counter.InMulticastPkts), c32(counter.InBroadcastPkts),
		c32(counter.InDiscards), c32(counter.InErrors), c32(counter.InUnknownProtos),
		c64(counter.OutOctets), c32(counter.OutUcastPkts), c32(counter.OutMulticastPkts), c32(counter.OutBroadcastPkts),
		c32(counter.OutDiscards), c32(counter.OutErrors), word(counter.PromiscuousMode.Set, 2),
	}},
	2: {counter.HasEthernet, all32( // ethernet_counters
		counter.AlignmentErrors, counter.FCSErrors, counter.SingleCollisionFrames, counter.MultipleCollisionFrames,
		counter.SQETestErrors, counter.DeferredTransmissions, counter.LateCollisions, counter.ExcessiveCollisions,
		counter.InternalMacTransmitErrors, counter.CarrierSenseErrors, counter.FrameTooLongs, counter.InternalMacReceiveErrors,
		counter.SymbolErrors,
	)},
	5: {counter.HasVLAN, []step{ // vlan_counters
		word(counter.VLAN.Set, 4094), c64(counter.VlanOctets), c32(counter.VlanUcastPkts), c32(counter.VlanMulticastPkts),
		c32(counter.VlanBroadcastPkts), c32(counter.VlanDiscards),
	}},
	7: {counter.HasLAG, join([]step{ // lag_port_stats
		mac(counter.LAGActorSystem), mac(counter.LAGPartnerSystem), word(counter.LAGAttachedIndex.Set, math.MaxUint32-1),
		word(counter.LAGPortState.Set, math.MaxUint32),
	}, all32(
		counter.LACPDUsRx, counter.MarkerPDUsRx, counter.MarkerResponsesRx, counter.LACPUnknownRx, counter.LACPIllegalRx,
		counter.LACPDUsTx, counter.MarkerPDUsTx, counter.MarkerResponsesTx,
	))},
	10: {counter.HasOptics, []step{ // sfp
		skip(8), c32(counter.OpticsMilliVolts), temperature(counter.OpticsMilliDegrees), lanes(counter.OpticsTxPower, counter.OpticsRxPower),
	}},
	1001: {counter.HasProcessor, []step{ // processor
		c32(counter.CPU5s), c32(counter.CPU1m), c32(counter.CPU5m), c64(counter.MemoryTotal), c64(counter.MemoryFree),
	}},
	1003: {counter.HasQueue, join([]step{ // queue_length
		word(counter.QueueIndex.Set, math.MaxUint32), word(counter.QueueSegmentSize.Set, math.MaxUint32-1), word(counter.QueueSegments.Set, math.MaxUint32-1),
	}, all32(
		counter.QueueLength0, counter.QueueLength1, counter.QueueLength2, counter.QueueLength4, counter.QueueLength8, counter.QueueLength32,
		counter.QueueLength128, counter.QueueLength1024, counter.QueueLengthMore, counter.QueueDropped,
	))},
	1004: {counter.HasPort, []step{c64(counter.OFDatapath), word(counter.OFPort.Set, math.MaxUint32)}}, // of_port
	1005: {counter.HasPort, []step{text(counter.IfName)}},                                              // port_name
	2000: {counter.HasHost, []step{ // host_descr
		text(counter.HostName), skip(16), skip(4), word(counter.HostSystem.Set, 12), text(counter.HostRelease),
	}},
	2003: {counter.HasCPU, join([]step{ // host_cpu; times of the processors in milliseconds
		load(counter.Load1), load(counter.Load5), load(counter.Load15),
	}, all32(
		counter.ProcsRunning, counter.Procs, counter.CPUs, counter.CPUMHz, counter.HostUptime, counter.CPUUser, counter.CPUNice,
		counter.CPUSystem, counter.CPUIdle, counter.CPUWait, counter.CPUInterrupt, counter.CPUSoft, counter.Interrupts, counter.Contexts,
	), []step{
		late(c32(counter.CPUSteal)), late(c32(counter.CPUGuest)), late(c32(counter.CPUGuestNice)),
	})},
	2004: {counter.HasMemory, join([]step{ // host_memory
		c64(counter.MemoryTotal), c64(counter.MemoryFree), c64(counter.MemoryShared), c64(counter.MemoryBuffers), c64(counter.MemoryCached),
		c64(counter.SwapTotal), c64(counter.SwapFree),
	}, all32(counter.PageIn, counter.PageOut, counter.SwapIn, counter.SwapOut))},
	2005: {counter.HasDisk, []step{ // host_disk_io
		c64(counter.DiskTotal), c64(counter.DiskFree), c32(counter.DiskMaxUsed), c32(counter.DiskReads), c64(counter.DiskReadBytes),
		c32(counter.DiskReadMS), c32(counter.DiskWrites), c64(counter.DiskWriteBytes), c32(counter.DiskWriteMS),
	}},
	2006: {counter.HasNetwork, []step{ // host_net_io
		c64(counter.InHostOctets), c32(counter.InHostPkts), c32(counter.InHostErrors), c32(counter.InHostDropped),
		c64(counter.OutHostOctets), c32(counter.OutHostPkts), c32(counter.OutHostErrors), c32(counter.OutHostDropped),
	}},
	2007: {counter.HasIP, join([]step{skip(8)}, all32( // mib2_ip_group; ipForwarding and ipDefaultTTL are settings
		counter.IPInReceives, counter.IPInHdrErrors, counter.IPInAddrErrors, counter.IPForwDatagrams, counter.IPInUnknownProtos,
		counter.IPInDiscards, counter.IPInDelivers, counter.IPOutRequests, counter.IPOutDiscards, counter.IPOutNoRoutes,
	), []step{skip(12), c32(counter.IPReasmFails), skip(4), c32(counter.IPFragFails), skip(4)})},
	2009: {counter.HasTCP, join([]step{skip(16)}, all32( // mib2_tcp_group; after four settings
		counter.TCPActiveOpens, counter.TCPPassiveOpens, counter.TCPAttemptFails, counter.TCPEstabResets, counter.TCPCurrEstab,
		counter.TCPInSegs, counter.TCPOutSegs, counter.TCPRetransSegs, counter.TCPInErrs, counter.TCPOutRsts,
	), []step{late(skip(4))})}, // TcpInCsumErrors
	2010: {counter.HasUDP, all32( // mib2_udp_group
		counter.UDPInDatagrams, counter.UDPNoPorts, counter.UDPInErrors, counter.UDPOutDatagrams,
		counter.UDPRcvbufErrors, counter.UDPSndbufErrors, counter.UDPInCsumErrors,
	)},
	2100: {counter.HasVirtual, []step{ // virt_node: resources of the virtual machines of a host
		c32(counter.CPUMHz), c32(counter.CPUs), c64(counter.MemoryTotal), c64(counter.MemoryFree), c32(counter.VirtualMachines),
	}},
	2101: {counter.HasVirtual, []step{ // virt_cpu
		word(counter.VirtualState.Set, 6), c32(counter.CPUVirtual), c32(counter.CPUs),
	}},
	2102: {counter.HasMemory, []step{c64(counter.MemoryUsed), c64(counter.MemoryTotal)}}, // virt_memory
	2103: {counter.HasDisk, []step{ // virt_disk_io
		c64(counter.DiskTotal), c64(counter.DiskAllocated), c64(counter.DiskFree), c32(counter.DiskReads), c64(counter.DiskReadBytes),
		c32(counter.DiskWrites), c64(counter.DiskWriteBytes), c32(counter.DiskErrors),
	}},
	2104: {counter.HasNetwork, []step{ // virt_net_io
		c64(counter.InHostOctets), c32(counter.InHostPkts), c32(counter.InHostErrors), c32(counter.InHostDropped),
		c64(counter.OutHostOctets), c32(counter.OutHostPkts), c32(counter.OutHostErrors), c32(counter.OutHostDropped),
	}},
	2203: {counter.HasApplication, []step{ // app_resources
		c32(counter.AppUserMS), c32(counter.AppSystemMS), c64(counter.AppMemory), c64(counter.AppMemoryMax),
		c32(counter.AppFiles), c32(counter.AppFilesMax), c32(counter.AppConns), c32(counter.AppConnsMax),
	}},
	2207: {counter.HasOVS, all32( // ovs_dp_stats
		counter.OVSHits, counter.OVSMisses, counter.OVSLost, counter.OVSMaskHits, counter.OVSFlows, counter.OVSMasks,
	)},
	broadcom | 1: {counter.HasBuffers, all32(counter.DeviceBufferUnicast, counter.DeviceBufferMulticast)},                                               // bst_device_buffers
	broadcom | 2: {counter.HasBuffers, all32(counter.InBufferUnicast, counter.InBufferMulticast, counter.OutBufferUnicast, counter.OutBufferMulticast)}, // bst_port_buffers; its queues are skipped
}
