//! Route leaks (RFC 9234 5): routes that are for customers only and come from below.

use crate::peer::PeerSpec;
use route::Role;
use std::fmt;

/// Why a route is a leak; as text, BIRD's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leak {
    /// A customer, or a client of ours, tells what is for customers only.
    FromBelow,
    /// A peer tells what another AS has marked.
    OfAnother(u32),
}

impl fmt::Display for Leak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Route leak detected - OTC attribute ")?;
        match self {
            Self::FromBelow => f.write_str("from downstream"),
            Self::OfAnother(asn) => write!(f, "with mismatched ASN ({asn})"),
        }
    }
}

/// Whether a route with this mark of Only to Customer is a leak.
pub(super) fn leak(mark: Option<u32>, spec: &PeerSpec) -> Option<Leak> {
    let (role, asn) = (spec.role()?, mark?);
    match role {
        Role::Provider | Role::RsServer => Some(Leak::FromBelow),
        Role::Peer => (asn != spec.peer_as).then_some(Leak::OfAnother(asn)),
        Role::Customer | Role::RsClient => None,
    }
}

/// The mark that a route without one gets: the AS of who stands above or beside us.
pub(super) fn mark_missing(mark: Option<u32>, spec: &PeerSpec) -> Option<u32> {
    let comes_down = spec.role().is_some_and(Role::looks_up);
    (comes_down && mark.is_none()).then_some(spec.peer_as)
}
