package flow

import "math/bits"

// Bounds of plausible values. They are far above what networks carry, so that no correct
// record is marked: a host that joins packets before it counts them has packets of 512 KiB,
// and 100 Tbit/s for half an hour are 2^54 octets, or 2^48 packets of 64.
const (
	maxOctets     = 1 << 56 // of a record, times its sampling rate
	maxPackets    = 1 << 50
	packetBits    = 20      // of a packet's length
	maxSampleRate = 1 << 24 // maximum that sFlow agents and routers allow
)

// Plausible reports whether a record may be correct. octets and packets are as counted by
// the exporter, the sampling rate is its own. An exporter may count only octets or only
// packets; the other value is 0.
func Plausible(octets, packets uint64, rate uint32) bool {
	over, scaled := bits.Mul64(octets, uint64(rate))
	more, count := bits.Mul64(packets, uint64(rate))
	return over|more == 0 && scaled < maxOctets && count < maxPackets && rate <= maxSampleRate &&
		(packets == 0 || octets>>packetBits <= packets)
}
