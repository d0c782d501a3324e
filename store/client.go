// Package store stores the data of NetMeta: a client of ClickHouse's HTTP interface, which the embedded
// engine and any ClickHouse server have in common; the statements that make and extend our tables from their
// fields; and the writer that writes blocks from the pipe to their tables.
package store

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"netmeta/internal/secret"
	"netmeta/native"
)

// Limits of what is read into memory.
const (
	resultLimit    = 256 << 20 // of a Select
	exceptionLimit = 16 << 10  // of the text of an error; servers have the same limit
	dialTimeout    = 5 * time.Second
)

// Client is a connection to one ClickHouse as one user. It is safe for concurrent use.
type Client struct {
	URL      secret.URL // http://127.0.0.1:8123
	User     string
	Password secret.Text
	Database string // empty: default
	ReadOnly bool   // the server rejects everything but queries

	// CheckFree is called before a table is changed, and fails if there is too little space for
	// that: an ALTER on a full disk may leave a table without its definition (seen with
	// 26.7). nil: no check.
	CheckFree func() error

	// Parts are the unreadable parts that statements leave out; a statement that meets another one records
	// it. nil: statements fail with them.
	Parts *Parts

	// conditions are those of the visible rows by table; nil: all rows of all tables.
	conditions map[string]string

	http http.Client
}

// NewClient makes a client; nothing is sent before the first call.
func NewClient(url, user, password, database string) *Client {
	return &Client{URL: secret.URL(url), User: user, Password: secret.Text(password), Database: database,
		http: http.Client{
			Transport: &http.Transport{
				DialContext:         (&net.Dialer{Timeout: dialTimeout}).DialContext,
				MaxIdleConnsPerHost: 16,
				IdleConnTimeout:     time.Minute,
				TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12},
			},
			// A redirect would send the password elsewhere.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}}
}

// hide removes secrets from an error, because the server's response may quote what it received.
func (c *Client) hide(err error) error {
	return secret.Error(err, append(c.URL.Secrets(), c.Password.Reveal())...)
}

// hideText is hide for a text that the server wrote.
func (c *Client) hideText(text string) string {
	return secret.Hide(text, append(c.URL.Secrets(), c.Password.Reveal())...)
}

// endpoint returns the address of a path of the server, with parameters added to those of the configured
// address.
func (c *Client) endpoint(path string, more url.Values) (string, error) {
	u, err := url.Parse(c.URL.Reveal())
	if err != nil {
		return "", fmt.Errorf("store %v is not a URL; use http://HOST:8123", c.URL)
	}
	v := u.Query()
	maps.Copy(v, more)
	u.Path, u.RawPath, u.RawQuery = strings.TrimRight(u.Path, "/")+path, "", v.Encode()
	return u.String(), nil
}

// redirected returns an error for the status of a redirect, which is not followed.
func redirected(resp *http.Response) error {
	if resp.StatusCode < 300 || resp.StatusCode > 399 {
		return nil
	}
	at, _ := resp.Location()
	if at == nil {
		return fmt.Errorf("it answers %s, a redirect; use its target address", resp.Status)
	}
	return fmt.Errorf("it answers %s, a redirect to %v; use that address", resp.Status, secret.URL(at.String()))
}

// Exception is an error that ClickHouse itself reported.
type Exception struct {
	Code    int    // ClickHouse error code; 0: none
	Message string // its text
}

func (e *Exception) Error() string { return e.Message }

// Stats are the costs of a query, by ClickHouse.
type Stats struct {
	Rows    uint64 // read
	Bytes   uint64 // read
	Elapsed time.Duration
}

// Query is one statement with its parameters ({name:Type} in the text) and settings.
type Query struct {
	SQL      string
	Params   map[string]string // values in ClickHouse's form: like fields of TSV
	Settings map[string]string
	ID       string // query_id; empty: the server makes one
}

// Exec runs a statement and waits for its end.
func (c *Client) Exec(ctx context.Context, sql string) error {
	return c.exec(ctx, Query{SQL: sql}, nil)
}

// Do is Exec with parameters and settings.
func (c *Client) Do(ctx context.Context, q Query) error { return c.exec(ctx, q, nil) }

// change runs a statement that changes a table, or its input, if there is room for that.
func (c *Client) change(ctx context.Context, q Query) error {
	if c.CheckFree != nil {
		if err := c.CheckFree(); err != nil {
			return err
		}
	}
	return c.Do(ctx, q)
}

// Insert appends blocks to a table. The columns are those of all blocks: with their names in the statement, a
// column that the table lacks is an error instead of lost data. Two calls with the same token and the same
// bytes insert once, up to a million rows.
func (c *Client) Insert(ctx context.Context, table string, columns []string, token string, blocks ...[]byte) error {
	return c.exec(ctx, Query{
		SQL: "INSERT INTO " + table + " (" + strings.Join(columns, ", ") + ") FORMAT Native",
		Settings: map[string]string{
			"insert_deduplication_token": token,
			// A user's views of the table get the rest of an insert that failed half-way, and nothing twice.
			"deduplicate_blocks_in_dependent_materialized_views": "1",
		},
	}, blocks)
}

// exec reads the response to its end: an exception may follow the headers.
func (c *Client) exec(ctx context.Context, q Query, data [][]byte) error {
	filter := ""
	if data == nil {
		filter = c.tableFilters()
	} else if c.conditions != nil {
		return errors.New("a client that sees some rows only stores none")
	}
	body, _, err := c.open(ctx, q, filter, data)
	if err == nil {
		defer body.Close()
		if _, err = io.Copy(io.Discard, body); err != nil {
			err = fmt.Errorf("read response: %w", c.hide(err))
		}
	}
	if err != nil && c.Parts.learn(ctx, c, err, filter) {
		return &partError{err}
	}
	return err
}

// partError is the error of a statement that has met an unreadable part for the first time: the next attempt
// leaves it out.
type partError struct{ error }

func (e *partError) Unwrap() error { return e.error }

// Select runs a query and reads its whole result, up to 256 MiB. It leaves out unreadable parts.
func (c *Client) Select(ctx context.Context, q Query) (res *native.Result, stats Stats, err error) {
	for range maxParts {
		filter := c.tableFilters()
		res, stats, err = c.selectOnce(ctx, q, filter)
		if err == nil || !c.Parts.learn(ctx, c, err, filter) {
			break
		}
	}
	return res, stats, err
}

// plain is Select for statements that do not read our rows.
func (c *Client) plain(ctx context.Context, q Query) (*native.Result, error) {
	res, _, err := c.selectOnce(ctx, q, c.filters(nil))
	return res, err
}

func (c *Client) selectOnce(ctx context.Context, q Query, filter string) (*native.Result, Stats, error) {
	start := time.Now()
	q.Settings = with(q.Settings, "default_format", "Native")
	body, header, err := c.open(ctx, q, filter, nil)
	if err != nil {
		return nil, Stats{}, err
	}
	defer body.Close()
	limited := &io.LimitedReader{R: body, N: resultLimit + 1}
	res, err := native.Decode(limited)
	switch {
	case limited.N <= 0:
		return nil, Stats{}, fmt.Errorf("result is larger than %d MiB: use fewer rows or columns, or a stream", resultLimit>>20)
	case err != nil:
		// Data that do not decode may be the text of an exception, which the end shows.
		var e *Exception
		if _, end := io.Copy(io.Discard, limited); errors.As(end, &e) {
			err = end
		}
		return nil, Stats{}, fmt.Errorf("read result: %w", c.hide(err))
	}
	return res, summary(header, start), nil
}

// Stream runs a query and returns its output in a ClickHouse format. The caller closes the body. If a query
// fails halfway, the body ends with an *Exception instead of io.EOF.
func (c *Client) Stream(ctx context.Context, q Query, format string) (io.ReadCloser, error) {
	q.Settings = with(q.Settings, "default_format", format)
	for attempts := 1; ; attempts++ {
		filter := c.tableFilters()
		body, _, err := c.open(ctx, q, filter, nil)
		switch {
		case err != nil && attempts < maxParts && c.Parts.learn(ctx, c, err, filter):
		case err != nil || c.Parts == nil:
			return body, err
		default:
			return &learning{body, func(err error) { c.Parts.learn(context.WithoutCancel(ctx), c, err, filter) }}, nil
		}
	}
}

// Ping checks that the server responds; it needs no password.
func (c *Client) Ping(ctx context.Context) error {
	address, err := c.endpoint("/ping", nil)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return c.hide(err)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("store %s: %w", c.URL, c.hide(err))
	}
	defer resp.Body.Close()
	if err := redirected(resp); err != nil {
		return fmt.Errorf("store %s: %w", c.URL, c.hide(err))
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("store %s: /ping answered %s", c.URL, resp.Status)
	}
	return nil
}

// open sends the query, with the filter for its tables; with data the statement is in the URL and the data in
// the body, otherwise the statement is in the body.
func (c *Client) open(ctx context.Context, q Query, filter string, data [][]byte) (io.ReadCloser, http.Header, error) {
	v := url.Values{}
	for k, s := range q.Settings {
		v.Set(k, s)
	}
	if c.conditions != nil && filter == "" {
		return nil, nil, errors.New("a client that sees some rows only has no condition of any table")
	}
	if filter != "" {
		v.Set("additional_table_filters", filter)
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
	if c.ReadOnly {
		v.Set("readonly", "2") // only queries, which may have settings
	}
	if data == nil {
		data = [][]byte{[]byte(q.SQL)}
	} else {
		v.Set("query", q.SQL)
	}
	address, err := c.endpoint("/", v)
	if err != nil {
		return nil, nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, nil)
	if err != nil {
		return nil, nil, c.hide(err)
	}
	for _, d := range data {
		req.ContentLength += int64(len(d))
	}
	// With GetBody the transport can resend a request if the server was just closing the connection.
	req.GetBody = func() (io.ReadCloser, error) {
		readers := make([]io.Reader, len(data))
		for i, d := range data {
			readers[i] = bytes.NewReader(d)
		}
		return io.NopCloser(io.MultiReader(readers...)), nil
	}
	req.Body, _ = req.GetBody()
	req.Header.Set("X-ClickHouse-User", c.User)
	req.Header.Set("X-ClickHouse-Key", c.Password.Reveal())
	if c.conditions != nil {
		req.Header.Set("X-NetMeta-Scoped", "1")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, nil, fmt.Errorf("store %s: %w", c.URL, c.hide(err))
	}
	if err := redirected(resp); err != nil {
		resp.Body.Close()
		return nil, nil, fmt.Errorf("store %s: %w", c.URL, c.hide(err))
	}
	if resp.StatusCode != http.StatusOK {
		defer resp.Body.Close()
		text, _ := io.ReadAll(io.LimitReader(resp.Body, exceptionLimit))
		code, _ := strconv.Atoi(resp.Header.Get("X-ClickHouse-Exception-Code"))
		msg := strings.TrimSpace(strings.ToValidUTF8(string(text), ""))
		if msg == "" {
			msg = resp.Status
		}
		return nil, nil, &Exception{Code: code, Message: c.hideText(msg)}
	}
	return &answer{body: resp.Body, tag: resp.Header.Get("X-ClickHouse-Exception-Tag"), hide: c.hideText}, resp.Header, nil
}

// answer is the body of a response that has started successfully. ClickHouse writes a later exception at the
// end of the body,
//
//	\r\n__exception__\r\n<tag>\r\n<message>\n<length> <tag>\r\n__exception__\r\n
//
// with a tag from a header, and cuts the connection. Servers before 25.11 write the plain message. The answer
// returns it as the error at the end.
type answer struct {
	body io.ReadCloser
	tag  string
	hide func(string) string // removes secrets from a text
	tail []byte              // the last bytes read, at least exceptionLimit if there are as many
}

func (a *answer) Read(p []byte) (int, error) {
	n, err := a.body.Read(p)
	if len(a.tail) > 4*exceptionLimit {
		a.tail = append(a.tail[:0], a.tail[len(a.tail)-exceptionLimit:]...)
	}
	a.tail = append(a.tail, p[max(0, n-exceptionLimit):n]...)
	if err != nil {
		if e := a.exception(err); e != nil {
			e.Message = a.hide(e.Message)
			return n, e
		}
	}
	return n, err
}

func (a *answer) Close() error { return a.body.Close() }

// learning is a stream that records an unreadable part if it fails, for the next attempt.
type learning struct {
	io.ReadCloser
	failed func(error)
}

func (l *learning) Read(p []byte) (int, error) {
	n, err := l.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		l.failed(err)
	}
	return n, err
}

// exception finds the exception at the end of a response that has ended with err.
func (a *answer) exception(err error) *Exception {
	if a.tag != "" {
		_, text, found := strings.Cut(string(a.tail), "__exception__\r\n"+a.tag+"\r\n")
		if !found {
			return nil
		}
		if end := strings.LastIndexByte(strings.TrimSuffix(text, a.tag+"\r\n__exception__\r\n"), '\n'); end >= 0 {
			text = text[:end]
		}
		return newException(text)
	}
	// Without a tag data may look like it: only truncated responses are suspect.
	if i := strings.LastIndex(string(a.tail), "Code: "); err != io.EOF && i >= 0 {
		return newException(string(a.tail[i:]))
	}
	return nil
}

// newException parses "Code: 395. DB::Exception: …".
func newException(text string) *Exception {
	e := &Exception{Message: strings.TrimSpace(strings.ToValidUTF8(text, ""))}
	number, _, _ := strings.Cut(strings.TrimPrefix(e.Message, "Code: "), ".")
	e.Code, _ = strconv.Atoi(number)
	return e
}

// with adds a setting, unless the caller has set it.
func with(m map[string]string, k, v string) map[string]string {
	out := map[string]string{k: v}
	maps.Copy(out, m)
	return out
}

func summary(h http.Header, start time.Time) Stats {
	s := Stats{Elapsed: time.Since(start)}
	text := h.Get("X-ClickHouse-Summary")
	s.Rows, s.Bytes = summaryField(text, "read_rows"), summaryField(text, "read_bytes")
	return s
}

// summaryField parses a number in {"read_rows":"1","read_bytes":"2",…}.
func summaryField(text, name string) uint64 {
	_, rest, ok := strings.Cut(text, `"`+name+`":"`)
	if !ok {
		return 0
	}
	num, _, _ := strings.Cut(rest, `"`)
	n, _ := strconv.ParseUint(num, 10, 64)
	return n
}

// Temporary reports whether a retry may succeed: the server is down, starting, out of memory or busy. Errors
// of the statement, the data or the table are not temporary.
func Temporary(err error) bool {
	var (
		e        *Exception
		mismatch *MismatchError
	)
	switch {
	case errors.As(err, &mismatch):
		return false
	case !errors.As(err, &e):
		return true // the network, or a server that is restarting
	}
	switch e.Code {
	case 0, // no code: not ClickHouse but a proxy in front of it
		75,  // CANNOT_WRITE_TO_FILE_DESCRIPTOR: its disk is full, or broken
		76,  // CANNOT_OPEN_FILE
		159, // TIMEOUT_EXCEEDED
		202, // TOO_MANY_SIMULTANEOUS_QUERIES
		209, // SOCKET_TIMEOUT
		210, // NETWORK_ERROR
		225, // NO_ZOOKEEPER
		236, // ABORTED
		codeMemoryLimit,
		242, // TABLE_IS_READ_ONLY
		codeNotEnoughSpace,
		252, // TOO_MANY_PARTS
		319, // UNKNOWN_STATUS_OF_INSERT
		394, // QUERY_WAS_CANCELLED
		516: // AUTHENTICATION_FAILED: the password may be put right
		return true
	}
	return outOfSpace(e.Message) || TooManyFiles(err)
}

// TooManyFiles reports whether the server met its limit of open files, for which it has no code of its own.
func TooManyFiles(err error) bool {
	return err != nil && strings.Contains(err.Error(), "Too many open files")
}

// UnknownTable reports whether a statement named a missing table.
func UnknownTable(err error) bool {
	var e *Exception
	return errors.As(err, &e) && e.Code == codeUnknownTable
}

const (
	codeUnknownTable    = 60
	codeReadonly        = 164
	codeUnknownDatabase = 81
	codeMemoryLimit     = 241
	codeNotEnoughSpace  = 243
	codeAccessDenied    = 497
)

// OutOfSpace reports whether the store failed because its disk is full.
func OutOfSpace(err error) bool {
	var (
		e    *Exception
		full *noSpaceError
	)
	return errors.As(err, &full) || errors.As(err, &e) && (e.Code == codeNotEnoughSpace || outOfSpace(e.Message))
}

// outOfSpace detects a full disk by the system's message, because errors of the engine's file operations have
// no code.
func outOfSpace(text string) bool {
	return strings.Contains(text, "No space left on device") || strings.Contains(text, "Disk quota exceeded")
}
