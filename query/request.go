package query

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"netmeta/internal/nearest"
)

// Request is a query, which is also the URL of the page with its result. Keys are only added, and the meaning
// of a URL never changes. ParseURL makes a Request; the zero value lacks the defaults.
type Request struct {
	Filter   string     // q: the filter as typed
	By       []string   // by: names to group by, in order, canonical
	From, To string     // from, to: see Resolve
	TZ       string     // tz: browser, utc or an IANA name
	Unit     string     // unit: bps pps fps bytes packets flows pct bpp
	Layer    string     // layer: l3 l2 l1, the bytes to count
	Viz      string     // viz: only for the page
	N        int        // n: series per direction besides Other, 1 to 50
	Skip     int        `json:",omitempty"` // skip: number of the largest groups folded into one series before the N; 0 to 1000
	Rank     string     // rank: avg max last p95 delta
	RankDir  string     // rankdir: first N of each direction, or of the sum
	Dir      string     // dir: both in out internal sum
	VS       string     // vs: what to compare with
	Step     int        // step: seconds of an interval; 0: auto
	Agg      string     // agg: avg or peak
	Y, YMax  string     // y, ymax: only for the page
	Spread   bool       // spread: a record counts from its start to its end, not in the second of its arrival
	Live     bool       // live: only for the page
	Sel      string     // sel: the selected range
	Hide     []string   // hide: only for the page
	PX       int        // px: width of the plot in pixels, which limits the intervals; 0: unknown
	Unknown  url.Values // unknown keys: kept, and returned by Values
}

// Units that a chart can show.
var units = []UnitInfo{
	{"bps", "bits/s"}, {"pps", "packets/s"}, {"fps", "flows/s"}, {"bytes", "bytes"}, {"packets", "packets"}, {"flows", "flows"},
	{"pct", "% of interface"}, {"bpp", "bytes/packet"},
}

// UnitInfo is a unit of a chart.
type UnitInfo struct {
	Name  string `json:"name"`
	Title string `json:"title"`
}

// Units returns the units of requests.
func Units() []UnitInfo {
	return slices.Clone(units)
}

func unitNames() []string {
	list := make([]string, len(units))
	for i, u := range units {
		list[i] = u.Name
	}
	return list
}

// choice is a key with a fixed set of values; the first is the default.
type choice struct {
	key    string
	values []string
	at     func(*Request) *string
}

var choices = []choice{
	{"unit", unitNames(), func(r *Request) *string { return &r.Unit }},
	{"layer", []string{"l3", "l2", "l1"}, func(r *Request) *string { return &r.Layer }},
	{"viz", []string{"stack", "stack100", "line", "grid", "heat", "sankey", "matrix", "treemap", "bar", "table", "map"}, func(r *Request) *string { return &r.Viz }},
	{"rank", []string{"avg", "max", "last", "p95", "delta"}, func(r *Request) *string { return &r.Rank }},
	{"rankdir", []string{"each", "sum"}, func(r *Request) *string { return &r.RankDir }},
	{"dir", []string{"both", "in", "out", "internal", "sum"}, func(r *Request) *string { return &r.Dir }},
	{"agg", []string{"avg", "peak"}, func(r *Request) *string { return &r.Agg }},
	{"y", []string{"lin", "log", "sqrt"}, func(r *Request) *string { return &r.Y }},
}

// texts are keys with free text and their defaults.
var texts = []struct {
	key, standard string
	at            func(*Request) *string
}{
	{"q", "", func(r *Request) *string { return &r.Filter }},
	{"from", "-1h", func(r *Request) *string { return &r.From }},
	{"to", "now", func(r *Request) *string { return &r.To }},
	{"tz", "browser", func(r *Request) *string { return &r.TZ }},
	{"vs", "", func(r *Request) *string { return &r.VS }},
	{"ymax", "", func(r *Request) *string { return &r.YMax }},
	{"sel", "", func(r *Request) *string { return &r.Sel }},
}

const (
	defaultN   = 12
	maxN       = 50
	maxSkip    = 1000
	maxBy      = 8
	maxStep    = 86400
	maxPX      = 100_000
	maxKeyText = 1 << 10 // bytes of a value other than q
)

// known are all keys.
var known = func() []string {
	list := []string{"by", "n", "skip", "step", "spread", "live", "hide", "px"}
	for _, c := range choices {
		list = append(list, c.key)
	}
	for _, t := range texts {
		list = append(list, t.key)
	}
	return list
}()

// Keys returns the names of all keys of a request.
func Keys() []string { return known }

// ParseURL parses the keys of a URL. A key that is missing or empty has its default. unknown lists unknown
// keys, sorted; the request keeps them. The error is a *problem.Error. The filter is not parsed: see
// ParseFilter.
func ParseURL(v url.Values) (r Request, unknown []string, err error) {
	for _, t := range texts {
		*t.at(&r) = t.standard
		if s := v.Get(t.key); s != "" {
			if len(s) > maxKeyText && t.key != "q" {
				return r, nil, Invalid(t.key, s[:32]+"…", fmt.Sprintf("is longer than %d bytes", maxKeyText))
			}
			*t.at(&r) = s
		}
	}
	for _, c := range choices {
		*c.at(&r) = c.values[0]
		if s := v.Get(c.key); s != "" {
			if !slices.Contains(c.values, s) {
				e := Invalid(c.key, s, "is none of "+strings.Join(c.values, ", "))
				if near := nearest.Word(s, c.values); near != "" {
					e.Detail += "; did you mean " + near + "?"
				}
				return r, nil, e
			}
			*c.at(&r) = s
		}
	}
	if r.Unit == "pct" && v.Get("layer") == "" {
		r.Layer = "l1"
	}
	if r.N, err = number(v, "n", 1, maxN, defaultN); err != nil {
		return r, nil, err
	}
	if r.Skip, err = number(v, "skip", 0, maxSkip, 0); err != nil {
		return r, nil, err
	}
	if v.Get("step") != "auto" {
		if r.Step, err = number(v, "step", 1, maxStep, 0); err != nil {
			return r, nil, err
		}
	}
	if r.PX, err = number(v, "px", 1, maxPX, 0); err != nil {
		return r, nil, err
	}
	for key, is := range map[string]*bool{"spread": &r.Spread, "live": &r.Live} {
		switch s := v.Get(key); s {
		case "", "0":
		case "1":
			*is = true
		default:
			return r, nil, Invalid(key, s, "is neither 0 nor 1")
		}
	}
	for item := range strings.SplitSeq(v.Get("hide"), ",") {
		if item != "" {
			r.Hide = append(r.Hide, item)
		}
	}
	if r.By, err = parseBy(v.Get("by")); err != nil {
		return r, nil, err
	}
	for key, values := range v {
		if !slices.Contains(known, key) {
			if r.Unknown == nil {
				r.Unknown = url.Values{}
			}
			r.Unknown[key] = values
			unknown = append(unknown, key)
		}
	}
	slices.Sort(unknown)
	return r, unknown, nil
}

func number(v url.Values, key string, least, most, standard int) (int, error) {
	s := v.Get(key)
	if s == "" {
		return standard, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < least || n > most {
		return 0, Invalid(key, s, fmt.Sprintf("is not a number from %d to %d", least, most))
	}
	return n, nil
}

// Values returns the keys of the request, without those that have their default. ParseURL parses them to the
// same request.
func (r Request) Values() url.Values {
	v := url.Values{}
	for key, values := range r.Unknown {
		v[key] = slices.Clone(values)
	}
	for _, t := range texts {
		if s := *t.at(&r); s != "" && s != t.standard {
			v.Set(t.key, s)
		}
	}
	for _, c := range choices {
		standard := c.values[0]
		if c.key == "layer" && r.Unit == "pct" {
			standard = "l1"
		}
		if s := *c.at(&r); s != "" && s != standard {
			v.Set(c.key, s)
		}
	}
	if len(r.By) > 0 {
		v.Set("by", strings.Join(r.By, ","))
	}
	if r.N != 0 && r.N != defaultN {
		v.Set("n", strconv.Itoa(r.N))
	}
	if r.Skip != 0 {
		v.Set("skip", strconv.Itoa(r.Skip))
	}
	if r.Step != 0 {
		v.Set("step", strconv.Itoa(r.Step))
	}
	if r.PX != 0 {
		v.Set("px", strconv.Itoa(r.PX))
	}
	if r.Spread {
		v.Set("spread", "1")
	}
	if r.Live {
		v.Set("live", "1")
	}
	if len(r.Hide) > 0 {
		v.Set("hide", strings.Join(r.Hide, ","))
	}
	return v
}
