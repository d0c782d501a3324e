package collector

import (
	"context"
	"slices"
	"sync"

	"netmeta/column"
	"netmeta/config"
	"netmeta/counter"
	"netmeta/flow"
	"netmeta/source/udp"
)

// A port is a UDP port that is open.
type port struct {
	*udp.Listener
	configured string             // its address in the configuration
	stop       context.CancelFunc // ends its Run; nil: it is not read yet
}

// ports are those that are open. A reload adds and removes some; the others never
// notice.
type ports struct {
	mu     sync.Mutex
	read   func(*port) // starts to read one; nil: none is read yet
	open   []*port
	closed udp.Counts // of ports that were closed
}

// list is a snapshot.
func (p *ports) list() []*port {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.open)
}

// totals are the counts of all ports since the start.
func (p *ports) totals() udp.Counts {
	p.mu.Lock()
	defer p.mu.Unlock()
	t := p.closed
	for _, port := range p.open {
		t = t.Plus(port.Totals())
	}
	return t
}

func (p *ports) add(added *port) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open = append(p.open, added)
	if p.read != nil {
		p.read(added)
	}
}

// start has every port read, those that are added later too.
func (p *ports) start(read func(*port)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.read = read
	for _, o := range p.open {
		read(o)
	}
}

// leave has a port end when what the kernel has of it is read.
func (p *ports) leave(left *port) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if left.stop != nil {
		left.stop()
		return
	}
	p.open = slices.DeleteFunc(p.open, func(o *port) bool { return o == left })
	left.Close()
}

// remove is called when a port has been read to its end.
func (p *ports) remove(ended *port) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open = slices.DeleteFunc(p.open, func(o *port) bool { return o == ended })
	p.closed = p.closed.Plus(ended.Totals())
}

// listen opens a port of the configuration.
func (s *Collector) listen(addr string) (*port, error) {
	c := s.config().Sources.UDP
	l, err := udp.Listen(addr, udp.Config{Name: PortName(addr), Workers: c.Workers, Buffer: c.BufferMiB << 20, Spread: c.Spread}, s.log)
	if err != nil {
		return nil, err
	}
	return &port{Listener: l, configured: addr}, nil
}

// change tells which open ports a list of addresses does without, and which addresses
// have none yet. An address with port 0 may stand in the list more than once.
func (p *ports) change(wanted []string) (leave []*port, missing []string) {
	leave = p.list()
	for _, addr := range wanted {
		i := slices.IndexFunc(leave, func(o *port) bool { return o.configured == addr })
		if i < 0 {
			missing = append(missing, addr)
			continue
		}
		leave = slices.Delete(leave, i, i+1)
	}
	return leave, missing
}

// receive reads the ports until ctx ends and what had arrived is handed on.
func (s *Collector) receive(ctx context.Context) {
	var reading sync.WaitGroup
	s.ports.start(func(p *port) {
		ctx, stop := context.WithCancel(ctx)
		p.stop = stop
		reading.Go(func() {
			defer s.ports.remove(p)
			defer stop()
			if err := p.Run(ctx, &flow.Table, s.worker); err != nil {
				s.fail(err)
			}
		})
	})
	<-ctx.Done()
	reading.Wait()
}

// preparePorts opens the ports that a configuration adds.
func (s *Collector) preparePorts(next *config.Config) (change, error) {
	left, missing := s.ports.change(next.Sources.UDP.Listen)
	var opened []*port
	undo := func() {
		for _, p := range opened {
			p.Close()
		}
	}
	for _, addr := range missing {
		p, err := s.listen(addr)
		if err != nil {
			undo()
			return change{}, err
		}
		opened = append(opened, p)
	}
	return change{undo: undo, commit: func() {
		for _, p := range opened {
			s.ports.add(p)
		}
		for _, p := range left {
			s.ports.leave(p)
		}
	}}, nil
}

// kernelDropped is what the kernel dropped at all sockets.
func (s *Collector) kernelDropped() uint64 { return s.ports.totals().Dropped }

// CounterRows is the size of a worker's batch of counters: what arrives in a quarter of
// a second, of a few thousand interfaces.
const CounterRows = 1024

// worker makes what one socket's goroutine owns.
func (s *Collector) worker() udp.Worker {
	emitter := s.pipe.Emitter()
	counters := counter.Table.NewBatch(CounterRows)
	flush := func() { emitter.Emit(counters) }
	decoder := s.decoding.DecoderWithCounters(counters, flush)
	return udp.Worker{Decoder: decoder, Emit: func(flows *column.Batch) {
		flush() // first, so that all rows of a datagram are before its mark
		emitter.EmitThen(flows, decoder.Mark())
	}}
}
