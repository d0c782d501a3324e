// Package event stores events that explain traffic: attacks, configuration changes,
// maintenance. It owns the events table, which charts, Grafana and scripts read. A second
// report with the same ID replaces the event, e.g. to set its end. Events can be deleted.
package event

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"netmeta/access"
	"netmeta/column"
	"netmeta/internal/problem"
	"netmeta/query"
	"netmeta/store"
)

// Event is something that happened, or is still going on.
type Event struct {
	ID       string            `json:"id" example:"attack-1"`                                         // Reporting it again with the same ID changes it; empty: a new ID.
	Kind     string            `json:"kind" example:"attack"`                                         // attack, change, maintenance, note or another word. Default note.
	Start    int64             `json:"start" example:"1790000000"`                                    // Second; default now.
	End      int64             `json:"end" example:"0"`                                               // Second; 0 while it lasts.
	Target   string            `json:"target" example:"192.0.2.7"`                                    // Address, prefix or interface.
	Severity string            `json:"severity" example:"warning" enum:"info,warning,error,critical"` // info, warning, error or critical.
	Text     string            `json:"text" example:"UDP flood"`                                      // What happened.
	Attrs    map[string]string `json:"attrs" example:"{\"pps\":\"735000\"}"`
}

// Table is the events table. The last report with an ID counts. The order here is the order in ClickHouse.
var Table = column.Table{
	Name:      "events",
	Partition: "tuple()",
	Order:     "id",
	Engine:    column.Replacing,
	Version:   "updated",
	Retention: column.Forever,
}

// The fields.
var (
	ID       = Table.String(column.Field{Name: "id", Doc: "Name of the event; who reports it again under the same name changes it."})
	Kind     = Table.Text(column.Field{Name: "kind", Doc: "attack, change, maintenance, note or another word."})
	Start    = Table.Time(column.Field{Name: "start", Doc: "Begin."})
	End      = Table.Time(column.Field{Name: "end", Doc: "End; 1970 while it goes on, or when it has no length."})
	Target   = Table.String(column.Field{Name: "target", Doc: "Address, prefix or interface that it is about; may be empty."})
	Severity = Table.Text(column.Field{Name: "severity", Doc: "info, warning, error or critical."})
	Text     = Table.String(column.Field{Name: "text", Doc: "What people should know."})
	Attrs    = Table.Map(column.Field{Name: "attrs", Doc: "Whatever else the reporter says."})
	Updated  = Table.TimeMS(column.Field{Name: "updated", Default: "now64(3)", Doc: "When it was reported last."})
)

// Limits of one event.
const (
	maxID     = 128
	maxKind   = 64
	maxTarget = 256
	maxText   = 4 << 10
	maxAttrs  = 64
	maxAttr   = 1 << 10
	maxTime   = 1<<32 - 1
)

// Severities in ascending order.
var Severities = []string{"info", "warning", "error", "critical"}

// invalid returns the problem of an invalid key of an event.
func invalid(key, message string) error {
	return problem.Invalid("event not understood", key, message)
}

// Complete sets missing values of an event and validates it. The error is a *problem.Error.
func (e *Event) Complete(now time.Time) error {
	if e.ID == "" {
		var b [12]byte
		rand.Read(b[:])
		e.ID = hex.EncodeToString(b[:])
	}
	e.Kind, e.Severity = cmp.Or(e.Kind, "note"), cmp.Or(e.Severity, "info")
	if e.Start == 0 {
		e.Start = now.Unix()
	}
	if e.Attrs == nil {
		e.Attrs = map[string]string{}
	}
	for _, text := range []struct {
		key, value string
		most       int
	}{{"id", e.ID, maxID}, {"kind", e.Kind, maxKind}, {"target", e.Target, maxTarget}, {"text", e.Text, maxText}} {
		if len(text.value) > text.most {
			return invalid(text.key, fmt.Sprintf("has %d bytes; use at most %d", len(text.value), text.most))
		}
	}
	switch {
	case !slices.Contains(Severities, e.Severity):
		return invalid("severity", strconv.Quote(e.Severity)+" is unknown; use "+strings.Join(Severities, ", "))
	case e.Start < 0 || e.Start > maxTime:
		return invalid("start", strconv.FormatInt(e.Start, 10)+" is out of range; use seconds since 1970")
	case e.End != 0 && e.End < e.Start || e.End > maxTime:
		return invalid("end", "is before the start or out of range; use 0 while the event lasts")
	case e.Target == "" && e.Text == "" && len(e.Attrs) == 0:
		return invalid("text", "is missing; set a text or a target")
	case len(e.Attrs) > maxAttrs:
		return invalid("attrs", fmt.Sprintf("has %d members; use at most %d", len(e.Attrs), maxAttrs))
	}
	for k, v := range e.Attrs {
		if len(k)+len(v) > maxAttr {
			return invalid("attrs", fmt.Sprintf("%.20q is too long; use at most %d bytes for key and value", k, maxAttr))
		}
	}
	return nil
}

// Put stores a complete event.
func Put(ctx context.Context, c *store.Client, e Event) error {
	stmt := query.PutEvent(query.EventRow{ID: e.ID, Kind: e.Kind, Start: e.Start, End: e.End, Target: e.Target, Severity: e.Severity, Text: e.Text, Attrs: e.Attrs})
	return c.Do(ctx, store.Query{SQL: stmt.SQL, Params: stmt.Params})
}

// ErrNotFound is the error for an unknown ID.
var ErrNotFound = &problem.Error{Status: http.StatusNotFound, Title: "no such event", Detail: "no event with this ID"}

// Delete deletes an event of a scope with all its reports. The error for an unknown ID is
// ErrNotFound.
func Delete(ctx context.Context, c *store.Client, scope access.Scope, id string) error {
	reports := query.EventReports(scope, id)
	res, _, err := c.Select(ctx, store.Query{SQL: reports.SQL, Params: reports.Params})
	if err != nil {
		return err
	}
	if res.Column("reports").([]uint64)[0] == 0 {
		return ErrNotFound
	}
	stmt := query.DeleteEvent(id)
	return c.Do(ctx, store.Query{SQL: store.Layout{}.Alter(Table.Name) + " " + stmt.SQL, Params: stmt.Params})
}

// Between returns the events of a scope that overlap a range, oldest first. An event that lasts
// overlaps everything after its start; one without duration only its start.
func Between(ctx context.Context, c *store.Client, scope access.Scope, from, to int64, kind string) ([]Event, error) {
	stmt := query.Events(scope, from, to, kind)
	res, _, err := c.Select(ctx, store.Query{SQL: stmt.SQL, Params: stmt.Params})
	if err != nil {
		return nil, err
	}
	list := make([]Event, res.Rows)
	for i := range list {
		text := func(name string) string { return res.Column(name).([]string)[i] }
		e := Event{ID: text("id"), Kind: text("kind"), Start: int64(res.Column("begin").([]uint32)[i]), End: int64(res.Column("until").([]uint32)[i]),
			Target: text("target"), Severity: text("severity"), Text: text("text")}
		if err := json.Unmarshal([]byte(text("more")), &e.Attrs); err != nil {
			return nil, fmt.Errorf("attributes of event %s: %w", e.ID, err)
		}
		list[i] = e
	}
	slices.Reverse(list)
	return list, nil
}
