//! A session with a cache server, as a value.
//!
//! Events go in (a connection opened or lost, octets, a moment that was waited
//! for), [`Act`]s come out. The states are BIRD's, and so are their names, since
//! operators see them. What the server has said is collected until its End of Data
//! and then put out whole: as what is new, or, when everything was asked for, as all
//! there is. A connection that is lost takes nothing away: data count until they
//! have not been renewed for `expire` seconds (RFC 8210 6).
//!
//! Versions are tried from the newest down, as RFC 8210 7 has it: a server that
//! answers in an older one, or says in which one it would speak, is obeyed, once
//! for each version at most.

use crate::answer::Answer;
use crate::options::{Interval, Options, check_interval};
use crate::pdu::{self, Fault, OCTETS_MAX, Pdu, Times};
use route::{Customer, Moment, Roa};

/// An answer that grows at least this often is not given up, in milliseconds.
const PROGRESS_MS: u64 = 2000;

/// Where a session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// A connection is being opened.
    Connecting,
    /// All that the server has is known.
    Established,
    /// Everything is asked for anew.
    Reset,
    /// A query was sent.
    SyncStart,
    /// The answer is coming.
    SyncRunning,
    /// Another connection is opened at once, for another version.
    FastReconnect,
    /// The server can not say what is new.
    NoIncrement,
    /// The server has nothing to say yet.
    NoData,
    /// Something that makes no sense ended the connection.
    Fatal,
    /// The connection is lost or can not be opened.
    Transport,
    /// It does not run.
    Down,
}

impl State {
    /// BIRD's word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Connecting => "Connecting",
            Self::Established => "Established",
            Self::Reset => "Reseting",
            Self::SyncStart => "Sync-Start",
            Self::SyncRunning => "Sync-Running",
            Self::FastReconnect => "Fast-Reconnect",
            Self::NoIncrement => "No-Increment-Update-Available",
            Self::NoData => "Cache-Error-No-Data-Available",
            Self::Fatal => "Fatal-Protocol-Error",
            Self::Transport => "Transport-Error",
            Self::Down => "Down",
        }
    }
}

/// What a line under `debug` is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// `events`.
    Events,
    /// `packets`.
    Packets,
}

/// What is to be done, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Open a connection, and say what became of it.
    Open,
    /// Close it; nothing more is heard of it.
    Close,
    /// Send these octets.
    Send(Vec<u8>),
    /// The server's answer is complete.
    Apply {
        /// What it did not announce is gone.
        whole: bool,
        /// What it takes back.
        gone: Vec<Roa>,
        /// What it announces.
        come: Vec<Roa>,
        /// Who has providers: these, or nobody says so any more.
        aspas: Vec<(Customer, Option<Vec<u32>>)>,
    },
    /// All that the server has said counts no more.
    Expire,
    /// A line for the operator who asked for it.
    Trace(Topic, String),
    /// A warning.
    Warn(String),
}

/// See the head of the file.
#[derive(Clone, Debug)]
pub struct Session {
    options: Options,
    state: State,
    connected: bool,
    version: u8,
    /// The server's number of the session; `None`: everything must be asked for.
    id: Option<u16>,
    serial: u32,
    updated: Option<Moment>,
    times: Times,
    refresh: Option<Moment>,
    retry: Option<Moment>,
    expire: Option<Moment>,
    /// When the answer last grew.
    grew: Option<Moment>,
    /// The answer that is coming is all there is.
    whole: bool,
    answer: Answer,
    /// News of which the server has spoken while it answered.
    notified: Option<u32>,
    unread: Vec<u8>,
    acts: Vec<Act>,
    /// Whether lines are wanted: of events, of packets.
    traced: (bool, bool),
}

impl Session {
    /// One that does not run.
    pub fn new(options: Options) -> Self {
        Self {
            options,
            state: State::Down,
            connected: false,
            version: options.max_version,
            id: None,
            serial: 0,
            updated: None,
            times: options.times(),
            refresh: None,
            retry: None,
            expire: None,
            grew: None,
            whole: false,
            answer: Answer::default(),
            notified: None,
            unread: Vec::new(),
            acts: Vec::new(),
            traced: (false, false),
        }
    }

    /// Where it is.
    pub const fn state(&self) -> State {
        self.state
    }

    /// Whether there is a connection.
    pub const fn is_connected(&self) -> bool {
        self.connected
    }

    /// The version that is spoken, or will be tried.
    pub const fn version(&self) -> u8 {
        self.version
    }

    /// The server's number of the session.
    pub const fn id(&self) -> Option<u16> {
        self.id
    }

    /// The server's number of what is known, and when that was told.
    pub fn known(&self) -> Option<(u32, Moment)> {
        self.updated.map(|at| (self.serial, at))
    }

    /// The three timers: when each runs out, if it runs, and its full time in seconds. Refresh, retry, expire.
    pub const fn timers(&self) -> [(Option<Moment>, u32); 3] {
        let Times { refresh, retry, expire } = self.times;
        [(self.refresh, refresh), (self.retry, retry), (self.expire, expire)]
    }

    /// Which lines are wanted from now on.
    pub const fn trace(&mut self, events: bool, packets: bool) {
        self.traced = (events, packets);
    }

    /// When it wants to hear of time; ask again after every event.
    pub fn deadline(&self) -> Option<Moment> {
        [self.refresh, self.retry, self.expire].into_iter().flatten().min()
    }

    /// What is to be done.
    pub fn take_acts(&mut self) -> Vec<Act> {
        std::mem::take(&mut self.acts)
    }

    /// It begins to run.
    pub fn start(&mut self, now: Moment) {
        self.go(State::Connecting, now);
    }

    /// Other times. What runs is counted anew.
    pub fn set_options(&mut self, options: Options, now: Moment) {
        self.options = options;
        self.times = options.times();
        let Times { refresh, retry, expire } = self.times;
        let again = |timer: &mut Option<Moment>, from: Moment, s: u32| {
            if timer.is_some() {
                *timer = Some(from.plus_s(s.into()));
            }
        };
        again(&mut self.refresh, now, refresh);
        again(&mut self.retry, now, retry);
        again(&mut self.expire, self.updated.unwrap_or(now), expire);
    }

    /// What the server has said is wanted once more, all of it.
    pub fn ask_anew(&mut self, now: Moment) {
        match self.state {
            State::Established => self.go(State::Reset, now),
            State::SyncRunning | State::SyncStart => self.go(State::Transport, now),
            _ => {}
        }
        if !self.connected {
            self.id = None;
        }
    }

    /// The connection that was asked for is open.
    pub fn connected(&mut self, now: Moment) {
        self.event("Connected".to_owned());
        self.connected = true;
        self.unread.clear();
        self.go(State::SyncStart, now);
    }

    /// It can not be opened, or is lost; the system's words, none when the server closed it.
    pub fn lost(&mut self, why: Option<&str>, now: Moment) {
        self.event(match why {
            Some(why) => format!("Lost connection: {why}"),
            None => "The other side closed a connection".to_owned(),
        });
        let next = if self.refuses_serial() { State::FastReconnect } else { State::Transport };
        self.go(next, now);
    }

    /// Whether the server ends the connection over the question what is new: it does not know the session any more, as
    /// one that was started anew. Then it is asked for everything, at once; that it can refuse but once.
    fn refuses_serial(&mut self) -> bool {
        let refuses = self.connected && self.state == State::SyncStart && self.id.is_some();
        if refuses {
            self.forget();
        }
        refuses
    }

    /// Octets of the server.
    pub fn received(&mut self, octets: &[u8], now: Moment) {
        let mut unread = std::mem::take(&mut self.unread);
        unread.extend_from_slice(octets);
        let mut rest = unread.as_slice();
        while self.connected {
            match pdu::frame(rest) {
                Ok(Some(message)) => {
                    rest = rest.get(message.len()..).unwrap_or_default();
                    self.message(message, now);
                }
                Ok(None) => break,
                Err(fault) => {
                    let about = rest.get(..8).unwrap_or_default();
                    self.fail(&fault, about, now);
                }
            }
        }
        if self.connected {
            // Less than one message: its length is bounded.
            let kept = rest.len().min(OCTETS_MAX);
            let from = unread.len() - kept;
            unread.drain(..from);
            self.unread = unread;
        }
    }

    /// Time has passed.
    pub fn tick(&mut self, now: Moment) {
        let is_due = |timer: Option<Moment>| timer.is_some_and(|at| at <= now);
        if is_due(self.expire) {
            return self.expired(now);
        }
        if is_due(self.refresh) {
            self.refresh = Some(now.plus_s(self.times.refresh.into()));
            match self.state {
                State::Established => self.go(State::SyncStart, now),
                State::SyncStart | State::SyncRunning => self.hurry("refresh", self.times.refresh, now),
                _ => {}
            }
        }
        if is_due(self.retry) {
            self.retry = Some(now.plus_s(self.times.retry.into()));
            match self.state {
                State::Connecting | State::SyncStart | State::SyncRunning => {
                    self.hurry("retry", self.times.retry, now);
                }
                State::NoIncrement | State::NoData => self.go(State::Reset, now),
                State::Established | State::Down => self.retry = None,
                _ => self.go(State::Connecting, now),
            }
        }
    }

    /// An answer that does not come is not waited for any longer.
    fn hurry(&mut self, which: &str, seconds: u32, now: Moment) {
        if self.grew.is_some_and(|at| now.since_ms(at) <= PROGRESS_MS) {
            return;
        }
        self.event(format!("Sync takes more time than {which} interval {seconds}s, resetting connection"));
        self.go(State::Transport, now);
    }

    fn expired(&mut self, now: Moment) {
        self.event("All ROAs expired".to_owned());
        self.acts.push(Act::Expire);
        self.forget();
        self.version = self.options.max_version;
        self.times = self.options.times();
        (self.updated, self.serial, self.expire) = (None, 0, None);
        self.close();
        // Also when it was about to connect: that attempt is over, too.
        self.state = State::Down;
        self.go(State::Connecting, now);
    }

    /// Everything must be asked for.
    fn forget(&mut self) {
        self.id = None;
        self.notified = None;
        self.drop_answer();
    }

    /// What was said since the last End of Data does not count.
    fn drop_answer(&mut self) {
        self.answer = Answer::default();
        self.grew = None;
    }

    fn close(&mut self) {
        self.event("Closing a connection".to_owned());
        self.acts.push(Act::Close);
        self.connected = false;
        self.unread = Vec::new();
        self.refresh = None;
        if !self.answer.is_empty() {
            // Half an answer: what it would have told is asked for again.
            self.drop_answer();
        }
        if self.whole {
            self.id = None;
        }
    }

    fn go(&mut self, state: State, now: Moment) {
        let before = std::mem::replace(&mut self.state, state);
        if before == state {
            return;
        }
        self.event(format!("Changing from {} to {} state", before.word(), state.word()));
        let later = |seconds: u32| Some(now.plus_s(seconds.into()));
        match state {
            State::Connecting => {
                self.event("Opening a connection".to_owned());
                self.acts.push(Act::Open);
                self.retry = later(self.times.retry);
            }
            State::Established => {
                self.refresh = later(self.times.refresh);
                self.expire = later(self.times.expire);
                self.retry = None;
            }
            State::Reset => {
                self.forget();
                self.serial = 0;
                self.go(State::SyncStart, now);
            }
            State::SyncStart => self.ask(),
            State::NoData => self.retry = later(self.times.retry),
            // RFC 8210 8.4: the router asks for everything on the same connection.
            State::NoIncrement => self.go(State::Reset, now),
            State::Fatal | State::Transport => {
                if state == State::Fatal {
                    self.forget();
                }
                self.close();
                self.retry = later(self.times.retry);
            }
            State::FastReconnect => {
                self.close();
                self.go(State::Connecting, now);
            }
            State::SyncRunning | State::Down => {}
        }
    }

    fn ask(&mut self) {
        let octets = match self.id {
            Some(id) => {
                let text = format!("Sending Serial Query packet (session id: {id}, serial number: {})", self.serial);
                self.packet(text);
                pdu::serial_query(self.version, id, self.serial)
            }
            None => {
                self.packet("Sending Reset Query packet ".to_owned());
                pdu::reset_query(self.version)
            }
        };
        self.acts.push(Act::Send(octets));
    }

    fn message(&mut self, octets: &[u8], now: Moment) {
        let (version, read) = pdu::decode(octets);
        if version != self.version && !pdu::is_error(octets) {
            match self.other_version(version, &read) {
                Ok(true) => {}
                Ok(false) => {
                    return self.packet("Ignore a Serial Notify packet during initial start-up period".to_owned());
                }
                Err(fault) => return self.fail(&fault, octets, now),
            }
        }
        match read {
            Ok(said) => {
                if self.traced.1 {
                    self.packet(format!("Received {} packet {}", said.name(), said.detail()));
                }
                if let Err(fault) = self.hear(said, version, now) {
                    self.fail(&fault, octets, now);
                }
            }
            Err(fault) => self.fail(&fault, octets, now),
        }
    }

    /// A message of another version: its sender may begin with an older one. Whether it is to be heard.
    fn other_version(&mut self, version: u8, read: &Result<Pdu, Fault>) -> Result<bool, Fault> {
        if self.id.is_some() {
            return Err(Fault { code: 8, text: "PDU with unexpected Protocol version received".to_owned() });
        }
        if matches!(read, Ok(Pdu::SerialNotify { .. })) {
            // RFC 8210 7: ignored before the first answer, whatever its version.
            return Ok(false);
        }
        if version < self.version && version >= self.options.min_version {
            self.event(format!("Downgrade session from {} to {version} version", self.version));
            self.version = version;
            return Ok(true);
        }
        Err(Fault { code: 4, text: "PDU with unsupported Protocol version received".to_owned() })
    }

    fn hear(&mut self, said: Pdu, version: u8, now: Moment) -> Result<(), Fault> {
        match said {
            Pdu::SerialNotify { session, serial } => self.notified(session, serial, now),
            Pdu::CacheResponse { session } => return self.response(session, now),
            Pdu::Prefix { announced, roa } => return self.prefix(announced, roa, now),
            Pdu::Aspa { announced, customer, providers } => return self.providers(announced, customer, providers, now),
            Pdu::EndOfData { session, serial, times } => return self.end_of_data(session, serial, times, now),
            Pdu::CacheReset if self.state == State::SyncStart && self.id.is_some() => self.go(State::NoIncrement, now),
            Pdu::CacheReset => return Err(Fault::corrupt("Received Cache Reset packet, but nothing was asked for")),
            Pdu::Query(name) => {
                self.acts.push(Act::Warn(format!("Received a {name} packet that is destined for cache server")));
            }
            Pdu::Other(_) => {}
            Pdu::Error { code, .. } => self.told_of_error(code, version, now),
        }
        Ok(())
    }

    fn notified(&mut self, session: u16, serial: u32, now: Moment) {
        match self.id {
            None => self.packet("Ignore a Serial Notify packet during initial start-up period".to_owned()),
            // RFC 8210 5.2: another session; what is known is of one that is over.
            Some(id) if id != session && self.state == State::Established => self.go(State::Reset, now),
            Some(_) if self.state == State::Established => {
                if serial != self.serial {
                    self.go(State::SyncStart, now);
                }
            }
            Some(_) => self.notified = Some(serial),
        }
    }

    fn response(&mut self, session: u16, now: Moment) -> Result<(), Fault> {
        if self.state != State::SyncStart {
            return Err(Fault::corrupt("Received Cache Response packet, but nothing was asked for"));
        }
        match self.id {
            Some(id) if id != session => {
                return Err(Fault::corrupt(format!("Wrong session_id {session} in Cache Response PDU")));
            }
            known => self.whole = known.is_none(),
        }
        self.id = Some(session);
        self.drop_answer();
        self.go(State::SyncRunning, now);
        Ok(())
    }

    fn prefix(&mut self, announced: bool, roa: Roa, now: Moment) -> Result<(), Fault> {
        if self.state != State::SyncRunning {
            return Err(Fault::corrupt("Received a prefix before Cache Response"));
        }
        let max_len = if self.options.ignore_max_length { roa.prefix.family().bits() } else { roa.max_len };
        self.answer.put_roa(Roa { max_len, ..roa }, announced)?;
        self.grew = Some(now);
        Ok(())
    }

    fn providers(
        &mut self,
        announced: bool,
        customer: Customer,
        providers: Vec<u32>,
        now: Moment,
    ) -> Result<(), Fault> {
        if self.state != State::SyncRunning {
            return Err(Fault::corrupt("Received an ASPA before Cache Response"));
        }
        self.answer.put_aspa(customer, announced.then_some(providers))?;
        self.grew = Some(now);
        Ok(())
    }

    fn end_of_data(&mut self, session: u16, serial: u32, times: Option<Times>, now: Moment) -> Result<(), Fault> {
        if self.state != State::SyncRunning {
            return Err(Fault::corrupt("Received End of Data packet before Cache Response"));
        }
        if let Some(id) = self.id.filter(|id| *id != session) {
            return Err(Fault::corrupt(format!("Received Session ID {session}, but expected {id}")));
        }
        if let Some(times) = times {
            self.take_times(times);
        }
        let whole = std::mem::take(&mut self.whole);
        self.acts.push(std::mem::take(&mut self.answer).complete(whole));
        self.updated = Some(now);
        self.serial = serial;
        self.go(State::Established, now);
        if self.notified.take().is_some_and(|newer| newer != serial) {
            self.go(State::SyncStart, now);
        }
        Ok(())
    }

    /// What the server says of time counts, where the operator has not said `keep`.
    fn take_times(&mut self, said: Times) {
        let Options { refresh, retry, expire, .. } = self.options;
        for (which, kept, said, place) in [
            ("refresh", refresh.keep, said.refresh, &mut self.times.refresh),
            ("retry", retry.keep, said.retry, &mut self.times.retry),
            ("expire", expire.keep, said.expire, &mut self.times.expire),
        ] {
            match check_interval(which, said) {
                _ if kept => {}
                Ok(()) => *place = said,
                Err(wrong) => self.acts.push(Act::Warn(format!("{wrong}, received {said} seconds"))),
            }
        }
        let word = |interval: Interval| if interval.keep { "keeps " } else { "" };
        let Times { refresh: a, retry: b, expire: c } = self.times;
        let (x, y, z) = (word(refresh), word(retry), word(expire));
        self.event(format!("New interval values: refresh: {x}{a}s, retry: {y}{b}s, expire: {z}{c}s"));
    }

    fn told_of_error(&mut self, code: u16, version: u8, now: Moment) {
        match code {
            // No Data Available: not an end (RFC 8210 12).
            2 => self.go(State::NoData, now),
            // Unsupported Protocol Version: it says in which one it speaks.
            4 if version < self.version && version >= self.options.min_version => {
                self.event(format!("Downgrading from protocol version {} to version {version}", self.version));
                self.version = version;
                self.forget();
                self.go(State::FastReconnect, now);
            }
            _ if self.refuses_serial() => self.go(State::FastReconnect, now),
            _ => self.go(State::Fatal, now),
        }
    }

    /// Says what is wrong and ends the connection. What is known counts until it expires.
    fn fail(&mut self, fault: &Fault, about: &[u8], now: Moment) {
        self.acts.push(Act::Warn(fault.text.clone()));
        // RFC 8210 5.10: an error is never answered by another.
        if !pdu::is_error(about) {
            self.packet(format!("Sending Error packet (code: {}: '{}')", fault.code, fault.text));
            self.acts.push(Act::Send(pdu::error(self.version, fault, about)));
        }
        self.go(State::Fatal, now);
    }

    fn event(&mut self, text: String) {
        if !self.traced.0 {
            return;
        }
        self.acts.push(Act::Trace(Topic::Events, text));
    }

    fn packet(&mut self, text: String) {
        if !self.traced.1 {
            return;
        }
        self.acts.push(Act::Trace(Topic::Packets, text));
    }
}
