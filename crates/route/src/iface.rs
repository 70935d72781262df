//! Links and addresses of the machine, as one immutable snapshot.
//!
//! `netlink` makes a new [`Ifaces`] whenever the kernel says that something
//! changed; everybody else reads it: the table finds the link of a gateway,
//! filters set `gw`, sessions find the neighbour's link, the control socket
//! prints it. A protocol with a VRF reads a snapshot of the links in it
//! ([`crate::vrf`]).

use crate::Prefix;
use std::net::IpAddr;
use std::sync::Arc;

/// The kernel's number of a link; 0 is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IfIndex(pub u32);

/// The reach of an address or route: BIRD's SCOPE_* values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Scope {
    /// This machine.
    Host = 0,
    /// This link.
    Link = 1,
    /// Private addresses.
    Site = 2,
    /// An organisation.
    Organization = 3,
    /// Everywhere; printed `univ`.
    Universe = 4,
}

impl Scope {
    /// The word that BIRD prints.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Link => "link",
            Self::Site => "site",
            Self::Organization => "org",
            Self::Universe => "univ",
        }
    }
}

/// An address of a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IfaceAddr {
    /// Our address.
    pub addr: IpAddr,
    /// The network it lies in; for a point-to-point link the peer's host prefix.
    pub prefix: Prefix,
    /// The broadcast address, when there is one.
    pub broadcast: Option<IpAddr>,
    /// The other end of a point-to-point address.
    pub peer: Option<IpAddr>,
    /// The reach, by the kind of address.
    pub scope: Scope,
    /// A further address of a network that has one already (IFA_F_SECONDARY).
    pub secondary: bool,
}

impl IfaceAddr {
    /// Whether an address can be another machine's in this network.
    fn may_reach(&self, addr: IpAddr) -> bool {
        // In networks of two addresses both are hosts (RFC 3021).
        let has_hosts_only = self.prefix.len() + 1 >= self.prefix.family().bits() || addr.is_ipv6();
        self.prefix.contains(addr)
            && addr != self.addr
            && (has_hosts_only || (addr != self.prefix.addr() && Some(addr) != self.broadcast && !self.is_last(addr)))
    }

    /// Whether all host bits of an IPv4 address are ones.
    fn is_last(&self, addr: IpAddr) -> bool {
        matches!(addr, IpAddr::V4(a) if a.to_bits() | crate::net::mask4(self.prefix.len()) == u32::MAX)
    }
}

/// Flags of a link, as the kernel and BIRD see them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IfaceFlags {
    /// IFF_UP.
    pub admin_up: bool,
    /// IFF_LOWER_UP: carrier.
    pub link_up: bool,
    /// IFF_LOOPBACK.
    pub loopback: bool,
    /// IFF_BROADCAST.
    pub broadcast: bool,
    /// IFF_MULTICAST.
    pub multicast: bool,
    /// Several stations on the link: BIRD's MultiAccess.
    pub multi_access: bool,
    /// It has no address and would need one to count as up (1.6).
    pub unaddressed: bool,
    /// It is the device of a VRF.
    pub vrf: bool,
}

/// A link with its addresses, in the order of the kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Iface {
    /// The kernel's number.
    pub index: IfIndex,
    /// The kernel's name.
    pub name: Arc<str>,
    /// Flags.
    pub flags: IfaceFlags,
    /// In octets.
    pub mtu: u32,
    /// The number of the bridge or VRF device it belongs to; 0 when none.
    pub master: IfIndex,
    /// All addresses of both families, in the order of the kernel.
    pub addrs: Vec<IfaceAddr>,
}

impl Iface {
    /// BIRD's "up": administratively up, and with an address or without need of one.
    pub fn is_up(&self) -> bool {
        self.flags.admin_up && !self.flags.unaddressed
    }

    /// The device of the VRF to which it belongs, 0 for none; the device of a VRF belongs to that.
    pub fn vrf(&self) -> IfIndex {
        if self.flags.vrf { self.index } else { self.master }
    }

    /// Our address in the network of this link in which a neighbour lies, the longest such network.
    pub fn facing(&self, neighbor: IpAddr) -> Option<&IfaceAddr> {
        let fits = |a: &&IfaceAddr| a.peer == Some(neighbor) || a.may_reach(neighbor);
        self.addrs.iter().filter(fits).max_by_key(|a| a.prefix.len())
    }
}

/// All links, ordered by number. Cheap to share (`Arc`), never changed in place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ifaces {
    links: Vec<Iface>,
    within: Within,
}

/// Whose links a snapshot holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Within {
    /// All of the machine.
    #[default]
    Machine,
    /// Those of a VRF, by the number of its device; 0: those that are in none.
    Vrf(IfIndex),
    /// Those of a VRF whose device is not there: none.
    Nowhere,
}

impl Within {
    /// The device of the VRF.
    pub fn device(self) -> Option<IfIndex> {
        match self {
            Self::Vrf(device) if device != IfIndex(0) => Some(device),
            _ => None,
        }
    }

    /// Whether they are two VRFs: what is near in one is not in the other.
    pub fn is_apart_from(self, other: Self) -> bool {
        self != Self::Machine && other != Self::Machine && self != other
    }
}

impl Ifaces {
    /// Takes links in any order.
    pub fn new(mut links: Vec<Iface>) -> Self {
        links.sort_by_key(|l| l.index);
        Self { links, within: Within::Machine }
    }

    /// Those among them that belong to a VRF.
    pub fn only(&self, within: Within, belongs: impl Fn(&Iface) -> bool) -> Self {
        Self { links: self.links.iter().filter(|link| belongs(link)).cloned().collect(), within }
    }

    /// Whose links these are.
    pub fn within(&self) -> Within {
        self.within
    }

    /// All links in the order of their numbers.
    pub fn iter(&self) -> std::slice::Iter<'_, Iface> {
        self.links.iter()
    }

    /// The link with this number.
    pub fn get(&self, index: IfIndex) -> Option<&Iface> {
        let at = self.links.binary_search_by_key(&index, |l| l.index).ok()?;
        self.links.get(at)
    }

    /// The link with this name.
    pub fn by_name(&self, name: &str) -> Option<&Iface> {
        self.links.iter().find(|l| &*l.name == name)
    }

    /// The link on which a neighbour lies, with our address there.
    ///
    /// The address whose network is longest wins, as in BIRD; our own addresses
    /// are not neighbours, nor are the network's own and its broadcast address.
    /// Links that are down do not count.
    pub fn neighbor(&self, addr: IpAddr) -> Option<(&Iface, &IfaceAddr)> {
        self.links
            .iter()
            .filter(|l| l.is_up())
            .filter_map(|l| Some((l, l.facing(addr)?)))
            .max_by_key(|(_, a)| a.prefix.len())
    }

    /// Whether the address is one of our own.
    pub fn is_own(&self, addr: IpAddr) -> bool {
        self.links.iter().any(|l| l.addrs.iter().any(|a| a.addr == addr))
    }
}
