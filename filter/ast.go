package filter

import (
	"encoding/json"
	"net/netip"
	"strings"
)

// A Filter is a parsed filter. Its zero value lets every record through.
type Filter struct{ Root Node }

// String is the canonical text: names in full, one spelling for each condition.
// Parsing it gives the same filter.
func (f Filter) String() string {
	if f.Root == nil {
		return ""
	}
	return f.Root.String()
}

// MarshalJSON gives the tree: {"and":[…]}, {"or":[…]}, {"not":…}, {"macro":"name","is":…},
// {"search":"text"}, {"field":"src.port","op":"=","value":["53"]} or …"with":"dst.port"}.
func (f Filter) MarshalJSON() ([]byte, error) { return json.Marshal(f.Root) }

// A Node is And, Or, Not, Macro, Search or Compare.
type Node interface {
	String() string
	json.Marshaler
	node()
}

// And holds two or more nodes, none of which is And.
type And struct{ Of []Node }

// Or holds two or more nodes, none of which is Or.
type Or struct{ Of []Node }

// Not holds anything but Not.
type Not struct{ Of Node }

// Macro is a saved filter in place of its text; Of is nil when it is empty.
type Macro struct {
	Name string
	Of   Node
}

// Search finds text in names: of interfaces, exporters, networks, providers.
type Search struct{ Text string }

// Compare is one condition. Values hold one value, or with In and NotIn two or
// more; none when the field is compared with the field With.
//
// A field of either side meets the condition with one of its sides. Ne, NotMatch
// and NotIn are the exact opposites of Eq, Match and In, so that of "port != 53"
// neither side is 53.
type Compare struct {
	Field  *Field
	Op     Op
	Values []Value
	With   *Field
}

// An Op is an operator.
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
	Has      // a list has a value, a text has a part
	In       // one of a list
	NotIn
)

var opText = [...]string{"=", "!=", "<", "<=", ">", ">=", "~", "!~", "has", "in", "not in"}

func (o Op) String() string { return opText[o] }

// A Value is a range from Lo to Hi of the class of its field, text, or flags.
// Which members are used the class says.
type Value struct {
	Lo, Hi     uint64     // numbers; flags: wanted bits and looked-at bits; large community: lower and upper 64 bits
	From, To   netip.Addr // addresses, IPv4 unmapped
	Text       string     // text and names of enumerations
	Alt        bool       // the value is of the second class of the field
	ExactFlags bool       // flags: the bits not wanted are clear, all of them
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

// inner is the text of a node inside another.
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
