package collector

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

// A Decoding holds the decoders of all protocols and what they share.
type Decoding struct {
	Exporters *source.Exporters
	NetFlow   *netflow.State
	SFlow     *sflow.State
	rates     atomic.Pointer[map[netip.Addr]uint32] // configured sampling rates
	Unknown   *source.Counters                      // datagrams of no known protocol, or refused unread
	ignored   *source.Ignored                       // whose datagrams those are; nil: nobody's
}

// NewDecoding makes decoders; rates are sampling rates for exporters that do not
// say theirs, extra the elements that go into the column of that name.
func NewDecoding(rates map[netip.Addr]uint32, extra []netflow.Element) *Decoding {
	d := &Decoding{Exporters: &source.Exporters{}, Unknown: &source.Counters{}}
	d.rates.Store(&rates)
	rate := func(a netip.Addr) uint32 { return (*d.rates.Load())[a] }
	d.NetFlow = netflow.New(netflow.Config{Exporters: d.Exporters, SamplingRate: rate, Extra: extra})
	d.SFlow = sflow.New(sflow.Config{Exporters: d.Exporters, SamplingRate: rate})
	return d
}

// Decoder makes the decoder of one goroutine, for flows alone.
func (d *Decoding) Decoder() *detect.Decoder { return d.decoderOf(d.SFlow.Decoder()) }

// DecoderWithCounters makes a decoder that fills a batch of the counters table as well
// and calls flush when that is full.
func (d *Decoding) DecoderWithCounters(counters *column.Batch, flush func()) *detect.Decoder {
	s := d.SFlow.Decoder()
	s.Counters(counters, flush)
	return d.decoderOf(s)
}

func (d *Decoding) decoderOf(s *sflow.Decoder) *detect.Decoder {
	return &detect.Decoder{Refused: d.Unknown, Exporters: d.Exporters, Ignored: d.ignored, NetFlow: d.NetFlow.Decoder(), SFlow: s}
}

// resume takes note that the datagrams of a sender are taken again.
func (d *Decoding) resume(a netip.Addr) {
	d.NetFlow.Resume(a)
	d.SFlow.Resume(a)
}

// Settle counts what was still awaited: no more datagrams come.
func (d *Decoding) Settle() {
	d.NetFlow.Settle()
	d.SFlow.Settle()
}

// samplings are the sampling rates of each exporter that are known, whoever said them.
func (d *Decoding) samplings() []source.Sampling {
	list := append(d.NetFlow.Samplings(), d.SFlow.Samplings()...)
	for _, x := range d.Exporters.List() {
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
func (d *Decoding) counters() map[string]*source.Counters {
	return map[string]*source.Counters{"netflow": d.NetFlow.Counters(), "sflow": d.SFlow.Counters(), "udp": d.Unknown}
}

// Totals are the counters of all sources, added up.
type Totals struct {
	Datagrams, Flows, Templates, OptionsRecords, CounterSamples, DiscardedSamples, Lost uint64
	Refused                                                                             []Refusal
}

// A Refusal says how often something was refused for one reason.
type Refusal struct {
	source.Reason
	Count uint64
}

func (d *Decoding) Totals() (t Totals) {
	counts := map[source.Reason]uint64{}
	var order []source.Reason
	for _, c := range []*source.Counters{d.NetFlow.Counters(), d.SFlow.Counters(), d.Unknown} {
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
		t.Refused = append(t.Refused, Refusal{r, counts[r]})
	}
	return t
}
