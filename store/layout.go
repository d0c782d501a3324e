package store

import (
	"cmp"
	"fmt"
	"strings"

	"netmeta/column"
)

// Layout says where tables are and how the store stores them. It is the only place with engines, partitions,
// clusters, and the names by which a table is written, read and changed. The zero value, currently the only
// one, is a single node: it has each table completely, under its own name.
type Layout struct{}

// Local returns the table of a node, which has the rows and is changed.
func (Layout) Local(table string) string { return table }

// Distributed returns the table for inserts and queries.
func (Layout) Distributed(table string) string { return table }

// onCluster follows the name of a table in each statement that makes, changes or drops it: here only the
// receiving node does so.
func (Layout) onCluster() string { return "" }

// Alter returns the start of a statement that changes a table.
func (l Layout) Alter(table string) string { return "ALTER TABLE " + l.Local(table) + l.onCluster() }

func (l Layout) create(table string) string {
	return "CREATE TABLE IF NOT EXISTS " + l.Local(table) + l.onCluster()
}

// createAs returns the statement that makes an empty table like another one.
func (l Layout) createAs(table, like string) string {
	return "CREATE TABLE " + l.Local(table) + l.onCluster() + " AS " + l.Local(like)
}

// Drop returns the statement that drops a table, if it exists.
func (l Layout) Drop(table string) string {
	return "DROP TABLE IF EXISTS " + l.Local(table) + l.onCluster() + " SYNC"
}

func (l Layout) dropView(view string) string { return "DROP VIEW " + l.Local(view) + l.onCluster() }

func (l Layout) rename(from, to string) string {
	return "RENAME TABLE " + l.Local(from) + " TO " + l.Local(to) + l.onCluster()
}

// exchange returns the statement that swaps the names of two tables atomically.
func (l Layout) exchange(a, b string) string {
	return "EXCHANGE TABLES " + l.Local(a) + " AND " + l.Local(b) + l.onCluster()
}

// storage returns the end of CREATE TABLE, after the columns.
func (l Layout) storage(s Schema) string {
	var b strings.Builder
	t := s.Table
	switch t.Engine {
	case column.Appending:
		b.WriteString("ENGINE = MergeTree\n")
	case column.Replacing:
		fmt.Fprintf(&b, "ENGINE = ReplacingMergeTree(%s)\n", t.Version)
	case column.Summing:
		fmt.Fprintf(&b, "ENGINE = SummingMergeTree((%s))\n", strings.Join(s.sums, ", "))
	}
	if partition := cmp.Or(t.Partition, "toStartOfHour(TimeReceived)"); partition != "tuple()" {
		fmt.Fprintf(&b, "PARTITION BY %s\n", partition)
	}
	if s.key != nil {
		// Only the time is in the primary key: every query has it, and the other columns are many.
		fmt.Fprintf(&b, "PRIMARY KEY (%s)\n", s.key[0])
	}
	fmt.Fprintf(&b, "ORDER BY (%s)\n", cmp.Or(t.Order, strings.Join(s.key, ", "), "toStartOfFiveMinutes(TimeReceived), ExporterAddress, InIf, OutIf"))
	if s.TTLDays > 0 {
		fmt.Fprintf(&b, "TTL %s\n", s.ttl())
	}
	var list []string
	for _, x := range l.settings(t) {
		list = append(list, x.name+" = "+x.value)
	}
	if len(list) > 0 {
		b.WriteString("SETTINGS " + strings.Join(list, ", ") + "\n")
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// setting is a setting of a table.
type setting struct{ name, value string }

// settings returns the settings of a new table. An existing table gets those that were not set explicitly.
func (Layout) settings(t *column.Table) []setting {
	if t.Engine == column.Replacing { // equal rows may be inserted again and must be accepted
		return nil
	}
	list := []setting{
		{"non_replicated_deduplication_window", "1000"}, // number of remembered insert tokens
		{"ttl_only_drop_parts", "1"},                    // whole partitions expire, no part is rewritten
	}
	if t.Partition == "" { // an hour of two inserts a second
		list = append(list, setting{"min_parts_to_merge_at_once", wideMerge}, setting{"merge_selector_base", wideMerge})
	}
	return list
}

// wideMerge is the number of flow parts that the store merges at once, and the minimum ratio of their sum to
// the largest part: each row is written half as often as with the defaults. See
// doc/decisions/0021-wide-merges.md.
const wideMerge = "20"

// settingsOf returns the settings in the CREATE statement of a table.
func settingsOf(create string) map[string]string {
	_, text, _ := strings.Cut(create, " SETTINGS ")
	out := map[string]string{}
	for item := range strings.SplitSeq(text, ",") {
		if name, value, ok := strings.Cut(item, "="); ok {
			out[strings.TrimSpace(name)] = strings.TrimSpace(value)
		}
	}
	return out
}
