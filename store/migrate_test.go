package store_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"netmeta/column"
	"netmeta/flow"
	"netmeta/internal/enginetest"
	"netmeta/internal/golden"
	"netmeta/store"
)

func TestCreateGolden(t *testing.T) {
	golden.Equal(t, "testdata/flows.sql", []byte(store.Schema{Table: &flow.Table, TTLDays: 30}.Create()+"\n"))
}

// Rare columns are aliases unless they are asked for; the rest does not depend on it.
func TestCreateRareColumns(t *testing.T) {
	rare := 0
	for _, f := range flow.Table.Fields {
		if f.Rare {
			rare++
		}
	}
	f := func(aliases, ttls int, s store.Schema) {
		t.Helper()
		s.Table = &flow.Table
		sql := s.Create()
		if n := strings.Count(sql, " ALIAS defaultValueOfTypeName("); n != aliases {
			t.Errorf("%+v: %d rare columns are aliases, want %d", s.Columns, n, aliases)
		}
		if n := strings.Count(sql, "\nTTL "); n != ttls {
			t.Errorf("retention of %d days: %d TTL clauses, want %d", s.TTLDays, n, ttls)
		}
	}
	f(rare, 0, store.Schema{})
	f(rare, 1, store.Schema{TTLDays: 7})
	f(0, 0, store.Schema{Columns: []string{"all"}})
	f(rare-2, 0, store.Schema{Columns: []string{"VNI", "SrcMac", "Bytes"}})
}

// The store says of a new table what the program wants it to be: nothing is left to
// change, however the server writes types, expressions and the TTL.
func TestMigrateTwice(t *testing.T) {
	for _, s := range []store.Schema{{TTLDays: 30}, {}, {TTLDays: 1, Columns: []string{"all"}}, {Columns: []string{"VNI", "DstASPath", "Extra"}}} {
		s.Table = &flow.Table
		t.Run(fmt.Sprint(s.TTLDays, s.Columns), func(t *testing.T) {
			w, _ := enginetest.Clients(t)
			plan, err := store.Plan(t.Context(), w, s)
			if err != nil || len(plan) != 1 || plan[0].SQL != s.Create() {
				t.Fatalf("plan for no table: %v, %v", plan, err)
			}
			for range 2 {
				migrate(t, w, s)
				if plan, err := store.Plan(t.Context(), w, s); err != nil || len(plan) > 0 {
					t.Fatalf("left to do after it is done: %v, %v", plan, err)
				}
			}
		})
	}
}

// Every way from one table to another: what is done, that it is done then, and that
// rows stay.
func TestMigrateChanges(t *testing.T) {
	f := func(name string, from, to store.Schema, reasons ...string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			t.Helper()
			w, r := enginetest.Clients(t)
			migrate(t, w, from)
			old := standard()
			b := old.bytes(5, 7)
			if err := w.Insert(t.Context(), "flows", names(b), "1", b.Data); err != nil {
				t.Fatal(err)
			}
			plan, err := store.Plan(t.Context(), w, to)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, ch := range plan {
				got = append(got, ch.Reason)
			}
			if strings.Join(got, "; ") != strings.Join(reasons, "; ") {
				t.Errorf("planned: %q, want %q", got, reasons)
			}
			migrate(t, w, to)
			if plan, err := store.Plan(t.Context(), w, to); err != nil || len(plan) > 0 {
				t.Errorf("left to do: %v, %v", plan, err)
			}
			// The order of the columns is that of the fields, and the rows are there.
			var want []string
			for _, f := range to.Table.Fields {
				want = append(want, f.Name)
			}
			if got := text(t, r, "SELECT name FROM system.columns WHERE database = currentDatabase() AND table = 'flows' ORDER BY position"); got != strings.Join(want, "\n") {
				t.Errorf("columns are %q, want %q", got, want)
			}
			if got := text(t, r, "SELECT Bytes FROM flows ORDER BY Bytes"); got != "5\n7" {
				t.Errorf("rows are %q", got)
			}
			for _, f := range to.Table.Fields { // each can be read, old rows give zero
				text(t, r, "SELECT count() FROM flows WHERE toString("+f.Name+") != 'x'")
			}
		})
	}
	of := func(s *sample) store.Schema { return store.Schema{Table: &s.Table} }
	f("nothing", of(standard()), of(standard()))
	f("new columns", of(standard()), of(version([]string{"none", "red"}, "Bytes * 8", func(t *column.Table) {
		t.Text(column.Field{Name: "Note"})
		t.U16(column.Field{Name: "Vlan", Rare: true})
		t.Computed(column.Field{Name: "Twice", Type: "UInt64", SQL: "(Bytes + Bytes)"})
	})), "column Note is new", "column Vlan is new", "column Twice is new")
	f("another expression", of(standard()), of(version([]string{"none", "red"}, "Bytes * 9", nil)), "the expression of Bits changed")
	f("more names", of(standard()), of(version([]string{"none", "red", "blue"}, "Bytes * 8", nil)), "Colour has further names")
	f("a newer table", of(version([]string{"none", "red", "blue"}, "Bytes * 8", nil)), of(standard()))
	days := func(n int) store.Schema { s := of(standard()); s.TTLDays = n; return s }
	f("a retention", days(0), days(3), "retention is 3 days")
	f("another retention", days(30), days(3), "retention is 3 days")
	f("no retention", days(3), days(0), "retention is without end")
	rare := func(names ...string) store.Schema { s := of(standard()); s.Columns = names; return s }
	f("rare columns", rare(), rare("all"), "rare column VNI enters the table", "rare column Site enters the table", "rare column Labels enters the table", "storage of VNI")
	f("a rare column", rare("Site"), rare("Labels"), "rare column Labels enters the table")
}

// A rare column may change its type until it is real.
func TestMigrateRareType(t *testing.T) {
	of := func(names []string) store.Schema {
		s := version([]string{"none"}, "Bytes", func(t *column.Table) { t.Enum(column.Field{Name: "Kind", Enum: names, Rare: true}) })
		return store.Schema{Table: &s.Table}
	}
	w, r := enginetest.Clients(t)
	migrate(t, w, of([]string{"a"}))
	migrate(t, w, of([]string{"a", "b"}))
	is := func(want string) {
		t.Helper()
		if got := text(t, r, "SELECT type, default_kind FROM system.columns WHERE database = currentDatabase() AND table = 'flows' AND name = 'Kind'"); got != want {
			t.Errorf("Kind is %q, want %q", got, want)
		}
	}
	is("Enum8('a' = 0, 'b' = 1)\tALIAS")
	all := of([]string{"a", "b", "c"})
	all.Columns = []string{"all"}
	migrate(t, w, all)
	is("Enum8('a' = 0, 'b' = 1, 'c' = 2)\t")
}

func TestMigrateMismatch(t *testing.T) {
	f := func(have, want string, old, s *sample) {
		t.Helper()
		w, _ := enginetest.Clients(t)
		migrate(t, w, store.Schema{Table: &old.Table})
		err := store.Migrate(t.Context(), w, store.Schema{Table: &s.Table}, quiet)
		var mismatch *store.MismatchError
		if !errors.As(err, &mismatch) || mismatch.Column != "Port" || mismatch.Have != have || mismatch.Want != want {
			t.Fatalf("error %v", err)
		}
		if store.Temporary(err) {
			t.Error("a mismatch does not go away by waiting")
		}
		if !strings.Contains(err.Error(), "RENAME TABLE flows TO flows_old") {
			t.Errorf("no remedy in %q", err)
		}
	}
	with := func(more func(t *column.Table)) *sample { return version([]string{"none"}, "Bytes", more) }
	number := with(func(t *column.Table) { t.U16(column.Field{Name: "Port"}) })
	label := with(func(t *column.Table) { t.Text(column.Field{Name: "Port"}) })
	computed := with(func(t *column.Table) { t.Computed(column.Field{Name: "Port", Type: "UInt16", SQL: "1"}) })
	f("LowCardinality(String)", "UInt16", label, number)
	f("UInt16", "LowCardinality(String)", number, label)
	f("a stored UInt16", "computed", number, computed)
}

// Any number of processes may start at once on one store.
func TestMigrateAtOnce(t *testing.T) {
	w, _ := enginetest.Clients(t)
	s := standard()
	for _, schema := range []store.Schema{{Table: &s.Table}, {Table: &s.Table, Columns: []string{"all"}, TTLDays: 5}} {
		var all sync.WaitGroup
		for range 6 {
			all.Go(func() {
				if err := store.Migrate(t.Context(), w, schema, quiet); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if plan, err := store.Plan(t.Context(), w, schema); err != nil || len(plan) > 0 {
			t.Errorf("left to do: %v, %v", plan, err)
		}
	}
}
