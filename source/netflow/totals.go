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

// Totals. Templates without delta counters may have totals since the flow began (85,
// 86 and their like). An exporter that reports a living flow again and again reports what it
// has reported before, and the sum would count it many times. So the last totals of
// living flows are remembered, and a row gets the difference.
//
// A record goes on a flow that was reported before when it comes from the same session,
// its key elements and its start are the same, and its totals and its end are not less.
// One that says that the flow has ended (flowEndReason) is the last.
//
// Not all totals are of a flow:
//   - Without a start nothing tells a flow from the next one of the same key: what such a
//     template says is taken as it is.
//   - Firewalls (233) and translators (230) write totals into the record of an event, each
//     once: taken as it is.
//   - YAF writes totals and begins anew after the active timeout, with a new start: the
//     start tells.
//   - Exporters that keep the start and write what came since the last record betray
//     themselves when a total falls while the end rises. From then on the totals of that
//     template are taken as they are.
//
// What came before this process began is in the first report that it sees. Templates
// with delta counters are not concerned and pay nothing.

// totals says how records of a plan go on.
type totals struct {
	key    []uint16 // elements that tell flows apart, the start among them
	reason int      // flowEndReason, -1 if there is none
	way    byte     // 1: of the reverse direction

	bytes, packets int // the elements with the totals, -1 if there is none

	perRecord atomic.Bool // what looks like totals is none
}

var keyElements = []uint16{
	8, 12, 27, 28, 4, 7, 11, 180, 181, 182, 183, 10, 14, 252, 253, 58, 243, 245, 5, 61, 31, 32, 139, 176, 177, 178, 179, 234, 235, 148,
}

var startElements = []uint16{152, 156, 154, 150, 22}

// totals finds out whether the counters are totals; nil if they are not.
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

// A living flow, as last reported. Zero is none.
type living struct {
	hash           uint64
	bytes, packets uint64
	end            uint64
	heard          int64 // milliseconds since 1970
}

// flowTable remembers living flows, in a room that does not grow. All decoders share it,
// since the reports of one flow may come to any of them.
type flowTable struct {
	mu    sync.Mutex // guards everything below
	seed  maphash.Seed
	flows []living
	key   []byte
}

const (
	maxLiving  = 1 << 16 // flows
	livingWays = 8       // places for a flow
	livingMS   = 30 * 60 * 1000
)

// find is the place of a flow: its own, or the one that was heard longest ago.
func (t *flowTable) find(hash uint64) *living {
	at := hash % (maxLiving / livingWays) * livingWays
	places := t.flows[at : at+livingWays]
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

// goOn takes from the counters of rows what earlier records of the same flows had.
func (d *Decoder) goOn(t *totals, at *layout, records []byte, stride, row, n int) {
	if t.perRecord.Load() {
		return
	}
	table := &d.state.living
	table.mu.Lock()
	defer table.mu.Unlock()
	if table.flows == nil {
		table.seed, table.flows = maphash.MakeSeed(), make([]living, maxLiving)
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
		now := living{hash, bytes[i], packets[i], ends[i], d.received}
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
				now = *was // it was overtaken: the later one had what it has
			}
			if t.bytes >= 0 {
				bytes[i] = now.bytes - was.bytes
			}
			if t.packets >= 0 {
				packets[i] = now.packets - was.packets
			}
			d.state.counters.Continued.Add(1)
		} else if was.hash != 0 && d.received-was.heard < livingMS {
			d.refuse(TooManyLiving)
		}
		*was = now
		if t.reason >= 0 && ended(number(record[at.offset[t.reason]:], int(at.width[t.reason]))) {
			*was = living{}
		}
	}
}

// ended reports a flowEndReason other than the active timeout. SiLK sets upper bits.
func ended(reason uint64) bool { r := reason & 7; return r == 1 || r >= 3 && r <= 5 }

// beyond is a total of so many octets without the limit of these: when one that was in
// the upper quarter is in the lowest, it has passed its end.
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

// hashLocked tells a flow by its session, its key and its start. It is never 0.
func (d *Decoder) hashLocked(t *totals, at *layout, record []byte) uint64 {
	addr := d.exporter.Addr().As16()
	table := &d.state.living
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
