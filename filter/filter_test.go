package filter

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"netmeta/internal/param"
)

// sameAgain checks that the canonical text of a filter gives the filter back.
func sameAgain(t *testing.T, f Filter) {
	t.Helper()
	text := f.String()
	again, err := Parse(text, Names{Macros: goldenMacros})
	if err != nil {
		t.Errorf("%s: %v", text, err)
		return
	}
	if !reflect.DeepEqual(again, f) {
		t.Errorf("%s: read back as %s\n got %#v\nwant %#v", text, again, again.Root, f.Root)
	}
}

func TestRandomFilters(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 5000 {
		f := Filter{randomNode(rnd, 4)}
		sameAgain(t, f)
		if sql := f.SQL(param.Set{}); strings.Count(sql, "(") != strings.Count(sql, ")") {
			t.Errorf("%s: parentheses in %s", f, sql)
		}
	}
}

func randomNode(rnd *rand.Rand, depth int) Node {
	if depth == 0 {
		return randomCompare(rnd)
	}
	many := func(nested func(Node) bool) []Node {
		list := make([]Node, 2+rnd.IntN(3))
		for i := range list {
			for list[i] == nil || nested(list[i]) {
				list[i] = randomNode(rnd, depth-1)
			}
		}
		return list
	}
	switch rnd.IntN(6) {
	case 0:
		return And{many(func(n Node) bool { _, ok := n.(And); return ok })}
	case 1:
		return Or{many(func(n Node) bool { _, ok := n.(Or); return ok })}
	case 2:
		n := randomNode(rnd, depth-1)
		if _, ok := n.(Not); ok {
			return n
		}
		return Not{n}
	case 3:
		return Search{randomText(rnd)}
	}
	return randomCompare(rnd)
}

func randomText(rnd *rand.Rand) string {
	const letters = `ab"\'%_{}()[]-*/.:;,=<>! ` + "\t\n" + "äé☃"
	runes := []rune(letters)
	text := make([]rune, 1+rnd.IntN(8))
	for i := range text {
		text[i] = runes[rnd.IntN(len(runes))]
	}
	return string(text)
}

func randomCompare(rnd *rand.Rand) Node {
	f := fields[rnd.IntN(len(fields))]
	ops := f.operators()
	op := Op(0)
	for want := ops[rnd.IntN(len(ops))]; opText[op] != want; op++ {
	}
	n := Compare{Field: f, Op: op}
	switch op {
	case In, NotIn:
		for range 2 + rnd.IntN(4) {
			n.Values = append(n.Values, randomValue(rnd, f, true))
		}
	case Match, NotMatch:
		n.Values = []Value{{Text: regexp.QuoteMeta(randomText(rnd)), Alt: !f.base.class.text()}}
	case Has:
		if f.base.class.text() || f.dual() && f.base.alt.text() {
			n.Values = []Value{{Text: randomText(rnd), Alt: !f.base.class.text()}}
			break
		}
		n.Values = []Value{randomValue(rnd, f, true)}
	case Lt, Le, Gt, Ge:
		n.Values = []Value{randomValue(rnd, f, false)}
	default:
		n.Values = []Value{randomValue(rnd, f, true)}
	}
	return n
}

func randomValue(rnd *rand.Rand, f *Field, ranges bool) Value {
	b := f.base
	c, largest := b.class, b.max
	v := Value{}
	if f.dual() && ranges && rnd.IntN(2) == 0 {
		c, largest, v.Alt = b.alt, maxOf(b.altFirst), true
	}
	switch c {
	case classIP:
		bytes := make([]byte, 4+12*rnd.IntN(2))
		for i := range bytes {
			bytes[i] = byte(rnd.IntN(256))
		}
		a, _ := netip.AddrFromSlice(bytes)
		v.From, v.To = a, a
		if ranges && rnd.IntN(2) == 0 {
			p := prefixValue(netip.PrefixFrom(a, rnd.IntN(a.BitLen())))
			v.From, v.To = p.From, p.To
			if n := p.To.Prev(); rnd.IntN(3) == 0 && p.From.Less(n) {
				v.To = n
			}
		}
	case classEnum:
		v.Text = b.enum[rnd.IntN(len(b.enum))]
	case classBits:
		v.Lo = 1 << rnd.IntN(len(b.enum))
		v.Hi = v.Lo
	case classText:
		v.Text = randomText(rnd)
	case classCountry:
		v.Text = strings.ToUpper(randomText(rnd))
	case classFlags:
		v.Hi = 1 + rnd.Uint64N(511)
		v.Lo = v.Hi & rnd.Uint64N(512)
		if v.Lo == 0 && rnd.IntN(2) == 0 {
			v.Hi, v.ExactFlags = 0, true
		} else if rnd.IntN(3) == 0 {
			v.Hi, v.ExactFlags = 0, true
		}
	case classMAC:
		v.Lo = rnd.Uint64N(1 << 48)
		v.Hi = v.Lo
	case classCommunity:
		v.Lo = uint64(rnd.Uint32())
		v.Hi = v.Lo
	case classLargeCommunity:
		v.Lo, v.Hi = rnd.Uint64(), uint64(rnd.Uint32())
	default:
		v.Lo = rnd.Uint64() & largest >> rnd.IntN(64) // largest is one less than a power of two, or 63
		if rnd.IntN(4) == 0 {
			v.Lo = v.Lo / 1000 * 1000
		}
		v.Hi = v.Lo
		if ranges && rnd.IntN(3) == 0 {
			v.Hi = v.Lo + rnd.Uint64()&(largest-v.Lo)
		}
	}
	return v
}

// TestBothNegationsAgree pins the meaning of != on either side: neither side.
func TestBothNegationsAgree(t *testing.T) {
	f := func(a, b string) {
		t.Helper()
		x, _ := compileText(a, Names{})
		y, _ := compileText(b, Names{})
		if x.SQL != y.SQL || x.SQL == "" {
			t.Errorf("%s: %s\n%s: %s", a, x.SQL, b, y.SQL)
		}
	}
	f("port != 53", "not port 53")
	f("port not in [53 80]", "not port in [53 80]")
	f(`if !~ "x"`, `not if ~ "x"`)
	f("ip != 10.0.0.0/8", "not ip 10.0.0.0/8")
	f("as != 174", "not as 174")
	f("not (port != 53)", "port 53")
}

// TestValuesStayParameters compiles filters with hostile text in every place that
// takes text: the SQL must be the same as with harmless text, and hold none of it.
func TestValuesStayParameters(t *testing.T) {
	hostile := []string{
		"x", "'", `\`, `\'`, "'; DROP TABLE flows; --", "' OR 1=1 --", "{p0:String}", "{from:DateTime}", "/*", "*/", "`", "\x7f", "\t\n\r\b\f",
		"NULL", "1) OR (1=1", "$(id)", "%27", "\u2019", "ʼ", strings.Repeat("'", 500), "FORMAT Native", ";", "\\N", "@dns",
	}
	for _, shape := range []string{"%s", "in.if = %s", "in.if != %s", "in.if has %s", "app = %s", "exporter = %s", "if in [%s %s]", "country = %s", "src.netname not in [%s, %s]"} {
		var first string
		for _, text := range hostile {
			filter := strings.ReplaceAll(shape, "%s", quoteText(text))
			got, _ := compileText(filter, Names{})
			if got.Error != nil {
				t.Errorf("%s: %v", filter, got.Error)
				continue
			}
			if first == "" {
				first = got.SQL
			}
			if got.SQL != first {
				t.Errorf("%s: the SQL is another one:\n%s\n%s", filter, got.SQL, first)
			}
			for name, value := range got.Params {
				if strings.ContainsAny(value, "\t\n\r\b\f\x00") {
					t.Errorf("%s: %s=%q is not escaped", filter, name, value)
				}
			}
		}
	}
	// The same with regular expressions, numbers and addresses.
	f := func(a, b string) {
		t.Helper()
		x, _ := compileText(a, Names{})
		y, _ := compileText(b, Names{})
		if x.Error != nil || y.Error != nil || x.SQL != y.SQL {
			t.Errorf("%s: %v %s\n%s: %v %s", a, x.Error, x.SQL, b, y.Error, y.SQL)
		}
	}
	f(`in.if ~ "a"`, `in.if ~ "'; DROP TABLE flows; --"`)
	f("port 1", "port 65535")
	f("ip 10.0.0.0/8", "ip 2001:db8::/32")
	f("as in [1 2]", "as in [4294967295 3]")
	f("direction in", "direction unknown")
	f("flags S/SA", "flags F/FRU")
}

// TestRandomTextsStayParameters puts hostile text into random filters: the statement
// is the same one, token for token, as with harmless text.
func TestRandomTextsStayParameters(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	hostile := []string{"'", `\'; DROP TABLE flows; --`, "{p0:String}", "*/ OR 1=1 /*", "') OR ('' = '", "\t\n\\", "NULL", "`", "{from:DateTime('UTC')}"}
	n := 0
	for range 3000 {
		f := randomNode(rnd, 3)
		texts := 0
		harmless := replaceTexts(f, func(string) string { return "x" })
		attack := replaceTexts(f, func(s string) string {
			texts++
			return s + hostile[rnd.IntN(len(hostile))]
		})
		if texts == 0 {
			continue
		}
		n++
		want := Filter{harmless}.SQL(param.Set{})
		params := param.Set{}
		if got := (Filter{attack}).SQL(params); got != want {
			t.Fatalf("%s\nis %s\nand with harmless text %s", attack, got, want)
		}
		// What was typed goes the whole way: through the text of the filter.
		again, err := Parse(attack.String(), Names{})
		if err != nil {
			t.Fatalf("%s: %v", attack, err)
		}
		if got := again.SQL(param.Set{}); got != want {
			t.Fatalf("%s\nread back is %s", attack, got)
		}
		for name, value := range params {
			if strings.ContainsAny(value, "\t\n\r\b\f\x00") {
				t.Errorf("%s: %s=%q is not escaped", attack, name, value)
			}
		}
	}
	if n < 500 {
		t.Errorf("%d filters with text", n)
	}
}

// replaceTexts changes the free text in a filter.
func replaceTexts(n Node, change func(string) string) Node {
	each := func(list []Node) []Node {
		out := make([]Node, len(list))
		for i, n := range list {
			out[i] = replaceTexts(n, change)
		}
		return out
	}
	switch n := n.(type) {
	case And:
		return And{each(n.Of)}
	case Or:
		return Or{each(n.Of)}
	case Not:
		return Not{replaceTexts(n.Of, change)}
	case Search:
		return Search{change(n.Text)}
	case Compare:
		values := make([]Value, len(n.Values))
		copy(values, n.Values)
		for i, v := range values {
			c := n.Field.base.class
			if v.Alt {
				c = n.Field.base.alt
			}
			switch {
			case n.Op == Match || n.Op == NotMatch:
				values[i].Text = regexp.QuoteMeta(change(v.Text))
			case c == classCountry && n.Op != Has:
				values[i].Text = strings.ToUpper(change(v.Text))
			case c.text():
				values[i].Text = change(v.Text)
			}
		}
		n.Values = values
		return n
	}
	return n
}

func TestLimits(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		_, err := Parse(text, Names{})
		var e *Error
		if want == "" && err == nil {
			return
		}
		if !errors.As(err, &e) || want == "" || !strings.Contains(e.Message, want) {
			t.Errorf("%.40s…: %v, want %q", text, err, want)
		}
	}
	f(strings.Repeat(" ", MaxBytes), "")
	f(strings.Repeat(" ", MaxBytes+1), "more than 8192")
	f(strings.Repeat("(", maxDepth)+"tcp"+strings.Repeat(")", maxDepth), "")
	f(strings.Repeat("(", maxDepth+1)+"tcp"+strings.Repeat(")", maxDepth+1), "64 levels")
	f(strings.Repeat("not ", 2000)+"tcp", "")
	f(strings.Repeat("(", 8000), "64 levels")
	f("\xff", "not UTF-8")
	f("tcp\x00", "zero byte")

	// Macros of macros of macros grow without end.
	macros := map[string]string{"m0": strings.TrimSuffix(strings.Repeat("tcp or ", 1000), "or ")}
	for i := 1; i < 40; i++ {
		macros[fmt.Sprintf("m%d", i)] = strings.TrimSuffix(strings.Repeat(fmt.Sprintf("@m%d or ", i-1), 10), "or ")
	}
	if _, err := Parse("@m39", Names{Macros: macros}); err == nil || !strings.Contains(err.Error(), "20000 conditions") {
		t.Errorf("macros that grow: %v", err)
	}
}

// The name of an AS stands for the numbers of all that have it.
func TestASNames(t *testing.T) {
	known := []struct {
		as   uint32
		name string
	}{{55095, "Netflix Streaming"}, {2906, "Netflix"}, {174, "Cogent Communications"}, {15169, "Google"}}
	s := Names{FindAS: func(text string, yield func(uint32, string) bool) {
		for _, k := range known {
			if strings.Contains(strings.ToLower(k.name), strings.ToLower(text)) && !yield(k.as, k.name) {
				return
			}
		}
		for as := uint32(1); text == "x" && yield(as, text); as++ {
		}
	}}
	f := func(text, want string) {
		t.Helper()
		filter, err := Parse(text, s)
		if err != nil {
			if want == "" || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %s", text, err, want)
			}
			return
		}
		if got := filter.String(); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
	f("as netflix", "as in [2906, 55095]")
	f("as cogent", "as = 174")
	f(`src.as "netflix streaming"`, "src.as = 55095")
	f("remote.as != netflix", "remote.as not in [2906, 55095]")
	f("as in [google netflix 3356]", "as in [15169, 2906, 55095, 3356]")
	f("path has cogent", "path has 174")
	f("path netflix", "path in [2906, 55095]")
	f("as 174", "as = 174")
	f("as nobody", "in no name of an AS")
	f("as x", "more than 500 ASes")
	f("as > netflix", "several ASes")
	f("as and tcp", "a value of as is missing")
	f("src.as remote", "not an AS number")
}

func TestError(t *testing.T) {
	_, err := Parse("src prt 53", Names{})
	if got, want := fmt.Sprint(err), `4–7: unknown field "prt"; did you mean port?`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func FuzzParse(f *testing.F) {
	for _, c := range filterCases(f) {
		f.Add(c.Text, len(c.Text)/2)
	}
	f.Fuzz(func(t *testing.T, text string, cursor int) {
		s := Names{Macros: goldenMacros}
		filter, err := Parse(text, s)
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || e.Message == "" || e.Span[0] < 0 || e.Span[0] > e.Span[1] || e.Span[1] > len(text) {
				t.Fatalf("%q: error %+v", text, err)
			}
		} else if filter.Root != nil {
			sql := filter.SQL(param.Set{})
			if canonical := filter.String(); len(canonical) <= MaxBytes {
				sameAgain(t, filter)
				again, _ := Parse(canonical, s)
				if got := again.SQL(param.Set{}); got != sql {
					t.Fatalf("%q: the canonical text means something else:\n%s\n%s", text, sql, got)
				}
			}
		}
		if c := Complete(text, cursor, s, nil); c.Replace[0] < 0 || c.Replace[0] > c.Replace[1] || c.Replace[1] > len(text) {
			t.Fatalf("%q at %d: replace %v", text, cursor, c.Replace)
		}
	})
}

func BenchmarkParseAndCompile(b *testing.B) {
	for _, text := range []string{"udp src port 53", "remote.as in [2906 15169] direction in not net 10.0.0.0/8", `in.if ~ "^et-0/0/" and (bytes > 10M or flags S/SA)`} {
		b.Run(text, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				f, err := Parse(text, Names{})
				if err != nil {
					b.Fatal(err)
				}
				f.SQL(param.Set{})
			}
		})
	}
}
