package main

import (
	"bufio"
	"context"
	"math"
	"net/netip"
	"strconv"
	"strings"

	"netmeta/column"
	"netmeta/counter"
	"netmeta/flow"
	"netmeta/source"
)

// A printer writes the rows of batches and, with all, the notes between them.
type printer struct {
	out   *bufio.Writer
	json  bool
	all   bool
	live  bool // flush after each batch
	quiet bool // write nothing
	line  []byte
	err   error // first error; nothing is written after it

	batch *column.Batch // the one being filled
	notes []note
}

// A note is printed before row number row of the batch being filled.
type note struct {
	source.Note
	row int
}

// newOut makes an Out whose rows are printed: of flows, and with all of counters too.
func (p *printer) newOut() *source.Out {
	batches := []*column.Batch{flow.Table.NewBatch(source.BatchRows)}
	if p.all {
		batches = append(batches, counter.Table.NewBatch(source.BatchRows/8))
	}
	return source.NewOut(source.SinkFunc(p.print), batches...)
}

// print writes all rows of a batch.
func (p *printer) print(b *column.Batch) {
	record := "flow"
	if b.Table() != &flow.Table {
		record = b.Table().Name
		p.noted(math.MaxInt) // flows come first
	}
	for row := range b.Len() {
		if record == "flow" {
			p.noted(row)
		}
		p.write(p.row(p.line[:0], b, row, record))
	}
	if record == "flow" {
		p.noted(b.Len())
	}
	p.show()
}

// show flushes the output for a user who watches.
func (p *printer) show() {
	if p.live && p.err == nil {
		p.err = p.out.Flush()
	}
}

// noted writes the notes before a row.
func (p *printer) noted(row int) {
	for len(p.notes) > 0 && p.notes[0].row <= row {
		p.write(p.note(p.line[:0], p.notes[0].Note))
		p.notes = p.notes[1:]
	}
}

func (p *printer) write(line []byte) {
	if p.err == nil && !p.quiet {
		_, p.err = p.out.Write(append(line, '\n'))
	}
	p.line = line
}

// row appends a row as a JSON object or as text.
func (p *printer) row(dst []byte, b *column.Batch, row int, record string) []byte {
	switch {
	case p.json && p.all:
		dst = append(column.AppendString(append(dst, `{"record":`...), record), ',')
		at := len(dst)
		dst = column.AppendJSON(dst, b, row)
		return append(dst[:at], dst[at+1:]...) // without the opening brace
	case p.json:
		return column.AppendJSON(dst, b, row)
	case p.all:
		dst = append(append(dst, record...), ' ')
	}
	return column.AppendText(dst, b, row)
}

func (p *printer) note(dst []byte, n source.Note) []byte {
	if p.json {
		dst = column.AppendString(append(dst, `{"record":`...), n.Record)
	} else {
		dst = append(dst, n.Record...)
	}
	for _, part := range n.Parts {
		if p.json {
			dst = append(column.AppendString(append(dst, ','), part.Name), ':')
		} else {
			dst = append(append(append(dst, ' '), part.Name...), '=')
		}
		switch v := part.Value.(type) {
		case uint64:
			dst = strconv.AppendUint(dst, v, 10)
		case []string:
			dst = p.list(dst, v)
		case string:
			dst = p.text(dst, v)
		}
	}
	if p.json {
		dst = append(dst, '}')
	}
	return dst
}

func (p *printer) list(dst []byte, list []string) []byte {
	if !p.json {
		return p.text(dst, strings.Join(list, ","))
	}
	dst = append(dst, '[')
	for i, v := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = column.AppendString(dst, v)
	}
	return append(dst, ']')
}

func (p *printer) text(dst []byte, v string) []byte {
	if quoted := column.AppendString(nil, v); p.json || v == "" || strings.Contains(v, " ") || len(quoted) != len(v)+2 {
		return append(dst, quoted...)
	}
	return append(dst, v...)
}

// refused prints a datagram that does not reach a decoder.
func (p *printer) refused(r source.Reason, from netip.Addr) {
	if p.all {
		p.write(p.note(p.line[:0], r.Note(source.Part{Name: "ExporterAddress", Value: from.Unmap().String()})))
	}
}

// A printingDecoder prints everything that a decoder finds in a datagram, in order.
type printingDecoder struct {
	source.Decoder
	*printer
}

// Decode implements source.Decoder.
func (t printingDecoder) Decode(dg *source.Datagram, out *source.Out) {
	t.batch = out.Batch(&flow.Table, 1)
	t.Decoder.Decode(dg, out)
	out.Flush(context.Background()) // never ends, so there is no error
	t.noted(math.MaxInt)
	t.show()
}

// decoderFor makes the decoder whose rows a printer gets, with notes if it prints all.
func (s *summary) decoderFor(p *printer) source.Decoder {
	d := s.Decoder()
	if !p.all {
		return d
	}
	d.Notes(func(n source.Note) { p.notes = append(p.notes, note{n, p.batch.Len()}) })
	return printingDecoder{d, p}
}
