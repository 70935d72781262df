//! `protocol bgp`: one neighbour.

use super::{BfdSaid, Dialect, IfacePattern, TermsConf};
pub use route::aigp::Aigp;
pub use route::options::{
    BfdMode, DecisionRules, GatewayMode, LinkLocalFormat, MissingLladdr, Offer, RestartMode, RouteRules, RoutesOf,
    SessionTimes,
};
use route::{Family, Prefix, tcp_ao};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

/// `next hop prefer`: which address of a received next hop that has two is the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextHopPrefer {
    /// The global one.
    Global,
    /// The link-local one.
    Local,
}

/// `neighbor internal|external`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeerKind {
    /// In our AS.
    Internal,
    /// In another.
    External,
}

/// `authentication`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authentication {
    /// `none`, or nothing said.
    None,
    /// `md5`: of TCP (RFC 2385), with `password`.
    Md5,
    /// `ao`: TCP-AO (RFC 5925), with `keys`.
    Ao,
}

/// Where `strict bind` has connections awaited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bind {
    /// At this address of ours; `None`: at all.
    pub addr: Option<IpAddr>,
    /// On the link of `interface`, or on each of `interface range`; else on all.
    pub on_link: bool,
}

/// `protocol bgp`.
#[derive(Clone, Debug, PartialEq)]
pub struct BgpConf {
    /// `local [ADDRESS] as N`.
    pub local_as: u32,
    /// `local ADDRESS` / `source address`.
    pub local_addr: Option<IpAddr>,
    /// `local port` (2).
    pub local_port: Option<u16>,
    /// `neighbor ADDRESS`.
    pub peer_addr: IpAddr,
    /// `neighbor ADDRESS%LINK` or `interface`.
    pub iface: Option<Arc<str>>,
    /// `interface range`: connections are awaited on each link like these.
    pub iface_range: Option<Vec<IfacePattern>>,
    /// `onlink`: the neighbour is on the link whatever its address is.
    pub onlink: bool,
    /// `neighbor port` / `port`.
    pub peer_port: u16,
    /// `neighbor as N`; 0 with `external` alone: any but ours.
    pub peer_as: u32,
    /// `neighbor internal|external`.
    pub peer_kind: Option<PeerKind>,
    /// `neighbor range PREFIX`; the neighbour's address is unspecified then.
    pub range: Option<Prefix>,
    /// `dynamic name`: what the names of sessions begin with that a range has brought.
    pub dynamic_name: Arc<str>,
    /// `dynamic name digits`: how many digits their numbers have at least.
    pub dynamic_digits: u32,
    /// `multihop N`; `None`: the neighbour is on a link. 64 when no number is given.
    pub multihop: Option<u8>,
    /// Incoming connections are matched by remote address alone (1.6) or by both (2).
    pub match_local_addr: bool,
    /// `strict bind`.
    pub strict_bind: bool,
    /// What `strict bind` comes to; neither address nor link without it.
    pub bind: Bind,
    /// `free bind`: the address of the listening socket need not be ours yet.
    pub free_bind: bool,
    /// `passive`.
    pub passive: bool,
    /// `authentication`, if it is said.
    pub authentication: Option<Authentication>,
    /// `keys`, of which no two have the same identifier; empty without TCP-AO.
    pub ao_keys: Arc<[tcp_ao::Key]>,
    /// `password`.
    pub password: Option<Arc<str>>,
    /// `setkey`.
    pub setkey: bool,
    /// `ttl security`.
    pub ttl_security: bool,
    /// `check link`.
    pub check_link: bool,
    /// `bfd`.
    pub bfd: BfdMode,
    /// `bfd { OPTIONS }`: what this session of BFD has otherwise than its link's (2).
    pub bfd_options: Option<Arc<BfdSaid>>,
    /// `confederation N` (2); 0: none.
    pub confederation: u32,
    /// `confederation member`: the neighbour is in it, too (2).
    pub confederation_member: bool,
    /// `rr client`.
    pub rr_client: bool,
    /// `rr cluster id`; `None`: the router id.
    pub rr_cluster_id: Option<u32>,
    /// `rs client`.
    pub rs_client: bool,
    /// `hold time`, `keepalive time` and their like.
    pub times: SessionTimes,
    /// `disable after error`.
    pub disable_after_error: bool,
    /// `disable after cease`: a bit per subcode.
    pub disable_after_cease: u32,
    /// What our OPEN says.
    pub offer: Offer,
    /// What is asked of the neighbour.
    pub terms: TermsConf,
    /// `advertise hostname` (2).
    pub advertise_hostname: bool,
    /// A neighbour that announces capabilities speaks the families among them alone, and without a common one there is
    /// no session (2).
    pub strict_families: bool,
    /// An error that has to do with capabilities leads to an attempt without any (1.6).
    pub retries_bare: bool,
    /// `tx size warning`: octets; 0: none (2).
    pub tx_size_warning: u32,
    /// Which routes are taken and told.
    pub rules: RouteRules,
    /// `path metric`, `default bgp_med` and their like.
    pub decision: DecisionRules,
    /// `long lived stale time`.
    pub long_lived_stale_time_s: u32,
    /// A next hop that lies on no link of ours makes a route invalid (2), or the neighbour stands in for it (1.6).
    pub strict_next_hop: bool,
}

/// What a channel of a session has of its own: options that stand in the protocol in 1.6, and in each channel in 2.
#[derive(Clone, Debug, PartialEq)]
pub struct BgpChannel {
    /// `next hop self`.
    pub next_hop_self: RoutesOf,
    /// `next hop keep`; the default of 2 depends on clients of ours.
    pub next_hop_keep: RoutesOf,
    /// `next hop address`; `None`: our address on the session, or on its link.
    pub next_hop_address: Option<IpAddr>,
    /// `next hop prefer`; the default depends on the gateway.
    pub next_hop_prefer: NextHopPrefer,
    /// `link local next hop format`.
    pub link_local_format: LinkLocalFormat,
    /// `missing lladdr`.
    pub missing_lladdr: MissingLladdr,
    /// `aigp`; the default depends on internal and `confederation member`.
    pub aigp: Aigp,
    /// `gateway`; the default depends on multihop and internal.
    pub gateway: GatewayMode,
    /// `igp table` in which IPv4 next hops are looked up, the name.
    pub igp_table4: Option<Arc<str>>,
    /// `igp table` in which IPv6 next hops are looked up.
    pub igp_table6: Option<Arc<str>>,
    /// `extended next hop` (2).
    pub extended_next_hop: bool,
    /// `import table`: all that was received is kept (2).
    pub import_table: bool,
    /// `export table`: all that was told is kept (2).
    pub export_table: bool,
    /// `cost` of a next hop that is not looked up (2); 0: none.
    pub cost: u32,
    /// `mandatory`: without this family there is no session (2).
    pub mandatory: bool,
    /// `require extended next hop` (2).
    pub require_extended_next_hop: bool,
    /// `require add paths` (2).
    pub require_add_paths: bool,
    /// `graceful restart`: we restart without losing this family; the protocol's mode is the default.
    pub graceful_restart: bool,
    /// `long lived graceful restart`, likewise.
    pub long_lived: bool,
    /// `long lived stale time`; the protocol's is the default.
    pub long_lived_stale_time_s: u32,
    /// `min long lived stale time` of what the neighbour announces (2).
    pub long_lived_stale_least_s: u32,
    /// `max long lived stale time` (2).
    pub long_lived_stale_most_s: u32,
    /// `add paths rx`.
    pub add_paths_rx: bool,
    /// `add paths tx`.
    pub add_paths_tx: bool,
    /// `secondary`.
    pub secondary: bool,
}

impl BgpChannel {
    /// The `igp table` in which next hops of a family are looked up, if one was named.
    pub const fn igp_table(&self, family: Family) -> Option<&Arc<str>> {
        match family {
            Family::Ipv4 => self.igp_table4.as_ref(),
            Family::Ipv6 => self.igp_table6.as_ref(),
        }
    }
}

impl Default for BgpChannel {
    fn default() -> Self {
        Self {
            next_hop_self: RoutesOf::Nobody,
            next_hop_keep: RoutesOf::Nobody,
            next_hop_address: None,
            next_hop_prefer: NextHopPrefer::Global,
            link_local_format: LinkLocalFormat::Native,
            missing_lladdr: MissingLladdr::SelfAddr,
            aigp: Aigp::Unknown,
            gateway: GatewayMode::Direct,
            igp_table4: None,
            igp_table6: None,
            extended_next_hop: false,
            import_table: false,
            export_table: false,
            cost: 0,
            mandatory: false,
            require_extended_next_hop: false,
            require_add_paths: false,
            graceful_restart: false,
            long_lived: false,
            long_lived_stale_time_s: 3600,
            long_lived_stale_least_s: 0,
            long_lived_stale_most_s: u32::MAX,
            add_paths_rx: false,
            add_paths_tx: false,
            secondary: false,
        }
    }
}

impl BgpConf {
    /// The defaults of a dialect.
    pub fn of(dialect: Dialect) -> Self {
        match dialect {
            Dialect::V1 => Self::default(),
            Dialect::V2 => Self {
                match_local_addr: true,
                offer: Offer { helper_names_time: true, ..Offer::default() },
                rules: RouteRules {
                    rewrite_before_filter: false,
                    takes_reserved: true,
                    pathless_is_ours: true,
                    ..RouteRules::default()
                },
                strict_next_hop: true,
                strict_families: true,
                retries_bare: false,
                ..Self::default()
            },
        }
    }
}

impl BgpConf {
    /// Both ends in one AS.
    pub fn is_internal(&self) -> bool {
        self.local_as == self.peer_as
    }

    /// Both ends in one AS, or in one confederation.
    pub fn is_interior(&self) -> bool {
        self.is_internal() || self.confederation_member
    }

    /// Any neighbour of another AS will do.
    pub fn any_external(&self) -> bool {
        self.peer_as == 0 && self.peer_kind == Some(PeerKind::External)
    }
}

impl Default for BgpConf {
    /// The defaults of 1.6.8. No neighbour and no AS yet: the address is unspecified, the numbers are 0.
    fn default() -> Self {
        Self {
            local_as: 0,
            local_addr: None,
            local_port: None,
            peer_addr: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            iface: None,
            iface_range: None,
            onlink: false,
            peer_port: 179,
            peer_as: 0,
            peer_kind: None,
            range: None,
            dynamic_name: "dynbgp".into(),
            dynamic_digits: 0,
            multihop: None,
            match_local_addr: false,
            strict_bind: false,
            bind: Bind::default(),
            free_bind: false,
            passive: false,
            authentication: None,
            ao_keys: Arc::default(),
            password: None,
            setkey: true,
            ttl_security: false,
            check_link: false,
            bfd: BfdMode::Off,
            bfd_options: None,
            confederation: 0,
            confederation_member: false,
            rr_client: false,
            rr_cluster_id: None,
            rs_client: false,
            times: SessionTimes::default(),
            disable_after_error: false,
            disable_after_cease: 0,
            offer: Offer::default(),
            terms: TermsConf::default(),
            advertise_hostname: false,
            strict_families: false,
            retries_bare: true,
            tx_size_warning: 0,
            rules: RouteRules::default(),
            decision: DecisionRules::default(),
            long_lived_stale_time_s: 3600,
            strict_next_hop: false,
        }
    }
}
