//! Routes that other programs put into the kernel, as routes of ours.

use super::export::metric_attr;
use conf::config::KernelConf;
use netlink::SeenRoute;
use netlink::kernel_route::{SCOPE_LINK, SCOPE_UNIVERSE};
use netlink::route_message::RTAX_CC_ALGO;
use route::attrs::{Local, LocalAttr, LocalValue};
use route::{AttrSet, Dest, Family, Hop, Ifaces, Resolved, SourceKind};
use std::net::IpAddr;

/// A gateway that lies on no link of ours although the kernel uses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Strange(pub IpAddr);

/// The attributes under which a learned route stands in a table.
///
/// What is left out is as [`KernelConf`] has it.
pub fn attrs(seen: &SeenRoute, preference: u32, conf: &KernelConf, ifaces: &Ifaces) -> Result<AttrSet, Strange> {
    let dest = match &seen.route.dest {
        Resolved::Unicast(hop) => Dest::Via(near(hop, ifaces)?),
        Resolved::Multipath(hops) => {
            // In BIRD's order, as all multipath routes.
            let mut near: Vec<Hop> = hops.iter().map(|h| near(h, ifaces)).collect::<Result<_, _>>()?;
            near.sort_by_key(|h| (std::cmp::Reverse(h.weight), h.gateway, h.iface));
            Dest::Multipath(near.into())
        }
        Resolved::Blackhole => Dest::Blackhole,
        Resolved::Unreachable => Dest::Unreachable,
        Resolved::Prohibit => Dest::Prohibit,
    };
    let mut local = Local::new(SourceKind::Inherit, preference, dest);
    for (name, value) in extras(seen, conf) {
        local.set_extra(name, Some(value));
    }
    Ok(AttrSet::local_only(local))
}

fn near(hop: &Hop, ifaces: &Ifaces) -> Result<Hop, Strange> {
    let Some(gateway) = hop.gateway else { return Ok(*hop) };
    let link_local = matches!(gateway, IpAddr::V6(a) if a.is_unicast_link_local());
    let reached = hop.onlink || link_local || ifaces.neighbor(gateway).is_some() || ifaces.is_own(gateway);
    if reached { Ok(*hop) } else { Err(Strange(gateway)) }
}

fn extras(seen: &SeenRoute, conf: &KernelConf) -> Vec<(LocalAttr, LocalValue)> {
    let int = LocalValue::Int;
    let route = &seen.route;
    let mut extras =
        vec![(LocalAttr::KrtSource, int(u32::from(seen.protocol))), (LocalAttr::KrtMetric, int(route.metric))];
    extras.extend(route.prefsrc.map(|a| (LocalAttr::KrtPrefsrc, LocalValue::Ip(a))));
    extras.extend(route.realm.map(|r| (LocalAttr::KrtRealm, int(r))));
    let device = conf.omits_usual_scope && matches!(route.dest, Resolved::Unicast(Hop { gateway: None, .. }));
    let usual = if device { SCOPE_LINK } else { SCOPE_UNIVERSE };
    // IPv6 routes have none for the kernel, which then says universe.
    let scope = if seen.net.family() == Family::Ipv4 { route.scope } else { SCOPE_UNIVERSE };
    if scope != usual {
        extras.push((LocalAttr::KrtScope, int(u32::from(scope))));
    }
    if let Some(metrics) = &route.metrics {
        let known = metrics.numbers.iter().filter(|(number, _)| *number <= conf.last_metric);
        extras.extend(known.filter_map(|(number, value)| Some((metric_attr(*number)?, int(*value)))));
        let congctl = metrics.congctl.as_deref().filter(|_| RTAX_CC_ALGO <= conf.last_metric);
        extras.extend(congctl.map(|name| (LocalAttr::KrtCongctl, LocalValue::Text(name.into()))));
    }
    extras
}

#[cfg(test)]
mod tests {
    use super::super::super::lab;
    use super::*;
    use conf::Dialect;
    use netlink::{KernelRoute, Metrics};
    use route::IfIndex;

    fn seen(route: KernelRoute) -> SeenRoute {
        SeenRoute { net: "40.0.7.0/24".parse().unwrap(), protocol: 3, table: 254, tos: 0, route }
    }

    fn of(dialect: Dialect, seen: &SeenRoute, links: &Ifaces) -> Result<AttrSet, Strange> {
        attrs(seen, 10, &KernelConf::of(dialect), links)
    }

    fn via(gateway: &str) -> KernelRoute {
        KernelRoute::new(Resolved::Unicast(Hop::via(gateway.parse().unwrap(), IfIndex(1))))
    }

    /// reference/kernel/1.6.8/learn.txt: 40.0.7.0/24.
    #[test]
    fn source_and_metric_are_always_there_and_the_rest_when_the_kernel_has_it() {
        let links = lab::links(&[("d0", &["10.1.1.1/24"])]);
        let prefsrc = "10.1.2.1".parse().unwrap();
        let route = KernelRoute {
            prefsrc: Some(prefsrc),
            metrics: Metrics::new(vec![(2, 1400), (17, 1)], Some("reno".into())),
            ..via("10.1.1.2")
        };
        let attrs = of(Dialect::V1, &seen(route.clone()), &links).unwrap();
        let extra: Vec<_> = attrs.local().extra.as_deref().unwrap().to_vec();
        let expected = [
            (LocalAttr::KrtSource, LocalValue::Int(3)),
            (LocalAttr::KrtMetric, LocalValue::Int(0)),
            (LocalAttr::KrtPrefsrc, LocalValue::Ip(prefsrc)),
            (LocalAttr::KrtMtu, LocalValue::Int(1400)),
        ];
        assert_eq!(extra, expected);
        let of_2 = of(Dialect::V2, &seen(route), &links).unwrap();
        assert_eq!(of_2.local().extra(LocalAttr::KrtCongctl), Some(&LocalValue::Text("reno".into())));
        assert_eq!(of_2.local().extra(LocalAttr::KrtFastopenNoCookie), Some(&LocalValue::Int(1)));
        assert_eq!((attrs.local().preference, attrs.local().kind), (10, SourceKind::Inherit));
    }

    /// Tried with 1.6.8: `KRT: Received route 40.0.4.0/24 with strange next-hop 192.0.7.1`.
    #[test]
    fn a_gateway_on_no_link_of_ours_is_strange_unless_the_route_says_onlink() {
        let links = lab::links(&[("d0", &["10.1.1.1/24"])]);
        assert_eq!(of(Dialect::V1, &seen(via("192.0.7.1")), &links), Err(Strange("192.0.7.1".parse().unwrap())));
        let onlink = Hop { onlink: true, ..Hop::via("192.0.7.1".parse().unwrap(), IfIndex(1)) };
        assert!(of(Dialect::V1, &seen(KernelRoute::new(Resolved::Unicast(onlink))), &links).is_ok());
    }

    /// Tried with 1.6.8, and reference/kernel/2.0.12/learn.txt: a device route of scope universe shows `Kernel.scope: 0`, and every one of IPv6.
    #[test]
    fn an_unusual_scope_is_named() {
        let usual = KernelRoute::new(Resolved::Unicast(Hop::dev(IfIndex(1))));
        let scope = |route| {
            of(Dialect::V1, &seen(route), &Ifaces::default()).unwrap().local().extra(LocalAttr::KrtScope).cloned()
        };
        assert_eq!(scope(usual.clone()), None);
        let of_2 = of(Dialect::V2, &seen(usual.clone()), &Ifaces::default()).unwrap();
        assert_eq!(of_2.local().extra(LocalAttr::KrtScope), Some(&LocalValue::Int(253)));
        assert_eq!(scope(KernelRoute { scope: 0, ..usual.clone() }), Some(LocalValue::Int(0)));
        let six = SeenRoute { net: "fd44::2/128".parse().unwrap(), ..seen(usual) };
        let six = of(Dialect::V1, &six, &Ifaces::default()).unwrap();
        assert_eq!(six.local().extra(LocalAttr::KrtScope), Some(&LocalValue::Int(0)));
    }
}
