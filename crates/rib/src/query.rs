//! What can be asked of a table: plain values, copied out in pages.
//!
//! Nothing here holds a reference into a table, so whoever prints or sends it
//! may take its time while the table changes.

use crate::batch::{NetId, ResolvedHop};
use route::{AttrSet, Family, Moment, Prefix, Source, TableId};
use std::sync::Arc;

/// What makes a table.
#[derive(Clone, Debug)]
pub struct TableSpec {
    /// Its number.
    pub id: TableId,
    /// Its name, as the operator wrote it.
    pub name: Arc<str>,
    /// What kind of prefixes it holds.
    pub family: Family,
    /// `sorted`: the paths of a prefix stand in the order of the decision, not in the order of their links.
    pub sorted: bool,
}

/// How much there is in a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Prefixes with at least one path.
    pub networks: u32,
    /// Paths, filtered ones that are kept included.
    pub routes: u32,
    /// Of these: rejected by an import filter and kept.
    pub filtered: u32,
    /// Distinct attribute sets.
    pub attr_sets: u32,
    /// Distinct next hops.
    pub hops: u32,
    /// Octets of memory in use, attribute sets included, the allocator's overhead not.
    pub octets: u64,
}

/// A prefix and its paths.
#[derive(Clone, Debug)]
pub struct NetView {
    /// Its number.
    pub id: NetId,
    /// The prefix.
    pub net: Prefix,
    /// In the table's order, filtered ones included; the best, when there is one, is marked.
    pub paths: Vec<PathView>,
}

/// A path as the control socket shows it.
#[derive(Clone, Debug)]
pub struct PathView {
    /// Its attributes.
    pub attrs: AttrSet,
    /// Who gave it.
    pub source: Arc<Source>,
    /// Where packets go.
    pub hop: ResolvedHop,
    /// When its source last changed it.
    pub since: Moment,
    /// Rejected by the import filter, kept for the operator to see.
    pub filtered: bool,
    /// Not confirmed since its source restarted or began a refresh.
    pub stale: bool,
    /// The best path of its prefix.
    pub best: bool,
}
