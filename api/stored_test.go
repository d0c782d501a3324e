package api

import (
	"fmt"
	"testing"
	"time"
)

// Rows of an exporter are found by address and type, asked for until they are, and
// forgotten with the exporter.
func TestStored(t *testing.T) {
	s := seeded(t) // two exporters of two types
	now := s.now()
	first := now.Unix() - 7200
	list := func() []Exporter {
		return []Exporter{
			{Address: "203.0.113.1", Type: "ipfix", Flows: 1, First: first, Last: now.Unix()},
			{Address: "203.0.113.1", Type: "netflow9", Flows: 1, First: first, Last: now.Unix()},
			{Address: "203.0.113.2", Type: "sflow", Flows: 0, First: first, Last: now.Unix()},
			{Address: "203.0.113.2", Type: "ipfix", Flows: 1, First: first, Last: now.Unix()},
			{Address: "203.0.113.3", Type: "ipfix", Flows: 1, First: first, Last: now.Unix()},
			{Address: "2001:db8::1", Type: "ipfix", Flows: 1, First: first, Last: now.Unix()},
		}
	}
	var f storedRows
	ask := func(at time.Time, l []Exporter, want string) {
		t.Helper()
		if err := f.mark(t.Context(), s.Store, l, at); err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, x := range l {
			got += map[bool]string{true: "1", false: "0"}[x.Stored]
		}
		if got != want {
			t.Errorf("stored %s, want %s", got, want)
		}
	}
	ask(now, list(), "100100")
	// It is not asked again within a second, and then of those that were not found.
	l := list()
	l[2].Flows = 1
	ask(now, l, "100100")
	l = list()
	l[2].Flows = 1
	ask(now.Add(storedEvery), l, "101100")
	if len(f.found) != 3 {
		t.Errorf("%d found", len(f.found))
	}
	// One that was forgotten and came again has none until some come; nor has one whose rows
	// are all from before.
	ask(now.Add(2*storedEvery), []Exporter{
		{Address: "203.0.113.9", Type: "ipfix", Flows: 1, First: first, Last: now.Unix()}, // has the rows of an hour ago read
		{Address: "203.0.113.1", Type: "ipfix", Flows: 1, First: now.Unix() + 10, Last: now.Unix() + 10},
	}, "00")
	if len(f.found) != 0 {
		t.Errorf("%d are not forgotten", len(f.found))
	}
}

// Exporters whose rows never come do not keep those behind them from being asked about.
func TestStoredInTurn(t *testing.T) {
	s := seeded(t)
	now := s.now()
	list := make([]Exporter, 2*storedAtOnce+1)
	for i := range list {
		list[i] = Exporter{Address: fmt.Sprintf("198.18.0.%d", i), Type: "ipfix", Flows: 1, First: now.Unix() - 7200, Last: now.Unix()}
	}
	last := &list[len(list)-1]
	last.Address = "203.0.113.1"
	var f storedRows
	for turn := range 3 {
		if last.Stored {
			t.Errorf("found in turn %d", turn)
		}
		if err := f.mark(t.Context(), s.Store, list, now.Add(time.Duration(turn)*storedEvery)); err != nil {
			t.Fatal(err)
		}
	}
	if !last.Stored {
		t.Error("not found in its turn")
	}
}
