package sflow

import (
	"fmt"
	"iter"

	"netmeta/source"
)

// A notification of a discarded packet (https://sflow.org/sflow_drops.txt) is not a flow: the packet did not
// cross the device. Agents limit the rate of notifications, so they cannot be scaled to all discards. In the
// flows table they would look like traffic, and count twice if the packet was also sampled. They are counted
// by reason; the counters table has the discards of each interface.

// Reasons below 256 are codes of ICMP destination unreachable; others are those of the document and later
// additions. All larger ones share one counter.
const discardReasons = 512

var discardNames = map[uint32]string{
	0: "net-unreachable", 1: "host-unreachable", 2: "protocol-unreachable", 3: "port-unreachable", 4: "fragmentation-needed",
	5: "source-route-failed", 6: "net-unknown", 7: "host-unknown", 8: "source-isolated", 9: "net-prohibited", 10: "host-prohibited",
	11: "net-tos-unreachable", 12: "host-tos-unreachable", 13: "communication-prohibited", 14: "host-precedence-violation", 15: "precedence-cutoff",
	256: "unknown", 257: "ttl-exceeded", 258: "acl", 259: "no-buffer-space", 260: "red", 261: "traffic-shaping", 262: "packet-too-big",
	263: "source-mac-is-multicast", 264: "vlan-tag-mismatch", 265: "ingress-vlan-filter", 266: "ingress-spanning-tree-filter",
	267: "port-list-is-empty", 268: "port-loopback-filter", 269: "blackhole-route", 270: "not-ip", 271: "uc-dip-over-mc-dmac",
	272: "dip-is-loopback", 273: "sip-is-multicast", 274: "sip-is-loopback", 275: "ip-header-corrupted", 276: "ipv4-sip-is-limited-broadcast",
	277: "ipv6-mc-dip-reserved-scope", 278: "ipv6-mc-dip-interface-local-scope", 279: "unresolved-neighbour", 280: "multicast-reverse-path-forwarding",
	281: "non-routable-packet", 282: "decap-error", 283: "overlay-source-mac-is-multicast", 284: "unknown-l2", 285: "unknown-l3",
	286: "unknown-l3-exception", 287: "unknown-buffer", 288: "unknown-tunnel", 289: "unknown-l4",
}

// discarded reads
//
//	0          4       8       12      16      20       24       28        32
//	| sequence | class | index | drops | input | output | reason | records | record …
func (d *Decoder) discarded(b []byte) {
	d.state.counters.DiscardedSamples.Add(1)
	if len(b) < 32 {
		d.refuse(source.BadLength)
		return
	}
	reason := min(be32(b[24:]), discardReasons)
	d.state.discarded[reason].Add(1)
	if d.tell != nil {
		d.tell(source.Note{Record: source.NoteDiscarded, Parts: append(d.parts(),
			source.Part{Name: "InIf", Value: uint64(be32(b[16:]))}, source.Part{Name: "OutIf", Value: uint64(be32(b[20:]))},
			source.Part{Name: "Reason", Value: discardName(reason)})})
	}
}

func discardName(reason uint32) string {
	switch name := discardNames[reason]; {
	case reason == discardReasons:
		return "other"
	case name == "":
		return fmt.Sprint(reason)
	default:
		return name
	}
}

// Discarded yields the reasons for which packets were discarded, and the number of notifications. It omits
// reasons that never occurred.
func (s *State) Discarded() iter.Seq2[string, uint64] {
	return func(yield func(string, uint64) bool) {
		for i := range s.discarded {
			n := s.discarded[i].Load()
			if n == 0 {
				continue
			}
			if !yield(discardName(uint32(i)), n) {
				return
			}
		}
	}
}
