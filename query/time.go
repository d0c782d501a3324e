package query

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // the zone of a request must not depend on the machine
)

// Range is the range of a request with its buckets.
type Range struct {
	From, To int64 // seconds since 1970; half-open
	Step     int64 // seconds of a bucket; nominal for calendar buckets

	// Times are the starts of the buckets, ascending; a bucket ends where the next starts, the last one at
	// End. The first may start before From and the last end after To: these are partial.
	Times                     []int64
	End                       int64
	FirstPartial, LastPartial bool

	Location *time.Location
	calendar bool // the buckets are not multiples of Step since 1970
}

// Limits of a range.
const (
	maxPoints     = 3600 // an hour by the second
	maxAutoPoints = 2000 // if no step was requested
	defaultPoints = 300
	maxTime       = 1<<32 - 1 // of a DateTime: 2106
)

// ladder has the steps of auto, in seconds.
var ladder = []int64{1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400}

// Resolve computes the range and the buckets of a request. The forms of a time are
//
//	now  -90s  -6h  now-6h  -1d/d     seconds, minutes (m), hours, days, weeks; /d is the start of the day
//	2026-11-20  2026-11-20T14:00      in the zone of the request
//	2026-11-20T14:00:00Z              RFC 3339
//	1790000000  1790000000000         since 1970, in seconds or milliseconds
//
// The page resolves the zone "browser" and sends the name of its zone; here it is UTC.
func (r Request) Resolve(now time.Time) (Range, error) {
	zone, err := location(r.TZ)
	if err != nil {
		return Range{}, err
	}
	rg := Range{Location: zone}
	if rg.From, err = parseTime("from", r.From, now, zone); err != nil {
		return Range{}, err
	}
	if rg.To, err = parseTime("to", r.To, now, zone); err != nil {
		return Range{}, err
	}
	if rg.From >= rg.To {
		return Range{}, Invalid("from", r.From, fmt.Sprintf("is not before to=%q", r.To))
	}
	rg.Step = int64(r.Step)
	if rg.Step == 0 {
		points := int64(defaultPoints)
		if r.PX > 0 {
			points = min(int64(r.PX), maxAutoPoints)
		}
		rg.Step = ladder[len(ladder)-1]
		for _, s := range ladder {
			if (rg.To-rg.From+s-1)/s <= points {
				rg.Step = s
				break
			}
		}
	}
	if n := (rg.To - rg.From + rg.Step - 1) / rg.Step; n > maxPoints {
		key, value, remedy := "step", strconv.Itoa(r.Step), "write step=auto"
		if r.Step == 0 || r.Step == maxStep {
			key, value, remedy = "from", r.From, fmt.Sprintf("use at most %d days", maxPoints)
		}
		return Range{}, Invalid(key, value, fmt.Sprintf("gives %d points; the maximum is %d; %s", n, maxPoints, remedy))
	}
	rg.buckets()
	rg.FirstPartial = rg.Times[0] < rg.From
	rg.LastPartial = rg.End > rg.To
	return rg, nil
}

// buckets fills Times and End. Buckets of an hour and more follow the clock of the zone, shorter ones and
// those that do not divide a day that of UTC.
func (rg *Range) buckets() {
	at := func(t int64) time.Time { return time.Unix(t, 0).In(rg.Location) }
	switch {
	case rg.Step > 3600 && 86400%rg.Step == 0:
		// Start again at each midnight: a day may have 23 or 25 hours, and a bucket is then shorter or
		// longer.
		rg.calendar = rg.Location != time.UTC
		day := at(rg.From)
		last := int64(-1)
		for y, m, d := day.Date(); ; d++ {
			for second := int64(0); second < 86400; second += rg.Step {
				t := time.Date(y, m, d, 0, 0, int(second), 0, rg.Location).Unix()
				switch {
				case t <= last:
					continue // skipped by the clock
				case t <= rg.From:
					rg.Times = append(rg.Times[:0], t)
				case t < rg.To:
					rg.Times = append(rg.Times, t)
				default:
					rg.End = t
					return
				}
				last = t
			}
		}
	case rg.Step > 86400 && rg.Step%86400 == 0:
		// Whole days, counted from a Monday: weeks are those of ISO 8601.
		rg.calendar = true
		days := rg.Step / 86400
		y, m, d := at(rg.From).Date()
		monday := time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix()/86400 + 3
		for d -= int(monday % days); ; d += int(days) {
			t := time.Date(y, m, d, 0, 0, 0, 0, rg.Location).Unix()
			if t >= rg.To {
				rg.End = t
				return
			}
			rg.Times = append(rg.Times, t)
		}
	case rg.Step == 3600:
		// Zone offsets include half and quarter hours; changes of the clock are whole hours, with exceptions
		// that are ignored.
		_, offset := at(rg.From).Zone()
		shift := int64(offset % 3600)
		rg.calendar = shift != 0
		rg.fill(floor(rg.From+shift, 3600) - shift)
	default:
		rg.fill(floor(rg.From, rg.Step))
	}
}

func (rg *Range) fill(first int64) {
	t := first
	for ; t < rg.To; t += rg.Step {
		rg.Times = append(rg.Times, t)
	}
	rg.End = t
}

func floor(t, step int64) int64 { return t - ((t%step)+step)%step }

// covered returns the seconds of bucket i in the range.
func (rg *Range) covered(i int) int64 {
	end := rg.End
	if i+1 < len(rg.Times) {
		end = rg.Times[i+1]
	}
	return min(end, rg.To) - max(rg.Times[i], rg.From)
}

// full returns the buckets completely in the range, from a to b, half-open; all of them if there are none.
func (rg *Range) full() (a, b int) {
	a, b = 0, len(rg.Times)
	if rg.FirstPartial {
		a++
	}
	if rg.LastPartial {
		b--
	}
	if a >= b {
		return 0, len(rg.Times)
	}
	return a, b
}

func location(tz string) (*time.Location, error) {
	switch strings.ToLower(tz) {
	case "", "browser", "utc":
		return time.UTC, nil
	case "local": // would be that of the machine
		return nil, Invalid("tz", tz, "is not the name of a time zone; write one as Europe/Berlin, or utc")
	}
	zone, err := time.LoadLocation(tz)
	if err != nil {
		return nil, Invalid("tz", tz, "is not the name of a time zone; write one as Europe/Berlin, or utc")
	}
	return zone, nil
}

func parseTime(key, text string, now time.Time, zone *time.Location) (int64, error) {
	t, ok := parseRelative(text, now.In(zone))
	if !ok {
		t, ok = parseAbsolute(text, zone)
	}
	if !ok {
		return 0, Invalid(key, text, "is not a time; write now, -6h, -1d/d, 2026-11-20, 2026-11-20T14:00:00Z or seconds since 1970")
	}
	if s := t.Unix(); s >= 0 && s <= maxTime {
		return s, nil
	}
	return 0, Invalid(key, text, "is outside of 1970 to 2106")
}

// parseRelative parses [now] [-number unit] [/ unit].
func parseRelative(text string, t time.Time) (time.Time, bool) {
	rest, isNow := strings.CutPrefix(text, "now")
	rest, round, rounded := strings.Cut(rest, "/")
	if !isNow && !strings.HasPrefix(rest, "-") {
		return t, false
	}
	if rest != "" {
		if len(rest) < 3 || rest[0] != '-' && rest[0] != '+' {
			return t, false
		}
		n, err := strconv.Atoi(rest[:len(rest)-1])
		if err != nil || n > 1e9 || n < -1e9 {
			return t, false
		}
		switch rest[len(rest)-1] {
		case 's':
			t = t.Add(time.Duration(n) * time.Second)
		case 'm':
			t = t.Add(time.Duration(n) * time.Minute)
		case 'h':
			if n > 1e6 || n < -1e6 {
				return t, false
			}
			t = t.Add(time.Duration(n) * time.Hour)
		case 'd':
			t = t.AddDate(0, 0, n)
		case 'w':
			t = t.AddDate(0, 0, 7*n)
		case 'M':
			t = t.AddDate(0, n, 0)
		case 'y':
			t = t.AddDate(n, 0, 0)
		default:
			return t, false
		}
	}
	if !rounded {
		return t, true
	}
	year, month, day := t.Date()
	switch round {
	case "s":
		t = t.Truncate(time.Second)
	case "m":
		t = t.Truncate(time.Minute)
	case "h":
		t = t.Add(-time.Duration(t.Minute())*time.Minute - time.Duration(t.Second())*time.Second)
	case "d":
		t = time.Date(year, month, day, 0, 0, 0, 0, t.Location())
	case "w": // Monday, ISO 8601
		t = time.Date(year, month, day-(int(t.Weekday())+6)%7, 0, 0, 0, 0, t.Location())
	case "M":
		t = time.Date(year, month, 1, 0, 0, 0, 0, t.Location())
	case "y":
		t = time.Date(year, 1, 1, 0, 0, 0, 0, t.Location())
	default:
		return t, false
	}
	return t, true
}

func parseAbsolute(text string, zone *time.Location) (time.Time, bool) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && text[0] != '+' && len(text) >= 5 {
		if len(text) >= 12 {
			return time.UnixMilli(n), true
		}
		return time.Unix(n, 0), true
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, true
	}
	// An unescaped + in a URL arrives as a blank.
	if t, err := time.Parse(time.RFC3339, strings.Replace(text, " ", "+", 1)); err == nil {
		return t, true
	}
	for _, form := range []string{"2006-01-02", "2006-01-02T15:04", "2006-01-02T15:04:05", "2006-01-02 15:04", "2006-01-02 15:04:05"} {
		if t, err := time.ParseInLocation(form, text, zone); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}
