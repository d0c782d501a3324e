package view

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"netmeta/internal/problem"
)

func TestLinks(t *testing.T) {
	path := filepath.Join(t.TempDir(), "links")
	open := func() *Links {
		t.Helper()
		l, err := OpenLinks(path)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	l := open()
	const address = "/explore?q=udp+src+port+53&by=src.as"
	name, err := l.Keep(address)
	if err != nil {
		t.Fatal(err)
	}
	// What a crash left half written is passed over, and does not spoil what comes after it.
	file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	file.WriteString("\nxplore?q=ha")
	file.Close()
	l = open()
	second, err := l.Keep("/?from=-24h")
	if err != nil || second == name {
		t.Fatal(second, err)
	}
	l = open()
	for n, want := range map[string]string{name: address, second: "/?from=-24h", "other": ""} {
		if got, ok := l.Get(n); got != want || ok != (want != "") {
			t.Errorf("%s is %q %t, want %q", n, got, ok, want)
		}
	}
	if len(l.known) != 2 {
		t.Errorf("%d links: %v", len(l.known), l.known)
	}

	for _, bad := range []string{"", "explore", "http://example.com/explore", "//example.com/x", `/\example.com`, "/explore\nq", "/..//x", "/explore?q=" + strings.Repeat("a", maxAddress)} {
		var e *problem.Error
		if _, err := l.Keep(bad); !errors.As(err, &e) {
			t.Errorf("%.40q: %v", bad, err)
		}
	}
	for i := range maxAddresses/maxAddress + 2 {
		if _, err = l.Keep(fmt.Sprintf("/explore?n=%d&q=%s", i, strings.Repeat("a", maxAddress-100))); err != nil {
			break
		}
	}
	if !errors.Is(err, ErrFull) {
		t.Errorf("full: %v", err)
	}
}
