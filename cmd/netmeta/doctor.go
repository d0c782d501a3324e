package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"netmeta/api"
	"netmeta/collector"
	"netmeta/config"
	"netmeta/engine"
	"netmeta/engine/libchdb"
	"netmeta/internal/wholefile"
	"netmeta/store"
)

type doctorCmd struct {
	Config string `type:"path" help:"Configuration file that NetMeta runs with."`
	Data   string `type:"path" help:"Data directory (default ./data)."`
	Listen string `help:"Address of the page, if it is not the one of the configuration."`
	JSON   bool   `help:"Print the findings as JSON."`

	proc string // for tests; empty: /proc
}

func (doctorCmd) Help() string {
	return `Looks at everything that a collector depends on: the configuration, receive buffers,
ports and who holds them, the clock, the disk, the engine and, when NetMeta runs, what
it loses and which exporters lack templates or a sampling rate. Each finding is OK, WARN
or FAIL, with what to do about it. Exits with 1 when something is FAIL. Nothing is
changed.

Examples:
  netmeta doctor --config /etc/netmeta/netmeta.yaml
  netmeta doctor --json | jq '.[] | select(.level != "OK")'`
}

// A finding is what one check found.
type finding struct {
	Level  string `json:"level"` // OK, WARN or FAIL
	Check  string `json:"check"`
	Found  string `json:"found"`
	Remedy string `json:"remedy,omitempty"`
}

// A doctor collects findings.
type doctor struct {
	proc     string // where the kernel tells of itself
	cfg      config.Config
	named    bool        // somebody said where the page is
	page     string      // where it is
	status   *api.Status // of the NetMeta that runs on this configuration; nil: none answers
	findings []finding
}

func (d *doctor) ok(check, format string, args ...any) {
	d.findings = append(d.findings, finding{"OK", check, fmt.Sprintf(format, args...), ""})
}

func (d *doctor) warn(check, found, remedy string) {
	d.findings = append(d.findings, finding{"WARN", check, found, remedy})
}

func (d *doctor) fail(check, found, remedy string) {
	d.findings = append(d.findings, finding{"FAIL", check, found, remedy})
}

func (c doctorCmd) Run(ctx context.Context) error {
	d := &doctor{proc: "/proc"}
	if c.proc != "" {
		d.proc = c.proc
	}
	d.examine(ctx, runCmd{Config: c.Config, Data: c.Data, Listen: c.Listen})
	failed := 0
	for _, f := range d.findings {
		if f.Level == "FAIL" {
			failed++
		}
		if !c.JSON {
			fmt.Fprintf(stdout, "%-4s  %-14s %s\n", f.Level, f.Check, f.Found)
			if f.Remedy != "" {
				fmt.Fprintf(stdout, "%21s→ %s\n", "", f.Remedy)
			}
		}
	}
	if c.JSON {
		out := json.NewEncoder(stdout)
		out.SetIndent("", "  ")
		if err := out.Encode(d.findings); err != nil {
			return err
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d findings are FAIL", failed, len(d.findings))
	}
	return nil
}

// examine makes all checks, each on what the earlier ones found.
func (d *doctor) examine(ctx context.Context, run runCmd) {
	d.configuration(run)
	d.running(ctx)
	d.buffers()
	d.ports()
	d.clock()
	d.disk()
	d.files()
	d.openFiles()
	d.engine(ctx)
	if d.status != nil {
		d.losses()
		d.problems()
		d.exporters(d.linkProblems(ctx))
	}
}

func (d *doctor) configuration(run runCmd) {
	var err error
	d.cfg, err = run.config()
	d.named = run.Listen != ""
	switch {
	case err != nil:
		d.fail("configuration", err.Error(), "mend the file; netmeta check FILE says whether it is right. The other checks use what could be read")
		if d.cfg.Data == "" {
			d.cfg = config.Default()
		}
	case run.Config == "":
		d.ok("configuration", "none given: the defaults")
	default:
		d.ok("configuration", "%s is valid", run.Config)
	}
}

// running asks the NetMeta of this configuration, if there is one.
func (d *doctor) running(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	url := pageOf(ctx, d.cfg, d.named)
	d.page = url
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/api/v1/status", nil)
	if err != nil {
		return // configuration has told why
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		d.ok("running", "nothing answers on %s: what only a running NetMeta can tell is not checked", url)
		return
	}
	defer res.Body.Close()
	var st api.Status
	if err := json.NewDecoder(res.Body).Decode(&st); err != nil || res.StatusCode != http.StatusOK || st.Version == "" {
		d.fail("running", fmt.Sprintf("what answers on %s is not NetMeta", url), "stop the other program, or choose another address with http.listen")
		return
	}
	d.status = &st
	d.ok("running", "NetMeta %s answers on %s, up %v", st.Version, url, time.Duration(st.Now-st.Started)*time.Second)
	if drift := time.Since(time.Unix(st.Now, 0)); drift < -5*time.Second || drift > 10*time.Second {
		d.warn("running", fmt.Sprintf("its clock differs from ours by %v", drift.Round(time.Second)), "it runs on another machine, or the clock was stepped just now")
	}
}

// wantBuffer is what the sockets ask the kernel for.
const wantBuffer = 32 << 20

func (d *doctor) buffers() {
	const remedy = "sysctl -w net.core.rmem_max=33554432, and keep it with deploy/systemd/sysctl.conf in /etc/sysctl.d; then restart NetMeta"
	if d.status != nil {
		for _, l := range d.status.Listeners {
			if l.Buffer < wantBuffer {
				d.warn("buffers", fmt.Sprintf("the receive buffer of %s is %s: short bursts are lost", l.Addr, mebibytes(uint64(l.Buffer))), remedy)
				return
			}
		}
		d.ok("buffers", "receive buffers are large enough")
		return
	}
	text, err := os.ReadFile(filepath.Join(d.proc, "sys/net/core/rmem_max"))
	most, parseErr := strconv.Atoi(strings.TrimSpace(string(text)))
	switch {
	case err != nil || parseErr != nil:
		d.warn("buffers", "net.core.rmem_max is not readable here", remedy)
	case most < wantBuffer:
		d.warn("buffers", fmt.Sprintf("net.core.rmem_max is %s: short bursts are lost, unless NetMeta has CAP_NET_ADMIN", mebibytes(uint64(most))), remedy)
	default:
		d.ok("buffers", "net.core.rmem_max is %s", mebibytes(uint64(most)))
	}
}

func mebibytes(n uint64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }

// ports tries the ports of the configuration, or looks whether the one that runs has
// them.
func (d *doctor) ports() {
	open := map[string]bool{}
	if d.status != nil {
		for _, l := range d.status.Listeners {
			_, port, _ := net.SplitHostPort(l.Addr)
			open[port] = true
		}
	}
	for _, a := range d.cfg.Sources.UDP.Listen {
		if a.Port() == 0 {
			continue
		}
		addr, port := a.String(), strconv.Itoa(int(a.Port()))
		if open[port] {
			d.ok("ports", "NetMeta listens on UDP %s", addr)
			continue
		}
		conn, err := net.ListenPacket("udp", addr)
		switch {
		case err == nil && d.status != nil:
			conn.Close()
			d.warn("ports", "UDP "+addr+" is in the configuration, and the NetMeta that runs does not listen there", "netmeta reload")
		case err == nil:
			conn.Close()
			d.ok("ports", "UDP %s is free", addr)
		case errors.Is(err, unix.EADDRINUSE):
			d.fail("ports", fmt.Sprintf("UDP %s is held by %s", addr, d.holder("udp", port)), "stop that program, or choose another port with sources.udp.listen")
		default:
			d.fail("ports", fmt.Sprintf("UDP %s: %v", addr, err), "choose an address of this machine, and a port from 1024 or a user who may have it, with sources.udp.listen")
		}
	}
	if page := d.cfg.HTTP.Listen; d.status == nil && page.Port() != 0 {
		l, err := net.Listen("tcp", page.String())
		switch {
		case err == nil:
			l.Close()
			d.ok("ports", "TCP %s is free", page)
		case errors.Is(err, unix.EADDRINUSE):
			d.fail("ports", fmt.Sprintf("TCP %s is held by %s", page, d.holder("tcp", strconv.Itoa(int(page.Port())))), "stop that program, or choose another address with http.listen")
		default:
			d.fail("ports", fmt.Sprintf("TCP %s: %v", page, err), "choose an address of this machine with http.listen")
		}
	}
}

// holder finds the process that has a local port.
func (d *doctor) holder(network, port string) string {
	n, _ := strconv.Atoi(port)
	inodes := map[string]bool{}
	for _, name := range []string{network, network + "6"} {
		text, _ := os.ReadFile(filepath.Join(d.proc, "net", name))
		for line := range strings.Lines(string(text)) {
			// sl local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout inode …
			f := strings.Fields(line)
			if len(f) > 9 && strings.HasSuffix(f[1], fmt.Sprintf(":%04X", n)) && (network == "udp" || f[3] == "0A") {
				inodes["socket:["+f[9]+"]"] = true
			}
		}
	}
	files, _ := filepath.Glob(filepath.Join(d.proc, "[0-9]*/fd/*"))
	for _, file := range files {
		if link, err := os.Readlink(file); err == nil && inodes[link] {
			process := filepath.Dir(filepath.Dir(file))
			name, _ := os.ReadFile(filepath.Join(process, "comm"))
			return fmt.Sprintf("process %s (%s)", filepath.Base(process), strings.TrimSpace(string(name)))
		}
	}
	return "another program (run as root to see which)"
}

func (d *doctor) clock() {
	var t unix.Timex
	state, err := unix.Adjtimex(&t)
	d.judgeClock(state, t.Status, time.Duration(t.Maxerror)*time.Microsecond, err)
}

// judgeClock says what adjtimex(2) means for data of one-second resolution.
func (d *doctor) judgeClock(state int, status int32, most time.Duration, err error) {
	const remedy = "run chrony, ntpd or systemd-timesyncd (timedatectl set-ntp true): a wrong clock puts flows into wrong seconds"
	switch {
	case err != nil:
		d.warn("clock", "whether the clock is synchronized cannot be told here: "+err.Error(), remedy)
	case state == unix.TIME_ERROR || status&unix.STA_UNSYNC != 0:
		d.warn("clock", "the clock is not synchronized", remedy)
	case most > time.Second:
		d.warn("clock", fmt.Sprintf("the clock may be wrong by %v", most.Round(time.Millisecond)), remedy)
	default:
		d.ok("clock", "synchronized, wrong by %v at most", most.Round(time.Millisecond))
	}
}

// slowDisks are file systems on which the store does badly, by their magic number.
var slowDisks = map[int64]string{
	unix.TMPFS_MAGIC:     "tmpfs: all data are gone after a restart of the machine",
	unix.RAMFS_MAGIC:     "ramfs: all data are gone after a restart of the machine",
	unix.NFS_SUPER_MAGIC: "NFS: inserts are slow, and a lost connection stops them",
	unix.SMB_SUPER_MAGIC: "SMB: inserts are slow, and files cannot be locked",
	0xff534d42:           "SMB: inserts are slow, and files cannot be locked", // CIFS
	0x65735546:           "FUSE: inserts are slow",
}

func (d *doctor) disk() {
	dir, made := d.cfg.Data, true
	for {
		if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) || dir == filepath.Dir(dir) {
			break
		}
		dir, made = filepath.Dir(dir), false // it will be made at the first start
	}
	free, total, err := store.FreeSpace(dir)
	if err != nil {
		d.fail("disk", err.Error(), "choose another directory with --data or data")
		return
	}
	if err := unix.Access(dir, unix.W_OK|unix.X_OK); err != nil {
		d.fail("disk", fmt.Sprintf("%s: this user may not write there", dir), "run as the user who owns the directory, or choose another one with --data or data")
	}
	keep := d.cfg.Store.Room().Of(total)
	gib := func(n uint64) string { return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30)) }
	switch {
	case d.cfg.Store.URL != "":
		d.ok("disk", "flows are kept in %s; %s has %s free", d.cfg.Store.URL, dir, gib(free))
	case free < keep/4 || free < 256<<20:
		d.fail("disk", fmt.Sprintf("%s has %s free of %s", dir, gib(free), gib(total)), "free some: without space nothing is stored")
	case free < keep && d.status != nil && free+d.status.Storage.Temporary >= keep:
		d.warn("disk", fmt.Sprintf("%s has %s free of %s, less than the %s to keep free, because of temporary data: %s", dir, gib(free), gib(total), gib(keep), d.status.Storage.TemporaryOf),
			"wait for the statements that hold them, or end them on the page Status; no rows are dropped for them")
	case free < keep:
		d.warn("disk", fmt.Sprintf("%s has %s free of %s, less than the %s to keep free: the oldest hours are dropped", dir, gib(free), gib(total), gib(keep)), "give it a larger disk, keep fewer days with store.retention-days, or let store.keep-free be smaller")
	case !made:
		d.ok("disk", "%s will be made; %s free of %s", d.cfg.Data, gib(free), gib(total))
	default:
		d.ok("disk", "%s has %s free of %s", dir, gib(free), gib(total))
	}
	var sys unix.Statfs_t
	if err := unix.Statfs(dir, &sys); err == nil {
		if what := slowDisks[int64(sys.Type)]; what != "" {
			d.warn("disk", dir+" is on "+what, "keep the data on a local disk, with --data or data")
		}
		if sys.Files > 0 && sys.Ffree < sys.Files/20 {
			d.warn("disk", fmt.Sprintf("%s has %d free inodes of %d", dir, sys.Ffree, sys.Files), "free some, or make the file system with more")
		}
	}
	if d.status == nil {
		return
	}
	for _, p := range d.status.Storage.Unreadable {
		d.fail("parts", p.Table+"/"+p.Name+" cannot be read and is left out: "+lost(p.Part), p.Remedy)
	}
	for _, p := range d.status.Storage.Detached {
		if p.Reason != "" {
			d.warn("parts", p.Table+"/"+p.Name+" was put aside by the engine: "+p.Reason, "check the disk; "+p.Path+" has what is left of it, remove that when it is of no use")
		}
	}
	switch f := d.status.Storage.Forecast; {
	case f.Days == 0:
		d.ok("forecast", "not known before an hour has passed")
	case f.LimitedBy == "disk" && f.Days < float64(d.cfg.Store.RetentionDays):
		d.warn("forecast", fmt.Sprintf("at this rate %.1f days fit on the disk, and store.retention-days asks for %d", f.Days, d.cfg.Store.RetentionDays), fmt.Sprintf("give it a larger disk: a day takes %s", gib(uint64(f.BytesPerDay))))
	case f.LimitedBy == "disk":
		d.warn("forecast", fmt.Sprintf("at this rate the disk is full in %.0f days", f.FullInDays), "keep flows for a number of days with store.retention-days, or watch the disk")
	default:
		d.ok("forecast", "at this rate %.0f days fit: a day takes %s", f.Days, gib(uint64(f.BytesPerDay)))
	}
}

// openFiles looks how many files may be open: of the NetMeta that runs only what this shell
// has in common with it.
func (d *doctor) openFiles() {
	warning, err := engine.OpenFiles()
	const remedy = "LimitNOFILE=262144 in the unit, or ulimit -n"
	switch {
	case err != nil:
		d.fail("open files", err.Error(), remedy)
	case warning != "":
		d.warn("open files", warning, remedy)
	}
}

// engine looks whether the embedded engine is there and opens, in a directory of its
// own, when it does not run already.
func (d *doctor) engine(ctx context.Context) {
	if d.cfg.Store.URL != "" {
		client := collector.StoreClient(d.cfg)
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		if err := client.Ping(ctx); err != nil {
			d.fail("store", err.Error(), "start that ClickHouse, or mend store.url")
			return
		}
		if err := client.Exec(ctx, "SELECT 1"); err != nil {
			d.fail("store", err.Error(), "mend store.user and store.password")
			return
		}
		d.ok("store", "%s answers", d.cfg.Store.URL)
		return
	}
	path, err := libchdb.Find()
	if err != nil {
		d.fail("engine", err.Error(), "make build, or set $"+libchdb.Env+" to the libchdb.so of a NetMeta")
		return
	}
	if st := d.status; st != nil && st.Engine.Embedded {
		switch e := st.Engine; {
		case !e.Up:
			d.fail("engine", "the engine is down: "+e.Error, "the log says why; it is started again by itself")
		case e.Restarts > 0:
			d.warn("engine", fmt.Sprintf("ClickHouse %s was started again %d times: %s", e.Version, e.Restarts, e.Error), "killed by the kernel: less engine.memory-mib, or more memory; else the log says why")
		default:
			d.ok("engine", "ClickHouse %s runs on %s", e.Version, e.URL)
		}
		for _, u := range st.Engine.Crashes {
			found := fmt.Sprintf("it crashed %d times while statements of user %s ran, the last began with: %.100s", u.Crashes, u.User, u.Statement)
			if u.Until > 0 {
				d.fail("engine", found+fmt.Sprintf("; the user is shut out until %s", time.Unix(u.Until, 0).Format(time.TimeOnly)), "find who sends it; change the password by replacing the file in secrets of the data directory and restarting")
			} else {
				d.warn("engine", found, "find who sends it; after three times in ten minutes the user is shut out for ten")
			}
		}
		d.confinement(st.Engine.Confinement, st.Engine.Unprotected)
		return
	}
	if _, err := engine.Running(d.cfg.Data); err == nil {
		d.warn("engine", "an engine has "+d.cfg.Data+", and NetMeta does not answer", "another netmeta command is at work there, or NetMeta hangs")
		return
	}
	stats, err := tryEngine(ctx, path)
	if err != nil {
		d.fail("engine", err.Error(), "the library does not fit this machine or is damaged: remove engine/libchdb/node_modules and run make build")
		return
	}
	d.ok("engine", "ClickHouse %s starts (%s)", stats.Version, path)
	d.confinement(stats.Confinement.String(), stats.Confinement.Missing)
}

// confinement says what the engine's process is limited by, and what of it this system
// does not have.
func (d *doctor) confinement(inForce string, missing []string) {
	if len(missing) == 0 {
		if inForce != "" {
			d.ok("confinement", "the engine's process is limited by %s", inForce)
		}
		return
	}
	d.warn("confinement", "the engine's process is limited less than it could be: "+strings.Join(missing, "; "),
		"use Linux 6.7 or later with Landlock and seccomp, and a container or unit that does not forbid them; doc/operate.md says what each does")
}

// tryEngine starts an engine on an empty directory and returns what it says.
func tryEngine(ctx context.Context, library string) (engine.Stats, error) {
	dir, err := os.MkdirTemp("", "netmeta-doctor-")
	if err != nil {
		return engine.Stats{}, err
	}
	defer os.RemoveAll(dir)
	s, err := engine.New(engine.Options{Path: dir, Library: library, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return engine.Stats{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	runCtx, stop := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan struct{})
	go func() { s.Run(runCtx); close(ended) }()
	defer func() { stop(); <-ended }()
	if err := s.Ready(ctx); err != nil {
		return engine.Stats{}, err
	}
	return s.Stats(), nil
}

// files looks for files that were put aside. Of a NetMeta that runs the status has told.
func (d *doctor) files() {
	if d.status != nil {
		return
	}
	for _, a := range wholefile.Asides(d.cfg.Data) {
		d.warn("files", collector.AsideText(a), collector.AsideHint)
	}
}

func (d *doctor) losses() {
	if len(d.status.Drops) == 0 {
		d.ok("losses", "nothing was lost since the start")
	}
	for _, l := range d.status.Drops {
		d.warn("losses", fmt.Sprintf("%s: %s: %d since the start", l.Where, l.Reason, l.Count), l.Hint)
	}
}
