//! Export groups: what neighbours are told, worked out once for all that would be told the same.
//!
//! A group is a plain struct with `&mut self`. It is given change batches of one
//! table and answers with an [`Advance`]: what to say now, and to whom. It knows
//! no messages, sockets or threads; whoever owns it encodes and delivers.

pub mod key;

pub use key::{GroupKey, MemberId, MemberSpec, MissingLladdr, NextHopMode};

use route::AttrSet;

/// What judging says of one path for one neighbour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// How far the path came.
    pub verdict: ExportVerdict,
    /// The attributes as they stood where the verdict fell: of an accepted path, those that are sent;
    /// of a filtered one, those that the filter saw.
    pub attrs: AttrSet,
    /// The attributes that the export filter saw (`show route preexport`).
    pub before_filter: AttrSet,
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
