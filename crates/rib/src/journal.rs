//! The journal of a table: what changed, told once, read by many.
//!
//! The table notes the numbers of changed prefixes and seals them, when its
//! owner asks, into one immutable batch with the values in it. A batch says what
//! a prefix *is* and not what happened, so a later batch, or a page of a feed,
//! replaces every earlier word about the same prefix, and a reader that missed
//! some is right again as soon as it reads what is current.
//!
//! A number stays bound to its prefix until all readers are past the batch that
//! said that the prefix is gone ([`Table::release`]). Until then the empty row
//! keeps its key, and in the room of its first path the number of that batch; a
//! prefix that comes back takes its old row.

use crate::batch::{ChangeBatch, ChangeRow, EachPath, NetId, Path as ToldPath, Reading};
use crate::channel::Standing;
use crate::chunks::CHUNK;
use crate::path::{AttrsId, Path, SlotId};
use crate::pipe::with_answer;
use crate::table::Table;
use foldhash::fast::RandomState;
use hashbrown::hash_map::Entry;
use hashbrown::{HashMap, HashSet};
use std::collections::VecDeque;
use std::sync::Arc;

/// What was not told yet, and which numbers wait to be free.
#[derive(Debug)]
pub(crate) struct Journal {
    /// What is sealed for each prefix: best or all.
    pub(crate) reading: Reading,
    /// Changed paths, while somebody reads them.
    pub(crate) each: Each,
    /// The number of the last batch.
    seq: u64,
    /// Changed prefixes, each once, and a bit for each.
    changed: Vec<NetId>,
    bits: Vec<u64>,
    /// For each of them how many paths in front did not change; only while somebody reads all paths.
    unmoved: Vec<u8>,
    /// Gone prefixes with the batch that said so, oldest first. Those that came back stand here until they are
    /// passed or weeded out.
    limbo: VecDeque<(u64, NetId)>,
    /// How long that list may get before it is weeded.
    limbo_max: usize,
}

/// Room for changed prefixes that is kept from batch to batch: what one batch of a session changes.
const CHANGED_KEPT: usize = 8192;
/// So many numbers are freed together: memory is asked for what that reads before the first of them.
const FREED_TOGETHER: usize = 32;
/// How long the list of gone prefixes may get before it is weeded for the first time.
const LIMBO_MIN: usize = 4 * CHUNK;

impl Default for Journal {
    fn default() -> Self {
        Self {
            reading: Reading::Best,
            each: Each::default(),
            seq: 0,
            changed: Vec::new(),
            bits: Vec::new(),
            unmoved: Vec::new(),
            limbo: VecDeque::new(),
            limbo_max: LIMBO_MIN,
        }
    }
}

/// Paths that came, changed or went since the last seal, each once, in the order of first change.
#[derive(Debug, Default)]
pub(crate) struct Each {
    is_on: bool,
    order: Vec<(NetId, SlotId)>,
    known: HashSet<(u32, u32), RandomState>,
}

/// Room for paths that is kept from batch to batch.
const KNOWN_KEPT: usize = 256;

impl Each {
    /// Whether somebody reads it.
    pub(crate) const fn is_on(&self) -> bool {
        self.is_on
    }

    /// Somebody reads it from now on, or nobody.
    pub(crate) fn switch(&mut self, on: bool) {
        self.is_on = on;
        if !on {
            self.order = Vec::new();
            self.known = HashSet::default();
        }
    }

    /// Whether nothing is noted.
    pub(crate) const fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// The path of this slot changed.
    pub(crate) fn note(&mut self, id: NetId, slot: SlotId) {
        if self.known.insert((id.0, slot.0)) {
            self.order.push((id, slot));
        }
    }

    fn take(&mut self) -> Vec<(NetId, SlotId)> {
        self.known.clear();
        if self.known.capacity() > KNOWN_KEPT {
            self.known = HashSet::default();
        }
        std::mem::take(&mut self.order)
    }
}

impl Journal {
    /// A prefix changed behind so many paths.
    pub(crate) fn note(&mut self, id: NetId, unmoved: u8) {
        let (word, bit) = (id.0 as usize / 64, 1 << (id.0 % 64));
        if word >= self.bits.len() {
            self.bits.resize(word + 1, 0);
        }
        let is_new = self.bits[word] & bit == 0;
        if is_new {
            self.bits[word] |= bit;
            self.changed.push(id);
        }
        if self.reading != Reading::All {
            return;
        }
        let at = id.0 as usize;
        if at >= self.unmoved.len() {
            self.unmoved.resize(at + 1, 0);
        }
        let known = if is_new { unmoved } else { self.unmoved[at].min(unmoved) };
        self.unmoved[at] = known;
    }

    /// How many paths of a noted prefix stand in front as when it was last sealed.
    fn unmoved(&self, id: NetId) -> u8 {
        self.unmoved.get(id.0 as usize).copied().unwrap_or(0)
    }

    /// What is sealed from now on. What was noted before knows nothing of what stands in front.
    pub(crate) fn read(&mut self, reading: Reading) {
        if self.reading != reading {
            self.unmoved = Vec::new();
        }
        self.reading = reading;
    }

    fn is_noted(&self, id: NetId) -> bool {
        self.bits.get(id.0 as usize / 64).is_some_and(|w| w >> (id.0 % 64) & 1 == 1)
    }

    fn take(&mut self) -> Vec<NetId> {
        for id in &self.changed {
            self.bits[id.0 as usize / 64] = 0;
        }
        std::mem::take(&mut self.changed)
    }

    /// Takes the room of a list back that was [taken](Self::take), for the next changes.
    fn reuse(&mut self, mut list: Vec<NetId>) {
        if list.capacity() <= CHANGED_KEPT {
            list.clear();
            self.changed = list;
        }
    }
}

impl Table {
    /// How many prefixes and paths wait for the next [`seal`](Self::seal).
    pub fn unsealed(&self) -> usize {
        self.journal.changed.len() + self.journal.each.order.len()
    }

    /// What changed since the last seal, each prefix once, in the order of first change. `None` when nothing did.
    pub fn seal(&mut self) -> Option<Arc<ChangeBatch>> {
        let (changed, each) = (self.journal.take(), self.journal.each.take());
        if changed.is_empty() && each.is_empty() {
            return None;
        }
        self.journal.seq += 1;
        let seq = self.journal.seq;
        for id in &changed {
            if self.nets.first(*id).is_vacant() {
                self.nets.set_first(*id, Path::vacant_with(seq));
                self.journal.limbo.push_back((seq, *id));
            }
        }
        self.weed_limbo();
        let mut out = Builder::new(self, self.journal.reading, changed.len());
        changed.iter().for_each(|id| out.add(*id, true, self.journal.unmoved(*id)));
        each.iter().for_each(|(id, slot)| out.add_each(*id, *slot));
        let sealed = Arc::new(out.finish());
        self.journal.reuse(changed);
        self.retire();
        Some(sealed)
    }

    /// Up to `rows_max` numbers from one on, those of gone prefixes left out, and where to go on.
    /// A page ends early when prefixes have many paths.
    ///
    /// What is in the page is what stands now, changes that are not sealed yet included.
    pub fn page(&self, from: NetId, rows_max: usize, reading: Reading) -> (ChangeBatch, Option<NetId>) {
        let end = from.0.saturating_add(u32::try_from(rows_max.max(1)).unwrap_or(u32::MAX)).min(self.nets.len());
        let end = self.page_end(from.0, end);
        let mut out = Builder::new(self, reading, (end - from.0.min(end)) as usize);
        let mut next = from.0;
        while next < end && out.out.paths.len() < PAGE_PATHS {
            out.add(NetId(next), false, 0);
            next += 1;
        }
        (out.finish(), (next < self.nets.len()).then_some(NetId(next)))
    }

    /// Where a page ends so that routes of one attribute set, which mostly have numbers in a row, stay together.
    fn page_end(&self, from: u32, end: u32) -> u32 {
        let last = self.best_set(NetId(end));
        let first = (from..end).rev().find(|n| self.best_set(NetId(*n)) != last || last.is_none());
        first.map_or(end, |n| n + 1)
    }

    /// How many of these numbers, at least one, to tell before others that follow: those at the end that have the same
    /// attribute set are better told with them, for it may be theirs as well.
    pub fn together(&self, ids: &[NetId]) -> usize {
        let Some(last) = ids.last().and_then(|id| self.best_set(*id)) else { return ids.len() };
        let before = ids.iter().rposition(|id| self.best_set(*id) != Some(last));
        before.map_or(ids.len(), |at| at + 1)
    }

    /// The attribute set of the first path.
    fn best_set(&self, id: NetId) -> Option<AttrsId> {
        let first = self.nets.first(id);
        (!first.is_vacant()).then_some(first.attrs)
    }

    /// What is now at these numbers. A gone prefix has no paths; a number without a prefix is left out.
    pub fn current(&self, ids: &[NetId], reading: Reading) -> ChangeBatch {
        self.missed(ids, reading, |_| 0)
    }

    /// What is now at these numbers, for a reader that knows so many paths in front of each as they stand.
    pub fn missed(&self, ids: &[NetId], reading: Reading, unmoved: impl Fn(NetId) -> u8) -> ChangeBatch {
        let mut out = Builder::new(self, reading, ids.len());
        for id in ids {
            out.add(*id, true, unmoved(*id));
        }
        out.finish()
    }

    /// Leaves those out that came back, and earlier words about those that went again: while a reader is slow, a
    /// prefix that comes and goes stands in the list once. It is looked through when it has doubled.
    fn weed_limbo(&mut self) {
        if self.journal.limbo.len() <= self.journal.limbo_max {
            return;
        }
        let Self { nets, journal, .. } = self;
        journal.limbo.retain(|(seq, id)| {
            let first = nets.first(*id);
            first.is_vacant() && first.since().0 == *seq
        });
        journal.limbo_max = LIMBO_MIN.max(2 * journal.limbo.len());
    }

    /// How many words there are about numbers that wait to be given again: at most twice the prefixes that are
    /// gone, and some thousands.
    pub fn waiting_numbers(&self) -> usize {
        self.journal.limbo.len()
    }

    /// Every reader is past this batch: numbers freed before it may be given again.
    ///
    /// `true`: much memory was given back to the allocator.
    pub fn release(&mut self, seq: u64) -> bool {
        let mut fetched = 0;
        while let Some(&(freed, id)) = self.journal.limbo.front()
            && freed <= seq
        {
            if fetched == 0 {
                fetched = FREED_TOGETHER;
                self.journal.limbo.iter().take(fetched).for_each(|(_, id)| self.nets.fetch(*id));
            }
            fetched -= 1;
            self.journal.limbo.pop_front();
            // A prefix that came back has a path, or went again in a later batch or one to come.
            let first = self.nets.first(id);
            if first.is_vacant() && first.since().0 == freed && !self.journal.is_noted(id) {
                self.nets.remove(id);
            }
        }
        self.give_memory_back()
    }

    /// Leaves out the numbers at the end when that halves a large table. What reads by number finds nothing there.
    fn give_memory_back(&mut self) -> bool {
        if self.journal.limbo.is_empty() && self.journal.limbo.capacity() > CHUNK {
            self.journal.limbo = VecDeque::new();
            self.journal.limbo_max = LIMBO_MIN;
        }
        // A noted number must have a row until it is sealed.
        let nets = self.journal.changed.is_empty() && self.nets.shrink();
        let sets = self.core.sets.shrink();
        nets || sets
    }
}

/// How many paths end a page.
const PAGE_PATHS: usize = 32_768;

/// Makes a batch: rows in the order of adding, palettes of what they use.
struct Builder<'a> {
    table: &'a Table,
    reading: Reading,
    out: ChangeBatch,
    paths: Vec<Path>,
    /// The last path and what it became: the next one is often of the same set, source and mark.
    last: Option<(Path, bool, ToldPath)>,
    palette: Numbers,
    /// Sets with a recursive next hop, as a pipe hands them on.
    carried: Numbers,
    hops: Numbers,
    sources: Numbers,
}

/// Numbers of the table and their places in a palette.
#[derive(Default)]
struct Numbers {
    places: HashMap<u32, u32, RandomState>,
    last: Option<(u32, u32)>,
}

impl Numbers {
    /// The place of a number; a new one is given the next place and `add`ed.
    fn place(&mut self, number: u32, add: impl FnOnce() -> u32) -> u32 {
        if let Some((last, place)) = self.last
            && last == number
        {
            return place;
        }
        let place = match self.places.entry(number) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(new) => *new.insert(add()),
        };
        self.last = Some((number, place));
        place
    }
}

/// Adds to a palette and returns the place.
fn push<T>(palette: &mut Vec<T>, value: Option<T>) -> u32 {
    palette.extend(value);
    palette.len() as u32 - 1
}

impl<'a> Builder<'a> {
    fn new(table: &'a Table, reading: Reading, rows: usize) -> Self {
        let out = ChangeBatch {
            table: table.spec.id,
            seq: table.journal.seq,
            palette: Vec::new(),
            hops: Vec::new(),
            sources: Vec::new(),
            channels: Vec::new(),
            rows: Vec::with_capacity(rows),
            paths: Vec::with_capacity(rows),
            each: Vec::new(),
        };
        let (palette, carried, hops, sources) = Default::default();
        Self { table, reading, out, paths: Vec::new(), last: None, palette, carried, hops, sources }
    }

    /// A row for a prefix; one without valid paths only when `gone` ones are wanted.
    fn add(&mut self, id: NetId, gone: bool, unmoved: u8) {
        let Some((net, first)) = self.table.nets.head(id) else { return };
        let start = self.out.paths.len() as u32;
        match self.reading {
            Reading::Best => self.add_path(&first, false),
            Reading::All | Reading::Each => {
                let carried = self.reading == Reading::Each;
                let mut paths = std::mem::take(&mut self.paths);
                self.table.nets.read(id, &mut paths);
                paths.iter().for_each(|p| self.add_path(p, carried));
                self.paths = paths;
            }
        }
        let end = self.out.paths.len() as u32;
        if gone || start < end {
            self.out.rows.push(ChangeRow { id, net, paths: start..end, unmoved });
        }
    }

    /// What stands now of one slot.
    fn add_each(&mut self, id: NetId, slot: SlotId) {
        let Some(net) = self.table.nets.prefix(id) else { return };
        let mut paths = std::mem::take(&mut self.paths);
        self.table.nets.read(id, &mut paths);
        let path = paths.iter().find(|p| p.slot() == slot && !p.is_filtered()).map(|p| {
            self.add_path(p, true);
            self.out.paths.len() as u32 - 1
        });
        self.paths = paths;
        let source = self.source(slot);
        self.out.each.push(EachPath { id, net, source, path });
    }

    fn source(&mut self, slot: SlotId) -> u32 {
        let Self { table, out, .. } = self;
        self.sources.place(slot.0, || {
            out.channels.push(table.channels.of(slot).id);
            push(&mut out.sources, Some(table.channels.slot(slot).source.clone()))
        })
    }

    /// `carried`: as a pipe hands it on.
    #[inline]
    fn add_path(&mut self, path: &Path, carried: bool) {
        if path.is_vacant() || path.is_filtered() {
            return;
        }
        if let Some((last, was_carried, told)) = self.last
            && was_carried == carried
            && (last.attrs, last.slot(), last.mark()) == (path.attrs, path.slot(), path.mark())
        {
            self.out.paths.push(ToldPath { pipes: path.pipes(), since: path.since(), ..told });
            return;
        }
        let told = self.tell_path(path, carried);
        self.last = Some((*path, carried, told));
        self.out.paths.push(told);
    }

    fn tell_path(&mut self, path: &Path, carried: bool) -> ToldPath {
        let source = self.source(path.slot());
        let Self { table, out, .. } = self;
        let facts = table.core.sets.facts(path.attrs);
        let resolved = table.core.hops.resolved(facts.hop);
        let set = || table.core.sets.set(path.attrs);
        let attrs = if carried && resolved.recursive {
            self.carried.place(path.attrs.0, || {
                push(&mut out.palette, set().map(|s| with_answer(s, resolved).unwrap_or_else(|| s.clone())))
            })
        } else {
            self.palette.place(path.attrs.0, || push(&mut out.palette, set().cloned()))
        };
        let hop = self.hops.place(facts.hop.0, || push(&mut out.hops, Some(resolved.clone())));
        let stale = facts.is_llgr_stale() || table.standing(path) != Standing::Fresh;
        let suppressed = path.is_suppressed();
        ToldPath { source, attrs, hop, stale, suppressed, pipes: path.pipes(), since: path.since() }
    }

    fn finish(self) -> ChangeBatch {
        self.out
    }
}
