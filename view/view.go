// Package view stores saved views, which are names for a page with its query. Views of the
// configuration are read-only in the web UI. The others are in one file of the data
// directory, which each change replaces as a whole.
package view

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"netmeta/internal/problem"
	"netmeta/internal/wholefile"
)

// View is a page with its query or, if Of is set, a board of several views.
type View struct {
	// Slug in the URL of the view: 1 to 64 lower-case letters, digits and -. Default: made
	// from the name.
	Slug string `json:"slug" yaml:"slug" example:""`
	// Name of the view.
	Name string `json:"name" yaml:"name" example:"CDN" need:"true"`
	// Description of the view.
	Description string `json:"description" yaml:"description" example:"Traffic of content networks"`
	// Page that the view opens. Default: explore.
	Page string `json:"page" yaml:"page" example:"explore"`
	// Query: the parameters of the page's URL, such as q=tcp&by=src.as.
	Query string `json:"query" yaml:"query" example:"q=as+15169&by=in.if"`
	// Slugs of views, for a board that shows several; up to 24.
	Of []string `json:"of" yaml:"of" example:"[]"`
	// Show the view on the overview page.
	Pinned bool `json:"pinned" yaml:"pinned" example:"false"`

	Shared      bool   `json:"shared" yaml:"-" example:"true"`       // Seen by everybody.
	Owner       string `json:"owner" yaml:"-" example:""`            // Who saved it, as the header View-Owner said.
	Provisioned bool   `json:"provisioned" yaml:"-" example:"false"` // From the configuration: it cannot be changed here.
	Source      string `json:"source" yaml:"-" example:""`           // The configuration file of a provisioned one.
	Updated     int64  `json:"updated" yaml:"-" example:"0"`         // Second.
}

// Limits.
const (
	maxViews       = 1000
	maxName        = 100
	maxDescription = 2 << 10
	maxQuery       = 16 << 10
	maxOf          = 24
)

var (
	slugForm = regexp.MustCompile(`^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$`)
	pageForm = regexp.MustCompile(`^[a-z][a-z0-9-]{0,30}(/[A-Za-z0-9:._-]{1,100}){0,4}$`)
)

// invalid returns the problem of an invalid key of a view.
func invalid(key, message string) error {
	return problem.Invalid("view not understood", key, message)
}

// Errors of a call, not of a view.
var (
	ErrNotFound    = &problem.Error{Status: http.StatusNotFound, Title: "no such view", Detail: "no view with this slug"}
	ErrProvisioned = &problem.Error{Status: http.StatusForbidden, Title: "view not changed", Key: "slug", Detail: "the view is from the configuration; change it there, or use another slug"}
	ErrWrite       = &problem.Error{Status: http.StatusInternalServerError, Title: "not saved", Detail: "cannot write the saved views"}
	ErrNotOwner    = &problem.Error{Status: http.StatusForbidden, Title: "view not changed", Key: "slug", Detail: "the view belongs to another user; use another slug"}
	ErrTaken       = &problem.Error{Status: http.StatusConflict, Title: "slug taken", Key: "slug", Detail: "another view has this slug; use a free one"}
)

// Complete sets missing values of a view and validates it. The error is a *problem.Error.
func (v *View) Complete() error {
	v.fill()
	return v.check()
}

// fill gives a view what it lacks.
func (v *View) fill() {
	v.Name = strings.TrimSpace(v.Name)
	if v.Slug == "" {
		v.Slug = slug(v.Name)
	}
	v.Page = cmp.Or(strings.Trim(v.Page, "/"), "explore")
	v.Query = strings.TrimPrefix(v.Query, "?")
	if v.Of == nil {
		v.Of = []string{}
	}
}

func (v *View) check() error {
	_, badQuery := url.ParseQuery(v.Query)
	switch {
	case v.Name == "":
		return invalid("name", "is missing")
	case len(v.Name) > maxName:
		return invalid("name", fmt.Sprintf("is too long; use at most %d bytes", maxName))
	case len(v.Description) > maxDescription:
		return invalid("description", fmt.Sprintf("is too long; use at most %d bytes", maxDescription))
	case !slugForm.MatchString(v.Slug):
		return invalid("slug", fmt.Sprintf("%q is not valid; use 1 to 64 lower-case letters, digits and -", v.Slug))
	case !pageForm.MatchString(v.Page):
		return invalid("page", fmt.Sprintf("%q is not a page", v.Page))
	case len(v.Query) > maxQuery:
		return invalid("query", fmt.Sprintf("is too long; use at most %d bytes", maxQuery))
	case badQuery != nil:
		return invalid("query", "is not the query of a URL: "+badQuery.Error())
	case len(v.Of) > maxOf:
		return invalid("of", fmt.Sprintf("has %d views; use at most %d", len(v.Of), maxOf))
	}
	for _, s := range v.Of {
		if !slugForm.MatchString(s) {
			return invalid("of", fmt.Sprintf("%q is not the slug of a view", s))
		}
	}
	return nil
}

// slug derives a slug from a name.
func slug(name string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	return strings.Trim(b.String()[:min(b.Len(), 64)], "-")
}

// Views holds all views. It is safe for concurrent use.
type Views struct {
	path string

	mu          sync.Mutex
	saved       map[string]View
	provisioned []View
}

// Open reads the file of views, which need not exist.
func Open(path string) (*Views, error) {
	vs := &Views{path: path, saved: map[string]View{}}
	var list []View
	if err := wholefile.Read(path, &list); err != nil {
		return nil, fmt.Errorf("saved views: %w", err)
	}
	for _, v := range list {
		vs.saved[v.Slug] = v
	}
	return vs, nil
}

// Provision sets the views of the configuration, which has been checked. They hide
// saved views with the same slug.
func (vs *Views) Provision(list []View, file string) {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	vs.provisioned = slices.Clone(list)
	for i := range vs.provisioned {
		vs.provisioned[i].fill()
		vs.provisioned[i].Provisioned, vs.provisioned[i].Shared = true, true
		vs.provisioned[i].Source = file
	}
}

func (vs *Views) findLocked(slug string) (View, bool) {
	for _, v := range vs.provisioned {
		if v.Slug == slug {
			return v, true
		}
	}
	v, ok := vs.saved[slug]
	return v, ok
}

// List returns the views that an owner sees, sorted by name: shared views and the owner's.
func (vs *Views) List(owner string) []View {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	list := slices.Clone(vs.provisioned)
	for slug, v := range vs.saved {
		if seen, _ := vs.findLocked(slug); !seen.Provisioned && v.seenBy(owner) {
			list = append(list, v)
		}
	}
	slices.SortFunc(list, func(a, b View) int {
		return cmp.Or(strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), strings.Compare(a.Slug, b.Slug))
	})
	return list
}

func (v View) seenBy(owner string) bool { return v.Shared || v.Owner == owner }

// Get returns a view that the owner sees.
func (vs *Views) Get(slug, owner string) (View, error) {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	v, ok := vs.findLocked(slug)
	if !ok || !v.seenBy(owner) {
		return View{}, ErrNotFound
	}
	return v, nil
}

// mayChangeLocked reports why an owner may not change the view with this slug.
func (vs *Views) mayChangeLocked(slug, owner string) error {
	v, ok := vs.findLocked(slug)
	switch {
	case !ok:
		return ErrNotFound
	case v.Provisioned:
		return ErrProvisioned
	case !v.seenBy(owner):
		return ErrNotOwner
	}
	return nil
}

// Put saves a view and replaces the one with its slug. With create the slug must be free; a
// view without slug gets a free one. Only the owner can make a view private, because then
// no one else sees it.
func (vs *Views) Put(v View, create bool, now time.Time) (View, error) {
	named := v.Slug != ""
	if err := v.Complete(); err != nil {
		return v, err
	}
	vs.mu.Lock()
	defer vs.mu.Unlock()
	if _, taken := vs.findLocked(v.Slug); create && named && taken {
		return v, ErrTaken
	}
	if create {
		base := v.Slug
		for n := 2; ; n++ {
			if _, taken := vs.findLocked(v.Slug); !taken {
				break
			}
			v.Slug = fmt.Sprintf("%.58s-%d", base, n)
		}
	} else if err := vs.mayChangeLocked(v.Slug, v.Owner); err != nil && err != ErrNotFound {
		return v, err
	}
	old, was := vs.saved[v.Slug]
	if was && old.Owner != v.Owner {
		if !v.Shared {
			return v, ErrNotOwner
		}
		v.Owner = old.Owner
	}
	if !was && len(vs.saved) >= maxViews {
		return v, invalid("slug", fmt.Sprintf("no room for another view: %d are saved; delete one first", maxViews))
	}
	v.Provisioned, v.Source, v.Updated = false, "", now.Unix()
	vs.saved[v.Slug] = v
	if err := vs.writeLocked(); err != nil {
		if delete(vs.saved, v.Slug); was {
			vs.saved[v.Slug] = old
		}
		return v, err
	}
	return v, nil
}

// Delete deletes a view.
func (vs *Views) Delete(slug, owner string) error {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	if err := vs.mayChangeLocked(slug, owner); err != nil {
		return err
	}
	old := vs.saved[slug]
	delete(vs.saved, slug)
	if err := vs.writeLocked(); err != nil {
		vs.saved[slug] = old
		return err
	}
	return nil
}

// writeLocked replaces the file: a crash leaves the old one or the new one.
func (vs *Views) writeLocked() error {
	list := make([]View, 0, len(vs.saved))
	for _, v := range vs.saved {
		list = append(list, v)
	}
	slices.SortFunc(list, func(a, b View) int { return strings.Compare(a.Slug, b.Slug) })
	if err := wholefile.Write(vs.path, list); err != nil {
		return fmt.Errorf("%w: %w", ErrWrite, err)
	}
	return nil
}
