package engine

import "testing"

func TestQuery(t *testing.T) {
	w := writer(t)
	f := func(sql, want string, pairs ...string) {
		t.Helper()
		if got := w.must(sql, pairs...); got != want {
			t.Errorf("%s %q: got %q, want %q", sql, pairs, got, want)
		}
	}
	f("SELECT 1", "1")
	f("SELECT displayName()", "netmeta")
	f("SELECT 1 AS a FORMAT JSONEachRow", `{"a":1}`)
	f("SELECT 1 AS a", `{"a":1}`, "default_format", "JSONEachRow")
	f("SELECT {x:String}", `a\tb\\`, "param_x", `a\tb\\`)
	f("SHOW TABLES FROM system LIKE 'one'", "one")
	f("SELECT count() FROM numbers(10)", "10", "database", "system")
	f("SELECT currentDatabase()", "system", "database", "system")
	f("SELECT getSetting('max_threads')", "1", "max_threads", "1")
	f("SELECT 1;", "1")
	f("SELECT ';' -- ; SELECT 2\n", ";")
	f("EXPLAIN SELECT 1", "Output: 1\n\nReadFromSystemOne")
}
