//! Connections: opened, offered, lost, given up.

use super::{Conn, Machine, Stage};
use crate::restart::Restart;
use crate::say::{Class, ErrorClass};
use crate::{Action, Keep, Life, Negotiated, Stop, Timer, Turn, Which};
use route::{Family, Moment};
use std::borrow::Cow;
use std::mem;
use wire::{Notification, Open};

impl Machine {
    pub(super) const fn conn(&self, which: Which) -> &Conn {
        match which {
            Which::Outgoing => &self.outgoing,
            Which::Incoming => &self.incoming,
        }
    }

    pub(super) const fn conn_mut(&mut self, which: Which) -> &mut Conn {
        match which {
            Which::Outgoing => &mut self.outgoing,
            Which::Incoming => &mut self.incoming,
        }
    }

    /// Another state of a connection; gives the one before.
    pub(super) fn turn(&mut self, which: Which, conn: Conn) -> Conn {
        let (from, to) = (self.conn(which).phase(), conn.phase());
        if from != to {
            self.turns.push(Turn { which, from, to });
        }
        mem::replace(self.conn_mut(which), conn)
    }

    pub(super) fn connect(&mut self, now: Moment) {
        let retry_s = self.config.times.connect_retry_s;
        let retry = Timer::jittered(now, retry_s, &mut self.chance);
        self.turn(Which::Outgoing, Conn::Connect(retry));
        self.actions.push(Action::Connect);
    }

    pub(super) fn connected(&mut self, now: Moment) {
        if !matches!(self.outgoing, Conn::Connect(_)) {
            return;
        }
        self.say(Class::Events, "Connected");
        self.send_open(now, Which::Outgoing);
    }

    pub(super) fn connect_failed(&mut self, now: Moment, words: String) {
        if matches!(self.outgoing, Conn::Connect(_)) {
            self.closed(now, Which::Outgoing, Some(words));
        }
    }

    pub(super) fn offered(&mut self, now: Moment) {
        if self.is_restart_of_the_neighbour() {
            self.remember(self.established(), ErrorClass::Local, "Graceful restart");
            if let Some(which) = self.established() {
                let keep = self.keep(now, which);
                self.drop_conn(which, keep);
            }
            self.try_again(now);
        }
        let free = matches!(self.incoming, Conn::Idle) && self.established().is_none();
        if self.stage != Stage::Runs || !free {
            return self.actions.push(Action::Refuse);
        }
        self.actions.push(Action::Accept);
        self.send_open(now, Which::Incoming);
    }

    /// A new connection while the session stands: a neighbour that can restart gracefully has done
    /// so, and the old connection is dead (RFC 4724 4.2).
    pub(super) fn is_restart_of_the_neighbour(&self) -> bool {
        let able = |n: &Negotiated| n.families.iter().any(|f| n.restart_of(*f).is_some());
        self.config.restart_helper && self.negotiated().is_some_and(able)
    }

    pub(super) fn send_open(&mut self, now: Moment, which: Which) {
        let c = &self.config;
        let bare = self.bare;
        let text = format!("Sending OPEN(ver=4,as={},hold={},id={:08x})", c.local_as, c.times.hold_s, c.router_id);
        let capabilities = if bare { None } else { c.capabilities.clone() };
        let open = Open::new(c.local_as, c.times.hold_s, c.router_id, capabilities);
        if bare {
            self.say(Class::Packets, "Skipping capabilities");
        }
        self.say(Class::Packets, text);
        let hold = Timer::jittered(now, self.config.times.startup_hold_s, &mut self.chance);
        self.turn(which, Conn::OpenSent { hold, bare });
        self.actions.push(Action::SendOpen(which, Box::new(open)));
    }

    /// A connection ends without a word.
    pub(super) fn drop_conn(&mut self, which: Which, keep: Keep) {
        match self.turn(which, Conn::Idle) {
            Conn::Idle => {}
            Conn::Active(_) => {}
            Conn::Established(talk) => {
                self.say(Class::Events, "BGP session closed");
                self.actions.push(Action::Close(which));
                let retained = |family: &Family| {
                    let kept = self.restart.families.iter().any(|r| r.family == *family);
                    if kept && keep == Keep::Stale { Keep::Stale } else { Keep::Nothing }
                };
                let fates = talk.negotiated.families.iter().map(|f| (*f, retained(f))).collect();
                self.actions.push(Action::Lost(fates));
            }
            _ => self.actions.push(Action::Close(which)),
        }
    }

    /// A connection ends with a NOTIFICATION.
    pub(super) fn give_up(&mut self, which: Which, n: Notification, keep: Keep) {
        let text = format!("Sending NOTIFICATION(code={}.{})", n.code, n.subcode);
        self.say(Class::Packets, text);
        self.actions.push(Action::SendNotification(which, n));
        self.drop_conn(which, keep);
    }

    /// Retains what the neighbour may expect to be retained after the loss of this connection.
    pub(super) fn keep(&mut self, now: Moment, which: Which) -> Keep {
        let Conn::Established(talk) = self.conn(which) else { return Keep::Nothing };
        let restart = Restart::begin(now, &self.config, &talk.negotiated);
        if !restart.is_active() {
            return Keep::Nothing;
        }
        self.restart = restart;
        self.say(Class::Events, "Neighbor graceful restart detected");
        self.come_to(Life::Start);
        Keep::Stale
    }

    pub(super) fn closed(&mut self, now: Moment, which: Which, words: Option<String>) {
        if matches!(self.conn(which), Conn::Idle | Conn::Active(_)) {
            return;
        }
        let text = match &words {
            Some(words) => format!("Connection lost ({words})"),
            None => "Connection closed".into(),
        };
        self.say(Class::Events, text);
        let words = words.map_or("Connection closed".into(), Cow::Owned);
        self.remember(Some(which), ErrorClass::Socket, words);
        self.lose(now, which, true);
    }

    /// A connection is gone without an error worth a wait.
    pub(super) fn lose(&mut self, now: Moment, which: Which, may_retain: bool) {
        let up = self.established() == Some(which);
        let keep = if may_retain { self.keep(now, which) } else { Keep::Nothing };
        if up && keep == Keep::Nothing {
            return self.live_again(now, Stop::Silent);
        }
        self.drop_conn(which, keep);
        self.try_again(now);
    }
}
