package collector

import (
	"context"

	"netmeta/config"
	"netmeta/source"
	"netmeta/source/udp"
)

// listen opens the UDP ports of the configuration.
func (c *Collector) listen() (*udp.Source, error) {
	cfg := c.config().Sources.UDP
	options := udp.Options{Name: PortName, Workers: cfg.Workers, Buffer: int(cfg.BufferMiB.Bytes()), Spread: cfg.Spread}
	return udp.Open(cfg.Addresses(), options, c.decoding, c.log)
}

// out makes the Out for one goroutine of a source.
func (c *Collector) out(d source.Durability) *source.Out {
	e := c.pipe.Emitter()
	e.Synced = d == source.Synced
	return source.NewOut(e)
}

// receive receives datagrams until ctx ends and everything that had arrived is handed on.
func (c *Collector) receive(ctx context.Context) error { return c.udp.Run(ctx, c.out) }

// preparePorts opens the ports that a configuration adds.
func (c *Collector) preparePorts(next *config.Config) (change, error) {
	ports, err := c.udp.Prepare(next.Sources.UDP.Addresses())
	if err != nil {
		return change{}, err
	}
	return change{commit: ports.Commit, undo: ports.Abandon}, nil
}

// sourceReport returns the counters and the state of all sources.
func (c *Collector) sourceReport() (r source.Report) {
	for _, src := range c.sources {
		src.Report(&r)
	}
	return r
}

// kernelDropped returns the number of datagrams that the kernel dropped at all sockets.
func (c *Collector) kernelDropped() uint64 { return c.udp.Totals().Dropped }
