package collector

import (
	"fmt"

	"netmeta/internal/wholefile"
)

// AsideHint says what to do about a file that was put aside, which status and doctor
// name until it is gone.
const AsideHint = "NetMeta began without it. Stop NetMeta, repair the file and give it its name back, or remove it with its .reason."

// AsideText says which file was put aside, and why.
func AsideText(a wholefile.Aside) string {
	text := fmt.Sprintf("%s was damaged and is now %s", a.Name, a.File)
	if a.Reason != "" {
		text += ": " + a.Reason
	}
	return text
}
