package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/sync/errgroup"

	"netmeta/flow"
	"netmeta/simulate"
	"netmeta/source"
	"netmeta/source/udp"
	"netmeta/store"
)

// The demo: exporters of each protocol, an hour of history and then live traffic.
// Each has addresses of its own, so that its history and its live traffic are of the
// same exporters.
var demoProtocols = []struct {
	protocol simulate.Protocol
	sources  netip.Addr
}{
	{simulate.NetFlow9, netip.MustParseAddr("127.0.9.1")},
	{simulate.IPFIX, netip.MustParseAddr("127.0.10.1")},
	{simulate.SFlow, netip.MustParseAddr("127.0.6.1")},
}

// demoConfig names what they send; a configuration file comes over it.
//
//go:embed demo.yaml
var demoConfig []byte

const (
	demoHistory = time.Hour
	demoRate    = 300 // flows per second of each protocol
)

func (s *server) runDemo(ctx context.Context) {
	var g errgroup.Group
	for i, p := range demoProtocols {
		o := simulate.Options{Protocol: p.protocol, Sources: p.sources, Rate: demoRate, Seed: uint64(i + 1), Exporters: 2, Daily: true}
		g.Go(func() error { return s.demoProtocol(ctx, o) })
	}
	if err := g.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		s.log.Error("demo ended", "err", err)
	}
}

func (s *server) demoProtocol(ctx context.Context, o simulate.Options) error {
	now := time.Now()

	// History goes through a decoder of its own with the clock of the simulation, and
	// into the pipe like anything else. What the store holds already is not doubled.
	from := now.Add(-demoHistory)
	if newest, err := s.newest(ctx); err == nil && newest.After(from) {
		from = newest
	}
	history := o
	history.Duration = now.Sub(from)
	history.Now = func() time.Time { return from }
	decoder, emitter := newDecoding().decoder(), s.pipe.Emitter()
	batch := flow.Table.NewBatch(udp.BatchRows)
	for d := range simulate.Datagrams(history) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		decoder.Decode(&source.Datagram{Payload: d.Payload, Exporter: d.Src, Received: d.Time}, batch, func() { emitter.Emit(batch) })
	}
	emitter.Emit(batch)

	o.To = fmt.Sprintf("127.0.0.1:%d", s.ports.list()[0].Addr.Port())
	_, err := simulate.Run(ctx, o)
	return err
}

// newest is the time of the newest flow in the store.
func (s *server) newest(ctx context.Context) (time.Time, error) {
	if s.engine != nil {
		if err := s.engine.Ready(ctx); err != nil {
			return time.Time{}, err
		}
	}
	res, _, err := s.reader.Select(ctx, store.Query{SQL: "SELECT toUInt32(max(TimeReceived)) FROM flows"})
	if err != nil {
		return time.Time{}, err
	}
	return time.Unix(int64(res.Columns[0].([]uint32)[0]), 0), nil
}
