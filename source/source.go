// Package source is how flows come in. Its folders are the family of sources, each
// a way in; this package holds what they share: the datagram, the decoder, the
// counters of what was taken and what was refused, and the list of exporters.
//
// A source never sees what happens to its batches: it fills one and flushes it.
package source

import (
	"net/netip"
	"time"

	"netmeta/column"
)

// A Datagram is what arrived in one UDP packet.
type Datagram struct {
	Payload  []byte         // valid during Decode only
	Exporter netip.AddrPort // who sent it; IPv4 unmapped
	Received time.Time      // kernel timestamp, or the time in the capture file
}

// A Decoder turns datagrams into rows of the flows table. It belongs to one
// goroutine; what decoders of a protocol share (templates, sampling rates) is in
// the state that made them.
type Decoder interface {
	// Decode adds the datagram's flows to the batch and calls flush whenever the
	// batch is full, after which the batch is empty and goes on being filled. What
	// it cannot decode it counts; nothing from the network is an error.
	Decode(d *Datagram, b *column.Batch, flush func())
}
