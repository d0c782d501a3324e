package netflow

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"netmeta/column"
	"netmeta/flow"
	"netmeta/internal/wholefile"
	"netmeta/source"
)

// taught is a state that knows templates, sampling rates and names of an exporter.
func taught(t testing.TB) *State {
	state := New(Options{})
	d := state.Decoder()
	b := flow.Table.NewBatch(100)
	sampler := []element{iana(1, 4), iana(48, 1), iana(50, 4)}
	names := []element{iana(10, 4), iana(82, 8), iana(83, 8)}
	apps := []element{iana(1, 4), iana(95, 4), iana(96, 8), iana(372, 4), iana(373, 4), iana(374, 4)}
	vrfs := []element{iana(234, 4), iana(236, 8)}
	flows := []element{iana(1, 4), iana(48, 1), iana(95, 4)}
	datagram{version: 9, domain: 3, body: slices.Concat(
		optionsOf(9, 400, 1, sampler...), set16(400, be(sampler, 0, 1, 512)...),
		optionsOf(9, 401, 1, apps...), set16(401, append(be(apps[:2], 0, 3<<24|53), "dns\x00\x00\x00\x00\x00nameudp dns "...)...),
		templateOf(9, 300, flows...), set16(300, be(flows, 1, 1, 0)...))}.decode(d, b)
	datagram{version: 10, body: slices.Concat(
		optionsOf(10, 400, 1, names...), set16(400, slices.Concat(be(names[:1], 7), padded("eth7", 8), padded("uplink", 8))...),
		optionsOf(10, 401, 1, vrfs...), set16(401, append(be(vrfs[:1], 9), padded("blue", 8)...)...))}.decode(d, b)
	return state
}

func saved(t testing.TB, s *State) []byte {
	t.Helper()
	var file bytes.Buffer
	if err := s.Save(&file); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// TestRestart: after a restart data are decoded without another template.
func TestRestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "templates")
	old := taught(t)
	if err := old.SaveFile(path); err != nil {
		t.Fatal(err)
	}
	changes := old.Changes()
	if err := old.SaveFile(path); err != nil || old.Changes() != changes {
		t.Error("again: ", err)
	}

	reported := ""
	state := New(Options{Names: func(exporter column.Addr, index uint32, x source.Interface) {
		reported += fmt.Sprintln(exporter.IP(), index, x.Name, x.Description)
	}})
	if err := state.LoadFile(path); err != nil {
		t.Fatal(err)
	}
	d := state.Decoder()
	b := flow.Table.NewBatch(100)
	flows := []element{iana(1, 4), iana(48, 1), iana(95, 4)}
	datagram{version: 9, domain: 3, body: set16(300, be(flows, 1500, 1, 3<<24|53)...)}.decode(d, b)
	// The exporter has restarted too and comes from another port.
	datagram{version: 9, domain: 3, port: 999, body: set16(300, be(flows, 1501, 1, 3<<24|53)...)}.decode(d, b)
	if got := values(b, flow.Bytes); !slices.Equal(got, []uint64{1500, 1501}) {
		t.Fatal("decoded ", got)
	}
	if got := rates(b); got != "512 options, 512 options" {
		t.Error(got)
	}
	if a := flow.ApplicationName.At(b, 0).String(); a != "dns" {
		t.Errorf("application %q", a)
	}
	m := state.Metadata(router.Addr())
	if x := m.application(3<<56 | 53); x.Category.String() != "name" || x.SubCategory.String() != "udp " || x.Group.String() != "dns " {
		t.Error(x)
	}
	if x := m.Interface(7); x.Name.String() != "eth7" || x.Description.String() != "uplink" || m.VRF(9).String() != "blue" {
		t.Error(x, m.VRFs())
	}
	if want := fmt.Sprintln(router.Addr(), 7, "eth7", "uplink"); reported != want {
		t.Errorf("reported %q, want %q", reported, want)
	}
	if state.held != old.held+1 || state.bytes != old.bytes || state.names != old.names {
		t.Error("accounts: ", state.held, old.held, state.bytes, old.bytes, state.names, old.names)
	}
	x, _ := state.options.Exporters.Of(router.Addr(), flow.TypeNetFlow9)
	if x.Templates.Load() != 3 || x.LastSeen.Load() != arrival.UnixNano() {
		t.Error(x.Templates.Load(), x.LastSeen.Load())
	}
	if len(wholefile.Asides(filepath.Dir(path))) > 0 {
		t.Error("a good file was set aside")
	}
	if files, _ := os.ReadDir(filepath.Dir(path)); len(files) != 1 {
		t.Error(len(files), " files")
	}
}

func TestLoadRefuses(t *testing.T) {
	good := saved(t, taught(t))
	content := len(savedMagic) + 12
	f := func(what string, file []byte, want string) {
		t.Helper()
		path := filepath.Join(t.TempDir(), "templates")
		if err := os.WriteFile(path, file, 0o600); err != nil {
			t.Fatal(err)
		}
		state := New(Options{})
		err := state.LoadFile(path)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), filepath.Base(path)+".damaged-") {
			t.Errorf("%s: %v", what, err)
		}
		if state.held != 0 || len(state.metadata) != 0 {
			t.Error(what, ": something was taken in")
		}
		asides := wholefile.Asides(filepath.Dir(path))
		if len(asides) != 1 || asides[0].Name != "templates" {
			t.Fatalf("%s: aside lie %v", what, asides)
		}
		if aside, err := os.ReadFile(filepath.Join(filepath.Dir(path), asides[0].File)); err != nil || !bytes.Equal(aside, file) {
			t.Error(what, ": not set aside: ", err)
		}
		if err := state.LoadFile(path); err != nil {
			t.Error(what, ": without the file: ", err)
		}
	}
	f("empty", nil, "header: EOF")
	f("short", good[:10], "header")
	f("another version", append([]byte("netmeta templates 2\n"), good[20:]...), "starts with")
	f("cut off", good[:len(good)-1], "ends after")
	flipped := slices.Clone(good)
	flipped[content+5] ^= 1
	f("a flipped bit", flipped, "checksum")
	huge := slices.Clone(good)
	binary.BigEndian.PutUint64(huge[len(savedMagic):], 1<<60)
	f("a length without end", huge, "length is")
	f("no JSON", sealed([]byte("{")), "JSON")

	// What cannot have been saved is left out.
	state := New(Options{})
	err := state.Load(bytes.NewReader(sealed([]byte(`{"sessions":[
		{"exporter":"192.0.2.1","version":9,"templates":[{"id":1,"fields":"AAEABA=="},{"id":300,"fields":"AAE="},{"id":301,"fields":"AAEAAA=="},
			{"id":302,"scopes":9,"options":true,"fields":"AAEABA=="},{"id":303,"fields":"AAEABA=="}]},
		{"exporter":"192.0.2.1","version":5},{"version":9},{"exporter":"","version":9}],
		"metadata":[{"exporter":"198.51.100.1","domain":"of nobody"}]}`))))
	if err != nil || state.held != 2 || len(state.metadata) != 0 {
		t.Error(err, state.held, state.metadata)
	}
}

// sealed is a file with the content.
func sealed(content []byte) []byte {
	p := binary.BigEndian.AppendUint64([]byte(savedMagic), uint64(len(content)))
	p = binary.BigEndian.AppendUint32(p, crc32.Checksum(content, castagnoli))
	return append(p, content...)
}

// What may be forged is not kept, and the limits hold for what is loaded.
func TestSaveBounds(t *testing.T) {
	state := taught(t)
	before := len(saved(t, state))
	d := state.Decoder()
	b := flow.Table.NewBatch(100)
	for i := range 500 {
		from := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 1)
		d.Decode(&source.Datagram{Payload: datagram{version: 10, body: templateOf(10, 300, bytesOnly...)}.bytes(), Exporter: from, Received: arrival}, into(b, b.Reset))
	}
	if after := len(saved(t, state)); after != before {
		t.Errorf("%d bytes, %d before the flood", after, before)
	}
	small := New(Options{Templates: 3, NameBytes: nameCost + 10})
	if err := small.Load(bytes.NewReader(saved(t, state))); err != nil || small.held > 3 || small.names > nameCost+10 {
		t.Error(err, small.held, small.names)
	}
}

// FuzzLoad: whatever the content of the file is, the accounts are right and data
// decode.
func FuzzLoad(f *testing.F) {
	f.Add(saved(f, taught(f))[len(savedMagic)+12:])
	f.Add([]byte(`{"sessions":[{"exporter":"192.0.2.1","version":10,"rates":{"1":2},"templates":[{"id":256,"fields":"AAEABA=="}]}]}`))
	f.Fuzz(func(t *testing.T, content []byte) {
		state := New(Options{ExporterTemplates: 20, Templates: 30, NameBytes: 1000})
		state.Load(bytes.NewReader(sealed(content)))
		if state.held > 30 || state.names > 1000 || state.names < 0 || state.bytes < 0 {
			t.Fatal(state.held, state.names, state.bytes)
		}
		d := state.Decoder()
		b := flow.Table.NewBatch(64)
		for _, version := range []uint16{9, 10} {
			for _, id := range []uint16{256, 300, 400} {
				datagram{version: version, domain: 3, body: set16(id, make([]byte, 40)...)}.decode(d, b)
			}
		}
	})
}
