//! AS paths on the wire: checked, widened, merged, narrowed (RFC 4271 4.3 b, RFC 6793, RFC 5065).

use crate::open::AS_TRANS;
use route::AsPath;
use route::aspath::segment;

/// A value that breaks the rules of its attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

/// How many octets an AS number has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AsSize {
    Two,
    Four,
}

impl AsSize {
    const fn octets(self) -> usize {
        match self {
            Self::Two => 2,
            Self::Four => 4,
        }
    }
}

/// One segment, its AS numbers in either size.
#[derive(Clone, Copy)]
struct Segment<'a> {
    kind: u8,
    count: u8,
    asns: &'a [u8],
}

const fn is_confederation(kind: u8) -> bool {
    matches!(kind, segment::AS_CONFED_SEQUENCE | segment::AS_CONFED_SET)
}

/// Takes the next segment off. RFC 7606 7.2: an unknown kind, a segment that runs beyond the end, less than
/// a whole segment at the end, and a segment without an AS are malformed; so is AS 0 (RFC 7607 2).
fn split_segment(path: &[u8], size: AsSize) -> Result<(Segment<'_>, &[u8]), Malformed> {
    let (&[kind, count], rest) = path.split_first_chunk::<2>().ok_or(Malformed)?;
    let (asns, rest) = rest.split_at_checked(usize::from(count) * size.octets()).ok_or(Malformed)?;
    let known = (segment::AS_SET..=segment::AS_CONFED_SET).contains(&kind);
    let has_zero = match size {
        AsSize::Two => asns.as_chunks::<2>().0.contains(&[0; 2]),
        AsSize::Four => asns.as_chunks::<4>().0.contains(&[0; 4]),
    };
    if !known || count == 0 || has_zero {
        return Err(Malformed);
    }
    Ok((Segment { kind, count, asns }, rest))
}

/// Appends an AS_PATH in canonical form.
///
/// `as4_path` is one that [`is_as4_path`] found good; it is merged into a path of two-octet numbers.
pub(crate) fn put(
    value: &[u8],
    size: AsSize,
    confederation: bool,
    as4_path: Option<&[u8]>,
    out: &mut Vec<u8>,
) -> Result<(), Malformed> {
    let start = out.len();
    let mut rest = value;
    while !rest.is_empty() {
        let (segment, tail) = split_segment(rest, size)?;
        if is_confederation(segment.kind) && !confederation {
            return Err(Malformed); // RFC 5065 5, RFC 7606 7.2
        }
        out.extend_from_slice(&[segment.kind, segment.count]);
        match size {
            AsSize::Four => out.extend_from_slice(segment.asns),
            AsSize::Two => {
                for &[high, low] in segment.asns.as_chunks::<2>().0 {
                    out.extend_from_slice(&[0, 0, high, low]);
                }
            }
        }
        rest = tail;
    }
    if let (Some(as4_path), AsSize::Two) = (as4_path, size) {
        merge(start, as4_path, out);
    }
    Ok(())
}

/// Whether the value of an AS4_PATH can be used. Confederation segments in it are passed over later (RFC 6793 6).
pub(crate) fn is_as4_path(value: &[u8]) -> bool {
    let mut rest = value;
    while !rest.is_empty() {
        match split_segment(rest, AsSize::Four) {
            Ok((_, tail)) => rest = tail,
            Err(Malformed) => return false,
        }
    }
    true
}

/// Puts AS4_PATH in the place of the same number of hops at the end of the path that begins at `start`
/// (RFC 6793 4.2.3).
///
/// What is longer in AS_PATH was put in front by speakers that know two octets only, and stays. An AS4_PATH with
/// more hops than AS_PATH is ignored.
fn merge(start: usize, as4_path: &[u8], out: &mut Vec<u8>) {
    let Some(path) = out.get(start..) else { return };
    let hops = AsPath::new(path).hop_count();
    let as4_hops = AsPath::new(as4_path).hop_count();
    let Some(mut leading) = hops.checked_sub(as4_hops) else {
        return;
    };
    let mut merged = Merged { octets: Vec::with_capacity(path.len() + as4_path.len()), last: 0 };
    for found in AsPath::new(path).segments() {
        let kept = match found.kind {
            segment::AS_SEQUENCE => (leading as usize).min(found.count()),
            segment::AS_SET if leading == 0 => break,
            // Adjacent confederation segments belong to what stands in front.
            _ => found.count(),
        };
        if kept == 0 {
            break;
        }
        merged.put(found.kind, found.asns().take(kept));
        leading -= match found.kind {
            segment::AS_SEQUENCE => kept as u32,
            segment::AS_SET => 1,
            _ => 0,
        };
    }
    for found in AsPath::new(as4_path).segments().filter(|s| !is_confederation(s.kind)) {
        merged.put(found.kind, found.asns());
    }
    out.truncate(start);
    out.extend_from_slice(&merged.octets);
}

/// A path that is put together segment by segment.
struct Merged {
    octets: Vec<u8>,
    /// Where the last segment begins.
    last: usize,
}

impl Merged {
    /// Appends a segment, joined to a sequence before it where both fit in one.
    fn put(&mut self, kind: u8, asns: impl Iterator<Item = u32>) {
        let asns: Vec<u32> = asns.collect();
        let last = self.octets.get_mut(self.last..).and_then(|last| last.first_chunk_mut::<2>());
        let joined = last.and_then(|[last_kind, count]| {
            let sum = u8::try_from(asns.len()).ok()?.checked_add(*count)?;
            (*last_kind == kind && kind == segment::AS_SEQUENCE).then(|| *count = sum)
        });
        if joined.is_none() {
            self.last = self.octets.len();
            // From a segment, so at most 255.
            self.octets.extend_from_slice(&[kind, asns.len() as u8]);
        }
        self.octets.extend(asns.iter().flat_map(|asn| asn.to_be_bytes()));
    }
}

/// Appends a canonical path with AS numbers of two octets. Whether a number was too large, so that an AS4_PATH is
/// needed (RFC 6793 4.2.2).
pub(crate) fn narrow(path: &[u8], out: &mut Vec<u8>) -> bool {
    let mut lossy = false;
    for found in AsPath::new(path).segments() {
        out.extend_from_slice(&[found.kind, found.count() as u8]);
        for asn in found.asns() {
            let short = u16::try_from(asn).unwrap_or(AS_TRANS);
            lossy |= u32::from(short) != asn;
            out.extend_from_slice(&short.to_be_bytes());
        }
    }
    lossy
}

/// Appends a canonical path without its confederation segments: the value of an AS4_PATH (RFC 6793 4.2.2).
pub(crate) fn put_as4(path: &[u8], out: &mut Vec<u8>) {
    for found in AsPath::new(path).segments().filter(|s| !is_confederation(s.kind)) {
        out.extend_from_slice(&[found.kind, found.count() as u8]);
        out.extend(found.asns().flat_map(u32::to_be_bytes));
    }
}
