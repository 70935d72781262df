//! Dynamic neighbours: known by their range only, until one of them calls.
//!
//! A peer with a range ([`Dynamic::Range`]) talks to nobody. A connection that
//! comes to it goes to whoever owns the peers ([`Word::Called`]), who makes a
//! member for it ([`Dynamic::Member`]): a peer like others, but that it opens no
//! connection, and that it says [`Word::Over`] once nothing is left of its
//! session: no connection, no routes that wait for a restarting neighbour, no
//! wait after an error.
//!
//! Anybody within a range can call. So the members of a range are bounded by
//! [`MEMBERS_MAX`], those whose session has not come up yet by [`CALLERS_MAX`];
//! further connections are closed. After an error (a wrong AS, no message) a member
//! stays and refuses its neighbour until the error wait is over.

use crate::listen::Incoming;
use route::{Prefix, ProtocolId};
use std::fmt;
use std::sync::{Arc, OnceLock};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Members that a range may have.
pub const MEMBERS_MAX: usize = 4096;
/// Members of a range that may be there without a session.
pub const CALLERS_MAX: usize = 256;

/// What a peer has to do with a range of neighbours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dynamic {
    /// Nothing: it has a neighbour of its own.
    #[default]
    No,
    /// It awaits neighbours of this range.
    Range(Prefix),
    /// It was made for one of them.
    Member,
}

/// A place among the members of a range.
#[derive(Debug)]
pub struct Place {
    /// As long as the member lives.
    _member: OwnedSemaphorePermit,
    /// Until its session has come up for the first time.
    caller: Option<OwnedSemaphorePermit>,
}

impl Place {
    /// The session is up: others may call.
    pub(crate) fn settle(&mut self) {
        self.caller = None;
    }
}

/// The places of a range.
#[derive(Debug)]
pub(crate) struct Places {
    members: Arc<Semaphore>,
    callers: Arc<Semaphore>,
}

impl Places {
    pub(crate) fn new() -> Self {
        Self { members: Arc::new(Semaphore::new(MEMBERS_MAX)), callers: Arc::new(Semaphore::new(CALLERS_MAX)) }
    }

    /// A free place.
    pub(crate) fn take(&self) -> Option<Place> {
        let member = Arc::clone(&self.members).try_acquire_owned().ok()?;
        let caller = Arc::clone(&self.callers).try_acquire_owned().ok()?;
        Some(Place { _member: member, caller: Some(caller) })
    }
}

/// A connection for which there is no member yet.
#[derive(Debug)]
pub struct Call {
    /// Whose range holds the neighbour.
    pub range_of: ProtocolId,
    /// It.
    pub incoming: Incoming,
    /// What the member has to keep.
    pub place: Place,
}

/// What peers say to their owner.
#[derive(Debug)]
pub enum Word {
    /// A neighbour of a range has called.
    Called(Box<Call>),
    /// Nothing is left of this member's session; it takes no connection any more.
    Over(ProtocolId),
}

type Hear = Box<dyn Fn(Word) + Send + Sync>;

/// The way to the owner of the peers. Cheap to clone. Without an owner calls are closed.
#[derive(Clone, Default)]
pub struct Ear(Arc<OnceLock<Hear>>);

impl Ear {
    /// Words go there; the first call counts.
    pub fn on_word(&self, hear: Hear) {
        let _ = self.0.set(hear);
    }

    pub(crate) fn say(&self, word: Word) {
        if let Some(hear) = self.0.get() {
            hear(word);
        }
    }
}

impl fmt::Debug for Ear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ear")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callers_without_a_session_are_few_and_members_with_one_are_many() {
        let places = Places::new();
        let mut members: Vec<_> = std::iter::from_fn(|| places.take()).collect();
        assert_eq!(members.len(), CALLERS_MAX);
        members.iter_mut().for_each(Place::settle);
        while let Some(mut place) = places.take() {
            place.settle();
            members.push(place);
        }
        assert_eq!(members.len(), MEMBERS_MAX);
        members.pop();
        assert!(places.take().is_some());
    }
}
