package udp

import (
	"netmeta/internal/conf"
	"netmeta/source"
)

// Settings are the ports that receive flow records. Any version of NetFlow, IPFIX and
// sFlow may arrive at any of them.
type Settings struct {
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
func Default() Settings {
	return Settings{
		Listen:  []conf.HostPort{conf.AnyHost(2055), conf.AnyHost(4739), conf.AnyHost(6343)},
		Workers: 2, BufferMiB: 32,
	}
}

// Addresses are those to listen on, as written.
func (s Settings) Addresses() (list []string) {
	for _, a := range s.Listen {
		list = append(list, a.String())
	}
	return list
}

// Validate checks the settings. Only addresses with port 0 may be listed more than once.
func (s Settings) Validate() error {
	var errs conf.Errors
	if len(s.Listen) == 0 {
		errs.Add("listen", "[]", `no address; use at least one, such as ":2055"`)
	}
	seen := map[conf.HostPort]bool{}
	for _, a := range s.Listen {
		a.Require(&errs, "listen")
		if seen[a] && a.Port() != 0 {
			errs.Add("listen", a, "is listed twice; use it once")
		}
		seen[a] = true
	}
	errs.Range("workers", s.Workers, 1, 64)
	errs.Range("buffer-mib", int(s.BufferMiB), 1, 1024)
	return errs.Join()
}
