package engine

import (
	"fmt"
	"strings"
)

// kind says how to run a statement.
type kind uint8

const (
	kindOther  kind = iota // run at once, with a small result: DDL, SHOW, EXPLAIN, SET, …
	kindSelect             // streamed out
	kindInsert             // data streamed in
	kindEmpty              // no statement at all
)

// statement has what the HTTP layer needs of a statement's text; the engine does the real parsing.
type statement struct {
	kind kind
	verb string // first word in upper case

	// text is the statement without FORMAT and data for kindInsert, and without
	// the closing semicolon otherwise.
	text string

	// format is the name in its FORMAT clause, "" without one.
	format string

	// outfile is the offset in text where INTO OUTFILE belongs: before FORMAT, or at the end.
	outfile int

	// settings is the SETTINGS clause at the end of the statement, from its first byte to the one after its
	// last; both 0 without one.
	settings [2]int

	// data is the offset in the parsed text where the inline data of kindInsert starts.
	data int
}

// parseStatement parses one statement. For an INSERT the text may be only its start; the rest is data.
func parseStatement(text string) (statement, error) {
	lex := lexer{text: text}
	first, ok := lex.next()
	if !ok {
		return statement{kind: kindEmpty}, nil
	}
	s := statement{verb: strings.ToUpper(first.text(text))}
	switch s.verb {
	case "INSERT":
		return parseInsert(text, lex, s)
	case "SELECT", "WITH", "FROM", "(":
		s.kind = kindSelect
	}

	// top holds the tokens outside of brackets; of a bracketed part only the two brackets.
	top := []token{first}
	depth := opens(first.text(text))
	for {
		t, ok := lex.next()
		if !ok {
			break
		}
		word := t.text(text)
		if word == ";" && depth == 0 {
			if more, ok := lex.next(); ok {
				return s, errorf(codeSyntaxError, "SYNTAX_ERROR", "Syntax error (Multi-statements are not allowed): failed at position %d: %.40q", more.from+1, text[more.from:])
			}
			break
		}
		step := opens(word)
		if depth == 0 || depth+step == 0 {
			top = append(top, t)
		}
		depth += step
	}
	last := top[len(top)-1]
	s.text, s.outfile = text[:last.to], last.to

	is := func(i int, word string) bool {
		return i < len(top) && top[i].kind == tokenWord && strings.EqualFold(top[i].text(text), word)
	}
	for i := range top {
		switch {
		case is(i, "OUTFILE") && i > 0 && is(i-1, "INTO"):
			return s, errorf(codeNotImplemented, "NOT_IMPLEMENTED", "INTO OUTFILE is not allowed over HTTP: the answer is the HTTP body")

		// The clause FORMAT name is distinguished from a column or a function of that name by what follows:
		// the end, or SETTINGS.
		case is(i, "FORMAT") && i > 0 && i+1 < len(top) && top[i+1].kind.name() && (i+2 == len(top) || is(i+2, "SETTINGS")):
			s.format = unquote(top[i+1].text(text))
			s.outfile = top[i].from

		case is(i, "SETTINGS") && i > 0:
			end := i + 1
			for end < len(top) && !is(end, "FORMAT") && !is(end, "INTO") {
				end++
			}
			s.settings = [2]int{top[i].from, top[end-1].to}
		}
	}
	return s, nil
}

// hoistSettings removes the SETTINGS clause from a statement: SETTINGS a = 1, b = 'x'. ok is false if there
// is none, or it contains anything but plain values.
func (s statement) hoistSettings() (text string, settings []setting, ok bool) {
	from, to := s.settings[0], s.settings[1]
	clause := s.text[from:to]
	var words []string
	for lex := (lexer{text: clause}); ; {
		t, more := lex.next()
		if !more {
			break
		}
		words = append(words, t.text(clause))
	}
	for i := 1; i < len(words); i += 4 { // SETTINGS, then name = value and a comma
		if i+2 >= len(words) || !isIdentifier(words[i]) || words[i+1] != "=" || i+3 < len(words) && (words[i+3] != "," || i+4 == len(words)) {
			return "", nil, false
		}
		value := words[i+2]
		switch {
		case value[0] == '\'' && !strings.ContainsAny(value, "\\") && len(value) >= 2:
			value = strings.ReplaceAll(value[1:len(value)-1], "''", "'")
		case !isDigit(value[0]) && !strings.EqualFold(value, "true") && !strings.EqualFold(value, "false"):
			return "", nil, false
		}
		settings = append(settings, setting{words[i], value})
	}
	return s.text[:from] + s.text[to:], settings, len(settings) > 0
}

// opens returns the change of bracket depth after a token.
func opens(word string) int {
	switch word {
	case "(", "[", "{":
		return 1
	case ")", "]", "}":
		return -1
	}
	return 0
}

// parseInsert finds the start of an INSERT's data.
//
//	INSERT INTO [TABLE] [FUNCTION] name (columns) [SETTINGS …] FORMAT Native␊data
//	                                                           ─────────────
//	                                                           VALUES | SELECT … | nothing
func parseInsert(text string, lex lexer, s statement) (statement, error) {
	s.kind = kindInsert
	depth, words := 0, 0
	for {
		t, ok := lex.next()
		if !ok {
			s.text, s.data = text, len(text)
			return s, nil
		}
		word := t.text(text)
		if word == ";" {
			s.text, s.data = text[:t.from], len(text)
			return s, nil
		}
		depth += opens(word)
		if words++; words <= 2 || depth != 0 || t.kind != tokenWord {
			continue // the first two are INTO and the table's name, which may be any word
		}
		switch strings.ToUpper(word) {
		case "FORMAT":
			name, ok := lex.next()
			if !ok || !name.kind.name() {
				continue
			}
			s.format = unquote(name.text(text))
			s.text = text[:t.from]
			s.data = dataStart(text, name.to)
			return s, nil
		case "VALUES":
			s.format = "Values"
			s.text = text[:t.from]
			s.data = t.to
			return s, nil
		case "INFILE":
			return s, errorf(codeNotImplemented, "NOT_IMPLEMENTED", "FROM INFILE is not allowed over HTTP: the data is the HTTP body")
		case "SELECT", "WITH":
			s.kind = kindOther
			s.text, s.data = text, len(text)
			rest, err := parseStatement(text[t.from:])
			if err != nil {
				return s, err
			}
			s.text = text[:t.from] + rest.text
			return s, nil
		}
	}
}

// dataStart returns where data starts after FORMAT name: after the first newline if only blanks precede it,
// otherwise at the first character that is not blank.
func dataStart(text string, i int) int {
	for i < len(text) && (text[i] == ' ' || text[i] == '\t' || text[i] == '\f') {
		i++
	}
	if i < len(text) && text[i] == '\r' {
		i++
	}
	if i < len(text) && text[i] == '\n' {
		i++
	}
	return i
}

// withOutfile returns the statement with its result going to path.
func (s statement) withOutfile(path, format string) string {
	if s.format != "" {
		return fmt.Sprintf("%s\nINTO OUTFILE '%s' TRUNCATE COMPRESSION 'none' %s", s.text[:s.outfile], path, s.text[s.outfile:])
	}
	return fmt.Sprintf("%s\nINTO OUTFILE '%s' TRUNCATE COMPRESSION 'none' FORMAT %s", s.text, path, format)
}

type tokenKind uint8

const (
	tokenWord   tokenKind = iota // a bare word
	tokenQuoted                  // `…` or "…"
	tokenString                  // '…' or a heredoc
	tokenNumber
	tokenPunct // one character
)

// name reports whether a token may be the name of a format.
func (k tokenKind) name() bool { return k == tokenWord || k == tokenQuoted }

type token struct {
	kind     tokenKind
	from, to int
}

func (t token) text(s string) string { return s[t.from:t.to] }

// lexer splits ClickHouse SQL into tokens, without blanks and comments. It never fails: unknown characters
// are punctuation, and what is not closed extends to the end.
type lexer struct {
	text string
	at   int
}

func (l *lexer) next() (token, bool) {
	s := l.text
	for l.at < len(s) {
		i := l.at
		c := s[i]
		switch {
		case c <= ' ':
			l.at++
			continue
		case strings.HasPrefix(s[i:], "\u00a0"), strings.HasPrefix(s[i:], "\ufeff"):
			l.at += len("\u00a0")
			if strings.HasPrefix(s[i:], "\ufeff") {
				l.at = i + len("\ufeff")
			}
			continue
		case strings.HasPrefix(s[i:], "--"), strings.HasPrefix(s[i:], "#!"), strings.HasPrefix(s[i:], "# "):
			if n := strings.IndexByte(s[i:], '\n'); n >= 0 {
				l.at = i + n + 1
			} else {
				l.at = len(s)
			}
			continue
		case strings.HasPrefix(s[i:], "/*"):
			if n := strings.Index(s[i+2:], "*/"); n >= 0 {
				l.at = i + 2 + n + 2
			} else {
				l.at = len(s)
			}
			continue
		case c == '\'':
			return l.token(tokenString, quotedEnd(s, i)), true
		case c == '`' || c == '"':
			return l.token(tokenQuoted, quotedEnd(s, i)), true
		case isWordStart(c):
			end := i + 1
			for end < len(s) && (isWordStart(s[end]) || isDigit(s[end]) || s[end] == '$') {
				end++
			}
			return l.token(tokenWord, end), true
		case isDigit(c):
			end := i + 1
			for end < len(s) && (isWordStart(s[end]) || isDigit(s[end]) || s[end] == '.') {
				end++
			}
			return l.token(tokenNumber, end), true
		case c == '$':
			if end := heredocEnd(s, i); end > 0 {
				return l.token(tokenString, end), true
			}
		case strings.HasPrefix(s[i:], "‘"): // ‘…’ is a string, “…” an identifier
			return l.token(tokenString, closedBy(s, i, "‘", "’")), true
		case strings.HasPrefix(s[i:], "“"):
			return l.token(tokenQuoted, closedBy(s, i, "“", "”")), true
		}
		return l.token(tokenPunct, i+1), true
	}
	return token{}, false
}

func (l *lexer) token(k tokenKind, end int) token {
	t := token{k, l.at, end}
	l.at = end
	return t
}

// quotedEnd returns the offset after the quoted token that starts at i. A backslash and a doubled quote
// escape.
func quotedEnd(s string, i int) int {
	quote := s[i]
	for i++; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case quote:
			if i+1 < len(s) && s[i+1] == quote {
				i++
				continue
			}
			return i + 1
		}
	}
	return len(s)
}

func closedBy(s string, i int, open, closing string) int {
	if n := strings.Index(s[i+len(open):], closing); n >= 0 {
		return i + len(open) + n + len(closing)
	}
	return len(s)
}

// heredocEnd returns the offset after $tag$…$tag$ that starts at i, 0 without one.
func heredocEnd(s string, i int) int {
	j := i + 1
	for j < len(s) && (isWordStart(s[j]) || isDigit(s[j])) {
		j++
	}
	if j >= len(s) || s[j] != '$' {
		return 0
	}
	tag := s[i : j+1]
	if n := strings.Index(s[j+1:], tag); n >= 0 {
		return j + 1 + n + len(tag)
	}
	return 0
}

func isWordStart(c byte) bool {
	return c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// unquote returns the name in a bare or quoted identifier.
func unquote(s string) string {
	if len(s) >= 2 && (s[0] == '`' || s[0] == '"') && s[len(s)-1] == s[0] {
		quote := s[:1]
		s = s[1 : len(s)-1]
		s = strings.ReplaceAll(s, quote+quote, quote)
		var b strings.Builder
		for i := 0; i < len(s); i++ {
			if s[i] == '\\' && i+1 < len(s) {
				i++
			}
			b.WriteByte(s[i])
		}
		return b.String()
	}
	return s
}

// quoteString writes a string literal.
func quoteString(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\x00", `\0`).Replace(s) + "'"
}

// quoteName writes an identifier.
func quoteName(s string) string {
	return "`" + strings.NewReplacer(`\`, `\\`, "`", "\\`").Replace(s) + "`"
}
