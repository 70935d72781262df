//! What the machine asks for: connections, lives, sessions, and our own restart.

use super::backlog::Backlog;
use super::{DebugMask, Session, Task, is_link_local, trace, unspecified};
use crate::conn::{self, Conn};
use crate::intake::Intake;
use crate::limiter::Limiter;
use crate::memory;
use crate::outbox::{OCTETS_MAX, Outbox};
use crate::peer::Deps;
use crate::peer::live::Channel;
use crate::peer::words::{self, Place};
use crate::status::ProtoState;
use fsm::{Action, Event, Keep, Life, Which};
use route::options::Voice;
use route::{Family, IfIndex, Moment, Source, Written};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use wire::Open;
use wire::frame::{EXTENDED_OCTETS_MAX, KEEPALIVE, MESSAGE_OCTETS_MAX};

impl Task {
    /// Until the neighbour has told everything nobody is told anything.
    pub(super) fn hold_recovery(&mut self) {
        if self.spec.offer.graceful_restart == crate::peer::RestartMode::Off {
            return;
        }
        for channel in self.channels.iter_mut().filter(|c| c.spec.restart.able && c.hold.is_none()) {
            channel.hold = self.deps.recovery.hold();
        }
    }

    pub(super) fn recovered(&mut self) {
        self.restarting = false;
        self.channels.iter_mut().for_each(|channel| channel.hold = None);
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
        self.follow_feeds();
    }

    pub(super) fn handle(&mut self, event: Event) {
        let now = self.deps.clock.now();
        let ending = self.monitored.is_some().then(|| Self::ending(&event));
        let heard = Self::heard_why(&event);
        let actions = self.machine.handle(now, event);
        let turns = self.machine.take_turns();
        self.record_turns(&turns, heard, &actions);
        if let Some(ending) = ending {
            self.monitor_end(ending, &actions);
        }
        for action in actions {
            self.carry_out(action, now);
            // A life that cannot be begun: what else it would begin with does not happen.
            if self.keys.were_refused() {
                return self.handle(Event::Unable("Authentication failed"));
            }
        }
    }

    pub(super) fn carry_out(&mut self, action: Action, now: Moment) {
        match action {
            Action::Connect => self.connect(),
            Action::Accept => self.answer_offer(true),
            Action::Refuse => self.answer_offer(false),
            Action::SendOpen(which, open) => self.send_open(which, &open),
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

    pub(super) fn channel(&mut self, family: Family, f: impl FnOnce(&mut Channel, &Deps)) {
        if let Some(channel) = self.channels.iter_mut().find(|c| c.family() == family) {
            f(channel, &self.deps);
        }
    }

    pub(super) const fn slot(&mut self, which: Which) -> &mut Option<Conn> {
        match which {
            Which::Outgoing => &mut self.out,
            Which::Incoming => &mut self.inc,
        }
    }

    pub(super) const fn conn(&self, which: Which) -> Option<&Conn> {
        match which {
            Which::Outgoing => self.out.as_ref(),
            Which::Incoming => self.inc.as_ref(),
        }
    }

    pub(super) fn session_conn(&mut self) -> Option<&mut Conn> {
        let which = self.session.as_ref()?.which;
        self.slot(which).as_mut()
    }

    pub(super) fn send(&mut self, which: Which, encode: impl FnOnce(&mut Vec<u8>)) {
        if let Some(conn) = self.slot(which) {
            encode(conn.own());
        }
    }

    fn send_open(&mut self, which: Which, open: &Open) {
        if let Some(conn) = self.slot(which) {
            open.encode(&mut conn.opens.sent);
            let message = conn.opens.sent.clone();
            conn.own().extend_from_slice(&message);
        }
    }

    pub(super) fn close(&mut self, which: Which) {
        if which == Which::Outgoing {
            self.connecting = None;
        }
        if let Some(conn) = self.slot(which).take() {
            self.parting.push(conn);
        }
    }

    /// Ends the connections that are over. Whoever sees one end finds in the status why: so this comes behind
    /// [`publish`](Self::publish).
    pub(super) fn part(&mut self) {
        self.parting.drain(..).for_each(Conn::close);
    }

    /// Our address towards the neighbour, if the options or the link say which.
    pub(super) fn source_addr(&self) -> Option<IpAddr> {
        let link = IfIndex(self.link.load(Ordering::Relaxed));
        let on_link = || match self.spec.peer_addr {
            IpAddr::V6(a) if a.is_unicast_link_local() => words::link_local_on(&self.ifaces, link).map(IpAddr::V6),
            peer => match self.ifaces.get(link).filter(|_| self.spec.iface.is_some()) {
                Some(link) => link.facing(peer).map(|ours| ours.addr),
                None => self.ifaces.neighbor(peer).map(|(_, ours)| ours.addr),
            },
        };
        let direct = self.spec.multihop.is_none();
        self.spec.local_addr.or_else(|| if direct { on_link() } else { None })
    }

    pub(super) fn connect(&mut self) {
        let source = self.source_addr();
        let [to, from] = [self.spec.peer_addr, source.unwrap_or_else(|| unspecified(self.spec.peer_addr))].map(Written);
        let text = format!("Connecting to {to} from local address {from}");
        self.trace(DebugMask::EVENTS, &text);
        let link = IfIndex(self.link.load(Ordering::Relaxed));
        // A link-local address has its link with it.
        let binds = !is_link_local(self.spec.peer_addr);
        let on_link = self.ifaces.get(link).filter(|_| self.spec.iface.is_some()).map(|l| &*l.name);
        let in_vrf = || self.spec.vrf.as_ref().and_then(|vrf| vrf.name.as_deref());
        let name = on_link.or_else(in_vrf).filter(|_| binds);
        match conn::connect(&self.spec, source, link, name, &self.keys.best_first()) {
            Ok(connecting) => self.connecting = Some(connecting),
            Err(failed) => {
                tracing::error!("{}: Socket error: {failed}", self.spec.name);
                self.handle(Event::Closed(Which::Outgoing, None));
            }
        }
    }

    pub(super) fn answer_offer(&mut self, accept: bool) {
        let Some(conn) = self.offered.take() else { return };
        let word = if accept { "accepted" } else { "rejected" };
        let (ip, port) = (Written(conn.remote.ip()), conn.remote.port());
        self.trace(DebugMask::EVENTS, &format!("Incoming connection from {ip} (port {port}) {word}"));
        if accept {
            self.inc = Some(conn);
        }
    }

    pub(super) fn live(&mut self, life: Life) {
        match life {
            Life::Down => {
                self.come_to(ProtoState::Down);
                self.give_up_keys();
            }
            Life::Start => {
                self.come_to(ProtoState::Start);
                self.take_keys();
            }
            Life::Stop => self.come_to(ProtoState::Stop),
            Life::Up if self.channels.iter().any(|c| c.waits) => self.come_to(ProtoState::Wait),
            Life::Up => {
                self.come_to(ProtoState::Feed);
                self.follow_feeds();
            }
        }
    }

    pub(super) fn come_to(&mut self, state: ProtoState) {
        if self.status.proto == state {
            return;
        }
        self.status.since = self.deps.clock.now();
        // BIRD 2 says that routes go whether there are some or not.
        if state == ProtoState::Down && self.spec.voice == Voice::Channels {
            self.trace(DebugMask::STATES, "State changed to flush");
        }
        self.show(state);
    }

    fn show(&mut self, state: ProtoState) {
        let before = std::mem::replace(&mut self.status.proto, state).said_by(self.spec.voice);
        let word = state.said_by(self.spec.voice);
        self.follow_channels();
        if word != before {
            self.trace(DebugMask::STATES, &format!("State changed to {word}"));
        }
    }

    /// `feed` while some channel is being told what stands, at the start or again; the time in `since` is not touched.
    pub(super) fn follow_feeds(&mut self) {
        let feeding = self.channels.iter().any(|c| c.feeding);
        match self.status.proto {
            ProtoState::Feed if !feeding => self.show(ProtoState::Up),
            ProtoState::Up if feeding => self.show(ProtoState::Feed),
            _ => self.follow_channels(),
        }
    }

    pub(super) fn establish(&mut self, which: Which, now: Moment) {
        let Some(negotiated) = self.machine.negotiated().cloned() else { return };
        self.settle(negotiated.peer.asn);
        let Some(conn) = self.conn(which) else { return };
        let link = IfIndex(self.link.load(Ordering::Relaxed));
        let taken = conn.taken();
        let place = Place::new(self.source_addr().unwrap_or(conn.local.ip()), link, &self.ifaces);
        if !self.channels.iter().any(Channel::retains) {
            self.sources.begin_anew();
        }
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
            channel.come_up(&self.deps, &origin, negotiated.tells_its_end());
            if self.spec.voice == Voice::Protocol {
                trace(&self.spec, DebugMask::STATES, &format!("Connected to table {}", channel.spec.table_name));
            }
            if !negotiated.is_awaited_after_restart() {
                channel.hold = None;
            }
            channel.waits = recovering && channel.hold.is_some();
        }
        // Stations hear of a session before they hear of what it tells.
        self.monitor_up(which, &negotiated);
        for channel in self.channels.iter_mut().filter(|c| c.up && !c.waits) {
            channel.join(&self.deps, &self.spec, &negotiated, place, &outbox);
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
                self.deps.roas.clone(),
            ),
            outbox,
            octets_max: if negotiated.extended_messages { EXTENDED_OCTETS_MAX } else { MESSAGE_OCTETS_MAX },
            heard: false,
            stuck: None,
            took: (now, taken),
            backlog: Backlog::default(),
            doubts: Limiter::default(),
        });
    }

    pub(super) fn lose_session(&mut self, fates: &[(Family, Keep)]) {
        self.hand_over();
        if let Some(session) = self.session.take() {
            session.outbox.close();
            memory::give_back();
        }
        self.permit = None;
        self.know_peer_as(0);
        for channel in &mut self.channels {
            let keep = fates.iter().find(|(f, _)| *f == channel.family()).map_or(Keep::Nothing, |(_, k)| *k);
            channel.go_down(&self.deps, keep);
        }
        self.follow_channels();
    }
}
