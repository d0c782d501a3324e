package source

import (
	"net/netip"
)

// Protocol is a datagram protocol. Its datagrams may arrive at any port; the first protocol that recognises a
// datagram decodes it.
type Protocol struct {
	Name string // in metrics and in the file of sequences
	Is   func(payload []byte) bool
	New  func() Decoder // for one goroutine

	// Agent returns the exporter that a datagram names, if it may differ from the sender; ok is false if it
	// names none. nil: datagrams never name one.
	Agent func(payload []byte) (exporter netip.Addr, ok bool)

	State
}

// State is shared by the decoders of a protocol. It is safe for concurrent use.
type State interface {
	// Report adds the counters of the protocol.
	Report(*Report)

	// Samplings lists the sampling rates that exporters reported.
	Samplings() []Sampling

	// Resume restarts the sequences of an exporter or a sender whose datagrams were dropped for a while, so
	// that they do not count as lost.
	Resume(netip.Addr)

	// Settle counts what is still pending: no more datagrams will arrive.
	Settle()

	// MarshalSequences returns the positions in all sequences up to which everything is durable, as JSON.
	MarshalSequences() ([]byte, error)

	// FollowSequences continues the sequences of an earlier run once their exporters are heard. Call it
	// before the first datagram. It returns the time of the last position in Unix milliseconds.
	FollowSequences(json []byte) (last int64, err error)

	// Missed returns the gaps since these positions that were found since the last call.
	Missed() []Doubt
}
