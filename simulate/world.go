package simulate

import (
	"math"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"
)

// asKind is the role of an AS. It determines its services and its busy hours.
type asKind uint8

const (
	content  asKind = iota // streaming and delivery networks: evenings, QUIC
	cloud                  // software as a service: offices
	resolver               // public DNS
	eyeball                // access networks: games, calls, visits to the servers of customers
	transit                // carriers: a little of everything
	asKinds
)

type asInfo struct {
	number     uint32
	kind       asKind
	weight     float64 // of its flows
	net4, net6 string  // one prefix is enough here; net6 may be empty
}

// Autonomous systems as in RIPEstat and PeeringDB. Prefixes are within their announced ones; weights are estimates for an
// access network in Europe.
var asTable = []asInfo{
	{2906, content, 13, "45.57.0.0/17", "2a00:86c0::/32"},      // Netflix
	{15169, content, 14, "142.250.0.0/15", "2a00:1450::/32"},   // Google
	{32934, content, 9, "157.240.0.0/16", "2a03:2880::/32"},    // Meta
	{20940, content, 8, "23.32.0.0/11", "2a02:26f0::/32"},      // Akamai
	{13335, content, 7, "104.16.0.0/13", "2606:4700::/32"},     // Cloudflare
	{54113, content, 4, "151.101.0.0/16", "2a04:4e42::/32"},    // Fastly
	{46489, content, 2.5, "52.223.192.0/18", ""},               // Twitch
	{396986, content, 4, "71.18.0.0/16", "2605:340::/32"},      // ByteDance
	{32590, content, 2, "155.133.224.0/19", "2a01:bc80::/32"},  // Valve
	{714, content, 3.5, "17.0.0.0/8", "2620:149::/36"},         // Apple
	{14907, content, 0.6, "185.15.56.0/22", "2a02:ec80::/32"},  // Wikimedia
	{8075, cloud, 6, "52.96.0.0/12", "2603:1000::/25"},         // Microsoft
	{16509, cloud, 8, "52.84.0.0/15", "2600:9000::/28"},        // Amazon
	{14061, cloud, 1.2, "159.65.0.0/16", "2604:a880::/32"},     // DigitalOcean
	{24940, cloud, 2, "88.198.0.0/16", "2a01:4f8::/32"},        // Hetzner
	{16276, cloud, 2, "51.68.0.0/16", "2001:41d0::/32"},        // OVH
	{36459, cloud, 0.8, "140.82.112.0/20", "2a0a:a440::/29"},   // GitHub
	{19281, resolver, 0.8, "9.9.9.0/24", "2620:fe::/48"},       // Quad9
	{36692, resolver, 0.5, "208.67.216.0/21", "2620:119::/36"}, // OpenDNS
	{3320, eyeball, 2.2, "84.128.0.0/10", "2003::/19"},         // Deutsche Telekom
	{3209, eyeball, 1.2, "88.64.0.0/12", "2a02:8100::/27"},     // Vodafone
	{3215, eyeball, 1.4, "90.0.0.0/9", "2a01:c000::/19"},       // Orange
	{2856, eyeball, 1, "86.128.0.0/10", "2a00:23c0::/26"},      // BT
	{7922, eyeball, 1.2, "73.0.0.0/8", "2601::/20"},            // Comcast
	{4134, eyeball, 0.7, "218.64.0.0/11", "240e::/20"},         // China Telecom
	{12389, eyeball, 0.6, "95.24.0.0/13", ""},                  // Rostelecom
	{28573, eyeball, 0.7, "187.0.0.0/10", "2804:14c::/31"},     // Claro
	{7018, eyeball, 0.8, "99.0.0.0/9", "2600:1700::/28"},       // AT&T
	{1299, transit, 0.8, "62.115.0.0/16", "2001:2030::/28"},    // Arelion
	{174, transit, 0.8, "38.0.0.0/8", "2001:550::/32"},         // Cogent
	{3356, transit, 0.7, "4.0.0.0/9", "2001:1900::/32"},        // Lumen
	{2914, transit, 0.5, "129.250.0.0/16", "2001:418::/32"},    // NTT
	{6939, transit, 0.6, "216.218.128.0/17", "2001:470::/32"},  // Hurricane Electric
	{12956, transit, 0.3, "94.142.96.0/19", "2a02:9000::/23"},  // Telxius
}

const localAS = 64500 // RFC 5398, as are those of customers

// transits are the carriers on the first uplink, the first hop of its paths.
var transits = [...]uint32{1299, 174, 3356}

type service struct {
	weight   float64
	proto    uint8
	port     uint16
	remote   bool    // the server is the remote end, else the customer
	down, up uint16  // typical IP length of packets from and to the server
	packets  float64 // median of packets in a record
	dscp     uint8
}

const (
	icmp   = 1
	tcp    = 6
	udp    = 17
	gre    = 47
	esp    = 50
	icmpv6 = 58
)

var serviceTable = [asKinds][]service{
	content: {
		{50, tcp, 443, true, 1440, 70, 4, 0},
		{40, udp, 443, true, 1290, 90, 5, 0},
		{6, tcp, 80, true, 1460, 60, 4, 0},
		{2, tcp, 5222, true, 180, 120, 2, 0},
		{1, icmp, 0, true, 84, 84, 1, 0},
		{1, udp, 3478, true, 900, 300, 6, 34},
	},
	cloud: {
		{60, tcp, 443, true, 1350, 240, 3, 0},
		{10, udp, 443, true, 1250, 120, 3, 0},
		{5, tcp, 80, true, 1400, 80, 3, 0},
		{5, tcp, 22, true, 220, 180, 3, 16},
		{6, tcp, 993, true, 700, 100, 2, 0},
		{4, tcp, 25, false, 90, 900, 2, 0},
		{4, udp, 3478, true, 260, 240, 8, 46},
		{3, udp, 4500, true, 1200, 400, 6, 0},
		{2, tcp, 443, false, 1400, 100, 3, 0},
		{1, tcp, 3306, false, 500, 150, 2, 0},
	},
	resolver: {
		{80, udp, 53, true, 180, 75, 1, 0},
		{12, tcp, 853, true, 280, 130, 2, 0},
		{6, tcp, 443, true, 400, 160, 2, 0},
		{2, icmp, 0, true, 84, 84, 1, 0},
	},
	eyeball: {
		{30, tcp, 443, false, 1430, 80, 3, 0},
		{10, udp, 443, false, 1250, 90, 3, 0},
		{8, tcp, 80, false, 1400, 80, 2, 0},
		{14, udp, 6881, true, 1300, 1100, 5, 8},
		{10, udp, 27015, true, 190, 110, 6, 0},
		{8, udp, 51820, true, 1200, 500, 6, 0},
		{5, udp, 5060, false, 620, 560, 1, 46},
		{4, tcp, 22, false, 130, 100, 2, 16},
		{3, icmp, 0, true, 84, 84, 1, 0},
		{3, tcp, 23, false, 40, 44, 1, 0},
		{3, esp, 0, true, 1250, 600, 5, 0},
		{2, gre, 0, true, 1000, 800, 4, 0},
	},
	transit: {
		{30, tcp, 443, true, 1200, 120, 3, 0},
		{15, udp, 123, true, 76, 76, 1, 0},
		{15, udp, 53, false, 220, 80, 1, 0},
		{10, tcp, 179, true, 100, 90, 1, 48},
		{10, icmp, 0, true, 84, 84, 1, 0},
		{10, tcp, 25, false, 90, 1100, 3, 0},
		{10, tcp, 22, false, 200, 150, 2, 16},
	},
}

type customerInfo struct {
	as         uint32 // 0: the provider's own
	weight     float64
	hosts      int
	server     bool // has servers with remote clients
	net4, net6 string
}

var customerTable = []customerInfo{
	{0, 30, 6000, false, "198.18.0.0/17", "3fff:100::/32"},
	{0, 24, 5000, false, "198.18.128.0/17", "3fff:101::/32"},
	{0, 15, 3000, false, "198.19.0.0/18", "3fff:102::/32"},
	{64501, 8, 60, true, "192.0.2.0/25", "2001:db8:1000::/36"},
	{64502, 6, 40, true, "198.51.100.0/25", "2001:db8:2000::/36"},
	{64503, 5, 40, true, "203.0.113.0/25", "2001:db8:3000::/36"},
	{65540, 4, 30, true, "203.0.113.128/26", "2001:db8:4000::/36"},
	{65541, 4, 24, true, "198.51.100.128/26", "2001:db8:5000::/36"},
	{0, 2, 20, true, "203.0.113.192/27", "2001:db8:6000::/48"},
	{0, 2, 16, true, "198.51.100.192/27", "2001:db8:7000::/48"},
}

// prefix holds hosts: host returns the same address for the same rank.
type prefix struct {
	v4     uint32
	v4Bits uint8
	v6     [2]uint64
	v6Bits uint8 // 0: no IPv6
	salt   uint64
}

func newPrefix(v4, v6 string, salt uint64) prefix {
	p := prefix{salt: salt}
	four := netip.MustParsePrefix(v4).Masked()
	b := four.Addr().As4()
	p.v4, p.v4Bits = be.Uint32(b[:]), uint8(four.Bits())
	if v6 != "" {
		six := netip.MustParsePrefix(v6).Masked()
		b := six.Addr().As16()
		p.v6, p.v6Bits = [2]uint64{be.Uint64(b[:]), be.Uint64(b[8:])}, uint8(six.Bits())
	}
	return p
}

func (p *prefix) host(rank uint64, v6 bool) netip.Addr {
	h := mix(p.salt + rank)
	if !v6 {
		mask := uint32(1)<<(32-p.v4Bits) - 1
		n := uint32(h) & mask
		if n == 0 || n == mask {
			n ^= 1 // neither the network nor the broadcast address
		}
		var b [4]byte
		be.PutUint32(b[:], p.v4|n)
		return netip.AddrFrom4(b)
	}
	var b [16]byte
	be.PutUint64(b[:], p.v6[0]|h&(1<<(64-p.v6Bits)-1)) // all prefixes are shorter than 64
	low := rank + 1                                    // half of the hosts are numbered by hand
	if h>>63 == 1 {
		low = mix(h)
	}
	be.PutUint64(b[8:], low)
	return netip.AddrFrom16(b)
}

type remoteAS struct {
	asInfo
	prefix
	lnHosts float64  // logarithm of the number of its hosts
	path    []uint32 // from the provider, this AS last
	uplink  int      // index of the interface towards it
}

type customer struct {
	customerInfo
	prefix
	lnHosts float64
	asOrOwn uint32
	path    []uint32 // that AS
	vlan    uint16
}

// world is the state that all exporters of a run share. It does not change after newWorld.
type world struct {
	seed      uint64
	ases      []remoteAS
	v6ASes    []int // those with IPv6
	services  [asKinds]picker
	customers []customer
	clients   picker // customers by weight
	servers   picker // those with servers, by weight; 0 for the others
}

func newWorld(seed uint64) *world {
	w := &world{seed: mix(seed + 1)}
	for i, info := range asTable {
		a := remoteAS{asInfo: info, prefix: newPrefix(info.net4, info.net6, mix(w.seed+uint64(i)))}
		a.lnHosts = math.Log(min(4000, float64(uint64(1)<<(32-a.v4Bits))))
		switch {
		case info.kind == content && info.weight >= 4:
			a.uplink, a.path = 2, []uint32{info.number} // private peering
		case info.kind != transit && i%3 != 0:
			a.uplink, a.path = 1, []uint32{info.number} // internet exchange
		default:
			first := transits[i%len(transits)]
			a.uplink, a.path = 0, []uint32{first, info.number}
			if first == info.number {
				a.path = a.path[:1]
			}
		}
		w.ases = append(w.ases, a)
		if a.v6Bits > 0 {
			w.v6ASes = append(w.v6ASes, i)
		}
	}
	for kind, list := range serviceTable {
		weights := make([]float64, len(list))
		for i, s := range list {
			weights[i] = s.weight
		}
		w.services[kind].set(weights)
	}
	clients, servers := make([]float64, len(customerTable)), make([]float64, len(customerTable))
	for i, info := range customerTable {
		c := customer{customerInfo: info, prefix: newPrefix(info.net4, info.net6, mix(w.seed+1000+uint64(i)))}
		c.lnHosts = math.Log(float64(info.hosts))
		c.asOrOwn = info.as
		if c.asOrOwn == 0 {
			c.asOrOwn = localAS
		}
		c.path = []uint32{c.asOrOwn}
		if i%2 == 0 {
			c.vlan = uint16(100 + i)
		}
		w.customers = append(w.customers, c)
		clients[i] = info.weight
		if info.server {
			servers[i] = info.weight
		}
	}
	w.clients.set(clients)
	w.servers.set(servers)
	return w
}

// Daily curves over the hours of the clock: 1 at the peak.

func evening(h float64) float64 {
	return 0.62 + 0.30*math.Cos((h-20.5)*math.Pi/12) + 0.08*math.Cos((h-20.5)*math.Pi/6)
}
func office(h float64) float64 { return max(0.15, 0.55+0.45*math.Cos((h-13.5)*math.Pi/12)) }

func hour(t time.Time) float64 {
	return float64(t.Hour()) + float64(t.Minute())/60 + float64(t.Second())/3600
}

// asWeights returns the weights at hour h of the eligible ASes (nil: all); zero for the others.
func (w *world) asWeights(h float64, eligible []int) []float64 {
	weights := make([]float64, len(w.ases))
	set := func(i int) {
		shape := evening(h)
		if k := w.ases[i].kind; k == cloud || k == resolver {
			shape = office(h)
		}
		weights[i] = w.ases[i].weight * shape
	}
	if eligible == nil {
		for i := range w.ases {
			set(i)
		}
	}
	for _, i := range eligible {
		set(i)
	}
	return weights
}

const (
	eventEvery  = 1200 // seconds; each such span has one event
	eventLength = 60   // seconds
	eventShare  = 0.35
)

// event returns the customer and the rank of the host that is under attack at Unix time t, if any.
func (w *world) event(t int64) (customer int, rank uint64, active bool) {
	span := t / eventEvery
	h := mix(w.seed ^ uint64(span)*0x9e37)
	begin := span*eventEvery + int64(h%(eventEvery-eventLength))
	if t < begin || t >= begin+eventLength {
		return 0, 0, false
	}
	c := int(h >> 32 % uint64(len(w.customers)))
	return c, h >> 40 % uint64(w.customers[c].hosts), true
}

// picker draws an index by weight in constant time: the alias method of Walker and Vose.
type picker struct {
	cut   []uint32 // draw returns i if it is below cut[i], else other[i]
	other []uint16
}

func (p *picker) set(weights []float64) {
	n := len(weights)
	if cap(p.cut) < n {
		p.cut, p.other = make([]uint32, n), make([]uint16, n)
	}
	p.cut, p.other = p.cut[:n], p.other[:n]
	total := 0.0
	for _, w := range weights {
		total += w
	}
	scaled := make([]float64, n)
	var small, large []int
	for i, w := range weights {
		scaled[i] = w * float64(n) / total
		p.cut[i], p.other[i] = math.MaxUint32, uint16(i)
		if scaled[i] < 1 {
			small = append(small, i)
		} else {
			large = append(large, i)
		}
	}
	for len(small) > 0 && len(large) > 0 {
		s, l := small[len(small)-1], large[len(large)-1]
		small = small[:len(small)-1]
		p.cut[s], p.other[s] = uint32(scaled[s]*math.MaxUint32), uint16(l)
		scaled[l] -= 1 - scaled[s]
		if scaled[l] < 1 {
			large = large[:len(large)-1]
			small = append(small, l)
		}
	}
	// Rounding may leave an index without a partner; this is fine unless it must never be drawn.
	for _, s := range small {
		if weights[s] == 0 {
			p.cut[s], p.other[s] = 0, uint16(slices.Index(weights, slices.Max(weights)))
		}
	}
}

func (p *picker) pick(r *rand.Rand) int {
	u := r.Uint64()
	i := int(u >> 32 * uint64(len(p.cut)) >> 32)
	if uint32(u) < p.cut[i] {
		return i
	}
	return int(p.other[i])
}

// mix is the finaliser of splitmix64, a good hash for a counter.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
