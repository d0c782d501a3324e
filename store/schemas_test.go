package store_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"netmeta/column"
	"netmeta/counter"
	"netmeta/event"
	"netmeta/flow"
	"netmeta/internal/enginetest"
	"netmeta/native"
	"netmeta/store"
	"netmeta/tables"
)

// stored are the columns of a table that hold data, and their types as a structure.
func stored(t *testing.T, c *store.Client, table string) (names, structure []string) {
	t.Helper()
	have, _, err := store.Describe(t.Context(), c, table)
	if err != nil {
		t.Fatal(err)
	}
	for _, col := range have {
		if col.Kind == "" || col.Kind == "DEFAULT" {
			names = append(names, col.Name)
			structure = append(structure, col.Name+" "+col.Type)
		}
	}
	return names, structure
}

// fill inserts rows with a value of its own in each column, and in the keys of a table that
// keeps the last row of a key.
func fill(t *testing.T, w *store.Client, table string, rows int) {
	t.Helper()
	names, structure := stored(t, w, table)
	replaced := ""
	switch {
	case slices.Contains(names, "TimeReceived"):
		replaced = " REPLACE (now() - toUInt32(TimeReceived) % 600 AS TimeReceived)"
	case table == event.Table.Name:
		replaced = " REPLACE (toString(generateUUIDv4()) AS id)"
	}
	sql := fmt.Sprintf("INSERT INTO %s (%s) SELECT *%s FROM generateRandom('%s', 7, 20, 3) LIMIT %d",
		table, strings.Join(names, ", "), replaced, strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(strings.Join(structure, ", ")), rows)
	if err := w.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}

// Tables of every earlier version are brought up to date: rows stay as they were, and
// all columns can be written and read.
func TestEarlierSchemas(t *testing.T) {
	files, err := filepath.Glob("testdata/schemas/*.sql")
	if err != nil || len(files) < 10 {
		t.Fatal(files, err)
	}
	const rows = 300
	for i, file := range files {
		all := i == 0 && !testing.Short() || i == len(files)-1 // rare columns become real too: hundreds of changes
		t.Run(filepath.Base(file), func(t *testing.T) {
			w, r := enginetest.Clients(t)
			text0, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			digests := map[string]string{} // of the rows of a table, and how to ask for it
			for _, sql := range strings.Split(strings.TrimSpace(string(text0)), ";\n") {
				if err := w.Exec(t.Context(), strings.TrimSuffix(sql, ";")); err != nil {
					t.Fatal(err)
				}
				table := strings.Fields(strings.SplitN(sql, "EXISTS ", 2)[1])[0]
				fill(t, w, table, rows)
				names, _ := stored(t, w, table)
				ask := "SELECT count(), sum(cityHash64(" + strings.Join(names, ", ") + ")) FROM " + table
				digests[ask] = text(t, r, ask)
			}
			for _, table := range tables.All {
				s := store.Policy{Days: 30, RollupDays: map[int64]int{60: 60, 3600: 60}}.Schema(table)
				migrate(t, w, s)
				if table == &flow.Table {
					insertNative(t, w)
				}
				if all && table != &counter.Table {
					s.Columns = []string{"all"}
					migrate(t, w, s)
				} else if table == &flow.Table {
					s.Columns = []string{"VNI"}
				}
				if plan, err := store.Plan(t.Context(), w, s); err != nil || len(plan) > 0 {
					t.Errorf("left to do: %v, %v", plan, err)
				}
			}
			// Rows are as they were: what was inserted after them says so by its exporter.
			for ask, want := range digests {
				if strings.HasSuffix(ask, " flows") {
					ask += " WHERE ExporterAddress != toIPv6('192.0.2.99')"
				}
				if got := text(t, r, ask); got != want {
					t.Errorf("%.60s …: %s, it was %s", ask, got, want)
				}
			}
			if got := text(t, r, "SELECT sum(Bytes), toUInt64(sum(VNI)) FROM flows WHERE ExporterAddress = toIPv6('192.0.2.99')"); got != "3\t7" {
				t.Errorf("a block of today: %s", got)
			}
			for _, table := range tables.All {
				names, _ := stored(t, r, table.Name)
				for _, f := range table.Fields {
					if f.Kind != column.Alias && !f.Rare && !slices.Contains(names, f.Name) {
						t.Errorf("%s.%s holds no data", table.Name, f.Name)
					}
				}
				before := text(t, r, "SELECT count() FROM "+table.Name)
				fill(t, w, table.Name, rows)
				var n int
				fmt.Sscan(before, &n)
				if got := text(t, r, "SELECT count() FROM "+table.Name); got != fmt.Sprint(n+rows) {
					t.Errorf("%s rows in %s, want %d", got, table.Name, n+rows)
				}
				var every []string
				for _, f := range table.Fields { // rare ones too, by their name
					every = append(every, "uniqExact(toString("+f.Name+"))")
				}
				if err := w.Exec(t.Context(), "SELECT "+strings.Join(every, ", ")+" FROM "+table.Name); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// insertNative inserts a block as the program does.
func insertNative(t *testing.T, w *store.Client) {
	t.Helper()
	b := flow.Table.NewBatch(2)
	for i := range 2 {
		row := b.Add()
		flow.TimeReceived.Set(b, row, 2000000000)
		flow.ExporterAddress.Set(b, row, column.AddrFrom4([4]byte{192, 0, 2, 99}))
		flow.Bytes.Set(b, row, uint64(1+i))
	}
	flow.VNI.Set(b, 1, 7)
	var e native.Encoder
	block := e.Encode(b)
	s := store.Schema{Table: &flow.Table, TTLDays: 30, Columns: names(block), RollupDays: map[int64]int{60: 60, 3600: 60}}
	migrate(t, w, s) // VNI becomes real, as the writer has it
	if err := w.Insert(t.Context(), "flows", names(block), "native", block.Data); err != nil {
		t.Fatal(err)
	}
}
