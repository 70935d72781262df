//! What goes into a table and what comes out: the words between the rooms.
//!
//! Into it go [`Act`]s: everything that a channel does to a table, in one queue
//! and one order. Each act carries its channel and the channel's generation; an
//! act of another generation is dropped, so a batch that was in flight when its
//! session fell cannot come alive again. Down is an act like others.
//!
//! Out of it come [`ChangeBatch`]es: immutable, with the values inside, shared by
//! all readers. Rows point into palettes (attribute sets, resolved next hops,
//! sources), so a batch costs one reference count per distinct value and none
//! per row.

pub use crate::pipe::{Opaque, PipeSpec, Piped};
use filter::Filter;
pub use route::options::{Limit, LimitAction};
use route::{AttrSet, ChannelId, Family, Moment, Prefix, Resolved, Source, SourceId, TableId};
use std::ops::Range;
use std::sync::Arc;

/// Marks the life of a channel: one more each time the protocol comes up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Generation(pub u32);

/// The number of a prefix in its table. Given again only behind the slowest reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NetId(pub u32);

/// Something a channel does to its table.
#[derive(Debug)]
pub struct Act {
    /// Who.
    pub channel: ChannelId,
    /// In which of its lives.
    pub generation: Generation,
    /// What.
    pub deed: Deed,
}

/// The deeds of a channel, in the order of its life.
#[derive(Debug)]
pub enum Deed {
    /// The channel comes up: begins the generation named by the act. Paths of an earlier one that
    /// were retained (graceful restart) stay until [`Deed::Sweep`]; limits and counters of state start anew.
    Up(Box<ChannelSpec>),
    /// A source of this channel, before its first row; or a new record for a known source.
    Source(Arc<Source>),
    /// Announcements and withdrawals.
    Import(ImportBatch),
    /// The channel is one direction of a pipe and judges so from now on; its limits open again.
    Pipe(Box<PipeSpec>),
    /// What the table at the other end of the pipe says.
    Piped(Piped),
    /// Everything that stands from this channel is stale until announced again (refresh, restart).
    MarkStale,
    /// Removes what is still stale.
    Sweep,
    /// Adds LLGR_STALE to what is stale and removes what carries NO_LLGR (RFC 9494 4.2).
    LongLived,
    /// New options while up: limits, late filter, keep filtered. Paths stay as they are.
    Reconfigure(Box<ChannelSpec>),
    /// Limits that were passed open again (`reload`). What they kept back comes when it is announced again.
    OpenLimits,
    /// The channel goes down and its paths with it.
    Down,
    /// The channel goes down, its paths stay and are stale (graceful restart).
    DownRetaining,
}

/// What a table must know of a channel that imports.
#[derive(Clone, Debug)]
pub struct ChannelSpec {
    /// The table's family must be this.
    pub family: Family,
    /// Import filter that must run after the next hop is resolved; `None` when the session ran it already.
    pub late_filter: Option<Arc<Filter>>,
    /// Rejected routes stay, marked.
    pub keep_filtered: bool,
    /// `receive limit`: counts all routes.
    pub receive_limit: Option<Limit>,
    /// `import limit`: counts accepted routes.
    pub import_limit: Option<Limit>,
}

/// The three limits of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitKind {
    /// `receive limit`.
    Receive,
    /// `import limit`.
    Import,
    /// `export limit`.
    Export,
}

/// What one read of a socket brought: few attribute sets, many prefixes.
#[derive(Debug, Default)]
pub struct ImportBatch {
    /// The distinct attribute sets; rows point into it.
    pub palette: Vec<AttrSet>,
    /// In the order of arrival.
    pub rows: Vec<ImportRow>,
}

/// One announcement or withdrawal.
#[derive(Clone, Copy, Debug)]
pub struct ImportRow {
    /// The prefix.
    pub net: Prefix,
    /// Who says so; a [`Deed::Source`] has introduced it.
    pub source: SourceId,
    /// What is said.
    pub what: What,
}

/// What a row says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// A route, accepted by the import filter or waiting for the late one; the number of its set in the palette.
    Announce(u32),
    /// A route that the import filter rejected, as the filter left it. Withdraws what stood before, and counts.
    Filtered(u32),
    /// A route that is no valid announcement (bogus prefix), with the number of its set. Withdraws what stood
    /// before, and counts as rejected.
    Invalid(u32),
    /// The route is gone.
    Withdraw,
}

/// What a table has to tell about a channel while it applies acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TableEvent {
    /// A limit was passed; said once until the channel comes up again.
    Limit {
        /// Whose.
        channel: ChannelId,
        /// In which of its lives.
        generation: Generation,
        /// Which of the three.
        which: LimitKind,
        /// The limit.
        limit: Limit,
    },
    /// The export side of a channel has told all that stood when it joined, or when it was asked to tell again.
    Fed {
        /// Whose.
        channel: ChannelId,
        /// In which of its lives.
        generation: Generation,
    },
    /// A line that a late filter printed, for the log, class info.
    Printed {
        /// Whose.
        channel: ChannelId,
        /// The line.
        text: String,
    },
    /// A line of the table itself, for the log at warning level (a next hop behind a recursive route).
    Warning {
        /// BIRD's words.
        text: String,
    },
    /// A message for the log at error level, without the protocol's name in front (pipe collision, late filter).
    Log {
        /// Whose.
        channel: ChannelId,
        /// BIRD's words.
        text: String,
    },
}

/// What a reader wants to know of each changed prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reading {
    /// The best path only.
    Best,
    /// All paths in the table's order (`secondary`, `merge paths`, ADD-PATH).
    All,
    /// Each path that came, changed or went, by itself (transparent pipes): the cost of a change is
    /// that of its path, however many others its prefix has. Pages hold all paths.
    Each,
}

/// Changes of a table, sealed: for each changed prefix what *is*, not what happened.
#[derive(Debug)]
pub struct ChangeBatch {
    /// The table.
    pub table: TableId,
    /// One more with each batch of the journal; a page of a feed carries the number of the last batch it includes.
    pub seq: u64,
    /// Attribute sets; paths point into it.
    pub palette: Vec<AttrSet>,
    /// Resolved next hops; paths point into it.
    pub hops: Vec<ResolvedHop>,
    /// Sources; paths point into it. A source that came by two channels stands here twice.
    pub sources: Vec<Arc<Source>>,
    /// For each of `sources` the channel that brought it into the table.
    pub channels: Vec<ChannelId>,
    /// The changed prefixes. In a page of a feed: in the order of their numbers.
    pub rows: Vec<ChangeRow>,
    /// The paths of the rows, and those of `each`.
    pub paths: Vec<Path>,
    /// The paths that came, changed or went, in the order of first change; only while somebody reads [`Reading::Each`].
    pub each: Vec<EachPath>,
}

/// One path that came, changed or went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EachPath {
    /// Of this prefix, by its number.
    pub id: NetId,
    /// The prefix.
    pub net: Prefix,
    /// Index into [`ChangeBatch::sources`].
    pub source: u32,
    /// Index into [`ChangeBatch::paths`]; `None`: it is gone.
    pub path: Option<u32>,
}

/// A resolved next hop with its distance.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ResolvedHop {
    /// Where packets go.
    pub to: Resolved,
    /// The distance to a recursive next hop: `None` when it is not recursive,
    /// [`route::hop::IGP_METRIC_UNKNOWN`] when no metric is known.
    pub igp_metric: Option<u32>,
    /// The next hop was asked for recursively.
    pub recursive: bool,
}

impl ResolvedHop {
    /// How far it is, if that is known: 0 when it did not have to be looked up.
    pub const fn distance(&self) -> Option<u32> {
        route::hop::distance(&self.to, self.igp_metric)
    }
}

/// One changed prefix.
#[derive(Clone, Debug)]
pub struct ChangeRow {
    /// Its number in the table.
    pub id: NetId,
    /// The prefix.
    pub net: Prefix,
    /// The valid (not filtered) paths in the table's order, best first; empty when there is none.
    /// Only the best unless somebody reads [`Reading::All`].
    pub paths: Range<u32>,
    /// How many paths in front stand, with all that they are, as when the journal last spoke of the prefix: who was
    /// told one of them then need not be told again. 0 in a page, and where it is not known.
    pub unmoved: u8,
}

/// One path of a changed prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Path {
    /// Index into [`ChangeBatch::sources`].
    pub source: u32,
    /// Index into [`ChangeBatch::palette`].
    pub attrs: u32,
    /// Index into [`ChangeBatch::hops`].
    pub hop: u32,
    /// Kept from a peer that restarts (RFC 4724), or long-lived stale.
    pub stale: bool,
    /// Not the best of its neighbour AS (`deterministic med`).
    pub suppressed: bool,
    /// How many pipes it has passed.
    pub pipes: u8,
    /// When it was last changed by its source.
    pub since: Moment,
}

impl ChangeBatch {
    /// The paths of a row, best first.
    pub fn paths_of(&self, row: &ChangeRow) -> &[Path] {
        self.paths.get(row.paths.start as usize..row.paths.end as usize).unwrap_or_default()
    }
}
