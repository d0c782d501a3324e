package libchdb

import (
	"sync"
	"syscall"
	"unsafe"
)

// sigaction holds the kernel's struct sigaction of the 64-bit Linux ABI
// (handler, flags, restorer, mask: 32 bytes), opaque to us.
type sigaction [64]byte

// signalMutex serialises changes of the dispositions: a call that saved them while the library had reset them
// in another call would restore the wrong ones.
var signalMutex sync.Mutex

// keepSignals runs f and restores the dispositions of the signals that the Go runtime needs.
//
// The library resets these to their defaults when its own handlers are disabled, and again at every connect.
// Go needs its handlers: without that of SIGSEGV a nil dereference ends the process instead of causing a
// panic. Signals that a program may handle itself (signal.Notify) are left alone: the library does not touch
// them, and restoring them would undo a concurrent change.
//
// Between the library's reset and our restore, another thread that receives one of these signals dies. That
// cannot be prevented from outside; this process receives none of them unless it has a fault.
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
