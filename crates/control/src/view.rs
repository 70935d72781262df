//! What the daemon answers: plain values, complete enough for every layout.
//!
//! Times are [`Moment`]s; a layout turns them into text by the running
//! configuration's formats. Words of the protocols (states, capabilities,
//! errors) come as the protocols say them; columns, labels and codes belong to
//! the layout.

mod bfd;

pub use bfd::{BfdDetail, BfdPace, BfdSessionView};

use conf::channel_word;
use conf::config::{ChannelConf, StaticDest};
use rib::batch::{Limit, LimitAction, ResolvedHop};
use rib::query::{Page, PagePath};
use rib::stats::{ExportStats, ImportStats, RouteCounts};
use route::{AttrSet, Customer, Family, Iface, Moment, Prefix, Roa, Source, Vrf};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

/// `show status`.
#[derive(Clone, Debug)]
pub struct StatusView {
    /// The router id in use.
    pub router_id: Ipv4Addr,
    /// The machine's name; printed by 2 only.
    pub hostname: Arc<str>,
    /// When the daemon started.
    pub started: Moment,
    /// When the running configuration was read. After an undo: when *that* one was.
    pub configured: Moment,
    /// Recovery after a restart with `-R`, while it lasts.
    pub recovery: Option<RecoveryView>,
    /// What the daemon is doing.
    pub phase: Phase,
}

/// What the daemon is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Its work.
    Running,
    /// Carrying out a configuration.
    Reconfiguring,
    /// Stopping.
    Stopping,
}

/// Graceful restart of the daemon, under way.
#[derive(Clone, Copy, Debug)]
pub struct RecoveryView {
    /// Protocols (2: channels) that are waited for.
    pub waiting: u32,
    /// Until nobody is waited for any more; `graceful restart wait` in all.
    pub timer: Timer,
}

/// `show memory`, in octets.
#[derive(Clone, Copy, Debug, Default)]
pub struct MemoryView {
    /// Prefixes and paths, their index, what is not told yet.
    pub tables: u64,
    /// Attribute sets with their index, next hops.
    pub attributes: u64,
    /// ROA tables.
    pub roa: u64,
    /// The text of the configuration, which is kept.
    pub config: u64,
    /// All the rest of the process: sessions, groups, the program itself.
    pub protocols: u64,
    /// All of the process.
    pub total: u64,
}

/// A link with what BIRD says of it.
#[derive(Clone, Debug)]
pub struct InterfaceView {
    /// The link with its addresses.
    pub iface: Iface,
    /// The name of its master device, when it has one.
    pub master: Option<Arc<str>>,
    /// The addresses that stand for the link, at most one a family: chosen by `primary` of the device protocol, else BIRD's choice.
    pub primary: Vec<IpAddr>,
}

/// One protocol.
#[derive(Clone, Debug)]
pub struct ProtocolView {
    /// Its name.
    pub name: Arc<str>,
    /// Its kind.
    pub kind: Kind,
    /// The table it is attached to (1.6: also for those that use none).
    pub table: Option<Arc<str>>,
    /// `up`, `down`, `start`, `stop`, `wait`, `feed`, `flush`.
    pub state: &'static str,
    /// When that state began.
    pub since: Moment,
    /// The last column.
    pub info: Info,
    /// More, when it was asked for.
    pub detail: Option<Box<ProtocolDetail>>,
}

/// Kinds of protocol, with BIRD's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the protocol of its name")]
pub enum Kind {
    Device,
    Direct,
    Kernel,
    Static,
    Bgp,
    Pipe,
    Bfd,
    Mrt,
    Bmp,
    Ospf,
    Rip,
    Babel,
    Rpki,
    Aggregator,
}

impl Kind {
    /// The word in the `proto` column and in messages.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Device => "Device",
            Self::Direct => "Direct",
            Self::Kernel => "Kernel",
            Self::Static => "Static",
            Self::Bgp => "BGP",
            Self::Pipe => "Pipe",
            Self::Bfd => "BFD",
            Self::Mrt => "MRT",
            Self::Bmp => "BMP",
            Self::Ospf => "OSPF",
            Self::Rip => "RIP",
            Self::Babel => "Babel",
            Self::Rpki => "RPKI",
            Self::Aggregator => "Aggregator",
        }
    }
}

/// What stands in the last column of `show protocols`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Info {
    /// Nothing.
    Nothing,
    /// BGP: state and last error (`Socket: Connection refused`), empty when there is none.
    /// A protocol that is down shows the error alone.
    Bgp {
        /// `Idle` ... `Established`, `Passive`, `Down`.
        state: &'static str,
        /// Without padding.
        error: Arc<str>,
    },
    /// The two tables of a pipe.
    Pipe {
        /// Its own.
        table: Arc<str>,
        /// The other.
        peer: Arc<str>,
        /// It hides where routes come from (1.6).
        opaque: bool,
    },
    /// Whatever another protocol says of itself.
    Text(Arc<str>),
}

/// `show protocols all`, beyond the row.
#[derive(Clone, Debug)]
pub struct ProtocolDetail {
    /// `description`.
    pub description: Option<Arc<str>>,
    /// The message given with the last `enable`, `disable` or `restart`.
    pub message: Option<Arc<str>>,
    /// `router id` of the protocol, when it has its own.
    pub router_id: Option<Ipv4Addr>,
    /// `vrf`.
    pub vrf: Option<Vrf>,
    /// Its channels; exactly one in 1.6, for device too.
    pub channels: Vec<ChannelView>,
    /// What only BGP has.
    pub bgp: Option<Box<BgpView>>,
    /// What only RPKI has.
    pub rpki: Option<Box<RpkiView>>,
    /// What only BMP has, while it is up.
    pub bmp: Option<Box<BmpView>>,
}

/// The connection to a monitoring station. Amounts are octets.
#[derive(Clone, Debug)]
pub struct BmpView {
    /// Where it is; always there.
    pub station_addr: Option<IpAddr>,
    /// Its port.
    pub station_port: u16,
    /// `local address`.
    pub local_addr: Option<IpAddr>,
    /// Why the last connection was lost; empty when there is no reason.
    pub error: Arc<str>,
    /// What waits for it.
    pub pending: u64,
    /// How much may wait.
    pub limit: u64,
    /// What it was sent since it is connected.
    pub sent: u64,
    /// What it was sent ever.
    pub sent_ever: u64,
}

/// A protocol's attachment to a table.
#[derive(Clone, Debug)]
pub struct ChannelView {
    /// `ipv4` or `ipv6`; empty for what 1.6 prints of a protocol without channels. Printed by 2 only.
    pub name: &'static str,
    /// The table.
    pub table: Arc<str>,
    /// The other table of a pipe.
    pub peer_table: Option<Arc<str>>,
    /// `UP`, `START`, `DOWN`; printed by 2 only.
    pub state: &'static str,
    /// `preference`.
    pub preference: u32,
    /// `import`; printed by name.
    pub import: filter::Policy,
    /// `export`; printed by name.
    pub export: filter::Policy,
    /// Waits in graceful restart recovery: `pending` (has not asked to be waited for) or not, `waiting` or not.
    pub recovery: Option<ChannelRecovery>,
    /// `receive limit`.
    pub receive_limit: Option<LimitView>,
    /// `import limit`.
    pub import_limit: Option<LimitView>,
    /// `export limit`.
    pub export_limit: Option<LimitView>,
    /// Counters; `None` while the protocol is down, and of a pipe.
    pub routes: Option<RoutesView>,
    /// Counters of a pipe that is up.
    pub pipe: Option<PipeView>,
    /// Its neighbour restarts, and the table keeps what it told; printed by 2 only, which counts for each channel.
    pub restart: Option<RestartView>,
    /// What we tell as next hop of our own, global and link-local; printed by 2 only.
    pub next_hop: Option<(IpAddr, Option<IpAddr>)>,
    /// The tables that answer recursive next hops; printed by 2 only.
    pub igp_tables: Vec<(Family, Arc<str>)>,
}

impl ChannelView {
    /// A channel as far as its options say: no limit was passed, and nothing is counted.
    pub fn of(conf: &ChannelConf, state: &'static str) -> Self {
        Self {
            name: channel_word(conf.family, conf.carries),
            table: Arc::clone(&conf.table),
            peer_table: None,
            state,
            preference: conf.preference,
            import: conf.import.clone(),
            export: conf.export.clone(),
            recovery: None,
            receive_limit: LimitView::of(conf.receive_limit, false),
            import_limit: LimitView::of(conf.import_limit, false),
            export_limit: LimitView::of(conf.export_limit, false),
            routes: None,
            pipe: None,
            restart: None,
            next_hop: None,
            igp_tables: Vec::new(),
        }
    }
}

/// Counters of a pipe, as seen from its own table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PipeView {
    /// From the peer table.
    pub import: PipeWay,
    /// Into the peer table.
    pub export: PipeWay,
}

/// One direction of a pipe.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PipeWay {
    /// Routes that stand.
    pub routes: u32,
    /// What the table that is read offered, and how it was judged.
    pub offered: ExportStats,
    /// What became of it in the other table.
    pub taken: ImportStats,
}

/// The two words of `GR recovery`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChannelRecovery {
    /// The protocol holds the lock.
    pub pending: bool,
    /// Its state is `wait`.
    pub waiting: bool,
}

/// A limit and whether it was passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitView {
    /// How many.
    pub routes_max: u32,
    /// And then.
    pub action: LimitAction,
    /// It happened.
    pub hit: bool,
}

impl LimitView {
    /// The view of a limit, if there is one.
    pub fn of(limit: Option<Limit>, hit: bool) -> Option<Self> {
        limit.map(|Limit { routes_max, action }| Self { routes_max, action, hit })
    }
}

/// `Routes:` and `Route change stats:` of one channel.
#[derive(Clone, Copy, Debug)]
pub struct RoutesView {
    /// What stands now.
    pub counts: RouteCounts,
    /// `import keep filtered`: the number of filtered routes is printed.
    pub keep_filtered: bool,
    /// Import side.
    pub import: ImportStats,
    /// Export side.
    pub export: ExportStats,
}

/// The BGP block of `show protocols all`. Lines stand in BIRD's order; what is `None` has no line.
#[derive(Clone, Debug)]
pub struct BgpView {
    /// `Idle` ... `Established`, `Passive`, `Down`.
    pub state: &'static str,
    /// The neighbour.
    pub peer_addr: IpAddr,
    /// The link, printed behind link-local addresses.
    pub iface: Option<Arc<str>>,
    /// `onlink`.
    pub onlink: bool,
    /// Neighbours are awaited in this range.
    pub range: Option<Prefix>,
    /// The neighbour's AS; 0: any.
    pub peer_as: u32,
    /// Ours; printed by 2 only.
    pub local_as: u32,
    /// The neighbour restarts, its routes are kept.
    pub restart: Option<RestartView>,
    /// Error wait.
    pub error_wait: Option<Timer>,
    /// Until the next attempt to connect, in state Active.
    pub connect_delay: Option<Timer>,
    /// While established.
    pub session: Option<SessionView>,
    /// The last error, empty when there is none.
    pub error: Arc<str>,
}

/// A peer that restarts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RestartView {
    /// In its long-lived phase.
    pub long_lived: bool,
    /// Milliseconds left, when a timer runs.
    pub remaining_ms: Option<u64>,
}

/// A running timer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timer {
    /// Left, in milliseconds: 2 prints them, 1.6 whole seconds.
    pub remaining_ms: u64,
    /// Of so many seconds.
    pub total_s: u32,
}

/// What one side of a session said that it can do, in the terms of an OPEN; families by BIRD's names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CapabilitiesView {
    /// Families (RFC 4760), in the order announced.
    pub families: Vec<&'static str>,
    /// RFC 2918.
    pub route_refresh: bool,
    /// Families whose routes may have IPv6 next hops (RFC 8950).
    pub extended_next_hop: Vec<&'static str>,
    /// RFC 8654.
    pub extended_messages: bool,
    /// RFC 4724.
    pub restart: Option<RestartCapability>,
    /// RFC 6793.
    pub as4: bool,
    /// Families in which several paths are received, and sent (RFC 7911).
    pub add_path: Option<[Vec<&'static str>; 2]>,
    /// RFC 7313.
    pub enhanced_refresh: bool,
    /// RFC 9494, with the greatest stale time in seconds.
    pub long_lived: Option<(KeptFamilies, u32)>,
    /// The name of the machine (draft-walton-bgp-hostname-capability).
    pub hostname: Option<Arc<str>>,
    /// RFC 9234, BIRD's word.
    pub role: Option<&'static str>,
}

/// Graceful restart (RFC 4724) as announced.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RestartCapability {
    /// The speaker has just restarted.
    pub is_recovering: bool,
    /// How soon it means to be back, in seconds.
    pub time_s: u32,
    /// For which families.
    pub families: KeptFamilies,
}

/// Families for which a restart is gone through, and those among them whose forwarding goes on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeptFamilies {
    /// All of them.
    pub supported: Vec<&'static str>,
    /// Those with the F bit.
    pub preserved: Vec<&'static str>,
}

/// An established session.
#[derive(Clone, Debug)]
pub struct SessionView {
    /// The neighbour's BGP identifier.
    pub peer_id: Ipv4Addr,
    /// `refresh`, `enhanced-refresh`, `restart-aware`, ... in BIRD's order; printed by 1.6 only.
    pub caps: Vec<&'static str>,
    /// What we announced; printed by 2 only, as is what the neighbour did.
    pub ours: CapabilitiesView,
    /// What the neighbour announced.
    pub theirs: CapabilitiesView,
    /// `external`, `multihop`, `AS4`, ... in BIRD's order.
    pub words: Vec<&'static str>,
    /// Our address, as configured or chosen.
    pub source_addr: IpAddr,
    /// The old `route limit`: routes, most.
    pub route_limit: Option<(u32, u32)>,
    /// Until the peer is taken for dead; 0/0 without.
    pub hold: Timer,
    /// Until our next KEEPALIVE; 0/0 without.
    pub keepalive: Timer,
    /// Until a neighbour that takes nothing is given up; 0/0 without. `None`: nobody asked for a time (`send hold time`).
    pub send_hold: Option<Timer>,
    /// What the kernel says of its keys, when it is signed with such.
    pub tcp_ao: Option<TcpAoView>,
}

/// The keys of TCP-AO on a session's connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TcpAoView {
    /// The one with which we sign, by its `send id`.
    pub current: Option<u8>,
    /// The one that we ask for, by its `recv id`.
    pub rnext: Option<u8>,
    /// Segments whose signature was right.
    pub good: u64,
    /// Segments whose signature was wrong.
    pub bad: u64,
}

/// What happened to one protocol of an `enable`, `disable`, `restart` or `reload`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActionRow {
    /// Which.
    pub name: Arc<str>,
    /// What.
    pub did: Did,
}

/// The outcomes of an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Did {
    /// `enable`.
    Enabled,
    /// `enable` of one that is.
    AlreadyEnabled,
    /// `disable`.
    Disabled,
    /// `disable` of one that is; also `restart` and `reload` of a disabled one.
    AlreadyDisabled,
    /// `restart`.
    Restarted,
    /// `reload`.
    Reloading,
    /// `reload` of one that cannot.
    ReloadFailed,
    /// `reload` of one that is not up: nothing, and nothing is said.
    NotUp,
    /// `reload ... partial` of a channel that can only be reloaded whole (2).
    PartialRefused,
}

/// Where a static route leads.
#[derive(Clone, Debug)]
pub enum StaticTo {
    /// A destination.
    Way(StaticDest),
    /// Nowhere: it authorises (2).
    Authority(Roa),
    /// Nowhere: it says who carries on the routes of this AS (2).
    Providers(Customer),
}

/// A session with an RPKI cache server.
#[derive(Clone, Debug)]
pub struct RpkiView {
    /// Its address or name.
    pub server: Arc<str>,
    /// When it is not the usual one.
    pub port: Option<u16>,
    /// `Established` and the like.
    pub status: &'static str,
    /// `Unprotected over TCP`, `TCP-MD5`.
    pub transport: &'static str,
    /// Of the protocol.
    pub version: u8,
    /// The server's number of the session.
    pub session: Option<u16>,
    /// The server's number of what is known, and how many milliseconds ago it was told.
    pub known: Option<(u32, u64)>,
    /// Refresh, retry and expire: while they run.
    pub timers: [Option<Timer>; 3],
}

/// One route of a static protocol.
#[derive(Clone, Debug)]
pub struct StaticRow {
    /// The prefix.
    pub net: Prefix,
    /// Where to.
    pub to: StaticTo,
    /// Not in the table now: its gateway is on no link, its device is down. One entry; for several gateways one for each.
    pub dormant: Vec<bool>,
}

/// A thread of the process.
#[derive(Clone, Debug)]
pub struct ThreadView {
    /// What it is called: what runs on it.
    pub name: String,
    /// How long it has worked, milliseconds.
    pub working_ms: u64,
    /// How long the kernel has worked for it, milliseconds.
    pub overhead_ms: u64,
    /// How long it has been there, milliseconds.
    pub age_ms: u64,
}

/// What came of a `configure` and its kin.
#[derive(Clone, Debug)]
pub struct ConfigureReport {
    /// The file that was read, as it was given; `None` for undo and confirm.
    pub file: Option<Arc<str>>,
    /// The undo timer that now runs, in seconds.
    pub undo_s: Option<u32>,
    /// The end.
    pub outcome: ConfigureOutcome,
}

/// The ends of a `configure`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigureOutcome {
    /// `check`: no error; what a `configure` would do, a line for each thing that changes.
    Fine(Vec<String>),
    /// It runs.
    Done,
    /// It runs as soon as some protocols have stopped.
    InProgress,
    /// Another one is in progress; this one comes next.
    Queued,
    /// Undo of one that was queued.
    Unqueued,
    /// The daemon stops.
    Stopping,
    /// The undo timer is stopped.
    Confirmed,
    /// Undo or confirm of nothing.
    Nothing,
    /// The file is wrong; each text is `FILE:LINE:COL message`, the worst first. Nothing changed.
    Wrong(Vec<String>),
}

/// A piece of the answer to `show route`.
#[derive(Clone, Debug)]
pub enum RouteItem {
    /// The following nets are of this table. Must come first, and once for each table asked.
    Table(Arc<str>),
    /// Nets, ordered by prefix across all pages of a table.
    Nets(RoutePage),
}

/// Prefixes with their paths, and what an export would make of them.
#[derive(Clone, Debug, Default)]
pub struct RoutePage {
    /// As the table has them: all paths in its order, filtered ones included.
    pub page: Page,
    /// When the query has [`crate::request::ExportQuery`]: what became of each path of the page, else empty.
    /// `None`: it is not a candidate (not the best, for a protocol that is told best paths only).
    pub exports: Vec<Option<Exported>>,
    /// For each prefix, whether the kernel refused the best path; printed ` !`. Empty: none of them.
    pub refused: Vec<bool>,
}

/// A prefix of a page.
#[derive(Clone, Copy, Debug)]
pub struct RouteNet<'a> {
    /// The prefix.
    pub net: Prefix,
    /// The kernel refused the best path.
    pub sync_error: bool,
    /// Its paths.
    pub paths: &'a [PagePath],
    /// What became of each; empty when nobody asked.
    pub exports: &'a [Option<Exported>],
    /// The sources that the paths point to.
    pub sources: &'a [Arc<Source>],
}

impl RoutePage {
    /// Its prefixes, in order.
    pub fn nets(&self) -> impl Iterator<Item = RouteNet<'_>> {
        self.page.nets.iter().enumerate().map(|(n, net)| RouteNet {
            net: net.net,
            sync_error: self.refused.get(n).is_some_and(|refused| *refused),
            paths: self.page.paths_of(net),
            exports: self.exports.get(net.paths.start as usize..net.paths.end as usize).unwrap_or_default(),
            sources: &self.page.sources,
        })
    }
}

/// What an export makes of a path.
#[derive(Clone, Debug)]
pub enum Exported {
    /// The protocol does not want it (its own route, a well-known community).
    Vetoed,
    /// Judged.
    Judged {
        /// After the protocol's rewriting and, when a filter ran, as the filter left it.
        attrs: AttrSet,
        /// The filter's verdict, or forced.
        accepted: bool,
        /// The filter has set scope, preference or another field, be it to what was there.
        anew: bool,
    },
    /// `merge paths`: the next hops of several paths together; the other paths of the net are not shown.
    Merged {
        /// As for one.
        attrs: AttrSet,
        /// All of them.
        hop: ResolvedHop,
    },
}
