package main

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"netmeta/config"
	"netmeta/engine"
	"netmeta/internal/secret"
)

// planted begins every secret that the tests plant.
const planted = "MARKhunter2"

// plant gives every key of the configuration that may hold a secret one, and returns the
// file. Addresses lead to host and hold secrets in all of their parts.
func plant(t *testing.T, address string, values map[string]any) string {
	t.Helper()
	n := 0
	var walk func(of reflect.Type, into map[string]any)
	walk = func(of reflect.Type, into map[string]any) {
		for i := range of.NumField() {
			f := of.Field(i)
			key := f.Tag.Get("yaml")
			if key == "-" || into[key] != nil && f.Type.Kind() != reflect.Struct {
				continue
			}
			mark := fmt.Sprintf("%s-%d-", planted, n)
			switch {
			case f.Type == reflect.TypeFor[secret.Text]():
				into[key] = mark + "text"
			case f.Type == reflect.TypeFor[secret.URL]():
				scheme, place, _ := strings.Cut(address, "://")
				into[key] = fmt.Sprintf("%s://%suser:%s%%40pw@%s/%%70ath?password=%sparam&access_token=%stoken", scheme, mark, mark, place, mark, mark)
			case f.Type.Kind() == reflect.Struct:
				sub, ok := into[key].(map[string]any)
				if !ok {
					sub = map[string]any{}
				}
				if walk(f.Type, sub); len(sub) > 0 {
					into[key] = sub
				}
				continue
			default:
				continue
			}
			n++
		}
	}
	walk(reflect.TypeFor[config.Config](), values)
	if n < 2 {
		t.Fatalf("%d secrets are planted: the configuration has more", n)
	}
	text, err := yaml.Marshal(values)
	if err != nil {
		t.Fatal(err)
	}
	return write(t, string(text))
}

// The stores that NetMeta meets.
var badStores = map[string]func(t *testing.T) (address string){
	"away": func(t *testing.T) string {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		return "http://" + l.Addr().String()
	},
	"unknown host":   func(t *testing.T) string { return "http://store.invalid:8123" },
	"wrong password": func(t *testing.T) string { return echoing(t, http.StatusForbidden, "") },
	"proxy":          func(t *testing.T) string { return echoing(t, http.StatusBadGateway, "") },
	"redirect": func(t *testing.T) string {
		return echoing(t, http.StatusTemporaryRedirect, "http://x:"+planted+"@127.0.0.1:1/?token="+planted)
	},
	"bad redirect": func(t *testing.T) string {
		return echoing(t, http.StatusMovedPermanently, "http://[::1/?token="+planted)
	},
	"answers": func(t *testing.T) string {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "Ok.\n") }))
		t.Cleanup(srv.Close)
		return srv.URL
	},
	"certificate": func(t *testing.T) string {
		srv := httptest.NewUnstartedServer(http.NotFoundHandler())
		srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
		srv.StartTLS()
		t.Cleanup(srv.Close)
		return srv.URL
	},
	"no TLS": func(t *testing.T) string { return strings.Replace(echoing(t, http.StatusOK, ""), "http:", "https:", 1) },
	"echo": func(t *testing.T) string {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				go func() { defer c.Close(); io.Copy(c, c) }()
			}
		}()
		return "http://" + l.Addr().String()
	},
}

// echoing is a server that answers with everything that it was sent.
func echoing(t *testing.T, status int, location string) string {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if location != "" {
			w.Header().Set("Location", location)
		}
		w.WriteHeader(status)
		fmt.Fprintf(w, "Code: 516. DB::Exception: %s %s", r.Method, r.RequestURI)
		r.Header.Write(w)
		user, password, _ := r.BasicAuth()
		fmt.Fprintln(w, user, password)
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

// No output of any command, no answer of the API and no log shows a secret of the
// configuration, whatever the store does.
func TestSecretsAreHidden(t *testing.T) {
	t.Parallel()
	for name, make := range badStores {
		for _, format := range []string{"text", "json"} {
			t.Run(name+"/"+format, func(t *testing.T) {
				t.Parallel() // most of it is waiting for stores that are away
				dir, address := t.TempDir(), make(t)
				values := map[string]any{
					"data": filepath.Join(dir, "data"), "http": map[string]any{"listen": "127.0.0.1:0"}, "debug": map[string]any{"listen": "127.0.0.1:0"},
					"sources": map[string]any{"udp": map[string]any{"listen": []string{"127.0.0.1:0"}}}, "log": map[string]any{"format": format, "level": "debug"},
					// An address where it has no business.
					"views": []map[string]any{{"name": "x", "query": "q=tcp", "description": "http://me:" + planted + "@h/?token=" + planted}},
				}
				file := plant(t, address, values)
				hidden := func(what, text string) {
					t.Helper()
					for _, line := range strings.Split(text, "\n") {
						if strings.Contains(line, planted) {
							t.Errorf("%s shows %.1500s", what, line)
						}
					}
				}
				p := launch(t, filepath.Join(dir, "data"), command(t, "run", "--config", file))
				if name != "answers" { // whose answers are no Native blocks
					waitFor(t, 20*time.Second, "the store is away", func() error {
						if !strings.Contains(p.said(), "store is not ready") && p.alive() {
							return fmt.Errorf("the log: %s", p.said())
						}
						return nil
					})
				}
				for _, path := range []string{"/api/v1/status", "/api/v1/config", "/api/v1/query", "/api/v1/flows", "/api/v1/queries", "/api/v1/exporters", "/api/v1/interfaces", "/api/v1/events", "/api/v1/stream", "/api/v1/estimate", "/readyz", "/metrics"} {
					if p.alive() {
						hidden(path, p.fetch(p.url+path))
					}
				}
				if at := strings.Index(p.said(), "/debug/pprof/"); at > 0 {
					said := p.said()[:at]
					base := said[strings.LastIndex(said, "http://"):]
					for _, path := range []string{"cmdline", "goroutine?debug=2", "heap?debug=1"} {
						hidden(path, p.fetch(base+"/debug/pprof/"+path))
					}
				}
				if p.alive() {
					p.cmd.Process.Signal(syscall.SIGHUP)
				}
				for _, args := range [][]string{{"check", file}, {"doctor", "--config", file}, {"doctor", "--json", "--config", file}, {"sql", "--config", file, "SELECT 1"}, {"query", "--config", file},
					{"query", "--json", "--config", file}, {"query", "--csv", "--config", file}, {"top", "--count", "1", "--config", file}, {"schema", "--diff", "--config", file}, {"schema", "--config", file}, {"reload", "--config", file}, {"parts", "list", "--config", file}, {"parts", "check", "--config", file},
					{"query", "--server", strings.Replace(address, "://", "://"+planted+":"+planted+"@", 1) + "/?token=" + planted}} {
					out, diag, _ := netmeta(t, "", args...)
					hidden(strings.Join(args, " "), out+diag)
				}
				if p.alive() { // the runtime tells of all goroutines then
					p.cmd.Process.Signal(syscall.SIGQUIT)
					<-p.ended
				}
				hidden("the log", p.said())
				if !strings.Contains(p.said(), "\n  data  ") || !strings.Contains(p.said(), "xxxxx@") {
					t.Errorf("the log does not say where flows are kept: %s", p.said())
				}
				entries, _ := os.ReadDir(p.data)
				for _, e := range entries {
					if text, err := os.ReadFile(filepath.Join(p.data, e.Name())); err == nil {
						hidden(e.Name(), string(text))
					}
				}
			})
		}
	}
}

// fetch gets what an address answers, whatever it is. Of a stream, the beginning.
func (p *running) fetch(address string) string {
	p.Helper()
	client := http.Client{Timeout: 10 * time.Second}
	res, err := client.Get(address)
	if err != nil {
		p.Log(err)
		return ""
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(res.Body, 4<<20))
	return string(text)
}

// Nor does one show the passwords of the embedded engine, with the engine dying of a wish to
// tell everything.
func TestEngineSecretsAreHidden(t *testing.T) {
	t.Parallel()
	p := start(t, t.TempDir())
	p.ready()
	files, err := filepath.Glob(filepath.Join(p.data, "secrets", "*"))
	if err != nil || len(files) < 2 {
		t.Fatal(files, err)
	}
	outputs := map[string]string{}
	for _, path := range []string{"/api/v1/status", "/api/v1/config", "/api/v1/query", "/api/v1/queries", "/metrics"} {
		outputs[path] = p.fetch(p.url + path)
	}
	for _, query := range []string{"SELECT * FROM system.processes FORMAT Vertical", "SELECT * FROM system.settings FORMAT Vertical", "SELECT * FROM system.server_settings FORMAT Vertical", "SELECT nothing"} {
		out, diag, _ := netmeta(t, "", "sql", "--data", p.data, query)
		outputs["sql "+query] = out + diag
	}
	doctor, diag, _ := netmeta(t, "", "doctor", "--data", p.data)
	outputs["doctor"] = doctor + diag
	pid := p.signalEngine(syscall.SIGQUIT)
	waitFor(t, 30*time.Second, "another engine", func() error {
		if e, err := engine.Running(p.data); err != nil || e.PID == pid {
			return fmt.Errorf("pid %d, %v", e.PID, err)
		}
		return nil
	})
	p.ready()
	for _, of := range []int{pid, p.cmd.Process.Pid} {
		for _, file := range []string{"cmdline", "environ"} {
			text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/%s", of, file))
			outputs[fmt.Sprint(file, " of ", of)] = string(text)
		}
	}
	outputs["the log"] = p.said()
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		password := strings.TrimSpace(string(content))
		for name, text := range outputs {
			if strings.Contains(text, password) {
				t.Errorf("%s shows the password of %s", name, filepath.Base(file))
			}
		}
	}
}
