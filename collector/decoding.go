package collector

import (
	"net/netip"
	"sync/atomic"

	"netmeta/column"
	"netmeta/enrich/names"
	"netmeta/flow"
	"netmeta/source"
	"netmeta/source/detect"
	"netmeta/source/netflow"
	"netmeta/source/sflow"
)

// Decoding has the datagram protocols and what they share.
type Decoding struct {
	detect.Family
	NetFlow *netflow.State
	rates   atomic.Pointer[source.SamplingConfig] // configured sampling rates
}

// NewDecoding makes decoders. rates are the configured sampling rates of exporters that do not send theirs;
// extra holds the elements for the column Extra. Interface names that exporters report go into the book,
// unless it is nil.
func NewDecoding(rates source.SamplingConfig, extra []netflow.Element, book *names.Book) *Decoding {
	d := &Decoding{}
	d.Exporters = &source.Exporters{}
	d.rates.Store(&rates)
	rate := func(a netip.Addr) uint32 { return d.rates.Load().Rate(a) }
	d.NetFlow = netflow.New(netflow.Options{Exporters: d.Exporters, SamplingRate: rate, Extra: extra, Names: writer(book, names.NetFlow)})
	d.Protocols = []source.Protocol{ // in the order of recognition
		d.NetFlow.Protocol(),
		sflow.New(sflow.Options{Exporters: d.Exporters, SamplingRate: rate, Names: writer(book, names.SFlow)}).Protocol(),
	}
	return d
}

// writer writes into a book under an origin; nil without a book.
func writer(book *names.Book, from names.Origin) source.Names {
	if book == nil {
		return nil
	}
	return func(exporter column.Addr, ifIndex uint32, x source.Interface) {
		book.Put(from, exporter, ifIndex, names.Interface(x))
	}
}

// samplings returns the known sampling rates of each exporter, from all origins.
func (d *Decoding) samplings() []source.Sampling {
	var list []source.Sampling
	for _, p := range d.Protocols {
		list = append(list, p.Samplings()...)
	}
	for _, x := range d.Exporters.List() {
		whole := source.Sampling{Exporter: x.Address, Type: x.Type, Of: "exporter"}
		if from := uint8(x.SamplingSource.Load()); from == flow.SamplingHeader {
			whole.From, whole.Rate = from, x.SamplingRate.Load()
			list = append(list, whole)
		}
		if rate := d.rates.Load().Rate(x.Address); rate != 0 {
			whole.From, whole.Rate = flow.SamplingConfig, rate
			list = append(list, whole)
		}
	}
	source.SortSamplings(list)
	return list
}

// Totals are the summed counters of all sources.
type Totals struct {
	Datagrams, Flows, Templates, OptionsRecords, CounterSamples, DiscardedSamples, Lost uint64
	Refused                                                                             []Refusal
}

// Refusal is the number of items that were dropped or not decoded for one reason.
type Refusal struct {
	source.Reason
	Count uint64
}

// Totals returns the totals of the protocols.
func (d *Decoding) Totals() Totals {
	var r source.Report
	d.Report(&r)
	return total(r.Members)
}

// total sums the counters of members.
func total(members []source.Member) (t Totals) {
	counts := map[source.Reason]uint64{}
	var order []source.Reason
	for _, c := range members {
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
