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

// An Aside is a damaged file, or what was found in its place, that was renamed to
// NAME.damaged-TIME so that NetMeta could begin without it.
type Aside struct {
	File   string // its present name, within its directory
	Name   string // what it was called
	Reason string // why it was put aside; empty: not known
	At     time.Time
}

const (
	asideMark   = ".damaged-"
	asideTime   = "20060102T150405.000"
	asideReason = ".reason"
	// maxAside bounds what is kept of each name. Older ones are removed.
	maxAside = 5
)

// PutAside renames what is at path and keeps the reason next to it.
func PutAside(path string, reason error) (Aside, error) {
	now := time.Now().UTC()
	a := Aside{Name: filepath.Base(path), Reason: reason.Error(), At: now.Truncate(time.Millisecond)}
	a.File = a.Name + asideMark + now.Format(asideTime)
	dir := filepath.Dir(path)
	if err := os.Rename(path, filepath.Join(dir, a.File)); err != nil {
		return a, fmt.Errorf("put a damaged file aside: %w", err)
	}
	os.WriteFile(filepath.Join(dir, a.File+asideReason), []byte(a.Reason+"\n"), 0o600) // without it nothing is lost but the reason
	older := slices.DeleteFunc(Asides(dir), func(x Aside) bool { return x.Name != a.Name })
	for _, old := range older[:max(0, len(older)-maxAside)] {
		os.Remove(filepath.Join(dir, old.File+asideReason))
		if err := os.Remove(filepath.Join(dir, old.File)); err != nil { // a directory that is not empty is not ours to remove
			continue
		}
	}
	return a, nil
}

// Asides lists what was put aside in a directory, the oldest first.
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

// OpenOrPutAside opens a file with a function of the caller's. One that cannot be read is
// put aside and opened again, so that the caller begins without it; aside then says where
// it is. An error that may pass by itself puts nothing aside.
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
