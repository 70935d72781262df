//! The threads that own tables.
//!
//! Each table belongs to one of a few threads, which calls its tables in turn, a
//! slice of about a millisecond each. In a slice a table takes acts from its
//! queue, seals what changed, and its readers are given the batch; then feeds and
//! other work go on by a page. A thread sleeps when none of its tables has work.
//!
//! ```text
//! sessions --Act+permit-->  [mailbox] thread: Table, Table, ...  --Changes--> readers (push, never waited for)
//! export   --Page, Ask, Progress-->                              --Page, Asked--> export
//! ```
//!
//! A reader is behind by the octets of batches that it still holds. One that
//! holds more than `BEHIND_OCTETS_MAX` is given no batches any more, but has
//! one bit for each changed prefix; when it has caught up it is given the current
//! rows of those. Numbers of prefixes that are gone are given again only when
//! every reader is past the batch that said so.

use crate::clock::Clock;
use crate::link::{Delivery, EventSink, Follower, Portion, Progress, ReaderId, Subscription, TableMsg};
use crate::mailbox::{self, Mailbox, Nap};
use crate::pace::Pace;
use crate::{memory, trace};
use rib::batch::{ChangeBatch, NetId, Reading};
use rib::export::Bits;
use rib::table::{Table, TableSpec};
use route::TableId;
use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::{Duration, Instant};

/// How long a table works before the next one on its thread has its turn.
const SLICE: Duration = Duration::from_millis(1);
/// How many rows a page of a feed has.
const PAGE_ROWS: usize = 4096;
/// How many rows one call of [`Table::work`] may touch.
const WORK_ROWS: usize = 4096;
/// How many octets of batches a reader may hold before it is given bits instead.
const BEHIND_OCTETS_MAX: usize = 64 << 20;
/// How many pages of a feed may wait at a reader that is fed without asking.
const FEED_PAGES_MAX: usize = 4;
/// How soon a reader is looked at again that holds all it may: nobody says when it lets go.
const LOOK_AGAIN: Duration = Duration::from_millis(2);

/// A handle to the threads that own tables. The threads end when the last handle is gone.
#[derive(Clone)]
pub struct Tables(Arc<Threads>);

struct Threads {
    all: Vec<Arc<Mailbox<Order>>>,
    homes: std::sync::RwLock<HashMap<TableId, usize>>,
    next: AtomicUsize,
}

enum Order {
    Add(Box<TableSpec>),
    Remove(TableId),
    To(TableId, TableMsg),
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.all.iter().for_each(|mailbox| mailbox.close());
    }
}

impl Tables {
    /// Starts the threads, at least one.
    pub fn start(threads: usize, clock: Clock, events: EventSink) -> Self {
        let others = Arc::new(OnceLock::new());
        let start = |n: usize| {
            let mailbox = Arc::new(Mailbox::new());
            let pace = Pace::new(format!("table{n}"));
            let thread = Thread {
                pace,
                mailbox: mailbox.clone(),
                tables: Vec::new(),
                clock,
                events: events.clone(),
                others: Arc::clone(&others),
            };
            mailbox::spawn(format!("table{n}"), move || thread.run());
            mailbox
        };
        let all = (0..threads.max(1)).map(start).collect();
        let threads = Arc::new(Threads { all, homes: std::sync::RwLock::default(), next: AtomicUsize::new(0) });
        let _ = others.set(Arc::downgrade(&threads));
        Self(threads)
    }

    /// A new, empty table. Threads are given tables in turn.
    pub fn add(&self, spec: TableSpec) {
        let home = self.0.next.fetch_add(1, Ordering::Relaxed) % self.0.all.len();
        self.homes_mut().insert(spec.id, home);
        self.order(home, Order::Add(Box::new(spec)));
    }

    /// Drops a table and its readers.
    pub fn remove(&self, table: TableId) {
        let home = self.homes_mut().remove(&table);
        if let Some(home) = home {
            self.order(home, Order::Remove(table));
        }
    }

    /// Sends a message to the owner of a table; never blocks. A message to an unknown table is dropped.
    pub fn send(&self, table: TableId, msg: TableMsg) {
        let homes = self.0.homes.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        let home = homes.get(&table).copied();
        drop(homes);
        if let Some(home) = home {
            self.order(home, Order::To(table, msg));
        }
    }

    /// Asks something of a table; `None` when there is no such table (any more).
    pub async fn query<R: Send + 'static>(
        &self,
        table: TableId,
        f: impl FnOnce(&mut Table) -> R + Send + 'static,
    ) -> Option<R> {
        let (answer, answered) = tokio::sync::oneshot::channel();
        let work = move |t: &mut Table| {
            let _ = answer.send(f(t));
        };
        self.send(table, TableMsg::Query(Box::new(work)));
        answered.await.ok()
    }

    fn homes_mut(&self) -> std::sync::RwLockWriteGuard<'_, HashMap<TableId, usize>> {
        self.0.homes.write().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn order(&self, home: usize, order: Order) {
        if let Some(mailbox) = self.0.all.get(home) {
            mailbox.push(order);
        }
    }
}

/// One thread and its tables.
struct Thread {
    pace: Arc<Pace>,
    mailbox: Arc<Mailbox<Order>>,
    tables: Vec<Owned>,
    clock: Clock,
    events: EventSink,
    /// The way to tables wherever they live; it does not keep the threads running.
    others: Arc<OnceLock<Weak<Threads>>>,
}

impl Thread {
    fn run(mut self) {
        let mut orders = Vec::new();
        let mut nap = Nap::Long;
        while self.mailbox.take(nap, &mut orders) {
            self.pace.begin();
            for order in orders.drain(..) {
                self.sort_in(order);
            }
            nap = Nap::Long;
            for owned in &mut self.tables {
                let name = Arc::clone(&owned.table.spec().name);
                let busy = self.pace.event(&name, || owned.slice(self.clock, &self.events));
                let mail = owned.table.take_mail();
                if !mail.is_empty()
                    && let Some(threads) = self.others.get().and_then(Weak::upgrade)
                {
                    let tables = Tables(threads);
                    mail.into_iter().for_each(|m| tables.send(m.to, TableMsg::Hop(m)));
                }
                nap = match (busy, owned.is_idle()) {
                    (_, true) => nap,
                    (true, false) => Nap::No,
                    (false, false) if nap == Nap::Long => Nap::Short(LOOK_AGAIN),
                    (false, false) => nap,
                };
            }
            self.pace.end(self.tables.len());
        }
    }

    fn sort_in(&mut self, order: Order) {
        match order {
            Order::Add(spec) => self.tables.push(Owned::new(*spec)),
            Order::Remove(id) => self.tables.retain(|t| t.table.spec().id != id),
            Order::To(id, msg) => {
                if let Some(owned) = self.tables.iter_mut().find(|t| t.table.spec().id == id) {
                    owned.queue.push_back(msg);
                }
            }
        }
    }
}

/// A batch that readers may still hold.
struct Sealed {
    batch: Arc<ChangeBatch>,
    octets: usize,
}

/// A table with its queue, its readers and the tail of its journal.
struct Owned {
    table: Table,
    queue: VecDeque<TableMsg>,
    readers: Vec<Reader>,
    journal: VecDeque<Sealed>,
    /// The last batch that was sealed.
    seq: u64,
    /// The last batch up to which numbers were released.
    released: u64,
    /// Acts have left work behind.
    works: bool,
    log: Vec<rib::batch::TableEvent>,
}

/// A reader of the journal.
struct Reader {
    id: ReaderId,
    reading: Reading,
    kind: Kind,
    /// It is behind: what changed since then.
    fallen: Option<Bits>,
}

enum Kind {
    /// Fed without asking.
    Subscriber {
        deliver: Box<dyn FnMut(Delivery) + Send>,
        /// The next number of its feed.
        feed: Option<NetId>,
        /// Pages that it may still hold.
        pages: Vec<Arc<ChangeBatch>>,
    },
    /// Asks for pages, says how far it is.
    Follower {
        deliver: Box<dyn FnMut(Portion) + Send>,
        /// The last batch that it was given.
        given: u64,
        /// How far it says that it is.
        progress: Progress,
    },
}

impl Owned {
    fn new(spec: TableSpec) -> Self {
        Self {
            table: Table::new(spec),
            queue: VecDeque::new(),
            readers: Vec::new(),
            journal: VecDeque::new(),
            seq: 0,
            released: 0,
            works: false,
            log: Vec::new(),
        }
    }

    /// Whether there is nothing to do before the next message.
    fn is_idle(&self) -> bool {
        self.queue.is_empty() && !self.works && self.readers.iter().all(Reader::is_content)
    }

    /// Works for about [`SLICE`]. Returns whether there was something to do.
    fn slice(&mut self, clock: Clock, events: &EventSink) -> bool {
        if self.is_idle() {
            return false;
        }
        let now = clock.now();
        let end = Instant::now() + SLICE;
        let mut busy = false;
        while let Some(msg) = self.queue.pop_front() {
            busy = true;
            self.take(msg, now);
            trace::say(self.table.traces());
            if Instant::now() >= end {
                break;
            }
        }
        if self.works {
            busy = true;
            self.works = self.table.work(now, WORK_ROWS);
            self.log.append(&mut self.table.take_warnings());
            trace::say(self.table.traces());
        }
        self.seal();
        busy |= self.feed();
        busy |= self.catch_up();
        self.release();
        let id = self.table.spec().id;
        for event in self.log.drain(..) {
            events(id, event);
        }
        busy
    }

    fn take(&mut self, msg: TableMsg, now: route::Moment) {
        match msg {
            TableMsg::Act(act, permit) => {
                self.table.apply(act, now, &mut self.log);
                self.works = true;
                drop(permit);
            }
            TableMsg::Ifaces(ifaces) => {
                self.table.set_ifaces(ifaces);
                self.works = true;
            }
            TableMsg::Trace(channel, tracing) => self.table.set_tracing(channel, tracing),
            TableMsg::Roas(roas) => self.table.set_roas(roas),
            TableMsg::Hop(mail) => {
                self.table.receive(mail, now);
                self.works = true;
            }
            TableMsg::Query(work) => work(&mut self.table),
            TableMsg::Subscribe(subscription) => self.subscribe(subscription),
            TableMsg::Follow(follower) => self.follow(follower),
            TableMsg::Unsubscribe(reader) => {
                self.readers.retain(|r| r.id != reader);
                self.set_reading();
            }
            TableMsg::Refeed(reader) => {
                if let Some(Kind::Subscriber { feed, .. }) = self.reader(reader).map(|r| &mut r.kind) {
                    *feed = Some(NetId(0));
                }
            }
            TableMsg::Page(reader, from) => self.page(reader, from),
            TableMsg::Ask(reader, ids) => self.answer(reader, &ids),
            TableMsg::Progress(reader, how_far) => {
                if let Some(Kind::Follower { progress, .. }) = self.reader(reader).map(|r| &mut r.kind) {
                    *progress = how_far;
                }
            }
        }
    }

    fn reader(&mut self, id: ReaderId) -> Option<&mut Reader> {
        self.readers.iter_mut().find(|r| r.id == id)
    }

    fn subscribe(&mut self, subscription: Subscription) {
        self.seal();
        let Subscription { reader, reading, deliver } = subscription;
        let kind = Kind::Subscriber { deliver, feed: Some(NetId(0)), pages: Vec::new() };
        self.readers.push(Reader { id: reader, reading, kind, fallen: None });
        self.set_reading();
    }

    fn follow(&mut self, follower: Follower) {
        self.seal();
        let Follower { reader, reading, freed, deliver } = follower;
        let progress = Progress { used: self.seq, freed: self.seq.min(freed) };
        let kind = Kind::Follower { deliver, given: self.seq, progress };
        self.readers.push(Reader { id: reader, reading, kind, fallen: None });
        self.set_reading();
    }

    fn set_reading(&mut self) {
        self.table.set_readings(self.readers.iter().map(|r| r.reading));
    }

    /// A page for a follower. What changed before is told first, so that the page is never older than the changes.
    fn page(&mut self, reader: ReaderId, from: NetId) {
        self.seal();
        let Some(reading) = self.reader(reader).map(|r| r.reading) else { return };
        let (batch, next) = self.table.page(from, PAGE_ROWS, reading);
        if let Some(reader) = self.reader(reader) {
            reader.portion(Portion::Page { batch: Arc::new(batch), from, next });
        }
    }

    fn answer(&mut self, reader: ReaderId, ids: &[NetId]) {
        self.seal();
        let Some(reading) = self.reader(reader).map(|r| r.reading) else { return };
        let batch = Arc::new(self.table.current(ids, reading));
        if let Some(reader) = self.reader(reader) {
            reader.portion(Portion::Asked(batch));
        }
    }

    /// Seals what changed and hands it to every reader that keeps up.
    fn seal(&mut self) {
        let Some(batch) = self.table.seal() else { return };
        self.seq = batch.seq;
        let held: usize = self.journal.iter().filter(|s| Arc::strong_count(&s.batch) > 1).map(|s| s.octets).sum();
        for reader in &mut self.readers {
            let behind = match &reader.kind {
                Kind::Subscriber { .. } => held,
                Kind::Follower { progress, .. } => {
                    self.journal.iter().filter(|s| s.batch.seq > progress.used).map(|s| s.octets).sum()
                }
            };
            if behind > BEHIND_OCTETS_MAX {
                reader.fallen.get_or_insert_default();
            }
            match &mut reader.fallen {
                Some(changed) => {
                    let each = batch.each.iter().map(|e| e.id).filter(|_| reader.reading == Reading::Each);
                    batch.rows.iter().map(|row| row.id).chain(each).for_each(|id| {
                        changed.set(id, true);
                    });
                }
                None => reader.changes(batch.clone()),
            }
        }
        let octets = octets_of(&batch);
        self.journal.push_back(Sealed { batch, octets });
    }

    /// Goes on with the feeds of subscribers. Returns whether there was something to hand out.
    fn feed(&mut self) -> bool {
        let mut fed = false;
        for reader in &mut self.readers {
            let Kind::Subscriber { deliver, feed, pages } = &mut reader.kind else { continue };
            let Some(from) = *feed else { continue };
            pages.retain(|p| Arc::strong_count(p) > 1);
            if pages.len() >= FEED_PAGES_MAX {
                continue;
            }
            let (batch, next) = self.table.page(from, PAGE_ROWS, reader.reading);
            let batch = Arc::new(batch);
            pages.push(batch.clone());
            deliver(Delivery::Feed(batch));
            *feed = next;
            if next.is_none() {
                deliver(Delivery::FeedDone);
            }
            fed = true;
        }
        fed
    }

    /// Gives readers that had fallen behind, and have used all they were given, the current rows of what changed.
    /// Returns whether there was one.
    fn catch_up(&mut self) -> bool {
        let held = self.journal.iter().any(|s| Arc::strong_count(&s.batch) > 1);
        let mut caught = false;
        for reader in &mut self.readers {
            let Some(changed) = &mut reader.fallen else { continue };
            let waits = match &reader.kind {
                Kind::Subscriber { .. } => held,
                Kind::Follower { given, progress, .. } => progress.used < *given,
            };
            if waits {
                continue;
            }
            let ids: Vec<NetId> = changed.iter().take(PAGE_ROWS).collect();
            ids.iter().for_each(|id| {
                changed.set(*id, false);
            });
            if changed.is_empty() {
                reader.fallen = None;
            }
            if !ids.is_empty() {
                caught = true;
                let batch = Arc::new(self.table.current(&ids, reader.reading));
                match (&mut reader.kind, reader.reading) {
                    // Whole prefixes, not single paths.
                    (Kind::Subscriber { deliver, .. }, Reading::Each) => deliver(Delivery::Feed(batch)),
                    _ => reader.changes(batch),
                }
            }
        }
        caught
    }

    /// Forgets batches that nobody needs, and lets the table give freed numbers again.
    fn release(&mut self) {
        let behind = |r: &Reader| match &r.kind {
            _ if r.fallen.is_some() => self.released,
            Kind::Follower { progress, .. } => progress.freed,
            Kind::Subscriber { .. } => u64::MAX,
        };
        let past = self.readers.iter().map(behind).min().unwrap_or(u64::MAX);
        while let Some(sealed) = self.journal.front() {
            if Arc::strong_count(&sealed.batch) > 1 || sealed.batch.seq > past {
                break;
            }
            self.released = sealed.batch.seq;
            self.journal.pop_front();
        }
        if self.table.release(self.released) {
            memory::give_back();
        }
    }
}

impl Reader {
    fn changes(&mut self, batch: Arc<ChangeBatch>) {
        match &mut self.kind {
            Kind::Subscriber { deliver, .. } => deliver(Delivery::Changes(batch)),
            Kind::Follower { deliver, given, .. } => {
                *given = batch.seq;
                deliver(Portion::Changes(batch));
            }
        }
    }

    fn portion(&mut self, portion: Portion) {
        if let Kind::Follower { deliver, .. } = &mut self.kind {
            deliver(portion);
        }
    }

    /// Whether it waits for nothing but changes, or will say itself that it can take more.
    fn is_content(&self) -> bool {
        match &self.kind {
            Kind::Subscriber { feed, .. } => feed.is_none() && self.fallen.is_none(),
            Kind::Follower { given, progress, .. } => self.fallen.is_none() || progress.used < *given,
        }
    }
}

/// The memory of a batch, attribute sets that the table shares included once more: a reader keeps them alive.
fn octets_of(batch: &ChangeBatch) -> usize {
    let attrs: usize = batch.palette.iter().map(|a| a.octets().len() + route::AttrSet::HEAD_OCTETS).sum();
    attrs
        + size_of_val(&*batch.rows)
        + size_of_val(&*batch.paths)
        + size_of_val(&*batch.each)
        + size_of_val(&*batch.hops)
        + size_of_val(&*batch.sources)
}
