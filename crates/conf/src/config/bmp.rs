//! `protocol bmp`: a monitoring station that is told of neighbours and their routes.

use std::net::IpAddr;
use std::sync::Arc;

/// `protocol bmp`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BmpConf {
    /// `station address ip`; in a finished configuration always there.
    pub station_addr: Option<IpAddr>,
    /// `station address port`; in a finished configuration above 0.
    pub station_port: u16,
    /// `local address`.
    pub local_addr: Option<IpAddr>,
    /// `system name`.
    pub system_name: Arc<str>,
    /// `system description`.
    pub system_description: Arc<str>,
    /// `monitoring rib in pre_policy`: what neighbours send.
    pub pre_policy: bool,
    /// `monitoring rib in post_policy`: what the import filters left of it.
    pub post_policy: bool,
    /// `monitoring rib out pre_policy`: what they would be told if there were no export filters (RFC 8671).
    pub out_pre_policy: bool,
    /// `monitoring rib out post_policy`: what they are told.
    pub out_post_policy: bool,
    /// `statistics interval`, seconds; 0: no reports.
    pub statistics_s: u32,
    /// `tx buffer limit`, megabytes: the connection ends when more waits for it.
    pub buffer_megabytes: u32,
}

impl Default for BmpConf {
    fn default() -> Self {
        Self {
            station_addr: None,
            station_port: 0,
            local_addr: None,
            system_name: "Not defined".into(),
            system_description: "Not defined".into(),
            pre_policy: false,
            post_policy: false,
            out_pre_policy: false,
            out_post_policy: false,
            statistics_s: 0,
            buffer_megabytes: 1024,
        }
    }
}
