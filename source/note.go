package source

// Note describes something in a datagram that is not a row: a template, options data, a set whose template is
// unknown, something that was not decoded. Only tools that show single datagrams want notes.
type Note struct {
	Record string
	Parts  []Part
}

// Records that are notes.
const (
	NoteTemplate        = "template"
	NoteOptionsTemplate = "options_template"
	NoteOptions         = "options"
	NoteNoTemplate      = "no_template" // a data set whose template has not come
	NoteDiscarded       = "discarded"   // a packet that the exporter dropped
	NoteMalformed       = "malformed"
	NoteNotDecoded      = "not_decoded" // well formed, as far as can be told
)

// Part is a value in a note: a string, a uint64 or a []string.
type Part struct {
	Name  string
	Value any
}

// Note returns a note about something that was not decoded.
func (r Reason) Note(parts ...Part) Note {
	record := NoteNotDecoded
	if r.Malformed() {
		record = NoteMalformed
	}
	return Note{record, append(parts, Part{"Reason", r.String()})}
}
