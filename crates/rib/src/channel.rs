//! Who imports into a table: channels, their counters and marks, and the slots of their sources.
//!
//! A refresh, a restart and a session that falls do not walk the table. A channel
//! has a *mark*, a counter of 8 bits, and each path bears the mark of the moment
//! when it was last confirmed. Raising the mark makes everything stale at once;
//! three bounds say what a path of an older mark is:
//!
//! ```text
//!   older ........ life ........ floor ........ current
//!         dead           doomed         stale      fresh
//! ```
//!
//! *Dead* paths are of a life that is over: they count nowhere and nothing is
//! compared with them. *Doomed* ones were not confirmed before a sweep; they
//! count until the sweep comes to them, and an announcement saves them. The walk
//! that removes both goes through the channel's blocks in slices (`upkeep`).
//! Before the counter could come round to a mark that still stands, the table
//! walks all at once.

use crate::batch::{ChannelSpec, Generation};
use crate::blocks::Blocks;
use crate::limits::Gate;
use crate::path::SlotId;
use crate::pipe::Inlet;
use crate::stats::{ImportStats, RouteCounts};
use foldhash::fast::RandomState;
use hashbrown::HashMap;
use route::{ChannelId, ProtocolId, Source, SourceId};
use std::sync::Arc;

/// What a path's mark says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Confirmed since the last refresh or restart began.
    Fresh,
    /// Not confirmed yet.
    Stale,
    /// Not confirmed in time; waits for removal.
    Doomed,
    /// Of an earlier life; waits for removal and counts nowhere.
    Dead,
}

/// The marks of a channel.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Marks {
    /// What a path is marked with now.
    pub(crate) current: u8,
    floor: u8,
    life: u8,
    /// No path is older.
    oldest: u8,
    /// Some path may bear the current mark.
    given: bool,
}

impl Marks {
    /// What this mark says.
    pub(crate) const fn standing(&self, mark: u8) -> Standing {
        let age = self.current.wrapping_sub(mark);
        if age == 0 {
            Standing::Fresh
        } else if age > self.current.wrapping_sub(self.life) {
            Standing::Dead
        } else if age > self.current.wrapping_sub(self.floor) {
            Standing::Doomed
        } else {
            Standing::Stale
        }
    }

    /// The mark for a path that is confirmed now.
    pub(crate) const fn give(&mut self) -> u8 {
        self.given = true;
        self.current
    }

    /// Everything becomes stale.
    pub(crate) const fn raise(&mut self) {
        if self.given {
            self.current = self.current.wrapping_add(1);
            self.given = false;
        }
    }

    /// What is stale becomes doomed.
    pub(crate) const fn sweep(&mut self) {
        self.floor = self.current;
    }

    /// Everything is dead.
    pub(crate) const fn end_life(&mut self) {
        self.raise();
        self.floor = self.current;
        self.life = self.current;
    }

    /// The counter is near to coming round: whoever raises it must have the table walked first.
    pub(crate) const fn is_worn(&self) -> bool {
        self.current.wrapping_sub(self.oldest) > 200
    }

    /// The walk is done: nothing below the floor stands any more.
    pub(crate) const fn walked(&mut self) {
        self.oldest = self.floor;
    }

    /// The walk is done and has set the mark of each stale path to `current`, which is raised now.
    pub(crate) const fn renewed(&mut self) {
        self.given = true;
        self.oldest = self.current;
        self.floor = self.current;
        self.life = self.current;
        self.raise();
    }
}

/// A channel that imports.
#[derive(Debug)]
pub(crate) struct Channel {
    /// Its number.
    pub(crate) id: ChannelId,
    /// Its life.
    pub(crate) generation: Generation,
    /// Between up and down.
    pub(crate) is_up: bool,
    /// Went down and left its paths (graceful restart).
    pub(crate) is_retaining: bool,
    /// What it wants.
    pub(crate) spec: ChannelSpec,
    /// `Routes:`; `exported` stays 0.
    pub(crate) counts: RouteCounts,
    /// `Route change stats`.
    pub(crate) stats: ImportStats,
    /// `receive limit`.
    pub(crate) receive: Gate,
    /// `import limit`.
    pub(crate) import: Gate,
    /// See the head.
    pub(crate) marks: Marks,
    /// Stale paths become long-lived stale.
    pub(crate) long_lived: bool,
    /// A walk through its blocks is under way.
    pub(crate) is_walked: bool,
    /// Paths in the table, dead ones included.
    pub(crate) paths: u32,
    /// Where its paths are.
    pub(crate) blocks: Blocks,
    /// It is one direction of a pipe.
    pub(crate) inlet: Option<Box<Inlet>>,
    /// What the pipe is called whose direction it is or was.
    pub(crate) pipe_name: Option<Arc<str>>,
}

impl Channel {
    fn new(id: ChannelId, generation: Generation, spec: ChannelSpec) -> Self {
        Self {
            id,
            generation,
            is_up: false,
            is_retaining: false,
            receive: Gate::new(spec.receive_limit),
            import: Gate::new(spec.import_limit),
            spec,
            counts: RouteCounts::default(),
            stats: ImportStats::default(),
            marks: Marks::default(),
            long_lived: false,
            is_walked: false,
            paths: 0,
            blocks: Blocks::default(),
            inlet: None,
            pipe_name: None,
        }
    }

    /// New options: limits open again.
    pub(crate) fn configure(&mut self, spec: ChannelSpec) {
        self.spec = spec;
        self.open_limits();
    }

    /// Limits have not been passed yet.
    pub(crate) fn open_limits(&mut self) {
        self.receive = Gate::new(self.spec.receive_limit);
        self.import = Gate::new(self.spec.import_limit);
    }
}

/// A source and the channel that brings it here.
#[derive(Debug)]
pub(crate) struct Slot {
    /// Who gives the paths.
    pub(crate) source: Arc<Source>,
    /// Which channel of the table.
    pub(crate) channel: u32,
    /// The source comes by another channel, too: a second way through pipes, which is not allowed.
    pub(crate) is_shared: bool,
    /// How many of its paths are the best of their prefix.
    pub(crate) preferred: u32,
}

/// All channels and slots of a table.
#[derive(Debug, Default)]
pub(crate) struct Channels {
    channels: Vec<Option<Channel>>,
    by_id: HashMap<ChannelId, u32, RandomState>,
    slots: Vec<Option<Slot>>,
    by_source: HashMap<SourceId, Vec<SlotId>, RandomState>,
    free_slots: Vec<SlotId>,
}

impl Channels {
    /// The place of a channel.
    pub(crate) fn find(&self, id: ChannelId) -> Option<u32> {
        self.by_id.get(&id).copied()
    }

    /// The place of a channel, made when it is new.
    pub(crate) fn find_or_add(&mut self, id: ChannelId, generation: Generation, spec: &ChannelSpec) -> u32 {
        if let Some(at) = self.find(id) {
            return at;
        }
        let channel = Some(Channel::new(id, generation, spec.clone()));
        let at = match self.channels.iter().position(Option::is_none) {
            Some(at) => {
                self.channels[at] = channel;
                at as u32
            }
            None => {
                self.channels.push(channel);
                self.channels.len() as u32 - 1
            }
        };
        self.by_id.insert(id, at);
        at
    }

    /// The channel at a place.
    pub(crate) fn get(&self, at: u32) -> Option<&Channel> {
        self.channels.get(at as usize)?.as_ref()
    }

    /// The channel at a place.
    pub(crate) fn get_mut(&mut self, at: u32) -> Option<&mut Channel> {
        self.channels.get_mut(at as usize)?.as_mut()
    }

    /// All channels and their places.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (u32, &mut Channel)> {
        self.channels.iter_mut().enumerate().filter_map(|(at, c)| Some((at as u32, c.as_mut()?)))
    }

    /// Makes a source of a channel known, or gives a known one a new record.
    pub(crate) fn introduce(&mut self, channel: u32, source: Arc<Source>) {
        if let Some(slot) = self.slot_of(channel, source.id) {
            if let Some(slot) = self.slots[slot.0 as usize].as_mut() {
                slot.source = source;
            }
            return;
        }
        let siblings = self.by_source.entry(source.id).or_default();
        for sibling in siblings.iter() {
            if let Some(sibling) = self.slots[sibling.0 as usize].as_mut() {
                sibling.is_shared = true;
            }
        }
        let slot = Some(Slot { is_shared: !siblings.is_empty(), source, channel, preferred: 0 });
        let id = match self.free_slots.pop() {
            Some(id) => {
                self.slots[id.0 as usize] = slot;
                id
            }
            // 24 bits number the slots; a source more than that is not known and its rows are dropped.
            None if self.slots.len() as u32 == SlotId::VACANT.0 => return,
            None => {
                self.slots.push(slot);
                SlotId(self.slots.len() as u32 - 1)
            }
        };
        siblings.push(id);
    }

    /// The slot of a source of a channel.
    pub(crate) fn slot_of(&self, channel: u32, source: SourceId) -> Option<SlotId> {
        let siblings = self.by_source.get(&source)?;
        siblings.iter().copied().find(|s| self.slot(*s).channel == channel)
    }

    /// The slot of a path.
    pub(crate) fn slot(&self, id: SlotId) -> &Slot {
        match self.slots.get(id.0 as usize) {
            Some(Some(slot)) => slot,
            _ => unreachable!("a path holds its slot"),
        }
    }

    /// The channel of a path, which stands as long as the path.
    pub(crate) fn of(&self, id: SlotId) -> &Channel {
        match self.get(self.slot(id).channel) {
            Some(channel) => channel,
            None => unreachable!("a slot holds its channel"),
        }
    }

    /// A path more, of this prefix.
    pub(crate) fn add_path(&mut self, id: SlotId, net: u32) {
        if let Some(channel) = self.get_mut(self.slot(id).channel) {
            channel.paths += 1;
            channel.blocks.add(net);
        }
    }

    /// A path less.
    pub(crate) fn drop_path(&mut self, id: SlotId) {
        if let Some(channel) = self.get_mut(self.slot(id).channel) {
            channel.paths -= 1;
        }
    }

    /// The best path of a prefix became, or is no longer, this one.
    pub(crate) fn count_preferred(&mut self, id: SlotId, mark: u8, more: bool) {
        let at = self.slot(id).channel;
        let Some(channel) = self.get_mut(at).filter(|c| c.marks.standing(mark) != Standing::Dead) else { return };
        let count = |n: &mut u32| *n = if more { *n + 1 } else { n.saturating_sub(1) };
        count(&mut channel.counts.preferred);
        if let Some(Some(slot)) = self.slots.get_mut(id.0 as usize) {
            count(&mut slot.preferred);
        }
    }

    /// The best paths that came through pipes, by the protocol that gave them first.
    pub(crate) fn preferred_through_pipes(&self) -> Vec<(ProtocolId, u32)> {
        let piped = |s: &&Slot| s.preferred > 0 && self.get(s.channel).is_some_and(|c| c.inlet.is_some());
        self.slots.iter().flatten().filter(piped).map(|s| (s.source.protocol, s.preferred)).collect()
    }

    /// Nothing of a channel is the best of its prefix any more, as far as counters say.
    pub(crate) fn forget_preferred(&mut self, at: u32) {
        self.slots.iter_mut().flatten().filter(|s| s.channel == at).for_each(|s| s.preferred = 0);
    }

    /// Forgets a channel that is down and has no path, with its slots.
    pub(crate) fn remove(&mut self, at: u32) {
        let Some(channel) = self.channels.get_mut(at as usize).and_then(Option::take) else { return };
        self.by_id.remove(&channel.id);
        for n in 0..self.slots.len() {
            let Some(slot) = self.slots[n].take_if(|s| s.channel == at) else { continue };
            let id = SlotId(n as u32);
            self.free_slots.push(id);
            if let Some(siblings) = self.by_source.get_mut(&slot.source.id) {
                siblings.retain(|s| *s != id);
                if siblings.is_empty() {
                    self.by_source.remove(&slot.source.id);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raising_the_mark_makes_stale_sweeping_dooms_and_the_end_of_a_life_kills() {
        let mut marks = Marks::default();
        let first = marks.give();
        marks.raise();
        assert_eq!(marks.standing(first), Standing::Stale);
        let second = marks.give();
        marks.sweep();
        assert_eq!((marks.standing(first), marks.standing(second)), (Standing::Doomed, Standing::Fresh));
        marks.raise();
        assert_eq!((marks.standing(first), marks.standing(second)), (Standing::Doomed, Standing::Stale));
        marks.end_life();
        let third = marks.give();
        assert_eq!(
            [first, second, third].map(|m| marks.standing(m)),
            [Standing::Dead, Standing::Dead, Standing::Fresh]
        );
    }

    #[test]
    fn refreshes_without_routes_between_do_not_wear_the_counter() {
        let mut marks = Marks::default();
        marks.give();
        for _ in 0..1000 {
            marks.raise();
        }
        assert_eq!(marks.current, 1);
        assert!(!marks.is_worn());
    }
}
