package filter

import (
	"slices"
	"strings"
	"testing"
)

func TestComplete(t *testing.T) {
	values := func(field, prefix string) []Item {
		if field != "src.as" {
			return nil
		}
		all := []Item{{"2906 ", "2906", "value", "AS2906 · 31 Gb/s"}, {"174 ", "174", "value", "AS174 · 2 Gb/s"}}
		return slices.DeleteFunc(all, func(it Item) bool { return !strings.HasPrefix(it.Label, prefix) })
	}
	// | is the cursor; want are the first labels and the text that is replaced.
	f := func(text, replaced string, want ...string) {
		t.Helper()
		cursor := strings.IndexByte(text, '|')
		text = text[:cursor] + text[cursor+1:]
		c := Complete(text, cursor, Names{Macros: goldenMacros}, values)
		if got := text[c.Replace[0]:c.Replace[1]]; got != replaced {
			t.Errorf("%s: replaces %q, want %q", text, got, replaced)
		}
		var labels []string
		for _, it := range c.Items {
			labels = append(labels, it.Label)
		}
		if len(want) == 0 && len(labels) > 0 || len(labels) < len(want) || !slices.Equal(labels[:len(want)], want) {
			t.Errorf("%s: got %q, want %q first", text, labels, want)
		}
	}
	f("src prt|", "prt", "port")
	f("src po|", "po", "port")
	f("|", "", "type", "exporter")
	f("src.p|", "src.p", "src.port")
	f("por|", "por", "port", "src.port", "dst.port")
	f("prt|", "prt", "port")
	f("port |", "", "=", "!=")
	f("port 44|", "44")
	f("port ht|", "ht", "https", "http")
	f("port in [80, dn|", "dn", "dns", "mdns")
	f("proto |", "", "=", "!=")
	f("proto = |", "", "tcp", "udp")
	f("proto = u|", "u", "udp", "udplite")
	f("direction |", "", "=", "!=", "in", "not in", "unknown", "in", "out")
	f("direction = o|", "o", "out")
	f("flags S|", "S", "S", "S/SA")
	f("src.as |", "", "=", "!=", "<", "<=", ">", ">=", "in", "not in", "2906")
	f("src.as = 2|", "2", "2906")
	f("src.as in [|", "", "2906", "174")
	f("tcp |", "", "and", "or")
	f("tcp a|", "a", "and", "as", "app")
	f("tcp and |", "", "type", "exporter")
	f("@d|", "@d", "@dns")
	f("not |", "", "type")
	f("tcp) |", "")
	f("src prt 53 and |", "")
	f("in.|", "in.", "in.mac", "in.vlan")
	f("in.if |", "", "=", "!=", "~")
	f("community bl|", "bl", "blackhole")
	f(`in.if = "et-|`, `"et-`)
}

func TestCatalogue(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range Catalogue() {
		if seen[f.Name] || f.Title == "" || f.Doc == "" || f.Group == "" || f.Type == "" || len(f.Ops) == 0 {
			t.Errorf("%+v", f)
		}
		seen[f.Name] = true
		for _, op := range f.Ops {
			if strings.HasSuffix(f.Name, ".net") {
				break
			}
			value := map[string]string{"ip": "10.0.0.1", "mac": "00:11:22:33:44:55", "string": `"x"`, "enum": "unknown", "flags": "S", "duration": "1s", "number": "1", "list": "1"}[f.Kind]
			switch {
			case f.Name == "tunnel":
				value = "vxlan"
			case f.Name == "quality":
				value = "no-time"
			case f.Name == "community":
				value = "1:2"
			case f.Name == "largecommunity":
				value = "1:2:3"
			case op == "~" || op == "!~":
				value = `"x"`
			}
			if op == "in" || op == "not in" {
				value = "[" + value + "]"
			}
			if _, err := Parse(f.Name+" "+op+" "+value, Names{}); err != nil {
				t.Errorf("%s %s %s: %v", f.Name, op, value, err)
			}
		}
	}
	for _, name := range []string{"src.as", "dst.port", "remote.as", "local.ip", "port", "in.if", "proto", "direction", "exporter", "src.net", "dscp", "bps"} {
		if !seen[name] {
			t.Errorf("%s is not there", name)
		}
	}
}
