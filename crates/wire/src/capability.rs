//! Capabilities (RFC 5492): what a speaker says it can do.

use route::Family;

/// All capabilities of one OPEN.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// Multiprotocol (1), in the order given.
    pub families: Vec<Family>,
    /// Multiprotocol was announced, if only for families that we do not know.
    pub multiprotocol: bool,
    /// Route refresh (2).
    pub route_refresh: bool,
    /// Extended messages (6).
    pub extended_messages: bool,
    /// Graceful restart (64).
    pub graceful_restart: Option<GracefulRestart>,
    /// Four-octet AS numbers (65), with the AS.
    pub as4: Option<u32>,
    /// ADD-PATH (69), per family.
    pub add_paths: Vec<AddPath>,
    /// Enhanced route refresh (70).
    pub enhanced_refresh: bool,
    /// Long-lived graceful restart (71).
    pub long_lived: Option<Vec<LongLivedFamily>>,
    /// Capabilities that we do not know: code and value, as received.
    pub unknown: Vec<(u8, Vec<u8>)>,
}

/// Graceful restart (RFC 4724 3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GracefulRestart {
    /// The R bit: the speaker has restarted.
    pub restarting: bool,
    /// Seconds, 0 ..= 4095.
    pub time_s: u16,
    /// Families with their F bit: forwarding state was kept.
    pub families: Vec<(Family, bool)>,
}

/// ADD-PATH for one family (RFC 7911 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddPath {
    /// The family.
    pub family: Family,
    /// Able to receive several paths.
    pub receive: bool,
    /// Able to send several paths.
    pub send: bool,
}

/// Long-lived graceful restart for one family (RFC 9494 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LongLivedFamily {
    /// The family.
    pub family: Family,
    /// The F bit.
    pub forwarding: bool,
    /// Seconds, 24 bits.
    pub stale_time_s: u32,
}
