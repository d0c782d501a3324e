package udp

import (
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"netmeta/column"
	"netmeta/source"
)

// A seen is a datagram of a sender, with a number in it, and which worker decoded it.
type seen struct {
	from   netip.AddrPort
	number uint64
	worker int
}

// watch records what all workers of a listener decode, in order.
type watch struct {
	mu      sync.Mutex
	workers int
	list    []seen
	block   chan struct{} // when it is not nil, decoding waits for it
	of      netip.Addr    // whose datagrams wait; not valid: everybody's
}

type watcher struct {
	*watch
	worker int
}

func (w *watch) decoder() source.Decoder {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.workers++
	return watcher{w, w.workers - 1}
}

func (watcher) Mark() func()            { return nil }
func (watcher) Notes(func(source.Note)) {}

func (w watcher) Decode(d *source.Datagram, _ *source.Out) {
	if w.block != nil && d.Exporter.Addr() == w.of {
		<-w.block
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.list = append(w.list, seen{d.Exporter, binary.BigEndian.Uint64(d.Payload), w.worker})
}

func (w *watch) from(addr string) (list []seen) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.list {
		if s.from == netip.MustParseAddrPort(addr) {
			list = append(list, s)
		}
	}
	return list
}

// A speaker sends numbered datagrams from an address of its own.
type speaker struct {
	net.Conn
	next uint64
}

func speak(t *testing.T, from string, to netip.AddrPort) *speaker {
	t.Helper()
	d := net.Dialer{LocalAddr: net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(from), 0))}
	c, err := d.Dial("udp", to.String())
	if err != nil {
		t.Skipf("no address %s: %v", from, err)
	}
	t.Cleanup(func() { c.Close() })
	return &speaker{Conn: c}
}

func (s *speaker) send(t *testing.T, size int) {
	t.Helper()
	p := binary.BigEndian.AppendUint64(nil, s.next)
	s.next++
	if _, err := s.Write(append(p, make([]byte, size)...)); err != nil {
		t.Fatal(err)
	}
}

func listening(t *testing.T, addr string, c Options, w *watch) (*Listener, func()) {
	t.Helper()
	l, err := Listen(addr, c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Skip(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- l.Run(ctx, w.decoder, into(func(*column.Batch) {})) }()
	stop := sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return l, stop
}

// A source that is put aside comes to the last socket, in order, and the others stay
// where they are.
func TestAside(t *testing.T) {
	for _, c := range []struct {
		workers int
		spread  bool
		addr    string
		loud    string
		others  []string
	}{
		{1, false, "127.0.0.1:0", "127.0.3.1", []string{"127.0.3.2", "127.0.3.3"}},
		{2, false, "127.0.0.1:0", "127.0.3.1", []string{"127.0.3.2", "127.0.3.3", "127.0.3.4", "127.0.3.5"}},
		{3, false, ":0", "127.0.3.1", []string{"127.0.3.2", "127.0.3.3", "127.0.3.4", "::1"}},
		{2, false, ":0", "::1", []string{"127.0.3.2", "127.0.3.3"}},
		{2, true, "127.0.0.1:0", "127.0.3.1", []string{"127.0.3.2"}},
	} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			w := &watch{}
			l, stop := listening(t, c.addr, Options{Workers: c.workers, Spread: c.spread}, w)
			to := func(from string) netip.AddrPort {
				if netip.MustParseAddr(from).Is4() {
					return netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), l.Addr.Port())
				}
				return netip.AddrPortFrom(netip.IPv6Loopback(), l.Addr.Port())
			}
			loud := speak(t, c.loud, to(c.loud))
			var others []*speaker
			for _, from := range c.others {
				others = append(others, speak(t, from, to(from)))
			}
			const each = 2000
			aside := []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr(c.loud)}
			for i := range 2 * each {
				if i == each {
					if err := l.Aside(aside); err != nil {
						t.Fatal(err)
					}
				}
				loud.send(t, 10)
				if i%10 == 0 {
					for _, o := range others {
						o.send(t, 10)
					}
				}
			}
			stop() // what was received is decoded
			if n := len(l.All()); n != c.workers+1 {
				t.Fatalf("%d sockets", n)
			}
			last := w.workers - 1 // was started last
			list := w.from(loud.LocalAddr().String())
			if len(list) != 2*each {
				t.Errorf("%d datagrams of %d", len(list), 2*each)
			}
			for i, s := range list {
				if (i >= each) != (s.worker == last) {
					t.Fatalf("datagram %d was decoded by worker %d of %d", i, s.worker, w.workers)
				}
				if !c.spread && s.number != uint64(i) {
					t.Fatalf("datagram %d came as number %d", s.number, i)
				}
			}
			for _, o := range others {
				list := w.from(o.LocalAddr().String())
				if len(list) != 2*each/10 {
					t.Errorf("%d datagrams of %d", len(list), 2*each/10)
				}
				for i, s := range list {
					if s.worker == last || !c.spread && (s.worker != list[0].worker || s.number != uint64(i)) {
						t.Fatalf("datagram %d of %v was decoded as number %d, by worker %d and at first by %d", s.number, s.from, i, s.worker, list[0].worker)
					}
				}
			}
		})
	}
}

// A source aside fills its own buffer, and no other loses a datagram by it.
func TestAsideFillsItsOwnBuffer(t *testing.T) {
	loudAddr := netip.MustParseAddr("127.0.3.1")
	w := &watch{block: make(chan struct{}), of: loudAddr}
	l, stop := listening(t, "127.0.0.1:0", Options{Workers: 1, Buffer: 64 << 10}, w)
	if err := l.Aside([]netip.Addr{loudAddr}); err != nil {
		t.Fatal(err)
	}
	loud, quiet := speak(t, loudAddr.String(), l.Addr), speak(t, "127.0.3.2", l.Addr)
	const each = 500
	for i := range each {
		for range 4 {
			loud.send(t, 1400)
		}
		quiet.send(t, 100)
		for len(w.from(quiet.LocalAddr().String())) <= i { // it comes through meanwhile
			time.Sleep(10 * time.Microsecond)
		}
	}
	close(w.block)
	stop()
	if n := len(w.from(quiet.LocalAddr().String())); n != each {
		t.Errorf("%d datagrams of the quiet source, sent %d", n, each)
	}
	all := l.All()
	if d := all[0].Counts().Dropped; d != 0 {
		t.Errorf("%d dropped at the common socket", d)
	}
	got, dropped := len(w.from(loud.LocalAddr().String())), all[1].Counts().Dropped
	if dropped == 0 || uint64(got)+dropped != 4*each {
		t.Errorf("of the loud source %d came and %d were dropped, sent %d", got, dropped, 4*each)
	}
}

// The program holds as many sources as it may, of either family.
func TestAsideIsBounded(t *testing.T) {
	l, _ := listening(t, "127.0.0.1:0", Options{Workers: 2}, &watch{})
	var many []netip.Addr
	a, b := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")
	for range MaxAside {
		many = append(many, b)
		b = b.Next()
	}
	for range MaxAside {
		many = append(many, a)
		a = a.Next()
	}
	slices.Reverse(many[:10])
	for _, list := range [][]netip.Addr{many, many[MaxAside:], many[:1], nil} {
		if err := l.Aside(list); err != nil {
			t.Fatal(err)
		}
	}
}
