package wholefile

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Aside is a damaged file, or another object in its place, that was renamed to NAME.damaged-TIME so that
// NetMeta could start without it.
type Aside struct {
	File   string // its current name, within its directory
	Name   string // its original name
	Reason string // why it was set aside; empty: unknown
	At     time.Time
}

const (
	asideMark   = ".damaged-"
	asideTime   = "20060102T150405.000"
	asideReason = ".reason"
	// maxAside limits the files per original name. Older ones are removed.
	maxAside = 5
)

// PutAside renames the object at path and writes the reason next to it.
func PutAside(path string, reason error) (Aside, error) {
	now := time.Now().UTC()
	a := Aside{Name: filepath.Base(path), Reason: reason.Error(), At: now.Truncate(time.Millisecond)}
	a.File = a.Name + asideMark + now.Format(asideTime)
	dir := filepath.Dir(path)
	if err := os.Rename(path, filepath.Join(dir, a.File)); err != nil {
		return a, fmt.Errorf("cannot set a damaged file aside: %w", err)
	}
	os.WriteFile(filepath.Join(dir, a.File+asideReason), []byte(a.Reason+"\n"), 0o600) // if this fails, only the reason is lost
	older := slices.DeleteFunc(Asides(dir), func(x Aside) bool { return x.Name != a.Name })
	for _, old := range older[:max(0, len(older)-maxAside)] {
		os.Remove(filepath.Join(dir, old.File+asideReason))
		if err := os.Remove(filepath.Join(dir, old.File)); err != nil { // leave a directory that is not empty
			continue
		}
	}
	return a, nil
}

// Asides lists the files that were set aside in a directory, the oldest first.
func Asides(dir string) (list []Aside) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	for _, e := range entries {
		name, at, ok := strings.Cut(e.Name(), asideMark)
		when, err := time.Parse(asideTime, at)
		if !ok || err != nil {
			continue
		}
		reason, _ := ReadAll(filepath.Join(dir, e.Name()+asideReason), 64<<10)
		list = append(list, Aside{e.Name(), name, strings.TrimSpace(string(reason)), when})
	}
	slices.SortFunc(list, func(a, b Aside) int { return cmp.Or(a.At.Compare(b.At), strings.Compare(a.File, b.File)) })
	return list
}

// OpenOrPutAside opens a file with the caller's function. A file that cannot be read is
// set aside and opened again, so that the caller starts without it; aside is then its new
// name. A temporary error sets nothing aside.
func OpenOrPutAside[T any](path string, open func(path string) (T, error)) (v T, aside *Aside, err error) {
	if v, err = open(path); err == nil || Passing(err) {
		return v, nil, err
	}
	a, failed := PutAside(path, err)
	if failed != nil {
		return v, nil, errors.Join(err, failed)
	}
	v, err = open(path)
	return v, &a, err
}
