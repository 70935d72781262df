//! Values as the text of 2.0.12, beyond what one moment of the lab shows. Every expected text was said by the real
//! daemon, two of them side by side.

#![allow(clippy::unwrap_used, reason = "a test that can not go on has failed")]

mod lab;

use conf::Dialect;
use conf::config::{Config, StaticDest, StaticHop};
use filter::Policy;
use rbird_control::frame::Frame;
use rbird_control::layout::{self, Layout, Setting};
use rbird_control::request::Choice;
use rbird_control::time::{Now, Stamps};
use rbird_control::view::{
    BfdDetail, BfdPace, BfdSessionView, BgpView, BmpView, CapabilitiesView, ChannelRecovery, ChannelView, Info,
    InterfaceView, KeptFamilies, Kind, LimitView, MemoryView, Phase, PipeView, PipeWay, ProtocolDetail, ProtocolView,
    RecoveryView, RestartCapability, RestartView, SessionView, StaticRow, StaticTo, StatusView, TcpAoView, ThreadView,
    Timer,
};
use rib::batch::LimitAction;
use rib::stats::{ExportStats, ImportStats};
use route::iface::{IfaceFlags, Scope};
use route::{IfIndex, Iface, IfaceAddr, Ifaces, Moment};
use std::net::{IpAddr, Ipv4Addr};

/// Said at 12:30:47.250 UTC.
fn said(write: impl FnOnce(&dyn Layout, &Setting<'_>, &mut Frame)) -> String {
    let config: Config = lab::config_v2();
    let now = Now { moment: Moment(0), unix_ms: 1_795_350_647_250 };
    let setting = Setting {
        version: "2.0.12",
        stamps: &Stamps::in_zone(now, jiff::tz::TimeZone::UTC),
        time: &config.time,
        family: config.family,
        ifaces: &Ifaces::default(),
        symbols: &config.symbols.meanings,
    };
    let mut out = Frame::new();
    write(layout::of(Dialect::V2), &setting, &mut out);
    out.take()
}

fn addr(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn channel(name: &'static str, state: &'static str) -> ChannelView {
    ChannelView {
        name,
        table: if name == "ipv6" { "master6" } else { "master4" }.into(),
        peer_table: None,
        state,
        preference: 100,
        import: Policy::Accept,
        export: Policy::Accept,
        recovery: None,
        receive_limit: None,
        import_limit: None,
        export_limit: None,
        routes: None,
        pipe: None,
        restart: None,
        next_hop: None,
        igp_tables: Vec::new(),
    }
}

fn bgp(state: &'static str, error: &str) -> BgpView {
    BgpView {
        state,
        peer_addr: addr("10.9.0.2"),
        iface: None,
        onlink: false,
        range: None,
        peer_as: 65009,
        local_as: 65001,
        restart: None,
        error_wait: None,
        connect_delay: None,
        session: None,
        error: error.into(),
    }
}

/// `show protocols all` of one protocol, without the header.
fn shown(kind: Kind, state: &'static str, info: Info, channels: Vec<ChannelView>, bgp: Option<BgpView>) -> String {
    let detail = ProtocolDetail {
        description: None,
        message: None,
        router_id: None,
        vrf: None,
        channels,
        bgp: bgp.map(Box::new),
        rpki: None,
        bmp: None,
    };
    let row = ProtocolView {
        name: "x".into(),
        kind,
        table: Some("master4".into()),
        state,
        since: Moment(0),
        info,
        detail: Some(Box::new(detail)),
    };
    let all = said(|layout, setting, out| layout.protocols(&[row], &Choice::All, setting, out));
    all.split_once('\n').unwrap().1.to_owned()
}

fn both(supported: &[&'static str]) -> KeptFamilies {
    KeptFamilies { supported: supported.to_vec(), preserved: Vec::new() }
}

#[test]
fn the_connection_to_a_monitoring_station() {
    let view = BmpView {
        station_addr: Some(addr("10.0.0.1")),
        station_port: 1790,
        local_addr: Some(addr("10.0.0.2")),
        error: "Connection refused".into(),
        pending: 4096,
        limit: 1 << 30,
        sent: 0,
        sent_ever: 20_000_000,
    };
    let detail = ProtocolDetail {
        description: None,
        message: None,
        router_id: None,
        vrf: None,
        channels: Vec::new(),
        bgp: None,
        rpki: None,
        bmp: Some(Box::new(view)),
    };
    let row = ProtocolView {
        name: "m".into(),
        kind: Kind::Bmp,
        table: Some("master4".into()),
        state: "start",
        since: Moment(0),
        info: Info::Text("Idle          Error: Connection refused".into()),
        detail: Some(Box::new(detail)),
    };
    assert_eq!(
        said(|layout, setting, out| layout.protocols(&[row], &Choice::All, setting, out)),
        "2002-Name       Proto      Table      State  Since         Info\n\
         1002-m          BMP        ---        start  12:30:47.250  Idle          Error: Connection refused\n\
         1006-  Station address:    10.0.0.1\n   Station port:       1790\n   Local address:      10.0.0.2\n\
         \x20  Last error:         Connection refused\n   Pending TX:          4096.0  B (limit 1024.0 MB)\n\
         \x20  Session TX:             0.0  B\n   Total TX:              19.1 MB\n \n0000 \n"
    );
}

#[test]
fn a_session_with_every_capability_and_two_channels() {
    let families = vec!["ipv4", "ipv6"];
    let all = CapabilitiesView {
        families: families.clone(),
        route_refresh: true,
        extended_next_hop: vec!["ipv4"],
        extended_messages: true,
        restart: Some(RestartCapability { is_recovering: false, time_s: 120, families: both(&families) }),
        as4: true,
        add_path: Some([vec!["ipv6"], Vec::new()]),
        enhanced_refresh: true,
        long_lived: Some((both(&families), 3600)),
        hostname: Some("alpha".into()),
        role: Some("customer"),
    };
    let mut view = bgp("Established", "");
    view.session = Some(SessionView {
        peer_id: Ipv4Addr::new(10, 9, 0, 2),
        caps: Vec::new(),
        ours: all,
        theirs: CapabilitiesView::default(),
        words: vec!["external", "AS4"],
        source_addr: addr("fd09::1"),
        route_limit: None,
        hold: Timer { remaining_ms: 178_421, total_s: 240 },
        keepalive: Timer { remaining_ms: 73_323, total_s: 80 },
        // 2.19.0 prints it, 2.0.12 has no such time.
        send_hold: Some(Timer { remaining_ms: 473_323, total_s: 480 }),
        tcp_ao: Some(TcpAoView { current: Some(2), rnext: None, good: 4711, bad: 0 }),
    });
    let mut v6 = channel("ipv6", "UP");
    v6.next_hop = Some((addr("fd09::1"), Some(addr("fe80::4889:65ff:fedc:9eb7"))));
    let limit = |routes_max, action| Some(LimitView { routes_max, action, hit: false });
    v6.receive_limit = limit(100, LimitAction::Warn);
    v6.import_limit = limit(5, LimitAction::Block);
    v6.export_limit = limit(1000, LimitAction::Disable);
    let info = Info::Bgp { state: "Established", error: "".into() };
    assert_eq!(
        shown(Kind::Bgp, "up", info, vec![v6, channel("ipv4", "DOWN")], Some(view)),
        "1002-x          BGP        ---        up     12:30:47.250  Established   
1006-  BGP state:          Established
     Neighbor address: 10.9.0.2
     Neighbor AS:      65009
     Local AS:         65001
     Neighbor ID:      10.9.0.2
     Local capabilities
       Multiprotocol
         AF announced: ipv4 ipv6
       Route refresh
       Extended next hop
         IPv6 nexthop: ipv4
       Extended message
       Graceful restart
         Restart time: 120
         AF supported: ipv4 ipv6
         AF preserved:
       4-octet AS numbers
       ADD-PATH
         RX: ipv6
         TX:
       Enhanced refresh
       Long-lived graceful restart
         LL stale time: 3600
         AF supported: ipv4 ipv6
         AF preserved:
       Hostname: alpha
       Role: customer
     Neighbor capabilities
     Session:          external AS4
     Source address:   fd09::1
     Hold timer:       178.421/240
     Keepalive timer:  73.323/80
     Send hold timer:  473.323/480
     TCP-AO:
       Current key:    2
       RNext key:      -1
       Good packets:   4711
       Bad packets:    0
   Channel ipv6
     State:          UP
     Table:          master6
     Preference:     100
     Input filter:   ACCEPT
     Output filter:  ACCEPT
     Receive limit:  100
       Action:       warn
     Import limit:   5
       Action:       block
     Export limit:   1000
       Action:       disable
     BGP Next hop:   fd09::1 fe80::4889:65ff:fedc:9eb7
   Channel ipv4
     State:          DOWN
     Table:          master4
     Preference:     100
     Input filter:   ACCEPT
     Output filter:  ACCEPT
 
0000 
"
    );
}

#[test]
fn a_neighbour_that_restarts_and_one_that_is_gone_for_long() {
    let regular = RestartView { long_lived: false, remaining_ms: Some(1_747) };
    let mut view = bgp("Active", "Socket: Connection closed");
    view.restart = Some(regular);
    view.connect_delay = Some(Timer { remaining_ms: 1_666, total_s: 5 });
    let mut kept = channel("ipv4", "START");
    kept.restart = Some(regular);
    let info = Info::Bgp { state: "Active", error: view.error.clone() };
    let text = shown(Kind::Bgp, "start", info.clone(), vec![kept.clone()], Some(view.clone()));
    let block = "     Local AS:         65001
     Neighbor graceful restart active
     Connect delay:    1.666/5
     Restart timer:    1.747/-
     Last error:       Socket: Connection closed
   Channel ipv4
     State:          START
     Table:          master4
     Preference:     100
     Input filter:   ACCEPT
     Output filter:  ACCEPT
     Neighbor GR:    Regular
 
0000 
";
    assert!(text.ends_with(block), "{text}");

    let long_lived = RestartView { long_lived: true, remaining_ms: Some(3_597_364) };
    (view.restart, kept.restart) = (Some(long_lived), Some(long_lived));
    let text = shown(Kind::Bgp, "start", info, vec![kept], Some(view));
    assert!(text.contains("     Connect delay:    1.666/5\n     Last error:"), "{text}");
    assert!(text.ends_with("     Neighbor GR:    Long-lived\n     LL stale timer: 3597.364/-\n \n0000 \n"), "{text}");
}

#[test]
fn an_error_is_waited_out_and_a_recovery_is_pending() {
    let mut view = bgp("Idle", "Error: Link down");
    view.error_wait = Some(Timer { remaining_ms: 40_854, total_s: 60 });
    let mut down = channel("ipv4", "DOWN");
    down.recovery = Some(ChannelRecovery { pending: true, waiting: false });
    let info = Info::Bgp { state: "Idle", error: view.error.clone() };
    let text = shown(Kind::Bgp, "start", info, vec![down], Some(view));
    let head = "1002-x          BGP        ---        start  12:30:47.250  Idle          Error: Link down\n";
    assert!(text.starts_with(head), "{text}");
    assert!(text.contains("     Error wait:       40.854/60\n     Last error:       Error: Link down\n"), "{text}");
    assert!(text.ends_with("     Output filter:  ACCEPT\n     GR recovery:    pending\n \n0000 \n"), "{text}");
}

#[test]
fn a_pipe_has_one_channel_and_two_tables() {
    let mut main = channel("ipv4", "UP");
    main.peer_table = Some("t4".into());
    main.import = Policy::Reject;
    let offered = |updates_received, updates_rejected| ExportStats {
        updates_received,
        updates_rejected,
        ..ExportStats::default()
    };
    let taken = ImportStats { updates_ignored: 1, updates_accepted: 10, ..ImportStats::default() };
    main.pipe = Some(PipeView {
        import: PipeWay { routes: 0, offered: offered(18, 18), taken: ImportStats::default() },
        export: PipeWay { routes: 10, offered: offered(11, 0), taken },
    });
    let info = Info::Pipe { table: "master4".into(), peer: "t4".into(), opaque: false };
    assert_eq!(
        shown(Kind::Pipe, "up", info, vec![main], None),
        "1002-x          Pipe       ---        up     12:30:47.250  master4 <=> t4
1006-  Channel main
     Table:          master4
     Peer table:     t4
     Import state:   up
     Export state:   up
     Import filter:  REJECT
     Export filter:  ACCEPT
   Routes:         0 imported, 10 exported
   Route change stats:     received   rejected   filtered    ignored   accepted
     Import updates:             18         18          0          0          0
     Import withdraws:            0          0        ---          0          0
     Export updates:             11          0          0          1         10
     Export withdraws:            0          0        ---          0          0
 
0000 
"
    );
}

#[test]
fn a_status_during_recovery_has_milliseconds() {
    let view = StatusView {
        router_id: Ipv4Addr::new(10, 9, 0, 1),
        hostname: "alpha".into(),
        started: Moment(0),
        configured: Moment(0),
        recovery: Some(RecoveryView { waiting: 2, timer: Timer { remaining_ms: 238_762, total_s: 240 } }),
        phase: Phase::Running,
    };
    assert_eq!(
        said(|layout, setting, out| layout.status(&view, setting, out)),
        "1000-BIRD 2.0.12
1011-Router ID is 10.9.0.1
 Hostname is alpha
 Current server time is 2026-11-22 12:30:47.250
 Last reboot on 2026-11-22 12:30:47.250
 Last reconfiguration on 2026-11-22 12:30:47.250
0024-Graceful restart recovery in progress
   Waiting for 2 channels to recover
   Wait timer is 238.762/240
0013 Daemon is up and running
"
    );
}

#[test]
fn sizes_have_a_digit_behind_the_point() {
    let view = MemoryView { tables: 64_205, attributes: 3_736, roa: 0, config: 7, protocols: 9_999, total: 1 << 40 };
    assert_eq!(
        said(|layout, _, out| layout.memory(&view, out)),
        "1018-BIRD memory usage
                   Effective    Overhead
 Routing tables:     62.7 kB      0.0  B
 Route attributes: 3736.0  B      0.0  B
 Protocols:        9999.0  B      0.0  B
 Current config:      7.0  B      0.0  B
 Standby memory:      0.0  B      0.0  B
 Total:            1024.0 GB      0.0  B
0000 
"
    );
}

#[test]
fn routes_of_a_static_protocol() {
    let hop = |gateway: &str, iface: Option<&str>, onlink, bfd| StaticHop {
        gateway: Some(addr(gateway)),
        iface: iface.map(Into::into),
        weight: 3,
        onlink,
        bfd,
    };
    let row = |net: &str, to, dormant: &[bool]| StaticRow { net: net.parse().unwrap(), to, dormant: dormant.to_vec() };
    let plain = |gateway| hop(gateway, None, false, false);
    let rows = [
        row("198.51.100.0/24", StaticTo::Way(StaticDest::Via(vec![plain("10.9.0.9")])), &[false]),
        row("198.51.101.0/24", StaticTo::Way(StaticDest::Blackhole), &[]),
        row(
            "198.51.102.0/24",
            StaticTo::Way(StaticDest::Via(vec![
                plain("10.9.0.2"),
                StaticHop { iface: Some("v1".into()), ..StaticHop::default() },
            ])),
            &[false, false],
        ),
        row("198.51.103.0/24", StaticTo::Way(StaticDest::Recursive(addr("198.51.100.1"))), &[]),
        row("198.51.104.0/24", StaticTo::Way(StaticDest::Device("v0".into())), &[false]),
        row("198.51.105.0/24", StaticTo::Way(StaticDest::Prohibit), &[]),
        row("198.51.106.0/24", StaticTo::Way(StaticDest::Unreachable), &[]),
        row("198.51.107.0/24", StaticTo::Way(StaticDest::Via(vec![hop("10.9.0.9", Some("v0"), true, true)])), &[true]),
        row("198.51.108.0/24", StaticTo::Way(StaticDest::Via(vec![plain("10.7.7.7")])), &[true]),
        row(
            "2001:db8:1::/48",
            StaticTo::Way(StaticDest::Via(vec![hop("fe80::1", Some("v0"), false, false)])),
            &[false],
        ),
    ];
    assert_eq!(
        said(|layout, _, out| {
            layout.statics(&rows, out);
            out.ok();
        }),
        "1009-198.51.100.0/24
 \tvia 10.9.0.9
 198.51.101.0/24\tblackhole
 198.51.102.0/24
 \tvia 10.9.0.2
 \tdev v1
 198.51.103.0/24\trecursive 198.51.100.1
 198.51.104.0/24
 \tdev v0
 198.51.105.0/24\tprohibited
 198.51.106.0/24\tunreachable
 198.51.107.0/24
 \tvia 10.9.0.9%v0 onlink (bfd) (dormant)
 198.51.108.0/24
 \tvia 10.7.7.7 (dormant)
 2001:db8:1::/48
 \tvia fe80::1%v0
0000 
"
    );
}

#[test]
fn sessions_of_bfd() {
    let row = |remote: &str, state, interval_us, timeout_us| BfdSessionView {
        remote: addr(remote),
        iface: Some("v0".into()),
        state,
        since: Moment(0),
        interval_us,
        timeout_us,
        detail: BfdDetail::default(),
    };
    let rows = [row("10.9.0.9", "Down", 1_000_000, 0), row("10.9.0.2", "Up", 100_000, 500_000)];
    assert_eq!(
        said(|layout, setting, out| layout.bfd_sessions("bfd1", Some(&rows), setting, out)),
        "1020-bfd1:
 IP address                Interface  State      Since         Interval  Timeout
 10.9.0.9                  v0         Down       12:30:47.250    1.000    0.000
 10.9.0.2                  v0         Up         12:30:47.250    0.100    0.500
"
    );
}

#[test]
fn a_link_shows_the_addresses_of_both_families() {
    let address = |text: &str, scope| {
        let (addr, len) = text.split_once('/').unwrap();
        let addr: IpAddr = addr.parse().unwrap();
        let prefix = route::Prefix::new(addr, len.parse().unwrap()).unwrap();
        IfaceAddr { addr, prefix, broadcast: None, peer: None, scope, secondary: false }
    };
    let flags = IfaceFlags {
        admin_up: true,
        link_up: true,
        multi_access: true,
        broadcast: true,
        multicast: true,
        ..IfaceFlags::default()
    };
    let addrs = vec![
        address("fe80::4889:65ff:fedc:9eb7/64", Scope::Link),
        address("10.9.0.1/24", Scope::Site),
        address("fd09::1/64", Scope::Site),
    ];
    let iface = Iface { index: IfIndex(2), name: "v0".into(), flags, mtu: 1500, addrs, master: IfIndex(0) };
    let rows = [InterfaceView { iface, master: None, primary: vec![addr("10.9.0.1"), addr("fd09::1")] }];
    assert_eq!(
        said(|layout, setting, out| layout.interfaces(&rows, setting, out)),
        "1001-v0 up (index=2)
1004-\tMultiAccess Broadcast Multicast AdminUp LinkUp MTU=1500
1003-\t10.9.0.1/24 (Preferred, scope site)
 \tfe80::4889:65ff:fedc:9eb7/64 (Preferred, scope link)
 \tfd09::1/64 (Preferred, scope site)
0000 
"
    );
    assert_eq!(
        said(|layout, setting, out| layout.interfaces_summary(&rows, setting, out)),
        "2005-Interface  State  IPv4 address       IPv6 address
1005-v0         up     10.9.0.1/24        fd09::1/64
0000 
"
    );
}

/// As 2.19.2 said it of a session that is up.
#[test]
fn a_session_of_bfd_with_all_that_there_is_to_say() {
    let pace = |min_rx_us| BfdPace { min_tx_us: 100_000, min_rx_us, demand: false, multiplier: 5 };
    let view = BfdSessionView {
        remote: addr("10.8.0.2"),
        iface: Some("d0".into()),
        state: "Up",
        since: Moment(0),
        interval_us: 100_000,
        timeout_us: 500_000,
        detail: BfdDetail {
            remote_state: "Up",
            diagnostic: 1,
            remote_diagnostic: 9,
            discriminator: 4_193_468_701,
            remote_discriminator: 7,
            send_in_us: Some(51_000),
            expires_in_us: Some(492_100),
            ours: pace(10_000),
            theirs: pace(1),
            auth: 3,
            seen_sequence: Some(5),
            sent_sequence: 6,
        },
    };
    let all = said(|layout, setting, out| layout.bfd_details("bf", Some(&[view]), setting, out));
    assert_eq!(
        all,
        "1020-bf:\n   Address:              10.8.0.2\n   Interface:            d0\n   Session type:         Direct\n \
         \u{20} Session state:        Up\n   Remote state:         Up\n   Last state change:    12:30:47.250\n \
         \u{20} Local diagnostic:     Time expired\n   Remote diagnostic:    Error #9\n   Local discriminator:  4193468701\n \
         \u{20} Remote discriminator: 7\n   Transmit timer:       0.051 / 0.100\n   Detect timer:         0.492 / 0.500\n \
         \u{20} Local parameters:\n     Min TX interval:    0.100\n     Min RX interval:    0.010\n     Demand mode:        No\n \
         \u{20}   Multiplier:         5\n   Remote parameters:\n     Min TX interval:    0.100\n     Min RX interval:    0.000\n \
         \u{20}   Demand mode:        No\n     Multiplier:         5\n   Authentication:\n \
         \u{20}   Type:               Meticulous keyed MD5\n     RX CSN:             5\n     TX CSN:             6\n \n"
    );
}

/// The columns are those of 3.3.2.
#[test]
fn the_threads_of_the_process() {
    let rows = [ThreadView { name: "table".into(), working_ms: 11, overhead_ms: 443, age_ms: 2_017_699 }];
    let all = said(|layout, _, out| layout.threads(&rows, false, out));
    assert_eq!(
        all,
        "1027-Thread ID       Working         Overhead        Last Pickup/Drop\n \
         0001                0.011 s       0.443 s    2017.699 s\n1027 All loops in group worker are assigned.\n"
    );
    let all = said(|layout, _, out| layout.threads(&rows, true, out));
    assert_eq!(
        all,
        "1027-Thread 0001  (busy counter 0)\n   Loop table\n     Working  total time:     0.011 s\n \
         \u{20} Total working time: 0.011\n     Overhead total time:     0.443 s\n \
         \u{20}   Idle     total time:  2017.245 s\n1027 All loops in group worker are assigned.\n"
    );
}
