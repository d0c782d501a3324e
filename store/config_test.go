package store_test

import (
	"strings"
	"testing"

	"netmeta/internal/secret"
	"netmeta/store"
)

// Without a value, room is left on the disk of the embedded store alone.
func TestRoomToLeave(t *testing.T) {
	f := func(url secret.URL, keep string, want uint64) {
		t.Helper()
		c := store.Default()
		c.URL = url
		if err := c.KeepFree.UnmarshalText([]byte(keep)); err != nil {
			t.Fatal(err)
		}
		if got := c.DiskShare().Of(1000); got != want {
			t.Errorf("%s, %q: %d of 1000 stay free, want %d", url, keep, got, want)
		}
	}
	f("", "", 100)
	f("", "0", 0)
	f("", "70", 70)
	f("http://127.0.0.1:8123", "", 0)
	f("http://127.0.0.1:8123", "20%", 200)
}

func TestValidate(t *testing.T) {
	f := func(change func(*store.Config), want ...string) {
		t.Helper()
		c := store.Default()
		change(&c)
		err := c.Validate()
		if len(want) == 0 {
			if err != nil {
				t.Error(err)
			}
			return
		}
		for _, w := range want {
			if err == nil || !strings.Contains(err.Error(), w) {
				t.Errorf("%v: does not contain %q", err, w)
			}
		}
	}
	f(func(*store.Config) {})
	f(func(c *store.Config) { c.URL = "https://user:pw@store.example:8443/x" })
	f(func(c *store.Config) { c.URL = "clickhouse:9000" }, "url: (secret):", "http://HOST:8123")
	f(func(c *store.Config) { c.Password = "a\x01b" }, "password: (secret):", "printable")
	f(func(c *store.Config) { c.Password = "a\xffb" }, "password: (secret):", "UTF-8")
	f(func(c *store.Config) { c.RetentionDays, c.QueueMiB = -1, 15 }, "retention-days: -1: out of range; use 1 to 36500", "queue-mib: 15: out of range; use 16 to 65536")
	f(func(c *store.Config) { c.Rollups.MinuteDays, c.Rollups.HourDays = 36501, -1 }, "rollups.minute-days: 36501", "rollups.hour-days: -1")
	f(func(c *store.Config) { c.QueueBlocks = 3 }, "queue-blocks: 3: out of range; use 4 to 65536")

	if err := (store.SpoolConfig{}).Validate(); err == nil || !strings.Contains(err.Error(), "max-size") || !strings.Contains(err.Error(), "20GiB") {
		t.Error(err)
	}
}
