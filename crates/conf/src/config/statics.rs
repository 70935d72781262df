//! `protocol static`: routes that stand in the file.

use super::Dialect;
use filter::Span;
use route::{Customer, Family, Prefix, Roa};
use std::net::IpAddr;
use std::sync::Arc;

/// `protocol static`.
#[derive(Clone, Debug, Default)]
pub struct StaticConf {
    /// `check link`.
    pub check_link: bool,
    /// Routes to a device are a kind of their own, for which `check link` does not count (1.6).
    pub devices_are_apart: bool,
    /// `igp table` in which IPv4 gateways are looked up, and that of 1.6, the name.
    pub igp_table4: Option<Arc<str>>,
    /// `igp table` in which IPv6 gateways are looked up (2).
    pub igp_table6: Option<Arc<str>>,
    /// The routes in order.
    pub routes: Vec<StaticRoute>,
    /// Its authorisations in order (2).
    pub roas: Vec<StaticRoa>,
    /// Its authorisations of providers in order (2).
    pub aspas: Vec<StaticAspa>,
}

/// One `route aspa NUMBER providers NUMBER, ...`.
#[derive(Clone, Debug)]
pub struct StaticAspa {
    /// Whose providers they are.
    pub customer: Customer,
    /// They; 0 with `transit`, none when the route does not say, and then it says nothing.
    pub providers: Vec<u32>,
    /// The filter block behind it.
    pub body: Option<Arc<filter::Filter>>,
    /// Where it is written.
    pub span: Span,
}

/// One `route PREFIX max NUMBER as NUMBER`.
#[derive(Clone, Debug)]
pub struct StaticRoa {
    /// It.
    pub roa: Roa,
    /// The filter block behind it.
    pub body: Option<Arc<filter::Filter>>,
    /// Where it is written.
    pub span: Span,
}

impl StaticConf {
    /// The defaults of a dialect.
    pub fn of(dialect: Dialect) -> Self {
        Self { devices_are_apart: dialect == Dialect::V1, ..Self::default() }
    }

    /// The `igp table` in which gateways of a family are looked up, if one was named.
    pub const fn igp_table(&self, family: Family) -> Option<&Arc<str>> {
        match family {
            Family::Ipv6 if !self.devices_are_apart => self.igp_table6.as_ref(),
            _ => self.igp_table4.as_ref(),
        }
    }
}

/// One `route`.
#[derive(Clone, Debug)]
pub struct StaticRoute {
    /// The prefix.
    pub net: Prefix,
    /// Where to.
    pub to: StaticDest,
    /// The filter block behind it.
    pub body: Option<Arc<filter::Filter>>,
    /// Where it is written.
    pub span: Span,
}

/// Where a static route leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StaticDest {
    /// `via`, once or several times.
    Via(Vec<StaticHop>),
    /// `via "device"`, and nothing more is said.
    Device(Arc<str>),
    /// `recursive`.
    Recursive(IpAddr),
    /// `blackhole`, `drop`.
    Blackhole,
    /// `unreachable`, `reject`.
    Unreachable,
    /// `prohibit`.
    Prohibit,
}

/// One of the ways of a static route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaticHop {
    /// The router; `None`: the destination is on the link itself (2).
    pub gateway: Option<IpAddr>,
    /// `%'link'`, `dev`, or `via "link"`.
    pub iface: Option<Arc<str>>,
    /// `weight`, 1 ..= 256.
    pub weight: u16,
    /// `onlink`.
    pub onlink: bool,
    /// `bfd`.
    pub bfd: bool,
}

impl Default for StaticHop {
    /// Nowhere, with a weight as any other.
    fn default() -> Self {
        Self { gateway: None, iface: None, weight: 1, onlink: false, bfd: false }
    }
}
