//! One BGP peer: its options, its task, and what the operator sees of it.
//!
//! [`spawn`] starts one task that owns everything of a peer: the machine of
//! RFC 4271 (`fsm`), up to two connections, the octets read and not yet used,
//! and what the tables were told in this peer's name. Others hold a
//! [`PeerHandle`]: commands go in, a [`PeerStatus`] comes out.
//!
//! A spawned peer is `down` until [`PeerHandle::start`]. Whether an option
//! may change under a running session is the daemon's decision; the peer
//! carries out [`PeerHandle::reconfigure`] for those that may, and is stopped
//! and spawned anew for the others.

pub use crate::listen::{LinkPattern, ListenOn, Listener};
pub use crate::liveness::{Manner, Nobody, SharedWatcher, Wanted, Watch, Watcher};
pub use crate::recovery::Recovery;
pub use crate::status::{Announced, Capabilities, ChannelStatus, ErrorClass, LastError, PeerStatus, ProtoState, Timer};
pub use fsm::{Needed, Terms};
pub use rib::export::NextHopRules;
pub use route::aigp::Aigp;
pub use route::options::{
    BfdMode, DebugMask, DecisionRules, GatewayMode, LinkLocalFormat, MissingLladdr, MrtMask, Offer, RestartMode,
    RouteRules, RoutesOf, SessionTimes, Voice,
};
pub use wire::PerFamily;
pub use wire::notification::Numbers;

mod live;
mod task;
mod words;

use crate::clock::Clock;
use crate::dynamic::{self, Dynamic, Place};
use crate::export::Exports;
use crate::listen::Incoming;
use crate::monitor::Monitors;
use crate::mrt::Recorder;
use crate::tables::Tables;
use crate::tcp_ao;
use filter::Policy;
use filter::prefix_set::PrefixSet;
use rib::batch::{Limit, TableEvent};
use route::{AttrSet, ChannelId, Family, Ifaces, Moment, Prefix, ProtocolId, RoaTables, Role, Source, TableId, Vrf};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use tokio::sync::{mpsc, oneshot, watch};

/// `confederation N`, `confederation member`: the confederation in which we are (RFC 5065).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Confederation {
    /// What the world outside takes its members for.
    pub id: u32,
    /// The neighbour is in it, too.
    pub has_peer: bool,
}

/// What a peer is: every option of `protocol bgp`, resolved to numbers and handles.
#[derive(Clone, Debug)]
pub struct PeerSpec {
    /// The name of the protocol instance.
    pub name: Arc<str>,
    /// Its number.
    pub protocol: ProtocolId,
    /// `debug`.
    pub debug: DebugMask,
    /// Whether channels speak in its lines.
    pub voice: Voice,
    /// `mrtdump`.
    pub mrtdump: MrtMask,
    /// Our BGP identifier.
    pub router_id: u32,
    /// Where incoming connections of this peer are awaited (`0.0.0.0:179`); `None`: nowhere.
    pub listen: Option<SocketAddr>,
    /// On which links they are awaited.
    pub listen_on: ListenOn,
    /// `free bind`: the address in `listen` need not be ours yet.
    pub free_bind: bool,
    /// `local [ADDRESS] as N`.
    pub local_as: u32,
    /// `local ADDRESS` / `source address`; `None`: our address on the neighbour's link, or the kernel's choice.
    pub local_addr: Option<IpAddr>,
    /// The source port of outgoing connections; `None`: any.
    pub local_port: Option<u16>,
    /// `neighbor ADDRESS`.
    pub peer_addr: IpAddr,
    /// `neighbor ADDRESS%LINK` or `interface`.
    pub iface: Option<Arc<str>>,
    /// `onlink`: the neighbour is on the link of `iface` whatever its address is, and so are its next hops.
    pub onlink: bool,
    /// `vrf`: it sees the links in it alone, and its sockets are bound to its device; `None`: it sees all links.
    pub vrf: Option<Vrf>,
    /// `neighbor port`.
    pub peer_port: u16,
    /// `neighbor as N`; with `external` and no number that of the session, 0 without one.
    pub peer_as: u32,
    /// `neighbor external` without a number: any AS but ours.
    pub any_external: bool,
    /// `neighbor range PREFIX`, and those who called from there.
    pub dynamic: Dynamic,
    /// `multihop N`; `None`: the neighbour is on a link.
    pub multihop: Option<u8>,
    /// Incoming connections are matched by remote address alone (false, 1.6) or by both.
    pub match_local_addr: bool,
    /// `passive`.
    pub passive: bool,
    /// `password`.
    pub password: Option<Arc<str>>,
    /// `keys`: those of TCP-AO; empty without it. No two have the same identifier.
    pub ao_keys: Arc<[route::tcp_ao::Key]>,
    /// `ttl security`.
    pub ttl_security: bool,
    /// `check link`.
    pub check_link: bool,
    /// `bfd`.
    pub liveness: BfdMode,
    /// `restart time`: a limit that restarts the session earlier than this after the last time disables it; 0: never.
    pub restart_least_ms: u64,
    /// `bfd { OPTIONS }`.
    pub liveness_manner: Option<Manner>,
    /// `confederation N`, `confederation member`.
    pub confederation: Option<Confederation>,
    /// `rr client`.
    pub rr_client: bool,
    /// `rr cluster id`, or the router id.
    pub cluster_id: u32,
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
    pub terms: Terms,
    /// `advertise hostname`: the name that is told.
    pub hostname: Option<Arc<str>>,
    /// `tx size warning`: from how many octets on that wait to be sent the log is told; 0: never.
    pub tx_size_warning: u32,
    /// Which routes are taken and told.
    pub rules: RouteRules,
    /// `path metric`, `default bgp_med` and their like.
    pub decision: DecisionRules,
    /// Its attachments to tables, at most one a family.
    pub channels: Vec<PeerChannel>,
}

impl PeerSpec {
    /// A session between an AS with a BGP identifier, and a neighbour's address with its AS; everything else as
    /// BIRD 1.6 has it by default, and no channel.
    pub fn new(name: Arc<str>, protocol: ProtocolId, local: (u32, u32), peer: (IpAddr, u32)) -> Self {
        let ((local_as, router_id), (peer_addr, peer_as)) = (local, peer);
        Self {
            name,
            protocol,
            debug: DebugMask::default(),
            voice: Voice::default(),
            mrtdump: MrtMask::default(),
            router_id,
            listen: None,
            listen_on: ListenOn::All,
            free_bind: false,
            local_as,
            local_addr: None,
            local_port: None,
            peer_addr,
            iface: None,
            onlink: false,
            vrf: None,
            peer_port: 179,
            peer_as,
            any_external: false,
            dynamic: Dynamic::No,
            multihop: None,
            match_local_addr: false,
            passive: false,
            password: None,
            ao_keys: Arc::default(),
            ttl_security: false,
            check_link: false,
            liveness: BfdMode::Off,
            restart_least_ms: 0,
            liveness_manner: None,
            confederation: None,
            rr_client: false,
            cluster_id: router_id,
            rs_client: false,
            times: SessionTimes::default(),
            disable_after_error: false,
            disable_after_cease: 0,
            offer: Offer::default(),
            terms: Terms::default(),
            hostname: None,
            tx_size_warning: 0,
            rules: RouteRules::default(),
            decision: DecisionRules::default(),
            channels: Vec::new(),
        }
    }

    /// Both ends in one AS.
    pub fn is_internal(&self) -> bool {
        self.local_as == self.peer_as
    }

    /// We are in a confederation, and the neighbour is in it, too: in our AS or in another one.
    pub fn is_confederated(&self) -> bool {
        self.confederation.is_some_and(|c| c.has_peer || self.is_internal())
    }

    /// Both ends in one AS, or in one confederation.
    pub fn is_interior(&self) -> bool {
        self.is_internal() || self.is_confederated()
    }

    /// Our AS as the neighbour knows it: outside our confederation that is the confederation's number (RFC 5065 4).
    pub fn public_as(&self) -> u32 {
        self.confederation.filter(|_| !self.is_interior()).map_or(self.local_as, |c| c.id)
    }

    /// Our role (RFC 9234), which we have towards other ASes only.
    pub fn role(&self) -> Option<Role> {
        self.terms.role.filter(|_| !self.is_internal())
    }
}

/// A peer's attachment to one table.
#[derive(Clone, Debug)]
pub struct PeerChannel {
    /// The family; the table's too.
    pub family: Family,
    /// Its number.
    pub channel: ChannelId,
    /// The table.
    pub table: TableId,
    /// The name of the table, for the log.
    pub table_name: Arc<str>,
    /// `igp table`: where next hops of a family are looked up.
    pub igp_tables: PerFamily<TableId>,
    /// `preference`.
    pub preference: u32,
    /// `next hop self`, `next hop keep`, `link local next hop format`.
    pub next_hop: NextHopRules,
    /// `next hop address`; `None`: our address on the session, or on its link.
    pub next_hop_address: Option<IpAddr>,
    /// `next hop prefer local`: of a received next hop with two addresses the link-local one is the gateway.
    pub prefer_link_local: bool,
    /// A next hop that lies on no link of ours makes a route invalid (2), or the neighbour stands in for it (1.6).
    pub strict_next_hop: bool,
    /// `missing lladdr`.
    pub missing_lladdr: MissingLladdr,
    /// `aigp`.
    pub aigp: Aigp,
    /// `gateway`.
    pub gateway: GatewayMode,
    /// `add paths rx`.
    pub add_paths_rx: bool,
    /// `add paths tx`.
    pub add_paths_tx: bool,
    /// `secondary`.
    pub secondary: bool,
    /// `import table`: all that is received is kept, and judged again from there.
    pub import_table: bool,
    /// `export table`: all that is told is kept.
    pub export_table: bool,
    /// `cost` of a next hop that is not looked up; 0: none.
    pub cost: u32,
    /// `mandatory`.
    pub mandatory: bool,
    /// `require extended next hop`.
    pub require_extended_next_hop: bool,
    /// `require add paths`.
    pub require_add_paths: bool,
    /// What restarts mean for this family.
    pub restart: ChannelRestart,
    /// `debug` of the channel; what the peer's asks for is traced too.
    pub debug: DebugMask,
    /// `import`.
    pub import: Policy,
    /// `export`.
    pub export: Policy,
    /// `import keep filtered`.
    pub keep_filtered: bool,
    /// `receive limit`.
    pub receive_limit: Option<Limit>,
    /// `import limit`.
    pub import_limit: Option<Limit>,
    /// `export limit`.
    pub export_limit: Option<Limit>,
}

impl PeerChannel {
    /// An attachment of a family to a table that is its own IGP table, called `master`; everything else as BIRD 1.6
    /// has it by default, and all routes accepted both ways.
    pub fn new(family: Family, channel: ChannelId, table: TableId) -> Self {
        Self {
            family,
            channel,
            table,
            table_name: "master".into(),
            igp_tables: PerFamily { ipv4: table, ipv6: table },
            preference: 100,
            next_hop: NextHopRules::default(),
            next_hop_address: None,
            prefer_link_local: false,
            strict_next_hop: false,
            missing_lladdr: MissingLladdr::SelfAddr,
            aigp: Aigp::Unknown,
            gateway: GatewayMode::Direct,
            add_paths_rx: false,
            add_paths_tx: false,
            secondary: false,
            import_table: false,
            export_table: false,
            cost: 0,
            mandatory: false,
            require_extended_next_hop: false,
            require_add_paths: false,
            restart: ChannelRestart::default(),
            debug: DebugMask::default(),
            import: Policy::Accept,
            export: Policy::Accept,
            keep_filtered: false,
            receive_limit: None,
            import_limit: None,
            export_limit: None,
        }
    }
}

/// What restarts of both sides mean for one family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChannelRestart {
    /// We restart without losing its routes (RFC 4724), where [`Offer::graceful_restart`] is not off.
    pub able: bool,
    /// ... and may be gone for long (RFC 9494), where [`Offer::long_lived`] is not off.
    pub long_lived: bool,
    /// `long lived stale time` that we announce.
    pub stale_time_s: u32,
    /// The least and the most of what the neighbour announces that counts.
    pub stale_bounds_s: (u32, u32),
}

impl Default for ChannelRestart {
    fn default() -> Self {
        Self { able: false, long_lived: false, stale_time_s: 3600, stale_bounds_s: (0, u32::MAX) }
    }
}

/// What all peers share.
#[derive(Clone)]
pub struct Deps {
    /// The tables.
    pub tables: Tables,
    /// The export groups.
    pub exports: Exports,
    /// The listening sockets.
    pub listener: Listener,
    /// Links and addresses.
    pub ifaces: watch::Receiver<Arc<Ifaces>>,
    /// ROA tables.
    pub roas: watch::Receiver<Arc<RoaTables>>,
    /// Where records of `mrtdump` go.
    pub recorder: Recorder,
    /// Where monitoring stations listen.
    pub monitors: Monitors,
    /// The clock.
    pub clock: Clock,
    /// The next number of a source; shared by all protocols of the daemon.
    pub sources: Arc<AtomicU32>,
    /// Our own graceful restart.
    pub recovery: Recovery,
    /// Who makes members of ranges.
    pub dynamic: dynamic::Ear,
    /// Who watches neighbours with `bfd`.
    pub watcher: SharedWatcher,
}

/// Why a peer is stopped: what the neighbour is told, and what comes after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopReason {
    /// `disable`: Cease 2; stays down.
    Disable,
    /// `restart`: Cease 4; starts again at once.
    Restart,
    /// The daemon ends: Cease 2; stays down.
    Down,
    /// The configuration changed in a way that needs a new session: Cease 6; stays down.
    Reconfigure,
    /// It changed so, and what stands goes on in a new session at once: Cease 6.
    Renew,
    /// The protocol is no longer configured: Cease 3; stays down.
    Deconfigured,
    /// The daemon ends or starts anew and the peer shall keep our routes: the connection is closed without a word (RFC 4724 4.1).
    GracefulRestart,
}

/// What to do with the routes that stand, when options of channels change: by family.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Refilter {
    /// The import side must see all routes anew: the peer is asked for them.
    pub import: PerFamily<bool>,
    /// The export side must judge all routes anew.
    pub export: PerFamily<bool>,
}

pub(crate) enum Command {
    Start,
    Adopt(Incoming, Place),
    Stop {
        reason: StopReason,
        message: Option<Arc<str>>,
        done: oneshot::Sender<()>,
    },
    ReloadIn(Option<Family>),
    /// What was kept of these prefixes.
    ReloadKept(Family, Arc<PrefixSet>),
    ReloadOut,
    Reconfigure {
        spec: Box<PeerSpec>,
        refilter: Refilter,
        done: oneshot::Sender<bool>,
    },
    Received {
        family: Family,
        which: WhichReceived,
        rows_max: usize,
        answer: oneshot::Sender<Vec<ReceivedRow>>,
    },
    TcpAo(oneshot::Sender<Option<tcp_ao::Seen>>),
    Debug(DebugMask),
    DebugChannel(Family, DebugMask),
    MrtDump(MrtMask),
    Event(TableEvent),
}

/// Which received routes are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhichReceived {
    /// Those behind this prefix and path identifier, in order; `None`: from the first on.
    Behind(Option<(Prefix, u32)>),
    /// Those to this prefix.
    Exact(Prefix),
    /// Those to the longest prefix that covers this one.
    Covering(Prefix),
}

/// A route as it was received, before the import filter.
#[derive(Clone, Debug)]
pub struct ReceivedRow {
    /// The prefix.
    pub net: Prefix,
    /// The attributes.
    pub attrs: AttrSet,
    /// Who gave it.
    pub source: Arc<Source>,
    /// When it came.
    pub since: Moment,
}

/// A running peer, as the daemon holds it. The task ends when all handles are dropped.
#[derive(Clone, Debug)]
pub struct PeerHandle {
    pub(crate) commands: mpsc::UnboundedSender<Command>,
    /// What the operator sees; changes with every step of the session, not with every second: timers are moments.
    pub status: watch::Receiver<PeerStatus>,
}

impl std::fmt::Debug for Command {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Start => "Start",
            Self::Adopt(..) => "Adopt",
            Self::Stop { .. } => "Stop",
            Self::ReloadIn(_) | Self::ReloadKept(..) => "ReloadIn",
            Self::ReloadOut => "ReloadOut",
            Self::Reconfigure { .. } => "Reconfigure",
            Self::Received { .. } => "Received",
            Self::TcpAo(_) => "TcpAo",
            Self::Debug(_) | Self::DebugChannel(..) => "Debug",
            Self::MrtDump(_) => "MrtDump",
            Self::Event(_) => "Event",
        })
    }
}

impl PeerHandle {
    /// Goes up; nothing happens when it is up already.
    pub fn start(&self) {
        let _ = self.commands.send(Command::Start);
    }

    /// Goes up with a connection that its neighbour has opened: the beginning of a member of a range.
    pub fn adopt(&self, incoming: Incoming, place: Place) {
        let _ = self.commands.send(Command::Adopt(incoming, place));
    }

    /// Goes down, telling the neighbour why. `message` is the shutdown communication of RFC 9003, cut
    /// to 255 octets. The future ends when the NOTIFICATION was written or given up, and the tables know.
    pub async fn stop(&self, reason: StopReason, message: Option<Arc<str>>) {
        let (done, wait) = oneshot::channel();
        let _ = self.commands.send(Command::Stop { reason, message, done });
        let _ = wait.await;
    }

    /// `reload in`: asks the neighbour for its routes. False when it can not be asked (BIRD: `reload failed`).
    pub fn reload_in(&self) -> bool {
        self.ask_again(None)
    }

    /// Likewise, for its routes of one family.
    pub fn reload_in_of(&self, family: Family) -> bool {
        self.ask_again(Some(family))
    }

    fn ask_again(&self, only: Option<Family>) -> bool {
        let can = self.status.borrow().can_refresh;
        if can {
            let _ = self.commands.send(Command::ReloadIn(only));
        }
        can
    }

    /// `reload in ... partial`: judges again what an import table has kept of these prefixes.
    pub fn reload_kept(&self, family: Family, nets: Arc<PrefixSet>) {
        let _ = self.commands.send(Command::ReloadKept(family, nets));
    }

    /// `reload out`: tells the neighbour everything again.
    pub fn reload_out(&self) {
        let _ = self.commands.send(Command::ReloadOut);
    }

    /// New options that a running session can take over. False: it could not (the neighbour can not be
    /// asked for its routes), and the session must be restarted.
    pub async fn reconfigure(&self, spec: PeerSpec, refilter: Refilter) -> bool {
        let (done, wait) = oneshot::channel();
        let _ = self.commands.send(Command::Reconfigure { spec: Box::new(spec), refilter, done });
        wait.await.unwrap_or(false)
    }

    /// Routes as they were received, of a channel with `import table`. Empty: there are none, or no session.
    pub async fn received(&self, family: Family, which: WhichReceived, rows_max: usize) -> Vec<ReceivedRow> {
        let (answer, answered) = oneshot::channel();
        let _ = self.commands.send(Command::Received { family, which, rows_max, answer });
        answered.await.unwrap_or_default()
    }

    /// What the kernel says of the session's keys; `None` without TCP-AO, or a session.
    pub async fn tcp_ao(&self) -> Option<tcp_ao::Seen> {
        let (answer, answered) = oneshot::channel();
        let _ = self.commands.send(Command::TcpAo(answer));
        answered.await.ok().flatten()
    }

    /// `debug`: a new mask.
    pub fn debug(&self, mask: DebugMask) {
        let _ = self.commands.send(Command::Debug(mask));
    }

    /// `debug NAME.CHANNEL`: a new mask of one channel.
    pub fn debug_channel(&self, family: Family, mask: DebugMask) {
        let _ = self.commands.send(Command::DebugChannel(family, mask));
    }

    /// `mrtdump`: a new mask.
    pub fn mrtdump(&self, mask: MrtMask) {
        let _ = self.commands.send(Command::MrtDump(mask));
    }

    /// A table or an export group has something to say about a channel of this peer.
    pub fn table_event(&self, event: TableEvent) {
        let _ = self.commands.send(Command::Event(event));
    }
}

/// Starts the task of a peer. It is `down` until [`PeerHandle::start`]. Must be called inside the runtime.
pub fn spawn(spec: PeerSpec, deps: Deps) -> PeerHandle {
    let (commands, inbox) = mpsc::unbounded_channel();
    let (seen, status) = watch::channel(PeerStatus::default());
    let task = task::Task::new(spec, deps, seen);
    tokio::spawn(task.run(inbox));
    PeerHandle { commands, status }
}
