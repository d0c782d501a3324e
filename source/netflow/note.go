package netflow

import (
	"fmt"
	"strconv"

	"netmeta/column"
	"netmeta/flow"
	"netmeta/source"
)

// Notes sets the function that receives notes about everything that is not a flow.
func (d *Decoder) Notes(tell func(source.Note)) { d.tell = tell }

// parts returns what the notes of a message have in common, by the names of columns of flows.
func (d *Decoder) parts() []source.Part {
	parts := []source.Part{
		{Name: "FlowType", Value: flow.FlowType.Field.Enum[d.typ]},
		{Name: "ExporterAddress", Value: d.exporter.Addr().Unmap().String()},
	}
	if d.entry == nil || d.view == nil {
		return parts // the header could not be read
	}
	return append(parts, source.Part{Name: "ObservationDomain", Value: uint64(d.domain)}, source.Part{Name: "SequenceNum", Value: uint64(d.sequence)})
}

func (d *Decoder) noteRefused(r source.Reason) {
	if d.tell != nil && r != NoTemplate { // has a note of its own
		d.tell(r.Note(d.parts()...))
	}
}

func (d *Decoder) noteWaiting(id uint16, body []byte) {
	if d.tell != nil {
		d.tell(source.Note{Record: source.NoteNoTemplate, Parts: append(d.parts(),
			source.Part{Name: "Template", Value: uint64(id)}, source.Part{Name: "Octets", Value: uint64(len(body))})})
	}
}

func (d *Decoder) noteTemplate(t *template) {
	if d.tell == nil {
		return
	}
	note := source.Note{Record: source.NoteTemplate, Parts: append(d.parts(), source.Part{Name: "Template", Value: uint64(t.id)})}
	elements := t.elements()
	if t.options {
		note.Record = source.NoteOptionsTemplate
		note.Parts = append(note.Parts, source.Part{Name: "Scopes", Value: described(elements[:t.scopes])})
		elements = elements[t.scopes:]
	}
	if len(elements) == 0 && !t.options {
		note.Parts = append(note.Parts, source.Part{Name: "Withdrawn", Value: "yes"})
	} else {
		note.Parts = append(note.Parts, source.Part{Name: "Elements", Value: described(elements)})
	}
	d.tell(note)
}

// describe lists elements with their lengths.
func described(elements []element) []string {
	list := make([]string, len(elements))
	for i, e := range elements {
		length := strconv.Itoa(int(e.length))
		if e.length == variable {
			length = "variable"
		}
		list[i] = nameOf(e.IE) + "(" + length + ")"
	}
	return list
}

func (d *Decoder) noteOptions(t *template, elements []element, lay *layout, record []byte) {
	if d.tell == nil {
		return
	}
	note := source.Note{Record: source.NoteOptions, Parts: append(d.parts(), source.Part{Name: "Template", Value: uint64(t.id)})}
	times := map[string]int{}
	for i, e := range elements {
		name := nameOf(e.IE)
		if times[name]++; times[name] > 1 {
			name = fmt.Sprintf("%s#%d", name, times[name])
		}
		raw, typ := record[lay.offset[i]:][:lay.width[i]], names().byIE[e.IE].typ
		var value any
		switch {
		case len(raw) == 0:
			continue
		case len(raw) <= 8 && (typ == unsigned || typ == unknownType):
			value = number(raw, len(raw))
		default:
			value = string(appendValue(nil, typ, raw))
		}
		note.Parts = append(note.Parts, source.Part{Name: name, Value: value})
	}
	d.tell(note)
}

// nameOf returns the name of an element in the form that Elements accepts.
func nameOf(ie column.IE) string {
	reg := names()
	if e, ok := reg.byIE[ie]; ok {
		return e.Name
	}
	if e, ok := reg.byIE[column.IE{ID: ie.ID}]; ok && ie.PEN == reversePEN {
		return "reverse/" + e.Name
	}
	if ie.PEN == 0 {
		return strconv.Itoa(int(ie.ID))
	}
	return fmt.Sprintf("%d:%d", ie.PEN, ie.ID)
}
