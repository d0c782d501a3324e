package query

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// A comparison compares the range of a request with earlier ones of the same length: one, or with band4w the
// same weekdays of the last four weeks. Rows of an earlier range are put into the buckets of the request,
// moved by a fixed number of seconds per range, so that every bucket has its counterpart.

// shifts returns how many seconds earlier the other ranges are; none without vs.
func (r *Request) shifts(rg *Range) ([]int64, error) {
	from := time.Unix(rg.From, 0).In(rg.Location)
	back := func(t time.Time) (int64, error) {
		shift := rg.From - t.Unix()
		if shift <= 0 || t.Unix() < 0 {
			return 0, Invalid("vs", r.VS, "is not before the window itself; write prev, -1d, -7d, band4w or the begin of an earlier window")
		}
		return shift, nil
	}
	switch {
	case r.VS == "":
		return nil, nil
	case r.VS == "prev":
		return []int64{rg.To - rg.From}, nil
	case r.VS == "band4w":
		var list []int64
		for week := 1; week <= 4; week++ { // by the calendar: noon is compared with noon
			shift, err := back(from.AddDate(0, 0, -7*week))
			if err != nil {
				return nil, err
			}
			list = append(list, shift)
		}
		return list, nil
	case strings.HasPrefix(r.VS, "-") && !strings.Contains(r.VS, "/"):
		if t, ok := parseRelative(r.VS, from); ok {
			shift, err := back(t)
			return []int64{shift}, err
		}
	default:
		if t, ok := parseAbsolute(r.VS, rg.Location); ok {
			shift, err := back(t)
			return []int64{shift}, err
		}
	}
	return nil, Invalid("vs", r.VS, "is nothing to compare with; write prev, -1d, -7d, -28d, band4w or the begin of an earlier window as a time")
}

// Comparison says what a result is compared with.
type Comparison struct {
	Name   string  `json:"name"`   // As requested.
	Shifts []int64 `json:"shifts"` // Seconds from each earlier range to this one.
}

// Versus is a series or total in the earlier ranges. For a band, Values is the median of the ranges, and so
// are Avg and Total.
type Versus struct {
	Values Points   `json:"values"`        // One for each interval; for a band the median.
	Min    Points   `json:"min,omitempty"` // Of a band.
	Max    Points   `json:"max,omitempty"` // Of a band.
	Avg    float64  `json:"avg"`
	Total  uint64   `json:"total"`
	Delta  float64  `json:"delta"`  // The average now minus the earlier one.
	Change *float64 `json:"change"` // Delta as a share of the earlier average; null without earlier traffic.
}

// versus computes the comparison of a series or total; nil without earlier ranges.
func (f figures) versus(c *cells) *Versus {
	if len(c.past) == 0 {
		return nil
	}
	lines := make([]Points, len(c.past))
	averages, totals := make([]float64, len(c.past)), make([]uint64, len(c.past))
	for i, then := range c.past {
		g := f.of(then)
		lines[i], averages[i], totals[i] = f.points(then), g.Avg, g.Total
	}
	v := &Versus{Values: lines[0], Avg: median(averages), Total: medianTotal(totals)}
	if len(lines) > 1 {
		v.Values, v.Min, v.Max = make(Points, len(f.rg.Times)), make(Points, len(f.rg.Times)), make(Points, len(f.rg.Times))
		at := make([]float64, len(lines))
		for i := range v.Values {
			for j, line := range lines {
				at[j] = line[i]
			}
			v.Values[i], v.Min[i], v.Max[i] = median(at), slices.Min(at), slices.Max(at)
		}
	}
	v.Delta = f.of(c).Avg - v.Avg
	if v.Avg > 0 {
		change := v.Delta / v.Avg
		v.Change = &change
	}
	return v
}

func median(list []float64) float64 {
	sorted := slices.Sorted(slices.Values(list))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

func medianTotal(list []uint64) uint64 {
	sorted := slices.Sorted(slices.Values(list))
	n := len(sorted)
	a, b := sorted[(n-1)/2], sorted[n/2]
	return a + (b-a)/2
}

// change is the value of rank=delta: the difference of the total from the mean of the earlier ranges.
func (f figures) change(c *cells) float64 {
	of := func(c *cells) float64 {
		if f.r.Unit == "pct" {
			return float64(sum(c.value)) * c.percent()
		}
		return float64(sum(c.value))
	}
	var then float64
	for _, p := range c.past {
		then += of(p)
	}
	return math.Abs(of(c) - then/float64(len(c.past)))
}

// timeSQL is the second of a row of window i, moved into the range of the request.
func timeSQL(i int) string {
	if i == 0 {
		return "toUInt32(TimeReceived)"
	}
	return fmt.Sprintf("toUInt32(TimeReceived + {shift%d:UInt32})", i)
}
