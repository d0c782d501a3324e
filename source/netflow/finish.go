package netflow

import (
	"netmeta/flow"
)

// Limits of start and end. Times more than a year before or a day after the arrival are marked: the
// exporter's clock is wrong, or it reads an old capture. Times before 2000 or more than a year ahead are not
// times at all (a clock that was never set, or a field that means something else), and the time of arrival
// replaces them.
const (
	oldMS    = 366 * 24 * 3600 * 1000
	aheadMS  = 24 * 3600 * 1000
	year2000 = 946_684_800_000
)

// finish fills the columns that every row has, after the steps of the plan.
func (d *Decoder) finish(p *plan, row, n int) {
	b := d.batch
	d.flows += uint64(n)
	set(flow.TimeReceived.Column(b)[row:row+n], uint32(d.received/1000))
	set(flow.FlowType.Column(b)[row:row+n], d.typ)
	set(flow.ExporterAddress.Column(b)[row:row+n], d.addr)
	set(flow.ObservationDomain.Column(b)[row:row+n], d.domain)
	set(flow.SequenceNum.Column(b)[row:row+n], d.sequence)
	quality := flow.Quality.Column(b)[row : row+n]
	for i := range quality {
		quality[i] |= d.quality
	}

	in, out := flow.InIf.Column(b)[row:row+n], flow.OutIf.Column(b)[row:row+n]
	for i := range in {
		if in[i]|out[i] == 0 {
			quality[i] |= flow.NoInterface
		}
	}
	d.placeInTime(quality, row, n)
	if last := row + n - 1; quality[n-1]&flow.NoTime == 0 {
		start, end := flow.FlowStart.At(b, last), flow.FlowEnd.At(b, last)
		d.entry.Duration(end - min(start, end))
	}
	d.scale(p, quality, row, n)
	if p.icmpInPort {
		d.icmp(row, n)
	}
}

func set[T any](col []T, v T) {
	for i := range col {
		col[i] = v
	}
}

// placeInTime completes start and end.
func (d *Decoder) placeInTime(quality []uint16, row, n int) {
	start, end := flow.FlowStart.Column(d.batch)[row:row+n], flow.FlowEnd.Column(d.batch)[row:row+n]
	likely := uint64(max(d.received-oldMS, 0))
	last := uint64(d.received + oldMS)
	for i := range start {
		if start[i]-likely <= oldMS+aheadMS && end[i]-likely <= oldMS+aheadMS {
			continue
		}
		okStart, okEnd := start[i] >= year2000 && start[i] <= last, end[i] >= year2000 && end[i] <= last
		if start[i]|end[i] == 0 {
			quality[i] |= flow.NoTime
		} else if start[i] != 0 && start[i]-likely > oldMS+aheadMS || end[i] != 0 && end[i]-likely > oldMS+aheadMS {
			quality[i] |= flow.ClockSkewed
		}
		switch {
		case okStart && okEnd:
		case okStart:
			end[i] = start[i]
		case okEnd:
			start[i] = end[i]
		default:
			start[i], end[i] = uint64(d.received), uint64(d.received)
		}
	}
}

// scale completes the sampling rate. A rate in the record, or in options data of its selector, is already
// set. Then follow, in this order: options data of the interface, options data of the whole exporter, header,
// configuration.
func (d *Decoder) scale(p *plan, quality []uint16, row, n int) {
	b := d.batch
	rates, from := flow.SamplingRate.Column(b)[row:row+n], flow.SamplingSource.Column(b)[row:row+n]
	if d.reported.byIf {
		in, out := flow.InIf.Column(b)[row:row+n], flow.OutIf.Column(b)[row:row+n]
		for i := range rates {
			if rates[i] != 0 {
				continue
			}
			r := d.reported.rates[ifKey(uint64(in[i]))]
			if r == 0 {
				r = d.reported.rates[ifKey(uint64(out[i]))]
			}
			if r != 0 {
				rates[i], from[i] = r, flow.SamplingOptions
			}
		}
	}
	rate, source := d.reported.wide, flow.SamplingOptions
	if rate == 0 && !p.selector {
		rate = d.reported.only
	}
	if rate == 0 {
		rate, source = d.headerRate, flow.SamplingHeader
	}
	if rate == 0 && d.state.options.SamplingRate != nil {
		rate, source = d.state.options.SamplingRate(d.exporter.Addr()), flow.SamplingConfig
	}
	unknown := uint16(0)
	if rate == 0 {
		rate, source, unknown = 1, flow.SamplingUnknown, flow.NoSampling
	}
	for i := range rates {
		if rates[i] == 0 {
			rates[i], from[i] = rate, source
			quality[i] |= unknown
		}
	}
	x := d.entry
	if last := rates[n-1]; x.SamplingRate.Load() != last {
		x.SamplingRate.Store(last)
	}
	if last := uint32(from[n-1]); x.SamplingSource.Load() != last {
		x.SamplingSource.Store(last)
	}
	d.judge(quality, row, n, 1)
	if d.thin.OneOf > 1 && p.thinnable() {
		for i := range rates {
			rates[i] = d.thin.Raise(rates[i])
			quality[i] |= flow.Thinned
		}
	}
}

// judge marks rows that no network carries. Their sampling rate is times the exporter's own.
func (d *Decoder) judge(quality []uint16, row, n int, times uint32) {
	b := d.batch
	octets, packets, rates := flow.Bytes.Column(b)[row:row+n], flow.Packets.Column(b)[row:row+n], flow.SamplingRate.Column(b)[row:row+n]
	for i := range quality {
		if !flow.Plausible(octets[i], packets[i], rates[i]/times) {
			quality[i] |= flow.Implausible
			d.implausible++
		}
	}
}

// icmp reads type and code from the destination port, where v5 and most v9 exporters write them.
func (d *Decoder) icmp(row, n int) {
	b := d.batch
	proto, port := flow.Proto.Column(b)[row:row+n], flow.DstPort.Column(b)[row:row+n]
	for i := range proto {
		if (proto[i] == 1 || proto[i] == 58) && port[i] != 0 {
			flow.IcmpType.Set(b, row+i, uint8(port[i]>>8))
			flow.IcmpCode.Set(b, row+i, uint8(port[i]))
		}
	}
}
