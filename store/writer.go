package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"netmeta/column"
	"netmeta/native"
)

const (
	// An insert takes up to about this many queued rows. Each insert makes one part of the table, so larger
	// is cheaper, until memory matters. The server would split a body of more than a million rows or 256 MiB,
	// and not recognise its token on a retry. Nor would a table remember the tokens of more blocks than its
	// window, should they be inserted one by one.
	insertRows   = 500_000
	insertBytes  = 128 << 20
	insertBlocks = 512
	// Minimum time between inserts, which is also the maximum time that a block waits in memory while the
	// store is behind. With the age of a batch and the duration of an insert it is below the second that a
	// kill of the collector may lose. One insert per second would save the engine a twelfth of its work at
	// 50,000 flows/s.
	insertEvery = 500 * time.Millisecond
	// Blocks that the store has not accepted after this time are written to the spool, while the insert
	// continues.
	spoolAfter = 2 * time.Second
	// Interval of checks for scarce memory during an insert.
	pressEvery = 50 * time.Millisecond
	// An attempt that takes longer is abandoned and repeated. The token prevents duplicates if the first one
	// succeeds after all.
	insertTimeout = 2 * time.Minute
	// Pauses between attempts increase from the first to the last of these.
	retryFirst = 100 * time.Millisecond
	retryLast  = 5 * time.Second
)

// Writer writes blocks to their tables, in order, one insert at a time. Blocks that the store does not accept
// go to the spool, and from there to the store once it does.
type Writer struct {
	Inserter Inserter
	Tables   []*column.Table // of the blocks in the queue
	Spool    *Spool
	Log      *slog.Logger

	// Ready waits until the store is writable. An error other than the context's means that it never will be:
	// everything then goes to the spool. nil: it is writable.
	Ready func(context.Context) error

	Taken func(native.Block) // called with each block taken from the queue; may be nil
	Safe  func()             // called after Safe of some blocks; may be nil
	Full  func() float64     // fill level of the queue, from 0 to 1; nil: unknown, and the queue may fill up

	// Sync makes stored rows survive a loss of power. It is called after an insert of blocks that require it
	// (native.Block.Synced), before they are reported as safe or removed from the spool. nil: the store's
	// response is enough.
	Sync func() error

	suspectRest time.Duration // for tests; 0: the constant

	Stats WriterStats

	once sync.Once
	rows map[*column.Table]*atomic.Uint64 // stored
}

// RowsOf returns the number of stored rows of a table. It is safe for concurrent use.
func (w *Writer) RowsOf(table *column.Table) uint64 {
	if n := w.stored()[table]; n != nil {
		return n.Load()
	}
	return 0
}

// stored returns the counters of rows of each table.
func (w *Writer) stored() map[*column.Table]*atomic.Uint64 {
	w.once.Do(func() {
		w.rows = map[*column.Table]*atomic.Uint64{}
		for _, t := range w.Tables {
			w.rows[t] = new(atomic.Uint64)
		}
	})
	return w.rows
}

// WriterStats count the work of the writer. They are safe for concurrent use.
type WriterStats struct {
	Rows        atomic.Uint64 // of all tables
	Blocks      atomic.Uint64
	Bytes       atomic.Uint64 // of Native blocks
	Inserts     atomic.Uint64
	Errors      atomic.Uint64 // failed attempts, also those repeated later
	RefusedRows atomic.Uint64 // in refused/, because the store will never accept them, crashes with them, or they were damaged on the spool's disk
	LastMS      atomic.Uint64 // duration of the last insert
	Since       atomic.Int64  // Unix milliseconds when the oldest rows not stored yet were taken; 0: none

	problem atomic.Pointer[error] // of the last attempt
	unkept  atomic.Pointer[error] // why rows wait only in memory
}

// Unkept returns why rows are only in memory: the store has not accepted them in time, and the spool is not
// writable. It is nil otherwise.
func (s *WriterStats) Unkept() error {
	if p := s.unkept.Load(); p != nil {
		return *p
	}
	return nil
}

// Problem returns the error of the last attempt; nil if it succeeded.
func (s *WriterStats) Problem() error {
	if p := s.problem.Load(); p != nil {
		return *p
	}
	return nil
}

// Run takes blocks from the queue until it is closed, and returns once everything is stored. When ctx ends it
// no longer waits for the store: blocks not accepted by then stay in the spool, for the next start. The error
// is that of Ready, with the number of rows that were lost because the spool was not writable either.
func (w *Writer) Run(ctx context.Context, queue <-chan native.Block) error {
	now := time.Now()
	r := &writerRun{Writer: w, ctx: ctx, queue: queue, stop: ctx.Done(), begun: now, due: now, landed: make(chan error, 1)}
	if w.Ready != nil {
		r.preparing = make(chan error, 1)
		go func() { r.preparing <- w.Ready(ctx) }()
	}
	return r.run()
}

// writerRun is one Run. Its state belongs to the goroutine of Run; an insert, or the wait for the store, runs
// concurrently and sends an error at its end.
//
//	queue ─► pending ─► waiting ─► in flight ─► store
//	                 └─► spool ─────┘
//
// While the store keeps up, nothing touches the disk. Once it is behind, pending blocks go to the spool until
// that is empty, which preserves the order.
type writerRun struct {
	*Writer
	ctx   context.Context
	queue <-chan native.Block // nil once it is closed
	stop  <-chan struct{}     // nil once ctx has ended

	begun     time.Time
	preparing chan error // Ready; nil once it has returned
	final     error      // of Ready: the store will never accept anything

	pending pendingBlocks // taken from the queue
	due     time.Time     // when they may be inserted
	waiting []*insertJob  // for the store, in memory
	groups  []*group      // with rows that are only in memory, in the order of the queue

	flight   *insertJob // being inserted
	launched time.Time
	landed   chan error

	pause    time.Duration // between attempts; 0: the last one succeeded
	again    time.Time     // time of the next attempt
	well     uint64        // successful inserts
	outage   Outage
	failures insertFailures
	spill    struct { // to the spool
		again time.Time // time of the next attempt
		err   error     // of the last attempt
		stuck error     // of the last necessary attempt, until store or spool accept rows
	}
}

// insertFailures are the failures of the job with a token.
type insertFailures struct {
	token   string
	refused int // consecutive permanent rejections
	large   int // attempts for which the store lacked memory
	kills   int // consecutive crashes of the store; see doubt.go
}

func (r *writerRun) run() error {
	timer := time.NewTimer(0)
	for {
		for len(r.queue) > 0 && !r.pending.full() {
			b, ok := <-r.queue
			r.take(b, ok)
		}
		now := time.Now()
		r.toSpool(now)
		r.launch(now)
		r.say()
		if r.ended() {
			return r.result()
		}
		queue := r.queue
		if r.pending.full() {
			queue = nil
		}
		timer.Reset(r.sleep(now))
		select {
		case b, ok := <-queue:
			r.take(b, ok)
		case err := <-r.preparing:
			r.preparing = nil
			if err != nil && r.ctx.Err() == nil {
				r.final = err
			}
		case err := <-r.landed:
			r.land(err)
		case <-timer.C:
		case <-r.stop:
			r.stop = nil
		}
	}
}

// take takes a block from the queue.
func (r *writerRun) take(b native.Block, ok bool) {
	if ok {
		if r.Taken != nil {
			r.Taken(b)
		}
		r.pending.add(b)
	} else {
		r.queue = nil
	}
}

// gone reports that no further insert is to be tried.
func (r *writerRun) gone() bool { return r.final != nil || r.ctx.Err() != nil }

// late reports that the insert in flight takes so long that its blocks belong on disk.
func (r *writerRun) late(now time.Time) bool {
	return r.flight != nil && (now.Sub(r.launched) >= spoolAfter || r.gone())
}

// behind reports that the store does not keep up: pending blocks go to the spool.
func (r *writerRun) behind(now time.Time) bool {
	return r.gone() || r.pause > 0 || !r.Spool.empty() || r.late(now) ||
		r.preparing != nil && now.Sub(r.begun) >= spoolAfter
}

// pressed reports that blocks arrive faster than they are inserted, and that memory for them is getting
// scarce.
func (r *writerRun) pressed() bool {
	return r.flight != nil && r.pending.full() && r.Full != nil && r.Full() > 0.5
}

// toSpool writes blocks to disk that belong there. If that fails, they stay where they are and the queue
// fills.
func (r *writerRun) toSpool(now time.Time) {
	if now.Before(r.spill.again) {
		return
	}
	r.spill.err = nil
	if l := r.flight; r.late(now) && l.files == nil && r.put(l) {
		r.Spool.inFlight = l.files
	}
	behind := r.behind(now)
	if !behind && !r.pressed() {
		return
	}
	old := now.Sub(r.pending.since) >= insertEvery || r.pending.full() || r.gone() && r.queue == nil
	if len(r.waiting) == 0 && old {
		r.waiting = r.form()
	}
	for len(r.waiting) > 0 && r.spill.err == nil && r.put(r.waiting[0]) {
		r.waiting = r.waiting[1:]
	}
}

// put writes a job to the spool.
func (r *writerRun) put(l *insertJob) bool {
	r.spill.err = r.Spool.put(l)
	r.spill.stuck = r.spill.err
	if r.spill.err != nil {
		r.spill.again = time.Now().Add(insertEvery)
		return false
	}
	r.safe(l)
	return true
}

// form makes jobs of the pending blocks, one per table.
func (r *writerRun) form() (loads []*insertJob) {
	g := &group{safe: r.pending.safe}
	for _, t := range r.Tables {
		if blocks := r.pending.blocks[t]; len(blocks) > 0 {
			loads = append(loads, &insertJob{number: r.Spool.reserve(), table: t, token: newToken(), blocks: blocks, group: g})
			delete(r.pending.blocks, t)
		}
	}
	g.left = len(loads)
	r.groups = append(r.groups, g)
	r.tellSafe()
	if len(r.pending.blocks) > 0 {
		panic("BUG: rows of a table that the writer does not know")
	}
	r.pending = pendingBlocks{}
	return loads
}

// group is the jobs that were formed at the same time, of all blocks taken from the queue since the previous
// group.
type group struct {
	left int      // jobs with rows that are only in memory
	safe []func() // of its blocks
}

// safe records that the rows of a job are stored or in the spool.
func (r *writerRun) safe(l *insertJob) {
	if l.group == nil {
		return
	}
	l.group.left--
	l.group = nil
	r.tellSafe()
}

// tellSafe calls the functions in the order of the queue, since each also covers all earlier blocks.
func (r *writerRun) tellSafe() {
	told := false
	for len(r.groups) > 0 && r.groups[0].left == 0 {
		for _, safe := range r.groups[0].safe {
			safe()
			told = true
		}
		r.groups = r.groups[1:]
	}
	if told && r.Safe != nil {
		r.Safe()
	}
}

// launch starts the next insert if there is one and it is time. Inserts are large under load, and larger if
// the store is slow. The first flow after silence is visible at once.
func (r *writerRun) launch(now time.Time) {
	if r.flight != nil || r.preparing != nil || r.gone() || now.Before(r.again) {
		return
	}
	if len(r.waiting) == 0 && r.Spool.empty() && (r.queue == nil || r.pending.full() || !now.Before(r.due)) {
		if r.waiting = r.form(); len(r.waiting) > 0 {
			r.due = now.Add(insertEvery)
		}
	}
	x := r.nextSuspect(now)
	switch {
	case x != nil:
		r.flight = r.Spool.takeSuspect(x)
	case !r.Spool.empty() && (len(r.waiting) == 0 || r.Spool.files[0].number < r.waiting[0].number):
		r.flight = r.Spool.take()
	case len(r.waiting) > 0:
		r.flight, r.waiting = r.waiting[0], r.waiting[1:]
	default:
		return
	}
	r.launched = now
	l := r.flight
	l.probe = l.probe || l.each || l.token == r.failures.token
	go func() {
		err := r.send(r.ctx, l)
		if err == nil {
			err = r.syncStored(l)
		}
		r.landed <- err
	}()
}

// land handles the end of an insert.
func (r *writerRun) land(err error) {
	l := r.flight
	r.flight, r.Spool.inFlight = nil, nil
	first := !l.tried
	l.tried = true
	if err == nil {
		err = r.keepRefused(l)
	}
	if err == nil {
		r.count(l)
		r.safe(l)
		if l.files == nil && first { // otherwise an earlier attempt may still be reading them
			for i := range l.blocks {
				l.blocks[i].Release()
			}
		}
		if l.files != nil {
			if err = r.Spool.done(l); err != nil { // it is inserted again without effect: its token is known
				err = fmt.Errorf("spool: remove what was stored: %w", err)
			}
		}
	} else if l.files == nil {
		r.waiting = append([]*insertJob{l}, r.waiting...)
	}
	if err == nil {
		r.pause, r.spill.stuck = 0, nil
		r.outage.Over(r.Log, "store takes rows again", time.Now(), "waited", l.rows()+r.behindRows())
		if len(l.blocks) > len(l.apart)+len(l.refused) {
			r.well++
		}
		if len(r.waiting) == 0 { // no rows are left that it should have accepted
			r.Spool.said(nil)
		}
		return
	}
	if r.ctx.Err() != nil {
		return
	}
	r.Stats.Errors.Add(1)
	r.Stats.problem.Store(&err)
	r.pause = min(max(2*r.pause, retryFirst), retryLast)
	r.again = time.Now().Add(r.pause)
	r.weigh(l, err)
	r.outage.Failed(r.Log, "store does not take rows: trying again", time.Now(), "table", l.table.Name, "err", err)
}

// behindRows returns the number of rows that wait for the next inserts.
func (r *writerRun) behindRows() int {
	n := r.pending.rows + int(r.Spool.Stats().Rows)
	for _, l := range r.waiting {
		n += l.rows()
	}
	return n
}

// weigh decides after a failure whether a job is continued block by block: one that the store does not accept
// must not block the others.
func (r *writerRun) weigh(l *insertJob, err error) {
	if r.failures.token != l.token {
		r.failures = insertFailures{token: l.token}
	}
	if d := (*connectionLost)(nil); errors.As(err, &d) {
		if l.probe {
			r.killed(l, d)
		}
		return
	}
	code := 0
	if e := (*Exception)(nil); errors.As(err, &e) {
		code = e.Code
		r.failures.kills = 0 // the store survived the rows
	}
	switch {
	case code == codeMemoryLimit:
		r.failures.large++
	case Temporary(err), code == codeUnknownDatabase, code == codeReadonly, code == codeAccessDenied: // no fault of the rows
		r.failures.refused = 0
	default:
		r.failures.refused++
	}
	// One rejection may be due to a table that was changed. A second one is permanent.
	if l.each || r.failures.refused < 2 && r.failures.large < 5 {
		return
	}
	if l.files == nil && r.put(l) {
		r.waiting = r.waiting[1:]
	}
	if l.each = true; l.files != nil {
		r.Spool.split(l)
	}
}

// send makes one attempt to insert a job.
func (r *writerRun) send(ctx context.Context, l *insertJob) error {
	if l.files != nil {
		if err := r.Spool.read(l); err != nil {
			return fmt.Errorf("spool: %w", err)
		}
	}
	switch {
	case !l.each && !l.probe:
		return r.attempt(ctx, l.table, l.token, l.blocks)
	case !l.each:
		return r.probed(ctx, l, l.token, l.blocks)
	}
	l.refused = nil
	for i := range l.blocks {
		if l.landed[i] || slices.Contains(l.apart, i) {
			continue
		}
		err := r.sendBlock(ctx, l, i)
		if err != nil && !Temporary(err) {
			err = r.sendBlock(ctx, l, i)
		}
		switch {
		case err != nil && Temporary(err):
			return err
		case err != nil:
			l.refused = append(l.refused, rejectedBlock{l.blocks[i], err.Error()})
		case l.landed != nil:
			l.landed[i] = true
		}
	}
	return nil
}

// syncStored makes the rows of a job survive a loss of power, if required. After an error the job is inserted
// again without effect: its token is known.
func (r *writerRun) syncStored(l *insertJob) error {
	if r.Sync == nil || !synced(l.blocks) {
		return nil
	}
	if err := r.Sync(); err != nil {
		return fmt.Errorf("sync what was stored: %w", err)
	}
	return nil
}

// sendBlock makes one attempt to insert a block of a job, block by block.
func (r *writerRun) sendBlock(ctx context.Context, l *insertJob, i int) error {
	if l.ask {
		if there, err := r.Inserter.Has(ctx, l.blocks[i]); err != nil || there {
			return err
		}
	}
	err := r.probed(ctx, l, l.tokenOf(i), l.blocks[i:i+1])
	if d := (*connectionLost)(nil); errors.As(err, &d) {
		d.block = i
	}
	return err
}

// keepRefused saves the blocks of a completed job that were not stored. If that fails, e.g. on a full disk,
// the job is not complete.
func (r *writerRun) keepRefused(l *insertJob) error {
	for _, x := range l.refused {
		if err := r.Spool.refuse(x); err != nil {
			return err
		}
	}
	return nil
}

// count counts a completed job.
func (r *writerRun) count(l *insertJob) {
	rows, size := 0, 0
	for _, b := range l.blocks {
		rows, size = rows+b.Rows, size+len(b.Data)
	}
	for _, i := range l.apart {
		rows, size = rows-l.blocks[i].Rows, size-len(l.blocks[i].Data)
	}
	for _, x := range l.refused {
		rows, size = rows-x.Rows, size-len(x.Data)
		r.Stats.RefusedRows.Add(uint64(x.Rows))
	}
	for _, d := range l.corrupt {
		r.Stats.RefusedRows.Add(uint64(d.lost))
	}
	r.stored()[l.table].Add(uint64(rows))
	r.Stats.Rows.Add(uint64(rows))
	r.Stats.Blocks.Add(uint64(len(l.blocks) - len(l.apart) - len(l.refused)))
	r.Stats.Bytes.Add(uint64(size))
	r.Stats.Inserts.Add(1)
	r.Stats.LastMS.Store(uint64(time.Since(r.launched).Milliseconds()))
	r.Stats.problem.Store(nil)
}

// unkept returns why rows wait in memory because neither store nor spool accept them, nil if none do.
func (r *writerRun) unkept() error {
	inMemory := len(r.waiting) > 0 || r.pending.count > 0 || r.flight != nil && r.flight.files == nil
	if r.spill.stuck == nil || !inMemory {
		return nil
	}
	return fmt.Errorf("rows wait in memory; the spool is not writable: %w", r.spill.stuck)
}

// say updates Stats.Since and Stats.Unkept.
func (r *writerRun) say() {
	if err := r.unkept(); err != nil {
		r.Stats.unkept.Store(&err)
	} else {
		r.Stats.unkept.Store(nil)
	}
	switch {
	case !r.Spool.empty():
		r.Stats.Since.Store(r.Spool.files[0].at.UnixMilli())
	case r.flight != nil:
		r.Stats.Since.Store(r.launched.UnixMilli())
	case len(r.waiting) == 0:
		r.Stats.Since.Store(0)
	}
}

// ended reports that there is nothing more to do: everything is stored, or in the spool or lost without
// waiting for the store.
func (r *writerRun) ended() bool {
	if r.queue != nil || r.flight != nil || r.preparing != nil {
		return false
	}
	if r.gone() {
		return r.pending.count == 0 && len(r.waiting) == 0 || r.spill.err != nil
	}
	return r.pending.count == 0 && len(r.waiting) == 0 && r.Spool.empty()
}

func (r *writerRun) result() error {
	lost := r.pending.rows
	for _, l := range r.waiting {
		lost += l.rows()
	}
	err := r.final
	if lost > 0 {
		err = errors.Join(err, fmt.Errorf("store: %d rows lost; neither the store nor the spool accepted them: %w", lost, r.spill.err))
	}
	if s := r.Spool.Stats(); s.Rows > 0 {
		r.Log.Warn("rows wait for the next start", "rows", s.Rows, "bytes", s.Bytes, "dir", s.Dir)
	}
	return err
}

// sleep returns how long nothing needs to be done unless something arrives.
func (r *writerRun) sleep(now time.Time) time.Duration {
	next := now.Add(time.Hour)
	wake := func(times ...time.Time) { // at the latest of them
		last := now
		for _, t := range times {
			if t.After(last) {
				last = t
			}
		}
		if last.Before(next) {
			next = last
		}
	}
	free := r.flight == nil && r.preparing == nil && !r.gone()
	switch {
	case free && (len(r.waiting) > 0 || !r.Spool.empty()):
		wake(r.again)
	case free && r.pending.count > 0:
		wake(r.again, r.due)
	case r.flight != nil && r.flight.files == nil:
		wake(r.launched.Add(spoolAfter), r.spill.again)
	case r.preparing != nil:
		wake(r.begun.Add(spoolAfter), r.spill.again)
	}
	if r.behind(now) && (len(r.waiting) > 0 || r.pending.count > 0) {
		wake(r.pending.since.Add(insertEvery), r.spill.again)
	}
	for _, x := range r.Spool.suspects {
		if free && r.pause == 0 && r.well > x.landed {
			wake(x.again)
		}
	}
	if r.flight != nil && r.pending.full() { // the queue does not signal its fill level
		wake(now.Add(pressEvery))
	}
	return max(next.Sub(now), time.Millisecond)
}

// pendingBlocks are blocks of any table that are to be inserted together.
type pendingBlocks struct {
	blocks            map[*column.Table][]native.Block
	count, rows, size int
	since             time.Time // when the first arrived
	safe              []func()  // of the blocks
}

func (g *pendingBlocks) add(b native.Block) {
	if g.count == 0 {
		g.blocks, g.since = map[*column.Table][]native.Block{}, time.Now()
	}
	if b.Safe != nil {
		g.safe = append(g.safe, b.Safe)
	}
	if b.Rows > 0 {
		g.blocks[b.Table] = append(g.blocks[b.Table], b)
	}
	g.count, g.rows, g.size = g.count+1, g.rows+b.Rows, g.size+len(b.Data)
}

func (g *pendingBlocks) full() bool {
	return g.rows >= insertRows || g.size >= insertBytes || g.count >= insertBlocks
}

// attempt inserts blocks, with a time limit.
func (w *Writer) attempt(ctx context.Context, table *column.Table, token string, blocks []native.Block) error {
	if len(blocks) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, insertTimeout)
	defer cancel()
	err := w.Inserter.Insert(ctx, table, token, blocks...)
	if e := (*InterruptedError)(nil); errors.As(err, &e) {
		return &connectionLost{error: err}
	}
	return err
}
