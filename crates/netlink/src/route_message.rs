//! RTM_NEWROUTE and RTM_DELROUTE: routes to octets and back.

use crate::kernel_route::{KernelRoute, Metrics, PROTO_BIRD, SCOPE_UNIVERSE, SeenRoute};
use crate::message::{Message, Writer, attributes, number};
use libc::{
    AF_INET, AF_INET6, RT_SCOPE_NOWHERE, RTA_DST, RTA_FLOW, RTA_GATEWAY, RTA_METRICS, RTA_MULTIPATH, RTA_OIF,
    RTA_PREFSRC, RTA_PRIORITY, RTA_TABLE, RTA_VIA, RTM_F_CLONED, RTN_BLACKHOLE, RTN_PROHIBIT, RTN_UNICAST,
    RTN_UNREACHABLE,
};
use route::{Family, Hop, IfIndex, Prefix, Resolved};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

/// `struct rtmsg` in octets.
const RTMSG: usize = 12;
/// `struct rtnexthop` in octets.
const RTNEXTHOP: usize = 8;
/// Flag of a hop: the gateway is on the link although no address says so.
const RTNH_ONLINK: u8 = 4;
/// The RTAX_* metric that is no number but the name of an algorithm.
pub const RTAX_CC_ALGO: u16 = 16;
/// The last RTAX_* metric that we know; further ones are the kernel's own business.
pub const RTAX_FASTOPEN_NO_COOKIE: u16 = 17;
/// More hops than this in one route are not believed.
const HOPS_MAX: usize = 1024;

/// AF_INET or AF_INET6.
pub const fn af(family: Family) -> u8 {
    match family {
        Family::Ipv4 => AF_INET as u8,
        Family::Ipv6 => AF_INET6 as u8,
    }
}

/// The octets of an address.
pub fn put_addr(w: &mut Writer, kind: u16, addr: IpAddr) {
    match addr {
        IpAddr::V4(a) => w.attribute(kind, &a.octets()),
        IpAddr::V6(a) => w.attribute(kind, &a.octets()),
    }
}

/// An address of 4 or 16 octets.
pub fn addr(octets: &[u8]) -> Option<IpAddr> {
    match octets.len() {
        4 => Some(Ipv4Addr::from(<[u8; 4]>::try_from(octets).ok()?).into()),
        16 => Some(Ipv6Addr::from(<[u8; 16]>::try_from(octets).ok()?).into()),
        _ => None,
    }
}

/// The head of a request.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    /// RTM_NEWROUTE or RTM_DELROUTE.
    pub kind: u16,
    /// NLM_F_*.
    pub flags: u16,
    /// The number by which it is answered.
    pub sequence: u32,
}

/// Writes a whole message about a route of ours.
///
/// In a deletion the kernel takes the fields that are given as what the route
/// must have: prefix, metric, protocol and type name ours and no other.
pub fn encode(w: &mut Writer, call: Call, table: u32, net: Prefix, r: &KernelRoute) {
    let deletes = call.kind == libc::RTM_DELROUTE;
    let rtn = match r.dest {
        Resolved::Unicast(_) | Resolved::Multipath(_) => RTN_UNICAST,
        Resolved::Blackhole => RTN_BLACKHOLE,
        Resolved::Unreachable => RTN_UNREACHABLE,
        Resolved::Prohibit => RTN_PROHIBIT,
    };
    let [onlink, rest @ ..] = match &r.dest {
        Resolved::Unicast(hop) if hop.onlink && hop.gateway.is_some() => u32::from(RTNH_ONLINK).to_ne_bytes(),
        _ => [0; 4],
    };
    let scope = if deletes { RT_SCOPE_NOWHERE } else { r.scope };
    let head = [af(net.family()), net.len(), 0, 0, u8::try_from(table).unwrap_or(0), PROTO_BIRD, scope, rtn];
    let mut fixed = [0; RTMSG];
    fixed[..8].copy_from_slice(&head);
    fixed[8] = onlink;
    fixed[9..].copy_from_slice(&rest);
    w.begin(call.kind, call.flags, call.sequence, &fixed);
    put_addr(w, RTA_DST, net.addr());
    if table > 255 {
        w.number(RTA_TABLE, table);
    }
    if r.metric != 0 {
        w.number(RTA_PRIORITY, r.metric);
    }
    if !deletes {
        put_dest(w, net.family(), &r.dest);
        put_extras(w, r);
    }
    w.end();
}

fn put_dest(w: &mut Writer, family: Family, dest: &Resolved) {
    match dest {
        Resolved::Unicast(hop) => {
            w.number(RTA_OIF, hop.iface.0);
            put_gateway(w, family, hop);
        }
        Resolved::Multipath(hops) => {
            let all = w.open(RTA_MULTIPATH);
            for hop in hops.iter() {
                let [i0, i1, i2, i3] = hop.iface.0.to_ne_bytes();
                let flags = if hop.onlink && hop.gateway.is_some() { RTNH_ONLINK } else { 0 };
                let one = w.record(&[flags, hop.weight, i0, i1, i2, i3]);
                put_gateway(w, family, hop);
                w.close(one);
            }
            w.close(all);
        }
        Resolved::Blackhole | Resolved::Unreachable | Resolved::Prohibit => {}
    }
}

fn put_gateway(w: &mut Writer, family: Family, hop: &Hop) {
    match hop.gateway {
        Some(IpAddr::V6(gateway)) if family == Family::Ipv4 => {
            // An IPv4 route through an IPv6 neighbour (RFC 8950): `struct rtvia`.
            let mut via = [0; 18];
            via[..2].copy_from_slice(&(AF_INET6 as u16).to_ne_bytes());
            via[2..].copy_from_slice(&gateway.octets());
            w.attribute(RTA_VIA, &via);
        }
        Some(gateway) => put_addr(w, RTA_GATEWAY, gateway),
        None => {}
    }
}

fn put_extras(w: &mut Writer, r: &KernelRoute) {
    if let Some(prefsrc) = r.prefsrc {
        put_addr(w, RTA_PREFSRC, prefsrc);
    }
    if let Some(realm) = r.realm {
        w.number(RTA_FLOW, realm);
    }
    if let Some(metrics) = &r.metrics {
        let all = w.open(RTA_METRICS);
        for (kind, value) in &metrics.numbers {
            w.number(*kind, *value);
        }
        if let Some(name) = &metrics.congctl {
            w.attribute(RTAX_CC_ALGO, &[name.as_bytes(), &[0]].concat());
        }
        w.close(all);
    }
}

/// Asks for a dump of one table.
pub fn encode_dump(w: &mut Writer, sequence: u32, family: Family, table: u32) {
    let mut fixed = [0; RTMSG];
    fixed[0] = af(family);
    fixed[4] = u8::try_from(table).unwrap_or(0);
    let flags = (libc::NLM_F_REQUEST | libc::NLM_F_DUMP) as u16;
    w.begin(libc::RTM_GETROUTE, flags, sequence, &fixed);
    w.number(RTA_TABLE, table);
    w.end();
}

/// Reads a route message.
///
/// `None` for what is no route of a table: cache entries, local, broadcast and
/// multicast routes, `throw` and `nat`, other families, routes for packets from
/// one network alone (`from`), and octets that make no sense.
pub fn decode(m: &Message<'_>) -> Option<SeenRoute> {
    let (&[af, dst_len, src_len, tos, table, protocol, scope, rtn, f0, f1, f2, f3], rest) =
        m.body.split_first_chunk::<RTMSG>()?;
    let family = match i32::from(af) {
        AF_INET => Family::Ipv4,
        AF_INET6 => Family::Ipv6,
        _ => return None,
    };
    let flags = u32::from_ne_bytes([f0, f1, f2, f3]);
    if flags & RTM_F_CLONED != 0 || src_len != 0 {
        return None;
    }
    let mut seen = Attributes { table: u32::from(table), ..Attributes::default() };
    for (kind, value) in attributes(rest) {
        seen.take(kind, value);
    }
    let dest = match rtn {
        RTN_UNICAST => seen.unicast(flags)?,
        RTN_BLACKHOLE => Resolved::Blackhole,
        RTN_UNREACHABLE => Resolved::Unreachable,
        RTN_PROHIBIT => Resolved::Prohibit,
        _ => return None,
    };
    let net = match seen.dst {
        Some(dst) if Family::of(dst) == family => Prefix::new(dst, dst_len)?,
        Some(_) => return None,
        None => (dst_len == 0).then(|| Prefix::default(family))?,
    };
    let route = KernelRoute {
        dest,
        metric: seen.metric,
        scope: if family == Family::Ipv6 { SCOPE_UNIVERSE } else { scope },
        prefsrc: seen.prefsrc,
        realm: seen.realm,
        metrics: seen.metrics,
    };
    Some(SeenRoute { net, protocol, table: seen.table, tos, route })
}

#[derive(Default)]
struct Attributes<'a> {
    dst: Option<IpAddr>,
    gateway: Option<IpAddr>,
    oif: u32,
    table: u32,
    metric: u32,
    prefsrc: Option<IpAddr>,
    realm: Option<u32>,
    metrics: Option<Arc<Metrics>>,
    multipath: Option<&'a [u8]>,
}

impl<'a> Attributes<'a> {
    fn take(&mut self, kind: u16, value: &'a [u8]) {
        match kind {
            RTA_DST => self.dst = addr(value),
            RTA_GATEWAY => self.gateway = addr(value),
            RTA_VIA => self.gateway = value.get(2..).and_then(addr),
            RTA_OIF => self.oif = number(value).unwrap_or(0),
            RTA_TABLE => self.table = number(value).unwrap_or(self.table),
            RTA_PRIORITY => self.metric = number(value).unwrap_or(0),
            RTA_PREFSRC => self.prefsrc = addr(value),
            RTA_FLOW => self.realm = number(value).filter(|r| *r != 0),
            RTA_METRICS => self.metrics = metrics(value),
            RTA_MULTIPATH => self.multipath = Some(value),
            _ => {}
        }
    }

    fn unicast(&self, flags: u32) -> Option<Resolved> {
        let Some(multipath) = self.multipath else {
            let onlink = flags & u32::from(RTNH_ONLINK) != 0;
            return Some(Resolved::Unicast(Hop { gateway: self.gateway, iface: IfIndex(self.oif), onlink, weight: 0 }));
        };
        let hops: Arc<[Hop]> = hops(multipath).take(HOPS_MAX).collect();
        (!hops.is_empty()).then_some(Resolved::Multipath(hops))
    }
}

/// The hops in RTA_MULTIPATH: `struct rtnexthop`, each with attributes of its own.
fn hops(octets: &[u8]) -> impl Iterator<Item = Hop> {
    let mut rest = octets;
    std::iter::from_fn(move || {
        let (&[l0, l1, flags, weight, i0, i1, i2, i3], _) = rest.split_first_chunk::<RTNEXTHOP>()?;
        let len = usize::from(u16::from_ne_bytes([l0, l1]));
        let own = rest.get(RTNEXTHOP..len)?;
        rest = rest.get((len + 3) & !3..).unwrap_or_default();
        let mut hop = Hop {
            gateway: None,
            iface: IfIndex(u32::from_ne_bytes([i0, i1, i2, i3])),
            onlink: flags & RTNH_ONLINK != 0,
            weight,
        };
        for (kind, value) in attributes(own) {
            match kind {
                RTA_GATEWAY => hop.gateway = addr(value),
                RTA_VIA => hop.gateway = value.get(2..).and_then(addr),
                _ => {}
            }
        }
        Some(hop)
    })
}

fn metrics(octets: &[u8]) -> Option<Arc<Metrics>> {
    let mut all: Vec<(u16, u32)> = attributes(octets)
        .filter(|(kind, _)| (1..=RTAX_FASTOPEN_NO_COOKIE).contains(kind) && *kind != RTAX_CC_ALGO)
        .filter_map(|(kind, value)| Some((kind, number(value)?)))
        .filter(|(_, value)| *value != 0)
        .collect();
    all.sort_unstable();
    all.dedup_by_key(|(kind, _)| *kind);
    let name = attributes(octets).find(|(kind, _)| *kind == RTAX_CC_ALGO);
    let name = name.and_then(|(_, value)| std::str::from_utf8(value.split(|octet| *octet == 0).next()?).ok());
    Metrics::new(all, name.filter(|name| !name.is_empty()).map(Into::into))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::messages;

    fn hop(gateway: &str, iface: u32, weight: u8) -> Hop {
        Hop { weight, ..Hop::via(gateway.parse().unwrap(), IfIndex(iface)) }
    }

    const NEW: Call = Call { kind: libc::RTM_NEWROUTE, flags: 0, sequence: 1 };

    fn back_and_forth(net: &str, table: u32, route: KernelRoute) {
        let net: Prefix = net.parse().unwrap();
        let mut w = Writer::default();
        encode(&mut w, NEW, table, net, &route);
        let m = messages(w.octets()).next().unwrap();
        assert_eq!(decode(&m), Some(SeenRoute { net, protocol: PROTO_BIRD, table, tos: 0, route }));
    }

    #[test]
    fn decoding_after_encoding_is_the_identity() {
        back_and_forth("10.0.0.0/8", 254, KernelRoute::new(Resolved::Unicast(hop("10.1.1.2", 3, 0))));
        back_and_forth("0.0.0.0/0", 254, KernelRoute::new(Resolved::Unicast(Hop::dev(IfIndex(3)))));
        back_and_forth("10.0.0.0/8", 900, KernelRoute::new(Resolved::Prohibit));
        back_and_forth("2001:db8::/32", 900, KernelRoute::new(Resolved::Blackhole));
        back_and_forth("10.0.0.0/8", 254, KernelRoute::new(Resolved::Unicast(hop("fe80::1", 3, 0))));
        back_and_forth(
            "10.0.0.0/8",
            254,
            KernelRoute::new(Resolved::Multipath([hop("10.1.1.2", 1, 2), hop("10.1.2.2", 2, 255)].into())),
        );
        let onlink = Hop { onlink: true, ..hop("10.1.1.2", 3, 0) };
        back_and_forth("10.0.0.0/8", 254, KernelRoute::new(Resolved::Unicast(onlink)));
        back_and_forth(
            "10.0.0.0/8",
            254,
            KernelRoute {
                metric: 64,
                prefsrc: Some("10.0.0.1".parse().unwrap()),
                realm: Some(7),
                metrics: Metrics::new(vec![(2, 1300), (8, 40), (17, 1)], Some("reno".into())),
                ..KernelRoute::new(Resolved::Unicast(hop("10.1.1.2", 3, 0)))
            },
        );
    }

    /// The kernel has it beside the route for all packets, with the same prefix and metric.
    #[test]
    fn a_route_for_packets_from_one_network_is_none_of_ours() {
        let mut w = Writer::default();
        let route = KernelRoute::new(Resolved::Unicast(hop("fe80::1", 3, 0)));
        encode(&mut w, NEW, 254, "2001:db8::/32".parse().unwrap(), &route);
        let mut octets = w.octets().to_vec();
        assert!(messages(&octets).next().is_some_and(|m| decode(&m).is_some()));
        // `rtm_src_len`, behind the head of the message.
        octets[16 + 2] = 48;
        assert!(messages(&octets).next().is_some_and(|m| decode(&m).is_none()));
    }

    #[test]
    fn no_octets_whatever_make_the_reader_panic() {
        let mut w = Writer::default();
        let route = KernelRoute::new(Resolved::Multipath([hop("10.1.1.2", 1, 2), hop("10.1.2.2", 2, 9)].into()));
        encode(&mut w, NEW, 900, "10.0.0.0/8".parse().unwrap(), &route);
        let good = w.octets().to_vec();
        for at in 0..good.len() {
            for value in [0, 1, 3, 4, 7, 8, 127, 255] {
                let mut bad = good.clone();
                bad[at] = value;
                for m in messages(&bad) {
                    let _ = decode(&m);
                }
            }
            for m in messages(good.get(..at).unwrap_or_default()) {
                let _ = decode(&m);
            }
        }
    }
}
