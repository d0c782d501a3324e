package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"

	"netmeta/internal/wholefile"
)

// Reserve is a file that occupies disk space until another program has used all the rest. Dropping rows takes
// space: the engine writes an empty part in place of the dropped ones, and refuses to start with less than it
// leaves free.
type Reserve struct {
	Path string
	Left uint64 // bytes that the engine leaves free
}

// reserveOwn is added to what the engine leaves free: dropping takes a few blocks, and other programs may be
// writing.
const reserveOwn = 64 << 20

func (r *Reserve) size() uint64 { return r.Left + reserveOwn }

// Make makes the file if it fits into the spare space.
func (r *Reserve) Make(spare uint64) error {
	info, err := os.Lstat(r.Path)
	if err == nil && !info.Mode().IsRegular() {
		if _, err := wholefile.PutAside(r.Path, errors.New("the reserve is not a regular file")); err != nil {
			return fmt.Errorf("reserve: %w", err)
		}
		info, err = os.Lstat(r.Path)
	}
	if err == nil && uint64(info.Size()) == r.size() || spare < r.size() {
		return nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("reserve: %w", err)
	}
	file, err := os.OpenFile(r.Path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return fmt.Errorf("reserve: %w", err)
	}
	err = errors.Join(unix.Fallocate(int(file.Fd()), 0, 0, int64(r.size())), file.Close())
	if err != nil {
		os.Remove(r.Path)
		return fmt.Errorf("reserve: %w", err)
	}
	return nil
}

// Free deletes the file; false: it does not exist.
func (r *Reserve) Free() (bool, error) {
	err := os.Remove(r.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}
