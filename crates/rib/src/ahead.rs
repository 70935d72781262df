//! Asks memory for what will be read soon.
//!
//! What a table looks up lies anywhere in tens of megabytes, so nearly every look
//! is a miss of the caches, a hundred times as long as an instruction. The rows of
//! a batch are known beforehand: asked for all at once, their misses overlap.

/// Has the cache line of a place loaded, without waiting for it.
#[cfg(target_arch = "x86_64")]
#[inline]
pub(crate) fn fetch<T>(place: &T) {
    use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
    #[expect(unsafe_code, reason = "a hint to the processor, which has no safe face")]
    // SAFETY: the address is that of a reference, and a prefetch neither reads nor writes as far as a program can tell.
    unsafe {
        _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(place).cast());
    }
}

/// Other processors have no such hint in stable Rust; they wait a little longer.
#[cfg(not(target_arch = "x86_64"))]
#[inline]
pub(crate) const fn fetch<T>(_place: &T) {}
