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

// Templates and options data are saved across restarts, because exporters send templates every few minutes at
// best, and data would have to wait for the next. The file is
//
//	0 "netmeta templates 1\n"   20 length of the content   28 its CRC-32C   32 content, JSON
//
// It is written whole and renamed, so that it is either complete or absent.

const savedMagic = "netmeta templates 1\n"

// maxSaved bounds the file: what the limits of State allow, in JSON.
const maxSaved = 512 << 20

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// savedState is the content of the file.
type savedState struct {
	Sessions []savedSession  `json:"sessions"`
	Metadata []savedMetadata `json:"metadata"`
}

type savedSession struct {
	Exporter  netip.Addr         `json:"exporter"`
	Version   uint16             `json:"version"`
	Domain    uint32             `json:"domain"`
	Port      uint16             `json:"port"`
	LastSeen  int64              `json:"lastSeen"`       // of the exporter, Unix nanoseconds
	Idle      int                `json:"idle,omitempty"` // sweeps
	Settled   bool               `json:"settled,omitempty"`
	Templates []savedTemplate    `json:"templates"`
	Told      uint64             `json:"told,omitempty"`
	Rates     map[rateKey]uint32 `json:"rates,omitempty"`
	Wide      uint32             `json:"wide,omitempty"`
	Booted    uint64             `json:"booted,omitempty"`
}

type savedTemplate struct {
	ID      uint16 `json:"id"`
	Options bool   `json:"options,omitempty"`
	Scopes  uint16 `json:"scopes,omitempty"`
	Fields  []byte `json:"fields"`
}

type savedMetadata struct {
	Exporter     netip.Addr                 `json:"exporter"`
	Interfaces   map[uint32]savedInterface  `json:"interfaces,omitempty"`
	VRFs         map[uint32]string          `json:"vrfs,omitempty"`
	Applications map[uint64]string          `json:"applications,omitempty"`
	Attributes   map[uint64]savedAttributes `json:"attributes,omitempty"` // of applications
	Domain       string                     `json:"domain,omitempty"`
	Active       uint32                     `json:"activeTimeout,omitempty"`
	Idle         uint32                     `json:"idleTimeout,omitempty"`
	Booted       uint64                     `json:"booted,omitempty"`
}

type savedAttributes struct {
	Category    string `json:"category,omitempty"`
	SubCategory string `json:"subCategory,omitempty"`
	Group       string `json:"group,omitempty"`
}

type savedInterface struct {
	Name        string `json:"name,omitempty"`
	Description string `json:"description,omitempty"`
}

// Changes increases with every change that Save would write.
func (s *State) Changes() uint64 { return s.changes.Load() }

// Save writes the templates of all senders whose data were decoded, and their options data. It blocks
// decoders only while it makes a copy.
func (s *State) Save(w io.Writer) error {
	content, err := json.Marshal(s.copy())
	if err != nil {
		return fmt.Errorf("templates: %w", err)
	}
	head := binary.BigEndian.AppendUint64([]byte(savedMagic), uint64(len(content)))
	head = binary.BigEndian.AppendUint32(head, crc32.Checksum(content, castagnoli))
	for _, p := range [][]byte{head, content} {
		if _, err := w.Write(p); err != nil {
			return fmt.Errorf("templates: %w", err)
		}
	}
	return nil
}

func (s *State) copy() (k savedState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range s.exporters {
		lastSeen := int64(0)
		if x.known {
			lastSeen = x.entry.LastSeen.Load()
		}
		for _, dom := range x.domains {
			for _, ses := range dom.sessions {
				// Templates that fitted no data may be forged, and losing them does no harm.
				if !ses.proven.Load() || len(ses.templates) == 0 {
					continue
				}
				ks := savedSession{Exporter: x.key.addr, Version: x.key.version, Domain: dom.id, Port: ses.port, LastSeen: lastSeen, Idle: ses.idle, Settled: ses.settled.Load()}
				for _, t := range ses.templates {
					ks.Templates = append(ks.Templates, savedTemplate{t.id, t.options, t.scopes, []byte(t.spec)})
				}
				if f := ses.reported; f != nil {
					ks.Told, ks.Rates, ks.Wide, ks.Booted = f.version, f.rates, f.wide, f.booted // rates never change
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

func (m *Metadata) copy(addr netip.Addr) savedMetadata {
	m.mu.RLock()
	defer m.mu.RUnlock()
	k := savedMetadata{
		Exporter: addr, Interfaces: map[uint32]savedInterface{}, VRFs: map[uint32]string{}, Applications: map[uint64]string{}, Attributes: map[uint64]savedAttributes{},
		Domain: m.system.Domain.String(), Active: m.system.ActiveTimeoutS, Idle: m.system.IdleTimeoutS, Booted: m.system.Booted,
	}
	for index, x := range m.interfaces {
		k.Interfaces[index] = savedInterface{x.Name.String(), x.Description.String()}
	}
	for id, name := range m.vrfs {
		k.VRFs[id] = name.String()
	}
	for id, x := range m.applications {
		k.Applications[id] = x.Name.String()
		if x != (Application{Name: x.Name}) {
			k.Attributes[id] = savedAttributes{x.Category.String(), x.SubCategory.String(), x.Group.String()}
		}
	}
	return k
}

// Load reads what Save wrote, before the first datagram. The limits apply as if it had been received: what
// does not fit is ignored. After an error nothing was loaded.
func (s *State) Load(r io.Reader) error {
	head := make([]byte, len(savedMagic)+12)
	if _, err := io.ReadFull(r, head); err != nil {
		return fmt.Errorf("templates: header: %w", err)
	}
	if string(head[:len(savedMagic)]) != savedMagic {
		return fmt.Errorf("templates: file starts with %q, want %q", head[:len(savedMagic)], savedMagic)
	}
	length := binary.BigEndian.Uint64(head[len(savedMagic):])
	if length > maxSaved {
		return fmt.Errorf("templates: length is %d, the maximum %d", length, maxSaved)
	}
	var content bytes.Buffer // grows with the data, not with the length in the header
	if n, err := io.Copy(&content, io.LimitReader(r, int64(length))); err != nil || uint64(n) != length {
		return fmt.Errorf("templates: file ends after %d of %d bytes: %w", n, length, errors.Join(err, io.ErrUnexpectedEOF))
	}
	if sum, want := crc32.Checksum(content.Bytes(), castagnoli), binary.BigEndian.Uint32(head[len(savedMagic)+8:]); sum != want {
		return fmt.Errorf("templates: checksum is %08x, want %08x", sum, want)
	}
	var k savedState
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

// restore makes a session from a saved one.
func (s *State) restore(k *savedSession) {
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
	if k.Wide != 0 || k.Booted != 0 || len(k.Rates) > 0 && len(k.Rates) <= maxRates {
		s.optionsVersion = max(s.optionsVersion, k.Told)
		f := &exporterOptions{version: k.Told, rates: k.Rates, wide: k.Wide, booted: k.Booted}
		f.summarise()
		ses.reported = f
	}
	ses.domain.generation.Add(1)
}

// template checks a saved template as if it had been received; nil if it is invalid.
func (k *savedTemplate) template(version uint16) *template {
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

func (s *State) restoreMetadata(k *savedMetadata) {
	s.mu.Lock()
	defer s.mu.Unlock()
	addr := k.Exporter.Unmap()
	if s.exporters[exporterKey{addr, 9}] == nil && s.exporters[exporterKey{addr, 10}] == nil || s.metadata[addr] != nil {
		return // it would never be evicted
	}
	m := newMetadata()
	learn := func(r optionsRecord) { m.learnLocked(&r, s.options.NameBytes-s.names-m.size) }
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

// SaveFile saves to a file, completely or not at all.
func (s *State) SaveFile(path string) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.tmp")
	if err != nil {
		return fmt.Errorf("templates: %w", err)
	}
	defer func() {
		if err != nil {
			f.Close() // after the error of the first
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

// LoadFile loads what SaveFile wrote. A missing file is not an error. A file that cannot be used is renamed,
// and the error has the new name.
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
