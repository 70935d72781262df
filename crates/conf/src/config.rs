//! The configuration, typed: what both dialects become.
//!
//! Where the releases of BIRD *behave* differently, the difference is a named
//! field here, which the dialect only fills with its default. Nobody behind this
//! room asks for the dialect, but for the text of the control socket.

mod aggregator;
mod bfd;
mod bgp;
mod bmp;
mod channel;
mod device;
mod direct;
mod kernel;
mod log;
mod mrt;
mod pattern;
mod pipe;
mod protocol;
mod rpki;
mod statics;
mod symbols;
mod terms;
mod time;

pub use aggregator::AggregatorConf;
pub use bfd::{BfdAccept, BfdAuth, BfdConf, BfdInterfaces, BfdNeighbor, BfdOptions, BfdPassword, BfdSaid, CivilTime};
pub use bgp::{
    Aigp, Authentication, BfdMode, BgpChannel, BgpConf, Bind, GatewayMode, LinkLocalFormat, MissingLladdr,
    NextHopPrefer, PeerKind, RestartMode, RoutesOf,
};
pub use bmp::BmpConf;
pub use channel::{Carries, ChannelConf, Limit, LimitAction};
pub use device::DeviceConf;
pub use direct::DirectConf;
pub use kernel::{KernelConf, Learn};
pub use log::{LogClass, LogClasses, LogDestination, LogTarget, Rotation, UdpHost};
pub use mrt::MrtConf;
pub use pattern::IfacePattern;
pub(crate) use pattern::pattern_words;
pub use pipe::{PipeConf, PipeMode};
pub use protocol::{ProtocolConf, ProtocolKind};
pub use rpki::{CacheAddr, Interval, RpkiConf};
pub use statics::{StaticAspa, StaticConf, StaticDest, StaticHop, StaticRoa, StaticRoute};
pub use symbols::{SymbolRow, Symbols};
pub use terms::TermsConf;
pub use time::{TimeFormat, TimeFormats};

pub use route::options::{DebugMask, MrtMask};
use route::{Family, Roa};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

pub use filter::Dialect;

/// A whole configuration.
#[derive(Debug)]
pub struct Config {
    /// Its language.
    pub dialect: Dialect,
    /// The family of a 1.6 configuration.
    pub family: Family,
    /// Addresses of the other family are not seen (1.6), or both are (2).
    pub one_family: bool,
    /// A link without an address counts as down (1.6), or not (2).
    pub links_need_address: bool,
    /// `router id`, when given.
    pub router_id: Option<Ipv4Addr>,
    /// `router id from`: patterns of interfaces to choose from; empty: any.
    pub router_id_from: Vec<IfacePattern>,
    /// `log` statements in order; empty: the default of the command line.
    pub logs: Vec<LogTarget>,
    /// `listen bgp`.
    pub listen: ListenBgp,
    /// `cli`: control sockets beside the one of the command line.
    pub clis: Vec<CliConf>,
    /// `threads`: of sessions, when rbird.toml does not say; what counts is what stood there at the start.
    pub threads: Option<u32>,
    /// The four formats of time.
    pub time: TimeFormats,
    /// `graceful restart wait`.
    pub graceful_restart_wait: Duration,
    /// `hostname`; `None`: the machine's.
    pub hostname: Option<Arc<str>>,
    /// `debug protocols`: for protocols without a `debug` of their own.
    pub debug_protocols: DebugMask,
    /// `debug channels` (2): for channels without a `debug` of their own.
    pub debug_channels: DebugMask,
    /// `debug latency`, `watchdog`.
    pub latency: LatencyConf,
    /// `mrtdump "FILE"`.
    pub mrtdump_file: Option<Arc<str>>,
    /// `mrtdump protocols`: for protocols without a `mrtdump` of their own.
    pub mrtdump_protocols: MrtMask,
    /// `debug commands`: 0 .. 2.
    pub debug_commands: u32,
    /// Tables in order of declaration; the default ones first.
    pub tables: Vec<TableConf>,
    /// ROA and ASPA tables in order of declaration; the first is the one that commands mean.
    pub roa_tables: Vec<RoaTableConf>,
    /// Protocol instances in order of declaration.
    pub protocols: Vec<ProtocolConf>,
    /// The symbols, for `show symbols`, `eval` and filters typed on the control socket.
    pub symbols: Arc<Symbols>,
    /// The source files, for errors said later.
    pub files: Vec<filter::span::SourceFile>,
}

impl Config {
    /// A configuration of nothing, with the defaults of the dialect's release.
    pub fn empty(dialect: Dialect, family: Family) -> Self {
        let table = |name: &str, family| TableConf { name: name.into(), family, sorted: false };
        let tables = match dialect {
            Dialect::V1 => vec![table("master", family)],
            Dialect::V2 => vec![table("master4", Family::Ipv4), table("master6", Family::Ipv6)],
        };
        Self {
            dialect,
            family,
            one_family: dialect == Dialect::V1,
            links_need_address: dialect == Dialect::V1,
            router_id: None,
            router_id_from: Vec::new(),
            logs: Vec::new(),
            listen: ListenBgp::default(),
            clis: Vec::new(),
            threads: None,
            time: TimeFormats::of(dialect),
            graceful_restart_wait: Duration::from_secs(240),
            hostname: None,
            debug_protocols: DebugMask::default(),
            debug_channels: DebugMask::default(),
            latency: LatencyConf::default(),
            mrtdump_file: None,
            mrtdump_protocols: MrtMask::default(),
            debug_commands: 0,
            tables,
            roa_tables: Vec::new(),
            protocols: Vec::new(),
            symbols: Arc::default(),
            files: Vec::new(),
        }
    }

    /// The table that a protocol is attached to when it does not say.
    pub fn default_table(&self) -> Arc<str> {
        self.tables.first().map_or_else(|| "master".into(), |t| t.name.clone())
    }

    /// Whether a session of a range of neighbours may be called like this: `dynamic name`, then a number.
    pub fn may_be_member(&self, name: &str) -> bool {
        self.range_of(name).is_some()
    }

    /// The protocol of this name, or the one whose range a session of this name belongs to.
    pub fn protocol(&self, name: &str) -> Option<&ProtocolConf> {
        self.protocols.iter().find(|p| *p.name == *name).or_else(|| self.range_of(name))
    }

    fn range_of(&self, name: &str) -> Option<&ProtocolConf> {
        let is_of = |bgp: &BgpConf| {
            let number = bgp.range.and_then(|_| name.strip_prefix(&*bgp.dynamic_name));
            number.is_some_and(|n| !n.is_empty() && n.bytes().all(|octet| octet.is_ascii_digit()))
        };
        self.protocols.iter().find(|p| matches!(&p.kind, ProtocolKind::Bgp(bgp) if is_of(bgp)))
    }

    /// The table of this sort of authorisations that a channel is attached to when it does not say: the first.
    pub fn default_authorities(&self, of: Authorises) -> Option<Arc<str>> {
        self.roa_tables.iter().find(|t| t.of == of).map(|t| Arc::clone(&t.name))
    }

    /// The tables of authorisations that are tables of the language as others are (2).
    pub fn authorities_of_2(&self) -> impl Iterator<Item = &RoaTableConf> {
        self.roa_tables.iter().filter(|t| t.of != Authorises::Any)
    }

    /// The table that a channel of this family is attached to when it does not say.
    pub fn default_table_of(&self, family: Family) -> Arc<str> {
        let of_family = self.tables.iter().find(|t| t.family == family);
        of_family.map_or_else(|| self.default_table(), |t| Arc::clone(&t.name))
    }
}

/// What a table of authorisations holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authorises {
    /// Origins of prefixes of both families (1.6).
    Any,
    /// Origins of prefixes of one family (2).
    Origins(Family),
    /// Providers (2).
    Providers,
}

impl Authorises {
    /// What a channel to such a table carries, and its family; `None`: there is no such channel.
    pub const fn channel(self) -> Option<(Family, Carries)> {
        match self {
            Self::Any => None,
            Self::Origins(family) => Some((family, Carries::Origins)),
            Self::Providers => Some((Family::Ipv4, Carries::Providers)),
        }
    }
}

/// `roa table`, `roa4 table`, `roa6 table`, `aspa table`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoaTableConf {
    /// Its name.
    pub name: Arc<str>,
    /// What it holds.
    pub of: Authorises,
    /// How many tables of routes are declared before it.
    pub tables_before: usize,
    /// `min settle time`, `max settle time`: how long after a change, and after the first of many, routes are judged anew.
    pub settle: [Duration; 2],
    /// Its entries in the file.
    pub roas: Vec<Roa>,
}

/// A routing table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableConf {
    /// Its name.
    pub name: Arc<str>,
    /// Its family.
    pub family: Family,
    /// `sorted`.
    pub sorted: bool,
}

/// `cli`: a control socket.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CliConf {
    /// Its file.
    pub path: Arc<str>,
    /// `restrict`: its clients may only look.
    pub restrict: bool,
}

/// `listen bgp`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListenBgp {
    /// `None`: any.
    pub address: Option<IpAddr>,
    /// `None`: 179.
    pub port: Option<u16>,
    /// `dual`: a socket of IPv6 takes IPv4 connections too.
    pub dual: bool,
}

/// `debug latency` and `watchdog`: how long the daemon's loops may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LatencyConf {
    /// `debug latency`.
    pub debug: bool,
    /// `debug latency limit`.
    pub limit: Duration,
    /// `watchdog warning`.
    pub warning: Duration,
    /// `watchdog timeout`; `None`: none.
    pub timeout: Option<Duration>,
}

impl Default for LatencyConf {
    fn default() -> Self {
        let (limit, warning) = (Duration::from_secs(1), Duration::from_secs(5));
        Self { debug: false, limit, warning, timeout: None }
    }
}
