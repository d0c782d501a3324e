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

// Exporter is a device that sent something: what came from it since the start of the
// process, what was missing, and how far its data can be trusted.
type Exporter struct {
	Address string `json:"address"`
	Name    string `json:"name,omitempty"` // What the configuration calls it.
	Type    string `json:"type"`           // How its records come; unknown: nothing that it sends is of a known protocol.
	// Whether it is known: new (nobody has decided), named (by the configuration, under enrich.exporters
	// with a name or in sources) or accepted. Absent of others.
	Standing  string `json:"standing,omitempty" enum:"new,named,accepted"`
	Datagrams uint64 `json:"datagrams"` // Since the start of the process, like all counts here.
	Flows     uint64 `json:"flows"`     // Rows made.
	// Records left out because the exporter is over its limit; the sampling rate of the others stands for
	// them.
	Thinned     uint64 `json:"thinned"`
	Implausible uint64 `json:"implausible,omitempty"` // Rows that no network has carried: their quality bit says so.
	// Some of the rows that came from it since first are in the store. Absent: not yet, or for more than
	// 15 minutes nobody asked.
	Stored         bool              `json:"stored,omitempty"`
	Records        uint64            `json:"records"` // Data records or samples decoded.
	Options        uint64            `json:"options"` // Options data records.
	First          int64             `json:"first"`   // When it was seen first since the start of the process, seconds since 1970.
	Last           int64             `json:"last"`    // When it last sent, seconds since 1970.
	SamplingRate   uint32            `json:"sampling_rate"`
	SamplingSource string            `json:"sampling_source"`   // record, options, header, config or unknown.
	Templates      int64             `json:"templates"`         // Held.
	Waiting        int64             `json:"waiting"`           // Data sets that wait for their template.
	Dropped        uint64            `json:"dropped"`           // Data sets given up for want of their template.
	Lost           uint64            `json:"lost"`              // Missing by sequence number.
	Reordered      uint64            `json:"reordered"`         // Datagrams that came after a later one.
	Restarts       uint64            `json:"restarts"`          // Times that it began anew.
	Refused        uint64            `json:"refused"`           // Not decoded.
	Reasons        map[string]uint64 `json:"reasons,omitempty"` // Why it was not decoded.
	ClockSkewMS    int64             `json:"clock_skew_ms"`     // How far its clock is ahead.
	ResolutionMS   uint64            `json:"resolution_ms"`     // Median duration of its records: buckets finer than this are smeared.
	SamplingKnown  bool              `json:"sampling_known"`    // Else its traffic counts as not sampled.
	Announces      flow.Announcement `json:"announces"`         // What its type lets it say of itself.
	Course         []uint64          `json:"-"`                 // flows of each of the last minutes that are known, oldest first

	Loss     float64             `json:"loss"`              // Share of what it sent that did not arrive, from 0 to 1; of datagrams or of records, as its sequence numbers count.
	Problems []diagnosis.Problem `json:"problems"`          // What is wrong with it, the gravest first.
	Arrival  []diagnosis.Step    `json:"arrival,omitempty"` // How far it has come on the way to the store. Of the status alone, and absent of others.
}

// Ignored is a sender whose datagrams are refused because somebody chose so.
type Ignored struct {
	Address   string `json:"address"`
	Since     int64  `json:"since"`     // When that was chosen, seconds since 1970.
	Datagrams uint64 `json:"datagrams"` // Refused since the start of the process.
	Last      int64  `json:"last"`      // When the last of them came, seconds since 1970; 0: none did.
}

// Sampling is one of the sampling rates of an exporter.
type Sampling struct {
	Domain uint32 `json:"domain"` // Observation domain, or sub-agent of sFlow.
	Of     string `json:"of"`     // What samples: exporter for all of it, selector, interface, vlan, entity or logical-entity.
	ID     uint64 `json:"id"`     // Which one: selector or sampler id, ifIndex.
	Rate   uint32 `json:"rate"`   // Declared: one of this many packets. 0 when sFlow says none.
	Source string `json:"source"` // Who declares it: record, options, header, config or unknown.
	// What the exporter did, by its own count: packets for each sample that it took (sample pool of
	// sFlow).
	Effective float64 `json:"effective,omitempty"`
	Samples   uint64  `json:"samples,omitempty"` // Samples that effective is the mean of.
	Dropped   uint64  `json:"dropped,omitempty"` // Samples that the exporter took and could not send.
	Differs   bool    `json:"differs,omitempty"` // The effective rate is another than the declared one. Absent: it is not.
}

// Sample is the beginning of a datagram of which something was not decoded.
type Sample struct {
	At     int64  `json:"at"` // When it came, seconds since 1970.
	Reason string `json:"reason"`
	Octets int    `json:"octets"` // Of the whole datagram.
	Hex    string `json:"hex"`    // Its first octets.
}

// ExporterDetail is an exporter with its sampling rates and the share of its rows that have
// a value in each column.
type ExporterDetail struct {
	Exporter
	Samplings []Sampling `json:"samplings,omitempty"` // Its sampling rates, at most 1024.
	// The beginning of the last datagram of which something was not decoded, one in ten seconds.
	Sample   *Sample            `json:"sample,omitempty"`
	Coverage map[string]float64 `json:"coverage,omitempty"` // Share of its rows of the last five minutes that have a value in a column.
}

// Exporters are those that have sent something since the start of the process.
type Exporters struct {
	Exporters []ExporterDetail `json:"exporters"`
	// The sum of exporters that are not in the list: forgotten for want of room, or without room from the start. Absent if there are none.
	Others  *Exporter `json:"others,omitempty"`
	Ignored []Ignored `json:"ignored"` // Senders whose datagrams are refused because somebody chose so; they are not among the exporters.
}

func (s *Server) exporters(r *http.Request) (Exporters, error) {
	shares, _ := s.coverageCache.get(r.Context(), "", func() (map[string]map[string]float64, error) {
		shares, err := s.coverage(r.Context())
		if err != nil {
			s.Log.Warn("coverage of exporters is not known", "err", err)
		}
		return shares, nil // that it is not known is kept too: to find out is dear
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

// exporterTable has the one field by which an exporter is in a scope or not.
var exporterTable = column.Table{Name: "exporters"}

var exporterAddress = exporterTable.IP(column.Field{Name: flow.ExporterAddress.Field.Name})

// inScope are the exporters whose rows are in a scope, all of them: it must tell them apart by
// the address alone. Of others nobody knows whose they are.
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

// markStored says of which exporters rows are in the store.
func (s *Server) markStored(ctx context.Context, list []Exporter) {
	if err := s.storedRows.mark(ctx, s.Store, list, s.now()); err != nil {
		s.Log.Debug("whose rows are stored is not known", "err", err)
	}
}

// coverage asks which columns each exporter fills, by "address type".
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
