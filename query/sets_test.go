package query

import (
	"fmt"
	"testing"
)

// Sets that nothing would tell apart, with labels and without, and of more keys than the
// engine takes are not read together; all others are.
func TestGather(t *testing.T) {
	of := func(labels []string, keys ...string) set { return set{keys: keys, labels: labels} }
	name := []string{"name"}
	var many []set
	for i := range 40 {
		many = append(many, of(nil, fmt.Sprint("a", i), fmt.Sprint("b", i)))
	}
	for _, c := range []struct {
		list []set
		want int
	}{
		{nil, 0},
		{[]set{of(nil, "a"), of(nil, "b"), of(nil, "a", "b")}, 1},
		{[]set{of(nil, "a", "b"), of(nil, "b", "a")}, 2},
		{[]set{of(nil, "a"), of(nil, "a", "a"), of(nil, "a")}, 3},
		{[]set{of(nil, "a", "a", "b"), of(nil, "a", "c")}, 1},
		{[]set{of(nil, "a"), of(name, "b"), of(nil, "c"), of(name, "d")}, 2},
		{many, 2},
	} {
		all := gather(c.list)
		n := 0
		for _, s := range all {
			n += len(s.list)
			if len(s.keys) > maxSetKeys {
				t.Errorf("%d keys in one reading", len(s.keys))
			}
		}
		if len(all) != c.want || n != len(c.list) {
			t.Errorf("%v: %d readings of %d sets, want %d", c.list, len(all), n, c.want)
		}
	}
}
