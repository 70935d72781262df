//! What an act leaves behind, done in slices: sweeps, long-lived stale routes, changed next hops.
//!
//! Whoever leaves something behind marks the blocks in which it may lie; the
//! work takes block after block and looks at each prefix for everything that may
//! be due: paths to be removed, paths to be marked long-lived stale, paths whose
//! next hop has another answer. A block that is marked again is looked at again.
//! When none is left, all that was asked for before is done.
//!
//! A change of a next hop keeps the times of the paths, re-decides only the
//! prefixes that use it, and goes to the journal as a change of the path.

use crate::batch::NetId;
use crate::blocks::BLOCK;
use crate::channel::Standing;
use crate::election::reelect;
use crate::path::Path;
use crate::table::{Table, same_path};
use route::attr::code;
use route::community::LLGR_STALE;
use route::{AttrSetBuilder, Moment};

/// What is due for a path.
enum Due {
    Remove,
    MarkLongLived,
}

impl Table {
    /// Does a slice of what acts left behind: looks at up to `rows_max` prefixes. `true`: there is more.
    pub fn work(&mut self, now: Moment, rows_max: usize) -> bool {
        self.core.hops.retry(now);
        self.answer_hops(rows_max, now);
        for _ in 0..rows_max {
            let Some(id) = self.next_untended() else {
                if !self.core.hops.wants_answers() {
                    self.finish_work();
                    self.core.hops.rested();
                    return false;
                }
                return true;
            };
            self.tend(id, now);
        }
        true
    }

    /// Has the blocks of a channel walked.
    pub(crate) fn walk(&mut self, at: u32) {
        if let Some(channel) = self.channels.get_mut(at) {
            channel.is_walked = true;
            self.untended.add_all(&channel.blocks);
            self.has_work = true;
        }
    }

    /// The channel goes down and its paths are of a life that is over.
    pub(crate) fn bring_down(&mut self, at: u32) {
        self.raise_mark(at);
        if let Some(channel) = self.channels.get_mut(at) {
            channel.marks.end_life();
            channel.is_up = false;
            channel.is_retaining = false;
            channel.long_lived = false;
            channel.counts = Default::default();
            channel.stats = Default::default();
            channel.inlet = None;
        }
        self.channels.forget_preferred(at);
        self.walk(at);
    }

    /// Everything of the channel is stale.
    pub(crate) fn raise_mark(&mut self, at: u32) {
        if self.channels.get(at).is_some_and(|c| c.marks.is_worn()) {
            self.renew_marks(at);
        }
        if let Some(channel) = self.channels.get_mut(at) {
            channel.marks.raise();
        }
    }

    /// Walks all blocks of a channel at once, so that its counter of marks can start anew.
    fn renew_marks(&mut self, at: u32) {
        let Some(channel) = self.channels.get(at) else { return };
        let (mut blocks, current) = (channel.blocks.clone(), channel.marks.current);
        let mut paths = Vec::new();
        while let Some(first) = blocks.take() {
            for id in (first..(first + BLOCK).min(self.nets.len())).map(NetId) {
                self.remove_overdue(id, at);
                self.nets.read(id, &mut paths);
                let mine = |p: &&mut Path| self.channels.slot(p.slot()).channel == at;
                let marked = paths.iter_mut().filter(mine).map(|p| p.set_mark(current)).count();
                if marked > 0 {
                    self.nets.write(id, &paths);
                }
            }
        }
        if let Some(channel) = self.channels.get_mut(at) {
            channel.marks.renewed();
        }
    }

    /// Removes what is dead or doomed of one channel, now.
    fn remove_overdue(&mut self, id: NetId, at: u32) {
        loop {
            let mut paths = Vec::new();
            self.nets.read(id, &mut paths);
            let overdue = |p: &Path| {
                self.channels.slot(p.slot()).channel == at
                    && matches!(self.standing(p), Standing::Dead | Standing::Doomed)
            };
            let Some(old) = paths.iter().position(overdue) else { return };
            self.put_own(id, paths, old, None);
        }
    }

    fn next_untended(&mut self) -> Option<NetId> {
        let (next, end) = self.tending;
        if next < end {
            self.tending.0 += 1;
            return Some(NetId(next));
        }
        let first = self.untended.take()?;
        self.tending = (first + 1, (first + BLOCK).min(self.nets.len()));
        Some(NetId(first))
    }

    /// All blocks have been walked: what was asked for before is done.
    fn finish_work(&mut self) {
        if !std::mem::take(&mut self.has_work) {
            return;
        }
        self.core.hops.none_pending();
        for (at, channel) in self.channels.iter_mut() {
            if std::mem::take(&mut channel.is_walked) {
                channel.marks.walked();
            }
            if channel.paths == 0 {
                channel.blocks.clear();
                if !channel.is_up && !channel.is_retaining {
                    self.retired.push(at);
                }
            }
        }
        if self.journal.each.is_empty() {
            self.retire();
        }
    }

    /// Forgets channels that are over. Not while the journal has yet to name their sources.
    pub(crate) fn retire(&mut self) {
        for at in std::mem::take(&mut self.retired) {
            if self.channels.get(at).is_some_and(|c| c.paths == 0 && !c.is_up && !c.is_retaining) {
                self.channels.remove(at);
            }
        }
        let Self { untraced, traced, channels, .. } = self;
        untraced.retain(|channel| {
            let stays = channels.find(*channel).is_some();
            if !stays {
                traced.remove(channel);
            }
            stays
        });
    }

    /// Looks at a prefix for everything that may be due.
    fn tend(&mut self, id: NetId, now: Moment) {
        // Only one path stands and goes: nearly all prefixes of a peer that is lost.
        if let Some(only) = self.nets.only(id) {
            if only.is_vacant() {
                return;
            }
            if let Some(Due::Remove) = self.due(&only)
                && let Some(net) = self.nets.prefix(id)
            {
                self.count_own(&only, None);
                self.settle_alone(id, &net, Some(only), None);
                return;
            }
        }
        loop {
            let mut paths = std::mem::take(&mut self.scratch);
            self.nets.read(id, &mut paths);
            let due = paths.iter().enumerate().find_map(|(n, p)| Some((n, self.due(p)?)));
            match due {
                None => {
                    self.redecide(id, paths);
                    return;
                }
                Some((n, Due::Remove)) => self.put_own(id, paths, n, None),
                Some((n, Due::MarkLongLived)) => self.mark_long_lived(id, paths, n, now),
            }
        }
    }

    fn due(&self, path: &Path) -> Option<Due> {
        let channel = self.channels.of(path.slot());
        let facts = self.core.sets.facts(path.attrs);
        match channel.marks.standing(path.mark()) {
            Standing::Dead | Standing::Doomed => Some(Due::Remove),
            Standing::Stale if channel.long_lived && facts.is_no_llgr() => Some(Due::Remove),
            Standing::Stale if channel.long_lived && !facts.is_llgr_stale() => Some(Due::MarkLongLived),
            Standing::Stale | Standing::Fresh => None,
        }
    }

    /// Adds LLGR_STALE to a path (RFC 9494 4.2). It stays stale.
    fn mark_long_lived(&mut self, id: NetId, paths: Vec<Path>, n: usize, now: Moment) {
        let old = paths[n];
        let Some(set) = self.core.sets.set(old.attrs) else { return };
        let mut builder = AttrSetBuilder::from_set(set);
        let mut communities = builder.get(code::COMMUNITY).unwrap_or_default().to_vec();
        communities.extend_from_slice(&LLGR_STALE.0.to_be_bytes());
        builder.set(code::COMMUNITY, &communities);
        let attrs = self.core.sets.intern(&builder.build(), &mut self.core.hops);
        let new = Path::new(old.slot(), attrs, old.mark(), old.is_filtered(), now);
        self.put_own(id, paths, n, Some(new));
        self.core.sets.drop(attrs, &mut self.core.hops);
    }

    /// Compares all paths anew when one of them uses a next hop whose answer changed.
    fn redecide(&mut self, id: NetId, mut paths: Vec<Path>) {
        let hops = &self.core.hops;
        let pending = |p: &Path| !p.is_filtered() && hops.is_pending(self.core.sets.facts(p.attrs).hop);
        let best_pending = paths.first().is_some_and(pending);
        if !paths.iter().any(pending) {
            self.scratch = paths;
            return;
        }
        let before = paths.first().copied();
        reelect(&mut paths, &self.judge());
        self.nets.write(id, &paths);
        let after = paths.first().copied();
        // The best may be the same path and lead elsewhere now.
        let best_changed = best_pending || !same_path(before.as_ref(), after.as_ref());
        if let Some(net) = self.nets.prefix(id) {
            self.tell(id, &net, (before, after), best_changed, true, 0);
        }
        if self.journal.each.is_on() {
            for path in &paths {
                let hop = self.core.sets.facts(path.attrs).hop;
                if !path.is_filtered() && self.core.hops.is_pending(hop) {
                    self.journal.each.note(id, path.slot());
                }
            }
        }
        self.scratch = paths;
    }
}
