//! OPEN messages (RFC 4271 4.2, RFC 5492, RFC 9072).

use crate::Capabilities;

/// An OPEN, sent or received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    /// The sender's AS: of the four-octet capability if it has one, else of the fixed field.
    pub asn: u32,
    /// Seconds; 0 means no keepalives. A received value may still be the unacceptable 1 or 2.
    pub hold_time_s: u16,
    /// BGP identifier.
    pub router_id: u32,
    /// What the sender can do. `None`: no optional parameter at all.
    pub capabilities: Option<Capabilities>,
}
