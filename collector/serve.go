package collector

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"netmeta/config"
)

// serve serves the web UI and the API until ctx ends. Open requests then have one second
// to finish.
func (c *Collector) serve(ctx context.Context) error {
	srv := &http.Server{
		Handler:           c.handler,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		ErrorLog:          slog.NewLogLogger(c.log.Handler(), slog.LevelDebug),
	}
	closed := make(chan struct{})
	context.AfterFunc(ctx, func() {
		defer close(closed)
		patience, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		srv.Shutdown(patience)
		srv.Close()
	})
	if err := srv.Serve(c.http); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("page: %w", err)
	}
	<-closed
	return nil
}

// preparePage prepares the web UI and the API for another configuration.
func (c *Collector) preparePage(*config.Config) (change, error) {
	return change{commit: c.configureAPI}, nil
}
