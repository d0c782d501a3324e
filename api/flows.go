package api

import (
	"context"
	"io"
	"net/http"

	"netmeta/query"
	"netmeta/store"
)

var flowRoutes = []Route{{
	Method: "GET", Path: "/api/v1/flows", Need: Read, Scoped: true, Handler: written[Flows]((*Server).flows),
	ID: "flows", Summary: "The records themselves",
	Description: "A page of records in the order of time or of a column. csv and jsonl are exports: all records up to the limit.",
	Parameters: []Parameter{qKey, fromKey, toKey, tzKey, dirKey,
		textKey("columns", "Columns, e.g. SrcAddr or src.ip, or all. Default: the most important ones.").as("TimeReceived,src.ip,dst.ip,Bytes"),
		integerKey("limit", "Records of a page, 10,000 at most; of an export 1,000,000, or 100,000 in another order than that of time. Default 200, of an export 10,000.").as(50),
		textKey("sort", "A column, e.g. Bytes or bytes, with - before it for the largest first; ts is time. Equal records are ordered by time. Only the first 256 bytes of a text and 64 of a list count. "+
			"Another order than that of time reads the whole range. Default -ts.").as("-Bytes"),
		textKey("order", "Order by time, if sort is omitted: desc, newest first, or asc. Default desc."),
		textKey("cursor", "next of the previous page."),
		textKey("format", "json, csv or jsonl. Default json."), rawKey,
	},
	Answer: Answer{Also: []string{"text/csv", "application/jsonl"}},
}}

// Flows is a page of records, column by column.
type Flows struct {
	From    int64              `json:"from"`
	To      int64              `json:"to"`
	Rows    int                `json:"rows"`
	Columns []query.FlowColumn `json:"columns"`
	Values  []FlowValues       `json:"values"`         // A list for each column.
	Cursors []string           `json:"cursors"`        // For each record the cursor with which a list in the order of time starts at it.
	ASNames map[uint64]string  `json:"as_names"`       // Names of the ASes in the values, by number; those without a known name are omitted.
	Next    string             `json:"next,omitempty"` // The cursor of the next page; omitted on the last one.
	Meta    Cost               `json:"meta"`
}

// FlowValues are the values of a column: numbers, texts or lists of texts.
type FlowValues any

// flows returns the records themselves: a page as columns, or with format=csv and format=jsonl all of them up
// to the limit.
func (s *Server) flows(w http.ResponseWriter, r *http.Request) error {
	v := r.URL.Query()
	format := v.Get("format")
	v.Del("format")
	switch format {
	case "", "json", "csv", "jsonl":
	default:
		return query.Invalid("format", format, "is none of json, csv and jsonl")
	}
	export := format == "csv" || format == "jsonl"
	f, unknown, err := query.ParseFlows(v, export)
	if err != nil {
		return err
	}
	rg, err := f.Resolve(s.now())
	if err != nil {
		return err
	}
	if export {
		return s.exportFlows(w, r, f, rg, format)
	}
	page, err := s.askFlows(r.Context(), f, rg, unknown)
	if err == nil {
		s.writeJSON(w, page)
	}
	return err
}

// askFlows queries a page of records.
func (s *Server) askFlows(ctx context.Context, f query.Flows, rg query.Range, unknown []string) (page Flows, err error) {
	names := s.names(ctx)
	stmt, err := f.Page(rg, names)
	if err != nil {
		return page, err
	}
	res, stats, err := s.selectRows(ctx, stmt)
	if err != nil {
		return page, err
	}
	page = Flows{From: rg.From, To: rg.To, Rows: min(res.Rows, f.Limit), Columns: f.Describe(), Values: make([]FlowValues, len(f.Columns)), Cursors: []string{},
		Meta: costOf(stmt, stats, unknown, s.unreadable(ctx, stmt.Tables, rg.From, rg.To)...)}
	for i := range page.Values {
		if page.Values[i] = []any{}; page.Rows > 0 {
			page.Values[i] = first(res.Columns[i], page.Rows)
		}
	}
	if page.Rows > 0 {
		page.Next, page.Cursors = f.Places(res.Column("ts").([]uint64), res.Column("tie").([]uint64), res.Column("value").([]string))
	}
	page.ASNames = f.ASNames(names, page.Rows, res.Column)
	return page, nil
}

// first returns the first n values of a column.
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

// exportFlows forwards the output of the store. If the store fails after the first line, the connection is
// cut, so that a part is not mistaken for the whole.
func (s *Server) exportFlows(w http.ResponseWriter, r *http.Request, f query.Flows, rg query.Range, format string) error {
	stmt, err := f.Export(rg, s.names(r.Context()), format == "csv")
	if err != nil {
		return err
	}
	as := "JSONEachRow"
	if format == "csv" {
		as = "CSVWithNames"
	}
	body, err := s.reader(r.Context()).Stream(r.Context(), store.Query{SQL: stmt.SQL, Params: stmt.Params, Settings: settings(r.Context(),
		"max_execution_time", queryTimeoutText, "output_format_csv_crlf_end_of_line", "1", "output_format_json_quote_64bit_integers", "0",
	)}, as)
	if err != nil {
		return err
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
	return nil
}
