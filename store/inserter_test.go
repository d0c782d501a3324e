package store_test

import (
	"bytes"
	"context"
	"encoding/gob"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"netmeta/column"
	"netmeta/native"
	"netmeta/store"
)

// fileInserter is a minimal second Inserter: it appends its input to a file. A topic would be similar: it has
// no columns to make real, and it may store an insert twice, which its readers detect by the token.
type fileInserter struct {
	path     string
	fail     int // inserts that fail after they were written
	attempts int
}

type record struct {
	Table, Token string
	Blocks       [][]byte
}

func (f *fileInserter) Insert(_ context.Context, table *column.Table, token string, blocks ...native.Block) error {
	file, err := os.OpenFile(f.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	r := record{Table: table.Name, Token: token}
	for _, b := range blocks {
		r.Blocks = append(r.Blocks, b.Data)
	}
	var text bytes.Buffer
	if err := gob.NewEncoder(&text).Encode(r); err != nil {
		return err
	}
	if _, err := file.Write(text.Bytes()); err != nil {
		return err
	}
	if f.attempts++; f.attempts <= f.fail {
		return errors.New("the answer is lost")
	}
	return nil
}

func (f *fileInserter) Ping(context.Context) error                      { return nil }
func (f *fileInserter) Has(context.Context, native.Block) (bool, error) { return false, nil }

// read gives the rows of a column of each table, of every token once.
func (f *fileInserter) read(t *testing.T, column string) map[string][]uint64 {
	t.Helper()
	data, err := os.ReadFile(f.path)
	if err != nil {
		t.Fatal(err)
	}
	seen, rows := map[string]bool{}, map[string][]uint64{}
	for in := bytes.NewReader(data); in.Len() > 0; {
		var r record
		if err := gob.NewDecoder(in).Decode(&r); err != nil {
			t.Fatal(err)
		}
		if seen[r.Token] {
			continue
		}
		seen[r.Token] = true
		for _, data := range r.Blocks {
			res, err := native.Decode(io.Reader(bytes.NewReader(data)))
			if err != nil {
				t.Fatal(err)
			}
			values, _ := res.Column(column).([]uint64)
			rows[r.Table] = append(rows[r.Table], values...)
		}
	}
	return rows
}

// What is not a ClickHouse takes every row too, of any number of tables, though answers are
// lost and blocks wait in the spool.
func TestInserterOfAnotherKind(t *testing.T) {
	const many = 20
	var list []*sample
	var tables []*column.Table
	for i := range many {
		s := standard()
		s.Table.Name = "table_" + string(rune('a'+i))
		list, tables = append(list, s), append(tables, &s.Table)
	}
	f := &fileInserter{path: filepath.Join(t.TempDir(), "blocks"), fail: 3}
	w := &store.Writer{Inserter: f, Tables: tables, Log: quiet, Spool: openSpool(t, t.TempDir(), tables...)}
	var blocks []native.Block
	safe := 0
	for round := range uint64(5) {
		for i, s := range list {
			b := s.bytes(round+1, 1000*uint64(i))
			b.Safe = func() { safe++ }
			blocks = append(blocks, b)
		}
	}
	run(t, w, blocks...)
	rows := f.read(t, "Bytes")
	for i, s := range list {
		sum := uint64(0)
		for _, v := range rows[s.Table.Name] {
			sum += v
		}
		if want := 15 + 5*1000*uint64(i); sum != want || len(rows[s.Table.Name]) != 10 || w.RowsOf(&s.Table) != 10 {
			t.Errorf("%s has %d rows with the sum %d, want %d; %d counted", s.Table.Name, len(rows[s.Table.Name]), sum, want, w.RowsOf(&s.Table))
		}
	}
	if st := w.Spool.Stats(); st.WrittenRows == 0 || st.Rows != 0 || safe != len(blocks) {
		t.Errorf("spool %+v, %d of %d blocks are said to be safe", st, safe, len(blocks))
	}
}
