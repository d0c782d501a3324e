package udp

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"netmeta/source"
)

// Socket is one of the sockets of a listener.
type Socket struct {
	Buffer int // bytes of receive buffer, as the kernel accounts: twice the requested size

	fd               int
	datagrams, bytes atomic.Uint64
	seen             atomic.Int64 // everything received earlier is decoded: Unix nanoseconds

	mu      sync.Mutex // guards the following, and fd against being closed
	closed  bool
	dropped uint64 // by the last query
	queued  int
}

// Counts are what a socket received and dropped.
type Counts struct {
	Datagrams uint64
	Bytes     uint64 // of payload
	Dropped   uint64 // datagrams that the kernel dropped because the receive buffer was full
	Queued    int    // bytes of the receive buffer in use now
}

// Plus returns the sum.
func (c Counts) Plus(o Counts) Counts {
	return Counts{c.Datagrams + o.Datagrams, c.Bytes + o.Bytes, c.Dropped + o.Dropped, c.Queued + o.Queued}
}

// Counts returns the current counts, including drops of the kernel up to now.
func (s *Socket) Counts() Counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.askLocked()
	}
	return Counts{s.datagrams.Load(), s.bytes.Load(), s.dropped, s.queued}
}

// askLocked asks the kernel for its drops. SO_RXQ_OVFL reports the same number, but only with the next
// datagram, which may never arrive.
func (s *Socket) askLocked() {
	const used, drops, fields = 0, 8, 9 // SK_MEMINFO_RMEM_ALLOC, SK_MEMINFO_DROPS, SK_MEMINFO_VARS of linux/sock_diag.h
	var info [fields]uint32
	size := uint32(unsafe.Sizeof(info))
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(s.fd), unix.SOL_SOCKET, unix.SO_MEMINFO,
		uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
	if errno != 0 || size < uint32(unsafe.Sizeof(info)) {
		return
	}
	s.dropped += uint64(info[drops] - uint32(s.dropped)) // modulo 2^32
	s.queued = int(info[used])
}

func (s *Socket) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.askLocked()
	s.queued = 0
	s.closed = true
	unix.Close(s.fd)
}

// read is the loop of one worker, until stop is readable. hold is called before the datagrams of a read are
// decoded; it may be nil.
func (s *Socket) read(stop int, decoder source.Decoder, out *source.Out, hold func()) (err error) {
	// Rows are also handed on after the end, because the kernel no longer has their datagrams.
	ctx := context.Background()
	in, err := newReceiver()
	if err != nil {
		return err
	}
	defer in.close()
	var (
		ended time.Time // when stop became readable
		last  = time.Now()
		dg    source.Datagram
	)
	out.Acknowledge(decoder.Mark)
	defer func() { err = errors.Join(err, out.Flush(ctx)) }()
	for {
		now := time.Now()
		n, err := in.receive(s.fd)
		if err != nil {
			return err
		}
		if n > 0 && hold != nil {
			hold()
		}
		seen, octets := now, uint64(0)
		for i := range n {
			m := in.message(i)
			if !ended.IsZero() && m.at.After(ended) { // what was received until then is decoded
				return nil
			}
			octets += uint64(len(m.payload))
			dg.Payload, dg.Exporter, dg.Received = m.payload, m.from, m.at
			decoder.Decode(&dg, out)
			if n == receiveMessages {
				seen = m.at // there are more
			}
		}
		s.seen.Store(seen.UnixNano())
		s.datagrams.Add(uint64(n))
		s.bytes.Add(octets)
		idle, err := out.Tick(ctx, now)
		if err != nil {
			return err
		}
		switch {
		case n == receiveMessages: // there is more
		case !ended.IsZero():
			if n == 0 {
				return nil
			}
		case n > 0:
			// Sleep here, not in the kernel: the runtime considers a thread that blocks there busy.
			time.Sleep(rest(n, now.Sub(last), s.Buffer))
			if wait(0, stop) {
				ended = time.Now()
			}
		default:
			if wait(idle, stop, s.fd) {
				ended = time.Now()
			}
		}
		last = now
	}
}

// rest returns how long a worker rests after a read that found n datagrams, fewer than it can hold, since
// after the read before: until about half of its capacity has arrived. Waking up for every datagram costs
// more than decoding it, and the receive buffer holds what arrives meanwhile. A small buffer holds little, so
// the rest is at most a millisecond per MiB.
func rest(n int, since time.Duration, buffer int) time.Duration {
	most := min(restMost, max(time.Millisecond, time.Duration(buffer>>20)*time.Millisecond))
	return min(most, since*(receiveMessages/2)/time.Duration(n))
}

// wait waits until a file descriptor is readable or d is over; a negative d never ends. It reports whether
// the first is readable.
func wait(d time.Duration, fds ...int) bool {
	var list [2]unix.PollFd
	for i, fd := range fds {
		list[i] = unix.PollFd{Fd: int32(fd), Events: unix.POLLIN}
	}
	var timeout *unix.Timespec
	if d >= 0 {
		t := unix.NsecToTimespec(int64(d))
		timeout = &t
	}
	unix.Ppoll(list[:len(fds)], timeout, nil)
	return list[0].Revents != 0
}
