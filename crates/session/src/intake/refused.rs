//! What of a neighbour's routes is refused, whatever a filter would say: loops, paths that the session does not
//! allow, prefixes that mean nothing to others.

use crate::peer::PeerSpec;
use route::aspath::segment;
use route::attr::code;
use route::attrs::Record;
use route::{AsPath, Prefix};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

/// What an attribute of a route leads to, whatever the others are.
pub(super) enum Refusal {
    /// The route has been here before.
    Loop,
    /// This session does not take such a path.
    Path(BadPath),
}

/// Why a path is refused; as text, BIRD's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BadPath {
    /// It holds a set, at this octet of its canonical form, and the session takes none (RFC 9774).
    Set { kind: u8, at: usize },
    /// A member of our confederation did not put itself in front (RFC 5065 5).
    NotOfMember,
    /// An external neighbour did not put itself in front (RFC 4271 6.3).
    NotOfNeighbor,
}

impl fmt::Display for BadPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Malformed AS_PATH attribute - ")?;
        match self {
            Self::Set { kind: kind @ segment::AS_SET, at } => write!(f, "AS_SET segment ({kind}) at {at}"),
            Self::Set { kind, at } => write!(f, "AS_CONFED_SET segment ({kind}) at {at}"),
            Self::NotOfMember => f.write_str("missing initial AS_CONFED_SEQUENCE"),
            Self::NotOfNeighbor => f.write_str("First AS differs from neigbor AS"),
        }
    }
}

/// Why a route with this attribute is refused, if it is.
///
/// It has been here before when our AS stands in its path more often than allowed (RFC 4271 9.1.2), or, from outside
/// our confederation, the confederation's number (RFC 5065 4); when its originator has our identifier; or when a
/// client of ours sends it with our cluster in its list (RFC 4456 8).
pub(super) fn refusal(r: Record<'_>, spec: &PeerSpec) -> Option<Refusal> {
    let is_loop = match r.code {
        code::AS_PATH => {
            let path = AsPath::new(r.value);
            if let Some(bad) = bad_path(path, spec) {
                return Some(Refusal::Path(bad));
            }
            let (own, public) = (spec.local_as, spec.public_as());
            let is_too_often = |asn| path.count_of(asn) > spec.rules.allow_local_as;
            is_too_often(own) || public != own && is_too_often(public)
        }
        code::ORIGINATOR_ID => spec.is_internal() && r.value == spec.router_id.to_be_bytes(),
        code::CLUSTER_LIST => {
            let clusters = r.value.as_chunks::<4>().0;
            spec.is_internal() && spec.rr_client && clusters.contains(&spec.cluster_id.to_be_bytes())
        }
        _ => false,
    };
    is_loop.then_some(Refusal::Loop)
}

/// What this session has against a path that is well-formed otherwise.
fn bad_path(path: AsPath<'_>, spec: &PeerSpec) -> Option<BadPath> {
    if !spec.rules.allow_as_sets {
        let mut at = 0;
        for s in path.segments() {
            if s.is_set() {
                return Some(BadPath::Set { kind: s.kind, at });
            }
            at += 2 + 4 * s.count();
        }
    }
    if spec.is_internal() {
        return None;
    }
    let leading = || path.segments().next().filter(|s| !s.is_set());
    if spec.is_confederated() && leading().is_none_or(|s| !s.is_confederation()) {
        return Some(BadPath::NotOfMember);
    }
    let is_first = |asn| leading().and_then(|s| s.asns().next()) == Some(asn);
    (spec.rules.enforce_first_as && !is_first(spec.peer_as)).then_some(BadPath::NotOfNeighbor)
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
