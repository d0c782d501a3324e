package store

import (
	"fmt"
	"slices"
	"strings"

	"netmeta/column"
)

// A Schema is how a table is to be kept.
type Schema struct {
	Table   *column.Table
	TTLDays int      // rows older than this are deleted; 0: never
	Columns []string // which rare columns are real from the start: "all", or their names; none: on demand
}

// Rare columns. Every column that a table has but a block does not carry costs the
// engine time on each insert, so a rare column is declared as an ALIAS of its zero
// value until the first other value for it arrives. SQL may name it all the same.
// Then it becomes a real column, which touches metadata only. See doc/decisions/0003-rare-columns-are-aliases.md.

func (s Schema) real(f *column.Field) bool {
	return f.Kind != column.Alias && (!f.Rare || slices.Contains(s.Columns, "all") || slices.Contains(s.Columns, f.Name))
}

// Create is the statement that makes the table.
func (s Schema) Create() string {
	var b strings.Builder
	fmt.Fprintf(&b, "CREATE TABLE IF NOT EXISTS %s\n(\n", s.Table.Name)
	for i, f := range s.Table.Fields {
		comma := ","
		if i == len(s.Table.Fields)-1 {
			comma = ""
		}
		fmt.Fprintf(&b, "    %s%s\n", s.define(f), comma)
	}
	b.WriteString(")\nENGINE = MergeTree\n")
	b.WriteString("PARTITION BY toStartOfHour(TimeReceived)\n")
	b.WriteString("ORDER BY (toStartOfFiveMinutes(TimeReceived), ExporterAddress, InIf, OutIf)\n")
	if s.TTLDays > 0 {
		fmt.Fprintf(&b, "TTL %s\n", s.ttl())
	}
	// ttl_only_drop_parts: whole hours go, no part is rewritten.
	b.WriteString("SETTINGS non_replicated_deduplication_window = 1000, ttl_only_drop_parts = 1")
	return b.String()
}

func (s Schema) ttl() string { return fmt.Sprintf("TimeReceived + toIntervalDay(%d)", s.TTLDays) }

// define is a column of CREATE TABLE or ADD COLUMN.
func (s Schema) define(f *column.Field) string {
	switch {
	case f.Kind == column.Alias:
		return fmt.Sprintf("%s %s ALIAS %s COMMENT %s", f.Name, f.SQLType(), f.SQL, quote(f.Doc))
	case !s.real(f):
		return fmt.Sprintf("%s %s ALIAS %s COMMENT %s", f.Name, f.SQLType(), zero(f), quote(f.Doc))
	}
	return defineReal(f)
}

func defineReal(f *column.Field) string {
	codec := ""
	if f.Codec != "" {
		codec = " CODEC(" + f.Codec + ")"
	}
	return fmt.Sprintf("%s %s COMMENT %s%s", f.Name, f.SQLType(), quote(f.Doc), codec)
}

// zero is the value of a column that no row has set, as an expression.
func zero(f *column.Field) string {
	return "defaultValueOfTypeName(" + quote(f.SQLType()) + ")"
}

func quote(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}

// A Column is what the store says of an existing column.
type Column struct {
	Name       string
	Type       string
	Kind       string // "" or "ALIAS", "DEFAULT", "MATERIALIZED"
	Expression string
}

// A Change is one step from the table that is there to the one that is wanted.
type Change struct {
	SQL    string // ALTER TABLE …
	Reason string // for the log, in words
}

// Diff compares the table that is there with the one that is wanted. A column is
// only ever added, promoted from alias to real, or given further enum names; a
// difference that would need more is an error.
func (s Schema) Diff(have []Column, createSQL string) ([]Change, error) {
	there := map[string]Column{}
	for _, c := range have {
		there[c.Name] = c
	}
	var changes []Change
	after := "FIRST"
	for _, f := range s.Table.Fields {
		c, ok := there[f.Name]
		switch {
		case !ok:
			changes = append(changes, Change{
				SQL:    fmt.Sprintf("ALTER TABLE %s ADD COLUMN %s %s", s.Table.Name, s.define(f), after),
				Reason: "column " + f.Name + " is new"})
		case f.Kind == column.Alias:
			if squeeze(c.Expression) != squeeze(f.SQL) || c.Kind != "ALIAS" {
				changes = append(changes, Change{
					SQL:    fmt.Sprintf("ALTER TABLE %s MODIFY COLUMN %s", s.Table.Name, s.define(f)),
					Reason: "the expression of " + f.Name + " changed"})
			}
		case c.Kind == "ALIAS" && s.real(f):
			changes = append(changes, s.Promote(f)...)
		case c.Type != f.SQLType() && c.Kind == "ALIAS":
			changes = append(changes, Change{
				SQL:    fmt.Sprintf("ALTER TABLE %s MODIFY COLUMN %s", s.Table.Name, s.define(f)),
				Reason: "the type of " + f.Name + " changed"})
		case c.Type != f.SQLType():
			if f.Kind != column.Enum || !strings.HasPrefix(f.SQLType(), strings.TrimSuffix(c.Type, ")")) {
				return nil, fmt.Errorf("column %s.%s is %s in the store but must be %s: this version cannot convert it; use the version of NetMeta that made the table, or move the table away with RENAME TABLE %s TO %s_old",
					s.Table.Name, f.Name, c.Type, f.SQLType(), s.Table.Name, s.Table.Name)
			}
			changes = append(changes, Change{
				SQL:    fmt.Sprintf("ALTER TABLE %s MODIFY COLUMN %s", s.Table.Name, defineReal(f)),
				Reason: f.Name + " has further names"})
		}
		after = "AFTER " + f.Name
	}
	if s.TTLDays > 0 && !strings.Contains(createSQL, "TTL "+s.ttl()) {
		changes = append(changes, Change{
			SQL:    fmt.Sprintf("ALTER TABLE %s MODIFY TTL %s", s.Table.Name, s.ttl()),
			Reason: fmt.Sprintf("retention is %d days", s.TTLDays)})
	}
	return changes, nil
}

// Promote makes a rare column a real one. It fails when the column is real already,
// so two processes that promote at once do no harm.
func (s Schema) Promote(f *column.Field) []Change {
	reason := "values for the rare column " + f.Name + " arrive"
	changes := []Change{{SQL: fmt.Sprintf("ALTER TABLE %s MODIFY COLUMN %s REMOVE ALIAS", s.Table.Name, f.Name), Reason: reason}}
	if f.Codec != "" {
		changes = append(changes, Change{SQL: fmt.Sprintf("ALTER TABLE %s MODIFY COLUMN %s", s.Table.Name, defineReal(f)), Reason: reason})
	}
	return changes
}

// squeeze drops what ClickHouse may write differently in an expression.
func squeeze(s string) string {
	return strings.NewReplacer(" ", "", "(", "", ")", "").Replace(s)
}
