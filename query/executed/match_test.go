package executed

import (
	"cmp"
	"math/rand/v2"
	"strings"
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
		for range 25 {
			texts := make([]string, 20)
			for i := range texts {
				texts[i] = filtertest.Text(rnd, 2)
			}
			for _, found := range matchesAgree(t, reader, b, texts) {
				if n++; found > 0 && found < b.Len() {
					some++
				}
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
	insert(t, w, b, "1")
	return reader, b
}

// insert stores a batch under a token.
func insert(t testing.TB, w *store.Client, b *column.Batch, token string) {
	t.Helper()
	var e native.Encoder
	block := e.Encode(b)
	var names []string
	for _, f := range block.Columns {
		names = append(names, f.Name)
	}
	if err := w.Insert(t.Context(), b.Table().Name, names, token, block.Data); err != nil {
		t.Fatal(err)
	}
}

// matchesAgree compares which rows the matchers of filters mark with what the engine says of
// each, in one statement, and returns how many rows each filter finds.
func matchesAgree(t *testing.T, reader *store.Client, b *column.Batch, texts []string) (found []int) {
	t.Helper()
	params := param.Set{}
	keeps := make([][]bool, len(texts))
	conditions := make([]string, len(texts))
	for i, text := range texts {
		f, err := filter.Parse(text, filter.Names{Macros: filtertest.Macros})
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		m, err := f.Compile(&flow.Table)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		keeps[i] = make([]bool, b.Len())
		m.Match(b, keeps[i])
		conditions[i] = cmp.Or(f.SQL(params), "1")
	}
	sql := "SELECT SequenceNum, CAST(" + strings.Join(conditions, ", 'UInt8'), CAST(") + ", 'UInt8') FROM flows"
	res, _, err := reader.Select(t.Context(), store.Query{SQL: sql, Params: params})
	if err != nil {
		t.Fatalf("%q: %v\n%s\n%v", texts, err, sql, params)
	}
	if res.Rows != b.Len() {
		t.Fatalf("%d rows of %d", res.Rows, b.Len())
	}
	rows := res.Columns[0].([]uint32)
	for i, text := range texts {
		n := 0
		for at, met := range res.Columns[1+i].([]uint8) {
			row := int(rows[at])
			if got := keeps[i][row]; got != (met == 1) {
				t.Errorf("%s: row %d: the matcher says %v, the engine %d: %s\n%s %v", text, row, got, met, column.AppendText(nil, b, row), conditions[i], params)
				break
			}
			n += int(met)
		}
		found = append(found, n)
	}
	return found
}
