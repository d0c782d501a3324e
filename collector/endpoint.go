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

// endpointFile in the data directory has the address of the web UI of the NetMeta that runs on it, so that
// commands that only know the directory can query it, with its names and macros. It remains when NetMeta
// stops; the start time reveals another process at that address.
const endpointFile = "page.json"

type endpoint struct {
	URL     string `json:"url"`
	Started int64  `json:"started"` // start time in its status: another process may use the address by now
}

// writeEndpoint writes the file. Without it commands query the store, so an error does no harm.
func writeEndpoint(data, listen string, started time.Time) error {
	return wholefile.Write(filepath.Join(data, endpointFile), endpoint{"http://" + Reachable(listen), started.Unix()})
}

// RunningOn returns the address of the NetMeta that runs on a data directory, empty if there is none.
func RunningOn(ctx context.Context, data string) string {
	var at endpoint
	if err := wholefile.Read(filepath.Join(data, endpointFile), &at); err != nil || at.URL == "" {
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

// Reachable returns the address to connect to for a listen address: loopback for the unspecified address.
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
