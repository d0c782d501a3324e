package collector

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/netsampler/goflow2/v2/decoders/netflow"
	"github.com/netsampler/goflow2/v2/decoders/netflowlegacy"
	"github.com/netsampler/goflow2/v2/decoders/sflow"
	flowpb "github.com/netsampler/goflow2/v2/pb"
	"github.com/netsampler/goflow2/v2/producer"
	protoproducer "github.com/netsampler/goflow2/v2/producer/proto"

	"netmeta/column"
	"netmeta/flow"
	"netmeta/simulate"
	"netmeta/source"
)

// A peer is goflow2, a collector that is not ours, from the datagram to its own idea
// of a flow record.
type peer struct {
	templates map[netip.AddrPort]netflow.NetFlowTemplateSystem
	producer  producer.ProducerInterface
}

func newPeer(t *testing.T) *peer {
	config, err := (&protoproducer.ProducerConfig{}).Compile()
	if err != nil {
		t.Fatal(err)
	}
	p, err := protoproducer.CreateProtoProducer(config, protoproducer.CreateSamplingSystem)
	if err != nil {
		t.Fatal(err)
	}
	return &peer{map[netip.AddrPort]netflow.NetFlowTemplateSystem{}, p}
}

func (p *peer) decode(payload []byte, src netip.AddrPort, at time.Time) (list []*protoproducer.ProtoProducerMessage, err error) {
	templates := p.templates[src]
	if templates == nil {
		templates = netflow.CreateTemplateSystem()
		p.templates[src] = templates
	}
	var message any
	b := bytes.NewBuffer(bytes.Clone(payload))
	switch binary.BigEndian.Uint16(payload) {
	case 5:
		m := &netflowlegacy.PacketNetFlowV5{}
		message, err = m, netflowlegacy.DecodeMessageVersion(b, m)
	case 9:
		m := &netflow.NFv9Packet{}
		message, err = m, netflow.DecodeMessageVersion(b, templates, m, nil)
	case 10:
		m := &netflow.IPFIXPacket{}
		message, err = m, netflow.DecodeMessageVersion(b, templates, nil, m)
	default:
		m := &sflow.Packet{}
		message, err = m, sflow.DecodeMessageVersion(b, m)
	}
	if err != nil {
		return nil, err
	}
	out, err := p.producer.Produce(message, &producer.ProduceArgs{Src: src, SamplerAddress: src.Addr(), TimeReceived: at})
	for _, m := range out {
		list = append(list, m.(*protoproducer.ProtoProducerMessage))
	}
	return list, err
}

// peerFields names what a goflow2 message says as our columns do.
func peerFields(m *protoproducer.ProtoProducerMessage) map[string]any {
	f := map[string]any{
		"ExporterAddress": peerAddr(m.SamplerAddress), "SequenceNum": m.SequenceNum,
		"Bytes": m.Bytes, "Packets": m.Packets,
		"SrcAddr": peerAddr(m.SrcAddr), "DstAddr": peerAddr(m.DstAddr), "SrcPort": m.SrcPort, "DstPort": m.DstPort,
		"Proto": m.Proto, "EType": m.Etype, "TCPFlags": m.TcpFlags, "IPTos": m.IpTos, "IPTTL": m.IpTtl,
		"IPv6FlowLabel": m.Ipv6FlowLabel, "FragmentId": m.FragmentId, "IcmpType": m.IcmpType, "IcmpCode": m.IcmpCode,
		"ForwardingStatus": m.ForwardingStatus, "InIf": m.InIf, "OutIf": m.OutIf,
		"SrcVlan": m.SrcVlan, "DstVlan": m.DstVlan, "SrcMac": mac(m.SrcMac), "DstMac": mac(m.DstMac),
		"SrcAS": m.SrcAs, "DstAS": m.DstAs, "SrcMask": m.SrcNet, "DstMask": m.DstNet,
		"NextHop": peerAddr(m.NextHop), "BGPNextHop": peerAddr(m.BgpNextHop), "DstASPath": m.AsPath, "DstCommunities": m.BgpCommunities,
		"FlowStart": int64(m.TimeFlowStartNs / 1e6), "FlowEnd": int64(m.TimeFlowEndNs / 1e6),
	}
	switch m.Type {
	case flowpb.FlowMessage_NETFLOW_V5:
		f["SamplingRate"] = max(1, m.SamplingRate)
	case flowpb.FlowMessage_SFLOW_5:
		f["SamplingRate"] = m.SamplingRate
		delete(f, "IcmpType") // of sampled headers, goflow2 2.2.6 does not keep them
		delete(f, "IcmpCode")
	default:
		f["ObservationDomain"] = m.ObservationDomainId
	}
	return f
}

// truth names what the simulator put into a record as our columns do.
func truth(f *simulate.Flow) map[string]any {
	m := map[string]any{
		"SamplingRate": f.SamplingRate, "Bytes": f.Bytes, "Packets": f.Packets,
		"SrcAddr": f.Src, "DstAddr": f.Dst, "SrcPort": f.SrcPort, "DstPort": f.DstPort,
		"Proto": f.Proto, "TCPFlags": f.TCPFlags, "IPTos": f.TOS, "IPTTL": f.TTL,
		"IPv6FlowLabel": f.FlowLabel, "FragmentId": f.FragmentID, "IcmpType": f.ICMPType, "IcmpCode": f.ICMPCode,
		"ForwardingStatus": f.ForwardingStatus, "FlowEndReason": f.EndReason, "InIf": f.InIf, "OutIf": f.OutIf,
		"SrcVlan": f.SrcVLAN, "DstVlan": f.DstVLAN, "SrcMac": mac(column.MACFrom(f.SrcMAC)), "DstMac": mac(column.MACFrom(f.DstMAC)),
		"SrcAS": f.SrcAS, "DstAS": f.DstAS, "SrcMask": f.SrcMask, "DstMask": f.DstMask,
		"NextHop": f.NextHop, "BGPNextHop": f.BGPNextHop, "DstASPath": f.ASPath,
	}
	if f.StartMS != 0 {
		m["FlowStart"], m["FlowEnd"] = f.StartMS, f.EndMS
	}
	return m
}

func peerAddr(b []byte) netip.Addr {
	a, _ := netip.AddrFromSlice(b)
	return a.Unmap()
}

func mac(m uint64) string { return string(column.AppendMAC(nil, m)) }

// rows decodes with what netmeta run uses, and reads what netmeta decode prints.
func rows(t *testing.T, d source.Decoder, batch *column.Batch, payload []byte, src netip.AddrPort, at time.Time) (list []map[string]any) {
	t.Helper()
	take := func() {
		for row := range batch.Len() {
			m := map[string]any{}
			text := json.NewDecoder(bytes.NewReader(column.AppendJSON(nil, batch, row)))
			text.UseNumber()
			if err := text.Decode(&m); err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{"FlowStart", "FlowEnd"} {
				at, err := time.Parse(time.RFC3339, fmt.Sprint(m[name]))
				if err != nil {
					t.Fatal(err)
				}
				m[name] = at.UnixMilli()
			}
			list = append(list, m)
		}
		batch.Reset()
	}
	d.Decode(&source.Datagram{Payload: payload, Exporter: src, Received: at}, source.NewOut(source.SinkFunc(func(*column.Batch) { take() }), batch))
	take()
	return list
}

// text writes a value so that what is zero and what is not there are the same.
func text(v any) string {
	s := fmt.Sprint(v)
	if slices.Contains([]string{"<nil>", "0", "[]", "invalid IP", "0.0.0.0", "::", "00:00:00:00:00:00"}, s) {
		return ""
	}
	return s
}

// Every field of every record of simulated exporters is what the simulator put in,
// and what goflow2 finds in it.
func TestPeer(t *testing.T) {
	for _, protocol := range simulate.Protocols {
		t.Run(string(protocol), func(t *testing.T) {
			o := simulate.Options{Protocol: protocol, Flows: 20_000, Rate: 400, Exporters: 7, Seed: 5,
				Now: func() time.Time { return time.Date(2026, 1, 1, 12, 0, 0, 345e6, time.UTC) }}
			decoding, them, batch := NewDecoding(source.SamplingConfig{}, nil, nil), newPeer(t), flow.Table.NewBatch(100)
			decoder := decoding.Decoder()
			flows, compared := 0, map[string]int{}
			for d := range simulate.Datagrams(o) {
				got := rows(t, decoder, batch, d.Payload, d.Src, d.Time)
				theirs, err := them.decode(d.Payload, d.Src, d.Time)
				if err != nil {
					t.Fatal(err)
				}
				if len(got) != len(d.Flows) || len(theirs) != len(got) {
					t.Fatalf("%d rows, goflow2 %d, sent %d", len(got), len(theirs), len(d.Flows))
				}
				for i := range got {
					icmp := protocol != simulate.SFlow && (d.Flows[i].Proto == 1 || d.Flows[i].Proto == 58)
					for who, want := range map[string]map[string]any{"the simulator": truth(&d.Flows[i]), "goflow2": peerFields(theirs[i])} {
						if icmp && text(want["IcmpType"]) == "" && text(want["IcmpCode"]) == "" {
							// Where a record has no field for them they are in the destination port, and
							// we look there.
							port := d.Flows[i].DstPort
							want["IcmpType"], want["IcmpCode"] = port>>8, port&0xff
						}
						if protocol != simulate.SFlow {
							delete(want, "IPTTL") // element 52, minimumTTL, has no column
						}
						for name, v := range want {
							if a, b := text(got[i][name]), text(v); a != b {
								t.Errorf("flow %d: %s is %q, %s says %q\n%v", flows+i, name, a, who, b, got[i])
							} else if a != "" {
								compared[who+" "+name]++
							}
						}
					}
				}
				if t.Failed() {
					t.FailNow()
				}
				flows += len(got)
			}
			if flows != 20_000 {
				t.Errorf("%d flows", flows)
			}
			if n := decoding.Totals(); n.Flows != 20_000 || n.Lost != 0 || len(n.Refused) > 0 {
				t.Errorf("totals %+v", n)
			}
			values := 0
			for _, n := range compared {
				values += n
			}
			t.Logf("%d values that are not zero, in %d fields", values, len(compared))
			if values < 20_000*30 {
				t.Error("so few were compared that the test says little")
			}
		})
	}
}
