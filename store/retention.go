package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"sync/atomic"
	"time"
)

// Retention by age is the TTL of the tables, which the engine applies. Retention by free space is here: while
// a file system has less free space than required, the oldest partition of the largest table is dropped, an
// hour of flows. The current hour always stays.
//
// Temporary data disappear automatically, so no row is dropped for them: they count as free, are logged
// first, and if that is not enough, the readers' statements that hold them are cancelled.

// Retention keeps space free; call Check periodically.
type Retention struct {
	Client  *Client                                               // of a user with write access
	Keep    func() DiskShare                                      // called each time, because it may change
	Space   func(context.Context) (free, total uint64, err error) // of the file system of the store
	Log     *slog.Logger
	Now     func() time.Time // nil: time.Now
	Reserve *Reserve         // nil: the store is not on this machine

	// Temporary returns the temporary data on that file system; nil: none.
	Temporary func() TemporaryData

	reserveFailed bool // and that was logged
	temporarySaid bool

	Stats RetentionStats
}

// TemporaryData is the disk usage of temporary data.
type TemporaryData struct {
	Bytes  uint64 // of statements and of held results
	Merges uint64 // of parts being written
	What   string // all of it, for the log
}

// RetentionStats count what was dropped for lack of space. They are safe for concurrent use.
type RetentionStats struct {
	Partitions, Rows, Bytes atomic.Uint64
	Last                    atomic.Int64  // Unix seconds; 0: never
	Stuck                   atomic.Bool   // too little is free, and nothing may be dropped
	Ended                   atomic.Uint64 // readers' statements cancelled because of their temporary data
}

// errNothing says that no partition may be dropped.
var errNothing = errors.New("nothing is left that is older than this hour: give the store a larger disk, or let other programs free some of it")

// Check drops partitions until enough space is free.
func (r *Retention) Check(ctx context.Context) error {
	free, total, err := r.Space(ctx)
	if err != nil {
		return fmt.Errorf("free space: %w", err)
	}
	keep := r.Keep().Of(total)
	if free >= keep {
		r.Stats.Stuck.Store(false)
		r.temporarySaid = false
		r.keepReserve(free-keep, keep > 0)
		return nil
	}
	// What the engine has already replaced or dropped is deleted within minutes.
	soon, err := r.number(ctx, `SELECT sum(bytes_on_disk) FROM system.parts WHERE NOT active AND database = currentDatabase()`)
	if err != nil {
		return err
	}
	temporary, err := r.temporary(ctx, free, keep, soon)
	if err != nil {
		return err
	}
	for free += soon + temporary; free < keep; {
		freed, err := r.drop(ctx, free, keep)
		r.Stats.Stuck.Store(errors.Is(err, errNothing))
		if err != nil {
			return err
		}
		free += freed
	}
	return nil
}

// temporary logs the temporary data if space is short, cancels the statements that hold them if that is
// necessary, and returns how much counts as free.
func (r *Retention) temporary(ctx context.Context, free, keep, soon uint64) (uint64, error) {
	if r.Temporary == nil {
		return 0, nil
	}
	t := r.Temporary()
	bytes := t.Bytes
	if free >= keep/4 { // otherwise the disk may be full before a merge ends
		bytes += t.Merges
	}
	if bytes == 0 {
		return 0, nil
	}
	if !r.temporarySaid {
		r.temporarySaid = true
		r.Log.Warn("temporary data use space that must stay free; no rows are dropped for them", "temporary", t.What, "bytes", t.Bytes+t.Merges, "free", free, "keep_free", keep)
	}
	if t.Bytes > 0 && (free < keep/2 || free+soon+bytes < keep) {
		ended, err := r.number(ctx, `SELECT count() FROM system.processes WHERE `+holdsTemporary)
		if err != nil {
			return 0, err
		}
		if ended > 0 {
			if err := r.Client.Exec(ctx, `KILL QUERY WHERE `+holdsTemporary+` ASYNC`); err != nil {
				return 0, fmt.Errorf("cancel the statements that hold temporary data: %w", err)
			}
			r.Stats.Ended.Add(ended)
			r.Log.Warn("disk nearly full; cancelled readers' statements that hold temporary data", "statements", ended, "temporary", t.What, "free", free, "keep_free", keep)
		}
	}
	return bytes, nil
}

// holdsTemporary selects the statements of readers that wrote temporary data.
const holdsTemporary = `Settings['readonly'] = '1' AND arraySum(mapValues(mapFilter((k, v) -> k LIKE 'External%', ProfileEvents))) > 0`

// keepReserve makes the reserve if there is room for it; it is not needed if nothing is dropped.
func (r *Retention) keepReserve(spare uint64, needed bool) {
	if r.Reserve == nil {
		return
	}
	var err error
	if needed {
		err = r.Reserve.Make(spare)
	} else {
		_, err = r.Reserve.Free()
	}
	if err != nil && !r.reserveFailed {
		r.Log.Warn("no reserve: the oldest rows cannot be dropped once the disk is completely full", "err", err)
	}
	r.reserveFailed = err != nil
}

// drop drops the oldest partition of the largest table and returns its bytes.
func (r *Retention) drop(ctx context.Context, free, keep uint64) (uint64, error) {
	now := time.Now()
	if r.Now != nil {
		now = r.Now()
	}
	res, _, err := r.Client.Select(ctx, Query{Params: map[string]string{"hour": fmt.Sprint(now.Truncate(time.Hour).Unix())}, SQL: `
SELECT table, partition_id, toUInt64(toUnixTimestamp(max(max_time))) AS newest, sum(rows) AS rows, sum(bytes_on_disk) AS bytes, sum(bytes) OVER (PARTITION BY table) AS of_table
FROM system.parts WHERE active AND database = currentDatabase()
GROUP BY table, partition_id
QUALIFY newest > 0 AND newest < {hour:UInt64}
ORDER BY of_table DESC, newest LIMIT 1`})
	switch {
	case err != nil:
		return 0, fmt.Errorf("oldest partition: %w", err)
	case res.Rows == 0:
		return 0, errNothing
	}
	table, partition := res.Columns[0].([]string)[0], res.Columns[1].([]string)[0]
	newest, rows, bytes := res.Columns[2].([]uint64)[0], res.Columns[3].([]uint64)[0], res.Columns[4].([]uint64)[0]
	sql := Layout{}.Alter(table) + " DROP PARTITION ID " + quote(partition)
	err = r.Client.Exec(ctx, sql)
	if OutOfSpace(err) && r.Reserve != nil {
		if had, removed := r.Reserve.Free(); removed != nil {
			return 0, fmt.Errorf("reserve: %w", removed)
		} else if had {
			r.Log.Warn("disk full; deleted the reserve to drop the oldest rows", "file", r.Reserve.Path)
			err = r.Client.Exec(ctx, sql)
		}
	}
	if err != nil {
		return 0, fmt.Errorf("drop the oldest partition %s of %s: %w", partition, table, err)
	}
	r.Log.Warn("disk nearly full; dropped the oldest rows", "table", table, "partition", partition,
		"until", time.Unix(int64(newest), 0).UTC().Format(time.RFC3339), "rows", rows, "bytes", bytes, "free", free, "keep_free", keep)
	r.Stats.Partitions.Add(1)
	r.Stats.Rows.Add(rows)
	r.Stats.Bytes.Add(bytes)
	r.Stats.Last.Store(now.Unix())
	return bytes, nil
}

func (r *Retention) number(ctx context.Context, sql string) (uint64, error) {
	res, _, err := r.Client.Select(ctx, Query{SQL: sql})
	if err != nil {
		return 0, err
	}
	return res.Columns[0].([]uint64)[0], nil
}

// DiskSpace returns the space of the store's disks that are directories.
func DiskSpace(ctx context.Context, c *Client) (free, total uint64, err error) {
	res, _, err := c.Select(ctx, Query{SQL: `SELECT sum(free_space), sum(total_space) FROM system.disks WHERE type = 'Local'`})
	if err != nil {
		return 0, 0, err
	}
	return res.Columns[0].([]uint64)[0], res.Columns[1].([]uint64)[0], nil
}

// Forecast says how far back the store will reach at the rate of the last day.
type Forecast struct {
	BytesPerDay float64 `json:"bytes_per_day"` // On disk; 0: unknown.
	Days        float64 `json:"days"`          // Days that fit on the disk, or the retention by age if it is shorter; 0: unknown.
	LimitedBy   string  `json:"limited_by"`    // age, disk, or empty if unknown.
	FullInDays  float64 `json:"full_in_days"`  // Days until only the space to keep free is left; 0: never, or unknown.
}

// NewForecast computes a forecast: stored bytes are used, free on their disk, of which keep stay free; rows
// are kept for ttl days, 0: forever.
func NewForecast(perDay float64, stored, free, keep uint64, ttl int) (f Forecast) {
	if f.BytesPerDay = perDay; perDay <= 0 {
		return f
	}
	room := max(float64(free)-float64(keep), 0)
	f.Days, f.LimitedBy = (float64(stored)+room)/perDay, "disk"
	if ttl > 0 && float64(ttl) <= f.Days {
		f.Days, f.LimitedBy = float64(ttl), "age"
		return f
	}
	f.FullInDays = math.Max(room/perDay, 1.0/24)
	return f
}

// BytesPerDay returns the bytes on disk of a day: those of the complete hours of the last day, for rows first
// stored then.
func BytesPerDay(ctx context.Context, c *Client) (float64, error) {
	res, _, err := c.Select(ctx, Query{SQL: `
WITH toStartOfHour(now()) AS hour
SELECT toFloat64(sum(bytes_on_disk)), toFloat64(greatest(dateDiff('second', greatest(min(min_time), hour - 86400), hour), 0))
FROM system.parts WHERE active AND database = currentDatabase() AND table = 'flows' AND max_time < hour AND min_time >= hour - 86400`})
	if err != nil || res.Rows == 0 {
		return 0, err
	}
	bytes, seconds := res.Columns[0].([]float64)[0], res.Columns[1].([]float64)[0]
	if seconds < 60 {
		return 0, nil
	}
	return bytes / seconds * 86400, nil
}
