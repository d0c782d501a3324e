package view

import (
	"bufio"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"netmeta/internal/problem"
	"netmeta/internal/wholefile"
)

// Links are short names for URLs of the web UI that are too long to share, e.g. with a
// filter of a thousand prefixes. A name is a hash of the address, so an address is stored
// once. The file has one line per address and only grows. Links is safe for concurrent use.
type Links struct {
	path string

	mu    sync.Mutex
	known map[string]string // address by name
	size  int               // bytes of all addresses
}

// Limits of links, which are held in memory.
const (
	maxAddress   = 64 << 10
	maxAddresses = 16 << 20 // bytes of all
	linksMode    = 0o600
)

// ErrFull is the error when no more links can be stored.
var ErrFull = &problem.Error{Status: http.StatusInsufficientStorage, Title: "no room for links", Detail: fmt.Sprintf("no room for another link: %d MiB are stored; use a saved view", maxAddresses>>20)}

// OpenLinks reads the file of links, which need not exist.
func OpenLinks(path string) (*Links, error) {
	l := &Links{path: path, known: map[string]string{}}
	file, err := wholefile.OpenNoFollow(path)
	if errors.Is(err, fs.ErrNotExist) {
		return l, nil
	}
	if err != nil {
		return nil, fmt.Errorf("links: %w", err)
	}
	defer file.Close()
	if err := file.Chmod(linksMode); err != nil { // earlier versions made it readable by others
		return nil, fmt.Errorf("links: %w", err)
	}
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, maxAddress+1)
	for lines.Scan() {
		if checkAddress(lines.Text()) == nil { // skips a line that a crash left incomplete
			l.addLocked(lines.Text())
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("links: %s: %w", path, err)
	}
	return l, nil
}

func (l *Links) addLocked(address string) {
	if name := linkName(address); l.known[name] == "" {
		l.known[name] = address
		l.size += len(address)
	}
}

// linkName returns 96 bits of a hash in the alphabet of URLs.
func linkName(address string) string {
	sum := sha256.Sum256([]byte(address))
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}

// checkAddress checks that an address is a page of this server. The error is a
// *problem.Error.
func checkAddress(address string) error {
	bad := func(message string) error { return problem.Invalid("link not understood", "address", message) }
	u, err := url.Parse(address)
	switch {
	case len(address) > maxAddress:
		return bad(fmt.Sprintf("is too long; use at most %d bytes", maxAddress))
	case err != nil:
		return bad("is not valid: " + err.Error())
	case u.Scheme != "" || u.Host != "" || !strings.HasPrefix(u.Path, "/") || u.Path != "/" && !pageForm.MatchString(strings.TrimPrefix(u.Path, "/")):
		return bad("is not a page of this server; use path and query, e.g. /explore?q=tcp")
	}
	return nil
}

// Keep stores an address and returns its name. The error is a
// *problem.Error.
func (l *Links) Keep(address string) (name string, err error) {
	if err := checkAddress(address); err != nil {
		return "", err
	}
	name = linkName(address)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.known[name] != "" {
		return name, nil
	}
	if l.size+len(address) > maxAddresses {
		return "", ErrFull
	}
	file, err := os.OpenFile(l.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY|unix.O_NOFOLLOW, linksMode)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrWrite, err)
	}
	// The first line break ends a line that a crash may have left incomplete.
	_, err = file.WriteString("\n" + address + "\n")
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return "", fmt.Errorf("%w: %w", ErrWrite, err)
	}
	l.addLocked(address)
	return name, nil
}

// Get returns the address of a name.
func (l *Links) Get(name string) (address string, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	address, ok = l.known[name]
	return address, ok
}
