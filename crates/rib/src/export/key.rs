//! What a group shares, and what is a member's own.
//!
//! Two neighbours may be told with the same octets when everything that veto,
//! rewrite, filter and encoding read is equal for both. All of that stands in
//! [`GroupKey`], and nothing is read from anywhere else, so a group cannot be
//! wrong about who belongs to it. A test flips each field and sees another group.
//!
//! The neighbour's AS is not here: nothing reads it once `internal` is known, so
//! external neighbours with the same filter share a group whatever their AS.

use crate::batch::{Generation, Limit, Reading};
use crate::trace::Tracing;
use filter::run::Policy;
use route::aigp::Aigp;
pub use route::options::{LinkLocalFormat, MissingLladdr, RoutesOf};
use route::{ChannelId, Family, IfIndex, ProtocolId, Role, Within};
use std::hash::{Hash, Hasher};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

/// Everything that veto, rewrite, export filter and encoding read of a neighbour.
#[derive(Clone, Debug)]
pub struct GroupKey {
    /// What is told: the table's family.
    pub family: Family,
    /// The export filter. Two filters are the same when their programs are equal, whatever their names.
    pub policy: Policy,
    /// The rewrite for the neighbour comes before the export filter (1.6) or after it (2).
    pub rewrite_before_filter: bool,
    /// `secondary`: when the best path is rejected, the next one that is accepted is told.
    pub secondary: bool,
    /// ADD-PATH towards the neighbour (RFC 7911): all accepted paths are told.
    pub add_path: bool,
    /// Our AS as the neighbour knows it: outside our confederation the confederation's number.
    pub local_as: u32,
    /// Both ends in one AS.
    pub internal: bool,
    /// The neighbour is in our confederation, or in our AS while we are in one (RFC 5065).
    pub confederation: bool,
    /// What is written as our own next hop: the configured local address.
    pub local_addr: IpAddr,
    /// Our link-local address on the neighbour's link, the second half of an IPv6 next hop; `None` when there is none.
    pub local_link_local: Option<Ipv6Addr>,
    /// The link on which the neighbour lies; `IfIndex(0)` for a multihop session. Third-party next hops depend on it.
    pub link: IfIndex,
    /// The VRF in which the neighbour is: next hops of another one mean nothing there. BIRD 1.6 tells them all the same.
    pub within: Within,
    /// What is told as the next hop.
    pub next_hop: NextHopRules,
    /// `missing lladdr`.
    pub missing_lladdr: MissingLladdr,
    /// The neighbour is a client of this route reflector (RFC 4456).
    pub rr_client: bool,
    /// Put in front of CLUSTER_LIST when a route is reflected.
    pub cluster_id: u32,
    /// The neighbour is a client of a route server: no own AS, next hop as received, MED stays.
    pub rs_client: bool,
    /// NO_EXPORT and its kin are obeyed.
    pub interpret_communities: bool,
    /// LOCAL_PREF is sent to an external neighbour too.
    pub allow_local_pref: bool,
    /// LOCAL_PREF of routes that have none.
    pub default_local_pref: u32,
    /// `aigp`.
    pub aigp: Aigp,
    /// `allow bgp_med`: MED of a route that came from elsewhere goes to external neighbours.
    pub med_to_external: bool,
    /// AS numbers are sent in four octets (RFC 6793).
    pub as4: bool,
    /// Messages of up to 65,535 octets (RFC 8654).
    pub extended_messages: bool,
    /// The neighbour knows long-lived graceful restart (RFC 9494): it is told long-lived stale routes.
    pub llgr_aware: bool,
    /// Our role towards an external neighbour (RFC 9234).
    pub role: Option<Role>,
    /// `export table`: what was told is kept exactly for a single neighbour too, so nothing is told twice.
    pub exact: bool,
}

/// What is told as the next hop, where RFC 4271 5.1.3 leaves it to the operator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct NextHopRules {
    /// `next hop self`: whose routes have our own address. Counts for more than `keep`.
    pub own: RoutesOf,
    /// `next hop keep`: whose routes have the one that was received.
    pub keep: RoutesOf,
    /// How one is told that has a link-local address alone.
    pub link_local: LinkLocalFormat,
    /// `extended next hop`, and the neighbour can: one may be of the other family (RFC 8950, RFC 4798).
    pub any_family: bool,
}

impl NextHopRules {
    /// Whether routes of this family may be told with this next hop.
    pub(super) fn fits(&self, family: Family, next_hop: IpAddr) -> bool {
        self.any_family || Family::of(next_hop) == family
    }
}

impl GroupKey {
    /// What is said to an external neighbour of one AS on no link of ours, with BIRD 1.6's defaults for everything
    /// else and all capabilities that cost nothing.
    pub fn external(family: Family, local_as: u32, local_addr: IpAddr) -> Self {
        Self {
            family,
            policy: Policy::Accept,
            rewrite_before_filter: true,
            secondary: false,
            add_path: false,
            local_as,
            internal: false,
            confederation: false,
            local_addr,
            local_link_local: None,
            link: IfIndex(0),
            within: Within::Machine,
            next_hop: NextHopRules::default(),
            missing_lladdr: MissingLladdr::SelfAddr,
            rr_client: false,
            cluster_id: 0,
            rs_client: false,
            interpret_communities: true,
            allow_local_pref: false,
            default_local_pref: 100,
            aigp: Aigp::Unknown,
            med_to_external: false,
            as4: true,
            extended_messages: false,
            llgr_aware: true,
            role: None,
            exact: false,
        }
    }

    /// Both ends in one AS, or in one confederation.
    pub(super) const fn is_interior(&self) -> bool {
        self.internal || self.confederation
    }

    /// How much of each prefix the group reads.
    pub const fn reading(&self) -> Reading {
        if self.secondary || self.add_path { Reading::All } else { Reading::Best }
    }

    /// All fields but the policy, in one comparable value. Taken apart without `..`, so a new field cannot be forgotten.
    fn plain(&self) -> impl Eq + Hash + use<> {
        let Self {
            family,
            policy: _,
            rewrite_before_filter,
            secondary,
            add_path,
            local_as,
            internal,
            confederation,
            local_addr,
            local_link_local,
            link,
            within,
            next_hop,
            missing_lladdr,
            rr_client,
            cluster_id,
            rs_client,
            interpret_communities,
            allow_local_pref,
            default_local_pref,
            aigp,
            med_to_external,
            as4,
            extended_messages,
            llgr_aware,
            role,
            exact,
        } = *self;
        (
            (family, rewrite_before_filter, secondary, add_path, local_as, internal, confederation),
            (local_addr, local_link_local, link, within, next_hop, missing_lladdr, rr_client, cluster_id),
            (rs_client, interpret_communities, allow_local_pref, default_local_pref),
            (aigp, med_to_external, as4, extended_messages, llgr_aware, role, exact),
        )
    }

    /// A hash of everything but the policy: a member that changes its filter only stays where it is.
    pub fn placement(&self) -> u64 {
        use std::hash::BuildHasher;
        foldhash::fast::FixedState::with_seed(0).hash_one(self.plain())
    }
}

impl PartialEq for GroupKey {
    fn eq(&self, other: &Self) -> bool {
        self.policy.is_same(&other.policy) && self.plain() == other.plain()
    }
}

impl Eq for GroupKey {}

impl Hash for GroupKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // Programs are compared, but not hashed: keys that differ only in their filter are few.
        std::mem::discriminant(&self.policy).hash(state);
        self.plain().hash(state);
    }
}

/// A member of a group, process-wide number; never given twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemberId(pub u32);

/// What is a member's own.
#[derive(Clone, Debug)]
pub struct MemberSpec {
    /// Routes of this protocol are not told back.
    pub protocol: ProtocolId,
    /// Its name, for log lines.
    pub name: Arc<str>,
    /// The channel; named when the export limit is passed.
    pub channel: ChannelId,
    /// The channel's life; named when the export limit is passed.
    pub generation: Generation,
    /// Routes whose next hop it is are not told.
    pub peer_addr: IpAddr,
    /// `export limit`.
    pub export_limit: Option<Limit>,
    /// `debug { routes, filters }`.
    pub tracing: Tracing,
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use std::net::Ipv4Addr;

    fn key() -> GroupKey {
        GroupKey {
            link: IfIndex(1),
            cluster_id: 1,
            ..GroupKey::external(Family::Ipv4, 1, Ipv4Addr::new(192, 0, 2, 1).into())
        }
    }

    #[test]
    fn each_field_makes_another_group() {
        let flips: [fn(&mut GroupKey); 27] = [
            |k| k.family = Family::Ipv6,
            |k| k.policy = Policy::Reject,
            |k| k.rewrite_before_filter = false,
            |k| k.secondary = true,
            |k| k.add_path = true,
            |k| k.local_as = 2,
            |k| k.internal = true,
            |k| k.confederation = true,
            |k| k.local_addr = Ipv4Addr::new(192, 0, 2, 2).into(),
            |k| k.local_link_local = Some(Ipv6Addr::LOCALHOST),
            |k| k.link = IfIndex(2),
            |k| k.within = Within::Vrf(IfIndex(3)),
            |k| k.next_hop.own = RoutesOf::Internal,
            |k| k.missing_lladdr = MissingLladdr::Drop,
            |k| k.rr_client = true,
            |k| k.cluster_id = 2,
            |k| k.rs_client = true,
            |k| k.interpret_communities = false,
            |k| k.allow_local_pref = true,
            |k| k.default_local_pref = 200,
            |k| k.aigp = Aigp::On,
            |k| k.med_to_external = true,
            |k| k.as4 = false,
            |k| k.extended_messages = true,
            |k| k.llgr_aware = false,
            |k| k.role = Some(Role::Peer),
            |k| k.exact = true,
        ];
        // A new field breaks this pattern: it needs a flip above.
        let GroupKey {
            family: _,
            policy: _,
            rewrite_before_filter: _,
            secondary: _,
            add_path: _,
            local_as: _,
            internal: _,
            confederation: _,
            local_addr: _,
            local_link_local: _,
            link: _,
            within: _,
            next_hop: _,
            missing_lladdr: _,
            rr_client: _,
            cluster_id: _,
            rs_client: _,
            interpret_communities: _,
            allow_local_pref: _,
            default_local_pref: _,
            aigp: _,
            med_to_external: _,
            as4: _,
            extended_messages: _,
            llgr_aware: _,
            role: _,
            exact: _,
        } = key();
        let mut groups = HashSet::from([key()]);
        for (i, flip) in flips.iter().enumerate() {
            let mut other = key();
            flip(&mut other);
            assert!(groups.insert(other), "flip {i} is not seen");
        }
        assert!(groups.contains(&key()));
    }
}
