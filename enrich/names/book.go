// Package names is the book of names: what exporters and their interfaces are called.
// Whatever learns a name writes it here under its Origin; the stages and the page read
// here, in the Order of the configuration.
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
	MaxInterfaces = 65_536   // of one exporter and origin; further ones are refused
	MaxBytes      = 48 << 20 // of all names, with entryCost for each interface
	MaxName       = 256      // bytes of a name; the rest is cut off

	maxExporterBytes = MaxBytes / 4 // of the names of one exporter
	entryCost        = 96           // bytes of memory an entry takes, without its texts
)

// A Book holds names by exporter and origin. The zero value is ready; it is safe for
// concurrent use. Readers that look up many rows keep what they found for as long as
// Changes and the exporter's Edition stay the same.
//
// When it is full it evicts the exporters that matter least: first those whose names
// nobody has asked for, since no flows come from them, then those whose flows ceased
// first. A flood of forged names therefore evicts forged names.
type Book struct {
	Refused atomic.Uint64 // interfaces that were evicted, or for which there was no room

	changes atomic.Uint64 // of everything below

	mu        sync.RWMutex // guards the following
	exporters map[column.Addr]*exporter
	bytes     int // as MaxBytes counts them
}

// An exporter holds the names of one exporter.
type exporter struct {
	addr       column.Addr
	changes    uint64
	asked      atomic.Int64 // when a reader last asked, Unix seconds; 0: never
	written    atomic.Int64 // when an origin last wrote, Unix seconds
	labels     Labels
	interfaces [origins]map[uint32]Interface // by ifIndex
	bytes      int
}

// Put writes what an origin says about an interface of an exporter. Zero values leave
// what the origin said before; index 0 is not an interface.
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

// PutExporter writes what an origin calls an exporter.
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

// has reports that an origin has said this before, which is the usual case.
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

// over is x, with the values of was where x has none.
func (x Interface) over(was Interface) Interface {
	return Interface{cmp.Or(x.Name, was.Name), cmp.Or(x.Description, was.Description), cmp.Or(x.Speed, was.Speed)}
}

func (x Interface) bytes() int { return len(x.Name.String()) + len(x.Description.String()) }

// exporterLocked finds an exporter, or makes it.
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

// changedLocked counts a change of an exporter, which costs so many bytes.
func (b *Book) changedLocked(e *exporter, cost int) {
	e.bytes += cost
	b.bytes += cost
	e.changes++
	if b.bytes > MaxBytes {
		b.evictLocked(e)
	}
	b.changes.Add(1)
}

// evictLocked evicts the least useful exporters, but not the one given, until a
// sixteenth of the book is free: so that a flood does not search the book each time.
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

// Changes rises with every change of the book.
func (b *Book) Changes() uint64 { return b.changes.Load() }

// An Edition identifies what the book says about one exporter: as long as it is the
// same, so are all names of the exporter.
type Edition struct {
	exporter *exporter
	changes  uint64
}

// Edition is that of an exporter now. It tells the book that flows come from the
// exporter, so that its names are useful.
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

// Interface is what all origins say about an interface.
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

// Exporter is what all origins call an exporter.
func (b *Book) Exporter(addr column.Addr) Labels {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if e := b.exporters[addr]; e != nil {
		return e.labels
	}
	return Labels{}
}

// Counts are the exporters and the interfaces with a name, as each origin counts.
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

// clean is a name without control characters, in valid UTF-8, of MaxName bytes at most.
func clean(l column.Label) column.Label {
	text := l.String()
	if len(text) <= MaxName && utf8.ValidString(text) && !strings.ContainsFunc(text, unicode.IsControl) {
		return l
	}
	text = strings.Map(func(r rune) rune { // an octet that is not UTF-8 becomes U+FFFD
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
