//! Pipes between tables beside a slow, obvious model, under random announcements, withdrawals, filters and reloads.
//!
//! The model knows only what is announced where, and walks from table to table
//! through the filters to say what must stand. The pipes read late, fall behind,
//! go down and up, and get other filters in between; when all is quiet, tables
//! without a circle hold exactly what the model says, and with circles nothing
//! that nobody announces.

#![expect(clippy::expect_used, reason = "what a test needs and does not have fails it")]

extern crate rbird_rib as rib;

mod support;

use filter::span::SourceFile;
use filter::syntax::{Cursor, lex};
use filter::{FileId, Policy, Symbols};
use proptest::prelude::*;
use rib::batch::{
    Act, Deed, Generation, ImportBatch, ImportRow, NetId, Opaque, PipeSpec, Piped, Reading, TableEvent, What,
};
use rib::table::{Order, Table, TableSpec};
use route::attr::code;
use route::net::Prefix4;
use route::{ChannelId, Family, Moment, Prefix, Source, SourceId, SourceKind, TableId};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use support::{bgp, bgp_source, source, spec};

const TABLES: usize = 4;
const GIVERS: u32 = 2;
const NETS: u8 = 5;
const MEDS: u32 = 4;
/// Turns of everything after which nothing may move any more.
const QUIET_AFTER: usize = 200;

/// What a pipe lets through, for the interpreter and for the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    All,
    None,
    OddNets,
    LowMed,
    AddTen,
    NotFirstGiver,
}

impl Rule {
    const EVERY: [Self; 6] = [Self::All, Self::None, Self::OddNets, Self::LowMed, Self::AddTen, Self::NotFirstGiver];

    fn policy(self) -> Policy {
        let text = match self {
            Self::All => return Policy::Accept,
            Self::None => return Policy::Reject,
            Self::OddNets => "{ if net ~ [10.1.0.0/16, 10.3.0.0/16] then accept; reject; }",
            Self::LowMed => "{ if bgp_med > 12 then reject; accept; }",
            Self::AddTen => "{ bgp_med = bgp_med + 10; accept; }",
            Self::NotFirstGiver => "{ if proto = \"p1\" then reject; accept; }",
        };
        let files = [SourceFile { path: "t".into(), text: text.as_bytes().into() }];
        let tokens = lex(FileId(0), text.as_bytes());
        let mut cursor = Cursor::new(&files, &tokens, Some(Family::Ipv4));
        let symbols = Symbols::new(Some(Family::Ipv4));
        Policy::Filter(filter::language::filter(&mut cursor, &symbols).expect("a filter"))
    }

    fn model(self, net: u8, giver: u32, med: u32) -> Option<u32> {
        match self {
            Self::All => Some(med),
            Self::None => None,
            Self::OddNets => (net % 2 == 1).then_some(med),
            Self::LowMed => (med <= 12).then_some(med),
            Self::AddTen => Some(med + 10),
            Self::NotFirstGiver => (giver != 1).then_some(med),
        }
    }
}

#[derive(Clone, Debug)]
enum Event {
    Announce { table: usize, giver: u32, net: u8, med: u32 },
    Withdraw { table: usize, giver: u32, net: u8 },
    GiverFalls { table: usize, giver: u32 },
    Seal(usize),
    Work(usize),
    Read { way: usize, most: usize },
    FallBehind(usize),
    Refilter { way: usize, rule: Rule },
    Reload(usize),
    Restart { pipe: usize, later: bool },
}

fn event() -> impl Strategy<Value = Event> {
    let (table, giver, net, way) = (0..TABLES, 0..GIVERS, 0..NETS, 0..8usize);
    let rule = prop::sample::select(Rule::EVERY.to_vec());
    prop_oneof![
        10 => (table.clone(), giver.clone(), net.clone(), 0..MEDS)
            .prop_map(|(table, giver, net, med)| Event::Announce { table, giver, net, med }),
        6 => (table.clone(), giver.clone(), net).prop_map(|(table, giver, net)| Event::Withdraw { table, giver, net }),
        1 => (table.clone(), giver).prop_map(|(table, giver)| Event::GiverFalls { table, giver }),
        8 => table.clone().prop_map(Event::Seal),
        3 => table.prop_map(Event::Work),
        10 => (way.clone(), 1..4usize).prop_map(|(way, most)| Event::Read { way, most }),
        1 => way.clone().prop_map(Event::FallBehind),
        2 => (way.clone(), rule).prop_map(|(way, rule)| Event::Refilter { way, rule }),
        1 => way.prop_map(Event::Reload),
        2 => (0..4usize, any::<bool>()).prop_map(|(pipe, later)| Event::Restart { pipe, later }),
    ]
}

/// One direction of a pipe, with what waits to be read.
struct Way {
    from: usize,
    into: usize,
    /// The pipe's channels into `into` and into `from`.
    channel: ChannelId,
    back: ChannelId,
    rule: Rule,
    opaque: Option<Arc<Source>>,
    is_up: bool,
    generation: u32,
    /// Words on their way, of the life of the pipe in which they were said.
    waiting: VecDeque<(u32, Piped)>,
    feed: Option<NetId>,
    fallen: Option<BTreeSet<NetId>>,
}

struct World {
    tables: Vec<Table>,
    ways: Vec<Way>,
    /// By table, prefix and giver.
    announced: BTreeMap<(usize, u8, u32), u32>,
    generations: BTreeMap<ChannelId, u32>,
    events: Vec<TableEvent>,
    now: Moment,
}

fn prefix(net: u8) -> Prefix {
    Prefix::V4(Prefix4 { addr: 10 << 24 | u32::from(net) << 16, len: 16 })
}

/// The number of a giver, as source and as channel.
fn number(table: usize, giver: u32) -> u32 {
    table as u32 * GIVERS + giver
}

impl World {
    fn new(pipes: &[(usize, usize, Rule, Rule, bool)]) -> Self {
        let table = |n: usize| {
            let spec = TableSpec {
                id: TableId(n as u32),
                name: format!("t{n}").into(),
                family: Family::Ipv4,
                order: Order::Newest,
            };
            Table::new(spec)
        };
        let mut world = Self {
            tables: (0..TABLES).map(table).collect(),
            ways: Vec::new(),
            announced: BTreeMap::new(),
            generations: BTreeMap::new(),
            events: Vec::new(),
            now: Moment(1),
        };
        for (n, (a, b, there, back, opaque)) in pipes.iter().enumerate() {
            let ids = [ChannelId(100 + 2 * n as u32), ChannelId(101 + 2 * n as u32)];
            let own = opaque.then(|| source(200 + n as u32, SourceKind::Pipe, None));
            for (from, into, channel, back, rule) in [(*a, *b, ids[0], ids[1], *there), (*b, *a, ids[1], ids[0], *back)]
            {
                world.ways.push(Way {
                    from,
                    into,
                    channel,
                    back,
                    rule,
                    opaque: own.clone(),
                    is_up: false,
                    generation: 0,
                    waiting: VecDeque::new(),
                    feed: None,
                    fallen: None,
                });
            }
        }
        (0..TABLES).for_each(|t| (0..GIVERS).for_each(|g| world.giver_up(t, g)));
        (0..world.ways.len()).for_each(|w| world.open(w));
        world
    }

    fn act(&mut self, table: usize, channel: ChannelId, generation: u32, deed: Deed) {
        let act = Act { channel, generation: Generation(generation), deed };
        self.tables[table].apply(act, self.now, &mut self.events);
    }

    fn give(&mut self, table: usize, giver: u32, deed: Deed) {
        let channel = ChannelId(number(table, giver));
        let generation = self.generations.get(&channel).copied().unwrap_or(0);
        self.act(table, channel, generation, deed);
    }

    fn giver_up(&mut self, table: usize, giver: u32) {
        let n = number(table, giver);
        *self.generations.entry(ChannelId(n)).or_default() += 1;
        self.give(table, giver, Deed::Up(Box::new(spec())));
        self.give(table, giver, Deed::Source(source(n, SourceKind::Bgp, Some(bgp_source(n)))));
    }

    fn row(&mut self, table: usize, giver: u32, net: u8, med: Option<u32>) {
        let palette = med.map(|med| bgp().med(med).build()).into_iter().collect();
        let what = if med.is_some() { What::Announce(0) } else { What::Withdraw };
        let row = ImportRow { net: prefix(net), source: SourceId(number(table, giver)), what };
        self.give(table, giver, Deed::Import(ImportBatch { palette, rows: vec![row] }));
    }

    fn tell_rule(&mut self, at: usize) {
        let way = &self.ways[at];
        let opaque = way.opaque.clone().map(|source| Opaque { source, preference: 70 });
        let spec = PipeSpec { name: "p".into(), policy: way.rule.policy(), back: way.back, opaque, pipes_max: 16 };
        let (into, channel, generation) = (way.into, way.channel, way.generation);
        self.act(into, channel, generation, Deed::Pipe(Box::new(spec)));
    }

    fn open(&mut self, at: usize) {
        let way = &mut self.ways[at];
        way.generation += 1;
        way.is_up = true;
        way.feed = Some(NetId(0));
        let (from, into, channel, generation) = (way.from, way.into, way.channel, way.generation);
        self.seal(from);
        self.act(into, channel, generation, Deed::Up(Box::new(spec())));
        self.tell_rule(at);
        self.set_readings();
    }

    fn close(&mut self, at: usize) {
        let way = &mut self.ways[at];
        way.is_up = false;
        // What was on its way stays so: its generation is over.
        way.feed = None;
        way.fallen = None;
        let (into, channel, generation) = (way.into, way.channel, way.generation);
        self.act(into, channel, generation, Deed::Down);
        self.set_readings();
    }

    fn set_readings(&mut self) {
        for (n, table) in self.tables.iter_mut().enumerate() {
            let mine = self.ways.iter().filter(|w| w.from == n && w.is_up);
            table.set_readings(mine.map(Way::reading));
        }
    }

    fn seal(&mut self, table: usize) -> bool {
        let Some(batch) = self.tables[table].seal() else { return false };
        for way in self.ways.iter_mut().filter(|w| w.from == table && w.is_up) {
            match &mut way.fallen {
                Some(ids) => {
                    ids.extend(batch.rows.iter().map(|r| r.id));
                    ids.extend(batch.each.iter().map(|e| e.id));
                }
                None => way.waiting.push_back((way.generation, Piped::Changes(Arc::clone(&batch)))),
            }
        }
        true
    }

    /// Reads one thing. `false`: there is nothing.
    fn read(&mut self, at: usize) -> bool {
        let way = &mut self.ways[at];
        let (generation, piped) = if let Some(said) = way.waiting.pop_front() {
            said
        } else if let Some(ids) = way.fallen.take() {
            let ids: Vec<_> = ids.into_iter().collect();
            (way.generation, Piped::Current(Arc::new(self.tables[way.from].current(&ids, way.reading()))))
        } else if let Some(from) = way.feed {
            let (page, next) = self.tables[way.from].page(from, 2, way.reading());
            way.feed = next;
            (way.generation, Piped::Current(Arc::new(page)))
        } else {
            return false;
        };
        let (into, channel) = (way.into, way.channel);
        self.act(into, channel, generation, Deed::Piped(piped));
        true
    }

    /// Numbers are given again when nobody holds a word about them any more.
    fn release(&mut self) {
        for (n, table) in self.tables.iter_mut().enumerate() {
            if self.ways.iter().all(|w| w.from != n || (w.waiting.is_empty() && w.fallen.is_none())) {
                table.release(u64::MAX);
            }
        }
    }

    fn take(&mut self, event: &Event) {
        self.now.0 += 1;
        let ways = self.ways.len();
        match *event {
            Event::Announce { table, giver, net, med } => {
                self.announced.insert((table, net, giver), med);
                self.row(table, giver, net, Some(med));
            }
            Event::Withdraw { table, giver, net } => {
                self.announced.remove(&(table, net, giver));
                self.row(table, giver, net, None);
            }
            Event::GiverFalls { table, giver } => {
                self.announced.retain(|(t, _, g), _| (*t, *g) != (table, giver));
                self.give(table, giver, Deed::Down);
                self.giver_up(table, giver);
            }
            Event::Seal(table) => {
                self.seal(table);
            }
            Event::Work(table) => {
                self.tables[table].work(self.now, 3);
            }
            Event::Read { way, most } => {
                (0..most).take_while(|_| self.read(way % ways)).count();
            }
            Event::FallBehind(way) => {
                let way = &mut self.ways[way % ways];
                if way.is_up {
                    way.fallen.get_or_insert_default();
                }
            }
            Event::Refilter { way, rule } => {
                self.ways[way % ways].rule = rule;
                self.reload(way % ways);
            }
            Event::Reload(way) => self.reload(way % ways),
            Event::Restart { pipe, later } => {
                let first = (2 * pipe) % ways;
                for way in [first, first + 1] {
                    if self.ways[way].is_up {
                        self.close(way);
                    }
                    if !later {
                        self.open(way);
                    }
                }
            }
        }
        self.release();
    }

    fn reload(&mut self, at: usize) {
        if self.ways[at].is_up {
            self.tell_rule(at);
            self.ways[at].feed = Some(NetId(0));
        }
    }

    /// Lets everything run to its end.
    fn quiet(&mut self) {
        for _ in 0..QUIET_AFTER {
            self.now.0 += 1;
            let mut moved = false;
            for table in 0..TABLES {
                while self.tables[table].work(self.now, 100) {}
                moved |= self.seal(table);
            }
            for way in 0..self.ways.len() {
                while self.read(way) {
                    moved = true;
                }
            }
            self.release();
            if !moved {
                return;
            }
        }
        panic!("routes go round without end");
    }

    /// All paths of a table: prefix, source, MED, and the channel that brought it.
    fn paths(&self, table: usize) -> BTreeSet<(Prefix, SourceId, u32, ChannelId)> {
        let table = &self.tables[table];
        let mut nets = Vec::new();
        table.nets(NetId(0), usize::MAX, &mut nets);
        let views = nets.into_iter().filter_map(|(_, id)| table.show(id));
        let all = views.flat_map(|v| v.paths.into_iter().map(move |p| (v.net, p)));
        let facts = |(net, p): (Prefix, rib::table::PathView)| {
            (net, p.source.id, p.attrs.get_u32(code::MED).expect("a MED"), p.channel)
        };
        all.map(facts).collect()
    }
}

impl Way {
    fn reading(&self) -> Reading {
        if self.opaque.is_some() { Reading::Best } else { Reading::Each }
    }
}

/// What must stand where, by walking from every announcement through all pipes that are up.
fn wanted(world: &World) -> Vec<BTreeSet<(Prefix, SourceId, u32)>> {
    let mut all = vec![BTreeSet::new(); TABLES];
    for ((home, net, giver), med) in &world.announced {
        let n = number(*home, *giver);
        let mut todo = vec![(*home, None, *med)];
        while let Some((table, by, med)) = todo.pop() {
            all[table].insert((prefix(*net), SourceId(n), med));
            for way in world.ways.iter().filter(|w| w.is_up && w.from == table && Some(w.back) != by) {
                if let Some(med) = way.rule.model(*net, n, med) {
                    todo.push((way.into, Some(way.channel), med));
                }
            }
        }
    }
    all
}

fn rule() -> impl Strategy<Value = Rule> {
    prop::sample::select(Rule::EVERY.to_vec())
}

/// Pipes without a circle: each table but the first has one to an earlier table.
fn tree() -> impl Strategy<Value = Vec<(usize, usize, Rule, Rule, bool)>> {
    let pipe = |n: usize| (0..n, rule(), rule()).prop_map(move |(to, a, b)| (to, n, a, b, false));
    (1..TABLES).map(pipe).collect::<Vec<_>>()
}

/// Any pipes between different tables, opaque ones among them.
fn tangle() -> impl Strategy<Value = Vec<(usize, usize, Rule, Rule, bool)>> {
    let pipe = (0..TABLES, 1..TABLES, rule(), rule(), prop::bool::weighted(0.2));
    let pipe = pipe.prop_map(|(a, by, there, back, opaque)| (a, (a + by) % TABLES, there, back, opaque));
    prop::collection::vec(pipe, 2..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn without_a_circle_every_table_holds_what_the_walk_from_the_announcements_says(
        pipes in tree(), events in prop::collection::vec(event(), 1..120)
    ) {
        let mut world = World::new(&pipes);
        events.iter().for_each(|e| world.take(e));
        world.quiet();
        for (table, wanted) in wanted(&world).into_iter().enumerate() {
            let there: BTreeSet<_> = world.paths(table).into_iter().map(|(net, by, med, _)| (net, by, med)).collect();
            prop_assert_eq!(there, wanted, "table {}", table);
        }
        prop_assert!(world.events.is_empty(), "{:?}", world.events);
    }

    #[test]
    fn in_any_tangle_all_comes_to_rest_and_no_pipe_holds_what_its_other_table_does_not_give(
        pipes in tangle(), events in prop::collection::vec(event(), 1..120)
    ) {
        let mut world = World::new(&pipes);
        events.iter().for_each(|e| world.take(e));
        world.quiet();
        for way in &world.ways {
            let given = world.paths(way.from);
            for (net, by, med, channel) in world.paths(way.into) {
                if channel != way.channel {
                    continue;
                }
                prop_assert!(way.is_up);
                let Prefix::V4(Prefix4 { addr, .. }) = net else { unreachable!("all are of one family") };
                let gives = given.iter().any(|(n, s, m, c)| {
                    let is_it = *n == net && *c != way.back && (way.opaque.is_some() || *s == by);
                    is_it && way.rule.model((addr >> 16) as u8, s.0, *m) == Some(med)
                });
                prop_assert!(gives, "{net} by {by:?} in table {}", way.into);
            }
        }
        for (table, paths) in (0..TABLES).map(|t| (t, world.paths(t))) {
            for (net, by, ..) in paths {
                let announced = world.announced.keys().any(|(t, n, g)| prefix(*n) == net && number(*t, *g) == by.0);
                prop_assert!(announced || by.0 >= 200, "nobody gives {net} by {by:?}, table {table} has it");
            }
        }
    }
}
