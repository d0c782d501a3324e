package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netmeta/flow"
	"netmeta/simulate"
)

// readiness asks /readyz: its status and, when it is not ready, why.
func (p *running) readiness() (code int, why string) {
	p.Helper()
	res, err := http.Get(p.url + "/readyz")
	if err != nil {
		p.Fatal(err)
	}
	defer res.Body.Close()
	var problem struct{ Title, Detail string }
	if err := json.NewDecoder(res.Body).Decode(&problem); err != nil {
		p.Fatal(err)
	}
	if kind := res.Header.Get("Content-Type"); res.StatusCode != http.StatusOK && (kind != "application/problem+json" || problem.Title != "not ready") {
		p.Errorf("/readyz: %d as %s: %+v", res.StatusCode, kind, problem)
	}
	return res.StatusCode, problem.Detail
}

// waitUnready waits until /readyz is 503 and says something.
func (p *running) waitUnready(says string) {
	p.Helper()
	waitFor(p, 30*time.Second, "/readyz says "+says, func() error {
		if code, why := p.readiness(); code != http.StatusServiceUnavailable || !strings.Contains(why, says) {
			return fmt.Errorf("%d: %s", code, why)
		}
		return nil
	})
}

// stays checks for as many attempts to store rows as n that /readyz is 503: none of them
// makes it ready between two failures.
func (p *running) staysUnready(n uint64) {
	p.Helper()
	for from := p.status().Pipeline.InsertErrors; p.status().Pipeline.InsertErrors < from+n; {
		if code, why := p.readiness(); code != http.StatusServiceUnavailable {
			p.Fatalf("/readyz: %d %s, with %+v", code, why, p.status().Pipeline)
		}
	}
}

// allStored waits until every flow that was sent is in the store.
func (p *running) allStored(sent uint64) {
	p.Helper()
	waitFor(p, time.Minute, "the flows", func() error {
		if got := p.sql("SELECT count() FROM flows"); got != fmt.Sprint(sent) {
			return fmt.Errorf("%s rows of %d", got, sent)
		}
		return nil
	})
}

// On a full disk NetMeta is not ready, whether flows come or not, and it is ready again
// when there is room.
func TestReadyFullDisk(t *testing.T) {
	dir := smallDisk(t, "512m")
	p := chaotic(t, dir, "127.0.0.1:0")
	sent := p.simulate(simulate.Options{Protocol: simulate.NetFlow9, Rate: 10_000, Duration: time.Second, Seed: 2}).Flows
	p.allStored(sent)
	// A disk that fills up within an ALTER costs the table its definition.
	waitFor(t, time.Minute, "the last change of a table at the start", func() error {
		if got := p.sql("SELECT count() FROM rollup_state FINAL"); got != fmt.Sprint(len(flow.Table.Rollups)) {
			return fmt.Errorf("the state of %s rollups is known", got)
		}
		return nil
	})
	fillWhole(t, dir)
	p.waitUnready("MiB free")
	sent += p.simulate(simulate.Options{Protocol: simulate.NetFlow9, Rate: 10_000, Duration: time.Second, Seed: 3}).Flows
	p.waitUnready("the spool is not writable")
	p.staysUnready(3)
	if err := os.Remove(filepath.Join(dir, "fill")); err != nil {
		t.Fatal(err)
	}
	p.ready()
	p.allStored(sent)
}

// A store and a spool that cannot be written keep nothing, with room on the disk. One of
// them alone keeps what comes in.
func TestReadyReadOnly(t *testing.T) {
	p := chaotic(t, t.TempDir(), "127.0.0.1:0")
	spool, tables := filepath.Join(p.data, "spool"), filepath.Join(p.data, "clickhouse", "store")
	readOnly := func(dir string) (writable func()) {
		t.Helper()
		err := unix.Mount(dir, dir, "", unix.MS_BIND, "")
		if err == nil {
			err = unix.Mount("", dir, "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY, "")
		}
		if err != nil {
			lacking(t, "no mount of our own: %v", err)
		}
		undo := func() { unix.Unmount(dir, unix.MNT_DETACH) }
		t.Cleanup(undo)
		return undo
	}
	writableSpool := readOnly(spool)
	sent := p.simulate(simulate.Options{Protocol: simulate.NetFlow9, Rate: 10_000, Duration: time.Second, Seed: 4}).Flows
	p.allStored(sent)
	if code, why := p.readiness(); code != http.StatusOK {
		t.Errorf("with the store alone: %d: %s", code, why)
	}
	writableTables := readOnly(tables)
	sent += p.simulate(simulate.Options{Protocol: simulate.NetFlow9, Rate: 10_000, Duration: time.Second, Seed: 5}).Flows
	p.waitUnready("the spool is not writable")
	p.staysUnready(3)
	writableSpool()
	p.ready()
	waitFor(t, 30*time.Second, "the spool", func() error {
		if p.status().Spool.Rows == 0 {
			return errors.New("nothing is in it")
		}
		return nil
	})
	if code, why := p.readiness(); code != http.StatusOK {
		t.Errorf("with the spool alone: %d: %s", code, why)
	}
	writableTables()
	p.allStored(sent)
	p.ready()
}
