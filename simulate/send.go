package simulate

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

const (
	batch       = 64      // datagrams per sendmmsg
	sendBuffer  = 4 << 20 // bytes; the kernel grants what net.core.wmem_max allows
	burst       = 0.005   // seconds: maximum of overdue traffic that is sent at once
	tick        = 2 * time.Millisecond
	debt        = 1.0 // seconds: traffic overdue by more is skipped, such as after a suspend
	retryFirst  = time.Millisecond
	retryMost   = 100 * time.Millisecond
	giveUpAfter = 5 * time.Second // without a single datagram sent
)

// socket is one UDP socket, connected to the target, with datagrams waiting for sendmmsg. It belongs to one goroutine.
type socket struct {
	conn     *net.UDPConn
	write    func([]ipv4.Message, int) (int, error)
	messages []ipv4.Message // of a fixed size; the first n wait
	n        int
	refused  uint64
}

// dial connects to the target, from the given address if it is valid.
func dial(to, from netip.AddrPort) (*socket, error) {
	var local *net.UDPAddr
	if from.IsValid() {
		local = net.UDPAddrFromAddrPort(from)
	}
	conn, err := net.DialUDP("udp", local, net.UDPAddrFromAddrPort(to))
	if err != nil {
		return nil, err
	}
	conn.SetWriteBuffer(sendBuffer) // best effort
	s := &socket{conn: conn, messages: make([]ipv4.Message, batch)}
	for i := range s.messages {
		s.messages[i].Buffers = make([][]byte, 1)
	}
	if to.Addr().Is4() {
		s.write = ipv4.NewPacketConn(conn).WriteBatch
	} else {
		s.write = ipv6.NewPacketConn(conn).WriteBatch
	}
	return s, nil
}

// put queues a datagram, whose bytes must stay until flush.
func (s *socket) put(payload []byte) {
	s.messages[s.n].Buffers[0] = payload
	s.n++
}

func (s *socket) full() bool { return s.n == len(s.messages) }

// flush sends the waiting datagrams in order and retries those that the kernel does not accept. It returns the number
// sent: all of them, unless ctx ends or the error persists.
//
// ECONNREFUSED reports that an earlier datagram reached a closed port. flush counts it and continues, because a
// collector that restarts is worth testing.
func (s *socket) flush(ctx context.Context) (sent int, err error) {
	defer func() { s.n = 0 }()
	wait := retryFirst
	var failing time.Time
	for sent < s.n {
		n, err := s.write(s.messages[sent:s.n], 0)
		if n > 0 {
			sent += n
			wait, failing = retryFirst, time.Time{}
			continue
		}
		switch {
		case errors.Is(err, syscall.ECONNREFUSED):
			s.refused++
			if failing.IsZero() {
				failing = time.Now() // the kernel reports the error once, so the next attempt succeeds
				continue
			}
		case errors.Is(err, syscall.ENOBUFS), errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH),
			errors.Is(err, syscall.ENETDOWN), errors.Is(err, syscall.EPERM):
			if failing.IsZero() {
				failing = time.Now()
			}
		case err == nil:
			err = errors.New("the kernel accepted nothing")
			fallthrough
		default:
			return sent, fmt.Errorf("send to %v: %w", s.conn.RemoteAddr(), err)
		}
		if time.Since(failing) > giveUpAfter {
			return sent, fmt.Errorf("send to %v: nothing sent for %v: %w", s.conn.RemoteAddr(), giveUpAfter, err)
		}
		if !sleep(ctx, wait) {
			return sent, ctx.Err()
		}
		wait = min(2*wait, retryMost)
	}
	return sent, nil
}

// sleep returns false when ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// resolve finds the address of HOST:PORT.
func resolve(ctx context.Context, to string) (netip.AddrPort, error) {
	host, port, err := net.SplitHostPort(to)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("target: %q: %w; use HOST:PORT", to, err)
	}
	n, err := net.DefaultResolver.LookupPort(ctx, "udp", port)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("target %q: %w", to, err)
	}
	if n == 0 {
		return netip.AddrPort{}, fmt.Errorf("target: %q: port 0 is not valid; use 1 to 65535", to)
	}
	if host == "" {
		host = "127.0.0.1"
	}
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("target %q: %w", to, err)
	}
	best := addrs[0].Unmap()
	for _, a := range addrs {
		if a.Unmap().Is4() { // localhost has both families, and only IPv4 has many loopback addresses
			best = a.Unmap()
			break
		}
	}
	return netip.AddrPortFrom(best, uint16(n)), nil
}

// pace is the clock of a sender and computes how much is due, in the sender's unit, flows or datagrams.
type pace struct {
	last time.Time
	owed float64
}

// due moves the clock to now, at a rate per second, and returns how much may be sent at once.
func (p *pace) due(now time.Time, rate float64) float64 {
	p.owed = min(p.owed+now.Sub(p.last).Seconds()*rate, max(1, rate*debt))
	p.last = now
	return min(p.owed, max(1, rate*burst))
}

// Run sends until o.Duration or o.Flows is reached or ctx ends, none of which is an error. The result is
// exact even with an error.
func Run(ctx context.Context, o Options) (Sent, error) {
	if err := o.Validate(); err != nil {
		return Sent{}, err
	}
	o = o.withDefaults()
	to, err := resolve(ctx, o.To)
	if err != nil {
		return Sent{}, err
	}
	onLoopback := to.Addr().Is4() && to.Addr().IsLoopback()
	source := o.Sources
	if !source.IsValid() {
		source = netip.AddrFrom4([4]byte{127, 0, 1, 1})
	}
	if onLoopback && !source.IsLoopback() {
		return Sent{}, fmt.Errorf("source address: %v: not loopback; use one in 127.0.0.0/8 for the target %v", source, to)
	}
	t := newTraffic(o, o.Now())
	sockets := make([]*socket, len(t.exporters))
	queues := make([][]*slot, len(t.exporters))
	for i, e := range t.exporters {
		var from netip.AddrPort
		if onLoopback {
			from = netip.AddrPortFrom(source, 0)
			source = source.Next()
		}
		s, err := dial(to, from)
		if err != nil {
			return Sent{}, fmt.Errorf("exporter %d: %w", i+1, err)
		}
		defer s.conn.Close()
		sockets[i] = s
		e.source = s.conn.LocalAddr().(*net.UDPAddr).AddrPort()
	}

	begin := time.Now()
	report := func() Sent {
		sent := t.sent(o, time.Since(begin))
		for _, s := range sockets {
			sent.Refused += s.refused
		}
		return sent
	}
	flush := func(i int) error {
		n, err := sockets[i].flush(ctx)
		now := time.Now()
		for _, s := range queues[i][:n] {
			t.exporters[i].done(s)
			if o.Trace != nil && s.kind == dataSlot {
				o.Trace(Trace{now, t.exporters[i].domain, t.exporters[i].sequenceOf(s), s.totals.Flows})
			}
		}
		queues[i] = queues[i][:0]
		return err
	}
	// round sends the given number of flows, or one batch if the rate is unlimited, and returns the number sent.
	round := func(now time.Time, flows float64) (made float64, end bool, err error) {
		for n := 0; made < flows && n < batch*len(sockets); n++ {
			e, s := t.next(now)
			if s == nil {
				end = true
				break
			}
			i := e.index
			sockets[i].put(s.buf)
			queues[i] = append(queues[i], s)
			made += float64(s.totals.Flows)
			// Send a datagram of templates or counters before requesting the next one.
			if sockets[i].full() || s.kind != dataSlot {
				if err := flush(i); err != nil {
					return made, false, err
				}
			}
		}
		for i := range sockets {
			if sockets[i].n > 0 {
				if err := flush(i); err != nil {
					return made, false, err
				}
			}
		}
		return made, end, nil
	}

	// A rate and a duration give a number of flows. Wait for it on a machine that is a little late.
	grace := time.Duration(0)
	if o.Rate > 0 && !o.Daily {
		grace = time.Second
	}
	clock := pace{last: begin}
	progress := begin
	for ctx.Err() == nil {
		mono, now := time.Now(), o.Now()
		if o.Progress != nil && mono.Sub(progress) >= time.Second {
			progress = mono
			o.Progress(report())
		}
		elapsed := mono.Sub(begin)
		flows, rate := float64(batch*64), o.Rate
		if o.Daily {
			rate *= evening(hour(now))
		}
		switch {
		case o.Duration > 0 && elapsed >= o.Duration+grace:
			return report(), nil
		case rate > 0:
			flows = clock.due(mono, rate)
		}
		if rate > 0 && flows < 1 {
			sleep(ctx, max(tick, time.Duration((1-clock.owed)/rate*float64(time.Second))))
			continue
		}
		made, end, err := round(now, flows)
		clock.owed -= made
		if err != nil && ctx.Err() == nil {
			return report(), err
		}
		if end {
			return report(), nil
		}
		if rate > 0 {
			sleep(ctx, tick)
		}
	}
	return report(), nil
}
