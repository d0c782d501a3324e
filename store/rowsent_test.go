package store

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// Every statement of a client of some rows says which, whatever its own settings are.
func TestWithRowsIsSent(t *testing.T) {
	type request struct{ filters, header string }
	var got request
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		got = request{r.URL.Query().Get("additional_table_filters"), r.Header.Get("X-NetMeta-Scoped")}
	}))
	defer server.Close()
	all := NewClient(server.URL, "page", "", "")
	all.Parts = new(Parts)
	some := all.WithRows(map[string]string{"flows": `Tenant = 'it''s \\'`, "counters": "0"})
	q := Query{SQL: "SELECT 1", Settings: map[string]string{"additional_table_filters": "{}", "max_threads": "1"}}
	each := func(c *Client, want request) {
		t.Helper()
		for what, call := range map[string]func() error{
			"Exec":   func() error { return c.Exec(t.Context(), q.SQL) },
			"Do":     func() error { return c.Do(t.Context(), q) },
			"Select": func() error { _, _, err := c.Select(t.Context(), q); return err },
			"plain":  func() error { _, err := c.plain(t.Context(), q); return err },
			"Stream": func() error {
				body, err := c.Stream(t.Context(), q, "CSV")
				if err == nil {
					body.Close()
				}
				return err
			},
		} {
			got = request{}
			if err := call(); err != nil {
				t.Errorf("%s: %v", what, err)
			}
			if got != want {
				t.Errorf("%s: %+v\nwant %+v", what, got, want)
			}
		}
	}
	each(some, request{`{'counters':'0','flows':'Tenant = \'it\'\'s \\\\\''}`, "1"})
	all.Parts.add(Part{Table: "flows", Name: "a_1_1_0"})
	all.Parts.add(Part{Table: "flows", Name: "b_1_1_0"})
	all.Parts.add(Part{Table: "events", Name: "c_1_1_0"})
	want := `{'counters':'0','events':'0','flows':'(Tenant = \'it\'\'s \\\\\') AND _part NOT IN (\'a_1_1_0\', \'b_1_1_0\')'}`
	if text := some.tableFilters(); text != want {
		t.Errorf("with unreadable parts: %s\nwant %s", text, want)
	}
	want = `{'events':'_part NOT IN (\'c_1_1_0\')','flows':'_part NOT IN (\'a_1_1_0\', \'b_1_1_0\')'}`
	if text := all.tableFilters(); text != want || all.conditions != nil {
		t.Errorf("without rows: %s\nwant %s", text, want)
	}

	got = request{}
	if err := some.Insert(t.Context(), "flows", []string{"Bytes"}, "x", []byte{0}); err == nil || got != (request{}) {
		t.Errorf("it inserts: %v, %+v", err, got)
	}
	for _, none := range []map[string]string{nil, {}} {
		c := NewClient(server.URL, "page", "", "").WithRows(none)
		if err := c.Exec(t.Context(), "SELECT 1"); err == nil || got != (request{}) {
			t.Errorf("without a condition it asks: %v, %+v", err, got)
		}
	}
	conditions := map[string]string{"flows": "1"}
	c := all.WithRows(conditions)
	conditions["flows"] = "0"
	if c.conditions["flows"] != "1" {
		t.Error("the map of the caller is not copied")
	}
}
