//! One session: the variables of RFC 5880 6.8.1, and what moves them.
//!
//! A value without clock or socket. Its owner hands it packets with
//! [`receive`](Session::receive), asks it for packets with
//! [`transmit`](Session::transmit), and tells it the time with
//! [`tick`](Session::tick) when [`next_deadline`](Session::next_deadline) has
//! come. Every sentence of 6.8 that says MUST stands at the line that obeys it.
//!
//! Two pairs of intervals: those that we *ask for* stand in the packets; those
//! *in use* follow them at once, or, where the neighbour could otherwise take us
//! for dead (or we it), when a Poll Sequence has ended (6.8.3).

use crate::auth::{Auth, Forged, Sequence};
use crate::packet::{Diagnostic, Packet, Received, State};

/// Microseconds of a monotonic clock since some epoch of the owner's.
pub type Micros = u64;

/// No packets are sent faster, whatever is configured; whoever configures less should ask for this much.
pub const INTERVAL_LEAST_US: u32 = 1000;

/// What a session runs with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// `min rx interval`, microseconds.
    pub min_rx_us: u32,
    /// `min tx interval`: while up.
    pub min_tx_us: u32,
    /// `idle tx interval`: while not up.
    pub idle_tx_us: u32,
    /// `multiplier`; at least 1.
    pub multiplier: u8,
    /// `passive`: says nothing before the neighbour does.
    pub passive: bool,
    /// `authentication` and `password`.
    pub auth: Auth,
}

/// All that an operator may be told of a session; times are microseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Detail {
    /// bfd.RemoteSessionState.
    pub remote_state: State,
    /// bfd.LocalDiag.
    pub diagnostic: u8,
    /// What the neighbour last said of why it is not up.
    pub remote_diagnostic: u8,
    /// bfd.LocalDiscr.
    pub discriminator: u32,
    /// bfd.RemoteDiscr; 0 while the neighbour is not heard.
    pub remote_discriminator: u32,
    /// Until the next packet of ours, while any is sent.
    pub send_in_us: Option<u64>,
    /// Until the neighbour is taken for dead, while it is heard.
    pub expires_in_us: Option<u64>,
    /// Ours.
    pub ours: Pace,
    /// The neighbour's.
    pub theirs: Pace,
    /// Auth Type; 0 without.
    pub auth: u8,
    /// The last sequence number of the neighbour, when one is known.
    pub seen_sequence: Option<u32>,
    /// Our last sequence number.
    pub sent_sequence: u32,
}

/// What one side does, and wants of the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pace {
    /// Between two packets it sends.
    pub min_tx_us: u32,
    /// Between two packets it takes.
    pub min_rx_us: u32,
    /// Demand mode.
    pub demand: bool,
    /// Detect Mult.
    pub multiplier: u8,
}

/// A change of state, for the log and for those who asked for the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// The state before.
    pub from: State,
    /// The state now.
    pub to: State,
}

/// A packet that is to be sent now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outgoing {
    /// Written.
    Ready(Packet),
    /// Due, but there is no key to sign it with now; it is passed over.
    Unsigned,
}

/// See the head of this file.
#[derive(Clone, Debug)]
pub struct Session {
    options: Options,
    /// bfd.SessionState.
    state: State,
    /// When it last changed.
    since: Micros,
    /// bfd.LocalDiscr.
    local_discriminator: u32,
    /// bfd.LocalDiag.
    diagnostic: Diagnostic,
    /// bfd.DesiredMinTxInterval.
    desired_min_tx_us: u32,
    /// bfd.RequiredMinRxInterval.
    required_min_rx_us: u32,
    /// The interval of ours that is in use.
    tx_in_use_us: u32,
    /// The same for receiving.
    rx_in_use_us: u32,
    /// What the neighbour last said of itself.
    remote: Remote,
    /// And why it is not up.
    remote_diagnostic: u8,
    /// A Poll Sequence goes on.
    poll: bool,
    /// The neighbour polls: the answer is due.
    answer: bool,
    /// bfd.XmitAuthSeq, and the second in which it last grew.
    sent_sequence: (u32, i64),
    /// bfd.RcvAuthSeq.
    seen_sequence: Sequence,
    /// When that is forgotten.
    forget_at: Option<Micros>,
    /// The last periodic packet.
    sent: Option<Micros>,
    /// When the next is due; `None`: none is.
    send_at: Option<Micros>,
    /// When the neighbour is taken for dead; `None`: it is not heard now.
    expires: Option<Micros>,
    chance: u64,
}

/// bfd.RemoteDiscr and its kin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Remote {
    state: State,
    discriminator: u32,
    detect_mult: u8,
    desired_min_tx_us: u32,
    min_rx_us: u32,
    demand: bool,
}

/// bfd.RemoteMinRxInterval MUST be initialized to 1, the others to 0 and Down.
const UNHEARD: Remote =
    Remote { state: State::Down, discriminator: 0, detect_mult: 0, desired_min_tx_us: 0, min_rx_us: 1, demand: false };

impl Session {
    /// A session that is down, and speaks at once unless it is passive.
    ///
    /// `discriminator` must not be 0 and should not be guessable; `seed` decides jitter and the first sequence number.
    pub fn new(discriminator: u32, options: Options, seed: u64, now: Micros) -> Self {
        let mut this = Self {
            state: State::Down,
            since: now,
            local_discriminator: discriminator,
            diagnostic: Diagnostic::None,
            desired_min_tx_us: options.idle_tx_us,
            required_min_rx_us: options.min_rx_us,
            tx_in_use_us: options.idle_tx_us,
            rx_in_use_us: options.min_rx_us,
            remote: UNHEARD,
            remote_diagnostic: 0,
            poll: false,
            answer: false,
            sent_sequence: ((seed >> 32) as u32, 0),
            seen_sequence: Sequence::default(),
            forget_at: None,
            sent: None,
            send_at: None,
            expires: None,
            chance: seed,
            options,
        };
        this.speak_at_once(now);
        this
    }

    /// bfd.SessionState.
    pub const fn state(&self) -> State {
        self.state
    }

    /// When the state last changed.
    pub const fn since(&self) -> Micros {
        self.since
    }

    /// bfd.LocalDiscr.
    pub const fn discriminator(&self) -> u32 {
        self.local_discriminator
    }

    /// The options.
    pub const fn options(&self) -> &Options {
        &self.options
    }

    /// Between two periodic packets of ours, before jitter: the slower of what we want and what the neighbour takes.
    pub fn tx_interval_us(&self) -> u32 {
        self.tx_in_use_us.max(self.remote.min_rx_us).max(INTERVAL_LEAST_US)
    }

    /// The detection time (6.8.4); 0 while the neighbour is not heard.
    pub fn detection_time_us(&self) -> u64 {
        let interval_us = self.rx_in_use_us.max(self.remote.desired_min_tx_us);
        u64::from(self.remote.detect_mult) * u64::from(interval_us)
    }

    /// The session as it is now.
    pub fn detail(&self, now: Micros) -> Detail {
        let until = |at: Micros| at.saturating_sub(now);
        Detail {
            remote_state: self.remote.state,
            diagnostic: self.diagnostic.code(),
            remote_diagnostic: self.remote_diagnostic,
            discriminator: self.local_discriminator,
            remote_discriminator: self.remote.discriminator,
            send_in_us: self.send_at.filter(|_| self.speaks()).map(until),
            expires_in_us: self.expires.map(until),
            ours: Pace {
                min_tx_us: self.tx_in_use_us,
                min_rx_us: self.rx_in_use_us,
                demand: false,
                multiplier: self.options.multiplier.max(1),
            },
            theirs: Pace {
                min_tx_us: self.remote.desired_min_tx_us,
                min_rx_us: self.remote.min_rx_us,
                demand: self.remote.demand,
                multiplier: self.remote.detect_mult,
            },
            auth: self.options.auth.method.code(),
            seen_sequence: self.seen_sequence.last(),
            sent_sequence: self.sent_sequence.0,
        }
    }

    /// When the owner must call [`tick`](Self::tick) and [`transmit`](Self::transmit); ask again after every call.
    pub fn next_deadline(&self) -> Option<Micros> {
        let send_at = self.send_at.filter(|_| self.speaks());
        [send_at, self.expires, self.forget_at].into_iter().flatten().min()
    }

    /// New options. The session stays; what changed of the intervals is told by a Poll Sequence.
    pub fn reconfigure(&mut self, options: Options, now: Micros) {
        if options.auth != self.options.auth {
            self.seen_sequence.forget();
        }
        self.options = options;
        self.set_intervals(now);
        if self.send_at.is_none() {
            self.speak_at_once(now);
        }
    }

    /// Time has passed. A change when the neighbour is taken for dead.
    pub fn tick(&mut self, now: Micros) -> Option<Change> {
        if self.forget_at.is_some_and(|at| at <= now) {
            self.forget_at = None;
            self.seen_sequence.forget();
        }
        if self.expires.is_none_or(|at| at > now) {
            return None;
        }
        // After twice the detection time bfd.AuthSeqKnown MUST be set to 0: once is over.
        self.forget_at = Some(now.saturating_add(self.detection_time_us()));
        self.expires = None;
        // bfd.RemoteDiscr MUST be set to zero when a detection time passes without a valid packet.
        self.remote = UNHEARD;
        self.poll = false;
        self.answer = false;
        let change = match self.state {
            State::Init | State::Up => self.come_to(State::Down, Diagnostic::Expired, now),
            State::AdminDown | State::Down => None,
        };
        self.set_intervals(now);
        change
    }

    /// A packet came that was found to be of this session (6.8.6 from the A bit on).
    pub fn receive(&mut self, received: &Received<'_>, now: Micros, unix_s: i64) -> Result<Option<Change>, Forged> {
        let packet = &received.packet;
        let mult = packet.detect_mult;
        self.options.auth.check(received.octets, received.authenticated, mult, unix_s, &mut self.seen_sequence)?;
        self.forget_at = None;
        let was_silent = self.remote.discriminator == 0;
        self.remote_diagnostic = packet.diagnostic;
        self.remote = Remote {
            state: packet.state,
            discriminator: packet.my_discriminator,
            detect_mult: mult,
            desired_min_tx_us: packet.desired_min_tx_us,
            min_rx_us: packet.required_min_rx_us,
            demand: packet.demand,
        };
        // If a Poll Sequence is being transmitted and F is set, the Poll Sequence MUST be terminated.
        if self.poll && packet.is_final {
            self.poll = false;
            self.tx_in_use_us = self.desired_min_tx_us;
            self.rx_in_use_us = self.required_min_rx_us;
        }
        let change = match (self.state, packet.state) {
            (State::AdminDown, _) => return Ok(None),
            (State::Init | State::Up, State::AdminDown) | (State::Up, State::Down) => {
                self.come_to(State::Down, Diagnostic::NeighborDown, now)
            }
            (State::Down, State::Down) => self.come_to(State::Init, Diagnostic::None, now),
            (State::Down, State::Init) | (State::Init, State::Init | State::Up) => {
                self.come_to(State::Up, Diagnostic::None, now)
            }
            _ => None,
        };
        // If P is set, a packet with F MUST be sent as soon as practicable.
        self.answer |= packet.poll;
        self.set_intervals(now);
        self.expires = Some(now.saturating_add(self.detection_time_us()));
        if was_silent && self.send_at.is_none() {
            self.speak_at_once(now);
        }
        self.pace();
        Ok(change)
    }

    /// Writes the packet that is due, if any; call again until there is none.
    pub fn transmit(&mut self, now: Micros, unix_s: i64, out: &mut Vec<u8>) -> Option<Outgoing> {
        let answer = std::mem::take(&mut self.answer) && self.remote.discriminator != 0;
        if !answer {
            if !self.speaks() || self.send_at.is_none_or(|at| at > now) {
                return None;
            }
            self.sent = Some(now);
            let interval_us = self.jittered(self.tx_interval_us());
            self.send_at = Some(now.saturating_add(interval_us));
        }
        let packet = Packet {
            diagnostic: self.diagnostic.code(),
            state: self.state,
            // F answers a poll; P and F never stand together.
            poll: self.poll && !answer,
            is_final: answer,
            demand: false,
            detect_mult: self.options.multiplier.max(1),
            my_discriminator: self.local_discriminator,
            your_discriminator: self.remote.discriminator,
            desired_min_tx_us: self.desired_min_tx_us,
            required_min_rx_us: self.required_min_rx_us,
            required_min_echo_rx_us: 0,
        };
        let sequence = self.next_sequence(unix_s);
        let sealed = self.options.auth.seal(sequence, unix_s, out, |octets, out| packet.encode(octets, out));
        Some(if sealed { Outgoing::Ready(packet) } else { Outgoing::Unsigned })
    }

    fn come_to(&mut self, state: State, diagnostic: Diagnostic, now: Micros) -> Option<Change> {
        let change = Change { from: self.state, to: state };
        self.state = state;
        self.diagnostic = diagnostic;
        self.since = now;
        // A packet SHOULD be sent at once when it says something new (6.8.7).
        self.speak_at_once(now);
        Some(change)
    }

    /// Follows state and options with the intervals that we ask for, and those in use (6.8.3).
    fn set_intervals(&mut self, now: Micros) {
        let up = self.state == State::Up;
        let tx_us = if up { self.options.min_tx_us } else { self.options.idle_tx_us };
        let rx_us = self.options.min_rx_us;
        let changed = (tx_us, rx_us) != (self.desired_min_tx_us, self.required_min_rx_us);
        (self.desired_min_tx_us, self.required_min_rx_us) = (tx_us, rx_us);
        // If bfd.DesiredMinTxInterval is increased and the session is Up, the actual interval MUST NOT change until
        // the Poll Sequence has terminated; if bfd.RequiredMinRxInterval is reduced, the previous value MUST be used.
        if !up || tx_us < self.tx_in_use_us || self.remote.discriminator == 0 {
            self.tx_in_use_us = tx_us;
        }
        if !up || rx_us > self.rx_in_use_us || self.remote.discriminator == 0 {
            self.rx_in_use_us = rx_us;
        }
        if changed && self.remote.discriminator != 0 {
            // If either is changed, a Poll Sequence MUST be initiated.
            self.poll = true;
            self.speak_at_once(now);
        }
    }

    /// Whether periodic packets go out (6.8.7).
    fn speaks(&self) -> bool {
        let unknown = self.remote.discriminator == 0;
        let both_up = self.state == State::Up && self.remote.state == State::Up;
        let unwanted = self.remote.demand && both_up && !self.poll;
        !(unknown && self.options.passive) && self.remote.min_rx_us != 0 && !unwanted
    }

    fn speak_at_once(&mut self, now: Micros) {
        self.send_at = Some(now);
    }

    /// A faster pace counts from the last packet, not from the next one.
    fn pace(&mut self) {
        if let (Some(sent), Some(at)) = (self.sent, self.send_at) {
            let latest = sent.saturating_add(u64::from(self.tx_interval_us()));
            self.send_at = Some(at.min(latest));
        }
    }

    /// Shorter by chance: 75 to 100 % of the interval, at most 90 % when no packet may be lost (6.8.7).
    fn jittered(&mut self, interval_us: u32) -> u64 {
        let quarter_us = u64::from(interval_us / 4);
        let least_us = if self.options.multiplier <= 1 { u64::from(interval_us.div_ceil(10)) } else { 0 };
        // splitmix64: for jitter, never for secrets.
        self.chance = self.chance.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.chance;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let chance = z ^ (z >> 31);
        let less_us = least_us + chance % (quarter_us - least_us.min(quarter_us) + 1);
        u64::from(interval_us) - less_us.min(u64::from(interval_us))
    }

    /// bfd.XmitAuthSeq: a new number for each packet when meticulous, else about every second.
    fn next_sequence(&mut self, unix_s: i64) -> u32 {
        let (number, second) = &mut self.sent_sequence;
        if self.options.auth.is_meticulous() || *second != unix_s {
            *number = number.wrapping_add(1);
            *second = unix_s;
        }
        *number
    }
}
