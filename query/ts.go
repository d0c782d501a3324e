package query

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"netmeta/filter"
)

// Time as a group, ts:1h: each hour of the range is a group, like each value of a field. Its buckets follow
// the clock of the zone like those of the chart, and weeks start on Monday. It is not a condition of a
// filter; a group has its time instead.

const (
	maxTimeGroup = 366 * 86400
	secondOf     = "$second" // in the key of a time: the second of a row
)

// parseTimeDim parses the length of ts:1h.
func parseTimeDim(key, item, length string) (dim, error) {
	text := length
	if weeks, ok := strings.CutSuffix(length, "w"); ok {
		if n, err := strconv.Atoi(weeks); err == nil && n > 0 && n <= 52 {
			text = strconv.Itoa(7*n) + "d"
		}
	}
	ms, err := filter.ParseDuration(text)
	if err != nil || ms < 1000 || ms%1000 != 0 || ms > maxTimeGroup*1000 {
		return dim{}, Invalid(key, item, "is not a length of time from 1s to 366d; write ts:1h")
	}
	return dim{ts: length, step: int64(ms / 1000)}, nil
}

// each returns the range with buckets of another length.
func (rg *Range) each(step int64) Range {
	r := Range{From: rg.From, To: rg.To, Step: step, Location: rg.Location}
	r.buckets()
	return r
}

// over gives a dim of time its buckets.
func (d *dim) over(rg *Range) error {
	if n := (rg.To - rg.From) / d.step; n > maxPoints {
		return Invalid("by", d.String(), fmt.Sprintf("gives %d groups of this time; the maximum is %d; use a longer one, such as ts:1h", n, maxPoints))
	}
	r := rg.each(d.step)
	d.buckets = &r
	return nil
}

// timeKey is the expression of the start of a row's bucket.
func (d dim) timeKey(c *compiler) string {
	return d.buckets.bucketSQL(c, secondOf, "_"+strconv.FormatInt(d.step, 10))
}

// span returns the time of the group that starts at a second, within the range.
func (d dim) span(start int64) (from, to int64) {
	b := d.buckets
	for i, t := range b.Times {
		if t == start {
			from = max(t, b.From)
			return from, from + b.covered(i)
		}
	}
	return b.From, b.To
}

// presentTime is present for a time.
func (d dim) presentTime(key string) (rfc3339, label string) {
	second, _ := strconv.ParseInt(key, 10, 64)
	t := time.Unix(second, 0).In(d.buckets.Location)
	form := "Mon 2006-01-02 15:04"
	switch {
	case d.step%86400 == 0:
		form = "Mon 2006-01-02"
	case d.step%60 != 0:
		form = "Mon 2006-01-02 15:04:05"
	}
	return t.Format(time.RFC3339), t.Format(form)
}

// ownTime returns the intersection of the times of a request's groups, by its dims of time; ok reports that
// there is one.
func ownTime(dims []dim, keys []string) (from, to int64, ok bool) {
	for _, d := range dims {
		n, _ := d.widths()
		if d.ts != "" {
			start, _ := strconv.ParseInt(keys[0], 10, 64)
			a, b := d.span(start)
			if !ok {
				from, to, ok = a, b, true
			}
			from, to = max(from, a), min(to, b)
		}
		keys = keys[n:]
	}
	return from, max(from, to), ok
}
