package source

import (
	"iter"
	"sync/atomic"
)

// A Reason says why something that arrived was refused. Every branch of a decoder
// that gives up counts one.
type Reason uint8

const (
	UnknownVersion   Reason = iota // neither NetFlow v5, v9, IPFIX nor sFlow v5
	ShortDatagram                  // ends inside a header
	BadLength                      // a length field points beyond its container, or is too small
	BadCount                       // a count field contradicts the length
	NoTemplate                     // data set whose template is not known
	BadTemplate                    // template with no fields, no length or too many fields
	TooManyTemplates               // the limit of templates is reached
	TooManyExporters               // the limit of exporters is reached
	UnknownSet                     // set id that is reserved
	UnknownSample                  // sFlow sample format that is not known
	UnknownHeader                  // sampled header protocol that is not known
	BadAddress                     // address of an unknown family
	TooManyNames                   // the limit of names from options data is reached
	TooManySamplers                // the limit of data sources whose sampling is followed is reached
	TooManyLiving                  // living flows whose totals were forgotten for want of room
	TruncatedCapture               // the capture file holds only a part of the datagram
	SenderIgnored                  // somebody chose to ignore who sent it
	Implausible                    // begins like NetFlow v5, with values that no exporter sends
	reasonCount
)

var reasons = [reasonCount]string{
	"unknown version", "datagram too short", "bad length", "bad count", "unknown template", "bad template",
	"too many templates", "too many exporters", "unknown set", "unknown sample", "unknown header protocol",
	"bad address", "too many names", "too many samplers", "too many living flows", "truncated in capture",
	"ignored", "implausible",
}

var remedies = [reasonCount]string{
	"Something other than flow records arrives on this port: check who sends it.",
	"The exporter or the path cuts datagrams: check the MTU.",
	"The exporter sends malformed records: capture some with `netmeta decode` and report them to its vendor.",
	"The exporter sends malformed records: capture some with `netmeta decode` and report them to its vendor.",
	"The exporter has not sent its template yet. It will; to lose less after a restart, set a shorter template refresh (30 s).",
	"The exporter sends malformed templates: capture some with `netmeta decode` and report them to its vendor.",
	"More templates than the limit arrived: a broken exporter, or forged datagrams.",
	"More exporters than the limit sent datagrams: a forged source, or the limit is too small.",
	"The exporter uses set ids that RFC 7011 reserves.",
	"The agent sends samples that sFlow v5 does not define; flows are not concerned.",
	"The agent samples frames of a link type that is not decoded.",
	"The exporter sends malformed addresses.",
	"More names of interfaces, VRFs or applications than the limit arrived: a broken exporter, or forged datagrams.",
	"More interfaces or other data sources than the limit sent samples: forged datagrams, or a very large switch. Their flows are decoded; their effective sampling rate is not known.",
	"More flows with total counters are alive than are remembered: their next records count in full. Let the exporter send delta counters (1, 2).",
	"Capture whole packets (tcpdump -s 0).",
	"Somebody chose to ignore the sender. Accept on the page Exporters takes that back.",
	"The datagram begins like NetFlow v5, but no exporter sends such times or prefix lengths: check who sends it.",
}

// String is the reason in words, as in metrics and on the page.
func (r Reason) String() string { return reasons[r] }

// Remedy is what an operator can do about it.
func (r Reason) Remedy() string { return remedies[r] }

// Counters count what a source took in and what it refused. They are safe for
// concurrent use.
type Counters struct {
	Datagrams        atomic.Uint64
	Flows            atomic.Uint64 // rows emitted
	Thinned          atomic.Uint64 // records that gave no rows because of a limit
	Implausible      atomic.Uint64 // rows that are marked: no network carries what they say
	Templates        atomic.Uint64 // template records, options templates included
	OptionsRecords   atomic.Uint64
	CounterSamples   atomic.Uint64 // sFlow counter samples
	DiscardedSamples atomic.Uint64 // sFlow notices of dropped packets
	Continued        atomic.Uint64 // records with totals of a flow that was reported before: the difference is kept
	Lost             atomic.Uint64 // datagrams (v9, sFlow) or flows (v5, IPFIX) missing by sequence number
	Reordered        atomic.Uint64 // datagrams that came after a later one
	Restarts         atomic.Uint64 // times that a sender began anew

	refused [reasonCount]atomic.Uint64
}

// Refuse counts something that was refused.
func (c *Counters) Refuse(r Reason) { c.refused[r].Add(1) }

// Find counts what a sequence number told.
func (c *Counters) Find(f Finding) { f.count(&c.Lost, &c.Reordered, &c.Restarts) }

func (f Finding) count(lost, reordered, restarts *atomic.Uint64) {
	if f.Lost > 0 {
		lost.Add(f.Lost)
	}
	if f.Reordered {
		reordered.Add(1)
	}
	if f.Restarted {
		restarts.Add(1)
	}
}

// Refused yields each reason with its count, those that never occurred included.
func (c *Counters) Refused() iter.Seq2[Reason, uint64] {
	return func(yield func(Reason, uint64) bool) {
		for r := range c.refused {
			if !yield(Reason(r), c.refused[r].Load()) {
				return
			}
		}
	}
}
