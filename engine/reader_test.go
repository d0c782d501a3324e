package engine

import (
	"context"
	"fmt"
	"io"
	"net"

	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func page(t testing.TB) as { s := engine(t); return as{t, s.URL(), s.Page()} }

// ownDir is a directory where the engine's process itself may read and write, so that
// nothing but our checks protects what is in it.
func ownDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp(filepath.Join(engine(t).options.Path, "clickhouse"), "test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// TestReaderWritesNoFile: no format, setting or clause makes the engine write a file, in
// whatever way it is given.
func TestReaderWritesNoFile(t *testing.T) {
	dir := ownDir(t)
	victim := filepath.Join(dir, "victim.txt")
	if err := os.WriteFile(victim, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	paths := []string{victim, filepath.Join(dir, "new.proto")}
	intact := func(what string) {
		t.Helper()
		text, err := os.ReadFile(victim)
		entries, _ := os.ReadDir(dir)
		if err != nil || string(text) != "precious" || len(entries) != 1 {
			t.Fatalf("%s: wrote: %q, %v, %d files", what, text, err, len(entries))
		}
	}
	for _, r := range []as{reader(t), page(t)} {
		for _, path := range paths {
			for _, format := range []string{"Protobuf", "ProtobufSingle", "ProtobufList", "CapnProto", "protobuf", "`Protobuf`", "Template", "Avro", "AvroConfluent", "Parquet"} {
				for _, got := range []answer{
					r.do("POST", fmt.Sprintf("SELECT 1 AS a FORMAT %s SETTINGS output_format_schema='%s'", format, path)),
					r.do("POST", fmt.Sprintf("SELECT 1 AS a SETTINGS output_format_schema='%s' FORMAT %s", path, format)),
					r.do("POST", "SELECT 1 AS a FORMAT "+format, "output_format_schema", path),
					r.do("GET", "", "query", "SELECT 1 AS a FORMAT "+format, "output_format_schema", path),
					r.do("GET", "", "query", "SELECT 1 AS a", "default_format", strings.Trim(format, "`"), "output_format_schema", path),
					r.do("POST", "SELECT 1 AS a", "X-ClickHouse-Format:", strings.Trim(format, "`"), "output_format_schema", path),
					r.do("POST", fmt.Sprintf("SELECT formatRow('%s', 1 AS a)", strings.Trim(format, "`")), "output_format_schema", path),
					r.do("POST", fmt.Sprintf("SHOW TABLES FORMAT %s SETTINGS output_format_schema='%s'", format, path)),
					r.do("POST", fmt.Sprintf("DESCRIBE TABLE system.one FORMAT %s SETTINGS output_format_schema='%s'", format, path)),
					r.do("POST", fmt.Sprintf("EXPLAIN SELECT 1 FORMAT %s SETTINGS output_format_schema='%s'", format, path)),
				} {
					intact(format)
					if code := got.header.Get("X-ClickHouse-Exception-Code"); code != "164" && code != "73" && code != "497" {
						t.Errorf("%s as %s is answered: %.200s", format, r.user.Name, got.body)
					}
				}
			}
			// A column may be called so that its name would be a line of the file.
			got := r.do("POST", fmt.Sprintf("SELECT 1 AS `a = 1;\n}\n* * * * * root x\n` FORMAT Protobuf SETTINGS output_format_schema='%s'", path))
			intact("a column's name")
			if got.status == 200 {
				t.Errorf("Protobuf: %s", got.body)
			}
		}
	}
}

// TestReaderFormats: each format that the engine has is answered, or refused by us.
func TestReaderFormats(t *testing.T) {
	w, r := writer(t), reader(t)
	for _, name := range strings.Fields(w.must("SELECT name FROM system.formats WHERE is_output")) {
		for _, got := range []answer{
			r.do("POST", "SELECT 'x' AS a FORMAT "+name),
			r.do("POST", "SELECT 'x' AS a", "default_format", name),
			r.do("POST", "SELECT 'x' AS a", "X-ClickHouse-Format:", strings.ToLower(name)),
		} {
			allowed := readerFormats[strings.ToLower(name)]
			code := got.header.Get("X-ClickHouse-Exception-Code")
			if !allowed && code != "73" {
				t.Errorf("%s: %d %s", name, got.status, got.body)
			}
			if allowed && got.status != 200 && !strings.Contains("Npy GeoJSON Prometheus", name) { // these want columns of theirs
				t.Errorf("%s: %d %s", name, got.status, got.body)
			}
		}
	}
}

// TestReaderLearnsNothingOfFiles: what is asked of a file that is there is answered as
// for one that is not, by each statement that names a table and in each spelling.
func TestReaderLearnsNothingOfFiles(t *testing.T) {
	for _, dir := range []string{ownDir(t), t.TempDir()} {
		learnsNothingOf(t, dir)
	}
}

func learnsNothingOf(t *testing.T, dir string) {
	t.Helper()
	r := reader(t)
	there := filepath.Join(dir, "qthereq.csv")
	if err := os.WriteFile(there, []byte("canary,1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	missing := filepath.Join(dir, "qwrongq.csv")
	for _, statement := range []string{
		"EXISTS TABLE %s", "EXISTS %s", "EXISTS VIEW %s", "EXISTS DICTIONARY %s", "EXISTS TEMPORARY TABLE %s", "EXISTS DATABASE %s",
		"EXISTS TABLE default.%s", "EXISTS TABLE information_schema.%s",
		"DESCRIBE TABLE %s", "DESC default.%s", "DESCRIBE (SELECT * FROM %s)",
		"SHOW CREATE TABLE %s", "SHOW CREATE DATABASE %s", "SHOW CREATE VIEW %s", "SHOW TABLES FROM %s", "SHOW COLUMNS FROM %s", "SHOW INDEX FROM %s",
		"SHOW COLUMNS FROM %s FROM default", "USE %s",
		"SELECT * FROM %s", "SELECT * FROM default.%s", "SELECT count() FROM system.one, %s", "SELECT 1 FROM system.one JOIN %s AS b ON 1",
		"SELECT 1 IN %s", "SELECT 1 WHERE 1 IN (SELECT 1 FROM %s)", "WITH x AS (SELECT * FROM %s) SELECT * FROM x", "FROM %s SELECT *",
		"EXPLAIN SELECT * FROM %s", "EXPLAIN QUERY TREE SELECT * FROM %s", "EXPLAIN SYNTAX SELECT * FROM %s", "EXPLAIN ESTIMATE SELECT * FROM %s",
		"SELECT * FROM view(SELECT * FROM %s)", "SELECT * FROM merge(%s)", "SELECT * FROM merge('%[1]s')", "SELECT * FROM mergeTreeIndex(default, %s)", "SELECT * FROM dictionary(%s)",
		"SELECT joinGet(%s, 'a', 1)", "SELECT dictGet(%s, 'a', 1)", "SELECT * FROM {t:Identifier}", "SELECT {t:Identifier}",
		"SELECT toDateTime(0, %s)", "SELECT naiveBayesClassifier(%s, 'x')", "SELECT * FROM file(%s)", "SELECT file(%s)", "SELECT regionToName(1, %s)",
		"SELECT catboostEvaluate(%s, 1)", "SELECT count() FROM system.tables WHERE name = %s", "SELECT 1 SETTINGS session_timezone = %s",
	} {
		for _, quote := range []string{"`%s`", `"%s"`, "'%s'", "`file://%s`", "'file://%s'", "`file:%s`", "%s"} {
			ask := func(path string) string {
				name := fmt.Sprintf(quote, path)
				sql := statement
				if strings.Contains(sql, "%") {
					sql = fmt.Sprintf(sql, name)
				}
				got := r.do("POST", sql, "param_t", path)
				if strings.Contains(got.body, "canary") {
					t.Errorf("%s: %s", sql, got.body)
				}
				return fmt.Sprint(got.status, " ", strings.NewReplacer("qthereq", "NAME", "qwrongq", "NAME").Replace(got.body))
			}
			if a, b := ask(there), ask(missing); a != b {
				t.Errorf("%s, %s: %.300s\nbut for no file: %.300s", statement, quote, a, b)
			}
		}
	}
}

// TestPlainDatabase: a directory whose database default was opened with an overlay of
// files, as the engine does by itself, is opened as a plain one with its tables.
func TestPlainDatabase(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "clickhouse", "metadata", "default.sql")
	t.Run("new", func(t *testing.T) {
		w := ready(t, start(t, dir, nil))
		w.must("CREATE TABLE kept (a UInt8) ENGINE = MergeTree ORDER BY a")
		w.must("INSERT INTO kept VALUES (7)")
	})
	for what, before := range map[string]func() error{
		"of an earlier version": func() error { return os.Remove(file) },
		"garbage":               func() error { return os.WriteFile(file, []byte("garbage"), 0o600) },
		"empty":                 func() error { return os.WriteFile(file, nil, 0o600) },
	} {
		t.Run(what, func(t *testing.T) {
			if err := before(); err != nil {
				t.Fatal(err)
			}
			w := ready(t, start(t, dir, nil))
			if got := w.must("SELECT a, engine FROM kept, system.databases WHERE name = currentDatabase()"); got != "7\tAtomic" {
				t.Errorf("got %s", got)
			}
		})
	}
}

// TestReaderTables: of the database system a reader reads what tells about tables and
// the engine, the page its two besides.
func TestReaderTables(t *testing.T) {
	w, r, p := writer(t), reader(t), page(t)
	w.must("CREATE OR REPLACE TABLE readers_own (a UInt8) ENGINE = MergeTree ORDER BY a")
	refused := func(a as, sql string, pairs ...string) {
		t.Helper()
		if got := a.do("POST", sql, pairs...); got.status == 200 {
			t.Errorf("%s as %s: %.200s", sql, a.user.Name, got.body)
		}
	}
	for _, table := range strings.Fields(w.must("SELECT name FROM system.tables WHERE database = 'system'")) {
		sql := "SELECT 1 FROM system." + table + " LIMIT 0"
		if readerTables[table] {
			r.must(sql)
			p.must(sql)
			continue
		}
		refused(r, sql)
		if pageTables[table] {
			p.must(sql)
		} else {
			refused(p, sql)
		}
	}
	for _, sql := range []string{
		"SELECT query FROM system.processes", "SELECT query FROM `system`.`processes`", "SELECT query FROM \"system\".processes",
		"SELECT query FROM system . /* */ processes", "SELECT query FROM {d:Identifier}.processes", "SELECT query FROM system.{p:Identifier}",
		"SELECT query FROM {d:Identifier}.{p:Identifier}", "SELECT query FROM {s:Identifier}", "SELECT query FROM {q:Identifier}",
		"SELECT query FROM merge('system', 'processes')", "SELECT query FROM merge(system, 'processes')", "SELECT query FROM merge(REGEXP('sys.*'), 'proc.*')",
		"SELECT query FROM merge('sys' || 'tem', '^processes$')", "SELECT (SELECT any(query) FROM system.processes)", "WITH x AS (SELECT query FROM system.processes) SELECT * FROM x",
		"SELECT 1 FROM system.one WHERE 'x' IN (SELECT query FROM system.processes)", "EXPLAIN SELECT (SELECT any(query) FROM system.processes)",
		"SHOW TABLES WHERE name IN (SELECT query FROM system.processes)", "SHOW PROCESSLIST", "SHOW FULL PROCESSLIST", "show processlist", "SHOW CLUSTERS", "SHOW FILESYSTEM CACHES",
		"SHOW USERS", "SHOW GRANTS", "SHOW ACCESS", "USE system", "SELECT * FROM view(SELECT query FROM system.processes)", "SELECT * FROM loop('system', 'processes')",
		"SELECT * FROM loop(system.processes)", "SELECT * FROM viewExplain('', '', (SELECT 1))", "SELECT * FROM system.processes AS system", "SELECT joinGet('system.processes', 'query', 1)",
		"SELECT getServerSetting('path')", "SELECT value FROM system.server_settings", "SELECT path FROM system.disks", "SELECT * FROM system.stack_trace",
		"DESCRIBE (SELECT (SELECT any(query) FROM system.processes))", "SELECT 1 WHERE ('x') IN system.processes", "SELECT addressToLine(1)", "SELECT * FROM format(JSONEachRow, '{\"a\": 1}')", "SELECT * FROM format(DWARF, 'x')", "SELECT formatRow('Proto' || 'buf', 1)", "SELECT hasColumnInTable('127.0.0.1:1', 'a', 'b', 'c', 'd', 'e')",
	} {
		refused(r, sql, "param_d", "system", "param_p", "processes", "param_s", "system.processes", "param_q", "`system`.`processes`")
	}
	refused(r, "SELECT query FROM processes", "database", "system")
	refused(r, "SELECT query FROM processes", "X-ClickHouse-Database:", "system")
	refused(r, "SELECT query FROM processes", "database", "SYSTEM")
	// What clients ask to show tables and to complete names.
	for _, sql := range []string{
		"SHOW TABLES FROM system", "SHOW DATABASES", "DESCRIBE TABLE system.processes", "EXISTS TABLE system.processes", "SHOW COLUMNS FROM one FROM system",
		"SELECT name FROM system.tables WHERE database = 'system'", "SELECT database, table, name FROM system.columns WHERE database = {d:String}", "SELECT table_name FROM information_schema.tables LIMIT 1",
		"SELECT {c:Identifier} FROM system.one", "SELECT count() FROM merge('^readers_own$')",
		"SELECT displayName(), version(), revision(), timezone(), currentUser()", "SELECT format('{} {}', 1, 'x')", "SELECT formatRow('CSV', 1, 'x')",
		"SHOW SETTINGS LIKE 'max_threads'", "SHOW FUNCTIONS LIKE 'plus'", "SHOW ENGINES",
	} {
		if got := r.do("POST", sql, "param_d", "system", "param_c", "dummy"); got.status != 200 {
			t.Errorf("%s: %s", sql, got.body)
		}
	}
}

// TestReaderBounds: statements that end the process, or would take it minutes, are
// refused before it sees them, and those of a tenth of that are answered.
func TestReaderBounds(t *testing.T) {
	r := reader(t)
	pid := shared.Stats().PID
	repeat := strings.Repeat
	f := func(what string, statement func(n int) string, over, within int) {
		t.Helper()
		got := r.do("POST", statement(over))
		if got.err != nil || got.status != 400 && got.status != 500 && got.status != 404 || got.header.Get("X-ClickHouse-Exception-Code") == "" {
			t.Errorf("%s, %d times: %d %.200s, %v", what, over, got.status, got.body, got.err)
		}
		if got := r.do("POST", statement(within)); got.status != 200 {
			t.Errorf("%s, %d times: %d %.300s", what, within, got.status, got.body)
		}
		if now := shared.Stats(); now.PID != pid || now.Restarts != 0 {
			t.Fatalf("%s: the engine died: %s", what, now.LastError)
		}
	}
	one := " CROSS JOIN system.one"
	f("CROSS JOIN", func(n int) string { return "SELECT 1 FROM system.one" + repeat(one, n) }, 5000, 50)
	f("comma", func(n int) string { return "SELECT 1 FROM system.one" + repeat(",system.one", n) }, 8000, 50)
	f("comma in brackets", func(n int) string { return "SELECT 1 FROM (system.one" + repeat(",system.one", n) + ")" }, 8000, 50)
	f("comma after a comment", func(n int) string { return "SELECT 1 FROM/**/system.one" + repeat("--\n,system.one", n) }, 8000, 50)
	f("EXPLAIN", func(n int) string { return "EXPLAIN SELECT 1 FROM system.one" + repeat(",system.one", n) }, 5000, 50)
	f("DESCRIBE", func(n int) string { return "DESCRIBE (SELECT 1 FROM system.one" + repeat(",system.one", n) + ")" }, 8000, 50)
	f("view", func(n int) string {
		return "SELECT * FROM view(SELECT 1 FROM system.one" + repeat(",system.one", n) + ")"
	}, 5000, 50)
	f("SHOW TABLES WHERE", func(n int) string {
		return "SHOW TABLES WHERE name IN (SELECT '' FROM system.one" + repeat(",system.one", n) + ")"
	}, 5000, 50)
	f("joins in parts of WITH", func(n int) string {
		var b strings.Builder
		b.WriteString("WITH c0 AS (SELECT 1 AS x)")
		for i := range n / 10 {
			fmt.Fprintf(&b, ",c%d AS (SELECT a.x AS x FROM c%d AS a%s)", i+1, i, repeat(one, 10))
		}
		return fmt.Sprintf("%s SELECT x FROM c%d", b.String(), n/10)
	}, 4000, 50)
	f("APPLY", func(n int) string { return "SELECT *" + repeat(" APPLY(toString)", n) + " FROM system.one" }, 8000, 50)
	f("UNION", func(n int) string { return "SELECT 1" + repeat(" UNION ALL SELECT 1", n) }, 8000, 100)
	f("INTERSECT", func(n int) string { return "SELECT 1" + repeat(" INTERSECT SELECT 1", n) }, 8000, 100)
	f("EXCEPT", func(n int) string { return "SELECT 2" + repeat(" EXCEPT SELECT 1", n) }, 8000, 100)
	f("subqueries", func(n int) string { return repeat("SELECT * FROM (", n) + "SELECT 1" + repeat(")", n) }, 1000, 30)
	f("scalar subqueries", func(n int) string { return "SELECT (SELECT 1)" + repeat(",(SELECT 1)", n) }, 4000, 100)
	f("windows", func(n int) string {
		return "SELECT 1" + repeat(",sum(number) OVER (ORDER BY number)", n) + " FROM numbers(1)"
	}, 2000, 20)
	f("brackets", func(n int) string { return "SELECT " + repeat("(", n) + "1" + repeat(")", n) }, 100_000, 100)
	f("arrays", func(n int) string { return "SELECT " + repeat("[", n) + "1" + repeat("]", n) }, 100_000, 100)
	f("calls", func(n int) string { return "SELECT " + repeat("abs(", n) + "1" + repeat(")", n) }, 10_000, 100)
	f("NOT", func(n int) string { return "SELECT " + repeat("NOT ", n) + "1" }, 50_000, 100)
	f("minus", func(n int) string { return "SELECT " + repeat("- ", n) + "1" }, 50_000, 100)
	f("plus", func(n int) string { return "SELECT 1" + repeat("+1", n) }, 50_000, 100)
	f("casts", func(n int) string { return "SELECT 1" + repeat("::UInt8", n) }, 30_000, 100)
	f("indexes", func(n int) string { return "SELECT [[1]]" + repeat("[1]", n) }, 30_000, 2)
	f("CASE", func(n int) string { return "SELECT " + repeat("CASE WHEN 1 THEN 1 ELSE ", n) + "2" + repeat(" END", n) }, 5_000, 50)
	f("BETWEEN", func(n int) string { return "SELECT 1" + repeat(" BETWEEN 0 AND 1", n) }, 40, 4)
	f("BETWEEN in brackets", func(n int) string { return "SELECT " + repeat("abs(", n) + "1" + repeat(" BETWEEN 0 AND 1)", n) }, 40, 4)
	f("BETWEEN beside", func(n int) string { return "SELECT 1 WHERE 1" + repeat(" AND 1 BETWEEN 0 AND 1", n) }, 10_000, 500)
	f("IN", func(n int) string { return repeat("SELECT 1 WHERE 1 IN (", n) + "SELECT 1" + repeat(")", n) }, 30, 8)
	f("CUBE", func(n int) string {
		return "SELECT count() FROM numbers(1) GROUP BY CUBE(number" + repeat(", number + 1", n) + ")"
	}, 30, 5)
	f("WITH CUBE", func(n int) string {
		return "SELECT count() FROM numbers(1) GROUP BY number" + repeat(", number + 1", n) + " WITH CUBE"
	}, 30, 5)
	f("lambdas", func(n int) string { return "SELECT " + repeat("arrayMap(x->", n) + "x" + repeat(",[1])", n) }, 5_000, 1)
	f("AND", func(n int) string { return "SELECT 1 WHERE 1" + repeat(" AND 1", n) }, 40_000, 1000)
	f("columns", func(n int) string { return "SELECT 1" + repeat(",1", n) }, 60_000, 1000)
	f("IN", func(n int) string { return "SELECT 1 IN (1" + repeat(",1", n) + ")" }, 60_000, 20_000)
	f("length", func(n int) string { return "SELECT '" + repeat("x", n) + "'" }, maxReaderStatement, maxReaderStatement/2)
	f("aliases that double", func(n int) string {
		var b strings.Builder
		b.WriteString("WITH number AS a0")
		for i := range n {
			fmt.Fprintf(&b, ",a%d+a%d AS a%d", i, i, i+1)
		}
		return fmt.Sprintf("%s SELECT a%d FROM numbers(2)", b.String(), n)
	}, 200, 8)
	f("parts of WITH that double", func(n int) string {
		var b strings.Builder
		b.WriteString("WITH c0 AS (SELECT 1 AS x)")
		for i := range n {
			fmt.Fprintf(&b, ",c%d AS (SELECT a.x FROM c%d AS a, c%d AS b)", i+1, i, i)
		}
		return fmt.Sprintf("%s SELECT x FROM c%d", b.String(), n)
	}, 60, 5)
	f("lambdas that double", func(n int) string {
		var b strings.Builder
		b.WriteString("WITH x -> x + 1 AS f0")
		for i := range n {
			fmt.Fprintf(&b, ", x -> f%d(f%d(x)) AS f%d", i, i, i+1)
		}
		return fmt.Sprintf("%s SELECT f%d(number) FROM numbers(2)", b.String(), n)
	}, 30, 5)
	// What is nested in a value, and not in the statement.
	if got := r.do("POST", `SELECT length(JSONMergePatch(repeat('{"a":', 200000) || '1' || repeat('}', 200000), '{}'))`); got.status != 403 {
		t.Errorf("JSONMergePatch: %d %.300s, %v", got.status, got.body, got.err)
	}
	if got := r.do("POST", "SELECT multiMatchAny('a', [repeat('(a|', 30) || 'a' || repeat(')*', 30)])"); got.status == 200 || !strings.Contains(got.body, "Hyperscan") {
		t.Errorf("multiMatchAny: %d %.300s, %v", got.status, got.body, got.err)
	}
	if now := shared.Stats(); now.PID != pid || now.Restarts != 0 {
		t.Fatalf("the engine died: %s", now.LastError)
	}
}

// TestMeasure counts.
func TestMeasure(t *testing.T) {
	f := func(text string, want tally) {
		t.Helper()
		got := measure(text)
		got.tokens = want.tokens
		if want.expanded == 0 {
			got.expanded = 0
		}
		if got != want {
			t.Errorf("%s: %+v, want %+v", text, got, want)
		}
	}
	f("SELECT a, b FROM t, u CROSS JOIN v, (SELECT 1), numbers(1, 2) WHERE f(a, b), c GROUP BY a, b", tally{depth: 1, selects: 2, tables: 4})
	f("SELECT 1 FROM (a, b, (c, d)) JOIN (e, f) ON g(1, 2) = (3, 4)", tally{depth: 2, selects: 1, tables: 5})
	f("SELECT 1 FROM a JOIN b ON f(1, 2) OR g(3, 4), c, d WHERE (1, 2) = (3, 4)", tally{depth: 1, selects: 1, tables: 3})
	f("select 1 from a,b union all select 2, 3 from c /* , , , */ -- ,\n", tally{selects: 2, tables: 1})
	f("SELECT 'FROM a, b', `from`, c", tally{selects: 1})
	f("WITH x AS (SELECT 1, 2) SELECT sum(a) OVER (ORDER BY b, c) FROM x ORDER BY a, b", tally{depth: 1, selects: 2, windows: 1})
	f("SELECT * APPLY f APPLY (g) FROM values('a UInt8', (1), (2))", tally{depth: 2, selects: 1, applies: 2})
	f(strings.Repeat("(", 300)+"1"+strings.Repeat(")", 300), tally{depth: 300})
	f(")))((", tally{depth: 2})
	f("SELECT a BETWEEN 1 AND 2 BETWEEN 3 AND 4, b BETWEEN 1 AND 2 AND c BETWEEN 3 AND 4", tally{selects: 1, betweens: 2})
	f("SELECT f(a BETWEEN 1 AND g(b) BETWEEN 3 AND 4, 1) NOT BETWEEN 5 AND 6", tally{selects: 1, depth: 2, betweens: 3})
	f("SELECT 1 FROM t WHERE a BETWEEN 1 AND 2 OR b between 1 and 2", tally{selects: 1, betweens: 1})
	f("SELECT 1 GROUP BY CUBE(a, f(b, c)) HAVING g(1, 2) ORDER BY 1, 2", tally{selects: 1, depth: 2, cube: 2})
	f("SELECT 1, 2 GROUP BY a, b", tally{selects: 1})
	f("SELECT 1 IN (SELECT 2 WHERE (3 IN (1))) WHERE 1 in(2, 3)", tally{selects: 2, depth: 3, ins: 2})
	f("WITH a AS (SELECT 1), `b` AS MATERIALIZED (SELECT 1 FROM a, a) SELECT 1 FROM b", tally{selects: 3, depth: 1, tables: 1, expanded: 42})
	f("WITH x -> x AS f, x -> f(f(x)) AS g SELECT g(1)", tally{selects: 1, depth: 2, expanded: 91})
}

// TestHeldAnswers: what wait_end_of_query holds back is bounded, and is gone afterwards.
func TestHeldAnswers(t *testing.T) {
	r := reader(t)
	got := r.do("POST", "SELECT repeat('x', 1000000) FROM numbers(1240)", "wait_end_of_query", "1", "max_block_size", "10")
	if got.status != 400 || got.header.Get("X-ClickHouse-Exception-Code") != "396" || !strings.Contains(got.body, "256 MiB") || !strings.Contains(got.body, "LIMIT") {
		t.Errorf("%d %.300s", got.status, got.body)
	}
	if got := r.do("POST", "SELECT repeat('x', 1000000) FROM numbers(20)", "wait_end_of_query", "1", "max_block_size", "10"); got.status != 200 || len(got.body) != 20*1000001 {
		t.Errorf("20 MB: %d, %d bytes", got.status, len(got.body))
	}
	if entries, err := os.ReadDir(filepath.Join(shared.options.Path, "tmp", "answers")); err != nil || len(entries) != 0 {
		t.Errorf("left behind: %v, %v", entries, err)
	}

	a, err := newAnswers(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	a.held.Store(maxHeldAll - 10)
	h, err := a.hold()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Write(make([]byte, 10)); err != nil {
		t.Error(err)
	}
	if _, err := h.Write(make([]byte, 1)); err == nil || !strings.Contains(err.Error(), "1024 MiB of all answers") {
		t.Errorf("over all: %v", err)
	}
	if h.Close(); a.held.Load() != maxHeldAll-10 {
		t.Errorf("%d bytes are still held", a.held.Load())
	}
}

// TestTemporaryData: what a reader's statement puts on the disk has a bound, and the
// engine keeps to it.
func TestTemporaryData(t *testing.T) {
	w, r := writer(t), reader(t)
	// The second one bounds all readers together: see tempSettings.
	for _, name := range []string{"max_temporary_data_on_disk_size_for_query", "min_free_disk_space_for_temporary_data"} {
		if got := r.must("SELECT getSetting('" + name + "') > 0"); got != "1" {
			t.Errorf("%s: %s", name, got)
		}
	}
	got := w.do("POST", "SELECT count() FROM (SELECT s, count() c FROM (SELECT randomString(200) AS s FROM numbers(500000)) GROUP BY s HAVING c > 0)",
		"max_bytes_before_external_group_by", "10000000", "max_temporary_data_on_disk_size_for_query", "1000000")
	if got.status == 200 || !strings.Contains(got.body, "TOO_MANY_ROWS_OR_BYTES") && !strings.Contains(got.body, "Limit for temporary files") {
		t.Errorf("%d %s", got.status, got.body)
	}
}

// TestNobodyElsesStatement: a reader that uses the ID and the comment of another user's statement, and
// disconnects, only cancels its own; and the ID of one user's statement is free for the others.
func TestNobodyElsesStatement(t *testing.T) {
	w, r, p := writer(t), reader(t), page(t)
	long := "SELECT count() FROM numbers(100) WHERE sleepEachRow(0.05) = 0 SETTINGS max_block_size = 1"
	for _, victim := range []as{w, p} {
		ended := make(chan answer, 1)
		go func() { ended <- victim.do("POST", long, "query_id", "v1", "log_comment", "netmeta asks query") }()
		count := func(by string) string {
			return w.must("SELECT count() FROM system.processes WHERE Settings['log_comment'] = 'v1 netmeta asks query' AND Settings['query_cache_tag'] LIKE {by:String}", "param_by", by+" %")
		}
		for count(victim.user.Name) != "1" {
		}
		for _, pairs := range []string{"query_id=v1+netmeta+asks+query", "query_id=v1&log_comment=netmeta+asks+query"} {
			ctx, leave := context.WithCancel(t.Context())
			gone := make(chan struct{})
			go func() {
				defer close(gone)
				r.post(ctx, "SELECT sleepEachRow(1) FROM numbers(100) SETTINGS max_block_size = 1", pairs)
			}()
			for count("reader") != "1" {
			}
			leave()
			<-gone
			for count("reader") != "0" {
			}
		}
		if got := <-ended; got.status != 200 || got.body != "100\n" {
			t.Errorf("%s: the statement was ended: %d %s", victim.user.Name, got.status, got.body)
		}
	}
}

// slow sends the head of a request and some of its body.
func slow(t testing.TB, a as, length int) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(a.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: x\r\nX-ClickHouse-User: %s\r\nX-ClickHouse-Key: %s\r\nContent-Length: %d\r\n\r\nS", a.user.Name, a.user.Password, length)
	return conn
}

// TestSlowBodies: statements that do not come hold no slot and no memory, and those of
// an SQL client keep neither the page nor the writer waiting.
func TestSlowBodies(t *testing.T) {
	s := start(t, t.TempDir(), func(o *Options) { o.MaxQueries = 4 })
	w := ready(t, s)
	r, p := as{t, s.URL(), s.Reader()}, as{t, s.URL(), s.Page()}
	// As many as may be on their way, and then some: each of these is refused at once.
	for refused, begin := false, time.Now(); !refused; {
		conn := slow(t, r, 1000000)
		defer conn.Close()
		conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
		answer := make([]byte, 100)
		n, _ := conn.Read(answer)
		refused = strings.HasPrefix(string(answer[:n]), "HTTP/1.1 503 ")
		if time.Since(begin) > 20*time.Second {
			t.Fatal("the statements on their way are not bounded")
		}
	}
	for _, a := range []as{p, w} {
		if got := a.must("SELECT getSetting('max_memory_usage') > 0 OR 1"); got != "1" {
			t.Error(got)
		}
	}
	if got, want := p.must("SELECT getSetting('max_memory_usage')"), fmt.Sprint(int64(2<<30)*3/8); got != want {
		t.Errorf("the page may use %s bytes, want %s", got, want)
	}
}

// TestStalledBody: a body that stalls is answered with an error that says so, and one
// that comes with an error in its head is not waited for.
func TestStalledBody(t *testing.T) {
	reads := newReader(User{"reader", strings.Repeat("r", 16)}, 1, readerTally, nil)
	reads.bodyTime = 50 * time.Millisecond
	s := &server{writer: newAccount(User{"netmeta", strings.Repeat("w", 16)}, 1), readers: []*account{reads}, running: map[string]bool{}}
	srv := httptest.NewServer(s)
	defer srv.Close()
	for _, length := range []int{10, 1000000} {
		conn := slow(t, as{t, srv.URL, reads.User}, length)
		defer conn.Close()
		text, err := io.ReadAll(conn)
		if err != nil || !strings.HasPrefix(string(text), "HTTP/1.1 408 ") || !strings.Contains(string(text), "SOCKET_TIMEOUT") {
			t.Errorf("%v %s", err, text)
		}
	}
	for _, a := range []as{{t, srv.URL, User{"reader", "wrong"}}, {t, srv.URL, User{"nobody", "x"}}} {
		conn := slow(t, a, 10)
		defer conn.Close()
		if text, err := io.ReadAll(conn); err != nil || !strings.HasPrefix(string(text), "HTTP/1.1 403 ") {
			t.Errorf("%v %s", err, text)
		}
	}
	if len(reads.arriving) != 0 || len(reads.slots.running) != 0 {
		t.Error("a slot is still held")
	}
}

// TestPageHasItsSlots: SQL clients that hold all of theirs keep the page from nothing,
// and leave it memory.
func TestPageHasItsSlots(t *testing.T) {
	s := start(t, t.TempDir(), func(o *Options) { o.MaxQueries = 3 })
	w := ready(t, s)
	r, p := as{t, s.URL(), s.Reader()}, as{t, s.URL(), s.Page()}
	ctx, cancel := context.WithCancel(t.Context())
	var busy sync.WaitGroup
	defer busy.Wait()
	defer cancel()
	for range 3 {
		busy.Go(func() { r.post(ctx, "SELECT sleepEachRow(1) FROM numbers(60) SETTINGS max_block_size = 1", "") })
	}
	for w.must("SELECT count() FROM system.processes WHERE Settings['query_cache_tag'] LIKE 'reader %'") != "3" {
	}
	var memory int64
	fmt.Sscan(p.must("SELECT getSetting('max_memory_usage')"), &memory)
	if least := int64(2<<30) * 3 / 32; memory < least {
		t.Errorf("the page may use %d bytes, want %d at least", memory, least)
	}
}

// TestTakeMemory: the statements of one user leave a quarter to the other, all of them
// together take no more than there is, and all is given back.
func TestTakeMemory(t *testing.T) {
	s := &server{limits: limits{memory: 1000}}
	r, p := newReader(User{}, 8, readerTally, nil), newReader(User{}, 8, readerTally, nil)
	var back []func()
	take := func(a *account) int64 {
		q := &request{}
		back = append(back, s.takeMemory(q, a))
		return q.memory
	}
	if got := take(r); got != 1000 {
		t.Errorf("alone: %d", got)
	}
	for range 7 {
		take(r)
	}
	if r.taken > 1500 {
		t.Errorf("one user took %d of 2000", r.taken)
	}
	if got := take(p); got < 250 {
		t.Errorf("the other gets %d", got)
	}
	for range 7 {
		if got := take(p); got <= 0 {
			t.Errorf("got %d", got)
		}
	}
	if s.taken > 2000 {
		t.Errorf("took %d of 2000", s.taken)
	}
	for _, f := range back {
		f()
	}
	if s.taken != 0 || r.taken != 0 || p.taken != 0 {
		t.Errorf("not given back: %d %d %d", s.taken, r.taken, p.taken)
	}
}
