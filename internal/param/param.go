// Package param writes values as the parameters of a statement: the statement contains
// {p0:UInt16}, and the value is passed separately in ClickHouse's text form. No foreign value
// becomes part of the text of a statement.
package param

import (
	"regexp"
	"strconv"
	"strings"
)

// Set holds the parameters of one statement by their names. Values are escaped as in TabSeparated, which is
// how the HTTP interface reads "param_"+name.
type Set map[string]string

// Bind adds a value in its text form with a new name, p0, p1 …, and returns its placeholder
// in the statement, {p0:Type}.
func (s Set) Bind(kind, value string) string {
	name := "p" + strconv.Itoa(len(s))
	s[name] = value
	return "{" + name + ":" + kind + "}"
}

// Text binds a text.
func (s Set) Text(text string) string { return s.Bind("String", Escape(text)) }

// Array binds a list of values of one type.
func (s Set) Array(kind string, values []string) string {
	return s.Bind("Array("+kind+")", Array(kind, values))
}

var escape = strings.NewReplacer("\\", `\\`, "\t", `\t`, "\n", `\n`, "\r", `\r`, "\b", `\b`, "\f", `\f`, "\x00", `\0`, "'", `\'`)

// Escape writes a text as TabSeparated does.
func Escape(text string) string { return escape.Replace(text) }

// Array returns the text form of a list. Elements of a text kind are quoted.
func Array(kind string, values []string) string {
	quoted := kind == "String" || kind == "IPv6"
	var b strings.Builder
	b.WriteByte('[')
	for i, v := range values {
		if i > 0 {
			b.WriteByte(',')
		}
		if quoted {
			b.WriteByte('\'')
			b.WriteString(Escape(v))
			b.WriteByte('\'')
		} else {
			b.WriteString(v)
		}
	}
	b.WriteByte(']')
	return b.String()
}

// Literals returns a condition with the values in place of their placeholders, for places without parameters.
func (s Set) Literals(sql string) string {
	return placeholder.ReplaceAllStringFunc(sql, func(text string) string {
		name, kind, _ := strings.Cut(text[1:len(text)-1], ":")
		value, ok := s[name]
		if !ok {
			return text
		}
		if kind == "String" { // escaped in the same way
			return "'" + value + "'"
		}
		return "CAST('" + Escape(value) + "', '" + Escape(kind) + "')"
	})
}

// placeholder is {name:Type}. The text of a statement has no other braces.
var placeholder = regexp.MustCompile(`\{[a-z0-9_]+:[^{}]+\}`)
