package api

import (
	"io"
	"net/http"

	"netmeta/query"
	"netmeta/store"
)

// flows gives the records themselves: a page as columns, or with format=csv and
// format=jsonl all of them up to the limit.
func (s *Server) flows(w http.ResponseWriter, r *http.Request) {
	v := r.URL.Query()
	format := v.Get("format")
	v.Del("format")
	switch format {
	case "", "json", "csv", "jsonl":
	default:
		s.fail(w, r, &query.KeyError{Key: "format", Value: format, Message: "is none of json, csv and jsonl"})
		return
	}
	export := format == "csv" || format == "jsonl"
	f, unknown, err := query.ParseFlows(v, export)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	rg, err := f.Resolve(s.now())
	if err != nil {
		s.fail(w, r, err)
		return
	}
	if export {
		s.exportFlows(w, r, f, rg, format)
		return
	}
	stmt, err := f.Page(rg, s.Schema)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	res, stats, err := s.selectRows(r.Context(), stmt)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	rows := min(res.Rows, f.Limit)
	values := make([]any, len(f.Columns))
	for i := range values {
		if values[i] = []any{}; rows > 0 {
			values[i] = first(res.Columns[i], rows)
		}
	}
	next, cursors := "", []string{}
	if rows > 0 {
		next, cursors = f.Places(res.Column("ts").([]uint64), res.Column("tie").([]uint64), res.Column("value").([]string))
	}
	s.writeJSON(w, struct {
		From    int64              `json:"from"`
		To      int64              `json:"to"`
		Rows    int                `json:"rows"`
		Columns []query.FlowColumn `json:"columns"`
		Values  []any              `json:"values"` // a list for each column
		Cursors []string           `json:"cursors"`
		ASNames map[uint64]string  `json:"as_names"` // by number, of those in values that have one
		Next    string             `json:"next,omitempty"`
		Meta    cost               `json:"meta"`
	}{rg.From, rg.To, rows, f.Describe(), values, cursors, f.ASNames(s.Schema, rows, res.Column), next, costOf(stmt, stats, unknown, s.unreadable(stmt.Tables, rg.From, rg.To)...)})
}

// first are the first n values of a column.
func first(column any, n int) any {
	switch c := column.(type) {
	case []uint64:
		return c[:n]
	case []int64:
		return c[:n]
	case []string:
		return c[:n]
	case [][]string:
		return c[:n]
	}
	return column
}

// exportFlows hands on what the store writes. When the store breaks off after the
// first line the connection is cut, so that nobody takes a part for the whole.
func (s *Server) exportFlows(w http.ResponseWriter, r *http.Request, f query.Flows, rg query.Range, format string) {
	stmt, err := f.Export(rg, s.Schema, format == "csv")
	if err != nil {
		s.fail(w, r, err)
		return
	}
	as := "JSONEachRow"
	if format == "csv" {
		as = "CSVWithNames"
	}
	body, err := s.Store.Stream(r.Context(), store.Query{SQL: stmt.SQL, Params: stmt.Params, Settings: settings(r.Context(),
		"max_execution_time", queryTimeoutText, "output_format_csv_crlf_end_of_line", "1", "output_format_json_quote_64bit_integers", "0",
	)}, as)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	defer body.Close()
	h := csvHeader(w, "flows."+format)
	if format == "jsonl" {
		h.Set("Content-Type", "application/jsonl")
	}
	if _, err := io.Copy(w, body); err != nil {
		s.Log.Warn("export broken off", "err", err)
		panic(http.ErrAbortHandler)
	}
}
