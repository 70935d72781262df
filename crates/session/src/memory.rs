//! Memory that is free, given back to the system.
//!
//! glibc keeps what is freed for later, in each thread's arena, unless it lies at
//! the very end. Behind a burst of changes that is what all batches took that were
//! on their way, twice the routes themselves where there are 200 tables with pipes;
//! behind a full table that went it is most of what the daemon had. So it is asked
//! to give whole pages back, as it is behind sessions that ended and behind a
//! configuration that was exchanged: once the burst is over, and not on the thread
//! of a table, for it takes some ten milliseconds.
//!
//! Whole pages there are only where what lasts does not lie between what does not.
//! Left to itself glibc takes the size of the largest piece that was freed for the
//! size from which pieces have pages of their own: after the first full table, or
//! the first large configuration, all batches and parsed files lie among attribute
//! sets and rows, and each leaves a hole of which somebody holds a corner. So that
//! size is [fixed](prepare).

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// What else goes with what was freed (a session, what it was told) goes within this time; a burst has no longer breaks.
const QUIET: Duration = Duration::from_millis(100);
/// When changes never end, memory is given back nevertheless, so often.
const PATIENCE: Duration = Duration::from_secs(10);
/// So many octets of batches are worth the trouble.
const WORTH_OCTETS: usize = 4 << 20;

/// From this size on a piece of memory has pages of its own, and its end is the end of them.
const OWN_PAGES_OCTETS: i32 = 128 << 10;
/// So much may be free at the end of an arena before it is given back without being asked.
const FREE_AT_END_OCTETS: i32 = 1 << 20;

/// Octets of batches since memory was given back.
static PASSED: AtomicUsize = AtomicUsize::new(0);
/// Goes on while a table works.
static STIRRED: AtomicUsize = AtomicUsize::new(0);

/// Tells the allocator how we use memory. To be called once, before much is taken.
#[cfg(target_env = "gnu")]
pub fn prepare() {
    for (what, octets) in [(libc::M_MMAP_THRESHOLD, OWN_PAGES_OCTETS), (libc::M_TRIM_THRESHOLD, FREE_AT_END_OCTETS)] {
        #[expect(unsafe_code, reason = "the allocator of the system has no safe face")]
        // SAFETY: it takes two numbers, and both names take any size (mallopt(3)).
        let _ = unsafe { libc::mallopt(what, octets) };
    }
}

/// Other allocators need not be told.
#[cfg(not(target_env = "gnu"))]
pub const fn prepare() {}

/// A table has something to do. Cheap.
pub(crate) fn stir() {
    STIRRED.fetch_add(1, Ordering::Relaxed);
}

/// A batch of so many octets goes to its readers: it will be freed soon. Cheap.
pub(crate) fn passes(octets: usize) {
    if PASSED.fetch_add(octets, Ordering::AcqRel) + octets >= WORTH_OCTETS {
        give_back();
    }
}

/// Has free memory given back, as soon as it is quiet. Cheap; calls while one waits are one.
pub fn give_back() {
    static WAITS: AtomicBool = AtomicBool::new(false);
    if WAITS.swap(true, Ordering::AcqRel) {
        return;
    }
    let work = || {
        let end = Instant::now() + PATIENCE;
        loop {
            let before = STIRRED.load(Ordering::Relaxed);
            std::thread::sleep(QUIET);
            if STIRRED.load(Ordering::Relaxed) == before || Instant::now() >= end {
                break;
            }
        }
        PASSED.store(0, Ordering::Release);
        WAITS.store(false, Ordering::Release);
        crate::conn::forget_scratch();
        trim();
    };
    if std::thread::Builder::new().name("memory".into()).stack_size(64 << 10).spawn(work).is_err() {
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
