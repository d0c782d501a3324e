package filter

import (
	"encoding/json"
	"net/netip"
	"strings"
)

// Filter is a parsed filter. Its zero value matches every record.
type Filter struct{ Root Node }

// String returns the canonical text: full names, one spelling for each condition. Parsing it gives the same
// filter.
func (f Filter) String() string {
	if f.Root == nil {
		return ""
	}
	return f.Root.String()
}

// MarshalJSON returns the tree: {"and":[…]}, {"or":[…]}, {"not":…}, {"macro":"name","is":…},
// {"search":"text"}, {"field":"src.port","op":"=","value":["53"]} or …"with":"dst.port"}.
func (f Filter) MarshalJSON() ([]byte, error) { return json.Marshal(f.Root) }

// Node is And, Or, Not, Macro, Search or Compare.
type Node interface {
	String() string
	json.Marshaler
	node()
}

// And has two or more nodes, none of which is And.
type And struct{ Of []Node }

// Or has two or more nodes, none of which is Or.
type Or struct{ Of []Node }

// Not negates any node but Not.
type Not struct{ Of Node }

// Macro is a saved filter, used by name; Of is nil if it is empty.
type Macro struct {
	Name string
	Of   Node
}

// Search searches for text in names: of interfaces, exporters, networks, providers.
type Search struct{ Text string }

// Compare is one condition. Values has one value, or with In and NotIn two or more; none if the field is
// compared with the field With.
//
// A field of either side matches if one of its sides does. Ne, NotMatch and NotIn are the exact opposites of
// Eq, Match and In: with "port != 53" neither side is 53.
type Compare struct {
	Field  *Field
	Op     Op
	Values []Value
	With   *Field
}

// Op is an operator.
type Op uint8

const (
	Eq Op = iota
	Ne
	Lt
	Le
	Gt
	Ge
	Match    // ~, a regular expression (RE2) on text
	NotMatch // !~
	Has      // a list has a value, a text contains a part
	In       // one of a list
	NotIn
)

var opText = [...]string{"=", "!=", "<", "<=", ">", ">=", "~", "!~", "has", "in", "not in"}

func (o Op) String() string { return opText[o] }

// Value is a range from Lo to Hi of the class of its field, text, or flags. The class determines which
// members are used.
type Value struct {
	Lo, Hi     uint64     // numbers; flags: wanted bits and compared bits; large community: upper and lower 64 bits
	From, To   netip.Addr // addresses, IPv4 unmapped
	Text       string     // text and names of enumerations
	Alt        bool       // the value is of the second class of the field
	ExactFlags bool       // flags: all other bits must be clear
}

func (And) node()     {}
func (Or) node()      {}
func (Not) node()     {}
func (Macro) node()   {}
func (Search) node()  {}
func (Compare) node() {}

func (n And) String() string { return join(n.Of, " and ") }
func (n Or) String() string  { return join(n.Of, " or ") }

func join(nodes []Node, with string) string {
	parts := make([]string, len(nodes))
	for i, n := range nodes {
		parts[i] = inner(n)
	}
	return strings.Join(parts, with)
}

// inner returns the text of a node inside another.
func inner(n Node) string {
	switch n.(type) {
	case And, Or:
		return "(" + n.String() + ")"
	}
	return n.String()
}

func (n Not) String() string    { return "not " + inner(n.Of) }
func (n Macro) String() string  { return "@" + n.Name }
func (n Search) String() string { return quoteText(n.Text) }

func (n Compare) String() string {
	s := n.Field.Name + " " + n.Op.String() + " "
	if n.With != nil {
		return s + n.With.Name
	}
	if n.Op != In && n.Op != NotIn {
		return s + n.Field.format(n.Values[0])
	}
	return s + "[" + strings.Join(n.texts(), ", ") + "]"
}

func (n Compare) texts() []string {
	list := make([]string, len(n.Values))
	for i, v := range n.Values {
		list[i] = n.Field.format(v)
	}
	return list
}

func (n And) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		And []Node `json:"and"`
	}{n.Of})
}

func (n Or) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Or []Node `json:"or"`
	}{n.Of})
}

func (n Not) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Not Node `json:"not"`
	}{n.Of})
}

func (n Macro) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Macro string `json:"macro"`
		Is    Node   `json:"is"`
	}{n.Name, n.Of})
}

func (n Search) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Search string `json:"search"`
	}{n.Text})
}

func (n Compare) MarshalJSON() ([]byte, error) {
	c := struct {
		Field  string   `json:"field"`
		Op     string   `json:"op"`
		Values []string `json:"values,omitempty"`
		With   string   `json:"with,omitempty"`
	}{Field: n.Field.Name, Op: n.Op.String(), Values: n.texts()}
	if n.With != nil {
		c.With = n.With.Name
	}
	return json.Marshal(c)
}
