package query

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"

	"netmeta/flow"
)

// Explain finds out why traffic changed: it compares a range with one of the same length before it, field by
// field, and finds the few values that make up the change. It is arithmetic on sums:
//
//	Δ(value)  = its traffic now minus its traffic before
//	share     = Δ(value) / Δ(total)
//
// A field explains a rise or a fall better if fewer of its values make up four fifths of it. If the total is
// about the same, traffic may have moved: then the values that gained are compared with those that lost. A
// value whose share of the rest of the traffic (before a rise, after a fall) is as large as its share of the
// change explains nothing, and is left out.
// explains nothing, and is left out.

const (
	explainValues = 12   // the largest changes of a field that are examined
	explainCover  = 0.8  // of the change, by which fields are ranked
	explainSteady = 0.1  // of the total: smaller changes are searched for moves
	explainLift   = 0.1  // how much more of the change than of the other traffic
	explainWhole  = 1.2  // larger shares are shown as absolute values
	explainSmall  = 0.02 // of the total: smaller changes are not moves
)

// aspect is a field, or several together, that may explain a change.
type aspect struct {
	name    string // of the cause, in a sentence; "%s" is the label
	many    string // of its values, if there are many
	keys    []string
	labels  []string
	by      []string
	present func(keys, labels []string, s Schema) (key, label []string, filter string)
}

// aspects are the ten fields of Explain.
var aspects = sync.OnceValue(func() []aspect {
	var list []aspect
	add := func(by, name, many string) {
		facets, err := parseFacets(by)
		if err != nil {
			panic("BUG: " + err.Error())
		}
		f := facets[0]
		list = append(list, aspect{name, many, f.keys(), f.labels(), f.by(), f.present})
	}
	add("dst.ip", "to %s", "destinations")
	add("src.ip", "from %s", "sources")
	add("proto/dst.port", "%s as destination port", "destination ports")
	add("proto/src.port", "%s as source port", "source ports")
	add("src.as", "from %s", "source ASes")
	add("dst.as", "to %s", "destination ASes")
	add("in.if", "comes in through %s", "interfaces that it comes in through")
	add("out.if", "goes out through %s", "interfaces that it goes out through")
	add("flags", "TCP flags %s", "combinations of TCP flags")
	list = append(list, aspect{"packets of %s", "packet sizes", []string{"intDiv(intDiv(Bytes, 64), greatest(Packets, 1))"}, nil, []string{"bpp"}, presentSize})
	return list
})

func presentSize(keys, _ []string, _ Schema) (key, label []string, filter string) {
	n, _ := strconv.ParseUint(keys[0], 10, 64)
	low, high := strconv.FormatUint(64*n, 10), strconv.FormatUint(64*n+63, 10)
	filter = "bpp >= " + low
	if above := 64*n + 64; above > 0 { // otherwise it is 2^64
		filter += " and bpp < " + strconv.FormatUint(above, 10)
	}
	return []string{low + "-" + high}, []string{low + " to " + high + " bytes"}, filter
}

// ExplainQuery is the statement of Explain with the data needed to read its result.
type ExplainQuery struct {
	Statement
	Now, Before Range // windows of the same length
	unit        string
	schema      Schema
}

// selection returns the range to explain: sel=from~to, or the whole range.
func (r *Request) selection(rg Range) (Range, error) {
	if r.Sel == "" {
		return Range{From: rg.From, To: rg.To, Location: rg.Location}, nil
	}
	from, to, ok := strings.Cut(r.Sel, "~")
	if !ok {
		return rg, Invalid("sel", r.Sel, "is no window; write begin~end, as 1790000000~1790000300")
	}
	out := Range{Location: rg.Location}
	for _, end := range []struct {
		text string
		at   *int64
	}{{from, &out.From}, {to, &out.To}} {
		t, ok := parseAbsolute(strings.TrimSpace(end.text), rg.Location)
		if !ok || t.Unix() < 0 || t.Unix() > maxTime {
			return rg, Invalid("sel", r.Sel, "is no window: its ends are times as 1790000000 or 2026-11-20T14:00:00Z")
		}
		*end.at = t.Unix()
	}
	if out.From >= out.To {
		return rg, Invalid("sel", r.Sel, "ends before it begins")
	}
	return out, nil
}

// Explain returns the query for why the range of sel differs from the one in vs, or from the one before. Its
// result has a row for each value that changed much: aspect UInt8, the number of its aspect; distinct and
// risers of the aspect UInt64, rise and fall Float64; keys and labels Array(String); now and before Float64.
// One more row, of an aspect after the last, has the totals, and packets and bytes of both ranges.
func (r Request) Explain(rg Range, s Schema) (ExplainQuery, error) {
	q := ExplainQuery{unit: r.Unit, schema: s}
	switch r.Unit {
	case "bpp", "pct":
		return q, Invalid("unit", r.Unit, "is a ratio, and its changes have no shares; write unit=bps or unit=pps")
	case "bytes", "packets", "flows": // the windows are of one length: rates say the same
		q.unit = map[string]string{"bytes": "bps", "packets": "pps", "flows": "fps"}[r.Unit]
	}
	var err error
	if q.Now, err = r.selection(rg); err != nil {
		return q, err
	}
	shift := q.Now.To - q.Now.From
	if r.VS != "" {
		shifts, err := r.shifts(&q.Now)
		if err != nil {
			return q, err
		}
		if len(shifts) > 1 || shifts[0] < shift {
			return q, Invalid("vs", r.VS, "is not one window that ends before this one begins; write prev, -1d or -7d")
		}
		shift = shifts[0]
	}
	q.Before = Range{From: q.Now.From - shift, To: q.Now.To - shift, Location: rg.Location}

	c := newCompiler(s.Scope)
	now, before := c.window(0, q.Now.From, q.Now.To), c.window(1, q.Before.From, q.Before.To)
	rest, err := r.condition(c, s)
	if err != nil {
		return q, err
	}
	where := "(" + now + " OR " + before + ")" + rest
	v := r.roughSQL(flow.Table.Name)
	var list []set
	for i, a := range aspects() {
		list = append(list, set{i, a.keys, a.labels})
	}
	packets, octets := (&Request{Unit: "packets"}).roughSQL(flow.Table.Name), (&Request{}).roughSQL(flow.Table.Name)
	var parts []string
	for _, group := range gather(list) {
		columns := strings.Join(append(group.columns(), v+" AS v", isNow), ", ")
		parts = append(parts, group.sql("aspect", changed, []string{"SELECT " + columns + " " + c.from(flow.Table.Name, " WHERE ", where)}))
	}
	parts = append(parts, lines(
		fmt.Sprintf("SELECT toUInt8(%d) AS aspect, %s AS keys, %s AS labels,", len(list), noTexts, noTexts),
		"    toUInt64(0) AS distinct, toUInt64(0) AS risers, toFloat64(0) AS rise, toFloat64(0) AS fall, sumIf("+v+", is_now) AS now, sumIf("+v+", NOT is_now) AS before,",
		"    sumIf("+packets+", is_now) AS packets_now, sumIf("+packets+", NOT is_now) AS packets_before,",
		"    sumIf("+octets+", is_now) AS bytes_now, sumIf("+octets+", NOT is_now) AS bytes_before",
		"FROM (SELECT *, "+isNow+" "+c.from(flow.Table.Name, " WHERE ", where)+")",
	))
	q.SQL, q.Params = strings.Join(parts, "\nUNION ALL\n"), c.params
	q.Columns = []ResultColumn{{"aspect", "UInt8"}, {"keys", "Array(String)"}, {"labels", "Array(String)"}, {"distinct", "UInt64"}, {"risers", "UInt64"}, {"rise", "Float64"}, {"fall", "Float64"},
		{"now", "Float64"}, {"before", "Float64"}, {"packets_now", "Float64"}, {"packets_before", "Float64"}, {"bytes_now", "Float64"}, {"bytes_before", "Float64"}}
	return q, nil
}

const isNow = "TimeReceived >= {from:DateTime('UTC')} AS is_now"

// changed are the values whose sums of v changed most between the ranges.
var changed = ranking{
	sums: []string{"sumIf(f.v, is_now) AS now", "sumIf(f.v, NOT is_now) AS before"},
	whole: []string{"count() AS distinct", "countIf(now > before) AS risers",
		"sumIf(now - before, now > before) AS rise", "sumIf(before - now, before > now) AS fall"},
	first: "-abs(now - before)",
	n:     explainValues,
	shown: []string{"now", "before"},
	result: func(shown []string) []string {
		return []string{"distinct", "risers", "rise", "fall", shown[0] + " AS now", shown[1] + " AS before",
			"toFloat64(0) AS packets_now", "toFloat64(0) AS packets_before", "toFloat64(0) AS bytes_now", "toFloat64(0) AS bytes_before"}
	},
}

// Explanation says why a range differs from the one before.
type Explanation struct {
	From       int64    `json:"from"`
	To         int64    `json:"to"`
	BeforeFrom int64    `json:"before_from"`
	BeforeTo   int64    `json:"before_to"`
	Unit       string   `json:"unit"`
	Now        float64  `json:"now"`    // Rates, in the unit.
	Before     float64  `json:"before"` //
	Delta      float64  `json:"delta"`
	Change     *float64 `json:"change"`                            // Delta as a share of before; null without traffic before.
	Kind       string   `json:"kind" enum:"rise,fall,move,steady"` // rise, fall, move or steady.
	Text       string   `json:"text"`                              // Summary in one sentence.
	Causes     []Cause  `json:"causes"`                            // Causes, best first.
	Filter     string   `json:"filter"`                            // Matches what the individual causes have in common; empty if there are none.
	Aspects    []Aspect `json:"aspects"`
}

// Cause is a value, or two for a move, that makes up much of the change; or says that no value does.
type Cause struct {
	By     []string `json:"by"`
	Text   string   `json:"text"`
	Filter string   `json:"filter"` // Matches the value, or the few; empty if there are many.
	Share  float64  `json:"share"`  // Of the change; for a move, of the traffic.
	Values int      `json:"values"` // Number of values.
}

// Aspect is a field with the values that changed most.
type Aspect struct {
	By       []string      `json:"by"`
	Distinct uint64        `json:"distinct"` // Values in both ranges.
	Rise     float64       `json:"rise"`     // Sum of the values that rose.
	Fall     float64       `json:"fall"`     // Sum of the values that fell.
	Values   []ValueChange `json:"values"`   // Largest change first.

	risers uint64
}

// ValueChange is a value that changed.
type ValueChange struct {
	Key    []string `json:"key"`
	Label  []string `json:"label"`
	Filter string   `json:"filter"`
	Now    float64  `json:"now"`
	Before float64  `json:"before"`
	Delta  float64  `json:"delta"`
}

// ExplainRows are the columns of the result of an ExplainQuery.
type ExplainRows struct {
	Aspect                                           []uint8
	Distinct, Risers                                 []uint64
	Keys, Labels                                     [][]string
	Rise, Fall, Now, Before                          []float64
	PacketsNow, PacketsBefore, BytesNow, BytesBefore []float64
}

// Read makes the explanation.
func (q ExplainQuery) Read(rows ExplainRows) (Explanation, error) {
	seconds := float64(q.Now.To - q.Now.From)
	per := func(n float64) float64 { return rate(q.unit, n, seconds) }
	x := Explanation{From: q.Now.From, To: q.Now.To, BeforeFrom: q.Before.From, BeforeTo: q.Before.To, Unit: q.unit, Causes: []Cause{}, Aspects: make([]Aspect, len(aspects()))}
	for i, a := range aspects() {
		x.Aspects[i] = Aspect{By: a.by, Values: []ValueChange{}}
	}
	size := 0.0
	for row, aspect := range rows.Aspect {
		i := int(aspect)
		if i > len(aspects()) {
			return x, fmt.Errorf("query: the result has the aspect %d of %d", i, len(aspects()))
		}
		now, before := per(rows.Now[row]), per(rows.Before[row])
		if i == len(aspects()) {
			x.Now, x.Before = now, before
			size = ratio(rows.BytesNow[row]-rows.BytesBefore[row], rows.PacketsNow[row]-rows.PacketsBefore[row])
			continue
		}
		a := &x.Aspects[i]
		a.Distinct, a.risers, a.Rise, a.Fall = rows.Distinct[row], rows.Risers[row], per(rows.Rise[row]), per(rows.Fall[row])
		m := ValueChange{Now: now, Before: before, Delta: now - before}
		m.Key, m.Label, m.Filter = aspects()[i].present(rows.Keys[row], rows.Labels[row], q.schema)
		if m.Delta != 0 {
			a.Values = append(a.Values, m)
		}
	}
	for i := range x.Aspects {
		slices.SortStableFunc(x.Aspects[i].Values, func(a, b ValueChange) int { return cmp.Compare(math.Abs(b.Delta), math.Abs(a.Delta)) })
	}
	x.Delta = x.Now - x.Before
	if x.Before > 0 {
		change := x.Delta / x.Before
		x.Change = &change
	}
	x.find()
	x.write(size)
	return x, nil
}

func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

// ranked is a cause with its ranking.
type ranked struct {
	Cause
	few  int     // number of values that make up explainCover of the change
	lift float64 // how much larger its share of the change is than of the other traffic
}

// find finds the causes and ranks them.
func (x *Explanation) find() {
	larger := max(x.Now, x.Before)
	switch {
	case larger == 0:
		x.Kind = "steady"
		return
	case math.Abs(x.Delta) >= explainSteady*larger && x.Delta > 0:
		x.Kind = "rise"
	case math.Abs(x.Delta) >= explainSteady*larger:
		x.Kind = "fall"
	default:
		x.Kind = "move"
	}
	var found, spread []ranked
	for i := range x.Aspects {
		var c ranked
		var ok bool
		if x.Kind == "move" {
			c, ok = x.move(i, larger)
		} else if c, ok = x.contribution(i); ok && c.few == 0 {
			spread = append(spread, c)
			continue
		}
		if ok {
			found = append(found, c)
		}
	}
	slices.SortStableFunc(found, func(a, b ranked) int {
		return cmp.Or(cmp.Compare(a.few, b.few), cmp.Compare(b.lift, a.lift))
	})
	var common []string
	for _, c := range found {
		x.Causes = append(x.Causes, c.Cause)
		if c.few == 1 && x.Kind != "move" {
			common = append(common, c.Filter)
		}
	}
	slices.SortStableFunc(spread, func(a, b ranked) int { return cmp.Compare(a.Values, b.Values) })
	for _, c := range spread {
		x.Causes = append(x.Causes, c.Cause)
	}
	x.Filter = strings.Join(common, " and ")
	if x.Kind == "move" && len(found) == 0 {
		x.Kind = "steady"
	}
}

// contribution returns how aspect i explains a rise or a fall.
func (x *Explanation) contribution(i int) (c ranked, ok bool) {
	a := &x.Aspects[i]
	var with []ValueChange // the change
	for _, m := range a.Values {
		if m.Delta*x.Delta > 0 {
			with = append(with, m)
		}
	}
	if len(with) == 0 {
		return c, false
	}
	top := with[0].Delta / x.Delta
	few, share, rest := 0, 0.0, 0.0 // rest is their share of the earlier traffic, or of the later
	for n, m := range with {
		if n == 5 {
			break
		}
		share += m.Delta / x.Delta
		if x.Delta > 0 {
			rest += ratio(m.Before, x.Before)
		} else {
			rest += ratio(m.Now, x.Now)
		}
		if share >= explainCover {
			few = n + 1
			break
		}
	}
	c.By = a.By
	if few == 0 {
		if moved := a.risers; x.Delta > 0 && moved >= 20 && top < 0.2 {
			c.Values, c.Share = int(moved), top
			c.Text = fmt.Sprintf("%s %s, none more than %s", grouped(moved), aspects()[i].many, percent(top))
			return c, true
		}
		return c, false
	}
	if c.lift = share - rest; c.lift < explainLift {
		return c, false
	}
	if label := with[0].Label; few == 1 && len(label) == 1 && label[0] == "none" { // no TCP: another field says that better
		return c, false
	}
	c.few, c.Values, c.Share = few, few, share
	filters := make([]string, few)
	for j := range filters {
		filters[j] = with[j].Filter
	}
	c.Filter = filters[0]
	c.Text = x.much(share) + " " + fmt.Sprintf(aspects()[i].name, strings.Join(with[0].Label, " "))
	if few > 1 {
		c.Filter = "((" + strings.Join(filters, ") or (") + "))"
		c.Text = fmt.Sprintf("%s in %d of %s %s (%s %s)", x.much(share), few, grouped(a.Distinct), aspects()[i].many, strings.Join(with[0].Label, " "), x.much(top))
	}
	return c, true
}

// much writes the size of a share of the change: as a percentage, or as an absolute value if others have
// changed in the opposite direction and it is much larger than the whole.
func (x *Explanation) much(share float64) string {
	if share <= explainWhole {
		return percent(share)
	}
	return x.sign() + Show(x.Unit, share*math.Abs(x.Delta))
}

func (x *Explanation) sign() string {
	if x.Delta < 0 {
		return "−"
	}
	return "+"
}

// move returns how aspect i explains that traffic took another way: one value lost about what another one
// gained.
func (x *Explanation) move(i int, total float64) (c ranked, ok bool) {
	a := &x.Aspects[i]
	var up, down *ValueChange
	for j := range a.Values {
		m := &a.Values[j]
		if m.Delta > 0 && up == nil {
			up = m
		}
		if m.Delta < 0 && down == nil {
			down = m
		}
	}
	if up == nil || down == nil || up.Delta < explainCover/2*a.Rise || -down.Delta < explainCover/2*a.Fall {
		return c, false
	}
	moved := min(up.Delta, -down.Delta)
	if moved < explainSmall*total || moved < math.Abs(x.Delta) {
		return c, false
	}
	c.By, c.few, c.Values, c.Share = a.By, 1, 2, moved/total
	c.lift = moved / max(a.Rise, a.Fall) * c.Share
	c.Filter = "((" + up.Filter + ") or (" + down.Filter + "))"
	c.Text = fmt.Sprintf("%s moved: %s now, %s before", Show(x.Unit, moved),
		fmt.Sprintf(aspects()[i].name, strings.Join(up.Label, " ")), fmt.Sprintf(aspects()[i].name, strings.Join(down.Label, " ")))
	return c, true
}

// write writes the sentence.
func (x *Explanation) write(size float64) {
	sign := x.sign()
	x.Text = sign + Show(x.Unit, math.Abs(x.Delta))
	switch {
	case x.Change != nil:
		x.Text += fmt.Sprintf(" (%s%s)", sign, percent(math.Abs(*x.Change)))
	case x.Now > 0:
		x.Text += " (nothing before)"
	}
	parts := x.parts()
	if size > 0 && (x.Kind == "rise" || x.Kind == "fall") {
		parts = append(parts, "mean packet "+grouped(uint64(math.Round(min(size, 1e18))))+" bytes")
	}
	switch {
	case len(x.Causes) == 0 && x.Kind == "steady":
		x.Text += ": about as before"
	case len(x.Causes) == 0:
		x.Text += ": no few values make it up; " + strings.Join(parts, " · ")
	default:
		x.Text += ": " + strings.Join(parts, " · ")
	}
	x.Text = strings.TrimSuffix(x.Text, "; ")
}

// parts returns the causes for the sentence: the five best, and two that are spread over many values. It
// omits the AS of an address that is named.
func (x *Explanation) parts() []string {
	var parts, spread []string
	single := map[string]bool{}
	for _, c := range x.Causes {
		by := strings.Join(c.By, "/")
		single[by] = c.Values == 1
		switch {
		case by == "dst.as" && single["dst.ip"], by == "src.as" && single["src.ip"]:
		case c.Filter == "" && len(spread) < 2:
			spread = append(spread, c.Text)
		case c.Filter != "" && len(parts) < 5:
			parts = append(parts, c.Text)
		}
	}
	return append(parts, spread...)
}

func percent(share float64) string {
	switch p := share * 100; {
	case p >= 1e6:
		return "a million %"
	case p >= 10:
		return grouped(uint64(math.Round(p))) + " %"
	default:
		return strconv.FormatFloat(p, 'g', 2, 64) + " %"
	}
}

// grouped writes 1204 as 1,204.
func grouped(n uint64) string {
	s := strconv.FormatUint(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Show writes a value of a unit with three digits.
func Show(unit string, v float64) string {
	switch unit {
	case "pps":
		return scaled(v, "packets/s")
	case "fps":
		return scaled(v, "flows/s")
	case "bytes":
		return scaled(v, "B")
	case "bpp":
		return scaled(v, "B/packet")
	case "pct":
		return strconv.FormatFloat(v, 'g', 3, 64) + " %"
	case "packets", "flows":
		return strings.TrimSpace(scaled(v, ""))
	}
	return scaled(v, "b/s")
}
