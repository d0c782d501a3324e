// Package diagnosis finds problems of exporters, interfaces and NetMeta itself, with their level
// and remedy. It is pure: facts in, problems out. The API sends its problems along with the
// facts, so that the web UI, netmeta doctor and other reports use the same thresholds and words.
package diagnosis

import (
	"cmp"
	"slices"
	"time"
)

// The thresholds. A value beyond one is a problem; a value equal to it is not.
const (
	// An exporter under load sends every second. Half a minute without a datagram is
	// unusual, five minutes are an outage.
	silentWarn = 30 * time.Second
	silentBad  = 5 * time.Minute

	// Losses of 0.1 % show in sums over hours, losses of 1 % in every chart.
	lossWarn = 0.001
	lossBad  = 0.01

	// Clocks with a resolution of one second are half a second behind, and export takes its
	// time; NTP keeps the rest within milliseconds. Beyond a minute, start and end of
	// flows mean nothing, and the rows are marked (flow.ClockSkewed).
	skewWarn = 2 * time.Second
	skewBad  = time.Minute

	// Records that span more than this smooth charts of finer intervals.
	resolutionWarn = 10 * time.Second

	// Declared and effective sampling rates differ by chance, but not by this share.
	samplingWarn = 0.2

	// Flows of the last minutes against those of the hour before, and how many minutes
	// must be known. One in twelve is the last five minutes of an hour.
	fewFlows     = 0.2
	fewFlowsOf   = 12
	fewFlowsTail = 12

	// The share of an exporter's bytes on interfaces without a name.
	unnamedWarn = 0.01

	// Shares of the speed of an interface. Sampling and the edges of a minute explain a
	// little more than the whole.
	NearlyFull   = 0.8
	full         = 0.95
	overCapacity = 1.05
	soonFull     = 90 // days: ordering a faster line takes that long

	// The difference between flows and counters, beyond what sampling explains. Below this many
	// bits per second it is not judged.
	coverageWarn = 0.1
	coverageFrom = 1e6
	// Coverage that means no flows at all, and traffic counted twice.
	coverageNone     = 0.01
	coverageTwiceMin = 1.8
	coverageTwiceMax = 2.2

	// A queue that is half full shows that the store is slower than the sources.
	queueWarn = 0.5
	// Rows that a writer cannot store for some seconds go through the spool without harm.
	spoolWarn = time.Minute
	// While flows wait longer than this for the last insert, the store does not keep up.
	lagWarn = 10 * time.Second
	// Two weeks are enough to get a disk.
	diskDays = 14.
	diskUsed = 0.9
)

// Level is how bad a problem is.
type Level string

// The levels. Bad: data is missing, wrong or about to be. Warn: data is less exact than
// it could be, or may soon be missing.
const (
	Warn Level = "warn"
	Bad  Level = "bad"
)

// Problem is a fault with its remedy.
type Problem struct {
	ID string `json:"id"` // Stable; identifies and groups problems.
	// bad: data is missing, wrong or about to be. warn: it is less exact than it could be, or may soon be
	// missing.
	Level  Level  `json:"level" enum:"warn,bad"`
	Of     string `json:"of,omitempty"` // The part of NetMeta that has it. Absent of exporters and interfaces.
	What   string `json:"what"`         // In words, with its figures.
	Remedy string `json:"remedy"`       // What helps, a sentence.
}

// gravest puts the bad ones first and keeps the order otherwise.
func gravest(list []Problem) []Problem {
	slices.SortStableFunc(list, func(a, b Problem) int { return cmp.Compare(a.Level, b.Level) })
	return list
}

// level returns Bad above one bound, Warn above another, and empty below both.
func level[T cmp.Ordered](v, warn, bad T) Level {
	switch {
	case v > bad:
		return Bad
	case v > warn:
		return Warn
	}
	return ""
}
