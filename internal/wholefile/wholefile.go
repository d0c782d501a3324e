// Package wholefile replaces small files as a whole: after a crash there is the old one
// or the new one.
package wholefile

import (
	"errors"
	"os"
	"path/filepath"
)

// Write puts data in place of the file.
func Write(path string, data []byte) error {
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-")
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	err = errors.Join(err, file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		os.Remove(file.Name())
	}
	return err
}
