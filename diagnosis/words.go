package diagnosis

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// Numbers for reading, as the web UI writes them: three significant digits and SI prefixes.

var prefixes = [...]string{"", "k", "M", "G", "T", "P", "E"}

// scaled divides a number until it has at most three digits before the point.
// 999.5 rounds to 1000 in three digits and so belongs to the next prefix.
func scaled(v float64) (float64, string) {
	i := 0
	for v >= 999.5 && i < len(prefixes)-1 {
		v /= 1000
		i++
	}
	return v, prefixes[i]
}

func digits(v float64) string {
	switch {
	case v == 0:
		return "0"
	case v >= 99.95:
		return fixed(v, 0)
	case v >= 9.995:
		return fixed(v, 1)
	case v >= 0.9995:
		return fixed(v, 2)
	}
	return strconv.FormatFloat(v, 'g', 2, 64)
}

func fixed(v float64, decimals int) string { return strconv.FormatFloat(v, 'f', decimals, 64) }

// count formats a count: 9,999 and then 10.0 k.
func count(n uint64) string {
	if n < 10_000 {
		return grouped(n)
	}
	v, prefix := scaled(float64(n))
	return digits(v) + " " + prefix
}

// grouped writes 1204 as 1,204.
func grouped(n uint64) string {
	s := strconv.FormatUint(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// bits formats a rate: 1.24 Gb/s.
func bits(perSecond float64) string {
	v, prefix := scaled(perSecond)
	return digits(v) + " " + prefix + "b/s"
}

// share formats a part of a whole: 12.5%.
func share(v float64) string {
	switch p := v * 100; {
	case p == 0:
		return "0%"
	case p < 0.1:
		return "<0.1%"
	case p >= 99.95:
		return fixed(p, 0) + "%"
	default:
		return fixed(p, 1) + "%"
	}
}

// duration formats a time in its two largest units: 90 s, 2 min 5 s, 3 d.
func duration(d time.Duration) string {
	n := int64(math.Round(d.Seconds()))
	if n < 120 && n != 60 {
		return strconv.FormatInt(n, 10) + " s"
	}
	var out []string
	rest := n
	for _, unit := range []struct {
		name string
		size int64
	}{{"d", 86400}, {"h", 3600}, {"min", 60}, {"s", 1}} {
		if k := rest / unit.size; k > 0 && len(out) < 2 {
			out = append(out, strconv.FormatInt(k, 10)+" "+unit.name)
		}
		rest %= unit.size
		if len(out) == 1 && unit.size >= 3600 && rest*50 < n {
			break // the rest is negligible next to days or hours
		}
	}
	return strings.Join(out, " ")
}
