package executed

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"netmeta/internal/enginetest"
	"netmeta/query"
	"netmeta/store"
	"netmeta/tables"
)

// TestStatements runs each golden statement that no request makes, on all tables. Its result
// has the columns that it says.
func TestStatements(t *testing.T) {
	w, reader := enginetest.Clients(t)
	policy := store.Policy{Days: 30, RollupDays: map[int64]int{60: 90, 3600: 400}}
	if err := store.NewTables(w, tables.Schemas(policy), slog.New(slog.DiscardHandler)).Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("../testdata/statements/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, path := range files {
		st := readStatement(t, path)
		q := store.Query{SQL: st.SQL, Params: st.Params}
		if strings.HasPrefix(st.SQL, "INSERT ") {
			if err := w.Do(t.Context(), q); err != nil {
				t.Errorf("%s: %v", path, err)
			}
			continue
		}
		res, _, err := reader.Select(t.Context(), q)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		for i, c := range st.Columns {
			if res.Rows == 0 {
				break // the format has no columns then
			}
			if res.Names[i] != c.Name || typeName(res.Columns[i]) != c.Type {
				t.Errorf("%s: column %d is %s %s, want %s %s", path, i, res.Names[i], typeName(res.Columns[i]), c.Name, c.Type)
			}
		}
	}
}

// readStatement reads a golden file.
func readStatement(t *testing.T, path string) (st query.Statement) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(data), "\n\n")
	sql, rest, _ := strings.Cut(rest, "\n\n")
	st.SQL, st.Params = sql, map[string]string{}
	for line := range strings.Lines(rest) {
		line = strings.TrimSuffix(line, "\n")
		if column, ok := strings.CutPrefix(line, "→ "); ok {
			name, kind, _ := strings.Cut(column, " ")
			st.Columns = append(st.Columns, query.ResultColumn{Name: name, Type: kind})
		} else if name, value, ok := strings.Cut(line, " = "); ok {
			st.Params[name] = value
		}
	}
	return st
}

// typeName is the ClickHouse type of a column of a result.
func typeName(column any) string {
	switch column.(type) {
	case []uint8:
		return "UInt8"
	case []uint32:
		return "UInt32"
	case []uint64:
		return "UInt64"
	case []int64:
		return "Int64"
	case []float64:
		return "Float64"
	case []string:
		return "String"
	}
	return "unknown"
}
