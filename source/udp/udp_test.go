package udp

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"netmeta/column"
	"netmeta/source"
)

var (
	numbers column.Table
	number  = numbers.U32(column.Field{Name: "Number"})
	when    = numbers.U64(column.Field{Name: "When"})
)

// into makes an Out for each goroutine, whose batches f gets.
func into(f func(*column.Batch)) func(source.Durability) *source.Out {
	return func(source.Durability) *source.Out { return source.NewOut(source.SinkFunc(f)) }
}

// lines is a decoder for the test: a row for each datagram, with its number.
type lines struct{ t *testing.T }

func (l lines) decoder() source.Decoder { return l }

func (lines) Mark() func()            { return nil }
func (lines) Notes(func(source.Note)) {}

func (l lines) Decode(d *source.Datagram, out *source.Out) {
	b := out.Batch(&numbers, 1)
	if !d.Exporter.Addr().IsLoopback() || d.Exporter.Port() == 0 {
		l.t.Errorf("datagram from %v", d.Exporter)
	}
	var n uint32
	fmt.Sscan(string(d.Payload), &n)
	row := b.Add()
	number.Set(b, row, n)
	when.Set(b, row, uint64(d.Received.UnixNano()))
}

func TestEveryDatagramArrivesOnce(t *testing.T) {
	for _, addr := range []string{"127.0.0.1:0", "[::1]:0", ":0"} {
		t.Run(addr, func(t *testing.T) {
			l, err := Listen(addr, Options{Workers: 2}, slog.Default())
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			const senders, each = 8, 5000
			seen := make([]atomic.Uint32, senders*each)
			var rows atomic.Uint64
			start := time.Now()
			done := make(chan error, 1)
			go func() {
				done <- l.Run(ctx, lines{t}.decoder, into(func(b *column.Batch) {
					for i := range b.Len() {
						seen[number.At(b, i)].Add(1)
						if at := int64(when.At(b, i)); at < start.UnixNano() || at > time.Now().UnixNano() {
							t.Errorf("received at %d, outside the test", at)
						}
					}
					rows.Add(uint64(b.Len()))
				}))
			}()
			to := l.Addr.String()
			if addr == ":0" {
				to = fmt.Sprintf("127.0.0.1:%d", l.Addr.Port())
			}
			for s := range senders {
				conn, err := net.Dial("udp", to)
				if err != nil {
					t.Fatal(err)
				}
				for i := range each {
					fmt.Fprint(conn, s*each+i)
				}
				conn.Close()
			}
			cancel() // what the kernel has received is still handed on
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			if got := rows.Load() + l.Totals().Dropped; got != senders*each {
				t.Errorf("%d rows and %d dropped, sent %d", rows.Load(), l.Totals().Dropped, senders*each)
			}
			for i := range seen {
				if n := seen[i].Load(); n > 1 {
					t.Fatalf("datagram %d arrived %d times", i, n)
				}
			}
		})
	}
}

func TestQuietBatchIsHandedOn(t *testing.T) {
	l, err := Listen("127.0.0.1:0", Options{}, slog.Default())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	got := make(chan int, 10)
	go l.Run(ctx, lines{t}.decoder, into(func(b *column.Batch) { got <- b.Len() }))
	conn, err := net.Dial("udp", l.Addr.String())
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(conn, 7)
	if n := <-got; n != 1 {
		t.Errorf("batch of %d rows", n)
	}
}

func TestPortInUse(t *testing.T) {
	held, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	if _, err := Listen(held.LocalAddr().String(), Options{}, slog.Default()); err == nil {
		t.Error("no error for a port that is held")
	}
}

// Another NetMeta does not share the port, though its sockets are of the same kind.
func TestPortInUseByAnother(t *testing.T) {
	first, err := Listen("127.0.0.1:0", Options{Workers: 2}, slog.Default())
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	if second, err := Listen(first.Addr.String(), Options{Workers: 2}, slog.Default()); err == nil {
		second.Close()
		t.Error("two listeners share a port: each gets a part of the datagrams")
	}
}

// What the kernel drops is counted to the datagram, without another one that comes
// through and before anybody reads.
func TestKernelDrops(t *testing.T) {
	l, err := Listen("127.0.0.1:0", Options{Workers: 2, Buffer: 64 << 10}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	const sent, size = 3000, 500
	conn, err := net.Dial("udp", l.Addr.String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	payload := make([]byte, size)
	for range sent {
		if _, err := conn.Write(payload); err != nil {
			t.Fatal(err)
		}
	}
	full := l.Totals()
	if full.Dropped == 0 || full.Dropped >= sent || full.Queued < 64<<10 || full.Datagrams != 0 {
		t.Fatalf("a full socket: %+v", full)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // what is in the buffer is read all the same
	var rows uint64
	var mu sync.Mutex
	if err := l.Run(ctx, lines{t}.decoder, into(func(b *column.Batch) {
		mu.Lock()
		defer mu.Unlock()
		rows += uint64(b.Len())
	})); err != nil {
		t.Fatal(err)
	}
	end := l.Totals()
	if want := (Counts{Datagrams: sent - full.Dropped, Bytes: (sent - full.Dropped) * size, Dropped: full.Dropped}); end != want {
		t.Errorf("at the end %+v, want %+v", end, want)
	}
	if rows != end.Datagrams {
		t.Errorf("%d rows of %d datagrams", rows, end.Datagrams)
	}
	used := 0 // one sender: without Spread all came to one socket
	for _, s := range l.Sockets {
		if s.Counts().Datagrams > 0 {
			used++
		}
	}
	if used != 1 {
		t.Errorf("one sender's datagrams came to %d sockets", used)
	}
}

// With Spread every worker has a share of one sender.
func TestSpread(t *testing.T) {
	const workers, sent = 4, 4000
	l, err := Listen("127.0.0.1:0", Options{Workers: workers, Spread: true}, slog.Default())
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("udp", l.Addr.String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for i := range sent {
		fmt.Fprint(conn, i)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.Run(ctx, lines{t}.decoder, into(func(*column.Batch) {})); err != nil {
		t.Fatal(err)
	}
	for i, s := range l.Sockets {
		// The standard deviation of a fair share is 27.
		if n := s.Counts().Datagrams; n < sent/workers-200 || n > sent/workers+200 {
			t.Errorf("socket %d has %d of %d datagrams", i, n, sent)
		}
	}
}

// A worker rests until about half of what it can read at once is there, and never
// so long that its buffer could fill.
func TestRest(t *testing.T) {
	f := func(n int, since time.Duration, buffer int, want time.Duration) {
		t.Helper()
		if got := rest(n, since, buffer); got != want {
			t.Errorf("after %d datagrams in %v, with a buffer of %d: %v, want %v", n, since, buffer, got, want)
		}
	}
	f(128, 5*time.Millisecond, 64<<20, 5*time.Millisecond)
	f(255, 10*time.Millisecond, 64<<20, 10*time.Millisecond*128/255)
	f(4, time.Millisecond, 64<<20, restMost)
	f(1, time.Hour, 64<<20, restMost)
	f(1, time.Hour, 8<<20, 8*time.Millisecond)
	f(1, time.Hour, 416<<10, time.Millisecond)
}

// Close ends a Run, and a Run after Close says that there is nothing to read.
func TestClose(t *testing.T) {
	l, err := Listen("127.0.0.1:0", Options{Workers: 2}, slog.Default())
	if err != nil {
		t.Fatal(err)
	}
	run := func() error {
		return l.Run(t.Context(), lines{t}.decoder, into(func(*column.Batch) {}))
	}
	conn, err := net.Dial("udp", l.Addr.String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, 1)
	time.AfterFunc(0, l.Close)
	if err := run(); err != nil && l.Totals().Datagrams > 0 {
		t.Fatal(err)
	}
	l.Close()
	if err := run(); err == nil {
		t.Error("a closed listener was read")
	}
	again, err := Listen(l.Addr.String(), Options{}, slog.Default())
	if err != nil {
		t.Fatal(err)
	}
	again.Close()
}

func TestReceiveDoesNotAllocate(t *testing.T) {
	l, err := Listen("127.0.0.1:0", Options{}, slog.Default())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	conn, err := net.Dial("udp", l.Addr.String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	in, err := newReceiver()
	if err != nil {
		t.Fatal(err)
	}
	defer in.close()
	payload := make([]byte, 1400)
	fd := l.Sockets[0].fd
	if n := testing.AllocsPerRun(100, func() {
		conn.Write(payload)
		if wait(-1, l.stop, fd) {
			t.Fatal("stopped")
		}
		n, err := in.receive(fd)
		if err != nil || n != 1 || len(in.message(0).payload) != 1400 {
			t.Fatalf("received %d, %v", n, err)
		}
	}); n > 0 {
		t.Errorf("%v allocations for each read", n)
	}
}
