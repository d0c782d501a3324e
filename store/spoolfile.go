package store

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strconv"
	"strings"
	"time"

	"netmeta/column"
	"netmeta/native"
)

// A spool file is the content of one insert: blocks of one table, in order.
//
//	"netmeta spool " version "\n"   16 bytes
//	length:uint32 check:uint32      of the header, little-endian
//	header                          JSON: a spoolHeader
//	data                            the Native blocks in sequence
//
// Checksums are CRC-32C. Each block has its own, so that a damaged block does not affect the others.
const (
	spoolMagic    = "netmeta spool "
	spoolVersion  = "1"
	spoolPreamble = len(spoolMagic) + len(spoolVersion) + 1 + 8
	headerLimit   = 16 << 20 // bytes; 512 blocks, each with different columns, need less than a tenth
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

type spoolHeader struct {
	Table   string       `json:"table"`
	Token   string       `json:"token"`   // under which the blocks are inserted, all together
	Written int64        `json:"written"` // Unix time in milliseconds
	Sets    [][]string   `json:"sets"`    // of columns
	Blocks  []spoolBlock `json:"blocks"`
}

type spoolBlock struct {
	Rows  int    `json:"rows"`
	Size  int    `json:"size"`
	Check uint32 `json:"check"`
	Set   int    `json:"set"` // index of its columns in Sets

	Synced bool `json:"synced,omitempty"` // see native.Block
}

func (h *spoolHeader) rows() (n int) {
	for _, b := range h.Blocks {
		n += b.Rows
	}
	return n
}

// writeSpoolFile writes blocks of one table.
func writeSpoolFile(w io.Writer, token string, written time.Time, blocks []native.Block) error {
	h := spoolHeader{Table: blocks[0].Table.Name, Token: token, Written: written.UnixMilli()}
	sets := map[string]int{}
	var key []byte
	for _, b := range blocks {
		key = key[:0]
		for _, f := range b.Columns {
			key = append(append(key, f.Name...), ' ')
		}
		set, ok := sets[string(key)]
		if !ok {
			set = len(h.Sets)
			sets[string(key)] = set
			names := make([]string, len(b.Columns))
			for i, f := range b.Columns {
				names[i] = f.Name
			}
			h.Sets = append(h.Sets, names)
		}
		h.Blocks = append(h.Blocks, spoolBlock{Rows: b.Rows, Size: len(b.Data), Check: crc32.Checksum(b.Data, castagnoli), Set: set, Synced: b.Synced})
	}
	text, err := json.Marshal(h)
	if err != nil {
		return err
	}
	head := append([]byte(nil), spoolMagic+spoolVersion+"\n"...)
	head = binary.LittleEndian.AppendUint32(head, uint32(len(text)))
	head = binary.LittleEndian.AppendUint32(head, crc32.Checksum(text, castagnoli))
	if _, err := w.Write(append(head, text...)); err != nil {
		return err
	}
	for _, b := range blocks {
		if _, err := w.Write(b.Data); err != nil {
			return err
		}
	}
	return nil
}

// readSpoolHeader reads up to the start of the data. A fault of the file is a *corruptError; other errors are
// of the reader.
func readSpoolHeader(r io.Reader) (h spoolHeader, err error) {
	var preamble [spoolPreamble]byte
	if err := readWhole(r, preamble[:]); err != nil {
		return h, err
	}
	version, ok := bytes.CutPrefix(preamble[:spoolPreamble-8], []byte(spoolMagic))
	switch {
	case !ok:
		return h, corrupt("it is no spool file")
	case string(version) != spoolVersion+"\n":
		return h, corrupt("it has version %q of the format and this program reads %s: start the program that wrote it to have it stored", bytes.TrimSpace(version), spoolVersion)
	}
	length := binary.LittleEndian.Uint32(preamble[spoolPreamble-8:])
	if length > headerLimit {
		return h, corrupt("its header has %d bytes", length)
	}
	text := make([]byte, length)
	if err := readWhole(r, text); err != nil {
		return h, err
	}
	if crc32.Checksum(text, castagnoli) != binary.LittleEndian.Uint32(preamble[spoolPreamble-4:]) {
		return h, corrupt("its header does not have the checksum that was written")
	}
	if err := json.Unmarshal(text, &h); err != nil {
		return h, corrupt("its header: %v", err)
	}
	if len(h.Blocks) == 0 || h.Table == "" || h.Token == "" {
		return h, corrupt("its header names no table, no token or no block")
	}
	for i, b := range h.Blocks {
		if b.Rows <= 0 || b.Size <= 0 || b.Rows > 1<<30 || b.Size > 1<<30 || b.Set < 0 || b.Set >= len(h.Sets) {
			return h, corrupt("block %d in its header is impossible", i)
		}
	}
	return h, nil
}

// readSpoolFile reads a file completely. It omits damaged blocks: lost is the number of their rows, and the
// error, a *corruptError, lists them.
func readSpoolFile(r io.Reader, tables []*column.Table) (good []native.Block, lost int, err error) {
	h, err := readSpoolHeader(r)
	if err != nil {
		return nil, 0, err
	}
	table, sets, err := h.resolve(tables)
	if err != nil {
		return nil, h.rows(), err
	}
	var bad []string
	short := false
	for i, x := range h.Blocks {
		var data bytes.Buffer // grows with the data: the size in the file is not trusted
		if !short {
			data.Grow(min(x.Size+bytes.MinRead, 4<<20))
			if _, err := io.CopyN(&data, r, int64(x.Size)); errors.Is(err, io.EOF) {
				short = true
			} else if err != nil {
				return nil, 0, err
			}
		}
		if short || crc32.Checksum(data.Bytes(), castagnoli) != x.Check {
			lost += x.Rows
			bad = append(bad, strconv.Itoa(i+1))
			continue
		}
		good = append(good, native.Block{Table: table, Data: data.Bytes(), Rows: x.Rows, Columns: sets[x.Set], Synced: x.Synced})
	}
	switch {
	case short:
		err = corrupt("it is too short: of its %d blocks %s are lost with %d rows", len(h.Blocks), strings.Join(bad, ", "), lost)
	case bad != nil:
		err = corrupt("of its %d blocks %s do not have the checksum that was written: lost are %d rows", len(h.Blocks), strings.Join(bad, ", "), lost)
	}
	return good, lost, err
}

// resolve finds the table and the columns in the header.
func (h *spoolHeader) resolve(tables []*column.Table) (*column.Table, [][]*column.Field, error) {
	for _, t := range tables {
		if t.Name != h.Table {
			continue
		}
		sets := make([][]*column.Field, len(h.Sets))
		for i, names := range h.Sets {
			for _, name := range names {
				f := t.Field(name)
				if f == nil {
					return nil, nil, corrupt("this program does not know column %q of table %q: start the program that wrote it to have it stored", name, h.Table)
				}
				sets[i] = append(sets[i], f)
			}
		}
		return t, sets, nil
	}
	return nil, nil, corrupt("this program does not know table %q: start the program that wrote it to have it stored", h.Table)
}

// corruptError is a fault of a spool file.
type corruptError struct{ text string }

func (d *corruptError) Error() string { return d.text }

func corrupt(format string, args ...any) error { return &corruptError{fmt.Sprintf(format, args...)} }

// readWhole fills p. A file that ends earlier is damaged.
func readWhole(r io.Reader, p []byte) error {
	_, err := io.ReadFull(r, p)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return corrupt("it is too short")
	}
	return err
}
