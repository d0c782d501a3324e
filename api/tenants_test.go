package api

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"netmeta/access"
	"netmeta/event"
	"netmeta/flow"
	"netmeta/internal/enginetest"
	"netmeta/store"
)

// tenant is somebody who may see the flows of one exporter.
func tenant(t testing.TB, name, exporter string) access.Identity {
	t.Helper()
	scope, err := access.Parse("exporter = " + exporter)
	if err != nil {
		t.Fatal(err)
	}
	return access.Identity{Name: name, Scope: scope}
}

// byHeader says who a request is from.
func byHeader(who ...access.Identity) func(*http.Request) access.Identity {
	return func(r *http.Request) access.Identity {
		for _, w := range who {
			if r.Header.Get("Test-Who") == w.Name {
				return w
			}
		}
		return access.Identity{Name: "nobody", Scope: access.Nothing}
	}
}

// as is a request of somebody.
func as(h http.Handler, who access.Identity, method, target, body string) *httptest.ResponseRecorder {
	rec := httptest.NewRecorder()
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Header.Set("Test-Who", who.Name)
	h.ServeHTTP(rec, r)
	return rec
}

// tenantTargets are requests of each route that answers somebody with a scope, by its ID.
var tenantTargets = map[string][]string{
	"query": {"/api/v1/query?from=-2h&by=exporter", "/api/v1/query?from=-2h&by=src.as,in.if&vs=-30m", "/api/v1/query?from=-7h&step=60&by=in.if&unit=pct", "/api/v1/query?q=src+port+53+or+exporter=203.0.113.2",
		"/api/v1/query?q=exporter=203.0.113.2&from=-2h"},
	"queryCSV":           {"/api/v1/query.csv?from=-2h&by=exporter"},
	"facets":             {"/api/v1/facets?from=-2h", "/api/v1/facets?from=-2h&facets=exporter,in.if&q=tcp+or+udp"},
	"flows":              {"/api/v1/flows?from=-2h&limit=100&columns=all", "/api/v1/flows?from=-2h&limit=50&sort=-Bytes", "/api/v1/flows?from=-2h&format=csv&columns=exporter,Bytes"},
	"explain":            {"/api/v1/explain?from=-1h"},
	"stream":             nil, // asks as query does
	"fields":             {"/api/v1/fields"},
	"checkFilter":        {"/api/v1/filter/check?q=exporter=203.0.113.2"},
	"checkFilterPost":    nil, // as the one before
	"completeFilter":     nil, // below: rates change with the clock
	"completeFilterPost": nil, // as the one before
	"events":             {"/api/v1/events?from=-2h"},
	"exporters":          {"/api/v1/exporters"},
	"interfaces":         {"/api/v1/interfaces?from=-2h", "/api/v1/interfaces?from=-2h&exporter=203.0.113.2"},
	"interface":          {"/api/v1/interfaces/203.0.113.1/3?from=-2h", "/api/v1/interfaces/203.0.113.2/3?from=-2h"},
	"queries":            nil, // TestOwnQueries
	"endQuery":           nil, // TestOwnQueries
	"openapi":            nil, // a document
}

// Each route gives somebody with a scope what it gives anybody where the store has no other
// rows, also when somebody with another scope has asked the same before. What is not about
// rows is refused.
func TestTenants(t *testing.T) {
	a, b := tenant(t, "a", "203.0.113.1"), tenant(t, "b", "203.0.113.2")
	all := seeded(t)
	database := all.Store.Database
	res, _, err := all.Writer.Select(t.Context(), store.Query{SQL: "SELECT name FROM system.columns WHERE database = currentDatabase() AND table = 'flows' AND default_kind = ''"})
	if err != nil {
		t.Fatal(err)
	}
	columns := res.Columns[0].([]string)
	schema := store.Schema{Table: &flow.Table, Columns: columns, RollupDays: map[int64]int{60: 0, 3600: 0}}
	list := strings.Join(columns, ", ")
	fill := func(where string) *Server { // the oldest flow is of a, so that both stores begin at the same time
		s, w := empty(t)
		s.Now = all.Now
		if err := store.Migrate(t.Context(), w, schema, s.Log); err != nil {
			t.Fatal(err)
		}
		if err := w.Exec(t.Context(), "INSERT INTO flows ("+list+") SELECT "+list+" FROM (SELECT * REPLACE (if(DstPort = 9999, toIPv6('203.0.113.1'), ExporterAddress) AS ExporterAddress) FROM "+database+".flows) WHERE "+where); err != nil {
			t.Fatal(err)
		}
		enginetest.Roll(t, w, schema, s.now().Unix())
		return s
	}
	both, alone := fill("1"), fill("ExporterAddress = toIPv6('203.0.113.1')")
	exporters := []Exporter{{Address: "203.0.113.1", Type: "ipfix"}, {Address: "203.0.113.2", Type: "ipfix"}}
	both.Process, alone.Process = &process{now: both.now(), exporters: exporters}, &process{now: both.now(), exporters: exporters[:1]}
	if err := event.Put(t.Context(), both.Writer, event.Event{ID: "x", Kind: "attack", Start: both.now().Unix() - 60, Severity: "info", Text: "of b"}); err != nil {
		t.Fatal(err)
	}
	both.Identify = byHeader(a, b)
	h, own := both.Handler(), alone.Handler()
	for _, route := range Routes() {
		if !route.Scoped {
			if route.Need == Public || route.ID == "" && route.Path == "/help/filter" {
				continue
			}
			path := strings.NewReplacer("{id}", "x", "{slug}", "x", "{name}", "x").Replace(route.Path)
			if rec := as(h, a, route.Method, path, "{}"); rec.Code != http.StatusForbidden {
				t.Errorf("%s %s: somebody with a scope gets %d %.200s", route.Method, route.Path, rec.Code, rec.Body)
			}
			continue
		}
		targets, known := tenantTargets[route.ID]
		if !known {
			t.Errorf("%s %s answers somebody with a scope, and no test asks", route.Method, route.Path)
		}
		for _, target := range targets {
			theirs := told(t, as(h, b, route.Method, target, ""))
			answer := as(h, a, route.Method, target, "")
			for _, foreign := range []string{"203.0.113.2", "192.0.2.77"} {
				if !strings.Contains(target, foreign) && strings.Contains(answer.Body.String(), foreign) {
					t.Errorf("%s: somebody with a scope sees %s", target, foreign)
				}
			}
			got := told(t, answer)
			want := told(t, as(own, access.Identity{}, route.Method, target, ""))
			if got != want {
				t.Errorf("%s: somebody with the scope gets\n%.800s\nand not\n%.800s", target, got, want)
			}
			if again := told(t, as(h, a, route.Method, target, "")); again != got {
				t.Errorf("%s: asked again\n%.400s", target, again)
			}
			if target == tenantTargets["query"][0] && theirs == got {
				t.Errorf("%s: both scopes get the same", target)
			}
			if none := as(h, access.Identity{}, route.Method, target, ""); !strings.Contains(target, "203.0.113.1") && strings.Contains(none.Body.String(), "203.0.113.1") {
				t.Errorf("%s: who may see nothing gets %.400s", target, none.Body)
			}
		}
	}
	// Values of the last minutes to complete with, once they are there.
	for _, x := range []struct {
		who         access.Identity
		has, hasNot string
	}{{a, "203.0.113.1", "203.0.113.2"}, {b, "203.0.113.2", "203.0.113.1"}} {
		until(t, "values are there", func() bool {
			body := as(h, x.who, "GET", "/api/v1/filter/complete?text=exporter+%3D+", "").Body.String()
			if strings.Contains(body, x.hasNot) {
				t.Errorf("%s completes with %s", x.who.Name, body)
			}
			return strings.Contains(body, x.has)
		})
	}
}

// told is an answer without what it cost.
func told(t *testing.T, rec *httptest.ResponseRecorder) string {
	t.Helper()
	if rec.Code != http.StatusOK {
		t.Fatalf("%d %.300s", rec.Code, rec.Body)
	}
	var v map[string]any
	if json.Unmarshal(rec.Body.Bytes(), &v) != nil {
		return rec.Body.String()
	}
	if meta, ok := v["meta"].(map[string]any); ok {
		for _, key := range []string{"sql", "params", "rows", "bytes", "ms", "table", "notes"} {
			delete(meta, key)
		}
	}
	delete(v, "ignored")
	list, _ := v["exporters"].([]any)
	for _, x := range list { // of the last five minutes by the clock
		delete(x.(map[string]any), "coverage")
	}
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// A cache never gives an answer to somebody with another scope.
func TestCacheScopes(t *testing.T) {
	var c cache[string]
	a, b := tenant(t, "a", "192.0.2.1"), tenant(t, "b", "192.0.2.2")
	second := access.Identity{Name: "a2", Scope: a.Scope}
	asked := 0
	get := func(ctx context.Context) string {
		got, err := c.get(ctx, "key", func() (string, error) {
			asked++
			return access.From(ctx).Name, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	for _, x := range []struct {
		who  access.Identity
		want string
	}{{a, "a"}, {b, "b"}, {a, "a"}, {second, "a"}, {access.Identity{Name: "all"}, "all"}, {access.Identity{Name: "none", Scope: access.Nothing}, "none"}, {b, "b"}} {
		if got := get(access.With(t.Context(), x.who)); got != x.want {
			t.Errorf("%s gets the answer of %s", x.who.Name, got)
		}
	}
	if asked != 4 {
		t.Errorf("asked %d times, want 4", asked)
	}
}

// A comment tells who asks, whatever the name is.
func TestCommentOf(t *testing.T) {
	for _, name := range []string{"", "alice", "by=bob tab-7", "it's %41\n", "münchen"} {
		for _, tag := range []string{"", "tab-7"} {
			what, gotTag, owner := whoAsks(commentOf("query", tag, access.Identity{Name: name}))
			if what != "query" || gotTag != tag || owner != name {
				t.Errorf("%q %q: %q %q %q", name, tag, what, gotTag, owner)
			}
		}
	}
	if got := commentOf("query", "tab-7", access.Identity{}); got != "netmeta asks query tab-7" {
		t.Error(got)
	}
}

// Somebody with a scope sees and ends own queries only.
func TestMayEnd(t *testing.T) {
	a := tenant(t, "a", "192.0.2.1")
	nameless := access.Identity{Scope: a.Scope}
	for _, c := range []struct {
		who  access.Identity
		q    RunningQuery
		want bool
	}{
		{access.Identity{}, RunningQuery{What: "query", Owner: "a"}, true},
		{access.Identity{Name: "admin"}, RunningQuery{What: ""}, true},
		{a, RunningQuery{What: "query", Owner: "a"}, true},
		{a, RunningQuery{What: "query", Owner: "b"}, false},
		{a, RunningQuery{What: "query"}, false},
		{a, RunningQuery{Owner: "a"}, false}, // an SQL client that says so
		{nameless, RunningQuery{What: "query"}, false},
	} {
		if got := mayEnd(c.who, c.q); got != c.want {
			t.Errorf("%q may end %+v: %v", c.who.Name, c.q, got)
		}
	}
}

// The same over the engine: two tenants ask under the same tag, and each sees and ends its own.
func TestOwnQueries(t *testing.T) {
	_, _, page, writer := endlessClients(t)
	s := serverFor(page, time.Now())
	s.Writer = writer
	scope, err := access.Parse("bytes > 7")
	if err != nil {
		t.Fatal(err)
	}
	a, b := access.Identity{Name: "a b", Scope: scope}, access.Identity{Name: "b", Scope: scope}
	s.Identify = byHeader(a, b, access.Identity{Name: "all"})
	h := s.Handler()
	list := func(who access.Identity) []RunningQuery {
		var got RunningQueries
		if err := json.Unmarshal(as(h, who, "GET", "/api/v1/queries", "").Body.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		return got.Queries
	}
	ended := map[string]chan int{}
	for _, who := range []access.Identity{a, b} {
		status := make(chan int, 1)
		ended[who.Name] = status
		go func() {
			r := httptest.NewRequest("GET", "/api/v1/query", nil)
			r.Header.Set("Test-Who", who.Name)
			r.Header.Set("Query-Tag", "tab-7")
			rec := httptest.NewRecorder()
			h.ServeHTTP(rec, r)
			status <- rec.Code
		}()
		until(t, "the query of "+who.Name+" runs", func() bool { return len(list(who)) == 1 })
	}
	until(t, "both run", func() bool { return len(list(access.Identity{Name: "all"})) == 2 })
	theirs := list(b)[0].ID
	if rec := as(h, a, "DELETE", "/api/v1/queries/"+theirs, ""); rec.Code != http.StatusNotFound {
		t.Errorf("a ends the query of b: %d %s", rec.Code, rec.Body)
	}
	if rec := as(h, a, "DELETE", "/api/v1/queries/tab-7", ""); rec.Code != http.StatusNoContent {
		t.Errorf("a cannot end its own: %d %s", rec.Code, rec.Body)
	}
	if status := <-ended["a b"]; status != http.StatusConflict {
		t.Errorf("a gets %d", status)
	}
	until(t, "that of a is gone", func() bool { return len(list(a)) == 0 })
	if q := list(b); len(q) != 1 || q[0].ID != theirs {
		t.Errorf("b has %+v left", q)
	}
	if rec := as(h, access.Identity{Name: "all"}, "DELETE", "/api/v1/queries/"+theirs, ""); rec.Code != http.StatusNoContent {
		t.Errorf("who may see everything cannot end it: %d %s", rec.Code, rec.Body)
	}
	<-ended["b"]
}
