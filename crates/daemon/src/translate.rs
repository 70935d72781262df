//! From the configuration's words to a session's: the two rooms do not know each other.

use conf::Dialect;
use conf::config::{self, BgpChannel, BgpConf, ChannelConf, Config, LatencyConf, ListenBgp, ProtocolConf};
use netlink::IfaceRules;
use route::options::Voice;
use route::{ChannelId, Family, ProtocolId, TableId};
use session::dynamic::Dynamic;
use session::pace::Limits;
use session::peer::{
    ChannelRestart, Confederation, LinkPattern, ListenOn, Manner, Needed, NextHopRules, Numbers, PeerChannel, PeerSpec,
    PerFamily, Terms,
};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

/// What a peer is told of one of its channels: numbers, and the name of the table behind `igp table`.
#[derive(Clone, Debug)]
pub struct ChannelIds {
    /// The channel.
    pub channel: ChannelId,
    /// Its table.
    pub table: TableId,
    /// The table in which next hops of its family are looked up.
    pub igp_table: TableId,
    /// The table in which next hops of the other family are looked up.
    pub other_igp_table: TableId,
}

/// A peer, as the sessions' room wants it. `listen`: the `listen bgp` that is in force.
pub fn peer(
    conf: &ProtocolConf,
    bgp: &BgpConf,
    config: &Config,
    listen: &ListenBgp,
    id: ProtocolId,
    router_id: Ipv4Addr,
    ids: &[ChannelIds],
) -> PeerSpec {
    let router_id = conf.router_id.unwrap_or(router_id).to_bits();
    PeerSpec {
        name: Arc::clone(&conf.name),
        protocol: id,
        debug: conf.debug,
        voice: voice(config.dialect),
        mrtdump: conf.mrtdump,
        router_id,
        listen: Some(awaited(listen, bgp)),
        listen_on: listen_on(bgp),
        free_bind: bgp.free_bind,
        local_as: bgp.local_as,
        local_addr: bgp.local_addr,
        local_port: if bgp.strict_bind { bgp.local_port } else { None },
        peer_addr: bgp.peer_addr,
        iface: bgp.iface.clone(),
        onlink: bgp.onlink,
        vrf: conf.vrf.clone(),
        peer_port: bgp.peer_port,
        peer_as: bgp.peer_as,
        any_external: bgp.any_external(),
        dynamic: dynamic(bgp),
        multihop: bgp.multihop,
        match_local_addr: bgp.match_local_addr,
        passive: bgp.passive,
        password: bgp.password.clone(),
        ao_keys: Arc::clone(&bgp.ao_keys),
        ttl_security: bgp.ttl_security,
        check_link: bgp.check_link,
        liveness: bgp.bfd,
        restart_least_ms: conf.restart_least_ms(),
        liveness_manner: bgp.bfd_options.clone().map(|said| Manner(said)),
        confederation: (bgp.confederation != 0)
            .then_some(Confederation { id: bgp.confederation, has_peer: bgp.confederation_member }),
        rr_client: bgp.rr_client,
        cluster_id: bgp.rr_cluster_id.unwrap_or(router_id),
        rs_client: bgp.rs_client,
        times: bgp.times,
        disable_after_error: bgp.disable_after_error,
        disable_after_cease: bgp.disable_after_cease,
        offer: bgp.offer,
        terms: terms(conf, bgp, config.dialect),
        hostname: hostname(conf, config).filter(|_| bgp.advertise_hostname),
        tx_size_warning: bgp.tx_size_warning,
        rules: bgp.rules,
        decision: bgp.decision,
        channels: conf.channels.iter().zip(ids).map(|(c, ids)| channel(bgp, c, ids)).collect(),
    }
}

/// Who speaks in the lines of `debug`.
pub const fn voice(dialect: Dialect) -> Voice {
    match dialect {
        Dialect::V1 => Voice::Protocol,
        Dialect::V2 => Voice::Channels,
    }
}

/// The name of this router, as this protocol has it; `None`: nobody gave it one.
fn hostname(conf: &ProtocolConf, config: &Config) -> Option<Arc<str>> {
    let machine = || nix::unistd::gethostname().ok().map(|name| name.to_string_lossy().into());
    let name = conf.hostname.clone().or_else(|| config.hostname.clone()).or_else(machine);
    name.filter(|name: &Arc<str>| !name.is_empty())
}

/// What is asked of the neighbour.
fn terms(conf: &ProtocolConf, bgp: &BgpConf, dialect: Dialect) -> Terms {
    let asked = &bgp.terms;
    // In 1.6 there is one channel, and it is of the daemon's family.
    let only = conf.channels.first().filter(|_| dialect == Dialect::V1);
    let needed = [
        (asked.route_refresh, Needed::RouteRefresh),
        (asked.enhanced_refresh, Needed::EnhancedRefresh),
        (asked.as4, Needed::As4),
        (asked.extended_messages, Needed::ExtendedMessages),
        (asked.graceful_restart, Needed::GracefulRestart),
        (asked.long_lived, Needed::LongLived),
        (asked.hostname, Needed::Hostname),
    ];
    Terms {
        needed: needed.into_iter().filter_map(|(is, needed)| is.then_some(needed)).collect(),
        strict_families: bgp.strict_families,
        silent_family: only.map_or(Family::Ipv4, |channel| channel.family),
        retries_bare: bgp.retries_bare,
        role: asked.role,
        role_needed: asked.role_needed,
        least_hold_s: asked.least_hold_s,
        least_keepalive_s: asked.least_keepalive_s,
        send_hold_s: asked.send_hold_s,
        restart_bounds_s: (asked.restart_least_s, asked.restart_most_s),
        numbers: match dialect {
            Dialect::V1 => Numbers::OF_1,
            Dialect::V2 => Numbers::OF_2,
        },
        dotted_identifiers: dialect == Dialect::V2,
    }
}

/// A range, one of its members, or neither.
fn dynamic(bgp: &BgpConf) -> Dynamic {
    match bgp.range {
        None => Dynamic::No,
        Some(range) if bgp.peer_addr.is_unspecified() => Dynamic::Range(range),
        Some(_) => Dynamic::Member,
    }
}

/// Where incoming connections are awaited: `listen bgp`, port 179 of every address without it.
fn awaited(listen: &ListenBgp, bgp: &BgpConf) -> SocketAddr {
    let own = Family::of(bgp.peer_addr);
    let any = match bgp.range.map_or(own, |range| range.family()) {
        Family::Ipv4 => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        Family::Ipv6 => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    };
    let address = listen.address.filter(|a| a.is_ipv4() == any.is_ipv4()).unwrap_or(any);
    let address = bgp.bind.addr.unwrap_or(address);
    SocketAddr::new(address, bgp.local_port.or(listen.port).unwrap_or(179))
}

/// On which links: `strict bind` with `interface` or `interface range`. A member of a range hears on its own.
fn listen_on(bgp: &BgpConf) -> ListenOn {
    match &bgp.iface_range {
        _ if !bgp.bind.on_link => ListenOn::All,
        Some(patterns) if bgp.iface.is_none() => {
            let patterns = patterns.clone();
            ListenOn::Like(LinkPattern::new(move |name| config::IfacePattern::chosen(&patterns, name, None)))
        }
        _ => ListenOn::Own,
    }
}

fn channel(bgp: &BgpConf, conf: &ChannelConf, ids: &ChannelIds) -> PeerChannel {
    let none = BgpChannel::default();
    let own = conf.bgp.as_deref().unwrap_or(&none);
    PeerChannel {
        family: conf.family,
        channel: ids.channel,
        table: ids.table,
        table_name: Arc::clone(&conf.table),
        igp_tables: match conf.family {
            Family::Ipv4 => PerFamily { ipv4: ids.igp_table, ipv6: ids.other_igp_table },
            Family::Ipv6 => PerFamily { ipv4: ids.other_igp_table, ipv6: ids.igp_table },
        },
        preference: conf.preference,
        next_hop: NextHopRules {
            own: own.next_hop_self,
            keep: own.next_hop_keep,
            link_local: own.link_local_format,
            any_family: own.extended_next_hop,
        },
        next_hop_address: own.next_hop_address,
        prefer_link_local: own.next_hop_prefer == config::NextHopPrefer::Local,
        strict_next_hop: bgp.strict_next_hop,
        missing_lladdr: own.missing_lladdr,
        aigp: own.aigp,
        gateway: own.gateway,
        add_paths_rx: own.add_paths_rx,
        add_paths_tx: own.add_paths_tx,
        secondary: own.secondary,
        import_table: own.import_table,
        export_table: own.export_table,
        cost: own.cost,
        mandatory: own.mandatory,
        require_extended_next_hop: own.require_extended_next_hop,
        require_add_paths: own.require_add_paths,
        restart: ChannelRestart {
            able: own.graceful_restart,
            long_lived: own.long_lived,
            stale_time_s: own.long_lived_stale_time_s,
            stale_bounds_s: (own.long_lived_stale_least_s, own.long_lived_stale_most_s),
        },
        debug: conf.debug,
        import: conf.import.clone(),
        export: conf.export.clone(),
        keep_filtered: conf.keep_filtered,
        receive_limit: conf.receive_limit,
        import_limit: conf.import_limit,
        export_limit: conf.export_limit,
    }
}

/// Which addresses of links are seen, and which links count as up.
pub fn iface_rules(config: &Config) -> IfaceRules {
    IfaceRules { family: config.one_family.then_some(config.family), needs_address: config.links_need_address }
}

/// The limits of the loops.
pub fn pace(latency: &LatencyConf) -> Limits {
    Limits { event: latency.debug.then_some(latency.limit), turn: latency.warning, timeout: latency.timeout }
}
