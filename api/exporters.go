package api

import (
	"context"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"netmeta/diagnosis"
	"netmeta/flow"
	"netmeta/query"
	"netmeta/store"
)

// Exporter is a device that sent something: what came from it since the start of the
// process, what was missing, and how far its data can be trusted.
type Exporter struct {
	Address        string            `json:"address"`
	Name           string            `json:"name,omitempty"` // as the configuration calls it
	Type           string            `json:"type"`
	Standing       string            `json:"standing,omitempty"` // new, named or accepted; empty: others
	Datagrams      uint64            `json:"datagrams"`
	Flows          uint64            `json:"flows"`
	Thinned        uint64            `json:"thinned"`               // records left out because of a limit; the sampling rate of the others stands for them
	Implausible    uint64            `json:"implausible,omitempty"` // rows that no network has carried: their quality bit says so
	Stored         bool              `json:"stored,omitempty"`      // some of its rows are in the store; false: nobody knows
	Records        uint64            `json:"records"`
	Options        uint64            `json:"options"`
	First          int64             `json:"first"` // when it was seen first, Unix time
	Last           int64             `json:"last"`
	SamplingRate   uint32            `json:"sampling_rate"`
	SamplingSource string            `json:"sampling_source"`
	Templates      int64             `json:"templates"`
	Waiting        int64             `json:"waiting"`
	Dropped        uint64            `json:"dropped"`
	Lost           uint64            `json:"lost"`
	Reordered      uint64            `json:"reordered"`
	Restarts       uint64            `json:"restarts"`
	Refused        uint64            `json:"refused"`
	Reasons        map[string]uint64 `json:"reasons,omitempty"` // of what was refused
	ClockSkewMS    int64             `json:"clock_skew_ms"`     // how far its clock is ahead
	ResolutionMS   uint64            `json:"resolution_ms"`     // median duration of its records
	SamplingKnown  bool              `json:"sampling_known"`    // else its traffic counts as not sampled
	Announces      flow.Announcement `json:"announces"`         // what its type lets it say of itself
	Course         []uint64          `json:"-"`                 // flows of each of the last minutes that are known, oldest first

	// What diagnose makes of the above.
	Loss     float64             `json:"loss"`              // share of what was sent that did not arrive
	Problems []diagnosis.Problem `json:"problems"`          // what is wrong with it, the gravest first
	Arrival  []diagnosis.Step    `json:"arrival,omitempty"` // how far it has come on the way to the store; of the status alone
}

// Ignored is a sender whose datagrams are refused because somebody chose so.
type Ignored struct {
	Address   string `json:"address"`
	Since     int64  `json:"since"`     // when that was chosen, Unix time
	Datagrams uint64 `json:"datagrams"` // refused since the start of the process
	Last      int64  `json:"last"`      // when the last of them came; 0: none
}

// Sampling is one of the sampling rates of an exporter.
type Sampling struct {
	Domain    uint32  `json:"domain"` // observation domain, or sub-agent
	Of        string  `json:"of"`     // exporter, selector, interface, …
	ID        uint64  `json:"id"`
	Rate      uint32  `json:"rate"` // declared
	Source    string  `json:"source"`
	Effective float64 `json:"effective,omitempty"` // as the exporter counts its packets
	Samples   uint64  `json:"samples,omitempty"`
	Dropped   uint64  `json:"dropped,omitempty"`
	Differs   bool    `json:"differs,omitempty"` // Effective is another than Rate
}

// Sample is the beginning of a datagram of which something was not decoded.
type Sample struct {
	At     int64  `json:"at"`
	Reason string `json:"reason"`
	Octets int    `json:"octets"` // of the whole datagram
	Hex    string `json:"hex"`    // its first octets
}

// detailed is an exporter with its sampling rates and the share of its rows that have
// a value in each column.
type detailed struct {
	Exporter
	Samplings []Sampling         `json:"samplings,omitempty"`
	Sample    *Sample            `json:"sample,omitempty"`
	Coverage  map[string]float64 `json:"coverage,omitempty"`
}

func (s *Server) exporters(w http.ResponseWriter, r *http.Request) {
	shares, _ := s.coverageCache.get(r.Context(), "", func() (map[string]map[string]float64, error) {
		shares, err := s.coverage(r.Context())
		if err != nil {
			s.Log.Warn("coverage of exporters is not known", "err", err)
		}
		return shares, nil // that it is not known is kept too: to find out is dear
	})
	list, samplings, samples := []detailed{}, s.Sampled(), s.Samples()
	status := s.Status()
	s.markStored(r.Context(), status.Exporters)
	s.diagnose(&status, samplings)
	for _, x := range status.Exporters {
		key := x.key()
		list = append(list, detailed{x, samplings[key], samples[key], shares[key]})
	}
	s.writeJSON(w, struct {
		Exporters []detailed `json:"exporters"`
		Others    *Exporter  `json:"others,omitempty"`
		Ignored   []Ignored  `json:"ignored"`
	}{list, status.Others, status.Ignored})
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
	res, _, err := s.Store.Select(ctx, store.Query{SQL: query.Coverage(), Settings: map[string]string{"max_execution_time": "5"}})
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
