package filter

import (
	"strconv"
	"strings"
)

// Forms of tcpdump that the grammar does not have, for pasted filters:
//
//	tcp[13] & 18 == 2        tcp[tcpflags] & (tcp-syn|tcp-ack) != 0
//	src or dst port 53       src and dst net 10.0.0.0/8

// flagsOctet parses what follows "tcp[": a test of the octet with the flags. t is the word tcp.
func (p *parser) flagsOctet(t token) (Node, *Error) {
	p.next() // [
	if u := p.next(); !u.keyword("13") && !u.keyword("tcpflags") {
		return nil, fail(u.span(), "of the octets of the TCP header only the flags are kept: write tcp[13] or tcp[tcpflags]")
	}
	if u := p.next(); !u.is("]") {
		return nil, unexpected(u, "]")
	}
	mask := uint64(0xff)
	if p.peek().is("&") {
		p.next()
		var err *Error
		if mask, err = p.flagBits(); err != nil {
			return nil, err
		}
	}
	op := p.next()
	if !op.is("=") && !op.is("==") && !op.is("!=") {
		return nil, unexpected(op, "&", "==", "!=")
	}
	at := p.peek()
	bits, err := p.flagBits()
	if err != nil {
		return nil, err
	}
	if bits&^mask != 0 || mask == 0 {
		return nil, fail([2]int{t.start, at.end}, "this holds for every record or for none: the bits compared with are not among those looked at")
	}
	flags := Compare{Field: byName["flags"], Values: []Value{{Lo: bits, Hi: mask}}}
	test := Node(flags)
	if op.is("!=") {
		test = Not{flags}
	}
	return And{[]Node{Compare{Field: byName["proto"], Values: []Value{{Lo: 6, Hi: 6}}}, test}}, nil
}

// flagBits parses a number, or names of flags separated by |, with or without parentheses.
func (p *parser) flagBits() (uint64, *Error) {
	if p.peek().is("(") {
		p.next()
		bits, err := p.flagBits()
		if err != nil {
			return 0, err
		}
		if u := p.next(); !u.is(")") {
			return 0, unexpected(u, ")", "|")
		}
		return bits, nil
	}
	t := p.next()
	var bits uint64
	if t.kind == tokWord {
		if name, ok := strings.CutPrefix(strings.ToLower(t.text), "tcp-"); ok {
			if name == "push" {
				name = "psh"
			}
			bits = flagWords[name]
		}
		if n, err := strconv.ParseUint(t.text, 0, 8); err == nil {
			bits = n
		} else if bits == 0 {
			return 0, fail(t.span(), "%s is neither a number up to 255 nor a flag as tcp-syn", t.quote())
		}
	} else {
		return 0, unexpected(t, "a number", "tcp-syn")
	}
	if p.peek().is("|") {
		p.next()
		more, err := p.flagBits()
		return bits | more, err
	}
	return bits, nil
}

// bothSides parses what follows "src or" and "src and" if dst is next: the same condition for either side, or
// for both.
func (p *parser) bothSides(t token) (Node, *Error) {
	joined := p.next()
	other := p.next()
	start := p.pos
	if joined.keyword("or") {
		n, err := p.sided(other, "any")
		if err != nil {
			return nil, err
		}
		if c, ok := n.(Compare); !ok || !c.Field.Either() {
			return nil, fail(other.span(), "this has no sides: leave src or dst out")
		}
		return n, nil
	}
	first, err := p.sided(t, "src")
	if err != nil {
		return nil, err
	}
	p.pos = start
	second, err := p.sided(other, "dst")
	if err != nil {
		return nil, err
	}
	return And{[]Node{first, second}}, p.count(t)
}

// partialPrefix adds the octets that 172.16/16 omits.
func partialPrefix(addr string) string {
	if n := strings.Count(addr, "."); n < 3 && startsWithDigit(addr) && !strings.Contains(addr, ":") {
		return addr + strings.Repeat(".0", 3-n)
	}
	return addr
}
