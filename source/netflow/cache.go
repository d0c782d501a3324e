package netflow

import (
	"net/netip"
	"sync/atomic"
	"time"

	"netmeta/source"
)

// State of the exporters, from the outside in:
//
//	exporter (address, version) ─► domain (observation domain) ─► session (source port) ─► template (id)
//
// A template belongs to the session that announced it (RFC 7011 §8: transport session and observation
// domain), so that two processes with one address do not overwrite each other's templates. But exporters
// return with another source port and announce nothing for minutes, and some announce from one port and send
// data from another. So a session that lacks a template borrows it from another session of its domain, if all
// templates with that ID have the same layout.
//
// State.mu guards everything here. Decoders do not lock it for data: each has a view of a session, with the
// templates it has used, which is valid until the domain's generation changes.

type exporterKey struct {
	addr    netip.Addr
	version uint16
}

type exporter struct {
	key     exporterKey
	entry   *source.Exporter
	known   bool // entry is the exporter's own, not the shared one
	domains map[uint32]*domain
	held    int // sessions and templates
}

type domain struct {
	exporter *exporter
	id       uint32
	// generation changes whenever a view of one of the sessions may be outdated: a template was added,
	// replaced or evicted, or options data changed something.
	generation atomic.Uint64
	sessions   []*session // few: one per source port
	waiting    []waitingSet
	waitBytes  int
}

type session struct {
	domain    *domain
	port      uint16
	templates map[uint16]*template
	reported  *exporterOptions // nil: none received

	// Sweeps measure age instead of clocks: a message sets used; a sweep clears it and counts how often it
	// was clear already. proven says that a template fitted some data, settled that this happened in many
	// messages, which is harder to forge.
	used    atomic.Bool
	proven  atomic.Bool
	settled atomic.Bool
	idle    int

	sequence source.Followed
	withData atomic.Int32 // messages with data, up to settledAfter
}

// settledAfter is the number of messages with data after which a session is settled.
const settledAfter = 32

// maxPorts is the number of source ports per domain that are distinguished; one more evicts the one that was
// silent longest.
const maxPorts = 64

// Expiry is measured in sweeps.
const sweepsPerExpiry = 24

type viewKey struct {
	exporter netip.AddrPort
	domain   uint32
	version  uint16
}

// view is one decoder's copy of a session. Only that decoder uses it.
type view struct {
	key        viewKey
	generation uint64
	session    *session
	entry      *source.Exporter
	known      bool
	made       int64 // time of the message for which it was made, in milliseconds
	reported   *exporterOptions
	metadata   *Metadata                 // nil: none received
	templates  map[uint16]viewedTemplate // nil for IDs known to be unknown
}

type viewedTemplate struct {
	*template
	borrowed bool
}

// maxViews bounds the views of a decoder, which discards all of them when it reaches the limit.
const maxViews = 8192

// lookup returns the view of the sender of the current message.
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

// view makes a view of a session, and the session if necessary.
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
	v.entry, v.known, v.reported = x.entry, x.known, noOptions
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
		if len(dom.sessions) >= maxPorts || x.held >= s.options.ExporterTemplates {
			s.evictLocked(leastOf(dom.sessions))
		}
		if x.held >= s.options.ExporterTemplates || !s.roomLocked(0, nil) {
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
	v.reported = optionsLocked(v.session)
	v.metadata = s.metadata[xk.addr]
	return v
}

// enlistLocked gives an exporter an entry in the list, again if it was evicted or there was no room for it.
func (s *State) enlistLocked(x *exporter, typ uint8) {
	entry, known := s.options.Exporters.Of(x.key.addr, typ)
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

// optionsLocked returns the options data that apply to a session: its own, or those of another port of its
// domain, or of domain 0, which in IPFIX means the whole exporter (RFC 7011 §3.1).
func optionsLocked(ses *session) *exporterOptions {
	if ses.reported != nil {
		return ses.reported
	}
	whole := ses.domain
	if x := ses.domain.exporter; x.key.version == 10 {
		whole = x.domains[0]
	}
	for _, dom := range []*domain{ses.domain, whole} {
		if dom == nil {
			continue
		}
		if f := newestOptions(dom); f != nil {
			return f
		}
	}
	return noOptions
}

// newestOptions returns the latest options data of any port of the domain; nil if there are none.
func newestOptions(dom *domain) (newest *exporterOptions) {
	for _, ses := range dom.sessions {
		if f := ses.reported; f != nil && (newest == nil || f.version > newest.version) {
			newest = f
		}
	}
	return newest
}

// template looks up a template for the message's session.
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
		// Deferred until needed, because most templates of a flood never are.
		elements := t.elements()
		t.plan = compile(elements)
		t.plan.extras = s.extras(elements)
		if s.options.oneWay {
			t.plan.reverse = nil
		}
	}
	return t
}

// setTemplate stores a template of the message's session. It reports whether the template is new.
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
		return false // another decoder has just evicted it; the next message makes it again
	}
	if !s.addLocked(ses, t) {
		d.refuse(TooManyTemplates)
		return false
	}
	s.refreshLocked(d)
	return true
}

// addLocked puts a template into a session and replaces one with the same ID. It reports whether there was
// room.
func (s *State) addLocked(ses *session, t *template) bool {
	x := ses.domain.exporter
	if old := ses.templates[t.id]; old == nil {
		if x.held >= s.options.ExporterTemplates || !s.roomLocked(len(t.spec), ses) {
			return false
		}
		x.held++
		s.held++
		x.entry.Templates.Add(1)
	} else {
		if more := len(t.spec) - len(old.spec); s.bytes+more > s.options.TemplateBytes && !s.roomLocked(more, ses) {
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

// refreshLocked updates the view of the current message.
func (s *State) refreshLocked(d *Decoder) {
	v := d.view
	clear(v.templates)
	v.generation = d.session.domain.generation.Load()
	v.reported = optionsLocked(d.session)
	v.metadata = s.metadata[v.key.exporter.Addr().Unmap()]
	d.reported, d.metadata = v.reported, v.metadata
}

// everyGenerationLocked invalidates all views of an exporter.
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

// roomLocked makes room for one more session or template of that many bytes. At the global limit it evicts
// the least useful of a few sessions chosen at random; sessions with recent and frequent data stay.
func (s *State) roomLocked(bytes int, keep *session) bool {
	for try := 0; s.held >= s.options.Templates || s.bytes+bytes > s.options.TemplateBytes; try++ {
		var some []*session
		for _, x := range s.exporters { // random order
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

// lessThan reports which of two sessions is better to evict: one without its own templates, which loses
// nothing, then one without decoded data, then one with few, then the one that has been silent longer.
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

// evictLocked removes a session; nil does nothing.
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

// sweepLocked looks for silent sessions a few times per expiry time, and evicts those that were silent all
// that time.
func (s *State) sweepLocked() {
	now := time.Now()
	if now.Sub(s.swept) < s.options.Expiry/sweepsPerExpiry {
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
