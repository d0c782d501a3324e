package feed

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// upper parses words in capitals; other content is broken.
func upper(content []byte) (string, error) {
	if text := string(content); text == strings.ToUpper(text) {
		return text, nil
	}
	return "", errors.New("is not in capitals")
}

// newFeed makes a feed, and a log of what it logs.
func newFeed(t *testing.T, o Options) (*Feed[string], *bytes.Buffer) {
	t.Helper()
	log := &bytes.Buffer{}
	o.Log = slog.New(slog.NewTextHandler(log, nil))
	if o.MaxBytes == 0 {
		o.MaxBytes = 100
	}
	return New(o, upper), log
}

// expect compares the value, the edition and the error of the last look.
func (f *Feed[T]) expect(t *testing.T, value T, edition int, err string) {
	t.Helper()
	got, n := f.Value()
	s := f.Status()
	if fmt.Sprint(got) != fmt.Sprint(value) || n != edition {
		t.Errorf("value %v of edition %d, want %v of %d", got, n, value, edition)
	}
	if (s.Err == nil) != (err == "") || s.Err != nil && !strings.Contains(s.Err.Error(), err) {
		t.Errorf("error %v, want %q", s.Err, err)
	}
	if age := time.Since(s.Loaded); edition > 0 && err == "" && (age < 0 || age > time.Minute) {
		t.Errorf("loaded %s ago", age)
	}
}

// A file is read when it is another one; a bad one changes nothing.
func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "list")
	f, log := newFeed(t, Options{Location: Location(path)})
	if err := f.Open(); err == nil || err.Error() != "no such file or directory" {
		t.Errorf("no file: %v", err)
	}
	if log.Len() > 0 {
		t.Errorf("the caller reports what is wrong at the start, and so does the log: %s", log)
	}
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("ONE")
	if err := f.Open(); err != nil {
		t.Fatal(err)
	}
	f.expect(t, "ONE", 1, "")
	if err := f.Open(); err != nil {
		t.Fatal(err)
	}
	f.expect(t, "ONE", 1, "") // not read again
	write("broken")
	if err := f.Open(); err == nil {
		t.Error("a broken file is opened")
	}
	f.expect(t, "ONE", 1, "not in capitals")
	if !strings.Contains(log.String(), "last good value stays") {
		t.Errorf("log %q", log)
	}
	write(strings.Repeat("X", 101))
	f.Open()
	f.expect(t, "ONE", 1, "larger than 100 bytes")
	write("THREE")
	if err := f.Open(); err != nil {
		t.Fatal(err)
	}
	f.expect(t, "THREE", 2, "")
	os.Remove(path)
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	f.Open()
	f.expect(t, "THREE", 2, "not a regular file")
}

// A server answers with what the test says, and notes what it was asked.
type server struct {
	*httptest.Server
	answer atomic.Pointer[http.HandlerFunc]

	mu      sync.Mutex
	headers []http.Header
}

func newServer(t *testing.T) *server {
	s := &server{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.headers = append(s.headers, r.Header)
		s.mu.Unlock()
		(*s.answer.Load())(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *server) will(f http.HandlerFunc) { s.answer.Store(&f) }

func (s *server) serve(text string, header ...string) {
	s.will(func(w http.ResponseWriter, r *http.Request) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.Write([]byte(text))
	})
}

func (s *server) last() http.Header {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.headers[len(s.headers)-1]
}

func (s *server) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.headers)
}

// Whatever a server does, the last good value stays, and the error says why there is
// nothing newer.
func TestURL(t *testing.T) {
	s := newServer(t)
	f, log := newFeed(t, Options{Location: Location(s.URL + "/list?token=hush-hush"), Timeout: 200 * time.Millisecond})
	refresh := func() error { return f.Refresh(t.Context(), nil) }

	s.serve("ONE", "ETag", `"1"`, "Last-Modified", "Tue, 01 Dec 2026 00:00:00 GMT")
	if err := f.Open(); err != nil || s.count() != 0 {
		t.Fatalf("Open asks the server %d times, %v", s.count(), err)
	}
	if err := refresh(); err != nil {
		t.Fatal(err)
	}
	f.expect(t, "ONE", 1, "")
	if h := s.last(); h.Get("If-None-Match") != "" || h.Get("If-Modified-Since") != "" {
		t.Errorf("the first request is conditional: %v", h)
	}

	s.will(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusNotModified) })
	loaded := f.Status().Loaded
	if err := refresh(); err != nil {
		t.Error(err)
	}
	f.expect(t, "ONE", 1, "")
	if h := s.last(); h.Get("If-None-Match") != `"1"` || h.Get("If-Modified-Since") != "Tue, 01 Dec 2026 00:00:00 GMT" {
		t.Errorf("not conditional: %v", h)
	}
	if !f.Status().Loaded.After(loaded) {
		t.Error("not modified confirms nothing")
	}

	for _, c := range []struct {
		answer http.HandlerFunc
		want   string
	}{
		{func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(500) }, "500 Internal Server Error"},
		{func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(204) }, "204 No Content"},
		{func(w http.ResponseWriter, r *http.Request) { w.Write([]byte(strings.Repeat("X", 101))) }, "larger than 100 bytes"},
		{func(w http.ResponseWriter, r *http.Request) { // without a length
			for range 1000 {
				w.Write([]byte("X"))
				w.(http.Flusher).Flush()
			}
		}, "larger than 100 bytes"},
		{func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "within 200ms"},
		{func(w http.ResponseWriter, r *http.Request) { // a byte now and then
			for r.Context().Err() == nil {
				w.Write([]byte("X"))
				w.(http.Flusher).Flush()
				time.Sleep(20 * time.Millisecond)
			}
		}, "within 200ms"},
		{func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("broken")) }, "not in capitals"},
		{func(w http.ResponseWriter, r *http.Request) { // fewer bytes than announced
			w.Header().Set("Content-Length", "10")
			w.Write([]byte("X"))
		}, "unexpected EOF"},
		{func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/list", http.StatusFound) }, "redirects"},
		{func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://user:hush-hush@localhost:1/list?token=hush-hush", http.StatusFound)
		}, "redirect to another host"},
	} {
		s.will(c.answer)
		before := s.count()
		if err := refresh(); err == nil {
			t.Errorf("%s: no error", c.want)
		}
		f.expect(t, "ONE", 1, c.want)
		if n := s.count() - before; n > maxRedirects+1 {
			t.Errorf("%s: %d requests", c.want, n)
		}
	}

	s.will(func(w http.ResponseWriter, r *http.Request) { // on the same host
		if r.URL.Path == "/list" {
			http.Redirect(w, r, "/moved", http.StatusMovedPermanently)
			return
		}
		w.Write([]byte("TWO"))
	})
	if err := refresh(); err != nil {
		t.Error(err)
	}
	f.expect(t, "TWO", 2, "")
	if !strings.Contains(log.String(), "feed recovered") {
		t.Errorf("log %s", log)
	}

	s.Close()
	refresh()
	f.expect(t, "TWO", 2, "connection refused")
	if text := log.String() + fmt.Sprint(f.Status().Err, f.Location()) + fmt.Sprintf("%#v", f.Location()); strings.Contains(text, "hush") {
		t.Errorf("the token is shown: %s", text)
	}
}

// The owner may refuse a value; then the one before stays, and is asked for as such.
func TestRefused(t *testing.T) {
	s := newServer(t)
	f, _ := newFeed(t, Options{Location: Location(s.URL), Dir: t.TempDir()})
	s.serve("ONE", "ETag", "1")
	f.Refresh(t.Context(), nil)
	s.serve("TWO", "ETag", "2")
	f.Refresh(t.Context(), func(string) error { return errors.New("it contradicts another") })
	f.expect(t, "ONE", 1, "contradicts")
	f.Refresh(t.Context(), nil)
	if got := s.last().Get("If-None-Match"); got != "1" {
		t.Errorf("asked for something newer than %q", got)
	}
	f.expect(t, "TWO", 2, "")
}

// After a restart without a network there is the last good copy.
func TestRestart(t *testing.T) {
	s := newServer(t)
	o := Options{Location: Location(s.URL + "/list?token=hush-hush"), Dir: filepath.Join(t.TempDir(), "feeds")}
	f, _ := newFeed(t, o)
	s.serve("ONE", "ETag", "1")
	f.Refresh(t.Context(), nil)
	s.serve("broken")
	f.Refresh(t.Context(), nil)

	after, _ := newFeed(t, o)
	if err := after.Open(); err != nil {
		t.Fatal(err)
	}
	after.expect(t, "ONE", 1, "")
	if wait := after.wait(time.Hour); wait < 59*time.Minute {
		t.Errorf("the copy is new, and asked about in %s", wait)
	}
	s.will(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusNotModified) })
	if err := after.Refresh(t.Context(), nil); err != nil || s.last().Get("If-None-Match") != "1" {
		t.Errorf("asked for %v, %v", s.last(), err)
	}
	s.Close()
	after.Refresh(t.Context(), nil)
	after.expect(t, "ONE", 1, "connection refused")

	files, err := os.ReadDir(o.Dir)
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	path := filepath.Join(o.Dir, files[0].Name())
	copied, err := os.ReadFile(path)
	if err != nil || bytes.Contains(copied, []byte("hush")) || strings.Contains(path, "hush") {
		t.Errorf("%s: %s, %v", path, copied, err)
	}
	// A damaged copy is none.
	for _, damaged := range [][]byte{nil, copied[:len(copied)-1], append(bytes.Clone(copied), 'X'), bytes.Replace(copied, []byte("ONE"), []byte("broken"), 1), []byte(copyMagic + "{\nX")} {
		if err := os.WriteFile(path, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		f, log := newFeed(t, o)
		if err := f.Open(); err != nil || !strings.Contains(log.String(), "copy of a feed is not usable") {
			t.Errorf("%q: %v, log %s", damaged, err, log)
		}
		f.expect(t, "", 0, "")
	}
	// Copies of what is no longer fetched go.
	if err := Prune(o.Dir, []Location{o.Location}); err != nil {
		t.Error(err)
	}
	if files, _ := os.ReadDir(o.Dir); len(files) != 1 {
		t.Error("the copy that is in use is removed")
	}
	if err := Prune(o.Dir, nil); err != nil {
		t.Error(err)
	}
	if files, _ := os.ReadDir(o.Dir); len(files) != 0 {
		t.Error("the copy that is not in use stays")
	}
	if err := Prune(filepath.Join(o.Dir, "missing"), nil); err != nil {
		t.Error(err)
	}
}

// Run fetches at once when there is nothing, hands on each value, and ends during a
// fetch.
func TestRun(t *testing.T) {
	s := newServer(t)
	s.serve("ONE")
	f, log := newFeed(t, Options{Location: Location(s.URL)})
	ctx, stop := context.WithCancel(t.Context())
	taken, done := make(chan string, 10), make(chan struct{})
	take := func(text string) error { taken <- text; return nil }
	go func() { f.Run(ctx, time.Millisecond, 0, take); close(done) }()
	if got := <-taken; got != "ONE" {
		t.Errorf("took %s", got)
	}
	fetching := make(chan struct{})
	var once sync.Once
	s.will(func(w http.ResponseWriter, r *http.Request) {
		once.Do(func() { close(fetching) })
		<-r.Context().Done()
	})
	<-fetching
	stop()
	<-done
	f.expect(t, "ONE", func() int { _, n := f.Value(); return n }(), "") // the end is no failure
	if log.Len() > 0 {
		t.Errorf("log %s", log)
	}

	// A new owner of the feed receives a value that it has missed.
	ctx, stop = context.WithCancel(t.Context())
	stop()
	for len(taken) > 0 {
		<-taken
	}
	f.Run(ctx, time.Hour, 0, take)
	if got := <-taken; got != "ONE" {
		t.Errorf("took %s", got)
	}
	_, edition := f.Value()
	f.Run(ctx, time.Hour, edition, take)
	if len(taken) > 0 {
		t.Errorf("took %s once more", <-taken)
	}
}

// After failures the next look comes soon, and later each time, up to the interval.
func TestWait(t *testing.T) {
	f, _ := newFeed(t, Options{Location: "http://127.0.0.1:1/"})
	var got []time.Duration
	for range 5 {
		f.failed(errors.New("x"))
		got = append(got, f.wait(3*time.Minute).Round(time.Second))
	}
	if fmt.Sprint(got) != "[30s 1m0s 2m0s 3m0s 3m0s]" {
		t.Error(got)
	}
}

func TestTexts(t *testing.T) {
	for _, text := range []string{"/etc/networks.csv", "networks.csv", "http://192.0.2.1/x", "https://example.net:8443/a/b.csv"} {
		var l Location
		if err := l.UnmarshalText([]byte(text)); err != nil || l.String() != text {
			t.Errorf("%s is %s, %v", text, l, err)
		}
	}
	for _, text := range []string{"", "ftp://example.net/x", "https://", "http://user:hush-hush@[", "file:///etc/x"} {
		var l Location
		if err := l.UnmarshalText([]byte(text)); err == nil || !strings.Contains(err.Error(), "use ") || strings.Contains(err.Error(), "hush") {
			t.Errorf("%q: %v", text, err)
		}
	}
	for text, want := range map[string]string{"1h": "1h", "90m": "1h30m", "1m": "1m", "90s": "1m30s", "720h": "720h", "1h0m1s": "1h0m1s"} {
		var i Interval
		if err := i.UnmarshalText([]byte(text)); err != nil || i.String() != want {
			t.Errorf("%s is %s, %v", text, i, err)
		}
	}
	for _, text := range []string{"", "60", "1s", "-1h", "721h", "1d"} {
		if err := new(Interval).UnmarshalText([]byte(text)); err == nil || !strings.Contains(err.Error(), "30m") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// FuzzCopy: whatever is on disk, what is read from it is what was written.
func FuzzCopy(f *testing.F) {
	f.Add(encodeCopy([]byte("ONE\nTWO\n"), mark{ETag: `"1"`}, time.Unix(1_800_000_000, 0)))
	f.Add([]byte(copyMagic + "{}\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		content, head, err := decodeCopy(file)
		if err != nil {
			return
		}
		again, _, err := decodeCopy(encodeCopy(content, head.mark, time.Unix(head.Fetched, 0)))
		if err != nil || !bytes.Equal(again, content) {
			t.Errorf("%q, %v, want %q", again, err, content)
		}
	})
}
