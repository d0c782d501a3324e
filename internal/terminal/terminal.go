// Package terminal removes control sequences of terminals from foreign texts. An exporter
// names its interfaces, and a terminal would obey control sequences in such a name.
package terminal

import (
	"io"
	"sync"
	"unicode"
	"unicode/utf8"
)

// placeholder replaces a character that is not shown.
const placeholder = '·'

// Visible returns the character itself if a terminal only displays it. It returns a
// placeholder for control characters (C0, DEL, C1), for those that change the direction
// of writing, and for the separators of lines and paragraphs.
func Visible(r rune) rune {
	if unicode.IsControl(r) || r >= 0x80 && unicode.In(r, unicode.Bidi_Control, unicode.Zl, unicode.Zp) {
		return placeholder
	}
	return r
}

// Clean returns a text of one line with each character Visible, and a placeholder for each
// byte that is not UTF-8.
func Clean(text string) string {
	return string(clean(make([]byte, 0, len(text)), []byte(text)))
}

// clean appends text; an incomplete encoding at the end counts as invalid.
func clean(dst, text []byte) []byte {
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		if r == utf8.RuneError && size == 1 {
			r = placeholder
		}
		dst = utf8.AppendRune(dst, Visible(r))
		text = text[size:]
	}
	return dst
}

// Writer forwards text to a terminal: line breaks and tabs unchanged, other characters only if they are
// Visible. It is safe for concurrent use.
type Writer struct {
	to io.Writer

	mu   sync.Mutex // guards the following, and the order of writes
	rest []byte     // an incomplete character or line break
	line []byte
}

// NewWriter makes a Writer.
func NewWriter(to io.Writer) *Writer { return &Writer{to: to} }

// Write writes all of p except an incomplete character at its end.
func (w *Writer) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	text := append(w.rest, p...)
	whole := len(text) - unfinished(text)
	w.line = w.line[:0]
	for i := 0; i < whole; {
		n := 1
		switch {
		case text[i] == '\n' || text[i] == '\t':
			w.line = append(w.line, text[i])
		case text[i] == '\r' && i+1 < whole && text[i+1] == '\n':
			w.line = append(w.line, '\r')
		default:
			_, n = utf8.DecodeRune(text[i:whole])
			w.line = clean(w.line, text[i:i+n])
		}
		i += n
	}
	w.rest = append(w.rest[:0], text[whole:]...)
	if len(w.line) == 0 {
		return len(p), nil
	}
	if _, err := w.to.Write(w.line); err != nil {
		return 0, err
	}
	return len(p), nil
}

// unfinished returns the number of bytes at the end that the next bytes may complete.
func unfinished(text []byte) int {
	if n := len(text); n > 0 && text[n-1] == '\r' {
		return 1
	}
	for n := 1; n <= min(utf8.UTFMax-1, len(text)); n++ {
		if tail := text[len(text)-n:]; utf8.RuneStart(tail[0]) {
			if utf8.FullRune(tail) {
				return 0
			}
			return n
		}
	}
	return 0
}
