package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"netmeta/column"
	"netmeta/flow"
	"netmeta/internal/pcap"
	"netmeta/source"
	"netmeta/source/udp"
)

type decodeCmd struct {
	JSON  bool     `help:"One JSON object a line."`
	Files []string `arg:"" name:"file" help:"Capture files: pcap or pcapng, also gzip'd; - reads standard input."`
}

func (decodeCmd) Help() string {
	return `Prints each flow record with the column names of the flows table. Columns that are
zero or unset are left out. Afterwards a summary goes to standard error: packets,
flows, templates, options records, and what was not decoded with the reason.

Examples:
  tcpdump -i eth0 -s 0 -w flows.pcap udp port 2055
  netmeta decode flows.pcap
  netmeta decode --json flows.pcap | jq 'select(.DstPort == 53)'`
}

func (c decodeCmd) Run() error {
	out := bufio.NewWriterSize(os.Stdout, 1<<20)
	d := newDecoding()
	batch := flow.Table.NewBatch(udp.BatchRows)
	write := writeText
	if c.JSON {
		write = writeJSON
	}
	var line []byte
	var failed error
	flush := func() {
		for row := range batch.Len() {
			line = write(line[:0], batch, row)
			if _, err := out.Write(line); err != nil && failed == nil {
				failed = err
			}
		}
		batch.Reset()
	}
	sum := summary{decoding: d}
	for _, path := range c.Files {
		if err := sum.file(path, batch, flush); err != nil {
			flush()
			return errors.Join(err, out.Flush())
		}
	}
	flush()
	d.settle()
	if failed == nil {
		failed = out.Flush()
	}
	sum.print(os.Stderr)
	return failed
}

func writeJSON(dst []byte, b *column.Batch, row int) []byte {
	return append(column.AppendJSON(dst, b, row), '\n')
}

// writeText is the same without braces and quotes, for reading.
func writeText(dst []byte, b *column.Batch, row int) []byte {
	return append(column.AppendText(dst, b, row), '\n')
}

// A summary counts over all files.
type summary struct {
	*decoding
	packets   uint64
	datagrams uint64
	skipped   []pcap.Skip // frames that hold no datagram
}

func (s *summary) file(path string, batch *column.Batch, flush func()) error {
	r, err := openCapture(path)
	if err != nil {
		return err
	}
	defer r.Close()
	decoder := s.decoder()
	for {
		dg, err := r.NextUDP()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			flush()
			return fmt.Errorf("%s: after %d datagrams: %w", path, s.datagrams, err)
		}
		s.datagrams++
		if dg.Truncated {
			s.unknown.Refuse(source.TruncatedCapture)
			continue
		}
		decoder.Decode(&source.Datagram{Payload: dg.Payload, Exporter: dg.Src, Received: dg.Time}, batch, flush)
	}
	for _, skip := range r.Skipped() {
		s.packets += skip.Count
		i := slices.IndexFunc(s.skipped, func(have pcap.Skip) bool { return have.Reason == skip.Reason })
		if i < 0 {
			i = len(s.skipped)
			s.skipped = append(s.skipped, pcap.Skip{Reason: skip.Reason})
		}
		s.skipped[i].Count += skip.Count
	}
	return nil
}

func openCapture(path string) (*pcap.Reader, error) {
	if path == "-" {
		return pcap.NewReader(os.Stdin)
	}
	return pcap.Open(path)
}

func (s *summary) print(w io.Writer) {
	t := s.totals()
	fmt.Fprintf(w, "packets %d\nflows %d\ntemplates %d\noptions records %d\n", s.packets+s.datagrams, t.Flows, t.Templates, t.OptionsRecords)
	if t.CounterSamples > 0 {
		fmt.Fprintf(w, "counter samples %d (not printed)\n", t.CounterSamples)
	}
	if t.DiscardedSamples > 0 {
		fmt.Fprintf(w, "discarded-packet notices %d (not printed)\n", t.DiscardedSamples)
	}
	if t.Lost > 0 {
		fmt.Fprintf(w, "missing by sequence number %d\n", t.Lost)
	}
	for _, skip := range s.skipped {
		fmt.Fprintf(w, "not decoded: %d (%s)\n", skip.Count, skip.Reason)
	}
	for _, r := range t.Refused {
		fmt.Fprintf(w, "not decoded: %d (%s)\n", r.Count, r.Reason)
	}
}
