package udp

import (
	"encoding/binary"
	"net/netip"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	receiveMessages = 256
	maxDatagram     = 65535 // the length field of UDP has 16 bits
	controlSize     = 32    // SCM_TIMESTAMPNS: 16+16 bytes
)

// receiver reads many datagrams with one recvmmsg(2), without allocating. Only those pages of its buffers
// that datagrams use take memory. They are not on the heap, because they would delay the garbage collector.
type receiver struct {
	headers  [receiveMessages]mmsghdr
	iovecs   [receiveMessages]unix.Iovec
	names    [receiveMessages]unix.RawSockaddrInet6 // large enough for IPv4 too
	controls [receiveMessages][controlSize]byte
	buffers  []byte
	n        int // messages of the last receive
}

// mmsghdr is struct mmsghdr of recvmmsg(2).
type mmsghdr struct {
	hdr unix.Msghdr
	len uint32
	_   [4]byte
}

func newReceiver() (*receiver, error) {
	buffers, err := unix.Mmap(-1, 0, receiveMessages*maxDatagram, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_NORESERVE)
	if err != nil {
		return nil, os.NewSyscallError("mmap of receive buffers", err)
	}
	r := &receiver{buffers: buffers, n: receiveMessages}
	for i := range r.headers {
		r.iovecs[i].Base = &r.buffers[i*maxDatagram]
		r.iovecs[i].SetLen(maxDatagram)
		h := &r.headers[i].hdr
		h.Name = (*byte)(unsafe.Pointer(&r.names[i]))
		h.Iov = &r.iovecs[i]
		h.SetIovlen(1)
		h.Control = &r.controls[i][0]
	}
	return r, nil
}

func (r *receiver) close() { unix.Munmap(r.buffers) }

// receive reads the datagrams that are available, and returns how many.
func (r *receiver) receive(fd int) (int, error) {
	for i := range r.n { // fields that the last call has changed
		h := &r.headers[i].hdr
		h.Namelen = uint32(unsafe.Sizeof(r.names[i]))
		h.SetControllen(controlSize)
	}
	n, _, errno := unix.Syscall6(unix.SYS_RECVMMSG, uintptr(fd), uintptr(unsafe.Pointer(&r.headers[0])), receiveMessages, unix.MSG_DONTWAIT, 0, 0)
	r.n = 0
	switch errno {
	case 0:
		r.n = int(n)
	case unix.EINTR, unix.ECONNREFUSED, unix.EAGAIN:
	default:
		return 0, os.NewSyscallError("recvmmsg", errno)
	}
	return r.n, nil
}

// message is one datagram as received.
type message struct {
	payload []byte
	from    netip.AddrPort
	at      time.Time
}

// message returns datagram i of the last receive.
func (r *receiver) message(i int) (m message) {
	h := &r.headers[i]
	m.payload = r.buffers[i*maxDatagram:][:min(int(h.len), maxDatagram)]
	m.from = addrPort(&r.names[i])
	control := r.controls[i][:min(uint64(h.hdr.Controllen), controlSize)]
	// struct cmsghdr: len:uint64 level:int32 type:int32 data, padded to 8
	const head = unix.SizeofCmsghdr
	if len(control) >= head+16 {
		c := (*unix.Cmsghdr)(unsafe.Pointer(&control[0]))
		if c.Level == unix.SOL_SOCKET && c.Type == unix.SO_TIMESTAMPNS {
			data := control[head:]
			m.at = time.Unix(int64(binary.NativeEndian.Uint64(data)), int64(binary.NativeEndian.Uint64(data[8:])))
		}
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
