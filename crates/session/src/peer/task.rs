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

use super::live::Channel;
use super::words::{self, Place};
use super::{Command, Deps, PeerSpec, Refilter, StopReason};
use crate::conn::{self, Conn, Connecting, Read, SCRATCH_OCTETS};
use crate::intake::{Intake, Line, SourceIds};
use crate::listen::{Incoming, Registration, Wanted};
use crate::outbox::{OCTETS_MAX, Outbox};
use crate::sockopt;
use crate::status::{PeerStatus, ProtoState, Timer};
use fsm::{Action, Class, Event, Keep, Life, Machine, Reach, Stop, Which};
use rib::batch::{LimitAction, LimitKind, TableEvent};
use route::{Family, IfIndex, Ifaces, Moment, Source};
use std::cell::RefCell;
use std::future::pending;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};
use wire::frame::{self, EXTENDED_OCTETS_MAX, KEEPALIVE, MESSAGE_OCTETS_MAX, Next};
use wire::refresh::Subtype;
use wire::{Frame, Kind, Message, RouteRefresh};

/// Batches that may be on their way to the table.
const BATCHES_IN_FLIGHT: usize = 4;
/// How often a listening socket that could not be opened is tried.
const LISTEN_RETRY_S: u64 = 10;

thread_local! {
    /// Where all connections of a worker read into.
    static SCRATCH: RefCell<Vec<u8>> = RefCell::new(vec![0; SCRATCH_OCTETS]);
}

/// See the head of this file.
pub(super) struct Task {
    spec: Arc<PeerSpec>,
    deps: Deps,
    seen: watch::Sender<PeerStatus>,
    status: PeerStatus,
    machine: Machine,
    ifaces: Arc<Ifaces>,
    /// The neighbour's link, shared with the listener; 0: none, or any.
    link: Arc<AtomicU32>,
    registration: Option<Registration>,
    incoming: Option<mpsc::Receiver<Incoming>>,
    listen_again: Option<Moment>,
    offered: Option<Conn>,
    connecting: Option<Connecting>,
    out: Option<Conn>,
    inc: Option<Conn>,
    session: Option<Session>,
    channels: Vec<Channel>,
    sources: SourceIds,
    batches: Arc<Semaphore>,
    permit: Option<OwnedSemaphorePermit>,
    /// Our own graceful restart is going on.
    restarting: bool,
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
}

impl Task {
    pub(super) fn new(spec: PeerSpec, deps: Deps, seen: watch::Sender<PeerStatus>) -> Self {
        let spec = Arc::new(spec);
        let ifaces = deps.ifaces.borrow().clone();
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
            registration: None,
            incoming: None,
            listen_again: None,
            offered: None,
            connecting: None,
            out: None,
            inc: None,
            session: None,
            channels,
            sources: SourceIds::new(Arc::clone(&deps.sources)),
            batches: Arc::new(Semaphore::new(BATCHES_IN_FLIGHT)),
            permit: None,
            restarting,
            spec,
            deps,
        };
        task.trace(STATES, "Initializing");
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
            self.happen(happened);
            self.write_all();
            self.publish();
        }
        // Nobody holds the peer any more: it is gone from the configuration.
        self.handle(Event::Stop(Stop::Cease { subcode: 3, text: String::new() }));
    }

    /// Waits for the next thing; `None`: there will be none. Cancel safe at every point.
    async fn wait(
        &mut self,
        inbox: &mut mpsc::UnboundedReceiver<Command>,
        ifaces: &mut watch::Receiver<Arc<Ifaces>>,
    ) -> Option<Happened> {
        let deadlines = [self.machine.next_deadline(), self.listen_again, self.stuck_at()];
        let deadline = deadlines.into_iter().flatten().min();
        let deadline = deadline.map(|at| self.deps.clock.instant(at));
        let up = self.session.as_ref().map(|s| s.which);
        let reads = |which| up != Some(which) || self.permit.is_some();
        let flowing = self.session.as_ref().filter(|s| {
            let conn = if s.which == Which::Outgoing { &self.out } else { &self.inc };
            conn.as_ref().is_some_and(|c| !c.is_blocked())
        });
        let batches = Arc::clone(&self.batches);
        tokio::select! {
            biased;
            () = sleep_until(deadline) => Some(Happened::Time),
            command = inbox.recv() => command.map(Happened::Command),
            conn = incoming(&mut self.incoming) => Some(Happened::Offered(conn)),
            conn = attempt(&mut self.connecting) => Some(Happened::Connected(conn)),
            permit = batches.acquire_owned(), if up.is_some() && self.permit.is_none() => {
                permit.ok().map(Happened::Permit)
            }
            ready = ready(self.out.as_ref(), reads(Which::Outgoing)) => Some(Happened::Ready(Which::Outgoing, ready)),
            ready = ready(self.inc.as_ref(), reads(Which::Incoming)) => Some(Happened::Ready(Which::Incoming, ready)),
            () = to_write(flowing.map(|s| &*s.outbox)) => Some(Happened::Outbox),
            changed = ifaces.changed() => Some(match changed {
                Ok(()) => Happened::Ifaces(ifaces.borrow_and_update().clone()),
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
        }
    }

    // ---- events

    fn time(&mut self) {
        let now = self.deps.clock.now();
        if self.listen_again.is_some_and(|at| at <= now) {
            self.listen_again = None;
            self.listen();
        }
        for which in [Which::Outgoing, Which::Incoming] {
            let unread = self.conn(which).is_some_and(Conn::has_unread);
            if unread && self.machine.is_hold_due(which, now) {
                self.handle(Event::OctetsWaiting(which));
            }
        }
        if let Some(which) = self.session.as_ref().map(|s| s.which)
            && self.stuck_at().is_some_and(|at| at <= now)
        {
            self.handle(Event::Stuck(which));
        }
        self.handle(Event::Tick);
    }

    /// When the neighbour will have taken nothing for too long (RFC 9687).
    fn stuck_at(&self) -> Option<Moment> {
        let (since, _) = self.session.as_ref()?.stuck?;
        Some(since.plus_s(self.machine.send_hold_s()?))
    }

    fn watch_writing(&mut self) {
        let now = self.deps.clock.now();
        let Some(session) = &mut self.session else { return };
        let conn = if session.which == Which::Outgoing { &self.out } else { &self.inc };
        session.stuck = match (conn, session.stuck) {
            (Some(conn), Some((since, taken))) if conn.is_blocked() && conn.taken() == taken => Some((since, taken)),
            (Some(conn), _) if conn.is_blocked() => Some((now, conn.taken())),
            _ => None,
        };
    }

    fn command(&mut self, command: Command) {
        match command {
            Command::Start => {
                self.status.disabled = false;
                self.hold_recovery();
                self.handle(Event::Start);
            }
            Command::Stop { reason, message, done } => self.stop(reason, message, done),
            Command::ReloadIn => self.ask_for_routes(None),
            Command::ReloadOut => {
                let enhanced = self.machine.negotiated().is_some_and(|n| n.enhanced_refresh);
                for member in self.channels.iter().filter_map(Channel::member) {
                    self.deps.exports.refresh(member, enhanced);
                }
            }
            Command::Reconfigure { spec, refilter, done } => {
                let _ = done.send(self.reconfigure(*spec, refilter));
            }
            Command::Debug(mask) => {
                let mut spec = PeerSpec::clone(&self.spec);
                spec.debug = mask;
                self.spec = Arc::new(spec);
            }
            Command::Event(event) => self.table_event(&event),
        }
    }

    fn stop(&mut self, reason: StopReason, message: Option<Arc<str>>, done: oneshot::Sender<()>) {
        let subcode = match reason {
            StopReason::Disable | StopReason::Down => 2,
            StopReason::Deconfigured => 3,
            StopReason::Restart => 4,
            StopReason::Reconfigure => 6,
            StopReason::GracefulRestart => 0,
        };
        let text = message.map_or(String::new(), |m| m.to_string());
        let stop = match reason {
            StopReason::GracefulRestart => Stop::Silent,
            _ => Stop::Cease { subcode, text },
        };
        self.handle(Event::Stop(stop));
        self.status.disabled = false;
        if reason == StopReason::Restart {
            self.handle(Event::Start);
        } else {
            for channel in &mut self.channels {
                channel.hold = None;
            }
        }
        let _ = done.send(());
    }

    /// ROUTE-REFRESH for one family or all.
    fn ask_for_routes(&mut self, only: Option<Family>) {
        let Some(negotiated) = self.machine.negotiated() else { return };
        if !negotiated.refresh {
            return;
        }
        let families: Vec<Family> = negotiated.families.clone();
        for family in families.into_iter().filter(|f| only.is_none_or(|o| o == *f)) {
            self.trace(PACKETS, "Sending ROUTE-REFRESH");
            let Some(conn) = self.session_conn() else { return };
            RouteRefresh::encode(family, Subtype::Request, conn.own());
        }
    }

    fn reconfigure(&mut self, spec: PeerSpec, refilter: Refilter) -> bool {
        if refilter.import && self.session.is_some() && !self.machine.negotiated().is_some_and(|n| n.refresh) {
            return false;
        }
        self.machine.reconfigure(words::machine_config(&spec, self.restarting));
        self.spec = Arc::new(spec);
        let session = self.session.as_ref().map(|s| s.place);
        let negotiated = self.machine.negotiated().cloned();
        let session = negotiated.as_ref().zip(session);
        for channel in &mut self.channels {
            let new = self.spec.channels.iter().find(|c| c.family == channel.family());
            if let Some(new) = new {
                let session = session.filter(|_| refilter.export);
                channel.reconfigure(&self.deps, &self.spec, new.clone(), session);
            }
        }
        if let Some(session) = &mut self.session {
            session.intake.reconfigure(Arc::clone(&self.spec));
        }
        if refilter.import {
            self.ask_for_routes(None);
        }
        true
    }

    fn table_event(&mut self, event: &TableEvent) {
        let name = Arc::clone(&self.spec.name);
        match event {
            TableEvent::Log { text, .. } => tracing::error!("{name}: {text}"),
            TableEvent::Printed { text, .. } => tracing::info!("{text}"),
            TableEvent::Limit { channel, generation, which, limit } => {
                let current = |c: &&Channel| c.spec.channel == *channel && c.generation == *generation;
                if !self.channels.iter().any(|c| current(&c)) {
                    return;
                }
                let (kind, subcode) = match which {
                    LimitKind::Receive => ("receive", 1),
                    LimitKind::Import => ("import", 1),
                    LimitKind::Export => ("export", 2),
                };
                let (action, restart) = match limit.action {
                    LimitAction::Warn => ("warn", None),
                    LimitAction::Block => ("block", None),
                    LimitAction::Restart => ("restart", Some(true)),
                    LimitAction::Disable => ("disable", Some(false)),
                };
                let routes_max = limit.routes_max;
                tracing::warn!("Protocol {name} hits route {kind} limit ({routes_max}), action: {action}");
                let Some(restart) = restart else { return };
                if *which != LimitKind::Export {
                    tracing::warn!("{name}: Route limit exceeded, shutting down");
                }
                let subcode = if restart && subcode == 2 { 4 } else { subcode };
                self.handle(Event::Limit { subcode, restart });
            }
        }
    }

    fn offer(&mut self, incoming: Incoming) {
        let Incoming { stream, remote, local } = incoming;
        let prepared = conn::prepare_accepted(&self.spec, &stream);
        self.offered = prepared.is_ok().then(|| Conn::new(stream, remote, local));
        if let Err(error) = prepared {
            tracing::error!("{}: Socket error: {}", self.spec.name, sockopt::words(&error));
            return;
        }
        self.handle(Event::Offered);
    }

    fn see_ifaces(&mut self, ifaces: Arc<Ifaces>) {
        self.ifaces = ifaces;
        let (reach, link) = reach(&self.spec, &self.ifaces);
        self.link.store(link.0, Ordering::Relaxed);
        // Another link or another address of ours: the session as it stands is not with this neighbour any more.
        let place = self.session.as_ref().map(|s| s.place);
        let local = self.source_addr();
        if place.is_some_and(|p| p.link != link || local.is_some_and(|l| l != p.local)) {
            self.handle(Event::Reach(Reach::Absent));
        }
        self.handle(Event::Reach(reach));
        if let Some(session) = &mut self.session {
            session.intake.set_ifaces(Arc::clone(&self.ifaces), link);
        }
    }

    /// Awaits the neighbour's connections; tried again later when that is not possible.
    fn listen(&mut self) {
        let Some(at) = self.spec.listen else { return };
        let wanted = Wanted {
            at,
            remote: self.spec.peer_addr,
            local: self.spec.local_addr.filter(|_| self.spec.match_local_addr),
            link: Arc::clone(&self.link),
            password: self.spec.password.clone(),
        };
        match self.deps.listener.register(wanted) {
            Ok((registration, incoming)) => {
                self.registration = Some(registration);
                self.incoming = Some(incoming);
            }
            Err(error) => {
                let (name, words) = (&self.spec.name, sockopt::words(&error));
                tracing::error!("{name}: Socket error: Cannot listen on {at}: {words}");
                self.listen_again = Some(self.deps.clock.now().plus_s(LISTEN_RETRY_S));
            }
        }
    }

    // ---- our own restart

    /// Until the neighbour has told everything nobody is told anything.
    fn hold_recovery(&mut self) {
        if self.spec.graceful_restart != super::RestartMode::On {
            return;
        }
        for channel in self.channels.iter_mut().filter(|c| c.hold.is_none()) {
            channel.hold = self.deps.recovery.hold();
        }
    }

    fn recovered(&mut self) {
        self.restarting = false;
        self.machine.reconfigure(words::machine_config(&self.spec, false));
        if !self.channels.iter().any(|c| c.waits) {
            return;
        }
        let Some(session) = &self.session else { return };
        let Some(negotiated) = self.machine.negotiated() else { return };
        for channel in self.channels.iter_mut().filter(|c| c.waits) {
            channel.join(&self.deps, &self.spec, negotiated, session.place, &session.outbox);
        }
        self.come_to(ProtoState::Feed);
        self.come_to(ProtoState::Up);
    }

    // ---- the machine

    fn handle(&mut self, event: Event) {
        let now = self.deps.clock.now();
        for action in self.machine.handle(now, event) {
            self.carry_out(action, now);
        }
    }

    fn carry_out(&mut self, action: Action, now: Moment) {
        match action {
            Action::Connect => self.connect(),
            Action::Accept => self.answer_offer(true),
            Action::Refuse => self.answer_offer(false),
            Action::SendOpen(which, open) => self.send(which, |own| open.encode(own)),
            Action::SendKeepalive(which) => self.send(which, |own| own.extend_from_slice(&KEEPALIVE)),
            Action::SendNotification(which, n) => self.send(which, |own| n.encode(own)),
            Action::Close(which) => self.close(which),
            Action::Life(life) => self.live(life),
            Action::Established(which) => self.establish(which, now),
            Action::Lost(fates) => self.lose_session(&fates),
            Action::Drop(family) => self.channel(family, |c, deps| c.drop_retained(deps)),
            Action::LongLived(family) => self.channel(family, |c, deps| c.long_lived(deps)),
            Action::Sweep(family) => self.channel(family, |c, deps| c.sweep(deps)),
            Action::Disabled => self.status.disabled = true,
            Action::Say(class, text) => self.say(class, &text),
        }
    }

    fn channel(&mut self, family: Family, f: impl FnOnce(&mut Channel, &Deps)) {
        if let Some(channel) = self.channels.iter_mut().find(|c| c.family() == family) {
            f(channel, &self.deps);
        }
    }

    const fn slot(&mut self, which: Which) -> &mut Option<Conn> {
        match which {
            Which::Outgoing => &mut self.out,
            Which::Incoming => &mut self.inc,
        }
    }

    const fn conn(&self, which: Which) -> Option<&Conn> {
        match which {
            Which::Outgoing => self.out.as_ref(),
            Which::Incoming => self.inc.as_ref(),
        }
    }

    fn session_conn(&mut self) -> Option<&mut Conn> {
        let which = self.session.as_ref()?.which;
        self.slot(which).as_mut()
    }

    fn send(&mut self, which: Which, encode: impl FnOnce(&mut Vec<u8>)) {
        if let Some(conn) = self.slot(which) {
            encode(conn.own());
        }
    }

    fn close(&mut self, which: Which) {
        if which == Which::Outgoing {
            self.connecting = None;
        }
        if let Some(conn) = self.slot(which).take() {
            conn.close();
        }
    }

    /// Our address towards the neighbour, if the options or the link say which.
    fn source_addr(&self) -> Option<IpAddr> {
        let link = IfIndex(self.link.load(Ordering::Relaxed));
        let on_link = || match self.spec.peer_addr {
            IpAddr::V6(a) if a.is_unicast_link_local() => words::link_local_on(&self.ifaces, link).map(IpAddr::V6),
            peer => self.ifaces.neighbor(peer).map(|(_, ours)| ours.addr),
        };
        let direct = self.spec.multihop.is_none();
        self.spec.local_addr.or_else(|| if direct { on_link() } else { None })
    }

    fn connect(&mut self) {
        let source = self.source_addr();
        let from = source.unwrap_or_else(|| unspecified(self.spec.peer_addr));
        let text = format!("Connecting to {} from local address {from}", self.spec.peer_addr);
        self.trace(EVENTS, &text);
        let link = IfIndex(self.link.load(Ordering::Relaxed));
        match conn::connect(&self.spec, source, link) {
            Ok(connecting) => self.connecting = Some(connecting),
            Err(failed) => {
                let (name, words) = (&self.spec.name, sockopt::words(&failed.error));
                tracing::error!("{name}: Socket error: {}: {words}", failed.call);
                self.handle(Event::Closed(Which::Outgoing, None));
            }
        }
    }

    fn answer_offer(&mut self, accept: bool) {
        let Some(conn) = self.offered.take() else { return };
        let word = if accept { "accepted" } else { "rejected" };
        let (ip, port) = (conn.remote.ip(), conn.remote.port());
        self.trace(EVENTS, &format!("Incoming connection from {ip} (port {port}) {word}"));
        if accept {
            self.inc = Some(conn);
        }
    }

    fn live(&mut self, life: Life) {
        match life {
            Life::Down => self.come_to(ProtoState::Down),
            Life::Start => self.come_to(ProtoState::Start),
            Life::Stop => self.come_to(ProtoState::Stop),
            Life::Up if self.channels.iter().any(|c| c.waits) => self.come_to(ProtoState::Wait),
            Life::Up => {
                self.come_to(ProtoState::Feed);
                self.come_to(ProtoState::Up);
            }
        }
    }

    fn come_to(&mut self, state: ProtoState) {
        if self.status.proto == state {
            return;
        }
        self.status.proto = state;
        self.status.since = self.deps.clock.now();
        self.trace(STATES, &format!("State changed to {}", state.word()));
    }

    // ---- the session

    fn establish(&mut self, which: Which, now: Moment) {
        let Some(conn) = self.conn(which) else { return };
        let Some(negotiated) = self.machine.negotiated().cloned() else { return };
        let link = IfIndex(self.link.load(Ordering::Relaxed));
        let place = Place {
            local: self.source_addr().unwrap_or(conn.local.ip()),
            link,
            link_local: words::link_local_on(&self.ifaces, link),
        };
        let Some(id) = self.sources.get(0) else { return };
        let origin: Arc<Source> = Arc::new(words::source(&self.spec, id, &negotiated, place, now));
        let outbox = Outbox::new(OCTETS_MAX);
        let recovering = self.restarting;
        for channel in &mut self.channels {
            let family = channel.family();
            if !negotiated.has(family) {
                channel.hold = None;
                continue;
            }
            channel.come_up(&self.deps, &origin);
            trace(&self.spec, STATES, &format!("Connected to table {}", channel.spec.table_name));
            // Who cannot restart has not kept our routes, and need not be waited for (RFC 4724 4.1).
            let able = negotiated.restart_of(family).is_some();
            if !able {
                channel.hold = None;
            }
            channel.waits = recovering && able && channel.hold.is_some();
            if !channel.waits {
                channel.join(&self.deps, &self.spec, &negotiated, place, &outbox);
            }
        }
        self.session = Some(Session {
            which,
            place,
            intake: Intake::new(
                Arc::clone(&self.spec),
                words::update_context(&self.spec, &negotiated),
                origin,
                self.sources.clone(),
                link,
                Arc::clone(&self.ifaces),
            ),
            outbox,
            octets_max: if negotiated.extended_messages { EXTENDED_OCTETS_MAX } else { MESSAGE_OCTETS_MAX },
            heard: false,
            stuck: None,
        });
    }

    fn lose_session(&mut self, fates: &[(Family, Keep)]) {
        self.hand_over();
        if let Some(session) = self.session.take() {
            session.outbox.close();
        }
        self.permit = None;
        for channel in &mut self.channels {
            let keep = fates.iter().find(|(f, _)| *f == channel.family()).map_or(Keep::Nothing, |(_, k)| *k);
            channel.go_down(&self.deps, keep);
        }
    }

    // ---- octets

    fn read(&mut self, which: Which) {
        if self.session.as_ref().is_some_and(|s| s.which == which) && self.permit.is_none() {
            return;
        }
        let outcome = SCRATCH.with_borrow_mut(|scratch| {
            let Some(conn) = self.slot(which) else { return Ok(()) };
            match conn.read(scratch)? {
                Read::Nothing => {}
                Read::Closed => self.handle(Event::Closed(which, None)),
                Read::Octets(octets) => self.digest(which, scratch.get(..octets).unwrap_or_default()),
            }
            Ok(())
        });
        if let Err(error) = outcome {
            self.lost(which, &error);
        }
    }

    fn lost(&mut self, which: Which, error: &io::Error) {
        self.handle(Event::Closed(which, Some(sockopt::words(error))));
    }

    /// Takes message after message; keeps what is not a whole one.
    fn digest(&mut self, which: Which, mut octets: &[u8]) {
        loop {
            // Negotiated on the way: the first message after the OPENs may be an extended one.
            let up = self.session.as_ref().filter(|s| s.which == which);
            let octets_max = up.map_or(MESSAGE_OCTETS_MAX, |s| s.octets_max);
            match frame::next(octets, octets_max) {
                Ok(Next::Frame(found)) => {
                    self.message(which, &found);
                    octets = octets.get(found.octets()..).unwrap_or_default();
                }
                Ok(Next::NeedMore(_)) => break,
                Err(notification) => {
                    self.hand_over();
                    self.handle(Event::Malformed(which, notification));
                }
            }
            if self.conn(which).is_none() {
                return;
            }
        }
        if let Some(conn) = self.slot(which) {
            conn.keep(octets);
        }
        self.hand_over();
    }

    fn message(&mut self, which: Which, found: &Frame<'_>) {
        if !self.machine.expects(which, found.kind) {
            return self.handle(Event::Unexpected(which));
        }
        if found.kind == Kind::Update {
            return self.update(which, found.body);
        }
        // What came before must be in the table before what follows from this message.
        self.hand_over();
        match found.message() {
            Ok(Message::Open(open)) => self.handle(Event::Open(which, Box::new(open))),
            Ok(Message::Keepalive) => self.handle(Event::Keepalive(which)),
            Ok(Message::Notification(n)) => self.handle(Event::Notification(which, n)),
            Ok(Message::RouteRefresh(refresh)) => self.refresh(which, refresh),
            Ok(Message::Update(_)) => {}
            // A NOTIFICATION is never answered by another (RFC 4271 6.4).
            Err(_) if found.kind == Kind::Notification => self.handle(Event::Closed(which, None)),
            Err(notification) => self.handle(Event::Malformed(which, notification)),
        }
    }

    fn update(&mut self, which: Which, body: &[u8]) {
        if self.spec.debug & PACKETS != 0 {
            self.trace(PACKETS, "Got UPDATE");
        }
        let Some(session) = &mut self.session else { return };
        session.heard = true;
        let outcome = session.intake.update(body);
        let full = session.intake.rows() >= crate::intake::BATCH_ROWS_MAX;
        match outcome {
            Ok(None) if full => self.hand_over(),
            Ok(None) => {}
            Ok(Some(family)) => self.end_of_rib(family),
            Err(notification) => {
                self.hand_over();
                self.handle(Event::Malformed(which, notification));
            }
        }
    }

    fn end_of_rib(&mut self, family: Family) {
        self.trace(PACKETS, "Got END-OF-RIB");
        self.hand_over();
        self.handle(Event::EndOfRib(family));
        self.channel(family, |c, _| c.hold = None);
    }

    fn refresh(&mut self, which: Which, refresh: RouteRefresh) {
        self.handle(Event::Routes(which));
        let Some(family) = refresh.family else { return };
        let Some(negotiated) = self.machine.negotiated() else { return };
        let enhanced = negotiated.enhanced_refresh;
        if !negotiated.has(family) {
            return;
        }
        match refresh.subtype {
            Subtype::Request if self.spec.route_refresh => {
                self.trace(PACKETS, "Got ROUTE-REFRESH");
                self.channel(family, |c, deps| {
                    if let Some(member) = c.member() {
                        deps.exports.refresh(member, enhanced);
                    }
                });
            }
            Subtype::Begin if enhanced => {
                self.trace(PACKETS, "Got BEGIN-OF-RR");
                self.channel(family, |c, deps| c.mark_stale(deps));
            }
            Subtype::End if enhanced => {
                self.trace(PACKETS, "Got END-OF-RR");
                self.channel(family, |c, deps| c.refreshed(deps));
            }
            _ => {}
        }
    }

    /// Sends what was collected to the tables, and what was to be said to the log.
    fn hand_over(&mut self) {
        let Some(session) = &mut self.session else { return };
        let which = session.which;
        let heard = std::mem::take(&mut session.heard);
        let lines = session.intake.lines();
        let collected = [Family::Ipv4, Family::Ipv6].map(|f| (f, session.intake.take(f)));
        for line in lines {
            self.say_line(line);
        }
        for (family, collected) in collected {
            let Some(collected) = collected else { continue };
            let permit = self.permit.take();
            if let Some(channel) = self.channels.iter().find(|c| c.family() == family && c.up) {
                channel.import(&self.deps, collected, permit);
            }
        }
        if heard {
            self.handle(Event::Routes(which));
        }
    }

    fn write_all(&mut self) {
        for which in [Which::Outgoing, Which::Incoming] {
            let outbox = self.session.as_ref().filter(|s| s.which == which).map(|s| Arc::clone(&s.outbox));
            let Some(conn) = self.slot(which) else { continue };
            if let Err(error) = conn.write(outbox.as_deref()) {
                self.lost(which, &error);
            }
        }
        self.watch_writing();
    }

    // ---- words

    fn say(&self, class: Class, text: &str) {
        let name = &self.spec.name;
        match class {
            Class::Error => tracing::error!("{name}: {text}"),
            Class::Warning => tracing::warn!("{name}: {text}"),
            Class::Remote => tracing::info!(target: "remote", "{name}: {text}"),
            Class::States => self.trace(STATES, text),
            Class::Events => self.trace(EVENTS, text),
            Class::Packets => self.trace(PACKETS, text),
        }
    }

    fn say_line(&self, line: Line) {
        let name = &self.spec.name;
        match line {
            Line::Warning(text) => tracing::warn!("{name}: {text}"),
            Line::Error(text) => tracing::error!("{text}"),
            Line::Info(text) => tracing::info!("{text}"),
            Line::Bogus(net) => tracing::warn!("Ignoring bogus route {net} received via {name}"),
            Line::Filtered(net) => tracing::info!(target: "trace", "{name} > filtered out {net}"),
        }
    }

    fn trace(&self, class: u32, text: &str) {
        trace(&self.spec, class, text);
    }

    fn publish(&mut self) {
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
        status.error_wait = machine.error_wait().filter(|_| started);
        status.connect_delay = machine.connect_delay().filter(|_| started);
        status.restart_active = machine.is_restarting();
        status.restart = machine.restart_timer();
        status.stale = machine.stale_timer();
        status.can_refresh = negotiated.is_some_and(|n| n.refresh);
        if (status.caps.is_empty() && status.session.is_empty()) != negotiated.is_none() {
            status.caps = negotiated.map_or(Vec::new(), words::caps_words);
            status.session = negotiated.map_or(Vec::new(), |n| words::session_words(&self.spec, n));
        }
        status.channels.clear();
        status.channels.extend(self.channels.iter().map(Channel::status));
        self.seen.send_if_modified(|seen| {
            // Timers move with every message; nobody needs to be woken for that.
            (seen.hold, seen.keepalive) = (status.hold, status.keepalive);
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
}

/// Bits of the debug mask.
const STATES: u32 = 1;
const EVENTS: u32 = 16;
const PACKETS: u32 = 32;

fn trace(spec: &PeerSpec, class: u32, text: &str) {
    if spec.debug & class != 0 {
        tracing::info!(target: "trace", "{}: {text}", spec.name);
    }
}

/// Whether the neighbour can be talked to, and its link (0 for a multihop neighbour).
fn reach(spec: &PeerSpec, ifaces: &Ifaces) -> (Reach, IfIndex) {
    if spec.multihop.is_some() {
        return (Reach::Ready, IfIndex(0));
    }
    let link = match &spec.iface {
        Some(name) => ifaces.by_name(name).filter(|l| l.is_up()),
        None => ifaces.neighbor(spec.peer_addr).map(|(link, _)| link),
    };
    let Some(link) = link else { return (Reach::Absent, IfIndex(0)) };
    if spec.check_link && !link.flags.link_up {
        return (Reach::LinkDown(link.name.to_string()), link.index);
    }
    (Reach::Ready, link.index)
}

fn unspecified(like: IpAddr) -> IpAddr {
    match like {
        IpAddr::V4(_) => std::net::Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => std::net::Ipv6Addr::UNSPECIFIED.into(),
    }
}

async fn sleep_until(deadline: Option<std::time::Instant>) {
    match deadline {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => pending().await,
    }
}

async fn incoming(from: &mut Option<mpsc::Receiver<Incoming>>) -> Incoming {
    match from {
        Some(receiver) => match receiver.recv().await {
            Some(incoming) => incoming,
            None => pending().await,
        },
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
