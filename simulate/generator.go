package simulate

import (
	"math"
	"math/rand/v2"
	"net/netip"
	"time"
)

// Interfaces of every router. Three are uplinks, the others customer ports.
var uplinkVLAN = [...]uint16{0, 600, 0} // transit, internet exchange, private peering

const (
	uplinkIf    = 1  // ifIndex of the first uplink
	customerIf  = 11 // ifIndex of the first customer port
	customerIfs = 8
	interfaces  = len(uplinkVLAN) + customerIfs
)

// ifNumber counts interfaces without gaps: 0, 1, 2 for the uplinks, then the customer ports.
func ifNumber(ifIndex uint32) int {
	if ifIndex >= customerIf {
		return int(ifIndex) - customerIf + len(uplinkVLAN)
	}
	return int(ifIndex) - uplinkIf
}

func ifIndex(number int) uint32 {
	if number >= len(uplinkVLAN) {
		return uint32(number - len(uplinkVLAN) + customerIf)
	}
	return uint32(number + uplinkIf)
}

func routerMAC(exporter int, ifIndex uint32) [6]byte {
	return [6]byte{0x02, 0x00, 0x5e, byte(exporter), byte(ifIndex >> 8), byte(ifIndex)}
}

func neighbourMAC(exporter int, ifIndex uint32) [6]byte {
	return [6]byte{0x06, 0x00, 0x5e, byte(exporter), byte(ifIndex >> 8), byte(ifIndex)}
}

// generator draws the flows of one exporter. Its cost is mainly that of the logarithms and normals it needs.
type generator struct {
	world    *world
	rand     *rand.Rand
	exporter int
	ipv4Only bool
	events   bool
	sampled  bool // sFlow: one packet per flow

	// Values that depend on the time of day are valid for a few minutes.
	until  int64 // Unix time
	any    picker
	v6     picker
	volume float64

	second         int64 // for which the following is valid
	attacked       bool
	attackCustomer int
	attackRank     uint64
}

func newGenerator(w *world, o Options, exporter int) generator {
	return generator{
		world:    w,
		rand:     rand.New(rand.NewPCG(w.seed, uint64(exporter))),
		exporter: exporter,
		ipv4Only: o.IPv4Only || o.Protocol == NetFlow5,
		events:   !o.NoEvents,
		sampled:  o.Protocol == SFlow,
	}
}

const dayStep = 300 // seconds between two evaluations of the daily curve

// at sets the generator's time. It is called once per datagram.
func (g *generator) at(now time.Time) {
	t := now.Unix()
	if t >= g.until || t < g.until-dayStep {
		g.until = t - t%dayStep + dayStep
		h := hour(now.Add(time.Duration(g.until-dayStep-t) * time.Second)) // hour at the start of the step
		g.any.set(g.world.asWeights(h, nil))
		g.v6.set(g.world.asWeights(h, g.world.v6ASes))
		g.volume = 0.3 + 0.9*evening(h)
	}
	if g.events && t != g.second {
		g.second = t
		g.attackCustomer, g.attackRank, g.attacked = g.world.event(t)
	}
}

// next draws a flow. It sets everything that a record may carry except the sampling rate; encoders omit what they cannot carry.
func (g *generator) next(f *Flow, nowMS int64) {
	r := g.rand
	if g.attacked && r.Float64() < eventShare {
		g.attack(f, nowMS)
		return
	}
	v6 := !g.ipv4Only && r.Uint32() < math.MaxUint32/10*3
	var as *remoteAS
	if v6 {
		as = &g.world.ases[g.v6.pick(r)]
	} else {
		as = &g.world.ases[g.any.pick(r)]
	}
	kind := as.kind
	svc := &serviceTable[kind][g.world.services[kind].pick(r)]
	var c *customer
	if svc.remote {
		c = &g.world.customers[g.world.clients.pick(r)]
	} else {
		c = &g.world.customers[g.world.servers.pick(r)]
	}

	// Zipf with exponent 1 over n hosts: the rank is n to the power of a uniform number.
	remoteRank := uint64(math.Exp(r.Float64() * as.lnHosts))
	localRank := uint64(math.Exp(r.Float64() * c.lnHosts))
	remote, local := as.host(remoteRank, v6), c.host(localRank, v6)

	// More records are sent to the client than to the server, and larger ones.
	toClient := r.Uint32() < math.MaxUint32/100*58
	inbound := toClient == svc.remote
	g.route(f, as, c, inbound, v6, remote, local)

	size := svc.up
	if toClient {
		size = svc.down
	}
	f.Proto = svc.proto
	f.TOS = svc.dscp << 2
	f.TTL = uint8(64 - 4 - r.IntN(14))
	if inbound && mix(remoteRank)%3 == 0 {
		f.TTL += 64
	}
	f.FlowLabel, f.FragmentID = 0, 0
	if v6 {
		f.FlowLabel = uint32(mix(remoteRank<<32|localRank)) & 0xfffff
	} else {
		f.FragmentID = uint32(r.Uint32() & 0xffff)
	}
	f.SrcPort, f.DstPort, f.ICMPType, f.ICMPCode = 0, 0, 0, 0
	switch svc.proto {
	case tcp, udp:
		client := uint16(32768 + r.IntN(28232)) // the range of Linux
		if toClient {
			f.SrcPort, f.DstPort = svc.port, client
		} else {
			f.SrcPort, f.DstPort = client, svc.port
		}
	case icmp:
		f.ICMPType = 8
		if toClient {
			f.ICMPType = 0
		}
		if kind == transit {
			f.ICMPType, f.ICMPCode = 3, 3 // port unreachable
		}
		if v6 {
			f.Proto = icmpv6
			switch f.ICMPType {
			case 0:
				f.ICMPType = 129
			case 8:
				f.ICMPType = 128
			case 3:
				f.ICMPType, f.ICMPCode = 1, 4
			}
		}
		if !g.sampled {
			f.DstPort = uint16(f.ICMPType)<<8 | uint16(f.ICMPCode)
		}
	}

	g.amount(f, svc.packets, size)
	f.TCPFlags = 0
	if svc.proto == tcp {
		f.TCPFlags = g.flags(f.Packets, size)
	}
	g.times(f, nowMS)
}

// attack draws a flow of a DNS amplification attack: large unsolicited responses of open resolvers everywhere.
func (g *generator) attack(f *Flow, nowMS int64) {
	r := g.rand
	as := &g.world.ases[r.IntN(len(g.world.ases))]
	c := &g.world.customers[g.attackCustomer]
	g.route(f, as, c, true, false, as.host(uint64(r.IntN(300)), false), c.host(g.attackRank, false))
	f.Proto, f.TOS, f.TTL, f.TCPFlags = udp, 0, uint8(50+r.IntN(12)), 0
	f.FlowLabel, f.FragmentID = 0, uint32(r.Uint32()&0xffff)
	f.SrcPort, f.DstPort = 53, uint16(1024+r.IntN(64511))
	f.ICMPType, f.ICMPCode = 0, 0
	g.amount(f, 12, 1450)
	g.times(f, nowMS)
}

// route sets the values given by the two ends and the direction: addresses, ASes, masks, interfaces, hops.
func (g *generator) route(f *Flow, as *remoteAS, c *customer, inbound, v6 bool, remote, local netip.Addr) {
	uplink := uint32(uplinkIf + as.uplink)
	port := uint32(customerIf + int(c.v4>>5^c.v4>>14)%customerIfs)
	remoteMask, localMask := as.v4Bits, c.v4Bits
	if v6 {
		remoteMask, localMask = as.v6Bits, c.v6Bits
	}
	f.Exporter = g.exporter
	f.ForwardingStatus = 64 // forwarded, reason unknown (RFC 7270, section 4.12)
	if inbound {
		f.Src, f.Dst = remote, local
		f.SrcAS, f.DstAS = as.number, c.asOrOwn
		f.SrcMask, f.DstMask = remoteMask, localMask
		f.InIf, f.OutIf = uplink, port
		f.SrcVLAN, f.DstVLAN = uplinkVLAN[as.uplink], c.vlan
		f.NextHop = hop(2, port, g.exporter, v6)
		f.BGPNextHop = hop(3, port, g.exporter, v6)
		f.Direction = 0
		f.ASPath = c.path
	} else {
		f.Src, f.Dst = local, remote
		f.SrcAS, f.DstAS = c.asOrOwn, as.number
		f.SrcMask, f.DstMask = localMask, remoteMask
		f.InIf, f.OutIf = port, uplink
		f.SrcVLAN, f.DstVLAN = c.vlan, uplinkVLAN[as.uplink]
		f.NextHop = hop(0, uplink, g.exporter, v6)
		f.BGPNextHop = hop(1, uplink, g.exporter, v6)
		f.Direction = 1
		f.ASPath = as.path
	}
	f.SrcMAC = neighbourMAC(g.exporter, f.InIf)
	f.DstMAC = routerMAC(g.exporter, f.InIf)
}

// hop returns the address of a neighbour, in the benchmark range or the documentation prefix.
func hop(what byte, ifIndex uint32, exporter int, v6 bool) netip.Addr {
	if !v6 {
		return netip.AddrFrom4([4]byte{198, 19, 240 | what, byte(exporter)<<5 ^ byte(ifIndex)})
	}
	return netip.AddrFrom16([16]byte{0x20, 0x01, 0x0d, 0xb8, 0xff, 0xff, what, byte(exporter), 15: byte(ifIndex)})
}

// amount sets packets and bytes. Packets of records are log-normal around the median, and one in fifty is an elephant
// with a Pareto tail (shape 1.1), cut at 2,000, because a router exports long flows every few seconds. Sizes vary around the usual one.
func (g *generator) amount(f *Flow, median float64, size uint16) {
	r := g.rand
	n := uint64(1)
	if !g.sampled {
		var p float64
		if u := r.Uint32(); u%50 == 0 {
			p = median * 8 * math.Pow(float64(u|1)/(1<<32), -1/1.1)
		} else {
			p = median * math.Exp(0.9*r.NormFloat64())
		}
		n = uint64(min(max(1, p*g.volume), 2000))
	}
	u := r.Uint32()
	length := uint64(size)
	if size > 100 { // shorter ones all have the same length: acknowledgements, NTP, echoes
		length -= length / 4 * uint64(u&0xff) / 256
		if u>>8&7 == 0 { // handshakes and tails of transfers
			length = length*uint64(u>>16&0xff)/256 + 1
		}
	}
	least := uint64(28)
	switch {
	case f.Dst.Is6() && f.Proto == tcp:
		least = 60
	case f.Dst.Is6():
		least = 48
	case f.Proto == tcp:
		least = 40
	}
	f.Packets, f.Bytes = n, n*min(max(length, least), 1500)
}

func (g *generator) flags(packets uint64, size uint16) uint8 {
	const (
		fin, syn, rst, psh, ack = 1, 2, 4, 8, 16
	)
	u := g.rand.Uint32() & 0xff
	switch {
	case size < 45:
		return syn // a scan
	case packets > 20 && u < 128:
		return syn | ack | psh | fin
	case u < 10:
		return syn
	case u < 20:
		return rst | ack
	case u < 35:
		return fin | ack
	case u < 120:
		return psh | ack
	}
	return ack
}

// times sets the end of the flow within the last second and its start up to twenty seconds earlier.
func (g *generator) times(f *Flow, nowMS int64) {
	r := g.rand
	f.EndMS = nowMS - int64(r.Uint32()>>22) // 0 to 1023
	f.StartMS = f.EndMS
	if f.Packets > 1 {
		f.StartMS -= int64(min(20_000, 900*math.Exp(1.1*r.NormFloat64())))
	}
	f.EndReason = 2 // active timeout; RFC 5102, section 5.11.3
	switch {
	case f.TCPFlags&5 != 0:
		f.EndReason = 3 // end of flow detected
	case f.Packets == 1:
		f.EndReason = 1 // idle timeout
	}
}
