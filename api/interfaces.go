package api

import (
	"context"
	"net/http"
	"net/url"
	"slices"

	"netmeta/query"
)

var interfaceRoutes = []Route{
	{
		Method: "GET", Path: "/api/v1/interfaces", Need: Read, Scoped: true, Handler: answer((*Server).interfaces),
		ID: "interfaces", Summary: "The interfaces of the exporters: traffic, utilisation, and the device's counters",
		Description: "Traffic by flows, received and sent, next to the device's counters (sFlow counter samples). Most traffic first, at most 2,000. Rates are bits per second of layer 2, as in octet counters. Results are cached for ten seconds.",
		Parameters: []Parameter{fromKey, toKey, textKey("tz", "IANA time zone for days in from and to."),
			textKey("exporter", "Address: only its interfaces.").as("203.0.113.1")},
	},
	{
		Method: "GET", Path: "/api/v1/interfaces/{exporter}/{index}", Need: Read, Scoped: true, Handler: answer((*Server).oneInterface),
		ID: "interface", Summary: "One interface over time: the device's counters and its last weeks",
		Description: "The octet counters of the device in the intervals of a chart (sFlow counter samples), for use with /api/v1/query and layer=l2, which has the same intervals for the same from, to, tz, step and px. " +
			"A reading covers the time since the previous one. Also the traffic by flows of each hour of the last 28 days, with its trend; that part ignores from and to, and is cached for five minutes.",
		Parameters: []Parameter{
			pathPart("exporter", "Address of the exporter.").as("203.0.113.1"),
			{Name: "index", In: "path", Type: "integer", Description: "Number of the interface, as the exporter counts them.", Example: 1},
			fromKey, toKey, textKey("tz", "IANA time zone for days, in from and to and in the trend."),
			textKey("step", "Seconds of an interval, or auto."),
			integerKey("px", "Width of the plot in pixels: the maximum number of intervals of auto.").as(400),
		},
	},
}

// Interfaces are the interfaces of the exporters, with their traffic.
type Interfaces struct {
	query.InterfaceList
	Meta Cost `json:"meta"`
}

func (s *Server) interfaces(r *http.Request) (Interfaces, error) {
	return kept(s, r, &s.interfacesCache, s.askInterfaces)
}

func (s *Server) askInterfaces(ctx context.Context, v url.Values) (a Interfaces, err error) {
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
		return a, unexpected(err)
	}
	s.addNames(list.Exporters, list)
	return Interfaces{list, costOf(q.Statement, stats, unknown, s.unreadable(ctx, append(q.Tables, "counters"), list.From, list.To)...)}, nil
}

// only returns the given keys of a URL, and the names of the others, sorted.
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
