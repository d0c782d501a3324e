package collector

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/pprof"
	"os"
	"strings"
	"time"

	"netmeta/internal/secret"
)

// debugHandler serves profiles of the program. The listener of the web UI never does.
func debugHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", commandLine)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	return mux
}

func listenDebug(addr string) (net.Listener, error) {
	if addr == "" {
		return nil, nil
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("profiles: %w; set debug.listen to another address", err)
	}
	return l, nil
}

// serveDebug serves profiles until ctx ends.
func (c *Collector) serveDebug(ctx context.Context) {
	if c.debug == nil {
		return
	}
	c.log.Info("serving profiles", "url", "http://"+c.debug.Addr().String()+"/debug/pprof/")
	srv := &http.Server{Handler: debugHandler(), ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() { srv.Close() })
	defer stop()
	if err := srv.Serve(c.debug); ctx.Err() == nil {
		c.log.Error("profiles no longer served", "err", err)
	}
}

// commandLine serves the command line of this process from /proc, without credentials.
func commandLine(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	io.WriteString(w, secret.Mask(strings.Join(os.Args, "\x00")))
}
