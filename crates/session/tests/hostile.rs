//! A neighbour by hand, over a plain socket: rubbish, floods, silence. Nothing of it harms us or others.

#![allow(clippy::unwrap_used, reason = "tests")]

mod world;

use rbird_session::peer::*;
use route::ChannelId;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use wire::frame::{self, MESSAGE_OCTETS_MAX, Next};
use wire::{Capabilities, Kind, Open};
use world::*;

const BGP: ChannelId = ChannelId(2);

/// A passive peer of ours, and where its neighbour lies.
fn passive(change: impl Fn(&mut PeerSpec)) -> (World, PeerHandle, SocketAddr, SocketAddr) {
    let world = World::new();
    let (ours, theirs) = (address(), address());
    let mut spec = spec("p1", (65001, 65002), ours, theirs);
    spec.passive = true;
    change(&mut spec);
    let peer = world.peer(spec);
    peer.start();
    (world, peer, ours, theirs)
}

/// The neighbour connects.
async fn dial(from: SocketAddr, to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::new(from.ip(), 0)).unwrap();
    tokio::time::timeout(PATIENCE, socket.connect(to)).await.unwrap().unwrap()
}

fn open() -> Vec<u8> {
    let caps = Capabilities {
        families: vec![route::Family::Ipv4],
        multiprotocol: true,
        as4: Some(65002),
        ..Capabilities::default()
    };
    let mut octets = Vec::new();
    Open::new(65002, 90, 0x0909_0909, Some(caps)).encode(&mut octets);
    octets
}

/// Opens a session by hand.
async fn establish(peer: &PeerHandle, from: SocketAddr, to: SocketAddr) -> TcpStream {
    let mut stream = dial(from, to).await;
    stream.write_all(&open()).await.unwrap();
    stream.write_all(&frame::KEEPALIVE).await.unwrap();
    until(peer, "up Established").await;
    stream
}

fn message(kind: Kind, body: &[u8]) -> Vec<u8> {
    let length = (frame::HEADER_OCTETS + body.len()) as u16;
    [&[0xff; 16][..], &length.to_be_bytes(), &[kind as u8], body].concat()
}

/// An UPDATE for 10.x.y.0/24, next hop 192.0.2.9.
fn update(x: u8, y: u8) -> Vec<u8> {
    let attrs = [0x40, 1, 1, 0, 0x40, 2, 6, 2, 1, 0, 0, 0xfd, 0xea, 0x40, 3, 4, 192, 0, 2, 9];
    let body = [&[0, 0, 0, 20][..], &attrs, &[24, 10, x, y]].concat();
    message(Kind::Update, &body)
}

/// Everything that comes until the connection ends, message by message.
async fn messages(stream: &mut TcpStream) -> Vec<(Kind, Vec<u8>)> {
    let mut octets = Vec::new();
    let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut octets)).await;
    let mut rest = octets.as_slice();
    let mut all = Vec::new();
    while let Ok(Next::Frame(found)) = frame::next(rest, MESSAGE_OCTETS_MAX) {
        all.push((found.kind, found.body.to_vec()));
        rest = &rest[found.octets()..];
    }
    all
}

#[tokio::test]
async fn octets_that_are_no_message_are_answered_and_the_connection_is_closed() {
    let (_world, peer, ours, theirs) = passive(|_| {});
    let mut stream = dial(theirs, ours).await;
    stream.write_all(b"GET / HTTP/1.1\r\nHost: router\r\n\r\n").await.unwrap();
    let got = messages(&mut stream).await;
    assert_eq!(got.iter().map(|(k, _)| *k).collect::<Vec<_>>(), [Kind::Open, Kind::Notification]);
    assert_eq!(got[1].1, [1, 1]);
    until(&peer, "start Idle BGP Error: Connection not synchronized").await;
    // Error wait: the next connection is closed at once.
    let mut stream = dial(theirs, ours).await;
    assert_eq!(messages(&mut stream).await, []);
}

#[tokio::test]
async fn a_broken_update_ends_the_session_and_its_routes() {
    let (world, peer, ours, theirs) = passive(|_| {});
    let mut stream = establish(&peer, theirs, ours).await;
    stream.write_all(&update(1, 1)).await.unwrap();
    world.imported(BGP, 1).await;
    // Attributes that are longer than the message.
    stream.write_all(&message(Kind::Update, &[0, 0, 0, 99, 0x40])).await.unwrap();
    let got = messages(&mut stream).await;
    assert_eq!(got.last().unwrap(), &(Kind::Notification, vec![3, 1]));
    until(&peer, "start Idle BGP Error: Malformed attribute list").await;
    world.imported(BGP, 0).await;
}

#[tokio::test]
async fn what_is_not_told_between_borr_and_eorr_is_gone() {
    let (world, peer, ours, theirs) = passive(|_| {});
    let mut stream = dial(theirs, ours).await;
    let caps =
        Capabilities { as4: Some(65002), route_refresh: true, enhanced_refresh: true, ..Capabilities::default() };
    let mut octets = Vec::new();
    Open::new(65002, 90, 0x0909_0909, Some(caps)).encode(&mut octets);
    let refresh = |octets: &mut Vec<u8>, subtype| wire::RouteRefresh::encode(route::Family::Ipv4, subtype, octets);
    octets.extend_from_slice(&frame::KEEPALIVE);
    for i in 0..4 {
        octets.extend(update(1, i));
    }
    // An end without a beginning is ignored.
    refresh(&mut octets, wire::refresh::Subtype::End);
    stream.write_all(&octets).await.unwrap();
    world.imported(BGP, 4).await;
    octets.clear();
    refresh(&mut octets, wire::refresh::Subtype::Begin);
    octets.extend(update(1, 2));
    refresh(&mut octets, wire::refresh::Subtype::End);
    stream.write_all(&octets).await.unwrap();
    world.imported(BGP, 1).await;
    assert!(world.has("10.1.2.0/24").await);
    until(&peer, "up Established").await;
}

#[tokio::test]
async fn a_refresh_that_begins_before_end_of_rib_is_none() {
    let (world, peer, ours, theirs) = passive(|_| {});
    let mut stream = dial(theirs, ours).await;
    let caps = Capabilities {
        as4: Some(65002),
        route_refresh: true,
        enhanced_refresh: true,
        graceful_restart: Some(wire::capability::GracefulRestart::default()),
        ..Capabilities::default()
    };
    let mut octets = Vec::new();
    Open::new(65002, 90, 0x0909_0909, Some(caps)).encode(&mut octets);
    octets.extend_from_slice(&frame::KEEPALIVE);
    (0..4).for_each(|i| octets.extend(update(1, i)));
    let refresh = |octets: &mut Vec<u8>, subtype| wire::RouteRefresh::encode(route::Family::Ipv4, subtype, octets);
    refresh(&mut octets, wire::refresh::Subtype::Begin);
    refresh(&mut octets, wire::refresh::Subtype::Unknown(7));
    refresh(&mut octets, wire::refresh::Subtype::End);
    stream.write_all(&octets).await.unwrap();
    world.imported(BGP, 4).await;
    for (i, count) in [(4, 5), (5, 6)] {
        stream.write_all(&update(1, i)).await.unwrap();
        world.imported(BGP, count).await;
    }
    // End-of-RIB, and a refresh in its turn.
    octets = message(Kind::Update, &[0; 4]);
    refresh(&mut octets, wire::refresh::Subtype::Begin);
    octets.extend(update(1, 2));
    refresh(&mut octets, wire::refresh::Subtype::End);
    stream.write_all(&octets).await.unwrap();
    world.imported(BGP, 1).await;
    assert!(world.has("10.1.2.0/24").await);
    until(&peer, "up Established").await;
}

/// A daemon that has restarted with `-R`.
fn recovering() -> World {
    let mut world = World::new();
    world.deps.recovery = Recovery::restarting();
    world
}

/// A peer of it with `graceful restart`, and a connection from its neighbour, whose OPEN is still to be sent:
/// `restarting`, the neighbour says that it has restarted, too.
async fn open_with_restart(world: &World, restarting: bool) -> (PeerHandle, TcpStream, Vec<u8>) {
    let (ours, theirs) = (address(), address());
    let mut spec = spec("p1", (65001, 65002), ours, theirs);
    (spec.passive, spec.offer.graceful_restart) = (true, RestartMode::On);
    spec.channels[0].restart.able = true;
    let peer = world.peer(spec);
    tokio::spawn(world.deps.recovery.clone().begin(Duration::from_secs(3600)));
    peer.start();
    let stream = dial(theirs, ours).await;
    let families = vec![(route::Family::Ipv4, true)];
    let restart = wire::capability::GracefulRestart { restarting, time_s: 120, families };
    let caps = Capabilities { as4: Some(65002), graceful_restart: Some(restart), ..Capabilities::default() };
    let mut octets = Vec::new();
    Open::new(65002, 90, 0x0909_0909, Some(caps)).encode(&mut octets);
    (peer, stream, octets)
}

#[tokio::test]
async fn two_that_have_both_restarted_do_not_wait_for_each_other() {
    // RFC 4724 4.1: "excluding the ones with the Restart State bit set"
    let world = recovering();
    world.announce([10, 100], 10);
    let (peer, mut stream, mut octets) = open_with_restart(&world, true).await;
    octets.extend_from_slice(&frame::KEEPALIVE);
    stream.write_all(&octets).await.unwrap();
    until(&peer, "up Established").await;
    tokio::time::timeout(PATIENCE, world.deps.recovery.over()).await.unwrap();
}

#[tokio::test]
async fn nothing_is_told_before_our_own_restart_is_over() {
    // RFC 4724 4.1; graceful-restart-recovery
    let world = recovering();
    world.announce([10, 100], 10);
    let (peer, mut stream, mut octets) = open_with_restart(&world, false).await;
    octets.extend_from_slice(&frame::KEEPALIVE);
    octets.extend(update(1, 1));
    stream.write_all(&octets).await.unwrap();
    until(&peer, "wait Established").await;
    world.imported(BGP, 1).await;
    let mut told = vec![0; 1000];
    let octets = stream.read(&mut told).await.unwrap();
    let Ok(Next::Frame(first)) = frame::next(&told[..octets], MESSAGE_OCTETS_MAX) else { panic!() };
    let wire::Message::Open(open) = first.message().unwrap() else { panic!() };
    let restart = open.capabilities.unwrap().graceful_restart.unwrap();
    assert_eq!((restart.restarting, restart.time_s, restart.families), (true, 120, vec![(route::Family::Ipv4, true)]));
    assert!(peer.status.borrow().channels[0].recovery_pending);
    // End-of-RIB.
    stream.write_all(&message(Kind::Update, &[0; 4])).await.unwrap();
    until(&peer, "up Established").await;
    let mut rest = told[..octets].to_vec();
    let mut kinds = Vec::new();
    loop {
        while let Ok(Next::Frame(found)) = frame::next(&rest, MESSAGE_OCTETS_MAX) {
            kinds.push(found.kind);
            rest = rest[found.octets()..].to_vec();
        }
        // The routes, and End-of-RIB.
        if kinds.iter().filter(|k| **k == Kind::Update).count() == 2 {
            break;
        }
        let octets = stream.read(&mut told).await.unwrap();
        assert!(octets > 0);
        rest.extend_from_slice(&told[..octets]);
    }
    assert_eq!(kinds[..2], [Kind::Open, Kind::Keepalive]);
}

#[tokio::test]
async fn routes_sent_right_before_the_end_do_not_come_alive_again() {
    let (world, peer, ours, theirs) = passive(|_| {});
    for _ in 0..20 {
        let mut stream = establish(&peer, theirs, ours).await;
        let flood: Vec<u8> = (0..200).flat_map(|i| update(i as u8, 7)).collect();
        stream.write_all(&flood).await.unwrap();
        drop(stream);
        let mut status = peer.status.clone();
        tokio::time::timeout(PATIENCE, status.wait_for(|s| !matches!(s.proto, ProtoState::Up | ProtoState::Feed)))
            .await
            .unwrap()
            .unwrap();
        world.imported(BGP, 0).await;
    }
}

#[tokio::test]
async fn the_state_is_feed_until_all_that_stands_was_told() {
    let (world, peer, ours, theirs) = passive(|_| {});
    // Eight megabytes of UPDATEs: more than all buffers on the way hold.
    world.announce([10, 0], 2_000_000);
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    socket.bind(SocketAddr::new(theirs.ip(), 0)).unwrap();
    let mut stream = tokio::time::timeout(PATIENCE, socket.connect(ours)).await.unwrap().unwrap();
    stream.write_all(&[open(), frame::KEEPALIVE.to_vec()].concat()).await.unwrap();
    until(&peer, "feed Established").await;
    let since = peer.status.borrow().since;
    let mut octets = vec![0; 1 << 20];
    assert_eq!(shown(&peer.status.borrow()), "feed Established", "nobody has read");
    // A window this small would open by steps of a timer.
    socket2::SockRef::from(&stream).set_recv_buffer_size(4 << 20).unwrap();
    let up = until(&peer, "up Established");
    tokio::pin!(up);
    loop {
        tokio::select! {
            () = &mut up => break,
            read = stream.read(&mut octets) => assert!(read.unwrap() > 0),
        }
    }
    assert_eq!(peer.status.borrow().since, since, "the end of the feed is no news of the session");
    // Asked for again: a feed again.
    let reading = tokio::spawn(async move { while stream.read(&mut octets).await.unwrap() > 0 {} });
    peer.reload_out();
    until(&peer, "feed Established").await;
    until(&peer, "up Established").await;
    reading.abort();
}

#[tokio::test]
async fn a_message_in_single_octets_is_a_message() {
    let (world, peer, ours, theirs) = passive(|_| {});
    let mut stream = establish(&peer, theirs, ours).await;
    stream.set_nodelay(true).unwrap();
    for octet in update(3, 3) {
        stream.write_all(&[octet]).await.unwrap();
        tokio::task::yield_now().await;
    }
    world.imported(BGP, 1).await;
    assert_eq!(shown(&peer.status.borrow()), "up Established");
}

#[tokio::test]
async fn a_neighbour_that_floods_and_never_reads_costs_a_bounded_amount_and_harms_nobody() {
    let (world, peer, ours, theirs) = passive(|_| {});
    world.announce([10, 100], 1000);
    // Another session of the same daemon.
    let (at_a, at_b) = (address(), address());
    let mut beside = spec("beside", (65001, 65003), at_a, at_b);
    beside.protocol = route::ProtocolId(3);
    beside.channels[0].channel = ChannelId(3);
    beside.passive = true;
    let beside = world.peer(beside);
    beside.start();
    let mut good = dial(at_b, at_a).await;
    let mut open_3 = Vec::new();
    Open::new(65003, 90, 0x0808_0808, None).encode(&mut open_3);
    good.write_all(&open_3).await.unwrap();
    good.write_all(&frame::KEEPALIVE).await.unwrap();
    until(&beside, "up Established").await;

    let mut bad = establish(&peer, theirs, ours).await;
    let flood: Vec<u8> = (0..=255).flat_map(|i| update(i, 9)).collect();
    for _ in 0..200 {
        bad.write_all(&flood).await.unwrap();
    }
    world.imported(BGP, 256).await;
    assert_eq!(shown(&peer.status.borrow()), "up Established");
    assert_eq!(shown(&beside.status.borrow()), "up Established");
    good.write_all(&message(Kind::Notification, &[6, 2])).await.unwrap();
    until(&beside, "start Passive Received: Administrative shutdown").await;
}

#[tokio::test]
async fn only_one_connection_of_a_neighbour_is_taken() {
    let (_world, peer, ours, theirs) = passive(|_| {});
    let _first = dial(theirs, ours).await;
    until(&peer, "start OpenSent").await;
    for _ in 0..50 {
        let mut more = dial(theirs, ours).await;
        assert_eq!(messages(&mut more).await, []);
    }
    assert_eq!(shown(&peer.status.borrow()), "start OpenSent");
}

#[tokio::test]
async fn a_stranger_is_not_let_in() {
    let (_world, peer, ours, _) = passive(|_| {});
    let mut stream = dial(address(), ours).await;
    assert_eq!(messages(&mut stream).await, []);
    assert_eq!(shown(&peer.status.borrow()), "start Passive");
}

#[tokio::test]
async fn whatever_octets_come_the_next_session_works() {
    let (world, peer, ours, theirs) = passive(|s| s.times.error_wait_s = (0, 0));
    let mut seed = 1u64;
    let mut random = move || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize
    };
    for _ in 0..200 {
        let mut stream = dial(theirs, ours).await;
        let mut octets = [open(), frame::KEEPALIVE.to_vec(), update(1, 1), update(2, 2)].concat();
        for _ in 0..random() % 8 {
            let at = random() % octets.len();
            octets[at] = random() as u8;
        }
        octets.truncate(random() % (octets.len() + 1));
        let _ = stream.write_all(&octets).await;
        let _ = stream.shutdown().await;
        let _ = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut Vec::new())).await;
        drop(stream);
        let mut status = peer.status.clone();
        let passive = status.wait_for(|s| s.bgp_state == "Passive");
        tokio::time::timeout(PATIENCE, passive).await.unwrap().unwrap();
    }
    let mut stream = establish(&peer, theirs, ours).await;
    stream.write_all(&update(9, 9)).await.unwrap();
    world.imported(BGP, 1).await;
}
