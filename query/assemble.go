package query

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Rows are the columns of the result of a statement of Series, all of one length. See series.go for their
// content.
type Rows struct {
	Time     []uint32
	Dir      []string
	Top      []uint8
	Groups   []uint64
	Keys     [][]string // [column][row]
	Labels   [][]string // [column][row]
	Value    []uint64
	Packets  []float64
	N        []uint64
	Variance []float64
	Window   []uint8  // with vs
	Peak     []uint64 // with agg=peak
	Edge     []uint64 // with agg=peak
	Speed    []uint64 // with unit=pct
	Paceless []uint64 // with unit=pct
}

// Set stores a column by its name in the result: a slice of the Go type of its ClickHouse type.
func (r *Rows) Set(name string, column any) error {
	ok := true
	switch name {
	case "t":
		r.Time, ok = column.([]uint32)
	case "dir":
		r.Dir, ok = column.([]string)
	case "top":
		r.Top, ok = column.([]uint8)
	case "groups":
		r.Groups, ok = column.([]uint64)
	case "value":
		r.Value, ok = column.([]uint64)
	case "packets":
		r.Packets, ok = column.([]float64)
	case "n":
		r.N, ok = column.([]uint64)
	case "variance":
		r.Variance, ok = column.([]float64)
	case "w":
		r.Window, ok = column.([]uint8)
	case "peak":
		r.Peak, ok = column.([]uint64)
	case "speed":
		r.Speed, ok = column.([]uint64)
	case "paceless":
		r.Paceless, ok = column.([]uint64)
	case "edge":
		r.Edge, ok = column.([]uint64)
	default:
		list := &r.Keys
		if strings.HasPrefix(name, "l") {
			list = &r.Labels
		}
		i := -1
		if name != "" && strings.IndexByte("kl", name[0]) >= 0 {
			if n, err := strconv.Atoi(name[1:]); err == nil {
				i = n
			}
		}
		if i < 0 || i >= 2*maxBy {
			return fmt.Errorf("query: the result has a column %q that no statement asks for", name)
		}
		for len(*list) <= i {
			*list = append(*list, nil)
		}
		(*list)[i], ok = column.([]string)
	}
	if !ok {
		return fmt.Errorf("query: column %s of the result is %T", name, column)
	}
	return nil
}

// Len returns the number of rows.
func (r *Rows) Len() int { return len(r.Time) }

func (r *Rows) check(keys, labels int) error {
	n := r.Len()
	ok := len(r.Dir) == n && len(r.Top) == n && len(r.Groups) == n && len(r.Value) == n && len(r.Packets) == n && len(r.N) == n && len(r.Variance) == n &&
		(n == 0 || len(r.Keys) == keys && len(r.Labels) == labels)
	for _, length := range []int{len(r.Window), len(r.Peak), len(r.Edge), len(r.Speed), len(r.Paceless)} {
		ok = ok && (length == 0 || length == n)
	}
	for _, list := range [][][]string{r.Keys, r.Labels} {
		for _, column := range list {
			ok = ok && len(column) == n
		}
	}
	if !ok {
		return fmt.Errorf("query: the columns of the result differ in length or number: %d rows, %d of %d keys, %d of %d labels", n, len(r.Keys), keys, len(r.Labels), labels)
	}
	return nil
}

// Result is the result of a request: the data of the chart and the table.
type Result struct {
	From  int64    `json:"from"` // Start, seconds since 1970.
	To    int64    `json:"to"`   // End, exclusive.
	Step  int64    `json:"step"` // Seconds of an interval.
	Unit  string   `json:"unit"`
	By    []string `json:"by"`
	Times []int64  `json:"times"`                                           // Start of each interval.
	Dirs  []string `json:"dirs" enum:"in,out,internal,transit,unknown,sum"` // Directions that occur, or sum.
	// By direction, then by rank; the last but one of each direction has the groups omitted by skip, Other is
	// the last.
	Series []Series `json:"series"`
	Total  []Total  `json:"total"` // Number of groups in Other.
	Other  int      `json:"other"` // Groups that are folded into Other.

	VS *Comparison `json:"vs,omitempty"` // What the vs of series and totals compares with.

	Notes []string `json:"-"` // sentences about what is left out
}

// Series is one group in one direction.
type Series struct {
	Key    []string `json:"key"`   // Value of each field of by; empty for Other.
	Label  []string `json:"label"` // The same for display.
	Dir    string   `json:"dir" enum:"in,out,internal,transit,unknown,sum"`
	Other  bool     `json:"other"`            // Whether it is the sum of the groups after the first N.
	Larger bool     `json:"larger,omitempty"` // With other: the larger groups omitted by skip.
	Folded int      `json:"folded,omitempty"` // Of Other: the number of its groups.
	// Filter for this group alone: a condition for each of by, empty for a time. Of Other one condition for
	// all its groups, such as src.as not in [64500, 64501], with its direction if directions are ranked
	// separately; none with skip.
	Filter []string  `json:"filter"`
	Time   *[2]int64 `json:"time,omitempty"`  // Of a time group: its own seconds, from and to, which avg is over.
	Values Points    `json:"values"`          // One for each interval, four digits.
	N      []uint64  `json:"n"`               // Sampled packets, one for each interval: the fewer, the less certain the value.
	Peaks  Points    `json:"peaks,omitempty"` // With agg=peak: the largest rate of one second in each interval.
	Stats
	VS    *Versus  `json:"vs,omitempty"` // The same in the earlier ranges.
	Share float64  `json:"share"`        // Of the direction's total.
	Error *float64 `json:"error"`        // Relative error of the total, 95% confidence, from sampling.
}

// Total is the sum of all series of a direction.
type Total struct {
	Dir    string `json:"dir" enum:"in,out,internal,transit,unknown,sum"`
	Values Points `json:"values"`
	Peaks  Points `json:"peaks,omitempty"` // With agg=peak: the largest rate of one second in each interval.
	Stats
	VS *Versus `json:"vs,omitempty"`
}

// Stats summarise a series. Max and Last only use intervals completely in the range, unless there are none;
// Avg and Total use all.
type Stats struct {
	Avg   float64 `json:"avg"`   // Total over the length of the range.
	Max   float64 `json:"max"`   // Largest complete interval.
	Last  float64 `json:"last"`  // Last complete interval.
	Total uint64  `json:"total"` // Sum over the range in bytes, packets or flows, scaled by the sampling rates; exact.

	Peak *float64 `json:"peak,omitempty"` // With agg=peak: the largest rate of one second.
}

// Points are the values of a line. In JSON they have 4 significant digits: the rounding error, 0.05%, is far
// below that of sampling.
type Points []float64

// MarshalJSON writes the points. The result is stable: 999,960 is 1e+06, as a million is.
func (p Points) MarshalJSON() ([]byte, error) {
	b := append(make([]byte, 0, 2+8*len(p)), '[')
	for i, v := range p {
		if i > 0 {
			b = append(b, ',')
		}
		switch {
		case v == 0 || math.IsNaN(v) || math.IsInf(v, 0):
			b = append(b, '0')
		case v >= 1e3 && v < 999_950 || v >= 1 && v == math.Trunc(v) && v < 1e4:
			digits := math.Pow(10, math.Floor(math.Log10(v))-3)
			b = strconv.AppendFloat(b, math.Round(v/digits)*digits, 'f', 0, 64)
		default:
			b = strconv.AppendFloat(b, v, 'g', 4, 64)
		}
	}
	return append(b, ']'), nil
}

var dirOrder = []string{"in", "out", "internal", "transit", "unknown", "sum"}

// cells are the sums of one series or total.
type cells struct {
	dir            string
	keys, labels   []string // of the columns, not of the fields
	other, larger  bool     // several groups
	value, n       []uint64
	pkts           []float64
	variance       float64
	peak           []uint64 // nil without agg=peak
	speed          uint64   // of the interface; 0 without unit=pct
	groups         uint64
	from, to       int64 // its own time; 0: that of the request
	score, ordered float64
	past           []*cells // in the windows compared with
}

func newCells(dir string, buckets, past int) *cells {
	c := &cells{dir: dir, value: make([]uint64, buckets), pkts: make([]float64, buckets), n: make([]uint64, buckets)}
	for range past {
		c.past = append(c.past, newCells(dir, buckets, 0))
	}
	return c
}

// last restricts its sums to this time.
func (c *cells) last(from, to int64) {
	c.from, c.to = from, to
	for _, p := range c.past {
		p.last(from, to)
	}
}

// Assemble makes the result from the rows of a statement of Series. It is pure: request, range and schema,
// which has the AS names, must be those of the statement.
func Assemble(r Request, rg Range, rows Rows, s Schema) (Result, error) {
	dims, err := r.dims(&rg)
	if err != nil {
		return Result{}, err
	}
	width, labels := 0, 0
	for _, d := range dims {
		k, l := d.widths()
		width, labels = width+k, labels+l
	}
	if err := rows.check(width, labels); err != nil {
		return Result{}, err
	}
	shifts, err := r.shifts(&rg)
	if err != nil {
		return Result{}, err
	}
	all, totals, err := collect(&rg, &rows, len(dims) > 0, len(shifts))
	if err != nil {
		return Result{}, err
	}
	for _, c := range all {
		if c.other {
			continue
		}
		if from, to, ok := ownTime(dims, c.keys); ok {
			c.last(from, to)
		}
	}
	figure := figures{&r, &rg}
	figure.rank(all)
	res := Result{From: rg.From, To: rg.To, Step: rg.Step, Unit: r.Unit, By: r.By, Times: rg.Times, Dirs: []string{}, Series: []Series{}, Total: []Total{}}
	if res.By == nil {
		res.By = []string{}
	}
	if len(shifts) > 0 {
		res.VS = &Comparison{r.VS, shifts}
	}
	total := map[string]*cells{}
	for _, t := range totals {
		total[t.dir] = t
		res.Dirs = append(res.Dirs, t.dir)
		if r.Unit == "pct" {
			continue
		}
		res.Total = append(res.Total, Total{Dir: t.dir, Values: figure.points(t), Peaks: figure.peaks(t), Stats: figure.of(t), VS: figure.versus(t)})
	}
	folded := foldedGroups(all, r.Skip, r.Dir != "sum" && r.RankDir == "each")
	res.Other = folded[""]
	if len(rows.Paceless) > 0 && rows.Paceless[0] > 0 {
		res.Notes = append(res.Notes, pacelessNote(rows.Paceless[0]))
	}
	if slices.ContainsFunc(totals, func(t *cells) bool { return sum(t.value) == math.MaxUint64 }) {
		res.Notes = append(res.Notes, "a sum does not fit into 64 bits and is shown as 2^64−1: records say more than networks carry; exclude them with quality != implausible")
	}
	for _, c := range all {
		if r.Unit == "pct" && c.other {
			continue
		}
		one := Series{Dir: c.dir, Other: c.other, Larger: c.larger, Values: figure.points(c), N: c.n, Peaks: figure.peaks(c), Stats: figure.of(c), VS: figure.versus(c), Error: figure.error(c),
			Key: []string{}, Label: []string{}, Filter: []string{}}
		if t := sum(total[c.dir].value); t > 0 {
			one.Share = float64(one.Total) / float64(t)
		}
		switch {
		case c.larger:
			one.Label = append(one.Label, "Larger")
			one.Folded = min(r.Skip, int(c.groups))
		case c.other:
			one.Label = append(one.Label, "Other")
			one.Folded = folded[c.dir]
		case len(dims) == 0:
			one.Label = append(one.Label, "Total")
		}
		if c.to != 0 {
			one.Time = &[2]int64{c.from, c.to}
		}
		if !c.other {
			k, l := c.keys, c.labels
			for _, d := range dims {
				nk, nl := d.widths()
				key, label, filter := d.present(k[:nk], l[:nl], s)
				one.Key, one.Label, one.Filter = append(one.Key, key), append(one.Label, label), append(one.Filter, filter)
				k, l = k[nk:], l[nl:]
			}
		}
		res.Series = append(res.Series, one)
	}
	otherFilters(r, res.Series, s)
	return res, nil
}

// widths returns the numbers of columns of keys and labels.
func (d dim) widths() (keys, labels int) {
	switch {
	case d.isInterface():
		return 2, 2
	case d.isExporter():
		return 1, 1
	}
	return 1, 0
}

// collect sums the rows, into series and into a total per direction. past is the number of windows compared
// with.
func collect(rg *Range, rows *Rows, grouped bool, past int) (all, totals []*cells, err error) {
	bucket := make(map[uint32]int, len(rg.Times))
	for i, t := range rg.Times {
		bucket[uint32(t)] = i
	}
	series := map[string]*cells{}
	byDir := map[string]*cells{}
	var id []byte
	for row := range rows.Len() {
		i, ok := bucket[rows.Time[row]]
		if !ok {
			return nil, nil, fmt.Errorf("query: the result has a bucket at %d that the range has not", rows.Time[row])
		}
		dir, other := rows.Dir[row], grouped && rows.Top[row] != 1
		id = append(append(id[:0], dir...), 0, rows.Top[row])
		if !other {
			for _, k := range rows.Keys {
				id = append(append(id, k[row]...), 0)
			}
		}
		c := series[string(id)]
		if c == nil {
			c = newCells(dir, len(rg.Times), past)
			c.other, c.larger = other, rows.Top[row] == 2
			if !other {
				c.keys, c.labels = at(rows.Keys, row), at(rows.Labels, row)
			}
			series[string(id)] = c
			all = append(all, c)
		}
		for j, l := range rows.Labels {
			if !other && c.labels[j] == "" {
				c.labels[j] = l[row]
			}
		}
		t := byDir[dir]
		if t == nil {
			t = newCells(dir, len(rg.Times), past)
			byDir[dir] = t
			totals = append(totals, t)
		}
		if rows.Peak != nil && t.peak == nil {
			t.peak = make([]uint64, len(rg.Times))
		}
		if rows.Peak != nil && c.peak == nil {
			c.peak = make([]uint64, len(rg.Times))
		}
		c.groups = max(c.groups, rows.Groups[row])
		window := 0
		if rows.Window != nil {
			if window = int(rows.Window[row]); window > past {
				return nil, nil, fmt.Errorf("query: the result has a window %d that the request has not", window)
			}
		}
		if window == 0 && rows.Peak != nil {
			c.peak[i] = max(c.peak[i], rows.Peak[row])
			t.peak[i] = max(t.peak[i], rows.Edge[row])
		}
		for _, c := range []*cells{c, t} {
			if window > 0 {
				c = c.past[window-1]
			}
			if rows.Speed != nil {
				c.speed = rows.Speed[row]
			}
			c.value[i] = plus(c.value[i], rows.Value[row])
			c.pkts[i] += rows.Packets[row]
			c.n[i] = plus(c.n[i], rows.N[row])
			c.variance += rows.Variance[row]
		}
	}
	slices.SortFunc(totals, func(a, b *cells) int { return compareDir(a.dir, b.dir) })
	return all, totals, nil
}

func at(columns [][]string, row int) []string {
	list := make([]string, len(columns))
	for i, c := range columns {
		list[i] = c[row]
	}
	return list
}

func compareDir(a, b string) int {
	return cmp.Or(slices.Index(dirOrder, a)-slices.Index(dirOrder, b), strings.Compare(a, b))
}

// foldedGroups counts the groups in Other: by direction, and under "" in total. If directions are not ranked
// separately there is one count.
func foldedGroups(all []*cells, skip int, each bool) map[string]int {
	groups, named := map[string]int{}, map[string]int{}
	seen := map[string]bool{}
	for _, c := range all {
		if c.other && !c.larger {
			continue
		}
		groups[c.dir] = max(groups[c.dir], int(c.groups))
		groups[""] = max(groups[""], int(c.groups))
		if !c.larger {
			named[c.dir]++
			seen[strings.Join(c.keys, "\x00")] = true
		}
	}
	folded := map[string]int{}
	for _, c := range all {
		if !c.other || c.larger {
			continue
		}
		if each {
			folded[c.dir] = max(0, groups[c.dir]-skip-named[c.dir])
			folded[""] += folded[c.dir]
		} else {
			folded[c.dir] = max(0, groups[""]-skip-len(seen))
			folded[""] = folded[c.dir]
		}
	}
	return folded
}

// place returns the position of a series in its direction: named groups come first.
func (c *cells) place() int {
	switch {
	case c.larger:
		return 1
	case c.other:
		return 2
	}
	return 0
}

// figures computes the displayed values from sums.
type figures struct {
	r  *Request
	rg *Range
}

// point returns the value of bucket i.
func (f figures) point(c *cells, i int) float64 {
	v := float64(c.value[i])
	switch f.r.Unit {
	case "bps":
		return v * 8 / float64(f.rg.covered(i))
	case "pct":
		return v * c.percent() / float64(f.rg.covered(i))
	case "pps", "fps":
		return v / float64(f.rg.covered(i))
	case "bpp":
		if c.pkts[i] == 0 {
			return 0
		}
		return v / c.pkts[i]
	}
	return v
}

func (f figures) points(c *cells) Points {
	p := make(Points, len(c.value))
	for i := range p {
		p[i] = f.point(c, i)
	}
	return p
}

// peaks returns the largest rates of one second; nil if they were not requested.
func (f figures) peaks(c *cells) Points {
	if c.peak == nil {
		return nil
	}
	p := make(Points, len(c.peak))
	for i, v := range c.peak {
		switch p[i] = float64(v); f.r.Unit {
		case "bps":
			p[i] *= 8
		case "pct":
			p[i] *= c.percent()
		}
	}
	return p
}

// sum saturates at 2^64−1.
func sum(list []uint64) (n uint64) {
	for _, v := range list {
		n = plus(n, v)
	}
	return n
}

// packets returns the packets of all buckets, scaled.
func (c *cells) packets() (n float64) {
	for _, v := range c.pkts {
		n += v
	}
	return n
}

func (f figures) of(c *cells) Stats {
	a, b := f.rg.full()
	g := Stats{Total: sum(c.value), Last: f.point(c, b-1)}
	for i := a; i < b; i++ {
		g.Max = max(g.Max, f.point(c, i))
	}
	if p := f.peaks(c); p != nil {
		most := slices.Max(p)
		g.Peak = &most
	}
	total, seconds := float64(g.Total), float64(f.rg.To-f.rg.From)
	if c.to != 0 {
		seconds = float64(max(1, c.to-c.from))
	}
	switch f.r.Unit {
	case "bps":
		g.Avg = total * 8 / seconds
	case "pct":
		g.Avg = total * c.percent() / seconds
	case "pps", "fps":
		g.Avg = total / seconds
	case "bpp":
		if p := c.packets(); p > 0 {
			g.Avg = total / p
		}
	default: // a sum per bucket
		g.Avg = total / seconds * float64(f.rg.Step)
	}
	return g
}

// confidence is the number of standard deviations with 95% of a normal distribution.
const confidence = 1.96

// error returns the relative error of the number of packets with 95% confidence. If one of r packets is
// sampled, each sample stands for r with the variance r(r−1); n packets at one rate give 196·√((1−1/r)/n) %.
// For bytes it is slightly larger. Flows are not scaled and have no such error.
func (f figures) error(c *cells) *float64 {
	packets := c.packets()
	if c.variance <= 0 || packets == 0 || f.r.Unit == "fps" || f.r.Unit == "flows" {
		return nil
	}
	e := confidence * math.Sqrt(c.variance) / packets
	return &e
}

// rank sorts the series by the ranking of the request.
func (f figures) rank(all []*cells) {
	each := f.r.RankDir == "each"
	// The store returns rows in any order, and a sum of floats depends on the order: the same rows must give
	// the same ranks.
	slices.SortFunc(all, func(a, b *cells) int { return cmp.Or(compareDir(a.dir, b.dir), slices.Compare(a.keys, b.keys)) })
	byKey := map[string]float64{}
	for _, c := range all {
		g := f.of(c)
		switch f.r.Rank {
		case "max":
			c.score = g.Max
		case "last":
			c.score = g.Last
		case "p95":
			a, b := f.rg.full()
			list := make([]float64, 0, b-a)
			for i := a; i < b; i++ {
				list = append(list, f.point(c, i))
			}
			slices.Sort(list)
			c.score = list[len(list)-1-len(list)*5/100]
		case "delta":
			c.score = f.change(c)
		default:
			c.score = float64(g.Total)
			if f.r.Unit == "pct" {
				c.score = g.Avg
			}
		}
		byKey[strings.Join(c.keys, "\x00")] += c.score
	}
	for _, c := range all {
		if c.ordered = c.score; !each {
			c.ordered = byKey[strings.Join(c.keys, "\x00")]
		}
	}
	slices.SortFunc(all, func(a, b *cells) int {
		if d := compareDir(a.dir, b.dir); d != 0 {
			return d
		}
		if place := a.place() - b.place(); place != 0 {
			return place
		}
		return cmp.Or(cmp.Compare(b.ordered, a.ordered), cmp.Compare(sum(b.value), sum(a.value)), slices.Compare(a.keys, b.keys))
	})
}
