//! A routing table: one owner, `&mut self`.
//!
//! Everything inside has a dense 32-bit number: prefixes ([`NetId`]), attribute
//! sets, next hops, slots (a source with its channel). A path is sixteen octets
//! of such numbers. Work on a table comes in four kinds, each in its file:
//!
//! - `import`: rows of a channel, judged one by one in the order of arrival;
//! - `upkeep`: what an act left behind, in slices: sweeps, and prefixes whose
//!   next hop has another answer now;
//! - `journal`: what changed, sealed into batches with the values in them;
//! - `query`: what is there, for the control socket.
//!
//! Cost: an announcement is one probe of the index (about one cache miss, many
//! at a time), one of the row, and a comparison for each path that stands; the
//! attribute set was found once for the whole batch. Memory for each IPv4 prefix
//! with one path: 24 octets of row and 6 to 10 of index; for each distinct set
//! about 60 beside its octets.

<<<<<<< HEAD
use crate::batch::{Act, ChangeBatch, ChangeRow, Deed, ImportRow, NetId, Path, Reading, ResolvedHop, TableEvent, What};
=======
use crate::batch::{Act, Deed, NetId, Reading, ResolvedHop, TableEvent};
use crate::blocks::Blocks;
use crate::channel::{Channels, Standing};
use crate::decision::Candidate;
>>>>>>> 9efb54c (rib: dense store)
pub use crate::decision::Reason;
use crate::election::Candidates;
use crate::intern::Sets;
use crate::journal::Journal;
use crate::nexthop::{self, Answer, HopId, Hops};
use crate::path::Path;
pub use crate::query::{NetView, PathView, TableSpec, Totals};
use crate::store::Nets;
use route::attrs::LocalAttr;
use route::attrs::LocalValue;
use route::hop::{IGP_METRIC_UNKNOWN, Recursive};
use route::{Family, IfIndex, Ifaces, Moment, Prefix, Resolved};
use std::sync::Arc;

/// A routing table: one owner, `&mut self`.
#[derive(Debug)]
pub struct Table {
    pub(crate) spec: TableSpec,
    pub(crate) nets: Nets,
    pub(crate) core: Core,
    pub(crate) channels: Channels,
    pub(crate) journal: Journal,
    /// Blocks with something to tend; see `upkeep`.
    pub(crate) untended: Blocks,
    /// The next prefix to tend and one past the last of its block.
    pub(crate) tending: (u32, u32),
    /// Something was left to `upkeep` since it last finished.
    pub(crate) has_work: bool,
    pub(crate) totals: Counts,
    /// Reused from row to row.
    pub(crate) scratch: Vec<Path>,
    pub(crate) found: Vec<Option<NetId>>,
}

/// What the decision looks things up in.
#[derive(Debug, Default)]
pub(crate) struct Core {
    pub(crate) sets: Sets,
    pub(crate) hops: Hops,
    pub(crate) ifaces: Arc<Ifaces>,
}

/// Running totals.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) networks: u32,
    pub(crate) routes: u32,
    pub(crate) filtered: u32,
}

/// What the decision sees of a path.
pub(crate) struct Judge<'a> {
    pub(crate) core: &'a Core,
    pub(crate) channels: &'a Channels,
}

impl Candidates for Judge<'_> {
    fn candidate(&self, path: &Path) -> Candidate<'_> {
        let facts = self.core.sets.facts(path.attrs);
        Candidate {
            facts,
            source: &self.channels.slot(path.slot()).source,
            hop: self.core.hops.resolved(facts.hop),
            suppressed: path.is_suppressed(),
        }
    }
}

impl Table {
    /// An empty table.
    pub fn new(spec: TableSpec) -> Self {
        Self {
            nets: Nets::new(spec.family),
            spec,
            core: Core::default(),
            channels: Channels::default(),
            journal: Journal::default(),
            untended: Blocks::default(),
            tending: (0, 0),
            has_work: false,
            totals: Counts::default(),
            scratch: Vec::new(),
            found: Vec::new(),
        }
    }

    /// What it was made from.
    pub fn spec(&self) -> &TableSpec {
        &self.spec
    }

    /// Does a deed of a channel. What takes long is left to [`work`](Self::work).
    ///
    /// An act of another generation than the one that is up is dropped.
    pub fn apply(&mut self, act: Act, now: Moment, events: &mut Vec<TableEvent>) {
        if let Deed::Up(spec) = act.deed {
            if let Some(at) = self.channels.find(act.channel)
                && self.channels.get(at).is_some_and(|c| c.is_up)
            {
                self.bring_down(at);
            }
            let at = self.channels.find_or_add(act.channel, act.generation, &spec);
            if let Some(channel) = self.channels.get_mut(at) {
                channel.generation = act.generation;
                channel.is_up = true;
                channel.is_retaining = false;
                channel.long_lived = false;
                channel.configure(*spec);
            }
            return;
        }
        let Some(at) = self.channels.find(act.channel) else { return };
        let Some(channel) = self.channels.get_mut(at).filter(|c| c.generation == act.generation) else {
            return;
        };
        match act.deed {
            Deed::Up(_) => {}
            Deed::Source(source) => self.channels.introduce(at, source),
            Deed::Import(batch) if channel.is_up => self.import(at, batch, now, events),
            Deed::Import(_) => {}
            Deed::MarkStale => self.raise_mark(at),
            Deed::Sweep => {
                channel.marks.sweep();
                channel.long_lived = false;
                self.walk(at);
            }
            Deed::LongLived => {
                channel.long_lived = true;
                self.walk(at);
            }
            Deed::Reconfigure(spec) => self.reconfigure(at, *spec, events),
            Deed::Down => self.bring_down(at),
            Deed::DownRetaining => {
                channel.is_up = false;
                channel.is_retaining = true;
                self.raise_mark(at);
            }
        }
    }

    /// New links and addresses: gateways resolve anew, by [`work`](Self::work).
    pub fn set_ifaces(&mut self, ifaces: Arc<Ifaces>) {
        self.core.ifaces = ifaces;
        self.core.hops.links_changed();
    }

    /// What the journal must carry from now on: the widest that any reader reads.
    pub fn set_reading(&mut self, widest: Reading) {
        self.journal.reading = widest;
    }

    pub(crate) fn judge(&self) -> Judge<'_> {
        Judge { core: &self.core, channels: &self.channels }
    }

    /// Puts a changed list of paths in place and tells everybody whom it concerns.
    ///
    /// `old` is the path in `paths` that goes, `new` the one that comes.
    pub(crate) fn settle(&mut self, id: NetId, mut paths: Vec<Path>, old: Option<usize>, new: Option<Path>) {
        let before = paths.first().copied();
        let leaving = old.map(|at| paths[at]);
        crate::election::replace(&mut paths, old, new, self.spec.sorted, &self.judge());
        self.nets.write(id, &paths);
        let after = paths.first().copied();
        self.scratch = paths;

        if let Some(new) = new {
            let hop = self.core.sets.facts(new.attrs).hop;
            self.core.sets.hold(new.attrs);
            self.core.hops.used_by(hop, id.0);
            self.channels.add_path(new.slot(), id.0);
            self.totals.routes += 1;
            self.totals.filtered += u32::from(new.is_filtered());
            self.totals.networks += u32::from(before.is_none());
        }
        let valid_changed = new.is_some_and(|p| !p.is_filtered()) || leaving.is_some_and(|p| !p.is_filtered());
        // A new path in front is another one even when it looks like the one before: that may be of a life that is over.
        let is_new = new.is_some_and(|n| after.is_some_and(|a| a.slot() == n.slot()));
        let best_changed = is_new || !same_path(before.as_ref(), after.as_ref());
        self.tell(id, before, after, best_changed, valid_changed);
        if let Some(old) = leaving {
            self.channels.drop_path(old.slot());
            self.core.sets.drop(old.attrs, &mut self.core.hops);
            self.totals.routes -= 1;
            self.totals.filtered -= u32::from(old.is_filtered());
            self.totals.networks -= u32::from(after.is_none());
        }
    }

<<<<<<< HEAD
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
=======
    /// Counts and notes that the first path of a prefix was `before` and is `after`.
    pub(crate) fn tell(
        &mut self,
        id: NetId,
        before: Option<Path>,
        after: Option<Path>,
        best_changed: bool,
        others_changed: bool,
    ) {
        let (before, after) = (before.filter(|p| !p.is_filtered()), after.filter(|p| !p.is_filtered()));
        let best_changed = best_changed && (before.is_some() || after.is_some());
        if best_changed {
            if let Some(p) = before {
                self.channels.count_preferred(p.slot(), p.mark(), false);
            }
            if let Some(p) = after {
                self.channels.count_preferred(p.slot(), p.mark(), true);
            }
            if let Some(net) = self.nets.prefix(id) {
                self.core.hops.touched_by(&net);
>>>>>>> 9efb54c (rib: dense store)
            }
        }
        if best_changed || (others_changed && self.journal.reading == Reading::All) {
            self.journal.note(id);
        }
    }

<<<<<<< HEAD
    /// Up to `max` numbers from `from` on: appends the prefixes that stand there. Returns where to go on.
    pub fn nets(&self, from: NetId, max: usize, out: &mut Vec<(Prefix, NetId)>) -> Option<NetId> {
        let end = (from.0 as usize).saturating_add(max.max(1)).min(self.nets.len());
        for i in from.0 as usize..end {
            match self.nets.get(i) {
                Some((net, paths)) if !paths.is_empty() => out.push((*net, NetId(i as u32))),
                _ => {}
=======
    /// Answers all next hops that were asked for since the last time.
    pub(crate) fn answer_new_hops(&mut self) {
        self.answer_hops(usize::MAX);
    }

    /// Answers some of the next hops that want an answer, and has the prefixes that use changed ones tended.
    pub(crate) fn answer_hops(&mut self, most: usize) {
        for _ in 0..most {
            let Some(id) = self.core.hops.take_recheck() else { return };
            let answer = self.resolve(id);
            if let Some(users) = self.core.hops.answer(id, answer) {
                self.untended.add_all(users);
                self.has_work = true;
>>>>>>> 9efb54c (rib: dense store)
            }
        }
    }

<<<<<<< HEAD
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
=======
    fn resolve(&self, id: HopId) -> Answer {
        nexthop::resolve(self.core.hops.dest(id), &self.core.ifaces, |r| self.look_up(r))
    }

    /// The way to a recursive next hop, by the best path of the longest prefix that covers it.
    fn look_up(&self, recursive: &Recursive) -> Answer {
        if recursive.table != self.spec.id || Family::of(recursive.gateway) != self.spec.family {
            return Answer::unreachable(0);
        }
        let Some(by) = self.longest_match(&Prefix::host(recursive.gateway)) else {
            return Answer::unreachable(0);
        };
        let matched_len = self.nets.prefix(by).map_or(0, |p| p.len());
        let first = self.nets.first(by);
        let facts = self.core.sets.facts(first.attrs);
        let via = self.core.hops.resolved(facts.hop);
        if via.recursive {
            return Answer::unreachable(matched_len);
        }
        let to = match &via.to {
            Resolved::Unicast(hop) if hop.gateway.is_none() => {
                if is_own(&self.core.ifaces, recursive, hop.iface) {
                    return Answer::unreachable(matched_len);
                }
                nexthop::on_link(recursive, hop.iface)
            }
            other => other.clone(),
        };
        let reached = matches!(to, Resolved::Unicast(_) | Resolved::Multipath(_));
        let igp_metric = reached.then(|| self.metric_of(&first, &via.to));
        Answer { hop: ResolvedHop { to, igp_metric, recursive: true }, matched_len }
>>>>>>> 9efb54c (rib: dense store)
    }

    /// The distance that a resolving route gives: what a filter has set, 0 on a link, else unknown.
    fn metric_of(&self, path: &Path, via: &Resolved) -> u32 {
        let set = self.core.sets.set(path.attrs);
        match set.and_then(|s| s.local().extra(LocalAttr::IgpMetric)) {
            Some(LocalValue::Int(metric)) => *metric,
            _ if matches!(via, Resolved::Unicast(hop) if hop.gateway.is_none()) => 0,
            _ => IGP_METRIC_UNKNOWN,
        }
    }

    /// What a path's mark says of it.
    pub(crate) fn standing(&self, path: &Path) -> Standing {
        self.channels.of(path.slot()).marks.standing(path.mark())
    }
}

/// Whether both are the same path, however its mark and its rank in a group changed.
pub(crate) fn same_path(a: Option<&Path>, b: Option<&Path>) -> bool {
    match (a, b) {
        (None, None) => true,
        (Some(a), Some(b)) => (a.slot(), a.attrs, a.since()) == (b.slot(), b.attrs, b.since()),
        _ => false,
    }
}

/// Whether a recursive next hop is one of our own addresses on this link.
fn is_own(ifaces: &Ifaces, recursive: &Recursive, link: IfIndex) -> bool {
    ifaces.get(link).is_some_and(|l| l.addrs.iter().any(|a| a.addr == recursive.gateway))
}
