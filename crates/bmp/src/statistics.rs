//! Statistics reports: how many routes of a neighbour stand where, and what was counted of it.

use crate::{Peer, kind, message, put_peer};
use route::Family;

/// What is counted of a neighbour from the beginning of its session (RFC 7854 4.8).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Prefixes that the import filter rejected.
    pub rejected: u64,
    /// Announcements of what was known as it is.
    pub known: u64,
}

/// How many routes there are of a neighbour in a family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gauges {
    /// The family.
    pub family: Family,
    /// Routes of the neighbour that are kept.
    pub adj_in: u64,
    /// Of these, the best to their prefixes.
    pub best: u64,
    /// Routes that the neighbour has been told (RFC 8671 6.2).
    pub adj_out: u64,
}

/// The types of what a report says, in the order in which it says it.
mod stat {
    pub(super) const REJECTED: u16 = 0;
    pub(super) const KNOWN: u16 = 1;
    pub(super) const ADJ_IN: u16 = 7;
    pub(super) const LOC_RIB: u16 = 8;
    pub(super) const ADJ_IN_OF_FAMILY: u16 = 9;
    pub(super) const LOC_RIB_OF_FAMILY: u16 = 10;
    pub(super) const ADJ_OUT_POST_POLICY: u16 = 15;
    pub(super) const ADJ_OUT_POST_POLICY_OF_FAMILY: u16 = 17;
}

/// A gauge, what it is of all families together, and what it is of one.
type Kind = (u16, u16, fn(&Gauges) -> u64);

const GAUGES: [Kind; 3] = [
    (stat::ADJ_IN, stat::ADJ_IN_OF_FAMILY, |g| g.adj_in),
    (stat::LOC_RIB, stat::LOC_RIB_OF_FAMILY, |g| g.best),
    (stat::ADJ_OUT_POST_POLICY, stat::ADJ_OUT_POST_POLICY_OF_FAMILY, |g| g.adj_out),
];

/// Appends a report of a neighbour, with a row for each of its families. `at_us`: now, microseconds since 1970.
pub fn put_statistics(out: &mut Vec<u8>, peer: &Peer, at_us: u64, counters: Counters, rows: &[Gauges]) {
    const COUNTERS: usize = 2;
    let count = COUNTERS + GAUGES.len() * (1 + rows.len());
    message(out, kind::STATISTICS_REPORT, |out| {
        put_peer(out, peer, 0, at_us);
        out.extend((count as u32).to_be_bytes());
        let Counters { rejected, known } = counters;
        for (kind, value) in [(stat::REJECTED, rejected), (stat::KNOWN, known)] {
            // A counter has 32 bits, and goes round.
            put(out, kind, &(value as u32).to_be_bytes());
        }
        for (of_all, of_one, gauge) in GAUGES {
            put(out, of_all, &rows.iter().map(gauge).sum::<u64>().to_be_bytes());
            for row in rows {
                let mut octets = [0; 11];
                let (family, value) = octets.split_at_mut(3);
                family.copy_from_slice(&family_octets(row.family));
                value.copy_from_slice(&gauge(row).to_be_bytes());
                put(out, of_one, &octets);
            }
        }
    });
}

fn put(out: &mut Vec<u8>, kind: u16, value: &[u8]) {
    out.extend(kind.to_be_bytes());
    out.extend((value.len() as u16).to_be_bytes());
    out.extend(value);
}

/// AFI and SAFI.
fn family_octets(family: Family) -> [u8; 3] {
    const UNICAST: u8 = 1;
    let [high, low] = (family.afi()).to_be_bytes();
    [high, low, UNICAST]
}
