package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"text/tabwriter"

	"netmeta/api"
	"netmeta/collector"
	"netmeta/flow"
	"netmeta/internal/pcap"
	"netmeta/packet"
	"netmeta/source"
	"netmeta/source/netflow"
	"netmeta/source/udp"
)

type decodeCmd struct {
	JSON   bool     `help:"One JSON object per line."`
	All    bool     `help:"Print templates, options data, counter samples and data not decoded as well; each line starts with the kind of its record."`
	Mirror bool     `help:"Treat packets as traffic, not exports: one row each."`
	Stats  bool     `help:"Print statistics of each exporter instead of its records."`
	Extra  []string `placeholder:"NAME,…" help:"Elements of NetFlow v9 and IPFIX to print in Extra: tcpWindowSize, ixia/hostName, ID or PEN:ID."`
	Listen string   `placeholder:"ADDR" help:"Decode datagrams that arrive on a UDP port, e.g. :2055, until Ctrl-C; nothing is stored."`
	Files  []string `arg:"" optional:"" name:"file" help:"Capture files: pcap or pcapng, also gzip'd; - reads standard input."`
}

func (decodeCmd) Help() string {
	return `Prints each flow record with the column names of the flows table. Columns that are
zero or unset are omitted. A summary follows on standard error: packets, flows,
templates, options records, and data not decoded by reason.

With --all a line begins with the kind of its record: flow, template, options_template,
options, counters (sFlow), discarded (a packet that the exporter dropped), no_template
(a data set whose template has not arrived; once it arrives, the flows follow it),
malformed or not_decoded.

Examples:
  tcpdump -i eth0 -s 0 -w flows.pcap udp port 2055
  netmeta decode flows.pcap
  netmeta decode --json flows.pcap | jq 'select(.DstPort == 53)'
  ssh router-tap tcpdump -i eth0 -s 0 -w - udp port 2055 | netmeta decode -
  netmeta decode --listen :2055
  netmeta decode --stats flows.pcap
  netmeta decode --all --json flows.pcap | jq -r .record | sort | uniq -c
  netmeta decode --extra tcpWindowSize,ixia/hostName flows.pcap
  netmeta decode --mirror traffic.pcap`
}

func (c decodeCmd) Run(ctx context.Context) error {
	if (len(c.Files) == 0) == (c.Listen == "") {
		return errors.New("no input, or two: use either capture files or --listen ADDR")
	}
	if c.Mirror && (c.Listen != "" || c.Stats || c.All) {
		return errors.New("--mirror reads packets from files; it cannot be combined with --listen, --stats or --all")
	}
	p := printer{out: bufio.NewWriterSize(stdout, 1<<20), json: c.JSON, all: c.All, live: c.Listen != "", quiet: c.Stats}
	extra, err := netflow.Elements(c.Extra)
	if err != nil {
		return fmt.Errorf("--extra: %w", err)
	}
	sum := summary{Decoding: collector.NewDecoding(source.SamplingConfig{}, extra, nil), mirror: c.Mirror, allRecords: c.All}
	if c.Listen != "" {
		err = sum.listen(ctx, c.Listen, &p)
	} else {
		err = sum.files(ctx, c.Files, &p)
	}
	sum.Settle()
	if c.Stats && err == nil {
		err = sum.stats(p.out, c.JSON)
	}
	sum.print(stderr)
	return errors.Join(err, p.err, p.out.Flush())
}

// A summary holds the counts of all files.
type summary struct {
	*collector.Decoding
	packets   uint64 // of captures, without an export datagram
	datagrams uint64
	skipped   []pcap.Skip // packets without a datagram, by reason
	mirror    bool        // packets are traffic
	mirrored  uint64      // rows made from packets

	allRecords bool // records that make no flow are printed too
}

// listen decodes what arrives on a port until ctx ends.
func (s *summary) listen(ctx context.Context, addr string, p *printer) error {
	log := slog.New(slog.NewTextHandler(stderr, logOptions(nil)))
	ports, err := udp.Open([]string{addr}, udp.Options{}, printing{s, p}, log)
	if err != nil {
		return err
	}
	fmt.Fprintf(stderr, "listening on UDP %s; Ctrl-C stops\n", ports.Addrs()[0])
	err = ports.Run(ctx, func(source.Durability) *source.Out { return p.newOut() }) // one: a port without workers has one socket
	s.datagrams = ports.Totals().Datagrams
	return err
}

// A printing makes the decoders whose rows go to a printer.
type printing struct {
	*summary
	printer *printer
}

func (x printing) Decoder() source.Decoder { return x.decoderFor(x.printer) }

// files decodes capture files one after the other. Templates of one hold for the
// next.
func (s *summary) files(ctx context.Context, paths []string, p *printer) error {
	out := p.newOut()
	for _, path := range paths {
		if err := s.file(ctx, path, out, p); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return nil
}

func (s *summary) file(ctx context.Context, path string, out *source.Out, p *printer) error {
	r, err := openCapture(path)
	if err != nil {
		return err
	}
	defer r.Close()
	defer out.Flush(context.Background()) // never ends, so there is no error
	if s.mirror {
		return s.packetRows(ctx, r, out, p)
	}
	decoder := s.decoderFor(p)
	before := s.datagrams
	for ctx.Err() == nil && p.err == nil {
		dg, err := r.NextUDP()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("after %d datagrams: %w", s.datagrams-before, err)
		}
		s.datagrams++
		if dg.Truncated {
			s.Unread.Refuse(source.TruncatedCapture)
			p.refused(source.TruncatedCapture, dg.Src.Addr())
			continue
		}
		decoder.Decode(&source.Datagram{Payload: dg.Payload, Exporter: dg.Src, Received: dg.Time}, out)
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

// packetRows makes a row from each packet of a capture.
func (s *summary) packetRows(ctx context.Context, r *pcap.Reader, out *source.Out, p *printer) error {
	for ctx.Err() == nil && p.err == nil {
		frame, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("after %d packets: %w", s.packets, err)
		}
		s.packets++
		link := packet.LinkType(frame.LinkType)
		if !link.Known() {
			s.Unread.Refuse(source.UnknownHeader)
			continue
		}
		b := out.Batch(&flow.Table, 1)
		s.mirrored++
		row, at := b.Add(), uint64(frame.Time.UnixMilli())
		flow.TimeReceived.Set(b, row, uint32(frame.Time.Unix()))
		flow.FlowStart.Set(b, row, at)
		flow.FlowEnd.Set(b, row, at)
		flow.FlowType.Set(b, row, flow.TypeMirror)
		flow.SamplingRate.Set(b, row, 1)
		flow.SamplingSource.Set(b, row, flow.SamplingRecord)
		flow.Packets.Set(b, row, 1)
		flow.Bytes.Set(b, row, uint64(frame.Length))
		packet.Dissect(b, row, link, frame.Data)
	}
	return nil
}

// stats writes the statistics of each exporter.
func (s *summary) stats(w io.Writer, asJSON bool) error {
	enc, table := json.NewEncoder(w), tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	if !asJSON {
		fmt.Fprintln(table, "exporter\ttype\tdatagrams\trecords\tflows\tsampling\tfrom\ttemplates\tlost\treordered\trestarts\trefused\tskew ms\tmedian ms\t")
	}
	samplings := s.SamplingStatus()
	var list []api.Exporter
	known, others := s.Exporters.All()
	for _, e := range known {
		list = append(list, collector.ExporterStatus(e))
	}
	if o := collector.OthersStatus(others); o != nil {
		list = append(list, *o)
	}
	for _, x := range list {
		if asJSON {
			if err := enc.Encode(struct {
				api.Exporter
				Samplings []api.Sampling `json:"samplings,omitempty"`

				// Captures are of the past: the health of their exporters is not judged.
				Loss     any `json:"loss,omitempty"`
				Problems any `json:"problems,omitempty"`
			}{Exporter: x, Samplings: samplings[x.Address+" "+x.Type]}); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintf(table, "%s\t%s\t%d\t%d\t%d\t%d\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t\n", x.Address, x.Type, x.Datagrams, x.Records, x.Flows,
			x.SamplingRate, x.SamplingSource, x.Templates, x.Lost, x.Reordered, x.Restarts, x.Refused, x.ClockSkewMS, x.ResolutionMS)
	}
	return table.Flush()
}

func openCapture(path string) (*pcap.Reader, error) {
	if path == "-" {
		return pcap.NewReader(os.Stdin)
	}
	return pcap.Open(path)
}

func (s *summary) print(w io.Writer) {
	t := s.Totals()
	without := " (printed with --all)"
	if s.allRecords {
		without = ""
	}
	fmt.Fprintf(w, "packets %d\nflows %d\ntemplates %d\noptions records %d\n", s.packets+s.datagrams, t.Flows+s.mirrored, t.Templates, t.OptionsRecords)
	if t.CounterSamples > 0 {
		fmt.Fprintf(w, "counter samples %d%s\n", t.CounterSamples, without)
	}
	if t.DiscardedSamples > 0 {
		fmt.Fprintf(w, "discarded-packet notices %d%s\n", t.DiscardedSamples, without)
	}
	var r source.Report
	s.Report(&r)
	for _, member := range r.Members {
		if member.Discards == nil {
			continue
		}
		for reason, n := range member.Discards {
			fmt.Fprintf(w, "packets discarded by the exporter: %d (%s)\n", n, reason)
		}
	}
	if t.Lost > 0 {
		fmt.Fprintf(w, "lost by sequence number %d\n", t.Lost)
	}
	for _, skip := range s.skipped {
		fmt.Fprintf(w, "not decoded: %d (%s)\n", skip.Count, skip.Reason)
	}
	for _, r := range t.Refused {
		fmt.Fprintf(w, "not decoded: %d (%s)\n", r.Count, r.Reason)
	}
}
