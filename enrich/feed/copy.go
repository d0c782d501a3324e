package feed

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"netmeta/internal/wholefile"
)

// The last good copy of a URL is a file in the directory, named by a hash of the URL, because that may
// contain a password:
//
//	"netmeta feed 1\n"   head, a line of JSON   content
const (
	copyMagic  = "netmeta feed 1\n"
	copySuffix = ".feed"
	maxHead    = 4096 // bytes of the line of JSON
)

type copyHead struct {
	mark
	Fetched int64  `json:"fetched"` // Unix seconds
	Sum     uint32 `json:"crc32c"`  // of the content
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func copyName(l Location) string {
	sum := sha256.Sum256([]byte(l))
	return hex.EncodeToString(sum[:8]) + copySuffix
}

// writeCopy replaces the copy on disk.
func (f *Feed[T]) writeCopy(content []byte, m mark) error {
	if f.options.Dir == "" {
		return nil
	}
	if err := os.MkdirAll(f.options.Dir, 0o750); err != nil {
		return err
	}
	return wholefile.WriteText(filepath.Join(f.options.Dir, copyName(f.options.Location)), encodeCopy(content, m, time.Now()))
}

func encodeCopy(content []byte, m mark, fetched time.Time) []byte {
	head, err := json.Marshal(copyHead{m, fetched.Unix(), crc32.Checksum(content, castagnoli)})
	if err != nil {
		panic("BUG: a head of texts and numbers is not JSON: " + err.Error())
	}
	return slices.Concat([]byte(copyMagic), head, []byte("\n"), content)
}

// readCopy loads the value from the copy on disk.
func (f *Feed[T]) readCopy() error {
	file, err := wholefile.ReadAll(filepath.Join(f.options.Dir, copyName(f.options.Location)), f.options.MaxBytes+int64(len(copyMagic))+maxHead)
	if err != nil {
		return err
	}
	content, head, err := decodeCopy(file)
	if err != nil {
		return err
	}
	value, err := f.parse(content)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.value, f.mark, f.loaded = value, head.mark, time.Unix(head.Fetched, 0)
	f.edition++
	return nil
}

func decodeCopy(file []byte) (content []byte, head copyHead, err error) {
	rest, ok := bytes.CutPrefix(file, []byte(copyMagic))
	line, content, cut := bytes.Cut(rest, []byte("\n"))
	if !ok || !cut || len(line) > maxHead {
		return nil, head, errors.New("damaged or of another version")
	}
	if err := json.Unmarshal(line, &head); err != nil {
		return nil, head, fmt.Errorf("head: %w", err)
	}
	if sum := crc32.Checksum(content, castagnoli); sum != head.Sum {
		return nil, head, fmt.Errorf("damaged: checksum is %08x, expected %08x", sum, head.Sum)
	}
	return content, head, nil
}

// Prune removes the copies of all URLs except those to keep from a directory.
func Prune(dir string, keep []Location) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), copySuffix) || slices.ContainsFunc(keep, func(l Location) bool { return copyName(l) == e.Name() }) {
			continue
		}
		err = errors.Join(err, os.Remove(filepath.Join(dir, e.Name())))
	}
	return err
}
