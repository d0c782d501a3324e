package collector

import (
	"context"

	"netmeta/config"
	"netmeta/source"
	"netmeta/source/udp"
)

// listen opens the UDP ports of the configuration.
func (s *Collector) listen() (*udp.Source, error) {
	c := s.config().Sources.UDP
	return udp.Open(c.Addresses(), udp.Options{Name: PortName, Workers: c.Workers, Buffer: int(c.BufferMiB.Bytes()), Spread: c.Spread}, s.decoding, s.log)
}

// out makes the way on for one goroutine of a source.
func (s *Collector) out(d source.Durability) *source.Out {
	e := s.pipe.Emitter()
	e.Synced = d == source.Synced
	return source.NewOut(e)
}

// receive takes in what comes over UDP, until ctx ends and what had arrived is handed on.
func (s *Collector) receive(ctx context.Context) error { return s.udp.Run(ctx, s.out) }

// preparePorts opens the ports that a configuration adds.
func (s *Collector) preparePorts(next *config.Config) (change, error) {
	c, err := s.udp.Prepare(next.Sources.UDP.Addresses())
	if err != nil {
		return change{}, err
	}
	return change{commit: c.Commit, undo: c.Abandon}, nil
}

// sourceReport is what all sources say about themselves.
func (s *Collector) sourceReport() (r source.Report) {
	for _, src := range s.sources {
		src.Report(&r)
	}
	return r
}

// kernelDropped is what the kernel dropped at all sockets.
func (s *Collector) kernelDropped() uint64 { return s.udp.Totals().Dropped }
