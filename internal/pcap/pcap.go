// Package pcap reads capture files and yields the UDP datagrams in them.
//
// gopacket/pcapgo reads the file formats: classic pcap with microseconds or nanoseconds in both byte orders, and pcapng,
// both also compressed with gzip. The path from a frame to a datagram is our own and short: link header, VLAN tags,
// IPv4 or IPv6 with extension headers, reassembly of fragments, UDP.
//
//	file ─► Next: frame + link type ─► NextUDP: addresses, ports, payload
//	                                   └─► Skipped: everything that was not a whole UDP datagram, by reason
//
// The content of a file never causes an error: frames that are not UDP or do not parse are counted and skipped. Only a
// file with a broken structure ends in an error.
package pcap

import (
	"bufio"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

// LinkType is the type of a frame's link header, as numbered at https://www.tcpdump.org/linktypes.html.
type LinkType uint16

// The link types that NextUDP understands.
const (
	LinkNull      LinkType = 0   // BSD loopback: address family in the byte order of the machine that captured
	LinkEthernet  LinkType = 1   // Ethernet II, with 802.1Q and 802.1ad tags
	LinkRawOld    LinkType = 12  // raw IP, numbering of some systems
	LinkRawBSD    LinkType = 14  // raw IP on OpenBSD
	LinkRaw       LinkType = 101 // raw IP, version in the first nibble
	LinkLoop      LinkType = 108 // OpenBSD loopback: address family in network byte order
	LinkLinuxSLL  LinkType = 113 // Linux "any" device, version 1
	LinkIPv4      LinkType = 228
	LinkIPv6      LinkType = 229
	LinkLinuxSLL2 LinkType = 276 // Linux "any" device, version 2
)

// Frame is one captured packet, beginning with the link header.
type Frame struct {
	Time     time.Time // zero if the file has no time for it (pcapng simple packets)
	LinkType LinkType
	Data     []byte // captured bytes; valid until the next call of Next or NextUDP
	Length   int    // length on the wire, at least len(Data)
}

// Datagram is one UDP datagram.
type Datagram struct {
	Time      time.Time // capture time; for fragments, of the frame that completed it
	Src, Dst  netip.AddrPort
	Payload   []byte // valid until the next call of Next or NextUDP
	Truncated bool   // the capture has fewer bytes than were sent; Payload is their start
}

// skipReason is the reason why a frame yielded no datagram.
type skipReason uint8

// The reasons, in the order in which Skipped reports them.
const (
	reasonLinkType      skipReason = iota // link type without a decoder
	reasonNotIP                           // ARP, LLDP, MPLS …
	reasonNotUDP                          // TCP, ICMP, OSPF …
	reasonShort                           // captured bytes end before the UDP header does
	reasonBadIP                           // IP header contradicts itself
	reasonBadUDP                          // UDP length contradicts the IP length
	reasonBadFragment                     // fragment overlaps another, is cut, or reaches over 65,535 bytes
	reasonFragmentLost                    // datagram whose other fragments did not arrive in time
	reasonFragmentLimit                   // datagram dropped because too many were waiting for fragments
	reasonFileCut                         // file ends within a packet
	reasons
)

var reasonText = [reasons]string{
	reasonLinkType:      "link type not supported",
	reasonNotIP:         "not IP",
	reasonNotUDP:        "not UDP",
	reasonShort:         "frame cut before the end of the UDP header",
	reasonBadIP:         "malformed IP header",
	reasonBadUDP:        "malformed UDP header",
	reasonBadFragment:   "malformed or overlapping fragment",
	reasonFragmentLost:  "datagram with missing fragments",
	reasonFragmentLimit: "datagram dropped: too many with missing fragments",
	reasonFileCut:       "file ends within a packet",
}

func (r skipReason) String() string {
	if r < reasons {
		return reasonText[r]
	}
	return fmt.Sprintf("skipReason(%d)", uint8(r))
}

// Skip is the number of frames that NextUDP skipped for one reason, or of datagrams for the fragment reasons about
// datagrams.
type Skip struct {
	Reason string `json:"reason"`
	Count  uint64 `json:"count"`
}

// packetSource is the common interface of the two readers of pcapgo.
type packetSource interface {
	ZeroCopyReadPacketData() ([]byte, gopacket.CaptureInfo, error)
}

// Reader reads one capture. It belongs to one goroutine.
type Reader struct {
	src    packetSource
	link   LinkType // of a classic file; in pcapng each packet has its own
	mixed  bool     // pcapng
	closer io.Closer
	done   bool

	skipped [reasons]uint64
	frags   reassembler
}

// Open reads the capture file at path. Close it.
func Open(path string) (*Reader, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	r, err := NewReader(f)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	r.closer = f
	return r, nil
}

const (
	magicGzip   = 0x1f8b     // RFC 1952, section 2.3.1
	magicPcapNG = 0x0a0d0d0a // section header block, the same in both byte orders
)

// NewReader reads a capture from in and detects its format from the first bytes.
func NewReader(in io.Reader) (*Reader, error) {
	br := bufio.NewReaderSize(in, 64<<10)
	head, err := br.Peek(4)
	if err == nil && binary.BigEndian.Uint16(head) == magicGzip {
		gz, gzErr := gzip.NewReader(br)
		if gzErr != nil {
			return nil, fmt.Errorf("gzip: %w", gzErr)
		}
		br = bufio.NewReaderSize(gz, 64<<10)
		head, err = br.Peek(4)
	}
	if err != nil {
		if errors.Is(err, io.EOF) {
			return nil, errors.New("not a capture file: fewer than 4 bytes")
		}
		return nil, fmt.Errorf("capture header: %w", err)
	}

	r := &Reader{}
	switch binary.BigEndian.Uint32(head) {
	case magicPcapNG:
		ng, err := pcapgo.NewNgReader(br, pcapgo.NgReaderOptions{WantMixedLinkType: true, SkipUnknownVersion: true})
		if err != nil {
			return nil, fmt.Errorf("pcapng header: %w", err)
		}
		r.src, r.mixed = ng, true
	case 0xa1b2c3d4, 0xd4c3b2a1, 0xa1b23c4d, 0x4d3cb2a1:
		classic, err := pcapgo.NewReader(br)
		if err != nil {
			return nil, fmt.Errorf("pcap header: %w", err)
		}
		r.src, r.link = classic, LinkType(classic.LinkType())
	default:
		return nil, fmt.Errorf("not a capture file: begins with % x; use pcap or pcapng, optionally compressed with gzip", head)
	}
	return r, nil
}

// Close closes the file that Open opened.
func (r *Reader) Close() error {
	if r.closer == nil {
		return nil
	}
	return r.closer.Close()
}

// Next returns the next frame, or io.EOF after the last one. A file that ends within a packet, such as an interrupted
// capture, also ends with io.EOF and is counted in Skipped.
func (r *Reader) Next() (Frame, error) {
	if r.done {
		return Frame{}, io.EOF
	}
	data, ci, err := r.src.ZeroCopyReadPacketData()
	if err != nil {
		r.done = true
		// pcapgo also returns io.EOF for a packet with a header but no data.
		if errors.Is(err, io.ErrUnexpectedEOF) || err == io.EOF && ci.CaptureLength > 0 {
			r.skipped[reasonFileCut]++
			return Frame{}, io.EOF
		}
		if err == io.EOF {
			return Frame{}, io.EOF
		}
		return Frame{}, fmt.Errorf("capture file: %w", err)
	}
	f := Frame{Time: ci.Timestamp, LinkType: r.link, Data: data, Length: max(ci.Length, len(data))}
	if r.mixed {
		f.LinkType = LinkType(ci.AncillaryData[0].(layers.LinkType))
	}
	return f, nil
}

// NextUDP returns the next UDP datagram, or io.EOF after the last one.
func (r *Reader) NextUDP() (Datagram, error) {
	for {
		f, err := r.Next()
		if err != nil {
			// The missing fragments will not arrive. Drop their datagrams, so that a further call counts nothing.
			r.skipped[reasonFragmentLost] += r.frags.clear()
			return Datagram{}, err
		}
		if d, ok := r.datagram(f); ok {
			return d, nil
		}
	}
}

// Skipped returns the counts of skipped frames and datagrams so far, without zeros, in a fixed order.
func (r *Reader) Skipped() []Skip {
	var s []Skip
	for reason, n := range r.skipped {
		if n > 0 {
			s = append(s, Skip{skipReason(reason).String(), n})
		}
	}
	return s
}
