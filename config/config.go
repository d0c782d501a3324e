// Package config is the one configuration file: its shape, its defaults and its
// checks. Every key is optional; without a file NetMeta runs on the defaults.
package config

import (
	"cmp"
	"encoding"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"net"
	"net/netip"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"netmeta/enrich"
	"netmeta/flow"
	"netmeta/internal/nearest"
	"netmeta/internal/secret"
	"netmeta/internal/wholefile"
	"netmeta/source/netflow"
	"netmeta/store"
	"netmeta/view"
)

// Config is the file. The tag reload:"live" marks what a running NetMeta takes over at
// once when the file is read again; the rest needs a restart. Keys that may hold a secret
// have a type of package secret, which does not show it.
type Config struct {
	// Directory for everything that is kept: the embedded store and its secrets.
	Data string `yaml:"data"`
	// Memory that the collector aims to stay below, in MiB, without the engine, which has
	// engine.memory-mib; 0 takes a fifth of what the machine or the control group has.
	MemoryMiB int           `yaml:"memory-mib" reload:"live"`
	HTTP      HTTP          `yaml:"http"`
	Sources   Sources       `yaml:"sources"`
	Enrich    enrich.Config `yaml:"enrich"`
	Store     Store         `yaml:"store"`
	Spool     Spool         `yaml:"spool"`
	Engine    Engine        `yaml:"engine"`
	Filter    Filter        `yaml:"filter"`
	// Views that everybody sees and nobody changes from the page: a list of objects with
	// name, slug (made of the name when left out), description, page (explore when left
	// out), query (the keys of its URL, as q=tcp&by=src.as), pinned, and for a board of
	// several views of, the list of their slugs.
	Views []view.View `yaml:"views" reload:"live"`
	Log   Log         `yaml:"log"`
	Debug Debug       `yaml:"debug"`
}

// HTTP is the page and the API.
type HTTP struct {
	// Address to serve the page and the API on. There are no logins yet: keep it on
	// a loopback address, or behind a proxy that asks for one.
	Listen string `yaml:"listen"`
	// Names under which the page is reached, when it is not by address or as localhost;
	// requests under other names are refused, those of Prometheus for /metrics included.
	Hosts []string `yaml:"hosts" reload:"live"`
}

// Sources is what comes in.
type Sources struct {
	UDP      UDP      `yaml:"udp"`
	NetFlow  NetFlow  `yaml:"netflow"`
	Sampling Sampling `yaml:"sampling"`
}

// UDP is flow records in datagrams. Any version of NetFlow, IPFIX and sFlow may
// come to any of the ports.
type UDP struct {
	// Addresses to listen on; an address without a host listens on IPv6 and IPv4.
	Listen []string `yaml:"listen" reload:"live"`
	// Sockets, and goroutines that read them, for each address; 1 to 64.
	Workers int `yaml:"workers"`
	// Receive buffer of each socket, in MiB; 1 to 1024. What the kernel gives is bounded
	// by net.core.rmem_max, unless NetMeta has CAP_NET_ADMIN.
	BufferMiB int `yaml:"buffer-mib"`
	// Deal the datagrams of one exporter out to all workers. Without it they all come to
	// the same worker, in order, which is enough for a million flows per second. With it
	// loss, order and restarts by sequence numbers are not to be trusted.
	Spread bool  `yaml:"spread"`
	Limit  Limit `yaml:"limit"`
}

// Limit is for exporters that send so much that others would suffer.
type Limit struct {
	// Flows per second of each exporter; 0: no limit. Of one that sends more, one datagram
	// in k is kept, and the sampling rate of its flows is k times the exporter's own, so
	// that totals stay right. The quality bit "thinned" marks them. Its datagrams come to a
	// socket of their own, so that they fill no buffer that other exporters need.
	FlowsPerSecond uint64 `yaml:"flows-per-second" reload:"live"`
	// The same for single exporters, by address; 0: no limit.
	Exporters map[string]uint64 `yaml:"exporters" reload:"live"`
}

// NetFlow is for NetFlow v9 and IPFIX.
type NetFlow struct {
	// Elements that go into the column Extra: by IANA name (tcpWindowSize), by vendor
	// and name (ixia/hostName), or by number, ID or PEN:ID, when they have no name.
	Extra []string `yaml:"extra" reload:"live"`
}

// Sampling is for exporters that do not say their sampling rate.
type Sampling struct {
	// Rate of an exporter by its address, used only when its records, options and
	// headers say nothing: 192.0.2.1: 1000 means that one packet of 1,000 is seen.
	Exporters map[string]uint32 `yaml:"exporters" reload:"live"`
}

// Store is where flows are kept.
type Store struct {
	// URL of the HTTP interface of a ClickHouse to use in place of the embedded one.
	URL secret.URL `yaml:"url"`
	// User of that ClickHouse.
	User string `yaml:"user"`
	// Password of that user; ${file:PATH} reads it from a file.
	Password secret.Text `yaml:"password"`
	// Database for the tables; it must exist.
	Database string `yaml:"database"`
	// Days to keep flows; 0 keeps them for ever.
	RetentionDays int `yaml:"retention-days" reload:"live"`
	// How much of the disk to leave free: a share like 10%, a size like 50GB, or 0. When
	// less is free the oldest hours are dropped, never the current one. Left out it is
	// 10% for the embedded store and nothing for another ClickHouse.
	KeepFree string `yaml:"keep-free" reload:"live"`
	// Sums of the flows by exporter, interface, AS, protocol, country and network, for
	// questions over days and months.
	Rollups Rollups `yaml:"rollups"`
	// Rare columns to make real from the start: "all", or their names. The others
	// become real when their first value arrives.
	Columns []string `yaml:"columns" reload:"live"`
	// Blocks of up to 8,192 rows, about a megabyte each, that may wait for the store.
	QueueBlocks int `yaml:"queue-blocks"`
	// MiB of blocks that may wait for the store: the bound when blocks are larger than
	// usual.
	QueueMiB int `yaml:"queue-mib"`
}

// Room is how much of the disk is to be left free.
func (s Store) Room() store.Room {
	text := s.KeepFree
	if text == "" && s.URL == "" {
		text = "10%"
	}
	room, _ := store.ParseRoom(text) // Validate has read it
	return room
}

// Spool is the directory spool of the data directory, where rows wait when the store
// does not take them.
type Spool struct {
	// The most that it may take of the disk: a share like 10%, or a size like 20GiB. When
	// it is full the oldest rows go, and are counted. It has 512 MiB at least, which is a
	// few inserts.
	MaxSize string `yaml:"max-size"`
}

// Rollups are kept at least as long as what they are sums of.
type Rollups struct {
	// Days to keep sums by the minute; 0 keeps them for ever.
	MinuteDays int `yaml:"minute-days" reload:"live"`
	// Days to keep sums by the hour; 0 keeps them for ever.
	HourDays int `yaml:"hour-days" reload:"live"`
}

// Engine is the embedded ClickHouse.
type Engine struct {
	// Address of its ClickHouse HTTP interface, for SQL clients; port 0 chooses one
	// at the first start and keeps it.
	Listen string `yaml:"listen"`
	// Memory that it may use, in MiB; 0 takes a share of what the machine has. Queries
	// get at most three quarters of it, so that there is always room for inserts.
	MemoryMiB int `yaml:"memory-mib"`
	// Queries that run at once; some more wait for some seconds, the rest is refused. 0
	// takes two for each core, at least 8.
	MaxQueries int `yaml:"max-queries"`
}

// Filter is the filter language.
type Filter struct {
	// Filters by name, for use as @name in others.
	Macros map[string]string `yaml:"macros" reload:"live"`
}

// Log is what is written to standard error.
type Log struct {
	// Form of the lines: text, or json for programs that collect them.
	Format string `yaml:"format"`
	// The least that is written: debug, info, warn or error.
	Level string `yaml:"level" reload:"live"`
}

// Debug is for those who look into the program itself.
type Debug struct {
	// Loopback address to serve profiles on, under /debug/pprof/; nothing is served
	// when it is left out.
	Listen string `yaml:"listen"`
}

// Default is the configuration without a file.
func Default() Config {
	return Config{
		Data: "./data",
		HTTP: HTTP{Listen: "127.0.0.1:8080"},
		Sources: Sources{UDP: UDP{
			Listen:  []string{":2055", ":4739", ":6343"},
			Workers: 2, BufferMiB: 32,
		}},
		Enrich: enrich.Default(),
		Store:  Store{User: "default", Database: "default", RetentionDays: 30, Rollups: Rollups{MinuteDays: 90, HourDays: 400}, QueueBlocks: 256, QueueMiB: 256},
		Spool:  Spool{MaxSize: "10%"},
		Engine: Engine{Listen: "127.0.0.1:0"},
		Log:    Log{Format: "text", Level: "info"},
	}
}

// Load reads a file over the defaults and checks it. Errors name the line, the key,
// the value and what to write instead.
func Load(path string) (Config, error) {
	c := Default()
	err := c.Read(path)
	return c, err
}

// Read reads a file over c and checks the result, as Load does.
func (c *Config) Read(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	if err := Parse(text, c); err != nil {
		return fmt.Errorf("configuration %s: %w", path, err)
	}
	return nil
}

// Parse reads YAML over c and checks the result.
func Parse(text []byte, c *Config) error {
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		return withoutSource(err)
	}
	var errs []error
	for _, doc := range file.Docs {
		if doc.Body == nil || doc.Body.Type() == ast.NullType {
			continue // nothing but comments: the defaults stand
		}
		if errs = append(errs, mistakes(doc.Body, reflect.TypeFor[Config](), "")...); len(errs) > 0 {
			continue
		}
		if err := yaml.NodeToValue(doc.Body, c, yaml.Strict()); err != nil {
			return withoutSource(err)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return secret.Error(err)
	}
	if c.Store.Password, err = fromFile("store.password", c.Store.Password); err != nil {
		return err
	}
	return c.Validate()
}

// withoutSource is an error of the YAML library with the place and without the lines
// around it, which may hold a password.
func withoutSource(err error) error {
	var y yaml.Error
	if !errors.As(err, &y) {
		return secret.Error(err)
	}
	where := ""
	if at := y.GetToken(); at != nil && at.Position != nil {
		where = fmt.Sprintf("line %d, column %d: ", at.Position.Line, at.Position.Column)
	}
	return errors.New(where + secret.Mask(y.GetMessage()))
}

// mistakes finds keys that the struct does not have, and names the nearest that it has,
// and values that are of another kind than the key's.
func mistakes(n ast.Node, t reflect.Type, path string) (errs []error) {
	if a, ok := n.(*ast.AnchorNode); ok {
		n = a.Value
	}
	if wants := misplaced(n, t); wants != "" {
		return []error{fmt.Errorf("line %d: %s: %s", n.GetToken().Position.Line, cmp.Or(strings.TrimSuffix(path, "."), "the whole"), wants)}
	}
	if list, ok := n.(*ast.SequenceNode); ok {
		for i, item := range list.Values {
			errs = append(errs, mistakes(item, t.Elem(), fmt.Sprintf("%s[%d].", strings.TrimSuffix(path, "."), i))...)
		}
		return errs
	}
	if isText(t) {
		return nil
	}
	pairs := pairsOf(n)
	if t.Kind() == reflect.Map {
		errs = wrongKeys(pairs, t.Key(), path)
		for _, p := range pairs {
			errs = append(errs, mistakes(p.Value, t.Elem(), path+p.Key.String()+".")...)
		}
		return errs
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	fields := fieldsOf(t)
	for _, p := range pairs {
		key := p.Key.String()
		sub, ok := fields[key]
		if !ok {
			errs = append(errs, fmt.Errorf("line %d: unknown key %q: %s", p.Key.GetToken().Position.Line, path+key, didYouMean(key, fields)))
			continue
		}
		errs = append(errs, mistakes(p.Value, sub, path+key+".")...)
	}
	return errs
}

// isText reports that values of a type are read from text by the type itself.
func isText(t reflect.Type) bool {
	return reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

// readText reads a value of such a type, which is read once more when there are no
// mistakes.
func readText(t reflect.Type, text string) (value reflect.Value, err error) {
	v := reflect.New(t)
	return v.Elem(), v.Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(text))
}

// wrongKeys finds keys of a map that its type does not read, or that are there twice
// although they are written differently.
func wrongKeys(pairs []*ast.MappingValueNode, t reflect.Type, path string) (errs []error) {
	if !isText(t) {
		return nil
	}
	path = strings.TrimSuffix(path, ".")
	seen := map[any]bool{}
	for _, p := range pairs {
		line, text := p.Key.GetToken().Position.Line, plain(p.Key)
		key, err := readText(t, text)
		switch {
		case p.Key.IsMergeKey():
		case err != nil:
			errs = append(errs, fmt.Errorf("line %d: %s: %w", line, path, err))
		case seen[key.Interface()]:
			errs = append(errs, fmt.Errorf("line %d: %s: %s: stands twice; remove one", line, path, text))
		default:
			seen[key.Interface()] = true
		}
	}
	return errs
}

// plain is the text of a value, without quotes.
func plain(n ast.Node) string {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value
	case *ast.LiteralNode:
		return n.Value.Value
	}
	return n.GetToken().Value
}

// misplaced says what is to be written where the value is not of the key's kind; an
// empty text when it is.
func misplaced(n ast.Node, t reflect.Type) string {
	switch n.Type() {
	case ast.NullType, ast.AliasType, ast.TagType:
		return "" // the parser sees to them
	}
	_, isList := n.(*ast.SequenceNode)
	isPairs := pairsOf(n) != nil || n.Type() == ast.MappingType
	if isText(t) && !isList && !isPairs {
		if _, err := readText(t, plain(n)); err != nil {
			return err.Error()
		}
		return ""
	}
	switch kind := t.Kind(); {
	case isText(t) && isList:
		return inQuotes(n) + " is a list, and one value is expected"
	case isText(t):
		return "this is read as an object, and one value is expected; put a value with a colon in quotes"
	case kind == reflect.Slice:
		if isPairs {
			return "a list is expected, and this is an object; write - before it"
		}
		if !isList {
			return fmt.Sprintf("a list is expected; write [%s]", inQuotes(n))
		}
	case kind == reflect.Struct:
		if !isPairs {
			return inQuotes(n) + " is no object; " + choices(fieldsOf(t))
		}
	case kind == reflect.Map:
		if !isPairs {
			return inQuotes(n) + " is no object; write KEY: VALUE below it"
		}
	case isList:
		return inQuotes(n) + " is a list, and one value is expected"
	case isPairs:
		return "this is read as an object, and one value is expected; put a value with a colon in quotes"
	case kind == reflect.Bool:
		if n.Type() != ast.BoolType {
			return inQuotes(n) + " is neither true nor false"
		}
	case reflect.Int <= kind && kind <= reflect.Uint64:
		v, err := strconv.ParseFloat(strings.ReplaceAll(n.GetToken().Value, "_", ""), 64)
		least, most := 0.0, math.Ldexp(1, t.Bits())
		if kind <= reflect.Int64 {
			least, most = -most/2, most/2
		}
		switch {
		case n.Type() == ast.IntegerType && err != nil: // in another base
		case err != nil || v != math.Trunc(v):
			return inQuotes(n) + " is no whole number"
		case v < least:
			return fmt.Sprintf("%s is too small; the least is %.0f", inQuotes(n), least)
		case v >= most:
			return inQuotes(n) + " is too large"
		}
	}
	return ""
}

func pairsOf(n ast.Node) []*ast.MappingValueNode {
	switch n := n.(type) {
	case *ast.MappingNode:
		return n.Values
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}
	}
	return nil
}

// inQuotes is a value as it stands in the file, text in quotes. Of what is in a list nothing
// is said: there may be secrets.
func inQuotes(n ast.Node) string {
	text := strings.TrimSpace(n.String())
	if strings.Contains(text, "://") { // an address with a password may be read in parts
		return "this address"
	}
	switch n := n.(type) {
	case *ast.StringNode:
		return strconv.Quote(n.Value)
	case *ast.LiteralNode:
		return strconv.Quote(n.Value.Value)
	case *ast.SequenceNode:
		return "this"
	}
	return text
}

func fieldsOf(t reflect.Type) map[string]reflect.Type {
	fields := map[string]reflect.Type{}
	for i := range t.NumField() {
		if name := t.Field(i).Tag.Get("yaml"); name != "-" {
			fields[name] = t.Field(i).Type
		}
	}
	return fields
}

// choices are the keys that may stand in an object.
func choices(fields map[string]reflect.Type) string {
	return "here may stand " + strings.Join(slices.Sorted(maps.Keys(fields)), ", ")
}

func didYouMean(key string, fields map[string]reflect.Type) string {
	best, bestD := "", len(key)/2+1
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if d := nearest.Distance(key, name, bestD+1); d <= bestD {
			best, bestD = name, d
		}
	}
	if best != "" {
		return fmt.Sprintf("did you mean %q?", best)
	}
	return choices(fields)
}

// maxSecret bounds a secret in a file of its own.
const maxSecret = 4 << 10

// fromFile reads a secret that may be in a file of its own. The file is looked at when it
// is opened: what is no password would fail later, far from here.
func fromFile(key string, v secret.Text) (secret.Text, error) {
	path, ok := strings.CutPrefix(v.Reveal(), "${file:")
	if !ok {
		return v, nil
	}
	path = strings.TrimSuffix(path, "}")
	content, err := wholefile.ReadAll(path, maxSecret)
	if err != nil {
		return "", fmt.Errorf("%s: %w; write the secret into the file", key, err)
	}
	text := strings.TrimSpace(string(content))
	if text == "" {
		return "", fmt.Errorf("%s: %s is empty; write the secret into the file", key, path)
	}
	return secret.Text(text), nil
}

// Validate checks values. Each error names the key, the value and the remedy.
func (c Config) Validate() error {
	var errs []error
	bad := func(key string, value any, remedy string) {
		errs = append(errs, errors.New(secret.Mask(fmt.Sprintf("%s: %v: %s", key, value, remedy))))
	}
	if c.Data == "" {
		bad("data", `""`, "name a directory")
	}
	if m := c.MemoryMiB; m != 0 && m < 128 {
		bad("memory-mib", m, "the collector needs at least 128")
	}
	if err := hostPort(c.HTTP.Listen); err != nil {
		bad("http.listen", c.HTTP.Listen, err.Error())
	}
	if len(c.Sources.UDP.Listen) == 0 {
		bad("sources.udp.listen", "[]", `name at least one address, like ":2055"`)
	}
	seen := map[string]bool{}
	for _, a := range c.Sources.UDP.Listen {
		if err := hostPort(a); err != nil {
			bad("sources.udp.listen", a, err.Error())
		}
		if seen[a] && !strings.HasSuffix(a, ":0") {
			bad("sources.udp.listen", a, "stands twice; remove one")
		}
		seen[a] = true
	}
	if w := c.Sources.UDP.Workers; w < 1 || w > 64 {
		bad("sources.udp.workers", w, "use a number from 1 to 64")
	}
	if m := c.Sources.UDP.BufferMiB; m < 1 || m > 1024 {
		bad("sources.udp.buffer-mib", m, "use a number from 1 to 1024")
	}
	for a := range c.Sources.UDP.Limit.Exporters {
		if _, err := netip.ParseAddr(a); err != nil {
			bad("sources.udp.limit.exporters", a, "is not an IP address")
		}
	}
	if _, err := netflow.Elements(c.Sources.NetFlow.Extra); err != nil {
		errs = append(errs, fmt.Errorf("sources.netflow.extra: %w", err))
	}
	if err := c.Enrich.Validate(); err != nil {
		errs = append(errs, err)
	}
	for a, rate := range c.Sources.Sampling.Exporters {
		if _, err := netip.ParseAddr(a); err != nil {
			bad("sources.sampling.exporters", a, "is not an IP address")
		}
		if rate == 0 {
			bad("sources.sampling.exporters."+a, rate, "use 1 for an exporter that does not sample")
		}
	}
	if c.Store.URL != "" {
		if u, err := url.Parse(c.Store.URL.Reveal()); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			bad("store.url", c.Store.URL, "use http://HOST:8123 or https://HOST:8443, or leave it out for the embedded store")
		}
	}
	if i := strings.IndexFunc(c.Store.Password.Reveal(), unicode.IsControl); i >= 0 || !utf8.ValidString(c.Store.Password.Reveal()) {
		bad("store.password", c.Store.Password, "it has control characters or is not UTF-8; use printable characters")
	}
	for _, days := range []struct {
		key string
		n   int
	}{
		{"store.retention-days", c.Store.RetentionDays},
		{"store.rollups.minute-days", c.Store.Rollups.MinuteDays},
		{"store.rollups.hour-days", c.Store.Rollups.HourDays},
	} {
		if days.n < 0 || days.n > 36500 {
			bad(days.key, days.n, "use 1 to 36500, or 0 to keep them for ever")
		}
	}
	if c.Store.KeepFree != "" {
		if _, err := store.ParseRoom(c.Store.KeepFree); err != nil {
			errs = append(errs, fmt.Errorf("store.keep-free: %w", err))
		}
	}
	if q := c.Store.QueueBlocks; q < 4 || q > 65536 {
		bad("store.queue-blocks", q, "use a number from 4 to 65536")
	}
	if q := c.Store.QueueMiB; q < 16 || q > 65536 {
		bad("store.queue-mib", q, "use a number from 16 to 65536")
	}
	for _, name := range c.Store.Columns {
		if f := flow.Table.Field(name); name != "all" && (f == nil || !f.Rare) {
			bad("store.columns", name, `is no rare column of the flows table; netmeta schema lists them`)
		}
	}
	if _, err := store.ParseRoom(c.Spool.MaxSize); err != nil {
		errs = append(errs, fmt.Errorf("spool.max-size: %w", err))
	}
	if err := hostPort(c.Engine.Listen); err != nil {
		bad("engine.listen", c.Engine.Listen, err.Error())
	} else if !loopback(c.Engine.Listen) {
		bad("engine.listen", c.Engine.Listen, "use a loopback address, like 127.0.0.1:8123: the interface is not encrypted; for others, put a proxy or a tunnel before it")
	}
	if m := c.Engine.MemoryMiB; m != 0 && m < 512 {
		bad("engine.memory-mib", m, "the engine needs at least 512")
	}
	if q := c.Engine.MaxQueries; q < 0 || q > 1000 {
		bad("engine.max-queries", q, "use a number from 1 to 1000, or 0 for what suits the machine")
	}
	if err := view.Check(c.Views); err != nil {
		errs = append(errs, fmt.Errorf("views: %w", err))
	}
	if f := c.Log.Format; f != "text" && f != "json" {
		bad("log.format", f, "use text or json")
	}
	if err := new(slog.Level).UnmarshalText([]byte(c.Log.Level)); err != nil {
		bad("log.level", c.Log.Level, "use debug, info, warn or error")
	}
	if c.Debug.Listen != "" {
		if err := hostPort(c.Debug.Listen); err != nil {
			bad("debug.listen", c.Debug.Listen, err.Error())
		} else if !loopback(c.Debug.Listen) {
			bad("debug.listen", c.Debug.Listen, "use a loopback address, like 127.0.0.1:6060: profiles tell what passes through, and making one costs")
		}
	}
	return errors.Join(errs...)
}

func loopback(hostPort string) bool {
	host, _, _ := net.SplitHostPort(hostPort)
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}

func hostPort(s string) error {
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		return errors.New("write HOST:PORT or :PORT")
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return fmt.Errorf("port %q is not a number from 0 to 65535", port)
	}
	if host != "" && host != "localhost" {
		if _, err := netip.ParseAddr(host); err != nil {
			return fmt.Errorf("host %q is not an IP address", host)
		}
	}
	return nil
}
