package query

import (
	"slices"
	"strings"

	"netmeta/diagnosis"
)

// judge adds the problems of interfaces and exporters.
func (l *InterfaceList) judge() {
	of, unnamed := map[string][]diagnosis.Interface{}, map[string]float64{}
	for i := range l.Interfaces {
		x := &l.Interfaces[i]
		facts := x.facts()
		x.Problems = facts.Problems()
		for _, side := range []struct {
			*LinkSide
			diagnosis.Traffic
		}{{&x.In, facts.In}, {&x.Out, facts.Out}} {
			side.LinkSide.UseLevel, side.LinkSide.Uncovered = side.Traffic.UseLevel(), side.Traffic.Uncovered()
		}
		of[x.Exporter] = append(of[x.Exporter], facts)
	}
	for _, u := range l.Unnamed {
		unnamed[u.Exporter] = u.Share
		if _, seen := of[u.Exporter]; !seen {
			of[u.Exporter] = nil
		}
	}
	for exporter, interfaces := range of {
		l.Exporters = append(l.Exporters, InterfacesOf{Exporter: exporter, Problems: diagnosis.ProblemsOf(interfaces, unnamed[exporter])})
	}
	slices.SortFunc(l.Exporters, func(a, b InterfacesOf) int { return strings.Compare(a.Exporter, b.Exporter) })
}

func (i *Interface) facts() diagnosis.Interface {
	return diagnosis.Interface{Name: i.Interface, Index: i.Index, Speed: i.Speed, In: i.In.facts(), Out: i.Out.facts()}
}

func (l *LinkSide) facts() diagnosis.Traffic {
	return diagnosis.Traffic{Max: l.Max, UseP95: l.UseP95, UseMax: l.UseMax, Counter: l.Counter, Coverage: l.Coverage, Error: l.Error}
}

// NearlyFullIn returns in how many days an interface of this speed is nearly full, and whether that is soon;
// 0 if it is not expected.
func (t Trend) NearlyFullIn(speed uint64) (int, diagnosis.Level) {
	return diagnosis.Rise(t).NearlyFullIn(speed)
}
