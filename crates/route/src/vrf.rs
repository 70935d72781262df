//! `vrf`: the part of the machine that a protocol keeps to.
//!
//! A VRF is known by the name of its device, which is the master of the links in
//! it. It is looked up in each snapshot of links anew: the device may be missing
//! at first, come later, and come again with another number. A protocol with a
//! VRF is shown the snapshot without the links of others ([`seen`]), so whoever
//! looks for a neighbour or a network there finds none of theirs, though their
//! addresses may be the same. To the kernel any master will do, a bridge too.

use crate::iface::{IfIndex, Iface, Ifaces, Within};
use std::fmt;
use std::sync::Arc;

/// `vrf "NAME"` or `vrf default`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vrf {
    /// The name of its device; `None`: the links that are in no VRF.
    pub name: Option<Arc<str>>,
    /// Its own device is one of its links (BIRD 2.14 and later); else that is in no VRF.
    pub holds_device: bool,
}

impl Vrf {
    /// Whose links it has, in a snapshot of the machine.
    pub fn within(&self, all: &Ifaces) -> Within {
        match self.name.as_deref().map(|name| all.by_name(name)) {
            None => Within::Vrf(IfIndex(0)),
            Some(Some(device)) => Within::Vrf(device.index),
            Some(None) => Within::Nowhere,
        }
    }

    /// Those of its links.
    pub fn links(&self, all: &Ifaces) -> Ifaces {
        let within = self.within(all);
        all.only(within, |link| Within::Vrf(self.of(link)) == within)
    }

    /// The device of the VRF in which a link is, 0 for none.
    fn of(&self, link: &Iface) -> IfIndex {
        if self.holds_device { link.vrf() } else { link.master }
    }
}

impl fmt::Display for Vrf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name.as_deref().unwrap_or("default"))
    }
}

/// The links that a protocol sees: all of them without a VRF, else those in it.
pub fn seen(vrf: Option<&Vrf>, all: &Arc<Ifaces>) -> Arc<Ifaces> {
    vrf.map_or_else(|| Arc::clone(all), |vrf| Arc::new(vrf.links(all)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iface::{IfaceAddr, IfaceFlags, Scope};

    /// Links by name, master and address; numbers are their places, from 1 on.
    fn machine(links: &[(&str, u32, &str)]) -> Arc<Ifaces> {
        let link = |(place, (name, master, net)): (usize, &(&str, u32, &str))| {
            let (addr, len) = net.split_once('/').unwrap();
            let addr: std::net::IpAddr = addr.parse().unwrap();
            let prefix = crate::Prefix::new(addr, len.parse().unwrap()).unwrap();
            let ours =
                IfaceAddr { addr, prefix, broadcast: None, peer: None, scope: Scope::Universe, secondary: false };
            Iface {
                index: IfIndex(place as u32 + 1),
                name: (*name).into(),
                flags: IfaceFlags {
                    admin_up: true,
                    link_up: true,
                    vrf: name.starts_with("vrf"),
                    ..IfaceFlags::default()
                },
                mtu: 1500,
                master: IfIndex(*master),
                addrs: vec![ours],
            }
        };
        Arc::new(Ifaces::new(links.iter().enumerate().map(link).collect()))
    }

    fn names(vrf: Option<&str>, holds_device: bool, all: &Arc<Ifaces>) -> Vec<String> {
        let vrf = Vrf { name: vrf.map(Into::into), holds_device };
        seen(Some(&vrf), all).iter().map(|link| link.name.to_string()).collect()
    }

    const TWO: [(&str, u32, &str); 5] = [
        ("vrf-a", 0, "10.255.0.1/32"),
        ("vrf-b", 0, "10.255.0.2/32"),
        ("a0", 1, "10.0.0.1/24"),
        ("b0", 2, "10.0.0.1/24"),
        ("eth0", 0, "10.0.0.1/24"),
    ];

    #[test]
    fn a_protocol_sees_the_links_of_its_vrf_and_without_one_all() {
        let all = machine(&TWO);
        assert_eq!(names(Some("vrf-a"), false, &all), ["a0"]);
        assert_eq!(names(Some("vrf-b"), false, &all), ["b0"]);
        assert_eq!(names(Some("a0"), false, &all), [""; 0], "a link that is nobody's master");
        assert!(Arc::ptr_eq(&seen(None, &all), &all));
    }

    #[test]
    fn the_device_is_in_its_vrf_from_2_14_on_and_before_in_none() {
        let all = machine(&TWO);
        assert_eq!(names(Some("vrf-a"), true, &all), ["vrf-a", "a0"]);
        assert_eq!(names(None, true, &all), ["eth0"]);
        assert_eq!(names(None, false, &all), ["vrf-a", "vrf-b", "eth0"]);
        // A bridge is a device like others, whatever its ports are.
        let bridge = machine(&[("br0", 0, "10.1.0.1/24"), ("port", 1, "10.2.0.1/24")]);
        assert_eq!(names(Some("br0"), true, &bridge), ["port"]);
        assert_eq!(names(None, true, &bridge), ["br0"]);
    }

    #[test]
    fn a_neighbour_is_on_the_link_of_the_vrf_though_others_have_the_same_network() {
        let all = machine(&TWO);
        let link = |name: &str| {
            let vrf = Vrf { name: Some(name.into()), holds_device: true };
            let links = seen(Some(&vrf), &all);
            links.neighbor("10.0.0.2".parse().unwrap()).map(|(link, _)| link.index.0)
        };
        assert_eq!((link("vrf-a"), link("vrf-b"), link("vrf-c")), (Some(3), Some(4), None));
    }

    #[test]
    fn a_vrf_without_its_device_has_no_links_until_the_device_comes() {
        let vrf = Vrf { name: Some("vrf-a".into()), holds_device: true };
        let seen = |all: &Ifaces| (vrf.within(all), vrf.links(all).iter().count());
        let without = machine(&[("eth0", 0, "10.0.0.1/24"), ("a0", 0, "10.1.0.1/24")]);
        assert_eq!(seen(&without), (Within::Nowhere, 0));
        let with = machine(&[("eth0", 0, "10.0.0.1/24"), ("a0", 3, "10.1.0.1/24"), ("vrf-a", 0, "10.2.0.1/32")]);
        assert_eq!(seen(&with), (Within::Vrf(IfIndex(3)), 2));
        assert_eq!(vrf.links(&with).within().device(), Some(IfIndex(3)));
    }

    #[test]
    fn two_vrfs_are_apart_and_who_keeps_to_none_is_near_to_all() {
        let [a, b, default, all] =
            [Within::Vrf(IfIndex(1)), Within::Vrf(IfIndex(2)), Within::Vrf(IfIndex(0)), Within::Machine];
        assert!(a.is_apart_from(b) && a.is_apart_from(default));
        assert!(!a.is_apart_from(a) && !a.is_apart_from(all) && !all.is_apart_from(b));
        assert_eq!((default.device(), all.device()), (None, None));
    }
}
