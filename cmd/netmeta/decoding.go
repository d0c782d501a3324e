package main

import (
	"net/netip"
	"sync/atomic"

	"netmeta/column"
	"netmeta/flow"
	"netmeta/source"
	"netmeta/source/detect"
	"netmeta/source/netflow"
	"netmeta/source/sflow"
)

// A decoding holds the decoders of all protocols and what they share.
type decoding struct {
	exporters *source.Exporters
	netflow   *netflow.State
	sflow     *sflow.State
	rates     atomic.Pointer[map[netip.Addr]uint32] // configured sampling rates
	unknown   *source.Counters                      // datagrams of no known protocol, or refused unread
	ignored   *source.Ignored                       // whose datagrams those are; nil: nobody's
}

// newDecoding makes decoders without configuration.
func newDecoding() *decoding { return newDecodingWith(nil, nil) }

// newDecodingWith makes decoders; rates are sampling rates for exporters that do not
// say theirs, extra the elements that go into the column of that name.
func newDecodingWith(rates map[netip.Addr]uint32, extra []netflow.Element) *decoding {
	d := &decoding{exporters: &source.Exporters{}, unknown: &source.Counters{}}
	d.rates.Store(&rates)
	rate := func(a netip.Addr) uint32 { return (*d.rates.Load())[a] }
	d.netflow = netflow.New(netflow.Config{Exporters: d.exporters, SamplingRate: rate, Extra: extra})
	d.sflow = sflow.New(sflow.Config{Exporters: d.exporters, SamplingRate: rate})
	return d
}

// decoder makes the decoder of one goroutine, for flows alone.
func (d *decoding) decoder() *detect.Decoder { return d.decoderOf(d.sflow.Decoder()) }

// decoderWithCounters makes a decoder that fills a batch of the counters table as well
// and calls flush when that is full.
func (d *decoding) decoderWithCounters(counters *column.Batch, flush func()) *detect.Decoder {
	s := d.sflow.Decoder()
	s.Counters(counters, flush)
	return d.decoderOf(s)
}

func (d *decoding) decoderOf(s *sflow.Decoder) *detect.Decoder {
	return &detect.Decoder{Refused: d.unknown, Exporters: d.exporters, Ignored: d.ignored, NetFlow: d.netflow.Decoder(), SFlow: s}
}

// resume takes note that the datagrams of a sender are taken again.
func (d *decoding) resume(a netip.Addr) {
	d.netflow.Resume(a)
	d.sflow.Resume(a)
}

// settle counts what was still awaited: no more datagrams come.
func (d *decoding) settle() {
	d.netflow.Settle()
	d.sflow.Settle()
}

// samplings are the sampling rates of each exporter that are known, whoever said them.
func (d *decoding) samplings() []source.Sampling {
	list := append(d.netflow.Samplings(), d.sflow.Samplings()...)
	for _, x := range d.exporters.List() {
		whole := source.Sampling{Exporter: x.Address, Type: x.Type, Of: "exporter"}
		if from := uint8(x.SamplingSource.Load()); from == flow.SamplingHeader {
			whole.From, whole.Rate = from, x.SamplingRate.Load()
			list = append(list, whole)
		}
		if rate := (*d.rates.Load())[x.Address]; rate != 0 {
			whole.From, whole.Rate = flow.SamplingConfig, rate
			list = append(list, whole)
		}
	}
	source.SortSamplings(list)
	return list
}

// counters are those of each source by its name.
func (d *decoding) counters() map[string]*source.Counters {
	return map[string]*source.Counters{"netflow": d.netflow.Counters(), "sflow": d.sflow.Counters(), "udp": d.unknown}
}

// totals are the counters of all sources, added up.
type totals struct {
	Datagrams, Flows, Templates, OptionsRecords, CounterSamples, DiscardedSamples, Lost uint64
	Refused                                                                             []refusal
}

type refusal struct {
	source.Reason
	Count uint64
}

func (d *decoding) totals() (t totals) {
	counts := map[source.Reason]uint64{}
	var order []source.Reason
	for _, c := range []*source.Counters{d.netflow.Counters(), d.sflow.Counters(), d.unknown} {
		t.Datagrams += c.Datagrams.Load()
		t.Flows += c.Flows.Load()
		t.Templates += c.Templates.Load()
		t.OptionsRecords += c.OptionsRecords.Load()
		t.CounterSamples += c.CounterSamples.Load()
		t.DiscardedSamples += c.DiscardedSamples.Load()
		t.Lost += c.Lost.Load()
		for r, n := range c.Refused() {
			if n > 0 && counts[r] == 0 {
				order = append(order, r)
			}
			counts[r] += n
		}
	}
	for _, r := range order {
		t.Refused = append(t.Refused, refusal{r, counts[r]})
	}
	return t
}
