//! What the kernel is told of a prefix: veto, filter, and the route as the kernel wants it.
//!
//! One function judges, for the kernel itself and for `show route export`.

use super::super::channel::resolved;
use super::super::policy::Runner;
use conf::config::KernelConf;
use filter::{Policy, RouteView, Verdict};
use netlink::{KernelRoute, Metrics};
use rib::decision::{Seen, is_as_good};
use route::attrs::{LocalAttr, LocalValue};
use route::{AttrSet, Family, Hop, Ifaces, Prefix, ProtocolId, Resolved, SourceKind};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

/// The RTAX_* metrics with the attributes that set them.
const METRICS: [(u16, LocalAttr); 16] = [
    (1, LocalAttr::KrtLock),
    (2, LocalAttr::KrtMtu),
    (3, LocalAttr::KrtWindow),
    (4, LocalAttr::KrtRtt),
    (5, LocalAttr::KrtRttvar),
    (6, LocalAttr::KrtSstresh),
    (7, LocalAttr::KrtCwnd),
    (8, LocalAttr::KrtAdvmss),
    (9, LocalAttr::KrtReordering),
    (10, LocalAttr::KrtHoplimit),
    (11, LocalAttr::KrtInitcwnd),
    (12, LocalAttr::KrtFeatures),
    (13, LocalAttr::KrtRtoMin),
    (14, LocalAttr::KrtInitrwnd),
    (15, LocalAttr::KrtQuickack),
    (17, LocalAttr::KrtFastopenNoCookie),
];

/// The attribute of a metric.
pub fn metric_attr(number: u16) -> Option<LocalAttr> {
    METRICS.iter().find(|(n, _)| *n == number).map(|(_, attr)| *attr)
}

/// What came of judging a path.
pub enum Judged {
    /// The protocol does not want it.
    Vetoed,
    /// The filter rejected it; as the filter left it.
    Rejected(AttrSet),
    /// It goes to the kernel; as the filter left it, and where packets go then.
    Accepted(AttrSet, Resolved),
}

/// How one kernel protocol judges.
#[derive(Clone)]
pub struct Rules {
    /// Its number: what it has learned itself does not go back.
    pub protocol: ProtocolId,
    /// Its name, for the log of its filter.
    pub name: Arc<str>,
    /// Its own options.
    pub conf: KernelConf,
    /// `export`.
    pub export: Policy,
}

impl Rules {
    /// Judges one path.
    pub fn judge(&self, net: Prefix, path: Seen<'_>, ifaces: &Ifaces, runner: &mut Runner) -> Judged {
        if self.vetoes(path) {
            return Judged::Vetoed;
        }
        let hop = path.hop;
        let view = RouteView {
            roa: None,
            net,
            attrs: path.attrs,
            source: path.source,
            resolved: Some(&hop.to),
            igp_metric: hop.igp_metric,
        };
        let (verdict, changed) = runner.judge(&self.export, view, ifaces);
        let attrs = changed.unwrap_or_else(|| path.attrs.clone());
        match verdict {
            Verdict::Reject => Judged::Rejected(attrs),
            Verdict::Accept => {
                // A filter that sets gw, dest or ifname puts another destination in place of the resolved one.
                let same = attrs.local().dest == path.attrs.local().dest;
                let own = if same { None } else { resolved(&attrs.local().dest) };
                let to = own.unwrap_or_else(|| hop.to.clone());
                Judged::Accepted(attrs, to)
            }
        }
    }

    fn vetoes(&self, path: Seen<'_>) -> bool {
        let device = matches!(path.hop.to, Resolved::Unicast(Hop { gateway: None, .. }));
        path.source.protocol == self.protocol
            || (device && !self.conf.device_routes && path.attrs.local().kind != SourceKind::StaticDevice)
    }

    /// What the kernel is to hold for a prefix with these paths, best first, and how the best was judged.
    ///
    /// With `merge paths` the paths that the decision finds as good as the best
    /// are judged too, and their ways out are put together.
    pub fn wanted<'a>(
        &self,
        net: Prefix,
        mut paths: impl Iterator<Item = Seen<'a>>,
        ifaces: &Ifaces,
        runner: &mut Runner,
    ) -> (Option<KernelRoute>, Option<Judged>) {
        let Some(best) = paths.next() else { return (None, None) };
        let judged = self.judge(net, best, ifaces, runner);
        let Judged::Accepted(attrs, to) = &judged else { return (None, Some(judged)) };
        let to = match self.conf.merge_paths {
            Some(limit) => self.merged(net, best, to.clone(), limit, paths, ifaces, runner),
            None => to.clone(),
        };
        let route = self.kernel_route(net.family(), attrs, to, ifaces);
        (route, Some(judged))
    }

    #[expect(clippy::too_many_arguments, reason = "the tail of `wanted`, which has them all")]
    fn merged<'a>(
        &self,
        net: Prefix,
        best: Seen<'a>,
        to: Resolved,
        limit: u32,
        others: impl Iterator<Item = Seen<'a>>,
        ifaces: &Ifaces,
        runner: &mut Runner,
    ) -> Resolved {
        let Some(own) = ways(&to) else { return to };
        let mut hops = Vec::new();
        for other in others.filter(|other| is_as_good(&best, other)) {
            if let Judged::Accepted(_, to) = self.judge(net, other, ifaces, runner) {
                hops.extend(ways(&to).unwrap_or_default());
            }
        }
        // The best path alone keeps what it has: the limit is of what is put together.
        if hops.is_empty() {
            return to;
        }
        hops.extend(own);
        merge(hops, limit).unwrap_or(to)
    }

    /// The route in the kernel's words; `None` when it leads to no link.
    pub fn kernel_route(&self, family: Family, attrs: &AttrSet, to: Resolved, ifaces: &Ifaces) -> Option<KernelRoute> {
        let to = tunnelled(attrs, to, ifaces);
        let mut route = KernelRoute::new(to);
        if route.hops().iter().any(|h| h.iface.0 == 0) {
            return None;
        }
        let local = attrs.local();
        if local.extra.is_none() {
            route.metric = self.conf.metric.unwrap_or(0);
            return Some(route);
        }
        let number = |name| match local.extra(name) {
            Some(LocalValue::Int(n)) => Some(*n),
            _ => None,
        };
        route.metric = self.conf.metric.filter(|m| *m != 0).or(number(LocalAttr::KrtMetric)).unwrap_or(0);
        route.realm = number(LocalAttr::KrtRealm).filter(|r| *r != 0);
        route.prefsrc = match local.extra(LocalAttr::KrtPrefsrc) {
            Some(LocalValue::Ip(addr)) => Some(*addr),
            Some(LocalValue::Int(n)) => Some(Ipv4Addr::from_bits(*n).into()),
            _ => None,
        };
        route.prefsrc = route.prefsrc.filter(|a| Family::of(*a) == family && !a.is_unspecified());
        if let Some(scope) = number(LocalAttr::KrtScope).and_then(|s| u8::try_from(s).ok()) {
            route.scope = scope;
        }
        let metrics = METRICS.iter().filter_map(|(n, attr)| Some((*n, number(*attr).filter(|v| *v != 0)?)));
        let metrics: Vec<_> = metrics.collect();
        let congctl = match local.extra(LocalAttr::KrtCongctl) {
            Some(LocalValue::Text(name)) if !name.is_empty() => Some((**name).into()),
            _ => None,
        };
        route.metrics = Metrics::new(metrics, congctl);
        Some(route)
    }
}

/// Calico's `krt_tunnel`: when it names a link, packets go there, to the BGP next hop, whatever the resolved way.
fn tunnelled(attrs: &AttrSet, to: Resolved, ifaces: &Ifaces) -> Resolved {
    let Some(LocalValue::Text(name)) = attrs.local().extra(LocalAttr::KrtTunnel) else { return to };
    let Some(tunnel) = ifaces.by_name(name) else { return to };
    let resolved = match &to {
        Resolved::Unicast(hop) => hop.gateway,
        _ => return to,
    };
    let gateway: Option<IpAddr> = attrs.next_hop().map(|(global, _)| global).or(resolved);
    Resolved::Unicast(Hop { gateway, iface: tunnel.index, onlink: true, weight: 0 })
}

/// The ways out of a route that has some.
fn ways(to: &Resolved) -> Option<Vec<Hop>> {
    match to {
        Resolved::Unicast(hop) => Some(vec![*hop]),
        Resolved::Multipath(hops) => Some(hops.to_vec()),
        Resolved::Blackhole | Resolved::Unreachable | Resolved::Prohibit => None,
    }
}

/// Ways out in BIRD's order, each once, the first `limit` of them; `None` when only one is left.
///
/// Ways to one gateway with different weights are different ways.
fn merge(mut hops: Vec<Hop>, limit: u32) -> Option<Resolved> {
    let order = |h: &Hop| (std::cmp::Reverse(h.weight), h.gateway, h.iface);
    hops.sort_by_key(order);
    hops.dedup_by_key(|h| order(h));
    hops.truncate(usize::try_from(limit.max(1)).unwrap_or(usize::MAX));
    (hops.len() > 1).then(|| Resolved::Multipath(hops.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rib::batch::ResolvedHop;
    use route::attrs::Local;
    use route::{Dest, IfIndex, Source, SourceId};

    fn rules() -> Rules {
        let conf = KernelConf::default();
        Rules { protocol: ProtocolId(1), name: "kernel1".into(), conf, export: Policy::Accept }
    }

    fn hop(gateway: &str, link: u32, weight: u8) -> Hop {
        Hop { weight, ..Hop::via(gateway.parse().unwrap(), IfIndex(link)) }
    }

    fn source(protocol: u32, kind: SourceKind) -> Source {
        let (id, protocol) = (SourceId(protocol), ProtocolId(protocol));
        Source::of_protocol(id, protocol, "x".into(), kind)
    }

    fn path(kind: SourceKind, to: Hop) -> (AttrSet, ResolvedHop) {
        let attrs = AttrSet::local_only(Local::new(kind, 200, Dest::Via(to)));
        (attrs, ResolvedHop { to: Resolved::Unicast(to), igp_metric: None, recursive: false })
    }

    fn wanted(rules: &Rules, paths: &[(&Source, &(AttrSet, ResolvedHop))]) -> Option<Resolved> {
        let net = "20.0.1.0/24".parse().unwrap();
        let paths = paths.iter().map(|(source, (attrs, hop))| Seen { attrs, source, hop, suppressed: false });
        let mut runner = Runner::new(tokio::sync::watch::Sender::new(std::sync::Arc::default()).subscribe());
        rules.wanted(net, paths, &Ifaces::default(), &mut runner).0.map(|r| r.dest)
    }

    #[test]
    fn device_routes_go_to_the_kernel_only_when_static_or_asked_for() {
        let dev = Hop::dev(IfIndex(2));
        let direct = (source(2, SourceKind::Device), path(SourceKind::Device, dev));
        let fixed = (source(3, SourceKind::Static), path(SourceKind::StaticDevice, dev));
        assert_eq!(wanted(&rules(), &[(&direct.0, &direct.1)]), None);
        assert_eq!(wanted(&rules(), &[(&fixed.0, &fixed.1)]), Some(Resolved::Unicast(dev)));
        let mut all = rules();
        all.conf.device_routes = true;
        assert_eq!(wanted(&all, &[(&direct.0, &direct.1)]), Some(Resolved::Unicast(dev)));
    }

    #[test]
    fn what_the_kernel_taught_does_not_go_back_to_it() {
        let learned = (source(1, SourceKind::Inherit), path(SourceKind::Inherit, hop("10.1.1.2", 2, 0)));
        assert_eq!(wanted(&rules(), &[(&learned.0, &learned.1)]), None);
    }

    /// reference/kernel/1.6.8/ecmp-merge-paths.txt.
    #[test]
    fn equal_paths_are_merged_in_birds_order_up_to_the_limit() {
        let one = (source(2, SourceKind::Static), path(SourceKind::Static, hop("10.1.2.2", 3, 0)));
        let two = (source(3, SourceKind::Static), path(SourceKind::Static, hop("10.1.1.2", 2, 0)));
        let direct = (source(4, SourceKind::Device), path(SourceKind::Static, hop("10.1.3.2", 4, 0)));
        let paths = [(&one.0, &one.1), (&two.0, &two.1), (&direct.0, &direct.1)];
        assert_eq!(wanted(&rules(), &paths), Some(Resolved::Unicast(hop("10.1.2.2", 3, 0))));
        let mut merging = rules();
        merging.conf.merge_paths = Some(16);
        let both = [hop("10.1.1.2", 2, 0), hop("10.1.2.2", 3, 0)];
        assert_eq!(wanted(&merging, &paths), Some(Resolved::Multipath(both.into())));
        merging.conf.merge_paths = Some(1);
        assert_eq!(wanted(&merging, &paths), Some(Resolved::Unicast(hop("10.1.2.2", 3, 0))));
    }

    /// Tried with 1.6.8: behind the best path a table has no order, and a way counts with its weight.
    #[test]
    fn a_worse_path_in_between_keeps_none_out_and_a_path_alone_keeps_all_its_ways() {
        let worse = |(mut attrs, hop): (AttrSet, ResolvedHop)| {
            attrs = AttrSet::local_only(Local { preference: 150, ..attrs.local().clone() });
            (attrs, hop)
        };
        let one = (source(2, SourceKind::Static), path(SourceKind::Static, hop("10.1.1.2", 2, 0)));
        let low = (source(3, SourceKind::Static), worse(path(SourceKind::Static, hop("10.1.1.3", 2, 0))));
        let heavy = (source(4, SourceKind::Static), path(SourceKind::Static, hop("10.1.1.2", 2, 4)));
        let mut merging = rules();
        merging.conf.merge_paths = Some(16);
        let ways = [hop("10.1.1.2", 2, 4), hop("10.1.1.2", 2, 0)];
        let paths = [(&one.0, &one.1), (&low.0, &low.1), (&heavy.0, &heavy.1)];
        assert_eq!(wanted(&merging, &paths), Some(Resolved::Multipath(ways.into())));
        let mut many = one.clone();
        many.1.1.to = Resolved::Multipath(ways.into());
        merging.conf.merge_paths = Some(1);
        assert_eq!(wanted(&merging, &[(&many.0, &many.1)]), Some(Resolved::Multipath(ways.into())));
    }

    /// reference/kernel/1.6.8/krt-metric-prefsrc.txt.
    #[test]
    fn what_a_filter_sets_reaches_the_kernel() {
        let mut local = Local::new(SourceKind::Static, 200, Dest::Blackhole);
        local.set_extra(LocalAttr::KrtMtu, Some(LocalValue::Int(1300)));
        local.set_extra(LocalAttr::KrtCongctl, Some(LocalValue::Text("reno".into())));
        local.set_extra(LocalAttr::KrtMetric, Some(LocalValue::Int(55)));
        local.set_extra(LocalAttr::KrtPrefsrc, Some(LocalValue::Ip("10.9.9.9".parse().unwrap())));
        local.set_extra(LocalAttr::KrtRealm, Some(LocalValue::Int(7)));
        let attrs = AttrSet::local_only(local);
        let route =
            |rules: &Rules| rules.kernel_route(Family::Ipv4, &attrs, Resolved::Blackhole, &Ifaces::default()).unwrap();
        let expected = KernelRoute {
            metric: 55,
            prefsrc: Some("10.9.9.9".parse().unwrap()),
            realm: Some(7),
            metrics: Metrics::new(vec![(2, 1300)], Some("reno".into())),
            ..KernelRoute::new(Resolved::Blackhole)
        };
        assert_eq!(route(&rules()), expected);
        // `metric` of the protocol wins over the attribute.
        let mut fixed = rules();
        fixed.conf.metric = Some(64);
        assert_eq!(route(&fixed).metric, 64);
    }

    #[test]
    fn a_tunnel_takes_the_route_to_the_bgp_next_hop() {
        let links = super::super::super::lab::links(&[("d0", &["10.1.1.1/24"]), ("tunl0", &["10.50.0.1/32"])]);
        let mut local = Local::new(SourceKind::Bgp, 100, Dest::Via(hop("10.1.1.2", 1, 0)));
        local.set_extra(LocalAttr::KrtTunnel, Some(LocalValue::Text("tunl0".into())));
        let mut b = route::AttrSetBuilder::new(local);
        b.set(route::attr::code::NEXT_HOP, &[192, 0, 2, 9]);
        let to = Resolved::Unicast(hop("10.1.1.2", 1, 0));
        let route = rules().kernel_route(Family::Ipv4, &b.build(), to, &links).unwrap();
        assert_eq!(route.dest, Resolved::Unicast(Hop { onlink: true, ..hop("192.0.2.9", 2, 0) }));
    }
}
