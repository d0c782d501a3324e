package feed

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"netmeta/internal/secret"
)

// Location is the path of a file, or an http or https URL. It prints without the credentials in a URL.
type Location string

// Remote reports whether it is a URL.
func (l Location) Remote() bool { return strings.Contains(string(l), "://") }

// String returns the path, or the URL without credentials and query values.
func (l Location) String() string {
	if l.Remote() {
		return secret.URL(l).String()
	}
	return string(l)
}

// GoString is String for %#v.
func (l Location) GoString() string { return fmt.Sprintf("%q", l.String()) }

// MarshalText is String for JSON, YAML and logs.
func (l Location) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText reads a path or a URL.
func (l *Location) UnmarshalText(text []byte) error {
	*l = Location(text)
	if *l == "" {
		return errors.New(`"" is not a file; use the path of a file, or a URL`)
	}
	if !l.Remote() {
		return nil
	}
	u, err := url.Parse(string(text))
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("%s: is not a URL that can be fetched; use https://HOST/PATH, http://HOST/PATH, or the path of a file", l)
	}
	return nil
}

// Interval is the time between two fetches of a URL.
type Interval time.Duration

// String returns the interval as in the configuration: 1h, 90s.
func (i Interval) String() string {
	text := time.Duration(i).String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// MarshalText is String.
func (i Interval) MarshalText() ([]byte, error) { return []byte(i.String()), nil }

const (
	minInterval = Interval(time.Minute)
	maxInterval = Interval(30 * 24 * time.Hour)
)

// UnmarshalText reads an interval: 30m, 6h.
func (i *Interval) UnmarshalText(text []byte) error {
	d, err := time.ParseDuration(string(text))
	*i = Interval(d)
	if err != nil || *i < minInterval || *i > maxInterval {
		return fmt.Errorf("%q: use an interval from 1m to 720h, such as 30m or 6h", text)
	}
	return nil
}
