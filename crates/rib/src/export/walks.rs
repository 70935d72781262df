//! Walks round a table for members that are fed or refreshed, and what members that are behind want.
//!
//! All that walk use the same pages; see [`Walk`] for who is done when.

use super::advance::{Advance, Signal};
use super::bits::Bits;
use super::group::{Group, Part, Slot};
use super::member::{Member, Walk};
use crate::batch::NetId;

impl Group {
    /// Tells a member everything again by a walk; `enhanced`: between BoRR and EoRR. A walk that runs is finished first.
    pub fn refresh(&mut self, slot: Slot, enhanced: bool, advance: &mut Advance) {
        self.shut = false;
        let Some(member) = self.member_mut(slot) else {
            return;
        };
        if member.walk.is_some() {
            member.refresh_next = Some(enhanced || member.refresh_next == Some(true));
            return;
        }
        begin_refresh(member, slot, enhanced, advance);
        self.list_behind();
    }

    /// A member's outbox is full, or has room again: then it may be time for what waits to be signalled.
    pub fn set_slow(&mut self, slot: Slot, slow: bool, advance: &mut Advance) {
        if let Some(member) = self.member_mut(slot) {
            member.slow = slow;
            say_ends(member, slot, advance);
        }
        self.list_behind();
    }

    /// Whether a page is wanted: somebody walks and can take it.
    pub fn wants_page(&self) -> bool {
        self.walking().any(|m| !m.slow) || (self.rejudging.is_some() && self.members.iter().flatten().any(|m| !m.slow))
    }

    /// Whether pages concern it: somebody walks, or everything is judged again.
    pub fn is_walking(&self) -> bool {
        self.rejudging.is_some() || self.walking().next().is_some()
    }

    fn walking(&self) -> impl Iterator<Item = &Member> {
        self.behind.iter().filter_map(|s| self.member(*s)).filter(|m| m.walk.is_some())
    }

    /// Whether [`wanted`](Self::wanted) names any.
    pub fn wants_rows(&self) -> bool {
        self.behind.iter().filter_map(|s| self.member(*s)).any(|m| !m.slow && !m.dirty.is_empty())
    }

    /// Up to `max` prefixes that members who can take them must be told again.
    pub fn wanted(&self, max: usize) -> Vec<NetId> {
        let mut wanted = Bits::default();
        for slot in &self.behind {
            let Some(member) = self.member(*slot).filter(|m| !m.slow) else {
                continue;
            };
            for id in member.dirty.iter().take(max) {
                wanted.set(id, true);
            }
        }
        if let Some(anew) = self.anew.as_ref().filter(|_| self.members.iter().flatten().any(|m| !m.slow)) {
            for id in anew.nets.iter().take(max) {
                wanted.set(id, true);
            }
        }
        wanted.iter().take(max).collect()
    }

    /// Whether the numbers of prefixes that are gone must not be given again yet: somebody may not have been
    /// told of it.
    pub fn holds_numbers(&self) -> bool {
        self.anew.is_some()
            || self.behind.iter().filter_map(|s| self.member(*s)).any(|m| !m.dirty.is_empty() || m.held.count() > 0)
    }

    /// Whether a member has not been told everything since it joined or a refresh began.
    pub fn is_feeding(&self, slot: Slot) -> bool {
        self.member(slot).is_some_and(|m| m.feeding)
    }

    pub(super) fn list_behind(&mut self) {
        let is_behind = |(_, m): &(usize, &Option<Member>)| m.as_ref().is_some_and(Member::is_behind);
        self.behind = self.members.iter().enumerate().filter(is_behind).map(|(i, _)| Slot(i as u16)).collect();
    }

    /// A page is about to be told: whoever begins to walk begins here.
    pub(super) fn begin_walks(&mut self, part: Part) {
        let Part::Page { from, .. } = part else { return };
        if let Some(walk) = &mut self.rejudging {
            walk.begin(from);
        }
        for slot in self.behind.clone() {
            if let Some(walk) = self.member_mut(slot).and_then(|m| m.walk.as_mut()) {
                walk.begin(from);
            }
        }
    }

    /// Moves walks behind the page and says the ends of those that are complete.
    pub(super) fn end_walks(&mut self, part: Part, advance: &mut Advance) {
        if let (Part::Page { next, .. }, Some(walk)) = (part, &mut self.rejudging)
            && walk.advance(next)
        {
            self.rejudging = None;
        }
        for slot in self.behind.clone() {
            let Some(member) = self.member_mut(slot) else {
                continue;
            };
            if let (Part::Page { next, .. }, Some(walk)) = (part, &mut member.walk)
                && walk.advance(next)
            {
                let walk = member.walk.take();
                if walk.as_ref().is_some_and(|w| w.first) {
                    // What the walk did not find is gone: it is asked for by number, and withdrawn.
                    for id in member.held.nets() {
                        member.dirty.set(id, true);
                    }
                }
                if walk.is_some_and(|w| !w.first && w.enhanced) {
                    member.ends.push(Signal::EndRefresh);
                }
            }
            say_ends(member, slot, advance);
        }
    }
}

/// Says that a walk has ended, once nothing of it is left to be told; then the next one may begin.
fn say_ends(member: &mut Member, slot: Slot, advance: &mut Advance) {
    if member.walk.is_some() || !member.dirty.is_empty() || member.slow {
        return;
    }
    advance.signals.extend(member.ends.drain(..).map(|s| (slot, s)));
    if let Some(enhanced) = member.refresh_next.take() {
        begin_refresh(member, slot, enhanced, advance);
    } else if std::mem::take(&mut member.feeding) {
        advance.fed.push(slot);
    }
}

pub(super) fn begin_refresh(member: &mut Member, slot: Slot, enhanced: bool, advance: &mut Advance) {
    member.walk = Some(Walk::new(false, enhanced));
    member.feeding = true;
    if enhanced {
        advance.signals.push((slot, Signal::BeginRefresh));
    }
}
