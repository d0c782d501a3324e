package api

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"netmeta/filter"
)

// The pages under /help/ work without scripts. They explain the filter language and this API
// from the server's own tables.

//go:embed help
var helpFiles embed.FS

var helpPages = template.Must(template.ParseFS(helpFiles, "help/*.html"))

var helpRoutes = []Route{
	{Method: "GET", Path: "/help/filter", Need: Read, Handler: written[struct{}]((*Server).helpFilter)},
	{Method: "GET", Path: "/help/api", Need: Public, Handler: written[struct{}]((*Server).helpAPI)},
	{Method: "GET", Path: "/help/style.css", Need: Public, Handler: written[struct{}]((*Server).helpStyle)},
	{Method: "GET", Path: "/help/{$}", Need: Public, Handler: written[struct{}]((*Server).helpStart)},
}

// helpExample is a filter and a description of the records that it matches.
type helpExample struct{ Filter, Says string }

func (e helpExample) Query() string { return url.Values{"q": {e.Filter}}.Encode() }

// helpExamples are sorted from everyday filters to rare ones. A test parses them.
var helpExamples = []helpExample{
	{"udp src port 53", "DNS responses"},
	{"203.0.113.7", "a host as source or destination"},
	{"2001:db8::/32 or 198.51.100.0/24", "two networks, as source or destination"},
	{"src net 10.0.0.0/8 not dst net 10.0.0.0/8", "traffic leaving a network"},
	{"direction in remote.as in [2906 15169]", "inbound traffic from two ASes"},
	{"as netflix", "an AS by part of its name"},
	{"in.if ~ \"^et-0/0/\"", "traffic entering interfaces named et-0/0/…"},
	{"exporter = 192.0.2.1 in.ifindex = 512", "an interface by its index"},
	{"port in [80 443 8000-8100]", "a list with a range"},
	{"tcp flags S not flags A", "SYN without ACK: connection attempts and SYN floods"},
	{"flags S/SA", "the same: of S and A, only S is set"},
	{"udp src port in [19 53 123 389 1900 11211] bytes > 400", "typical traffic of amplification attacks"},
	{"packets > 1000 bpp < 100", "records with many small packets"},
	{"duration > 60s", "records that last longer than a minute"},
	{"src.country = RU or dst.country = RU", "a country as source or destination; same as country = RU"},
	{"src.port < dst.port", "comparison of two fields"},
	{"dscp = ef", "a code point by name"},
	{"path has 174", "an AS anywhere in the AS path"},
	{"community 65000:666", "a BGP community"},
	{"src.mac = 00:00:5e:00:53:01", "a MAC address"},
	{"\"transit\"", "transit in the name of an AS, interface or network"},
	{"SrcAS = AS174 AND InIfBoundary = external", "Akvorado's column names work too"},
}

// helpKinds are the kinds of values and their notations.
var helpKinds = []struct {
	Name  string
	Forms []string
	Says  string
}{
	{"number", []string{"10", "0x0a", "10M", "1-5", "[1 2 10-20]"}, "k, M, G and T are thousands, millions and so on; ports and protocols also by name"},
	{"ip", []string{"192.0.2.7", "2001:db8::/32", "10.0.0.1-10.0.0.9"}, "addresses, prefixes, ranges"},
	{"AS", []string{"2906", "AS2906", "1.10", "netflix"}, "by number or part of the name"},
	{"string", []string{"edge1", "\"with blanks\"", "~ \"^et-\""}, "case-insensitive, except in regular expressions"},
	{"enum", []string{"in", "internal"}, "one of the values listed with the field"},
	{"flags", []string{"S", "SA", "S/SA", "S/*"}, "C E U A P R S F; the named flags are set. With a mask after the slash, its other flags are not set"},
	{"duration", []string{"1500ms", "90s", "5m", "2h"}, "with a unit"},
	{"mac", []string{"00:00:5e:00:53:01"}, "also with - or in Cisco notation"},
	{"list", []string{"has 174", "has 65000:666"}, "fields with several values; has is optional"},
}

// helpField is a field with all of its names.
type helpField struct {
	Names  []string
	Kind   string
	Doc    string
	Values []string
}

type helpGroup struct {
	Name   string
	Fields []helpField
}

// helpGroups returns the fields, group by group, those of several sides combined.
func helpGroups() []helpGroup {
	const longest = 16 // names of values; longer lists are only completed
	var groups []helpGroup
	for _, f := range filter.Catalogue() {
		i := slices.IndexFunc(groups, func(g helpGroup) bool { return g.Name == f.Group })
		if i < 0 {
			i, groups = len(groups), append(groups, helpGroup{Name: f.Group})
		}
		list := &groups[i].Fields
		if last := len(*list) - 1; last >= 0 && stem((*list)[last].Names[0]) == stem(f.Name) {
			(*list)[last].Names = append((*list)[last].Names, f.Name)
			continue
		}
		field := helpField{Names: []string{f.Name}, Kind: f.Kind, Doc: f.Doc}
		if len(f.Values) <= longest {
			field.Values = f.Values
		}
		*list = append(*list, field)
	}
	return groups
}

// stem returns a name without its side.
func stem(name string) string { return name[strings.LastIndexByte(name, '.')+1:] }

func (s *Server) helpFilter(w http.ResponseWriter, r *http.Request) error {
	known := s.settings().Schema.Macros
	type macro struct{ Name, Filter string }
	var macros []macro
	for _, name := range slices.Sorted(maps.Keys(known)) {
		macros = append(macros, macro{name, known[name]})
	}
	return s.writeHelp(w, r, "filter.html", "Filter language", map[string]any{"Examples": helpExamples, "Kinds": helpKinds, "Groups": helpGroups(), "Macros": macros})
}

// helpPath is a path with one method, as in openapi.json.
type helpPath struct {
	Method, Path, ID string
	Summary          string
	Description      string
	Parameters       []struct {
		Name, In, Description string
		Required              bool
		Example               any
		Schema                struct{ Enum []string }
	}
	RequestBody struct {
		Content map[string]struct{ Example, Schema json.RawMessage }
	}
	Body, Curl string
}

// helpPaths reads openapi.json: the paths in their order, each with its methods.
func helpPaths(base string) ([]helpPath, error) {
	var doc struct {
		Paths map[string]map[string]helpPath
	}
	if err := json.Unmarshal(openAPI, &doc); err != nil {
		return nil, err
	}
	var list []helpPath
	for _, path := range slices.Sorted(maps.Keys(doc.Paths)) {
		for _, method := range slices.Sorted(maps.Keys(doc.Paths[path])) {
			p := doc.Paths[path][method]
			p.Method, p.Path = strings.ToUpper(method), path
			p.ID = method + strings.NewReplacer("/", "-", "{", "", "}", "").Replace(path)
			p.Body = string(p.RequestBody.Content["application/json"].Example)
			p.Curl = p.curl(base)
			list = append(list, p)
		}
	}
	return list, nil
}

// curl returns a call with some of the examples.
func (p helpPath) curl(base string) string {
	path, keys := p.Path, []string{}
	for _, param := range p.Parameters {
		if param.Example == nil {
			continue
		}
		example := fmt.Sprint(param.Example)
		switch {
		case param.In == "path":
			path = strings.ReplaceAll(path, "{"+param.Name+"}", example)
		case param.In == "query" && len(keys) < 3:
			keys = append(keys, param.Name+"="+url.QueryEscape(example))
		}
	}
	if len(keys) > 0 {
		path += "?" + strings.Join(keys, "&")
	}
	switch {
	case p.Body != "":
		return "curl -s -X " + p.Method + " '" + base + path + "' -d '" + strings.Join(strings.Fields(p.Body), " ") + "'"
	case p.Method != "GET":
		return "curl -s -X " + p.Method + " '" + base + path + "'"
	}
	return "curl -s '" + base + path + "'"
}

func (s *Server) helpAPI(w http.ResponseWriter, r *http.Request) error {
	scheme := "http://"
	if r.TLS != nil {
		scheme = "https://"
	}
	base := scheme + r.Host
	paths, err := helpPaths(base)
	if err != nil {
		return unexpected(err)
	}
	return s.writeHelp(w, r, "api.html", "HTTP API", map[string]any{"Base": base, "Paths": paths})
}

func (s *Server) writeHelp(w http.ResponseWriter, r *http.Request, name, title string, data map[string]any) error {
	data["Title"], data["Path"] = title, r.URL.Path
	var page bytes.Buffer
	if err := helpPages.ExecuteTemplate(&page, name, data); err != nil {
		return unexpected(err)
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-cache")
	w.Write(page.Bytes())
	return nil
}

func (*Server) helpStyle(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Cache-Control", "no-cache")
	http.ServeFileFS(w, r, helpFiles, "help/style.css")
	return nil
}

func (*Server) helpStart(w http.ResponseWriter, r *http.Request) error {
	http.Redirect(w, r, "/help/filter", http.StatusFound)
	return nil
}
