package main

import (
	"context"
	"encoding/json"

	"netmeta/simulate"
)

type replayCmd struct {
	To    string   `required:"" placeholder:"HOST:PORT" help:"Collector to send to."`
	Rate  float64  `help:"Datagrams per second; 0: use --speed."`
	Speed float64  `help:"Factor on the timing of the capture: 1 as captured, 10 ten times as fast, 0 as fast as possible." default:"0"`
	Loop  int      `help:"Number of passes; -1: until Ctrl-C." default:"1"`
	Port  uint16   `help:"Send only datagrams with this destination port."`
	Files []string `arg:"" name:"file" type:"existingfile" help:"Capture files: pcap or pcapng, also gzip'd."`
}

func (replayCmd) Help() string {
	return `Sends the UDP payloads of capture files unchanged. Each exporter of the capture gets its
own socket and, if the target is a loopback address, its own address (127.0.0.0/8), so
that the collector can distinguish them. Prints statistics as JSON.

Examples:
  netmeta replay --to 127.0.0.1:2055 flows.pcap
  netmeta replay --to 127.0.0.1:2055 --rate 500 --loop -1 flows.pcap.gz`
}

func (c replayCmd) Run(ctx context.Context) error {
	stats, err := simulate.Replay(ctx, simulate.ReplayOptions{
		To: c.To, Files: c.Files, Rate: c.Rate, Speed: c.Speed, Loop: c.Loop, Port: c.Port,
	})
	if err != nil {
		return err
	}
	return json.NewEncoder(stdout).Encode(stats)
}
