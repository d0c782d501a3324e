// Package store is how NetMeta keeps data: a client of ClickHouse's HTTP interface,
// which the embedded engine and any ClickHouse server speak alike; the statements
// that make and extend our tables from their fields; and the writer that takes
// blocks from the pipe to the flows table.
package store

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"netmeta/native"
)

// A Client talks to one ClickHouse as one user. It is safe for concurrent use.
type Client struct {
	URL      string // http://127.0.0.1:8123
	User     string
	Password string
	Database string // empty: default

	http http.Client
}

// NewClient makes a client; nothing is sent before the first call.
func NewClient(url, user, password, database string) *Client {
	return &Client{URL: url, User: user, Password: password, Database: database,
		http: http.Client{Transport: &http.Transport{
			MaxIdleConnsPerHost: 16,
			IdleConnTimeout:     time.Minute,
			TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12},
		}}}
}

// An Exception is an error that ClickHouse itself reported.
type Exception struct {
	Code    int    // ClickHouse error code; 0 when it gave none
	Message string // its text
}

func (e *Exception) Error() string { return e.Message }

// Stats are what ClickHouse says a query cost it.
type Stats struct {
	Rows    uint64 // read
	Bytes   uint64 // read
	Elapsed time.Duration
}

// A Query is one statement with its parameters ({name:Type} in the text) and
// settings.
type Query struct {
	SQL      string
	Params   map[string]string // values as ClickHouse reads them: like fields of TSV
	Settings map[string]string
	ID       string // query_id; empty: the server makes one
}

// Exec runs a statement and waits for its end.
func (c *Client) Exec(ctx context.Context, sql string) error {
	body, _, err := c.open(ctx, Query{SQL: sql}, nil)
	if err != nil {
		return err
	}
	defer body.Close()
	return drain(body)
}

// Insert appends blocks to a table. The columns are all that any block carries: with
// them named, a column that the table lacks is an error and not lost data. Two calls
// with the same token and the same bytes insert once, up to a million rows.
func (c *Client) Insert(ctx context.Context, table string, columns []string, token string, blocks ...[]byte) error {
	readers := make([]io.Reader, len(blocks))
	for i, b := range blocks {
		readers[i] = bytes.NewReader(b)
	}
	sql := "INSERT INTO " + table + " (" + strings.Join(columns, ", ") + ") FORMAT Native"
	q := Query{SQL: sql, Settings: map[string]string{"insert_deduplication_token": token}}
	body, _, err := c.open(ctx, q, io.MultiReader(readers...))
	if err != nil {
		return err
	}
	defer body.Close()
	return drain(body)
}

// Select runs a query and reads its result whole.
func (c *Client) Select(ctx context.Context, q Query) (*native.Result, Stats, error) {
	start := time.Now()
	q.Settings = with(q.Settings, "default_format", "Native")
	body, header, err := c.open(ctx, q, nil)
	if err != nil {
		return nil, Stats{}, err
	}
	defer body.Close()
	var raw bytes.Buffer
	if _, err := raw.ReadFrom(body); err != nil {
		return nil, Stats{}, fmt.Errorf("read result: %w", err)
	}
	res, err := native.Decode(bytes.NewReader(raw.Bytes()))
	if err != nil {
		if e := exceptionIn(raw.Bytes()); e != nil {
			return nil, Stats{}, e
		}
		return nil, Stats{}, fmt.Errorf("result: %w", err)
	}
	return res, summary(header, start), nil
}

// Stream runs a query and returns its output as ClickHouse formats it. The caller
// closes the body.
func (c *Client) Stream(ctx context.Context, q Query, format string) (io.ReadCloser, error) {
	q.Settings = with(q.Settings, "default_format", format)
	body, _, err := c.open(ctx, q, nil)
	return body, err
}

// Ping asks whether the server answers; it needs no password.
func (c *Client) Ping(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimRight(c.URL, "/")+"/ping", nil)
	if err != nil {
		return err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("store %s: %w", c.URL, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("store %s: /ping answered %s", c.URL, resp.Status)
	}
	return nil
}

// open sends the query; with data the statement goes into the URL and the data
// into the body, else the statement into the body.
func (c *Client) open(ctx context.Context, q Query, data io.Reader) (io.ReadCloser, http.Header, error) {
	v := url.Values{}
	for k, s := range q.Settings {
		v.Set(k, s)
	}
	for k, p := range q.Params {
		v.Set("param_"+k, p)
	}
	if q.ID != "" {
		v.Set("query_id", q.ID)
	}
	if c.Database != "" {
		v.Set("database", c.Database)
	}
	body := data
	if data == nil {
		body = strings.NewReader(q.SQL)
	} else {
		v.Set("query", q.SQL)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimRight(c.URL, "/")+"/?"+v.Encode(), body)
	if err != nil {
		return nil, nil, err
	}
	req.Header.Set("X-ClickHouse-User", c.User)
	req.Header.Set("X-ClickHouse-Key", c.Password)
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, nil, fmt.Errorf("store %s: %w", c.URL, err)
	}
	if resp.StatusCode != http.StatusOK {
		defer resp.Body.Close()
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 16<<10))
		code, _ := strconv.Atoi(resp.Header.Get("X-ClickHouse-Exception-Code"))
		msg := strings.TrimSpace(string(text))
		if msg == "" {
			msg = resp.Status
		}
		return nil, nil, &Exception{Code: code, Message: msg}
	}
	return resp.Body, resp.Header, nil
}

// drain reads to the end: an exception may come after the headers have gone out.
func drain(body io.Reader) error {
	var tail bytes.Buffer
	if _, err := tail.ReadFrom(body); err != nil {
		return fmt.Errorf("read answer: %w", err)
	}
	if e := exceptionIn(tail.Bytes()); e != nil {
		return e
	}
	return nil
}

// exceptionIn finds the exception that ClickHouse appends to an answer that it had
// begun to send.
func exceptionIn(b []byte) error {
	const mark = "DB::Exception:"
	i := bytes.Index(b, []byte(mark))
	if i < 0 {
		return nil
	}
	e := &Exception{}
	if j := bytes.LastIndex(b[:i], []byte("Code: ")); j >= 0 {
		e.Code, _ = strconv.Atoi(strings.TrimRight(string(b[j+6:i]), ". "))
		i = j
	}
	e.Message = strings.TrimSpace(strings.ToValidUTF8(string(b[i:]), ""))
	return e
}

func with(m map[string]string, k, v string) map[string]string {
	out := map[string]string{k: v}
	for key, val := range m {
		out[key] = val
	}
	return out
}

func summary(h http.Header, start time.Time) Stats {
	s := Stats{Elapsed: time.Since(start)}
	text := h.Get("X-ClickHouse-Summary")
	s.Rows, s.Bytes = summaryField(text, "read_rows"), summaryField(text, "read_bytes")
	return s
}

// summaryField reads a number out of {"read_rows":"1","read_bytes":"2",…}.
func summaryField(text, name string) uint64 {
	_, rest, ok := strings.Cut(text, `"`+name+`":"`)
	if !ok {
		return 0
	}
	num, _, _ := strings.Cut(rest, `"`)
	n, _ := strconv.ParseUint(num, 10, 64)
	return n
}

// Temporary reports whether doing the same again later may work: the server is
// away, starting, out of memory or busy. Errors that name something wrong with the
// statement or the data are not temporary.
func Temporary(err error) bool {
	var e *Exception
	if !errors.As(err, &e) {
		return true // the network, or a server that is being restarted
	}
	switch e.Code {
	case 0, // no code: not ClickHouse but something in front of it
		159, // TIMEOUT_EXCEEDED
		202, // TOO_MANY_SIMULTANEOUS_QUERIES
		209, // SOCKET_TIMEOUT
		210, // NETWORK_ERROR
		225, // NO_ZOOKEEPER
		236, // ABORTED
		241, // MEMORY_LIMIT_EXCEEDED
		242, // TABLE_IS_READ_ONLY
		243, // NOT_ENOUGH_SPACE
		252, // TOO_MANY_PARTS
		319, // UNKNOWN_STATUS_OF_INSERT
		394, // QUERY_WAS_CANCELLED
		516: // AUTHENTICATION_FAILED: the password may be put right
		return true
	}
	return false
}
