//! What waits for a station, and how much that is.

use super::outgoing::Stream;
use bmp::{Counters, Gauges};
use route::TableId;
use session::link::Delivery;
use session::monitor::{Ended, Heard, MonitoredOut, SessionUp};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use tokio::sync::{Notify, mpsc};

/// What a station shall hear, in the order in which it happened.
pub(super) enum Item {
    Up {
        session: Arc<SessionUp>,
        fresh: bool,
    },
    Update(Arc<SessionUp>, Vec<u8>),
    Down(Arc<SessionUp>, Ended),
    Table(TableId, Delivery),
    /// How a neighbour is told routes from now on.
    Tells(Arc<SessionUp>, Arc<MonitoredOut>),
    /// Something of this waits in an outbox of its own.
    Out(Stream),
    Statistics(Arc<SessionUp>, Counters, Vec<Gauges>),
}

impl Item {
    /// About what it takes while it waits, in octets.
    fn octets(&self) -> u64 {
        /// An item in the queue, and a message's headers.
        const ITEM: usize = 128;
        /// A path of a batch with its share of the palettes.
        const PATH: usize = 128;
        let octets = match self {
            Self::Up { session, .. } => session.sent.len() + session.received.len(),
            Self::Update(_, message) => message.len(),
            Self::Down(..) | Self::Table(_, Delivery::FeedDone) | Self::Tells(..) | Self::Out(_) => 0,
            Self::Statistics(.., rows) => size_of_val(rows.as_slice()),
            Self::Table(_, Delivery::Changes(batch)) => (batch.each.len() + batch.paths.len()) * PATH,
            Self::Table(_, Delivery::Feed(batch)) => batch.paths.len() * PATH,
        };
        (ITEM + octets) as u64
    }
}

/// How much waits for a station, and how much may. Both sides of the queue look at it.
#[derive(Default)]
pub(super) struct Gauge {
    pending: AtomicU64,
    limit: AtomicU64,
    /// Something was let go because too much waits.
    overflowed: AtomicBool,
    /// That happened.
    pub(super) stalled: Notify,
}

impl Gauge {
    pub(super) fn set_limit(&self, megabytes: u32) {
        self.limit.store(u64::from(megabytes) << 20, Ordering::Relaxed);
    }

    pub(super) fn limit(&self) -> u64 {
        self.limit.load(Ordering::Relaxed)
    }

    pub(super) fn pending(&self) -> u64 {
        self.pending.load(Ordering::Relaxed)
    }

    pub(super) fn clear(&self) {
        self.pending.store(0, Ordering::Relaxed);
        self.overflowed.store(false, Ordering::Relaxed);
    }

    /// Whether the station misses something.
    pub(super) fn is_stalled(&self) -> bool {
        self.overflowed.load(Ordering::Relaxed)
    }

    /// So much has left.
    pub(super) fn gone(&self, octets: u64) {
        self.pending.fetch_sub(octets, Ordering::Relaxed);
    }
}

/// The way into the queue of one connection. Never blocks.
#[derive(Clone)]
pub(super) struct Feeder {
    queue: mpsc::UnboundedSender<(Item, u64)>,
    gauge: Arc<Gauge>,
}

impl Feeder {
    pub(super) fn new(gauge: Arc<Gauge>) -> (Self, mpsc::UnboundedReceiver<(Item, u64)>) {
        let (queue, inbox) = mpsc::unbounded_channel();
        (Self { queue, gauge }, inbox)
    }

    /// Puts something in; what comes when the queue is full is let go, for the connection ends.
    pub(super) fn put(&self, item: Item) {
        if self.queue.is_closed() {
            return;
        }
        let octets = item.octets();
        if self.gauge.pending() + octets > self.gauge.limit() {
            self.gauge.overflowed.store(true, Ordering::Relaxed);
            return self.gauge.stalled.notify_one();
        }
        self.gauge.pending.fetch_add(octets, Ordering::Relaxed);
        let _ = self.queue.send((item, octets));
    }

    /// Puts in what a session says.
    pub(super) fn hear(&self, heard: &Heard<'_>) {
        self.put(match heard {
            Heard::Up { session, fresh } => Item::Up { session: Arc::clone(session), fresh: *fresh },
            Heard::Tells(session, out) => Item::Tells(Arc::clone(session), Arc::clone(out)),
            Heard::Update(session, message) => Item::Update(Arc::clone(session), message.to_vec()),
            Heard::Down(session, ended) => Item::Down(Arc::clone(session), (*ended).clone()),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_more_than_may_wait_is_let_go_and_said_to_be_too_much() {
        let gauge = Arc::<Gauge>::default();
        gauge.set_limit(1);
        let (feeder, mut inbox) = Feeder::new(Arc::clone(&gauge));
        let batch = Delivery::FeedDone;
        let put = || feeder.put(Item::Table(TableId(1), batch.clone()));
        while gauge.pending() + 128 <= gauge.limit() {
            put();
        }
        let full = gauge.pending();
        put();
        assert_eq!(gauge.pending(), full);
        let mut waiting = 0;
        while let Ok((_, octets)) = inbox.try_recv() {
            gauge.gone(octets);
            waiting += 1;
        }
        assert_eq!((waiting, gauge.pending()), ((1 << 20) / 128, 0));
        let mut stalled = std::pin::pin!(gauge.stalled.notified());
        assert!(stalled.as_mut().enable() && gauge.is_stalled());
    }
}
