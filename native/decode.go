package native

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/ClickHouse/ch-go/proto"
)

// Result is the result of a query, as columns of equal length.
type Result struct {
	Names   []string
	Columns []any // []uint8, []uint16, []uint32, []uint64, []int64, []float64, []string, [][]string or []time.Time
	Rows    int
}

// Decode reads blocks to the end of r and joins them. It supports the types of the
// queries of NetMeta; another type is an error that names the column.
func Decode(r io.Reader) (*Result, error) {
	in := proto.NewReader(r)
	res := &Result{}
	for first := true; ; first = false {
		var block proto.Block
		var cols proto.Results
		// Revision 0 is that of the HTTP interface: no block info.
		if err := block.DecodeRawBlock(in, 0, cols.Auto()); err != nil {
			if errors.Is(err, io.EOF) {
				return res, nil
			}
			return nil, fmt.Errorf("block %w", err)
		}
		for i, c := range cols {
			if first {
				res.Names = append(res.Names, c.Name)
				res.Columns = append(res.Columns, nil)
			}
			if i >= len(res.Columns) {
				return nil, fmt.Errorf("block has %d columns, the first had %d", len(cols), len(res.Columns))
			}
			joined, err := join(res.Columns[i], c.Data)
			if err != nil {
				return nil, fmt.Errorf("column %s: %w", c.Name, err)
			}
			res.Columns[i] = joined
		}
		res.Rows += block.Rows
	}
}

// Column returns a column by name; nil if the result has none.
func (r *Result) Column(name string) any {
	for i, n := range r.Names {
		if n == name {
			return r.Columns[i]
		}
	}
	return nil
}

func join(old any, c proto.ColResult) (any, error) {
	if auto, ok := c.(*proto.ColAuto); ok {
		c = auto.Data
	}
	switch c := c.(type) {
	case *proto.ColUInt8:
		return extend(old, []uint8(*c)), nil
	case *proto.ColUInt16:
		return extend(old, []uint16(*c)), nil
	case *proto.ColUInt32:
		return extend(old, []uint32(*c)), nil
	case *proto.ColUInt64:
		return extend(old, []uint64(*c)), nil
	case *proto.ColInt64:
		return extend(old, []int64(*c)), nil
	case *proto.ColFloat64:
		return extend(old, []float64(*c)), nil
	case *proto.ColDateTime:
		return extend(old, rows[time.Time](c)), nil
	case *proto.ColStr:
		return extend(old, rows[string](c)), nil
	case *proto.ColEnum:
		return extend(old, rows[string](c)), nil
	case *proto.ColLowCardinality[string]:
		return extend(old, rows[string](c)), nil
	case *proto.ColArr[string]:
		return extend(old, rows[[]string](c)), nil
	}
	return nil, fmt.Errorf("type %s is not supported", c.Type())
}

func rows[T any](c interface {
	Row(int) T
	Rows() int
}) []T {
	out := make([]T, c.Rows())
	for i := range out {
		out[i] = c.Row(i)
	}
	return out
}

func extend[T any](old any, part []T) []T {
	if old == nil {
		return append([]T(nil), part...)
	}
	return append(old.([]T), part...)
}
