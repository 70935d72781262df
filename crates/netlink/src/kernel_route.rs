//! Routes as the kernel holds them.

use route::{Family, Hop, Prefix, Resolved};
use std::net::IpAddr;
use std::sync::Arc;

/// `proto bird`: the mark of our routes.
pub const PROTO_BIRD: u8 = 12;
/// `proto kernel`: made by the kernel itself, for addresses.
pub const PROTO_KERNEL: u8 = 2;
/// `proto redirect`: learned from ICMP.
pub const PROTO_REDIRECT: u8 = 1;
/// The main table.
pub const TABLE_MAIN: u32 = 254;
/// The scope of routes to anywhere.
pub const SCOPE_UNIVERSE: u8 = 0;
/// The scope of routes to a link.
pub const SCOPE_LINK: u8 = 253;
/// The metric that the kernel puts into IPv6 routes without one.
pub const IPV6_METRIC_DEFAULT: u32 = 1024;

/// All of a route but its prefix and its table: what we want of the kernel, and what it says that it has.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KernelRoute {
    /// Where packets go; links are known in every hop.
    pub dest: Resolved,
    /// Lower wins; with the prefix it is the identity of a route in a table.
    /// 0 in an IPv6 route that we want stands for [`IPV6_METRIC_DEFAULT`].
    pub metric: u32,
    /// RT_SCOPE_*; means something for IPv4 only.
    pub scope: u8,
    /// The source address that the kernel prefers for packets that start here.
    pub prefsrc: Option<IpAddr>,
    /// The realm, IPv4 only.
    pub realm: Option<u32>,
    /// `None` when it says none, which is nearly always.
    pub metrics: Option<Arc<Metrics>>,
}

/// What a route says of connections over it: RTAX_*.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Metrics {
    /// By number, in rising order, values not 0.
    pub numbers: Box<[(u16, u32)]>,
    /// The name of the algorithm against congestion.
    pub congctl: Option<Box<str>>,
}

impl Metrics {
    /// These, numbers in rising order; `None` when there is nothing.
    pub fn new(numbers: Vec<(u16, u32)>, congctl: Option<Box<str>>) -> Option<Arc<Self>> {
        let says = !numbers.is_empty() || congctl.is_some();
        says.then(|| Arc::new(Self { numbers: numbers.into(), congctl }))
    }
}

impl KernelRoute {
    /// A route to this destination, with the scope that BIRD gives and nothing special. (Of a link beside a gateway
    /// BIRD makes a route of a link's scope, which the kernel refuses.)
    pub fn new(dest: Resolved) -> Self {
        let leads_to_links = match &dest {
            Resolved::Unicast(hop) => hop.gateway.is_none(),
            Resolved::Multipath(hops) => hops.iter().all(|hop| hop.gateway.is_none()),
            Resolved::Blackhole | Resolved::Unreachable | Resolved::Prohibit => false,
        };
        let scope = if leads_to_links { SCOPE_LINK } else { SCOPE_UNIVERSE };
        Self { dest, metric: 0, scope, prefsrc: None, realm: None, metrics: None }
    }

    /// The ways out; none for blackholes and their kin.
    pub fn hops(&self) -> &[Hop] {
        match &self.dest {
            Resolved::Unicast(hop) => std::slice::from_ref(hop),
            Resolved::Multipath(hops) => hops,
            Resolved::Blackhole | Resolved::Unreachable | Resolved::Prohibit => &[],
        }
    }

    /// The metric under which the kernel will hold it.
    pub const fn effective_metric(&self, family: Family) -> u32 {
        match family {
            Family::Ipv6 if self.metric == 0 => IPV6_METRIC_DEFAULT,
            _ => self.metric,
        }
    }

    /// Whether a route that the kernel has is this one, as far as we set anything.
    ///
    /// The order of hops does not count, nor does what the kernel adds: flags of
    /// hops, scope in IPv6.
    pub fn is_satisfied_by(&self, seen: &Self, family: Family) -> bool {
        self.effective_metric(family) == seen.metric
            && (family == Family::Ipv6 || self.scope == seen.scope)
            && self.prefsrc == seen.prefsrc
            && self.realm.unwrap_or(0) == seen.realm.unwrap_or(0)
            && self.metrics == seen.metrics
            && self.leads_where(seen)
    }

    /// Whether both lead to the same place.
    pub fn leads_where(&self, seen: &Self) -> bool {
        same_dest(&self.dest, &seen.dest)
    }
}

fn same_dest(want: &Resolved, seen: &Resolved) -> bool {
    match (want, seen) {
        (Resolved::Multipath(a), Resolved::Multipath(b)) => {
            a.len() == b.len()
                && a.iter().all(|w| {
                    let in_want = a.iter().filter(|o| same_hop(w, o)).count();
                    in_want <= b.iter().filter(|s| same_hop(w, s)).count()
                })
        }
        (Resolved::Unicast(a), Resolved::Unicast(b)) => a.gateway == b.gateway && a.iface == b.iface,
        // The kernel makes one route of a multipath route with one hop.
        (Resolved::Multipath(a), Resolved::Unicast(b)) => {
            matches!(&**a, [one] if one.gateway == b.gateway && one.iface == b.iface)
        }
        _ => want == seen,
    }
}

fn same_hop(a: &Hop, b: &Hop) -> bool {
    a.gateway == b.gateway && a.iface == b.iface && a.weight == b.weight
}

/// A route that the kernel told us about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenRoute {
    /// The prefix.
    pub net: Prefix,
    /// RTPROT_*: who made it.
    pub protocol: u8,
    /// The kernel table.
    pub table: u32,
    /// The type of service that packets must have; 0: any.
    pub tos: u8,
    /// The rest.
    pub route: KernelRoute,
}

impl SeenRoute {
    /// Whether it carries our mark.
    pub const fn is_ours(&self) -> bool {
        self.protocol == PROTO_BIRD
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use route::IfIndex;

    fn via(gateway: &str, iface: u32, weight: u8) -> Hop {
        Hop { weight, ..Hop::via(gateway.parse().unwrap(), IfIndex(iface)) }
    }

    #[test]
    fn the_order_of_hops_does_not_count_but_their_weights_do() {
        let a = KernelRoute::new(Resolved::Multipath([via("10.0.0.1", 1, 0), via("10.0.1.1", 2, 2)].into()));
        let b = KernelRoute::new(Resolved::Multipath([via("10.0.1.1", 2, 2), via("10.0.0.1", 1, 0)].into()));
        let c = KernelRoute::new(Resolved::Multipath([via("10.0.1.1", 2, 0), via("10.0.0.1", 1, 0)].into()));
        assert!(a.is_satisfied_by(&b, Family::Ipv4));
        assert!(!a.is_satisfied_by(&c, Family::Ipv4));
    }

    #[test]
    fn an_ipv6_route_without_metric_is_the_one_with_the_metric_that_the_kernel_gave() {
        let want = KernelRoute::new(Resolved::Unicast(via("fe80::1", 1, 0)));
        let seen = KernelRoute { metric: 1024, ..want.clone() };
        assert!(want.is_satisfied_by(&seen, Family::Ipv6));
        assert!(!want.is_satisfied_by(&want, Family::Ipv6));
    }

    #[test]
    fn a_source_address_that_is_no_longer_wanted_makes_a_difference() {
        let want = KernelRoute::new(Resolved::Blackhole);
        let seen = KernelRoute { prefsrc: Some("10.0.0.1".parse().unwrap()), ..want.clone() };
        assert!(!want.is_satisfied_by(&seen, Family::Ipv4));
    }
}
