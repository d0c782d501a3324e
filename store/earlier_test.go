package store_test

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"netmeta/flow"
	"netmeta/native"
	"netmeta/store"
	"netmeta/tables"
)

// unpack makes a directory of an archive.
func unpack(t *testing.T, archive string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	file, err := os.Open(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	z, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	for in := tar.NewReader(z); ; {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			return dir
		}
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, filepath.FromSlash(h.Name))
		switch h.Typeflag {
		case tar.TypeDir:
			err = os.MkdirAll(path, 0o700)
		case tar.TypeSymlink:
			err = os.Symlink(h.Linkname, path)
		default:
			var data []byte
			if data, err = io.ReadAll(in); err == nil {
				err = os.WriteFile(path, data, 0o600)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// A store and a spool that an earlier version has written open with this one: every row is
// there, what waited is stored, and the rollups go on where they were.
func TestEarlierStores(t *testing.T) {
	archives, err := filepath.Glob("testdata/stores/*.tar.gz")
	if err != nil || len(archives) == 0 {
		t.Fatal(archives, err)
	}
	for _, archive := range archives {
		t.Run(filepath.Base(archive), func(t *testing.T) { testEarlierStore(t, unpack(t, archive)) })
	}
}

func testEarlierStore(t *testing.T, dir string) {
	_, w := ownEngine(t, dir)
	digest := func() map[string]string {
		out := map[string]string{}
		for _, table := range strings.Fields(text(t, w, "SELECT name FROM system.tables WHERE database = currentDatabase() AND name NOT IN ('rollup_state') ORDER BY name")) {
			names, _ := stored(t, w, table)
			out[table] = text(t, w, "SELECT count(), sum(cityHash64("+strings.Join(names, ", ")+")) FROM "+table)
		}
		return out
	}
	comment := func(table string) string {
		return text(t, w, "SELECT comment FROM system.tables WHERE database = currentDatabase() AND name = '"+table+"'")
	}
	type times struct {
		from, until int64
		owner       string
	}
	said := map[string]times{}
	for _, r := range flow.Table.Rollups {
		var x times
		text := comment(r.Name)
		if _, err := fmt.Sscanf(text, "complete from %d until %d", &x.from, &x.until); err != nil {
			t.Fatalf("%s says %q", r.Name, text)
		}
		if _, rest, ok := strings.Cut(text, "; kept by "); ok {
			x.owner, _, _ = strings.Cut(rest, " until ")
		}
		said[r.Name] = x
	}
	before := digest()
	if !strings.HasPrefix(before["flows"], "1600\t") {
		t.Fatalf("flows before: %s", before["flows"])
	}

	to := store.NewTables(w, tables.Schemas(store.Policy{RollupDays: map[int64]int{60: 0, 3600: 0}}), quiet)
	for range 2 { // the second time there is nothing to do
		if err := to.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		for table, want := range before {
			if got := digest()[table]; got != want {
				t.Errorf("%s: %s, it was %s", table, got, want)
			}
		}
		for name, want := range said {
			from, until := has(t, w, name)
			owner := text(t, w, "SELECT Owner FROM rollup_state FINAL WHERE Name = '"+name+"'")
			if got := (times{from, until, owner}); got != want {
				t.Errorf("%s: state %v, the comment said %v", name, got, want)
			}
			// A collector of an earlier version leaves the rollups alone.
			if got := comment(name); !strings.HasSuffix(got, "; kept by rollup_state until 4294967295") {
				t.Errorf("%s: the comment is %q", name, got)
			}
		}
	}
	if plan, err := to.Plan(t.Context()); err != nil || len(plan) > 0 {
		t.Errorf("left to do: %v, %v", plan, err)
	}

	writer := &store.Writer{Inserter: to, Tables: tables.All, Log: quiet, Spool: openSpool(t, filepath.Join(dir, "spool"), tables.All...)}
	waited := writer.Spool.Stats()
	none := make(chan native.Block)
	close(none)
	if err := writer.Run(t.Context(), none); err != nil {
		t.Fatal(err)
	}
	if st := writer.Spool.Stats(); waited.Rows != 402 || st.Rows != 0 || st.RefusedFiles != 0 || writer.RowsOf(&flow.Table) != 400 {
		t.Errorf("spool %+v, before %+v; %d flows of it stored", st, waited, writer.RowsOf(&flow.Table))
	}
	if got := text(t, w, "SELECT count() FROM flows"); got != "2000" {
		t.Errorf("%s flows", got)
	}

	var last int64
	fmt.Sscan(text(t, w, "SELECT toUInt32(max(TimeReceived)) FROM flows"), &last)
	roller := &store.Roller{Client: w, Schema: func() store.Schema { return to.Schema(&flow.Table) }, Owner: said["rollup_1m"].owner, Log: quiet}
	for more := true; more; {
		var err error
		if more, err = roller.Roll(t.Context(), last+3600); err != nil {
			t.Fatal(err)
		}
	}
	sameSums(t, w)
	for _, r := range flow.Table.Rollups {
		if from, until := has(t, w, r.Name); from > said[r.Name].from || until < last/3600*3600 {
			t.Errorf("%s is complete from %d until %d, it was from %d", r.Name, from, until, said[r.Name].from)
		}
	}
	if got := text(t, w, "SELECT kind, target, text FROM events FINAL"); got != "maintenance\t192.0.2.1\twritten by the version before" {
		t.Errorf("events %q", got)
	}
}
