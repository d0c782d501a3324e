package engine

import (
	"os"
	"path/filepath"
	"testing"
)

// TestMemoryLimit: the limits of control groups of both versions, and of hybrid systems.
func TestMemoryLimit(t *testing.T) {
	const total = 16 << 30
	f := func(name, groups string, files map[string]string, want int64) {
		t.Helper()
		root := t.TempDir()
		write := func(name, text string) {
			path := filepath.Join(root, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		write("proc/self/cgroup", groups)
		for name, text := range files {
			write("sys/fs/cgroup/"+name, text)
		}
		if got := memoryLimit(root, total); got != want {
			t.Errorf("%s: %d, want %d", name, got, want)
		}
	}
	const none1 = "9223372036854771712\n"
	f("none", "", nil, total)
	f("v2", "0::/a/b\n", map[string]string{"a/b/memory.max": "1000000\n", "a/memory.max": "max\n"}, 1000000)
	f("v2, of the parent", "0::/a/b\n", map[string]string{"a/b/memory.max": "max\n", "a/memory.max": "2000000\n"}, 2000000)
	f("v2, of the container", "0::/\n", map[string]string{"memory.max": "3000000\n"}, 3000000)
	f("v2, more than there is", "0::/a\n", map[string]string{"a/memory.max": "99000000000\n"}, total)
	f("v1", "5:devices:/x\n4:memory:/a/b\n0::/\n", map[string]string{"memory/a/b/memory.limit_in_bytes": "1000000\n", "memory/a/memory.limit_in_bytes": none1, "memory/memory.limit_in_bytes": none1}, 1000000)
	f("v1, of the parent", "4:memory:/a/b\n", map[string]string{"memory/a/b/memory.limit_in_bytes": none1, "memory/a/memory.limit_in_bytes": "2000000\n"}, 2000000)
	f("v1, the group of the host", "4:cpu,memory:/docker/abc\n", map[string]string{"memory/memory.limit_in_bytes": "3000000\n"}, 3000000)
	f("hybrid, memory in v1", "4:memory:/a\n0::/a\n", map[string]string{"memory/a/memory.limit_in_bytes": "1000000\n", "unified/a/cgroup.procs": ""}, 1000000)
	f("hybrid, memory in v2", "4:cpu:/a\n0::/a\n", map[string]string{"unified/a/memory.max": "1000000\n"}, 1000000)
	f("garbage", "nonsense\n4:memory\n0::/../..\n", map[string]string{"memory.max": "-5\n"}, total)
}
