//! `protocol static`: routes that stand in the configuration.
//!
//! A route through gateways is in the table while a gateway lies on a link that
//! is up; otherwise it is dormant. Of several gateways those that are reached
//! make up the route. A route to a device is there while the device is up, in
//! BIRD 1.6 whatever its carrier. Recursive routes are looked up by the table. A gateway
//! with `bfd` counts only while BFD says that it lives.

use super::Start;
use super::authority::{Authority, Rest, with_providers};
use super::bfd::{Asked, Desk, on_link};
use super::channel::{Import, Told, resolved};
use super::diary::Diary;
use super::follow::{Follower, Following};
use super::policy::Runner;
use super::sight::{Hears, Sight};
use crate::roas::Record;
use conf::config::{ProtocolConf, ProtocolKind, StaticAspa, StaticConf, StaticDest, StaticHop, StaticRoa, StaticRoute};
use control::view::{ChannelView, StaticRow, StaticTo};
use filter::{Filter, Policy, RouteView};
use route::attrs::Local;
use route::hop::Recursive;
use route::options::Voice;
use route::{
    AttrSet, Customer, Dest, Family, Hop, IfIndex, Iface, Ifaces, Prefix, Source, SourceId, SourceKind, TableId,
    Written,
};
use session::peer::Wanted;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::Notify;

/// A running `static` protocol. Cheap to clone.
#[derive(Clone)]
pub struct StaticHandle(Following<Statics>);

impl StaticHandle {
    /// Makes it; it is down until [`begin`](Self::begin). Must be called inside the runtime.
    pub fn spawn(start: Start) -> Self {
        let channels = start.conf.channels.iter().zip(&start.channels).enumerate();
        let channels = channels.filter_map(|(place, (_, ids))| {
            let import = Import::new(&start, place, SourceKind::Static)?;
            let igp_tables = [ids.igp_table, ids.other_igp_table];
            Some(Channel { import, told: Told::default(), igp_tables })
        });
        // The routes' own filter blocks see this as their source.
        let name = Arc::clone(&start.conf.name);
        let source = Source::of_protocol(SourceId(u32::MAX), start.id, name, SourceKind::Static);
        let mut state = Statics {
            conf: Arc::clone(&start.conf),
            channels: channels.collect(),
            authorities: Authority::all(&start, SourceKind::Static),
            providers: Authority::all(&start, SourceKind::Static),
            source,
            runner: Runner::new(start.world.deps.roas.clone()),
            lives: Lives { desk: start.world.bfd.clone(), wake: Arc::default(), watched: HashMap::new() },
            diary: start.diary.clone(),
            sight: Sight::new(match start.diary.voice() {
                Voice::Protocol => Hears::Links,
                Voice::Channels => Hears::Neighbors,
            }),
            up: false,
        };
        state.take_over();
        let wake = Arc::clone(&state.lives.wake);
        Self(Following::spawn_woken(state, &start, wake))
    }

    /// Goes up; nothing happens when it is up already. Its routes are on their way when this returns.
    pub fn begin(&self) {
        self.0.begin();
    }

    /// Goes down and takes its routes back. The future ends when that is done.
    #[expect(clippy::unused_async, reason = "all protocols stop alike")]
    pub async fn stop(&self) {
        self.0.lock().end();
    }

    /// Takes over new options; routes that stay the same are not touched.
    #[expect(clippy::unused_async, reason = "all protocols reconfigure alike")]
    pub async fn reconfigure(&self, conf: Arc<ProtocolConf>) {
        self.0.reconfigure(conf);
    }

    /// Its channels to ROA and ASPA tables.
    pub fn authorities(&self) -> Vec<ChannelView> {
        let state = self.0.lock();
        state.authorities.iter().map(Authority::view).chain(state.providers.iter().map(Authority::view)).collect()
    }

    /// The routes in the order of the file, with those that are dormant.
    pub fn rows(&self) -> Vec<StaticRow> {
        let state = self.0.lock();
        let conf = Arc::clone(&state.conf);
        let ProtocolKind::Static(statics) = &conf.kind else { return Vec::new() };
        let ifaces = self.0.ifaces();
        let lives = |h: &&StaticHop, reached: &Hop| state.lives.allow(h, reached);
        let row = |r: &StaticRoute| StaticRow {
            net: r.net,
            to: StaticTo::Way(state.lives.shown(&r.to, statics, &ifaces)),
            dormant: match &r.to {
                StaticDest::Via(hops) => {
                    hops.iter().map(|h| !hop(h, statics.check_link, &ifaces).is_some_and(|r| lives(&h, &r))).collect()
                }
                StaticDest::Device(name) => vec![device(name, statics, &ifaces).is_none()],
                _ => vec![false],
            },
        };
        let roa = |r: &StaticRoa| StaticRow { net: r.roa.prefix, to: StaticTo::Authority(r.roa), dormant: vec![false] };
        let aspa = |a: &StaticAspa| StaticRow {
            net: Prefix::default(Family::Ipv4),
            to: StaticTo::Providers(a.customer),
            dormant: vec![false],
        };
        let rows = statics.routes.iter().map(row).chain(statics.roas.iter().map(roa));
        rows.chain(statics.aspas.iter().map(aspa)).collect()
    }
}

struct Channel {
    import: Import,
    told: Told,
    /// Where gateways of the channel's own family are looked up, and those of the other.
    igp_tables: [TableId; 2],
}

struct Statics {
    conf: Arc<ProtocolConf>,
    channels: Vec<Channel>,
    authorities: Vec<Authority>,
    providers: Vec<Authority<Customer>>,
    source: Source,
    runner: Runner,
    lives: Lives,
    diary: Diary,
    sight: Sight,
    up: bool,
}

/// What BFD says of the gateways that have `bfd`.
struct Lives {
    desk: Desk,
    /// Told when it says something else.
    wake: Arc<Notify>,
    /// Each with its session, and whether that is up.
    watched: HashMap<(IpAddr, IfIndex), (Asked, Arc<AtomicBool>)>,
}

impl Lives {
    /// Has exactly the gateways watched that are reached now.
    fn follow(&mut self, conf: &StaticConf, ifaces: &Ifaces) {
        let hops = conf.routes.iter().filter_map(|route| match &route.to {
            StaticDest::Via(hops) => Some(hops),
            _ => None,
        });
        let wanted = hops.flatten().filter(|hop| hop.bfd).filter_map(|h| {
            let (reached, remote) = (hop(h, conf.check_link, ifaces)?, h.gateway?);
            let local = on_link(ifaces.get(reached.iface)?, remote)?;
            let wanted = Wanted { remote, local, link: Some(reached.iface), vrf: ifaces.within().device() };
            (!ifaces.is_own(remote)).then_some(((remote, reached.iface), wanted))
        });
        let wanted: HashMap<_, _> = wanted.collect();
        self.watched.retain(|key, _| wanted.contains_key(key));
        for (key, wanted) in wanted {
            if !self.watched.contains_key(&key) {
                let lives = Arc::new(AtomicBool::new(false));
                let (said, wake) = (Arc::clone(&lives), Arc::clone(&self.wake));
                let hear = move |state, _| {
                    let up = state == bfd::State::Up;
                    if said.swap(up, Ordering::AcqRel) != up {
                        wake.notify_one();
                    }
                };
                let asked = self.desk.ask(wanted, None, Arc::new(hear));
                self.watched.insert(key, (asked, lives));
            }
        }
    }

    /// Whether a gateway that is reached counts.
    fn allow(&self, hop: &StaticHop, reached: &Hop) -> bool {
        let watched = hop.gateway.filter(|_| hop.bfd).and_then(|gateway| self.watched.get(&(gateway, reached.iface)));
        watched.is_none_or(|(_, lives)| lives.load(Ordering::Acquire))
    }

    /// A destination as BIRD shows it: of several gateways only those that are watched now have `(bfd)`.
    fn shown(&self, to: &StaticDest, conf: &StaticConf, ifaces: &Ifaces) -> StaticDest {
        let StaticDest::Via(hops) = to else { return to.clone() };
        let watched = |h: &StaticHop| {
            let reached = hop(h, conf.check_link, ifaces);
            reached.zip(h.gateway).is_some_and(|(r, gateway)| self.watched.contains_key(&(gateway, r.iface)))
        };
        let shown = |h: &StaticHop| StaticHop { bfd: h.bfd && (hops.len() == 1 || watched(h)), ..h.clone() };
        StaticDest::Via(hops.iter().map(shown).collect())
    }

    fn forget(&mut self) {
        self.watched.clear();
    }
}

impl Statics {
    /// Gives the channels their options.
    fn take_over(&mut self) {
        let recursive = match &self.conf.kind {
            ProtocolKind::Static(s) => s.routes.iter().any(|r| matches!(r.to, StaticDest::Recursive(_))),
            _ => false,
        };
        for (channel, conf) in self.channels.iter_mut().zip(&self.conf.channels) {
            channel.import.set_conf(conf, recursive);
        }
        Authority::take_over(&mut self.authorities, &self.conf);
        Authority::take_over(&mut self.providers, &self.conf);
    }

    fn tell(&mut self, ifaces: &Ifaces, again: bool) {
        let ProtocolKind::Static(conf) = &self.conf.kind else { return };
        self.lives.follow(conf, ifaces);
        for channel in &mut self.channels {
            let (family, preference) = (channel.import.conf().family, channel.import.conf().preference);
            let mut routes = Vec::new();
            let mut same: HashMap<Prefix, u32> = HashMap::new();
            let lives = |hop: &StaticHop, reached: &Hop| self.lives.allow(hop, reached);
            for route in conf.routes.iter().filter(|r| r.net.family() == family) {
                // In 1.6 the last one of a prefix counts; in 2 each is a path of its own.
                let count = same.entry(route.net).and_modify(|n| *n += 1).or_default();
                let path = if conf.devices_are_apart { 0 } else { *count };
                let own = |gateway: IpAddr| Family::of(gateway) == family || conf.devices_are_apart;
                let igp_table = |gateway| channel.igp_tables[usize::from(!own(gateway))];
                if let Some(local) = local(route, conf, preference, &igp_table, ifaces, &lives) {
                    let attrs = dressed(route, local, &self.source, &mut self.runner, ifaces);
                    routes.push(((route.net, path), attrs));
                }
            }
            channel.told.tell(&mut channel.import, routes, ifaces, again);
        }
    }

    /// Names the gateways that can lie on no link at all.
    fn complain(&self) {
        let ProtocolKind::Static(conf) = &self.conf.kind else { return };
        for route in &conf.routes {
            let StaticDest::Via(hops) = &route.to else { continue };
            for gateway in hops.iter().filter(|h| !is_sound(h)).filter_map(|h| h.gateway).map(Written) {
                if conf.devices_are_apart {
                    tracing::error!("Static route destination {gateway} is invalid. Ignoring.");
                } else {
                    tracing::warn!("Invalid next hop {gateway} of static route {}", route.net);
                }
            }
        }
    }

    /// Gives the authorisations; what was given and is not any more is gone.
    fn authorise(&mut self, ifaces: &Ifaces) {
        let ProtocolKind::Static(conf) = &self.conf.kind else { return };
        for authority in &mut self.authorities {
            let family = authority.conf().family;
            let ours = conf.roas.iter().filter(|r| r.roa.prefix.family() == family);
            let given = ours.map(|route| {
                let (plain, source) = (authority.plain().clone(), authority.source());
                dressed_record(route.roa, plain, route.body.as_ref(), source, &mut self.runner, ifaces)
            });
            let given = given.collect();
            authority.tell(Rest::Withdrawn, &[], given, ifaces);
        }
        for authority in &mut self.providers {
            let given = conf.aspas.iter().filter(|route| !route.providers.is_empty()).map(|route| {
                let plain = with_providers(authority.plain(), &route.providers);
                let source = authority.source();
                dressed_record(route.customer, plain, route.body.as_ref(), source, &mut self.runner, ifaces)
            });
            let given = given.collect();
            authority.tell(Rest::Withdrawn, &[], given, ifaces);
        }
    }
}

impl Follower for Statics {
    fn begin(&mut self, ifaces: &Arc<Ifaces>) {
        if std::mem::replace(&mut self.up, true) {
            return;
        }
        self.diary.starting();
        for channel in &mut self.channels {
            channel.told.forget();
            channel.import.up();
        }
        self.sight.open(ifaces, &self.diary);
        self.complain();
        self.tell(ifaces, false);
        self.authorities.iter_mut().for_each(Authority::up);
        self.providers.iter_mut().for_each(Authority::up);
        self.authorise(ifaces);
        self.diary.fed();
    }

    fn end(&mut self) {
        if std::mem::replace(&mut self.up, false) {
            self.diary.shutting_down();
            self.channels.iter_mut().for_each(|c| c.import.down());
            self.authorities.iter_mut().for_each(Authority::down);
            self.providers.iter_mut().for_each(Authority::down);
            self.lives.forget();
            self.diary.down();
        }
    }

    fn reconfigure(&mut self, conf: Arc<ProtocolConf>, ifaces: &Arc<Ifaces>) {
        self.conf = conf;
        self.take_over();
        if self.up {
            self.complain();
            self.channels.iter_mut().for_each(|c| c.import.respec());
            self.tell(ifaces, true);
            self.authorise(ifaces);
        }
    }

    fn look(&mut self, ifaces: &Arc<Ifaces>) {
        if self.up {
            self.sight.look(ifaces, &self.diary);
            self.tell(ifaces, false);
        }
    }
}

/// A route with what the filter block behind it sets.
fn dressed(route: &StaticRoute, local: Local, source: &Source, runner: &mut Runner, ifaces: &Ifaces) -> AttrSet {
    let plain = AttrSet::local_only(local);
    let Some(body) = &route.body else { return plain };
    let to = resolved(&plain.local().dest);
    let view = RouteView { roa: None, net: route.net, attrs: &plain, source, resolved: to.as_ref(), igp_metric: None };
    // The block sets attributes; what it says of accepting means nothing.
    let (_, changed) = runner.judge(&Policy::Filter(Arc::clone(body)), view, ifaces);
    changed.unwrap_or(plain)
}

/// An authorisation with what the filter block behind it sets.
fn dressed_record<K: Record>(
    record: K,
    plain: AttrSet,
    body: Option<&Arc<Filter>>,
    source: &Source,
    runner: &mut Runner,
    ifaces: &Ifaces,
) -> (K, AttrSet) {
    let view = record.view(&plain, source);
    let changed = body.and_then(|body| runner.judge(&Policy::Filter(Arc::clone(body)), view, ifaces).1);
    (record, changed.unwrap_or(plain))
}

/// The local part of a route, `None` while it is dormant.
fn local(
    route: &StaticRoute,
    conf: &StaticConf,
    preference: u32,
    igp_table: &dyn Fn(IpAddr) -> TableId,
    ifaces: &Ifaces,
    lives: &dyn Fn(&StaticHop, &Hop) -> bool,
) -> Option<Local> {
    let (kind, dest) = match &route.to {
        StaticDest::Via(hops) => {
            let reached = |h: &StaticHop| hop(h, conf.check_link, ifaces).filter(|reached| lives(h, reached));
            let mut reached: Vec<Hop> = hops.iter().filter_map(reached).collect();
            // BIRD's order: the heavier first, then by address.
            let order = |h: &Hop| (std::cmp::Reverse(h.weight), h.gateway, h.iface);
            reached.sort_by_key(order);
            reached.dedup_by_key(|h| order(h));
            let dest = match reached[..] {
                [] => return None,
                [one] => Dest::Via(one),
                _ => Dest::Multipath(reached.into()),
            };
            (SourceKind::Static, dest)
        }
        StaticDest::Device(name) => {
            let kind = if conf.devices_are_apart { SourceKind::StaticDevice } else { SourceKind::Static };
            (kind, Dest::Via(Hop::dev(device(name, conf, ifaces)?.index)))
        }
        StaticDest::Recursive(gateway) => {
            let dest = Recursive { gateway: *gateway, table: igp_table(*gateway), link_local: None };
            (SourceKind::Static, Dest::Recursive(dest))
        }
        StaticDest::Blackhole => (SourceKind::Static, Dest::Blackhole),
        StaticDest::Unreachable => (SourceKind::Static, Dest::Unreachable),
        StaticDest::Prohibit => (SourceKind::Static, Dest::Prohibit),
    };
    Some(Local::new(kind, preference, dest))
}

/// Whether a gateway can lie on a link: it is a host's address, and link-local and `onlink` ones have their link.
fn is_sound(hop: &StaticHop) -> bool {
    let has_link = hop.iface.is_some();
    let is_host = match hop.gateway {
        None => true,
        Some(IpAddr::V4(a)) => a >= Ipv4Addr::new(1, 0, 0, 0) && !a.is_loopback() && a < Ipv4Addr::new(224, 0, 0, 0),
        Some(IpAddr::V6(a)) => !a.is_loopback() && !a.is_multicast() && (has_link || !a.is_unicast_link_local()),
    };
    is_host && (has_link || !hop.onlink)
}

/// A gateway with its link, `None` when it lies on none.
fn hop(hop: &StaticHop, check_link: bool, ifaces: &Ifaces) -> Option<Hop> {
    let reaches = |i: &&Iface| hop.onlink || hop.gateway.is_none_or(|gateway| is_neighbor(gateway, i));
    let iface = match (&hop.iface, hop.gateway) {
        _ if !is_sound(hop) => return None,
        (Some(name), _) => link(name, ifaces).filter(reaches)?,
        (None, gateway) => neighbor(gateway?, ifaces)?,
    };
    if check_link && !iface.flags.link_up {
        return None;
    }
    let weight = u8::try_from(hop.weight.saturating_sub(1)).unwrap_or(u8::MAX);
    Some(Hop { gateway: hop.gateway, iface: iface.index, onlink: hop.onlink, weight })
}

/// The link on which a gateway lies. Our own address counts too: the kernel takes such a route, and BIRD gives it.
fn neighbor(gateway: IpAddr, ifaces: &Ifaces) -> Option<&Iface> {
    let own = || ifaces.iter().find(|i| i.is_up() && i.addrs.iter().any(|a| a.addr == gateway));
    ifaces.neighbor(gateway).map(|(iface, _)| iface).or_else(own)
}

/// Whether a gateway lies on this link.
fn is_neighbor(gateway: IpAddr, iface: &Iface) -> bool {
    let link_local = matches!(gateway, IpAddr::V6(a) if a.is_unicast_link_local());
    link_local || iface.addrs.iter().any(|a| a.prefix.contains(gateway) || a.peer == Some(gateway))
}

/// The device of this name, while a route may lead there.
fn device<'a>(name: &str, conf: &StaticConf, ifaces: &'a Ifaces) -> Option<&'a Iface> {
    let needs_carrier = conf.check_link && !conf.devices_are_apart;
    link(name, ifaces).filter(|i| i.flags.link_up || !needs_carrier)
}

/// The link of this name, while it is up.
fn link<'a>(name: &str, ifaces: &'a Ifaces) -> Option<&'a Iface> {
    ifaces.by_name(name).filter(|i| i.is_up())
}

#[cfg(test)]
mod tests {
    use super::super::lab;
    use super::*;
    use conf::Dialect;
    use filter::Span;
    use route::Prefix;

    fn via(gateways: &[(&str, u16)]) -> StaticDest {
        let hop = |(gateway, weight): &(&str, u16)| StaticHop {
            gateway: Some(gateway.parse().unwrap()),
            weight: *weight,
            ..StaticHop::default()
        };
        StaticDest::Via(gateways.iter().map(hop).collect())
    }

    fn dest(to: StaticDest, check_link: bool, ifaces: &Ifaces) -> Option<(SourceKind, Dest)> {
        let net: Prefix = "20.0.1.0/24".parse().unwrap();
        let route = StaticRoute { net, to, body: None, span: Span::default() };
        let conf = StaticConf { check_link, ..StaticConf::of(Dialect::V1) };
        local(&route, &conf, 200, &|_| TableId(7), ifaces, &|_, _| true).map(|l| (l.kind, l.dest))
    }

    fn lab() -> Ifaces {
        lab::links(&[("d0", &["10.1.1.1/24"]), ("d1", &["10.1.2.1/24"])])
    }

    fn hop(gateway: &str, link: u32, weight: u8) -> Hop {
        Hop { weight, ..Hop::via(gateway.parse().unwrap(), IfIndex(link)) }
    }

    /// reference/kernel/1.6.8/ecmp-static.txt, and tried with 1.6.8.
    #[test]
    fn hops_stand_with_the_heavier_first_then_by_address() {
        let to = via(&[("10.1.1.3", 1), ("10.1.1.2", 1), ("10.1.2.2", 2), ("10.1.2.3", 1)]);
        let Some((_, Dest::Multipath(hops))) = dest(to, false, &lab()) else { panic!("multipath") };
        let expected = [hop("10.1.2.2", 2, 1), hop("10.1.1.2", 1, 0), hop("10.1.1.3", 1, 0), hop("10.1.2.3", 2, 0)];
        assert_eq!(*hops, expected);
    }

    #[test]
    fn one_surviving_hop_is_a_plain_route_and_none_makes_it_dormant() {
        let one = lab::links(&[("d0", &["10.1.1.1/24"])]);
        let to = || via(&[("10.1.1.2", 1), ("10.1.2.2", 3)]);
        assert_eq!(dest(to(), false, &one), Some((SourceKind::Static, Dest::Via(hop("10.1.1.2", 1, 0)))));
        assert_eq!(dest(to(), false, &Ifaces::default()), None);
    }

    /// Tried with 2.0.12: a link beside a gateway, each with its weight; of one way alone the weight stays for filters.
    #[test]
    fn a_link_is_one_of_several_ways_and_needs_no_address() {
        let device = |name: &str, weight| StaticHop { iface: Some(name.into()), weight, ..StaticHop::default() };
        let gateway = StaticHop { gateway: Some("10.1.1.2".parse().unwrap()), weight: 3, ..StaticHop::default() };
        let to = StaticDest::Via(vec![device("d0", 3), gateway, device("d1", 4), device("d9", 1)]);
        let Some((_, Dest::Multipath(hops))) = dest(to, true, &lab()) else { panic!("multipath") };
        let on = |link, weight| Hop { weight, ..Hop::dev(IfIndex(link)) };
        assert_eq!(*hops, [on(2, 3), on(1, 2), super::tests::hop("10.1.1.2", 1, 2)]);
        let one = dest(StaticDest::Via(vec![device("d1", 7)]), false, &lab());
        assert_eq!(one, Some((SourceKind::Static, Dest::Via(on(2, 6)))));
    }

    /// reference/kernel/1.6.8/nexthop-not-reachable.txt: 20.0.9.0/24.
    #[test]
    fn our_own_address_is_taken_as_a_gateway() {
        assert_eq!(dest(via(&[("10.1.1.1", 1)]), false, &lab()).unwrap().1, Dest::Via(hop("10.1.1.1", 1, 0)));
    }

    /// Tried with 2.0.12.
    #[test]
    fn what_can_lie_on_no_link_is_dormant_and_links_may_stand_among_several_ways() {
        let ifaces = lab::links(&[("d0", &["10.1.1.1/24", "fe80::1/64"]), ("d1", &["10.1.2.1/24", "fe80::2/64"])]);
        let hop = |gateway: Option<&str>, link: Option<&str>, onlink| StaticHop {
            gateway: gateway.map(|a| a.parse().unwrap()),
            iface: link.map(Into::into),
            weight: 1,
            onlink,
            bfd: false,
        };
        let reached = |h: StaticHop| super::hop(&h, false, &ifaces).map(|r| r.iface.0);
        for lost in ["fe80::7", "ff02::1", "::1", "127.0.0.1", "224.0.0.5", "0.0.0.9"] {
            assert_eq!(reached(hop(Some(lost), None, false)), None, "{lost}");
        }
        assert_eq!(reached(hop(Some("10.1.1.2"), None, true)), None, "onlink names its link");
        assert_eq!(reached(hop(Some("fe80::7"), Some("d1"), false)), Some(2));
        let ways = vec![hop(Some("10.1.1.2"), None, false), hop(None, Some("d1"), false), hop(None, Some("d9"), false)];
        let Some((_, Dest::Multipath(hops))) = dest(StaticDest::Via(ways), false, &ifaces) else { panic!("multipath") };
        assert_eq!(*hops, [Hop::dev(IfIndex(2)), Hop::via("10.1.1.2".parse().unwrap(), IfIndex(1))]);
    }

    /// reference/kernel/1.6.8/carrier-loss-check-link.txt.
    #[test]
    fn check_link_counts_for_gateways_and_not_for_devices() {
        let mut links: Vec<_> = lab().iter().cloned().collect();
        links[0].flags.link_up = false;
        let ifaces = Ifaces::new(links);
        assert_eq!(dest(via(&[("10.1.1.2", 1)]), true, &ifaces), None);
        assert!(dest(via(&[("10.1.1.2", 1)]), false, &ifaces).is_some());
        let device = (SourceKind::StaticDevice, Dest::Via(Hop::dev(IfIndex(1))));
        assert_eq!(dest(StaticDest::Device("d0".into()), true, &ifaces), Some(device));
        assert_eq!(dest(StaticDest::Device("d9".into()), false, &ifaces), None);
        // reference/kernel/2.0.12/carrier-loss-check-link.txt.
        let of_2 = |check_link| StaticConf { check_link, ..StaticConf::of(Dialect::V2) };
        let there = |check_link| super::device("d0", &of_2(check_link), &ifaces).is_some();
        assert_eq!((there(true), there(false)), (false, true));
    }
}
