package engine

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"netmeta/engine/libchdb"
)

// server is the ClickHouse HTTP interface over one engine.
//
// A request gets a connection of its own, so that nothing of a session reaches
// another one: opening and closing it takes a fifth of a millisecond. Its handler
// keeps its OS thread from connect to close, as libchdb asks.
type server struct {
	lib  *libchdb.Library
	path string // the engine's --path
	log  *slog.Logger

	displayName, version, timezone string

	writer, reader User
	limits         limits
	forbidden      forbidden
	flight         *recorder

	// Requests that run at once, apart for the two users: reading must not be able
	// to keep the collector from writing.
	writing, reading gate

	mu       sync.Mutex
	taken    int64           // bytes of memory that running readers may use
	running  map[string]bool // query ids
	sessions map[string]*session
}

// session is a connection that lives on between requests that name it.
type session struct {
	conn   *libchdb.Conn
	busy   bool
	expiry *time.Timer
}

const (
	maxSessions  = 64
	slotWait     = 5 * time.Second // for a request over the bound
	bodyTimeout  = 5 * time.Minute // for the next bytes of a body
	writeTimeout = 5 * time.Minute // for the client to take the next bytes
	chunkSize    = 1 << 20         // bytes between us and the engine, in both directions
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
		newResponse(w, &request{credentials: true}).fail(err, s.version)
		return
	}
	control := http.NewResponseController(w)
	out := newResponse(&timedWriter{ResponseWriter: w, control: control}, q)
	err = s.serve(r, q, out)
	control.SetReadDeadline(time.Time{}) // the next request of the connection waits as long as it likes
	if err == nil {
		err = out.end()
	}
	if err != nil {
		out.fail(err, s.version)
	}
	control.SetWriteDeadline(time.Time{})
}

func ok(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/html; charset=UTF-8")
	io.WriteString(w, "Ok.\n")
}

// serve runs a request up to the end of its answer, which the caller sends.
func (s *server) serve(r *http.Request, q *request, out *response) error {
	isReader, err := s.authenticate(q)
	if err != nil {
		return err
	}
	if isReader {
		for _, set := range q.settings {
			if err := s.limits.readerSetting(set); err != nil {
				return err
			}
		}
	}
	slots := s.writing
	if isReader {
		slots = s.reading
	}
	if err := slots.enter(r.Context()); err != nil {
		return err
	}
	defer slots.leave()
	if isReader {
		defer s.takeMemory(q)()
	}

	if q.queryID == "" {
		q.queryID = uuid.NewString()
	}
	out.w.Header().Set("X-ClickHouse-Query-Id", q.queryID)
	if !s.begin(q.queryID) {
		return errorf(codeSameQueryID, "QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING", "Query with id = %s is already running", q.queryID)
	}
	defer s.finish(q.queryID)

	if strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data") {
		return errorf(codeNotImplemented, "NOT_IMPLEMENTED", "External tables (multipart/form-data) are not served by the embedded engine")
	}
	body, err := bodyReader(q, &timedReader{r: r.Body, control: http.NewResponseController(out.w)})
	if err != nil {
		return err
	}
	text, st, data, err := readStatement(q, body)
	if err != nil {
		return err
	}

	if isReader {
		ended, err := s.flight.begin(q.user, q.queryID, text)
		if err != nil {
			return err
		}
		defer ended()
	}

	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	conn, release, err := s.connect(q, isReader)
	if err != nil {
		return err
	}
	defer release()

	switch {
	case st.kind == kindEmpty:
		return errorf(codeSyntaxError, "SYNTAX_ERROR", "Syntax error: failed at position 1 (end of query): Empty query")
	case isReader && st.kind == kindInsert:
		return errorf(codeReadonly, "READONLY", "reader: Cannot execute query in readonly mode. For queries over HTTP, the user %s may only read", s.reader.Name)
	case isReader:
		var settings []setting
		if st, settings, err = s.readerStatement(conn, text); err != nil {
			return err
		}
		q.settings = append(q.settings, settings...)
	}
	tag, err := s.prepare(conn, q, isReader)
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
		ctx = context.Background() // what changes something is not left half done
	}
	return s.whole(ctx, conn, st, format, q, tag, out)
}

// authenticate reports whether the request comes from the reader.
func (s *server) authenticate(q *request) (isReader bool, err error) {
	same := func(u User) bool { // both parts always compared, in constant time
		a, b := sha256.Sum256([]byte(q.user)), sha256.Sum256([]byte(u.Name))
		c, d := sha256.Sum256([]byte(q.password)), sha256.Sum256([]byte(u.Password))
		return subtle.ConstantTimeCompare(a[:], b[:])&subtle.ConstantTimeCompare(c[:], d[:]) == 1
	}
	w, r := same(s.writer), same(s.reader)
	switch {
	case q.credentials && w:
		return false, nil
	case q.credentials && r:
		return true, nil
	}
	user := q.user
	if user == "" {
		user = "default"
	}
	return false, errorf(codeAuthFailed, "AUTHENTICATION_FAILED",
		"%.100s: Authentication failed: password is incorrect, or there is no user with such name. The users are %s (password in secrets/writer of the data directory) and %s (secrets/reader)",
		user, s.writer.Name, s.reader.Name)
}

// A gate bounds how many requests run at once. Some more may wait before it, for a
// little.
type gate struct{ running, waiting chan struct{} }

func newGate(n int) gate { return gate{make(chan struct{}, n), make(chan struct{}, 4*n)} }

// enter takes a slot. The caller gives it back with leave, if there was no error.
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

// takeMemory sets how many bytes a reader's statement may use: half of what the other
// readers leave of three quarters of the engine's. So all of them together leave the
// rest to inserts and merges, which the engine cannot tell from queries when it has
// none left. The returned function gives it back.
func (s *server) takeMemory(q *request) (giveBack func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q.memory = (2*s.limits.memory - s.taken) / 2
	s.taken += q.memory
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.taken -= q.memory
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

// readStatement reads the statement from URL and body. For an INSERT, data is what
// follows it; otherwise the body is read to its end.
func readStatement(q *request, body io.Reader) (text string, st statement, data io.Reader, err error) {
	if q.query != "" {
		if st, err = parseStatement(q.query); err != nil {
			return
		}
		if st.kind == kindInsert {
			return q.query, st, io.MultiReader(strings.NewReader(q.query[st.data:]), body), nil
		}
	}
	head, err := io.ReadAll(io.LimitReader(body, maxStatement+1))
	if err != nil {
		return "", st, nil, bodyError(err)
	}
	if q.query != "" && len(bytes.TrimSpace(head)) == 0 {
		return q.query, st, nil, nil
	}
	text = q.query + string(head)
	if q.query == "" {
		text = string(head)
	}
	if st, err = parseStatement(text); err != nil {
		if len(text) > maxStatement {
			err = tooLong()
		}
		return
	}
	if st.kind == kindInsert {
		return text, st, io.MultiReader(strings.NewReader(text[st.data:]), body), nil
	}
	if len(text) > maxStatement {
		err = tooLong()
	}
	return
}

func tooLong() error {
	return errorf(codeSyntaxError, "SYNTAX_ERROR", "Syntax error: Max query size exceeded (can be up to %d bytes)", maxStatement)
}

func bodyError(err error) error {
	if os.IsTimeout(err) {
		return errorf(codeNetworkError, "NETWORK_ERROR", "The next bytes of the body did not come within %v", bodyTimeout)
	}
	return errorf(codeNetworkError, "NETWORK_ERROR", "Reading the body: %v", err)
}

// connect opens a connection for a request, or takes that of its session. release
// gives it back.
func (s *server) connect(q *request, isReader bool) (*libchdb.Conn, func(), error) {
	if q.session == "" {
		conn, err := s.lib.Connect("--path=" + s.path)
		if err != nil {
			return nil, nil, err
		}
		return conn, conn.Close, nil
	}
	key := fmt.Sprintf("%t %s", isReader, q.session)
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
		if q.sessionClose || isReader { // a reader's session is read-only for good, and has nothing to keep
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

// prepare gives the session the request's database and settings. tag is the
// log_comment by which the statement is found to be cancelled, since libchdb
// chooses the query's id itself.
func (s *server) prepare(conn *libchdb.Conn, q *request, isReader bool) (tag string, err error) {
	if q.database != "" && q.database != "default" {
		if err := execute(conn, "USE "+quoteName(q.database)); err != nil {
			return "", err
		}
	}
	tag = q.queryID
	settings := append(make([]setting, 0, len(q.settings)+8), tempSettings(s.path, isReader)...)
	readonly := ""
	if q.readonly {
		readonly = "2" // as ClickHouse has it, a GET does not write
	}
	memory := q.memory
	if isReader {
		// All cores for a reader who is alone, a share for each of several, and what
		// writes goes first (that only where we have CAP_SYS_NICE).
		readonly = "1"
		settings = append(settings,
			setting{"max_execution_time", fmt.Sprint(s.limits.seconds)},
			setting{"max_threads", fmt.Sprint(max(cores()/len(s.reading.running), 1))}, setting{"os_threads_nice_value_query", "5"})
	}
	for _, set := range q.settings {
		switch set.name {
		case "log_comment":
			tag += " " + set.value
		case "max_memory_usage":
			if !isReader {
				settings = append(settings, set)
			} else if n, err := strconv.ParseFloat(set.value, 64); err == nil {
				memory = min(memory, int64(n))
			}
		case "readonly":
			if !isReader {
				readonly = set.value
			}
		default:
			settings = append(settings, set)
		}
	}
	if isReader {
		settings = append(settings, setting{"max_memory_usage", fmt.Sprint(memory)})
	}
	settings = append(settings, setting{"log_comment", tag})
	if readonly != "" {
		settings = append(settings, setting{"readonly", readonly})
	}
	return tag, execute(conn, settingsStatement(settings))
}

func execute(conn *libchdb.Conn, sql string) error {
	result, err := conn.Query(sql, "Null", nil)
	if err != nil {
		return err
	}
	result.Close()
	return nil
}

// whole runs a statement whose answer is small.
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

// stream runs a SELECT and passes its answer on as the engine makes it.
//
// libchdb can stream an answer by itself, but formats each of its chunks as if it
// were the whole: with a header of its own, or as a JSON document of its own. So
// the engine is given a pipe to write to, by INTO OUTFILE. Memory is bounded by
// the pipe and by what the engine keeps of a block.
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
	write.Close() // the end for the copying goroutine
	copyErr := <-copied
	closeRead()
	if ctx.Err() != nil {
		if err == nil {
			result.Close()
		}
		return errorf(codeQueryCancelled, "QUERY_WAS_CANCELLED", "Query was cancelled: the client is gone")
	}
	if err != nil {
		if copyErr != nil { // the engine only noticed that nobody reads on
			return copyErr
		}
		return err
	}
	out.stats = result.Stats()
	result.Close()
	return copyErr
}

// killWhenDone cancels the statement with this tag in the engine when ctx ends
// before the returned function is called. That waits until no KILL is under way.
func (s *server) killWhenDone(ctx context.Context, tag string) (stop func()) {
	ended := make(chan struct{})
	var killer sync.WaitGroup
	killer.Add(1)
	unhook := context.AfterFunc(ctx, func() {
		defer killer.Done()
		for {
			// Again until it is over: the statement may not have begun yet.
			if err := s.kill(tag); err != nil {
				s.log.Warn("cancel a query", "query_id", tag, "err", err)
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
	return execute(conn, "KILL QUERY WHERE Settings['log_comment'] = "+quoteString(tag)+" ASYNC")
}

// insert passes data to an INSERT as it comes.
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
			return bodyError(err) // Close cancels: a body that was cut must not be stored
		}
	}
	out.stats, err = ins.Done()
	return err
}

// fill reads until p is full or the end.
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

// timedReader gives each read of a body its time.
type timedReader struct {
	r       io.Reader
	control *http.ResponseController
	until   time.Time
}

func (t *timedReader) Read(p []byte) (int, error) {
	if now := time.Now(); t.until.Sub(now) < bodyTimeout/2 {
		t.until = now.Add(bodyTimeout)
		t.control.SetReadDeadline(t.until)
	}
	n, err := t.r.Read(p)
	if err != nil {
		// The server goes on reading to see the client leave; that is no timeout.
		t.control.SetReadDeadline(time.Time{})
	}
	return n, err
}

// timedWriter gives each write to the client its time.
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
