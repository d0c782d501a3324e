package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"netmeta/api"
	"netmeta/simulate"
)

// asProgram in the environment makes the test binary the program itself, so that each
// test runs the real main in a separate process, and so does the engine, which the
// program starts from its own executable.
const asProgram = "NETMETA_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// lacking skips a test because the machine lacks something, or fails it if NETMETA_REQUIRE in the environment
// says that everything must be present.
func lacking(t testing.TB, format string, args ...any) {
	t.Helper()
	if os.Getenv("NETMETA_REQUIRE") != "" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

// command is netmeta with arguments. It ends with the test at the latest.
func command(t testing.TB, args ...string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe, args...)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	return cmd
}

// netmeta runs a command to its end.
func netmeta(t testing.TB, stdin string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	cmd := command(t, args...)
	cmd.Stdin = strings.NewReader(stdin)
	var out, diag bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &diag
	late := time.AfterFunc(time.Minute, func() { cmd.Process.Kill() })
	defer late.Stop()
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(args, err)
	}
	if cmd.ProcessState.ExitCode() < 0 {
		t.Fatalf("netmeta %s: %v: %s", strings.Join(args, " "), err, diag.String())
	}
	return out.String(), diag.String(), cmd.ProcessState.ExitCode()
}

// must runs a command that has to succeed.
func must(t testing.TB, args ...string) string {
	t.Helper()
	stdout, stderr, code := netmeta(t, "", args...)
	if code != 0 {
		t.Fatalf("netmeta %s: exit %d: %s", strings.Join(args, " "), code, stderr)
	}
	return stdout
}

// A running is a netmeta run: a process that the test started.
type running struct {
	testing.TB
	cmd   *exec.Cmd
	data  string
	url   string // of the page
	udp   string // where it listens for flows, HOST:PORT
	began time.Time
	ended chan struct{} // closed when the process has ended

	mu  sync.Mutex
	log bytes.Buffer // its standard error
}

// Write takes the process's standard error.
func (p *running) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.Write(b)
}

func (p *running) said() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

// start starts netmeta run on a data directory and ports chosen by the system, and waits until it prints
// them. It stops at the end of the test at the latest.
func start(t testing.TB, data string, args ...string) *running {
	t.Helper()
	return startWith(t, data, func(c *exec.Cmd) error { return c.Start() }, args...)
}

// startWith is start with another way to start the process.
func startWith(t testing.TB, data string, begin func(*exec.Cmd) error, args ...string) *running {
	t.Helper()
	config := write(t, "data: "+data+"\nhttp:\n  listen: 127.0.0.1:0\nsources:\n  udp:\n    listen:\n      - 127.0.0.1:0\n")
	return launchWith(t, data, command(t, append([]string{"run", "--config", config}, args...)...), begin)
}

// launch starts a command that is netmeta run.
func launch(t testing.TB, data string, cmd *exec.Cmd) *running {
	t.Helper()
	return launchWith(t, data, cmd, func(c *exec.Cmd) error { return c.Start() })
}

func launchWith(t testing.TB, data string, cmd *exec.Cmd, begin func(*exec.Cmd) error) *running {
	t.Helper()
	p := &running{TB: t, cmd: cmd, data: data, ended: make(chan struct{})}
	// Neither the end of the test's context nor a Ctrl-C at its terminal may kill what
	// stop has to end in good order. A test binary that dies leaves nothing behind.
	p.cmd.Cancel = func() error { return nil }
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	p.cmd.Stderr = p
	p.began = time.Now()
	if err := begin(p.cmd); err != nil {
		t.Fatal(err)
	}
	go func() { p.cmd.Wait(); close(p.ended) }()
	t.Cleanup(func() {
		p.stop(syscall.SIGTERM)
		if t.Failed() {
			t.Logf("netmeta run --data %s said:\n%s", data, p.said())
		}
	})
	page := regexp.MustCompile(`web UI +(http://\S+)`)
	port := regexp.MustCompile(`listening +UDP (\d+)`)
	waitFor(t, 15*time.Second, "announcement", func() error {
		if !p.alive() {
			t.Fatalf("netmeta run ended: %s", p.said())
		}
		a, b := page.FindStringSubmatch(p.said()), port.FindStringSubmatch(p.said())
		if a == nil || b == nil {
			return errors.New("it has not said where it listens")
		}
		p.url, p.udp = a[1], "127.0.0.1:"+b[1]
		return nil
	})
	return p
}

func (p *running) alive() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// stop sends a signal and waits for the end. It returns the exit code.
func (p *running) stop(s syscall.Signal) int {
	p.Helper()
	if p.alive() {
		p.cmd.Process.Signal(s)
	}
	select {
	case <-p.ended:
	case <-time.After(30 * time.Second):
		p.cmd.Process.Kill()
		<-p.ended
		p.Errorf("netmeta run had not ended 30 s after the signal")
	}
	return p.cmd.ProcessState.ExitCode()
}

// kill ends the process as kill -9 does. The engine's process then ends automatically.
func (p *running) kill() {
	p.Helper()
	p.cmd.Process.Kill()
	<-p.ended
}

// get fetches JSON from the API, or only checks the answer when into is nil.
func (p *running) get(path string, into any) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+path, nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %s: %s", path, res.Status, body)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(body, into)
}

// ready waits until everything is up.
func (p *running) ready() {
	p.Helper()
	waitFor(p, 20*time.Second, "ready", func() error { return p.get("/readyz", nil) })
}

func (p *running) status() (s api.Status) {
	p.Helper()
	if err := p.get("/api/v1/status", &s); err != nil {
		p.Fatal(err)
	}
	return s
}

// total asks the API as the page does: for one number, over two hours around now.
func (p *running) total(unit, filter string) (float64, error) {
	now := time.Now().Unix()
	var answer struct {
		Total []struct{ Total float64 }
	}
	err := p.get("/api/v1/query?"+url.Values{
		"q": {filter}, "unit": {unit}, "dir": {"sum"}, "from": {fmt.Sprint(now - 3600)}, "to": {fmt.Sprint(now + 3600)},
	}.Encode(), &answer)
	if err != nil || len(answer.Total) == 0 {
		return 0, err
	}
	return answer.Total[0].Total, nil
}

// sql asks the command line.
func (p *running) sql(query string) string {
	p.Helper()
	return strings.TrimSpace(must(p, "sql", "--data", p.data, query))
}

// simulate sends flows of one protocol, slowly enough for a busy machine.
func (p *running) simulate(o simulate.Options) simulate.Sent {
	p.Helper()
	o.To = p.udp
	if o.Rate == 0 {
		o.Rate = 20_000
	}
	sent, err := simulate.Run(p.Context(), o)
	if err != nil {
		p.Fatal(err)
	}
	return sent
}

// write writes a file and returns its name.
func write(t testing.TB, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "netmeta.yaml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// waitFor tries until there is no error. It returns how long that took.
func waitFor(t testing.TB, most time.Duration, what string, try func() error) time.Duration {
	t.Helper()
	began := time.Now()
	for {
		err := try()
		took := time.Since(began)
		if err == nil {
			return took
		}
		if took > most {
			t.Fatalf("%s: not after %v: %v", what, took.Round(time.Millisecond), err)
		}
		time.Sleep(5 * time.Millisecond)
	}
}
