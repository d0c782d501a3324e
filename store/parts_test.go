package store_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"netmeta/engine"
	"netmeta/flow"
	"netmeta/internal/enginetest"
	"netmeta/store"
)

// flip changes 20 bytes in the middle of a file.
func flip(t *testing.T, path string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := len(text) / 2; i < min(len(text)/2+20, len(text)); i++ {
		text[i] ^= 0x55
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// pathsOf are the directories of a table's parts, by name.
func pathsOf(t *testing.T, c *store.Client, table string) map[string]string {
	t.Helper()
	res, _, err := c.Select(t.Context(), store.Query{SQL: "SELECT name, path FROM system.parts WHERE active AND database = currentDatabase() AND table = '" + table + "'"})
	if err != nil {
		t.Fatal(err)
	}
	paths := map[string]string{}
	for i, name := range res.Columns[0].([]string) {
		paths[name] = res.Columns[1].([]string)[i]
	}
	return paths
}

// forgetCaches has the engine read files again.
func forgetCaches(t *testing.T, w *store.Client) {
	t.Helper()
	for _, cache := range []string{"MARK CACHE", "INDEX MARK CACHE", "UNCOMPRESSED CACHE", "PRIMARY INDEX CACHE"} {
		if err := w.Exec(t.Context(), "SYSTEM DROP "+cache); err != nil {
			t.Fatal(err)
		}
	}
}

const everything = "SELECT count(), sum(cityHash64(*)) FROM flows"

// Whatever is broken in a part, statements answer without it and name it; what the engine
// puts aside when it starts is listed too.
func TestUnreadableParts(t *testing.T) {
	dir := t.TempDir()
	start := func() (*engine.Supervisor, func()) {
		e, err := engine.New(engine.Options{Path: dir, Memory: 2 << 30, Logger: quiet})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { e.Run(ctx); close(ended) }()
		ready, stop := context.WithTimeout(ctx, time.Minute)
		defer stop()
		if err := e.Ready(ready); err != nil {
			t.Fatal(err)
		}
		return e, func() { cancel(); <-ended }
	}
	e, stop := start()
	w := store.NewClient(e.URL(), e.Writer().Name, e.Writer().Password, "")
	migrate(t, w, withRollups())
	remove := func(path string) {
		if err := os.Remove(path); err != nil {
			t.Error(err)
		}
	}
	const begin, rows = 1_795_003_200, 20_000
	breaks := []struct {
		what    string
		harm    func(path string)
		running bool // it is done while the engine runs
		aside   bool // the engine puts the part aside when it starts
	}{
		{what: "nothing", harm: func(string) {}},
		{what: "data flipped", harm: func(path string) { flip(t, path+"data.bin") }},
		{what: "primary index flipped", harm: func(path string) { flip(t, path+"primary.cidx") }},
		{what: "data missing", harm: func(path string) { remove(path + "data.bin") }, running: true},
		{what: "marks missing", harm: func(path string) { remove(path + "data.cmrk4") }, running: true},
		{what: "marks flipped", harm: func(path string) { flip(t, path+"data.cmrk4") }, running: true},
		{what: "data cut", harm: func(path string) { os.Truncate(path+"data.bin", 1000) }, running: true},
		{what: "data missing at the start", harm: func(path string) { remove(path + "data.bin") }, aside: true},
		{what: "checksums flipped", harm: func(path string) { flip(t, path+"checksums.txt") }, aside: true},
		{what: "columns flipped", harm: func(path string) { flip(t, path+"columns.txt") }, aside: true},
	}
	for i := range breaks {
		sql := fmt.Sprintf("INSERT INTO flows (TimeReceived, Bytes, SrcAS) SELECT %d + number %% 3600, number, number FROM numbers(%d)", begin+3600*i, rows)
		if err := w.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	paths := pathsOf(t, w, "flows")
	stop()
	harm := func(running bool) {
		for i, b := range breaks {
			for name, path := range paths {
				if b.running == running && strings.HasPrefix(name, fmt.Sprint(begin+3600*i)) {
					b.harm(path)
				}
			}
		}
	}
	harm(false)
	e, stop = start()
	defer stop()
	r := store.NewClient(e.URL(), e.Page().Name, e.Page().Password, "")
	w = store.NewClient(e.URL(), e.Writer().Name, e.Writer().Password, "")
	forgetCaches(t, w)
	harm(true)
	if err := w.Exec(t.Context(), everything); err == nil {
		t.Error("without Parts nothing fails")
	}
	// Statements that meet the same parts at once are all answered.
	r.Parts = new(store.Parts)
	failed := make(chan error, 6)
	for range cap(failed) {
		go func() {
			_, _, err := r.Select(t.Context(), store.Query{SQL: everything})
			failed <- err
		}()
	}
	for range cap(failed) {
		if err := <-failed; err != nil {
			t.Error(err)
		}
	}
	r.Parts = new(store.Parts)
	w.Parts = r.Parts
	want := map[int64]string{} // hours that cannot be read
	aside, left := 0, 1
	for i, b := range breaks[1:] {
		if b.aside {
			aside++
		} else {
			want[begin+3600*int64(i+1)] = b.what
		}
	}
	for _, sql := range []string{everything, everything + " WHERE ExporterAddress = toIPv6('::')"} { // the second one reads the primary index
		res, _, err := r.Select(t.Context(), store.Query{SQL: sql})
		if err != nil {
			t.Fatal(err)
		}
		if got := res.Columns[0].([]uint64)[0]; sql != everything && got != uint64(left*rows) {
			t.Errorf("%d rows answer, want %d", got, left*rows)
		}
	}
	for _, p := range r.Parts.List() {
		if want[p.From] == "" || p.Table != "flows" || p.Rows != rows || p.To != p.From+3599 || !strings.Contains(p.Error, "Code: ") {
			t.Errorf("unreadable: %+v", p)
		}
		delete(want, p.From)
	}
	if len(want) > 0 {
		t.Errorf("not found: %v", want)
	}
	list, err := store.DetachedParts(t.Context(), w)
	if err != nil || len(list) != aside {
		t.Errorf("%d put aside: %v, %v", len(list), list, err)
	}
	for _, d := range list {
		if d.Table != "flows" || d.Reason != "broken-on-start" || d.Bytes == 0 {
			t.Errorf("put aside: %+v", d)
		}
	}

	// CHECK finds the same, and what is mended comes back.
	var checked []string
	if err := store.CheckParts(t.Context(), w, func(p store.Part) bool { checked = append(checked, p.Name); return true }); err != nil {
		t.Fatal(err)
	}
	known := r.Parts.List()
	if len(checked) != len(known) {
		t.Errorf("CHECK finds %v, questions %v", checked, known)
	}
	for _, p := range known[1:] {
		if err := store.DetachPart(t.Context(), w, p); err != nil {
			t.Fatal(err)
		}
	}
	flip(t, paths[known[0].Name]+"data.bin") // back
	if err := r.Parts.Refresh(t.Context(), w, quiet); err != nil {
		t.Fatal(err)
	}
	if list := r.Parts.List(); len(list) > 0 {
		t.Errorf("left: %v", list)
	}
	if got := text(t, r, everything); !strings.HasPrefix(got, fmt.Sprint(2*rows, "\t")) {
		t.Errorf("after mending: %s", got)
	}
}

// What a filter computes while it reads is no fault of the part.
func TestPartsOfStatements(t *testing.T) {
	w, r := twentyThousand(t)
	_ = w
	r.Parts = new(store.Parts)
	for _, sql := range []string{
		"SELECT count() FROM flows PREWHERE intDiv(Bytes, SrcPort - SrcPort) > 0",
		"SELECT count() FROM flows PREWHERE toUInt8(concat(toString(Bytes), 'x')) = 1",
		"SELECT count() FROM flows WHERE throwIf(Bytes > 10) = 0",
		"SELECT count() FROM flows WHERE sleepEachRow(3) = 0",
		"SELECT uniqExact(randomString(1000)) FROM flows SETTINGS max_memory_usage = 100000",
	} {
		if _, _, err := r.Select(t.Context(), store.Query{SQL: sql}); err == nil {
			t.Errorf("%s: no error", sql)
		}
	}
	if list := r.Parts.List(); len(list) > 0 {
		t.Errorf("left out: %v", list)
	}
}

// A part that cannot be read holds up nothing: what else there is is added up, sums that
// were made before stay, and it is added up when it can be read again.
func TestRollupUnreadable(t *testing.T) {
	w, r := twentyThousand(t)
	w.Parts = new(store.Parts)
	more := func(from int64) {
		t.Helper()
		if err := w.Exec(t.Context(), fmt.Sprintf("INSERT INTO flows (TimeReceived, Bytes, SrcAS) SELECT %d + number %% 600, 1, 7 FROM numbers(1000)", from)); err != nil {
			t.Fatal(err)
		}
	}
	roller := &store.Roller{Client: w, Schema: func() store.Schema { return withRollups() }, Owner: "test", Log: quiet}
	sums := func(when, rollup, want string) {
		t.Helper()
		if got := text(t, w, "SELECT sum(Flows) FROM "+rollup); got != want {
			t.Errorf("%s: %s has the sums of %s flows, want %s", when, rollup, got, want)
		}
	}
	all := func(when, want string) {
		t.Helper()
		for _, rollup := range flow.Table.Rollups {
			sums(when, rollup.Name, want)
		}
	}
	enginetest.RollWith(t, roller, end-7200)
	before := text(t, w, "SELECT sum(Flows) FROM rollup_1h")
	paths := pathsOf(t, w, "flows")
	more(end - 5400)
	var old, young string
	for name, path := range paths {
		if old == "" && strings.HasPrefix(name, fmt.Sprint(end-3*3600)) {
			old = path
		}
	}
	for name, path := range pathsOf(t, w, "flows") {
		if paths[name] == "" {
			young = path
		}
	}
	if old == "" || young == "" {
		t.Fatal("no parts to harm")
	}
	harm := func() {
		for _, path := range []string{old, young} {
			flip(t, path+"data.cmrk4")
		}
		forgetCaches(t, w)
	}
	harm()
	enginetest.RollWith(t, roller, end)
	lost := w.Parts.List()
	if len(lost) != 1 || lost[0].Rows != 1000 { // the sums of the old one exist: it was not read
		t.Fatalf("unreadable: %v", lost)
	}
	all("without the young part", "20000")
	if text(t, w, everything) == "" || len(w.Parts.List()) != 2 {
		t.Errorf("unreadable: %v", w.Parts.List())
	}
	enginetest.RollWith(t, roller, end)
	all("the old part is known", "20000")
	enginetest.RollWith(t, &store.Roller{Client: w, Schema: roller.Schema, Owner: "test", Log: quiet}, end)
	all("a new process", "20000")
	if before == "20000" {
		t.Error("nothing was left to add up")
	}

	// A part of a rollup is made again from the flows.
	for _, rollup := range flow.Table.Rollups {
		for _, path := range pathsOf(t, w, rollup.Name) {
			flip(t, path+"data.cmrk4")
			break
		}
		forgetCaches(t, w)
		if got := text(t, w, "SELECT sum(cityHash64(*)) > 0, sum(Flows) < 20000 FROM "+rollup.Name); !strings.HasSuffix(got, "1") {
			t.Errorf("%s: %s", rollup.Name, got)
		}
	}
	harm() // back
	for _, p := range w.Parts.List() {
		if p.Table == "flows" {
			if err := w.Parts.Refresh(t.Context(), w, quiet); err != nil { // one each
				t.Fatal(err)
			}
		}
	}
	for range flow.Table.Rollups {
		w.Parts.Refresh(t.Context(), w, quiet)
	}
	enginetest.RollWith(t, roller, end)
	all("all can be read again", "21000")
	sameSums(t, r)
	if err := w.Parts.Refresh(t.Context(), w, quiet); err != nil || len(w.Parts.List()) > 0 {
		t.Errorf("left: %v %v", w.Parts.List(), err)
	}
}
