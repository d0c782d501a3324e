package enginetest

import (
	"log/slog"
	"testing"

	"netmeta/store"
)

// Roll adds the rows of a table up into its rollups, those of before settled.
func Roll(t testing.TB, w *store.Client, s store.Schema, settled int64) {
	t.Helper()
	RollWith(t, &store.Roller{Client: w, Schema: func() store.Schema { return s }, Owner: "test", Log: slog.New(slog.DiscardHandler)}, settled)
}

// RollWith has a roller do all that there is to be done.
func RollWith(t testing.TB, r *store.Roller, settled int64) {
	t.Helper()
	for more := true; more; {
		var err error
		if more, err = r.Roll(t.Context(), settled); err != nil {
			t.Fatal(err)
		}
	}
}
