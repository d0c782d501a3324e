package sflow

import (
	"bytes"
	"fmt"
	"math/bits"
	"math/rand/v2"
	"net/netip"
	"testing"

	"netmeta/simulate"
	"netmeta/source"
)

// A cursor reads XDR the slow and obvious way: one word after the other. What is not
// there ends all reading.
type cursor struct {
	rest []byte
	bad  bool
}

func (c *cursor) opaque(n int) []byte {
	if n > len(c.rest) {
		c.bad, c.rest = true, nil
		return make([]byte, min(n, 1<<16))
	}
	b := c.rest[:n]
	c.rest = c.rest[n:]
	return b
}

func (c *cursor) word() int {
	b := c.opaque(4)
	return int(b[0])<<24 | int(b[1])<<16 | int(b[2])<<8 | int(b[3])
}

func (c *cursor) block() *cursor {
	n := c.word()
	if n%4 != 0 {
		c.bad = true
	}
	return &cursor{rest: c.opaque(n), bad: c.bad}
}

func (c *cursor) address() string {
	switch family := c.word(); family {
	case 0:
		return "::"
	case 1:
		return netip.AddrFrom4([4]byte(c.opaque(4))).String()
	case 2:
		return netip.AddrFrom16([16]byte(c.opaque(16))).Unmap().String()
	}
	c.bad = true
	return ""
}

func (c *cursor) list() (list []any) {
	for n := c.word(); n > 0 && !c.bad; n-- {
		list = append(list, c.word())
	}
	return list
}

// slowRows is a whole datagram as rows, without what is in sampled headers; ok is
// false when anything is wrong with it.
func slowRows(payload []byte) (rows []map[string]any, ok bool) {
	c := &cursor{rest: payload}
	if c.word() != 5 {
		return nil, false
	}
	agent := c.address()
	subAgent, sequence := c.word(), c.word()
	c.word()
	n := c.word()
	for ; n > 0 && !c.bad; n-- {
		format := c.word()
		s := c.block()
		expanded := format == 3
		if format == 2 || format == 4 || format == 5 {
			continue
		}
		if format != 1 && !expanded {
			return nil, false
		}
		row := map[string]any{"ObservationDomain": subAgent, "SequenceNum": sequence}
		if agent != "::" && agent != "0.0.0.0" {
			row["ExporterAddress"] = agent
		}
		s.word()
		if s.word(); expanded {
			s.word()
		}
		row["SamplingRate"] = max(1, s.word())
		s.word()
		s.word()
		for _, name := range []string{"InIf", "OutIf"} {
			format, value := 0, 0
			if expanded {
				format, value = s.word(), s.word()
			} else {
				w := s.word()
				format, value = w>>30, w&0x3fffffff
			}
			if format != 0 || value == 0x3fffffff || value == 0xffffffff {
				value = 0
			}
			row[name] = value
		}
		header, ip, ethernet, mpls := false, false, false, ""
		for n := s.word(); n > 0 && !s.bad; n-- {
			format := s.word()
			r := s.block()
			switch format {
			case 1:
				if r.word(); header {
					return nil, false // one sampled header a sample, or it is not for us to say
				}
				header = true
				row["Bytes"] = r.word()
				r.word()
				r.opaque(r.word())
			case 2, 3, 4:
				if header || ip || ethernet {
					return nil, false // other tests check which one holds
				}
				if format == 2 {
					ethernet = true
					row["Bytes"] = r.word()
					row["SrcMac"] = fmt.Sprintf("% x", r.opaque(6))
					r.opaque(2)
					row["DstMac"] = fmt.Sprintf("% x", r.opaque(6))
					r.opaque(2)
					r.word()
					continue
				}
				ip = true
				row["Bytes"], row["Proto"] = r.word(), r.word()&0xff
				size := 4 + 12*(format-3)
				for _, name := range []string{"SrcAddr", "DstAddr"} {
					a, _ := netip.AddrFromSlice(r.opaque(size))
					row[name] = a.Unmap()
				}
				row["SrcPort"], row["DstPort"], row["TCPFlags"], row["IPTos"] = r.word()&0xffff, r.word()&0xffff, r.word()&0xffff, r.word()&0xff
			case 1001:
				for _, name := range []string{"SrcVlan", "DstVlan"} {
					if v := r.word(); v > 0 && v < 4095 {
						row[name] = v
					} else {
						delete(row, name)
					}
					r.word()
				}
			case 1002:
				row["NextHop"] = r.address()
				for _, name := range []string{"SrcMask", "DstMask"} {
					v := r.word()
					if v > 128 && bits.OnesCount32(uint32(v)) == bits.LeadingZeros32(^uint32(v)) {
						v = bits.OnesCount32(uint32(v))
					}
					if v > 128 {
						return nil, false
					}
					if v != 0 {
						row[name] = v
					}
				}
			case 1003:
				if hop := r.address(); hop != "::" {
					row["BGPNextHop"] = hop
				}
				r.word()
				row["SrcAS"] = r.word()
				r.word()
				var path []any
				for n := r.word(); n > 0 && !r.bad; n-- {
					r.word()
					path = append(path, r.list()...)
				}
				if len(path) > 0 {
					row["DstASPath"], row["NextHopAS"], row["DstAS"] = path, path[0], path[len(path)-1]
				}
				if list := r.list(); len(list) > 0 {
					row["DstCommunities"] = list
				}
			case 1006:
				mpls = r.address()
				r.list() // the labels of the header may be others
			case 1007:
				row["SrcAddrNAT"], row["DstAddrNAT"] = r.address(), r.address()
			case 1020:
				row["SrcPortNAT"], row["DstPortNAT"] = r.word()&0xffff, r.word()&0xffff
			case 1012, 1023, 1024, 1025, 1026, 1029, 1030:
				return nil, false // checked by other tests
			}
			s.bad = s.bad || r.bad
		}
		if hop := row["NextHop"]; mpls != "" && (hop == nil || hop == "::") {
			row["NextHop"] = mpls
		}
		if ethernet {
			delete(row, "SrcMac") // as text it is another
			delete(row, "DstMac")
		}
		c.bad = c.bad || s.bad || len(s.rest) > 0
		rows = append(rows, row)
	}
	return rows, !c.bad && len(c.rest) == 0
}

func compareSlow(t *testing.T, payload []byte) bool {
	t.Helper()
	want, ok := slowRows(payload)
	if !ok {
		return false
	}
	state := New(Options{})
	got := decodePayload(t, state, payload)
	if len(got) != len(want) {
		t.Fatalf("%d rows, want %d\n%x", len(got), len(want), payload)
	}
	if n := state.Counters().Flows.Load(); n != uint64(len(want)) {
		t.Fatalf("%d flows counted, want %d", n, len(want))
	}
	for i := range want {
		for name, v := range want[i] {
			text := fmt.Sprint(v)
			if got[i][name] == nil && (text == "0" || text == "0.0.0.0" || text == "::") {
				continue
			}
			if fmt.Sprint(got[i][name]) != text {
				t.Fatalf("row %d: %s = %v, want %v\n%v\n%x", i, name, got[i][name], v, got[i], payload)
			}
		}
	}
	return true
}

// TestSlow compares with the slow decoder: datagrams that are whole must be read
// without fault, and those with words changed as far as they are still whole.
func TestSlow(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	payloads, _ := simulate.Capture(simulate.SFlow, 1000, 9)
	for _, name := range []string{"pmsflow", "ovs"} {
		eachDatagram(t, "testdata/"+name+".pcap", func(d *source.Datagram) { payloads = append(payloads, bytes.Clone(d.Payload)) })
	}
	same := 0
	for _, whole := range payloads {
		if !compareSlow(t, whole) {
			t.Fatalf("the slow decoder does not read %x", whole)
		}
		for changes := range 10 {
			payload := bytes.Clone(whole)
			for range changes {
				payload[random.IntN(len(payload))] = byte(random.Uint32())
			}
			if compareSlow(t, payload) {
				same++
			}
		}
	}
	t.Logf("%d datagrams, %d of them changed and still whole", len(payloads)+same, same)
}

// FuzzSlow looks for differences from the slow decoder.
func FuzzSlow(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, payload []byte) { compareSlow(t, payload) })
}
