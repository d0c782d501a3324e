package source

import "net/netip"

// Lookup finds entries as Exporters.Of does, but without the shared lock, because it keeps what it found. It
// belongs to one goroutine. The zero value with a list is ready.
type Lookup struct {
	Exporters   *Exporters
	lookupEntry map[exporterKey]lookupEntry
}

type lookupEntry struct {
	entry *Exporter
	known bool
	at    int64 // when the list was asked, Unix milliseconds
}

const (
	// maxFound bounds the entries of a Lookup. Forged senders only make it look up again.
	maxFound = 2048
	// askAgainMS is the delay before an exporter without room in the list is looked up again.
	askAgainMS = 1000
)

// Of returns the entry of an exporter that sent something at a time, in Unix milliseconds.
func (l *Lookup) Of(addr netip.Addr, typ uint8, now int64) (x *Exporter, known bool) {
	key := exporterKey{addr.Unmap(), typ}
	f, ok := l.lookupEntry[key]
	if ok && !f.entry.Forgotten() && (f.known || now-f.at < askAgainMS) {
		return f.entry, f.known
	}
	if l.lookupEntry == nil {
		l.lookupEntry = map[exporterKey]lookupEntry{}
	}
	if len(l.lookupEntry) >= maxFound {
		clear(l.lookupEntry)
	}
	x, known = l.Exporters.Of(addr, typ)
	l.lookupEntry[key] = lookupEntry{x, known, now}
	return x, known
}
