//! From octets to events and batches, and from the outbox to octets.

use super::{DebugMask, Task, trace};
use crate::conn::{Read, with_scratch};
use crate::limiter;
use crate::peer::Deps;
use crate::peer::live::{Channel, OutOfTurn};
use crate::received::Received;
use crate::sockopt;
use bytes::Bytes;
use fsm::{Event, Which};
use route::Family;
use std::io;
use std::sync::Arc;
use wire::frame::{self, EXTENDED_OCTETS_MAX, MESSAGE_OCTETS_MAX, Next};
use wire::refresh::Subtype;
use wire::{Encoder, Frame, Kind, Message, RouteRefresh};

impl Task {
    pub(super) fn read(&mut self, which: Which) {
        if self.session.as_ref().is_some_and(|s| s.which == which) && self.permit.is_none() {
            return;
        }
        let outcome = with_scratch(|scratch| {
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

    pub(super) fn lost(&mut self, which: Which, error: &io::Error) {
        self.handle(Event::Closed(which, Some(sockopt::words(error))));
    }

    /// Takes message after message; keeps what is not a whole one.
    pub(super) fn digest(&mut self, which: Which, mut octets: &[u8]) {
        loop {
            // Negotiated on the way: the first message after the OPENs may be an extended one.
            let up = self.session.as_ref().filter(|s| s.which == which);
            let octets_max = up.map_or(MESSAGE_OCTETS_MAX, |s| s.octets_max);
            match frame::next(octets, octets_max) {
                Ok(Next::Frame(found)) => {
                    let whole = octets.get(..found.octets()).unwrap_or_default();
                    self.record_message(which, found.kind, whole);
                    self.monitor_message(which, found.kind, whole);
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

    pub(super) fn message(&mut self, which: Which, found: &Frame<'_>) {
        if !self.machine.expects(which, found.kind) {
            return self.handle(Event::Unexpected(which));
        }
        if found.kind == Kind::Update {
            return self.update(which, found.body);
        }
        // What came before must be in the table before what follows from this message.
        self.hand_over();
        match found.message() {
            Ok(Message::Open(open)) => {
                let as4 = self.spec.offer.capabilities
                    && self.spec.offer.as4
                    && open.capabilities.as_ref().is_some_and(|c| c.as4.is_some());
                if let Some(conn) = self.slot(which) {
                    conn.as4 = as4;
                }
                self.handle(Event::Open(which, Box::new(open)));
            }
            Ok(Message::Keepalive) => self.handle(Event::Keepalive(which)),
            Ok(Message::Notification(n)) => self.handle(Event::Notification(which, n)),
            Ok(Message::RouteRefresh(refresh)) => self.refresh(which, refresh),
            Ok(Message::Update(_)) => {}
            // A NOTIFICATION is never answered by another (RFC 4271 6.4).
            Err(_) if found.kind == Kind::Notification => self.handle(Event::Closed(which, None)),
            Err(notification) => self.handle(Event::Malformed(which, notification)),
        }
    }

    pub(super) fn update(&mut self, which: Which, body: &[u8]) {
        if self.spec.debug.has(DebugMask::PACKETS) {
            self.trace(DebugMask::PACKETS, "Got UPDATE");
        }
        let Some(session) = &mut self.session else { return };
        session.heard = true;
        if session.intake.keeps_received() {
            session.intake.set_now(self.deps.clock.now());
        }
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

    /// Goes on with what was received and is to be judged again.
    pub(super) fn judge_again(&mut self) {
        let Some(session) = &mut self.session else { return };
        let which = session.which;
        let outcome = session.intake.judge_again();
        self.hand_over();
        if let Err(notification) = outcome {
            self.handle(Event::Malformed(which, notification));
        }
    }

    pub(super) fn end_of_rib(&mut self, family: Family) {
        self.trace(DebugMask::PACKETS, "Got END-OF-RIB");
        self.hand_over();
        self.handle(Event::EndOfRib(family));
        self.channel(family, |c, _| c.told());
    }

    pub(super) fn refresh(&mut self, which: Which, refresh: RouteRefresh) {
        self.handle(Event::Routes(which));
        let Some(negotiated) = self.machine.negotiated() else { return };
        let enhanced = negotiated.enhanced_refresh;
        let Some(family) = refresh.family.filter(|f| negotiated.has(*f)) else { return };
        // Where nobody knows of subtypes the field "should be set to 0 by the sender and ignored by the receiver"
        // (RFC 2918 3).
        match if enhanced { refresh.subtype } else { Subtype::Request } {
            Subtype::Request if self.spec.offer.route_refresh => {
                self.trace(DebugMask::PACKETS, "Got ROUTE-REFRESH");
                let spec = Arc::clone(&self.spec);
                self.channel(family, |c, deps| c.tell_again(deps, &spec, enhanced));
                self.follow_feeds();
            }
            Subtype::Request => {}
            Subtype::Begin => {
                self.trace(DebugMask::PACKETS, "Got BEGIN-OF-RR");
                self.refresh_bound(family, Channel::mark_stale, Received::mark_stale);
            }
            Subtype::End => {
                self.trace(DebugMask::PACKETS, "Got END-OF-RR");
                self.refresh_bound(family, Channel::refreshed, Received::sweep);
            }
            Subtype::Unknown(subtype) => {
                self.doubt(&format!("Got ROUTE-REFRESH message with unknown subtype {subtype}, ignoring"));
            }
        }
    }

    /// Begin or end of a refresh: what that is to the table, and, where it comes in its turn, to what is kept as it
    /// was received.
    fn refresh_bound(
        &mut self,
        family: Family,
        of_table: fn(&mut Channel, &Deps) -> Result<(), OutOfTurn>,
        of_received: fn(&mut Received),
    ) {
        let mut outcome = Ok(());
        self.channel(family, |c, deps| outcome = of_table(c, deps));
        match outcome {
            Ok(()) => {
                if let Some(received) = self.session.as_mut().and_then(|s| s.intake.received(family)) {
                    of_received(received);
                }
            }
            Err(OutOfTurn(words)) => self.doubt(words),
        }
    }

    /// Something that makes no sense and does no harm; not said of each in a flood.
    fn doubt(&mut self, text: &str) {
        let now = self.deps.clock.now();
        let Some(session) = &mut self.session else { return };
        let dots = match session.doubts.next(now) {
            limiter::Line::Say => "",
            limiter::Line::Last => " ...",
            limiter::Line::Drop => return,
        };
        tracing::warn!("{}: {text}{dots}", self.spec.name);
    }

    /// Sends what was collected to the tables, and what was to be said to the log.
    pub(super) fn hand_over(&mut self) {
        let Some(session) = &mut self.session else { return };
        let which = session.which;
        let heard = std::mem::take(&mut session.heard);
        let lines = session.intake.lines();
        let collected = Family::ALL.map(|f| (f, session.intake.take(f)));
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

    pub(super) fn write_all(&mut self) {
        for which in [Which::Outgoing, Which::Incoming] {
            let outbox = self.session.as_ref().filter(|s| s.which == which).map(|s| Arc::clone(&s.outbox));
            let spec = (self.spec.debug.has(DebugMask::PACKETS)).then(|| Arc::clone(&self.spec));
            let trace_sent = |pieces: &[Bytes]| {
                let Some(spec) = &spec else { return };
                pieces.iter().flat_map(|piece| sent(piece)).for_each(|text| trace(spec, DebugMask::PACKETS, text));
            };
            let Some(conn) = self.slot(which) else { continue };
            if let Err(error) = conn.write(outbox.as_deref(), trace_sent) {
                self.lost(which, &error);
            }
        }
        self.watch_writing();
        self.watch_backlog();
    }
}

/// What goes out with a piece of an outbox, message by message, for the log.
fn sent(piece: &[u8]) -> impl Iterator<Item = &'static str> {
    let mut rest = piece;
    std::iter::from_fn(move || {
        let Ok(Next::Frame(found)) = frame::next(rest, EXTENDED_OCTETS_MAX) else { return None };
        let (message, behind) = rest.split_at_checked(found.octets())?;
        rest = behind;
        Some(match found.message() {
            Ok(Message::RouteRefresh(RouteRefresh { subtype: Subtype::Begin, .. })) => "Sending BEGIN-OF-RR",
            Ok(Message::RouteRefresh(RouteRefresh { subtype: Subtype::End, .. })) => "Sending END-OF-RR",
            Ok(Message::RouteRefresh(_)) => "Sending ROUTE-REFRESH",
            _ if is_end_of_rib(message) => "Sending END-OF-RIB",
            _ => "Sending UPDATE",
        })
    })
}

fn is_end_of_rib(message: &[u8]) -> bool {
    Family::ALL.into_iter().any(|family| {
        let mut marker = Vec::new();
        Encoder::end_of_rib(family, &mut marker);
        marker == message
    })
}
