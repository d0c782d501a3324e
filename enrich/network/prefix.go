package network

import (
	"fmt"
	"net/netip"
)

// Prefix is a key of the configuration: a prefix, or an address, which is a prefix of full length.
type Prefix struct{ netip.Prefix }

// ParsePrefix reads a prefix or an address.
func ParsePrefix(text string) (Prefix, error) {
	if a, err := netip.ParseAddr(text); err == nil && a.Zone() == "" {
		a = a.Unmap()
		return Prefix{netip.PrefixFrom(a, a.BitLen())}, nil
	}
	p, err := netip.ParsePrefix(text)
	switch {
	case err != nil || p.Addr().Is4In6():
		return Prefix{p}, fmt.Errorf("%q is not a prefix; use e.g. 192.0.2.0/24, 2001:db8::/32 or an address", text)
	case p != p.Masked():
		return Prefix{p}, fmt.Errorf("%s has host bits set; use %s", text, p.Masked())
	}
	return Prefix{p}, nil
}

// String returns the prefix; one of full length as an address.
func (p Prefix) String() string {
	if p.IsSingleIP() {
		return p.Addr().String()
	}
	return p.Prefix.String()
}

// MarshalText is String.
func (p Prefix) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText is ParsePrefix.
func (p *Prefix) UnmarshalText(text []byte) (err error) {
	*p, err = ParsePrefix(string(text))
	return err
}
