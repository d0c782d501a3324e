package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"netmeta/source/netflow"
	"netmeta/source/sflow"
)

// How far each exporter's rows are stored is kept in a file of the data directory, by
// sequence number. After a start, loss is counted from there: what a kill took from
// memory, and what was sent while nobody listened.
//
// The file is written when rows have become safe, which is stored or in the spool, so it
// is behind them by a few milliseconds. A kill in these counts the rows of one insert as
// lost, though they are stored.

const (
	// saveSequencesShare: saving takes a twentieth of the time at most.
	saveSequencesShare = 20
	// maxSequences bounds the file, in octets.
	maxSequences = 64 << 20
)

// sequences is the content of the file.
type sequences struct {
	NetFlow []netflow.KeptSequence `json:"netflow"`
	SFlow   []sflow.KeptSequence   `json:"sflow"`
}

func (s *server) sequencesPath() string { return filepath.Join(s.config().Data, "sequences") }

// loadSequences takes in what an earlier run kept. Without it only the loss since the
// start is counted, so nothing here keeps us from starting.
func (s *server) loadSequences() {
	kept, err := readSequences(s.sequencesPath())
	if err != nil {
		s.log.Warn("flows lost before this start are not counted", "err", err)
	}
	s.decoding.netflow.Follow(kept.NetFlow)
	s.decoding.sflow.Follow(kept.SFlow)
}

func readSequences(path string) (kept sequences, err error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return kept, nil
	}
	if err != nil {
		return kept, fmt.Errorf("sequences: %w", err)
	}
	defer f.Close()
	if err := json.NewDecoder(io.LimitReader(f, maxSequences)).Decode(&kept); err != nil {
		return sequences{}, fmt.Errorf("cannot read %s: %w; it is written again when flows arrive", path, err)
	}
	return kept, nil
}

// moreSafe is called by the writer.
func (s *server) moreSafe() {
	select {
	case s.safe <- struct{}{}:
	default:
	}
}

// keepSequences saves whenever rows have become safe, until ctx ends.
func (s *server) keepSequences(ctx context.Context) {
	for {
		select {
		case <-s.safe:
		case <-ctx.Done():
			return
		}
		began := time.Now()
		s.saveSequences()
		select {
		case <-time.After(saveSequencesShare * time.Since(began)):
		case <-ctx.Done():
			return
		}
	}
}

// saveSequences replaces the file. It is not synced: a kill leaves it whole all the same,
// and after a power cut it counts for less than what syncing it twice a second costs.
func (s *server) saveSequences() {
	path := s.sequencesPath()
	content, err := json.Marshal(sequences{s.decoding.netflow.Sequences(), s.decoding.sflow.Sequences()})
	if err == nil {
		err = os.WriteFile(path+".tmp", content, 0o600)
	}
	if err == nil {
		err = os.Rename(path+".tmp", path)
	}
	if err != nil {
		s.unsaved.Failed(s.log, "cannot save sequence numbers: after a kill, lost flows are not counted", time.Now(), "err", err)
		return
	}
	s.unsaved.Over(s.log, "sequence numbers are saved again", time.Now())
}
