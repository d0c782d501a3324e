package source

import "iter"

// Report is filled by the sources with their counters and state.
type Report struct {
	Members []Member
	Inputs  []Input
}

// Member is a source, or a protocol of one.
type Member struct {
	Name string // as in metrics
	*Counters

	// Discards yields the reasons for which devices discarded packets, with the number of notifications; nil:
	// the protocol has none.
	Discards iter.Seq2[string, uint64]
}

// Input is where a source receives, e.g. a UDP port with its sockets.
type Input struct {
	Name  string // the protocol that customarily uses it
	Addr  string
	Parts []InputPart
}

// InputPart is read by one goroutine.
type InputPart struct {
	Datagrams uint64
	Bytes     uint64 // of payload
	Dropped   uint64 // datagrams that the kernel dropped because the buffer was full
	Queued    int    // bytes of the buffer in use
	Buffer    int    // bytes of the buffer, as the kernel accounts
}
