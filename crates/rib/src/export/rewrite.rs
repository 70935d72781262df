//! A route rewritten for a neighbour, and made ready for the wire.
//!
//! [`rewrite`] does what the export filter may see: own AS, next hop, MED,
//! reflection. [`finish`] comes last and does what no filter sees: attributes
//! that do not leave the AS go, unknown ones get the Partial bit, communities are
//! sorted as BIRD sends them.

use super::judge::Offer;
use super::key::{GroupKey, LinkLocalFormat, MissingLladdr};
use filter::Policy;
use filter::run::Written;
use route::aigp::{self, Aigp};
use route::attr::{self, code, origin};
use route::attrs::{LocalAttr, LocalValue};
use route::hop::IGP_METRIC_UNKNOWN;
use route::{AsPath, AttrSetBuilder, Hop, IfIndex, Ifaces, Resolved, Role, SourceKind, Within, aspath::segment};
use std::net::{IpAddr, Ipv6Addr};

/// Rewrites a route for the neighbours that the key describes. `written`: what the export filter has set, if it comes
/// before.
pub(super) fn rewrite(work: &mut AttrSetBuilder, key: &GroupKey, offer: &Offer<'_>, written: Written, ifaces: &Ifaces) {
    if offer.source.bgp.is_none() {
        make_bgp(work, key);
    }
    // What the filter sets counts as the operator's word, also when it stood there (BIRD 2: "fresh").
    let is_set_by_filter = |code| !key.rewrite_before_filter && written.has(code);
    rewrite_path(work, key, offer);
    if !key.is_interior() && !key.rs_client {
        // RFC 4271 5.1.4: a MED from a neighbouring AS MUST NOT be propagated to another one. BIRD 1.6 sends 0 in its
        // place, BIRD 2 none, wherever the route comes from, unless the export filter has set one.
        let is_ours = key.med_to_external || is_set_by_filter(code::MED);
        if !is_ours && !key.rewrite_before_filter {
            work.unset(code::MED);
        } else if !is_ours && offer.source.bgp.is_some() && work.get(code::MED).is_some() {
            work.set_u32(code::MED, 0);
        }
    }
    let is_set = is_set_by_filter(code::NEXT_HOP);
    if rewrite_next_hop(work, key, offer, is_set, ifaces) == Told::Own && key.aigp.is_on() {
        accumulate(work, key, offer);
    }
    let reflected =
        offer.source.bgp.as_ref().filter(|from| from.internal && key.internal && from.local_as == key.local_as);
    if let Some(from) = reflected {
        // RFC 4456 8: ORIGINATOR_ID is made by the first reflector and kept by the others.
        if work.get(code::ORIGINATOR_ID).is_none() {
            work.set_u32(code::ORIGINATOR_ID, from.router_id);
        }
        // RFC 4456 8: "it MUST prepend the local CLUSTER_ID to the CLUSTER_LIST".
        let entered = if from.rr_client { from.cluster_id } else { key.cluster_id };
        prepend_cluster(work, entered);
        if from.rr_client && key.rr_client && from.cluster_id != key.cluster_id {
            prepend_cluster(work, key.cluster_id);
        }
    }
    if key.is_interior() && work.get(code::LOCAL_PREF).is_none() {
        work.set_u32(code::LOCAL_PREF, key.default_local_pref);
    }
}

/// AS_PATH by RFC 4271 5.1.2 and RFC 5065 4: inside our AS as it is, to another one of our confederation with our AS
/// in a segment of the confederation, to others with our AS (or the confederation's) and without such segments.
fn rewrite_path(work: &mut AttrSetBuilder, key: &GroupKey, offer: &Offer<'_>) {
    // None but sessions inside a confederation bring segments of one.
    let may_have = offer.source.bgp.as_ref().is_some_and(|from| from.confederation);
    if may_have && !key.confederation {
        let path = AsPath::new(work.get(code::AS_PATH).unwrap_or_default());
        if path.has_confederation() {
            let path = path.without_confederation();
            work.set(code::AS_PATH, &path);
        }
    }
    // BIRD 1.6: a route server's own routes have its AS.
    let is_own = key.rewrite_before_filter && offer.source.bgp.is_none();
    if !key.internal && (!key.rs_client || is_own) {
        let kind = if key.confederation { segment::AS_CONFED_SEQUENCE } else { segment::AS_SEQUENCE };
        let path = AsPath::new(work.get(code::AS_PATH).unwrap_or_default()).prepended(kind, key.local_as);
        work.set(code::AS_PATH, &path);
    }
}

/// The attributes that every BGP route has, for one that comes from elsewhere.
///
/// BIRD 1.6 makes them anew whatever an import filter has set; BIRD 2 makes those that are missing.
fn make_bgp(work: &mut AttrSetBuilder, key: &GroupKey) {
    let anew = key.rewrite_before_filter;
    if anew || work.get(code::ORIGIN).is_none() {
        work.set(code::ORIGIN, &[origin::IGP]);
    }
    if anew || work.get(code::AS_PATH).is_none() {
        work.set(code::AS_PATH, &[]);
    }
    if anew {
        work.unset(code::NEXT_HOP);
        work.set_u32(code::LOCAL_PREF, key.default_local_pref);
    }
}

/// The next hop that a neighbour is told.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    /// Our own address: packets come to us.
    Own,
    /// Another one.
    Other,
}

/// AIGP of a route that leads through us (RFC 7311 3.4.3): the distance to its next hop is added. One that no BGP
/// session gave begins with its own distance where the operator says so (3.4.1).
fn accumulate(work: &mut AttrSetBuilder, key: &GroupKey, offer: &Offer<'_>) {
    let received = work.get(code::AIGP);
    let is_ours = key.aigp == Aigp::Originate && offer.attrs.local().kind != SourceKind::Bgp;
    let total = match received.and_then(aigp::metric) {
        Some(metric) => Some(aigp::total(metric, offer.hop.distance())),
        None if is_ours => own_distance(work, key, offer).map(u64::from),
        None => None,
    };
    if let Some(total) = total {
        let value = aigp::with_metric(received.unwrap_or_default(), total);
        work.set(code::AIGP, &value);
    }
}

/// How far the network of a route is that no BGP session gave: what a filter has set, nothing on a link.
fn own_distance(work: &AttrSetBuilder, key: &GroupKey, offer: &Offer<'_>) -> Option<u32> {
    // Nothing but a filter brings the local part into the work.
    let local = if matches!(key.policy, Policy::Filter(_)) { &work.local } else { offer.attrs.local() };
    match local.extra(LocalAttr::IgpMetric) {
        Some(LocalValue::Int(metric)) => Some(*metric).filter(|metric| *metric < IGP_METRIC_UNKNOWN),
        _ => (offer.source.kind == SourceKind::Device).then_some(0),
    }
}

/// NEXT_HOP by RFC 4271 5.1.3 and `next hop self|keep`: as received, the route's own gateway, or our address.
/// `is_set`: the export filter has set it.
fn rewrite_next_hop(
    work: &mut AttrSetBuilder,
    key: &GroupKey,
    offer: &Offer<'_>,
    is_set: bool,
    ifaces: &Ifaces,
) -> Told {
    let (rules, giver) = (&key.next_hop, offer.source.bgp.as_ref());
    if rules.own.has(giver) {
        return set_own_next_hop(work, key);
    }
    let keep = rules.keep.has(giver);
    let received = work.get(code::NEXT_HOP).and_then(route::attrs::next_hop);
    if let Some((addr, _)) = received {
        let is_good = rules.fits(key.family, addr)
            && ((key.is_interior() && !addr.is_unspecified()) || is_from_link(key, offer))
            && !giver.is_some_and(|from| key.within.is_apart_from(from.within));
        if keep || is_set || is_good {
            return Told::Other;
        }
        if key.rewrite_before_filter {
            return set_own_next_hop(work, key);
        }
    }
    let Resolved::Unicast(Hop { gateway: Some(gateway), iface, .. }) = offer.hop.to else {
        return set_own_next_hop(work, key);
    };
    // BIRD 1.6 keeps a gateway too when it is to keep next hops.
    let may_say = key.is_interior() || is_link(key, iface) || (keep && key.rewrite_before_filter);
    if is_global(gateway) && may_say && rules.fits(key.family, gateway) && is_within(key, iface, ifaces) {
        set_next_hop(work, gateway, None);
        Told::Other
    } else {
        set_own_next_hop(work, key)
    }
}

/// Whether a received next hop is as good for the neighbour as for us, both being on one link: the link by which
/// packets leave (1.6), or that of the session which gave the route (2).
fn is_from_link(key: &GroupKey, offer: &Offer<'_>) -> bool {
    let link = match (&offer.hop.to, &offer.source.bgp) {
        (_, Some(from)) if !key.rewrite_before_filter => from.link,
        (Resolved::Unicast(hop), _) if key.rewrite_before_filter => hop.iface,
        _ => return false,
    };
    is_link(key, link)
}

/// Whether it is the link on which the neighbour lies: then it can send packets there itself.
fn is_link(key: &GroupKey, link: IfIndex) -> bool {
    key.link != IfIndex(0) && key.link == link
}

/// Whether a link is in the VRF of the neighbour, which may be none.
fn is_within(key: &GroupKey, link: IfIndex, ifaces: &Ifaces) -> bool {
    key.within == Within::Machine || ifaces.get(link).is_none_or(|link| key.within == Within::Vrf(link.vrf()))
}

fn is_global(addr: IpAddr) -> bool {
    match addr {
        IpAddr::V4(a) => !a.is_unspecified(),
        IpAddr::V6(a) => !a.is_unspecified() && !a.is_unicast_link_local(),
    }
}

fn set_own_next_hop(work: &mut AttrSetBuilder, key: &GroupKey) -> Told {
    set_next_hop(work, key.local_addr, key.local_link_local);
    Told::Own
}

fn set_next_hop(work: &mut AttrSetBuilder, global: IpAddr, link_local: Option<Ipv6Addr>) {
    match (global, link_local) {
        (IpAddr::V4(a), _) => work.set(code::NEXT_HOP, &a.octets()),
        (IpAddr::V6(a), None) => work.set(code::NEXT_HOP, &a.octets()),
        (IpAddr::V6(a), Some(ll)) => {
            let mut both = [0; 32];
            both[..16].copy_from_slice(&a.octets());
            both[16..].copy_from_slice(&ll.octets());
            work.set(code::NEXT_HOP, &both);
        }
    }
}

fn prepend_cluster(work: &mut AttrSetBuilder, cluster_id: u32) {
    let mut list = cluster_id.to_be_bytes().to_vec();
    list.extend_from_slice(work.get(code::CLUSTER_LIST).unwrap_or_default());
    work.set(code::CLUSTER_LIST, &list);
}

/// Makes a rewritten and accepted route ready for the wire. `Err`: why it cannot be told, in BIRD's words. So is what comes
/// with `Ok`: the route counts as told, but it is left without a next hop, and so it stays untold.
pub(super) fn finish(
    work: &mut AttrSetBuilder,
    key: &GroupKey,
    ifaces: &Ifaces,
) -> Result<Option<&'static str>, String> {
    let mut skipped = None;
    for mandatory in [code::ORIGIN, code::AS_PATH] {
        if work.get(mandatory).is_none() {
            let name = attr::by_code(mandatory).map_or("?", |a| a.name);
            return Err(format!("Mandatory attribute {name} missing"));
        }
    }
    let Some((next_hop, link_local)) = work.get(code::NEXT_HOP).and_then(route::attrs::next_hop) else {
        return Err("Invalid NEXT_HOP attribute".into());
    };
    // We have no address of this family on the link, and the route none that the neighbour could use.
    if next_hop.is_unspecified() && link_local.is_none() {
        return Err("Invalid NEXT_HOP attribute".into());
    }
    if !key.next_hop.fits(key.family, next_hop) {
        let family = key.family.word();
        return Err(format!("Invalid NEXT_HOP attribute - mismatched address family ({next_hop} for {family})"));
    }
    match (next_hop.is_unspecified(), link_local) {
        (true, Some(link_local)) => format_link_local(work, key, link_local),
        _ if next_hop.is_ipv4() || key.missing_lladdr == MissingLladdr::Untouched => {}
        _ => skipped = finish_link_local(work, key, ifaces, next_hop, link_local),
    }
    if !key.is_interior() && !key.allow_local_pref {
        work.unset(code::LOCAL_PREF);
    }
    if !key.internal {
        work.unset(code::ORIGINATOR_ID);
        work.unset(code::CLUSTER_LIST);
    }
    // RFC 9234 5: what goes down or to a peer is for customers only from here on.
    if key.role.is_some_and(Role::looks_down) && work.get(code::ONLY_TO_CUSTOMER).is_none() {
        work.set_u32(code::ONLY_TO_CUSTOMER, key.local_as);
    }
    finish_unknown(work, key.aigp);
    if !key.is_interior() {
        drop_non_transitive(work);
    }
    for (list, size) in [(code::COMMUNITY, 4), (code::EXT_COMMUNITY, 8), (code::LARGE_COMMUNITY, 12)] {
        sort_members(work, list, size);
    }
    Ok(skipped)
}

/// A next hop that has a link-local address alone, in the shape that the neighbour knows.
fn format_link_local(work: &mut AttrSetBuilder, key: &GroupKey, link_local: Ipv6Addr) {
    match key.next_hop.link_local {
        LinkLocalFormat::Native => {}
        LinkLocalFormat::Single => work.set(code::NEXT_HOP, &link_local.octets()),
        LinkLocalFormat::Double => set_next_hop(work, link_local.into(), Some(link_local)),
    }
}

/// The link-local half of an IPv6 next hop goes to a neighbour on that link and to nobody else (RFC 2545 3). Says why the
/// route is left without a next hop, if it is.
fn finish_link_local(
    work: &mut AttrSetBuilder,
    key: &GroupKey,
    ifaces: &Ifaces,
    next_hop: IpAddr,
    link_local: Option<Ipv6Addr>,
) -> Option<&'static str> {
    if next_hop == key.local_addr {
        set_own_next_hop(work, key);
        return None;
    }
    let shared = key.link != IfIndex(0) && ifaces.neighbor(next_hop).is_some_and(|(link, _)| link.index == key.link);
    if !shared {
        set_next_hop(work, next_hop, None);
        return None;
    }
    match (link_local, key.missing_lladdr) {
        (Some(_), _) | (None, MissingLladdr::Ignore | MissingLladdr::Untouched) => {}
        (None, MissingLladdr::SelfAddr) => {
            set_own_next_hop(work, key);
        }
        (None, MissingLladdr::Drop) => {
            work.unset(code::NEXT_HOP);
            return Some("Missing link-local next hop address");
        }
    }
    None
}

/// Unknown attributes: transitive ones are passed on with the Partial bit, others are not (RFC 4271 5). AIGP is one
/// of the others for a neighbour that is to hear none.
fn finish_unknown(work: &mut AttrSetBuilder, aigp: Aigp) {
    let is_unknown = |code: u8| attr::by_code(code).is_none() || (code == code::AIGP && !aigp.is_on());
    let unknown: Vec<(u8, u8, Vec<u8>)> = route::attrs::Records::new(work.octets())
        .filter(|r| is_unknown(r.code))
        .map(|r| (r.flags, r.code, r.value.to_vec()))
        .collect();
    for (flags, code, value) in unknown {
        if flags & attr::FLAG_TRANSITIVE == 0 {
            work.unset(code);
        } else {
            work.set_with_flags(flags | attr::FLAG_PARTIAL, code, &value);
        }
    }
}

/// Extended communities that are not transitive stay within the AS (RFC 4360 6).
fn drop_non_transitive(work: &mut AttrSetBuilder) {
    const NOT_TRANSITIVE: u8 = 0x40;
    let stays = |c: &&[u8]| c.first().is_some_and(|kind| kind & NOT_TRANSITIVE != 0);
    let Some(value) = work.get(code::EXT_COMMUNITY) else { return };
    if value.chunks(8).any(|c| stays(&c)) {
        let kept: Vec<u8> = value.chunks(8).filter(|c| !stays(c)).flatten().copied().collect();
        work.set(code::EXT_COMMUNITY, &kept);
    }
}

/// Sorts the members of a set-valued attribute; an empty one is not sent.
fn sort_members(work: &mut AttrSetBuilder, code: u8, size: usize) {
    let Some(value) = work.get(code) else { return };
    if value.is_empty() {
        return work.unset(code);
    }
    if value.chunks(size).is_sorted() {
        return;
    }
    let mut members: Vec<&[u8]> = value.chunks(size).collect();
    members.sort_unstable();
    let sorted = members.concat();
    work.set(code, &sorted);
}
