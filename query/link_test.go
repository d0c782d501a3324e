package query

import (
	"fmt"
	"testing"
	"time"
)

// Of the hour in which the first flow came only the time from then on counts; an hour from
// before, as when what is known of the tables is older than the rows, counts whole.
func TestWeeksBegun(t *testing.T) {
	const hour = 3600
	q := WeeksQuery{from: 0, to: 4 * hour, begun: 2*hour + 1800, zone: time.UTC}
	columns := map[string]any{"t": []uint32{0, hour, 2 * hour, 3 * hour}, "in": []float64{450, 450, 450, 450}, "out": []float64{0, 900, 0, 0}}
	w, err := q.Read(4, func(name string) any { return columns[name] })
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprint(w.In, w.Out), "[1 1 2 1] [0 2 0 0]"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
