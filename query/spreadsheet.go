package query

import (
	"net/url"
	"regexp"
	"strings"
)

// CSV is opened in spreadsheets, which execute cells that start like a formula. Names come from the network,
// so such a cell gets an apostrophe in front, which marks a text in a spreadsheet. Numbers are unchanged.

const (
	formulaForm = "^[=+\\-@\t\r\n＝＋－＠]" // full-width signs count in some languages
	numberForm  = `^[+\-]?[0-9]+(\.[0-9]+)?([eE][+\-]?[0-9]+)?$`
)

var formula, plainNumber = regexp.MustCompile(formulaForm), regexp.MustCompile(numberForm)

// ParseRaw parses the key raw: 1 leaves such cells unchanged.
func ParseRaw(v url.Values) (bool, error) {
	switch text := v.Get("raw"); text {
	case "", "0":
		return false, nil
	case "1":
		return true, nil
	default:
		return false, Invalid("raw", text, "is neither 0 nor 1")
	}
}

// Guarded returns a text that is safe in a spreadsheet.
func Guarded(text string) string {
	if formula.MatchString(text) && !plainNumber.MatchString(text) {
		return "'" + text
	}
	return text
}

// guarded is Guarded for an SQL expression.
func guarded(expr string) string {
	quoted := func(text string) string {
		return "'" + strings.NewReplacer(`\`, `\\`, "\t", `\t`, "\r", `\r`, "\n", `\n`).Replace(text) + "'"
	}
	return "if(match(" + expr + ", " + quoted(formulaForm) + ") AND NOT match(" + expr + ", " + quoted(numberForm) + "), concat('\\'', " + expr + "), " + expr + ")"
}
