// Package source is how data come in. Its folders are the family of sources, each a way
// in; this package holds what they share: what a source is (Source) and where its rows go
// (Out), the datagram with its decoders, the counters of what was taken and what was
// refused, and the list of exporters.
//
//	Source ─ rows ─► Out ─ batches ─► Sink: stages, encoder, queue
//	   ▲               │
//	   └── durable ◄───┘
package source

import (
	"context"
	"net/netip"
	"time"
)

// A Source is a way in. It owns its goroutines, and hands on rows of any table.
type Source interface {
	// Run takes in until ctx ends, and then hands on all that had arrived, or gives back
	// what it has not acknowledged. Each goroutine of the source has an Out of its own,
	// which out makes. An error says that the source cannot go on.
	Run(ctx context.Context, out func(Durability) *Out) error

	// Report adds what the source says about itself. It is called at any time, on any
	// goroutine.
	Report(*Report)
}

// Durability is what rows of a source outlive when they are durable.
type Durability uint8

const (
	// Kept rows outlive every process: they are stored, or in a file of the spool. This is
	// for senders that hear no acknowledgement.
	Kept Durability = iota
	// Synced rows outlive a loss of power too. This is for sources whose sender deletes
	// what they acknowledge. It costs a sync of the disk now and then.
	Synced
)

// A Datagram is what arrived in one UDP packet.
type Datagram struct {
	Payload  []byte         // valid during Decode only
	Exporter netip.AddrPort // who sent it; IPv4 unmapped
	Received time.Time      // kernel timestamp, or the time in the capture file
}

// A Decoder turns datagrams into rows. It belongs to one goroutine; what decoders of a
// protocol share (templates, sampling rates) is in the Protocol that made them.
type Decoder interface {
	// Decode gives the rows of the datagram to out. What it cannot decode it counts;
	// nothing from the network is an error.
	Decode(d *Datagram, out *Out)

	// Mark takes note of the places in the sequences of all senders that were heard since
	// the last call. Call the function that it returns, on any goroutine, when the rows of
	// all that was decoded until now are durable. It is nil when nothing was heard.
	Mark() (durable func())

	// Notes has the decoder tell what it comes across beside rows.
	Notes(tell func(Note))
}
