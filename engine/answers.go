package engine

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"
)

// Limits of results that wait_end_of_query holds back beyond their buffer.
const (
	maxHeld    = 256 << 20 // bytes of one result
	maxHeldAll = 1 << 30   // bytes of all results
)

// answers holds back results: unnamed files in a directory of the data directory, so that they count as
// temporary data of the engine and disappear with its process.
type answers struct {
	dir  string
	held atomic.Int64 // bytes
}

// newAnswers makes the directory tmp/answers of a data directory, and empties it.
func newAnswers(path string) (*answers, error) {
	a := &answers{dir: filepath.Join(path, "tmp", "answers")}
	if err := os.RemoveAll(a.dir); err != nil {
		return nil, fmt.Errorf("engine: held answers: %w", err)
	}
	if err := os.MkdirAll(a.dir, 0o700); err != nil {
		return nil, fmt.Errorf("engine: held answers: %w", err)
	}
	return a, nil
}

// heldAnswer is the held part of one result.
type heldAnswer struct {
	answers *answers
	file    *os.File
	size    int64
}

func (a *answers) hold() (*heldAnswer, error) {
	f, err := os.CreateTemp(a.dir, "answer-")
	if err != nil {
		return nil, fmt.Errorf("hold the result back: %w", err)
	}
	os.Remove(f.Name())
	return &heldAnswer{answers: a, file: f}, nil
}

func (h *heldAnswer) Write(p []byte) (int, error) {
	n := int64(len(p))
	if h.size+n > maxHeld {
		return 0, errorf(codeTooManyBytes, "TOO_MANY_ROWS_OR_BYTES",
			"The answer is larger than %d MiB, the most that wait_end_of_query holds back; leave wait_end_of_query out, or use LIMIT", maxHeld>>20)
	}
	if h.answers.held.Add(n) > maxHeldAll {
		h.answers.held.Add(-n)
		return 0, errorf(codeTooManyBytes, "TOO_MANY_ROWS_OR_BYTES",
			"wait_end_of_query holds back more than %d MiB of all answers; leave wait_end_of_query out, use LIMIT, or try again when others have ended", maxHeldAll>>20)
	}
	h.size += n
	return h.file.Write(p)
}

// copyTo writes the held part.
func (h *heldAnswer) copyTo(w io.Writer) error {
	if _, err := h.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	_, err := io.Copy(w, h.file)
	return err
}

func (h *heldAnswer) Close() error {
	h.answers.held.Add(-h.size)
	h.size = 0
	return h.file.Close()
}
