package conf

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
)

// HostPort is an address to listen on, HOST:PORT. HOST is an IP address, localhost, or empty for all
// addresses of the machine. The zero value means none.
type HostPort struct {
	text     string // as written
	port     uint16
	loopback bool
}

// AnyHost is the address :PORT.
func AnyHost(port uint16) HostPort {
	return HostPort{text: fmt.Sprintf(":%d", port), port: port}
}

// Loopback is the address 127.0.0.1:PORT.
func Loopback(port uint16) HostPort {
	return HostPort{text: fmt.Sprintf("127.0.0.1:%d", port), port: port, loopback: true}
}

// UnmarshalText reads HOST:PORT or :PORT. An empty text means none.
func (a *HostPort) UnmarshalText(text []byte) error {
	*a = HostPort{}
	if len(text) == 0 {
		return nil
	}
	bad := func(format string, args ...any) error {
		return fmt.Errorf("%s: %s", text, fmt.Sprintf(format, args...))
	}
	host, port, err := net.SplitHostPort(string(text))
	if err != nil {
		return bad("is not an address; use HOST:PORT or :PORT")
	}
	n, err := strconv.Atoi(port)
	if err != nil || n < 0 || n > 65535 {
		return bad("port %q is out of range; use 0 to 65535", port)
	}
	loopback := host == "localhost"
	if host != "" && !loopback {
		ip, err := netip.ParseAddr(host)
		if err != nil {
			return bad("host %q is not an IP address; use an address of this machine, or :PORT for all", host)
		}
		loopback = ip.IsLoopback()
	}
	*a = HostPort{text: string(text), port: uint16(n), loopback: loopback}
	return nil
}

// String returns the address as written.
func (a HostPort) String() string { return a.text }

// MarshalText returns the address as written.
func (a HostPort) MarshalText() ([]byte, error) { return []byte(a.text), nil }

// IsZero reports that there is no address.
func (a HostPort) IsZero() bool { return a.text == "" }

// Port returns the port; 0 lets the kernel choose one.
func (a HostPort) Port() uint16 { return a.port }

// IsLoopback reports that only programs on this machine can reach the address.
func (a HostPort) IsLoopback() bool { return a.loopback }

// Require adds an error if there is no address.
func (a HostPort) Require(e *Errors, key string) {
	if a.IsZero() {
		e.Add(key, `""`, "no address; use HOST:PORT or :PORT")
	}
}
