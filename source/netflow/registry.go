package netflow

import (
	"embed"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"netmeta/column"
)

// The names of elements are in registry/, one file per registry, named after it and its enterprise number:
// iana-0.csv is the IANA registry of RFC 7012, the others are of vendors, from their documentation. A line is
//
//	element id,name,type
//
// Types are those of RFC 7011 §6.1, as far as they make a difference here: unsigned means unsigned8 to
// unsigned256 (the template has the length), float both lengths, dateTimeNTP micro- and nanoseconds, list the
// structured data of RFC 6313.
//
//go:embed registry/*.csv
var registryFiles embed.FS

// valueType says how to read the bytes of an element.
type valueType uint8

const (
	unknownType valueType = iota // guessed from the value
	unsigned
	signed
	float
	boolean
	ipv4Address
	ipv6Address
	macAddress
	text
	octets
	dateTimeSeconds
	dateTimeMilliseconds
	dateTimeNTP
	list
)

var valueTypes = map[string]valueType{
	"unsigned": unsigned, "signed": signed, "float": float, "boolean": boolean, "ipv4Address": ipv4Address,
	"ipv6Address": ipv6Address, "macAddress": macAddress, "string": text, "octetArray": octets,
	"dateTimeSeconds": dateTimeSeconds, "dateTimeMilliseconds": dateTimeMilliseconds, "dateTimeNTP": dateTimeNTP, "list": list,
}

// Element is an information element in the configuration.
type Element struct {
	column.IE
	Name string // as configured

	typ valueType
}

// registry has all elements with a name: those of IANA by their name, others by VENDOR/NAME.
type registry struct {
	byName map[string]Element
	byIE   map[column.IE]Element
}

var names = sync.OnceValue(func() (r registry) {
	r.byName, r.byIE = map[string]Element{}, map[column.IE]Element{}
	files, err := registryFiles.ReadDir("registry")
	if err != nil {
		panic("BUG: " + err.Error())
	}
	for _, f := range files {
		if err := r.read(f.Name()); err != nil {
			panic("BUG: registry/" + f.Name() + ": " + err.Error())
		}
	}
	return r
})

func (r *registry) read(file string) error {
	content, err := registryFiles.ReadFile("registry/" + file)
	if err != nil {
		return err
	}
	vendor, number, _ := strings.Cut(strings.TrimSuffix(file, ".csv"), "-")
	pen, err := strconv.ParseUint(number, 10, 32)
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(content)) {
		parts := strings.Split(strings.TrimSpace(line), ",")
		if len(parts) != 3 {
			return fmt.Errorf("line %q does not have 3 parts", line)
		}
		id, err := strconv.ParseUint(parts[0], 10, 16)
		if err != nil {
			return err
		}
		e := Element{IE: column.IE{PEN: uint32(pen), ID: uint16(id)}, Name: parts[1], typ: valueTypes[parts[2]]}
		if pen != 0 {
			e.Name = vendor + "/" + e.Name
		}
		if _, twice := r.byName[e.Name]; twice || e.typ == unknownType || r.byIE[e.IE].Name != "" {
			return fmt.Errorf("line %q: duplicate name or number, or unknown type", line)
		}
		r.byName[e.Name], r.byIE[e.IE] = e, e
	}
	return nil
}

// Elements finds elements by name: applicationName in the IANA registry, ixia/l7ApplicationName of a vendor,
// reverse/octetDeltaCount for the reverse direction of a biflow (RFC 5103); or by number, 96 or 3054:111, for
// those without a name here. The error lists all that are unknown.
func Elements(list []string) (elements []Element, err error) {
	var unknown []string
	for _, name := range list {
		e, hint := elementNamed(name)
		if hint != "" {
			unknown = append(unknown, fmt.Sprintf("%q: %s", name, hint))
			continue
		}
		elements = append(elements, e)
	}
	if unknown != nil {
		return nil, fmt.Errorf("unknown element %s", strings.Join(unknown, "; "))
	}
	return elements, nil
}

// UnmarshalText finds an element by name, as Elements does.
func (e *Element) UnmarshalText(name []byte) error {
	found, hint := elementNamed(string(name))
	if hint != "" {
		return fmt.Errorf("unknown element %q: %s", name, hint)
	}
	*e = found
	return nil
}

// String returns the name as configured.
func (e Element) String() string { return e.Name }

// MarshalText returns the name as configured.
func (e Element) MarshalText() ([]byte, error) { return []byte(e.Name), nil }

// elementNamed finds one element. If there is none, hint suggests another.
func elementNamed(name string) (e Element, hint string) {
	reg := names()
	if e, ok := reg.byName[name]; ok {
		return e, ""
	}
	if forward, ok := strings.CutPrefix(name, "reverse/"); ok {
		if e, ok := reg.byName[forward]; ok && e.PEN == 0 {
			e.PEN, e.Name = reversePEN, name
			return e, ""
		}
	}
	if ie, ok := parseIE(name); ok {
		e = Element{IE: ie, Name: name, typ: reg.byIE[ie].typ}
		if ie.PEN == reversePEN {
			e.typ = reg.byIE[column.IE{ID: ie.ID}].typ
		}
		return e, ""
	}
	_, bare, _ := strings.Cut("/"+name, "/")
	for known := range reg.byName {
		if strings.EqualFold(known, name) || strings.HasSuffix(strings.ToLower(known), "/"+strings.ToLower(bare)) {
			if hint == "" || known < hint {
				hint = known
			}
		}
	}
	if hint != "" {
		return e, fmt.Sprintf("did you mean %q?", hint)
	}
	return e, "is not in the registry; use ID, or PEN:ID for one of a vendor"
}

// parseIE reads ID or PEN:ID.
func parseIE(s string) (ie column.IE, ok bool) {
	pen, id, vendor := strings.Cut(s, ":")
	if !vendor {
		pen, id = "0", s
	}
	p, errP := strconv.ParseUint(pen, 10, 32)
	n, errN := strconv.ParseUint(id, 10, 16)
	return column.IE{PEN: uint32(p), ID: uint16(n)}, errP == nil && errN == nil && n > 0
}
