package sender

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"netmeta/internal/problem"
	"netmeta/source"
)

func TestDecide(t *testing.T) {
	path := filepath.Join(t.TempDir(), "senders.json")
	open := func() *Senders {
		t.Helper()
		s, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	s := open()
	now := time.Unix(1000, 0)
	decide := func(what string, addresses ...string) []Sender {
		t.Helper()
		list, err := s.Decide(addresses, what, now)
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	stands := func(address, want string) {
		t.Helper()
		a := netip.MustParseAddr(address)
		if got := s.Standing(a); got != want {
			t.Errorf("%s is %s, want %s", address, got, want)
		}
		if refused := s.Refused.Of(a) != nil; refused != (want == Ignored) {
			t.Errorf("%s is %s, refused %t", address, want, refused)
		}
	}
	stands("192.0.2.1", New)
	decide(Ignore, "192.0.2.1", "::ffff:192.0.2.2")
	decide(Accept, "2001:db8::1")
	stands("192.0.2.1", Ignored)
	stands("192.0.2.2", Ignored)
	stands("2001:db8::1", Accepted)

	// Another decision, or the same one again, leaves the counts and the time.
	s.Refused.Of(netip.MustParseAddr("192.0.2.1")).Refuse(&source.Datagram{Received: time.Unix(1500, 0)})
	now = time.Unix(2000, 0)
	decide(Ignore, "192.0.2.3")
	if x := decide(Ignore, "192.0.2.1")[0]; x.Since != 1000 || x.Datagrams != 1 || x.Last != 1500 {
		t.Errorf("%+v", x)
	}

	// All or none.
	for _, bad := range []struct {
		key, what string
		addresses []string
	}{
		{"addresses", Accept, []string{"192.0.2.1", "edge1"}},
		{"addresses", Accept, nil},
		{"decision", "block", []string{"192.0.2.1"}},
	} {
		var e *problem.Error
		if _, err := s.Decide(bad.addresses, bad.what, now); !errors.As(err, &e) || e.Key != bad.key {
			t.Errorf("%s %v: %v", bad.what, bad.addresses, err)
		}
	}
	stands("192.0.2.1", Ignored)

	// A restart changes nothing but the counts.
	s = open()
	stands("192.0.2.1", Ignored)
	stands("2001:db8::1", Accepted)
	if list := s.Ignored(); len(list) != 3 || list[0].Address.String() != "192.0.2.1" || list[0].Since != 1000 || list[2].Since != 2000 || list[0].Datagrams != 0 {
		t.Errorf("%+v", list)
	}

	// Senders in the configuration are accepted as long as they are in it. A sender that is accepted again is
	// reported.
	var resumed []string
	s.Resume = func(a netip.Addr) {
		if s.Refused.Of(a) == nil {
			t.Errorf("%s is taken already", a)
		}
		resumed = append(resumed, a.String())
	}
	named := netip.MustParseAddr("192.0.2.1")
	s.Provision(func(a netip.Addr) bool { return a == named })
	stands("192.0.2.1", Named)
	stands("192.0.2.2", Ignored)
	if _, err := s.Decide([]string{"192.0.2.9", "192.0.2.1"}, Ignore, now); !errors.Is(err, ErrConfigured) || !strings.Contains(err.Error(), "192.0.2.1: the sender is configured") {
		t.Error(err)
	}
	stands("192.0.2.9", New)
	s.Provision(func(netip.Addr) bool { return false })
	stands("192.0.2.1", Ignored)
	decide(Accept, "192.0.2.1")
	decide(Forget, "192.0.2.2", "192.0.2.8")
	stands("192.0.2.1", Accepted)
	stands("192.0.2.2", New)
	if got := strings.Join(resumed, " "); got != "192.0.2.1 192.0.2.1 192.0.2.2" {
		t.Errorf("resumed %s", got)
	}
	if list := open().List(); len(list) != 3 {
		t.Errorf("kept: %+v", list)
	}
	if files, _ := os.ReadDir(filepath.Dir(path)); len(files) != 1 {
		t.Errorf("files %v", files)
	}
}

func TestBounds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "senders.json")
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	many := make([]string, maxDecided)
	for i := range many {
		many[i] = fmt.Sprintf("10.0.%d.%d", i>>8, i&255)
	}
	now := time.Unix(1000, 0)
	if _, err := s.Decide(many, Ignore, now); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Decide([]string{"192.0.2.1"}, Ignore, now); !errors.Is(err, ErrFull) {
		t.Errorf("one more: %v", err)
	}
	if _, err := s.Decide(many[:1], Accept, now); err != nil {
		t.Errorf("one of them: %v", err)
	}
	if _, err := s.Decide(many[:1], Forget, now); err != nil {
		t.Error(err)
	}
	if _, err := s.Decide([]string{"192.0.2.1"}, Ignore, now); err != nil {
		t.Errorf("there is room: %v", err)
	}

	// A file that is not writable changes nothing; one that is not readable is reported.
	broken, err := Open(filepath.Join(t.TempDir(), "no", "senders.json"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := broken.Decide(many[:1], Ignore, now); !errors.Is(err, ErrWrite) || !broken.Refused.Empty() {
		t.Error(err)
	}
	for _, text := range []string{"{", `[{"address":"edge1"}]`, `[{"ignored":true}]`, `[{"address":""}]`} {
		os.WriteFile(path, []byte(text), 0o600)
		if _, err := Open(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
