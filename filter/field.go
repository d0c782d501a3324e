package filter

import (
	"slices"
	"strings"

	"netmeta/column"
	"netmeta/flow"
)

// class is the form of a field's values in a filter.
type class uint8

const (
	classNumber         class = iota // 10, 0x0a, 10M, 1-5
	classPort                        // a number, or the name of a service
	classProtocol                    // a number, or a keyword of IANA
	classEtherType                   // a number, or a name
	classCodepoint                   // a number, or a name
	classAS                          // 174, AS174, 1.10
	classFlags                       // S, S/SA, S/*
	classDuration                    // 1500ms, 90s, 5m
	classMAC                         // aa:bb:cc:dd:ee:ff
	classIP                          // address, prefix, range of addresses
	classEnum                        // one of the names of the field
	classText                        // text
	classCountry                     // text, in capitals
	classNumberList                  // contains a number
	classASList                      // contains an AS
	classCommunity                   // a:b, a:b:c or a well-known name
	classLargeCommunity              // a:b:c
	classBits                        // contains one of the names of the field
)

func (c class) list() bool {
	return c == classNumberList || c == classASList || c == classCommunity || c == classLargeCommunity || c == classBits
}
func (c class) text() bool { return c == classText || c == classCountry }

// number reports that values are ordered numbers.
func (c class) number() bool { return c <= classAS || c == classDuration }

// base is a name of the filter language without its side, with its columns.
type base struct {
	name  string
	class class
	title string // without "source"
	doc   string
	group string
	unit  column.Unit
	show  column.Show
	enum  []string
	max   uint64 // of numbers

	// The columns: first and second of a pair, or only first; or the computation.
	first, second *column.Field
	of            *computation

	// Some names accept two classes of values. "if" is the interface's name for text and its ifIndex for a
	// number.
	alt                  class
	altFirst, altSecond  *column.Field
	moreFirst, moreSecnd *column.Field // also searched by ~ and has
}

// Field is a full name of the filter language. There is one value per name: pointers may be compared.
type Field struct {
	Name string // as the formatter writes it: src.port, port, remote.as, proto
	Side string // src, dst, in, out, local, remote; any: either of a pair; empty: no pair
	base *base
}

// dirs are the words that may precede a name.
var dirs = []string{"src", "dst", "any", "local", "remote", "in", "out", "prev", "next"}

// IsSide reports that a word may precede a name: src, remote, in …
func IsSide(word string) bool { return slices.Contains(dirs, word) }

// reserved words must be quoted if they are meant as text.
var reserved = []string{"and", "or", "not", "in", "notin", "has", "like", "ilike", "unlike", "iunlike"}

func isReserved(word string) bool { return slices.Contains(reserved, strings.ToLower(word)) }

var (
	bases    []*base               // in the order of the table
	fields   []*Field              // every name in full
	byName   = map[string]*Field{} // canonical names
	byColumn = map[string]*Field{} // names of columns, lower case
)

// aliases are synonyms of names without side.
var aliases = map[string]string{
	"host": "ip", "net": "ip", "addr": "ip", "address": "ip", "prefix": "ip", "network": "ip",
	"asn": "as", "dir": "direction", "protocol": "proto", "portrange": "port",
	"interface": "if", "iface": "if", "ethertype": "etype", "tcpflags": "flags", "boundry": "boundary",
	"connectivity": "conn", "router": "exporter", "sampler": "exporter", "icmp-type": "icmptype", "icmp-code": "icmpcode",
	"fwdstat": "forwarding", "aspath": "path", "communities": "community", "largecommunities": "largecommunity",
	"label": "mpls", "labels": "mpls", "application": "app", "packetsize": "bpp", "hoplimit": "ttl", "tc": "tos",
	"next-hop": "nexthop", "nh": "nexthop", "bgpnext": "bgpnexthop", "samplingrate": "sampling",
	"ifname": "if", "ifdesc": "ifdescription", "ifalias": "ifdescription", "nataddr": "natip", "outeraddr": "outerip",
}

// columnAliases are column names of other flow stores, in lower case, for pasted filters.
var columnAliases = map[string]string{
	"srcgeocity": "src.city", "dstgeocity": "dst.city", "srcnetprefix": "src.ip", "dstnetprefix": "dst.ip",
	"packetsize": "bpp", "samplingrate": "sampling", "srcif": "in.if", "dstif": "out.if",
	"srcnetmask": "src.mask", "dstnetmask": "dst.mask", "ipfragmentoffset": "fragmentoffset", "ipfragmentid": "fragmentid", "mpls1stlabel": "mpls",
	"icmpv4type": "icmptype", "icmpv4code": "icmpcode", "icmpv6type": "icmptype", "icmpv6code": "icmpcode",
	"srcvlanid": "src.vlan", "dstvlanid": "dst.vlan", "tcpflag": "flags", "sampleraddress": "exporter",
}

func init() {
	for _, f := range flow.Table.Fields {
		if f.Filter == "" || f.Kind == column.Alias || f.Kind == column.TextMap || (f.Twin() != nil && (f.Side == column.Dst || f.Side == column.Out)) {
			continue
		}
		bases = append(bases, newBase(f))
		if f == flow.IPTos.Field {
			bases = append(bases, &base{name: "dscp", class: classCodepoint, title: "DSCP", group: f.Group, max: 63, first: f,
				doc: "Differentiated services codepoint: the upper six bits of the type of service (RFC 2474).",
				of:  &computation{"bitShiftRight(IPTos, 2)", "UInt8", []*column.Field{f}, dscpOf}})
		}
	}
	bases = append(bases, computed...)
	dual("if", classNumber, flow.InIf.Field, flow.OutIf.Field, flow.InIfDescription.Field, flow.OutIfDescription.Field)
	exporter := findBase("exporter")
	exporter.alt, exporter.altFirst = classText, flow.ExporterName.Field
	community := findBase("community")
	community.alt, community.altFirst = classLargeCommunity, flow.DstLargeCommunities.Field
	for _, b := range bases {
		for _, side := range b.sides() {
			f := &Field{Name: side + "." + b.name, Side: side, base: b}
			if side == "" || side == "any" {
				f.Name = b.name
			}
			fields = append(fields, f)
			byName[f.Name] = f
		}
		if b.of != nil {
			continue
		}
		byColumn[strings.ToLower(b.first.Name)] = byName[b.first.FilterName()]
		if b.second != nil {
			byColumn[strings.ToLower(b.second.Name)] = byName[b.second.FilterName()]
		}
	}
	for column, name := range columnAliases {
		if byColumn[column] == nil {
			byColumn[column] = byName[name]
		}
		if byColumn[column] == nil {
			panic("BUG: column alias " + column + " stands for nothing")
		}
	}
	for word, name := range aliases {
		if findBase(name) == nil {
			panic("BUG: alias " + word + " stands for nothing")
		}
	}
}

// computed are names for values computed from one record. bytes, packets and the like are per record and as
// counted, not multiplied by the sampling rate.
var computed = []*base{
	{name: "duration", class: classDuration, title: "duration", group: "record", unit: column.Millisecond, max: 1<<63 - 1,
		doc: "How long the flow of the record lasted: from its first packet to its last.",
		of:  &computation{durationSQL, "UInt64", times, durationOf}},
	{name: "bps", class: classNumber, title: "bits/s of the record", group: "volume", unit: column.BitPerSec, max: 1<<63 - 1,
		doc: "Bits per second of the record over its duration, 0 when it has none; per record, not multiplied by the sampling rate.",
		of:  &computation{"if(" + durationSQL + " > 0, 8000 * toFloat64(Bytes) / " + durationSQL + ", 0)", "UInt64", append(times, flow.Bytes.Field), rateOf(8000)}},
	{name: "pps", class: classNumber, title: "packets/s of the record", group: "volume", max: 1<<63 - 1,
		doc: "Packets per second of the record over its duration, 0 when it has none; per record, not multiplied by the sampling rate.",
		of:  &computation{"if(" + durationSQL + " > 0, 1000 * toFloat64(Packets) / " + durationSQL + ", 0)", "UInt64", append(times, flow.Packets.Field), rateOf(1000)}},
	{name: "bpp", class: classNumber, title: "bytes per packet", group: "volume", unit: column.Byte, max: 1<<64 - 1,
		doc: "Mean size of the packets of the record.",
		of:  &computation{"Bytes / greatest(Packets, 1)", "UInt64", []*column.Field{flow.Bytes.Field, flow.Packets.Field}, sizeOf}},
}

// computation is a value that is computed from fields of one row.
type computation struct {
	sql    string
	kind   string // the ClickHouse type of parameters in comparisons
	fields []*column.Field
	rows   func(fields [][]uint64, into []real) // the same for rows of a batch
}

var times = slices.Clip([]*column.Field{flow.FlowStart.Field, flow.FlowEnd.Field})

const durationSQL = "(toUnixTimestamp64Milli(FlowEnd) - toUnixTimestamp64Milli(FlowStart))"

func newBase(f *column.Field) *base {
	b := &base{name: f.Filter, class: classOf(f), title: f.Title, doc: f.Doc, group: f.Group, unit: f.Unit, show: f.Show, enum: f.Enum, max: maxOf(f), first: f, second: f.Twin()}
	if b.second != nil { // "source port" → "port"
		_, b.title, _ = strings.Cut(f.Title, " ")
	}
	return b
}

func classOf(f *column.Field) class {
	switch f.Kind {
	case column.Enum:
		return classEnum
	case column.IP:
		return classIP
	case column.Text:
		if f.Filter == "country" {
			return classCountry
		}
		return classText
	case column.Uint32List:
		switch {
		case f.Show == column.AS:
			return classASList
		case f.Filter == "community":
			return classCommunity
		}
		return classNumberList
	case column.Uint128List:
		return classLargeCommunity
	}
	switch f.Show {
	case column.Bits:
		return classBits
	case column.MAC:
		return classMAC
	case column.AS:
		return classAS
	case column.Protocol:
		return classProtocol
	case column.EtherTyp:
		return classEtherType
	case column.Flags:
		return classFlags
	}
	if f.Kind == column.Uint16 && strings.HasSuffix(f.Filter, "port") {
		return classPort
	}
	return classNumber
}

func maxOf(f *column.Field) uint64 {
	switch f.Kind {
	case column.Uint8:
		return 1<<8 - 1
	case column.Uint16:
		return 1<<16 - 1
	case column.Uint32, column.Uint32List:
		return 1<<32 - 1
	case column.Uint64:
		if f.Show == column.MAC {
			return 1<<48 - 1
		}
		return 1<<64 - 1
	}
	return 0
}

func findBase(name string) *base {
	for _, b := range bases {
		if b.name == name {
			return b
		}
	}
	return nil
}

func dual(name string, alt class, first, second, moreFirst, moreSecond *column.Field) {
	b := findBase(name)
	b.alt, b.altFirst, b.altSecond, b.moreFirst, b.moreSecnd = alt, first, second, moreFirst, moreSecond
}

// sides returns the sides of a name; the first is the one without a prefix.
func (b *base) sides() []string {
	switch {
	case b.second == nil:
		return []string{""}
	case b.first.Side == column.In:
		return []string{"any", "in", "out"}
	}
	return []string{"any", "src", "dst", "remote", "local"}
}

// Either reports that the field stands for two columns, any of which may match.
func (f *Field) Either() bool { return f.Side == "any" }

// dual reports that the field accepts values of a second class.
func (f *Field) dual() bool { return f.base.altFirst != nil }

// Lookup finds a name with its preceding word, "" for none. It does not find names of columns.
func Lookup(side, name string) *Field {
	name = strings.ToLower(name)
	if to, ok := aliases[name]; ok {
		name = to
	}
	switch {
	case side == "next" && name == "as":
		return byName["nextas"]
	case side == "next" && (name == "hop" || name == "ip"):
		return byName["nexthop"]
	case side == "in" && (name == "mac" || name == "vlan"):
		side = "src"
	case side == "out" && (name == "mac" || name == "vlan"):
		side = "dst"
	case side == "" || side == "any":
		if f := byName[name]; f != nil && (side == "" || f.Either()) {
			return f
		}
		return nil
	}
	return byName[side+"."+name]
}

// Find finds a name as one word: src.port, port, SrcPort, addr.
func Find(word string) *Field {
	low := strings.ToLower(word)
	if side, name, ok := strings.Cut(low, "."); ok && IsSide(side) {
		return Lookup(side, name)
	}
	if f := Lookup("", low); f != nil {
		return f
	}
	return byColumn[low]
}

// Candidates returns the names that may follow a side, for suggestions.
func Candidates(side string) []string {
	var list []string
	for _, b := range bases {
		if Lookup(side, b.name) != nil {
			list = append(list, b.name)
		}
	}
	words := make([]string, 0, len(aliases))
	for word := range aliases {
		if Lookup(side, word) != nil {
			words = append(words, word)
		}
	}
	slices.Sort(words)
	list = append(list, words...)
	if side == "" {
		list = append(list, dirs...)
		list = append(list, bareProtocols...)
	}
	return list
}
