package engine

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// TestRecorder: the supervisor sees what ran and nothing else, and garbage is no fault.
func TestRecorder(t *testing.T) {
	f, err := newFlight()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	child, err := syscall.Dup(int(f.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	r, err := newRecorder(os.NewFile(uintptr(child), "flight"), []refusal{{User: "out", Until: time.Now().Add(time.Hour), Statement: "SELECT 7"}})
	if err != nil {
		t.Fatal(err)
	}
	begin := func(user, id, text string) func() {
		t.Helper()
		end, err := r.begin(user, id, text)
		if err != nil {
			t.Fatal(err)
		}
		return end
	}
	end := begin("reader", "one", "SELECT 1")
	begin("page", strings.Repeat("i", 1000), "SELECT\n\x1b[31m"+strings.Repeat("x", 1000))
	begin("reader", "three", "SELECT 3")
	end()
	ran := readFlight(f)
	if len(ran) != 2 || ran[0].user != "page" && ran[1].user != "page" {
		t.Fatalf("%+v", ran)
	}
	if n := blame(ran); n.user != "reader" || n.id != "three" || n.text != "SELECT 3" {
		t.Errorf("blamed is %+v", n)
	}
	for _, n := range ran {
		if strings.ContainsAny(n.text, "\n\x1b") || len(n.text) > slotSize {
			t.Errorf("%q", n.text)
		}
	}
	if n := blame(nil); n != nil {
		t.Errorf("blamed is %+v", n)
	}
	if _, err := r.begin("out", "id", "SELECT 1"); err == nil || !strings.Contains(err.Error(), "SELECT 7") || err.(*exception).httpStatus() != http.StatusTooManyRequests {
		t.Errorf("%v", err)
	}
	for range 2 * flightSlots { // more than there is room for
		begin("reader", "many", "SELECT 1")
	}
	if got := len(readFlight(f)); got != flightSlots {
		t.Errorf("%d are noted", got)
	}
	garbage := []byte(strings.Repeat("\xff", flightSlots*slotSize))
	if _, err := f.WriteAt(garbage, 0); err != nil {
		t.Fatal(err)
	}
	if got := len(readFlight(f)); got != flightSlots {
		t.Errorf("%d of garbage", got)
	}
}

// TestCrashesCounted: three crashes within ten minutes shut a user out for ten.
func TestCrashesCounted(t *testing.T) {
	c := newCrashes()
	at := time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)
	f := func(minute int, user string, want bool) {
		t.Helper()
		_, got := c.add(runningStatement{user: user, text: fmt.Sprint("SELECT ", minute)}, at.Add(time.Duration(minute)*time.Minute))
		if got != want {
			t.Errorf("minute %d, %s: blocked %t", minute, user, got)
		}
	}
	f(0, "reader", false)
	f(4, "reader", false)
	f(5, "page", false)
	f(11, "reader", false) // the first is too long ago
	f(12, "reader", true)
	f(13, "reader", false)
	out := func(minute int, want string) {
		t.Helper()
		if got := fmt.Sprint(c.refusals(at.Add(time.Duration(minute) * time.Minute))); got != want {
			t.Errorf("minute %d: %s, want %s", minute, got, want)
		}
	}
	out(21, "["+fmt.Sprint(refusal{"reader", at.Add(12 * time.Minute), at.Add(22 * time.Minute), "SELECT 13"})+"]")
	out(22, "[]")
	if got := c.list(); len(got) != 2 || got[0].User != "page" || got[0].Crashes != 1 || got[1].Crashes != 5 {
		t.Errorf("%+v", got)
	}
}

// TestShutOut: an engine that crashes while statements of a reader run is started again;
// after the third time the reader is blocked, the writer never.
func TestShutOut(t *testing.T) {
	var log syncBuffer
	s := start(t, t.TempDir(), func(o *Options) { o.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
	w := ready(t, s)
	r := as{t, s.URL(), s.Reader()}
	running := func(mark string, n string) {
		t.Helper()
		for begin := time.Now(); w.must("SELECT count() FROM system.processes WHERE query LIKE '%"+mark+"%' AND query NOT LIKE '%processes%'") != n; {
			if time.Since(begin) > 20*time.Second {
				t.Fatalf("%s does not run", mark)
			}
		}
	}
	crash := func(signal syscall.Signal, who as, mark string) {
		t.Helper()
		ready(t, s)
		before := s.Stats()
		var busy sync.WaitGroup
		busy.Go(func() {
			who.post(context.Background(), "SELECT sleepEachRow(1), '"+mark+"' FROM numbers(60) SETTINGS max_block_size = 1", "")
		})
		running(mark, "1")
		if err := syscall.Kill(before.PID, signal); err != nil {
			t.Fatal(err)
		}
		busy.Wait()
		for begin := time.Now(); s.Stats().Restarts == before.Restarts; time.Sleep(time.Millisecond) {
			if time.Since(begin) > 20*time.Second {
				t.Fatal("not started again")
			}
		}
		ready(t, s)
	}
	crashesOf := func(user string) int {
		for _, c := range s.Stats().Crashes {
			if c.User == user {
				return c.Crashes
			}
		}
		return 0
	}
	for range 3 {
		crash(syscall.SIGSEGV, w, "writer_runs")
	}
	if got := s.Stats().Crashes; len(got) != 2 || got[0].User != PageName || got[1].User != ReaderName || got[0].Crashes+got[1].Crashes != 0 {
		t.Errorf("the writer is blamed: %+v", got)
	}
	crash(syscall.SIGKILL, r, "killed_by_hand")
	if n := crashesOf(ReaderName); n != 0 {
		t.Errorf("%d crashes of one who was killed from outside", n)
	}
	for i, signal := range []syscall.Signal{syscall.SIGSEGV, syscall.SIGABRT, syscall.SIGSEGV} {
		if got := r.must("SELECT 1"); got != "1" {
			t.Fatal(got)
		}
		crash(signal, r, fmt.Sprintf("reader_runs_%d", i))
		if n := crashesOf(ReaderName); n != i+1 {
			t.Errorf("%d crashes, want %d", n, i+1)
		}
	}
	for range 2 { // it lasts over further restarts
		got := r.do("POST", "SELECT 1")
		if got.status != http.StatusTooManyRequests {
			t.Errorf("%d %s", got.status, got.body)
		}
		for _, want := range []string{"User reader is blocked from ", " to ", "crashed 3 times", "reader_runs_2"} {
			if !strings.Contains(got.body, want) {
				t.Errorf("%s does not say %q", got.body, want)
			}
		}
		w.must("SELECT 1")
		crash(syscall.SIGSEGV, w, "writer_again")
	}
	for _, want := range []string{"level=ERROR msg=\"engine: crashed during a user's statement\" user=reader", "level=ERROR msg=\"engine: user blocked"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log does not say %s", want)
		}
	}
}
