//! `protocol aggregator`: the routes of a prefix that are alike, made into one.

use filter::{Filter, RouteKey};
use std::sync::Arc;

/// `protocol aggregator`. Of its two channels the first reads (`table`, `export`), the second gives (`peer table`, `import`).
#[derive(Clone, Debug, Default)]
pub struct AggregatorConf {
    /// `peer table`; in a finished configuration always there.
    pub peer_table: Option<Arc<str>>,
    /// `aggregate on`: routes of which all of these are equal are made into one.
    pub keys: Arc<[RouteKey]>,
    /// `merge by`; in a finished configuration always there.
    pub merge: Option<Arc<Filter>>,
}
