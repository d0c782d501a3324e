package main

import (
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"
)

// A browser drives the page on the live data of the demo: the tests of ui/e2e, which
// compare what is on the screen with what the API says.
func TestPage(t *testing.T) {
	t.Parallel()
	for _, program := range []string{"npm", "chromium"} {
		if _, err := exec.LookPath(program); err != nil {
			lacking(t, "needs %s: run test/install", program)
		}
	}
	for _, file := range []string{"../../ui/node_modules/playwright-core", "../../ui/dist/index.html"} {
		if _, err := os.Stat(file); err != nil {
			lacking(t, "needs %s: run make build", file)
		}
	}
	p := start(t, t.TempDir(), "--demo")
	p.ready()
	// The history is there when the first and the last quarter of its hour are, and the
	// live traffic when the exporters are seen.
	waitFor(t, 90*time.Second, "demo data", func() error {
		s := p.status()
		if s.Storage.Rows == 0 || s.Storage.Oldest > s.Now-55*60 || s.Storage.Newest < s.Now-5 || len(s.Exporters) < demoExporters {
			return fmt.Errorf("%+v, %d exporters", s.Storage, len(s.Exporters))
		}
		return nil
	})
	if s := p.status(); len(s.Drops) > 0 {
		t.Errorf("drops: %v", s.Drops)
	}
	t.Logf("demo data %v after the start", time.Since(p.began).Round(time.Millisecond))
	cmd := exec.CommandContext(t.Context(), "npm", "--prefix", "../../ui", "run", "--silent", "e2e")
	cmd.Env = append(os.Environ(), "BASE_URL="+p.url)
	if testing.Short() {
		cmd.Env = append(cmd.Env, "SHORT=1")
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	} else if testing.Verbose() {
		t.Logf("%s", out)
	}
}
