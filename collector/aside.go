package collector

import (
	"fmt"

	"netmeta/internal/wholefile"
)

// AsideHint is the remedy for a damaged file that was moved aside. Status and doctor
// report the file until it is removed.
const AsideHint = "NetMeta started without it. Stop NetMeta, repair the file and restore its name, or remove it and its .reason file."

// AsideText names a file that was moved aside, and the reason.
func AsideText(a wholefile.Aside) string {
	text := fmt.Sprintf("%s was damaged and renamed to %s", a.Name, a.File)
	if a.Reason != "" {
		text += ": " + a.Reason
	}
	return text
}
