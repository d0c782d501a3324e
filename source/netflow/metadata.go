package netflow

import (
	"maps"
	"net/netip"
	"slices"
	"sync"

	"netmeta/column"
	"netmeta/source"
)

// Metadata is what an exporter reports about itself in options data: names that its records refer to by
// number. It belongs to the address of the exporter, for all versions and observation domains. It is safe for
// concurrent use.
//
// Names of interfaces are stored here only to be saved with the templates; their users receive them through
// Options.Names.
type Metadata struct {
	mu           sync.RWMutex // guards the following; State.mu is taken before it, never after
	interfaces   map[uint32]Interface
	vrfs         map[uint32]column.Label
	applications map[uint64]Application
	system       System
	size         int // of all names, by the measure of the limit
}

// Interface describes an ifIndex.
type Interface struct {
	Name        column.Label // interfaceName (82)
	Description column.Label // interfaceDescription (83)
}

// Application describes an application ID. Zero values were not reported.
type Application struct {
	Name        column.Label // applicationName (96)
	Category    column.Label // applicationCategoryName (372)
	SubCategory column.Label // applicationSubCategoryName (373)
	Group       column.Label // applicationGroupName (374)
}

// System is what an exporter reports about itself as a whole. Zero values were not reported.
type System struct {
	Domain         column.Label // observationDomainName (300)
	Booted         uint64       // systemInitTimeMilliseconds (160), milliseconds since 1970
	ActiveTimeoutS uint32       // flowActiveTimeout (36)
	IdleTimeoutS   uint32       // flowIdleTimeout (37)
	Octets         uint64       // exportedOctetTotalCount (40)
	Messages       uint64       // exportedMessageTotalCount (41)
	Records        uint64       // exportedFlowRecordTotalCount (42)
}

// Limits of the names of one exporter. All exporters together have Options.NameBytes.
const (
	maxInterfaces   = 16_384
	maxVRFs         = 4096
	maxApplications = 16_384
	maxName         = 256 // bytes of a name; the rest is cut off
	nameCost        = 96  // bytes of an entry besides its text
)

func newMetadata() *Metadata {
	return &Metadata{interfaces: map[uint32]Interface{}, vrfs: map[uint32]column.Label{}, applications: map[uint64]Application{}}
}

// Interface returns the description of an ifIndex; zero if none was reported.
func (m *Metadata) Interface(index uint32) Interface {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.interfaces[index]
}

// VRF returns the name of a VRF by its ID; zero if none was reported.
func (m *Metadata) VRF(id uint32) column.Label {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.vrfs[id]
}

// Interfaces returns a copy of all interfaces by ifIndex.
func (m *Metadata) Interfaces() map[uint32]Interface {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return maps.Clone(m.interfaces)
}

// VRFs returns a copy of all names of VRFs by ID.
func (m *Metadata) VRFs() map[uint32]column.Label {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return maps.Clone(m.vrfs)
}

// Applications returns a copy of all applications by ID: classification engine in the upper 8 bits, selector
// below (RFC 6759 §4).
func (m *Metadata) Applications() map[uint64]Application {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return maps.Clone(m.applications)
}

// application returns the description of an application ID; zero if none was reported.
func (m *Metadata) application(id uint64) Application {
	if m == nil {
		return Application{}
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.applications[id]
}

// System returns what the exporter reports about itself.
func (m *Metadata) System() System {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.system
}

// Metadata returns the metadata of the exporter with an address, nil if there are none. They stay valid, but
// are no longer updated, after the exporter was evicted.
func (s *State) Metadata(exporter netip.Addr) *Metadata {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.metadata[exporter.Unmap()]
}

// describeLocked stores the names in records of options data.
func (s *State) describeLocked(d *Decoder, records []optionsRecord) {
	addr := d.exporter.Addr().Unmap()
	m := s.metadata[addr]
	if m == nil {
		if !slices.ContainsFunc(records, optionsRecord.describes) {
			return
		}
		m = newMetadata()
		s.metadata[addr] = m
		d.session.domain.exporter.everyGenerationLocked() // views have none yet
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	before, news, refused := m.size, false, false
	for i := range records {
		n, r := m.learnLocked(&records[i], s.options.NameBytes-(s.names+m.size-before))
		news, refused = news || n, refused || r
		if records[i].hasIf {
			s.reportLocked(addr, m, records[i].ifIndex)
		}
	}
	s.names += m.size - before
	if news {
		s.changes.Add(1)
	}
	if refused {
		d.refuse(TooManyNames)
	}
}

// reportLocked hands on what an exporter reports about an interface, even if it is not new: the receiver may
// have evicted it.
func (s *State) reportLocked(addr netip.Addr, m *Metadata, index uint32) {
	if x := m.interfaces[index]; x != (Interface{}) && s.options.Names != nil {
		s.options.Names(column.AddrFrom(addr), index, source.Interface{Name: x.Name, Description: x.Description})
	}
}

// describes reports that a record has something for Metadata.
func (r optionsRecord) describes() bool {
	return r.hasIf && (r.ifName != nil || r.ifDescription != nil) || r.hasVRF && r.vrfName != nil ||
		r.describesApp() || r.system != (System{}) || len(r.domainName) > 0
}

func (r optionsRecord) describesApp() bool {
	return r.app != 0 && len(r.appName)+len(r.appCategory)+len(r.appSub)+len(r.appGroup) > 0
}

// learnLocked stores one record, if there is room.
func (m *Metadata) learnLocked(r *optionsRecord, room int) (news, refused bool) {
	// put changes one name.
	put := func(name *column.Label, raw []byte) {
		if raw == nil {
			return
		}
		raw = untilZero(raw)
		if string(raw) == name.String() {
			return
		}
		now := column.LabelOf(string(appendText(nil, raw[:min(len(raw), maxName)])))
		if now == *name {
			return
		}
		cost := len(now.String()) - len(name.String())
		if cost > room {
			refused = true
			return
		}
		m.size += cost
		room -= cost
		*name, news = now, true
	}
	// reserve makes room for an entry, if it is new; settle frees it if the entry was not added.
	reserve := func(known bool, n, limit int) bool {
		if known {
			return true
		}
		if n >= limit || room < nameCost {
			refused = true
			return false
		}
		m.size += nameCost
		room -= nameCost
		return true
	}
	settle := func(known, stored bool) bool {
		if !known && !stored {
			m.size -= nameCost
			room += nameCost
		}
		return stored
	}
	if r.hasIf && (len(r.ifName) > 0 || len(r.ifDescription) > 0) {
		x, known := m.interfaces[r.ifIndex]
		if reserve(known, len(m.interfaces), maxInterfaces) {
			put(&x.Name, r.ifName)
			put(&x.Description, r.ifDescription)
			if settle(known, x != (Interface{})) {
				m.interfaces[r.ifIndex] = x
			}
		}
	}
	if r.hasVRF && len(r.vrfName) > 0 {
		name, known := m.vrfs[r.vrf]
		if reserve(known, len(m.vrfs), maxVRFs) {
			put(&name, r.vrfName)
			if settle(known, name != (column.Label{})) {
				m.vrfs[r.vrf] = name
			}
		}
	}
	if r.describesApp() {
		x, known := m.applications[r.app]
		if reserve(known, len(m.applications), maxApplications) {
			put(&x.Name, r.appName)
			put(&x.Category, r.appCategory)
			put(&x.SubCategory, r.appSub)
			put(&x.Group, r.appGroup)
			if settle(known, x != (Application{})) {
				m.applications[r.app] = x
			}
		}
	}
	was := m.system
	put(&m.system.Domain, r.domainName)
	set := func(v *uint64, now uint64) {
		if now != 0 {
			*v = now
		}
	}
	set32 := func(v *uint32, now uint32) {
		if now != 0 {
			*v = now
		}
	}
	set(&m.system.Booted, r.system.Booted)
	set32(&m.system.ActiveTimeoutS, r.system.ActiveTimeoutS)
	set32(&m.system.IdleTimeoutS, r.system.IdleTimeoutS)
	// The totals increase all the time, which is not news.
	set(&m.system.Octets, r.system.Octets)
	set(&m.system.Messages, r.system.Messages)
	set(&m.system.Records, r.system.Records)
	steady := func(s System) System { s.Octets, s.Messages, s.Records = 0, 0, 0; return s }
	return news || steady(was) != steady(m.system), refused
}

// forgetLocked removes the metadata of an address without remaining exporters.
func (s *State) forgetLocked(addr netip.Addr) {
	m := s.metadata[addr]
	if m == nil || s.exporters[exporterKey{addr, 9}] != nil || s.exporters[exporterKey{addr, 10}] != nil {
		return
	}
	m.mu.RLock()
	s.names -= m.size
	m.mu.RUnlock()
	delete(s.metadata, addr)
}
