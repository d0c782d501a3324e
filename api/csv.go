package api

import (
	"encoding/csv"
	"io"
	"net/http"
	"strconv"
	"time"

	"netmeta/query"
)

// queryCSV responds with a table of RFC 4180: with of=series, the default, a line for each series and
// interval; with of=table a line for each series and total. Numbers are not rounded. Names that a spreadsheet
// would execute as formulas are guarded, unless raw=1.
func (s *Server) queryCSV(w http.ResponseWriter, r *http.Request) error {
	v := r.URL.Query()
	of := v.Get("of")
	if of != "" && of != "series" && of != "table" {
		return query.Invalid("of", of, "is neither series nor table")
	}
	raw, err := query.ParseRaw(v)
	if err != nil {
		return err
	}
	a, err := s.ask(r.Context(), v)
	if err != nil {
		return err
	}
	a.rawCSV = raw
	h := csvHeader(w, "netmeta.csv")
	h.Set("X-Netmeta-Through", strconv.FormatInt(a.Meta.Through, 10))
	if of == "table" {
		err = a.tableCSV(w)
	} else {
		err = a.seriesCSV(w)
	}
	if err != nil {
		s.Log.Debug("answer not written", "err", err) // the client has disconnected
	}
	return nil
}

func csvHeader(w http.ResponseWriter, name string) http.Header {
	h := w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8; header=present")
	h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	return h
}

// number writes a float that reads back the same.
func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

func optional(v *float64) string {
	if v == nil {
		return ""
	}
	return number(*v)
}

// group starts a line: kind, direction, and a key and a label for each field of by. Those of Other and of the
// total are empty.
func (a *Result) group(kind, dir string, key, label []string) []string {
	line := []string{kind, dir}
	for i := range a.By {
		if i < len(key) {
			line = append(line, a.cell(key[i]), a.cell(label[i]))
		} else {
			line = append(line, "", "")
		}
	}
	return line
}

// cell is a text in a line.
func (a *Result) cell(text string) string {
	if a.rawCSV {
		return text
	}
	return query.Guarded(text)
}

func (a *Result) groupHeader() []string {
	line := []string{"kind", "dir"}
	for _, name := range a.By {
		line = append(line, name, name+" label")
	}
	return line
}

func kind(one query.Series) string {
	if one.Larger {
		return "larger"
	}
	if one.Other {
		return "other"
	}
	return "series"
}

func (a *Result) seriesCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	head := append([]string{"time"}, append(a.groupHeader(), a.Unit, "sampled packets")...)
	peak, vs := a.request.Agg == "peak", a.VS != nil
	if peak {
		head = append(head, "peak of 1 s")
	}
	if vs {
		head = append(head, "before")
	}
	out.Write(head)
	for _, one := range a.Series {
		group := a.group(kind(one), one.Dir, one.Key, one.Label)
		for i, t := range a.Times {
			line := append([]string{time.Unix(t, 0).In(a.rg.Location).Format(time.RFC3339)}, group...)
			line = append(line, number(one.Values[i]), strconv.FormatUint(one.N[i], 10))
			if peak {
				line = append(line, number(one.Peaks[i]))
			}
			if vs {
				line = append(line, number(one.VS.Values[i]))
			}
			out.Write(line)
		}
	}
	out.Flush()
	return out.Error()
}

func (a *Result) tableCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	head := append(a.groupHeader(), "avg", "max", "last", "total", "share", "error")
	peak, vs := a.request.Agg == "peak", a.VS != nil
	if peak {
		head = append(head, "peak of 1 s")
	}
	if vs {
		head = append(head, "before avg", "before total", "delta", "change")
	}
	out.Write(head)
	line := func(group []string, f query.Stats, share string, err string, v *query.Versus) {
		group = append(group, number(f.Avg), number(f.Max), number(f.Last), strconv.FormatUint(f.Total, 10), share, err)
		if peak {
			group = append(group, optional(f.Peak))
		}
		if vs {
			group = append(group, number(v.Avg), strconv.FormatUint(v.Total, 10), number(v.Delta), optional(v.Change))
		}
		out.Write(group)
	}
	for _, one := range a.Series {
		line(a.group(kind(one), one.Dir, one.Key, one.Label), one.Stats, number(one.Share), optional(one.Error), one.VS)
	}
	for _, total := range a.Total {
		line(a.group("total", total.Dir, nil, nil), total.Stats, "", "", total.VS)
	}
	out.Flush()
	return out.Error()
}
