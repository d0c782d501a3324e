package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
	"golang.org/x/sys/unix"
)

// namespace is a separate network. It lives as long as the thread that do runs on.
type namespace struct {
	path string // under /proc, for ip
	do   func(f func())
}

// newNamespace makes a namespace that ends with the test.
func newNamespace(t *testing.T) *namespace {
	t.Helper()
	calls, made := make(chan func()), make(chan error)
	n := &namespace{}
	go func() {
		runtime.LockOSThread() // for ever: the thread is of no use to others
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			made <- err
			return
		}
		n.path = fmt.Sprintf("/proc/%d/task/%d/ns/net", os.Getpid(), unix.Gettid())
		made <- nil
		for f := range calls {
			f()
		}
	}()
	if err := <-made; err != nil {
		lacking(t, "cannot make network namespaces: %v", err)
	}
	n.do = func(f func()) {
		done := make(chan struct{})
		calls <- func() { defer close(done); f() }
		<-done
	}
	t.Cleanup(func() { close(calls) })
	return n
}

// run runs a program inside.
func (n *namespace) run(t *testing.T, line string) string {
	t.Helper()
	var out []byte
	var err error
	words := strings.Fields(line)
	n.do(func() { out, err = exec.CommandContext(t.Context(), words[0], words[1:]...).CombinedOutput() })
	if err != nil {
		t.Fatalf("%s: %v: %s", line, err, out)
	}
	return string(out)
}

// need skips the test when a program is missing that `make test` installs.
func need(t *testing.T, programs ...string) {
	t.Helper()
	if os.Geteuid() != 0 {
		lacking(t, "needs root, for network namespaces")
	}
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			lacking(t, "needs %s: run test/install", p)
		}
	}
}

// A conversation is packets from one end to another.
type conversation struct {
	proto            uint8
	src, dst         netip.Addr
	srcPort, dstPort uint16 // of TCP and UDP
}

func (c conversation) String() string {
	return fmt.Sprintf("%d %s:%d > %s:%d", c.proto, c.src, c.srcPort, c.dst, c.dstPort)
}

type volume struct{ packets, bytes uint64 }

// wire counts the packets on an interface with a separate socket: the truth.
type wire struct {
	fd      int
	packets atomic.Uint64 // of any kind, so far

	mu   sync.Mutex
	seen map[conversation]volume
}

func watch(t *testing.T, n *namespace, device string) *wire {
	t.Helper()
	w := &wire{seen: map[conversation]volume{}}
	var err error
	n.do(func() { err = w.open(device) })
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	stop := atomic.Bool{}
	go func() {
		defer close(ended)
		b := make([]byte, 65536)
		for !stop.Load() {
			switch n, _, err := unix.Recvfrom(w.fd, b, 0); {
			case err == nil:
				w.count(b[:n])
			case !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.EINTR):
				return
			}
		}
	}()
	t.Cleanup(func() { stop.Store(true); <-ended; unix.Close(w.fd) })
	return w
}

func (w *wire) open(device string) (err error) {
	all := binary.NativeEndian.Uint16([]byte{0, unix.ETH_P_ALL})
	if w.fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, int(all)); err != nil {
		return err
	}
	ifi, err := net.InterfaceByName(device)
	if err != nil {
		return err
	}
	return errors.Join(
		unix.SetsockoptInt(w.fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 32<<20),
		unix.SetsockoptTimeval(w.fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Usec: 50_000}),
		unix.Bind(w.fd, &unix.SockaddrLinklayer{Protocol: all, Ifindex: ifi.Index}))
}

// count takes a packet from its IP header on. There are no extension headers here.
func (w *wire) count(p []byte) {
	defer w.packets.Add(1)
	var c conversation
	var length int
	var payload []byte
	switch {
	case len(p) >= 20 && p[0]>>4 == 4:
		length = int(binary.BigEndian.Uint16(p[2:]))
		c.proto, c.src, c.dst = p[9], netip.AddrFrom4([4]byte(p[12:16])), netip.AddrFrom4([4]byte(p[16:20]))
		payload = p[int(p[0]&15)*4:]
	case len(p) >= 40 && p[0]>>4 == 6:
		length = 40 + int(binary.BigEndian.Uint16(p[4:]))
		c.proto, c.src, c.dst = p[6], netip.AddrFrom16([16]byte(p[8:24])), netip.AddrFrom16([16]byte(p[24:40]))
		payload = p[40:]
	default:
		return // ARP
	}
	if (c.proto == unix.IPPROTO_TCP || c.proto == unix.IPPROTO_UDP) && len(payload) >= 4 {
		c.srcPort, c.dstPort = binary.BigEndian.Uint16(payload), binary.BigEndian.Uint16(payload[2:])
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	v := w.seen[c]
	w.seen[c] = volume{v.packets + 1, v.bytes + uint64(length)}
}

func (w *wire) of(c conversation) volume {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seen[c]
}

// lost is what the counting socket itself missed.
func (w *wire) lost(t *testing.T) uint32 {
	s, err := unix.GetsockoptTpacketStats(w.fd, unix.SOL_PACKET, unix.PACKET_STATISTICS)
	if err != nil {
		t.Fatal(err)
	}
	return s.Drops
}

// Traffic crosses a pair of interfaces, softflowd watches one of them and exports to a
// netmeta run in three ways at once, and what is stored is what was on the wire.
//
//	namespace A            namespace B
//	  a0 ────────────────────── b0
//	  sends, asks            │  answers
//	                         ├─ softflowd -v 5  ┐
//	                         ├─ softflowd -v 9  ├─► netmeta run on B's loopback
//	                         ├─ softflowd -v 10 ┘
//	                         └─ a socket that counts
func TestSoftflowd(t *testing.T) {
	need(t, "softflowd", "softflowctl", "ip", "ethtool")
	a, b := newNamespace(t), newNamespace(t)
	a.run(t, "ip link add a0 address 02:00:00:00:00:0a type veth peer name b0 address 02:00:00:00:00:0b")
	a.run(t, "ip link set b0 netns "+b.path)
	for _, end := range []struct {
		*namespace
		device, address4, address6, peer4, peer6, peerMAC string
	}{
		{a, "a0", "10.77.0.1/24", "fd00:77::1/64", "10.77.0.2", "fd00:77::2", "02:00:00:00:00:0b"},
		{b, "b0", "10.77.0.2/24", "fd00:77::2/64", "10.77.0.1", "fd00:77::1", "02:00:00:00:00:0a"},
	} {
		end.run(t, "ip link set lo up")
		end.run(t, "ip link set "+end.device+" up")
		end.run(t, "ip addr add "+end.address4+" dev "+end.device)
		end.run(t, "ip addr add "+end.address6+" dev "+end.device+" nodad")
		// Neighbours are static, so that no queries for them disturb a count, and nothing is merged or
		// offloaded to the device, so that a packet is a packet.
		end.run(t, "ip neigh replace "+end.peer4+" lladdr "+end.peerMAC+" dev "+end.device+" nud permanent")
		end.run(t, "ip neigh replace "+end.peer6+" lladdr "+end.peerMAC+" dev "+end.device+" nud permanent")
		end.run(t, "ethtool -K "+end.device+" tx off tso off gso off gro off")
	}
	p := startWith(t, t.TempDir(), func(c *exec.Cmd) (err error) {
		b.do(func() { err = c.Start() })
		return err
	})
	inside := func(query string) (string, error) {
		cmd := command(t, "sql", "--data", p.data, query)
		var text []byte
		var err error
		b.do(func() { text, err = cmd.CombinedOutput() })
		if err != nil {
			err = fmt.Errorf("%s: %w: %s", query, err, text)
		}
		return strings.TrimSpace(string(text)), err
	}
	waitFor(t, 20*time.Second, "tables", func() error {
		_, err := inside("SELECT 1 FROM flows LIMIT 0")
		return err
	})
	truth := watch(t, b, "b0")
	versions := map[string]string{"netflow5": "5", "netflow9": "9", "ipfix": "10"}
	var watchers []*softflowd
	for _, v := range versions {
		watchers = append(watchers, startSoftflowd(t, b, v, p.udp))
	}

	four := [2]netip.Addr{netip.MustParseAddr("10.77.0.1"), netip.MustParseAddr("10.77.0.2")}
	six := [2]netip.Addr{netip.MustParseAddr("fd00:77::1"), netip.MustParseAddr("fd00:77::2")}
	var want []conversation
	for _, ends := range [][2]netip.Addr{four, six} {
		want = append(want, datagrams(t, a, b, ends, 300, 1000))
		want = append(want, stream(t, a, b, ends, 2<<20, 100<<10)...)
		want = append(want, echoes(t, a, ends, 20, 56)...)
	}
	header := map[bool]uint64{true: 20, false: 40}
	for _, c := range want {
		var exact volume
		switch c.proto {
		case unix.IPPROTO_UDP:
			exact = volume{300, 300 * (header[c.src.Is4()] + 8 + 1000)}
		case unix.IPPROTO_ICMP, unix.IPPROTO_ICMPV6:
			exact = volume{20, 20 * (header[c.src.Is4()] + 8 + 56)}
		}
		waitFor(t, 5*time.Second, "packets counted", func() error {
			if v := truth.of(c); v.packets == 0 || exact.packets > 0 && v != exact {
				return fmt.Errorf("%v: %d on the wire, want %d", c, v, exact)
			}
			return nil
		})
	}
	if n := truth.lost(t); n > 0 {
		t.Fatalf("the counting socket lost %d packets", n)
	}

	// libpcap hands packets over by the block, so others must push the last ones out.
	before := truth.packets.Load()
	for _, s := range watchers {
		waitFor(t, 30*time.Second, "softflowd looking at every packet", func() error {
			if n := s.processed(t); n < before {
				datagrams(t, a, b, four, 500, 10)
				return fmt.Errorf("%d of %d packets", n, before)
			}
			return nil
		})
	}
	for _, s := range watchers {
		s.stop(t)
	}

	for flowType := range versions {
		var list []string
		for _, c := range want {
			if c.src.Is4() || flowType != "netflow5" { // which has no IPv6
				v := truth.of(c)
				list = append(list, fmt.Sprintf("%d\t%s\t%s\t%d\t%d\t%d\t%d", c.proto, c.src, c.dst, c.srcPort, c.dstPort, v.packets, v.bytes))
			}
		}
		slices.Sort(list)
		all := strings.Join(list, "\n")
		waitFor(t, 30*time.Second, flowType+" stored", func() error {
			got, err := inside(`SELECT Proto, replaceOne(toString(SrcAddr), '::ffff:', ''), replaceOne(toString(DstAddr), '::ffff:', ''),
				if(Proto IN (6, 17), SrcPort, 0) AS s, if(Proto IN (6, 17), DstPort, 0) AS d, sum(Packets), sum(Bytes)
				FROM flows WHERE FlowType = '` + flowType + `' AND d != 9 AND match(toString(SrcAddr), ':(10.77|:[12]$)') GROUP BY ALL`)
			if err != nil {
				return err
			}
			rows := strings.Split(got, "\n")
			slices.Sort(rows)
			if got = strings.Join(rows, "\n"); got != all {
				return fmt.Errorf("stored:\n%s\non the wire:\n%s", got, all)
			}
			return nil
		})
	}
	if got, err := inside("SELECT countIf(SamplingRate != 1 OR ScaledBytes != Bytes OR FlowEnd < FlowStart OR abs(dateDiff('second', FlowEnd, now())) > 600) FROM flows"); err != nil || got != "0" {
		t.Errorf("%s rows with another sampling rate than 1 or with odd times: %v", got, err)
	}
}

// A softflowd is a running softflowd.
type softflowd struct {
	control string
	cmd     *exec.Cmd
}

func startSoftflowd(t *testing.T, n *namespace, version, to string) *softflowd {
	t.Helper()
	dir := t.TempDir()
	s := &softflowd{control: filepath.Join(dir, "ctl")}
	s.cmd = exec.CommandContext(t.Context(), "softflowd", "-d", "-i", "b0", "-v", version, "-n", to, "-p", filepath.Join(dir, "pid"), "-c", s.control)
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var err error
	n.do(func() { err = s.cmd.Start() })
	if err != nil {
		t.Fatal(err)
	}
	waitFor(t, 10*time.Second, "softflowd -v "+version, func() error {
		_, err := exec.CommandContext(t.Context(), "softflowctl", "-c", s.control, "statistics").Output()
		return err
	})
	return s
}

var packetsProcessed = regexp.MustCompile(`Packets processed: (\d+)`)

// processed is how many packets it has looked at.
func (s *softflowd) processed(t *testing.T) uint64 {
	out, err := exec.CommandContext(t.Context(), "softflowctl", "-c", s.control, "statistics").Output()
	m := packetsProcessed.FindSubmatch(out)
	if err != nil || m == nil {
		t.Fatalf("softflowctl statistics: %v: %s", err, out)
	}
	n, _ := strconv.ParseUint(string(m[1]), 10, 64)
	return n
}

// stop lets it export what it has. SIGTERM would throw that away.
func (s *softflowd) stop(t *testing.T) {
	if out, err := exec.CommandContext(t.Context(), "softflowctl", "-c", s.control, "shutdown").CombinedOutput(); err != nil {
		t.Fatalf("softflowctl shutdown: %v: %s", err, out)
	}
	s.cmd.Wait()
}

// datagrams sends n datagrams of so many octets to port 9 when they are few, which is
// filler, and to another when they count.
func datagrams(t *testing.T, a, b *namespace, ends [2]netip.Addr, n, size int) conversation {
	t.Helper()
	port := uint16(5001)
	if size < 100 {
		port = 9
	}
	var to net.PacketConn
	var from net.Conn
	var err, err2 error
	b.do(func() { to, err = net.ListenPacket("udp", netip.AddrPortFrom(ends[1], port).String()) })
	a.do(func() { from, err2 = net.Dial("udp", netip.AddrPortFrom(ends[1], port).String()) })
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	defer from.Close()
	payload := make([]byte, size)
	for range n {
		if _, err := from.Write(payload); err != nil {
			t.Fatal(err)
		}
		if _, _, err := to.ReadFrom(payload); err != nil { // one at a time: none is lost
			t.Fatal(err)
		}
	}
	local := from.LocalAddr().(*net.UDPAddr).AddrPort()
	return conversation{unix.IPPROTO_UDP, ends[0], ends[1], local.Port(), port}
}

// stream is a TCP connection with so many octets there and back.
func stream(t *testing.T, a, b *namespace, ends [2]netip.Addr, there, back int64) []conversation {
	t.Helper()
	var l net.Listener
	var c net.Conn
	var err error
	b.do(func() { l, err = net.Listen("tcp", netip.AddrPortFrom(ends[1], 5002).String()) })
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	answered := make(chan error, 1)
	go func() {
		s, err := l.Accept()
		if err == nil {
			_, err = io.CopyN(io.Discard, s, there)
			_, err2 := s.Write(make([]byte, back))
			err = errors.Join(err, err2, s.Close())
		}
		answered <- err
	}()
	a.do(func() { c, err = net.Dial("tcp", l.Addr().String()) })
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Write(make([]byte, there))
	got, err2 := io.Copy(io.Discard, c)
	if err := errors.Join(err, err2, <-answered, c.Close()); err != nil || got != back {
		t.Fatal(got, err)
	}
	port := c.LocalAddr().(*net.TCPAddr).AddrPort().Port()
	return []conversation{
		{unix.IPPROTO_TCP, ends[0], ends[1], port, 5002},
		{unix.IPPROTO_TCP, ends[1], ends[0], 5002, port},
	}
}

// echoes sends ICMP echo requests and waits for each reply.
func echoes(t *testing.T, a *namespace, ends [2]netip.Addr, n, size int) []conversation {
	t.Helper()
	network, proto, request := "ip4:icmp", uint8(unix.IPPROTO_ICMP), icmp.Type(ipv4.ICMPTypeEcho)
	if ends[0].Is6() {
		network, proto, request = "ip6:ipv6-icmp", unix.IPPROTO_ICMPV6, ipv6.ICMPTypeEchoRequest
	}
	var c net.Conn
	var err error
	a.do(func() { c, err = net.Dial(network, ends[1].String()) })
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(10 * time.Second))
	b := make([]byte, 1500)
	for seq := range n {
		m := icmp.Message{Type: request, Body: &icmp.Echo{ID: 77, Seq: seq, Data: make([]byte, size)}}
		text, err := m.Marshal(nil) // the kernel puts the checksum of ICMPv6 in
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Write(text); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Read(b); err != nil {
			t.Fatal(err)
		}
	}
	return []conversation{{proto: proto, src: ends[0], dst: ends[1]}, {proto: proto, src: ends[1], dst: ends[0]}}
}
