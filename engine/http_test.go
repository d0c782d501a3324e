package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go/compress"
)

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

func TestErrors(t *testing.T) {
	w := writer(t)
	f := func(method, sql string, status int, code, text string, pairs ...string) {
		t.Helper()
		got := w.do(method, sql, pairs...)
		if got.status != status || got.header.Get("X-ClickHouse-Exception-Code") != code || !strings.Contains(got.body, text) || strings.Count(got.body, "(version ") != 1 {
			t.Errorf("%s %.80s %q: got %d, code %s, %q; want %d, code %s, %q", method, sql, pairs,
				got.status, got.header.Get("X-ClickHouse-Exception-Code"), got.body, status, code, text)
		}
		if !strings.HasPrefix(got.body, "Code: "+code+". DB::") || strings.Count(got.body, "Code: ") != 1 {
			t.Errorf("%.80s: the message is %q", sql, got.body)
		}
	}
	f("POST", "SELEC 1", 400, "62", "SYNTAX_ERROR")
	f("POST", "", 400, "62", "Empty query")
	f("POST", "-- nothing", 400, "62", "Empty query")
	f("POST", "SELECT 1; SELECT 2", 400, "62", "Multi-statements are not allowed")
	f("POST", "SELECT * FROM nowhere", 404, "60", "UNKNOWN_TABLE")
	f("POST", "SELECT 1", 404, "115", "UNKNOWN_SETTING", "max_tread", "1")
	f("POST", "SELECT 1", 404, "115", "Unknown setting", "a'b", "1")
	f("POST", "SELECT 1", 404, "81", "UNKNOWN_DATABASE", "database", "nowhere")
	f("POST", "SELECT 1 FORMAT NoSuch", 404, "73", "UNKNOWN_FORMAT")
	f("POST", "SELECT {x:UInt8}", 400, "457", "", "param_x", "abc")
	f("POST", "SELECT {x:UInt8}", 400, "456", "")
	f("POST", "SELECT 1 INTO OUTFILE '/tmp/netmeta-must-not-be'", 501, "48", "INTO OUTFILE")
	f("POST", "INSERT INTO t FROM INFILE '/etc/passwd' FORMAT TSV", 501, "48", "FROM INFILE")
	f("GET", "", 403, "164", "READONLY", "query", "CREATE TABLE no (a UInt8) ENGINE = Memory")
	f("POST", "SELECT sleep(2)", 408, "159", "TIMEOUT_EXCEEDED", "max_execution_time", "0.2")
	f("POST", "SELECT count() FROM (SELECT DISTINCT toString(number) FROM numbers(10000000))", 500, "241", "MEMORY_LIMIT_EXCEEDED", "max_memory_usage", "10000000")
	f("POST", "SELECT "+strings.Repeat("1,", maxStatement/2), 400, "62", "Max query size exceeded")
	f("POST", "x", 400, "271", "", "Content-Encoding:", "gzip")
	f("POST", "x", 501, "48", "", "Content-Encoding:", "rar")

	// An error that the engine prints within a result is sent at its end, where the body stops.
	got := w.do("POST", "SELECT throwIf(number = 3000000, 'late') FROM numbers(4000000) FORMAT TSV", "max_threads", "1", "max_block_size", "65536")
	tag := got.header.Get("X-ClickHouse-Exception-Tag")
	if got.status != 200 || got.err == nil || len(tag) != 16 {
		t.Errorf("late error: status %d, end %v, tag %q", got.status, got.err, tag)
	}
	pattern := `\n\r\n__exception__\r\n` + tag + `\r\nCode: 395\. DB::Exception: .*late.*\n(\d+) ` + tag + `\r\n__exception__\r\n$`
	m := regexp.MustCompile(pattern).FindStringSubmatch(got.body)
	if m == nil {
		t.Errorf("late error: the body ends %q", got.body[max(0, len(got.body)-400):])
	}
	// Unless the answer was to be held back.
	got = w.do("POST", "SELECT throwIf(number = 3000000, 'late') FROM numbers(4000000) FORMAT TSV", "max_threads", "1", "wait_end_of_query", "1")
	if got.status != 500 || !strings.HasPrefix(got.body, "Code: 395") {
		t.Errorf("late error, held back: status %d, %.200q", got.status, got.body)
	}
	if got := w.do("DELETE", "", "query", "SELECT 1"); got.status != 405 {
		t.Errorf("DELETE: status %d", got.status)
	}
}

func TestAuthentication(t *testing.T) {
	s := engine(t)
	none := as{t, s.URL(), User{}}
	f := func(a as, status int, want string, pairs ...string) {
		t.Helper()
		got := a.do("POST", "SELECT 1", pairs...)
		if got.status != status || got.header.Get("X-ClickHouse-Exception-Code") != want {
			t.Errorf("%q %q: got %d, code %q, want %d, %q", a.user.Name, pairs, got.status, got.header.Get("X-ClickHouse-Exception-Code"), status, want)
		}
		if status != 200 && strings.Contains(got.body, s.Writer().Password) {
			t.Error("the answer holds the password")
		}
	}
	w, r := s.Writer(), s.Reader()
	f(none, 401, "516")
	f(writer(t), 200, "")
	f(reader(t), 200, "")
	f(none, 200, "", "user", w.Name, "password", w.Password)
	f(none, 200, "", "X-ClickHouse-User:", w.Name, "X-ClickHouse-Key:", w.Password)
	f(none, 403, "516", "user", w.Name, "password", r.Password)
	f(none, 403, "516", "user", w.Name)
	f(none, 403, "516", "user", "default", "password", "")
	f(none, 403, "516", "X-ClickHouse-User:", w.Name, "X-ClickHouse-Key:", w.Password+"x")
	f(as{t, s.URL(), User{w.Name, ""}}, 403, "516")
	f(as{t, s.URL(), User{"nobody", w.Password}}, 403, "516")
	f(none, 403, "516", "Authorization:", "Bearer "+w.Password)
	// The pages that need no user tell nothing.
	for _, path := range []string{"/ping", "/", "/replicas_status"} {
		resp, err := client.Get(s.URL() + path)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != 200 || string(body) != "Ok.\n" {
			t.Errorf("%s: %d %q", path, resp.StatusCode, body)
		}
	}
}

// TestReader is the list of what the read-only user may not do.
func TestReader(t *testing.T) {
	w, r := writer(t), reader(t)
	w.must("CREATE OR REPLACE TABLE readable (a UInt8) ENGINE = MergeTree ORDER BY a")
	w.must("INSERT INTO readable VALUES (1)")
	allowed := func(sql, want string, pairs ...string) {
		t.Helper()
		if got := r.do("POST", sql, pairs...); got.status != 200 || strings.TrimSuffix(got.body, "\n") != want {
			t.Errorf("%s %q: got %d %q, want %q", sql, pairs, got.status, got.body, want)
		}
	}
	allowed("SELECT a FROM readable", "1")
	allowed("WITH x AS (SELECT 1 AS b) SELECT b FROM x FORMAT JSONEachRow", `{"b":1}`)
	allowed("(SELECT 1) UNION ALL (SELECT 1)", "1\n1")
	allowed("SHOW TABLES LIKE 'readable'", "readable")
	allowed("DESCRIBE TABLE readable FORMAT TSV", "a\tUInt8\t\t\t\t\t")
	allowed("EXISTS TABLE readable", "1")
	allowed("SELECT getSetting('max_threads'), getSetting('readonly')", "1\t1", "max_threads", "1")
	allowed("SELECT 1", "1", "max_execution_time", "10", "max_memory_usage", "100000000", "output_format_json_quote_64bit_integers", "1", "readonly", "2")
	allowed("SELECT {a:String} -- file()", "x", "param_a", "x")
	allowed("SELECT 'file(''/etc/passwd'')' AS `remote`", "file(\\'/etc/passwd\\')")

	allowed("SELECT getSetting('max_threads'), getSetting('max_execution_time'), getSetting('readonly') SETTINGS max_threads = 1, max_execution_time = '7.5'", "1\t7.5\t1")
	allowed("SELECT getSetting('max_threads') FORMAT CSV SETTINGS max_threads = 1", "1")
	allowed("SELECT getSetting('max_threads') SETTINGS max_threads = 1 FORMAT CSV", "1")
	allowed("SELECT getSetting('max_execution_time'), getSetting('max_memory_usage')", "300\t805306368")
	allowed("SELECT number % 2 AS k, count() FROM numbers(4) GROUP BY k WITH TOTALS ORDER BY k FORMAT JSONCompactEachRow", "[0, 2]\n[1, 2]")

	outside := filepath.Join(t.TempDir(), "written")
	refused := func(sql string, pairs ...string) {
		t.Helper()
		got := r.do("POST", sql, pairs...)
		code := got.header.Get("X-ClickHouse-Exception-Code")
		switch code {
		case "164", "497", "452", "62", "48", "60", "73":
		default:
			t.Errorf("%s %q: got %d, code %q, %q", sql, pairs, got.status, code, got.body)
		}
		if _, err := os.Stat(outside); err == nil {
			t.Fatalf("%s wrote a file", sql)
		}
	}
	refused("INSERT INTO readable VALUES (2)")
	refused("INSERT INTO readable SELECT 2")
	refused("CREATE TABLE no (a UInt8) ENGINE = Memory")
	refused("CREATE TEMPORARY TABLE no (a UInt8)")
	refused("ALTER TABLE readable DELETE WHERE 1")
	refused("DROP TABLE readable")
	refused("TRUNCATE TABLE readable")
	refused("OPTIMIZE TABLE readable")
	refused("SYSTEM SHUTDOWN")
	refused("KILL QUERY WHERE 1")
	refused("SET max_threads = 1")
	refused("SET readonly = 0")
	refused("SELECT 1 SETTINGS readonly = 0")
	refused("SELECT 1 SETTINGS max_threads = 1, allow_ddl = 1")
	refused("SELECT 1 SETTINGS max_execution_time = 0")
	refused("SELECT 1 SETTINGS max_execution_time = 1000")
	refused("SELECT 1 SETTINGS max_memory_usage = 0")
	refused("SELECT 1 SETTINGS max_execution_time = DEFAULT")
	refused("SELECT * FROM (SELECT 1 SETTINGS readonly = 0)")
	refused("EXPLAIN SELECT * FROM url('http://127.0.0.1:1/x', 'TSV', 'a String')")
	refused("SELECT * FROM (SELECT * FROM eval('SELECT 1') SETTINGS allow_experimental_eval_table_function = 1)")
	refused("SELECT (SELECT 1 settings max_memory_usage = 0)")
	refused("WITH x AS (SELECT 1 SETTINGS readonly = 0) SELECT * FROM x")
	refused("SELECT aiGenerate('x')")
	refused("EXPLAIN TABLE OVERRIDE mysql('127.0.0.1:1', 'a', 'b', 'c', 'd') PARTITION BY x")
	refused("SELECT 1", "readonly", "0")
	refused("SELECT 1", "max_execution_time", "0")
	refused("SELECT 1", "max_execution_time", "100000")
	refused("SELECT 1", "max_memory_usage", "0")
	refused("SELECT 1", "allow_introspection_functions", "1")
	refused("SELECT 1", "format_schema", "/etc/passwd")
	refused("SELECT 1", "dialect", "kusto")
	refused("SELECT 1", "profile", "default")
	refused("SELECT * FROM file('/etc/passwd', 'LineAsString')")
	refused("SELECT * FROM `file`('/etc/passwd', 'LineAsString')")
	refused("SELECT file('/etc/passwd')")
	refused("SELECT \"file\"('/etc/passwd')")
	refused("SELECT /* */ file /* */ ('/etc/passwd')")
	refused("SELECT * APPLY file FROM (SELECT '/etc/passwd')")
	refused("SELECT * APPLY(file) FROM (SELECT '/etc/passwd')")
	refused("SELECT * FROM '/etc/passwd'")
	refused("DESCRIBE TABLE file('/etc/passwd', 'CSV')")
	refused("DESCRIBE TABLE url('http://127.0.0.1:1/x')")
	refused("DESCRIBE (SELECT * FROM url('http://127.0.0.1:1/x'))")
	refused("SELECT * FROM url('http://127.0.0.1:1/x', 'TSV', 'a String')")
	refused("SELECT * FROM remote('127.0.0.1:1', system.one)")
	refused("SELECT * FROM executable('x', 'TSV', 'a String')")
	refused("SELECT * FROM s3('http://127.0.0.1:1/bucket/x', 'TSV')")
	refused("SELECT * FROM mysql('127.0.0.1:1', 'a', 'b', 'c', 'd')")
	refused("SELECT * FROM sqlite('/tmp/x', 'a')")
	refused("SELECT 1 INTO OUTFILE '" + outside + "'")
	refused("SELECT 1 INTO /* */ OUTFILE '" + outside + "' FORMAT TSV")
	refused("EXPLAIN SYNTAX SELECT 1 INTO OUTFILE '" + outside + "'")
	refused("EXPLAIN AST SELECT 1 INTO OUTFILE '" + outside + "'")
	refused("SELECT 1; SELECT 2 INTO OUTFILE '" + outside + "'")
	refused("SHOW TABLES INTO OUTFILE '" + outside + "'")
	refused("SELECT $$ $$; SELECT 2 INTO OUTFILE '" + outside + "'")
	refused("BACKUP TABLE readable TO File('" + outside + "')")
	refused("GRANT ALL ON *.* TO default")
	if got := w.must("SELECT count() FROM readable"); got != "1" {
		t.Errorf("readable has %s rows", got)
	}
}

func TestInsert(t *testing.T) {
	w := writer(t)
	f := func(want, body string, pairs ...string) {
		t.Helper()
		w.must("CREATE OR REPLACE TABLE ins (a UInt32, b String) ENGINE = MergeTree ORDER BY a SETTINGS non_replicated_deduplication_window = 100")
		if got := w.do("POST", body, pairs...); got.status != 200 || got.body != "" {
			t.Errorf("%.60q %q: %d %s", body, pairs, got.status, got.body)
		}
		if got := w.must("SELECT groupArray((a, b)) FROM (SELECT * FROM ins ORDER BY a) FORMAT TSV"); got != want {
			t.Errorf("%.60q %q: got %s, want %s", body, pairs, got, want)
		}
	}
	two := "[(1,'x'),(2,'y;')]"
	f(two, "INSERT INTO ins VALUES (1,'x'),(2,'y;')")
	f(two, "INSERT INTO ins (a, b) VALUES (1,'x'),(2,'y;');")
	f(two, "(1,'x'),(2,'y;')", "query", "INSERT INTO ins VALUES")
	f(two, ",(2,'y;')", "query", "INSERT INTO ins VALUES (1,'x')")
	f(two, "1\tx\n2\ty;\n", "query", "INSERT INTO ins FORMAT TSV")
	f(two, "1\tx\n2\ty;\n", "query", "insert into `ins` format TSV")
	f(two, "INSERT INTO ins FORMAT TSV\n1\tx\n2\ty;\n")
	f(two, `{"a":1,"b":"x"}{"a":2,"b":"y;"}`, "query", "INSERT INTO default.ins", "default_format", "JSONEachRow")
	f(two, "INSERT INTO ins SELECT 1, 'x' UNION ALL SELECT 2, 'y;'")
	f(two, "INSERT INTO ins SETTINGS max_insert_threads = 1 FORMAT CSV 1,x\n2,y;\n")
	f(two, "y;\t2\nx\t1\n", "query", "INSERT INTO ins (b, a) FORMAT TSV")
	f("[]", "", "query", "INSERT INTO ins FORMAT Native")
	f(two, "1\tx\n2\ty;\n", "query", "INSERT INTO {t:Identifier} FORMAT TSV", "param_t", "ins")
}

// TestInsertCut: a body that breaks off is not stored.
func TestInsertCut(t *testing.T) {
	w := writer(t)
	w.must("CREATE OR REPLACE TABLE cut (a UInt32) ENGINE = MergeTree ORDER BY a")
	addr := strings.TrimPrefix(w.url, "http://")
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(conn, "POST /?query=INSERT+INTO+cut+FORMAT+TSV&query_id=cut-insert HTTP/1.1\r\nHost: x\r\nX-ClickHouse-User: %s\r\nX-ClickHouse-Key: %s\r\nContent-Length: 1000000\r\n\r\n1\n2\n3\n", w.user.Name, w.user.Password)
	for !strings.Contains(w.must("SELECT count() FROM system.processes WHERE Settings['log_comment'] = 'cut-insert'"), "1") {
	}
	conn.Close()
	for w.must("SELECT count() FROM system.processes WHERE Settings['log_comment'] = 'cut-insert'") != "0" {
	}
	if got := w.must("SELECT count() FROM cut"); got != "0" {
		t.Errorf("%s rows of a body that broke off", got)
	}
}

func TestDeduplication(t *testing.T) {
	w := writer(t)
	w.must("CREATE OR REPLACE TABLE dedup (a UInt32) ENGINE = MergeTree ORDER BY a SETTINGS non_replicated_deduplication_window = 100")
	body := w.must("SELECT toUInt32(number) AS a FROM numbers(1000) FORMAT Native")
	for range 3 {
		got := w.do("POST", body, "query", "INSERT INTO dedup (a) FORMAT Native", "insert_deduplication_token", "one")
		if got.status != 200 {
			t.Fatal(got.body)
		}
	}
	if got := w.must("SELECT count() FROM dedup"); got != "1000" {
		t.Errorf("%s rows", got)
	}
}

func TestEncodings(t *testing.T) {
	w := writer(t)
	const sql = "SELECT number, toString(number) FROM numbers(300000) FORMAT TSV"
	want := w.must(sql) + "\n"
	w.must("CREATE OR REPLACE TABLE encoded (a UInt64, b String) ENGINE = MergeTree ORDER BY a")

	for _, name := range []string{"gzip", "deflate", "zstd", "lz4", "br"} {
		got := w.do("POST", sql, "enable_http_compression", "1", "Accept-Encoding:", "foo, "+name+";q=0.5")
		if got.header.Get("Content-Encoding") != name || len(got.body) >= len(want) {
			t.Errorf("%s: Content-Encoding %q, %d bytes", name, got.header.Get("Content-Encoding"), len(got.body))
		}
		r, err := bodyReader(&request{contentEncoding: name}, strings.NewReader(got.body))
		if err != nil {
			t.Fatal(err)
		}
		if text, err := io.ReadAll(r); err != nil || string(text) != want {
			t.Errorf("%s: %v, %d bytes, want %d", name, err, len(text), len(want))
		}
		w.must("TRUNCATE TABLE encoded")
		if sent := w.do("POST", got.body, "query", "INSERT INTO encoded FORMAT TSV", "Content-Encoding:", name); sent.status != 200 {
			t.Errorf("%s: insert: %s", name, sent.body)
		}
		if got := w.must("SELECT count(), sum(a) FROM encoded"); got != "300000\t44999850000" {
			t.Errorf("%s: inserted %s", name, got)
		}
	}
	if got := w.do("POST", sql, "Accept-Encoding:", "gzip"); got.header.Get("Content-Encoding") != "" {
		t.Error("compressed without enable_http_compression")
	}
	for _, method := range []string{"", "LZ4", "ZSTD", "NONE"} {
		got := w.do("POST", sql, "compress", "1", "network_compression_method", method)
		if method == "" {
			got = w.do("POST", sql, "compress", "1")
		}
		text, err := io.ReadAll(compress.NewReader(strings.NewReader(got.body)))
		if !errors.Is(err, io.EOF) && err != nil || string(text) != want {
			t.Errorf("compress=1 %s: %v, %d bytes, want %d", method, err, len(text), len(want))
		}
		w.must("TRUNCATE TABLE encoded")
		if sent := w.do("POST", got.body, "query", "INSERT INTO encoded FORMAT TSV", "decompress", "1"); sent.status != 200 {
			t.Errorf("decompress=1 %s: insert: %s", method, sent.body)
		}
		if got := w.must("SELECT count(), sum(a) FROM encoded"); got != "300000\t44999850000" {
			t.Errorf("decompress=1 %s: inserted %s", method, got)
		}
	}
	got := w.do("POST", "SELECT )", "enable_http_compression", "1", "Accept-Encoding:", "gzip")
	if got.status != 400 || got.header.Get("Content-Encoding") != "gzip" {
		t.Errorf("an error, compressed: %d %q", got.status, got.header.Get("Content-Encoding"))
	}
}

func TestHeaders(t *testing.T) {
	w := writer(t)
	got := w.do("POST", "SELECT number FROM numbers(1000) FORMAT JSONCompact", "query_id", "the-id")
	f := func(name, want string) {
		t.Helper()
		if h := got.header.Get(name); !regexp.MustCompile("^" + want + "$").MatchString(h) {
			t.Errorf("%s: %q, want %s", name, h, want)
		}
	}
	f("X-ClickHouse-Query-Id", "the-id")
	f("X-ClickHouse-Format", "JSONCompact")
	f("X-ClickHouse-Server-Display-Name", "netmeta")
	f("X-ClickHouse-Timezone", ".+")
	f("Content-Type", "application/json; charset=UTF-8")
	f("X-ClickHouse-Summary", `\{"read_rows":"1000","read_bytes":"8000",.*"result_rows":"1000".*"elapsed_ns":"[1-9]\d*"\}`)
	w.must("CREATE OR REPLACE TABLE headers (a UInt64) ENGINE = MergeTree ORDER BY a")
	got = w.do("POST", "1\n2\n3\n", "query", "INSERT INTO headers FORMAT TSV", "X-ClickHouse-Query-Id:", "from-header")
	f("X-ClickHouse-Query-Id", "from-header")
	f("X-ClickHouse-Summary", `\{.*"written_rows":"3".*\}`)
	got = w.do("POST", "SELECT 1", "X-ClickHouse-Format:", "JSON", "X-ClickHouse-Database:", "system")
	f("X-ClickHouse-Format", "JSON")
}

// TestIsolation: nothing of one request reaches the next.
func TestIsolation(t *testing.T) {
	w := writer(t)
	w.must("SET max_threads = 7")
	w.must("CREATE TEMPORARY TABLE tmp (a UInt8)")
	w.must("USE system")
	if got := w.must("SELECT getSetting('max_threads') = 7, currentDatabase()"); got != "0\tdefault" {
		t.Errorf("got %s", got)
	}
	if got := w.do("POST", "SELECT * FROM tmp"); got.status != 404 {
		t.Errorf("tmp: %d %s", got.status, got.body)
	}
	// A session keeps it.
	w.must("CREATE TEMPORARY TABLE tmp (a UInt8)", "session_id", "s")
	w.must("INSERT INTO tmp VALUES (5)", "session_id", "s")
	if got := w.must("SELECT * FROM tmp", "session_id", "s", "close_session", "1"); got != "5" {
		t.Errorf("session: %s", got)
	}
	if got := w.do("POST", "SELECT 1", "session_id", "s", "session_check", "1"); got.header.Get("X-ClickHouse-Exception-Code") != "372" {
		t.Errorf("a closed session: %d %s", got.status, got.body)
	}
}

// TestCancel: a client that leaves ends its query.
func TestCancel(t *testing.T) {
	w := writer(t)
	f := func(id, sql string) {
		t.Helper()
		ctx, cancel := context.WithCancel(context.Background())
		req, _ := http.NewRequestWithContext(ctx, "POST", w.url+"/?query_id="+id, strings.NewReader(sql))
		req.SetBasicAuth(w.user.Name, w.user.Password)
		done := make(chan error, 1)
		go func() {
			resp, err := client.Do(req)
			if err == nil {
				_, err = io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
			}
			done <- err
		}()
		running := func() bool {
			return w.must("SELECT count() FROM system.processes WHERE Settings['log_comment'] = {id:String}", "param_id", id) == "1"
		}
		for !running() {
		}
		cancel()
		<-done
		start := time.Now()
		for running() {
			if time.Since(start) > 10*time.Second {
				t.Fatalf("%s: runs on after the client has left", sql)
			}
		}
	}
	f("cancel-1", "SELECT sum(sipHash64(number)) FROM numbers(100000000000)") // no byte of an answer before the end
	f("cancel-2", "SELECT number FROM numbers(100000000000)")                 // streaming
	f("cancel-3", "SELECT sleepEachRow(1) FROM numbers(1000) SETTINGS max_block_size = 1, function_sleep_max_microseconds_per_block = 0")
}

// TestStreaming: the engine's process does not grow with the answer.
func TestStreaming(t *testing.T) {
	w := writer(t)
	rss := func() int {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", shared.Stats().PID))
		if err != nil {
			t.Fatal(err)
		}
		var size, resident int
		fmt.Sscan(string(text), &size, &resident)
		return resident * os.Getpagesize() >> 20
	}
	before := rss()
	req, _ := http.NewRequest("POST", w.url, strings.NewReader("SELECT number, toString(number) AS s FROM numbers(20000000) FORMAT JSONCompactEachRow"))
	req.SetBasicAuth(w.user.Name, w.user.Password)
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	n, err := io.Copy(io.Discard, resp.Body)
	if err != nil || n < 400<<20 {
		t.Fatalf("%d bytes, %v", n, err)
	}
	if after := rss(); after > before+150 {
		t.Errorf("resident memory went from %d MB to %d MB for an answer of %d MB", before, after, n>>20)
	}
}

// TestMany: many requests at once, with errors among them, leave no descriptor, no
// thread and little memory behind.
func TestMany(t *testing.T) {
	w, r := writer(t), reader(t)
	w.must("CREATE OR REPLACE TABLE many (a UInt64) ENGINE = MergeTree ORDER BY a")
	load := func(n int) {
		var group sync.WaitGroup
		for i := range 16 {
			group.Go(func() {
				for j := range n / 16 {
					switch (i + j) % 5 {
					case 0:
						w.do("POST", fmt.Sprint(j), "query", "INSERT INTO many FORMAT TSV")
					case 1:
						w.do("POST", "SELEC")
					case 2:
						r.do("POST", "SELECT count() FROM many")
					case 3:
						r.do("POST", "DROP TABLE many")
					case 4:
						w.do("POST", "SELECT throwIf(number = 5) FROM numbers(10) FORMAT TSV", "max_block_size", "1")
					}
				}
			})
		}
		group.Wait()
	}
	usage := func() (files, threads, mb int) {
		pid := shared.Stats().PID
		entries, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
		tasks, _ := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
		var size, resident int
		fmt.Sscan(string(text), &size, &resident)
		return len(entries), len(tasks), resident * os.Getpagesize() >> 20
	}
	load(400)
	files, threads, mb := usage()
	load(soak)
	files2, threads2, mb2 := usage()
	t.Logf("%d requests: files %d → %d, threads %d → %d, memory %d → %d MB", soak, files, files2, threads, threads2, mb, mb2)
	if files2 > files+100 || threads2 > threads+40 || mb2 > mb+100+soak/100 {
		t.Error("something is left behind")
	}
}

const soak = 2000
