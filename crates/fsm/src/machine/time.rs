//! Timers that expire.

use super::{Conn, Machine, Stage};
use crate::say::{Class, ErrorClass};
use crate::{Action, Stop, Timer, Which};
use route::Moment;
use wire::Notification;
use wire::notification::{self};

impl Machine {
    pub(super) fn tick(&mut self, now: Moment) {
        if let Stage::AwaitsTime(timer) = self.stage
            && timer.is_due(now)
        {
            self.run(now);
        }
        for which in [Which::Outgoing, Which::Incoming] {
            self.tick_conn(now, which);
        }
        self.tick_restart(now);
    }

    pub(super) fn tick_conn(&mut self, now: Moment, which: Which) {
        match self.conn(which) {
            Conn::Active(t) if t.is_due(now) => self.connect(now),
            Conn::Connect(t) if t.is_due(now) => {
                self.actions.push(Action::Close(which));
                self.connect(now);
            }
            conn if conn.hold().is_some_and(|t| t.is_due(now)) => self.hold_expires(now, which),
            _ => self.keepalive_due(now, which),
        }
    }

    pub(super) fn hold_expires(&mut self, now: Moment, which: Which) {
        let long_lived = self.config.long_lived_helper
            && self
                .negotiated()
                .is_some_and(|n| n.families.iter().any(|f| n.long_lived_of(*f).is_some_and(|(_, s)| s > 0)));
        let n = Notification::new(notification::HOLD_TIMER, 0);
        if self.established() != Some(which) || !long_lived {
            return self.fail(now, which, n);
        }
        // RFC 9494 4.2: the loss of a session by its hold timer is one that routes outlive.
        self.say(Class::Remote, format!("Error: {n}"));
        self.remember(Some(which), ErrorClass::Bgp, n.message());
        let keep = self.keep(now, which);
        self.give_up(which, n, keep);
        self.try_again(now);
    }

    pub(super) fn keepalive_due(&mut self, now: Moment, which: Which) {
        let Some(timer) = self.conn(which).talk().and_then(|t| t.keepalive) else { return };
        if !timer.is_due(now) {
            return;
        }
        let next = Timer::jittered(now, timer.total_s, &mut self.chance);
        if let Some(talk) = self.conn_mut(which).talk_mut() {
            talk.keepalive = Some(next);
        }
        self.say(Class::Packets, "Sending KEEPALIVE");
        self.actions.push(Action::SendKeepalive(which));
    }

    pub(super) fn tick_restart(&mut self, now: Moment) {
        if self.restart.timer.is_some_and(|t| t.is_due(now)) {
            self.say(Class::Events, "Neighbor graceful restart timeout");
            let (long_lived, gone) = self.restart.expire(now);
            self.actions.extend(long_lived.into_iter().map(Action::LongLived));
            self.actions.extend(gone.into_iter().map(Action::Drop));
            self.begin_anew_when_nothing_is_retained(now);
        }
        let over = self.restart.expire_long_lived(now);
        if !over.is_empty() {
            self.say(Class::Events, "Long-lived stale timeout");
            self.actions.extend(over.into_iter().map(Action::Drop));
            self.begin_anew_when_nothing_is_retained(now);
        }
    }

    pub(super) fn begin_anew_when_nothing_is_retained(&mut self, now: Moment) {
        if !self.restart.is_active() {
            self.live_again(now, Stop::Cease { subcode: 0, text: String::new() });
        }
    }
}
