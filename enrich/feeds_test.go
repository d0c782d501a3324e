package enrich

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"netmeta/column"
	"netmeta/enrich/feed"
	"netmeta/enrich/network"
	"netmeta/flow"
)

// A listServer serves lists by path, and counts what it was asked.
type listServer struct {
	*httptest.Server
	mu    sync.Mutex
	lists map[string]string
	asked atomic.Int64
}

func newListServer(t *testing.T) *listServer {
	s := &listServer{lists: map[string]string{}}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.asked.Add(1)
		s.mu.Lock()
		defer s.mu.Unlock()
		w.Write([]byte(s.lists[r.URL.Path]))
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *listServer) serve(path, list string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lists[path] = list
}

// eventually waits for a fact.
func eventually(t *testing.T, what string, fact func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !fact(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("never: ", what)
		}
	}
}

// A running chain is up to date with its lists, whatever servers and operators do.
func TestFeeds(t *testing.T) {
	s, data := newListServer(t), t.TempDir()
	table, err := os.ReadFile(dataFileOf(t))
	if err != nil {
		t.Fatal(err)
	}
	s.serve("/networks", "prefix,name\n10.1.0.0/16,office\n")
	s.serve("/data", string(table))
	c := Default()
	c.Networks = network.Config{pfx("10.0.0.0/8"): {Name: "private", Role: "lab"}}
	c.NetworkFiles = []feed.Location{feed.Location(s.URL + "/networks")}
	c.Data = feed.Location(s.URL + "/data")
	c.Refresh = feed.Interval(time.Millisecond)

	start := func() (chain *Chain, stop func()) {
		chain, err := New(c, data, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { chain.Run(ctx); close(done) }()
		return chain, func() { cancel(); <-done }
	}
	found := func(chain *Chain) string {
		b := flow.Table.NewBatch(1)
		row := b.Add()
		flow.SrcAddr.Set(b, row, column.AddrFrom4([4]byte{10, 1, 2, 3}))
		flow.DstAddr.Set(b, row, column.AddrFrom4([4]byte{45, 57, 1, 1}))
		chain.Stage()(b)
		return flow.SrcNetName.At(b, row).String() + " " + flow.SrcNetRole.At(b, row).String() + " " + chain.ASName(flow.DstAS.At(b, row))
	}
	is := func(chain *Chain, want string) func() bool { return func() bool { return found(chain) == want } }
	problem := func(chain *Chain, want string) func() bool {
		return func() bool {
			for _, line := range chain.Status() {
				if line.Source == s.URL+"/networks" {
					return line.Error == want || want != "" && strings.Contains(line.Error, want)
				}
			}
			return false
		}
	}

	chain, stop := start()
	eventually(t, "both lists are there", is(chain, "office lab Netflix"))
	s.serve("/networks", "prefix,name\n10.1.0.0/16,head office\n")
	eventually(t, "the list changes", is(chain, "head office lab Netflix"))
	s.serve("/networks", "prefix,name\n10.1.0.0/99,x\n")
	eventually(t, "a mistake is shown", problem(chain, "line 2: \"10.1.0.0/99\""))
	s.serve("/networks", "prefix,name\n10.0.0.0/8,x\n")
	eventually(t, "a contradiction is shown", problem(chain, "10.0.0.0/8: is listed twice"))
	if !is(chain, "head office lab Netflix")() {
		t.Errorf("after mistakes: %s", found(chain))
	}

	// A new configuration has the lists at once, without asking.
	c.Networks = network.Config{pfx("10.0.0.0/8"): {Role: "production"}}
	if err := chain.Set(c); err != nil {
		t.Fatal(err)
	}
	if !is(chain, "head office production Netflix")() {
		t.Errorf("after a reload: %s", found(chain))
	}
	s.serve("/networks", "prefix,name\n10.1.0.0/16,office\n")
	eventually(t, "feeds go on after a reload", is(chain, "office production Netflix"))
	eventually(t, "the error is gone", problem(chain, ""))
	stop()

	// Nor is a network needed for a start.
	s.Close()
	chain, stop = start()
	if !is(chain, "office production Netflix")() {
		t.Errorf("after a restart: %s", found(chain))
	}
	eventually(t, "the server is gone", problem(chain, "connection refused"))
	stop()

	// Copies of what is not configured go.
	c.NetworkFiles = nil
	_, stop = start()
	eventually(t, "one copy is left", func() bool {
		files, err := os.ReadDir(filepath.Join(data, "feeds"))
		return err == nil && len(files) == 1
	})
	stop()
}

// Without URLs in the configuration nothing is asked, and files are read only when the
// configuration is.
func TestFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "networks.csv")
	write := func(list string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(list), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("prefix,name\n10.0.0.0/8,one\n")
	c := Default()
	c.NetworkFiles, c.Refresh = []feed.Location{feed.Location(path)}, feed.Interval(time.Millisecond)
	chain := newChain(t, c)
	name := func() string {
		b := flow.Table.NewBatch(1)
		flow.SrcAddr.Set(b, b.Add(), column.AddrFrom4([4]byte{10, 1, 2, 3}))
		chain.Stage()(b)
		return flow.SrcNetName.At(b, 0).String()
	}
	problem := func() string {
		for _, line := range chain.Status() {
			if line.Source == path {
				return line.Error
			}
		}
		return "is not listed"
	}
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer stop()
	write("prefix,name\n10.0.0.0/8,second\n")
	chain.Run(ctx)
	if name() != "one" {
		t.Errorf("the file is read without a reload: %s", name())
	}
	if err := chain.Set(c); err != nil || name() != "second" || problem() != "" {
		t.Errorf("after a reload: %s, %s, %v", name(), problem(), err)
	}
	write("prefix\nbroken\n")
	if err := chain.Set(c); err == nil || !strings.Contains(err.Error(), "enrich.network-files: "+path+": line 2") {
		t.Errorf("a broken file: %v", err)
	}
	if name() != "second" || !strings.Contains(problem(), "line 2") {
		t.Errorf("after a broken file: %s, %s", name(), problem())
	}
}
