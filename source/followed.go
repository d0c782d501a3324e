package source

import (
	"sync"
	"time"
)

// Followed is the sequence of one exporter, and the position in it up to which all rows are durable. The zero
// value is ready; it is safe for concurrent use.
type Followed struct {
	mu       sync.Mutex
	sequence Sequence
	kept     Mark
	isKept   bool
}

// Heard records a datagram.
func (f *Followed) Heard(now Arrival, n Numbering) SequenceResult {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.sequence.Heard(now, n)
}

// Settle stops waiting for late datagrams.
func (f *Followed) Settle() SequenceResult {
	f.mu.Lock()
	defer f.mu.Unlock()
	return SequenceResult{Lost: f.sequence.Settle()}
}

// Restart starts the sequence with the next datagram. Earlier datagrams do not count as lost.
func (f *Followed) Restart() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sequence.Restart()
	f.isKept = false
}

// Mark returns the position in the sequence; see Sequence.Mark.
func (f *Followed) Mark() (m Mark, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.sequence.Mark()
}

// Kept returns the position up to which all rows are durable; ok is false if none is known.
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

// Marks are the exporters that one decoder has heard since the last Take. It belongs to one goroutine. The
// zero value is ready.
type Marks struct {
	heard map[*Followed]struct{}
	last  *Followed // the newest of heard
}

// Heard records an exporter whose datagram is decoded.
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

// Take records the positions of the exporters heard since the last call. Call the returned function, on any
// goroutine, once the rows of everything decoded until now are durable. It is nil if no exporter was heard.
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

// markFor is the maximum age of a position from which a sequence continues.
const markFor = 24 * time.Hour

// Positions are the positions that an earlier run saved, by the key of the exporter, until each exporter is
// heard. The zero value is empty.
type Positions[K comparable] struct{ marks map[K]Mark }

// Add adds the position of an exporter, unless it is a day old or there are limit positions.
func (p *Positions[K]) Add(sender K, m Mark, limit int) {
	if m.At < time.Now().Add(-markFor).UnixMilli() || len(p.marks) >= limit {
		return
	}
	if p.marks == nil {
		p.marks = map[K]Mark{}
	}
	p.marks[sender] = m
}

// Follow continues the sequence of an exporter that is heard for the first time from its saved position, if
// there is one. What is missing since then is reported once, as Missed.
func (p *Positions[K]) Follow(sender K, f *Followed) {
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

// Forget removes positions.
func (p *Positions[K]) Forget(which func(K) bool) {
	for k := range p.marks {
		if which(k) {
			delete(p.marks, k)
		}
	}
}

// All returns the positions of exporters that were not heard yet. Do not change the map.
func (p *Positions[K]) All() map[K]Mark { return p.marks }
