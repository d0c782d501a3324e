package netflow

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"

	"netmeta/flow"
	"netmeta/internal/wholefile"
)

// What exporters told is kept over a restart: they send templates every few
// minutes at best, and what comes before the next would have to wait for it. The
// file is
//
//	0 "netmeta templates 1\n"   20 length of the content   28 its CRC-32C   32 content, JSON
//
// It is written whole and renamed, so that it is there in full or not at all.

const keptMagic = "netmeta templates 1\n"

// maxKept bounds the file: what the limits of State allow, in JSON.
const maxKept = 512 << 20

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// kept is the content of the file.
type kept struct {
	Sessions []keptSession  `json:"sessions"`
	Metadata []keptMetadata `json:"metadata"`
}

type keptSession struct {
	Exporter  netip.Addr         `json:"exporter"`
	Version   uint16             `json:"version"`
	Domain    uint32             `json:"domain"`
	Port      uint16             `json:"port"`
	LastSeen  int64              `json:"lastSeen"`       // of the exporter, Unix nanoseconds
	Idle      int                `json:"idle,omitempty"` // sweeps
	Settled   bool               `json:"settled,omitempty"`
	Templates []keptTemplate     `json:"templates"`
	Told      uint64             `json:"told,omitempty"`
	Rates     map[rateKey]uint32 `json:"rates,omitempty"`
	Wide      uint32             `json:"wide,omitempty"`
	Booted    uint64             `json:"booted,omitempty"`
}

type keptTemplate struct {
	ID      uint16 `json:"id"`
	Options bool   `json:"options,omitempty"`
	Scopes  uint16 `json:"scopes,omitempty"`
	Fields  []byte `json:"fields"`
}

type keptMetadata struct {
	Exporter     netip.Addr                `json:"exporter"`
	Interfaces   map[uint32]keptInterface  `json:"interfaces,omitempty"`
	VRFs         map[uint32]string         `json:"vrfs,omitempty"`
	Applications map[uint64]string         `json:"applications,omitempty"`
	Attributes   map[uint64]keptAttributes `json:"attributes,omitempty"` // of applications
	Domain       string                    `json:"domain,omitempty"`
	Active       uint32                    `json:"activeTimeout,omitempty"`
	Idle         uint32                    `json:"idleTimeout,omitempty"`
	Booted       uint64                    `json:"booted,omitempty"`
}

type keptAttributes struct {
	Category    string `json:"category,omitempty"`
	SubCategory string `json:"subCategory,omitempty"`
	Group       string `json:"group,omitempty"`
}

type keptInterface struct {
	Name        string `json:"name,omitempty"`
	Description string `json:"description,omitempty"`
}

// Changes rises with whatever Save would write anew.
func (s *State) Changes() uint64 { return s.changes.Load() }

// Save writes the templates of all senders of which data were decoded, and what
// their options data told. It blocks decoders only while it takes a copy.
func (s *State) Save(w io.Writer) error {
	content, err := json.Marshal(s.copy())
	if err != nil {
		return fmt.Errorf("templates: %w", err)
	}
	head := binary.BigEndian.AppendUint64([]byte(keptMagic), uint64(len(content)))
	head = binary.BigEndian.AppendUint32(head, crc32.Checksum(content, castagnoli))
	for _, p := range [][]byte{head, content} {
		if _, err := w.Write(p); err != nil {
			return fmt.Errorf("templates: %w", err)
		}
	}
	return nil
}

func (s *State) copy() (k kept) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range s.exporters {
		lastSeen := int64(0)
		if x.known {
			lastSeen = x.entry.LastSeen.Load()
		}
		for _, dom := range x.domains {
			for _, ses := range dom.sessions {
				// What no data have fitted may be forged, and is no loss.
				if !ses.proven.Load() || len(ses.templates) == 0 {
					continue
				}
				ks := keptSession{Exporter: x.key.addr, Version: x.key.version, Domain: dom.id, Port: ses.port, LastSeen: lastSeen, Idle: ses.idle, Settled: ses.settled.Load()}
				for _, t := range ses.templates {
					ks.Templates = append(ks.Templates, keptTemplate{t.id, t.options, t.scopes, []byte(t.spec)})
				}
				if f := ses.facts; f != nil {
					ks.Told, ks.Rates, ks.Wide, ks.Booted = f.told, f.rates, f.wide, f.booted // rates never change
				}
				k.Sessions = append(k.Sessions, ks)
			}
		}
	}
	for addr, m := range s.metadata {
		k.Metadata = append(k.Metadata, m.copy(addr))
	}
	return k
}

func (m *Metadata) copy(addr netip.Addr) keptMetadata {
	m.mu.RLock()
	defer m.mu.RUnlock()
	k := keptMetadata{
		Exporter: addr, Interfaces: map[uint32]keptInterface{}, VRFs: map[uint32]string{}, Applications: map[uint64]string{}, Attributes: map[uint64]keptAttributes{},
		Domain: m.system.Domain.String(), Active: m.system.ActiveTimeoutS, Idle: m.system.IdleTimeoutS, Booted: m.system.Booted,
	}
	for index, x := range m.interfaces {
		k.Interfaces[index] = keptInterface{x.Name.String(), x.Description.String()}
	}
	for id, name := range m.vrfs {
		k.VRFs[id] = name.String()
	}
	for id, x := range m.applications {
		k.Applications[id] = x.Name.String()
		if x != (Application{Name: x.Name}) {
			k.Attributes[id] = keptAttributes{x.Category.String(), x.SubCategory.String(), x.Group.String()}
		}
	}
	return k
}

// Load takes in what Save wrote, before the first datagram. The limits hold as if
// it had been received: what does not fit is left out. An error means that
// nothing was taken in.
func (s *State) Load(r io.Reader) error {
	head := make([]byte, len(keptMagic)+12)
	if _, err := io.ReadFull(r, head); err != nil {
		return fmt.Errorf("templates: header: %w", err)
	}
	if string(head[:len(keptMagic)]) != keptMagic {
		return fmt.Errorf("templates: file begins with %q, want %q", head[:len(keptMagic)], keptMagic)
	}
	length := binary.BigEndian.Uint64(head[len(keptMagic):])
	if length > maxKept {
		return fmt.Errorf("templates: length is %d, the most is %d", length, maxKept)
	}
	var content bytes.Buffer // grows with what is there, not with what the header says
	if n, err := io.Copy(&content, io.LimitReader(r, int64(length))); err != nil || uint64(n) != length {
		return fmt.Errorf("templates: file ends after %d of %d octets: %w", n, length, errors.Join(err, io.ErrUnexpectedEOF))
	}
	if sum, want := crc32.Checksum(content.Bytes(), castagnoli), binary.BigEndian.Uint32(head[len(keptMagic)+8:]); sum != want {
		return fmt.Errorf("templates: checksum is %08x, want %08x", sum, want)
	}
	var k kept
	if err := json.Unmarshal(content.Bytes(), &k); err != nil {
		return fmt.Errorf("templates: %w", err)
	}
	for i := range k.Sessions {
		s.restore(&k.Sessions[i])
	}
	for i := range k.Metadata {
		s.restoreMetadata(&k.Metadata[i])
	}
	return nil
}

// restore makes a session of what was kept.
func (s *State) restore(k *keptSession) {
	if !k.Exporter.IsValid() || k.Version != 9 && k.Version != 10 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	typ := flow.TypeNetFlow9
	if k.Version == 10 {
		typ = flow.TypeIPFIX
	}
	v := s.viewLocked(viewKey{netip.AddrPortFrom(k.Exporter, k.Port), k.Domain, k.Version}, typ)
	ses := v.session
	if ses == nil {
		return
	}
	for i := range k.Templates {
		t := k.Templates[i].template(k.Version)
		if t != nil && ses.templates[t.id] == nil {
			s.addLocked(ses, t)
		}
	}
	if v.known && v.entry.LastSeen.Load() < k.LastSeen {
		v.entry.LastSeen.Store(k.LastSeen)
	}
	ses.idle = min(max(k.Idle, 0), sweepsPerExpiry)
	ses.used.Store(false)
	ses.proven.Store(true)
	ses.settled.Store(k.Settled)
	if k.Wide != 0 || k.Booted != 0 || len(k.Rates) > 0 && len(k.Rates) <= maxFacts {
		s.told = max(s.told, k.Told)
		f := &facts{told: k.Told, rates: k.Rates, wide: k.Wide, booted: k.Booted}
		f.summarise()
		ses.facts = f
	}
	ses.domain.generation.Add(1)
}

// template checks what was kept as if it had been received; nil if it is none.
func (k *keptTemplate) template(version uint16) *template {
	count, least := 0, 0
	for p := k.Fields; len(p) > 0; count++ {
		e, n := readElement(p, version)
		if n == 0 {
			return nil
		}
		least += e.least()
		p = p[n:]
	}
	if k.ID < firstData || count > maxFields || int(k.Scopes) > count || least == 0 || least > 65535 {
		return nil
	}
	return &template{id: k.ID, version: version, options: k.Options, scopes: k.Scopes, spec: string(k.Fields)}
}

func (s *State) restoreMetadata(k *keptMetadata) {
	s.mu.Lock()
	defer s.mu.Unlock()
	addr := k.Exporter.Unmap()
	if s.exporters[exporterKey{addr, 9}] == nil && s.exporters[exporterKey{addr, 10}] == nil || s.metadata[addr] != nil {
		return // nobody would ever forget it
	}
	m := newMetadata()
	learn := func(r optionsRecord) { m.learnLocked(&r, s.config.NameBytes-s.names-m.size) }
	for index, x := range k.Interfaces {
		learn(optionsRecord{ifIndex: index, hasIf: true, ifName: []byte(x.Name), ifDescription: []byte(x.Description)})
	}
	for id, name := range k.VRFs {
		learn(optionsRecord{vrf: id, hasVRF: true, vrfName: []byte(name)})
	}
	for id, name := range k.Applications {
		learn(optionsRecord{app: id, appName: []byte(name)})
	}
	for id, x := range k.Attributes {
		learn(optionsRecord{app: id, appCategory: []byte(x.Category), appSub: []byte(x.SubCategory), appGroup: []byte(x.Group)})
	}
	learn(optionsRecord{domainName: []byte(k.Domain), system: System{Booted: k.Booted, ActiveTimeoutS: k.Active, IdleTimeoutS: k.Idle}})
	s.names += m.size
	s.metadata[addr] = m
	for index := range m.interfaces {
		s.reportLocked(addr, m, index)
	}
	for _, version := range []uint16{9, 10} {
		if x := s.exporters[exporterKey{addr, version}]; x != nil {
			x.everyGenerationLocked()
		}
	}
}

// SaveFile saves to a file, whole or not at all.
func (s *State) SaveFile(path string) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.tmp")
	if err != nil {
		return fmt.Errorf("templates: %w", err)
	}
	defer func() {
		if err != nil {
			f.Close() // again, after the error of the first
			os.Remove(f.Name())
		}
	}()
	if err := s.Save(f); err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("templates: %w", err)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return fmt.Errorf("templates: %w", err)
	}
	return nil
}

// LoadFile loads what SaveFile wrote. No file is no error. One that cannot be
// used is set aside, and the error says as what.
func (s *State) LoadFile(path string) error {
	f, err := wholefile.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		defer f.Close()
		if err = s.Load(f); err == nil {
			return nil
		}
	} else if err = fmt.Errorf("templates: %w", err); wholefile.Passing(err) {
		return err
	}
	aside, failed := wholefile.PutAside(path, err)
	if failed != nil {
		return errors.Join(err, failed)
	}
	return fmt.Errorf("%w; the file is now %s, exporters will send their templates again", err, aside.File)
}
