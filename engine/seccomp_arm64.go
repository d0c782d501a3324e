package engine

import "golang.org/x/sys/unix"

const (
	auditArch    = unix.AUDIT_ARCH_AARCH64
	foreignCalls = 0x40000000 // none
)

var forbiddenHere = []uint32{unix.SYS_KEXEC_FILE_LOAD}
