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

// Rows may crash the store: through a bug of the engine, or an insert that needs more memory than the machine
// has. Retried continuously, they would block all others, so
//
//	an insert killed the store 3 times in a row   ─► its blocks are inserted one by one
//	a block alone killed it                       ─► to doubted/; the rest continues
//	it did so 3 times, with other inserts between ─► to refused/
//
// The store may be killed for other reasons at any moment. That neither duplicates nor loses rows, because a
// block keeps one token all this way. An innocent block is quarantined only if three such kills each hit the
// milliseconds of its insert.
const (
	killsSplit = 3
	killsAside = 3
	// Between two attempts with suspect blocks, only others are inserted.
	suspectRest = 10 * time.Second
	// Time limit of the store's answer to the harmless query.
	probeTimeout = 10 * time.Second
	// Rows of a block that are searched for to find out whether it is stored.
	rowsLookedFor = 16

	suspectDir = "doubted"
)

// connectionLost is an *InterruptedError of a block.
type connectionLost struct {
	error
	block int // index of the block, if they are inserted one by one
}

func (d *connectionLost) Unwrap() error { return d.error }

// brokeOff distinguishes a connection that broke from a store that is down.
func brokeOff(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// suspectBlock is a block that has crashed the store, in its own file.
type suspectBlock struct {
	*spoolFile
	kills  int       // in this process
	again  time.Time // not to be tried earlier
	landed uint64    // successful inserts at the time of the last crash
}

// probed makes an attempt after a harmless query: the rows can only be blamed for a crash if the store was
// alive before.
func (r *writerRun) probed(ctx context.Context, l *insertJob, token string, blocks []native.Block) error {
	short, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	if err := r.Inserter.Ping(short); err != nil {
		return fmt.Errorf("before the insert: %w", err)
	}
	return r.attempt(ctx, l.table, token, blocks)
}

// killed handles a crash during an insert that was probed.
func (r *writerRun) killed(l *insertJob, d *connectionLost) {
	switch {
	case l.suspect != nil:
		r.killedAgain(l, d)
	case l.each:
		if l.files == nil { // the spool is not writable
			return
		}
		b := l.blocks[d.block]
		if err := r.Spool.setApart(l, d.block, r.well, r.rest()); err != nil {
			r.Log.Error("cannot quarantine rows that crashed the store; they block the others", "table", l.table.Name, "rows", b.Rows, "err", err)
			return
		}
		r.Log.Warn("rows crashed the store; quarantined", "table", l.table.Name, "rows", b.Rows, "err", d)
	default:
		r.failures.kills++
		if r.failures.kills < killsSplit {
			return
		}
		if l.files == nil && r.put(l) {
			r.waiting = r.waiting[1:]
		}
		if l.files == nil { // blocks without a file cannot be set apart
			return
		}
		l.each, l.ask = true, true
		r.Spool.split(l)
		r.Log.Warn("an insert crashed the store repeatedly; inserting its blocks one by one", "table", l.table.Name, "times", r.failures.kills, "rows", l.rows())
	}
}

// killedAgain moves a suspect block to refused/ when it has crashed the store often enough.
func (r *writerRun) killedAgain(l *insertJob, d *connectionLost) {
	x := l.suspect
	x.kills++
	x.again, x.landed = time.Now().Add(r.rest()), r.well
	if x.kills < killsAside {
		return
	}
	l.refused = nil
	for _, b := range l.blocks {
		l.refused = append(l.refused, rejectedBlock{b, fmt.Sprintf("the store crashed each of the %d times that these rows were inserted alone, and accepted others in between: %v", x.kills, d)})
	}
	if err := r.keepRefused(l); err != nil { // otherwise at the next crash
		r.Log.Error("spool: cannot move rows that crash the store", "err", err)
		return
	}
	r.Stats.RefusedRows.Add(uint64(l.rows()))
	if err := r.Spool.done(l); err != nil {
		r.Log.Error("spool: cannot remove moved rows", "err", err)
	}
}

func (r *writerRun) rest() time.Duration {
	if r.suspectRest > 0 {
		return r.suspectRest
	}
	return suspectRest
}

// nextSuspect returns a suspect block that may be tried: its pause is over, and the store accepts other
// inserts, and has accepted some since this block crashed it.
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

// takeSuspect makes a job of the block.
func (s *Spool) takeSuspect(x *suspectBlock) *insertJob {
	s.inFlight = []*spoolFile{x.spoolFile}
	return &insertJob{number: x.number, table: x.table, token: x.token, each: true, probe: true, ask: true, suspect: x, files: s.inFlight}
}

// setApart writes a block of a job that is inserted block by block to its own file. If the process is killed
// at any time, the block keeps its token: until join.json says that it is apart, both the job and the file
// may insert it.
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

// tokenOf returns the token under which a block of the job is inserted alone.
func (l *insertJob) tokenOf(block int) string {
	if l.suspect != nil {
		return l.token
	}
	return fmt.Sprintf("%s-%d", l.token, block)
}

// lookedFor returns some rows of a block as tuples of ClickHouse: the fixed-size columns before the first
// other one. These have the exporter, the time, the sequence number and the counts of a row.
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
		if f.Kind != column.Enum && f.Kind != column.TimeMS { // their literals are not plain
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

// sizeOf returns the bytes of a value in a block; 0: variable.
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
