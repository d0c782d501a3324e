package executed

import (
	"fmt"
	"io"
	"log/slog"
	"math"
	"math/rand/v2"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"netmeta/access"
	"netmeta/column"
	"netmeta/counter"
	"netmeta/event"
	"netmeta/flow"
	"netmeta/health"
	"netmeta/internal/enginetest"
	"netmeta/query"
	"netmeta/store"
	"netmeta/tables"
)

// tenants are scopes with the same said in SQL by hand: for the flows, and for the counters,
// of which a scope that needs other fields has no row.
var tenants = []struct{ scope, flows, counters string }{
	{"exporter = 192.0.2.1", "ExporterAddress = toIPv6('192.0.2.1')", "ExporterAddress = toIPv6('192.0.2.1')"},
	{`src.nettenant = "acme" or dst.nettenant = "acme"`, "SrcNetTenant = 'acme' OR DstNetTenant = 'acme'", "0"},
	{"src.port < 1024 and not udp", "SrcPort < 1024 AND Proto != 17", "0"}, // no rollup has it
}

// tenantStore makes all tables.
func tenantStore(t *testing.T) (w, reader *store.Client, schemas []store.Schema) {
	t.Helper()
	w, reader = enginetest.Clients(t)
	schemas = tables.Schemas(store.Policy{Days: 100_000, RollupDays: map[int64]int{60: 100_000, 3600: 100_000}})
	for i := range schemas {
		schemas[i].Columns = []string{"all"}
	}
	if err := store.NewTables(w, schemas, slog.New(slog.DiscardHandler)).Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return w, reader, schemas
}

// countersOf are the readings of two interfaces of each exporter, every minute for an hour.
func countersOf(exporters ...string) *column.Batch {
	b := counter.Table.NewBatch(len(exporters) * 2 * 60)
	for x, exporter := range exporters {
		for i := range 2 * 60 {
			row, at := b.Add(), i/2
			counter.TimeReceived.Set(b, row, uint32(now.Unix()-3600+60*int64(at)))
			counter.ExporterAddress.Set(b, row, column.AddrFrom(netip.MustParseAddr(exporter)))
			counter.SourceClass.Set(b, row, uint8(slices.Index(counter.SourceClass.Field.Enum, "interface")))
			counter.IfIndex.Set(b, row, []uint32{5, 512}[i%2])
			counter.Records.Set(b, row, 1)
			counter.IfName.Set(b, row, column.LabelOf(fmt.Sprint("port of ", exporter)))
			counter.InOctets.Set(b, row, uint64(at*(x+1))*1_000_000)
			counter.OutOctets.Set(b, row, uint64(at*(x+1))*2_000_000)
		}
	}
	return b
}

// Each statement gives somebody with a scope what it gives somebody who may see everything in
// a store that has no other rows.
func TestTenants(t *testing.T) {
	w, reader, schemas := tenantStore(t)
	const rows = 6000
	b := flow.Table.NewBatch(rows)
	rnd := rand.New(rand.NewPCG(19, 23))
	for range rows {
		row := b.Add()
		fill(rnd, b, row, true)
		flow.SequenceNum.Set(b, row, uint32(row))
		if rnd.IntN(10) == 0 {
			flow.Quality.Set(b, row, flow.Implausible)
		}
	}
	insert(t, w, b, "1")
	insert(t, w, countersOf("192.0.2.1", "192.0.2.2"), "1")
	insert(t, w, implausibleSent(), "1")
	if err := event.Put(t.Context(), w, event.Event{ID: "a-1", Kind: "attack", Start: now.Unix() - 60, Severity: "info", Text: "secret"}); err != nil {
		t.Fatal(err)
	}
	enginetest.Roll(t, w, schemas[0], now.Unix())
	if rollupsOf(t, reader) == nil {
		t.Fatal("there are no rollups")
	}
	names := statementBuilders(t)
	for _, name := range names {
		if asTenant[name] == nil && noRows[name] == "" {
			t.Errorf("%s makes statements that no test runs with a scope", name)
		}
	}
	for i, tenant := range tenants {
		t.Run(tenant.scope, func(t *testing.T) {
			scope, err := access.Parse(tenant.scope)
			if err != nil {
				t.Fatal(err)
			}
			aw, alone, _ := tenantStore(t)
			for table, condition := range map[string]string{"flows": tenant.flows, "counters": tenant.counters, "exporters": "1"} {
				if err := aw.Exec(t.Context(), "INSERT INTO "+table+" SELECT * FROM "+w.Database+"."+table+" WHERE "+condition); err != nil {
					t.Fatal(err)
				}
			}
			enginetest.Roll(t, aw, schemas[0], now.Unix())
			matched := make([]bool, rows)
			scope.Match(b, matched)
			n := 0
			for _, is := range matched {
				if is {
					n++
				}
			}
			if got := text(t, alone, query.Statement{SQL: "SELECT count() FROM flows"}); got != fmt.Sprint(n) || n == 0 || n == rows {
				t.Errorf("%d rows of the batch match, and the store has %s", n, got)
			}
			// The same as filters that the store applies itself.
			for table, condition := range query.RowFilters(scope) {
				want := "0"
				if table == "flows" || table == "counters" {
					want = text(t, alone, query.Statement{SQL: "SELECT count() FROM " + table})
				}
				got := text(t, reader, query.Statement{SQL: "SELECT count() FROM " + table + " WHERE " + condition})
				if !strings.HasPrefix(table, "rollup_1") && got != want {
					t.Errorf("%s rows of %s meet %s, want %s", got, table, condition, want)
				}
			}
			walled := reader.WithRows(query.RowFilters(scope)) // the store adds the scope too
			passes := []struct {
				reader  *store.Client
				rollups bool
			}{{reader, true}, {walled, true}, {reader, false}}[:max(2, 3-i)] // without rollups once
			if testing.Short() && i > 0 {
				passes = passes[:1]
			}
			for _, pass := range passes {
				rollups := pass.rollups
				theirs, own := query.Schema{Scope: scope}, query.Schema{}
				if rollups {
					theirs.Rollups, own.Rollups = rollupsOf(t, reader), rollupsOf(t, alone)
				}
				for name, statements := range asTenant {
					some := false
					seen, want := statements(t, theirs), statements(t, own)
					for i := range want {
						got, expected := text(t, pass.reader, seen[i]), text(t, alone, want[i])
						some = some || got != ""
						if !nearlyEqual(got, expected) {
							t.Errorf("%s, statement %d, with rollups %v: somebody with the scope sees\n%.600s\nand not\n%.600s\n%s", name, i, rollups, got, expected, seen[i].SQL)
						}
					}
					if !some && (name != "Link.Counted" || tenant.counters != "0") {
						t.Errorf("%s gives no rows at all", name)
					}
				}
			}
			for name, st := range closedTo(scope) {
				if got := text(t, reader, st); strings.Trim(got, "0\n") != "" {
					t.Errorf("%s: somebody with a scope sees %s", name, got)
				}
			}
		})
	}
	for name, st := range closedTo(access.Everything) {
		if got := text(t, reader, st); strings.Trim(got, "0\n") == "" && !strings.HasPrefix(name, "Folded") {
			t.Errorf("%s: nobody sees anything", name)
		}
	}
	for name := range asTenant {
		for i, st := range asTenant[name](t, query.Schema{Scope: access.Nothing}) {
			if got := text(t, reader, st); strings.Trim(got, "01[] \t\n") != "" {
				t.Errorf("%s, statement %d: who may see nothing sees %.200s", name, i, got)
			}
		}
	}
}

// implausibleSent is a minute in which an exporter has sent implausible records.
func implausibleSent() *column.Batch {
	b := health.Table.NewBatch(1)
	row := b.Add()
	health.TimeReceived.Set(b, row, uint32(now.Unix()/60*60-600))
	health.ExporterAddress.Set(b, row, column.AddrFrom(netip.MustParseAddr("192.0.2.1")))
	health.Implausible.Set(b, row, 1)
	return b
}

// noRows are the functions whose statements read no table of rows, or are no questions.
var noRows = map[string]string{
	"OnceState": "settings of the store", "Storage": "parts", "Disks": "disks", "Running": "queries; the API leaves out those of others",
	"Kill": "ends a query of the list", "PutEvent": "adds a row", "DeleteEvent": "the API refuses it to somebody with a scope",
	"RollupState": "see closedTo", "FoldedMark": "see closedTo", "FoldedState": "see closedTo", "Events": "see closedTo", "EventReports": "see closedTo",
	"Rollup.First": "see closedTo",
}

// closedTo are statements about tables that no scope can tell the rows of apart.
func closedTo(scope access.Scope) map[string]query.Statement {
	return map[string]query.Statement{
		"RollupState": query.RollupState(scope), "FoldedMark": query.FoldedMark(scope), "FoldedState": query.FoldedState(scope),
		"Events": query.Events(scope, now.Unix()-3600, now.Unix(), ""), "EventReports": query.EventReports(scope, "a-1"),
	}
}

// asTenant are the functions of package query that make statements about rows of flows and
// counters, with the ways to call them that make other statements.
var asTenant = map[string]func(t *testing.T, s query.Schema) []query.Statement{
	"Request.Series": func(t *testing.T, s query.Schema) (list []query.Statement) {
		for i, q := range []string{"", "&by=src.as", "&by=src.ip,dst.port&n=3", "&by=in.if&unit=pct", "&by=in.if&unit=pct&rank=delta&vs=prev", "&by=dst.net&rankdir=sum&rank=max",
			"&by=proto&vs=-30m&skip=1&n=2", "&agg=peak&by=exporter", "&spread=1&by=proto", "&q=src+port+53+or+dst+port+80&by=src.nettenant", "&q=not+exporter=192.0.2.2&dir=in&by=exporter",
			"&step=3600&by=src.country", "&step=60&by=exporter&rank=p95"} {
			r, rg := resolved(t, "from=-3h"+q)
			s.Once = i%2 == 0
			st, err := r.Series(rg, s)
			list = append(list, must(t, st, err))
		}
		return list
	},
	"Request.Probe": func(t *testing.T, s query.Schema) (list []query.Statement) {
		for _, q := range []string{"", "exporter = 192.0.2.2", "udp or exporter = 192.0.2.2"} {
			st, err := query.Request{Filter: q, Dir: "both"}.Probe(0, now.Unix(), s)
			list = append(list, must(t, st, err))
		}
		return list
	},
	"Request.Implausible": func(t *testing.T, s query.Schema) []query.Statement {
		r, rg := resolved(t, "from=-3h&q=tcp+or+udp")
		st, err := r.Implausible(rg, s)
		return []query.Statement{must(t, st, err)}
	},
	"Request.Facets": func(t *testing.T, s query.Schema) (list []query.Statement) {
		for _, q := range []string{"", "&q=src+port+53+or+tcp", "&unit=pps"} {
			r, rg := resolved(t, "from=-3h"+q)
			f, err := r.Facets(rg, s, "")
			list = append(list, must(t, f.Statement, err))
			f, err = r.Facets(rg, s, "exporter,in.if,src.nettenant,src.country/dst.country")
			list = append(list, must(t, f.Statement, err))
		}
		return list
	},
	"Request.Explain": func(t *testing.T, s query.Schema) []query.Statement {
		r, rg := resolved(t, "from=-1h&q=tcp+or+udp")
		x, err := r.Explain(rg, s)
		return []query.Statement{must(t, x.Statement, err)}
	},
	"Request.Interfaces": func(t *testing.T, s query.Schema) (list []query.Statement) {
		for _, exporter := range []string{"", "192.0.2.1", "192.0.2.2"} {
			q, err := query.Request{From: "-3h", To: "now"}.Interfaces(now, s, exporter)
			list = append(list, must(t, q.Statement, err))
		}
		return list
	},
	"Link.Counted": func(t *testing.T, s query.Schema) (list []query.Statement) {
		_, rg := resolved(t, "from=-2h")
		for _, exporter := range []string{"192.0.2.1", "192.0.2.2"} {
			list = append(list, query.Link{Exporter: netip.MustParseAddr(exporter), Index: 5}.Counted(rg, s))
		}
		return list
	},
	"Link.Weeks": func(t *testing.T, s query.Schema) (list []query.Statement) {
		if len(s.Rollups) == 0 {
			s.Rollups = []query.Rollup{{Table: "rollup_1h", Step: 3600, Until: now.Unix() / 3600 * 3600}}
		}
		for _, exporter := range []string{"192.0.2.1", "192.0.2.2"} {
			q, ok, err := query.Link{Exporter: netip.MustParseAddr(exporter), Index: 5}.Weeks(now, "utc", s)
			if !ok {
				t.Error("no weeks")
			}
			list = append(list, must(t, q.Statement, err))
		}
		return list
	},
	"Flows.Page": func(t *testing.T, s query.Schema) (list []query.Statement) {
		_, rg := resolved(t, "from=-3h")
		for _, q := range []string{"limit=50", "limit=50&sort=-Bytes", "sort=SrcAddr&q=tcp+or+udp&columns=all", "order=asc&limit=20&columns=exporter,src.nettenant", "columns=exporter&cursor=" + fmt.Sprint(now.Unix()-900) + ".0.0"} {
			v, _ := url.ParseQuery(q)
			p, _, err := query.ParseFlows(v, false)
			if err != nil {
				t.Fatal(err)
			}
			st, err := p.Page(rg, s)
			list = append(list, must(t, st, err))
		}
		return list
	},
	"Flows.Export": func(t *testing.T, s query.Schema) []query.Statement {
		_, rg := resolved(t, "from=-3h")
		p, _, err := query.ParseFlows(url.Values{"columns": {"all"}, "limit": {"100"}}, true)
		if err != nil {
			t.Fatal(err)
		}
		st, err := p.Export(rg, s, true)
		return []query.Statement{must(t, st, err)}
	},
	"Flows.Reads": func(t *testing.T, s query.Schema) []query.Statement {
		_, rg := resolved(t, "from=-3h")
		p, _, err := query.ParseFlows(url.Values{"sort": {"Bytes"}}, false)
		if err != nil {
			t.Fatal(err)
		}
		st, err := p.Reads(rg, s)
		return []query.Statement{must(t, st, err)}
	},
	"Values": func(t *testing.T, s query.Schema) (list []query.Statement) {
		for _, name := range []string{"exporter", "src.as", "in.if", "as", "nettenant"} {
			q, ok := query.Values(name, s)
			if !ok {
				t.Errorf("%s has no values", name)
			}
			list = append(list, q.Statement)
		}
		return list
	},
	"Coverage": func(t *testing.T, s query.Schema) []query.Statement { return []query.Statement{query.Coverage(s)} },
	"Span":     func(t *testing.T, s query.Schema) []query.Statement { return []query.Statement{query.Span(s.Scope)} },
	"Stored": func(t *testing.T, s query.Schema) []query.Statement {
		return []query.Statement{query.Stored(s.Scope, now.Unix()-7200, []string{"192.0.2.1", "192.0.2.2"})}
	},
	"LastOfGaps": func(t *testing.T, s query.Schema) []query.Statement {
		var gaps []query.Gap
		for _, exporter := range []string{"192.0.2.1", "192.0.2.2"} {
			for domain := range uint32(7) {
				gaps = append(gaps, query.Gap{Exporter: netip.MustParseAddr(exporter), Type: 1, Domain: domain, Length: 1 << 32})
			}
		}
		return []query.Statement{query.LastOfGaps(s.Scope, gaps, now.Unix()-7200, now.Unix())}
	},
}

func must(t *testing.T, st query.Statement, err error) query.Statement {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// text is the result of a statement, its rows in order of their texts. The clock of the store
// stands at now.
func text(t *testing.T, c *store.Client, st query.Statement) string {
	t.Helper()
	sql := strings.ReplaceAll(st.SQL, "now()", fmt.Sprintf("toDateTime(%d)", now.Unix()))
	body, err := c.Stream(t.Context(), store.Query{SQL: sql, Params: st.Params}, "TabSeparated")
	if err != nil {
		t.Fatalf("%v\n%s\n%v", err, sql, st.Params)
	}
	defer body.Close()
	all, err := io.ReadAll(body)
	if err != nil {
		t.Fatalf("%v\n%s\n%v", err, sql, st.Params)
	}
	rows := strings.Split(strings.TrimSuffix(string(all), "\n"), "\n")
	slices.Sort(rows)
	return strings.Join(rows, "\n")
}

// nearlyEqual compares results. Sums of Float64, and differences of them, are not the same to the
// last digit in every order of rows.
func nearlyEqual(a, b string) bool {
	return a == b || slices.EqualFunc(strings.FieldsFunc(a, betweenCells), strings.FieldsFunc(b, betweenCells), func(a, b string) bool {
		x, err1 := strconv.ParseFloat(a, 64)
		y, err2 := strconv.ParseFloat(b, 64)
		near := err1 == nil && err2 == nil && strings.ContainsAny(a+b, ".e") && math.Abs(x-y) <= 0.01+1e-9*math.Abs(x)
		return a == b || near
	})
}

func betweenCells(r rune) bool { return r == '\t' || r == '\n' }
