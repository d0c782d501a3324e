package store_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"netmeta/internal/enginetest"
	"netmeta/store"
)

// until waits for a fact.
func until(t testing.TB, what string, fact func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !fact(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

func TestSelect(t *testing.T) {
	w, r := enginetest.Clients(t)
	if err := w.Exec(t.Context(), "CREATE TABLE t (a String, b UInt32) ENGINE = MergeTree ORDER BY b"); err != nil {
		t.Fatal(err)
	}
	if err := w.Exec(t.Context(), "INSERT INTO t SELECT toString(number), number FROM numbers(1000)"); err != nil {
		t.Fatal(err)
	}
	res, stats, err := r.Select(t.Context(), store.Query{
		SQL:      "SELECT a, b, {s:String} AS s, {n:UInt64} AS n, {l:Array(String)} AS l, getSetting('max_threads') AS threads FROM t WHERE b = {n:UInt64}",
		Params:   map[string]string{"s": `a\tb\\c\'&=%ü`, "n": "17", "l": `['x','\'y']`},
		Settings: map[string]string{"max_threads": "3"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprint(res.Rows, res.Columns), `1 [[17] [17] [a	b\c'&=%ü] [17] [[x 'y]] [3]]`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if stats.Rows == 0 || stats.Bytes == 0 || stats.Elapsed <= 0 {
		t.Errorf("stats %+v", stats)
	}
	if err := r.Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

// Errors have ClickHouse's code, its words, and say whether to try again.
func TestExceptions(t *testing.T) {
	w, r := enginetest.Clients(t)
	f := func(c *store.Client, q store.Query, code int, temporary bool, words string) {
		t.Helper()
		_, _, err := c.Select(t.Context(), q)
		var e *store.Exception
		if !errors.As(err, &e) || e.Code != code || !strings.Contains(e.Message, words) {
			t.Errorf("%.80s: error %v, want code %d and %q", q.SQL, err, code, words)
		} else if store.Temporary(err) != temporary {
			t.Errorf("%.80s: temporary %v", q.SQL, !temporary)
		}
	}
	f(r, store.Query{SQL: "SELECT * FROM nothing"}, 60, false, "nothing")
	f(r, store.Query{SQL: "SELEC 1"}, 62, false, "Syntax error")
	f(r, store.Query{SQL: "CREATE TABLE x (a UInt8) ENGINE = Memory"}, 164, false, "readonly")
	f(r, store.Query{SQL: "SELECT {n:UInt8}", Params: map[string]string{"n": "many"}}, 457, false, "many")
	f(w, store.Query{SQL: "SELECT count() FROM numbers(1e12) WHERE NOT ignore(sipHash64(number))", Settings: map[string]string{"max_execution_time": "1"}}, 159, true, "Timeout")
	f(store.NewClient(w.URL.Reveal(), w.User, "wrong", ""), store.Query{SQL: "SELECT 1"}, 516, true, "")
	f(store.NewClient(w.URL.Reveal(), w.User, w.Password.Reveal(), "nowhere"), store.Query{SQL: "SELECT 1"}, 81, false, "nowhere")

	few := &store.Exception{Code: 460, Message: "Code: 460. DB::ErrnoException: Failed to create thread timer: , errno: 24, strerror: Too many open files. (CANNOT_CREATE_TIMER)"}
	if !store.Temporary(few) || !store.TooManyFiles(fmt.Errorf("comments of rollups: %w", few)) {
		t.Error("too few open files are taken for a fault of the statement")
	}
}

// A query may fail when a part of its answer is out already.
func TestExceptionInTheMiddle(t *testing.T) {
	_, r := enginetest.Clients(t)
	q := store.Query{SQL: "SELECT number, throwIf(number = 9000000, 'far in') AS x FROM numbers(10000000)", Settings: map[string]string{"max_threads": "1"}}
	is := func(how string, err error) {
		t.Helper()
		var e *store.Exception
		if !errors.As(err, &e) || e.Code != 395 || !strings.Contains(e.Message, "far in") || strings.Contains(e.Message, "__exception__") {
			t.Errorf("%s: %v", how, err)
		}
	}
	_, _, err := r.Select(t.Context(), q)
	is("select", err)
	is("exec", r.Exec(t.Context(), q.SQL+" FORMAT TSV"))
	body, err := r.Stream(t.Context(), q, "TSV")
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	n, err := io.Copy(io.Discard, body)
	is("stream", err)
	if n < 1<<20 {
		t.Errorf("%d bytes came before the exception: it was not in the middle", n)
	}
}

// Older servers write the bare exception and cut the connection; data that looks
// like one is data.
func TestExceptionOfOlderServers(t *testing.T) {
	const message = "Code: 241. DB::Exception: Memory limit exceeded. (MEMORY_LIMIT_EXCEEDED)"
	f := func(tag string, cut bool, body string, code int) {
		t.Helper()
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if tag != "" {
				w.Header().Set("X-ClickHouse-Exception-Tag", tag)
			}
			io.WriteString(w, body)
			http.NewResponseController(w).Flush()
			if cut {
				panic(http.ErrAbortHandler)
			}
		}))
		defer srv.Close()
		c := store.NewClient(srv.URL, "", "", "")
		r, err := c.Stream(t.Context(), store.Query{SQL: "SELECT 1"}, "TSV")
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		got, err := io.ReadAll(r)
		if string(got) != body {
			t.Errorf("%.60q: came as %.60q", body, got)
		}
		var e *store.Exception
		switch errors.As(err, &e); {
		case code == 0 && e == nil && (err != nil) == cut:
		case e == nil || e.Code != code || e.Message != message:
			t.Errorf("%.60q, cut %v: error %v", body, cut, err)
		}
	}
	f("", true, "1\n2\n"+message, 241)
	f("", true, strings.Repeat("1234567\n", 50_000)+message+"\n", 241)
	f("", false, "1\n"+message, 0)
	f("", true, "1\n2\n", 0)
	end := "\r\n__exception__\r\nabcd\r\n" + message + "\n73 abcd\r\n__exception__\r\n"
	f("abcd", true, "1\n"+end, 241)
	f("abcd", false, strings.Repeat("1234567\n", 50_000)+end, 241)
	f("other", false, "1\n"+end, 0)
	f("abcd", true, "1\n"+message, 0)
}

func TestStreamFormats(t *testing.T) {
	_, r := enginetest.Clients(t)
	f := func(format, sql, want string) {
		t.Helper()
		body, err := r.Stream(t.Context(), store.Query{SQL: sql}, format)
		if err != nil {
			t.Fatal(err)
		}
		defer body.Close()
		if got, err := io.ReadAll(body); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v, want %q", format, got, err, want)
		}
	}
	f("TSV", "SELECT 1, 'a\tb'", "1\ta\\tb\n")
	f("CSV", "SELECT 1, 'a'", "1,\"a\"\n")
	f("JSONEachRow", "SELECT 1 AS x", "{\"x\":1}\n")
	f("TSV", "SELECT 1 AS x FORMAT JSONEachRow", "{\"x\":1}\n")
	f("TSV", "SELECT 'Code: 1. DB::Exception: no'", "Code: 1. DB::Exception: no\n")
}

func TestCancel(t *testing.T) {
	w, r := enginetest.Clients(t)
	running := func() bool {
		return text(t, w, "SELECT count() FROM system.processes WHERE 'to be cancelled' IN (query_id, Settings['log_comment'])") != "0"
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		_, _, err := r.Select(ctx, store.Query{ID: "to be cancelled", SQL: "SELECT count() FROM numbers(1e12) WHERE NOT ignore(sipHash64(number))"})
		ended <- err
	}()
	until(t, "the query runs", running)
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	until(t, "the query is gone", func() bool { return !running() })
}

func TestAway(t *testing.T) {
	c := store.NewClient("http://127.0.0.1:1", "u", "p", "")
	_, _, err := c.Select(t.Context(), store.Query{SQL: "SELECT secret", Params: map[string]string{"p": "private"}})
	if err == nil || !store.Temporary(err) || strings.Contains(err.Error(), "private") {
		t.Errorf("error %v", err)
	}
	if err := c.Ping(t.Context()); err == nil || !store.Temporary(err) {
		t.Errorf("ping: %v", err)
	}
}

func TestResultLimit(t *testing.T) {
	_, r := enginetest.Clients(t)
	_, _, err := r.Select(t.Context(), store.Query{SQL: "SELECT repeat('x', 1000000) FROM numbers(400)", Settings: map[string]string{"max_block_size": "10"}})
	if err == nil || !strings.Contains(err.Error(), "larger than 256 MiB") {
		t.Errorf("error %v", err)
	}
}

// The same token and bytes are stored once, and a column that the table lacks is an
// error.
func TestInsert(t *testing.T) {
	w, r := enginetest.Clients(t)
	s := standard()
	migrate(t, w, store.Schema{Table: &s.Table})
	insert := func(token string, columns []string, blocks ...[]byte) error {
		return w.Insert(t.Context(), "flows", columns, token, blocks...)
	}
	b, c := s.bytes(1, 2), s.bytes(4)
	for _, token := range []string{"a", "a", "b", "a"} {
		if err := insert(token, names(b), b.Data, c.Data); err != nil {
			t.Fatal(err)
		}
	}
	if got := text(t, r, "SELECT count(), sum(Bytes) FROM flows"); got != "6\t14" {
		t.Errorf("rows and sum %s", got)
	}
	var e *store.Exception
	if err := insert("c", append(names(b), "VNI"), b.Data); !errors.As(err, &e) || e.Code != 16 {
		t.Errorf("an alias is not inserted into: %v", err)
	}
}
