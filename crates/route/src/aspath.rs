//! AS paths, read in place from canonical octets.
//!
//! A path is a sequence of segments: kind, number of ASes, then the ASes in four
//! octets each. Reading never fails: octets that do not follow that shape end
//! the path (sets made by `wire` always do).

use std::fmt;

/// Kinds of segment (RFC 4271 4.3 b, RFC 5065 3).
#[expect(missing_docs, reason = "each constant is the segment of its name")]
pub mod segment {
    pub const AS_SET: u8 = 1;
    pub const AS_SEQUENCE: u8 = 2;
    pub const AS_CONFED_SEQUENCE: u8 = 3;
    pub const AS_CONFED_SET: u8 = 4;
}

/// How the segments that are no plain sequence are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Brackets {
    /// With blanks inside: `{ 1 2 }` (BIRD 1.6).
    #[default]
    Wide,
    /// Without: `{1 2}` (BIRD 2).
    Tight,
}

impl Brackets {
    /// What stands before and behind the ASes of a segment.
    const fn around(self, kind: u8) -> (&'static str, &'static str) {
        match (kind, self) {
            (segment::AS_SET, Self::Wide) => ("{ ", " }"),
            (segment::AS_SET, Self::Tight) => ("{", "}"),
            (segment::AS_CONFED_SEQUENCE, Self::Wide) => ("( ", " )"),
            (segment::AS_CONFED_SEQUENCE, Self::Tight) => ("(", ")"),
            (segment::AS_CONFED_SET, Self::Wide) => ("({ ", " })"),
            (segment::AS_CONFED_SET, Self::Tight) => ("({", "})"),
            _ => ("", ""),
        }
    }
}

/// A path, borrowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AsPath<'a>(&'a [u8]);

/// One segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment<'a> {
    /// One of [`segment`].
    pub kind: u8,
    octets: &'a [u8],
}

impl<'a> Segment<'a> {
    /// The ASes, nearest first.
    pub fn asns(&self) -> impl DoubleEndedIterator<Item = u32> + Clone + use<'a> {
        let octets: &'a [u8] = self.octets;
        octets.as_chunks::<4>().0.iter().map(|c| u32::from_be_bytes(*c))
    }

    /// How many ASes it has.
    pub const fn count(&self) -> usize {
        self.octets.len() / 4
    }

    /// Whether it is of a confederation (RFC 5065 3): of no meaning outside it.
    pub const fn is_confederation(&self) -> bool {
        matches!(self.kind, segment::AS_CONFED_SEQUENCE | segment::AS_CONFED_SET)
    }

    /// Whether its ASes have no order.
    pub const fn is_set(&self) -> bool {
        matches!(self.kind, segment::AS_SET | segment::AS_CONFED_SET)
    }
}

impl<'a> AsPath<'a> {
    /// A path over the value of an AS_PATH attribute in canonical form.
    pub const fn new(octets: &'a [u8]) -> Self {
        Self(octets)
    }

    /// The octets.
    pub const fn octets(&self) -> &'a [u8] {
        self.0
    }

    /// Whether it has no segment.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The segments, nearest first.
    pub fn segments(&self) -> impl Iterator<Item = Segment<'a>> + use<'a> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let (&[kind, count], tail) = rest.split_first_chunk::<2>()?;
            let (octets, tail) = tail.split_at_checked(usize::from(count) * 4)?;
            rest = tail;
            Some(Segment { kind, octets })
        })
    }

    /// Every AS of every segment, nearest first.
    pub fn asns(&self) -> impl Iterator<Item = u32> + use<'a> {
        self.segments().flat_map(|s| s.asns())
    }

    /// The length for the decision process, in hops.
    ///
    /// A set counts as one hop whatever its size (RFC 4271 9.1.2.2 a);
    /// confederation segments count as none (RFC 5065 5.3).
    pub fn hop_count(&self) -> u32 {
        self.segments()
            .map(|s| match s.kind {
                segment::AS_SEQUENCE => s.count() as u32,
                segment::AS_SET => 1,
                _ => 0,
            })
            .sum()
    }

    /// The first AS of a leading sequence (`bgp_path.first`). `None` for an empty path, a leading set, and one that
    /// begins inside a confederation.
    pub fn first(&self) -> Option<u32> {
        let s = self.segments().next()?;
        if s.kind == segment::AS_SEQUENCE { s.asns().next() } else { None }
    }

    /// The neighbouring AS, for MED: the first one outside our confederation. `None` for a path that stays inside it,
    /// and where a set stands first.
    pub fn neighbor(&self) -> Option<u32> {
        let s = self.segments().find(|s| !s.is_confederation())?;
        if s.is_set() { None } else { s.asns().next() }
    }

    /// The AS that originated the route (`bgp_path.last`). `None` for an empty path or one that ends in a set.
    pub fn last(&self) -> Option<u32> {
        let s = self.segments().last()?;
        if s.is_set() { None } else { s.asns().next_back() }
    }

    /// Whether some segment is of a confederation.
    pub fn has_confederation(&self) -> bool {
        self.segments().any(|s| s.is_confederation())
    }

    /// The octets of this path without the segments of a confederation.
    pub fn without_confederation(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.0.len());
        for s in self.segments().filter(|s| !s.is_confederation()) {
            out.extend_from_slice(&[s.kind, s.count() as u8]);
            out.extend_from_slice(s.octets);
        }
        out
    }

    /// How often an AS stands in the path, sets included.
    pub fn count_of(&self, asn: u32) -> u32 {
        self.asns().filter(|a| *a == asn).count() as u32
    }

    /// The path to be written.
    pub const fn written(self, brackets: Brackets) -> WrittenPath<'a> {
        WrittenPath { path: self, brackets }
    }

    /// The octets of this path with an AS put in front, in a sequence of this kind.
    pub fn prepended(&self, kind: u8, asn: u32) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.0.len() + 6);
        match self.0.split_first_chunk::<2>() {
            Some((&[k, count], rest)) if k == kind && count < u8::MAX => {
                out.extend_from_slice(&[kind, count + 1]);
                out.extend_from_slice(&asn.to_be_bytes());
                out.extend_from_slice(rest);
            }
            _ => {
                out.extend_from_slice(&[kind, 1]);
                out.extend_from_slice(&asn.to_be_bytes());
                out.extend_from_slice(self.0);
            }
        }
        out
    }
}

impl fmt::Display for AsPath<'_> {
    /// As BIRD 1.6 prints it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.written(Brackets::Wide).fmt(f)
    }
}

/// A path and how it is written. As text, what BIRD prints: `64513 64512`, sets in `{ }`, confederation sequences in
/// `( )`, confederation sets in `({ })`.
#[derive(Clone, Copy, Debug)]
pub struct WrittenPath<'a> {
    path: AsPath<'a>,
    brackets: Brackets,
}

impl fmt::Display for WrittenPath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, s) in self.path.segments().enumerate() {
            let (open, close) = self.brackets.around(s.kind);
            f.write_str(if i > 0 { " " } else { "" })?;
            f.write_str(open)?;
            for (j, asn) in s.asns().enumerate() {
                if j > 0 {
                    f.write_str(" ")?;
                }
                write!(f, "{asn}")?;
            }
            f.write_str(close)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(segments: &[(u8, &[u8])]) -> Vec<u8> {
        let octets = |(kind, asns): &(u8, &[u8])| {
            let mut out = vec![*kind, asns.len() as u8];
            asns.iter().for_each(|asn| out.extend([0, 0, 0, *asn]));
            out
        };
        segments.iter().flat_map(octets).collect()
    }

    const MIXED: &[(u8, &[u8])] = &[(3, &[10, 11]), (4, &[12]), (2, &[1, 2]), (1, &[3, 4])];

    #[test]
    fn segments_are_written_in_brackets_with_blanks_as_by_1_6_and_without_as_by_2() {
        let octets = path(MIXED);
        let text = |brackets| AsPath::new(&octets).written(brackets).to_string();
        assert_eq!(text(Brackets::Wide), "( 10 11 ) ({ 12 }) 1 2 { 3 4 }");
        assert_eq!(text(Brackets::Tight), "(10 11) ({12}) 1 2 {3 4}");
    }

    #[test]
    fn a_confederation_counts_for_no_hop_is_no_neighbour_and_is_left_out_for_others() {
        let octets = path(MIXED);
        let mixed = AsPath::new(&octets);
        assert_eq!((mixed.hop_count(), mixed.first(), mixed.neighbor(), mixed.last()), (3, None, Some(1), None));
        assert!(mixed.has_confederation());
        assert_eq!(mixed.without_confederation(), path(&MIXED[2..]));
        let octets = path(&[(3, &[10, 11])]);
        let inside = AsPath::new(&octets);
        assert_eq!((inside.hop_count(), inside.first(), inside.neighbor(), inside.last()), (0, None, None, Some(11)));
        assert_eq!(AsPath::new(&inside.prepended(3, 9)).written(Brackets::Tight).to_string(), "(9 10 11)");
        assert_eq!(AsPath::new(&inside.prepended(2, 9)).written(Brackets::Tight).to_string(), "9 (10 11)");
        let octets = path(&[(4, &[10]), (1, &[1])]);
        assert_eq!(AsPath::new(&octets).neighbor(), None);
    }
}
