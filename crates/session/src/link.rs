//! How sessions, tables and export groups are joined: handles and mailboxes.
//!
//! A handle is cheap to clone and can be used from any task or thread. Sending
//! never blocks. What bounds the queues: an import batch holds a permit of its
//! session until the table has applied it; a reader that has more than its share
//! of octets waiting is marked as fallen behind and gets one bit a prefix instead
//! (see `tables`).

use rib::batch::{Act, ChangeBatch, NetId, Reading, TableEvent};
use rib::elsewhere::HopMail;
use rib::trace::Tracing;
use route::{ChannelId, Ifaces, RoaTables, TableId};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::sync::OwnedSemaphorePermit;

/// A message to the thread that owns a table.
pub enum TableMsg {
    /// A deed of a channel. The permit is given back when it has been applied.
    Act(Act, Option<OwnedSemaphorePermit>),
    /// A new reader of the journal: it is fed all current rows in pages, then changes.
    Subscribe(Subscription),
    /// The reader leaves.
    Unsubscribe(ReaderId),
    /// The reader wants all current rows again, in pages (reload out, refresh of a group with one member).
    Refeed(ReaderId),
    /// A new reader that asks for its feed page by page (export groups): it is given changes from now on.
    Follow(Follower),
    /// A follower wants a page of current rows from this number on.
    Page(ReaderId, NetId),
    /// A follower wants what is now at these numbers.
    Ask(ReaderId, Vec<NetId>),
    /// How far a follower is.
    Progress(ReaderId, Progress),
    /// The links or addresses changed: gateways resolve anew.
    Ifaces(Arc<Ifaces>),
    /// Which lines are wanted of a channel (`debug { routes, filters }`), in all its lives.
    Trace(ChannelId, Tracing),
    /// ROA tables for import filters that run in the table.
    Roas(Arc<RoaTables>),
    /// A word from another table about a next hop.
    Hop(HopMail),
}

/// A reader of a table's journal, process-wide number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReaderId(pub u32);

impl ReaderId {
    /// A number that no other reader of this process has.
    pub fn next() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// What a reader asks for.
pub struct Subscription {
    /// Its number.
    pub reader: ReaderId,
    /// How much of each prefix it reads.
    pub reading: Reading,
    /// Where batches go. Called on the table's thread; must not block.
    pub deliver: Box<dyn FnMut(Delivery) + Send>,
}

/// What a reader is given.
#[derive(Clone, Debug)]
pub enum Delivery {
    /// Changes, in the order of the journal.
    Changes(Arc<ChangeBatch>),
    /// A page of a feed: what is now, in the order of prefix numbers.
    Feed(Arc<ChangeBatch>),
    /// The feed has gone through all prefix numbers.
    FeedDone,
}

/// How far a follower is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// It has used everything up to this batch.
    pub used: u64,
    /// It knows no prefix any more that was gone with this batch or before: its number may be given again.
    pub freed: u64,
    /// How many [`Portion::Changes`] it has used, ever: so many are off its hands.
    pub taken: u64,
}

/// A reader that decides itself when it is fed.
pub struct Follower {
    /// Its number.
    pub reader: ReaderId,
    /// How much of each prefix it reads.
    pub reading: Reading,
    /// It may know prefixes that were gone behind this batch; `u64::MAX`: it knows nothing.
    pub freed: u64,
    /// Where portions go. Called on the table's thread; must not block.
    pub deliver: Box<dyn FnMut(Portion) + Send>,
}

/// What a follower is given.
#[derive(Clone, Debug)]
pub enum Portion {
    /// Changes, in the order of the journal; to a follower that had fallen behind, current rows of what changed.
    Changes {
        /// The rows.
        batch: Arc<ChangeBatch>,
        /// The table goes on at once: further changes follow, or [`Portion::Rest`].
        more: bool,
    },
    /// Nothing more follows for now, though that was said.
    Rest,
    /// A page that was asked for. All changes before it have been delivered.
    Page {
        /// The rows.
        batch: Arc<ChangeBatch>,
        /// The first number that it covers.
        from: NetId,
        /// The first number that it does not cover any more; `None` at the end of the table.
        next: Option<NetId>,
    },
    /// Rows that were asked for by number. All changes before them have been delivered.
    Asked(Arc<ChangeBatch>),
}

/// Where a table's events go: limits passed, log lines.
pub type EventSink = Arc<dyn Fn(TableId, TableEvent) + Send + Sync>;
