//! `interface` lists: which links and addresses a protocol means.

use conf::config::IfacePattern;
use route::{Iface, IfaceAddr};

/// Whether a list means this address of a link. The first pattern that fits decides; an empty list means everything.
pub fn means(list: &[IfacePattern], iface: &Iface, addr: &IfaceAddr) -> bool {
    list.is_empty() || list.iter().find(|p| fits(p, iface, addr)).is_some_and(|p| !p.negative)
}

/// Whether a list of patterns of names alone chooses a link: the first that fits says so.
pub fn chooses(patterns: &[IfacePattern], iface: &Iface) -> bool {
    let fits = |p: &&IfacePattern| p.name.as_deref().is_none_or(|name| is_like(name, &iface.name));
    patterns.iter().find(fits).is_some_and(|p| !p.negative)
}

/// Whether one pattern fits, whatever its sign. The prefix of length 0 fits both families.
pub fn fits(pattern: &IfacePattern, iface: &Iface, addr: &IfaceAddr) -> bool {
    let name = pattern.name.as_deref().is_none_or(|name| is_like(name, &iface.name));
    let lies_in = |net: route::Prefix| net.contains(addr.addr) || addr.peer.is_some_and(|peer| net.contains(peer));
    name && pattern.prefix.is_none_or(|net| net.len() == 0 || lies_in(net))
}

/// A shell pattern with `*`, `?`, and `\` before a character that is meant itself.
///
/// Walks both texts once, and back to the last `*` at most once per octet: no pattern takes long.
pub fn is_like(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.as_bytes(), name.as_bytes());
    let (mut p, mut n) = (0, 0);
    let mut star = None;
    while n < name.len() {
        match (pattern.get(p), pattern.get(p + 1)) {
            (Some(b'*'), _) => {
                star = Some((p + 1, n));
                p += 1;
                continue;
            }
            (Some(b'?'), _) => (p, n) = (p + 1, n + 1),
            (Some(b'\\'), Some(c)) if name.get(n) == Some(c) => (p, n) = (p + 2, n + 1),
            (Some(c), _) if *c != b'\\' && name.get(n) == Some(c) => (p, n) = (p + 1, n + 1),
            _ => match star {
                Some((after, at)) => {
                    (p, n) = (after, at + 1);
                    star = Some((after, at + 1));
                }
                None => return false,
            },
        }
    }
    pattern.get(p..).unwrap_or_default().iter().all(|c| *c == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks_stand_for_octets() {
        for (pattern, name) in
            [("cali*", "cali123"), ("*", ""), ("e?h*0", "eth10"), ("*a*b", "xaxxb"), ("a\\*", "a*"), ("ens37", "ens37")]
        {
            assert!(is_like(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in
            [("cali*", "cal"), ("e?h", "eh"), ("*a*b", "xbxxa"), ("a\\*", "ab"), ("ens3", "ens37"), ("", "x")]
        {
            assert!(!is_like(pattern, name), "{pattern} {name}");
        }
    }
}
