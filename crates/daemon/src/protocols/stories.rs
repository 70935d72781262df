//! The four protocols together, with real tables and a real kernel, each story in a namespace of its own. Needs root.
//!
//! The configurations and what the kernel shows are those of `reference/kernel/1.6.8`.

use super::{DeviceHandle, Diary, DirectHandle, KernelHandle, Start, StaticHandle};
use crate::settings::Settings;
use crate::translate::ChannelIds;
use crate::world::World;
use conf::config::{Config, ProtocolConf, ProtocolKind};
use conf::files::Memory;
use conf::load::{LoadOptions, load};
use netlink::{IfaceRules, Monitor};
use rib::query::{Order, PathView, TableSpec};
use route::attrs::LocalAttr;
use route::options::Voice;
use route::{Family, Ifaces, Prefix, Resolved, TableId};
use session::link::TableMsg;
use session::recovery::Recovery;
use std::collections::HashMap;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

const STATIC: &str = r#"protocol static {
    route 20.0.1.0/24 via 10.1.1.2; route 20.0.2.0/24 via "d0"; route 20.0.3.0/24 blackhole;
    route 20.0.4.0/24 unreachable; route 20.0.5.0/24 prohibit; route 20.0.6.1/32 via 10.1.2.2; route 0.0.0.0/0 via 10.1.1.2;
}
"#;

const ALL_SEVEN: &str = "default via 10.1.1.2 dev d0
20.0.1.0/24 via 10.1.1.2 dev d0
20.0.2.0/24 dev d0 scope link
blackhole 20.0.3.0/24
unreachable 20.0.4.0/24
prohibit 20.0.5.0/24
20.0.6.1 via 10.1.2.2 dev d1
";

const WITHOUT_D0: &str = "blackhole 20.0.3.0/24
unreachable 20.0.4.0/24
prohibit 20.0.5.0/24
20.0.6.1 via 10.1.2.2 dev d1
";

/// A namespace with d0 (10.1.1.1/24) and d1 (10.1.2.1/24), each the end of a veth pair.
fn lab() {
    nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNET).expect("a network namespace needs root");
    for i in [0, 1] {
        ip(&format!("link add d{i} type veth peer name p{i}"));
        ip(&format!("link set d{i} up"));
        ip(&format!("link set p{i} up"));
        ip(&format!("addr add 10.1.{}.1/24 dev d{i}", i + 1));
    }
}

fn ip(arguments: &str) -> String {
    let out = Command::new("ip").args(arguments.split_whitespace()).output().unwrap();
    assert!(out.status.success(), "ip {arguments}: {}", String::from_utf8_lossy(&out.stderr));
    let text = String::from_utf8(out.stdout).unwrap();
    text.lines().map(|l| l.trim_end().to_owned() + "\n").collect()
}

fn ours() -> String {
    ip("route show proto bird")
}

/// Waits until something is so.
async fn until(what: &str, is_so: impl Fn() -> bool) {
    for _ in 0..500 {
        if is_so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{what} never came; routes of ours:\n{}", ours());
}

/// Waits until our routes in the kernel are these.
async fn kernel_has(expected: &str) {
    until(expected, || ours() == expected).await;
}

/// Makes a protocol and has it begin.
macro_rules! begun {
    ($kind:ident, $start:expr) => {{
        let handle = $kind::spawn($start);
        handle.begin();
        handle
    }};
}

/// The daemon's protocols without its supervisor.
struct Lab {
    world: World,
    table: TableId,
    numbers: HashMap<String, Start>,
    statics: HashMap<String, StaticHandle>,
    directs: Vec<DirectHandle>,
    devices: Vec<DeviceHandle>,
    kernels: Vec<KernelHandle>,
}

impl Lab {
    async fn start(text: &str) -> Self {
        Self::start_in(Recovery::none(), text).await
    }

    async fn start_in(recovery: Recovery, text: &str) -> Self {
        let rules = IfaceRules { family: Some(Family::Ipv4), needs_address: true };
        let monitor = Monitor::start(rules, None).await.unwrap();
        let world = World::start(&Settings::default(), monitor, recovery);
        let table = world.numbers.table();
        let spec = TableSpec { id: table, name: "master".into(), family: Family::Ipv4, order: Order::default() };
        world.deps.tables.add(spec);
        // What the supervisor does while a device protocol runs.
        let (tables, mut seen, links) = (world.deps.tables.clone(), world.monitor.ifaces(), Arc::clone(&world.links));
        let look = move |ifaces: Arc<Ifaces>| {
            links.send_replace(Arc::clone(&ifaces));
            tables.send(table, TableMsg::Ifaces(ifaces));
        };
        look(Arc::clone(&seen.borrow_and_update()));
        tokio::spawn(async move {
            while seen.changed().await.is_ok() {
                look(Arc::clone(&seen.borrow_and_update()));
            }
        });
        let mut lab = Self {
            world,
            table,
            numbers: HashMap::new(),
            statics: HashMap::new(),
            directs: Vec::new(),
            devices: Vec::new(),
            kernels: Vec::new(),
        };
        for conf in &config(text).protocols {
            lab.begin(conf);
        }
        lab
    }

    fn begin(&mut self, conf: &ProtocolConf) {
        let channel = |_| ChannelIds {
            channel: self.world.numbers.channel(),
            table: self.table,
            igp_table: self.table,
            other_igp_table: self.table,
        };
        let start = Start {
            id: self.world.numbers.protocol(),
            conf: Arc::new(conf.clone()),
            channels: conf.channels.iter().map(channel).collect(),
            diary: Diary::new(&conf.name, Voice::Protocol, Vec::new(), conf.debug),
            world: self.world.clone(),
        };
        self.numbers.insert(conf.name.to_string(), start.clone());
        match &conf.kind {
            ProtocolKind::Device(_) => self.devices.push(begun!(DeviceHandle, start)),
            ProtocolKind::Direct(_) => self.directs.push(begun!(DirectHandle, start)),
            ProtocolKind::Static(_) => drop(self.statics.insert(conf.name.to_string(), begun!(StaticHandle, start))),
            ProtocolKind::Kernel(_) => self.kernels.push(begun!(KernelHandle, start)),
            ProtocolKind::Bgp(_)
            | ProtocolKind::Bfd(_)
            | ProtocolKind::Mrt(_)
            | ProtocolKind::Pipe(_)
            | ProtocolKind::Aggregator(_)
            | ProtocolKind::Bmp(_)
            | ProtocolKind::Rpki(_) => {
                panic!("not in these stories")
            }
        }
    }

    fn kernel(&self) -> &KernelHandle {
        &self.kernels[0]
    }

    async fn paths(&self, net: &str) -> Vec<PathView> {
        let net: Prefix = net.parse().unwrap();
        let find = move |t: &mut rib::table::Table| t.find(&net).and_then(|id| t.show(id)).map(|v| v.paths);
        self.world.deps.tables.query(self.table, find).await.unwrap().unwrap_or_default()
    }

    /// Waits until the table has as many paths for a prefix.
    async fn table_has(&self, net: &str, count: usize) -> Vec<PathView> {
        for _ in 0..500 {
            let paths = self.paths(net).await;
            if paths.len() == count {
                return paths;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{net} has {:?}", self.paths(net).await);
    }
}

fn config(text: &str) -> Config {
    let files = Memory::new().with("c", format!("router id 10.1.1.1;\nprotocol device {{ scan time 2; }}\n{text}"));
    load("c", &files, &LoadOptions::default()).unwrap_or_else(|refused| panic!("{}", refused.line())).config
}

#[tokio::test]
async fn routes_follow_links_and_addresses_into_the_kernel() {
    lab();
    let direct = "protocol direct { }\nprotocol kernel { scan time 1000; export all; }\n";
    let lab = Lab::start(&format!("{direct}{STATIC}")).await;
    kernel_has(ALL_SEVEN).await;
    assert_eq!(lab.table_has("10.1.1.0/24", 1).await[0].source.protocol_name.as_ref(), "direct1");
    ip("link set d0 down");
    kernel_has(WITHOUT_D0).await;
    lab.table_has("10.1.1.0/24", 0).await;
    ip("link set d0 up");
    kernel_has(ALL_SEVEN).await;
    lab.table_has("10.1.1.0/24", 1).await;
    ip("addr del 10.1.1.1/24 dev d0");
    kernel_has(WITHOUT_D0).await;
    // The kernel removes routes before it tells: what we know comes a moment later.
    let dormant = || lab.statics["static1"].rows().iter().map(|r| r.dormant[0]).collect::<Vec<_>>();
    until("dormant routes", || dormant() == [true, true, false, false, false, false, true]).await;
    ip("addr add 10.1.1.1/24 dev d0");
    kernel_has(ALL_SEVEN).await;
    assert_eq!(lab.devices[0].views(&lab.world.deps.ifaces.borrow()).len(), 5);
    assert_eq!(lab.kernel().stats().1, 7);
}

#[tokio::test]
async fn a_link_that_flaps_faster_than_anybody_looks_loses_no_route() {
    lab();
    let _lab = Lab::start(&format!("protocol kernel {{ scan time 1000; export all; }}\n{STATIC}")).await;
    kernel_has(ALL_SEVEN).await;
    // One after the other while nothing of ours runs on this thread.
    ip("link set d0 down");
    ip("link set d0 up");
    kernel_has(ALL_SEVEN).await;
}

#[tokio::test]
async fn stopping_removes_our_routes_unless_they_persist_and_a_new_start_adopts_them() {
    lab();
    let persist = format!("protocol kernel {{ scan time 1000; persist; export all; }}\n{STATIC}");
    let first = Lab::start(&persist).await;
    kernel_has(ALL_SEVEN).await;
    first.kernel().stop().await;
    first.statics["static1"].stop().await;
    assert_eq!(ours(), ALL_SEVEN);
    drop(first);

    // Killed with one route less and one changed: reference/kernel/1.6.8/kill9-then-restart.txt.
    let text = STATIC.replace("route 20.0.1.0/24 via 10.1.1.2;", "").replace("via 10.1.2.2", "via 10.1.1.3");
    let second = Lab::start(&format!("{text}protocol kernel {{ scan time 1000; export all; }}\n")).await;
    let expected = ALL_SEVEN
        .replace("20.0.1.0/24 via 10.1.1.2 dev d0\n", "")
        .replace("via 10.1.2.2 dev d1", "via 10.1.1.3 dev d0");
    kernel_has(&expected).await;
    second.kernel().stop().await;
    assert_eq!(ours(), "");
    second.kernel().begin();
    kernel_has(&expected).await;
    second.kernel().stop().await;
    second.kernel().stop().await;
    assert_eq!(ours(), "");
}

fn limited(action: &str) -> String {
    format!("protocol kernel {{ scan time 1000; export limit 3 action {action}; export all; }}\n{STATIC}")
}

fn kernel_conf(text: &str) -> Arc<ProtocolConf> {
    let is_kernel = |p: &&ProtocolConf| matches!(p.kind, ProtocolKind::Kernel(_));
    Arc::new(config(text).protocols.iter().find(is_kernel).unwrap().clone())
}

#[tokio::test]
async fn a_passed_export_limit_that_disables_empties_the_kernel_and_stays_down_until_it_is_enabled() {
    lab();
    let lab = Lab::start(&limited("disable")).await;
    until("down", || lab.kernel().limited().is_some_and(|l| l.is_down)).await;
    assert_eq!((ours().as_str(), lab.kernel().stats().1), ("", 0));
    lab.kernel().reload();
    lab.kernel().reconfigure(kernel_conf(&limited("warn"))).await;
    assert_eq!(ours(), "");
    lab.kernel().begin();
    kernel_has(ALL_SEVEN).await;
    assert!(lab.kernel().limited().is_none());
    // A limit that comes later is passed at once by what stands.
    lab.kernel().reconfigure(kernel_conf(&limited("disable"))).await;
    kernel_has("").await;
}

#[tokio::test]
async fn a_passed_export_limit_that_restarts_tries_again_and_one_that_blocks_keeps_the_first() {
    lab();
    let lab = Lab::start(&limited("restart")).await;
    until("restart", || lab.kernel().limited().is_some_and(|l| !l.is_down)).await;
    lab.kernel().reconfigure(kernel_conf(&limited("block"))).await;
    until("three routes", || ours().lines().count() == 3).await;
    assert_eq!(lab.kernel().stats().1, 3);
    // Shut for good, also when there is room again.
    lab.statics["static1"].stop().await;
    kernel_has("").await;
    lab.statics["static1"].begin();
    lab.table_has("20.0.3.0/24", 1).await;
    assert_eq!(ours(), "");
    lab.kernel().reload();
    until("three routes", || ours().lines().count() == 3).await;
}

#[tokio::test]
async fn a_refused_route_is_shown_and_installed_at_a_scan_after_the_alien_has_gone() {
    lab();
    ip("route add 20.0.1.0/24 via 10.1.2.2");
    let lab = Lab::start(&format!("protocol kernel {{ scan time 1; export all; }}\n{STATIC}")).await;
    let without = ALL_SEVEN.replace("20.0.1.0/24 via 10.1.1.2 dev d0\n", "");
    kernel_has(&without).await;
    let net: Prefix = "20.0.1.0/24".parse().unwrap();
    until("refusal", || lab.kernel().is_refused(&net)).await;
    assert!(!lab.kernel().is_refused(&"20.0.3.0/24".parse().unwrap()));
    ip("route del 20.0.1.0/24 via 10.1.2.2");
    kernel_has(ALL_SEVEN).await;
    until("peace", || !lab.kernel().is_refused(&net)).await;
}

#[tokio::test]
async fn alien_routes_are_learned_at_once_and_do_not_go_back() {
    lab();
    ip("route add 40.0.1.0/24 via 10.1.1.2");
    ip("route add 40.0.1.0/24 via 10.1.2.2 metric 9");
    ip("route add 40.0.5.0/24 nexthop via 10.1.1.2 nexthop via 10.1.2.2");
    let text = "protocol kernel { scan time 1000; learn; import all; export all; }\nprotocol static { route 20.0.1.0/24 via 10.1.1.2; }\n";
    let lab = Lab::start(text).await;
    kernel_has("20.0.1.0/24 via 10.1.1.2 dev d0\n").await;
    let path = &lab.table_has("40.0.1.0/24", 1).await[0];
    assert_eq!(path.attrs.local().preference, 10);
    assert_eq!(path.attrs.local().extra(LocalAttr::KrtMetric), Some(&route::attrs::LocalValue::Int(0)));
    assert!(matches!(&lab.table_has("40.0.5.0/24", 1).await[0].hop.to, Resolved::Multipath(hops) if hops.len() == 2));
    ip("route del 40.0.1.0/24 via 10.1.1.2");
    ip("route add 40.0.11.0/24 via 10.1.1.2");
    lab.table_has("40.0.11.0/24", 1).await;
    let path = &lab.table_has("40.0.1.0/24", 1).await[0];
    assert_eq!(path.attrs.local().extra(LocalAttr::KrtMetric), Some(&route::attrs::LocalValue::Int(9)));
    assert_eq!(ours(), "20.0.1.0/24 via 10.1.1.2 dev d0\n");
    // The static route was told (twice, when the feed and a change brought it), the learned ones were vetoed.
    let (stats, exported) = lab.kernel().stats();
    assert_eq!((exported, stats.updates_filtered, stats.withdraws_accepted), (1, 0, 0));
    assert!(stats.updates_rejected >= 3, "{stats:?}");
    lab.kernel().stop().await;
    lab.table_has("40.0.1.0/24", 0).await;
}

#[tokio::test]
async fn a_changed_export_filter_adds_and_removes_what_differs() {
    lab();
    let kernel = |export: &str| format!("protocol kernel {{ scan time 1000; export {export}; }}\n{STATIC}");
    let lab = Lab::start(&kernel("all")).await;
    kernel_has(ALL_SEVEN).await;
    let change = |text: String| {
        let conf = config(&text).protocols.into_iter().find(|p| &*p.name == "kernel1").unwrap();
        lab.kernel().reconfigure(Arc::new(conf))
    };
    change(kernel("where net ~ [20.0.1.0/24, 20.0.3.0/24]")).await;
    kernel_has("20.0.1.0/24 via 10.1.1.2 dev d0\nblackhole 20.0.3.0/24\n").await;
    until("count", || lab.kernel().stats().1 == 2).await;
    change(kernel("filter { if net = 20.0.1.0/24 then krt_prefsrc = 10.1.2.1; if net = 20.0.3.0/24 then krt_mtu = 1300; if net = 20.0.4.0/24 then krt_metric = 55; accept; }")).await;
    let dressed = ALL_SEVEN
        .replace("20.0.1.0/24 via 10.1.1.2 dev d0", "20.0.1.0/24 via 10.1.1.2 dev d0 src 10.1.2.1")
        .replace("blackhole 20.0.3.0/24", "blackhole 20.0.3.0/24 mtu 1300")
        .replace("unreachable 20.0.4.0/24", "unreachable 20.0.4.0/24 metric 55");
    kernel_has(&dressed).await;
    change(kernel("all")).await;
    kernel_has(ALL_SEVEN).await;
}

#[tokio::test]
async fn equal_static_routes_are_merged_and_parted_again() {
    lab();
    let text = "protocol kernel { scan time 1000; export all; merge paths on; }
        protocol static s1 { route 20.0.1.0/24 multipath via 10.1.1.2 via 10.1.2.2 weight 3; route 20.0.2.0/24 via 10.1.1.2; }
        protocol static s2 { route 20.0.2.0/24 via 10.1.2.2; }";
    let lab = Lab::start(text).await;
    let heavy = "20.0.1.0/24\n\tnexthop via 10.1.2.2 dev d1 weight 3\n\tnexthop via 10.1.1.2 dev d0 weight 1\n";
    let merged = "20.0.2.0/24\n\tnexthop via 10.1.1.2 dev d0 weight 1\n\tnexthop via 10.1.2.2 dev d1 weight 1\n";
    kernel_has(&format!("{heavy}{merged}")).await;
    lab.statics["s2"].stop().await;
    kernel_has(&format!("{heavy}20.0.2.0/24 via 10.1.1.2 dev d0\n")).await;
    ip("link set d1 down");
    kernel_has("20.0.1.0/24 via 10.1.1.2 dev d0\n20.0.2.0/24 via 10.1.1.2 dev d0\n").await;
    ip("link set d1 up");
    kernel_has(&format!("{heavy}20.0.2.0/24 via 10.1.1.2 dev d0\n")).await;
}

#[tokio::test]
async fn changed_static_routes_touch_only_themselves() {
    lab();
    let kernel = "protocol kernel { scan time 1000; export all; }\n";
    let lab = Lab::start(&format!("{kernel}{STATIC}")).await;
    kernel_has(ALL_SEVEN).await;
    let before = lab.paths("20.0.3.0/24").await[0].since;
    let text = STATIC
        .replace("20.0.1.0/24 via 10.1.1.2", "20.0.1.0/24 via 10.1.2.2")
        .replace("route 20.0.5.0/24 prohibit;", "");
    let conf = config(&format!("{kernel}{text}")).protocols.into_iter().find(|p| &*p.name == "static1").unwrap();
    lab.statics["static1"].reconfigure(Arc::new(conf)).await;
    let expected = ALL_SEVEN
        .replace("prohibit 20.0.5.0/24\n", "")
        .replace("20.0.1.0/24 via 10.1.1.2 dev d0", "20.0.1.0/24 via 10.1.2.2 dev d1");
    kernel_has(&expected).await;
    assert_eq!(lab.paths("20.0.3.0/24").await[0].since, before);
}

#[tokio::test]
async fn recursive_static_routes_are_looked_up_in_the_table() {
    lab();
    let text = "protocol kernel { scan time 1000; export all; }
        protocol static { route 20.0.1.0/24 via 10.1.1.2; route 20.0.8.0/24 recursive 20.0.1.5; route 20.0.10.0/24 recursive 10.55.0.1; }";
    let lab = Lab::start(text).await;
    kernel_has("20.0.1.0/24 via 10.1.1.2 dev d0\n20.0.8.0/24 via 10.1.1.2 dev d0\nunreachable 20.0.10.0/24\n").await;
    assert!(lab.paths("20.0.8.0/24").await[0].hop.recursive);
}

#[tokio::test]
async fn while_the_daemon_recovers_from_a_restart_nothing_is_removed() {
    lab();
    ip("route add 30.0.1.0/24 via 10.1.1.2 proto bird");
    let recovery = Recovery::restarting();
    let hold = recovery.hold().unwrap();
    tokio::spawn(recovery.clone().begin(Duration::from_secs(60)));
    let text = "protocol static { route 20.0.1.0/24 via 10.1.1.2; }\nprotocol kernel { scan time 1; graceful restart; learn; import all; export all; }";
    let lab = Lab::start_in(recovery, text).await;
    // The kernel protocol is at work: it learns. A second later it has scanned again.
    ip("route add 40.0.1.0/24 via 10.1.1.2");
    lab.table_has("40.0.1.0/24", 1).await;
    assert_eq!(lab.kernel().stats().1, 0);
    assert_eq!(ours(), "30.0.1.0/24 via 10.1.1.2 dev d0\n");
    drop(hold);
    kernel_has("20.0.1.0/24 via 10.1.1.2 dev d0\n").await;
}
