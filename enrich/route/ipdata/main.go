// Command ipdata makes the file that says which AS and country an address belongs to.
// It reads the CSV files of two npm packages, which package.json names, and writes
// what package route reads.
//
//	go run ./enrich/route/ipdata bin/ip.data
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"netmeta/enrich/route"
)

// from is where npm installs the packages, seen from the root of the tree.
const from = "enrich/route/ipdata/node_modules/@ip-location-db"

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: ipdata FILE")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "ipdata:", err)
		os.Exit(1)
	}
}

func run(to string) error {
	s := route.Sources{}
	var named []string
	for _, pkg := range []struct {
		name string
		into *[]io.Reader
	}{{"asn", &s.AS}, {"geo-whois-asn-country", &s.Countries}} {
		dir := filepath.Join(from, pkg.name)
		text, err := os.ReadFile(filepath.Join(dir, "package.json"))
		if err != nil {
			return err
		}
		var about struct{ Version string }
		if err := json.Unmarshal(text, &about); err != nil {
			return fmt.Errorf("%s: %w", dir, err)
		}
		named = append(named, pkg.name+" "+about.Version)
		for _, family := range []string{"4", "6"} {
			f, err := os.Open(filepath.Join(dir, pkg.name+"-ipv"+family+".csv"))
			if err != nil {
				return err
			}
			defer f.Close()
			*pkg.into = append(*pkg.into, f)
		}
	}
	s.Name = strings.Join(named, ", ")
	data, err := route.Build(s)
	if err != nil {
		return err
	}
	// Whole or not at all: a collector may be reading the old one.
	tmp, err := os.CreateTemp(filepath.Dir(to), filepath.Base(to)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	if err := data.Write(tmp); err != nil {
		return err
	}
	if err := tmp.Chmod(0o644); err != nil {
		return err
	}
	if err := tmp.Close(); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), to)
}
