//! A channel's import side: what direct, static and kernel say to their tables.
//!
//! An [`Import`] runs the import filter, gathers rows into a batch, and sends
//! them as acts of its channel and generation. Sending never blocks, and acts of
//! one thread arrive in their order, so a protocol that has begun has told the
//! table all that it knows when `begin` returns.

use super::Start;
use super::policy::Runner;
use conf::config::ChannelConf;
use filter::{Policy, RouteView, Verdict};
use rib::batch::{Act, ChannelSpec, Deed, Generation, ImportBatch, ImportRow, What};
use route::{AttrSet, ChannelId, Dest, Ifaces, Prefix, ProtocolId, Resolved, Source, SourceId, SourceKind, TableId};
use session::link::TableMsg;
use session::tables::Tables;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// Rows in one batch at most.
const ROWS_MAX: usize = 4096;

/// See the head of the module.
pub struct Import {
    tables: Tables,
    table: TableId,
    channel: ChannelId,
    protocol: ProtocolId,
    name: Arc<str>,
    kind: SourceKind,
    generation: Generation,
    numbers: Arc<AtomicU32>,
    /// One source for each path identifier in use.
    sources: HashMap<u32, Arc<Source>>,
    conf: ChannelConf,
    /// The filter runs in the table, because it reads what recursive next hops resolve to.
    late: bool,
    batch: ImportBatch,
    palette: HashMap<AttrSet, u32>,
    runner: Runner,
}

impl Import {
    /// For the channel at this place of the protocol's configuration. `kind`: of protocol.
    /// `None` when the protocol has no such channel.
    pub fn new(start: &Start, place: usize, kind: SourceKind) -> Option<Self> {
        let (conf, ids) = (start.conf.channels.get(place)?.clone(), start.channels.get(place)?);
        Some(Self {
            tables: start.world.deps.tables.clone(),
            table: ids.table,
            channel: ids.channel,
            protocol: start.id,
            name: Arc::clone(&start.conf.name),
            kind,
            generation: Generation(0),
            numbers: Arc::clone(&start.world.deps.sources),
            sources: HashMap::new(),
            conf,
            late: false,
            batch: ImportBatch::default(),
            palette: HashMap::new(),
            runner: Runner::new(start.world.deps.roas.clone()),
        })
    }

    /// The channel's options.
    pub const fn conf(&self) -> &ChannelConf {
        &self.conf
    }

    /// The table.
    pub const fn table(&self) -> TableId {
        self.table
    }

    /// Takes over new options for what is announced from now on.
    pub fn set_conf(&mut self, conf: &ChannelConf, recursive: bool) {
        self.conf = conf.clone();
        self.late = recursive && matches!(&self.conf.import, Policy::Filter(f) if f.inputs.resolved);
    }

    fn spec(&self) -> Box<ChannelSpec> {
        let late_filter = match &self.conf.import {
            Policy::Filter(filter) if self.late => Some(Arc::clone(filter)),
            _ => None,
        };
        Box::new(ChannelSpec {
            family: self.conf.family,
            late_filter,
            keep_filtered: self.conf.keep_filtered,
            receive_limit: self.conf.receive_limit,
            import_limit: self.conf.import_limit,
        })
    }

    /// The channel comes up, with nothing announced.
    pub fn up(&mut self) {
        self.generation.0 += 1;
        self.sources.clear();
        self.clear();
        self.act(Deed::Up(self.spec()));
    }

    /// The channel stays up under the options that were taken over.
    pub fn respec(&mut self) {
        self.flush();
        self.act(Deed::Reconfigure(self.spec()));
    }

    /// What a limit has kept back may come when it is announced again.
    pub fn open_limits(&mut self) {
        self.flush();
        self.act(Deed::OpenLimits);
    }

    /// The channel goes down, its routes with it.
    pub fn down(&mut self) {
        self.clear();
        self.act(Deed::Down);
    }

    /// Announces a route. `path`: which of several ways of this protocol to one prefix.
    pub fn announce(&mut self, net: Prefix, path: u32, attrs: &AttrSet, ifaces: &Ifaces) {
        let source = self.source(path);
        let resolved = resolved(&attrs.local().dest);
        let view = RouteView { roa: None, net, attrs, source: &source, resolved: resolved.as_ref(), igp_metric: None };
        let (verdict, changed) = match (&self.conf.import, self.late) {
            (Policy::Filter(_), true) => (Verdict::Accept, None),
            (import, _) => self.runner.judge(import, view, ifaces),
        };
        let set = self.in_palette(changed.unwrap_or_else(|| attrs.clone()));
        let what = match verdict {
            Verdict::Accept => What::Announce(set),
            Verdict::Reject => What::Filtered(set),
        };
        self.row(ImportRow { net, source: source.id, what });
    }

    /// Withdraws a route.
    pub fn withdraw(&mut self, net: Prefix, path: u32) {
        let source = self.source(path).id;
        self.row(ImportRow { net, source, what: What::Withdraw });
    }

    /// Sends what has been gathered.
    pub fn flush(&mut self) {
        if !self.batch.rows.is_empty() {
            self.palette.clear();
            let batch = std::mem::take(&mut self.batch);
            self.act(Deed::Import(batch));
        }
    }

    fn clear(&mut self) {
        self.palette.clear();
        self.batch = ImportBatch::default();
    }

    fn row(&mut self, row: ImportRow) {
        self.batch.rows.push(row);
        if self.batch.rows.len() >= ROWS_MAX {
            self.flush();
        }
    }

    fn in_palette(&mut self, set: AttrSet) -> u32 {
        let batch = &mut self.batch;
        *self.palette.entry(set).or_insert_with_key(|set| {
            batch.palette.push(set.clone());
            batch.palette.len() as u32 - 1
        })
    }

    /// The source of a path, introduced to the table before its first row.
    fn source(&mut self, path: u32) -> Arc<Source> {
        if let Some(known) = self.sources.get(&path) {
            return Arc::clone(known);
        }
        let source = Arc::new(Source {
            id: SourceId(self.numbers.fetch_add(1, Ordering::Relaxed)),
            protocol: self.protocol,
            protocol_name: Arc::clone(&self.name),
            kind: self.kind,
            path_id: path,
            bgp: None,
        });
        self.act(Deed::Source(Arc::clone(&source)));
        self.sources.insert(path, Arc::clone(&source));
        source
    }

    fn act(&self, deed: Deed) {
        let act = Act { channel: self.channel, generation: self.generation, deed };
        self.tables.send(self.table, TableMsg::Act(act, None));
    }
}

/// What a destination resolves to by itself; `None` for recursive ones.
pub fn resolved(dest: &Dest) -> Option<Resolved> {
    Some(match dest {
        Dest::Via(hop) => Resolved::Unicast(*hop),
        Dest::Multipath(hops) => Resolved::Multipath(Arc::clone(hops)),
        Dest::Recursive(_) => return None,
        Dest::Blackhole => Resolved::Blackhole,
        Dest::Unreachable => Resolved::Unreachable,
        Dest::Prohibit => Resolved::Prohibit,
        Dest::Carried(carried) => carried.to.clone(),
    })
}

/// Makes what is told equal to what should be: the routes of a protocol that knows all of them at each moment.
#[derive(Default)]
pub struct Told {
    routes: HashMap<(Prefix, u32), AttrSet>,
}

impl Told {
    /// Nothing is told any more; says nothing to the table.
    pub fn forget(&mut self) {
        self.routes.clear();
    }

    /// Tells the differences. Of several routes with one key the last counts. `again`: tells all of them.
    pub fn tell(&mut self, import: &mut Import, routes: Vec<((Prefix, u32), AttrSet)>, ifaces: &Ifaces, again: bool) {
        let mut order: Vec<_> = routes.iter().map(|(key, _)| *key).collect();
        order.sort_unstable();
        order.dedup();
        let now: HashMap<_, _> = routes.into_iter().collect();
        for (net, path) in self.routes.keys().filter(|key| !now.contains_key(key)) {
            import.withdraw(*net, *path);
        }
        for key in order {
            let Some(attrs) = now.get(&key) else { continue };
            let told = self.routes.remove(&key);
            if again || told.as_ref() != Some(attrs) {
                import.announce(key.0, key.1, attrs, ifaces);
            }
        }
        self.routes = now;
        import.flush();
    }
}
