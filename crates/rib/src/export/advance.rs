//! What a group has to say after a batch, and to whom: few runs of many prefixes.
//!
//! A run is one attribute set (or a withdrawal), one audience, and prefixes; it
//! becomes as few UPDATEs as will hold them. A prefix stands at most once in what
//! a member hears of one advance, so runs may be said in any order.

use super::group::Slot;
use super::judge::Remark;
use super::outs::{OutId, Outs};
use super::passage::Memo;
use crate::batch::{ChangeBatch, Limit};
use crate::trace::Traces;
use hashbrown::HashMap;
use route::{AttrSet, Prefix};

/// Who hears a run, by its number in the [`Advance`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Audience(pub(super) u32);

/// A set of members: few, or all but few.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Listeners {
    all_but: bool,
    slots: Vec<Slot>,
}

/// One attribute set and the prefixes that have it now, or prefixes that are gone.
#[derive(Debug)]
pub struct Run {
    /// What is announced; `None` for withdrawals.
    pub attrs: Option<AttrSet>,
    /// Who hears it.
    pub audience: Audience,
    start: u32,
    end: u32,
}

/// A prefix of a run.
#[derive(Clone, Copy, Debug)]
struct Item {
    row: u32,
    path_id: u32,
}

/// Something said to one member after the runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// The initial feed is over: End-of-RIB (RFC 4724 2).
    EndOfRib,
    /// A refresh begins (BoRR, RFC 7313 4).
    BeginRefresh,
    /// A refresh is over (EoRR, RFC 7313 4).
    EndRefresh,
}

#[derive(Debug)]
struct Bucket {
    out: Option<OutId>,
    attrs: Option<AttrSet>,
    audience: Audience,
    count: u32,
}

/// What there is to say. Filled by [`Group::take`](super::Group::take); kept and reused by its owner.
#[derive(Debug, Default)]
pub struct Advance {
    /// What is said, all of it before the signals.
    pub runs: Vec<Run>,
    /// Ends and beginnings, in order.
    pub signals: Vec<(Slot, Signal)>,
    /// Members that have been told all that stood when they joined, or when a refresh began.
    pub fed: Vec<Slot>,
    /// Export limits that were passed.
    pub limits: Vec<(Slot, Limit)>,
    /// Lines for the log that concern the whole group.
    pub remarks: Vec<Remark>,
    /// Lines about single routes, of members that are traced.
    pub traces: Traces,
    /// Routes not told because the member is their next hop; at most [`Advance::INVALID_HOPS_MAX`] are named.
    pub invalid_hops: Vec<(Slot, Prefix)>,
    items: Vec<Item>,
    listeners: Vec<Listeners>,
    numbers: HashMap<Listeners, Audience>,
    last: Option<Audience>,
    buckets: Vec<Bucket>,
    bucket_of: HashMap<(Option<OutId>, Audience), u32>,
    /// The bucket of withdrawals that was used last.
    gone: Option<(Audience, u32)>,
    pending: Vec<(u32, Item)>,
    /// Room of the group that takes a batch, empty before and after.
    pub(super) memo: Memo,
    pub(super) outs: Outs,
}

impl Advance {
    /// How many invalid next hops one advance names at most.
    pub const INVALID_HOPS_MAX: usize = 64;
    /// Room for so many prefixes, or sets, is not worth giving back.
    const ROOM_KEPT: usize = 1024;

    /// Whether it has room for a large batch, which is a megabyte and the sets of what it said last: its owner
    /// forgets it when there is no batch for a while.
    pub const fn is_roomy(&self) -> bool {
        self.items.capacity() > Self::ROOM_KEPT || self.memo.room() > Self::ROOM_KEPT
    }

    /// Empties it, keeping its room.
    pub fn clear(&mut self) {
        self.runs.clear();
        self.signals.clear();
        self.fed.clear();
        self.limits.clear();
        self.remarks.clear();
        self.invalid_hops.clear();
        self.traces.clear();
        self.items.clear();
        self.listeners.clear();
        self.numbers.clear();
        self.last = None;
        self.buckets.clear();
        self.bucket_of.clear();
        self.gone = None;
        self.pending.clear();
    }

    /// The prefixes of a run with their path identifiers; `batch` is the one that was taken.
    pub fn nets<'a>(
        &'a self,
        run: &Run,
        batch: &'a ChangeBatch,
    ) -> impl ExactSizeIterator<Item = (Prefix, u32)> + Clone + 'a {
        let items = self.items.get(run.start as usize..run.end as usize).unwrap_or_default();
        // The rows were those of this batch, so the first alternative is always taken.
        items.iter().map(|i| {
            let net = batch.rows.get(i.row as usize).map_or(Prefix::default(route::Family::Ipv4), |r| r.net);
            (net, i.path_id)
        })
    }

    /// Whether a member hears what is said to an audience.
    pub fn is_heard_by(&self, audience: Audience, slot: Slot) -> bool {
        let (all_but, slots) = self.listeners(audience);
        slots.contains(&slot) != all_but
    }

    /// Who hears what is said to an audience: all but these members (`true`), or only these.
    pub fn listeners(&self, audience: Audience) -> (bool, &[Slot]) {
        self.listeners.get(audience.0 as usize).map_or((false, &[]), |l| (l.all_but, &l.slots))
    }

    /// The number of an audience.
    pub(super) fn audience(&mut self, all_but: bool, slots: &[Slot]) -> Audience {
        let last = self.last.and_then(|a| Some((a, self.listeners.get(a.0 as usize)?)));
        if let Some((audience, l)) = last
            && l.all_but == all_but
            && l.slots == slots
        {
            return audience;
        }
        let listeners = Listeners { all_but, slots: slots.to_vec() };
        let next = Audience(self.listeners.len() as u32);
        let audience = *self.numbers.entry(listeners).or_insert_with_key(|l| {
            self.listeners.push(l.clone());
            next
        });
        self.last = Some(audience);
        audience
    }

    /// The bucket for an attribute set (or withdrawals) and an audience.
    pub(super) fn bucket(
        &mut self,
        out: Option<OutId>,
        audience: Audience,
        attrs: impl FnOnce() -> Option<AttrSet>,
    ) -> u32 {
        if let Some((a, bucket)) = self.gone
            && out.is_none()
            && a == audience
        {
            return bucket;
        }
        let next = self.buckets.len() as u32;
        let bucket = *self.bucket_of.entry((out, audience)).or_insert_with(|| {
            self.buckets.push(Bucket { out, attrs: attrs(), audience, count: 0 });
            next
        });
        if out.is_none() {
            self.gone = Some((audience, bucket));
        }
        bucket
    }

    /// Puts a prefix into a bucket.
    pub(super) fn push(&mut self, bucket: u32, row: u32, path_id: u32) {
        if let Some(b) = self.buckets.get_mut(bucket as usize) {
            b.count += 1;
            self.pending.push((bucket, Item { row, path_id }));
        }
    }

    /// Turns buckets into runs: a counting sort, withdrawals first so that they free the peer's memory.
    pub(super) fn finish(&mut self) {
        self.items.resize(self.pending.len(), Item { row: 0, path_id: 0 });
        let mut order: Vec<u32> = (0..self.buckets.len() as u32).collect();
        order.sort_by_key(|b| self.buckets.get(*b as usize).is_some_and(|b| b.out.is_some()));
        let mut next = vec![0u32; self.buckets.len()];
        let mut at = 0;
        for b in order {
            let (Some(bucket), Some(next)) = (self.buckets.get_mut(b as usize), next.get_mut(b as usize)) else {
                continue;
            };
            *next = at;
            let end = at + bucket.count;
            self.runs.push(Run { attrs: bucket.attrs.take(), audience: bucket.audience, start: at, end });
            at = end;
        }
        for (bucket, item) in self.pending.drain(..) {
            let Some(next) = next.get_mut(bucket as usize) else {
                continue;
            };
            if let Some(place) = self.items.get_mut(*next as usize) {
                *place = item;
            }
            *next += 1;
        }
    }
}
