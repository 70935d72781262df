//! The accumulated IGP metric (AIGP, RFC 7311): what a path has cost so far, through more ASes than one.
//!
//! The attribute is a list of TLVs of which one has a meaning. The others are kept as they stand.

/// `aigp` of a channel: what becomes of the attribute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Aigp {
    /// There is no such attribute (1.6).
    #[default]
    Unknown,
    /// It is neither taken nor told.
    Off,
    /// It is both; with our own address as next hop the distance to the route's own one is added.
    On,
    /// Routes that no BGP session gave get one, too, if their distance is known.
    Originate,
}

impl Aigp {
    /// Whether the attribute is taken and told.
    pub const fn is_on(self) -> bool {
        matches!(self, Self::On | Self::Originate)
    }
}

/// A metric so large that there is none.
pub const METRIC_MAX: u64 = u64::MAX;

/// Type of the AIGP TLV (RFC 7311 3).
const METRIC: u8 = 1;
/// Type and length, then the metric.
const METRIC_OCTETS: usize = 11;

/// One TLV, and what stands behind it: its type, its value, its whole length counted in.
fn split_tlv(octets: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[kind, high, low], _) = octets.split_first_chunk::<3>()?;
    let (tlv, rest) = octets.split_at_checked(usize::from(u16::from_be_bytes([high, low])))?;
    Some((kind, tlv.get(3..)?, rest))
}

/// The TLVs of an attribute, whole, with their types; ends early rather than fail.
fn tlvs(mut rest: &[u8]) -> impl Iterator<Item = (u8, &[u8], &[u8])> {
    std::iter::from_fn(move || {
        let (kind, value, tail) = split_tlv(rest)?;
        let whole = rest.get(..rest.len() - tail.len())?;
        rest = tail;
        Some((kind, value, whole))
    })
}

/// Whether the value of an attribute can be read to its end, and a metric in it has its size (RFC 7311 3).
pub fn is_well_formed(value: &[u8]) -> bool {
    let mut octets = 0;
    for (kind, _, whole) in tlvs(value) {
        if kind == METRIC && whole.len() != METRIC_OCTETS {
            return false;
        }
        octets += whole.len();
    }
    octets == value.len()
}

/// The metric in an attribute: the first one counts (RFC 7311 3).
pub fn metric(value: &[u8]) -> Option<u64> {
    let (_, metric, _) = tlvs(value).find(|(kind, ..)| *kind == METRIC)?;
    Some(u64::from_be_bytes(metric.try_into().ok()?))
}

/// An attribute with another metric in place of the first one, its further TLVs as they stand. Of nothing: the metric alone.
pub fn with_metric(value: &[u8], metric: u64) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len() + METRIC_OCTETS);
    let put = |out: &mut Vec<u8>| {
        out.extend_from_slice(&[METRIC, 0, METRIC_OCTETS as u8]);
        out.extend_from_slice(&metric.to_be_bytes());
    };
    let mut is_put = false;
    let mut is_taken = false;
    for (kind, _, whole) in tlvs(value) {
        if kind >= METRIC && !is_put {
            put(&mut out);
            is_put = true;
        }
        if kind == METRIC && !is_taken {
            is_taken = true;
        } else {
            out.extend_from_slice(whole);
        }
    }
    if !is_put {
        put(&mut out);
    }
    out
}

/// What a path costs from here: its metric and the distance to its next hop, at least 1. `None`: the next hop cannot be
/// reached, or nobody knows how far it is.
pub const fn total(metric: u64, distance: Option<u32>) -> u64 {
    match distance {
        None => METRIC_MAX,
        Some(0) => metric.saturating_add(1),
        Some(distance) => metric.saturating_add(distance as u64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEVEN: &[u8] = &[1, 0, 11, 0, 0, 0, 0, 0, 0, 0, 7];
    const OTHER: &[u8] = &[9, 0, 4, 5];

    #[test]
    fn the_first_metric_counts_and_is_the_one_that_is_changed() {
        let two = [OTHER, SEVEN, &with_metric(&[], 8)].concat();
        assert!(is_well_formed(&two));
        assert_eq!(metric(&two), Some(7));
        let changed = with_metric(&two, 20);
        assert!(is_well_formed(&changed));
        assert_eq!((metric(&changed), changed.len()), (Some(20), two.len()));
        assert_eq!(changed, [&with_metric(&[], 20)[..], OTHER, &with_metric(&[], 8)].concat());
        assert_eq!(with_metric(&[], 7), SEVEN);
        assert_eq!(with_metric(OTHER, 7), [SEVEN, OTHER].concat());
        assert_eq!((metric(OTHER), metric(&[])), (None, None));
    }

    #[test]
    fn what_does_not_end_with_its_last_tlv_or_has_a_metric_of_another_size_is_malformed() {
        assert!(is_well_formed(&[]) && is_well_formed(SEVEN) && is_well_formed(OTHER));
        for wrong in
            [&[1][..], &[1, 0, 2], &SEVEN[..10], &[1, 0, 3], &[9, 0, 3, 0], &[1, 0, 12, 0, 0, 0, 0, 0, 0, 0, 7, 7]]
        {
            assert!(!is_well_formed(wrong), "{wrong:?}");
            let _ = (metric(wrong), with_metric(wrong, 1));
        }
    }

    #[test]
    fn a_path_costs_its_metric_and_the_way_to_its_next_hop_which_is_never_nothing() {
        assert_eq!((total(7, Some(3)), total(7, Some(0)), total(7, None)), (10, 8, METRIC_MAX));
        assert_eq!(total(METRIC_MAX - 1, Some(5)), METRIC_MAX);
    }
}
