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
	"time"

	"netmeta/access"
	"netmeta/internal/wholefile"
	"netmeta/query"
	"netmeta/source"
	"netmeta/store"
)

// A file in the data directory has the sequence number of each exporter up to which its rows are safe, i.e.
// stored or in the spool. After a start, loss is counted from there: rows that a kill removed from memory,
// and datagrams sent while NetMeta was down.
//
// The file is behind the rows: by some milliseconds, and by an insert that the engine completed after the
// collector had died. So the store is asked for the last number of each exporter first.
// each exporter first.

const (
	// saveSequencesShare limits saving to a twentieth of the time.
	saveSequencesShare = 20
	// maxSequences bounds the file, in bytes.
	maxSequences = 64 << 20

	// lostInterval is the interval of checks for missing sequence numbers.
	lostInterval = time.Second
	// fileBehind is the maximum delay of the file behind the rows.
	fileBehind = time.Minute
)

// sequences is the content of the file, by name of the protocol.
type sequences map[string]json.RawMessage

func (c *Collector) sequencesPath() string { return filepath.Join(c.config().Data, "sequences") }

// loadSequences reads the file of an earlier run. Without it only the loss since the start is counted, so an
// error does not prevent a start.
func (c *Collector) loadSequences() {
	last, err := openKept(c, "sequences", c.decoding.followFile)
	if err != nil {
		c.log.Warn("cannot count flows lost before this start", "err", err)
	}
	c.followed = last
}

// countLost counts what was lost since the positions in the file, until ctx ends.
func (c *Collector) countLost(ctx context.Context) {
	var doubts []source.Doubt
	var outage store.Outage
	every(ctx, lostInterval, func() {
		for _, p := range c.decoding.Protocols {
			doubts = append(doubts, p.Missed()...)
		}
		// Rows in the spool of an earlier run must be stored first.
		if spool := c.spool.Stats(); len(doubts) == 0 || !c.migrated.Load() || spool.Files > 0 && spool.Oldest.Before(c.started) {
			return
		}
		left, err := c.countDoubts(ctx, doubts)
		doubts = left
		if err != nil {
			if ctx.Err() == nil {
				outage.Failed(c.log, "cannot count flows lost before this start, retrying", time.Now(), "err", err)
			}
			return
		}
		outage.Over(c.log, "counting flows lost before this start recovered", time.Now())
	})
}

// countDoubts asks the store up to which of the missing numbers each exporter's rows are stored after all.
// Such rows were received shortly after the last position in the file. It returns the doubts that are not
// counted yet.
func (c *Collector) countDoubts(ctx context.Context, doubts []source.Doubt) (left []source.Doubt, err error) {
	const atOnce = 1000 // limits the length of the statement
	for len(doubts) > 0 {
		some := doubts[:min(len(doubts), atOnce)]
		gaps := make([]query.Gap, len(some))
		for i, d := range some {
			gaps[i] = query.Gap{Exporter: d.Exporter, Type: d.Type, Domain: d.Domain, From: d.From, Length: uint64(d.Units)}
			if d.SequenceUnit == source.Including {
				gaps[i].Length++ // a datagram has the number of its last record
			}
		}
		stmt := query.LastOfGaps(access.Everything, gaps, (c.followed-fileBehind.Milliseconds())/1000, min(c.started.Unix(), (c.followed+fileBehind.Milliseconds())/1000))
		res, _, err := c.client.Select(ctx, store.Query{SQL: stmt.SQL, Params: stmt.Params})
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

// followFile continues the sequences of a file. It returns the time of the last position in Unix
// milliseconds.
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

// marshalSequences returns the content of the file.
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
func (c *Collector) moreSafe() {
	select {
	case c.safe <- struct{}{}:
	default:
	}
}

// keepSequences saves whenever rows have become safe, until ctx ends.
func (c *Collector) keepSequences(ctx context.Context) {
	for {
		select {
		case <-c.safe:
		case <-ctx.Done():
			return
		}
		began := time.Now()
		c.saveSequences()
		pause(ctx, saveSequencesShare*time.Since(began))
	}
}

// saveSequences replaces the file without a sync. A kill leaves it complete nevertheless, and a power cut
// costs less than syncing it twice a second.
func (c *Collector) saveSequences() {
	path := c.sequencesPath()
	content, err := c.decoding.marshalSequences()
	if err == nil {
		err = os.WriteFile(path+".tmp", content, 0o600)
	}
	if err == nil {
		err = os.Rename(path+".tmp", path)
	}
	if err != nil {
		c.unsaved.Failed(c.log, "cannot save sequence numbers, retrying; flows lost in a crash will not be counted", time.Now(), "err", err)
		return
	}
	c.unsaved.Over(c.log, "saving sequence numbers recovered", time.Now())
}
