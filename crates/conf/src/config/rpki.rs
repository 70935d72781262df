//! `protocol rpki`: authorisations from a cache server.

use std::net::IpAddr;
use std::sync::Arc;

/// `protocol rpki`.
#[derive(Clone, Debug)]
pub struct RpkiConf {
    /// `remote`; in a finished configuration always there.
    pub remote: Option<CacheAddr>,
    /// `port`.
    pub port: u16,
    /// `local address`.
    pub local_addr: Option<IpAddr>,
    /// `refresh`.
    pub refresh: Interval,
    /// `retry`.
    pub retry: Interval,
    /// `expire`.
    pub expire: Interval,
    /// `transport`, when it is given: the password of TCP MD5, if there is one.
    pub transport: Option<Option<Arc<str>>>,
    /// `ignore max length`.
    pub ignore_max_length: bool,
    /// `min version`.
    pub min_version: u8,
    /// `max version`.
    pub max_version: u8,
}

impl RpkiConf {
    /// The port of a cache server (RFC 8210 9).
    pub const PORT: u16 = 323;
    /// The newest version of the protocol that rbird speaks.
    pub const VERSION_MAX: u8 = 2;
}

impl Default for RpkiConf {
    fn default() -> Self {
        let interval = |seconds| Interval { seconds, keep: false };
        Self {
            remote: None,
            port: Self::PORT,
            local_addr: None,
            refresh: interval(3600),
            retry: interval(600),
            expire: interval(7200),
            transport: None,
            ignore_max_length: false,
            min_version: 0,
            max_version: Self::VERSION_MAX,
        }
    }
}

/// Where a cache server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CacheAddr {
    /// An address.
    Addr(IpAddr),
    /// A name, looked up whenever a connection is opened.
    Name(Arc<str>),
}

impl std::fmt::Display for CacheAddr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Addr(addr) => write!(f, "{addr}"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// A time that the cache server may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    /// In seconds.
    pub seconds: u32,
    /// `keep`: what the server says does not count.
    pub keep: bool,
}
