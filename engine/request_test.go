package engine

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestParseStatement(t *testing.T) {
	f := func(text string, k kind, format, data string) {
		t.Helper()
		s, err := parseStatement(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			return
		}
		rest := ""
		if s.kind == kindInsert {
			rest = text[s.data:]
		}
		if s.kind != k || s.format != format || rest != data {
			t.Errorf("%q: got kind %d, format %q, data %q; want %d, %q, %q", text, s.kind, s.format, rest, k, format, data)
		}
	}
	f("", kindEmpty, "", "")
	f(" -- nothing\n /* at all */", kindEmpty, "", "")
	f("SELECT 1", kindSelect, "", "")
	f("select 1 format JSON", kindSelect, "JSON", "")
	f("SELECT 1 FORMAT `JSON`;", kindSelect, "JSON", "")
	f("SELECT 1 FORMAT JSON SETTINGS max_threads = 1", kindSelect, "JSON", "")
	f("SELECT 1 SETTINGS max_threads = 1 FORMAT JSON -- x", kindSelect, "JSON", "")
	f("SELECT format('{}', 1)", kindSelect, "", "")
	f("SELECT 1 AS format", kindSelect, "", "")
	f("SELECT (SELECT 1 FORMAT JSON)", kindSelect, "", "")
	f("SELECT 'FORMAT JSON'", kindSelect, "", "")
	f("SELECT 'it\\'s' || 'it''s' FORMAT CSV", kindSelect, "CSV", "")
	f("SELECT $x$ ' FORMAT CSV $x$ FORMAT TSV", kindSelect, "TSV", "")
	f("WITH 1 AS x SELECT x", kindSelect, "", "")
	f("(SELECT 1) UNION ALL (SELECT 2) FORMAT TSV", kindSelect, "TSV", "")
	f("# comment\nSHOW TABLES FORMAT TSV", kindOther, "TSV", "")
	f("SET max_threads = 1", kindOther, "", "")
	f("INSERT INTO t VALUES (1)", kindInsert, "Values", " (1)")
	f("INSERT INTO t (a, b) FORMAT TSV\n1\t2\n", kindInsert, "TSV", "1\t2\n")
	f("INSERT INTO t FORMAT TSV 1\t2\n", kindInsert, "TSV", "1\t2\n")
	f("INSERT INTO t FORMAT TSV  \r\n\n", kindInsert, "TSV", "\n")
	f("INSERT INTO values VALUES (1)", kindInsert, "Values", " (1)")
	f("INSERT INTO `format` FORMAT Native\x00\x01", kindInsert, "Native", "\x00\x01")
	f("INSERT INTO TABLE db.t(a) SETTINGS x = 1 FORMAT CSV", kindInsert, "CSV", "")
	f("INSERT INTO FUNCTION file('x', 'CSV', 'a String') VALUES ('b')", kindInsert, "Values", " ('b')")
	f("INSERT INTO t", kindInsert, "", "")
	f("INSERT INTO t;", kindInsert, "", "")
	f("INSERT INTO t SELECT 1 FORMAT TSV", kindOther, "", "")
	f("INSERT INTO t (a) WITH 1 AS x SELECT x", kindOther, "", "")

	refused := func(text string) {
		t.Helper()
		if _, err := parseStatement(text); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
	refused("SELECT 1; SELECT 2")
	refused("SELECT 1 INTO OUTFILE 'x'")
	refused("SELECT 1 into/**/outfile 'x' FORMAT TSV")
	refused("INSERT INTO t FROM INFILE 'x' FORMAT TSV")
}

func TestWithOutfile(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		s, err := parseStatement(text)
		if got := strings.ReplaceAll(s.withOutfile("P", "TSV"), "\nINTO OUTFILE 'P' TRUNCATE COMPRESSION 'none' ", "|"); err != nil || got != want {
			t.Errorf("%q: got %q, %v, want %q", text, got, err, want)
		}
	}
	f("SELECT 1", "SELECT 1|FORMAT TSV")
	f("SELECT 1 -- x", "SELECT 1|FORMAT TSV")
	f("SELECT 1;\n", "SELECT 1|FORMAT TSV")
	f("SELECT 1 FORMAT CSV", "SELECT 1 |FORMAT CSV")
	f("SELECT 1 FORMAT CSV SETTINGS a = 1", "SELECT 1 |FORMAT CSV SETTINGS a = 1")
	f("SELECT 1 SETTINGS a = 1", "SELECT 1 SETTINGS a = 1|FORMAT TSV")
}

func TestEngineError(t *testing.T) {
	f := func(text string, code int, want string) {
		t.Helper()
		e := engineError(fmt.Errorf("%s", text))
		if e.code != code || e.message != want {
			t.Errorf("%q: got %d %q, want %d %q", text, e.code, e.message, code, want)
		}
	}
	f("Code: 62. DB::Exception: Syntax error. (SYNTAX_ERROR)", 62, "Code: 62. DB::Exception: Syntax error. (SYNTAX_ERROR)")
	f("Code: 164. DB::Exception: Code: 164. DB::Exception: Cannot modify 'x'. (READONLY) (version 26.7.2.1). (READONLY)", 164,
		"Code: 164. DB::Exception: Cannot modify 'x'. (READONLY)")
	f("Code: 60. DB::Exception: No flows. (UNKNOWN_TABLE) (version 26.7.2.1 (official build))", 60, "Code: 60. DB::Exception: No flows. (UNKNOWN_TABLE)")
	f("Code: 73. DB::Exception: Unknown format X. (UNKNOWN_FORMAT) (version 26.7.2.1). (UNKNOWN_FORMAT) (version 26.7.2.1)", 73, "Code: 73. DB::Exception: Unknown format X. (UNKNOWN_FORMAT)")
	f("Error: out of luck", 1001, "Code: 1001. DB::Exception: out of luck. (STD_EXCEPTION)")
}

func TestAcceptedEncoding(t *testing.T) {
	f := func(accept, want string) {
		t.Helper()
		if got := acceptedEncoding(accept); got != want {
			t.Errorf("%q: got %q, want %q", accept, got, want)
		}
	}
	f("", "")
	f("gzip", "gzip")
	f("br, gzip;q=0.5", "gzip")
	f("deflate, gzip, br, zstd", "zstd")
	f("gzip;q=0, br", "br")
	f("identity", "")
}

func TestParseType(t *testing.T) {
	f := func(name string, ok bool) {
		t.Helper()
		if _, err := parseType(name); (err == nil) != ok {
			t.Errorf("%s: %v", name, err)
		}
	}
	f("UInt8", true)
	f("DateTime64(3, 'Europe/Berlin')", true)
	f("Enum8('a)' = 1, 'b\\'' = 2)", true)
	f("Map(LowCardinality(String), Array(Tuple(a UInt8, `b c` Nullable(Decimal(38, 2)))))", true)
	f("Nested(a UInt8, b String)", true)
	f("SimpleAggregateFunction(sum, UInt64)", true)
	f("MultiPolygon", true)
	f("Array(", false)
	f("Array()", false)
	f("Map(String)", false)
	f("FixedString(x)", false)
	f("AggregateFunction(sum, UInt64)", false)
	f("JSON", false)
	f("UInt8)", false)
	f(strings.Repeat("Array(", 100)+"UInt8"+strings.Repeat(")", 100), false)
}

// FuzzRequest: any URL, headers and body give a statement or an error.
func FuzzRequest(f *testing.F) {
	f.Add("POST", "query=SELECT+1&param_x=1&max_threads=2", "", "", []byte("SELECT 1 FORMAT JSON"))
	f.Add("GET", "query=INSERT+INTO+t+FORMAT+Native&decompress=1", "gzip", "Basic eDp5", []byte("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"))
	f.Add("POST", "session_id=a&session_timeout=10&compress=1", "lz4", "", []byte("INSERT INTO t VALUES (1, 'a\\'b')"))
	f.Add("POST", "client_protocol_version=54460&buffer_size=1", "", "Bearer x", []byte("SELECT $a$ ' $a$; --"))
	f.Add("PUT", "%zz;&=&a'b=c", "zstd", "", []byte("(((SELECT ‘x’ INTO OUTFILE \"x\""))
	f.Fuzz(func(t *testing.T, method, rawQuery, encoding, authorization string, body []byte) {
		r := &http.Request{Method: method, URL: &url.URL{Path: "/", RawQuery: rawQuery}, Header: http.Header{}}
		r.Header.Set("Content-Encoding", encoding)
		r.Header.Set("Authorization", authorization)
		q, err := parseRequest(r)
		if err != nil {
			_ = err.(*exception).httpStatus()
			return
		}
		for _, s := range q.settings {
			if !isIdentifier(s.name) {
				t.Fatalf("setting %q", s.name)
			}
		}
		if n := len(lex(settingsStatement(q.settings))); len(q.settings) > 0 && n != 4*len(q.settings) {
			t.Fatalf("%q has %d tokens", settingsStatement(q.settings), n) // SET, then name = value and a comma
		}
		in, err := bodyReader(q, bytes.NewReader(body))
		if err != nil {
			return
		}
		text, st, _, err := readStatement(q, io.LimitReader(in, 1<<16), maxStatement)
		if err != nil {
			return
		}
		switch {
		case st.kind == kindEmpty:
		case !strings.HasPrefix(text, st.text), st.kind != kindInsert && st.outfile > len(st.text), st.data > len(text):
			t.Fatalf("%q: %+v", text, st)
		case st.kind == kindSelect:
			again, err := parseStatement(st.text)
			if err != nil || again.format != st.format {
				t.Fatalf("%q: %+v, then %q: %+v, %v", text, st, st.text, again, err)
			}
		}
	})
}

func lex(s string) (tokens []string) {
	for l := (lexer{text: s}); ; {
		t, ok := l.next()
		if !ok {
			return tokens
		}
		tokens = append(tokens, t.text(s))
	}
}

// FuzzNative: whatever the engine would send, the transcoder ends.
func FuzzNative(f *testing.F) {
	f.Add([]byte("\x01\x02\x01n\x06UInt64\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00"), uint64(54460))
	f.Add([]byte("\x01\x01\x01s\x06String\x03abc"), uint64(1))
	f.Add([]byte("\x01\x01\x01a\x0dArray(String)\x01\x00\x00\x00\x00\x00\x00\x00\x01x"), uint64(54454))
	f.Add([]byte("\x01\x01\x01l\x16LowCardinality(String)\x01\x00\x00\x00\x00\x00\x00\x00\x00\x06\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x01x\x01\x00\x00\x00\x00\x00\x00\x00\x01"), uint64(math.MaxUint32))
	f.Fuzz(func(t *testing.T, block []byte, revision uint64) {
		var out bytes.Buffer
		err := transcodeNative(&out, bufio.NewReader(bytes.NewReader(block)), revision)
		if err == nil && out.Len() < len(block) {
			t.Fatalf("%d bytes became %d", len(block), out.Len())
		}
	})
}
