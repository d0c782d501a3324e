package query

import (
	"strings"
	"testing"
)

// A value that changed much more than the whole, since others changed the other way, is
// told by how much it changed: 300 % of a change say nothing to a reader.
func TestExplainMoreThanAll(t *testing.T) {
	q := ExplainQuery{Now: Range{From: 1000, To: 1010}, Before: Range{From: 990, To: 1000}, unit: "bps"}
	ask := func(fallen, risen float64) Explanation {
		t.Helper()
		total := uint8(len(aspects()))
		none := []float64{0, 0, 0}
		x, err := q.Read(ExplainRows{
			Aspect:   []uint8{0, 0, total},
			Distinct: []uint64{2, 2, 0}, Risers: []uint64{1, 1, 0}, Rise: []float64{risen, risen, 0}, Fall: []float64{fallen, fallen, 0},
			Keys: [][]string{{"192.0.2.1"}, {"192.0.2.2"}, nil}, Labels: [][]string{nil, nil, nil},
			Now: []float64{0, risen, risen + 5000}, Before: []float64{fallen, 0, fallen + 5000},
			PacketsNow: none, PacketsBefore: none, BytesNow: none, BytesBefore: none,
		})
		if err != nil || x.Kind != "fall" || len(x.Causes) != 1 {
			t.Fatalf("%+v, %v", x, err)
		}
		return x
	}
	x := ask(3000, 2000)
	if text := "−2.4 kb/s to 192.0.2.1"; x.Causes[0].Text != text || x.Causes[0].Share != 3 || !strings.Contains(x.Text, text) {
		t.Errorf("%+v in %q, want %q", x.Causes[0], x.Text, text)
	}
	if x = ask(3000, 300); x.Causes[0].Text != "111 % to 192.0.2.1" {
		t.Errorf("%+v", x.Causes[0])
	}
}
