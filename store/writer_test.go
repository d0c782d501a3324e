package store_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"netmeta/column"
	"netmeta/internal/enginetest"
	"netmeta/native"
	"netmeta/store"
)

func filled(blocks ...native.Block) chan native.Block {
	queue := make(chan native.Block, len(blocks))
	for _, b := range blocks {
		queue <- b
	}
	close(queue)
	return queue
}

func start(t testing.TB, s *sample) (*store.Writer, *store.Client) {
	w, r := enginetest.Clients(t)
	migrate(t, w, store.Schema{Table: &s.Table})
	return writer(t, w, &s.Table), r
}

// writer makes a writer with a spool of its own.
func writer(t testing.TB, c *store.Client, tables ...*column.Table) *store.Writer {
	var schemas []store.Schema
	for _, table := range tables {
		schemas = append(schemas, store.Schema{Table: table})
	}
	return &store.Writer{Inserter: store.NewTables(c, schemas, quiet), Tables: tables, Log: quiet, Spool: openSpool(t, t.TempDir(), tables...)}
}

func openSpool(t testing.TB, dir string, tables ...*column.Table) *store.Spool {
	t.Helper()
	s, err := store.OpenSpool(dir, store.DiskShare{}, tables, quiet)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func run(t testing.TB, w *store.Writer, blocks ...native.Block) {
	t.Helper()
	if err := w.Run(t.Context(), filled(blocks...)); err != nil {
		t.Fatal(err)
	}
}

// What waits goes in one insert, up to its size.
func TestWriterJoins(t *testing.T) {
	s := standard()
	w, r := start(t, s)
	var blocks []native.Block
	for i := range 300 {
		blocks = append(blocks, s.bytes(uint64(i), 1000))
	}
	run(t, w, blocks...)
	if got := text(t, r, "SELECT count(), sum(Bytes) FROM flows"); got != "600\t344850" {
		t.Errorf("rows and sum %s", got)
	}
	if n := w.Stats.Inserts.Load(); n != 1 {
		t.Errorf("%d inserts", n)
	}
	if w.Stats.Rows.Load() != 600 || w.Stats.Blocks.Load() != 300 || w.Stats.Bytes.Load() == 0 || w.Stats.Since.Load() != 0 {
		t.Errorf("counted %d rows, %d blocks, %d bytes", w.Stats.Rows.Load(), w.Stats.Blocks.Load(), w.Stats.Bytes.Load())
	}
	blocks = blocks[:0]
	for range 5 {
		blocks = append(blocks, s.block(200_000, func(b *column.Batch, i int) { s.Bytes.Set(b, i, 1) }))
	}
	run(t, w, blocks...)
	if got := text(t, r, "SELECT count() FROM flows"); got != "1000600" {
		t.Errorf("%s rows", got)
	}
	if n := w.Stats.Inserts.Load(); n != 3 {
		t.Errorf("%d inserts, want two for a million rows", n)
	}
}

// Blocks of several tables come in one queue, each goes to its own.
func TestWriterTables(t *testing.T) {
	s, other := standard(), &sample{Table: column.Table{Name: "counters", Partition: "toYYYYMMDD(TimeReceived)", Order: "ExporterAddress, TimeReceived"}}
	other.TimeReceived = other.Time(column.Field{Name: "TimeReceived"})
	other.Exporter = other.IP(column.Field{Name: "ExporterAddress"})
	other.Bytes = other.U64(column.Field{Name: "Bytes", Rare: true})
	c, r := enginetest.Clients(t)
	w := writer(t, c, &s.Table, &other.Table)
	run(t, w, s.bytes(1), other.bytes(10, 20), s.bytes(2), other.bytes(30))
	if got := text(t, r, "SELECT sum(Bytes) FROM flows") + " " + text(t, r, "SELECT sum(Bytes) FROM counters"); got != "3 60" {
		t.Errorf("sums %s", got)
	}
	if n := w.Stats.Inserts.Load(); n != 2 || w.RowsOf(&s.Table) != 2 || w.RowsOf(&other.Table) != 3 {
		t.Errorf("%d inserts of %d and %d rows", n, w.RowsOf(&s.Table), w.RowsOf(&other.Table))
	}
	if got := text(t, r, "SELECT partition_key, sorting_key FROM system.tables WHERE database = currentDatabase() AND name = 'counters'"); got != "toYYYYMMDD(TimeReceived)\tExporterAddress, TimeReceived" {
		t.Errorf("the table is kept by %s", got)
	}
}

// A rare column answers with zero until its first value, and is real from then on.
func TestWriterRareColumns(t *testing.T) {
	s := standard()
	w, r := start(t, s)
	kind := func() string {
		return text(t, r, "SELECT default_kind FROM system.columns WHERE database = currentDatabase() AND table = 'flows' AND name = 'VNI'")
	}
	run(t, w, s.bytes(1, 2))
	if got := text(t, r, "SELECT VNI, length(Labels), Site FROM flows WHERE VNI = 0 AND Site = ''"); kind() != "ALIAS" || got != "0\t0\t\n0\t0\t" {
		t.Errorf("before: %q, %q", kind(), got)
	}
	run(t, w, s.bytes(3), s.block(1, func(b *column.Batch, i int) {
		s.Bytes.Set(b, i, 4)
		s.VNI.Set(b, i, 77)
		s.Labels.Set(b, i, []uint32{5, 6})
	}))
	if got := text(t, r, "SELECT Bytes, VNI, toString(Labels) FROM flows ORDER BY Bytes"); kind() != "" || got != "1\t0\t[]\n2\t0\t[]\n3\t0\t[]\n4\t77\t[5,6]" {
		t.Errorf("after: %q, %q", kind(), got)
	}
	if got := text(t, r, "SELECT Bytes FROM flows WHERE VNI = 77 OR has(Labels, 5)"); got != "4" {
		t.Errorf("filter found %q", got)
	}
	if plan, err := store.Plan(t.Context(), w.Client(), store.Schema{Table: &s.Table}); err != nil || len(plan) > 0 {
		t.Errorf("a promoted column is as wanted, but: %v, %v", plan, err)
	}
}

// Many writers meet a rare column at once: one of them promotes it, and none loses
// a row.
func TestWritersPromoteAtOnce(t *testing.T) {
	s := standard()
	w, r := start(t, s)
	var all sync.WaitGroup
	const writers = 6
	for range writers {
		all.Go(func() {
			w := writer(t, w.Client(), &s.Table)
			run(t, w, s.block(10, func(b *column.Batch, i int) {
				s.VNI.Set(b, i, 9)
				s.Site.Set(b, i, column.LabelOf("fra"))
			}))
			if n := w.Stats.RefusedRows.Load(); n != 0 {
				t.Errorf("%d rows refused", n)
			}
		})
	}
	all.Wait()
	if got := text(t, r, "SELECT count() FROM flows WHERE VNI = 9 AND Site = 'fra'"); got != "60" {
		t.Errorf("%s rows of %d", got, writers*10)
	}
}

// A table that a user changes or drops is repaired.
func TestWriterTableChanges(t *testing.T) {
	s := standard()
	w, r := start(t, s)
	run(t, w, s.bytes(1))
	for _, sql := range []string{"ALTER TABLE flows DROP COLUMN Bytes SETTINGS mutations_sync = 2", "DROP TABLE flows SYNC"} {
		if strings.Contains(sql, "COLUMN") { // Bits needs it
			sql = strings.Replace(sql, "DROP COLUMN Bytes", "DROP COLUMN Bits, DROP COLUMN Bytes", 1)
		}
		if err := w.Client().Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
		run(t, w, s.bytes(11))
		if got := text(t, r, "SELECT Bits FROM flows WHERE Bytes = 11"); got != "88" || w.Stats.RefusedRows.Load() > 0 {
			t.Errorf("after %s: %q, %d rows refused", sql, got, w.Stats.RefusedRows.Load())
		}
	}
}

// A front stands before the store and can be shut in several ways.
type front struct {
	*httptest.Server
	mode    atomic.Int32
	refused atomic.Int32
}

const (
	open     int32 = iota
	cut            // the connection breaks before the request is passed on
	cutAfter       // the request is done, the answer lost
	busy           // 503
)

func newFront(t testing.TB, to string) *front {
	target, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	f := &front{}
	proxy := httputil.NewSingleHostReverseProxy(target)
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mode := f.mode.Load()
		if mode != open {
			defer f.refused.Add(1)
		}
		switch mode {
		case cut:
			panic(http.ErrAbortHandler)
		case busy:
			http.Error(w, "try later", http.StatusServiceUnavailable)
		case cutAfter:
			proxy.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		default:
			proxy.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(f.Close)
	return f
}

// While the store is away rows wait; when it is back they are stored once, even if
// an attempt did go through and only its answer was lost.
func TestWriterWaitsForTheStore(t *testing.T) {
	for name, mode := range map[string]int32{"cut": cut, "cut after": cutAfter, "busy": busy} {
		t.Run(name, func(t *testing.T) {
			s := standard()
			w, r := start(t, s)
			run(t, w, s.bytes(1)) // looks at the table: from here on only inserts
			f := newFront(t, w.Client().URL.Reveal())
			f.mode.Store(mode)
			w.SetClient(store.NewClient(f.URL, w.Client().User, w.Client().Password.Reveal(), w.Client().Database))
			ended := make(chan error)
			go func() { ended <- w.Run(t.Context(), filled(s.bytes(2), s.bytes(3, 4))) }()
			until(t, "a second attempt", func() bool { return f.refused.Load() >= 2 })
			f.mode.Store(open)
			if err := <-ended; err != nil {
				t.Fatal(err)
			}
			if got := text(t, r, "SELECT count(), sum(Bytes) FROM flows"); got != "4\t10" {
				t.Errorf("rows and sum %s", got)
			}
			if w.Stats.Errors.Load() == 0 || w.Stats.RefusedRows.Load() != 0 || w.Stats.Rows.Load() != 4 {
				t.Errorf("%d errors, %d rows refused, %d stored", w.Stats.Errors.Load(), w.Stats.RefusedRows.Load(), w.Stats.Rows.Load())
			}
		})
	}
}

// What the store will never take is counted and kept, and takes nothing else with it.
func TestWriterRefused(t *testing.T) {
	s := standard()
	w, r := start(t, s)
	bad := s.bytes(1, 2, 3)
	bad.Data = append([]byte("\x02\x01broken"), bad.Data...)
	run(t, w, s.bytes(7), bad, s.bytes(8))
	if got := text(t, r, "SELECT Bytes FROM flows ORDER BY Bytes"); got != "7\n8" {
		t.Errorf("stored %q", got)
	}
	if n := w.Stats.RefusedRows.Load(); n != 3 || w.Stats.Rows.Load() != 2 {
		t.Errorf("%d rows refused, %d stored", n, w.Stats.Rows.Load())
	}
	st := w.Spool.Stats()
	reasons, _ := filepath.Glob(filepath.Join(st.Dir, "refused", "*.reason"))
	if st.RefusedFiles != 1 || st.Rows != 0 || len(reasons) != 1 {
		t.Fatalf("spool %+v, reasons %v", st, reasons)
	}
	if why, err := os.ReadFile(reasons[0]); err != nil || !strings.Contains(string(why), "move ") {
		t.Errorf("reason %q, %v", why, err)
	}
}

// What the store has not taken at the end waits for the next start.
func TestWriterStopped(t *testing.T) {
	s := standard()
	w, r := start(t, s)
	f := newFront(t, w.Client().URL.Reveal())
	f.mode.Store(busy)
	away := writer(t, store.NewClient(f.URL, "", "", ""), &s.Table)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- away.Run(ctx, filled(s.bytes(1, 2, 3))) }()
	until(t, "the first attempt", func() bool { return away.Stats.Errors.Load() > 0 })
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	st := away.Spool.Stats()
	if st.Rows != 3 || st.Files != 1 {
		t.Fatalf("spool %+v", st)
	}
	away.Spool.Close()
	w.Spool = openSpool(t, st.Dir, &s.Table)
	run(t, w, s.bytes(4))
	if got := text(t, r, "SELECT count(), sum(Bytes) FROM flows"); got != "4\t10" {
		t.Errorf("rows and sum %s", got)
	}
	if st := w.Spool.Stats(); st.Rows != 0 || st.Bytes != 0 || !st.Oldest.IsZero() {
		t.Errorf("spool at the end %+v", st)
	}
}
