package udp

import (
	"context"
	"fmt"
	"log/slog"
	"net"
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

// lines is a decoder for the test: a row for each datagram, with its number.
type lines struct{ t *testing.T }

func (l lines) Decode(d *source.Datagram, b *column.Batch, flush func()) {
	if b.Full() {
		flush()
	}
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
			l, err := Listen(addr, "test", 2, slog.Default())
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
				done <- l.Run(ctx, &numbers, func() Worker {
					return Worker{Decoder: lines{t}, Emit: func(b *column.Batch) {
						for i := range b.Len() {
							seen[number.At(b, i)].Add(1)
							if at := int64(when.At(b, i)); at < start.UnixNano() || at > time.Now().UnixNano() {
								t.Errorf("received at %d, outside the test", at)
							}
						}
						rows.Add(uint64(b.Len()))
						b.Reset()
					}}
				})
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
			if got := rows.Load() + l.Dropped.Load(); got != senders*each {
				t.Errorf("%d rows and %d dropped, sent %d", rows.Load(), l.Dropped.Load(), senders*each)
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
	l, err := Listen("127.0.0.1:0", "test", 1, slog.Default())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	got := make(chan int, 10)
	go l.Run(ctx, &numbers, func() Worker {
		return Worker{Decoder: lines{t}, Emit: func(b *column.Batch) { got <- b.Len(); b.Reset() }}
	})
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
	if _, err := Listen(held.LocalAddr().String(), "test", 1, slog.Default()); err == nil {
		t.Error("no error for a port that is held")
	}
}

// Another NetMeta does not share the port, though its sockets are of the same kind.
func TestPortInUseByAnother(t *testing.T) {
	first, err := Listen("127.0.0.1:0", "test", 2, slog.Default())
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	if second, err := Listen(first.Addr.String(), "test", 2, slog.Default()); err == nil {
		second.Close()
		t.Error("two listeners share a port: each gets a part of the datagrams")
	}
}

func TestReceiveDoesNotAllocate(t *testing.T) {
	l, err := Listen("127.0.0.1:0", "test", 1, slog.Default())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	conn, err := net.Dial("udp", l.Addr.String())
	if err != nil {
		t.Fatal(err)
	}
	raw, _ := l.conns[0].SyscallConn()
	in := newReceiver()
	payload := make([]byte, 1400)
	if n := testing.AllocsPerRun(100, func() {
		conn.Write(payload)
		n, err := in.receive(raw, false)
		if err != nil || n != 1 || len(in.message(0).payload) != 1400 {
			t.Fatalf("received %d, %v", n, err)
		}
	}); n > 0 {
		t.Errorf("%v allocations for each read", n)
	}
}
