package diagnosis

import (
	"math"
	"strconv"
	"time"
)

// Collector holds the state of NetMeta itself.
type Collector struct {
	EngineUp    bool
	StoreError  string        // of the last insert; empty: success
	SpoolError  string        // why the spool cannot be written; empty: writable
	SpoolRows   uint64        // waiting rows
	SpoolOldest time.Duration // age of the oldest
	Queue       float64       // fill level from 0 to 1, by blocks or by bytes
	DiskLimits  bool          // the disk fills up before the retention ends
	DiskDays    float64       // until it is full; 0: unknown
	DiskUsed    float64       // used share of the disk
	Losses      []Loss
}

// Loss is a kind of loss since the start.
type Loss struct {
	Where  string
	Reason string
	Count  uint64
	Remedy string
}

// Problems returns the problems of NetMeta itself, the bad ones first.
func (c Collector) Problems() []Problem {
	list := []Problem{}
	add := func(on bool, p Problem) {
		if on {
			list = append(list, p)
		}
	}
	add(!c.EngineUp, Problem{ID: "engine-down", Level: Bad, Of: "engine", What: "is down, restarting; new rows go to the spool",
		Remedy: "Check the log for the reason."})
	add(c.EngineUp && c.StoreError != "", Problem{ID: "store-refuses", Level: Bad, Of: "store", What: "inserts are failing", Remedy: sentence(c.StoreError)})
	add(c.SpoolError != "", Problem{ID: "spool-unwritable", Level: Bad, Of: "spool", What: "cannot be written", Remedy: sentence(c.SpoolError)})
	add(c.SpoolError == "" && c.SpoolRows > 0 && c.SpoolOldest > spoolWarn, Problem{ID: "spool-waits", Level: Warn, Of: "spool",
		What: "rows have waited for " + duration(c.SpoolOldest), Remedy: "The store is down or too slow. Check its errors on Status."})
	add(c.Queue > queueWarn, Problem{ID: "queue-full", Level: Warn, Of: "queue",
		What:   strconv.Itoa(int(math.Round(c.Queue*100))) + "% full; the store cannot keep up",
		Remedy: "Use a faster disk or more cores, or send less."})
	add(c.DiskLimits && c.DiskDays > 0 && c.DiskDays < diskDays, Problem{ID: "disk-full", Level: Warn, Of: "disk",
		What: "is full in " + wholeDays(c.DiskDays) + "; the oldest rows are then dropped", Remedy: "Use a larger disk, or lower store.retention-days."})
	for _, l := range c.Losses {
		list = append(list, Problem{ID: "loss", Level: Warn, Of: l.Where, What: count(l.Count) + " " + l.Reason + " since start", Remedy: l.Remedy})
	}
	return gravest(list)
}

// DiskLevel judges how full the disk is.
func (c Collector) DiskLevel() Level { return level(c.DiskUsed, diskUsed, diskUsed) }

// The states of a collector, the worst first.
const (
	EngineDown   = "engine-down"
	Losses       = "losses"  // since the start
	RowsWait     = "waiting" // in the spool
	StoreTrouble = "trouble" // inserts fail, or the spool cannot be written
	AllStored    = "good"    // all received flows are stored
)

// State returns the overall state.
func (c Collector) State() string {
	switch {
	case !c.EngineUp:
		return EngineDown
	case len(c.Losses) > 0:
		return Losses
	case c.SpoolRows > 0:
		return RowsWait
	case c.StoreError != "" || c.SpoolError != "":
		return StoreTrouble
	}
	return AllStored
}

func wholeDays(days float64) string {
	if days < 1 {
		return "less than a day"
	}
	return strconv.Itoa(int(days)) + " days"
}
