//! A range of neighbours, and who calls from there, over loopback.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "tests")]

mod world;

use rbird_session::dynamic::{Call, Dynamic, Word};
use rbird_session::peer::*;
use route::{Prefix, ProtocolId};
use std::net::{IpAddr, SocketAddr};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use world::*;

/// A world whose range is all of loopback, and what its peers say to their owner.
fn range(asn: u32, at: SocketAddr) -> (World, PeerHandle, PeerSpec, mpsc::UnboundedReceiver<Word>) {
    let world = World::new();
    let (words, heard) = mpsc::unbounded_channel();
    world.deps.dynamic.on_word(Box::new(move |word| words.send(word).expect("the test listens")));
    let mut spec = spec("range", (asn, 0), at, SocketAddr::from(([0, 0, 0, 0], 179)));
    spec.dynamic = Dynamic::Range(Prefix::new(IpAddr::from([127, 0, 0, 0]), 8).expect("a prefix"));
    spec.any_external = true;
    spec.match_local_addr = true;
    let peer = world.peer(spec.clone());
    peer.start();
    (world, peer, spec, heard)
}

async fn call(heard: &mut mpsc::UnboundedReceiver<Word>) -> Call {
    match heard.recv().await.expect("a word") {
        Word::Called(call) => *call,
        Word::Over(member) => panic!("{member:?} is over"),
    }
}

/// A member as the daemon makes it.
fn member(world: &World, range: &PeerSpec, call: Call) -> PeerHandle {
    let mut spec = range.clone();
    (spec.dynamic, spec.protocol) = (Dynamic::Member, ProtocolId(7));
    spec.peer_addr = call.incoming.remote.ip();
    let peer = world.peer(spec);
    peer.adopt(call.incoming, call.place);
    peer
}

async fn connect(from: IpAddr, to: SocketAddr) -> TcpStream {
    let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
    socket.bind(SocketAddr::new(from, 0)).expect("our address");
    socket.connect(to).await.expect("a connection")
}

#[tokio::test]
async fn a_neighbour_of_the_range_gets_a_session_with_the_as_it_says_and_is_over_when_it_goes() {
    let (at_a, at_b) = (address(), address());
    let (a, parent, parent_spec, mut heard) = range(65001, at_a);
    until(&parent, "start Passive").await;
    let b = World::new();
    let caller = b.peer(spec("caller", (65077, 65001), at_b, at_a));
    caller.start();
    let peer = member(&a, &parent_spec, call(&mut heard).await);
    until(&caller, "up Established").await;
    until(&peer, "up Established").await;
    assert_eq!(peer.status.borrow().peer_as, 65077);
    assert_eq!(peer.status.borrow().session.join(" "), "external AS4");
    b.announce([10, 8], 5);
    a.imported(route::ChannelId(2), 5).await;
    caller.stop(StopReason::Disable, None).await;
    assert!(matches!(heard.recv().await, Some(Word::Over(ProtocolId(7)))));
    a.imported(route::ChannelId(2), 0).await;
    // Whoever calls now comes to the range again, though the member is still there.
    caller.start();
    call(&mut heard).await;
}

#[tokio::test]
async fn who_says_our_own_as_is_no_external_neighbour_and_is_refused_while_the_error_lasts() {
    let (at_a, at_b) = (address(), address());
    let (a, _parent, parent_spec, mut heard) = range(65001, at_a);
    let b = World::new();
    let caller = b.peer(spec("caller", (65001, 65001), at_b, at_a));
    caller.start();
    let peer = member(&a, &parent_spec, call(&mut heard).await);
    until(&peer, "start Idle BGP Error: Bad peer AS").await;
    // It stays for the error wait, and takes the next connection to refuse it.
    let refused = connect(at_b.ip(), at_a).await;
    refused.readable().await.expect("its end");
    assert!(heard.try_recv().is_err());
}

#[tokio::test]
async fn a_caller_that_says_nothing_and_leaves_is_over() {
    let at_a = address();
    let (a, _parent, parent_spec, mut heard) = range(65001, at_a);
    let silent = connect(address().ip(), at_a).await;
    let peer = member(&a, &parent_spec, call(&mut heard).await);
    until(&peer, "start OpenSent").await;
    drop(silent);
    assert!(matches!(heard.recv().await, Some(Word::Over(ProtocolId(7)))));
}

#[tokio::test]
async fn with_both_addresses_compared_a_connection_to_another_address_of_ours_is_for_nobody() {
    let (ours, theirs) = (address(), address());
    let other = SocketAddr::new(address().ip(), ours.port());
    let world = World::new();
    let mut own = spec("own", (65001, 65002), ours, theirs);
    own.listen = Some(SocketAddr::from(([0, 0, 0, 0], ours.port())));
    own.match_local_addr = true;
    own.passive = true;
    let peer = world.peer(own);
    peer.start();
    until(&peer, "start Passive").await;
    let refused = connect(theirs.ip(), other).await;
    refused.readable().await.expect("its end");
    assert_eq!(refused.try_read(&mut [0; 1]).ok(), Some(0));
    assert_eq!(shown(&peer.status.borrow()), "start Passive");
    let _taken = connect(theirs.ip(), ours).await;
    until(&peer, "start OpenSent").await;
}
