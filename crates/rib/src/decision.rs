//! The decision: which of two paths to one prefix is preferred, and by which step.
//!
//! The steps and their order are those of RFC 4271 9.1.2.2 with BIRD's
//! additions; docs/decision.md says how they were found. This is no total order:
//! MED counts only between routes of one neighbour AS, so three paths can beat
//! each other in a circle, and what is best then depends on who came first. RFC
//! 4271 wants a choice by groups instead; `deterministic med` does that (see
//! `election`). With `prefer older` the path that stands is preferred to the one
//! that comes, so the sides are not alike: `compare` is asked about a
//! *newcomer* against one that *stands*.
//!
//! Whoever must explain a choice asks here; nothing else decides.

use crate::batch::ResolvedHop;
use crate::intern::Facts;
use crate::nexthop::HopId;
use route::attr::code;
use route::{AttrSet, BgpSource, Resolved, Source, SourceKind, aigp};
use std::cmp::Ordering;
use std::fmt;

/// The step of the decision that separates two paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// Rejected by the import filter: never a candidate.
    Filtered,
    /// `preference`, higher wins.
    Preference,
    /// Equal preference, different kinds of protocol.
    Protocol,
    /// Not the best of its neighbour AS (`deterministic med`).
    Group,
    /// The next hop cannot be reached.
    Resolvable,
    /// Long-lived stale (RFC 9494 4.3).
    Stale,
    /// LOCAL_PREF, higher wins.
    LocalPref,
    /// Accumulated IGP metric and the distance to the next hop, lower wins; one that says it over one that does not
    /// (RFC 7311 4.1).
    Aigp,
    /// AS_PATH, shorter wins (RFC 4271 9.1.2.2 a).
    AsPathLength,
    /// ORIGIN, lower wins (b).
    Origin,
    /// MULTI_EXIT_DISC, lower wins among routes of one neighbour AS (c).
    Med,
    /// External wins over internal (d).
    External,
    /// Distance to the next hop, nearer wins (e).
    IgpMetric,
    /// The one that is best already stays (`prefer older`, RFC 5004).
    Older,
    /// BGP identifier, or ORIGINATOR_ID, lower wins (f; RFC 4456 9).
    RouterId,
    /// CLUSTER_LIST, shorter wins (RFC 4456 9).
    ClusterList,
    /// Address of the peer, lower wins (g).
    PeerAddr,
    /// Nothing separates them: the one that was there first stays.
    Tie,
}

impl fmt::Display for Reason {
    /// A few words for the operator.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Filtered => "rejected by the import filter",
            Self::Preference => "lower preference",
            Self::Protocol => "kind of protocol",
            Self::Group => "not the best of its neighbor AS",
            Self::Resolvable => "next hop unreachable",
            Self::Stale => "long-lived stale",
            Self::LocalPref => "lower local preference",
            Self::Aigp => "higher accumulated metric",
            Self::AsPathLength => "longer AS path",
            Self::Origin => "worse origin",
            Self::Med => "higher MED",
            Self::External => "internal",
            Self::IgpMetric => "more distant next hop",
            Self::Older => "newer",
            Self::RouterId => "higher router ID",
            Self::ClusterList => "longer cluster list",
            Self::PeerAddr => "higher peer address",
            Self::Tie => "came later",
        })
    }
}

/// A path as the decision sees it; only valid ones are compared.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate<'a> {
    /// What its attributes say.
    pub(crate) facts: &'a Facts,
    /// Who gave it.
    pub(crate) source: &'a Source,
    /// Where its next hop leads.
    pub(crate) hop: &'a ResolvedHop,
    /// Its accumulated IGP metric, with the distance to the next hop.
    pub(crate) total_metric: u64,
    /// Not the best of its neighbour AS.
    pub(crate) suppressed: bool,
}

/// The AS path length of a route without AS_PATH: longer than any.
const PATH_LENGTH_ABSENT: u32 = 10_000;

/// Compares a path that comes with one that stands: `Less` when the newcomer is preferred.
///
/// `Equal` leaves the one that stands where it is.
pub(crate) fn compare(new: &Candidate<'_>, old: &Candidate<'_>) -> (Ordering, Reason) {
    let (n, o) = (new.facts, old.facts);
    let by_table = differs(Reason::Preference, o.preference.cmp(&n.preference))
        .or_else(|| differs(Reason::Protocol, rank(old.source.kind).cmp(&rank(new.source.kind))));
    let decided = by_table.or_else(|| match (&new.source.bgp, &old.source.bgp) {
        (Some(new_bgp), Some(old_bgp)) => compare_bgp(new, new_bgp, old, old_bgp),
        _ => None,
    });
    decided.unwrap_or((Ordering::Equal, Reason::Tie))
}

/// A path as those see it who read what a table has told.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// Its attributes.
    pub attrs: &'a AttrSet,
    /// Who gave it.
    pub source: &'a Source,
    /// Where packets go.
    pub hop: &'a ResolvedHop,
    /// Not the best of its neighbour AS (`deterministic med`).
    pub suppressed: bool,
}

/// Whether nothing that matters is found against a path beside the best: what only breaks ties is not (`merge paths`).
///
/// Static routes and those of BGP alone are ever as good.
pub fn is_as_good(best: &Seen<'_>, other: &Seen<'_>) -> bool {
    if best.source.kind != other.source.kind || !matches!(best.source.kind, SourceKind::Static | SourceKind::Bgp) {
        return false;
    }
    let facts = |path: &Seen<'_>| Facts::of(path.attrs, HopId(0));
    let total = |path: &Seen<'_>| {
        let metric = path.attrs.get(code::AIGP).and_then(aigp::metric);
        metric.map_or(aigp::METRIC_MAX, |metric| aigp::total(metric, path.hop.distance()))
    };
    let (b, o) = (facts(best), facts(other));
    let Seen { source, hop, suppressed, .. } = *best;
    let stands = Candidate { facts: &b, source, hop, total_metric: total(best), suppressed };
    let Seen { source, hop, suppressed, .. } = *other;
    let comes = Candidate { facts: &o, source, hop, total_metric: total(other), suppressed };
    compare(&comes, &stands).1 >= Reason::Older
}

/// The steps between two BGP routes of equal preference.
fn compare_bgp(
    new: &Candidate<'_>,
    new_bgp: &BgpSource,
    old: &Candidate<'_>,
    old_bgp: &BgpSource,
) -> Option<(Ordering, Reason)> {
    let (n, o) = (new.facts, old.facts);
    let local_pref = |f: &Facts, bgp: &BgpSource| f.local_pref().unwrap_or(bgp.decision.default_local_pref);
    let path_length = |f: &Facts| f.path_length().unwrap_or(PATH_LENGTH_ABSENT);
    let med = |f: &Facts, bgp: &BgpSource| f.med().unwrap_or(bgp.decision.default_med);
    let router_id = |f: &Facts, bgp: &BgpSource| f.originator_id().unwrap_or(bgp.router_id);
    let (new_rules, old_rules) = (&new_bgp.decision, &old_bgp.decision);
    let compares_length = new_rules.path_metric || old_rules.path_metric;
    let compares_med =
        new_rules.med_metric || old_rules.med_metric || neighbor_as(n, new_bgp) == neighbor_as(o, old_bgp);
    let keeps_older = (new_rules.prefer_older || old_rules.prefer_older) && !new_bgp.internal;
    let (new_id, old_id) = (router_id(n, new_bgp), router_id(o, old_bgp));

    differs(Reason::Group, new.suppressed.cmp(&old.suppressed))
        .or_else(|| differs(Reason::Resolvable, is_resolvable(old.hop).cmp(&is_resolvable(new.hop)))) // RFC 4271 9.1.2.1
        .or_else(|| differs(Reason::Stale, n.is_llgr_stale().cmp(&o.is_llgr_stale()))) // RFC 9494 4.3
        .or_else(|| differs(Reason::LocalPref, local_pref(o, old_bgp).cmp(&local_pref(n, new_bgp))))
        .or_else(|| differs(Reason::Aigp, new.total_metric.cmp(&old.total_metric))) // RFC 7311 4.1
        .or_else(|| differs_if(compares_length, Reason::AsPathLength, path_length(n).cmp(&path_length(o)))) // a)
        .or_else(|| differs(Reason::Origin, n.origin.cmp(&o.origin))) // b)
        .or_else(|| differs_if(compares_med, Reason::Med, med(n, new_bgp).cmp(&med(o, old_bgp)))) // c)
        .or_else(|| differs(Reason::External, new_bgp.is_interior().cmp(&old_bgp.is_interior()))) // d), RFC 5065 5.3
        .or_else(|| differs(Reason::IgpMetric, igp_metric(new.hop, new_bgp).cmp(&igp_metric(old.hop, old_bgp)))) // e)
        .or_else(|| differs_if(keeps_older && new_id != old_id, Reason::Older, Ordering::Greater)) // RFC 5004
        .or_else(|| differs(Reason::RouterId, new_id.cmp(&old_id))) // f)
        .or_else(|| differs(Reason::ClusterList, n.cluster_length.cmp(&o.cluster_length))) // RFC 4456 9
        .or_else(|| differs(Reason::PeerAddr, new_bgp.peer_addr.cmp(&old_bgp.peer_addr))) // g)
}

fn differs(reason: Reason, order: Ordering) -> Option<(Ordering, Reason)> {
    order.is_ne().then_some((order, reason))
}

fn differs_if(asked: bool, reason: Reason, order: Ordering) -> Option<(Ordering, Reason)> {
    if asked { differs(reason, order) } else { None }
}

/// The neighbouring AS for MED: the first of the path outside our confederation, else what the session says.
pub(crate) fn neighbor_as(facts: &Facts, bgp: &BgpSource) -> u32 {
    facts.neighbor_as().unwrap_or(bgp.pathless_as)
}

/// Whether packets can be sent there: a gateway or a link, not a way to drop them.
fn is_resolvable(hop: &ResolvedHop) -> bool {
    matches!(hop.to, Resolved::Unicast(_) | Resolved::Multipath(_))
}

/// The distance to the next hop; 0 when it is not recursive, has no way, or the session does not compare it.
fn igp_metric(hop: &ResolvedHop, bgp: &BgpSource) -> u32 {
    if bgp.decision.igp_metric { hop.igp_metric.unwrap_or(0) } else { 0 }
}

/// Which kind of protocol wins at equal preference: the higher rank. Measured, see docs/decision.md.
const fn rank(kind: SourceKind) -> u8 {
    match kind {
        SourceKind::Dummy | SourceKind::Redirect | SourceKind::Rpki | SourceKind::Aggregated => 0,
        SourceKind::Device => 1,
        SourceKind::Bgp => 2,
        SourceKind::Pipe => 3,
        SourceKind::Static | SourceKind::StaticDevice => 4,
        SourceKind::Inherit => 5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intern::Sets;
    use crate::nexthop::Hops;
    use route::attr::code;
    use route::attrs::Local;
    use route::hop::IGP_METRIC_UNKNOWN;
    use route::{AttrSetBuilder, Dest, Hop, IfIndex, ProtocolId, SourceId, Speaker};

    /// A path with everything that a step may read; the best one can be.
    #[derive(Clone)]
    struct Route {
        preference: u32,
        kind: SourceKind,
        bgp: BgpSource,
        suppressed: bool,
        hop: ResolvedHop,
        numbers: Vec<(u8, u32)>,
        as_path: Vec<u32>,
        origin: u8,
        clusters: usize,
        aigp: Option<u64>,
    }

    fn best() -> Route {
        let via = Hop::via("192.0.2.1".parse().unwrap(), IfIndex(1));
        Route {
            preference: 100,
            kind: SourceKind::Bgp,
            bgp: BgpSource::between(
                Speaker { addr: "192.0.2.254".parse().unwrap(), asn: 65000, id: 1 },
                Speaker { addr: "192.0.2.1".parse().unwrap(), asn: 65001, id: 10 },
            ),
            suppressed: false,
            hop: ResolvedHop { to: Resolved::Unicast(via), igp_metric: Some(0), recursive: true },
            numbers: Vec::new(),
            as_path: vec![65001],
            origin: 0,
            clusters: 0,
            aigp: None,
        }
    }

    fn with(change: impl FnOnce(&mut Route)) -> Route {
        let mut route = best();
        change(&mut route);
        route
    }

    fn decide(new: &Route, old: &Route) -> (Ordering, Reason) {
        let (mut sets, mut hops) = (Sets::default(), Hops::default());
        let mut facts = |r: &Route| {
            let mut b = AttrSetBuilder::new(Local::new(r.kind, r.preference, Dest::Blackhole));
            let mut path = vec![2, r.as_path.len() as u8];
            r.as_path.iter().for_each(|a| path.extend_from_slice(&a.to_be_bytes()));
            b.set(code::AS_PATH, if r.as_path.is_empty() { &[] } else { &path });
            b.set(code::ORIGIN, &[r.origin]);
            b.set(code::CLUSTER_LIST, &vec![0; 4 * r.clusters]);
            r.numbers.iter().for_each(|(code, n)| b.set_u32(*code, *n));
            r.aigp.iter().for_each(|metric| b.set(code::AIGP, &route::aigp::with_metric(&[], *metric)));
            let id = sets.intern(&b.build(), &mut hops);
            (*sets.facts(id), sets.total_metric(id, sets.facts(id), &r.hop))
        };
        let (nf, of, ns, os) = (facts(new), facts(old), source(new), source(old));
        fn candidate<'a>((facts, total): &'a (Facts, u64), source: &'a Source, r: &'a Route) -> Candidate<'a> {
            Candidate { facts, source, hop: &r.hop, total_metric: *total, suppressed: r.suppressed }
        }
        compare(&candidate(&nf, &ns, new), &candidate(&of, &os, old))
    }

    fn source(r: &Route) -> Source {
        Source {
            id: SourceId(0),
            protocol: ProtocolId(0),
            protocol_name: "p".into(),
            kind: r.kind,
            path_id: 0,
            bgp: (r.kind == SourceKind::Bgp).then(|| r.bgp.clone()),
        }
    }

    /// Each tried with 1.6.8, `merge paths` on.
    #[test]
    fn a_path_is_as_good_as_the_best_when_only_what_breaks_ties_speaks_against_it() {
        let good = |other: &Route| {
            let attrs = |r: &Route| {
                let mut b = AttrSetBuilder::new(Local::new(r.kind, r.preference, Dest::Blackhole));
                let mut path = vec![2, r.as_path.len() as u8];
                r.as_path.iter().for_each(|a| path.extend_from_slice(&a.to_be_bytes()));
                b.set(code::AS_PATH, &path);
                b.set(code::ORIGIN, &[r.origin]);
                r.numbers.iter().for_each(|(code, n)| b.set_u32(*code, *n));
                b.build()
            };
            let best = best();
            let (ba, oa, bs, os) = (attrs(&best), attrs(other), source(&best), source(other));
            let best = Seen { attrs: &ba, source: &bs, hop: &best.hop, suppressed: false };
            is_as_good(&best, &Seen { attrs: &oa, source: &os, hop: &other.hop, suppressed: other.suppressed })
        };
        assert!(good(&best()));
        assert!(good(&with(|r| r.bgp.router_id = 99)));
        assert!(good(&with(|r| (r.as_path, r.numbers) = (vec![65002], vec![(code::MED, 5)]))));
        assert!(!good(&with(|r| r.numbers = vec![(code::MED, 5)])));
        assert!(!good(&with(
            |r| (r.as_path, r.numbers, r.bgp.decision.med_metric) = (vec![65002], vec![(code::MED, 5)], true)
        )));
        assert!(
            !good(&with(|r| (r.as_path, r.bgp.decision.path_metric) = (vec![65001, 65001], false))),
            "the best compares"
        );
        assert!(!good(&with(|r| r.numbers = vec![(code::COMMUNITY, 0xffff_0006)])));
        assert!(!good(&with(|r| r.suppressed = true)));
        assert!(!good(&with(|r| r.preference = 99)));
        assert!(!good(&with(|r| r.kind = SourceKind::Static)));
    }

    /// A metric that a filter gives may be above what stands for an unknown one (RFC 4271 9.1.2.2 e).
    #[test]
    fn an_unknown_distance_is_nearer_than_the_greatest_ones() {
        let at = |metric| with(|r| r.hop.igp_metric = Some(metric));
        assert_eq!(decide(&at(IGP_METRIC_UNKNOWN + 1), &at(IGP_METRIC_UNKNOWN)).0, Ordering::Greater);
        assert_eq!(decide(&at(IGP_METRIC_UNKNOWN - 1), &at(IGP_METRIC_UNKNOWN)).0, Ordering::Less);
    }

    /// Each path loses against the one before by the step named with it; so it does against all before that.
    #[test]
    fn paths_in_the_order_of_preference_each_with_the_step_that_separates_it_from_the_one_before() {
        let lost = |r: &mut Route| r.hop.to = Resolved::Unreachable;
        let ladder: Vec<(Reason, Route)> = vec![
            (Reason::Tie, with(|r| r.preference = 200)),
            (Reason::Preference, with(|r| r.kind = SourceKind::Inherit)),
            (Reason::Protocol, with(|r| r.kind = SourceKind::Static)),
            (Reason::Protocol, with(|r| r.kind = SourceKind::Pipe)),
            (Reason::Protocol, with(|r| r.numbers = vec![(code::LOCAL_PREF, 200)])),
            (Reason::LocalPref, with(|r| (r.aigp, r.as_path) = (Some(5), vec![65001, 7, 8, 9, 10]))),
            (Reason::Aigp, with(|r| (r.aigp, r.origin) = (Some(9), 2))),
            (Reason::Aigp, best()),
            (Reason::AsPathLength, with(|r| r.as_path = vec![65001, 7])),
            (Reason::Origin, with(|r| (r.as_path, r.origin) = (vec![65001, 7], 1))),
            (Reason::Med, with(|r| (r.as_path, r.origin, r.numbers) = (vec![65001, 7], 1, vec![(code::MED, 1)]))),
            (Reason::AsPathLength, with(|r| r.as_path = vec![65001, 7, 8])),
            (Reason::External, with(|r| (r.as_path, r.bgp.internal) = (vec![65001, 7, 8], true))),
            (
                Reason::IgpMetric,
                with(|r| {
                    (r.as_path, r.bgp.internal) = (vec![65001, 7, 8], true);
                    r.hop.igp_metric = Some(IGP_METRIC_UNKNOWN);
                }),
            ),
            (Reason::AsPathLength, with(|r| r.as_path = vec![65001, 7, 8, 9])),
            (Reason::RouterId, with(|r| (r.as_path, r.bgp.router_id) = (vec![65001, 7, 8, 9], 11))),
            (Reason::ClusterList, with(|r| (r.as_path, r.bgp.router_id, r.clusters) = (vec![65001, 7, 8, 9], 11, 1))),
            (
                Reason::PeerAddr,
                with(|r| {
                    (r.as_path, r.bgp.router_id, r.clusters) = (vec![65001, 7, 8, 9], 11, 1);
                    r.bgp.peer_addr = "192.0.2.2".parse().unwrap();
                }),
            ),
            (Reason::LocalPref, with(|r| r.numbers = vec![(code::LOCAL_PREF, 50)])),
            (Reason::Stale, with(|r| r.numbers = vec![(code::COMMUNITY, 0xffff_0006)])),
            (Reason::Resolvable, with(lost)),
            (Reason::Group, with(|r| r.suppressed = true)),
            (Reason::Protocol, with(|r| r.kind = SourceKind::Device)),
            (Reason::Preference, with(|r| r.preference = 50)),
        ];
        for (i, (reason, worse)) in ladder.iter().enumerate() {
            for (j, (_, better)) in ladder.iter().enumerate().take(i) {
                assert_eq!(decide(worse, better).0, Ordering::Greater, "{i} against {j}");
                assert_eq!(decide(better, worse).0, Ordering::Less, "{j} against {i}");
                if j + 1 == i {
                    assert_eq!(decide(worse, better).1, *reason, "{i} against {j}");
                }
            }
        }
        assert_eq!(decide(&best(), &best()), (Ordering::Equal, Reason::Tie));
    }

    #[test]
    fn med_counts_between_routes_of_one_neighbor_as_or_where_it_is_a_metric() {
        let med = |asn: u32, med| with(|r| (r.as_path, r.numbers) = (vec![asn], vec![(code::MED, med)]));
        assert_eq!(decide(&med(1, 5), &med(1, 3)), (Ordering::Greater, Reason::Med));
        assert_eq!(decide(&med(1, 5), &med(2, 3)), (Ordering::Equal, Reason::Tie));
        let mut metric = med(1, 5);
        metric.bgp.decision.med_metric = true;
        assert_eq!(decide(&metric, &med(2, 3)), (Ordering::Greater, Reason::Med));
        // An empty path: the peer's own AS is the neighbour.
        let empty = with(|r| (r.as_path, r.bgp.pathless_as, r.numbers) = (vec![], 9, vec![(code::MED, 5)]));
        let nine =
            with(|r| (r.as_path, r.bgp.decision.path_metric, r.numbers) = (vec![9], false, vec![(code::MED, 3)]));
        assert_eq!(
            decide(
                &with(|r| {
                    *r = empty.clone();
                    r.bgp.decision.path_metric = false
                }),
                &nine
            )
            .1,
            Reason::Med
        );
    }

    #[test]
    fn what_stands_stays_where_older_is_preferred_unless_both_are_of_one_router() {
        let older = |id| with(|r| (r.bgp.decision.prefer_older, r.bgp.router_id) = (true, id));
        assert_eq!(decide(&older(1), &older(2)), (Ordering::Greater, Reason::Older));
        assert_eq!(decide(&older(2), &older(1)), (Ordering::Greater, Reason::Older));
        let other = with(|r| r.bgp.peer_addr = "192.0.2.9".parse().unwrap());
        assert_eq!(decide(&best(), &other), (Ordering::Less, Reason::PeerAddr));
    }

    /// RFC 7311 4.1, and what 2.0.12 makes of it.
    #[test]
    fn the_accumulated_metric_has_the_distance_to_the_next_hop_added_and_is_none_where_that_is_unknown() {
        let aigp = |metric, far| with(|r| (r.aigp, r.hop.igp_metric) = (Some(metric), Some(far)));
        assert_eq!(decide(&aigp(5, 10), &aigp(11, 5)), (Ordering::Less, Reason::Aigp));
        // Nothing and 1 are one distance there, and two where distances themselves are compared.
        assert_eq!(decide(&aigp(5, 0), &aigp(5, 1)), (Ordering::Less, Reason::IgpMetric));
        assert_eq!(decide(&aigp(5, IGP_METRIC_UNKNOWN), &best()), (Ordering::Greater, Reason::IgpMetric));
        assert_eq!(decide(&aigp(u64::MAX - 3, 0), &best()), (Ordering::Less, Reason::Aigp));
    }

    /// RFC 5065 5.3: what another member gives is as internal as what our own AS gives, and older ones stay.
    #[test]
    fn a_member_of_our_confederation_is_no_external_neighbour_of_the_decision() {
        let member = with(|r| (r.bgp.confederation, r.bgp.pathless_as) = (true, 65000));
        let internal = with(|r| (r.bgp.internal, r.bgp.router_id) = (true, 11));
        assert_eq!(decide(&member, &best()), (Ordering::Greater, Reason::External));
        assert_eq!(decide(&member, &internal), (Ordering::Less, Reason::RouterId));
        let older =
            |id| with(|r| (r.bgp.confederation, r.bgp.decision.prefer_older, r.bgp.router_id) = (true, true, id));
        assert_eq!(decide(&older(1), &older(2)), (Ordering::Greater, Reason::Older));
    }

    #[test]
    fn originator_id_stands_for_the_router_id_and_defaults_for_what_is_absent() {
        let reflected = with(|r| r.numbers = vec![(code::ORIGINATOR_ID, 5)]);
        assert_eq!(decide(&reflected, &best()), (Ordering::Less, Reason::RouterId));
        let preferred = with(|r| r.bgp.decision.default_local_pref = 300);
        assert_eq!(decide(&preferred, &best()), (Ordering::Less, Reason::LocalPref));
    }
}
