//! Patterns of links: `interface` lists and what else is chosen like them.

use route::Prefix;
use std::net::IpAddr;
use std::sync::Arc;

/// A pattern of `interface` lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IfacePattern {
    /// `-` in front: excludes.
    pub negative: bool,
    /// Shell pattern of the name; `None`: any name.
    pub name: Option<Arc<str>>,
    /// A prefix in which an address must lie.
    pub prefix: Option<Prefix>,
}

/// Patterns as they would be written.
pub(crate) fn pattern_words(patterns: &[IfacePattern]) -> String {
    let word = |p: &IfacePattern| {
        let sign = if p.negative { "-" } else { "" };
        let name = p.name.as_ref().map(|n| format!("\"{n}\"")).unwrap_or_default();
        let prefix = p.prefix.map(|p| p.to_string()).unwrap_or_default();
        let blank = if name.is_empty() || prefix.is_empty() { "" } else { " " };
        format!("{sign}{name}{blank}{prefix}")
    };
    patterns.iter().map(word).collect::<Vec<_>>().join(", ")
}

impl IfacePattern {
    /// Whether a link, with one of its addresses, fits; the sign is not looked at.
    pub fn fits(&self, link: &str, addr: Option<IpAddr>) -> bool {
        let name = self.name.as_ref().is_none_or(|pattern| crate::glob::matches(pattern, link));
        name && self.prefix.is_none_or(|prefix| addr.is_some_and(|addr| prefix.contains(addr)))
    }

    /// What a list says of a link and one of its addresses: the first pattern that fits decides, none fitting is no.
    pub fn chosen(list: &[Self], link: &str, addr: Option<IpAddr>) -> bool {
        list.iter().find(|p| p.fits(link, addr)).is_some_and(|p| !p.negative)
    }
}
