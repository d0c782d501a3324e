package store_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"netmeta/column"
	"netmeta/internal/enginetest"
	"netmeta/store"
)

func TestReadRoom(t *testing.T) {
	f := func(text string, want uint64) { // of 1,000,000,000,000 bytes
		t.Helper()
		var r store.DiskShare
		if err := r.UnmarshalText([]byte(text)); err != nil || r.Of(1e12) != want || r.String() != text || r.IsZero() {
			t.Errorf("%q: %d, %q, %v; want %d", text, r.Of(1e12), r, err, want)
		}
		if r.IsNone() != (want == 0) {
			t.Errorf("%q: is none: %t", text, r.IsNone())
		}
	}
	f("10%", 1e11)
	f("2.5 %", 25e9)
	f("0", 0)
	f("0%", 0)
	f("50GB", 50e9)
	f("1.5 TB", 1.5e12)
	f("20GiB", 20<<30)
	f("700MiB", 700<<20)
	f("123456", 123456)
	for _, text := range []string{"%", "95%", "-1%", "ten", "10 percent", "5XB", "-5GB", "NaN", "NaN%", "1e30"} {
		var r store.DiskShare
		if err := r.UnmarshalText([]byte(text)); err == nil || !strings.Contains(err.Error(), "10%") || !strings.Contains(err.Error(), text) || !r.IsZero() {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestForecast(t *testing.T) {
	f := func(perDay float64, stored, free, keep uint64, ttl int, want string) {
		t.Helper()
		if got := store.NewForecast(perDay, stored, free, keep, ttl); fmt.Sprintf("%.2f days by %s, full in %.2f", got.Days, got.LimitedBy, got.FullInDays) != want {
			t.Errorf("got %+v, want %s", got, want)
		}
	}
	f(0, 100, 1000, 100, 30, "0.00 days by , full in 0.00")
	f(10, 100, 230, 100, 30, "23.00 days by disk, full in 13.00")
	f(10, 100, 230, 100, 20, "20.00 days by age, full in 0.00")
	f(10, 100, 230, 100, 0, "23.00 days by disk, full in 13.00")
	f(10, 100, 50, 100, 30, "10.00 days by disk, full in 0.04") // less is free than is to be kept
}

// hours fills a table with rows of the last hours, the current one included.
func hours(t *testing.T, c *store.Client, table string, n, rows int, now time.Time) {
	t.Helper()
	for h := range n {
		at := now.Truncate(time.Hour).Add(-time.Duration(h) * time.Hour).Unix()
		sql := fmt.Sprintf("INSERT INTO %s (TimeReceived, Bytes) SELECT toDateTime(%d + number %% 60), rand64() FROM numbers(%d)", table, at, rows)
		if err := c.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
}

// The oldest hours go, from the largest table first, until there is room; the hour that
// is being written stays.
func TestRetention(t *testing.T) {
	w, r := enginetest.Clients(t)
	now := time.Now()
	flows := standard()
	small := &sample{Table: column.Table{Name: "small", Order: "TimeReceived"}}
	small.TimeReceived = small.Table.Time(column.Field{Name: "TimeReceived"})
	small.Bytes = small.Table.U64(column.Field{Name: "Bytes"})
	migrate(t, w, store.Schema{Table: &flows.Table})
	migrate(t, w, store.Schema{Table: &small.Table})
	hours(t, w, "flows", 6, 20_000, now)
	hours(t, w, "small", 6, 1000, now)

	// The disk is pretended: what the store has on it, and 900,000 bytes besides.
	const besides = 900_000
	keep := store.DiskShare{}
	used := func() uint64 {
		var n uint64
		fmt.Sscan(text(t, r, "SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = currentDatabase()"), &n)
		return n
	}
	total := used() + besides
	x := &store.Retention{Client: w, Log: quiet, Now: func() time.Time { return now },
		Keep:  func() store.DiskShare { return keep },
		Space: func(context.Context) (uint64, uint64, error) { return total - used(), total, nil }}
	is := func(flowsHours, smallHours string) {
		t.Helper()
		if got := text(t, r, "SELECT uniqExact(toStartOfHour(TimeReceived)) FROM flows"); got != flowsHours {
			t.Errorf("flows of %s hours, want %s", got, flowsHours)
		}
		if got := text(t, r, "SELECT uniqExact(toStartOfHour(TimeReceived)) FROM small"); got != smallHours {
			t.Errorf("small has %s hours, want %s", got, smallHours)
		}
	}
	check := func(bytes uint64, want string) {
		t.Helper()
		keep.Bytes = bytes
		if err := x.Check(t.Context()); fmt.Sprint(err) != want && (want == "<nil>" || err == nil || !strings.Contains(err.Error(), want)) {
			t.Fatalf("%v, want %s", err, want)
		}
	}
	check(besides, "<nil>")
	is("6", "6")
	hour := used() / 6
	check(besides+hour/2, "<nil>")
	is("5", "6")
	check(besides+hour*5/2, "<nil>")
	is("3", "6")
	if got, want := text(t, r, "SELECT toUInt64(min(TimeReceived)) FROM flows"), fmt.Sprint(now.Truncate(time.Hour).Add(-2*time.Hour).Unix()); got != want {
		t.Errorf("the oldest row is of %s, want %s", got, want)
	}
	if n := x.Stats.Partitions.Load(); n != 3 || x.Stats.Rows.Load() != 60_000 || x.Stats.Bytes.Load() < 60_000 || x.Stats.Last.Load() != now.Unix() {
		t.Errorf("%d partitions, %d rows, %d bytes", n, x.Stats.Rows.Load(), x.Stats.Bytes.Load())
	}
	check(total, "nothing is left")
	is("1", "1")
	if !x.Stats.Stuck.Load() {
		t.Error("that nothing can be done is not said")
	}
	check(0, "<nil>")
	if x.Stats.Stuck.Load() {
		t.Error("it is still said when there is room again")
	}
}

// TestTemporaryData: no row is dropped for temporary data. They are named, and once they
// are too much the statements of readers that hold them are ended.
func TestTemporaryData(t *testing.T) {
	w, r := enginetest.Clients(t)
	now := time.Now()
	flows := standard()
	migrate(t, w, store.Schema{Table: &flows.Table})
	hours(t, w, "flows", 3, 10_000, now)

	var log strings.Builder
	const total = 1 << 30
	free, temporary := uint64(0), store.TemporaryData{}
	x := &store.Retention{Client: w, Log: slog.New(slog.NewTextHandler(&log, nil)), Now: func() time.Time { return now },
		Keep:      func() store.DiskShare { return store.DiskShare{Bytes: 100 << 20} },
		Space:     func(context.Context) (uint64, uint64, error) { return free, total, nil },
		Temporary: func() store.TemporaryData { return temporary }}
	check := func(freeMiB, heldMiB, mergesMiB uint64, hoursLeft, said string) {
		t.Helper()
		free, temporary = freeMiB<<20, store.TemporaryData{Bytes: heldMiB << 20, Merges: mergesMiB << 20, What: "held answers"}
		log.Reset()
		if err := x.Check(t.Context()); err != nil && hoursLeft != "1" {
			t.Fatal(err)
		}
		if got := text(t, r, "SELECT uniqExact(toStartOfHour(TimeReceived)) FROM flows"); got != hoursLeft {
			t.Errorf("%d MiB free, %d held, %d of merges: %s hours, want %s", freeMiB, heldMiB, mergesMiB, got, hoursLeft)
		}
		if said == "" && log.Len() > 0 || !strings.Contains(log.String(), said) {
			t.Errorf("%d MiB free, %d held, %d of merges: the log says %q, want %q", freeMiB, heldMiB, mergesMiB, log.String(), said)
		}
	}
	const named = `msg="temporary data use space that must stay free; no rows are dropped for them" temporary="held answers"`
	check(200, 50, 0, "3", "")
	check(90, 50, 0, "3", named)
	check(90, 50, 0, "3", "") // said once
	check(200, 0, 0, "3", "")
	check(30, 10, 70, "3", named)

	// A reader that writes temporary data and waits for its client is ended, one without
	// stays, and so does the writer.
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	run := func(c *store.Client, sql string) <-chan error {
		ended := make(chan error, 1)
		go func() {
			_, _, err := c.Select(ctx, store.Query{SQL: sql})
			ended <- err
		}()
		return ended
	}
	const spill = "SELECT sum(sleepEachRow(0.001)), '%s' FROM (SELECT s FROM (SELECT randomString(100) AS s FROM numbers(300000)) GROUP BY s HAVING count() > 0) SETTINGS max_bytes_before_external_group_by = 1000000"
	holds := run(r, fmt.Sprintf(spill, "holds"))
	without := run(r, "SELECT sleepEachRow(1), 'without' FROM numbers(60) SETTINGS max_block_size = 1")
	for begin := time.Now(); text(t, w, "SELECT countIf(query LIKE '%''holds''%' AND ProfileEvents['ExternalAggregationWritePart'] > 0), countIf(query LIKE '%''without''%') FROM system.processes WHERE Settings['readonly'] = '1'") != "1\t1"; {
		if time.Since(begin) > 20*time.Second {
			t.Fatal("the statements do not run")
		}
	}
	check(40, 60, 0, "3", "cancelled readers' statements that hold temporary data")
	if err := <-holds; err == nil || !strings.Contains(err.Error(), "QUERY_WAS_CANCELLED") {
		t.Errorf("the statement that holds temporary data: %v", err)
	}
	if n := x.Stats.Ended.Load(); n != 1 {
		t.Errorf("%d ended", n)
	}
	if got := text(t, w, "SELECT count() FROM system.processes WHERE query LIKE '%''without''%' AND Settings['readonly'] = '1'"); got != "1" {
		t.Errorf("%s statements without temporary data are left", got)
	}
	cancel()
	<-without
	// Rows are dropped for what is short beyond temporary data, and a disk that is nearly
	// full does not wait for merges.
	check(20, 0, 70, "1", "dropped the oldest rows")
}

func TestBytesPerDay(t *testing.T) {
	w, r := enginetest.Clients(t)
	flows := standard()
	migrate(t, w, store.Schema{Table: &flows.Table})
	if got, err := store.BytesPerDay(t.Context(), r); got != 0 || err != nil {
		t.Errorf("of nothing: %v, %v", got, err)
	}
	hours(t, w, "flows", 5, 20_000, time.Now())
	var hour float64 // bytes of a full one
	fmt.Sscan(text(t, r, "SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = currentDatabase() AND max_time < toStartOfHour(now())"), &hour)
	hour /= 4
	if got, err := store.BytesPerDay(t.Context(), r); err != nil || got < 23*hour || got > 25*hour {
		t.Errorf("%v a day, %v an hour, %v", got, hour, err)
	}
	free, total, err := store.DiskSpace(t.Context(), r)
	if err != nil || free == 0 || total < free {
		t.Errorf("disk: %d of %d, %v", free, total, err)
	}
}
