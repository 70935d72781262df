//! Values as the text of 1.6.8, beyond what one moment of the lab shows. Each text names the capture it is from.

#![allow(clippy::unwrap_used, reason = "a test that can not go on has failed")]

mod lab;

use conf::Dialect;
use conf::config::{Config, StaticDest, StaticHop};
use filter::Policy;
use lab::{RouteNet, RoutePath};
use rbird_control::frame::Frame;
use rbird_control::layout::{self, Layout, Setting};
use rbird_control::request::{Choice, Nets, RouteOutput, RouteQuery};
use rbird_control::routes::Selection;
use rbird_control::time::{Now, Stamps};
use rbird_control::view::{
    BfdDetail, BfdSessionView, BgpView, ChannelView, ConfigureOutcome, ConfigureReport, Info, Kind, LimitView,
    MemoryView, Phase, ProtocolDetail, ProtocolView, RecoveryView, RestartView, StaticRow, StaticTo, StatusView, Timer,
};
use rib::batch::{LimitAction, ResolvedHop};
use route::attr::code;
use route::attrs::{Local, LocalAttr, LocalValue};
use route::iface::Scope;
use route::{AttrSetBuilder, Dest, Hop, IfIndex, Ifaces, Moment, Prefix, Resolved, SourceKind};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

const V1: fn() -> &'static dyn Layout = || layout::of(Dialect::V1);

/// Everything that text depends on, at 12:30:47 UTC.
struct Scene {
    config: Config,
    stamps: Stamps,
    ifaces: Ifaces,
}

impl Scene {
    fn new() -> Self {
        let now = Now { moment: Moment(0), unix_ms: 1_795_350_647_000 };
        let ifaces = Ifaces::new(lab::interfaces().into_iter().map(|i| i.iface).collect());
        Self { config: lab::config(lab::CONFIG), stamps: Stamps::in_zone(now, jiff::tz::TimeZone::UTC), ifaces }
    }

    fn write(&self, write: impl FnOnce(&dyn Layout, &Setting<'_>, &mut Frame)) -> String {
        let setting = Setting {
            version: "1.6.8",
            stamps: &self.stamps,
            time: &self.config.time,
            family: self.config.family,
            ifaces: &self.ifaces,
            symbols: &self.config.symbols.meanings,
        };
        let mut out = Frame::new();
        write(V1(), &setting, &mut out);
        out.take()
    }
}

fn addr(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn prefix(text: &str) -> Prefix {
    text.parse().unwrap()
}

fn protocol(state: &'static str, info: Info, detail: ProtocolDetail) -> ProtocolView {
    ProtocolView {
        name: "p1".into(),
        kind: Kind::Bgp,
        table: Some("master".into()),
        state,
        since: Moment(0),
        info,
        detail: Some(Box::new(detail)),
    }
}

fn detail(limits: [Option<LimitView>; 3], bgp: BgpView) -> ProtocolDetail {
    let [receive_limit, import_limit, export_limit] = limits;
    ProtocolDetail {
        rpki: None,
        description: None,
        message: None,
        router_id: None,
        vrf: None,
        channels: vec![ChannelView {
            name: "ipv4",
            table: "master".into(),
            peer_table: None,
            state: "DOWN",
            preference: 100,
            import: Policy::Accept,
            export: Policy::Accept,
            recovery: None,
            receive_limit,
            import_limit,
            export_limit,
            routes: None,
            pipe: None,
            restart: None,
            next_hop: None,
            igp_tables: Vec::new(),
        }],
        bmp: None,
        bgp: Some(Box::new(bgp)),
    }
}

fn bgp(state: &'static str, error: &str) -> BgpView {
    BgpView {
        state,
        peer_addr: addr("10.1.1.2"),
        iface: None,
        onlink: false,
        range: None,
        peer_as: 65002,
        local_as: 65001,
        restart: None,
        error_wait: None,
        connect_delay: None,
        session: None,
        error: error.into(),
    }
}

fn protocols(rows: &[ProtocolView]) -> String {
    Scene::new().write(|layout, setting, out| layout.protocols(rows, &Choice::All, setting, out))
}

/// fsm/1.6.8, test of the export limit: `down` shows the error alone.
#[test]
fn a_protocol_that_a_limit_has_stopped() {
    let error = "Automatic shutdown: Route limit exceeded";
    let limit = LimitView { routes_max: 1, action: LimitAction::Disable, hit: true };
    let info = Info::Bgp { state: "Down", error: error.into() };
    let said = protocols(&[protocol("down", info, detail([None, None, Some(limit)], bgp("Down", "")))]);
    assert_eq!(
        said,
        "2002-name     proto    table    state  since       info\n\
         1002-p1       BGP      master   down   12:30:47    Automatic shutdown: Route limit exceeded\n\
         1006-  Preference:     100\n   Input filter:   ACCEPT\n   Output filter:  ACCEPT\n\
         \x20  Export limit:   1 [HIT]\n     Action:       disable\n   BGP state:          Down\n\
         \x20    Neighbor address: 10.1.1.2\n     Neighbor AS:      65002\n \n0000 \n"
    );
}

/// `73-peer-killed`: order of the lines of a restarting neighbour.
#[test]
fn a_protocol_whose_neighbour_restarts() {
    let mut view = bgp("Active", "Socket: Connection closed");
    view.restart = Some(RestartView { long_lived: false, remaining_ms: Some(118_000) });
    view.connect_delay = Some(Timer { remaining_ms: 2_000, total_s: 5 });
    let info = Info::Bgp { state: "Active", error: view.error.clone() };
    let said = protocols(&[protocol("start", info, detail([None; 3], view))]);
    assert!(
        said.contains("1002-p1       BGP      master   start  12:30:47    Active        Socket: Connection closed\n")
    );
    let block = "     Neighbor graceful restart active\n     Restart timer:    118/-\n     Connect delay:    2/5\n\
                 \x20    Last error:       Socket: Connection closed\n \n0000 \n";
    assert!(said.ends_with(block), "{said}");
}

/// 1.6.8 says it twice of what has a device.
#[test]
fn a_vrf_stands_behind_the_router_id_and_again_before_the_preference() {
    let block = |name: Option<&str>| {
        let mut detail = detail([None; 3], bgp("Idle", ""));
        detail.vrf = Some(route::Vrf { name: name.map(Into::into), holds_device: false });
        let said = protocols(&[protocol("start", Info::Nothing, detail)]);
        said.lines()
            .filter(|line| line.contains("VRF"))
            .map(|line| line.trim_start_matches("1006-").trim().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(block(Some("red")), ["VRF:            red", "VRF:            red"]);
    assert_eq!(block(None), ["VRF:            default"]);
}

/// `bgp-limits.show` and real BIRD with a description, a message and a router id.
#[test]
fn optional_lines_stand_in_their_order() {
    let limit = |routes_max, action| Some(LimitView { routes_max, action, hit: false });
    let limits = [limit(20, LimitAction::Block), limit(10, LimitAction::Warn), limit(30, LimitAction::Restart)];
    let mut view = bgp("Idle", "BGP Error: Bad peer AS");
    view.error_wait = Some(Timer { remaining_ms: 3_000, total_s: 60 });
    let mut detail = detail(limits, view);
    detail.description = Some("Peer x".into());
    detail.message = Some("hello msg".into());
    detail.router_id = Some(Ipv4Addr::new(2, 2, 2, 2));
    let said = protocols(&[protocol("start", Info::Nothing, detail)]);
    let block = "1006-  Description:    Peer x\n   Message:        hello msg\n   Router ID:      2.2.2.2\n\
                 \x20  Preference:     100\n   Input filter:   ACCEPT\n   Output filter:  ACCEPT\n\
                 \x20  Receive limit:  20\n     Action:       block\n   Import limit:   10\n     Action:       warn\n\
                 \x20  Export limit:   30\n     Action:       restart\n   BGP state:          Idle\n\
                 \x20    Neighbor address: 10.1.1.2\n     Neighbor AS:      65002\n     Error wait:       3/60\n\
                 \x20    Last error:       BGP Error: Bad peer AS\n \n0000 \n";
    assert!(said.ends_with(block), "{said}");
}

/// contract.md 4.2: the lines of a start with `-R`.
#[test]
fn a_status_during_recovery() {
    let view = StatusView {
        router_id: Ipv4Addr::new(1, 2, 3, 4),
        hostname: "vm".into(),
        started: Moment(0),
        configured: Moment(0),
        recovery: Some(RecoveryView { waiting: 1, timer: Timer { remaining_ms: 239_000, total_s: 240 } }),
        phase: Phase::Running,
    };
    assert_eq!(
        Scene::new().write(|layout, setting, out| layout.status(&view, setting, out)),
        "1000-BIRD 1.6.8\n1011-Router ID is 1.2.3.4\n Current server time is 2026-11-22 12:30:47\n\
         \x20Last reboot on 2026-11-22 12:30:47\n Last reconfiguration on 2026-11-22 12:30:47\n\
         0024-Graceful restart recovery in progress\n   Waiting for 1 protocols to recover\n\
         \x20  Wait timer is 239/240\n0013 Daemon is up and running\n"
    );
}

#[test]
fn sizes_have_at_most_four_digits() {
    let view =
        MemoryView { tables: 9_999, attributes: 10_000, roa: 0, config: 0, protocols: 9_999 * 1024, total: u64::MAX };
    let said = Scene::new().write(|layout, _, out| layout.memory(&view, out));
    let sizes: Vec<&str> = said.lines().filter_map(|l| l.get(l.len().checked_sub(7)?..)).collect();
    assert_eq!(sizes.get(1..5), Some(["9999  B", "  10 kB", "   0  B", "9999 kB"].as_slice()), "{said}");
    assert!(said.contains("GB\n"), "{said}");
}

/// `50-configure/sequence.sock`.
#[test]
fn outcomes_of_configure() {
    let say = |outcome: ConfigureOutcome, undo_s| {
        let report = ConfigureReport { file: Some("F".into()), undo_s, outcome };
        Scene::new().write(|layout, _, out| layout.configured(&report, false, out))
    };
    let reading = "0002-Reading configuration from F\n";
    assert_eq!(say(ConfigureOutcome::InProgress, None), format!("{reading}0004 Reconfiguration in progress\n"));
    assert_eq!(
        say(ConfigureOutcome::Done, Some(4)),
        format!("{reading}0022-Undo scheduled in 4 s\n0003 Reconfigured\n")
    );
    let wrong = |errors: &[&str]| ConfigureOutcome::Wrong(errors.iter().map(|e| (*e).to_owned()).collect());
    assert_eq!(say(wrong(&["F:10:5 syntax error"]), None), format!("{reading}8002 F:10:5 syntax error\n"));
    assert_eq!(
        say(wrong(&["F:1:1 a\n1 | x", "F:2:1 b"]), None),
        format!("{reading}8002-F:1:1 a\n 1 | x\n8002 F:2:1 b\n")
    );
    let report = ConfigureReport { file: None, undo_s: None, outcome: ConfigureOutcome::Nothing };
    let undone = Scene::new().write(|layout, _, out| layout.undone(&report, out));
    assert_eq!(undone, "0021-Undo requested\n0019 Nothing to do\n");
}

/// `60-ext/router1/show-static-st2.sock`.
#[test]
fn routes_of_a_static_protocol() {
    let hop = |gateway: &str, weight| StaticHop { gateway: Some(addr(gateway)), weight, ..StaticHop::default() };
    let row = |net: &str, to, dormant: &[bool]| StaticRow { net: prefix(net), to, dormant: dormant.to_vec() };
    let rows = [
        row("203.0.113.0/24", StaticTo::Way(StaticDest::Via(vec![hop("192.168.16.101", 1)])), &[false]),
        row("203.0.117.0/24", StaticTo::Way(StaticDest::Device("ens37".into())), &[false]),
        row(
            "203.0.118.0/24",
            StaticTo::Way(StaticDest::Via(vec![hop("192.168.16.101", 2), hop("192.168.18.2", 1)])),
            &[false, false],
        ),
        row("203.0.119.0/24", StaticTo::Way(StaticDest::Recursive(addr("192.168.17.101"))), &[]),
        row("203.0.120.0/24", StaticTo::Way(StaticDest::Via(vec![hop("192.168.77.1", 1)])), &[true]),
        row("203.0.121.0/24", StaticTo::Way(StaticDest::Blackhole), &[]),
        row("203.0.122.0/24", StaticTo::Way(StaticDest::Unreachable), &[]),
        row("203.0.116.0/24", StaticTo::Way(StaticDest::Prohibit), &[]),
    ];
    assert_eq!(
        Scene::new().write(|layout, _, out| {
            layout.statics(&rows, out);
            out.ok();
        }),
        "1009-203.0.113.0/24 via 192.168.16.101\n 203.0.118.0/24 multipath\n \tvia 192.168.16.101 weight 2\n\
         \x20\tvia 192.168.18.2 weight 1\n 203.0.119.0/24 recursive 192.168.17.101\n\
         \x20203.0.120.0/24 via 192.168.77.1 (dormant)\n 203.0.121.0/24 blackhole\n 203.0.122.0/24 unreachable\n\
         \x20203.0.116.0/24 prohibited\n 203.0.117.0/24 dev ens37\n0000 \n"
    );
}

/// Tried with BIRD 1.6.8: `route 20.0.0.0/8 multipath via 10.55.0.2 bfd`.
#[test]
fn one_gateway_with_bfd_is_a_multipath() {
    let hop = StaticHop { gateway: Some(addr("10.55.0.2")), bfd: true, ..StaticHop::default() };
    let row =
        StaticRow { net: prefix("20.0.0.0/8"), to: StaticTo::Way(StaticDest::Via(vec![hop])), dormant: vec![true] };
    assert_eq!(
        Scene::new().write(|layout, _, out| {
            layout.statics(&[row], out);
            out.ok();
        }),
        "1009-20.0.0.0/8 multipath (dormant)\n \tvia 10.55.0.2 weight 1 (bfd) (dormant)\n0000 \n"
    );
}

/// Tried with BIRD 1.6.8, two BFD sessions and none.
#[test]
fn sessions_of_bfd() {
    let row = |remote: &str, iface: Option<&str>, state, interval_us, timeout_us| BfdSessionView {
        remote: addr(remote),
        iface: iface.map(Into::into),
        state,
        since: Moment(0),
        interval_us,
        timeout_us,
        detail: BfdDetail::default(),
    };
    let rows = [row("10.55.0.2", Some("v0"), "Up", 50_000, 150_999), row("10.56.0.2", None, "Down", 1_000_000, 0)];
    let mut scene = Scene::new();
    scene.config = lab::config("router id 1.1.1.1; protocol device {} timeformat protocol \"then\";");
    assert_eq!(
        scene.write(|layout, setting, out| layout.bfd_sessions("bfd1", Some(&rows), setting, out)),
        "1020-bfd1:\n IP address                Interface  State      Since       Interval  Timeout\n\
         \x2010.55.0.2                 v0         Up         then          0.050    0.150\n\
         \x2010.56.0.2                 ---        Down       then          1.000    0.000\n"
    );
    let down = scene.write(|layout, setting, out| layout.bfd_sessions("bfd1", None, setting, out));
    assert_eq!(down, "1020-bfd1: is not up\n");
}

/// `show route [all] filter F` of one net, with a configuration that has the filter.
fn routes(config: &str, filter: &str, detail: bool, net: RouteNet) -> String {
    routes_of(lab::config(&format!("{}\n{config}", lab::CONFIG)), filter, detail, net)
}

fn routes_of(config: Config, filter: &str, detail: bool, net: RouteNet) -> String {
    let mut scene = Scene::new();
    scene.config = config;
    let line = conf::command::Line::new(filter.as_bytes());
    let filter = line.reader(&scene.config).policy().unwrap();
    let query = RouteQuery {
        nets: Nets::All,
        tables: vec!["master".into()],
        heads_empty: false,
        export: None,
        received: None,
        protocol: None,
        filter,
        primary: false,
        filtered: false,
        detail,
        output: RouteOutput::List,
        keeps_mark: false,
    };
    scene.write(|layout, setting, out| {
        let mut selection = Selection::new(&query, Arc::default());
        let page = lab::page(net);
        let mut room = Vec::new();
        for net in page.nets() {
            if let Some(shown) = selection.net(&net, setting.ifaces, &mut room) {
                layout.net(&shown, detail, setting, out);
            }
        }
    })
}

fn net(text: &str, paths: Vec<RoutePath>) -> RouteNet {
    RouteNet { net: prefix(text), sync_error: false, paths }
}

fn path(to: Resolved, change: impl FnOnce(&mut AttrSetBuilder)) -> RoutePath {
    let mut only = lab::first_paths().pop().unwrap();
    let mut attrs = AttrSetBuilder::new(Local::new(SourceKind::Static, 200, Dest::Blackhole));
    change(&mut attrs);
    only.path.attrs = attrs.build();
    only.path.since = Moment(0);
    only.path.source = Arc::new(route::Source { protocol_name: "s1".into(), ..(*only.path.source).clone() });
    only.path.hop = ResolvedHop { to, igp_metric: None, recursive: false };
    only
}

/// `60-ext/router1/show-route-t2.sock`, and a route that the kernel refused.
#[test]
fn destinations_of_every_kind() {
    let hops = [("192.168.16.101", 3, 1), ("192.168.18.2", 4, 0)];
    let hops = hops.map(|(gateway, iface, weight)| Hop { weight, ..Hop::via(addr(gateway), IfIndex(iface)) });
    let mut refused = net("203.0.116.0/24", vec![path(Resolved::Prohibit, |_| ())]);
    refused.sync_error = true;
    let from = |attrs: &mut AttrSetBuilder| attrs.local.from = Some(addr("192.168.18.2"));
    for (net, expected) in [
        (
            net("203.0.121.0/24", vec![path(Resolved::Blackhole, |_| ())]),
            "1007-203.0.121.0/24     blackhole [s1 12:30:47] * (200)\n",
        ),
        (refused, "1007-203.0.116.0/24     prohibited [s1 12:30:47] ! (200)\n"),
        (
            net("203.0.118.0/24", vec![path(Resolved::Multipath(hops.into()), |_| ())]),
            "1007-203.0.118.0/24     multipath [s1 12:30:47] * (200)\n \tvia 192.168.16.101 on ens37 weight 2\n \tvia 192.168.18.2 on ens38 weight 1\n",
        ),
        (
            net("192.168.17.0/24", vec![path(Resolved::Unreachable, from)]),
            "1007-192.168.17.0/24    unreachable [s1 12:30:47 from 192.168.18.2] * (200)\n",
        ),
        (
            net("10.0.0.0/32", vec![path(Resolved::Unicast(Hop::via(addr("192.168.18.2"), IfIndex(4))), from)]),
            "1007-10.0.0.0/32        via 192.168.18.2 on ens38 [s1 12:30:47] * (200)\n",
        ),
    ] {
        assert_eq!(routes("", "all", false, net), expected);
    }
}

/// Asked of BIRD 1.6.8: what a filter may touch without making another route of it.
#[test]
fn a_filter_that_changes_more_than_attributes_takes_the_star_away() {
    let blackhole = || net("10.5.0.0/16", vec![path(Resolved::Blackhole, |_| ())]);
    for (filter, expected) in [
        ("filter { bgp_med = 4; accept; }", "1007-10.5.0.0/16        blackhole [s1 12:30:47] * (200)\n"),
        ("filter { preference = 7; accept; }", "1007-10.5.0.0/16        blackhole [s1 12:30:47] (7)\n"),
        ("filter { dest = RTD_PROHIBIT; accept; }", "1007-10.5.0.0/16        prohibited [s1 12:30:47] (200)\n"),
        ("filter { from = 1.2.3.4; accept; }", "1007-10.5.0.0/16        blackhole [s1 12:30:47 from 1.2.3.4] (200)\n"),
        (
            "filter { gw = 192.168.16.9; accept; }",
            "1007-10.5.0.0/16        via 192.168.16.9 on ens37 [s1 12:30:47] (200)\n",
        ),
        ("filter { reject; }", ""),
        ("where bgp_med = 5", ""),
    ] {
        assert_eq!(routes("", filter, false, blackhole()), expected, "{filter}");
    }
}

/// Asked of BIRD 1.6.8 by `show route filter { ... } all`; unknown attributes as in fsm/1.6.8.
#[test]
fn attributes_as_text() {
    let full = |attrs: &mut AttrSetBuilder| {
        attrs.local.scope = Scope::Link;
        attrs.set(code::ORIGIN, &[2]);
        attrs.set(code::NEXT_HOP, &[1, 2, 3, 4]);
        attrs.set_u32(code::MED, 4);
        attrs.set(code::ATOMIC_AGGREGATE, &[]);
        attrs.set(code::AGGREGATOR, &[0, 0, 0xfd, 0xe8, 1, 2, 3, 4]);
        attrs.set(code::COMMUNITY, &[]);
        attrs.set(code::ORIGINATOR_ID, &[1, 2, 3, 4]);
        attrs.set(code::CLUSTER_LIST, &[1, 2, 3, 4, 5, 6, 7, 8]);
        attrs.set_with_flags(0xc0, 0x63, b"abc");
        for (name, value) in [
            (LocalAttr::IgpMetric, LocalValue::Int(9)),
            (LocalAttr::KrtMetric, LocalValue::Int(7)),
            (LocalAttr::KrtPrefsrc, LocalValue::Ip(addr("10.0.0.1"))),
            (LocalAttr::KrtLock, LocalValue::Int(0b1100)),
            (LocalAttr::KrtFeatures, LocalValue::Int(0b1001)),
            (LocalAttr::KrtTunnel, LocalValue::Text("tunl0".into())),
        ] {
            attrs.local.set_extra(name, Some(value));
        }
    };
    let said = routes("", "all", true, net("10.5.0.0/16", vec![path(Resolved::Blackhole, full)]));
    assert_eq!(
        said,
        "1007-10.5.0.0/16        blackhole [s1 12:30:47] * (200)\n1008-\tType: static unicast link\n\
         1012-\tigp_metric: 9\n \tBGP.origin: Incomplete\n \tBGP.next_hop: 1.2.3.4\n \tBGP.med: 4\n\
         \x20\tBGP.atomic_aggr: \n \tBGP.aggregator: 1.2.3.4 AS65000\n \tBGP.community: \n\
         \x20\tBGP.originator_id: 1.2.3.4\n \tBGP.cluster_list: 1.2.3.4 5.6.7.8\n \tBGP.63 [t]: 61 62 63\n\
         \x20\tKernel.metric: 7\n \tKernel.prefsrc: 10.0.0.1\n \tKernel.tunnel: tunl0\n\
         \x20\tKernel.lock: mtu window\n \tKernel.features: ecn allfrag\n"
    );
}

/// As 2.0.12 prints them: behind the kernel's, in the order of their declaration, lists as BGP's are.
#[test]
fn attributes_of_the_operators_own_are_shown_by_their_names() {
    use filter::names::Attr;
    let text = "attribute int num; attribute ip addr1; attribute quad who; attribute bgppath way;\n\
                attribute clist cl; attribute eclist ecl; attribute lclist lcl; attribute string word; protocol device {}";
    let loaded = conf::load(
        "c",
        &conf::files::Memory::new().with("c", text),
        &conf::LoadOptions { dialect: Some(conf::Dialect::V2), ..conf::LoadOptions::default() },
    );
    let loaded = loaded.unwrap().config;
    let symbols = Arc::clone(&loaded.symbols.meanings);
    let number = |name: &str| match symbols.get(name).map(|s| &s.kind) {
        Some(filter::SymbolKind::Attribute(attr @ Attr::Local(..))) => LocalAttr::Own(attr.number().unwrap()),
        other => panic!("{other:?}"),
    };
    let octets = |octets: &[u8]| LocalValue::Octets(octets.into());
    let full = |attrs: &mut AttrSetBuilder| {
        attrs.set_u32(code::MED, 4);
        for (name, value) in [
            (number("num"), LocalValue::Int(5)),
            (number("addr1"), LocalValue::Ip(addr("1.2.3.4"))),
            (number("who"), LocalValue::Int(0x0102_0304)),
            (number("way"), octets(&[2, 2, 0, 0, 0, 1, 0, 0, 0xfd, 0xe8])),
            (number("cl"), octets(&[0, 1, 0, 2, 0, 3, 0, 4])),
            (number("ecl"), octets(&[0, 2, 0, 1, 0, 0, 0, 2])),
            (number("lcl"), octets(&[0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3])),
            (number("word"), LocalValue::Text("x y".into())),
            (LocalAttr::Own(99), LocalValue::Int(1)),
            (LocalAttr::KrtMtu, LocalValue::Int(1400)),
        ] {
            attrs.local.set_extra(name, Some(value));
        }
    };
    let all = routes_of(loaded, "all", true, net("10.5.0.0/16", vec![path(Resolved::Blackhole, full)]));
    let said = all.lines().skip(2).fold(String::new(), |text, line| text + line + "\n");
    assert_eq!(
        said,
        "1012-\tBGP.med: 4\n \tKernel.mtu: 1400\n \tnum: 5\n \taddr1: 1.2.3.4\n \twho: 1.2.3.4\n \tway: 1 65000\n\
         \x20\tcl: (1,2) (3,4)\n \tecl: (rt, 1, 2)\n \tlcl: (1, 2, 3)\n \tword: x y\n \t63: 1\n"
    );
}

/// Where BIRD 1.6.8 ends lines of long attributes, found by asking it for lists of random lengths.
#[test]
fn long_attributes_are_cut_where_bird_cuts_them() {
    let octets = |n: u32, item: fn(u32) -> Vec<u8>| (1..=n).flat_map(item).collect::<Vec<u8>>();
    let full = |attrs: &mut AttrSetBuilder| {
        let mut path = vec![2, 89];
        path.extend(octets(89, |n| (4_200_000_090 - n).to_be_bytes().to_vec()));
        attrs.set(code::AS_PATH, &path);
        attrs.set(code::COMMUNITY, &octets(89, |n| (65_000 << 16 | n).to_be_bytes().to_vec()));
        attrs.set(code::CLUSTER_LIST, &octets(89, |n| vec![1, 2, 3, n as u8]));
        attrs.set(code::EXT_COMMUNITY, &octets(89, |n| (0x0002_fde8_u64 << 32 | u64::from(n)).to_be_bytes().to_vec()));
        let large = |n: u32| [65_000, n, u32::MAX].iter().flat_map(|part| part.to_be_bytes()).collect();
        attrs.set(code::LARGE_COMMUNITY, &octets(89, large));
    };
    let said = routes("", "all", true, net("10.5.0.0/16", vec![path(Resolved::Blackhole, full)]));
    assert!(said.contains("4200000048 4200000047 ...\n"), "{said}");
    assert!(
        said.contains("(65000,43)\n \t\t(65000,44)") && said.contains("(65000,87)\n \t\t(65000,88) (65000,89)\n"),
        "{said}"
    );
    assert!(said.contains("1.2.3.52 1.2.3.53 ...\n"), "{said}");
    for (last, next) in [(27, 28), (55, 56), (83, 84)] {
        assert!(said.contains(&format!("(rt, 65000, {last})\n \t\t(rt, 65000, {next})")), "{last}: {said}");
    }
    for (last, next) in [(18, 19), (37, 38), (56, 57), (75, 76)] {
        let item = |n| format!("(65000, {n}, 4294967295)");
        assert!(said.contains(&format!("{}\n \t\t{}", item(last), item(next))), "{last}: {said}");
    }
    assert!(said.lines().all(|line| line.len() < 500), "{said}");
}
