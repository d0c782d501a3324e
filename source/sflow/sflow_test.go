package sflow

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"testing"

	"netmeta/column"
	"netmeta/flow"
	"netmeta/internal/pcap"
	"netmeta/source"
)

// eachDatagram gives the sFlow datagrams of a capture to f.
func eachDatagram(t testing.TB, name string, f func(*source.Datagram)) {
	t.Helper()
	r, err := pcap.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for {
		d, err := r.NextUDP()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if Is(d.Payload) {
			f(&source.Datagram{Payload: d.Payload, Exporter: d.Src, Received: d.Time})
		}
	}
}

// decodeText decodes a capture to lines of JSON.
func decodeText(t testing.TB, state *State, name string) []byte {
	t.Helper()
	var text []byte
	d, b := state.Decoder(), flow.Table.NewBatch(3) // small, so that it is flushed within datagrams
	flush := func() {
		for row := range b.Len() {
			text = append(column.AppendJSON(text, b, row), '\n')
		}
		b.Reset()
	}
	eachDatagram(t, name, func(dg *source.Datagram) { d.Decode(dg, b, flush) })
	flush()
	state.Settle()
	return text
}

// decodeFile decodes a capture to the columns that are not zero.
func decodeFile(t testing.TB, state *State, name string) (rows []map[string]any) {
	t.Helper()
	for line := range bytes.Lines(decodeText(t, state, name)) {
		var row map[string]any
		if err := json.Unmarshal(line, &row); err != nil {
			t.Fatal(err)
		}
		if list, ok := row["DstCommunities"]; ok {
			row["DstCommunities"] = communities(list)
		}
		rows = append(rows, row)
	}
	return rows
}
