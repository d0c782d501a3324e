package exporter

import (
	"sync"
	"sync/atomic"

	"netmeta/column"
	"netmeta/counter"
	"netmeta/source/netflow"
)

// Told is what exporters said of their interfaces: in options data of NetFlow and
// IPFIX, and in counter samples of sFlow. It is safe for concurrent use.
type Told struct {
	NetFlow *netflow.State // nil: nothing from there

	Refused atomic.Uint64 // interfaces that there was no room for, each time they were told

	changes atomic.Uint64 // of what follows

	mu     sync.RWMutex // guards the following
	agents map[column.Addr]*agent
	ports  int // of all agents
}

// An agent is a sender of sFlow.
type agent struct {
	changes uint64
	ports   map[uint32]port
}

// A port is an interface as its counters tell it.
type port struct {
	name  column.Label
	speed uint64
}

// maxPorts bounds what is kept of all agents; further interfaces stay unnamed.
const maxPorts = 200_000

// generation changes whenever anything new was told.
func (t *Told) generation() uint64 {
	g := t.changes.Load()
	if t.NetFlow != nil {
		g += t.NetFlow.Changes()
	}
	return g
}

// toldNews differ when an exporter has told something new.
type toldNews struct {
	names      *netflow.Metadata
	generation uint64
	ports      uint64
}

func (t *Told) news(a column.Addr) (n toldNews) {
	if t.NetFlow != nil {
		if n.names = t.NetFlow.Metadata(a.IP()); n.names != nil {
			n.generation = n.names.Generation()
		}
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	if x := t.agents[a]; x != nil {
		n.ports = x.changes
	}
	return n
}

// toldInterface is what an exporter said of an interface.
type toldInterface struct {
	name, description column.Label
	speed             uint64
}

func (t *Told) interfaceOf(a column.Addr, index uint32) (x toldInterface) {
	if t.NetFlow != nil {
		if m := t.NetFlow.Metadata(a.IP()); m != nil {
			i := m.Interface(index)
			x.name, x.description = i.Name, i.Description
		}
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	if agent := t.agents[a]; agent != nil {
		p := agent.ports[index]
		if x.speed = p.speed; x.name == (column.Label{}) {
			x.name = p.name
		}
	}
	return x
}

// Learn takes in a batch of the counters table: names and speeds of interfaces.
func (t *Told) Learn(b *column.Batch) {
	addrs, indexes := counter.ExporterAddress.Column(b), counter.IfIndex.Column(b)
	for row := range b.Len() {
		if counter.SourceClass.At(b, row) != 0 {
			continue // no interface
		}
		p := port{counter.IfName.At(b, row), counter.IfSpeed.At(b, row)}
		if indexes[row] == 0 || p == (port{}) {
			continue
		}
		t.mu.RLock()
		var was port
		if x := t.agents[addrs[row]]; x != nil {
			was = x.ports[indexes[row]]
		}
		t.mu.RUnlock()
		if p.name == (column.Label{}) {
			p.name = was.name // it comes in a record of its own, not in each sample
		}
		if p.speed == 0 {
			p.speed = was.speed
		}
		if p != was {
			t.put(addrs[row], indexes[row], p)
		}
	}
}

func (t *Told) put(a column.Addr, index uint32, p port) {
	t.mu.Lock()
	defer t.mu.Unlock()
	x := t.agents[a]
	known := false
	if x != nil {
		_, known = x.ports[index]
	}
	if !known {
		if t.ports == maxPorts {
			t.Refused.Add(1)
			return
		}
		t.ports++
	}
	if x == nil {
		if t.agents == nil {
			t.agents = map[column.Addr]*agent{}
		}
		x = &agent{ports: map[uint32]port{}}
		t.agents[a] = x
	}
	x.ports[index] = p
	x.changes++
	t.changes.Add(1)
}
