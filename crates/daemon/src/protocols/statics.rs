//! `protocol static`: routes that stand in the configuration.
//!
//! A route through gateways is in the table while a gateway lies on a link that
//! is up; otherwise it is dormant. Of several gateways those that are reached
//! make up the route. A route to a device is there while the device is up,
//! whatever its carrier. Recursive routes are looked up by the table.

use super::Start;
use super::channel::{Import, Told, resolved};
use super::follow::{Follower, Following};
use super::policy::Runner;
use conf::config::{ProtocolConf, ProtocolKind, StaticConf, StaticDest, StaticHop, StaticRoute};
use control::view::StaticRow;
use filter::{Policy, RouteView};
use route::attrs::Local;
use route::hop::Recursive;
use route::{AttrSet, Dest, Hop, Iface, Ifaces, Source, SourceId, SourceKind, TableId};
use std::sync::Arc;

/// A running `static` protocol. Cheap to clone.
#[derive(Clone)]
pub struct StaticHandle(Following<Statics>);

impl StaticHandle {
    /// Makes it; it is down until [`begin`](Self::begin). Must be called inside the runtime.
    pub fn spawn(start: Start) -> Self {
        let channels = start.conf.channels.iter().zip(&start.channels).enumerate();
        let channels = channels.filter_map(|(place, (_, ids))| {
            let import = Import::new(&start, place, SourceKind::Static)?;
            Some(Channel { import, told: Told::default(), igp_table: ids.igp_table })
        });
        // The routes' own filter blocks see this as their source.
        let source = Source {
            id: SourceId(u32::MAX),
            protocol: start.id,
            protocol_name: Arc::clone(&start.conf.name),
            kind: SourceKind::Static,
            path_id: 0,
            bgp: None,
        };
        let mut state = Statics {
            conf: Arc::clone(&start.conf),
            channels: channels.collect(),
            source,
            runner: Runner::new(start.world.deps.roas.clone()),
            up: false,
        };
        state.take_over();
        Self(Following::spawn(state, &start.world.deps.ifaces))
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

    /// The routes in the order of the file, with those that are dormant.
    pub fn rows(&self) -> Vec<StaticRow> {
        let conf = Arc::clone(&self.0.lock().conf);
        let ProtocolKind::Static(statics) = &conf.kind else { return Vec::new() };
        let ifaces = self.0.ifaces();
        let row = |r: &StaticRoute| StaticRow {
            net: r.net,
            to: r.to.clone(),
            dormant: match &r.to {
                StaticDest::Via(hops) => hops.iter().map(|h| hop(h, statics.check_link, &ifaces).is_none()).collect(),
                StaticDest::Device(name) => vec![device(name, &ifaces).is_none()],
                _ => vec![false],
            },
        };
        statics.routes.iter().map(row).collect()
    }
}

struct Channel {
    import: Import,
    told: Told,
    igp_table: TableId,
}

struct Statics {
    conf: Arc<ProtocolConf>,
    channels: Vec<Channel>,
    source: Source,
    runner: Runner,
    up: bool,
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
    }

    fn tell(&mut self, ifaces: &Ifaces, again: bool) {
        let ProtocolKind::Static(conf) = &self.conf.kind else { return };
        for channel in &mut self.channels {
            let (family, preference) = (channel.import.conf().family, channel.import.conf().preference);
            let mut routes = Vec::new();
            for route in conf.routes.iter().filter(|r| r.net.family() == family) {
                if let Some(local) = local(route, conf, preference, channel.igp_table, ifaces) {
                    let attrs = dressed(route, local, &self.source, &mut self.runner, ifaces);
                    routes.push(((route.net, 0), attrs));
                }
            }
            channel.told.tell(&mut channel.import, routes, ifaces, again);
        }
    }
}

impl Follower for Statics {
    fn begin(&mut self, ifaces: &Ifaces) {
        if std::mem::replace(&mut self.up, true) {
            return;
        }
        for channel in &mut self.channels {
            channel.told.forget();
            channel.import.up();
        }
        self.tell(ifaces, false);
    }

    fn end(&mut self) {
        if std::mem::replace(&mut self.up, false) {
            self.channels.iter_mut().for_each(|c| c.import.down());
        }
    }

    fn reconfigure(&mut self, conf: Arc<ProtocolConf>, ifaces: &Ifaces) {
        self.conf = conf;
        self.take_over();
        if self.up {
            self.channels.iter_mut().for_each(|c| c.import.respec());
            self.tell(ifaces, true);
        }
    }

    fn look(&mut self, ifaces: &Ifaces) {
        if self.up {
            self.tell(ifaces, false);
        }
    }
}

/// A route with what the filter block behind it sets.
fn dressed(route: &StaticRoute, local: Local, source: &Source, runner: &mut Runner, ifaces: &Ifaces) -> AttrSet {
    let plain = AttrSet::local_only(local);
    let Some(body) = &route.body else { return plain };
    let to = resolved(&plain.local().dest);
    let view = RouteView { net: route.net, attrs: &plain, source, resolved: to.as_ref(), igp_metric: None };
    // The block sets attributes; what it says of accepting means nothing.
    let (_, changed) = runner.judge(&Policy::Filter(Arc::clone(body)), view, ifaces);
    changed.unwrap_or(plain)
}

/// The local part of a route, `None` while it is dormant.
fn local(
    route: &StaticRoute,
    conf: &StaticConf,
    preference: u32,
    igp_table: TableId,
    ifaces: &Ifaces,
) -> Option<Local> {
    let (kind, dest) = match &route.to {
        StaticDest::Via(hops) => {
            let mut reached: Vec<Hop> = hops.iter().filter_map(|h| hop(h, conf.check_link, ifaces)).collect();
            // BIRD's order: the heavier first, then by address.
            reached.sort_by_key(|h| (std::cmp::Reverse(h.weight), h.gateway, h.iface));
            let dest = match reached[..] {
                [] => return None,
                [one] => Dest::Via(Hop { weight: 0, ..one }),
                _ => Dest::Multipath(reached.into()),
            };
            (SourceKind::Static, dest)
        }
        StaticDest::Device(name) => (SourceKind::StaticDevice, Dest::Via(Hop::dev(device(name, ifaces)?.index))),
        StaticDest::Recursive(gateway) => {
            let dest = Recursive { gateway: *gateway, table: igp_table, link_local: None };
            (SourceKind::Static, Dest::Recursive(dest))
        }
        StaticDest::Blackhole => (SourceKind::Static, Dest::Blackhole),
        StaticDest::Unreachable => (SourceKind::Static, Dest::Unreachable),
        StaticDest::Prohibit => (SourceKind::Static, Dest::Prohibit),
    };
    Some(Local::new(kind, preference, dest))
}

/// A gateway with its link, `None` when it lies on none.
fn hop(hop: &StaticHop, check_link: bool, ifaces: &Ifaces) -> Option<Hop> {
    let named = |name: &Arc<str>| device(name, ifaces).filter(|i| hop.onlink || is_neighbor(hop, i));
    let iface = match &hop.iface {
        Some(name) => named(name)?,
        None => neighbor(hop, ifaces)?,
    };
    if check_link && !iface.flags.link_up {
        return None;
    }
    let weight = u8::try_from(hop.weight.saturating_sub(1)).unwrap_or(u8::MAX);
    Some(Hop { gateway: Some(hop.gateway), iface: iface.index, onlink: hop.onlink, weight })
}

/// The link on which a gateway lies. Our own address counts too: the kernel takes such a route, and BIRD gives it.
fn neighbor<'a>(hop: &StaticHop, ifaces: &'a Ifaces) -> Option<&'a Iface> {
    let own = || ifaces.iter().find(|i| i.is_up() && i.addrs.iter().any(|a| a.addr == hop.gateway));
    ifaces.neighbor(hop.gateway).map(|(iface, _)| iface).or_else(own)
}

/// Whether a gateway lies on this link.
fn is_neighbor(hop: &StaticHop, iface: &Iface) -> bool {
    let link_local = matches!(hop.gateway, std::net::IpAddr::V6(a) if a.is_unicast_link_local());
    link_local || iface.addrs.iter().any(|a| a.prefix.contains(hop.gateway) || a.peer == Some(hop.gateway))
}

/// The device of this name, while it is up.
fn device<'a>(name: &str, ifaces: &'a Ifaces) -> Option<&'a Iface> {
    ifaces.by_name(name).filter(|i| i.is_up())
}

#[cfg(test)]
mod tests {
    use super::super::lab;
    use super::*;
    use filter::Span;
    use route::{IfIndex, Prefix};

    fn via(gateways: &[(&str, u16)]) -> StaticDest {
        let hop = |(gateway, weight): &(&str, u16)| StaticHop {
            gateway: gateway.parse().unwrap(),
            iface: None,
            weight: *weight,
            onlink: false,
            bfd: false,
        };
        StaticDest::Via(gateways.iter().map(hop).collect())
    }

    fn dest(to: StaticDest, check_link: bool, ifaces: &Ifaces) -> Option<(SourceKind, Dest)> {
        let net: Prefix = "20.0.1.0/24".parse().unwrap();
        let route = StaticRoute { net, to, body: None, span: Span::default() };
        let conf = StaticConf { check_link, igp_table: None, routes: Vec::new() };
        local(&route, &conf, 200, TableId(7), ifaces).map(|l| (l.kind, l.dest))
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

    /// reference/kernel/1.6.8/nexthop-not-reachable.txt: 20.0.9.0/24.
    #[test]
    fn our_own_address_is_taken_as_a_gateway() {
        assert_eq!(dest(via(&[("10.1.1.1", 1)]), false, &lab()).unwrap().1, Dest::Via(hop("10.1.1.1", 1, 0)));
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
    }
}
