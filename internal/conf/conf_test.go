package conf

import (
	"encoding"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
)

// bad expects an error that has the value, and the fix.
func bad(t *testing.T, v encoding.TextUnmarshaler, text string, want ...string) {
	t.Helper()
	err := v.UnmarshalText([]byte(text))
	for _, w := range append(want, text) {
		if err == nil || !strings.Contains(err.Error(), w) {
			t.Errorf("%q: error %v does not contain %q", text, err, w)
		}
	}
}

func TestHostPort(t *testing.T) {
	f := func(text string, port uint16, loopback bool) {
		t.Helper()
		var a HostPort
		if err := a.UnmarshalText([]byte(text)); err != nil || a.String() != text || a.Port() != port || a.IsLoopback() != loopback || a.IsZero() {
			t.Errorf("%q: %q, port %d, loopback %t, zero %t, %v", text, a, a.Port(), a.IsLoopback(), a.IsZero(), err)
		}
		if shown, err := a.MarshalText(); err != nil || string(shown) != text {
			t.Errorf("%q: shown as %q, %v", text, shown, err)
		}
	}
	f(":2055", 2055, false)
	f(":0", 0, false)
	f("0.0.0.0:80", 80, false)
	f("[::]:65535", 65535, false)
	f("192.0.2.1:80", 80, false)
	f("[2001:db8::1]:80", 80, false)
	f("[fe80::1%eth0]:80", 80, false)
	f("127.0.0.1:8080", 8080, true)
	f("127.1.2.3:8080", 8080, true)
	f("[::1]:8080", 8080, true)
	f("localhost:8080", 8080, true)
	f("[::ffff:127.0.0.1]:8080", 8080, true)
	for _, a := range []HostPort{AnyHost(2055), Loopback(2055)} {
		var b HostPort
		if err := b.UnmarshalText([]byte(a.String())); err != nil || a != b {
			t.Errorf("%q is read as %+v, %v", a, b, err)
		}
	}

	var none HostPort
	if err := none.UnmarshalText(nil); err != nil || !none.IsZero() || none.IsLoopback() {
		t.Errorf("no address: %+v, %v", none, err)
	}
	var errs Errors
	none.Require(&errs, "listen")
	AnyHost(0).Require(&errs, "other")
	if len(errs) != 1 || !strings.HasPrefix(errs[0].Error(), `listen: "": `) {
		t.Errorf("required: %v", errs)
	}

	bad(t, &none, "2055", "use HOST:PORT")
	bad(t, &none, "eighty", "use HOST:PORT")
	bad(t, &none, "::1", "use HOST:PORT")
	bad(t, &none, ":", "port", "0 to 65535")
	bad(t, &none, ":70000", `"70000"`, "0 to 65535")
	bad(t, &none, ":-1", "0 to 65535")
	bad(t, &none, ":http", `"http"`, "0 to 65535")
	bad(t, &none, "web:80", `"web"`, "not an IP address")
	bad(t, &none, "LOCALHOST:80", "not an IP address")
	if !none.IsZero() {
		t.Errorf("an error leaves %+v", none)
	}
}

func TestAddr(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		var a Addr
		if err := a.UnmarshalText([]byte(text)); err != nil || a.String() != want || a != AddrOf(netip.MustParseAddr(text)) {
			t.Errorf("%q: %s, %v", text, a, err)
		}
	}
	f("192.0.2.1", "192.0.2.1")
	f("::ffff:192.0.2.1", "192.0.2.1")
	f("2001:DB8:0::1", "2001:db8::1")
	f("fe80::1%eth0", "fe80::1%eth0")
	for _, text := range []string{"", "router1", "192.0.2.1/32", "192.0.2.1:80", "192.0.2.256", "192.0.02.1"} {
		bad(t, new(Addr), text, "is not an IP address; use")
	}
}

func TestErrors(t *testing.T) {
	var inner, e Errors
	inner.Add("url", "ftp://me:hunter2@h", "use http://HOST")
	inner.Range("workers", 0, 1, 64)
	inner.Range("workers", 1, 1, 64)
	inner.Range("workers", 64, 1, 64)
	inner.Range("workers", 65, 1, 64)
	cause := errors.New("[1].name: is missing")
	inner = append(inner, cause)
	e.Within("a.b", nil)
	e.Within("a.b", inner.Join())
	e.Within("c", fmt.Errorf("d: %w", cause))
	if err := e.Join(); err == nil || !errors.Is(err, cause) || err.Error() != `a.b.url: ftp://xxxxx@h: use http://HOST
a.b.workers: 0: out of range; use 1 to 64
a.b.workers: 65: out of range; use 1 to 64
a.b[1].name: is missing
c.d: [1].name: is missing` {
		t.Error(err)
	}
	if err := (Errors{}).Join(); err != nil {
		t.Error(err)
	}
	if MiB(3).Bytes() != 3<<20 {
		t.Error(MiB(3).Bytes())
	}
}
