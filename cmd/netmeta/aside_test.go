package main

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"netmeta/internal/wholefile"
	"netmeta/simulate"
)

// ownFiles are the files that NetMeta writes into its data directory, those that a short
// run does not write included.
var ownFiles = []string{"senders.json", "views.json", "links", "templates", "sequences", "page.json", "engine.json", "engine.lock", "engine.xml", "reserve", "spool/lock", "spool/join.json"}

// used runs a NetMeta that receives flows and stores decisions, and stops it.
func used(t *testing.T) (data string) {
	t.Helper()
	data = filepath.Join(t.TempDir(), "data")
	p := start(t, data)
	p.ready()
	p.simulate(simulate.Options{Protocol: simulate.NetFlow9, Flows: 1000, Seed: 1})
	for path, body := range map[string]string{"/api/v1/views": `{"name":"x"}`, "/api/v1/links": `{"address":"/explore?q=tcp"}`, "/api/v1/senders": `{"addresses":["192.0.2.77"],"decision":"ignore"}`} {
		res, err := http.Post(p.url+path, "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if res.Body.Close(); res.StatusCode != http.StatusOK {
			t.Fatal(path, res.Status)
		}
	}
	p.allStored(1000)
	p.stop(syscall.SIGTERM)
	return data
}

// Whatever replaces the files of the data directory, NetMeta starts and receives flows. It keeps unusable
// files for the operator; the log, the status and the doctor report them.
func TestDamagedFiles(t *testing.T) {
	t.Parallel()
	data := used(t)
	known := func(path string) bool {
		for _, name := range ownFiles {
			if path == name {
				return true
			}
		}
		return strings.HasPrefix(path, "clickhouse") || strings.HasPrefix(path, "secrets") || strings.HasSuffix(path, ".blocks")
	}
	filepath.WalkDir(data, func(path string, e fs.DirEntry, err error) error {
		if name, _ := filepath.Rel(data, path); err == nil && !e.IsDir() && !known(name) {
			t.Errorf("%s is not among the files that are tried", name)
		}
		return err
	})
	stored := uint64(1000)
	odd := []struct {
		name  string
		put   func(path string) error
		aside []string // files that must be moved aside, besides those in spool/refused; the others are replaced
	}{
		{"garbage", func(path string) error { return os.WriteFile(path, []byte("\x00\xff{garbage"), 0o600) }, []string{"senders.json", "views.json", "templates", "sequences"}},
		{"empty", func(path string) error { return os.WriteFile(path, nil, 0o600) }, []string{"senders.json", "views.json", "templates", "sequences"}},
		{"long line", func(path string) error { return os.WriteFile(path, bytes.Repeat([]byte("x"), 1<<20), 0o600) }, []string{"senders.json", "views.json", "templates", "sequences", "links"}},
		{"directory", func(path string) error { return os.MkdirAll(filepath.Join(path, "sub"), 0o700) }, []string{"senders.json", "views.json", "links", "templates", "sequences", "page.json", "engine.json", "engine.xml", "engine.lock"}},
		{"link to itself", func(path string) error { return os.Symlink(filepath.Base(path), path) }, []string{"senders.json", "views.json", "links", "templates", "sequences", "engine.lock"}},
		{"pipe", func(path string) error { return syscall.Mkfifo(path, 0o600) }, []string{"senders.json", "views.json", "links", "templates", "sequences"}},
	}
	for _, o := range odd {
		t.Run(o.name, func(t *testing.T) {
			for _, a := range wholefile.Asides(data) { // of the odd things before
				os.RemoveAll(filepath.Join(data, a.File))
			}
			for _, name := range append(ownFiles, "spool/7777777777777777-flows.blocks", "spool/refused/7777777777777778-flows.blocks", "spool/doubted/7777777777777779-flows.blocks", "spool/x.tmp", "spool/doubted/x.tmp") {
				path := filepath.Join(data, name)
				if err := os.RemoveAll(path); err != nil {
					t.Fatal(err)
				}
				if err := o.put(path); err != nil {
					t.Fatal(err)
				}
			}
			p := start(t, data)
			p.ready()
			p.simulate(simulate.Options{Protocol: simulate.NetFlow9, Flows: 1000, Seed: 1})
			stored += 1000
			p.allStored(stored)
			drops, err := json.Marshal(p.status().Drops)
			if err != nil {
				t.Fatal(err)
			}
			p.stop(syscall.SIGTERM)
			doctor, _, _ := netmeta(t, "", "doctor", "--data", data)
			for _, name := range o.aside {
				said := name + " was damaged and renamed to " + name + ".damaged-"
				if !strings.Contains(string(drops), said) {
					t.Errorf("the status does not say that %s: %s", said, drops)
				}
				if !strings.Contains(doctor, said) {
					t.Errorf("the doctor does not say that %s: %s", said, doctor)
				}
				if !strings.HasPrefix(name, "engine") && name != "page.json" && !strings.Contains(p.said(), name+".damaged-") {
					t.Errorf("the log does not name %s", name)
				}
			}
			if !strings.Contains(p.said(), "7777777777777777-flows.blocks") {
				t.Error("the log does not name the odd file of the spool")
			}
		})
	}
}

// Others read nothing of what NetMeta keeps, and no link leads its writing elsewhere.
func TestFileModes(t *testing.T) {
	data := used(t)
	for _, name := range []string{"links", "page.json", "reserve", "engine.json", "engine.xml", "templates", "sequences", "views.json"} {
		victim := filepath.Join(t.TempDir(), "victim")
		os.WriteFile(victim, []byte("precious"), 0o600)
		os.Remove(filepath.Join(data, name))
		if err := os.Symlink(victim, filepath.Join(data, name)); err != nil {
			t.Fatal(err)
		}
		defer func() {
			if text, err := os.ReadFile(victim); string(text) != "precious" {
				t.Errorf("through %s: %q, %v", name, text, err)
			}
		}()
	}
	p := start(t, data)
	p.ready()
	if res, err := http.Post(p.url+"/api/v1/links", "application/json", strings.NewReader(`{"address":"/flows?q=udp"}`)); err != nil || res.StatusCode != http.StatusOK {
		t.Error(res, err)
	}
	p.stop(syscall.SIGTERM)
	filepath.WalkDir(data, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			t.Error(err)
			return nil
		}
		name, _ := filepath.Rel(data, path)
		info, err := e.Info()
		switch {
		case err != nil:
			t.Error(err)
		case e.IsDir() && name == "clickhouse": // within a directory that others cannot enter
			return filepath.SkipDir
		case name == ".":
			if info.Mode().Perm()&0o027 != 0 {
				t.Errorf("the data directory has mode %v", info.Mode())
			}
		case info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0:
			t.Errorf("%s has mode %v", name, info.Mode())
		}
		return nil
	})
}

// A secret that cannot travel in a header is refused at the start, by name, and stays as
// it is.
func TestOddSecrets(t *testing.T) {
	data := used(t)
	secrets, err := filepath.Glob(filepath.Join(data, "secrets", "*"))
	if err != nil || len(secrets) < 2 {
		t.Fatal(secrets, err)
	}
	for what, content := range map[string]string{
		"empty":   "",
		"short":   "0123456789",
		"control": "0123456789abcdef\x01",
		"blank":   "0123456789 abcdef",
		"break":   "0123456789\nabcdef0",
		"umlaut":  "0123456789äöüabc",
		"binary":  "0123456789abcdef\xff\xfe",
		"proto":   "syntax = \"proto3\";\nmessage Message { uint32 a = 1; }\n",
		"long":    strings.Repeat("x", 4096),
	} {
		for _, path := range secrets {
			name := filepath.Base(path)
			good, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			_, diag, code := netmeta(t, "", "run", "--data", data, "--listen", "127.0.0.1:0", "--config", write(t, udpPort("127.0.0.1:0")))
			if code == 0 || !strings.Contains(diag, path) || !strings.Contains(diag, "remove") || content != "" && strings.Contains(diag, content) {
				t.Errorf("%s %s: %d: %s", what, name, code, diag)
			}
			if now, _ := os.ReadFile(path); string(now) != content {
				t.Errorf("%s %s: it is overwritten with %q", what, name, now)
			}
			os.WriteFile(path, good, 0o600)
		}
	}
}
