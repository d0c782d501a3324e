package engine

import (
	_ "embed"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"netmeta/engine/libchdb"
)

// This file lists what the reading users may use of the engine: settings with their bounds, formats,
// functions, table functions and system tables. The lists are of names, never of prefixes, so that new ones
// of a new engine are rejected until somebody has reviewed them. TestDecided fails for a name without a
// decision.

// bound is a rule for the value of a setting.
type bound struct {
	want string // for an error: "use …"
	ok   func(value string) bool
}

var onOff = oneOf("0 1 true false")

// upTo allows plain decimal numbers from 0.
func upTo(most float64) bound { return between(0, most) }

func between(least, most float64) bound {
	return bound{fmt.Sprintf("%.0f to %.0f", least, most), func(value string) bool {
		n, ok := plainNumber(value)
		return ok && n >= least && n <= most
	}}
}

// plainNumber reads digits with an optional fraction: ParseFloat alone takes inf and
// hexadecimal numbers too.
func plainNumber(value string) (float64, bool) {
	if strings.Trim(value, "0123456789.") != "" {
		return 0, false
	}
	n, err := strconv.ParseFloat(value, 64)
	return n, err == nil
}

func oneOf(words string) bound {
	all := strings.Fields(words)
	return bound{strings.Join(all, ", "), func(value string) bool { return slices.Contains(all, strings.ToLower(value)) }}
}

// plainText allows a short name that cannot be a path or an expression.
var plainText = bound{"up to 64 letters, digits and _ + - /, not beginning with /", func(value string) bool {
	for i := range len(value) {
		c := value[i]
		if !isWordStart(c) && !isDigit(c) && c != '+' && c != '-' && (c != '/' || i == 0) {
			return false
		}
	}
	return len(value) <= 64
}}

// comment allows any line of text.
var comment = bound{"one line of up to 1024 bytes", func(value string) bool {
	return len(value) <= 1024 && utf8.ValidString(value) && !strings.ContainsFunc(value, unicode.IsControl)
}}

// anyNumber is the bound of numbers that only make a statement stop, or buffer.
const anyNumber = math.MaxInt64

// readerSettings are the settings that a reading user may send, in the URL or at the end of a statement. All
// of them change the form of a result or how it is computed, or make a statement stop earlier.
// limits.readerSetting bounds some of them further.
var readerSettings = settingsOf(
	group{upTo(anyNumber), `max_execution_time max_memory_usage max_rows_to_read max_bytes_to_read max_rows_to_group_by
		max_bytes_before_external_group_by max_bytes_before_external_sort max_result_rows max_result_bytes max_rows_to_sort max_bytes_to_sort
		max_rows_in_set max_bytes_in_set max_rows_in_join max_bytes_in_join limit offset priority`},
	group{upTo(64), `max_threads`},
	group{between(1, 1<<20), `max_block_size`},
	group{between(1, maxReaderStatement), `max_query_size`},
	group{between(1, maxReaderAST), `max_ast_elements`},
	group{between(1, maxReaderASTDepth), `max_ast_depth`},
	group{upTo(100_000), `max_columns_to_read`},
	group{oneOf("throw break"), `timeout_overflow_mode read_overflow_mode result_overflow_mode sort_overflow_mode`},
	group{oneOf("throw break any"), `group_by_overflow_mode`},
	group{oneOf("simple iso unix_timestamp"), `date_time_output_format`},
	group{oneOf("basic best_effort best_effort_us"), `date_time_input_format`},
	group{oneOf("random nearest_hostname hostname_levenshtein_distance in_order first_or_random round_robin"), `load_balancing`},
	group{plainText, `session_timezone`},
	group{comment, `log_comment`},
	group{oneOf("1 2"), `readonly`}, // both become 1
	group{onOff, `join_use_nulls extremes final use_query_cache use_uncompressed_cache optimize_read_in_order prefer_column_name_to_alias
		group_by_use_nulls any_join_distinct_right_table_keys joined_subquery_requires_alias enable_analyzer allow_experimental_analyzer
		enable_materialized_cte enable_http_compression send_progress_in_http_headers cancel_http_readonly_queries_on_client_close
		add_http_cors_header http_write_exception_in_output_format`},
	group{upTo(9), `http_zlib_compression_level`},
	group{oneOf("none lz4 lz4hc zstd"), `network_compression_method`},
	group{between(1, 15), `network_zstd_compression_level`},
	group{upTo(3600), `connect_timeout receive_timeout send_timeout http_send_timeout http_receive_timeout`},
	group{upTo(anyNumber), `http_headers_progress_interval_ms`},

	group{onOff, `output_format_always_write_decimal_point_in_float_and_decimal output_format_arrow_date_as_uint16
		output_format_arrow_fixed_string_as_fixed_byte_array output_format_arrow_low_cardinality_as_dictionary
		output_format_arrow_parallel_encoding output_format_arrow_string_as_string output_format_arrow_unsupported_types_as_binary
		output_format_arrow_use_64_bit_indexes_for_dictionary output_format_arrow_use_native_writer
		output_format_arrow_use_signed_indexes_for_dictionary output_format_arrow_uuid_as_fixed_byte_array output_format_arrow_variant_as_string
		output_format_binary_encode_types_in_binary_format output_format_binary_write_json_as_string output_format_bson_string_as_string
		output_format_csv_crlf_end_of_line output_format_csv_header_serialize_tuple_into_separate_columns
		output_format_csv_serialize_tuple_into_separate_columns output_format_decimal_trailing_zeros output_format_enable_streaming
		output_format_json_array_of_rows output_format_json_escape_forward_slashes output_format_json_map_as_array_of_tuples
		output_format_json_named_tuples_as_objects output_format_json_pretty_print output_format_json_quote_64bit_floats
		output_format_json_quote_64bit_integers output_format_json_quote_decimals output_format_json_quote_denormals
		output_format_json_skip_null_value_in_named_tuples output_format_json_validate_utf8 output_format_markdown_escape_special_characters
		output_format_native_encode_types_in_binary_format output_format_native_use_flattened_dynamic_and_json_serialization
		output_format_native_write_json_as_string output_format_orc_string_as_string output_format_parallel_formatting
		output_format_parquet_compliant_nested_types output_format_parquet_date_as_uint16 output_format_parquet_datetime_as_uint32
		output_format_parquet_enum_as_byte_array output_format_parquet_fixed_string_as_fixed_byte_array output_format_parquet_geometadata
		output_format_parquet_parallel_encoding output_format_parquet_string_as_string output_format_parquet_unsupported_types_as_binary
		output_format_parquet_use_custom_encoder output_format_parquet_write_bloom_filter output_format_parquet_write_checksums
		output_format_parquet_write_page_index output_format_pretty_fallback_to_vertical output_format_pretty_highlight_digit_groups
		output_format_pretty_highlight_trailing_spaces output_format_pretty_multiline_fields output_format_pretty_named_tuples_as_json
		output_format_pretty_row_numbers output_format_pretty_use_nbsp_for_padding output_format_sql_insert_include_column_names
		output_format_sql_insert_quote_names output_format_sql_insert_use_replace output_format_trim_fixed_string
		output_format_tsv_crlf_end_of_line output_format_values_escape_quote_with_quote output_format_write_statistics`},
	group{oneOf("0 1 true false auto"), `output_format_pretty_color output_format_pretty_glue_chunks`},
	group{upTo(1 << 30), `output_format_avro_rows_in_file output_format_avro_sync_interval output_format_orc_compression_block_size
		output_format_orc_dictionary_key_size_threshold output_format_orc_row_index_stride output_format_parquet_batch_size
		output_format_parquet_bloom_filter_flush_threshold_bytes output_format_parquet_data_page_size
		output_format_parquet_max_dictionary_size output_format_parquet_row_group_size output_format_parquet_row_group_size_bytes
		output_format_pretty_display_footer_column_names output_format_pretty_display_footer_column_names_min_rows
		output_format_pretty_fallback_to_vertical_max_rows_per_chunk output_format_pretty_fallback_to_vertical_min_columns
		output_format_pretty_fallback_to_vertical_min_table_width output_format_pretty_max_column_name_width_cut_to
		output_format_pretty_max_column_name_width_min_chars_to_cut output_format_pretty_max_column_pad_width output_format_pretty_max_rows
		output_format_pretty_max_value_width output_format_pretty_max_value_width_apply_for_single_value
		output_format_pretty_single_large_number_tip_threshold output_format_pretty_squash_consecutive_ms
		output_format_pretty_squash_max_wait_ms output_format_sql_insert_max_batch_size`},
	group{upTo(22), `output_format_compression_level output_format_float_precision output_format_parquet_bloom_filter_bits_per_value`},
	group{upTo(27), `output_format_compression_zstd_window_log`},
	group{oneOf("lz4_frame zstd none"), `output_format_arrow_compression_method`},
	group{oneOf("null deflate snappy zstd"), `output_format_avro_codec`},
	group{oneOf("bin str ext"), `output_format_msgpack_uuid_representation`},
	group{oneOf("lz4 snappy zlib zstd none"), `output_format_orc_compression_method`},
	group{oneOf("snappy lz4 brotli zstd gzip none"), `output_format_parquet_compression_method`},
	group{oneOf("1.0 2.4 2.6 2.latest"), `output_format_parquet_version`},
	group{oneOf("ascii utf-8"), `output_format_pretty_grid_charset`},
	group{plainText, `output_format_sql_insert_table_name output_format_orc_writer_time_zone_name`},
)

type group struct {
	bound bound
	names string
}

func settingsOf(groups ...group) map[string]bound {
	m := map[string]bound{}
	for _, g := range groups {
		for _, name := range strings.Fields(g.names) {
			m[name] = g.bound
		}
	}
	return m
}

// readerFormats are the formats, in lower case, in which a reading user may request a result: they need no
// schema, no template, no file and no other host.
var readerFormats = set(`
	arrow arrowstream avro bsoneachrow csv csvwithnames csvwithnamesandtypes customseparated customseparatedwithnames
	customseparatedwithnamesandtypes geojson hash json jsoncolumns jsoncolumnswithmetadata jsoncompact jsoncompactcolumns jsoncompacteachrow
	jsoncompacteachrowwithnames jsoncompacteachrowwithnamesandtypes jsoncompacteachrowwithprogress jsoncompactstrings jsoncompactstringseachrow
	jsoncompactstringseachrowwithnames jsoncompactstringseachrowwithnamesandtypes jsoncompactstringseachrowwithprogress jsoneachrow
	jsoneachrowwithprogress jsonl jsonlines jsonobjecteachrow jsonstrings jsonstringseachrow jsonstringseachrowwithprogress lineasstring
	lineasstringwithnames lineasstringwithnamesandtypes markdown md msgpack native ndjson npy null orc parquet pretty prettycompact
	prettycompactmonoblock prettycompactnoescapes prettycompactnoescapesmonoblock prettyjsoneachrow prettyjsonlines prettymonoblock
	prettyndjson prettynoescapes prettynoescapesmonoblock prettyspace prettyspacemonoblock prettyspacenoescapes
	prettyspacenoescapesmonoblock prometheus raw rawblob rawwithnames rawwithnamesandtypes rowbinary rowbinarywithnames
	rowbinarywithnamesandtypes sqlinsert tabseparated tabseparatedraw tabseparatedrawwithnames tabseparatedrawwithnamesandtypes
	tabseparatedwithnames tabseparatedwithnamesandtypes tskv tsv tsvraw tsvrawwithnames tsvrawwithnamesandtypes tsvwithnames
	tsvwithnamesandtypes values vertical xml`)

// harmlessTableFunctions are those that a reading user may call: they only use the store. All others of the
// engine are forbidden. The engine itself rejects format in a read-only session; it is listed because a plain
// function has the same name.
var harmlessTableFunctions = set(`
	dictionary format generaterandom generateseries generate_series merge mergetreeindex mergetreeprojection null numbers numbers_mt
	primes sqlstandardvalues values view zeros zeros_mt`)

// readerTables are the tables of the database system that a reading user may read. They describe the engine's
// features and the tables. The others show activities of other users (processes, errors, query_cache,
// mutations), locations of files (disks, server_settings, certificates) or the inside of the process
// (stack_trace, symbols).
var readerTables = set(`
	aggregate_function_combinators build_options codecs collations columns completions constraints contributors current_roles dashboards
	data_skipping_index_types data_skipping_indices data_type_families database_engines databases dictionary_layouts dictionary_sources
	documentation enabled_roles events formats functions keywords licenses merge_tree_settings merges metrics numbers numbers_mt one parts
	parts_columns primes projection_parts projection_parts_columns projections settings settings_changes table_engines table_functions
	tables time_zones tokenizers unicode zeros zeros_mt`)

// pageTables are those that the web UI reads besides, for its lists of running queries, of disks and of
// detached parts.
var pageTables = set(`processes disks detached_parts`)

// readerShows are the statements SHOW … that a reading user may use, by their second word.
var readerShows = set(`
	tables databases columns fields create index indexes indices keys functions engines dictionaries setting settings views`)

// functionList is the list of functions, with decisions; see the file.
//
//go:embed functions.txt
var functionList string

// readerFunctions returns the functions of the list that a reading user may call, by their name in lower
// case.
func readerFunctions() map[string]bool {
	m := map[string]bool{}
	for line := range strings.Lines(functionList) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, refused := strings.CutPrefix(line, "- ")
		m[name] = !refused
	}
	return m
}

// forbidden holds the names that a reader's statement may not use, in lower case.
type forbidden struct {
	names map[string]bool // functions, forbidden as a name: SELECT * APPLY file needs no bracket
	calls map[string]bool // table functions, forbidden before a bracket
}

// forbid asks the engine for its functions.
func forbid(conn *libchdb.Conn) (forbidden, error) {
	f := forbidden{names: map[string]bool{}, calls: map[string]bool{}}
	list := func(sql string) ([]string, error) {
		result, err := conn.Query(sql, "TabSeparated", nil)
		if err != nil {
			return nil, err
		}
		defer result.Close()
		return strings.Fields(string(result.Bytes())), nil
	}
	allowed := readerFunctions()
	for name, ok := range allowed {
		if !ok {
			f.names[name] = true
		}
	}
	// Functions that the writer has defined in SQL are its own decision.
	functions, err := list("SELECT DISTINCT lower(name) FROM system.functions WHERE origin != 'SQLUserDefined'")
	if err != nil {
		return f, err
	}
	for _, name := range functions {
		if !allowed[name] {
			f.names[name] = true
		}
	}
	tables, err := list("SELECT DISTINCT lower(name) FROM system.table_functions")
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
