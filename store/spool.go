package store

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"netmeta/column"
	"netmeta/internal/wholefile"
	"netmeta/native"
)

// Spool is a directory for blocks that the store does not accept at the moment. It holds
//
//	1764003584123456-flows.blocks   the blocks of one insert; the first number is the order
//	join.json                       which files are being inserted together, and under which token
//	doubted/                        blocks that crashed the store, each retried alone; see doubt.go
//	refused/                        blocks that will not be stored, each file with a .reason
//	lock                            locked while a process has the directory
//	*.tmp                           being written; removed at the next start
//
// Files are written under another name and renamed, so a file with its name is complete, however the process
// ends. Only files with blocks that require it (native.Block.Synced) are synced. Of the others a power cut
// can cost what the kernel has not written, about half a minute, which the checksums show: syncing each made
// the disk the limit when the store was behind. A file is inserted once, whatever is killed when, because a
// token is on disk before a second attempt under it.
//
//   - A file is tried alone only if it is the oldest of its table, under the token that it contains. So after
//     a start only the oldest can have been tried, and it is inserted alone.
//   - Files that are inserted together are listed in join.json first. They are removed before it is, so a
//     missing file means that the insert has succeeded.
//
// The methods are for one goroutine, except for Stats.
type Spool struct {
	dir    string
	limit  int64
	leave  int64 // free bytes of the disk that are left to others
	tables []*column.Table
	log    *slog.Logger
	lock   *os.File

	last     uint64 // number of the last job
	files    []*spoolFile
	suspects []*suspectBlock
	refused  []refusedFile // oldest first
	join     *joinedInsert
	inFlight []*spoolFile // not to be removed to make room

	sync func(*os.File) error // File.Sync; tests replace it

	droppedLogged  time.Time
	droppedNotSaid uint64

	mu    sync.Mutex
	stats SpoolStats
}

// SpoolStats describe the content of a spool and its work since the start.
type SpoolStats struct {
	Dir          string
	Files        int
	Blocks       int
	Rows         uint64
	Bytes        int64     // including refused files
	MaxBytes     int64     // limit
	Oldest       time.Time // of the oldest file
	WrittenRows  uint64    // since the start
	DroppedRows  uint64    // oldest rows, removed to make room
	RefusedFiles int       // in refused/
	Error        string    // why nothing can be written now
}

// spoolFile is a file of the spool.
type spoolFile struct {
	number uint64
	table  *column.Table
	token  string
	rows   int
	blocks int
	size   int64
	at     time.Time // of writing
	dir    string    // directory within the spool; empty: the spool itself
	alone  bool      // may have been tried alone: it must not be joined with others
}

// refusedFile is a file in refused/.
type refusedFile struct {
	name string
	size int64
}

// joinedInsert is the content of join.json.
type joinedInsert struct {
	Token string   `json:"token"`
	Files []uint64 `json:"files"` // numbers
	Each  bool     `json:"each"`  // block by block, since the store rejects them together

	// The store crashed with them together: a block may be stored under Token.
	Ask   bool  `json:"ask,omitempty"`
	Apart []int `json:"apart,omitempty"` // blocks that have a file in doubted/

	landed map[int]bool // stored blocks; belongs to the goroutine that inserts
}

// insertJob is the content of one insert.
type insertJob struct {
	number uint64 // its position in the order
	table  *column.Table
	token  string
	each   bool // to be inserted block by block
	tried  bool // an attempt under its token was made
	probe  bool // send a query to the store first
	ask    bool // check whether a block is already stored before it is inserted alone
	blocks []native.Block
	files  []*spoolFile // files with the blocks; none: only in memory
	group  *group       // the group that it was formed with; nil once its rows are safe

	suspect *suspectBlock // the suspect block; nil: an ordinary job
	apart   []int         // blocks that are left out because they are suspects
	landed  map[int]bool

	corrupt []corruptFile   // found while they were read
	refused []rejectedBlock // found while they were inserted block by block
}

func (l *insertJob) rows() (n int) {
	for _, b := range l.blocks {
		n += b.Rows
	}
	return n
}

// rejectedBlock is a block that the store will never accept, and why.
type rejectedBlock struct {
	native.Block
	reason string
}

// corruptFile has lost rows, and the reason.
type corruptFile struct {
	*spoolFile
	lost   int
	reason string
}

const (
	joinFile   = "join.json"
	refusedDir = "refused"
	ending     = ".blocks"
	// A part of the disk is left to the store: it must be able to merge, and to free space by dropping old
	// rows.
	leaveShare = 100
	leaveMost  = 1 << 30
	leastLimit = 512 << 20 // room for the running insert and for what arrives meanwhile
)

// newToken makes a unique name for an insert.
func newToken() string {
	var raw [12]byte
	rand.Read(raw[:])
	return hex.EncodeToString(raw[:])
}

// OpenSpool opens and scans the directory. It may use the given share of the disk, or 512 MiB if that is
// more. Blocks of other tables are moved to refused/.
func OpenSpool(dir string, most DiskShare, tables []*column.Table, log *slog.Logger) (*Spool, error) {
	s := &Spool{dir: dir, tables: tables, log: log, sync: (*os.File).Sync}
	for _, of := range []string{"", refusedDir, suspectDir} {
		if err := s.makeDir(filepath.Join(dir, of)); err != nil {
			return nil, fmt.Errorf("spool: %w", err)
		}
	}
	lock, err := s.openLock(filepath.Join(dir, "lock"))
	if err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	s.lock = lock
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		lock.Close()
		return nil, fmt.Errorf("spool: %s is in use by another netmeta run: stop it, or set another directory with --data: %w", dir, err)
	}
	_, total, err := FreeSpace(dir)
	if err != nil {
		lock.Close()
		return nil, fmt.Errorf("spool: %w", err)
	}
	s.leave = min(int64(total)/leaveShare, leaveMost)
	s.limit = max(int64(most.Of(total)), leastLimit)
	if err := s.scan(); err != nil {
		lock.Close()
		return nil, fmt.Errorf("spool: %w", err)
	}
	s.account()
	return s, nil
}

// makeDir makes a directory. A file with its name is moved aside.
func (s *Spool) makeDir(path string) error {
	err := os.MkdirAll(path, 0o700)
	if errors.Is(err, syscall.ENOTDIR) || errors.Is(err, fs.ErrExist) || errors.Is(err, syscall.ELOOP) {
		aside, failed := wholefile.PutAside(path, err)
		if failed != nil {
			return failed
		}
		s.log.Error("spool: moved aside a file with the name of a directory", "file", aside.File, "dir", filepath.Dir(path))
		err = os.MkdirAll(path, 0o700)
	}
	return err
}

// openLock opens the lock file. A directory with its name is moved aside.
func (s *Spool) openLock(path string) (*os.File, error) {
	const flags = os.O_RDWR | os.O_CREATE | unix.O_NOFOLLOW
	lock, err := os.OpenFile(path, flags, 0o600)
	if errors.Is(err, syscall.EISDIR) || errors.Is(err, syscall.ELOOP) {
		aside, failed := wholefile.PutAside(path, err)
		if failed != nil {
			return nil, failed
		}
		s.log.Error("spool: moved aside a directory with the name of the lock", "file", aside.File, "dir", s.dir)
		lock, err = os.OpenFile(path, flags, 0o600)
	}
	return lock, err
}

// Close unlocks the directory.
func (s *Spool) Close() error { return s.lock.Close() }

// Stats returns the current stats. It is safe for concurrent use.
func (s *Spool) Stats() SpoolStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stats
}

// account updates the stats that depend on the lists.
func (s *Spool) account() {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := &s.stats
	st.Dir, st.MaxBytes = s.dir, s.limit
	st.Files, st.Blocks, st.Rows, st.Bytes, st.Oldest = len(s.files), 0, 0, 0, time.Time{}
	for _, f := range s.files {
		st.Blocks += f.blocks
		st.Rows += uint64(f.rows)
		st.Bytes += f.size
	}
	for _, f := range s.suspects {
		st.Files++
		st.Blocks++
		st.Rows += uint64(f.rows)
		st.Bytes += f.size
	}
	for _, k := range s.refused {
		st.Bytes += k.size
	}
	if len(s.files) > 0 {
		st.Oldest = s.files[0].at
	}
	st.RefusedFiles = len(s.refused)
}

// scan reads the directory as the last process left it.
func (s *Spool) scan() error {
	refused, err := os.ReadDir(filepath.Join(s.dir, refusedDir))
	if err != nil {
		return err
	}
	for _, e := range refused {
		s.last = max(s.last, numberOf(e.Name()))
		if info, err := e.Info(); err == nil && strings.HasSuffix(e.Name(), ending) && info.Mode().IsRegular() {
			s.refused = append(s.refused, refusedFile{e.Name(), info.Size()})
		}
	}
	entries, err := os.ReadDir(s.dir) // by name, which is the order
	if err != nil {
		return err
	}
	present := map[uint64]bool{}
	for _, e := range entries {
		name := e.Name()
		switch {
		case strings.HasSuffix(name, ".tmp"):
			s.removeTemp(name)
		case strings.HasSuffix(name, ending) && numberOf(name) > 0:
			number := numberOf(name)
			s.last, present[number] = max(s.last, number), true
			f, err := s.look("", name, number)
			if d := (*corruptError)(nil); errors.As(err, &d) {
				s.putAside(name, d.text)
			} else if err != nil {
				return err
			} else {
				s.files = append(s.files, f)
			}
		}
	}
	slices.SortStableFunc(s.files, func(a, b *spoolFile) int {
		if a.number < b.number {
			return -1
		}
		return 1
	})
	if err := s.resume(present); err != nil {
		return err
	}
	if err := s.scanSuspects(); err != nil {
		return err
	}
	seen := map[*column.Table]bool{}
	for _, f := range s.files {
		if !seen[f.table] && !s.joined(f) {
			f.alone, seen[f.table] = true, true
		}
	}
	return nil
}

// removeTemp removes a file that was being written when the last process ended. One that remains does no
// harm.
func (s *Spool) removeTemp(name string) {
	if err := os.Remove(filepath.Join(s.dir, name)); err != nil {
		s.log.Warn("spool: cannot remove an incomplete file", "file", name, "err", err)
	}
}

// numberOf returns the number at the start of a file's name; 0: none.
func numberOf(name string) uint64 {
	number, _, _ := strings.Cut(name, "-")
	n, err := strconv.ParseUint(number, 10, 63)
	if err != nil {
		return 0
	}
	return n
}

func (s *Spool) name(number uint64, table *column.Table) string {
	return fmt.Sprintf("%016d-%s%s", number, table.Name, ending)
}

func (s *Spool) path(f *spoolFile) string {
	return filepath.Join(s.dir, f.dir, s.name(f.number, f.table))
}

// look reads the header of a file in a directory of the spool.
func (s *Spool) look(dir, name string, number uint64) (*spoolFile, error) {
	file, err := wholefile.OpenNoFollow(filepath.Join(s.dir, dir, name))
	if err != nil {
		return nil, unreadable(err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, unreadable(err)
	}
	h, err := readSpoolHeader(file)
	if err != nil {
		return nil, unreadable(err)
	}
	table, _, err := h.resolve(s.tables)
	if err != nil {
		return nil, err
	}
	if s.name(number, table) != name {
		return nil, corrupt("it holds rows of table %s, which is not what it is called for", table.Name)
	}
	return &spoolFile{number: number, table: table, token: h.Token, rows: h.rows(), blocks: len(h.Blocks), size: info.Size(), at: time.UnixMilli(h.Written), dir: dir}, nil
}

// unreadable makes a corruptError of an error that the file itself causes: its permissions, its disk, or that
// it is not a regular file.
func unreadable(err error) error {
	if d := (*corruptError)(nil); errors.As(err, &d) || wholefile.Passing(err) {
		return err
	}
	return corrupt("it cannot be read: %v", err)
}

// resume continues a join that the last process had started.
func (s *Spool) resume(present map[uint64]bool) error {
	path := filepath.Join(s.dir, joinFile)
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var j joinedInsert
	err := wholefile.Read(path, &j)
	if wholefile.Passing(err) {
		return err
	}
	if err == nil && j.Token == "" {
		err = errors.New("no token")
	}
	if err != nil {
		aside, failed := wholefile.PutAside(path, err)
		s.log.Error("spool: join.json is damaged: rows that were being stored when NetMeta ended may be stored twice", "err", err, "file", aside.File)
		return failed
	}
	j.landed = map[int]bool{}
	s.join = &j
	ended := slices.ContainsFunc(j.Files, func(n uint64) bool { return !present[n] })
	if files := s.joinedFiles(); ended || len(files) == 0 {
		s.remove(files)
		return s.endJoin()
	}
	return nil
}

func (s *Spool) joined(f *spoolFile) bool {
	return s.join != nil && slices.Contains(s.join.Files, f.number)
}

func (s *Spool) joinedFiles() (files []*spoolFile) {
	for _, f := range s.files {
		if s.joined(f) {
			files = append(files, f)
		}
	}
	return files
}

func (s *Spool) endJoin() error {
	s.join = nil
	if err := os.Remove(filepath.Join(s.dir, joinFile)); !errors.Is(err, fs.ErrNotExist) { // a full disk may have prevented writing it
		return err
	}
	return nil
}

// reserve assigns a job its position in the order.
func (s *Spool) reserve() uint64 {
	s.last = max(s.last+1, uint64(time.Now().UnixMicro()))
	return s.last
}

func (s *Spool) empty() bool { return len(s.files) == 0 }

// put writes a job, which is only in memory, to its position. To make room it removes the oldest files, which
// also happens if it fails.
func (s *Spool) put(l *insertJob) error {
	f := &spoolFile{number: l.number, table: l.table, token: l.token, blocks: len(l.blocks), at: time.Now(), alone: l.tried}
	for _, b := range l.blocks {
		f.rows += b.Rows
		f.size += int64(len(b.Data))
	}
	defer s.account()
	err := s.makeRoom(f.size)
	if err == nil {
		f.size, err = s.writeBlocks(s.name(f.number, f.table), f.token, f.at, l.blocks)
	}
	s.said(err)
	if err != nil {
		return err
	}
	at, _ := slices.BinarySearchFunc(s.files, f.number, func(f *spoolFile, n uint64) int {
		if f.number < n {
			return -1
		}
		return 1
	})
	s.files = slices.Insert(s.files, at, f)
	l.files = []*spoolFile{f}
	s.mu.Lock()
	s.stats.WrittenRows += uint64(f.rows)
	s.mu.Unlock()
	return nil
}

// said stores why nothing can be written, for Stats, and logs when that begins and ends.
func (s *Spool) said(err error) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	s.mu.Lock()
	before := s.stats.Error
	s.stats.Error = text
	s.mu.Unlock()
	switch {
	case err != nil && before == "":
		s.log.Error("spool: cannot write; blocks wait in memory", "err", err)
	case err == nil && before != "":
		s.log.Info("spool: writing recovered")
	}
}

// makeRoom removes old files until size more bytes fit.
func (s *Spool) makeRoom(size int64) error {
	for s.bytes()+size > s.limit {
		if len(s.refused) > 0 { // counted already
			s.forget(s.refused[0])
			continue
		}
		if i := slices.IndexFunc(s.suspects, func(x *suspectBlock) bool { return !slices.Contains(s.inFlight, x.spoolFile) }); i >= 0 {
			rows := s.suspects[i].rows
			if err := s.remove([]*spoolFile{s.suspects[i].spoolFile}); err != nil {
				return err
			}
			s.dropped(rows)
			continue
		}
		oldest := slices.IndexFunc(s.files, func(f *spoolFile) bool { return !slices.Contains(s.inFlight, f) })
		if oldest < 0 {
			return fmt.Errorf("%d MiB do not fit into spool.max-size, %d MiB", size>>20, s.limit>>20)
		}
		drop := s.files[oldest : oldest+1 : oldest+1]
		if s.joined(drop[0]) { // all or none: a missing one would mean that the insert has succeeded
			drop = s.joinedFiles()
		}
		rows := 0
		for _, f := range drop {
			rows += f.rows
		}
		ended := s.joined(drop[0])
		if err := s.remove(drop); err != nil {
			return err
		}
		if ended {
			if err := s.endJoin(); err != nil {
				return err
			}
		}
		s.dropped(rows)
	}
	free, total, err := FreeSpace(s.dir)
	if err != nil {
		return err
	}
	if int64(free)-size < s.leave {
		return &noSpaceError{dir: s.dir, free: free, total: total, leave: s.leave}
	}
	return nil
}

// dropped counts rows that were removed to make room, and logs this periodically.
func (s *Spool) dropped(rows int) {
	s.mu.Lock()
	s.stats.DroppedRows += uint64(rows)
	s.mu.Unlock()
	s.droppedNotSaid += uint64(rows)
	if time.Since(s.droppedLogged) > 10*time.Second {
		s.log.Error("spool full; oldest rows dropped; restore the store, or raise spool.max-size", "rows", s.droppedNotSaid, "max", s.limit)
		s.droppedLogged, s.droppedNotSaid = time.Now(), 0
	}
}

func (s *Spool) bytes() (n int64) {
	for _, f := range s.files {
		n += f.size
	}
	for _, x := range s.suspects {
		n += x.size
	}
	for _, k := range s.refused {
		n += k.size
	}
	return n
}

// noSpaceError says that a disk is full.
type noSpaceError struct {
	dir         string
	free, total uint64
	leave       int64
}

func (e *noSpaceError) Error() string {
	return fmt.Sprintf("the disk of %s has %d MiB free of %d MiB, of which %d MiB are left to the store; free some space", e.dir, e.free>>20, e.total>>20, e.leave>>20)
}

// SyncDisk writes everything that the kernel holds in memory for the file system of a directory, and returns
// once it is on disk.
func SyncDisk(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return os.NewSyscallError("syncfs", unix.Syncfs(int(f.Fd())))
}

// CheckFree returns an error if the file system of a directory has less free space than leave.
func CheckFree(dir string, leave uint64) error {
	free, total, err := FreeSpace(dir)
	if err == nil && free < leave {
		err = &noSpaceError{dir: dir, free: free, total: total, leave: int64(leave)}
	}
	return err
}

// FreeSpace returns the space of the file system of a directory, for users other than root.
func FreeSpace(dir string) (free, total uint64, err error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, 0, fmt.Errorf("free space of %s: %w", dir, err)
	}
	return st.Bavail * uint64(st.Bsize), st.Blocks * uint64(st.Bsize), nil
}

// writeBlocks makes a file of blocks of one table. If one of them requires a sync, the file and its name are
// on disk afterwards.
func (s *Spool) writeBlocks(name, token string, at time.Time, blocks []native.Block) (size int64, err error) {
	return s.writeWhole(name, synced(blocks), func(w io.Writer) error { return writeSpoolFile(w, token, at, blocks) })
}

// synced reports that one of the blocks requires a sync.
func synced(blocks []native.Block) bool {
	return slices.ContainsFunc(blocks, func(b native.Block) bool { return b.Synced })
}

// writeWhole makes a file that is either complete or absent; with sync, also after a loss of power.
func (s *Spool) writeWhole(name string, sync bool, write func(io.Writer) error) (size int64, err error) {
	path := filepath.Join(s.dir, name)
	file, err := os.OpenFile(path+".tmp", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return 0, err
	}
	err = write(file)
	if err == nil {
		size, err = file.Seek(0, io.SeekCurrent)
	}
	if err == nil && sync {
		err = s.sync(file)
	}
	err = errors.Join(err, file.Close())
	if err == nil {
		err = os.Rename(path+".tmp", path)
	}
	if err != nil {
		os.Remove(path + ".tmp")
		return 0, err
	}
	if sync { // the name in the directory
		if err := s.syncDir(filepath.Dir(path)); err != nil {
			os.Remove(path)
			return 0, err
		}
	}
	return size, nil
}

func (s *Spool) syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	defer dir.Close()
	return s.sync(dir)
}

// take returns the next job, the same one until it is done. Its blocks are not read yet.
func (s *Spool) take() *insertJob {
	if s.join == nil {
		s.tryJoin()
	}
	l := &insertJob{}
	if s.join != nil {
		l.token, l.each, l.files = s.join.Token, s.join.Each, s.joinedFiles()
		l.ask, l.apart, l.landed = s.join.Ask, s.join.Apart, s.join.landed
	} else {
		first := s.files[0]
		first.alone = true
		l.token, l.files = first.token, []*spoolFile{first}
	}
	l.number, l.table = l.files[0].number, l.files[0].table
	s.inFlight = l.files
	return l
}

// tryJoin joins the oldest files, if several may be joined.
func (s *Spool) tryJoin() {
	first := s.files[0]
	if first.alone {
		return
	}
	j := &joinedInsert{Token: newToken()}
	rows, blocks, size := 0, 0, int64(0)
	for _, f := range s.files {
		if f.table != first.table {
			continue
		}
		rows, blocks, size = rows+f.rows, blocks+f.blocks, size+f.size
		if f.alone || rows > insertRows || blocks > insertBlocks || size > insertBytes {
			break
		}
		j.Files = append(j.Files, f.number)
	}
	if len(j.Files) < 2 {
		return
	}
	if err := s.writeJoin(j); err != nil { // e.g. a full disk: the first is inserted alone
		s.log.Warn("spool: cannot join files; storing them one by one", "err", err)
		return
	}
	s.join = j
}

func (s *Spool) writeJoin(j *joinedInsert) error {
	_, err := s.writeWhole(joinFile, false, func(w io.Writer) error { return json.NewEncoder(w).Encode(j) })
	return err
}

// split makes the next attempt of the job block by block, because the store rejects it or crashes with it.
// This is recorded on disk before a block is tried.
func (s *Spool) split(l *insertJob) {
	j := &joinedInsert{Token: l.token, Each: true, Ask: l.ask, landed: map[int]bool{}}
	for _, f := range l.files {
		j.Files = append(j.Files, f.number)
	}
	if err := s.writeJoin(j); err != nil {
		s.log.Error("spool: cannot record that rows are stored block by block; if NetMeta is killed meanwhile some may be stored twice", "err", err)
	}
	s.join = j
}

// done removes stored blocks, and moves damaged files to refused/.
func (s *Spool) done(l *insertJob) error {
	defer s.account()
	s.inFlight = nil
	ended := s.joined(l.files[0])
	for _, d := range l.corrupt {
		s.putAside(filepath.Join(d.dir, s.name(d.number, d.table)), d.reason)
	}
	err := s.remove(l.files)
	if err == nil && ended {
		err = s.endJoin()
	}
	return err
}

// remove removes files, in order, except missing ones.
func (s *Spool) remove(files []*spoolFile) error {
	for _, f := range files {
		if err := os.Remove(s.path(f)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		s.files = slices.DeleteFunc(s.files, func(have *spoolFile) bool { return have == f })
		s.suspects = slices.DeleteFunc(s.suspects, func(have *suspectBlock) bool { return have.spoolFile == f })
	}
	return nil
}

// read reads the blocks of a job. It may run concurrently with the other methods.
func (s *Spool) read(l *insertJob) error {
	l.blocks, l.corrupt = nil, nil
	for _, f := range l.files {
		good, lost, err := s.readFile(s.path(f))
		var d *corruptError
		switch {
		case err == nil:
		case errors.As(err, &d) && good != nil:
			l.corrupt = append(l.corrupt, corruptFile{f, lost, d.text + "; the others are stored"})
		case !wholefile.Passing(err):
			l.corrupt = append(l.corrupt, corruptFile{f, f.rows, err.Error()})
		default:
			return err
		}
		l.blocks = append(l.blocks, good...)
	}
	return nil
}

func (s *Spool) readFile(path string) ([]native.Block, int, error) {
	file, err := wholefile.OpenNoFollow(path)
	if err != nil {
		return nil, 0, err
	}
	defer file.Close()
	return readSpoolFile(file, s.tables)
}

// refuse stores a block in refused/, with the reason.
func (s *Spool) refuse(r rejectedBlock) error {
	defer s.account()
	name := s.name(s.reserve(), r.Table)
	err := s.makeRoom(int64(len(r.Data)))
	if err == nil {
		_, err = s.writeBlocks(filepath.Join(refusedDir, name), newToken(), time.Now(), []native.Block{r.Block})
	}
	if err == nil {
		err = s.explain(name, r.reason+"\n\nTo retry it: stop NetMeta, move "+name+" to the directory above, start NetMeta.\n")
	}
	if err != nil {
		return fmt.Errorf("save rows that the store rejects (%s): %w", r.reason, err)
	}
	s.log.Error("store rejected rows permanently", "table", r.Table.Name, "rows", r.Rows, "kept in", filepath.Join(s.dir, refusedDir), "err", r.reason)
	return nil
}

// putAside moves a file to refused/.
func (s *Spool) putAside(name, reason string) {
	s.log.Error("spool: moved a file aside", "file", name, "dir", filepath.Join(s.dir, refusedDir), "err", reason)
	err := os.Rename(filepath.Join(s.dir, name), filepath.Join(s.dir, refusedDir, filepath.Base(name)))
	if err == nil {
		err = s.explain(filepath.Base(name), reason+"\n")
	}
	if err != nil {
		s.log.Error("spool: cannot move a file aside", "file", name, "err", err)
	}
}

// explain writes the reason next to a file in refused/.
func (s *Spool) explain(name, reason string) error {
	path := filepath.Join(s.dir, refusedDir, name)
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if info.Mode().IsRegular() { // anything else there must not be removed
		s.refused = append(s.refused, refusedFile{name, info.Size()})
	}
	return os.WriteFile(strings.TrimSuffix(path, ending)+".reason", []byte(reason), 0o600)
}

// forget removes a file from refused/.
func (s *Spool) forget(k refusedFile) {
	path := filepath.Join(s.dir, refusedDir, k.name)
	os.Remove(path)
	os.Remove(strings.TrimSuffix(path, ending) + ".reason")
	s.refused = s.refused[1:]
}
