// Package source receives data. Its folders are the sources; this package has what they share: the interface
// of a source (Source) and the way of its rows (Out), the datagram with its decoders, the counters of what
// was received, dropped and not decoded, and the list of exporters.
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

// Source receives data. It owns its goroutines, and hands on rows of any table.
type Source interface {
	// Run receives until ctx ends, and then hands on everything that had arrived, or gives back what it has
	// not acknowledged. Each goroutine of the source has its own Out, which out makes. An error means that
	// the source cannot continue.
	Run(ctx context.Context, out func(Durability) *Out) error

	// Report adds the counters and the state of the source. It may be called at any time, on any goroutine.
	Report(*Report)
}

// Durability says what durable rows survive.
type Durability uint8

const (
	// Kept rows survive the end of every process: they are stored, or in a file of the spool. This is for
	// senders that receive no acknowledgement.
	Kept Durability = iota
	// Synced rows also survive a loss of power. This is for sources whose sender deletes what they
	// acknowledge. It costs an occasional sync of the disk.
	Synced
)

// Datagram is the payload of one UDP packet.
type Datagram struct {
	Payload  []byte         // valid during Decode only
	Exporter netip.AddrPort // sender; IPv4 unmapped
	Received time.Time      // kernel timestamp, or the time in the capture file
}

// Decoder turns datagrams into rows. It belongs to one goroutine; what decoders of a protocol share
// (templates, sampling rates) is in the Protocol that made them.
type Decoder interface {
	// Decode adds the rows of the datagram to out. It counts what it cannot decode; nothing from the network
	// causes an error.
	Decode(d *Datagram, out *Out)

	// Mark records the positions in the sequences of all exporters heard since the last call. Call the
	// returned function, on any goroutine, once the rows of everything decoded until now are durable. It is
	// nil if no exporter was heard.
	Mark() (durable func())

	// Notes sets the function that receives notes about everything that is not a row.
	Notes(tell func(Note))
}
