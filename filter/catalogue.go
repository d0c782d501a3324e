package filter

// FieldInfo describes a name of the filter language for a page or a script: its title, its operators, and
// whether it can be grouped by.
type FieldInfo struct {
	Name       string   `json:"name"`   // Name in the filter language and in by.
	Column     string   `json:"column"` // Column of the flows table; empty if computed from several.
	Title      string   `json:"title"`
	Doc        string   `json:"doc"`
	Group      string   `json:"group"`
	Kind       string   `json:"kind"` // number, ip, mac, string, enum, flags, duration or list.
	Side       string   `json:"side"` // src, dst, in, out, local, remote, any or empty.
	Ops        []string `json:"ops"`
	Unit       string   `json:"unit"`
	Groupable  bool     `json:"groupable"`
	Filterable bool     `json:"filterable"`
	Values     []string `json:"values,omitempty"` // Names of the values, where they have names.
	Type       string   `json:"type"`             // ClickHouse type.
	Rare       bool     `json:"rare"`             // The column is added to the table with its first value.
	Page       string   `json:"page,omitempty"`   // Page of a value: host, as, exporter or interface.
}

// Catalogue lists every name of the filter language, in the order of the flows table; of a pair: source,
// destination, remote, local, either.
func Catalogue() []FieldInfo {
	list := make([]FieldInfo, 0, len(fields)+4)
	for _, b := range bases {
		sides := b.sides()
		if len(sides) > 1 { // either side is last
			sides = append(sides[1:len(sides):len(sides)], sides[0])
		}
		for _, side := range sides {
			list = append(list, b.field(side).info())
		}
		if b.name == "ip" {
			list = append(list, nets()...)
		}
	}
	return list
}

// nets are the prefixes of addresses: names only for by=. In a filter "net" is a synonym of "ip".
func nets() []FieldInfo {
	var list []FieldInfo
	for _, side := range []string{"src", "dst", "remote", "local"} {
		info := byName[side+".ip"].info()
		info.Name = side + ".net"
		info.Title = sideTitle[side] + "prefix"
		info.Doc = "Prefix of the address; src.net:24:48 sets the lengths for IPv4 and IPv6."
		list = append(list, info)
	}
	return list
}

func (b *base) field(side string) *Field {
	for _, f := range fields {
		if f.base == b && f.Side == side {
			return f
		}
	}
	panic("BUG: " + b.name + " has no side " + side)
}

var sideTitle = map[string]string{
	"src": "source ", "dst": "destination ", "in": "input ", "out": "output ", "remote": "remote ", "local": "local ", "any": "", "": "",
}

func (f *Field) info() FieldInfo {
	b := f.base
	info := FieldInfo{
		Name: f.Name, Title: sideTitle[f.Side] + b.title, Doc: b.doc, Group: b.group, Kind: b.class.kind(), Side: f.Side,
		Ops: f.operators(), Unit: string(b.unit), Groupable: f.Groupable(), Filterable: true,
	}
	switch f.Side {
	case "any":
		info.Title += ", either side"
		info.Doc += " Either of the two sides."
	case "remote":
		info.Doc += " Of the far side: the source of what comes in, the destination of what goes out; otherwise the source."
	case "local":
		info.Doc += " Of the near side: the destination of what comes in, the source of what goes out; otherwise the destination."
	}
	if b.of != nil {
		info.Type = b.of.kind
	}
	if b.first != nil {
		info.Rare, info.Type = b.first.Rare, b.first.SQLType()
		if b.of == nil {
			switch f.Side {
			case "", "src", "in":
				info.Column = b.first.Name
			case "dst", "out":
				info.Column = b.second.Name
			}
		}
	}
	switch {
	case b.name == "exporter":
		info.Page = "exporter"
	case f.IsInterface() && !f.Either():
		info.Page = "interface"
	case b.class == classIP:
		info.Page = "host"
	case b.class == classAS:
		info.Page = "as"
	}
	switch b.class {
	case classEnum, classBits:
		info.Values = b.enum
	case classProtocol:
		info.Values = protocols.words()
	case classEtherType:
		info.Values = etherTypes.words()
	case classCodepoint:
		info.Values = codepoints.words()
	}
	return info
}

func (c class) kind() string {
	switch {
	case c == classIP:
		return "ip"
	case c == classMAC:
		return "mac"
	case c == classEnum:
		return "enum"
	case c == classFlags:
		return "flags"
	case c == classDuration:
		return "duration"
	case c.text():
		return "string"
	case c.list():
		return "list"
	}
	return "number"
}
