package collector

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"

	"netmeta/config"
)

// announce says where to point a router and where to look.
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
	keep := "for ever"
	if d := s.config().Store.RetentionDays; d > 0 {
		keep = fmt.Sprintf("for %d days", d)
	}
	fmt.Fprintf(s.options.Out, `NetMeta %s
  look at    http://%s
  send to    UDP %s of this machine: NetFlow v5, v9, IPFIX or sFlow, any of them on any port
  flows      are kept in %s %s
  ask        %s sql%s "SELECT count() FROM flows"
  stop       Ctrl-C
`, s.options.Version, s.http.Addr(), strings.Join(ports, ", "), kept, keep, os.Args[0], where)
	if addr := s.http.Addr().(*net.TCPAddr); !addr.IP.IsLoopback() {
		s.log.Warn("the page has no logins and others can reach it: put a proxy that asks for one before it, or listen on 127.0.0.1", "listen", addr)
	}
}

// PortName says what is customary on a port.
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
