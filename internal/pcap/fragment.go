package pcap

import (
	"net/netip"
	"slices"
	"time"
)

// Limits of reassembly. A capture of flow data has only a few fragmented datagrams at a time.
const (
	maxPending   = 256              // datagrams waiting for fragments
	maxFragments = 128              // of one datagram
	maxDatagram  = 65535            // bytes, RFC 791
	fragmentWait = 30 * time.Second // as Linux waits (ip_frag_time), by the clock of the capture
)

// fragmentKey identifies the fragments of one datagram: RFC 791, section 3.2, and RFC 8200, section 4.5.
type fragmentKey struct {
	src, dst netip.Addr
	id       uint32
	proto    uint8
}

// reassembler joins fragments. Its zero value is ready.
type reassembler struct {
	pending map[fragmentKey]*pendingDatagram
	order   []fragmentKey // in the order of the first fragments, oldest first
}

type pendingDatagram struct {
	first time.Time
	data  []byte
	spans [][2]int // received parts of data, in order, not overlapping
	total int      // length of the datagram, -1 until the last fragment has arrived
}

// add stores one fragment and returns the datagram when it is complete. lost holds the reasons why this fragment or
// others were dropped; zero (not a fragment reason) where there is none.
func (a *reassembler) add(now time.Time, key fragmentKey, data []byte, offset int, more bool) (whole []byte, lost [3]skipReason) {
	// Captures are ordered by time, so the first in order is the oldest. Each new one drops one.
	if len(a.order) > 0 {
		if old := a.order[0]; now.Sub(a.pending[old].first) > fragmentWait {
			a.drop(old)
			lost[0] = reasonFragmentLost
		}
	}
	end := offset + len(data)
	if end > maxDatagram || len(data) == 0 || more && len(data)%8 != 0 {
		lost[1] = reasonBadFragment
		return nil, lost
	}
	p := a.pending[key]
	if p == nil {
		if len(a.pending) == maxPending {
			a.drop(a.order[0])
			lost[2] = reasonFragmentLimit
		}
		if a.pending == nil {
			a.pending = make(map[fragmentKey]*pendingDatagram)
		}
		p = &pendingDatagram{first: now, total: -1}
		a.pending[key] = p
		a.order = append(a.order, key)
	}

	at, found := slices.BinarySearchFunc(p.spans, offset, func(s [2]int, offset int) int { return s[0] - offset })
	if found && p.spans[at][1] == end {
		return nil, lost // a duplicate, as in captures on two interfaces
	}
	overlaps := found ||
		at > 0 && p.spans[at-1][1] > offset ||
		at < len(p.spans) && p.spans[at][0] < end
	contradicts := p.total >= 0 && (end > p.total || !more) ||
		!more && len(p.spans) > 0 && p.spans[len(p.spans)-1][1] > end
	if overlaps || contradicts || len(p.spans) == maxFragments {
		// RFC 5722: drop the whole datagram if fragments overlap, because one of them may be forged.
		a.drop(key)
		lost[1] = reasonBadFragment
		return nil, lost
	}
	if !more {
		p.total = end
	}
	if end > len(p.data) {
		p.data = append(p.data, make([]byte, end-len(p.data))...)
	}
	copy(p.data[offset:], data)
	p.spans = slices.Insert(p.spans, at, [2]int{offset, end})

	if p.total < 0 {
		return nil, lost
	}
	next := 0
	for _, s := range p.spans {
		if s[0] != next {
			return nil, lost
		}
		next = s[1]
	}
	if next != p.total {
		return nil, lost
	}
	a.drop(key)
	return p.data, lost
}

func (a *reassembler) drop(key fragmentKey) {
	delete(a.pending, key)
	if i := slices.Index(a.order, key); i >= 0 {
		a.order = slices.Delete(a.order, i, i+1)
	}
}

// clear drops all waiting datagrams and returns their number.
func (a *reassembler) clear() uint64 {
	n := uint64(len(a.pending))
	clear(a.pending)
	a.order = a.order[:0]
	return n
}
