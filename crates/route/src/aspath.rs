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

    /// The neighbouring AS: the first of a leading sequence (`bgp_path.first`). `None` for an empty path or a leading set.
    pub fn first(&self) -> Option<u32> {
        let s = self.segments().next()?;
        matches!(s.kind, segment::AS_SEQUENCE | segment::AS_CONFED_SEQUENCE).then_some(())?;
        s.asns().next()
    }

    /// The AS that originated the route (`bgp_path.last`). `None` for an empty path or one that ends in a set.
    pub fn last(&self) -> Option<u32> {
        let s = self.segments().last()?;
        matches!(s.kind, segment::AS_SEQUENCE).then_some(())?;
        s.asns().next_back()
    }

    /// How often an AS stands in the path, sets included.
    pub fn count_of(&self, asn: u32) -> u32 {
        self.asns().filter(|a| *a == asn).count() as u32
    }

    /// The octets of this path with an AS put in front, in a sequence.
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
    /// As BIRD prints it: `64513 64512`, sets in `{ }`, confederation sequences in `( )`, confederation sets in `({ })`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, s) in self.segments().enumerate() {
            let (open, close) = match s.kind {
                segment::AS_SET => ("{ ", " }"),
                segment::AS_CONFED_SEQUENCE => ("( ", " )"),
                segment::AS_CONFED_SET => ("({ ", " })"),
                _ => ("", ""),
            };
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
