package network

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
)

// parseCSV reads networks. The first line names the columns: prefix, and any of name, role, site, region and
// tenant.
func parseCSV(content []byte) (list []entry, err error) {
	r := csv.NewReader(bytes.NewReader(content))
	r.Comment, r.TrimLeadingSpace = '#', true
	head, err := r.Read()
	if err != nil {
		return nil, fmt.Errorf("the first line must name the columns, such as prefix,name,role: %w", err)
	}
	var n Network
	prefix := -1
	fields := make([]*string, len(head))
	for i, name := range head {
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "prefix":
			prefix = i
		case "name":
			fields[i] = &n.Name
		case "role":
			fields[i] = &n.Role
		case "site":
			fields[i] = &n.Site
		case "region":
			fields[i] = &n.Region
		case "tenant":
			fields[i] = &n.Tenant
		default:
			return nil, fmt.Errorf("column %q: use prefix, name, role, site, region, tenant", name)
		}
	}
	if prefix < 0 {
		return nil, errors.New("the first line has no column prefix")
	}
	r.ReuseRecord = true
	seen := map[netip.Prefix]bool{}
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return list, nil
		}
		if err != nil {
			return nil, err
		}
		line, _ := r.FieldPos(0)
		p, err := ParsePrefix(strings.TrimSpace(record[prefix]))
		switch {
		case err != nil:
			return nil, fmt.Errorf("line %d: %w", line, err)
		case seen[p.Prefix]:
			return nil, fmt.Errorf("line %d: %s: is listed twice; remove one", line, p.Prefix)
		case len(list) == maxPrefixes:
			return nil, fmt.Errorf("line %d: more than %d prefixes", line, maxPrefixes)
		}
		seen[p.Prefix] = true
		n = Network{}
		for i, field := range fields {
			if field != nil {
				*field = strings.TrimSpace(record[i])
			}
		}
		list = append(list, entry{p.Prefix, n.labels(), line})
	}
}
