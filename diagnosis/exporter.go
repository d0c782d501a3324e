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

// An Exporter is what is known of one. Counts are since the start of NetMeta.
type Exporter struct {
	Announces flow.Announcement // what its kind of record lets it say

	Silence   time.Duration // since its last datagram
	Heard     bool          // something came; else Silence means nothing
	Datagrams uint64
	Records   uint64 // decoded
	Flows     uint64 // rows made of them
	Lost      uint64 // missing by sequence number, counted as Announces.Sequence says
	Refused   uint64 // not decoded, for the Reasons
	Reasons   map[string]uint64
	Thinned   uint64 // records left out because of a limit

	Templates int64  // held
	Waiting   int64  // data sets that wait for their template
	Dropped   uint64 // data sets that waited too long

	SamplingRate  uint32
	SamplingKnown bool
	Samplings     []Sampling

	ClockSkew  time.Duration // how far its clock is ahead
	Resolution time.Duration // median duration of its records
	Course     []uint64      // flows of each of the last minutes that are known, oldest first
}

// A Sampling is a rate that an exporter declares, for itself or for a part of it.
type Sampling struct {
	Of        string // exporter, selector, interface, …
	ID        uint64
	Rate      uint32  // declared
	Effective float64 // as its own counters say; 0: not known
}

// Differs reports whether the effective rate is another than the declared one.
func (s Sampling) Differs() bool {
	return s.Effective > 0 && s.Rate > 0 && math.Abs(s.Effective/float64(s.Rate)-1) > samplingWarn
}

// Loss is the share of what an exporter sent that did not arrive, from 0 to 1.
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

// Problems are those of an exporter, the bad ones first.
func (x Exporter) Problems() []Problem {
	list := []Problem{}
	add := func(id string, level Level, what, remedy string) {
		if level != "" {
			list = append(list, Problem{ID: id, Level: level, What: what, Remedy: remedy})
		}
	}
	if x.Heard {
		add("silent", level(x.Silence, silentWarn, silentBad), "silent for "+duration(x.Silence),
			"Look whether it still runs and reaches this address: its export configuration, route and access lists.")
	}
	if x.Silence <= silentWarn && fewer(x.Course) {
		add("few-flows", Warn, "less than a fifth of the flows of the last hour",
			"Look whether monitors were taken off interfaces, or whether the traffic itself went elsewhere.")
	}
	list = append(list, x.samplingProblems()...)
	list = append(list, x.templateProblems()...)
	loss := x.Loss()
	add("loss", level(loss, lossWarn, lossBad), share(loss)+" lost on the way",
		"Compare with Status: without drops there, look at the path and at the exporter's own counters of its export queue.")
	add("clock", level(x.ClockSkew.Abs(), skewWarn, skewBad), "its clock is "+duration(x.ClockSkew.Abs())+side(x.ClockSkew),
		"Give it an NTP server; until then the times in its records are off, the time received is right.")
	add("resolution", level(x.Resolution, resolutionWarn, math.MaxInt64), "its records last "+duration(x.Resolution)+": finer charts are smeared",
		"Set its active timeout to 10 s (IOS-XE: cache timeout active 10).")
	add("refused", level(x.Refused, 0, math.MaxUint64), count(x.Refused)+" not decoded: "+x.reasons(),
		"Status says of each reason what helps.")
	add("thinned", level(x.Thinned, 0, math.MaxUint64), "over its limit: "+count(x.Thinned)+" records left out, the sampling rate of the others stands for them",
		"Let it sample more coarsely, or raise its limit in the configuration file.")
	return gravest(list)
}

func (x Exporter) samplingProblems() (list []Problem) {
	if x.Flows > 0 && !x.SamplingKnown {
		list = append(list, Problem{ID: "sampling-unknown", Level: Bad,
			What:   "sampling rate not known: traffic is counted as if it were not sampled",
			Remedy: "Let it send its sampling options (IOS-XE: option sampler-table timeout 60), or name the rate in the configuration file."})
	}
	if i := slices.IndexFunc(x.Samplings, Sampling.Differs); i >= 0 {
		s := x.Samplings[i]
		list = append(list, Problem{ID: "sampling-differs", Level: Warn,
			What:   s.Of + " " + strconv.FormatUint(s.ID, 10) + " says 1:" + grouped(uint64(s.Rate)) + " and samples 1:" + grouped(uint64(math.Round(s.Effective))),
			Remedy: "Its sampler is overloaded or set otherwise than it says: lower the load or correct the rate; the effective rate is the true one."})
	}
	return list
}

func (x Exporter) templateProblems() (list []Problem) {
	switch {
	case x.Announces.Templates && x.Templates == 0 && x.Datagrams > 0:
		list = append(list, Problem{ID: "no-template", Level: Bad, What: "no template yet",
			Remedy: "Templates come by a timer: wait for it, or set it to 60 s (template data timeout 60)."})
	case x.Waiting > 0:
		list = append(list, Problem{ID: "template-awaited", Level: Warn, What: count(uint64(x.Waiting)) + " data sets wait for their template",
			Remedy: "Shorten the interval at which it sends templates to 60 s."})
	}
	if x.Dropped > 0 {
		list = append(list, Problem{ID: "template-late", Level: Bad, What: count(x.Dropped) + " data sets given up for want of their template",
			Remedy: "Shorten the interval at which it sends templates to 60 s; after a restart that is how long flows are lost."})
	}
	return list
}

// fewer reports whether the last minutes have much fewer flows than those before.
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

// reasons are why something was not decoded, each with its count.
func (x Exporter) reasons() string {
	var list []string
	for _, r := range slices.Sorted(maps.Keys(x.Reasons)) {
		list = append(list, r+" ("+count(x.Reasons[r])+")")
	}
	if len(list) == 0 {
		return "reason not known"
	}
	return strings.Join(list, ", ")
}

func side(skew time.Duration) string {
	if skew > 0 {
		return " ahead"
	}
	return " behind"
}
