package store

import (
	"cmp"
	"fmt"
	"strings"

	"netmeta/column"
)

// A Layout says where tables lie and how the store keeps them. It is the only place that
// spells engines, partitions, clusters, and the names under which a table is written, read
// and changed. The zero value, the only one for now, is a single node: a table lies there
// whole, under its own name.
type Layout struct{}

// Local is the table of a node, which has the rows and is changed.
func (Layout) Local(table string) string { return table }

// Distributed is the table that inserts and questions name.
func (Layout) Distributed(table string) string { return table }

// onCluster stands behind the name of a table in each statement that makes, changes or
// drops it: the node that is asked does it alone.
func (Layout) onCluster() string { return "" }

// Alter is the beginning of a statement that changes a table.
func (l Layout) Alter(table string) string { return "ALTER TABLE " + l.Local(table) + l.onCluster() }

func (l Layout) create(table string) string {
	return "CREATE TABLE IF NOT EXISTS " + l.Local(table) + l.onCluster()
}

// createAs makes an empty table like another one.
func (l Layout) createAs(table, like string) string {
	return "CREATE TABLE " + l.Local(table) + l.onCluster() + " AS " + l.Local(like)
}

// Drop is the statement that drops a table, if it exists.
func (l Layout) Drop(table string) string {
	return "DROP TABLE IF EXISTS " + l.Local(table) + l.onCluster() + " SYNC"
}

func (l Layout) dropView(view string) string { return "DROP VIEW " + l.Local(view) + l.onCluster() }

func (l Layout) rename(from, to string) string {
	return "RENAME TABLE " + l.Local(from) + " TO " + l.Local(to) + l.onCluster()
}

// exchange gives two tables each other's name, both at once.
func (l Layout) exchange(a, b string) string {
	return "EXCHANGE TABLES " + l.Local(a) + " AND " + l.Local(b) + l.onCluster()
}

// storage is what CREATE TABLE says behind the columns.
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
		// The time alone in the primary key: it is what a question always says, and the
		// other columns are many.
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

// A setting of a table.
type setting struct{ name, value string }

// settings are those that a table is made with, and that an existing one is given unless
// somebody has set them.
func (Layout) settings(t *column.Table) []setting {
	if t.Engine == column.Replacing { // equal rows may come again, and must go in
		return nil
	}
	list := []setting{
		{"non_replicated_deduplication_window", "1000"}, // how many tokens of inserts it remembers
		{"ttl_only_drop_parts", "1"},                    // whole partitions go, no part is rewritten
	}
	if t.Partition == "" { // an hour of two inserts a second
		list = append(list, setting{"min_parts_to_merge_at_once", wideMerge}, setting{"merge_selector_base", wideMerge})
	}
	return list
}

// wideMerge is how many parts of the flows the store merges at once, and how much smaller
// than their sum the largest may be: each row is written half as often as with the defaults.
// See doc/decisions/0021-wide-merges.md.
const wideMerge = "20"

// settingsOf are the settings in the CREATE statement of a table.
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
