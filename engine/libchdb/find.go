package libchdb

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

// Env is the environment variable with the path of the library.
const Env = "NETMETA_LIBCHDB"

// Find returns the path of libchdb.so. It tries, in this order: the file in $NETMETA_LIBCHDB, next to the
// executable, ../lib/netmeta of the executable, and where npm installs it (engine/libchdb/node_modules) below
// a parent of the executable or of the working directory.
func Find() (string, error) {
	if path := os.Getenv(Env); path != "" {
		if !isFile(path) {
			return "", fmt.Errorf("libchdb: $%s names %s, which is not a file", Env, path)
		}
		return path, nil
	}
	var places []string
	exe, err := os.Executable()
	if err == nil {
		if real, err := filepath.EvalSymlinks(exe); err == nil {
			exe = real
		}
		dir := filepath.Dir(exe)
		places = append(places,
			filepath.Join(dir, "libchdb.so"),
			filepath.Join(dir, "..", "lib", "netmeta", "libchdb.so"))
		places = append(places, installed(filepath.Dir(dir))...)
	}
	if cwd, err := os.Getwd(); err == nil {
		for dir := cwd; ; dir = filepath.Dir(dir) {
			places = append(places, installed(dir)...)
			if dir == filepath.Dir(dir) {
				break
			}
		}
	}
	for _, path := range places {
		if isFile(path) {
			return path, nil
		}
	}
	return "", fmt.Errorf("libchdb: no libchdb.so for linux/%s found; install it with `make build` or `npm ci --prefix engine/libchdb`, "+
		"put it beside %s, or name it in $%s", runtime.GOARCH, exe, Env)
}

// installed returns where npm puts the library of this machine's architecture
// when root is the root of the source tree.
func installed(root string) []string {
	arch := map[string]string{"amd64": "x64", "arm64": "arm64"}[runtime.GOARCH]
	found, _ := filepath.Glob(filepath.Join(root, "engine", "libchdb", "node_modules", "@chdb", "lib-linux-"+arch+"-*", "libchdb.so"))
	return found
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
