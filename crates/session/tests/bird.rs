//! A peer against real BIRD 1.6.8, each in a network namespace of its own, joined by a veth pair.
//!
//! Runs where BIRD is installed and namespaces may be made (root); elsewhere it says so and passes.

#![allow(clippy::unwrap_used, reason = "tests")]

mod world;

use rbird_session::peer::*;
use route::attr::code;
use route::iface::Scope;
use route::{ChannelId, IfIndex, Iface, IfaceAddr, Ifaces};
use std::fs::File;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use world::*;

const BGP: ChannelId = ChannelId(2);

/// Two namespaces, `d0` in each: 10.1.1.1 is ours, 10.1.1.2 is BIRD's. Gone when dropped.
struct Link {
    ours: String,
    theirs: String,
    dir: PathBuf,
}

fn ip(args: &str) -> bool {
    let status = Command::new("ip").args(args.split_whitespace()).stderr(Stdio::null()).status();
    status.is_ok_and(|s| s.success())
}

impl Link {
    fn new(test: &str) -> Option<Self> {
        let has_bird = Command::new("bird").arg("--version").stderr(Stdio::null()).status().is_ok();
        let id = std::process::id();
        let link = Self {
            ours: format!("rbs-{test}-{id}-a"),
            theirs: format!("rbs-{test}-{id}-b"),
            dir: std::env::temp_dir().join(format!("rbs-{test}-{id}")),
        };
        let Self { ours, theirs, dir } = &link;
        if !has_bird || !ip(&format!("netns add {ours}")) {
            // `cargo xtask test --quick` says so; anywhere else this is a failure.
            assert!(std::env::var_os("RBIRD_QUICK").is_some(), "needs bird and the right to make network namespaces");
            return None;
        }
        std::fs::create_dir_all(dir).unwrap();
        assert!(ip(&format!("netns add {theirs}")));
        assert!(ip(&format!("link add d0 netns {ours} type veth peer name d0 netns {theirs}")));
        for (ns, addr) in [(ours, "10.1.1.1/24"), (theirs, "10.1.1.2/24")] {
            assert!(ip(&format!("-n {ns} addr add {addr} dev d0")));
            let six = addr.replace("10.1.1.", "2001:db8::").replace("/24", "/64");
            assert!(ip(&format!("-n {ns} -6 addr add {six} dev d0 nodad")));
            assert!(ip(&format!("-n {ns} link set d0 up")));
            assert!(ip(&format!("-n {ns} link set lo up")));
        }
        Some(link)
    }

    /// Runs a test of ours inside our namespace.
    fn inside(&self, test: impl Future<Output = ()>) {
        let ns = File::open(format!("/run/netns/{}", self.ours)).unwrap();
        nix::sched::setns(ns.as_fd(), nix::sched::CloneFlags::CLONE_NEWNET).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(test);
    }

    fn bird(&self, protocol: &str) -> Bird {
        let mut text = String::from("router id 10.1.1.2;\nlog stderr all;\nprotocol device { }\nprotocol static {\n");
        for i in 0..1000 {
            text += &format!("route 10.{}.{}.0/24 blackhole;\n", 8 + i / 256, i % 256);
        }
        text += &format!(
            "}}\nprotocol bgp p1 {{ local 10.1.1.2 as 65002; neighbor 10.1.1.1 as 65001; connect delay time 1; import all; export all; {protocol} }}\n"
        );
        self.start("bird", &text)
    }

    fn start(&self, program: &str, text: &str) -> Bird {
        let conf = self.dir.join("bird.conf");
        std::fs::write(&conf, text).unwrap();
        let child = Command::new("ip")
            .args(["netns", "exec", &self.theirs, program, "-f", "-c"])
            .arg(&conf)
            .arg("-s")
            .arg(self.dir.join("ctl"))
            .arg("-P")
            .arg(self.dir.join("pid"))
            .stderr(File::create(self.dir.join("log")).unwrap())
            .spawn()
            .unwrap();
        Bird { child, socket: self.dir.join("ctl") }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        ip(&format!("netns del {}", self.ours));
        ip(&format!("netns del {}", self.theirs));
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

/// A running BIRD; killed when dropped.
struct Bird {
    child: Child,
    socket: PathBuf,
}

impl Bird {
    fn ctl(&self, command: &str) -> String {
        let output =
            Command::new("birdc").arg("-s").arg(&self.socket).args(command.split_whitespace()).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    /// Asks until the answer has this in it.
    async fn says(&self, command: &str, wanted: &str) {
        for _ in 0..600 {
            if self.ctl(command).contains(wanted) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{command}: {wanted} awaited, but:\n{}", self.ctl(command));
    }
}

impl Drop for Bird {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn addr((addr, prefix): (&str, &str)) -> IfaceAddr {
    IfaceAddr {
        addr: addr.parse().unwrap(),
        prefix: prefix.parse().unwrap(),
        broadcast: None,
        peer: None,
        scope: Scope::Site,
        secondary: false,
    }
}

fn links() -> Ifaces {
    let d0 = Iface {
        index: IfIndex(2),
        name: "d0".into(),
        flags: route::iface::IfaceFlags { admin_up: true, link_up: true, ..Default::default() },
        mtu: 1500,
        master: IfIndex(0),
        addrs: [("10.1.1.1", "10.1.1.0/24"), ("2001:db8::1", "2001:db8::/64")].map(addr).into(),
    };
    Ifaces::new(lo().iter().cloned().chain([d0]).collect())
}

fn world() -> World {
    let world = World::new();
    let links = Arc::new(links());
    world.ifaces.send_replace(Arc::clone(&links));
    world.deps.tables.send(TABLE, rbird_session::link::TableMsg::Ifaces(Arc::clone(&links)));
    world.deps.exports.set_ifaces(links);
    world
}

fn towards_bird() -> PeerSpec {
    let ours = "0.0.0.0:179".parse().unwrap();
    let mut spec = spec("p1", (65001, 65002), ours, "10.1.1.2:179".parse().unwrap());
    spec.local_addr = Some("10.1.1.1".parse().unwrap());
    spec.router_id = 0x0a01_0101;
    spec
}

#[test]
fn bird_and_we_exchange_a_thousand_routes_each_way() {
    let Some(link) = Link::new("routes") else { return };
    link.inside(async {
        let bird = link.bird("");
        let world = world();
        world.announce([10, 100], 1000);
        let peer = world.peer(towards_bird());
        peer.start();
        until(&peer, "up Established").await;
        world.imported(BGP, 1000).await;
        bird.says("show protocols all p1", "1000 imported, 1000 exported").await;
        let view = world
            .deps
            .tables
            .query(TABLE, |t| {
                let id = t.find(&"10.8.0.0/24".parse().unwrap())?;
                t.show(id)
            })
            .await
            .unwrap()
            .unwrap();
        let attrs = &view.paths[0].attrs;
        assert_eq!(attrs.as_path().to_string(), "65002");
        assert_eq!(attrs.next_hop().unwrap().0.to_string(), "10.1.1.2");
        assert_eq!(attrs.get_u32(code::LOCAL_PREF), Some(100));
        assert!(bird.ctl("show route 10.100.0.0/24 all").contains("BGP.as_path: 65001"));

        // BIRD withdraws, announces again, and is asked to tell all again.
        bird.ctl("disable static1");
        world.imported(BGP, 0).await;
        bird.ctl("enable static1");
        world.imported(BGP, 1000).await;
        assert!(peer.reload_in());
        bird.ctl("reload in p1");
        bird.says("show protocols all p1", "Import updates:           2000").await;
        world.imported(BGP, 1000).await;

        // We go, and come back.
        peer.stop(StopReason::Disable, Some("planned work".into())).await;
        bird.says("show protocols p1", "Received: Administrative shutdown").await;
        world.imported(BGP, 0).await;
        peer.start();
        until(&peer, "up Established").await;
        world.imported(BGP, 1000).await;

        // BIRD goes with a Cease.
        bird.ctl("down");
        until(&peer, "start Active Socket: Connection refused").await;
        world.imported(BGP, 0).await;
    });
}

#[test]
fn bird_opens_the_connection_when_we_are_passive_and_passwords_are_equal() {
    let Some(link) = Link::new("passive") else { return };
    link.inside(async {
        let _bird = link.bird("password \"secret\";");
        let world = world();
        let mut spec = towards_bird();
        spec.passive = true;
        spec.password = Some("secret".into());
        let peer = world.peer(spec);
        peer.start();
        assert_eq!(shown(&peer.status.borrow()), "down");
        until(&peer, "up Established").await;
        world.imported(BGP, 1000).await;
    });
}

#[test]
fn a_bird_that_restarts_gracefully_keeps_its_routes_here() {
    let Some(link) = Link::new("restart") else { return };
    link.inside(async {
        let mut bird = link.bird("graceful restart; graceful restart time 20;");
        let world = world();
        let peer = world.peer(towards_bird());
        peer.start();
        until(&peer, "up Established").await;
        world.imported(BGP, 1000).await;
        // `ip netns exec` has become bird.
        bird.child.kill().unwrap();
        bird.child.wait().unwrap();
        until(&peer, "start Active Socket: Connection refused").await;
        assert!(peer.status.borrow().restart_active);
        assert_eq!(world.counts(BGP).await.imported, 1000);
        drop(bird);
        let _bird = link.bird("graceful restart; graceful restart time 20;");
        until(&peer, "up Established").await;
        // Not a restart with -R: no forwarding state, so routes went and came again.
        world.imported(BGP, 1000).await;
        assert!(!peer.status.borrow().restart_active);
    });
}

#[test]
fn bird6_and_we_exchange_routes_over_ipv6() {
    let Some(link) = Link::new("six") else { return };
    link.inside(async {
        let mut text = String::from("router id 10.1.1.2;\nlog stderr all;\nprotocol device { }\nprotocol static {\n");
        for i in 0..1000 {
            text += &format!("route 2001:db8:{i:x}::/48 blackhole;\n");
        }
        text += "}\nprotocol bgp p1 { local 2001:db8::2 as 65002; neighbor 2001:db8::1 as 65001; connect delay time 1; import all; export all; }\n";
        let bird = link.start("bird6", &text);
        let world = world();
        let mut spec = towards_bird();
        spec.listen = Some("[::]:179".parse().unwrap());
        spec.local_addr = Some("2001:db8::1".parse().unwrap());
        spec.peer_addr = "2001:db8::2".parse().unwrap();
        let table = route::TableId(6);
        let family = route::Family::Ipv6;
        world.deps.tables.add(rib::table::TableSpec { id: table, name: "master6".into(), family, order: rib::table::Order::default() });
        let channel = &mut spec.channels[0];
        (channel.family, channel.table) = (family, table);
        channel.igp_tables = wire::PerFamily { ipv4: table, ipv6: table };
        let peer = world.peer(spec);
        peer.start();
        until(&peer, "up Established").await;
        bird.says("show protocols all p1", "Established").await;
        let tables = world.deps.tables.clone();
        let work = async {
            while tables.query(table, |t| t.counts(BGP)).await.unwrap().imported < 1000 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, work).await.unwrap();
    });
}
