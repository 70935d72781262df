//! Sets written out.

use super::words::{NUMBERS, QUADS, SHORT, constants};
use super::{Maker, Node, Sort, Type};
use crate::filters::Dialect;
use std::net::{IpAddr, Ipv6Addr};

impl Maker<'_> {
    pub(super) fn set(&mut self, kind: Type) -> Node {
        let count = 1 + self.chance.below(4);
        let items = match self.dialect {
            Dialect::One => (0..count).map(|_| self.member(kind)).collect(),
            _ if self.chance.percent(4) => Vec::new(),
            _ => self.members_apart(kind, count),
        };
        Node::leaf(Sort::Expr(kind), format!("[{}]", items.join(", ")))
    }

    pub(super) fn member(&mut self, kind: Type) -> String {
        let roll = self.chance.below(10);
        let places = self.places;
        let c = &mut *self.chance;
        match kind {
            Type::IntSet if roll < 5 => c.pick(NUMBERS).into(),
            Type::IntSet => format!("{}..{}", c.pick(NUMBERS), c.pick(NUMBERS)),
            Type::PairSet => match roll {
                0..4 => format!("({},{})", c.pick(SHORT), c.pick(SHORT)),
                4 | 5 => format!("({},*)", c.pick(SHORT)),
                6 => format!("({},{}..{})", c.pick(SHORT), c.below(9), 8 + c.below(70)),
                7 => format!("({}..{},{}..{})", c.below(3), 2 + c.below(9), c.below(5), 4 + c.below(5)),
                8 => {
                    let (a, b) = (c.below(9), c.below(9));
                    format!("({a},{b})..({},{})", a + c.below(90), b + c.below(90))
                }
                _ => "(*,*)".into(),
            },
            Type::QuadSet if roll < 5 => c.pick(QUADS).into(),
            Type::QuadSet => format!("{}..{}", c.pick(QUADS), c.pick(QUADS)),
            Type::IpSet if roll < 5 => c.pick(places.addresses).into(),
            Type::IpSet => format!("{}..{}", c.pick(places.addresses), c.pick(places.addresses)),
            Type::PrefixSet => {
                let base = c.pick(places.prefixes);
                match roll {
                    0..3 => base.into(),
                    3..5 => format!("{base}+"),
                    5 | 6 => format!("{base}-"),
                    _ => {
                        let longest = if base.contains(':') { 128 } else { 32 };
                        let low = c.below(longest + 1);
                        format!("{base}{{{low},{}}}", low + c.below(longest + 1 - low))
                    }
                }
            }
            Type::EcSet => {
                let word = c.pick(&["rt", "ro", "generic", "unknown 0x43"]);
                match roll {
                    0..4 => format!("({word},{},{})", c.pick(SHORT), c.pick(SHORT)),
                    4..7 => format!("({word},{},*)", c.pick(SHORT)),
                    _ => format!("({word},{},{}..{})", c.pick(SHORT), c.below(9), 8 + c.below(99)),
                }
            }
            Type::LcSet => match roll {
                0..4 => format!("({},{},{})", c.pick(NUMBERS), c.pick(SHORT), c.pick(NUMBERS)),
                4 => format!("({},*,*)", c.pick(NUMBERS)),
                5 => format!("({},{},*)", c.pick(NUMBERS), c.pick(SHORT)),
                6 => format!("({},{}..{},*)", c.pick(NUMBERS), c.below(9), 8 + c.below(99)),
                7 => "(*,*,*)".into(),
                _ => format!("({},{},{}..{})", c.pick(NUMBERS), c.pick(SHORT), c.below(9), 8 + c.below(99)),
            },
            Type::EnumSet(prefix) => c.pick(constants(prefix, self.dialect)).into(),
            _ => "1".into(),
        }
    }

    /// Members that do not overlap: of ranges that do BIRD 2.0 does not find all members.
    fn members_apart(&mut self, kind: Type, count: usize) -> Vec<String> {
        match kind {
            Type::IntSet => self.ranges(NUMBERS, number, count),
            Type::QuadSet => self.ranges(QUADS, address, count),
            Type::IpSet => self.ranges(self.places.addresses, address, count),
            Type::PairSet if self.chance.percent(8) => vec!["(*,*)".into()],
            Type::LcSet if self.chance.percent(8) => vec!["(*,*,*)".into()],
            Type::PairSet | Type::EcSet | Type::LcSet => self.tuples(kind, count),
            Type::PrefixSet => {
                // Of one family.
                let six = self.chance.percent(50);
                let mut all: Vec<String> = Vec::new();
                while all.len() < count {
                    let member = self.member(kind);
                    all.extend((member.contains(':') == six).then_some(member));
                }
                all
            }
            _ => {
                let mut all: Vec<String> = (0..count).map(|_| self.member(kind)).collect();
                all.sort_unstable();
                all.dedup();
                self.shuffled(all)
            }
        }
    }

    /// Some of the values, and ranges between them.
    fn ranges(&mut self, from: &[&str], place: fn(&str) -> u128, count: usize) -> Vec<String> {
        let mut all: Vec<(u128, &str)> =
            (0..2 * count).map(|_| self.chance.pick(from)).map(|t| (place(t), t)).collect();
        all.sort_unstable();
        all.dedup_by_key(|(place, _)| *place);
        let mut left = all.into_iter().map(|(_, text)| text);
        let mut members = Vec::new();
        while let Some(first) = left.next() {
            let last = if self.chance.percent(50) { left.next() } else { None };
            members.push(last.map_or_else(|| first.into(), |last| format!("{first}..{last}")));
        }
        // What is computed is a member like what is written.
        for member in &mut members {
            if self.dialect.is_2() && !member.contains(['.', ':']) && self.chance.percent(15) {
                *member = format!("({member} * 1)");
            }
        }
        self.shuffled(members)
    }

    /// Pairs and communities that differ in their first numbers.
    fn tuples(&mut self, kind: Type, count: usize) -> Vec<String> {
        let mut members = Vec::new();
        let mut at = 0;
        for _ in 0..count {
            let first = at + self.chance.below(3);
            let last = first + 1 + self.chance.below(3);
            at = last + 1;
            let c = &mut *self.chance;
            let (a, b) = (c.below(9), 8 + c.below(99));
            let (one, two) = (c.pick(SHORT), c.pick(NUMBERS));
            members.push(match (kind, c.below(8)) {
                (Type::PairSet, 0..3) => format!("({first},{one})"),
                (Type::PairSet, 3) => format!("({first},*)"),
                (Type::PairSet, 4) => format!("({first},{a}..{b})"),
                (Type::PairSet, 5) => format!("({first}..{last},{a}..{b})"),
                (Type::PairSet, 6) => format!("({first}..{last},*)"),
                (Type::PairSet, _) => format!("({first},{a})..({last},{b})"),
                (Type::EcSet, roll) => {
                    let word = c.pick(&["rt", "ro", "generic", "unknown 0x43"]);
                    match roll {
                        0..3 => format!("({word},{first},{one})"),
                        3..5 => format!("({word},{first},*)"),
                        _ => format!("({word},{first},{a}..{b})"),
                    }
                }
                (_, 0..2) => format!("({first},{one},{two})"),
                (_, 2) => format!("({first},*,*)"),
                (_, 3) => format!("({first},{one},*)"),
                (_, 4) => format!("({first},{a}..{b},*)"),
                (_, 5) => format!("({first}..{last},*,*)"),
                (_, 6) => format!("({first},{one},{a}..{b})"),
                (..) => format!("({first},{a},{b})..({last},{b},{a})"),
            });
        }
        self.shuffled(members)
    }

    fn shuffled(&mut self, mut members: Vec<String>) -> Vec<String> {
        for at in 1..members.len() {
            members.swap(at, self.chance.below(at + 1));
        }
        members
    }
}

/// Where a number stands among others.
fn number(text: &str) -> u128 {
    match text.strip_prefix("0x") {
        Some(digits) => u128::from_str_radix(digits, 16).unwrap_or(0),
        None => text.parse().unwrap_or(0),
    }
}

/// Where an address stands among others: those of IPv4 stand where their mapped ones do.
fn address(text: &str) -> u128 {
    match text.parse() {
        Ok(IpAddr::V4(a)) => a.to_ipv6_mapped().to_bits(),
        Ok(IpAddr::V6(a)) => a.to_bits(),
        Err(_) => Ipv6Addr::UNSPECIFIED.to_bits(),
    }
}
