package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"netmeta/api"
	"netmeta/collector"
	"netmeta/enrich"
	"netmeta/filter"
	"netmeta/internal/terminal"
	"netmeta/query"
)

// queryTarget holds the flags of query and top that select the NetMeta or store to query.
type queryTarget struct {
	Config string `type:"path" help:"Configuration file that names the store."`
	Data   string `type:"path" help:"Data directory (default ./data)."`
	Server string `help:"Query a running NetMeta at this URL, e.g. http://127.0.0.1:8080, not the store."`
}

type queryCmd struct {
	queryTarget
	JSON bool     `name:"json" xor:"form" help:"Print the JSON result of the API."`
	CSV  bool     `name:"csv" xor:"form" help:"Print CSV: one line per interval, or per series with of=table."`
	Raw  bool     `help:"Do not escape CSV cells that a spreadsheet would run as formulas."`
	Ask  []string `arg:"" optional:"" name:"key=value" help:"URL parameters of the web UI or a full URL; the rest is the filter."`
}

func (queryCmd) Help() string {
	return `Runs the queries of the web UI on the command line. The keys are its URL parameters:
q (filter), by, from, to, tz, unit, layer, n, skip, rank, dir, vs, step, agg and others.

In CSV, names that begin like a formula (= + - @, tab, carriage return) are prefixed with
an apostrophe, because spreadsheets run formulas. Numbers are unchanged. --raw disables
this. On a terminal, control characters are replaced in every format.

Examples:
  netmeta query
  netmeta query by=src.as from=-6h udp src port 53
  netmeta query by=in.if vs=-7d rank=delta n=20
  netmeta query --csv 'http://127.0.0.1:8080/explore?q=tcp&by=dst.port' > ports.csv
  netmeta query --json unit=pps agg=peak host 192.0.2.7`
}

func (c queryCmd) Run(ctx context.Context) error {
	v, err := parseAsk(c.Ask)
	if err != nil {
		return err
	}
	if c.Raw && !c.CSV {
		return errors.New("--raw needs CSV output; use it with --csv")
	}
	if c.CSV {
		v.Set("format", "csv")
		if c.Raw {
			v.Set("raw", "1")
		}
	}
	a, done, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	text, err := a.get(ctx, "/api/v1/query", v)
	if err != nil {
		return err
	}
	if c.JSON || c.CSV {
		_, err = stdout.Write(text)
		return err
	}
	var r result
	if err := json.Unmarshal(text, &r); err != nil {
		return fmt.Errorf("cannot read the result: %w", err)
	}
	return r.table(stdout, v.Get("q"))
}

// parseAsk parses arguments into URL parameters: key=value, or a full URL. The remaining
// words are the filter.
func parseAsk(args []string) (url.Values, error) {
	v := url.Values{}
	var words []string
	for _, arg := range args {
		key, value, ok := strings.Cut(arg, "=")
		address, keys, isURL := strings.Cut(arg, "?")
		switch {
		case ok && (slices.Contains(query.Keys(), key) || key == "of"):
			v.Set(key, value)
		case isURL && (address == "" || address[0] == '/' || strings.Contains(address, "://")):
			u, err := url.ParseQuery(keys)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", arg, err)
			}
			for k := range u {
				v.Set(k, u.Get(k))
			}
		default:
			words = append(words, arg)
		}
	}
	if len(words) > 0 {
		text := strings.Join(words, " ")
		if q := v.Get("q"); q != "" {
			text = "(" + q + ") and (" + text + ")"
		}
		v.Set("q", text)
	}
	return v, nil
}

// An apiClient queries the API of a running NetMeta, or one in this process on the store.
type apiClient struct {
	base   string
	client http.Client
}

func (c queryTarget) open(ctx context.Context) (*apiClient, func(), error) {
	if c.Server != "" {
		u, err := url.Parse(c.Server)
		if err != nil || u.Host == "" {
			return nil, nil, fmt.Errorf("--server: %q: not a URL; use e.g. http://127.0.0.1:8080", c.Server)
		}
		return &apiClient{base: u.Scheme + "://" + u.Host}, func() {}, nil
	}
	cfg, err := runCmd{Config: c.Config, Data: c.Data}.config()
	if err != nil {
		return nil, nil, err
	}
	if at := collector.RunningOn(ctx, cfg.Data); at != "" && c.Config == "" {
		return &apiClient{base: at}, func() {}, nil
	}
	client, done, err := connect(ctx, c.Config, c.Data)
	if err != nil {
		return nil, nil, err
	}
	quiet := slog.New(slog.DiscardHandler)
	names, err := enrich.New(cfg.Enrich, cfg.Data, quiet)
	if err != nil {
		done()
		return nil, nil, err
	}
	s := &api.Server{Store: client, Log: quiet, Metrics: http.NotFoundHandler(), Page: http.NotFoundHandler()}
	s.Configure(api.Settings{Schema: query.Schema{Names: filter.Names{Macros: cfg.Filter.Macros, ASName: names.ASName, FindAS: names.FindAS},
		ExporterName: names.ExporterName, Interface: names.Interface}})
	return &apiClient{base: "http://localhost", client: http.Client{Transport: handlerTransport{s.Handler()}}}, done, nil
}

// A handlerTransport passes requests to a handler in this process.
type handlerTransport struct{ http.Handler }

// RoundTrip implements http.RoundTripper.
func (i handlerTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	w := responseBuffer{header: http.Header{}, status: http.StatusOK}
	i.ServeHTTP(&w, r)
	return &http.Response{StatusCode: w.status, Header: w.header, Body: io.NopCloser(&w.body), Request: r}, nil
}

type responseBuffer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *responseBuffer) Header() http.Header         { return w.header }
func (w *responseBuffer) WriteHeader(status int)      { w.status = status }
func (w *responseBuffer) Write(b []byte) (int, error) { return w.body.Write(b) }

// get returns the body of a response. A problem becomes an error, which marks the faulty
// part of a filter.
func (a *apiClient) get(ctx context.Context, path string, v url.Values) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.base+path+"?"+v.Encode(), nil)
	if err != nil {
		return nil, err
	}
	resp, err := a.client.Do(req)
	if err != nil {
		var u *url.Error // its text contains the whole query
		if errors.As(err, &u) {
			err = u.Err
		}
		return nil, fmt.Errorf("cannot reach %s: %w; is NetMeta running?", a.base, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode == http.StatusOK {
		return text, err
	}
	var p struct {
		Title, Detail, Suggestion string
		Span                      *[2]int
	}
	if json.Unmarshal(text, &p) != nil || p.Detail == "" {
		return nil, fmt.Errorf("%s returned HTTP status %d", a.base, resp.StatusCode)
	}
	if q := v.Get("q"); p.Span != nil && p.Span[1] <= len(q) {
		from, width := utf8.RuneCountInString(q[:p.Span[0]]), utf8.RuneCountInString(q[p.Span[0]:p.Span[1]])
		p.Detail += "\n  " + q + "\n  " + strings.Repeat(" ", from) + strings.Repeat("^", max(1, width))
	}
	if p.Suggestion != "" {
		p.Detail += "\ndid you mean " + p.Suggestion + "?"
	}
	return nil, errors.New(p.Detail)
}

// result is the part of an API result that is printed.
type result struct {
	query.Result
	Meta struct {
		Rows    uint64
		MS      float64
		Notes   []string
		Unknown []string `json:"unknown_keys"`
		Empty   string
	}
}

// sparkWidth is the width of a sparkline in characters.
const sparkWidth = 24

// table writes the series of each direction with their figures, largest first, followed by
// the total.
func (r *result) table(w io.Writer, filter string) error {
	when := func(t int64) string { return time.Unix(t, 0).Format("2006-01-02 15:04:05") }
	about := "all traffic"
	if filter != "" {
		about = filter
	}
	if len(r.By) > 0 {
		about += " by " + strings.Join(r.By, ", ")
	}
	out := &strings.Builder{}
	fmt.Fprintf(out, "%s\n%s to %s · intervals of %v · %d rows in %.0f ms\n\n", about, when(r.From), when(r.To), time.Duration(r.Step)*time.Second, r.Meta.Rows, r.Meta.MS)
	if len(r.Series) == 0 {
		why := map[string]string{"no-exporter": "no flows received yet", "before-retention": "the range is before the oldest stored flow"}[r.Meta.Empty]
		if why == "" {
			why = "no flows in this range match the filter"
		}
		fmt.Fprintln(out, why)
	} else {
		r.rows(out)
	}
	for _, k := range r.Meta.Unknown {
		r.Meta.Notes = append(r.Meta.Notes, "unknown parameter "+k)
	}
	for _, n := range r.Meta.Notes {
		fmt.Fprintln(out, "note:", n)
	}
	_, err := io.WriteString(w, out.String())
	return err
}

func (r *result) rows(w io.Writer) {
	head := []string{"<dir"}
	for _, name := range r.By {
		head = append(head, "<"+name)
	}
	if len(r.By) == 0 {
		head = append(head, "<")
	}
	width := len(head)
	head = append(head, "avg", "max", "last", "share", "±", "<")
	peak := r.Series[0].Peak != nil
	if peak {
		head = slices.Insert(head, width+2, "peak 1 s")
	}
	if r.VS != nil {
		head = append(head, "previous", "change")
	}
	lines := [][]string{head}
	line := func(dir string, labels []string, f query.Stats, share string, e *float64, values query.Points, vs *query.Versus) {
		cells := append(make([]string, 0, len(head)), dir)
		cells = append(cells, labels...)
		for len(cells) < width {
			cells = append(cells, "")
		}
		show := func(v float64) string { return query.Show(r.Unit, v) }
		cells = append(cells, show(f.Avg), show(f.Max))
		if peak {
			cells = append(cells, show(*f.Peak))
		}
		uncertain := ""
		if e != nil {
			uncertain = fmt.Sprintf("%.2g %%", *e*100)
		}
		cells = append(cells, show(f.Last), share, uncertain, spark(values))
		if vs != nil {
			change := "new"
			if vs.Change != nil {
				change = fmt.Sprintf("%+.0f %%", *vs.Change*100)
			}
			cells = append(cells, show(vs.Avg), change)
		}
		lines = append(lines, cells)
	}
	for _, of := range r.Dirs {
		dir := of
		for _, s := range r.Series {
			if s.Dir != of {
				continue
			}
			labels := s.Label
			if s.Other {
				labels = []string{fmt.Sprintf("Other (%d more)", s.Folded)}
			}
			if s.Larger {
				labels = []string{fmt.Sprintf("Larger (%d)", s.Folded)}
			}
			line(dir, labels, s.Stats, fmt.Sprintf("%.1f %%", s.Share*100), s.Error, s.Values, s.VS)
			dir = ""
		}
		// There is no total in percent of the interface speed.
		i := slices.IndexFunc(r.Total, func(t query.Total) bool { return t.Dir == of })
		if len(r.By) > 0 && i >= 0 {
			total := r.Total[i]
			line(dir, []string{"Total"}, total.Stats, "", nil, total.Values, total.VS)
		}
	}
	align(w, lines)
}

// align writes cells in columns. A heading that begins with < aligns its column to the
// left.
func align(w io.Writer, lines [][]string) {
	left := make([]bool, len(lines[0]))
	for i, h := range lines[0] {
		lines[0][i], left[i] = strings.CutPrefix(h, "<")
	}
	widths := make([]int, len(lines[0]))
	for _, cells := range lines {
		for i, c := range cells {
			c = terminal.Clean(c)
			cells[i] = c
			widths[i] = max(widths[i], utf8.RuneCountInString(c))
		}
	}
	for _, cells := range lines {
		var b strings.Builder
		for i, c := range cells {
			if i > 0 {
				b.WriteString("  ")
			}
			blanks := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(c))
			if left[i] {
				b.WriteString(c + blanks)
			} else {
				b.WriteString(blanks + c)
			}
		}
		fmt.Fprintln(w, strings.TrimRight(b.String(), " "))
	}
}

// spark draws values as a sparkline. A character is the mean of several values if there
// are more than sparkWidth.
func spark(values []float64) string {
	n := min(sparkWidth, len(values))
	means := make([]float64, n)
	for i := range means {
		part := values[i*len(values)/n : (i+1)*len(values)/n]
		for _, v := range part {
			means[i] += v / float64(len(part))
		}
	}
	if n == 0 {
		return ""
	}
	top := slices.Max(means)
	var b strings.Builder
	for _, v := range means {
		if top <= 0 || v <= 0 {
			b.WriteRune(' ')
			continue
		}
		b.WriteRune([]rune("▁▂▃▄▅▆▇█")[int(math.Ceil(v/top*8))-1])
	}
	return b.String()
}
