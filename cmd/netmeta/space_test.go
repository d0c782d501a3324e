package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netmeta/engine"
	"netmeta/simulate"
	"netmeta/store"
)

// On a disk that fills up the oldest hours go until as much is free as is to be kept,
// which the page and the metrics say.
func TestKeepFree(t *testing.T) {
	dir := smallDisk(t, "512m")
	p, rewrite := configuredOn(t, dir, udpPort("127.0.0.1:0")+"store:\n  keep-free: 10%\n")
	p.ready()
	// The engine keeps half a hundredth of the disk to itself.
	if got := p.status().Storage; got.KeepFree != got.DiskTotal/10 || got.DiskTotal < 505<<20 || got.DiskTotal > 512<<20 {
		t.Fatalf("status: %+v", got)
	}
	hour := p.fiveHours()
	hours := func() string {
		return p.sql("SELECT uniqExact(toStartOfHour(TimeReceived)), toUnixTimestamp(max(toStartOfHour(TimeReceived))) FROM flows")
	}
	if got := hours(); got != fmt.Sprintf("5\t%d", hour) {
		t.Fatal(got)
	}
	if f := p.status().Storage.Forecast; f.BytesPerDay < 24<<20 || f.LimitedBy != "disk" || f.Days <= 0 || f.Days > 30 || f.FullInDays <= 0 {
		t.Errorf("forecast: %+v", f)
	}
	// More is to be free than is.
	s := p.status().Storage
	rewrite(udpPort("127.0.0.1:0") + fmt.Sprintf("store:\n  keep-free: %d\n", s.DiskFree+s.Bytes/2))
	if out, code := p.reload(); code != 0 {
		t.Fatal(out)
	}
	waitFor(t, 2*time.Minute, "space", func() error {
		now := p.status().Storage
		if now.DiskFree < now.KeepFree || now.DroppedRows == 0 {
			return fmt.Errorf("%+v", now)
		}
		return nil
	})
	got := hours()
	if got != fmt.Sprintf("2\t%d", hour) && got != fmt.Sprintf("1\t%d", hour) { // half of the bytes of five hours
		t.Errorf("hours left: %s", got)
	}
	if text := p.text("/metrics"); !strings.Contains(text, fmt.Sprintf("netmeta_retention_dropped_rows_total %v\n", float64(p.status().Storage.DroppedRows))) {
		t.Error("/metrics does not say it")
	}
	if !strings.Contains(p.said(), "disk nearly full") {
		t.Error("the log does not say it")
	}
}

// On a disk without a free octet the oldest hours go all the same, and rows that waited are
// stored.
func TestKeepFreeWhenFull(t *testing.T) {
	dir := smallDisk(t, "512m")
	p, _ := configuredOn(t, dir, udpPort("127.0.0.1:0")+"store:\n  keep-free: 10%\n")
	p.ready()
	reserve := filepath.Join(p.data, "reserve")
	there := func() error { _, err := os.Stat(reserve); return err }
	waitFor(t, 20*time.Second, "the reserve", there)
	p.fiveHours()
	fillWhole(t, dir)
	waitFor(t, 60*time.Second, "space", func() error {
		now := p.status()
		if now.Storage.DiskFree < now.Storage.KeepFree || now.Storage.DroppedRows == 0 || now.Spool.Rows > 0 {
			return fmt.Errorf("%+v, spool %+v", now.Storage, now.Spool)
		}
		return nil
	})
	if !strings.Contains(p.said(), "deleted the reserve") {
		t.Error("the oldest rows could be dropped without the reserve")
	}
	if err := os.Remove(filepath.Join(dir, "fill")); err != nil {
		t.Fatal(err)
	}
	waitFor(t, 30*time.Second, "another reserve", there)
}

// A reader fills no disk: neither temporary data of a statement nor answers that are held
// back drop a row, and both are named.
func TestTemporaryDataDropNothing(t *testing.T) {
	for name, attack := range map[string]struct{ params, sql, named string }{
		"statement": {"", "SELECT s, count() FROM (SELECT randomString(1000) AS s FROM numbers(80000)) GROUP BY s FORMAT TSV SETTINGS max_bytes_before_external_group_by = 1000000, max_block_size = 1000", "of running statements in tmp/engine"},
		"answer":    {"wait_end_of_query=1", "SELECT randomString(1000000) AS x FROM numbers(70) FORMAT TSV SETTINGS max_block_size = 1", " MiB of "},
	} {
		t.Run(name, func(t *testing.T) {
			p, rewrite := configuredOn(t, loopDisk(t, "1100M"), udpPort("127.0.0.1:0")+"store:\n  keep-free: 1%\n")
			p.ready()
			hour := p.fiveHours()
			// What the attack writes is more than there is beyond the space to keep.
			rewrite(udpPort("127.0.0.1:0") + fmt.Sprintf("store:\n  keep-free: %d\n", p.status().Storage.DiskFree-40<<20))
			if out, code := p.reload(); code != 0 {
				t.Fatal(out)
			}
			e, err := engine.Running(p.data)
			if err != nil {
				t.Fatal(err)
			}
			password, err := os.ReadFile(filepath.Join(p.data, "secrets", "reader"))
			if err != nil {
				t.Fatal(err)
			}
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, e.URL+"/?"+attack.params, strings.NewReader(attack.sql))
			if err != nil {
				t.Fatal(err)
			}
			req.SetBasicAuth(engine.ReaderName, strings.TrimSpace(string(password)))
			res, err := http.DefaultClient.Do(req) // and reads nothing: it is held as long as this test likes
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			if res.StatusCode != http.StatusOK {
				text, _ := io.ReadAll(res.Body)
				t.Fatalf("%d %s", res.StatusCode, text)
			}
			if got := p.status().Storage; got.DiskFree >= got.KeepFree || got.Temporary < 40<<20 || !strings.Contains(got.TemporaryOf, attack.named) {
				t.Errorf("status: %+v", got)
			}
			waitFor(t, time.Minute, "a look at the free space", func() error {
				if !strings.Contains(p.said(), "no rows are dropped for them") {
					return errors.New("nothing is said")
				}
				return nil
			})
			if got := p.sql("SELECT uniqExact(toStartOfHour(TimeReceived)), count(), toUnixTimestamp(max(toStartOfHour(TimeReceived))) FROM flows"); got != fmt.Sprintf("5\t5000000\t%d", hour) {
				t.Errorf("hours, rows and the last hour: %s", got)
			}
			if got := p.status().Storage; got.DroppedRows != 0 {
				t.Errorf("status: %+v", got)
			}
		})
	}
}

// loopDisk is a file system on a file, as a disk would have it.
func loopDisk(t *testing.T, size string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	image := filepath.Join(t.TempDir(), "disk")
	for _, args := range [][]string{{"truncate", "-s", size, image}, {"mkfs.ext4", "-q", "-E", "lazy_itable_init=1", image}, {"mount", "-o", "loop", image, dir}} {
		if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
			lacking(t, "no file system of our own: %v: %v %s", args, err, out)
		}
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// A disk that is full when columns enter the table costs no row: what an ALTER could not
// finish is finished when there is room.
func TestFullWhileTablesChange(t *testing.T) {
	dir := smallDisk(t, "512m")
	p := chaotic(t, dir, "127.0.0.1:0")
	// A statement that began with room must not be caught by a disk that fills in an instant.
	waitFor(t, 30*time.Second, "the first turn of the rollups", func() error {
		if p.metric("netmeta_rollup_behind_seconds") == 0 {
			return errors.New("nothing is added up")
		}
		return nil
	})
	fillWhole(t, dir)
	sent := p.simulate(simulate.Options{Protocol: simulate.NetFlow9, Rate: 10_000, Duration: 2 * time.Second, Seed: 3})
	waitFor(t, 30*time.Second, "attempts that fail", func() error {
		if n := p.status().Pipeline.InsertErrors; n < 5 {
			return fmt.Errorf("%d attempts failed", n)
		}
		return nil
	})
	if err := os.Remove(filepath.Join(dir, "fill")); err != nil {
		t.Fatal(err)
	}
	waitFor(t, 30*time.Second, "the flows", func() error {
		if got := p.sql("SELECT count() FROM flows"); strings.TrimSpace(got) != fmt.Sprint(sent.Flows) {
			return fmt.Errorf("%s rows of %d; %d refused", got, sent.Flows, p.metric("netmeta_store_refused_rows_total"))
		}
		return nil
	})
}

// smallDisk is a separate file system.
func smallDisk(t *testing.T, size string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		lacking(t, "no file system of our own: %v", err)
	}
	t.Cleanup(func() { unix.Unmount(dir, unix.MNT_DETACH) })
	return dir
}

// fiveHours stores a million flows of this hour and of each of the four before it.
func (p *running) fiveHours() (hour int64) {
	p.Helper()
	hour = time.Now().Truncate(time.Hour).Unix()
	for h := range int64(5) {
		p.write(fmt.Sprintf("INSERT INTO flows (TimeReceived, Bytes, SrcPort) SELECT toDateTime(%d + number %% 60), rand64(number), rand() FROM numbers(1000000)", hour-h*3600))
	}
	return hour
}

// clients ask the engine as the user who may write, and as the one who may not.
func (p *running) clients() (writer, reader *store.Client) {
	p.Helper()
	e, err := engine.Running(p.data)
	if err != nil {
		p.Fatal(err)
	}
	w, _, r, err := engine.Users(p.data)
	if err != nil {
		p.Fatal(err)
	}
	return store.NewClient(e.URL, w.Name, w.Password, ""), store.NewClient(e.URL, r.Name, r.Password, "")
}

// write runs a statement as the user who may write.
func (p *running) write(sql string) {
	p.Helper()
	writer, _ := p.clients()
	if err := writer.Exec(p.Context(), sql); err != nil {
		p.Fatal(err)
	}
}

// fillWhole writes a file until nothing more goes.
func fillWhole(t *testing.T, dir string) {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(dir, "fill"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var n int
	for _, size := range []int{1 << 20, 4096} {
		zeros := make([]byte, size)
		for err = nil; err == nil; {
			var m int
			m, err = f.Write(zeros)
			n += m
		}
	}
	free, _, _ := store.FreeSpace(dir)
	t.Logf("filled %d octets: %v; %d free", n, err, free)
	if !errors.Is(err, unix.ENOSPC) {
		t.Fatal(err)
	}
}
