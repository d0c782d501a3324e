package engine

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"netmeta/engine/libchdb"
)

// server is the ClickHouse HTTP interface to one engine.
//
// Each request has its own connection, so that no session state reaches another one: opening and closing it
// takes a fifth of a millisecond. Its handler keeps its OS thread from connect to close, as libchdb requires.
type server struct {
	lib  *libchdb.Library
	path string // the engine's --path
	log  *slog.Logger

	displayName, version, timezone string

	writer  *account
	readers []*account
	flight  *recorder

	limits    limits
	forbidden forbidden
	answers   *answers

	mu       sync.Mutex
	taken    int64           // memory that running readers may use, in bytes
	running  map[string]bool // users and query ids
	sessions map[string]*session
}

// account is the state of a user. Each has its own slots: reading must not block the collector's writing, nor
// SQL clients the web UI.
type account struct {
	User
	reads   bool            // read-only
	tables  map[string]bool // of the database system, besides those that all readers may read
	filters bool            // it may say which rows a statement sees
	most    tally           // limits of a reader's statement
	slots   gate

	arriving chan struct{} // statements of a reader being received
	bodyTime time.Duration // for each complete statement
	taken    int64         // memory that its running statements may use, in bytes; under server.mu
}

func newAccount(u User, slots int) *account { return &account{User: u, slots: newGate(slots)} }

func newReader(u User, slots int, most tally, tables map[string]bool) *account {
	a := newAccount(u, slots)
	a.reads, a.most, a.tables, a.arriving, a.bodyTime = true, most, tables, make(chan struct{}, 4*slots), readerBody
	return a
}

// session is a connection that exists between requests that name it.
type session struct {
	conn   *libchdb.Conn
	busy   bool
	expiry *time.Timer
}

const (
	maxSessions  = 64
	slotWait     = 5 * time.Second  // for a request over the limit
	bodyTimeout  = 5 * time.Minute  // for the next bytes of a body
	readerBody   = 30 * time.Second // for the whole body of a reader
	restTime     = time.Second      // for the rest of a body after an error, so that the client reads the error
	writeTimeout = 5 * time.Minute  // for the client to receive the next bytes
	chunkSize    = 1 << 20          // bytes between us and the engine, in both directions
)

var chunks = sync.Pool{New: func() any { b := make([]byte, chunkSize); return &b }}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("X-ClickHouse-Server-Display-Name", s.displayName)
	h.Set("X-ClickHouse-Timezone", s.timezone)
	switch r.URL.Path {
	case "/":
		if r.URL.RawQuery == "" && r.Method != http.MethodPost {
			ok(w)
			return
		}
	case "/ping", "/replicas_status":
		ok(w)
		return
	default:
		http.Error(w, fmt.Sprintf("There is no handle %s\n\nUse / for queries, /ping or /replicas_status.", r.URL.Path), http.StatusNotFound)
		return
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut:
	default:
		h.Set("Allow", "GET, HEAD, POST, PUT")
		http.Error(w, r.Method+" is not a method for queries: use GET to read, POST to write", http.StatusMethodNotAllowed)
		return
	}

	q, err := parseRequest(r)
	if err != nil {
		if r.ContentLength != 0 {
			leaveBody(w)
		}
		newResponse(w, &request{credentials: true}).fail(err, s.version)
		return
	}
	control := http.NewResponseController(w)
	out := newResponse(&timedWriter{ResponseWriter: w, control: control}, q)
	out.answers = s.answers
	in := &timedReader{r: r.Body, control: control}
	err = s.serve(r, q, in, out)
	if err != nil && r.ContentLength != 0 && !in.ended {
		leaveBody(w)
	} else {
		control.SetReadDeadline(time.Time{}) // the next request of the connection has no deadline
	}
	if err == nil {
		err = out.end()
	}
	if err != nil {
		out.fail(err, s.version)
	}
	control.SetWriteDeadline(time.Time{})
}

// leaveBody makes the server respond without waiting for the rest of a body, and close the connection.
// Otherwise it would read the body first, which may never arrive.
func leaveBody(w http.ResponseWriter) {
	w.Header().Set("Connection", "close")
	http.NewResponseController(w).SetReadDeadline(time.Now().Add(restTime))
}

func ok(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/html; charset=UTF-8")
	io.WriteString(w, "Ok.\n")
}

// serve runs a request up to the end of its result, which the caller sends.
func (s *server) serve(r *http.Request, q *request, in *timedReader, out *response) error {
	a, err := s.authenticate(q)
	if err != nil {
		return err
	}
	filter, err := takeFilter(q, a)
	if err != nil {
		return err
	}
	if a.reads {
		if err := s.readerRequest(q); err != nil {
			return err
		}
	}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data") {
		return errorf(codeNotImplemented, "NOT_IMPLEMENTED", "External tables (multipart/form-data) are not served by the embedded engine")
	}
	var (
		text string
		st   statement
		data io.Reader
	)
	if a.reads {
		// The whole statement first: one that arrives slowly must not hold a slot and a share of the memory.
		// The writer's is followed by its data.
		if text, st, err = a.arrive(q, in); err != nil {
			return err
		}
	}
	if err := a.slots.enter(r.Context()); err != nil {
		return err
	}
	defer a.slots.leave()
	if a.reads {
		defer s.takeMemory(q, a)()
	}

	if q.queryID == "" {
		q.queryID = uuid.NewString()
	}
	out.w.Header().Set("X-ClickHouse-Query-Id", q.queryID)
	id := a.Name + " " + q.queryID
	if !s.begin(id) {
		return errorf(codeSameQueryID, "QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING", "Query with id = %s is already running", q.queryID)
	}
	defer s.finish(id)

	if !a.reads {
		body, err := bodyReader(q, in)
		if err != nil {
			return err
		}
		if text, st, data, err = readStatement(q, body, maxStatement); err != nil {
			return err
		}
	}

	if a.reads {
		ended, err := s.flight.begin(a.Name, q.queryID, text)
		if err != nil {
			return err
		}
		defer ended()
	}

	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	conn, release, err := s.connect(q, a)
	if err != nil {
		return err
	}
	defer release()

	switch {
	case st.kind == kindEmpty:
		return errorf(codeSyntaxError, "SYNTAX_ERROR", "Syntax error: failed at position 1 (end of query): Empty query")
	case a.reads && st.kind == kindInsert:
		return errorf(codeReadonly, "READONLY", "%[1]s: Cannot execute query in readonly mode. For queries over HTTP, the user %[1]s may only read", a.Name)
	case a.reads:
		rows, err := s.rowSettings(conn, q, a, filter)
		if err != nil {
			return err
		}
		var settings []setting
		if st, settings, err = s.readerStatement(conn, text, q, a); err != nil {
			return err
		}
		if q.scoped {
			exact, err := scopedFormat(cmp.Or(st.format, q.format))
			if err != nil {
				return err
			}
			rows = append(rows, exact...)
		}
		// Last, so that nothing that the statement gives counts instead.
		q.settings = slices.Concat(q.settings, settings, rows)
	}
	tag, err := s.prepare(conn, q, a)
	if err != nil {
		return err
	}

	format := q.format
	if st.format != "" {
		format = st.format
	}
	switch st.kind {
	case kindInsert:
		if format == "" {
			format = "Values"
		}
		return s.insert(conn, st, format, q.params, data, out)
	case kindSelect:
		if format == "" {
			format = "TabSeparated"
		}
		out.format = format
		return s.stream(r.Context(), conn, st, format, q, tag, out)
	}
	if format == "" {
		format = "TabSeparated"
	}
	out.format = format
	ctx := r.Context()
	if !readerVerbs[st.verb] {
		ctx = context.Background() // changes are not left half done
	}
	return s.whole(ctx, conn, st, format, q, tag, out)
}

// readerRequest checks the parts of a reading user's request outside of its statement.
func (s *server) readerRequest(q *request) error {
	for _, set := range q.settings {
		if err := s.limits.readerSetting(set); err != nil {
			return err
		}
	}
	if err := readerFormat(q.format); err != nil {
		return err
	}
	if strings.EqualFold(q.database, "system") || strings.EqualFold(q.database, "_temporary_and_external_tables") {
		return errorf(codeAccessDenied, "ACCESS_DENIED", "Not enough privileges. The database %s is not the default one for the read-only user: name its tables as system.NAME", q.database)
	}
	return nil
}

// arrive reads the whole statement of a reading user, within limits of time and size. The number of
// statements being received is bounded too, because decompression needs memory.
func (a *account) arrive(q *request, in *timedReader) (text string, st statement, err error) {
	select {
	case a.arriving <- struct{}{}:
		defer func() { <-a.arriving }()
	default:
		return "", st, errorf(codeTooManyQueries, "TOO_MANY_SIMULTANEOUS_QUERIES", "Too many statements are on their way. Maximum: %d", cap(a.arriving))
	}
	in.by = time.Now().Add(a.bodyTime)
	q.smallWindow = true
	body, err := bodyReader(q, in)
	if err == nil {
		text, st, _, err = readStatement(q, body, maxReaderStatement)
	}
	if in.late {
		err = bodyTimedOut(a.bodyTime)
	}
	if err == nil && st.kind == kindInsert {
		text = "" // its data are not read, because it is rejected
	}
	return text, st, err
}

// authenticate returns the account of the request.
func (s *server) authenticate(q *request) (*account, error) {
	same := func(u User) bool { // both parts are always compared, in constant time
		a, b := sha256.Sum256([]byte(q.user)), sha256.Sum256([]byte(u.Name))
		c, d := sha256.Sum256([]byte(q.password)), sha256.Sum256([]byte(u.Password))
		return subtle.ConstantTimeCompare(a[:], b[:])&subtle.ConstantTimeCompare(c[:], d[:]) == 1
	}
	var found *account
	for _, a := range append([]*account{s.writer}, s.readers...) {
		if same(a.User) {
			found = a
		}
	}
	if found != nil && q.credentials {
		return found, nil
	}
	user := q.user
	if user == "" {
		user = "default"
	}
	return nil, errorf(codeAuthFailed, "AUTHENTICATION_FAILED",
		"%.100s: Authentication failed: password is incorrect, or there is no user with such name. The users are %s (password in secrets/writer of the data directory) and %s (secrets/reader)",
		user, WriterName, ReaderName)
}

// gate bounds how many requests run at once. A few more may wait briefly.
type gate struct{ running, waiting chan struct{} }

func newGate(n int) gate { return gate{make(chan struct{}, n), make(chan struct{}, 4*n)} }

// enter takes a slot. The caller frees it with leave, unless there was an error.
func (g gate) enter(ctx context.Context) error {
	select {
	case g.running <- struct{}{}:
		return nil
	default:
	}
	tooMany := errorf(codeTooManyQueries, "TOO_MANY_SIMULTANEOUS_QUERIES", "Too many simultaneous queries. Maximum: %d", cap(g.running))
	select {
	case g.waiting <- struct{}{}:
		defer func() { <-g.waiting }()
	default:
		return tooMany
	}
	timer := time.NewTimer(slotWait)
	defer timer.Stop()
	select {
	case g.running <- struct{}{}:
		return nil
	case <-timer.C:
		return tooMany
	case <-ctx.Done():
		return errorf(codeQueryCancelled, "QUERY_WAS_CANCELLED", "Query was cancelled: the client is gone")
	}
}

func (g gate) leave() { <-g.running }

// takeMemory sets how many bytes a reader's statement may use: half of what the other readers leave of three
// quarters of the engine's memory. So all of them together leave the rest to inserts and merges, which the
// engine does not distinguish from queries when memory runs out. The statements of one user together leave a
// quarter of it to the other user, so that SQL clients cannot leave the web UI without memory. The returned
// function frees it.
func (s *server) takeMemory(q *request, a *account) (giveBack func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	left := 2*s.limits.memory - s.taken
	if a.taken > 0 {
		left = min(left, s.limits.memory*3/2-a.taken)
	}
	q.memory = left / 2
	s.taken += q.memory
	a.taken += q.memory
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.taken -= q.memory
		a.taken -= q.memory
	}
}

func (s *server) begin(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running[id] {
		return false
	}
	s.running[id] = true
	return true
}

func (s *server) finish(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.running, id)
}

// readStatement reads the statement from URL and body. For an INSERT, data is the rest of the body; otherwise
// the body is read to its end. The statement may have at most most bytes.
func readStatement(q *request, body io.Reader, most int) (text string, st statement, data io.Reader, err error) {
	if q.query != "" {
		if st, err = parseStatement(q.query); err != nil {
			return
		}
		if st.kind == kindInsert {
			return q.query, st, io.MultiReader(strings.NewReader(q.query[st.data:]), body), nil
		}
	}
	head, err := io.ReadAll(io.LimitReader(body, int64(most)+1))
	if err != nil {
		return "", st, nil, bodyError(err)
	}
	if q.query != "" && len(bytes.TrimSpace(head)) == 0 {
		if len(q.query) > most {
			err = tooLong(most)
		}
		return q.query, st, nil, err
	}
	text = q.query + string(head)
	if q.query == "" {
		text = string(head)
	}
	if st, err = parseStatement(text); err != nil {
		if len(text) > most {
			err = tooLong(most)
		}
		return
	}
	if st.kind == kindInsert {
		return text, st, io.MultiReader(strings.NewReader(text[st.data:]), body), nil
	}
	if len(text) > most {
		err = tooLong(most)
	}
	return
}

func tooLong(most int) error {
	return errorf(codeSyntaxError, "SYNTAX_ERROR", "Syntax error: Max query size exceeded (can be up to %d bytes)", most)
}

func bodyTimedOut(after time.Duration) error {
	return errorf(codeSocketTimeout, "SOCKET_TIMEOUT", "The body did not come within %v", after)
}

func bodyError(err error) error {
	if os.IsTimeout(err) {
		return bodyTimedOut(bodyTimeout)
	}
	return errorf(codeNetworkError, "NETWORK_ERROR", "Reading the body: %v", err)
}

// connect opens a connection for a request, or uses that of its session. release frees it.
func (s *server) connect(q *request, a *account) (*libchdb.Conn, func(), error) {
	if q.session == "" {
		conn, err := s.lib.Connect("--path=" + s.path)
		if err != nil {
			return nil, nil, err
		}
		return conn, conn.Close, nil
	}
	key := a.Name + " " + q.session
	s.mu.Lock()
	defer s.mu.Unlock()
	ses := s.sessions[key]
	switch {
	case ses != nil && ses.busy:
		return nil, nil, errorf(codeSessionLocked, "SESSION_IS_LOCKED", "Session %s is locked by a concurrent client", q.session)
	case ses != nil:
		ses.expiry.Stop()
	case q.sessionCheck:
		return nil, nil, errorf(codeUnknownSession, "SESSION_NOT_FOUND", "Session %s not found", q.session)
	case len(s.sessions) >= maxSessions:
		return nil, nil, errorf(codeTooManyQueries, "TOO_MANY_SIMULTANEOUS_QUERIES", "Too many sessions. Maximum: %d", maxSessions)
	default:
		conn, err := s.lib.Connect("--path=" + s.path)
		if err != nil {
			return nil, nil, err
		}
		ses = &session{conn: conn}
		s.sessions[key] = ses
	}
	ses.busy = true
	return ses.conn, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		ses.busy = false
		if q.sessionClose || a.reads { // a reader's session is read-only permanently, and has no state
			delete(s.sessions, key)
			ses.conn.Close()
			return
		}
		ses.expiry = time.AfterFunc(q.sessionTimeout, func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.sessions[key] == ses && !ses.busy {
				delete(s.sessions, key)
				ses.conn.Close()
			}
		})
	}, nil
}

// prepare gives the session the request's database and settings. The statement is found
// to be cancelled by the tag, since libchdb chooses the query's id itself. The tag is
// random, so that nobody can give a statement the tag of another one, and begins with
// the user, by which a list of running statements tells whose each is. It is the value
// of a setting that readers may not give; log_comment keeps what the client says.
func (s *server) prepare(conn *libchdb.Conn, q *request, a *account) (tag string, err error) {
	if q.database != "" && q.database != "default" {
		if err := execute(conn, "USE "+quoteName(q.database)); err != nil {
			return "", err
		}
	}
	var random [16]byte
	rand.Read(random[:])
	tag = a.Name + " " + hex.EncodeToString(random[:])
	comment := q.queryID
	settings := append(make([]setting, 0, len(q.settings)+20), tempSettings(s.path, a.reads)...)
	readonly := ""
	if q.readonly {
		readonly = "2" // as ClickHouse has it, a GET does not write
	}
	memory := q.memory
	if a.reads {
		readonly = "1"
		settings = append(settings, s.sessionOf(a)...)
	}
	for _, set := range q.settings {
		switch set.name {
		case "log_comment":
			comment += " " + set.value
		case "max_memory_usage":
			if !a.reads {
				settings = append(settings, set)
			} else if n, ok := plainNumber(set.value); ok {
				memory = min(memory, int64(n))
			}
		case "readonly":
			if !a.reads {
				readonly = set.value
			}
		default:
			settings = append(settings, set)
		}
	}
	if a.reads {
		settings = append(settings, setting{"max_memory_usage", fmt.Sprint(memory)})
	}
	settings = append(settings, setting{"log_comment", comment}, setting{tagSetting, tag})
	if readonly != "" {
		settings = append(settings, setting{"readonly", readonly})
	}
	return tag, execute(conn, settingsStatement(settings))
}

// tagSetting has the tag of a statement. It only names entries of the query cache, which the embedded engine
// lacks.
const tagSetting = "query_cache_tag"

func execute(conn *libchdb.Conn, sql string) error {
	result, err := conn.Query(sql, "Null", nil)
	if err != nil {
		return err
	}
	result.Close()
	return nil
}

// whole runs a statement with a small result.
func (s *server) whole(ctx context.Context, conn *libchdb.Conn, st statement, format string, q *request, tag string, out *response) error {
	defer s.killWhenDone(ctx, tag)()
	result, err := conn.Query(st.text, format, q.params)
	if err != nil {
		return err
	}
	defer result.Close()
	out.stats = result.Stats()
	if q.protocol > 0 && format == "Native" {
		return transcodeNative(out, bufio.NewReader(bytes.NewReader(result.Bytes())), q.protocol)
	}
	_, err = out.Write(result.Bytes())
	return err
}

// stream runs a SELECT and sends its result as the engine produces it.
//
// libchdb can stream a result, but formats each chunk as if it were complete: with its own header, or as a
// separate JSON document. So the engine writes to a pipe, by INTO OUTFILE. Memory is bounded by the pipe and
// the engine's part of a block.
func (s *server) stream(ctx context.Context, conn *libchdb.Conn, st statement, format string, q *request, tag string, out *response) error {
	read, write, err := os.Pipe()
	if err != nil {
		return err
	}
	defer read.Close()
	growPipe(write)

	copied := make(chan error, 1)
	go func() {
		var err error
		if q.protocol > 0 && format == "Native" {
			err = transcodeNative(out, bufio.NewReaderSize(read, chunkSize), q.protocol)
		} else {
			chunk := chunks.Get().(*[]byte)
			_, err = io.CopyBuffer(struct{ io.Writer }{out}, struct{ io.Reader }{read}, *chunk)
			chunks.Put(chunk)
		}
		if err != nil {
			read.Close() // the engine's next write fails, and with it the query
		}
		copied <- err
	}()

	stop := s.killWhenDone(ctx, tag)
	closeRead := context.AfterFunc(ctx, func() { read.Close() })
	result, err := conn.Query(st.withOutfile(fmt.Sprintf("/proc/self/fd/%d", write.Fd()), format), "Null", q.params)
	stop()
	write.Close() // ends the copying goroutine
	copyErr := <-copied
	closeRead()
	if ctx.Err() != nil {
		if err == nil {
			result.Close()
		}
		return errorf(codeQueryCancelled, "QUERY_WAS_CANCELLED", "Query was cancelled: the client is gone")
	}
	if err != nil {
		if copyErr != nil { // the engine only noticed that the reader has gone
			return copyErr
		}
		return err
	}
	out.stats = result.Stats()
	result.Close()
	return copyErr
}

// killWhenDone cancels the statement with this tag in the engine if ctx ends before the returned function is
// called. That function waits for a running KILL.
func (s *server) killWhenDone(ctx context.Context, tag string) (stop func()) {
	ended := make(chan struct{})
	var killer sync.WaitGroup
	killer.Add(1)
	unhook := context.AfterFunc(ctx, func() {
		defer killer.Done()
		for {
			// Repeat until it is over: the statement may not have started yet.
			if err := s.kill(tag); err != nil {
				s.log.Warn("cancel a query", "tag", tag, "err", err)
			}
			select {
			case <-ended:
				return
			case <-time.After(100 * time.Millisecond):
			}
		}
	})
	return func() {
		close(ended)
		if unhook() {
			killer.Done()
		}
		killer.Wait()
	}
}

func (s *server) kill(tag string) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	conn, err := s.lib.Connect("--path=" + s.path)
	if err != nil {
		return err
	}
	defer conn.Close()
	return execute(conn, "KILL QUERY WHERE Settings['"+tagSetting+"'] = "+quoteString(tag)+" ASYNC")
}

// insert passes data to an INSERT as it arrives.
func (s *server) insert(conn *libchdb.Conn, st statement, format string, params []libchdb.Param, data io.Reader, out *response) error {
	ins, err := conn.Insert(st.text, format, params)
	if err != nil {
		return err
	}
	defer ins.Close()
	chunk := chunks.Get().(*[]byte)
	defer chunks.Put(chunk)
	for {
		n, err := fill(data, *chunk)
		if n > 0 {
			if err := ins.Append((*chunk)[:n]); err != nil {
				return err
			}
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return bodyError(err) // Close cancels: a truncated body must not be stored
		}
	}
	out.stats, err = ins.Done()
	return err
}

// fill reads until p is full or the input ends.
func fill(r io.Reader, p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		var m int
		m, err = r.Read(p[n:])
		n += m
	}
	if err != nil && errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		err = io.EOF // decompressors wrap it
	}
	return n, err
}

// timedReader has a time limit for each read of a body, and one for all of them together, until by, if that
// is set.
type timedReader struct {
	r       io.Reader
	control *http.ResponseController
	until   time.Time
	by      time.Time
	late    bool // the time limit has passed
	ended   bool // the body was read to its end
}

func (t *timedReader) Read(p []byte) (int, error) {
	if now := time.Now(); !t.by.IsZero() {
		t.control.SetReadDeadline(t.by)
	} else if t.until.Sub(now) < bodyTimeout/2 {
		t.until = now.Add(bodyTimeout)
		t.control.SetReadDeadline(t.until)
	}
	n, err := t.r.Read(p)
	t.late = t.late || err != nil && os.IsTimeout(err)
	t.ended = t.ended || err == io.EOF
	if err != nil && !t.late {
		// The server keeps reading to notice when the client disconnects; that is not a timeout.
		t.control.SetReadDeadline(time.Time{})
	}
	return n, err
}

// timedWriter has a time limit for each write to the client.
type timedWriter struct {
	http.ResponseWriter
	control *http.ResponseController
	until   time.Time
}

func (t *timedWriter) Unwrap() http.ResponseWriter { return t.ResponseWriter }

func (t *timedWriter) Write(p []byte) (int, error) {
	if now := time.Now(); t.until.Sub(now) < writeTimeout/2 {
		t.until = now.Add(writeTimeout)
		t.control.SetWriteDeadline(t.until)
	}
	return t.ResponseWriter.Write(p)
}
