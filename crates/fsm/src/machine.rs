//! The machine: one protocol instance towards one neighbour.
//!
//! Three things live one inside the other. The *life* of the protocol: down,
//! waiting for the neighbour's link, waiting after errors, running. While it
//! runs, two *connections*: ours out, the neighbour's in, each in a state of
//! RFC 4271 8.2.2. In a connection that got so far, what was *negotiated* and
//! its timers. An error on a connection ends the life, and a new one begins
//! after the wait; a connection that merely closes ends only itself, unless it
//! carried the session.
//!
//! Both connections of a collision stay until the second OPEN has come, since
//! only the identifiers in it decide (RFC 4271 6.8).

mod conn;
mod connections;
mod life;
mod messages;
mod objections;
mod time;

use crate::restart::Restart;
use crate::say::{Class, ErrorClass, LastError};
use crate::timer::{Chance, ErrorWait};
use crate::{Action, Config, Event, Life, Negotiated, Phase, Reach, Timer, Turn, Which};
use conn::{Conn, Talk};
use route::Moment;
use std::borrow::Cow;
use std::mem;
use wire::{Kind, Notification, notification};

/// While the protocol is not down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Down,
    /// For the neighbour to appear on a link.
    AwaitsReach,
    /// After an error.
    AwaitsTime(Timer),
    /// Connections are made and taken.
    Runs,
}

/// See the head of this file.
#[derive(Debug)]
pub struct Machine {
    config: Config,
    stage: Stage,
    outgoing: Conn,
    incoming: Conn,
    reach: Reach,
    /// OPENs go out without capabilities in this life, since the neighbour could not stand them.
    bare: bool,
    wait: ErrorWait,
    restart: Restart,
    error: Option<LastError>,
    chance: Chance,
    actions: Vec<Action>,
    turns: Vec<Turn>,
}

impl Machine {
    /// A machine that is down. `seed` decides the jitter of its timers.
    pub fn new(config: Config, seed: u64) -> Self {
        Self {
            config,
            stage: Stage::Down,
            outgoing: Conn::Idle,
            incoming: Conn::Idle,
            reach: Reach::Ready,
            bare: false,
            wait: ErrorWait::default(),
            restart: Restart::default(),
            error: None,
            chance: Chance::new(seed),
            actions: Vec::new(),
            turns: Vec::new(),
        }
    }

    /// New options; timers that run keep running.
    pub fn reconfigure(&mut self, config: Config) {
        self.config = config;
    }

    /// The options.
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// The life of the protocol.
    pub fn life(&self) -> Life {
        match self.stage {
            Stage::Down => Life::Down,
            _ if self.established().is_some() => Life::Up,
            _ => Life::Start,
        }
    }

    /// The state of BGP: of the connection that has come further.
    pub fn phase(&self) -> Phase {
        if self.stage == Stage::Down {
            return Phase::Down;
        }
        let phase = self.outgoing.phase().max(self.incoming.phase());
        if phase == Phase::Idle && self.stage == Stage::Runs && self.config.passive {
            return Phase::Passive;
        }
        phase
    }

    /// The connection that carries the session.
    pub const fn established(&self) -> Option<Which> {
        if matches!(self.outgoing, Conn::Established(_)) {
            return Some(Which::Outgoing);
        }
        if matches!(self.incoming, Conn::Established(_)) {
            return Some(Which::Incoming);
        }
        None
    }

    /// Whether the neighbour could come back at once, but is gone: no connection, no wait after an error, none of its
    /// routes retained. A passive machine that is left does nothing any more by itself.
    pub fn is_left(&self) -> bool {
        let idle = |conn: &Conn| matches!(conn, Conn::Idle);
        matches!(self.stage, Stage::Runs | Stage::AwaitsReach)
            && idle(&self.outgoing)
            && idle(&self.incoming)
            && !self.is_restarting()
    }

    /// What the session negotiated, while it is established.
    pub fn negotiated(&self) -> Option<&Negotiated> {
        Some(&self.conn(self.established()?).talk()?.negotiated)
    }

    /// The hold timer of the session; `None` also when hold time 0 was negotiated.
    pub fn hold_timer(&self) -> Option<Timer> {
        self.conn(self.established()?).hold()
    }

    /// The keepalive timer of the session.
    pub fn keepalive_timer(&self) -> Option<Timer> {
        self.conn(self.established()?).talk()?.keepalive
    }

    /// The wait after an error.
    pub const fn error_wait(&self) -> Option<Timer> {
        match self.stage {
            Stage::AwaitsTime(timer) => Some(timer),
            _ => None,
        }
    }

    /// The wait before the next attempt.
    pub const fn connect_delay(&self) -> Option<Timer> {
        match self.outgoing {
            Conn::Active(timer) => Some(timer),
            _ => None,
        }
    }

    /// Whether routes of a neighbour that restarts are retained.
    pub fn is_restarting(&self) -> bool {
        self.restart.is_active()
    }

    /// The time in which a restarting neighbour must be back.
    pub const fn restart_timer(&self) -> Option<Timer> {
        self.restart.timer
    }

    /// The long-lived stale time that is over first.
    pub fn stale_timer(&self) -> Option<Timer> {
        self.restart.stale_timer()
    }

    /// How long the neighbour may take no octet before [`Event::Stuck`], seconds (see [`Terms::send_hold_s`](crate::Terms)).
    /// `None`: for ever, since that was asked for, or hold time 0 was negotiated.
    pub fn send_hold_s(&self) -> Option<u64> {
        self.config.terms.send_hold_s(&self.config, self.hold_timer()?.total_s)
    }

    /// What went wrong last; forgotten when the session is established.
    pub const fn last_error(&self) -> Option<&LastError> {
        self.error.as_ref()
    }

    /// Whether a message of this kind may come on a connection now. If not, tell [`Event::Unexpected`]
    /// without decoding it: what it says does not matter any more.
    pub fn expects(&self, which: Which, kind: Kind) -> bool {
        match (self.conn(which), kind) {
            (_, Kind::Notification) => true,
            (Conn::OpenSent { .. }, kind) => kind == Kind::Open,
            (Conn::OpenConfirm(_), kind) => kind == Kind::Keepalive,
            (Conn::Established(_), kind) => kind != Kind::Open,
            _ => false,
        }
    }

    /// When the machine next needs [`Event::Tick`], or `None` while no timer runs.
    ///
    /// Ask again after every [`handle`](Self::handle); any event may move a deadline.
    pub fn next_deadline(&self) -> Option<Moment> {
        [
            self.error_wait().map(|t| t.expires),
            self.outgoing.next_deadline(),
            self.incoming.next_deadline(),
            self.restart.next_deadline(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Whether the hold timer of a connection is over: the moment to look for unread octets
    /// ([`Event::OctetsWaiting`]) before [`Event::Tick`] is told.
    pub fn is_hold_due(&self, which: Which, now: Moment) -> bool {
        self.conn(which).hold().is_some_and(|t| t.is_due(now))
    }

    /// Something happens. The actions are to be carried out in their order.
    pub fn handle(&mut self, now: Moment, event: Event) -> Vec<Action> {
        match event {
            Event::Start => self.start(now),
            Event::Stop(stop) => self.stop(stop),
            Event::Limit { subcode, restart } => self.limit(now, subcode, restart),
            Event::Unable(words) => self.unable(words),
            Event::Reach(reach) => self.reach(now, reach),
            Event::LivenessLost { graceful } => self.liveness_lost(now, graceful),
            Event::Connected => self.connected(now),
            Event::ConnectFailed(words) => self.connect_failed(now, words),
            Event::Offered => self.offered(now),
            Event::Open(which, open) => self.open(now, which, *open),
            Event::Keepalive(which) => self.keepalive(now, which),
            Event::Routes(which) => self.alive(now, which),
            Event::Notification(which, n) => self.notification(now, which, &n),
            Event::Malformed(which, n) => self.fail(now, which, n),
            Event::Unexpected(which) => self.unexpected(now, which),
            Event::Closed(which, words) => self.closed(now, which, words),
            Event::OctetsWaiting(which) => self.octets_waiting(now, which),
            Event::Stuck(which) => self.fail(now, which, Notification::new(notification::SEND_HOLD_TIMER, 0)),
            Event::EndOfRib(family) => self.end_of_rib(family),
            Event::Tick => self.tick(now),
        }
        mem::take(&mut self.actions)
    }

    /// What became of the connections since the last call, in order.
    pub fn take_turns(&mut self) -> Vec<Turn> {
        mem::take(&mut self.turns)
    }

    /// While the session stands, only what happens to its own connection is an error of the session.
    fn remember(&mut self, which: Option<Which>, class: ErrorClass, text: impl Into<Cow<'static, str>>) {
        let beside = which.is_some() && self.established().is_some_and(|w| Some(w) != which);
        if !beside {
            self.error = Some(LastError { class, text: text.into() });
        }
    }

    fn say(&mut self, class: Class, text: impl Into<Cow<'static, str>>) {
        self.actions.push(Action::Say(class, text.into()));
    }

    /// What the log says of a NOTIFICATION.
    fn line(&self, n: &Notification) -> String {
        n.line(self.config.terms.numbers).to_string()
    }

    fn come_to(&mut self, life: Life) {
        self.actions.push(Action::Life(life));
    }
}
