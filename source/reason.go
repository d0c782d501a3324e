package source

import (
	"iter"
	"sync/atomic"
)

// Reason says why something that arrived was dropped or not decoded. Each such branch of a decoder counts
// one. It belongs to the package that declares it with NewReason.
type Reason uint8

// Why describes a Reason.
type Why struct {
	Name      string // in words, as in metrics and the web UI; unique
	Remedy    string // what an operator can do about it
	Malformed bool   // the exporter violated the format, instead of: we do not know it
}

// maxReasons bounds the reasons of all packages together.
const maxReasons = 256

// reasons is written during program initialisation, and read-only afterwards.
var reasons []Why

// NewReason declares a reason. Call it from a package variable, so that every reason is
// known before anything is counted.
func NewReason(w Why) Reason {
	for _, other := range reasons {
		if other.Name == w.Name {
			panic("BUG: two reasons are called " + w.Name)
		}
	}
	if len(reasons) == maxReasons {
		panic("BUG: too many reasons")
	}
	reasons = append(reasons, w)
	return Reason(len(reasons) - 1)
}

// Reasons of several sources.
var (
	UnknownVersion = NewReason(Why{
		Name:   "unknown version",
		Remedy: "Something other than flow records arrives on this port: check who sends it."})
	ShortDatagram = NewReason(Why{ // it ends inside a header
		Name:      "datagram too short",
		Remedy:    "The exporter or the path cuts datagrams: check the MTU.",
		Malformed: true})
	BadLength = NewReason(Why{ // a length field points beyond its container, or is too small
		Name:      "bad length",
		Remedy:    malformedRecords,
		Malformed: true})
	BadCount = NewReason(Why{ // a count field contradicts the length
		Name:      "bad count",
		Remedy:    malformedRecords,
		Malformed: true})
	TooManyExporters = NewReason(Why{ // the limit of exporters is reached
		Name:   "too many exporters",
		Remedy: "More exporters than the limit sent datagrams: a forged source, or the limit is too small."})
	UnknownHeader = NewReason(Why{ // the link type of a sampled header, or of a capture
		Name:   "unknown header protocol",
		Remedy: "The agent samples frames of a link type that is not decoded."})
	TruncatedCapture = NewReason(Why{ // the capture file holds only a part of the datagram
		Name:      "truncated in capture",
		Remedy:    "Capture whole packets (tcpdump -s 0).",
		Malformed: true})
	SenderIgnored = NewReason(Why{
		Name:   "ignored",
		Remedy: "Somebody chose to ignore the sender. Accept on the page Exporters takes that back."})
)

const malformedRecords = "The exporter sends malformed records: capture some with `netmeta decode` and report them to its vendor."

// String returns the reason in words, as in metrics and the web UI.
func (r Reason) String() string { return reasons[r].Name }

// Remedy returns what an operator can do about it.
func (r Reason) Remedy() string { return reasons[r].Remedy }

// Malformed reports that the exporter violated the format.
func (r Reason) Malformed() bool { return reasons[r].Malformed }

// refusals counts by reason. The zero value is ready; it allocates with the first count, since most exporters
// have none.
type refusals struct {
	counts atomic.Pointer[[]atomic.Uint64] // by number of the reason
}

func (c *refusals) add(r Reason, n uint64) {
	counts := c.counts.Load()
	if counts == nil {
		made := make([]atomic.Uint64, len(reasons))
		c.counts.CompareAndSwap(nil, &made)
		counts = c.counts.Load()
	}
	(*counts)[r].Add(n)
}

// all yields each reason with its count, also those that never occurred.
func (c *refusals) all() iter.Seq2[Reason, uint64] {
	return func(yield func(Reason, uint64) bool) {
		counts := c.counts.Load()
		for r := range reasons {
			n := uint64(0)
			if counts != nil {
				n = (*counts)[r].Load()
			}
			if !yield(Reason(r), n) {
				return
			}
		}
	}
}
