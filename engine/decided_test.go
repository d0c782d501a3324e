package engine

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"netmeta/internal/golden"
)

// TestDecided: there is a decision about every feature of the engine. It fails when a
// new engine library brings a setting whose value is a text, a format, a table function,
// a system table, a statement SHOW or a function that is not in the lists. Decide: may a
// reading user use it? It may not when it names a file, a directory, a host, a schema, a
// template, a function or an expression, when it tells what others do or where files
// are, or when it is a parser of any bytes. Then put it into allowed.go or functions.txt
// if it may, and run the test with -update; what is in no list is refused.
func TestDecided(t *testing.T) {
	w := writer(t)
	var b strings.Builder
	list := func(what, sql string, allowed func(name string) bool) {
		t.Helper()
		fmt.Fprintf(&b, "# %s\n", what)
		for line := range strings.Lines(w.must(sql)) {
			name := strings.TrimSpace(line)
			word := "refused"
			if allowed(name) {
				word = "allowed"
			}
			fmt.Fprintf(&b, "%s %s\n", word, name)
		}
	}
	in := func(set map[string]bool) func(string) bool {
		return func(name string) bool { return set[strings.ToLower(name)] }
	}
	// Numbers and switches can do no more than make a statement slow; all others may be
	// anything.
	list("settings that are no number and no switch", `SELECT name FROM system.settings
		WHERE NOT match(type, '^(Bool|BoolAuto|U?Int(32|64)|U?Int64Auto|NonZeroUInt64|Float|Double|FloatAuto|Seconds|Milliseconds|MaxThreads)$') ORDER BY name`,
		func(name string) bool { _, ok := readerSettings[name]; return ok })
	list("formats of answers", "SELECT name FROM system.formats WHERE is_output ORDER BY name", in(readerFormats))
	list("table functions", "SELECT DISTINCT lower(name) AS n FROM system.table_functions ORDER BY n", in(harmlessTableFunctions))
	list("system tables", "SELECT name FROM system.tables WHERE database = 'system' AND name NOT LIKE '%_log' ORDER BY name", func(name string) bool {
		return readerTables[name] || pageTables[name]
	})
	golden.Equal(t, "testdata/decided.golden", []byte(b.String()))

	// Every name in the lists is one of the engine, so that nothing is in them by mistake.
	known := func(what, sql string, names []string) {
		t.Helper()
		have := strings.Fields(w.must(sql))
		for _, name := range names {
			if !slices.Contains(have, name) {
				t.Errorf("%s %s is allowed, and the engine has none", what, name)
			}
		}
	}
	keys := func(m map[string]bool) (names []string) {
		for name := range m {
			names = append(names, name)
		}
		return names
	}
	for name := range readerSettings {
		known("setting", "SELECT name FROM system.settings WHERE name = '"+name+"'", []string{name})
	}
	known("format", "SELECT lower(name) FROM system.formats WHERE is_output", keys(readerFormats))
	known("table function", "SELECT lower(name) FROM system.table_functions", keys(harmlessTableFunctions))
	known("system table", "SELECT name FROM system.tables WHERE database = 'system'", append(keys(readerTables), keys(pageTables)...))

	// Functions: the list is compiled in, and a function that is not in it is refused.
	decided := readerFunctions()
	have := strings.Fields(w.must("SELECT DISTINCT lower(name) AS n FROM system.functions WHERE origin = 'System' ORDER BY n"))
	for _, name := range have {
		if _, ok := decided[name]; !ok {
			t.Errorf("nobody has decided about the function %s: put it into functions.txt, after \"- \" when readers may not call it", name)
		}
	}
	for name := range decided {
		if !slices.Contains(have, name) {
			t.Errorf("functions.txt has %s, and the engine has none", name)
		}
	}
}

// TestEverySettingRefused: each setting that the engine has is in the list, or is
// refused wherever it is given.
func TestEverySettingRefused(t *testing.T) {
	w, r := writer(t), reader(t)
	refused := 0
	for _, name := range strings.Fields(w.must("SELECT name FROM system.settings")) {
		if _, ok := readerSettings[name]; ok {
			continue
		}
		if err := (limits{}).readerSetting(setting{name, "1"}); err == nil {
			t.Errorf("%s is taken", name)
		}
		refused++
	}
	if refused < 1000 {
		t.Errorf("only %d settings are refused", refused)
	}
	// The check is asked for each way that a setting can come.
	for _, name := range []string{"output_format_schema", "format_schema", "format_template_row", "input_format_record_errors_file_path", "additional_result_filter", "max_temporary_data_on_disk_size_for_query", tagSetting} {
		for _, got := range []answer{
			r.do("POST", "SELECT 1", name, "1"),
			r.do("GET", "", "query", "SELECT 1", name, "1"),
			r.do("POST", "SELECT 1 SETTINGS "+name+" = '1'"),
			r.do("POST", "SELECT 1 FORMAT JSON SETTINGS max_threads = 1, "+name+" = 1"),
			r.do("POST", "SELECT * FROM (SELECT 1 SETTINGS "+name+" = '1')"),
		} {
			if got.status != 403 || got.header.Get("X-ClickHouse-Exception-Code") != "164" {
				t.Errorf("%s: %d %s", name, got.status, got.body)
			}
		}
	}
}

// TestSettingBounds: values over the bounds are refused, and those that clients send
// are taken.
func TestSettingBounds(t *testing.T) {
	l := limits{memory: 1 << 30, seconds: 300}
	f := func(name, value string, ok bool) {
		t.Helper()
		if err := l.readerSetting(setting{name, value}); (err == nil) != ok {
			t.Errorf("%s = %q: %v", name, value, err)
		}
	}
	f("max_threads", "1", true)
	f("max_threads", "100000", false)
	f("max_threads", "-1", false)
	f("max_threads", "1; SET readonly = 0", false)
	f("max_block_size", "4611686018427387904", false)
	f("max_block_size", "0", false)
	f("max_execution_time", "7.5", true)
	f("max_execution_time", "0", false)
	f("max_execution_time", "inf", false)
	f("max_execution_time", "0x1p-2", false)
	f("max_execution_time", "301", false)
	f("max_memory_usage", "100000000", true)
	f("max_memory_usage", "1073741825", false)
	f("readonly", "2", true)
	f("readonly", "0", false)
	f("session_timezone", "Europe/Berlin", true)
	f("session_timezone", "Etc/GMT+5", true)
	f("session_timezone", "/etc/passwd", false)
	f("session_timezone", "../../etc/passwd", false)
	f("log_comment", "Grafana: dashboard 'x'; panel 2", true)
	f("log_comment", "a\nb", false)
	f("log_comment", strings.Repeat("x", 2000), false)
	f("timeout_overflow_mode", "break", true)
	f("timeout_overflow_mode", "'break'", false)
	f("output_format_json_quote_64bit_integers", "true", true)
	f("output_format_json_quote_64bit_integers", "2", false)
	f("output_format_pretty_color", "auto", true)
	f("output_format_sql_insert_table_name", "flows", true)
	f("output_format_sql_insert_table_name", "../flows", false)
	f("max_ast_depth", fmt.Sprint(maxReaderASTDepth+1), false)
	f("max_ast_elements", "1000000", false)
	f("output_format_schema", "", false)
}

// TestFunctionList: the file is sorted, so that a difference is easy to review.
func TestFunctionList(t *testing.T) {
	text, err := os.ReadFile("functions.txt")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "#") {
			names = append(names, strings.TrimPrefix(strings.TrimSpace(line), "- "))
		}
	}
	if !slices.IsSorted(names) || len(slices.Compact(names)) != len(readerFunctions()) {
		t.Error("not sorted, or a name is there twice")
	}
}
