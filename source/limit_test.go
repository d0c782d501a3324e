package source

import (
	"math"
	"net/netip"
	"testing"
)

// send sends datagrams of ten flows each for some seconds and returns the share of
// datagrams that were kept in the last second, and the sum of flows times k over all.
func send(x *Exporter, rng *PRNG, from int64, seconds, perSecond int) (kept float64, scaled uint64) {
	for s := range seconds {
		kept = 0
		for range perSecond / 10 {
			d := x.Thin(from+int64(s), rng)
			x.Sent(10, 0)
			if !d.Skip {
				kept++
				scaled += 10 * uint64(d.Raise(1))
			}
		}
		kept /= float64(perSecond / 10)
	}
	return kept, scaled
}

func TestLimit(t *testing.T) {
	var list Exporters
	flood, quiet := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	early, _ := list.Of(flood, 1)
	own := netip.MustParseAddr("192.0.2.3")
	list.Limit(func(a netip.Addr) uint64 {
		if a == own {
			return 0
		}
		return 10_000
	})
	var rng PRNG
	for i, c := range []struct {
		addr      netip.Addr
		perSecond int
		share     float64
	}{
		{flood, 1_000_000, 0.01}, // entered before the limit was set
		{quiet, 9_000, 1},
		{quiet, 25_000, 1. / 3},
		{own, 1_000_000, 1},
	} {
		x, _ := list.Of(c.addr, 1)
		const seconds = 10
		share, scaled := send(x, &rng, int64(1000*(i+1)), seconds, c.perSecond)
		if math.Abs(share-c.share) > 0.15*c.share {
			t.Errorf("%v: of %d flows a second a share of %.4f is kept, want %.4f", c.addr, c.perSecond, share, c.share)
		}
		// Of n datagrams of which one in k is drawn the deviation is √(n·k); four of them.
		sent := float64(c.perSecond * seconds)
		if off := math.Abs(float64(scaled) - sent); off > 40*math.Sqrt(sent/10/c.share) {
			t.Errorf("%v: %d flows scaled, %.0f sent", c.addr, scaled, sent)
		}
	}
	now := int64(20_000)
	send(early, &rng, now, 1, 1_000_000)
	x, _ := list.Of(quiet, 1)
	send(x, &rng, now, 1, 9_000)
	for _, c := range []struct {
		after int64
		want  int
	}{{0, 1}, {1, 1}, {2, 0}} {
		if over := list.Over(now + c.after); len(over) != c.want || c.want == 1 && over[0] != flood {
			t.Errorf("%d s after a flood %v are over their limit", c.after, over)
		}
	}
	if again, _ := list.Of(flood, 1); again != early {
		t.Error("a limit made another entry")
	}
	// When the flood is over everything is kept again, in the second after.
	if share, _ := send(early, &rng, 22000, 2, 5_000); share != 1 {
		t.Errorf("after the flood a share of %.3f is kept", share)
	}
	// In the first second of a flood the limit works already.
	if share, _ := send(early, &rng, 23000, 1, 1_000_000); share > 0.1 {
		t.Errorf("in its first second a share of %.3f of a flood is kept", share)
	}
	list.Limit(func(netip.Addr) uint64 { return 0 })
	if share, _ := send(early, &rng, 24000, 2, 1_000_000); share != 1 {
		t.Errorf("without a limit a share of %.3f is kept", share)
	}
}

func TestRaise(t *testing.T) {
	for _, c := range []struct{ k, rate, want uint32 }{
		{0, 7, 7}, {1, 7, 7}, {3, 1000, 3000}, {3, math.MaxUint32 / 2, math.MaxUint32}, {math.MaxUint32, math.MaxUint32, math.MaxUint32},
	} {
		if got := (ThinDecision{OneOf: c.k}).Raise(c.rate); got != c.want {
			t.Errorf("1 of %d at a rate of %d: %d, want %d", c.k, c.rate, got, c.want)
		}
	}
}

// Every number is as likely as the others, and none depends on the one before.
func TestDice(t *testing.T) {
	const n, rolls = 7, 700_000
	var rng PRNG
	var pairs [n][n]int
	last := rng.roll(n)
	for range rolls {
		now := rng.roll(n)
		pairs[last][now]++
		last = now
	}
	const want = rolls / n / n
	for a := range pairs {
		for b, got := range pairs[a] {
			if math.Abs(float64(got-want)) > 5*math.Sqrt(want) {
				t.Errorf("%d after %d: %d times, want %d", b, a, got, want)
			}
		}
	}
	if testing.AllocsPerRun(100, func() { rng.roll(n) }) > 0 {
		t.Error("a roll allocates")
	}
}
