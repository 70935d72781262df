//! From a table to an outbox: what an import batch leads to, as octets that a peer could read.

#![expect(clippy::unwrap_used, reason = "a test may")]

use bytes::Bytes;
use filter::run::Policy;
use rbird_session::clock::Clock;
use rbird_session::export::Exports;
use rbird_session::link::TableMsg;
use rbird_session::outbox::{OCTETS_MAX, Outbox};
use rbird_session::tables::Tables;
use rib::batch::{
    Act, ChannelSpec, Deed, Generation, ImportBatch, ImportRow, Limit, LimitAction, LimitKind, TableEvent, What,
};
use rib::export::{GroupKey, MemberId, MemberSpec};
use rib::query::{Order, TableSpec};
use route::attr::code;
use route::attrs::Local;
use route::net::Prefix4;
use route::{
    AttrSet, AttrSetBuilder, BgpSource, ChannelId, Dest, Family, Prefix, ProtocolId, Source, SourceId, SourceKind,
    Speaker, TableId,
};
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;
use wire::frame::{MESSAGE_OCTETS_MAX, Next};
use wire::update::Decoded;
use wire::{Nlri, PerFamily, Update, UpdateContext};

const TABLE: TableId = TableId(1);
const PATIENCE: Duration = Duration::from_secs(60);

struct Daemon {
    tables: Tables,
    exports: Exports,
}

fn daemon() -> Daemon {
    daemon_with(Arc::new(|_, _| ()))
}

fn daemon_with(events: rbird_session::link::EventSink) -> Daemon {
    let tables = Tables::start(1, Clock::new(), events.clone());
    let exports = Exports::start(2, tables.clone(), Clock::new(), events);
    tables.add(TableSpec { id: TABLE, name: "master".into(), family: Family::Ipv4, order: Order::default() });
    Daemon { tables, exports }
}

fn addr(last: u8) -> IpAddr {
    Ipv4Addr::new(192, 0, 2, last).into()
}

/// An external peer; its protocol, channel, source, AS and address all carry its number.
fn source(n: u32) -> Source {
    Source {
        id: SourceId(n),
        protocol: ProtocolId(n),
        protocol_name: format!("p{n}").into(),
        kind: SourceKind::Bgp,
        path_id: 0,
        bgp: Some(BgpSource {
            cluster_id: 254,
            ..BgpSource::between(
                Speaker { addr: addr(254), asn: 65000, id: 254 },
                Speaker { addr: addr(n as u8), asn: 65000 + n, id: n },
            )
        }),
    }
}

fn key() -> GroupKey {
    GroupKey { cluster_id: 254, ..GroupKey::external(Family::Ipv4, 65000, addr(254)) }
}

fn net(n: u32) -> Prefix {
    Prefix::V4(Prefix4::new(0x0a00_0000 + (n << 8), 24).unwrap())
}

fn nlri(n: u32) -> Nlri {
    Nlri { net: net(n), path_id: 0 }
}

/// Attribute set number `n` of peer `peer`: the path ends in an AS of its own.
fn attrs(peer: u32, n: u32) -> AttrSet {
    let mut local = Local::new(SourceKind::Bgp, 100, Dest::Blackhole);
    local.from = Some(addr(peer as u8));
    let mut b = AttrSetBuilder::new(local);
    b.set(code::ORIGIN, &[0]);
    let path = [&[2, 2][..], &(65000 + peer).to_be_bytes(), &(100_000 + n).to_be_bytes()].concat();
    b.set(code::AS_PATH, &path);
    b.set(code::NEXT_HOP, &[192, 0, 2, peer as u8]);
    b.set_u32(code::LOCAL_PREF, 100);
    b.build()
}

impl Daemon {
    fn act(&self, peer: u32, deed: Deed) {
        let act = Act { channel: ChannelId(peer), generation: Generation(1), deed };
        self.tables.send(TABLE, TableMsg::Act(act, None));
    }

    fn up(&self, peer: u32) {
        let spec = ChannelSpec {
            family: Family::Ipv4,
            late_filter: None,
            keep_filtered: false,
            receive_limit: None,
            import_limit: None,
        };
        self.act(peer, Deed::Up(Box::new(spec)));
        self.act(peer, Deed::Source(Arc::new(source(peer))));
    }

    /// Announces prefixes in batches as sockets bring them, five to an attribute set.
    fn announce(&self, peer: u32, nets: std::ops::Range<u32>) {
        let nets: Vec<u32> = nets.collect();
        for part in nets.chunks(8000) {
            let mut batch = ImportBatch::default();
            for some in part.chunks(5) {
                let at = batch.palette.len() as u32;
                batch.palette.push(attrs(peer, some[0]));
                let row = |n: &u32| ImportRow { net: net(*n), source: SourceId(peer), what: What::Announce(at) };
                batch.rows.extend(some.iter().map(row));
            }
            self.act(peer, Deed::Import(batch));
        }
    }

    fn withdraw(&self, peer: u32, nets: std::ops::Range<u32>) {
        let row = |n| ImportRow { net: net(n), source: SourceId(peer), what: What::Withdraw };
        self.act(peer, Deed::Import(ImportBatch { palette: Vec::new(), rows: nets.map(row).collect() }));
    }

    fn join(&self, peer: u32) -> Peer {
        self.join_with(peer, key(), OCTETS_MAX)
    }

    fn join_with(&self, peer: u32, key: GroupKey, octets_max: usize) -> Peer {
        self.join_limited(peer, key, octets_max, None)
    }

    fn join_limited(&self, peer: u32, key: GroupKey, octets_max: usize, export_limit: Option<Limit>) -> Peer {
        let outbox = Outbox::new(octets_max);
        let spec = MemberSpec { export_limit, ..spec(peer) };
        let member = self.exports.join(TABLE, Arc::new(key), spec, outbox.clone());
        Peer { outbox, member, routes: HashMap::new(), ends: 0, updates: 0 }
    }
}

/// What is a neighbour's own.
fn spec(peer: u32) -> MemberSpec {
    MemberSpec {
        protocol: ProtocolId(peer),
        name: format!("p{peer}").into(),
        channel: ChannelId(peer),
        generation: Generation(1),
        peer_addr: addr(peer as u8),
        export_limit: None,
        tracing: rib::trace::Tracing::default(),
    }
}

/// The far end of a session.
struct Peer {
    outbox: Arc<Outbox>,
    member: MemberId,
    /// What it holds: canonical octets by prefix.
    routes: HashMap<Nlri, Vec<u8>>,
    ends: u32,
    updates: u64,
}

impl Peer {
    /// Reads until the peer holds what `is_right` asks for.
    async fn read_until(&mut self, what: &str, is_right: impl Fn(&Self) -> bool) {
        let reading = async {
            while !is_right(self) {
                self.outbox.ready().await;
                let mut pieces = Vec::new();
                self.outbox.take(1 << 16, &mut pieces);
                pieces.iter().for_each(|p| self.hear(p));
            }
        };
        if tokio::time::timeout(PATIENCE, reading).await.is_err() {
            panic!("{what}: the peer holds {} routes, {} ends of feed", self.routes.len(), self.ends);
        }
    }

    fn hear(&mut self, piece: &Bytes) {
        let context =
            UpdateContext { as4: true, families: PerFamily { ipv4: true, ipv6: false }, ..UpdateContext::default() };
        let mut rest = &piece[..];
        while !rest.is_empty() {
            let Next::Frame(frame) = wire::frame::next(rest, MESSAGE_OCTETS_MAX).unwrap() else {
                panic!("a piece ends within a message")
            };
            rest = &rest[frame.octets()..];
            self.updates += 1;
            let update = Update::split(frame.body, &context).unwrap();
            self.ends += u32::from(update.end_of_rib().is_some());
            for gone in update.withdrawn().flat_map(|w| w.iter()) {
                assert!(self.routes.remove(&gone).is_some(), "{} withdrawn, but never told", gone.net);
            }
            for announced in update.announced() {
                let mut decoded = Decoded::new();
                announced.attributes(&context, &mut decoded).unwrap();
                assert!(!decoded.is_withdrawal());
                for nlri in announced.nlris.iter() {
                    self.routes.insert(nlri, decoded.octets().to_vec());
                }
            }
        }
    }

    fn path_of(&self, n: u32) -> Vec<u32> {
        let octets = &self.routes[&nlri(n)];
        let path = route::attrs::Records::new(octets).find(|r| r.code == code::AS_PATH).unwrap();
        route::AsPath::new(path.value).asns().collect()
    }
}

#[tokio::test]
async fn a_hundred_thousand_prefixes_reach_a_peer_and_are_withdrawn_when_their_source_goes_down() {
    let daemon = daemon();
    daemon.up(1);
    daemon.up(2);
    let mut peer = daemon.join(2);
    peer.read_until("the feed of an empty table ends", |p| p.ends == 1).await;
    daemon.announce(1, 0..100_000);
    peer.read_until("all are told", |p| p.routes.len() == 100_000).await;
    assert_eq!(peer.path_of(99_999), [65000, 65001, 199_995]);
    assert_eq!(peer.updates, peer.outbox.updates());
    let (stats, exported) = daemon.exports.stats(peer.member).await.unwrap();
    assert_eq!((stats.updates_received, stats.updates_accepted, exported), (100_000, 100_000, 100_000));
    daemon.act(1, Deed::Down);
    peer.read_until("all are withdrawn", |p| p.routes.is_empty()).await;
    let (stats, exported) = daemon.exports.stats(peer.member).await.unwrap();
    assert_eq!((stats.withdraws_received, stats.withdraws_accepted, exported), (100_000, 100_000, 0));
}

#[tokio::test]
async fn withdrawals_fill_their_messages_though_they_come_in_slices_and_the_last_does_not_wait() {
    let daemon = daemon();
    daemon.up(1);
    let mut peer = daemon.join(2);
    peer.read_until("the feed of an empty table ends", |p| p.ends == 1).await;
    daemon.announce(1, 0..50_000);
    peer.read_until("all are told", |p| p.routes.len() == 50_000).await;
    let before = peer.updates;
    daemon.act(1, Deed::Down);
    peer.read_until("all are withdrawn", |p| p.routes.is_empty()).await;
    // 4,073 octets are left for prefixes of four.
    assert_eq!(peer.updates - before, 50_000_u64.div_ceil(1018));
}

#[tokio::test]
async fn no_attribute_set_is_cut_for_one_that_reads_slowly_or_joins_late() {
    let daemon = daemon();
    daemon.up(1);
    let mut slow = daemon.join_with(2, key(), 65_536);
    slow.read_until("the feed of an empty table ends", |p| p.ends == 1).await;
    let before = slow.updates;
    daemon.announce(1, 0..50_000);
    slow.read_until("all are told", |p| p.routes.len() == 50_000).await;
    assert_eq!(slow.updates - before, 10_000, "five prefixes to a set, a message to a set");
    let mut late = daemon.join(3);
    late.read_until("its feed ends", |p| p.ends == 1).await;
    assert_eq!((late.routes.len(), late.updates), (50_000, 10_001));
    let before = slow.updates;
    daemon.act(1, Deed::Down);
    slow.read_until("all are withdrawn", |p| p.routes.is_empty()).await;
    assert!(slow.updates - before <= 50_000_u64.div_ceil(1018) + 4, "{} to withdraw", slow.updates - before);
}

#[tokio::test]
async fn who_joins_later_is_fed_what_stands_and_nobody_hears_its_own_routes() {
    let daemon = daemon();
    daemon.up(1);
    daemon.up(2);
    daemon.announce(1, 0..20_000);
    daemon.announce(2, 20_000..30_000);
    let mut first = daemon.join(1);
    first.read_until("10,000 of p2", |p| p.ends == 1).await;
    let mut second = daemon.join(2);
    let mut third = daemon.join(3);
    second.read_until("20,000 of p1", |p| p.ends == 1).await;
    third.read_until("all 30,000", |p| p.ends == 1).await;
    assert_eq!((first.routes.len(), second.routes.len(), third.routes.len()), (10_000, 20_000, 30_000));
    // A route of p1 becomes one of p2, with the shorter path of p1 gone: each of them hears the other's.
    daemon.announce(2, 0..10);
    daemon.withdraw(1, 0..10);
    first.read_until("ten more of p2", |p| p.routes.len() == 10_010).await;
    second.read_until("ten less of p1", |p| p.routes.len() == 19_990).await;
    third.read_until("as many as before", |p| p.path_of(9)[1] == 65002).await;
    for (peer, n) in [(&first, 10_010), (&second, 19_990), (&third, 30_000)] {
        assert_eq!(daemon.exports.stats(peer.member).await.unwrap().1, n);
    }
}

#[tokio::test]
async fn a_peer_that_reads_slowly_holds_in_the_end_what_is_right_then() {
    let daemon = daemon();
    daemon.up(1);
    let mut slow = daemon.join_with(2, key(), 4096);
    let mut fast = daemon.join(3);
    slow.read_until("its feed ends", |p| p.ends == 1).await;
    fast.read_until("its feed ends", |p| p.ends == 1).await;
    daemon.announce(1, 0..50_000);
    fast.read_until("all are told", |p| p.routes.len() == 50_000).await;
    assert!(slow.outbox.octets() < 1 << 20, "what waits for a slow peer is bounded");
    daemon.withdraw(1, 0..25_000);
    daemon.announce(1, 60_000..61_000);
    fast.read_until("half are left", |p| p.routes.len() == 26_000).await;
    slow.read_until("half are left", |p| p.routes.len() == 26_000).await;
    assert_eq!(slow.routes, fast.routes);
}

#[tokio::test]
async fn one_that_falls_behind_while_another_joins_late_both_end_with_what_stands() {
    let daemon = daemon();
    daemon.up(1);
    let mut slow = daemon.join_with(2, key(), 4096);
    let mut fast = daemon.join(3);
    slow.read_until("its feed ends", |p| p.ends == 1).await;
    fast.read_until("its feed ends", |p| p.ends == 1).await;
    // Nobody reads for `slow` while the table changes three times over.
    daemon.announce(1, 0..30_000);
    fast.read_until("all are told", |p| p.routes.len() == 30_000).await;
    let mut late = daemon.join_with(4, key(), 4096);
    daemon.withdraw(1, 0..20_000);
    daemon.announce(1, 25_000..50_000);
    fast.read_until("the change is told", |p| p.routes.len() == 30_000 && p.routes.contains_key(&nlri(49_999))).await;
    late.read_until("a part of its feed", |p| p.routes.len() > 100).await;
    daemon.announce(1, 10_000..20_000);
    daemon.withdraw(1, 40_000..50_000);
    let is_over = |p: &Peer| p.ends == 1 && p.routes.len() == 30_000 && p.routes.contains_key(&nlri(10_000));
    fast.read_until("all is told", |p| is_over(p) && !p.routes.contains_key(&nlri(49_999))).await;
    late.read_until("all is told, and its feed ends", |p| is_over(p) && !p.routes.contains_key(&nlri(49_999))).await;
    slow.read_until("all is told", |p| is_over(p) && !p.routes.contains_key(&nlri(49_999))).await;
    // What was dirty when the counts were right already is told now.
    for peer in [&mut slow, &mut late] {
        let wanted = fast.routes.clone();
        peer.read_until("the same as the fast one", |p| p.routes == wanted).await;
        assert_eq!(daemon.exports.stats(peer.member).await.unwrap().1, 30_000);
    }
}

#[tokio::test]
async fn a_refresh_tells_everything_again_to_the_one_who_asked() {
    let daemon = daemon();
    daemon.up(1);
    daemon.announce(1, 0..5_000);
    let (mut asks, mut other) = (daemon.join(2), daemon.join(3));
    asks.read_until("its feed ends", |p| p.ends == 1).await;
    other.read_until("its feed ends", |p| p.ends == 1).await;
    asks.routes.clear();
    daemon.exports.refresh(asks.member, false);
    asks.read_until("everything again", |p| p.routes.len() == 5_000).await;
    let (_, exported) = daemon.exports.stats(asks.member).await.unwrap();
    assert_eq!(exported, 5_000);
    assert_eq!(other.outbox.octets(), 0);
}

#[tokio::test]
async fn a_member_with_a_new_policy_is_told_the_difference() {
    let daemon = daemon();
    daemon.up(1);
    daemon.announce(1, 0..5_000);
    let mut peer = daemon.join(2);
    peer.read_until("its feed ends", |p| p.ends == 1).await;
    daemon.exports.rekey(peer.member, Arc::new(GroupKey { policy: Policy::Reject, ..key() }));
    peer.read_until("all are withdrawn", |p| p.routes.is_empty()).await;
    daemon.exports.rekey(peer.member, Arc::new(key()));
    peer.read_until("all are back", |p| p.routes.len() == 5_000).await;
    assert_eq!(peer.ends, 1, "End-of-RIB is said once");
}

#[tokio::test]
async fn an_export_limit_is_announced_once_and_keeps_routes_back_if_it_blocks() {
    let (tell, mut heard) = tokio::sync::mpsc::unbounded_channel();
    let daemon = daemon_with(Arc::new(move |_, event| {
        if !matches!(event, TableEvent::Fed { .. }) {
            tell.send(event).unwrap();
        }
    }));
    daemon.up(1);
    daemon.announce(1, 0..100);
    let warn = Limit { routes_max: 50, action: LimitAction::Warn };
    let block = Limit { routes_max: 10, action: LimitAction::Block };
    let mut warned = daemon.join_limited(2, key(), OCTETS_MAX, Some(warn));
    let mut blocked = daemon.join_limited(3, key(), OCTETS_MAX, Some(block));
    warned.read_until("all are told", |p| p.ends == 1).await;
    blocked.read_until("ten are told", |p| p.ends == 1).await;
    assert_eq!((warned.routes.len(), blocked.routes.len()), (100, 10));
    daemon.announce(1, 100..200);
    warned.read_until("all are told", |p| p.routes.len() == 200).await;
    let mut events = vec![heard.recv().await.unwrap(), heard.recv().await.unwrap()];
    events.sort_by_key(|e| matches!(e, TableEvent::Limit { limit, .. } if *limit == block));
    for (event, (peer, limit)) in events.into_iter().zip([(2, warn), (3, block)]) {
        let (channel, generation) = (ChannelId(peer), Generation(1));
        assert_eq!(event, TableEvent::Limit { channel, generation, which: LimitKind::Export, limit });
    }
    assert_eq!(daemon.exports.stats(blocked.member).await.unwrap().1, 10);
    assert!(heard.try_recv().is_err(), "said once");
    // The limit goes: the rest is told when the peer asks again.
    daemon.exports.set_limit(blocked.member, None);
    daemon.exports.refresh(blocked.member, false);
    blocked.read_until("all are told", |p| p.routes.len() == 200).await;
    // A lower one is passed at once, though no route comes.
    let lower = Limit { routes_max: 60, ..warn };
    daemon.exports.set_limit(warned.member, Some(lower));
    let (channel, generation) = (ChannelId(2), Generation(1));
    let passed = TableEvent::Limit { channel, generation, which: LimitKind::Export, limit: lower };
    assert_eq!(heard.recv().await.unwrap(), passed);
}

#[tokio::test]
async fn a_station_is_told_what_the_neighbour_is_told_and_nobody_is_told_of_the_station() {
    let (tell, mut heard) = tokio::sync::mpsc::unbounded_channel();
    let daemon = daemon_with(Arc::new(move |_, event| tell.send(event).unwrap()));
    daemon.up(1);
    daemon.announce(1, 0..100);
    for (to, action) in [(2, LimitAction::Warn), (3, LimitAction::Block)] {
        let mut peer = daemon.join_limited(to, key(), OCTETS_MAX, Some(Limit { routes_max: 50, action }));
        peer.read_until("the neighbour is fed", |p| p.ends == 1).await;
        let mut events = [heard.recv().await.unwrap(), heard.recv().await.unwrap()];
        events.sort_by_key(|e| matches!(e, TableEvent::Fed { .. }));
        assert!(matches!(events, [TableEvent::Limit { .. }, TableEvent::Fed { .. }]), "{events:?}");
        // The station comes later, and is rung for when something waits.
        let (ring, mut rung) = tokio::sync::mpsc::unbounded_channel();
        let bell = move || ring.send(()).unwrap_or_default();
        let outbox = Outbox::with_bell(OCTETS_MAX, Box::new(bell));
        let limit = Limit { routes_max: 50, action };
        let mirrored = MemberSpec { export_limit: Some(limit), ..spec(to) };
        let member = daemon.exports.mirror(TABLE, Arc::new(key()), mirrored, outbox.clone());
        let mut station = Peer { outbox, member, routes: HashMap::new(), ends: 0, updates: 0 };
        let mut hear_all = async |station: &mut Peer, done: &dyn Fn(&Peer) -> bool| {
            while !done(station) {
                tokio::time::timeout(PATIENCE, rung.recv()).await.unwrap();
                let mut pieces = Vec::new();
                while station.outbox.take(1 << 16, &mut pieces) {}
                pieces.iter().for_each(|piece| station.hear(piece));
            }
        };
        hear_all(&mut station, &|s| s.ends == 1).await;
        assert_eq!(station.routes, peer.routes);
        // What goes is told to both, what the neighbour has said to neither.
        let gone = 10 * to..10 * to + 5;
        let had = peer.routes.len();
        daemon.withdraw(1, gone.clone());
        peer.read_until("five are gone", |p| p.routes.len() == had - 5).await;
        hear_all(&mut station, &|s| s.routes.len() == had - 5).await;
        assert_eq!(station.routes, peer.routes);
        daemon.announce(1, gone);
        daemon.exports.leave(member);
        daemon.exports.leave(peer.member);
        assert!(heard.try_recv().is_err(), "nothing is said of the station");
    }
}
