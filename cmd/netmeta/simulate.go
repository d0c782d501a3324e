package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"time"

	"netmeta/simulate"
)

type simulateCmd struct {
	To        string        `placeholder:"HOST:PORT" help:"Collector to send to."`
	Write     string        `placeholder:"FILE.pcap" type:"path" help:"Write a capture file instead of sending."`
	Protocol  string        `default:"ipfix" enum:"netflow5,netflow9,ipfix,sflow" help:"${enum}."`
	Rate      float64       `default:"1000" help:"Flows per second of all exporters together; 0: as fast as possible."`
	Duration  time.Duration `help:"Time to send; default: until Ctrl-C."`
	Flows     uint64        `help:"Maximum number of flows; default: no limit."`
	Seed      uint64        `default:"1" help:"The same seed gives the same traffic."`
	Exporters int           `default:"4" help:"Number of exporters (1 to 64), each with its own sampling rate."`
	IPv4Only  bool          `name:"ipv4-only" help:"No IPv6 flows."`
	Daily     bool          `help:"Vary the rate over the day; --rate is the evening peak."`
	NoEvents  bool          `help:"No attacks."`
	Sources   netip.Addr    `help:"Address of the first exporter when sending to a loopback address (default 127.0.1.1)."`
	Quiet     bool          `help:"No progress on standard error."`
}

func (simulateCmd) Help() string {
	return `Sends the traffic of an invented network: several exporters with different sampling
rates, IPv4 and IPv6, many ASes with a heavy-tailed distribution, a daily curve and
occasional attacks. Templates and options are sent as by a router. The JSON object
printed at the end holds the exact totals: bytes and packets as in the records,
bytes_scaled and packets_scaled multiplied by the sampling rates.

Examples:
  netmeta simulate --to 127.0.0.1:2055 --protocol netflow9 --rate 5000 --duration 60s
  netmeta simulate --protocol sflow --flows 1000 --write sflow.pcap`
}

func (c simulateCmd) Run(ctx context.Context) error {
	o := simulate.Options{
		Protocol: simulate.Protocol(c.Protocol), To: c.To, Rate: c.Rate, Duration: c.Duration,
		Flows: c.Flows, Seed: c.Seed, Exporters: c.Exporters, IPv4Only: c.IPv4Only,
		Daily: c.Daily, NoEvents: c.NoEvents, Sources: c.Sources,
	}
	if !c.Quiet && isTerminal(os.Stderr) {
		o.Progress = func(s simulate.Sent) {
			fmt.Fprintf(os.Stderr, "\r%.0f s  %d flows  %.0f flows/s ", s.Seconds, s.Flows, s.Rate)
		}
		defer fmt.Fprintln(os.Stderr)
	}
	sent, err := c.send(ctx, o)
	if sent.Datagrams > 0 || err == nil { // report what was sent before an error
		err = errors.Join(err, json.NewEncoder(stdout).Encode(sent))
	}
	return err
}

func (c simulateCmd) send(ctx context.Context, o simulate.Options) (simulate.Sent, error) {
	switch {
	case c.Exporters < 1 || c.Exporters > 64:
		return simulate.Sent{}, fmt.Errorf("--exporters: %d: out of range; use 1 to 64", c.Exporters)
	case (c.To == "") == (c.Write == ""):
		return simulate.Sent{}, errors.New("no target, or two: use either --to HOST:PORT or --write FILE.pcap")
	case c.Write == "":
		return simulate.Run(ctx, o)
	}
	f, err := os.Create(c.Write)
	if err != nil {
		return simulate.Sent{}, err
	}
	sent, err := simulate.WriteCapture(f, o)
	return sent, errors.Join(err, f.Close())
}
