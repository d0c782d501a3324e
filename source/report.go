package source

import "iter"

// A Report is what sources say about themselves; each adds its own.
type Report struct {
	Members []Member
	Inputs  []Input
}

// A Member is a source, or a protocol of one.
type Member struct {
	Name string // as in metrics
	*Counters

	// Discards yields why devices said that they dropped packets, and how many notices said
	// so; nil: the protocol has no such notices.
	Discards iter.Seq2[string, uint64]
}

// An Input is where a source receives: a UDP port with its sockets, for one.
type Input struct {
	Name  string // what is customary there
	Addr  string
	Parts []InputPart
}

// An InputPart is read by one goroutine.
type InputPart struct {
	Datagrams uint64
	Bytes     uint64 // of payload
	Dropped   uint64 // datagrams that the kernel dropped, because the buffer was full
	Queued    int    // octets of the buffer in use
	Buffer    int    // octets of the buffer, as the kernel accounts
}
