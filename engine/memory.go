package engine

import (
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// Memory returns the memory of the machine, or less if a control group of this process, or one above it, has
// a limit.
func Memory() int64 {
	total := int64(2 << 30)
	var info syscall.Sysinfo_t
	if syscall.Sysinfo(&info) == nil {
		total = int64(info.Totalram) * int64(info.Unit)
	}
	return memoryLimit("/", total)
}

// memoryLimit returns the minimum of total and the limits of the control groups, of both versions: a hybrid
// system has both, with memory in either. root is the directory with proc and sys.
func memoryLimit(root string, total int64) int64 {
	groups, _ := os.ReadFile(filepath.Join(root, "proc/self/cgroup"))
	for line := range strings.Lines(string(groups)) {
		// 4:memory:/system.slice/netmeta.service    version 1
		// 0::/system.slice/netmeta.service          version 2
		f := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(f) != 3 {
			continue
		}
		var hierarchy, file string
		switch {
		case f[0] == "0" && f[1] == "":
			hierarchy, file = "", "memory.max"
		case slices.Contains(strings.Split(f[1], ","), "memory"):
			hierarchy, file = "memory", "memory.limit_in_bytes"
		default:
			continue
		}
		// In a container the group's path may be the host's, and the mount starts with the container's own
		// group. So read all groups up to the top, including that.
		for group := path.Clean("/" + f[2]); ; group = path.Dir(group) {
			for _, mount := range []string{"sys/fs/cgroup", "sys/fs/cgroup/unified"} {
				text, err := os.ReadFile(filepath.Join(root, mount, hierarchy, group, file))
				if err != nil {
					continue
				}
				// "max" means none in version 2, a number near 2^63 in version 1.
				if limit, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err == nil && limit > 0 {
					total = min(total, limit)
				}
			}
			if group == "/" {
				break
			}
		}
	}
	return total
}
