package health

import (
	"sync"

	"netmeta/source"
)

// courseMinutes is the length of a course in minutes.
const courseMinutes = 60

// A course is the flows of an exporter in each of the last whole minutes, as a ring.
type course struct {
	flows [courseMinutes]uint32
	n     int // minutes since the first
}

func (c *course) add(flows uint64) {
	c.flows[c.n%courseMinutes] = uint32(min(flows, 1<<32-1))
	c.n++
}

// list returns the course, oldest first.
func (c *course) list() []uint64 {
	known := min(c.n, courseMinutes)
	out := make([]uint64, known)
	for i := range out {
		out[i] = uint64(c.flows[(c.n-known+i)%courseMinutes])
	}
	return out
}

// courses holds those of all exporters in the list. It is safe for concurrent use.
type courses struct {
	mu sync.Mutex
	of map[*source.Exporter]*course
}

func (c *courses) add(x *source.Exporter, flows uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of == nil {
		c.of = map[*source.Exporter]*course{}
	}
	if c.of[x] == nil {
		c.of[x] = &course{}
	}
	c.of[x].add(flows)
}

func (c *courses) drop(x *source.Exporter) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.of, x)
}

// Course returns the flows of an exporter in each of the last minutes, at most 60, oldest
// first; nil before the first whole minute. It is safe for concurrent use.
func (r *Recorder) Course(x *source.Exporter) []uint64 {
	r.courses.mu.Lock()
	defer r.courses.mu.Unlock()
	c := r.courses.of[x]
	if c == nil {
		return nil
	}
	return c.list()
}
