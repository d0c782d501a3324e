package engine

import (
	"encoding/binary"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// A composer writes random statements over the tables of the two tenants. Its choices are
// bytes, so that the fuzzer can change them one by one; all that are missing are 0. Answers
// do not depend on the order in which rows are read.
type composer struct {
	choices []byte
	depth   int
}

func (c *composer) n(of int) int {
	if len(c.choices) == 0 {
		return 0
	}
	b := c.choices[0]
	c.choices = c.choices[1:]
	return int(b) % of
}

func (c *composer) one(of ...string) string { return of[c.n(len(of))] }

// number is an expression that fails for rows of tenant b, or tells of them.
func (c *composer) number(of string) string {
	return c.one("toUInt64("+of+"Text)", of+"Bytes", "toUInt64("+of+"Label)", "intDiv(1, toUInt8("+of+"Bytes < 900000))", "throwIf("+of+"Label LIKE 'secret%')",
		"toUInt64(toDecimal32("+of+"Bytes, 6))", "length(toFixedString("+of+"Text, 2))", "length("+of+"Tenant)", "toUnixTimestamp("+of+"Time)", of+"Doubled",
		"toInt8(CAST("+of+"Tenant, 'Enum8(\\'a\\' = 1)'))", "toUInt64(assumeNotNull("+c.scalar()+"))")
}

func (c *composer) scalar() string {
	return "(SELECT " + c.one("count()", "max(Bytes)", "min(length(Text))") + " FROM " + c.source() + ")"
}

func (c *composer) condition(of string) string {
	n := c.number(of)
	switch c.n(8) {
	case 0:
		return n + " < " + c.one("7", "30", "900000", "1000")
	case 1:
		return n + " IN (1, 3, 5, 987654005)"
	case 2:
		return of + "Tenant = 'b' OR " + n + " >= 0"
	case 3:
		return "NOT (" + n + " > 20) AND " + c.number(of) + " >= 0"
	case 4:
		return of + "Text IN (SELECT Text FROM " + c.source() + ")"
	case 5:
		return of + "Label LIKE '" + c.one("secret%", "%1%") + "'"
	case 6:
		return n + " BETWEEN 0 AND " + c.number(of)
	}
	return of + "Time > toDateTime(" + c.one("0", "1800003600", "1800020000") + ")"
}

// source is something to read from, with the columns of the table flows.
func (c *composer) source() string {
	if c.depth > 3 {
		return "flows"
	}
	c.depth++
	defer func() { c.depth-- }()
	switch c.n(9) {
	case 0, 1, 2:
		return c.one("flows", "events", "DB.flows", "`DB`.`events`", "unlisted", "counters", "seen", "merged", "buffered")
	case 3:
		return "(SELECT * FROM " + c.source() + " WHERE " + c.condition("") + ")"
	case 4:
		return "view(SELECT *, Doubled FROM " + c.one("flows", "events") + ")"
	case 5:
		return "(SELECT * FROM " + c.source() + " UNION ALL SELECT * FROM " + c.source() + ")"
	case 6:
		return "(SELECT DISTINCT * FROM " + c.source() + " ORDER BY ALL LIMIT " + c.one("3", "50") + ")"
	case 7:
		return "(WITH x AS (SELECT * FROM " + c.source() + ") SELECT * FROM x)"
	}
	return "events FINAL"
}

func (c *composer) statement() string {
	var b strings.Builder
	where := func(of string) {
		if c.n(4) > 0 {
			b.WriteString(" WHERE " + c.condition(of))
		}
	}
	switch c.n(5) {
	case 0:
		b.WriteString("SELECT count(), sum(" + c.number("") + "), max(Text) FROM " + c.source())
		where("")
	case 1:
		b.WriteString("SELECT " + c.one("Label", "Tenant", "toStartOfHour(Time)", "Exporter") + " AS g, count(), min(" + c.number("") + ") FROM " + c.source())
		where("")
		b.WriteString(" GROUP BY g HAVING " + c.one("count() > 1", "max(Bytes) < 900000", "throwIf(max(Bytes) > 900000) = 0"))
	case 2:
		b.WriteString("SELECT count(), max(a.Text), min(b.Text) FROM " + c.source() + " AS a " + c.one("", "LEFT ", "ANY LEFT ", "SEMI ", "FULL ") + "JOIN " + c.source() + " AS b " +
			c.one("USING Time", "ON a.Text = b.Text", "ON a.Time = b.Time AND "+c.condition("b."), "ON "+c.number("a.")+" = "+c.number("b.")))
		where(c.one("a.", "b."))
	case 3:
		b.WriteString("SELECT *, " + c.number("") + " AS n FROM " + c.source())
		where("")
		b.WriteString(" ORDER BY ALL LIMIT " + c.one("1", "5", "100"))
	case 4:
		b.WriteString("SELECT Text, sum(Bytes) OVER (PARTITION BY Label) AS s FROM " + c.source())
		where("")
		b.WriteString(" QUALIFY " + c.one("s > 0", "s > 900000", "row_number() OVER (ORDER BY Bytes, Text) = 1") + " ORDER BY ALL")
	}
	return b.String()
}

// composed compares a random statement. Errors are compared by their code: which row an
// expression fails for depends on the order in which rows are read.
func (x *tenants) composed(t testing.TB, choices []byte) (ok bool) {
	t.Helper()
	sql := (&composer{choices: choices}).statement()
	got, alone := x.ask(x.both, sql), x.ask(x.alone, sql)
	code := func(a answer) string { return a.header.Get("X-ClickHouse-Exception-Code") }
	told := code(got) + "\n" + got.body
	for _, mark := range marks {
		if strings.Contains(strings.ReplaceAll(told, "secret%", ""), mark) && !strings.Contains(sql, mark+"005") {
			t.Errorf("%s tells of the other tenant: %.500s", sql, told)
		}
	}
	if code(got) != code(alone) || got.status == 200 && got.body != alone.body {
		t.Errorf("%s\n%d %.500s\nand without the other tenant\n%d %.500s", sql, got.status, got.body, alone.status, alone.body)
	}
	return got.status == 200
}

// random composes statements for some seconds.
func (x *tenants) random(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	answered, asked := 0, 0
	for end := time.Now().Add(4 * time.Second); time.Now().Before(end) && !t.Failed(); asked++ {
		choices := make([]byte, 0, 64)
		for range 8 {
			choices = binary.LittleEndian.AppendUint64(choices, r.Uint64())
		}
		if x.composed(t, choices) {
			answered++
		}
	}
	t.Logf("seed %d: %d of %d statements were answered", seed, answered, asked)
	if answered < asked/3 {
		t.Errorf("only %d of %d statements were answered", answered, asked)
	}
}

// FuzzTwoTenants: no statement, composed or as the fuzzer writes it, tells of the other tenant.
func FuzzTwoTenants(f *testing.F) {
	x := newTenants(f)
	f.Add([]byte{}, "SELECT count() FROM flows AS a JOIN events AS b USING Time WHERE toUInt64(b.Text) > 2")
	f.Add([]byte{2, 1, 4, 2, 1, 3, 1, 0, 5, 3, 7}, "SELECT * FROM `DB`.flows")
	f.Add([]byte{3, 9, 8, 7, 6, 5, 4, 3, 2, 1}, "WITH x AS (SELECT * FROM flows) SELECT lowCardinalityKeys(Label) FROM x")
	for i := 0; i < len(attacks); i += 10 {
		statement := attacks[i]
		f.Add([]byte{}, strings.NewReplacer("FROM f", "FROM flows", "system.processes", "DB.flows").Replace(statement))
	}
	f.Fuzz(func(t *testing.T, choices []byte, statement string) {
		x := *x
		x.w.t, x.p.t = t, t
		x.composed(t, choices)
		got := x.ask(x.both, statement, "max_execution_time", "2")
		for _, mark := range marks {
			if strings.Contains(got.body, mark) && !strings.Contains(statement, mark[:3]) {
				t.Errorf("%s tells of the other tenant: %.500s", statement, got.body)
			}
		}
	})
}
