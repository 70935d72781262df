//! Communities, extended and large communities: how their octets read as text.

use std::fmt;

/// A community (RFC 1997), printed `(1,2)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Community(pub u32);

/// An extended community (RFC 4360), printed `(rt, 1, 2)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExtCommunity(pub u64);

/// A large community (RFC 8092), printed `(1, 2, 3)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LargeCommunity(pub u32, pub u32, pub u32);

/// NO_EXPORT.
pub const NO_EXPORT: Community = Community(0xffff_ff01);
/// NO_ADVERTISE.
pub const NO_ADVERTISE: Community = Community(0xffff_ff02);
/// NO_EXPORT_SUBCONFED.
pub const NO_EXPORT_SUBCONFED: Community = Community(0xffff_ff03);
/// LLGR_STALE (RFC 9494).
pub const LLGR_STALE: Community = Community(0xffff_0006);
/// NO_LLGR (RFC 9494).
pub const NO_LLGR: Community = Community(0xffff_0007);

/// The communities in the value of a COMMUNITIES attribute.
pub fn communities(value: &[u8]) -> impl Iterator<Item = Community> + Clone + '_ {
    value.as_chunks::<4>().0.iter().map(|c| Community(u32::from_be_bytes(*c)))
}

/// The communities in the value of an EXTENDED COMMUNITIES attribute.
pub fn ext_communities(value: &[u8]) -> impl Iterator<Item = ExtCommunity> + Clone + '_ {
    value.as_chunks::<8>().0.iter().map(|c| ExtCommunity(u64::from_be_bytes(*c)))
}

/// The communities in the value of a LARGE_COMMUNITY attribute.
pub fn large_communities(value: &[u8]) -> impl Iterator<Item = LargeCommunity> + Clone + '_ {
    value.as_chunks::<12>().0.iter().map(|c| {
        let [a, b, c, d, e, f, g, h, i, j, k, l] = *c;
        LargeCommunity(
            u32::from_be_bytes([a, b, c, d]),
            u32::from_be_bytes([e, f, g, h]),
            u32::from_be_bytes([i, j, k, l]),
        )
    })
}

impl fmt::Display for Community {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({},{})", self.0 >> 16, self.0 & 0xffff)
    }
}

impl fmt::Display for LargeCommunity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({}, {}, {})", self.0, self.1, self.2)
    }
}

impl fmt::Display for ExtCommunity {
    /// Forms with an AS number or address by their parts, all others as `(generic, 0xHIGH, 0xLOW)`.
    ///
    /// The kind is `rt` or `ro`; any other is `unknown` with its type and subtype.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (high, low) = ((self.0 >> 32) as u32, self.0 as u32);
        let kind = high >> 16;
        // Bits 8 to 11 of the type tell the form of the rest.
        let name = match kind & 0xf0ff {
            0x0002 => "rt",
            0x0003 => "ro",
            _ => &format!("unknown 0x{kind:x}"),
        };
        match kind >> 8 {
            0x00 | 0x40 => write!(f, "({name}, {}, {low})", high & 0xffff),
            0x01 | 0x41 => {
                let addr = std::net::Ipv4Addr::from_bits((high << 16) | (low >> 16));
                write!(f, "({name}, {addr}, {})", low & 0xffff)
            }
            0x02 | 0x42 => write!(f, "({name}, {}, {})", (high << 16) | (low >> 16), low & 0xffff),
            _ => write!(f, "(generic, 0x{high:x}, 0x{low:x})"),
        }
    }
}
