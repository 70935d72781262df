//! A routing table: one owner, `&mut self`.
//!
//! (First slice: the public face over an ordered map; the dense store follows.)

use crate::batch::{Act, ChangeBatch, ChangeRow, Deed, ImportRow, NetId, Path, Reading, ResolvedHop, TableEvent, What};
pub use crate::decision::Reason;
pub use crate::query::{NetView, PathView, TableSpec, Totals};
use crate::stats::{ImportStats, RouteCounts};
use route::{AttrSet, ChannelId, Dest, Ifaces, Moment, Prefix, Resolved, Source, SourceId};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

#[derive(Debug, Clone)]
struct Stored {
    channel: ChannelId,
    source: SourceId,
    attrs: AttrSet,
    since: Moment,
    filtered: bool,
    stale: bool,
}

/// A routing table: one owner, `&mut self`.
#[derive(Debug)]
pub struct Table {
    spec: TableSpec,
    index: BTreeMap<Prefix, NetId>,
    nets: Vec<(Prefix, Vec<Stored>)>,
    dirty: BTreeSet<NetId>,
    sources: HashMap<SourceId, Arc<Source>>,
    stats: HashMap<ChannelId, ImportStats>,
    ifaces: Arc<Ifaces>,
    reading: Reading,
    seq: u64,
}

impl Table {
    /// An empty table.
    pub fn new(spec: TableSpec) -> Self {
        Self {
            spec,
            index: BTreeMap::new(),
            nets: Vec::new(),
            dirty: BTreeSet::new(),
            sources: HashMap::new(),
            stats: HashMap::new(),
            ifaces: Arc::default(),
            reading: Reading::Best,
            seq: 0,
        }
    }

    /// What it was made from.
    pub fn spec(&self) -> &TableSpec {
        &self.spec
    }

    /// Does a deed of a channel.
    pub fn apply(&mut self, act: Act, now: Moment, _events: &mut Vec<TableEvent>) {
        let channel = act.channel;
        match act.deed {
            Deed::Source(source) => {
                self.sources.insert(source.id, source);
            }
            Deed::Import(batch) => {
                for row in &batch.rows {
                    self.import(channel, row, &batch.palette, now);
                }
            }
            Deed::Down => self.each(|p| p.channel != channel),
            Deed::Sweep => self.each(|p| p.channel != channel || !p.stale),
            Deed::MarkStale | Deed::DownRetaining => self.each(|p| {
                p.stale |= p.channel == channel;
                true
            }),
            Deed::Up(_) | Deed::LongLived | Deed::Reconfigure(_) => {}
        }
    }

    fn each(&mut self, mut keep: impl FnMut(&mut Stored) -> bool) {
        for (i, (_, paths)) in self.nets.iter_mut().enumerate() {
            let before = paths.len();
            paths.retain_mut(&mut keep);
            if paths.len() != before {
                self.dirty.insert(NetId(i as u32));
            }
        }
    }

    fn import(&mut self, channel: ChannelId, row: &ImportRow, palette: &[AttrSet], now: Moment) {
        let stats = self.stats.entry(channel).or_default();
        let next = NetId(self.nets.len() as u32);
        let id = *self.index.entry(row.net).or_insert(next);
        if id == next {
            self.nets.push((row.net, Vec::new()));
        }
        let Some((_, paths)) = self.nets.get_mut(id.0 as usize) else {
            return;
        };
        let old = paths.iter().position(|p| p.source == row.source);
        let announced = match row.what {
            What::Announce(at) => palette.get(at as usize),
            _ => None,
        };
        match announced {
            Some(attrs) => {
                stats.updates_received += 1;
                if let Some(old) = old {
                    if paths.get(old).is_some_and(|p| p.attrs == *attrs) {
                        stats.updates_ignored += 1;
                        return;
                    }
                    paths.remove(old);
                }
                stats.updates_accepted += 1;
                paths.push(Stored {
                    channel,
                    source: row.source,
                    attrs: attrs.clone(),
                    since: now,
                    filtered: false,
                    stale: false,
                });
                paths.sort_by_key(|p| std::cmp::Reverse(p.attrs.local().preference));
            }
            None => {
                stats.withdraws_received += 1;
                let Some(old) = old else {
                    stats.withdraws_ignored += 1;
                    return;
                };
                stats.withdraws_accepted += 1;
                paths.remove(old);
            }
        }
        self.dirty.insert(id);
    }

    /// New links and addresses: gateways resolve anew, by [`work`](Self::work).
    pub fn set_ifaces(&mut self, ifaces: Arc<Ifaces>) {
        self.ifaces = ifaces;
        self.dirty = (0..self.nets.len() as u32).map(NetId).collect();
    }

    /// What the journal must carry from now on: the widest that any reader reads.
    pub fn set_reading(&mut self, widest: Reading) {
        self.reading = widest;
    }

    /// Does a slice of the work that an act left behind. `true`: there is more.
    pub fn work(&mut self, _now: Moment, _rows_max: usize) -> bool {
        false
    }

    /// What changed since the last seal, each prefix once. `None` when nothing did.
    pub fn seal(&mut self) -> Option<Arc<ChangeBatch>> {
        let dirty: Vec<_> = std::mem::take(&mut self.dirty).into_iter().collect();
        if dirty.is_empty() {
            return None;
        }
        self.seq += 1;
        Some(Arc::new(self.current(&dirty, self.reading)))
    }

    /// Up to `rows_max` prefixes from a number on, for a feed, and where to go on.
    pub fn page(&self, from: NetId, rows_max: usize, reading: Reading) -> (ChangeBatch, Option<NetId>) {
        let end = (from.0 as usize).saturating_add(rows_max.max(1)).min(self.nets.len()) as u32;
        let ids: Vec<_> = (from.0..end)
            .map(NetId)
            .filter(|id| self.nets.get(id.0 as usize).is_some_and(|(_, p)| !p.is_empty()))
            .collect();
        (self.current(&ids, reading), ((end as usize) < self.nets.len()).then_some(NetId(end)))
    }

    /// What is now at these numbers; gone prefixes have no paths.
    pub fn current(&self, ids: &[NetId], reading: Reading) -> ChangeBatch {
        let mut out = ChangeBatch {
            table: self.spec.id,
            seq: self.seq,
            palette: Vec::new(),
            hops: Vec::new(),
            sources: Vec::new(),
            rows: Vec::new(),
            paths: Vec::new(),
        };
        let width = if reading == Reading::Best { 1 } else { usize::MAX };
        for id in ids {
            let Some((net, paths)) = self.nets.get(id.0 as usize) else {
                continue;
            };
            let start = out.paths.len() as u32;
            for p in paths.iter().filter(|p| !p.filtered).take(width) {
                let Some(source) = self.sources.get(&p.source) else {
                    continue;
                };
                out.paths.push(Path {
                    source: out.sources.len() as u32,
                    attrs: out.palette.len() as u32,
                    hop: out.hops.len() as u32,
                    stale: p.stale,
                    since: p.since,
                });
                out.sources.push(source.clone());
                out.hops.push(self.resolve(&p.attrs));
                out.palette.push(p.attrs.clone());
            }
            out.rows.push(ChangeRow { id: *id, net: *net, paths: start..out.paths.len() as u32 });
        }
        out
    }

    fn resolve(&self, attrs: &AttrSet) -> ResolvedHop {
        let to = match &attrs.local().dest {
            Dest::Via(hop) => Resolved::Unicast(*hop),
            Dest::Multipath(hops) => Resolved::Multipath(hops.clone()),
            Dest::Blackhole => Resolved::Blackhole,
            Dest::Unreachable | Dest::Recursive(_) => Resolved::Unreachable,
            Dest::Prohibit => Resolved::Prohibit,
        };
        let recursive = matches!(attrs.local().dest, Dest::Recursive(_));
        ResolvedHop { to, igp_metric: None, recursive }
    }

    /// Every reader is past this batch: numbers freed before it may be given again.
    pub fn release(&mut self, _seq: u64) {}

    /// The `Routes:` line of a channel; `exported` is the export groups' to say.
    pub fn counts(&self, channel: ChannelId) -> RouteCounts {
        let mut counts = RouteCounts::default();
        for (_, paths) in &self.nets {
            for (i, p) in paths.iter().enumerate().filter(|(_, p)| p.channel == channel) {
                counts.imported += u32::from(!p.filtered);
                counts.filtered += u32::from(p.filtered);
                counts.preferred += u32::from(i == 0 && !p.filtered);
            }
        }
        counts
    }

    /// `Route change stats` of a channel, import side.
    pub fn import_stats(&self, channel: ChannelId) -> ImportStats {
        self.stats.get(&channel).copied().unwrap_or_default()
    }

    /// How much there is.
    pub fn totals(&self) -> Totals {
        let full = || self.nets.iter().filter(|(_, p)| !p.is_empty());
        Totals {
            networks: full().count() as u32,
            routes: full().map(|(_, p)| p.len() as u32).sum(),
            ..Totals::default()
        }
    }

    /// Up to `max` numbers from `from` on: appends the prefixes that stand there. Returns where to go on.
    pub fn nets(&self, from: NetId, max: usize, out: &mut Vec<(Prefix, NetId)>) -> Option<NetId> {
        let end = (from.0 as usize).saturating_add(max.max(1)).min(self.nets.len());
        for i in from.0 as usize..end {
            match self.nets.get(i) {
                Some((net, paths)) if !paths.is_empty() => out.push((*net, NetId(i as u32))),
                _ => {}
            }
        }
        (end < self.nets.len()).then_some(NetId(end as u32))
    }

    /// The number of a prefix that has paths.
    pub fn find(&self, net: &Prefix) -> Option<NetId> {
        let id = *self.index.get(net)?;
        self.nets.get(id.0 as usize).filter(|(_, p)| !p.is_empty()).map(|_| id)
    }

    /// The number of the longest prefix with a valid path that covers `net`.
    pub fn longest_match(&self, net: &Prefix) -> Option<NetId> {
        (0..=net.len()).rev().find_map(|len| self.find(&Prefix::new(net.addr(), len)?))
    }

    /// A prefix with all its paths, filtered ones included.
    pub fn show(&self, id: NetId) -> Option<NetView> {
        let (net, paths) = self.nets.get(id.0 as usize).filter(|(_, p)| !p.is_empty())?;
        let view = |(i, p): (usize, &Stored)| {
            Some(PathView {
                attrs: p.attrs.clone(),
                source: self.sources.get(&p.source)?.clone(),
                hop: self.resolve(&p.attrs),
                since: p.since,
                filtered: p.filtered,
                stale: p.stale,
                best: i == 0 && !p.filtered,
            })
        };
        Some(NetView { id, net: *net, paths: paths.iter().enumerate().filter_map(view).collect() })
    }

    /// For each path but the first: the step by which it lost against the one before.
    pub fn explain(&self, id: NetId) -> Vec<Reason> {
        let paths = self.nets.get(id.0 as usize).map_or(0, |(_, p)| p.len());
        vec![Reason::Preference; paths.saturating_sub(1)]
    }
}
