//! `show protocols [all]`: one view a protocol.

use crate::instance::{Running, Seen};
use crate::protocols::Limited;
use crate::translate::ChannelIds;
use conf::config::{ChannelConf, GatewayMode, PipeConf, PipeMode, ProtocolKind};
use control::view::{
    BgpView, CapabilitiesView, ChannelRecovery, ChannelView, Info, KeptFamilies, LimitView, PipeView, PipeWay,
    ProtocolDetail, ProtocolView, RestartCapability, RestartView, RoutesView, SessionView, TcpAoView, Timer,
};
use rib::stats::{ExportStats, ImportStats, RouteCounts};
use route::{Family, Moment, Prefix, ProtocolId, Role, TableId};
use session::peer::{Capabilities, Deps, PeerStatus, ProtoState};
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

/// The views of the chosen instances, in order.
///
/// `joined`: the tables that pipes lead into. What a protocol's routes are best there counts for it as well.
pub async fn answer(
    deps: Deps,
    default_table: Arc<str>,
    joined: Vec<TableId>,
    chosen: Vec<Seen>,
    detail: bool,
) -> Vec<ProtocolView> {
    let mut views = Vec::with_capacity(chosen.len());
    let mut preferred: HashMap<ProtocolId, u32> = HashMap::new();
    for table in joined.into_iter().filter(|_| detail) {
        let best = deps.tables.query(table, |t| t.preferred_through_pipes()).await.unwrap_or_default();
        best.into_iter().for_each(|(protocol, count)| *preferred.entry(protocol).or_default() += count);
    }
    for seen in chosen {
        let status = match &seen.running {
            Running::Bgp(peer) => Some(peer.status.borrow().clone()),
            _ => None,
        };
        let elsewhere = preferred.get(&seen.id).copied().unwrap_or(0);
        let detail = match detail {
            true => Some(Box::new(details(&deps, &default_table, &seen, status.as_ref(), elsewhere).await)),
            false => None,
        };
        views.push(row(&default_table, &seen, status.as_ref(), detail));
    }
    views
}

fn row(
    default_table: &Arc<str>,
    seen: &Seen,
    status: Option<&PeerStatus>,
    detail: Option<Box<ProtocolDetail>>,
) -> ProtocolView {
    let first = first_channel(seen).or(seen.conf.idle_channel.as_deref());
    let table = first.map_or(default_table, |c| &c.table);
    let (state, since, info) = match status {
        // As in BIRD it waits for the one that has its neighbour.
        Some(s) if seen.enabled && seen.held => ("start", s.since, Info::Bgp { state: "Idle", error: Arc::default() }),
        Some(s) => (s.proto.word(), s.since, Info::Bgp { state: bgp_word(s), error: error_text(s) }),
        None if let Running::Rpki(rpki) = &seen.running => rpki.row(),
        None if let Running::Bmp(bmp) = &seen.running => bmp.row(),
        None => {
            let since = limited(seen).map_or(seen.since, |l| l.since.max(seen.since));
            (plain_word(seen), since, info(seen))
        }
    };
    ProtocolView {
        name: Arc::clone(&seen.conf.name),
        kind: seen.running.kind(),
        table: Some(Arc::clone(table)),
        state,
        since,
        info,
        detail,
    }
}

fn first_channel(seen: &Seen) -> Option<&ChannelConf> {
    seen.conf.channels.first().or_else(|| seen.conf.roa_channels.first())
}

/// What the protocol did by itself when a limit was passed.
fn limited(seen: &Seen) -> Option<Limited> {
    match &seen.running {
        Running::Kernel(kernel) => kernel.limited(),
        _ => None,
    }
}

/// Whether a protocol without sessions is up.
fn is_up(seen: &Seen) -> bool {
    seen.is_begun() && limited(seen).is_none_or(|l| !l.is_down)
}

/// The last column of protocols other than BGP.
fn info(seen: &Seen) -> Info {
    match &seen.conf.kind {
        ProtocolKind::Pipe(PipeConf { peer_table: Some(peer), mode, .. }) => Info::Pipe {
            table: first_channel(seen).map(|c| Arc::clone(&c.table)).unwrap_or_default(),
            peer: Arc::clone(peer),
            opaque: *mode == PipeMode::Opaque,
        },
        _ => Info::Nothing,
    }
}

/// The state of a protocol without sessions.
fn plain_word(seen: &Seen) -> &'static str {
    match &seen.running {
        _ if !is_up(seen) => "down",
        Running::Kernel(kernel) if kernel.is_feeding() => "feed",
        _ => "up",
    }
}

fn bgp_word(status: &PeerStatus) -> &'static str {
    if status.bgp_state.is_empty() { "Down" } else { status.bgp_state }
}

fn error_text(status: &PeerStatus) -> Arc<str> {
    status.last_error.as_ref().map(|e| e.to_string().into()).unwrap_or_default()
}

async fn details(
    deps: &Deps,
    default_table: &Arc<str>,
    seen: &Seen,
    status: Option<&PeerStatus>,
    preferred_elsewhere: u32,
) -> ProtocolDetail {
    let mut channels = Vec::new();
    for (conf, ids) in seen.conf.channels.iter().zip(&seen.channels) {
        let mut view = match &seen.running {
            Running::Pipe(_) => pipe(deps, seen, conf).await,
            _ => channel(deps, seen, status, conf, ids).await,
        };
        if let Running::Aggregator(_) = &seen.running {
            view.name = if channels.is_empty() { "source" } else { "destination" };
        }
        if let Some(routes) = &mut view.routes {
            routes.counts.preferred += preferred_elsewhere;
        }
        channels.push(view);
    }
    match &seen.running {
        Running::Static(fixed) => channels.extend(fixed.authorities()),
        Running::RoaPipe(pipe) => channels.push(pipe.view()),
        _ => {}
    }
    let rpki = match &seen.running {
        Running::Rpki(rpki) => {
            channels.extend(rpki.channels());
            rpki.view().map(Box::new)
        }
        _ => None,
    };
    if channels.is_empty() {
        channels.push(no_channel(default_table, seen.conf.idle_channel.as_deref(), seen.is_begun()));
    }
    let tcp_ao = tcp_ao(seen).await;
    ProtocolDetail {
        description: seen.conf.description.clone(),
        message: seen.message.clone(),
        router_id: seen.conf.router_id,
        vrf: seen.conf.vrf.clone(),
        rpki,
        bmp: match &seen.running {
            Running::Bmp(bmp) => bmp.view().map(Box::new),
            _ => None,
        },
        bgp: status.map(|s| Box::new(bgp(deps.clock.now(), seen, s, route_limit(&channels), tcp_ao))),
        channels,
    }
}

/// What 1.6 shows of a protocol that has nothing to do with tables: what its options say of one.
fn no_channel(table: &Arc<str>, said: Option<&ChannelConf>, up: bool) -> ChannelView {
    let blank = || ChannelConf::new(Family::Ipv4, Arc::clone(table), 240);
    let conf = said.cloned().unwrap_or_else(blank);
    let routes = RoutesView {
        counts: RouteCounts::default(),
        keep_filtered: false,
        import: ImportStats::default(),
        export: ExportStats::default(),
    };
    ChannelView { name: "", routes: up.then_some(routes), ..ChannelView::of(&conf, up_or_down(up)) }
}

const fn up_or_down(up: bool) -> &'static str {
    if up { "UP" } else { "DOWN" }
}

/// A pipe, seen from its own table.
async fn pipe(deps: &Deps, seen: &Seen, conf: &ChannelConf) -> ChannelView {
    let [own, peer] = [seen.channels.first(), seen.channels.get(1)];
    let (import, import_hit) = pipe_way(deps, own).await;
    let (export, export_hit) = pipe_way(deps, peer).await;
    let up = seen.is_begun();
    ChannelView {
        peer_table: match &seen.conf.kind {
            ProtocolKind::Pipe(PipeConf { peer_table, .. }) => peer_table.clone(),
            _ => None,
        },
        receive_limit: None,
        import_limit: LimitView::of(conf.import_limit, import_hit),
        export_limit: LimitView::of(conf.export_limit, export_hit),
        pipe: up.then_some(PipeView { import, export }),
        ..ChannelView::of(conf, up_or_down(up))
    }
}

/// The counters of the channel at the end of a direction, and whether its limit was passed.
async fn pipe_way(deps: &Deps, into: Option<&ChannelIds>) -> (PipeWay, bool) {
    let Some(ids) = into else { return Default::default() };
    let id = ids.channel;
    let ask = move |t: &mut rib::table::Table| {
        let routes = t.counts(id).imported;
        (PipeWay { routes, offered: t.pipe_stats(id), taken: t.import_stats(id) }, t.limits_passed(id).1)
    };
    deps.tables.query(ids.table, ask).await.unwrap_or_default()
}

async fn channel(
    deps: &Deps,
    seen: &Seen,
    status: Option<&PeerStatus>,
    conf: &ChannelConf,
    ids: &ChannelIds,
) -> ChannelView {
    let of_peer = status.and_then(|s| s.channels.iter().find(|c| c.channel == ids.channel));
    // The session is up, but the neighbour does not speak this family.
    let is_silent = of_peer.is_some_and(|c| !c.up) && status.is_some_and(|s| s.channels.iter().any(|c| c.up));
    let up = match status {
        Some(s) => s.proto != ProtoState::Down && !is_silent,
        None => is_up(seen),
    };
    let routes = if up { Some(routes(deps, seen, conf, ids, of_peer.and_then(|c| c.member)).await) } else { None };
    let exported = routes.map_or(0, |r| r.counts.exported);
    let is_full = conf.export_limit.is_some_and(|l| exported >= l.routes_max);
    let id = ids.channel;
    let (receive_hit, import_hit) =
        deps.tables.query(ids.table, move |t| t.limits_passed(id)).await.unwrap_or_default();
    let state = match status.map(|s| s.proto) {
        None => up_or_down(up),
        Some(ProtoState::Up | ProtoState::Feed | ProtoState::Wait) if !is_silent => "UP",
        Some(_) if of_peer.is_some_and(|c| c.retained) => "START",
        Some(_) => "DOWN",
    };
    ChannelView {
        recovery: of_peer
            .filter(|c| c.recovery_pending || c.recovery_waiting)
            .map(|c| ChannelRecovery { pending: c.recovery_pending, waiting: c.recovery_waiting }),
        receive_limit: LimitView::of(conf.receive_limit, up && receive_hit),
        import_limit: LimitView::of(conf.import_limit, up && import_hit),
        export_limit: LimitView::of(conf.export_limit, is_full || limited(seen).is_some_and(|l| l.is_down)),
        routes,
        restart: status.filter(|_| of_peer.is_some_and(|c| c.retained)).and_then(|s| restart(deps.clock.now(), s)),
        next_hop: of_peer
            .and_then(|c| c.next_hop)
            .map(|(global, link_local)| (global, link_local.map(IpAddr::V6)))
            .or_else(|| status.and_then(|s| s.source_addr).map(|addr| (addr, None))),
        igp_tables: igp_tables(seen, conf),
        ..ChannelView::of(conf, state)
    }
}

async fn routes(
    deps: &Deps,
    seen: &Seen,
    conf: &ChannelConf,
    ids: &ChannelIds,
    member: Option<rib::export::MemberId>,
) -> RoutesView {
    let id = ids.channel;
    let (mut counts, import) =
        deps.tables.query(ids.table, move |t| (t.counts(id), t.import_stats(id))).await.unwrap_or_default();
    let mut export = ExportStats::default();
    if let Some(member) = member
        && let Some((stats, exported)) = deps.exports.stats(member).await
    {
        (export, counts.exported) = (stats, exported);
    }
    if let Running::Kernel(kernel) = &seen.running {
        (export, counts.exported) = kernel.stats();
    }
    RoutesView { counts, keep_filtered: conf.keep_filtered, import, export }
}

/// What `import limit` counts, filtered routes that are kept included, and the limit.
fn route_limit(channels: &[ChannelView]) -> Option<(u32, u32)> {
    let channel = channels.first()?;
    let counts = channel.routes.as_ref()?.counts;
    Some((counts.imported.saturating_add(counts.filtered), channel.import_limit.as_ref()?.routes_max))
}

/// What the kernel says of a session's keys.
async fn tcp_ao(seen: &Seen) -> Option<TcpAoView> {
    let (Running::Bgp(peer), ProtocolKind::Bgp(bgp)) = (&seen.running, &seen.conf.kind) else { return None };
    if bgp.ao_keys.is_empty() {
        return None;
    }
    let session::tcp_ao::Seen { current, rnext, good, bad } = peer.tcp_ao().await?;
    Some(TcpAoView { current, rnext, good, bad })
}

fn bgp(
    now: Moment,
    seen: &Seen,
    s: &PeerStatus,
    route_limit: Option<(u32, u32)>,
    tcp_ao: Option<TcpAoView>,
) -> BgpView {
    let (conf_addr, conf_as, local_as, iface) = match &seen.conf.kind {
        ProtocolKind::Bgp(b) => (Some(b.peer_addr), b.peer_as, b.local_as, b.iface.clone()),
        _ => (None, 0, 0, None),
    };
    let timer = |t: session::peer::Timer| Timer { remaining_ms: t.remaining_ms(now), total_s: t.total_s };
    let none = Capabilities::default();
    let announced = |ours: bool| match &s.announced {
        Some(said) if ours => capabilities(&said.ours),
        Some(said) => capabilities(&said.theirs),
        None => capabilities(&none),
    };
    BgpView {
        state: bgp_word(s),
        peer_addr: s.peer_addr.or(conf_addr).unwrap_or(Ipv4Addr::UNSPECIFIED.into()),
        iface,
        onlink: matches!(&seen.conf.kind, ProtocolKind::Bgp(b) if b.onlink),
        range: range_of(seen),
        peer_as: if s.peer_as == 0 { conf_as } else { s.peer_as },
        local_as,
        restart: restart(now, s),
        error_wait: s.error_wait.map(timer),
        connect_delay: s.connect_delay.map(timer),
        session: s.peer_id.map(|id| SessionView {
            peer_id: Ipv4Addr::from_bits(id),
            caps: s.caps.clone(),
            ours: announced(true),
            theirs: announced(false),
            words: s.session.clone(),
            source_addr: s.source_addr.unwrap_or(Ipv4Addr::UNSPECIFIED.into()),
            route_limit,
            hold: s.hold.map_or_else(Timer::default, timer),
            keepalive: s.keepalive.map_or_else(Timer::default, timer),
            send_hold: s.send_hold.map(timer),
            tcp_ao,
        }),
        error: error_text(s),
    }
}

/// The range in which neighbours are awaited; a session of one of them has its neighbour's address.
fn range_of(seen: &Seen) -> Option<Prefix> {
    match &seen.conf.kind {
        ProtocolKind::Bgp(bgp) => bgp.range.filter(|_| seen.caller.is_none()),
        _ => None,
    }
}

/// A neighbour that restarts.
fn restart(now: Moment, s: &PeerStatus) -> Option<RestartView> {
    s.restart_active.then(|| RestartView {
        long_lived: s.stale.is_some(),
        remaining_ms: s.stale.or(s.restart).map(|t| t.remaining_ms(now)),
    })
}

/// The tables that answer recursive next hops of a channel, those that were not named too.
fn igp_tables(seen: &Seen, conf: &ChannelConf) -> Vec<(Family, Arc<str>)> {
    let Some(bgp) = conf.bgp.as_ref().filter(|bgp| bgp.gateway == GatewayMode::Recursive) else { return Vec::new() };
    let families = Family::ALL.into_iter().filter(|f| *f == conf.family || bgp.extended_next_hop);
    let of_channel = |family| seen.conf.channels.iter().find(|c| c.family == family).map(|c| Arc::clone(&c.table));
    let named = families.map(|family| (family, bgp.igp_table(family).cloned().or_else(|| of_channel(family))));
    named.filter_map(|(family, table)| Some((family, table?))).collect()
}

/// An OPEN's capabilities, families by name.
fn capabilities(said: &Capabilities) -> CapabilitiesView {
    let names = |families: &[Family]| families.iter().map(|f| f.word()).collect();
    let kept = |families: &[(Family, bool)]| KeptFamilies {
        supported: families.iter().map(|(f, _)| f.word()).collect(),
        preserved: families.iter().filter(|(_, kept)| *kept).map(|(f, _)| f.word()).collect(),
    };
    let add_path = |receive: bool| {
        let able = said.add_paths.iter().filter(|a| if receive { a.receive } else { a.send });
        able.map(|a| a.family.word()).collect()
    };
    CapabilitiesView {
        families: names(&said.families),
        route_refresh: said.route_refresh,
        extended_next_hop: names(&said.extended_next_hop),
        extended_messages: said.extended_messages,
        restart: said.graceful_restart.as_ref().map(|restart| RestartCapability {
            is_recovering: restart.restarting,
            time_s: u32::from(restart.time_s),
            families: kept(&restart.families),
        }),
        as4: said.as4.is_some(),
        add_path: (!said.add_paths.is_empty()).then(|| [add_path(true), add_path(false)]),
        enhanced_refresh: said.enhanced_refresh,
        long_lived: said.long_lived.as_ref().map(|families| {
            let rows: Vec<_> = families.iter().map(|f| (f.family, f.forwarding)).collect();
            (kept(&rows), families.iter().map(|f| f.stale_time_s).max().unwrap_or(0))
        }),
        hostname: said.hostname.as_deref().map(Into::into),
        role: said.roles.first().map(|code| Role::from_code(*code).map_or("?", Role::word)),
    }
}
