package api

import (
	"context"
	"net/http"
	"time"

	"netmeta/diagnosis"
	"netmeta/store"
)

// Status is how the system is: what comes in, where it is lost, what is kept.
type Status struct {
	Version   string        `json:"version"`
	Started   int64         `json:"started"`
	Demo      bool          `json:"demo"` // simulated exporters send now
	Now       int64         `json:"now"`
	Listeners []Listener    `json:"listeners"`
	Pipeline  Pipeline      `json:"pipeline"`
	Spool     Spool         `json:"spool"`
	Rates     Rates         `json:"rates"`
	Drops     []Drop        `json:"drops"`
	Exporters []Exporter    `json:"exporters"`
	Enrich    []EnrichTable `json:"enrich"`
	Others    *Exporter     `json:"others,omitempty"` // exporters that were forgotten, or for which there was no room; nil: none
	Ignored   []Ignored     `json:"ignored"`          // senders whose datagrams are refused
	Engine    Engine        `json:"engine"`
	Storage   Storage       `json:"storage"`

	State    string              `json:"state"`    // the whole in one word, as diagnosis names it
	Problems []diagnosis.Problem `json:"problems"` // what is wrong with NetMeta itself, the gravest first
}

// Listener is a UDP port.
type Listener struct {
	Addr      string   `json:"addr"`
	Kind      string   `json:"kind"`
	Datagrams uint64   `json:"datagrams"`
	Bytes     uint64   `json:"bytes"`
	Dropped   uint64   `json:"dropped"` // by the kernel
	Buffer    int      `json:"buffer"`  // octets of each socket's receive buffer
	Sockets   []Socket `json:"sockets"`
}

// Socket is one of the sockets that share a port; each has a worker of its own.
type Socket struct {
	Datagrams uint64 `json:"datagrams"`
	Bytes     uint64 `json:"bytes"`
	Dropped   uint64 `json:"dropped"` // by the kernel
	Queued    int    `json:"queued"`  // octets of the receive buffer in use now
	Buffer    int    `json:"buffer"`  // octets of the receive buffer
}

// Pipeline counts since the start.
type Pipeline struct {
	Datagrams     uint64 `json:"datagrams"`
	Flows         uint64 `json:"flows"`
	Blocks        uint64 `json:"blocks"`
	QueueBlocks   int    `json:"queue_blocks"`
	QueueCapacity int    `json:"queue_capacity"`
	QueueBytes    int64  `json:"queue_bytes"`
	QueueMaxBytes int64  `json:"queue_max_bytes"`
	InsertedRows  uint64 `json:"inserted_rows"`
	InsertErrors  uint64 `json:"insert_errors"`
	InsertMS      uint64 `json:"insert_ms"`              // of the last insert
	LagMS         int64  `json:"lag_ms"`                 // since the last insert ended, while flows wait
	InsertError   string `json:"insert_error,omitempty"` // of the last insert, with what to do about it
}

// Spool is what waits on disk for the store.
type Spool struct {
	Blocks       int    `json:"blocks"`
	Rows         uint64 `json:"rows"`
	Bytes        int64  `json:"bytes"` // with what was refused
	MaxBytes     int64  `json:"max_bytes"`
	Oldest       int64  `json:"oldest"` // when the oldest rows were written, Unix time; 0: there are none
	WrittenRows  uint64 `json:"written_rows"`
	DroppedRows  uint64 `json:"dropped_rows"`
	RefusedFiles int    `json:"refused_files"`
	Error        string `json:"error,omitempty"` // why it cannot be written now
}

// Rates are means over the last 10 s.
type Rates struct {
	Datagrams   float64 `json:"datagrams"`
	Flows       float64 `json:"flows"`
	BytesStored float64 `json:"bytes_stored"` // of Native blocks handed to the store
}

// Drop is a kind of loss that occurred.
type Drop struct {
	ID     string `json:"id"` // stable: kernel, decoder, network, enrichment, spool, store or files
	Where  string `json:"where"`
	Reason string `json:"reason"`
	Count  uint64 `json:"count"`
	Hint   string `json:"hint"`
}

// Engine is the store's server.
type Engine struct {
	Up       bool   `json:"up"`
	Embedded bool   `json:"embedded"`
	Version  string `json:"version"`
	URL      string `json:"url"`
	Restarts int    `json:"restarts"`
	Error    string `json:"error,omitempty"`

	Confinement string       `json:"confinement,omitempty"` // what limits the embedded engine's process
	Unprotected []string     `json:"unprotected,omitempty"` // protections that this system does not have, with the reason
	Crashes     []EngineUser `json:"crashes,omitempty"`     // of users whose statements ran when the engine crashed
}

// EngineUser is a user whose statements ran when the engine crashed.
type EngineUser struct {
	User      string `json:"user"`
	Crashes   int    `json:"crashes"`
	ShutOut   int64  `json:"shut_out,omitempty"` // since when the user is shut out, Unix time; 0: is not
	Until     int64  `json:"until,omitempty"`    // and until when
	Statement string `json:"statement"`          // how the one of the last crash began
}

// EnrichTable is what names and places of flows come from.
type EnrichTable struct {
	Name    string `json:"name"`
	Entries int    `json:"entries"`
	Loaded  int64  `json:"loaded"` // when it was read, or confirmed to be the newest; 0: never
	Source  string `json:"source"`
	Error   string `json:"error,omitempty"` // why there is nothing newer
}

// Storage is what is kept.
type Storage struct {
	Rows        uint64          `json:"rows"`
	Bytes       uint64          `json:"bytes"`
	BytesPerRow float64         `json:"bytes_per_row"`
	Oldest      int64           `json:"oldest"`
	Newest      int64           `json:"newest"`
	DiskFree    uint64          `json:"disk_free"`
	DiskTotal   uint64          `json:"disk_total"`
	DiskLevel   diagnosis.Level `json:"disk_level"` // how full it is: bad, or empty
	TTLDays     int             `json:"ttl_days"`

	KeepFree    uint64         `json:"keep_free"`    // of the disk
	DroppedRows uint64         `json:"dropped_rows"` // for want of space, since the start
	DroppedAt   int64          `json:"dropped_at"`   // the last time; 0: never
	Temporary   uint64         `json:"temporary"`    // bytes of the disk that temporary data take; no rows are dropped for them
	TemporaryOf string         `json:"temporary_of"` // what these are
	Forecast    store.Forecast `json:"forecast"`

	Unreadable []Unreadable     `json:"unreadable"` // parts of tables that are left out
	Detached   []store.Detached `json:"detached"`   // parts that the engine or a user has put aside
}

// Unreadable is a part of a table that cannot be read, and what to do.
type Unreadable struct {
	store.Part
	Remedy string `json:"remedy"`
}

func (s *Server) status(w http.ResponseWriter, r *http.Request) {
	st := s.Status()
	st.Storage.Unreadable, st.Storage.Detached = []Unreadable{}, []store.Detached{}
	for _, part := range s.Store.Parts.List() {
		st.Storage.Unreadable = append(st.Storage.Unreadable, Unreadable{part, part.Remedy()})
	}
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	if err := s.storage(ctx, &st); err != nil {
		if !st.Engine.Embedded { // nobody supervises it: that it answers is all we know
			st.Engine.Up = false
		}
		if st.Engine.Error == "" {
			st.Engine.Error = err.Error()
		}
	}
	s.markStored(ctx, st.Exporters) // last: it may take what is left of the time
	s.diagnose(&st, s.Sampled())
	st.addArrivals()
	s.writeJSON(w, st)
}

// storage adds what the store says of itself. While it is away its part is zero.
func (s *Server) storage(ctx context.Context, st *Status) error {
	res, _, err := s.Store.Select(ctx, store.Query{SQL: `
SELECT sum(rows), sum(bytes_on_disk)
FROM system.parts WHERE active AND database = currentDatabase() AND table = 'flows'`})
	if err != nil {
		return err
	}
	st.Storage.Rows, st.Storage.Bytes = res.Columns[0].([]uint64)[0], res.Columns[1].([]uint64)[0]
	if st.Storage.Rows > 0 {
		st.Storage.BytesPerRow = float64(st.Storage.Bytes) / float64(st.Storage.Rows)
	}
	if st.Storage.Newest, st.Storage.Oldest, err = s.span(ctx); err != nil {
		return err
	}
	res, _, err = s.Store.Select(ctx, store.Query{SQL: `SELECT sum(unreserved_space), sum(total_space) FROM system.disks`})
	if err != nil {
		return err
	}
	st.Storage.DiskFree, st.Storage.DiskTotal = res.Columns[0].([]uint64)[0], res.Columns[1].([]uint64)[0]
	perDay, err := store.BytesPerDay(ctx, s.Store)
	if err != nil {
		return err
	}
	detached, err := store.DetachedParts(ctx, s.Store)
	if err != nil {
		return err // the list stays empty, never null
	}
	st.Storage.Detached = detached
	if s.Keep != nil {
		st.Storage.KeepFree = s.Keep().Of(st.Storage.DiskTotal)
	}
	st.Storage.Forecast = store.NewForecast(perDay, st.Storage.Bytes, st.Storage.DiskFree, st.Storage.KeepFree, st.Storage.TTLDays)
	return nil
}
