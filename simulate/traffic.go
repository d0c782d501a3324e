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

// traffic yields the datagrams of all exporters in the order of sending.
type traffic struct {
	exporters []*exporter
	weights   int
	limit     uint64 // of flows; 0: none
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
	// A rate and a duration give a number of flows.
	if o.Rate > 0 && o.Duration > 0 && !o.Daily {
		n := uint64(math.Round(o.Rate * o.Duration.Seconds()))
		if t.limit == 0 || n < t.limit {
			t.limit = max(n, 1)
		}
	}
	return t
}

// next returns the next datagram and its exporter; nil when the limit is reached. Exporters take turns by weight, as
// smoothly as possible (nginx's weighted round robin).
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

// sent adds up the traffic that was sent.
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

// simulatedRate is the default rate of traffic without sockets, in flows per second.
const simulatedRate = 1000

// Datagrams yields the traffic that Run would send. Its clock advances only between datagrams, by the step that the rate
// requires (1,000 flows/s if it is 0). It begins at o.Now and ends after o.Duration or o.Flows; without both it does not
// end. A datagram is valid until the next one is requested. Datagrams panics if o is invalid.
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

// simulated prepares traffic with its own clock.
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
		e.pool = e.pool[:1] // a datagram is valid only until the next one
	}
	return o, now, t
}

// after returns the time at which the datagram after s is due.
func (o Options) after(now time.Time, s *slot) time.Time {
	rate := o.Rate
	if o.Daily {
		rate *= evening(hour(now))
	}
	return now.Add(time.Duration(float64(s.totals.Flows) / rate * float64(time.Second)))
}

// Capture returns datagrams with exactly the given number of flows, and the flows. Its clock begins at noon (UTC) of
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

// captureTarget is the destination of the datagrams of WriteCapture.
var captureTarget = netip.AddrFrom4([4]byte{192, 0, 2, 254})

// WriteCapture writes the traffic to a pcap instead of sending it, with the clock of Datagrams. It needs Duration or Flows.
func WriteCapture(w io.Writer, o Options) (Sent, error) {
	if err := o.Validate(); err != nil {
		return Sent{}, err
	}
	if o.Duration == 0 && o.Flows == 0 {
		return Sent{}, fmt.Errorf("the capture has no end; set a duration or a number of flows")
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
