//! Every path attribute that we understand, in one table.
//!
//! Adding an attribute is adding a row. Decoding (`wire`), the treatment of
//! errors (RFC 7606), names in filters (`filter`) and on the control socket
//! (`control`) follow from it.

/// What a malformed attribute leads to (RFC 7606 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Treat {
    /// The attribute is left out, the route stays.
    Discard,
    /// All routes of the message count as withdrawn.
    Withdraw,
    /// The session ends with a NOTIFICATION.
    Reset,
}

/// The shape of an attribute's value in canonical octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One octet, 0 ..= 2.
    Origin,
    /// Segments of four-octet AS numbers.
    AsPath,
    /// 4 octets, or 16 or 32 (global, then link-local) for IPv6.
    NextHop,
    /// Four octets, a number.
    U32,
    /// Nothing.
    Empty,
    /// Four-octet AS number and IPv4 address.
    Aggregator,
    /// Four-octet communities.
    Communities,
    /// Eight-octet communities.
    ExtCommunities,
    /// Twelve-octet communities.
    LargeCommunities,
    /// Four octets, a router identifier.
    RouterId,
    /// Four-octet cluster identifiers.
    ClusterList,
    /// TLVs, one with a metric of eight octets ([`crate::aigp`]).
    Aigp,
}

/// The category bits of the flags octet (RFC 4271 4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Category {
    /// Optional 0, transitive 1.
    WellKnown,
    /// Optional 1, transitive 0.
    OptionalNonTransitive,
    /// Optional 1, transitive 1.
    OptionalTransitive,
}

/// Flags octet: optional.
pub const FLAG_OPTIONAL: u8 = 0x80;
/// Flags octet: transitive.
pub const FLAG_TRANSITIVE: u8 = 0x40;
/// Flags octet: partial.
pub const FLAG_PARTIAL: u8 = 0x20;
/// Flags octet: the length has two octets (on the wire only; canonical octets never carry it).
pub const FLAG_EXTENDED: u8 = 0x10;

/// One attribute.
#[derive(Clone, Copy, Debug)]
pub struct Attribute {
    /// The type code of IANA.
    pub code: u8,
    /// The name after `bgp_` in filters and after `BGP.` on the control socket.
    pub name: &'static str,
    /// What its flags must say.
    pub category: Category,
    /// What its value looks like.
    pub shape: Shape,
    /// What a wrong value leads to (RFC 7606 7).
    pub on_error: Treat,
}

impl Attribute {
    /// Whether BIRD 1.6 does not know it: in that dialect it is carried as unknown ones are.
    pub const fn is_recent(&self) -> bool {
        matches!(self.code, code::AIGP | code::ONLY_TO_CUSTOMER)
    }
}

/// Type codes, by name.
#[expect(missing_docs, reason = "each constant is the attribute of its name")]
pub mod code {
    pub const ORIGIN: u8 = 1;
    pub const AS_PATH: u8 = 2;
    pub const NEXT_HOP: u8 = 3;
    pub const MED: u8 = 4;
    pub const LOCAL_PREF: u8 = 5;
    pub const ATOMIC_AGGREGATE: u8 = 6;
    pub const AGGREGATOR: u8 = 7;
    pub const COMMUNITY: u8 = 8;
    pub const ORIGINATOR_ID: u8 = 9;
    pub const CLUSTER_LIST: u8 = 10;
    pub const MP_REACH_NLRI: u8 = 14;
    pub const MP_UNREACH_NLRI: u8 = 15;
    pub const EXT_COMMUNITY: u8 = 16;
    pub const AS4_PATH: u8 = 17;
    pub const AS4_AGGREGATOR: u8 = 18;
    pub const AIGP: u8 = 26;
    pub const LARGE_COMMUNITY: u8 = 32;
    pub const ONLY_TO_CUSTOMER: u8 = 35;
}

use Category::{OptionalNonTransitive as Local, OptionalTransitive as Carried, WellKnown};

/// All attributes that can stand in an attribute set, in the order of their codes.
///
/// MP_REACH_NLRI, MP_UNREACH_NLRI, AS4_PATH and AS4_AGGREGATOR are not here:
/// they exist in messages only, and `wire` turns them into others.
pub static ATTRIBUTES: &[Attribute] = &[
    Attribute { code: 1, name: "origin", category: WellKnown, shape: Shape::Origin, on_error: Treat::Withdraw },
    Attribute { code: 2, name: "as_path", category: WellKnown, shape: Shape::AsPath, on_error: Treat::Withdraw },
    Attribute { code: 3, name: "next_hop", category: WellKnown, shape: Shape::NextHop, on_error: Treat::Withdraw },
    Attribute { code: 4, name: "med", category: Local, shape: Shape::U32, on_error: Treat::Withdraw },
    Attribute { code: 5, name: "local_pref", category: WellKnown, shape: Shape::U32, on_error: Treat::Withdraw },
    Attribute { code: 6, name: "atomic_aggr", category: WellKnown, shape: Shape::Empty, on_error: Treat::Discard },
    Attribute { code: 7, name: "aggregator", category: Carried, shape: Shape::Aggregator, on_error: Treat::Discard },
    Attribute { code: 8, name: "community", category: Carried, shape: Shape::Communities, on_error: Treat::Withdraw },
    Attribute { code: 9, name: "originator_id", category: Local, shape: Shape::RouterId, on_error: Treat::Withdraw },
    Attribute { code: 10, name: "cluster_list", category: Local, shape: Shape::ClusterList, on_error: Treat::Withdraw },
    Attribute {
        code: 16,
        name: "ext_community",
        category: Carried,
        shape: Shape::ExtCommunities,
        on_error: Treat::Withdraw,
    },
    Attribute { code: 26, name: "aigp", category: Local, shape: Shape::Aigp, on_error: Treat::Discard },
    Attribute {
        code: 32,
        name: "large_community",
        category: Carried,
        shape: Shape::LargeCommunities,
        on_error: Treat::Withdraw,
    },
    Attribute { code: 35, name: "otc", category: Carried, shape: Shape::U32, on_error: Treat::Withdraw },
];

/// The row of an attribute, `None` when we do not know it.
pub fn by_code(code: u8) -> Option<&'static Attribute> {
    ATTRIBUTES.iter().find(|a| a.code == code)
}

/// The row of an attribute by its name without `bgp_`.
pub fn by_name(name: &str) -> Option<&'static Attribute> {
    ATTRIBUTES.iter().find(|a| a.name == name)
}

/// ORIGIN values (RFC 4271 5.1.1).
#[expect(missing_docs, reason = "each constant is the origin of its name")]
pub mod origin {
    pub const IGP: u8 = 0;
    pub const EGP: u8 = 1;
    pub const INCOMPLETE: u8 = 2;
}
