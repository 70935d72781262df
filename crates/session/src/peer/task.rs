//! The task of one peer: the machine, its connections, and the way from octets to the table.
//!
//! The loop waits for one thing at a time: the machine's deadline, a command, a
//! connection offered, our own attempt, a socket that can be read or written,
//! something in the outbox, other links. What follows is done at once and never
//! waits: tables and groups take messages without blocking, a full socket keeps
//! its pieces.
//!
//! The socket of the session is read only with a permit in hand, and the permit
//! goes with the batch until the table has applied it: so a slow table slows the
//! neighbour and fills no queue of ours.

mod backlog;
mod carry;
mod commands;
mod dynamic;
mod keys;
mod listening;
mod liveness;
mod monitor;
mod octets;
mod record;
pub(super) mod states;

use super::live::Channel;
use super::words::{self, Place};
use super::{Command, DebugMask, Deps, PeerSpec};
use crate::conn::{Conn, Connecting};
use crate::dynamic::Dynamic;
use crate::intake::{Intake, Line, SourceIds};
use crate::limiter::{Limiter, Restarts};
use crate::listen::Incoming;
use crate::monitor::SessionUp;
use crate::outbox::Outbox;
use crate::sockopt;
use crate::status::{Announced, PeerStatus, ProtoState, Timer};
use fsm::{Class, Event, Machine, Reach, Stop, Which};
use route::{IfIndex, Iface, Ifaces, Moment, vrf};
use std::future::pending;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};

/// Batches that may be on their way to the table.
const BATCHES_IN_FLIGHT: usize = 4;

/// See the head of this file.
pub(super) struct Task {
    spec: Arc<PeerSpec>,
    deps: Deps,
    seen: watch::Sender<PeerStatus>,
    status: PeerStatus,
    machine: Machine,
    /// Links and addresses, of the VRF if there is one.
    ifaces: Arc<Ifaces>,
    /// The neighbour's link, shared with the listener; 0: none, or any.
    link: Arc<AtomicU32>,
    listening: listening::Part,
    keys: keys::Part,
    offered: Option<Conn>,
    connecting: Option<Connecting>,
    out: Option<Conn>,
    inc: Option<Conn>,
    /// Connections that are over and not ended yet.
    parting: Vec<Conn>,
    session: Option<Session>,
    /// The session, as monitoring stations see it.
    monitored: Option<Arc<SessionUp>>,
    channels: Vec<Channel>,
    sources: SourceIds,
    batches: Arc<Semaphore>,
    permit: Option<OwnedSemaphorePermit>,
    /// Our own graceful restart is going on.
    restarting: bool,
    /// By limits.
    restarts: Restarts,
    /// BFD watches the neighbour.
    watched: Option<liveness::Watched>,
    decided: Option<liveness::Decided>,
    dynamic: dynamic::Part,
}

/// What exists only while the session is established.
struct Session {
    which: Which,
    place: Place,
    intake: Intake,
    outbox: Arc<Outbox>,
    octets_max: usize,
    /// An UPDATE came since the machine was last told.
    heard: bool,
    /// Since when the neighbour has taken nothing though something waits, and what it had taken by then.
    stuck: Option<(Moment, u64)>,
    /// When the neighbour last took something, and what it had taken then.
    took: (Moment, u64),
    backlog: backlog::Backlog,
    /// What the neighbour says out of its turn.
    doubts: Limiter,
}

impl Task {
    pub(super) fn new(spec: PeerSpec, deps: Deps, seen: watch::Sender<PeerStatus>) -> Self {
        let spec = Arc::new(spec);
        let ifaces = vrf::seen(spec.vrf.as_ref(), &deps.ifaces.borrow());
        let restarting = !deps.recovery.is_over();
        let seed = route::attrs::hash_octets(spec.name.as_bytes());
        let mut machine = Machine::new(words::machine_config(&spec, restarting), seed);
        let (reach, link) = reach(&spec, &ifaces);
        let now = deps.clock.now();
        machine.handle(now, Event::Reach(reach));
        let channels = spec.channels.iter().cloned().map(Channel::new).collect();
        let mut task = Self {
            status: PeerStatus { since: now, ..PeerStatus::default() },
            seen,
            machine,
            ifaces,
            link: Arc::new(AtomicU32::new(link.0)),
            listening: listening::Part::default(),
            keys: keys::Part::default(),
            offered: None,
            connecting: None,
            out: None,
            inc: None,
            parting: Vec::new(),
            session: None,
            monitored: None,
            channels,
            sources: SourceIds::new(Arc::clone(&deps.sources)),
            batches: Arc::new(Semaphore::new(BATCHES_IN_FLIGHT)),
            permit: None,
            restarting,
            restarts: Restarts::new(now),
            watched: None,
            decided: None,
            dynamic: dynamic::Part::default(),
            spec,
            deps,
        };
        task.hold_recovery();
        task.listen();
        task.publish();
        task
    }

    pub(super) async fn run(mut self, mut inbox: mpsc::UnboundedReceiver<Command>) {
        let mut ifaces = self.deps.ifaces.clone();
        ifaces.mark_unchanged();
        loop {
            let happened = self.wait(&mut inbox, &mut ifaces).await;
            let Some(happened) = happened else { break };
            // Reading may have taken milliseconds, and there is always more to read: others have their turn first.
            let is_long = matches!(happened, Happened::Ready(..) | Happened::Again);
            self.happen(happened);
            self.follow_liveness();
            self.write_all();
            self.end_when_over();
            self.publish();
            self.part();
            if is_long {
                tokio::task::yield_now().await;
            }
        }
        // Nobody holds the peer any more: it is gone from the configuration.
        self.handle(Event::Stop(Stop::Cease { subcode: 3, text: String::new() }));
        self.part();
    }

    /// Waits for the next thing; `None`: there will be none. Cancel safe at every point.
    async fn wait(
        &mut self,
        inbox: &mut mpsc::UnboundedReceiver<Command>,
        ifaces: &mut watch::Receiver<Arc<Ifaces>>,
    ) -> Option<Happened> {
        let deadlines = [self.machine.next_deadline(), self.listening.again, self.stuck_at()];
        let deadline = deadlines.into_iter().flatten().min();
        let deadline = deadline.map(|at| self.deps.clock.instant(at));
        let up = self.session.as_ref().map(|s| s.which);
        let reads = |which| up != Some(which) || self.permit.is_some();
        let session = self.session.as_ref();
        let conn = session.and_then(|s| if s.which == Which::Outgoing { self.out.as_ref() } else { self.inc.as_ref() });
        let flowing = session.filter(|_| conn.is_some_and(|c| !c.is_blocked()));
        let least = self.spec.tx_size_warning;
        let swelling = session.zip(conn).and_then(|(s, c)| Some((&*s.outbox, s.backlog.awaits(least, c)?)));
        let batches = Arc::clone(&self.batches);
        let again = self.permit.is_some() && self.session.as_ref().is_some_and(|s| s.intake.is_judging_again());
        tokio::select! {
            biased;
            () = sleep_until(deadline) => Some(Happened::Time),
            command = inbox.recv() => command.map(Happened::Command),
            () = liveness::lost(self.watched.as_mut()) => Some(Happened::NeighborLost),
            conn = self.listening.incoming() => Some(Happened::Offered(conn)),
            conn = attempt(&mut self.connecting) => Some(Happened::Connected(conn)),
            permit = batches.acquire_owned(), if up.is_some() && self.permit.is_none() => {
                permit.ok().map(Happened::Permit)
            }
            () = std::future::ready(()), if again => Some(Happened::Again),
            ready = ready(self.out.as_ref(), reads(Which::Outgoing)) => Some(Happened::Ready(Which::Outgoing, ready)),
            ready = ready(self.inc.as_ref(), reads(Which::Incoming)) => Some(Happened::Ready(Which::Incoming, ready)),
            () = to_write(flowing.map(|s| &*s.outbox)) => Some(Happened::Outbox),
            () = swollen(swelling) => Some(Happened::Outbox),
            changed = ifaces.changed() => Some(match changed {
                Ok(()) => Happened::Ifaces(vrf::seen(self.spec.vrf.as_ref(), &ifaces.borrow_and_update())),
                Err(_) => return pending().await,
            }),
            () = self.deps.recovery.over(), if self.restarting => Some(Happened::Recovered),
        }
    }

    fn happen(&mut self, happened: Happened) {
        match happened {
            Happened::Time => self.time(),
            Happened::Command(command) => self.command(command),
            Happened::Offered(incoming) => self.offer(incoming),
            Happened::Connected(Ok(conn)) => {
                self.connecting = None;
                self.out = Some(conn);
                self.handle(Event::Connected);
            }
            Happened::Connected(Err(error)) => {
                self.connecting = None;
                self.handle(Event::ConnectFailed(sockopt::words(&error)));
            }
            Happened::Permit(permit) => self.permit = Some(permit),
            Happened::Again => self.judge_again(),
            Happened::Ready(which, Ok(ready)) => {
                if ready.is_readable() || ready.is_read_closed() || ready.is_error() {
                    self.read(which);
                }
            }
            Happened::Ready(which, Err(error)) => self.lost(which, &error),
            // What is there is written after every event.
            Happened::Outbox => {}
            Happened::Ifaces(ifaces) => self.see_ifaces(ifaces),
            Happened::Recovered => self.recovered(),
            Happened::NeighborLost => self.neighbor_lost(),
        }
    }

    fn say(&self, class: Class, text: &str) {
        let name = &self.spec.name;
        match class {
            Class::Error => tracing::error!("{name}: {text}"),
            Class::Warning => tracing::warn!("{name}: {text}"),
            Class::Info => tracing::info!("{name}: {text}"),
            Class::Remote => tracing::info!(target: "remote", "{name}: {text}"),
            Class::States => self.trace(DebugMask::STATES, text),
            Class::Events => self.trace(DebugMask::EVENTS, text),
            Class::Packets => self.trace(DebugMask::PACKETS, text),
        }
    }

    fn say_line(&self, line: Line) {
        let name = &self.spec.name;
        match line {
            Line::Warning(text) => tracing::warn!("{name}: {text}"),
            Line::Error(text) => tracing::error!("{text}"),
            Line::Remote(text) => tracing::info!(target: "remote", "{name}: {text}"),
            Line::Info(text) => tracing::info!("{text}"),
            Line::Bogus(net) => tracing::warn!("Ignoring bogus route {net} received via {name}"),
        }
    }

    fn trace(&self, class: DebugMask, text: &str) {
        trace(&self.spec, class, text);
    }

    fn publish(&mut self) {
        let can_import_again = self.can_import_again();
        let machine = &self.machine;
        let status = &mut self.status;
        let negotiated = machine.negotiated();
        let none = Timer { expires: Moment(0), total_s: 0 };
        let started = status.proto == ProtoState::Start;
        status.bgp_state = machine.phase().word();
        status.last_error = machine.last_error().cloned();
        status.peer_addr = Some(self.spec.peer_addr);
        status.peer_as = self.spec.peer_as;
        status.peer_id = negotiated.map(|n| n.peer.router_id);
        status.source_addr = self.session.as_ref().map(|s| s.place.local);
        status.hold = negotiated.map(|_| machine.hold_timer().unwrap_or(none));
        status.keepalive = negotiated.map(|_| machine.keepalive_timer().unwrap_or(none));
        let took = self.session.as_ref().filter(|_| self.spec.terms.send_hold_s.is_some()).map(|s| s.took.0);
        status.send_hold = took.map(|at| machine.send_hold_s().map_or(none, |s| whole(at, s)));
        status.error_wait = machine.error_wait().filter(|_| started);
        status.connect_delay = machine.connect_delay().filter(|_| started);
        status.restart_active = machine.is_restarting();
        status.restart = machine.restart_timer();
        status.stale = machine.stale_timer();
        status.can_refresh = can_import_again;
        if (status.caps.is_empty() && status.session.is_empty()) != negotiated.is_none() {
            status.caps = negotiated.map_or(Vec::new(), words::caps_words);
            status.session = negotiated.map_or(Vec::new(), |n| words::session_words(&self.spec, n));
            status.announced = negotiated.map(|n| {
                let theirs = n.peer.capabilities.clone().unwrap_or_default();
                Arc::new(Announced { ours: n.ours.clone(), theirs })
            });
        }
        status.channels.clear();
        status.channels.extend(self.channels.iter().map(Channel::status));
        self.seen.send_if_modified(|seen| {
            // Timers move with every message; nobody needs to be woken for that.
            (seen.hold, seen.keepalive, seen.send_hold) = (status.hold, status.keepalive, status.send_hold);
            let changed = seen != status;
            if changed {
                seen.clone_from(status);
            }
            changed
        });
    }
}

/// What the loop waits for.
enum Happened {
    Time,
    Command(Command),
    Offered(Incoming),
    Connected(io::Result<Conn>),
    Permit(OwnedSemaphorePermit),
    Ready(Which, io::Result<tokio::io::Ready>),
    Outbox,
    Ifaces(Arc<Ifaces>),
    Recovered,
    NeighborLost,
    /// What was received is judged again, and the table has room.
    Again,
}

fn trace(spec: &PeerSpec, class: DebugMask, text: &str) {
    if spec.debug.has(class) {
        tracing::info!(target: "trace", "{}: {text}", spec.name);
    }
}

/// Whether the neighbour can be talked to, and its link (0 for a multihop neighbour).
fn reach(spec: &PeerSpec, ifaces: &Ifaces) -> (Reach, IfIndex) {
    if spec.multihop.is_some() || matches!(spec.dynamic, Dynamic::Range(_)) {
        return (Reach::Ready, IfIndex(0));
    }
    let link = match &spec.iface {
        Some(name) => ifaces.by_name(name).filter(|l| l.is_up() && lies_on(spec, l)),
        None => ifaces.neighbor(spec.peer_addr).map(|(link, _)| link),
    };
    let Some(link) = link else { return (Reach::Absent, IfIndex(0)) };
    if spec.check_link && !link.flags.link_up {
        return (Reach::LinkDown(link.name.to_string()), link.index);
    }
    (Reach::Ready, link.index)
}

/// Whether the neighbour can be on this link.
fn lies_on(spec: &PeerSpec, link: &Iface) -> bool {
    spec.onlink || is_link_local(spec.peer_addr) || link.facing(spec.peer_addr).is_some()
}

fn is_link_local(addr: IpAddr) -> bool {
    matches!(addr, IpAddr::V6(a) if a.is_unicast_link_local())
}

fn unspecified(like: IpAddr) -> IpAddr {
    match like {
        IpAddr::V4(_) => std::net::Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => std::net::Ipv6Addr::UNSPECIFIED.into(),
    }
}

/// A timer that has run since then.
fn whole(since: Moment, total_s: u64) -> Timer {
    Timer::exact(since, u32::try_from(total_s).unwrap_or(u32::MAX))
}

async fn sleep_until(deadline: Option<std::time::Instant>) {
    match deadline {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => pending().await,
    }
}

async fn attempt(connecting: &mut Option<Connecting>) -> io::Result<Conn> {
    match connecting {
        Some(connecting) => connecting.await,
        None => pending().await,
    }
}

async fn ready(conn: Option<&Conn>, reads: bool) -> io::Result<tokio::io::Ready> {
    match conn {
        Some(conn) => conn.ready(reads).await,
        None => pending().await,
    }
}

async fn to_write(outbox: Option<&Outbox>) {
    match outbox {
        Some(outbox) => outbox.ready().await,
        None => pending().await,
    }
}

async fn swollen(outbox: Option<(&Outbox, usize)>) {
    match outbox {
        Some((outbox, octets)) => outbox.reaches(octets).await,
        None => pending().await,
    }
}
