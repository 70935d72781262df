//! A member of a group: where it stands, and how what it holds differs from what the group has told.
//!
//! Most members are *clean*: each holds exactly the rows of the group, less its
//! own routes. One that joins, or whose socket is full, is *behind*: for some
//! prefixes it holds something else. Those are the prefixes that its first walk
//! has not reached, and those marked dirty; for them `held` says what was told.

use super::MemberSpec;
use super::bits::Bits;
use super::deaf::Deaf;
use super::key::MemberId;
use crate::batch::NetId;
use crate::stats::ExportStats;
use hashbrown::HashMap;

/// A walk round all prefix numbers for one member.
#[derive(Clone, Debug)]
pub(super) struct Walk {
    /// Told nothing yet of what lies ahead. Otherwise: told again, for a refresh.
    pub(super) first: bool,
    /// Send BoRR and EoRR.
    pub(super) enhanced: bool,
    /// Where it began; `None` before its first page.
    start: Option<NetId>,
    /// The next number.
    cursor: NetId,
    /// It has come past the end and began again at 0.
    wrapped: bool,
}

impl Walk {
    pub(super) fn new(first: bool, enhanced: bool) -> Self {
        Self { first, enhanced, start: None, cursor: NetId(0), wrapped: false }
    }

    /// A page from this number has come.
    pub(super) fn begin(&mut self, from: NetId) {
        if self.start.is_none() {
            self.start = Some(from);
            self.cursor = from;
        }
    }

    /// Whether the walk has still to come past a number.
    pub(super) fn is_ahead(&self, id: NetId) -> bool {
        match (self.start, self.wrapped) {
            (None, _) => true,
            (Some(start), false) => id >= self.cursor || id < start,
            (Some(start), true) => id >= self.cursor && id < start,
        }
    }

    /// The page has been told. Returns whether the walk is over.
    pub(super) fn advance(&mut self, next: Option<NetId>) -> bool {
        let start = self.start.unwrap_or(NetId(0));
        let Some(next) = next else {
            // The second end is behind the place where it began, even when nothing stands there any more.
            let is_over = self.wrapped || start == NetId(0);
            self.wrapped = true;
            self.cursor = NetId(0);
            return is_over;
        };
        self.cursor = next;
        self.wrapped && self.cursor >= start
    }
}

/// What a member that is behind holds, where that is not what the group's rows say.
#[derive(Clone, Debug)]
pub(super) enum Held {
    /// Something, for each of these prefixes.
    Nets(Bits),
    /// These path identifiers (ADD-PATH).
    Paths(HashMap<NetId, Vec<u32>>),
}

impl Held {
    pub(super) fn new(add_path: bool) -> Self {
        if add_path { Self::Paths(HashMap::new()) } else { Self::Nets(Bits::default()) }
    }

    /// Appends the path identifiers that are held of a prefix.
    pub(super) fn read(&self, id: NetId, into: &mut Vec<u32>) {
        match self {
            Self::Nets(nets) if nets.has(id) => into.push(0),
            Self::Nets(_) => {}
            Self::Paths(paths) => into.extend(paths.get(&id).into_iter().flatten()),
        }
    }

    /// Whether something is held of a prefix.
    pub(super) fn has(&self, id: NetId) -> bool {
        match self {
            Self::Nets(nets) => nets.has(id),
            Self::Paths(paths) => paths.contains_key(&id),
        }
    }

    pub(super) fn write(&mut self, id: NetId, path_ids: &[u32]) {
        match self {
            Self::Nets(nets) => {
                nets.set(id, !path_ids.is_empty());
            }
            Self::Paths(paths) if path_ids.is_empty() => {
                paths.remove(&id);
            }
            Self::Paths(paths) => {
                paths.insert(id, path_ids.to_vec());
            }
        }
    }

    /// The prefixes of which something is held.
    pub(super) fn nets(&self) -> Vec<NetId> {
        match self {
            Self::Nets(nets) => nets.iter().collect(),
            Self::Paths(paths) => paths.keys().copied().collect(),
        }
    }

    /// How many routes are held.
    pub(super) fn count(&self) -> usize {
        match self {
            Self::Nets(nets) => nets.count() as usize,
            Self::Paths(paths) => paths.values().map(Vec::len).sum(),
        }
    }
}

/// What a member takes from one group to another of the same table.
#[derive(Clone, Debug)]
pub struct Moved {
    /// What its peer was told and not told to forget.
    pub(super) held: Held,
    /// Its counters.
    pub(super) tally: Tally,
}

impl Moved {
    pub(super) fn nothing(add_path: bool) -> Self {
        Self { held: Held::new(add_path), tally: Tally::default() }
    }
}

/// A member.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) id: MemberId,
    pub(super) spec: MemberSpec,
    /// Its walk, while it is fed or refreshed.
    pub(super) walk: Option<Walk>,
    /// It has not been told everything since it joined or a refresh began.
    pub(super) feeding: bool,
    /// A refresh that was asked for while it walked already; enhanced or not.
    pub(super) refresh_next: Option<bool>,
    /// It is told nothing now: its outbox is full.
    pub(super) slow: bool,
    /// What must be told again.
    pub(super) dirty: Bits,
    /// What it holds of dirty prefixes and of those that its first walk has not reached.
    pub(super) held: Held,
    /// A walk is over, its end has not been said because some prefixes are dirty.
    pub(super) ends: Vec<super::Signal>,
    /// Own counters less those of the group.
    pub(super) own: Tally,
    /// Routes told less those of the group.
    pub(super) exported: i64,
    /// The export limit was passed and said.
    pub(super) over_limit: bool,
    /// While its routes are traced.
    pub(super) traced: super::traced::Told,
}

impl Member {
    /// Whether it may differ from the rows of the group, or is walking.
    pub(super) fn is_behind(&self) -> bool {
        self.walk.is_some() || self.slow || !self.dirty.is_empty() || !self.ends.is_empty()
    }

    /// Whether what it holds of a prefix stands in `held`, not in the rows of the group.
    pub(super) fn is_lagging(&self, id: NetId) -> bool {
        let unreached = || self.walk.as_ref().is_some_and(|w| w.first && w.is_ahead(id));
        self.dirty.has(id) || self.held.has(id) || unreached()
    }
}

/// Export counters that can be added and taken away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally([i64; 6]);

impl Tally {
    /// What one row counts for one reader.
    pub(super) fn of(offer: Offered, held: bool, told: bool) -> Self {
        let mut t = [0; 6];
        let [received, rejected, filtered, accepted, withdraws, withdrawn] = &mut t;
        match offer {
            Offered::Gone => *withdraws = 1,
            Offered::Vetoed => (*received, *rejected) = (1, 1),
            Offered::Filtered => (*received, *filtered) = (1, 1),
            Offered::Accepted if told => (*received, *accepted) = (1, 1),
            Offered::Accepted => (*received, *rejected) = (1, 1),
        }
        if held && !told {
            *withdrawn = 1;
        }
        Self(t)
    }

    pub(super) fn add(&mut self, other: Self, times: i64) {
        for (a, b) in self.0.iter_mut().zip(other.0) {
            *a += b * times;
        }
    }

    pub(super) fn stats(self) -> ExportStats {
        let [received, rejected, filtered, accepted, withdraws, withdrawn] = self.0.map(|n| n.max(0) as u64);
        ExportStats {
            updates_received: received,
            updates_rejected: rejected,
            updates_filtered: filtered,
            updates_accepted: accepted,
            withdraws_received: withdraws,
            withdraws_accepted: withdrawn,
        }
    }
}

/// Rows that go the short way, counted by what they count: few kinds, and the same members deaf to many in a row.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ledger {
    /// Who does not hear them.
    pub(super) deaf: Deaf,
    rows: [u32; Self::KINDS],
    /// How many routes more are told.
    pub(super) delta: i64,
}

impl Ledger {
    const KINDS: usize = 16;

    /// One row of a kind.
    pub(super) fn count(&mut self, offered: Offered, held: bool, told: bool) {
        let kind = offered as usize * 4 + usize::from(held) * 2 + usize::from(told);
        if let Some(rows) = self.rows.get_mut(kind) {
            *rows += 1;
        }
    }

    /// What the rows count for those who hear them, and for those who do not.
    pub(super) fn tallies(&self) -> (Tally, Tally) {
        let (mut clean, mut deaf) = (Tally::default(), Tally::default());
        for offered in Offered::ALL {
            for (held, told) in [(false, false), (false, true), (true, false), (true, true)] {
                let kind = offered as usize * 4 + usize::from(held) * 2 + usize::from(told);
                let rows = self.rows.get(kind).copied().map_or(0, i64::from);
                clean.add(Tally::of(offered, held, told), rows);
                deaf.add(Tally::of(offered, false, false), rows);
            }
        }
        (clean, deaf)
    }
}

/// What a row offers to a neighbour, as the counters see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Offered {
    /// No path.
    Gone,
    /// Vetoed.
    Vetoed,
    /// Rejected by the filter.
    Filtered,
    /// A path that passed.
    Accepted,
}

impl Offered {
    const ALL: [Self; 4] = [Self::Gone, Self::Vetoed, Self::Filtered, Self::Accepted];
}
