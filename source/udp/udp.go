// Package udp holds the sockets that datagram sources share: several sockets on one port (SO_REUSEPORT), each
// read in batches by one goroutine, with kernel timestamps and a count of datagrams that the kernel dropped
// because we were too slow.
package udp

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"netmeta/source"
)

// restMost is the maximum rest of a worker; see rest.
const restMost = 20 * time.Millisecond

// Options say how to listen on ports.
type Options struct {
	Name    func(addr string) string // protocol that is expected on a port, for people; may be nil
	Workers int                      // sockets of each port, and goroutines that read them; 0: one

	// Buffer is the receive buffer of each socket in bytes, requested with SO_RCVBUFFORCE, which needs
	// CAP_NET_ADMIN. Without it the kernel limits the buffer to net.core.rmem_max. 0: DefaultBuffer.
	Buffer int

	// Spread makes the kernel distribute the datagrams over the sockets one by one, at random, so that one
	// exporter keeps all workers busy. Without it the datagrams of one address and port always arrive at the
	// same socket, in order.
	Spread bool
}

// DefaultBuffer holds a third of a second at a million flows per second.
const DefaultBuffer = 32 << 20

// Listener is one UDP port with the workers that read it.
type Listener struct {
	Addr    netip.AddrPort // as bound
	Name    string
	Sockets []*Socket

	stop int // eventfd, readable once the listener ends, which wakes every worker

	buffer  int                    // bytes that each socket requests
	spread  bool                   // see Options
	chooses bool                   // a program chooses the sockets
	aside   atomic.Pointer[Socket] // of sources over their limit; see aside.go
	moved   atomic.Int64           // when the sources aside changed, Unix nanoseconds

	mu      sync.Mutex // guards the following
	running bool
	closed  bool
	sources []netip.Addr  // aside
	start   func(*Socket) // reads a new socket; nil unless running
}

// Listen opens a port with a socket for each worker. addr without a host listens on IPv6 and IPv4.
func Listen(addr string, o Options, log *slog.Logger) (*Listener, error) {
	fail := func(err error) error { return fmt.Errorf("listen on UDP %s: %w", addr, err) }
	if o.Buffer <= 0 {
		o.Buffer = DefaultBuffer
	}
	stop, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, fail(os.NewSyscallError("eventfd", err))
	}
	l := &Listener{stop: stop, buffer: o.Buffer, spread: o.Spread}
	if o.Name != nil {
		l.Name = o.Name(addr)
	}
	// The first socket binds the port exclusively and shares it afterwards. With SO_REUSEPORT from the start
	// it would join the sockets of another NetMeta of the same user, and the kernel would divide the
	// exporters between the two.
	at := addr
	for range max(o.Workers, 1) {
		s, bound, err := open(at, o.Buffer, len(l.Sockets) > 0)
		if err != nil {
			l.Close()
			if errors.Is(err, syscall.EADDRINUSE) {
				err = errors.New("another program holds the port: stop it (ss -lunp shows it), or choose another port with sources.udp.listen")
			}
			return nil, fail(err)
		}
		l.Sockets = append(l.Sockets, s)
		l.Addr, at = bound, bound.String() // port 0: the further sockets share the port that the first one was assigned
	}
	if err := l.choose(); err == nil {
		l.chooses = true
	} else if o.Spread && len(l.Sockets) > 1 {
		l.Close()
		return nil, fail(err)
	} else {
		log.Warn("exporters over their limit share sockets with others", "listener", l.Addr, "err", err)
	}
	if got := l.Sockets[0].Buffer; got < o.Buffer {
		log.Warn("receive buffer is small: bursts may be dropped by the kernel",
			"listener", l.Addr, "bytes", got, "wanted", o.Buffer, "remedy", fmt.Sprintf("sysctl -w net.core.rmem_max=%d", o.Buffer))
	}
	return l, nil
}

// open binds a socket. Afterwards it does not belong to Go's network poller, which every datagram would wake
// up, even if no goroutine waits for one.
func open(addr string, buffer int, shared bool) (s *Socket, bound netip.AddrPort, err error) {
	lc := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		return control(c, func(fd int) error { return prepare(fd, buffer, shared) })
	}}
	conn, err := lc.ListenPacket(context.Background(), "udp", addr)
	if err != nil {
		return nil, bound, err
	}
	defer conn.Close()
	raw, err := conn.(*net.UDPConn).SyscallConn()
	if err != nil {
		return nil, bound, err
	}
	s = &Socket{}
	err = control(raw, func(fd int) (err error) {
		if err := reusePort(fd); err != nil {
			return err
		}
		if s.Buffer, err = unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF); err != nil {
			return os.NewSyscallError("SO_RCVBUF", err)
		}
		s.fd, err = unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
		return os.NewSyscallError("dup", err)
	})
	return s, conn.LocalAddr().(*net.UDPAddr).AddrPort(), err
}

func control(c syscall.RawConn, f func(fd int) error) (err error) {
	ctlErr := c.Control(func(fd uintptr) { err = f(int(fd)) })
	return errors.Join(ctlErr, err)
}

func prepare(fd, buffer int, shared bool) error {
	if shared { // the first one does so once it has the port
		if err := reusePort(fd); err != nil {
			return err
		}
	}
	// The kernel doubles the requested size to account for its own overhead.
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, buffer); err != nil {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, buffer) // as large as allowed
	}
	return os.NewSyscallError("SO_TIMESTAMPNS", unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1))
}

func reusePort(fd int) error {
	return os.NewSyscallError("SO_REUSEPORT", unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1))
}

// Close ends Run, or closes the port if Run was never called.
func (l *Listener) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.running {
		l.wake()
	} else {
		l.closeLocked()
	}
}

func (l *Listener) wake() { unix.Write(l.stop, []byte{0: 1, 7: 0}) }

func (l *Listener) closeLocked() {
	if l.closed {
		return
	}
	l.closed = true
	for _, s := range l.All() {
		s.close()
	}
	unix.Close(l.stop)
}

// Totals returns the counts of all sockets.
func (l *Listener) Totals() (t Counts) {
	for _, s := range l.All() {
		t = t.Plus(s.Counts())
	}
	return t
}

// Run reads until ctx ends, each socket with its own decoder and Out. What the kernel had received by then is
// still decoded and handed on, which waits as long as there is no room; later datagrams are not.
func (l *Listener) Run(ctx context.Context, decoder func() source.Decoder, out func(source.Durability) *source.Out) error {
	l.mu.Lock()
	if l.closed || l.running {
		l.mu.Unlock()
		return fmt.Errorf("UDP %s: closed, or Run was already called", l.Addr)
	}
	l.running = true
	l.mu.Unlock()
	defer context.AfterFunc(ctx, l.wake)()
	var g errgroup.Group
	start := func(s *Socket, hold func()) {
		g.Go(func() error {
			if err := s.read(l.stop, decoder(), out(source.Kept), hold); err != nil {
				l.wake() // the others too
				return fmt.Errorf("read from UDP %s: %w", l.Addr, err)
			}
			return nil
		})
	}
	l.mu.Lock()
	for _, s := range l.Sockets {
		start(s, nil)
	}
	l.start = func(s *Socket) { start(s, l.hold) }
	if s := l.aside.Load(); s != nil {
		l.start(s)
	}
	l.mu.Unlock()
	g.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.start = nil
	err := g.Wait() // for one that was started just now
	l.closeLocked()
	return err
}
