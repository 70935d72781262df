//! Export groups: what neighbours are told, worked out once for all that would be told the same.
//!
//! A [`Group`] is a plain struct with `&mut self`. It is given change batches of
//! one table and answers with an [`Advance`]: what to say now, and to whom. It
//! knows no messages, sockets or threads; whoever owns it encodes and delivers.
//!
//! How a change becomes words: the [`Judge`] says, once for an attribute set, what
//! a path looks like for these neighbours, or why it is not told. The group
//! compares with what it told before (`told`) and writes down the difference. A
//! member that joins, asks for a refresh or has fallen behind (`member`) is an
//! exception that is worked out beside the others; all of that is one mechanism:
//! prefixes for which a member holds something else than the rows of the group
//! say, told again by a walk or by their marks.

mod advance;
mod anew;
mod bits;
mod deaf;
mod diff;
mod group;
mod judge;
pub mod key;
mod member;
mod outs;
mod passage;
mod rewrite;
mod told;
mod traced;
mod walks;

pub use advance::{Advance, Audience, Run, Signal};
pub use bits::Bits;
pub use group::{Group, Part, Slot};
pub use judge::{Judge, Offer, Remark};
pub use key::{GroupKey, LinkLocalFormat, MemberId, MemberSpec, MissingLladdr, NextHopRules, RoutesOf};
pub use member::Moved;

use route::AttrSet;

/// How many prefixes a chunk of a per-prefix store holds.
const CHUNK_NETS: usize = 4096;

/// What judging says of one path for one neighbour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// How far the path came.
    pub verdict: ExportVerdict,
    /// The attributes as they stood where the verdict fell: of an accepted path, as they are sent (with
    /// its local part), or, where they are rewritten behind the filter, as it left them; of a filtered one,
    /// as the filter left them.
    pub attrs: AttrSet,
    /// The attributes that the export filter saw (`show route preexport`).
    pub before_filter: AttrSet,
    /// The filter has set scope, preference or another field, be it to what was there.
    pub anew: bool,
    /// The neighbour holds a route to the prefix, and this path is accepted.
    pub told: bool,
}

/// How far a path comes on its way to a neighbour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ExportVerdict {
    /// Kept back by the protocol before the filter: not in `export`, `preexport` or `noexport`.
    Vetoed,
    /// Rejected by the export filter: in `preexport` and `noexport`.
    Filtered,
    /// Told, or would be: in `preexport` and `export`.
    Accepted,
}
