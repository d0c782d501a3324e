package engine

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"netmeta/internal/wholefile"
)

// maxSecret bounds the file of a secret.
const maxSecret = 512

// User is a name and a password of the HTTP interface.
type User struct{ Name, Password string }

// Names of the users.
const (
	WriterName = "netmeta" // may do everything
	ReaderName = "reader"  // may only read: SQL clients
	PageName   = "page"    // may only read: the web UI and its API
)

// Users returns the users of a data directory. Their passwords are the files
// secrets/writer, secrets/reader and secrets/page, which are made when missing and are
// readable by their owner only. To change a password, replace its file and restart.
func Users(dir string) (writer, reader, page User, err error) {
	secrets := filepath.Join(dir, "secrets")
	if err := os.MkdirAll(secrets, 0o700); err != nil {
		return writer, reader, page, fmt.Errorf("engine: secrets: %w", err)
	}
	writer.Name, reader.Name, page.Name = WriterName, ReaderName, PageName
	if writer.Password, err = secret(filepath.Join(secrets, "writer")); err != nil {
		return writer, reader, page, err
	}
	if reader.Password, err = secret(filepath.Join(secrets, "reader")); err != nil {
		return writer, reader, page, err
	}
	page.Password, err = secret(filepath.Join(secrets, "page"))
	return writer, reader, page, err
}

func secret(path string) (string, error) {
	content, err := wholefile.ReadAll(path, maxSecret)
	if errors.Is(err, fs.ErrNotExist) {
		var random [16]byte
		rand.Read(random[:])
		// It is made completely under another name and linked, so that two processes that start at the same
		// time read the same secret.
		text := hex.EncodeToString(random[:])
		temp, err := os.CreateTemp(filepath.Dir(path), ".secret-") // mode 0600
		if err != nil {
			return "", fmt.Errorf("engine: secrets: %w", err)
		}
		defer os.Remove(temp.Name())
		_, err = temp.WriteString(text + "\n")
		if err := errors.Join(err, temp.Close()); err != nil {
			return "", fmt.Errorf("engine: secrets: %w", err)
		}
		if err := os.Link(temp.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
			return "", fmt.Errorf("engine: secrets: %w", err)
		}
		content, err = wholefile.ReadAll(path, maxSecret)
		if err != nil {
			return "", fmt.Errorf("engine: secrets: %w", err)
		}
	} else if err != nil {
		return "", fmt.Errorf("engine: secret: %w; remove %s to create a new one", err, path)
	}
	text := strings.TrimSpace(string(content))
	if len(text) < 16 {
		return "", fmt.Errorf("engine: secret %s has %d characters, at least 16 are needed; remove the file to create a new one", path, len(text))
	}
	// It is sent in an HTTP header.
	if i := strings.IndexFunc(text, func(r rune) bool { return r < '!' || r > '~' }); i >= 0 {
		return "", fmt.Errorf("engine: secret %s has a character at offset %d that is not printable ASCII; remove the file to create a new one", path, i)
	}
	if info, err := os.Stat(path); err == nil && info.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("engine: secret %s has mode %04o: others can read it; run chmod 600 %s", path, info.Mode().Perm(), path)
	}
	return text, nil
}
