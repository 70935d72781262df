//! Options of `bird.conf` that are obeyed as they were read.
//!
//! The configuration reads them, a session, a table or an export group obeys them,
//! and nobody between changes them: so they are words that all of these have in
//! common. What must be looked up or worked out first (names of tables, addresses,
//! defaults of a dialect) is not here.

use crate::BgpSource;

/// `receive limit`, `import limit`, `export limit`: how many routes there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// How many may stand.
    pub routes_max: u32,
    /// What happens to the one above.
    pub action: LimitAction,
}

/// What a limit does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitAction {
    /// A log line.
    Warn,
    /// Routes above the limit are refused until a new session or a reload.
    Block,
    /// The protocol restarts.
    Restart,
    /// The protocol is disabled.
    Disable,
}

/// `bfd` of a BGP session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum BfdMode {
    /// `off`.
    #[default]
    Off,
    /// `on`: a neighbour that is down ends the session.
    On,
    /// `graceful`: its routes are kept meanwhile, as in a graceful restart.
    Graceful,
}

/// `graceful restart`, `long lived graceful restart`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum RestartMode {
    /// `off`.
    Off,
    /// `aware`: keeps routes of peers that restart.
    #[default]
    Aware,
    /// `on`: and restarts itself without losing them.
    On,
}

/// `gateway`: where a received next hop is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GatewayMode {
    /// The next hop is on the link, or else the neighbour itself is taken.
    Direct,
    /// The next hop is looked up in a table.
    Recursive,
}

/// Of whose routes `next hop self` or `next hop keep` speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum RoutesOf {
    /// Of none.
    #[default]
    Nobody,
    /// Of all.
    All,
    /// Of those that an internal neighbour gave.
    Internal,
    /// Of those that an external neighbour gave.
    External,
}

impl RoutesOf {
    /// Whether the routes of this source are among them; `None`: no BGP session gave them.
    pub fn has(self, giver: Option<&BgpSource>) -> bool {
        match self {
            Self::Nobody => false,
            Self::All => true,
            Self::Internal => giver.is_some_and(|from| from.internal),
            Self::External => giver.is_some_and(|from| !from.internal),
        }
    }
}

/// `link local next hop format`: a next hop that has a link-local address alone, in MP_REACH_NLRI.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum LinkLocalFormat {
    /// `native`: behind the unspecified address.
    #[default]
    Native,
    /// `single`: by itself (draft-white-linklocal-capability).
    Single,
    /// `double`: twice, as Junos does.
    Double,
}

/// `missing lladdr`: what to send over IPv6 when no link-local address is known for a next hop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum MissingLladdr {
    /// `self`: our own addresses in place of the next hop.
    #[default]
    SelfAddr,
    /// `drop`: the route is not told.
    Drop,
    /// `ignore`: the global address alone.
    Ignore,
    /// Next hops are told as they stand, with whatever link-local address they have (2).
    Untouched,
}

/// `debug`: which lines a protocol or channel writes about itself, a bit a class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DebugMask(pub u32);

impl DebugMask {
    /// `states`: of the protocol.
    pub const STATES: Self = Self(1);
    /// `routes`: what came into a table or was told.
    pub const ROUTES: Self = Self(2);
    /// `filters`: what was refused on its way.
    pub const FILTERS: Self = Self(4);
    /// `interfaces`: links and addresses of which it hears.
    pub const INTERFACES: Self = Self(8);
    /// `events`: what happens inside it.
    pub const EVENTS: Self = Self(16);
    /// `packets`: messages that come and go.
    pub const PACKETS: Self = Self(32);
    /// `all`.
    pub const ALL: Self = Self(63);

    /// Whether lines of this class are wanted.
    pub const fn has(self, class: Self) -> bool {
        self.0 & class.0 != 0
    }

    /// What either asks for.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// Who speaks in the lines of `debug`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Voice {
    /// The protocol alone, also of its tables; a line about a route says where it leads (1.6).
    #[default]
    Protocol,
    /// Each channel, too, by its own mask; a line about a route names the channel and who gave the route (2).
    Channels,
}

impl Voice {
    /// The name of a channel in lines, if channels speak.
    pub fn named(self, channel: &str) -> Option<&str> {
        (self == Self::Channels).then_some(channel)
    }
}

/// `mrtdump`: which MRT records a session makes, a bit a class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MrtMask(pub u32);

impl MrtMask {
    /// `states`: of the session.
    pub const STATES: Self = Self(1);
    /// `messages`: as they came.
    pub const MESSAGES: Self = Self(2);
    /// `all`.
    pub const ALL: Self = Self(3);

    /// Whether records of this class are wanted.
    pub const fn has(self, class: Self) -> bool {
        self.0 & class.0 != 0
    }
}

/// The times of a BGP session, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionTimes {
    /// `hold time`: what our OPEN offers; 0: no hold timer.
    pub hold_s: u16,
    /// `startup hold time`: how long an open connection may go without the neighbour's OPEN.
    pub startup_hold_s: u32,
    /// `keepalive time`; `None`: a third of the negotiated hold time.
    pub keepalive_s: Option<u32>,
    /// `connect retry time`: how long an unanswered attempt to connect lasts.
    pub connect_retry_s: u32,
    /// `connect delay time`: how long we wait before an attempt.
    pub connect_delay_s: u32,
    /// `error wait time`: how long we wait after an error, at first and at most.
    pub error_wait_s: (u32, u32),
    /// `error forget time`: after so long without an error the next wait is the first again.
    pub error_forget_s: u32,
}

impl Default for SessionTimes {
    fn default() -> Self {
        Self {
            hold_s: 240,
            startup_hold_s: 240,
            keepalive_s: None,
            connect_retry_s: 120,
            connect_delay_s: 5,
            error_wait_s: (60, 300),
            error_forget_s: 300,
        }
    }
}

/// What the OPEN of a BGP session says, families and what belongs to them apart (RFC 5492).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer {
    /// `capabilities`: off, and it holds no optional parameter at all.
    pub capabilities: bool,
    /// `advertise ipv4`: the multiprotocol capability for IPv4 (RFC 4760).
    pub advertise_ipv4: bool,
    /// `enable route refresh` (RFC 2918).
    pub route_refresh: bool,
    /// `enable enhanced route refresh` (RFC 7313); of effect only beside the other one.
    pub enhanced_refresh: bool,
    /// `enable as4` (RFC 6793).
    pub as4: bool,
    /// `enable extended messages` (RFC 8654).
    pub extended_messages: bool,
    /// `graceful restart` (RFC 4724).
    pub graceful_restart: RestartMode,
    /// `graceful restart time`.
    pub graceful_restart_time_s: u16,
    /// Who only helps names that time, too, which means nothing then (2).
    pub helper_names_time: bool,
    /// `long lived graceful restart` (RFC 9494).
    pub long_lived: RestartMode,
}

impl Default for Offer {
    fn default() -> Self {
        Self {
            capabilities: true,
            advertise_ipv4: true,
            route_refresh: true,
            enhanced_refresh: true,
            as4: true,
            extended_messages: false,
            graceful_restart: RestartMode::Aware,
            graceful_restart_time_s: 120,
            helper_names_time: false,
            long_lived: RestartMode::Aware,
        }
    }
}

/// Which routes a BGP session takes, and in which words it tells them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouteRules {
    /// `allow local as`: how many times our AS may stand in a received path.
    pub allow_local_as: u32,
    /// `allow as sets`: received paths may hold sets (RFC 9774).
    pub allow_as_sets: bool,
    /// `enforce first as`: paths of an external neighbour begin with its AS.
    pub enforce_first_as: bool,
    /// `allow bgp_local_pref`: LOCAL_PREF is taken from external neighbours, and told them.
    pub allow_local_pref: bool,
    /// `allow bgp_med`: MED goes to external peers also when no export filter has set it.
    pub med_to_external: bool,
    /// `interpret communities`: NO_EXPORT and its kin are obeyed (RFC 1997).
    pub interpret_communities: bool,
    /// The rewrite for the neighbour comes before the export filter (1.6) or after it (2).
    pub rewrite_before_filter: bool,
    /// 240.0.0.0/4 holds routes like others (2), or bogus ones (1.6).
    pub takes_reserved: bool,
    /// A path that names no neighbour counts as one through our own AS (2), or through the neighbour's (1.6).
    pub pathless_is_ours: bool,
}

impl Default for RouteRules {
    /// Those of 1.6.
    fn default() -> Self {
        Self {
            allow_local_as: 0,
            allow_as_sets: true,
            enforce_first_as: false,
            allow_local_pref: false,
            med_to_external: false,
            interpret_communities: true,
            rewrite_before_filter: true,
            takes_reserved: false,
            pathless_is_ours: false,
        }
    }
}

/// How routes of a session are compared with others (RFC 4271 9.1.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecisionRules {
    /// `default bgp_local_pref`: LOCAL_PREF of routes that have none.
    pub default_local_pref: u32,
    /// `default bgp_med`: MED of routes that have none.
    pub default_med: u32,
    /// `path metric`: the shorter path counts.
    pub path_metric: bool,
    /// `med metric`: MED counts between routes of any neighbours.
    pub med_metric: bool,
    /// `deterministic med`: routes of one neighbour AS are compared first.
    pub deterministic_med: bool,
    /// `igp metric`: the distance to the next hop counts.
    pub igp_metric: bool,
    /// `prefer older`: the older of two external routes counts (RFC 5004).
    pub prefer_older: bool,
}

impl Default for DecisionRules {
    fn default() -> Self {
        Self {
            default_local_pref: 100,
            default_med: 0,
            path_metric: true,
            med_metric: false,
            deterministic_med: false,
            igp_metric: true,
            prefer_older: false,
        }
    }
}
