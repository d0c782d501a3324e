package collector

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"netmeta/internal/wholefile"
	"netmeta/source"
	"netmeta/store"
)

// How far each exporter's rows are safe, which is stored or in the spool, is kept in a
// file of the data directory, by sequence number. After a start, loss is counted from
// there: what a kill took from memory, and what was sent while nobody listened.
//
// The file is behind the rows: by some milliseconds, and by an insert that the engine
// ended when the collector was dead already. So the store is asked for the last number of
// each exporter first.

const (
	// saveSequencesShare: saving takes a twentieth of the time at most.
	saveSequencesShare = 20
	// maxSequences bounds the file, in octets.
	maxSequences = 64 << 20

	// lookForLost is how often it is looked whether something was missed.
	lookForLost = time.Second
	// fileBehind is how far the file may be behind the rows.
	fileBehind = time.Minute
)

// sequences is the content of the file: of each protocol, by its name.
type sequences map[string]json.RawMessage

func (s *Collector) sequencesPath() string { return filepath.Join(s.config().Data, "sequences") }

// loadSequences takes in what an earlier run kept. Without it only the loss since the
// start is counted, so nothing here keeps us from starting.
func (s *Collector) loadSequences() {
	last, err := openKept(s, "sequences", s.decoding.followFile)
	if err != nil {
		s.log.Warn("cannot count flows lost before this start", "err", err)
	}
	s.followed = last
}

// countLost counts what was missed since the places of the file, until ctx ends.
func (s *Collector) countLost(ctx context.Context) {
	var doubts []source.Doubt
	var outage store.Outage
	every(ctx, lookForLost, func() {
		for _, p := range s.decoding.Protocols {
			doubts = append(doubts, p.Missed()...)
		}
		// What an earlier run left in the spool is to be stored first.
		if spool := s.spool.Stats(); len(doubts) == 0 || !s.migrated.Load() || spool.Files > 0 && spool.Oldest.Before(s.started) {
			return
		}
		left, err := s.countDoubts(ctx, doubts)
		doubts = left
		if err != nil {
			if ctx.Err() == nil {
				outage.Failed(s.log, "cannot count flows lost before this start, retrying", time.Now(), "err", err)
			}
			return
		}
		outage.Over(s.log, "counting flows lost before this start recovered", time.Now())
	})
}

// countDoubts asks the store how far each exporter's rows are stored after all: which of
// the numbers that were missed is the last one that is there. Such rows were received
// shortly after the last place of the file. It returns those that are not counted yet.
func (s *Collector) countDoubts(ctx context.Context, doubts []source.Doubt) (left []source.Doubt, err error) {
	const atOnce = 1000 // for the length of the statement
	for len(doubts) > 0 {
		some := doubts[:min(len(doubts), atOnce)]
		var values []string
		for i, d := range some {
			end := uint64(d.Units)
			if d.SequenceUnit == source.Including {
				end++ // a datagram has the number of its last record
			}
			values = append(values, fmt.Sprintf("(%d, toIPv6('%s'), %d, %d, %d, %d)", i, d.Exporter, d.Type, d.Domain, d.From, end))
		}
		res, _, err := s.client.Select(ctx, store.Query{SQL: fmt.Sprintf(`
SELECT i, max(ahead) AS seq, argMax(n, ahead) AS units FROM (
	SELECT i, toUInt32(SequenceNum - first) AS ahead, toUInt32(count()) AS n FROM flows
	INNER JOIN (SELECT * FROM values('i UInt32, address IPv6, type UInt8, domain UInt32, first UInt32, end UInt64', %s)) AS doubts
	ON ExporterAddress = address AND toUInt8(FlowType) = type AND ObservationDomain = domain
	WHERE TimeReceived BETWEEN %d AND %d AND toUInt32(SequenceNum - first) < end
	GROUP BY i, ahead)
GROUP BY i`, strings.Join(values, ", "), (s.followed-fileBehind.Milliseconds())/1000, min(s.started.Unix(), (s.followed+fileBehind.Milliseconds())/1000))})
		if err != nil {
			return doubts, err
		}
		stored := map[uint32]source.Position{}
		if res.Rows > 0 {
			seq, units := res.Column("seq").([]uint32), res.Column("units").([]uint32)
			for row, i := range res.Column("i").([]uint32) {
				stored[i] = source.Position{Seq: some[i].From + seq[row], Units: units[row]}
			}
		}
		for i, d := range some {
			lost := uint64(d.Units)
			if last, ok := stored[uint32(i)]; ok {
				lost = d.Lost(last)
			}
			d.Count(lost)
		}
		doubts = doubts[len(some):]
	}
	return nil, nil
}

// followFile has the protocols go on with the sequences of a file. It returns the time of
// the last place, in Unix milliseconds.
func (d *Decoding) followFile(path string) (last int64, err error) {
	f, err := wholefile.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("sequences: %w", err)
	}
	defer f.Close()
	var kept sequences
	if err := json.NewDecoder(io.LimitReader(f, maxSequences)).Decode(&kept); err != nil {
		return 0, fmt.Errorf("cannot read %s: %w", path, err)
	}
	for _, p := range d.Protocols {
		if kept[p.Name] == nil {
			continue
		}
		at, err := p.FollowSequences(kept[p.Name])
		if err != nil {
			return last, fmt.Errorf("cannot read %s: %s: %w", path, p.Name, err)
		}
		last = max(last, at)
	}
	return last, nil
}

// marshalSequences is the content of the file.
func (d *Decoding) marshalSequences() ([]byte, error) {
	kept := sequences{}
	for _, p := range d.Protocols {
		var err error
		if kept[p.Name], err = p.MarshalSequences(); err != nil {
			return nil, err
		}
	}
	return json.Marshal(kept)
}

// moreSafe is called by the writer.
func (s *Collector) moreSafe() {
	select {
	case s.safe <- struct{}{}:
	default:
	}
}

// keepSequences saves whenever rows have become safe, until ctx ends.
func (s *Collector) keepSequences(ctx context.Context) {
	for {
		select {
		case <-s.safe:
		case <-ctx.Done():
			return
		}
		began := time.Now()
		s.saveSequences()
		pause(ctx, saveSequencesShare*time.Since(began))
	}
}

// saveSequences replaces the file. It is not synced: a kill leaves it whole all the same,
// and after a power cut it counts for less than what syncing it twice a second costs.
func (s *Collector) saveSequences() {
	path := s.sequencesPath()
	content, err := s.decoding.marshalSequences()
	if err == nil {
		err = os.WriteFile(path+".tmp", content, 0o600)
	}
	if err == nil {
		err = os.Rename(path+".tmp", path)
	}
	if err != nil {
		s.unsaved.Failed(s.log, "cannot save sequence numbers, retrying; flows lost in a crash will not be counted", time.Now(), "err", err)
		return
	}
	s.unsaved.Over(s.log, "saving sequence numbers recovered", time.Now())
}
