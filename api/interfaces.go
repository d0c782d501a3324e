package api

import (
	"context"
	"net/http"
	"net/url"
	"slices"

	"netmeta/query"
)

// interfacesAnswer is the interfaces of the exporters, with what they carry.
type interfacesAnswer struct {
	query.InterfaceList
	Meta cost `json:"meta"`
}

func (s *Server) interfaces(w http.ResponseWriter, r *http.Request) {
	writeKept(s, w, r, &s.interfacesCache, s.askInterfaces)
}

func (s *Server) askInterfaces(ctx context.Context, v url.Values) (a interfacesAnswer, err error) {
	exporter := v.Get("exporter")
	window, unknown := only(v, "from", "to", "tz", "exporter")
	window.Del("exporter")
	req, _, err := query.ParseURL(window)
	if err != nil {
		return a, err
	}
	q, err := req.Interfaces(s.now(), s.schema(ctx), exporter)
	if err != nil {
		return a, err
	}
	res, stats, err := s.selectRows(ctx, q.Statement)
	if err != nil {
		return a, err
	}
	list, err := q.Read(int(res.Rows), res.Column)
	if err != nil {
		return a, unexpectedError{err}
	}
	s.addNames(list.Exporters, list)
	return interfacesAnswer{list, costOf(q.Statement, stats, unknown, s.unreadable(append(q.Tables, "counters"), list.From, list.To)...)}, nil
}

// only are the keys of a URL that are named here, and the names of the others, sorted.
func only(v url.Values, keys ...string) (known url.Values, unknown []string) {
	known = url.Values{}
	for key, values := range v {
		if slices.Contains(keys, key) {
			known[key] = values
		} else {
			unknown = append(unknown, key)
		}
	}
	slices.Sort(unknown)
	return known, unknown
}
