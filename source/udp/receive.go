package udp

import (
	"encoding/binary"
	"net/netip"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	receiveMessages = 128
	maxDatagram     = 65535 // the length field of UDP has 16 bits
	controlSize     = 64    // SCM_TIMESTAMPNS: 16+16 octets, SO_RXQ_OVFL: 16+8
)

// A receiver reads many datagrams with one recvmmsg(2), without allocating. Only
// the pages of its buffers that datagrams touch take memory.
type receiver struct {
	headers  [receiveMessages]mmsghdr
	iovecs   [receiveMessages]unix.Iovec
	names    [receiveMessages]unix.RawSockaddrInet6 // large enough for IPv4 too
	controls [receiveMessages][controlSize]byte
	buffers  []byte

	read func(fd uintptr) bool // made once: a closure for each call would allocate
	n    int
	err  error
	once bool // do not wait
}

// mmsghdr is struct mmsghdr of recvmmsg(2).
type mmsghdr struct {
	hdr unix.Msghdr
	len uint32
	_   [4]byte
}

func newReceiver() *receiver {
	r := &receiver{buffers: make([]byte, receiveMessages*maxDatagram)}
	for i := range r.headers {
		r.iovecs[i].Base = &r.buffers[i*maxDatagram]
		r.iovecs[i].SetLen(maxDatagram)
		h := &r.headers[i].hdr
		h.Name = (*byte)(unsafe.Pointer(&r.names[i]))
		h.Iov = &r.iovecs[i]
		h.SetIovlen(1)
		h.Control = &r.controls[i][0]
	}
	r.read = func(fd uintptr) bool {
		n, _, errno := unix.Syscall6(unix.SYS_RECVMMSG, fd, uintptr(unsafe.Pointer(&r.headers[0])), receiveMessages, unix.MSG_DONTWAIT, 0, 0)
		switch errno {
		case 0:
			r.n, r.err = int(n), nil
		case unix.EINTR, unix.ECONNREFUSED:
			r.n, r.err = 0, nil
		case unix.EAGAIN:
			r.n, r.err = 0, nil
			return r.once // false: wait in the poller and come back
		default:
			r.n, r.err = 0, errno
		}
		return true
	}
	return r
}

// receive waits for datagrams until the deadline of the connection, or, with once,
// takes only what is there. It returns how many were read.
func (r *receiver) receive(raw syscall.RawConn, once bool) (int, error) {
	for i := range r.headers {
		h := &r.headers[i].hdr
		h.Namelen = uint32(unsafe.Sizeof(r.names[i]))
		h.SetControllen(controlSize)
	}
	r.n, r.err, r.once = 0, nil, once
	if once { // past the deadline Read would not call us
		if err := raw.Control(func(fd uintptr) { r.read(fd) }); err != nil {
			return 0, err
		}
		return r.n, r.err
	}
	if err := raw.Read(r.read); err != nil {
		return 0, err
	}
	return r.n, r.err
}

// A message is one datagram as received.
type message struct {
	payload  []byte
	from     netip.AddrPort
	at       time.Time
	drops    uint32 // by the kernel at this socket so far, if hasDrops
	hasDrops bool
}

// message returns datagram i of the last receive.
func (r *receiver) message(i int) (m message) {
	h := &r.headers[i]
	m.payload = r.buffers[i*maxDatagram:][:min(int(h.len), maxDatagram)]
	m.from = addrPort(&r.names[i])
	control := r.controls[i][:min(uint64(h.hdr.Controllen), controlSize)]
	// struct cmsghdr: len:uint64 level:int32 type:int32 data, padded to 8
	const head = unix.SizeofCmsghdr
	for len(control) >= head {
		c := (*unix.Cmsghdr)(unsafe.Pointer(&control[0]))
		size := int(c.Len)
		if size < head || size > len(control) {
			break
		}
		data := control[head:size]
		switch {
		case c.Level == unix.SOL_SOCKET && c.Type == unix.SO_TIMESTAMPNS && len(data) >= 16:
			m.at = time.Unix(int64(binary.NativeEndian.Uint64(data)), int64(binary.NativeEndian.Uint64(data[8:])))
		case c.Level == unix.SOL_SOCKET && c.Type == unix.SO_RXQ_OVFL && len(data) >= 4:
			m.drops, m.hasDrops = binary.NativeEndian.Uint32(data), true
		}
		control = control[min(unix.CmsgSpace(size-head), len(control)):]
	}
	if m.at.IsZero() {
		m.at = time.Now()
	}
	return m
}

// addrPort reads a socket address of either family; IPv4 comes out unmapped.
func addrPort(sa *unix.RawSockaddrInet6) netip.AddrPort {
	port := (*[2]byte)(unsafe.Pointer(&sa.Port)) // network byte order
	p := binary.BigEndian.Uint16(port[:])
	if sa.Family == unix.AF_INET {
		v4 := (*unix.RawSockaddrInet4)(unsafe.Pointer(sa))
		return netip.AddrPortFrom(netip.AddrFrom4(v4.Addr), p)
	}
	return netip.AddrPortFrom(netip.AddrFrom16(sa.Addr).Unmap(), p)
}
