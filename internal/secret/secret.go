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

// Masks for hidden text.
const (
	mask    = "(secret)"
	urlMask = "xxxxx" // as net/url writes it
)

// Text is a password, a token or a key.
type Text string

// Reveal returns the raw text, for the connection that needs it.
func (t Text) Reveal() string { return string(t) }

// String returns the mask, or nothing for an empty text.
func (t Text) String() string {
	if t == "" {
		return ""
	}
	return mask
}

// Format writes the mask for every verb.
func (t Text) Format(f fmt.State, verb rune) { format(f, verb, t.String()) }

// MarshalText returns the mask, for JSON, YAML and logs.
func (t Text) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// URL is an address that may contain credentials, as user information or in its query.
type URL string

// Reveal returns the raw address, for the connection that needs it.
func (u URL) Reveal() string { return string(u) }

// String returns the address without user information and values of its query. An
// address that does not parse is not shown, because the end of its password is unknown.
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

// MarshalText returns the masked address, for JSON, YAML and logs.
func (u URL) MarshalText() ([]byte, error) { return []byte(u.String()), nil }

// Secrets returns the credentials in the address, both as written and unescaped.
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
			if named.MatchString(name) { // not database, a word that also occurs in other texts
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
	// urlForm finds addresses in a text, up to a space, a quote or a bracket.
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
		address := strings.TrimRight(match, ":,.;)]}") // punctuation of the sentence
		tail := match[len(address):]
		scheme, rest, _ := strings.Cut(address, "://")
		if at := strings.LastIndexByte(rest, '@'); at >= 0 { // a password may contain any character
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

// shortest is the minimum length of a secret that is searched for in texts. A shorter one
// would break up words, and the gaps would reveal it.
const shortest = 4

// Hide masks addresses in a text and replaces each occurrence of the secrets.
func Hide(text string, secrets ...string) string {
	longest := func(a, b string) int { return len(b) - len(a) } // one may be part of another
	for _, s := range slices.SortedFunc(slices.Values(secrets), longest) {
		if len(s) >= shortest {
			text = strings.ReplaceAll(text, s, urlMask)
		}
	}
	return Mask(text)
}

// Error returns an error with the text of err without the secrets, which is err for
// errors.Is and errors.As; nil for nil. It omits the URL that net/http prepends to errors.
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

// Format prevents %+v from reaching the wrapped error.
func (h *hidden) Format(f fmt.State, verb rune) { format(f, verb, h.shown) }
