//! Attributes of a route as `NAME: VALUE`, one line or several.
//!
//! Names come from [`route::attr`]'s table. BIRD prints at most some 500
//! characters a line: lists of communities go on in further lines, other values
//! end in ` ...`. Programs in the wild read with buffers of 1024 octets, so the
//! limits are kept.

use filter::Symbols;
use filter::names::AttrKind;
use route::aigp;
use route::aspath::Brackets;
use route::attr::{self, FLAG_TRANSITIVE, Shape, origin};
use route::attrs::{LocalAttr, LocalValue, Record, next_hop};
use route::community::{communities, ext_communities, large_communities};
use route::{AsPath, AttrSet, Written};
use std::fmt::{Display, Write};
use std::net::Ipv4Addr;

/// Where a line of text ends and the next begins, in octets: BIRD's numbers for each kind of list.
mod room {
    pub const AS_PATH: usize = 485;
    /// BIRD 2: what fits, and what of more is kept in front of the dots.
    pub const PATH_2: usize = 500;
    pub const PATH_2_CUT: usize = 489;
    pub const OPAQUE: usize = 491;
    pub const INTS: usize = 477;
    pub const EXTENDED: usize = 437;
    pub const LARGE: usize = 436;
}

/// What of it the releases write differently.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// How AS paths are written.
    pub brackets: Brackets,
    /// Attributes that 1.6 does not know have names.
    pub recent: bool,
}

impl Style {
    /// As 1.6 does it.
    pub const V1: Self = Self { brackets: Brackets::Wide, recent: false };
    /// As 2 does it.
    pub const V2: Self = Self { brackets: Brackets::Tight, recent: true };
}

/// Calls `line` with the text of each line of each attribute, in BIRD's order: igp_metric, the providers of ASPA, BGP's by code, the kernel's,
/// the operator's own, which `symbols` names.
pub fn each_line(attrs: &AttrSet, symbols: &Symbols, style: Style, mut line: impl FnMut(&str)) {
    let brackets = style.brackets;
    let extra = attrs.local().extra.as_deref().unwrap_or_default();
    for (name, value) in extra {
        match name {
            LocalAttr::IgpMetric => line(&local(*name, value)),
            LocalAttr::AspaProviders => providers(value, &mut line),
            _ => {}
        }
    }
    for record in attrs.iter() {
        bgp(record, style, &mut line);
    }
    for (name, value) in extra {
        match name {
            LocalAttr::IgpMetric | LocalAttr::AspaProviders => {}
            LocalAttr::Own(number) => own(*number, value, symbols, brackets, &mut line),
            _ => line(&local(*name, value)),
        }
    }
}

fn bgp(record: Record<'_>, style: Style, line: &mut impl FnMut(&str)) {
    let known = attr::by_code(record.code).filter(|row| style.recent || !row.is_recent());
    let head = match known {
        Some(known) => format!("\tBGP.{}: ", known.name),
        None => {
            let transitive = if record.flags & FLAG_TRANSITIVE != 0 { " [t]" } else { "" };
            format!("\tBGP.{:02x}{transitive}: ", record.code)
        }
    };
    let value = record.value;
    match known.map(|k| k.shape) {
        Some(Shape::Communities) => wrapped(head, communities(value), room::INTS, line),
        Some(Shape::ExtCommunities) => wrapped(head, ext_communities(value), room::EXTENDED, line),
        Some(Shape::LargeCommunities) => wrapped(head, large_communities(value), room::LARGE, line),
        Some(Shape::ClusterList) => line(&cut(head, quads(value), room::INTS)),
        Some(Shape::AsPath) => line(&as_path(head, AsPath::new(value), style.brackets)),
        Some(shape) => line(&(head + &plain(shape, value))),
        None => line(&opaque(head, value)),
    }
}

/// Values that are short whatever the peer sends.
fn plain(shape: Shape, value: &[u8]) -> String {
    let number = || Some(u32::from_be_bytes(value.try_into().ok()?));
    match shape {
        Shape::Origin => match value.first() {
            Some(&origin::IGP) => "IGP",
            Some(&origin::EGP) => "EGP",
            Some(&origin::INCOMPLETE) => "Incomplete",
            _ => "?",
        }
        .to_owned(),
        Shape::NextHop => match next_hop(value) {
            Some((global, Some(link_local))) => format!("{} {link_local}", Written(global)),
            Some((global, None)) => Written(global).to_string(),
            None => String::new(),
        },
        Shape::U32 => number().map_or_else(String::new, |n| n.to_string()),
        Shape::RouterId => number().map_or_else(String::new, |n| Ipv4Addr::from_bits(n).to_string()),
        Shape::Aggregator => aggregator(value).unwrap_or_default(),
        Shape::Aigp => aigp::metric(value).map_or_else(|| "?".to_owned(), |metric| metric.to_string()),
        _ => String::new(),
    }
}

fn aggregator(value: &[u8]) -> Option<String> {
    let (asn, addr) = value.split_first_chunk::<4>()?;
    let addr: [u8; 4] = addr.try_into().ok()?;
    Some(format!("{} AS{}", Ipv4Addr::from(addr), u32::from_be_bytes(*asn)))
}

fn quads(value: &[u8]) -> impl Iterator<Item = Ipv4Addr> + '_ {
    value.as_chunks::<4>().0.iter().map(|c| Ipv4Addr::from(*c))
}

/// The path. One that fills the line is cut: by BIRD 1.6 behind the AS that does, by BIRD 2 at an octet.
fn as_path(head: String, path: AsPath<'_>, brackets: Brackets) -> String {
    let text = path.written(brackets).to_string();
    if brackets == Brackets::Tight {
        // The tab in front takes none of the room.
        let fits = head.len() + text.len() <= room::PATH_2;
        let kept = text.get(..room::PATH_2_CUT.saturating_sub(head.len())).filter(|_| !fits);
        return kept.map_or_else(|| format!("{head}{text}"), |kept| format!("{head}{kept}..."));
    }
    let from = room::AS_PATH.saturating_sub(head.len() - 1);
    match text.get(from..).and_then(|rest| rest.find(' ')) {
        Some(end) => format!("{head}{} ...", text.get(..from + end).unwrap_or_default()),
        None => head + &text,
    }
}

/// Octets in hexadecimal.
fn opaque(head: String, value: &[u8]) -> String {
    struct Hex(u8);
    impl Display for Hex {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "{:02x}", self.0)
        }
    }
    cut(head, value.iter().map(|b| Hex(*b)), room::OPAQUE)
}

/// Items with blanks between them; ` ...` in place of what does not fit.
fn cut(mut text: String, items: impl Iterator<Item = impl Display>, room: usize) -> String {
    for (i, item) in items.enumerate() {
        if text.len() > room {
            text.push_str(" ...");
            break;
        }
        let _ = write!(text, "{}{item}", if i > 0 { " " } else { "" });
    }
    text
}

/// Items with blanks between them, in as many lines as they need.
fn wrapped(mut text: String, items: impl Iterator<Item = impl Display>, room: usize, line: &mut impl FnMut(&str)) {
    // The leading tab of the first line does not count; further lines have two, and one octet less of room.
    let full = room + 1;
    let mut first = true;
    for item in items {
        if text.len() >= full {
            line(&text);
            text.replace_range(.., "\t\t");
            first = true;
        }
        let _ = write!(text, "{}{item}", if first { "" } else { " " });
        first = false;
    }
    line(&text);
}

/// Who carries on the routes of an AS, as numbers.
fn providers(value: &LocalValue, line: &mut impl FnMut(&str)) {
    let LocalValue::Octets(octets) = value else { return };
    let numbers = octets.as_chunks::<4>().0.iter().map(|c| u32::from_be_bytes(*c));
    line(&cut("\taspa_providers: ".to_owned(), numbers, room::INTS));
}

/// An attribute that the operator declared. One that the configuration has no longer has no name, and stays with its routes
/// until they are judged again.
fn own(number: u16, value: &LocalValue, symbols: &Symbols, brackets: Brackets, line: &mut impl FnMut(&str)) {
    let Some((name, kind)) = symbols.own_name(number) else {
        return line(&local(LocalAttr::Own(number), value));
    };
    let head = format!("\t{name}: ");
    match (kind, value) {
        (AttrKind::Clist, LocalValue::Octets(o)) => wrapped(head, communities(o), room::INTS, line),
        (AttrKind::Eclist, LocalValue::Octets(o)) => wrapped(head, ext_communities(o), room::EXTENDED, line),
        (AttrKind::Lclist, LocalValue::Octets(o)) => wrapped(head, large_communities(o), room::LARGE, line),
        (AttrKind::Path, LocalValue::Octets(o)) => line(&as_path(head, AsPath::new(o), brackets)),
        (AttrKind::Quad, LocalValue::Int(n)) => line(&format!("{head}{}", Ipv4Addr::from_bits(*n))),
        (AttrKind::Bool | AttrKind::Pair | AttrKind::Enum(_), LocalValue::Int(_))
        | (AttrKind::Prefix | AttrKind::Ec | AttrKind::Lc, LocalValue::Octets(_)) => {
            line(&format!("{head}{}", kind.shown(value)));
        }
        (_, LocalValue::Octets(o)) => line(&opaque(head, o)),
        (_, LocalValue::Int(n)) => line(&format!("{head}{n}")),
        (_, LocalValue::Ip(addr)) => line(&format!("{head}{addr}")),
        (_, LocalValue::Text(text)) => line(&format!("{head}{text}")),
    }
}

/// An attribute beside BGP: `Kernel.mtu: 1400`.
fn local(name: LocalAttr, value: &LocalValue) -> String {
    let label = match (name, name.name()) {
        (LocalAttr::IgpMetric, Some(n)) => n.to_owned(),
        (_, Some(n)) => format!("Kernel.{}", n.trim_start_matches("krt_")),
        (LocalAttr::Own(number), _) => format!("{number:02x}"),
        (_, None) => String::new(),
    };
    match (name, value) {
        (LocalAttr::KrtLock, LocalValue::Int(bits)) => format!("\t{label}:{}", named_bits(METRICS, *bits)),
        (LocalAttr::KrtFeatures, LocalValue::Int(bits)) => format!("\t{label}:{}", named_bits(FEATURES, *bits)),
        (_, LocalValue::Int(n)) => format!("\t{label}: {n}"),
        (_, LocalValue::Ip(addr)) => format!("\t{label}: {}", Written(*addr)),
        (_, LocalValue::Text(text)) => format!("\t{label}: {text}"),
        (_, LocalValue::Octets(octets)) => opaque(format!("\t{label}: "), octets),
    }
}

/// RTAX_* by number; the lock is a mask of them.
const METRICS: &[(u32, &str)] = &[
    (2, "mtu"),
    (3, "window"),
    (4, "rtt"),
    (5, "rttvar"),
    (6, "sstresh"),
    (7, "cwnd"),
    (8, "advmss"),
    (9, "reordering"),
    (10, "hoplimit"),
    (11, "initcwnd"),
    (12, "features"),
    (13, "rto_min"),
    (14, "initrwnd"),
    (15, "quickack"),
];

/// RTAX_FEATURE_* by bit.
const FEATURES: &[(u32, &str)] = &[(0, "ecn"), (3, "allfrag")];

fn named_bits(names: &[(u32, &str)], bits: u32) -> String {
    let mut text = String::new();
    let mut left = bits;
    for (bit, name) in names.iter().filter(|(bit, _)| bits >> bit & 1 == 1) {
        text += &format!(" {name}");
        left &= !(1 << bit);
    }
    if left != 0 {
        text += &format!(" {left:08x}");
    }
    text
}
