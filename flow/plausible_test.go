package flow

import (
	"math"
	"testing"
)

func TestPlausible(t *testing.T) {
	for _, c := range []struct {
		what            string
		octets, packets uint64
		rate            uint32
		want            bool
	}{
		{"nothing", 0, 0, 1, true},
		{"octets alone, as firewalls count", 1 << 40, 0, 1, true},
		{"packets alone", 0, 1 << 40, 1, true},
		{"a joined packet of 512 KiB", 1 << 19, 1, 1, true},
		{"100 Tbit/s for half an hour", 22_500_000_000_000_000, 1 << 40, 1, true},
		{"400 Gbit/s for an hour, 1 in 1000", 180_000_000_000, 120_000_000, 1000, true},
		{"packets of 64 octets at 100 Tbit/s for half an hour", 22_500_000_000_000_000, 351_562_500_000_000, 1, true},
		{"the coarsest sampling", 1500, 1, 1 << 24, true},

		{"the packets of a divisor that overflows", 100, 1 << 58, 1, false},
		{"half of all octets", 1 << 63, 1, 1, false},
		{"all octets and packets", math.MaxUint64, math.MaxUint64, math.MaxUint32, false},
		{"a product of 2^64", 1 << 40, 1 << 30, 1 << 24, false},
		{"a sampling rate that nobody configures", 1500, 1, 1<<24 + 1, false},
		{"a frame of 4 GiB", math.MaxUint32, 1, 1, false},
	} {
		if got := Plausible(c.octets, c.packets, c.rate); got != c.want {
			t.Errorf("%s: %v", c.what, got)
		}
	}
}
