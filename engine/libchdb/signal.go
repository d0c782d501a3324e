package libchdb

import (
	"syscall"
	"unsafe"
)

// sigaction holds the kernel's struct sigaction of the 64-bit Linux ABI
// (handler, flags, restorer, mask: 32 bytes), opaque to us.
type sigaction [64]byte

// keepSignals runs f and puts every signal disposition back as it was before.
//
// The library resets SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSYS, SIGTRAP
// and SIGTSTP to their defaults whenever its handlers are switched off and again
// at every connect. Go needs its own: without the SIGSEGV handler a nil
// dereference is not a panic but the end of the process.
//
// Between f's reset and the restore another thread that takes one of these
// signals dies by it. Nothing can be done about that from outside, so it is made
// rare: connections are opened at start and kept.
func keepSignals(f func()) {
	const last = 64
	var saved [last + 1]sigaction
	var have [last + 1]bool
	for sig := uintptr(1); sig <= last; sig++ {
		_, _, errno := syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, sig, 0, uintptr(unsafe.Pointer(&saved[sig])), 8, 0, 0)
		have[sig] = errno == 0 && sig != uintptr(syscall.SIGKILL) && sig != uintptr(syscall.SIGSTOP)
	}
	f()
	for sig := uintptr(1); sig <= last; sig++ {
		if have[sig] {
			syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, sig, uintptr(unsafe.Pointer(&saved[sig])), 0, 8, 0, 0)
		}
	}
}
