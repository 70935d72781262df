//! What a machine is told about the neighbour and about itself.

use crate::Terms;
use route::Family;
use route::options::SessionTimes;
use std::net::IpAddr;
use wire::{Capabilities, PerFamily};

/// The options that a machine reads. Times are seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The neighbour's address, for the log.
    pub peer_addr: IpAddr,
    /// Our AS.
    pub local_as: u32,
    /// The AS that the neighbour must have; 0: any but ours.
    pub peer_as: u32,
    /// Our BGP identifier.
    pub router_id: u32,
    /// What we announce; `None`: no optional parameter at all (`capabilities off`).
    pub capabilities: Option<Capabilities>,
    /// We never open a connection.
    pub passive: bool,
    /// How long it waits, and for what.
    pub times: SessionTimes,
    /// An error disables the protocol.
    pub disable_after_error: bool,
    /// The subcodes of a received Cease that disable the protocol, a bit each.
    pub disable_after_cease: u32,
    /// What the neighbour must be able to do for our channels, or there is no session.
    pub required: Required,
    /// ... and for the session as such.
    pub terms: Terms,
    /// Routes of a neighbour that restarts gracefully are kept (RFC 4724).
    pub restart_helper: bool,
    /// ... and for long (RFC 9494).
    pub long_lived_helper: bool,
    /// ... of a family at least and at most for so many seconds, whatever the neighbour announced.
    pub long_lived_bounds_s: PerFamily<(u32, u32)>,
}

/// What the neighbour must be able to do (`mandatory`, `require ...` of channels).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Required {
    /// Families that it must speak.
    pub families: Vec<Family>,
    /// Of IPv4, if it is spoken: IPv6 next hops (RFC 8950).
    pub extended_next_hop: bool,
    /// Families in which, if they are spoken, it must send and take path identifiers as we offer (RFC 7911).
    pub add_paths: Vec<Family>,
}

impl Config {
    /// Both ends in one AS.
    pub const fn is_internal(&self) -> bool {
        self.local_as == self.peer_as
    }
}
