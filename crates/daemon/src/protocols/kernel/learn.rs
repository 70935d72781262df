//! Routes that other programs put into the kernel, as routes of ours.

use super::export::metric_attr;
use netlink::SeenRoute;
use netlink::kernel_route::{SCOPE_LINK, SCOPE_UNIVERSE};
use route::attrs::{Local, LocalAttr, LocalValue};
use route::{AttrSet, Dest, Family, Hop, Ifaces, Resolved, SourceKind};
use std::net::IpAddr;

/// A gateway that lies on no link of ours although the kernel uses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Strange(pub IpAddr);

/// The attributes under which a learned route stands in a table.
///
/// `omits_usual_scope`: see [`conf::config::KernelConf::omits_usual_scope`].
pub fn attrs(seen: &SeenRoute, preference: u32, omits_usual_scope: bool, ifaces: &Ifaces) -> Result<AttrSet, Strange> {
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
    for (name, value) in extras(seen, omits_usual_scope) {
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

fn extras(seen: &SeenRoute, omits_usual_scope: bool) -> Vec<(LocalAttr, LocalValue)> {
    let int = LocalValue::Int;
    let route = &seen.route;
    let mut extras =
        vec![(LocalAttr::KrtSource, int(u32::from(seen.protocol))), (LocalAttr::KrtMetric, int(route.metric))];
    extras.extend(route.prefsrc.map(|a| (LocalAttr::KrtPrefsrc, LocalValue::Ip(a))));
    extras.extend(route.realm.map(|r| (LocalAttr::KrtRealm, int(r))));
    let device = omits_usual_scope && matches!(route.dest, Resolved::Unicast(Hop { gateway: None, .. }));
    let usual = if device { SCOPE_LINK } else { SCOPE_UNIVERSE };
    // IPv6 routes have none for the kernel, which then says universe.
    let scope = if seen.net.family() == Family::Ipv4 { route.scope } else { SCOPE_UNIVERSE };
    if scope != usual {
        extras.push((LocalAttr::KrtScope, int(u32::from(scope))));
    }
    let metrics = route.metrics.as_deref().unwrap_or_default().iter();
    extras.extend(metrics.filter_map(|(n, value)| Some((metric_attr(*n)?, int(*value)))));
    extras
}

#[cfg(test)]
mod tests {
    use super::super::super::lab;
    use super::*;
    use netlink::KernelRoute;
    use route::IfIndex;

    fn seen(route: KernelRoute) -> SeenRoute {
        SeenRoute { net: "40.0.7.0/24".parse().unwrap(), protocol: 3, table: 254, tos: 0, route }
    }

    fn via(gateway: &str) -> KernelRoute {
        KernelRoute::new(Resolved::Unicast(Hop::via(gateway.parse().unwrap(), IfIndex(1))))
    }

    /// reference/kernel/1.6.8/learn.txt: 40.0.7.0/24.
    #[test]
    fn source_and_metric_are_always_there_and_the_rest_when_the_kernel_has_it() {
        let links = lab::links(&[("d0", &["10.1.1.1/24"])]);
        let prefsrc = "10.1.2.1".parse().unwrap();
        let route = KernelRoute { prefsrc: Some(prefsrc), metrics: Some([(2, 1400)].into()), ..via("10.1.1.2") };
        let attrs = attrs(&seen(route), 10, true, &links).unwrap();
        let extra: Vec<_> = attrs.local().extra.as_deref().unwrap().to_vec();
        let expected = [
            (LocalAttr::KrtSource, LocalValue::Int(3)),
            (LocalAttr::KrtMetric, LocalValue::Int(0)),
            (LocalAttr::KrtPrefsrc, LocalValue::Ip(prefsrc)),
            (LocalAttr::KrtMtu, LocalValue::Int(1400)),
        ];
        assert_eq!(extra, expected);
        assert_eq!((attrs.local().preference, attrs.local().kind), (10, SourceKind::Inherit));
    }

    /// Tried with 1.6.8: `KRT: Received route 40.0.4.0/24 with strange next-hop 192.0.7.1`.
    #[test]
    fn a_gateway_on_no_link_of_ours_is_strange_unless_the_route_says_onlink() {
        let links = lab::links(&[("d0", &["10.1.1.1/24"])]);
        assert_eq!(attrs(&seen(via("192.0.7.1")), 10, true, &links), Err(Strange("192.0.7.1".parse().unwrap())));
        let onlink = Hop { onlink: true, ..Hop::via("192.0.7.1".parse().unwrap(), IfIndex(1)) };
        assert!(attrs(&seen(KernelRoute::new(Resolved::Unicast(onlink))), 10, true, &links).is_ok());
    }

    /// Tried with 1.6.8, and reference/kernel/2.0.12/learn.txt: a device route of scope universe shows `Kernel.scope: 0`, and every one of IPv6.
    #[test]
    fn an_unusual_scope_is_named() {
        let usual = KernelRoute::new(Resolved::Unicast(Hop::dev(IfIndex(1))));
        let scope = |route| {
            attrs(&seen(route), 10, true, &Ifaces::default()).unwrap().local().extra(LocalAttr::KrtScope).cloned()
        };
        assert_eq!(scope(usual.clone()), None);
        let of_2 = attrs(&seen(usual.clone()), 10, false, &Ifaces::default()).unwrap();
        assert_eq!(of_2.local().extra(LocalAttr::KrtScope), Some(&LocalValue::Int(253)));
        assert_eq!(scope(KernelRoute { scope: 0, ..usual.clone() }), Some(LocalValue::Int(0)));
        let six = SeenRoute { net: "fd44::2/128".parse().unwrap(), ..seen(usual) };
        let six = attrs(&six, 10, true, &Ifaces::default()).unwrap();
        assert_eq!(six.local().extra(LocalAttr::KrtScope), Some(&LocalValue::Int(0)));
    }
}
