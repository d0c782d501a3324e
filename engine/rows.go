package engine

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"netmeta/engine/libchdb"
)

// This file decides which rows of the tables a statement of the web UI's user may see.
//
// That user sends the setting additional_table_filters with a request: a condition for each table, which the
// engine adds wherever a statement reads the table. With it NetMeta leaves out unreadable parts. With the
// header X-NetMeta-Scoped the conditions are the scope of a caller who may only see some rows. Then
//
//   - a table without a condition has no rows at all,
//   - what would show other rows, or reveal anything about them, despite the condition is rejected
//     (scopedCalls, scopedNames, scopedTables),
//   - settings are off that compute a result from more than the rows, such as counts of parts, or evaluate a
//     statement's own expressions before the condition (scopedSettings).
//
// The statements' own SETTINGS, and the other users, may set neither. doc/decisions/0022-two-walls.md lists
// what was tried.

// scopedHeader marks a request whose additional_table_filters are a scope.
const scopedHeader = "X-NetMeta-Scoped"

const filtersSetting = "additional_table_filters"

// Limits of the conditions of a request.
const (
	maxConditions = 256      // tables
	maxCondition  = 32 << 10 // bytes of one
	closed        = "0"      // the condition of a table without rows
)

// scopedVerbs are the statements of a scoped request. EXPLAIN and SHOW reveal parts and sizes, to which no
// condition applies.
var scopedVerbs = set("SELECT WITH FROM ( DESCRIBE DESC EXISTS USE")

// scopedCalls are the table functions that a scoped request may not use, besides those forbidden to all
// readers: the condition of a table does not apply to the first three, and a dictionary has rows of any
// table.
var scopedCalls = set("merge mergetreeindex mergetreeprojection dictionary")

// scopedNames are the functions and columns that a scoped request may not use: dictionaries, tables of the
// engine Join, the dictionary of a LowCardinality column, which has the values of other rows; functions that
// the engine evaluates over all of that dictionary and that fail for some values (TestEveryFunction); numbers
// of rows and blocks, which count other rows; functions that skip by the index alone, and disk space.
var scopedNames = set(`
	dictget dictgetall dictgetchildren dictgetdate dictgetdateordefault dictgetdatetime dictgetdatetimeordefault dictgetdescendants
	dictgetfloat32 dictgetfloat32ordefault dictgetfloat64 dictgetfloat64ordefault dictgethierarchy dictgetint16 dictgetint16ordefault
	dictgetint32 dictgetint32ordefault dictgetint64 dictgetint64ordefault dictgetint8 dictgetint8ordefault dictgetipv4
	dictgetipv4ordefault dictgetipv6 dictgetipv6ordefault dictgetkeys dictgetordefault dictgetornull dictgetroot dictgetstring
	dictgetstringordefault dictgetuint16 dictgetuint16ordefault dictgetuint32 dictgetuint32ordefault dictgetuint64
	dictgetuint64ordefault dictgetuint8 dictgetuint8ordefault dictgetuuid dictgetuuidordefault dicthas dictisin
	joinget joingetornull lowcardinalityindices lowcardinalitykeys
	base58decode dumpcolumnstructure leftpad leftpadutf8 lpad repeat rightpad rightpadutf8 rpad space tofixedstring
	blocknumber blockserializedsize blocksize estimatecompressionratio indexhint neighbor rownumberinallblocks rownumberinblock
	runningaccumulate runningconcurrency runningdifference runningdifferencestartingwithfirstvalue
	filesystemavailable filesystemcapacity filesystemunreserved transactionlatestsnapshot transactionoldestsnapshot
	_block_number _block_offset _disk_name _part _part_data_version _part_granule_offset _part_index _part_offset
	_part_starting_offset _part_uuid _partition_id _partition_value _row_exists _sample_factor _distance`)

// scopedPatterns are functions whose last argument, a pattern, must be a literal or a parameter in a scoped
// request. Otherwise they are evaluated over the dictionary of a LowCardinality column, and an error quotes
// the pattern.
var scopedPatterns = set("ilike like match notilike notlike regexp_matches")

// scopedTables are the tables of the database system that a scoped request may read: the engine's features,
// and numbers.
var scopedTables = set(`
	aggregate_function_combinators collations data_type_families formats functions keywords licenses numbers numbers_mt one primes
	settings table_engines table_functions time_zones unicode zeros zeros_mt`)

// scopedSettings are the settings of a scoped statement, whatever it sets itself. Counts, minimum and maximum
// values come from rows and not from parts. Nothing cached from other rows is used, and nothing is cached.
// Conditions of the statement are evaluated after the scope's condition, never before it, because an error
// would reveal other rows. So would limits and counts of rows read.
var scopedSettings = []setting{
	{"enable_analyzer", "1"}, // the one that the tests of scopes have tried
	{"optimize_trivial_count_query", "0"},
	{"optimize_trivial_approximate_count_query", "0"},
	{"optimize_use_projections", "0"},
	{"optimize_use_implicit_projections", "0"},
	{"use_query_condition_cache", "0"},
	{"use_query_cache", "0"},
	{"optimize_move_to_prewhere", "0"},
	{"query_plan_merge_filters", "0"},
	{"max_rows_to_read", "0"},
	{"max_bytes_to_read", "0"},
	{"read_overflow_mode", "throw"},
	{"output_format_write_statistics", "0"},
	{"output_format_arrow_low_cardinality_as_dictionary", "0"}, // has the values of other rows
}

// rowFilter has the conditions of a request.
type rowFilter struct {
	conditions map[string]string // by table: name, or database.name
	scoped     bool
}

// takeFilter removes the conditions of a reading user from its settings.
func takeFilter(q *request, a *account) (f rowFilter, err error) {
	if q.scoped && !a.filters {
		return f, errorf(codeAccessDenied, "ACCESS_DENIED", "%s: Not enough privileges. The header %s is for the user %s", a.Name, scopedHeader, PageName)
	}
	f.scoped = q.scoped
	if !a.filters {
		return f, nil // readerSetting rejects the setting
	}
	i := slices.IndexFunc(q.settings, func(s setting) bool { return s.name == filtersSetting })
	if i < 0 {
		return f, nil
	}
	f.conditions, err = parseConditions(q.settings[i].value)
	q.settings = slices.Delete(q.settings, i, i+1)
	return f, err
}

// parseConditions parses the value of additional_table_filters: {'table':'condition', …}.
func parseConditions(text string) (map[string]string, error) {
	bad := func(what string) error {
		return errorf(codeBadArguments, "BAD_ARGUMENTS", "%s: %s; give {'table':'condition', …}", filtersSetting, what)
	}
	if len(text) > maxConditions*maxCondition {
		return nil, bad("the value is too long")
	}
	lex := lexer{text: text}
	punct := func(want string) bool {
		t, ok := lex.next()
		return ok && t.text(text) == want
	}
	literal := func() (string, bool) {
		t, ok := lex.next()
		if !ok || t.kind != tokenString {
			return "", false
		}
		return unquoteString(t.text(text))
	}
	if !punct("{") {
		return nil, bad("it does not begin with {")
	}
	conditions := map[string]string{}
	for more := true; more; {
		table, ok := literal()
		if !ok || !punct(":") {
			return nil, bad("the name of a table is missing")
		}
		condition, ok := literal()
		if !ok {
			return nil, bad("a condition is missing")
		}
		database, name, dotted := strings.Cut(table, ".")
		if !isIdentifier(database) || dotted && !isIdentifier(name) {
			return nil, bad(fmt.Sprintf("%.100q is no name of a table", table))
		}
		if _, twice := conditions[table]; twice || len(conditions) == maxConditions {
			return nil, bad(fmt.Sprintf("%.100q is there twice, or there are more than %d tables", table, maxConditions))
		}
		if len(condition) > maxCondition {
			return nil, bad(fmt.Sprintf("the condition of %.100q has more than %d bytes", table, maxCondition))
		}
		conditions[table] = condition
		t, ok := lex.next()
		more = ok && t.text(text) == ","
		if !more && (!ok || t.text(text) != "}") {
			return nil, bad("it does not end with }")
		}
	}
	if _, more := lex.next(); more {
		return nil, bad("something follows the }")
	}
	return conditions, nil
}

// unquoteString returns the text of a literal in plain quotes whose only escapes are those
// of quotes and backslashes.
func unquoteString(literal string) (text string, ok bool) {
	if len(literal) < 2 || literal[0] != '\'' || literal[len(literal)-1] != '\'' {
		return "", false
	}
	literal = literal[1 : len(literal)-1]
	var b strings.Builder
	for i := 0; i < len(literal); i++ {
		if c := literal[i]; c == '\\' || c == '\'' {
			if i++; i == len(literal) || literal[i] != '\\' && literal[i] != '\'' || c == '\'' && literal[i] != '\'' {
				return "", false
			}
		}
		b.WriteByte(literal[i])
	}
	return b.String(), true
}

// rowSettings returns the settings that limit a statement to the rows of a filter. conn is a session without
// settings yet.
func (s *server) rowSettings(conn *libchdb.Conn, q *request, a *account, f rowFilter) ([]setting, error) {
	if len(f.conditions) == 0 && !f.scoped {
		return nil, nil
	}
	conditions := map[string]string{}
	if f.scoped {
		// The check of the statement rejects tables of the system by their names.
		result, err := conn.Query("SELECT database || '.' || name FROM system.tables WHERE lower(database) NOT IN ('system', 'information_schema')", "JSONCompactColumns", nil)
		if err != nil {
			return nil, err
		}
		var names [1][]string
		err = json.Unmarshal(result.Bytes(), &names)
		result.Close()
		if err != nil {
			return nil, fmt.Errorf("engine: list its tables: %w", err)
		}
		for _, name := range names[0] {
			conditions[name] = closed
		}
	}
	checked, err := s.checkConditions(conn, a, f.conditions)
	if err != nil {
		return nil, err
	}
	database := q.database
	if database == "" {
		database = "default"
	}
	for table, condition := range checked {
		// An alias could be the bare name of another table.
		if !strings.Contains(table, ".") {
			table = database + "." + table
		}
		conditions[table] = condition
	}
	var b strings.Builder
	for i, table := range slices.Sorted(maps.Keys(conditions)) {
		b.WriteByte("{,"[min(i, 1)])
		b.WriteString(quoteString(table) + ":" + quoteString(conditions[table]))
	}
	b.WriteByte('}')
	// The query condition cache may only have the rows that the filter has left.
	settings := []setting{{filtersSetting, b.String()}, {"use_query_condition_cache", "0"}}
	if f.scoped {
		settings = append(settings, scopedSettings...)
	}
	return settings, nil
}

// checkConditions returns the conditions as the engine's parser writes them. Each must be one expression
// without a subquery, and only use what readers may.
func (s *server) checkConditions(conn *libchdb.Conn, a *account, conditions map[string]string) (map[string]string, error) {
	written := map[string]string{closed: closed} // many tables have the same condition
	checked := make(map[string]string, len(conditions))
	for _, table := range slices.Sorted(maps.Keys(conditions)) {
		condition := conditions[table]
		text, known := written[condition]
		if !known {
			var err error
			if text, err = s.checkCondition(conn, a, condition); err != nil {
				e := engineError(err)
				return nil, &exception{e.code, strings.Replace(e.message, "DB::Exception: ", "DB::Exception: "+filtersSetting+" of "+table+": ", 1)}
			}
			written[condition] = text
		}
		checked[table] = text
	}
	return checked, nil
}

func (s *server) checkCondition(conn *libchdb.Conn, a *account, condition string) (text string, err error) {
	if err := measure(condition).check(a.most); err != nil {
		return "", err
	}
	bad := func(why string) error {
		return errorf(codeBadArguments, "BAD_ARGUMENTS", "the condition %s", why)
	}
	result, err := conn.Query("SELECT formatQuerySingleLine('SELECT ' || {condition:String})", "RawBLOB", []libchdb.Param{{Name: "condition", Value: escapeParam(condition)}})
	if err != nil {
		return "", bad("is no expression")
	}
	text = string(result.Bytes())
	result.Close()
	in := inspection{text: text, verb: "SELECT", forbidden: s.forbidden, account: a}
	if err := in.run(); err != nil {
		return "", err
	}
	depth := 0
	for i, t := range in.tokens[1:] { // without SELECT
		word := in.word(i + 1)
		depth += opens(word)
		switch {
		case t.kind == tokenWord && (clauses[word] || word == "AS" || word == "DISTINCT"), word == "," && depth == 0, word == "{", word == ";":
			return "", bad("is no plain expression, it has " + word)
		case t.kind == tokenWord && word == "IN" && !in.listFollows(i+1):
			return "", bad("has an IN without a list")
		}
	}
	return strings.TrimPrefix(text, "SELECT "), nil
}

// listFollows reports whether the word IN at i is followed by a list, a function or a
// subquery, and not by the name of a table, which brackets may surround.
func (in *inspection) listFollows(i int) bool {
	brackets := 0
	for i++; in.word(i) == "("; i++ {
		brackets++
	}
	word := in.word(i)
	return in.name(i) == "" || in.word(i+1) == "(" || brackets > 0 && (word == "SELECT" || word == "WITH")
}

// formatsWithCounts report the number of rows before a LIMIT.
var formatsWithCounts = set("json jsoncolumnswithmetadata jsoncompact jsoncompactstrings jsonstrings xml")

// scopedFormat checks the format of a scoped result, and returns the settings for its count of rows before a
// LIMIT, if it has one. The engine's own count is of the rows that it happened to read, and so are the
// figures of progress.
func scopedFormat(name string) ([]setting, error) {
	name = strings.ToLower(name)
	switch {
	case strings.HasSuffix(name, "withprogress"):
		return nil, errorf(codeUnknownFormat, "UNKNOWN_FORMAT", "Format %.100q tells how many rows were read, of which some are not for everybody; use it without progress", name)
	case formatsWithCounts[name]:
		return []setting{{"exact_rows_before_limit", "1"}}, nil
	}
	return nil, nil
}

// literalLast reports whether the last argument in the brackets at i is a literal or a parameter.
func (in *inspection) literalLast(i int) bool {
	depth := 0
	for ; i < len(in.tokens); i++ {
		if depth += opens(in.word(i)); depth == 0 {
			break
		}
	}
	last := i - 1
	if in.word(last) == "}" {
		for last > 0 && in.word(last) != "{" {
			last--
		}
	} else if _, ok := in.literal(last); !ok {
		return false
	}
	return in.word(last-1) == ","
}

// scopedRefusal returns why a scoped statement may not contain the name at i, "" if it may.
func (in *inspection) scopedRefusal(i int) string {
	word, name := in.word(i), in.name(i)
	call := in.word(i+1) == "("
	bare := in.tokens[i].kind == tokenWord
	switch {
	case scopedNames[name], call && scopedCalls[name]:
		return name + " tells of rows that are not its own"
	case call && scopedPatterns[name] && !in.literalLast(i+1):
		return name + " of a pattern that is no literal may tell of rows that are not its own"
	case bare && (word == "LIKE" || word == "ILIKE" || word == "REGEXP") && in.tokens[min(i+1, len(in.tokens)-1)].kind != tokenString && in.word(i+1) != "{":
		return word + " takes a literal"
	case bare && (word == "EXPLAIN" || word == "SHOW"):
		return word + " tells of parts and tables"
	case bare && word == "PREWHERE":
		return "PREWHERE comes before the condition for its rows; use WHERE"
	case bare && word == "IN" && !in.listFollows(i):
		return "IN takes a list or a subquery, and not the name of a table"
	case name == "information_schema", name == "system" && !(in.word(i+1) == "." && scopedTables[in.name(i+2)]):
		return "the database " + name + " is not open to it"
	case strings.Contains(name, "."):
		return "a name with a dot may be that of a table"
	}
	return ""
}
