package store

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"netmeta/native"
)

func synchronous(b native.Block) native.Block {
	b.Synced = true
	return b
}

// A file with a block that asks for it is on the disk, and its name too, before it counts as
// written; others are not synced. That holds for blocks that are put aside as well.
func TestSpoolSyncs(t *testing.T) {
	s, err := OpenSpool(t.TempDir(), DiskShare{}, fruit, nothing)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var events []string
	s.sync = func(f *os.File) error {
		name, _ := filepath.Rel(s.dir, f.Name())
		whole, err := filepath.Glob(filepath.Join(filepath.Dir(f.Name()), "*"+ending))
		if info, statErr := f.Stat(); statErr == nil && info.IsDir() {
			whole, err = filepath.Glob(filepath.Join(f.Name(), "*"+ending))
		}
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, strings.TrimLeft(name, "0123456789")+" "+strings.Repeat("|", len(whole)))
		return f.Sync()
	}
	f := func(want ...string) {
		t.Helper()
		if !slices.Equal(events, want) {
			t.Errorf("synced %q, want %q", events, want)
		}
		events = nil
	}
	put := func(blocks ...native.Block) *insertJob {
		t.Helper()
		l := &insertJob{number: s.reserve(), table: &apples, token: newToken(), blocks: blocks}
		if err := s.put(l); err != nil {
			t.Fatal(err)
		}
		return l
	}
	put(apple(1), apple(2))
	f()
	l := put(apple(3), synchronous(apple(4)))
	f("-apples.blocks.tmp |", ". ||")
	if err := s.refuse(rejectedBlock{synchronous(apple(5)), "a test"}); err != nil {
		t.Fatal(err)
	}
	f("refused/"+s.name(s.last, &apples)+".tmp ", "refused |")

	// What is read back asks for the same.
	again := &insertJob{files: l.files}
	if err := s.read(again); err != nil {
		t.Fatal(err)
	}
	if b := again.blocks; len(b) != 2 || b[0].Synced || !b[1].Synced {
		t.Errorf("blocks read back: %+v", b)
	}
}

// What cannot be synced is not in the spool.
func TestSpoolCannotSync(t *testing.T) {
	for _, what := range []string{"file", "directory"} {
		s, err := OpenSpool(t.TempDir(), DiskShare{}, fruit, nothing)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		broken := errors.New("the disk is broken")
		s.sync = func(f *os.File) error {
			if info, err := f.Stat(); err != nil || info.IsDir() == (what == "directory") {
				return errors.Join(broken, err)
			}
			return f.Sync()
		}
		err = s.put(&insertJob{number: s.reserve(), table: &apples, token: newToken(), blocks: []native.Block{synchronous(apple(1))}})
		left, globErr := filepath.Glob(filepath.Join(s.dir, "*.blocks*"))
		if !errors.Is(err, broken) || globErr != nil || left != nil || !s.empty() {
			t.Errorf("%s: %v, files %v, %+v", what, err, left, s.Stats())
		}
	}
}
