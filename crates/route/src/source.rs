//! Who gave a path: numbers for protocols, channels, tables and sources.
//!
//! A *source* is one process-wide number for (protocol, path identifier). Its
//! record holds whatever decision and export read from the giver; it is
//! immutable, and a session that comes back with other parameters replaces the
//! record under the same number before it sends routes. A source survives
//! pipes: a path in another table still names who gave it first.

use crate::options::DecisionRules;
use crate::{IfIndex, Moment, Within};
use std::net::IpAddr;
use std::sync::Arc;

/// A configured protocol instance, for the life of the daemon; never given twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProtocolId(pub u32);

/// A protocol's attachment to one table; never given twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelId(pub u32);

/// A routing table, for the life of the daemon; never given twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableId(pub u32);

/// A (protocol, path identifier) pair; never given twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(pub u32);

/// Where a route comes from: BIRD's RTS_* values, with its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum SourceKind {
    /// A route made for a moment, such as the route a filter is tried on.
    Dummy = 0,
    /// A static route with a gateway or a special destination.
    Static = 1,
    /// A route that the kernel had already.
    Inherit = 2,
    /// A connected network.
    Device = 3,
    /// A static route to a device.
    StaticDevice = 4,
    /// An ICMP redirect.
    Redirect = 5,
    /// BGP.
    Bgp = 11,
    /// An opaque pipe.
    Pipe = 12,
    /// RPKI (dialect 2).
    Rpki = 14,
    /// `protocol aggregator` (dialect 2).
    Aggregated = 17,
}

impl SourceKind {
    /// The word in the `Type:` line of `show route all` (1.6: "device unicast univ").
    pub const fn word(self) -> &'static str {
        match self {
            Self::Dummy => "dummy",
            Self::Static => "static",
            Self::Inherit => "inherit",
            Self::Device => "device",
            Self::StaticDevice => "static-device",
            Self::Redirect => "redirect",
            Self::Bgp => "BGP",
            Self::Pipe => "pipe",
            Self::Rpki => "RPKI",
            Self::Aggregated => "aggregated",
        }
    }
}

/// Who gave a path, as decision and export need to know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Its number.
    pub id: SourceId,
    /// The protocol instance.
    pub protocol: ProtocolId,
    /// The name of the protocol instance, as the operator sees it.
    pub protocol_name: Arc<str>,
    /// The kind of protocol.
    pub kind: SourceKind,
    /// The path identifier that the peer chose (RFC 7911), 0 without ADD-PATH.
    pub path_id: u32,
    /// What only BGP has.
    pub bgp: Option<BgpSource>,
}

impl Source {
    /// Of a protocol that has no BGP sessions.
    pub const fn of_protocol(id: SourceId, protocol: ProtocolId, protocol_name: Arc<str>, kind: SourceKind) -> Self {
        Self { id, protocol, protocol_name, kind, path_id: 0, bgp: None }
    }
}

/// What decision, export rewrite and display read from the BGP session that gave a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BgpSource {
    /// The peer's address: the last step of the decision.
    pub peer_addr: IpAddr,
    /// Our address on this session.
    pub local_addr: IpAddr,
    /// Our AS on this session.
    pub local_as: u32,
    /// The peer's AS.
    pub peer_as: u32,
    /// The peer's BGP identifier.
    pub router_id: u32,
    /// Both ends in one AS.
    pub internal: bool,
    /// The peer is in our confederation, or in our AS while we are in one (RFC 5065).
    pub confederation: bool,
    /// The neighbouring AS of a path that names none, for MED.
    pub pathless_as: u32,
    /// The peer is a client of ours (RFC 4456).
    pub rr_client: bool,
    /// The cluster identifier used when routes of this peer are reflected.
    pub cluster_id: u32,
    /// The peer is a client of a route server.
    pub rs_client: bool,
    /// How its routes are compared with others.
    pub decision: DecisionRules,
    /// The link on which the peer lies; `IfIndex(0)` for a multihop session.
    pub link: IfIndex,
    /// The VRF in which the session runs.
    pub within: Within,
    /// When this session was established.
    pub established: Moment,
}

/// One end of a BGP session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Speaker {
    /// Its address.
    pub addr: IpAddr,
    /// Its AS.
    pub asn: u32,
    /// Its BGP identifier.
    pub id: u32,
}

impl BgpSource {
    /// Both ends in one AS, or in one confederation.
    pub const fn is_interior(&self) -> bool {
        self.internal || self.confederation
    }

    /// An established session between two speakers with BIRD's defaults for everything else.
    pub fn between(local: Speaker, peer: Speaker) -> Self {
        Self {
            peer_addr: peer.addr,
            local_addr: local.addr,
            local_as: local.asn,
            peer_as: peer.asn,
            router_id: peer.id,
            internal: local.asn == peer.asn,
            confederation: false,
            pathless_as: peer.asn,
            rr_client: false,
            cluster_id: local.id,
            rs_client: false,
            decision: DecisionRules::default(),
            link: IfIndex(0),
            within: Within::Machine,
            established: Moment(0),
        }
    }
}
