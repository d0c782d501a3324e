package netflow

import (
	"encoding/binary"
	"hash/maphash"
	"slices"
	"sync"
	"sync/atomic"

	"netmeta/column"
	"netmeta/flow"
)

// Cumulative counters. Templates without delta counters may have totals since the flow start (85, 86 and the
// like). An exporter that reports an active flow repeatedly includes what it has reported before, and the sum
// would count that many times. So the last totals of active flows are stored, and a row has the difference.
//
// A record continues a flow that was reported before if it comes from the same session, its key elements and
// its start are the same, and neither its totals nor its end decrease. One with a flowEndReason is the last.
//
// Not all totals are of a flow:
//   - Without a start, a flow cannot be distinguished from the next one with the same key: the values of such a
//     template are used as they are.
//   - Firewalls (233) and translators (230) write totals into the record of an event, each once: used as they are.
//   - YAF writes totals and starts again after the active timeout, with a new start, which shows it.
//   - Exporters that keep the start and write the difference since the last record are detected when a total falls
//     while the end rises. From then on the totals of that template are used as they are.
//
// Traffic from before this process started is in the first report that it receives. Templates with delta
// counters are not affected and pay nothing.

// totals says how records of a plan continue flows.
type totals struct {
	key    []uint16 // elements that identify a flow, including the start
	reason int      // flowEndReason, -1 if there is none
	way    byte     // 1: of the reverse direction

	bytes, packets int // the elements with the totals, -1 if there is none

	perRecord atomic.Bool // the totals turned out to be differences
}

var keyElements = []uint16{
	8, 12, 27, 28, 4, 7, 11, 180, 181, 182, 183, 10, 14, 252, 253, 58, 243, 245, 5, 61, 31, 32, 139, 176, 177, 178, 179, 234, 235, 148,
}

var startElements = []uint16{152, 156, 154, 150, 22}

// totals reports whether and how the counters are cumulative; nil if they are not.
func (c *compiler) totals(of *compiler) *totals {
	t := &totals{reason: of.first(136), bytes: -1, packets: -1}
	for _, s := range c.steps {
		switch {
		case !slices.Contains(sinceBegin, c.elements[s.pos].IE):
		case s.field == flow.Bytes.Field:
			t.bytes = int(s.pos)
		case s.field == flow.Packets.Field:
			t.packets = int(s.pos)
		}
	}
	if t.bytes < 0 && t.packets < 0 || of.first(233) >= 0 || of.first(230) >= 0 {
		return nil
	}
	for _, id := range startElements {
		if pos := of.first(id); pos >= 0 {
			t.key = append(t.key, uint16(pos))
			break
		}
	}
	if t.key == nil {
		return nil
	}
	for _, id := range keyElements {
		of.find(column.IE{ID: id}, func(pos, _ uint16) { t.key = append(t.key, pos) })
	}
	return t
}

// activeFlow is a flow as last reported. The zero value is none.
type activeFlow struct {
	hash           uint64
	bytes, packets uint64
	end            uint64
	heard          int64 // milliseconds since 1970
}

// flowTable stores active flows in a fixed amount of memory. All decoders share it, since the reports of one
// flow may reach any of them.
type flowTable struct {
	mu    sync.Mutex // guards everything below
	seed  maphash.Seed
	flows []activeFlow
	key   []byte
}

const (
	maxActiveFlows = 1 << 16 // flows
	activeFlowWays = 8       // places for a flow
	livingMS       = 30 * 60 * 1000
)

// find returns the entry of a flow: its own, or the one that was heard longest ago.
func (t *flowTable) find(hash uint64) *activeFlow {
	at := hash % (maxActiveFlows / activeFlowWays) * activeFlowWays
	places := t.flows[at : at+activeFlowWays]
	oldest := &places[0]
	for i := range places {
		p := &places[i]
		if p.hash == hash {
			return p
		}
		if p.heard < oldest.heard {
			oldest = p
		}
	}
	return oldest
}

// goOn subtracts from the counters of rows what earlier records of the same flows had.
func (d *Decoder) goOn(t *totals, at *layout, records []byte, stride, row, n int) {
	if t.perRecord.Load() {
		return
	}
	table := &d.state.activeFlows
	table.mu.Lock()
	defer table.mu.Unlock()
	if table.flows == nil {
		table.seed, table.flows = maphash.MakeSeed(), make([]activeFlow, maxActiveFlows)
	}
	bytes, packets := flow.Bytes.Column(d.batch)[row:row+n], flow.Packets.Column(d.batch)[row:row+n]
	ends := flow.FlowEnd.Column(d.batch)[row : row+n]
	for i := range n {
		record := records[i*stride:]
		if start := t.key[0]; allZero(record[at.offset[start]:][:at.width[start]]) {
			continue
		}
		hash := d.hashLocked(t, at, record)
		was := table.find(hash)
		now := activeFlow{hash, bytes[i], packets[i], ends[i], d.received}
		if was.hash == hash {
			if t.bytes >= 0 {
				now.bytes = beyond(was.bytes, now.bytes, at.width[t.bytes])
			}
			if t.packets >= 0 {
				now.packets = beyond(was.packets, now.packets, at.width[t.packets])
			}
			if t.bytes >= 0 && now.bytes < was.bytes || t.packets >= 0 && now.packets < was.packets {
				if now.end == 0 || now.end >= was.end {
					t.perRecord.Store(true)
					return
				}
				now = *was // it was overtaken: the later record includes it
			}
			if t.bytes >= 0 {
				bytes[i] = now.bytes - was.bytes
			}
			if t.packets >= 0 {
				packets[i] = now.packets - was.packets
			}
			d.state.counters.Continued.Add(1)
		} else if was.hash != 0 && d.received-was.heard < livingMS {
			d.refuse(TooManyActiveFlows)
		}
		*was = now
		if t.reason >= 0 && ended(number(record[at.offset[t.reason]:], int(at.width[t.reason]))) {
			*was = activeFlow{}
		}
	}
}

// ended reports a flowEndReason other than the active timeout. SiLK sets upper bits.
func ended(reason uint64) bool { r := reason & 7; return r == 1 || r >= 3 && r <= 5 }

// beyond returns a total of width bytes without its limit: if the previous value was in the upper quarter and
// this one is in the lowest, the counter has wrapped.
func beyond(was, now uint64, width uint32) uint64 {
	if width >= 8 {
		return now
	}
	span := uint64(1) << (8 * width)
	if low := was % span; now < low && low >= span/4*3 && now < span/4 {
		now += span
	}
	return was/span*span + now
}

// hashLocked identifies a flow by its session, its key and its start. It is never 0.
func (d *Decoder) hashLocked(t *totals, at *layout, record []byte) uint64 {
	addr := d.exporter.Addr().As16()
	table := &d.state.activeFlows
	key := append(table.key[:0], addr[:]...)
	key = binary.BigEndian.AppendUint16(key, d.exporter.Port())
	key = binary.BigEndian.AppendUint32(key, d.domain)
	key = append(key, byte(d.version), t.way)
	for _, pos := range t.key {
		key = append(key, record[at.offset[pos]:][:at.width[pos]]...)
	}
	table.key = key
	return max(maphash.Bytes(table.seed, key), 1)
}
