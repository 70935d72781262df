//! What a session asks of its neighbour (`require ...`, `min ...`, `max ...`), and how long it waits for it.

use route::Role;

/// The terms of a session (2). Times are seconds.
#[derive(Clone, Debug, PartialEq)]
pub struct TermsConf {
    /// `require route refresh`.
    pub route_refresh: bool,
    /// `require enhanced route refresh`.
    pub enhanced_refresh: bool,
    /// `require as4`.
    pub as4: bool,
    /// `require extended messages`.
    pub extended_messages: bool,
    /// `require graceful restart`.
    pub graceful_restart: bool,
    /// `require long lived graceful restart`.
    pub long_lived: bool,
    /// `require hostname`.
    pub hostname: bool,
    /// `local role` (RFC 9234).
    pub role: Option<Role>,
    /// `require roles`.
    pub role_needed: bool,
    /// `min hold time`; 0: none.
    pub least_hold_s: u32,
    /// `min keepalive time`; 0: none.
    pub least_keepalive_s: u32,
    /// `send hold time`; `None`: eight minutes, or twice the hold time where that is more; 0: none.
    pub send_hold_s: Option<u32>,
    /// `min graceful restart time`.
    pub restart_least_s: u32,
    /// `max graceful restart time`.
    pub restart_most_s: u32,
    /// `min long lived stale time`, the default of channels.
    pub stale_least_s: u32,
    /// `max long lived stale time`, the default of channels.
    pub stale_most_s: u32,
}

impl Default for TermsConf {
    fn default() -> Self {
        Self {
            route_refresh: false,
            enhanced_refresh: false,
            as4: false,
            extended_messages: false,
            graceful_restart: false,
            long_lived: false,
            hostname: false,
            role: None,
            role_needed: false,
            least_hold_s: 0,
            least_keepalive_s: 0,
            send_hold_s: None,
            restart_least_s: 0,
            restart_most_s: u32::MAX,
            stale_least_s: 0,
            stale_most_s: u32::MAX,
        }
    }
}
