//! Values of the filter language, and how BIRD prints them.
//!
//! A value borrows: octets from the route, sets from the program. So evaluating
//! an expression neither allocates nor counts references; only what a filter
//! makes anew (a longer path, another list) is owned. Constants are values of
//! lifetime `'static` that own what they hold and are borrowed when a filter
//! runs ([`Value::borrowed`]).

use crate::mask::Mask;
use crate::prefix_set::PrefixSet;
use crate::set::Set;
use route::aspath::Brackets;
use route::community::{self, ExtCommunity, LargeCommunity};
use route::{AsPath, Prefix, Roa, Written};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::ops::Deref;
use std::sync::Arc;

/// Borrowed, or owned and shared.
#[derive(Debug)]
pub enum Held<'a, T: ?Sized> {
    /// Somebody else's.
    Ref(&'a T),
    /// Ours.
    Own(Arc<T>),
}

impl<T: ?Sized> Clone for Held<'_, T> {
    fn clone(&self) -> Self {
        match self {
            Self::Ref(r) => Self::Ref(r),
            Self::Own(o) => Self::Own(o.clone()),
        }
    }
}

impl<T: ?Sized> Deref for Held<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        match self {
            Self::Ref(r) => r,
            Self::Own(o) => o,
        }
    }
}

impl<T: ?Sized + PartialEq> PartialEq for Held<'_, T> {
    fn eq(&self, other: &Self) -> bool {
        // A set of 100,000 members stands in many filters of a configuration and is compared at each reload.
        std::ptr::eq::<T>(&**self, &**other) || **self == **other
    }
}

impl Held<'_, [u8]> {
    /// Octets of our own.
    pub fn own(octets: Vec<u8>) -> Self {
        Self::Own(octets.into())
    }
}

/// The kinds of enumeration, with the numbers under which BIRD prints them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum EnumKind {
    /// `RTS_*`: who made a route.
    Source = 0x30,
    /// `ORIGIN_*`.
    Origin = 0x31,
    /// `SCOPE_*`.
    Scope = 0x32,
    /// `RTC_*`: kinds of cast.
    Cast = 0x33,
    /// `RTD_*`: kinds of destination.
    Dest = 0x34,
    /// `ROA_*`.
    Roa = 0x35,
    /// `NET_*`: kinds of prefix.
    NetType = 0x36,
    /// `RA_PREF_*`.
    RaPreference = 0x37,
    /// `AF_*`.
    Afi = 0x38,
    /// `MPLS_POLICY_*`.
    MplsPolicy = 0x39,
    /// `NET_EVPN_*`.
    EvpnType = 0x3a,
    /// `ASPA_*`. The releases that have it number it as 2.0.12 numbers `ROA_*`.
    Aspa = 0x3c,
    /// An attribute of which only its presence is known, such as `bgp_aggregator`.
    Opaque = 0x3f,
}

/// The types of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is the type of its name")]
pub enum Type {
    Void,
    Bool,
    Int,
    Pair,
    Quad,
    Enum(EnumKind),
    Ip,
    Prefix,
    Ec,
    Lc,
    Text,
    Path,
    Clist,
    Eclist,
    Lclist,
    Mask,
    Set,
    PrefixSet,
    Bytes,
    /// A route beside the one that the filter runs on (`merge by`).
    Route,
    /// Such routes.
    Routes,
}

impl Type {
    /// The value without members of a type of lists.
    pub const fn empty(self) -> Option<Value<'static>> {
        Some(match self {
            Self::Path => Value::Path(Held::Ref(&[])),
            Self::Clist => Value::Clist(Held::Ref(&[])),
            Self::Eclist => Value::Eclist(Held::Ref(&[])),
            Self::Lclist => Value::Lclist(Held::Ref(&[])),
            _ => return None,
        })
    }

    /// The type of what a loop over a value of this type takes in turn.
    pub const fn items(self) -> Option<Self> {
        Some(match self {
            Self::Path => Self::Int,
            Self::Clist => Self::Pair,
            Self::Eclist => Self::Ec,
            Self::Lclist => Self::Lc,
            Self::Routes => Self::Route,
            _ => return None,
        })
    }
}

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// Nothing: an attribute that is not there, the result of a function that gives none.
    Void,
    /// `true`, `false`.
    Bool(bool),
    /// A number of 32 bits; it wraps.
    Int(u32),
    /// `(1,2)`: two numbers of 16 bits, a community.
    Pair(u32),
    /// Four octets with dots that are no address: a router identifier.
    Quad(u32),
    /// A constant of an enumeration.
    Enum(EnumKind, u32),
    /// An address.
    Ip(IpAddr),
    /// A prefix.
    Prefix(Prefix),
    /// An extended community.
    Ec(u64),
    /// A large community.
    Lc(LargeCommunity),
    /// A string of any octets.
    Text(Held<'a, [u8]>),
    /// An AS path, as in [`AsPath`].
    Path(Held<'a, [u8]>),
    /// Communities, four octets each.
    Clist(Held<'a, [u8]>),
    /// Extended communities, eight octets each.
    Eclist(Held<'a, [u8]>),
    /// Large communities, twelve octets each.
    Lclist(Held<'a, [u8]>),
    /// A pattern of AS paths.
    Mask(Held<'a, Mask>),
    /// A set of numbers, addresses, pairs, ...
    Set(Held<'a, Set>),
    /// A set of prefixes.
    PrefixSet(Held<'a, Arc<PrefixSet>>),
    /// Octets.
    Bytes(Held<'a, [u8]>),
    /// The prefix of a ROA table, with what it authorises.
    Roa(Held<'a, Roa>),
    /// The net of an ASPA table: the AS whose providers it names.
    Customer(u32),
    /// One of the routes that are merged, by its place among them.
    Route(u32),
    /// The routes that are merged: how many.
    Routes(u32),
}

impl Value<'_> {
    /// Its type.
    pub const fn kind(&self) -> Type {
        match self {
            Self::Void => Type::Void,
            Self::Bool(_) => Type::Bool,
            Self::Int(_) => Type::Int,
            Self::Pair(_) => Type::Pair,
            Self::Quad(_) => Type::Quad,
            Self::Enum(kind, _) => Type::Enum(*kind),
            Self::Ip(_) => Type::Ip,
            Self::Prefix(_) => Type::Prefix,
            Self::Ec(_) => Type::Ec,
            Self::Lc(_) => Type::Lc,
            Self::Text(_) => Type::Text,
            Self::Path(_) => Type::Path,
            Self::Clist(_) => Type::Clist,
            Self::Eclist(_) => Type::Eclist,
            Self::Lclist(_) => Type::Lclist,
            Self::Mask(_) => Type::Mask,
            Self::Set(_) => Type::Set,
            Self::PrefixSet(_) => Type::PrefixSet,
            Self::Bytes(_) => Type::Bytes,
            Self::Roa(_) | Self::Customer(_) => Type::Prefix,
            Self::Route(_) => Type::Route,
            Self::Routes(_) => Type::Routes,
        }
    }

    /// How much there is of it, in pieces of 64 octets, at least one: what copying or comparing it costs.
    pub fn pieces(&self) -> u32 {
        let octets = match self {
            Self::Text(o) | Self::Path(o) | Self::Clist(o) | Self::Eclist(o) | Self::Lclist(o) | Self::Bytes(o) => {
                o.len()
            }
            Self::Mask(mask) => mask.0.len() * 8,
            Self::Set(set) => set.len() * 32,
            Self::PrefixSet(set) => set.len() * 32,
            _ => 0,
        };
        u32::try_from(octets / 64 + 1).unwrap_or(u32::MAX)
    }

    /// The same value, borrowing what this one holds.
    pub fn borrowed(&self) -> Value<'_> {
        match self {
            Self::Void => Value::Void,
            Self::Bool(v) => Value::Bool(*v),
            Self::Int(v) => Value::Int(*v),
            Self::Pair(v) => Value::Pair(*v),
            Self::Quad(v) => Value::Quad(*v),
            Self::Enum(k, v) => Value::Enum(*k, *v),
            Self::Ip(v) => Value::Ip(*v),
            Self::Prefix(v) => Value::Prefix(*v),
            Self::Ec(v) => Value::Ec(*v),
            Self::Lc(v) => Value::Lc(*v),
            Self::Text(v) => Value::Text(Held::Ref(v)),
            Self::Path(v) => Value::Path(Held::Ref(v)),
            Self::Clist(v) => Value::Clist(Held::Ref(v)),
            Self::Eclist(v) => Value::Eclist(Held::Ref(v)),
            Self::Lclist(v) => Value::Lclist(Held::Ref(v)),
            Self::Mask(v) => Value::Mask(Held::Ref(v)),
            Self::Set(v) => Value::Set(Held::Ref(v)),
            Self::PrefixSet(v) => Value::PrefixSet(Held::Ref(v)),
            Self::Bytes(v) => Value::Bytes(Held::Ref(v)),
            Self::Roa(v) => Value::Roa(Held::Ref(v)),
            Self::Customer(v) => Value::Customer(*v),
            Self::Route(v) => Value::Route(*v),
            Self::Routes(v) => Value::Routes(*v),
        }
    }

    /// The same value, owning what it holds.
    pub fn into_owned(self) -> Value<'static> {
        fn octets(held: Held<'_, [u8]>) -> Held<'static, [u8]> {
            match held {
                Held::Ref(r) => Held::Own(r.into()),
                Held::Own(o) => Held::Own(o),
            }
        }
        fn whole<T: Clone>(held: Held<'_, T>) -> Held<'static, T> {
            match held {
                Held::Ref(r) => Held::Own(Arc::new(r.clone())),
                Held::Own(o) => Held::Own(o),
            }
        }
        match self {
            Self::Void => Value::Void,
            Self::Bool(v) => Value::Bool(v),
            Self::Int(v) => Value::Int(v),
            Self::Pair(v) => Value::Pair(v),
            Self::Quad(v) => Value::Quad(v),
            Self::Enum(k, v) => Value::Enum(k, v),
            Self::Ip(v) => Value::Ip(v),
            Self::Prefix(v) => Value::Prefix(v),
            Self::Ec(v) => Value::Ec(v),
            Self::Lc(v) => Value::Lc(v),
            Self::Text(v) => Value::Text(octets(v)),
            Self::Path(v) => Value::Path(octets(v)),
            Self::Clist(v) => Value::Clist(octets(v)),
            Self::Eclist(v) => Value::Eclist(octets(v)),
            Self::Lclist(v) => Value::Lclist(octets(v)),
            Self::Mask(v) => Value::Mask(whole(v)),
            Self::Set(v) => Value::Set(whole(v)),
            Self::PrefixSet(v) => Value::PrefixSet(whole(v)),
            Self::Bytes(v) => Value::Bytes(octets(v)),
            Self::Roa(v) => Value::Roa(whole(v)),
            Self::Customer(v) => Value::Customer(v),
            Self::Route(v) => Value::Route(v),
            Self::Routes(v) => Value::Routes(v),
        }
    }
}

/// A value, and how AS paths are written.
#[derive(Clone, Copy, Debug)]
pub struct WrittenValue<'v, 'a> {
    value: &'v Value<'a>,
    brackets: Brackets,
}

impl<'a> Value<'a> {
    /// The value to be written as a dialect writes it.
    pub const fn written(&self, brackets: Brackets) -> WrittenValue<'_, 'a> {
        WrittenValue { value: self, brackets }
    }
}

impl fmt::Display for WrittenValue<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.value {
            Value::Path(path) => write!(f, "(path {})", AsPath::new(path).written(self.brackets)),
            value => fmt::Display::fmt(value, f),
        }
    }
}

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Route(_) => f.write_str("Route"),
            Self::Routes(_) => f.write_str("Block of routes"),
            Self::Void => f.write_str("(void)"),
            Self::Bool(true) => f.write_str("TRUE"),
            Self::Bool(false) => f.write_str("FALSE"),
            Self::Int(v) | Self::Customer(v) => write!(f, "{v}"),
            Self::Pair(v) => write!(f, "{}", community::Community(*v)),
            Self::Quad(v) => write!(f, "{}", Ipv4Addr::from_bits(*v)),
            Self::Enum(EnumKind::Aspa, v) => write!(f, "(enum {:x}){v}", EnumKind::Roa as u8),
            Self::Enum(kind, v) => write!(f, "(enum {:x}){v}", *kind as u8),
            Self::Ip(v) => write!(f, "{}", Written(*v)),
            Self::Prefix(v) => write!(f, "{v}"),
            Self::Ec(v) => write!(f, "{}", ExtCommunity(*v)),
            Self::Lc(v) => write!(f, "{v}"),
            Self::Text(v) => f.write_str(&String::from_utf8_lossy(v)),
            Self::Path(v) => write!(f, "(path {})", AsPath::new(v)),
            Self::Clist(v) => list(f, "clist", community::communities(v)),
            Self::Eclist(v) => list(f, "eclist", community::ext_communities(v)),
            Self::Lclist(v) => list(f, "lclist", community::large_communities(v)),
            Self::Mask(v) => write!(f, "{}", **v),
            Self::Set(v) => write!(f, "{}", **v),
            Self::PrefixSet(v) => write!(f, "{}", ***v),
            Self::Bytes(v) => v.iter().enumerate().try_for_each(|(i, octet)| {
                let separator = if i > 0 { ":" } else { "" };
                write!(f, "{separator}{octet:02x}")
            }),
            Self::Roa(v) => write!(f, "{}-{} AS{}", v.prefix, v.max_len, v.asn),
        }
    }
}

fn list<T: fmt::Display>(f: &mut fmt::Formatter<'_>, name: &str, items: impl Iterator<Item = T>) -> fmt::Result {
    write!(f, "({name} ")?;
    for (i, item) in items.enumerate() {
        if i > 0 {
            f.write_str(" ")?;
        }
        write!(f, "{item}")?;
    }
    f.write_str(")")
}
