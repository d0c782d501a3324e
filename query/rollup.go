package query

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"netmeta/access"
	"netmeta/column"
	"netmeta/flow"
)

// A query over days need not read every flow. The store has sums of the flows, by the minute and by the hour,
// in rollups (see flow.Table). A rollup is read where its result is exactly that of the flows:
//
//   - groups, filter and sums only name fields that it has,
//   - no bucket starts within one of its steps,
//   - it has every flow of the time: its time is limited, and late flows are missing until their hour is
//     summed again.
//
// The range seldom starts and ends on the hour. Each rollup is used for the complete steps in the middle; the
// rest at both ends is left to the next finer one, and finally to the flows:
//
//	from ·····│∷∷∷∷∷│███████████████████████│∷∷∷∷∷∷∷│··· to
//	    flows   1m            1h               1m    flows
//
// Some rollups of the same step have few fields, and so few rows. They follow the one with all fields, and
// are tried before it.
//
// All of them have the columns of the flows with the same names and meaning: Bytes and Packets as counted,
// next to the sampling rate.

// FlowsTable is the table that statements name besides the rollups.
var FlowsTable = flow.Table.Name

// Rollup is a table of sums.
type Rollup struct {
	Table string
	Step  int64 // seconds of a row
	Since int64 // it has every flow received from then on,
	Until int64 // and before then; multiples of Step

	// Folded are times, from and until before, in order, for which its rows lack fields, because there were
	// too many different ones: the flows are read as long as they exist. Multiples of Step.
	Folded [][2]int64

	gone int64 // flows from before then have expired

	Stale [][2]int64 // times, from and until before, in order, for which it may lack late flows; multiples of Step
}

// RollupState returns the statement for the existing rollups and the times for which they have every flow:
// name String, since UInt32, until UInt32. The store has them in rollup_state, for the tables with one of two
// UUIDs.
func RollupState(scope access.Scope) Statement {
	c := newCompiler(scope)
	return Statement{
		SQL: lines(
			"SELECT Name AS name, toUInt32(Since) AS since, toUInt32(Until) AS until",
			c.from("rollup_state", " FINAL\nINNER JOIN (SELECT name AS rollup, toString(uuid) AS id FROM system.tables WHERE database = currentDatabase()) AS present ON rollup = Name\nWHERE ", "id IN (Current, Next)")),
		Params:  c.params,
		Columns: []ResultColumn{{"name", "String"}, {"since", "UInt32"}, {"until", "UInt32"}},
	}
}

// RollupsOf makes the list for a Schema from the result of RollupState.
func RollupsOf(names []string, since, until []uint32) []Rollup {
	var list []Rollup
	for _, r := range flow.Table.Rollups {
		if i := slices.Index(names, r.Name); i >= 0 {
			list = append(list, Rollup{Table: r.Name, Step: r.Step, Since: int64(since[i]), Until: int64(until[i])})
		}
	}
	return list
}

// FoldedMark returns the statement for a value that changes with the result of FoldedState: mark UInt64.
func FoldedMark(scope access.Scope) Statement {
	c := newCompiler(scope)
	return Statement{
		SQL:     "SELECT toUInt64(max(Noted)) + count() AS mark " + c.from("rollup_folded", " WHERE ", ""),
		Params:  c.params,
		Columns: []ResultColumn{{"mark", "UInt64"}},
	}
}

// FoldedState returns the statement for the folded steps of the rollups: name String, hour UInt32, steps
// UInt64, where bit n is the n-th minute.
func FoldedState(scope access.Scope) Statement {
	c := newCompiler(scope)
	return Statement{
		SQL: lines(
			"SELECT Name AS name, toUInt32(toStartOfHour(at)) AS hour, groupBitOr(bitShiftLeft(toUInt64(1), toMinute(at))) AS steps",
			"FROM (SELECT Name, TimeReceived AS at "+c.from("rollup_folded", " WHERE ", "")+" GROUP BY Name, at HAVING argMax(Folded, Noted) = 1)",
			"GROUP BY name, hour",
			"ORDER BY name, hour"),
		Params:  c.params,
		Columns: []ResultColumn{{"name", "String"}, {"hour", "UInt32"}, {"steps", "UInt64"}},
	}
}

// SetFolded stores the result of FoldedState in the rollups.
func SetFolded(rollups []Rollup, names []string, hours []uint32, steps []uint64) {
	for i := range rollups {
		rollups[i].Folded = nil
	}
	for i, name := range names {
		r := slices.IndexFunc(rollups, func(r Rollup) bool { return r.Table == name })
		if r < 0 {
			continue
		}
		step, list := rollups[r].Step, rollups[r].Folded
		for at := int64(hours[i]); at < int64(hours[i])+3600; at += step {
			switch n := len(list); {
			case steps[i]>>((at-int64(hours[i]))/60)&1 == 0:
			case n > 0 && list[n-1][1] == at:
				list[n-1][1] = at + step
			default:
				list = append(list, [2]int64{at, at + step})
			}
		}
		rollups[r].Folded = list
	}
}

// maxFolded bounds the folded times of a range that are excluded from a rollup: above it, neighbouring times
// are joined.
const maxFolded = 16

// within returns the times within a span, at most maxFolded.
func within(times [][2]int64, s span) [][2]int64 {
	i, _ := slices.BinarySearchFunc(times, s.from, func(t [2]int64, from int64) int { return cmp.Compare(t[1], from+1) })
	j, _ := slices.BinarySearchFunc(times, s.to, func(t [2]int64, to int64) int { return cmp.Compare(t[0], to) })
	if i >= j {
		return nil
	}
	times = times[i:j]
	if len(times) <= maxFolded {
		return times
	}
	gaps := make([]int64, len(times)-1)
	for i := range gaps {
		gaps[i] = times[i+1][0] - times[i][1]
	}
	slices.Sort(gaps)
	join := gaps[len(gaps)-maxFolded] // gaps up to this size are closed
	list := [][2]int64{times[0]}
	for _, t := range times[1:] {
		if last := &list[len(list)-1]; t[0]-last[1] <= join {
			last[1] = t[1]
		} else {
			list = append(list, t)
		}
	}
	return list
}

// span is the time from from until before to, in seconds.
type span struct{ from, to int64 }

// piece is the times that one table is read for.
type piece struct {
	table string
	spans []span

	folded  bool // it has times whose rows lack fields
	avoided bool // it excludes such times of the rollup
}

// cover divides a range, or one that is shift seconds earlier, among the rollups, finest first, and the
// flows. The piece with most of it comes first. Folded times come last: where the flows have expired, and no
// other rollup has them.
func (rg *Range) cover(shift int64, rollups []Rollup) []piece {
	left := []span{{rg.From - shift, rg.To - shift}}
	var pieces []piece
	for _, folded := range []bool{false, true} {
		for _, r := range slices.Backward(rollups) {
			if !rg.aligned(shift, r.Step) || len(left) == 0 || folded && len(r.Folded) == 0 {
				continue
			}
			p := piece{table: r.Table}
			if !folded {
				out := within(r.Folded, span{left[0].from, left[len(left)-1].to})
				p.spans, left = r.take(left, r.Until, out)
				p.avoided = len(out) > 0
			} else {
				p.spans, left = r.take(left, min(r.Until, floor(r.gone, r.Step)), nil)
				p.folded = len(p.spans) > 0
			}
			if i := slices.IndexFunc(pieces, func(p piece) bool { return p.table == r.Table }); i >= 0 {
				pieces[i].add(p)
			} else if len(p.spans) > 0 {
				pieces = append(pieces, p)
			}
		}
	}
	if len(left) > 0 {
		pieces = append(pieces, piece{table: flow.Table.Name, spans: left})
	}
	slices.SortStableFunc(pieces, func(a, b piece) int { return cmp.Compare(b.seconds(), a.seconds()) })
	return pieces
}

// take divides what is left: into what the rollup has until a time, except for some times, and the rest.
func (r *Rollup) take(left []span, until int64, but [][2]int64) (spans, rest []span) {
	for _, s := range left {
		from, to := floor(max(s.from, r.Since)+r.Step-1, r.Step), floor(min(s.to, until), r.Step)
		if from >= to {
			rest = append(rest, s)
			continue
		}
		var has []span
		for _, part := range without(span{from, to}, but) {
			has = append(has, without(part, r.Stale)...)
		}
		spans = append(spans, has...)
		at := s.from
		for _, part := range append(has, span{s.to, s.to}) {
			if at < part.from {
				rest = append(rest, span{at, part.from})
			}
			at = part.to
		}
	}
	return spans, rest
}

// add adds another piece of the same table.
func (p *piece) add(other piece) {
	p.avoided, p.folded = p.avoided || other.avoided, p.folded || other.folded
	all := append(p.spans, other.spans...)
	slices.SortFunc(all, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	p.spans = nil
	for _, s := range all {
		if n := len(p.spans); n > 0 && p.spans[n-1].to == s.from {
			p.spans[n-1].to = s.to
		} else {
			p.spans = append(p.spans, s)
		}
	}
}

// without returns the parts of a time outside of some times, which are in order.
func without(s span, times [][2]int64) (list []span) {
	for _, t := range times {
		if t[0] < s.to && t[1] > s.from {
			if s.from < t[0] {
				list = append(list, span{s.from, t[0]})
			}
			s.from = t[1]
		}
	}
	if s.from < s.to {
		list = append(list, s)
	}
	return list
}

func (p piece) seconds() (n int64) {
	for _, s := range p.spans {
		n += s.to - s.from
	}
	return n
}

// aligned reports that every bucket, moved by shift, starts with a step.
func (rg *Range) aligned(shift, step int64) bool {
	if shift%step != 0 {
		return false
	}
	if !rg.calendar {
		return rg.Step%step == 0
	}
	return !slices.ContainsFunc(rg.Times, func(t int64) bool { return t%step != 0 })
}

// tables returns the tables of all windows, the one with most of them first.
func tables(windows [][]piece) []string {
	var names []string
	seconds := map[string]int64{}
	for _, pieces := range windows {
		for _, p := range pieces {
			if seconds[p.table] == 0 {
				names = append(names, p.table)
			}
			seconds[p.table] += p.seconds()
		}
	}
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(seconds[b], seconds[a]) })
	return names
}

// flowsSQL is the number of flows in a row of a table.
func flowsSQL(table string) string {
	if table == flow.Table.Name {
		return "toUInt64(1)"
	}
	return "Flows"
}

// answering returns the rollups that have all of some fields of the flows, and those that the scope reads.
// Measures are not needed as fields, because the rollups have their sums.
func (s Schema) answering(needs []*column.Field) []Rollup {
	needs = append(slices.Clip(needs), s.Scope.Fields()...)
	rollups := slices.Clone(s.Rollups)
	for i := range rollups {
		rollups[i].gone = s.gone()
	}
	return slices.DeleteFunc(rollups, func(r Rollup) bool {
		i := slices.IndexFunc(flow.Table.Rollups, func(t column.Rollup) bool { return t.Name == r.Table })
		return i < 0 || slices.ContainsFunc(needs, func(f *column.Field) bool { return !flow.Table.Rollups[i].Keeps(f) })
	})
}

// rolled reports that a rollup has sums by the fields.
func rolled(fields []*column.Field) bool {
	return !slices.ContainsFunc(fields, func(f *column.Field) bool { return !f.Rollup })
}

// during returns the condition that a row of window i belongs to the piece.
func (c *compiler) during(window int, p piece) string {
	suffix := ""
	if window > 0 {
		suffix = strconv.Itoa(window)
	}
	if p.table != flow.Table.Name {
		suffix += "_" + p.table
	}
	parts := make([]string, len(p.spans))
	for i, s := range p.spans {
		name := suffix
		if i > 0 {
			name += "_" + strconv.Itoa(i+1)
		}
		c.params["from"+name], c.params["to"+name] = fmt.Sprintf("%010d", s.from), fmt.Sprintf("%010d", s.to) // the engine reads fewer digits as a date
		parts[i] = "TimeReceived >= {from" + name + ":DateTime('UTC')} AND TimeReceived < {to" + name + ":DateTime('UTC')}"
	}
	if len(parts) == 1 {
		return parts[0]
	}
	return "(" + strings.Join(parts, " OR ") + ")"
}

// window returns the condition that a flow is in window i.
func (c *compiler) window(i int, from, to int64) string {
	return c.during(i, piece{table: flow.Table.Name, spans: []span{{from, to}}})
}

// expired returns a note if a rollup is read for a time whose flows have expired.
func (rg *Range) expired(pieces []piece, s Schema) string {
	for _, p := range pieces {
		if p.table != flow.Table.Name && p.spans[0].from < s.Oldest && s.begun() == 0 {
			return fmt.Sprintf("flows from before %s have expired; that part comes from %s", rg.minute(s.Oldest), p.table)
		}
	}
	return ""
}

// notFolded returns a note if flows are read for some of the time, or sums that lack fields.
func (rg *Range) notFolded(pieces []piece, s Schema) string {
	var avoided, folded []string
	for _, p := range pieces {
		if p.avoided {
			avoided = append(avoided, p.table)
		}
		if p.folded {
			folded = append(folded, p.table)
		}
	}
	switch {
	case len(folded) > 0:
		return fmt.Sprintf("flows from before %s have expired, and some of that time had too many different ones: rare values are folded and count as unknown or 0 in %s", rg.minute(s.gone()), strings.Join(folded, ", "))
	case len(avoided) > 0:
		return fmt.Sprintf("some of the time has too many different flows for %s; that part reads the flows, which takes longer", strings.Join(avoided, ", "))
	}
	return ""
}

// gone returns the time before which flows have expired, 0 if it is unknown or there were never any.
func (s Schema) gone() int64 {
	if s.Oldest == 0 || s.begun() != 0 {
		return 0
	}
	return floor(s.Oldest+3599, 3600)
}

// blank returns a note if much of the range is older than everything in the store.
func (rg *Range) blank(pieces []piece, s Schema) string {
	begin, what := s.Oldest, "the oldest record is of %s"
	if s.begun() == 0 {
		what = "nothing from before %s is kept that answers this"
	}
	for _, p := range pieces {
		if p.table != flow.Table.Name && s.begun() == 0 {
			begin = min(begin, max(s.First, p.spans[0].from))
		}
	}
	if begin == 0 || blankShare*(begin-rg.From) < rg.To-rg.From {
		return ""
	}
	return fmt.Sprintf(what+": averages count the time before as nothing", rg.minute(begin))
}

// blankShare is the smallest part of a range that blank reports, a twentieth.
const blankShare = 20

func (rg *Range) minute(t int64) string {
	return time.Unix(t, 0).In(rg.Location).Format("2006-01-02 15:04")
}
