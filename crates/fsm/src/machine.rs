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

use crate::restart::Restart;
use crate::say::{Class, ErrorClass, LastError};
use crate::timer::{Chance, ErrorWait};
use crate::{Config, Keep, Negotiated, Timer};
use route::{Family, Moment};
use std::borrow::Cow;
use std::mem;
use wire::notification::{self, cease, open as open_error};
use wire::{Kind, Notification, Open};

/// One of the two connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Which {
    /// We opened it.
    Outgoing,
    /// The neighbour opened it.
    Incoming,
}

impl Which {
    /// The other one.
    pub const fn other(self) -> Self {
        match self {
            Self::Outgoing => Self::Incoming,
            Self::Incoming => Self::Outgoing,
        }
    }
}

/// Whether the neighbour lies on a link that is up. Of a multihop neighbour always [`Reach::Ready`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Reach {
    /// It can be talked to.
    #[default]
    Ready,
    /// It lies on no link of ours.
    Absent,
    /// It does, but that link has no carrier (`check link`); the name of the link.
    LinkDown(String),
}

/// How to stop.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Stop {
    /// With a Cease; text is a shutdown communication (RFC 9003).
    Cease {
        /// Of RFC 4486.
        subcode: u8,
        /// Empty: none.
        text: String,
    },
    /// Without a word: the neighbour shall keep our routes (RFC 4724 4.1).
    #[default]
    Silent,
}

/// What happens to a machine.
#[derive(Clone, Debug)]
pub enum Event {
    /// The operator wants it up (ManualStart).
    Start,
    /// The operator wants it down (ManualStop).
    Stop(Stop),
    /// A limit on routes was passed: down, and up again after the error wait when `restart`.
    Limit {
        /// Of the Cease.
        subcode: u8,
        /// Whether to come up again.
        restart: bool,
    },
    /// The neighbour's link came or went.
    Reach(Reach),
    /// [`Action::Connect`] succeeded.
    Connected,
    /// [`Action::Connect`] failed; the system's words.
    ConnectFailed(String),
    /// The neighbour has opened a connection; the answer is [`Action::Accept`] or [`Action::Refuse`].
    Offered,
    /// An OPEN came.
    Open(Which, Box<Open>),
    /// A KEEPALIVE came.
    Keepalive(Which),
    /// UPDATEs or ROUTE-REFRESHs came, in Established.
    Routes(Which),
    /// A NOTIFICATION came.
    Notification(Which, Notification),
    /// Octets came that are no message, or a message that must end the session.
    Malformed(Which, Notification),
    /// A message came that has no business in this state; see [`Machine::expects`].
    Unexpected(Which),
    /// The connection is gone: closed by the neighbour (`None`), or lost; the system's words.
    Closed(Which, Option<String>),
    /// The hold time is over, but octets of the neighbour wait to be read: the congestion is ours.
    OctetsWaiting(Which),
    /// The neighbour has not taken a single octet for too long (RFC 9687).
    Stuck(Which),
    /// The neighbour has told everything of a family (RFC 4724 2).
    EndOfRib(Family),
    /// Time has passed.
    Tick,
}

/// What the owner of a machine has to do, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Open a connection; its fate is told by [`Event::Connected`] or [`Event::ConnectFailed`].
    Connect,
    /// Take the connection that was offered.
    Accept,
    /// Close the connection that was offered, without a word.
    Refuse,
    /// Send an OPEN.
    SendOpen(Which, Box<Open>),
    /// Send a KEEPALIVE.
    SendKeepalive(Which),
    /// Send a NOTIFICATION; [`Action::Close`] follows.
    SendNotification(Which, Notification),
    /// Close the connection, or give up opening it.
    Close(Which),
    /// The life of the protocol has come to this.
    Life(Life),
    /// The session is up on this connection: see [`Machine::negotiated`].
    Established(Which),
    /// The session is lost; what becomes of each family's routes.
    Lost(Vec<(Family, Keep)>),
    /// Retained routes of a family have had their time.
    Drop(Family),
    /// Retained routes of a family are long-lived stale from now on.
    LongLived(Family),
    /// What is still stale in a family must go: the neighbour has told everything.
    Sweep(Family),
    /// The protocol has disabled itself.
    Disabled,
    /// A line for the log.
    Say(Class, Cow<'static, str>),
}

/// The life of the protocol, as the operator sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// Nothing happens.
    Down,
    /// It wants to go up.
    Start,
    /// The session is established.
    Up,
    /// It goes down.
    Stop,
}

/// The state of BGP, as the operator sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each is the state of its name, RFC 4271 8.2.2")]
pub enum Phase {
    Down,
    Idle,
    Connect,
    Active,
    OpenSent,
    OpenConfirm,
    Established,
    Passive,
}

impl Phase {
    /// BIRD's word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Down => "Down",
            Self::Idle => "Idle",
            Self::Connect => "Connect",
            Self::Active => "Active",
            Self::OpenSent => "OpenSent",
            Self::OpenConfirm => "OpenConfirm",
            Self::Established => "Established",
            Self::Passive => "Passive",
        }
    }
}

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

/// The states of RFC 4271 8.2.2. What exists only in a state lives in it.
#[derive(Clone, Debug)]
enum Conn {
    Idle,
    /// Waits before an attempt.
    Active(Timer),
    Connect(Timer),
    OpenSent {
        hold: Timer,
        bare: bool,
    },
    OpenConfirm(Box<Talk>),
    Established(Box<Talk>),
}

#[derive(Clone, Debug)]
struct Talk {
    negotiated: Negotiated,
    hold: Option<Timer>,
    keepalive: Option<Timer>,
}

impl Conn {
    const fn phase(&self) -> Phase {
        match self {
            Self::Idle => Phase::Idle,
            Self::Active(_) => Phase::Active,
            Self::Connect(_) => Phase::Connect,
            Self::OpenSent { .. } => Phase::OpenSent,
            Self::OpenConfirm(_) => Phase::OpenConfirm,
            Self::Established(_) => Phase::Established,
        }
    }

    /// Whether the neighbour would hear a message.
    const fn is_open(&self) -> bool {
        matches!(self, Self::OpenSent { .. } | Self::OpenConfirm(_) | Self::Established(_))
    }

    fn talk(&self) -> Option<&Talk> {
        match self {
            Self::OpenConfirm(talk) | Self::Established(talk) => Some(talk),
            _ => None,
        }
    }

    fn talk_mut(&mut self) -> Option<&mut Talk> {
        match self {
            Self::OpenConfirm(talk) | Self::Established(talk) => Some(talk),
            _ => None,
        }
    }

    fn hold(&self) -> Option<Timer> {
        match self {
            Self::OpenSent { hold, .. } => Some(*hold),
            _ => self.talk()?.hold,
        }
    }

    fn next_deadline(&self) -> Option<Moment> {
        match self {
            Self::Idle => None,
            Self::Active(t) | Self::Connect(t) | Self::OpenSent { hold: t, .. } => Some(t.expires),
            Self::OpenConfirm(talk) | Self::Established(talk) => {
                let timers = [talk.hold, talk.keepalive];
                timers.into_iter().flatten().map(|t| t.expires).min()
            }
        }
    }
}

/// The code of `Send Hold Timer Expired` (RFC 9687 4).
const SEND_HOLD_TIMER: u8 = 8;
/// The least send hold time, seconds (RFC 9687 4.1).
const SEND_HOLD_S: u64 = 480;
/// How long unread octets of the neighbour count as life when the hold time is over, seconds.
const UNREAD_GRACE_S: u32 = 10;

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

    /// How long the neighbour may take no octet before [`Event::Stuck`], seconds: eight minutes, or twice the
    /// hold time where that is more (RFC 9687 4.1). `None`: for ever, since hold time 0 was negotiated.
    pub fn send_hold_s(&self) -> Option<u64> {
        let hold = self.hold_timer()?;
        Some((2 * u64::from(hold.total_s)).max(SEND_HOLD_S))
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
            Event::Reach(reach) => self.reach(now, reach),
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
            Event::Stuck(which) => self.fail(now, which, Notification::new(SEND_HOLD_TIMER, 0)),
            Event::EndOfRib(family) => self.end_of_rib(family),
            Event::Tick => self.tick(now),
        }
        mem::take(&mut self.actions)
    }

    // ---- the life of the protocol

    fn start(&mut self, now: Moment) {
        if self.stage != Stage::Down {
            return;
        }
        self.bare = false;
        self.trace(Class::States, "Starting");
        self.stage = Stage::AwaitsReach;
        self.come_to(Life::Start);
        match &self.reach {
            Reach::Ready => self.wait_after_errors(now),
            Reach::Absent => {
                let text = format!("Waiting for {} to become my neighbor", self.config.peer_addr);
                self.trace(Class::Events, text);
            }
            Reach::LinkDown(link) => {
                let text = format!("Waiting for link on {link}");
                self.trace(Class::Events, text);
            }
        }
    }

    fn wait_after_errors(&mut self, now: Moment) {
        let Some(delay_s) = self.wait.take() else { return self.run(now) };
        let text = format!("Startup delayed by {delay_s} seconds due to errors");
        self.trace(Class::Events, text);
        self.stage = Stage::AwaitsTime(Timer::jittered(now, delay_s, &mut self.chance));
    }

    fn run(&mut self, now: Moment) {
        self.trace(Class::Events, "Started");
        self.stage = Stage::Runs;
        self.try_again(now);
    }

    /// Our next attempt, unless there is none to be made.
    fn try_again(&mut self, now: Moment) {
        let idle = matches!(self.outgoing, Conn::Idle);
        let spoken = self.incoming.talk().is_some();
        if self.stage != Stage::Runs || self.config.passive || !idle || spoken {
            return;
        }
        let delay_s = self.config.connect_delay_time_s.max(1);
        self.trace(Class::Events, format!("Connect delayed by {delay_s} seconds"));
        self.outgoing = Conn::Active(Timer::jittered(now, delay_s, &mut self.chance));
    }

    /// The operator's stop: nothing is remembered against the neighbour.
    fn stop(&mut self, stop: Stop) {
        if self.stage == Stage::Down {
            return;
        }
        self.trace(Class::States, "Shutting down");
        self.trace(Class::Events, "Shutdown requested");
        self.wait.forget();
        self.error = None;
        self.end_life(stop);
    }

    fn limit(&mut self, now: Moment, subcode: u8, restart: bool) {
        if self.stage == Stage::Down {
            return;
        }
        self.trace(Class::States, "Shutting down");
        self.trace(Class::Events, "Shutdown requested");
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

    fn reach(&mut self, now: Moment, reach: Reach) {
        let before = mem::replace(&mut self.reach, reach);
        if self.stage == Stage::Down || before == self.reach {
            return;
        }
        match (&before, &self.reach) {
            (_, Reach::Ready) if self.stage == Stage::AwaitsReach => {
                self.trace(Class::Events, "Neighbor ready");
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

    fn unreachable(&mut self, now: Moment, words: &'static str, count: bool) {
        self.trace(Class::Events, words);
        self.remember(None, ErrorClass::Local, words);
        if count {
            self.count_error(now);
        }
        self.live_again(now, Stop::Cease { subcode: 0, text: String::new() });
    }

    /// Ends this life and begins the next, unless the error disabled the protocol.
    fn live_again(&mut self, now: Moment, stop: Stop) {
        self.end_life(stop);
        if !self.actions.contains(&Action::Disabled) {
            self.start(now);
        }
    }

    /// Both connections and whatever is retained go; the protocol is down.
    fn end_life(&mut self, stop: Stop) {
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
        self.trace(Class::Events, "Down");
        self.come_to(Life::Down);
    }

    fn count_error(&mut self, now: Moment) {
        if self.config.disable_after_error {
            self.wait.forget();
            self.actions.push(Action::Disabled);
            return;
        }
        let (least_s, most_s) = self.config.error_wait_time_s;
        self.wait.error(now, least_s, most_s, self.config.error_forget_time_s);
    }

    // ---- connections

    const fn conn(&self, which: Which) -> &Conn {
        match which {
            Which::Outgoing => &self.outgoing,
            Which::Incoming => &self.incoming,
        }
    }

    const fn conn_mut(&mut self, which: Which) -> &mut Conn {
        match which {
            Which::Outgoing => &mut self.outgoing,
            Which::Incoming => &mut self.incoming,
        }
    }

    fn connect(&mut self, now: Moment) {
        let retry_s = self.config.connect_retry_time_s;
        self.outgoing = Conn::Connect(Timer::jittered(now, retry_s, &mut self.chance));
        self.actions.push(Action::Connect);
    }

    fn connected(&mut self, now: Moment) {
        if !matches!(self.outgoing, Conn::Connect(_)) {
            return;
        }
        self.trace(Class::Events, "Connected");
        self.send_open(now, Which::Outgoing);
    }

    fn connect_failed(&mut self, now: Moment, words: String) {
        if matches!(self.outgoing, Conn::Connect(_)) {
            self.closed(now, Which::Outgoing, Some(words));
        }
    }

    fn offered(&mut self, now: Moment) {
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
    fn is_restart_of_the_neighbour(&self) -> bool {
        let able = |n: &Negotiated| n.families.iter().any(|f| n.restart_of(*f).is_some());
        self.config.restart_helper && self.negotiated().is_some_and(able)
    }

    fn send_open(&mut self, now: Moment, which: Which) {
        let c = &self.config;
        let bare = self.bare;
        let text = format!("Sending OPEN(ver=4,as={},hold={},id={:08x})", c.local_as, c.hold_time_s, c.router_id);
        let capabilities = if bare { None } else { c.capabilities.clone() };
        let open = Open::new(c.local_as, c.hold_time_s, c.router_id, capabilities);
        if bare {
            self.trace(Class::Packets, "Skipping capabilities");
        }
        self.trace(Class::Packets, text);
        let hold = Timer::jittered(now, self.config.startup_hold_time_s, &mut self.chance);
        *self.conn_mut(which) = Conn::OpenSent { hold, bare };
        self.actions.push(Action::SendOpen(which, Box::new(open)));
    }

    /// A connection ends without a word.
    fn drop_conn(&mut self, which: Which, keep: Keep) {
        match mem::replace(self.conn_mut(which), Conn::Idle) {
            Conn::Idle => {}
            Conn::Active(_) => {}
            Conn::Established(talk) => {
                self.trace(Class::Events, "BGP session closed");
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
    fn give_up(&mut self, which: Which, n: Notification, keep: Keep) {
        let text = format!("Sending NOTIFICATION(code={}.{})", n.code, n.subcode);
        self.trace(Class::Packets, text);
        self.actions.push(Action::SendNotification(which, n));
        self.drop_conn(which, keep);
    }

    /// Retains what the neighbour may expect to be retained after the loss of this connection.
    fn keep(&mut self, now: Moment, which: Which) -> Keep {
        let Conn::Established(talk) = self.conn(which) else { return Keep::Nothing };
        let restart = Restart::begin(now, &self.config, &talk.negotiated);
        if !restart.is_active() {
            return Keep::Nothing;
        }
        self.restart = restart;
        self.trace(Class::Events, "Neighbor graceful restart detected");
        self.come_to(Life::Start);
        Keep::Stale
    }

    fn closed(&mut self, now: Moment, which: Which, words: Option<String>) {
        if matches!(self.conn(which), Conn::Idle | Conn::Active(_)) {
            return;
        }
        let text = match &words {
            Some(words) => format!("Connection lost ({words})"),
            None => "Connection closed".into(),
        };
        self.trace(Class::Events, text);
        let words = words.map_or("Connection closed".into(), Cow::Owned);
        self.remember(Some(which), ErrorClass::Socket, words);
        self.lose(now, which, true);
    }

    /// A connection is gone without an error worth a wait.
    fn lose(&mut self, now: Moment, which: Which, may_retain: bool) {
        let up = self.established() == Some(which);
        let keep = if may_retain { self.keep(now, which) } else { Keep::Nothing };
        if up && keep == Keep::Nothing {
            return self.live_again(now, Stop::Silent);
        }
        self.drop_conn(which, keep);
        self.try_again(now);
    }

    // ---- messages

    fn open(&mut self, now: Moment, which: Which, open: Open) {
        let Conn::OpenSent { bare, .. } = *self.conn(which) else {
            return self.unexpected(now, which);
        };
        self.trace(
            Class::Packets,
            format!("Got OPEN(as={},hold={},id={:08x})", open.asn, open.hold_time_s, open.router_id),
        );
        if open.is_inconsistent() {
            self.say(Class::Warning, "Peer advertised inconsistent AS numbers");
        }
        if let Some((n, text)) = self.objection(&open) {
            return self.fail_saying(now, which, n, text);
        }
        if !self.wins(which, &open) {
            return;
        }
        let ours = if bare { None } else { self.config.capabilities.as_ref() };
        let negotiated = Negotiated::new(&self.config, ours, open);
        let hold_s = u32::from(negotiated.hold_time_s);
        let keepalive_s = negotiated.keepalive_time_s;
        let hold = (hold_s > 0).then(|| Timer::exact(now, hold_s));
        let keepalive = (keepalive_s > 0).then(|| Timer::jittered(now, keepalive_s, &mut self.chance));
        *self.conn_mut(which) = Conn::OpenConfirm(Box::new(Talk { negotiated, hold, keepalive }));
        self.trace(Class::Packets, "Sending KEEPALIVE");
        self.actions.push(Action::SendKeepalive(which));
    }

    /// What is wrong with an OPEN (RFC 4271 6.2), and the line for the log.
    fn objection(&self, open: &Open) -> Option<(Notification, String)> {
        let said = |n: Notification| {
            let text = n.to_string();
            Some((n, text))
        };
        if open.asn != self.config.peer_as {
            return said(Notification::bad_peer_as(open.asn));
        }
        if matches!(open.hold_time_s, 1 | 2) {
            return said(Notification::unacceptable_hold_time(open.hold_time_s));
        }
        // Within an AS identifiers are unique (RFC 6286 2.2).
        let twin = self.config.is_internal() && open.router_id == self.config.router_id;
        if open.router_id == 0 || twin {
            let n = Notification::new(notification::OPEN, open_error::BAD_IDENTIFIER);
            let text = format!("{}: {:08x}", n.message(), open.router_id);
            return Some((n, text));
        }
        None
    }

    /// Settles a collision with the other connection (RFC 4271 6.8); true when this one goes on.
    fn wins(&mut self, which: Which, open: &Open) -> bool {
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
                self.trace(Class::Events, words);
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

    fn keepalive(&mut self, now: Moment, which: Which) {
        match self.conn(which).phase() {
            Phase::OpenConfirm => {
                self.trace(Class::Packets, "Got KEEPALIVE");
                self.alive(now, which);
                self.establish(which);
            }
            Phase::Established => {
                self.trace(Class::Packets, "Got KEEPALIVE");
                self.alive(now, which);
            }
            _ => self.unexpected(now, which),
        }
    }

    fn establish(&mut self, which: Which) {
        let other = which.other();
        if self.conn(other).is_open() {
            let collision = Notification::new(notification::CEASE, cease::COLLISION);
            self.give_up(other, collision, Keep::Nothing);
        } else {
            self.drop_conn(other, Keep::Nothing);
        }
        let Conn::OpenConfirm(talk) = mem::replace(self.conn_mut(which), Conn::Idle) else {
            return;
        };
        let unkept = self.restart.back(&talk.negotiated);
        let gone: Vec<_> = unkept.iter().filter(|f| !talk.negotiated.has(**f)).copied().collect();
        *self.conn_mut(which) = Conn::Established(talk);
        self.error = None;
        self.trace(Class::Events, "BGP session established");
        self.actions.extend(gone.iter().map(|f| Action::Drop(*f)));
        self.actions.push(Action::Established(which));
        self.come_to(Life::Up);
        let swept = unkept.into_iter().filter(|f| !gone.contains(f));
        self.actions.extend(swept.map(Action::Sweep));
    }

    /// The neighbour lives.
    fn alive(&mut self, now: Moment, which: Which) {
        if let Some(talk) = self.conn_mut(which).talk_mut() {
            talk.hold = talk.hold.map(|t| Timer::exact(now, t.total_s));
        }
    }

    fn octets_waiting(&mut self, now: Moment, which: Which) {
        let longer = |t: Timer| Timer { expires: t.expires.max(now.plus_s(u64::from(UNREAD_GRACE_S))), ..t };
        match self.conn_mut(which) {
            Conn::OpenSent { hold, .. } => *hold = longer(*hold),
            Conn::OpenConfirm(talk) | Conn::Established(talk) => talk.hold = talk.hold.map(longer),
            _ => {}
        }
    }

    fn notification(&mut self, now: Moment, which: Which, n: &Notification) {
        let phase = self.conn(which).phase();
        if !self.conn(which).is_open() {
            return;
        }
        self.say(Class::Remote, format!("Received: {n}"));
        self.remember(Some(which), ErrorClass::Received, n.message());
        let capability = n.code == notification::OPEN
            && matches!(n.subcode, open_error::UNSUPPORTED_PARAMETER | open_error::UNSUPPORTED_CAPABILITY);
        if capability && !self.bare && self.config.capabilities.is_some() {
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
        let bit = 1u32.checked_shl(u32::from(n.subcode)).unwrap_or(0);
        if self.config.disable_after_cease & bit != 0 {
            self.wait.forget();
            self.actions.push(Action::Disabled);
            self.drop_conn(which, Keep::Nothing);
            return self.live_again(now, Stop::Cease { subcode: 0, text: String::new() });
        }
        self.lose(now, which, false);
    }

    fn unexpected(&mut self, now: Moment, which: Which) {
        let subcode = match self.conn(which).phase() {
            Phase::OpenSent => 1,
            Phase::OpenConfirm => 2,
            Phase::Established => 3,
            _ => return,
        };
        self.fail(now, which, Notification::new(notification::FSM, subcode));
    }

    /// An error of the neighbour: it is told, and this life ends.
    fn fail(&mut self, now: Moment, which: Which, n: Notification) {
        let text = n.to_string();
        self.fail_saying(now, which, n, text);
    }

    fn fail_saying(&mut self, now: Moment, which: Which, n: Notification, text: String) {
        if !self.conn(which).is_open() {
            return;
        }
        self.say(Class::Remote, format!("Error: {text}"));
        self.remember(Some(which), ErrorClass::Bgp, n.message());
        self.count_error(now);
        self.give_up(which, n, Keep::Nothing);
        self.live_again(now, Stop::Cease { subcode: 0, text: String::new() });
    }

    fn end_of_rib(&mut self, family: Family) {
        if self.established().is_some() && self.restart.told(family) {
            self.actions.push(Action::Sweep(family));
            if !self.restart.is_active() {
                self.trace(Class::Events, "Neighbor graceful restart done");
            }
        }
    }

    // ---- time

    fn tick(&mut self, now: Moment) {
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

    fn tick_conn(&mut self, now: Moment, which: Which) {
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

    fn hold_expires(&mut self, now: Moment, which: Which) {
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

    fn keepalive_due(&mut self, now: Moment, which: Which) {
        let Some(timer) = self.conn(which).talk().and_then(|t| t.keepalive) else { return };
        if !timer.is_due(now) {
            return;
        }
        let next = Timer::jittered(now, timer.total_s, &mut self.chance);
        if let Some(talk) = self.conn_mut(which).talk_mut() {
            talk.keepalive = Some(next);
        }
        self.trace(Class::Packets, "Sending KEEPALIVE");
        self.actions.push(Action::SendKeepalive(which));
    }

    fn tick_restart(&mut self, now: Moment) {
        if self.restart.timer.is_some_and(|t| t.is_due(now)) {
            self.trace(Class::Events, "Neighbor graceful restart timeout");
            let (long_lived, gone) = self.restart.expire(now);
            self.actions.extend(long_lived.into_iter().map(Action::LongLived));
            self.actions.extend(gone.into_iter().map(Action::Drop));
            self.begin_anew_when_nothing_is_retained(now);
        }
        let over = self.restart.expire_long_lived(now);
        if !over.is_empty() {
            self.trace(Class::Events, "Long-lived stale timeout");
            self.actions.extend(over.into_iter().map(Action::Drop));
            self.begin_anew_when_nothing_is_retained(now);
        }
    }

    fn begin_anew_when_nothing_is_retained(&mut self, now: Moment) {
        if !self.restart.is_active() {
            self.live_again(now, Stop::Cease { subcode: 0, text: String::new() });
        }
    }

    // ---- words

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

    fn trace(&mut self, class: Class, text: impl Into<Cow<'static, str>>) {
        self.say(class, text);
    }

    fn come_to(&mut self, life: Life) {
        self.actions.push(Action::Life(life));
    }
}
