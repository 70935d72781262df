//! A group: its members, what it told, and how a batch passes through it.

use super::advance::{Advance, Signal};
use super::bits::Bits;
use super::judge::{Judge, Offer};
use super::key::{GroupKey, MemberId, MemberSpec};
use super::member::{Held, Member, Moved, Offered, Tally, Walk};
use super::outs::{OutId, Outs};
use super::told::{self, Entry, Told};
use super::traced::{self, Lens};
use super::{ExportVerdict, Judged};
use crate::batch::{ChangeBatch, ChangeRow, Limit, LimitAction, NetId, Path};
use crate::query::NetView;
use crate::stats::ExportStats;
use crate::trace::Traces;
use filter::Memory;
use hashbrown::HashMap;
use route::{Ifaces, ProtocolId, RoaTables};
use std::net::IpAddr;
use std::sync::Arc;

/// The place of a member in its group. Given again after the member has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(pub u16);

/// Which part of the table a batch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// A batch of the journal.
    Changes,
    /// All prefixes with numbers from `from` to before `next`, or to the last one.
    Page {
        /// The first number that the page covers.
        from: NetId,
        /// The first number behind the page; `None` when it reaches the end.
        next: Option<NetId>,
    },
    /// Prefixes that were asked for by [`Group::wanted`].
    Asked,
}

/// A set of members that do not hear a route: a number in [`Group::deaf`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Deaf(pub(super) u32);

impl Deaf {
    pub(super) const NOBODY: Self = Self(0);
}

/// A route for the neighbours, and who of them does not hear it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) entry: Entry,
    pub(super) deaf: Deaf,
}

/// Peers that are told the same.
pub struct Group {
    judge: Judge,
    pub(super) members: Vec<Option<Member>>,
    /// How many members there are.
    pub(super) count: usize,
    pub(super) told: Told,
    pub(super) outs: Outs,
    by_protocol: HashMap<ProtocolId, Vec<Slot>>,
    by_addr: HashMap<IpAddr, Vec<Slot>>,
    pub(super) deaf: Vec<Vec<Slot>>,
    deaf_numbers: HashMap<Vec<Slot>, Deaf>,
    last_deaf: Option<(Option<ProtocolId>, OutId, Deaf)>,
    /// Members that are behind, in order.
    pub(super) behind: Vec<Slot>,
    pub(super) tally: Tally,
    pub(super) exported: i64,
    memo: Memo,
    pub(super) old: Vec<Word>,
    pub(super) new: Vec<Word>,
    /// Accepted paths that the only member may not hear.
    unheard: Vec<Word>,
    scratch: Vec<Entry>,
    pub(super) work: super::diff::Work,
    /// Links or addresses changed: all prefixes are judged again.
    rejudging: Option<Walk>,
    /// What the running row offers path by path (ADD-PATH).
    pub(super) offered: Paths,
    /// A blocking export limit was reached: no further prefix is told until a refresh.
    shut: bool,
    /// It kept the running row back.
    pub(super) keeps_back: bool,
    /// Who is traced.
    pub(super) lens: Lens,
    pub(super) traces: Traces,
}

/// The paths of a row that nobody is told, and the one that changed last.
#[derive(Debug, Default)]
pub(super) struct Paths {
    pub(super) refused: Vec<(u32, Offered)>,
    pub(super) newest: Option<u32>,
}

/// Judgements of the running batch, by the number of the attribute set in its palette.
#[derive(Debug, Default)]
pub(super) struct Memo {
    heads: Vec<u32>,
    all: Vec<Known>,
}

#[derive(Debug)]
struct Known {
    source: u32,
    hop: u32,
    results: Memory<Result<OutId, ExportVerdict>>,
    next: u32,
}

const NONE: u32 = u32::MAX;

impl Memo {
    fn clear(&mut self, palette: usize) {
        self.all.clear();
        self.heads.clear();
        self.heads.resize(palette, NONE);
    }

    /// What is known of paths with the attributes, source and next hop of this one.
    fn of(&mut self, path: &Path) -> Option<&mut Memory<Result<OutId, ExportVerdict>>> {
        let head = self.heads.get_mut(path.attrs as usize)?;
        let mut at = *head;
        while let Some(known) = self.all.get(at as usize) {
            if known.source == path.source && known.hop == path.hop {
                break;
            }
            at = known.next;
        }
        if at == NONE {
            at = self.all.len() as u32;
            self.all.push(Known { source: path.source, hop: path.hop, results: Memory::default(), next: *head });
            *head = at;
        }
        self.all.get_mut(at as usize).map(|known| &mut known.results)
    }
}

impl Group {
    /// A group without members.
    pub fn new(key: Arc<GroupKey>, ifaces: Arc<Ifaces>) -> Self {
        let told = if key.add_path { Told::Paths(told::Paths::default()) } else { Told::Bits(Bits::default()) };
        Self {
            judge: Judge::new(key, ifaces),
            members: Vec::new(),
            count: 0,
            told,
            outs: Outs::default(),
            by_protocol: HashMap::new(),
            by_addr: HashMap::new(),
            deaf: vec![Vec::new()],
            deaf_numbers: HashMap::new(),
            last_deaf: None,
            behind: Vec::new(),
            tally: Tally::default(),
            exported: 0,
            memo: Memo::default(),
            old: Vec::new(),
            new: Vec::new(),
            unheard: Vec::new(),
            scratch: Vec::new(),
            work: super::diff::Work::default(),
            rejudging: None,
            offered: Paths::default(),
            shut: false,
            keeps_back: false,
            lens: Lens::default(),
            traces: Traces::default(),
        }
    }

    /// What its members share.
    pub fn key(&self) -> &Arc<GroupKey> {
        self.judge.key()
    }

    /// Whether a further member may join: with `secondary` or a blocking export limit a member is told
    /// what depends on itself, so it stays alone.
    pub fn is_open(&self) -> bool {
        let alone = |m: &Member| is_blocking(&m.spec);
        !self.key().secondary && self.members.len() < usize::from(u16::MAX) && !self.members.iter().flatten().any(alone)
    }

    /// Whether a member with this of its own may share a group with others.
    pub fn is_sociable(key: &GroupKey, spec: &MemberSpec) -> bool {
        !key.secondary && !is_blocking(spec)
    }

    /// Whether a member has not been told everything since it joined or a refresh began.
    pub fn is_feeding(&self, slot: Slot) -> bool {
        self.member(slot).is_some_and(|m| m.feeding)
    }

    /// How many members there are.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether nobody is left.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The members.
    pub fn members(&self) -> impl Iterator<Item = (Slot, MemberId, &MemberSpec)> {
        self.members.iter().enumerate().filter_map(|(i, m)| m.as_ref().map(|m| (Slot(i as u16), m.id, &m.spec)))
    }

    /// A new member, to be fed by a walk. `moved`: what it brings from another group of the same table.
    /// At the end of the walk `end` is signalled, if there is one.
    pub fn join(&mut self, id: MemberId, spec: MemberSpec, moved: Option<Moved>, end: Option<Signal>) -> Slot {
        if self.count > 0 {
            self.told.make_exact();
        }
        let Moved { held, tally: mut own } = moved.unwrap_or_else(|| Moved::nothing(self.key().add_path));
        own.add(self.tally, -1);
        let slot = match self.members.iter().position(Option::is_none) {
            Some(free) => Slot(free as u16),
            None => {
                self.members.push(None);
                Slot((self.members.len() - 1) as u16)
            }
        };
        self.by_protocol.entry(spec.protocol).or_default().push(slot);
        self.by_addr.entry(spec.peer_addr).or_default().push(slot);
        let member = Member {
            id,
            spec,
            walk: Some(Walk::new(true, false)),
            feeding: true,
            refresh_next: None,
            slow: false,
            dirty: Bits::default(),
            exported: held.count() as i64 - self.exported,
            held,
            ends: end.into_iter().collect(),
            own,
            over_limit: false,
            traced: traced::Told::default(),
        };
        if let Some(place) = self.members.get_mut(usize::from(slot.0)) {
            *place = Some(member);
        }
        self.count += 1;
        self.forget_deaf();
        self.list_behind();
        self.list_traced();
        slot
    }

    /// A member leaves. If it `moves` to another group of the same table: what it takes there.
    pub fn leave(&mut self, slot: Slot, moves: bool) -> Option<Moved> {
        let held = if moves { self.held_by(slot) } else { None };
        let member = self.members.get_mut(usize::from(slot.0))?.take()?;
        for slots in [self.by_protocol.get_mut(&member.spec.protocol), self.by_addr.get_mut(&member.spec.peer_addr)] {
            slots.into_iter().for_each(|s| s.retain(|s| *s != slot));
        }
        self.by_protocol.retain(|_, s| !s.is_empty());
        self.by_addr.retain(|_, s| !s.is_empty());
        self.count -= 1;
        self.forget_deaf();
        self.list_behind();
        self.list_traced();
        let mut tally = member.own;
        tally.add(self.tally, 1);
        Some(Moved { held: held?, tally })
    }

    /// All that a member's peer was told and not told to forget.
    fn held_by(&mut self, slot: Slot) -> Option<Held> {
        let mut held = Held::new(self.key().add_path);
        let member = self.member(slot)?;
        let mut lagging: Vec<(NetId, Vec<u32>)> = Vec::new();
        for id in member.held.nets() {
            let mut ids = Vec::new();
            member.held.read(id, &mut ids);
            lagging.push((id, ids));
        }
        for id in self.told.nets() {
            if self.member(slot)?.is_lagging(id) {
                continue;
            }
            self.read_old(id);
            let ids: Vec<u32> =
                self.old.iter().filter(|w| !self.is_deaf(w.deaf, slot)).map(|w| w.entry.path_id).collect();
            held.write(id, &ids);
        }
        for (id, ids) in lagging {
            held.write(id, &ids);
        }
        Some(held)
    }

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

    /// A new export limit for a member. `false`: it can only have that in a group of its own, by joining again.
    pub fn set_limit(&mut self, slot: Slot, limit: Option<Limit>) -> bool {
        let alone = self.count == 1;
        let Some(member) = self.member_mut(slot) else { return true };
        if !alone && limit.is_some_and(|l| l.action == LimitAction::Block) {
            return false;
        }
        member.spec.export_limit = limit;
        member.over_limit = false;
        true
    }

    /// New links and addresses. Where a judgement may be another one now, all prefixes are judged again by a
    /// walk, which says only what is new; a group of one, which has not kept what it told, says all.
    pub fn set_ifaces(&mut self, ifaces: Arc<Ifaces>, advance: &mut Advance) {
        let concerned = self.judge.reads_of(&ifaces) != self.judge.reads_of(self.judge.ifaces());
        self.judge.set_ifaces(ifaces);
        if !concerned {
            return;
        }
        if !self.keeps_bits() {
            self.rejudging = Some(Walk::new(false, false));
            return;
        }
        for n in 0..self.members.len() {
            let slot = Slot(n as u16);
            match self.member_mut(slot) {
                Some(member) if member.walk.is_some() => {
                    member.refresh_next.get_or_insert(false);
                }
                Some(member) => begin_refresh(member, slot, false, advance),
                None => {}
            }
        }
        self.list_behind();
    }

    /// New ROA tables: they count for what is judged from now on, as in BIRD.
    pub fn set_roas(&mut self, roas: Arc<RoaTables>) {
        self.judge.set_roas(roas);
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
        wanted.iter().take(max).collect()
    }

    /// Whether the numbers of prefixes that are gone must not be given again yet: somebody may not have been
    /// told of it.
    pub fn holds_numbers(&self) -> bool {
        self.behind.iter().filter_map(|s| self.member(*s)).any(|m| !m.dirty.is_empty() || m.held.count() > 0)
    }

    /// Counters of a member, and how many routes its peer holds.
    pub fn stats(&self, slot: Slot) -> Option<(ExportStats, u32)> {
        let member = self.member(slot)?;
        let mut tally = member.own;
        tally.add(self.tally, 1);
        Some((tally.stats(), u32::try_from(member.exported + self.exported).unwrap_or(0)))
    }

    /// All paths of these prefixes judged for a member, in their order.
    pub fn explain(&mut self, slot: Slot, nets: &[NetView]) -> Vec<Judged> {
        let Some(spec) = self.member(slot).map(|m| m.spec.clone()) else {
            return Vec::new();
        };
        let paths = nets.iter().flat_map(|n| n.paths.iter().map(move |p| (n.net, p)));
        let judged = paths.map(|(net, p)| {
            let mut judged = self.judge.explain(&Offer { net, attrs: &p.attrs, source: &p.source, hop: &p.hop });
            if p.source.protocol == spec.protocol {
                judged.verdict = ExportVerdict::Vetoed;
            }
            judged
        });
        let judged = judged.collect();
        // What a look of the operator prints was not said about a route on its way.
        self.judge.take_remarks();
        judged
    }

    pub(super) fn ifaces(&self) -> &Ifaces {
        self.judge.ifaces()
    }

    pub(super) fn member(&self, slot: Slot) -> Option<&Member> {
        self.members.get(usize::from(slot.0))?.as_ref()
    }

    pub(super) fn member_mut(&mut self, slot: Slot) -> Option<&mut Member> {
        self.members.get_mut(usize::from(slot.0))?.as_mut()
    }

    pub(super) fn is_deaf(&self, deaf: Deaf, slot: Slot) -> bool {
        self.deaf.get(deaf.0 as usize).is_some_and(|d| d.contains(&slot))
    }

    fn list_behind(&mut self) {
        let is_behind = |(_, m): &(usize, &Option<Member>)| m.as_ref().is_some_and(Member::is_behind);
        self.behind = self.members.iter().enumerate().filter(is_behind).map(|(i, _)| Slot(i as u16)).collect();
    }

    fn forget_deaf(&mut self) {
        self.deaf = vec![Vec::new()];
        self.deaf_numbers.clear();
        self.last_deaf = None;
    }

    /// Who does not hear a route: the protocol that gave it, and whoever is its next hop.
    fn deaf_to(&mut self, protocol: Option<ProtocolId>, out: OutId) -> Deaf {
        if let Some((p, o, deaf)) = self.last_deaf
            && p == protocol
            && o == out
        {
            return deaf;
        }
        let givers = protocol.and_then(|p| self.by_protocol.get(&p));
        let hops = self.outs.next_hop(out).and_then(|a| self.by_addr.get(&a));
        let deaf = if givers.is_none() && hops.is_none() {
            Deaf::NOBODY
        } else {
            let mut slots: Vec<Slot> = givers.into_iter().chain(hops).flatten().copied().collect();
            slots.sort_unstable();
            slots.dedup();
            let next = Deaf(self.deaf.len() as u32);
            let deaf = *self.deaf_numbers.entry(slots.clone()).or_insert(next);
            if deaf == next {
                self.deaf.push(slots);
            }
            deaf
        };
        self.last_deaf = Some((protocol, out, deaf));
        deaf
    }

    /// Judges a path, once for each attribute set where that is enough.
    fn judged(&mut self, batch: &ChangeBatch, row: &ChangeRow, path: &Path) -> Result<OutId, ExportVerdict> {
        let parts = (
            batch.palette.get(path.attrs as usize),
            batch.sources.get(path.source as usize),
            batch.hops.get(path.hop as usize),
        );
        let (Some(attrs), Some(source), Some(hop)) = parts else {
            return Err(ExportVerdict::Vetoed);
        };
        let offer = Offer { net: row.net, attrs, source, hop };
        let Some(memory) = self.memo.of(path) else {
            return Err(ExportVerdict::Vetoed);
        };
        if let Some(known) = self.judge.recall(memory, &offer) {
            return *known;
        }
        let result = self.judge.outgoing(&offer).map(|set| self.outs.intern(set));
        self.judge.keep(memory, result);
        result
    }

    /// Reads into `self.old` what was told of a prefix.
    pub(super) fn read_old(&mut self, id: NetId) {
        self.scratch.clear();
        self.told.read(id, &mut self.scratch);
        self.old.clear();
        for i in 0..self.scratch.len() {
            let Some(entry) = self.scratch.get(i).copied() else {
                break;
            };
            let deaf = self.deaf_to(entry.protocol, entry.out);
            self.old.push(Word { entry, deaf });
        }
    }

    /// Judges the paths of a row into `self.new`: what is to be told of the prefix. Returns what the row offers.
    fn judge_row(&mut self, batch: &ChangeBatch, row: &ChangeRow) -> Offered {
        self.new.clear();
        self.unheard.clear();
        let (all, next_best) = (self.key().add_path, self.key().secondary);
        let mut offered = Offered::Gone;
        self.lens.seen.clear();
        self.offered.refused.clear();
        let newest = batch.paths_of(row).iter().filter(|_| all).max_by_key(|p| p.since);
        self.offered.newest = newest.and_then(|p| batch.sources.get(p.source as usize)).map(|s| s.id.0);
        let traced = !self.lens.slots.is_empty();
        for path in batch.paths_of(row) {
            let source = batch.sources.get(path.source as usize);
            let path_id = if all { source.map_or(0, |s| s.id.0) } else { 0 };
            match self.judged(batch, row, path) {
                Ok(out) => {
                    let protocol = source.map(|s| s.protocol);
                    let deaf = self.deaf_to(protocol, out);
                    if traced {
                        self.see(batch, path, path_id, Ok(deaf));
                    }
                    // Alone in its group: what it may not hear is not the group's word either.
                    let is_unheard = self.keeps_bits() && deaf != Deaf::NOBODY;
                    let word = Word { entry: Entry { path_id, out, protocol }, deaf };
                    offered = if is_unheard { Offered::Vetoed } else { Offered::Accepted };
                    let words = if is_unheard { &mut self.unheard } else { &mut self.new };
                    words.push(word);
                    if !(all || next_best && is_unheard) {
                        break;
                    }
                }
                Err(refused) => {
                    if traced {
                        self.see(batch, path, path_id, Err(refused));
                    }
                    let kind = if refused == ExportVerdict::Filtered { Offered::Filtered } else { Offered::Vetoed };
                    if offered != Offered::Accepted {
                        offered = kind;
                    }
                    if all {
                        self.offered.refused.push((path_id, kind));
                    }
                    if !all && !next_best {
                        break;
                    }
                }
            }
        }
        offered
    }

    /// Takes a batch and writes what is to be said into `advance`, which is cleared first.
    pub fn take(&mut self, batch: &ChangeBatch, part: Part, advance: &mut Advance) {
        advance.clear();
        // What lasts no longer than a batch lies in the room of whoever owns many groups.
        let is_alone = self.keeps_bits();
        self.lend(is_alone, advance);
        self.judge_and_tell(batch, part, advance);
        self.lend(is_alone, advance);
    }

    /// Exchanges room with `advance`; of a group of one that is all that it knows of sets, for no row names them.
    fn lend(&mut self, is_alone: bool, advance: &mut Advance) {
        std::mem::swap(&mut self.memo, &mut advance.memo);
        if is_alone {
            std::mem::swap(&mut self.outs, &mut advance.outs);
        } else {
            self.outs.lend(&mut advance.outs);
        }
    }

    fn judge_and_tell(&mut self, batch: &ChangeBatch, part: Part, advance: &mut Advance) {
        self.memo.clear(batch.palette.len());
        // Numbers of sets were given again when the last batch was over.
        self.last_deaf = None;
        if let Part::Page { from, .. } = part {
            if let Some(walk) = &mut self.rejudging {
                walk.begin(from);
            }
            for slot in self.behind.clone() {
                if let Some(walk) = self.member_mut(slot).and_then(|m| m.walk.as_mut()) {
                    walk.begin(from);
                }
            }
        }
        for (number, row) in batch.rows.iter().enumerate() {
            let judged = self.judge_row(batch, row);
            self.read_old(row.id);
            let offered = self.obey_limit(judged);
            self.note_invalid_hops(row, part, advance);
            self.write_told(row.id);
            self.tell(row, number as u32, part, offered, advance);
        }
        advance.finish();
        std::mem::swap(&mut advance.traces, &mut self.traces);
        advance.remarks.extend(self.judge.take_remarks());
        self.end_walks(part, advance);
        self.note_limits(advance);
        self.outs.sweep();
        self.list_behind();
    }

    /// A blocking export limit keeps prefixes back that were not told before.
    fn obey_limit(&mut self, offered: Offered) -> Offered {
        self.keeps_back = false;
        if !self.old.is_empty() || self.new.is_empty() {
            return offered;
        }
        let sole = self.members.iter().flatten().next().filter(|m| is_blocking(&m.spec));
        let Some(limit) = sole.and_then(|m| m.spec.export_limit) else {
            return offered;
        };
        self.shut |= self.exported >= i64::from(limit.routes_max);
        if !self.shut {
            return offered;
        }
        self.new.clear();
        self.keeps_back = true;
        Offered::Vetoed
    }

    /// Writes `self.new` over `self.old`, unless they are equal.
    fn write_told(&mut self, id: NetId) {
        if self.old.len() == self.new.len() && self.old.iter().zip(&self.new).all(|(o, n)| o.entry == n.entry) {
            return;
        }
        self.scratch.clear();
        self.scratch.extend(self.new.iter().map(|w| w.entry));
        self.told.write(id, &self.scratch);
        if !self.keeps_bits() {
            self.new.iter().for_each(|w| self.outs.hold(w.entry.out));
            self.old.iter().for_each(|w| self.outs.release(w.entry.out));
        }
    }

    /// Notes routes that a member is not told because it is their next hop: BIRD logs them.
    fn note_invalid_hops(&mut self, row: &ChangeRow, part: Part, advance: &mut Advance) {
        for word in self.new.iter().chain(&self.unheard) {
            if word.deaf == Deaf::NOBODY || part == Part::Asked {
                continue;
            }
            let hop = self.outs.next_hop(word.entry.out);
            for slot in self.deaf.get(word.deaf.0 as usize).into_iter().flatten() {
                let Some(member) = self.member(*slot) else {
                    continue;
                };
                let told = part == Part::Changes || member.walk.is_some();
                let is_own = word.entry.protocol == Some(member.spec.protocol);
                let is_hop = hop == Some(member.spec.peer_addr);
                if told && is_hop && !is_own && advance.invalid_hops.len() < Advance::INVALID_HOPS_MAX {
                    advance.invalid_hops.push((*slot, row.net));
                }
            }
        }
    }

    /// Moves walks behind the page and says the ends of those that are complete.
    fn end_walks(&mut self, part: Part, advance: &mut Advance) {
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

    fn note_limits(&mut self, advance: &mut Advance) {
        let total = self.exported;
        for (i, member) in self.members.iter_mut().enumerate() {
            let Some(member) = member else { continue };
            let Some(limit) = member.spec.export_limit else {
                continue;
            };
            let over = self.shut || member.exported + total > i64::from(limit.routes_max);
            if over && !member.over_limit {
                member.over_limit = true;
                advance.limits.push((Slot(i as u16), limit));
            }
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

fn begin_refresh(member: &mut Member, slot: Slot, enhanced: bool, advance: &mut Advance) {
    member.walk = Some(Walk::new(false, enhanced));
    member.feeding = true;
    if enhanced {
        advance.signals.push((slot, Signal::BeginRefresh));
    }
}

fn is_blocking(spec: &MemberSpec) -> bool {
    spec.export_limit.is_some_and(|l| l.action == LimitAction::Block)
}
