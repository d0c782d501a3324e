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
	Config string `type:"path" help:"Configuration file of the running NetMeta."`
	Data   string `type:"path" help:"Data directory (default ./data)."`
	Listen string `help:"Address of the web UI, if it differs from the configuration."`
	JSON   bool   `help:"Print the findings as JSON."`

	proc string // for tests; empty: /proc
}

func (doctorCmd) Help() string {
	return `Checks everything that a collector depends on: the configuration, receive buffers,
ports and the processes that use them, the clock, the disk and the engine. If NetMeta
runs, it also checks losses and the problems of exporters, such as missing templates.
Each finding is OK, WARN or FAIL, with a remedy. The exit status is 1 if a finding is
FAIL. Nothing is changed.

Examples:
  netmeta doctor --config /etc/netmeta/netmeta.yaml
  netmeta doctor --json | jq '.[] | select(.level != "OK")'`
}

// A finding is the result of one check.
type finding struct {
	Level  string `json:"level"` // OK, WARN or FAIL
	Check  string `json:"check"`
	Found  string `json:"found"`
	Remedy string `json:"remedy,omitempty"`
}

// A doctor collects findings.
type doctor struct {
	proc     string // the proc file system
	cfg      config.Config
	named    bool        // a flag gives the address of the web UI
	page     string      // URL of the web UI
	status   *api.Status // of the NetMeta that runs with this configuration; nil: none answers
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

// examine makes all checks in turn. A check may use the results of earlier ones.
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
		d.fail("configuration", err.Error(), "fix the file; check it with netmeta check FILE. The other checks use the keys that could be read")
		if d.cfg.Data == "" {
			d.cfg = config.Default()
		}
	case run.Config == "":
		d.ok("configuration", "no file; using the defaults")
	default:
		d.ok("configuration", "%s is valid", run.Config)
	}
}

// running reads the status of the NetMeta that runs with this configuration, if any.
func (d *doctor) running(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	url := pageOf(ctx, d.cfg, d.named)
	d.page = url
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/api/v1/status", nil)
	if err != nil {
		return // configuration has reported the cause
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		d.ok("running", "nothing answers on %s; checks that need a running NetMeta are skipped", url)
		return
	}
	defer res.Body.Close()
	var st api.Status
	if err := json.NewDecoder(res.Body).Decode(&st); err != nil || res.StatusCode != http.StatusOK || st.Version == "" {
		d.fail("running", fmt.Sprintf("another program answers on %s", url), "stop it, or set http.listen to another address")
		return
	}
	d.status = &st
	d.ok("running", "NetMeta %s answers on %s, up %v", st.Version, url, time.Duration(st.Now-st.Started)*time.Second)
	if drift := time.Since(time.Unix(st.Now, 0)); drift < -5*time.Second || drift > 10*time.Second {
		d.warn("running", fmt.Sprintf("its clock differs from this machine's by %v", drift.Round(time.Second)), "check whether it runs on another machine, or the clock was just stepped")
	}
}

// wantBuffer is the receive buffer, in bytes, that the sockets request from the kernel.
const wantBuffer = 32 << 20

func (d *doctor) buffers() {
	const remedy = "run sysctl -w net.core.rmem_max=33554432 and install deploy/systemd/sysctl.conf in /etc/sysctl.d; then restart NetMeta"
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
		d.warn("buffers", "cannot read net.core.rmem_max", remedy)
	case most < wantBuffer:
		d.warn("buffers", fmt.Sprintf("net.core.rmem_max is %s: short bursts are lost, unless NetMeta has CAP_NET_ADMIN", mebibytes(uint64(most))), remedy)
	default:
		d.ok("buffers", "net.core.rmem_max is %s", mebibytes(uint64(most)))
	}
}

func mebibytes(n uint64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }

// ports tries to open the configured ports, or checks that the running NetMeta has them
// open.
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
			d.warn("ports", "UDP "+addr+" is configured but not open", "run netmeta reload")
		case err == nil:
			conn.Close()
			d.ok("ports", "UDP %s is free", addr)
		case errors.Is(err, unix.EADDRINUSE):
			d.fail("ports", fmt.Sprintf("UDP %s is in use by %s", addr, d.holder("udp", port)), "stop that program, or set sources.udp.listen to another port")
		default:
			d.fail("ports", fmt.Sprintf("UDP %s: %v", addr, err), "set sources.udp.listen to an address of this machine and a port that this user may open (1024 or higher)")
		}
	}
	if page := d.cfg.HTTP.Listen; d.status == nil && page.Port() != 0 {
		l, err := net.Listen("tcp", page.String())
		switch {
		case err == nil:
			l.Close()
			d.ok("ports", "TCP %s is free", page)
		case errors.Is(err, unix.EADDRINUSE):
			d.fail("ports", fmt.Sprintf("TCP %s is in use by %s", page, d.holder("tcp", strconv.Itoa(int(page.Port())))), "stop that program, or set http.listen to another address")
		default:
			d.fail("ports", fmt.Sprintf("TCP %s: %v", page, err), "set http.listen to an address of this machine")
		}
	}
}

// holder returns the process that uses a local port.
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

// judgeClock judges the result of adjtimex(2) for data of one-second resolution.
func (d *doctor) judgeClock(state int, status int32, most time.Duration, err error) {
	const remedy = "run chrony, ntpd or systemd-timesyncd (timedatectl set-ntp true); a wrong clock gives wrong timestamps"
	switch {
	case err != nil:
		d.warn("clock", "cannot check whether the clock is synchronized: "+err.Error(), remedy)
	case state == unix.TIME_ERROR || status&unix.STA_UNSYNC != 0:
		d.warn("clock", "the clock is not synchronized", remedy)
	case most > time.Second:
		d.warn("clock", fmt.Sprintf("the clock may be off by %v", most.Round(time.Millisecond)), remedy)
	default:
		d.ok("clock", "synchronized, off by at most %v", most.Round(time.Millisecond))
	}
}

// slowDisks are file systems that are unfit for the store, by magic number.
var slowDisks = map[int64]string{
	unix.TMPFS_MAGIC:     "tmpfs: all data is lost on reboot",
	unix.RAMFS_MAGIC:     "ramfs: all data is lost on reboot",
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
		dir, made = filepath.Dir(dir), false // created at the first start
	}
	free, total, err := store.FreeSpace(dir)
	if err != nil {
		d.fail("disk", err.Error(), "set data (or --data) to another directory")
		return
	}
	if err := unix.Access(dir, unix.W_OK|unix.X_OK); err != nil {
		d.fail("disk", fmt.Sprintf("%s is not writable by this user", dir), "run as the owner of the directory, or set data (or --data) to another one")
	}
	keep := d.cfg.Store.DiskShare().Of(total)
	gib := func(n uint64) string { return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30)) }
	switch {
	case d.cfg.Store.URL != "":
		d.ok("disk", "flows are stored in %s; %s has %s free", d.cfg.Store.URL, dir, gib(free))
	case free < keep/4 || free < 256<<20:
		d.fail("disk", fmt.Sprintf("%s has %s free of %s", dir, gib(free), gib(total)), "free some space; nothing is stored on a full disk")
	case free < keep && d.status != nil && free+d.status.Storage.Temporary >= keep:
		d.warn("disk", fmt.Sprintf("%s has %s free of %s, less than the %s to keep free, because of temporary data: %s", dir, gib(free), gib(total), gib(keep), d.status.Storage.TemporaryOf),
			"wait for the queries that use it, or cancel them on the Status page; no rows are dropped for it")
	case free < keep:
		d.warn("disk", fmt.Sprintf("%s has %s free of %s, less than the %s to keep free: the oldest hours are dropped", dir, gib(free), gib(total), gib(keep)), "use a larger disk, or lower store.retention-days or store.keep-free")
	case !made:
		d.ok("disk", "%s will be created; %s free of %s", d.cfg.Data, gib(free), gib(total))
	default:
		d.ok("disk", "%s has %s free of %s", dir, gib(free), gib(total))
	}
	var sys unix.Statfs_t
	if err := unix.Statfs(dir, &sys); err == nil {
		if what := slowDisks[int64(sys.Type)]; what != "" {
			d.warn("disk", dir+" is on "+what, "set data (or --data) to a directory on a local disk")
		}
		if sys.Files > 0 && sys.Ffree < sys.Files/20 {
			d.warn("disk", fmt.Sprintf("%s has %d free inodes of %d", dir, sys.Ffree, sys.Files), "delete files, or create the file system with more inodes")
		}
	}
	if d.status == nil {
		return
	}
	for _, p := range d.status.Storage.Unreadable {
		d.fail("parts", p.Table+"/"+p.Name+" cannot be read and is excluded: "+extent(p.Part), p.Remedy)
	}
	for _, p := range d.status.Storage.Detached {
		if p.Reason != "" {
			d.warn("parts", p.Table+"/"+p.Name+" was detached by the engine: "+p.Reason, "check the disk; the remains of the part are in "+p.Path+", remove them if you do not need them")
		}
	}
	switch f := d.status.Storage.Forecast; {
	case f.Days == 0:
		d.ok("forecast", "unknown until NetMeta has run for an hour")
	case f.LimitedBy == "disk" && f.Days < float64(d.cfg.Store.RetentionDays):
		d.warn("forecast", fmt.Sprintf("at this rate %.1f days fit on the disk; store.retention-days is %d", f.Days, d.cfg.Store.RetentionDays), fmt.Sprintf("use a larger disk, or lower store.retention-days; a day takes %s", gib(uint64(f.BytesPerDay))))
	case f.LimitedBy == "disk":
		d.warn("forecast", fmt.Sprintf("at this rate the disk is full in %.0f days", f.FullInDays), "set store.retention-days, or monitor the disk")
	default:
		d.ok("forecast", "at this rate %.0f days fit: a day takes %s", f.Days, gib(uint64(f.BytesPerDay)))
	}
}

// openFiles checks the limit of open files of this process. A running NetMeta may have
// another one.
func (d *doctor) openFiles() {
	warning, err := engine.OpenFiles()
	const remedy = "set LimitNOFILE=262144 in the unit, or run ulimit -n 262144"
	switch {
	case err != nil:
		d.fail("open files", err.Error(), remedy)
	case warning != "":
		d.warn("open files", warning, remedy)
	}
}

// engine checks the store: an external ClickHouse, the running engine, or a test start of
// the engine in an empty directory.
func (d *doctor) engine(ctx context.Context) {
	if d.cfg.Store.URL != "" {
		client := collector.StoreClient(d.cfg)
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		if err := client.Ping(ctx); err != nil {
			d.fail("store", err.Error(), "start that ClickHouse, or check store.url")
			return
		}
		if err := client.Exec(ctx, "SELECT 1"); err != nil {
			d.fail("store", err.Error(), "check store.user and store.password")
			return
		}
		d.ok("store", "%s answers", d.cfg.Store.URL)
		return
	}
	path, err := libchdb.Find()
	if err != nil {
		d.fail("engine", err.Error(), "run make build, or set $"+libchdb.Env+" to the path of libchdb.so")
		return
	}
	if st := d.status; st != nil && st.Engine.Embedded {
		switch e := st.Engine; {
		case !e.Up:
			d.fail("engine", "the engine is down: "+e.Error, "check the log; the engine is restarted automatically")
		case e.Restarts > 0:
			d.warn("engine", fmt.Sprintf("ClickHouse %s was restarted %d times: %s", e.Version, e.Restarts, e.Error), "if the kernel killed it, lower engine.memory-mib or add memory; otherwise check the log")
		default:
			d.ok("engine", "ClickHouse %s runs on %s", e.Version, e.URL)
		}
		for _, u := range st.Engine.Crashes {
			found := fmt.Sprintf("it crashed %d times during queries of user %s; the last one: %.100s", u.Crashes, u.User, u.Statement)
			if u.Until > 0 {
				d.fail("engine", found+fmt.Sprintf("; the user is locked out until %s", time.Unix(u.Until, 0).Format(time.TimeOnly)), "check which program sends it; to change the password, replace the file in secrets of the data directory and restart NetMeta")
			} else {
				d.warn("engine", found, "check which program sends it; three crashes within ten minutes lock the user out for ten")
			}
		}
		d.confinement(st.Engine.Confinement, st.Engine.Unprotected)
		return
	}
	if _, err := engine.Running(d.cfg.Data); err == nil {
		d.warn("engine", "an engine runs on "+d.cfg.Data+", but NetMeta does not answer", "check whether another netmeta command runs there; otherwise restart NetMeta")
		return
	}
	stats, err := tryEngine(ctx, path)
	if err != nil {
		d.fail("engine", err.Error(), "the library is damaged or built for another machine; remove engine/libchdb/node_modules and run make build")
		return
	}
	d.ok("engine", "ClickHouse %s starts (%s)", stats.Version, path)
	d.confinement(stats.Confinement.String(), stats.Confinement.Missing)
}

// confinement reports the limits on the engine's process, and those that this system
// lacks.
func (d *doctor) confinement(inForce string, missing []string) {
	if len(missing) == 0 {
		if inForce != "" {
			d.ok("confinement", "the engine's process is limited by %s", inForce)
		}
		return
	}
	d.warn("confinement", "the engine's process is only partly confined: "+strings.Join(missing, "; "),
		"use Linux 6.7 or later with Landlock and seccomp, in a container or unit that allows them; see doc/operate.md")
}

// tryEngine starts an engine in an empty directory and returns its statistics.
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

// files reports damaged files that were moved aside. The status of a running NetMeta
// reports them itself.
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
		d.ok("losses", "none since the start")
	}
	for _, l := range d.status.Drops {
		d.warn("losses", fmt.Sprintf("%s: %s: %d since the start", l.Where, l.Reason, l.Count), l.Hint)
	}
}
