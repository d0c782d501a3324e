package route

import (
	"cmp"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"netmeta/column"
)

// Location is the AS and the country of an address. The zero value is unknown.
type Location struct {
	AS      uint32
	Country column.Label // ISO 3166-1 alpha-2
}

// Data has the locations of addresses and the names of ASes. It is immutable, and safe for any number of
// readers. A nil *Data is empty.
//
// Addresses are in ranges: a point is the start of one, which ends where the next starts. A search is binary
// among the points with the same leading bits.
type Data struct {
	Source string // its sources

	v4        []point4
	first4    []uint32 // by the upper 20 bits: the first point that starts at or after them
	v6        []point6
	first6    []uint32 // the same of the 20 bits after 2000::/3
	locations []Location

	as    []uint32 // ascending
	ends  []uint32 // offsets of the ends of their names in names
	names string
	lower string // names in lower case, of the same length
}

type point4 struct{ start, location uint32 }

// IPv6 prefixes are distinguished up to /64.
type point6 struct {
	start    uint64
	location uint32
}

const (
	bits4 = 20 // 4 MiB of index, so that a search reads a cache line or two
	bits6 = 20
)

func bucket4(v uint32) uint32 { return v >> (32 - bits4) }
func bucket6(v uint64) uint64 { return v << 3 >> (64 - bits6) } // of an address in 2000::/3

// Location returns the location of an address.
func (d *Data) Location(a column.Addr) Location {
	if d == nil {
		return Location{}
	}
	hi := binary.BigEndian.Uint64(a[:8])
	if hi == 0 && binary.BigEndian.Uint32(a[8:]) == 0xffff {
		return d.location4(binary.BigEndian.Uint32(a[12:]))
	}
	if hi>>61 != 1 {
		return Location{} // not global unicast
	}
	return d.location6(hi)
}

// The point that counts is the last one at or before v. It may be before the bucket of v, if that has no
// point early enough; point 0 is the start of everything.

func (d *Data) location4(v uint32) Location {
	k := bucket4(v)
	i, j := d.first4[k], d.first4[k+1]
	for i < j {
		if m := (i + j) / 2; d.v4[m].start <= v {
			i = m + 1
		} else {
			j = m
		}
	}
	return d.locations[d.v4[i-1].location]
}

func (d *Data) location6(v uint64) Location {
	k := bucket6(v)
	i, j := d.first6[k], d.first6[k+1]
	for i < j {
		if m := (i + j) / 2; d.v6[m].start <= v {
			i = m + 1
		} else {
			j = m
		}
	}
	return d.locations[d.v6[i-1].location]
}

// index builds the buckets.
func (d *Data) index() {
	d.first4 = make([]uint32, 1<<bits4+1)
	i := 0
	for k := range d.first4 {
		for i < len(d.v4) && (uint64(d.v4[i].start) < uint64(k)<<(32-bits4) || i == 0) {
			i++
		}
		d.first4[k] = uint32(i)
	}
	d.first6 = make([]uint32, 1<<bits6+1)
	i = 0
	for k := range d.first6 {
		for i < len(d.v6) && (i == 0 || bucket6(d.v6[i].start) < uint64(k)) {
			i++
		}
		d.first6[k] = uint32(i)
	}
}

// Entries returns the number of ranges.
func (d *Data) Entries() int {
	if d == nil {
		return 0
	}
	return len(d.v4) + len(d.v6)
}

// Names returns the number of ASes with a name.
func (d *Data) Names() int {
	if d == nil {
		return 0
	}
	return len(d.as)
}

// Name returns the name of an AS, empty if it is unknown.
func (d *Data) Name(as uint32) string {
	if d == nil {
		return ""
	}
	if i, ok := slices.BinarySearch(d.as, as); ok {
		return d.names[d.begin(i):d.ends[i]]
	}
	return ""
}

func (d *Data) begin(i int) uint32 {
	if i == 0 {
		return 0
	}
	return d.ends[i-1]
}

// Find calls yield with the ASes whose names contain a text, ignoring case, by ascending number, until it
// returns false.
func (d *Data) Find(text string, yield func(as uint32, name string) bool) {
	if d == nil || text == "" {
		return
	}
	text = strings.ToLower(text)
	for at := 0; ; {
		found := strings.Index(d.lower[at:], text)
		if found < 0 {
			return
		}
		at += found
		i, _ := slices.BinarySearch(d.ends, uint32(at+1)) // the first name that ends after it
		end := int(d.ends[i])
		if at+len(text) <= end && !yield(d.as[i], d.names[d.begin(i):end]) {
			return
		}
		at = end
	}
}

// The file. Numbers are little-endian:
//
//	"netmeta ipdata 1\n"
//	source v4 v6 places as names:u32  lengths of what follows
//	source text
//	v4     start:u32 place:u32 …      point 0 is 0.0.0.0
//	v6     start:u64 place:u32 …      point 0 is ::
//	places as:u32 country:[2] 0:u16 …  place 0 is nothing
//	as     as:u32 end:u32 …
//	names  text
//	crc32 (IEEE) of all before it
const (
	magic   = "netmeta ipdata 1\n"
	maxFile = 256 << 20
)

var le = binary.LittleEndian

func (d *Data) encode() []byte {
	b := []byte(magic)
	for _, n := range []int{len(d.Source), len(d.v4), len(d.v6), len(d.locations), len(d.as), len(d.names)} {
		b = le.AppendUint32(b, uint32(n))
	}
	b = append(b, d.Source...)
	for _, p := range d.v4 {
		b = le.AppendUint32(le.AppendUint32(b, p.start), p.location)
	}
	for _, p := range d.v6 {
		b = le.AppendUint32(le.AppendUint64(b, p.start), p.location)
	}
	for _, p := range d.locations {
		b = le.AppendUint32(b, p.AS)
		country := [4]byte{}
		copy(country[:2], p.Country.String())
		b = append(b, country[:]...)
	}
	for i := range d.as {
		b = le.AppendUint32(le.AppendUint32(b, d.as[i]), d.ends[i])
	}
	return sealed(append(b, d.names...))
}

// sealed adds the checksum.
func sealed(b []byte) []byte { return le.AppendUint32(b, crc32.ChecksumIEEE(b)) }

// Write writes the file.
func (d *Data) Write(w io.Writer) error {
	_, err := w.Write(d.encode())
	return err
}

var errDamaged = errors.New("is damaged or of another version: run `make build`")

// decode reads what encode wrote. It checks everything that a search relies on.
func decode(b []byte) (*Data, error) {
	const head = len(magic) + 6*4
	if len(b) < head+4 || string(b[:len(magic)]) != magic || crc32.ChecksumIEEE(b[:len(b)-4]) != le.Uint32(b[len(b)-4:]) {
		return nil, errDamaged
	}
	var n [6]int
	for i := range n {
		n[i] = int(le.Uint32(b[len(magic)+4*i:]))
	}
	b = b[head : len(b)-4]
	if n[0]+n[1]*8+n[2]*12+n[3]*8+n[4]*8+n[5] != len(b) || n[1] == 0 || n[2] == 0 || n[3] == 0 {
		return nil, errDamaged
	}
	d := &Data{
		Source: string(b[:n[0]]),
		v4:     make([]point4, n[1]), v6: make([]point6, n[2]), locations: make([]Location, n[3]), as: make([]uint32, n[4]), ends: make([]uint32, n[4]),
	}
	b = b[n[0]:]
	ok := true
	for i := range d.v4 {
		d.v4[i] = point4{le.Uint32(b), le.Uint32(b[4:])}
		ok = ok && int(d.v4[i].location) < n[3] && (i == 0 && d.v4[i].start == 0 || i > 0 && d.v4[i].start > d.v4[i-1].start)
		b = b[8:]
	}
	for i := range d.v6 {
		d.v6[i] = point6{le.Uint64(b), le.Uint32(b[8:])}
		ok = ok && int(d.v6[i].location) < n[3] && (i == 0 && d.v6[i].start == 0 || i > 0 && d.v6[i].start > d.v6[i-1].start && d.v6[i].start>>61 == 1)
		b = b[12:]
	}
	countries := map[[2]byte]column.Label{{}: {}}
	for i := range d.locations {
		code := [2]byte(b[4:])
		country, known := countries[code]
		if !known {
			country = column.LabelOf(string(code[:]))
			countries[code] = country
		}
		d.locations[i] = Location{le.Uint32(b), country}
		b = b[8:]
	}
	for i := range d.as {
		d.as[i], d.ends[i] = le.Uint32(b), le.Uint32(b[4:])
		ok = ok && int(d.ends[i]) <= n[5] && d.begin(i) < d.ends[i] && (i == 0 || d.as[i] > d.as[i-1])
		b = b[8:]
	}
	d.names = string(b)
	if !ok || len(d.as) > 0 && int(d.ends[len(d.as)-1]) != n[5] {
		return nil, errDamaged
	}
	d.finish()
	return d, nil
}

// finish derives what is not in the file.
func (d *Data) finish() {
	d.lower = strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' { // letters of other alphabets may change their length
			r += 'a' - 'A'
		}
		return r
	}, d.names)
	d.index()
}

// File is the name of the file that `make build` writes.
const File = "ip.data"

// Env is the environment variable with the path of the file.
const Env = "NETMETA_IPDATA"

// Find returns the path of the file: that in $NETMETA_IPDATA, otherwise next to the executable or in its
// ../lib/netmeta; empty if there is none.
func Find() string {
	if path := os.Getenv(Env); path != "" {
		return path
	}
	exe, err := os.Executable()
	if err != nil {
		return ""
	}
	if real, err := filepath.EvalSymlinks(exe); err == nil {
		exe = real
	}
	dir := filepath.Dir(exe)
	for _, path := range []string{filepath.Join(dir, File), filepath.Join(dir, "..", "lib", "netmeta", File)} {
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return path
		}
	}
	return ""
}

// rng is a range of addresses with a value, while Data is built.
type rng[V any] struct {
	from, to netip.Addr
	value    V
}

// step is where a value starts.
type step[V any] struct {
	from  netip.Addr
	value V
}

// flatten turns ranges into steps. Where ranges overlap, the later start counts, or the earlier end if the
// starts are equal.
func flatten[V comparable](ranges []rng[V]) []step[V] {
	slices.SortStableFunc(ranges, func(a, b rng[V]) int {
		return cmp.Or(a.from.Compare(b.from), b.to.Compare(a.to))
	})
	var (
		steps []step[V]
		open  []rng[V] // that have begun, the one that counts last
		none  V
	)
	emit := func(at netip.Addr, v V) {
		if n := len(steps); n > 0 && steps[n-1].from == at {
			steps = steps[:n-1]
		}
		if n := len(steps); n == 0 && v == none || n > 0 && steps[n-1].value == v {
			return
		}
		steps = append(steps, step[V]{at, v})
	}
	closeBefore := func(at netip.Addr) { // invalid: everything
		for len(open) > 0 {
			end := open[len(open)-1].to
			if at.IsValid() && end.Compare(at) >= 0 {
				return
			}
			for len(open) > 0 && open[len(open)-1].to.Compare(end) <= 0 {
				open = open[:len(open)-1]
			}
			if next := end.Next(); next.IsValid() {
				v := none
				if len(open) > 0 {
					v = open[len(open)-1].value
				}
				emit(next, v)
			}
		}
	}
	for _, r := range ranges {
		closeBefore(r.from)
		emit(r.from, r.value)
		open = append(open, r)
	}
	closeBefore(netip.Addr{})
	return steps
}
