package store_test

import (
	"testing"

	"netmeta/internal/enginetest"
	"netmeta/store"
)

// The engine holds the conditions, and closes the tables that have none.
func TestWithRows(t *testing.T) {
	w, r := enginetest.Clients(t)
	for _, table := range []string{"flows", "counters", "events"} {
		for _, sql := range []string{
			"CREATE TABLE " + table + " (a UInt8, s String) ENGINE = MergeTree ORDER BY a",
			"INSERT INTO " + table + " SELECT number, 'it''s' FROM numbers(10)",
		} {
			if err := w.Exec(t.Context(), sql); err != nil {
				t.Fatal(err)
			}
		}
	}
	some := r.WithRows(map[string]string{"flows": "a < 3 AND s = 'it\\'s'", "counters": "0"})
	for sql, want := range map[string]uint64{
		"SELECT count() FROM flows": 3, "SELECT count() FROM counters": 0, "SELECT count() FROM events": 0,
		"SELECT sum(n) FROM (SELECT count() AS n FROM flows UNION ALL SELECT count() FROM events AS flows)": 3,
	} {
		res, stats, err := some.Select(t.Context(), store.Query{SQL: sql, Settings: map[string]string{"additional_table_filters": "{}"}})
		if err != nil || res.Columns[0].([]uint64)[0] != want || stats.Rows != 0 {
			t.Errorf("%s: %v, %+v, %v; want %d", sql, res, stats, err, want)
		}
	}
	if _, _, err := some.Select(t.Context(), store.Query{SQL: "SELECT count() FROM merge('^flows$')"}); err == nil {
		t.Error("merge is not refused")
	}
	if _, _, err := w.WithRows(map[string]string{"flows": "1"}).Select(t.Context(), store.Query{SQL: "SELECT 1"}); err == nil {
		t.Error("the writer is not refused")
	}
}
