// Package wholefile stores small files that are replaced as a whole: after a crash either
// the old or the new file exists. A damaged file is set aside, so it does not prevent the start.
package wholefile

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// maxJSON limits a JSON file, which is read into memory.
const maxJSON = 256 << 20

// Open opens a regular file for reading. It never blocks: a pipe in place of the file is
// an error.
func Open(path string) (*os.File, error) { return open(path, 0) }

// OpenNoFollow is Open for a file that must not be a symbolic link.
func OpenNoFollow(path string) (*os.File, error) { return open(path, unix.O_NOFOLLOW) }

func open(path string, flags int) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK|flags, 0)
	if errors.Is(err, unix.ELOOP) && flags&unix.O_NOFOLLOW != 0 {
		return nil, fmt.Errorf("%s is a symbolic link: %w", path, err)
	}
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "read", Path: path, Err: errNotRegular}
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

var errNotRegular = errors.New("not a regular file")

// ReadAll reads a regular file of at most limit bytes.
func ReadAll(path string, limit int64) ([]byte, error) {
	file, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("%s is larger than %d bytes", path, limit)
	}
	return data, err
}

// Read reads the file into a value. The file may be missing.
func Read(path string, into any) error {
	data, err := ReadAll(path, maxJSON)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// Write replaces the file with a value.
func Write(path string, value any) error {
	data, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return err
	}
	return WriteText(path, append(data, '\n'))
}

// WriteText replaces the file with a text that only its owner may read. A directory of
// that name is set aside.
func WriteText(path string, text []byte) error {
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-") // mode 0600
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	err = errors.Join(err, file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if errors.Is(err, fs.ErrExist) || errors.Is(err, unix.EISDIR) {
		if _, failed := PutAside(path, errors.New("a directory has the name of a file")); failed == nil {
			err = os.Rename(file.Name(), path)
		}
	}
	if err != nil {
		os.Remove(file.Name())
	}
	return err
}

// Passing reports whether an error is temporary and not about the file: the process or the
// machine lacks a resource at the moment.
func Passing(err error) bool {
	for _, e := range []syscall.Errno{unix.EMFILE, unix.ENFILE, unix.ENOMEM, unix.EINTR} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
