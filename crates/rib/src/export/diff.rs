//! What changes for whom: the step from what was told of a prefix to what is to be told.
//!
//! One answer holds for all clean members to which the route is not deaf ground;
//! the others are exceptions, worked out one by one and folded into audiences, so
//! that one run still serves nearly everybody.

use super::advance::Advance;
use super::deaf::{Deaf, Word};
use super::group::{Group, Part, Slot};
use super::member::{Ledger, Offered, Tally};
use super::outs::OutId;
use super::told::Told;
use crate::batch::{ChangeRow, NetId};
use route::Prefix;

/// Something to say of a prefix: the path identifier, and what it is now or that it is gone.
type Say = (u32, Option<OutId>);

/// A route as somebody holds it or should hold it.
type Route = (u32, OutId);

/// Room that is used again from row to row.
#[derive(Debug, Default)]
pub(super) struct Work {
    exceptions: Vec<Slot>,
    held: Vec<Route>,
    target: Vec<Route>,
    pub(super) says: Vec<Say>,
    /// What clean members hear.
    base: Vec<Say>,
    /// What exceptions hear.
    said: Vec<(Say, Slot)>,
    refused: Vec<(u32, Offered)>,
    slots: Vec<Slot>,
    ids: Vec<u32>,
}

impl Work {
    /// Whether the running member holds a route of this path identifier.
    pub(super) fn holds(&self, path_id: u32) -> bool {
        self.held.iter().any(|(p, _)| *p == path_id)
    }
}

/// One row on its way, with what it counts for a clean member.
#[derive(Clone, Copy)]
pub(super) struct Step {
    pub(super) id: NetId,
    pub(super) net: Prefix,
    part: Part,
    /// Something that was told, but not written down, was what is to be told now.
    trusts: bool,
    offered: Offered,
    tally: Tally,
    delta: i64,
}

impl Group {
    /// Says the difference between `self.old` and `self.new`.
    pub(super) fn tell(&mut self, row: &ChangeRow, number: u32, part: Part, offered: Offered, advance: &mut Advance) {
        let delta = self.new.len() as i64 - self.old.len() as i64;
        let trusts = self.comes_to_same.unwrap_or(part != Part::Changes || self.stands);
        self.exported += delta;
        if let Some(deaf) = self.deaf_to_row() {
            self.book(deaf, part, offered, delta);
            return self.say_to_all_but(deaf, trusts, number, advance);
        }
        let tally = self.tally_clean(part, offered);
        if part == Part::Changes {
            self.tally.add(tally, 1);
        }
        let step = Step { id: row.id, net: row.net, part, trusts, offered, tally, delta };
        self.say_to_each(step, number, advance);
    }

    /// What a row counts for a clean member.
    fn tally_clean(&mut self, part: Part, offered: Offered) -> Tally {
        if !self.key().add_path {
            return Tally::of(offered, !self.old.is_empty(), !self.new.is_empty());
        }
        let mut work = std::mem::take(&mut self.work);
        routes(&self.old, &mut work.held);
        routes(&self.new, &mut work.target);
        work.refused.clear();
        work.refused.extend_from_slice(&self.offered.refused);
        let tally = tally_paths(&work, self.offered.newest, part != Part::Changes, false);
        self.work = work;
        tally
    }

    /// Who does not hear what the row says, where there is at most one route before and after, nobody heard the one
    /// and not the other, and nobody is an exception for another reason: nearly always.
    fn deaf_to_row(&self) -> Option<Deaf> {
        if !self.behind.is_empty() || !self.lens.slots.is_empty() || self.key().add_path {
            return None;
        }
        match (&*self.old, &*self.new) {
            ([], []) => Some(Deaf::NOBODY),
            ([word], []) | ([], [word]) => Some(word.deaf),
            ([old], [new]) if old.deaf == new.deaf => Some(new.deaf),
            _ => None,
        }
    }

    /// The short way: who does not hear the row holds nothing of it, and the others hear the same.
    fn say_to_all_but(&mut self, deaf: Deaf, trusts: bool, number: u32, advance: &mut Advance) {
        let out = |words: &[Word]| words.first().map(|w| w.entry.out);
        let say = match (out(&self.old), out(&self.new)) {
            (None, None) => return,
            (Some(old), Some(new)) if is_same(old, new, trusts) => return,
            (_, new) => (0, new),
        };
        let slots = self.deafness.slots(deaf);
        if slots.len() < self.count {
            let audience = advance.audience(true, slots);
            self.put(say, audience, number, advance);
        }
    }

    /// Counts a row that goes the short way.
    fn book(&mut self, deaf: Deaf, part: Part, offered: Offered, delta: i64) {
        if self.ledger.deaf != deaf {
            self.settle_ledger();
            self.ledger.deaf = deaf;
        }
        self.ledger.delta += delta;
        if part == Part::Changes {
            self.ledger.count(offered, !self.old.is_empty(), !self.new.is_empty());
        }
    }

    /// Puts rows that were booked into the counters: into the group's, and for those who did not hear them what they
    /// count for these instead.
    pub(super) fn settle_ledger(&mut self) {
        let Self { ledger, deafness, members, tally, .. } = self;
        let (clean, deaf) = ledger.tallies();
        tally.add(clean, 1);
        for slot in deafness.slots(ledger.deaf) {
            let Some(Some(member)) = members.get_mut(usize::from(slot.0)) else { continue };
            member.exported -= ledger.delta;
            member.own.add(deaf, 1);
            member.own.add(clean, -1);
        }
        *ledger = Ledger::default();
    }

    fn say_to_each(&mut self, step: Step, number: u32, advance: &mut Advance) {
        let mut work = std::mem::take(&mut self.work);
        self.find_exceptions(&mut work);
        self.say_to_clean(step.trusts, &mut work);
        work.said.clear();
        for i in 0..work.exceptions.len() {
            if let Some(slot) = work.exceptions.get(i).copied() {
                self.say_to_exception(slot, step, &mut work);
            }
        }
        self.fold(number, &mut work, advance);
        self.work = work;
    }

    /// Members that are behind or traced, and those deaf to the old or the new routes.
    fn find_exceptions(&self, work: &mut Work) {
        work.exceptions.clear();
        work.exceptions.extend_from_slice(&self.behind);
        work.exceptions.extend_from_slice(&self.lens.slots);
        let mut last = Deaf::NOBODY;
        for word in self.old.iter().chain(&self.new) {
            if word.deaf != last {
                last = word.deaf;
                work.exceptions.extend(self.deafness.slots(word.deaf));
            }
        }
        if work.exceptions.len() > 1 {
            work.exceptions.sort_unstable();
            work.exceptions.dedup();
        }
    }

    fn say_to_clean(&self, trusts: bool, work: &mut Work) {
        work.base.clear();
        if work.exceptions.len() >= self.count {
            return;
        }
        routes(&self.old, &mut work.held);
        routes(&self.new, &mut work.target);
        differences(&work.held, &work.target, trusts, false, &mut work.base);
    }

    fn say_to_exception(&mut self, slot: Slot, step: Step, work: &mut Work) {
        let Step { id, part, .. } = step;
        let Some(member) = self.member(slot) else {
            return;
        };
        let dirty = member.dirty.has(id);
        let ahead = member.walk.as_ref().is_some_and(|w| w.is_ahead(id));
        let first = member.walk.as_ref().is_some_and(|w| w.first);
        let paged = ahead && matches!(part, Part::Page { .. });
        let unreached = ahead && first;
        let lagging = member.is_lagging(id);
        work.held.clear();
        if lagging {
            work.ids.clear();
            member.held.read(id, &mut work.ids);
            work.held.extend(work.ids.iter().map(|p| (*p, OutId::UNKNOWN)));
        } else {
            self.heard(&self.old, slot, &mut work.held);
        }
        work.target.clear();
        self.heard(&self.new, slot, &mut work.target);
        work.says.clear();
        differences(&work.held, &work.target, !lagging && step.trusts, paged, &mut work.says);

        // Ahead of a first walk nothing is said but that a route is gone: the walk would not come past it.
        let leaves = work.target.is_empty() && !work.held.is_empty();
        let due = dirty || paged || leaves || !unreached;
        let speaks = due && !member.slow;
        let (held, told) = (!work.held.is_empty(), !work.target.is_empty());
        let delta = if speaks { work.target.len() as i64 - work.held.len() as i64 } else { 0 };
        let marks = due && member.slow && !dirty && !work.says.is_empty();
        let counts = speaks && (part == Part::Changes || paged || dirty);
        let tally = if counts && self.key().add_path {
            work.refused.clear();
            work.refused.extend_from_slice(&self.offered.refused);
            let deaf = self.new.iter().filter(|w| self.deafness.has(w.deaf, slot));
            work.refused.extend(deaf.map(|w| (w.entry.path_id, Offered::Vetoed)));
            tally_paths(work, self.offered.newest, !lagging && part != Part::Changes, paged)
        } else {
            Tally::of(step.offered, held, told)
        };

        let Some(member) = self.member_mut(slot) else {
            return;
        };
        member.exported += delta - step.delta;
        if counts {
            member.own.add(tally, 1);
        }
        if part == Part::Changes {
            member.own.add(step.tally, -1);
        }
        if member.spec.tracing.is_on() {
            self.trace(slot, step, counts, speaks, work);
        }
        let Some(member) = self.member_mut(slot) else {
            return;
        };
        if speaks {
            if lagging {
                // What is said ahead of a first walk stays noted: the walk has yet to come past it.
                work.ids.clear();
                if unreached && !paged {
                    work.ids.extend(work.target.iter().map(|(path_id, _)| *path_id));
                }
                member.dirty.set(id, false);
                member.held.write(id, &work.ids);
            }
            work.said.extend(work.says.iter().map(|say| (*say, slot)));
        } else if marks {
            member.dirty.set(id, true);
            if !lagging {
                work.ids.clear();
                work.ids.extend(work.held.iter().map(|(path_id, _)| *path_id));
                member.held.write(id, &work.ids);
            }
        }
    }

    /// The routes among `words` that a member hears.
    fn heard(&self, words: &[Word], slot: Slot, into: &mut Vec<Route>) {
        let heard = words.iter().filter(|w| w.deaf == Deaf::NOBODY || !self.deafness.has(w.deaf, slot));
        into.extend(heard.map(|w| (w.entry.path_id, w.entry.out)));
    }

    /// Folds what clean members and exceptions hear into audiences, and puts the prefix into their runs.
    fn fold(&mut self, number: u32, work: &mut Work, advance: &mut Advance) {
        for say in &work.base {
            work.slots.clear();
            let hears = |slot: &Slot| work.said.contains(&(*say, *slot));
            work.slots.extend(work.exceptions.iter().filter(|s| !hears(s)));
            let audience = advance.audience(true, &work.slots);
            self.put(*say, audience, number, advance);
        }
        while let Some((say, _)) = work.said.first().copied() {
            work.slots.clear();
            work.slots.extend(work.said.iter().filter(|(s, _)| *s == say).map(|(_, slot)| *slot));
            work.said.retain(|(s, _)| *s != say);
            if !work.base.contains(&say) {
                let audience = advance.audience(false, &work.slots);
                self.put(say, audience, number, advance);
            }
        }
    }

    fn put(&mut self, (path_id, out): Say, audience: super::Audience, number: u32, advance: &mut Advance) {
        let known = out.and_then(|o| self.outs.bucket(o, audience));
        let bucket = known.unwrap_or_else(|| {
            let bucket = advance.bucket(out, audience, || self.outs.attrs(out?).cloned());
            if let Some(out) = out {
                self.outs.set_bucket(out, audience, bucket);
            }
            bucket
        });
        advance.push(bucket, number, path_id);
    }

    /// Whether each prefix has at most one route, of which only a bit is kept.
    pub(super) fn keeps_bits(&self) -> bool {
        matches!(self.told, Told::Bits(_))
    }
}

/// The routes of words.
fn routes(words: &[Word], into: &mut Vec<Route>) {
    into.clear();
    into.extend(words.iter().map(|w| (w.entry.path_id, w.entry.out)));
}

/// What a row counts with ADD-PATH, for somebody who holds `work.held` and should hold `work.target`.
///
/// A feed (`every`) offers each path. A change offers those that are told or taken
/// back; if none is, it was one of which the neighbour sees nothing, and most
/// likely the `newest`. So a change that comes singly counts one, as in BIRD, and
/// changes that were folded into one row count no more than they would singly.
fn tally_paths(work: &Work, newest: Option<u32>, trusts: bool, every: bool) -> Tally {
    let mut tally = Tally::default();
    let mut changed = false;
    let refused = |id: u32| work.refused.iter().find(|(p, _)| *p == id).map(|(_, kind)| *kind);
    for (id, out) in &work.target {
        let held = work.held.iter().find(|(p, _)| p == id);
        if every || !held.is_some_and(|(_, o)| is_same(*o, *out, trusts)) {
            changed = true;
            tally.add(Tally::of(Offered::Accepted, held.is_some(), true), 1);
        }
    }
    for (id, _) in work.held.iter().filter(|(id, _)| !work.target.iter().any(|(p, _)| p == id)) {
        changed = true;
        tally.add(Tally::of(refused(*id).unwrap_or(Offered::Gone), true, false), 1);
    }
    if every {
        let unheld = work.refused.iter().filter(|(id, _)| !work.holds(*id));
        unheld.for_each(|(_, kind)| tally.add(Tally::of(*kind, false, false), 1));
    } else if !changed {
        let told = newest.is_some_and(|id| work.target.iter().any(|(p, _)| *p == id));
        let kind = newest.map_or(Offered::Gone, |id| refused(id).unwrap_or(Offered::Accepted));
        tally.add(Tally::of(kind, false, told), 1);
    }
    tally
}

/// What to say to somebody who holds one set of routes and should hold another.
///
/// `trusts`: what is held but not known in detail counts as right. `repeats`: say
/// also what is held already.
fn differences(held: &[Route], target: &[Route], trusts: bool, repeats: bool, says: &mut Vec<Say>) {
    for (path_id, out) in target {
        if repeats || !held.iter().any(|(p, o)| p == path_id && is_same(*o, *out, trusts)) {
            says.push((*path_id, Some(*out)));
        }
    }
    for (path_id, _) in held {
        if !target.iter().any(|(p, _)| p == path_id) {
            says.push((*path_id, None));
        }
    }
}

/// Whether what is held is what should be held; `trusts` as in [`differences`].
fn is_same(held: OutId, target: OutId, trusts: bool) -> bool {
    held == target || (trusts && held == OutId::UNKNOWN)
}
