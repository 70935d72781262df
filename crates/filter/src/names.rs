//! The words of filters that stand for something of a route, and the constants of the language.
//!
//! One list each: adding an attribute or a constant is adding a row. The BGP
//! attributes are `route::attr::ATTRIBUTES`; only AS_PATH has another name here.

use crate::value::{EnumKind, Type, Value};
use route::attr::{self, Shape, code};
use route::attrs::LocalAttr;

/// What every route has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is the attribute of its name")]
pub enum Field {
    Net,
    Scope,
    Preference,
    From,
    Gw,
    Proto,
    Source,
    Dest,
    Ifname,
    Ifindex,
    Cast,
}

/// How an attribute reads in a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AttrKind {
    /// A number.
    Int,
    /// A router identifier.
    Quad,
    /// A constant of an enumeration.
    Enum(EnumKind),
    /// An address.
    Ip,
    /// Text.
    Text,
    /// An AS path.
    Path,
    /// Communities.
    Clist,
    /// Extended communities.
    Eclist,
    /// Large communities.
    Lclist,
    /// One bit of a number.
    Bit(u8),
    /// Only whether it is there.
    Opaque,
}

/// Something that a filter reads of a route by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Attr {
    /// What every route has.
    Field(Field),
    /// A BGP attribute, by its code.
    Bgp(u8, AttrKind),
    /// An attribute of the kernel, or IGP metric.
    Local(LocalAttr, AttrKind),
}

impl Attr {
    /// Whether a filter may set it.
    pub const fn is_settable(self) -> bool {
        use Field::{Dest, From, Gw, Ifname, Preference, Scope};
        match self {
            Self::Field(field) => matches!(field, Scope | Preference | From | Gw | Dest | Ifname),
            Self::Bgp(..) | Self::Local(..) => true,
        }
    }

    /// Whether a route may be without it, so that `unset` makes sense.
    pub const fn is_optional(self) -> bool {
        !matches!(self, Self::Field(_))
    }

    /// The value that `.empty` gives it.
    pub fn empty(self) -> Option<Value<'static>> {
        use crate::value::Held::Ref;
        let (Self::Bgp(_, kind) | Self::Local(_, kind)) = self else { return None };
        Some(match kind {
            AttrKind::Path => Value::Path(Ref(&[])),
            AttrKind::Clist => Value::Clist(Ref(&[])),
            AttrKind::Eclist => Value::Eclist(Ref(&[])),
            AttrKind::Lclist => Value::Lclist(Ref(&[])),
            _ => return None,
        })
    }
}

/// The attribute of a name.
pub fn attribute(name: &str) -> Option<Attr> {
    if let Some(bgp) = name.strip_prefix("bgp_") {
        let row = match bgp {
            "path" => attr::by_code(code::AS_PATH)?,
            "as_path" => return None,
            _ => attr::by_name(bgp)?,
        };
        return Some(Attr::Bgp(row.code, kind_of(row.shape)));
    }
    OTHERS.iter().find(|(n, _)| *n == name).map(|(_, a)| *a)
}

const fn kind_of(shape: Shape) -> AttrKind {
    match shape {
        Shape::Origin => AttrKind::Enum(EnumKind::Origin),
        Shape::AsPath => AttrKind::Path,
        Shape::NextHop => AttrKind::Ip,
        Shape::U32 => AttrKind::Int,
        Shape::Empty | Shape::Aggregator => AttrKind::Opaque,
        Shape::Communities | Shape::ClusterList => AttrKind::Clist,
        Shape::ExtCommunities => AttrKind::Eclist,
        Shape::LargeCommunities => AttrKind::Lclist,
        Shape::RouterId => AttrKind::Quad,
    }
}

use AttrKind::{Bit, Int, Ip, Text};
use LocalAttr as L;

/// Attributes that are not of BGP. Locks and features are bits with the kernel's numbers (RTAX_*, RTAX_FEATURE_*).
static OTHERS: &[(&str, Attr)] = &[
    ("net", Attr::Field(Field::Net)),
    ("scope", Attr::Field(Field::Scope)),
    ("preference", Attr::Field(Field::Preference)),
    ("from", Attr::Field(Field::From)),
    ("gw", Attr::Field(Field::Gw)),
    ("proto", Attr::Field(Field::Proto)),
    ("source", Attr::Field(Field::Source)),
    ("dest", Attr::Field(Field::Dest)),
    ("ifname", Attr::Field(Field::Ifname)),
    ("ifindex", Attr::Field(Field::Ifindex)),
    ("cast", Attr::Field(Field::Cast)),
    ("igp_metric", Attr::Local(L::IgpMetric, Int)),
    ("krt_source", Attr::Local(L::KrtSource, Int)),
    ("krt_metric", Attr::Local(L::KrtMetric, Int)),
    ("krt_prefsrc", Attr::Local(L::KrtPrefsrc, Ip)),
    ("krt_realm", Attr::Local(L::KrtRealm, Int)),
    ("krt_scope", Attr::Local(L::KrtScope, Int)),
    ("krt_tunnel", Attr::Local(L::KrtTunnel, Text)),
    ("krt_mtu", Attr::Local(L::KrtMtu, Int)),
    ("krt_window", Attr::Local(L::KrtWindow, Int)),
    ("krt_rtt", Attr::Local(L::KrtRtt, Int)),
    ("krt_rttvar", Attr::Local(L::KrtRttvar, Int)),
    ("krt_sstresh", Attr::Local(L::KrtSstresh, Int)),
    ("krt_cwnd", Attr::Local(L::KrtCwnd, Int)),
    ("krt_advmss", Attr::Local(L::KrtAdvmss, Int)),
    ("krt_reordering", Attr::Local(L::KrtReordering, Int)),
    ("krt_hoplimit", Attr::Local(L::KrtHoplimit, Int)),
    ("krt_initcwnd", Attr::Local(L::KrtInitcwnd, Int)),
    ("krt_rto_min", Attr::Local(L::KrtRtoMin, Int)),
    ("krt_initrwnd", Attr::Local(L::KrtInitrwnd, Int)),
    ("krt_quickack", Attr::Local(L::KrtQuickack, Int)),
    ("krt_lock_mtu", Attr::Local(L::KrtLock, Bit(2))),
    ("krt_lock_window", Attr::Local(L::KrtLock, Bit(3))),
    ("krt_lock_rtt", Attr::Local(L::KrtLock, Bit(4))),
    ("krt_lock_rttvar", Attr::Local(L::KrtLock, Bit(5))),
    ("krt_lock_sstresh", Attr::Local(L::KrtLock, Bit(6))),
    ("krt_lock_cwnd", Attr::Local(L::KrtLock, Bit(7))),
    ("krt_lock_advmss", Attr::Local(L::KrtLock, Bit(8))),
    ("krt_lock_reordering", Attr::Local(L::KrtLock, Bit(9))),
    ("krt_lock_hoplimit", Attr::Local(L::KrtLock, Bit(10))),
    ("krt_lock_rto_min", Attr::Local(L::KrtLock, Bit(13))),
    ("krt_feature_ecn", Attr::Local(L::KrtFeatures, Bit(0))),
    ("krt_feature_allfrag", Attr::Local(L::KrtFeatures, Bit(3))),
];

/// A constant of the language, `RTS_BGP` and its like.
pub fn constant(name: &str) -> Option<Value<'static>> {
    CONSTANTS.iter().find(|(n, ..)| *n == name).map(|(_, kind, n)| Value::Enum(*kind, *n))
}

/// All constants of the language.
pub static CONSTANTS: &[(&str, EnumKind, u32)] = &[
    ("RTS_DUMMY", EnumKind::Source, 0),
    ("RTS_STATIC", EnumKind::Source, 1),
    ("RTS_INHERIT", EnumKind::Source, 2),
    ("RTS_DEVICE", EnumKind::Source, 3),
    ("RTS_STATIC_DEVICE", EnumKind::Source, 4),
    ("RTS_REDIRECT", EnumKind::Source, 5),
    ("RTS_RIP", EnumKind::Source, 6),
    ("RTS_OSPF", EnumKind::Source, 7),
    ("RTS_OSPF_IA", EnumKind::Source, 8),
    ("RTS_OSPF_EXT1", EnumKind::Source, 9),
    ("RTS_OSPF_EXT2", EnumKind::Source, 10),
    ("RTS_BGP", EnumKind::Source, 11),
    ("RTS_PIPE", EnumKind::Source, 12),
    ("RTS_BABEL", EnumKind::Source, 13),
    ("ORIGIN_IGP", EnumKind::Origin, 0),
    ("ORIGIN_EGP", EnumKind::Origin, 1),
    ("ORIGIN_INCOMPLETE", EnumKind::Origin, 2),
    ("SCOPE_HOST", EnumKind::Scope, 0),
    ("SCOPE_LINK", EnumKind::Scope, 1),
    ("SCOPE_SITE", EnumKind::Scope, 2),
    ("SCOPE_ORGANIZATION", EnumKind::Scope, 3),
    ("SCOPE_UNIVERSE", EnumKind::Scope, 4),
    ("SCOPE_UNDEFINED", EnumKind::Scope, 5),
    ("RTC_UNICAST", EnumKind::Cast, 0),
    ("RTC_BROADCAST", EnumKind::Cast, 1),
    ("RTC_MULTICAST", EnumKind::Cast, 2),
    ("RTC_ANYCAST", EnumKind::Cast, 3),
    ("RTD_ROUTER", EnumKind::Dest, 0),
    ("RTD_DEVICE", EnumKind::Dest, 1),
    ("RTD_BLACKHOLE", EnumKind::Dest, 2),
    ("RTD_UNREACHABLE", EnumKind::Dest, 3),
    ("RTD_PROHIBIT", EnumKind::Dest, 4),
    ("RTD_MULTIPATH", EnumKind::Dest, 5),
    ("ROA_UNKNOWN", EnumKind::Roa, 0),
    ("ROA_VALID", EnumKind::Roa, 1),
    ("ROA_INVALID", EnumKind::Roa, 2),
];

/// The words of types in declarations. With `set` behind it a type of items becomes a set.
pub static TYPES: &[(&str, Type)] = &[
    ("bool", Type::Bool),
    ("int", Type::Int),
    ("pair", Type::Pair),
    ("quad", Type::Quad),
    ("ip", Type::Ip),
    ("prefix", Type::Prefix),
    ("ec", Type::Ec),
    ("lc", Type::Lc),
    ("string", Type::Text),
    ("bgpmask", Type::Mask),
    ("bgppath", Type::Path),
    ("clist", Type::Clist),
    ("eclist", Type::Eclist),
    ("lclist", Type::Lclist),
];

/// Attributes of protocols that rbird does not have.
pub fn is_foreign_attribute(name: &str) -> bool {
    ["ospf_", "rip_", "babel_", "ra_"].iter().any(|p| name.starts_with(p))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_attribute_and_constant_is_a_reserved_word_as_in_bird() {
        let reserved = |name: &str| crate::syntax::is_reserved(name, Some(route::Family::Ipv4));
        // Calico's BIRD has one attribute more.
        assert!(OTHERS.iter().all(|(n, _)| reserved(n) || *n == "krt_tunnel"));
        assert!(CONSTANTS.iter().all(|(n, ..)| reserved(n)));
        for row in attr::ATTRIBUTES {
            let name = if row.code == code::AS_PATH { "bgp_path".into() } else { format!("bgp_{}", row.name) };
            assert!(reserved(&name) && attribute(&name).is_some(), "{name}");
        }
    }
}
