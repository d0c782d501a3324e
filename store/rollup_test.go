package store_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"netmeta/column"
	"netmeta/engine"
	"netmeta/flow"
	"netmeta/internal/enginetest"
	"netmeta/internal/golden"
	"netmeta/native"
	"netmeta/store"
)

func withRollups(columns ...string) store.Schema {
	return store.Schema{Table: &flow.Table, Columns: columns, RollupDays: []int{0, 0}}
}

func TestRollupGolden(t *testing.T) {
	s := store.Schema{Table: &flow.Table, TTLDays: 30, RollupDays: []int{90, 400}}
	golden.Equal(t, "testdata/rollups.sql", []byte(strings.Join(s.CreateAll()[1:], ";\n\n")+";\n"))
}

// rollupRows are flows of three hours: few combinations, so that rows do add up.
func rollupRows(rnd *rand.Rand, rows int, rare bool) native.Block {
	b := flow.Table.NewBatch(rows)
	for range rows {
		row := b.Add()
		flow.TimeReceived.Set(b, row, uint32(1_795_000_000+rnd.IntN(3*3600)))
		flow.ExporterAddress.Set(b, row, column.AddrFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(1 + rnd.IntN(2))})))
		flow.SamplingRate.Set(b, row, []uint32{1, 1000}[rnd.IntN(2)])
		flow.Bytes.Set(b, row, rnd.Uint64N(1e6))
		flow.Packets.Set(b, row, rnd.Uint64N(1e3))
		flow.SrcAS.Set(b, row, uint32(64500+rnd.IntN(3)))
		flow.Direction.Set(b, row, uint8(rnd.IntN(5)))
		flow.SrcPort.Set(b, row, uint16(rnd.IntN(1<<16)))
		if rare {
			flow.SrcCountry.Set(b, row, column.LabelOf([]string{"", "DE", "FR"}[rnd.IntN(3)]))
			flow.InIfBoundary.Set(b, row, uint8(rnd.IntN(3)))
		}
	}
	var e native.Encoder
	return e.Encode(b)
}

// sameSums compares a rollup with the flows, step by step and field by field.
func sameSums(t *testing.T, r *store.Client) {
	t.Helper()
	dims := "ExporterAddress, SamplingRate, SrcAS, Direction, SrcCountry, InIfBoundary, InIf"
	for _, rollup := range flow.Table.Rollups {
		at := fmt.Sprintf("intDiv(toUInt32(TimeReceived), %d) * %[1]d AS at", rollup.Step)
		flows := "SELECT " + at + ", " + dims + ", sum(Bytes) AS b, sum(Packets) AS p, sum(ScaledBytes) AS s, count() AS n FROM flows GROUP BY ALL"
		sums := "SELECT " + at + ", " + dims + ", sum(Bytes) AS b, sum(Packets) AS p, sum(ScaledBytes) AS s, sum(Flows) AS n FROM " + rollup.Name + " GROUP BY ALL"
		if got := text(t, r, "SELECT count() FROM ("+flows+" EXCEPT "+sums+")"); got != "0" {
			t.Errorf("%s lacks %s sums that flows has", rollup.Name, got)
		}
		if got := text(t, r, "SELECT count() FROM ("+sums+" EXCEPT "+flows+")"); got != "0" {
			t.Errorf("%s has %s sums that flows lacks", rollup.Name, got)
		}
		if text(t, r, "SELECT sum(Flows) FROM "+rollup.Name) != text(t, r, "SELECT count() FROM flows") {
			t.Errorf("%s counts other flows", rollup.Name)
		}
		if got := text(t, r, "SELECT max(n) > 1 FROM (SELECT max(Flows) AS n FROM "+rollup.Name+")"); got != "1" {
			t.Errorf("%s adds nothing up", rollup.Name)
		}
	}
}

// Rollups have the sums of the flows, before and after a rare column becomes real, and
// an insert that is made again changes nothing.
func TestRollupSums(t *testing.T) {
	w, r := enginetest.Clients(t)
	migrate(t, w, withRollups())
	rnd := rand.New(rand.NewPCG(1, 2))
	for i := range 6 {
		rare := i >= 3
		b := rollupRows(rnd, 5000, rare)
		if rare {
			migrate(t, w, withRollups(names(b)...))
		}
		for range 2 {
			if err := w.Insert(t.Context(), "flows", names(b), fmt.Sprint("token ", i), b.Data); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := text(t, r, "SELECT count() FROM flows"); got != "30000" {
		t.Errorf("%s flows", got)
	}
	if got := text(t, r, "SELECT countIf(SrcCountry = 'DE') > 0 FROM rollup_1h"); got != "1" {
		t.Error("a rare column that became real is not in the rollup")
	}
	sameSums(t, r)
	for _, table := range []string{"rollup_1m", "rollup_1h"} { // and merged
		if err := w.Exec(t.Context(), "OPTIMIZE TABLE "+table+" FINAL"); err != nil {
			t.Fatal(err)
		}
	}
	sameSums(t, r)
}

// An insert that the table took and a rollup did not is made again as a whole.
func TestRollupHalfWay(t *testing.T) {
	for _, away := range []string{"rollup_1m", "rollup_1h"} {
		w, r := enginetest.Clients(t)
		migrate(t, w, withRollups())
		b := rollupRows(rand.New(rand.NewPCG(3, 4)), 20_000, false)
		insert := func() error { return w.Insert(t.Context(), "flows", names(b), "once", b.Data) }
		if err := w.Exec(t.Context(), "RENAME TABLE "+away+" TO aside"); err != nil {
			t.Fatal(err)
		}
		if err := insert(); err == nil {
			t.Fatalf("an insert without %s is no error", away)
		}
		if err := w.Exec(t.Context(), "RENAME TABLE aside TO "+away); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := insert(); err != nil {
				t.Fatal(err)
			}
		}
		if got := text(t, r, "SELECT count() FROM flows"); got != "20000" {
			t.Errorf("%s flows", got)
		}
		sameSums(t, r)
	}
}

// Whenever the engine is killed, the insert that is made again under its token leaves
// the flows and the rollups with each row once.
func TestRollupKilled(t *testing.T) {
	e, err := engine.New(engine.Options{Path: t.TempDir(), Memory: 2 << 30, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { e.Run(ctx); close(ended) }()
	defer func() { stop(); <-ended }()
	ready := func() {
		t.Helper()
		ctx, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		if err := e.Ready(ctx); err != nil {
			t.Fatal(err)
		}
	}
	ready()
	user := e.Writer()
	w := store.NewClient(e.URL(), user.Name, user.Password, "")
	migrate(t, w, withRollups())
	const inserts, rows = 4, 60_000 // the supervisor waits longer after each death
	rnd := rand.New(rand.NewPCG(5, 6))
	for i := range inserts {
		b := rollupRows(rnd, rows, false)
		failed := make(chan error, 1)
		go func() { failed <- w.Insert(ctx, "flows", names(b), fmt.Sprint("kill ", i), b.Data) }()
		// Somewhere in the insert, which takes some 100 ms.
		select {
		case <-time.After(time.Duration(rnd.IntN(120)) * time.Millisecond):
		case err := <-failed:
			failed <- err
		}
		if p, err := os.FindProcess(e.Stats().PID); err == nil {
			p.Signal(syscall.SIGKILL)
		}
		<-failed
		for attempt := 0; ; attempt++ {
			err := w.Insert(ctx, "flows", names(b), fmt.Sprint("kill ", i), b.Data)
			if err == nil {
				break
			}
			if attempt > 100 || !store.Temporary(err) {
				t.Fatal(err)
			}
			ready()
		}
	}
	if got := text(t, w, "SELECT count() FROM flows"); got != fmt.Sprint(inserts*rows) {
		t.Errorf("%s flows, want %d", got, inserts*rows)
	}
	sameSums(t, w)
}

// since is from when on a rollup says that it is complete.
func since(t *testing.T, r *store.Client, rollup string) (n int64) {
	t.Helper()
	comment := text(t, r, "SELECT comment FROM system.tables WHERE database = currentDatabase() AND name = '"+rollup+"'")
	if _, err := fmt.Sscanf(comment, "complete from %d", &n); err != nil {
		t.Fatalf("comment of %s is %q", rollup, comment)
	}
	return n
}

// A rollup that came after flows, or missed some, is complete only from then on.
func TestRollupHistory(t *testing.T) {
	w, r := enginetest.Clients(t)
	put := func(token string) {
		t.Helper()
		b := rollupRows(rand.New(rand.NewPCG(7, 8)), 100, false)
		if err := w.Insert(t.Context(), "flows", names(b), token, b.Data); err != nil {
			t.Fatal(err)
		}
	}
	migrate(t, w, withRollups())
	for _, rollup := range flow.Table.Rollups {
		if n := since(t, r, rollup.Name); n != 0 {
			t.Errorf("%s of a new table is complete from %d", rollup.Name, n)
		}
	}
	put("1")
	migrate(t, w, withRollups()) // changes nothing
	if n := since(t, r, "rollup_1h"); n != 0 {
		t.Errorf("complete from %d", n)
	}
	later := func(rollup column.Rollup, begin int64) {
		t.Helper()
		if n := since(t, r, rollup.Name); n <= begin || n > time.Now().Unix()+1+rollup.Step || n%rollup.Step != 0 {
			t.Errorf("%s is complete from %d, now is %d", rollup.Name, n, begin)
		}
	}
	hour := flow.Table.Rollups[1]
	begin := time.Now().Unix()
	for _, sql := range []string{"DROP VIEW rollup_1h_view", "DROP TABLE rollup_1h", "DROP VIEW rollup_1m_view"} {
		if err := w.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
		migrate(t, w, withRollups())
		later(hour, begin)
	}
	later(flow.Table.Rollups[0], begin)
	// A table from before there were rollups.
	w, r = enginetest.Clients(t)
	migrate(t, w, store.Schema{Table: &flow.Table})
	put("2")
	migrate(t, w, withRollups())
	for _, rollup := range flow.Table.Rollups {
		later(rollup, begin)
	}
	if got := text(t, r, "SELECT count() FROM rollup_1m"); got != "0" {
		t.Errorf("%s rows from before", got)
	}
}

// A field that rollups keep from a later version on becomes part of their key, and
// names that an enumeration gains are known to them.
func TestRollupGrows(t *testing.T) {
	of := func(colours []string, more ...string) store.Schema {
		s := &column.Table{Name: "flows", Order: "TimeReceived", Rollups: []column.Rollup{{Name: "sums", Step: 60}}}
		s.Time(column.Field{Name: "TimeReceived"})
		s.Enum(column.Field{Name: "Colour", Enum: colours, Rollup: true})
		for _, name := range more {
			s.U32(column.Field{Name: name, Rollup: true})
		}
		s.U64(column.Field{Name: "Bytes", Role: column.Measure})
		return store.Schema{Table: s, RollupDays: []int{0}}
	}
	w, r := enginetest.Clients(t)
	insert := func(columns, values string) {
		t.Helper()
		if err := w.Exec(t.Context(), "INSERT INTO flows ("+columns+") VALUES "+values); err != nil {
			t.Fatal(err)
		}
	}
	migrate(t, w, of([]string{"none", "red"}))
	insert("TimeReceived, Colour, Bytes", "(60, 'red', 1), (119, 'red', 2)")
	wider := of([]string{"none", "red", "blue"}, "VRF", "Site")
	migrate(t, w, wider)
	if n := since(t, r, "sums"); n != 0 {
		t.Errorf("complete from %d although it lacks nothing", n)
	}
	if plan, err := store.Plan(t.Context(), w, wider); err != nil || len(plan) > 0 {
		t.Fatalf("left to do: %v, %v", plan, err)
	}
	insert("TimeReceived, Colour, VRF, Site, Bytes", "(60, 'blue', 1, 1, 5), (61, 'blue', 1, 2, 7), (62, 'blue', 1, 2, 7)")
	if err := w.Exec(t.Context(), "OPTIMIZE TABLE sums FINAL"); err != nil {
		t.Fatal(err)
	}
	want := "blue\t1\t1\t5\t1\nblue\t1\t2\t14\t2\nred\t0\t0\t3\t2"
	if got := text(t, r, "SELECT toString(Colour), VRF, Site, Bytes, Flows FROM sums ORDER BY ALL"); got != want {
		t.Errorf("sums are\n%s, want\n%s", got, want)
	}
}

// What a column was before the rollup kept it is lost to it.
func TestRollupKeepsMore(t *testing.T) {
	of := func(kept bool) store.Schema {
		s := &column.Table{Name: "flows", Order: "TimeReceived", Rollups: []column.Rollup{{Name: "sums", Step: 60}}}
		s.Time(column.Field{Name: "TimeReceived"})
		s.U32(column.Field{Name: "VRF", Rollup: kept})
		s.U64(column.Field{Name: "Bytes", Role: column.Measure})
		return store.Schema{Table: s, RollupDays: []int{0}}
	}
	w, r := enginetest.Clients(t)
	migrate(t, w, of(false))
	if err := w.Exec(t.Context(), "INSERT INTO flows (TimeReceived, VRF, Bytes) VALUES (60, 7, 1)"); err != nil {
		t.Fatal(err)
	}
	begin := time.Now().Unix()
	migrate(t, w, of(true))
	if n := since(t, r, "sums"); n <= begin {
		t.Errorf("complete from %d although it lacked a column", n)
	}
	if plan, err := store.Plan(t.Context(), w, of(true)); err != nil || len(plan) > 0 {
		t.Fatalf("left to do: %v, %v", plan, err)
	}
}

// Any number of processes may start at once.
func TestRollupAtOnce(t *testing.T) {
	w, r := enginetest.Clients(t)
	done := make(chan error, 4)
	for range cap(done) {
		go func() { done <- store.Migrate(t.Context(), w, withRollups(), slog.New(slog.DiscardHandler)) }()
	}
	for range cap(done) {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if plan, err := store.Plan(t.Context(), w, withRollups()); err != nil || len(plan) > 0 {
		t.Errorf("left to do: %v, %v", plan, err)
	}
	if n := since(t, r, "rollup_1m"); n != 0 {
		t.Errorf("complete from %d", n)
	}
}
