package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/big"
	"net"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/google/uuid"
	"github.com/shopspring/decimal"
)

// The conformance client: clickhouse-go in HTTP mode, as Grafana and others use it.

func connect(t testing.TB, u User, change func(*clickhouse.Options)) clickhouse.Conn {
	t.Helper()
	o := &clickhouse.Options{
		Protocol: clickhouse.HTTP,
		Addr:     []string{strings.TrimPrefix(engine(t).URL(), "http://")},
		Auth:     clickhouse.Auth{Database: "default", Username: u.Name, Password: u.Password},
	}
	if change != nil {
		change(o)
	}
	conn, err := clickhouse.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func TestClickHouseGo(t *testing.T) {
	ctx := context.Background()
	for _, method := range []clickhouse.CompressionMethod{clickhouse.CompressionNone, clickhouse.CompressionLZ4, clickhouse.CompressionZSTD,
		clickhouse.CompressionGZIP, clickhouse.CompressionDeflate, clickhouse.CompressionBrotli} {
		t.Run(method.String(), func(t *testing.T) {
			conn := connect(t, engine(t).Writer(), func(o *clickhouse.Options) {
				o.Compression = &clickhouse.Compression{Method: method, Level: 3}
			})
			if err := conn.Ping(ctx); err != nil {
				t.Fatal(err)
			}
			v, err := conn.ServerVersion()
			if err != nil || v.Version.Major != 26 || v.DisplayName != "netmeta" {
				t.Fatalf("server version %v, %v", v, err)
			}
			table := "conformance_" + method.String()
			if err := conn.Exec(ctx, "CREATE OR REPLACE TABLE "+table+` (
				id UInt32, ip6 IPv6, ip4 IPv4, low LowCardinality(String), lown LowCardinality(Nullable(String)), map Map(LowCardinality(String), String),
				arr Array(UInt32), arrlow Array(LowCardinality(String)), t DateTime64(3, 'UTC'), dt DateTime('UTC'), e Enum8('in'=1,'out'=2), u128 UInt128,
				n Nullable(Float64), d Decimal(18, 4), u UUID, b Bool, i Int64, f FixedString(4), s String, date Date, tup Tuple(a UInt8, b String),
				nested Array(Array(String)), narr Array(Nullable(UInt16))
			) ENGINE = MergeTree ORDER BY id`); err != nil {
				t.Fatal(err)
			}
			null := func(i int) *float64 {
				if i%3 == 0 {
					return nil
				}
				f := float64(i) / 7
				return &f
			}
			row := func(i int) []any {
				six := uint16(i)
				low := fmt.Sprint("l", i%5)
				lown := &low
				if i%4 == 0 {
					lown = nil
				}
				return []any{
					uint32(i), net.ParseIP(fmt.Sprintf("2001:db8::%x", i)), net.IPv4(192, 0, 2, byte(i)).To4(), low, lown,
					map[string]string{"a": fmt.Sprint(i), "b": "\x00\n"}, []uint32{uint32(i), 7}[:i%3%2+1], []string{"x", low}[:i%3%2+1],
					time.UnixMilli(1_700_000_000_123 + int64(i)).UTC(), time.Unix(1_700_000_000+int64(i), 0).UTC(), []string{"in", "out"}[i%2],
					new(big.Int).Lsh(big.NewInt(int64(i)+1), 100), null(i), decimal.New(int64(i)*12345, -4),
					uuid.NewSHA1(uuid.Nil, []byte{byte(i)}), i%2 == 0, int64(-i) << 40, "abcd", strings.Repeat("s", i%300),
					time.Date(2026, 1, 1+i%28, 0, 0, 0, 0, time.UTC), []any{uint8(i), "t"}, [][]string{{"p"}, {}, {"q", "r"}}, []*uint16{nil, &six},
				}
			}
			const rows = 5000
			batch, err := conn.PrepareBatch(ctx, "INSERT INTO "+table)
			if err != nil {
				t.Fatal(err)
			}
			for i := range rows {
				if err := batch.Append(row(i)...); err != nil {
					t.Fatal(err)
				}
			}
			if err := batch.Send(); err != nil {
				t.Fatal(err)
			}
			// In several blocks, so that the framing between them counts too.
			result, err := conn.Query(clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{"max_block_size": 999})), "SELECT * FROM "+table+" ORDER BY id")
			if err != nil {
				t.Fatal(err)
			}
			defer result.Close()
			n := 0
			for ; result.Next(); n++ {
				want := row(n)
				var got []any
				for _, c := range result.ColumnTypes() {
					got = append(got, reflect.New(c.ScanType()).Interface())
				}
				if err := result.Scan(got...); err != nil {
					t.Fatal(err)
				}
				for i, c := range result.Columns() {
					g := reflect.ValueOf(got[i]).Elem().Interface()
					if fmt.Sprint(plain(g)) != fmt.Sprint(plain(want[i])) {
						t.Fatalf("row %d, column %s: got %v, want %v", n, c, plain(g), plain(want[i]))
					}
				}
			}
			if err := result.Err(); err != nil || n != rows {
				t.Fatalf("%d rows, %v", n, err)
			}
			// An answer without rows.
			empty, err := conn.Query(ctx, "SELECT * FROM "+table+" WHERE id > 100000")
			if err != nil {
				t.Fatal(err)
			}
			if empty.Next() || empty.Err() != nil {
				t.Fatalf("an empty answer: %v", empty.Err())
			}
			// Parameters, bound by the engine.
			var count uint64
			if err := conn.QueryRow(ctx, "SELECT count() FROM "+table+" WHERE id < {n:UInt32} AND low = {s:String}",
				clickhouse.Named("n", "100"), clickhouse.Named("s", "l1")).Scan(&count); err != nil || count != 20 {
				t.Fatalf("with parameters: %d, %v", count, err)
			}
			// An error in the middle of an answer.
			failing, err := conn.Query(ctx, "SELECT throwIf(number = 3000000, 'in the middle') FROM numbers(4000000) SETTINGS max_threads=1")
			if err == nil {
				for failing.Next() {
				}
				err = failing.Err()
			}
			if err == nil || !strings.Contains(err.Error(), "in the middle") {
				t.Fatalf("an error in the middle: got %v", err)
			}
		})
	}
}

// plain makes values comparable that clickhouse-go returns in another type than it
// takes.
func plain(v any) any {
	switch v := v.(type) {
	case *string:
		if v == nil {
			return nil
		}
		return *v
	case *float64:
		if v == nil {
			return nil
		}
		return *v
	case *uint16:
		if v == nil {
			return nil
		}
		return *v
	case []*uint16:
		var out []any
		for _, p := range v {
			out = append(out, plain(p))
		}
		return out
	case net.IP:
		return v.String()
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano)
	case *big.Int:
		return v.String()
	case big.Int:
		return v.String()
	case map[string]any:
		return []any{v["a"], v["b"]}
	case []byte:
		return string(bytes.TrimRight(v, "\x00"))
	}
	return v
}

func TestClickHouseGoRefused(t *testing.T) {
	ctx := context.Background()
	wrong := connect(t, User{"netmeta", "wrong"}, nil)
	err := wrong.Ping(ctx)
	var e *clickhouse.Exception
	if !errors.As(err, &e) || e.Code != 516 {
		t.Errorf("wrong password: got %v, want code 516", err)
	}
	conn := connect(t, engine(t).Reader(), func(o *clickhouse.Options) {
		o.Settings = clickhouse.Settings{"max_execution_time": 30}
	})
	var n uint64
	if err := conn.QueryRow(ctx, "SELECT count() FROM numbers(10)").Scan(&n); err != nil || n != 10 {
		t.Errorf("reader: %d, %v", n, err)
	}
	err = conn.Exec(ctx, "CREATE TABLE no (a UInt8) ENGINE = Memory")
	if !errors.As(err, &e) || e.Code != 164 {
		t.Errorf("reader creates a table: got %v, want code 164", err)
	}
}
