//! What waits to be written to one peer, shared between its export groups and its task.
//!
//! Octets wait in pieces, each a row of whole messages, most of them slices of
//! segments that all members of a group share. So the task may write messages of
//! its own (KEEPALIVE, NOTIFICATION) between any two pieces.
//!
//! Waiting octets are bounded by courtesy: an outbox that holds more than its
//! bound is full, its group then marks prefixes instead of
//! pushing octets, and is called back when the task has brought it well down.
//! While little waits for all peers together the bound is a wide one: to be told by
//! marks costs the table a second look.

use bytes::Bytes;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// How many octets wait for a peer before its groups hold back.
pub const OCTETS_MAX: usize = 4 << 20;
/// How many octets wait for all peers before the bound of each is [a part](PRESSED) of that.
const ALL_OCTETS_MAX: usize = 32 << 20;
/// Which part.
const PRESSED: usize = 4;

/// The octets that wait for all peers. A segment that several peers share counts for each.
static WAITING: AtomicUsize = AtomicUsize::new(0);

/// Called when the first octets come into an empty outbox. Must not block.
pub type Bell = Box<dyn Fn() + Send + Sync>;

/// The queue of one peer.
pub struct Outbox {
    octets_max: usize,
    ready: Notify,
    bell: Option<Bell>,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    pieces: VecDeque<Bytes>,
    octets: usize,
    updates: u64,
    closed: bool,
    /// Who is to be called when there is room again; one for each group that found the outbox full.
    waiting: Vec<Arc<dyn Fn() + Send + Sync>>,
}

impl Inner {
    /// So many octets wait no longer.
    fn lower(&mut self, octets: usize) {
        let octets = octets.min(self.octets);
        self.octets -= octets;
        WAITING.fetch_sub(octets, Ordering::Relaxed);
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.lower(self.octets);
    }
}

impl Outbox {
    /// An empty outbox that is full above `octets_max`; [`OCTETS_MAX`] is a good value.
    pub fn new(octets_max: usize) -> Arc<Self> {
        Arc::new(Self { octets_max, ready: Notify::new(), bell: None, inner: Mutex::default() })
    }

    /// An empty outbox of somebody who waits for many, and is called.
    pub fn with_bell(octets_max: usize, bell: Bell) -> Arc<Self> {
        Arc::new(Self { octets_max, ready: Notify::new(), bell: Some(bell), inner: Mutex::default() })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until there is something to take. One task waits at a time. Cancel safe.
    pub async fn ready(&self) {
        loop {
            let notified = self.ready.notified();
            if !self.lock().pieces.is_empty() {
                return;
            }
            notified.await;
        }
    }

    /// Waits until so many octets wait. Not while somebody waits for [`ready`](Self::ready). Cancel safe.
    pub(crate) async fn reaches(&self, octets: usize) {
        loop {
            let notified = self.ready.notified();
            if self.octets() >= octets {
                return;
            }
            notified.await;
        }
    }

    /// Moves pieces into `into`, at least one if there is any, up to about `octets_max` octets. `true`: more wait.
    pub fn take(&self, octets_max: usize, into: &mut Vec<Bytes>) -> bool {
        let mut inner = self.lock();
        let mut taken = 0;
        while taken < octets_max {
            let Some(piece) = inner.pieces.pop_front() else {
                break;
            };
            taken += piece.len();
            into.push(piece);
        }
        inner.lower(taken);
        let more = !inner.pieces.is_empty();
        let waiting =
            if inner.octets <= self.octets_max / PRESSED / 2 { std::mem::take(&mut inner.waiting) } else { Vec::new() };
        drop(inner);
        for wake in waiting {
            wake();
        }
        more
    }

    /// Calls whom it would call for the first octets.
    pub fn ring(&self) {
        if let Some(bell) = &self.bell {
            bell();
        }
    }

    /// Adds pieces of whole messages, `updates` of them UPDATEs. Dropped when the outbox is closed.
    pub(crate) fn push(&self, pieces: impl IntoIterator<Item = Bytes>, updates: u64) {
        let mut inner = self.lock();
        if inner.closed {
            return;
        }
        let was_empty = inner.pieces.is_empty();
        for piece in pieces.into_iter().filter(|p| !p.is_empty()) {
            inner.octets += piece.len();
            WAITING.fetch_add(piece.len(), Ordering::Relaxed);
            inner.pieces.push_back(piece);
        }
        inner.updates += updates;
        let any = !inner.pieces.is_empty();
        drop(inner);
        match &self.bell {
            Some(bell) if any && was_empty => bell(),
            None if any => self.ready.notify_one(),
            _ => {}
        }
    }

    /// Whether more waits than should. If so `wake` is called, once, when an eighth of the bound is left.
    pub(crate) fn is_full(&self, wake: &Arc<dyn Fn() + Send + Sync>) -> bool {
        let mut inner = self.lock();
        let is_pressed = WAITING.load(Ordering::Relaxed) > ALL_OCTETS_MAX;
        let octets_max = if is_pressed { self.octets_max / PRESSED } else { self.octets_max };
        let full = inner.octets > octets_max && !inner.closed;
        if full && !inner.waiting.iter().any(|w| Arc::ptr_eq(w, wake)) {
            inner.waiting.push(wake.clone());
        }
        full
    }

    /// How many UPDATE messages were put in since the beginning.
    pub fn updates(&self) -> u64 {
        self.lock().updates
    }

    /// How many octets wait.
    pub fn octets(&self) -> usize {
        self.lock().octets
    }

    /// The session is over: what waits is dropped, and what comes later too.
    pub fn close(&self) {
        let mut inner = self.lock();
        inner.closed = true;
        inner.pieces.clear();
        let dropped = inner.octets;
        inner.lower(dropped);
        let waiting = std::mem::take(&mut inner.waiting);
        drop(inner);
        for wake in waiting {
            wake();
        }
    }
}
