package executed

import (
	"math/rand/v2"
	"slices"
	"testing"

	"netmeta/column"
	"netmeta/filter"
	"netmeta/filter/filtertest"
	"netmeta/flow"
	"netmeta/internal/enginetest"
	"netmeta/internal/param"
	"netmeta/native"
	"netmeta/store"
)

// TestMatchAgrees asks the engine which of some random rows meet random filters, and the
// filter's other back end, which matches the rows of the batch: both find the same.
func TestMatchAgrees(t *testing.T) {
	rnd := rand.New(rand.NewPCG(11, 12))
	some, n := 0, 0
	for _, rare := range []bool{true, false} {
		reader, b := randomTable(t, rnd, 300, rare)
		for range 500 {
			n++
			if found := matchAgrees(t, reader, b, filtertest.Text(rnd, 2)); found > 0 && found < b.Len() {
				some++
			}
		}
	}
	if some < n/2 {
		t.Errorf("only %d of %d filters tell rows apart", some, n)
	}
}

// marked is how many rows of a batch the filter's matcher marks.
func marked(t *testing.T, f filter.Filter, b *column.Batch) (n uint64) {
	t.Helper()
	m, err := f.Compile(&flow.Table)
	if err != nil {
		t.Fatalf("%s: %v", f, err)
	}
	keep := make([]bool, b.Len())
	m.Match(b, keep)
	for _, met := range keep {
		if met {
			n++
		}
	}
	return n
}

// randomTable has random rows, each with its number as SequenceNum.
func randomTable(t *testing.T, rnd *rand.Rand, n int, rare bool) (*store.Client, *column.Batch) {
	w, reader := enginetest.Clients(t)
	s := store.Schema{Table: &flow.Table}
	if rare {
		s.Columns = []string{"all"}
	}
	if err := w.Exec(t.Context(), s.Create()); err != nil {
		t.Fatal(err)
	}
	b := filtertest.Batch(rnd, n, rare)
	for row := range n {
		flow.SequenceNum.Set(b, row, uint32(row))
		flow.TimeReceived.Set(b, row, uint32(now.Unix())) // one partition
	}
	insert(t, w, b)
	return reader, b
}

func insert(t *testing.T, w *store.Client, b *column.Batch) {
	t.Helper()
	var e native.Encoder
	block := e.Encode(b)
	var names []string
	for _, f := range block.Columns {
		names = append(names, f.Name)
	}
	if err := w.Insert(t.Context(), b.Table().Name, names, "1", block.Data); err != nil {
		t.Fatal(err)
	}
}

func matchAgrees(t *testing.T, reader *store.Client, b *column.Batch, text string) (found int) {
	t.Helper()
	f, err := filter.Parse(text, filter.Names{Macros: filtertest.Macros})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	m, err := f.Compile(&flow.Table)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	keep := make([]bool, b.Len())
	m.Match(b, keep)
	params := param.Set{}
	sql := f.SQL(params)
	if sql == "" {
		sql = "1"
	}
	res, _, err := reader.Select(t.Context(), store.Query{SQL: "SELECT SequenceNum AS row FROM flows WHERE " + sql, Params: params})
	if err != nil {
		t.Fatalf("%s: %v\n%s\n%v", text, err, sql, params)
	}
	var rows []uint32
	if len(res.Columns) > 0 {
		rows, _ = res.Columns[0].([]uint32)
	}
	for row, got := range keep {
		if want := slices.Contains(rows, uint32(row)); got != want {
			t.Errorf("%s: row %d: the matcher says %v, the engine %v: %s\n%s %v", text, row, got, want, column.AppendText(nil, b, row), sql, params)
			break
		}
	}
	return len(rows)
}
