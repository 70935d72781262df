//! The configuration, typed: what both dialects become.
//!
//! Where the releases of BIRD *behave* differently, the difference is a named
//! field here, which the dialect only fills with its default. Nobody behind this
//! room asks for the dialect, but for the text of the control socket.

mod bfd;
mod mrt;

pub use bfd::{BfdAuth, BfdConf, BfdInterfaces, BfdMode, BfdNeighbor, BfdOptions, BfdPassword, CivilTime};
pub use mrt::MrtConf;

use filter::{Policy, Span};
use rib_words::LimitAction;
use route::Family;
use route::{Prefix, Roa};
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

/// The words of limits; the same as `rib::batch`'s, which this room may not know.
pub mod rib_words {
    /// What a limit does (`action`).
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    #[expect(missing_docs, reason = "each is the word of bird.conf")]
    pub enum LimitAction {
        Warn,
        Block,
        Restart,
        Disable,
    }
}

/// The language of a configuration, and the release whose text the control socket speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// 1.6: options in the protocol, one family.
    V1,
    /// 2.x and 3.x: options in channels, both families.
    V2,
}

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
    /// The four formats of time.
    pub time: TimeFormats,
    /// `graceful restart wait`.
    pub graceful_restart_wait: Duration,
    /// `debug protocols`: for protocols without a `debug` of their own.
    pub debug_protocols: DebugMask,
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
    /// ROA tables in order of declaration; the first is the one that commands mean.
    pub roa_tables: Vec<RoaTableConf>,
    /// Protocol instances in order of declaration.
    pub protocols: Vec<ProtocolConf>,
    /// The symbols, for `show symbols`, `eval` and filters typed on the control socket.
    pub symbols: Arc<Symbols>,
    /// The source files, for errors said later.
    pub files: Vec<filter::span::SourceFile>,
}

impl Config {
    /// A configuration of nothing, with BIRD 1.6.8's defaults.
    pub fn empty(dialect: Dialect, family: Family) -> Self {
        let master = TableConf { name: "master".into(), family, sorted: false };
        Self {
            dialect,
            family,
            one_family: dialect == Dialect::V1,
            links_need_address: dialect == Dialect::V1,
            router_id: None,
            router_id_from: Vec::new(),
            logs: Vec::new(),
            listen: ListenBgp::default(),
            time: TimeFormats::default(),
            graceful_restart_wait: Duration::from_secs(240),
            debug_protocols: DebugMask::default(),
            latency: LatencyConf::default(),
            mrtdump_file: None,
            mrtdump_protocols: MrtMask::default(),
            debug_commands: 0,
            tables: vec![master],
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
}

/// `roa table`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoaTableConf {
    /// Its name.
    pub name: Arc<str>,
    /// Its entries in the file.
    pub roas: Vec<Roa>,
}

/// One entry of `show symbols`.
#[derive(Clone, Debug)]
pub struct SymbolRow {
    /// The name.
    pub name: Arc<str>,
    /// BIRD's word for its kind: `constant`, `routing table`, `protocol`, `filter`, `function`, ...
    pub kind: &'static str,
}

/// The names of a configuration.
#[derive(Debug, Default)]
pub struct Symbols {
    /// All of them, in order of name.
    pub rows: Vec<SymbolRow>,
    /// What they mean in filters and expressions.
    pub meanings: Arc<filter::Symbols>,
}

impl Symbols {
    /// The rows of all that is defined or mentioned.
    pub(crate) fn new(meanings: Arc<filter::Symbols>, mentioned: BTreeSet<Arc<str>>) -> Self {
        let mut rows: Vec<_> =
            meanings.iter().map(|(name, symbol)| SymbolRow { name: name.clone(), kind: symbol.kind.word() }).collect();
        let undefined = mentioned.into_iter().filter(|name| meanings.get(name).is_none());
        rows.extend(undefined.map(|name| SymbolRow { name, kind: "undefined" }));
        rows.sort_by(|a, b| a.name.cmp(&b.name));
        Self { rows, meanings }
    }
}

/// A pattern of `interface` lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IfacePattern {
    /// `-` in front: excludes.
    pub negative: bool,
    /// Shell pattern of the name; `None`: any name.
    pub name: Option<Arc<str>>,
    /// A prefix in which an address must lie.
    pub prefix: Option<Prefix>,
}

/// Patterns as they would be written.
pub(crate) fn pattern_words(patterns: &[IfacePattern]) -> String {
    let word = |p: &IfacePattern| {
        let sign = if p.negative { "-" } else { "" };
        let name = p.name.as_ref().map(|n| format!("\"{n}\"")).unwrap_or_default();
        let prefix = p.prefix.map(|p| p.to_string()).unwrap_or_default();
        let blank = if name.is_empty() || prefix.is_empty() { "" } else { " " };
        format!("{sign}{name}{blank}{prefix}")
    };
    patterns.iter().map(word).collect::<Vec<_>>().join(", ")
}

impl IfacePattern {
    /// Whether a link, with one of its addresses, fits; the sign is not looked at.
    pub fn fits(&self, link: &str, addr: Option<IpAddr>) -> bool {
        let name = self.name.as_ref().is_none_or(|pattern| crate::glob::matches(pattern, link));
        name && self.prefix.is_none_or(|prefix| addr.is_some_and(|addr| prefix.contains(addr)))
    }

    /// What a list says of a link and one of its addresses: the first pattern that fits decides, none fitting is no.
    pub fn chosen(list: &[Self], link: &str, addr: Option<IpAddr>) -> bool {
        list.iter().find(|p| p.fits(link, addr)).is_some_and(|p| !p.negative)
    }
}

/// Where log lines go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogTarget {
    /// The destination.
    pub to: LogDestination,
    /// Bits by class, in BIRD's order.
    pub classes: LogClasses,
}

/// The destination of log lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogDestination {
    /// Standard error.
    Stderr,
    /// Syslog under a name (default: the program's).
    Syslog(Option<Arc<str>>),
    /// A file, appended to.
    File(Arc<str>),
}

/// A set of log classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogClasses(pub u16);

impl LogClasses {
    /// `all`.
    pub const ALL: Self = Self(0x1ff);

    /// These.
    pub fn of(classes: &[LogClass]) -> Self {
        Self(classes.iter().fold(0, |bits, class| bits | 1 << *class as u16))
    }

    /// Whether a class is in it.
    pub const fn has(self, class: LogClass) -> bool {
        self.0 & (1 << class as u16) != 0
    }
}

/// A class of log lines, with the word in front of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the class of its name in BIRD's manual")]
pub enum LogClass {
    Debug,
    Trace,
    Info,
    Remote,
    Warning,
    Error,
    Auth,
    Fatal,
    Bug,
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

/// A `timeformat`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeFormat {
    /// strftime, with `%f` for milliseconds (`%3f`).
    pub format: Arc<str>,
    /// Age in seconds above which the other is used.
    pub limit_s: u32,
    /// The format of older times.
    pub older: Option<Arc<str>>,
}

/// The four formats of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeFormats {
    /// `timeformat route`.
    pub route: TimeFormat,
    /// `timeformat protocol`.
    pub protocol: TimeFormat,
    /// `timeformat base`.
    pub base: TimeFormat,
    /// `timeformat log`.
    pub log: TimeFormat,
}

impl TimeFormat {
    /// Ages up to this are shown by the first format of `iso short`, in seconds.
    pub const SHORT_LIMIT_S: u32 = 20 * 3600;

    /// `iso short`: the time of young ones, the date of old ones.
    pub fn iso_short() -> Self {
        Self { format: "%T".into(), limit_s: Self::SHORT_LIMIT_S, older: Some("%F".into()) }
    }

    /// `old short`: hours and minutes of young ones, month and day of old ones.
    ///
    /// BIRD writes the year alone above 360 days; here month and day stay.
    pub fn old_short() -> Self {
        Self { format: "%R".into(), limit_s: Self::SHORT_LIMIT_S, older: Some("%b%d".into()) }
    }

    /// One format for all ages.
    pub fn plain(format: &str) -> Self {
        Self { format: format.into(), limit_s: 0, older: None }
    }
}

impl Default for TimeFormats {
    fn default() -> Self {
        Self {
            route: TimeFormat::iso_short(),
            protocol: TimeFormat::iso_short(),
            base: TimeFormat::plain("%F %T"),
            log: TimeFormat::plain("%F %T"),
        }
    }
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

/// `debug` classes of a protocol, one bit each in BIRD's order: states 1, routes 2, filters 4, interfaces 8, events 16, packets 32.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DebugMask(pub u32);

impl DebugMask {
    /// `all`.
    pub const ALL: Self = Self(63);
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

/// `mrtdump` classes of a protocol, one bit each: states 1, messages 2.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MrtMask(pub u32);

impl MrtMask {
    /// `all`.
    pub const ALL: Self = Self(3);
}

/// A protocol instance: what all have in common, and its own.
#[derive(Clone, Debug)]
pub struct ProtocolConf {
    /// Its name, given or automatic.
    pub name: Arc<str>,
    /// Where it is declared.
    pub span: Span,
    /// `disabled`.
    pub disabled: bool,
    /// `description`.
    pub description: Option<Arc<str>>,
    /// `router id`.
    pub router_id: Option<Ipv4Addr>,
    /// `debug`.
    pub debug: DebugMask,
    /// `mrtdump`.
    pub mrtdump: MrtMask,
    /// Its attachments to tables: none for device, one in 1.6, several in 2.
    pub channels: Vec<ChannelConf>,
    /// Its own options.
    pub kind: ProtocolKind,
}

impl ProtocolConf {
    /// A protocol without a name and without options.
    pub(crate) fn new(kind: ProtocolKind, debug: DebugMask, mrtdump: MrtMask) -> Self {
        Self {
            name: "".into(),
            span: Span::default(),
            disabled: false,
            description: None,
            router_id: None,
            debug,
            mrtdump,
            channels: Vec::new(),
            kind,
        }
    }
}

/// A channel: what a protocol and a table have to do with each other.
#[derive(Clone, Debug)]
pub struct ChannelConf {
    /// Its family.
    pub family: Family,
    /// The name of the table.
    pub table: Arc<str>,
    /// `preference`.
    pub preference: u32,
    /// `import`.
    pub import: Policy,
    /// `export`.
    pub export: Policy,
    /// `receive limit`.
    pub receive_limit: Option<LimitConf>,
    /// `import limit`.
    pub import_limit: Option<LimitConf>,
    /// `export limit`.
    pub export_limit: Option<LimitConf>,
    /// `import keep filtered`.
    pub keep_filtered: bool,
}

impl ChannelConf {
    /// A channel without options: everything in, nothing out.
    pub(crate) fn new(family: Family, table: Arc<str>, preference: u32) -> Self {
        Self {
            family,
            table,
            preference,
            import: Policy::Accept,
            export: Policy::Reject,
            receive_limit: None,
            import_limit: None,
            export_limit: None,
            keep_filtered: false,
        }
    }
}

/// A limit on routes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitConf {
    /// How many.
    pub routes_max: u32,
    /// And then.
    pub action: LimitAction,
}

/// What each kind of protocol has of its own.
#[derive(Clone, Debug)]
pub enum ProtocolKind {
    /// `protocol device`.
    Device(DeviceConf),
    /// `protocol direct`.
    Direct(DirectConf),
    /// `protocol kernel`.
    Kernel(KernelConf),
    /// `protocol static`.
    Static(StaticConf),
    /// `protocol bgp`.
    Bgp(Box<BgpConf>),
    /// `protocol pipe`.
    Pipe(PipeConf),
    /// `protocol bfd`.
    Bfd(BfdConf),
    /// `protocol mrt`.
    Mrt(MrtConf),
}

impl ProtocolKind {
    /// The table that it has to do with beside those of its channels: `peer table`, `igp table`.
    pub fn other_table(&self) -> Option<&Arc<str>> {
        match self {
            Self::Pipe(pipe) => pipe.peer_table.as_ref(),
            Self::Bgp(bgp) => bgp.igp_table.as_ref(),
            Self::Static(fixed) => fixed.igp_table.as_ref(),
            Self::Device(_) | Self::Direct(_) | Self::Kernel(_) | Self::Bfd(_) | Self::Mrt(_) => None,
        }
    }
}

/// `protocol pipe`. `import` and `export` are seen from the table of its channel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PipeConf {
    /// `peer table`; in a finished configuration always there, and another one than the channel's.
    pub peer_table: Option<Arc<str>>,
    /// `mode`.
    pub mode: PipeMode,
}

/// `mode` of a pipe.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PipeMode {
    /// The best route of each prefix, as the pipe's own.
    Opaque,
    /// Every route, under the protocol that gave it.
    #[default]
    Transparent,
}

/// `protocol device`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceConf {
    /// `scan time`.
    pub scan_time: Duration,
    /// `primary` / `preferred`: for links that match, the prefix of the preferred address.
    pub primary: Vec<(IfacePattern, Prefix)>,
}

impl Default for DeviceConf {
    fn default() -> Self {
        Self { scan_time: Duration::from_secs(60), primary: Vec::new() }
    }
}

/// `protocol direct`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DirectConf {
    /// `interface` lists in order; empty: every link.
    pub interfaces: Vec<IfacePattern>,
    /// `check link`.
    pub check_link: bool,
}

/// Which foreign routes of the kernel are learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Learn {
    /// None.
    Off,
    /// Those that other programs made (`learn`).
    Alien,
    /// Also those that the kernel made itself (`learn all`).
    All,
}

/// `protocol kernel`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KernelConf {
    /// `kernel table`; 254 is main.
    pub table: u32,
    /// `metric`; `None`: no metric is given and none is compared (1.6's default). 2's default is 32.
    pub metric: Option<u32>,
    /// `learn`.
    pub learn: Learn,
    /// `persist`.
    pub persist: bool,
    /// `scan time`.
    pub scan_time: Duration,
    /// `device routes`: connected networks are installed too.
    pub device_routes: bool,
    /// `graceful restart`.
    pub graceful_restart: bool,
    /// `merge paths`: the largest number of next hops.
    pub merge_paths: Option<u32>,
}

impl Default for KernelConf {
    fn default() -> Self {
        Self {
            table: 254,
            metric: None,
            learn: Learn::Off,
            persist: false,
            scan_time: Duration::from_secs(60),
            device_routes: false,
            graceful_restart: false,
            merge_paths: None,
        }
    }
}

/// `protocol static`.
#[derive(Clone, Debug, Default)]
pub struct StaticConf {
    /// `check link`.
    pub check_link: bool,
    /// `igp table`, the name.
    pub igp_table: Option<Arc<str>>,
    /// The routes in order.
    pub routes: Vec<StaticRoute>,
}

/// One `route`.
#[derive(Clone, Debug)]
pub struct StaticRoute {
    /// The prefix.
    pub net: Prefix,
    /// Where to.
    pub to: StaticDest,
    /// The filter block behind it.
    pub body: Option<Arc<filter::Filter>>,
    /// Where it is written.
    pub span: Span,
}

/// Where a static route leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StaticDest {
    /// `via` gateways; one or several.
    Via(Vec<StaticHop>),
    /// `via "device"`.
    Device(Arc<str>),
    /// `recursive`.
    Recursive(IpAddr),
    /// `blackhole`, `drop`.
    Blackhole,
    /// `unreachable`, `reject`.
    Unreachable,
    /// `prohibit`.
    Prohibit,
}

/// One gateway of a static route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaticHop {
    /// The router.
    pub gateway: IpAddr,
    /// `%'link'` or `dev`.
    pub iface: Option<Arc<str>>,
    /// `weight`, 1 ..= 256.
    pub weight: u16,
    /// `onlink`.
    pub onlink: bool,
    /// `bfd`.
    pub bfd: bool,
}

/// `next hop self|keep`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextHopMode {
    /// By the rules of RFC 4271 5.1.3.
    Default,
    /// Always ours.
    SelfAlways,
    /// Always as received.
    Keep,
}

/// `missing lladdr`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MissingLladdr {
    /// `self`.
    SelfAddr,
    /// `drop`.
    Drop,
    /// `ignore`.
    Ignore,
}

/// `gateway direct|recursive`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GatewayMode {
    /// The next hop is on the link, or else the neighbour itself is taken.
    Direct,
    /// The next hop is looked up in the table.
    Recursive,
}

/// `graceful restart`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestartMode {
    /// `off`.
    Off,
    /// `aware`: keeps routes of peers that restart.
    Aware,
    /// `on`: and restarts itself without losing them.
    On,
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
    /// `neighbor port` / `port`.
    pub peer_port: u16,
    /// `neighbor as N`.
    pub peer_as: u32,
    /// `multihop N`; `None`: the neighbour is on a link. 64 when no number is given.
    pub multihop: Option<u8>,
    /// Incoming connections are matched by remote address alone (1.6) or by both (2).
    pub match_local_addr: bool,
    /// `strict bind`.
    pub strict_bind: bool,
    /// `next hop`.
    pub next_hop: NextHopMode,
    /// `missing lladdr`.
    pub missing_lladdr: MissingLladdr,
    /// `gateway`; the default depends on multihop and internal.
    pub gateway: GatewayMode,
    /// `igp table`, the name.
    pub igp_table: Option<Arc<str>>,
    /// `passive`.
    pub passive: bool,
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
    /// `rr client`.
    pub rr_client: bool,
    /// `rr cluster id`; `None`: the router id.
    pub rr_cluster_id: Option<u32>,
    /// `rs client`.
    pub rs_client: bool,
    /// `hold time`.
    pub hold_time_s: u16,
    /// `startup hold time`.
    pub startup_hold_time_s: u32,
    /// `keepalive time`; `None`: a third of the hold time.
    pub keepalive_time_s: Option<u32>,
    /// `connect retry time`.
    pub connect_retry_time_s: u32,
    /// `connect delay time`.
    pub connect_delay_time_s: u32,
    /// `error wait time`, least and most.
    pub error_wait_time_s: (u32, u32),
    /// `error forget time`.
    pub error_forget_time_s: u32,
    /// `disable after error`.
    pub disable_after_error: bool,
    /// `disable after cease`: a bit per subcode.
    pub disable_after_cease: u32,
    /// `capabilities`.
    pub capabilities: bool,
    /// `enable route refresh`.
    pub route_refresh: bool,
    /// `enable as4`.
    pub as4: bool,
    /// `enable extended messages`.
    pub extended_messages: bool,
    /// `advertise ipv4`: the multiprotocol capability for IPv4.
    pub advertise_ipv4: bool,
    /// `interpret communities`.
    pub interpret_communities: bool,
    /// `allow local as`: how many times.
    pub allow_local_as: u32,
    /// `allow bgp_local_pref`.
    pub allow_local_pref: bool,
    /// `add paths rx`.
    pub add_paths_rx: bool,
    /// `add paths tx`.
    pub add_paths_tx: bool,
    /// `secondary`.
    pub secondary: bool,
    /// `default bgp_med`.
    pub default_med: u32,
    /// `default bgp_local_pref`.
    pub default_local_pref: u32,
    /// `path metric`.
    pub path_metric: bool,
    /// `med metric`.
    pub med_metric: bool,
    /// `deterministic med`.
    pub deterministic_med: bool,
    /// `igp metric`.
    pub igp_metric: bool,
    /// `prefer older`.
    pub prefer_older: bool,
    /// `graceful restart`.
    pub graceful_restart: RestartMode,
    /// `graceful restart time`.
    pub graceful_restart_time_s: u16,
    /// `long lived graceful restart`.
    pub long_lived: RestartMode,
    /// `long lived stale time`.
    pub long_lived_stale_time_s: u32,
    /// The rewrite for the neighbour comes before the export filter (1.6) or after it (2).
    pub rewrite_before_filter: bool,
    /// MED of a route goes to external peers (2) or not (1.6).
    pub med_to_external: bool,
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
            peer_port: 179,
            peer_as: 0,
            multihop: None,
            match_local_addr: false,
            strict_bind: false,
            next_hop: NextHopMode::Default,
            missing_lladdr: MissingLladdr::SelfAddr,
            gateway: GatewayMode::Direct,
            igp_table: None,
            passive: false,
            password: None,
            setkey: true,
            ttl_security: false,
            check_link: false,
            bfd: BfdMode::Off,
            rr_client: false,
            rr_cluster_id: None,
            rs_client: false,
            hold_time_s: 240,
            startup_hold_time_s: 240,
            keepalive_time_s: None,
            connect_retry_time_s: 120,
            connect_delay_time_s: 5,
            error_wait_time_s: (60, 300),
            error_forget_time_s: 300,
            disable_after_error: false,
            disable_after_cease: 0,
            capabilities: true,
            route_refresh: true,
            as4: true,
            extended_messages: false,
            advertise_ipv4: true,
            interpret_communities: true,
            allow_local_as: 0,
            allow_local_pref: false,
            add_paths_rx: false,
            add_paths_tx: false,
            secondary: false,
            default_med: 0,
            default_local_pref: 100,
            path_metric: true,
            med_metric: false,
            deterministic_med: false,
            igp_metric: true,
            prefer_older: false,
            graceful_restart: RestartMode::Aware,
            graceful_restart_time_s: 120,
            long_lived: RestartMode::Aware,
            long_lived_stale_time_s: 3600,
            rewrite_before_filter: true,
            med_to_external: false,
        }
    }
}
