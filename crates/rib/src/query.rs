//! What can be asked of a table: plain values, copied out in pages.
//!
//! Nothing here holds a reference into a table, so whoever prints or sends it
//! may take its time while the table changes.
//!
//! What a page costs is waiting for memory: its prefixes lie anywhere in the
//! table, and so do their attribute sets. So [`Table::show_all`] goes over all of
//! them again and again with little to do each time: then the processor waits
//! for many at once, and not for one behind the other.

use crate::batch::{NetId, ResolvedHop};
use crate::channel::Standing;
use crate::decision::Reason;
use crate::election::Candidates;
use crate::path::SlotId;
use crate::stats::{ExportStats, ImportStats, RouteCounts};
use crate::table::Table;
use foldhash::fast::RandomState;
use hashbrown::HashMap;
use route::{AttrSet, ChannelId, Family, Moment, Prefix, ProtocolId, Source, TableId};
use std::ops::Range;
use std::sync::Arc;

/// In what order the paths of a prefix stand behind the best, which stands in front.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Order {
    /// A newcomer directly behind the best (BIRD 1.6).
    #[default]
    Newest,
    /// A newcomer behind all; a path that replaces another in its place (BIRD 2).
    Arrival,
    /// The better one in front of the worse (`sorted`).
    Sorted,
}

/// What makes a table.
#[derive(Clone, Debug)]
pub struct TableSpec {
    /// Its number.
    pub id: TableId,
    /// Its name, as the operator wrote it.
    pub name: Arc<str>,
    /// What kind of prefixes it holds.
    pub family: Family,
    /// In what order the paths of a prefix stand.
    pub order: Order,
}

/// How much there is in a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Prefixes with at least one path.
    pub networks: u32,
    /// Paths, filtered ones that are kept included.
    pub routes: u32,
    /// Of these: rejected by an import filter and kept.
    pub filtered: u32,
    /// Distinct attribute sets.
    pub attr_sets: u32,
    /// Distinct next hops.
    pub hops: u32,
    /// Octets of memory in use, attribute sets included, the allocator's overhead not.
    pub octets: u64,
    /// Of these: attribute sets, what the decision reads of them, and next hops.
    pub attr_octets: u64,
}

/// A prefix and its paths.
#[derive(Clone, Debug)]
pub struct NetView {
    /// Its number.
    pub id: NetId,
    /// The prefix.
    pub net: Prefix,
    /// In the table's order, filtered ones included; the best, when there is one, is marked.
    pub paths: Vec<PathView>,
}

/// A path as the control socket shows it.
#[derive(Clone, Debug)]
pub struct PathView {
    /// Its attributes.
    pub attrs: AttrSet,
    /// Who gave it.
    pub source: Arc<Source>,
    /// The channel that brought it into this table: the source's own, or a pipe's.
    pub channel: ChannelId,
    /// Where packets go.
    pub hop: ResolvedHop,
    /// When its source last changed it.
    pub since: Moment,
    /// Rejected by the import filter, kept for the operator to see.
    pub filtered: bool,
    /// Not confirmed since its source restarted or began a refresh.
    pub stale: bool,
    /// Not the best of its neighbour AS (`deterministic med`).
    pub suppressed: bool,
    /// The best path of its prefix.
    pub best: bool,
}

/// Prefixes and their paths, copied out together: one list for all, and each source once.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// The prefixes that have paths, in the order in which they were asked for.
    pub nets: Vec<PageNet>,
    /// The paths of all prefixes, in the same order; those of one prefix as in [`NetView::paths`].
    pub paths: Vec<PagePath>,
    /// Sources; paths point into it.
    pub sources: Vec<Arc<Source>>,
}

/// A prefix of a page.
#[derive(Clone, Debug)]
pub struct PageNet {
    /// Its number.
    pub id: NetId,
    /// The prefix.
    pub net: Prefix,
    /// Its paths, in [`Page::paths`].
    pub paths: Range<u32>,
}

/// A path of a page; a [`PathView`] but for its source.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each is the field of this name of a `PathView`")]
pub struct PagePath {
    pub attrs: AttrSet,
    /// Index into [`Page::sources`].
    pub source: u32,
    pub channel: ChannelId,
    pub hop: ResolvedHop,
    pub since: Moment,
    pub filtered: bool,
    pub stale: bool,
    pub suppressed: bool,
    pub best: bool,
}

impl Page {
    /// The paths of one of its prefixes.
    pub fn paths_of(&self, net: &PageNet) -> &[PagePath] {
        self.paths.get(net.paths.start as usize..net.paths.end as usize).unwrap_or_default()
    }

    /// The same, prefix by prefix, for those who judge routes.
    pub fn views(&self) -> Vec<NetView> {
        let view = |p: &PagePath| {
            let PagePath { attrs, source, channel, hop, since, filtered, stale, suppressed, best } = p.clone();
            let source = self.sources.get(source as usize)?.clone();
            Some(PathView { attrs, source, channel, hop, since, filtered, stale, suppressed, best })
        };
        let net =
            |n: &PageNet| NetView { id: n.id, net: n.net, paths: self.paths_of(n).iter().filter_map(view).collect() };
        self.nets.iter().map(net).collect()
    }
}

impl Table {
    /// The `Routes:` line of a channel; `exported` is the export groups' to say and 0 here.
    pub fn counts(&self, channel: ChannelId) -> RouteCounts {
        self.channels.find(channel).and_then(|at| self.channels.get(at)).map_or_else(Default::default, |c| c.counts)
    }

    /// `Route change stats` of a channel, import side.
    pub fn import_stats(&self, channel: ChannelId) -> ImportStats {
        self.channels.find(channel).and_then(|at| self.channels.get(at)).map_or_else(Default::default, |c| c.stats)
    }

    /// Whether `receive limit` and `import limit` of a channel were passed (`[HIT]`).
    pub fn limits_passed(&self, channel: ChannelId) -> (bool, bool) {
        let channel = self.channels.find(channel).and_then(|at| self.channels.get(at));
        channel.map_or((false, false), |c| (c.receive.was_passed(), c.import.was_passed()))
    }

    /// Export counters of one direction of a pipe: what the table that it reads offered.
    pub fn pipe_stats(&self, channel: ChannelId) -> ExportStats {
        let channel = self.channels.find(channel).and_then(|at| self.channels.get(at));
        channel.and_then(|c| c.inlet.as_ref()).map_or_else(Default::default, |inlet| inlet.stats)
    }

    /// How many best paths came through pipes, by the protocol that gave them first; a protocol may stand here twice.
    pub fn preferred_through_pipes(&self) -> Vec<(ProtocolId, u32)> {
        self.channels.preferred_through_pipes()
    }

    /// How much there is.
    pub fn totals(&self) -> Totals {
        let attr_octets = (self.core.sets.octets() + self.core.hops.octets()) as u64;
        Totals {
            networks: self.totals.networks,
            routes: self.totals.routes,
            filtered: self.totals.filtered,
            attr_sets: self.core.sets.len() as u32,
            hops: self.core.hops.len() as u32,
            octets: self.nets.octets() as u64 + attr_octets,
            attr_octets,
        }
    }

    /// Looks at up to `max` numbers from one on and appends the prefixes that have paths. Returns where to go on.
    pub fn nets(&self, from: NetId, max: usize, out: &mut Vec<(Prefix, NetId)>) -> Option<NetId> {
        let end = from.0.saturating_add(u32::try_from(max.max(1)).unwrap_or(u32::MAX)).min(self.nets.len());
        let standing = (from.0..end).map(NetId).filter(|id| !self.nets.first(*id).is_vacant());
        out.extend(standing.filter_map(|id| Some((self.nets.prefix(id)?, id))));
        (end < self.nets.len()).then_some(NetId(end))
    }

    /// Looks at up to `max` numbers from one on and appends those of prefixes that have paths and lie inside one of
    /// `covers`, which are in order. Returns where to go on.
    pub fn inside(&self, covers: &[Prefix], from: NetId, max: usize, out: &mut Vec<NetId>) -> Option<NetId> {
        let mut nets = Vec::new();
        let next = self.nets(from, max, &mut nets);
        let is_inside = |net: &Prefix| {
            let behind = covers.partition_point(|cover| cover <= net);
            covers.get(..behind).unwrap_or_default().last().is_some_and(|cover| cover.covers(net))
        };
        out.extend(nets.into_iter().filter(|(net, _)| is_inside(net)).map(|(_, id)| id));
        next
    }

    /// The numbers of the prefixes that have paths and lie inside one of `covers`, if there are so few of them possible
    /// that trying each costs less than `tries_max`; `None`: look at all.
    pub fn inside_few(&self, covers: &[Prefix], tries_max: usize) -> Option<Vec<NetId>> {
        let lengths: Vec<u8> = self.nets.lengths().collect();
        let possible = |cover: &Prefix| {
            let deeper = lengths.iter().filter_map(|len| len.checked_sub(cover.len()));
            deeper.fold(0_usize, |sum, bits| sum.saturating_add(1_usize.checked_shl(bits.into()).unwrap_or(usize::MAX)))
        };
        if covers.iter().map(possible).fold(0, usize::saturating_add) > tries_max {
            return None;
        }
        let mut found = Vec::new();
        for cover in covers {
            for len in lengths.iter().filter(|len| **len >= cover.len()) {
                found.extend(cover.subnets(*len).filter_map(|net| self.find(&net)));
            }
        }
        Some(found)
    }

    /// The number of a prefix that has paths, filtered ones included.
    pub fn find(&self, net: &Prefix) -> Option<NetId> {
        self.nets.find(net).filter(|id| !self.nets.first(*id).is_vacant())
    }

    /// The number of the longest prefix with a valid path that covers `net`.
    pub fn longest_match(&self, net: &Prefix) -> Option<NetId> {
        self.nets.longest_match(net, |id| {
            let first = self.nets.first(id);
            !first.is_vacant() && !first.is_filtered()
        })
    }

    /// The prefixes of some numbers with all their paths; those that have none are left out.
    ///
    /// It stops behind the prefix with which there are `paths_max` paths, and says how many numbers it has looked at.
    pub fn show_all(&self, ids: &[NetId], paths_max: usize) -> (Page, usize) {
        let mut page = Page { nets: Vec::with_capacity(ids.len()), ..Page::default() };
        let (mut of_net, mut paths) = (Vec::new(), Vec::with_capacity(ids.len()));
        let mut looked_at = 0;
        for id in ids {
            if paths.len() >= paths_max {
                break;
            }
            looked_at += 1;
            self.nets.read(*id, &mut of_net);
            let from = paths.len() as u32;
            paths.append(&mut of_net);
            if let Some(net) = self.nets.prefix(*id).filter(|_| paths.len() as u32 > from) {
                page.nets.push(PageNet { id: *id, net, paths: from..paths.len() as u32 });
            }
        }
        let sets = paths.iter().map(|p| (self.core.sets.set(p.attrs), self.core.sets.facts(p.attrs).hop));
        let sets: Vec<_> = sets.collect();
        // To count a set is to change it, and a processor waits for such a change before the next. Read, they come together.
        std::hint::black_box(sets.iter().flat_map(|(set, _)| *set).fold(0, |sum, set| sum ^ set.hash_value()));
        let Page { nets, paths: shown, sources } = &mut page;
        let mut known: HashMap<SlotId, u32, RandomState> = HashMap::default();
        let mut source_of = |slot: SlotId| {
            *known.entry(slot).or_insert_with(|| {
                sources.push(self.channels.slot(slot).source.clone());
                sources.len() as u32 - 1
            })
        };
        shown.reserve_exact(paths.len());
        for net in nets {
            let places = net.paths.start as usize..net.paths.end as usize;
            net.paths.start = shown.len() as u32;
            for (n, (path, (set, hop))) in paths[places.clone()].iter().zip(&sets[places]).enumerate() {
                let Some(set) = *set else { continue };
                shown.push(PagePath {
                    attrs: set.clone(),
                    source: source_of(path.slot()),
                    channel: self.channels.of(path.slot()).id,
                    hop: self.core.hops.resolved(*hop).clone(),
                    since: path.since(),
                    filtered: path.is_filtered(),
                    stale: self.standing(path) != Standing::Fresh,
                    suppressed: path.is_suppressed(),
                    best: n == 0 && !path.is_filtered(),
                });
            }
            net.paths.end = shown.len() as u32;
        }
        (page, looked_at)
    }

    /// A prefix with all its paths; `None` when it has none.
    pub fn show(&self, id: NetId) -> Option<NetView> {
        let net = self.nets.prefix(id)?;
        let mut paths = Vec::new();
        self.nets.read(id, &mut paths);
        let view = |(n, path): (usize, &crate::path::Path)| {
            let facts = self.core.sets.facts(path.attrs);
            Some(PathView {
                attrs: self.core.sets.set(path.attrs)?.clone(),
                source: self.channels.slot(path.slot()).source.clone(),
                channel: self.channels.of(path.slot()).id,
                hop: self.core.hops.resolved(facts.hop).clone(),
                since: path.since(),
                filtered: path.is_filtered(),
                stale: self.standing(path) != Standing::Fresh,
                suppressed: path.is_suppressed(),
                best: n == 0 && !path.is_filtered(),
            })
        };
        let paths: Vec<_> = paths.iter().enumerate().filter_map(view).collect();
        (!paths.is_empty()).then_some(NetView { id, net, paths })
    }

    /// For each path of a prefix but the first: the step that separates it from the one before.
    ///
    /// Behind the best path the order is that of arrival, so a step may speak for the later one.
    pub fn explain(&self, id: NetId) -> Vec<Reason> {
        let mut paths = Vec::new();
        self.nets.read(id, &mut paths);
        let judge = self.judge();
        paths.windows(2).map(|pair| judge.judge(&pair[0], &pair[1]).1).collect()
    }
}
