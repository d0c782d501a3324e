package secret

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// Nothing that prints a value shows what it holds.
func TestPrinted(t *testing.T) {
	const raw = "hunter2hunter2"
	type config struct {
		Password Text
		URL      URL
		List     []URL
		Map      map[string]Text
		Pointer  *Text
	}
	text := Text(raw)
	c := config{text, URL("https://me:" + raw + "@host:1/path?password=" + raw + "&x=" + raw), []URL{URL("http://" + raw + "@host")}, map[string]Text{"a": text}, &text}
	var outputs []string
	for _, verb := range "vsqxXdTtbcoUeEfFgGz" { // fmt asks nobody about %p, which vet refuses
		for _, flags := range []string{"", "+", "#", "-20", "020", ".3", " "} {
			form := "%" + flags + string(verb)
			outputs = append(outputs, fmt.Sprintf(form, c.Password), fmt.Sprintf(form, c.URL), fmt.Sprintf(form, c), fmt.Sprintf(form, &c), fmt.Sprintf(form, c.List), fmt.Sprintf(form, c.Map))
		}
	}
	for _, marshal := range []func(any) ([]byte, error){json.Marshal, yaml.Marshal} {
		got, err := marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		outputs = append(outputs, string(got))
	}
	var log strings.Builder
	for _, h := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
		slog.New(h).Info("x", "password", c.Password, "url", c.URL, "all", c, "list", c.List)
	}
	outputs = append(outputs, log.String(), fmt.Sprint(c), fmt.Sprintln(c.URL), fmt.Errorf("bad %v: %w", c.URL, errors.New("no")).Error())
	for _, out := range outputs {
		if hex := fmt.Sprintf("%x", raw); strings.Contains(out, raw) || strings.Contains(strings.ToLower(out), hex) || strings.Contains(out, "hun") {
			t.Errorf("shown: %s", out)
		}
	}
	if c.Password.Reveal() != raw || !strings.Contains(c.URL.Reveal(), raw) {
		t.Error("Reveal does not give it")
	}
}

func TestURL(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		if got := URL(in).String(); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	f("", "")
	f("http://127.0.0.1:8123", "http://127.0.0.1:8123")
	f("https://db.example/ch/", "https://db.example/ch/")
	f("http://me:pw@127.0.0.1:8123", "http://xxxxx@127.0.0.1:8123")
	f("http://token@h", "http://xxxxx@h")
	f("http://h/?database=a&password=b", "http://h/?database=xxxxx&password=xxxxx")
	f("http://h/?token", "http://h/?xxxxx")
	f("http://h/#token", "http://h/")
	f("http://me:p/w@h", "(secret)") // its end is unknown
	f("http://me:p w@h", "(secret)")
	f("me:pw@h", "(secret)")
}

func TestMask(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		if got := Mask(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	f("no address: a@b", "no address: a@b")
	f(`Get "http://me:pw@h:1/ping": dial tcp: refused`, `Get "http://xxxxx@h:1/ping": dial tcp: refused`)
	f("postgres://me:p@ss/w#rd@h/db?sslmode=disable&sslpassword=x", "postgres://xxxxx@h/db?sslmode=disable&sslpassword=xxxxx")
	f("at http://a:b@c and http://d?api_key=e&q=tcp,", "at http://xxxxx@c and http://d?api_key=xxxxx&q=tcp,")
	f("http://h/?X-ClickHouse-Key=1&TOKEN=2&Signature=3&access%5Ftoken=4", "http://h/?X-ClickHouse-Key=xxxxx&TOKEN=xxxxx&Signature=xxxxx&access%5Ftoken=xxxxx")
	f("store http://xxxxx@h/?token=x: refused (http://a:b@c).", "store http://xxxxx@h/?token=xxxxx: refused (http://xxxxx@c).")
	f("http://127.0.0.1/explore?q=tcp&by=src.as&from=-1h", "http://127.0.0.1/explore?q=tcp&by=src.as&from=-1h")
}

// An error loses its secrets and stays the error that it is.
func TestError(t *testing.T) {
	base := errors.New("refused")
	u := &url.Error{Op: "Get", URL: "http://me:pw@h/?query=SELECT", Err: base}
	if got := Error(u); got.Error() != "refused" || !errors.Is(got, base) {
		t.Error(got)
	}
	echo := fmt.Errorf("malformed answer %q: %w", "X-ClickHouse-Key: hunter2hunter2", base)
	got := Error(echo, "hunter2", "hunter2hunter2", "")
	if fmt.Sprintf("%v %+v %s", got, got, got.Error()) != strings.Repeat(`malformed answer "X-ClickHouse-Key: xxxxx": refused `, 3)[:3*len(`malformed answer "X-ClickHouse-Key: xxxxx": refused `)-1] || !errors.Is(got, base) {
		t.Error(got)
	}
	if Error(nil) != nil {
		t.Error("an error of nil")
	}
}
