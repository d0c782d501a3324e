package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"netmeta/diagnosis"
	"netmeta/query"
)

// The running NetMeta finds its problems; doctor prints them.

// checkedHere are the IDs of problems that doctor checks in more detail itself.
var checkedHere = map[string]bool{"loss": true, "engine-down": true, "disk-full": true}

// problems reports those of NetMeta itself.
func (d *doctor) problems() {
	for _, p := range d.status.Problems {
		if !checkedHere[p.ID] {
			d.warn(p.Of, p.What, p.Remedy)
		}
	}
}

// linkProblems returns the problems of interfaces by the address of their exporter; nil
// without an answer.
func (d *doctor) linkProblems(ctx context.Context) map[string][]diagnosis.Problem {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	var list struct{ Exporters []query.InterfacesOf }
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.page+"/api/v1/interfaces?from=-1h", nil)
	if err != nil {
		return nil
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK || json.NewDecoder(res.Body).Decode(&list) != nil {
		return nil
	}
	of := map[string][]diagnosis.Problem{}
	for _, x := range list.Exporters {
		of[x.Exporter] = x.Problems
	}
	return of
}

// mostNamed is how many exporters with the same problem are named.
const mostNamed = 10

// exporters reports the problems of exporters: the first of each kind, and the other
// exporters that have it. links holds the problems of interfaces by exporter address.
func (d *doctor) exporters(links map[string][]diagnosis.Problem) {
	type kind struct {
		problem diagnosis.Problem
		of      []string
	}
	var kinds []*kind
	byID := map[string]*kind{}
	note := func(name string, list []diagnosis.Problem) {
		for _, p := range list {
			k := byID[p.ID]
			if k == nil {
				k = &kind{problem: p}
				byID[p.ID] = k
				kinds = append(kinds, k)
			}
			k.of = append(k.of, name)
		}
	}
	for _, x := range d.status.Exporters {
		note(x.Address+" ("+x.Type+")", x.Problems)
		note(x.Address, links[x.Address])
		delete(links, x.Address) // it may send records of another type too
	}
	for _, k := range kinds {
		d.warn("exporters", k.of[0]+": "+k.problem.What+others(k.of[1:]), k.problem.Remedy)
	}
	switch {
	case len(d.status.Exporters) == 0:
		d.warn("exporters", "nothing received since the start", "configure a router as the Start page shows; check firewalls on the path")
	case len(kinds) == 0:
		d.ok("exporters", "%d exporters, no problems", len(d.status.Exporters))
	}
}

// others lists the other exporters that have a problem.
func others(list []string) string {
	switch n := len(list) - mostNamed; {
	case len(list) == 0:
		return ""
	case n > 0:
		return "; also " + strings.Join(list[:mostNamed], ", ") + fmt.Sprintf(" and %d more", n)
	}
	return "; also " + strings.Join(list, ", ")
}
