//! What of a neighbour's routes is refused, whatever a filter would say: loops, paths that the session does not
//! allow, prefixes that mean nothing to others.

use crate::peer::PeerSpec;
use route::attr::code;
use route::attrs::Record;
use route::{AsPath, Prefix};
use std::net::{IpAddr, Ipv4Addr};

/// Whether an attribute says that the route has been here before: our AS in its path more often than allowed (RFC 4271 9.1.2), our
/// identifier as its originator, or, from a client of ours, our cluster in its list (RFC 4456 8).
pub(super) fn is_loop(r: Record<'_>, spec: &PeerSpec) -> bool {
    match r.code {
        code::AS_PATH => AsPath::new(r.value).count_of(spec.local_as) > spec.allow_local_as,
        code::ORIGINATOR_ID => spec.is_internal() && r.value == spec.router_id.to_be_bytes(),
        code::CLUSTER_LIST => {
            let clusters = r.value.as_chunks::<4>().0;
            spec.is_internal() && spec.rr_client && clusters.contains(&spec.cluster_id.to_be_bytes())
        }
        _ => false,
    }
}

/// Whether a prefix means nothing to others: this network, loopback, links, multicast, and above. `0.0.0.0/0` and
/// `::/0` are prefixes like others, and so is what was reserved for later (240.0.0.0/4) where `takes_reserved`.
#[inline]
pub(super) fn is_bogus(net: Prefix, takes_reserved: bool) -> bool {
    match net.addr() {
        IpAddr::V4(a) => match a.octets() {
            [127 | 224..=239, ..] => true,
            [240..=255, ..] => !takes_reserved || a == Ipv4Addr::BROADCAST,
            [first, ..] => first == 0 && !a.is_unspecified(),
        },
        IpAddr::V6(a) => a.is_loopback() || a.is_multicast() || a.is_unicast_link_local(),
    }
}
