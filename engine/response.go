package engine

import (
	"bytes"
	"compress/zlib"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/ClickHouse/ch-go/compress"
	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"

	"netmeta/engine/libchdb"
)

// response writes a response. It holds back the first bytes, so that a response that ends or fails early has
// its true status and summary in the headers; a later error is written at the end of the body:
//
//	\r\n__exception__\r\n<tag>\r\n<message>\n<length> <tag>\r\n__exception__\r\n
//
// and the connection is cut instead of ended, so that every client notices.
type response struct {
	w       http.ResponseWriter
	request *request
	tag     string

	held    bytes.Buffer // not sent, not compressed yet
	spool   *heldAnswer  // held data beyond the buffer
	answers *answers
	started bool           // headers are sent
	body    io.Writer      // compresses into w, once started
	closer  io.WriteCloser // body, if it has an end to write

	format string
	stats  libchdb.Stats
}

func newResponse(w http.ResponseWriter, q *request) *response {
	var tag [8]byte
	rand.Read(tag[:])
	r := &response{w: w, request: q, tag: hex.EncodeToString(tag[:])}
	w.Header().Set("X-ClickHouse-Exception-Tag", r.tag)
	return r
}

// Write takes bytes of the formatted result.
func (r *response) Write(p []byte) (int, error) {
	if r.started {
		return r.body.Write(p)
	}
	if r.held.Len()+len(p) <= r.request.buffer {
		return r.held.Write(p)
	}
	if r.request.hold {
		return r.spoolWrite(p)
	}
	if err := r.start(http.StatusOK); err != nil {
		return 0, err
	}
	return r.body.Write(p)
}

// spoolWrite stores in a nameless file what wait_end_of_query holds back.
func (r *response) spoolWrite(p []byte) (int, error) {
	if r.spool == nil {
		held, err := r.answers.hold()
		if err != nil {
			return 0, err
		}
		r.spool = held
	}
	return r.spool.Write(p)
}

// start sends the headers and the held data.
func (r *response) start(status int) error {
	h := r.w.Header()
	h.Set("Content-Type", contentType(r.format))
	if r.format != "" {
		h.Set("X-ClickHouse-Format", r.format)
	}
	h.Set("X-ClickHouse-Summary", r.summary())
	r.started = true
	if err := r.encode(); err != nil {
		return err
	}
	r.w.WriteHeader(status)
	if _, err := r.body.Write(r.held.Bytes()); err != nil {
		return err
	}
	r.held = bytes.Buffer{}
	if r.spool != nil {
		if err := r.spool.copyTo(r.body); err != nil {
			return err
		}
	}
	return nil
}

// encode chooses the compression of the body.
func (r *response) encode() error {
	q := r.request
	r.body = r.w
	if q.compress {
		method := compress.LZ4
		switch name, _ := q.setting("network_compression_method"); strings.ToUpper(name) {
		case "ZSTD":
			method = compress.ZSTD
		case "NONE":
			method = compress.None
		}
		w := &blockWriter{w: r.w, c: compress.NewWriter(compress.LevelZero, method)}
		r.body, r.closer = w, w
		return nil
	}
	if !q.enabled("enable_http_compression") {
		return nil
	}
	level := 3
	if value, ok := q.setting("http_zlib_compression_level"); ok {
		if n, err := strconv.Atoi(value); err == nil {
			level = max(1, min(n, 9))
		}
	}
	name := acceptedEncoding(q.acceptEncoding)
	switch name {
	case "lz4":
		r.closer = lz4.NewWriter(r.w)
	case "zstd":
		w, err := zstd.NewWriter(r.w, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
		if err != nil {
			return err
		}
		r.closer = w
	case "gzip":
		w, err := gzip.NewWriterLevel(r.w, level)
		if err != nil {
			return err
		}
		r.closer = w
	case "deflate":
		w, err := zlib.NewWriterLevel(r.w, level)
		if err != nil {
			return err
		}
		r.closer = w
	case "br":
		r.closer = brotli.NewWriterLevel(r.w, level)
	default:
		return nil
	}
	r.body = r.closer
	r.w.Header().Set("Content-Encoding", name)
	r.w.Header().Add("Vary", "Accept-Encoding")
	return nil
}

// acceptedEncoding returns the cheapest encoding that the client accepts.
func acceptedEncoding(accept string) string {
	takes := map[string]bool{}
	for part := range strings.SplitSeq(accept, ",") {
		name, quality, _ := strings.Cut(strings.TrimSpace(part), ";")
		quality = strings.ReplaceAll(quality, " ", "")
		takes[strings.ToLower(strings.TrimSpace(name))] = quality != "q=0" && quality != "q=0.0"
	}
	for _, name := range []string{"lz4", "zstd", "gzip", "deflate", "br"} {
		if takes[name] {
			return name
		}
	}
	return ""
}

// end finishes a successful response.
func (r *response) end() error {
	defer r.release()
	if !r.started {
		if r.spool == nil && !r.request.compress && !r.request.enabled("enable_http_compression") {
			r.w.Header().Set("Content-Length", strconv.Itoa(r.held.Len()))
		}
		if err := r.start(http.StatusOK); err != nil {
			return err
		}
	}
	if r.closer != nil {
		return r.closer.Close()
	}
	return nil
}

// fail sends the error to the client. It panics with http.ErrAbortHandler if a part of the response was
// already sent, to cut the connection.
func (r *response) fail(err error, version string) {
	defer r.release()
	e := engineError(err)
	message := e.message
	if version != "" && !strings.HasSuffix(message, ")\n") {
		message += " (version " + version + ")"
	}
	message += "\n"
	if !r.started {
		h := r.w.Header()
		for _, name := range []string{"Content-Length", "Content-Encoding"} {
			h.Del(name)
		}
		h.Set("Content-Type", "text/plain; charset=UTF-8")
		h.Set("X-ClickHouse-Exception-Code", strconv.Itoa(e.code))
		h.Set("X-ClickHouse-Summary", r.summary())
		status := e.httpStatus()
		if e.code == codeAuthFailed && !r.request.credentials {
			status = http.StatusUnauthorized
			h.Set("WWW-Authenticate", `Basic realm="ClickHouse HTTP API"`)
		}
		r.started = true
		if r.encode() != nil {
			r.body, r.closer = r.w, nil
		}
		r.w.WriteHeader(status)
		io.WriteString(r.body, message)
		if r.closer != nil {
			r.closer.Close()
		}
		return
	}
	const longest = 16 << 10 // clients search for the marker in the last 16 KiB
	if len(message) > longest-200 {
		message = message[:longest-200] + "\n"
	}
	fmt.Fprintf(r.body, "\r\n__exception__\r\n%s\r\n%s%d %s\r\n__exception__\r\n", r.tag, message, len(message), r.tag)
	if r.closer != nil {
		r.closer.Close()
	}
	http.NewResponseController(r.w).Flush()
	panic(http.ErrAbortHandler)
}

func (r *response) release() {
	if r.spool != nil {
		r.spool.Close()
		r.spool = nil
	}
}

// summary is the value of X-ClickHouse-Summary. How many rows were read tells of those that
// a scope hides.
func (r *response) summary() string {
	s := r.stats
	if r.request.scoped {
		s.RowsRead, s.BytesRead = 0, 0
	}
	return fmt.Sprintf(`{"read_rows":"%d","read_bytes":"%d","written_rows":"%d","written_bytes":"%d","total_rows_to_read":"%d","result_rows":"%d","result_bytes":"%d","elapsed_ns":"%d"}`,
		s.RowsRead, s.BytesRead, s.RowsWritten, s.BytesWritten, s.RowsRead, s.ResultRows, s.ResultBytes, int64(s.Elapsed*1e9))
}

func contentType(format string) string {
	switch {
	case format == "", strings.HasPrefix(format, "Pretty"), format == "Vertical", format == "Values", format == "SQLInsert", format == "LineAsString", format == "TSKV":
		return "text/plain; charset=UTF-8"
	case strings.HasPrefix(format, "TabSeparated"), strings.HasPrefix(format, "TSV"):
		return "text/tab-separated-values; charset=UTF-8"
	case strings.HasPrefix(format, "CSV"):
		return "text/csv; charset=UTF-8"
	case strings.HasPrefix(format, "JSON") && strings.Contains(format, "EachRow"):
		return "application/x-ndjson; charset=UTF-8"
	case strings.HasPrefix(format, "JSON"):
		return "application/json; charset=UTF-8"
	case format == "XML":
		return "application/xml; charset=UTF-8"
	case format == "Markdown":
		return "text/markdown; charset=UTF-8"
	}
	return "application/octet-stream"
}

// blockWriter writes ClickHouse's compressed blocks:
//
//	16 bytes CityHash128 of the rest │ method │ uint32 compressed size │ uint32 size │ data
type blockWriter struct {
	w   io.Writer
	c   *compress.Writer
	buf []byte
}

const frameSize = 1 << 20

func (b *blockWriter) Write(p []byte) (int, error) {
	total := len(p)
	for len(p) > 0 {
		n := min(frameSize-len(b.buf), len(p))
		b.buf = append(b.buf, p[:n]...)
		p = p[n:]
		if len(b.buf) == frameSize {
			if err := b.flush(); err != nil {
				return 0, err
			}
		}
	}
	return total, nil
}

func (b *blockWriter) flush() error {
	if len(b.buf) == 0 {
		return nil
	}
	if err := b.c.Compress(b.buf); err != nil {
		return err
	}
	b.buf = b.buf[:0]
	_, err := b.w.Write(b.c.Data)
	return err
}

func (b *blockWriter) Close() error { return b.flush() }

// bodyReader decodes the encodings of a request's body.
func bodyReader(q *request, body io.Reader) (io.Reader, error) {
	var err error
	switch q.contentEncoding {
	case "", "identity":
	case "gzip", "x-gzip":
		body, err = gzip.NewReader(body)
	case "deflate":
		body, err = zlib.NewReader(body)
	case "zstd":
		var d *zstd.Decoder
		window := uint64(128 << 20)
		if q.smallWindow {
			window = 8 << 20
		}
		if d, err = zstd.NewReader(body, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(window)); err == nil {
			body = d
		}
	case "lz4":
		body = lz4.NewReader(body)
	case "br":
		body = brotli.NewReader(body)
	default:
		return nil, errorf(codeNotImplemented, "NOT_IMPLEMENTED", "Unknown compression method %.40q: Content-Encoding may be gzip, zstd, lz4, deflate or br", q.contentEncoding)
	}
	if err == io.EOF {
		return bytes.NewReader(nil), nil // no body at all
	}
	if err != nil {
		return nil, errorf(codeCannotDecompress, "CANNOT_DECOMPRESS", "Content-Encoding %s: %v", q.contentEncoding, err)
	}
	if q.decompress {
		body = compress.NewReader(body)
	}
	return body, nil
}
