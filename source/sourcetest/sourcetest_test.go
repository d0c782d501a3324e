package sourcetest_test

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"log/slog"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"netmeta/flow"
	"netmeta/source"
	"netmeta/source/detect"
	"netmeta/source/netflow"
	"netmeta/source/sourcetest"
	"netmeta/source/udp"
)

func TestMain(m *testing.M) { sourcetest.Main(m) }

// Every source has a line here.
func TestUDP(t *testing.T) { sourcetest.Test(t, openUDP) }
func TestTold(t *testing.T) {
	sourcetest.Test(t, func(testing.TB) sourcetest.Subject { return newLog(false).subject() })
}
func TestAnswering(t *testing.T) {
	sourcetest.Test(t, func(testing.TB) sourcetest.Subject { return newLog(true).subject() })
}

// openUDP is the source of UDP with NetFlow v5, whose sequence numbers count records, so
// that the places in the sequence say how many are durable.
func openUDP(t testing.TB) sourcetest.Subject {
	state := netflow.New(netflow.Options{})
	family := &detect.Family{Protocols: []source.Protocol{state.Protocol()}}
	const addr = "127.0.0.1:0"
	ports, err := udp.Open([]string{addr}, udp.Options{Workers: 2}, family, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ports.Close)
	conn, err := net.Dial("udp", ports.Addrs()[0].String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	change := func(listen ...string) error {
		c, err := ports.Prepare(listen)
		if err == nil {
			c.Commit()
		}
		return err
	}
	return sourcetest.Subject{
		Source: ports,
		Keeps:  true,
		Send: func(first, n int) {
			for ; n > 0; first, n = first+perDatagram, n-perDatagram {
				if _, err := conn.Write(datagram(first, min(n, perDatagram))); err != nil {
					t.Error(err)
				}
			}
		},
		Acked: func() (n int) {
			var places []source.Position
			text, err := state.MarshalSequences()
			if err == nil {
				err = json.Unmarshal(text, &places)
			}
			if err != nil {
				t.Error(err)
			}
			for _, p := range places {
				n = int(p.Seq + p.Units)
			}
			return n
		},
		Lost: func() int { return perDatagram * int(ports.Totals().Dropped) },
		Reload: func() error {
			if err := change(addr, addr); err != nil { // another one
				return err
			}
			return change(addr)
		},
	}
}

const perDatagram = 30

// datagram is NetFlow v5; see source/netflow/v5.go.
func datagram(first, n int) []byte {
	p := make([]byte, 24+48*n)
	binary.BigEndian.PutUint16(p, 5)
	binary.BigEndian.PutUint16(p[2:], uint16(n))
	binary.BigEndian.PutUint32(p[4:], 1_000_000) // uptime
	binary.BigEndian.PutUint32(p[8:], uint32(time.Now().Unix()))
	binary.BigEndian.PutUint32(p[16:], uint32(first))
	for i := range n {
		binary.BigEndian.PutUint32(p[24+48*i+20:], uint32(1+first+i))
	}
	return p
}

// log is the smallest source that acknowledges: it reads numbered records, as from a topic of a message
// queue, and tells the other end up to which they are durable. A call reports that, or it waits after some
// records, as for the response to a request.
type log struct {
	answers  bool
	records  chan int
	acked    atomic.Int64
	counters source.Counters
}

func newLog(answers bool) *log { return &log{answers: answers, records: make(chan int, 1<<20)} }

func (l *log) subject() sourcetest.Subject {
	return sourcetest.Subject{
		Source: l,
		Send: func(first, n int) {
			for i := range n {
				l.records <- first + i
			}
		},
		Acked: func() int { return int(l.acked.Load()) },
	}
}

func (l *log) Report(r *source.Report) {
	r.Members = append(r.Members, source.Member{Name: "log", Counters: &l.counters})
}

func (l *log) Run(ctx context.Context, out func(source.Durability) *source.Out) error {
	o := out(source.Synced)
	if l.answers {
		return l.answer(ctx, o)
	}
	given := int64(0)
	o.Acknowledge(func() func() {
		upTo := given
		return func() { l.acked.Store(upTo) }
	})
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case n := <-l.records:
			if err := l.add(ctx, o, n); err != nil {
				return err
			}
			given++
		case now := <-tick.C:
			if _, err := o.Tick(ctx, now); err != nil {
				return err
			}
		case <-ctx.Done():
			return nil // what is not acknowledged is read again
		}
	}
}

// answer takes what is there, up to a thousand records, and acknowledges them together.
func (l *log) answer(ctx context.Context, o *source.Out) error {
	for {
		n := int64(0)
		select {
		case first := <-l.records:
			for number, more := first, true; more; {
				if err := l.add(ctx, o, number); err != nil {
					return err
				}
				if n++; n == 1000 {
					break
				}
				select {
				case number = <-l.records:
				default:
					more = false
				}
			}
		case <-ctx.Done():
			return nil
		}
		if err := o.Settle(ctx); err != nil {
			return err
		}
		l.acked.Add(n)
	}
}

// add gives a record to the Out. It does not wait for room longer than ctx.
func (l *log) add(ctx context.Context, o *source.Out, number int) error {
	b := o.Batch(&flow.Table, 1)
	row := b.Add()
	flow.TimeReceived.Set(b, row, uint32(time.Now().Unix()))
	flow.Bytes.Set(b, row, uint64(1+number))
	l.counters.Flows.Add(1)
	if b.Full() {
		return o.Flush(ctx)
	}
	return nil
}
