package netflow

// Sequence numbers count datagrams (v9), flows (v5) or data records (IPFIX) that
// were sent before. A jump by up to a window is loss, or datagrams out of order;
// anything else is an exporter that started anew.
const (
	windowDatagrams = 1 << 14
	windowFlows     = 1 << 20
)

// patience is how many datagrams may come until a gap counts as lost.
const patience = 16

type sequence struct {
	started bool
	next    uint32 // expected
	uptime  uint32

	// other is where a datagram that did not fit would go on. If the next one
	// begins there, the exporter has started anew (the method of RFC 3550 A.1).
	other    uint32
	hasOther bool

	gap  uint64 // missing, but may still come
	wait int    // datagrams until gap counts
}

// heard takes note of a message: its sequence number and how many units it
// carries, if that is known. It returns how many units are now certainly lost.
func (ses *session) heard(seq, units uint32, window int32, known bool, uptime uint32, hasUptime bool) (lost uint64) {
	ses.mu.Lock()
	defer ses.mu.Unlock()
	s := &ses.sequence
	if s.gap > 0 {
		if s.wait--; s.wait <= 0 {
			lost, s.gap = s.gap, 0
		}
	}
	const tenSeconds = 10_000
	rebooted := hasUptime && s.started && int32(uptime-s.uptime) < -tenSeconds
	s.uptime = uptime
	ahead := int32(seq - s.next)
	switch {
	case !s.started || rebooted || s.hasOther && seq == s.other && ahead != 0:
		s.started, s.hasOther = known, false
		s.next = seq + units
	case ahead >= 0 && ahead <= window:
		if ahead > 0 {
			s.gap += uint64(ahead)
			s.wait = patience
		}
		s.hasOther = false
		s.next = seq + units
		s.started = known // if not, begin anew with the next message
	case ahead < 0 && s.gap > 0 && ahead >= -window:
		s.gap -= min(s.gap, uint64(units)) // late: fills a gap
	default:
		s.other, s.hasOther = seq+units, known
	}
	return lost
}

// settle gives up waiting for late datagrams.
func (ses *session) settle() (lost uint64) {
	ses.mu.Lock()
	defer ses.mu.Unlock()
	lost, ses.gap = ses.gap, 0
	return lost
}
