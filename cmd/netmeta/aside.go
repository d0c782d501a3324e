package main

import (
	"fmt"

	"netmeta/internal/wholefile"
)

// putAsideHint says what to do about a file that was put aside, which status and doctor
// name until it is gone.
const putAsideHint = "NetMeta began without it. Stop NetMeta, repair the file and give it its name back, or remove it with its .reason."

// asideText says which file was put aside, and why.
func asideText(a wholefile.Aside) string {
	text := fmt.Sprintf("%s was damaged and is now %s", a.Name, a.File)
	if a.Reason != "" {
		text += ": " + a.Reason
	}
	return text
}

// files looks for files that were put aside. Of a NetMeta that runs the status has told.
func (d *doctor) files() {
	if d.status != nil {
		return
	}
	for _, a := range wholefile.Asides(d.cfg.Data) {
		d.warn("files", asideText(a), putAsideHint)
	}
}
