//! Sets of numbers, addresses, pairs, communities and enumeration values; also the labels of `case`.
//!
//! A set is a list of ranges, sorted by where they begin and searched from the
//! middle, not merged: of ranges that overlap the search finds those that BIRD's
//! finds, for configurations are tried out with BIRD and not with its manual. A
//! value of one type is never in a range of another. Pairs with a wildcard in front (`(*,2)`)
//! are 65,536 ranges; they stay one [`Rect`] each.

use crate::never;
use crate::value::{EnumKind, Type, Value};
use route::Prefix;
use route::community::LargeCommunity;
use std::cmp::Ordering;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

/// The place of a value among those of its type: its bits as one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    class: Class,
    bits: u128,
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        self.place().cmp(&other.place())
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The types that can stand in a set. Their order is the one in which a mixed set is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Class {
    /// Of `else` among the labels of a `case`: before all values, in no range of theirs.
    Otherwise,
    Ip4,
    Ip6,
    Quad,
    Int,
    Pair,
    Ec,
    Lc,
    Enum(EnumKind),
}

impl Class {
    const fn kind(self) -> Option<Type> {
        Some(match self {
            Self::Otherwise => return None,
            Self::Ip4 | Self::Ip6 => Type::Ip,
            Self::Quad => Type::Quad,
            Self::Int => Type::Int,
            Self::Pair => Type::Pair,
            Self::Ec => Type::Ec,
            Self::Lc => Type::Lc,
            Self::Enum(kind) => Type::Enum(kind),
        })
    }
}

impl Key {
    /// The key of a value; `None` when its type has no place in sets.
    pub fn of(value: &Value<'_>) -> Option<Self> {
        let (class, bits) = match value {
            Value::Int(n) => (Class::Int, (*n).into()),
            Value::Pair(n) => (Class::Pair, (*n).into()),
            Value::Quad(n) => (Class::Quad, (*n).into()),
            Value::Enum(kind, n) => (Class::Enum(*kind), (*n).into()),
            Value::Ip(IpAddr::V4(a)) => (Class::Ip4, a.to_bits().into()),
            Value::Ip(IpAddr::V6(a)) => (Class::Ip6, a.to_bits()),
            Value::Ec(n) => (Class::Ec, (*n).into()),
            Value::Lc(LargeCommunity(a, b, c)) => {
                (Class::Lc, (u128::from(*a) << 64) | (u128::from(*b) << 32) | u128::from(*c))
            }
            _ => return None,
        };
        Some(Self { class, bits })
    }

    /// Where it stands among others: an IPv4 address among those of IPv6 where its mapped one does.
    const fn place(self) -> (Class, u128) {
        match self.class {
            Class::Ip4 => (Class::Ip6, (0xffff << 32) | self.bits),
            class => (class, self.bits),
        }
    }

    /// The value that it is the place of.
    pub(crate) fn value(self) -> Value<'static> {
        let low = self.bits as u32;
        match self.class {
            Class::Otherwise => Value::Void,
            Class::Int => Value::Int(low),
            Class::Pair => Value::Pair(low),
            Class::Quad => Value::Quad(low),
            Class::Enum(kind) => Value::Enum(kind, low),
            Class::Ip4 => Value::Ip(std::net::Ipv4Addr::from_bits(low).into()),
            Class::Ip6 => Value::Ip(Ipv6Addr::from_bits(self.bits).into()),
            Class::Ec => Value::Ec(self.bits as u64),
            Class::Lc => Value::Lc(LargeCommunity((self.bits >> 64) as u32, (self.bits >> 32) as u32, low)),
        }
    }
}

/// Some neighbouring values, both ends included; none when the first is above the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Range {
    /// The first.
    pub from: Key,
    /// The last.
    pub to: Key,
}

impl Range {
    /// Whether the first is above the last of the same type.
    pub(crate) fn is_backwards(self) -> bool {
        self.from.class.kind() == self.to.class.kind() && self.from > self.to
    }

    fn contains(&self, key: Key) -> bool {
        self.from <= key && key <= self.to && self.from.class.kind() == key.class.kind()
    }
}

/// All pairs whose first and second number lie in ranges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rect {
    /// The first number, both ends included.
    pub high: (u16, u16),
    /// The second number, both ends included.
    pub low: (u16, u16),
}

impl Rect {
    fn contains(&self, key: Key) -> bool {
        let (high, low) = ((key.bits >> 16) as u16, key.bits as u16);
        key.class == Class::Pair
            && (self.high.0..=self.high.1).contains(&high)
            && (self.low.0..=self.low.1).contains(&low)
    }

    /// As ranges, one for each first number; few only when the second number is free.
    fn ranges(self) -> impl Iterator<Item = Range> {
        let pair = |high: u16, low: u16| Key { class: Class::Pair, bits: (u128::from(high) << 16) | u128::from(low) };
        let whole = self.low == (0, u16::MAX);
        let rows = if whole { self.high.0..=self.high.0 } else { self.high.0..=self.high.1 };
        rows.map(move |row| Range {
            from: pair(row, self.low.0),
            to: pair(if whole { self.high.1 } else { row }, self.low.1),
        })
    }

    /// Whether [`ranges`](Self::ranges) are few.
    fn is_narrow(self) -> bool {
        self.low == (0, u16::MAX) || self.high.1.saturating_sub(self.high.0) < 16
    }
}

/// One member of a set literal, or one label of `case`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Item {
    /// Values from one to another.
    Range(Range),
    /// Pairs with two ranges.
    Rect(Rect),
}

/// A set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Set {
    /// Sorted by their beginnings; those that begin alike as written.
    shown: Vec<Range>,
    /// What is searched in place of them when some overlap and the dialect merges them.
    merged: Option<Box<[Range]>>,
    rects: Vec<Rect>,
    /// The ranges once more in little room, when all are of one type of at most 64 bits: what is searched then.
    narrow: Option<Narrow>,
    /// Which types of [`Set::is_of`] all members have.
    of: u8,
}

/// Ranges of one type, as numbers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Narrow {
    class: Class,
    ranges: Box<[(u64, u64)]>,
}

impl Narrow {
    /// The same ranges in the same order.
    fn of(ranges: &[Range]) -> Option<Self> {
        let class = ranges.first()?.from.class;
        let number = |key: Key| if key.class == class { u64::try_from(key.bits).ok() } else { None };
        let narrow = |r: &Range| Some((number(r.from)?, number(r.to)?));
        Some(Self { class, ranges: ranges.iter().map(narrow).collect::<Option<_>>()? })
    }

    /// As [`search`].
    fn contains(&self, number: u64) -> bool {
        let mut rest = &*self.ranges;
        while let Some((from, to)) = rest.get(rest.len() / 2) {
            if (from..=to).contains(&&number) {
                return true;
            }
            let (before, behind) = rest.split_at(rest.len() / 2);
            rest = if *from < number { behind.get(1..).unwrap_or_default() } else { before };
        }
        false
    }
}

/// The types for which sets are asked whether all members have them.
const KINDS: [Type; 5] = [Type::Int, Type::Pair, Type::Ec, Type::Lc, Type::Ip];

impl Set {
    /// The set of some members. Ranges that overlap are searched as BIRD 1.6 does, or merged (`merges`).
    pub fn new(items: impl IntoIterator<Item = Item>, merges: bool) -> Self {
        let mut set = Self::default();
        for item in items {
            match item {
                Item::Range(range) => set.shown.push(range),
                Item::Rect(rect) if rect.is_narrow() => set.shown.extend(rect.ranges()),
                Item::Rect(rect) => set.rects.push(rect),
            }
        }
        set.shown.sort_by_key(|r| r.from);
        set.merged = merges.then(|| merge(&set.shown)).flatten();
        set.narrow = Narrow::of(set.ranges());
        let of = KINDS.iter().enumerate().filter(|(_, kind)| set.all_are(**kind));
        set.of = of.fold(0, |of, (bit, _)| of | 1 << bit);
        set
    }

    /// What is searched.
    fn ranges(&self) -> &[Range] {
        self.merged.as_deref().unwrap_or(&self.shown)
    }

    /// The same set with its ranges merged, as later releases of 2.x print it.
    #[must_use]
    pub fn without_overlaps(&self) -> Self {
        let mut set = self.clone();
        if let Some(merged) = set.merged.take() {
            set.shown = merged.into();
        }
        set
    }

    /// How many ranges it has.
    pub fn len(&self) -> usize {
        self.shown.len() + self.rects.len()
    }

    /// Whether it has no members.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether a value is a member.
    pub fn contains(&self, key: Key) -> bool {
        let found = match &self.narrow {
            Some(narrow) => {
                narrow.class == key.class && u64::try_from(key.bits).is_ok_and(|number| narrow.contains(number))
            }
            None => search(self.ranges(), |r| *r, key).is_some(),
        };
        found || self.rects.iter().any(|r| r.contains(key))
    }

    /// Whether a value is a member; false for types that have no place in sets.
    pub fn contains_value(&self, value: &Value<'_>) -> bool {
        Key::of(value).is_some_and(|key| self.contains(key))
    }

    /// Whether one of some numbers is a member.
    pub(crate) fn contains_one(&self, mut numbers: impl Iterator<Item = u32>) -> bool {
        match &self.narrow {
            Some(narrow) if narrow.class == Class::Int && self.rects.is_empty() => {
                numbers.any(|n| narrow.contains(n.into()))
            }
            _ => numbers.any(|n| self.contains_value(&Value::Int(n))),
        }
    }

    /// Whether a value is a member; `None` when no member has its type, unless there is none.
    pub fn find(&self, value: &Value<'_>) -> Option<bool> {
        if self.is_empty() {
            return Some(false);
        }
        let key = Key::of(value)?;
        if self.contains(key) {
            return Some(true);
        }
        let pairs = key.class == Class::Pair && !self.rects.is_empty();
        (pairs || self.shown.iter().any(|r| r.from.class.kind() == key.class.kind())).then_some(false)
    }

    /// Whether all members are of a type.
    pub fn is_of(&self, kind: Type) -> bool {
        KINDS.iter().position(|k| *k == kind).is_some_and(|bit| self.of >> bit & 1 == 1)
    }

    /// Whether some member has a type.
    pub(crate) fn has(&self, kind: Type) -> bool {
        self.classes().any(|class| class.kind() == Some(kind))
    }

    /// Whether some member is a number that is not above another.
    pub(crate) fn has_up_to(&self, most: u32) -> bool {
        self.shown.iter().any(|r| r.from.class == Class::Int && r.from <= r.to && r.from.bits <= u128::from(most))
    }

    /// The types of the members, in words.
    pub(crate) fn nouns(&self) -> String {
        let mut kinds: Vec<Type> = Vec::new();
        for kind in self.classes().filter_map(Class::kind) {
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
        kinds.into_iter().map(never::noun).collect::<Vec<_>>().join(" or ")
    }

    fn classes(&self) -> impl Iterator<Item = Class> {
        self.shown.iter().map(|r| r.from.class).chain(self.rects.iter().map(|_| Class::Pair))
    }

    fn all_are(&self, kind: Type) -> bool {
        let is = |class: Class| match kind {
            Type::Int => class == Class::Int,
            Type::Pair => matches!(class, Class::Pair | Class::Quad | Class::Ip4),
            Type::Ec => class == Class::Ec,
            Type::Lc => class == Class::Lc,
            Type::Ip => class == Class::Ip4,
            _ => false,
        };
        self.shown.iter().all(|r| is(r.from.class)) && (self.rects.is_empty() || kind == Type::Pair)
    }
}

/// Ranges without overlaps that have the same members; `None` when the sorted ones have none.
///
/// A range that ends before it begins takes part only where it begins.
fn merge(sorted: &[Range]) -> Option<Box<[Range]>> {
    let mut merged: Vec<Range> = Vec::with_capacity(sorted.len());
    for range in sorted {
        match merged.last_mut() {
            Some(last) if last.to >= range.from && last.to.class.kind() == range.from.class.kind() => {
                last.to = last.to.max(range.to);
            }
            _ => merged.push(*range),
        }
    }
    (merged.len() < sorted.len()).then(|| merged.into())
}

/// Finds a range with the key as BIRD does: from the middle, then in one half.
///
/// Of ranges that overlap the one met first counts, and one that is passed by may hide one that has the key.
fn search<T>(sorted: &[T], range: impl Fn(&T) -> Range, key: Key) -> Option<&T> {
    let mut rest = sorted;
    while let Some(middle) = rest.get(rest.len() / 2) {
        let range = range(middle);
        if range.contains(key) {
            return Some(middle);
        }
        let (before, behind) = rest.split_at(rest.len() / 2);
        rest = if range.from < key { behind.get(1..).unwrap_or_default() } else { before };
    }
    None
}

impl fmt::Display for Set {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut all = self.shown.clone();
        all.extend(self.rects.iter().flat_map(|r| r.ranges()).take(SHOWN_MAX));
        all.sort_by_key(|r| r.from);
        f.write_str("[")?;
        for (i, range) in all.iter().enumerate() {
            f.write_str(if i > 0 { ", " } else { "" })?;
            write!(f, "{}", range.from.value())?;
            if range.from != range.to {
                write!(f, "..{}", range.to.value())?;
            }
        }
        // As many as one wildcard stands for; more are told apart from all by this mark.
        let cut = self.rects.iter().flat_map(|r| r.ranges()).nth(SHOWN_MAX).is_some();
        f.write_str(if cut { ", ... <too long>]" } else { "]" })
    }
}

/// How many of the ranges that wildcards stand for are printed.
const SHOWN_MAX: usize = 1 << 16;

/// The labels of a `case`: which arm a value belongs to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Labels {
    /// Sorted and searched as those of a set.
    ranges: Vec<(Range, u32)>,
    rects: Vec<(Rect, u32)>,
    /// Some overlap, and of those the first arm counts.
    first_counts: bool,
}

impl Labels {
    /// Labels with the number of their arm, in the order written.
    ///
    /// Where some overlap, those count that a search of BIRD 1.6 finds, in which an `else` has its place, too; or the
    /// first (`merges`).
    pub fn new(items: impl IntoIterator<Item = (Item, u32)>, has_otherwise: bool, merges: bool) -> Self {
        let mut labels = Self::default();
        if has_otherwise && !merges {
            let none = Key { class: Class::Otherwise, bits: 0 };
            labels.ranges.push((Range { from: none, to: none }, u32::MAX));
        }
        for (item, arm) in items {
            match item {
                Item::Range(range) => labels.ranges.push((range, arm)),
                Item::Rect(rect) if rect.is_narrow() => labels.ranges.extend(rect.ranges().map(|r| (r, arm))),
                Item::Rect(rect) => labels.rects.push((rect, arm)),
            }
        }
        labels.ranges.sort_by_key(|(r, _)| r.from);
        let mut neighbours = labels.ranges.iter().zip(labels.ranges.iter().skip(1));
        let overlap = neighbours.any(|((a, _), (b, _))| a.to >= b.from);
        labels.first_counts = merges && (overlap || !labels.rects.is_empty());
        labels
    }

    /// The arm of a value.
    pub fn find(&self, key: Key) -> Option<u32> {
        if self.first_counts {
            let ranges = self.ranges.iter().filter(|(r, _)| r.contains(key)).map(|(_, arm)| *arm);
            let rects = self.rects.iter().filter(|(r, _)| r.contains(key)).map(|(_, arm)| *arm);
            return ranges.chain(rects).min();
        }
        let found = search(&self.ranges, |(r, _)| *r, key);
        let rect = || self.rects.iter().find(|(r, _)| r.contains(key)).map(|(_, arm)| *arm);
        found.map(|(_, arm)| *arm).or_else(rect)
    }
}

/// A prefix with the lengths that a set takes in of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// The base.
    pub base: Prefix,
    /// The shortest.
    pub low: u8,
    /// The longest.
    pub high: u8,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: u32) -> Key {
        Key::of(&Value::Int(n)).unwrap()
    }

    fn range(from: u32, to: u32) -> Item {
        Item::Range(Range { from: key(from), to: key(to) })
    }

    #[test]
    fn of_ranges_that_overlap_those_count_that_a_search_from_the_middle_finds() {
        let set = Set::new([range(5, 20), range(5, 16), range(1, 5), range(20, 10)], false);
        assert_eq!(set.to_string(), "[1..5, 5..20, 5..16, 20..10]");
        assert!([5, 6, 16].into_iter().all(|n| set.contains(key(n))));
        // 17 to 20 are behind the middle, where 5..20 is not looked for.
        assert!([0, 17, 20, 21].into_iter().all(|n| !set.contains(key(n))));
    }

    #[test]
    fn a_value_is_never_in_a_range_of_another_type() {
        let set = Set::new([range(0, u32::MAX)], false);
        assert!(!set.contains_value(&Value::Ip("10.0.0.1".parse().unwrap())));
        assert!(!set.contains_value(&Value::Pair(5)));
    }

    #[test]
    fn a_long_address_is_not_taken_for_its_last_bits() {
        let address = |text: &str| Value::Ip(text.parse().unwrap());
        let set = Set::new(
            [Item::Range(Range { from: Key::of(&address("::1")).unwrap(), to: Key::of(&address("::1")).unwrap() })],
            false,
        );
        assert!(set.contains_value(&address("::1")));
        assert!(!set.contains_value(&address("fd00:1::1")));
    }

    #[test]
    fn labels_are_searched_as_sets_are() {
        let labels = Labels::new([(range(5, 9), 0), (range(1, 20), 1), (range(30, 30), 2)], false, false);
        assert_eq!([4, 5, 15, 30, 31].map(|n| labels.find(key(n))), [Some(1), Some(0), None, Some(2), None]);
    }

    #[test]
    fn merged_ranges_have_every_member_and_the_first_of_overlapping_labels_counts() {
        let set = Set::new([range(5, 20), range(5, 16), range(1, 5), range(30, 30)], true);
        assert!([1, 5, 17, 20, 30].into_iter().all(|n| set.contains(key(n))) && !set.contains(key(21)));
        assert_eq!(set.to_string(), "[1..5, 5..20, 5..16, 30]");
        assert_eq!(set.without_overlaps().to_string(), "[1..20, 30]");
        let labels = Labels::new([(range(5, 9), 0), (range(1, 20), 1), (range(30, 30), 2)], true, true);
        assert_eq!([4, 5, 15, 30, 31].map(|n| labels.find(key(n))), [Some(1), Some(0), Some(1), Some(2), None]);
    }

    #[test]
    fn a_wildcard_in_front_of_a_pair_matches_every_first_number() {
        let set = Set::new([Item::Rect(Rect { high: (0, u16::MAX), low: (2, 2) })], false);
        assert!(set.contains_value(&Value::Pair(0x0007_0002)));
        assert!(!set.contains_value(&Value::Pair(0x0007_0003)));
    }
}
