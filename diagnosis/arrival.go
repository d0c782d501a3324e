package diagnosis

import (
	"time"

	"netmeta/flow"
)

// Step is a stage between the first datagram of an exporter and its rows in the store.
type Step struct {
	ID     string `json:"id" enum:"datagrams,type,templates,sampling,names,stored"`
	Done   bool   `json:"done"`
	What   string `json:"what"`             // In words.
	Remedy string `json:"remedy,omitempty"` // What helps it on. Absent: nothing is to be done.
}

// Arrival holds what is known about the progress of a new exporter.
type Arrival struct {
	Exporter
	Type   string        // as flow.FlowType names it
	Waits  time.Duration // since it was seen first
	Stored bool          // some of its rows are in the store

	// The state of the store.
	StoreError string        // of the last insert
	Lag        time.Duration // since the last insert ended, while flows wait
	Inserted   bool          // rows of any exporter were stored
}

// LooksBack is how far back the rows of an exporter are searched. For an exporter that was first
// seen earlier, the state of the whole store decides.
const LooksBack = 15 * time.Minute

// Steps returns the stages in order, without interface names; see Names.
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

// notUnderstood reports that none of its datagrams could be decoded.
func (a Arrival) notUnderstood() bool {
	return a.Type == flow.FlowType.Field.Enum[flow.TypeUnknown] || a.Flows == 0 && a.Records == 0 && a.Templates == 0 && a.Refused > 0
}

func (a Arrival) understood() Step {
	why := ""
	if len(a.Reasons) > 0 {
		why = sentence(a.reasons()) + " "
	}
	return Step{ID: "type", What: "not decoded",
		Remedy: why + "Check that it sends NetFlow v5, v9, IPFIX or sFlow v5 and that nothing on the path alters datagrams. Its page shows the first bytes of one."}
}

func (a Arrival) templates() Step {
	if a.Templates > 0 {
		return Step{ID: "templates", Done: true, What: plural(uint64(a.Templates), "template")}
	}
	return Step{ID: "templates", What: "waiting for a template for " + duration(a.Waits),
		Remedy: "Templates are sent periodically, often every 10 to 30 min. Set the interval to 60 s (IOS-XE: template data timeout 60), or remove and re-add the exporter to get one immediately."}
}

func (a Arrival) sampling() Step {
	switch {
	case !a.SamplingKnown:
		return Step{ID: "sampling", What: "sampling rate unknown",
			Remedy: "Its traffic is counted as unsampled. Configure it to send sampling options (IOS-XE: option sampler-table timeout 60), or set the rate in sources.sampling.exporters of the configuration file."}
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
		s.What = "no flows yet"
		s.Remedy = "Templates and options arrived, but no flows. Check that the flow monitor is applied to the interfaces that carry traffic."
	case there && keepsUp:
		s.Done, s.What = true, count(a.Flows)+" flows stored"
	default:
		s.What = count(a.Flows) + " flows waiting to be stored"
		switch {
		case a.StoreError != "":
			s.Remedy = a.StoreError
		case keepsUp:
			s.Remedy = "Its rows are being stored (1 to 2 s). If this persists, see Status."
		default:
			s.Remedy = "Inserts are failing or slow; see Status."
		}
	}
	return s
}

// Names returns the step of the interface names. How an exporter sends them depends on what it
// can announce. Unnamed is the share of its bytes on interfaces without a name.
func Names(of flow.Announcement, unnamed float64) Step {
	if unnamed <= unnamedWarn {
		return Step{ID: "names", Done: true, What: "interface names"}
	}
	how := "NetFlow v5 cannot report them. Name"
	switch of.Names {
	case "counters":
		how = "They are sent with its counters. Enable counter polling, or name"
	case "options":
		how = "Configure it to send its interface table (IOS-XE: option interface-table timeout 300), or name"
	}
	return Step{ID: "names", What: "no names for " + share(unnamed) + " of its bytes", Remedy: how + " them in the configuration file."}
}

// plural formats a count with its noun.
func plural(n uint64, what string) string {
	if n != 1 {
		what += "s"
	}
	return count(n) + " " + what
}

// sentence turns an error into a sentence.
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
