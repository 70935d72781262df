//! A path as the table stores it: sixteen octets, no pointer, no reference count.
//!
//! Numbers stand for what is shared: the attribute set (which in turn knows its
//! next hop) and the *slot*, which is a source together with the channel that
//! brought it here. The time is in 48-bit milliseconds. The mark is the state of
//! its channel's refresh counter when the path was last confirmed; see
//! `channel` for what it says.

use route::Moment;

/// The number of a (source, channel) pair in its table, 24 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct SlotId(pub(crate) u32);

impl SlotId {
    /// Stands where no path is.
    pub(crate) const VACANT: Self = Self(0x00ff_ffff);
}

/// The number of an attribute set in its table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct AttrsId(pub(crate) u32);

const FILTERED: u8 = 1;
const SUPPRESSED: u8 = 2;
/// The flags' upper bits count pipes.
const PIPES_SHIFT: u8 = 3;

/// A path to a prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Path {
    /// Its attributes.
    pub(crate) attrs: AttrsId,
    slot_mark: u32,
    since_low: u32,
    since_high: u16,
    flags: u8,
    /// One octet that belongs to whoever embeds the path: a net row keeps the prefix length here.
    pub(crate) tag: u8,
}

impl Path {
    /// No path.
    pub(crate) const VACANT: Self = Self {
        attrs: AttrsId(u32::MAX),
        slot_mark: SlotId::VACANT.0 << 8,
        since_low: 0,
        since_high: 0,
        flags: 0,
        tag: 0,
    };

    /// A path of this moment.
    pub(crate) const fn new(slot: SlotId, attrs: AttrsId, mark: u8, filtered: bool, now: Moment) -> Self {
        let flags = if filtered { FILTERED } else { 0 };
        let slot_mark = slot.0 << 8 | mark as u32;
        Self { attrs, slot_mark, since_low: 0, since_high: 0, flags, tag: 0 }.at(now)
    }

    const fn at(mut self, now: Moment) -> Self {
        self.since_low = now.0 as u32;
        self.since_high = (now.0 >> 32) as u16;
        self
    }

    /// The same path, having passed so many pipes, 31 at most.
    pub(crate) const fn with_pipes(mut self, pipes: u8) -> Self {
        self.flags = self.flags & ((1 << PIPES_SHIFT) - 1) | pipes << PIPES_SHIFT;
        self
    }

    /// How many pipes it has passed.
    pub(crate) const fn pipes(&self) -> u8 {
        self.flags >> PIPES_SHIFT
    }

    /// The same path with this in the odd octet.
    pub(crate) const fn with_tag(self, tag: u8) -> Self {
        Self { tag, ..self }
    }

    /// Whether no path is here.
    pub(crate) const fn is_vacant(&self) -> bool {
        self.slot_mark >> 8 == SlotId::VACANT.0
    }

    /// Who gave it, by which channel.
    pub(crate) const fn slot(&self) -> SlotId {
        SlotId(self.slot_mark >> 8)
    }

    /// The mark of its channel when it was last confirmed.
    pub(crate) const fn mark(&self) -> u8 {
        self.slot_mark as u8
    }

    /// Confirms it: the channel is at this mark now.
    pub(crate) const fn set_mark(&mut self, mark: u8) {
        self.slot_mark = self.slot_mark & 0xffff_ff00 | mark as u32;
    }

    /// When it was last changed by its source.
    pub(crate) const fn since(&self) -> Moment {
        Moment(self.since_low as u64 | (self.since_high as u64) << 32)
    }

    /// A vacant place that remembers a number of 48 bits in place of the time.
    pub(crate) const fn vacant_with(number: u64) -> Self {
        Self::VACANT.at(Moment(number))
    }

    /// Rejected by the import filter, kept to be shown.
    pub(crate) const fn is_filtered(&self) -> bool {
        self.flags & FILTERED != 0
    }

    /// Not the best of its neighbour AS, where `deterministic med` asks for that.
    pub(crate) const fn is_suppressed(&self) -> bool {
        self.flags & SUPPRESSED != 0
    }

    /// Sets whether it is suppressed.
    pub(crate) const fn suppress(&mut self, suppressed: bool) {
        self.flags = if suppressed { self.flags | SUPPRESSED } else { self.flags & !SUPPRESSED };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_sixteen_octets_and_gives_back_what_it_was_made_from() {
        assert_eq!(size_of::<Path>(), 16);
        let now = Moment(0x1234_5678_9abc);
        let mut path = Path::new(SlotId(0xabcdef), AttrsId(7), 200, true, now);
        path.set_mark(201);
        path.suppress(true);
        assert_eq!((path.slot(), path.mark(), path.since()), (SlotId(0xabcdef), 201, now));
        assert!(path.is_filtered() && path.is_suppressed() && !path.is_vacant());
        path.suppress(false);
        assert!(path.is_filtered() && !path.is_suppressed());
        assert!(Path::VACANT.is_vacant());
        assert_eq!(Path::vacant_with(9).since().0, 9);
    }
}
