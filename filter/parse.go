package filter

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"netmeta/column"
	"netmeta/internal/nearest"
)

// Limits of a filter.
const (
	MaxBytes      = 8 << 10 // of the text, and of the text of each macro
	maxDepth      = 64      // nested parentheses, nots and macros
	maxList       = 10_000  // values per list
	maxNamed      = 500     // ASes per name
	maxConditions = 20_000  // conditions, with macros expanded
)

// Error describes an error in a filter: its position, and suggestions.
type Error struct {
	Message    string   `json:"message"`
	Span       [2]int   `json:"span"` // Bytes of the text.
	Expected   []string `json:"expected,omitempty"`
	Suggestion string   `json:"suggestion,omitempty"`
}

func (e *Error) Error() string {
	s := fmt.Sprintf("%d–%d: %s", e.Span[0], e.Span[1], e.Message)
	if e.Suggestion != "" {
		s += "; did you mean " + e.Suggestion + "?"
	}
	return s
}

// The grammar, in the EBNF of ISO 14977. A word is defined by lex; its position decides whether it is a name
// or a value.
//
//	filter  = [ or ] ;
//	or      = and { ("or" | "||") and } ;
//	and     = not { [ "and" | "&&" ] not } ;
//	not     = { "not" | "!" } prim ;
//	prim    = "(" or ")" | "@" name | quoted | field cmp | side addresses | bare ;
//	field   = [ side ("." | blank) ] name ;
//	side    = "src" | "dst" | "any" | "local" | "remote" | "in" | "out" | "prev" | "next" ;
//	cmp     = [ op ] ( value | list | field ) | [ "not" ] "in" ( list | value ) ;
//	op      = "=" | "==" | "!=" | "<" | "<=" | ">" | ">=" | "~" | "!~" | "has" | "like" | … ;
//	list    = ("[" | "{" | "(") value { [","] value } ("]" | "}" | ")") ;    "(" after in alone
//	bare    = address | prefix | range | AS123 | tcp … | ip4 … | ":443" | ":1024-2048" ;

// Parse reads a filter. The error is a *Error.
func Parse(text string, names Names) (Filter, error) {
	root, err := parseFilter(text, &expansion{names: names}, nil)
	if err != nil {
		return Filter{}, err
	}
	return Filter{root}, nil
}

// expansion is shared by a filter and the macros in it.
type expansion struct {
	names      Names
	macros     []string // those being expanded, outermost first
	depth      int
	conditions int
}

type parser struct {
	*expansion
	tokens []token
	pos    int
	want   *want // for completion: what may follow at the end; may be nil
}

// want is what the parser expected at the end of the text.
type want struct {
	kind  wantKind
	side  string // of a field: the preceding word
	field *Field // of an operator or value
	list  bool   // of a value: inside a list
}

type wantKind uint8

const (
	wantField wantKind = iota
	wantOperator
	wantValue
	wantJoin // the filter may end here: and, or, another condition
)

func parseFilter(text string, e *expansion, w *want) (Node, *Error) {
	if err := checkText(text); err != nil {
		return nil, err
	}
	tokens, err := lex(text)
	if err != nil {
		return nil, err
	}
	p := &parser{expansion: e, tokens: tokens, want: w}
	if p.peek().kind == tokEnd {
		p.wants(want{kind: wantField})
		return nil, nil
	}
	n, err := p.or()
	if err != nil {
		return nil, err
	}
	if t := p.peek(); t.kind != tokEnd {
		return nil, unexpected(t, "and", "or", "a condition")
	}
	return n, nil
}

func (p *parser) peek() token { return p.tokens[p.pos] }

func (p *parser) after(n int) token { return p.tokens[min(p.pos+n, len(p.tokens)-1)] }

func (p *parser) next() token {
	t := p.tokens[p.pos]
	if t.kind != tokEnd {
		p.pos++
	}
	return t
}

// wants records what may follow at the end of the text, if the parser is there.
func (p *parser) wants(w want) {
	if p.want != nil && p.peek().kind == tokEnd {
		*p.want = w
	}
}

func fail(at [2]int, format string, args ...any) *Error {
	return &Error{Span: at, Message: fmt.Sprintf(format, args...)}
}

func unexpected(t token, expected ...string) *Error {
	e := fail(t.span(), "%s cannot stand here", t.quote())
	switch {
	case t.kind == tokEnd:
		e.Message = "something is missing at the end"
	case t.is("&") || t.is("|"):
		e.Message = t.quote() + " alone means nothing"
		e.Suggestion = t.text + t.text
		return e
	}
	e.Expected = expected
	return e
}

func (p *parser) or() (Node, *Error) {
	first, err := p.and()
	if err != nil {
		return nil, err
	}
	nodes := []Node{first}
	for p.peek().keyword("or") || p.peek().is("||") {
		p.next()
		n, err := p.and()
		if err != nil {
			return nil, err
		}
		nodes = append(nodes, n)
	}
	if len(nodes) == 1 {
		return first, nil
	}
	return Or{flatten(nodes, func(o Or) []Node { return o.Of })}, nil
}

// flatten replaces nodes of one kind by their parts: a or (b or c) is one list of three.
func flatten[T Node](nodes []Node, parts func(T) []Node) []Node {
	flat := make([]Node, 0, len(nodes))
	for _, n := range nodes {
		if nested, ok := n.(T); ok {
			flat = append(flat, parts(nested)...)
		} else {
			flat = append(flat, n)
		}
	}
	return flat
}

func (p *parser) and() (Node, *Error) {
	first, err := p.not()
	if err != nil {
		return nil, err
	}
	nodes := []Node{first}
	for {
		p.wants(want{kind: wantJoin})
		t := p.peek()
		if t.keyword("and") || t.is("&&") {
			p.next()
		} else if t.kind == tokEnd || t.keyword("or") || t.kind == tokPunct && t.text != "(" || t.kind == tokOp && t.text != "!" {
			break
		}
		n, err := p.not()
		if err != nil {
			return nil, err
		}
		nodes = append(nodes, n)
	}
	if len(nodes) == 1 {
		return first, nil
	}
	return And{flatten(nodes, func(a And) []Node { return a.Of })}, nil
}

func (p *parser) not() (Node, *Error) {
	start, negative := p.pos, false
	for p.peek().keyword("not") || p.peek().is("!") {
		p.next()
		negative = !negative
	}
	n, err := p.prim()
	if err != nil || !negative || p.pos == start {
		return n, err
	}
	return negate(n), nil
}

func negate(n Node) Node {
	if inner, ok := n.(Not); ok {
		return inner.Of
	}
	return Not{n}
}

// enter counts a level of nesting; leave decrements it.
func (p *parser) enter(t token) *Error {
	if p.depth++; p.depth > maxDepth {
		return fail(t.span(), "more than %d levels inside each other", maxDepth)
	}
	return nil
}

func (p *parser) leave() { p.depth-- }

func (p *parser) prim() (Node, *Error) {
	p.wants(want{kind: wantField})
	t := p.peek()
	switch {
	case t.is("("):
		if err := p.enter(t); err != nil {
			return nil, err
		}
		defer p.leave()
		p.next()
		n, err := p.or()
		if err != nil {
			return nil, err
		}
		if !p.peek().is(")") {
			e := unexpected(p.peek(), ")", "and", "or")
			if p.peek().kind == tokEnd {
				e = fail(t.span(), "the parenthesis is not closed")
				e.Expected = []string{")"}
			}
			return nil, e
		}
		p.next()
		return n, nil
	case t.kind == tokQuoted:
		p.next()
		if t.text == "" {
			return nil, fail(t.span(), "empty text would be found in every name")
		}
		return Search{t.text}, p.count(t)
	case t.kind != tokWord:
		return nil, unexpected(t, "a field", "an address or prefix", "a protocol", "quoted text", "(", "not")
	case t.text[0] == '@':
		p.next()
		return p.macro(t)
	}
	if err := p.count(t); err != nil {
		return nil, err
	}
	return p.condition()
}

// count counts a condition, because nested macros grow fast.
func (p *parser) count(t token) *Error {
	if p.conditions++; p.conditions > maxConditions {
		return fail(t.span(), "more than %d conditions", maxConditions)
	}
	return nil
}

func (p *parser) macro(t token) (Node, *Error) {
	name := t.text[1:]
	text, ok := p.names.Macros[name]
	if !ok {
		e := fail(t.span(), "there is no macro %s", t.quote())
		known := make([]string, 0, len(p.names.Macros))
		for m := range p.names.Macros {
			known = append(known, "@"+m)
		}
		slices.Sort(known)
		e.Suggestion = nearest.Word(t.text, known)
		e.Expected = known[:min(len(known), 20)]
		return nil, e
	}
	if i := slices.Index(p.macros, name); i >= 0 {
		cycle := append(slices.Clone(p.macros[i:]), name)
		return nil, fail(t.span(), "the macro is part of itself: @%s", strings.Join(cycle, " → @"))
	}
	if err := p.enter(t); err != nil {
		return nil, err
	}
	defer p.leave()
	p.macros = append(p.macros, name)
	n, err := parseFilter(text, p.expansion, nil)
	p.macros = p.macros[:len(p.macros)-1]
	if err != nil {
		e := *err
		e.Span = t.span() // the position of the inner error is in another text
		e.Message = fmt.Sprintf("in @%s: %s", name, err.Message)
		return nil, &e
	}
	return Macro{name, n}, p.count(t)
}

// condition parses a field with its comparison, or a bare value.
func (p *parser) condition() (Node, *Error) {
	t := p.next()
	word := strings.ToLower(t.text)
	if side, name, ok := strings.Cut(word, "."); ok && IsSide(side) {
		if f := Lookup(side, name); f != nil {
			return p.compare(f, t)
		}
		return nil, unknown(side, name, [2]int{t.start + len(side) + 1, t.end})
	}
	if word == "src" && (p.peek().keyword("or") || p.peek().keyword("and")) && p.after(1).keyword("dst") {
		return p.bothSides(t)
	}
	if IsSide(word) {
		return p.sided(t, word)
	}
	if word == "tcp" && p.peek().is("[") {
		return p.flagsOctet(t)
	}
	if isReserved(word) {
		e := unexpected(t, "a field", "an address or prefix", "a protocol", "quoted text", "(", "not")
		return nil, e
	}
	if f := Find(word); f != nil {
		if f.base.class == classIP && f.base.name != "ip" && p.peek().keyword("ip") { // router ip 192.0.2.1, as in nfdump
			if _, err := parseIP(p.after(1).text); err == nil {
				t = p.next()
			}
		}
		return p.compare(f, t)
	}
	if n := bare(t.text); n != nil {
		return n, nil
	}
	return nil, unknown("", t.text, t.span())
}

// sided parses what follows the word src, dst, in …: a name, or an address.
func (p *parser) sided(t token, side string) (Node, *Error) {
	p.wants(want{kind: wantField, side: side})
	u := p.peek()
	ip := Lookup(side, "ip")
	if ip != nil && (u.kind == tokOp && u.text != "!" || u.is("[") || u.is("{") || u.keyword("in") || u.keyword("not") && p.after(1).keyword("in")) {
		return p.compare(ip, t)
	}
	if u.kind != tokWord || isReserved(u.text) {
		e := fail(u.span(), "a field is missing after %s", t.quote())
		e.Expected = Candidates(side)
		e.Expected = e.Expected[:min(8, len(e.Expected))]
		return nil, e
	}
	if f := Lookup(side, u.text); f != nil {
		p.next()
		return p.compare(f, u)
	}
	if ip != nil {
		if _, err := parseIP(u.text); err == nil {
			return p.compare(ip, t)
		}
	}
	return nil, unknown(side, u.text, u.span())
}

// unknown returns an error for an unknown name.
func unknown(side, word string, at [2]int) *Error {
	e := fail(at, "unknown field %s", quoteText(word))
	if at[0] == at[1] {
		e.Message = "a field is missing"
	}
	switch known := Find(word); {
	case side == "prev" && strings.EqualFold(word, "as"):
		e.Message = "the previous AS is not in the records; path has … looks at the AS path"
		return e
	case side != "" && known != nil:
		e.Message = fmt.Sprintf("%s has no %s side", known.Name, side)
		for _, f := range fields {
			if f.base == known.base {
				e.Expected = append(e.Expected, f.Name)
			}
		}
		if known.base.second != nil && known.base.first.Side == column.In {
			e.Suggestion = map[string]string{"src": "in.", "dst": "out."}[side]
			if e.Suggestion != "" {
				e.Suggestion += known.base.name
			}
		}
		return e
	case side == "" && startsWithDigit(word):
		e.Message = fmt.Sprintf("%s alone is no condition: write the field before it, as in port %s", quoteText(word), word)
		return e
	}
	list := Candidates(side)
	e.Suggestion = nearest.Word(word, list)
	e.Expected = list[:min(8, len(list))]
	return e
}

// bare parses a value that is a condition by itself, nil if it is not one.
func bare(text string) Node {
	low := strings.ToLower(text)
	switch {
	case slices.Contains(bareProtocols, low):
		n := protocols.number[low]
		return Compare{Field: byName["proto"], Values: []Value{{Lo: n, Hi: n}}}
	case slices.Contains(bareEtherTypes, low):
		n := etherTypes.number[low]
		return Compare{Field: byName["etype"], Values: []Value{{Lo: n, Hi: n}}}
	}
	if v, err := parseIP(text); err == nil {
		return Compare{Field: byName["ip"], Values: []Value{v}}
	}
	if text[0] == ':' {
		if v, err := byName["port"].value(text[1:], false); err == nil {
			return Compare{Field: byName["port"], Values: []Value{v}}
		}
	}
	if len(low) > 2 && low[:2] == "as" && startsWithDigit(low[2:]) {
		if v, err := byName["as"].value(text, false); err == nil {
			return Compare{Field: byName["as"], Values: []Value{v}}
		}
	}
	return nil
}

// compare parses what follows a field. at is the last word of its name.
func (p *parser) compare(f *Field, at token) (Node, *Error) {
	p.wants(want{kind: wantOperator, field: f})
	t := p.peek()
	switch {
	case t.kind == tokEnd:
		e := missing(f, t)
		e.Expected = append(f.operators(), e.Expected...)
		return nil, e
	case t.keyword("in"):
		return p.in(f, In)
	case t.keyword("notin"):
		return p.in(f, NotIn)
	case (t.keyword("not") || t.is("!")) && p.after(1).keyword("in"):
		p.next()
		return p.in(f, NotIn)
	case t.keyword("like"), t.keyword("ilike"), t.keyword("unlike"), t.keyword("iunlike"):
		return p.like(f, false)
	case t.keyword("not") && (p.after(1).keyword("like") || p.after(1).keyword("ilike")):
		p.next()
		return p.like(f, true)
	case t.keyword("has"):
		p.next()
		return p.operand(f, Has, t, true)
	case t.kind == tokOp && t.text != "!" && t.text != "&&" && t.text != "||":
		p.next()
		return p.operand(f, operator(t.text), t, true)
	}
	return p.operand(f, Eq, at, false)
}

func operator(text string) Op {
	switch text {
	case "!=", "!<<":
		return Ne
	case "<":
		return Lt
	case "<=":
		return Le
	case ">":
		return Gt
	case ">=":
		return Ge
	case "~":
		return Match
	case "!~":
		return NotMatch
	}
	return Eq // = == <<
}

// in parses "in" and a list. Direction is an exception: "in" is one of its values, and a group may follow
// instead of a list.
func (p *parser) in(f *Field, op Op) (Node, *Error) {
	t := p.next()
	start := p.pos
	itself := op == In && slices.Contains(f.base.enum, "in")
	if u := p.peek(); u.is("[") || u.is("{") || u.is("(") {
		values, err := p.list(f)
		if err == nil {
			return p.listed(f, op, values, t)
		}
		if !itself {
			return nil, err
		}
		p.pos = start
	}
	if itself {
		return Compare{Field: f, Op: Eq, Values: []Value{{Text: "in"}}}, nil
	}
	if op == In {
		op = Eq
	} else {
		op = Ne
	}
	return p.operand(f, op, t, false)
}

// listed makes the node of a list: a list of one is a plain comparison.
func (p *parser) listed(f *Field, op Op, values []Value, t token) (Node, *Error) {
	if len(values) > 1 {
		return Compare{Field: f, Op: op, Values: values}, nil
	}
	if op == In {
		op = Eq
	} else {
		op = Ne
	}
	return finish(f, op, values[0], t)
}

func closing(open string) string {
	return map[string]string{"[": "]", "{": "}", "(": ")"}[open]
}

func (p *parser) list(f *Field) ([]Value, *Error) {
	open := p.next()
	closer := closing(open.text)
	var values []Value
	for comma := true; ; {
		p.wants(want{kind: wantValue, field: f, list: true})
		t := p.next()
		switch {
		case t.kind == tokEnd:
			e := fail(open.span(), "the list is not closed")
			e.Expected = []string{closer}
			return nil, e
		case t.is(","):
			if comma {
				return nil, unexpected(t, "a value")
			}
			comma = true
			continue
		case t.is(closer):
			if len(values) == 0 {
				return nil, fail([2]int{open.start, t.end}, "the list is empty: nothing would be found")
			}
			return values, nil
		}
		more, err := p.values(f, t)
		if err != nil {
			return nil, err
		}
		if len(values)+len(more) > maxList {
			return nil, fail(t.span(), "the list has more than %d values", maxList)
		}
		values = append(values, more...)
		comma = false
	}
}

// values parses a value; the name of an AS may stand for several.
func (p *parser) values(f *Field, t token) ([]Value, *Error) {
	v, err := p.value(f, t)
	if err == nil {
		return []Value{v}, nil
	}
	isName := t.kind == tokQuoted || t.kind == tokWord && !isReserved(t.text) && Find(t.text) == nil && !IsSide(strings.ToLower(t.text))
	if (f.base.class != classAS && f.base.class != classASList) || !isName || t.text == "" || startsWithDigit(t.text) || p.names.FindAS == nil {
		return nil, err
	}
	var list []Value
	p.names.FindAS(t.text, func(as uint32, _ string) bool {
		list = append(list, Value{Lo: uint64(as), Hi: uint64(as)})
		return len(list) <= maxNamed
	})
	switch {
	case len(list) == 0:
		return nil, fail(t.span(), "%s is in no name of an AS; write more or less of it, or the number", t.quote())
	case len(list) > maxNamed:
		return nil, fail(t.span(), "%s is in the names of more than %d ASes; write more of it, or the number", t.quote(), maxNamed)
	}
	slices.SortFunc(list, func(a, b Value) int { return cmp.Compare(a.Lo, b.Lo) })
	return list, nil
}

// value parses one token as a value of the field.
func (p *parser) value(f *Field, t token) (Value, *Error) {
	if t.kind != tokWord && t.kind != tokQuoted {
		return Value{}, missing(f, t)
	}
	if t.kind == tokWord && isReserved(t.text) && !slices.Contains(f.base.enum, strings.ToLower(t.text)) {
		e := missing(f, t)
		e.Message += "; when the word itself is meant, quote it"
		return Value{}, e
	}
	v, err := f.value(t.text, t.kind == tokQuoted)
	if err != nil {
		return Value{}, bad(err, t)
	}
	return v, nil
}

func missing(f *Field, t token) *Error {
	e := fail(t.span(), "a value of %s is missing", f.Name)
	if t.kind != tokEnd {
		e.Message += " before " + t.quote()
	}
	e.Expected = f.examples()
	return e
}

func bad(err error, t token) *Error {
	e := fail(t.span(), "%s", err)
	var v *valueError
	if errors.As(err, &v) {
		e.Expected, e.Suggestion = v.expected, v.suggestion
	}
	return e
}

// operand parses the right side of an operator. explicit says that the operator was written, which is
// necessary for a field on the right side.
func (p *parser) operand(f *Field, op Op, at token, explicit bool) (Node, *Error) {
	p.wants(want{kind: wantValue, field: f})
	t := p.peek()
	if t.is("[") || t.is("{") {
		switch op {
		case Eq, Has:
			op = In
		case Ne:
			op = NotIn
		default:
			return nil, fail(t.span(), "%s takes one value; a list goes with in", op)
		}
		values, err := p.list(f)
		if err != nil {
			return nil, err
		}
		return p.listed(f, op, values, at)
	}
	if explicit && t.kind == tokWord {
		if n, err := p.with(f, op, at); n != nil || err != nil {
			return n, err
		}
	}
	if op == Match || op == NotMatch || op == Has && (f.base.class.text() || f.dual() && f.base.alt.text()) {
		return p.pattern(f, op, at)
	}
	several, err := p.values(f, p.next())
	if err != nil {
		return nil, err
	}
	if len(several) > 1 { // from one name
		switch op {
		case Eq, Has:
			return p.listed(f, In, several, at)
		case Ne:
			return p.listed(f, NotIn, several, at)
		}
		return nil, fail(at.span(), "%s takes one value, and several ASes have this name; write the number", op)
	}
	v := several[0]
	if m, ok := p.netmask(f, v); ok {
		if m.IsValid() {
			v = prefixValue(m)
		} else {
			t := p.after(-1)
			return nil, fail(t.span(), "%s is not a mask: its ones do not all come first", t.quote())
		}
	}
	return finish(f, op, v, at)
}

// netmask parses "mask 255.0.0.0" after an address, as in tcpdump.
func (p *parser) netmask(f *Field, v Value) (netip.Prefix, bool) {
	if f.base.class != classIP || v.Alt || v.From != v.To || !v.From.Is4() || !p.peek().keyword("mask") && !p.peek().keyword("netmask") {
		return netip.Prefix{}, false
	}
	mask, err := netip.ParseAddr(p.after(1).text)
	if err != nil || !mask.Is4() {
		return netip.Prefix{}, false
	}
	p.next()
	p.next()
	for n := range 33 {
		if prefix := netip.PrefixFrom(v.From, n); maskOf(n) == mask.As4() {
			return prefix, true
		}
	}
	return netip.Prefix{}, true
}

func maskOf(n int) (m [4]byte) {
	for i := range n {
		m[i/8] |= 0x80 >> (i % 8)
	}
	return m
}

// with parses a field on the right side; nil if there is none.
func (p *parser) with(f *Field, op Op, at token) (Node, *Error) {
	t := p.peek()
	word := strings.ToLower(t.text)
	if slices.Contains(f.base.enum, word) {
		return nil, nil
	}
	width := 1
	var other *Field
	if side, name, ok := strings.Cut(word, "."); ok && IsSide(side) {
		other = Lookup(side, name)
	} else if IsSide(word) && p.after(1).kind == tokWord {
		other, width = Lookup(word, p.after(1).text), 2
	} else if !f.base.class.text() && (!f.dual() || f.base.alt == classLargeCommunity) {
		if _, err := f.value(t.text, false); err != nil {
			other = Find(word)
		}
	}
	if other == nil {
		return nil, nil
	}
	for range width {
		t.end = p.next().end
	}
	for _, side := range []struct {
		f  *Field
		at [2]int
	}{{f, at.span()}, {other, t.span()}} {
		if side.f.Either() {
			e := fail(side.at, "%s is either side here; to compare two fields, say which", side.f.Name)
			for _, s := range side.f.base.sides()[1:] {
				e.Expected = append(e.Expected, s+"."+side.f.base.name)
			}
			return nil, e
		}
	}
	a, b := f.base, other.base
	ordered := a.class.number() && b.class.number() || a.class == classIP && b.class == classIP
	equal := ordered || a.class == classMAC && b.class == classMAC || a.class == classFlags && b.class == classFlags ||
		a.class.text() && b.class.text() || a.class == classEnum && b.class == classEnum && slices.Equal(a.enum, b.enum)
	if !equal {
		return nil, fail(t.span(), "%s cannot be compared with %s: they hold different things", other.Name, f.Name)
	}
	if op > Ge || op > Ne && !ordered {
		e := fail(at.span(), "%s does not compare %s with %s", op, f.Name, other.Name)
		e.Expected = []string{"=", "!="}
		return nil, e
	}
	return Compare{Field: f, Op: op, With: other}, nil
}

// pattern parses the text after ~ or has.
func (p *parser) pattern(f *Field, op Op, at token) (Node, *Error) {
	if !f.base.class.text() && !(f.dual() && f.base.alt.text()) {
		e := fail(at.span(), "%s is for text; %s holds something else", op, f.Name)
		e.Expected = f.operators()
		return nil, e
	}
	t := p.next()
	if t.kind != tokWord && t.kind != tokQuoted || t.kind == tokWord && isReserved(t.text) {
		return nil, missing(f, t)
	}
	if op != Has {
		if err := parseRegexp(t.text); err != nil {
			return nil, bad(err, t)
		}
	}
	return Compare{Field: f, Op: op, Values: []Value{{Text: t.text, Alt: !f.base.class.text()}}}, nil
}

// like parses LIKE of SQL and converts it to a regular expression.
func (p *parser) like(f *Field, negative bool) (Node, *Error) {
	t := p.next()
	word := strings.ToLower(t.text)
	op := Match
	if strings.Contains(word, "un") != negative {
		op = NotMatch
	}
	if p.peek().kind == tokWord || p.peek().kind == tokQuoted {
		p.tokens[p.pos].text = likeRegexp(p.peek().text, strings.HasPrefix(word, "i"))
		p.tokens[p.pos].kind = tokQuoted
	}
	return p.pattern(f, op, t)
}

// likeRegexp converts % to .*, _ to . and escapes the rest.
func likeRegexp(pattern string, anyCase bool) string {
	s := regexp.QuoteMeta(pattern)
	s = "^" + strings.NewReplacer(`\\%`, "%", `\\_`, "_", "%", ".*", "_", ".").Replace(s) + "$"
	s = strings.TrimSuffix(strings.TrimPrefix(s, "^.*"), ".*$")
	if anyCase {
		s = "(?i)" + s
	}
	return s
}

// finish checks that the operator fits the value and makes the node.
func finish(f *Field, op Op, v Value, at token) (Node, *Error) {
	c := f.base.class
	if v.Alt {
		c = f.base.alt
	}
	wrong := func(why string) (Node, *Error) {
		e := fail(at.span(), "%s does not go with %s: %s", op, f.Name, why)
		e.Expected = f.operators()
		return nil, e
	}
	if op >= Lt && op <= Ge {
		switch {
		case c == classIP && v.From != v.To || c.number() && v.Lo != v.Hi:
			return wrong("a range has two ends; write one of them")
		case c != classIP && !c.number():
			return wrong("its values have no order")
		}
	}
	if c.list() {
		switch op {
		case Eq, Has:
			return Compare{Field: f, Op: Has, Values: []Value{v}}, nil
		case Ne:
			return Not{Compare{Field: f, Op: Has, Values: []Value{v}}}, nil
		}
		return wrong("it is a list of values")
	}
	if op == Has {
		if c != classFlags {
			return wrong("it holds one value and no list")
		}
		op = Eq
	}
	return Compare{Field: f, Op: op, Values: []Value{v}}, nil
}

// operators returns the operators of the field.
func (f *Field) operators() []string {
	b := f.base
	switch {
	case b.class.text() || f.dual() && b.alt.text():
		return []string{"=", "!=", "~", "!~", "has", "in", "not in"}
	case b.class.list():
		return []string{"has", "in", "not in"}
	case b.class.number(), b.class == classIP:
		return []string{"=", "!=", "<", "<=", ">", ">=", "in", "not in"}
	}
	return []string{"=", "!=", "in", "not in"}
}

// examples returns examples of the field's values, or all of them.
func (f *Field) examples() []string {
	if f.dual() && f.base.alt != classLargeCommunity {
		if f.base.class == classIP {
			return []string{"an address", "a prefix", `"name"`, "a list"}
		}
		return []string{`"name"`, "an ifIndex", "a list"}
	}
	switch f.base.class {
	case classPort:
		return []string{"a port", "a range", "the name of a service", "a list"}
	case classProtocol:
		return []string{"tcp", "udp", "icmp", "icmp6", "a number"}
	case classEtherType:
		return []string{"ip4", "ip6", "arp", "a number"}
	case classCodepoint:
		return []string{"ef", "af41", "cs6", "a number"}
	case classAS, classASList:
		return []string{"an AS number", "a range", "a list"}
	case classFlags:
		return []string{"S", "S/SA", "S/*"}
	case classDuration:
		return []string{"10s", "1500ms", "5m"}
	case classMAC:
		return []string{"aa:bb:cc:dd:ee:ff"}
	case classIP:
		return []string{"an address", "a prefix", "a range of addresses", "a list"}
	case classEnum, classBits:
		return f.base.enum
	case classText:
		return []string{`"text"`}
	case classCountry:
		return []string{`"DE"`}
	case classCommunity:
		return []string{"65000:666", "65000:1:2", "blackhole"}
	case classLargeCommunity:
		return []string{"65000:1:2"}
	}
	return []string{"a number", "a range", "a list"}
}
