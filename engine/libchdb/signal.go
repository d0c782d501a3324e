package libchdb

import (
	"sync"
	"syscall"
	"unsafe"
)

// sigaction holds the kernel's struct sigaction of the 64-bit Linux ABI
// (handler, flags, restorer, mask: 32 bytes), opaque to us.
type sigaction [64]byte

// signalMutex lets one call at a time touch the dispositions: one that saved them
// while another one's library call had them reset would restore the wrong ones.
var signalMutex sync.Mutex

// keepSignals runs f and puts the dispositions of the signals that the Go runtime
// lives on back as they were before.
//
// The library resets these to their defaults when its own handlers are switched off
// and again at every connect. Go needs its handlers: without that of SIGSEGV a nil
// dereference is not a panic but the end of the process. Signals that a program
// may take for itself (signal.Notify) are left alone: the library does not touch
// them, and restoring them would undo what another goroutine just asked for.
//
// Between the library's reset and our restore another thread that takes one of
// these signals dies by it. Nothing can be done about that from outside; this
// process takes none of them as long as it has no fault.
func keepSignals(f func()) {
	signals := [...]syscall.Signal{
		syscall.SIGABRT, syscall.SIGBUS, syscall.SIGFPE, syscall.SIGILL, syscall.SIGSEGV, syscall.SIGSYS, syscall.SIGTRAP, syscall.SIGTSTP,
		syscall.SIGURG, syscall.SIGPROF, // preemption and profiles
	}
	signalMutex.Lock()
	defer signalMutex.Unlock()
	var saved [len(signals)]sigaction
	for i, sig := range signals {
		syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, uintptr(sig), 0, uintptr(unsafe.Pointer(&saved[i])), 8, 0, 0)
	}
	f()
	for i, sig := range signals {
		syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, uintptr(sig), uintptr(unsafe.Pointer(&saved[i])), 0, 8, 0, 0)
	}
}
