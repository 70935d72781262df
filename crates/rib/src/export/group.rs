//! A group: its members and what it told. How a batch passes through it stands in `passage` and `plain`, how members
//! walk in `walks`.

use super::advance::{Advance, Signal};
use super::anew::Anew;
use super::bits::Bits;
use super::deaf::{Deafness, Word};
use super::judge::{Judge, Offer};
use super::key::{GroupKey, MemberId, MemberSpec};
use super::member::{Held, Ledger, Member, Moved, Offered, Tally, Walk};
use super::outs::Outs;
use super::passage::Memo;
use super::told::{self, Entry, Told};
use super::traced::{self, Lens};
use super::walks::begin_refresh;
use super::{ExportVerdict, Judged};
use crate::batch::{Limit, LimitAction, NetId};
use crate::query::NetView;
use crate::stats::ExportStats;
use crate::trace::Traces;
use route::{Ifaces, RoaTables};
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

/// Peers that are told the same.
pub struct Group {
    pub(super) judge: Judge,
    pub(super) members: Vec<Option<Member>>,
    /// How many members there are.
    pub(super) count: usize,
    pub(super) told: Told,
    pub(super) outs: Outs,
    pub(super) deafness: Deafness,
    /// Members that are behind, in order.
    pub(super) behind: Vec<Slot>,
    pub(super) tally: Tally,
    /// Rows of the running batch that are not in the counters yet.
    pub(super) ledger: Ledger,
    pub(super) exported: i64,
    pub(super) memo: Memo,
    pub(super) old: Vec<Word>,
    pub(super) new: Vec<Word>,
    /// Accepted paths that the only member may not hear.
    pub(super) unheard: Vec<Word>,
    pub(super) scratch: Vec<Entry>,
    pub(super) work: super::diff::Work,
    /// Links or addresses changed: all prefixes are judged again.
    pub(super) rejudging: Option<Walk>,
    /// ROA tables changed: some prefixes are.
    pub(super) anew: Option<Anew>,
    /// The running row is one of them: whether it comes to what it came to before.
    pub(super) comes_to_same: Option<bool>,
    /// What the running row tells was told before, if anything was.
    pub(super) stands: bool,
    /// What the running row offers path by path (ADD-PATH).
    pub(super) offered: Paths,
    /// A blocking export limit was reached: no further prefix is told until a refresh.
    pub(super) shut: bool,
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

impl Group {
    /// A group without members.
    pub fn new(key: Arc<GroupKey>, ifaces: Arc<Ifaces>) -> Self {
        let told = match (key.add_path, key.exact) {
            (true, _) => Told::Paths(told::Paths::default()),
            (false, true) => Told::Rows(told::Rows::default()),
            (false, false) => Told::Bits(Bits::default()),
        };
        Self {
            judge: Judge::new(key, ifaces),
            members: Vec::new(),
            count: 0,
            told,
            outs: Outs::default(),
            deafness: Deafness::default(),
            behind: Vec::new(),
            tally: Tally::default(),
            ledger: Ledger::default(),
            exported: 0,
            memo: Memo::default(),
            old: Vec::new(),
            new: Vec::new(),
            unheard: Vec::new(),
            scratch: Vec::new(),
            work: super::diff::Work::default(),
            rejudging: None,
            anew: None,
            comes_to_same: None,
            stands: false,
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
        self.deafness.join(slot, spec.protocol, spec.peer_addr);
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
        self.list_behind();
        self.list_traced();
        slot
    }

    /// A member leaves. If it `moves` to another group of the same table: what it takes there.
    pub fn leave(&mut self, slot: Slot, moves: bool) -> Option<Moved> {
        let held = if moves { self.held_by(slot) } else { None };
        let member = self.members.get_mut(usize::from(slot.0))?.take()?;
        self.deafness.leave(slot);
        self.count -= 1;
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
                self.old.iter().filter(|w| !self.deafness.has(w.deaf, slot)).map(|w| w.entry.path_id).collect();
            held.write(id, &ids);
        }
        for (id, ids) in lagging {
            held.write(id, &ids);
        }
        Some(held)
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

    /// New ROA tables: they count for what is judged from now on. See [`Group::judge_anew`].
    pub fn set_roas(&mut self, roas: Arc<RoaTables>) {
        self.judge.set_roas(roas);
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
        let told: Vec<bool> = nets.iter().map(|n| self.holds(slot, n.id)).collect();
        let paths = nets.iter().zip(told).flat_map(|(n, told)| n.paths.iter().map(move |p| (n.net, told, p)));
        let judged = paths.map(|(net, told, p)| {
            let mut judged = self.judge.explain(&Offer { net, attrs: &p.attrs, source: &p.source, hop: &p.hop });
            if p.source.protocol == spec.protocol {
                judged.verdict = ExportVerdict::Vetoed;
            }
            judged.told = told && judged.verdict == ExportVerdict::Accepted;
            judged
        });
        let judged = judged.collect();
        // What a look of the operator prints was not said about a route on its way.
        self.judge.take_remarks();
        judged
    }

    /// Whether a member's peer was told something of a prefix and not told to forget it.
    fn holds(&mut self, slot: Slot, id: NetId) -> bool {
        match self.member(slot) {
            None => false,
            Some(member) if member.is_lagging(id) => member.held.has(id),
            Some(_) => {
                self.read_old(id);
                self.old.iter().any(|word| !self.deafness.has(word.deaf, slot))
            }
        }
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
}

pub(super) fn is_blocking(spec: &MemberSpec) -> bool {
    spec.export_limit.is_some_and(|l| l.action == LimitAction::Block)
}
