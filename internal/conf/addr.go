package conf

import (
	"fmt"
	"net/netip"
)

// Addr is the IP address of a device, for keys of maps. An IPv4 address mapped to IPv6 is the IPv4 address.
type Addr struct{ netip.Addr }

// AddrOf returns the key of an address.
func AddrOf(a netip.Addr) Addr { return Addr{a.Unmap()} }

// UnmarshalText reads an IP address.
func (a *Addr) UnmarshalText(text []byte) error {
	parsed, err := netip.ParseAddr(string(text))
	if err != nil {
		return fmt.Errorf("%s: is not an IP address; use one such as 192.0.2.1 or 2001:db8::1", text)
	}
	*a = AddrOf(parsed)
	return nil
}

// Compare orders addresses.
func (a Addr) Compare(b Addr) int { return a.Addr.Compare(b.Addr) }
