//! The attribute sets that a group sends, numbered.
//!
//! A number lives while a row of what was told names it, and for the batch in
//! which it was made. Numbers are given again.

use super::advance::Audience;
use crate::index::Index;
use route::AttrSet;
use std::net::IpAddr;

/// The number of an attribute set that a group sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct OutId(pub(super) u32);

impl OutId {
    /// Something was told, and nobody wrote down what.
    pub(super) const UNKNOWN: Self = Self(u32::MAX);
}

#[derive(Debug)]
struct Out {
    attrs: AttrSet,
    rows: u32,
    /// Stands in the list of those that may be dropped.
    listed: bool,
    next_hop: Option<IpAddr>,
    /// The bucket of the running batch that was used last, so most rows find theirs without a search.
    bucket: Option<(u32, Audience, u32)>,
}

/// All sets that a group sends.
#[derive(Debug, Default)]
pub(super) struct Outs {
    all: Vec<Option<Out>>,
    free: Vec<u32>,
    index: Index,
    /// May have no row: looked at when the batch is over.
    idle: Vec<u32>,
}

impl Outs {
    /// The number of a set.
    pub(super) fn intern(&mut self, attrs: AttrSet) -> OutId {
        let hash = attrs.hash_value();
        let is_it = |n: &u32| self.all.get(*n as usize).and_then(Option::as_ref).is_some_and(|o| o.attrs == attrs);
        if let Some(found) = self.index.find(hash, is_it) {
            return OutId(found);
        }
        let next_hop = attrs.next_hop().map(|(addr, _)| addr);
        let out = Some(Out { attrs, rows: 0, listed: true, next_hop, bucket: None });
        let n = match self.free.pop() {
            Some(n) => {
                if let Some(slot) = self.all.get_mut(n as usize) {
                    *slot = out;
                }
                n
            }
            None => {
                self.all.push(out);
                self.all.len() as u32 - 1
            }
        };
        self.index.insert(hash, n, hash_of(&self.all));
        self.idle.push(n);
        OutId(n)
    }

    fn get(&self, id: OutId) -> Option<&Out> {
        self.all.get(id.0 as usize)?.as_ref()
    }

    fn get_mut(&mut self, id: OutId) -> Option<&mut Out> {
        self.all.get_mut(id.0 as usize)?.as_mut()
    }

    /// The set of a number.
    pub(super) fn attrs(&self, id: OutId) -> Option<&AttrSet> {
        self.get(id).map(|o| &o.attrs)
    }

    /// Its next hop.
    pub(super) fn next_hop(&self, id: OutId) -> Option<IpAddr> {
        self.get(id)?.next_hop
    }

    /// One more row names the set.
    pub(super) fn hold(&mut self, id: OutId) {
        if let Some(out) = self.get_mut(id) {
            out.rows += 1;
        }
    }

    /// One row less names the set.
    pub(super) fn release(&mut self, id: OutId) {
        let Some(out) = self.get_mut(id) else { return };
        out.rows = out.rows.saturating_sub(1);
        if out.rows == 0 && !out.listed {
            out.listed = true;
            self.idle.push(id.0);
        }
    }

    /// The bucket that a row with this set used last in batch number `batch`.
    pub(super) fn bucket(&self, id: OutId, batch: u32, audience: Audience) -> Option<u32> {
        let (b, a, bucket) = self.get(id)?.bucket?;
        (b == batch && a == audience).then_some(bucket)
    }

    pub(super) fn set_bucket(&mut self, id: OutId, batch: u32, audience: Audience, bucket: u32) {
        if let Some(out) = self.get_mut(id) {
            out.bucket = Some((batch, audience, bucket));
        }
    }

    /// The batch is over: drops the sets that no row names.
    pub(super) fn sweep(&mut self) {
        for n in std::mem::take(&mut self.idle) {
            let Some(slot) = self.all.get_mut(n as usize) else {
                continue;
            };
            let Some(out) = slot else { continue };
            out.listed = false;
            if out.rows > 0 {
                continue;
            }
            let hash = out.attrs.hash_value();
            *slot = None;
            self.index.remove(hash, n, hash_of(&self.all));
            self.free.push(n);
        }
    }
}

/// The hash of the set of a number.
fn hash_of(all: &[Option<Out>]) -> impl Fn(&u32) -> u64 {
    |n| all.get(*n as usize).and_then(Option::as_ref).map_or(0, |o| o.attrs.hash_value())
}

#[cfg(test)]
mod tests {
    use super::*;
    use route::attrs::Local;
    use route::{AttrSetBuilder, Dest, SourceKind, attr::code};

    fn set(med: u32) -> AttrSet {
        let mut b = AttrSetBuilder::new(Local::new(SourceKind::Bgp, 0, Dest::Unreachable));
        b.set_u32(code::MED, med);
        b.build()
    }

    #[test]
    fn a_number_lives_while_a_row_names_it_and_is_then_given_again() {
        let mut outs = Outs::default();
        let (a, b) = (outs.intern(set(1)), outs.intern(set(2)));
        assert_eq!(outs.intern(set(1)), a);
        outs.hold(a);
        outs.sweep();
        assert_eq!((outs.attrs(a), outs.attrs(b)), (Some(&set(1)), None));
        assert_eq!(outs.intern(set(3)), b);
        outs.release(a);
        outs.sweep();
        assert_eq!(outs.index.find(set(1).hash_value(), |_| true), None);
    }
}
