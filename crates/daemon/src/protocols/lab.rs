//! Links for tests, in words.

use netlink::links::scope_of;
use route::iface::IfaceFlags;
use route::{IfIndex, Iface, IfaceAddr, Ifaces, Prefix};
use std::net::IpAddr;

/// Links that are up, numbered from 1, with addresses as `10.1.1.1/24`, `10.1.1.9/24 secondary`, `10.1.9.1 peer 10.1.9.2`.
pub fn links(links: &[(&str, &[&str])]) -> Ifaces {
    let flags = IfaceFlags { admin_up: true, link_up: true, multi_access: true, ..IfaceFlags::default() };
    let iface = |(at, (name, addrs)): (usize, &(&str, &[&str]))| Iface {
        index: IfIndex(at as u32 + 1),
        name: (*name).into(),
        flags: IfaceFlags { loopback: *name == "lo", ..flags },
        mtu: 1500,
        master: IfIndex(0),
        addrs: addrs.iter().map(|text| addr(text)).collect(),
    };
    Ifaces::new(links.iter().enumerate().map(iface).collect())
}

fn addr(text: &str) -> IfaceAddr {
    let words: Vec<_> = text.split(' ').collect();
    let (addr, prefix, peer): (IpAddr, _, _) = match words[..] {
        [addr, "peer", peer] => {
            let peer = peer.parse().unwrap();
            (addr.parse().unwrap(), Prefix::host(peer), Some(peer))
        }
        _ => {
            let (addr, len) = words[0].split_once('/').unwrap();
            let addr = addr.parse().unwrap();
            (addr, Prefix::new(addr, len.parse().unwrap()).unwrap(), None)
        }
    };
    let secondary = words.last() == Some(&"secondary");
    IfaceAddr { addr, prefix, broadcast: None, peer, scope: scope_of(addr), secondary }
}
