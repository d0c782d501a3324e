package netflow

import (
	"netmeta/flow"
	"netmeta/source"
)

// Samplings lists the rates in options data: of a whole exporter, of its selectors and of its interfaces.
func (s *State) Samplings() (list []source.Sampling) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range s.exporters {
		typ := flow.TypeNetFlow9
		if x.key.version == 10 {
			typ = flow.TypeIPFIX
		}
		for _, dom := range x.domains {
			f := newestOptions(dom)
			if f == nil {
				continue
			}
			add := func(of string, id uint64, rate uint32) {
				list = append(list, source.Sampling{Exporter: x.key.addr, Type: typ, Domain: dom.id, Of: of, ID: id, From: flow.SamplingOptions, Rate: rate})
			}
			if f.wide != 0 {
				add("exporter", 0, f.wide)
			}
			for key, rate := range f.rates {
				if id := uint64(key); key == ifKey(id) {
					add("interface", id&^(1<<63), rate)
				} else {
					add("selector", id, rate)
				}
			}
		}
	}
	source.SortSamplings(list)
	return list
}
