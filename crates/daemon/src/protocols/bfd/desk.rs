//! Where sessions of BFD are asked for, and who runs them.
//!
//! Any number may ask for the same neighbour; there is one session, and it stays
//! while anybody asks. Of the BFD protocols that `accept` it, the one that came up
//! first runs it, as in BIRD; while there is none, who asks is told `AdminDown`.
//!
//! Reports go from the thread of BFD through two numbers a session and a queue in
//! which a session stands at most once, so that thread never waits for us and a
//! neighbour that flaps fills nothing.

use super::{name_of, options};
use bfd::runner::{Answer, Hearing, Link, Report, Runner, SessionId, Spec};
use bfd::{Options, State};
use conf::config::{BfdConf, BfdSaid};
use route::{IfIndex, Ifaces, ProtocolId, Vrf};
use session::peer::{Manner, Wanted, Watch, Watcher};
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{mpsc, watch};

/// How somebody hears of a session: its state, and whether it was just lost. Called under the desk's lock: it must
/// neither wait nor ask.
pub type Hear = Arc<dyn Fn(State, bool) + Send + Sync>;

/// A BFD protocol that is up.
pub struct Keeper {
    /// Its number.
    pub id: ProtocolId,
    /// Its name, for log lines.
    pub name: Arc<str>,
    /// Its debug mask.
    pub debug: Arc<AtomicU32>,
    /// `vrf`: it runs sessions of who has the same; `None`: of all.
    pub vrf: Option<Vrf>,
    /// Its options.
    pub conf: BfdConf,
}

impl Keeper {
    /// Whether it runs such a session. `of`: the name of the VRF in which that is wanted.
    fn takes(&self, wanted: &Wanted, of: Option<&str>) -> bool {
        self.vrf.as_ref().is_none_or(|vrf| vrf.name.as_deref() == of)
            && self.conf.accept.takes(wanted.remote, wanted.link.is_some())
    }
}

/// See the head of this file. Cheap to clone.
#[derive(Clone)]
pub struct Desk {
    books: Arc<Mutex<Books>>,
    ifaces: watch::Receiver<Arc<Ifaces>>,
    reports: mpsc::UnboundedSender<u64>,
}

/// By what a session is told from others.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Key {
    OneHop(IpAddr, IfIndex),
    Multihop(IpAddr, IpAddr, Option<IfIndex>),
}

#[derive(Default)]
struct Books {
    runner: Option<Runner>,
    /// In the order in which they came up; the first that accepts a session runs it.
    keepers: Vec<Keeper>,
    /// Who asks, by number.
    asked: BTreeMap<u64, Asking>,
    /// What runs, by number.
    sessions: BTreeMap<u64, Running>,
    by_key: HashMap<Key, u64>,
    numbers: u64,
}

struct Asking {
    wanted: Wanted,
    /// What is asked otherwise than the keeper has it.
    said: Option<Arc<BfdSaid>>,
    hear: Hear,
}

struct Running {
    id: SessionId,
    /// Who runs it.
    keeper: ProtocolId,
    key: Key,
    link: Option<Arc<str>>,
    board: Arc<Board>,
    askers: Vec<u64>,
    /// What the first of them that says something asks otherwise.
    said: Option<Arc<BfdSaid>>,
    state: State,
    downs: u32,
}

/// What the thread of BFD last said of a session.
#[derive(Default)]
struct Board {
    /// The state above, the number of downs below.
    said: AtomicU64,
    /// It stands in the queue.
    queued: AtomicBool,
}

impl Board {
    fn write(&self, report: Report) {
        let said = u64::from(report.state.code()) << 32 | u64::from(report.downs);
        self.said.store(said, Ordering::Release);
    }

    fn read(&self) -> (State, u32) {
        let said = self.said.load(Ordering::Acquire);
        (State::from_code((said >> 32) as u8), said as u32)
    }
}

/// A session asked for; it is so until this is dropped.
pub struct Asked {
    desk: Desk,
    number: u64,
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.desk.release(self.number);
    }
}

impl Desk {
    /// Opens it. Must be called inside the runtime.
    pub fn open(ifaces: watch::Receiver<Arc<Ifaces>>) -> Self {
        let (reports, mut heard) = mpsc::unbounded_channel();
        let books: Arc<Mutex<Books>> = Arc::default();
        let weak = Arc::downgrade(&books);
        tokio::spawn(async move {
            while let Some(session) = heard.recv().await {
                let Some(books) = weak.upgrade() else { return };
                let mut books = books.lock().unwrap_or_else(PoisonError::into_inner);
                books.hear(session);
            }
        });
        Self { books, ifaces, reports }
    }

    /// Asks for a session, `said` otherwise than it would be; `hear` is told its state at once and when it changes.
    pub fn ask(&self, wanted: Wanted, said: Option<Arc<BfdSaid>>, hear: Hear) -> Asked {
        let mut books = self.books();
        books.numbers += 1;
        let number = books.numbers;
        books.asked.insert(number, Asking { wanted, said, hear });
        self.attach(&mut books, number);
        drop(books);
        Asked { desk: self.clone(), number }
    }

    /// A BFD protocol comes up.
    pub fn begin(&self, keeper: Keeper) {
        let mut books = self.books();
        if books.runner.is_none() {
            match Runner::start() {
                Ok(runner) => books.runner = Some(runner),
                Err(error) => return tracing::error!("{}: no thread for BFD: {error}", keeper.name),
            }
        }
        books.keepers.push(keeper);
        self.attach_all(&mut books);
    }

    /// It goes down, its sessions with it; another one that is up takes over who asked.
    pub fn end(&self, id: ProtocolId) {
        let mut books = self.books();
        books.keepers.retain(|k| k.id != id);
        books.end_of(id);
        self.attach_all(&mut books);
    }

    /// It has new options; sessions stay.
    pub fn reconfigure(&self, keeper: Keeper) {
        let mut books = self.books();
        let Some(place) = books.keepers.iter().position(|k| k.id == keeper.id) else { return };
        if let Some(runner) = books.runner.clone() {
            for running in books.sessions.values().filter(|s| s.keeper == keeper.id) {
                let said = running.said.as_deref();
                runner.reconfigure(running.id, options(&keeper.conf, running.link.as_deref(), said));
            }
        }
        if let Some(known) = books.keepers.get_mut(place) {
            *known = keeper;
        }
    }

    /// The sessions that a protocol runs.
    pub fn views(&self, id: ProtocolId, answer: Answer) {
        let books = self.books();
        match books.runner.clone() {
            Some(runner) => {
                runner.views(books.sessions.values().filter(|s| s.keeper == id).map(|s| s.id).collect(), answer);
            }
            None => answer(Vec::new()),
        }
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives a session to those who have none.
    fn attach_all(&self, books: &mut Books) {
        let without = |(number, asking): (&u64, &Asking)| (!books.serves(*number, asking)).then_some(*number);
        for number in books.asked.iter().filter_map(without).collect::<Vec<_>>() {
            self.attach(books, number);
        }
    }

    /// Gives an asker its session, which is begun when it is the first to ask.
    fn attach(&self, books: &mut Books, number: u64) {
        let Some(asking) = books.asked.get(&number) else { return };
        let (wanted, asked, hear) = (asking.wanted, asking.said.clone(), Arc::clone(&asking.hear));
        let key = key(&wanted);
        let known = books.by_key.get(&key).copied();
        if let Some((session, running)) = known.and_then(|n| Some((n, books.sessions.get_mut(&n)?))) {
            running.askers.push(number);
            hear(running.state, false);
            return books.retune(session);
        }
        hear(State::AdminDown, false);
        // A device may have just gone; who asks will notice.
        let Some([link, vrf]) = self.devices([wanted.link, wanted.vrf]) else { return };
        let keeper = books.keepers.iter().find(|k| k.takes(&wanted, vrf.as_ref().map(|device| &*device.name)));
        let Some((runner, keeper)) = books.runner.clone().zip(keeper) else { return };
        let options: Options = options(&keeper.conf, link.as_ref().map(|l| &*l.name), asked.as_deref());
        let board = Arc::new(Board::default());
        let (name, debug, keeper, hearing) =
            (Arc::clone(&keeper.name), Arc::clone(&keeper.debug), keeper.id, hearing(&keeper.conf));
        books.numbers += 1;
        let session = books.numbers;
        let (said, reports) = (Arc::clone(&board), self.reports.clone());
        let tell = Box::new(move |report| {
            said.write(report);
            if !said.queued.swap(true, Ordering::AcqRel) {
                let _ = reports.send(session);
            }
        });
        let name_of_link = link.as_ref().map(|l| Arc::clone(&l.name));
        let Wanted { remote, local, .. } = wanted;
        let id = runner.add(Spec { name, debug, remote, local, link, vrf, options, hearing, tell });
        let running = Running {
            id,
            keeper,
            key,
            link: name_of_link,
            board,
            askers: vec![number],
            said: asked,
            state: State::Down,
            downs: 0,
        };
        books.sessions.insert(session, running);
        books.by_key.insert(key, session);
    }

    /// Links with their names; `None`: one of them is not there.
    fn devices(&self, numbers: [Option<IfIndex>; 2]) -> Option<[Option<Link>; 2]> {
        let ifaces = self.ifaces.borrow();
        let [mut link, mut vrf] = [None, None];
        for (device, number) in [(&mut link, numbers[0]), (&mut vrf, numbers[1])] {
            if let Some(number) = number {
                *device = Some(Link { index: number.0, name: name_of(&ifaces, number)? });
            }
        }
        Some([link, vrf])
    }

    fn release(&self, number: u64) {
        let mut books = self.books();
        let Some(asking) = books.asked.remove(&number) else { return };
        let Some(session) = books.by_key.get(&key(&asking.wanted)).copied() else { return };
        let Some(running) = books.sessions.get_mut(&session) else { return };
        running.askers.retain(|asker| *asker != number);
        if running.askers.is_empty() {
            let (id, key) = (running.id, running.key);
            books.sessions.remove(&session);
            books.by_key.remove(&key);
            if let Some(runner) = &books.runner {
                runner.remove(id);
            }
            return;
        }
        books.retune(session);
    }
}

impl Books {
    /// Gives a session what those who ask for it now say.
    fn retune(&mut self, session: u64) {
        let Some(running) = self.sessions.get_mut(&session) else { return };
        let said = running.askers.iter().find_map(|asker| self.asked.get(asker)?.said.clone());
        if running.said == said {
            return;
        }
        running.said = said;
        let keeper = self.keepers.iter().find(|k| k.id == running.keeper);
        if let Some((runner, keeper)) = self.runner.as_ref().zip(keeper) {
            let said = running.said.as_deref();
            runner.reconfigure(running.id, options(&keeper.conf, running.link.as_deref(), said));
        }
    }

    /// A session has something to say.
    fn hear(&mut self, session: u64) {
        let Some(running) = self.sessions.get_mut(&session) else { return };
        running.board.queued.store(false, Ordering::Release);
        let (state, downs) = running.board.read();
        let lost = downs != running.downs;
        (running.state, running.downs) = (state, downs);
        for asker in &running.askers {
            if let Some(asking) = self.asked.get(asker) {
                (asking.hear)(state, lost);
            }
        }
    }

    /// Whether somebody who asks has a session.
    fn serves(&self, number: u64, asking: &Asking) -> bool {
        let running = self.by_key.get(&key(&asking.wanted)).and_then(|session| self.sessions.get(session));
        running.is_some_and(|running| running.askers.contains(&number))
    }

    /// Ends the sessions of a protocol.
    fn end_of(&mut self, keeper: ProtocolId) {
        let its = |(number, running): (&u64, &Running)| (running.keeper == keeper).then_some(*number);
        for number in self.sessions.iter().filter_map(its).collect::<Vec<_>>() {
            let Some(running) = self.sessions.remove(&number) else { continue };
            self.by_key.remove(&running.key);
            if let Some(runner) = &self.runner {
                runner.remove(running.id);
            }
            // Held down by the operator is no loss (RFC 5882 4.2).
            for asking in running.askers.iter().filter_map(|asker| self.asked.get(asker)) {
                (asking.hear)(State::AdminDown, false);
            }
        }
    }
}

/// The port that a protocol's sessions hear on.
const fn hearing(conf: &BfdConf) -> Hearing {
    Hearing { strict: conf.strict_bind, zero_checksum: conf.zero_udp6 }
}

const fn key(wanted: &Wanted) -> Key {
    match wanted.link {
        Some(link) => Key::OneHop(wanted.remote, link),
        None => Key::Multihop(wanted.remote, wanted.local, wanted.vrf),
    }
}

impl Watcher for Desk {
    fn watch(&self, wanted: Wanted, manner: Option<&Manner>) -> Watch {
        let (told, losses) = watch::channel(0);
        let hear = move |_, lost| {
            if lost {
                told.send_modify(|losses: &mut u32| *losses = losses.wrapping_add(1));
            }
        };
        let said = manner.and_then(|manner| Arc::clone(&manner.0).downcast().ok());
        Watch { losses, guard: Box::new(self.ask(wanted, said, Arc::new(hear))) }
    }
}
