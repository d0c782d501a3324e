package store_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"os"
	"slices"
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
	return store.Schema{Table: &flow.Table, Columns: columns, RollupDays: map[int64]int{60: 0, 3600: 0}}
}

func TestRollupGolden(t *testing.T) {
	s := store.Schema{Table: &flow.Table, TTLDays: 30, RollupDays: map[int64]int{60: 90, 3600: 400}}
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

// twentyThousand makes a table of so many rollupRows, with rollups that have none of them yet.
func twentyThousand(t *testing.T) (w, r *store.Client) {
	t.Helper()
	w, r = enginetest.Clients(t)
	migrate(t, w, withRollups())
	b := rollupRows(rand.New(rand.NewPCG(3, 4)), 20_000, false)
	if err := w.Insert(t.Context(), "flows", names(b), "once", b.Data); err != nil {
		t.Fatal(err)
	}
	return w, r
}

// sameSums compares a rollup with the flows, step by step and field by field.
func sameSums(t *testing.T, r *store.Client) {
	t.Helper()
	for _, rollup := range flow.Table.Rollups {
		kept := slices.DeleteFunc([]string{"ExporterAddress", "SamplingRate", "SrcAS", "Direction", "SrcCountry", "InIfBoundary", "InIf"},
			func(name string) bool { return !rollup.Keeps(flow.Table.Field(name)) })
		dims := strings.Join(kept, ", ")
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

// end is after all rollupRows, at the end of an hour.
const end = 1_795_014_000

// Rollups have the sums of the flows, whether those came in time or late, before and after
// a rare column becomes real, and an insert that is made again changes nothing.
func TestRollupSums(t *testing.T) {
	w, r := enginetest.Clients(t)
	s := withRollups()
	migrate(t, w, s)
	rnd := rand.New(rand.NewPCG(1, 2))
	for i := range 6 {
		b := rollupRows(rnd, 5000, i >= 3)
		if i >= 3 {
			s = withRollups(names(b)...)
			migrate(t, w, s)
		}
		for range 2 {
			if err := w.Insert(t.Context(), "flows", names(b), fmt.Sprint("token ", i), b.Data); err != nil {
				t.Fatal(err)
			}
		}
		enginetest.Roll(t, w, s, end)
		sameSums(t, r)
	}
	if got := text(t, r, "SELECT count() FROM flows"); got != "30000" {
		t.Errorf("%s flows", got)
	}
	if got := text(t, r, "SELECT countIf(SrcCountry = 'DE') > 0 FROM rollup_1h"); got != "1" {
		t.Error("a rare column that became real is not in the rollup")
	}
	for _, rollup := range flow.Table.Rollups { // and merged
		if err := w.Exec(t.Context(), "OPTIMIZE TABLE "+rollup.Name+" FINAL"); err != nil {
			t.Fatal(err)
		}
	}
	sameSums(t, r)
	if from, until := has(t, r, "rollup_1h"); from != 0 || until != end {
		t.Errorf("rollup_1h is complete from %d until %d", from, until)
	}
}

// Of a step that is not over a rollup has nothing.
func TestRollupOpen(t *testing.T) {
	w, r := twentyThousand(t)
	const settled = end - 3600 - 30
	enginetest.Roll(t, w, withRollups(), settled)
	for _, rollup := range flow.Table.Rollups {
		want := settled / rollup.Step * rollup.Step
		if _, until := has(t, r, rollup.Name); until != want {
			t.Errorf("%s is complete until %d, want %d", rollup.Name, until, want)
		}
		got := text(t, r, "SELECT toUInt32(max(TimeReceived)), sum(Flows) FROM "+rollup.Name)
		if want := text(t, r, fmt.Sprintf("SELECT %d, count() FROM flows WHERE TimeReceived < %d", want-rollup.Step, want)); got != want {
			t.Errorf("%s has %s, want %s", rollup.Name, got, want)
		}
	}
	enginetest.Roll(t, w, withRollups(), end)
	sameSums(t, r)
}

// What a process left behind when it died, what two did at once and what a person did by
// hand is mended.
func TestRollupMends(t *testing.T) {
	w, r := twentyThousand(t)
	const open = end - 3600
	enginetest.Roll(t, w, withRollups(), open)
	for _, sql := range []string{
		// Added up, but not noted.
		"INSERT INTO rollup_1m (TimeReceived, SrcAS, Flows) VALUES (toDateTime(1795012000, 'UTC'), 1, 7)",
		"INSERT INTO rollup_1h (TimeReceived, SrcAS, Flows) VALUES (toDateTime(1795014000, 'UTC'), 1, 7)",
		// Twice.
		"INSERT INTO rollup_1m SELECT * FROM rollup_1m WHERE TimeReceived = toDateTime(1795008000, 'UTC')",
		"INSERT INTO rollup_1h SELECT * FROM rollup_1h WHERE TimeReceived = toDateTime(1795006800, 'UTC')",
		// Lost.
		"ALTER TABLE rollup_1m DELETE WHERE TimeReceived = toDateTime(1795007940, 'UTC') SETTINGS mutations_sync = 1",
		// Rows deleted on purpose.
		"ALTER TABLE flows DELETE WHERE TimeReceived >= toDateTime(1795009000, 'UTC') AND SrcAS = 64500 SETTINGS mutations_sync = 1",
	} {
		if err := w.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	enginetest.Roll(t, w, withRollups(), end)
	sameSums(t, r)
}

// The roller knows of which times the rollups lack rows that came late, until it has added
// them up; rows that are gone or in time are none of those.
func TestRollupStale(t *testing.T) {
	w, _ := twentyThousand(t)
	r := store.Roller{Client: w, Schema: func() store.Schema { return withRollups() }, Owner: "test", Log: quiet}
	stale := func(when string, want ...[2]int64) {
		t.Helper()
		if got, err := r.Stale(t.Context()); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v %v, want %v", when, got, err, want)
		}
	}
	do := func(sql string) {
		t.Helper()
		if err := w.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	late := func(times ...int64) {
		t.Helper()
		for _, at := range times {
			do(fmt.Sprintf("INSERT INTO flows (TimeReceived, Bytes) VALUES (%d, 1)", at))
		}
	}
	stale("before the first round")
	const until = end - 1800
	enginetest.RollWith(t, &r, until)
	stale("all are added up")
	late(until, until+60, end+60)
	stale("rows in time")
	do("ALTER TABLE flows DELETE WHERE TimeReceived < toDateTime(1795000000, 'UTC') + 3600 SETTINGS mutations_sync = 1")
	stale("rows gone")
	enginetest.RollWith(t, &r, until)
	late(until - 60)
	stale("late in the hour that is not over", [2]int64{end - 3600, end})
	late(until-7200, until-7201, until-10800)
	stale("late in several", [2]int64{end - 14400, end - 7200}, [2]int64{end - 3600, end})
	enginetest.RollWith(t, &r, until)
	stale("added up")
	for i := range int64(20) {
		late(end - 7200*(i+3))
	}
	if times, err := r.Stale(t.Context()); err != nil || len(times) != 16 || times[0] != [2]int64{end - 7200*22, end - 7200*22 + 3600} || times[15] != [2]int64{end - 7200*7, end - 7200*3 + 3600} {
		t.Errorf("of twenty: %v %v", times, err)
	}
	keeper(t, w, "somebody", 4_000_000_000)
	if _, err := r.Roll(t.Context(), until); err != nil {
		t.Fatal(err)
	}
	stale("somebody else keeps them")
}

// An hour that a user deletes disappears from the sums too, whether it happens while a roller runs or between
// two.
func TestRollupHourGone(t *testing.T) {
	w, r := twentyThousand(t)
	running := store.Roller{Client: w, Schema: func() store.Schema { return withRollups() }, Owner: "test", Log: quiet}
	for i, roller := range []*store.Roller{&running, &running, {Client: w, Schema: running.Schema, Owner: "test", Log: quiet}} {
		if i > 0 {
			sql := fmt.Sprintf("ALTER TABLE flows DELETE WHERE toStartOfHour(TimeReceived) = toDateTime(%d, 'UTC') SETTINGS mutations_sync = 1", end-i*3600)
			if err := w.Exec(t.Context(), sql); err != nil {
				t.Fatal(err)
			}
		}
		enginetest.RollWith(t, roller, end)
		sameSums(t, r)
	}
}

// All hours of years of rows are checked, and many are rebuilt in several rounds.
func TestRollupLong(t *testing.T) {
	s := &column.Table{Name: "flows", Order: "TimeReceived", Partition: "tuple()", Rollups: []column.Rollup{{Name: "sums", Step: 60}}}
	s.Time(column.Field{Name: "TimeReceived"})
	s.U64(column.Field{Name: "Bytes", Role: column.Measure})
	schema := store.Schema{Table: s, RollupDays: map[int64]int{60: 0}}
	w, r := enginetest.Clients(t)
	migrate(t, w, schema)
	const hours = 5000
	for _, sql := range []string{
		fmt.Sprintf("INSERT INTO flows (TimeReceived, Bytes) SELECT %d + 3600 * number, 1 FROM numbers(%d)", end-hours*3600, hours),
		fmt.Sprintf("INSERT INTO sums (TimeReceived, Bytes, Flows) SELECT %d + 3600 * number, 1, 1 FROM numbers(%d) WHERE number %% 100 != 7 SETTINGS max_partitions_per_insert_block = 1000", end-hours*3600, hours),
		says("sums", end-hours*3600, end),
	} {
		if err := w.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	enginetest.Roll(t, w, schema, end)
	if got := text(t, r, "SELECT sum(Flows), sum(Bytes), uniqExact(TimeReceived) FROM sums"); got != "5000\t5000\t5000" {
		t.Errorf("sums %s", got)
	}
}

// A rollup is not rebuilt from one that is still wrong.
func TestRollupWaits(t *testing.T) {
	s := &column.Table{Name: "flows", Order: "TimeReceived", Partition: "tuple()",
		Rollups: []column.Rollup{{Name: "minutes", Step: 60}, {Name: "hours", Step: 3600, Of: "minutes"}}}
	s.Time(column.Field{Name: "TimeReceived"})
	s.U64(column.Field{Name: "Bytes", Role: column.Measure})
	schema := store.Schema{Table: s, RollupDays: map[int64]int{60: 0, 3600: 0}}
	w, r := enginetest.Clients(t)
	migrate(t, w, schema)
	const hours, begin = 60, end - 60*3600 // the minutes lack all of them, the hours the oldest ten
	for _, sql := range []string{
		fmt.Sprintf("INSERT INTO flows (TimeReceived, Bytes) SELECT %d + 3600 * number, 1 FROM numbers(%d)", begin, hours),
		fmt.Sprintf("INSERT INTO hours (TimeReceived, Bytes, Flows) SELECT %d + 3600 * number, 1, 1 FROM numbers(%d) WHERE number >= 10", begin, hours),
		says("minutes", begin, end),
		says("hours", begin, end),
	} {
		if err := w.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	enginetest.Roll(t, w, schema, end)
	for _, rollup := range s.Rollups {
		if got := text(t, r, "SELECT sum(Flows), uniqExact(TimeReceived) FROM "+rollup.Name); got != "60\t60" {
			t.Errorf("%s has %s", rollup.Name, got)
		}
	}
}

// Rows that are gone because they are old, part by part or by the hour, stay in the sums.
func TestRollupOutlives(t *testing.T) {
	w, r := twentyThousand(t)
	enginetest.Roll(t, w, withRollups(), end)
	for _, where := range []string{"TimeReceived < toDateTime(1795001000, 'UTC')", "TimeReceived < toDateTime(1795004000, 'UTC')"} {
		if err := w.Exec(t.Context(), "ALTER TABLE flows DELETE WHERE "+where+" SETTINGS mutations_sync = 1"); err != nil {
			t.Fatal(err)
		}
		enginetest.Roll(t, w, withRollups(), end)
		for _, rollup := range flow.Table.Rollups {
			if got := text(t, r, "SELECT sum(Flows) FROM "+rollup.Name); got != "20000" {
				t.Errorf("%s counts %s flows", rollup.Name, got)
			}
		}
	}
}

// Whenever the engine is killed, the rollups have the sums of the flows in the end.
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
	const kills, rows = 4, 60_000 // the supervisor waits longer after each death
	rnd := rand.New(rand.NewPCG(5, 6))
	roller := store.Roller{Client: w, Schema: func() store.Schema { return withRollups() }, Owner: "test", Log: quiet}
	for i := range kills {
		b := rollupRows(rnd, rows, false)
		if err := w.Insert(ctx, "flows", names(b), fmt.Sprint("kill ", i), b.Data); err != nil {
			t.Fatal(err)
		}
		failed := make(chan error, 1)
		go func() {
			_, err := roller.Roll(ctx, end)
			failed <- err
		}()
		// Somewhere on the way, which takes some 500 ms.
		select {
		case <-time.After(time.Duration(rnd.IntN(400)) * time.Millisecond):
		case err := <-failed:
			failed <- err
		}
		if p, err := os.FindProcess(e.Stats().PID); err == nil {
			p.Signal(syscall.SIGKILL)
		}
		<-failed
		time.Sleep(100 * time.Millisecond) // its death is noticed
		ready()
	}
	for attempt := 0; ; attempt++ {
		more, err := roller.Roll(ctx, end)
		if err == nil && !more {
			break
		}
		if attempt > 100 {
			t.Fatal(err)
		}
		ready()
	}
	sameSums(t, w)
}

// Of several collectors one keeps the rollups, another one when the first is gone.
func TestRollupKeepers(t *testing.T) {
	w, r := enginetest.Clients(t)
	migrate(t, w, withRollups())
	put := func(token string) {
		t.Helper()
		b := rollupRows(rand.New(rand.NewPCG(7, 8)), 5000, false)
		if err := w.Insert(t.Context(), "flows", names(b), token, b.Data); err != nil {
			t.Fatal(err)
		}
	}
	roller := func(name string) *store.Roller {
		return &store.Roller{Client: w, Schema: func() store.Schema { return withRollups() }, Owner: name, Log: quiet}
	}
	roll := func(r *store.Roller) {
		t.Helper()
		if _, err := r.Roll(t.Context(), end); err != nil {
			t.Fatal(err)
		}
	}
	a, b := roller("a"), roller("b")
	put("1")
	roll(a)
	sameSums(t, r)
	put("2")
	roll(b)
	if got := text(t, r, "SELECT sum(Flows) FROM rollup_1m"); got != "5000" {
		t.Errorf("%s flows although another one keeps the rollup", got)
	}
	keeper(t, w, "a", 1_795_000_000)
	roll(b)
	sameSums(t, r)
}

// has is from when until when a rollup says that it is complete.
func has(t *testing.T, r *store.Client, rollup string) (from, until int64) {
	t.Helper()
	state := text(t, r, "SELECT toUInt32(Since), toUInt32(Until) FROM rollup_state FINAL WHERE Name = '"+rollup+"'")
	if _, err := fmt.Sscan(state, &from, &until); err != nil {
		t.Fatalf("state of %s is %q", rollup, state)
	}
	return from, until
}

// says is the statement after which the state of a rollup has other times.
func says(rollup string, since, until int64) string {
	return fmt.Sprintf("INSERT INTO rollup_state SELECT * REPLACE (toDateTime(%d) AS Since, toDateTime(%d) AS Until, Revision + 1 AS Revision) FROM rollup_state FINAL WHERE Name = '%s'", since, until, rollup)
}

// keeper has the state say that a collector keeps the rollups.
func keeper(t *testing.T, w *store.Client, name string, until int64) {
	t.Helper()
	if err := w.Exec(t.Context(), fmt.Sprintf("INSERT INTO rollup_state SELECT * REPLACE ('%s' AS Owner, toDateTime(%d) AS Lease, Revision + 1 AS Revision) FROM rollup_state FINAL WHERE Name = 'rollup_1m'", name, until)); err != nil {
		t.Fatal(err)
	}
}

// What there was before the rollups is added up too, from the newest hour to the oldest.
func TestRollupHistory(t *testing.T) {
	w, r := enginetest.Clients(t)
	migrate(t, w, store.Schema{Table: &flow.Table}) // a table from before there were rollups
	b := rollupRows(rand.New(rand.NewPCG(7, 8)), 5000, false)
	if err := w.Insert(t.Context(), "flows", names(b), "1", b.Data); err != nil {
		t.Fatal(err)
	}
	begin := time.Now().Unix() / 3600 * 3600
	migrate(t, w, withRollups())
	for _, rollup := range flow.Table.Rollups {
		if from, until := has(t, r, rollup.Name); from < begin || until != from || from%3600 != 0 {
			t.Errorf("%s is complete from %d until %d before anything was added up", rollup.Name, from, until)
		}
	}
	enginetest.Roll(t, w, withRollups(), begin)
	sameSums(t, r)
	for _, rollup := range flow.Table.Rollups {
		if from, until := has(t, r, rollup.Name); from != end-4*3600 || until < begin {
			t.Errorf("%s is complete from %d until %d", rollup.Name, from, until)
		}
	}
	// A rollup that a user dropped before a row arrived late.
	for i, rollup := range []string{"rollup_1h", "rollup_1m_as", "rollup_1m"} {
		for _, sql := range []string{"DROP TABLE " + rollup, fmt.Sprintf("INSERT INTO flows (TimeReceived, Bytes) VALUES (%d, 1)", end-2*3600+i)} {
			if err := w.Exec(t.Context(), sql); err != nil {
				t.Fatal(err)
			}
		}
		migrate(t, w, withRollups())
		enginetest.Roll(t, w, withRollups(), begin)
		sameSums(t, r)
	}
}

// Sums that views of an earlier version made are kept, and what was on its way when the
// views went is added.
func TestRollupAfterViews(t *testing.T) {
	w, r := enginetest.Clients(t)
	migrate(t, w, withRollups())
	now := time.Now().Unix()
	for _, sql := range []string{
		"CREATE MATERIALIZED VIEW rollup_1m_view TO rollup_1m AS SELECT TimeReceived, count() AS Flows FROM flows GROUP BY TimeReceived",
		"DROP TABLE rollup_state SYNC",
		"ALTER TABLE rollup_1m MODIFY COMMENT 'complete from 0'",
		"ALTER TABLE rollup_1h MODIFY COMMENT 'complete from 0'",
		fmt.Sprintf("INSERT INTO flows (TimeReceived, Bytes) VALUES (%d, 1), (%d, 10), (%d, 100)", now/60*60-7200, now/60*60-60, now/60*60),
	} {
		if err := w.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	migrate(t, w, withRollups())
	if err := w.Exec(t.Context(), fmt.Sprintf("INSERT INTO flows (TimeReceived, Bytes) VALUES (%d, 1000)", now/60*60-7200)); err != nil {
		t.Fatal(err)
	}
	enginetest.Roll(t, w, withRollups(), now/60*60+60)
	if got := text(t, r, "SELECT sum(Flows), count() FROM rollup_1m"); got != "4\t3" {
		t.Errorf("flows and rows %s, want 4 and 3", got)
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
		return store.Schema{Table: s, RollupDays: map[int64]int{60: 0}}
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
	enginetest.Roll(t, w, of([]string{"none", "red"}), 120)
	wider := of([]string{"none", "red", "blue"}, "VRF", "Site")
	migrate(t, w, wider)
	if plan, err := store.Plan(t.Context(), w, wider); err != nil || len(plan) > 0 {
		t.Fatalf("left to do: %v, %v", plan, err)
	}
	insert("TimeReceived, Colour, VRF, Site, Bytes", "(60, 'blue', 1, 1, 5), (61, 'blue', 1, 2, 7), (62, 'blue', 1, 2, 7)")
	enginetest.Roll(t, w, wider, 120)
	if err := w.Exec(t.Context(), "OPTIMIZE TABLE sums FINAL"); err != nil {
		t.Fatal(err)
	}
	want := "blue\t1\t1\t5\t1\nblue\t1\t2\t14\t2\nred\t0\t0\t3\t2"
	if got := text(t, r, "SELECT toString(Colour), VRF, Site, Bytes, Flows FROM sums ORDER BY ALL"); got != want {
		t.Errorf("sums are\n%s, want\n%s", got, want)
	}
}

// If rollups get another column, their sums are rebuilt.
func TestRollupKeepsMore(t *testing.T) {
	of := func(kept bool) store.Schema {
		s := &column.Table{Name: "flows", Order: "TimeReceived", Rollups: []column.Rollup{{Name: "sums", Step: 60}}}
		s.Time(column.Field{Name: "TimeReceived"})
		s.U32(column.Field{Name: "VRF", Rollup: kept})
		s.U64(column.Field{Name: "Bytes", Role: column.Measure})
		return store.Schema{Table: s, RollupDays: map[int64]int{60: 0}}
	}
	w, r := enginetest.Clients(t)
	migrate(t, w, of(false))
	if err := w.Exec(t.Context(), "INSERT INTO flows (TimeReceived, VRF, Bytes) VALUES (7260, 7, 1), (7261, 8, 1)"); err != nil {
		t.Fatal(err)
	}
	enginetest.Roll(t, w, of(false), 7320)
	migrate(t, w, of(true))
	if plan, err := store.Plan(t.Context(), w, of(true)); err != nil || len(plan) > 0 {
		t.Fatalf("left to do: %v, %v", plan, err)
	}
	enginetest.Roll(t, w, of(true), time.Now().Unix())
	if got := text(t, r, "SELECT VRF, sum(Flows) FROM sums GROUP BY VRF ORDER BY VRF"); got != "7\t1\n8\t1" {
		t.Errorf("sums are\n%s", got)
	}
	if from, _ := has(t, r, "sums"); from != 7200 {
		t.Errorf("complete from %d", from)
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
	if from, until := has(t, r, "rollup_1m"); from != 0 || until != 0 {
		t.Errorf("complete from %d until %d", from, until)
	}
}
