package netflow

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"netmeta/column"
	"netmeta/flow"
	"netmeta/source"
)

// padded is a text in so many octets.
func padded(s string, n int) []byte { return append([]byte(s), make([]byte, n-len(s))...) }

func TestMetadata(t *testing.T) {
	reported, reports := map[uint32]source.Interface{}, 0
	state := New(Options{Names: func(exporter column.Addr, index uint32, x source.Interface) {
		if exporter != column.AddrFrom(router.Addr()) {
			t.Errorf("interface %d of %s", index, exporter.IP())
		}
		reported[index] = x
		reports++
	}})
	d := state.Decoder()
	b := flow.Table.NewBatch(10)
	send := func(version uint16, domain uint32, sets ...[]byte) {
		t.Helper()
		datagram{version: version, domain: domain, body: slices.Concat(sets...)}.decode(d, b)
	}
	addr := router.Addr()
	if state.Metadata(addr) != nil {
		t.Error("metadata of nobody")
	}

	// v9: scope system, then the interface; a name and a description.
	interfaces := []element{iana(1, 4), iana(10, 4), iana(82, 8), iana(83, 12)}
	record := func(index uint64, name, description string) []byte {
		return slices.Concat(be(interfaces[:2], 0, index), padded(name, 8), padded(description, 12))
	}
	send(9, 1, optionsOf(9, 400, 1, interfaces...), set16(400, slices.Concat(record(1, "Gi0/0", "to customer"), record(2, "Gi0/1", ""))...))
	m := state.Metadata(addr)
	if m == nil {
		t.Fatal("no metadata")
	}
	f := func(index uint32, want string) {
		t.Helper()
		if x := m.Interface(index); fmt.Sprint(x.Name.String(), ", ", x.Description.String()) != want {
			t.Errorf("interface %d is %v, want %s", index, x, want)
		}
		if x := reported[index]; fmt.Sprint(x.Name.String(), ", ", x.Description.String()) != want {
			t.Errorf("interface %d is reported as %v, want %s", index, x, want)
		}
	}
	f(1, "Gi0/0, to customer")
	f(2, "Gi0/1, ")
	f(3, ", ")
	changes, before := state.Changes(), reports
	send(9, 1, set16(400, record(1, "Gi0/0", "to customer")...))
	if state.Changes() != changes {
		t.Error("the same again is a change")
	}
	if reports != before+1 {
		t.Error("the same again is not reported")
	}
	send(9, 1, set16(400, record(1, "Gi0/0", "to upstream")...))
	if f(1, "Gi0/0, to upstream"); state.Changes() == changes {
		t.Error("another description is no change")
	}

	// IPFIX, another domain, the interface as scope and variable length.
	send(10, 7, optionsOf(10, 401, 1, iana(10, 4), iana(82, variable)), set16(401, 0, 0, 0, 3, 4, 'x', 'e', '-', '0'))
	f(3, "xe-0, ")
	f(1, "Gi0/0, to upstream")

	vrfs := []element{iana(234, 4), iana(236, 8)}
	send(10, 7, optionsOf(10, 402, 1, vrfs...), set16(402, append(be(vrfs[:1], 0x60000000), padded("customers", 9)[:8]...)...))
	if name := m.VRF(0x60000000).String(); name != "customer" {
		t.Errorf("VRF %q", name)
	}
	facts := []element{iana(144, 4), iana(160, 8), iana(36, 2), iana(37, 2), iana(40, 8), iana(41, 8), iana(42, 8)}
	send(10, 7, optionsOf(10, 403, 1, facts...), set16(403, be(facts, 1, 1_700_000_000_000, 60, 15, 1000, 10, 100)...))
	if got, want := m.System(), (System{Booted: 1_700_000_000_000, ActiveTimeoutS: 60, IdleTimeoutS: 15, Octets: 1000, Messages: 10, Records: 100}); got != want {
		t.Errorf("system %+v", got)
	}
	if len(m.Interfaces()) != 3 || len(m.VRFs()) != 1 || len(m.Applications()) != 0 {
		t.Error(m.Interfaces(), m.VRFs())
	}
}

// The names of all exporters together stay within the bound, and go with the
// exporters.
func TestMetadataBounds(t *testing.T) {
	state := New(Options{NameBytes: 100 * (nameCost + 8)})
	d := state.Decoder()
	b := flow.Table.NewBatch(10)
	names := []element{iana(10, 4), iana(82, 8)}
	for i := range uint32(50) {
		from := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}), 1)
		var body []byte
		for j := range uint64(20) {
			body = append(body, binary.BigEndian.AppendUint32(nil, uint32(j))...)
			body = append(body, fmt.Sprintf("eth%05d", j)...)
		}
		m := datagram{version: 10, body: slices.Concat(optionsOf(10, 400, 1, names...), set16(400, body...))}
		d.Decode(&source.Datagram{Payload: m.bytes(), Exporter: from, Received: arrival}, into(b, b.Reset))
	}
	size, entries := 0, 0
	for _, m := range state.metadata {
		size += m.size
		entries += len(m.interfaces)
	}
	if size != state.names || size > state.options.NameBytes || entries != 100 {
		t.Errorf("%d bytes, %d counted, bound %d; %d entries", size, state.names, state.options.NameBytes, entries)
	}
	if n := refused(state, TooManyNames); n != 45 {
		t.Error(n, " refused")
	}
	state.mu.Lock()
	for _, x := range state.exporters {
		for _, dom := range x.domains {
			for _, ses := range slices.Clone(dom.sessions) {
				state.evictLocked(ses)
			}
		}
	}
	if state.names != 0 || len(state.metadata) != 0 {
		t.Error(state.names, " bytes of names of nobody")
	}
	state.mu.Unlock()
}
