//! What a protocol says of itself under `debug`, in BIRD's words.
//!
//! A protocol without sessions has a short life: `Starting`, `feed` while it is
//! told what stands, `up`, `flush` while its routes go, `down`. Sessions tell
//! theirs themselves (`session`), tables what becomes of routes (`rib`); here is
//! what the supervisor says of all protocols alike, and what those of this machine
//! say of what they do. Whoever has no mask for a line pays one look at it.
//!
//! In dialect 2 the life of a protocol does not tell of its tables: each channel
//! has one of its own, `UP/FEEDING` while it is told what stands, `UP/READY`,
//! `FLUSHING`, `DOWN`, and says so by its own mask ([`Voice`]).

use conf::channel_word;
use conf::config::{ChannelConf, DebugMask, ProtocolConf, ProtocolKind};
use filter::Authorised;
use rib::trace::{Fate, Tracing, Way};
use route::Source;
use route::options::Voice;
use std::fmt::Arguments;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// The diary of one protocol. Cheap to clone; all clones follow one mask.
#[derive(Clone)]
pub struct Diary {
    name: Arc<str>,
    voice: Voice,
    channels: Arc<[Attached]>,
    mask: Arc<AtomicU32>,
}

/// A table that the protocol reads or fills, by a channel of this name.
pub struct Attached {
    /// `ipv4`, of a pipe `pri` and `sec`.
    pub name: &'static str,
    /// The table.
    pub table: Arc<str>,
    /// Whether it is told what stands there.
    pub is_told: bool,
    mask: AtomicU32,
}

impl Attached {
    /// The state of a channel that has just come up.
    const fn feeding(&self) -> &'static str {
        if self.is_told { "UP/FEEDING" } else { "UP" }
    }

    /// An attachment; `mask` is the channel's own `debug`.
    pub const fn new(name: &'static str, table: Arc<str>, is_told: bool, mask: DebugMask) -> Self {
        Self { name, table, is_told, mask: AtomicU32::new(mask.0) }
    }

    fn mask(&self) -> DebugMask {
        DebugMask(self.mask.load(Ordering::Relaxed))
    }
}

impl Diary {
    /// Of a protocol as it is configured.
    pub fn of(conf: &ProtocolConf, voice: Voice, default_table: impl FnOnce() -> Arc<str>) -> Self {
        let is_told =
            matches!(conf.kind, ProtocolKind::Kernel(_) | ProtocolKind::Pipe(_) | ProtocolKind::Aggregator(_));
        let is_pipe = matches!(conf.kind, ProtocolKind::Pipe(_));
        let name = |c: &ChannelConf| if is_pipe { "pri" } else { channel_word(c.family, c.carries) };
        let attached = |c: &ChannelConf| Attached::new(name(c), Arc::clone(&c.table), is_told, c.debug);
        // What dumps tables reads them without a channel (2).
        let has_channels = voice == Voice::Protocol || !matches!(conf.kind, ProtocolKind::Mrt(_));
        let channels = conf.channels.iter().chain(&conf.roa_channels).filter(|_| has_channels);
        let mut channels: Vec<_> = channels.map(attached).collect();
        if let ProtocolKind::Pipe(pipe) = &conf.kind
            && let Some(peer) = &pipe.peer_table
        {
            let mask = channels.first().map_or(DebugMask::default(), Attached::mask);
            channels.push(Attached::new("sec", Arc::clone(peer), true, mask));
        }
        // As in BIRD 1.6 a protocol that has nothing to do with tables is connected to the default one.
        if channels.is_empty() && voice == Voice::Protocol {
            channels.push(Attached::new("", default_table(), false, DebugMask::default()));
        }
        Self::new(&conf.name, voice, channels, conf.debug)
    }

    /// Of the protocol of this name, which reads or fills these tables.
    pub fn new(name: &Arc<str>, voice: Voice, channels: Vec<Attached>, mask: DebugMask) -> Self {
        Self { name: Arc::clone(name), voice, channels: channels.into(), mask: Arc::new(AtomicU32::new(mask.0)) }
    }

    /// `debug`: which lines are wanted from now on.
    pub fn set_mask(&self, mask: DebugMask) {
        self.mask.store(mask.0, Ordering::Relaxed);
    }

    /// `debug` of one of its channels; of others nothing happens.
    pub fn set_channel_mask(&self, channel: &str, mask: DebugMask) {
        for own in self.channels.iter().filter(|own| own.name == channel) {
            own.mask.store(mask.0, Ordering::Relaxed);
        }
    }

    /// Which lines are wanted of what comes into a table by one of its channels.
    pub fn inwards(&self, channel: usize) -> Tracing {
        let of = |channel: &Attached| Tracing::inwards(self.wanted(), channel.mask(), self.voice, channel.name);
        self.channels.get(channel).map_or(Tracing::of_mask(self.wanted()), of)
    }

    /// The mask itself, for those who write lines of their own.
    pub const fn mask(&self) -> &Arc<AtomicU32> {
        &self.mask
    }

    /// Who speaks.
    pub const fn voice(&self) -> Voice {
        self.voice
    }

    fn wanted(&self) -> DebugMask {
        DebugMask(self.mask.load(Ordering::Relaxed))
    }

    fn wants(&self, class: DebugMask) -> bool {
        self.wanted().has(class)
    }

    fn say(&self, class: DebugMask, text: Arguments<'_>) {
        if self.wants(class) {
            tracing::info!(target: "trace", "{}: {text}", self.name);
        }
    }

    /// A line of each channel that wants one, where channels speak; `None`: of this one nothing is said.
    fn each(&self, text: impl Fn(&Attached) -> Option<String>) {
        if self.voice != Voice::Channels {
            return;
        }
        for channel in &*self.channels {
            if channel.mask().has(DebugMask::STATES)
                && let Some(text) = text(channel)
            {
                tracing::info!(target: "trace", "{}.{}: {text}", self.name, channel.name);
            }
        }
    }

    /// All channels have come to this state.
    fn channels_come_to(&self, word: &str) {
        self.each(|_| Some(format!("State changed to {word}")));
    }

    /// It was made.
    pub fn initializing(&self, enabled: bool) {
        self.each(|channel| Some(format!("Connected to table {}", channel.table)));
        self.say(DebugMask::STATES, format_args!("Initializing{}", if enabled { "" } else { " [disabled]" }));
    }

    /// It goes on under a new configuration.
    pub fn reconfigured(&self) {
        self.each(|_| Some("Reconfigured".into()));
        self.say(DebugMask::STATES, format_args!("Reconfigured"));
    }

    /// It was down, and is made anew under a new configuration.
    pub fn made_anew(&self) {
        self.removed();
        self.initializing(false);
    }

    /// It is no more.
    pub fn removed(&self) {
        self.each(|_| Some("Removed".into()));
    }

    /// It goes up; nothing of any table is told to it yet.
    pub fn beginning(&self) {
        self.say(DebugMask::STATES, format_args!("Starting"));
    }

    /// It goes up, and is about to be told what stands in its tables.
    pub fn starting(&self) {
        self.beginning();
        match self.voice {
            Voice::Protocol => {
                for channel in &*self.channels {
                    self.say(DebugMask::STATES, format_args!("Connected to table {}", channel.table));
                }
                self.state("feed");
            }
            Voice::Channels => {
                self.each(|channel| Some(format!("State changed to {}", channel.feeding())));
                self.state("up");
            }
        }
    }

    /// It has been told what stood in its tables.
    pub fn fed(&self) {
        match self.voice {
            Voice::Protocol => self.state("up"),
            Voice::Channels => self.each(|channel| channel.is_told.then(|| "State changed to UP/READY".into())),
        }
    }

    /// It is told again what stands; [`fed`](Self::fed) follows.
    pub fn feeding_again(&self) {
        match self.voice {
            Voice::Protocol => self.state("feed"),
            Voice::Channels => {
                self.each(|channel| channel.is_told.then(|| "Feeding requested".into()));
                self.each(|channel| channel.is_told.then(|| "State changed to UP/FEEDING".into()));
            }
        }
    }

    /// The operator wants it to give its routes again.
    pub fn reloading(&self) {
        self.each(|_| Some("Reload requested".into()));
    }

    /// What gives it its routes is there, or is not.
    pub fn connected(&self, is_there: bool) {
        self.channels_come_to(if is_there { "UP" } else { "START" });
        self.state(if is_there { "up" } else { "start" });
    }

    /// It goes down, and its routes are about to go.
    pub fn shutting_down(&self) {
        self.say(DebugMask::STATES, format_args!("Shutting down"));
        self.channels_come_to("FLUSHING");
        self.state("flush");
    }

    /// It is down, and its routes are gone.
    pub fn down(&self) {
        self.channels_come_to("DOWN");
        self.state("down");
    }

    /// It has come to another state.
    pub fn state(&self, word: &str) {
        self.say(DebugMask::STATES, format_args!("State changed to {word}"));
    }

    /// Something happened to it.
    pub fn event(&self, text: Arguments<'_>) {
        self.say(DebugMask::EVENTS, text);
    }

    /// It hears or says something.
    pub fn packet(&self, text: Arguments<'_>) {
        self.say(DebugMask::PACKETS, text);
    }

    /// What became of an authorisation on its way into a table, or out of it, through the channel of this name.
    pub fn authority(&self, channel: &str, way: Way, fate: Fate, net: &Authorised<'_>, source: &Source) {
        let own = self.channels.iter().find(|own| own.name == channel).map_or(DebugMask(0), Attached::mask);
        if Tracing::of_mask(self.wanted().or(own)).wants(fate) {
            let (way, words, name) = (if way == Way::In { '>' } else { '<' }, fate.words(), &self.name);
            let (path, id) = (source.path_id, source.id.0);
            // Behind the number of the source BIRD has where packets go: here nowhere.
            tracing::info!(target: "trace", "{name}.{channel} {way} {words} {net} {path}L {id}G ");
        }
    }

    /// Whether anybody wants to know what happens to it, and what it hears and says.
    pub fn wants_events_packets(&self) -> (bool, bool) {
        (self.wants(DebugMask::EVENTS), self.wants(DebugMask::PACKETS))
    }

    /// Something else has come to another state.
    pub fn states(&self, text: Arguments<'_>) {
        self.say(DebugMask::STATES, text);
    }

    /// Whether anybody wants to know of links and addresses.
    pub fn watches_links(&self) -> bool {
        self.wants(DebugMask::INTERFACES)
    }

    /// It hears of a link or an address.
    pub fn hears(&self, text: Arguments<'_>) {
        if self.watches_links() {
            tracing::info!(target: "trace", "{} < {text}", self.name);
        }
    }
}
