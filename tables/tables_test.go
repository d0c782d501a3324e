package tables_test

import (
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"netmeta/column"
	"netmeta/internal/enginetest"
	"netmeta/native"
	"netmeta/store"
	"netmeta/tables"
)

func TestMain(m *testing.M) { enginetest.Main(m) }

// invented is a table that exists nowhere else, and its fields.
type invented struct {
	column.Table
	TimeReceived column.U32
	Lamp         column.Labels
	Lumen        column.U64
	Remark       column.Labels
}

func inventedTable(name string) *invented {
	x := &invented{Table: column.Table{Name: name, Partition: "toYYYYMM(TimeReceived)", Order: "Lamp, TimeReceived"}}
	x.TimeReceived = x.Table.Time(column.Field{Name: "TimeReceived", Doc: "When it was read."})
	x.Lamp = x.Table.Text(column.Field{Name: "Lamp", Doc: "Which one."})
	x.Lumen = x.Table.U64(column.Field{Name: "Lumen", Doc: "How bright.", Role: column.Measure})
	x.Remark = x.Table.String(column.Field{Name: "Remark", Doc: "What is odd about it.", Rare: true})
	return x
}

// Tables that are added to the list are made, extended, filled through spool and writer,
// and kept for as long as they say, without code besides their declaration.
func TestInventedTables(t *testing.T) {
	const more = 12
	list := slices.Clone(tables.All)
	var lamps []*invented
	for i := range more {
		lamp := inventedTable(fmt.Sprintf("lamps_%d", i))
		lamps, list = append(lamps, lamp), append(list, &lamp.Table)
	}
	lamps[1].Retention = column.Forever
	lamps[2].Engine, lamps[2].Version, lamps[2].Order = column.Replacing, "Lumen", "Lamp"
	var schemas []store.Schema
	policy := store.Policy{Days: 30, RollupDays: map[int64]int{60: 90, 3600: 400}}
	for _, table := range list {
		schemas = append(schemas, policy.Schema(table))
	}
	w, r := enginetest.Clients(t)
	quiet := slog.New(slog.DiscardHandler)
	to := store.NewTables(w, schemas, quiet)
	if err := to.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	spool, err := store.OpenSpool(t.TempDir(), store.DiskShare{}, list, quiet)
	if err != nil {
		t.Fatal(err)
	}
	defer spool.Close()
	queue := make(chan native.Block, 2*more)
	var e native.Encoder
	for _, remark := range []string{"", "it's \"so\" \\\t\n"} {
		for _, lamp := range lamps {
			b := lamp.NewBatch(2)
			for i := range 2 {
				lamp.TimeReceived.Set(b, b.Add(), 2000000000)
				lamp.Lamp.Set(b, i, column.LabelOf("hall"))
				lamp.Lumen.Set(b, i, uint64(800+i+len(remark)))
			}
			if remark != "" {
				lamp.Remark.Set(b, 1, column.LabelOf(remark))
			}
			queue <- e.Encode(b)
		}
	}
	close(queue)
	writer := &store.Writer{Inserter: to, Tables: list, Spool: spool, Log: quiet}
	if err := writer.Run(t.Context(), queue); err != nil {
		t.Fatal(err)
	}
	for i, lamp := range lamps {
		final, want := "", "4\tit's \"so\" \\\t\n\t1"
		if i == 2 {
			final, want = " FINAL", "1\tit's \"so\" \\\t\n\t0"
		}
		res, _, err := r.Select(t.Context(), store.Query{SQL: "SELECT count() AS n, max(Remark) AS remark, min(Lumen) = 800 AS least FROM " + lamp.Name + final})
		if err != nil {
			t.Fatal(err)
		}
		got := fmt.Sprintf("%d\t%s\t%d", res.Column("n").([]uint64)[0], res.Column("remark").([]string)[0], res.Column("least").([]uint8)[0])
		if got != want || writer.RowsOf(&lamp.Table) != 4 {
			t.Errorf("%s has %q, want %q; %d rows counted", lamp.Name, got, want, writer.RowsOf(&lamp.Table))
		}
		_, create, err := store.Describe(t.Context(), w, lamp.Name)
		if err != nil || strings.Contains(create, " TTL ") != (i != 1) {
			t.Errorf("%s is kept otherwise than it says: %v\n%s", lamp.Name, err, create)
		}
	}
	if changes, err := to.Plan(t.Context()); err != nil || slices.ContainsFunc(changes, func(c store.Change) bool { return !strings.Contains(c.SQL, "Remark") }) {
		t.Errorf("left to do: %v, %v", changes, err)
	}
}

// Engines, partitions and clusters are spelled in one file, and so are the statements that
// make and change tables.
func TestOneLayout(t *testing.T) {
	out, err := exec.Command("git", "-C", "..", "ls-files", "*.go").Output()
	if err != nil {
		t.Skip("not a git checkout: ", err)
	}
	for _, file := range strings.Fields(string(out)) {
		if strings.HasSuffix(file, "_test.go") || file == "store/layout.go" || file == "engine/database.go" || strings.HasPrefix(file, "internal/bench/") {
			continue
		}
		source, err := os.ReadFile("../" + file)
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		for number, line := range strings.Split(string(source), "\n") {
			code, _, _ := strings.Cut(line, "//")
			for _, words := range []string{"ENGINE =", "ENGINE=", "MergeTree(", "ON CLUSTER", `"CREATE TABLE`, `"ALTER TABLE`, `"DROP TABLE`, `"RENAME `, `"EXCHANGE `} {
				if strings.Contains(code, words) {
					t.Errorf("%s:%d says %s: that is for store/layout.go", file, number+1, words)
				}
			}
		}
	}
}
