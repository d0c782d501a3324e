package pcap

import (
	"encoding/binary"
	"fmt"
	"io"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

// Writer writes UDP datagrams as a classic pcap with nanoseconds: Ethernet, IPv4 or IPv6, UDP, with the checksums
// that a receiver would verify. It belongs to one goroutine.
type Writer struct {
	out *pcapgo.Writer
	buf []byte
}

// NewWriter writes the file header to w.
func NewWriter(w io.Writer) (*Writer, error) {
	out := pcapgo.NewWriterNanos(w)
	if err := out.WriteFileHeader(256<<10, layers.LinkTypeEthernet); err != nil {
		return nil, fmt.Errorf("pcap header: %w", err)
	}
	return &Writer{out: out}, nil
}

const (
	etherSize = 14
	ipv4Size  = 20
	ipv6Size  = 40
	udpSize   = 8
)

// WriteUDP writes d as one frame, never fragmented. Both addresses are of one family; Truncated is ignored.
func (w *Writer) WriteUDP(d Datagram) error {
	src, dst := d.Src.Addr().Unmap(), d.Dst.Addr().Unmap()
	if !src.IsValid() || !dst.IsValid() || src.Is4() != dst.Is4() {
		return fmt.Errorf("source %v and destination %v are not of one address family", d.Src, d.Dst)
	}
	ipSize := ipv6Size
	if src.Is4() {
		ipSize = ipv4Size
	}
	udpLength := udpSize + len(d.Payload)
	if udpLength > maxDatagram-ipv4Size {
		return fmt.Errorf("payload has %d bytes, a datagram holds at most %d", len(d.Payload), maxDatagram-ipv4Size-udpSize)
	}

	w.buf = append(w.buf[:0], make([]byte, etherSize+ipSize+udpSize)...)
	w.buf = append(w.buf, d.Payload...)
	ether, ip, udp := w.buf, w.buf[etherSize:], w.buf[etherSize+ipSize:]

	// Locally administered MAC addresses that end in the low bytes of the IP addresses, which distinguishes hosts.
	ether[0], ether[6] = 0x02, 0x02
	dst16, src16 := dst.As16(), src.As16()
	copy(ether[2:6], dst16[12:])
	copy(ether[8:12], src16[12:])

	be := binary.BigEndian
	var pseudo uint64 // sum of the pseudo header: RFC 768 and RFC 8200, section 8.1
	if src.Is4() {
		be.PutUint16(ether[12:], etherIPv4)
		ip[0] = 0x45
		be.PutUint16(ip[2:], uint16(ipv4Size+udpLength))
		be.PutUint16(ip[6:], 0x4000) // don't fragment
		ip[8], ip[9] = 64, protoUDP
		copy(ip[12:], src16[12:])
		copy(ip[16:], dst16[12:])
		be.PutUint16(ip[10:], checksum(0, ip[:ipv4Size]))
		pseudo = sum(0, ip[12:ipv4Size])
	} else {
		be.PutUint16(ether[12:], etherIPv6)
		ip[0] = 0x60
		be.PutUint16(ip[4:], uint16(udpLength))
		ip[6], ip[7] = protoUDP, 64
		copy(ip[8:], src16[:])
		copy(ip[24:], dst16[:])
		pseudo = sum(0, ip[8:ipv6Size])
	}
	be.PutUint16(udp, d.Src.Port())
	be.PutUint16(udp[2:], d.Dst.Port())
	be.PutUint16(udp[4:], uint16(udpLength))
	c := checksum(pseudo+protoUDP+uint64(udpLength), udp)
	if c == 0 {
		c = 0xffff // zero would mean that there is no checksum
	}
	be.PutUint16(udp[6:], c)

	err := w.out.WritePacket(gopacket.CaptureInfo{Timestamp: d.Time, CaptureLength: len(w.buf), Length: len(w.buf)}, w.buf)
	if err != nil {
		return fmt.Errorf("pcap packet: %w", err)
	}
	return nil
}

// sum adds the 16-bit words of data, RFC 1071. It is folded by checksum.
func sum(s uint64, data []byte) uint64 {
	for len(data) >= 2 {
		s += uint64(binary.BigEndian.Uint16(data))
		data = data[2:]
	}
	if len(data) == 1 {
		s += uint64(data[0]) << 8
	}
	return s
}

func checksum(s uint64, data []byte) uint16 {
	s = sum(s, data)
	for s > 0xffff {
		s = s>>16 + s&0xffff
	}
	return ^uint16(s)
}
