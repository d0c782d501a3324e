// Package arch holds the map of the tree: the packages of this module that each package
// may import, and why. A test checks it, so the map cannot go stale. Tests may import anything.
package arch

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// allowed lists the packages of this module that a package may import. Data flows from top
// to bottom; a package imports only those listed in its row.
var allowed = map[string]struct {
	imports []string
	because string
}{
	"column":              {nil, "how we hold data: the ground that everything stands on"},
	"flow":                {[]string{"column"}, "the schema: fields are columns"},
	"counter":             {[]string{"column"}, "the other schema: what devices count of themselves"},
	"diagnosis":           {[]string{"flow"}, "pure: facts about exporters, interfaces and NetMeta to problems"},
	"packet":              {[]string{"column", "flow"}, "reads a packet into a row; knows no protocol of exporters"},
	"source":              {[]string{"column", "internal/conf"}, "what sources share; never its members"},
	"source/udp":          {[]string{"internal/conf", "source"}, "sockets; knows no protocol"},
	"source/netflow":      {[]string{"column", "flow", "internal/wholefile", "packet", "source"}, "one way in; never another source, never the store"},
	"source/sflow":        {[]string{"column", "counter", "flow", "packet", "source"}, "one way in; never another source, never the store"},
	"source/detect":       {[]string{"flow", "source"}, "chooses between protocols that are handed to it"},
	"source/sourcetest":   {[]string{"column", "flow", "internal/enginetest", "native", "pipe", "source", "store"}, "for tests: one suite over every source, on the real path to the store"},
	"enrich":              {[]string{"column", "enrich/class", "enrich/exporter", "enrich/feed", "enrich/names", "enrich/network", "enrich/route", "enrich/stage", "flow"}, "puts the stages in order; never a source: they write names into its book"},
	"enrich/stage":        {[]string{"column"}, "what a stage is"},
	"enrich/names":        {[]string{"column"}, "the book of names; every origin of names writes them here"},
	"enrich/feed":         {[]string{"enrich/stage", "internal/secret", "internal/wholefile"}, "files and URLs that stages read; knows no format"},
	"enrich/exporter":     {[]string{"column", "enrich/names", "enrich/network", "enrich/stage", "flow"}, "names of exporters and interfaces; never a source, never the store"},
	"enrich/network":      {[]string{"column", "enrich/feed", "enrich/stage", "flow"}, "one stage; never a source, never the store"},
	"enrich/route":        {[]string{"column", "enrich/feed", "enrich/stage", "flow"}, "one stage; never a source, never the store"},
	"enrich/route/ipdata": {[]string{"enrich/route"}, "makes the file that enrich/route reads, when the tree is built"},
	"enrich/class":        {[]string{"column", "enrich/network", "enrich/stage", "flow"}, "one stage; reads prefixes as networks do"},
	"native":              {[]string{"column"}, "the wire form of any table"},
	"pipe":                {[]string{"column", "native"}, "where stages meet; what comes before and after is handed to it"},
	"engine/libchdb":      {nil, "the binding; knows nothing of flows"},
	"engine":              {[]string{"engine/libchdb", "internal/conf", "internal/wholefile"}, "a ClickHouse server; knows nothing of flows"},
	"store":               {[]string{"column", "internal/conf", "internal/secret", "internal/wholefile", "native"}, "any table in any ClickHouse; knows no source and no question"},
	"filter":              {[]string{"column", "flow", "internal/nearest", "internal/param"}, "the filter language: text to a condition on rows; knows no statement"},
	"access":              {[]string{"column", "filter", "internal/param"}, "who asks, and the rows that they may see; knows no table and no user"},
	"query":               {[]string{"access", "column", "counter", "diagnosis", "filter", "flow", "internal/nearest", "internal/param", "internal/problem"}, "pure: a request to SQL; never the store, never HTTP"},
	"filter/filtertest":   {[]string{"column", "filter", "flow"}, "for tests: what a filter means, and random ones"},
	"query/executed":      {nil, "tests alone: every statement of query, run on the engine"},
	"api":                 {[]string{"access", "column", "diagnosis", "event", "filter", "flow", "internal/conf", "internal/problem", "native", "query", "sender", "store", "view"}, "how others ask; never a source"},
	"event":               {[]string{"access", "column", "internal/problem", "query", "store"}, "what happened beside the traffic: the events table"},
	"tables":              {[]string{"column", "counter", "event", "flow", "health", "store"}, "the list of what is kept, so it knows every table"},
	"view":                {[]string{"internal/problem", "internal/wholefile"}, "saved views: a file"},
	"sender":              {[]string{"internal/problem", "internal/wholefile", "source"}, "what people decide about who sends: a file"},
	"internal/wholefile":  {nil, "a file that is replaced whole, or put aside when it is damaged"},
	"internal/secret":     {nil, "passwords that do not show when they are printed"},
	"internal/conf":       {[]string{"internal/secret"}, "types of values in the file that several members need"},
	"internal/nearest":    {nil, "the word that was meant by one that is not known"},
	"internal/problem":    {nil, "what is wrong with a request, and the remedy"},
	"internal/param":      {nil, "values as parameters of statements"},
	"internal/terminal":   {nil, "texts that do nothing to a terminal"},
	"ui":                  {nil, "the page as files"},
	"config":              {[]string{"api", "engine", "enrich", "filter", "flow", "internal/conf", "internal/nearest", "internal/secret", "internal/wholefile", "source", "source/netflow", "source/udp", "store", "view"}, "the file: a list of members, which own their keys; the tables know the names of columns"},
	"simulate":            {[]string{"internal/pcap"}, "another end of the wire: shares no code with our decoders"},
	"internal/pcap":       {nil, "capture files"},
	"internal/golden":     {nil, "for tests"},
	"internal/enginetest": {[]string{"engine", "store"}, "for tests: a real engine"},
	"health":              {[]string{"column", "flow", "source"}, "what is kept of the exporters' health"},
	"internal/gen":        {[]string{"api", "column", "config", "counter", "filter", "flow", "health"}, "reference documents from the code"},
	"internal/bench":      {[]string{"access", "api", "column", "counter", "engine", "enrich", "enrich/feed", "enrich/names", "filter", "flow", "native", "pipe", "query", "simulate", "source", "source/detect", "source/netflow", "source/sflow", "source/udp", "store"}, "measures the built binary from outside, and its parts from a socket on, and ways to keep a table"},
	"internal/arch":       {nil, "this map"},
	"collector":           {[]string{"*"}, "the running NetMeta wires everything; only the program imports it"},
	"cmd/netmeta":         {[]string{"*"}, "the commands; nothing imports it"},
}

func TestImports(t *testing.T) {
	list := exec.Command("go", "list", "-json=ImportPath,Imports,Doc,GoFiles", "netmeta/...")
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			ImportPath, Doc  string
			GoFiles, Imports []string
		}
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimPrefix(p.ImportPath, "netmeta/")
		seen[name] = true
		rule, ok := allowed[name]
		if !ok {
			t.Errorf("package %s is not on the map: add it with what it may import and why", name)
			continue
		}
		if p.Doc == "" && len(p.GoFiles) > 0 {
			t.Errorf("package %s has no sentence that says what it is", name)
		}
		for _, imp := range p.Imports {
			ours, ok := strings.CutPrefix(imp, "netmeta/")
			if ok && !slices.Contains(rule.imports, ours) && !slices.Contains(rule.imports, "*") {
				t.Errorf("%s imports %s, but it is %q", name, ours, rule.because)
			}
		}
	}
	for name := range allowed {
		if !seen[name] {
			t.Errorf("package %s is on the map but not in the tree", name)
		}
	}
}
