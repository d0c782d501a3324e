// Package libchdb binds the calls of libchdb, the ClickHouse engine as a shared library, that package engine
// needs: connect, query, streamed insert. The library's streamed query is not bound, since it formats each
// chunk as if it were the whole result; package engine makes the engine write to a pipe instead. The library
// is loaded at run time and called without a C compiler, so a binary built with CGO_ENABLED=0 works.
//
// A process has one engine and one data directory. Connections to it are
// sessions: each has its own settings and temporary tables, and they run queries
// in parallel. A connection runs one statement at a time and is not safe for
// concurrent use; an insert occupies its connection until it is closed. The engine
// keeps state in the thread that calls it, so a caller holds its OS thread
// (runtime.LockOSThread) from Connect, or from the start of an insert, to Close.
package libchdb

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"unsafe"

	"github.com/ebitengine/purego"
)

// Library is the loaded engine.
type Library struct {
	path string

	// The C functions. Handles are uintptr: they point to memory of the library,
	// which Go's collector must neither move nor free. All lengths are explicit,
	// so statements and data may hold zero bytes.
	version             func() unsafe.Pointer
	setSignalHandlers   func(enabled int32)
	connect             func(argc int32, argv unsafe.Pointer) uintptr
	closeConn           func(conn uintptr)
	query, streamInsert statement
	insertAppend        func(insert uintptr, data unsafe.Pointer, n uintptr) int32
	insertDone          func(insert uintptr) uintptr
	insertError         func(insert uintptr) unsafe.Pointer
	insertDestroy       func(insert uintptr)
	destroy             func(result uintptr)
	buffer              func(result uintptr) unsafe.Pointer
	length              func(result uintptr) uintptr
	elapsed             func(result uintptr) float64
	rowsRead            func(result uintptr) uint64
	bytesRead           func(result uintptr) uint64
	storageRows         func(result uintptr) uint64
	storageBytes        func(result uintptr) uint64
	rowsWritten         func(result uintptr) uint64
	bytesWritten        func(result uintptr) uint64
	resultError         func(result uintptr) unsafe.Pointer
}

var (
	loadOnce sync.Once
	loaded   *Library
	loadErr  error
)

// Load loads the library at path. A process loads it once: later calls return
// the same Library whatever the path.
func Load(path string) (*Library, error) {
	loadOnce.Do(func() { loaded, loadErr = load(path) })
	return loaded, loadErr
}

func load(path string) (l *Library, err error) {
	var handle uintptr
	keepSignals(func() { handle, err = purego.Dlopen(path, purego.RTLD_NOW|purego.RTLD_LOCAL) })
	if err != nil {
		return nil, fmt.Errorf("libchdb: load %s: %w", path, err)
	}
	l = &Library{path: path}
	for _, f := range []struct {
		name string
		fptr any
	}{
		{"chdb_version", &l.version},
		{"chdb_set_signal_handlers_enabled", &l.setSignalHandlers},
		{"chdb_connect", &l.connect},
		{"chdb_close_conn", &l.closeConn},
		{"chdb_query_with_params_n", &l.query},
		{"chdb_stream_insert_with_params_n", &l.streamInsert},
		{"chdb_stream_append", &l.insertAppend},
		{"chdb_stream_done", &l.insertDone},
		{"chdb_stream_insert_error", &l.insertError},
		{"chdb_destroy_insert_stream", &l.insertDestroy},
		{"chdb_destroy_query_result", &l.destroy},
		{"chdb_result_buffer", &l.buffer},
		{"chdb_result_length", &l.length},
		{"chdb_result_elapsed", &l.elapsed},
		{"chdb_result_rows_read", &l.rowsRead},
		{"chdb_result_bytes_read", &l.bytesRead},
		{"chdb_result_storage_rows_read", &l.storageRows},
		{"chdb_result_storage_bytes_read", &l.storageBytes},
		{"chdb_result_rows_written", &l.rowsWritten},
		{"chdb_result_bytes_written", &l.bytesWritten},
		{"chdb_result_error", &l.resultError},
	} {
		symbol, err := purego.Dlsym(handle, f.name)
		if err != nil {
			return nil, fmt.Errorf("libchdb: %s has no %s: it is too old, version 26.7 is needed: %w", path, f.name, err)
		}
		purego.RegisterFunc(f.fptr, symbol)
	}
	keepSignals(func() { l.setSignalHandlers(0) })
	return l, nil
}

// Version returns the library's own version, which is not the engine's.
func (l *Library) Version() string { return cString(l.version()) }

// Path returns the file that was loaded.
func (l *Library) Path() string { return l.path }

// Conn is one connection: a session of the engine.
type Conn struct {
	l      *Library
	holder uintptr // chdb_connection *: for close
	handle uintptr // chdb_connection: for every other call
}

// Connect opens a connection. args are the engine's options, each in the form "--name=value"; the first
// connection of the process starts the engine, with its data in "--path=DIR". Closing the last connection
// stops the engine, and a process should not start it twice.
func (l *Library) Connect(args ...string) (*Conn, error) {
	argv := make([]*byte, 0, len(args)+1)
	for _, arg := range append([]string{"clickhouse"}, args...) {
		argv = append(argv, unsafe.StringData(arg+"\x00"))
	}
	var holder uintptr
	keepSignals(func() { holder = l.connect(int32(len(argv)), unsafe.Pointer(&argv[0])) })
	runtime.KeepAlive(argv)
	if holder == 0 {
		return nil, fmt.Errorf("libchdb: connect %q: refused; the engine says why on stderr", args)
	}
	return &Conn{l: l, holder: holder, handle: deref(holder)}, nil
}

// Close closes the connection. No insert may be open on it.
func (c *Conn) Close() {
	if c.holder != 0 {
		c.l.closeConn(c.holder)
		c.holder, c.handle = 0, 0
	}
}

// Param is the value of {Name:Type} in a statement, in the escaped text form of
// the TabSeparated format.
type Param struct{ Name, Value string }

// Error is the engine's error when it rejects or aborts a statement.
type Error struct{ Message string }

func (e *Error) Error() string { return e.Message }

// Stats are the figures of a statement.
type Stats struct {
	Elapsed                   float64 // seconds
	RowsRead, BytesRead       uint64  // from storage
	ResultRows, ResultBytes   uint64  // returned, in the engine's own form
	RowsWritten, BytesWritten uint64
}

// Result is the result of a statement. Its memory belongs to the library until Close.
type Result struct {
	l      *Library
	handle uintptr
}

// Bytes returns the formatted rows. They are invalid after Close.
func (r *Result) Bytes() []byte {
	n := r.l.length(r.handle)
	p := r.l.buffer(r.handle)
	if n == 0 || p == nil {
		return nil
	}
	return unsafe.Slice((*byte)(p), n)
}

// Stats returns what was read and written so far.
func (r *Result) Stats() Stats {
	l, h := r.l, r.handle
	return Stats{
		Elapsed:  l.elapsed(h),
		RowsRead: l.storageRows(h), BytesRead: l.storageBytes(h),
		ResultRows: l.rowsRead(h), ResultBytes: l.bytesRead(h),
		RowsWritten: l.rowsWritten(h), BytesWritten: l.bytesWritten(h),
	}
}

// Close frees the result. It may be called more than once.
func (r *Result) Close() {
	if r != nil && r.handle != 0 {
		r.l.destroy(r.handle)
		r.handle = 0
	}
}

// result takes ownership of a handle: it returns either an error, with the handle freed, or a Result to
// close.
func (l *Library) result(handle uintptr) (*Result, error) {
	if handle == 0 {
		return nil, errors.New("libchdb: the engine returned nothing")
	}
	if p := l.resultError(handle); p != nil {
		err := &Error{cString(p)}
		l.destroy(handle)
		return nil, err
	}
	return &Result{l: l, handle: handle}, nil
}

// Query runs a statement and returns its whole result.
func (c *Conn) Query(sql, format string, params []Param) (*Result, error) {
	return c.l.result(c.call(c.l.query, sql, format, params))
}

type statement func(conn uintptr, sql unsafe.Pointer, sqlLen uintptr, format unsafe.Pointer, formatLen uintptr,
	names, nameLens, values, valueLens unsafe.Pointer, params uintptr) uintptr

// call passes a statement. The library copies what it keeps before it returns.
func (c *Conn) call(f statement, sql, format string, params []Param) uintptr {
	n := len(params)
	pointers := make([]*byte, 2*n+1) // names, then values; one more so that &x[0] exists
	lengths := make([]uintptr, 2*n+1)
	for i, p := range params {
		pointers[i], lengths[i] = data(p.Name), uintptr(len(p.Name))
		pointers[n+i], lengths[n+i] = data(p.Value), uintptr(len(p.Value))
	}
	handle := f(c.handle, unsafe.Pointer(data(sql)), uintptr(len(sql)), unsafe.Pointer(data(format)), uintptr(len(format)),
		unsafe.Pointer(&pointers[0]), unsafe.Pointer(&lengths[0]), unsafe.Pointer(&pointers[n]), unsafe.Pointer(&lengths[n]), uintptr(n))
	runtime.KeepAlive(sql)
	runtime.KeepAlive(format)
	runtime.KeepAlive(params)
	runtime.KeepAlive(pointers)
	runtime.KeepAlive(lengths)
	return handle
}

// Insert is an INSERT whose data is being passed.
type Insert struct {
	l      *Library
	handle uintptr
}

// Insert starts an INSERT. sql has neither FORMAT nor data ("INSERT INTO t (a, b)");
// format is that of the appended bytes.
func (c *Conn) Insert(sql, format string, params []Param) (*Insert, error) {
	i := &Insert{l: c.l, handle: c.call(c.l.streamInsert, sql, format, params)}
	if err := i.err(); err != nil {
		i.Close()
		return nil, err
	}
	return i, nil
}

func (i *Insert) err() error {
	if i.handle == 0 {
		return errors.New("libchdb: the engine returned nothing")
	}
	if p := i.l.insertError(i.handle); p != nil {
		return &Error{cString(p)}
	}
	return nil
}

// Append passes bytes of any length; rows and blocks may be split anywhere. The engine copies them, and makes
// the caller wait if it cannot keep up.
func (i *Insert) Append(p []byte) error {
	if len(p) == 0 {
		return nil
	}
	state := i.l.insertAppend(i.handle, unsafe.Pointer(&p[0]), uintptr(len(p)))
	runtime.KeepAlive(p)
	if state == 0 {
		return nil
	}
	if err := i.err(); err != nil {
		return err
	}
	return errors.New("libchdb: append: the insert has failed")
}

// Done ends the data and waits until the rows are stored.
func (i *Insert) Done() (Stats, error) {
	r, err := i.l.result(i.l.insertDone(i.handle))
	if err != nil {
		return Stats{}, err
	}
	defer r.Close()
	return r.Stats(), nil
}

// Close frees the insert. Before Done it cancels it: blocks that the engine has already written stay, the
// rest does not.
func (i *Insert) Close() {
	if i.handle != 0 {
		i.l.insertDestroy(i.handle)
		i.handle = 0
	}
}

// data returns a pointer to the bytes of s that is never nil, because the library rejects nil even with
// length zero.
func data(s string) *byte {
	if s == "" {
		return &zero
	}
	return unsafe.StringData(s)
}

var zero byte

// cString copies a zero-terminated string of the library.
func cString(p unsafe.Pointer) string {
	if p == nil {
		return ""
	}
	n := 0
	for *(*byte)(unsafe.Add(p, n)) != 0 {
		n++
	}
	return string(unsafe.Slice((*byte)(p), n))
}

// deref reads the pointer that p points to. p is memory of the library.
func deref(p uintptr) uintptr {
	return **(**uintptr)(unsafe.Pointer(&p))
}
