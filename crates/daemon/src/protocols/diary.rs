//! What a protocol says of itself under `debug`, in BIRD's words.
//!
//! A protocol without sessions has a short life: `Starting`, `feed` while it is
//! told what stands, `up`, `flush` while its routes go, `down`. Sessions tell
//! theirs themselves (`session`), tables what becomes of routes (`rib`); here is
//! what the supervisor says of all protocols alike, and what those of this machine
//! say of what they do. Whoever has no mask for a line pays one look at it.

use conf::config::DebugMask;
use filter::Authorised;
use rib::trace::{Fate, Tracing, Way};
use route::Source;
use std::fmt::Arguments;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// The diary of one protocol. Cheap to clone; all clones follow one mask.
#[derive(Clone)]
pub struct Diary {
    name: Arc<str>,
    tables: Arc<[Arc<str>]>,
    mask: Arc<AtomicU32>,
    /// Of channels to tables of authorisations, by name: what is wanted of their routes beside.
    channels: Arc<[(&'static str, AtomicU32)]>,
}

impl Diary {
    /// Of the protocol of this name, which reads or fills these tables.
    pub fn new(name: &Arc<str>, tables: Vec<Arc<str>>, mask: DebugMask) -> Self {
        let mask = Arc::new(AtomicU32::new(mask.0));
        Self { name: Arc::clone(name), tables: tables.into(), mask, channels: Arc::new([]) }
    }

    /// The same, with channels to tables of authorisations and what they ask for.
    pub fn of_channels(self, masks: impl Iterator<Item = (&'static str, DebugMask)>) -> Self {
        Self { channels: masks.map(|(name, mask)| (name, AtomicU32::new(mask.0))).collect(), ..self }
    }

    /// `debug` of one of those channels; of others nothing happens.
    pub fn set_channel_mask(&self, channel: &str, mask: DebugMask) {
        for (_, own) in self.channels.iter().filter(|(name, _)| *name == channel) {
            own.store(mask.0, Ordering::Relaxed);
        }
    }

    /// `debug`: which lines are wanted from now on.
    pub fn set_mask(&self, mask: DebugMask) {
        self.mask.store(mask.0, Ordering::Relaxed);
    }

    /// The mask itself, for those who write lines of their own.
    pub const fn mask(&self) -> &Arc<AtomicU32> {
        &self.mask
    }

    fn wants(&self, class: DebugMask) -> bool {
        DebugMask(self.mask.load(Ordering::Relaxed)).has(class)
    }

    fn say(&self, class: DebugMask, text: Arguments<'_>) {
        if self.wants(class) {
            tracing::info!(target: "trace", "{}: {text}", self.name);
        }
    }

    /// It was made.
    pub fn initializing(&self, enabled: bool) {
        self.say(DebugMask::STATES, format_args!("Initializing{}", if enabled { "" } else { " [disabled]" }));
    }

    /// It goes on under a new configuration.
    pub fn reconfigured(&self) {
        self.say(DebugMask::STATES, format_args!("Reconfigured"));
    }

    /// It goes up; nothing of any table is told to it.
    pub fn beginning(&self) {
        self.say(DebugMask::STATES, format_args!("Starting"));
    }

    /// It goes up, and is about to be told what stands in its tables.
    pub fn starting(&self) {
        self.say(DebugMask::STATES, format_args!("Starting"));
        for table in &*self.tables {
            self.say(DebugMask::STATES, format_args!("Connected to table {table}"));
        }
        self.state("feed");
    }

    /// It goes down, and its routes are about to go.
    pub fn shutting_down(&self) {
        self.say(DebugMask::STATES, format_args!("Shutting down"));
        self.state("flush");
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
        let of_channel = self.channels.iter().find(|(name, _)| *name == channel);
        let of_channel = of_channel.map_or(0, |(_, mask)| mask.load(Ordering::Relaxed));
        if Tracing::of_mask(DebugMask(self.mask.load(Ordering::Relaxed) | of_channel)).wants(fate) {
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
