//! What the daemon, the tables and the links ask of a peer.

use super::{DebugMask, Task, reach, states};
use crate::conn::{self, Conn};
use crate::dynamic::Dynamic;
use crate::listen::Incoming;
use crate::peer::live::Channel;
use crate::peer::words::{self, Place};
use crate::peer::{Command, PeerChannel, PeerSpec, Refilter, StopReason};
use crate::sockopt;
use fsm::{Event, Reach, Stop, Which};
use rib::batch::{LimitAction, LimitKind, TableEvent};
use route::{Family, IfIndex, Ifaces, Moment};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::sync::oneshot;
use wire::RouteRefresh;
use wire::refresh::Subtype;

impl Task {
    pub(super) fn time(&mut self) {
        let now = self.deps.clock.now();
        self.listen_when_due(now);
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
    pub(super) fn stuck_at(&self) -> Option<Moment> {
        let (since, _) = self.session.as_ref()?.stuck?;
        Some(since.plus_s(self.machine.send_hold_s()?))
    }

    pub(super) fn watch_writing(&mut self) {
        let now = self.deps.clock.now();
        let Some(session) = &mut self.session else { return };
        let conn = if session.which == Which::Outgoing { &self.out } else { &self.inc };
        if let Some(taken) = conn.as_ref().map(Conn::taken).filter(|taken| *taken != session.took.1) {
            session.took = (now, taken);
        }
        session.stuck = match (conn, session.stuck) {
            (Some(conn), Some((since, taken))) if conn.is_blocked() && conn.taken() == taken => Some((since, taken)),
            (Some(conn), _) if conn.is_blocked() => Some((now, conn.taken())),
            _ => None,
        };
    }

    pub(super) fn command(&mut self, command: Command) {
        match command {
            Command::Start => {
                self.status.disabled = false;
                self.hold_recovery();
                self.handle(Event::Start);
            }
            Command::Adopt(incoming, place) => self.adopt(incoming, place),
            Command::Stop { reason, message, done } => self.stop(reason, message, done),
            Command::ReloadIn(only) => {
                for channel in self.channels.iter().filter(|c| c.up && only.is_none_or(|family| family == c.family())) {
                    states::trace(&self.spec, &channel.spec, "Reload requested");
                }
                self.channels.iter().for_each(|c| c.open_limits(&self.deps));
                self.import_again(only);
            }
            Command::ReloadKept(family, nets) => {
                if let Some(received) = self.session.as_mut().and_then(|s| s.intake.received(family)) {
                    received.begin_again_within(nets);
                }
            }
            Command::Received { family, which, rows_max, answer } => {
                let rows = self.session.as_ref().map(|s| s.intake.show_received(family, which, rows_max));
                let _ = answer.send(rows.unwrap_or_default());
            }
            Command::TcpAo(answer) => {
                let _ = answer.send(self.keys_seen());
            }
            Command::ReloadOut => {
                let enhanced = self.machine.negotiated().is_some_and(|n| n.enhanced_refresh);
                for channel in &mut self.channels {
                    channel.tell_again(&self.deps, &self.spec, enhanced);
                }
                self.follow_feeds();
            }
            Command::Reconfigure { spec, refilter, done } => {
                let _ = done.send(self.reconfigure(*spec, refilter));
            }
            Command::Debug(mask) => {
                let mut spec = PeerSpec::clone(&self.spec);
                spec.debug = mask;
                self.spec = Arc::new(spec);
                self.trace_members();
            }
            Command::DebugChannel(family, mask) => {
                let mut spec = PeerSpec::clone(&self.spec);
                spec.channels.iter_mut().filter(|c| c.family == family).for_each(|c| c.debug = mask);
                self.spec = Arc::new(spec);
                self.channels.iter_mut().filter(|c| c.family() == family).for_each(|c| c.spec.debug = mask);
                self.trace_members();
            }
            Command::MrtDump(mask) => {
                let mut spec = PeerSpec::clone(&self.spec);
                spec.mrtdump = mask;
                self.spec = Arc::new(spec);
            }
            Command::Event(event) => self.table_event(&event),
        }
    }

    /// Tells export groups which lines are wanted.
    fn trace_members(&self) {
        for channel in &self.channels {
            if let Some(member) = channel.member() {
                self.deps.exports.trace(member, words::tracing(&self.spec, &channel.spec));
            }
        }
    }

    pub(super) fn stop(&mut self, reason: StopReason, message: Option<Arc<str>>, done: oneshot::Sender<()>) {
        let subcode = match reason {
            StopReason::Disable | StopReason::Down => 2,
            StopReason::Deconfigured => 3,
            StopReason::Restart => 4,
            StopReason::Reconfigure | StopReason::Renew => 6,
            StopReason::GracefulRestart => 0,
        };
        let text = message.map_or(String::new(), |m| m.to_string());
        let stop = match reason {
            StopReason::GracefulRestart => Stop::Silent,
            _ => Stop::Cease { subcode, text },
        };
        self.handle(Event::Stop(stop));
        self.status.disabled = false;
        if matches!(reason, StopReason::Restart | StopReason::Renew) {
            self.handle(Event::Start);
        } else {
            for channel in &mut self.channels {
                channel.hold = None;
            }
        }
        // Who is told that it is over may end the daemon.
        self.part();
        let _ = done.send(());
    }

    /// ROUTE-REFRESH for one family or all.
    pub(super) fn ask_for_routes(&mut self, only: Option<Family>) {
        let Some(negotiated) = self.machine.negotiated() else { return };
        if !negotiated.refresh {
            return;
        }
        let families: Vec<Family> = negotiated.families.clone();
        for family in families.into_iter().filter(|f| only.is_none_or(|o| o == *f)) {
            self.trace(DebugMask::PACKETS, "Sending ROUTE-REFRESH");
            let Some(conn) = self.session_conn() else { return };
            RouteRefresh::encode(family, Subtype::Request, conn.own());
        }
    }

    /// All channels, or one, judge anew what the neighbour announces: what they have kept, or what it tells them again.
    fn import_again(&mut self, only: Option<Family>) {
        for family in Family::ALL.into_iter().filter(|f| only.is_none_or(|o| o == *f)) {
            match self.session.as_mut().and_then(|s| s.intake.received(family)) {
                Some(received) => received.begin_again(),
                None => self.ask_for_routes(Some(family)),
            }
        }
    }

    /// Whether all channels of the session can judge their imports anew.
    pub(super) fn can_import_again(&self) -> bool {
        self.spec.channels.iter().all(|c| self.can_import_again_in(c))
    }

    fn can_import_again_in(&self, channel: &PeerChannel) -> bool {
        let Some(negotiated) = self.machine.negotiated() else { return false };
        negotiated.refresh || channel.import_table || !negotiated.has(channel.family)
    }

    /// Whether the session has gone without a channel that must be there by the new options.
    fn lacks(&self, spec: &PeerSpec) -> bool {
        let Some(negotiated) = self.machine.negotiated() else { return false };
        let was = |f| self.spec.channels.iter().any(|c| c.family == f && c.mandatory);
        spec.channels.iter().any(|c| c.mandatory && !was(c.family) && !negotiated.has(c.family))
    }

    pub(super) fn reconfigure(&mut self, spec: PeerSpec, refilter: Refilter) -> bool {
        // Where the neighbour cannot be asked again, a new session brings its routes, by the new options.
        let judged = |c: &&PeerChannel| *refilter.import.get(c.family);
        let cannot = self.spec.channels.iter().filter(judged).any(|c| !self.can_import_again_in(c));
        let is_stuck = self.session.is_some() && (cannot || self.lacks(&spec));
        let mut spec = spec;
        if spec.any_external && self.session.is_some() {
            spec.peer_as = self.spec.peer_as;
        }
        self.machine.reconfigure(words::machine_config(&spec, self.restarting));
        let masks = |spec: &PeerSpec| spec.channels.iter().map(|c| words::tracing(spec, c)).collect::<Vec<_>>();
        let traced = masks(&self.spec) != masks(&spec);
        self.spec = Arc::new(spec);
        let goes_on = self.take_over_keys();
        let session = self.session.as_ref().map(|s| s.place);
        let negotiated = self.machine.negotiated().cloned();
        let session = negotiated.as_ref().zip(session);
        for channel in &mut self.channels {
            let new = self.spec.channels.iter().find(|c| c.family == channel.family());
            if let Some(new) = new {
                let session = session.filter(|_| *refilter.export.get(new.family));
                channel.reconfigure(&self.deps, &self.spec, new.clone(), session);
            }
        }
        if traced {
            self.trace_members();
        }
        self.follow_feeds();
        if let Some(session) = &mut self.session {
            session.intake.reconfigure(Arc::clone(&self.spec));
        }
        for family in Family::ALL.into_iter().filter(|f| !is_stuck && *refilter.import.get(*f)) {
            self.import_again(Some(family));
        }
        goes_on && !is_stuck
    }

    pub(super) fn table_event(&mut self, event: &TableEvent) {
        let name = Arc::clone(&self.spec.name);
        match event {
            TableEvent::Log { text, .. } => tracing::error!("{name}: {text}"),
            TableEvent::Printed { text, .. } => tracing::info!("{text}"),
            TableEvent::Warning { text } => tracing::warn!("{text}"),
            TableEvent::Fed { channel, generation } => {
                let current = |c: &&mut Channel| c.spec.channel == *channel && c.generation == *generation;
                if let Some(channel) = self.channels.iter_mut().find(current) {
                    channel.feeding = false;
                    self.follow_feeds();
                }
            }
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
                let now = self.deps.clock.now();
                let restart = restart && self.restarts.may(now, self.spec.restart_least_ms, &name);
                let subcode = if restart && subcode == 2 { 4 } else { subcode };
                self.handle(Event::Limit { subcode, restart });
            }
        }
    }

    pub(super) fn offer(&mut self, incoming: Incoming) {
        if let Dynamic::Range(_) = self.spec.dynamic {
            return self.call(incoming);
        }
        if !self.is_signed(&incoming) {
            return;
        }
        let Incoming { stream, remote, local, .. } = incoming;
        let prepared = conn::prepare_accepted(&self.spec, &stream);
        self.offered = prepared.is_ok().then(|| Conn::new(stream, remote, local));
        if let Err(error) = prepared {
            tracing::error!("{}: Socket error: {}", self.spec.name, sockopt::words(&error));
            return;
        }
        self.handle(Event::Offered);
    }

    pub(super) fn see_ifaces(&mut self, ifaces: Arc<Ifaces>) {
        self.ifaces = ifaces;
        let (reach, link) = reach(&self.spec, &self.ifaces);
        self.link.store(link.0, Ordering::Relaxed);
        self.listen();
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
        self.follow_place(link);
    }

    /// Another link-local address of ours (RFC 2545 3), or another one of the other family: next hops that name us are
    /// told anew.
    fn follow_place(&mut self, link: IfIndex) {
        let Some(negotiated) = self.machine.negotiated() else { return };
        let Some(session) = &mut self.session else { return };
        let (local, now) = (session.place.local, Place::new(session.place.local, link, &self.ifaces));
        let before = std::mem::replace(&mut session.place, now);
        let (moved_link_local, moved) = (before.link_local != now.link_local, before.other != now.other);
        let place = session.place;
        for channel in &mut self.channels {
            let is_other = channel.family() != Family::of(local);
            if (moved && is_other) || (moved_link_local && channel.family() == Family::Ipv6) {
                channel.rekey(&self.deps, &self.spec, negotiated, place);
            }
        }
        self.follow_feeds();
    }
}
