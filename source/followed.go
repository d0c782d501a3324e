package source

import (
	"sync"
	"time"
)

// A Followed is the sequence of one sender, and the place in it up to which all rows are
// durable. The zero value is ready; it is safe for concurrent use.
type Followed struct {
	mu       sync.Mutex
	sequence Sequence
	kept     Mark
	isKept   bool
}

// Heard takes note of a datagram.
func (f *Followed) Heard(now Arrival, n Numbering) Finding {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.sequence.Heard(now, n)
}

// Settle gives up waiting for late datagrams.
func (f *Followed) Settle() Finding {
	f.mu.Lock()
	defer f.mu.Unlock()
	return Finding{Lost: f.sequence.Settle()}
}

// Restart has the sequence begin with the next datagram: what was sent until then is not
// lost.
func (f *Followed) Restart() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sequence.Restart()
	f.isKept = false
}

// Mark is where the sequence is; see Sequence.Mark.
func (f *Followed) Mark() (m Mark, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.sequence.Mark()
}

// Kept is the place up to which all rows are durable; ok is false when none is known.
func (f *Followed) Kept() (m Mark, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.kept, f.isKept
}

func (f *Followed) keep(m Mark, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.kept, f.isKept = m, ok
}

// Marks are the senders that one decoder has heard since the last Take. It belongs to one
// goroutine. The zero value is ready.
type Marks struct {
	heard map[*Followed]struct{}
	last  *Followed // of heard, most recently
}

// Heard takes note of a sender whose datagram is decoded.
func (m *Marks) Heard(f *Followed) {
	if f == m.last || len(m.heard) >= MaxHeard {
		return
	}
	if m.heard == nil {
		m.heard = map[*Followed]struct{}{}
	}
	m.last = f
	m.heard[f] = struct{}{}
}

// Take takes note of the places of the senders that were heard since the last call. Call
// the function that it returns, on any goroutine, when the rows of all that was decoded
// until now are durable. It is nil when nothing was heard.
func (m *Marks) Take() (durable func()) {
	if len(m.heard) == 0 {
		return nil
	}
	type place struct {
		sender *Followed
		mark   Mark
		ok     bool
	}
	places := make([]place, 0, len(m.heard))
	for f := range m.heard {
		mark, ok := f.Mark()
		places = append(places, place{f, mark, ok})
	}
	clear(m.heard)
	m.last = nil
	return func() {
		for _, p := range places {
			p.sender.keep(p.mark, p.ok)
		}
	}
}

// markFor is how old the place in a sequence may be to be gone on from.
const markFor = 24 * time.Hour

// Places are the places in sequences that an earlier run kept, by what tells senders
// apart, until each sender is heard. The zero value is empty.
type Places[K comparable] struct{ marks map[K]Mark }

// Add adds the place of a sender, unless it is a day old or there are limit places.
func (p *Places[K]) Add(sender K, m Mark, limit int) {
	if m.At < time.Now().Add(-markFor).UnixMilli() || len(p.marks) >= limit {
		return
	}
	if p.marks == nil {
		p.marks = map[K]Mark{}
	}
	p.marks[sender] = m
}

// Follow has the sequence of a sender that is heard for the first time go on from its
// place, if there is one. What is missing since then is a Missed, once.
func (p *Places[K]) Follow(sender K, f *Followed) {
	m, ok := p.marks[sender]
	if !ok {
		return
	}
	delete(p.marks, sender)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sequence.Follow(m)
	f.kept, f.isKept = m, true
}

// Forget removes the places of senders.
func (p *Places[K]) Forget(which func(K) bool) {
	for k := range p.marks {
		if which(k) {
			delete(p.marks, k)
		}
	}
}

// All are the places of senders that were not heard yet. Do not change the map.
func (p *Places[K]) All() map[K]Mark { return p.marks }
