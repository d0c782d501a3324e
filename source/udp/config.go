package udp

import (
	"netmeta/internal/conf"
	"netmeta/source"
)

// Options has the ports that receive flow records. Any version of NetFlow, IPFIX and sFlow may arrive at any
// of them.
type Config struct {
	// Addresses to listen on. One without a host listens on IPv6 and IPv4.
	Listen []conf.HostPort `yaml:"listen" reload:"live"`
	// Sockets of each address, each with a goroutine that reads it; 1 to 64.
	Workers int `yaml:"workers"`
	// Receive buffer of each socket in MiB; 1 to 1024. Without CAP_NET_ADMIN the kernel
	// limits it to net.core.rmem_max.
	BufferMiB conf.MiB `yaml:"buffer-mib"`
	// Spread each exporter's datagrams over all workers. Normally one worker receives all
	// of them, in order, which is enough for a million flows per second. With spread, loss,
	// order and restarts by sequence number are not reliable.
	Spread bool               `yaml:"spread"`
	Limit  source.LimitConfig `yaml:"limit"`
}

// Default has the usual ports of NetFlow, IPFIX and sFlow.
func Default() Config {
	return Config{
		Listen:  []conf.HostPort{conf.AnyHost(2055), conf.AnyHost(4739), conf.AnyHost(6343)},
		Workers: 2, BufferMiB: 32,
	}
}

// Addresses returns the addresses to listen on, as written.
func (c Config) Addresses() (list []string) {
	for _, a := range c.Listen {
		list = append(list, a.String())
	}
	return list
}

// Validate checks the settings. Only addresses with port 0 may be listed more than once.
func (c Config) Validate() error {
	var errs conf.Errors
	if len(c.Listen) == 0 {
		errs.Add("listen", "[]", `no address; use at least one, such as ":2055"`)
	}
	seen := map[conf.HostPort]bool{}
	for _, a := range c.Listen {
		a.Require(&errs, "listen")
		if seen[a] && a.Port() != 0 {
			errs.Add("listen", a, "is listed twice; use it once")
		}
		seen[a] = true
	}
	errs.Range("workers", c.Workers, 1, 64)
	errs.Range("buffer-mib", int(c.BufferMiB), 1, 1024)
	return errs.Join()
}
