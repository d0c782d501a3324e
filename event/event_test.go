package event

import (
	"errors"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"

	"netmeta/access"
	"netmeta/internal/enginetest"
	"netmeta/internal/problem"
	"netmeta/store"
)

func TestMain(m *testing.M) { enginetest.Main(m) }

func TestEvents(t *testing.T) {
	w, r := enginetest.Clients(t)
	for range 2 {
		if err := store.Migrate(t.Context(), w, store.Schema{Table: &Table}, slog.New(slog.DiscardHandler)); err != nil {
			t.Fatal(err)
		}
	}
	put := func(e Event) Event {
		t.Helper()
		if err := e.Complete(time.Unix(5000, 0)); err != nil {
			t.Fatal(err)
		}
		if err := Put(t.Context(), w, e); err != nil {
			t.Fatal(err)
		}
		return e
	}
	hostile := "it's \"so\" \\ {id:String}\t\n'; DROP TABLE events; --"
	note := put(Event{Text: hostile, Attrs: map[string]string{hostile: hostile, "b": ""}})
	attack := put(Event{ID: "a-1", Kind: "attack", Start: 1000, Target: "192.0.2.7", Severity: "critical"})
	over := put(Event{ID: "m-1", Kind: "maintenance", Start: 2000, End: 3000, Text: "fra1"})
	f := func(from, to int64, kind string, want ...Event) {
		t.Helper()
		got, err := Between(t.Context(), r, access.Everything, from, to, kind)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != len(want) || len(got) > 0 && !reflect.DeepEqual(got, want) {
			t.Errorf("%d to %d %s:\n got %+v\nwant %+v", from, to, kind, got, want)
		}
	}
	f(0, 10000, "", attack, over, note)
	f(0, 1000, "")
	f(0, 1001, "", attack)
	f(2999, 3500, "", attack, over)
	f(3000, 3500, "", attack)
	f(5000, 5001, "note", note)
	f(0, 10000, "attack", attack)
	attack.End = 1500 // it is over
	put(attack)
	f(1600, 10000, "", over, note)
	f(1499, 1501, "", attack)

	// Deleted, it is gone with all that was reported of it, and can be reported again.
	for _, id := range []string{hostile, "a-2"} {
		if err := Delete(t.Context(), w, access.Everything, id); !errors.Is(err, ErrNotFound) {
			t.Errorf("delete %q: %v", id, err)
		}
	}
	if err := Delete(t.Context(), w, access.Everything, "a-1"); err != nil {
		t.Fatal(err)
	}
	f(0, 10000, "", over, note)
	put(attack)
	f(0, 10000, "attack", attack)
	named := put(Event{ID: hostile, Text: "x"})
	if err := Delete(t.Context(), w, access.Everything, named.ID); err != nil {
		t.Fatal(err)
	}
	f(0, 10000, "", attack, over, note)
}

func TestComplete(t *testing.T) {
	f := func(e Event, key string) {
		t.Helper()
		err := e.Complete(time.Unix(5000, 0))
		var bad *problem.Error
		if errors.As(err, &bad) && bad.Key == key && bad.Detail != "" || err == nil && key == "" && e.ID != "" && e.Kind != "" && e.Start != 0 {
			return
		}
		t.Errorf("%+v: %v, want %s", e, err, key)
	}
	f(Event{Text: "x"}, "")
	f(Event{Target: "x"}, "")
	f(Event{}, "text")
	f(Event{Text: "x", Severity: "bad"}, "severity")
	f(Event{Text: "x", Start: 9, End: 8}, "end")
	f(Event{Text: "x", Start: -1}, "start")
	f(Event{Text: "x", End: 1 << 33}, "end")
	f(Event{Text: strings.Repeat("x", maxText+1)}, "text")
	f(Event{Text: "x", ID: strings.Repeat("x", maxID+1)}, "id")
	f(Event{Text: "x", Attrs: map[string]string{"k": strings.Repeat("x", maxAttr)}}, "attrs")
}
