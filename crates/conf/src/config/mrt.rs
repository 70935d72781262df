//! `protocol mrt`: tables written to files, again and again.

use filter::Policy;
use std::sync::Arc;

/// `protocol mrt`.
#[derive(Clone, Debug)]
pub struct MrtConf {
    /// `table NAME`: this one; it counts for more than a pattern.
    pub table: Option<Arc<str>>,
    /// `table "PATTERN"`: those whose names match. Without either, the default table is meant.
    pub pattern: Option<Arc<str>>,
    /// `filename`: `%N` is the name of the table, the rest is strftime's; in a finished configuration always there.
    pub filename: Option<Arc<str>>,
    /// `period`, seconds; in a finished configuration above 0.
    pub period_s: u32,
    /// `filter`, `where`: which routes are written, and how.
    pub filter: Policy,
    /// `always add path`: every route with a path identifier, be it 0.
    pub always_add_path: bool,
}

impl Default for MrtConf {
    fn default() -> Self {
        let filter = Policy::Accept;
        Self { table: None, pattern: None, filename: None, period_s: 0, filter, always_add_path: false }
    }
}
