//! Where packets go: the destination as asked for, and what it resolved to.
//!
//! The two are kept apart on purpose. An attribute set carries a [`Dest`]: what
//! the protocol or a filter asked for. A table resolves it once per distinct
//! next hop and keeps the [`Resolved`] beside the path, so a change in the IGP
//! never touches an attribute set.

use crate::{IfIndex, TableId};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

/// One way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Hop {
    /// The router to hand the packet to; `None` when the destination is on the link itself.
    pub gateway: Option<IpAddr>,
    /// The link; 0 in a [`Dest`] means: the link on which the gateway lies.
    pub iface: IfIndex,
    /// The gateway is taken to be on the link although no address says so.
    pub onlink: bool,
    /// Share of a multipath route, 0 ..= 255; the kernel's `weight` is one more.
    pub weight: u8,
}

impl Hop {
    /// Through a gateway on a link; `IfIndex(0)`: wherever the gateway lies.
    pub const fn via(gateway: IpAddr, iface: IfIndex) -> Self {
        Self { gateway: Some(gateway), iface, onlink: false, weight: 0 }
    }

    /// Directly on a link.
    pub const fn dev(iface: IfIndex) -> Self {
        Self { gateway: None, iface, onlink: false, weight: 0 }
    }
}

/// A destination as asked for, part of an attribute set's identity.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Dest {
    /// One way; a gateway that lies on no link of ours makes the route unreachable or dormant.
    Via(Hop),
    /// Several ways at once.
    Multipath(Arc<[Hop]>),
    /// Look the gateway up in a table, and again whenever that changes.
    Recursive(Recursive),
    /// Drop silently.
    Blackhole,
    /// Drop with ICMP host unreachable.
    Unreachable,
    /// Drop with ICMP administratively prohibited.
    Prohibit,
    /// What a recursive next hop had resolved to when a pipe handed the route on.
    Carried(Arc<Carried>),
}

/// An answer that a pipe brought from another table: it is not looked up again here.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Carried {
    /// Where packets go.
    pub to: Resolved,
    /// The distance; `None` when there is no way.
    pub igp_metric: Option<u32>,
}

/// A next hop to be looked up.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Recursive {
    /// The address to look up.
    pub gateway: IpAddr,
    /// The table to look it up in (`igp table`).
    pub table: TableId,
    /// What is used as the gateway when the address turns out to be on a link (IPv6 link-local next hop).
    pub link_local: Option<Box<Ipv6Addr>>,
}

/// What a destination resolved to, as the kernel would be told.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Resolved {
    /// One way out, link known.
    Unicast(Hop),
    /// Several ways out, links known, in BIRD's order.
    Multipath(Arc<[Hop]>),
    /// Drop silently.
    Blackhole,
    /// Drop with ICMP; also: a recursive next hop without a way.
    Unreachable,
    /// Drop with ICMP administratively prohibited.
    Prohibit,
}

/// The IGP metric of a next hop that is reached, but through a route that has no metric.
///
/// BIRD's value. It is no infinity: a metric that a filter sets may be higher, ranks behind it, and is shown as unknown.
pub const IGP_METRIC_UNKNOWN: u32 = 0x8000_0000;

/// How far a next hop is, if that is known: 0 when it did not have to be looked up.
pub const fn distance(to: &Resolved, igp_metric: Option<u32>) -> Option<u32> {
    match (to, igp_metric) {
        (Resolved::Unicast(_) | Resolved::Multipath(_), None) => Some(0),
        (Resolved::Unicast(_) | Resolved::Multipath(_), Some(metric @ ..IGP_METRIC_UNKNOWN)) => Some(metric),
        _ => None,
    }
}
