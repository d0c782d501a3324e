package engine

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/uuid"
)

// plainDatabase makes the engine open the database default as a plain one. Otherwise it is an overlay that
// has all files of the system as tables: SELECT * FROM '/etc/passwd' reads one, and EXISTS TABLE
// `/etc/shadow` reveals whether it exists. Without a default_database in its configuration the engine makes
// no overlay, and opens the database in metadata/default.sql. The tables stay in the same directory, which
// metadata/default names by its UUID.
func plainDatabase(store string) error {
	metadata := filepath.Join(store, "metadata")
	file := filepath.Join(metadata, "default.sql")
	id := ""
	if target, err := os.Readlink(filepath.Join(metadata, "default")); err == nil {
		id = filepath.Base(target)
	}
	old, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("engine: database: %w", err)
	}
	if id == "" && err == nil {
		return nil // the engine recreates the link
	}
	if _, err := uuid.Parse(id); err != nil {
		id = uuid.NewString()
	}
	text := fmt.Sprintf("ATTACH DATABASE _ UUID '%s'\nENGINE = Atomic\n", id)
	if strings.TrimSpace(string(old)) == strings.TrimSpace(text) {
		return nil
	}
	if err := os.MkdirAll(metadata, 0o750); err != nil {
		return fmt.Errorf("engine: database: %w", err)
	}
	temp, err := os.CreateTemp(metadata, ".default-")
	if err != nil {
		return fmt.Errorf("engine: database: %w", err)
	}
	defer os.Remove(temp.Name())
	_, err = temp.WriteString(text)
	if err := errors.Join(err, temp.Sync(), temp.Close(), os.Rename(temp.Name(), file)); err != nil {
		return fmt.Errorf("engine: database: %w", err)
	}
	return nil
}
