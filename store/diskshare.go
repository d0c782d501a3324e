package store

import (
	"fmt"
	"strconv"
	"strings"
)

// DiskShare is a share of a file system, or a number of bytes.
type DiskShare struct {
	Share float64 // from 0 to 1
	Bytes uint64

	text string // as in the configuration
}

// Percent returns a share in percent.
func Percent(n int) DiskShare {
	return DiskShare{Share: float64(n) / 100, text: fmt.Sprintf("%d%%", n)}
}

const roomForms = "use a percentage such as 10%, a size such as 50GB or 20GiB, or 0"

// UnmarshalText reads "10%", "50GB", "20GiB" or "0". An empty text is the zero value.
func (r *DiskShare) UnmarshalText(text []byte) error {
	*r = DiskShare{}
	if len(text) == 0 {
		return nil
	}
	read := DiskShare{text: string(text)}
	ok := false
	if share, percent := strings.CutSuffix(read.text, "%"); percent {
		read.Share, ok = parseShare(share)
	} else {
		read.Bytes, ok = parseSize(read.text)
	}
	if !ok {
		return fmt.Errorf("%q: is not a size; %s", text, roomForms)
	}
	*r = read
	return nil
}

// parseShare reads the number of a percentage, from 0 to 90.
func parseShare(text string) (share float64, ok bool) {
	n, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	return n / 100, err == nil && n >= 0 && n <= 90
}

var sizeUnits = map[string]float64{"": 1, "B": 1, "MB": 1e6, "GB": 1e9, "TB": 1e12, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}

// parseSize reads bytes, below an exbibyte.
func parseSize(text string) (bytes uint64, ok bool) {
	number := strings.TrimRight(text, "KMGTiB ")
	unit, ok := sizeUnits[strings.TrimSpace(text[len(number):])]
	n, err := strconv.ParseFloat(number, 64)
	if err != nil || !ok || !(n >= 0 && n*unit < 1<<60) {
		return 0, false
	}
	return uint64(n * unit), true
}

// String returns the share as in the configuration.
func (r DiskShare) String() string { return r.text }

// MarshalText returns the share as in the configuration.
func (r DiskShare) MarshalText() ([]byte, error) { return []byte(r.text), nil }

// IsZero reports that the configuration has no value. "0" is a value.
func (r DiskShare) IsZero() bool { return r == DiskShare{} }

// IsNone reports that it is zero bytes of any file system.
func (r DiskShare) IsNone() bool { return r.Share == 0 && r.Bytes == 0 }

// Of returns the bytes for a file system with total bytes.
func (r DiskShare) Of(total uint64) uint64 { return max(r.Bytes, uint64(r.Share*float64(total))) }
