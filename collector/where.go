package collector

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"time"

	"netmeta/api"
	"netmeta/internal/wholefile"
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
	return wholefile.Write(filepath.Join(data, whereFile), where{"http://" + Reachable(listen), started.Unix()})
}

// RunningOn is the address of the NetMeta that runs on a data directory, empty when none
// does.
func RunningOn(ctx context.Context, data string) string {
	var at where
	if err := wholefile.Read(filepath.Join(data, whereFile), &at); err != nil || at.URL == "" {
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

// Reachable returns the address to connect to for a listen address: loopback if that is
// the unspecified address.
func Reachable(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return listen
	}
	if a, err := netip.ParseAddr(host); host == "" || err == nil && a.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}
