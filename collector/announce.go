package collector

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"

	"netmeta/config"
)

// announce prints the addresses for routers and the web UI, and how to query and stop.
func (s *Collector) announce() {
	var ports []string
	for _, addr := range s.udp.Addrs() {
		ports = append(ports, fmt.Sprint(addr.Port()))
	}
	kept, where := s.config().Data, ""
	if abs, err := filepath.Abs(s.config().Data); err == nil {
		kept = abs
	}
	if s.config().Store.URL != "" {
		kept = s.config().Store.URL.String()
	}
	switch {
	case s.options.ConfigPath != "":
		where = " --config " + s.options.ConfigPath
	case s.config().Data != config.Default().Data:
		where = " --data " + s.config().Data
	}
	keep := "kept forever"
	if d := s.config().Store.RetentionDays; d > 0 {
		keep = fmt.Sprintf("kept %d days", d)
	}
	fmt.Fprintf(s.options.Out, `NetMeta %s
  web UI     http://%s
  listening  UDP %s: NetFlow v5, v9, IPFIX and sFlow, any protocol on any port
  data       %s (%s)
  query      %s sql%s "SELECT count() FROM flows"
  stop       Ctrl-C
`, s.options.Version, s.http.Addr(), strings.Join(ports, ", "), kept, keep, os.Args[0], where)
	if addr := s.http.Addr().(*net.TCPAddr); !addr.IP.IsLoopback() {
		s.log.Warn("web UI has no login and is reachable from outside; use an authenticating proxy or 127.0.0.1", "listen", addr)
	}
}

// PortName names the protocols that are customary on a port.
func PortName(addr string) string {
	switch _, port, _ := net.SplitHostPort(addr); port {
	case "2055", "9995", "9996":
		return "NetFlow"
	case "4739":
		return "IPFIX"
	case "6343":
		return "sFlow"
	}
	return "NetFlow, IPFIX, sFlow"
}
