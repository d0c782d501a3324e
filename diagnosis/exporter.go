package diagnosis

import (
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"netmeta/flow"
)

// Exporter holds what is known about an exporter. Counts start when NetMeta starts.
type Exporter struct {
	Announces flow.Announcement // what its protocol can report

	Silence   time.Duration // since its last datagram
	Heard     bool          // a datagram was received; otherwise Silence is meaningless
	Datagrams uint64
	Records   uint64 // decoded
	Flows     uint64 // rows made of them
	Lost      uint64 // missing by sequence number, counted according to Announces.Sequence
	Refused   uint64 // not decoded, by Reasons
	Reasons   map[string]uint64
	Thinned   uint64 // records thinned because of a limit

	Templates int64  // held
	Waiting   int64  // data sets waiting for their template
	Dropped   uint64 // data sets dropped after waiting too long

	SamplingRate  uint32
	SamplingKnown bool
	Samplings     []Sampling

	ClockSkew  time.Duration // how far its clock is ahead
	Resolution time.Duration // median duration of its records
	Course     []uint64      // flows per minute, as far as known, oldest first
}

// Sampling is a rate that an exporter declares, for itself or a part of it.
type Sampling struct {
	Of        string // exporter, selector, interface, …
	ID        uint64
	Rate      uint32  // declared
	Effective float64 // according to its own counters; 0: unknown
}

// Differs reports whether the effective rate differs from the declared one.
func (s Sampling) Differs() bool {
	return s.Effective > 0 && s.Rate > 0 && math.Abs(s.Effective/float64(s.Rate)-1) > samplingWarn
}

// Loss returns the share of an exporter's data that was lost in transit, from 0 to 1.
func (x Exporter) Loss() float64 {
	if x.Lost == 0 {
		return 0
	}
	got := x.Datagrams
	if x.Announces.Sequence == "records" {
		got = x.Records
	}
	return float64(x.Lost) / (float64(x.Lost) + float64(got))
}

// Problems returns the problems of an exporter, the bad ones first.
func (x Exporter) Problems() []Problem {
	list := []Problem{}
	add := func(id string, level Level, what, remedy string) {
		if level != "" {
			list = append(list, Problem{ID: id, Level: level, What: what, Remedy: remedy})
		}
	}
	if x.Heard {
		add("silent", level(x.Silence, silentWarn, silentBad), "silent for "+duration(x.Silence),
			"Check that it is running and can reach this address: its export configuration, route and access lists.")
	}
	if x.Silence <= silentWarn && fewer(x.Course) {
		add("few-flows", Warn, "less than a fifth of the flows of the last hour",
			"Check that flow monitors are applied and traffic was not rerouted.")
	}
	list = append(list, x.samplingProblems()...)
	list = append(list, x.templateProblems()...)
	loss := x.Loss()
	add("loss", level(loss, lossWarn, lossBad), share(loss)+" lost in transit",
		"Check Status for drops. If there are none, check the path and the export queue counters of the exporter.")
	add("clock", level(x.ClockSkew.Abs(), skewWarn, skewBad), "clock is "+duration(x.ClockSkew.Abs())+side(x.ClockSkew),
		"Configure NTP. Until then flow times are off; receive times are correct.")
	add("resolution", level(x.Resolution, resolutionWarn, math.MaxInt64), "its records span "+duration(x.Resolution)+"; finer charts are smoothed",
		"Set its active timeout to 10 s (IOS-XE: cache timeout active 10).")
	add("refused", level(x.Refused, 0, math.MaxUint64), count(x.Refused)+" not decoded: "+x.reasons(),
		"The Status page explains how to fix each reason.")
	add("thinned", level(x.Thinned, 0, math.MaxUint64), "over its limit; "+count(x.Thinned)+" records thinned, the sampling rate of the rest compensates",
		"Configure coarser sampling, or raise its limit in the configuration file.")
	return gravest(list)
}

func (x Exporter) samplingProblems() (list []Problem) {
	if x.Flows > 0 && !x.SamplingKnown {
		list = append(list, Problem{ID: "sampling-unknown", Level: Bad,
			What:   "sampling rate unknown; traffic counted as unsampled",
			Remedy: "Configure it to send sampling options (IOS-XE: option sampler-table timeout 60), or set the rate in the configuration file."})
	}
	if i := slices.IndexFunc(x.Samplings, Sampling.Differs); i >= 0 {
		s := x.Samplings[i]
		list = append(list, Problem{ID: "sampling-differs", Level: Warn,
			What:   s.Of + " " + strconv.FormatUint(s.ID, 10) + " declares 1:" + grouped(uint64(s.Rate)) + " but samples 1:" + grouped(uint64(math.Round(s.Effective))),
			Remedy: "Its sampler is overloaded or misconfigured. Lower the load or correct the rate; the effective rate is the true one."})
	}
	return list
}

func (x Exporter) templateProblems() (list []Problem) {
	switch {
	case x.Announces.Templates && x.Templates == 0 && x.Datagrams > 0:
		list = append(list, Problem{ID: "no-template", Level: Bad, What: "no template yet",
			Remedy: "Templates are sent periodically. Wait, or set the interval to 60 s (template data timeout 60)."})
	case x.Waiting > 0:
		list = append(list, Problem{ID: "template-awaited", Level: Warn, What: count(uint64(x.Waiting)) + " data sets waiting for their template",
			Remedy: "Set its template refresh to 60 s."})
	}
	if x.Dropped > 0 {
		list = append(list, Problem{ID: "template-late", Level: Bad, What: count(x.Dropped) + " data sets dropped: no template",
			Remedy: "Set its template refresh to 60 s. After a restart, flows are lost until the next template."})
	}
	return list
}

// fewer reports whether the last minutes have far fewer flows than those before.
func fewer(course []uint64) bool {
	if len(course) < fewFlowsOf {
		return false
	}
	tail := max(1, len(course)/fewFlowsTail)
	before := mean(course[:len(course)-tail])
	return before > 0 && mean(course[len(course)-tail:]) < fewFlows*before
}

func mean(list []uint64) float64 {
	sum := 0.
	for _, v := range list {
		sum += float64(v)
	}
	return sum / float64(len(list))
}

// reasons lists why data was not decoded, each reason with its count.
func (x Exporter) reasons() string {
	var list []string
	for _, r := range slices.Sorted(maps.Keys(x.Reasons)) {
		list = append(list, r+" ("+count(x.Reasons[r])+")")
	}
	if len(list) == 0 {
		return "reason unknown"
	}
	return strings.Join(list, ", ")
}

func side(skew time.Duration) string {
	if skew > 0 {
		return " ahead"
	}
	return " behind"
}
