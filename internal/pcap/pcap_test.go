package pcap

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

var (
	start = time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.UTC)
	src4  = netip.MustParseAddrPort("192.0.2.1:40000")
	dst4  = netip.MustParseAddrPort("198.51.100.2:2055")
	src6  = netip.MustParseAddrPort("[2001:db8::1]:40001")
	dst6  = netip.MustParseAddrPort("[2001:db8::2]:4739")
)

// file writes a classic capture by hand, so that every byte order and resolution can be had.
func file(order binary.AppendByteOrder, nanos bool, link LinkType, frames ...[]byte) []byte {
	magic, unit := uint32(0xa1b2c3d4), 1000
	if nanos {
		magic, unit = 0xa1b23c4d, 1
	}
	b := order.AppendUint32(nil, magic)
	b = order.AppendUint16(b, 2)
	b = order.AppendUint16(b, 4)
	b = append(b, make([]byte, 8)...)
	b = order.AppendUint32(b, 262144)
	b = order.AppendUint32(b, uint32(link))
	for _, f := range frames {
		b = order.AppendUint32(b, uint32(start.Unix()))
		b = order.AppendUint32(b, uint32(start.Nanosecond()/unit))
		b = order.AppendUint32(b, uint32(len(f)))
		b = order.AppendUint32(b, uint32(len(f)))
		b = append(b, f...)
	}
	return b
}

// frame is the Ethernet frame that Writer makes of a datagram.
func frame(t testing.TB, src, dst netip.AddrPort, payload []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := NewWriter(&b)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.WriteUDP(Datagram{Time: start, Src: src, Dst: dst, Payload: payload}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()[24+16:]
}

// text reads a capture and says what is in it, a line per datagram and per reason.
func text(t testing.TB, capture []byte) string {
	t.Helper()
	r, err := NewReader(bytes.NewReader(capture))
	if err != nil {
		return err.Error()
	}
	var b strings.Builder
	for {
		d, err := r.NextUDP()
		if err == io.EOF {
			break
		}
		if err != nil {
			fmt.Fprintln(&b, err)
			break
		}
		payload := string(d.Payload)
		if len(payload) > 16 {
			payload = fmt.Sprintf("%d bytes", len(payload))
		}
		fmt.Fprintf(&b, "%v > %v %s", d.Src, d.Dst, payload)
		if d.Truncated {
			b.WriteString(" truncated")
		}
		b.WriteByte('\n')
	}
	for _, s := range r.Skipped() {
		fmt.Fprintf(&b, "%d × %s\n", s.Count, s.Reason)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func TestFormats(t *testing.T) {
	one := frame(t, src4, dst4, []byte("hello"))
	const want = "192.0.2.1:40000 > 198.51.100.2:2055 hello"
	f := func(name string, capture []byte, resolution time.Duration) {
		t.Helper()
		if got := text(t, capture); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
		r, err := NewReader(bytes.NewReader(capture))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if d, _ := r.NextUDP(); !d.Time.Equal(start.Truncate(resolution)) {
			t.Errorf("%s: time %v, want %v", name, d.Time, start.Truncate(resolution))
		}
	}
	zip := func(b []byte) []byte {
		var z bytes.Buffer
		w := gzip.NewWriter(&z)
		w.Write(b)
		w.Close()
		return z.Bytes()
	}
	ng := func() []byte {
		var b bytes.Buffer
		w, err := pcapgo.NewNgWriter(&b, layers.LinkTypeEthernet)
		if err != nil {
			t.Fatal(err)
		}
		w.WritePacket(gopacket.CaptureInfo{Timestamp: start, CaptureLength: len(one), Length: len(one)}, one)
		w.Flush()
		return b.Bytes()
	}()
	f("little endian, µs", file(binary.LittleEndian, false, LinkEthernet, one), time.Microsecond)
	f("little endian, ns", file(binary.LittleEndian, true, LinkEthernet, one), time.Nanosecond)
	f("big endian, µs", file(binary.BigEndian, false, LinkEthernet, one), time.Microsecond)
	f("big endian, ns", file(binary.BigEndian, true, LinkEthernet, one), time.Nanosecond)
	f("gzip", zip(file(binary.LittleEndian, true, LinkEthernet, one)), time.Nanosecond)
	f("pcapng", ng, time.Nanosecond)
	f("pcapng, gzip", zip(ng), time.Nanosecond)
}

// Two interfaces of one pcapng file may have different link types.
func TestMixedLinkTypes(t *testing.T) {
	var b bytes.Buffer
	w, err := pcapgo.NewNgWriter(&b, layers.LinkTypeEthernet)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := w.AddInterface(pcapgo.NgInterface{Name: "tun0", LinkType: layers.LinkTypeRaw})
	if err != nil {
		t.Fatal(err)
	}
	one, two := frame(t, src4, dst4, []byte("ether")), frame(t, src6, dst6, []byte("raw"))[14:]
	w.WritePacket(gopacket.CaptureInfo{Timestamp: start, CaptureLength: len(one), Length: len(one)}, one)
	w.WritePacket(gopacket.CaptureInfo{Timestamp: start, CaptureLength: len(two), Length: len(two), InterfaceIndex: raw}, two)
	w.Flush()
	want := "192.0.2.1:40000 > 198.51.100.2:2055 ether\n[2001:db8::1]:40001 > [2001:db8::2]:4739 raw"
	if got := text(t, b.Bytes()); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestNotACapture(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		if got := text(t, []byte(in)); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
	f("", "not a capture file: fewer than 4 bytes")
	f("abc", "not a capture file: fewer than 4 bytes")
	f("# a text file", "not a capture file: begins with 23 20 61 20; use pcap or pcapng, optionally compressed with gzip")
	f("\x1f\x8bnot gzip…", "gzip: gzip: invalid header")
	f("\xd4\xc3\xb2\xa1", "pcap header: unexpected EOF")
	if _, err := Open(filepath.Join(t.TempDir(), "none.pcap")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Open of a file that is not there: %v", err)
	}
}

func TestLinkTypes(t *testing.T) {
	ether4, ether6 := frame(t, src4, dst4, []byte("four")), frame(t, src6, dst6, []byte("six"))
	ip4, ip6 := ether4[14:], ether6[14:]
	const (
		four = "192.0.2.1:40000 > 198.51.100.2:2055 four"
		six  = "[2001:db8::1]:40001 > [2001:db8::2]:4739 six"
	)
	f := func(name string, link LinkType, want string, parts ...any) {
		t.Helper()
		var b []byte
		for _, p := range parts {
			switch p := p.(type) {
			case []byte:
				b = append(b, p...)
			case string:
				var hex []byte
				if _, err := fmt.Sscanf(strings.ReplaceAll(p, " ", ""), "%x", &hex); err != nil {
					t.Fatal(err)
				}
				b = append(b, hex...)
			}
		}
		if got := text(t, file(binary.LittleEndian, true, link, b)); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	f("Ethernet", LinkEthernet, four, ether4)
	f("Ethernet, IPv6", LinkEthernet, six, ether6)
	f("Ethernet, padding", LinkEthernet, four, ether4, "000000000000")
	f("802.1Q", LinkEthernet, four, ether4[:12], "8100 0064 0800", ip4)
	f("802.1ad", LinkEthernet, six, ether4[:12], "88a8 0064 8100 00c8 86dd", ip6)
	f("SLL", LinkLinuxSLL, four, "0000 0001 0006 020000000001 0000 0800", ip4)
	f("SLL, tagged", LinkLinuxSLL, four, "0000 0001 0006 020000000001 0000 8100 0064 0800", ip4)
	f("SLL2", LinkLinuxSLL2, six, "86dd 0000 00000002 0001 00 06 0200000000010000", ip6)
	f("null, little endian", LinkNull, four, "02000000", ip4)
	f("null, big endian", LinkNull, six, "0000001c", ip6)
	f("loop", LinkLoop, six, "00000018", ip6)
	f("raw", LinkRaw, four, ip4)
	f("raw, IPv6", LinkRaw, six, ip6)
	f("raw, OpenBSD", LinkRawBSD, four, ip4)
	f("IPv4", LinkIPv4, four, ip4)
	f("IPv6", LinkIPv6, six, ip6)
	f("IEEE 802.11", LinkType(105), "1 × link type not supported", ether4)
	f("ARP", LinkEthernet, "1 × not IP", ether4[:12], "0806 0001")
	f("null, AppleTalk", LinkNull, "1 × not IP", "10000000", ip4)
	f("short Ethernet", LinkEthernet, "1 × frame cut before the end of the UDP header", ether4[:10])
	f("nothing", LinkRaw, "1 × frame cut before the end of the UDP header")
	f("version 5", LinkRaw, "1 × malformed IP header", "50", ip4[1:])
	f("header of 16 bytes", LinkRaw, "1 × malformed IP header", "44", ip4[1:])
	f("too many tags", LinkEthernet, "1 × not IP", ether4[:12], strings.Repeat("8100 0001", 9), "0800", ip4)
}

func TestIPv6Extensions(t *testing.T) {
	ip6 := frame(t, src6, dst6, []byte("six"))[14:]
	const six = "[2001:db8::1]:40001 > [2001:db8::2]:4739 six"
	f := func(name, want string, first byte, extensions string) {
		t.Helper()
		var ext []byte
		fmt.Sscanf(strings.ReplaceAll(extensions, " ", ""), "%x", &ext)
		b := append(append(bytes.Clone(ip6[:40]), ext...), ip6[40:]...)
		binary.BigEndian.PutUint16(b[4:], uint16(len(b)-40))
		b[6] = first
		if got := text(t, file(binary.BigEndian, true, LinkRaw, b)); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	f("hop by hop", six, protoHopByHop, "11 00 050200000100")
	f("two", six, protoHopByHop, "3c 00 050200000100  11 01 0000000000000000000000000000")
	f("routing", six, protoRouting, "11 02 0401 00000000 20010db8000000000000000000000003")
	f("authentication", six, protoAH, "11 04 0000 00000001 00000001 000000000000000000000000")
	f("atomic fragment", six, protoFragment, "11 00 0000 00000001")
	f("no next header", "1 × not UDP", 59, "")
	f("longer than the packet", "1 × malformed IP header", protoDstOpts, "11 ff 0000 00000000")
	f("endless", "1 × malformed IP header", protoDstOpts, strings.Repeat("3c 00 0104 00000000", maxExtensions+1))
}

func TestTruncated(t *testing.T) {
	whole := frame(t, src4, dst4, []byte("0123456789"))
	f := func(captured int, want string) {
		t.Helper()
		b := file(binary.LittleEndian, true, LinkEthernet, whole[:captured])
		binary.LittleEndian.PutUint32(b[24+12:], uint32(len(whole)))
		if got := text(t, b); got != want {
			t.Errorf("%d bytes: got %q, want %q", captured, got, want)
		}
	}
	f(len(whole), "192.0.2.1:40000 > 198.51.100.2:2055 0123456789")
	f(len(whole)-3, "192.0.2.1:40000 > 198.51.100.2:2055 0123456 truncated")
	f(42, "192.0.2.1:40000 > 198.51.100.2:2055  truncated")
	f(41, "1 × frame cut before the end of the UDP header")
	f(30, "1 × frame cut before the end of the UDP header")

	// A capture that was interrupted ends anywhere. What was whole is there, and the rest is counted.
	b := file(binary.LittleEndian, true, LinkEthernet, whole, whole)
	record := 16 + len(whole)
	for n := 24 + record; n < len(b); n++ {
		want := "192.0.2.1:40000 > 198.51.100.2:2055 0123456789"
		if n > 24+record {
			want += "\n1 × file ends within a packet"
		}
		if got := text(t, b[:n]); got != want {
			t.Fatalf("first %d bytes of the file: got %q, want %q", n, got, want)
		}
	}
}

// pieces cuts the IP payload of an Ethernet frame with IPv4 or IPv6 into fragments.
func pieces(whole []byte, id uint16, size int) [][]byte {
	v4 := whole[12] == 0x08
	header := etherSize + ipv6Size
	if v4 {
		header = etherSize + ipv4Size
	}
	var out [][]byte
	for offset := 0; offset < len(whole)-header; offset += size {
		end := min(offset+size, len(whole)-header)
		more := end < len(whole)-header
		f := bytes.Clone(whole[:header])
		ip := f[etherSize:]
		if v4 {
			binary.BigEndian.PutUint16(ip[4:], id)
			flags := uint16(offset / 8)
			if more {
				flags |= 0x2000
			}
			binary.BigEndian.PutUint16(ip[6:], flags)
			binary.BigEndian.PutUint16(ip[2:], uint16(ipv4Size+end-offset))
		} else {
			ip[6] = protoFragment
			binary.BigEndian.PutUint16(ip[4:], uint16(8+end-offset))
			at := uint16(offset)
			if more {
				at |= 1
			}
			f = append(f, protoUDP, 0)
			f = binary.BigEndian.AppendUint16(f, at)
			f = binary.BigEndian.AppendUint32(f, uint32(id))
		}
		out = append(out, append(f, whole[header+offset:header+end]...))
	}
	return out
}

func TestFragments(t *testing.T) {
	payload := make([]byte, 4000)
	for i := range payload {
		payload[i] = byte(i)
	}
	for _, whole := range [][]byte{frame(t, src4, dst4, payload), frame(t, src6, dst6, payload)} {
		a, b := pieces(whole, 7, 1480), pieces(whole, 8, 1480)
		want := "192.0.2.1:40000 > 198.51.100.2:2055 4000 bytes"
		if whole[12] == 0x86 {
			want = "[2001:db8::1]:40001 > [2001:db8::2]:4739 4000 bytes"
		}
		f := func(name, want string, frames ...[]byte) {
			t.Helper()
			if got := text(t, file(binary.LittleEndian, true, LinkEthernet, frames...)); got != want {
				t.Errorf("%s: got %q, want %q", name, got, want)
			}
		}
		f("in order", want, a...)
		f("backwards", want, a[2], a[1], a[0])
		f("two mixed", want+"\n"+want, a[0], b[2], b[0], a[1], b[1], a[2])
		f("duplicate", want, a[0], a[0], a[1], a[2])
		f("one missing", "1 × datagram with missing fragments", a[0], a[2])
		overlap := pieces(whole, 7, 1600)
		f("overlap", "1 × malformed or overlapping fragment\n1 × datagram with missing fragments", a[0], a[1], overlap[1], a[2])
		var flood [][]byte
		for id := range maxPending + 3 {
			flood = append(flood, pieces(whole, uint16(id), 1480)[0])
		}
		f("flood", fmt.Sprintf("%d × datagram with missing fragments\n3 × datagram dropped: too many with missing fragments", maxPending), flood...)
	}
	r, err := NewReader(bytes.NewReader(file(binary.LittleEndian, true, LinkEthernet, pieces(frame(t, src4, dst4, payload), 1, 1480)...)))
	if err != nil {
		t.Fatal(err)
	}
	d, err := r.NextUDP()
	if err != nil || !bytes.Equal(d.Payload, payload) {
		t.Errorf("payload differs after reassembly (%v)", err)
	}
}

func TestFragmentsExpire(t *testing.T) {
	var a reassembler
	key := fragmentKey{src: src4.Addr(), dst: dst4.Addr(), id: 1, proto: protoUDP}
	if whole, _ := a.add(start, key, make([]byte, 8), 0, true); whole != nil {
		t.Fatal("whole after one fragment")
	}
	other := key
	other.id = 2
	_, lost := a.add(start.Add(fragmentWait+1), other, make([]byte, 8), 0, true)
	if lost[0] != reasonFragmentLost {
		t.Errorf("lost %v, want the first datagram to have expired", lost)
	}
	if n := a.clear(); n != 1 {
		t.Errorf("%d datagrams wait, want 1", n)
	}
}

// The checksums are compared with those of an independent implementation.
func TestWriterChecksums(t *testing.T) {
	for _, ends := range [][2]netip.AddrPort{{src4, dst4}, {src6, dst6}} {
		for n := range 40 {
			payload := bytes.Repeat([]byte{0xa5, 0x01, 0xff}, n)[:n]
			got := frame(t, ends[0], ends[1], payload)
			p := gopacket.NewPacket(got, layers.LayerTypeEthernet, gopacket.Default)
			if err := p.ErrorLayer(); err != nil {
				t.Fatal(err.Error())
			}
			buf := gopacket.NewSerializeBuffer()
			for _, l := range p.Layers() {
				if udp, ok := l.(*layers.UDP); ok {
					udp.SetNetworkLayerForChecksum(p.NetworkLayer())
				}
			}
			err := gopacket.SerializePacket(buf, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, p)
			if err != nil {
				t.Fatal(err)
			}
			if want := buf.Bytes()[:len(got)]; !bytes.Equal(got, want) {
				t.Errorf("%v, %d bytes:\ngot  %x\nwant %x", ends[0], n, got, want)
			}
		}
	}
	w, err := NewWriter(io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.WriteUDP(Datagram{Src: src4, Dst: dst6}); err == nil {
		t.Error("no error for addresses of two families")
	}
	if err := w.WriteUDP(Datagram{Src: src4, Dst: dst4, Payload: make([]byte, 65508)}); err == nil {
		t.Error("no error for a payload that no datagram holds")
	}
}

// Every capture of flow data that is at hand opens and has a datagram for each packet. The table of the corpus
// has the number.
func TestCorpus(t *testing.T) {
	root := filepath.Join("..", "..", "..", "shared", "corpus")
	manifest, err := os.ReadFile(filepath.Join(root, "MANIFEST.md"))
	if err != nil {
		t.Skip("no corpus here")
	}
	want := make(map[string]string) // by path below the corpus
	for line := range strings.Lines(string(manifest)) {
		cells := strings.Split(line, "|")
		if len(cells) <= 7 {
			continue
		}
		packets := strings.TrimSpace(cells[7])
		if _, err := strconv.Atoi(packets); err == nil { // else a cell before it has a bar in its text
			want[strings.TrimPrefix(strings.Trim(cells[1], " `"), "visible/")] = packets
		}
	}
	checked := 0
	err = filepath.WalkDir(root, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() || !strings.Contains(filepath.Ext(path), ".pcap") {
			return err
		}
		r, err := Open(path)
		if err != nil {
			t.Error(err)
			return nil
		}
		defer r.Close()
		n := 0
		for {
			_, err := r.NextUDP()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Errorf("%s: %v", path, err)
				break
			}
			n++
		}
		name, _ := filepath.Rel(root, path)
		if w, ok := want[filepath.ToSlash(name)]; ok && !strings.HasPrefix(name, "mirror") {
			checked++
			if got := fmt.Sprint(n); got != w {
				t.Errorf("%s: %s datagrams, want %s; skipped %v", name, got, w, r.Skipped())
			}
		} else {
			t.Logf("%s: %d datagrams, skipped %v", name, n, r.Skipped())
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if checked == 0 {
		t.Error("nothing of the corpus was compared with its table")
	}
}

func FuzzReader(f *testing.F) {
	payload := make([]byte, 3000)
	f.Add(file(binary.LittleEndian, false, LinkEthernet, frame(f, src4, dst4, []byte("a")), frame(f, src6, dst6, nil)))
	f.Add(file(binary.BigEndian, true, LinkEthernet, pieces(frame(f, src4, dst4, payload), 1, 1480)...))
	f.Add(file(binary.BigEndian, true, LinkRaw, frame(f, src6, dst6, payload)[14:]))
	var b bytes.Buffer
	one := frame(f, src4, dst4, []byte("a"))
	w, err := pcapgo.NewNgWriter(&b, layers.LinkTypeEthernet)
	if err != nil {
		f.Fatal(err)
	}
	w.WritePacket(gopacket.CaptureInfo{Timestamp: start, CaptureLength: len(one), Length: len(one)}, one)
	w.Flush()
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, capture []byte) {
		r, err := NewReader(bytes.NewReader(capture))
		if err != nil {
			return
		}
		for {
			d, err := r.NextUDP()
			if err != nil {
				break
			}
			if len(d.Payload) > maxDatagram && !d.Truncated && len(d.Payload) > len(capture) {
				t.Fatalf("payload of %d bytes out of a capture of %d", len(d.Payload), len(capture))
			}
			if !d.Src.IsValid() || !d.Dst.IsValid() {
				t.Fatalf("addresses %v and %v", d.Src, d.Dst)
			}
		}
		r.Skipped()
	})
}

// FuzzFrame reaches the headers without a mutated file header in the way.
func FuzzFrame(f *testing.F) {
	f.Add(uint16(LinkEthernet), frame(f, src4, dst4, []byte("a")), 0)
	f.Add(uint16(LinkRaw), frame(f, src6, dst6, []byte("a"))[14:], 3)
	f.Add(uint16(LinkLinuxSLL2), make([]byte, 60), 0)
	f.Fuzz(func(t *testing.T, link uint16, data []byte, missing int) {
		var r Reader
		fr := Frame{Time: start, LinkType: LinkType(link), Data: data, Length: len(data) + max(0, missing%9000)}
		d, ok := r.datagram(fr)
		if ok && len(d.Payload) > len(data) {
			t.Fatalf("payload of %d bytes out of a frame of %d", len(d.Payload), len(data))
		}
		n := r.frags.clear()
		for _, s := range r.Skipped() {
			n += s.Count
		}
		if !ok && n != 1 {
			t.Fatalf("frame neither gave a datagram nor was counted once but %d times", n)
		}
	})
}

func BenchmarkNextUDP(b *testing.B) {
	capture := file(binary.LittleEndian, true, LinkEthernet, frame(b, src4, dst4, make([]byte, 1400)))
	header, record := capture[:24], capture[24:]
	var all []byte
	for range 1000 {
		all = append(all, record...)
	}
	b.SetBytes(int64(len(record)))
	b.ReportAllocs()
	for n := 0; n < b.N; {
		r, err := NewReader(io.MultiReader(bytes.NewReader(header), bytes.NewReader(all)))
		if err != nil {
			b.Fatal(err)
		}
		for n < b.N {
			if _, err := r.NextUDP(); err != nil {
				break
			}
			n++
		}
	}
}

// FuzzPeer compares with gopacket: wherever it finds a UDP datagram in a frame, whole and
// in one piece, we find the same one.
func FuzzPeer(f *testing.F) {
	f.Add(frame(f, src4, dst4, []byte("a")))
	f.Add(frame(f, src6, dst6, []byte("hello")))
	tagged := frame(f, src4, dst4, []byte("tagged"))
	f.Add(slices.Concat(tagged[:12], []byte{0x81, 0, 0, 7}, tagged[12:], make([]byte, 9))) // and padded
	f.Fuzz(func(t *testing.T, data []byte) {
		p := gopacket.NewPacket(data, layers.LayerTypeEthernet, gopacket.NoCopy)
		var src, dst netip.Addr
		var want *layers.UDP
		tags := 0
		for _, l := range p.Layers() {
			switch l := l.(type) {
			case *layers.Ethernet:
			case *layers.Dot1Q:
				if tags++; tags >= maxTags {
					return
				}
			case *layers.IPv4:
				if src.IsValid() || l.FragOffset != 0 || l.Flags&layers.IPv4MoreFragments != 0 || l.Version != 4 {
					return
				}
				src, dst = netip.AddrFrom4([4]byte(l.SrcIP)), netip.AddrFrom4([4]byte(l.DstIP))
			case *layers.IPv6:
				if src.IsValid() || l.Version != 6 {
					return
				}
				src, dst = netip.AddrFrom16([16]byte(l.SrcIP)), netip.AddrFrom16([16]byte(l.DstIP))
			case *layers.UDP:
				want = l
			default:
				if want == nil {
					return // extension headers, other tags
				}
			}
			if want != nil {
				break
			}
		}
		if want == nil || want.Length < 8 || p.Metadata().Truncated {
			return
		}
		var r Reader
		d, ok := r.datagram(Frame{Time: start, LinkType: LinkEthernet, Data: data, Length: len(data)})
		if !ok {
			t.Fatalf("skipped %v, gopacket has %v", r.Skipped(), p)
		}
		if d.Src != netip.AddrPortFrom(src, uint16(want.SrcPort)) || d.Dst != netip.AddrPortFrom(dst, uint16(want.DstPort)) || !bytes.Equal(d.Payload, want.Payload) || d.Truncated {
			t.Fatalf("%v > %v %x, gopacket has %v", d.Src, d.Dst, d.Payload, p)
		}
	})
}
