package sourcetest

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"netmeta/internal/enginetest"
	"netmeta/pipe"
	"netmeta/store"
)

// The environment of a child: where the store is, and the directory of the spool.
const (
	childDir   = "NETMETA_SOURCETEST_DIR"
	childStore = "NETMETA_SOURCETEST_STORE"
)

func isChild() bool { return os.Getenv(childDir) != "" }

// beChild runs the source, sends to it as fast as it acknowledges, and prints how many
// records are acknowledged, until it is killed.
func beChild(t *testing.T, s Subject) {
	u, err := url.Parse(os.Getenv(childStore))
	if err != nil {
		t.Fatal(err)
	}
	password, _ := u.User.Password()
	w := newWriter(t, os.Getenv(childDir), store.NewClient("http://"+u.Host, u.User.Username(), password, strings.TrimPrefix(u.Path, "/")))
	r := run(t, s, newPipe(64))
	w.Taken = r.pipe.Taken
	go w.Run(context.Background(), r.pipe.Queue())
	sent, acked := 0, 0
	for {
		if sent-acked < 10*some {
			s.Send(sent, 300)
			sent += 300
		}
		if n := s.Acked(); n > acked {
			acked = n
			fmt.Printf("acknowledged %d\n", acked)
		}
		time.Sleep(time.Millisecond)
	}
}

// testKilled runs the source in a process of its own, with a store that comes and goes, and
// kills that process several times over. What it had acknowledged is stored in the end, once.
func testKilled(t *testing.T) {
	writer, reader := enginetest.Clients(t)
	target, err := url.Parse(writer.URL.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	var away atomic.Bool
	proxy := httputil.NewSingleHostReverseProxy(target)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if away.Load() {
			http.Error(w, "away", http.StatusServiceUnavailable)
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	defer front.Close()
	for _, kill := range []struct {
		name  string
		away  bool          // from the start on
		after time.Duration // the first acknowledgement
	}{
		{"at the first acknowledgement, with the store away", true, 0},
		{"while the spool grows", true, 1500 * time.Millisecond},
		{"with a store that comes and goes", false, 2500 * time.Millisecond},
	} {
		t.Run(kill.name, func(t *testing.T) {
			if err := writer.Exec(t.Context(), store.Layout{}.Drop("flows")); err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			away.Store(kill.away)
			acked := killChild(t, dir, front.URL, writer, kill.after, func() {
				if !kill.away {
					away.Store(!away.Load())
				}
			})
			if acked == 0 {
				t.Fatal("nothing was acknowledged")
			}
			away.Store(false)
			drain(t, dir, writer)
			res, _, err := reader.Select(t.Context(), store.Query{SQL: fmt.Sprintf(
				"SELECT uniqExactIf(Bytes, Bytes <= %d), count() - uniqExact(Bytes) FROM flows", acked)})
			if err != nil {
				t.Fatal(err)
			}
			have, doubled := res.Columns[0].([]uint64)[0], res.Columns[1].([]int64)[0]
			if have != uint64(acked) || doubled != 0 {
				t.Errorf("%d records were acknowledged, of which %d are stored; %d came twice", acked, have, doubled)
			}
		})
	}
}

// killChild runs this test in another process until some time after it has acknowledged
// something, and kills it. It returns how many records it said are acknowledged.
func killChild(t *testing.T, dir, front string, c *store.Client, after time.Duration, tick func()) (acked int) {
	t.Helper()
	u, err := url.Parse(front)
	if err != nil {
		t.Fatal(err)
	}
	u.User, u.Path = url.UserPassword(c.User, c.Password.Reveal()), "/"+c.Database
	name, _, _ := strings.Cut(t.Name(), "/killed")
	cmd := exec.Command(os.Args[0], "-test.run", "^"+strings.ReplaceAll(name, "/", "$/^")+"$", "-test.count=1")
	cmd.Env = append(os.Environ(), childDir+"="+dir, childStore+"="+u.String())
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	overdue := time.AfterFunc(60*time.Second, func() { cmd.Process.Kill() })
	defer overdue.Stop()
	for lines.Scan() {
		if n, _ := fmt.Sscanf(lines.Text(), "acknowledged %d", &acked); n == 1 {
			break
		}
		t.Log("child: " + lines.Text())
	}
	ended := make(chan bool)
	go func() { // reads on: what it said before it was killed counts
		for lines.Scan() {
			fmt.Sscanf(lines.Text(), "acknowledged %d", &acked)
		}
		close(ended)
	}()
	for end := time.Now().Add(after); time.Now().Before(end); time.Sleep(300 * time.Millisecond) {
		tick()
	}
	cmd.Process.Kill()
	<-ended
	cmd.Wait()
	return acked
}

// drain stores what a process that was killed has left in its spool.
func drain(t *testing.T, dir string, c *store.Client) {
	t.Helper()
	w := newWriter(t, dir, c)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	p := pipe.New(1, 1<<20)
	p.Close()
	if err := w.Inserter.(*store.Tables).Migrate(ctx); err != nil {
		t.Fatal(err)
	}
	if err := w.Run(ctx, p.Queue()); err != nil {
		t.Fatal(err)
	}
	if s := w.Spool.Stats(); s.Rows > 0 || s.RefusedFiles > 0 {
		t.Fatalf("left in the spool: %+v", s)
	}
}
