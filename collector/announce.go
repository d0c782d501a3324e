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
func (c *Collector) announce() {
	var ports []string
	for _, addr := range c.udp.Addrs() {
		ports = append(ports, fmt.Sprint(addr.Port()))
	}
	kept, arguments := c.config().Data, ""
	if abs, err := filepath.Abs(c.config().Data); err == nil {
		kept = abs
	}
	if c.config().Store.URL != "" {
		kept = c.config().Store.URL.String()
	}
	switch {
	case c.options.ConfigPath != "":
		arguments = " --config " + c.options.ConfigPath
	case c.config().Data != config.Default().Data:
		arguments = " --data " + c.config().Data
	}
	keep := "kept forever"
	if d := c.config().Store.RetentionDays; d > 0 {
		keep = fmt.Sprintf("kept %d days", d)
	}
	fmt.Fprintf(c.options.Out, `NetMeta %s
  web UI     http://%s
  listening  UDP %s: NetFlow v5, v9, IPFIX and sFlow, any protocol on any port
  data       %s (%s)
  query      %s sql%s "SELECT count() FROM flows"
  stop       Ctrl-C
`, c.options.Version, c.http.Addr(), strings.Join(ports, ", "), kept, keep, os.Args[0], arguments)
	if addr := c.http.Addr().(*net.TCPAddr); !addr.IP.IsLoopback() {
		c.log.Warn("web UI has no login and is reachable from outside; use an authenticating proxy or 127.0.0.1", "listen", addr)
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
