//! What the operator sees of a peer: values for `show protocols [all]`, no text layout.

pub use fsm::{ErrorClass, LastError, Timer};
use rib::batch::Generation;
use rib::export::MemberId;
use route::options::Voice;
use route::{ChannelId, Family, Moment, TableId};
use std::net::{IpAddr, Ipv6Addr};
pub use wire::Capabilities;

/// The state of a protocol, BIRD's words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProtoState {
    /// `down`.
    #[default]
    Down,
    /// `start`: wants to go up.
    Start,
    /// `feed`: up, and being told what is in the table.
    Feed,
    /// `up`.
    Up,
    /// `wait`: up, but nothing is told before our graceful restart is over.
    Wait,
    /// `stop`: going down.
    Stop,
}

impl ProtoState {
    /// The word in the `state` column.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Down => "down",
            Self::Start => "start",
            Self::Feed => "feed",
            Self::Up => "up",
            Self::Wait => "wait",
            Self::Stop => "stop",
        }
    }
}

impl ProtoState {
    /// The word in the log: where channels have states of their own, that of the protocol does not tell of feeding.
    pub(crate) const fn said_by(self, voice: Voice) -> &'static str {
        match (self, voice) {
            (Self::Feed | Self::Wait, Voice::Channels) => Self::Up.word(),
            _ => self.word(),
        }
    }
}

/// One channel of a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelStatus {
    /// Its family.
    pub family: Family,
    /// Its number.
    pub channel: ChannelId,
    /// Its table.
    pub table: TableId,
    /// In which of its lives it is.
    pub generation: Generation,
    /// Its place in an export group, while it is up.
    pub member: Option<MemberId>,
    /// `GR recovery`: the neighbour's End-of-RIB is awaited (`pending`).
    pub recovery_pending: bool,
    /// `GR recovery`: nothing is told until the recovery of all is over (`waiting`).
    pub recovery_waiting: bool,
    /// The table holds routes of a neighbour that restarts.
    pub retained: bool,
    /// The session is up and speaks its family.
    pub up: bool,
    /// Our own next hop there, while something is told.
    pub next_hop: Option<(IpAddr, Option<Ipv6Addr>)>,
}

/// The capabilities of both sides of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announced {
    /// Ours.
    pub ours: Capabilities,
    /// The neighbour's.
    pub theirs: Capabilities,
}

/// A peer, as the operator sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PeerStatus {
    /// The `state` column.
    pub proto: ProtoState,
    /// When that state began.
    pub since: Moment,
    /// Disabled by itself: after an error, a Cease, or a limit.
    pub disabled: bool,
    /// BGP's state: `Idle`, `Connect`, `Active`, `OpenSent`, `OpenConfirm`, `Established`, `Close`, `Passive`, `Down`.
    pub bgp_state: &'static str,
    /// What went wrong last; forgotten when the session is established.
    pub last_error: Option<LastError>,
    /// The neighbour's address.
    pub peer_addr: Option<IpAddr>,
    /// The neighbour's AS.
    pub peer_as: u32,
    /// The neighbour's BGP identifier, while established.
    pub peer_id: Option<u32>,
    /// `Neighbor caps`, BIRD's words in BIRD's order, while established.
    pub caps: Vec<&'static str>,
    /// What the two OPENs announced, while established.
    pub announced: Option<std::sync::Arc<Announced>>,
    /// `Session`, BIRD's words in BIRD's order, while established.
    pub session: Vec<&'static str>,
    /// `Source address`: the configured one, or the one of the link.
    pub source_addr: Option<IpAddr>,
    /// `Hold timer`, while established; `total_s` 0: no hold timer.
    pub hold: Option<Timer>,
    /// `Keepalive timer`, while established; `total_s` 0: none.
    pub keepalive: Option<Timer>,
    /// `Send hold timer`, while established, when `send hold time` was asked for; `total_s` 0: none.
    pub send_hold: Option<Timer>,
    /// `Error wait`.
    pub error_wait: Option<Timer>,
    /// `Connect delay`.
    pub connect_delay: Option<Timer>,
    /// `Neighbor graceful restart active`.
    pub restart_active: bool,
    /// `Restart timer`.
    pub restart: Option<Timer>,
    /// `LL stale timer`.
    pub stale: Option<Timer>,
    /// The neighbour can be asked for its routes.
    pub can_refresh: bool,
    /// Its channels.
    pub channels: Vec<ChannelStatus>,
}
