package engine

import "strings"

// Bounds of a reading user's statement. The engine's own bounds are for servers with trusted clients: a
// statement of 130 KB with 5,000 joined tables crashes it, since it plans them recursively. The numbers that
// crash it were found by experiment and are in doc/decisions; these bounds are a quarter of them or less.
const (
	maxReaderStatement  = 256 << 10 // bytes of a statement
	maxReaderAST        = 50_000    // nodes of its syntax tree
	maxReaderASTDepth   = 500       // nested nodes of its syntax tree
	maxReaderExpanded   = 100_000   // nodes with aliases and asterisks expanded
	maxReaderSubqueries = 50        // nested subqueries, with those of WITH expanded
)

// tally counts elements of a statement that the engine handles recursively, in quadratic time, or by
// expanding them repeatedly.
type tally struct {
	tokens   int
	depth    int // nested brackets
	selects  int // subqueries, branches of UNION, parts of WITH
	tables   int // joined ones, by JOIN or by a comma
	windows  int // OVER
	applies  int // SELECT * APPLY f APPLY g …
	betweens int // nested: a BETWEEN b AND c BETWEEN d AND e copies a twice
	ins      int // nested: each level of IN (SELECT …) is planned twice
	cube     int // commas of a GROUP BY with CUBE: one more doubles the groups
	expanded int // tokens, with each part of WITH and each x -> f(x) AS g expanded where it is named
}

// readerTally is the maximum for a reading user's statement.
//
// pageTally is the maximum for the statements that NetMeta makes for the web UI: a chart with the band of
// four weeks names its parts of WITH so often that it expands to 434,000 words.
var (
	readerTally = tally{tokens: 50_000, depth: 200, selects: 500, tables: 100, windows: 100, applies: 100, betweens: 4, ins: 10, cube: 10, expanded: 100_000}
	pageTally   = func() tally { t := readerTally; t.expanded = 2_000_000; return t }()
)

// check compares with the maximum.
func (t tally) check(most tally) error {
	for _, c := range []struct {
		what      string
		have, max int
	}{
		{"words", t.tokens, most.tokens},
		{"nested brackets", t.depth, most.depth},
		{"subqueries and branches of UNION", t.selects, most.selects},
		{"joined tables", t.tables, most.tables},
		{"window functions", t.windows, most.windows},
		{"APPLY", t.applies, most.applies},
		{"nested BETWEEN", t.betweens, most.betweens},
		{"nested IN", t.ins, most.ins},
		{"commas in GROUP BY with CUBE", t.cube, most.cube},
		{"words with WITH written out", t.expanded, most.expanded},
	} {
		if c.have > c.max {
			return errorf(codeTooBig, "TOO_BIG_AST", "The statement has %d %s, for the read-only user it may have %d", c.have, c.what, c.max)
		}
	}
	return nil
}

// clauses are the words that end the list of tables after FROM, and an expression.
var clauses = set("SELECT WHERE PREWHERE GROUP ORDER HAVING LIMIT UNION INTERSECT EXCEPT WINDOW QUALIFY SETTINGS FORMAT WITH FROM")

// nesting is the state of the part between two brackets.
type nesting struct {
	from     bool   // in a list of tables
	part     string // its name in WITH
	expanded int
	ins      int // IN around it

	item   int  // expanded at the start of the expression
	lambda bool // the expression has a lambda

	betweens int // preceding BETWEEN that the following ones would copy
	most     int // of these, anywhere in the part
	ands     int // those that belong to a BETWEEN
}

func (n *nesting) conditionEnds() { n.betweens, n.ands = 0, 0 }

func (n *nesting) expressionEnds() {
	n.conditionEnds()
	n.item, n.lambda = n.expanded, false
}

// measure counts. It only looks at words, so a column named join counts too.
func measure(text string) tally {
	var (
		t      tally
		open   = make([]nesting, 1, 16)
		parts  = map[string]int{} // of WITH, with the number of tokens that each expands to
		before [3]string          // the last three words
		groups = -1               // commas since GROUP BY
		cube   bool
	)
	closeGroups := func() {
		if cube {
			t.cube = max(t.cube, groups)
		}
		groups, cube = -1, false
	}
	closeBracket := func() {
		inner := open[len(open)-1]
		open = open[:len(open)-1]
		outer := &open[len(open)-1]
		outer.expanded = sum(outer.expanded, inner.expanded)
		outer.betweens = max(outer.betweens, inner.most)
		outer.most = max(outer.most, outer.betweens)
		outer.lambda = outer.lambda || inner.lambda
		if inner.part != "" {
			parts[inner.part] = inner.expanded
		}
	}
	for lex := (lexer{text: text}); ; {
		tok, ok := lex.next()
		if !ok {
			break
		}
		t.tokens++
		in := &open[len(open)-1]
		word := tok.text(text)
		in.expanded = sum(in.expanded, 1)
		if before[2] == "AS" && in.lambda && tok.kind.name() {
			parts[unquote(word)] = in.expanded - in.item // a function, which is also expanded
			in.lambda = false
		}
		switch tok.kind {
		case tokenQuoted:
			in.expanded = sum(in.expanded, parts[unquote(word)])
		case tokenPunct:
			switch step := opens(word); {
			case step > 0:
				// FROM (a, b) is a list of tables, FROM numbers(1, 2) is not.
				inner := nesting{ins: in.ins, from: in.from && (before[2] == "FROM" || before[2] == "JOIN" || before[2] == "," || before[2] == "(")}
				switch {
				case before[2] == "AS":
					inner.part = unquote(before[1])
				case before[2] == "MATERIALIZED" && before[1] == "AS":
					inner.part = unquote(before[0])
				}
				if before[2] == "IN" {
					inner.ins++
					t.ins = max(t.ins, inner.ins)
				}
				open = append(open, inner)
				t.depth = max(t.depth, len(open)-1)
			case step < 0 && len(open) > 1:
				closeBracket()
			case word == ",":
				if in.from {
					t.tables++
				}
				if groups >= 0 {
					groups++
				}
				in.expressionEnds()
			case word == ">" && before[2] == "-":
				in.lambda = true
			}
		case tokenWord:
			in.expanded = sum(in.expanded, parts[word])
			upper := word
			if len(word) <= len("MATERIALIZED") {
				upper = strings.ToUpper(word)
			}
			switch upper {
			case "FROM", "JOIN", "AS", "MATERIALIZED", "IN":
				word = upper
			case "OVER":
				t.windows++
			case "APPLY":
				t.applies++
			case "SELECT":
				t.selects++
			case "BETWEEN":
				in.betweens++
				in.ands++
				in.most = max(in.most, in.betweens)
			case "AND":
				if in.ands > 0 {
					in.ands--
				} else {
					in.conditionEnds()
				}
			case "OR", "ON":
				in.conditionEnds()
			case "CUBE":
				cube = cube || groups >= 0
			}
			if clauses[upper] {
				in.expressionEnds()
				in.from = upper == "FROM"
				if upper != "WITH" { // GROUP BY a, b WITH CUBE
					closeGroups()
				}
				if upper == "GROUP" {
					groups = 0
				}
			}
			if upper == "JOIN" {
				t.tables++
			}
		}
		before = [3]string{before[1], before[2], word}
	}
	for len(open) > 1 {
		closeBracket()
	}
	closeGroups()
	t.betweens, t.expanded = open[0].most, open[0].expanded
	return t
}

// sum adds, up to a limit above all bounds.
func sum(a, b int) int { return min(a+b, 1<<40) }
