package netflow

import (
	"bytes"
	"maps"

	"netmeta/source"
)

// exporterOptions are the options data of a sender that decoding needs. They are immutable: a change makes
// new ones. Names are in Metadata.
type exporterOptions struct {
	version uint64             // increases with each new value
	rates   map[rateKey]uint32 // sampling rates of selectors, samplers and interfaces
	byIf    bool               // some are of interfaces
	wide    uint32             // sampling rate of everything; 0: not reported
	only    uint32             // sampling rate of all selectors, if it is the same
	booted  uint64             // when SysUptime was 0, milliseconds since 1970; 0: not reported
}

var noOptions = &exporterOptions{}

// maxRates bounds the rates of a sender: a few for each interface of a large router.
const maxRates = 8192

// rateKey identifies what a sampling rate applies to.
type rateKey uint64

// A selector (302) and a flow sampler (48) are the same: the former replaced the latter in the registry.
func selectorKey(id uint64) rateKey { return rateKey(id &^ (1 << 63)) }
func ifKey(index uint64) rateKey    { return rateKey(index | 1<<63) }

// optionsRecord has the values of a record of options data that this package uses.
type optionsRecord struct {
	key       rateKey
	wide      bool
	interval  uint64 // 34 samplingInterval
	random    uint64 // 50 flowSamplerRandomInterval
	chosen    uint64 // 305 samplingPacketInterval
	space     uint64 // 306 samplingPacketSpace
	hasSpace  bool
	size      uint64 // 309 samplingSize
	of        uint64 // 310 samplingPopulation
	chance    uint32 // 311 samplingProbability, as a rate
	algorithm uint64 // 304 selectorAlgorithm

	// For Metadata.
	app           uint64 // 95 applicationId
	appName       []byte // 96
	appCategory   []byte // 372
	appSub        []byte // 373
	appGroup      []byte // 374
	ifIndex       uint32 // 10, 14, 252 or 253
	hasIf         bool
	ifName        []byte // 82
	ifDescription []byte // 83
	vrf           uint32 // 234 or 235
	hasVRF        bool
	vrfName       []byte // 236
	domainName    []byte // 300
	system        System
}

// rate returns the sampling rate, 0 if the record has none. Selector algorithm 1 is systematic by count
// (306), 3 chooses n out of N (310); exporters also fill in the fields of the other one (RFC 5477 §8.2).
func (r *optionsRecord) rate() uint32 {
	spaced, sized := uint32(0), uint32(0)
	if r.hasSpace {
		spaced = oneOf(r.chosen, r.chosen+r.space)
	}
	if r.of > 0 {
		sized = oneOf(r.size, r.of)
	}
	if r.algorithm == 1 && spaced > 0 {
		return spaced
	}
	for _, v := range []uint32{sized, spaced, clamp32(r.interval), clamp32(r.random), r.chance} {
		if v > 0 {
			return v
		}
	}
	if r.chosen > 1 { // without a space: one of that many
		return clamp32(r.chosen)
	}
	return 0
}

// optionsData stores a set of options data.
func (d *Decoder) optionsData(t *template, body []byte) {
	elements := t.elements()
	widths := make([]uint32, len(elements))
	least := 0
	for i, e := range elements {
		widths[i] = uint32(e.length)
		least += e.least()
	}
	lay := layout{make([]uint32, len(elements)), make([]uint32, len(elements))}
	var records []optionsRecord
	for !padding(body, least) {
		size := lay.measure(widths, body)
		if size < 0 {
			d.refuse(source.BadLength)
			d.blind = true
			break
		}
		records = append(records, readOptions(elements, int(t.scopes), &lay, body))
		d.noteOptions(t, elements, &lay, body)
		body = body[size:]
	}
	d.records += uint32(len(records))
	d.state.counters.OptionsRecords.Add(uint64(len(records)))
	d.entry.Options.Add(uint64(len(records)))
	if d.session == nil {
		return
	}
	s := d.state
	s.mu.Lock()
	defer s.mu.Unlock()
	if d.session.gone() {
		return
	}
	s.describeLocked(d, records)
	old := d.session.reported
	if old == nil {
		old = noOptions
	}
	if now := old.with(records); now != old {
		s.optionsVersion++
		s.changes.Add(1)
		now.version = s.optionsVersion
		d.session.reported = now
		// Options data of domain 0 also apply to the other domains.
		for _, dom := range d.session.domain.exporter.domains {
			if dom == d.session.domain || d.session.domain.id == 0 {
				dom.generation.Add(1)
			}
		}
		s.refreshLocked(d)
	} else {
		d.metadata = s.metadata[d.exporter.Addr().Unmap()]
	}
}

const ciscoPEN = 9

func readOptions(elements []element, scopes int, lay *layout, p []byte) (r optionsRecord) {
	r.wide = true
	selector := false
	for i, e := range elements {
		id := e.ID
		if e.PEN == ciscoPEN && id >= 12232 && id <= 12234 {
			id -= 12232 - 372 // attributes of applications, from before they had elements
		} else if e.PEN != 0 {
			continue
		}
		raw := p[lay.offset[i] : lay.offset[i]+lay.width[i]]
		v := number(raw, len(raw))
		switch id {
		case 48, 302:
			r.key, r.wide, selector = selectorKey(v), false, true
		case 252, 253:
			if !r.hasIf {
				r.ifIndex, r.hasIf = uint32(v), true
			}
		case 10, 14:
			if !r.hasIf {
				r.ifIndex, r.hasIf = uint32(v), true
			}
			if i < scopes && !selector {
				r.key, r.wide = ifKey(v), false
			}
		case 34:
			r.interval = v
		case 50:
			r.random = v
		case 304:
			r.algorithm = v
		case 305:
			r.chosen = v
		case 306:
			r.space, r.hasSpace = v, true
		case 309:
			r.size = v
		case 310:
			r.of = v
		case 311:
			r.chance = probability(v, len(raw))
		case 36:
			r.system.ActiveTimeoutS = uint32(v)
		case 37:
			r.system.IdleTimeoutS = uint32(v)
		case 40:
			r.system.Octets = v
		case 41:
			r.system.Messages = v
		case 42:
			r.system.Records = v
		case 160:
			r.system.Booted = v
		case 82:
			r.ifName = raw
		case 83:
			r.ifDescription = raw
		case 234, 235:
			if !r.hasVRF {
				r.vrf, r.hasVRF = uint32(v), true
			}
		case 236:
			r.vrfName = raw
		case 300:
			r.domainName = raw
		case 95:
			r.app = appKey(raw)
		case 96:
			r.appName = raw
		case 372:
			r.appCategory = raw
		case 373:
			r.appSub = raw
		case 374:
			r.appGroup = raw
		}
	}
	return r
}

// with returns the options data with some more records added, or f itself if they change nothing.
func (f *exporterOptions) with(records []optionsRecord) *exporterOptions {
	now := f
	// change returns the copy that may be modified.
	change := func() *exporterOptions {
		if now == f {
			now = &exporterOptions{rates: maps.Clone(f.rates), wide: f.wide, booted: f.booted}
			if now.rates == nil {
				now.rates = map[rateKey]uint32{}
			}
		}
		return now
	}
	for i := range records {
		r := &records[i]
		if rate := r.rate(); rate > 0 {
			switch {
			case r.wide:
				if now.wide != rate {
					change().wide = rate
				}
			case now.rates[r.key] != rate && (len(now.rates) < maxRates || now.rates[r.key] != 0):
				change().rates[r.key] = rate
			}
		}
		if boot := r.system.Booted; boot != 0 && boot != now.booted {
			change().booted = boot
		}
	}
	if now == f {
		return f
	}
	now.summarise()
	return now
}

// summarise derives values from the rates.
func (f *exporterOptions) summarise() {
	mixed := false
	for key, rate := range f.rates {
		switch {
		case key == ifKey(uint64(key)):
			f.byIf = true
		case f.only == 0:
			f.only = rate
		case f.only != rate:
			mixed = true
		}
	}
	if mixed {
		f.only = 0
	}
}

func untilZero(p []byte) []byte {
	if i := bytes.IndexByte(p, 0); i >= 0 {
		return p[:i]
	}
	return p
}
