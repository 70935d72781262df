//! What follows from a peer's options: the options of its machine, what it announces, its export group, and BIRD's words.

use super::{NextHopRules, PeerChannel, PeerSpec, RestartMode};
use crate::dynamic::Dynamic;
use filter::Policy;
use fsm::{Negotiated, Required};
use rib::batch::{ChannelSpec, Generation};
use rib::export::{GroupKey, MemberSpec};
use rib::trace::Tracing;
use route::iface::{IfaceAddr, Scope};
use route::{BgpSource, Family, IfIndex, Ifaces, Moment, Role, Source, SourceId, SourceKind, Within};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use wire::capability::{AddPath, GracefulRestart, LongLivedFamily};
use wire::{Capabilities, PerFamily, UpdateContext};

/// What the machine reads of the options. `restarting`: our own graceful restart is going on.
pub(super) fn machine_config(spec: &PeerSpec, restarting: bool) -> fsm::Config {
    fsm::Config {
        peer_addr: spec.peer_addr,
        local_as: spec.public_as(),
        peer_as: if spec.any_external { 0 } else { spec.peer_as },
        router_id: spec.router_id,
        capabilities: spec.offer.capabilities.then(|| capabilities(spec, restarting)),
        passive: spec.passive || spec.dynamic != Dynamic::No,
        times: spec.times,
        disable_after_error: spec.disable_after_error,
        disable_after_cease: spec.disable_after_cease,
        restart_helper: spec.offer.graceful_restart != RestartMode::Off,
        long_lived_helper: spec.offer.long_lived != RestartMode::Off,
        long_lived_bounds_s: stale_bounds(spec),
        required: required(spec),
        terms: spec.terms.clone(),
    }
}

fn stale_bounds(spec: &PeerSpec) -> PerFamily<(u32, u32)> {
    let mut bounds = PerFamily { ipv4: (0, u32::MAX), ipv6: (0, u32::MAX) };
    for channel in &spec.channels {
        *bounds.get_mut(channel.family) = channel.restart.stale_bounds_s;
    }
    bounds
}

/// What channels ask of the neighbour.
fn required(spec: &PeerSpec) -> Required {
    let of = |asks: fn(&PeerChannel) -> bool| spec.channels.iter().filter(move |c| asks(c)).map(|c| c.family);
    Required {
        families: of(|c| c.mandatory).collect(),
        extended_next_hop: of(|c| c.require_extended_next_hop).any(|f| f == Family::Ipv4),
        add_paths: of(|c| c.require_add_paths).collect(),
    }
}

/// What we announce (RFC 5492). Nothing that we do not do.
fn capabilities(spec: &PeerSpec, restarting: bool) -> Capabilities {
    let all: Vec<Family> = spec.channels.iter().map(|c| c.family).collect();
    let told = |f: &&Family| **f != Family::Ipv4 || spec.offer.advertise_ipv4;
    let families: Vec<Family> = all.iter().filter(told).copied().collect();
    let add_path = |c: &&PeerChannel| c.add_paths_rx || c.add_paths_tx;
    let row = |c: &PeerChannel| AddPath { family: c.family, receive: c.add_paths_rx, send: c.add_paths_tx };
    let add_paths = spec.channels.iter().filter(add_path).map(row).collect();
    Capabilities {
        multiprotocol: !families.is_empty(),
        families,
        route_refresh: spec.offer.route_refresh,
        extended_next_hop: extended_next_hop(spec).collect(),
        extended_messages: spec.offer.extended_messages,
        graceful_restart: restart_capability(spec, restarting),
        as4: spec.offer.as4.then(|| spec.public_as()),
        add_paths,
        enhanced_refresh: spec.offer.route_refresh && spec.offer.enhanced_refresh,
        long_lived: long_lived_capability(spec, restarting),
        roles: spec.role().map(Role::code).into_iter().collect(),
        hostname: spec.hostname.as_deref().map(Into::into),
        unknown: Vec::new(),
    }
}

/// Families whose IPv6 next hops are announced by a capability: there is none for IPv6 routes.
fn extended_next_hop(spec: &PeerSpec) -> impl Iterator<Item = Family> {
    let able = spec.channels.iter().filter(|c| c.next_hop.any_family);
    able.map(|c| c.family).filter(|f| *f == Family::Ipv4)
}

/// Whether routes of this channel may have next hops of the other family, in this session.
fn any_family(channel: &PeerChannel, negotiated: &Negotiated) -> bool {
    channel.next_hop.any_family && (channel.family == Family::Ipv6 || negotiated.extended_next_hop)
}

/// RFC 4724 3: a helper announces no family (and in BIRD 2 a time, which means nothing then); who can restart names its
/// time, and after a restart that the kernel still has the routes.
fn restart_capability(spec: &PeerSpec, restarting: bool) -> Option<GracefulRestart> {
    if spec.offer.graceful_restart == RestartMode::Off {
        return None;
    }
    let able = spec.channels.iter().filter(|c| c.restart.able);
    let families: Vec<_> = able.map(|c| (c.family, restarting)).collect();
    let can_restart = !families.is_empty();
    let time_s = if can_restart || spec.offer.helper_names_time { spec.offer.graceful_restart_time_s } else { 0 };
    Some(GracefulRestart { restarting: restarting && can_restart, time_s: time_s.min(4095), families })
}

fn long_lived_capability(spec: &PeerSpec, restarting: bool) -> Option<Vec<LongLivedFamily>> {
    let row = |c: &PeerChannel| LongLivedFamily {
        family: c.family,
        forwarding: restarting,
        stale_time_s: c.restart.stale_time_s.min(0xff_ffff),
    };
    let able = spec.channels.iter().filter(|c| c.restart.long_lived);
    (spec.offer.long_lived != RestartMode::Off).then(|| able.map(row).collect())
}

/// How this session's UPDATEs are to be read.
pub(super) fn update_context(spec: &PeerSpec, negotiated: &Negotiated) -> UpdateContext {
    let each = |list: &[Family]| PerFamily { ipv4: list.contains(&Family::Ipv4), ipv6: list.contains(&Family::Ipv6) };
    let able: Vec<_> = spec.channels.iter().filter(|c| any_family(c, negotiated)).map(|c| c.family).collect();
    UpdateContext {
        as4: negotiated.as4,
        extended_next_hop: each(&able),
        add_path_rx: each(&negotiated.add_path_rx),
        families: each(&negotiated.families),
        internal: spec.is_internal(),
        confederation: spec.is_confederated(),
        local_pref_allowed: spec.rules.allow_local_pref,
        recent_attributes: !spec.rules.rewrite_before_filter,
    }
}

/// What a table must know of a channel.
pub(super) fn channel_spec(channel: &PeerChannel) -> ChannelSpec {
    let late_filter = match &channel.import {
        Policy::Filter(filter) if filter.inputs.resolved => Some(std::sync::Arc::clone(filter)),
        _ => None,
    };
    ChannelSpec {
        family: channel.family,
        late_filter,
        keep_filtered: channel.keep_filtered,
        receive_limit: channel.receive_limit,
        import_limit: channel.import_limit,
    }
}

/// Where a session runs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// Our address, as the operator sees it: the configured one, or that of the link, or of the connection.
    pub(super) local: IpAddr,
    /// The neighbour's link; 0 for a multihop session.
    pub(super) link: IfIndex,
    /// Our link-local address there.
    pub(super) link_local: Option<Ipv6Addr>,
    /// Our address of the other family, on the link where the first one is: next hop of that family's routes.
    pub(super) other: Option<IpAddr>,
    /// The VRF in which the protocol keeps.
    pub(super) within: Within,
}

impl Place {
    /// Where the session with this address of ours runs now.
    pub(super) fn new(local: IpAddr, link: IfIndex, ifaces: &Ifaces) -> Self {
        let of = ifaces.iter().find(|l| l.addrs.iter().any(|a| a.addr == local));
        let usable = |a: &&IfaceAddr| a.addr.is_ipv4() != local.is_ipv4() && !a.secondary && a.scope > Scope::Link;
        let other = of.and_then(|l| l.addrs.iter().filter(usable).map(|a| a.addr).min());
        Self { local, link, link_local: link_local_on(ifaces, link), other, within: ifaces.within() }
    }

    /// Our address as a next hop of a family; the unspecified one when there is none.
    fn of(&self, family: Family) -> IpAddr {
        if Family::of(self.local) == family {
            return self.local;
        }
        self.other.unwrap_or(match family {
            Family::Ipv4 => Ipv4Addr::UNSPECIFIED.into(),
            Family::Ipv6 => Ipv6Addr::UNSPECIFIED.into(),
        })
    }
}

/// Our link-local address on a link.
pub(super) fn link_local_on(ifaces: &Ifaces, link: IfIndex) -> Option<Ipv6Addr> {
    let link = ifaces.get(link)?;
    link.addrs.iter().find_map(|a| match a.addr {
        IpAddr::V6(a) if a.is_unicast_link_local() => Some(a),
        _ => None,
    })
}

/// What decision, export and display read of this session.
pub(super) fn source(spec: &PeerSpec, id: SourceId, negotiated: &Negotiated, place: Place, now: Moment) -> Source {
    Source {
        id,
        protocol: spec.protocol,
        protocol_name: std::sync::Arc::clone(&spec.name),
        kind: SourceKind::Bgp,
        path_id: 0,
        bgp: Some(BgpSource {
            peer_addr: spec.peer_addr,
            local_addr: place.local,
            local_as: spec.local_as,
            peer_as: spec.peer_as,
            router_id: negotiated.peer.router_id,
            internal: spec.is_internal(),
            confederation: spec.is_confederated(),
            pathless_as: pathless_as(spec),
            rr_client: spec.rr_client,
            cluster_id: spec.cluster_id,
            rs_client: spec.rs_client,
            decision: spec.decision,
            link: place.link,
            within: place.within,
            established: now,
        }),
    }
}

/// The neighbouring AS of a path that names none: of one that stays inside our confederation the confederation.
fn pathless_as(spec: &PeerSpec) -> u32 {
    let own = if spec.rules.pathless_is_ours { spec.local_as } else { spec.peer_as };
    spec.confederation.map_or(own, |c| c.id)
}

/// Everything that this neighbour's export reads.
pub(super) fn group_key(spec: &PeerSpec, channel: &PeerChannel, negotiated: &Negotiated, place: Place) -> GroupKey {
    let caps = negotiated.peer.capabilities.as_ref();
    let any_family = any_family(channel, negotiated);
    GroupKey {
        family: channel.family,
        policy: channel.export.clone(),
        rewrite_before_filter: spec.rules.rewrite_before_filter,
        secondary: channel.secondary,
        add_path: negotiated.add_path_tx.contains(&channel.family),
        local_as: spec.public_as(),
        internal: spec.is_internal(),
        confederation: spec.is_confederated(),
        local_addr: own_next_hop(spec, channel, place, any_family),
        local_link_local: place.link_local,
        link: place.link,
        within: if spec.rules.rewrite_before_filter { Within::Machine } else { place.within },
        next_hop: NextHopRules { any_family, ..channel.next_hop },
        missing_lladdr: channel.missing_lladdr,
        rr_client: spec.rr_client,
        cluster_id: spec.cluster_id,
        rs_client: spec.rs_client,
        interpret_communities: spec.rules.interpret_communities,
        allow_local_pref: spec.rules.allow_local_pref,
        default_local_pref: spec.decision.default_local_pref,
        aigp: channel.aigp,
        med_to_external: spec.rules.med_to_external,
        as4: negotiated.as4,
        extended_messages: negotiated.extended_messages,
        llgr_aware: caps.is_some_and(|c| c.long_lived.is_some()),
        role: spec.role(),
        exact: channel.export_table,
    }
}

/// What is told as our own next hop. BIRD 2 tells a link-local address only as the second half.
fn own_next_hop(spec: &PeerSpec, channel: &PeerChannel, place: Place, any_family: bool) -> IpAddr {
    let by_itself = || if any_family { place.local } else { place.of(channel.family) };
    match channel.next_hop_address.unwrap_or_else(by_itself) {
        IpAddr::V6(a) if a.is_unicast_link_local() && !spec.rules.rewrite_before_filter => Ipv6Addr::UNSPECIFIED.into(),
        addr => addr,
    }
}

/// A member of an export group.
pub(super) fn member(spec: &PeerSpec, channel: &PeerChannel, generation: Generation) -> MemberSpec {
    MemberSpec {
        protocol: spec.protocol,
        name: std::sync::Arc::clone(&spec.name),
        channel: channel.channel,
        generation,
        peer_addr: spec.peer_addr,
        export_limit: channel.export_limit,
        tracing: tracing(spec, channel),
    }
}

/// Which lines are wanted about what a channel tells.
pub(super) fn tracing(spec: &PeerSpec, channel: &PeerChannel) -> Tracing {
    Tracing::outwards(spec.debug, channel.debug, spec.voice, channel.family.word())
}

/// `Neighbor caps`, BIRD's words in BIRD's order.
pub(super) fn caps_words(negotiated: &Negotiated) -> Vec<&'static str> {
    let none = Capabilities::default();
    let caps = negotiated.peer.capabilities.as_ref().unwrap_or(&none);
    let restart = match &caps.graceful_restart {
        Some(restart) if restart.families.is_empty() => Some("restart-aware"),
        Some(_) => Some("restart-able"),
        None => None,
    };
    let long_lived = match &caps.long_lived {
        Some(families) if families.is_empty() => Some("llgr-aware"),
        Some(_) => Some("llgr-able"),
        None => None,
    };
    let when = |is: bool, word| is.then_some(word);
    [
        when(caps.route_refresh, "refresh"),
        when(caps.enhanced_refresh, "enhanced-refresh"),
        restart,
        long_lived,
        when(caps.as4.is_some(), "AS4"),
        when(caps.add_paths.iter().any(|a| a.receive), "add-path-rx"),
        when(caps.add_paths.iter().any(|a| a.send), "add-path-tx"),
        when(caps.extended_messages, "ext-messages"),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// `Session`, BIRD's words in BIRD's order.
pub(super) fn session_words(spec: &PeerSpec, negotiated: &Negotiated) -> Vec<&'static str> {
    let when = |is: bool, word| is.then_some(word);
    [
        Some(if spec.is_internal() { "internal" } else { "external" }),
        when(spec.multihop.is_some(), "multihop"),
        when(spec.rr_client, "route-reflector"),
        when(spec.rs_client, "route-server"),
        when(negotiated.as4, "AS4"),
        when(!negotiated.add_path_rx.is_empty(), "add-path-rx"),
        when(!negotiated.add_path_tx.is_empty(), "add-path-tx"),
        when(negotiated.extended_messages, "ext-messages"),
    ]
    .into_iter()
    .flatten()
    .collect()
}
