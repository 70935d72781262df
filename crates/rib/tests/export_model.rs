//! Export groups beside a slow, obvious model.
//!
//! The model of a peer is a map of what it holds. Whatever happens in which
//! order (changes, joins, leaves, refreshes, full outboxes, other options), a
//! peer is never told to forget what it does not hold, never hears the same twice
//! without reason, the counter of told routes is right at every moment, and when
//! all is quiet it holds what a fresh judgement of the table says.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may")]

mod support;

use filter::run::Policy;
use proptest::prelude::*;
extern crate rbird_rib as rib;
use rib::batch::{ChangeBatch, ChangeRow, Generation, NetId, Path, Reading, ResolvedHop};
use rib::export::{
    Advance, Group, GroupKey, Judge, MemberId, MemberSpec, Moved, NextHopRules, Offer, Part, RoutesOf, Signal, Slot,
};
use rib::trace::{Fate, Tracing};
use route::attr::code;
use route::attrs::Local;
use route::net::Prefix4;
use route::{
    AttrSet, AttrSetBuilder, BgpSource, ChannelId, Dest, IfIndex, Ifaces, Moment, Prefix, ProtocolId, Resolved, Source,
    SourceId, SourceKind, Speaker, TableId,
};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

const NETS: u8 = 12;
const SOURCES: u8 = 6;
const PAGE: usize = 3;

/// What may happen.
#[derive(Clone, Debug)]
enum Event {
    Announce {
        net: u8,
        source: u8,
        version: u8,
    },
    Withdraw {
        net: u8,
        source: u8,
    },
    /// The table seals and groups hear of it.
    Seal,
    Join {
        protocol: u8,
    },
    Leave {
        member: u8,
    },
    Refresh {
        member: u8,
        enhanced: bool,
    },
    Slow {
        member: u8,
        slow: bool,
    },
    /// Other options for a member: it moves to another group.
    Rekey {
        member: u8,
    },
    /// A page that is wanted comes.
    Page,
    /// Rows that are asked for come.
    Ask,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        12 => (0..NETS, 0..SOURCES, 0..8u8).prop_map(|(net, source, version)| Event::Announce { net, source, version }),
        6 => (0..NETS, 0..SOURCES).prop_map(|(net, source)| Event::Withdraw { net, source }),
        8 => Just(Event::Seal),
        3 => (0..4u8).prop_map(|protocol| Event::Join { protocol }),
        1 => any::<u8>().prop_map(|member| Event::Leave { member }),
        2 => (any::<u8>(), any::<bool>()).prop_map(|(member, enhanced)| Event::Refresh { member, enhanced }),
        3 => (any::<u8>(), any::<bool>()).prop_map(|(member, slow)| Event::Slow { member, slow }),
        1 => any::<u8>().prop_map(|member| Event::Rekey { member }),
        8 => Just(Event::Page),
        4 => Just(Event::Ask),
    ]
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Mode {
    Best,
    AddPath,
    Secondary,
}

fn addr(last: u8) -> IpAddr {
    Ipv4Addr::new(192, 0, 2, last).into()
}

fn key(mode: Mode, variant: bool) -> Arc<GroupKey> {
    Arc::new(GroupKey {
        secondary: mode == Mode::Secondary,
        add_path: mode == Mode::AddPath,
        local_addr: addr(254),
        link: IfIndex(0),
        next_hop: NextHopRules { keep: RoutesOf::All, ..NextHopRules::default() },
        cluster_id: 254,
        interpret_communities: variant,
        ..support::key(Policy::Accept)
    })
}

/// Two sources to a protocol.
fn source(n: u8) -> Arc<Source> {
    let protocol = n / 2;
    Arc::new(Source {
        id: SourceId(u32::from(n)),
        protocol: ProtocolId(u32::from(protocol)),
        protocol_name: format!("p{protocol}").into(),
        kind: SourceKind::Bgp,
        path_id: u32::from(n % 2),
        bgp: Some(BgpSource {
            cluster_id: 254,
            ..BgpSource::between(
                Speaker { addr: addr(254), asn: 65000, id: 254 },
                Speaker { addr: addr(protocol), asn: 65000 + u32::from(protocol), id: 1 },
            )
        }),
    })
}

/// Version `v`: some have the address of a member as next hop, some may not leave the AS, some differ in nothing that is sent.
fn attrs(version: u8) -> AttrSet {
    let mut local = Local::new(SourceKind::Bgp, 100, Dest::Blackhole);
    local.preference = u32::from(version % 2);
    let mut b = AttrSetBuilder::new(local);
    b.set(code::ORIGIN, &[version / 4]);
    b.set(code::AS_PATH, &[]);
    b.set(code::NEXT_HOP, &[192, 0, 2, version / 2]);
    if version == 5 {
        b.set(code::COMMUNITY, &[0xff, 0xff, 0xff, 0x01]);
    }
    b.build()
}

fn prefix(net: u8) -> Prefix {
    Prefix::V4(Prefix4::new(0x0a00_0000 + (u32::from(net) << 8), 24).unwrap())
}

/// A table: for each prefix its paths in order; numbers that are given again as early as allowed.
#[derive(Default)]
struct Model {
    paths: BTreeMap<u8, Vec<(u8, u8)>>,
    numbers: BTreeMap<u8, NetId>,
    changed: BTreeSet<u8>,
    /// The paths of each prefix as the journal spoke of them last.
    sealed: BTreeMap<u8, Vec<(u8, u8)>>,
    /// Numbers of prefixes that groups have been told are gone.
    freed: Vec<NetId>,
    free: BTreeSet<NetId>,
    next: u32,
}

impl Model {
    fn number(&mut self, net: u8) -> NetId {
        let Self { numbers, free, next, .. } = self;
        *numbers.entry(net).or_insert_with(|| {
            free.pop_first().unwrap_or_else(|| {
                *next += 1500;
                NetId(*next)
            })
        })
    }

    fn announce(&mut self, net: u8, source: u8, version: u8) {
        self.number(net);
        let paths = self.paths.entry(net).or_default();
        paths.retain(|(s, _)| *s != source);
        paths.push((source, version));
        // Any order will do, as long as it is the table's.
        paths.sort_by_key(|(s, v)| (std::cmp::Reverse(v / 3), *s));
        self.changed.insert(net);
    }

    fn withdraw(&mut self, net: u8, source: u8) {
        if let Some(paths) = self.paths.get_mut(&net) {
            paths.retain(|(s, _)| *s != source);
            self.changed.insert(net);
        }
    }

    /// How many paths of a prefix stand in front as the journal spoke of them last.
    fn unmoved(&self, net: u8) -> u8 {
        let both = self.paths.get(&net).into_iter().flatten().zip(self.sealed.get(&net).into_iter().flatten());
        both.take_while(|(now, then)| now == then).count() as u8
    }

    fn batch(&self, nets: &[u8], reading: Reading, part: Part) -> ChangeBatch {
        let mut batch = ChangeBatch {
            table: TableId(1),
            seq: 0,
            palette: (0..8).map(attrs).collect(),
            hops: vec![ResolvedHop { to: Resolved::Blackhole, igp_metric: None, recursive: false }],
            sources: (0..SOURCES).map(source).collect(),
            channels: (0..SOURCES).map(|n| ChannelId(n.into())).collect(),
            rows: Vec::new(),
            paths: Vec::new(),
            each: Vec::new(),
        };
        for net in nets {
            let start = batch.paths.len() as u32;
            let width = if reading == Reading::Best { 1 } else { usize::MAX };
            for (source, version) in self.paths.get(net).into_iter().flatten().take(width) {
                let (source, attrs) = (u32::from(*source), u32::from(*version));
                batch.paths.push(Path {
                    source,
                    attrs,
                    hop: 0,
                    stale: false,
                    suppressed: false,
                    pipes: 0,
                    since: Moment(0),
                });
            }
            let paths = start..batch.paths.len() as u32;
            let unmoved = if part == Part::Changes { self.unmoved(*net) } else { 0 };
            batch.rows.push(ChangeRow { id: self.numbers[net], net: prefix(*net), paths, unmoved });
        }
        batch
    }
}

/// A peer and what it holds.
struct Peer {
    id: MemberId,
    group: usize,
    slot: Slot,
    protocol: u8,
    variant: bool,
    holds: HashMap<(Prefix, u32), Vec<u8>>,
    ends: u32,
    refreshes: i32,
    /// It was slow, asked for a refresh, moved, or is or was alone: may hear the same again.
    may_repeat: bool,
    /// What the lines of its trace come to: routes told and not taken back, if it is traced.
    traced: HashMap<Prefix, i32>,
}

struct World {
    mode: Mode,
    model: Model,
    groups: Vec<Option<Group>>,
    cursors: Vec<NetId>,
    peers: Vec<Peer>,
    advance: Advance,
    joined: u32,
}

impl World {
    fn new(mode: Mode) -> Self {
        Self {
            mode,
            model: Model::default(),
            groups: Vec::new(),
            cursors: Vec::new(),
            peers: Vec::new(),
            advance: Advance::default(),
            joined: 0,
        }
    }

    fn happen(&mut self, event: Event) {
        let pick = |peers: &[Peer], n: u8| (!peers.is_empty()).then(|| usize::from(n) % peers.len());
        match event {
            Event::Announce { net, source, version } => self.model.announce(net, source, version),
            Event::Withdraw { net, source } => self.model.withdraw(net, source),
            Event::Seal => self.seal(),
            Event::Join { protocol } => {
                if !self.peers.iter().any(|p| p.protocol == protocol) {
                    let id = MemberId(self.joined);
                    self.joined += 1;
                    self.join(id, protocol, true, None);
                }
            }
            Event::Leave { member } => {
                if let Some(at) = pick(&self.peers, member) {
                    let peer = self.peers.remove(at);
                    self.leave(&peer, false);
                }
            }
            Event::Refresh { member, enhanced } => {
                if let Some(at) = pick(&self.peers, member) {
                    let peer = &mut self.peers[at];
                    peer.may_repeat = true;
                    self.advance.clear();
                    self.groups[peer.group].as_mut().unwrap().refresh(peer.slot, enhanced, &mut self.advance);
                    let group = peer.group;
                    self.signals(group);
                }
            }
            Event::Slow { member, slow } => {
                if let Some(at) = pick(&self.peers, member) {
                    self.set_slow(at, slow);
                }
            }
            Event::Rekey { member } => {
                if let Some(at) = pick(&self.peers, member) {
                    let peer = self.peers.remove(at);
                    let moved = self.leave(&peer, true);
                    self.join(peer.id, peer.protocol, !peer.variant, Some((moved.unwrap(), peer)));
                }
            }
            Event::Page => {
                for group in 0..self.groups.len() {
                    self.page(group);
                }
            }
            Event::Ask => {
                for group in 0..self.groups.len() {
                    self.ask(group);
                }
            }
        }
    }

    fn set_slow(&mut self, at: usize, slow: bool) {
        let peer = &mut self.peers[at];
        peer.may_repeat = true;
        let group = peer.group;
        self.advance.clear();
        self.groups[group].as_mut().unwrap().set_slow(peer.slot, slow, &mut self.advance);
        self.signals(group);
    }

    fn join(&mut self, id: MemberId, protocol: u8, variant: bool, moved: Option<(Moved, Peer)>) {
        let key = key(self.mode, variant);
        let spec = MemberSpec {
            protocol: ProtocolId(u32::from(protocol)),
            name: format!("p{protocol}").into(),
            channel: ChannelId(u32::from(protocol)),
            generation: Generation(1),
            peer_addr: addr(protocol),
            export_limit: None,
            // Who is traced hears what the others hear.
            tracing: Tracing { routes: protocol.is_multiple_of(2), filters: protocol.is_multiple_of(3), channel: None },
        };
        let open = |g: &Option<Group>| g.as_ref().is_some_and(|g| g.is_open() && *g.key() == key);
        let group = match self.groups.iter().position(open) {
            Some(at) if Group::is_sociable(&key, &spec) => at,
            _ => {
                self.groups.push(Some(Group::new(key, Arc::new(Ifaces::default()))));
                self.cursors.push(NetId(0));
                self.groups.len() - 1
            }
        };
        let (moved, old) = moved.unzip();
        let end = old.is_none().then_some(Signal::EndOfRib);
        // A feed that a move has broken off is not said to have ended.
        let ends = old.as_ref().map_or(0, |p| p.ends.max(1));
        let slot = self.groups[group].as_mut().unwrap().join(id, spec, moved, end);
        let may_repeat = old.is_some();
        let (holds, traced) = old.map(|p| (p.holds, p.traced)).unwrap_or_default();
        self.peers.push(Peer { id, group, slot, protocol, variant, holds, ends, refreshes: 0, may_repeat, traced });
        self.note_lonely(group);
    }

    fn leave(&mut self, peer: &Peer, moves: bool) -> Option<Moved> {
        let group = self.groups[peer.group].as_mut().unwrap();
        let moved = group.leave(peer.slot, moves);
        if group.is_empty() {
            self.groups[peer.group] = None;
        }
        moved
    }

    /// Who is alone in its group may hear the same again.
    fn note_lonely(&mut self, group: usize) {
        let alone = self.groups[group].as_ref().is_some_and(|g| g.len() == 1);
        self.peers.iter_mut().filter(|p| p.group == group).for_each(|p| p.may_repeat |= alone);
    }

    /// Everybody hears of the changes; then numbers of what is gone are given back, if nobody needs them.
    fn seal(&mut self) {
        let changed: Vec<u8> = std::mem::take(&mut self.model.changed).into_iter().collect();
        if !changed.is_empty() {
            for group in 0..self.groups.len() {
                self.take(group, &changed, Part::Changes);
            }
            for net in changed {
                let Model { paths, sealed, .. } = &mut self.model;
                sealed.insert(net, paths.get(&net).cloned().unwrap_or_default());
                if self.model.paths.get(&net).is_some_and(Vec::is_empty) {
                    self.model.paths.remove(&net);
                    // The prefix keeps its number until it is released.
                    let number = self.model.numbers[&net];
                    self.model.freed.push(number);
                }
            }
        }
        if !self.groups.iter().flatten().any(Group::holds_numbers) {
            let Model { numbers, freed, paths, free, .. } = &mut self.model;
            numbers.retain(|net, _| paths.contains_key(net));
            free.extend(freed.drain(..).filter(|n| !numbers.values().any(|m| m == n)));
        }
    }

    fn page(&mut self, group: usize) {
        if !self.groups[group].as_ref().is_some_and(Group::wants_page) {
            return;
        }
        self.seal();
        let from = self.cursors[group];
        let mut nets: Vec<(NetId, u8)> = self.model.numbers.iter().map(|(net, id)| (*id, *net)).collect();
        nets.retain(|(id, net)| *id >= from && self.model.paths.contains_key(net));
        nets.sort();
        let next = nets.get(PAGE).map(|(id, _)| *id);
        let nets: Vec<u8> = nets.into_iter().take(PAGE).map(|(_, net)| net).collect();
        self.cursors[group] = next.unwrap_or(NetId(0));
        self.take(group, &nets, Part::Page { from, next });
    }

    fn ask(&mut self, group: usize) {
        let Some(wanted) = self.groups[group].as_ref().map(|g| g.wanted(PAGE)) else { return };
        if wanted.is_empty() {
            return;
        }
        let numbers = &self.model.numbers;
        let mut asked: Vec<(u8, NetId)> = numbers.iter().map(|(n, id)| (*n, *id)).collect();
        asked.retain(|(_, id)| wanted.contains(id));
        assert_eq!(asked.len(), wanted.len(), "numbers that are still needed were given away");
        // What changed is told before the answer; it may be that nobody needs the answer any more.
        self.seal();
        asked.retain(|(net, id)| self.model.numbers.get(net) == Some(id));
        let nets: Vec<u8> = asked.into_iter().map(|(net, _)| net).collect();
        self.take(group, &nets, Part::Asked);
    }

    /// A batch through a group, and what its members hear of it.
    fn take(&mut self, at: usize, nets: &[u8], part: Part) {
        let Some(group) = self.groups[at].as_mut() else { return };
        let batch = self.model.batch(nets, group.key().reading(), part);
        group.take(&batch, part, &mut self.advance);
        let (lines, _) = self.advance.traces.take();
        for peer in self.peers.iter_mut().filter(|p| p.group == at) {
            let mut heard = BTreeSet::new();
            for run in self.advance.runs.iter().filter(|r| self.advance.is_heard_by(r.audience, peer.slot)) {
                for route in self.advance.nets(run, &batch) {
                    assert!(heard.insert(route), "a route stands twice in what {:?} hears", peer.id);
                    let octets = run.attrs.as_ref().map(|a| a.octets().to_vec());
                    let was = match octets.clone() {
                        Some(octets) => peer.holds.insert(route, octets),
                        None => peer.holds.remove(&route),
                    };
                    assert!(octets.is_some() || was.is_some(), "{route:?} withdrawn, but never told");
                    assert!(peer.may_repeat || was != octets, "{route:?} told twice");
                }
            }
            let name = format!("p{}", peer.protocol);
            for line in lines.iter().filter(|l| *l.protocol == *name) {
                *peer.traced.entry(line.net).or_default() += match line.fate {
                    Fate::Added => 1,
                    Fate::Removed => -1,
                    _ => 0,
                };
            }
            peer.traced.retain(|_, routes| *routes != 0);
            if peer.protocol.is_multiple_of(2) {
                let mut held: HashMap<Prefix, i32> = HashMap::new();
                peer.holds.keys().for_each(|(net, _)| *held.entry(*net).or_default() += 1);
                assert_eq!(peer.traced, held, "the trace of {name} says what it holds");
            }
            let group = self.groups[at].as_ref().unwrap();
            assert_eq!(group.stats(peer.slot).unwrap().1 as usize, peer.holds.len(), "count of {:?}", peer.id);
        }
        self.signals(at);
    }

    fn signals(&mut self, group: usize) {
        for slot in &self.advance.fed {
            let owner = self.groups[group].as_ref().unwrap();
            assert!(!owner.is_walking() || owner.len() > 1, "{slot:?} walks, and is said to have been fed");
        }
        for (slot, signal) in &self.advance.signals {
            let peer = self.peers.iter_mut().find(|p| p.group == group && p.slot == *slot).unwrap();
            match signal {
                Signal::EndOfRib => peer.ends += 1,
                Signal::BeginRefresh => peer.refreshes += 1,
                Signal::EndRefresh => peer.refreshes -= 1,
            }
        }
    }

    /// All outboxes have room, and everything that is wanted comes.
    fn come_to_rest(&mut self) {
        for at in 0..self.peers.len() {
            self.set_slow(at, false);
        }
        for _ in 0..1000 {
            self.happen(Event::Page);
            self.happen(Event::Ask);
            self.seal();
        }
    }

    /// What a fresh judgement says that a peer should hold.
    fn expected(&self, peer: &Peer) -> HashMap<(Prefix, u32), Vec<u8>> {
        let mut judge = Judge::new(key(self.mode, peer.variant), Arc::new(Ifaces::default()));
        let hop = ResolvedHop { to: Resolved::Blackhole, igp_metric: None, recursive: false };
        let mut all = HashMap::new();
        for (net, paths) in &self.model.paths {
            for (n, version) in paths {
                let (net, source, attrs) = (prefix(*net), source(*n), attrs(*version));
                let told = judge.outgoing(&Offer { net, attrs: &attrs, source: &source, hop: &hop });
                let is_own = n / 2 == peer.protocol || attrs.next_hop().unwrap().0 == addr(peer.protocol);
                if let Ok(told) = told
                    && !is_own
                {
                    let path_id = if self.mode == Mode::AddPath { u32::from(*n) } else { 0 };
                    all.insert((net, path_id), told.octets().to_vec());
                    if self.mode == Mode::Secondary {
                        break;
                    }
                }
                if self.mode == Mode::Best {
                    break;
                }
            }
        }
        all
    }
}

fn run(mode: Mode, events: Vec<Event>) {
    let mut world = World::new(mode);
    for event in events {
        world.happen(event);
    }
    world.come_to_rest();
    for peer in &world.peers {
        assert_eq!(peer.holds, world.expected(peer), "{mode:?}: what {:?} of p{} holds", peer.id, peer.protocol);
        let group = world.groups[peer.group].as_ref().unwrap();
        assert!(!group.is_feeding(peer.slot), "{:?} has been told everything", peer.id);
        assert_eq!((peer.ends, peer.refreshes), (1, 0), "ends of {:?}", peer.id);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn peers_hold_the_best_routes(events in proptest::collection::vec(event(), 1..120)) {
        run(Mode::Best, events);
    }

    #[test]
    fn peers_hold_all_routes_with_add_path(events in proptest::collection::vec(event(), 1..120)) {
        run(Mode::AddPath, events);
    }

    #[test]
    fn peers_hold_the_best_routes_that_they_may_hear_with_secondary(events in proptest::collection::vec(event(), 1..120)) {
        run(Mode::Secondary, events);
    }
}
