package filter

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"

	"netmeta/internal/nearest"
)

// CheckResult is the result of checking a filter: the canonical text and the tree, or the error.
type CheckResult struct {
	OK        bool   `json:"ok"`
	Canonical string `json:"canonical,omitempty"` // The filter as the formatter writes it.
	Filter    Filter `json:"ast,omitempty"`       // The filter as a tree.
	Error     *Error `json:"error,omitempty"`
}

// MarshalJSON returns {"ok":true,"canonical":…,"ast":…} or {"ok":false,"error":…}.
func (c CheckResult) MarshalJSON() ([]byte, error) {
	if !c.OK {
		return json.Marshal(struct {
			OK    bool   `json:"ok"`
			Error *Error `json:"error"`
		}{false, c.Error})
	}
	return json.Marshal(struct {
		OK        bool   `json:"ok"`
		Canonical string `json:"canonical"`
		AST       Filter `json:"ast"`
	}{true, c.Canonical, c.Filter})
}

// Check reports whether a text is a valid filter.
func Check(text string, names Names) CheckResult {
	root, err := parseFilter(text, &expansion{names: names}, nil)
	if err != nil {
		return CheckResult{Error: err}
	}
	f := Filter{root}
	return CheckResult{OK: true, Canonical: f.String(), Filter: f}
}

// Item is one possible continuation.
type Item struct {
	Insert string `json:"insert"`           // Replacement for the word at the cursor.
	Label  string `json:"label"`            // Text in the list.
	Kind   string `json:"kind"`             // field, operator, value, keyword or macro.
	Detail string `json:"detail,omitempty"` // Description, or its current traffic.
}

// Completion is a list of possible continuations, and the bytes that they replace.
type Completion struct {
	Replace [2]int `json:"replace"` // First and last+1 byte to replace.
	Items   []Item `json:"items"`
}

// ValueSource returns values that occur in the field with this full name and start with or contain prefix,
// the largest first. It answers from memory.
type ValueSource func(field, prefix string) []Item

const maxItems = 30

// Complete returns possible continuations at the cursor, a byte offset: fields, then operators, then values.
// values may be nil.
func Complete(text string, cursor int, names Names, values ValueSource) Completion {
	cursor = max(0, min(cursor, len(text)))
	for cursor > 0 && cursor < len(text) && !utf8.RuneStart(text[cursor]) {
		cursor--
	}
	start := wordStart(text, cursor)
	c := Completion{Replace: [2]int{start, cursor}, Items: []Item{}}
	if len(text) > MaxBytes {
		return c
	}
	word := text[start:cursor]
	w := want{kind: wantKind(255)}
	if _, err := parseFilter(text[:start], &expansion{names: names}, &w); err != nil && w.kind == wantKind(255) {
		return c // the text before the cursor is invalid: nothing to add
	}
	quoted := strings.HasPrefix(word, `"`) || strings.HasPrefix(word, "'")
	bare := strings.Trim(word, `"'`)
	var items []Item
	switch w.kind {
	case wantField:
		if !quoted {
			items = fieldItems(w.side, bare, names)
		}
	case wantOperator:
		if !quoted {
			items = operatorItems(w.field, word)
		}
		items = append(items, valueItems(w.field, bare, values, false, names)...)
	case wantValue:
		items = valueItems(w.field, bare, values, w.list, names)
	case wantJoin:
		if !quoted {
			items = match(bare, []Item{{"and ", "and", "keyword", "both"}, {"or ", "or", "keyword", "one of the two"}})
			if bare != "" {
				items = append(items, fieldItems("", bare, names)...)
			}
		}
	}
	if len(items) > maxItems {
		items = items[:maxItems]
	}
	if items != nil {
		c.Items = items
	}
	return c
}

// wordStart returns the start of the word at the cursor; an unclosed quoted text counts as a word.
func wordStart(text string, cursor int) int {
	for i := 0; i < cursor; {
		if c := text[i]; c == '"' || c == '\'' {
			j := i + 1
			for j < cursor && text[j] != c {
				if text[j] == '\\' {
					j++
				}
				j++
			}
			if j >= cursor {
				return i
			}
			i = j
		}
		i++
	}
	return strings.LastIndexAny(text[:cursor], special) + 1
}

// match sorts items that start with word before those that contain it; if there are neither, it returns
// similar ones.
func match(word string, items []Item) []Item {
	low := strings.ToLower(word)
	class := func(it Item) int {
		switch l := strings.ToLower(it.Label); {
		case low == "" || l == low:
			return 0
		case strings.HasPrefix(l, low):
			return 1
		case strings.Contains(l, "."+low):
			return 2
		case strings.Contains(l, low):
			return 3
		}
		return 4
	}
	var found []Item
	for _, it := range items {
		if class(it) < 4 {
			found = append(found, it)
		}
	}
	if found != nil {
		sort.SliceStable(found, func(i, j int) bool { return class(found[i]) < class(found[j]) })
		return found
	}
	labels := make([]string, len(items))
	for i, it := range items {
		labels[i] = it.Label
	}
	if near := nearest.Word(word, labels); near != "" {
		for _, it := range items {
			if it.Label == near {
				return []Item{it}
			}
		}
	}
	return nil
}

// fieldItems returns names, and other words that can start a condition.
func fieldItems(side, word string, names Names) []Item {
	if side == "" {
		// "src.p" completes names of that side, written in full
		if before, rest, ok := strings.Cut(strings.ToLower(word), "."); ok && IsSide(before) {
			items := fieldItems(before, rest, names)
			for i := range items {
				items[i].Insert = before + "." + items[i].Insert
				items[i].Label = before + "." + items[i].Label
			}
			return items
		}
	}
	var items []Item
	for _, b := range bases {
		f := Lookup(side, b.name)
		if f == nil {
			continue
		}
		detail := f.base.title
		if f.Either() {
			detail += ", either side"
		}
		items = append(items, Item{b.name + " ", b.name, "field", detail})
	}
	words := make([]string, 0, len(aliases))
	for w := range aliases {
		words = append(words, w)
	}
	slices.Sort(words)
	if side != "" {
		found := match(word, items)
		if len(found) == 0 || word != "" {
			found = append(found, aliasItems(side, word, words, found)...)
		}
		return found
	}
	for _, d := range dirs {
		items = append(items, Item{d + ".", d, "field", dirDetail[d]})
	}
	for _, p := range bareProtocols {
		items = append(items, Item{p + " ", p, "keyword", "protocol " + fmt.Sprint(protocols.number[p])})
	}
	for _, p := range bareEtherTypes[:2] {
		items = append(items, Item{p + " ", p, "keyword", "all of it"})
	}
	items = append(items, Item{"not ", "not", "keyword", "the opposite"})
	macros := make([]string, 0, len(names.Macros))
	for m := range names.Macros {
		macros = append(macros, m)
	}
	slices.Sort(macros)
	for _, m := range macros {
		items = append(items, Item{"@" + m + " ", "@" + m, "macro", names.Macros[m]})
	}
	if word != "" { // "as" matches src.as too
		for _, f := range fields {
			if f.Side != "" && !f.Either() {
				items = append(items, Item{f.Name + " ", f.Name, "field", sideTitle[f.Side] + f.base.title})
			}
		}
	}
	found := match(word, items)
	if word != "" {
		found = append(found, aliasItems(side, word, words, found)...)
	}
	return found
}

var dirDetail = map[string]string{
	"src": "source", "dst": "destination", "any": "either side", "local": "the near side", "remote": "the far side",
	"in": "input interface", "out": "output interface", "prev": "the AS before", "next": "the next hop",
}

// aliasItems returns synonyms that start with word; they insert the real name.
func aliasItems(side, word string, words []string, have []Item) []Item {
	var items []Item
	for _, a := range words {
		name := aliases[a]
		f := Lookup(side, name)
		if f == nil || !strings.HasPrefix(a, strings.ToLower(word)) || slices.ContainsFunc(have, func(it Item) bool { return it.Label == name }) {
			continue
		}
		items = append(items, Item{a + " ", a, "field", f.base.title})
	}
	return items
}

var operatorDetail = map[string]string{
	"=": "is", "!=": "is not", "<": "less than", "<=": "at most", ">": "more than", ">=": "at least", "~": "meets the regular expression",
	"!~": "does not meet the regular expression", "has": "has", "in": "one of", "not in": "none of",
}

func operatorItems(f *Field, word string) []Item {
	var items []Item
	for _, op := range f.operators() {
		insert := op + " "
		if op == "in" || op == "not in" {
			insert += "["
		}
		if strings.HasPrefix(op, strings.ToLower(word)) {
			items = append(items, Item{insert, op, "operator", operatorDetail[op]})
		}
	}
	return items
}

// valueItems returns values of the field: those that occur, then those with names.
func valueItems(f *Field, word string, values ValueSource, list bool, names Names) []Item {
	end := " "
	if list {
		end = ", "
	}
	var items []Item
	if values != nil {
		for _, it := range values(f.Name, word) {
			it.Insert = strings.TrimSpace(it.Insert) + end
			items = append(items, it)
		}
	}
	var known []Item
	add := func(text, detail string) { known = append(known, Item{text + end, text, "value", detail}) }
	table := func(n *registry, what string) {
		for _, e := range n.list {
			detail := e.title
			if detail == "" || what == "port" {
				detail = fmt.Sprintf("%s %d", what, e.number)
			}
			add(e.name, detail)
		}
	}
	switch f.base.class {
	case classEnum, classBits:
		for _, name := range f.base.enum {
			add(name, "")
		}
	case classProtocol:
		table(protocols, "protocol")
		order := []string{"tcp", "udp", "icmp", "icmp6", "gre", "esp", "sctp"} // common ones first
		slices.SortStableFunc(known, func(a, b Item) int { return cmp.Compare(rankOf(order, a.Label), rankOf(order, b.Label)) })
	case classEtherType:
		table(etherTypes, "EtherType")
	case classCodepoint:
		table(codepoints, "DSCP")
	case classPort:
		table(services, "port")
		order := []string{"https", "http", "dns", "ssh", "ntp", "smtp", "snmp", "bgp"}
		slices.SortStableFunc(known, func(a, b Item) int { return cmp.Compare(rankOf(order, a.Label), rankOf(order, b.Label)) })
	case classFlags:
		for i, what := range []string{"FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR", "AE"} {
			add(flagLetters[i:i+1], what+" is set")
		}
		add("S/SA", "SYN is set, ACK is not")
		add("SA/*", "exactly SYN and ACK")
	case classCommunity:
		table(communities, "")
	}
	for i := range known {
		known[i].Detail = strings.TrimSpace(known[i].Detail)
	}
	known = match(word, known)
	if c := f.base.class; (c == classAS || c == classASList) && names.FindAS != nil && len(word) > 1 && !startsWithDigit(word) {
		names.FindAS(word, func(as uint32, name string) bool {
			add(strconv.FormatUint(uint64(as), 10), fmt.Sprintf("AS%d %s", as, name))
			return len(known) < namedASes
		})
	}
	for _, it := range known {
		if !slices.ContainsFunc(items, func(have Item) bool { return have.Insert == it.Insert }) {
			items = append(items, it)
		}
	}
	return items
}

// namedASes bounds the ASes that completion offers by their names.
const namedASes = 20

func rankOf(order []string, name string) int {
	if i := slices.Index(order, name); i >= 0 {
		return i
	}
	return len(order)
}
