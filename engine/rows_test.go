package engine

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// The marks of tenant b, which may be in nothing that tenant a is told.
var marks = []string{"secret", "987654", "2001:db8:bad"}

// tenants are two databases of the shared engine with tables like ours: in one are rows of
// the tenants a and b, in the other only those of a.
type tenants struct {
	w, p        as
	both, alone string
	filters     string
}

// newTenants fills them: rows of both in one part, and parts of each.
func newTenants(t testing.TB) *tenants {
	t.Helper()
	x := &tenants{w: writer(t), p: page(t), both: "tenants_both", alone: "tenants_alone"}
	for _, db := range []string{x.both, x.alone} {
		w := func(sql string) { t.Helper(); x.w.must(sql, "database", db) }
		x.w.must("DROP DATABASE IF EXISTS " + db + " SYNC")
		x.w.must("CREATE DATABASE " + db)
		t.Cleanup(func() { x.w.must("DROP DATABASE " + db + " SYNC") })
		columns := `(Tenant LowCardinality(String), Time DateTime, Exporter IPv6, Label LowCardinality(String), Text String, Bytes UInt64,
			Doubled UInt64 ALIAS Bytes * 2, List Array(String)`
		w("CREATE TABLE flows " + columns + `, INDEX i Bytes TYPE minmax, INDEX s Text TYPE bloom_filter,
			PROJECTION sums (SELECT Label, sum(Bytes), count() GROUP BY Label), PROJECTION sorted (SELECT * ORDER BY Bytes))
			ENGINE = MergeTree PARTITION BY toStartOfHour(Time) PRIMARY KEY Time ORDER BY (Time, Exporter, Text) SETTINGS index_granularity = 4`)
		w("CREATE TABLE counters " + columns + ") ENGINE = MergeTree ORDER BY Time")
		w("CREATE TABLE events " + columns + ") ENGINE = ReplacingMergeTree(Time) ORDER BY (Tenant, Text)")
		w("CREATE TABLE rollup (Tenant LowCardinality(String), Time DateTime, Bytes UInt64, Rows UInt64) ENGINE = SummingMergeTree((Bytes, Rows)) ORDER BY (Time, Tenant)")
		w("CREATE TABLE states (Tenant LowCardinality(String), Time DateTime, Labels AggregateFunction(uniqExact, String), Top AggregateFunction(max, String)) ENGINE = AggregatingMergeTree ORDER BY (Tenant, Time)")
		w("CREATE TABLE unlisted " + columns + ") ENGINE = MergeTree ORDER BY Time")
		w("CREATE TABLE memory (Text String, Bytes UInt64) ENGINE = Memory")
		w("CREATE TABLE joined (Text String, Bytes UInt64) ENGINE = Join(ANY, LEFT, Text)")
		w("CREATE TABLE named (Text String) ENGINE = Set")
		w("CREATE TABLE merged AS flows ENGINE = Merge(currentDatabase(), '^flows$')")
		w("CREATE TABLE buffered AS unlisted ENGINE = Buffer(currentDatabase(), unlisted, 1, 1000, 1000, 100000, 1000000, 10000000, 100000000)")
		w("CREATE VIEW seen AS SELECT * FROM flows")
		w("CREATE VIEW given AS SELECT Text FROM flows WHERE Bytes >= {least:UInt64}")
		w("CREATE MATERIALIZED VIEW kept ENGINE = MergeTree ORDER BY Text AS SELECT Text, Bytes FROM flows")
		w("CREATE DICTIONARY texts (Bytes UInt64, Text String) PRIMARY KEY Bytes SOURCE(CLICKHOUSE(DB '" + db + "' TABLE 'flows')) LAYOUT(HASHED()) LIFETIME(0)")
		rows := func(tenant string, from, to int) string {
			if tenant == "a" {
				return fmt.Sprintf("SELECT 'a' AS Tenant, toDateTime(1800000000 + number * 600, 'UTC') AS Time, toIPv6('2001:db8:a::' || toString(number %% 5)) AS Exporter, toString(number %% 7) AS Label, toString(number) AS Text, number AS Bytes, [Text] AS List FROM numbers(%d, %d)", from, to-from)
			}
			return fmt.Sprintf("SELECT 'b' AS Tenant, toDateTime(1800000000 + number * 600, 'UTC') AS Time, toIPv6('2001:db8:bad::' || toString(number %% 5)) AS Exporter, 'secret' || toString(number %% 7) AS Label, 'secret text ' || toString(number) AS Text, 987654000 + number AS Bytes, [Text] AS List FROM numbers(%d, %d)", from, to-from)
		}
		fill := func(rows string) {
			const names = " (Tenant, Time, Exporter, Label, Text, Bytes, List) "
			for _, table := range []string{"flows", "counters", "events", "unlisted"} {
				w("INSERT INTO " + table + names + rows)
			}
			w("INSERT INTO rollup SELECT Tenant, Time, Bytes, 1 FROM (" + rows + ")")
			w("INSERT INTO states SELECT Tenant, toStartOfHour(Time), uniqExactState(toString(Label)), maxState(Text) FROM (" + rows + ") GROUP BY ALL")
			w("INSERT INTO memory SELECT Text, Bytes FROM (" + rows + ")")
			w("INSERT INTO joined SELECT Text, Bytes FROM (" + rows + ")")
			w("INSERT INTO named SELECT Text FROM (" + rows + ")")
		}
		if db == x.both {
			fill(rows("a", 0, 18) + " UNION ALL " + rows("b", 5, 30))
			fill(rows("a", 18, 40))
			fill(rows("b", 30, 60))
		} else {
			fill(rows("a", 0, 18))
			fill(rows("a", 18, 40))
		}
	}
	x.filters = `{'flows':'Tenant = \'a\'','events':'Tenant = \'a\'','rollup':'Tenant = \'a\'','states':'Tenant = \'a\''}`
	return x
}

// ask runs a statement as tenant a in a database, which DB in its text is.
func (x *tenants) ask(db, sql string, pairs ...string) answer {
	pairs = append([]string{"database", db, filtersSetting, x.filters, scopedHeader + ":", "1"}, pairs...)
	return x.p.do("POST", strings.ReplaceAll(sql, "DB", db), pairs...)
}

// compare runs a statement in both databases. The answers must be the same, and none has a
// mark of tenant b.
func (x *tenants) compare(t testing.TB, sql string, pairs ...string) (got answer) {
	t.Helper()
	told := func(a answer, db string) string {
		lines := strings.SplitAfter(strings.ReplaceAll(a.body, db, "DB"), "\n")
		slices.Sort(lines)
		return fmt.Sprint(a.status, " ", strings.Join(lines, ""))
	}
	got = x.ask(x.both, sql, pairs...)
	alone := x.ask(x.alone, sql, pairs...)
	if a, b := told(got, x.both), told(alone, x.alone); a != b {
		t.Errorf("%s %q:\n%.500s\nand without the other tenant:\n%.500s", sql, pairs, a, b)
	}
	for _, mark := range marks {
		if strings.Contains(got.body, mark) && !strings.Contains(sql, mark) || strings.Contains(fmt.Sprint(got.header), mark) {
			t.Errorf("%s %q tells of the other tenant: %.500s", sql, pairs, got.body)
		}
	}
	return got
}

// The tables of which tenant a sees rows, and those of which it sees none.
var (
	openTables   = []string{"flows", "events", "rollup", "states"}
	closedTables = []string{"counters", "unlisted", "memory", "joined", "merged", "buffered", "seen", "kept", "given(least = 0)"}
)

// TestTwoTenants: whatever tenant a asks, of every table in every way, the answer is what
// it would be without the rows of tenant b, and nothing in it is b's.
func TestTwoTenants(t *testing.T) {
	x := newTenants(t)
	t.Run("tables", x.tables)
	t.Run("refused", x.refusals)
	t.Run("settings", x.settings)
	t.Run("remembered", x.remembered)
	t.Run("random", x.random)
}

func (x *tenants) rows(t *testing.T, sql string) {
	t.Helper()
	if got := x.compare(t, sql, "param_p", "secret"); got.status != 200 || strings.TrimSpace(got.body) == "" || got.body == "0\n" {
		t.Errorf("%s has no rows: %d %.300s", sql, got.status, got.body)
	}
}

func (x *tenants) none(t *testing.T, sql string) {
	t.Helper()
	if got := x.compare(t, sql); got.status != 200 || got.body != "" && got.body != "0\n" {
		t.Errorf("%s has rows: %d %.300s", sql, got.status, got.body)
	}
}

func (x *tenants) refused(t *testing.T, sql string, pairs ...string) {
	t.Helper()
	if got := x.compare(t, sql, pairs...); got.status != 403 {
		t.Errorf("%s is not refused: %d %.300s", sql, got.status, got.body)
	}
}

// tables asks for rows in each way that names a table.
func (x *tenants) tables(t *testing.T) {
	rows := func(sql string) { t.Helper(); x.rows(t, sql) }
	none := func(sql string) { t.Helper(); x.none(t, sql) }
	// The statements could tell: without a scope the databases differ, and have marks.
	for _, table := range openTables {
		sql := "SELECT * FROM DB." + table
		both, alone := x.p.must(strings.ReplaceAll(sql, "DB", x.both)), x.p.must(strings.ReplaceAll(sql, "DB", x.alone))
		if both == alone || table != "rollup" && !strings.Contains(both, marks[0]) {
			t.Errorf("%s: the test shows nothing: %.200s", table, both)
		}
	}

	for _, table := range openTables {
		rows("SELECT * FROM " + table)
		rows("SELECT count(), min(Time), max(Time) FROM DB." + table)
		rows("SELECT count() FROM `" + table + "` AS counters")
		rows(`SELECT count() FROM "DB"."` + table + `" AS flows`)
		if table != "flows" {
			rows("SELECT count() FROM " + table + " FINAL")
		}
		rows("SELECT count() FROM view(SELECT * FROM " + table + ")")
		rows("DESCRIBE TABLE " + table)
	}
	for _, table := range closedTables {
		none("SELECT * FROM " + table)
		none("SELECT count() FROM " + table + " AS flows")
		none("WITH x AS (SELECT * FROM " + table + ") SELECT count() FROM x AS events")
	}
	for _, sql := range []string{
		// Counts, least and greatest values, from parts, projections and indices.
		"SELECT count() FROM flows", "SELECT count(), min(Bytes), max(Bytes), uniq(Label), uniqExact(Text), sum(Doubled) FROM flows", "SELECT min(Time), max(Time) FROM flows",
		"SELECT max(Text), min(Text), any(Tenant), argMax(Text, Bytes) FROM flows", "SELECT Label, sum(Bytes), count() FROM flows GROUP BY Label",
		"SELECT * FROM flows ORDER BY Bytes DESC LIMIT 5", "SELECT * FROM flows ORDER BY Time DESC, Text LIMIT 5", "SELECT count() FROM flows WHERE Time > now() - 1000000",
		"SELECT toStartOfHour(Time) AS hour, count() FROM flows GROUP BY hour ORDER BY hour", "SELECT DISTINCT Tenant, Label FROM flows ORDER BY ALL", "SELECT topK(3)(Tenant) FROM flows",
		"SELECT uniqExactMerge(Labels), maxMerge(Top) FROM states", "SELECT finalizeAggregation(Top) FROM states ORDER BY ALL", "SELECT sum(Bytes), sum(Rows) FROM rollup",
		// The same tables several times, in each place that takes a table.
		"SELECT count() FROM flows AS a JOIN flows AS b ON a.Time = b.Time", "SELECT count() FROM flows AS a ANY LEFT JOIN events AS b USING Time", "SELECT count() FROM flows AS a, events AS b",
		"SELECT count() FROM flows AS a FULL JOIN events AS b ON a.Bytes = b.Bytes", "SELECT count() FROM flows AS a ASOF JOIN events AS b ON a.Tenant = b.Tenant AND a.Time >= b.Time", "SELECT count() FROM flows AS a ANTI JOIN unlisted AS b USING Text",
		"SELECT count() FROM flows CROSS JOIN states", "SELECT count() FROM (SELECT * FROM flows) AS unlisted PASTE JOIN (SELECT * FROM events) AS e", "SELECT count() FROM flows ARRAY JOIN List",
		"WITH x AS (SELECT * FROM flows) SELECT count() FROM x, x AS y", "WITH events AS (SELECT max(Bytes) AS m FROM flows) SELECT m FROM events", "WITH (SELECT max(Text) FROM flows) AS m SELECT m",
		"WITH RECURSIVE c AS (SELECT toUInt64(1) AS n UNION ALL SELECT n + 1 FROM c WHERE n < (SELECT count() FROM flows)) SELECT max(n) FROM c",
		"SELECT count() FROM flows UNION ALL SELECT count() FROM events", "SELECT Text FROM flows INTERSECT SELECT Text FROM events ORDER BY 1", "SELECT Text FROM events EXCEPT SELECT toString(Bytes * 2) FROM rollup ORDER BY 1",
		"SELECT count() FROM flows WHERE Text IN (SELECT Text FROM events)", "SELECT count() FROM flows WHERE (Text, Bytes) GLOBAL IN (SELECT Text, Bytes FROM flows)", "SELECT count() FROM numbers(1000000) WHERE number IN (SELECT Bytes FROM flows)",
		"SELECT count() FROM flows AS a WHERE EXISTS (SELECT 1 FROM events AS b WHERE b.Time = a.Time)", "SELECT count() FROM flows AS a WHERE Bytes = (SELECT max(Bytes) FROM events AS b WHERE b.Label = a.Label)",
		"SELECT (SELECT count() FROM flows) + (SELECT count() FROM events)", "SELECT count() FROM numbers(assumeNotNull((SELECT count() FROM flows)))", "SELECT * FROM values('n UInt64', (SELECT count() FROM flows))", "SELECT number FROM numbers(100) LIMIT (SELECT count() FROM flows)",
		"FROM flows SELECT count()", "SELECT COLUMNS('Te.t|By') FROM flows ORDER BY ALL", "SELECT * EXCEPT (Time) REPLACE (Bytes + 1 AS Bytes) APPLY toString FROM flows ORDER BY ALL", "SELECT count() FROM (SELECT * FROM (SELECT * FROM flows) AS flows) AS flows",
		"SELECT max(Bytes) OVER (PARTITION BY Label ORDER BY Time ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING) AS m FROM flows ORDER BY ALL", "SELECT Text FROM flows QUALIFY row_number() OVER (ORDER BY Bytes DESC) < 4 ORDER BY ALL", "SELECT Label, count() FROM flows GROUP BY Label WITH TOTALS ORDER BY ALL FORMAT JSONCompact SETTINGS extremes = 1",
		"SELECT Label, Tenant, count() FROM flows GROUP BY CUBE(Label, Tenant) ORDER BY ALL", "SELECT Label FROM flows LIMIT 1 BY Label",
		// Rows of the other tenant are not evaluated: an error would tell of them.
		"SELECT count() FROM flows WHERE toUInt64(Text) < 7", "SELECT sum(toUInt64(Label)) FROM flows", "SELECT count() FROM flows WHERE throwIf(Label LIKE 'secret%') = 0", "SELECT count() FROM flows WHERE throwIf(Bytes > 900000, 'there is more') = 0 AND Time > 0",
		"SELECT count() FROM flows AS a JOIN events AS b USING Time WHERE toUInt64(b.Text) > 2 AND toUInt64(a.Text) > 2", "SELECT count() FROM flows AS a JOIN events AS b ON a.Time = b.Time AND toUInt64(b.Text) > 2", "SELECT count() FROM flows AS a LEFT JOIN events AS b ON toUInt64(a.Text) = toUInt64(b.Text)",
		"SELECT count() FROM (SELECT * FROM flows WHERE toUInt64(Text) >= 0 ORDER BY toUInt64(Text)) WHERE toUInt64(Label) < 7", "SELECT count() FROM (SELECT * FROM flows UNION ALL SELECT * FROM events) WHERE toUInt64(Text) < 7", "SELECT toUInt64(Text) AS n FROM flows ORDER BY n LIMIT 2",
		"SELECT count() FROM flows WHERE toDecimal32(Bytes, 6) < 7", "SELECT count() FROM flows WHERE intDiv(1, toUInt8(Bytes < 900000)) = 1", "SELECT CAST(Tenant, 'Enum8(\\'a\\' = 1)') AS t, count() FROM flows GROUP BY t", "SELECT count() FROM flows GROUP BY toUInt64(Text) % 2 ORDER BY ALL",
		"SELECT count() FROM events WHERE NOT ignore(CAST(Label, 'FixedString(1)'), Label::UInt8, throwIf(length(Label) > 1), intDiv(1, toInt8(length(Label)) - 7))", "SELECT count() FROM events WHERE match(Label, '^[0-9]') AND Label NOT LIKE 'x%' AND NOT match(Text, {p:String})",
		"SELECT count() FROM events WHERE toUInt64(Text) = 7 OR Tenant = 'b' AND toUInt64(Text) > 7", "SELECT sumIf(toUInt64(Text), Label = '1') FROM events",
	} {
		rows(sql)
	}
	for _, sql := range []string{
		"SELECT count() FROM flows WHERE Tenant = 'b'", "SELECT count() FROM flows WHERE Tenant != 'a' OR NOT Tenant = 'a'", "SELECT count() FROM flows WHERE Exporter = '2001:db8:bad::1'", "SELECT count() FROM flows WHERE Text LIKE '%secret%'", "SELECT * FROM flows WHERE Bytes > 900000 ORDER BY Bytes LIMIT 1",
		"SELECT count() FROM flows AS Tenant WHERE Tenant.Bytes > 900000", "WITH 'b' AS Tenant SELECT count() FROM flows WHERE Bytes > 900000", "SELECT 'a' AS Tenant, * EXCEPT Tenant FROM flows WHERE Bytes > 900000", "SELECT count() FROM flows WHERE 1 OR Tenant = 'b' HAVING count() > 40",
		"SELECT count() FROM flows WHERE Text IN (SELECT Text FROM unlisted)", "SELECT Text FROM unlisted UNION ALL SELECT Text FROM counters",
	} {
		none(sql)
	}
	// Whatever format shows it.
	for _, format := range strings.Fields("Arrow ArrowStream Avro BSONEachRow JSON JSONColumns MsgPack Native ORC Parquet Prometheus RowBinary SQLInsert TSVWithNamesAndTypes XML") {
		x.compare(t, "SELECT Label, Tenant, Text FROM flows ORDER BY Bytes LIMIT 6 FORMAT "+format)
	}
	for _, sql := range []string{"SELECT Label, Tenant FROM flows ORDER BY Bytes LIMIT 3 FORMAT JSON", "SELECT Label FROM flows ORDER BY Time LIMIT 3 FORMAT XML SETTINGS output_format_write_statistics = 1", "SELECT Label, Tenant FROM flows ORDER BY Bytes FORMAT Arrow SETTINGS output_format_arrow_low_cardinality_as_dictionary = 1"} {
		rows(sql)
	}

}

// refusals asks for what tells of other rows in spite of the conditions.
func (x *tenants) refusals(t *testing.T) {
	for _, table := range openTables {
		x.refused(t, "SELECT count() FROM merge('^"+table+"$')")
		x.refused(t, "SELECT * FROM mergeTreeIndex(DB, "+table+")")
		x.refused(t, "EXPLAIN ESTIMATE SELECT count() FROM "+table)
	}
	// Names of no table, and an alias that takes the condition of another one.
	x.refused(t, "SELECT count() FROM flows AS `DB.unlisted`")
	x.refused(t, "SELECT count() FROM flows AS \"DB.events\"")
	x.refused(t, "SELECT count() FROM {t:Identifier}", "param_t", "flows")
	x.refused(t, "SELECT count() FROM {d:Identifier}.flows", "param_d", x.both)

	for _, sql := range []string{
		"SELECT count() FROM mergeTreeProjection(DB, flows, sums)", "SELECT * FROM dictionary('DB.texts')", "SELECT dictGet('DB.texts', 'Text', 987654005)", "SELECT joinGet('DB.joined', 'Bytes', 'secret text 6')", "SELECT 'secret text 6' IN (named)", "SELECT count() FROM flows WHERE Text IN named", "SELECT 'x' IN DB.named", "SELECT 1 IN (((flows)))",
		"SELECT count() FROM flows PREWHERE toUInt64(Text) < 7", "SELECT count() FROM (SELECT * FROM flows PREWHERE 1)", "SELECT lowCardinalityKeys(Label) FROM flows", "SELECT lowCardinalityIndices(Label) FROM flows", "SELECT dumpColumnStructure(Label) FROM flows", "SELECT match('x', Label) FROM flows", "SELECT 'x' REGEXP Label FROM flows", "SELECT 'x' NOT LIKE Label FROM flows", "SELECT match(Label, 'x' || Label) FROM flows",
		"SELECT toFixedString(Label, 1) FROM flows", "SELECT base58Decode(Label) FROM flows", "SELECT repeat('x', length(Label) * 1000000) FROM flows", "SELECT * APPLY lowCardinalityKeys FROM flows",
		"SELECT _part FROM flows", "SELECT flows._part_offset FROM flows", "SELECT max(`_part_starting_offset`) FROM flows", "SELECT _partition_id FROM flows", "SELECT rowNumberInAllBlocks() FROM flows", "SELECT blockNumber() FROM flows", "SELECT count() FROM flows WHERE indexHint(Bytes > 900000)",
		"EXPLAIN SELECT * FROM flows", "EXPLAIN indexes = 1 SELECT * FROM flows", "EXPLAIN PIPELINE SELECT * FROM flows", "SELECT * FROM (EXPLAIN ESTIMATE SELECT * FROM flows)", "SHOW TABLES", "SHOW TABLES WHERE total_rows > 40", "SHOW CREATE TABLE flows", "SHOW INDEX FROM flows", "SHOW SETTINGS LIKE 'max%'",
		"SELECT sum(rows) FROM system.parts", "SELECT total_rows FROM system.tables", "SELECT data_compressed_bytes FROM system.columns", "SELECT * FROM system.parts_columns", "SELECT * FROM system.events", "SELECT * FROM system.metrics", "SELECT * FROM system.merges", "SELECT query FROM system.processes", "SELECT * FROM system.disks", "SELECT * FROM system.data_skipping_indices", "SELECT * FROM system.projection_parts", "SELECT * FROM system.detached_parts",
		"SELECT table_rows FROM information_schema.tables", "SELECT 1 FROM INFORMATION_SCHEMA.TABLES", "SELECT 1 FROM `information_schema`.`columns`", "SELECT filesystemAvailable()",
		"SELECT 1 FORMAT JSONEachRowWithProgress", "SELECT * FROM loop(flows)", "SELECT * FROM cluster('default', DB.flows)", "SELECT * FROM remote('127.0.0.1', DB.flows)", "SELECT * FROM (SELECT * FROM flows SETTINGS additional_table_filters = {})",
		"SELECT * FROM flows SETTINGS additional_table_filters = '{}'", "INSERT INTO flows (Text) VALUES ('x')", "CREATE TEMPORARY TABLE t AS SELECT * FROM flows",
	} {
		got := x.compare(t, sql)
		if got.status == 200 {
			t.Errorf("%s is not refused: %.300s", sql, got.body)
		}
	}
}

// settings gives settings that work against the conditions.
func (x *tenants) settings(t *testing.T) {
	for _, pairs := range [][]string{
		{"enable_analyzer", "0"}, {"allow_experimental_analyzer", "0"}, {"max_rows_to_read", "41"}, {"max_rows_to_read", "41", "read_overflow_mode", "break"}, {"max_bytes_to_read", "500"}, {"use_query_cache", "1"}, {"send_progress_in_http_headers", "1"},
		{"wait_end_of_query", "1"}, {"default_format", "JSON"}, {"client_protocol_version", "54460", "default_format", "Native"}, {"extremes", "1"}, {"final", "1"}, {"prefer_column_name_to_alias", "1"}, {"enable_materialized_cte", "1"}, {"max_threads", "1"},
	} {
		for _, sql := range []string{
			"SELECT count(), max(a.Text) FROM flows AS a JOIN events AS b USING Time WHERE toUInt64(b.Text) >= 0", "WITH x AS MATERIALIZED (SELECT * FROM events) SELECT count() FROM x, x AS y", "SELECT 'a' AS Tenant, Text FROM events WHERE toUInt64(Text) > 30 ORDER BY Text"} {
			x.compare(t, sql, pairs...)
		}
	}
	if got := x.ask(x.both, "SELECT count() FROM flows", "enable_analyzer", "0"); !strings.Contains(got.header.Get("X-ClickHouse-Summary"), `"read_rows":"0"`) {
		t.Errorf("how many rows were read: %s", got.header.Get("X-ClickHouse-Summary"))
	}
}

// TestWhoGivesConditions: only the user page says which rows a statement sees, and only
// beside the statement.
func TestWhoGivesConditions(t *testing.T) {
	const filters = "{'readers_rows':'a = 1'}"
	w, r, p := writer(t), reader(t), page(t)
	w.must("CREATE OR REPLACE TABLE readers_rows (a UInt8) ENGINE = MergeTree ORDER BY a")
	w.must("INSERT INTO readers_rows VALUES (1), (2)")
	for what, got := range map[string]answer{
		"reader, setting":             r.do("POST", "SELECT 1", filtersSetting, filters),
		"reader, GET":                 r.do("GET", "", "query", "SELECT 1", filtersSetting, filters),
		"reader, header":              r.do("POST", "SELECT 1", scopedHeader+":", "1"),
		"reader, both":                r.do("POST", "SELECT 1", scopedHeader+":", "1", filtersSetting, filters),
		"reader, statement":           r.do("POST", "SELECT 1 SETTINGS additional_table_filters = '{}'"),
		"reader, map in a statement":  r.do("POST", "SELECT 1 SETTINGS additional_table_filters = {'readers_rows':'1'}"),
		"writer, header":              w.do("POST", "SELECT 1", scopedHeader+":", "1"),
		"writer, empty header":        w.do("POST", "SELECT 1", scopedHeader+":", ""),
		"page, statement":             p.do("POST", "SELECT 1 SETTINGS additional_table_filters = '{}'"),
		"page, statement of a scope":  p.do("POST", "SELECT 1 SETTINGS additional_table_filters = '{}'", scopedHeader+":", "1", filtersSetting, filters),
		"page, subquery with setting": p.do("POST", "SELECT * FROM (SELECT * FROM readers_rows SETTINGS additional_table_filters = '{}')", filtersSetting, filters),
		"page, another filter":        p.do("POST", "SELECT 1", "additional_result_filter", "1", scopedHeader+":", "1"),
	} {
		if got.status != 403 {
			t.Errorf("%s: %d %s", what, got.status, got.body)
		}
	}
	for want, got := range map[string]answer{
		"2": p.do("POST", "SELECT count() FROM readers_rows"),
		"1": p.do("POST", "SELECT count() FROM readers_rows", filtersSetting, filters),
		"0": p.do("POST", "SELECT count() FROM readers_rows", scopedHeader+":", "1"),
	} {
		if got.status != 200 || got.body != want+"\n" {
			t.Errorf("want %s: %d %s", want, got.status, got.body)
		}
	}
	for _, header := range []string{"", "0", "false", "1"} { // whatever it says
		if got := p.do("POST", "SELECT count() FROM readers_rows", scopedHeader+":", header); got.body != "0\n" {
			t.Errorf("header %q: %d %s", header, got.status, got.body)
		}
	}
}

// TestConditions: a condition is one plain expression of what readers may use.
func TestConditions(t *testing.T) {
	w, p := writer(t), page(t)
	w.must("CREATE OR REPLACE TABLE readers_conditions (a UInt8, s String) ENGINE = MergeTree ORDER BY a")
	w.must("INSERT INTO readers_conditions VALUES (1, 'it''s'), (2, 'b\\\\')")
	value := func(condition string) string {
		return "{" + quoteString("readers_conditions") + ":" + quoteString(condition) + "}"
	}
	for condition, want := range map[string]string{
		"1": "2", "0": "0", "a = 1": "1", "a = 1 OR a = 2": "2", "_part NOT IN ('all_1_1_0')": "0", "(a = 1) AND _part NOT IN ('all_9_9_0', 'x')": "1",
		"a IN (1, 2) AND s != ''": "2", "s = 'it\\'s'": "1", "s = 'b\\\\'": "1", "s IN ('SELECT', 'a FROM b')": "0", "a IN (1) -- AND a = 3": "1", "arrayExists(x -> x = a, [1, 7])": "1",
		"a BETWEEN 1 AND 1": "1", "(a, s) IN ((1, 'it\\'s'))": "1", "a IN tuple(1, 2)": "2", "CAST(a, 'UInt16') = 2": "1", "s LIKE '%;%'": "0", "a = 1 /* ' */": "1",
	} {
		for _, scoped := range []string{scopedHeader + ":", "X-Nothing:"} {
			if got := p.do("POST", "SELECT count() FROM readers_conditions", filtersSetting, value(condition), scoped, "1"); got.status != 200 || got.body != want+"\n" {
				t.Errorf("%s: %d %s, want %s", condition, got.status, got.body, want)
			}
		}
	}
	long := strings.Repeat("1 AND ", maxCondition/5) + "1"
	for _, bad := range []string{
		value(""), value("a ="), value("a, 1"), value("1 FROM system.one"), value("a IN (SELECT 1)"), value("(SELECT 1)"), value("a IN readers_conditions"), value("a IN (readers_conditions)"), value("exists(SELECT 1)"),
		value("1; SELECT 1"), value("1 UNION ALL SELECT 1"), value("1 SETTINGS readonly = 0"), value("1 FORMAT CSV"), value("1 INTO OUTFILE '/tmp/x'"), value("1 AS x"), value("{p:UInt8}"), value("* "), value("DISTINCT 1"), value("1 LIMIT 1"),
		value("file('/etc/passwd') != ''"), value("a IN (SELECT a FROM url('http://x'))"), value("_part NOT IN ('a') OR file('x') != ''"), value(long), value("'"), value("1)"), value("(1"), value("1 -- \n, 2"), value("1 WHERE 1"),
		"", "{}", "{'readers_conditions'}", "{'readers_conditions':}", "{'readers_conditions':1}", "{'readers_conditions':'1'", "{'readers_conditions':'1'},", "{'readers_conditions':'1'}}", "{'readers_conditions':'1','readers_conditions':'0'}",
		"{'a.b.c':'1'}", "{'a b':'1'}", "{'':'1'}", "{'.a':'1'}", "{'a\\'b':'1'}", "{readers_conditions:'1'}", "{'readers_conditions':\"1\"}", "{'readers_conditions':'\\x31'}", "{'readers_conditions':$$1$$}", "{'readers_conditions':'1'} -- x\n, readonly = 0",
		"map('readers_conditions', '1')", "x{'readers_conditions':'1'}", "{'readers_conditions':'1'}, readonly = 0",
	} {
		for _, scoped := range []string{scopedHeader + ":", "X-Nothing:"} {
			if got := p.do("POST", "SELECT count() FROM readers_conditions", filtersSetting, bad, scoped, "1"); got.status == 200 {
				t.Errorf("%.200s is taken: %s", bad, got.body)
			}
		}
	}
}

// remembered: what a scoped statement finds out about the granules of a table is not taken
// for true by one without a scope, and neither the other way.
func (x *tenants) remembered(t *testing.T) {
	const sql = "SELECT count() FROM flows WHERE Label LIKE '%1%'"
	all := x.w.must(sql, "database", x.alone)
	for range 3 {
		if got := x.ask(x.both, sql); got.body != all+"\n" {
			t.Errorf("scoped: %s, want %s", got.body, all)
		}
		for _, other := range []string{"", "{'flows':'_part NOT IN (\\'x\\')'}"} {
			pairs := []string{"database", x.both}
			if other != "" {
				pairs = append(pairs, filtersSetting, other)
			}
			if got := x.p.must(sql, pairs...); got == all || got == "0" {
				t.Errorf("without a scope: %s", got)
			}
		}
		if got := x.p.must(sql, "database", x.both, filtersSetting, `{'flows':'Tenant = \'b\''}`); got == "0" {
			t.Error("the other tenant sees nothing")
		}
	}
}

// TestScopedNames: what scoped requests are refused is something that the engine has.
func TestScopedNames(t *testing.T) {
	functions := readerFunctions()
	for name := range scopedNames {
		if _, known := functions[name]; !known && name[0] != '_' {
			t.Errorf("the engine has no function %s", name)
		}
	}
	for name := range scopedCalls {
		if !harmlessTableFunctions[name] {
			t.Errorf("%s is not open to readers", name)
		}
	}
	for name := range scopedTables {
		if !readerTables[name] {
			t.Errorf("system.%s is not open to readers", name)
		}
	}
	for name := range formatsWithCounts {
		if !readerFormats[name] {
			t.Errorf("the format %s is not open to readers", name)
		}
	}
}

var everyFunction = flag.Bool("every-function", false, "TestEveryFunction tries all functions, and not some")

// TestEveryFunction: no function that a scoped request may call fails for a value of a
// LowCardinality column that only rows have which its condition leaves out, nor shows it.
// Run it with -every-function when the engine is new; add what it finds to scopedNames.
func TestEveryFunction(t *testing.T) {
	w := writer(t)
	for _, db := range []string{"functions_both", "functions_alone"} {
		w.must("DROP DATABASE IF EXISTS " + db)
		w.must("CREATE DATABASE " + db)
		defer w.must("DROP DATABASE " + db)
		w.must("CREATE TABLE " + db + ".t (Tenant String, Label LowCardinality(String)) ENGINE = MergeTree ORDER BY tuple()")
		rows := "('a','1'),('a','2'),('a','3')" + strings.Repeat(",('a','1'),('a','2'),('a','3')", 10)
		if db == "functions_both" {
			rows += `,('b','secret text of more than seventy bytes, which is no number and no address at all'),('b','{"a": ['),('b','((('),('b','xx1-*%'),('b','9999999999999999999999999'),('b','x\\')`
		}
		w.must("INSERT INTO " + db + ".t VALUES " + rows)
	}
	allowed := readerFunctions()
	names := strings.Fields(w.must("SELECT DISTINCT name FROM system.functions WHERE NOT is_aggregate ORDER BY name"))
	rand.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	if !*everyFunction {
		names = names[:20]
	}
	for _, name := range names {
		lower := strings.ToLower(name)
		if !allowed[lower] || scopedNames[lower] || scopedPatterns[lower] || strings.HasPrefix(lower, "sleep") {
			continue
		}
		for _, args := range []string{"(Label)", "(Label, 1)", "('x', Label)", "(Label, 'x')", "('x', length(Label) * 1000000)", "(1, length(Label) - 79)",
			"(length(Label) * 1000000000000)", "(Label, 'x', 'y')", "(Label, 1, 1)", "(100, Label)", "(1, 1, length(Label) * 1000000)"} {
			ask := func(db string) answer {
				return w.do("POST", "SELECT "+name+args+" FROM t", "database", db, filtersSetting, `{'t':'Tenant = \'a\''}`, "optimize_move_to_prewhere", "0", "query_plan_merge_filters", "0", "max_execution_time", "5")
			}
			got := ask("functions_both")
			shown := strings.Contains(got.body, "secret")
			if !shown && (got.status == 200 || ask("functions_alone").status != 200) {
				continue
			}
			t.Errorf("%s%s tells of other rows: %d %.300s", name, args, got.status, got.body)
		}
	}
}
