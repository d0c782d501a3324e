package route

import (
	"encoding/binary"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"netmeta/column"
)

// Sources are the input of Build: CSV without a header, ranges of addresses with both ends.
type Sources struct {
	Name      string      // of all, for display
	AS        []io.Reader // from,to,as,name
	Countries []io.Reader // from,to,country
}

const maxName = 128 // bytes of the name of an AS; the rest is cut off

// Build makes Data from tables of ranges. Addresses are cut to /64; IPv6 other than global unicast is
// omitted.
func Build(s Sources) (*Data, error) {
	var as [2][]rng[uint32]      // IPv4, IPv6
	var country [2][]rng[string] // the same
	names := map[uint32]string{}
	for _, r := range s.AS {
		err := eachRange(r, 4, func(family int, from, to netip.Addr, rest []string) error {
			n, err := strconv.ParseUint(rest[0], 10, 32)
			if err != nil {
				return fmt.Errorf("%q is not an AS number", rest[0])
			}
			as[family] = append(as[family], rng[uint32]{from, to, uint32(n)})
			if name := strings.TrimSpace(rest[1]); name != "" && n != 0 {
				names[uint32(n)] = strings.ToValidUTF8(name[:min(len(name), maxName)], "")
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	for _, r := range s.Countries {
		err := eachRange(r, 3, func(family int, from, to netip.Addr, rest []string) error {
			code := strings.ToUpper(rest[0])
			if len(code) != 2 || code[0] < 'A' || code[0] > 'Z' || code[1] < 'A' || code[1] > 'Z' {
				return fmt.Errorf("%q is not a country", rest[0])
			}
			country[family] = append(country[family], rng[string]{from, to, code})
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	d := &Data{Source: s.Name}
	index := map[location]uint32{{}: 0}
	d.locations = []Location{{}}
	number := func(p location) uint32 {
		i, ok := index[p]
		if !ok {
			i = uint32(len(d.locations))
			index[p] = i
			d.locations = append(d.locations, Location{p.as, column.LabelOf(p.country)})
		}
		return i
	}
	d.v4, d.v6 = []point4{{}}, []point6{{}}
	join(flatten(as[0]), flatten(country[0]), func(at netip.Addr, p location) {
		b := at.As4()
		point := point4{binary.BigEndian.Uint32(b[:]), number(p)}
		if last := &d.v4[len(d.v4)-1]; last.start == point.start {
			last.location = point.location
		} else if last.location != point.location {
			d.v4 = append(d.v4, point)
		}
	})
	join(flatten(as[1]), flatten(country[1]), func(at netip.Addr, p location) {
		b := at.As16()
		point := point6{binary.BigEndian.Uint64(b[:8]), number(p)}
		if last := &d.v6[len(d.v6)-1]; last.start == point.start {
			last.location = point.location
		} else if last.location != point.location && point.start>>61 == 1 {
			d.v6 = append(d.v6, point)
		}
	})
	var text strings.Builder
	d.as = slices.Sorted(maps.Keys(names))
	for _, n := range d.as {
		text.WriteString(names[n])
		d.ends = append(d.ends, uint32(text.Len()))
	}
	d.names = text.String()
	d.finish()
	return d, nil
}

// location is a Location while Data is built.
type location struct {
	as      uint32
	country string
}

// join calls emit where either of two lists of steps changes its value.
func join(as []step[uint32], country []step[string], emit func(netip.Addr, location)) {
	var p location
	for len(as) > 0 || len(country) > 0 {
		var at netip.Addr
		switch {
		case len(country) == 0:
			at = as[0].from
		case len(as) == 0 || country[0].from.Less(as[0].from):
			at = country[0].from
		default:
			at = as[0].from
		}
		if len(as) > 0 && as[0].from == at {
			p.as, as = as[0].value, as[1:]
		}
		if len(country) > 0 && country[0].from == at {
			p.country, country = country[0].value, country[1:]
		}
		emit(at, p)
	}
}

// eachRange reads a table; family is 0 for IPv4 and 1 for IPv6.
func eachRange(r io.Reader, columns int, row func(family int, from, to netip.Addr, rest []string) error) error {
	table := csv.NewReader(r)
	table.FieldsPerRecord, table.ReuseRecord = columns, true
	for {
		record, err := table.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		line, _ := table.FieldPos(0)
		from, err := netip.ParseAddr(record[0])
		if err != nil {
			return fmt.Errorf("line %d: %w", line, err)
		}
		to, err := netip.ParseAddr(record[1])
		if err != nil {
			return fmt.Errorf("line %d: %w", line, err)
		}
		if from.Is4() != to.Is4() || to.Less(from) {
			return fmt.Errorf("line %d: %s to %s is not a range", line, from, to)
		}
		family := 0
		if from.Is6() {
			family = 1
		}
		if err := row(family, from, to, record[2:]); err != nil {
			return fmt.Errorf("line %d: %w", line, err)
		}
	}
}
