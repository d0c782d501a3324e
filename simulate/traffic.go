package simulate

import (
	"fmt"
	"io"
	"iter"
	"math"
	"net/netip"
	"time"

	"netmeta/internal/pcap"
)

// traffic is the datagrams of all exporters, in the order in which they are sent.
type traffic struct {
	exporters []*exporter
	weights   int
	limit     uint64 // of flows; 0 is none
	flows     uint64 // made so far
}

func newTraffic(o Options, now time.Time) *traffic {
	w := newWorld(o.Seed)
	t := &traffic{limit: o.Flows}
	for i := range o.Exporters {
		e := newExporter(w, o, i, now)
		t.exporters = append(t.exporters, e)
		t.weights += e.weight
	}
	// A rate that holds for some time is a number of flows.
	if o.Rate > 0 && o.Duration > 0 && !o.Daily {
		n := uint64(math.Round(o.Rate * o.Duration.Seconds()))
		if t.limit == 0 || n < t.limit {
			t.limit = max(n, 1)
		}
	}
	return t
}

// next returns the next datagram and who sends it; nil when the limit is reached. Exporters take turns by weight, as
// smoothly as can be (the round robin of nginx).
func (t *traffic) next(now time.Time) (*exporter, *slot) {
	left := uint64(0)
	if t.limit != 0 {
		if t.flows >= t.limit {
			return nil, nil
		}
		left = t.limit - t.flows
	}
	best := t.exporters[0]
	for _, e := range t.exporters {
		e.credit += e.weight
		if e.credit > best.credit {
			best = e
		}
	}
	best.credit -= t.weights
	s := best.next(now, left)
	t.flows += s.totals.Flows
	return best, s
}

// sent adds up what went out.
func (t *traffic) sent(o Options, took time.Duration) Sent {
	s := Sent{Protocol: o.Protocol, Seconds: took.Seconds()}
	for _, e := range t.exporters {
		s.add(e.sent)
		s.Templates += e.templates
		s.Counters += e.samplesUp
		x := ExporterSent{Source: e.source.String(), Domain: e.domain, SamplingRates: []uint32{e.rates[0]}, Totals: e.sent}
		if e.rates[1] != 0 {
			x.SamplingRates = append(x.SamplingRates, e.rates[1])
		}
		if o.Protocol == SFlow {
			x.Agent = e.agent
		}
		s.Exporters = append(s.Exporters, x)
	}
	if s.Seconds > 0 {
		s.Rate = float64(s.Flows) / s.Seconds
	}
	return s
}

// Datagram is one datagram of simulated traffic with the flows in it, in the order of their records.
type Datagram struct {
	Time     time.Time
	Exporter int // index
	Src      netip.AddrPort
	Payload  []byte
	Flows    []Flow // none in datagrams of templates or counters
}

// simulatedRate is that of traffic without sockets when none is asked for.
const simulatedRate = 1000

// Datagrams yields the traffic that Run would send, by a clock that stands still between datagrams and then moves by
// what the rate asks for (1,000 flows/s when it asks for none). It begins at o.Now and ends with o.Duration or o.Flows;
// without both it does not end. A datagram holds until the next one is asked for. It panics when o is not valid.
func Datagrams(o Options) iter.Seq[Datagram] {
	return func(yield func(Datagram) bool) {
		o, now, t := simulated(o, true)
		end := now.Add(o.Duration)
		for o.Duration == 0 || now.Before(end) || !o.Daily {
			e, s := t.next(now)
			if s == nil {
				return
			}
			if !yield(Datagram{Time: now, Exporter: e.index, Src: e.source, Payload: s.buf, Flows: s.flowsOf()}) {
				return
			}
			now = o.after(now, s)
		}
	}
}

func (s *slot) flowsOf() []Flow {
	if s.kind != dataSlot {
		return nil
	}
	return s.flows
}

// simulated prepares traffic by a clock of its own.
func simulated(o Options, keep bool) (Options, time.Time, *traffic) {
	if err := o.Validate(); err != nil {
		panic("simulate: " + err.Error())
	}
	o = o.withDefaults()
	if o.Rate == 0 {
		o.Rate = simulatedRate
	}
	now := o.Now()
	t := newTraffic(o, now)
	for _, e := range t.exporters {
		e.keep, e.renew = keep, 1
		e.pool = e.pool[:1] // a datagram holds until the next one only
	}
	return o, now, t
}

// after is the time at which the datagram that follows s is due.
func (o Options) after(now time.Time, s *slot) time.Time {
	rate := o.Rate
	if o.Daily {
		rate *= evening(hour(now))
	}
	return now.Add(time.Duration(float64(s.totals.Flows) / rate * float64(time.Second)))
}

// Capture returns the datagrams of exactly so many flows, and the flows, with a clock that begins at noon (UTC) of
// 1 January 2026. It is for tests and benchmarks of decoders.
func Capture(p Protocol, flows int, seed uint64) (payloads [][]byte, truth []Flow) {
	noon := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	o := Options{Protocol: p, Flows: uint64(flows), Seed: seed, Now: func() time.Time { return noon }}
	for d := range Datagrams(o) {
		payloads = append(payloads, append([]byte(nil), d.Payload...))
		truth = append(truth, d.Flows...)
	}
	return payloads, truth
}

// captureTarget is whom the datagrams of WriteCapture are for.
var captureTarget = netip.AddrFrom4([4]byte{192, 0, 2, 254})

// WriteCapture writes the traffic as a pcap instead of sending it, by the clock of Datagrams. It needs Duration or Flows.
func WriteCapture(w io.Writer, o Options) (Sent, error) {
	if err := o.Validate(); err != nil {
		return Sent{}, err
	}
	if o.Duration == 0 && o.Flows == 0 {
		return Sent{}, fmt.Errorf("a capture needs an end: give a duration or a number of flows")
	}
	out, err := pcap.NewWriter(w)
	if err != nil {
		return Sent{}, err
	}
	o, begin, t := simulated(o, false)
	now, end := begin, begin.Add(o.Duration)
	for o.Duration == 0 || now.Before(end) || !o.Daily {
		e, s := t.next(now)
		if s == nil {
			break
		}
		d := pcap.Datagram{
			Time: now, Src: e.source, Dst: netip.AddrPortFrom(captureTarget, o.Protocol.DefaultPort()), Payload: s.buf,
		}
		if err := out.WriteUDP(d); err != nil {
			return t.sent(o, now.Sub(begin)), err
		}
		e.done(s)
		now = o.after(now, s)
	}
	return t.sent(o, now.Sub(begin)), nil
}
