package store_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"netmeta/column"
	"netmeta/native"
	"netmeta/store"
)

// deadly is a value of Bytes that a mortal store does not survive.
const deadly = 0xdead_beef_0bad_cafe

// A mortal is a store whose connections break during some inserts.
type mortal struct {
	*httptest.Server
	deaths  atomic.Int32
	inserts atomic.Int32
}

// newMortal stands before a store. dies says for each insert how it ends: before the store
// has it, after it is stored, or well.
func newMortal(t testing.TB, to string, dies func(body []byte) int32) *mortal {
	target, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	m := &mortal{}
	proxy := httputil.NewSingleHostReverseProxy(target)
	m.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Query().Get("query"), "INSERT ") {
			proxy.ServeHTTP(w, r)
			return
		}
		m.inserts.Add(1)
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		switch dies(body) {
		case cut:
			m.deaths.Add(1)
			panic(http.ErrAbortHandler)
		case cutAfter:
			m.deaths.Add(1)
			proxy.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		default:
			proxy.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(m.Close)
	return m
}

func isDeadly(body []byte) bool {
	return bytes.Contains(body, binary.LittleEndian.AppendUint64(nil, deadly))
}

// startMortal makes a writer to it, which runs until the returned function is called.
func startMortal(t *testing.T, s *sample, dies func(body []byte) int32) (w *store.Writer, r *store.Client, m *mortal, queue chan native.Block, end func()) {
	w, r = start(t, s)
	run(t, w, s.bytes(1)) // looks at the table
	m = newMortal(t, w.Client().URL.Reveal(), dies)
	w.SetClient(store.NewClient(m.URL, w.Client().User, w.Client().Password.Reveal(), w.Client().Database))
	w.RestSuspects(100 * time.Millisecond)
	queue = make(chan native.Block, 1000)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	ended := make(chan error)
	go func() { ended <- w.Run(ctx, queue) }()
	return w, r, m, queue, func() {
		t.Helper()
		defer cancel()
		close(queue)
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
	}
}

// Rows that kill the store are put aside; all others are stored, once, those that come
// meanwhile too.
func TestWriterKilledByRows(t *testing.T) {
	s := standard()
	w, r, m, queue, end := startMortal(t, s, func(body []byte) int32 {
		if isDeadly(body) {
			return cut
		}
		return open
	})
	sent, sum := 2, uint64(1+2)
	queue <- s.bytes(2)
	queue <- s.bytes(deadly, 7, 8)
	for v := uint64(100); w.Stats.RefusedRows.Load() == 0; v++ {
		queue <- s.bytes(v)
		sent, sum = sent+1, sum+v
		time.Sleep(20 * time.Millisecond)
		if sent > 2000 {
			t.Fatalf("nothing is put aside; %d deaths, spool %+v", m.deaths.Load(), w.Spool.Stats())
		}
	}
	end()
	if got := text(t, r, "SELECT count(), sum(Bytes) FROM flows"); got != fmt.Sprintf("%d\t%d", sent, sum) {
		t.Errorf("rows and sum %s, want %d and %d", got, sent, sum)
	}
	st := w.Spool.Stats()
	reasons, _ := filepath.Glob(filepath.Join(st.Dir, "refused", "*.reason"))
	if n := w.Stats.RefusedRows.Load(); n != 3 || st.RefusedFiles != 1 || st.Rows != 0 || len(reasons) != 1 {
		t.Fatalf("%d rows refused, spool %+v, reasons %v", n, st, reasons)
	}
	if why, err := os.ReadFile(reasons[0]); err != nil || !strings.Contains(string(why), "crashed each of the 3 times") {
		t.Errorf("reason %q, %v", why, err)
	}
	// The first death has no question before it; three have, and three are of the block alone.
	if n := m.deaths.Load(); n != 7 {
		t.Errorf("%d deaths", n)
	}
}

// A store that dies of all inserts does so for another reason: nothing is put aside, and
// when it has recovered all is stored once, whether an insert had been stored or not.
func TestWriterKilledByOthers(t *testing.T) {
	for name, x := range map[string]struct{ how, deaths int32 }{"before": {cut, 7}, "after": {cutAfter, 4}} {
		t.Run(name, func(t *testing.T) {
			s := standard()
			var dies atomic.Int32
			dies.Store(x.how)
			w, r, m, queue, end := startMortal(t, s, func([]byte) int32 { return dies.Load() })
			for v := range uint64(5) {
				queue <- s.bytes(10+v, 20+v, 30+v)
			}
			until(t, "deaths enough to try blocks alone", func() bool { return m.deaths.Load() >= x.deaths })
			dies.Store(open)
			before := m.inserts.Load()
			for v := uint64(100); w.Spool.Stats().Rows > 0 || m.inserts.Load() == before; v++ { // doubted blocks wait for others
				queue <- s.bytes(0)
				time.Sleep(20 * time.Millisecond)
				if v > 2000 {
					t.Fatalf("spool %+v", w.Spool.Stats())
				}
			}
			end()
			if got := text(t, r, "SELECT count(), sum(Bytes) FROM flows WHERE Bytes >= 10"); got != "15\t330" {
				t.Errorf("rows and sum %s", got)
			}
			if n := w.Stats.RefusedRows.Load(); n != 0 {
				t.Errorf("%d rows refused", n)
			}
		})
	}
}

// An insert that is stored each time before the store dies is not stored again when its
// blocks go one by one.
func TestWriterKilledAfterStoring(t *testing.T) {
	s := standard()
	exporters := []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("::")}
	w, r, m, queue, end := startMortal(t, s, func(body []byte) int32 {
		if bytes.Count(body, []byte("TimeReceived")) > 1 { // several blocks
			return cutAfter
		}
		return open
	})
	for v := range uint64(5) {
		queue <- s.block(3, func(b *column.Batch, i int) {
			s.Bytes.Set(b, i, 10*uint64(i+1)+v)
			s.InIf.Set(b, i, 7)
			s.Colour.Set(b, i, 1)
			s.Exporter.Set(b, i, column.AddrFrom(exporters[i]))
		})
	}
	until(t, "all rows stored", func() bool { return w.Stats.Rows.Load() == 16 })
	end()
	if got := text(t, r, "SELECT count(), sum(Bytes) FROM flows WHERE Bytes >= 10"); got != "15\t330" {
		t.Errorf("rows and sum %s", got)
	}
	if n := m.deaths.Load(); n != 4 || w.Stats.RefusedRows.Load() != 0 {
		t.Errorf("%d deaths, %d rows refused", n, w.Stats.RefusedRows.Load())
	}
}
