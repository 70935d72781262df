//! The table beside a slow, obvious model of BIRD's list, under random deeds and readers.
//!
//! The model keeps, for each prefix, a plain list of paths with their attribute
//! sets, does everything at once, parses octets whenever it compares, and counts
//! in the order in which BIRD counts. After every deed the table must show the
//! same paths in the same order, the same times, the same counters; and readers
//! of the journal, who read late, in pages, or stop for a while, must end up with
//! what the table shows.

#![expect(clippy::expect_used, reason = "what a test needs and does not have fails it")]

extern crate rbird_rib as rib;

mod support;

use proptest::prelude::*;
use rib::batch::{
    Act, ChangeBatch, ChannelSpec, Deed, Generation, ImportBatch, ImportRow, Limit, LimitAction, NetId, Reading, What,
};
use rib::stats::{ImportStats, RouteCounts};
use rib::table::{Order, Table, TableSpec};
use route::attr::code;
use route::hop::{IGP_METRIC_UNKNOWN, Recursive};
use route::{
    AttrSet, ChannelId, Dest, Family, Hop, IfIndex, Moment, Prefix, Resolved, Source, SourceId, SourceKind, TableId,
};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use support::{bgp, bgp_source, links, source};

const CHANNELS: u32 = 4;
const PREFIXES: usize = 6;

// ---------------------------------------------------------------- the model

#[derive(Clone, Debug)]
struct MPath {
    channel: u32,
    set: AttrSet,
    filtered: bool,
    stale: bool,
    suppressed: bool,
    since: Moment,
    hop: (Resolved, Option<u32>),
}

#[derive(Clone, Debug, Default)]
struct MGate {
    limit: Option<Limit>,
    shut: bool,
}

#[derive(Clone, Debug)]
struct MChannel {
    up: bool,
    spec: ChannelSpec,
    source: Arc<Source>,
    stats: ImportStats,
    receive: MGate,
    import: MGate,
}

struct Model {
    order: Order,
    nets: BTreeMap<Prefix, Vec<MPath>>,
    channels: Vec<MChannel>,
    now: Moment,
}

fn number(set: &AttrSet, code: u8) -> Option<u32> {
    set.get_u32(code)
}

impl Model {
    fn better(&self, new: &MPath, old: &MPath) -> bool {
        if old.filtered {
            return true;
        }
        if new.filtered {
            return false;
        }
        let (np, op) = (new.set.local().preference, old.set.local().preference);
        if np != op {
            return np > op;
        }
        let source = |p: &MPath| &self.channels[p.channel as usize].source;
        let (Some(nb), Some(ob)) = (&source(new).bgp, &source(old).bgp) else {
            return (source(new).kind == SourceKind::Static) && (source(old).kind != SourceKind::Static);
        };
        if new.suppressed != old.suppressed {
            return old.suppressed;
        }
        let ok = |p: &MPath| matches!(p.hop.0, Resolved::Unicast(_) | Resolved::Multipath(_));
        if ok(new) != ok(old) {
            return ok(new);
        }
        let llgr = |p: &MPath| p.set.get(code::COMMUNITY).is_some_and(|v| v.chunks(4).any(|c| c == [0xff, 0xff, 0, 6]));
        if llgr(new) != llgr(old) {
            return llgr(old);
        }
        let n = number(&new.set, code::LOCAL_PREF).unwrap_or(nb.decision.default_local_pref);
        let o = number(&old.set, code::LOCAL_PREF).unwrap_or(ob.decision.default_local_pref);
        if n != o {
            return n > o;
        }
        let total = |p: &MPath| {
            let metric = p.set.get(code::AIGP).and_then(route::aigp::metric);
            let far = route::hop::distance(&p.hop.0, p.hop.1);
            metric.map_or(u64::MAX, |m| route::aigp::total(m, far))
        };
        if total(new) != total(old) {
            return total(new) < total(old);
        }
        if nb.decision.path_metric || ob.decision.path_metric {
            let length = |p: &MPath| p.set.get(code::AS_PATH).map_or(10_000, |_| p.set.as_path().hop_count());
            if length(new) != length(old) {
                return length(new) < length(old);
            }
        }
        let origin = |p: &MPath| p.set.origin().unwrap_or(2);
        if origin(new) != origin(old) {
            return origin(new) < origin(old);
        }
        if nb.decision.med_metric || ob.decision.med_metric || self.neighbor(new) == self.neighbor(old) {
            let n = number(&new.set, code::MED).unwrap_or(nb.decision.default_med);
            let o = number(&old.set, code::MED).unwrap_or(ob.decision.default_med);
            if n != o {
                return n < o;
            }
        }
        if nb.internal != ob.internal {
            return ob.internal;
        }
        let metric = |p: &MPath, on: bool| if on { p.hop.1.unwrap_or(0) } else { 0 };
        let (n, o) = (metric(new, nb.decision.igp_metric), metric(old, ob.decision.igp_metric));
        if n != o {
            return n < o;
        }
        let n = number(&new.set, code::ORIGINATOR_ID).unwrap_or(nb.router_id);
        let o = number(&old.set, code::ORIGINATOR_ID).unwrap_or(ob.router_id);
        if n != o {
            if (nb.decision.prefer_older || ob.decision.prefer_older) && !nb.internal {
                return false;
            }
            return n < o;
        }
        let clusters = |p: &MPath| p.set.get(code::CLUSTER_LIST).map_or(0, <[u8]>::len);
        if clusters(new) != clusters(old) {
            return clusters(new) < clusters(old);
        }
        nb.peer_addr < ob.peer_addr
    }

    fn neighbor(&self, p: &MPath) -> u32 {
        let peer_as = self.channels[p.channel as usize].source.bgp.as_ref().map_or(0, |b| b.pathless_as);
        p.set.as_path().neighbor().unwrap_or(peer_as)
    }

    fn by_groups(&self, p: &MPath) -> bool {
        !p.filtered
            && self.channels[p.channel as usize].source.bgp.as_ref().is_some_and(|b| b.decision.deterministic_med)
    }

    fn same_group(&self, a: &MPath, b: &MPath) -> bool {
        a.set.local().preference == b.set.local().preference && self.neighbor(a) == self.neighbor(b)
    }

    /// Marks all of the group of `key` but the best as suppressed, in a list.
    fn regroup(&self, list: &mut [MPath], key: &MPath) {
        let mut best: Option<usize> = None;
        for i in 0..list.len() {
            if !self.by_groups(&list[i]) || !self.same_group(&list[i], key) {
                continue;
            }
            list[i].suppressed = false;
            best = match best {
                Some(b) if !self.better(&list[i], &list[b]) => {
                    list[i].suppressed = true;
                    Some(b)
                }
                Some(b) => {
                    list[b].suppressed = true;
                    Some(i)
                }
                None => Some(i),
            };
        }
    }

    fn elect(&self, list: &mut Vec<MPath>) {
        let mut best = 0;
        for i in 1..list.len() {
            if self.better(&list[i], &list[best]) {
                best = i;
            }
        }
        if !list.is_empty() {
            let winner = list.remove(best);
            list.insert(0, winner);
        }
    }

    /// Links `new` in place of the path at `old`, as BIRD does.
    fn relink(&mut self, net: Prefix, old: Option<usize>, new: Option<MPath>) {
        let mut list = self.nets.remove(&net).unwrap_or_default();
        let old_best = list.first().cloned();
        let removed = old.map(|at| list.remove(at));
        // Where one stands that does not win: where all are compared, and where not.
        let last = old.unwrap_or(list.len());
        let [among, behind] = if self.order == Order::Arrival { [last, last] } else { [0, 1] };
        if self.order == Order::Sorted {
            if let Some(new) = new {
                let start = match old {
                    Some(at) if at > 0 && !self.better(&new, &list[at - 1]) => at,
                    _ => 0,
                };
                let at = (start..list.len()).find(|i| self.better(&new, &list[*i])).unwrap_or(list.len());
                list.insert(at, new);
            }
        } else {
            let mut new = new;
            let elects = self.regroup_both(&mut list, new.as_mut(), removed.as_ref(), old_best.as_ref());
            match new {
                Some(new) if !elects && old_best.as_ref().is_none_or(|best| self.better(&new, best)) => {
                    list.insert(0, new);
                }
                new if elects || old == Some(0) => {
                    list.splice(among..among, new);
                    self.elect(&mut list);
                }
                Some(new) => list.insert(behind, new),
                None => {}
            }
        }
        if !list.is_empty() {
            self.nets.insert(net, list);
        }
    }

    /// `deterministic med`: finds the best of the groups of `new` and `old`. `true`: all must be compared.
    fn regroup_both(
        &self,
        list: &mut [MPath],
        new: Option<&mut MPath>,
        old: Option<&MPath>,
        old_best: Option<&MPath>,
    ) -> bool {
        let mut new = new.filter(|p| self.by_groups(p));
        let old = old.filter(|p| self.by_groups(p));
        if let (Some(n), Some(o)) = (&new, old)
            && !self.same_group(n, o)
        {
            let left = self.regroup_both(list, None, old, old_best);
            return self.regroup_both(list, new, None, old_best) || left;
        }
        let Some(key) = new.as_deref().or(old).cloned() else { return false };
        let mut group: Vec<MPath> = new.iter().map(|n| (**n).clone()).collect();
        group.extend(list.iter().filter(|p| self.by_groups(p) && self.same_group(p, &key)).cloned());
        group.iter_mut().for_each(|p| p.suppressed = false);
        let Some(mut best) = group.first() else { return false };
        for p in &group {
            if p.channel != best.channel && self.better(p, best) {
                best = p;
            }
        }
        for p in list.iter_mut().filter(|p| self.by_groups(p) && self.same_group(p, &key)) {
            p.suppressed = p.channel != best.channel;
        }
        match &mut new {
            Some(n) if n.channel == best.channel => {
                n.suppressed = false;
                old_best.is_some_and(|b| self.by_groups(b) && self.same_group(b, &key))
            }
            Some(n) => {
                n.suppressed = true;
                old.is_some_and(|o| !o.suppressed)
            }
            None => old.is_some_and(|o| !o.suppressed),
        }
    }

    fn count(&self, channel: u32) -> RouteCounts {
        let mut counts = RouteCounts::default();
        for list in self.nets.values() {
            for (i, p) in list.iter().enumerate().filter(|(_, p)| p.channel == channel) {
                counts.imported += u32::from(!p.filtered);
                counts.filtered += u32::from(p.filtered);
                counts.preferred += u32::from(i == 0 && !p.filtered);
            }
        }
        counts
    }

    /// The answer for a set that comes: the one that stands for equal destinations, else a new one.
    fn answer(&self, set: &AttrSet) -> (Resolved, Option<u32>) {
        let known = self.nets.values().flatten().find(|p| p.set.local().dest == set.local().dest);
        known.map_or_else(|| self.resolve(set), |p| p.hop.clone())
    }

    /// One row, counted in BIRD's order.
    fn row(&mut self, c: u32, net: Prefix, what: What, palette: &[(AttrSet, (Resolved, Option<u32>))]) {
        let counts = self.count(c);
        let now = self.now;
        let channel = &mut self.channels[c as usize];
        if !channel.up {
            return;
        }
        let keep = channel.spec.keep_filtered;
        let stats = &mut channel.stats;
        let mut new = match what {
            What::Announce(n) => {
                stats.updates_received += 1;
                Some((palette[n as usize].0.clone(), false))
            }
            What::Filtered(n) => {
                stats.updates_received += 1;
                stats.updates_filtered += 1;
                keep.then(|| (palette[n as usize].0.clone(), true))
            }
            What::Invalid(_) => {
                stats.updates_received += 1;
                stats.updates_rejected += 1;
                None
            }
            What::Withdraw => {
                stats.withdraws_received += 1;
                None
            }
        };
        let at = self.nets.get(&net).and_then(|l| l.iter().position(|p| p.channel == c));
        let mut old = at.and_then(|at| self.nets.get_mut(&net)?.get_mut(at));
        if let (Some(old), Some((set, filtered))) = (&mut old, &new)
            && old.set == *set
            && old.filtered == *filtered
        {
            stats.updates_ignored += u64::from(!filtered);
            old.stale = false;
            return;
        }
        if old.is_none() && new.is_none() {
            stats.withdraws_ignored += 1;
            return;
        }
        let old_ok = old.as_ref().is_some_and(|p| !p.filtered);
        if old.is_none() && shuts(&mut channel.receive, counts.imported + counts.filtered) {
            stats.updates_ignored += 1;
            return;
        }
        let new_ok = matches!(new, Some((_, false)));
        if !old_ok && new_ok && shuts(&mut channel.import, counts.imported) {
            stats.updates_ignored += 1;
            new = new.filter(|_| keep).map(|(set, _)| (set, true));
            if old.is_none() && new.is_none() {
                return;
            }
        } else if new_ok {
            stats.updates_accepted += 1;
        } else if old_ok {
            stats.withdraws_accepted += 1;
        } else {
            stats.withdraws_ignored += 1;
        }
        let new = new.map(|(set, filtered)| MPath {
            channel: c,
            hop: palette.iter().find(|(s, _)| *s == set).expect("the set is of the batch").1.clone(),
            set,
            filtered,
            stale: false,
            suppressed: false,
            since: now,
        });
        self.relink(net, at, new);
    }

    /// Takes out all paths that `gone` says, counted as the table's own doing.
    fn remove(&mut self, gone: impl Fn(&MPath) -> bool) {
        for net in self.nets.keys().copied().collect::<Vec<_>>() {
            while let Some(at) = self.nets.get(&net).and_then(|l| l.iter().position(&gone)) {
                let p = &self.nets[&net][at];
                let stats = &mut self.channels[p.channel as usize].stats;
                if p.filtered {
                    stats.withdraws_ignored += 1
                } else {
                    stats.withdraws_accepted += 1
                }
                self.relink(net, Some(at), None);
            }
        }
    }

    fn resolve(&self, set: &AttrSet) -> (Resolved, Option<u32>) {
        let r = match &set.local().dest {
            Dest::Via(hop) => return (Resolved::Unicast(*hop), None),
            Dest::Recursive(r) => r,
            _ => return (Resolved::Blackhole, None),
        };
        let covering = self.nets.iter().filter(|(net, l)| net.contains(r.gateway) && !l[0].filtered);
        let Some((_, list)) = covering.max_by_key(|(net, _)| net.len()) else { return (Resolved::Unreachable, None) };
        match (&list[0].set.local().dest, &list[0].hop.0) {
            (Dest::Recursive(_), _) => (Resolved::Unreachable, None),
            (_, Resolved::Unicast(Hop { gateway: None, iface, .. })) => {
                (Resolved::Unicast(Hop::via(r.gateway, *iface)), Some(0))
            }
            (_, Resolved::Unicast(hop)) => (Resolved::Unicast(*hop), Some(IGP_METRIC_UNKNOWN)),
            (_, other) => (other.clone(), None),
        }
    }

    /// Resolves all anew until nothing changes, and compares anew where something did.
    fn settle(&mut self) {
        for round in 0.. {
            assert!(round < 100, "next hops that never come to rest");
            let mut changed = Vec::new();
            for (net, list) in &self.nets {
                for (i, p) in list.iter().enumerate() {
                    let hop = self.resolve(&p.set);
                    if hop != p.hop {
                        changed.push((*net, i, hop));
                    }
                }
            }
            if changed.is_empty() {
                return;
            }
            // Filtered paths stay where they are: everything beats them, so comparing them anew says nothing.
            let valid = |(net, i, _): &&(Prefix, usize, _)| !self.nets[net][*i].filtered;
            let nets: Vec<_> = changed.iter().filter(valid).map(|(net, ..)| *net).collect();
            for (net, i, hop) in changed {
                if let Some(list) = self.nets.get_mut(&net) {
                    list[i].hop = hop;
                }
            }
            for net in nets {
                let mut list = self.nets.remove(&net).unwrap_or_default();
                for i in 0..list.len() {
                    if self.by_groups(&list[i]) {
                        let key = list[i].clone();
                        self.regroup(&mut list, &key);
                    }
                }
                self.elect(&mut list);
                self.nets.insert(net, list);
            }
        }
    }
}

fn shuts(gate: &mut MGate, standing: u32) -> bool {
    if let Some(limit) = gate.limit
        && standing >= limit.routes_max
        && limit.action != LimitAction::Warn
    {
        gate.shut = true;
    }
    gate.shut
}

// ------------------------------------------------------------- the readers

/// A reader of the journal: what it was told, by number.
struct Reader {
    reading: Reading,
    told: BTreeMap<NetId, (Prefix, Vec<Seen>)>,
    feed: Option<NetId>,
    queue: VecDeque<Arc<ChangeBatch>>,
    read: u64,
}

#[derive(Clone, Debug, PartialEq)]
struct Seen {
    source: SourceId,
    set: AttrSet,
    hop: Resolved,
    since: Moment,
}

impl Reader {
    fn new(reading: Reading, read: u64) -> Self {
        Self { reading, told: BTreeMap::new(), feed: Some(NetId(0)), queue: VecDeque::new(), read }
    }

    fn take(&mut self, batch: &ChangeBatch) {
        let most = if self.reading == Reading::Best { 1 } else { usize::MAX };
        for row in &batch.rows {
            let seen: Vec<_> = batch
                .paths_of(row)
                .iter()
                .take(most)
                .map(|p| Seen {
                    source: batch.sources[p.source as usize].id,
                    set: batch.palette[p.attrs as usize].clone(),
                    hop: batch.hops[p.hop as usize].to.clone(),
                    since: p.since,
                })
                .collect();
            if let Some((before, told)) = self.told.get(&row.id) {
                assert_eq!(*before, row.net, "a number was given to another prefix before this reader knew");
                let front = usize::from(row.unmoved).min(most);
                assert_eq!(told.get(..front), seen.get(..front), "the paths in front of {} did not move", row.net);
            }
            if seen.is_empty() {
                self.told.remove(&row.id);
            } else {
                self.told.insert(row.id, (row.net, seen));
            }
        }
    }

    /// Reads one batch or one page. `false`: nothing is left.
    fn step(&mut self, table: &Table) -> bool {
        if let Some(batch) = self.queue.pop_front() {
            self.take(&batch);
            self.read = batch.seq;
            return true;
        }
        if let Some(from) = self.feed {
            let (page, next) = table.page(from, 2, self.reading);
            self.take(&page);
            self.feed = next;
            return true;
        }
        false
    }

    fn sees(&self) -> BTreeMap<Prefix, Vec<Seen>> {
        let sees: BTreeMap<_, _> = self.told.values().cloned().collect();
        assert_eq!(sees.len(), self.told.len(), "two numbers for one prefix");
        sees
    }
}

// -------------------------------------------------------------- the deeds

#[derive(Clone, Debug)]
enum Step {
    Rows(u32, Vec<(usize, u8, usize)>),
    Up(u32),
    Down(u32),
    DownRetaining(u32),
    MarkStale(u32),
    Sweep(u32),
    LongLived(u32),
    Reconfigure(u32),
    Tick,
    Seal,
    Read(usize),
    Join(bool),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let channel = 0..CHANNELS;
    let row = (0..PREFIXES, 0..12u8, 0..64usize);
    let step = prop_oneof![
        12 => (channel.clone(), prop::collection::vec(row, 1..5)).prop_map(|(c, r)| Step::Rows(c, r)),
        1 => channel.clone().prop_map(Step::Up),
        1 => channel.clone().prop_map(Step::Down),
        1 => channel.clone().prop_map(Step::DownRetaining),
        2 => channel.clone().prop_map(Step::MarkStale),
        2 => channel.clone().prop_map(Step::Sweep),
        1 => channel.clone().prop_map(Step::LongLived),
        1 => channel.prop_map(Step::Reconfigure),
        4 => Just(Step::Tick),
        4 => Just(Step::Seal),
        4 => (0..3usize).prop_map(Step::Read),
        1 => any::<bool>().prop_map(Step::Join),
    ];
    prop::collection::vec(step, 1..60)
}

fn orders() -> impl Strategy<Value = Order> {
    prop::sample::select(vec![Order::Newest, Order::Arrival, Order::Sorted])
}

/// What kind of world a run is in.
#[derive(Clone, Copy, Debug)]
struct World {
    family: Family,
    order: Order,
    recursive: bool,
    by_groups: bool,
}

impl World {
    fn prefixes(self) -> Vec<Prefix> {
        let texts = match self.family {
            Family::Ipv4 => ["0.0.0.0/0", "10.0.0.0/8", "10.1.0.0/16", "10.1.1.0/24", "10.1.1.1/32", "192.168.0.0/24"],
            Family::Ipv6 => ["::/0", "fd00::/8", "fd00:1::/32", "fd00:1:1::/48", "fd00:1:1::1/128", "fd00:2::/64"],
        };
        texts.iter().map(|t| t.parse().expect("a prefix")).collect()
    }

    /// The attribute set of a number: bits choose what is in it.
    fn set(self, c: u32, n: usize) -> AttrSet {
        let bit = |b: usize| n >> b & 1 == 1;
        let mut set = bgp().local_pref(100 + u32::from(bit(0)) * 50);
        if self.recursive {
            let gateways = match self.family {
                Family::Ipv4 => ["10.1.1.1", "10.1.1.9", "10.9.9.9", "192.168.0.7"],
                Family::Ipv6 => ["fd00:1:1::1", "fd00:1:1::9", "fd00:9::9", "fd00:2::7"],
            };
            let gateway = gateways[(n >> 1) % 4].parse().expect("an address");
            if bit(3) {
                set = set.dest(Dest::Recursive(Recursive { gateway, table: TableId(0), link_local: None }));
            } else if bit(4) {
                set = set.dest(Dest::Via(Hop::dev(IfIndex(3))));
            } else if bit(1) {
                set = set.dest(Dest::Blackhole);
            }
            // Others first: else a path could lose by the very way that it opens, and nothing would come to rest.
            return set.preference(if bit(3) { 100 } else { 110 + u32::from(bit(5)) }).build();
        }
        set = if bit(1) { set.path(&[64500 + u32::from(bit(2)), 7]) } else { set.path(&[64500 + u32::from(bit(2))]) };
        if bit(3) {
            set = set.med(n as u32 % 3);
        }
        if bit(4) {
            set = set.number(code::ORIGINATOR_ID, n as u32 % 5);
        }
        if bit(5) && c == 0 {
            set = set.preference(150);
        }
        if n == 63 {
            set = set.community(route::community::NO_LLGR.0);
        }
        set.build()
    }

    fn source(self, c: u32) -> Arc<Source> {
        if self.recursive && c == 3 {
            return source(c, SourceKind::Static, None);
        }
        let mut bgp = bgp_source(c);
        bgp.internal = c == 1;
        bgp.decision.prefer_older = c == 2 && !self.recursive && !self.by_groups;
        bgp.decision.med_metric = false;
        bgp.decision.deterministic_med = self.by_groups;
        source(c, SourceKind::Bgp, Some(bgp))
    }

    fn spec(self, c: u32) -> ChannelSpec {
        let limit = |routes_max, action| Some(Limit { routes_max, action });
        ChannelSpec {
            keep_filtered: c % 2 == 1,
            import_limit: if c == 1 { limit(4, LimitAction::Block) } else { None },
            receive_limit: if c == 2 { limit(4, LimitAction::Block) } else { None },
            ..support::spec()
        }
    }
}

struct Run {
    world: World,
    prefixes: Vec<Prefix>,
    table: Table,
    model: Model,
    generations: Vec<u32>,
    readers: Vec<Reader>,
    sealed: u64,
}

impl Run {
    fn new(world: World) -> Self {
        let spec = TableSpec { id: TableId(0), name: "t".into(), family: world.family, order: world.order };
        let mut table = Table::new(spec);
        table.set_ifaces(Arc::new(links()));
        table.set_reading(Reading::All);
        let channels = (0..CHANNELS)
            .map(|c| MChannel {
                up: false,
                spec: world.spec(c),
                source: world.source(c),
                stats: ImportStats::default(),
                receive: MGate::default(),
                import: MGate::default(),
            })
            .collect();
        let model = Model { order: world.order, nets: BTreeMap::new(), channels, now: Moment(1) };
        let readers = vec![Reader::new(Reading::All, 0), Reader::new(Reading::Best, 0)];
        let mut run = Self {
            world,
            prefixes: world.prefixes(),
            table,
            model,
            generations: vec![0; CHANNELS as usize],
            readers,
            sealed: 0,
        };
        (0..CHANNELS).for_each(|c| run.step(&Step::Up(c)));
        run
    }

    fn act(&mut self, c: u32, deed: Deed) {
        let generation = Generation(self.generations[c as usize]);
        let act = Act { channel: ChannelId(c), generation, deed };
        // By pieces, as the owner takes batches in that others shall not wait for.
        self.table.begin(act, self.model.now, &mut Vec::new());
        while self.table.go_on(2, self.model.now, &mut Vec::new()) {}
    }

    fn gates(&mut self, c: u32) {
        let channel = &mut self.model.channels[c as usize];
        channel.receive = MGate { limit: channel.spec.receive_limit, shut: false };
        channel.import = MGate { limit: channel.spec.import_limit, shut: false };
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Rows(c, rows) => {
                let palette: Vec<_> = rows.iter().map(|(_, _, set)| self.world.set(*c, *set)).collect();
                let rows: Vec<_> = rows
                    .iter()
                    .enumerate()
                    .map(|(n, (p, what, _))| ImportRow {
                        net: self.prefixes[*p],
                        source: SourceId(*c),
                        what: match what {
                            0 => What::Invalid(0),
                            1 | 2 => What::Filtered(n as u32),
                            3..=5 => What::Withdraw,
                            _ => What::Announce(n as u32),
                        },
                    })
                    .collect();
                let answered: Vec<_> = palette.iter().map(|s| (s.clone(), self.model.answer(s))).collect();
                for row in &rows {
                    self.model.row(*c, row.net, row.what, &answered);
                }
                self.act(*c, Deed::Import(ImportBatch { palette, rows }));
            }
            Step::Up(c) => {
                if !self.model.channels[*c as usize].up {
                    self.generations[*c as usize] += 1;
                    self.act(*c, Deed::Up(Box::new(self.world.spec(*c))));
                    self.act(*c, Deed::Source(self.world.source(*c)));
                    self.model.channels[*c as usize].up = true;
                    self.gates(*c);
                }
            }
            Step::Down(c) => {
                self.act(*c, Deed::Down);
                self.model.remove(|p| p.channel == *c);
                self.model.channels[*c as usize].up = false;
                self.model.channels[*c as usize].stats = ImportStats::default();
            }
            Step::DownRetaining(c) => {
                if self.model.channels[*c as usize].up {
                    self.act(*c, Deed::DownRetaining);
                    self.model.channels[*c as usize].up = false;
                    self.stale(*c);
                }
            }
            Step::MarkStale(c) => {
                if self.model.channels[*c as usize].up {
                    self.act(*c, Deed::MarkStale);
                    self.stale(*c);
                }
            }
            Step::Sweep(c) => {
                self.act(*c, Deed::Sweep);
                self.model.remove(|p| p.channel == *c && p.stale);
            }
            Step::LongLived(c) => {
                if !self.model.channels[*c as usize].up {
                    self.act(*c, Deed::LongLived);
                    self.long_lived(*c);
                }
            }
            Step::Reconfigure(c) => {
                if self.model.channels[*c as usize].up {
                    self.act(*c, Deed::Reconfigure(Box::new(self.world.spec(*c))));
                    self.gates(*c);
                }
            }
            Step::Tick => self.model.now = self.model.now.plus_ms(10),
            Step::Seal => {
                if let Some(batch) = self.table.seal() {
                    self.sealed = batch.seq;
                    self.readers.iter_mut().for_each(|r| r.queue.push_back(batch.clone()));
                }
                self.release();
            }
            Step::Read(n) => {
                let n = n % self.readers.len();
                self.readers[n].step(&self.table);
                self.release();
            }
            Step::Join(all) => {
                if self.readers.len() < 4 {
                    let reading = if *all { Reading::All } else { Reading::Best };
                    self.readers.push(Reader::new(reading, self.sealed));
                }
            }
        }
        self.model.settle();
        for _ in 0..10_000 {
            if !self.table.work(self.model.now, 2) {
                return;
            }
        }
        panic!("work has no end");
    }

    fn stale(&mut self, c: u32) {
        self.model.nets.values_mut().flatten().filter(|p| p.channel == c).for_each(|p| p.stale = true);
    }

    fn long_lived(&mut self, c: u32) {
        let forbids = |set: &AttrSet, what: u32| {
            set.get(code::COMMUNITY).is_some_and(|v| v.chunks(4).any(|c| c == what.to_be_bytes()))
        };
        self.model.remove(|p| p.channel == c && p.stale && forbids(&p.set, 0xffff_0007));
        for net in self.model.nets.keys().copied().collect::<Vec<_>>() {
            let due = |p: &MPath| p.channel == c && p.stale && !forbids(&p.set, 0xffff_0006);
            let Some(at) = self.model.nets[&net].iter().position(due) else { continue };
            let old = self.model.nets[&net][at].clone();
            let mut set = route::AttrSetBuilder::from_set(&old.set);
            let mut value = set.get(code::COMMUNITY).unwrap_or_default().to_vec();
            value.extend_from_slice(&[0xff, 0xff, 0, 6]);
            set.set(code::COMMUNITY, &value);
            let stats = &mut self.model.channels[c as usize].stats;
            if old.filtered {
                stats.withdraws_ignored += 1
            } else {
                stats.updates_accepted += 1
            }
            let new = MPath { set: set.build(), since: self.model.now, suppressed: false, ..old };
            self.model.relink(net, Some(at), Some(new));
        }
    }

    fn release(&mut self) {
        // A reader in its feed has not heard of anything that went since it joined.
        let slowest = self.readers.iter().map(|r| r.read).min().unwrap_or(self.sealed);
        self.table.release(slowest);
    }

    fn check(&self) {
        for net in &self.prefixes {
            let expected: Vec<_> = self.model.nets.get(net).into_iter().flatten().collect();
            let shown = self.table.find(net).and_then(|id| self.table.show(id)).map(|v| v.paths).unwrap_or_default();
            let facts = |p: &rib::table::PathView| {
                (p.source.id.0, p.filtered, p.stale, p.since.0, p.hop.to.clone(), p.hop.igp_metric, p.attrs.clone())
            };
            let model =
                |p: &&MPath| (p.channel, p.filtered, p.stale, p.since.0, p.hop.0.clone(), p.hop.1, p.set.clone());
            assert_eq!(
                shown.iter().map(facts).collect::<Vec<_>>(),
                expected.iter().map(model).collect::<Vec<_>>(),
                "{net}"
            );
        }
        for c in 0..CHANNELS {
            assert_eq!(self.table.counts(ChannelId(c)), self.model.count(c), "channel {c}");
            assert_eq!(self.table.import_stats(ChannelId(c)), self.model.channels[c as usize].stats, "channel {c}");
        }
        self.check_pages();
        let totals = self.table.totals();
        assert_eq!(totals.networks as usize, self.model.nets.len());
        assert_eq!(totals.routes as usize, self.model.nets.values().map(Vec::len).sum::<usize>());
    }

    /// Pages show what is shown prefix by prefix, wherever one is full.
    fn check_pages(&self) {
        let ids: Vec<_> = self.prefixes.iter().filter_map(|net| self.table.find(net)).collect();
        let (mut rest, mut paged) = (ids.as_slice(), Vec::new());
        while !rest.is_empty() {
            let (page, looked_at) = self.table.show_all(rest, 2);
            paged.extend(page.views());
            rest = &rest[looked_at..];
        }
        let shown: Vec<_> = ids.iter().filter_map(|id| self.table.show(*id)).collect();
        assert_eq!(format!("{paged:?}"), format!("{shown:?}"));
    }

    /// Lets all readers read to the end and compares what they know with what the table shows.
    fn check_readers(&mut self) {
        self.step(&Step::Seal);
        for reader in &mut self.readers {
            while reader.step(&self.table) {}
            let mut stands = BTreeMap::new();
            for net in &self.prefixes {
                let Some(view) = self.table.find(net).and_then(|id| self.table.show(id)) else { continue };
                let most = if reader.reading == Reading::Best { 1 } else { usize::MAX };
                let seen: Vec<_> = view
                    .paths
                    .into_iter()
                    .filter(|p| !p.filtered)
                    .take(most)
                    .map(|p| Seen { source: p.source.id, set: p.attrs, hop: p.hop.to, since: p.since })
                    .collect();
                if !seen.is_empty() {
                    stands.insert(*net, seen);
                }
            }
            assert_eq!(reader.sees(), stands, "{:?}", reader.reading);
        }
    }
}

fn run(world: World, steps: &[Step]) {
    let mut run = Run::new(world);
    for step in steps {
        run.step(step);
        run.check();
    }
    run.check_readers();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn the_table_is_the_model(steps in steps(), six: bool, order in orders()) {
        let family = if six { Family::Ipv6 } else { Family::Ipv4 };
        run(World { family, order, recursive: false, by_groups: false }, &steps);
    }

    #[test]
    fn the_table_is_the_model_with_deterministic_med(steps in steps(), arrival: bool) {
        let order = if arrival { Order::Arrival } else { Order::Newest };
        run(World { family: Family::Ipv4, order, recursive: false, by_groups: true }, &steps);
    }

    #[test]
    fn the_table_is_the_model_with_recursive_next_hops(steps in steps(), six: bool) {
        let family = if six { Family::Ipv6 } else { Family::Ipv4 };
        run(World { family, order: Order::Newest, recursive: true, by_groups: false }, &steps);
    }
}
