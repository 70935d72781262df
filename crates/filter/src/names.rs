//! The words of filters that stand for something of a route, and the constants of the language.
//!
//! One list each: adding an attribute or a constant is adding a row, which says in
//! which dialects it is known. The BGP attributes are `route::attr::ATTRIBUTES`;
//! only AS_PATH has another name here.

use crate::ast::Method;
use crate::dialect::Dialect;
use crate::subject::local_value;
use crate::value::{EnumKind, Type, Value};
use route::attr::{self, Shape, code};
use route::attrs::{LocalAttr, LocalValue};

/// The dialects that know a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum In {
    Both,
    V1,
    V2,
}

impl In {
    const fn has(self, dialect: Dialect) -> bool {
        matches!((self, dialect), (Self::Both, _) | (Self::V1, Dialect::V1) | (Self::V2, Dialect::V2))
    }
}

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
    /// With the numbers of 1.6.
    Dest,
    /// With the numbers of 2.
    DestKind,
    Ifname,
    Ifindex,
    Cast,
    Weight,
    Onlink,
    /// How far the next hop is that was looked up.
    LocalMetric,
}

/// How an attribute reads in a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AttrKind {
    /// A number.
    Int,
    /// A number of one octet.
    Octet,
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
    /// Octets.
    Bytes,
    /// A truth value.
    Bool,
    /// Two numbers of 16 bits.
    Pair,
    /// A prefix.
    Prefix,
    /// An extended community.
    Ec,
    /// A large community.
    Lc,
    /// Of a type that no attribute holds: it may be declared, and no route has it.
    Never(Type),
}

impl AttrKind {
    /// The type of its values.
    pub const fn value_type(self) -> Type {
        match self {
            Self::Int | Self::Octet => Type::Int,
            Self::Quad => Type::Quad,
            Self::Enum(kind) => Type::Enum(kind),
            Self::Ip => Type::Ip,
            Self::Text => Type::Text,
            Self::Path => Type::Path,
            Self::Clist => Type::Clist,
            Self::Eclist => Type::Eclist,
            Self::Lclist => Type::Lclist,
            Self::Bit(_) | Self::Bool => Type::Bool,
            Self::Pair => Type::Pair,
            Self::Prefix => Type::Prefix,
            Self::Ec => Type::Ec,
            Self::Lc => Type::Lc,
            Self::Never(kind) => kind,
            Self::Opaque => Type::Enum(EnumKind::Opaque),
            Self::Bytes => Type::Bytes,
        }
    }

    /// How an attribute reads that the operator declares with a type; `None` for types that no attribute has.
    pub const fn declared(kind: Type) -> Option<Self> {
        Some(match kind {
            Type::Int => Self::Int,
            Type::Quad => Self::Quad,
            Type::Ip => Self::Ip,
            Type::Text => Self::Text,
            Type::Path => Self::Path,
            Type::Clist => Self::Clist,
            Type::Eclist => Self::Eclist,
            Type::Lclist => Self::Lclist,
            Type::Bytes => Self::Bytes,
            Type::Bool => Self::Bool,
            Type::Enum(kind) => Self::Enum(kind),
            Type::Pair => Self::Pair,
            Type::Prefix => Self::Prefix,
            Type::Ec => Self::Ec,
            Type::Lc => Self::Lc,
            Type::Set | Type::PrefixSet | Type::Mask => Self::Never(kind),
            _ => return None,
        })
    }
}

impl AttrKind {
    /// The text of a value of an attribute that the operator declared: constants by their names.
    pub fn shown(self, value: &LocalValue) -> String {
        match local_value(self, Some(value)) {
            Value::Enum(kind, n) => constant_name(kind, n, Dialect::V2).map_or_else(|| n.to_string(), Into::into),
            value => value.to_string(),
        }
    }
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
        use Field::{Dest, DestKind, From, Gw, Ifname, Onlink, Preference, Scope, Weight};
        match self {
            Self::Field(field) => {
                matches!(field, Scope | Preference | From | Gw | Dest | DestKind | Ifname | Weight | Onlink)
            }
            Self::Bgp(..) | Self::Local(..) => true,
        }
    }

    /// Whether a route may be without it, so that `unset` makes sense.
    pub const fn is_optional(self) -> bool {
        !matches!(self, Self::Field(_))
    }

    /// Whether `unset` takes what every route has back to what it is without any: in 3.x these are attributes like others.
    pub const fn is_forgettable(self) -> bool {
        matches!(self, Self::Field(Field::Preference | Field::From))
    }

    /// The number of an attribute that the operator declared.
    pub const fn number(self) -> Option<u16> {
        match self {
            Self::Local(LocalAttr::Own(number), _) => Some(number),
            _ => None,
        }
    }

    /// The value that `.empty` gives it.
    pub const fn empty(self) -> Option<Value<'static>> {
        self.value_type().empty()
    }

    /// The type of its values.
    pub const fn value_type(self) -> Type {
        match self {
            Self::Bgp(_, kind) | Self::Local(_, kind) => kind.value_type(),
            Self::Field(field) => match field {
                Field::Net => Type::Prefix,
                Field::Scope => Type::Enum(EnumKind::Scope),
                Field::From | Field::Gw => Type::Ip,
                Field::Proto | Field::Ifname => Type::Text,
                Field::Source => Type::Enum(EnumKind::Source),
                Field::Dest | Field::DestKind => Type::Enum(EnumKind::Dest),
                Field::Cast => Type::Enum(EnumKind::Cast),
                Field::Preference | Field::Ifindex | Field::Weight | Field::LocalMetric => Type::Int,
                Field::Onlink => Type::Bool,
            },
        }
    }
}

/// The attribute of a name.
pub fn attribute(name: &str, dialect: Dialect) -> Option<Attr> {
    if let Some((.., attr)) = OTHERS.iter().find(|(n, of, _)| *n == name && of.has(dialect)) {
        return Some(*attr);
    }
    if let Some(bgp) = name.strip_prefix("bgp_") {
        let row = match bgp {
            "path" => attr::by_code(code::AS_PATH)?,
            "as_path" => return None,
            _ => attr::by_name(bgp)?,
        };
        let is_known = dialect == Dialect::V2 || !row.is_recent();
        let kind = match (dialect, row.shape) {
            // In BIRD 1.6 it is no enumeration: no ORIGIN_ constant is equal to it.
            (Dialect::V1, Shape::Origin) => AttrKind::Octet,
            (_, shape) => kind_of(shape),
        };
        return is_known.then_some(Attr::Bgp(row.code, kind));
    }
    None
}

/// The attribute of a name that 3.x knows, and that is an operator's in files of 2.x: what they define comes first.
pub fn late_attribute(name: &str, dialect: Dialect) -> Option<Attr> {
    (dialect == Dialect::V2 && name == "local_metric").then_some(Attr::Field(Field::LocalMetric))
}

/// Why no route has an attribute that BIRD knows; what operators define comes first here, too.
pub fn missing_attribute(name: &str) -> Option<&'static str> {
    Some(match name {
        "mpls_label" | "mpls_policy" | "mpls_class" | "bgp_mpls_label_stack" => {
            "rbird does not carry MPLS, so no route has this attribute"
        }
        "hostentry" | "nexthop" => "where a route leads is read as `gw`, `ifname`, `dest` and `bgp_next_hop`",
        _ => return None,
    })
}

/// The path attribute of a code: as octets when nobody knows it; `None`: it stands in messages only.
pub fn bgp_attribute(code: u8) -> Option<Attr> {
    const OF_MESSAGES: [u8; 4] = [code::MP_REACH_NLRI, code::MP_UNREACH_NLRI, code::AS4_PATH, code::AS4_AGGREGATOR];
    let kind = attr::by_code(code).map_or(AttrKind::Bytes, |row| kind_of(row.shape));
    (!OF_MESSAGES.contains(&code)).then_some(Attr::Bgp(code, kind))
}

const fn kind_of(shape: Shape) -> AttrKind {
    match shape {
        Shape::Origin => AttrKind::Enum(EnumKind::Origin),
        Shape::AsPath => AttrKind::Path,
        Shape::NextHop => AttrKind::Ip,
        Shape::U32 => AttrKind::Int,
        Shape::Empty | Shape::Aggregator | Shape::Aigp => AttrKind::Opaque,
        Shape::Communities | Shape::ClusterList => AttrKind::Clist,
        Shape::ExtCommunities => AttrKind::Eclist,
        Shape::LargeCommunities => AttrKind::Lclist,
        Shape::RouterId => AttrKind::Quad,
    }
}

use AttrKind::{Bit, Int, Ip, Text};
use In::Both;
use LocalAttr as L;

/// Attributes that `route` has no row for, or none with this name. Locks and features are bits with the kernel's numbers (RTAX_*, RTAX_FEATURE_*).
static OTHERS: &[(&str, In, Attr)] = &[
    ("net", Both, Attr::Field(Field::Net)),
    ("scope", Both, Attr::Field(Field::Scope)),
    ("preference", Both, Attr::Field(Field::Preference)),
    ("from", Both, Attr::Field(Field::From)),
    ("gw", Both, Attr::Field(Field::Gw)),
    ("proto", Both, Attr::Field(Field::Proto)),
    ("source", Both, Attr::Field(Field::Source)),
    ("dest", In::V1, Attr::Field(Field::Dest)),
    ("dest", In::V2, Attr::Field(Field::DestKind)),
    ("ifname", Both, Attr::Field(Field::Ifname)),
    ("ifindex", Both, Attr::Field(Field::Ifindex)),
    ("cast", In::V1, Attr::Field(Field::Cast)),
    ("weight", In::V2, Attr::Field(Field::Weight)),
    ("onlink", In::V2, Attr::Field(Field::Onlink)),
    ("igp_metric", Both, Attr::Local(L::IgpMetric, Int)),
    ("aspa_providers", In::V2, Attr::Local(L::AspaProviders, AttrKind::Clist)),
    ("krt_source", Both, Attr::Local(L::KrtSource, Int)),
    ("krt_metric", Both, Attr::Local(L::KrtMetric, Int)),
    ("krt_prefsrc", Both, Attr::Local(L::KrtPrefsrc, Ip)),
    ("krt_realm", Both, Attr::Local(L::KrtRealm, Int)),
    ("krt_scope", Both, Attr::Local(L::KrtScope, Int)),
    ("krt_tunnel", Both, Attr::Local(L::KrtTunnel, Text)),
    ("krt_mtu", Both, Attr::Local(L::KrtMtu, Int)),
    ("krt_window", Both, Attr::Local(L::KrtWindow, Int)),
    ("krt_rtt", Both, Attr::Local(L::KrtRtt, Int)),
    ("krt_rttvar", Both, Attr::Local(L::KrtRttvar, Int)),
    ("krt_sstresh", Both, Attr::Local(L::KrtSstresh, Int)),
    ("krt_cwnd", Both, Attr::Local(L::KrtCwnd, Int)),
    ("krt_advmss", Both, Attr::Local(L::KrtAdvmss, Int)),
    ("krt_reordering", Both, Attr::Local(L::KrtReordering, Int)),
    ("krt_hoplimit", Both, Attr::Local(L::KrtHoplimit, Int)),
    ("krt_initcwnd", Both, Attr::Local(L::KrtInitcwnd, Int)),
    ("krt_rto_min", Both, Attr::Local(L::KrtRtoMin, Int)),
    ("krt_initrwnd", Both, Attr::Local(L::KrtInitrwnd, Int)),
    ("krt_quickack", Both, Attr::Local(L::KrtQuickack, Int)),
    ("krt_lock_mtu", Both, Attr::Local(L::KrtLock, Bit(2))),
    ("krt_lock_window", Both, Attr::Local(L::KrtLock, Bit(3))),
    ("krt_lock_rtt", Both, Attr::Local(L::KrtLock, Bit(4))),
    ("krt_lock_rttvar", Both, Attr::Local(L::KrtLock, Bit(5))),
    ("krt_lock_sstresh", Both, Attr::Local(L::KrtLock, Bit(6))),
    ("krt_lock_cwnd", Both, Attr::Local(L::KrtLock, Bit(7))),
    ("krt_lock_advmss", Both, Attr::Local(L::KrtLock, Bit(8))),
    ("krt_lock_reordering", Both, Attr::Local(L::KrtLock, Bit(9))),
    ("krt_lock_hoplimit", Both, Attr::Local(L::KrtLock, Bit(10))),
    ("krt_lock_rto_min", Both, Attr::Local(L::KrtLock, Bit(13))),
    ("krt_feature_ecn", Both, Attr::Local(L::KrtFeatures, Bit(0))),
    ("krt_feature_allfrag", Both, Attr::Local(L::KrtFeatures, Bit(3))),
    ("krt_ssthresh", In::V2, Attr::Local(L::KrtSstresh, Int)),
    ("krt_lock_ssthresh", In::V2, Attr::Local(L::KrtLock, Bit(6))),
    ("krt_lock_initcwnd", In::V2, Attr::Local(L::KrtLock, Bit(11))),
    ("krt_lock_initrwnd", In::V2, Attr::Local(L::KrtLock, Bit(14))),
    ("krt_lock_quickack", In::V2, Attr::Local(L::KrtLock, Bit(15))),
    ("krt_congctl", In::V2, Attr::Local(L::KrtCongctl, Text)),
    ("krt_lock_congctl", In::V2, Attr::Local(L::KrtLock, Bit(16))),
    ("krt_lock_fastopen_no_cookie", In::V2, Attr::Local(L::KrtLock, Bit(17))),
    ("krt_fastopen_no_cookie", In::V2, Attr::Local(L::KrtFastopenNoCookie, Int)),
];

/// A constant of the language, `RTS_BGP` and its like.
pub fn constant(name: &str, dialect: Dialect) -> Option<Value<'static>> {
    let row = CONSTANTS.iter().find(|(n, of, ..)| *n == name && of.has(dialect));
    row.map(|(_, _, kind, n)| Value::Enum(*kind, *n))
}

/// The name of a constant.
pub fn constant_name(kind: EnumKind, number: u32, dialect: Dialect) -> Option<&'static str> {
    let is_it = |row: &&(&str, In, EnumKind, u32)| row.1.has(dialect) && (row.2, row.3) == (kind, number);
    CONSTANTS.iter().find(is_it).map(|(name, ..)| *name)
}

/// All constants of the language.
static CONSTANTS: &[(&str, In, EnumKind, u32)] = &[
    ("RTS_DUMMY", In::V1, EnumKind::Source, 0),
    ("RTS_STATIC", Both, EnumKind::Source, 1),
    ("RTS_INHERIT", Both, EnumKind::Source, 2),
    ("RTS_DEVICE", Both, EnumKind::Source, 3),
    ("RTS_STATIC_DEVICE", Both, EnumKind::Source, 4),
    ("RTS_REDIRECT", Both, EnumKind::Source, 5),
    ("RTS_RIP", Both, EnumKind::Source, 6),
    ("RTS_OSPF", Both, EnumKind::Source, 7),
    ("RTS_OSPF_IA", Both, EnumKind::Source, 8),
    ("RTS_OSPF_EXT1", Both, EnumKind::Source, 9),
    ("RTS_OSPF_EXT2", Both, EnumKind::Source, 10),
    ("RTS_BGP", Both, EnumKind::Source, 11),
    ("RTS_PIPE", Both, EnumKind::Source, 12),
    ("RTS_BABEL", Both, EnumKind::Source, 13),
    ("RTS_RPKI", In::V2, EnumKind::Source, 14),
    ("RTS_L3VPN", In::V2, EnumKind::Source, 16),
    ("RTS_AGGREGATED", In::V2, EnumKind::Source, 17),
    ("ORIGIN_IGP", Both, EnumKind::Origin, 0),
    ("ORIGIN_EGP", Both, EnumKind::Origin, 1),
    ("ORIGIN_INCOMPLETE", Both, EnumKind::Origin, 2),
    ("SCOPE_HOST", Both, EnumKind::Scope, 0),
    ("SCOPE_LINK", Both, EnumKind::Scope, 1),
    ("SCOPE_SITE", Both, EnumKind::Scope, 2),
    ("SCOPE_ORGANIZATION", Both, EnumKind::Scope, 3),
    ("SCOPE_UNIVERSE", Both, EnumKind::Scope, 4),
    ("SCOPE_UNDEFINED", Both, EnumKind::Scope, 5),
    ("RTC_UNICAST", In::V1, EnumKind::Cast, 0),
    ("RTC_BROADCAST", In::V1, EnumKind::Cast, 1),
    ("RTC_MULTICAST", In::V1, EnumKind::Cast, 2),
    ("RTC_ANYCAST", In::V1, EnumKind::Cast, 3),
    ("RTD_ROUTER", In::V1, EnumKind::Dest, 0),
    ("RTD_DEVICE", In::V1, EnumKind::Dest, 1),
    ("RTD_UNICAST", In::V2, EnumKind::Dest, 1),
    ("RTD_BLACKHOLE", Both, EnumKind::Dest, 2),
    ("RTD_UNREACHABLE", Both, EnumKind::Dest, 3),
    ("RTD_PROHIBIT", Both, EnumKind::Dest, 4),
    ("RTD_MULTIPATH", In::V1, EnumKind::Dest, 5),
    ("ROA_UNKNOWN", Both, EnumKind::Roa, 0),
    ("ROA_VALID", Both, EnumKind::Roa, 1),
    ("ROA_INVALID", Both, EnumKind::Roa, 2),
    ("NET_IP4", In::V2, EnumKind::NetType, 1),
    ("NET_IP6", In::V2, EnumKind::NetType, 2),
    ("NET_VPN4", In::V2, EnumKind::NetType, 3),
    ("NET_VPN6", In::V2, EnumKind::NetType, 4),
    ("NET_ROA4", In::V2, EnumKind::NetType, 5),
    ("NET_ROA6", In::V2, EnumKind::NetType, 6),
    ("NET_FLOW4", In::V2, EnumKind::NetType, 7),
    ("NET_FLOW6", In::V2, EnumKind::NetType, 8),
    ("NET_IP6_SADR", In::V2, EnumKind::NetType, 9),
    ("NET_ETH", In::V2, EnumKind::NetType, 10),
    ("NET_MPLS", In::V2, EnumKind::NetType, 11),
    ("NET_ASPA", In::V2, EnumKind::NetType, 12),
    ("NET_EVPN", In::V2, EnumKind::NetType, 13),
    ("NET_NEIGHBOR", In::V2, EnumKind::NetType, 14),
    ("ASPA_UNKNOWN", In::V2, EnumKind::Aspa, 0),
    ("ASPA_VALID", In::V2, EnumKind::Aspa, 1),
    ("ASPA_INVALID", In::V2, EnumKind::Aspa, 2),
    ("AF_IPV4", In::V2, EnumKind::Afi, 1),
    ("AF_IPV6", In::V2, EnumKind::Afi, 2),
    ("RA_PREF_LOW", In::V2, EnumKind::RaPreference, 24),
    ("RA_PREF_MEDIUM", In::V2, EnumKind::RaPreference, 0),
    ("RA_PREF_HIGH", In::V2, EnumKind::RaPreference, 8),
    ("MPLS_POLICY_NONE", In::V2, EnumKind::MplsPolicy, 0),
    ("MPLS_POLICY_STATIC", In::V2, EnumKind::MplsPolicy, 1),
    ("MPLS_POLICY_PREFIX", In::V2, EnumKind::MplsPolicy, 2),
    ("MPLS_POLICY_AGGREGATE", In::V2, EnumKind::MplsPolicy, 3),
    ("MPLS_POLICY_VRF", In::V2, EnumKind::MplsPolicy, 4),
    ("NET_EVPN_EAD", In::V2, EnumKind::EvpnType, 1),
    ("NET_EVPN_MAC", In::V2, EnumKind::EvpnType, 2),
    ("NET_EVPN_IMET", In::V2, EnumKind::EvpnType, 3),
    ("NET_EVPN_ES", In::V2, EnumKind::EvpnType, 4),
];

/// The type of a word in declarations. With `set` behind it a type of items becomes a set.
pub fn value_type(name: &str, dialect: Dialect) -> Option<Type> {
    TYPES.iter().find(|(n, of, _)| *n == name && of.has(dialect)).map(|(.., t)| *t)
}

/// The kind of enumeration of a word behind `enum` in declarations.
pub fn enum_kind(name: &str) -> Option<EnumKind> {
    ENUMS.iter().find(|(n, _)| *n == name).map(|(_, kind)| *kind)
}

/// The words of a type, as errors say it.
pub fn type_name(kind: Type) -> String {
    match kind {
        Type::Void => "void".into(),
        Type::Route => "route".into(),
        Type::Routes => "routes".into(),
        Type::Set | Type::PrefixSet => "set".into(),
        Type::Enum(kind) => match ENUMS.iter().find(|(_, k)| *k == kind) {
            Some((name, _)) => format!("enum {name}"),
            None => "enum".into(),
        },
        _ => TYPES.iter().find(|(.., t)| *t == kind).map_or_else(|| "?".into(), |(n, ..)| (*n).into()),
    }
}

/// The enumerations that variables may have.
static ENUMS: &[(&str, EnumKind)] = &[
    ("rts", EnumKind::Source),
    ("bgp_origin", EnumKind::Origin),
    ("scope", EnumKind::Scope),
    ("rtd", EnumKind::Dest),
    ("roa", EnumKind::Roa),
    ("aspa", EnumKind::Aspa),
    ("net_type", EnumKind::NetType),
    ("ra_preference", EnumKind::RaPreference),
    ("af", EnumKind::Afi),
    ("mpls_policy", EnumKind::MplsPolicy),
    ("net_evpn_type", EnumKind::EvpnType),
];

/// What stands behind a dot, in which dialect, and whether it takes an argument there.
pub fn method(name: &str, dialect: Dialect) -> Option<(Method, bool)> {
    METHODS.iter().find(|(n, of, ..)| *n == name && of.has(dialect)).map(|(_, _, method, takes)| (*method, *takes))
}

/// The names of what stands behind a dot in a dialect.
pub fn methods(dialect: Dialect) -> impl Iterator<Item = &'static str> {
    METHODS.iter().filter(move |row| row.1.has(dialect)).map(|row| row.0)
}

static METHODS: &[(&str, In, Method, bool)] = &[
    ("len", Both, Method::Len, false),
    ("ip", Both, Method::Ip, false),
    ("first", Both, Method::First, false),
    ("last", Both, Method::Last, false),
    ("last_nonaggregated", Both, Method::LastNonaggregated, false),
    ("mask", Both, Method::Mask, true),
    ("asn", In::V2, Method::Asn, false),
    ("data", In::V2, Method::Data, false),
    ("data1", In::V2, Method::Data1, false),
    ("data2", In::V2, Method::Data2, false),
    ("src", In::V2, Method::Src, false),
    ("dst", In::V2, Method::Dst, false),
    ("maxlen", In::V2, Method::Maxlen, false),
    ("type", In::V2, Method::Type, false),
    ("is_v4", In::V2, Method::IsV4, false),
    ("min", In::V2, Method::Min, false),
    ("max", In::V2, Method::Max, false),
    ("empty", In::V2, Method::Empty, false),
    ("prepend", In::V2, Method::Prepend, true),
    ("append", In::V2, Method::Append, true),
    ("add", In::V2, Method::Add, true),
    ("delete", In::V2, Method::Delete, true),
    ("filter", In::V2, Method::Filter, true),
];

/// The methods that are functions too: `add(LIST, ITEM)`.
pub fn function(name: &str, dialect: Dialect) -> Option<Method> {
    FUNCTIONS.iter().find(|(n, of, _)| *n == name && of.has(dialect)).map(|(.., method)| *method)
}

static FUNCTIONS: &[(&str, In, Method)] = &[
    ("prepend", Both, Method::Prepend),
    ("append", In::V2, Method::Append),
    ("add", Both, Method::Add),
    ("delete", Both, Method::Delete),
    ("filter", Both, Method::Filter),
];

/// The types, as declarations say them.
static TYPES: &[(&str, In, Type)] = &[
    ("bool", Both, Type::Bool),
    ("int", Both, Type::Int),
    ("pair", Both, Type::Pair),
    ("quad", Both, Type::Quad),
    ("ip", Both, Type::Ip),
    ("prefix", Both, Type::Prefix),
    ("ec", Both, Type::Ec),
    ("lc", Both, Type::Lc),
    ("string", Both, Type::Text),
    ("bgpmask", Both, Type::Mask),
    ("bgppath", Both, Type::Path),
    ("clist", Both, Type::Clist),
    ("eclist", Both, Type::Eclist),
    ("lclist", Both, Type::Lclist),
    ("bytestring", In::V2, Type::Bytes),
];

/// Attributes of protocols and families that rbird does not have.
pub fn is_foreign_attribute(name: &str) -> bool {
    ["ospf_", "rip_", "babel_", "ra_", "gw_mpls"].iter().any(|p| name.starts_with(p))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_attribute_and_constant_is_a_reserved_word_as_in_bird() {
        let reserved = |name: &str| crate::syntax::is_reserved(name, Some(route::Family::Ipv4));
        // Calico's BIRD has one attribute more.
        let of_v1 = |of: &In| of.has(Dialect::V1);
        assert!(OTHERS.iter().all(|(n, of, _)| !of_v1(of) || reserved(n) || *n == "krt_tunnel"));
        assert!(CONSTANTS.iter().all(|(n, of, ..)| !of_v1(of) || reserved(n)));
        for row in attr::ATTRIBUTES.iter().filter(|row| !row.is_recent()) {
            let name = if row.code == code::AS_PATH { "bgp_path".into() } else { format!("bgp_{}", row.name) };
            assert!(reserved(&name) && attribute(&name, Dialect::V1).is_some(), "{name}");
        }
        for row in attr::ATTRIBUTES.iter().filter(|row| row.is_recent()) {
            let name = format!("bgp_{}", row.name);
            assert!(attribute(&name, Dialect::V1).is_none() && attribute(&name, Dialect::V2).is_some(), "{name}");
            assert!(crate::syntax::is_reserved_in(&name, None, Dialect::V2), "{name}");
        }
    }
}
