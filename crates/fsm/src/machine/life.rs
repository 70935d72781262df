//! The life of the protocol: start, stop, limits, the neighbour's link, and the wait after errors.

use super::{Conn, Machine, Stage};
use crate::say::{Class, ErrorClass, LastError};
use crate::{Action, Keep, Life, Reach, Stop, Timer, Which};
use route::Moment;
use std::mem;
use wire::Notification;

impl Machine {
    pub(super) fn start(&mut self, now: Moment) {
        if self.stage != Stage::Down {
            return;
        }
        self.bare = false;
        self.say(Class::States, "Starting");
        self.stage = Stage::AwaitsReach;
        self.come_to(Life::Start);
        match &self.reach {
            Reach::Ready => self.wait_after_errors(now),
            Reach::Absent => {
                let text = format!("Waiting for {} to become my neighbor", self.config.peer_addr);
                self.say(Class::Events, text);
            }
            Reach::LinkDown(link) => {
                let text = format!("Waiting for link on {link}");
                self.say(Class::Events, text);
            }
        }
    }

    pub(super) fn wait_after_errors(&mut self, now: Moment) {
        let Some(delay_s) = self.wait.take() else { return self.run(now) };
        let text = format!("Startup delayed by {delay_s} seconds due to errors");
        self.say(Class::Events, text);
        self.stage = Stage::AwaitsTime(Timer::jittered(now, delay_s, &mut self.chance));
    }

    pub(super) fn run(&mut self, now: Moment) {
        self.say(Class::Events, "Started");
        self.stage = Stage::Runs;
        self.try_again(now);
    }

    /// Our next attempt, unless there is none to be made.
    pub(super) fn try_again(&mut self, now: Moment) {
        let idle = matches!(self.outgoing, Conn::Idle);
        let spoken = self.incoming.talk().is_some();
        if self.stage != Stage::Runs || self.config.passive || !idle || spoken {
            return;
        }
        let delay_s = self.config.times.connect_delay_s.max(1);
        self.say(Class::Events, format!("Connect delayed by {delay_s} seconds"));
        let delay = Timer::jittered(now, delay_s, &mut self.chance);
        self.turn(Which::Outgoing, Conn::Active(delay));
    }

    /// The operator's stop: nothing is remembered against the neighbour.
    pub(super) fn stop(&mut self, stop: Stop) {
        if self.stage == Stage::Down {
            return;
        }
        self.say(Class::States, "Shutting down");
        self.say(Class::Events, "Shutdown requested");
        self.wait.forget();
        self.error = None;
        self.end_life(stop);
    }

    pub(super) fn limit(&mut self, now: Moment, subcode: u8, restart: bool) {
        if self.stage == Stage::Down {
            return;
        }
        self.say(Class::States, "Shutting down");
        self.say(Class::Events, "Shutdown requested");
        self.error = Some(LastError { class: ErrorClass::Automatic, text: "Route limit exceeded".into() });
        if restart {
            self.count_error(now);
        } else {
            self.wait.forget();
            self.actions.push(Action::Disabled);
        }
        self.end_life(Stop::Cease { subcode, text: String::new() });
        if restart {
            self.start(now);
        }
    }

    /// As in BIRD the protocol is disabled then: what failed would fail again.
    pub(super) fn unable(&mut self, words: &'static str) {
        if self.stage == Stage::Down {
            return;
        }
        self.remember(None, ErrorClass::Local, words);
        self.wait.forget();
        self.actions.push(Action::Disabled);
        self.end_life(Stop::Silent);
    }

    pub(super) fn reach(&mut self, now: Moment, reach: Reach) {
        let before = mem::replace(&mut self.reach, reach);
        if self.stage == Stage::Down || before == self.reach {
            return;
        }
        match (&before, &self.reach) {
            (_, Reach::Ready) if self.stage == Stage::AwaitsReach => {
                self.say(Class::Events, "Neighbor ready");
                self.wait_after_errors(now);
            }
            (Reach::Ready, Reach::Absent) => self.unreachable(now, "Neighbor lost", false),
            (Reach::Ready, Reach::LinkDown(_)) => {
                let up = self.established().is_some();
                self.unreachable(now, "Link down", up);
            }
            _ => {}
        }
    }

    pub(super) fn unreachable(&mut self, now: Moment, words: &'static str, count: bool) {
        self.say(Class::Events, words);
        self.remember(None, ErrorClass::Local, words);
        if count {
            self.count_error(now);
        }
        self.live_again(now, Stop::Cease { subcode: 0, text: String::new() });
    }

    /// A wait after errors goes on; connections end, all at once or as if the neighbour had closed them.
    pub(super) fn liveness_lost(&mut self, now: Moment, graceful: bool) {
        const WORDS: &str = "BFD session down";
        if self.stage != Stage::Runs {
            return;
        }
        if !graceful {
            let up = self.established().is_some();
            return self.unreachable(now, WORDS, up);
        }
        self.say(Class::Events, WORDS);
        self.remember(None, ErrorClass::Local, WORDS);
        for which in [Which::Outgoing, Which::Incoming] {
            if self.conn(which).is_open() || matches!(self.conn(which), Conn::Connect(_)) {
                self.lose(now, which, true);
            }
        }
    }

    /// Ends this life and begins the next, unless the error disabled the protocol.
    pub(super) fn live_again(&mut self, now: Moment, stop: Stop) {
        self.end_life(stop);
        if !self.actions.contains(&Action::Disabled) {
            self.start(now);
        }
    }

    /// Both connections and whatever is retained go; the protocol is down.
    pub(super) fn end_life(&mut self, stop: Stop) {
        let error = self.error.clone();
        self.come_to(Life::Stop);
        for which in [Which::Outgoing, Which::Incoming] {
            match &stop {
                Stop::Cease { subcode, text } if self.conn(which).is_open() => {
                    let n = Notification::with_shutdown_text(*subcode, text);
                    self.give_up(which, n, Keep::Nothing);
                }
                _ => self.drop_conn(which, Keep::Nothing),
            }
        }
        for retained in mem::take(&mut self.restart).families {
            self.actions.push(Action::Drop(retained.family));
        }
        // What happened to the connections while going down is not why we go down.
        self.error = error;
        self.stage = Stage::Down;
        self.say(Class::Events, "Down");
        self.come_to(Life::Down);
    }

    pub(super) fn count_error(&mut self, now: Moment) {
        if self.config.disable_after_error {
            self.wait.forget();
            self.actions.push(Action::Disabled);
            return;
        }
        let (least_s, most_s) = self.config.times.error_wait_s;
        self.wait.error(now, least_s, most_s, self.config.times.error_forget_s);
    }
}
