package query

import (
	"slices"
	"strings"

	"netmeta/filter"
)

// otherFilters gives each Other of a result the condition that matches only its groups: everything but the
// named groups. There is none with skip, whose groups are not named, nor for times, which have no conditions.
func otherFilters(r Request, list []Series, s Schema) {
	if r.Skip > 0 {
		return
	}
	each := r.Dir == "both" && r.RankDir == "each" // has groups of its own
	for i, other := range list {
		if !other.Other {
			continue
		}
		var groups []string
		for _, one := range list {
			if one.Other || each && one.Dir != other.Dir {
				continue
			}
			if slices.Contains(one.Filter, "") {
				return
			}
			if is := strings.Join(one.Filter, " and "); !slices.Contains(groups, is) {
				groups = append(groups, is)
			}
		}
		dir := ""
		if each {
			dir = other.Dir
		}
		if text := noneOf(dir, groups, s); text != "" {
			list[i].Filter = []string{text}
		}
	}
}

// noneOf returns the text of a filter that matches what no group does, of a direction or of all. Groups that
// only differ in their last value are combined: src.as not in [64500, 64501].
func noneOf(dir string, groups []string, s Schema) string {
	type alike struct {
		before []filter.Node // of the conditions, except the last
		last   filter.Compare
	}
	var list []alike
	for _, text := range groups {
		f, err := filter.Parse(text, s.Names)
		if err != nil {
			return ""
		}
		all := []filter.Node{f.Root}
		if and, ok := f.Root.(filter.And); ok {
			all = and.Of
		}
		last, ok := all[len(all)-1].(filter.Compare)
		if !ok || last.Op != filter.Eq {
			return ""
		}
		one := alike{all[:len(all)-1], last}
		i := slices.IndexFunc(list, func(a alike) bool {
			return a.last.Field == last.Field && filter.And{Of: a.before}.String() == filter.And{Of: one.before}.String()
		})
		if i < 0 {
			list = append(list, one)
			continue
		}
		list[i].last.Op, list[i].last.Values = filter.In, append(list[i].last.Values, last.Values...)
	}
	var none filter.Node
	switch {
	case len(list) == 0:
		return ""
	case len(list) == 1 && len(list[0].before) == 0:
		is := list[0].last
		is.Op = map[filter.Op]filter.Op{filter.Eq: filter.Ne, filter.In: filter.NotIn}[is.Op]
		none = is
	default:
		var named []filter.Node
		for _, a := range list {
			one := filter.Node(a.last)
			if len(a.before) > 0 {
				one = filter.And{Of: append(a.before, a.last)}
			}
			named = append(named, one)
		}
		none = filter.Not{Of: named[0]}
		if len(named) > 1 {
			none = filter.Not{Of: filter.Or{Of: named}}
		}
	}
	text := none.String()
	if dir != "" {
		text = "direction = " + dir + " and " + text
	}
	if len(text) > filter.MaxBytes {
		return ""
	}
	return text
}
