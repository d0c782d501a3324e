// Package sender stores the decisions of users about senders. An accepted sender is no
// longer listed as new; the datagrams of an ignored one are dropped. The decisions are in
// one file of the data directory. Senders in the configuration are never ignored.
package sender

import (
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"time"

	"netmeta/internal/problem"
	"netmeta/internal/wholefile"
	"netmeta/source"
)

// Standings of a sender.
const (
	New      = "new"      // no decision yet
	Named    = "named"    // in the configuration
	Accepted = "accepted" // accepted by a user
	Ignored  = "ignored"  // its datagrams are dropped
)

// Decisions.
const (
	Accept = "accept"
	Ignore = "ignore"
	Forget = "forget" // undoes a decision
)

// maxDecided limits the decisions, which are held in memory and written as a whole.
const maxDecided = source.MaxExporters

// Sender is an address with a decision. For exporters it is the address in the list of
// exporters; for sFlow that is the agent address.
type Sender struct {
	Address netip.Addr `json:"address"` // As the list of exporters has it: of sFlow the address of the agent.
	// new, accepted, ignored, or named: the configuration names it, which counts before what was decided.
	Standing  string `json:"standing" enum:"new,named,accepted,ignored"`
	Since     int64  `json:"since"`     // When it was decided, seconds since 1970; 0: it was not.
	Datagrams uint64 `json:"datagrams"` // Refused since the start of the process.
	Last      int64  `json:"last"`      // When the last of them came, seconds since 1970; 0: none did.
}

// invalid returns the problem of an invalid key of a decision.
func invalid(key, message string) error {
	return problem.Invalid("decision not understood", key, message)
}

// Errors of a valid decision.
var (
	ErrConfigured = &problem.Error{Status: http.StatusConflict, Title: "sender not ignored", Key: "addresses", Detail: "the sender is configured under enrich.exporters or sources; remove it there first"}
	ErrFull       = &problem.Error{Status: http.StatusInsufficientStorage, Title: "no room for decisions", Detail: fmt.Sprintf("no room for another decision: %d are stored; undo one first", maxDecided)}
	ErrWrite      = &problem.Error{Status: http.StatusInternalServerError, Title: "not saved", Detail: "cannot write the decision"}
)

// A decision is the entry of a sender in the file.
type decision struct {
	Address netip.Addr `json:"address"`
	Ignored bool       `json:"ignored"`
	Since   int64      `json:"since"`
}

// Senders holds all decisions. It is safe for concurrent use.
type Senders struct {
	// Refused is the list of ignored senders that decoders read. Only Senders changes it.
	Refused source.Ignored
	// Resume is called with an ignored sender before its datagrams are accepted again; nil:
	// no call.
	Resume func(netip.Addr)

	path string

	mu      sync.Mutex // guards the following, and changes of Refused
	decided map[netip.Addr]decision
	named   func(netip.Addr) bool
	refused []netip.Addr // content of Refused
}

// Open reads the file of decisions, which need not exist.
func Open(path string) (*Senders, error) {
	s := &Senders{path: path, decided: map[netip.Addr]decision{}, named: func(netip.Addr) bool { return false }}
	var list []decision
	if err := wholefile.Read(path, &list); err != nil {
		return nil, fmt.Errorf("senders: %w", err)
	}
	if len(list) > maxDecided {
		return nil, fmt.Errorf("senders: %s: too many decisions: %d; use at most %d", path, len(list), maxDecided)
	}
	for i, d := range list {
		if !d.Address.IsValid() {
			return nil, fmt.Errorf("senders: %s: decision %d has no address", path, i+1)
		}
		d.Address = d.Address.Unmap().WithZone("")
		s.decided[d.Address] = d
	}
	s.applyLocked()
	return s, nil
}

// Provision sets the function that reports whether the configuration names an address.
func (s *Senders) Provision(named func(netip.Addr) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.named = named
	s.applyLocked()
}

// applyLocked updates the ignored senders of the decoders.
func (s *Senders) applyLocked() {
	ignored := func(a netip.Addr) bool { return s.decided[a].Ignored && !s.named(a) }
	for _, a := range s.refused {
		if !ignored(a) && s.Resume != nil {
			s.Resume(a)
		}
	}
	var now []netip.Addr
	for a := range s.decided {
		if ignored(a) {
			now = append(now, a)
		}
	}
	s.refused = now
	s.Refused.Set(now)
}

// Decide stores a decision about senders: about all of them or, after an error, none. The
// error is an *Error, ErrConfigured, ErrFull or ErrWrite.
func (s *Senders) Decide(addresses []string, what string, now time.Time) ([]Sender, error) {
	if what != Accept && what != Ignore && what != Forget {
		return nil, invalid("decision", fmt.Sprintf("%q is unknown; use %s, %s or %s", what, Accept, Ignore, Forget))
	}
	if len(addresses) == 0 {
		return nil, invalid("addresses", "are missing; use at least one")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	next := maps.Clone(s.decided)
	var about []netip.Addr
	for _, text := range addresses {
		a, err := netip.ParseAddr(text)
		if err != nil {
			return nil, invalid("addresses", fmt.Sprintf("%q is not an IP address", text))
		}
		a = a.Unmap().WithZone("")
		if what == Ignore && s.named(a) {
			return nil, fmt.Errorf("%s: %w", a, ErrConfigured)
		}
		about = append(about, a)
		was, ok := next[a]
		switch {
		case what == Forget:
			delete(next, a)
		case !ok || was.Ignored != (what == Ignore):
			next[a] = decision{a, what == Ignore, now.Unix()}
		}
	}
	if len(next) > maxDecided && len(next) > len(s.decided) {
		return nil, ErrFull
	}
	if err := s.write(next); err != nil {
		return nil, err
	}
	s.decided = next
	s.applyLocked()
	list := make([]Sender, len(about))
	for i, a := range about {
		list[i] = s.senderLocked(a)
	}
	return list, nil
}

func (s *Senders) write(decided map[netip.Addr]decision) error {
	list := make([]decision, 0, len(decided))
	for _, d := range decided {
		list = append(list, d)
	}
	slices.SortFunc(list, func(a, b decision) int { return a.Address.Compare(b.Address) })
	if err := wholefile.Write(s.path, list); err != nil {
		return fmt.Errorf("%w: %w", ErrWrite, err)
	}
	return nil
}

// Standing returns the standing of a sender.
func (s *Senders) Standing(a netip.Addr) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.standingLocked(a.Unmap())
}

func (s *Senders) standingLocked(a netip.Addr) string {
	d, ok := s.decided[a]
	switch {
	case s.named(a):
		return Named
	case !ok:
		return New
	case d.Ignored:
		return Ignored
	}
	return Accepted
}

func (s *Senders) senderLocked(a netip.Addr) Sender {
	x := Sender{Address: a, Standing: s.standingLocked(a), Since: s.decided[a].Since}
	if r := s.Refused.Of(a); r != nil {
		x.Datagrams, x.Last = r.Datagrams.Load(), r.LastSeen.Load()/1e9
	}
	return x
}

// List returns all senders with a decision, sorted by address.
func (s *Senders) List() []Sender {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]Sender, 0, len(s.decided))
	for a := range s.decided {
		list = append(list, s.senderLocked(a))
	}
	slices.SortFunc(list, func(a, b Sender) int { return a.Address.Compare(b.Address) })
	return list
}

// Ignored returns the ignored senders, sorted by address.
func (s *Senders) Ignored() []Sender {
	return slices.DeleteFunc(s.List(), func(x Sender) bool { return x.Standing != Ignored })
}
