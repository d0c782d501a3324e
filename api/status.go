package api

import (
	"context"
	"net/http"
	"time"

	"netmeta/diagnosis"
	"netmeta/query"
	"netmeta/store"
)

var statusRoutes = []Route{{
	Method: "GET", Path: "/api/v1/status", Need: Read, Handler: answer((*Server).status),
	ID: "status", Summary: "What comes in, where it is lost, what is kept",
	Answer: Answer{Description: "Counters since the start, and rates of the last ten seconds."},
}}

// Status is how the system is: what comes in, where it is lost, what is kept.
type Status struct {
	Version   string        `json:"version"`
	Started   int64         `json:"started"`
	Demo      bool          `json:"demo"` // Simulated exporters send now.
	Now       int64         `json:"now"`
	Listeners []Listener    `json:"listeners"`
	Pipeline  Pipeline      `json:"pipeline"`
	Spool     Spool         `json:"spool"` // Rows that wait on disk for the store.
	Rates     Rates         `json:"rates"` // Per second, over the last ten.
	Drops     []Drop        `json:"drops"`
	Exporters []Exporter    `json:"exporters"`
	Enrich    []EnrichTable `json:"enrich"` // Tables that names, ASes and directions come from.
	// The sum of exporters that are not in the list: forgotten for want of room, or without room from the
	// start. Absent if there are none.
	Others *Exporter `json:"others,omitempty"`
	// Senders whose datagrams are refused because somebody chose so; they are not among the exporters.
	Ignored []Ignored `json:"ignored"`
	Engine  Engine    `json:"engine"`
	Storage Storage   `json:"storage"`

	// The whole in one word, the worst first: the engine is down; something was lost since the start; rows
	// wait in the spool; rows cannot be stored, or not in the spool; all received is stored.
	State    string              `json:"state" enum:"engine-down,losses,waiting,trouble,good"`
	Problems []diagnosis.Problem `json:"problems"` // What is wrong with NetMeta itself, the gravest first.
}

// Listener is a UDP port.
type Listener struct {
	Addr      string   `json:"addr"`
	Kind      string   `json:"kind"` // What is customary on the port.
	Datagrams uint64   `json:"datagrams"`
	Bytes     uint64   `json:"bytes"`
	Dropped   uint64   `json:"dropped"` // By the kernel, because the receive buffer was full.
	Buffer    int      `json:"buffer"`  // Octets of each socket's receive buffer.
	Sockets   []Socket `json:"sockets"` // The sockets that share the port; each has a worker of its own.
}

// Socket is one of the sockets that share a port; each has a worker of its own.
type Socket struct {
	Datagrams uint64 `json:"datagrams"`
	Bytes     uint64 `json:"bytes"`
	Dropped   uint64 `json:"dropped"` // By the kernel, because the receive buffer was full.
	Queued    int    `json:"queued"`  // Octets of the receive buffer in use now, as the kernel accounts.
	Buffer    int    `json:"buffer"`  // Octets of the receive buffer, as the kernel accounts.
}

// Pipeline counts since the start.
type Pipeline struct {
	Datagrams     uint64 `json:"datagrams"`
	Flows         uint64 `json:"flows"`
	Blocks        uint64 `json:"blocks"`
	QueueBlocks   int    `json:"queue_blocks"`
	QueueCapacity int    `json:"queue_capacity"`
	QueueBytes    int64  `json:"queue_bytes"` // Octets of the blocks that wait.
	QueueMaxBytes int64  `json:"queue_max_bytes"`
	InsertedRows  uint64 `json:"inserted_rows"`
	InsertErrors  uint64 `json:"insert_errors"`
	InsertMS      uint64 `json:"insert_ms"`              // Of the last insert.
	LagMS         int64  `json:"lag_ms"`                 // Since the last insert ended, while flows wait.
	InsertError   string `json:"insert_error,omitempty"` // Why the last insert failed, with what to do about it; absent when it did not.
}

// Spool is what waits on disk for the store.
type Spool struct {
	Blocks       int    `json:"blocks"`
	Rows         uint64 `json:"rows"`
	Bytes        int64  `json:"bytes"` // On disk, with what was refused.
	MaxBytes     int64  `json:"max_bytes"`
	Oldest       int64  `json:"oldest"`          // When the oldest rows were written; 0 when there are none.
	WrittenRows  uint64 `json:"written_rows"`    // Since the start.
	DroppedRows  uint64 `json:"dropped_rows"`    // Oldest rows that went because the spool was full, since the start.
	RefusedFiles int    `json:"refused_files"`   // In spool/refused: what the store will never take, each with the reason beside it.
	Error        string `json:"error,omitempty"` // Why the spool cannot be written now; absent when it can.
}

// Rates are means over the last 10 s.
type Rates struct {
	Datagrams   float64 `json:"datagrams"`
	Flows       float64 `json:"flows"`
	BytesStored float64 `json:"bytes_stored"` // Of Native blocks handed to the store.
}

// Drop is a kind of loss that occurred.
type Drop struct {
	ID     string `json:"id" enum:"kernel,network,decoder,enrichment,spool,store,files"` // Where, stable.
	Where  string `json:"where"`
	Reason string `json:"reason"`
	Count  uint64 `json:"count"`
	Hint   string `json:"hint"` // What to do about it.
}

// Engine is the store's server.
type Engine struct {
	Up       bool   `json:"up"`
	Embedded bool   `json:"embedded"`
	Version  string `json:"version"`
	URL      string `json:"url"`
	Restarts int    `json:"restarts"`
	Error    string `json:"error,omitempty"`

	Confinement string       `json:"confinement,omitempty"` // What limits the process of the embedded engine.
	Unprotected []string     `json:"unprotected,omitempty"` // Protections that this system does not have, with the reason.
	Crashes     []EngineUser `json:"crashes,omitempty"`     // Users whose statements ran when the engine crashed.
}

// EngineUser is a user whose statements ran when the engine crashed.
type EngineUser struct {
	User      string `json:"user"`
	Crashes   int    `json:"crashes"`            // Since the start.
	ShutOut   int64  `json:"shut_out,omitempty"` // Since when the user is shut out, Unix time; left out: is not.
	Until     int64  `json:"until,omitempty"`    // Until when, Unix time.
	Statement string `json:"statement"`          // The beginning of the statement that ran at the last crash.
}

// EnrichTable is what names and places of flows come from.
type EnrichTable struct {
	Name    string `json:"name"`
	Entries int    `json:"entries"`
	Loaded  int64  `json:"loaded"`          // When it was read, or confirmed to be the newest, seconds since 1970; 0: never.
	Source  string `json:"source"`          // The configuration, the file or URL, or the public tables it was made from.
	Error   string `json:"error,omitempty"` // Why the file or URL gave nothing newer; the last good content stays in use.
}

// Storage is what is kept.
type Storage struct {
	Rows        uint64          `json:"rows"`
	Bytes       uint64          `json:"bytes"` // On disk.
	BytesPerRow float64         `json:"bytes_per_row"`
	Oldest      int64           `json:"oldest"`
	Newest      int64           `json:"newest"`
	DiskFree    uint64          `json:"disk_free"`
	DiskTotal   uint64          `json:"disk_total"`
	DiskLevel   diagnosis.Level `json:"disk_level" enum:",bad"` // How full the disk is.
	TTLDays     int             `json:"ttl_days"`

	// Bytes of the disk that are kept free: when less are, the oldest hours are dropped. 0: that is not
	// done.
	KeepFree    uint64         `json:"keep_free"`
	DroppedRows uint64         `json:"dropped_rows"` // Rows dropped for want of space since the start.
	DroppedAt   int64          `json:"dropped_at"`   // When that was the last time, seconds since 1970; 0: never.
	Temporary   uint64         `json:"temporary"`    // Bytes of the disk that temporary data take; no rows are dropped for them.
	TemporaryOf string         `json:"temporary_of"` // What these are.
	Forecast    store.Forecast `json:"forecast"`     // How far back the store will reach if flows go on coming as in the last day.

	Unreadable []Unreadable     `json:"unreadable"` // Parts of tables that cannot be read. Queries and rollups leave them out.
	Detached   []store.Detached `json:"detached"`   // Parts that the engine or a user has put aside, at most 100. Nothing reads them.
}

// Unreadable is a part of a table that cannot be read, and what to do.
type Unreadable struct {
	store.Part
	Remedy string `json:"remedy"` // What to do about it.
}

func (s *Server) status(r *http.Request) (Status, error) {
	st := s.Process.Status()
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
	s.diagnose(&st, s.Process.Samplings())
	st.addArrivals()
	return st, nil
}

// storage adds what the store says of itself. While it is away its part is zero.
func (s *Server) storage(ctx context.Context, st *Status) error {
	res, _, err := s.Store.Select(ctx, store.Query{SQL: query.Storage().SQL})
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
	res, _, err = s.Store.Select(ctx, store.Query{SQL: query.Disks().SQL})
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
	st.Storage.KeepFree = s.Process.KeepFree().Of(st.Storage.DiskTotal)
	st.Storage.Forecast = store.NewForecast(perDay, st.Storage.Bytes, st.Storage.DiskFree, st.Storage.KeepFree, st.Storage.TTLDays)
	return nil
}
