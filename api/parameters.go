package api

import "slices"

// Parameters of several routes, as in the description.
var (
	qKey     = textKey("q", "Filter; see the filter language.").as("udp src port 53")
	byKey    = textKey("by", "Fields to split by, in order; empty: only the total. src.net:24:48 groups by network, ts:1h by hour.").as("src.as,in.if")
	fromKey  = textKey("from", "Start: now, -6h, -1d/d, RFC 3339, or seconds or milliseconds since 1970. Default -1h.").as("-1h")
	toKey    = textKey("to", "End, exclusive; like from. Default now.")
	tzKey    = textKey("tz", "IANA time zone for days and for intervals of an hour or more.")
	unitKey  = textKey("unit", "bps, pps, fps, bytes, packets, flows or bpp. Default bps.").as("bps")
	layerKey = textKey("layer", "l3, l2 or l1: the layer of a packet's length. Default l3.")
	dirKey   = textKey("dir", "both, in, out, internal or sum. Default both.")
	rawKey   = textKey("raw", "1: in CSV, leave cells that start with = + - @, a tab or a line break unchanged. Default 0: they get an apostrophe in front, because spreadsheets execute formulas; numbers stay numbers.")

	// unitOrShareKey is unit where a share of the speed is possible.
	unitOrShareKey = textKey("unit", "bps, pps, fps, bytes, packets, flows, bpp (bytes per packet) or pct: percentage of the speed of the interface, which by must contain (in.if or out.if). "+
		"A value in pct is the bits of the rows, of layer l1 unless layer says otherwise, per second, divided by the highest speed in the rows of the interface. "+
		"Interfaces without a speed are omitted and counted in meta.notes. With vs an earlier range uses the speed in its own rows, and a range whose rows have none that of the others. "+
		"Shares of different speeds do not add up: there is no Other and no total. Default bps.").as("bps")

	viewOwner = Parameter{Name: "View-Owner", In: "header", Type: "string",
		Description: "Name of the caller: private views are only visible with the same name. There are no logins, so this is not access control."}
)

// seriesParameters are the keys of a query for series, with their unit, and those before vs.
func seriesParameters(unit Parameter, before ...Parameter) []Parameter {
	return slices.Concat([]Parameter{qKey, byKey, fromKey, toKey, tzKey, unit, layerKey,
		integerKey("n", "Number of series; the rest is Other. Default 12.").as(12),
		integerKey("skip", "Number of the largest series that are folded into one, named Larger, before the next n. 0 to 1000, default 0.").as(0),
		textKey("rank", "avg, max, last, p95, or, with vs, delta: the ranking of series. Default avg."),
		textKey("rankdir", "each or sum: the largest of each direction, or of both together."),
		dirKey,
		textKey("step", "Seconds of an interval, or auto."),
		integerKey("px", "Width of the chart in pixels; limits the number of intervals."),
	}, before, []Parameter{
		textKey("vs", "What to compare with: prev, a time back such as -1d or -7d, band4w for the same weekdays of four weeks, or the start of an earlier range.").as("prev"),
		textKey("agg", "avg, or peak to add the largest second of each interval. Default avg.").as("peak"),
		textKey("spread", "1: a record counts evenly from its start to its end, instead of in the second of its arrival; not with agg=peak. Default 0.").as("0"),
	})
}
