package enginetest

import (
	"log/slog"
	"testing"

	"netmeta/store"
)

// Roll adds up the rows of a table that are older than settled into its rollups.
func Roll(t testing.TB, w *store.Client, s store.Schema, settled int64) {
	t.Helper()
	RollWith(t, &store.Roller{Client: w, Schema: func() store.Schema { return s }, Owner: "test", Log: slog.New(slog.DiscardHandler)}, settled)
}

// RollWith runs a roller until nothing is left to do.
func RollWith(t testing.TB, r *store.Roller, settled int64) {
	t.Helper()
	for more := true; more; {
		var err error
		if more, err = r.Roll(t.Context(), settled); err != nil {
			t.Fatal(err)
		}
	}
}
