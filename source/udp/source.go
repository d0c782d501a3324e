package udp

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"netmeta/source"
)

// Decoders make a decoder for each goroutine that reads a socket.
type Decoders interface {
	Decoder() source.Decoder
	Report(*source.Report)
}

// Source is the UDP ports. Ports are opened and closed while it runs; the others are not touched.
type Source struct {
	options  Options
	decoders Decoders
	log      *slog.Logger

	mu     sync.Mutex // guards the following
	open   []*port
	closed Counts      // of ports that were closed
	start  func(*port) // reads a port; nil unless running
	ended  bool        // no port is read any more
}

var _ source.Source = (*Source)(nil)

// port is an open UDP port.
type port struct {
	*Listener
	configured string             // its address in the configuration
	stop       context.CancelFunc // ends its Run; nil: not running
}

// Open opens ports with these addresses, without reading them.
func Open(listen []string, o Options, decoders Decoders, log *slog.Logger) (*Source, error) {
	s := &Source{options: o, decoders: decoders, log: log}
	change, err := s.Prepare(listen)
	if err != nil {
		return nil, err
	}
	change.Commit()
	return s, nil
}

// Run reads all ports until ctx ends. What the kernel had received by then is still decoded and handed on. An
// error of one port ends all.
func (s *Source) Run(ctx context.Context, out func(source.Durability) *source.Out) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var g errgroup.Group
	s.mu.Lock()
	if s.start != nil || s.ended {
		s.mu.Unlock()
		return errors.New("UDP: Run was already called")
	}
	s.start = func(p *port) {
		ctx, stopPort := context.WithCancel(ctx)
		p.stop = stopPort
		g.Go(func() error {
			defer stopPort()
			defer s.remove(p)
			err := p.Run(ctx, s.decoders.Decoder, out)
			if err != nil {
				stop()
			}
			return err
		})
	}
	g.Go(func() error { // until then ports may be added
		<-ctx.Done()
		s.mu.Lock()
		defer s.mu.Unlock()
		s.start, s.ended = nil, true
		return nil
	})
	for _, p := range s.open {
		s.start(p)
	}
	s.mu.Unlock()
	return g.Wait()
}

// remove is called when a port has been read to its end.
func (s *Source) remove(p *port) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.removeLocked(p)
}

func (s *Source) removeLocked(p *port) {
	s.open = slices.DeleteFunc(s.open, func(o *port) bool { return o == p })
	s.closed = s.closed.Plus(p.Totals())
}

// Close closes the ports if Run was never called.
func (s *Source) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.start != nil {
		return
	}
	for _, p := range slices.Clone(s.open) {
		p.Close()
		s.removeLocked(p)
	}
	s.ended = true
}

// Change is a prepared change of the ports. Everything that can fail has been done: new ports are open, but
// not read yet.
type Change struct {
	source *Source
	leave  []*port
	opened []*port
}

// Prepare opens the addresses of a list that have no port yet. An address with port 0 may occur more than
// once. Only one Change may be pending.
func (s *Source) Prepare(listen []string) (*Change, error) {
	s.mu.Lock()
	c := &Change{source: s, leave: slices.Clone(s.open)}
	s.mu.Unlock()
	for _, addr := range listen {
		if i := slices.IndexFunc(c.leave, func(p *port) bool { return p.configured == addr }); i >= 0 {
			c.leave = slices.Delete(c.leave, i, i+1) // stays
			continue
		}
		l, err := Listen(addr, s.options, s.log)
		if err != nil {
			c.Abandon()
			return nil, err
		}
		c.opened = append(c.opened, &port{Listener: l, configured: addr})
	}
	return c, nil
}

// Abandon closes the ports that Prepare opened.
func (c *Change) Abandon() {
	for _, p := range c.opened {
		p.Close()
	}
	c.opened = nil
}

// Commit starts to read the new ports. It closes those that are no longer on the list once everything that
// the kernel has of them is read.
func (c *Change) Commit() {
	s := c.source
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range c.opened {
		switch {
		case s.ended:
			p.Close()
			continue
		case s.start != nil:
			s.start(p)
		}
		s.open = append(s.open, p)
	}
	for _, p := range c.leave {
		if p.stop != nil {
			p.stop()
			continue
		}
		p.Close()
		s.removeLocked(p)
	}
	c.opened, c.leave = nil, nil
}

func (s *Source) list() []*port {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.open)
}

// Addrs returns the addresses of the ports, as bound.
func (s *Source) Addrs() (list []netip.AddrPort) {
	for _, p := range s.list() {
		list = append(list, p.Addr)
	}
	return list
}

// Totals returns the counts of all ports since the start, including closed ones.
func (s *Source) Totals() Counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.closed
	for _, p := range s.open {
		t = t.Plus(p.Totals())
	}
	return t
}

// Aside directs the datagrams of these senders to separate sockets; see Listener.Aside. Only one goroutine
// calls it at a time.
func (s *Source) Aside(senders []netip.Addr) (err error) {
	for _, p := range s.list() {
		if failed := p.Aside(senders); failed != nil {
			err = errors.Join(err, fmt.Errorf("UDP %s: %w", p.Addr, failed))
		}
	}
	return err
}

// Report adds the ports with their sockets, and the counters of the decoders.
func (s *Source) Report(r *source.Report) {
	for _, p := range s.list() {
		in := source.Input{Name: p.Name, Addr: p.Addr.String()}
		for _, socket := range p.All() {
			c := socket.Counts()
			in.Parts = append(in.Parts, source.InputPart{Datagrams: c.Datagrams, Bytes: c.Bytes, Dropped: c.Dropped, Queued: c.Queued, Buffer: socket.Buffer})
		}
		r.Inputs = append(r.Inputs, in)
	}
	s.decoders.Report(r)
}
