package wholefile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func read(path string) (list []int, err error) {
	err = Read(path, &list)
	return list, err
}

// Whatever is in the place of a file, the caller begins without it and it stays for a
// person to look at.
func TestPutAside(t *testing.T) {
	odd := map[string]func(path string) error{
		"garbage":        func(path string) error { return os.WriteFile(path, []byte("\x00garbage"), 0o600) },
		"another shape":  func(path string) error { return os.WriteFile(path, []byte(`{"a":1}`), 0o600) },
		"empty":          func(path string) error { return os.WriteFile(path, nil, 0o600) },
		"directory":      func(path string) error { return os.MkdirAll(filepath.Join(path, "sub"), 0o700) },
		"pipe":           func(path string) error { return syscall.Mkfifo(path, 0o600) },
		"link to itself": func(path string) error { return os.Symlink(path, path) },
		"device":         func(path string) error { return os.Symlink("/dev/zero", path) },
	}
	for name, put := range odd {
		dir := t.TempDir()
		path := filepath.Join(dir, "numbers.json")
		if err := put(path); err != nil {
			t.Fatal(name, err)
		}
		list, aside, err := OpenOrPutAside(path, read)
		if err != nil || len(list) > 0 || aside == nil || aside.Reason == "" {
			t.Errorf("%s: %v, %v, %v", name, list, aside, err)
			continue
		}
		if got := Asides(dir); len(got) != 1 || got[0].Reason != aside.Reason || got[0].Name != "numbers.json" || !got[0].At.Equal(aside.At) {
			t.Errorf("%s: %+v lies aside, want %+v", name, got, *aside)
		}
		if _, err := os.Lstat(filepath.Join(dir, aside.File)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := Write(path, []int{1}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if list, aside, err := OpenOrPutAside(path, read); err != nil || aside != nil || len(list) != 1 {
			t.Errorf("%s: a good one: %v, %v, %v", name, list, aside, err)
		}
	}
}

// What is put aside again and again is bounded, by name.
func TestAsidesAreBounded(t *testing.T) {
	dir := t.TempDir()
	other := filepath.Join(dir, "other")
	os.WriteFile(other, nil, 0o600)
	if _, err := PutAside(other, errors.New("once")); err != nil {
		t.Fatal(err)
	}
	var last Aside
	for i := range maxAside + 3 {
		path := filepath.Join(dir, "x")
		os.WriteFile(path, nil, 0o600)
		for { // the name has milliseconds
			a, err := PutAside(path, fmt.Errorf("%d", i))
			if err != nil {
				t.Fatal(err)
			}
			if a.File != last.File {
				last = a
				break
			}
			os.WriteFile(path, nil, 0o600)
		}
	}
	list := Asides(dir)
	if len(list) != maxAside+1 || list[0].Name != "other" || list[maxAside].Reason != last.Reason {
		t.Errorf("%d lie aside: %+v", len(list), list)
	}
	entries, _ := os.ReadDir(dir)
	if len(entries) != 2*(maxAside+1) {
		t.Errorf("%d files, reasons included", len(entries))
	}
}

// A want of descriptors damages no file.
func TestPassing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	os.WriteFile(path, []byte("[]"), 0o600)
	_, aside, err := OpenOrPutAside(path, func(string) (int, error) {
		return 0, &os.PathError{Op: "open", Path: path, Err: syscall.EMFILE}
	})
	if !errors.Is(err, syscall.EMFILE) || aside != nil {
		t.Errorf("%v, %v", aside, err)
	}
}

// A file that is too large is refused before it fills memory.
func TestReadAll(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	os.WriteFile(path, []byte("12345"), 0o600)
	if text, err := ReadAll(path, 5); err != nil || string(text) != "12345" {
		t.Error(string(text), err)
	}
	if _, err := ReadAll(path, 4); err == nil || !strings.Contains(err.Error(), "larger than 4 bytes") {
		t.Error(err)
	}
	os.Symlink(path, path+".link")
	if _, err := OpenNoFollow(path + ".link"); !errors.Is(err, syscall.ELOOP) {
		t.Error(err)
	}
	if f, err := Open(path + ".link"); err != nil {
		t.Error(err)
	} else {
		f.Close()
	}
}
