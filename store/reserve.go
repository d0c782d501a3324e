package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"

	"netmeta/internal/wholefile"
)

// A Reserve is a file that holds some of the disk for the moment in which another program
// has taken all the rest. Dropping rows takes space: the engine writes an empty part in
// the place of the dropped ones, and with less than what it leaves free it does not begin.
type Reserve struct {
	Path string
	Left uint64 // what the engine leaves free
}

// reserveOwn is what the reserve has beyond what the engine leaves free: dropping takes a
// few blocks, and other programs may be writing.
const reserveOwn = 64 << 20

func (r *Reserve) size() uint64 { return r.Left + reserveOwn }

// Make makes the file if there is room for it, of what is free beyond what is to be kept.
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

// Free gives the space back; false: there is no file.
func (r *Reserve) Free() (bool, error) {
	err := os.Remove(r.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}
