//! The numbers of a peer's sources: one for each path identifier.

use route::SourceId;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// Path identifiers that a neighbour may use in one session (RFC 7911 leaves it 4 billion).
pub(super) const PATH_IDS_MAX: usize = 65_536;

/// The numbers of a peer's sources, kept over its sessions.
#[derive(Clone, Debug)]
pub(crate) struct SourceIds {
    next: Arc<AtomicU32>,
    by_path: Arc<std::sync::Mutex<HashMap<u32, SourceId>>>,
}

impl SourceIds {
    pub(crate) fn new(next: Arc<AtomicU32>) -> Self {
        Self { next, by_path: Arc::default() }
    }

    /// The number of a path; `None` when the neighbour uses more path identifiers than we can bear.
    pub(crate) fn get(&self, path_id: u32) -> Option<SourceId> {
        let mut by_path = self.by_path.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(id) = by_path.get(&path_id) {
            return Some(*id);
        }
        if by_path.len() >= PATH_IDS_MAX {
            return None;
        }
        let id = SourceId(self.next.fetch_add(1, Ordering::Relaxed));
        by_path.insert(path_id, id);
        Some(id)
    }
}
