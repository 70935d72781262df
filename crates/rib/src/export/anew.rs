//! Prefixes that a change of a ROA table touches, judged anew.
//!
//! They are asked for by number, as what a slow member has missed is, and go
//! through the group like rows of a change. What a group of one told it has not
//! written down: there the row is judged by the tables of before as well, and what
//! comes to the same is not said again. So a change of one authorisation costs what
//! the prefixes under it cost, and the neighbour hears of those alone that it
//! changes.

use super::bits::Bits;
use super::group::{Group, Part};
use super::judge::Offer;
use crate::batch::{ChangeBatch, ChangeRow, NetId};
use route::{AttrSet, RoaTables};
use std::sync::Arc;

/// What is judged anew.
#[derive(Debug)]
pub(super) struct Anew {
    pub(super) nets: Bits,
    /// The tables by which it was judged.
    before: Arc<RoaTables>,
}

impl Group {
    /// These prefixes may come to something else than by the tables of `before`. Nothing where no ROA table is asked.
    pub fn judge_anew(&mut self, nets: &[NetId], before: &Arc<RoaTables>) {
        if !self.judge.asks_roas() || nets.is_empty() {
            return;
        }
        let anew = self.anew.get_or_insert_with(|| Anew { nets: Bits::default(), before: Arc::clone(before) });
        for id in nets {
            anew.nets.set(*id, true);
        }
    }

    /// Notes whether a row that is judged anew comes to what it came to; `None` for other rows.
    pub(super) fn look_back(&mut self, batch: &ChangeBatch, row: &ChangeRow, part: Part) {
        self.comes_to_same = None;
        let Some(anew) = self.anew.as_mut().filter(|anew| anew.nets.has(row.id)) else { return };
        anew.nets.set(row.id, false);
        let (before, is_last) = (Arc::clone(&anew.before), anew.nets.is_empty());
        if is_last {
            self.anew = None;
        }
        // A change is said as it is, and groups of many know what they told.
        if part != Part::Asked || !self.keeps_bits() {
            return;
        }
        let now = self.judge.exchange_roas(before);
        let was = self.comes_to(batch, row);
        self.judge.exchange_roas(now);
        let is = self.comes_to(batch, row);
        self.comes_to_same = Some(was == is);
        // It is said when the row itself is judged.
        self.judge.take_remarks();
    }

    /// What the paths of a row come to, up to the first that is accepted.
    fn comes_to(&mut self, batch: &ChangeBatch, row: &ChangeRow) -> Option<AttrSet> {
        let paths = batch.paths_of(row).iter().take(if self.key().secondary { usize::MAX } else { 1 });
        for path in paths {
            let attrs = batch.palette.get(path.attrs as usize)?;
            let source = batch.sources.get(path.source as usize)?;
            let hop = batch.hops.get(path.hop as usize)?;
            if let Ok(set) = self.judge.outgoing(&Offer { net: row.net, attrs, source, hop }) {
                return Some(set);
            }
        }
        None
    }
}
