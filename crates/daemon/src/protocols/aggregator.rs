//! `protocol aggregator`: the routes of a prefix that are alike, made into one in another table.
//!
//! It reads all paths of each prefix that changes, lets `export` judge them, puts
//! those together of which all keys are equal, and makes one route of each such
//! heap by `merge by`. Since `net` is always a key, what becomes of a prefix depends
//! on its own paths and on nothing else: what is told of it is made equal to what
//! should be, each time. That is done where the table's journal is read, on the
//! thread of that table, as filters are that run in tables.

use super::Start;
use super::channel::Import;
use super::diary::Diary;
use super::policy::Runner;
use crate::translate::ChannelIds;
use conf::config::{AggregatorConf, ChannelConf, ProtocolConf, ProtocolKind};
use filter::names::{Attr, Field};
use filter::{Env, RouteKey, RouteView, Scratch, Value, Verdict};
use rib::batch::{ChangeBatch, ChangeRow, Reading};
use route::attrs::{AttrSetBuilder, Local};
use route::{AttrSet, Dest, Ifaces, Prefix, Resolved, RoaTables, Source, SourceKind};
use session::link::{Delivery, ReaderId, Subscription, TableMsg};
use session::tables::Tables;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// An `aggregator` protocol. Cheap to clone.
#[derive(Clone)]
pub struct AggregatorHandle(Arc<Mutex<Aggregator>>);

struct Aggregator {
    conf: Arc<ProtocolConf>,
    tables: Tables,
    from: ChannelIds,
    into: ChannelIds,
    import: Import,
    /// What was told of each prefix, in the order of its heaps.
    told: HashMap<Prefix, Vec<AttrSet>>,
    /// All is told once more, whether it stands or not: until the feed is through.
    again: bool,
    reader: ReaderId,
    judge: Judge,
    diary: Diary,
    up: bool,
}

/// What filters need beside a route.
struct Judge {
    ifaces: watch::Receiver<Arc<Ifaces>>,
    roas: watch::Receiver<Arc<RoaTables>>,
    runner: Runner,
    scratch: Scratch,
}

/// A path that `export` let through.
struct Candidate<'b> {
    attrs: AttrSet,
    source: &'b Source,
    to: &'b Resolved,
    igp_metric: Option<u32>,
}

impl Candidate<'_> {
    fn view(&self, net: Prefix) -> RouteView<'_> {
        let (attrs, source) = (&self.attrs, self.source);
        RouteView { roa: None, net, attrs, source, resolved: Some(self.to), igp_metric: self.igp_metric }
    }
}

impl AggregatorHandle {
    /// Makes it; it is down until [`begin`](Self::begin). `None` when the configuration is no aggregator's.
    pub fn spawn(start: &Start) -> Option<Self> {
        let [from, into] = start.channels.as_slice() else { return None };
        let deps = &start.world.deps;
        Some(Self(Arc::new(Mutex::new(Aggregator {
            conf: Arc::clone(&start.conf),
            tables: deps.tables.clone(),
            from: from.clone(),
            into: into.clone(),
            import: Import::new(start, 1, SourceKind::Aggregated)?,
            told: HashMap::new(),
            again: false,
            reader: ReaderId::next(),
            judge: Judge {
                ifaces: deps.ifaces.clone(),
                roas: deps.roas.clone(),
                runner: Runner::new(deps.roas.clone()),
                scratch: Scratch::new(),
            },
            diary: start.diary.clone(),
            up: false,
        }))))
    }

    fn lock(&self) -> MutexGuard<'_, Aggregator> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Goes up; nothing happens when it is up already.
    pub fn begin(&self) {
        let mut this = self.lock();
        if std::mem::replace(&mut this.up, true) {
            return;
        }
        this.diary.starting();
        this.told.clear();
        this.again = false;
        this.import.up();
        this.reader = ReaderId::next();
        let (handle, reader) = (self.clone(), this.reader);
        let deliver = Box::new(move |delivery| handle.lock().hear(reader, &delivery));
        let subscription = Subscription { reader, reading: Reading::All, deliver };
        this.tables.send(this.from.table, TableMsg::Subscribe(subscription));
        this.diary.fed();
    }

    /// Goes down and takes its routes back.
    #[expect(clippy::unused_async, reason = "all protocols stop alike")]
    pub async fn stop(&self) {
        let mut this = self.lock();
        if std::mem::replace(&mut this.up, false) {
            this.diary.shutting_down();
            this.tables.send(this.from.table, TableMsg::Unsubscribe(this.reader));
            this.import.down();
            this.told = HashMap::new();
            this.diary.down();
        }
    }

    /// Takes over new options; all routes are made anew.
    pub fn reconfigure(&self, conf: Arc<ProtocolConf>) {
        let mut this = self.lock();
        if let Some(gives) = conf.channels.get(1) {
            this.import.set_conf(gives, false);
        }
        this.conf = conf;
        if this.up {
            this.import.respec();
            this.hear_again();
        }
    }

    /// `reload`: limits open again, and all routes are made anew.
    pub fn reload(&self) {
        let mut this = self.lock();
        if this.up {
            this.import.open_limits();
            this.hear_again();
        }
    }
}

impl Aggregator {
    fn hear_again(&mut self) {
        self.again = true;
        self.tables.send(self.from.table, TableMsg::Refeed(self.reader));
    }

    fn hear(&mut self, reader: ReaderId, delivery: &Delivery) {
        // What was on its way when it went down.
        if !self.up || reader != self.reader {
            return;
        }
        let batch = match delivery {
            Delivery::Changes(batch) | Delivery::Feed(batch) => batch,
            Delivery::FeedDone => {
                self.again = false;
                return;
            }
        };
        let conf = Arc::clone(&self.conf);
        let (ProtocolKind::Aggregator(own), Some(reads)) = (&conf.kind, conf.channels.first()) else { return };
        let ifaces = Arc::clone(&self.judge.ifaces.borrow());
        for row in &batch.rows {
            let candidates = self.candidates(batch, row, reads, &ifaces);
            let made = self.judge.made(own, row.net, &candidates, &ifaces);
            self.tell(row.net, made, &ifaces);
        }
        self.import.flush();
    }

    /// The paths that are merged: neither its own, nor any that was merged before, and only what `export` lets through.
    fn candidates<'b>(
        &mut self,
        batch: &'b ChangeBatch,
        row: &ChangeRow,
        reads: &ChannelConf,
        ifaces: &Ifaces,
    ) -> Vec<Candidate<'b>> {
        let mut candidates = Vec::new();
        for path in batch.paths_of(row) {
            let place = path.source as usize;
            let (Some(attrs), Some(hop)) = (batch.palette.get(path.attrs as usize), batch.hops.get(path.hop as usize))
            else {
                continue;
            };
            let Some(source) = batch.sources.get(place) else { continue };
            let own = batch.channels.get(place) == Some(&self.into.channel);
            if own || attrs.local().kind == SourceKind::Aggregated {
                continue;
            }
            let attrs = rib::with_answer(attrs, hop).unwrap_or_else(|| attrs.clone());
            let mut candidate = Candidate { attrs, source, to: &hop.to, igp_metric: hop.igp_metric };
            if let (Verdict::Accept, changed) = self.judge.runner.judge(&reads.export, candidate.view(row.net), ifaces)
            {
                candidate.attrs = changed.unwrap_or(candidate.attrs);
                candidates.push(candidate);
            }
        }
        candidates
    }

    /// Makes what is told of a prefix equal to what was made of it.
    fn tell(&mut self, net: Prefix, made: Vec<AttrSet>, ifaces: &Ifaces) {
        let before = self.told.remove(&net).unwrap_or_default();
        for place in made.len()..before.len() {
            self.import.withdraw(net, place as u32);
        }
        for (place, attrs) in made.iter().enumerate() {
            if self.again || before.get(place) != Some(attrs) {
                self.import.announce(net, place as u32, attrs, ifaces);
            }
        }
        if !made.is_empty() {
            self.told.insert(net, made);
        }
    }
}

impl Judge {
    /// The routes that are made of a prefix, one of each heap, in the order of their best paths.
    fn made(
        &mut self,
        conf: &AggregatorConf,
        net: Prefix,
        candidates: &[Candidate<'_>],
        ifaces: &Ifaces,
    ) -> Vec<AttrSet> {
        let Some(merge) = &conf.merge else { return Vec::new() };
        let reads = merge.inputs.authorities() || conf.keys.iter().any(|key| key.inputs.authorities());
        let roas = if reads { Arc::clone(&self.roas.borrow()) } else { Arc::default() };
        let env = Env { ifaces, roas: &roas };
        let mut heaps: Vec<(Vec<Value<'_>>, Vec<RouteView<'_>>)> = Vec::new();
        for candidate in candidates {
            let view = candidate.view(net);
            let keys: Vec<Value<'_>> = conf.keys.iter().map(|key| self.value(key, view, env)).collect();
            match heaps.iter_mut().find(|(known, _)| *known == keys) {
                Some((_, heap)) => heap.push(view),
                None => heaps.push((keys, vec![view])),
            }
        }
        let mut made = Vec::new();
        for (_, heap) in &heaps {
            let Some(first) = heap.first() else { continue };
            let blank = alike(&conf.keys, first);
            let route = RouteView { attrs: &blank, resolved: None, igp_metric: None, ..*first };
            let outcome = merge.run_merging(&mut self.scratch, route, heap, env);
            outcome.printed.iter().for_each(|line| tracing::info!("{line}"));
            outcome.error.iter().for_each(|error| tracing::error!("{error}"));
            if outcome.verdict == Verdict::Accept {
                made.push(outcome.attrs.unwrap_or(blank));
            }
        }
        made
    }

    /// The value of a key; that which fails has none.
    fn value<'r>(&mut self, key: &'r RouteKey, route: RouteView<'r>, env: Env<'r>) -> Value<'r> {
        key.value(&mut self.scratch, route, env).unwrap_or_else(|error| {
            tracing::error!("{error}");
            Value::Void
        })
    }
}

/// A route that has what all routes of a heap have alike, and nothing else.
fn alike(keys: &[RouteKey], first: &RouteView<'_>) -> AttrSet {
    let blank = AttrSet::local_only(Local::new(SourceKind::Aggregated, 0, Dest::Unreachable));
    let mut made = AttrSetBuilder::from_set(&blank);
    let given = first.attrs.local();
    for attr in keys.iter().filter_map(|key| key.attr) {
        match attr {
            Attr::Bgp(code, _) => {
                if let Some(value) = first.attrs.get(code) {
                    made.set(code, value);
                }
            }
            Attr::Local(name, _) => made.local.set_extra(name, given.extra(name).cloned()),
            Attr::Field(Field::From) => made.local.from = given.from,
            Attr::Field(Field::Scope) => made.local.scope = given.scope,
            Attr::Field(Field::Preference) => made.local.preference = given.preference,
            // One way out is said by all of these.
            Attr::Field(Field::Gw | Field::Dest | Field::DestKind | Field::Ifname | Field::Weight | Field::Onlink) => {
                made.local.dest = given.dest.clone()
            }
            Attr::Field(_) => {}
        }
    }
    made.build()
}
