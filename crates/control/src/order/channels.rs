//! Channels, as commands of dialect 2 name them: `PROTOCOL.ipv4`.
//!
//! BIRD has words for channels of kinds that do not exist here: those are known, and no protocol has them.

use super::Refusal;
use crate::code;
use conf::channel_word;
use conf::command::Reader;
use conf::config::{ChannelConf, ProtocolConf, ProtocolKind};
use filter::syntax::Parsed;

/// A channel, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ChannelWord(&'static str);

/// As it is typed, and as BIRD calls the channel.
static WORDS: &[(&str, &str)] = &[
    ("ipv4", "ipv4"),
    ("ipv4_mc", "ipv4-mc"),
    ("ipv4_mpls", "ipv4-mpls"),
    ("ipv6", "ipv6"),
    ("ipv6_mc", "ipv6-mc"),
    ("ipv6_mpls", "ipv6-mpls"),
    ("ipv6_sadr", "ipv6-sadr"),
    ("vpn4", "vpn4"),
    ("vpn4_mc", "vpn4-mc"),
    ("vpn4_mpls", "vpn4-mpls"),
    ("vpn6", "vpn6"),
    ("vpn6_mc", "vpn6-mc"),
    ("vpn6_mpls", "vpn6-mpls"),
    ("roa4", "roa4"),
    ("roa6", "roa6"),
    ("flow4", "flow4"),
    ("flow6", "flow6"),
    ("mpls", "mpls"),
    ("aspa", "aspa"),
    ("neighbors", "neighbors"),
    (PRIMARY, PRIMARY),
    (SECONDARY, SECONDARY),
];

/// Of a pipe: its own table.
const PRIMARY: &str = "pri";
/// Of a pipe: the table at its other end.
const SECONDARY: &str = "sec";

impl ChannelWord {
    /// The word behind the dot.
    pub(super) fn read(reader: &mut Reader<'_>) -> Parsed<Self> {
        match WORDS.iter().find(|(word, _)| reader.at().eat_word(word)) {
            Some((_, name)) => Ok(Self(name)),
            None => Err(reader.at().unexpected()),
        }
    }

    /// The name of the channel.
    pub(super) const fn word(self) -> &'static str {
        self.0
    }

    /// Of a pipe: the one at its own table.
    pub(super) fn is_primary(self) -> bool {
        self.0 == PRIMARY
    }

    /// Of a pipe: the one at its other end.
    pub(super) fn is_secondary(self) -> bool {
        self.0 == SECONDARY
    }

    /// Whether a protocol has it.
    pub(super) fn is_of(self, protocol: &ProtocolConf) -> bool {
        match protocol.kind {
            ProtocolKind::Pipe(_) => self.is_primary() || self.is_secondary(),
            // It writes tables as they are, and is told nothing.
            ProtocolKind::Mrt(_) => false,
            _ => self.find(protocol).is_some(),
        }
    }

    /// The channel of a protocol that is no pipe.
    pub(super) fn find(self, protocol: &ProtocolConf) -> Option<&ChannelConf> {
        let mut all = protocol.channels.iter().chain(&protocol.roa_channels);
        all.find(|c| channel_word(c.family, c.carries) == self.0)
    }

    /// The protocol has no such channel.
    pub(super) fn not_found(self, protocol: &str) -> Refusal {
        Refusal { code: code::PARSE_ERROR, text: format!("Channel {protocol}.{} not found", self.0) }
    }
}
