package param

import "testing"

// Values in place of their placeholders are literals: no value becomes part of the statement.
func TestLiterals(t *testing.T) {
	s := Set{}
	sql := "A = " + s.Text("it's {p1:UInt8} \\ \n") + " AND B IN " + s.Array("String", []string{"'x'", `\`}) + " AND C = " + s.Bind("UInt16", "53") + " AND D = {nosuch:UInt8}"
	want := `A = 'it\'s {p1:UInt8} \\ \n' AND B IN CAST('[\'\\\'x\\\'\',\'\\\\\']', 'Array(String)') AND C = CAST('53', 'UInt16') AND D = {nosuch:UInt8}`
	if got := s.Literals(sql); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}
