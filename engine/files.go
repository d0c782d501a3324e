package engine

import (
	"fmt"
	"syscall"
)

// Open files and sockets of a process. A process starts with the soft limit, which Go raises to the hard one
// at its start.
const (
	leastFiles  = 256  // minimum for a start: sockets, connections, files of the first inserts
	wantedFiles = 4096 // a query over many parts reads several files of each at the same time
)

// OpenFiles checks the limit of open files of a process of this program. The error means that it cannot work,
// the warning that it will reach the limit.
func OpenFiles() (warning string, err error) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return "", nil // unknown
	}
	return judgeFiles(limit.Max)
}

func judgeFiles(most uint64) (warning string, err error) {
	const remedy = "raise it with LimitNOFILE in the unit, or ulimit -n"
	switch {
	case most < leastFiles:
		return "", fmt.Errorf("too few open files are allowed: %d; at least %d are needed for sockets and the files of the store, %d for queries over many of these: %s",
			most, leastFiles, wantedFiles, remedy)
	case most < wantedFiles:
		return fmt.Sprintf("few open files are allowed: %d; queries over many parts of the store need up to %d: %s", most, wantedFiles, remedy), nil
	}
	return "", nil
}
