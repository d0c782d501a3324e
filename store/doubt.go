package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"netmeta/column"
	"netmeta/native"
)

// Rows may kill the store: a bug of the engine, or an insert for which the machine has
// not the memory. Tried again and again they would keep all others from it, so
//
//	an insert killed the store 3 times in a row   ─► its blocks go one by one
//	a block killed it, alone                      ─► to doubted/; the rest goes on
//	it did so 3 times, with other inserts between ─► to refused/
//
// Somebody may kill the store for other reasons, at any moment. Nothing is doubled or lost
// by that, since a block has one token on all of this way; and that a block is put aside
// without being guilty takes three chances, each within the milliseconds of its insert.
const (
	killsSplit = 3
	killsAside = 3
	// Between two attempts with suspect blocks the others have the store for themselves.
	suspectRest = 10 * time.Second
	// How long the store may take to answer the question that harms nobody.
	probeTimeout = 10 * time.Second
	// Rows of a block that are looked for, to know whether it is stored.
	rowsLookedFor = 16

	suspectDir = "doubted"
)

// A connectionLost is an *InterruptedError of a block.
type connectionLost struct {
	error
	block int // which one of the load, when they go one by one
}

func (d *connectionLost) Unwrap() error { return d.error }

// brokeOff tells a connection that ended in the middle from a store that is away.
func brokeOff(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// A suspectBlock is a block in a file of its own, which has killed the store.
type suspectBlock struct {
	*spoolFile
	kills  int       // in this process
	again  time.Time // not to be tried before
	landed uint64    // inserts that had ended well when it killed the last time
}

// probed makes an attempt after a question that harms nobody: only of a store that has
// answered can be said that the rows killed it.
func (r *writerRun) probed(ctx context.Context, l *insertJob, token string, blocks []native.Block) error {
	short, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	if err := r.Inserter.Ping(short); err != nil {
		return fmt.Errorf("before the insert: %w", err)
	}
	return r.attempt(ctx, l.table, token, blocks)
}

// killed draws the conclusion of a death during a load that was probed.
func (r *writerRun) killed(l *insertJob, d *connectionLost) {
	switch {
	case l.suspect != nil:
		r.killedAgain(l, d)
	case l.each:
		if l.files == nil { // the spool cannot be written
			return
		}
		b := l.blocks[d.block]
		if err := r.Spool.setApart(l, d.block, r.well, r.rest()); err != nil {
			r.Log.Error("rows that killed the store cannot be set apart: they hold up the others", "table", l.table.Name, "rows", b.Rows, "err", err)
			return
		}
		r.Log.Warn("rows killed the store: they are set apart, the others go on", "table", l.table.Name, "rows", b.Rows, "err", d)
	default:
		r.failures.kills++
		if r.failures.kills < killsSplit {
			return
		}
		if l.files == nil && r.put(l) {
			r.waiting = r.waiting[1:]
		}
		if l.files == nil { // without a file nothing could be set apart
			return
		}
		l.each, l.ask = true, true
		r.Spool.split(l)
		r.Log.Warn("an insert killed the store several times in a row: its blocks are tried one by one", "table", l.table.Name, "times", r.failures.kills, "rows", l.rows())
	}
}

// killedAgain puts a suspect block aside when it has killed often enough.
func (r *writerRun) killedAgain(l *insertJob, d *connectionLost) {
	x := l.suspect
	x.kills++
	x.again, x.landed = time.Now().Add(r.rest()), r.well
	if x.kills < killsAside {
		return
	}
	l.refused = nil
	for _, b := range l.blocks {
		l.refused = append(l.refused, rejectedBlock{b, fmt.Sprintf("the store died each of the %d times that it was given these rows alone, and took others in between: %v", x.kills, d)})
	}
	if err := r.keepRefused(l); err != nil { // at the next death, then
		r.Log.Error("spool: rows that kill the store cannot be put aside", "err", err)
		return
	}
	r.Stats.RefusedRows.Add(uint64(l.rows()))
	if err := r.Spool.done(l); err != nil {
		r.Log.Error("spool: remove what is put aside", "err", err)
	}
}

func (r *writerRun) rest() time.Duration {
	if r.suspectRest > 0 {
		return r.suspectRest
	}
	return suspectRest
}

// nextSuspect gives a suspect block that may be tried: it has rested, the store takes
// other inserts, and has done so since this one killed it.
func (r *writerRun) nextSuspect(now time.Time) *suspectBlock {
	if r.pause > 0 {
		return nil
	}
	for _, x := range r.Spool.suspects {
		if r.well > x.landed && !now.Before(x.again) {
			return x
		}
	}
	return nil
}

// takeSuspect makes a load of it.
func (s *Spool) takeSuspect(x *suspectBlock) *insertJob {
	s.inFlight = []*spoolFile{x.spoolFile}
	return &insertJob{number: x.number, table: x.table, token: x.token, each: true, probe: true, ask: true, suspect: x, files: s.inFlight}
}

// setApart gives a block of a load that goes block by block a file of its own. Whenever
// the process is killed, the block is tried under one token: until join.json says that it
// is apart, both the load and the file may do so.
func (s *Spool) setApart(l *insertJob, block int, landed uint64, rest time.Duration) error {
	defer s.account()
	b := l.blocks[block]
	f := &spoolFile{number: s.reserve(), table: l.table, token: l.tokenOf(block), rows: b.Rows, blocks: 1, at: time.Now(), dir: suspectDir}
	if err := s.makeRoom(int64(len(b.Data))); err != nil {
		return err
	}
	var err error
	f.size, err = s.writeBlocks(filepath.Join(f.dir, s.name(f.number, f.table)), f.token, f.at, []native.Block{b})
	if err != nil {
		return err
	}
	j := *s.join
	j.Apart = append(slices.Clone(j.Apart), block)
	if err := s.writeJoin(&j); err != nil {
		os.Remove(s.path(f))
		return err
	}
	s.join = &j
	s.suspects = append(s.suspects, &suspectBlock{spoolFile: f, kills: 1, again: time.Now().Add(rest), landed: landed})
	return nil
}

// scanSuspects reads doubted/ as the last process left it.
func (s *Spool) scanSuspects() error {
	entries, err := os.ReadDir(filepath.Join(s.dir, suspectDir))
	if err != nil {
		return err
	}
	for _, e := range entries {
		number, name := numberOf(e.Name()), filepath.Join(suspectDir, e.Name())
		if strings.HasSuffix(name, ".tmp") {
			s.removeTemp(name)
			continue
		}
		if !strings.HasSuffix(name, ending) || number == 0 {
			continue
		}
		s.last = max(s.last, number)
		f, err := s.look(suspectDir, e.Name(), number)
		if d := (*corruptError)(nil); errors.As(err, &d) {
			s.putAside(name, d.text)
		} else if err != nil {
			return err
		} else {
			s.suspects = append(s.suspects, &suspectBlock{spoolFile: f})
		}
	}
	return nil
}

// tokenOf is the token under which a block of the load goes alone.
func (l *insertJob) tokenOf(block int) string {
	if l.suspect != nil {
		return l.token
	}
	return fmt.Sprintf("%s-%d", l.token, block)
}

// lookedFor gives some rows of a block as tuples of ClickHouse: the columns of a fixed size
// that come before the first other one. These are who sent a row, when, its number and what
// it counts.
//
//	block  = columns:uvarint rows:uvarint column…
//	column = name:string type:string data
func lookedFor(b native.Block) (tuples, names []string) {
	data := b.Data
	number := func() uint64 {
		v, n := binary.Uvarint(data)
		if n <= 0 {
			data = nil
			return 0
		}
		data = data[n:]
		return v
	}
	text := func() string {
		n := number()
		if n > uint64(len(data)) {
			data = nil
			return ""
		}
		s := string(data[:n])
		data = data[n:]
		return s
	}
	columns, rows := number(), number()
	if rows == 0 || rows != uint64(b.Rows) {
		return nil, nil
	}
	step := max(1, b.Rows/rowsLookedFor)
	values := make([][]string, min(b.Rows, rowsLookedFor))
	for range columns {
		f := b.Table.Field(text())
		text()
		if f == nil {
			break
		}
		size := sizeOf(f.Kind)
		if size == 0 || len(data) < size*b.Rows {
			break
		}
		if f.Kind != column.Enum && f.Kind != column.TimeMS { // literals of these are not plain
			names = append(names, f.Name)
			for i := range values {
				at := i * step * size
				values[i] = append(values[i], literal(f.Kind, data[at:at+size]))
			}
		}
		data = data[size*b.Rows:]
	}
	if len(names) == 0 {
		return nil, nil
	}
	for _, v := range values {
		if tuple := "(" + strings.Join(v, ", ") + ")"; !slices.Contains(tuples, tuple) {
			tuples = append(tuples, tuple)
		}
	}
	return tuples, names
}

// sizeOf is how many bytes a value takes in a block; 0: it depends.
func sizeOf(k column.Kind) int {
	switch k {
	case column.Uint8, column.Enum:
		return 1
	case column.Uint16:
		return 2
	case column.Uint32, column.Time:
		return 4
	case column.Uint64, column.Int64, column.TimeMS:
		return 8
	case column.IP:
		return 16
	}
	return 0
}

// literal writes a value as ClickHouse reads it in a query.
func literal(k column.Kind, v []byte) string {
	switch k {
	case column.Uint8:
		return fmt.Sprint(v[0])
	case column.Uint16:
		return fmt.Sprint(binary.LittleEndian.Uint16(v))
	case column.Uint32, column.Time:
		return fmt.Sprint(binary.LittleEndian.Uint32(v))
	case column.Uint64:
		return fmt.Sprint(binary.LittleEndian.Uint64(v))
	case column.Int64:
		return fmt.Sprint(int64(binary.LittleEndian.Uint64(v)))
	case column.IP:
		return "'" + netip.AddrFrom16([16]byte(v)).String() + "'"
	}
	panic(fmt.Sprintf("BUG: no literal of kind %d", k))
}
