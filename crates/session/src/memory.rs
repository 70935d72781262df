//! Memory that is free, given back to the system.
//!
//! glibc keeps what is freed for later, in each thread's arena, unless it lies at
//! the very end. When a large table has lost most of its prefixes that is most of
//! what the daemon had: 100 MiB and more after a full table. So it is asked to
//! give whole pages back, once, and not on the thread of a table: it takes some
//! ten milliseconds.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// What else goes with a neighbour's routes (its session, what it was told) goes within this time.
const SHORTLY: Duration = Duration::from_millis(200);

/// Has free memory given back, shortly. Cheap; calls while one waits are one.
pub(crate) fn give_back() {
    static WAITS: AtomicBool = AtomicBool::new(false);
    if WAITS.swap(true, Ordering::AcqRel) {
        return;
    }
    let work = || {
        std::thread::sleep(SHORTLY);
        WAITS.store(false, Ordering::Release);
        trim();
    };
    if std::thread::Builder::new().name("memory".into()).spawn(work).is_err() {
        WAITS.store(false, Ordering::Release);
    }
}

#[cfg(target_env = "gnu")]
fn trim() {
    #[expect(unsafe_code, reason = "the allocator of the system has no safe face")]
    // SAFETY: it takes no pointer, and may be called from any thread at any time (malloc_trim(3): MT-Safe).
    let _ = unsafe { libc::malloc_trim(0) };
}

/// Other allocators give back by themselves.
#[cfg(not(target_env = "gnu"))]
const fn trim() {}
