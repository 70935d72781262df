//! Messages: what each does in each state (RFC 4271 8.2.2), and collisions (6.8).

use super::{Conn, Machine, Talk};
use crate::say::{Class, ErrorClass};
use crate::{Action, Keep, Life, Negotiated, Phase, Stop, Timer, Which};
use route::{Family, Moment};
use std::net::Ipv4Addr;
use wire::notification::{self, cease, open as open_error};
use wire::{Notification, Open};

/// How long unread octets of the neighbour count as life when the hold time is over, seconds.
const UNREAD_GRACE_S: u32 = 10;

impl Machine {
    pub(super) fn open(&mut self, now: Moment, which: Which, open: Open) {
        let Conn::OpenSent { bare, .. } = *self.conn(which) else {
            return self.unexpected(now, which);
        };
        let id = match self.config.terms.dotted_identifiers {
            true => Ipv4Addr::from(open.router_id).to_string(),
            false => format!("{:08x}", open.router_id),
        };
        self.say(Class::Packets, format!("Got OPEN(as={},hold={},id={id})", open.asn, open.hold_time_s));
        if open.is_inconsistent() {
            self.say(Class::Warning, "Peer advertised inconsistent AS numbers");
        }
        let ours = if bare { None } else { self.config.capabilities.as_ref() };
        let negotiated = Negotiated::new(&self.config, ours, open);
        if let Some((n, text)) = self.objection(&negotiated, ours.is_none()) {
            return self.fail_saying(now, which, n, text);
        }
        if !self.wins(which, &negotiated.peer) {
            return;
        }
        let hold_s = u32::from(negotiated.hold_time_s);
        let keepalive_s = negotiated.keepalive_time_s;
        let hold = (hold_s > 0).then(|| Timer::exact(now, hold_s));
        let keepalive = (keepalive_s > 0).then(|| Timer::jittered(now, keepalive_s, &mut self.chance));
        self.turn(which, Conn::OpenConfirm(Box::new(Talk { negotiated, hold, keepalive })));
        self.say(Class::Packets, "Sending KEEPALIVE");
        self.actions.push(Action::SendKeepalive(which));
    }

    /// Settles a collision with the other connection (RFC 4271 6.8); true when this one goes on.
    pub(super) fn wins(&mut self, which: Which, open: &Open) -> bool {
        let other = which.other();
        let collision = Notification::new(notification::CEASE, cease::COLLISION);
        match self.conn(other).phase() {
            Phase::Connect | Phase::Active => {
                self.drop_conn(other, Keep::Nothing);
                true
            }
            Phase::OpenConfirm => {
                // The connection opened by the higher identifier stays; of equal ones the AS decides (RFC 6286 2.3).
                let ours = (self.config.router_id, self.config.local_as);
                let stays = if ours > (open.router_id, open.asn) { Which::Outgoing } else { Which::Incoming };
                let (loser, words) = if stays == which {
                    (other, "Connection collision, giving up the other connection")
                } else {
                    (which, "Connection collision, giving up this connection")
                };
                self.say(Class::Events, words);
                self.remember(Some(loser), ErrorClass::Bgp, collision.message());
                self.give_up(loser, collision, Keep::Nothing);
                stays == which
            }
            Phase::Established => {
                self.give_up(which, collision, Keep::Nothing);
                false
            }
            _ => true,
        }
    }

    pub(super) fn keepalive(&mut self, now: Moment, which: Which) {
        match self.conn(which).phase() {
            Phase::OpenConfirm => {
                self.say(Class::Packets, "Got KEEPALIVE");
                self.alive(now, which);
                self.establish(which);
            }
            Phase::Established => {
                self.say(Class::Packets, "Got KEEPALIVE");
                self.alive(now, which);
            }
            _ => self.unexpected(now, which),
        }
    }

    pub(super) fn establish(&mut self, which: Which) {
        let other = which.other();
        if self.conn(other).is_open() {
            let collision = Notification::new(notification::CEASE, cease::COLLISION);
            self.give_up(other, collision, Keep::Nothing);
        } else {
            self.drop_conn(other, Keep::Nothing);
        }
        let Conn::OpenConfirm(talk) = self.conn(which) else { return };
        let talk = talk.clone();
        let unkept = self.restart.back(&talk.negotiated);
        let gone: Vec<_> = unkept.iter().filter(|f| !talk.negotiated.has(**f)).copied().collect();
        self.turn(which, Conn::Established(talk));
        self.error = None;
        self.say(Class::Events, "BGP session established");
        self.actions.extend(gone.iter().map(|f| Action::Drop(*f)));
        self.actions.push(Action::Established(which));
        self.come_to(Life::Up);
        let swept = unkept.into_iter().filter(|f| !gone.contains(f));
        self.actions.extend(swept.map(Action::Sweep));
    }

    /// The neighbour lives.
    pub(super) fn alive(&mut self, now: Moment, which: Which) {
        if let Some(talk) = self.conn_mut(which).talk_mut() {
            talk.hold = talk.hold.map(|t| Timer::exact(now, t.total_s));
        }
    }

    pub(super) fn octets_waiting(&mut self, now: Moment, which: Which) {
        let longer = |t: Timer| Timer { expires: t.expires.max(now.plus_s(u64::from(UNREAD_GRACE_S))), ..t };
        match self.conn_mut(which) {
            Conn::OpenSent { hold, .. } => *hold = longer(*hold),
            Conn::OpenConfirm(talk) | Conn::Established(talk) => talk.hold = talk.hold.map(longer),
            _ => {}
        }
    }

    pub(super) fn notification(&mut self, now: Moment, which: Which, n: &Notification) {
        let phase = self.conn(which).phase();
        if !self.conn(which).is_open() {
            return;
        }
        let line = self.line(n);
        self.say(Class::Remote, format!("Received: {line}"));
        self.remember(Some(which), ErrorClass::Received, n.message());
        let capability = n.code == notification::OPEN
            && matches!(n.subcode, open_error::UNSUPPORTED_PARAMETER | open_error::UNSUPPORTED_CAPABILITY);
        if capability && self.config.terms.retries_bare && !self.bare && self.config.capabilities.is_some() {
            self.say(Class::Warning, "Capability related error received, retry with capabilities disabled");
            self.bare = phase != Phase::Established;
            return self.lose(now, which, false);
        }
        if n.code != notification::CEASE {
            self.count_error(now);
            // The neighbour has closed this one already: it would not hear a Cease.
            self.drop_conn(which, Keep::Nothing);
            return self.live_again(now, Stop::Cease { subcode: 0, text: String::new() });
        }
        // A kind of Cease that has no word counts as one without a kind.
        let kind = if n.subcode <= cease::OUT_OF_RESOURCES { n.subcode } else { 0 };
        if self.config.disable_after_cease >> kind & 1 == 1 {
            self.say(Class::Info, "Disabled after Cease notification");
            self.wait.forget();
            self.actions.push(Action::Disabled);
            self.drop_conn(which, Keep::Nothing);
            return self.live_again(now, Stop::Cease { subcode: 0, text: String::new() });
        }
        self.lose(now, which, false);
    }

    pub(super) fn unexpected(&mut self, now: Moment, which: Which) {
        let subcode = match self.conn(which).phase() {
            Phase::OpenSent => 1,
            Phase::OpenConfirm => 2,
            Phase::Established => 3,
            _ => return,
        };
        self.fail(now, which, Notification::new(notification::FSM, subcode));
    }

    /// An error of the neighbour: it is told, and this life ends.
    pub(super) fn fail(&mut self, now: Moment, which: Which, n: Notification) {
        let text = self.line(&n);
        self.fail_saying(now, which, n, text);
    }

    pub(super) fn fail_saying(&mut self, now: Moment, which: Which, n: Notification, text: String) {
        if !self.conn(which).is_open() {
            return;
        }
        self.say(Class::Remote, format!("Error: {text}"));
        self.remember(Some(which), ErrorClass::Bgp, n.message());
        self.count_error(now);
        self.give_up(which, n, Keep::Nothing);
        self.live_again(now, Stop::Cease { subcode: 0, text: String::new() });
    }

    pub(super) fn end_of_rib(&mut self, family: Family) {
        if self.established().is_some() && self.restart.told(family) {
            self.actions.push(Action::Sweep(family));
            if !self.restart.is_active() {
                self.say(Class::Events, "Neighbor graceful restart done");
            }
        }
    }
}
