//! Rows of a channel: counted, judged by limits, compared with what stood, and put in place.
//!
//! The counters are BIRD's to the last oddity, so rejected routes come here too.
//! A rejected or invalid announcement withdraws what stood before; for a prefix
//! unknown to the table that counts as one ignored withdrawal. A route above a
//! limit counts as ignored, and with `keep filtered` it stays, marked. An
//! announcement that says what stood before confirms it, keeps its time and
//! counts as ignored.

use crate::batch::{ChannelSpec, ImportBatch, ImportRow, LimitKind, NetId, TableEvent, What};
use crate::channel::{Channel, Standing};
use crate::path::{AttrsId, Path, SlotId};
use crate::pipe::Clash;
use crate::store::Found;
use crate::table::Table;
use crate::trace::Fate;
use filter::{Env, RouteView, Verdict};
use route::{Moment, Prefix, SourceId};

/// What a row wants to stand; `None`: nothing.
pub(crate) type Wanted = Option<Want>;

/// A route that wants to stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Want {
    /// The number of its set.
    pub(crate) attrs: AttrsId,
    /// The import filter rejected it.
    pub(crate) filtered: bool,
    /// How many pipes it has passed.
    pub(crate) pipes: u8,
}

impl Want {
    const fn new(attrs: AttrsId, filtered: bool) -> Self {
        Self { attrs, filtered, pipes: 0 }
    }

    fn is(&self, path: &Path) -> bool {
        (path.attrs, path.is_filtered(), path.pipes()) == (self.attrs, self.filtered, self.pipes)
    }
}

/// What the counters of a channel make of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// Nothing changes.
    Nothing,
    /// Nothing changes: a limit keeps the route back.
    Blocked,
    /// The list of paths changes; this stands then. `blocked`: a limit keeps back what was wanted.
    Change { wanted: Wanted, blocked: bool },
}

/// What becomes of the path of a slot.
enum Weighed {
    /// It stays as it is.
    Leave,
    /// It stays, confirmed.
    Confirm(Path),
    /// This one comes in its place, or none.
    Place(Option<Path>),
}

/// A batch of which some rows have yet to be taken in. Its sets are held until all are.
#[derive(Debug)]
pub(crate) struct Importing {
    at: u32,
    rows: Vec<ImportRow>,
    palette: Vec<AttrsId>,
    next: usize,
}

impl Table {
    /// Begins to take in a batch of a channel that is up.
    pub(crate) fn import(&mut self, at: u32, batch: ImportBatch, now: Moment) {
        let Self { core, .. } = self;
        core.sets.fetch(&batch.palette);
        let palette = batch.palette.iter().map(|set| core.sets.intern(set, &mut core.hops)).collect();
        self.answer_new_hops(now);
        self.importing = Some(Importing { at, rows: batch.rows, palette, next: 0 });
    }

    /// Takes in up to so many further rows of the batch that was begun. `true`: some are left.
    pub fn go_on(&mut self, rows_max: usize, now: Moment, events: &mut Vec<TableEvent>) -> bool {
        let Some(mut importing) = self.importing.take() else { return false };
        let Importing { at, rows, palette, next } = &mut importing;
        let rest = rows.get(*next..).unwrap_or_default();
        let part = rest.get(..rows_max).unwrap_or(rest);
        let mut found = std::mem::take(&mut self.found);
        self.nets.find_all(part, &mut found);
        let mut last: Option<(SourceId, SlotId)> = None;
        for (row, found) in part.iter().zip(&found) {
            let slot = match last {
                Some((source, slot)) if source == row.source => Some(slot),
                _ => self.channels.slot_of(*at, row.source),
            };
            last = slot.map(|slot| (row.source, slot));
            self.import_row(*at, slot, row, *found, palette, now, events);
        }
        self.found = found;
        *next += part.len();
        if *next < rows.len() {
            self.importing = Some(importing);
            return true;
        }
        for id in importing.palette {
            self.core.sets.drop(id, &mut self.core.hops);
        }
        false
    }

    #[expect(clippy::too_many_arguments, reason = "the row and the five things that its batch shares")]
    fn import_row(
        &mut self,
        at: u32,
        slot: Option<SlotId>,
        row: &ImportRow,
        found: Found,
        palette: &[AttrsId],
        now: Moment,
        events: &mut Vec<TableEvent>,
    ) {
        let Some(channel) = self.channels.get_mut(at) else { return };
        let mut wanted = count_arrival(channel, row.what, palette);
        let Some(slot) = slot else {
            if wanted.is_none()
                && let Some(channel) = self.channels.get_mut(at)
            {
                channel.stats.withdraws_ignored += 1;
            }
            return;
        };
        match row.what {
            What::Filtered(n) => self.trace_row(slot, Fate::FilteredOut, row.net, palette, n),
            What::Invalid(n) => self.trace_row(slot, Fate::Invalid, row.net, palette, n),
            What::Announce(_) | What::Withdraw => {}
        }
        let made = self.judge_late(at, slot, row.net, &mut wanted, now, events);
        self.put(at, slot, row.net, found, wanted, now, events);
        if let Some(made) = made {
            self.core.sets.drop(made, &mut self.core.hops);
        }
    }

    fn trace_row(&mut self, slot: SlotId, fate: Fate, net: Prefix, palette: &[AttrsId], n: u32) {
        if let Some(attrs) = palette.get(n as usize) {
            self.trace(slot, fate, net, *attrs);
        }
    }

    /// Runs the import filter that had to wait for the resolved next hop. Returns the set that it made, held once.
    fn judge_late(
        &mut self,
        at: u32,
        slot: SlotId,
        net: Prefix,
        wanted: &mut Wanted,
        now: Moment,
        events: &mut Vec<TableEvent>,
    ) -> Option<AttrsId> {
        let channel = self.channels.get(at)?;
        let (filter, &mut Some(Want { attrs, filtered: false, .. })) =
            (channel.spec.late_filter.clone()?, &mut *wanted)
        else {
            return None;
        };
        let hop = self.core.hops.resolved(self.core.sets.facts(attrs).hop);
        let route = RouteView {
            roa: None,
            net,
            attrs: self.core.sets.set(attrs)?,
            source: &self.channels.slot(slot).source,
            resolved: Some(&hop.to),
            igp_metric: hop.igp_metric,
        };
        let outcome = filter.run(&mut self.filters, route, Env { ifaces: &self.core.ifaces, roas: &self.roas });
        let channel = channel.id;
        events.extend(outcome.printed.into_iter().map(|text| TableEvent::Printed { channel, text }));
        events.extend(outcome.error.map(|text| TableEvent::Log { channel, text }));
        let made = outcome.attrs.map(|set| self.core.sets.intern(&set, &mut self.core.hops));
        self.answer_new_hops(now);
        let attrs = made.unwrap_or(attrs);
        *wanted = Some(Want::new(attrs, false));
        if outcome.verdict == Verdict::Reject
            && let Some(channel) = self.channels.get_mut(at)
        {
            channel.stats.updates_filtered += 1;
            *wanted = channel.spec.keep_filtered.then_some(Want::new(attrs, true));
            self.trace(slot, Fate::FilteredOut, net, attrs);
        }
        made
    }

    /// Makes `wanted` stand for a slot and a prefix, in place of what stood.
    ///
    /// What was `found` may be older than the batch: an earlier row of it may have given the prefix its number.
    #[expect(clippy::too_many_arguments, reason = "who, where, what, when, and whom to tell")]
    pub(crate) fn put(
        &mut self,
        at: u32,
        slot: SlotId,
        net: Prefix,
        found: Found,
        wanted: Wanted,
        now: Moment,
        events: &mut Vec<TableEvent>,
    ) {
        let given = match wanted {
            Some(_) => self.nets.find_or_give(&net, found),
            None => self.nets.find_again(&net, found).map(|id| (id, false)),
        };
        let Some((id, is_new)) = given else {
            self.weigh(at, slot, net, None, None, now, events);
            return;
        };
        // Nothing stands, or only what this slot said before: nearly all rows of a feed.
        let is_shared = self.channels.slot(slot).is_shared;
        let alone = self.nets.only(id).filter(|only| !is_shared && (only.is_vacant() || only.slot() == slot));
        let placed = match alone {
            Some(only) => self.put_alone(at, slot, net, id, only, wanted, now, events),
            None => self.put_among(at, slot, net, id, wanted, now, events),
        };
        if is_new && !placed {
            self.nets.remove(id);
        }
    }

    /// The same for a prefix of which nobody else says anything. `false`: the same path stands as before.
    #[expect(clippy::too_many_arguments, reason = "who, where, what, when, and whom to tell")]
    #[inline]
    fn put_alone(
        &mut self,
        at: u32,
        slot: SlotId,
        net: Prefix,
        id: NetId,
        only: Path,
        wanted: Wanted,
        now: Moment,
        events: &mut Vec<TableEvent>,
    ) -> bool {
        let old = (!only.is_vacant()).then_some(only);
        match self.weigh(at, slot, net, old, wanted, now, events) {
            Weighed::Place(new) => {
                self.settle_alone(id, &net, old, new);
                true
            }
            Weighed::Confirm(same) => {
                self.nets.set_first(id, same);
                false
            }
            Weighed::Leave => false,
        }
    }

    /// The same for a prefix with paths of others. `false`: the same paths stand as before.
    #[expect(clippy::too_many_arguments, reason = "who, where, what, when, and whom to tell")]
    fn put_among(
        &mut self,
        at: u32,
        slot: SlotId,
        net: Prefix,
        id: NetId,
        wanted: Wanted,
        now: Moment,
        events: &mut Vec<TableEvent>,
    ) -> bool {
        let mut paths = std::mem::take(&mut self.scratch);
        self.nets.read(id, &mut paths);
        if self.channels.slot(slot).is_shared
            && let Some(other) = self.other_way(slot, &paths)
        {
            if let Some(wanted) = wanted {
                // What has passed no pipe is where the route began: this one went round a circle.
                let circle = wanted.pipes > 0 && other.pipes() == 0;
                let what = if circle { Clash::Loop } else { Clash::Collision };
                self.say_clash(at, what, net, now, events);
            }
            self.scratch = paths;
            return false;
        }
        let at_place = paths.iter().position(|p| p.slot() == slot);
        let old = at_place.map(|n| paths[n]);
        match self.weigh(at, slot, net, old, wanted, now, events) {
            Weighed::Place(new) => {
                self.settle(id, paths, at_place, new);
                return true;
            }
            Weighed::Confirm(same) => {
                if let Some(place) = at_place.and_then(|n| paths.get_mut(n)) {
                    *place = same;
                    self.nets.write(id, &paths);
                }
            }
            Weighed::Leave => {}
        }
        self.scratch = paths;
        false
    }

    /// What a slot wants to stand against `old`, which stands: counted, judged by the limits, traced.
    #[expect(clippy::too_many_arguments, reason = "who, where, what, when, and whom to tell")]
    #[inline]
    fn weigh(
        &mut self,
        at: u32,
        slot: SlotId,
        net: Prefix,
        old: Option<Path>,
        wanted: Wanted,
        now: Moment,
        events: &mut Vec<TableEvent>,
    ) -> Weighed {
        let Some(channel) = self.channels.get_mut(at) else { return Weighed::Leave };
        let living = old.filter(|p| channel.marks.standing(p.mark()) != Standing::Dead);
        if let (Some(mut same), Some(want)) = (living, wanted)
            && want.is(&same)
        {
            let mark = channel.marks.give();
            let is_marked = same.mark() == mark;
            same.set_mark(mark);
            if !want.filtered {
                channel.stats.updates_ignored += 1;
                self.trace(slot, Fate::Ignored, net, want.attrs);
            }
            return if is_marked { Weighed::Leave } else { Weighed::Confirm(same) };
        }
        let outcome = count_change(channel, living.as_ref(), wanted, events);
        if let (Outcome::Blocked | Outcome::Change { blocked: true, .. }, Some(want)) = (outcome, wanted) {
            self.trace(slot, Fate::IgnoredLimit, net, want.attrs);
        }
        let (Outcome::Change { wanted, .. }, Some(channel)) = (outcome, self.channels.get_mut(at)) else {
            return Weighed::Leave;
        };
        let path = |w: Want| Path::new(slot, w.attrs, channel.marks.give(), w.filtered, now).with_pipes(w.pipes);
        Weighed::Place(wanted.map(path))
    }

    /// The path of the same source that another channel brought.
    fn other_way(&self, slot: SlotId, paths: &[Path]) -> Option<Path> {
        let source = self.channels.slot(slot).source.id;
        let other = |p: &&Path| p.slot() != slot && self.channels.slot(p.slot()).source.id == source;
        paths.iter().find(other).copied()
    }

    /// Removes the path at a place of a prefix, or puts another set in its stead, for the table's own reasons.
    pub(crate) fn put_own(&mut self, id: NetId, paths: Vec<Path>, old: usize, new: Option<Path>) {
        self.count_own(&paths[old], new);
        self.settle(id, paths, Some(old), new);
    }

    /// Counts that a path is removed or replaced for the table's own reasons, when it still counts.
    #[inline]
    pub(crate) fn count_own(&mut self, path: &Path, new: Option<Path>) {
        let at = self.channels.slot(path.slot()).channel;
        if let Some(channel) = self.channels.get_mut(at)
            && channel.marks.standing(path.mark()) != Standing::Dead
        {
            count_standing(channel, Some(path), new.map(|p| p.is_filtered()));
            match new {
                Some(new) if !new.is_filtered() => channel.stats.updates_accepted += 1,
                _ if !path.is_filtered() => channel.stats.withdraws_accepted += 1,
                _ => channel.stats.withdraws_ignored += 1,
            }
        }
    }

    /// New options of a channel that is up.
    pub(crate) fn reconfigure(&mut self, at: u32, spec: ChannelSpec, events: &mut Vec<TableEvent>) {
        let Some(channel) = self.channels.get_mut(at) else { return };
        channel.configure(spec);
        let (imported, filtered) = (channel.counts.imported, channel.counts.filtered);
        let receive = channel.receive.verify(imported + filtered);
        let import = channel.import.verify(imported);
        for (which, limit) in [(LimitKind::Receive, receive), (LimitKind::Import, import)] {
            if let Some(limit) = limit {
                let (channel, generation) = (channel.id, channel.generation);
                events.push(TableEvent::Limit { channel, generation, which, limit });
            }
        }
    }
}

/// Counts a row as it comes in and says what it wants to stand.
#[inline]
fn count_arrival(channel: &mut Channel, what: What, palette: &[AttrsId]) -> Wanted {
    let stats = &mut channel.stats;
    let set = |n: u32| palette.get(n as usize).copied();
    match what {
        What::Announce(n) => {
            stats.updates_received += 1;
            set(n).map(|attrs| Want::new(attrs, false))
        }
        What::Filtered(n) => {
            stats.updates_received += 1;
            stats.updates_filtered += 1;
            set(n).filter(|_| channel.spec.keep_filtered).map(|attrs| Want::new(attrs, true))
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
    }
}

/// Judges a change by the limits and counts it. `old` is what stands and lives.
#[inline]
fn count_change(channel: &mut Channel, old: Option<&Path>, wanted: Wanted, events: &mut Vec<TableEvent>) -> Outcome {
    if old.is_none() && wanted.is_none() {
        channel.stats.withdraws_ignored += 1;
        return Outcome::Nothing;
    }
    let (id, generation) = (channel.id, channel.generation);
    let mut tell = |which, limit: Option<crate::batch::Limit>| {
        events.extend(limit.map(|limit| TableEvent::Limit { channel: id, generation, which, limit }));
    };
    let counts = channel.counts;
    if old.is_none() && wanted.is_some() {
        let judged = channel.receive.admit(counts.imported + counts.filtered);
        tell(LimitKind::Receive, judged.tell);
        if !judged.admitted {
            channel.stats.updates_ignored += 1;
            return Outcome::Blocked;
        }
    }
    let old_valid = old.is_some_and(|p| !p.is_filtered());
    let mut wanted = wanted;
    let mut blocked = false;
    if !old_valid && wanted.is_some_and(|w| !w.filtered) {
        let judged = channel.import.admit(counts.imported);
        tell(LimitKind::Import, judged.tell);
        if !judged.admitted {
            channel.stats.updates_ignored += 1;
            wanted = wanted.filter(|_| channel.spec.keep_filtered).map(|w| Want { filtered: true, ..w });
            if old.is_none() && wanted.is_none() {
                return Outcome::Blocked;
            }
            blocked = true;
        }
    }
    if !blocked {
        match wanted {
            Some(Want { filtered: false, .. }) => channel.stats.updates_accepted += 1,
            _ if old_valid => channel.stats.withdraws_accepted += 1,
            _ => channel.stats.withdraws_ignored += 1,
        }
    }
    count_standing(channel, old, wanted.map(|w| w.filtered));
    Outcome::Change { wanted, blocked }
}

/// Counts what stands: `old` goes, and what comes is filtered or not.
#[inline]
fn count_standing(channel: &mut Channel, old: Option<&Path>, new_filtered: Option<bool>) {
    let counts = &mut channel.counts;
    match new_filtered {
        Some(true) => counts.filtered += 1,
        Some(false) => counts.imported += 1,
        None => {}
    }
    match old.map(Path::is_filtered) {
        Some(true) => counts.filtered -= 1,
        Some(false) => counts.imported -= 1,
        None => {}
    }
}
