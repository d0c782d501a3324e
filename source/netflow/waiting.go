package netflow

import (
	"netmeta/flow"
)

// waitingSet is a data set that waits for its template.
type waitingSet struct {
	id   uint16
	body []byte
	from message
}

// wait stores a set until its template arrives, if there is room. Sets that are dropped count as NoTemplate.
func (d *Decoder) wait(id uint16, body []byte) {
	s := d.state
	if d.session == nil {
		d.refuse(NoTemplate)
		d.entry.Dropped.Add(1)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	dom := d.session.domain
	// The first has waited longest. When its time is over, those whose time is nearly over are dropped too,
	// so that this pass does not happen for every set.
	limit := s.options.WaitTime.Milliseconds()
	if len(dom.waiting) > 0 && dom.waiting[0].from.received < d.received-limit {
		oldest := d.received - limit*7/8
		s.dropWaitingLocked(dom, func(w *waitingSet) bool { return w.from.received < oldest })
	}
	size := waitingSize(body)
	// One domain uses at most a quarter of the room.
	if s.waiting+size > s.options.WaitBytes || dom.waitBytes+size > s.options.WaitBytes/4 || d.session.gone() {
		d.refuse(NoTemplate)
		d.entry.Dropped.Add(1)
		return
	}
	dom.exporter.entry.Waiting.Add(1)
	s.waiting += size
	dom.waitBytes += size
	dom.waiting = append(dom.waiting, waitingSet{id, append([]byte(nil), body...), d.message})
}

func waitingSize(body []byte) int { return len(body) + 256 }

// release decodes the sets that waited for a template that has just arrived.
func (d *Decoder) release(id uint16) {
	s := d.state
	s.mu.Lock()
	dom := d.session.domain
	var now []waitingSet
	var with []viewedTemplate
	kept := dom.waiting[:0]
	for _, w := range dom.waiting {
		t := viewedTemplate{}
		if w.id == id {
			t = s.templateLocked(w.from.session, id)
		}
		switch {
		case t.template == nil || t.borrowed && !t.fits(w.body):
			kept = append(kept, w)
			continue
		case w.from.received < d.received-s.options.WaitTime.Milliseconds():
			d.refuse(NoTemplate)
			d.entry.Dropped.Add(1)
		default:
			w.from.entry, w.from.reported, w.from.metadata = d.entry, optionsLocked(w.from.session), s.metadata[w.from.exporter.Addr().Unmap()]
			now, with = append(now, w), append(with, t)
		}
		dom.waitBytes -= waitingSize(w.body)
		s.waiting -= waitingSize(w.body)
		dom.exporter.entry.Waiting.Add(-1)
	}
	clear(dom.waiting[len(kept):])
	dom.waiting = kept
	s.mu.Unlock()

	for i, w := range now {
		current := d.message
		d.message = w.from
		d.quality |= flow.LateTemplate
		d.flows, d.records = 0, 0
		d.decodeSet(with[i].template, w.body)
		current.flows += d.flows
		d.entry.Records.Add(uint64(d.records))
		d.message = current
		d.reported, d.metadata = d.view.reported, d.view.metadata // the sets may have included options data
	}
}

// dropWaitingLocked drops waiting sets and counts them.
func (s *State) dropWaitingLocked(dom *domain, drop func(*waitingSet) bool) {
	kept := dom.waiting[:0]
	for _, w := range dom.waiting {
		if !drop(&w) {
			kept = append(kept, w)
			continue
		}
		dom.waitBytes -= waitingSize(w.body)
		s.waiting -= waitingSize(w.body)
		s.counters.Refuse(NoTemplate)
		x := dom.exporter.entry
		x.Waiting.Add(-1)
		x.Current().Refuse(NoTemplate)
		x.Current().Dropped.Add(1)
	}
	clear(dom.waiting[len(kept):])
	dom.waiting = kept
}
