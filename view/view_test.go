package view

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"netmeta/internal/problem"
)

func TestViews(t *testing.T) {
	path := filepath.Join(t.TempDir(), "views.json")
	vs, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Unix(1000, 0)
	put := func(v View, create bool) View {
		t.Helper()
		v, err := vs.Put(v, create, now)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	slugs := func(owner, want string) {
		t.Helper()
		var list []string
		for _, v := range vs.List(owner) {
			list = append(list, v.Slug)
		}
		if got := strings.Join(list, " "); got != want {
			t.Errorf("%s sees %q, want %q", owner, got, want)
		}
	}
	if v := put(View{Name: "Traffic of our CDN!", Query: "?q=tcp", Owner: "ann", Shared: true}, true); v.Slug != "traffic-of-our-cdn" || v.Page != "explore" || v.Query != "q=tcp" || v.Updated != 1000 {
		t.Errorf("%+v", v)
	}
	if v := put(View{Name: "Traffic of our CDN", Owner: "bob"}, true); v.Slug != "traffic-of-our-cdn-2" {
		t.Errorf("%+v", v)
	}
	slugs("ann", "traffic-of-our-cdn")
	slugs("bob", "traffic-of-our-cdn-2 traffic-of-our-cdn")
	if _, err := vs.Put(View{Slug: "traffic-of-our-cdn-2", Name: "mine", Owner: "ann"}, false, now); !errors.Is(err, ErrNotOwner) {
		t.Errorf("what belongs to somebody else: %v", err)
	}
	if _, err := vs.Get("traffic-of-our-cdn-2", "ann"); !errors.Is(err, ErrNotFound) {
		t.Errorf("what belongs to somebody else: %v", err)
	}
	if _, err := vs.Put(View{Slug: "traffic-of-our-cdn-2", Name: "mine", Owner: "ann"}, true, now); !errors.Is(err, ErrTaken) {
		t.Errorf("a new view under a slug that is taken: %v", err)
	}
	if v := put(View{Slug: "traffic-of-our-cdn", Name: "CDN", Owner: "bob", Shared: true}, false); v.Owner != "ann" {
		t.Errorf("changed by somebody else: %+v", v)
	}
	if _, err := vs.Put(View{Slug: "traffic-of-our-cdn", Name: "CDN", Owner: "bob"}, false, now); !errors.Is(err, ErrNotOwner) {
		t.Errorf("made private by somebody else: %v", err)
	}

	fixed := []View{{Slug: "transit", Name: "Transit", Query: "q=in.conn+transit", Pinned: true}, {Slug: "traffic-of-our-cdn", Name: "from the file"}}
	if err := Config(fixed).Validate(); err != nil {
		t.Fatal(err)
	}
	vs.Provision(fixed, "netmeta.yaml")
	slugs("ann", "traffic-of-our-cdn transit")
	if v, err := vs.Get("traffic-of-our-cdn", ""); err != nil || v.Name != "from the file" || !v.Provisioned || !v.Shared || v.Source != "netmeta.yaml" {
		t.Errorf("%+v %v", v, err)
	}
	if err := vs.Delete("transit", "ann"); !errors.Is(err, ErrProvisioned) {
		t.Errorf("what is from the configuration: %v", err)
	}
	if _, err := vs.Put(View{Slug: "transit", Name: "x"}, false, now); !errors.Is(err, ErrProvisioned) {
		t.Errorf("what is from the configuration: %v", err)
	}
	vs.Provision(nil, "")

	// What was saved is there after a restart, and nothing else is in the directory.
	if vs, err = Open(path); err != nil {
		t.Fatal(err)
	}
	slugs("bob", "traffic-of-our-cdn traffic-of-our-cdn-2")
	if err := vs.Delete("traffic-of-our-cdn", "ann"); err != nil {
		t.Error(err)
	}
	if err := vs.Delete("traffic-of-our-cdn", "ann"); !errors.Is(err, ErrNotFound) {
		t.Errorf("deleting it again: %v", err)
	}
	slugs("bob", "traffic-of-our-cdn-2")
	if files, _ := os.ReadDir(filepath.Dir(path)); len(files) != 1 {
		t.Errorf("files %v", files)
	}

	// A file that cannot be written changes nothing.
	broken, err := Open(filepath.Join(t.TempDir(), "no", "views.json"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := broken.Put(View{Name: "x", Shared: true}, true, now); err == nil || len(broken.List("")) != 0 {
		t.Errorf("%v, %d views", err, len(broken.List("")))
	}
	os.WriteFile(path, []byte("{"), 0o600)
	if _, err := Open(path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("a broken file: %v", err)
	}
}

func TestLimits(t *testing.T) {
	f := func(v View, key string) {
		t.Helper()
		err := v.Complete()
		var bad *problem.Error
		if (key != "" || err != nil) && (!errors.As(err, &bad) || bad.Key != key || bad.Detail == "") {
			t.Errorf("%.200v: %v, want %s", v, err, key)
		}
	}
	f(View{Name: "x"}, "")
	f(View{Name: "x", Page: "/if/fra1/512", Of: []string{"a", "b"}}, "")
	f(View{}, "name")
	f(View{Name: "☃"}, "slug")
	f(View{Name: "x", Slug: "A"}, "slug")
	f(View{Name: "x", Slug: "-a"}, "slug")
	f(View{Name: "x", Page: "https://example.com"}, "page")
	f(View{Name: "x", Page: "//example.com\n"}, "page")
	f(View{Name: "x", Query: "q=%zz"}, "query")
	f(View{Name: "x", Query: strings.Repeat("x", maxQuery+1)}, "query")
	f(View{Name: strings.Repeat("x", maxName+1), Slug: "x"}, "name")
	f(View{Name: "x", Description: strings.Repeat("x", maxDescription+1)}, "description")
	f(View{Name: "x", Of: make([]string, maxOf+1)}, "of")
	f(View{Name: "x", Of: []string{""}}, "of")

	vs, _ := Open(filepath.Join(t.TempDir(), "views.json"))
	for i := range maxViews {
		vs.saved[strings.Repeat("x", 1+i%60)+string(rune('a'+i%26))+time.Unix(int64(i), 0).String()] = View{}
	}
	if _, err := vs.Put(View{Name: "one more"}, true, time.Unix(0, 0)); err == nil || !strings.Contains(err.Error(), "no room") {
		t.Errorf("one more: %v", err)
	}
	if err := (Config{{Name: "a"}, {Name: "A"}}).Validate(); err == nil || !strings.HasPrefix(err.Error(), "[1].slug: a: ") {
		t.Errorf("two of one slug: %v", err)
	}
}
