package store

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"netmeta/column"
	"netmeta/native"
)

// Two tables of the tests.
var (
	nothing = slog.New(slog.DiscardHandler)
	apples  = column.Table{Name: "apples"}
	weight  = apples.U32(column.Field{Name: "Weight"})
	_       = apples.U32(column.Field{Name: "Colour", Rare: true})
	pears   = column.Table{Name: "pears"}
	length  = pears.U32(column.Field{Name: "Length"})
	fruit   = []*column.Table{&apples, &pears}
)

func apple(values ...uint32) native.Block { return blockOf(&apples, weight, values) }
func pear(values ...uint32) native.Block  { return blockOf(&pears, length, values) }

func blockOf(table *column.Table, c column.U32, values []uint32) native.Block {
	b := table.NewBatch(len(values))
	for _, v := range values {
		c.Set(b, b.Add(), v)
	}
	var e native.Encoder
	return e.Encode(b)
}

// values reads the only column of blocks.
func values(t testing.TB, blocks []native.Block) (all []uint32) {
	t.Helper()
	for _, b := range blocks {
		res, err := native.Decode(bytes.NewReader(b.Data))
		if err != nil {
			t.Fatal(err)
		}
		if res.Rows != b.Rows {
			t.Fatalf("%d rows in a block of %d", res.Rows, b.Rows)
		}
		all = append(all, res.Columns[0].([]uint32)...)
	}
	return all
}

func spoolAt(t testing.TB, dir string, limit int64) *Spool {
	t.Helper()
	s, err := OpenSpool(dir, DiskShare{}, fruit, nothing)
	if err != nil {
		t.Fatal(err)
	}
	s.limit = limit
	t.Cleanup(func() { s.Close() })
	return s
}

func (s *Spool) mustPut(t testing.TB, blocks ...native.Block) {
	t.Helper()
	if err := s.put(&insertJob{number: s.reserve(), table: blocks[0].Table, token: newToken(), blocks: blocks}); err != nil {
		t.Fatal(err)
	}
}

func (s *Spool) mustTake(t testing.TB) *insertJob {
	t.Helper()
	l := s.take()
	if err := s.read(l); err != nil {
		t.Fatal(err)
	}
	return l
}

func (s *Spool) mustDone(t testing.TB, l *insertJob) {
	t.Helper()
	if err := s.done(l); err != nil {
		t.Fatal(err)
	}
}

// killed opens the directory again as after kill -9.
func (s *Spool) killed(t testing.TB) *Spool {
	t.Helper()
	s.Close()
	return spoolAt(t, s.dir, s.limit)
}

func ls(t testing.TB, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() != "lock" && !e.IsDir() {
			names = append(names, e.Name())
		}
	}
	return names
}

// Blocks come out table by table in the order in which they went in, joined, and once.
func TestSpoolOrder(t *testing.T) {
	s := spoolAt(t, t.TempDir(), 1<<20)
	s.mustPut(t, apple(1, 2), apple(3))
	s.mustPut(t, pear(10))
	s.mustPut(t, apple(4))
	s.mustPut(t, pear(11), pear(12))
	if st := s.Stats(); st.Files != 4 || st.Blocks != 6 || st.Rows != 7 || st.WrittenRows != 7 || st.Bytes == 0 || time.Since(st.Oldest) > time.Minute {
		t.Errorf("%+v", st)
	}
	l := s.mustTake(t)
	if got := values(t, l.blocks); l.table != &apples || !slices.Equal(got, []uint32{1, 2, 3, 4}) {
		t.Errorf("first %v of %s", got, l.table.Name)
	}
	if !slices.Equal(l.blocks[0].Columns, []*column.Field{weight.Field}) {
		t.Errorf("columns %v", l.blocks[0].Columns)
	}
	// What comes meanwhile is for the next one: a load that is tried again is the same.
	s.mustPut(t, apple(5))
	if again := s.mustTake(t); again.token != l.token || len(again.files) != 2 {
		t.Errorf("tried again: %+v, first %+v", again, l)
	}
	s.mustDone(t, l)
	if l = s.mustTake(t); !slices.Equal(values(t, l.blocks), []uint32{10, 11, 12}) {
		t.Errorf("second %v", values(t, l.blocks))
	}
	s.mustDone(t, l)
	if l = s.mustTake(t); !slices.Equal(values(t, l.blocks), []uint32{5}) {
		t.Errorf("third %v", values(t, l.blocks))
	}
	s.mustDone(t, l)
	if left := ls(t, s.dir); !s.empty() || len(left) > 0 {
		t.Errorf("left %v", left)
	}
}

// A load takes no more than an insert may carry.
func TestSpoolJoinsUpToAnInsert(t *testing.T) {
	s := spoolAt(t, t.TempDir(), 1<<30)
	many := make([]uint32, insertRows/4)
	for i := range many {
		many[i] = uint32(i + 1)
	}
	for range 5 {
		s.mustPut(t, apple(many...))
	}
	if l := s.mustTake(t); len(l.files) != 4 {
		t.Errorf("%d files of a quarter each", len(l.files))
	}
	s = spoolAt(t, t.TempDir(), 1<<30)
	for i := range insertBlocks/2 + 1 {
		s.mustPut(t, apple(uint32(i+1)), apple(uint32(i+1)))
	}
	if l := s.mustTake(t); len(l.blocks) != insertBlocks {
		t.Errorf("%d blocks", len(l.blocks))
	}
}

// Wherever a process is killed, whatever may have been inserted is tried again with the
// same bytes under the same token, and nothing else is.
func TestSpoolKilled(t *testing.T) {
	s := spoolAt(t, t.TempDir(), 1<<20)
	tried := &insertJob{number: s.reserve(), table: &apples, token: "tried in memory", blocks: []native.Block{apple(1)}, tried: true}
	if err := s.put(tried); err != nil {
		t.Fatal(err)
	}
	s.mustPut(t, apple(2))
	s.mustPut(t, pear(7))
	s.mustPut(t, apple(3))
	s = s.killed(t)
	l := s.mustTake(t)
	if l.token != tried.token || !slices.Equal(values(t, l.blocks), []uint32{1}) {
		t.Fatalf("%q with %v", l.token, values(t, l.blocks))
	}
	s.mustDone(t, l)

	joined := s.mustTake(t)
	if !slices.Equal(values(t, joined.blocks), []uint32{2, 3}) {
		t.Fatalf("joined %v", values(t, joined.blocks))
	}
	s.mustPut(t, apple(4))
	s = s.killed(t) // in the middle of the insert
	if l = s.mustTake(t); l.token != joined.token || !slices.Equal(values(t, l.blocks), []uint32{2, 3}) {
		t.Fatalf("%q with %v, was %q", l.token, values(t, l.blocks), joined.token)
	}
	s.split(l)
	s = s.killed(t) // in the middle of inserting block by block
	if l = s.mustTake(t); l.token != joined.token || !l.each {
		t.Fatalf("%q each %v, was %q", l.token, l.each, joined.token)
	}
	if err := os.Remove(s.path(l.files[0])); err != nil { // killed while it removed what is stored
		t.Fatal(err)
	}
	s = s.killed(t)
	if l = s.mustTake(t); !slices.Equal(values(t, l.blocks), []uint32{7}) || l.each {
		t.Fatalf("after a join that was half removed: %v", values(t, l.blocks))
	}
	s.mustDone(t, l)
	if l = s.mustTake(t); !slices.Equal(values(t, l.blocks), []uint32{4}) {
		t.Fatalf("last %v", values(t, l.blocks))
	}
	s.mustDone(t, l)
	if left := ls(t, s.dir); len(left) > 0 {
		t.Errorf("left %v", left)
	}
	// And while a file was being written.
	if err := os.WriteFile(filepath.Join(s.dir, "5-apples.blocks.tmp"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if s = s.killed(t); !s.empty() || len(ls(t, s.dir)) > 0 {
		t.Errorf("left %v", ls(t, s.dir))
	}
}

// A block that was set apart is tried under the token that it had in its job, and by no other attempt,
// wherever the process is killed.
func TestSpoolSetApart(t *testing.T) {
	s := spoolAt(t, t.TempDir(), 1<<20)
	s.mustPut(t, apple(1), apple(2), apple(3))
	l := s.mustTake(t)
	l.ask = true
	s.split(l)
	l = s.mustTake(t)
	if err := s.setApart(l, 1, 0, time.Hour); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		l = s.mustTake(t)
		if !l.each || !l.ask || !slices.Equal(l.apart, []int{1}) || len(l.blocks) != 3 {
			t.Fatalf("%+v", l)
		}
		if st := s.Stats(); len(s.suspects) != 1 || s.suspects[0].token != l.tokenOf(1) || st.Rows != 4 || st.Files != 2 {
			t.Fatalf("%+v, doubted %v", st, s.suspects)
		}
		s = s.killed(t)
	}
	s.mustDone(t, s.mustTake(t))
	if !s.empty() {
		t.Errorf("left %v", ls(t, s.dir))
	}
	x := s.takeSuspect(s.suspects[0])
	if err := s.read(x); err != nil || x.tokenOf(0) != l.tokenOf(1) || !slices.Equal(values(t, x.blocks), []uint32{2}) {
		t.Errorf("%+v, %v", x, err)
	}
	s.mustDone(t, x)
	if st := s.Stats(); len(s.suspects) != 0 || st.Bytes != 0 {
		t.Errorf("%+v", st)
	}
}

// After a start the oldest file of each table goes alone, since it may have been tried.
func TestSpoolOldestAlone(t *testing.T) {
	s := spoolAt(t, t.TempDir(), 1<<20)
	for i := range uint32(3) {
		s.mustPut(t, apple(i+1))
		s.mustPut(t, pear(i+1))
	}
	s = s.killed(t)
	var sizes []int
	for !s.empty() {
		l := s.mustTake(t)
		sizes = append(sizes, len(l.files))
		s.mustDone(t, l)
	}
	if !slices.Equal(sizes, []int{1, 1, 2, 2}) {
		t.Errorf("files of each insert: %v", sizes)
	}
}

// When it is full the oldest rows go, never what is being inserted, and they are counted.
func TestSpoolBound(t *testing.T) {
	one := apple(1)
	file := int64(fileSize(t, one))
	s := spoolAt(t, t.TempDir(), 4*file)
	for i := range uint32(4) {
		s.mustPut(t, apple(i+1))
	}
	s.refuse(rejectedBlock{pear(9), "bad"}) // takes the room of the first
	if st := s.Stats(); st.DroppedRows != 1 || st.RefusedFiles != 1 || st.Rows != 3 || st.Bytes > 4*file {
		t.Errorf("%+v", st)
	}
	s.mustPut(t, apple(5)) // what was refused goes first
	if st := s.Stats(); st.DroppedRows != 1 || st.RefusedFiles != 0 || st.Rows != 4 {
		t.Errorf("%+v", st)
	}
	l := s.mustTake(t)
	if !slices.Equal(values(t, l.blocks), []uint32{2, 3, 4, 5}) {
		t.Fatalf("%v", values(t, l.blocks))
	}
	more := &insertJob{number: s.reserve(), table: &apples, token: newToken(), blocks: []native.Block{apple(6)}}
	if err := s.put(more); err == nil || s.Stats().Error == "" {
		t.Errorf("room was made by removing what is being inserted: %v", err)
	}
	s.inFlight = nil // it failed: now all of the join may go
	if err := s.put(more); err != nil {
		t.Fatal(err)
	}
	if st := s.Stats(); st.DroppedRows != 5 || st.Rows != 1 || st.Error != "" || slices.Contains(ls(t, s.dir), joinFile) {
		t.Errorf("%+v, %v", st, ls(t, s.dir))
	}
}

func fileSize(t testing.TB, blocks ...native.Block) int {
	var b bytes.Buffer
	if err := writeSpoolFile(&b, newToken(), time.Now(), blocks); err != nil {
		t.Fatal(err)
	}
	return b.Len()
}

// A file that was cut anywhere gives the blocks that are whole, and says what is lost.
func TestSpoolFileCut(t *testing.T) {
	var file bytes.Buffer
	if err := writeSpoolFile(&file, "token", time.Now(), []native.Block{apple(1, 2), apple(3), apple(4, 5, 6)}); err != nil {
		t.Fatal(err)
	}
	whole := file.Bytes()
	for cut := range len(whole) {
		good, lost, err := readSpoolFile(bytes.NewReader(whole[:cut]), fruit)
		if d := (*corruptError)(nil); !errors.As(err, &d) {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		rows := 0
		for _, b := range good {
			rows += b.Rows
		}
		if got := values(t, good); len(good) > 0 && (rows+lost != 6 || !slices.Equal(got, []uint32{1, 2, 3, 4, 5, 6}[:rows])) {
			t.Fatalf("cut at %d: %v and %d rows lost", cut, got, lost)
		}
	}
	if good, lost, err := readSpoolFile(bytes.NewReader(whole), fruit); err != nil || lost != 0 || !slices.Equal(values(t, good), []uint32{1, 2, 3, 4, 5, 6}) {
		t.Errorf("whole: %v, %d, %v", values(t, good), lost, err)
	}
	// A bit that is not what was written is found wherever it is.
	for at := range len(whole) {
		other := bytes.Clone(whole)
		other[at] ^= 0x10
		good, _, err := readSpoolFile(bytes.NewReader(other), fruit)
		if err == nil || len(good) > 2 {
			t.Fatalf("a changed bit at %d was not found", at)
		}
	}
}

// A damaged file, one of another version and one of an unknown table are put aside with
// the reason; what is whole is kept, and the rest is not held up.
func TestSpoolDamaged(t *testing.T) {
	s := spoolAt(t, t.TempDir(), 1<<20)
	f := func(damage func(file []byte) []byte, words string, want ...uint32) {
		t.Helper()
		s.mustPut(t, apple(1), apple(2))
		s.mustPut(t, apple(3))
		path := s.path(s.files[0])
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, damage(text), 0o600); err != nil {
			t.Fatal(err)
		}
		before := s.Stats().RefusedFiles
		s = s.killed(t)
		var got []uint32
		for !s.empty() {
			l := s.mustTake(t)
			got = append(got, values(t, l.blocks)...)
			s.mustDone(t, l)
		}
		reason, err := os.ReadFile(strings.TrimSuffix(filepath.Join(s.dir, refusedDir, filepath.Base(path)), ending) + ".reason")
		if !slices.Equal(got, want) || s.Stats().RefusedFiles != before+1 || err != nil || !strings.Contains(string(reason), words) {
			t.Errorf("read %v, want %v; %d refused, reason %q, %v", got, want, s.Stats().RefusedFiles, reason, err)
		}
	}
	f(func(b []byte) []byte { b[len(b)-1] ^= 1; return b }, "of its 2 blocks 2 do not have the checksum", 1, 3)
	f(func(b []byte) []byte { return b[:len(b)-1] }, "too short", 1, 3)
	f(func(b []byte) []byte { return nil }, "too short", 3)
	f(func(b []byte) []byte { b[0] ^= 1; return b }, "no spool file", 3)
	f(func(b []byte) []byte { b[40] ^= 1; return b }, "checksum", 3)
	f(func(b []byte) []byte { b[len(spoolMagic)] = '2'; return b }, `version "2"`, 3)
	f(func([]byte) []byte {
		return file(spoolHeader{Table: "plums", Token: "t", Sets: [][]string{{"A"}}, Blocks: []spoolBlock{{Rows: 1, Size: 1}}})
	}, `table "plums"`, 3)
	f(func([]byte) []byte {
		return file(spoolHeader{Table: "apples", Token: "t", Sets: [][]string{{"Taste"}}, Blocks: []spoolBlock{{Rows: 1, Size: 1}}})
	}, `column "Taste"`, 3)
	f(func([]byte) []byte {
		return file(spoolHeader{Table: "pears", Token: "t", Sets: [][]string{{"Length"}}, Blocks: []spoolBlock{{Rows: 1, Size: 1}}})
	}, "called", 3)
}

// file is a spool file with any header.
func file(h spoolHeader) []byte {
	text, err := json.Marshal(h)
	if err != nil {
		panic(err)
	}
	return fileWith(text, nil)
}

func fileWith(header, data []byte) []byte {
	b := append([]byte(nil), spoolMagic+spoolVersion+"\n"...)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(header)))
	b = binary.LittleEndian.AppendUint32(b, crc32.Checksum(header, castagnoli))
	return append(append(b, header...), data...)
}

// A file that is not there any more is counted and holds nothing up.
func TestSpoolFileGone(t *testing.T) {
	s := spoolAt(t, t.TempDir(), 1<<20)
	s.mustPut(t, apple(1, 2))
	s.mustPut(t, apple(3))
	if err := os.Remove(s.path(s.files[0])); err != nil {
		t.Fatal(err)
	}
	l := s.mustTake(t)
	if !slices.Equal(values(t, l.blocks), []uint32{3}) || len(l.corrupt) != 1 || l.corrupt[0].lost != 2 {
		t.Errorf("%v, %+v", values(t, l.blocks), l.corrupt)
	}
	s.mustDone(t, l)
	if !s.empty() || len(ls(t, s.dir)) > 0 {
		t.Errorf("left %v", ls(t, s.dir))
	}
}

// Two processes cannot have one spool.
func TestSpoolLocked(t *testing.T) {
	s := spoolAt(t, t.TempDir(), 1<<20)
	if _, err := OpenSpool(s.dir, DiskShare{}, fruit, nothing); err == nil || !strings.Contains(err.Error(), "--data") {
		t.Errorf("error %v", err)
	}
}

// Reading the stats does not disturb.
func TestSpoolConcurrent(t *testing.T) {
	s := spoolAt(t, t.TempDir(), 1<<20)
	stop := make(chan struct{})
	var look sync.WaitGroup
	look.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				if st := s.Stats(); st.Rows > 0 && st.Files == 0 {
					t.Errorf("%+v", st)
				}
			}
		}
	})
	for i := range uint32(50) {
		s.mustPut(t, apple(i+1))
		if i%3 == 0 {
			s.mustDone(t, s.mustTake(t))
		}
	}
	close(stop)
	look.Wait()
}

// FuzzSpoolFile reads anything as a spool file, as it is and with a header that has the
// right checksum. What is given back is what was written.
func FuzzSpoolFile(f *testing.F) {
	var seed bytes.Buffer
	if err := writeSpoolFile(&seed, "token", time.UnixMilli(1), []native.Block{apple(1, 2), apple(3)}); err != nil {
		f.Fatal(err)
	}
	header := seed.Bytes()[spoolPreamble : bytes.LastIndexByte(seed.Bytes(), '}')+1]
	f.Add(seed.Bytes(), []byte(nil))
	f.Add(header, seed.Bytes()[spoolPreamble+len(header):])
	f.Fuzz(func(t *testing.T, a, b []byte) {
		for _, text := range [][]byte{append(bytes.Clone(a), b...), fileWith(a, b)} {
			good, lost, err := readSpoolFile(bytes.NewReader(text), fruit)
			if err == nil && (lost > 0 || len(good) == 0) {
				t.Fatalf("%d blocks, %d rows lost, error %v", len(good), lost, err)
			}
			size := 0
			for _, x := range good {
				if x.Table == nil || x.Rows <= 0 || len(x.Data) == 0 {
					t.Fatalf("block %+v", x)
				}
				size += len(x.Data)
			}
			if size > len(text) {
				t.Fatalf("%d bytes of data in a file of %d", size, len(text))
			}
			if len(good) == 0 {
				continue
			}
			var again bytes.Buffer
			if err := writeSpoolFile(&again, "token", time.UnixMilli(1), good); err != nil {
				t.Fatal(err)
			}
			back, _, err := readSpoolFile(&again, fruit)
			if err != nil || len(back) != len(good) {
				t.Fatalf("written and read: %d blocks of %d, %v", len(back), len(good), err)
			}
		}
	})
}

// BenchmarkSpool writes and reads what one insert carries.
func BenchmarkSpool(b *testing.B) {
	const rows = 8192
	var blocks []native.Block
	size := 0
	for i := range 24 { // 200,000 rows, each as long as a flow's
		all := make([]uint32, rows*25)
		for j := range all {
			all[j] = uint32(i*j + 1)
		}
		block := apple(all...)
		block.Rows = rows
		blocks = append(blocks, block)
		size += len(block.Data)
	}
	s := spoolAt(b, b.TempDir(), 4<<30)
	perRow := func(b *testing.B) {
		b.ReportMetric(float64(b.N*len(blocks)*rows)/b.Elapsed().Seconds(), "rows/s")
		b.SetBytes(int64(size))
	}
	b.Run("write", func(b *testing.B) {
		for b.Loop() {
			s.mustPut(b, blocks...)
			b.StopTimer()
			s.mustDone(b, s.take())
			b.StartTimer()
		}
		perRow(b)
	})
	b.Run("read", func(b *testing.B) {
		s.mustPut(b, blocks...)
		for b.Loop() {
			l := s.take()
			if err := s.read(l); err != nil || len(l.blocks) != len(blocks) {
				b.Fatal(fmt.Sprint(len(l.blocks), err))
			}
		}
		perRow(b)
	})
}
