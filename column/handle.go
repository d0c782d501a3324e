package column

// Handles: a declared field, typed. Set writes one row, At reads one row, Column
// is the whole column in use, for loops over rows (read it up to Batch.Len).

// U8 is a Uint8 or Enum field.
type U8 struct{ Field *Field }

// U16 is a Uint16 field.
type U16 struct{ Field *Field }

// U32 is a Uint32 or Time field.
type U32 struct{ Field *Field }

// U64 is a Uint64, Int64 or TimeMS field.
type U64 struct{ Field *Field }

// IPs is an IP field.
type IPs struct{ Field *Field }

// Labels is a Text or String field.
type Labels struct{ Field *Field }

// List32 is a Uint32List field.
type List32 struct{ Field *Field }

// List128 is a Uint128List field.
type List128 struct{ Field *Field }

// Pairs is a TextMap field.
type Pairs struct{ Field *Field }

func (c U8) Set(b *Batch, row int, v uint8) {
	s := b.u8[c.Field.slot]
	if row >= len(s) {
		s = b.u8.use(c.Field.slot, b.cap)
	}
	s[row] = v
}

func (c U16) Set(b *Batch, row int, v uint16) {
	s := b.u16[c.Field.slot]
	if row >= len(s) {
		s = b.u16.use(c.Field.slot, b.cap)
	}
	s[row] = v
}

func (c U32) Set(b *Batch, row int, v uint32) {
	s := b.u32[c.Field.slot]
	if row >= len(s) {
		s = b.u32.use(c.Field.slot, b.cap)
	}
	s[row] = v
}

func (c U64) Set(b *Batch, row int, v uint64) {
	s := b.u64[c.Field.slot]
	if row >= len(s) {
		s = b.u64.use(c.Field.slot, b.cap)
	}
	s[row] = v
}

func (c IPs) Set(b *Batch, row int, v Addr) {
	s := b.addr[c.Field.slot]
	if row >= len(s) {
		s = b.addr.use(c.Field.slot, b.cap)
	}
	s[row] = v
}

func (c Labels) Set(b *Batch, row int, v Label) {
	s := b.label[c.Field.slot]
	if row >= len(s) {
		s = b.label.use(c.Field.slot, b.cap)
	}
	s[row] = v
}

// Set copies the values.
func (c List32) Set(b *Batch, row int, v []uint32) {
	off := len(b.arena32)
	b.arena32 = append(b.arena32, v...)
	b.list32.use(c.Field.slot, b.cap)[row] = span{uint32(off), uint32(len(v))}
}

// Set copies the values.
func (c List128) Set(b *Batch, row int, v []Uint128) {
	off := len(b.arena128)
	b.arena128 = append(b.arena128, v...)
	b.list128.use(c.Field.slot, b.cap)[row] = span{uint32(off), uint32(len(v))}
}

// Set copies the entries.
func (c Pairs) Set(b *Batch, row int, v []Pair) {
	off := len(b.arenaPairs)
	b.arenaPairs = append(b.arenaPairs, v...)
	for i := range v {
		b.text += len(v[i].Value)
	}
	b.pairs.use(c.Field.slot, b.cap)[row] = span{uint32(off), uint32(len(v))}
}

func (c U8) At(b *Batch, row int) uint8          { return b.u8.at(c.Field.slot, row) }
func (c U16) At(b *Batch, row int) uint16        { return b.u16.at(c.Field.slot, row) }
func (c U32) At(b *Batch, row int) uint32        { return b.u32.at(c.Field.slot, row) }
func (c U64) At(b *Batch, row int) uint64        { return b.u64.at(c.Field.slot, row) }
func (c IPs) At(b *Batch, row int) Addr          { return b.addr.at(c.Field.slot, row) }
func (c Labels) At(b *Batch, row int) Label      { return b.label.at(c.Field.slot, row) }
func (c List32) At(b *Batch, row int) []uint32   { return b.List32At(c.Field, row) }
func (c List128) At(b *Batch, row int) []Uint128 { return b.List128At(c.Field, row) }
func (c Pairs) At(b *Batch, row int) []Pair      { return b.PairsAt(c.Field, row) }

func (c U8) Column(b *Batch) []uint8     { return b.Uint8s(c.Field) }
func (c U16) Column(b *Batch) []uint16   { return b.Uint16s(c.Field) }
func (c U32) Column(b *Batch) []uint32   { return b.Uint32s(c.Field) }
func (c U64) Column(b *Batch) []uint64   { return b.Uint64s(c.Field) }
func (c IPs) Column(b *Batch) []Addr     { return b.Addrs(c.Field) }
func (c Labels) Column(b *Batch) []Label { return b.LabelColumn(c.Field) }
