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
//! with one path: 24 octets of row and about 10 of index; for each distinct set
//! about 60 beside its octets.

use crate::batch::{Act, Deed, NetId, Reading, ResolvedHop, TableEvent};
use crate::blocks::Blocks;
use crate::channel::{Channels, Standing};
use crate::decision::Candidate;
pub use crate::decision::Reason;
use crate::election::Candidates;
use crate::elsewhere::HopMail;
use crate::import::Importing;
use crate::intern::Sets;
use crate::journal::Journal;
use crate::nexthop::{self, Answer, HopId, Hops};
use crate::path::{AttrsId, Path, SlotId};
use crate::pipe::Noise;
pub use crate::query::{NetView, Order, PathView, TableSpec, Totals};
use crate::store::{Found, Nets};
use crate::trace::{Fate, Trace, Traces, Tracing, Way};
use filter::Scratch;
use hashbrown::HashMap;
use route::attrs::LocalAttr;
use route::attrs::LocalValue;
use route::hop::{IGP_METRIC_UNKNOWN, Recursive};
use route::{ChannelId, Dest, Family, IfIndex, Ifaces, Moment, Prefix, Resolved, RoaTables, TableId, Written};
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
    /// Which tables asked for a next hop, and what is to be said to them.
    pub(crate) askers: HashMap<HopId, Vec<TableId>>,
    pub(crate) answers: Vec<HopMail>,
    /// Channels to be forgotten.
    pub(crate) retired: Vec<u32>,
    /// Keeps lines about pipes few.
    pub(crate) noise: Noise,
    pub(crate) totals: Counts,
    /// What the table has to say of itself.
    warnings: Vec<TableEvent>,
    /// Reused from row to row.
    pub(crate) scratch: Vec<Path>,
    stood: Vec<Path>,
    pub(crate) found: Vec<Found>,
    /// A batch of which some rows are left.
    pub(crate) importing: Option<Importing>,
    /// What late filters read.
    pub(crate) roas: Arc<RoaTables>,
    /// What late filters reuse.
    pub(crate) filters: Scratch,
    /// Channels of which lines are wanted.
    pub(crate) traced: HashMap<ChannelId, Tracing>,
    /// Lines of these are wanted only until they are gone.
    pub(crate) untraced: Vec<ChannelId>,
    traces: Traces,
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
        let hop = self.core.hops.resolved(facts.hop);
        Candidate {
            facts,
            source: &self.channels.slot(path.slot()).source,
            hop,
            total_metric: self.core.sets.total_metric(path.attrs, facts, hop),
            suppressed: path.is_suppressed(),
        }
    }
}

impl Table {
    /// An empty table.
    pub fn new(spec: TableSpec) -> Self {
        Self {
            nets: Nets::new(spec.family),
            core: Core { hops: Hops::of(spec.id), ..Core::default() },
            spec,
            channels: Channels::default(),
            journal: Journal::default(),
            untended: Blocks::default(),
            tending: (0, 0),
            has_work: false,
            askers: HashMap::new(),
            answers: Vec::new(),
            retired: Vec::new(),
            noise: Noise::default(),
            totals: Counts::default(),
            warnings: Vec::new(),
            scratch: Vec::new(),
            stood: Vec::new(),
            found: Vec::new(),
            importing: None,
            roas: Arc::default(),
            filters: Scratch::new(),
            traced: HashMap::new(),
            untraced: Vec::new(),
            traces: Traces::default(),
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
        self.begin(act, now, events);
        self.go_on(usize::MAX, now, events);
    }

    /// Does a deed of a channel, but of a batch only the beginning: its rows are for [`go_on`](Self::go_on), so
    /// that the owner can do something else between them. Rows that are left of another batch are taken in first.
    pub fn begin(&mut self, act: Act, now: Moment, events: &mut Vec<TableEvent>) {
        self.go_on(usize::MAX, now, events);
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
            Deed::Import(batch) if channel.is_up => self.import(at, batch, now),
            Deed::Pipe(spec) if channel.is_up => self.set_pipe(at, *spec),
            Deed::Piped(piped) if channel.is_up => self.take_piped(at, &piped, now, events),
            Deed::Import(_) | Deed::Pipe(_) | Deed::Piped(_) => {}
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
            Deed::OpenLimits => channel.open_limits(),
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

    /// What the table has to say of itself since the last time, for the log: few at a time, whatever peers do.
    pub fn take_warnings(&mut self) -> Vec<TableEvent> {
        std::mem::take(&mut self.warnings)
    }

    /// New ROA tables, for filters that run here from now on.
    pub fn set_roas(&mut self, roas: Arc<RoaTables>) {
        self.roas = roas;
    }

    /// What the journal must carry from now on: all that any reader reads.
    pub fn set_readings(&mut self, readings: impl Iterator<Item = Reading>) {
        let mut widest = Reading::Best;
        let mut each = false;
        for reading in readings {
            match reading {
                Reading::Best => {}
                Reading::All => widest = Reading::All,
                Reading::Each => each = true,
            }
        }
        self.journal.read(widest);
        self.journal.each.switch(each);
    }

    /// What the journal must carry from now on, for one reader.
    pub fn set_reading(&mut self, widest: Reading) {
        self.set_readings(std::iter::once(widest));
    }

    /// Notes the path that went and the one that came, which may be of the same slot.
    fn note_each(&mut self, id: NetId, leaving: Option<Path>, new: Option<Path>) {
        let valid = |p: Option<Path>| p.filter(|p| !p.is_filtered()).map(|p| p.slot());
        let (old, new) = (valid(leaving), valid(new));
        if let Some(slot) = old.filter(|_| old != new) {
            self.journal.each.note(id, slot);
        }
        if let Some(slot) = new {
            self.journal.each.note(id, slot);
        }
    }

    /// Which lines are wanted of a channel from now on; of one that is going down, when it is gone.
    pub fn set_tracing(&mut self, channel: ChannelId, tracing: Tracing) {
        let goes = self.channels.find(channel).and_then(|at| self.channels.get(at)).is_some_and(|c| !c.is_up);
        self.untraced.retain(|c| *c != channel);
        if tracing.is_on() {
            self.traced.insert(channel, tracing);
        } else if goes {
            self.untraced.push(channel);
        } else {
            self.traced.remove(&channel);
        }
    }

    /// The lines since the last call.
    pub fn traces(&mut self) -> &mut Traces {
        &mut self.traces
    }

    /// Notes what became of a route of a slot, when lines of its channel are wanted.
    pub(crate) fn trace(&mut self, slot: SlotId, fate: Fate, net: Prefix, attrs: AttrsId) {
        if self.traced.is_empty() {
            return;
        }
        let channel = self.channels.of(slot);
        let Some(tracing) = self.traced.get(&channel.id).filter(|t| t.wants(fate)) else { return };
        let hop = self.core.hops.resolved(self.core.sets.facts(attrs).hop);
        let source = &self.channels.slot(slot).source;
        let tail = tracing.tail(&hop.to, Some(source), &self.core.ifaces);
        // What a pipe hands on is somebody else's, and the line is the pipe's.
        let protocol = Arc::clone(channel.pipe_name.as_ref().unwrap_or(&source.protocol_name));
        self.traces.push(Trace { protocol, channel: tracing.channel, way: Way::In, fate, net, tail });
    }

    /// Notes that a path came or went; the first of its prefix was `before` and is `after`.
    fn trace_change(
        &mut self,
        id: NetId,
        leaving: Option<Path>,
        new: Option<Path>,
        before: Option<Path>,
        after: Option<Path>,
    ) {
        let Some(net) = self.nets.prefix(id) else { return };
        let is_valid = |p: &Path| !p.is_filtered();
        let is_first = |p: Path, first: Option<Path>| first.is_some_and(|f| f.slot() == p.slot());
        let (path, fate) = match (new.filter(is_valid), leaving.filter(is_valid)) {
            (Some(new), _) if is_first(new, after) => (new, Fate::AddedBest),
            (Some(new), _) => (new, Fate::Added),
            (None, Some(old)) if !is_first(old, before) => (old, Fate::Removed),
            (None, Some(old)) if after.is_some_and(|p| is_valid(&p)) => (old, Fate::RemovedReplaced),
            (None, Some(old)) => (old, Fate::RemovedSole),
            (None, None) => return,
        };
        self.trace(path.slot(), fate, net, path.attrs);
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
        let mut stood = std::mem::take(&mut self.stood);
        if self.journal.reading == Reading::All {
            stood.clone_from(&paths);
        }
        crate::election::replace(&mut paths, old, new, self.spec.order, &self.judge());
        let unmoved = unmoved(&stood, &paths, old);
        stood.clear();
        self.stood = stood;
        self.nets.write(id, &paths);
        let after = paths.first().copied();
        self.scratch = paths;

        let valid_changed = new.is_some_and(|p| !p.is_filtered()) || leaving.is_some_and(|p| !p.is_filtered());
        // A new path in front is another one even when it looks like the one before: that may be of a life that is over.
        if valid_changed && self.journal.each.is_on() {
            self.note_each(id, leaving, new);
        }
        let is_new = new.is_some_and(|n| after.is_some_and(|a| a.slot() == n.slot()));
        let best_changed = is_new || !same_path(before.as_ref(), after.as_ref());
        self.book_in(id, new, before.is_none());
        if let Some(net) = self.nets.prefix(id) {
            self.core.hops.stirred_by(&net);
            self.tell(id, &net, (before, after), best_changed, valid_changed, unmoved);
        }
        if !self.traced.is_empty() {
            self.trace_change(id, leaving, new, before, after);
        }
        self.book_out(leaving, after.is_none());
    }

    /// [`settle`](Self::settle) for a prefix where no path stands, or only the one that goes.
    #[inline]
    pub(crate) fn settle_alone(&mut self, id: NetId, net: &Prefix, old: Option<Path>, new: Option<Path>) {
        self.nets.set_first(id, new.unwrap_or(Path::VACANT));
        self.book_in(id, new, old.is_none());
        self.core.hops.stirred_by(net);
        let valid_changed = [old, new].into_iter().flatten().any(|p| !p.is_filtered());
        if valid_changed && self.journal.each.is_on() {
            self.note_each(id, old, new);
        }
        self.tell(id, net, (old, new), true, valid_changed, 0);
        if !self.traced.is_empty() {
            self.trace_change(id, old, new, old, new);
        }
        self.book_out(old, new.is_none());
    }

    /// Counts a path that has come, maybe the first of its prefix.
    #[inline]
    fn book_in(&mut self, id: NetId, new: Option<Path>, is_first: bool) {
        let Some(new) = new else { return };
        let hop = self.core.sets.hold(new.attrs);
        self.core.hops.used_by(hop, id.0);
        self.channels.add_path(new.slot(), id.0);
        self.totals.routes += 1;
        self.totals.filtered += u32::from(new.is_filtered());
        self.totals.networks += u32::from(is_first);
    }

    /// Counts a path that has gone, maybe the last of its prefix.
    #[inline]
    fn book_out(&mut self, old: Option<Path>, is_last: bool) {
        let Some(old) = old else { return };
        self.channels.drop_path(old.slot());
        self.core.sets.drop(old.attrs, &mut self.core.hops);
        self.totals.routes -= 1;
        self.totals.filtered -= u32::from(old.is_filtered());
        self.totals.networks -= u32::from(is_last);
    }

    /// Counts and notes that the first path of a prefix was `before` and is `after`; so many in front did not change.
    #[inline]
    pub(crate) fn tell(
        &mut self,
        id: NetId,
        net: &Prefix,
        (before, after): (Option<Path>, Option<Path>),
        best_changed: bool,
        others_changed: bool,
        unmoved: u8,
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
            self.core.hops.touched_by(net);
        }
        if best_changed || (others_changed && self.journal.reading == Reading::All) {
            self.journal.note(id, unmoved);
        }
    }

    /// Answers all next hops that were asked for since the last time.
    pub(crate) fn answer_new_hops(&mut self, now: Moment) {
        self.answer_hops(usize::MAX, now);
    }

    /// Answers some of the next hops that want an answer, and has the prefixes that use changed ones tended.
    pub(crate) fn answer_hops(&mut self, most: usize, now: Moment) {
        for _ in 0..most {
            let Some(id) = self.core.hops.take_recheck() else { return };
            let answer = self.resolve(id);
            if answer.through_recursive && self.core.hops.may_warn(id, now) {
                self.warn_of(id, answer.matched_len);
            }
            if let Some(users) = self.core.hops.answer(id, answer, now) {
                self.untended.add_all(users);
                self.has_work = true;
                if !self.askers.is_empty() {
                    self.reply_all(id);
                }
            }
        }
    }

    fn warn_of(&mut self, id: HopId, matched_len: u8) {
        let Dest::Recursive(Recursive { gateway, .. }) = self.core.hops.dest(id) else { return };
        let Some(through) = Prefix::new(*gateway, matched_len) else { return };
        let text = format!("Next hop address {} resolvable through recursive route for {through}", Written(*gateway));
        self.warnings.push(TableEvent::Warning { text });
    }

    fn resolve(&self, id: HopId) -> Answer {
        nexthop::resolve(self.core.hops.dest(id), &self.core.ifaces, |r| self.look_up(r))
    }

    /// The way to a recursive next hop, by the best path of the longest prefix that covers it.
    fn look_up(&self, recursive: &Recursive) -> Answer {
        if recursive.table != self.spec.id {
            return self.core.hops.answered_elsewhere(recursive);
        }
        if Family::of(recursive.gateway) != self.spec.family {
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
            return Answer { through_recursive: true, ..Answer::unreachable(matched_len) };
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
        Answer { hop: ResolvedHop { to, igp_metric, recursive: true }, matched_len, through_recursive: false }
    }

    /// The distance that a resolving route gives: what a filter has set, 0 on a link, else unknown.
    fn metric_of(&self, path: &Path, via: &Resolved) -> u32 {
        let set = self.core.sets.set(path.attrs);
        match set.and_then(|s| s.local().extra(LocalAttr::IgpMetric)) {
            Some(LocalValue::Int(metric)) => *metric,
            _ if matches!(via, Resolved::Unicast(hop) if hop.gateway.is_none()) => 0,
            _ => {
                let facts = self.core.sets.facts(path.attrs);
                let total = self.core.sets.total_metric(path.attrs, facts, self.core.hops.resolved(facts.hop));
                u32::try_from(total).ok().filter(|total| *total < IGP_METRIC_UNKNOWN).unwrap_or(IGP_METRIC_UNKNOWN)
            }
        }
    }

    /// What a path's mark says of it.
    pub(crate) fn standing(&self, path: &Path) -> Standing {
        self.channels.of(path.slot()).marks.standing(path.mark())
    }
}

/// How many valid paths in front are the same in both lists; the one at `old` has gone, whatever came in its place.
fn unmoved(before: &[Path], after: &[Path], old: Option<usize>) -> u8 {
    let same = before.iter().zip(after).take(old.unwrap_or(usize::MAX));
    let same = same.take_while(|(b, a)| same_path(Some(b), Some(a)));
    same.filter(|(b, _)| !b.is_filtered()).count().min(usize::from(u8::MAX)) as u8
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
