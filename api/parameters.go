package api

import "slices"

// Parameters of several routes, as in the description.
var (
	qKey     = textKey("q", "Filter; see the filter language.").as("udp src port 53")
	byKey    = textKey("by", "Fields to split by, in order; empty is the total alone. src.net:24:48 is networks, ts:1h each hour.").as("src.as,in.if")
	fromKey  = textKey("from", "Begin: now, -6h, -1d/d, RFC 3339, or seconds or milliseconds since 1970. Default -1h.").as("-1h")
	toKey    = textKey("to", "End, exclusive; like from. Default now.")
	tzKey    = textKey("tz", "IANA time zone for days and for buckets of an hour or more.")
	unitKey  = textKey("unit", "bps, pps, fps, bytes, packets, flows or bpp. Default bps.").as("bps")
	layerKey = textKey("layer", "l3, l2 or l1: what counts as a packet's length. Default l3.")
	dirKey   = textKey("dir", "both, in, out, internal or sum. Default both.")
	rawKey   = textKey("raw", "1: in CSV, leave cells that begin with = + - @, a tab or a line break as they are. Default 0: they get an apostrophe in front, since spreadsheets run formulas; numbers stay numbers.")

	// unitOrShareKey is unit where a share of the speed is possible.
	unitOrShareKey = textKey("unit", "bps, pps, fps, bytes, packets, flows, bpp (bytes per packet) or pct: per cent of the speed of the interface, which by must name (in.if or out.if). "+
		"A value in pct is the bits of the rows, of layer l1 unless layer says otherwise, by the second, by the highest speed that the rows of the interface say. "+
		"Interfaces without a speed are left out and counted in meta.notes. With vs an earlier window is set against the speed that its own rows say, and a window whose rows say none has that of the others. "+
		"Shares of different speeds do not add up: there is no Other and no total. Default bps.").as("bps")

	viewOwner = Parameter{Name: "View-Owner", In: "header", Type: "string",
		Description: "What the asker calls himself: views that are not shared are seen under the same name alone. There are no logins."}
)

// seriesParameters are the keys of a query for series, with their unit, and those before vs.
func seriesParameters(unit Parameter, before ...Parameter) []Parameter {
	return slices.Concat([]Parameter{qKey, byKey, fromKey, toKey, tzKey, unit, layerKey,
		integerKey("n", "Number of series; the rest is Other. Default 12.").as(12),
		integerKey("skip", "So many of the largest series are folded into one, named Larger, and the next n are shown. 0 to 1000, default 0.").as(0),
		textKey("rank", "avg, max, last, p95, or with vs delta: what makes a series large. Default avg."),
		textKey("rankdir", "each or sum: largest of each direction, or of both together."),
		dirKey,
		textKey("step", "Width of a bucket in seconds, or auto."),
		integerKey("px", "Width of the chart in pixels; bounds the number of buckets."),
	}, before, []Parameter{
		textKey("vs", "What to compare with: prev, a time back as -1d or -7d, band4w for the same weekdays of four weeks, or the begin of an earlier window.").as("prev"),
		textKey("agg", "avg, or peak for the largest second of each bucket too. Default avg.").as("peak"),
		textKey("spread", "1: a record counts evenly from its start to its end, in place of in the second in which it came; not with agg=peak. Default 0.").as("0"),
	})
}
