//! What became of routes on their way in and out, for the trace of a protocol.
//!
//! Nobody pays for it who has not asked: a table looks at one emptiness, a group
//! at another. Lines are values; whoever owns the table or the group logs them.
//! They are bounded by [`Traces::LINES_MAX`] between two looks of the owner, the
//! rest is counted.

use route::options::{DebugMask, Voice};
use route::{IfIndex, Ifaces, Prefix, Resolved, Source, Written};
use std::fmt;
use std::sync::Arc;

/// Which lines are wanted of a channel: `debug { routes, filters }`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tracing {
    /// What came into the table or was told.
    pub routes: bool,
    /// What was refused on its way.
    pub filters: bool,
    /// The name of the channel where lines have it, and the numbers of who gave the route (2).
    pub channel: Option<&'static str>,
}

impl Tracing {
    /// What the mask of `debug` asks for.
    pub const fn of_mask(mask: DebugMask) -> Self {
        Self { routes: mask.has(DebugMask::ROUTES), filters: mask.has(DebugMask::FILTERS), channel: None }
    }

    /// Of what comes into a table: what the mask of the protocol or that of its channel asks for.
    pub fn inwards(protocol: DebugMask, channel: DebugMask, voice: Voice, name: &'static str) -> Self {
        Self { channel: voice.named(name), ..Self::of_mask(protocol.or(channel)) }
    }

    /// Of what is told: as BIRD has it, the mask of the channel asks for refusals alone.
    pub fn outwards(protocol: DebugMask, channel: DebugMask, voice: Voice, name: &'static str) -> Self {
        let routes = protocol.has(DebugMask::ROUTES);
        Self { routes, ..Self::inwards(protocol, channel, voice, name) }
    }

    /// What a line says behind the prefix: where packets go, or who gave the route and what kind of way it is.
    pub fn tail(self, to: &Resolved, source: Option<&Source>, ifaces: &Ifaces) -> Arc<str> {
        let Some(source) = source.filter(|_| self.channel.is_some()) else { return via(to, ifaces) };
        format!("{}L {}G {}", source.path_id, source.id.0, kind(to)).into()
    }

    /// Whether any line is wanted.
    pub const fn is_on(self) -> bool {
        self.routes || self.filters
    }

    /// Whether lines of this kind are wanted.
    pub const fn wants(self, fate: Fate) -> bool {
        if fate.is_refusal() { self.filters } else { self.routes }
    }
}

/// What became of a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is in the table, and is the best; only on the way in.
    AddedBest,
    /// It is in the table; or it is told.
    Added,
    /// Another one was told of its prefix before.
    Replaced,
    /// It was there already.
    Ignored,
    /// It is gone from the table, where it was not the best; or it is told no more.
    Removed,
    /// It is gone, was the best, and another is best now.
    RemovedReplaced,
    /// It is gone, and there is no other.
    RemovedSole,
    /// No valid announcement.
    Invalid,
    /// A filter rejected it.
    FilteredOut,
    /// The protocol does not tell it, whatever the filter says.
    RejectedByProtocol,
    /// A limit of the import side keeps it back.
    IgnoredLimit,
    /// A limit of the export side keeps it back.
    RejectedLimit,
}

impl Fate {
    /// BIRD's words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::AddedBest => "added [best]",
            Self::Added => "added",
            Self::Replaced => "replaced",
            Self::Ignored => "ignored",
            Self::Removed => "removed",
            Self::RemovedReplaced => "removed [replaced]",
            Self::RemovedSole => "removed [sole]",
            Self::Invalid => "invalid",
            Self::FilteredOut => "filtered out",
            Self::RejectedByProtocol => "rejected by protocol",
            Self::IgnoredLimit => "ignored [limit]",
            Self::RejectedLimit => "rejected [limit]",
        }
    }

    /// Said under `filters`, not under `routes`.
    const fn is_refusal(self) -> bool {
        use Fate::{FilteredOut, IgnoredLimit, Invalid, RejectedByProtocol, RejectedLimit};
        matches!(self, Invalid | FilteredOut | RejectedByProtocol | IgnoredLimit | RejectedLimit)
    }
}

/// Which way a route went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From the protocol into the table.
    In,
    /// From the table to the protocol.
    Out,
}

/// A line of the trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// Whose.
    pub protocol: Arc<str>,
    /// The channel, where lines name it.
    pub channel: Option<&'static str>,
    /// Which way.
    pub way: Way,
    /// What became of the route.
    pub fate: Fate,
    /// Its prefix.
    pub net: Prefix,
    /// What is said of it, see [`Tracing::tail`]; empty when nobody knows any more.
    pub tail: Arc<str>,
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let way = match self.way {
            Way::In => '>',
            Way::Out => '<',
        };
        f.write_str(&self.protocol)?;
        if let Some(channel) = self.channel {
            write!(f, ".{channel}")?;
        }
        write!(f, " {way} {} {}", self.fate.words(), self.net)?;
        if self.tail.is_empty() { Ok(()) } else { write!(f, " {}", self.tail) }
    }
}

/// The kind of way, in the words of BIRD 2.
const fn kind(to: &Resolved) -> &'static str {
    match to {
        Resolved::Unicast(_) | Resolved::Multipath(_) => "unicast",
        Resolved::Blackhole => "blackhole",
        Resolved::Unreachable => "unreachable",
        Resolved::Prohibit => "prohibited",
    }
}

/// Where packets go, in the words of `show route` of BIRD 1.6: `via 10.1.1.2 on d0`.
fn via(to: &Resolved, ifaces: &Ifaces) -> Arc<str> {
    let name = |index: IfIndex| ifaces.get(index).map_or("?", |link| &*link.name);
    match to {
        Resolved::Unicast(hop) => match hop.gateway {
            Some(gateway) => format!("via {} on {}", Written(gateway), name(hop.iface)).into(),
            None => format!("dev {}", name(hop.iface)).into(),
        },
        Resolved::Multipath(_) => "multipath".into(),
        Resolved::Blackhole => "blackhole".into(),
        Resolved::Unreachable => "unreachable".into(),
        Resolved::Prohibit => "prohibited".into(),
    }
}

/// Lines that wait for the owner of a table or group.
#[derive(Debug, Default)]
pub struct Traces {
    lines: Vec<Trace>,
    dropped: u64,
}

impl Traces {
    /// How many lines may wait.
    pub const LINES_MAX: usize = 16_384;

    /// One line more, or one more of those that found no room.
    pub fn push(&mut self, line: Trace) {
        if self.lines.len() < Self::LINES_MAX {
            self.lines.push(line);
        } else {
            self.dropped += 1;
        }
    }

    /// Takes all lines out, and how many found no room.
    pub fn take(&mut self) -> (Vec<Trace>, u64) {
        (std::mem::take(&mut self.lines), std::mem::take(&mut self.dropped))
    }

    /// Whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Forgets all lines.
    pub fn clear(&mut self) {
        self.lines.clear();
        self.dropped = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_finds_no_room_is_counted() {
        let mut traces = Traces::default();
        let line = Trace {
            protocol: "p1".into(),
            channel: None,
            way: Way::Out,
            fate: Fate::RejectedByProtocol,
            net: Prefix::default(route::Family::Ipv4),
            tail: "dev d0".into(),
        };
        assert_eq!(line.to_string(), "p1 < rejected by protocol 0.0.0.0/0 dev d0");
        (0..Traces::LINES_MAX + 3).for_each(|_| traces.push(line.clone()));
        let (lines, dropped) = traces.take();
        assert_eq!((lines.len(), dropped), (Traces::LINES_MAX, 3));
        assert!(traces.is_empty());
    }

    #[test]
    fn routes_and_filters_are_two_classes() {
        let (routes, filters) = (Tracing::of_mask(DebugMask::ROUTES), Tracing::of_mask(DebugMask::FILTERS));
        assert!(routes.wants(Fate::AddedBest) && !routes.wants(Fate::FilteredOut));
        assert!(filters.wants(Fate::IgnoredLimit) && !filters.wants(Fate::Ignored));
        assert!(!Tracing::of_mask(DebugMask(1 | 8 | 16 | 32)).is_on());
    }

    #[test]
    fn a_channel_asks_for_what_comes_in_and_for_refusals_and_is_named_in_dialect_2() {
        let (none, all) = (DebugMask(0), DebugMask::ALL);
        let inwards = Tracing::inwards(none, all, Voice::Channels, "ipv4");
        assert_eq!(inwards, Tracing { routes: true, filters: true, channel: Some("ipv4") });
        let outwards = Tracing::outwards(none, all, Voice::Channels, "ipv4");
        assert_eq!(outwards, Tracing { routes: false, ..inwards });
        assert_eq!(Tracing::outwards(all, none, Voice::Protocol, "ipv4"), Tracing { channel: None, ..inwards });
    }
}
