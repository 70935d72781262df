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
//! answers  --Query (overtakes)-->                                --answer--> answers
//! ```
//!
//! Questions of the control socket do not wait in the queue: the thread looks up
//! after each slice, and a table that was asked something has one slice more and
//! then answers. So on a table at rest a question comes after all that was sent
//! before it, and on a busy one it waits for two slices and not for the backlog.
//! A slice may end in the midst of a batch; what changed is sealed when the batch
//! is done, so routes that came together go out together.
//!
//! Tables that pipes lead to let others go first: they take what pipes brought
//! when the thread has taken in what sessions sent, and the tables behind those
//! pipes are done, and seal when they have taken it all. Else a neighbour behind a
//! pipe would be told of a path whose better was on its way. There is no timer,
//! for there is work of others; and who has waited for `PUT_OFF_MS` waits no more
//! until it has caught up, so nobody starves.
//!
//! A reader is behind by the octets of batches that it still holds. One that
//! holds more than it may (`held`) is given no batches any more, but has
//! one bit for each changed prefix; when it has caught up it is given the current
//! rows of those. Numbers of prefixes that are gone are given again only when
//! every reader is past the batch that said so. That may be long after: no batch
//! is kept for it.

mod reader;
#[cfg(test)]
mod tests;

use crate::clock::Clock;
use crate::export::ROWS_ASKED;
use crate::held::{Held, Passing};
use crate::link::{Delivery, EventSink, Follower, Portion, Progress, ReaderId, Subscription, TableMsg};
use crate::mailbox::{self, Mailbox, Nap};
use crate::pace::Pace;
use crate::{memory, trace};
use reader::{Kind, Reader};
use rib::batch::{Act, ChangeBatch, Deed, NetId, Piped, Reading};
use rib::table::{Table, TableSpec};
use route::TableId;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::{Duration, Instant};
use tokio::sync::OwnedSemaphorePermit;

/// How long a table works before the next one on its thread has its turn.
const SLICE: Duration = Duration::from_millis(1);
/// How many rows a page of a feed has.
const PAGE_ROWS: usize = 4096;
/// How many rows one call of [`Table::work`] may touch.
const WORK_ROWS: usize = 4096;
/// How many rows of a batch are taken in before the clock is looked at.
const PIECE_ROWS: usize = 512;
/// What an act costs that is no batch, in rows, about.
const ACT_ROWS: usize = 64;
/// How many rows a slice takes even when the machine has given its time to others.
const SLICE_ROWS_MIN: usize = 2 * PIECE_ROWS;
/// What a batch takes beside its rows and sets, about: places in queues, its own head.
const BATCH_OCTETS: usize = 256;
/// How many pages of a feed may wait at a reader that is fed without asking.
const FEED_PAGES_MAX: usize = 4;
/// How long a table lets those go first that may lead more to it.
const PUT_OFF_MS: u64 = 1000;
/// How many prefixes and paths that changed may wait meanwhile.
const PUT_OFF_MAX: usize = 1 << 16;
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
    Ask(TableId, Question),
}

/// Work on a table that needs no place among the acts of channels.
type Question = Box<dyn FnOnce(&mut Table) + Send>;

impl Drop for Threads {
    fn drop(&mut self) {
        self.all.iter().for_each(|mailbox| mailbox.close());
    }
}

impl Tables {
    /// Starts the threads, at least one.
    pub fn start(threads: usize, clock: Clock, events: EventSink) -> Self {
        let others = Arc::new(OnceLock::new());
        let passing = Passing::default();
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
                passing: Arc::clone(&passing),
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
        if let Some(home) = self.home(table) {
            self.order(home, Order::To(table, msg));
        }
    }

    /// Asks something of a table; `None` when there is no such table (any more). The question overtakes what
    /// waits before the table, but for about a millisecond of it; it may work as long itself, and asks for the
    /// next page if it wants more.
    pub async fn query<R: Send + 'static>(
        &self,
        table: TableId,
        f: impl FnOnce(&mut Table) -> R + Send + 'static,
    ) -> Option<R> {
        let (answer, answered) = tokio::sync::oneshot::channel();
        let work = move |t: &mut Table| {
            let _ = answer.send(f(t));
        };
        let mailbox = self.home(table).and_then(|home| self.0.all.get(home))?;
        mailbox.push_urgent(Order::Ask(table, Box::new(work)));
        answered.await.ok()
    }

    fn home(&self, table: TableId) -> Option<usize> {
        self.0.homes.read().unwrap_or_else(std::sync::PoisonError::into_inner).get(&table).copied()
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
    passing: Passing,
}

impl Thread {
    fn run(mut self) {
        let mut orders = Vec::new();
        let mut nap = Nap::Long;
        while self.mailbox.take(nap, &mut orders) {
            self.pace.begin();
            orders.drain(..).for_each(|order| self.sort_in(order));
            // When all let each other go first, nobody does.
            let busy = self.round(true, &mut orders) || self.round(false, &mut orders);
            self.pace.end(self.tables.len());
            nap = match self.tables.iter().all(Owned::is_idle) {
                true => Nap::Long,
                false if busy => Nap::No,
                false => Nap::Short(LOOK_AGAIN),
            };
        }
    }

    /// A turn for each table; `polite`: but for those that let others go first. Returns whether there was something to do.
    fn round(&mut self, polite: bool, orders: &mut Vec<Order>) -> bool {
        let mut busy = false;
        self.tables.iter_mut().for_each(|t| t.told = false);
        for at in 0..self.tables.len() {
            if !(polite && self.yields(at)) {
                busy |= self.turn(at);
            }
            if self.mailbox.is_urgent() {
                busy |= self.look_up(orders);
            }
        }
        busy
    }

    /// Whether a table that pipes lead to waits until it was given more: something of sessions is to be taken in
    /// anywhere, or a table that leads here has work which is not only from here.
    fn yields(&mut self, at: usize) -> bool {
        let Some(owned) = self.tables.get(at).filter(|t| t.has_only_piped()) else { return false };
        let (here, sources) = (owned.table.spec().id, &owned.sources);
        let leads_here = |t: &Owned| {
            let has_of_others = || t.goes_on() && t.sources.iter().any(|source| *source != here);
            sources.contains(&t.table.spec().id) && (t.told || has_of_others())
        };
        let goes_first = self.tables.iter().enumerate().any(|(n, t)| n != at && (t.outside > 0 || leads_here(t)));
        let now = self.clock.now();
        goes_first && self.tables.get_mut(at).is_some_and(|t| t.may_wait(now))
    }

    /// A slice of one table. Returns whether there was something to do.
    fn turn(&mut self, at: usize) -> bool {
        let Some(owned) = self.tables.get_mut(at) else { return false };
        let name = Arc::clone(&owned.table.spec().name);
        let busy = self.pace.event(&name, || owned.slice(self.clock, &self.events));
        let mail = owned.table.take_mail();
        if !mail.is_empty()
            && let Some(threads) = self.others.get().and_then(Weak::upgrade)
        {
            let tables = Tables(threads);
            mail.into_iter().for_each(|m| tables.send(m.to, TableMsg::Hop(m)));
        }
        busy
    }

    /// Gives tables that were asked something a slice, out of turn.
    fn look_up(&mut self, orders: &mut Vec<Order>) -> bool {
        self.mailbox.take(Nap::No, orders);
        orders.drain(..).for_each(|order| self.sort_in(order));
        let mut busy = false;
        for at in 0..self.tables.len() {
            if self.tables.get(at).is_some_and(|t| !t.questions.is_empty()) {
                busy |= self.turn(at);
            }
        }
        busy
    }

    fn sort_in(&mut self, order: Order) {
        match order {
            Order::Add(spec) => self.tables.push(Owned::new(*spec, Arc::clone(&self.passing))),
            Order::Remove(id) => self.tables.retain(|t| t.table.spec().id != id),
            Order::To(id, msg) => {
                if let Some(owned) = self.tables.iter_mut().find(|t| t.table.spec().id == id) {
                    owned.put_in(msg);
                }
            }
            Order::Ask(id, question) => {
                if let Some(owned) = self.tables.iter_mut().find(|t| t.table.spec().id == id) {
                    owned.questions.push(question);
                }
            }
        }
    }
}

/// The turn of a table: how long it may still take acts.
struct Slice {
    end: Instant,
    rows: usize,
}

impl Slice {
    fn begin() -> Self {
        Self { end: Instant::now() + SLICE, rows: 0 }
    }

    /// So many rows more were taken in.
    fn is_over(&mut self, rows: usize) -> bool {
        self.rows += rows;
        self.rows >= SLICE_ROWS_MIN && Instant::now() >= self.end
    }
}

/// An act that is being taken in, with the permit of its session.
struct Importing {
    _permit: Option<OwnedSemaphorePermit>,
    outside: bool,
}

/// The table from which a pipe has brought a message; `None` when no pipe has.
fn source_of(msg: &TableMsg) -> Option<TableId> {
    match msg {
        TableMsg::Act(Act { deed: Deed::Piped(Piped::Changes(batch) | Piped::Current(batch)), .. }, _) => {
            Some(batch.table)
        }
        _ => None,
    }
}

/// A table with its queue, its readers and the tail of its journal.
struct Owned {
    table: Table,
    queue: VecDeque<TableMsg>,
    questions: Vec<Question>,
    importing: Option<Importing>,
    /// The tables whose pipes lead here.
    sources: BTreeSet<TableId>,
    /// How many acts wait that no pipe has brought, the one that is being taken in included.
    outside: usize,
    /// Such an act was taken in, and readers do not know yet.
    news: bool,
    /// Since when it has let others go first.
    put_off: Option<route::Moment>,
    /// Readers were given something in this round.
    told: bool,
    readers: Vec<Reader>,
    held: Held,
    /// The last batch that was sealed.
    seq: u64,
    /// The last batch up to which numbers were released.
    released: u64,
    /// Acts have left work behind.
    works: bool,
    log: Vec<rib::batch::TableEvent>,
}

impl Owned {
    fn new(spec: TableSpec, passing: Passing) -> Self {
        Self {
            table: Table::new(spec),
            queue: VecDeque::new(),
            questions: Vec::new(),
            importing: None,
            sources: BTreeSet::new(),
            outside: 0,
            news: false,
            put_off: None,
            told: false,
            readers: Vec::new(),
            held: Held::new(passing),
            seq: 0,
            released: 0,
            works: false,
            log: Vec::new(),
        }
    }

    /// Puts a message behind those that wait.
    fn put_in(&mut self, msg: TableMsg) {
        match source_of(&msg) {
            Some(source) => _ = self.sources.insert(source),
            None => self.outside += usize::from(matches!(msg, TableMsg::Act(..))),
        }
        self.queue.push_back(msg);
    }

    /// Whether it has work, and all of it has come through pipes.
    fn has_only_piped(&self) -> bool {
        !self.sources.is_empty() && self.outside == 0 && self.questions.is_empty() && self.goes_on()
    }

    /// Whether what is to be done or told may wait a little.
    fn may_wait(&mut self, now: route::Moment) -> bool {
        now.since_ms(*self.put_off.get_or_insert(now)) < PUT_OFF_MS && self.table.unsealed() < PUT_OFF_MAX
    }

    /// Whether there is nothing to do before the next message.
    fn is_idle(&self) -> bool {
        !self.goes_on() && self.questions.is_empty() && self.readers.iter().all(Reader::is_content)
    }

    /// Whether acts or what they left behind will change more at once.
    fn goes_on(&self) -> bool {
        self.works || self.importing.is_some() || !self.queue.is_empty()
    }

    /// Works for about [`SLICE`]. Returns whether there was something to do.
    fn slice(&mut self, clock: Clock, events: &EventSink) -> bool {
        if self.is_idle() {
            self.held.look();
            return false;
        }
        memory::stir();
        let now = clock.now();
        let mut busy = self.take_acts(now, &mut Slice::begin());
        for question in self.questions.drain(..) {
            busy = true;
            question(&mut self.table);
        }
        if self.importing.is_none() {
            busy |= self.follow_up(now);
        }
        if !self.goes_on() {
            self.readers.iter_mut().for_each(Reader::rest);
        }
        let id = self.table.spec().id;
        for event in self.log.drain(..) {
            events(id, event);
        }
        busy
    }

    /// Takes what waits, in order, until the slice is over; returns whether something did. What is left of a batch comes first,
    /// and when it is done readers are told before the next is begun.
    fn take_acts(&mut self, now: route::Moment, slice: &mut Slice) -> bool {
        let resumed = self.importing.is_some();
        let mut busy = resumed;
        loop {
            while self.importing.is_some() {
                if !self.table.go_on(PIECE_ROWS, now, &mut self.log)
                    && self.importing.take().is_some_and(|act| act.outside)
                {
                    self.outside -= 1;
                    self.news = true;
                }
                trace::say(self.table.traces());
                if slice.is_over(PIECE_ROWS) {
                    return true;
                }
            }
            if resumed {
                return true;
            }
            let Some(msg) = self.queue.pop_front() else { return busy };
            busy = true;
            self.take(msg, now);
            trace::say(self.table.traces());
            if slice.is_over(ACT_ROWS) {
                return true;
            }
        }
    }

    /// What acts lead to: other work, changes told, feeds a page further. Returns whether there was something to do.
    fn follow_up(&mut self, now: route::Moment) -> bool {
        let mut busy = self.works;
        if self.works {
            self.works = self.table.work(now, WORK_ROWS);
            self.log.append(&mut self.table.take_warnings());
            trace::say(self.table.traces());
        }
        let waits = !self.sources.is_empty() && !self.queue.is_empty() && !self.news;
        if !(waits && self.may_wait(now)) {
            self.seal();
        }
        if self.queue.is_empty() {
            self.put_off = None;
        }
        busy |= self.feed();
        busy |= self.catch_up();
        self.release();
        busy
    }

    fn take(&mut self, msg: TableMsg, now: route::Moment) {
        let outside = source_of(&msg).is_none();
        match msg {
            TableMsg::Act(act, permit) => {
                self.table.begin(act, now, &mut self.log);
                self.importing = Some(Importing { _permit: permit, outside });
                self.works = true;
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
                if let Some(reader) = self.reader(reader) {
                    reader.has_come(how_far);
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
        let progress = Progress { used: self.seq, freed: self.seq.min(freed), taken: 0 };
        let kind = Kind::Follower { deliver, given: VecDeque::new(), octets: 0, progress, expects: false };
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
        // The others will be asked for again, with those of their attribute set.
        let told = if ids.len() < ROWS_ASKED { ids.len() } else { self.table.together(ids) };
        let batch = Arc::new(self.table.current(ids.get(..told).unwrap_or_default(), reading));
        if let Some(reader) = self.reader(reader) {
            reader.portion(Portion::Asked(batch));
        }
    }

    /// Seals what changed and hands it to every reader that keeps up.
    fn seal(&mut self) {
        self.news = false;
        let Some(batch) = self.table.seal() else { return };
        self.told = true;
        self.seq = batch.seq;
        let octets = octets_of(&batch);
        let more = self.goes_on();
        memory::passes(octets);
        self.held.look();
        let held = self.held.by_subscribers();
        let mut kind = None;
        for reader in &mut self.readers {
            if !self.held.takes(reader.reading, reader.octets(held), octets) {
                reader.fallen.get_or_insert_default();
            }
            match &mut reader.fallen {
                Some(missed) => missed.add(&batch, reader.reading),
                None => {
                    let is_subscriber = matches!(reader.kind, Kind::Subscriber { .. });
                    kind = Some(is_subscriber || kind == Some(true));
                    reader.changes(&batch, octets, more);
                }
            }
        }
        if let Some(by_subscriber) = kind {
            self.held.add(&batch, octets, by_subscriber);
        }
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
        if !self.readers.iter().any(|r| r.fallen.is_some()) {
            return false;
        }
        self.held.look();
        let goes_on = self.goes_on();
        let mut caught = false;
        for reader in &mut self.readers {
            let (octets_max, rows_max) = self.held.missed(reader.reading);
            if reader.octets(self.held.by_subscribers()) > octets_max {
                continue;
            }
            let Some(missed) = &mut reader.fallen else { continue };
            let mut ids: Vec<NetId> = missed.changed.iter().take(rows_max).collect();
            if ids.len() == rows_max {
                ids.truncate(self.table.together(&ids));
            }
            let batch = Arc::new(self.table.missed(&ids, reader.reading, |id| missed.unmoved(id)));
            ids.iter().for_each(|id| {
                missed.changed.set(*id, false);
            });
            let more = !missed.changed.is_empty() || goes_on;
            if missed.changed.is_empty() {
                reader.fallen = None;
            }
            if !ids.is_empty() {
                caught = true;
                let octets = octets_of(&batch);
                match (&mut reader.kind, reader.reading) {
                    // Whole prefixes, not single paths.
                    (Kind::Subscriber { deliver, .. }, Reading::Each) => deliver(Delivery::Feed(batch.clone())),
                    _ => reader.changes(&batch, octets, more),
                }
                self.held.add(&batch, octets, matches!(reader.kind, Kind::Subscriber { .. }));
            }
        }
        caught
    }

    /// Forgets batches that nobody holds, and lets the table give freed numbers again.
    fn release(&mut self) {
        self.held.look();
        let oldest_held = self.held.oldest().map_or(u64::MAX, |seq| seq.saturating_sub(1));
        let behind = |r: &Reader| match &r.kind {
            _ if r.fallen.is_some() => self.released,
            Kind::Follower { progress, .. } => progress.freed,
            Kind::Subscriber { .. } => oldest_held,
        };
        let past = self.readers.iter().map(behind).min().unwrap_or(u64::MAX);
        self.released = self.released.max(past.min(self.seq));
        if self.table.release(self.released) {
            memory::give_back();
        }
    }
}

/// The memory of a batch, attribute sets that the table shares included once more: a reader keeps them alive.
fn octets_of(batch: &ChangeBatch) -> usize {
    let attrs: usize = batch.palette.iter().map(|a| a.octets().len() + route::AttrSet::HEAD_OCTETS).sum();
    BATCH_OCTETS
        + attrs
        + size_of_val(&*batch.rows)
        + size_of_val(&*batch.paths)
        + size_of_val(&*batch.each)
        + size_of_val(&*batch.hops)
        + size_of_val(&*batch.sources)
}
