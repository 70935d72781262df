//! The scripted peer against itself, and against real BIRD where that is installed.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use rbird_testkit::{Heard, Peer, PeerError};
use route::attr::code;
use route::attrs::{Local, Records};
use route::hop::Dest;
use route::{AttrSetBuilder, Family, SourceKind};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::process::{Child, Command};
use std::time::Duration;
use wire::notification::{CEASE, cease};
use wire::refresh::Subtype;
use wire::{Nlri, Notification, RouteRefresh};

const SOON: Duration = Duration::from_secs(10);

fn nlri(net: &str) -> Nlri {
    Nlri { net: net.parse().unwrap(), path_id: 0 }
}

/// ORIGIN IGP, the path, the next hop.
fn attributes(asns: &[u32], next_hop: Ipv4Addr) -> Vec<u8> {
    let mut set = AttrSetBuilder::new(Local::new(SourceKind::Bgp, 100, Dest::Unreachable));
    let mut path = vec![2, asns.len() as u8];
    path.extend(asns.iter().flat_map(|asn| asn.to_be_bytes()));
    set.set(code::ORIGIN, &[0]);
    set.set(code::AS_PATH, &path);
    set.set(code::NEXT_HOP, &next_hop.octets());
    set.octets().to_vec()
}

fn value(octets: &[u8], code: u8) -> &[u8] {
    Records::new(octets).find(|r| r.code == code).map_or(&[], |r| r.value)
}

/// Two peers with a session between them.
fn pair() -> (Peer, Peer) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let to = listener.local_addr().unwrap();
    let other = std::thread::spawn(move || {
        let mut peer = Peer::accept(&listener, SOON).unwrap();
        peer.establish(&Peer::usual_open(65_002, 2), SOON).unwrap();
        peer
    });
    let mut peer = Peer::connect(Ipv4Addr::LOCALHOST.into(), to, SOON).unwrap();
    let open = peer.establish(&Peer::usual_open(65_001, 1), SOON).unwrap();
    assert_eq!(open.asn, 65_002);
    (peer, other.join().unwrap())
}

#[test]
fn a_peer_is_told_what_the_other_says() {
    let (mut one, mut two) = pair();
    let octets = attributes(&[65_001], Ipv4Addr::new(10, 0, 0, 1));
    one.announce(&octets, &[nlri("192.0.2.0/24"), nlri("198.51.100.0/24")]).unwrap();
    one.withdraw(&[nlri("192.0.2.0/24")]).unwrap();
    one.end_of_rib(Family::Ipv4).unwrap();
    let told = two.until("End-of-RIB", SOON, |told| !told.end_of_rib.is_empty()).unwrap();
    assert_eq!(told.nets(), ["198.51.100.0/24"]);
    assert_eq!(told.attributes(nlri("198.51.100.0/24").net), Some(octets.as_slice()));
    assert_eq!((told.announced, told.withdrawn), (2, 1));

    let reason = Notification::new(CEASE, cease::ADMINISTRATIVE_SHUTDOWN);
    one.notify(&reason).unwrap();
    assert_eq!(two.until_notification(SOON).unwrap(), reason);
    assert_eq!(two.hear(SOON).unwrap(), Some(Heard::Closed));
}

#[test]
fn a_peer_that_breaks_the_protocol_is_found_out() {
    let (mut one, mut two) = pair();
    one.send(&[0; 19]).unwrap();
    let Err(PeerError::Broken(reason)) = two.hear(SOON) else { panic!() };
    assert_eq!(reason, Notification::new(1, 1));
}

/// BIRD in the foreground; it ends with the test.
struct Bird {
    child: Child,
    dir: tempfile::TempDir,
}

impl Drop for Bird {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Bird {
    /// BIRD 1.6 in AS 65001 on a port of its own, with one static route and a passive session with AS 65002.
    fn start(listen: SocketAddr, peer: IpAddr) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let conf = dir.path().join("bird.conf");
        let (local, port) = (listen.ip(), listen.port());
        let text = format!(
            "router id 10.0.0.1;\nlisten bgp address {local} port {port};\nprotocol device {{ }}\n\
             protocol static {{ route 203.0.113.0/24 blackhole; }}\n\
             protocol bgp p1 {{ local {local} as 65001; neighbor {peer} as 65002; multihop; passive;\n\
             import all; export filter {{ bgp_next_hop = 10.0.0.1; accept; }}; }}\n"
        );
        std::fs::write(&conf, text).unwrap();
        let child = Command::new("bird")
            .arg("-f")
            .arg("-c")
            .arg(&conf)
            .arg("-s")
            .arg(dir.path().join("ctl"))
            .arg("-P")
            .arg(dir.path().join("pid"))
            .spawn()
            .unwrap();
        Self { child, dir }
    }

    /// What birdc answers.
    fn ask(&self, command: &str) -> String {
        let socket = self.dir.path().join("ctl");
        let output = Command::new("birdc").arg("-s").arg(socket).arg(command).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

#[test]
fn real_bird_tells_its_route_and_takes_ours_back() {
    let local = Ipv4Addr::new(127, 0, 77, 1);
    let ours = Ipv4Addr::new(127, 0, 77, 2);
    let free = TcpListener::bind((local, 0)).unwrap().local_addr().unwrap();
    let bird = Bird::start(free, ours.into());
    let mut peer = Peer::connect(ours.into(), free, SOON).unwrap();
    let open = peer.establish(&Peer::usual_open(65_002, 0x0a00_0002), SOON).unwrap();
    assert_eq!((open.asn, open.hold_time_s), (65_001, 240));

    let told = peer.until("End-of-RIB", SOON, |told| !told.end_of_rib.is_empty()).unwrap();
    assert_eq!((told.nets(), told.remarks.len()), (vec!["203.0.113.0/24".to_owned()], 0));
    let octets = told.attributes(nlri("203.0.113.0/24").net).unwrap();
    assert_eq!(value(octets, code::AS_PATH), [2, 1, 0, 0, 0xfd, 0xe9]);

    // It answers the refresh behind our announcement, so by then it has taken that.
    peer.announce(&attributes(&[65_002], Ipv4Addr::new(10, 0, 0, 2)), &[nlri("192.0.2.0/24")]).unwrap();
    let mut refresh = Vec::new();
    RouteRefresh::encode(Family::Ipv4, Subtype::Request, &mut refresh);
    peer.send(&refresh).unwrap();
    peer.until("its route again", SOON, |told| told.announced > 1).unwrap();
    let shown = bird.ask("show route protocol p1");
    assert!(shown.contains("192.0.2.0/24") && shown.contains("[AS65002i]"), "{shown}");

    // A right marker and a length of 65,535: it ends the session.
    peer.send(&[0xff; 19]).unwrap();
    let reason = peer.until_notification(SOON).unwrap();
    assert_eq!(reason, Notification::with_data(1, 2, [0xff, 0xff]));
}
