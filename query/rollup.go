package query

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"netmeta/column"
	"netmeta/flow"
)

// A question over days need not read every flow. The store keeps sums of the flows,
// by the minute and by the hour, in rollups (see flow.Table). A rollup is asked where
// it gives the same answer as the flows, to the last digit:
//
//   - groups, filter and sums name nothing but fields that it keeps,
//   - no bucket begins in the middle of its step,
//   - it has every flow of the time: it begins and ends somewhere, and flows that come late
//     are missing in it until their hour is added up again.
//
// The window seldom begins and ends with an hour. Each rollup answers for the whole
// steps in the middle, and what is left at both ends goes to the next finer one, in the
// end to the flows:
//
//	from ·····│∷∷∷∷∷│███████████████████████│∷∷∷∷∷∷∷│··· to
//	    flows   1m            1h               1m    flows
//
// Of the same step there are some that keep few fields, and so have few rows. They stand
// behind the one that keeps all, and are asked before it.
//
// All of them have the columns of the flows by the same names, with the same meaning:
// Bytes and Packets as counted, next to the sampling rate.

// FlowsTable is the table that statements name beside the rollups.
var FlowsTable = flow.Table.Name

// A Rollup is a table of sums.
type Rollup struct {
	Table string
	Step  int64 // seconds that a row adds up
	Since int64 // it has every flow received from then on,
	Until int64 // and before then; multiples of Step

	Stale [][2]int64 // times, from and to before, in order, of which it may lack flows that came late; multiples of Step
}

// RollupState is the statement that says which rollups there are, and from when until
// when they have every flow: name String, since UInt32, until UInt32. The store keeps that
// in the comments of the tables.
func RollupState() string {
	var names []string
	for _, r := range flow.Table.Rollups {
		names = append(names, "'"+r.Name+"'")
	}
	return lines(
		"SELECT name, toUInt32(extract(comment, 'from ([0-9]+)')) AS since, toUInt32(extract(comment, 'until ([0-9]+)')) AS until",
		"FROM system.tables",
		"WHERE database = currentDatabase() AND name IN ("+strings.Join(names, ", ")+") AND match(comment, '^complete from [0-9]+ until [0-9]+')",
	)
}

// RollupsOf makes the list for a Schema of what the statement RollupState gave.
func RollupsOf(names []string, since, until []uint32) []Rollup {
	var list []Rollup
	for _, r := range flow.Table.Rollups {
		if i := slices.Index(names, r.Name); i >= 0 {
			list = append(list, Rollup{Table: r.Name, Step: r.Step, Since: int64(since[i]), Until: int64(until[i])})
		}
	}
	return list
}

// A span is a time from, and to before, a second.
type span struct{ from, to int64 }

// A piece is what one table answers for.
type piece struct {
	table string
	spans []span
}

// cover shares a window, that of the range or one that lies shift seconds earlier, out
// between the rollups, finest first, and the flows. The piece with most of it comes first.
func (rg *Range) cover(shift int64, rollups []Rollup) []piece {
	left := []span{{rg.From - shift, rg.To - shift}}
	var pieces []piece
	for _, r := range slices.Backward(rollups) {
		if !rg.aligned(shift, r.Step) {
			continue
		}
		p := piece{table: r.Table}
		var rest []span
		for _, s := range left {
			from, to := floor(max(s.from, r.Since)+r.Step-1, r.Step), floor(min(s.to, r.Until), r.Step)
			if from >= to {
				rest = append(rest, s)
				continue
			}
			has := r.without(span{from, to})
			p.spans = append(p.spans, has...)
			at := s.from
			for _, part := range append(has, span{s.to, s.to}) {
				if at < part.from {
					rest = append(rest, span{at, part.from})
				}
				at = part.to
			}
		}
		if len(p.spans) > 0 {
			pieces, left = append(pieces, p), rest
		}
	}
	if len(left) > 0 {
		pieces = append(pieces, piece{flow.Table.Name, left})
	}
	slices.SortStableFunc(pieces, func(a, b piece) int { return cmp.Compare(b.seconds(), a.seconds()) })
	return pieces
}

// without are the parts of a time that are not stale.
func (r *Rollup) without(s span) (list []span) {
	for _, stale := range r.Stale {
		if stale[0] < s.to && stale[1] > s.from {
			if s.from < stale[0] {
				list = append(list, span{s.from, stale[0]})
			}
			s.from = stale[1]
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

// aligned says that every bucket, moved by shift, begins with a step.
func (rg *Range) aligned(shift, step int64) bool {
	if shift%step != 0 {
		return false
	}
	if !rg.calendar {
		return rg.Step%step == 0
	}
	return !slices.ContainsFunc(rg.Times, func(t int64) bool { return t%step != 0 })
}

// tables are those of all windows, the one with most of them first.
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

// flowsSQL is how many flows a row of a table stands for.
func flowsSQL(table string) string {
	if table == flow.Table.Name {
		return "toUInt64(1)"
	}
	return "Flows"
}

// answering are the rollups that keep every field of the flows that the expressions name,
// and those that sum names beside the measures.
func (s Schema) answering(exprs []string, sum string) []Rollup {
	needs := fieldsIn(exprs...)
	for _, f := range fieldsIn(sum) {
		if f.Role != column.Measure {
			needs = append(needs, f)
		}
	}
	return slices.DeleteFunc(slices.Clone(s.Rollups), func(r Rollup) bool {
		i := slices.IndexFunc(flow.Table.Rollups, func(t column.Rollup) bool { return t.Name == r.Table })
		return i < 0 || slices.ContainsFunc(needs, func(f *column.Field) bool { return !flow.Table.Rollups[i].Keeps(f) })
	})
}

// rolled says that there are sums by the expressions in a rollup.
func rolled(exprs []string) bool {
	return !slices.ContainsFunc(fieldsIn(exprs...), func(f *column.Field) bool { return !f.Rollup })
}

// fieldsIn are the fields of the flows that the expressions name. Values travel as
// parameters, so a word that is the name of a column is one.
func fieldsIn(exprs ...string) (list []*column.Field) {
	for _, e := range exprs {
		for _, word := range strings.FieldsFunc(e, func(r rune) bool { return r != '_' && !letter(r) }) {
			if f := flow.Table.Field(word); f != nil {
				list = append(list, f)
			}
		}
	}
	return list
}

func letter(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
}

// during is the condition that a row of window i is of the piece.
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
		c.params["from"+name], c.params["to"+name] = fmt.Sprintf("%010d", s.from), fmt.Sprintf("%010d", s.to) // the engine takes fewer digits for a date
		parts[i] = "TimeReceived >= {from" + name + ":DateTime('UTC')} AND TimeReceived < {to" + name + ":DateTime('UTC')}"
	}
	if len(parts) == 1 {
		return parts[0]
	}
	return "(" + strings.Join(parts, " OR ") + ")"
}

// window is the condition that a flow is of window i.
func (c *compiler) window(i int, from, to int64) string {
	return c.during(i, piece{flow.Table.Name, []span{{from, to}}})
}

// expired says that a rollup answers for a time of which the flows are no longer kept.
func (rg *Range) expired(pieces []piece, s Schema) string {
	for _, p := range pieces {
		if p.table != flow.Table.Name && p.spans[0].from < s.Oldest && s.begun() == 0 {
			return fmt.Sprintf("flows from before %s are no longer kept: for that time %s answers alone", rg.minute(s.Oldest), p.table)
		}
	}
	return ""
}

// blank says that much of the window is older than all that is kept to answer for it.
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

// blankShare is the smallest part of a window that blank speaks of, a twentieth.
const blankShare = 20

func (rg *Range) minute(t int64) string {
	return time.Unix(t, 0).In(rg.Location).Format("2006-01-02 15:04")
}
