package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// A part is a directory of a table's files. One that cannot be read (a bad sector, a missing file) fails
// every statement that reads it. So all statements of a process leave it out once one of them has met it: see
// Parts and doc/decisions/0018-rollups-have-a-bound.md.

// Part is a part of a table that cannot be read.
type Part struct {
	Table     string `json:"table"`     // Table of the part.
	Name      string `json:"name"`      // Name of the part.
	Partition string `json:"partition"` // Partition of the part: of flows the hour, seconds since 1970.
	Rows      uint64 `json:"rows"`      // Rows of the part.
	Bytes     uint64 `json:"bytes"`     // Size of the part on disk.
	From      int64  `json:"from"`      // Time of its first row, seconds since 1970.
	To        int64  `json:"to"`        // Time of its last row, seconds since 1970.
	Since     int64  `json:"since"`     // When it was found, seconds since 1970.
	Error     string `json:"error"`     // Error of the engine.
}

// Remedy returns what a user can do about the part.
func (p Part) Remedy() string {
	return "check the disk; then run netmeta parts detach " + p.Table + "/" + p.Name + " to put it aside"
}

// Detached is a part that the engine or a user has detached: it is on disk, but not read.
type Detached struct {
	Table     string `json:"table"`     // Table of the part.
	Name      string `json:"name"`      // Name of the part in the directory detached of the table.
	Partition string `json:"partition"` // Partition of the part.
	Bytes     uint64 `json:"bytes"`     // Size of the part on disk.
	Reason    string `json:"reason"`    // Reason of the engine, such as broken-on-start; empty: a user did it.
	Path      string `json:"path"`      // Directory of the part.
}

const (
	// maxParts bounds the parts that are left out. With more of them the disk is unreadable, and statements
	// fail.
	maxParts = 64
	// checkPartsEvery is the interval at which a part that is left out is read again.
	checkPartsEvery = 10 * time.Minute
	partErrorLength = 300
)

// Parts are the unreadable parts. Clients share them: once one client has met a part, none reads it again.
// The zero value is ready, and safe for concurrent use.
type Parts struct {
	mu      sync.Mutex
	list    []Part
	checked map[string]time.Time // by table/name: when it was last read
}

// List returns the parts that are left out, ordered by table and name.
func (p *Parts) List() []Part {
	if p == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.list)
}

// Of returns those of a table with rows from from until before to.
func (p *Parts) Of(table string, from, to int64) []Part {
	return slices.DeleteFunc(p.List(), func(part Part) bool {
		return part.Table != table || part.To < from || part.From >= to
	})
}

// ofPart finds the part in the text of an error: the engine adds it to errors while it reads one, and it is
// in the path of a file.
var (
	ofPart   = regexp.MustCompile(`while reading from part \S*/(\w+)/ in table (\S+)\.(\w+) \(`)
	pathPart = regexp.MustCompile(`/store/\w{3}/[0-9a-f-]{36}/\w+/`)
)

// unreadableCodes are the codes of errors about files and not about a statement: computations of a filter
// fail with others.
var unreadableCodes = []int{
	23, 33, // CANNOT_READ_FROM_ISTREAM, CANNOT_READ_ALL_DATA
	32,      // ATTEMPT_TO_READ_AFTER_EOF
	39,      // TOO_LARGE_SIZE_COMPRESSED
	40,      // CHECKSUM_DOESNT_MATCH
	74, 107, // CANNOT_READ_FROM_FILE_DESCRIPTOR, FILE_DOESNT_EXIST
	76,            // CANNOT_OPEN_FILE
	117,           // INCORRECT_DATA
	128, 131, 246, // TOO_LARGE_ARRAY_SIZE, TOO_LARGE_STRING_SIZE, CORRUPTED_DATA
	228, 271, 432, // TOO_LARGE_SIZE_COMPRESSED of marks, CANNOT_DECOMPRESS, UNKNOWN_CODEC
	226,  // NO_FILE_IN_DATA_PART
	1001, // STD_EXCEPTION: the file system
}

// learn records the part in the error of a statement, and reports that a retry is useful, because the
// client's filter has changed. A concurrent statement may have recorded the part first.
func (p *Parts) learn(ctx context.Context, c *Client, err error, filter string) bool {
	var e *Exception
	if p == nil || !errors.As(err, &e) || !slices.Contains(unreadableCodes, e.Code) || strings.Contains(e.Message, "Too many open files") {
		return false
	}
	where := ""
	params := map[string]string{}
	if m := ofPart.FindStringSubmatch(e.Message); m != nil {
		params["part"], params["table"] = m[1], m[3]
		where = "table = {table:String} AND name = {part:String}"
	} else if path := pathPart.FindString(e.Message); path != "" {
		params["path"] = path
		where = "endsWith(path, {path:String})"
	} else {
		return false
	}
	all := *c
	all.conditions = nil // the error names a part, which reveals no row
	parts, err := partsWhere(ctx, &all, where, params)
	if err != nil {
		return false
	}
	if len(parts) == 0 {
		return true // merged or detached in the meantime
	}
	part := parts[0]
	part.Since, part.Error = time.Now().Unix(), cut(e.Message)
	p.add(part)
	return c.tableFilters() != filter
}

// add records a new part if there is room for it.
func (p *Parts) add(part Part) {
	p.mu.Lock()
	defer p.mu.Unlock()
	i, known := slices.BinarySearchFunc(p.list, part, comparePart)
	if !known && len(p.list) < maxParts {
		p.list = slices.Insert(p.list, i, part)
	}
}

func (p *Parts) remove(part Part) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.checked, part.key())
	p.list = slices.DeleteFunc(p.list, func(other Part) bool { return comparePart(part, other) == 0 })
}

// forget removes the parts of a table that was replaced by another one with other part names; one that still
// cannot be read is found again.
func (p *Parts) forget(table string) {
	if p == nil {
		return
	}
	for _, part := range p.List() {
		if part.Table == table {
			p.remove(part)
		}
	}
}

func (p Part) key() string { return p.Table + "/" + p.Name }

func comparePart(a, b Part) int {
	return cmp.Or(cmp.Compare(a.Table, b.Table), cmp.Compare(a.Name, b.Name))
}

func cut(text string) string {
	if len(text) > partErrorLength {
		text = strings.ToValidUTF8(text[:partErrorLength], "") + "…"
	}
	return text
}

// partsWhere returns active parts of the database.
func partsWhere(ctx context.Context, c *Client, where string, params map[string]string) ([]Part, error) {
	res, err := c.plain(ctx, Query{Params: params, SQL: `
SELECT table, name, partition_id, rows, bytes_on_disk, toUInt32(min_time), toUInt32(max_time)
FROM system.parts WHERE active AND database = currentDatabase() AND ` + where + ` ORDER BY table, name`})
	if err != nil {
		return nil, fmt.Errorf("parts of tables: %w", err)
	}
	list := make([]Part, res.Rows)
	for i := range list {
		text := func(column int) string { return res.Columns[column].([]string)[i] }
		number := func(column int) uint64 { return res.Columns[column].([]uint64)[i] }
		second := func(column int) int64 { return int64(res.Columns[column].([]uint32)[i]) }
		list[i] = Part{Table: text(0), Name: text(1), Partition: text(2), Rows: number(3), Bytes: number(4), From: second(5), To: second(6)}
	}
	return list, nil
}

// FindPart returns an active part by its name, or by table/name.
func FindPart(ctx context.Context, c *Client, name string) (Part, error) {
	params := map[string]string{"name": name}
	where := "name = {name:String}"
	if table, part, ok := strings.Cut(name, "/"); ok {
		params = map[string]string{"name": part, "table": table}
		where += " AND table = {table:String}"
	}
	list, err := partsWhere(ctx, c, where, params)
	switch {
	case err != nil:
		return Part{}, err
	case len(list) == 0:
		return Part{}, fmt.Errorf("no such part: %s; run netmeta parts to list them", name)
	case len(list) > 1:
		return Part{}, fmt.Errorf("several tables have a part %s: use %s/%[1]s", name, list[0].Table)
	}
	return list[0], nil
}

// CheckPart reads a part and returns its error, empty if it is readable.
func CheckPart(ctx context.Context, c *Client, part Part) (wrong string, err error) {
	res, err := c.plain(ctx, Query{
		SQL:      "CHECK TABLE " + part.Table + " PART " + quote(part.Name),
		Settings: map[string]string{"check_query_single_value_result": "0", "max_threads": "1"},
	})
	if err != nil {
		return "", fmt.Errorf("check part %s: %w", part.key(), err)
	}
	for i := range res.Rows {
		if res.Columns[1].([]uint8)[i] == 0 {
			return cmp.Or(res.Columns[2].([]string)[i], "its files do not fit together"), nil
		}
	}
	return "", nil
}

// CheckParts reads every part of the database and calls yield with each that cannot be read, until that
// returns false.
func CheckParts(ctx context.Context, c *Client, yield func(Part) bool) error {
	list, err := partsWhere(ctx, c, "engine LIKE '%MergeTree'", nil)
	if err != nil {
		return err
	}
	for _, part := range list {
		wrong, err := CheckPart(ctx, c, part)
		if err != nil {
			if _, gone := FindPart(ctx, c, part.key()); gone != nil && ctx.Err() == nil {
				continue // merged in the meantime
			}
			return err
		}
		if part.Error = cut(wrong); wrong != "" && !yield(part) {
			return nil
		}
	}
	return nil
}

// DetachedParts returns the detached parts, at most 100.
func DetachedParts(ctx context.Context, c *Client) ([]Detached, error) {
	res, err := c.plain(ctx, Query{SQL: `
SELECT table, name, assumeNotNull(ifNull(partition_id, '')), assumeNotNull(ifNull(reason, '')), path, toUInt64(bytes_on_disk)
FROM system.detached_parts WHERE database = currentDatabase() ORDER BY table, name LIMIT 100`})
	if err != nil {
		return nil, fmt.Errorf("detached parts: %w", err)
	}
	list := make([]Detached, res.Rows)
	for i := range list {
		text := func(column int) string { return res.Columns[column].([]string)[i] }
		list[i] = Detached{Table: text(0), Name: text(1), Partition: text(2), Reason: text(3), Path: text(4), Bytes: res.Columns[5].([]uint64)[i]}
	}
	return list, nil
}

// FindDetached returns a detached part by its name, or by table/name.
func FindDetached(ctx context.Context, c *Client, name string) (Detached, error) {
	list, err := DetachedParts(ctx, c)
	if err != nil {
		return Detached{}, err
	}
	for _, d := range list {
		if d.Name == name || d.Table+"/"+d.Name == name {
			return d, nil
		}
	}
	return Detached{}, fmt.Errorf("no such detached part: %s; run netmeta parts to list them", name)
}

// DetachPart moves a part into the directory detached of its table.
func DetachPart(ctx context.Context, c *Client, part Part) error {
	return c.Exec(ctx, Layout{}.Alter(part.Table)+" DETACH PART "+quote(part.Name))
}

// AttachPart attaches a detached part again.
func AttachPart(ctx context.Context, c *Client, part Detached) error {
	return c.Exec(ctx, Layout{}.Alter(part.Table)+" ATTACH PART "+quote(part.Name))
}

// Refresh removes parts that no longer exist, and reads one of the others again if it is time, so that a part
// that was suspected wrongly is used again.
func (p *Parts) Refresh(ctx context.Context, c *Client, log *slog.Logger) error {
	list := p.List()
	if len(list) == 0 {
		return nil
	}
	active, err := partsWhere(ctx, c, "1", nil)
	if err != nil {
		return err
	}
	for _, part := range list {
		if _, there := slices.BinarySearchFunc(active, part, comparePart); !there {
			log.Info("unreadable part no longer exists", "table", part.Table, "part", part.Name)
			p.remove(part)
		}
	}
	part, due := p.due()
	if !due {
		return nil
	}
	wrong, err := CheckPart(ctx, c, part)
	switch {
	case err != nil:
		return err
	case wrong == "":
		log.Info("unreadable part recovered", "table", part.Table, "part", part.Name)
		p.remove(part)
	default:
		log.Warn("a part of the store is unreadable and left out", "table", part.Table, "part", part.Name, "rows", part.Rows,
			"from", time.Unix(part.From, 0).UTC().Format(time.RFC3339), "to", time.Unix(part.To, 0).UTC().Format(time.RFC3339), "err", part.Error, "remedy", part.Remedy())
	}
	return nil
}

// due returns the part that has waited longest for another read, if it is time.
func (p *Parts) due() (part Part, due bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.list) == 0 {
		return part, false
	}
	part = slices.MinFunc(p.list, func(a, b Part) int { return p.checked[a.key()].Compare(p.checked[b.key()]) })
	if time.Since(p.checked[part.key()]) < checkPartsEvery {
		return part, false
	}
	if p.checked == nil {
		p.checked = map[string]time.Time{}
	}
	p.checked[part.key()] = time.Now()
	return part, true
}
