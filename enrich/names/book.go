// Package names is the book of names of exporters and their interfaces. Each source of names writes them
// under its Origin; the stages and the web UI read them in the Order of the configuration.
//
//	NetFlow options ─┐
//	sFlow counters  ─┼─► Book ─► Order ─► stages, page
//	(SNMP, gNMI)    ─┘
package names

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"
	"unicode/utf8"

	"netmeta/column"
)

// Limits of a Book. Names come from the network, so forged ones must not fill memory.
const (
	MaxExporters  = 20_000   // further ones evict the least useful
	MaxInterfaces = 65_536   // of one exporter and origin; further ones are dropped
	MaxBytes      = 48 << 20 // of all names, with entryCost for each interface
	MaxName       = 256      // bytes of a name; the rest is cut off

	maxExporterBytes = MaxBytes / 4 // of one exporter
	entryCost        = 96           // memory of an entry in bytes, without its texts
)

// Book holds names by exporter and origin. The zero value is ready; it is safe for concurrent use. Readers
// that look up many rows cache names as long as Changes and the exporter's Edition stay the same.
//
// If it is full, it evicts the least useful exporters: first those whose names were never read, since they
// send no flows, then those whose flows ended first. A flood of forged names therefore evicts forged names.
type Book struct {
	Refused atomic.Uint64 // interfaces that were evicted or did not fit

	changes atomic.Uint64 // of everything below

	mu        sync.RWMutex // guards the following
	exporters map[column.Addr]*exporter
	bytes     int // as MaxBytes counts them
}

// exporter holds the names of one exporter.
type exporter struct {
	addr       column.Addr
	changes    uint64
	asked      atomic.Int64 // last read, Unix seconds; 0: never
	written    atomic.Int64 // last write of an origin, Unix seconds
	labels     Labels
	interfaces [origins]map[uint32]Interface // by ifIndex
	bytes      int
}

// Put stores what an origin reports about an interface of an exporter. Zero values keep what the origin
// reported before; index 0 is not an interface.
func (b *Book) Put(from Origin, addr column.Addr, index uint32, x Interface) {
	x.Name, x.Description = clean(x.Name), clean(x.Description)
	if index == 0 || x == (Interface{}) {
		return
	}
	if b.has(from, addr, index, x) {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	e := b.exporterLocked(addr)
	was, known := e.interfaces[from][index]
	now := x.over(was)
	if now == was {
		return
	}
	cost := now.bytes() - was.bytes()
	if !known {
		cost += entryCost
	}
	if !known && len(e.interfaces[from]) >= MaxInterfaces || e.bytes+cost > maxExporterBytes {
		b.Refused.Add(1)
		return
	}
	if e.interfaces[from] == nil {
		e.interfaces[from] = map[uint32]Interface{}
	}
	e.interfaces[from][index] = now
	b.changedLocked(e, cost)
}

// PutExporter stores the name that an origin reports for an exporter.
func (b *Book) PutExporter(from Origin, addr column.Addr, name column.Label) {
	name = clean(name)
	if name == (column.Label{}) {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	e := b.exporterLocked(addr)
	e.written.Store(time.Now().Unix())
	if was := e.labels[from]; was != name {
		e.labels[from] = name
		b.changedLocked(e, len(name.String())-len(was.String()))
	}
}

// has reports whether an origin has reported this before, which is the usual case.
func (b *Book) has(from Origin, addr column.Addr, index uint32, x Interface) bool {
	b.mu.RLock()
	defer b.mu.RUnlock()
	e := b.exporters[addr]
	if e == nil {
		return false
	}
	e.written.Store(time.Now().Unix())
	was, known := e.interfaces[from][index]
	return known && x.over(was) == was
}

// over returns x, with values of was where x has none.
func (x Interface) over(was Interface) Interface {
	return Interface{cmp.Or(x.Name, was.Name), cmp.Or(x.Description, was.Description), cmp.Or(x.Speed, was.Speed)}
}

func (x Interface) bytes() int { return len(x.Name.String()) + len(x.Description.String()) }

// exporterLocked returns an exporter, and makes it if necessary.
func (b *Book) exporterLocked(addr column.Addr) *exporter {
	e := b.exporters[addr]
	if e != nil {
		return e
	}
	if len(b.exporters) >= MaxExporters {
		b.evictLocked(nil)
	}
	if b.exporters == nil {
		b.exporters = map[column.Addr]*exporter{}
	}
	e = &exporter{addr: addr, bytes: entryCost}
	e.written.Store(time.Now().Unix())
	b.exporters[addr] = e
	b.bytes += e.bytes
	return e
}

// changedLocked counts a change of an exporter that costs cost bytes.
func (b *Book) changedLocked(e *exporter, cost int) {
	e.bytes += cost
	b.bytes += cost
	e.changes++
	if b.bytes > MaxBytes {
		b.evictLocked(e)
	}
	b.changes.Add(1)
}

// evictLocked evicts the least useful exporters, except not, until a sixteenth of the book is free, so that a
// flood does not search the book for every name.
func (b *Book) evictLocked(not *exporter) {
	list := make([]*exporter, 0, len(b.exporters))
	for _, e := range b.exporters {
		if e != not {
			list = append(list, e)
		}
	}
	slices.SortFunc(list, func(x, y *exporter) int {
		return cmp.Or(cmp.Compare(x.asked.Load(), y.asked.Load()), cmp.Compare(x.written.Load(), y.written.Load()), x.addr.IP().Compare(y.addr.IP()))
	})
	for _, e := range list {
		if len(b.exporters) <= MaxExporters-MaxExporters/16 && b.bytes <= MaxBytes-MaxBytes/16 {
			break
		}
		delete(b.exporters, e.addr)
		b.bytes -= e.bytes
		for _, of := range e.interfaces {
			b.Refused.Add(uint64(len(of)))
		}
	}
	b.changes.Add(1)
}

// Changes increases with every change of the book.
func (b *Book) Changes() uint64 { return b.changes.Load() }

// Edition identifies the names of one exporter: while it is the same, so are all names of the exporter.
type Edition struct {
	exporter *exporter
	changes  uint64
}

// Edition returns the current edition of an exporter. The call also marks its names as useful, because flows
// of it arrive.
func (b *Book) Edition(addr column.Addr) Edition {
	b.mu.RLock()
	defer b.mu.RUnlock()
	e := b.exporters[addr]
	if e == nil {
		return Edition{}
	}
	e.asked.Store(time.Now().Unix())
	return Edition{e, e.changes}
}

// Interface returns what all origins report about an interface.
func (b *Book) Interface(addr column.Addr, index uint32) (x Interfaces) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if e := b.exporters[addr]; e != nil {
		for origin, of := range e.interfaces {
			x[origin] = of[index]
		}
	}
	return x
}

// Exporter returns the names that all origins report for an exporter.
func (b *Book) Exporter(addr column.Addr) Labels {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if e := b.exporters[addr]; e != nil {
		return e.labels
	}
	return Labels{}
}

// Counts returns the number of exporters and interfaces with a name, summed over origins.
func (b *Book) Counts() (exporters, interfaces int) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	for _, e := range b.exporters {
		for _, of := range e.interfaces {
			interfaces += len(of)
		}
	}
	return len(b.exporters), interfaces
}

// clean returns a name without control characters, in valid UTF-8, of at most MaxName bytes.
func clean(l column.Label) column.Label {
	text := l.String()
	if len(text) <= MaxName && utf8.ValidString(text) && !strings.ContainsFunc(text, unicode.IsControl) {
		return l
	}
	text = strings.Map(func(r rune) rune { // a byte that is not UTF-8 becomes U+FFFD
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, text)
	for len(text) > MaxName {
		_, size := utf8.DecodeLastRuneInString(text)
		text = text[:len(text)-size]
	}
	return column.LabelOf(strings.TrimSpace(text))
}
