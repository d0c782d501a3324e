// Package udp holds the sockets that datagram sources share: several sockets on one
// port (SO_REUSEPORT), each read in batches by one goroutine, with kernel timestamps
// and with the count of what the kernel had to drop because we were too slow.
package udp

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"netmeta/column"
	"netmeta/source"
)

const (
	// BatchRows is the size of a worker's batch. A block of this size is cheap to
	// carry and large enough to encode well.
	BatchRows = 8192
	// A batch that is not full is handed on when it is this old.
	flushAfter = 250 * time.Millisecond
	// After a read that found fewer datagrams than it could hold, the worker rests
	// this long: waking up for every datagram costs more than decoding it, and the
	// receive buffer holds what arrives meanwhile.
	linger = 2 * time.Millisecond
	// receiveBuffer is asked for with SO_RCVBUFFORCE, which needs CAP_NET_ADMIN;
	// without it the kernel gives at most net.core.rmem_max.
	receiveBuffer = 32 << 20
)

// A Listener is one UDP port and the workers that read it.
type Listener struct {
	Addr netip.AddrPort // as bound
	Name string         // for people: what is expected on the port

	Datagrams atomic.Uint64 // received
	Bytes     atomic.Uint64 // of payload
	Dropped   atomic.Uint64 // by the kernel, because the receive buffer was full
	Buffer    int           // octets of receive buffer of each socket, as the kernel accounts

	conns []*net.UDPConn
}

// Listen opens a port with a socket for each worker. addr without a host listens on
// IPv6 and IPv4.
func Listen(addr, name string, workers int, log *slog.Logger) (*Listener, error) {
	l := &Listener{Name: name}
	lc := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) (err error) {
		ctlErr := c.Control(func(fd uintptr) { err = l.prepare(int(fd)) })
		return errors.Join(ctlErr, err)
	}}
	// The first socket takes the port for itself and shares it afterwards. With
	// SO_REUSEPORT from the start it would join the sockets of another NetMeta of the
	// same user, and the kernel would divide the exporters between the two.
	for range workers {
		conn, err := lc.ListenPacket(context.Background(), "udp", addr)
		if err != nil {
			l.Close()
			if errors.Is(err, syscall.EADDRINUSE) {
				return nil, fmt.Errorf("listen on UDP %s: another program holds the port: stop it (ss -lunp shows it), or choose another port with sources.udp.listen", addr)
			}
			return nil, fmt.Errorf("listen on UDP %s: %w", addr, err)
		}
		if err := share(conn.(*net.UDPConn)); err != nil {
			conn.Close()
			l.Close()
			return nil, fmt.Errorf("listen on UDP %s: %w", addr, err)
		}
		l.conns = append(l.conns, conn.(*net.UDPConn))
		l.Addr = conn.LocalAddr().(*net.UDPAddr).AddrPort()
		addr = l.Addr.String() // port 0: the further sockets share what the first was given
	}
	// The kernel doubles what was asked for, to account for its own overhead.
	if l.Buffer < receiveBuffer {
		log.Warn("receive buffer is small: bursts may be dropped by the kernel",
			"listener", l.Addr, "bytes", l.Buffer, "remedy", "sysctl -w net.core.rmem_max=33554432")
	}
	return l, nil
}

func (l *Listener) prepare(fd int) error {
	if len(l.conns) > 0 { // the first one does so when it has the port
		if err := reusePort(fd); err != nil {
			return err
		}
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, receiveBuffer); err != nil {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, receiveBuffer) // as far as allowed
	}
	l.Buffer, _ = unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF)
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RXQ_OVFL, 1); err != nil {
		return os.NewSyscallError("SO_RXQ_OVFL", err)
	}
	return os.NewSyscallError("SO_TIMESTAMPNS", unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1))
}

// share lets further sockets of this process have the port as well.
func share(conn *net.UDPConn) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	ctlErr := raw.Control(func(fd uintptr) { err = reusePort(int(fd)) })
	return errors.Join(ctlErr, err)
}

func reusePort(fd int) error {
	return os.NewSyscallError("SO_REUSEPORT", unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1))
}

// Close closes the sockets; Run then returns.
func (l *Listener) Close() {
	for _, c := range l.conns {
		c.Close()
	}
}

// A Worker is what a socket's goroutine owns: a decoder for the datagrams and a way
// on for full batches.
type Worker struct {
	Decoder source.Decoder
	Emit    func(*column.Batch) // returns with an empty batch
	Flush   func()              // hands on what the decoder keeps beside the batch; nil: nothing
}

// Run reads until ctx ends, with a worker from make for each socket. What the kernel
// had received by then is still decoded and handed on; what comes later is not.
func (l *Listener) Run(ctx context.Context, table *column.Table, make func() Worker) error {
	var g errgroup.Group
	for _, conn := range l.conns {
		g.Go(func() error { return l.read(ctx, conn, table.NewBatch(BatchRows), make()) })
	}
	err := g.Wait()
	l.Close()
	return err
}

// read is the loop of one worker.
func (l *Listener) read(ctx context.Context, conn *net.UDPConn, batch *column.Batch, w Worker) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	// The end of ctx wakes a reader that waits in the poller.
	stop := context.AfterFunc(ctx, func() { conn.SetReadDeadline(time.Now()) })
	defer stop()

	flush := func() { w.Emit(batch) }
	if w.Flush == nil {
		w.Flush = func() {}
	}
	defer w.Flush()
	var (
		in      = newReceiver()
		oldest  time.Time // when the batch ceased to be empty
		flushed time.Time // when the decoder was asked for what it keeps
		dropped uint32    // as the socket last said, it never goes back
		ended   time.Time // when ctx did
		dg      source.Datagram
	)
	for {
		if ctx.Err() != nil && ended.IsZero() {
			ended = time.Now()
		}
		wait := flushAfter
		if batch.Len() > 0 {
			wait = time.Until(oldest.Add(flushAfter))
		}
		if ctx.Err() == nil {
			conn.SetReadDeadline(time.Now().Add(wait))
			if ctx.Err() != nil { // ended in between: its deadline must stand
				conn.SetReadDeadline(time.Now())
			}
		}
		n, err := in.receive(raw, !ended.IsZero())
		if errors.Is(err, net.ErrClosed) {
			flush()
			return nil
		}
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			flush()
			return fmt.Errorf("read from UDP %s: %w", l.Addr, err)
		}
		was := batch.Len()
		for i := range n {
			m := in.message(i)
			if !ended.IsZero() && m.at.After(ended) { // what was received by then is decoded
				flush()
				return nil
			}
			l.Datagrams.Add(1)
			l.Bytes.Add(uint64(len(m.payload)))
			if m.hasDrops {
				l.Dropped.Add(uint64(m.drops - dropped)) // modulo 2^32
				dropped = m.drops
			}
			dg.Payload, dg.Exporter, dg.Received = m.payload, m.from, m.at
			w.Decoder.Decode(&dg, batch, flush)
		}
		if was == 0 || batch.Len() < was {
			oldest = time.Now()
		}
		if batch.Len() > 0 && time.Since(oldest) >= flushAfter {
			flush()
		}
		if time.Since(flushed) >= flushAfter {
			w.Flush()
			flushed = time.Now()
		}
		switch {
		case !ended.IsZero() && n == 0:
			flush()
			return nil
		case n > 0 && n < receiveMessages && ended.IsZero():
			time.Sleep(linger)
		}
	}
}
