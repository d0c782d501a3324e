package udp

import (
	"encoding/binary"
	"net/netip"
	"os"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// Exporters over their limit are moved aside: their datagrams go to a separate socket with its own goroutine,
// so that they fill no other buffer. A program (classic BPF) in the kernel chooses the socket, without
// reading the payload.
//
// When an exporter moves, datagrams of it remain in its former socket. The socket aside waits until these are
// decoded, to preserve the order.

const (
	// MaxAside bounds the sources that are moved aside; the program has two instructions for each IPv4
	// address and eight for each IPv6 address, and may have 4,096.
	MaxAside = 256
	// holdMost is the maximum time that the socket aside waits for the others.
	holdMost = time.Second
)

// Aside directs the datagrams of these sources, and of no others, to the separate socket. It ignores those
// beyond MaxAside. Only one goroutine calls it at a time.
func (l *Listener) Aside(sources []netip.Addr) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	sources = sources[:min(len(sources), MaxAside)]
	if l.closed || !l.chooses || slices.Equal(sources, l.sources) {
		return nil
	}
	if l.aside.Load() == nil {
		s, _, err := open(l.Addr.String(), l.buffer, true)
		if err != nil {
			return err
		}
		l.aside.Store(s)
		if l.start != nil {
			l.start(s)
		}
	}
	if err := l.chooseLocked(sources); err != nil {
		return err
	}
	l.sources = slices.Clone(sources)
	l.moved.Store(time.Now().UnixNano())
	return nil
}

// All returns the sockets, the one aside last if there is one.
func (l *Listener) All() []*Socket {
	if s := l.aside.Load(); s != nil {
		return append(slices.Clip(l.Sockets), s)
	}
	return l.Sockets
}

// hold waits until the other sockets have decoded what they had when a source moved.
func (l *Listener) hold() {
	moved := l.moved.Load()
	for time.Now().UnixNano()-moved < int64(holdMost) {
		if !slices.ContainsFunc(l.Sockets, func(s *Socket) bool { return s.seen.Load() < moved }) {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// choose attaches the program, right after the sockets were opened. A single socket has no group for it until
// another joins.
func (l *Listener) choose() error {
	if len(l.Sockets) == 1 {
		s, _, err := open(l.Addr.String(), l.buffer, true)
		if err != nil {
			return err
		}
		defer unix.Close(s.fd)
	}
	return l.chooseLocked(nil)
}

func (l *Listener) chooseLocked(aside []netip.Addr) error {
	p := chooser(len(l.Sockets), l.spread, aside)
	err := unix.SetsockoptSockFprog(l.Sockets[0].fd, unix.SOL_SOCKET, unix.SO_ATTACH_REUSEPORT_CBPF,
		&unix.SockFprog{Len: uint16(len(p)), Filter: &p[0]})
	return os.NewSyscallError("SO_ATTACH_REUSEPORT_CBPF", err)
}

// chooser returns the program that chooses the socket of a datagram: the last one for sources aside,
// otherwise one at random, or by the source address and port.
func chooser(sockets int, random bool, aside []netip.Addr) (p []unix.SockFilter) {
	const (
		protocol = 0xfffff000 // SKF_AD_OFF + SKF_AD_PROTOCOL of linux/filter.h
		dice     = 0xfffff000 + 56
		network  = 0xfff00000 // SKF_NET_OFF: the IP header
		ethIPv4  = 0x0800
		source4  = network + 12
		source6  = network + 8
		port6    = network + 40 // without extension headers

		load     = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
		equal    = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
		multiply = unix.BPF_ALU | unix.BPF_MUL | unix.BPF_K
		some     = 0x9e3779b1 // a prime near 2³² divided by the golden ratio
	)
	add := func(code uint16, jt, jf uint8, k uint32) {
		p = append(p, unix.SockFilter{Code: code, Jt: jt, Jf: jf, K: k})
	}
	xorX := func() { add(unix.BPF_ALU|unix.BPF_XOR|unix.BPF_X, 0, 0, 0) }
	toX := func() { add(unix.BPF_MISC|unix.BPF_TAX, 0, 0, 0) }
	give := func() { // a hash in A, or a random number
		if random {
			add(load, 0, 0, dice)
		} else {
			add(multiply, 0, 0, some)
			add(unix.BPF_ALU|unix.BPF_RSH|unix.BPF_K, 0, 0, 16)
		}
		add(unix.BPF_ALU|unix.BPF_MOD|unix.BPF_K, 0, 0, uint32(sockets))
		add(unix.BPF_RET|unix.BPF_A, 0, 0, 0)
	}

	add(load, 0, 0, protocol)
	add(equal, 1, 0, ethIPv4)
	add(unix.BPF_JMP|unix.BPF_JA, 0, 0, 0) // to IPv6
	away := len(p) - 1

	add(load, 0, 0, source4)
	for _, a := range aside {
		if a = a.Unmap(); a.Is4() {
			four := a.As4()
			add(equal, 0, 1, binary.BigEndian.Uint32(four[:]))
			add(unix.BPF_RET|unix.BPF_K, 0, 0, uint32(sockets))
		}
	}
	add(unix.BPF_ST, 0, 0, 0)
	add(unix.BPF_LDX|unix.BPF_B|unix.BPF_MSH, 0, 0, network) // X: length of the header
	add(unix.BPF_LD|unix.BPF_H|unix.BPF_IND, 0, 0, network)
	add(multiply, 0, 0, some)
	add(unix.BPF_LDX|unix.BPF_MEM, 0, 0, 0)
	xorX()
	give()

	p[away].K = uint32(len(p) - away - 1)
	for _, a := range aside {
		if a = a.Unmap(); a.Is4() {
			continue
		}
		b := a.As16()
		for i := range 4 {
			add(load, 0, 0, source6+4*uint32(i))
			add(equal, 0, uint8(2*(3-i)+1), binary.BigEndian.Uint32(b[4*i:])) // otherwise to after the return
		}
		add(unix.BPF_RET|unix.BPF_K, 0, 0, uint32(sockets))
	}
	add(unix.BPF_LD|unix.BPF_H|unix.BPF_ABS, 0, 0, port6)
	add(multiply, 0, 0, some)
	for i := range uint32(4) {
		toX()
		add(load, 0, 0, source6+4*i)
		xorX()
		add(multiply, 0, 0, some)
	}
	give()
	return p
}
