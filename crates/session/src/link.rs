//! How sessions, tables and export groups are joined: handles and mailboxes.
//!
//! A handle is cheap to clone and can be used from any task or thread. Sending
//! never blocks. What bounds the queues: an import batch holds a permit of its
//! session until the table has applied it; a reader that has more than its share
//! of octets waiting is marked as fallen behind and gets one bit a prefix instead
//! (see `tables`).

use rib::batch::{Act, ChangeBatch, Reading, TableEvent};
use route::{Ifaces, TableId};
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
    /// The links or addresses changed: gateways resolve anew.
    Ifaces(Arc<Ifaces>),
    /// Work on the table itself (control socket, counters), at most 1 ms of it; longer work asks for the next page.
    Query(Box<dyn FnOnce(&mut rib::table::Table) + Send>),
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

/// Where a table's events go: limits passed, log lines.
pub type EventSink = Arc<dyn Fn(TableId, TableEvent) + Send + Sync>;
