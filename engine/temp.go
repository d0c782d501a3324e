package engine

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Temporary data are what statements write to disk while they run: parts of a GROUP BY, a sort or a join that
// do not fit into memory, held results, and merges. This file limits and measures their disk usage.

// TempLimit returns the limit of the temporary data of all readers together: a tenth of the disk, at most 8
// GiB.
func TempLimit(dir string) uint64 {
	var disk unix.Statfs_t
	if unix.Statfs(dir, &disk) != nil {
		return 1 << 30
	}
	return min(disk.Blocks*uint64(disk.Bsize)/10, 8<<30)
}

// tempSettings bound the temporary data of a statement. store is the engine's directory.
//
// The engine can bound those of a statement, and what they leave free of the disk. It also has bounds for a
// server and for a user, but the embedded engine ignores them (seen with 26.7). So readers must leave free:
// all that is free now, without their temporary data, minus what these may use together.
// their temporary data, less what these may take together.
func tempSettings(store string, isReader bool) []setting {
	keep := 2 * KeepFree(store)
	if !isReader {
		return []setting{{"min_free_disk_space_for_temporary_data", fmt.Sprint(keep)}}
	}
	limit := TempLimit(store)
	var disk unix.Statfs_t
	if unix.Statfs(store, &disk) == nil {
		if room := disk.Bavail*uint64(disk.Bsize) + size(filepath.Join(store, "tmp")+"/"); room > limit {
			keep = max(keep, room-limit)
		}
	}
	return []setting{
		{"max_temporary_data_on_disk_size_for_query", fmt.Sprint(limit)},
		{"min_free_disk_space_for_temporary_data", fmt.Sprint(keep)},
	}
}

// size returns the disk usage of the files below a directory. Files that disappear meanwhile do not count.
func size(dir string) (bytes uint64) {
	filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return nil
		}
		if info, err := entry.Info(); err == nil {
			bytes += blocks(info)
		}
		return nil
	})
	return bytes
}

func blocks(info fs.FileInfo) uint64 {
	if sys, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(sys.Blocks) * 512
	}
	return uint64(info.Size())
}

// Temporary is the disk usage of temporary data.
type Temporary struct {
	Statements uint64 // files of GROUP BY, sort and join
	Answers    uint64 // held results
	Merges     uint64 // parts being written
	Deleted    uint64 // unnamed files that the engine's process still holds open
}

// Total returns the sum.
func (t Temporary) Total() uint64 { return t.Statements + t.Answers + t.Merges + t.Deleted }

func (t Temporary) String() string {
	var parts []string
	add := func(n uint64, what string) {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d MiB of %s", (n+1<<20-1)>>20, what))
		}
	}
	add(t.Statements, "running statements in tmp/engine")
	add(t.Answers, "held answers in tmp/answers")
	add(t.Merges, "merges and inserts in clickhouse")
	add(t.Deleted, "deleted files that the engine holds open")
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, ", ")
}

// TemporaryData measures the temporary data on a data directory's disk. pid is the engine's process, 0 for
// none.
func TemporaryData(dir string, pid int) (t Temporary) {
	t.Statements = size(filepath.Join(tempDir(dir), "engine"))
	t.Answers = size(filepath.Join(tempDir(dir), "answers"))
	parts, _ := filepath.Glob(filepath.Join(dir, "clickhouse", "store", "*", "*", "tmp*"))
	for _, part := range parts {
		t.Merges += size(part)
	}
	if pid > 0 {
		t.Deleted = deletedFiles(pid, dir)
	}
	return t
}

// deletedFiles returns the usage of unnamed files on dir's file system that a process holds open.
func deletedFiles(pid int, dir string) (bytes uint64) {
	var home unix.Stat_t
	if unix.Stat(dir, &home) != nil {
		return 0
	}
	fds, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	seen := map[uint64]bool{}
	for _, fd := range fds {
		var file unix.Stat_t
		if unix.Stat(fd, &file) != nil || file.Nlink > 0 || file.Dev != home.Dev || file.Mode&unix.S_IFMT != unix.S_IFREG || seen[file.Ino] {
			continue
		}
		seen[file.Ino] = true
		bytes += uint64(file.Blocks) * 512
	}
	return bytes
}

// emptyTemp removes what the last engine left.
func emptyTemp(dir string) error {
	left, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, entry := range left {
		if err := os.RemoveAll(filepath.Join(dir, entry.Name())); err != nil {
			return err
		}
	}
	return nil
}
