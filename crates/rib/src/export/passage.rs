//! How a batch passes through a group: each row judged, compared with what was told, and told (`diff`).
//!
//! What a judgement of one attribute set came to is kept for the batch, so a row
//! of a set that was seen costs a look at the row before.

use super::ExportVerdict;
use super::advance::Advance;
use super::deaf::{Deaf, Word};
use super::group::{Group, Part, Slot, is_blocking};
use super::judge::Offer;
use super::member::Offered;
use super::outs::OutId;
use super::told::Entry;
use crate::batch::{ChangeBatch, ChangeRow, NetId, Path};
use filter::Memory;

/// Judgements of the running batch, by the number of the attribute set in its palette.
#[derive(Debug, Default)]
pub(super) struct Memo {
    heads: Vec<u32>,
    all: Vec<Known>,
    /// Attributes, source and next hop of the path before, when what it came to holds for all prefixes.
    last: Option<((u32, u32, u32), Judged)>,
}

/// What a path comes to: the set that is sent, or why none is.
type Judged = Result<OutId, ExportVerdict>;

#[derive(Debug)]
struct Known {
    source: u32,
    hop: u32,
    results: Memory<Judged>,
    next: u32,
}

const NONE: u32 = u32::MAX;

impl Memo {
    fn clear(&mut self, palette: usize) {
        self.last = None;
        self.all.clear();
        self.heads.clear();
        self.heads.resize(palette, NONE);
    }

    /// For how many judgements there is room.
    pub(super) const fn room(&self) -> usize {
        self.all.capacity()
    }

    /// What is known of paths with the attributes, source and next hop of this one.
    fn of(&mut self, path: &Path) -> Option<&mut Memory<Judged>> {
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
        // Numbers of sets and next hops were given again when the last batch was over.
        self.deafness.begin();
        self.begin_walks(part);
        for (number, row) in batch.rows.iter().enumerate() {
            self.look_back(batch, row, part);
            let judged = self.judge_row(batch, row);
            self.read_old(row.id);
            let offered = self.obey_limit(judged);
            self.note_invalid_hops(row, part, advance);
            self.write_told(row.id);
            self.tell(row, number as u32, part, offered, advance);
        }
        self.settle_ledger();
        advance.finish();
        std::mem::swap(&mut advance.traces, &mut self.traces);
        advance.remarks.extend(self.judge.take_remarks());
        self.end_walks(part, advance);
        self.note_limits(advance);
        self.outs.sweep();
        self.list_behind();
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
        self.stands = false;
        let steady = !all && self.judge.is_steady();
        for (at, path) in batch.paths_of(row).iter().enumerate() {
            let source = batch.sources.get(path.source as usize);
            let path_id = if all { source.map_or(0, |s| s.id.0) } else { 0 };
            match self.judged(batch, row, path) {
                Ok(out) => {
                    let protocol = source.map(|s| s.protocol);
                    let deaf = self.deafness.of(protocol, self.outs.hop(out), || self.outs.next_hop(out));
                    if traced {
                        self.see(batch, path, path_id, Ok(deaf));
                    }
                    // Alone in its group: what it may not hear is not the group's word either.
                    let is_unheard = self.keeps_bits() && deaf != Deaf::NOBODY;
                    let word = Word { entry: Entry { path_id, out, protocol }, deaf };
                    offered = if is_unheard { Offered::Vetoed } else { Offered::Accepted };
                    let words = if is_unheard { &mut self.unheard } else { &mut self.new };
                    words.push(word);
                    // Those in front of it were judged as they are judged now.
                    self.stands = steady && at < usize::from(row.unmoved);
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

    /// Judges a path, once for each attribute set where that is enough.
    fn judged(&mut self, batch: &ChangeBatch, row: &ChangeRow, path: &Path) -> Judged {
        let as_before = (path.attrs, path.source, path.hop);
        match self.memo.last {
            Some((before, result)) if before == as_before => return result,
            _ => {}
        }
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
        let result = match self.judge.recall(memory, &offer) {
            Some(known) => *known,
            None => {
                let result = self.judge.outgoing(&offer).map(|set| self.outs.intern(set));
                self.judge.keep(memory, result);
                result
            }
        };
        self.memo.last = memory.holds_for_all().then_some((as_before, result));
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
            let out = entry.out;
            let deaf = self.deafness.of(entry.protocol, self.outs.hop(out), || self.outs.next_hop(out));
            self.old.push(Word { entry, deaf });
        }
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
            if part == Part::Asked || !self.deafness.is_said(word.deaf) {
                continue;
            }
            let hop = self.outs.next_hop(word.entry.out);
            for slot in self.deafness.slots(word.deaf) {
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

    /// Says which members are told more than their limit, of each once until it has another one.
    pub fn note_limits(&mut self, advance: &mut Advance) {
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
