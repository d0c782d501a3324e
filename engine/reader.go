package engine

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"netmeta/engine/libchdb"
)

// The read-only user. The engine has no users and no grants; SET readonly=1 on the
// session refuses writes, DDL, table functions that reach out (file, url, remote,
// executable, …) and changes of settings. It leaves holes, because it was made for
// a server that keeps its client's files apart:
//
//	SELECT … INTO OUTFILE 'x'              writes any file
//	SELECT file('x')                       reads any file
//	DESCRIBE TABLE url('x')                asks any server
//	SELECT * FROM (SELECT … SETTINGS readonly = 0)
//	KILL QUERY                             ends the writer's inserts
//
// They are closed here: the statement is parsed and written out again by the
// engine's own parser, and what it wrote is looked at token by token. So a comment,
// a quote or a spelling that hides something from us would have to hide it from the
// engine too.

// readerVerbs are the statements that the reader may use.
var readerVerbs = map[string]bool{
	"SELECT": true, "WITH": true, "FROM": true, "(": true,
	"SHOW": true, "DESCRIBE": true, "DESC": true, "EXPLAIN": true, "EXISTS": true, "USE": true,
}

// harmlessTableFunctions are those that the reader may call: they stay within the
// store. Every other one that the engine has is forbidden, those of a new version
// too.
var harmlessTableFunctions = set(`
	dictionary format generaterandom generateseries generate_series input merge mergetreeindex mergetreeprojection null numbers numbers_mt
	primes sqlstandardvalues values view zeros zeros_mt`)

// forbidden holds what a reader's statement may not use, in lower case.
type forbidden struct {
	names map[string]bool // functions, forbidden as a name: SELECT * APPLY file needs no bracket
	calls map[string]bool // table functions, forbidden before a bracket
}

// forbid asks the engine for its functions.
func forbid(conn *libchdb.Conn) (forbidden, error) {
	f := forbidden{names: set("file catboostevaluate"), calls: map[string]bool{}}
	list := func(sql string) ([]string, error) {
		result, err := conn.Query(sql, "TabSeparated", nil)
		if err != nil {
			return nil, err
		}
		defer result.Close()
		return strings.Fields(string(result.Bytes())), nil
	}
	functions, err := list("SELECT lower(name) FROM system.functions WHERE startsWith(lower(name), 'ai')") // they ask a model somewhere
	if err != nil {
		return f, err
	}
	for _, name := range functions {
		f.names[name] = true
	}
	tables, err := list("SELECT lower(name) FROM system.table_functions")
	if err != nil {
		return f, err
	}
	for _, name := range tables {
		if !harmlessTableFunctions[name] {
			f.calls[name] = true
		}
	}
	return f, nil
}

func set(words string) map[string]bool {
	m := map[string]bool{}
	for _, word := range strings.Fields(words) {
		m[word] = true
	}
	return m
}

// readerSettings are the settings that the reader may give in the URL, besides
// output_format_*. All of them change how an answer looks or is worked out, or make a
// query stop earlier.
var readerSettings = set(`
		max_execution_time max_memory_usage max_rows_to_read max_bytes_to_read max_rows_to_group_by max_bytes_before_external_group_by
		max_bytes_before_external_sort max_result_rows max_result_bytes max_threads max_block_size max_query_size max_ast_depth max_ast_elements
		max_columns_to_read max_rows_to_sort max_bytes_to_sort max_rows_in_set max_bytes_in_set max_rows_in_join max_bytes_in_join
		timeout_overflow_mode read_overflow_mode result_overflow_mode group_by_overflow_mode sort_overflow_mode
		date_time_output_format date_time_input_format session_timezone join_use_nulls extremes limit offset log_comment readonly
		final use_query_cache use_uncompressed_cache load_balancing priority optimize_read_in_order prefer_column_name_to_alias
		group_by_use_nulls any_join_distinct_right_table_keys joined_subquery_requires_alias enable_analyzer allow_experimental_analyzer enable_materialized_cte
		enable_http_compression http_zlib_compression_level network_compression_method network_zstd_compression_level
		send_progress_in_http_headers http_headers_progress_interval_ms cancel_http_readonly_queries_on_client_close add_http_cors_header
		connect_timeout receive_timeout send_timeout http_send_timeout http_receive_timeout http_write_exception_in_output_format`)

// withoutParts is the one form of additional_table_filters that the reader may give, since
// its values are expressions that no check of the statement sees: tables without some of
// their parts, by which NetMeta leaves out those that cannot be read.
var withoutParts = regexp.MustCompile(`^\{'\w+':'_part NOT IN \(\\'\w+\\'(, \\'\w+\\')*\)'(,'\w+':'_part NOT IN \(\\'\w+\\'(, \\'\w+\\')*\)')*\}$`)

// limits are what no request of a user may go over.
type limits struct {
	memory  int64 // bytes a statement may use, half of what all of them may
	seconds int   // time a statement may take, 0 is no limit
}

// readerSetting checks a setting that the reader gives in the URL.
func (l limits) readerSetting(s setting) error {
	if s.name == "additional_table_filters" && withoutParts.MatchString(s.value) {
		return nil
	}
	if !readerSettings[s.name] && !strings.HasPrefix(s.name, "output_format_") {
		return errorf(codeReadonly, "READONLY", "Cannot modify '%s' setting in readonly mode", s.name)
	}
	over := func(limit int64) error {
		value, err := strconv.ParseFloat(s.value, 64)
		if limit > 0 && err == nil && (value > float64(limit) || value <= 0) {
			return errorf(codeConstraintViolation, "SETTING_CONSTRAINT_VIOLATION", "Setting %s shouldn't be greater than %d", s.name, limit)
		}
		return nil
	}
	switch s.name {
	case "max_memory_usage":
		return over(l.memory)
	case "max_execution_time":
		return over(int64(l.seconds))
	case "readonly":
		if s.value != "1" && s.value != "2" { // both become 1
			return errorf(codeReadonly, "READONLY", "Cannot modify 'readonly' setting in readonly mode")
		}
	}
	return nil
}

// readerStatement checks a reader's statement and returns what to run instead: what
// the engine's parser made of it, without its last SETTINGS clause, and the settings
// of that. conn is a session without settings yet.
func (s *server) readerStatement(conn *libchdb.Conn, text string) (st statement, settings []setting, err error) {
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
	if st, err = parseStatement(text); err != nil {
		return st, nil, err
	}
	// A read-only session refuses SETTINGS in the statement, the harmless ones too. So
	// they are set before, as if they had stood in the URL.
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
	if st.kind == kindInsert || !readerVerbs[st.verb] {
		return st, nil, errorf(codeReadonly, "READONLY", "reader: Cannot execute query in readonly mode: %.20s is not for the read-only user", st.verb)
	}
	var before token
	for lex := (lexer{text: text}); ; {
		t, ok := lex.next()
		if !ok {
			return st, settings, nil
		}
		word := t.text(text)
		name := strings.ToLower(unquote(word))
		switch {
		case t.kind.name() && s.forbidden.names[name],
			word == "(" && before.kind.name() && s.forbidden.calls[strings.ToLower(unquote(before.text(text)))]:
			return st, nil, errorf(codeAccessDenied, "ACCESS_DENIED",
				"reader: Not enough privileges. %s reaches outside of the store, which is not for the read-only user", strings.Trim(text[before.from:t.to], "( \n"))
		case name == "outfile" && strings.EqualFold(before.text(text), "INTO"):
			return st, nil, errorf(codeReadonly, "READONLY", "reader: Cannot execute query in readonly mode: INTO OUTFILE writes a file")
		case t.kind == tokenWord && word == "SETTINGS": // the parser writes its words in capitals
			return st, nil, errorf(codeReadonly, "READONLY", "reader: Cannot modify settings in readonly mode, but for plain values at the end of the statement or in the URL")
		}
		before = t
	}
}

// settingsStatement returns the SET that gives a session these settings, "" for none.
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
