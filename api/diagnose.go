package api

import (
	"time"

	"netmeta/diagnosis"
	"netmeta/flow"
	"netmeta/query"
)

// diagnose adds the problems of NetMeta and of each exporter. Samplings are the rates by address and type.
func (s *Server) diagnose(st *Status, samplings map[string][]Sampling) {
	facts := st.facts()
	st.State, st.Problems, st.Storage.DiskLevel = facts.State(), facts.Problems(), facts.DiskLevel()
	for i := range st.Exporters {
		x := &st.Exporters[i]
		facts := x.facts(st.Now)
		for j, g := range samplings[x.key()] {
			one := diagnosis.Sampling{Of: g.Of, ID: g.ID, Rate: g.Rate, Effective: g.Effective}
			samplings[x.key()][j].Differs = one.Differs()
			facts.Samplings = append(facts.Samplings, one)
		}
		x.Loss, x.Problems = facts.Loss(), facts.Problems()
	}
	if x := st.Others; x != nil { // not an exporter, so it has no problems
		x.Loss, x.Problems = x.facts(st.Now).Loss(), []diagnosis.Problem{}
	}
}

// addArrivals adds the progress of each exporter.
func (st *Status) addArrivals() {
	for i := range st.Exporters {
		x := &st.Exporters[i]
		x.Arrival = diagnosis.Arrival{
			Exporter: x.facts(st.Now), Type: x.Type, Stored: x.Stored, Waits: seconds(st.Now - x.First),
			StoreError: st.Pipeline.InsertError, Lag: time.Duration(st.Pipeline.LagMS) * time.Millisecond, Inserted: st.Pipeline.InsertedRows > 0,
		}.Steps()
	}
}

// addNames adds to exporters whether names of their interfaces have arrived. It is unknown for exporters
// without known interfaces.
func (s *Server) addNames(exporters []query.InterfacesOf, list query.InterfaceList) {
	shares, seen := map[string]float64{}, map[string]bool{}
	for _, u := range list.Unnamed {
		shares[u.Exporter], seen[u.Exporter] = u.Share, u.Share > 0
	}
	for _, i := range list.Interfaces {
		seen[i.Exporter] = true
	}
	announces := map[string]flow.Announcement{}
	for _, x := range s.Process.Status().Exporters {
		if announces[x.Address].Names == "" {
			announces[x.Address] = x.Announces
		}
	}
	for i := range exporters {
		if x := &exporters[i]; seen[x.Exporter] {
			step := diagnosis.Names(announces[x.Exporter], shares[x.Exporter])
			x.Names = &step
		}
	}
}

// key identifies an exporter: an address may send several types.
func (x *Exporter) key() string { return x.Address + " " + x.Type }

func (x *Exporter) facts(now int64) diagnosis.Exporter {
	return diagnosis.Exporter{
		Announces: x.Announces, Silence: seconds(now - x.Last), Heard: x.Last > 0,
		Datagrams: x.Datagrams, Records: x.Records, Flows: x.Flows, Lost: x.Lost, Refused: x.Refused, Reasons: x.Reasons, Thinned: x.Thinned,
		Templates: x.Templates, Waiting: x.Waiting, Dropped: x.Dropped, SamplingRate: x.SamplingRate, SamplingKnown: x.SamplingKnown,
		ClockSkew: time.Duration(x.ClockSkewMS) * time.Millisecond, Resolution: time.Duration(min(x.ResolutionMS, 1<<40)) * time.Millisecond, Course: x.Course,
	}
}

func (st *Status) facts() diagnosis.Collector {
	c := diagnosis.Collector{
		EngineUp: st.Engine.Up, StoreError: st.Pipeline.InsertError, SpoolError: st.Spool.Error, SpoolRows: st.Spool.Rows,
		Queue: max(part(int64(st.Pipeline.QueueBlocks), int64(st.Pipeline.QueueCapacity)), part(st.Pipeline.QueueBytes, st.Pipeline.QueueMaxBytes)),
	}
	if st.Spool.Oldest > 0 {
		c.SpoolOldest = seconds(st.Now - st.Spool.Oldest)
	}
	if total := st.Storage.DiskTotal; total > 0 {
		c.DiskUsed = 1 - float64(st.Storage.DiskFree)/float64(total)
	}
	c.DiskLimits, c.DiskDays = st.Storage.Forecast.LimitedBy == "disk", st.Storage.Forecast.FullInDays
	for _, d := range st.Drops {
		c.Losses = append(c.Losses, diagnosis.Loss{Where: d.Where, Reason: d.Reason, Count: d.Count, Remedy: d.Hint})
	}
	return c
}

func seconds(n int64) time.Duration { return time.Duration(n) * time.Second }

// part is n as a share of a total that may be unknown.
func part(n, whole int64) float64 {
	if whole <= 0 {
		return 0
	}
	return float64(n) / float64(whole)
}
