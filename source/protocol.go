package source

import (
	"net/netip"
)

// A Protocol is a member of the family of datagrams. Any of them may come to any port; the
// first that says that a datagram is its own decodes it.
type Protocol struct {
	Name string // in metrics, and in the file of sequences
	Is   func(payload []byte) bool
	New  func() Decoder // for one goroutine

	// Agent is the exporter that a datagram names, if that may be another than its sender;
	// ok is false when it names none. nil: datagrams name nobody.
	Agent func(payload []byte) (exporter netip.Addr, ok bool)

	State
}

// A State is what the decoders of a protocol share. It is safe for concurrent use.
type State interface {
	// Report adds the counters of the protocol.
	Report(*Report)

	// Samplings lists the sampling rates that exporters told.
	Samplings() []Sampling

	// Resume starts the sequences of an exporter or a sender again: its datagrams were
	// refused for a while, and are not lost.
	Resume(netip.Addr)

	// Settle counts what is still open: no more datagrams come.
	Settle()

	// MarshalSequences is the places in all sequences up to which everything is durable, as
	// JSON.
	MarshalSequences() ([]byte, error)

	// FollowSequences has the sequences of an earlier run go on when their senders are
	// heard. Call it before the first datagram. It returns the time of the last place, in
	// Unix milliseconds.
	FollowSequences(json []byte) (last int64, err error)

	// Missed are the gaps since these places that were found since the last call.
	Missed() []Doubt
}
