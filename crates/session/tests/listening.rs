//! Where connections are awaited: bound to links that come and go, and to addresses that are not ours yet.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "tests")]

mod world;

use rbird_session::dynamic::{Dynamic, Word};
use rbird_session::listen::{At, Listener, Remote, Wanted};
use rbird_session::peer::*;
use route::{IfIndex, Iface, Ifaces, Prefix};
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use world::*;

/// Loopback, up or down.
fn links(up: bool) -> Arc<Ifaces> {
    let mut all: Vec<Iface> = lo().iter().cloned().collect();
    all.iter_mut().for_each(|link| link.flags.admin_up = up);
    Arc::new(Ifaces::new(all))
}

/// Connects until it is as wanted.
async fn until_connect(to: SocketAddr, succeeds: bool) {
    let work = async {
        while TcpStream::connect(to).await.is_ok() != succeeds {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, work).await.expect("it is never as wanted");
}

#[tokio::test]
async fn a_socket_for_each_link_of_a_pattern_says_over_which_a_neighbour_called_and_goes_with_its_link() {
    let at = address();
    let world = World::new();
    let (words, mut heard) = mpsc::unbounded_channel();
    world.deps.dynamic.on_word(Box::new(move |word| words.send(word).expect("the test listens")));
    let mut spec = spec("range", (65001, 0), at, SocketAddr::from(([0, 0, 0, 0], 179)));
    spec.dynamic = Dynamic::Range(Prefix::new(IpAddr::from([127, 0, 0, 0]), 8).expect("a prefix"));
    spec.any_external = true;
    spec.listen_on = ListenOn::Like(LinkPattern::new(|name| name.starts_with('l')));
    spec.free_bind = true;
    let peer = world.peer(spec);
    peer.start();
    until(&peer, "start Passive").await;
    let _caller = TcpStream::connect(at).await.expect("a connection");
    let Some(Word::Called(call)) = heard.recv().await else { panic!("nobody called") };
    assert_eq!(call.incoming.link, IfIndex(1));
    world.ifaces.send_replace(links(false));
    until_connect(at, false).await;
    world.ifaces.send_replace(links(true));
    until_connect(at, true).await;
}

#[tokio::test]
async fn with_an_address_a_socket_waits_for_a_link_that_has_it() {
    let world = World::new();
    let at = address();
    let mut bound = spec("bound", (65001, 65002), at, address());
    bound.listen_on = ListenOn::Like(LinkPattern::new(|_| true));
    bound.passive = true;
    let peer = world.peer(bound);
    peer.start();
    until(&peer, "start Passive").await;
    assert!(TcpStream::connect(at).await.is_err(), "no link has the address");
    let mut all: Vec<Iface> = lo().iter().cloned().collect();
    let mut addr = all[0].addrs[0].clone();
    addr.addr = at.ip();
    all[0].addrs.push(addr);
    world.ifaces.send_replace(Arc::new(Ifaces::new(all)));
    until_connect(at, true).await;
}

#[tokio::test]
async fn free_bind_takes_an_address_that_is_not_ours() {
    let register = |free| {
        let wanted = Wanted {
            at: At { addr: SocketAddr::from(([198, 51, 100, 9], 0)), link: None, vrf: None },
            free,
            remote: Remote::One(IpAddr::from([192, 0, 2, 1])),
            local: None,
            link: Arc::default(),
            password: None,
        };
        Listener::new().register(wanted, mpsc::channel(1).0).map(|_| ()).map_err(|e| e.kind())
    };
    assert_eq!(register(false), Err(ErrorKind::AddrNotAvailable));
    assert_eq!(register(true), Ok(()));
}

#[tokio::test]
async fn a_range_of_neighbours_may_have_a_password() {
    let wanted = Wanted {
        at: At { addr: SocketAddr::from(([127, 0, 0, 1], 0)), link: None, vrf: None },
        free: false,
        remote: Remote::Range(Prefix::new(IpAddr::from([10, 0, 0, 0]), 8).expect("a prefix")),
        local: None,
        link: Arc::default(),
        password: Some("secret".into()),
    };
    Listener::new().register(wanted, mpsc::channel(1).0).expect("a kernel with TCP MD5 takes it");
}

#[tokio::test]
async fn a_neighbour_off_the_link_can_be_reached_onlink_alone() {
    let world = World::new();
    let mut off = spec("off", (65001, 65002), address(), SocketAddr::from(([203, 0, 113, 9], 179)));
    off.iface = Some("lo".into());
    off.passive = true;
    let peer = world.peer(off.clone());
    peer.start();
    until(&peer, "start Idle").await;
    off.onlink = true;
    let peer = world.peer(off);
    peer.start();
    until(&peer, "start Passive").await;
}
