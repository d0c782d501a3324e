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
	ID: "status", Summary: "What is received, lost and stored",
	Answer: Answer{Description: "Counters since the start, and rates of the last ten seconds."},
}}

// Status is the state of the system: what is received, lost and stored.
type Status struct {
	Version   string        `json:"version"`
	Started   int64         `json:"started"`
	Demo      bool          `json:"demo"` // Simulated exporters are running.
	Now       int64         `json:"now"`
	Listeners []Listener    `json:"listeners"`
	Pipeline  Pipeline      `json:"pipeline"`
	Spool     Spool         `json:"spool"` // Rows waiting on disk for the store.
	Rates     Rates         `json:"rates"` // Per second, over the last ten seconds.
	Drops     []Drop        `json:"drops"`
	Exporters []Exporter    `json:"exporters"`
	Enrich    []EnrichTable `json:"enrich"` // Tables for names, ASes and directions.
	// The sum of exporters that are not in the list: evicted, or without room from the start. Absent if there
	// are none.
	Others *Exporter `json:"others,omitempty"`
	// Senders that a user ignored, whose datagrams are dropped; they are not among the exporters.
	Ignored []Ignored `json:"ignored"`
	Engine  Engine    `json:"engine"`
	Storage Storage   `json:"storage"`

	// Overall state, the worst first: the engine is down; data was lost since the start; rows wait in the
	// spool; inserts or the spool fail; everything received is stored.
	State    string              `json:"state" enum:"engine-down,losses,waiting,trouble,good"`
	Problems []diagnosis.Problem `json:"problems"` // Problems of NetMeta itself, the most serious first.
}

// Listener is a UDP port.
type Listener struct {
	Addr      string   `json:"addr"`
	Kind      string   `json:"kind"` // Protocol that customarily uses the port.
	Datagrams uint64   `json:"datagrams"`
	Bytes     uint64   `json:"bytes"`
	Dropped   uint64   `json:"dropped"` // By the kernel, because the receive buffer was full.
	Buffer    int      `json:"buffer"`  // Bytes of each socket's receive buffer.
	Sockets   []Socket `json:"sockets"` // The sockets that share the port, each with its own worker.
}

// Socket is one of the sockets that share a port, each with its own worker.
type Socket struct {
	Datagrams uint64 `json:"datagrams"`
	Bytes     uint64 `json:"bytes"`
	Dropped   uint64 `json:"dropped"` // By the kernel, because the receive buffer was full.
	Queued    int    `json:"queued"`  // Bytes of the receive buffer in use now, as the kernel accounts.
	Buffer    int    `json:"buffer"`  // Bytes of the receive buffer, as the kernel accounts.
}

// Pipeline counts since the start.
type Pipeline struct {
	Datagrams     uint64 `json:"datagrams"`
	Flows         uint64 `json:"flows"`
	Blocks        uint64 `json:"blocks"`
	QueueBlocks   int    `json:"queue_blocks"`
	QueueCapacity int    `json:"queue_capacity"`
	QueueBytes    int64  `json:"queue_bytes"` // Bytes of the waiting blocks.
	QueueMaxBytes int64  `json:"queue_max_bytes"`
	InsertedRows  uint64 `json:"inserted_rows"`
	InsertErrors  uint64 `json:"insert_errors"`
	InsertMS      uint64 `json:"insert_ms"`              // Duration of the last insert.
	LagMS         int64  `json:"lag_ms"`                 // Time since the last insert ended, while flows wait.
	InsertError   string `json:"insert_error,omitempty"` // Why the last insert failed, with the fix; absent if it succeeded.
}

// Spool is the rows waiting on disk for the store.
type Spool struct {
	Blocks       int    `json:"blocks"`
	Rows         uint64 `json:"rows"`
	Bytes        int64  `json:"bytes"` // On disk, including refused files.
	MaxBytes     int64  `json:"max_bytes"`
	Oldest       int64  `json:"oldest"`          // When the oldest rows were written; 0 if there are none.
	WrittenRows  uint64 `json:"written_rows"`    // Since the start.
	DroppedRows  uint64 `json:"dropped_rows"`    // Oldest rows dropped because the spool was full, since the start.
	RefusedFiles int    `json:"refused_files"`   // In spool/refused: rows that the store will never accept, each file with the reason.
	Error        string `json:"error,omitempty"` // Why the spool is not writable; absent if it is.
}

// Rates are means over the last 10 s.
type Rates struct {
	Datagrams   float64 `json:"datagrams"`
	Flows       float64 `json:"flows"`
	BytesStored float64 `json:"bytes_stored"` // Native blocks sent to the store.
}

// Drop is a kind of loss that occurred.
type Drop struct {
	ID     string `json:"id" enum:"kernel,network,decoder,enrichment,spool,store,files"` // Place of the loss, stable.
	Where  string `json:"where"`
	Reason string `json:"reason"`
	Count  uint64 `json:"count"`
	Hint   string `json:"hint"` // Remedy.
}

// Engine is the store's server.
type Engine struct {
	Up       bool   `json:"up"`
	Embedded bool   `json:"embedded"`
	Version  string `json:"version"`
	URL      string `json:"url"`
	Restarts int    `json:"restarts"`
	Error    string `json:"error,omitempty"`

	Confinement string       `json:"confinement,omitempty"` // Restrictions of the embedded engine's process.
	Unprotected []string     `json:"unprotected,omitempty"` // Protections that this system lacks, with the reason.
	Crashes     []EngineUser `json:"crashes,omitempty"`     // Users whose statements were running when the engine crashed.
}

// EngineUser is a user whose statements were running when the engine crashed.
type EngineUser struct {
	User      string `json:"user"`
	Crashes   int    `json:"crashes"`            // Since the start.
	ShutOut   int64  `json:"shut_out,omitempty"` // Since when the user is blocked, Unix time; absent: not blocked.
	Until     int64  `json:"until,omitempty"`    // End of the block, Unix time.
	Statement string `json:"statement"`          // Start of the statement that was running at the last crash.
}

// EnrichTable is a source of names and places of flows.
type EnrichTable struct {
	Name    string `json:"name"`
	Entries int    `json:"entries"`
	Loaded  int64  `json:"loaded"`          // When it was read, or confirmed to be the newest, seconds since 1970; 0: never.
	Source  string `json:"source"`          // The configuration, the file or URL, or its public tables.
	Error   string `json:"error,omitempty"` // Why the file or URL has nothing newer; the last good content stays in use.
}

// Storage describes the stored data.
type Storage struct {
	Rows        uint64          `json:"rows"`
	Bytes       uint64          `json:"bytes"` // On disk.
	BytesPerRow float64         `json:"bytes_per_row"`
	Oldest      int64           `json:"oldest"`
	Newest      int64           `json:"newest"`
	DiskFree    uint64          `json:"disk_free"`
	DiskTotal   uint64          `json:"disk_total"`
	DiskLevel   diagnosis.Level `json:"disk_level" enum:",bad"` // Level of the disk usage.
	TTLDays     int             `json:"ttl_days"`

	// Bytes of the disk to keep free: below it, the oldest hours are dropped. 0: disabled.
	KeepFree    uint64         `json:"keep_free"`
	DroppedRows uint64         `json:"dropped_rows"` // Rows dropped for lack of disk space since the start.
	DroppedAt   int64          `json:"dropped_at"`   // When rows were last dropped, seconds since 1970; 0: never.
	Temporary   uint64         `json:"temporary"`    // Disk usage of temporary data in bytes; no rows are dropped for them.
	TemporaryOf string         `json:"temporary_of"` // Description of the temporary data.
	Forecast    store.Forecast `json:"forecast"`     // How far back the store will reach at the rate of the last day.

	Unreadable []Unreadable     `json:"unreadable"` // Parts of tables that cannot be read. Queries and rollups leave them out.
	Detached   []store.Detached `json:"detached"`   // Detached parts, by the engine or a user, at most 100. They are not read.
}

// Unreadable is a part of a table that cannot be read, with the remedy.
type Unreadable struct {
	store.Part
	Remedy string `json:"remedy"` // Remedy.
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
		if !st.Engine.Embedded { // not supervised: its response is all we know
			st.Engine.Up = false
		}
		if st.Engine.Error == "" {
			st.Engine.Error = err.Error()
		}
	}
	s.markStored(ctx, st.Exporters) // last, because it may use the rest of the time
	s.diagnose(&st, s.Process.Samplings())
	st.addArrivals()
	return st, nil
}

// storage adds the state of the store. If that is down, it stays zero.
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
