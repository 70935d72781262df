//! The priority of the thread.
//!
//! A thread that sleeps most of the time is woken soon by the kernel even at the
//! usual priority; where all processors are busy a better nice value makes it
//! sooner. A real-time class would be sooner still, and would let a flood of
//! packets starve the machine.

/// Better than everything of the daemon, and not the best there is.
const NICE: nix::libc::c_int = -15;

/// Asks for it; without the right to, everything goes on as it is.
pub(super) fn raise() {
    #[expect(unsafe_code, reason = "no safe crate sets the priority of a thread")]
    // SAFETY: the call takes three numbers and touches no memory of ours; 0 is the calling thread on Linux.
    unsafe {
        nix::libc::setpriority(nix::libc::PRIO_PROCESS, 0, NICE);
    }
}
