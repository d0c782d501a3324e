package engine

import (
	"fmt"
	"strings"

	"netmeta/engine/libchdb"
)

// The reading users. The engine has no users and no grants; SET readonly=1 in the session rejects writes,
// DDL, table functions with external access (file, url, remote, executable, …) and changes of settings. It
// leaves holes, because it was made for a server without access to its client's files:
//
//	SELECT … INTO OUTFILE 'x'              writes any file
//	SELECT … FORMAT Protobuf SETTINGS output_format_schema='x'   writes it too
//	SELECT file('x')                       reads any file
//	DESCRIBE TABLE url('x')                contacts any server
//	SELECT * FROM (SELECT … SETTINGS readonly = 0)
//	KILL QUERY                             cancels the writer's inserts
//	SELECT query FROM system.processes     shows other users' queries
//	SELECT 1 FROM a, a, a, …               5,000 times crashes the process
//
// They are closed here: the engine's own parser parses the statement and writes it again, and its output is
// checked token by token. So a comment, a quote or a spelling that hides something from us would have to hide
// it from the engine too. allowed.go has what may be used, bounds.go how much of it.

// readerVerbs are the statements that a reading user may use.
var readerVerbs = map[string]bool{
	"SELECT": true, "WITH": true, "FROM": true, "(": true,
	"SHOW": true, "DESCRIBE": true, "DESC": true, "EXPLAIN": true, "EXISTS": true, "USE": true,
}

// tellVerbs are those that describe a table and read nothing of it.
var tellVerbs = map[string]bool{"SHOW": true, "DESCRIBE": true, "DESC": true, "EXISTS": true}

// limits are those of every request of a user.
type limits struct {
	memory  int64 // bytes per statement, half of what all of them may use
	seconds int   // time per statement; 0: no limit
}

// readerSetting checks a setting of a reading user.
func (l limits) readerSetting(s setting) error {
	b, known := readerSettings[s.name]
	if !known {
		return errorf(codeReadonly, "READONLY", "Cannot modify '%s' setting in readonly mode", s.name)
	}
	if !b.ok(s.value) {
		return errorf(codeConstraintViolation, "SETTING_CONSTRAINT_VIOLATION", "Setting %s is %.100q, which is not for the read-only user; use %s", s.name, s.value, b.want)
	}
	over := func(limit int64) error {
		value, _ := plainNumber(s.value)
		if limit > 0 && (value > float64(limit) || value <= 0) {
			return errorf(codeConstraintViolation, "SETTING_CONSTRAINT_VIOLATION", "Setting %s shouldn't be greater than %d", s.name, limit)
		}
		return nil
	}
	switch s.name {
	case "max_memory_usage":
		return over(l.memory)
	case "max_execution_time":
		return over(int64(l.seconds))
	}
	return nil
}

// readerFormat checks a format requested by a reading user.
func readerFormat(name string) error {
	if name != "" && !readerFormats[strings.ToLower(name)] {
		return errorf(codeUnknownFormat, "UNKNOWN_FORMAT", "Format %.100q is unknown, or not for the read-only user: it needs a schema, a template or another server; use a text format, Native, RowBinary, Parquet or Arrow", name)
	}
	return nil
}

// sessionOf returns the settings that bound every statement of a reading user, in addition to readerTally.
func (s *server) sessionOf(a *account) []setting {
	// All cores for a single reader, a share for each of several, and writes have priority (only with
	// CAP_SYS_NICE).
	return []setting{
		{"max_execution_time", fmt.Sprint(s.limits.seconds)},
		{"max_threads", fmt.Sprint(max(cores()/len(a.slots.running), 1))},
		{"os_threads_nice_value_query", "5"},
		{"allow_introspection_functions", "0"},
		{"max_ast_depth", fmt.Sprint(maxReaderASTDepth)},
		{"max_ast_elements", fmt.Sprint(maxReaderAST)},
		{"max_expanded_ast_elements", fmt.Sprint(maxReaderExpanded)},
		{"max_subquery_depth", fmt.Sprint(maxReaderSubqueries)},
		{"allow_hyperscan", "0"}, // multiMatchAny('a', ['((((a*)*)*)*…']) compiles for minutes, and cannot be cancelled
	}
}

// readerStatement checks a reading user's statement and returns what to run instead: the output of the
// engine's parser, without its last SETTINGS clause, and the settings of that. conn is a session without
// settings yet.
func (s *server) readerStatement(conn *libchdb.Conn, text string, q *request, a *account) (st statement, settings []setting, err error) {
	// Before the parser sees it, and again with the parser's words.
	if err := measure(text).check(a.most); err != nil {
		return st, nil, err
	}
	result, err := conn.Query("SELECT formatQuery({statement:String})", "RawBLOB", []libchdb.Param{{Name: "statement", Value: escapeParam(text)}})
	if err != nil {
		e := engineError(err)
		if i := strings.LastIndex(e.message, ": In scope SELECT formatQuery("); i > 0 {
			e.message = e.message[:i] + e.message[strings.LastIndex(e.message, " ("):]
		}
		return st, nil, e
	}
	text = string(result.Bytes())
	result.Close()
	if err := measure(text).check(a.most); err != nil {
		return st, nil, err
	}
	if st, err = parseStatement(text); err != nil {
		return st, nil, err
	}
	// A read-only session rejects SETTINGS in the statement, even harmless ones. So they are set before, as
	// if they were in the URL.
	if rest, hoisted, ok := st.hoistSettings(); ok {
		text, settings = rest, hoisted
		for _, set := range settings {
			if err := s.limits.readerSetting(set); err != nil {
				return st, nil, err
			}
		}
		if st, err = parseStatement(text); err != nil {
			return st, nil, err
		}
	}
	if st.kind == kindInsert || !readerVerbs[st.verb] || q.scoped && !scopedVerbs[st.verb] {
		return st, nil, errorf(codeReadonly, "READONLY", "%s: Cannot execute query in readonly mode: %.20s is not for the read-only user", a.Name, st.verb)
	}
	if err := readerFormat(st.format); err != nil {
		return st, nil, err
	}
	i := inspection{text: text, verb: st.verb, params: q.params, forbidden: s.forbidden, account: a, scoped: q.scoped}
	return st, settings, i.run()
}

// inspection searches for what a reading user may not use in a statement as the engine's parser wrote it,
// with its own keywords in capitals.
type inspection struct {
	text      string
	verb      string
	params    []libchdb.Param
	forbidden forbidden
	account   *account
	scoped    bool // it may only see some rows

	tokens []token
}

// word returns the text of a token, "" before the first and after the last.
func (in *inspection) word(i int) string {
	if i < 0 || i >= len(in.tokens) {
		return ""
	}
	return in.tokens[i].text(in.text)
}

// name returns the name in a token, in lower case, "" if it is not a name.
func (in *inspection) name(i int) string {
	if i < 0 || i >= len(in.tokens) || !in.tokens[i].kind.name() {
		return ""
	}
	return strings.ToLower(unquote(in.word(i)))
}

// literal returns the string in a token.
func (in *inspection) literal(i int) (string, bool) {
	if i < 0 || i >= len(in.tokens) || in.tokens[i].kind != tokenString {
		return "", false
	}
	return strings.Trim(in.word(i), "'"), true
}

func (in *inspection) run() error {
	for lex := (lexer{text: in.text}); ; {
		t, ok := lex.next()
		if !ok {
			break
		}
		in.tokens = append(in.tokens, t)
	}
	depth := 0
	for i, t := range in.tokens {
		word := in.word(i)
		depth += opens(word)
		if word == "{" {
			if err := in.parameter(i); err != nil {
				return err
			}
		}
		if !t.kind.name() {
			continue
		}
		name := in.name(i)
		call := in.word(i+1) == "("
		switch {
		case in.forbidden.names[name], call && in.forbidden.calls[name]:
			return in.refuse(name + " reaches outside of the store, or into the server")
		case call && name == "merge" && !in.mergeOfOneDatabase(i):
			return in.refuse("merge takes one regular expression, for tables of the current database, and not one for databases")
		case call && (name == "formatrow" || name == "formatrownonewline") && !in.harmlessFormat(i):
			return in.refuse(name + " takes the name of a format without schema and template, as a plain text")
		case name == "outfile" && strings.EqualFold(in.word(i-1), "INTO"):
			return errorf(codeReadonly, "READONLY", "%s: Cannot execute query in readonly mode: INTO OUTFILE writes a file", in.account.Name)
		case t.kind == tokenWord && word == "SETTINGS" && !(in.verb == "SHOW" && i <= 2):
			return errorf(codeReadonly, "READONLY", "%s: Cannot modify settings in readonly mode, but for plain values at the end of the statement or in the URL", in.account.Name)
		case t.kind == tokenWord && word == "SHOW" && !in.harmlessShow(i):
			return in.refuse("SHOW " + in.word(i+1) + " tells what others do, or about the server")
		case name == "system" && !in.harmlessSystem(i, depth):
			return in.refuse("the database system is open to it for tables that tell about tables and the engine alone, and only as system.NAME")
		case name == "_temporary_and_external_tables":
			return in.refuse("temporary tables belong to their session")
		case in.scoped:
			if why := in.scopedRefusal(i); why != "" {
				return in.refuse(why)
			}
		}
	}
	return nil
}

func (in *inspection) refuse(why string) error {
	return errorf(codeAccessDenied, "ACCESS_DENIED", "%s: Not enough privileges. %s, which is not for the read-only user", in.account.Name, why)
}

// mergeOfOneDatabase reports whether the call of merge at i has one string: two would be a pattern of
// databases, including system, and one of tables.
func (in *inspection) mergeOfOneDatabase(i int) bool {
	_, ok := in.literal(i + 2)
	return ok && in.word(i+3) == ")"
}

// harmlessFormat reports whether the first argument of the call at i is the name of a
// format that a reading user may use.
func (in *inspection) harmlessFormat(i int) bool {
	text, ok := in.literal(i + 2)
	next := in.word(i + 3) // an expression may be any name
	return ok && readerFormats[strings.ToLower(text)] && (next == "," || next == ")")
}

// harmlessShow reports whether a reading user may use the statement SHOW at i.
func (in *inspection) harmlessShow(i int) bool {
	for i++; in.name(i) == "full" || in.name(i) == "extended" || in.name(i) == "temporary" || in.name(i) == "changed"; i++ {
	}
	return readerShows[in.name(i)]
}

// harmlessSystem reports whether the name system at i is followed by that of a table that the user may read,
// or only restricts the tables that a statement describes.
func (in *inspection) harmlessSystem(i, depth int) bool {
	if depth == 0 && tellVerbs[in.verb] && (in.word(i+1) != "." || i <= 3) {
		return true
	}
	table := in.name(i + 2)
	return in.word(i+1) == "." && (readerTables[table] || in.account.tables[table])
}

// parameter checks {name:Identifier} at i, whose value becomes a name.
func (in *inspection) parameter(i int) error {
	if in.word(i+2) != ":" || in.name(i+3) != "identifier" {
		return nil
	}
	if in.scoped {
		return in.refuse("a parameter of the type Identifier may be the name of any table")
	}
	for _, p := range in.params {
		if p.Name != unquote(in.word(i+1)) {
			continue
		}
		parts := strings.Split(p.Value, ".")
		for j, part := range parts {
			part = strings.ToLower(part)
			if !isIdentifier(part) || in.forbidden.names[part] || part == "_temporary_and_external_tables" ||
				part == "system" && (j+1 >= len(parts) || !readerTables[strings.ToLower(parts[j+1])] && !in.account.tables[strings.ToLower(parts[j+1])]) {
				return in.refuse(fmt.Sprintf("the parameter %s, %.100q, is no plain name of a table or a column that is open to it", p.Name, p.Value))
			}
		}
	}
	return nil
}

// settingsStatement returns the SET for these settings of a session, "" for none.
func settingsStatement(settings []setting) string {
	if len(settings) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("SET ")
	for i, s := range settings {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s = %s", s.name, quoteString(s.value))
	}
	return b.String()
}

// escapeParam writes a string as the value of a parameter, in the escaped form of
// the TabSeparated format.
func escapeParam(s string) string {
	return strings.NewReplacer(`\`, `\\`, "\n", `\n`, "\t", `\t`, "\r", `\r`, "\x00", `\0`).Replace(s)
}
