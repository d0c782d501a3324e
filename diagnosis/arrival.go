package diagnosis

import (
	"time"

	"netmeta/flow"
)

// A Step is a part of the way from the first datagram of an exporter to rows in the store.
type Step struct {
	ID     string `json:"id"`
	Done   bool   `json:"done"`
	What   string `json:"what"`             // in words
	Remedy string `json:"remedy,omitempty"` // what helps it on; empty: nothing is to be done
}

// An Arrival is how far an exporter has come.
type Arrival struct {
	Exporter
	Type   string        // as flow.FlowType names it
	Waits  time.Duration // since it was seen first
	Stored bool          // some of its rows are in the store

	// Of the store.
	StoreError string        // of the last insert
	Lag        time.Duration // since the last insert ended, while flows wait
	Inserted   bool          // rows of anybody were stored
}

// LooksBack is how far back rows of an exporter are looked for; of one that was seen first
// before that, the store as a whole has to tell.
const LooksBack = 15 * time.Minute

// Steps are those of the way, in order. That of interface names is not among them: see
// Names.
func (a Arrival) Steps() []Step {
	steps := []Step{{ID: "datagrams", Done: a.Datagrams > 0, What: plural(a.Datagrams, "datagram")}}
	if a.notUnderstood() {
		return append(steps, a.understood())
	}
	steps = append(steps, Step{ID: "type", Done: true, What: a.Type})
	if a.Announces.Templates {
		steps = append(steps, a.templates())
	}
	if !a.Announces.Templates || a.Templates > 0 {
		steps = append(steps, a.sampling())
	}
	return append(steps, a.stored())
}

// notUnderstood reports that nothing that came could be read.
func (a Arrival) notUnderstood() bool {
	return a.Type == flow.FlowType.Field.Enum[flow.TypeUnknown] || a.Flows == 0 && a.Records == 0 && a.Templates == 0 && a.Refused > 0
}

func (a Arrival) understood() Step {
	why := ""
	if len(a.Reasons) > 0 {
		why = sentence(a.reasons()) + " "
	}
	return Step{ID: "type", What: "not understood",
		Remedy: why + "Does it send NetFlow v5, v9, IPFIX or sFlow v5, and does nothing between here and there change its datagrams? Its page has the first octets of one."}
}

func (a Arrival) templates() Step {
	if a.Templates > 0 {
		return Step{ID: "templates", Done: true, What: plural(uint64(a.Templates), "template")}
	}
	return Step{ID: "templates", What: "waiting for a template for " + duration(a.Waits),
		Remedy: "It sends templates by a timer, often 10 or 30 minutes. Set that to 60 s (IOS-XE: template data timeout 60), or take the exporter off and on again to have one at once."}
}

func (a Arrival) sampling() Step {
	switch {
	case !a.SamplingKnown:
		return Step{ID: "sampling", What: "sampling rate not known",
			Remedy: "Traffic counts as if it were not sampled. Let it send its sampling options (IOS-XE: option sampler-table timeout 60), or name the rate in sources.sampling.exporters of the configuration file."}
	case a.SamplingRate == 1:
		return Step{ID: "sampling", Done: true, What: "not sampled"}
	}
	return Step{ID: "sampling", Done: true, What: "1:" + grouped(uint64(a.SamplingRate)) + " sampled"}
}

func (a Arrival) stored() Step {
	s := Step{ID: "stored"}
	keepsUp := a.Lag < lagWarn
	there := a.Stored || a.Waits > LooksBack && a.Inserted
	switch {
	case a.Flows == 0:
		s.What = "no flow yet"
		s.Remedy = "What it says of itself has come, flows have not: is the monitor on the interfaces that carry the traffic?"
	case there && keepsUp:
		s.Done, s.What = true, count(a.Flows)+" flows stored"
	default:
		s.What = count(a.Flows) + " flows wait to be stored"
		switch {
		case a.StoreError != "":
			s.Remedy = a.StoreError
		case keepsUp:
			s.Remedy = "Its rows are on the way, which takes a second or two. If it stays so: look at Status."
		default:
			s.Remedy = "The store does not take them at the moment: look at Status."
		}
	}
	return s
}

// Names is the step of the names of interfaces: how they come depends on what an exporter
// can announce. Unnamed is the share of its octets on interfaces without one.
func Names(of flow.Announcement, unnamed float64) Step {
	if unnamed <= unnamedWarn {
		return Step{ID: "names", Done: true, What: "interface names"}
	}
	how := "NetFlow v5 cannot tell them: name"
	switch of.Names {
	case "counters":
		how = "They come with its counters: give it a polling interval; or name"
	case "options":
		how = "Let it send its table of interfaces (IOS-XE: option interface-table timeout 300), or name"
	}
	return Step{ID: "names", What: "no names for " + share(unnamed) + " of its bytes", Remedy: how + " them in the configuration file."}
}

// plural counts things.
func plural(n uint64, what string) string {
	if n != 1 {
		what += "s"
	}
	return count(n) + " " + what
}

// sentence makes a sentence of an error.
func sentence(text string) string {
	if text == "" {
		return ""
	}
	if c := text[0]; c >= 'a' && c <= 'z' {
		text = string(c-'a'+'A') + text[1:]
	}
	if last := text[len(text)-1]; last != '.' && last != '!' && last != '?' {
		text += "."
	}
	return text
}
