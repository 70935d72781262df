//! Patterns of AS paths: `[= 1 * 2 ? 3..5 =]`.
//!
//! Matching walks the path once and keeps the set of places in the pattern that
//! can be reached, so the cost is the length of the path times the length of the
//! pattern, whatever the pattern. An AS_SET in a path stands for some of its
//! members one after the other, as in BIRD; where it may stand for none depends on
//! the dialect.

use crate::set::Set;
use crate::value::Value;
use route::{AsPath, aspath::segment};
use std::fmt;
use std::sync::Arc;

/// One item of a pattern.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum MaskItem {
    /// This AS.
    Asn(u32),
    /// An AS of a range, both ends included.
    Range(u32, u32),
    /// Any AS.
    Question,
    /// Any number of ASes, none too.
    Star,
    /// An AS of a set.
    Set(Arc<Set>),
    /// `+`: what the item before takes, any number of times more.
    Again,
}

/// A pattern.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Mask(pub Vec<MaskItem>);

/// Longest pattern; more items than a path could have in one message.
pub const MASK_LEN_MAX: usize = 1023;

/// Places in a pattern, one bit each.
struct Places([u64; (MASK_LEN_MAX + 1) / 64]);

impl Places {
    fn has(&self, at: usize) -> bool {
        self.0.get(at / 64).is_some_and(|w| w >> (at % 64) & 1 == 1)
    }

    fn join(&mut self, others: &Self) {
        self.0.iter_mut().zip(others.0).for_each(|(word, other)| *word |= other);
    }

    fn put(&mut self, at: usize) {
        if let Some(word) = self.0.get_mut(at / 64) {
            *word |= 1 << (at % 64);
        }
    }
}

impl Mask {
    /// Whether the whole path follows the pattern.
    ///
    /// A set behind another set may stand for nothing; with `loose_sets` one behind an AS, too, but none at the
    /// beginning of the path.
    pub fn matches(&self, path: AsPath<'_>, loose_sets: bool) -> bool {
        let mut here = Places([0; _]);
        self.reach(&mut here, 0);
        let mut may_be_none = false;
        for s in path.segments() {
            let is_sequence = matches!(s.kind, segment::AS_SEQUENCE | segment::AS_CONFED_SEQUENCE);
            match is_sequence {
                true => {
                    for asn in s.asns() {
                        here = self.step(&here, |item| item.takes(asn), false);
                    }
                }
                false => {
                    let mut next = self.step(&here, |item| s.asns().any(|asn| item.takes(asn)), true);
                    if may_be_none {
                        next.join(&here);
                    }
                    here = next;
                }
            }
            may_be_none = loose_sets || !is_sequence;
        }
        here.has(self.0.len())
    }

    /// Where one can be after one more AS, or (`repeats`) after one or more of the same set.
    fn step(&self, here: &Places, takes: impl Fn(&MaskItem) -> bool, repeats: bool) -> Places {
        let mut next = Places([0; _]);
        for (at, item) in self.0.iter().enumerate() {
            // Places are only ever reached from those before them.
            if !(here.has(at) || repeats && next.has(at)) {
                continue;
            }
            match item {
                MaskItem::Star => self.reach(&mut next, at),
                MaskItem::Again if at.checked_sub(1).and_then(|before| self.0.get(before)).is_some_and(&takes) => {
                    self.reach(&mut next, at);
                }
                MaskItem::Again => {}
                _ if takes(item) => self.reach(&mut next, at + 1),
                _ => {}
            }
        }
        next
    }

    /// Marks a place and those behind it that need no further AS.
    fn reach(&self, places: &mut Places, at: usize) {
        places.put(at);
        for (i, item) in self.0.iter().enumerate().skip(at) {
            if !matches!(item, MaskItem::Star | MaskItem::Again) || places.has(i + 1) {
                break;
            }
            places.put(i + 1);
        }
    }
}

impl MaskItem {
    fn takes(&self, asn: u32) -> bool {
        match self {
            Self::Asn(a) => *a == asn,
            Self::Range(from, to) => (*from..=*to).contains(&asn),
            Self::Set(set) => set.contains_value(&Value::Int(asn)),
            Self::Question | Self::Star | Self::Again => true,
        }
    }
}

impl fmt::Display for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[= ")?;
        for item in &self.0 {
            match item {
                MaskItem::Asn(a) => write!(f, "{a} ")?,
                MaskItem::Range(a, b) => write!(f, "{a}..{b} ")?,
                MaskItem::Question => f.write_str("? ")?,
                MaskItem::Star => f.write_str("* ")?,
                MaskItem::Set(set) => write!(f, "{set} ")?,
                MaskItem::Again => f.write_str("+ ")?,
            }
        }
        f.write_str("=]")
    }
}

#[cfg(test)]
mod tests {
    use super::MaskItem::{Asn, Question, Range, Star};
    use super::segment::{AS_SEQUENCE, AS_SET};
    use super::*;

    fn path(asns: &[u32]) -> Vec<u8> {
        let mut octets = vec![segment::AS_SEQUENCE, asns.len() as u8];
        octets.extend(asns.iter().flat_map(|a| a.to_be_bytes()));
        octets
    }

    #[test]
    fn a_pattern_must_cover_the_whole_path() {
        let octets = path(&[30, 20, 10]);
        let p = AsPath::new(&octets);
        let matches = |items: &[MaskItem]| Mask(items.to_vec()).matches(p, true);
        assert!(matches(&[Asn(30), Asn(20), Asn(10)]));
        assert!(!matches(&[Asn(30), Asn(20)]));
        assert!(matches(&[Star, Asn(20), Star]));
        assert!(matches(&[Star, Star, Asn(10), Star]));
        assert!(matches(&[Question, Range(15, 25), Question]));
        assert!(!matches(&[Question, Question]));
        assert!(!matches(&[]));
        assert!(Mask(vec![]).matches(AsPath::new(&[]), true));
        assert!(Mask(vec![Star]).matches(AsPath::new(&[]), true));
    }

    #[test]
    fn a_set_in_a_path_stands_for_some_of_its_members_as_in_bird() {
        let masks = [vec![Asn(3)], vec![Star, Asn(3)], vec![Question], vec![Asn(3), Star], vec![Asn(1), Asn(3)]];
        // Segments, and what BIRD 1.6.8 said of each mask.
        type Segments = &'static [(u8, &'static [u32])];
        let asked: &[(Segments, [bool; 5])] = &[
            (&[(AS_SET, &[3])], [true, true, true, true, false]),
            (&[(AS_SET, &[1, 3])], [true, true, true, true, true]),
            (&[(AS_SET, &[3, 3])], [true, true, true, true, false]),
            (&[(AS_SEQUENCE, &[3])], [true, true, true, true, false]),
            (&[(AS_SEQUENCE, &[1]), (AS_SET, &[3])], [false, true, true, false, true]),
            (&[(AS_SET, &[1, 3, 2])], [true, true, true, true, true]),
            (&[], [false; 5]),
            (&[(AS_SET, &[7, 3]), (AS_SEQUENCE, &[5])], [false, false, false, true, false]),
        ];
        for (segments, expected) in asked {
            let octets: Vec<u8> =
                segments.iter().flat_map(|(kind, asns)| [vec![*kind], path(asns)[1..].into()].concat()).collect();
            let said = |loose| masks.each_ref().map(|mask| Mask(mask.clone()).matches(AsPath::new(&octets), loose));
            assert_eq!(said(true), *expected, "{segments:?}");
            // BIRD 2.0.12 says the same but of a set behind an AS, which must stand for something.
            let mut strict = *expected;
            strict[2] &= segments.len() < 2;
            assert_eq!(said(false), strict, "{segments:?}");
        }
    }

    #[test]
    fn many_stars_cost_no_more_than_pattern_times_path() {
        let octets = path(&[1; 255]);
        let mut items: Vec<_> = [Star, Asn(1)].into_iter().cycle().take(500).collect();
        items.push(Asn(2));
        assert!(!Mask(items).matches(AsPath::new(&octets), true));
    }
}
