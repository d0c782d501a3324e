package engine

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"netmeta/engine/libchdb"
)

// Limits of a request besides its body.
const (
	maxParams       = 1024     // URL parameters
	maxQueryID      = 256      // bytes of a query or session id
	maxStatement    = 1 << 20  // bytes of a statement without its data
	defaultBuffer   = 1 << 20  // bytes of the response held back before the headers are sent
	maxBuffer       = 64 << 20 // maximum that a request may ask to hold back
	defaultSession  = time.Minute
	maxSession      = time.Hour
	maxUserPassword = 1024
)

// setting is one ClickHouse setting of a request.
type setting struct{ name, value string }

// request has the contents of a ClickHouse HTTP request outside of its body.
type request struct {
	user, password string
	credentials    bool // some were given

	query    string // statement, or its start, from the URL
	format   string // default format, "" if not set
	database string
	queryID  string
	settings []setting
	params   []libchdb.Param

	session        string
	sessionTimeout time.Duration
	sessionCheck   bool
	sessionClose   bool

	scoped     bool  // its additional_table_filters are a scope
	memory     int64 // memory that a reader's statement may use, in bytes
	readonly   bool  // GET and HEAD do not write
	compress   bool  // response in ClickHouse's block framing
	decompress bool  // body in ClickHouse's block framing
	hold       bool  // wait_end_of_query: no byte before the statement has ended
	buffer     int

	// protocol is the revision of the native protocol for Native responses; 0 is the plain format.
	protocol uint64

	smallWindow bool // decompression of the body needs little memory

	acceptEncoding  string
	contentEncoding string
}

// parseRequest parses URL and headers. It does not read the body.
func parseRequest(r *http.Request) (*request, error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, errorf(codeBadArguments, "BAD_ARGUMENTS", "URL parameters: %v", err)
	}
	if len(values) > maxParams {
		return nil, errorf(codeBadArguments, "BAD_ARGUMENTS", "%d URL parameters, at most %d are taken", len(values), maxParams)
	}
	q := &request{
		readonly:        r.Method != http.MethodPost && r.Method != http.MethodPut,
		sessionTimeout:  defaultSession,
		buffer:          defaultBuffer,
		acceptEncoding:  r.Header.Get("Accept-Encoding"),
		contentEncoding: r.Header.Get("Content-Encoding"),
		database:        r.Header.Get("X-ClickHouse-Database"),
		format:          r.Header.Get("X-ClickHouse-Format"),
		queryID:         r.Header.Get("X-ClickHouse-Query-Id"),
		scoped:          len(r.Header.Values(scopedHeader)) > 0,
	}
	if err := q.authenticate(r, values); err != nil {
		return nil, err
	}
	for name, all := range values {
		value := all[len(all)-1] // as ClickHouse does, the last one counts
		if err := q.set(name, value); err != nil {
			return nil, err
		}
	}
	if len(q.queryID) > maxQueryID || len(q.session) > maxQueryID {
		return nil, errorf(codeBadArguments, "BAD_ARGUMENTS", "query_id and session_id may have %d bytes", maxQueryID)
	}
	if q.format != "" && !isIdentifier(q.format) {
		return nil, errorf(codeUnknownFormat, "UNKNOWN_FORMAT", "Unknown format %.100q", q.format)
	}
	return q, nil
}

// authenticate uses the credentials from the first place that has some. ClickHouse rejects two at once;
// clients that send both send the same.
func (q *request) authenticate(r *http.Request, values url.Values) error {
	switch {
	case r.Header.Get("X-ClickHouse-User") != "" || r.Header.Get("X-ClickHouse-Key") != "":
		q.user, q.password, q.credentials = r.Header.Get("X-ClickHouse-User"), r.Header.Get("X-ClickHouse-Key"), true
	case r.Header.Get("Authorization") != "":
		q.credentials = true
		user, password, ok := r.BasicAuth()
		if !ok {
			return errorf(codeAuthFailed, "AUTHENTICATION_FAILED", "Invalid authentication: only the Basic scheme is known")
		}
		q.user, q.password = user, password
	case values.Has("user") || values.Has("password"):
		q.user, q.password, q.credentials = values.Get("user"), values.Get("password"), true
	}
	if len(q.user)+len(q.password) > maxUserPassword {
		return errorf(codeAuthFailed, "AUTHENTICATION_FAILED", "Authentication failed: user and password are longer than %d bytes", maxUserPassword)
	}
	return nil
}

// set stores one URL parameter. Names unknown to the HTTP interface are settings, for the engine to check.
func (q *request) set(name, value string) error {
	var err error
	switch name {
	case "user", "password", "quota_key", "stacktrace", "_":
	case "query":
		q.query = value
	case "default_format":
		if q.format == "" {
			q.format = value
		}
	case "database":
		if q.database == "" {
			q.database = value
		}
	case "query_id":
		q.queryID = value
	case "session_id":
		q.session = value
	case "session_timeout":
		seconds, err := strconv.ParseUint(value, 10, 32)
		if err != nil || time.Duration(seconds)*time.Second > maxSession {
			return errorf(codeBadArguments, "BAD_ARGUMENTS", "session_timeout is %.40q, give seconds up to %d", value, int(maxSession/time.Second))
		}
		q.sessionTimeout = time.Duration(seconds) * time.Second
	case "session_check":
		q.sessionCheck, err = parseBool(name, value)
	case "close_session":
		q.sessionClose, err = parseBool(name, value)
	case "compress":
		q.compress, err = parseBool(name, value)
	case "decompress":
		q.decompress, err = parseBool(name, value)
	case "wait_end_of_query":
		q.hold, err = parseBool(name, value)
	case "buffer_size", "http_response_buffer_size":
		n, err := strconv.ParseUint(value, 10, 63)
		if err != nil {
			return errorf(codeBadArguments, "BAD_ARGUMENTS", "%s is %.40q, give a number of bytes", name, value)
		}
		q.buffer = int(min(max(n, 4096), maxBuffer))
	case "client_protocol_version":
		if q.protocol, err = strconv.ParseUint(value, 10, 32); err != nil {
			return errorf(codeBadArguments, "BAD_ARGUMENTS", "client_protocol_version is %.40q, give a number", value)
		}
	default:
		if param, ok := strings.CutPrefix(name, "param_"); ok {
			q.params = append(q.params, libchdb.Param{Name: param, Value: value})
			return nil
		}
		if !isIdentifier(name) {
			return errorf(codeUnknownSetting, "UNKNOWN_SETTING", "Unknown setting %.100q", name)
		}
		q.settings = append(q.settings, setting{name, value})
	}
	return err
}

// setting returns the value of a setting in the URL.
func (q *request) setting(name string) (string, bool) {
	for _, s := range q.settings {
		if s.name == name {
			return s.value, true
		}
	}
	return "", false
}

// enabled reports whether a setting in the URL is on.
func (q *request) enabled(name string) bool {
	value, _ := q.setting(name)
	return value == "1" || strings.EqualFold(value, "true")
}

func parseBool(name, value string) (bool, error) {
	switch strings.ToLower(value) {
	case "", "1", "true":
		return true, nil
	case "0", "false":
		return false, nil
	}
	return false, errorf(codeBadArguments, "BAD_ARGUMENTS", "%s is %.40q, give 0 or 1", name, value)
}

// isIdentifier reports whether s may be a bare name in a statement.
func isIdentifier(s string) bool {
	for i := range len(s) {
		if !isWordStart(s[i]) && (i == 0 || !isDigit(s[i])) {
			return false
		}
	}
	return s != "" && len(s) <= 256
}
