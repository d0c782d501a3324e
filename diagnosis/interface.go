package diagnosis

import (
	"cmp"
	"math"
	"strconv"
)

// Interface holds the traffic of an interface, from flows and counters.
type Interface struct {
	Name  string  // empty: unnamed
	Index uint32  // ifIndex
	Speed uint64  // bits per second; 0: unknown
	In    Traffic // received
	Out   Traffic // sent
}

// Traffic is one direction of an interface. Rates are bits per second of layer 2; nil means
// unknown.
type Traffic struct {
	Max      float64  // of an interval
	UseP95   *float64 // 95th percentile as a share of the speed
	UseMax   *float64
	Counter  *float64 // counted by the device
	Coverage *float64 // flow bytes ÷ counter bytes
	Error    *float64 // relative error of the flows with 95 % confidence, from sampling
}

// UseLevel judges the 95th percentile as a share of the speed.
func (t Traffic) UseLevel() Level {
	if t.UseP95 == nil {
		return ""
	}
	return level(*t.UseP95, NearlyFull, full)
}

// Uncovered reports whether flows and counters differ more than sampling explains.
func (t Traffic) Uncovered() bool {
	if t.Coverage == nil || known(t.Counter) < coverageFrom {
		return false
	}
	return math.Abs(*t.Coverage-1) > coverageWarn+known(t.Error)
}

func known(v *float64) float64 {
	if v == nil {
		return 0
	}
	return *v
}

// Problems returns the problems of an interface, in the order of its directions.
func (i Interface) Problems() []Problem {
	list := []Problem{}
	for _, side := range []struct {
		verb string
		Traffic
	}{{"received", i.In}, {"sent", i.Out}} {
		if known(side.UseMax) > overCapacity {
			list = append(list, Problem{ID: "over-capacity", Level: Bad,
				What:   side.verb + " " + bits(side.Max) + ", above its speed of " + bits(float64(i.Speed)),
				Remedy: "Its active timeout is too long, packets are sampled twice, or the speed is wrong. Set the timeout to 10 s, sample ingress only, or correct the speed in the configuration file."})
		}
		if side.Uncovered() {
			list = append(list, uncovered(*side.Coverage, side.verb))
		}
	}
	return list
}

// uncovered returns the problem of a coverage far from 1.
func uncovered(coverage float64, verb string) Problem {
	p := Problem{Level: Warn, What: "coverage " + fixed(coverage, 2) + " (flow bytes ÷ counter bytes, " + verb + ")"}
	switch {
	case coverage >= coverageTwiceMin && coverage <= coverageTwiceMax:
		p.ID, p.Remedy = "coverage-twice", "Both directions are sampled. Sample ingress only, on all interfaces."
	case coverage < coverageNone:
		p.ID, p.Remedy = "coverage-none", "Ingress packets are not sampled. Enable sampling on all interfaces."
		p.What = "no flows for the traffic that its counters show as " + verb
	case coverage < 1:
		p.ID, p.Remedy = "coverage-low", "The sampling rate is wrong, or some interfaces are not sampled. Compare the rate with the device's configuration."
	default:
		p.ID, p.Remedy = "coverage-high", "The sampling rate is wrong. Compare it with the device's configuration."
	}
	return p
}

// ProblemsOf returns the problems of the interfaces of one exporter, each kind once, and of
// missing names. Unnamed is the share of its bytes on interfaces without a name.
func ProblemsOf(interfaces []Interface, unnamed float64) []Problem {
	list, at, others := []Problem{}, map[string]int{}, map[string]int{}
	for _, i := range interfaces {
		own := map[string]bool{} // kinds that this interface has
		for _, p := range i.Problems() {
			if own[p.ID] {
				continue
			}
			own[p.ID] = true
			if _, seen := at[p.ID]; seen {
				others[p.ID]++
				continue
			}
			at[p.ID] = len(list)
			p.What = cmp.Or(i.Name, "if "+strconv.FormatUint(uint64(i.Index), 10)) + ": " + p.What
			list = append(list, p)
		}
	}
	for id, n := range others {
		list[at[id]].What += "; " + plural(uint64(n), "more interface")
	}
	if unnamed > unnamedWarn {
		list = append(list, Problem{ID: "unnamed", Level: Warn, What: share(unnamed) + " of its bytes are on interfaces without a name",
			Remedy: "Configure it to send its interface table (IOS-XE: option interface-table), or name them in the configuration file. Index 0 means that it does not know the interface."})
	}
	return list
}

// Rise is the daily change of the 95th percentile of an interface, in bits per second.
type Rise struct {
	P95    float64 // of the last day, on the trend line
	PerDay float64
	Error  float64 // standard error of PerDay
}

const longestRise = 3650 // days; forecasts beyond are meaningless

// NearlyFullIn returns in how many days an interface is nearly full if the trend continues, and
// whether that is soon. It returns 0 if the rise is uncertain, the interface is nearly full
// already, or the day is more than ten years away.
func (r Rise) NearlyFullIn(speed uint64) (days int, soon Level) {
	if speed == 0 || r.PerDay <= 0 || r.PerDay <= 2*r.Error {
		return 0, ""
	}
	in := math.Ceil((NearlyFull*float64(speed) - r.P95) / r.PerDay)
	switch {
	case in >= 1 && in < soonFull:
		return int(in), Warn
	case in >= soonFull && in <= longestRise:
		return int(in), ""
	}
	return 0, "" // NaN too
}
