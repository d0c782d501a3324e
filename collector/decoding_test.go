package collector

import (
	"errors"
	"io"
	"net/netip"
	"reflect"
	"testing"

	"netmeta/api"
	"netmeta/column"
	"netmeta/flow"
	"netmeta/internal/conf"
	"netmeta/internal/pcap"
	"netmeta/source"
)

// into makes an Out for the rows of a batch; what is in it when it is full is forgotten.
func into(b *column.Batch) *source.Out {
	return source.NewOut(source.SinkFunc(func(*column.Batch) {}), b)
}

// The sampling rates of an exporter come from all origins: its records, its options data, its headers, the
// configuration; and from sFlow the effective rate.
func TestSamplings(t *testing.T) {
	d := NewDecoding(source.SamplingConfig{Exporters: map[conf.Addr]uint32{conf.AddrOf(netip.MustParseAddr("127.0.0.1")): 1000}}, nil, nil)
	dec, out := d.Decoder(), into(flow.Table.NewBatch(1024))
	for _, name := range []string{"sflow/testdata/ovs", "sflow/testdata/pmsflow", "netflow/testdata/pmnfv5", "netflow/testdata/pmnfv9", "netflow/testdata/pmipfix"} {
		r, err := pcap.Open("../source/" + name + ".pcap")
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		for {
			u, err := r.NextUDP()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			dec.Decode(&source.Datagram{Payload: u.Payload, Exporter: u.Src, Received: u.Time}, out)
		}
	}
	config := api.Sampling{Of: "exporter", Rate: 1000, Source: "config"}
	want := map[string][]api.Sampling{
		"127.0.0.1 sflow":    {config, {Of: "entity", ID: 1000, Rate: 2, Source: "record", Effective: 2, Samples: 27}},
		"10.99.1.2 sflow":    {{Domain: 3, Of: "interface", ID: 1, Rate: 4, Source: "record", Effective: 4, Samples: 28}},
		"127.0.0.1 netflow5": {config, {Of: "exporter", Rate: 2, Source: "header"}},
		"127.0.0.1 netflow9": {config, {Domain: 5, Of: "selector", ID: 1, Rate: 2, Source: "options"}},
		"127.0.0.1 ipfix":    {config, {Domain: 77, Of: "selector", ID: 1, Rate: 2, Source: "options"}},
	}
	for key, got := range d.SamplingStatus() {
		if !reflect.DeepEqual(got, want[key]) {
			t.Errorf("%s: %+v, want %+v", key, got, want[key])
		}
		delete(want, key)
	}
	if len(want) > 0 {
		t.Errorf("not there: %+v", want)
	}
}
