package filter_test

import (
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"netmeta/column"
	"netmeta/counter"
	"netmeta/filter"
	"netmeta/filter/filtertest"
	"netmeta/flow"
	"netmeta/internal/param"
)

var names = filter.Names{Macros: filtertest.Macros}

func parse(t testing.TB, text string) filter.Filter {
	t.Helper()
	f, err := filter.Parse(text, names)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return f
}

// A matcher marks the rows for which the tree of the filter holds, of batches of any size,
// with rare columns in use and not.
func TestMatchRandom(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	some := 0
	for i := range 500 {
		text := filtertest.Text(rnd, 3)
		f := parse(t, text)
		m, err := f.Compile(&flow.Table)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		for range 2 {
			b := filtertest.Batch(rnd, 1+rnd.IntN(40), i%3 > 0)
			if found := compareRows(t, f, m, b); found > 0 && found < b.Len() {
				some++
			}
		}
	}
	if some < 350 {
		t.Errorf("only %d batches are told apart: filters or rows are too poor", some)
	}
}

func compareRows(t testing.TB, f filter.Filter, m *filter.Matcher, b *column.Batch) (found int) {
	t.Helper()
	keep := make([]bool, b.Len())
	m.Match(b, keep)
	for row, got := range keep {
		want := f.Root == nil || filtertest.Holds(f.Root, b, row)
		if got != want {
			t.Errorf("%s: row %d is %v, want %v: %s", f, row, got, want, column.AppendText(nil, b, row))
		}
		if got {
			found++
		}
	}
	return found
}

func FuzzMatch(f *testing.F) {
	rnd := rand.New(rand.NewPCG(7, 8))
	for range 50 {
		f.Add(filtertest.Text(rnd, 2), rnd.Uint64())
	}
	f.Fuzz(func(t *testing.T, text string, seed uint64) {
		parsed, err := filter.Parse(text, names)
		if err != nil {
			return
		}
		m, err := parsed.Compile(&flow.Table)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		compareRows(t, parsed, m, filtertest.Batch(rand.New(rand.NewPCG(seed, 1)), 16, seed%2 == 0))
	})
}

// What a table does not have is named.
func TestCompileElsewhere(t *testing.T) {
	if _, err := parse(t, "exporter = 192.0.2.1").Compile(&counter.Table); err != nil {
		t.Errorf("counters have the address of their exporter: %v", err)
	}
	for text, column := range map[string]string{"src.as = 174": "SrcAS", "not (tcp or bps > 1)": "Proto", "remote.ip = 10.0.0.1": "SrcAddr", `"fra"`: "InIfName", "src.port = dst.port": "SrcPort"} {
		if _, err := parse(t, text).Compile(&counter.Table); err == nil || !strings.Contains(err.Error(), column) {
			t.Errorf("%s on counters: %v, want an error that names %s", text, err, column)
		}
	}
}

func TestMatchDoesNotAllocate(t *testing.T) {
	rnd := rand.New(rand.NewPCG(9, 10))
	b := filtertest.Batch(rnd, 1000, true)
	keep := make([]bool, b.Len())
	for _, text := range benchmarks {
		m, err := parse(t, text).Compile(&flow.Table)
		if err != nil {
			t.Fatal(err)
		}
		m.Match(b, keep)
		if n := testing.AllocsPerRun(20, func() { m.Match(b, keep) }); n > 0 {
			t.Errorf("%s: %v allocations a batch", text, n)
		}
	}
}

var benchmarks = []string{
	"proto = tcp", "port in [53, 80, 443]", "remote.as in [174, 3356] and not src.net = 10.0.0.0/8", "src.ip in [10.0.0.0/8, 2001:db8::/32, 192.0.2.1]",
	`in.if ~ "^et-0/0/" or "cogent"`, "bps > 10M and duration < 60s", "src.port > dst.port", "path has 174 or community has blackhole",
}

func BenchmarkMatch(b *testing.B) {
	rnd := rand.New(rand.NewPCG(9, 10))
	batch := filtertest.Batch(rnd, 8192, true)
	keep := make([]bool, batch.Len())
	for _, text := range benchmarks {
		b.Run(text, func(b *testing.B) {
			m, err := parse(b, text).Compile(&flow.Table)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				m.Match(batch, keep)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(batch.Len()), "ns/row")
		})
	}
}

// The fields that a filter says it reads are the columns that its SQL names.
func TestFieldsSaid(t *testing.T) {
	rnd := rand.New(rand.NewPCG(13, 14))
	for range 3000 {
		f := parse(t, filtertest.Text(rnd, 2))
		named := columnsIn(f.SQL(param.Set{}))
		said := f.Fields()
		for _, one := range said {
			if !slices.Contains(named, one) {
				t.Errorf("%s says that it reads %s", f, one.Name)
			}
		}
		if len(said) != len(named) {
			t.Errorf("%s reads %d fields and says %d", f, len(named), len(said))
		}
	}
	for _, info := range filter.Catalogue() {
		f := filter.Find(info.Name)
		if !f.Groupable() {
			continue
		}
		e := f.Expr()
		if named := columnsIn(e.SQL); !slices.Equal(slices.SortedFunc(slices.Values(e.Fields), byName), slices.SortedFunc(slices.Values(named), byName)) {
			t.Errorf("%s: %s reads %d fields and says %d", info.Name, e.SQL, len(named), len(e.Fields))
		}
	}
}

func byName(a, b *column.Field) int { return strings.Compare(a.Name, b.Name) }

func columnsIn(sql string) (list []*column.Field) {
	for _, word := range regexp.MustCompile(`\w+`).FindAllString(sql, -1) {
		if f := flow.Table.Field(word); f != nil && !slices.Contains(list, f) {
			list = append(list, f)
		}
	}
	return list
}
