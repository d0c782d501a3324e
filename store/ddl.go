package store

import (
	"fmt"
	"slices"
	"strings"

	"netmeta/column"
)

// Schema says how a table is stored.
type Schema struct {
	Table   *column.Table
	Layout  Layout
	TTLDays int      // rows older than this are deleted; 0: never
	Columns []string // rare columns that are real from the start: "all", or their names; none: on demand

	RollupDays map[int64]int // TTLDays of Table.Rollups, by their steps; none: no rollups

	// Only of a rollup's table; see rollup.go.
	key  []string // columns of the sorting key
	sums []string // columns that are summed
}

// Policy says how tables are stored.
type Policy struct {
	Days       int           // of rows; 0: forever
	RollupDays map[int64]int // of sums, by the steps of the rollups; none: no rollups
	Columns    []string      // as in Schema
}

// Schema returns the schema of a table.
func (p Policy) Schema(t *column.Table) Schema {
	s := Schema{Table: t, TTLDays: p.Days, Columns: p.Columns}
	if t.Retention == column.Forever {
		s.TTLDays = 0
	}
	if len(t.Rollups) > 0 {
		s.RollupDays = p.RollupDays
	}
	return s
}

// Rare columns. Every column that a table has but a block does not carry costs the engine time on each
// insert. So a rare column is an ALIAS of its zero value until the first other value for it arrives; SQL may
// name it nevertheless. Then it becomes a real column, which only changes metadata. See
// doc/decisions/0003-rare-columns-are-aliases.md.

func (s Schema) real(f *column.Field) bool {
	return f.Kind != column.Alias && (!f.Rare || slices.Contains(s.Columns, "all") || slices.Contains(s.Columns, f.Name))
}

// Create returns the statement that makes the table.
func (s Schema) Create() string {
	var b strings.Builder
	b.WriteString(s.Layout.create(s.Table.Name) + "\n(\n")
	var lines []string
	for _, f := range s.Table.Fields {
		lines = append(lines, "    "+s.define(f))
	}
	for _, index := range s.Table.Indexes {
		lines = append(lines, "    INDEX "+index)
	}
	b.WriteString(strings.Join(lines, ",\n") + "\n)\n")
	b.WriteString(s.Layout.storage(s))
	return b.String()
}

func (s Schema) ttl() string { return fmt.Sprintf("TimeReceived + toIntervalDay(%d)", s.TTLDays) }

// define returns a column of CREATE TABLE or ADD COLUMN.
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
	codec, byDefault := f.Codec, ""
	if f.Default != "" {
		byDefault = " DEFAULT " + f.Default
	}
	if codec == "" {
		switch f.Kind {
		case column.Uint16, column.Uint32, column.Uint64:
			codec = "T64, ZSTD(1)" // see doc/decisions/0009-order-key.md
		}
	}
	if codec != "" {
		codec = " CODEC(" + codec + ")"
	}
	return fmt.Sprintf("%s %s%s COMMENT %s%s", f.Name, f.SQLType(), byDefault, quote(f.Doc), codec)
}

// zero returns the value of a column that no row has set, as an expression.
func zero(f *column.Field) string {
	return "defaultValueOfTypeName(" + quote(f.SQLType()) + ")"
}

func quote(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}

// Column is an existing column as the store describes it.
type Column struct {
	Name       string
	Type       string
	Kind       string // "" or "ALIAS", "DEFAULT", "MATERIALIZED"
	Expression string
}

// Change is one step from the existing table to the wanted one.
type Change struct {
	SQL    string // ALTER TABLE …
	Reason string // for the log, in words

	rare   string // the rare column that this makes real
	rollup string // its rollup; empty: the table itself
	more   bool   // the rest can only be planned after it
	alter  string // the beginning of SQL, if others can join it in one statement
	second bool   // not in one statement with what makes room for it
}

// joined joins changes of one table that follow each other into one statement each: the
// engine reads and writes the whole definition with every ALTER, which takes it longer than
// a change.
func joined(changes []Change) [][]Change {
	var out [][]Change
	for i, ch := range changes {
		if before := i - 1; i > 0 && ch.alter != "" && ch.alter == changes[before].alter && ch.second == changes[before].second {
			out[len(out)-1] = append(out[len(out)-1], ch)
		} else {
			out = append(out, []Change{ch})
		}
	}
	return out
}

// statement is the SQL of changes that are joined.
func statement(changes []Change) string {
	commands := []string{changes[0].SQL}
	for _, ch := range changes[1:] {
		commands = append(commands, strings.TrimPrefix(ch.SQL, ch.alter))
	}
	return strings.Join(commands, ",")
}

// MismatchError is a column that cannot be converted.
type MismatchError struct{ Table, Column, Have, Want string }

func (e *MismatchError) Error() string {
	return fmt.Sprintf("column %s.%s is %s in the store but must be %s: this version cannot convert it; use the version of NetMeta that made the table, or move the table away with RENAME TABLE %[1]s TO %[1]s_old",
		e.Table, e.Column, e.Have, e.Want)
}

// Diff compares the existing table, its columns and its CREATE statement, with the wanted one. Columns are
// only added, made real, or given more enum names; any other difference is a *MismatchError. Columns unknown
// to this version stay as they are.
func (s Schema) Diff(have []Column, create string) ([]Change, error) {
	there := map[string]Column{}
	for _, c := range have {
		there[c.Name] = c
	}
	var room, changes []Change // what makes room for changes, and they
	prefix := s.Layout.Alter(s.Table.Name) + " "
	change := func(reason, format string, args ...any) Change {
		return Change{SQL: prefix + fmt.Sprintf(format, args...), Reason: reason, alter: prefix, second: true}
	}
	alter := func(reason, format string, args ...any) { changes = append(changes, change(reason, format, args...)) }
	alone := func(reason, format string, args ...any) { // a list follows the command: no other can
		alter(reason, format, args...)
		changes[len(changes)-1].alter = ""
	}
	promote := func(f *column.Field, reason, format string, args ...any) {
		alter(reason, format, args...)
		changes[len(changes)-1].rare = f.Name
	}
	makeRoom := func(f *column.Field, reason, format string, args ...any) {
		ch := change(reason, format, args...)
		ch.rare, ch.second = f.Name, false
		room = append(room, ch)
	}
	after := "FIRST"
	key := keyOf(create)
	for _, f := range s.Table.Fields {
		c, ok := there[f.Name]
		want := f.SQLType()
		alias := c.Kind == "ALIAS"
		switch {
		case !ok && slices.Contains(s.key, f.Name): // a rollup's key grows with its columns
			key = append(key, f.Name)
			alter("column "+f.Name+" is new", "ADD COLUMN %s %s, MODIFY ORDER BY (%s)", s.define(f), after, strings.Join(key, ", "))
		case !ok:
			alter("column "+f.Name+" is new", "ADD COLUMN %s %s", s.define(f), after)
		case f.Kind == column.Alias && !alias:
			return nil, &MismatchError{s.Table.Name, f.Name, "a stored " + c.Type, "computed"}
		case f.Kind == column.Alias:
			if squeeze(c.Expression) != squeeze(f.SQL) || c.Type != want {
				alter("the expression of "+f.Name+" changed", "MODIFY COLUMN %s", s.define(f))
			}
		case alias && slices.Contains(s.key, f.Name): // only a new column may become part of the key
			key = append(key, f.Name)
			makeRoom(f, "rare column "+f.Name+" makes room", "DROP COLUMN %s", f.Name)
			promote(f, "rare column "+f.Name+" enters the table", "ADD COLUMN %s %s, MODIFY ORDER BY (%s)", s.define(f), after, strings.Join(key, ", "))
		case alias && s.real(f):
			makeRoom(f, "rare column "+f.Name+" enters the table", "MODIFY COLUMN %s REMOVE ALIAS", f.Name)
			if f.Codec != "" || c.Type != want {
				promote(f, "storage of "+f.Name, "MODIFY COLUMN %s", defineReal(f))
			}
		case alias && c.Type != want:
			alter("the type of "+f.Name+" changed", "MODIFY COLUMN %s", s.define(f))
		case c.Type == want, f.Kind == column.Enum && moreNames(want, c.Type):
			// As wanted, or made by a newer version.
		case f.Kind == column.Enum && moreNames(c.Type, want):
			alter(f.Name+" has further names", "MODIFY COLUMN %s", defineReal(f))
		default:
			return nil, &MismatchError{s.Table.Name, f.Name, c.Type, want}
		}
		after = "AFTER " + f.Name
	}
	for _, index := range s.Table.Indexes { // for new parts; existing parts stay as they are
		if name, _, _ := strings.Cut(index, " "); !strings.Contains(create, "INDEX "+name+" ") {
			alter("index "+name+" is new", "ADD INDEX %s", index)
		}
	}
	set := settingsOf(create)
	for _, x := range s.Layout.settings(s.Table) {
		if _, ok := set[x.name]; !ok {
			alone("setting "+x.name+" is new", "MODIFY SETTING %s = %s", x.name, x.value)
		}
	}
	switch has := strings.Contains(create, " TTL "); {
	case s.TTLDays > 0 && !strings.Contains(create, " TTL "+s.ttl()):
		alone(fmt.Sprintf("retention is %d days", s.TTLDays), "MODIFY TTL %s", s.ttl())
	case s.TTLDays == 0 && has:
		alone("retention is without end", "REMOVE TTL")
	}
	return append(room, changes...), nil
}

// moreNames reports that an Enum type has all names of another one, and more.
func moreNames(fewer, more string) bool {
	return strings.HasPrefix(more, strings.TrimSuffix(fewer, ")")+", ")
}

// squeeze removes what ClickHouse may write differently in an expression.
func squeeze(s string) string {
	return strings.NewReplacer(" ", "", "(", "", ")", "").Replace(s)
}
