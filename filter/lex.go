package filter

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

type tokenKind uint8

const (
	tokEnd    tokenKind = iota
	tokWord             // letters, digits and . : / - _ * @ …: names and values alike
	tokQuoted           // "text" or 'text'; token.text is the content
	tokOp               // = == != < <= > >= ~ !~ << !<< ! && || & |
	tokPunct            // ( ) [ ] { } ,
)

// token is a part of a filter. The parser decides the meaning of a word from its position: "in" is an
// operator, a direction or the side of an interface.
type token struct {
	kind       tokenKind
	text       string // as written; of a quoted token, unquoted
	start, end int    // bytes in the text
}

func (t token) is(text string) bool {
	return (t.kind == tokOp || t.kind == tokPunct) && t.text == text
}

func (t token) keyword(word string) bool {
	return t.kind == tokWord && strings.EqualFold(t.text, word)
}

func (t token) span() [2]int { return [2]int{t.start, t.end} }

// quote returns the token as shown in error messages.
func (t token) quote() string {
	switch t.kind {
	case tokEnd:
		return "the end"
	case tokQuoted:
		return "the text " + quoteText(t.text)
	}
	return quoteText(t.text)
}

// operators, longer ones before their prefixes.
var operators = []string{"!<<", "<<", "==", "!=", "<=", ">=", "!~", "&&", "||", "=", "<", ">", "~", "!", "&", "|"}

// special ends a word.
const special = " \t\r\n\f\v\"'()[]{},=<>!~&|"

// lex splits a filter into tokens; the last is tokEnd. A comment starts with -- or /* where a token could
// start; after other characters "/*" is part of a word, because flags S/* is a condition.
func lex(text string) ([]token, *Error) {
	tokens := make([]token, 0, 8+len(text)/4)
	for i := 0; i < len(text); {
		rest := text[i:]
		switch c := text[i]; {
		case strings.IndexByte(" \t\r\n\f\v", c) >= 0:
			i++
		case strings.HasPrefix(rest, "--"):
			n := strings.IndexByte(rest, '\n')
			if n < 0 {
				n = len(rest)
			}
			i += n
		case strings.HasPrefix(rest, "/*"):
			n := strings.Index(rest[2:], "*/")
			if n < 0 {
				return nil, &Error{Span: [2]int{i, len(text)}, Message: "the comment is not closed", Expected: []string{"*/"}}
			}
			i += n + 4
		case c == '"' || c == '\'':
			t, err := lexQuoted(text, i)
			if err != nil {
				return nil, err
			}
			tokens = append(tokens, t)
			i = t.end
		case strings.IndexByte("()[]{},", c) >= 0:
			tokens = append(tokens, token{tokPunct, text[i : i+1], i, i + 1})
			i++
		case strings.IndexByte(special, c) >= 0:
			op := operatorAt(rest)
			tokens = append(tokens, token{tokOp, op, i, i + len(op)})
			i += len(op)
		default:
			n := strings.IndexAny(rest, special)
			if n < 0 {
				n = len(rest)
			}
			if m := strings.Index(rest[:n], "--"); m > 0 {
				n = m
			}
			tokens = append(tokens, token{tokWord, rest[:n], i, i + n})
			i += n
		}
	}
	return append(tokens, token{kind: tokEnd, start: len(text), end: len(text)}), nil
}

func operatorAt(rest string) string {
	for _, op := range operators {
		if strings.HasPrefix(rest, op) {
			return op
		}
	}
	return ""
}

func lexQuoted(text string, start int) (token, *Error) {
	quote := text[start]
	if strings.HasPrefix(text[start+1:], string(quote)) { // empty, whatever follows
		return token{tokQuoted, "", start, start + 2}, nil
	}
	var b strings.Builder
	for i := start + 1; i < len(text); i++ {
		switch {
		case text[i] == quote && i+1 < len(text) && text[i+1] == quote: // doubled, as in SQL
			i++
			b.WriteByte(quote)
		case text[i] == quote:
			return token{tokQuoted, b.String(), start, i + 1}, nil
		case text[i] == '\\' && i+1 < len(text) && (text[i+1] == '\\' || text[i+1] == '"' || text[i+1] == '\''):
			i++
			b.WriteByte(text[i])
		default: // a backslash before another letter stands for itself: regular expressions read well
			b.WriteByte(text[i])
		}
	}
	return token{}, &Error{Span: [2]int{start, len(text)}, Message: "the quoted text is not closed", Expected: []string{string(quote)}}
}

// quoteText writes text so that lexQuoted reads it back.
func quoteText(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := 0; i < len(text); i++ {
		if text[i] == '"' || text[i] == '\\' {
			b.WriteByte('\\')
		}
		b.WriteByte(text[i])
	}
	b.WriteByte('"')
	return b.String()
}

// checkText rejects texts that are too long, not UTF-8, or contain zero bytes.
func checkText(text string) *Error {
	if len(text) > MaxBytes {
		return &Error{Span: [2]int{MaxBytes, len(text)}, Message: fmt.Sprintf("the filter has %d bytes, more than %d; save a part of it as a macro", len(text), MaxBytes)}
	}
	if i := strings.IndexByte(text, 0); i >= 0 {
		return &Error{Span: [2]int{i, i + 1}, Message: "a zero byte cannot be part of a filter"}
	}
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRuneInString(text[i:])
		if r == utf8.RuneError && n == 1 {
			return &Error{Span: [2]int{i, i + 1}, Message: "the filter is not UTF-8 here"}
		}
		i += n
	}
	return nil
}
