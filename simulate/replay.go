package simulate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"time"

	"netmeta/internal/pcap"
)

// ReplayOptions are the captures to replay, the target and the rate.
type ReplayOptions struct {
	To    string   // HOST:PORT, IPv4 or IPv6
	Files []string // captures, in order
	Rate  float64  // datagrams per second; 0: as Speed sets
	Speed float64  // times the speed of the capture; 0: as fast as possible
	Loop  int      // passes over all files; 0: one, negative: until ctx ends
	Port  uint16   // only datagrams that were sent to this port; 0: all

	Progress func(ReplayStats) // called about once a second by the goroutine that sends; may be nil
}

// ReplayStats counts what Replay sent.
type ReplayStats struct {
	Datagrams uint64      `json:"datagrams"`
	Bytes     uint64      `json:"bytes"`   // of UDP payload
	Sources   int         `json:"sources"` // addresses and ports that sent in the captures
	Seconds   float64     `json:"seconds"`
	Refused   uint64      `json:"refused,omitempty"` // ECONNREFUSED errors: no program listens on the target
	Skipped   []pcap.Skip `json:"skipped,omitempty"` // content of the captures that was not sent
}

// maxSources limits the sockets. A new one replaces the least recently used one, whose source gets
// another port if it reappears.
const maxSources = 512

type replaySource struct {
	*socket
	used uint64
}

// replayer is the state of one Replay.
type replayer struct {
	o       ReplayOptions
	to      netip.AddrPort
	sockets map[netip.AddrPort]*replaySource
	hosts   map[netip.Addr]netip.Addr // exporter address → its loopback address
	seen    map[netip.AddrPort]bool   // bounded by maxSeen
	current *replaySource             // the only one with waiting datagrams
	waiting [batch][]byte             // copies of these datagrams
	stats   ReplayStats
	skipped map[string]uint64
	order   []string // of the reasons in skipped
	begin   time.Time
	last    time.Time // of Progress
	clock   pace
	uses    uint64
	refused uint64 // on sockets that are closed
}

const maxSeen = 1 << 20

// Replay sends the UDP payloads of captures in their order. Each source address and port of the capture gets its own
// socket. On IPv4 loopback each source address is mapped to its own address, 127.0.2.1 and up, with its original port
// if that is free, so that the collector can distinguish the exporters as before.
// The end of ctx is not an error. The result is exact even with an error.
func Replay(ctx context.Context, o ReplayOptions) (ReplayStats, error) {
	switch {
	case len(o.Files) == 0:
		return ReplayStats{}, errors.New("no capture files given")
	case o.Rate < 0 || o.Rate != o.Rate:
		return ReplayStats{}, fmt.Errorf("rate: %v: out of range; use datagrams per second, or 0", o.Rate)
	case o.Speed < 0 || o.Speed != o.Speed:
		return ReplayStats{}, fmt.Errorf("speed: %v: out of range; use a factor such as 1 or 10, or 0 for as fast as possible", o.Speed)
	}
	to, err := resolve(ctx, o.To)
	if err != nil {
		return ReplayStats{}, err
	}
	r := &replayer{
		o: o, to: to,
		sockets: make(map[netip.AddrPort]*replaySource),
		hosts:   make(map[netip.Addr]netip.Addr),
		seen:    make(map[netip.AddrPort]bool),
		skipped: make(map[string]uint64),
		begin:   time.Now(),
	}
	r.last, r.clock.last = r.begin, r.begin
	defer func() {
		for _, s := range r.sockets {
			s.conn.Close()
		}
	}()
	for n := 0; ctx.Err() == nil && (o.Loop < 0 || n < max(1, o.Loop)); n++ {
		before := r.stats.Datagrams
		for _, path := range o.Files {
			if err = r.file(ctx, path); err != nil {
				break
			}
		}
		if err == nil && r.stats.Datagrams == before {
			break // a loop over empty files would spin
		}
		if err != nil {
			break
		}
	}
	if ctx.Err() != nil {
		err = nil
	}
	return r.report(), err
}

func (r *replayer) report() ReplayStats {
	s := r.stats
	s.Seconds = time.Since(r.begin).Seconds()
	s.Sources = len(r.seen)
	s.Refused = r.refused
	for _, socket := range r.sockets {
		s.Refused += socket.refused
	}
	for _, reason := range r.order {
		s.Skipped = append(s.Skipped, pcap.Skip{Reason: reason, Count: r.skipped[reason]})
	}
	return s
}

func (r *replayer) skip(reason string, n uint64) {
	if _, ok := r.skipped[reason]; !ok {
		r.order = append(r.order, reason)
	}
	r.skipped[reason] += n
}

// file sends one capture.
func (r *replayer) file(ctx context.Context, path string) error {
	in, err := pcap.Open(path)
	if err != nil {
		return err
	}
	defer in.Close()
	defer func() {
		for _, s := range in.Skipped() {
			r.skip(s.Reason, s.Count)
		}
	}()
	begin := time.Now()
	var first time.Time
	for {
		d, err := in.NextUDP()
		if err == io.EOF {
			return r.flush(ctx)
		}
		if err != nil {
			return errors.Join(fmt.Errorf("%s: %w", path, err), r.flush(ctx))
		}
		switch {
		case r.o.Port != 0 && d.Dst.Port() != r.o.Port:
			r.skip("sent to another port", 1)
			continue
		case d.Truncated:
			r.skip("datagram cut by the capture", 1)
			continue
		case len(d.Payload) == 0:
			r.skip("empty datagram", 1)
			continue
		}
		switch {
		case r.o.Rate > 0:
			if err := r.wait(ctx); err != nil {
				return err
			}
		case r.o.Speed > 0:
			if first.IsZero() {
				first = d.Time
			}
			at := begin.Add(time.Duration(float64(d.Time.Sub(first)) / r.o.Speed))
			if ahead := time.Until(at); ahead > tick {
				if err := r.flush(ctx); err != nil {
					return err
				}
				r.progress()
				if !sleep(ctx, ahead) {
					return ctx.Err()
				}
			}
		}
		if err := r.put(ctx, d); err != nil {
			return err
		}
	}
}

// wait returns as soon as the rate permits one more datagram.
func (r *replayer) wait(ctx context.Context) error {
	for r.clock.owed < 1 {
		if r.clock.due(time.Now(), r.o.Rate) >= 1 {
			break
		}
		if err := r.flush(ctx); err != nil {
			return err
		}
		r.progress()
		if !sleep(ctx, max(tick, time.Duration((1-r.clock.owed)/r.o.Rate*float64(time.Second)))) {
			return ctx.Err()
		}
	}
	r.clock.owed--
	return nil
}

// put queues a datagram on the socket of its source. If the source changes or the batch is full, it first sends the waiting ones.
func (r *replayer) put(ctx context.Context, d pcap.Datagram) error {
	s, err := r.socket(ctx, d.Src)
	if err != nil {
		return err
	}
	if r.current != s {
		if err := r.flush(ctx); err != nil {
			return err
		}
		r.current = s
	}
	r.uses++
	s.used = r.uses
	copied := append(r.waiting[s.n][:0], d.Payload...)
	r.waiting[s.n] = copied
	s.put(copied)
	if s.full() {
		return r.flush(ctx)
	}
	return nil
}

func (r *replayer) flush(ctx context.Context) error {
	s := r.current
	if s == nil || s.n == 0 {
		return nil
	}
	n, err := s.flush(ctx)
	r.stats.Datagrams += uint64(n)
	for _, payload := range r.waiting[:n] {
		r.stats.Bytes += uint64(len(payload))
	}
	r.progress()
	return err
}

func (r *replayer) progress() {
	if r.o.Progress != nil && time.Since(r.last) >= time.Second {
		r.last = time.Now()
		r.o.Progress(r.report())
	}
}

// socket returns the socket of a source. It opens it, and closes another one, if needed.
func (r *replayer) socket(ctx context.Context, source netip.AddrPort) (*replaySource, error) {
	if s := r.sockets[source]; s != nil {
		return s, nil
	}
	if len(r.seen) < maxSeen {
		r.seen[source] = true
	}
	if len(r.sockets) == maxSources {
		var oldest netip.AddrPort
		for at, s := range r.sockets {
			if o := r.sockets[oldest]; o == nil || s.used < o.used {
				oldest = at
			}
		}
		s := r.sockets[oldest]
		if s == r.current {
			if err := r.flush(ctx); err != nil {
				return nil, err
			}
			r.current = nil
		}
		r.refused += s.refused
		s.conn.Close()
		delete(r.sockets, oldest)
	}
	var from netip.AddrPort
	if r.to.Addr().Is4() && r.to.Addr().IsLoopback() {
		host, ok := r.hosts[source.Addr()]
		if !ok {
			host = netip.AddrFrom4([4]byte{127, 0, 2, 1})
			if n := uint32(len(r.hosts)); n < 1<<22 {
				var b [4]byte
				be.PutUint32(b[:], 127<<24|2<<8|1+n)
				host = netip.AddrFrom4(b)
				r.hosts[source.Addr()] = host
			}
		}
		from = netip.AddrPortFrom(host, source.Port())
	}
	s, err := dial(r.to, from)
	if err != nil && from.Port() != 0 { // the port is in use or needs privileges
		s, err = dial(r.to, netip.AddrPortFrom(from.Addr(), 0))
	}
	if err != nil {
		return nil, fmt.Errorf("socket for source %v: %w", source, err)
	}
	rs := &replaySource{socket: s}
	r.sockets[source] = rs
	return rs, nil
}
