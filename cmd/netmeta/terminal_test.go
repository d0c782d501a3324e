package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"netmeta/internal/terminal"
	"netmeta/store"
)

// onTerminal runs a command with a terminal as its output and error, and returns what that
// was sent. The keys are typed once something has come.
func onTerminal(t *testing.T, keys string, cmd *exec.Cmd) string {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		lacking(t, "no terminal: %v", err)
	}
	defer master.Close()
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		lacking(t, "no terminal: %v", err)
	}
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		lacking(t, "no terminal: %v", err)
	}
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		lacking(t, "no terminal: %v", err)
	}
	// As it is sent: the terminal adds nothing.
	mode, err := unix.IoctlGetTermios(int(slave.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	mode.Oflag &^= unix.OPOST
	mode.Lflag &^= unix.ECHO
	if err := unix.IoctlSetTermios(int(slave.Fd()), unix.TCSETS, mode); err != nil {
		t.Fatal(err)
	}
	unix.IoctlSetWinsize(int(slave.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 50, Col: 200})
	cmd.Stdout, cmd.Stderr = slave, slave
	if keys != "" {
		cmd.Stdin = slave
	}
	late := time.AfterFunc(time.Minute, func() {
		if cmd.Process != nil {
			cmd.Process.Kill()
		}
	})
	defer late.Stop()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	slave.Close()
	var (
		mu  sync.Mutex
		out bytes.Buffer
	)
	read := make(chan struct{})
	go func() { // ends when the last one that has the terminal open is gone
		defer close(read)
		buf, typed := make([]byte, 4096), false
		for {
			n, err := master.Read(buf)
			mu.Lock()
			out.Write(buf[:n])
			come := strings.Contains(out.String(), "Total")
			mu.Unlock()
			if err != nil {
				return
			}
			if come && !typed && keys != "" {
				typed = true
				io.WriteString(master, keys)
			}
		}
	}()
	cmd.Wait()
	<-read
	mu.Lock()
	defer mu.Unlock()
	return out.String()
}

// evil is a text that rings, colours, renames the window, moves the cursor by C1 codes and
// turns the direction of writing.
const evil = "eth\x1b]0;pwned\a\x1b[31m\u009b2J\u0085\u202egnp.exe\u2066\x7f\x00"

// own are the sequences that top draws its screen with.
var own = regexp.MustCompile(`\x1b\[(\?1049[hl]|\?25[hl]|H|K|J)`)

// harmless checks that a terminal was sent nothing that it obeys, besides line breaks, and
// for a screen top's own sequences.
func harmless(t *testing.T, what, text string, screen bool) {
	t.Helper()
	if screen {
		text = own.ReplaceAllString(text, "")
	}
	for i, line := range strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n") {
		line = strings.ReplaceAll(line, "\t", " ")
		if !utf8.ValidString(line) || terminal.Clean(line) != line {
			t.Errorf("%s, line %d: the terminal is sent %q", what, i+1, line)
		}
	}
}

// What exporters call things, and what stores answer, no command gives to a terminal raw.
// If the output is not a terminal, SQL writes the bytes unchanged.
func TestTerminal(t *testing.T) {
	dir := t.TempDir()
	p, _ := configuredOn(t, dir, udpPort("127.0.0.1:0")+"store:\n  columns: [ApplicationName]\n")
	p.ready()
	writer, _ := p.clients()
	if err := writer.Do(t.Context(), store.Query{
		SQL:    "INSERT INTO flows (TimeReceived, ApplicationName, Bytes, Packets, SamplingRate) SELECT now() - 20, {name:String}, 1000, 1, 1",
		Params: map[string]string{"name": strings.ReplaceAll(evil, "\x00", "\\0")},
	}); err != nil {
		t.Fatal(err)
	}
	raw := must(t, "sql", "--data", p.data, "SELECT ApplicationName FROM flows FORMAT RawBLOB")
	if raw != evil {
		t.Errorf("without a terminal sql gives %q", raw)
	}
	seen := 0
	f := func(screen bool, keys string, args ...string) {
		t.Helper()
		what := strings.Join(args, " ")
		text := onTerminal(t, keys, command(t, args...))
		harmless(t, what, text, screen)
		if strings.Contains(text, "gnp.exe") {
			seen++
		} else {
			t.Logf("%s: %.300q", what, text)
		}
	}
	by := []string{"by=app", "from=-10m", "dir=sum"}
	f(false, "", "sql", "--data", p.data, "SELECT ApplicationName FROM flows")
	f(false, "", "sql", "--data", p.data, "--format", "RawBLOB", "SELECT ApplicationName FROM flows")
	f(false, "", "sql", "--data", p.data, "--format", "JSONEachRow", "SELECT ApplicationName FROM flows")
	f(false, "", "sql", "--data", p.data, "SELECT throwIf(1, '"+strings.ReplaceAll(evil, "\x00", "")+"')")
	f(false, "", append([]string{"query", "--data", p.data}, by...)...)
	f(false, "", append([]string{"query", "--csv", "--data", p.data}, by...)...)
	f(false, "", append([]string{"query", "--csv", "--raw", "--data", p.data}, by...)...)
	f(false, "", append([]string{"query", "--json", "--data", p.data}, by...)...)
	f(false, "", append([]string{"top", "--count", "1", "--data", p.data}, by...)...)
	f(true, "q", append([]string{"top", "--data", p.data}, by...)...)
	f(false, "", "query", "--data", p.data, "app = "+strings.ReplaceAll(evil, "\x00", "")) // the filter does not parse
	if seen < 11 {
		t.Errorf("%d of the outputs show the name: the others prove nothing", seen)
	}

	// A server that answers with whatever it likes, to all commands that ask one.
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusBadGateway)
		io.WriteString(w, strings.ReplaceAll(`{"title":"EVIL","detail":"EVIL","version":"EVIL"}`, "EVIL", strings.NewReplacer("\x1b", `\u001b`, "\a", `\u0007`, "\x7f", `\u007f`, "\x00", `\u0000`).Replace(evil)))
	}))
	defer srv.Close()
	host := strings.TrimPrefix(srv.URL, "http://")
	foreign := write(t, "store: {url: '"+srv.URL+"'}\ndata: "+filepath.Join(dir, "other")+"\nhttp: {listen: '127.0.0.1:0'}\n")
	seen = 0
	f(false, "", "query", "--server", srv.URL)
	f(false, "", "sql", "--config", foreign, "SELECT 1")
	f(false, "", "schema", "--diff", "--config", foreign)
	f(false, "", "reload", "--listen", host)
	f(false, "", "doctor", "--config", foreign)
	if seen < 4 {
		t.Errorf("%d of the outputs show what the server answers: the others prove nothing", seen)
	}

	// A configuration and names of files.
	odd := filepath.Join(dir, strings.ReplaceAll(evil, "\x00", ""))
	os.WriteFile(odd, []byte("data: x\n\""+strings.ReplaceAll(evil, "\x00", "")+"\": 1\n"), 0o600)
	seen = 0
	for _, args := range [][]string{{"check", odd}, {"doctor", "--config", odd}, {"run", "--config", odd}, {"decode", odd}, {"replay", "--to", "127.0.0.1:9", odd}, {"engine", "--path", odd}, {odd}} {
		f(false, "", args...)
	}
	if seen < 6 {
		t.Errorf("%d of the outputs show the name of the file", seen)
	}
}

// A log on a terminal says nothing raw either, whatever its form.
func TestTerminalLog(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		dir := t.TempDir()
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-ClickHouse-Exception-Code", "62")
			w.WriteHeader(http.StatusBadRequest)
			io.WriteString(w, "Code: 62. DB::Exception: "+evil) // not a passing one: the start fails
		}))
		defer srv.Close()
		file := write(t, "store: {url: '"+srv.URL+"'}\ndata: "+filepath.Join(dir, "data")+"\nhttp: {listen: '127.0.0.1:0'}\nsources: {udp: {listen: ['127.0.0.1:0']}}\nlog: {format: "+format+", level: debug}\n")
		text := onTerminal(t, "", command(t, "run", "--config", file))
		if harmless(t, format, text, false); !strings.Contains(text, "gnp.exe") {
			t.Errorf("%s: %s", format, text)
		}
	}
}

// A command writes through stdout and stderr, which know what a terminal may be sent, and
// gives the collector one of them to write to.
func TestOutputs(t *testing.T) {
	// Who writes to a file of the process itself: sequences and texts of their own.
	allowed := map[string]int{"output.go": 2, "simulate.go": 3, "sql.go": 1, "top.go": 5}
	direct := regexp.MustCompile(`os\.Std(out|err)|\bfmt\.Print|\bprintln?\(`)
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	collector, err := filepath.Glob("../../collector/*.go")
	if err != nil || len(collector) == 0 {
		t.Fatal(collector, err)
	}
	for _, file := range append(files, collector...) {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if n := len(direct.FindAll(text, -1)); n != allowed[file] {
			t.Errorf("%s has os.Stdout, os.Stderr or fmt.Print %d times, %d known: write to stdout or stderr", file, n, allowed[file])
		}
	}
}
