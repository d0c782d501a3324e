package query

import (
	"fmt"
	"slices"
	"strings"
)

// Facets and Explain sum the same rows by many fields. GROUP BY GROUPING SETS reads the rows once for all of
// them and groups them once for each:
//
//	keys    e0  e1  e2  e3       expressions of the rows, each once
//	set 0   e0                   dst.ip
//	set 1       e1  e2           proto/dst.port
//	set 2       e1      e3       proto/src.port
//
// grouping(e0, e1 …) returns the set of a row of the result: it has a bit for each key, the first key's the
// highest, which is 1 if the set lacks the key.

const maxSetKeys = 64 // limit of grouping(); a single set never has as many

// set is what rows are grouped by.
type set struct {
	id           int // its ID in the result
	keys, labels []string
}

// sets are read together.
type sets struct {
	keys, labels []string // of all, each expression once
	list         []set
}

// gather combines sets into as few readings as possible. Labels are made for every group of a reading, so
// sets without labels are read separately.
func gather(list []set) (all []*sets) {
next:
	for _, g := range list {
		for _, s := range all {
			if s.takes(g) {
				s.add(g)
				continue next
			}
		}
		s := &sets{}
		s.add(g)
		all = append(all, s)
	}
	return all
}

func (s *sets) takes(g set) bool {
	if (len(s.labels) > 0) != (len(g.labels) > 0) || len(union(s.keys, g.keys)) > maxSetKeys {
		return false
	}
	keys := union(nil, g.keys)
	return !slices.ContainsFunc(s.list, func(other set) bool { // sets with the same keys could not be distinguished
		return len(union(nil, other.keys)) == len(keys) && len(union(keys, other.keys)) == len(keys)
	})
}

func (s *sets) add(g set) {
	s.keys, s.labels, s.list = union(s.keys, g.keys), union(s.labels, g.labels), append(s.list, g)
}

// union returns a, and what b has in addition.
func union(a, b []string) []string {
	a = slices.Clip(a)
	for _, e := range b {
		if !slices.Contains(a, e) {
			a = append(a, e)
		}
	}
	return a
}

// columns returns the expressions of keys and labels, named e0, e1 … and m0, m1 …
func (s *sets) columns() (columns []string) {
	for i, e := range s.keys {
		columns = append(columns, fmt.Sprintf("%s AS e%d", e, i))
	}
	for i, e := range s.labels {
		columns = append(columns, fmt.Sprintf("%s AS m%d", e, i))
	}
	return columns
}

// ranking selects from the groups of each set. Its parts are expressions: those of sums on the rows f of a
// group, the others on the groups that sums makes.
type ranking struct {
	sums   []string // of a group
	whole  []string // of all groups of a set
	first  string   // the groups with the smallest values come first
	n      int      // number of groups returned
	shown  []string // columns of sums
	result func(shown []string) []string
}

// sql returns the statement for rows, selections of columns() and of the ranking's sums. Its result has a row
// for each returned group, with the columns id, the ID of the set; keys and labels, Array(String); and those
// of the ranking's result.
func (s *sets) sql(id string, r ranking, rows []string) string {
	keys, labels := list(len(s.keys), "e#"), list(len(s.labels), "l#")
	grouping := make([]string, len(s.list))
	var ids, keysOf, labelsOf []string
	for i, g := range s.list {
		bits, own := ^uint64(0)>>(64-len(s.keys)), []string(nil)
		for _, e := range union(nil, g.keys) {
			k := slices.Index(s.keys, e)
			bits &^= 1 << (len(s.keys) - 1 - k)
			own = append(own, keys[k])
		}
		grouping[i] = "(" + strings.Join(own, ", ") + ")"
		is := fmt.Sprintf("g = %d, ", bits)
		ids = append(ids, is+fmt.Sprint(g.id))
		keysOf = append(keysOf, is+picks(2, s.keys, g.keys))
		labelsOf = append(labelsOf, is+picks(2+len(keys), s.labels, g.labels))
	}
	of := func(cases []string, otherwise string) string {
		return "multiIf(" + strings.Join(cases, ", ") + ", " + otherwise + ")"
	}
	label := noTexts
	if len(labels) > 0 {
		label = of(labelsOf, noTexts)
	}
	shown := make([]string, len(r.shown))
	for i := range shown {
		shown[i] = fmt.Sprintf("tupleElement(pick, %d)", 2+len(keys)+len(labels)+i)
	}
	return lines(
		"SELECT toUInt8("+of(ids, "255")+") AS "+id+",",
		"    "+of(keysOf, noTexts)+" AS keys,",
		"    "+label+" AS labels,",
		"    "+strings.Join(r.result(shown), ", "),
		"FROM",
		"(",
		"    SELECT g, "+strings.Join(r.whole, ", ")+",",
		fmt.Sprintf("        groupArraySorted(%d)((%s)) AS picks", r.n, strings.Join(slices.Concat([]string{r.first}, keys, labels, r.shown), ", ")),
		"    FROM",
		"    (",
		"        SELECT "+strings.Join(slices.Concat(keys, []string{"grouping(" + strings.Join(keys, ", ") + ") AS g"}, list(len(labels), "max(m#) AS l#"), r.sums), ", "),
		"        FROM",
		"        (",
		"            "+strings.Join(rows, "\n            UNION ALL "),
		"        ) AS f",
		"        GROUP BY GROUPING SETS ("+strings.Join(grouping, ", ")+")",
		"    )",
		"    GROUP BY g",
		")",
		"ARRAY JOIN picks AS pick",
	)
}

const noTexts = "CAST([], 'Array(String)')"

// picks returns some elements of all as texts, an array; in the tuple pick all starts with the element from.
func picks(from int, all, some []string) string {
	if len(some) == 0 {
		return noTexts
	}
	parts := make([]string, len(some))
	for i, e := range some {
		parts[i] = fmt.Sprintf("toString(tupleElement(pick, %d))", from+slices.Index(all, e))
	}
	return "[" + strings.Join(parts, ", ") + "]"
}
