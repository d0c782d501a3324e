package engine

import (
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// forbiddenCalls are system calls that no statement needs and that an attacker would start with. They return
// EPERM, which the engine reports as an error. Those of all architectures are here; the rest is in
// seccomp_$GOARCH.go.
var forbiddenCalls = []uint32{
	// programs; access to other processes
	unix.SYS_EXECVE, unix.SYS_EXECVEAT, unix.SYS_PTRACE, unix.SYS_PROCESS_VM_READV, unix.SYS_PROCESS_VM_WRITEV, unix.SYS_PROCESS_MADVISE,
	unix.SYS_KCMP, unix.SYS_TKILL, unix.SYS_PIDFD_OPEN, unix.SYS_PIDFD_GETFD, unix.SYS_PIDFD_SEND_SIGNAL,
	// sockets: the listening one is inherited. io_uring would bypass this filter.
	unix.SYS_SOCKET, unix.SYS_CONNECT, unix.SYS_BIND, unix.SYS_LISTEN, unix.SYS_IO_URING_SETUP, unix.SYS_IO_URING_ENTER, unix.SYS_IO_URING_REGISTER,
	// file systems
	unix.SYS_MOUNT, unix.SYS_UMOUNT2, unix.SYS_PIVOT_ROOT, unix.SYS_CHROOT, unix.SYS_OPEN_TREE, unix.SYS_MOVE_MOUNT, unix.SYS_FSOPEN, unix.SYS_FSCONFIG,
	unix.SYS_FSMOUNT, unix.SYS_FSPICK, unix.SYS_MOUNT_SETATTR, unix.SYS_NAME_TO_HANDLE_AT, unix.SYS_OPEN_BY_HANDLE_AT, unix.SYS_FANOTIFY_INIT,
	unix.SYS_MKNODAT, unix.SYS_FCHOWNAT, unix.SYS_FCHOWN, unix.SYS_SETXATTR, unix.SYS_LSETXATTR, unix.SYS_FSETXATTR,
	unix.SYS_REMOVEXATTR, unix.SYS_LREMOVEXATTR, unix.SYS_FREMOVEXATTR, unix.SYS_QUOTACTL, unix.SYS_SWAPON, unix.SYS_SWAPOFF,
	// the kernel
	unix.SYS_BPF, unix.SYS_PERF_EVENT_OPEN, unix.SYS_USERFAULTFD, unix.SYS_KEXEC_LOAD, unix.SYS_INIT_MODULE, unix.SYS_FINIT_MODULE, unix.SYS_DELETE_MODULE,
	unix.SYS_KEYCTL, unix.SYS_ADD_KEY, unix.SYS_REQUEST_KEY, unix.SYS_REBOOT, unix.SYS_ACCT, unix.SYS_SYSLOG, unix.SYS_VHANGUP,
	unix.SYS_SETHOSTNAME, unix.SYS_SETDOMAINNAME, unix.SYS_SETTIMEOFDAY, unix.SYS_CLOCK_SETTIME, unix.SYS_ADJTIMEX, unix.SYS_CLOCK_ADJTIME,
	// namespaces, users, rights
	unix.SYS_UNSHARE, unix.SYS_SETNS, unix.SYS_SETUID, unix.SYS_SETGID, unix.SYS_SETREUID, unix.SYS_SETREGID, unix.SYS_SETRESUID, unix.SYS_SETRESGID,
	unix.SYS_SETFSUID, unix.SYS_SETFSGID, unix.SYS_SETGROUPS, unix.SYS_CAPSET, unix.SYS_PERSONALITY,
	// shared memory of System V and queues, which other processes see
	unix.SYS_SHMGET, unix.SYS_SHMAT, unix.SYS_SEMGET, unix.SYS_MSGGET, unix.SYS_MQ_OPEN,
}

// ownCalls are allowed if their first argument is this process, or 0 if that means it.
var ownCalls = []struct {
	nr   uint32
	zero bool
}{
	{unix.SYS_KILL, false}, {unix.SYS_TGKILL, false}, {unix.SYS_RT_SIGQUEUEINFO, false}, {unix.SYS_RT_TGSIGQUEUEINFO, false}, {unix.SYS_PRLIMIT64, true},
}

// Offsets in struct seccomp_data.
const (
	dataNumber = 0
	dataArch   = 4
	dataArg0   = 16
	dataArg1   = 24
)

// filter returns the program that the kernel runs for each system call of the process pid.
func filter(pid int) []unix.SockFilter {
	const (
		load   = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
		equal  = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
		least  = unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K
		bits   = unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K
		giving = unix.BPF_RET | unix.BPF_K

		allowed   = unix.SECCOMP_RET_ALLOW
		forbidden = unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)
		unknown   = unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)
	)
	program := []unix.SockFilter{
		{Code: load, K: dataArch},
		{Code: equal, Jt: 1, K: auditArch},
		{Code: giving, K: unix.SECCOMP_RET_KILL_PROCESS}, // calls of another architecture have other numbers
		{Code: load, K: dataNumber},
		{Code: least, Jf: 1, K: foreignCalls},
		{Code: giving, K: forbidden},
	}
	// rule adds the actions for a call; it ends with a return.
	rule := func(nr uint32, then ...unix.SockFilter) {
		program = append(program, unix.SockFilter{Code: equal, Jf: uint8(len(then)), K: nr})
		program = append(program, then...)
	}
	for _, nr := range append(forbiddenCalls, forbiddenHere...) {
		rule(nr, unix.SockFilter{Code: giving, K: forbidden})
	}
	for _, call := range ownCalls {
		other := uint32(pid)
		if call.zero {
			other = 0
		}
		rule(call.nr,
			unix.SockFilter{Code: load, K: dataArg0},
			unix.SockFilter{Code: equal, Jt: 2, K: uint32(pid)},
			unix.SockFilter{Code: equal, Jt: 1, K: other},
			unix.SockFilter{Code: giving, K: forbidden},
			unix.SockFilter{Code: giving, K: allowed})
	}
	// Threads, no processes. The flags of clone3 are in memory, which a filter cannot read; without it the C
	// library falls back to clone.
	rule(unix.SYS_CLONE3, unix.SockFilter{Code: giving, K: unknown})
	rule(unix.SYS_CLONE,
		unix.SockFilter{Code: load, K: dataArg0},
		unix.SockFilter{Code: bits, Jt: 1, K: unix.CLONE_THREAD},
		unix.SockFilter{Code: giving, K: forbidden},
		unix.SockFilter{Code: giving, K: allowed})
	// No typing into the terminal of its start.
	rule(unix.SYS_IOCTL,
		unix.SockFilter{Code: load, K: dataArg1},
		unix.SockFilter{Code: equal, Jt: 1, K: unix.TIOCSTI},
		unix.SockFilter{Code: equal, Jf: 1, K: unix.TIOCLINUX},
		unix.SockFilter{Code: giving, K: forbidden},
		unix.SockFilter{Code: giving, K: allowed})
	return append(program, unix.SockFilter{Code: giving, K: allowed})
}

// restrictCalls installs the filter for all threads of this process, permanently.
func restrictCalls() error {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("no_new_privs: %w", err)
	}
	program := filter(os.Getpid())
	prog := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	thread, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&prog)))
	switch {
	case errno != 0:
		return fmt.Errorf("%w (does the kernel have CONFIG_SECCOMP_FILTER, does a container forbid seccomp?)", errno)
	case thread != 0:
		return fmt.Errorf("thread %d cannot be limited", thread)
	}
	return nil
}
