package engine

import (
	"fmt"
	"strconv"
	"strings"

	"netmeta/engine/libchdb"
)

// The read-only user. The engine has no users and no grants; SET readonly=1 on the
// session refuses writes, DDL, table functions that reach out (file, url, remote,
// executable, …) and changes of settings. It leaves holes, because it was made for
// a server that keeps its client's files apart: INTO OUTFILE writes any file, the
// function file() reads any file, DESCRIBE TABLE file(…) and url(…) infer a
// structure, KILL QUERY ends the writer's insert. They are closed here: the
// statement is parsed and written out again by the engine's own parser, and what
// it wrote is looked at token by token.

// readerVerbs are the statements that the reader may use.
var readerVerbs = map[string]bool{
	"SELECT": true, "WITH": true, "FROM": true, "(": true,
	"SHOW": true, "DESCRIBE": true, "DESC": true, "EXPLAIN": true, "EXISTS": true, "USE": true,
}

// forbiddenNames may not stand in a reader's statement at all: functions that read
// files. A function need not be followed by a bracket: SELECT * APPLY file.
var forbiddenNames = set(`file catboostevaluate`)

// forbiddenCalls may not be called by the reader: table functions that reach
// outside of the store.
var forbiddenCalls = set(`
	filesystem url s3 s3s gcs oss cosn hdfs azureblobstorage remote remotesecure mysql postgresql mongodb redis sqlite odbc jdbc
	executable hive arrowflight ytsaurus iceberg icebergs3 icebergazure iceberghdfs iceberglocal deltalake deltalakes3 deltalakeazure
	deltalakelocal hudi paimon paimons3 paimonazure paimonhdfs paimonlocal python filecluster urlcluster s3cluster hdfscluster
	azureblobstoragecluster icebergcluster icebergs3cluster icebergazurecluster iceberghdfscluster deltalakecluster hudicluster
	paimoncluster cluster clusterallreplicas`)

func set(words string) map[string]bool {
	m := map[string]bool{}
	for _, word := range strings.Fields(words) {
		m[word] = true
	}
	return m
}

// readerSettings are the settings that the reader may give in the URL, besides
// output_format_*. All of them change how an answer looks or make a query stop
// earlier.
var readerSettings = set(`
		max_execution_time max_memory_usage max_rows_to_read max_bytes_to_read max_rows_to_group_by max_bytes_before_external_group_by
		max_bytes_before_external_sort max_result_rows max_result_bytes max_threads max_block_size max_query_size max_ast_depth max_ast_elements
		max_columns_to_read max_rows_to_sort max_bytes_to_sort max_rows_in_set max_bytes_in_set max_rows_in_join max_bytes_in_join
		timeout_overflow_mode read_overflow_mode result_overflow_mode group_by_overflow_mode sort_overflow_mode
		date_time_output_format date_time_input_format session_timezone join_use_nulls extremes limit offset log_comment readonly
		final use_query_cache use_uncompressed_cache load_balancing priority optimize_read_in_order prefer_column_name_to_alias
		group_by_use_nulls any_join_distinct_right_table_keys joined_subquery_requires_alias enable_analyzer allow_experimental_analyzer
		enable_http_compression http_zlib_compression_level network_compression_method network_zstd_compression_level
		send_progress_in_http_headers http_headers_progress_interval_ms cancel_http_readonly_queries_on_client_close add_http_cors_header
		connect_timeout receive_timeout send_timeout http_send_timeout http_receive_timeout http_write_exception_in_output_format`)

// limits are what no request of a user may go over.
type limits struct {
	memory  int64 // bytes a statement may use
	seconds int   // time a statement may take, 0 is no limit
}

// readerSetting checks a setting that the reader gives in the URL.
func (l limits) readerSetting(s setting) error {
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

// readerStatement checks a reader's statement and returns the text to run instead:
// what the engine's parser made of it. conn is a session without settings yet.
func readerStatement(conn *libchdb.Conn, text string) (string, error) {
	result, err := conn.Query("SELECT formatQuery({statement:String})", "RawBLOB", []libchdb.Param{{Name: "statement", Value: escapeParam(text)}})
	if err != nil {
		e := engineError(err)
		e.message = strings.Replace(e.message, ": In scope SELECT formatQuery({statement:String})", "", 1)
		return "", e
	}
	defer result.Close()
	text = string(result.Bytes())

	lex := lexer{text: text}
	verb, ok := lex.next()
	if !ok {
		return "", errorf(codeSyntaxError, "SYNTAX_ERROR", "Syntax error: Empty query")
	}
	if word := strings.ToUpper(verb.text(text)); !readerVerbs[word] {
		return "", errorf(codeReadonly, "READONLY", "reader: Cannot execute query in readonly mode: %.20s is not for the read-only user", word)
	}
	for before := verb; ; {
		t, ok := lex.next()
		if !ok {
			return text, nil
		}
		name := strings.ToLower(unquote(t.text(text)))
		switch {
		case t.kind.name() && forbiddenNames[name],
			name == "(" && before.kind.name() && forbiddenCalls[strings.ToLower(unquote(before.text(text)))]:
			return "", errorf(codeAccessDenied, "ACCESS_DENIED",
				"reader: Not enough privileges. %s reaches outside of the store, which is not for the read-only user", strings.Trim(text[before.from:t.to], "( \n"))
		case name == "outfile" && strings.EqualFold(before.text(text), "INTO"):
			return "", errorf(codeReadonly, "READONLY", "reader: Cannot execute query in readonly mode: INTO OUTFILE writes a file")
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
