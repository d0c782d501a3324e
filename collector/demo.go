package collector

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"netmeta/access"
	"netmeta/flow"
	"netmeta/query"
	"netmeta/simulate"
	"netmeta/source"
	"netmeta/store"
)

// The demo: exporters of each protocol, an hour of history and then live traffic. The addresses of each
// protocol are fixed, so that its history and its live traffic have the same exporters.
var demoProtocols = []struct {
	protocol simulate.Protocol
	sources  netip.Addr
}{
	{simulate.NetFlow9, netip.MustParseAddr("127.0.9.1")},
	{simulate.IPFIX, netip.MustParseAddr("127.0.10.1")},
	{simulate.SFlow, netip.MustParseAddr("127.0.6.1")},
}

// DemoConfig names their networks and interfaces. A configuration file overrides it.
//
//go:embed demo.yaml
var DemoConfig []byte

const (
	demoHistory = time.Hour
	demoRate    = 300 // flows per second of each protocol
)

// playDemo plays the demo whenever it is requested, until ctx ends.
func (c *Collector) playDemo(ctx context.Context) {
	var playing sync.WaitGroup
	c.playing.open(ctx, &playing, c.runDemo)
	if c.options.Demo {
		c.playing.start()
	}
	<-ctx.Done()
	c.playing.close()
	playing.Wait()
}

func (c *Collector) runDemo(ctx context.Context) {
	var g errgroup.Group
	for i, p := range demoProtocols {
		o := simulate.Options{Protocol: p.protocol, Sources: p.sources, Rate: demoRate, Seed: uint64(i + 1), Exporters: 2, Daily: true}
		g.Go(func() error { return c.demoProtocol(ctx, o) })
	}
	if err := g.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		c.log.Error("demo ended", "err", err)
	}
}

// setDemo starts or stops the demo on a request of the API.
func (c *Collector) setDemo(run bool) error {
	switch {
	case !run && c.options.Demo:
		return errors.New("the demo was started with --demo and cannot be stopped; restart NetMeta without it")
	case !run:
		c.playing.end()
		return nil
	}
	if _, err := c.demoTarget(); err != nil {
		return err
	}
	return c.playing.start()
}

// demoTarget returns an open port that accepts datagrams from 127.0.0.0/8, the range of
// the simulated exporters.
func (c *Collector) demoTarget() (string, error) {
	for _, addr := range c.udp.Addrs() {
		if a := addr.Addr().Unmap(); a.IsUnspecified() || a.Is4() && a.IsLoopback() {
			return fmt.Sprintf("127.0.0.1:%d", addr.Port()), nil
		}
	}
	return "", errors.New("no UDP port is open on 127.0.0.1; set one in sources.udp.listen")
}

// demoController controls the demo of a collector. The demo runs once at a time and cannot start once the collector
// stops.
type demoController struct {
	mu    sync.Mutex
	play  func() // runs it, in a goroutine that the collector waits for; nil: it cannot run now
	stop  context.CancelFunc
	ended chan struct{} // closed when it has ended; nil: it does not run
}

// open allows the demo to run within ctx.
func (d *demoController) open(ctx context.Context, wait *sync.WaitGroup, run func(context.Context)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.play = func() {
		ctx, stop := context.WithCancel(ctx)
		ended := make(chan struct{})
		d.stop, d.ended = stop, ended
		wait.Go(func() {
			defer close(ended)
			defer stop()
			run(ctx)
		})
	}
}

// close prevents further starts.
func (d *demoController) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.play = nil
}

// start runs the demo unless it is running.
func (d *demoController) start() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.play == nil {
		return errors.New("NetMeta is starting or stopping; retry in a moment")
	}
	if !d.isRunning() {
		d.play()
	}
	return nil
}

// end stops the demo and waits until it has sent its last datagram.
func (d *demoController) end() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.isRunning() {
		d.stop()
		<-d.ended
	}
}

func (d *demoController) running() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.isRunning()
}

func (d *demoController) isRunning() bool {
	select {
	case <-d.ended:
		return false
	default:
		return d.ended != nil
	}
}

func (c *Collector) demoProtocol(ctx context.Context, o simulate.Options) error {
	now := time.Now()

	// History is decoded separately with the clock of the simulation, and goes into the pipe like other rows.
	// It starts after what the store already has.
	from := now.Add(-demoHistory)
	if newest, err := c.newest(ctx); err == nil && newest.After(from) {
		from = newest
	}
	history := o
	history.Duration = now.Sub(from)
	history.Now = func() time.Time { return from }
	decoder, out := NewDecoding(source.SamplingConfig{}, nil, nil).Decoder(), source.NewOut(c.pipe.Emitter(), flow.Table.NewBatch(source.BatchRows))
	for d := range simulate.Datagrams(history) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		decoder.Decode(&source.Datagram{Payload: d.Payload, Exporter: d.Src, Received: d.Time}, out)
	}
	if err := out.Flush(ctx); err != nil {
		return err
	}

	var err error
	if o.To, err = c.demoTarget(); err != nil {
		return err
	}
	_, err = simulate.Run(ctx, o)
	return err
}

// newest returns the time of the newest flow in the store.
func (c *Collector) newest(ctx context.Context) (time.Time, error) {
	if c.engine != nil {
		if err := c.engine.Ready(ctx); err != nil {
			return time.Time{}, err
		}
	}
	res, _, err := c.reader.Select(ctx, store.Query{SQL: query.Span(access.Everything).SQL})
	if err != nil {
		return time.Time{}, err
	}
	return time.Unix(int64(res.Column("newest").([]uint32)[0]), 0), nil
}
