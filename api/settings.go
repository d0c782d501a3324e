package api

import "netmeta/internal/conf"

// Config has the settings of the web UI and the API.
type Config struct {
	// Address of the web UI and the API. There is no login: use a loopback address or an
	// authenticating proxy.
	Listen conf.HostPort `yaml:"listen"`
	// Host names of the web UI, besides localhost and IP addresses. Requests for other names
	// are rejected, including those of Prometheus for /metrics.
	Hosts []string `yaml:"hosts" reload:"live"`
}

// Default is a loopback address.
func Default() Config { return Config{Listen: conf.Loopback(8080)} }

// Validate checks that there is an address.
func (c Config) Validate() error {
	var errs conf.Errors
	c.Listen.Require(&errs, "listen")
	return errs.Join()
}
