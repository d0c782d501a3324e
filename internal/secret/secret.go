// Package secret keeps passwords out of all output. A value of its types prints as a
// mask, however it is printed; only Reveal returns the raw text.
package secret

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// What stands for what is not shown.
const (
	mask    = "(secret)"
	urlMask = "xxxxx" // as net/url writes it
)

// Text is a password, a token or a key.
type Text string

// Reveal returns the raw text, for the connection that needs it.
func (t Text) Reveal() string { return string(t) }

// String returns the mask; of an empty text, nothing.
func (t Text) String() string {
	if t == "" {
		return ""
	}
	return mask
}

// Format writes the mask for every verb.
func (t Text) Format(f fmt.State, verb rune) { format(f, verb, t.String()) }

// MarshalText gives the mask to JSON, YAML and logs.
func (t Text) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// URL is an address that may hold credentials: as user information, or in its query.
type URL string

// Reveal returns the raw address, for the connection that needs it.
func (u URL) Reveal() string { return string(u) }

// String returns the address without user information and values of its query. An
// address that does not parse is not shown, since nobody knows where its password ends.
func (u URL) String() string {
	if u == "" {
		return ""
	}
	p, err := url.Parse(string(u))
	if err != nil || p.Host == "" {
		return mask
	}
	shown := p.Scheme + "://"
	if p.User != nil {
		shown += urlMask + "@"
	}
	shown += p.Host + p.EscapedPath()
	if p.RawQuery != "" {
		shown += "?" + maskQuery(p.RawQuery, func(string) bool { return true })
	}
	return shown
}

// Format writes the masked address for every verb.
func (u URL) Format(f fmt.State, verb rune) { format(f, verb, u.String()) }

// MarshalText gives the masked address to JSON, YAML and logs.
func (u URL) MarshalText() ([]byte, error) { return []byte(u.String()), nil }

// Secrets returns the credentials in the address, as they are written and as they are
// meant.
func (u URL) Secrets() (list []string) {
	p, err := url.Parse(string(u))
	if err != nil {
		return []string{string(u)}
	}
	if p.User != nil {
		password, _ := p.User.Password()
		list = append(list, p.User.String(), p.User.Username(), password)
	}
	for name, values := range p.Query() {
		for _, v := range values {
			if named.MatchString(name) { // not that of database, a word that other texts have too
				list = append(list, v, url.QueryEscape(v))
			}
		}
	}
	return list
}

func format(f fmt.State, verb rune, shown string) {
	if verb == 'q' || verb == 'v' && f.Flag('#') {
		shown = fmt.Sprintf("%q", shown)
	}
	io.WriteString(f, shown)
}

var (
	// urlForm finds addresses in a text, up to a blank, a quote or a bracket.
	urlForm = regexp.MustCompile("[A-Za-z][A-Za-z0-9+.-]*://[^\\s\"'`<>]+")
	// named are parameters whose values are credentials.
	named = regexp.MustCompile(`(?i)pass|pwd|token|key|secret|auth|cred|sig|session|jwt`)
)

// Mask hides the user information and the credentials among the parameters of every
// address in a text, such as an error that quotes one.
func Mask(text string) string {
	if !strings.Contains(text, "://") {
		return text
	}
	return urlForm.ReplaceAllStringFunc(text, func(match string) string {
		address := strings.TrimRight(match, ":,.;)]}") // what the sentence goes on with
		tail := match[len(address):]
		scheme, rest, _ := strings.Cut(address, "://")
		if at := strings.LastIndexByte(rest, '@'); at >= 0 { // a password may hold any sign
			rest = urlMask + rest[at:]
		}
		if place, query, ok := strings.Cut(rest, "?"); ok {
			rest = place + "?" + maskQuery(query, named.MatchString)
		}
		return scheme + "://" + rest + tail
	})
}

// maskQuery hides the values of some parameters.
func maskQuery(query string, hidden func(name string) bool) string {
	parts := strings.FieldsFunc(query, func(r rune) bool { return r == '&' || r == ';' })
	for i, part := range parts {
		name, _, ok := strings.Cut(part, "=")
		plain, err := url.QueryUnescape(name)
		if err != nil {
			plain = name
		}
		switch {
		case ok && hidden(plain):
			parts[i] = name + "=" + urlMask
		case !ok && hidden(""): // a token alone
			parts[i] = urlMask
		}
	}
	return strings.Join(parts, "&")
}

// shortest is the length from which a secret is searched for in texts. A shorter one
// would take words apart and be told by the gaps.
const shortest = 4

// Hide masks addresses in a text, and replaces each of the secrets wherever it stands.
func Hide(text string, secrets ...string) string {
	longest := func(a, b string) int { return len(b) - len(a) } // one may be part of another
	for _, s := range slices.SortedFunc(slices.Values(secrets), longest) {
		if len(s) >= shortest {
			text = strings.ReplaceAll(text, s, urlMask)
		}
	}
	return Mask(text)
}

// Error returns an error that reads as err without the secrets and is err to errors.Is
// and errors.As; nil of nil. The URL that net/http puts before its errors is left out.
func Error(err error, secrets ...string) error {
	if err == nil {
		return nil
	}
	if u := (*url.Error)(nil); errors.As(err, &u) && u == err {
		err = u.Err
	}
	shown := Hide(err.Error(), secrets...)
	if shown == err.Error() {
		return err
	}
	return &hidden{err, shown}
}

// hidden is an error with another text.
type hidden struct {
	error
	shown string
}

func (h *hidden) Error() string { return h.shown }
func (h *hidden) Unwrap() error { return h.error }

// Format keeps %+v from the error within.
func (h *hidden) Format(f fmt.State, verb rune) { format(f, verb, h.shown) }
