//! Messages of the BGP Monitoring Protocol (RFC 7854), as a router sends them.
//!
//! Octets only: when something is told and over which connection is others'
//! business. Every function appends one whole message, or several, to a buffer
//! of the caller's. A router only talks, so nothing is read here.
//!
//! Which routes of a neighbour: those that it sent (*pre-policy*), as the very
//! messages that came; those that the import filter left (*post-policy*),
//! encoded anew from the table's sets, with AS numbers of four octets always; and
//! what it is told (RFC 8671), as the very messages again, as the export filter
//! left it or as it would have been without one.

mod routes;
mod statistics;

pub use routes::Routes;
pub use statistics::{Counters, Gauges, put_statistics};

use std::net::{IpAddr, Ipv6Addr};

/// RFC 7854 4.1.
const VERSION: u8 = 3;
/// The common header: version, length, type.
const HEADER_OCTETS: usize = 6;

/// Types of messages (RFC 7854 4.1).
mod kind {
    pub(super) const ROUTE_MONITORING: u8 = 0;
    pub(super) const STATISTICS_REPORT: u8 = 1;
    pub(super) const PEER_DOWN: u8 = 2;
    pub(super) const PEER_UP: u8 = 3;
    pub(super) const INITIATION: u8 = 4;
    pub(super) const TERMINATION: u8 = 5;
}

/// Flags of the per-peer header (RFC 7854 4.2).
mod flag {
    /// V: the address is of IPv6.
    pub(super) const IPV6: u8 = 0x80;
    /// L: routes as a filter left them.
    pub(super) const POST_POLICY: u8 = 0x40;
    /// A: AS_PATH with AS numbers of two octets.
    pub(super) const TWO_OCTETS: u8 = 0x20;
    /// O: routes that the neighbour is told (RFC 8671 4).
    pub(super) const ADJ_RIB_OUT: u8 = 0x10;
}

/// The longest text of a system's name or description: what an object of MIB-II holds (RFC 1213, DisplayString).
pub const TEXT_OCTETS_MAX: usize = 255;

/// A neighbour, as headers name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its address.
    pub addr: IpAddr,
    /// Its AS.
    pub asn: u32,
    /// Its BGP identifier.
    pub router_id: u32,
    /// Its session has AS numbers of four octets.
    pub as4: bool,
}

/// Which of a neighbour's routes a message speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum View {
    /// As they came.
    InPrePolicy,
    /// As the import filter left them.
    InPostPolicy,
    /// What it would be told if there were no export filter.
    OutPrePolicy,
    /// What it is told.
    OutPostPolicy,
}

impl View {
    /// The flags of the per-peer header. What the session carries has its AS numbers.
    const fn flags(self, as4: bool) -> u8 {
        let two_octets = if as4 { 0 } else { flag::TWO_OCTETS };
        match self {
            Self::InPrePolicy => two_octets,
            Self::InPostPolicy => flag::POST_POLICY,
            Self::OutPrePolicy => flag::ADJ_RIB_OUT | two_octets,
            Self::OutPostPolicy => flag::ADJ_RIB_OUT | flag::POST_POLICY | two_octets,
        }
    }
}

/// Our end of a session and its two OPENs, whole messages with headers.
#[derive(Clone, Copy, Debug)]
pub struct Opened<'a> {
    /// Our address.
    pub local_addr: IpAddr,
    /// Our port.
    pub local_port: u16,
    /// The neighbour's port.
    pub remote_port: u16,
    /// Our OPEN.
    pub sent: &'a [u8],
    /// The neighbour's OPEN.
    pub received: &'a [u8],
}

/// How a session ended (RFC 7854 4.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Down<'a> {
    /// We sent this NOTIFICATION, a whole message.
    Notified(&'a [u8]),
    /// We closed it without a word; the event of RFC 4271 8.1 that was the reason, 0 when there is none.
    Silently(u16),
    /// The neighbour sent this NOTIFICATION.
    WasNotified(&'a [u8]),
    /// The neighbour closed it without a word, or the connection broke.
    Lost,
    /// The station is told no more of this neighbour.
    Deconfigured,
}

/// Why we take leave of a station (RFC 7854 4.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The operator wants it.
    Administrative,
    /// We can not hold what it has not taken.
    OutOfResources,
}

/// Appends the message that begins a connection.
pub fn put_initiation(out: &mut Vec<u8>, description: &str, name: &str) {
    const DESCRIPTION: u16 = 1;
    const NAME: u16 = 2;
    message(out, kind::INITIATION, |out| {
        put_text(out, DESCRIPTION, description);
        put_text(out, NAME, name);
    });
}

/// Appends the message that ends a connection.
pub fn put_termination(out: &mut Vec<u8>, reason: Reason) {
    const REASON: u16 = 1;
    let code: u16 = match reason {
        Reason::Administrative => 0,
        Reason::OutOfResources => 2,
    };
    message(out, kind::TERMINATION, |out| {
        for word in [REASON, 2, code] {
            out.extend(word.to_be_bytes());
        }
    });
}

/// Appends the message that a session stands.
pub fn put_peer_up(out: &mut Vec<u8>, peer: &Peer, opened: &Opened<'_>) {
    message(out, kind::PEER_UP, |out| {
        put_peer(out, peer, 0, 0);
        put_addr(out, opened.local_addr);
        out.extend(opened.local_port.to_be_bytes());
        out.extend(opened.remote_port.to_be_bytes());
        out.extend(opened.sent);
        out.extend(opened.received);
    });
}

/// Appends the message that a session is over.
pub fn put_peer_down(out: &mut Vec<u8>, peer: &Peer, down: Down<'_>) {
    message(out, kind::PEER_DOWN, |out| {
        put_peer(out, peer, 0, 0);
        match down {
            Down::Notified(notification) => {
                out.push(1);
                out.extend(notification);
            }
            Down::Silently(event) => {
                out.push(2);
                out.extend(event.to_be_bytes());
            }
            Down::WasNotified(notification) => {
                out.push(3);
                out.extend(notification);
            }
            Down::Lost => out.push(4),
            Down::Deconfigured => out.push(5),
        }
    });
}

/// Appends a message with an UPDATE, a whole message as it came or would come from the neighbour, or goes to it.
/// `at_us`: when that was, microseconds since 1970.
pub fn put_update(out: &mut Vec<u8>, peer: &Peer, view: View, at_us: u64, update: &[u8]) {
    message(out, kind::ROUTE_MONITORING, |out| {
        put_peer(out, peer, view.flags(peer.as4), at_us);
        out.extend(update);
    });
}

/// Appends the UPDATEs among messages that stand one behind the other, each in a message of its own.
pub fn put_updates(out: &mut Vec<u8>, peer: &Peer, view: View, at_us: u64, messages: &[u8]) {
    /// Where a message says what it is (RFC 4271 4.1).
    const KIND_AT: usize = 18;
    /// What an UPDATE says.
    const UPDATE: u8 = 2;
    each_message(messages, |message| {
        if message.get(KIND_AT) == Some(&UPDATE) {
            put_update(out, peer, view, at_us, message);
        }
    });
}

/// Calls `take` with each of the messages that stand one behind the other.
fn each_message(octets: &[u8], mut take: impl FnMut(&[u8])) {
    /// Where a message says how long it is (RFC 4271 4.1).
    const LENGTH_AT: std::ops::Range<usize> = 16..18;
    let mut rest = octets;
    while let Some([high, low]) = rest.get(LENGTH_AT) {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let Some((message, behind)) = rest.split_at_checked(length).filter(|_| length > 0) else { return };
        take(message);
        rest = behind;
    }
}

/// Appends a message: the common header, whose length is filled in last.
fn message(out: &mut Vec<u8>, kind: u8, body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend([VERSION, 0, 0, 0, 0, kind]);
    body(out);
    let octets = u32::try_from(out.len() - start).unwrap_or(u32::MAX);
    if let Some(place) = out.get_mut(start + 1..start + HEADER_OCTETS - 1) {
        place.copy_from_slice(&octets.to_be_bytes());
    }
}

/// Appends the per-peer header (RFC 7854 4.2). Type 0 and no distinguisher: all our neighbours are of one instance.
fn put_peer(out: &mut Vec<u8>, peer: &Peer, flags: u8, at_us: u64) {
    const MICROSECONDS: u64 = 1_000_000;
    let family = if peer.addr.is_ipv6() { flag::IPV6 } else { 0 };
    out.extend([0, flags | family]);
    out.extend([0; 8]);
    put_addr(out, peer.addr);
    out.extend(peer.asn.to_be_bytes());
    out.extend(peer.router_id.to_be_bytes());
    out.extend(u32::try_from(at_us / MICROSECONDS).unwrap_or(u32::MAX).to_be_bytes());
    out.extend(((at_us % MICROSECONDS) as u32).to_be_bytes());
}

/// 16 octets; an IPv4 address stands in the last four (RFC 7854 4.2).
fn put_addr(out: &mut Vec<u8>, addr: IpAddr) {
    let octets = match addr {
        IpAddr::V4(v4) => Ipv6Addr::from(u128::from(v4.to_bits())).octets(),
        IpAddr::V6(v6) => v6.octets(),
    };
    out.extend(octets);
}

/// An information of text (RFC 7854 4.4), cut to what it may have.
fn put_text(out: &mut Vec<u8>, kind: u16, text: &str) {
    let end = (0..=TEXT_OCTETS_MAX.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    let text = text.get(..end.unwrap_or(0)).unwrap_or_default();
    out.extend(kind.to_be_bytes());
    out.extend((text.len() as u16).to_be_bytes());
    out.extend(text.as_bytes());
}
