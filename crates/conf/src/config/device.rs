//! `protocol device`: the links and their addresses.

use super::{Dialect, IfacePattern};
use route::Prefix;
use std::net::IpAddr;
use std::time::Duration;

/// `protocol device`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceConf {
    /// `scan time`.
    pub scan_time: Duration,
    /// `primary` (1.6): for links that the patterns choose, the prefix of the preferred address.
    pub primary: Vec<(Vec<IfacePattern>, Prefix)>,
    /// `interface ... { preferred ...; }` (2): the first that chooses a link counts, and of its addresses of a family
    /// the last.
    pub preferred: Vec<(Vec<IfacePattern>, Vec<IpAddr>)>,
    /// Of several addresses the lowest that reaches beyond the link stands for it (1.6); in 2 the first.
    pub prefers_lowest: bool,
}

impl DeviceConf {
    /// The defaults of a dialect.
    pub fn of(dialect: Dialect) -> Self {
        Self { prefers_lowest: dialect == Dialect::V1, ..Self::default() }
    }
}

impl Default for DeviceConf {
    fn default() -> Self {
        Self { scan_time: Duration::from_secs(60), primary: Vec::new(), preferred: Vec::new(), prefers_lowest: true }
    }
}
