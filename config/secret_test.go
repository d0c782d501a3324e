package config

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"netmeta/internal/secret"
)

// keys calls f with every key of the file that holds one value, those of lists and maps
// included.
func keys(t reflect.Type, path string, f func(key string, t reflect.Type)) {
	switch t.Kind() {
	case reflect.Struct:
		if isText(t) {
			f(path, t)
			return
		}
		for i := range t.NumField() {
			if name := t.Field(i).Tag.Get("yaml"); name != "-" {
				keys(t.Field(i).Type, strings.TrimPrefix(path+"."+name, "."), f)
			}
		}
	case reflect.Slice, reflect.Map, reflect.Pointer:
		keys(t.Elem(), path+"[]", f)
	default:
		f(path, t)
	}
}

// A key that is called like a secret, or like an address that may hold one, has a type that
// does not show it.
func TestSecretKeys(t *testing.T) {
	named := regexp.MustCompile(`(?i)pass|pwd|token|secret|auth|cred|dsn|url|uri|endpoint|webhook|api-?key|private`)
	found := map[string]bool{}
	keys(reflect.TypeFor[Config](), "", func(key string, of reflect.Type) {
		masked := of == reflect.TypeFor[secret.Text]() || of == reflect.TypeFor[secret.URL]()
		if masked {
			found[key] = true
		}
		if name := key[strings.LastIndexByte(key, '.')+1:]; of.Kind() == reflect.String && named.MatchString(name) && !masked {
			t.Errorf("%s is a %v: give it the type secret.Text or secret.URL", key, of)
		}
	})
	if !found["store.url"] || !found["store.password"] {
		t.Errorf("keys that hold secrets: %v", found)
	}
}

// Whatever is wrong with a file, the error does not say what is secret in it.
func TestErrorsHideSecrets(t *testing.T) {
	const mark = "MARKhunter2"
	dir := t.TempDir()
	control, long := filepath.Join(dir, "control"), filepath.Join(dir, "long")
	os.WriteFile(control, []byte(mark+"\x01x"), 0o600)
	os.WriteFile(long, []byte(strings.Repeat(mark, 1000)), 0o600)
	for _, text := range []string{
		"store:\n  password: " + mark + "\n  url: [",
		"store:\n  password: " + mark + "\n bad: indent\n",
		"store:\n\tpassword: " + mark,
		"store: {password: " + mark + ", password: " + mark + "}",
		"store: {password: \"" + mark,
		"store: {password: [" + mark + "]}",
		"store: {password: {a: " + mark + "}}",
		"store: {password: \"" + mark + "\\x01\"}",
		"store: {password: '${file:" + control + "}'}",
		"store: {password: '${file:" + long + "}'}",
		"store: {passwort: " + mark + "}",
		"store: {url: " + mark + "}",
		"store: {url: 'ftp://me:" + mark + "@h'}",
		"store: {url: 'http://me:" + mark + "/x@h'}",
		"store: {url: 'http://me:" + mark + " x@h'}",
		"store: {url: 'http://me:%zz" + mark + "@h'}",
		"store: {url: 'http://h:port/?token=" + mark + "'}",
		"store: {url: ['http://me:" + mark + "@h']}",
		"store: 'http://me:" + mark + "@h'",
		"store: http://me:x" + mark + "@h",
		"store: {\"http://me:" + mark + "@h\": x}",
		"store: {retention-days: 'http://me:" + mark + " x@h'}",
		"log: {level: 'http://me:" + mark + "@h'}",
		"http: {listen: 'http://me:" + mark + "@h'}",
		"store: *" + mark + "\n",
		"a: &x {password: " + mark + "}\nstore: *x\n",
	} {
		c := Default()
		err := Parse([]byte(text), &c)
		if err == nil {
			t.Errorf("no error: %s", text)
		} else if strings.Contains(err.Error(), mark) && !strings.HasPrefix(text, "store: *") {
			t.Errorf("%s\n\tsays %v", text, err)
		}
	}
}
