package netflow

import (
	"net/netip"
	"sync/atomic"
	"time"

	"netmeta/source"
)

// What is known of the senders, from the outside in:
//
//	exporter (address, version) ─► domain (observation domain) ─► session (source port) ─► template (id)
//
// A template belongs to the session that announced it (RFC 7011 §8: transport
// session and observation domain), so that two processes behind one address do
// not overwrite each other's. But exporters come back from another source port
// without announcing anything for minutes, and some announce from one port and
// send data from another. So a session that lacks a template borrows it from
// another session of its domain, provided that all which have that id agree on
// its layout.
//
// Everything here is guarded by State.mu. Decoders do not take it for data: each
// has a view of a session, with the templates it has used, that is good as long
// as the domain's generation stands.

type exporterKey struct {
	addr    netip.Addr
	version uint16
}

type exporter struct {
	key     exporterKey
	entry   *source.Exporter
	known   bool // entry is its own, not the shared one
	domains map[uint32]*domain
	held    int // sessions and templates
}

type domain struct {
	exporter *exporter
	id       uint32
	// generation changes whenever a view of one of the sessions may have become
	// wrong: a template is new, replaced or forgotten, or options data told
	// something new.
	generation atomic.Uint64
	sessions   []*session // few: one for each source port
	waiting    []waitingSet
	waitBytes  int
}

type session struct {
	domain    *domain
	port      uint16
	templates map[uint16]*template
	facts     *facts // nil: told nothing

	// Age is told by sweeps, not by clocks: a message sets used, a sweep takes it
	// back and counts how often it found nothing. proven says that data came
	// which a template fitted, settled that it did so in many messages; the forged
	// do not get that far as cheaply.
	used    atomic.Bool
	proven  atomic.Bool
	settled atomic.Bool
	idle    int

	sequence source.Followed
	withData atomic.Int32 // messages with data, up to settledAfter
}

// settledAfter is the number of messages with data after which a session is
// settled.
const settledAfter = 32

// maxPorts is the number of source ports of one domain that are told apart; when
// one more comes, the one that was silent longest goes.
const maxPorts = 64

// expiry is measured in sweeps.
const sweepsPerExpiry = 24

type viewKey struct {
	exporter netip.AddrPort
	domain   uint32
	version  uint16
}

// A view is what one decoder knows of one session. It is used by that decoder
// alone.
type view struct {
	key        viewKey
	generation uint64
	session    *session
	entry      *source.Exporter
	known      bool
	made       int64 // when the message came for which it was made, in milliseconds
	facts      *facts
	metadata   *Metadata                 // nil: told nothing
	templates  map[uint16]viewedTemplate // with nil for ids known to be unknown
}

type viewedTemplate struct {
	*template
	borrowed bool
}

// maxViews bounds the views of a decoder; all are made anew when it is reached.
const maxViews = 8192

// lookup is the view of the sender of the current message.
func (d *Decoder) lookup() *view {
	key := viewKey{d.exporter, d.domain, d.version}
	v := d.last
	if v == nil || v.key != key {
		v = d.views[key]
	}
	if v == nil || v.session == nil || v.generation != v.session.domain.generation.Load() || v.entry.Forgotten() || !v.known && v.made+1000 <= d.received {
		v = d.state.view(key, d.typ)
		v.made = d.received
		if len(d.views) >= maxViews {
			clear(d.views)
		}
		d.views[key] = v
	}
	d.last = v
	return v
}

// view makes a view of a session, and the session if there is none.
func (s *State) view(key viewKey, typ uint8) *view {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.viewLocked(key, typ)
}

func (s *State) viewLocked(key viewKey, typ uint8) *view {
	s.sweepLocked()
	v := &view{key: key, templates: map[uint16]viewedTemplate{}}
	xk := exporterKey{key.exporter.Addr().Unmap(), key.version}
	x := s.exporters[xk]
	if x == nil {
		x = &exporter{key: xk, domains: map[uint32]*domain{}}
	}
	if x.entry == nil || !x.known || x.entry.Forgotten() {
		s.enlistLocked(x, typ)
	}
	v.entry, v.known, v.facts = x.entry, x.known, noFacts
	dom := x.domains[key.domain]
	if dom == nil {
		dom = &domain{exporter: x, id: key.domain}
	}
	for _, ses := range dom.sessions {
		if ses.port == key.exporter.Port() {
			v.session = ses
		}
	}
	if v.session == nil {
		if len(dom.sessions) >= maxPorts || x.held >= s.config.ExporterTemplates {
			s.evictLocked(leastOf(dom.sessions))
		}
		if x.held >= s.config.ExporterTemplates || !s.roomLocked(0, nil) {
			return v
		}
		s.exporters[xk], x.domains[key.domain] = x, dom
		v.session = &session{domain: dom, port: key.exporter.Port(), templates: map[uint16]*template{}}
		s.following.Follow(v.session.key(), &v.session.sequence)
		v.session.used.Store(true)
		dom.sessions = append(dom.sessions, v.session)
		x.held++
		s.held++
	}
	v.generation = dom.generation.Load()
	v.facts = factsLocked(v.session)
	v.metadata = s.metadata[xk.addr]
	return v
}

// enlistLocked gives an exporter an entry in the list, once more if it was forgotten
// or there was no room for it.
func (s *State) enlistLocked(x *exporter, typ uint8) {
	entry, known := s.config.Exporters.Of(x.key.addr, typ)
	if entry == x.entry {
		return
	}
	templates, waiting := int64(x.held), int64(0)
	for _, dom := range x.domains {
		templates -= int64(len(dom.sessions))
		waiting += int64(len(dom.waiting))
	}
	if x.entry != nil {
		x.entry.Templates.Add(-templates)
		x.entry.Waiting.Add(-waiting)
	}
	entry.Templates.Add(templates)
	entry.Waiting.Add(waiting)
	x.entry, x.known = entry, known
}

// factsLocked is what options data told that holds for a session: its own, or of
// another port of its domain, or of domain 0, which in IPFIX stands for the whole
// exporter (RFC 7011 §3.1).
func factsLocked(ses *session) *facts {
	if ses.facts != nil {
		return ses.facts
	}
	whole := ses.domain
	if x := ses.domain.exporter; x.key.version == 10 {
		whole = x.domains[0]
	}
	for _, dom := range []*domain{ses.domain, whole} {
		if dom == nil {
			continue
		}
		if f := newestFacts(dom); f != nil {
			return f
		}
	}
	return noFacts
}

// newestFacts are the latest that any port of the domain told; nil if none did.
func newestFacts(dom *domain) (newest *facts) {
	for _, ses := range dom.sessions {
		if f := ses.facts; f != nil && (newest == nil || f.told > newest.told) {
			newest = f
		}
	}
	return newest
}

// template finds a template for the message's session.
func (d *Decoder) template(id uint16) viewedTemplate {
	if d.session == nil {
		return viewedTemplate{}
	}
	t, seen := d.view.templates[id]
	if !seen {
		d.state.mu.Lock()
		t = d.state.templateLocked(d.session, id)
		d.state.mu.Unlock()
		d.view.templates[id] = t
	}
	return t
}

func (s *State) templateLocked(ses *session, id uint16) (t viewedTemplate) {
	t.template = ses.templates[id]
	if t.template == nil {
		for _, other := range ses.domain.sessions {
			o := other.templates[id]
			if o == nil {
				continue
			}
			if t.template != nil && !t.template.same(o) {
				return viewedTemplate{}
			}
			t.template, t.borrowed = o, true
		}
	}
	if t.template != nil && t.plan == nil && !t.options {
		// Not before it is needed: most templates of a flood never are.
		elements := t.elements()
		t.plan = compile(elements)
		t.plan.extras = s.extras(elements)
		if s.config.oneWay {
			t.plan.reverse = nil
		}
	}
	return t
}

// setTemplate remembers a template of the message's session. It reports whether
// the template is one that was not known before.
func (d *Decoder) setTemplate(t *template) (news bool) {
	s := d.state
	if d.session == nil {
		d.refuse(TooManyTemplates)
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	ses := d.session
	old := ses.templates[t.id]
	if old != nil && old.same(t) {
		return false
	}
	if ses.domain.sessions == nil || ses.gone() {
		return false // evicted by another decoder just now; the next message makes it anew
	}
	if !s.addLocked(ses, t) {
		d.refuse(TooManyTemplates)
		return false
	}
	s.refreshLocked(d)
	return true
}

// addLocked puts a template into a session, in place of one with the same id. It
// reports whether there was room.
func (s *State) addLocked(ses *session, t *template) bool {
	x := ses.domain.exporter
	if old := ses.templates[t.id]; old == nil {
		if x.held >= s.config.ExporterTemplates || !s.roomLocked(len(t.spec), ses) {
			return false
		}
		x.held++
		s.held++
		x.entry.Templates.Add(1)
	} else {
		if more := len(t.spec) - len(old.spec); s.bytes+more > s.config.TemplateBytes && !s.roomLocked(more, ses) {
			return false
		}
		s.bytes -= len(old.spec)
	}
	s.bytes += len(t.spec)
	ses.templates[t.id] = t
	ses.domain.generation.Add(1)
	s.changes.Add(1)
	return true
}

// refreshLocked brings the view of the current message up to date.
func (s *State) refreshLocked(d *Decoder) {
	v := d.view
	clear(v.templates)
	v.generation = d.session.domain.generation.Load()
	v.facts = factsLocked(d.session)
	v.metadata = s.metadata[v.key.exporter.Addr().Unmap()]
	d.facts, d.metadata = v.facts, v.metadata
}

// everyGenerationLocked makes all views of an exporter wrong.
func (x *exporter) everyGenerationLocked() {
	for _, dom := range x.domains {
		dom.generation.Add(1)
	}
}

func (ses *session) gone() bool {
	for _, s := range ses.domain.sessions {
		if s == ses {
			return false
		}
	}
	return true
}

// roomLocked makes room for one more session or template of so many bytes. When
// the limit in all is reached, of a few sessions taken at random the least
// useful goes; sessions of which data were decoded lately and often stay.
func (s *State) roomLocked(bytes int, keep *session) bool {
	for try := 0; s.held >= s.config.Templates || s.bytes+bytes > s.config.TemplateBytes; try++ {
		var some []*session
		for _, x := range s.exporters { // in random order
			for _, dom := range x.domains {
				if ses := leastOf(dom.sessions); ses != nil && ses != keep {
					some = append(some, ses)
				}
				break
			}
			if len(some) == 16 {
				break
			}
		}
		least := leastOf(some)
		if try == 64 || least == nil || len(least.templates) > 0 && least.settled.Load() && least.idle == 0 {
			return false
		}
		s.evictLocked(least)
	}
	return true
}

func leastOf(sessions []*session) (least *session) {
	for _, ses := range sessions {
		if least == nil || ses.lessThan(least) {
			least = ses
		}
	}
	return least
}

// lessThan says which of two is the better to forget: one without templates of
// its own, which loses nothing by it, then one of which no data were decoded, then
// one of which few were, then the one that is silent longer.
func (ses *session) lessThan(other *session) bool {
	if a, b := len(ses.templates) > 0, len(other.templates) > 0; a != b {
		return b
	}
	if a, b := ses.proven.Load(), other.proven.Load(); a != b {
		return b
	}
	if a, b := ses.settled.Load(), other.settled.Load(); a != b {
		return b
	}
	return ses.idle > other.idle
}

// evictLocked forgets a session; nil does nothing.
func (s *State) evictLocked(ses *session) {
	if ses == nil || ses.gone() {
		return
	}
	dom := ses.domain
	x := dom.exporter
	for i := range dom.sessions {
		if dom.sessions[i] == ses {
			dom.sessions = append(dom.sessions[:i:i], dom.sessions[i+1:]...)
			break
		}
	}
	s.dropWaitingLocked(dom, func(w *waitingSet) bool { return w.from.session == ses })
	n := len(ses.templates)
	for _, t := range ses.templates {
		s.bytes -= len(t.spec)
	}
	x.entry.Templates.Add(-int64(n))
	x.held -= n + 1
	s.held -= n + 1
	dom.generation.Add(1)
	s.changes.Add(1)
	if len(dom.sessions) == 0 {
		delete(x.domains, dom.id)
		if len(x.domains) == 0 {
			delete(s.exporters, x.key)
			s.forgetLocked(x.key.addr)
		}
	}
}

// sweepLocked looks, a few times within the time of expiry, for sessions of which
// nothing came, and forgets those that were silent all the time.
func (s *State) sweepLocked() {
	now := time.Now()
	if now.Sub(s.swept) < s.config.Expiry/sweepsPerExpiry {
		return
	}
	s.swept = now
	var old []*session
	for _, x := range s.exporters {
		for _, dom := range x.domains {
			for _, ses := range dom.sessions {
				ses.idle++
				if ses.used.Swap(false) {
					ses.idle = 0
				}
				if ses.idle > sweepsPerExpiry {
					old = append(old, ses)
				}
			}
		}
	}
	for _, ses := range old {
		s.evictLocked(ses)
	}
}
