//! From a received next hop to where packets go, or why it makes no sense.

use super::Intake;
use crate::peer::{GatewayMode, PeerChannel};
use route::attrs::Local;
use route::hop::{Carried, Dest, Hop, Recursive, Resolved};
use route::{Family, IfIndex, Iface, SourceKind};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

/// Why a next hop makes no sense; as text, BIRD's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BadNextHop {
    /// It is no address.
    Zero,
    /// It is our own.
    Own(IpAddr),
    /// It lies on no link of ours.
    OffLink(IpAddr),
    /// It is of another family than the routes, and that was not agreed on.
    OtherFamily(IpAddr, Family),
}

impl std::fmt::Display for BadNextHop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Invalid NEXT_HOP attribute - ")?;
        match self {
            Self::Zero => f.write_str("zero address"),
            Self::Own(addr) => write!(f, "address {addr} is local"),
            Self::OtherFamily(addr, Family::Ipv4) => write!(f, "mismatched address family ({addr} for ipv4)"),
            Self::OtherFamily(addr, Family::Ipv6) => write!(f, "mismatched address family ({addr} for ipv6)"),
            Self::OffLink(addr) => write!(f, "address {addr} not directly reachable"),
        }
    }
}

impl Intake {
    /// The local part of routes with this next hop; `Err`: why it makes no sense.
    pub(super) fn local(&self, hop: &[u8], channel: &PeerChannel) -> Result<Local, BadNextHop> {
        let (hop, link_local) = route::attrs::next_hop(hop).ok_or(BadNextHop::Zero)?;
        let mut local = Local::new(SourceKind::Bgp, channel.preference, self.dest(hop, link_local, channel)?);
        local.from = Some(self.spec.peer_addr);
        Ok(local)
    }

    /// Where packets go.
    fn dest(&self, hop: IpAddr, link_local: Option<Ipv6Addr>, channel: &PeerChannel) -> Result<Dest, BadNextHop> {
        let is_mapped = matches!(hop, IpAddr::V6(a) if a.to_ipv4_mapped().is_some());
        let is_alien = is_mapped || Family::of(hop) != channel.family;
        if channel.strict_next_hop && is_alien && !self.context.extended_next_hop.get(channel.family) {
            return Err(BadNextHop::OtherFamily(hop, channel.family));
        }
        // `::` and a link-local address come from neighbours that have no global one.
        let recursive = channel.gateway == GatewayMode::Recursive && !hop.is_unspecified();
        if recursive {
            let link_local = link_local.filter(|_| channel.prefer_link_local).map(Box::new);
            let table = *channel.igp_tables.get(Family::of(hop));
            return Ok(Dest::Recursive(Recursive { gateway: hop, table, link_local }));
        }
        if channel.strict_next_hop {
            return self.strict_dest(hop, link_local, channel);
        }
        if self.ifaces.is_own(hop) {
            return Err(BadNextHop::Own(hop));
        }
        let has_global = !hop.is_unspecified() && !is_link_local(hop);
        if let Some(gateway) = link_local.filter(|_| !has_global) {
            let on_link = self.link != IfIndex(0) && !self.ifaces.is_own(gateway.into());
            return on_link
                .then(|| Dest::Via(Hop::via(gateway.into(), self.link)))
                .ok_or(BadNextHop::Own(gateway.into()));
        }
        let peer = self.spec.peer_addr;
        if let Some(link) = self.link_of(hop) {
            return Ok(Dest::Via(Hop::via(hop, link)));
        }
        // Off the link: the neighbour itself must do.
        let link = if self.link == IfIndex(0) { self.link_of(peer) } else { Some(self.link) };
        link.map(|link| Dest::Via(Hop::via(peer, link))).ok_or(BadNextHop::OffLink(peer))
    }

    /// The same where nobody stands in for a next hop: it lies on a link of ours and is not our own.
    fn strict_dest(
        &self,
        hop: IpAddr,
        link_local: Option<Ipv6Addr>,
        channel: &PeerChannel,
    ) -> Result<Dest, BadNextHop> {
        let (global, local) = match hop {
            _ if hop.is_unspecified() => (None, link_local),
            IpAddr::V6(only) if only.is_unicast_link_local() => (None, Some(only)),
            _ => (Some(hop), link_local),
        };
        let (gateway, link) = match (global, local) {
            (global, Some(local)) if channel.prefer_link_local || global.is_none() => {
                (IpAddr::V6(local), self.own_link())
            }
            // Whatever their addresses are: such a neighbour's next hops are on its link.
            (Some(global), _) if self.spec.onlink => (global, self.own_link()),
            (Some(global), _) => (global, self.link_of(global)),
            (None, _) => return Err(BadNextHop::Zero),
        };
        if self.ifaces.is_own(gateway) {
            return Err(BadNextHop::Own(gateway));
        }
        let link = link.ok_or(BadNextHop::OffLink(gateway))?;
        let hop = Hop { onlink: self.spec.onlink, ..Hop::via(gateway, link) };
        if channel.cost == 0 {
            return Ok(Dest::Via(hop));
        }
        let carried = Carried { to: Resolved::Unicast(hop), igp_metric: Some(channel.cost) };
        Ok(Dest::Carried(Arc::new(carried)))
    }

    /// The link of the neighbour of this session.
    fn own_link(&self) -> Option<IfIndex> {
        Some(self.link).filter(|link| *link != IfIndex(0))
    }

    /// The link on which a neighbour lies.
    fn link_of(&self, addr: IpAddr) -> Option<IfIndex> {
        self.ifaces.neighbor(addr).map(|(link, _): (&Iface, _)| link.index)
    }
}

fn is_link_local(addr: IpAddr) -> bool {
    matches!(addr, IpAddr::V6(a) if a.is_unicast_link_local())
}
