package api

import (
	"context"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"netmeta/access"
	"netmeta/column"
	"netmeta/diagnosis"
	"netmeta/flow"
	"netmeta/query"
	"netmeta/store"
)

var exporterRoutes = []Route{{
	Method: "GET", Path: "/api/v1/exporters", Need: Read, Scoped: true, Handler: answer((*Server).exporters),
	ID: "exporters", Summary: "The health of each exporter",
	Answer: Answer{Description: "By address."},
}}

// Exporter is a device that has sent data since the start of the process: its counts, its losses, and the
// quality of its data.
type Exporter struct {
	Address string `json:"address"`
	Name    string `json:"name,omitempty"` // Configured name.
	Type    string `json:"type"`           // Protocol of its records; unknown: it only sends unknown protocols.
	// State of the sender: new (no decision yet), named (in the configuration, under enrich.exporters with a
	// name or in sources) or accepted. Absent of others.
	Standing  string `json:"standing,omitempty" enum:"new,named,accepted"`
	Datagrams uint64 `json:"datagrams"` // Since the start of the process, like all counts here.
	Flows     uint64 `json:"flows"`     // Rows made.
	// Records dropped because the exporter is over its limit; the sampling rate of the others compensates.
	Thinned     uint64 `json:"thinned"`
	Implausible uint64 `json:"implausible,omitempty"` // Rows that no network carries; their quality bit marks them.
	// Rows received since first are in the store. Absent: not yet, or unknown because it was not checked for
	// more than 15 minutes.
	Stored         bool              `json:"stored,omitempty"`
	Records        uint64            `json:"records"` // Data records or samples decoded.
	Options        uint64            `json:"options"` // Options data records.
	First          int64             `json:"first"`   // When it was first heard since the start of the process, seconds since 1970.
	Last           int64             `json:"last"`    // When it last sent, seconds since 1970.
	SamplingRate   uint32            `json:"sampling_rate"`
	SamplingSource string            `json:"sampling_source"`   // record, options, header, config or unknown.
	Templates      int64             `json:"templates"`         // Templates in memory.
	Waiting        int64             `json:"waiting"`           // Data sets that wait for their template.
	Dropped        uint64            `json:"dropped"`           // Data sets dropped because their template is missing.
	Lost           uint64            `json:"lost"`              // Missing by sequence number.
	Reordered      uint64            `json:"reordered"`         // Datagrams received after a later one.
	Restarts       uint64            `json:"restarts"`          // Restarts of its sequence.
	Refused        uint64            `json:"refused"`           // Not decoded.
	Reasons        map[string]uint64 `json:"reasons,omitempty"` // Reasons why data were not decoded.
	ClockSkewMS    int64             `json:"clock_skew_ms"`     // Milliseconds that its clock is ahead.
	ResolutionMS   uint64            `json:"resolution_ms"`     // Median duration of its records: finer intervals are smoothed.
	SamplingKnown  bool              `json:"sampling_known"`    // False: its traffic counts as unsampled.
	Announces      flow.Announcement `json:"announces"`         // What its protocol can report about itself.
	Course         []uint64          `json:"-"`                 // flows of each of the last known minutes, oldest first

	Loss     float64             `json:"loss"`              // Share of its data that did not arrive, from 0 to 1; of datagrams or of records, as its sequence numbers count.
	Problems []diagnosis.Problem `json:"problems"`          // Its problems, the most serious first.
	Arrival  []diagnosis.Step    `json:"arrival,omitempty"` // Its progress on the way to the store. Only in the status, and absent of others.
}

// Ignored is a sender whose datagrams are dropped because a user ignored it.
type Ignored struct {
	Address   string `json:"address"`
	Since     int64  `json:"since"`     // When it was ignored, seconds since 1970.
	Datagrams uint64 `json:"datagrams"` // Dropped since the start of the process.
	Last      int64  `json:"last"`      // When the last of them arrived, seconds since 1970; 0: never.
}

// Sampling is one of the sampling rates of an exporter.
type Sampling struct {
	Domain uint32 `json:"domain"` // Observation domain, or sub-agent of sFlow.
	Of     string `json:"of"`     // What samples: exporter for the whole exporter, selector, interface, vlan, entity or logical-entity.
	ID     uint64 `json:"id"`     // ID of it: selector or sampler ID, ifIndex.
	Rate   uint32 `json:"rate"`   // Declared: one of this many packets. 0 if sFlow reports none.
	Source string `json:"source"` // Origin of the rate: record, options, header, config or unknown.
	// Effective rate by the exporter's own count: packets per sample taken (sample pool of sFlow).
	Effective float64 `json:"effective,omitempty"`
	Samples   uint64  `json:"samples,omitempty"` // Number of samples behind effective.
	Dropped   uint64  `json:"dropped,omitempty"` // Samples that the exporter took but could not send.
	Differs   bool    `json:"differs,omitempty"` // The effective rate differs from the declared one. Absent: it does not.
}

// Sample is the beginning of a datagram that was not decoded completely.
type Sample struct {
	At     int64  `json:"at"` // Time of arrival, seconds since 1970.
	Reason string `json:"reason"`
	Octets int    `json:"octets"` // Of the whole datagram.
	Hex    string `json:"hex"`    // Its first bytes.
}

// ExporterDetail is an exporter with its sampling rates and the share of its rows that have a value in each
// column.
type ExporterDetail struct {
	Exporter
	Samplings []Sampling `json:"samplings,omitempty"` // Its sampling rates, at most 1024.
	// The beginning of the last datagram that was not decoded completely; at most one in ten seconds.
	Sample   *Sample            `json:"sample,omitempty"`
	Coverage map[string]float64 `json:"coverage,omitempty"` // Share of its rows of the last five minutes that have a value in a column.
}

// Exporters are those that have sent data since the start of the process.
type Exporters struct {
	Exporters []ExporterDetail `json:"exporters"`
	// The sum of exporters that are not in the list: evicted, or without room from the start. Absent if there
	// are none.
	Others  *Exporter `json:"others,omitempty"`
	Ignored []Ignored `json:"ignored"` // Senders that a user ignored, whose datagrams are dropped; they are not among the exporters.
}

func (s *Server) exporters(r *http.Request) (Exporters, error) {
	shares, _ := s.coverageCache.get(r.Context(), "", func() (map[string]map[string]float64, error) {
		shares, err := s.coverage(r.Context())
		if err != nil {
			s.Log.Warn("coverage of exporters is not known", "err", err)
		}
		return shares, nil // failures are cached too, because the query is expensive
	})
	list, samplings, samples := []ExporterDetail{}, s.Process.Samplings(), s.Process.Undecoded()
	status := s.Process.Status()
	s.markStored(r.Context(), status.Exporters)
	s.diagnose(&status, samplings)
	scope := access.From(r.Context()).Scope
	if !scope.IsEverything() { // the others and the ignored have no rows to see
		status.Exporters, status.Others, status.Ignored = inScope(scope, status.Exporters), nil, []Ignored{}
	}
	for _, x := range status.Exporters {
		key := x.key()
		list = append(list, ExporterDetail{x, samplings[key], samples[key], shares[key]})
	}
	return Exporters{list, status.Others, status.Ignored}, nil
}

// exporterTable has the only field that decides whether an exporter is in a scope.
var exporterTable = column.Table{Name: "exporters"}

var exporterAddress = exporterTable.IP(column.Field{Name: flow.ExporterAddress.Field.Name})

// inScope returns the exporters whose rows are all in a scope: it must distinguish them by the address alone.
// The owner of others is unknown.
func inScope(scope access.Scope, list []Exporter) []Exporter {
	b := exporterTable.NewBatch(len(list))
	for _, x := range list {
		address, _ := netip.ParseAddr(x.Address)
		exporterAddress.Set(b, b.Add(), column.AddrFrom(address))
	}
	keep := make([]bool, len(list))
	scope.Match(b, keep)
	some := []Exporter{}
	for i, x := range list {
		if keep[i] {
			some = append(some, x)
		}
	}
	return some
}

// markStored marks the exporters whose rows are in the store.
func (s *Server) markStored(ctx context.Context, list []Exporter) {
	if err := s.storedRows.mark(ctx, s.Store, list, s.now()); err != nil {
		s.Log.Debug("whose rows are stored is not known", "err", err)
	}
}

// coverage returns the share of rows with a value per column, by "address type".
func (s *Server) coverage(ctx context.Context) (map[string]map[string]float64, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	stmt := query.Coverage(s.names(ctx))
	res, _, err := s.reader(ctx).Select(ctx, store.Query{SQL: stmt.SQL, Params: stmt.Params, Settings: map[string]string{"max_execution_time": "5"}})
	if err != nil || res.Rows == 0 {
		return nil, err
	}
	names := query.CoverageFields()
	shares := map[string]map[string]float64{}
	addresses, types := res.Columns[0].([]string), res.Columns[1].([]string)
	rows, filled := res.Columns[2].([]uint64), res.Columns[3].([][]string)
	for i := range addresses {
		addr, err := netip.ParseAddr(addresses[i])
		if err != nil {
			return nil, err
		}
		of := map[string]float64{}
		for j, text := range filled[i] {
			n, err := strconv.ParseUint(text, 10, 64)
			if err != nil {
				return nil, err
			}
			if n > 0 {
				of[names[j]] = float64(n) / float64(rows[i])
			}
		}
		shares[addr.Unmap().String()+" "+types[i]] = of
	}
	return shares, nil
}
