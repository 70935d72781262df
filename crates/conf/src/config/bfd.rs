//! `protocol bfd`.

use super::IfacePattern;
use std::net::IpAddr;
use std::sync::Arc;

/// `protocol bfd`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BfdConf {
    /// `interface` blocks in order; the first that fits a link gives its sessions their options.
    pub interfaces: Vec<BfdInterfaces>,
    /// `multihop`: the options of sessions over several hops.
    pub multihop: BfdOptions,
    /// `neighbor`: sessions that nobody else need ask for.
    pub neighbors: Vec<BfdNeighbor>,
    /// `accept`: which sessions it runs.
    pub accept: BfdAccept,
    /// `strict bind`: it hears on the addresses of its sessions only, so that another daemon can have others.
    pub strict_bind: bool,
    /// `zero udp6 checksum rx`: packets over IPv6 without a checksum are taken (RFC 6935).
    pub zero_udp6: bool,
}

/// `accept`: sessions of these families, and of these distances.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the word of its name")]
#[expect(clippy::struct_excessive_bools, reason = "four words that are there or not")]
pub struct BfdAccept {
    pub ipv4: bool,
    pub ipv6: bool,
    pub direct: bool,
    pub multihop: bool,
}

impl Default for BfdAccept {
    /// All of them.
    fn default() -> Self {
        Self { ipv4: true, ipv6: true, direct: true, multihop: true }
    }
}

impl BfdAccept {
    /// Whether a session with this neighbour is one of them.
    pub const fn takes(self, remote: IpAddr, direct: bool) -> bool {
        let family = if remote.is_ipv4() { self.ipv4 } else { self.ipv6 };
        family && if direct { self.direct } else { self.multihop }
    }
}

impl BfdConf {
    /// The options of sessions on a link; the defaults when no block fits.
    pub fn of_link(&self, link: &str) -> BfdOptions {
        let fits = |block: &&BfdInterfaces| IfacePattern::chosen(&block.patterns, link, None);
        self.interfaces.iter().find(fits).map(|block| block.options.clone()).unwrap_or_default()
    }
}

/// `interface PATTERNS { OPTIONS }`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BfdInterfaces {
    /// Which links.
    pub patterns: Vec<IfacePattern>,
    /// What their sessions run with.
    pub options: BfdOptions,
}

/// What a session runs with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BfdOptions {
    /// `min rx interval`, microseconds; at least [`BfdOptions::INTERVAL_LEAST_US`], like the next two.
    pub min_rx_us: u32,
    /// `min tx interval`.
    pub min_tx_us: u32,
    /// `idle tx interval`.
    pub idle_tx_us: u32,
    /// `multiplier`, at least 1.
    pub multiplier: u8,
    /// `passive`.
    pub passive: bool,
    /// `authentication`.
    pub auth: BfdAuth,
    /// `password`, in order.
    pub passwords: Vec<BfdPassword>,
}

impl BfdOptions {
    /// Intervals below are taken as this much: a thousand packets a second.
    pub const INTERVAL_LEAST_US: u32 = 1000;
}

impl Default for BfdOptions {
    /// BIRD's defaults.
    fn default() -> Self {
        Self {
            min_rx_us: 10_000,
            min_tx_us: 100_000,
            idle_tx_us: 1_000_000,
            multiplier: 5,
            passive: false,
            auth: BfdAuth::None,
            passwords: Vec::new(),
        }
    }
}

/// What braces say of a session; of what they do not say, what was said before stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BfdSaid {
    /// `min rx interval`.
    pub min_rx_us: Option<u32>,
    /// `min tx interval`.
    pub min_tx_us: Option<u32>,
    /// `idle tx interval`.
    pub idle_tx_us: Option<u32>,
    /// `multiplier`.
    pub multiplier: Option<u8>,
    /// `passive`.
    pub passive: Option<bool>,
    /// `authentication`.
    pub auth: Option<BfdAuth>,
    /// `password`; none: nothing is said of them.
    pub passwords: Vec<BfdPassword>,
}

impl BfdSaid {
    /// The options with what is said in their place.
    pub fn over(&self, options: BfdOptions) -> BfdOptions {
        BfdOptions {
            min_rx_us: self.min_rx_us.unwrap_or(options.min_rx_us),
            min_tx_us: self.min_tx_us.unwrap_or(options.min_tx_us),
            idle_tx_us: self.idle_tx_us.unwrap_or(options.idle_tx_us),
            multiplier: self.multiplier.unwrap_or(options.multiplier),
            passive: self.passive.unwrap_or(options.passive),
            auth: self.auth.unwrap_or(options.auth),
            passwords: if self.passwords.is_empty() { options.passwords } else { self.passwords.clone() },
        }
    }
}

impl From<&BfdOptions> for BfdSaid {
    /// All of them said.
    fn from(options: &BfdOptions) -> Self {
        Self {
            min_rx_us: Some(options.min_rx_us),
            min_tx_us: Some(options.min_tx_us),
            idle_tx_us: Some(options.idle_tx_us),
            multiplier: Some(options.multiplier),
            passive: Some(options.passive),
            auth: Some(options.auth),
            passwords: options.passwords.clone(),
        }
    }
}

/// `authentication`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the method of its words")]
pub enum BfdAuth {
    #[default]
    None,
    Simple,
    KeyedMd5,
    MeticulousMd5,
    KeyedSha1,
    MeticulousSha1,
}

/// `password`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BfdPassword {
    /// `id`; without one, the place in the list, from 1.
    pub id: u8,
    /// The password, octets.
    pub secret: Arc<[u8]>,
    /// `generate from`, `generate to`.
    pub generate: (Option<CivilTime>, Option<CivilTime>),
    /// `accept from`, `accept to`.
    pub accept: (Option<CivilTime>, Option<CivilTime>),
}

/// A time as the operator writes it, in the time zone of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the part of its name")]
pub struct CivilTime {
    pub year: i16,
    pub month: u8,
    pub day: u8,
    pub hour: u8,
    pub minute: u8,
    pub second: u8,
}

/// `neighbor`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BfdNeighbor {
    /// The neighbour.
    pub addr: IpAddr,
    /// `dev` or `%link`.
    pub iface: Option<Arc<str>>,
    /// `local`.
    pub local: Option<IpAddr>,
    /// `multihop`.
    pub multihop: bool,
}
