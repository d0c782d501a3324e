// Package simulate sends flow datagrams, either of simulated traffic (Run) or from a capture file (Replay).
//
// # The model
//
// A small provider (AS 64500) has customers behind a few edge routers, and each router is an exporter. Remote ends are
// hosts in well-known autonomous systems. A flow is drawn in the order in which traffic arises:
//
//	AS (weight, time of day) ─► service (offered by hosts of such an AS) ─► remote host and customer host (Zipf)
//	─► direction ─► packets (log-normal with a Pareto tail) and bytes (by service and direction) ─► interfaces, routes
//
// Streaming peaks in the evening and offices in the morning, by the wall clock, and the total volume follows the time of
// day. About every twenty minutes one customer host is the target of a DNS amplification attack for a minute.
// Customers have addresses that are reserved for documentation and benchmarks (RFC 5737, 3849, 9637, 2544). Prefixes of
// real autonomous systems are plausible; hosts in them are hashes.
//
// The same seed gives the same flows in the same order. Only times, and values that depend on the time of day, differ.
//
// # On the wire
//
// Exporters differ as real ones do: in source address and port, observation domain (source ID, engine ID, sub-agent),
// sampling rate, the way that rate is announced (v5 header; v9 and IPFIX options of several kinds; sFlow
// sample), templates, counter widths and expanded samples. Sequence numbers count the unit that each protocol counts.
//
// # Speed
//
// The collector under test shares the machine, so sending must cost little. Datagrams are encoded once into a pool. When
// one is sent again, its times and sequence numbers are advanced in place. Above 50,000 flows/s only every sixteenth
// datagram is new. One goroutine sends with sendmmsg, paced by the clock.
package simulate

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Protocol is the encoding of flows.
type Protocol string

// The protocols, with their names on the command line.
const (
	NetFlow5 Protocol = "netflow5"
	NetFlow9 Protocol = "netflow9"
	IPFIX    Protocol = "ipfix"
	SFlow    Protocol = "sflow"
)

// Protocols lists all protocols.
var Protocols = []Protocol{NetFlow5, NetFlow9, IPFIX, SFlow}

// ParseProtocol returns the protocol of that name.
func ParseProtocol(name string) (Protocol, error) {
	if p := Protocol(name); slices.Contains(Protocols, p) {
		return p, nil
	}
	names := make([]string, len(Protocols))
	for i, p := range Protocols {
		names[i] = string(p)
	}
	return "", fmt.Errorf("protocol: %q: unknown; use one of %s", name, strings.Join(names, ", "))
}

// DefaultPort is the port that collectors listen on for p.
func (p Protocol) DefaultPort() uint16 {
	switch p {
	case IPFIX:
		return 4739
	case SFlow:
		return 6343
	}
	return 2055
}

// Options configures a simulation.
type Options struct {
	Protocol  Protocol
	To        string        // HOST:PORT, IPv4 or IPv6; only Run uses it
	Rate      float64       // flows per second over all exporters; 0: as fast as possible
	Daily     bool          // the rate follows the time of day, and Rate is its evening peak
	Duration  time.Duration // 0: without end
	Flows     uint64        // number of flows after which it ends; 0: without end
	Seed      uint64
	Exporters int  // number of exporters; 0: 4, at most 64
	IPv4Only  bool // no IPv6 flows, which are otherwise 3 in 10 (none in NetFlow v5)
	NoEvents  bool // no attacks

	// Sources is the IPv4 address of the first exporter, and in sFlow of its agent; the others follow it. The default is
	// 192.0.2.1 in traffic without sockets. If To is an IPv4 loopback address, Run binds to it, 127.0.1.1 by default, so
	// that the collector can distinguish exporters; other targets see the address of the host.
	Sources netip.Addr

	Now      func() time.Time // the clock; nil: time.Now
	Progress func(Sent)       // called about once a second by the goroutine that sends; may be nil
	Trace    func(Trace)      // called by that goroutine for each datagram of flows that the kernel accepted; may be nil
}

// Trace is a datagram of flows that was sent. If no program listens it is lost, which the kernel may not know.
type Trace struct {
	Time     time.Time // when the kernel accepted it, or a little later
	Domain   uint32    // of the exporter, as in ExporterSent
	Sequence uint32    // as in the datagram
	Flows    uint64
}

const (
	defaultExporters = 4
	maxExporters     = 64
)

// Validate returns an error if o is invalid. It does not check To.
func (o Options) Validate() error {
	if _, err := ParseProtocol(string(o.Protocol)); err != nil {
		return err
	}
	switch {
	case o.Rate < 0 || o.Rate != o.Rate:
		return fmt.Errorf("rate: %v: out of range; use flows per second, or 0 for as fast as possible", o.Rate)
	case o.Duration < 0:
		return fmt.Errorf("duration: %v: out of range; use a positive time, or 0 for no limit", o.Duration)
	case o.Exporters < 0 || o.Exporters > maxExporters:
		return fmt.Errorf("exporters: %d: out of range; use 1 to %d", o.Exporters, maxExporters)
	case o.Daily && o.Rate == 0:
		return errors.New("a daily curve needs a rate; use the rate of the evening peak")
	case o.Sources.IsValid() && !o.Sources.Is4():
		return fmt.Errorf("source address: %v: not IPv4; use an IPv4 address", o.Sources)
	}
	return nil
}

func (o Options) withDefaults() Options {
	if o.Exporters == 0 {
		o.Exporters = defaultExporters
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// Totals counts the traffic that was sent. Bytes and Packets are those of the records (an sFlow sample is one packet of
// the length of its frame); the scaled ones are multiplied by the sampling rate of the record.
type Totals struct {
	Datagrams     uint64 `json:"datagrams"` // with flows, templates or counters
	Flows         uint64 `json:"flows"`     // data records that describe flows, and sFlow flow samples
	Bytes         uint64 `json:"bytes"`
	Packets       uint64 `json:"packets"`
	BytesScaled   uint64 `json:"bytes_scaled"`
	PacketsScaled uint64 `json:"packets_scaled"`
}

func (t *Totals) add(o Totals) {
	t.Datagrams += o.Datagrams
	t.Flows += o.Flows
	t.Bytes += o.Bytes
	t.Packets += o.Packets
	t.BytesScaled += o.BytesScaled
	t.PacketsScaled += o.PacketsScaled
}

// Sent counts exactly what a run sent. A datagram counts once the kernel has accepted it.
type Sent struct {
	Protocol Protocol `json:"protocol"`
	Seconds  float64  `json:"seconds"`
	Rate     float64  `json:"rate"` // flows per second achieved
	Totals
	Templates uint64         `json:"templates"`         // datagrams with templates and options (v9, IPFIX)
	Counters  uint64         `json:"counters"`          // interface counter samples (sFlow)
	Refused   uint64         `json:"refused,omitempty"` // ECONNREFUSED errors: no program listens on the target
	Exporters []ExporterSent `json:"exporters"`
}

// ExporterSent is the part of one exporter.
type ExporterSent struct {
	Source        string     `json:"source"`         // address and port of the datagrams
	Agent         netip.Addr `json:"agent,omitzero"` // sFlow agent address
	Domain        uint32     `json:"domain"`         // source ID, observation domain, engine ID or sub-agent
	SamplingRates []uint32   `json:"sampling_rates"` // more than one if it has several samplers
	Totals
}

// Flow is one flow as in its record on the wire. Values that the record does not carry are zero.
type Flow struct {
	Exporter     int    // index, from 0
	SamplingRate uint32 // of this record, wherever the protocol announces it

	StartMS, EndMS int64 // Unix time in milliseconds; zero in sFlow

	Src, Dst           netip.Addr
	SrcPort, DstPort   uint16 // of ICMP in NetFlow and IPFIX, DstPort is type × 256 + code, as in routers
	Proto              uint8
	TOS, TTL           uint8
	TCPFlags           uint8
	ICMPType, ICMPCode uint8  // if the record has a field or a packet for them
	FlowLabel          uint32 // IPv6
	FragmentID         uint32 // IPv4 identification (sFlow)

	Bytes, Packets uint64 // in sFlow the length of the frame with its check sequence, and 1

	InIf, OutIf      uint32
	SrcVLAN, DstVLAN uint16 // on the input and on the output interface
	SrcMAC, DstMAC   [6]byte

	SrcMask, DstMask    uint8
	SrcAS, DstAS        uint32 // in v5 23456 (RFC 6793) if it has more than 16 bits
	NextHop, BGPNextHop netip.Addr
	ASPath              []uint32 // sFlow; shared, read-only

	Direction        uint8 // element 61: 0 ingress, 1 egress
	ForwardingStatus uint8 // element 89
	EndReason        uint8 // element 136
}
