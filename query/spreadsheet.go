package query

import (
	"net/url"
	"regexp"
	"strings"
)

// CSV is opened in spreadsheets, which run a cell that begins like a formula. Names come
// from the network, so such a cell gets an apostrophe in front, by which a spreadsheet
// knows a text. A number stays one.

const (
	formulaForm = "^[=+\\-@\t\r\n＝＋－＠]" // full-width signs count in some languages
	numberForm  = `^[+\-]?[0-9]+(\.[0-9]+)?([eE][+\-]?[0-9]+)?$`
)

var formula, plainNumber = regexp.MustCompile(formulaForm), regexp.MustCompile(numberForm)

// ParseRaw reads the key raw: 1 leaves such cells as they are.
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

// Guarded is a text as a spreadsheet may have it.
func Guarded(text string) string {
	if formula.MatchString(text) && !plainNumber.MatchString(text) {
		return "'" + text
	}
	return text
}

// guarded is Guarded for an expression of SQL.
func guarded(expr string) string {
	quoted := func(text string) string {
		return "'" + strings.NewReplacer(`\`, `\\`, "\t", `\t`, "\r", `\r`, "\n", `\n`).Replace(text) + "'"
	}
	return "if(match(" + expr + ", " + quoted(formulaForm) + ") AND NOT match(" + expr + ", " + quoted(numberForm) + "), concat('\\'', " + expr + "), " + expr + ")"
}
