package flow

import "math/bits"

// Bounds of what a record may say. They are far above what networks carry, so that no true
// record is marked: a packet of a host that joins packets before it counts them has 512 KiB,
// and 100 Tbit/s for half an hour are 2^54 octets, or 2^48 packets of 64.
const (
	maxOctets     = 1 << 56 // of a record, times its sampling rate
	maxPackets    = 1 << 50
	packetBits    = 20      // of a packet's length
	maxSampleRate = 1 << 24 // what sFlow agents and routers let people configure
)

// Plausible says that a record may be true, of its octets and packets as counted and of the
// exporter's own sampling rate. An exporter that counts only octets, or only packets, leaves
// the other zero.
func Plausible(octets, packets uint64, rate uint32) bool {
	over, scaled := bits.Mul64(octets, uint64(rate))
	more, count := bits.Mul64(packets, uint64(rate))
	return over|more == 0 && scaled < maxOctets && count < maxPackets && rate <= maxSampleRate &&
		(packets == 0 || octets>>packetBits <= packets)
}
