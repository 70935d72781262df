//! `protocol device`: the links and their addresses.

use super::IfacePattern;
use route::Prefix;
use std::time::Duration;

/// `protocol device`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceConf {
    /// `scan time`.
    pub scan_time: Duration,
    /// `primary` / `preferred`: for links that match, the prefix of the preferred address.
    pub primary: Vec<(IfacePattern, Prefix)>,
}

impl Default for DeviceConf {
    fn default() -> Self {
        Self { scan_time: Duration::from_secs(60), primary: Vec::new() }
    }
}
