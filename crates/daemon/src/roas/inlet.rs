//! The import side of a channel to a table of authorisations: what stands there of what it is told.
//!
//! A static protocol and RPKI have one for each channel, a pipe one for each of its
//! directions. Whoever has it runs the filter; here are limits, counters, what is
//! kept although it was rejected, and the lines of `debug`. All is as the table of
//! routes has it (`rib::import`), which is as BIRD has it.

use super::record::Record;
use crate::protocols::Diary;
use crate::world::{Listeners, Whose};
use rib::batch::{Limit, LimitKind};
use rib::limits::Gate;
use rib::stats::ImportStats;
use rib::trace::{Fate, Way};
use route::{AttrSet, ProtocolId, RoaChange, RoaLot, RoaTables, Source};
use std::sync::Arc;

/// What an inlet is to do.
#[derive(Clone)]
pub struct InletSpec {
    /// Whose it is.
    pub protocol: ProtocolId,
    /// The name of that.
    pub name: Arc<str>,
    /// The table that it fills.
    pub into: Arc<str>,
    /// What the channel to that is called.
    pub channel: &'static str,
    /// `import keep filtered`.
    pub keep_filtered: bool,
    /// How many may stand, rejected ones that are kept among them.
    pub receive: Option<Limit>,
    /// How many accepted ones may stand.
    pub import: Option<Limit>,
    /// Who hears that a limit is passed.
    pub listeners: Listeners,
    /// Who is told what becomes of each.
    pub diary: Diary,
}

/// See the head of the file.
pub struct Inlet {
    spec: InletSpec,
    receive: Gate,
    import: Gate,
    /// What has come, and what became of it. Whoever has the inlet counts what the filter rejects.
    pub stats: ImportStats,
    imported: u32,
    filtered: u32,
}

/// What is to stand of an authorisation.
#[derive(Clone, Debug)]
pub enum Wanted {
    /// Nothing: it is withdrawn.
    Nothing,
    /// It, with these attributes.
    Accepted(AttrSet),
    /// Nothing: the filter has rejected it, with these attributes.
    Filtered(AttrSet),
}

/// What stands.
struct Standing<'t> {
    attrs: &'t AttrSet,
    filtered: bool,
    /// It is the best of those that were accepted.
    best: bool,
}

impl Inlet {
    /// One that nothing was told.
    pub fn new(spec: InletSpec) -> Self {
        let (receive, import) = (Gate::new(spec.receive), Gate::new(spec.import));
        Self { spec, receive, import, stats: ImportStats::default(), imported: 0, filtered: 0 }
    }

    /// What it is to do.
    pub const fn spec(&self) -> &InletSpec {
        &self.spec
    }

    /// How many stand, and how many rejected ones are kept.
    pub const fn counts(&self) -> (u32, u32) {
        (self.imported, self.filtered)
    }

    /// Whether the limits were passed: `receive limit`, `import limit`.
    pub fn hits(&self) -> (bool, bool) {
        (self.receive.was_passed(), self.import.was_passed())
    }

    /// Takes over new options. Its limits open again; they are passed at once when more stand than they allow.
    pub fn set_spec(&mut self, spec: InletSpec) {
        (self.receive, self.import) = (Gate::new(spec.receive), Gate::new(spec.import));
        self.spec = spec;
        let (receive, import) = (self.receive.verify(self.imported + self.filtered), self.import.verify(self.imported));
        self.say_passed(LimitKind::Receive, receive);
        self.say_passed(LimitKind::Import, import);
    }

    /// The change into which [`put`](Self::put) writes, of what this source gives.
    pub fn change<K>(&self, source: &Arc<Source>) -> RoaChange<K> {
        let (source, by) = (Arc::clone(source), self.spec.protocol);
        RoaChange { source, by, whole: false, gone: Vec::new(), come: Vec::new(), kept: Vec::new() }
    }

    /// Has one authorisation stand as wanted: counted, judged by the limits, and written into the change.
    ///
    /// `tables` are as they were before the change, in which each authorisation comes once.
    pub fn put<K: Record>(&mut self, tables: &RoaTables, record: K, wanted: Wanted, change: &mut RoaChange<K>) {
        let Some(table) = K::table(tables, &self.spec.into) else { return };
        let lots = record.lots(table);
        let old = self.standing(&lots, K::kept(table), record, &change.source);
        let is_known = !lots.is_empty() || K::kept(table).lots_of(record).next().is_some();
        // An accepted one, and whether it is marked as filtered.
        let mut wanted = match wanted {
            Wanted::Nothing => None,
            Wanted::Accepted(attrs) => Some((attrs, false)),
            Wanted::Filtered(attrs) if self.spec.keep_filtered => Some((attrs, true)),
            // BIRD does not look further when nobody has it.
            Wanted::Filtered(_) if !is_known => return,
            Wanted::Filtered(_) => None,
        };
        match (&old, &wanted) {
            (None, None) => {
                self.stats.withdraws_ignored += 1;
                return;
            }
            (Some(old), Some((attrs, filtered))) if old.filtered == *filtered && old.attrs == attrs => {
                if !filtered {
                    self.stats.updates_ignored += 1;
                    self.trace(Fate::Ignored, &record, &change.source);
                }
                return;
            }
            _ => {}
        }
        let old_stood = old.as_ref().is_some_and(|old| !old.filtered);
        let mut is_blocked = old.is_none() && !self.receives(&record, &change.source);
        if is_blocked {
            return;
        }
        if !old_stood && matches!(wanted, Some((_, false))) && !self.imports(&record, &change.source) {
            is_blocked = true;
            wanted = wanted.filter(|_| self.spec.keep_filtered).map(|(attrs, _)| (attrs, true));
            if old.is_none() && wanted.is_none() {
                return;
            }
        }
        if !is_blocked {
            match &wanted {
                Some((_, false)) => self.stats.updates_accepted += 1,
                _ if old_stood => self.stats.withdraws_accepted += 1,
                _ => self.stats.withdraws_ignored += 1,
            }
        }
        self.count(old.as_ref().map(|old| old.filtered), wanted.as_ref().map(|(_, filtered)| *filtered));
        if let Some(fate) = fate(old.as_ref(), wanted.as_ref(), &lots) {
            self.trace(fate, &record, &change.source);
        }
        match wanted {
            None => change.gone.push(record),
            Some((attrs, false)) => change.come.push((record, attrs)),
            Some((attrs, true)) => change.kept.push((record, attrs)),
        }
    }

    fn standing<'t, K: Record>(
        &self,
        lots: &[&'t RoaLot],
        kept: &'t route::Kept<K>,
        record: K,
        source: &Source,
    ) -> Option<Standing<'t>> {
        let is_ours = |lot: &&RoaLot| lot.source.id == source.id && lot.by == self.spec.protocol;
        if let Some(at) = lots.iter().position(is_ours) {
            let lot = lots.get(at)?;
            return Some(Standing { attrs: &lot.attrs, filtered: false, best: at == 0 });
        }
        let lot = kept.lots_of(record).find(is_ours)?;
        Some(Standing { attrs: &lot.attrs, filtered: true, best: false })
    }

    /// Whether the receive limit lets one more in.
    fn receives<K: Record>(&mut self, record: &K, source: &Source) -> bool {
        let judged = self.receive.admit(self.imported + self.filtered);
        self.say_passed(LimitKind::Receive, judged.tell);
        self.passes(judged.admitted, record, source)
    }

    /// Whether the import limit lets one more in.
    fn imports<K: Record>(&mut self, record: &K, source: &Source) -> bool {
        let judged = self.import.admit(self.imported);
        self.say_passed(LimitKind::Import, judged.tell);
        self.passes(judged.admitted, record, source)
    }

    fn passes<K: Record>(&mut self, is_admitted: bool, record: &K, source: &Source) -> bool {
        if !is_admitted {
            self.stats.updates_ignored += 1;
            self.trace(Fate::IgnoredLimit, record, source);
        }
        is_admitted
    }

    fn say_passed(&self, which: LimitKind, passed: Option<Limit>) {
        if let Some(limit) = passed {
            let InletSpec { protocol, name, listeners, .. } = &self.spec;
            listeners.passed(Whose::Protocol(*protocol), name, which, limit);
        }
    }

    const fn count(&mut self, old: Option<bool>, new: Option<bool>) {
        match new {
            Some(true) => self.filtered += 1,
            Some(false) => self.imported += 1,
            None => {}
        }
        match old {
            Some(true) => self.filtered = self.filtered.saturating_sub(1),
            Some(false) => self.imported = self.imported.saturating_sub(1),
            None => {}
        }
    }

    /// A line for whoever wants to know what becomes of each.
    pub fn trace<K: Record>(&self, fate: Fate, record: &K, source: &Source) {
        self.spec.diary.authority(self.spec.channel, Way::In, fate, &record.net().1, source);
    }
}

/// What a line of `debug` says of a change; nothing of what was rejected and is.
fn fate(old: Option<&Standing<'_>>, wanted: Option<&(AttrSet, bool)>, lots: &[&RoaLot]) -> Option<Fate> {
    let stood = old.filter(|old| !old.filtered);
    match (wanted, stood) {
        (Some((attrs, false)), _) => {
            let was_best = stood.is_some_and(|old| old.best);
            let preference = |attrs: &AttrSet| attrs.local().preference;
            let beats = |lot: &&&RoaLot| {
                let (ours, theirs) = (preference(attrs), preference(&lot.attrs));
                ours > theirs || ours == theirs && was_best
            };
            let is_ours = |lot: &&RoaLot| stood.is_some_and(|old| std::ptr::eq(old.attrs, &lot.attrs));
            let is_best = lots.iter().filter(|lot| !is_ours(lot)).all(|lot| beats(&lot));
            Some(if is_best { Fate::AddedBest } else { Fate::Added })
        }
        (_, None) => None,
        (_, Some(old)) if !old.best => Some(Fate::Removed),
        _ if lots.len() > 1 => Some(Fate::RemovedReplaced),
        _ => Some(Fate::RemovedSole),
    }
}
