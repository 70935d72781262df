//! The threads that own export groups.
//!
//! A group lives on one thread, chosen by its table and key, and reads the journal
//! through that thread's follower of the table: one for each table and kind of
//! reading, shared by all groups there. Feeds are pulled: a follower asks for the
//! next page of a table when a member walks and can take it, and all who walk use
//! that page; so a late joiner goes on where the others are, and round.
//!
//! ```text
//! tables --Changes, Page, Asked--> [mailbox] thread: groups --segments--> Outbox of each member --> its task
//!        <--Page, Ask, Progress--                           <--drained--
//! ```
//!
//! The mailbox is bounded by what tables give a follower (see `tables`); outboxes
//! are bounded because a member whose outbox is full is told nothing: its group
//! marks prefixes, and asks for their rows when the outbox has drained.

mod owned;

use crate::clock::Clock;
use crate::encode::Encoding;
use crate::link::{EventSink, Follower, Portion, Progress, ReaderId, TableMsg};
use crate::mailbox::{self, Mailbox, Nap};
use crate::outbox::Outbox;
use crate::pace::Pace;
use crate::tables::Tables;
use owned::{Outlet, Owned};
use rib::batch::{Limit, LimitAction, NetId, Reading};
use rib::export::{Advance, Group, GroupKey, Judged, MemberId, MemberSpec, Moved, Part, Signal, Slot};
use rib::query::NetView;
use rib::stats::ExportStats;
use rib::trace::Tracing;
use route::{Ifaces, RoaTables, TableId};
use std::collections::{HashMap, VecDeque};
use std::hash::BuildHasher;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::sync::oneshot;

/// How many rows are asked for at once by number.
pub(crate) const ROWS_ASKED: usize = 4096;
/// How long the room for large batches is kept when none comes.
const ROOM_KEPT: Duration = Duration::from_millis(50);

/// A handle to the threads that own export groups. The threads end when the last handle is gone.
#[derive(Clone)]
pub struct Exports(Arc<Threads>);

struct Threads {
    all: Vec<Arc<Mailbox<Order>>>,
    next_member: AtomicU32,
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.all.iter().for_each(|mailbox| mailbox.close());
    }
}

/// What a thread is asked to do.
enum Order {
    Join(Box<Join>),
    Leave(MemberId),
    Refresh { member: MemberId, enhanced: bool },
    Rekey { member: MemberId, key: Arc<GroupKey> },
    SetLimit { member: MemberId, limit: Option<Limit> },
    Trace { member: MemberId, tracing: Tracing },
    Stats { member: MemberId, answer: oneshot::Sender<(ExportStats, u32)> },
    Judge { member: MemberId, nets: Vec<NetView>, answer: oneshot::Sender<Vec<Judged>> },
    Ifaces(Arc<Ifaces>),
    Roas(Arc<RoaTables>),
    Anew { member: MemberId, nets: Vec<NetId>, before: Arc<RoaTables> },
    Given(ReaderId, Portion),
    Drained(MemberId),
}

impl Order {
    /// For `debug latency`.
    const fn word(&self) -> &'static str {
        match self {
            Self::Join(_) | Self::Leave(_) => "neighbor",
            Self::Refresh { .. } | Self::Rekey { .. } | Self::SetLimit { .. } | Self::Trace { .. } => "options",
            Self::Stats { .. } | Self::Judge { .. } => "question",
            Self::Ifaces(_) => "links",
            Self::Roas(_) | Self::Anew { .. } => "ROA change",
            Self::Given(..) => "routes",
            Self::Drained(_) => "room",
        }
    }
}

struct Join {
    member: MemberId,
    table: TableId,
    key: Arc<GroupKey>,
    spec: MemberSpec,
    outbox: Arc<Outbox>,
    mirrors: bool,
}

impl Exports {
    /// Starts the threads, at least one.
    pub fn start(threads: usize, tables: Tables, _clock: Clock, events: EventSink) -> Self {
        let start = |n: usize| {
            let mailbox = Arc::new(Mailbox::new());
            let name = format!("export{n}");
            let thread = Thread {
                pace: Pace::new(name.clone()),
                mailbox: mailbox.clone(),
                tables: tables.clone(),
                events: events.clone(),
                ifaces: Arc::default(),
                roas: Arc::default(),
                readers: Vec::new(),
                groups: Vec::new(),
                members: HashMap::new(),
                advance: Advance::default(),
            };
            mailbox::spawn(name, move || thread.run());
            mailbox
        };
        let all = (0..threads.max(1)).map(start).collect();
        Self(Arc::new(Threads { all, next_member: AtomicU32::new(0) }))
    }

    /// A new member: it is fed, told End-of-RIB, then changes, all into `outbox`.
    pub fn join(&self, table: TableId, key: Arc<GroupKey>, member: MemberSpec, outbox: Arc<Outbox>) -> MemberId {
        self.enter(table, key, member, outbox, false)
    }

    /// A member that is told what the neighbour of that key is told, of the same octets, for a monitoring station.
    /// It is in the neighbour's group, where that has room for others; a blocking limit holds for it, too.
    pub fn mirror(&self, table: TableId, key: Arc<GroupKey>, member: MemberSpec, outbox: Arc<Outbox>) -> MemberId {
        let export_limit = member.export_limit.filter(|limit| limit.action == LimitAction::Block);
        let member = MemberSpec { export_limit, tracing: Tracing::default(), ..member };
        self.enter(table, key, member, outbox, true)
    }

    fn enter(
        &self,
        table: TableId,
        key: Arc<GroupKey>,
        member: MemberSpec,
        outbox: Arc<Outbox>,
        mirrors: bool,
    ) -> MemberId {
        let threads = self.0.all.len() as u32;
        let hash = foldhash::fast::FixedState::with_seed(0).hash_one((table, key.placement()));
        let thread = (hash % u64::from(threads)) as u32;
        let number = self.0.next_member.fetch_add(1, Ordering::Relaxed);
        let id = MemberId(number.wrapping_mul(threads).wrapping_add(thread));
        let join = Join { member: id, table, key, spec: member, outbox, mirrors };
        self.order(id, Order::Join(Box::new(join)));
        id
    }

    /// A member leaves; nothing more is put into its outbox soon after.
    pub fn leave(&self, member: MemberId) {
        self.order(member, Order::Leave(member));
    }

    /// Tells a member everything again, between BoRR and EoRR when `enhanced` (RFC 7313).
    pub fn refresh(&self, member: MemberId, enhanced: bool) {
        self.order(member, Order::Refresh { member, enhanced });
    }

    /// New filter or options for a member: everything is judged again, and what its peer holds is brought in line.
    pub fn rekey(&self, member: MemberId, key: Arc<GroupKey>) {
        self.order(member, Order::Rekey { member, key });
    }

    /// A new export limit for a member.
    pub fn set_limit(&self, member: MemberId, limit: Option<Limit>) {
        self.order(member, Order::SetLimit { member, limit });
    }

    /// Which lines are wanted of a member from now on.
    pub fn trace(&self, member: MemberId, tracing: Tracing) {
        self.order(member, Order::Trace { member, tracing });
    }

    /// Counters of a member, and how many routes it has been told; `None` when it left.
    pub async fn stats(&self, member: MemberId) -> Option<(ExportStats, u32)> {
        let (answer, answered) = oneshot::channel();
        self.ask(member, Order::Stats { member, answer });
        answered.await.ok()
    }

    /// Judges all paths for a member with its filter of now, in the order of `nets` and of their paths.
    /// Filtered and non-best paths are judged as well. Empty when the member left.
    pub async fn judge(&self, member: MemberId, nets: Vec<NetView>) -> Vec<Judged> {
        let (answer, answered) = oneshot::channel();
        self.ask(member, Order::Judge { member, nets, answer });
        answered.await.unwrap_or_default()
    }

    /// New links and addresses, for filters and third-party next hops.
    pub fn set_ifaces(&self, ifaces: Arc<Ifaces>) {
        for mailbox in &self.0.all {
            mailbox.push(Order::Ifaces(ifaces.clone()));
        }
    }

    /// New ROA tables, for what filters judge from now on.
    pub fn set_roas(&self, roas: &Arc<RoaTables>) {
        for mailbox in &self.0.all {
            mailbox.push(Order::Roas(Arc::clone(roas)));
        }
    }

    /// A change of ROA tables touches these prefixes, which were judged by the tables of before.
    pub fn judge_anew(&self, member: MemberId, nets: Vec<NetId>, before: Arc<RoaTables>) {
        self.order(member, Order::Anew { member, nets, before });
    }

    fn order(&self, member: MemberId, order: Order) {
        if let Some(mailbox) = self.mailbox(member) {
            mailbox.push(order);
        }
    }

    /// Orders something that overtakes batches that wait.
    fn ask(&self, member: MemberId, order: Order) {
        if let Some(mailbox) = self.mailbox(member) {
            mailbox.push_urgent(order);
        }
    }

    fn mailbox(&self, member: MemberId) -> Option<&Arc<Mailbox<Order>>> {
        self.0.all.get(member.0 as usize % self.0.all.len())
    }
}

/// One thread and its groups.
struct Thread {
    pace: Arc<Pace>,
    mailbox: Arc<Mailbox<Order>>,
    tables: Tables,
    events: EventSink,
    ifaces: Arc<Ifaces>,
    roas: Arc<RoaTables>,
    readers: Vec<Reader>,
    groups: Vec<Option<Owned>>,
    members: HashMap<MemberId, Place>,
    advance: Advance,
}

/// What is left of a member that was taken out of its group.
struct Left {
    spec: MemberSpec,
    table: TableId,
    reader: ReaderId,
    outbox: Arc<Outbox>,
    mirrors: bool,
    moved: Option<Moved>,
}

/// Where a member stands.
#[derive(Clone, Copy)]
struct Place {
    group: usize,
    slot: Slot,
}

/// A follower of one table.
struct Reader {
    id: ReaderId,
    table: TableId,
    reading: Reading,
    /// The next number of the walk.
    cursor: NetId,
    /// A page is on its way.
    paging: bool,
    /// Rows asked for by number are on their way.
    asking: bool,
    /// How far we are.
    progress: Progress,
    /// What the table was told of that.
    said: Progress,
}

impl Thread {
    fn run(mut self) {
        let mut orders = Vec::new();
        let mut queue = VecDeque::new();
        let mut nap = Nap::Long;
        while self.mailbox.take(nap, &mut orders) {
            if orders.is_empty() {
                self.advance = Advance::default();
            }
            queue.extend(orders.drain(..));
            while let Some(order) = queue.pop_front() {
                self.turn(order);
                if self.mailbox.is_urgent() {
                    self.mailbox.take(Nap::No, &mut orders);
                    let (urgent, others): (Vec<_>, Vec<_>) = orders.drain(..).partition(|o| self.overtakes(o));
                    urgent.into_iter().for_each(|order| self.turn(order));
                    queue.extend(others);
                }
            }
            self.drive();
            nap = if self.advance.is_roomy() { Nap::Short(ROOM_KEPT) } else { Nap::Long };
        }
    }

    /// One order: for a thread that always has some, each is a turn.
    fn turn(&mut self, order: Order) {
        let pace = Arc::clone(&self.pace);
        pace.begin();
        pace.event(order.word(), || self.take(order));
        pace.end(1);
    }

    /// Whether something need not wait behind batches: a question about a member that has come already.
    fn overtakes(&self, order: &Order) -> bool {
        match order {
            Order::Stats { member, .. } | Order::Judge { member, .. } => self.members.contains_key(member),
            _ => false,
        }
    }

    fn take(&mut self, order: Order) {
        match order {
            Order::Join(join) => self.join(*join, None, Some(Signal::EndOfRib), u64::MAX),
            Order::Leave(member) => {
                if let Some(left) = self.remove(member, false) {
                    self.drop_reader(left.reader);
                }
            }
            Order::Refresh { member, enhanced } => self.refresh(member, enhanced),
            Order::Rekey { member, key } => self.rekey(member, key),
            Order::SetLimit { member, limit } => {
                if self.place(member).is_some_and(|(owned, slot)| !owned.group.set_limit(slot, limit)) {
                    self.rejoin(member, |_, spec| spec.export_limit = limit);
                }
                let events = self.events.clone();
                self.with(member, |owned, _, advance| {
                    owned.group.note_limits(advance);
                    owned.pass_limits(advance, &events);
                });
            }
            Order::Trace { member, tracing } => {
                if let Some((owned, slot)) = self.place(member) {
                    owned.group.set_tracing(slot, tracing);
                }
            }
            Order::Stats { member, answer } => {
                let stats = self.place(member).and_then(|(owned, slot)| owned.group.stats(slot));
                stats.map(|s| answer.send(s));
            }
            Order::Judge { member, nets, answer } => {
                let judged = self.place(member).map(|(owned, slot)| owned.group.explain(slot, &nets));
                judged.map(|j| answer.send(j));
            }
            Order::Ifaces(ifaces) => {
                let mut advance = std::mem::take(&mut self.advance);
                for owned in self.groups.iter_mut().flatten() {
                    advance.clear();
                    owned.group.set_ifaces(ifaces.clone(), &mut advance);
                    owned.signal(&advance);
                }
                self.advance = advance;
                self.ifaces = ifaces;
            }
            Order::Roas(roas) => {
                self.groups.iter_mut().flatten().for_each(|o| o.group.set_roas(roas.clone()));
                self.roas = roas;
            }
            Order::Anew { member, nets, before } => self.judge_anew(member, &nets, &before),
            Order::Given(reader, portion) => self.given(reader, &portion),
            Order::Drained(member) => {
                self.with(member, |owned, slot, advance| owned.set_full(slot, false, advance));
            }
        }
    }

    fn place(&mut self, member: MemberId) -> Option<(&mut Owned, Slot)> {
        let Place { group, slot } = *self.members.get(&member)?;
        Some((self.groups.get_mut(group)?.as_mut()?, slot))
    }

    /// Does something with a member's group, and says what that leads to.
    fn with(&mut self, member: MemberId, work: impl FnOnce(&mut Owned, Slot, &mut Advance)) {
        let mut advance = std::mem::take(&mut self.advance);
        advance.clear();
        if let Some((owned, slot)) = self.place(member) {
            work(owned, slot, &mut advance);
            owned.signal(&advance);
        }
        if let Some(Place { group, .. }) = self.members.get(&member)
            && let Some(Some(owned)) = self.groups.get(*group)
        {
            owned.tell_fed(&advance, &self.events);
        }
        self.advance = advance;
    }

    fn join(&mut self, join: Join, moved: Option<Moved>, end: Option<Signal>, freed: u64) {
        let Join { member, table, key, spec, outbox, mirrors } = join;
        let at = self.group_for(table, &key, &spec, freed);
        let Some(owned) = self.groups.get_mut(at).and_then(Option::as_mut) else { return };
        // Numbers of members mean others from here on.
        owned.finish();
        let slot = owned.group.join(member, spec, moved, end);
        let mailbox = self.mailbox.clone();
        let wake: Arc<dyn Fn() + Send + Sync> = Arc::new(move || mailbox.push(Order::Drained(member)));
        let place = usize::from(slot.0);
        if place >= owned.outlets.len() {
            owned.outlets.resize_with(place + 1, || None);
        }
        if let Some(outlet) = owned.outlets.get_mut(place) {
            *outlet = Some(Outlet { outbox, wake, full: false, mirrors });
        }
        self.members.insert(member, Place { group: at, slot });
    }

    /// A group that this member may join, or a new one.
    fn group_for(&mut self, table: TableId, key: &Arc<GroupKey>, spec: &MemberSpec, freed: u64) -> usize {
        let fits = |o: &Owned| o.table == table && o.group.is_open() && **o.group.key() == **key;
        if Group::is_sociable(key, spec)
            && let Some(at) = self.groups.iter().position(|o| o.as_ref().is_some_and(fits))
        {
            return at;
        }
        let reader = self.reader_for(table, key.reading(), freed);
        let mut group = Group::new(key.clone(), self.ifaces.clone());
        group.set_roas(self.roas.clone());
        let owned = Owned { group, table, reader, encoding: Encoding::new(key), outlets: Vec::new() };
        match self.groups.iter().position(Option::is_none) {
            Some(free) => {
                if let Some(place) = self.groups.get_mut(free) {
                    *place = Some(owned);
                }
                free
            }
            None => {
                self.groups.push(Some(owned));
                self.groups.len() - 1
            }
        }
    }

    /// This thread's follower of a table, or a new one that needs numbers freed behind `freed`.
    fn reader_for(&mut self, table: TableId, reading: Reading, freed: u64) -> ReaderId {
        if let Some(reader) = self.readers.iter().find(|r| r.table == table && r.reading == reading) {
            return reader.id;
        }
        let id = ReaderId::next();
        let mailbox = self.mailbox.clone();
        let deliver = Box::new(move |portion| mailbox.push(Order::Given(id, portion)));
        self.tables.send(table, TableMsg::Follow(Follower { reader: id, reading, freed, deliver }));
        let (progress, said) = (Progress::default(), Progress::default());
        self.readers.push(Reader {
            id,
            table,
            reading,
            cursor: NetId(0),
            paging: false,
            asking: false,
            progress,
            said,
        });
        id
    }

    /// Takes a member out of its group, and drops the group if it was the last.
    fn remove(&mut self, member: MemberId, moves: bool) -> Option<Left> {
        let Place { group: at, slot } = self.members.remove(&member)?;
        let owned = self.groups.get_mut(at)?.as_mut()?;
        owned.finish();
        let spec = owned.group.members().find(|(s, ..)| *s == slot).map(|(.., spec)| spec.clone())?;
        let Outlet { outbox, mirrors, .. } = owned.outlets.get_mut(usize::from(slot.0))?.take()?;
        let moved = owned.group.leave(slot, moves);
        let (table, reader) = (owned.table, owned.reader);
        if owned.group.is_empty()
            && let Some(place) = self.groups.get_mut(at)
        {
            *place = None;
        }
        Some(Left { spec, table, reader, outbox, mirrors, moved })
    }

    /// Drops a follower, unless a group still reads through it.
    fn drop_reader(&mut self, id: ReaderId) {
        if self.groups.iter().flatten().any(|o| o.reader == id) {
            return;
        }
        if let Some(at) = self.readers.iter().position(|r| r.id == id) {
            let reader = self.readers.swap_remove(at);
            self.tables.send(reader.table, TableMsg::Unsubscribe(id));
        }
    }

    /// Has prefixes judged anew by a member's group, and by those that mirror it because it has no room for others.
    fn judge_anew(&mut self, member: MemberId, nets: &[NetId], before: &Arc<RoaTables>) {
        let Some((owned, _)) = self.place(member) else { return };
        owned.group.judge_anew(nets, before);
        let (table, key) = (owned.table, owned.group.key().clone());
        let like = |o: &&mut Owned| o.table == table && o.is_mirror() && **o.group.key() == *key;
        self.groups.iter_mut().flatten().filter(like).for_each(|o| o.group.judge_anew(nets, before));
    }

    fn refresh(&mut self, member: MemberId, enhanced: bool) {
        self.with(member, |owned, slot, advance| owned.group.refresh(slot, enhanced, advance));
    }

    fn rekey(&mut self, member: MemberId, key: Arc<GroupKey>) {
        let events = self.events.clone();
        let Some((owned, slot)) = self.place(member) else { return };
        if **owned.group.key() != *key {
            self.rejoin(member, |k, _| *k = key);
        } else if !owned.group.is_feeding(slot) {
            owned.say_fed(slot, &events);
        }
    }

    /// Takes a member from its group to the one where it belongs with another key or spec.
    fn rejoin(&mut self, member: MemberId, change: impl FnOnce(&mut Arc<GroupKey>, &mut MemberSpec)) {
        let Some((owned, _)) = self.place(member) else { return };
        let mut key = owned.group.key().clone();
        let Some(Left { mut spec, table, reader, outbox, mirrors, moved }) = self.remove(member, true) else { return };
        change(&mut key, &mut spec);
        let freed = self.readers.iter().find(|r| r.id == reader).map_or(0, |r| r.progress.freed);
        self.join(Join { member, table, key, spec, outbox, mirrors }, moved, None, freed);
        // Only now: between two followers no number must be given again that the member still holds.
        self.drop_reader(reader);
    }

    /// A portion of the journal for the groups of a follower.
    fn given(&mut self, id: ReaderId, portion: &Portion) {
        let Some(reader) = self.readers.iter_mut().find(|r| r.id == id) else { return };
        let mut more_follows = false;
        let (batch, part) = match portion {
            Portion::Changes { batch, more } => {
                reader.progress.used = batch.seq;
                reader.progress.taken += 1;
                more_follows = *more;
                (batch, Part::Changes)
            }
            Portion::Rest => {
                self.groups.iter_mut().flatten().filter(|o| o.reader == id).for_each(|o| o.rest(false));
                return;
            }
            Portion::Page { batch, from, next } => {
                reader.paging = false;
                reader.cursor = next.unwrap_or(NetId(0));
                (batch, Part::Page { from: *from, next: *next })
            }
            Portion::Asked(batch) => {
                reader.asking = false;
                (batch, Part::Asked)
            }
        };
        for owned in self.groups.iter_mut().flatten().filter(|o| o.reader == id) {
            let concerned = match part {
                Part::Changes => true,
                Part::Page { .. } => owned.group.is_walking(),
                Part::Asked => owned.group.holds_numbers(),
            };
            if concerned {
                owned.take(batch, part, more_follows, &mut self.advance, &self.events);
            }
        }
    }

    /// Asks for what groups want next, and tells tables how far we are.
    fn drive(&mut self) {
        for reader in &mut self.readers {
            let mut groups = self.groups.iter().flatten().filter(|o| o.reader == reader.id);
            if !reader.paging && groups.clone().any(|o| o.group.wants_page()) {
                reader.paging = true;
                self.tables.send(reader.table, TableMsg::Page(reader.id, reader.cursor));
            }
            if !reader.asking
                && let Some(wanted) = groups.clone().map(|o| o.group.wanted(ROWS_ASKED)).find(|w| !w.is_empty())
            {
                reader.asking = true;
                self.tables.send(reader.table, TableMsg::Ask(reader.id, wanted));
            }
            let holds = groups.any(|o| o.group.holds_numbers());
            let freed = if holds { reader.progress.freed } else { reader.progress.used };
            let progress = Progress { freed, ..reader.progress };
            if progress != reader.said {
                reader.progress = progress;
                reader.said = progress;
                self.tables.send(reader.table, TableMsg::Progress(reader.id, progress));
            }
        }
    }
}
