//! What is told of sessions of BFD.

use route::Moment;
use std::net::IpAddr;
use std::sync::Arc;

/// A session of BFD.
#[derive(Clone, Debug)]
pub struct BfdSessionView {
    /// The neighbour.
    pub remote: IpAddr,
    /// The link, of a neighbour one hop away.
    pub iface: Option<Arc<str>>,
    /// `Up`, `Down`, `Init`.
    pub state: &'static str,
    /// When that state began.
    pub since: Moment,
    /// Between two packets of ours, microseconds.
    pub interval_us: u64,
    /// The detection time, microseconds; 0 while the neighbour is not heard.
    pub timeout_us: u64,
    /// What `all` shows.
    pub detail: BfdDetail,
}

/// The rest of a session of BFD; times are microseconds.
#[derive(Clone, Debug, Default)]
pub struct BfdDetail {
    /// The neighbour's state.
    pub remote_state: &'static str,
    /// Why ours is not up, as RFC 5880 4.1 numbers it.
    pub diagnostic: u8,
    /// The same of the neighbour.
    pub remote_diagnostic: u8,
    /// Our number of the session.
    pub discriminator: u32,
    /// The neighbour's; 0 while it is not heard.
    pub remote_discriminator: u32,
    /// Until the next packet of ours, while any is sent.
    pub send_in_us: Option<u64>,
    /// Until the neighbour is taken for dead, while it is heard.
    pub expires_in_us: Option<u64>,
    /// Ours.
    pub ours: BfdPace,
    /// The neighbour's.
    pub theirs: BfdPace,
    /// Auth Type (RFC 5880 4.1); 0 without.
    pub auth: u8,
    /// The neighbour's last sequence number, when one is known.
    pub seen_sequence: Option<u32>,
    /// Ours.
    pub sent_sequence: u32,
}

/// The parameters of one side.
#[derive(Clone, Copy, Debug, Default)]
pub struct BfdPace {
    /// Between two packets it sends.
    pub min_tx_us: u32,
    /// Between two packets it takes.
    pub min_rx_us: u32,
    /// Demand mode.
    pub demand: bool,
    /// Detect Mult.
    pub multiplier: u8,
}
