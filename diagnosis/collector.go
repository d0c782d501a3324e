package diagnosis

import (
	"math"
	"strconv"
	"time"
)

// A Collector is what NetMeta knows of itself.
type Collector struct {
	EngineUp    bool
	StoreError  string        // of the last insert; empty: it succeeded
	SpoolError  string        // why the spool cannot be written; empty: it can
	SpoolRows   uint64        // that wait
	SpoolOldest time.Duration // how long the oldest of them waits
	Queue       float64       // the part of the queue that is full, by blocks or by octets
	DiskLimits  bool          // the disk is full before flows are old enough to go
	DiskDays    float64       // until it is; 0: not known
	DiskUsed    float64       // the part of the disk that is not free
	Losses      []Loss
}

// A Loss is a kind of loss that has occurred since the start.
type Loss struct {
	Where  string
	Reason string
	Count  uint64
	Remedy string
}

// Problems are those of NetMeta itself, the bad ones first.
func (c Collector) Problems() []Problem {
	list := []Problem{}
	add := func(on bool, p Problem) {
		if on {
			list = append(list, p)
		}
	}
	add(!c.EngineUp, Problem{ID: "engine-down", Level: Bad, Of: "engine", What: "is down and is started again; what arrives waits in the spool",
		Remedy: "The log says why."})
	add(c.EngineUp && c.StoreError != "", Problem{ID: "store-refuses", Level: Bad, Of: "store", What: "does not take rows", Remedy: sentence(c.StoreError)})
	add(c.SpoolError != "", Problem{ID: "spool-unwritable", Level: Bad, Of: "spool", What: "cannot be written", Remedy: sentence(c.SpoolError)})
	add(c.SpoolError == "" && c.SpoolRows > 0 && c.SpoolOldest > spoolWarn, Problem{ID: "spool-waits", Level: Warn, Of: "spool",
		What: "rows wait for " + duration(c.SpoolOldest), Remedy: "The store is away or too slow: look at its errors on Status."})
	add(c.Queue > queueWarn, Problem{ID: "queue-full", Level: Warn, Of: "queue",
		What:   strconv.Itoa(int(math.Round(c.Queue*100))) + " % full: the store is slower than the sources",
		Remedy: "Give the store a faster disk or more cores, or send less."})
	add(c.DiskLimits && c.DiskDays > 0 && c.DiskDays < diskDays, Problem{ID: "disk-full", Level: Warn, Of: "disk",
		What: "is full in " + wholeDays(c.DiskDays) + "; the oldest rows go then", Remedy: "Give it a larger disk, or keep fewer days with store.retention-days."})
	for _, l := range c.Losses {
		list = append(list, Problem{ID: "loss", Level: Warn, Of: l.Where, What: count(l.Count) + " " + l.Reason + " since the start", Remedy: l.Remedy})
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
	StoreTrouble = "trouble" // rows cannot be stored, or not in the spool
	AllStored    = "good"    // all received, all stored
)

// State is the whole in one word.
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
