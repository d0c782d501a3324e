package engine

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A table stores the tokens of its inserts in deduplication_logs, next to its parts. The engine writes a
// token there a moment before the part gets its name. If it is killed in between, the token exists and the
// rows do not, and the necessary retry under that token is taken for a duplicate. So tokens without a part
// are removed before the engine starts.
//
// A line of a log is an operation, a part and a token: "1\t<part>\t<token>" adds it, "2\t<part>\t<token>"
// removes it. The logs are numbered in the order in which they were written.

var (
	partName = regexp.MustCompile(`^([^_]+)_(\d+)_(\d+)_\d+(?:_\d+)?$`)
	logName  = regexp.MustCompile(`^deduplication_log_(\d+)\.txt$`)
)

// blockRange is the numbers of the first and the last insert of a partition in a part.
type blockRange struct{ first, last int64 }

// rangeOf parses the name of a part.
func rangeOf(name string) (partition string, r blockRange, ok bool) {
	m := partName.FindStringSubmatch(name)
	if m == nil {
		return "", r, false
	}
	var err1, err2 error
	r.first, err1 = strconv.ParseInt(m[2], 10, 64)
	r.last, err2 = strconv.ParseInt(m[3], 10, 64)
	return m[1], r, err1 == nil && err2 == nil
}

// takeBackTokens removes such tokens from the tables of a store whose engine is not running.
func takeBackTokens(store string, log *slog.Logger) error {
	tables, err := filepath.Glob(filepath.Join(store, "store", "*", "*", "deduplication_logs"))
	if err != nil {
		return err
	}
	for _, logs := range tables {
		taken, err := takeBack(logs)
		if err != nil {
			return fmt.Errorf("engine: tokens of inserts: %w", err)
		}
		if len(taken) > 0 {
			log.Warn("engine: it died while storing rows; they are stored again", "table", filepath.Base(filepath.Dir(logs)), "parts", strings.Join(taken, " "))
		}
	}
	return nil
}

// takeBack does that for one table and lists the parts that never existed.
func takeBack(logs string) (taken []string, err error) {
	type numbered struct {
		n    int
		path string
	}
	var files []numbered
	entries, err := os.ReadDir(logs)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if m := logName.FindStringSubmatch(e.Name()); m != nil {
			if n, err := strconv.Atoi(m[1]); err == nil {
				files = append(files, numbered{n, filepath.Join(logs, e.Name())})
			}
		}
	}
	if len(files) == 0 {
		return nil, nil
	}
	slices.SortFunc(files, func(a, b numbered) int { return cmp.Compare(a.n, b.n) })
	parts := map[string][]blockRange{}
	if entries, err = os.ReadDir(filepath.Dir(logs)); err != nil {
		return nil, err
	}
	for _, e := range entries {
		if partition, r, ok := rangeOf(e.Name()); ok && e.IsDir() {
			parts[partition] = append(parts[partition], r)
		}
	}
	var undo bytes.Buffer
	stored := map[string]string{} // tokens, with the lines that remove them
	var order []string
	var last []byte
	for _, f := range files {
		if last, err = os.ReadFile(f.path); err != nil {
			return nil, err
		}
		for line := range bytes.Lines(last) {
			op, rest, _ := strings.Cut(strings.TrimSuffix(string(line), "\n"), "\t")
			part, token, ok := strings.Cut(rest, "\t")
			switch {
			case !ok || line[len(line)-1] != '\n':
			case op == "1":
				stored[token] = part
				order = append(order, token)
			case op == "2":
				delete(stored, token)
			}
		}
	}
	for _, token := range order {
		part, ok := stored[token]
		partition, r, named := rangeOf(part)
		delete(stored, token)
		if !ok || !named || slices.ContainsFunc(parts[partition], func(p blockRange) bool { return p.first <= r.first && r.last <= p.last }) {
			continue
		}
		fmt.Fprintf(&undo, "2\t%s\t%s\n", part, token)
		taken = append(taken, part)
	}
	// A truncated line is also of a part without a name.
	whole := int64(bytes.LastIndexByte(last, '\n') + 1)
	if undo.Len() == 0 && whole == int64(len(last)) {
		return nil, nil
	}
	path := files[len(files)-1].path
	if err := os.Truncate(path, whole); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return nil, err
	}
	_, err = f.Write(undo.Bytes())
	return taken, errors.Join(err, f.Close())
}
