package executed

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"log/slog"
	"math"
	"math/big"
	"net/netip"
	"net/url"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"netmeta/access"
	"netmeta/column"
	"netmeta/counter"
	"netmeta/filter"
	"netmeta/flow"
	"netmeta/health"
	"netmeta/internal/enginetest"
	"netmeta/query"
	"netmeta/store"
)

// extremes are what every number of a record may be. Those that do not fit a column lose
// their upper bits, which makes others.
var extremes = []string{"0", "1", "2147483648", "4294967295", "288230376151711744", "9223372036854775808", "18446744073709551615"}

// extremeTables makes the tables of flows, counters and exporters, with all columns, and
// fills each with rows whose numbers are extreme in every column: each in its own order, so
// that they meet in many ways.
func extremeTables(t *testing.T, rows int) (writer, reader *store.Client) {
	t.Helper()
	w, reader := enginetest.Clients(t)
	s := store.Schema{Table: &flow.Table, Columns: []string{"all"}, RollupDays: map[int64]int{60: 0, 3600: 0}}
	if err := store.Migrate(t.Context(), w, s, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	for _, table := range []*column.Table{&counter.Table, &health.Table} {
		if err := w.Exec(t.Context(), (store.Schema{Table: table, Columns: []string{"all"}}).Create()); err != nil {
			t.Fatal(err)
		}
	}
	for _, table := range []*column.Table{&flow.Table, &counter.Table, &health.Table} {
		var names, values []string
		for _, f := range table.Fields {
			pick := "[" + strings.Join(extremes, ", ") + "][1 + cityHash64('" + f.Name + "', number) % " + fmt.Sprint(len(extremes)) + "]"
			kind := f.SQLType()
			switch f.Kind {
			case column.Alias, column.TextMap:
				continue
			case column.Time: // most in the last two hours, so that questions find them
				pick = fmt.Sprintf("if(number %% 10 > 0, %d + cityHash64(number) %% 7200, if(number %% 20 > 0, 0, 4294967295))", now.Unix()-7200)
			case column.TimeMS:
				pick = fmt.Sprintf("toInt64(multiIf(number %% 5 = 0, 0, number %% 5 = 1, 8e12, number %% 5 = 2, 1, %d - cityHash64('%s', number) %% 100000))", now.UnixMilli(), f.Name)
				values, names = append(values, "fromUnixTimestamp64Milli("+pick+")"), append(names, f.Name)
				continue
			case column.Enum:
				values, names = append(values, fmt.Sprintf("CAST(toInt8(cityHash64('%s', number) %% %d), '%s')", f.Name, len(f.Enum), strings.ReplaceAll(kind, "'", `\'`))), append(names, f.Name)
				continue
			case column.IP:
				values, names = append(values, fmt.Sprintf("toIPv6(concat('2001:db8::', toString(cityHash64('%s', number) %% 3)))", f.Name)), append(names, f.Name)
				continue
			case column.Uint32List, column.Uint128List:
				pick = "[" + pick + "]"
			case column.Text:
				pick = "toString(" + pick + ")"
			}
			if table == &counter.Table && f.Name == "Records" {
				pick = "1"
			}
			if table == &counter.Table && f.Name == "IfIndex" || f == flow.InIf.Field || f == flow.SrcAS.Field { // some that meet
				pick = "number % 3"
			}
			values, names = append(values, "CAST("+pick+", '"+strings.ReplaceAll(kind, "'", `\'`)+"')"), append(names, f.Name)
		}
		sql := fmt.Sprintf("INSERT INTO %s (%s) SELECT %s FROM numbers(%d)", table.Name, strings.Join(names, ", "), strings.Join(values, ",\n"), rows)
		if err := w.Exec(t.Context(), sql); err != nil {
			t.Fatalf("%v\n%s", err, sql)
		}
	}
	enginetest.Roll(t, w, s, now.Unix())
	return w, reader
}

// finite fails when anything in a value is not a finite number.
func finite(t *testing.T, what string, v reflect.Value) {
	t.Helper()
	switch v.Kind() {
	case reflect.Float64:
		if math.IsNaN(v.Float()) || math.IsInf(v.Float(), 0) {
			t.Errorf("%s has %v", what, v.Float())
		}
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			finite(t, what, v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			finite(t, what+"."+v.Type().Field(i).Name, v.Field(i))
		}
	case reflect.Slice:
		for i := range v.Len() {
			finite(t, what, v.Index(i))
		}
	}
}

// asks runs a statement and has the result read; neither may fail.
func asks(t *testing.T, reader *store.Client, what string, st query.Statement, err error, read func(rows int, column func(string) any) (any, error)) {
	t.Helper()
	if err != nil {
		t.Errorf("%s: %v", what, err)
		return
	}
	res, _, err := reader.Select(t.Context(), store.Query{SQL: st.SQL, Params: st.Params})
	if err != nil {
		t.Errorf("%s: %v\n%s\n%v", what, err, st.SQL, st.Params)
		return
	}
	for i, c := range res.Columns {
		finite(t, what+" "+res.Names[i], reflect.ValueOf(c))
	}
	if read == nil {
		return
	}
	v, err := read(res.Rows, res.Column)
	if err != nil {
		t.Errorf("%s: %v", what, err)
		return
	}
	finite(t, what, reflect.ValueOf(v))
	if _, err := json.Marshal(v); err != nil {
		t.Errorf("%s: %v", what, err)
	}
}

// all is what a list of URLs has of each key.
func all(base string, keys ...[]string) (list []string) {
	list = []string{base}
	for _, key := range keys {
		var next []string
		for _, q := range list {
			for _, v := range key {
				next = append(next, q+v)
			}
		}
		list = next
	}
	return list
}

var units = []string{"&unit=bps", "&unit=pps", "&unit=fps", "&unit=bytes&layer=l2", "&unit=packets", "&unit=flows", "&unit=bps&layer=l1"}

// sampled says which of many alike statements are run: all, with -short every seventh.
func sampled(i int) bool { return !testing.Short() || i%7 == 0 }

// builders are the functions of package query that make statements, each with all ways to
// call it that make other arithmetic. TestEveryStatement fails when one is missing.
var builders = map[string]func(t *testing.T, reader *store.Client){
	"Request.Series": func(t *testing.T, reader *store.Client) {
		ways := all("from=-2h&n=3", []string{"", "&by=src.as", "&by=src.ip,dst.port", "&by=in.if", "&by=ts:1h"}, []string{"&unit=bps", "&unit=pps", "&unit=flows", "&unit=bps&layer=l1", "&unit=bpp"},
			[]string{"", "&agg=peak", "&vs=-30m", "&vs=-30m&rank=delta", "&spread=1", "&vs=band4w", "&rank=p95&dir=sum", "&rank=max&skip=1", "&rank=last&agg=peak&vs=prev"})
		ways = append(ways, all("from=-2h&unit=pct&by=in.if", []string{"", "&agg=peak", "&vs=-30m", "&rank=max", "&rank=delta&vs=prev", "&layer=l1"})...)
		ways = append(ways, all("from=1970-01-01&to=1970-01-03&by=src.as", []string{"", "&spread=1", "&agg=peak"})...)
		rollups := rollupsOf(t, reader)
		for i, q := range ways {
			if !sampled(i) || strings.Contains(q, "bpp") && strings.Contains(q, "peak") || strings.Contains(q, "ts:") && strings.Contains(q, "spread") { // refused
				continue
			}
			r, rg := resolved(t, q)
			s := query.Schema{Once: i%2 == 0}
			if i%3 == 0 {
				s.Rollups = rollups
			}
			st, err := r.Series(rg, s)
			asks(t, reader, q, st, err, func(_ int, column func(string) any) (any, error) {
				var rows query.Rows
				for _, c := range st.Columns {
					if v := column(c.Name); v != nil {
						if err := rows.Set(c.Name, v); err != nil {
							return nil, err
						}
					}
				}
				return query.Assemble(r, rg, rows, query.Schema{})
			})
		}
	},
	"Request.Probe": func(t *testing.T, reader *store.Client) {
		n := 0
		for _, f := range filter.Catalogue() {
			for _, op := range f.Ops {
				if n++; !sampled(n) {
					continue
				}
				for _, value := range []string{"0", "1", "4294967295", "9223372036854775807", "18446744073709551615", `"x"`, "S", "no-time", "in", "10.0.0.0/8", "1:1", "1:1:1", "00:11:22:33:44:55"} {
					text := f.Name + " " + op + " " + value
					if strings.HasSuffix(op, "in") {
						text = f.Name + " " + op + " [" + value + "]"
					}
					if _, err := filter.Parse(text, filter.Names{}); err != nil {
						continue
					}
					st, err := query.Request{Filter: text, Dir: "both"}.Probe(0, 1<<32-1, query.Schema{})
					asks(t, reader, text, st, err, nil)
					break // one value of each operator
				}
			}
		}
	},
	"Request.Implausible": func(t *testing.T, reader *store.Client) {
		r, rg := resolved(t, "from=-2h")
		st, err := r.Implausible(rg, query.Schema{})
		asks(t, reader, "implausible", st, err, nil)
	},
	"Request.Facets": func(t *testing.T, reader *store.Client) {
		for _, unit := range units {
			r, rg := resolved(t, "from=-2h"+unit)
			for _, s := range []query.Schema{{}, {Rollups: rollupsOf(t, reader)}} {
				q, err := r.Facets(rg, s, "")
				asks(t, reader, "facets"+unit, q.Statement, err, func(rows int, column func(string) any) (any, error) {
					n := func(name string) []uint64 { return column(name).([]uint64) }
					list, _, err := q.Read(query.FacetRows{Facet: column("facet").([]uint8), Keys: column("keys").([][]string), Labels: column("labels").([][]string),
						Total: n("total"), Distinct: n("distinct"), Whole: n("whole")})
					return list, err
				})
			}
		}
	},
	"Request.Explain": func(t *testing.T, reader *store.Client) {
		for _, unit := range units {
			for _, window := range []string{"from=-2h&vs=-30m&sel=" + fmt.Sprintf("%d~%d", now.Unix()-1800, now.Unix()), "from=-1h"} {
				r, rg := resolved(t, window+unit)
				q, err := r.Explain(rg, query.Schema{})
				asks(t, reader, "explain "+window+unit, q.Statement, err, func(_ int, column func(string) any) (any, error) {
					n := func(name string) []uint64 { return column(name).([]uint64) }
					f := func(name string) []float64 { return column(name).([]float64) }
					x, err := q.Read(query.ExplainRows{
						Aspect: column("aspect").([]uint8), Distinct: n("distinct"), Risers: n("risers"), Rise: f("rise"), Fall: f("fall"),
						Keys: column("keys").([][]string), Labels: column("labels").([][]string), Now: f("now"), Before: f("before"),
						PacketsNow: f("packets_now"), PacketsBefore: f("packets_before"), BytesNow: f("bytes_now"), BytesBefore: f("bytes_before")})
					for _, a := range x.Aspects {
						for _, v := range a.Values {
							if _, err := filter.Parse(v.Filter, filter.Names{}); err != nil {
								t.Errorf("filter %s of %v: %v", v.Filter, v.Key, err)
							}
						}
					}
					return x, err
				})
			}
		}
	},
	"Request.Interfaces": func(t *testing.T, reader *store.Client) {
		for _, window := range []string{"-2h", "-30d", "-3000d"} {
			for _, s := range []query.Schema{{}, {Rollups: rollupsOf(t, reader)}} {
				q, err := query.Request{From: window, To: "now"}.Interfaces(now, s, "")
				asks(t, reader, "interfaces "+window, q.Statement, err, func(rows int, column func(string) any) (any, error) { return q.Read(rows, column) })
			}
		}
	},
	"Link.Counted": func(t *testing.T, reader *store.Client) {
		for _, q := range []string{"from=-2h", "from=-3d&step=86400&tz=Asia/Kathmandu"} {
			_, rg := resolved(t, q)
			st := query.Link{Exporter: netip.MustParseAddr("2001:db8::1"), Index: 1}.Counted(rg, query.Schema{})
			asks(t, reader, "counted "+q, st, nil, func(rows int, column func(string) any) (any, error) { return query.ReadCounted(rg, rows, column) })
		}
	},
	"Link.Weeks": func(t *testing.T, reader *store.Client) {
		q, ok, err := query.Link{Exporter: netip.MustParseAddr("2001:db8::1"), Index: 1}.Weeks(now, "utc", query.Schema{Rollups: rollupsOf(t, reader)})
		if !ok {
			t.Error("no weeks")
		}
		asks(t, reader, "weeks", q.Statement, err, func(rows int, column func(string) any) (any, error) { return q.Read(rows, column) })
	},
	"Flows.Page": func(t *testing.T, reader *store.Client) {
		for i, f := range flow.Table.Fields {
			for j, sign := range []string{"", "-"} {
				if !sampled(i + j) {
					continue
				}
				p, _, err := query.ParseFlows(url.Values{"from": {"-2h"}, "columns": {"all"}, "sort": {sign + f.Name}, "limit": {"7"}}, false)
				if err != nil {
					t.Fatal(err)
				}
				_, rg := resolved(t, "from=-2h")
				st, err := p.Page(rg, query.Schema{})
				asks(t, reader, "page by "+sign+f.Name, st, err, func(rows int, column func(string) any) (any, error) {
					next, _ := p.Places(column("ts").([]uint64), column("tie").([]uint64), column("value").([]string))
					again, _, err := query.ParseFlows(url.Values{"from": {"-2h"}, "sort": {sign + f.Name}, "limit": {"7"}, "cursor": {next}}, false)
					if err == nil {
						st, err := again.Page(rg, query.Schema{})
						asks(t, reader, "next page by "+sign+f.Name, st, err, nil)
					}
					return nil, err
				})
			}
		}
	},
	"Flows.Export": func(t *testing.T, reader *store.Client) {
		p, _, err := query.ParseFlows(url.Values{"from": {"-2h"}, "columns": {"all"}}, true)
		if err != nil {
			t.Fatal(err)
		}
		_, rg := resolved(t, "from=-2h")
		for _, as := range []string{"CSVWithNames", "JSONEachRow"} {
			st, err := p.Export(rg, query.Schema{}, as == "CSVWithNames")
			if err != nil {
				t.Fatal(err)
			}
			body, err := reader.Stream(t.Context(), store.Query{SQL: st.SQL, Params: st.Params}, as)
			if err != nil {
				t.Fatalf("%s: %v", as, err)
			}
			text, err := io.ReadAll(body)
			body.Close()
			if err != nil || len(text) < 1000 || strings.Contains(string(text), "\nnan") {
				t.Errorf("%s: %d octets, %v", as, len(text), err)
			}
		}
	},
	"Flows.Reads": func(t *testing.T, reader *store.Client) {
		p, _, err := query.ParseFlows(url.Values{"from": {"-2h"}, "sort": {"ScaledBytes"}}, false)
		if err != nil {
			t.Fatal(err)
		}
		_, rg := resolved(t, "from=-2h")
		st, err := p.Reads(rg, query.Schema{})
		st.SQL = "SELECT count() FROM (" + st.SQL + ")" // it is estimated, never read
		asks(t, reader, "reads", st, err, nil)
	},
	"Values": func(t *testing.T, reader *store.Client) {
		for _, f := range filter.Catalogue() {
			if q, ok := query.Values(f.Name, query.Schema{}); ok {
				// The rows are of another time than the clock of the engine.
				q.SQL = strings.ReplaceAll(q.SQL, "now()", fmt.Sprintf("toDateTime(%d)", now.Unix()))
				asks(t, reader, "values of "+f.Name, q.Statement, nil, func(rows int, column func(string) any) (any, error) {
					return q.Items(column("keys").([][]string), column("labels").([][]string), column("rate").([]float64), query.Schema{}), nil
				})
			}
		}
	},
	"Coverage": func(t *testing.T, reader *store.Client) {
		sql := strings.ReplaceAll(query.Coverage(query.Schema{}).SQL, "now()", fmt.Sprintf("toDateTime(%d)", now.Unix()))
		asks(t, reader, "coverage", query.Statement{SQL: sql}, nil, nil)
	},
	"RollupState": func(t *testing.T, reader *store.Client) {
		asks(t, reader, "state of rollups", query.Statement{SQL: query.RollupState(access.Everything).SQL}, nil, nil)
	},
	"FoldedMark": func(t *testing.T, reader *store.Client) {
		asks(t, reader, "mark of folded steps", query.Statement{SQL: query.FoldedMark(access.Everything).SQL}, nil, nil)
	},
	"FoldedState": func(t *testing.T, reader *store.Client) {
		asks(t, reader, "folded steps", query.Statement{SQL: query.FoldedState(access.Everything).SQL}, nil, nil)
	},
	"Span": func(t *testing.T, reader *store.Client) {
		for _, scope := range []string{"", "src.port < 1024", "bytes > 0"} {
			asks(t, reader, "span of "+scope, query.Span(scopeOf(t, scope)), nil, nil)
		}
	},
	"Rollup.First": func(t *testing.T, reader *store.Client) {
		asks(t, reader, "first of a rollup", query.Rollup{Table: "rollup_1h"}.First(access.Everything), nil, nil)
	},
	"Stored": func(t *testing.T, reader *store.Client) {
		asks(t, reader, "stored", query.Stored(access.Everything, 0, []string{"2001:db8::1"}), nil, nil)
	},
	"LastOfGaps": func(t *testing.T, reader *store.Client) {
		gaps := []query.Gap{{Exporter: netip.MustParseAddr("2001:db8::1"), Type: 1, Domain: 1<<32 - 1, From: 1<<32 - 1, Length: 1 << 32}}
		asks(t, reader, "gaps", query.LastOfGaps(access.Everything, gaps, 0, 1<<32-1), nil, nil)
	},
	"OnceState": func(t *testing.T, reader *store.Client) {
		asks(t, reader, "state of once", query.Statement{SQL: query.OnceState()}, nil, nil)
	},
}

// statementBuilders are the exported functions of package query that make statements: they
// give back a Statement or something with one in it, or a text that is SQL.
func statementBuilders(t *testing.T) (names []string) {
	t.Helper()
	sources, err := filepath.Glob("../*.go")
	if err != nil {
		t.Fatal(err)
	}
	holds := map[string]bool{"Statement": true} // types
	var funcs []*ast.FuncDecl
	for _, source := range sources {
		file, err := parser.ParseFile(token.NewFileSet(), source, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		if file.Name.Name != "query" { // a test from outside
			continue
		}
		for _, d := range file.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				funcs = append(funcs, d)
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					if s, ok := spec.(*ast.TypeSpec); ok {
						if fields, ok := s.Type.(*ast.StructType); ok {
							for _, f := range fields.Fields.List {
								if id, ok := f.Type.(*ast.Ident); ok && id.Name == "Statement" {
									holds[s.Name.Name] = true
								}
							}
						}
					}
				}
			}
		}
	}
	for _, f := range funcs {
		if !f.Name.IsExported() || f.Type.Results == nil {
			continue
		}
		makes := false
		for _, r := range f.Type.Results.List {
			id, ok := r.Type.(*ast.Ident)
			if !ok {
				continue
			}
			makes = makes || holds[id.Name]
			if id.Name == "string" {
				ast.Inspect(f.Body, func(n ast.Node) bool {
					if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING && strings.HasPrefix(strings.Trim(lit.Value, "`\""), "SELECT ") {
						makes = true
					}
					return true
				})
			}
		}
		if !makes {
			continue
		}
		name := f.Name.Name
		if f.Recv != nil {
			of := f.Recv.List[0].Type
			if p, ok := of.(*ast.StarExpr); ok {
				of = p.X
			}
			name = of.(*ast.Ident).Name + "." + name
		}
		if !strings.HasPrefix(name, "Schema.") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// plain are the functions whose statements work nothing out: TestStatements runs them.
var plain = []string{"DeleteEvent", "Disks", "EventReports", "Events", "Kill", "PutEvent", "Running", "Storage"}

// scopeOf is a scope of a filter, Everything without one.
func scopeOf(t *testing.T, text string) access.Scope {
	t.Helper()
	if text == "" {
		return access.Everything
	}
	scope, err := access.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return scope
}

// TestEveryStatement runs every statement that package query can make over extreme values:
// none fails, and no answer has a number that JSON cannot hold.
func TestEveryStatement(t *testing.T) {
	names := statementBuilders(t)
	for _, name := range names {
		if builders[name] == nil && !slices.Contains(plain, name) {
			t.Errorf("%s makes statements that no test runs over extreme values", name)
		}
	}
	for name := range builders {
		if !slices.Contains(names, name) {
			t.Errorf("%s makes no statement", name)
		}
	}
	_, reader := extremeTables(t, 300)
	for _, name := range names {
		if run := builders[name]; run != nil {
			t.Run(name, func(t *testing.T) { run(t, reader) })
		}
	}
}

var most = new(big.Int).SetUint64(math.MaxUint64)

// ended is a true sum as answers have it.
func ended(sum *big.Int) uint64 {
	if sum.Cmp(most) > 0 {
		return math.MaxUint64
	}
	return sum.Uint64()
}

// TestSumsEnd compares sums over extreme values with those of arithmetic without bounds, of
// the flows and of the rollups: all are exact, or 2^64−1 where they are more.
func TestSumsEnd(t *testing.T) {
	w, reader := extremeTables(t, 300)
	res, _, err := w.Select(t.Context(), store.Query{SQL: fmt.Sprintf("SELECT toString(Direction), toString(FlowType), Bytes, Packets, SamplingRate, SrcAS FROM flows WHERE TimeReceived >= %d AND TimeReceived < %d", now.Unix()-7200, now.Unix())})
	if err != nil || res.Rows < 200 {
		t.Fatalf("%v, %d rows", err, res.Rows)
	}
	dirs, types := res.Columns[0].([]string), res.Columns[1].([]string)
	bytes, packets := res.Columns[2].([]uint64), res.Columns[3].([]uint64)
	rates, ases := res.Columns[4].([]uint32), res.Columns[5].([]uint32)
	number := func(n uint64) *big.Int { return new(big.Int).SetUint64(n) }
	counted := func(unit, layer string, i int) *big.Int {
		rate := number(uint64(rates[i]))
		switch unit {
		case "packets":
			return rate.Mul(rate, number(packets[i]))
		case "flows":
			return big.NewInt(1)
		}
		v, head := number(bytes[i]), int64(0)
		if layer == "l1" {
			head = 20
		}
		if layer != "l3" && types[i] != "sflow" {
			head += 18
		}
		return rate.Mul(rate, v.Add(v, new(big.Int).Mul(big.NewInt(head), number(packets[i]))))
	}
	whole, large := 0, 0
	for _, unit := range []string{"bytes", "packets", "flows"} {
		for _, layer := range []string{"l3", "l2", "l1"} {
			// Of each direction, of each AS in it, and of the AS in all.
			sums := map[string]*big.Int{}
			for i := range dirs {
				for _, key := range []string{dirs[i], fmt.Sprint(dirs[i], " ", ases[i]), fmt.Sprint("sum ", ases[i]), "sum"} {
					if sums[key] == nil {
						sums[key] = new(big.Int)
					}
					sums[key].Add(sums[key], counted(unit, layer, i))
				}
			}
			for _, more := range []string{"", "&dir=sum", "&agg=peak", "&spread=1&dir=sum", "&vs=-1h", "&skip=1"} {
				for _, s := range []query.Schema{{Once: true}, {Rollups: rollupsOf(t, reader)}} {
					q := fmt.Sprintf("from=%d&to=%d&step=600&unit=%s&layer=%s&by=src.as%s", now.Unix()-7200, now.Unix(), unit, layer, more)
					_, _, got := answer(t, reader, q, s)
					for _, total := range got.Total {
						want := ended(sums[total.Dir])
						if strings.Contains(more, "spread") { // records reach in from other times
							continue
						}
						if total.Total != want {
							t.Errorf("%s: %s is %d, want %d (%v)", q, total.Dir, total.Total, want, sums[total.Dir])
						}
						if want == math.MaxUint64 {
							large++
						} else {
							whole++
						}
					}
					for _, one := range got.Series {
						if one.Other || strings.Contains(more, "spread") {
							continue
						}
						if want := ended(sums[one.Dir+" "+one.Key[0]]); one.Total != want {
							t.Errorf("%s: %s of %v is %d, want %d", q, one.Dir, one.Key, one.Total, want)
						}
					}
				}
			}
			r, rg := resolved(t, fmt.Sprintf("from=%d&to=%d&unit=%s&layer=%s", now.Unix()-7200, now.Unix(), unit, layer))
			for _, s := range []query.Schema{{}, {Rollups: rollupsOf(t, reader)}} {
				fq, err := r.Facets(rg, s, "src.as")
				if err != nil {
					t.Fatal(err)
				}
				res, _, err := reader.Select(t.Context(), store.Query{SQL: fq.SQL, Params: fq.Params})
				if err != nil {
					t.Fatal(err)
				}
				for i, total := range res.Column("total").([]uint64) {
					key := res.Column("keys").([][]string)[i][0]
					if want := ended(sums["sum "+key]); total != want {
						t.Errorf("facets %s %s: AS %s has %d, want %d", unit, layer, key, total, want)
					}
				}
				if got, want := res.Column("whole").([]uint64)[0], ended(sums["sum"]); got != want {
					t.Errorf("facets %s %s: all have %d, want %d", unit, layer, got, want)
				}
			}
		}
	}
	if whole == 0 || large == 0 {
		t.Errorf("%d sums that fit and %d that do not: the values are not extreme", whole, large)
	}
	// What users write: the sums of computed columns have more bits than any of them needs.
	want := new(big.Int)
	for i := range dirs {
		want.Add(want, new(big.Int).Mul(number(bytes[i]), number(uint64(rates[i]))))
	}
	res, _, err = reader.Select(t.Context(), store.Query{SQL: fmt.Sprintf("SELECT toString(sum(ScaledBytes)) FROM flows WHERE TimeReceived >= %d AND TimeReceived < %d", now.Unix()-7200, now.Unix())})
	if err != nil || res.Columns[0].([]string)[0] != want.String() {
		t.Errorf("sum(ScaledBytes) is %v, want %v (%v)", res, want, err)
	}
}

// TestForgedRecords plays what was sent to break answers: one record with packets that make a
// divisor 0, and records whose sum is exactly 2^64.
func TestForgedRecords(t *testing.T) {
	w, reader := enginetest.Clients(t)
	if err := w.Exec(t.Context(), (store.Schema{Table: &flow.Table}).Create()); err != nil {
		t.Fatal(err)
	}
	sql := fmt.Sprintf("INSERT INTO flows (TimeReceived, SamplingRate, Bytes, Packets) SELECT %d, 2, 9223372036854775808, 288230376151711744 FROM numbers(10)", now.Unix()-60)
	if err := w.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
	_, _, res := answer(t, reader, "from=-2m&unit=bytes&dir=sum", query.Schema{})
	if res.Total[0].Total != math.MaxUint64 || len(res.Notes) == 0 {
		t.Errorf("10 records of 2^64 bytes are %d, %q", res.Total[0].Total, res.Notes)
	}
	r, rg := resolved(t, "from=-2m")
	q, err := r.Explain(rg, query.Schema{})
	asks(t, reader, "explain", q.Statement, err, nil)
}
