//! Two of our peers over loopback, signed with TCP-AO (RFC 5925).
//!
//! What needs a kernel with CONFIG_TCP_AO is ignored elsewhere: `integration/tcp-ao/README.md` says how it is run.
#![allow(clippy::expect_used, reason = "tests")]

mod world;

use rbird_session::peer::*;
use rbird_session::tcp_ao::{self, Seen};
use route::tcp_ao::{Algorithm, Key, Preference};
use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::time::Duration;
use world::*;

fn key(id: u8, secret: &str) -> Key {
    let secret = secret.as_bytes().into();
    Key { send_id: id, recv_id: id, secret, algorithm: Algorithm::HmacSha1, preference: Preference::Plain }
}

fn but(preference: Preference, key: Key) -> Key {
    Key { preference, ..key }
}

/// A peer with keys in a world of its own.
struct One {
    _world: World,
    peer: PeerHandle,
    spec: PeerSpec,
}

impl One {
    fn new(spec: PeerSpec) -> Self {
        let world = World::new();
        let peer = world.peer(spec.clone());
        peer.start();
        Self { _world: world, peer, spec }
    }

    async fn until(&self, wanted: &str) {
        until(&self.peer, wanted).await;
    }

    /// Takes other keys over; false: it must begin anew.
    async fn rekey(&self, keys: &[Key]) -> bool {
        let spec = PeerSpec { ao_keys: keys.into(), ..self.spec.clone() };
        self.peer.reconfigure(spec, Refilter::default()).await
    }

    /// Waits until the kernel says so of its session, which never goes down.
    async fn until_seen(&self, wanted: impl Fn(&Seen) -> bool) {
        let since = self.peer.status.borrow().since;
        let work = async {
            while !self.peer.tcp_ao().await.is_some_and(|seen| wanted(&seen)) {
                assert_eq!(shown(&self.peer.status.borrow()), "up Established");
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(PATIENCE, work).await.expect("it is never as wanted");
        assert_eq!(self.peer.status.borrow().since, since, "the same session");
    }
}

/// Two peers with these keys, towards each other. The second waits to be called.
fn pair(ours: &[Key], theirs: &[Key]) -> (One, One) {
    let (at_a, at_b) = (address(), address());
    let mut a = spec("a", (65001, 65002), at_a, at_b);
    let mut b = spec("b", (65002, 65001), at_b, at_a);
    (a.ao_keys, b.ao_keys) = (ours.into(), theirs.into());
    b.passive = true;
    let b = One::new(b);
    (One::new(a), b)
}

/// Two with a session.
async fn session(ours: &[Key], theirs: &[Key]) -> (One, One) {
    let (a, b) = pair(ours, theirs);
    a.until("up Established").await;
    b.until("up Established").await;
    (a, b)
}

/// Whether this kernel has TCP-AO: not a guess, it is asked to take a key.
fn kernel_has_it() -> bool {
    let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a socket");
    match tcp_ao::add(&socket, IpAddr::from([127, 0, 0, 2]), &key(1, "x"), false) {
        Ok(()) => true,
        Err(error) if error.raw_os_error() == Some(nix::libc::ENOPROTOOPT) => false,
        Err(error) => panic!("the kernel refuses a key: {error}"),
    }
}

#[tokio::test]
async fn equal_keys_meet_and_where_the_kernel_has_none_the_protocol_stays_down_and_says_why() {
    let (a, b) = pair(&[key(1, "secret")], &[key(1, "secret")]);
    if kernel_has_it() {
        a.until("up Established").await;
        b.until("up Established").await;
        let seen = a.peer.tcp_ao().await.expect("a signed session");
        assert_eq!((seen.current, seen.rnext, seen.bad), (Some(1), Some(1), 0));
        assert!(seen.good > 0);
    } else {
        a.until("down Error: Authentication failed").await;
        b.until("down Error: Authentication failed").await;
        assert!(a.peer.status.borrow().disabled);
        assert_eq!(a.peer.tcp_ao().await, None);
    }
}

fn both(id: u8) -> impl Fn(&Seen) -> bool {
    move |seen: &Seen| seen.current == Some(id) && seen.rnext == Some(id)
}

#[tokio::test]
#[ignore = "needs a kernel with TCP-AO"]
async fn keys_are_changed_under_a_session_that_stays() {
    let first = [key(1, "old"), key(2, "new")];
    let second = [key(1, "old"), but(Preference::Preferred, key(2, "new"))];
    let (a, b) = session(&first[..1], &first[..1]).await;
    assert!(a.rekey(&first).await);
    assert!(b.rekey(&first).await);
    // One asks for the other key, and the other one signs with it.
    assert!(a.rekey(&second).await);
    b.until_seen(|seen| seen.current == Some(2) && seen.rnext == Some(1)).await;
    assert!(b.rekey(&second).await);
    a.until_seen(both(2)).await;
    b.until_seen(both(2)).await;
    assert!(a.rekey(&second[1..]).await);
    assert!(b.rekey(&second[1..]).await);
    a.until_seen(both(2)).await;
}

#[tokio::test]
#[ignore = "needs a kernel with TCP-AO"]
async fn a_key_in_use_goes_when_another_can_take_its_place_and_the_session_begins_anew_when_none_can() {
    let keys = [but(Preference::Preferred, key(1, "one")), key(2, "two")];
    let (a, b) = session(&keys, &keys).await;
    assert!(a.rekey(&keys[1..]).await);
    assert!(b.rekey(&keys[1..]).await);
    a.until_seen(both(2)).await;
    b.until_seen(both(2)).await;
    assert!(!a.rekey(&[key(3, "three")]).await, "nothing can take the place of key 2");
}

#[tokio::test]
#[ignore = "needs a kernel with TCP-AO"]
async fn a_wrong_secret_and_an_unsigned_call_come_to_nothing() {
    let before = dropped();
    let (wrong, _called) = pair(&[key(1, "right")], &[key(1, "wrong")]);
    let (unsigned, called) = pair(&[], &[key(1, "right")]);
    let work = async {
        while dropped().iter().zip(&before).any(|(now, before)| now <= before) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, work).await.expect("the kernel drops them");
    let state = |one: &One| shown(&one.peer.status.borrow());
    assert_eq!(
        (&*state(&wrong), &*state(&unsigned), &*state(&called)),
        ("start Connect", "start Connect", "start Passive")
    );
}

/// Segments that the kernel has dropped: those with a wrong signature, and those with none.
fn dropped() -> [u64; 2] {
    let text = std::fs::read_to_string("/proc/net/netstat").expect("the kernel's counters");
    let mut lines = text.lines().filter(|line| line.starts_with("TcpExt:"));
    let (names, values) = (lines.next().unwrap_or(""), lines.next().unwrap_or(""));
    let counter = |wanted: &str| {
        let counter = names.split(' ').zip(values.split(' ')).find(|(name, _)| *name == wanted);
        counter.and_then(|(_, value)| value.parse().ok()).expect("a kernel that counts it")
    };
    [counter("TCPAOBad"), counter("TCPAORequired")]
}

#[tokio::test]
#[ignore = "needs a kernel with TCP-AO"]
async fn every_algorithm_signs_a_session() {
    use Algorithm::*;
    for algorithm in [HmacMd5, HmacSha1, HmacSha224, HmacSha256, HmacSha384, HmacSha512, CmacAes128] {
        let keys = [Key { algorithm, ..key(7, "of no fixed length") }];
        let (a, b) = session(&keys, &keys).await;
        a.until_seen(both(7)).await;
        b.until_seen(both(7)).await;
    }
}

#[tokio::test]
#[ignore = "needs a kernel with TCP-AO"]
async fn a_protocol_that_is_down_leaves_no_key_on_the_socket_that_others_use() {
    let keys = [key(1, "one")];
    let (a, b) = session(&keys, &keys).await;
    b.peer.stop(StopReason::Disable, None).await;
    // The kernel would refuse the same key a second time.
    b.peer.start();
    a.until("up Established").await;
    b.until("up Established").await;
    assert!(b.rekey(&keys).await);
}
