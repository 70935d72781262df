//! Links and addresses as the kernel tells them, collected into a snapshot.
//!
//! The table is a plain value: it hears RTM_NEWLINK, RTM_DELLINK, RTM_NEWADDR
//! and RTM_DELADDR, from a dump or from notifications, and makes an
//! [`Ifaces`] of what it has heard. A dump marks what it saw, so what it did
//! not see is gone when it ends.

use crate::message::{Message, attributes, number};
use crate::route_message::addr;
use libc::{
    AF_INET, AF_INET6, IFA_ADDRESS, IFA_BROADCAST, IFA_F_SECONDARY, IFA_FLAGS, IFA_LOCAL, IFF_BROADCAST, IFF_LOOPBACK,
    IFF_LOWER_UP, IFF_MULTICAST, IFF_POINTOPOINT, IFF_UP, IFLA_IFNAME, IFLA_INFO_KIND, IFLA_LINKINFO, IFLA_MASTER,
    IFLA_MTU,
};
use route::iface::{IfaceFlags, Scope};
use route::{Family, IfIndex, Iface, IfaceAddr, Ifaces, Prefix};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

/// `struct ifinfomsg` in octets.
const IFINFOMSG: usize = 16;
/// `struct ifaddrmsg` in octets.
const IFADDRMSG: usize = 8;
/// IFA_F_TENTATIVE, IFA_F_DADFAILED: an IPv6 address that may not be used yet, or ever.
const UNUSABLE: u32 = 0x40 | 0x08;

/// What counts as up and which addresses are seen; fields of the configuration's dialect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IfaceRules {
    /// Only addresses of this family are seen (1.6); `None`: both.
    pub family: Option<Family>,
    /// A link without an address does not count as up (1.6).
    pub needs_address: bool,
}

/// All links and addresses that the kernel has told us about.
#[derive(Debug, Default)]
pub struct LinkTable {
    links: BTreeMap<u32, Link>,
    round: u32,
}

#[derive(Debug, Default)]
struct Link {
    /// Empty while only addresses have been heard.
    name: Arc<str>,
    flags: u32,
    mtu: u32,
    master: u32,
    /// The device of a VRF.
    vrf: bool,
    addrs: Vec<Addr>,
    round: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Addr {
    local: IpAddr,
    /// The network, or the other end.
    net: IpAddr,
    len: u8,
    broadcast: Option<IpAddr>,
    flags: u32,
    round: u32,
}

impl LinkTable {
    /// A dump of links and addresses begins.
    pub fn rescan_begin(&mut self) {
        self.round = self.round.wrapping_add(1);
    }

    /// The dump has ended: what it did not show is gone.
    pub fn rescan_end(&mut self) {
        let round = self.round;
        self.links.retain(|_, l| l.round == round);
        for link in self.links.values_mut() {
            link.addrs.retain(|a| a.round == round);
        }
    }

    /// Hears a message. Others than those about links and addresses mean nothing.
    pub fn hear(&mut self, m: &Message<'_>) {
        match m.kind {
            libc::RTM_NEWLINK => drop(self.link(m.body, true)),
            libc::RTM_DELLINK => drop(self.link(m.body, false)),
            libc::RTM_NEWADDR => drop(self.address(m.body, true)),
            libc::RTM_DELADDR => drop(self.address(m.body, false)),
            _ => {}
        }
    }

    fn link(&mut self, body: &[u8], new: bool) -> Option<()> {
        let (&[family, _, _, _, i0, i1, i2, i3, f0, f1, f2, f3, ..], rest) = body.split_first_chunk::<IFINFOMSG>()?;
        // A bridge tells of its ports in messages of its own family: a port that leaves is no link that goes.
        if i32::from(family) != libc::AF_UNSPEC {
            return None;
        }
        let index = u32::from_ne_bytes([i0, i1, i2, i3]);
        if !new {
            self.links.remove(&index);
            return None;
        }
        let round = self.round;
        let link = self.links.entry(index).or_default();
        link.round = round;
        link.flags = u32::from_ne_bytes([f0, f1, f2, f3]);
        (link.master, link.vrf) = (0, false);
        for (kind, value) in attributes(rest) {
            match kind {
                IFLA_IFNAME => link.name = text(value),
                IFLA_MTU => link.mtu = number(value).unwrap_or(0),
                IFLA_MASTER => link.master = number(value).unwrap_or(0),
                IFLA_LINKINFO => link.vrf = kind_of(value) == Some(b"vrf"),
                _ => {}
            }
        }
        Some(())
    }

    fn address(&mut self, body: &[u8], new: bool) -> Option<()> {
        let (&[family, len, flags, _, i0, i1, i2, i3], rest) = body.split_first_chunk::<IFADDRMSG>()?;
        if !matches!(i32::from(family), AF_INET | AF_INET6) {
            return None;
        }
        let (mut local, mut net, mut broadcast, mut flags) = (None, None, None, u32::from(flags));
        for (kind, value) in attributes(rest) {
            match kind {
                IFA_LOCAL => local = addr(value),
                IFA_ADDRESS => net = addr(value),
                IFA_BROADCAST => broadcast = addr(value),
                IFA_FLAGS => flags = number(value).unwrap_or(flags),
                _ => {}
            }
        }
        // IPv6 gives IFA_LOCAL only for point-to-point addresses; without it the address is our own.
        let local = local.or(net)?;
        let net = net.unwrap_or(local);
        let fits = Family::of(local) == Family::of(net) && len <= Family::of(local).bits();
        if !fits {
            return None;
        }
        let heard = Addr { local, net, len, broadcast, flags, round: self.round };
        let link = self.links.entry(u32::from_ne_bytes([i0, i1, i2, i3])).or_default();
        let place = link.addrs.iter_mut().find(|a| a.local == local && a.net == net && a.len == len);
        match (place, new && flags & UNUSABLE == 0) {
            (Some(place), true) => *place = heard,
            (None, true) => link.addrs.push(heard),
            (_, false) => link.addrs.retain(|a| !(a.local == local && a.net == net && a.len == len)),
        }
        Some(())
    }

    /// What has been heard, under the rules of the configuration.
    pub fn snapshot(&self, rules: IfaceRules) -> Ifaces {
        let named = self.links.iter().filter(|(_, l)| !l.name.is_empty());
        Ifaces::new(named.map(|(index, l)| iface(*index, l, rules)).collect())
    }
}

/// A name of the kernel: up to the first zero, at most 15 octets; strange octets are replaced.
fn text(value: &[u8]) -> Arc<str> {
    let end = value.iter().position(|o| *o == 0).unwrap_or(value.len());
    String::from_utf8_lossy(value.get(..end.min(64)).unwrap_or_default()).into()
}

/// The kind of a device, out of its IFLA_LINKINFO, without the zero at its end.
fn kind_of(info: &[u8]) -> Option<&[u8]> {
    let (_, kind) = attributes(info).find(|(attribute, _)| *attribute == IFLA_INFO_KIND)?;
    kind.split(|octet| *octet == 0).next()
}

fn iface(index: u32, l: &Link, rules: IfaceRules) -> Iface {
    let has = |flag: i32| l.flags & flag as u32 != 0;
    let mut addrs: Vec<_> = l.addrs.iter().filter_map(iface_addr).collect();
    addrs.retain(|a| rules.family.is_none_or(|f| f == Family::of(a.addr)));
    Iface {
        index: IfIndex(index),
        name: l.name.clone(),
        flags: IfaceFlags {
            admin_up: has(IFF_UP),
            link_up: has(IFF_LOWER_UP),
            loopback: has(IFF_LOOPBACK),
            broadcast: has(IFF_BROADCAST),
            multicast: has(IFF_MULTICAST),
            multi_access: !has(IFF_POINTOPOINT),
            unaddressed: rules.needs_address && addrs.is_empty(),
            vrf: l.vrf,
        },
        mtu: l.mtu,
        master: IfIndex(l.master),
        addrs,
    }
}

fn iface_addr(a: &Addr) -> Option<IfaceAddr> {
    let peer = (a.local != a.net).then_some(a.net);
    let prefix = Prefix::new(a.net, a.len)?;
    let secondary = a.flags & IFA_F_SECONDARY != 0;
    Some(IfaceAddr { addr: a.local, prefix, broadcast: a.broadcast, peer, scope: scope_of(a.local), secondary })
}

/// The reach of an address by its kind, as BIRD classifies: private addresses are `site`.
pub fn scope_of(addr: IpAddr) -> Scope {
    match addr {
        IpAddr::V4(a) => scope4(a),
        IpAddr::V6(a) => scope6(a),
    }
}

fn scope4(a: Ipv4Addr) -> Scope {
    if a.is_loopback() {
        Scope::Host
    } else if a.is_link_local() {
        Scope::Link
    } else if a.is_private() {
        Scope::Site
    } else {
        Scope::Universe
    }
}

fn scope6(a: Ipv6Addr) -> Scope {
    if a.is_loopback() {
        Scope::Host
    } else if a.is_unicast_link_local() {
        Scope::Link
    } else if a.is_unique_local() || a.segments()[0] & 0xffc0 == 0xfec0 {
        Scope::Site
    } else {
        Scope::Universe
    }
}
