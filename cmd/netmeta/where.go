package main

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"netmeta/api"
	"netmeta/config"
)

// whereFile in the data directory says where the page of the NetMeta that runs on it is,
// so that commands that know the directory alone ask it, with its names and macros. It
// stays when NetMeta stops: what answers there then has not started at its time.
const whereFile = "page.json"

type where struct {
	URL     string `json:"url"`
	Started int64  `json:"started"` // of its status: what answers there may be another one by now
}

// tellWhere writes the file; without it commands ask the store, so an error is no harm.
func tellWhere(data, listen string, started time.Time) error {
	text, err := json.Marshal(where{"http://" + reachable(listen), started.Unix()})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(data, whereFile), text, 0o644)
}

// pageOf is the address of the page that a command talks to: the one that a flag names,
// else that of the NetMeta that runs on the data directory, else that of the configuration.
func pageOf(ctx context.Context, cfg config.Config, named bool) string {
	if !named {
		if at := runningOn(ctx, cfg.Data); at != "" {
			return at
		}
	}
	return "http://" + reachable(cfg.HTTP.Listen)
}

// runningOn is the address of the NetMeta that runs on a data directory, empty when none
// does.
func runningOn(ctx context.Context, data string) string {
	text, err := os.ReadFile(filepath.Join(data, whereFile))
	var at where
	if err != nil || json.Unmarshal(text, &at) != nil {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at.URL+"/api/v1/status", nil)
	if err != nil {
		return ""
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return ""
	}
	defer res.Body.Close()
	var st api.Status
	if res.StatusCode != http.StatusOK || json.NewDecoder(http.MaxBytesReader(nil, res.Body, 16<<20)).Decode(&st) != nil || st.Started != at.Started {
		return ""
	}
	return at.URL
}
