//! Address families and prefixes.
//!
//! A prefix is kept masked: host bits are zero from the moment it is made, so
//! equality, hashing and order need no care later. IPv4 and IPv6 are distinct
//! types inside, so a table of one family stores no room for the other.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// An address family; unicast only (RFC 4760: SAFI 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// AFI 1, SAFI 1.
    Ipv4,
    /// AFI 2, SAFI 1.
    Ipv6,
}

impl Family {
    /// Both, in the order in which they are listed everywhere.
    pub const ALL: [Self; 2] = [Self::Ipv4, Self::Ipv6];

    /// As a channel of it is called: `ipv4`, `ipv6`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ipv4 => "ipv4",
            Self::Ipv6 => "ipv6",
        }
    }

    /// The one that it is not.
    pub const fn other(self) -> Self {
        match self {
            Self::Ipv4 => Self::Ipv6,
            Self::Ipv6 => Self::Ipv4,
        }
    }

    /// The address family identifier of IANA.
    pub const fn afi(self) -> u16 {
        match self {
            Self::Ipv4 => 1,
            Self::Ipv6 => 2,
        }
    }

    /// The length of an address in bits: the longest prefix.
    pub const fn bits(self) -> u8 {
        match self {
            Self::Ipv4 => 32,
            Self::Ipv6 => 128,
        }
    }

    /// The family of an address.
    pub const fn of(addr: IpAddr) -> Self {
        match addr {
            IpAddr::V4(_) => Self::Ipv4,
            IpAddr::V6(_) => Self::Ipv6,
        }
    }
}

/// An IPv4 prefix; host bits are zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix4 {
    /// In host order, masked to `len`.
    pub addr: u32,
    /// 0 ..= 32.
    pub len: u8,
}

/// An IPv6 prefix; host bits are zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix6 {
    /// In network order, masked to `len`.
    pub addr: [u8; 16],
    /// 0 ..= 128.
    pub len: u8,
}

/// A prefix of either family. Ordered IPv4 first, then by address, then shorter first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Prefix {
    /// IPv4.
    V4(Prefix4),
    /// IPv6.
    V6(Prefix6),
}

impl Prefix4 {
    /// Masks the host bits away. `None` when `len` is above 32.
    pub const fn new(addr: u32, len: u8) -> Option<Self> {
        if len > 32 {
            return None;
        }
        Some(Self { addr: addr & mask4(len), len })
    }
}

impl Prefix6 {
    /// Masks the host bits away. `None` when `len` is above 128.
    pub const fn new(addr: [u8; 16], len: u8) -> Option<Self> {
        if len > 128 {
            return None;
        }
        let bits = u128::from_be_bytes(addr) & mask6(len);
        Some(Self { addr: bits.to_be_bytes(), len })
    }
}

/// The netmask of an IPv4 prefix length up to 32, in host order.
pub const fn mask4(len: u8) -> u32 {
    if len == 0 { 0 } else { u32::MAX << (32 - len) }
}

/// The netmask of an IPv6 prefix length up to 128, as a big number.
pub const fn mask6(len: u8) -> u128 {
    if len == 0 { 0 } else { u128::MAX << (128 - len) }
}

impl Prefix {
    /// A prefix of any address; host bits are masked away. `None` when `len` is longer than the address.
    pub const fn new(addr: IpAddr, len: u8) -> Option<Self> {
        match addr {
            IpAddr::V4(a) => match Prefix4::new(a.to_bits(), len) {
                Some(p) => Some(Self::V4(p)),
                None => None,
            },
            IpAddr::V6(a) => match Prefix6::new(a.octets(), len) {
                Some(p) => Some(Self::V6(p)),
                None => None,
            },
        }
    }

    /// The host route of an address.
    pub const fn host(addr: IpAddr) -> Self {
        match addr {
            IpAddr::V4(a) => Self::V4(Prefix4 { addr: a.to_bits(), len: 32 }),
            IpAddr::V6(a) => Self::V6(Prefix6 { addr: a.octets(), len: 128 }),
        }
    }

    /// `0.0.0.0/0` or `::/0`.
    pub const fn default(family: Family) -> Self {
        match family {
            Family::Ipv4 => Self::V4(Prefix4 { addr: 0, len: 0 }),
            Family::Ipv6 => Self::V6(Prefix6 { addr: [0; 16], len: 0 }),
        }
    }

    /// The family.
    pub const fn family(&self) -> Family {
        match self {
            Self::V4(_) => Family::Ipv4,
            Self::V6(_) => Family::Ipv6,
        }
    }

    /// The network address.
    pub const fn addr(&self) -> IpAddr {
        match self {
            Self::V4(p) => IpAddr::V4(Ipv4Addr::from_bits(p.addr)),
            Self::V6(p) => IpAddr::V6(Ipv6Addr::from_bits(u128::from_be_bytes(p.addr))),
        }
    }

    /// The prefix length in bits.
    #[expect(clippy::len_without_is_empty, reason = "a prefix is never empty; `len` is its name everywhere in routing")]
    pub const fn len(&self) -> u8 {
        match self {
            Self::V4(p) => p.len,
            Self::V6(p) => p.len,
        }
    }

    /// Whether the address lies in this prefix; false across families.
    pub const fn contains(&self, addr: IpAddr) -> bool {
        match (self, addr) {
            (Self::V4(p), IpAddr::V4(a)) => a.to_bits() & mask4(p.len) == p.addr,
            (Self::V6(p), IpAddr::V6(a)) => a.to_bits() & mask6(p.len) == u128::from_be_bytes(p.addr),
            _ => false,
        }
    }

    /// Whether `other` is this prefix or lies inside it; false across families.
    pub const fn covers(&self, other: &Self) -> bool {
        self.len() <= other.len() && self.contains(other.addr())
    }

    /// All prefixes of this length inside, in order; none when it is shorter or longer than can be. Take care: there may
    /// be more than anybody can wait for.
    pub fn subnets(self, len: u8) -> impl Iterator<Item = Self> {
        let (bits, deeper) =
            (self.family().bits(), len.checked_sub(self.len()).filter(|_| len <= self.family().bits()));
        let count = deeper.map_or(0, |deeper| 1_u64.checked_shl(deeper.into()).unwrap_or(u64::MAX));
        let behind = u32::from(bits.saturating_sub(len));
        (0..count).map(move |n| match self {
            Self::V4(p) => Self::V4(Prefix4 { addr: p.addr | (n as u32).checked_shl(behind).unwrap_or(0), len }),
            Self::V6(p) => {
                let addr = u128::from_be_bytes(p.addr) | u128::from(n).checked_shl(behind).unwrap_or(0);
                Self::V6(Prefix6 { addr: addr.to_be_bytes(), len })
            }
        })
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", Written(self.addr()), self.len())
    }
}

/// An address as BIRD writes it: an IPv6 address whose first six groups alone are zero ends in dots, as an address
/// mapped from IPv4 does everywhere.
///
/// The same in 1.6.8 and 2.0.12; [`std::net::Ipv6Addr`] has dots for mapped addresses alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written(pub IpAddr);

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            IpAddr::V6(addr) if addr.to_bits() >> 16 != 0 && addr.to_bits() >> 32 == 0 => {
                let last = Ipv4Addr::from_bits(addr.to_bits() as u32);
                write!(f, "::{last}")
            }
            addr => addr.fmt(f),
        }
    }
}

/// Text that is no prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAPrefix;

impl FromStr for Prefix {
    type Err = NotAPrefix;

    /// Reads `ADDRESS/LENGTH`. Host bits that are set are an error, as in bird.conf.
    fn from_str(text: &str) -> Result<Self, NotAPrefix> {
        let (addr, len) = text.split_once('/').ok_or(NotAPrefix)?;
        let addr: IpAddr = addr.parse().map_err(|_| NotAPrefix)?;
        let len: u8 = len.parse().map_err(|_| NotAPrefix)?;
        let prefix = Self::new(addr, len).ok_or(NotAPrefix)?;
        if prefix.addr() == addr { Ok(prefix) } else { Err(NotAPrefix) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_bits_are_masked_when_made_and_refused_in_text() {
        let p = Prefix::new("10.1.2.3".parse().unwrap(), 8).unwrap();
        assert_eq!(p.to_string(), "10.0.0.0/8");
        assert_eq!("10.1.2.3/8".parse::<Prefix>(), Err(NotAPrefix));
        assert_eq!("2001:db8::/32".parse::<Prefix>().unwrap().to_string(), "2001:db8::/32");
    }

    #[test]
    fn an_address_behind_six_groups_of_zero_ends_in_dots() {
        // As bird6 1.6.8 and bird 2.0.12 print them.
        for text in [
            "::",
            "::1",
            "::ffff",
            "::0.7.252.0",
            "::63.248.0.0",
            "::ffff:10.0.0.1",
            "::1:0:0",
            "::1:0:0:0",
            "2001:db8::1",
        ] {
            let addr: Ipv6Addr = text.parse().unwrap();
            assert_eq!(Written(addr.into()).to_string(), text);
        }
        assert_eq!("::0.1.0.0/112".parse::<Prefix>().unwrap().to_string(), "::0.1.0.0/112");
    }

    #[test]
    fn a_prefix_covers_itself_and_what_lies_inside() {
        let p: Prefix = "10.0.0.0/8".parse().unwrap();
        assert!(p.covers(&p));
        assert!(p.covers(&"10.2.0.0/16".parse().unwrap()));
        assert!(!p.covers(&"0.0.0.0/0".parse().unwrap()));
        assert!(!p.covers(&"::/0".parse().unwrap()));
    }
}
