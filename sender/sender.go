// Package sender keeps what people decide about who sends: that it is known, so that
// nobody is asked about it any more, or that its datagrams are refused. Decisions are in
// one file of the data directory. What the configuration names is known and never
// refused.
package sender

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"time"

	"netmeta/internal/wholefile"
	"netmeta/source"
)

// How a sender stands.
const (
	New      = "new"      // nobody has decided
	Named    = "named"    // in the configuration
	Accepted = "accepted" // somebody knows it
	Ignored  = "ignored"  // its datagrams are refused
)

// What can be decided.
const (
	Accept = "accept"
	Ignore = "ignore"
	Forget = "forget" // to take back what was decided
)

// maxDecided bounds the decisions, which are kept in memory and written as a whole.
const maxDecided = source.MaxExporters

// A Sender is who was decided about. An exporter goes by the address that the list of
// exporters has of it, which for sFlow is that of the agent.
type Sender struct {
	Address   netip.Addr `json:"address"`
	Standing  string     `json:"standing"`
	Since     int64      `json:"since"`     // second of the decision
	Datagrams uint64     `json:"datagrams"` // refused since the start of the process
	Last      int64      `json:"last"`      // second when the last of them came; 0: none
}

// An Error says what is wrong with a decision, and the remedy.
type Error struct{ Key, Message string }

func (e *Error) Error() string { return e.Key + ": " + e.Message }

// What is wrong with a decision that is well formed.
var (
	ErrNamed = errors.New("the configuration names it, under enrich.exporters or in sources: take it out there first")
	ErrFull  = fmt.Errorf("%d senders are decided about, which is the most: forget some", maxDecided)
	ErrWrite = errors.New("the decision could not be written")
)

// A decision is what the file has of a sender.
type decision struct {
	Address netip.Addr `json:"address"`
	Ignored bool       `json:"ignored"`
	Since   int64      `json:"since"`
}

// Senders are all that was decided. It is safe for concurrent use.
type Senders struct {
	// Refused is what decoders look at. It is Senders alone who changes it.
	Refused source.Ignored
	// Resume is told of who was ignored, before its datagrams are taken again; nil: nobody
	// wants to know.
	Resume func(netip.Addr)

	path string

	mu      sync.Mutex // guards the following, and changes of Refused
	decided map[netip.Addr]decision
	named   func(netip.Addr) bool
	refused []netip.Addr // as Refused has them
}

// Open reads the file of decisions, which need not exist.
func Open(path string) (*Senders, error) {
	s := &Senders{path: path, decided: map[netip.Addr]decision{}, named: func(netip.Addr) bool { return false }}
	var list []decision
	if err := wholefile.Read(path, &list); err != nil {
		return nil, fmt.Errorf("senders: %w", err)
	}
	if len(list) > maxDecided {
		return nil, fmt.Errorf("senders: %s: %d decisions: %d is the most; take some out", path, len(list), maxDecided)
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

// Provision says whom the configuration names, now that it was read.
func (s *Senders) Provision(named func(netip.Addr) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.named = named
	s.applyLocked()
}

// applyLocked has decoders refuse those that are ignored.
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

// Decide decides about some senders, all of them or, with an error, none. The error is an
// *Error, ErrNamed, ErrFull or ErrWrite.
func (s *Senders) Decide(addresses []string, what string, now time.Time) ([]Sender, error) {
	if what != Accept && what != Ignore && what != Forget {
		return nil, &Error{"decision", fmt.Sprintf("%q is none: write %s, %s or %s", what, Accept, Ignore, Forget)}
	}
	if len(addresses) == 0 {
		return nil, &Error{"addresses", "are missing: name one at least"}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	next := maps.Clone(s.decided)
	var about []netip.Addr
	for _, text := range addresses {
		a, err := netip.ParseAddr(text)
		if err != nil {
			return nil, &Error{"addresses", fmt.Sprintf("%q is not an IP address", text)}
		}
		a = a.Unmap().WithZone("")
		if what == Ignore && s.named(a) {
			return nil, fmt.Errorf("%s: %w", a, ErrNamed)
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

// Standing is how a sender stands.
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

// List gives all who were decided about, by address.
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

// Ignored gives those whose datagrams are refused, by address.
func (s *Senders) Ignored() []Sender {
	return slices.DeleteFunc(s.List(), func(x Sender) bool { return x.Standing != Ignored })
}
