package source

// A Note tells of something in a datagram that makes no row: a template, options
// data, a set whose template is not known, what was refused. Only those who look at
// single datagrams want them.
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

// A Part is a value in a note: a string, a uint64 or a []string.
type Part struct {
	Name  string
	Value any
}

// Note says that something was refused.
func (r Reason) Note(parts ...Part) Note {
	record := NoteNotDecoded
	if r.Malformed() {
		record = NoteMalformed
	}
	return Note{record, append(parts, Part{"Reason", r.String()})}
}
