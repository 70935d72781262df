//! A daemon that is none: it answers requests as router1 of the lab would have, at one moment of its life.
//!
//! Everything that it says is written down here by hand, from the configuration
//! and the topology of the lab, as values; text is made by the code under test.

#![allow(dead_code, reason = "each test file uses a part")]
#![allow(clippy::unwrap_used, reason = "a test that can not go on has failed")]

use conf::config::{Config, DebugMask, RoaTableConf};
use conf::files::Memory;
use conf::{Dialect, LoadOptions};
use filter::Policy;
use rbird_control::request::{
    Action, Change, Choice, Configure, ConfigureStatus, Direction, Nets, Request, RouteQuery,
};
use rbird_control::time::Now;
use rbird_control::view::{
    ActionRow, BgpView, CapabilitiesView, ChannelView, ConfigureOutcome, ConfigureReport, Did, Exported, Info,
    InterfaceView, KeptFamilies, Kind, MemoryView, Phase, ProtocolDetail, ProtocolView, RestartCapability, RouteItem,
    RoutePage, RoutesView, SessionView, StatusView, Timer,
};
use rbird_control::{Control, Echo};
use rib::batch::ResolvedHop;
use rib::query::{PageNet, PagePath, PathView};
use rib::stats::{ExportStats, ImportStats, RouteCounts};
use route::attr::code;
use route::attrs::Local;
use route::hop::Recursive;
use route::iface::{IfaceFlags, Scope};
use route::{
    AttrSet, AttrSetBuilder, BgpSource, Dest, Hop, IfIndex, Iface, IfaceAddr, Moment, Prefix, ProtocolId, Resolved,
    Source, SourceId, SourceKind, Speaker, TableId,
};
use route::{Roa, RoaEntry, RoaOrigin, RoaTable, RoaTables};
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::{mpsc, watch};

pub const CONFIG: &str = include_str!("../reference/router1.conf");
pub const ROUTER2: &str = "192.168.18.2";
pub const KUBEADM1: &str = "192.168.16.101";

/// A control socket with the lab's daemon behind it, in a folder of its own.
pub struct Door {
    pub folder: PathBuf,
    pub echo: Echo,
}

impl Door {
    /// Opens one. The name keeps tests apart.
    pub fn open(name: &str) -> Self {
        Self::with(name, config(CONFIG), answer)
    }

    /// One whose requests are answered by a function.
    pub fn with(name: &str, config: Config, answer: fn(Request, &Config)) -> Self {
        let folder = std::env::temp_dir().join(format!("rbird-control-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let bound = rbird_control::socket::bind(&folder.join("bird.ctl"), None, None).unwrap();
        let (requests, mut inbox) = mpsc::channel(16);
        let (keeper, running) = watch::channel(Arc::new(config));
        let control = Control { config: running, requests, clock: Arc::new(now), version: None };
        let echo = rbird_control::serve(bound, control);
        tokio::spawn(async move {
            while let Some(request) = inbox.recv().await {
                let config = Arc::clone(&keeper.borrow());
                answer(request, &config);
            }
        });
        Self { folder, echo }
    }

    pub fn socket(&self) -> PathBuf {
        self.folder.join("bird.ctl")
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

pub fn config(text: &str) -> Config {
    let options = LoadOptions { dialect: Some(Dialect::V1), ..LoadOptions::default() };
    let files = Memory::new().with("bird.conf", text);
    match conf::load("bird.conf", &files, &options) {
        Ok(loaded) => loaded.config,
        Err(refused) => panic!("{refused:?}"),
    }
}

/// The same daemon with the tables and the language of release 2, as far as the control socket can tell.
pub fn config_v2() -> Config {
    let mut config = config(CONFIG);
    config.dialect = Dialect::V2;
    let mut master6 = config.tables[0].clone();
    config.tables[0].name = "master4".into();
    (master6.name, master6.family) = ("master6".into(), route::Family::Ipv6);
    config.tables.push(master6);
    for channel in config.protocols.iter_mut().flat_map(|p| &mut p.channels) {
        channel.table = "master4".into();
    }
    for format in [&mut config.time.base, &mut config.time.log] {
        format.format = "%F %T%.3f".into();
    }
    for format in [&mut config.time.route, &mut config.time.protocol] {
        format.format = "%T%.3f".into();
    }
    config
}

/// 2026-11-22 12:09:40 on the wall, 16 seconds after the start.
fn now() -> Now {
    let wall = jiff::civil::date(2026, 11, 22).at(12, 9, 40, 0);
    let zoned = wall.to_zoned(jiff::tz::TimeZone::system()).unwrap();
    Now { moment: second(40), unix_ms: zoned.timestamp().as_millisecond() }
}

/// A second of minute 12:09 on the daemon's clock.
const fn second(s: u64) -> Moment {
    Moment(s * 1000)
}

fn addr(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn prefix(text: &str) -> Prefix {
    text.parse().unwrap()
}

/// Answers as router1.
pub fn answer(request: Request, config: &Config) {
    // A client that is gone does not want its answer.
    match request {
        Request::Status(to) => drop(to.send(status())),
        Request::Memory(to) => drop(to.send(memory())),
        Request::Interfaces(to) => {
            let mut rows = interfaces();
            if config.dialect == Dialect::V2 {
                // 2 takes the first address of a link, whatever its scope.
                rows.iter_mut().for_each(|row| row.primary = row.iface.addrs.iter().take(1).map(|a| a.addr).collect());
            }
            drop(to.send(rows));
        }
        Request::Protocols { choice, detail, answer } => {
            let rows = protocols(config).into_iter().filter(|p| choice.takes(&p.name));
            drop(answer.send(rows.map(|p| if detail { p } else { ProtocolView { detail: None, ..p } }).collect()));
        }
        Request::Routes { query, pages } => {
            tokio::spawn(async move {
                for table in &query.tables {
                    let _ = pages.send(RouteItem::Table(table.clone())).await;
                    for net in
                        nets().into_iter().filter(|n| matches!(&**table, "master" | "master4") && is_asked(&query, n))
                    {
                        let page = RouteItem::Nets(page(judged(net, &query)));
                        if pages.send(page).await.is_err() {
                            return;
                        }
                    }
                }
            });
        }
        Request::Static { answer, .. } => drop(answer.send(Vec::new())),
        Request::BfdSessions { answer, .. } => drop(answer.send(None)),
        Request::Act { action, choice, answer, .. } => {
            let rows = protocols(config).into_iter().filter(|p| choice.takes(&p.name));
            drop(answer.send(rows.map(|p| ActionRow { did: acted(action, p.kind), name: p.name }).collect()));
        }
        Request::Configure { file, how, answer } => {
            let undo_s = if let Configure::Load { undo_s, .. } = how { undo_s } else { None };
            let file = file.unwrap_or_else(|| "router1.conf".into());
            let outcome =
                if how == Configure::Check { ConfigureOutcome::Fine(Vec::new()) } else { ConfigureOutcome::Done };
            drop(answer.send(ConfigureReport { file: Some(file), undo_s, outcome }));
        }
        Request::Undo(to) | Request::Confirm(to) => {
            drop(to.send(ConfigureReport { file: None, undo_s: None, outcome: ConfigureOutcome::Nothing }));
        }
        Request::ConfigureStatus(to) => {
            drop(to.send(ConfigureStatus { change: Change::Done, undo_ms: Some(29_003) }));
        }
        Request::Debug { choice, mask, answer, .. } => {
            assert!(mask.0 <= DebugMask::ALL.0);
            answer.send(chosen(config, &choice)).unwrap_or_default();
        }
        Request::MrtDump { choice, answer, .. } => answer.send(chosen(config, &choice)).unwrap_or_default(),
        Request::DumpTables { answer, .. } => answer.send(Vec::new()).unwrap_or_default(),
        Request::Roas(to) => drop(to.send(roas(config))),
        Request::Passage { answer, .. } => drop(answer.send(None)),
        Request::EditRoa { answer, .. } => answer.send(()).unwrap_or_default(),
        Request::DumpLines(_, answer) => drop(answer.send(vec!["a line".to_owned()])),
        Request::Threads(answer) => drop(answer.send(Vec::new())),
        Request::Dump(_, to) | Request::Down { answer: to, .. } => to.send(()).unwrap_or_default(),
    }
}

fn roas(config: &Config) -> Arc<RoaTables> {
    let entry = |roa: &Roa| RoaEntry { roa: *roa, origin: RoaOrigin::Static };
    let table = |t: &RoaTableConf| (t.name.clone(), Arc::new(RoaTable::new(t.roas.iter().map(entry).collect())));
    Arc::new(RoaTables::new(config.roa_tables.iter().map(table).collect()))
}

fn chosen(config: &Config, choice: &Choice) -> usize {
    config.protocols.iter().filter(|p| choice.takes(&p.name)).count()
}

const fn acted(action: Action, kind: Kind) -> Did {
    match (action, kind) {
        (Action::Enable, _) => Did::AlreadyEnabled,
        (Action::Disable, _) => Did::Disabled,
        (Action::Restart, _) => Did::Restarted,
        (Action::Reload(Direction::Out), _) | (Action::Reload(_), Kind::Kernel | Kind::Bgp) => Did::Reloading,
        (Action::Reload(_), _) => Did::ReloadFailed,
    }
}

fn status() -> StatusView {
    StatusView {
        router_id: Ipv4Addr::new(10, 0, 0, 1),
        hostname: "vm".into(),
        started: second(24),
        configured: second(24),
        recovery: None,
        phase: Phase::Running,
    }
}

const fn memory() -> MemoryView {
    MemoryView {
        tables: 35 * 1024,
        attributes: 10 * 1024,
        roa: 192,
        config: 0,
        protocols: 23 * 1024,
        total: 107 * 1024,
    }
}

pub fn interfaces() -> Vec<InterfaceView> {
    let lo = IfaceFlags { admin_up: true, link_up: true, loopback: true, multi_access: true, ..IfaceFlags::default() };
    let ethernet = IfaceFlags {
        admin_up: true,
        link_up: true,
        broadcast: true,
        multicast: true,
        multi_access: true,
        ..IfaceFlags::default()
    };
    let link = |index, name: &str, flags, mtu, addrs: &[(&str, u8, Scope)]| {
        let address = |(a, len, scope): &(&str, u8, Scope)| IfaceAddr {
            addr: addr(a),
            prefix: Prefix::new(addr(a), *len).unwrap(),
            broadcast: None,
            peer: None,
            scope: *scope,
            secondary: false,
        };
        InterfaceView {
            iface: Iface {
                index: IfIndex(index),
                name: name.into(),
                flags,
                mtu,
                master: IfIndex(0),
                addrs: addrs.iter().map(address).collect(),
            },
            master: None,
            primary: addrs.iter().filter(|(_, _, scope)| *scope == Scope::Site).map(|(a, ..)| addr(a)).collect(),
        }
    };
    vec![
        link(1, "lo", lo, 65536, &[("127.0.0.1", 8, Scope::Host), ("10.0.0.1", 32, Scope::Site)]),
        link(2, "ens33", ethernet, 1500, &[("192.168.8.10", 24, Scope::Site)]),
        link(3, "ens37", ethernet, 1500, &[("192.168.16.1", 24, Scope::Site)]),
        link(4, "ens38", ethernet, 1500, &[("192.168.18.1", 24, Scope::Site)]),
    ]
}

fn protocols(config: &Config) -> Vec<ProtocolView> {
    let row =
        |name: &str, kind, preference, export: Policy, import: ImportStats, counts, told, bgp: Option<BgpView>| {
            let since = if bgp.is_some() { second(34) } else { second(24) };
            ProtocolView {
                name: name.into(),
                kind,
                table: Some(config.default_table()),
                state: "up",
                since,
                info: match &bgp {
                    Some(bgp) => Info::Bgp { state: bgp.state, error: "".into() },
                    None => Info::Nothing,
                },
                detail: Some(Box::new(ProtocolDetail {
                    rpki: None,
                    description: None,
                    message: None,
                    router_id: None,
                    vrf: None,
                    channels: vec![ChannelView {
                        name: if kind == Kind::Device { "" } else { "ipv4" },
                        table: config.default_table(),
                        peer_table: None,
                        state: "UP",
                        preference,
                        import: Policy::Accept,
                        export,
                        recovery: None,
                        receive_limit: None,
                        import_limit: None,
                        export_limit: None,
                        routes: Some(RoutesView { counts, keep_filtered: false, import, export: told }),
                        pipe: None,
                        restart: None,
                        next_hop: bgp.as_ref().and_then(|b| Some((b.session.as_ref()?.source_addr, None))),
                        igp_tables: match &bgp {
                            Some(bgp) if bgp.peer_as == bgp.local_as => {
                                vec![(route::Family::Ipv4, config.default_table())]
                            }
                            _ => Vec::new(),
                        },
                    }],
                    bgp: bgp.map(Box::new),
                    bmp: None,
                })),
            }
        };
    let taken = |n: u64| ImportStats { updates_received: n, updates_accepted: n, ..ImportStats::default() };
    let told = |updates_received, updates_rejected| ExportStats {
        updates_received,
        updates_rejected,
        updates_accepted: updates_received - updates_rejected,
        ..ExportStats::default()
    };
    let counts =
        |imported, exported, preferred| RouteCounts { imported, exported, preferred, ..RouteCounts::default() };
    let none = ExportStats::default();
    // 1.6 does not tell the kernel its own device routes.
    let (exported, to_kernel) = match config.dialect {
        Dialect::V1 => (4, told(10, 6)),
        Dialect::V2 => (7, told(10, 0)),
    };
    vec![
        row("device1", Kind::Device, 240, Policy::Reject, taken(0), counts(0, 0, 0), none, None),
        row("direct1", Kind::Direct, 240, Policy::Reject, taken(3), counts(3, 0, 3), none, None),
        row("kernel1", Kind::Kernel, 10, Policy::Accept, taken(0), counts(0, exported, 0), to_kernel, None),
        row("static1", Kind::Static, 200, Policy::Reject, taken(0), counts(0, 0, 0), none, None),
        row("router2", Kind::Bgp, 100, Policy::Accept, taken(4), counts(4, 4, 3), told(7, 3), Some(router2())),
        row("kubeadm1", Kind::Bgp, 100, Policy::Accept, taken(1), counts(1, 6, 1), told(7, 1), Some(kubeadm1())),
    ]
}

fn router2() -> BgpView {
    established(
        ROUTER2,
        64513,
        SessionView {
            peer_id: Ipv4Addr::new(10, 0, 0, 2),
            caps: vec!["refresh", "enhanced-refresh", "restart-aware", "llgr-aware", "AS4"],
            ours: aware(),
            theirs: aware(),
            words: vec!["internal", "multihop", "AS4"],
            source_addr: addr("192.168.18.1"),
            route_limit: None,
            hold: Timer { remaining_ms: 233_000, total_s: 240 },
            keepalive: Timer { remaining_ms: 62_000, total_s: 80 },
            send_hold: None,
            tcp_ao: None,
        },
    )
}

fn kubeadm1() -> BgpView {
    let mut caps = vec!["refresh", "enhanced-refresh", "restart-able", "llgr-aware", "AS4"];
    caps.extend(["add-path-rx", "add-path-tx"]);
    established(
        KUBEADM1,
        64512,
        SessionView {
            peer_id: Ipv4Addr::new(192, 168, 16, 101),
            caps,
            ours: aware(),
            theirs: CapabilitiesView {
                restart: Some(RestartCapability {
                    is_recovering: false,
                    time_s: 120,
                    families: KeptFamilies { supported: vec!["ipv4"], preserved: Vec::new() },
                }),
                add_path: Some([vec!["ipv4"], vec!["ipv4"]]),
                ..aware()
            },
            words: vec!["external", "AS4"],
            source_addr: addr("192.168.16.1"),
            route_limit: None,
            hold: Timer { remaining_ms: 200_000, total_s: 240 },
            keepalive: Timer { remaining_ms: 68_000, total_s: 80 },
            send_hold: None,
            tcp_ao: None,
        },
    )
}

/// What a speaker announces that helps others to restart.
fn aware() -> CapabilitiesView {
    CapabilitiesView {
        families: vec!["ipv4"],
        route_refresh: true,
        extended_next_hop: Vec::new(),
        extended_messages: false,
        restart: Some(RestartCapability::default()),
        as4: true,
        add_path: None,
        enhanced_refresh: true,
        long_lived: Some((KeptFamilies::default(), 0)),
        hostname: None,
        role: None,
    }
}

fn established(peer: &str, peer_as: u32, session: SessionView) -> BgpView {
    BgpView {
        state: "Established",
        peer_addr: addr(peer),
        iface: None,
        onlink: false,
        range: None,
        peer_as,
        local_as: 64513,
        restart: None,
        error_wait: None,
        connect_delay: None,
        session: Some(session),
        error: "".into(),
    }
}

/// A prefix with its paths.
pub struct RouteNet {
    pub net: Prefix,
    pub sync_error: bool,
    pub paths: Vec<RoutePath>,
}

/// A path, and what an export makes of it.
pub struct RoutePath {
    pub path: PathView,
    pub export: Option<Exported>,
}

/// A page of one prefix.
pub fn page(net: RouteNet) -> RoutePage {
    let mut page = RoutePage { refused: vec![net.sync_error], ..RoutePage::default() };
    page.page.nets.push(PageNet { id: rib::batch::NetId(0), net: net.net, paths: 0..net.paths.len() as u32 });
    for RoutePath { path, export } in net.paths {
        let PathView { attrs, source, channel, hop, since, filtered, stale, suppressed, best } = path;
        let at = page.page.sources.len() as u32;
        page.page.sources.push(source);
        page.page.paths.push(PagePath { attrs, source: at, channel, hop, since, filtered, stale, suppressed, best });
        page.exports.push(export);
    }
    page
}

/// A direct route to a link.
fn direct(iface: u32) -> RoutePath {
    let hop = Hop::dev(IfIndex(iface));
    path(
        "direct1",
        AttrSet::local_only(Local::new(SourceKind::Device, 240, Dest::Via(hop))),
        None,
        ResolvedHop { to: Resolved::Unicast(hop), igp_metric: None, recursive: false },
    )
}

fn bgp_attrs(as_path: &[u32], next_hop: &str, local: Local) -> AttrSet {
    let mut attrs = AttrSetBuilder::new(local);
    attrs.set(code::ORIGIN, &[0]);
    let mut segment = Vec::new();
    if !as_path.is_empty() {
        segment.extend([2, as_path.len() as u8]);
        segment.extend(as_path.iter().flat_map(|asn| asn.to_be_bytes()));
    }
    attrs.set(code::AS_PATH, &segment);
    let next_hop: Ipv4Addr = next_hop.parse().unwrap();
    attrs.set(code::NEXT_HOP, &next_hop.octets());
    attrs.set_u32(code::LOCAL_PREF, 100);
    attrs.build()
}

/// A route from router2, whose next hop is looked up.
fn from_router2(as_path: &[u32]) -> RoutePath {
    let asked = Dest::Recursive(Recursive { gateway: addr(ROUTER2), table: TableId(0), link_local: None });
    let local = Local { from: Some(addr(ROUTER2)), ..Local::new(SourceKind::Bgp, 100, asked) };
    path(
        "router2",
        bgp_attrs(as_path, ROUTER2, local),
        Some(bgp_source(ROUTER2, 64513)),
        ResolvedHop {
            to: Resolved::Unicast(Hop::via(addr(ROUTER2), IfIndex(4))),
            igp_metric: Some(0),
            recursive: true,
        },
    )
}

/// A route from kubeadm1, which is on the link.
fn from_kubeadm1() -> RoutePath {
    let hop = Hop::via(addr(KUBEADM1), IfIndex(3));
    let local = Local { from: Some(addr(KUBEADM1)), ..Local::new(SourceKind::Bgp, 100, Dest::Via(hop)) };
    path(
        "kubeadm1",
        bgp_attrs(&[64512], KUBEADM1, local),
        Some(bgp_source(KUBEADM1, 64512)),
        ResolvedHop { to: Resolved::Unicast(hop), igp_metric: None, recursive: false },
    )
}

fn bgp_source(peer: &str, peer_as: u32) -> BgpSource {
    BgpSource {
        internal: peer_as == 64513,
        established: second(34),
        ..BgpSource::between(
            Speaker { addr: addr("192.168.16.1"), asn: 64513, id: 0x0a00_0001 },
            Speaker { addr: addr(peer), asn: peer_as, id: 0x0a00_0002 },
        )
    }
}

fn path(protocol: &str, attrs: AttrSet, bgp: Option<BgpSource>, hop: ResolvedHop) -> RoutePath {
    let since = if bgp.is_some() { second(34) } else { second(24) };
    let kind = attrs.local().kind;
    let source =
        Source { id: SourceId(0), protocol: ProtocolId(0), protocol_name: protocol.into(), kind, path_id: 0, bgp };
    let channel = route::ChannelId(0);
    let path = PathView {
        attrs,
        source: Arc::new(source),
        channel,
        hop,
        since,
        filtered: false,
        stale: false,
        suppressed: false,
        best: false,
    };
    RoutePath { path, export: None }
}

/// The table `master` of router1 when both sessions are up.
fn nets() -> Vec<RouteNet> {
    let net = |net: &str, paths: Vec<RoutePath>| RouteNet { net: prefix(net), sync_error: false, paths };
    vec![
        net("10.0.0.1/32", vec![direct(1)]),
        net("10.0.0.2/32", vec![from_router2(&[])]),
        net("10.245.0.64/26", vec![from_kubeadm1()]),
        net("10.245.0.192/26", vec![from_router2(&[64512])]),
        net("192.168.16.0/24", vec![direct(3)]),
        net("192.168.17.0/24", vec![from_router2(&[])]),
        net("192.168.18.0/24", vec![direct(4), from_router2(&[])]),
    ]
}

fn is_asked(query: &RouteQuery, net: &RouteNet) -> bool {
    let is_down = query.export.as_ref().is_some_and(|e| &*e.protocol == "direct1");
    let fits = match query.nets {
        Nets::All | Nets::Roa(_) | Nets::Aspa(_) => true,
        Nets::Exact(prefix) => net.net == prefix,
        Nets::ForAddress(addr) => net.net.contains(addr),
        Nets::ForPrefix(prefix) => net.net.covers(&prefix),
        Nets::In(prefix) => prefix.covers(&net.net),
    };
    fits && !is_down
}

/// What exports to the protocol asked for make of the best paths.
fn judged(mut net: RouteNet, query: &RouteQuery) -> RouteNet {
    let Some(export) = &query.export else { return net };
    if let Some(best) = net.paths.first_mut() {
        best.export = Some(told(&export.protocol, &best.path));
    }
    net
}

fn told(to: &str, path: &PathView) -> Exported {
    let from = &*path.source.protocol_name;
    let as_path: Vec<u32> = path.attrs.as_path().asns().collect();
    let local = path.attrs.local().clone();
    let attrs = match (to, from) {
        ("router2", "direct1" | "kubeadm1") => bgp_attrs(&as_path, "192.168.18.1", local),
        ("kubeadm1", "direct1" | "router2") => {
            let longer: Vec<u32> = std::iter::once(64513).chain(as_path).collect();
            bgp_attrs(&longer, "192.168.16.1", local)
        }
        ("kernel1", "router2" | "kubeadm1") => path.attrs.clone(),
        _ => return Exported::Vetoed,
    };
    Exported::Judged { attrs, accepted: true, anew: false }
}

/// A client that sends lines, each after the reply to the one before, and hears all.
pub fn talk(socket: &Path, lines: &[&str]) -> String {
    let lines: Vec<&[u8]> = lines.iter().map(|l| l.as_bytes()).collect();
    converse(socket, &lines)
}

/// The same for one line of any octets.
pub fn talk_octets(socket: &Path, line: &[u8]) -> String {
    converse(socket, &[line])
}

fn converse(socket: &Path, lines: &[&[u8]]) -> String {
    use std::io::{BufRead, BufReader, Write};
    let stream = std::os::unix::net::UnixStream::connect(socket).unwrap();
    stream.set_read_timeout(Some(std::time::Duration::from_secs(20))).unwrap();
    let mut reader = BufReader::new(stream);
    let mut all = String::new();
    let mut reply = |reader: &mut BufReader<_>| {
        loop {
            let from = all.len();
            assert!(reader.read_line(&mut all).unwrap() > 0, "closed after {all:?}");
            let line = all.get(from..).unwrap();
            if line.as_bytes().first().is_some_and(u8::is_ascii_digit) && line.as_bytes().get(4) == Some(&b' ') {
                break;
            }
        }
    };
    reply(&mut reader);
    for line in lines {
        reader.get_mut().write_all(&[line, b"\n".as_slice()].concat()).unwrap();
        reply(&mut reader);
    }
    all
}

/// The paths of a net with one direct route.
pub fn first_paths() -> Vec<RoutePath> {
    vec![direct(1)]
}
