//! The numbers of a peer's sources: one for each path identifier.
//!
//! A number outlives its session, since routes that are retained over a restart
//! bear it. What it stands for does not: identifiers mean nothing beyond their
//! session, and some speakers draw them by lot. So once nothing is retained the
//! numbers are given out anew, and no peer uses up more than a bounded lot of them.

use route::SourceId;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Path identifiers that a neighbour may use at a time (RFC 7911 leaves it 4 billion).
pub(super) const PATH_IDS_MAX: usize = 65_536;

/// The numbers of a peer's sources, kept over its sessions.
#[derive(Clone, Debug)]
pub(crate) struct SourceIds {
    next: Arc<AtomicU32>,
    given: Arc<Mutex<Given>>,
}

#[derive(Debug, Default)]
struct Given {
    by_path: HashMap<u32, SourceId>,
    /// Numbers that stand for no path now.
    free: Vec<SourceId>,
}

impl SourceIds {
    pub(crate) fn new(next: Arc<AtomicU32>) -> Self {
        Self { next, given: Arc::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Given> {
        self.given.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of a path; `None` when the neighbour uses more path identifiers than we can bear.
    pub(crate) fn get(&self, path_id: u32) -> Option<SourceId> {
        let mut given = self.lock();
        if let Some(id) = given.by_path.get(&path_id) {
            return Some(*id);
        }
        if given.by_path.len() >= PATH_IDS_MAX {
            return None;
        }
        let id = given.free.pop().unwrap_or_else(|| SourceId(self.next.fetch_add(1, Ordering::Relaxed)));
        given.by_path.insert(path_id, id);
        Some(id)
    }

    /// No route of an earlier session stands any more: numbers may stand for other paths. That of the session itself,
    /// path identifier 0, stays what it is.
    pub(crate) fn begin_anew(&self) {
        let mut given = self.lock();
        let Given { by_path, free } = &mut *given;
        free.extend(by_path.extract_if(|path_id, _| *path_id != 0).map(|(_, id)| id));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_neighbour_may_use_other_path_identifiers_in_each_session() {
        let next = Arc::new(AtomicU32::new(7));
        let ids = SourceIds::new(Arc::clone(&next));
        let own = ids.get(0);
        for session in 1..=3 {
            ids.begin_anew();
            let draws = |n: u32| n.wrapping_mul(session * 2 + 1);
            assert!((1..PATH_IDS_MAX as u32).all(|n| ids.get(draws(n)).is_some()));
            assert_eq!(ids.get(draws(PATH_IDS_MAX as u32)), None, "more than that at a time are not borne");
            assert_eq!((ids.get(0), ids.get(draws(1))), (own, ids.get(draws(1))));
        }
        assert_eq!(next.load(Ordering::Relaxed), 7 + PATH_IDS_MAX as u32, "numbers are given again");
    }
}
