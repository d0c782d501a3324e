package engine

import "strings"

// Bounds of a reading user's statement. The engine's own bounds are for servers whose
// clients are trusted: 5,000 joined tables are a statement of 130 KB that ends its
// process, since it plans them recursively. What ends it, and from which number on, was
// found by experiment and is in doc/decisions; these bounds are a quarter of that or
// less.
const (
	maxReaderStatement  = 256 << 10 // bytes of a statement
	maxReaderAST        = 50_000    // nodes of its syntax tree
	maxReaderASTDepth   = 500       // nested nodes of its syntax tree
	maxReaderExpanded   = 100_000   // nodes when aliases and asterisks are written out
	maxReaderSubqueries = 50        // nested subqueries, those of WITH written out
)

// A tally is what a statement has of things that the engine handles recursively, or in
// a time that grows with their square.
type tally struct {
	tokens  int
	depth   int // nested brackets
	selects int // subqueries, branches of UNION, parts of WITH
	tables  int // joined ones, by JOIN or by a comma
	windows int // OVER
	applies int // SELECT * APPLY f APPLY g …
}

// readerTally is the most that a reading user's statement may have.
var readerTally = tally{tokens: 50_000, depth: 200, selects: 500, tables: 100, windows: 100, applies: 100}

// check compares with the bounds.
func (t tally) check() error {
	for _, c := range []struct {
		what      string
		have, max int
	}{
		{"words", t.tokens, readerTally.tokens},
		{"nested brackets", t.depth, readerTally.depth},
		{"subqueries and branches of UNION", t.selects, readerTally.selects},
		{"joined tables", t.tables, readerTally.tables},
		{"window functions", t.windows, readerTally.windows},
		{"APPLY", t.applies, readerTally.applies},
	} {
		if c.have > c.max {
			return errorf(codeTooBig, "TOO_BIG_AST", "The statement has %d %s, for the read-only user it may have %d", c.have, c.what, c.max)
		}
	}
	return nil
}

// fromEnds are the words that end the list of tables after FROM.
var fromEnds = set("SELECT WHERE PREWHERE GROUP ORDER HAVING LIMIT UNION INTERSECT EXCEPT WINDOW QUALIFY SETTINGS FORMAT WITH")

// measure counts. It looks at words alone, so a column that is called join counts too.
func measure(text string) tally {
	var (
		t      tally
		inFrom = []bool{false} // for each open bracket: a list of tables
		before string
	)
	for lex := (lexer{text: text}); ; {
		tok, ok := lex.next()
		if !ok {
			return t
		}
		t.tokens++
		top := len(inFrom) - 1
		word := tok.text(text)
		switch tok.kind {
		case tokenPunct:
			switch step := opens(word); {
			case step > 0:
				// FROM (a, b) is a list of tables, FROM numbers(1, 2) is not.
				inFrom = append(inFrom, inFrom[top] && (before == "FROM" || before == "JOIN" || before == "," || before == "("))
				t.depth = max(t.depth, len(inFrom)-1)
			case step < 0 && top > 0:
				inFrom = inFrom[:top]
			case word == "," && inFrom[top]:
				t.tables++
			}
		case tokenWord:
			if len(word) > 9 {
				break // longer than any of the words below
			}
			switch word = strings.ToUpper(word); word {
			case "FROM":
				inFrom[top] = true
			case "JOIN":
				t.tables++
			case "OVER":
				t.windows++
			case "APPLY":
				t.applies++
			case "SELECT":
				t.selects++
			}
			if fromEnds[word] {
				inFrom[top] = false
			}
		}
		before = word
	}
}
