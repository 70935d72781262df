//! NLRI: prefixes as they stand in messages (RFC 4271 4.3, RFC 7911 3).

use route::net::{Prefix4, Prefix6};
use route::{Family, Prefix};

/// SAFI 1.
pub(crate) const UNICAST: u8 = 1;

/// The family of an AFI and SAFI; `None` for those that we do not carry.
pub(crate) const fn family_of(afi: u16, safi: u8) -> Option<Family> {
    match (afi, safi) {
        (1, UNICAST) => Some(Family::Ipv4),
        (2, UNICAST) => Some(Family::Ipv6),
        _ => None,
    }
}

/// One value for each family.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each field is the value of the family of its name")]
pub struct PerFamily<T> {
    pub ipv4: T,
    pub ipv6: T,
}

impl<T> PerFamily<T> {
    /// The value of a family.
    pub const fn get(&self, family: Family) -> &T {
        match family {
            Family::Ipv4 => &self.ipv4,
            Family::Ipv6 => &self.ipv6,
        }
    }

    /// The value of a family, to be changed.
    pub const fn get_mut(&mut self, family: Family) -> &mut T {
        match family {
            Family::Ipv4 => &mut self.ipv4,
            Family::Ipv6 => &mut self.ipv6,
        }
    }
}

/// A prefix, and with ADD-PATH the path that it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Nlri {
    /// The prefix; host bits that a peer has set are masked away.
    pub net: Prefix,
    /// The path identifier; 0 without ADD-PATH.
    pub path_id: u32,
}

impl Nlri {
    /// The most octets that one takes: path identifier, length, address.
    pub const OCTETS_MAX: usize = 4 + 1 + 16;

    /// Appends it.
    pub(crate) fn put(&self, with_path_id: bool, out: &mut Vec<u8>) {
        if with_path_id {
            out.extend_from_slice(&self.path_id.to_be_bytes());
        }
        let len = self.net.len();
        out.push(len);
        // The whole address, then off with its end: a copy of fixed length is the fast one.
        let end = out.len() + usize::from(len.div_ceil(8));
        match self.net {
            Prefix::V4(p) => out.extend_from_slice(&p.addr.to_be_bytes()),
            Prefix::V6(p) => out.extend_from_slice(&p.addr),
        }
        out.truncate(end);
    }

    /// The octets that it takes.
    pub(crate) const fn octets(&self, with_path_id: bool) -> usize {
        let path_id = if with_path_id { 4 } else { 0 };
        path_id + 1 + self.net.len().div_ceil(8) as usize
    }
}

/// Why octets are no list of NLRI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadNlri {
    /// A prefix is longer than an address.
    Length,
    /// The octets end inside a prefix.
    Truncated,
}

/// A list of NLRI in the octets of a message. Checked when made; copying costs nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nlris<'a> {
    octets: &'a [u8],
    family: Family,
    with_path_ids: bool,
}

impl<'a> Nlris<'a> {
    /// No NLRI.
    pub const fn none(family: Family) -> Self {
        Self { octets: &[], family, with_path_ids: false }
    }

    /// A list over octets, all of it checked.
    pub(crate) fn checked(octets: &'a [u8], family: Family, with_path_ids: bool) -> Result<Self, BadNlri> {
        let all = Self { octets, family, with_path_ids };
        let mut rest = octets;
        while !rest.is_empty() {
            rest = all.split_one(rest)?.2;
        }
        Ok(all)
    }

    /// The family.
    pub const fn family(&self) -> Family {
        self.family
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.octets.is_empty()
    }

    /// One after the other, in the order of the message.
    pub fn iter(&self) -> impl Iterator<Item = Nlri> + use<'a> {
        let all = *self;
        let mut rest = self.octets;
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let (path_id, net, tail) = all.split_one(rest).ok()?;
            rest = tail;
            Some(Nlri { net, path_id })
        })
    }

    /// Path identifier, prefix, and what follows.
    #[inline]
    fn split_one(self, octets: &'a [u8]) -> Result<(u32, Prefix, &'a [u8]), BadNlri> {
        let (path_id, octets) = if self.with_path_ids {
            let (id, rest) = octets.split_first_chunk::<4>().ok_or(BadNlri::Truncated)?;
            (u32::from_be_bytes(*id), rest)
        } else {
            (0, octets)
        };
        let (&len, octets) = octets.split_first().ok_or(BadNlri::Truncated)?;
        if len > self.family.bits() {
            return Err(BadNlri::Length);
        }
        let (addr, rest) = octets.split_at_checked(usize::from(len.div_ceil(8))).ok_or(BadNlri::Truncated)?;
        let net = match self.family {
            Family::Ipv4 => Prefix4::new(u32::from_be_bytes(whole(octets, addr)), len).map(Prefix::V4),
            Family::Ipv6 => Prefix6::new(whole(octets, addr), len).map(Prefix::V6),
        };
        Ok((path_id, net.ok_or(BadNlri::Length)?, rest))
    }
}

/// An address of which only the first octets count; what follows is masked away by the prefix.
///
/// Taken from the message as far as that goes, since a copy of fixed length is the fast one.
#[inline]
fn whole<const N: usize>(octets: &[u8], addr: &[u8]) -> [u8; N] {
    octets.first_chunk::<N>().copied().unwrap_or_else(|| {
        let mut all = [0; N];
        all.iter_mut().zip(addr).for_each(|(to, from)| *to = *from);
        all
    })
}
