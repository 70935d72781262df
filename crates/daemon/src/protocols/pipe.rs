//! `protocol pipe`: routes from one table to another and back.
//!
//! A pipe is two subscriptions and nothing else that runs: what the journal of
//! one table says goes as it is to the other, where the pipe's channel judges it
//! (`rib`'s pipes). `import` leads from the peer table into the table of the
//! pipe, `export` the other way. What `begin` starts, and what `stop` takes
//! back, is on its way when they return.

use super::Start;
use super::diary::Diary;
use super::policy::Runner;
use crate::translate::ChannelIds;
use conf::config::{ChannelConf, Limit, PipeConf, PipeMode, ProtocolConf, ProtocolKind};
use control::view::Exported;
use filter::{Policy, RouteView, Verdict};
use rib::batch::{Act, ChannelSpec, Deed, Generation, Opaque, PipeSpec, Piped, Reading};
use rib::query::{NetView, PathView};
use route::{Ifaces, RoaTables, Source, SourceId, SourceKind, TableId};
use session::link::{Delivery, ReaderId, Subscription, TableMsg};
use session::tables::Tables;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// A `pipe` protocol. Cheap to clone.
#[derive(Clone)]
pub struct PipeHandle {
    state: Arc<Mutex<Pipe>>,
    ifaces: watch::Receiver<Arc<Ifaces>>,
    roas: watch::Receiver<Arc<RoaTables>>,
}

/// The directions, as the operator sees them from the pipe's own table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Import,
    Export,
}

struct Pipe {
    conf: Arc<ProtocolConf>,
    /// The giver of what an opaque pipe hands on.
    source: Arc<Source>,
    tables: Tables,
    ways: [Way; 2],
    diary: Diary,
    up: bool,
}

/// One direction.
struct Way {
    direction: Direction,
    from: ChannelIds,
    into: ChannelIds,
    generation: Generation,
    reader: ReaderId,
}

impl PipeHandle {
    /// Makes it; it is down until [`begin`](Self::begin). `None` when the configuration is no pipe's.
    pub fn spawn(start: &Start) -> Option<Self> {
        let [own, peer] = start.channels.as_slice() else { return None };
        let way = |direction, from: &ChannelIds, into: &ChannelIds| Way {
            direction,
            from: from.clone(),
            into: into.clone(),
            generation: Generation(0),
            reader: ReaderId::next(),
        };
        let id = SourceId(start.world.deps.sources.fetch_add(1, Ordering::Relaxed));
        let name = Arc::clone(&start.conf.name);
        let source = Arc::new(Source::of_protocol(id, start.id, name, SourceKind::Pipe));
        let state = Pipe {
            conf: Arc::clone(&start.conf),
            source,
            tables: start.world.deps.tables.clone(),
            ways: [way(Direction::Import, peer, own), way(Direction::Export, own, peer)],
            diary: start.diary.clone(),
            up: false,
        };
        let deps = &start.world.deps;
        Some(Self { state: Arc::new(Mutex::new(state)), ifaces: deps.ifaces.clone(), roas: deps.roas.clone() })
    }

    fn lock(&self) -> MutexGuard<'_, Pipe> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Goes up; nothing happens when it is up already.
    pub fn begin(&self) {
        let mut pipe = self.lock();
        if std::mem::replace(&mut pipe.up, true) {
            return;
        }
        pipe.diary.starting();
        for at in 0..pipe.ways.len() {
            pipe.open(at);
        }
        pipe.diary.fed();
    }

    /// Goes down and takes its routes back.
    #[expect(clippy::unused_async, reason = "all protocols stop alike")]
    pub async fn stop(&self) {
        let mut pipe = self.lock();
        if std::mem::replace(&mut pipe.up, false) {
            pipe.diary.shutting_down();
            pipe.ways.iter().for_each(|way| way.close(&pipe.tables));
            pipe.diary.down();
        }
    }

    /// Takes over new options; the directions that are named hear all routes again.
    pub fn reconfigure(&self, conf: Arc<ProtocolConf>, import: bool, export: bool) {
        let mut pipe = self.lock();
        pipe.conf = conf;
        for way in pipe.ways.iter().filter(|_| pipe.up) {
            pipe.rule(way);
            pipe.limit(way, Deed::Reconfigure);
            let again = if way.direction == Direction::Import { import } else { export };
            if again {
                way.hear_again(&pipe.tables);
            }
        }
    }

    /// `reload`: limits open again, and all routes are judged anew.
    pub fn reload(&self) {
        let pipe = self.lock();
        if !pipe.up {
            return;
        }
        pipe.diary.reloading();
        pipe.diary.feeding_again();
        for way in &pipe.ways {
            pipe.rule(way);
            way.hear_again(&pipe.tables);
        }
        pipe.diary.fed();
    }

    /// `show route export|noexport|preexport` of this pipe in one of its tables: for each path of each net
    /// what becomes of it.
    pub fn judge(&self, table: TableId, nets: &[NetView]) -> Vec<Vec<Option<Exported>>> {
        let pipe = self.lock();
        let way = pipe.ways.iter().find(|w| w.from.table == table).and_then(|way| Some((way, pipe.spec(way)?)));
        let conf = Arc::clone(&pipe.conf);
        let rules = way.map(|(_, spec)| spec);
        drop(pipe);
        let Some(rules) = rules else { return nets.iter().map(|n| vec![None; n.paths.len()]).collect() };
        let opaque = matches!(&conf.kind, ProtocolKind::Pipe(p) if p.mode == PipeMode::Opaque);
        let ifaces = self.ifaces.borrow().clone();
        let mut runner = Runner::new(self.roas.clone());
        let mut told = |net: &NetView, p: &PathView| {
            let candidate = !p.filtered && (p.best || !opaque);
            candidate.then(|| judged(&rules, net, p, &ifaces, &mut runner))
        };
        nets.iter().map(|net| net.paths.iter().map(|p| told(net, p)).collect()).collect()
    }
}

fn judged(rules: &PipeSpec, net: &NetView, p: &PathView, ifaces: &Ifaces, runner: &mut Runner) -> Exported {
    if p.channel == rules.back {
        return Exported::Vetoed;
    }
    let view = RouteView {
        roa: None,
        net: net.net,
        attrs: &p.attrs,
        source: &p.source,
        resolved: Some(&p.hop.to),
        igp_metric: p.hop.igp_metric,
    };
    let (verdict, changed) = runner.judge(&rules.policy, view, ifaces);
    let attrs = changed.unwrap_or_else(|| p.attrs.clone());
    Exported::Judged { attrs, accepted: verdict == Verdict::Accept, anew: runner.written().has_field() }
}

impl Pipe {
    fn parts(&self) -> Option<(&ChannelConf, &PipeConf)> {
        match (&self.conf.kind, self.conf.channels.first()) {
            (ProtocolKind::Pipe(pipe), Some(channel)) => Some((channel, pipe)),
            _ => None,
        }
    }

    fn open(&mut self, at: usize) {
        if let Some(way) = self.ways.get_mut(at) {
            way.generation.0 += 1;
            way.reader = ReaderId::next();
        }
        let (Some(way), Some((_, conf))) = (self.ways.get(at), self.parts()) else { return };
        let reading = if conf.mode == PipeMode::Opaque { Reading::Best } else { Reading::Each };
        self.limit(way, Deed::Up);
        self.rule(way);
        let (tables, into, generation) = (self.tables.clone(), way.into.clone(), way.generation);
        let deliver = Box::new(move |delivery| {
            let piped = match delivery {
                Delivery::Changes(batch) => Piped::Changes(batch),
                Delivery::Feed(batch) => Piped::Current(batch),
                Delivery::FeedDone => Piped::Fed,
            };
            let act = Act { channel: into.channel, generation, deed: Deed::Piped(piped) };
            tables.send(into.table, TableMsg::Act(act, None));
        });
        let subscription = Subscription { reader: way.reader, reading, deliver };
        self.tables.send(way.from.table, TableMsg::Subscribe(subscription));
    }

    /// Gives the table at the end of a direction what is let through.
    fn rule(&self, way: &Way) {
        if let Some(spec) = self.spec(way) {
            way.act(&self.tables, Deed::Pipe(Box::new(spec)));
        }
    }

    /// Gives the table at the end of a direction its limit, by a deed of the channel.
    fn limit(&self, way: &Way, deed: fn(Box<ChannelSpec>) -> Deed) {
        let Some((channel, _)) = self.parts() else { return };
        let channel = ChannelSpec {
            family: channel.family,
            late_filter: None,
            keep_filtered: false,
            receive_limit: None,
            import_limit: way.direction.limit(channel),
        };
        way.act(&self.tables, deed(Box::new(channel)));
    }

    fn spec(&self, way: &Way) -> Option<PipeSpec> {
        let (channel, conf) = self.parts()?;
        let opaque = || Opaque { source: Arc::clone(&self.source), preference: channel.preference };
        Some(PipeSpec {
            name: Arc::clone(&self.source.protocol_name),
            policy: way.direction.policy(channel).clone(),
            back: way.from.channel,
            opaque: (conf.mode == PipeMode::Opaque).then(opaque),
            pipes_max: conf.pipes_max,
        })
    }
}

impl Direction {
    const fn policy(self, conf: &ChannelConf) -> &Policy {
        match self {
            Self::Import => &conf.import,
            Self::Export => &conf.export,
        }
    }

    const fn limit(self, conf: &ChannelConf) -> Option<Limit> {
        match self {
            Self::Import => conf.import_limit,
            Self::Export => conf.export_limit,
        }
    }
}

impl Way {
    fn act(&self, tables: &Tables, deed: Deed) {
        let act = Act { channel: self.into.channel, generation: self.generation, deed };
        tables.send(self.into.table, TableMsg::Act(act, None));
    }

    fn hear_again(&self, tables: &Tables) {
        tables.send(self.from.table, TableMsg::Refeed(self.reader));
    }

    fn close(&self, tables: &Tables) {
        tables.send(self.from.table, TableMsg::Unsubscribe(self.reader));
        self.act(tables, Deed::Down);
    }
}
