//! `protocol device`: how often links are read anew, and which address stands for a link.

use super::diary::Diary;
use super::{Start, pattern};
use crate::world::World;
use conf::config::{DeviceConf, ProtocolConf, ProtocolKind};
use control::view::InterfaceView;
use netlink::Monitor;
use route::iface::Scope;
use route::{Family, Iface, IfaceAddr, Ifaces};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// A running `device` protocol. Cheap to clone.
#[derive(Clone)]
pub struct DeviceHandle {
    monitor: Monitor,
    links: Arc<watch::Sender<Arc<Ifaces>>>,
    standing: Standing,
    diary: Diary,
    state: Arc<Mutex<Device>>,
}

struct Device {
    conf: Arc<ProtocolConf>,
    up: bool,
}

/// How the device protocol chooses the addresses that stand for links, for those who ask. Cheap to clone.
#[derive(Clone, Default)]
pub struct Standing(Arc<Mutex<DeviceConf>>);

impl Standing {
    /// The options of the device protocol; its defaults before there was one.
    pub fn rules(&self) -> DeviceConf {
        self.lock().clone()
    }

    /// Takes over new ones; says whether other addresses may stand for links now.
    fn set(&self, conf: &DeviceConf) -> bool {
        let mut now = self.lock();
        let rules = |of: &DeviceConf| (of.primary.clone(), of.preferred.clone(), of.prefers_lowest);
        let differs = rules(&now) != rules(conf);
        *now = conf.clone();
        differs
    }

    fn lock(&self) -> MutexGuard<'_, DeviceConf> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl DeviceHandle {
    /// Makes it; it is down until [`begin`](Self::begin). Must be called inside the runtime.
    pub fn spawn(start: Start) -> Self {
        let state = Device { conf: start.conf, up: false };
        let World { monitor, links, standing, .. } = start.world;
        let this = Self { monitor, links, standing, diary: start.diary, state: Arc::new(Mutex::new(state)) };
        this.tell_standing(&this.lock());
        this
    }

    /// Who follows links looks at them again when other addresses stand for them.
    fn tell_standing(&self, state: &Device) {
        if device(&state.conf).is_some_and(|conf| self.standing.set(conf)) {
            self.links.send_modify(|_| ());
        }
    }

    fn lock(&self) -> MutexGuard<'_, Device> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Goes up and has links and addresses read anew; nothing happens when it is up already.
    pub fn begin(&self) {
        let mut state = self.lock();
        if std::mem::replace(&mut state.up, true) {
            return;
        }
        self.diary.starting();
        let diary = self.diary.clone();
        self.monitor.hear_scans(Some(Box::new(move || diary.event(format_args!("Scanning interfaces")))));
        self.set_pace(&state);
        self.monitor.rescan();
        self.diary.fed();
    }

    /// Goes down: links are followed by notifications alone. The future ends when that is done.
    #[expect(clippy::unused_async, reason = "all protocols stop alike")]
    pub async fn stop(&self) {
        let mut state = self.lock();
        if std::mem::replace(&mut state.up, false) {
            self.diary.shutting_down();
            self.diary.event(format_args!("Flushing interfaces"));
            self.set_pace(&state);
            self.monitor.hear_scans(None);
            self.diary.down();
        }
    }

    /// Takes over new options.
    #[expect(clippy::unused_async, reason = "all protocols reconfigure alike")]
    pub async fn reconfigure(&self, conf: Arc<ProtocolConf>) {
        let mut state = self.lock();
        state.conf = conf;
        self.set_pace(&state);
        self.tell_standing(&state);
    }

    fn set_pace(&self, state: &Device) {
        let scan_time = device(&state.conf).map(|conf| conf.scan_time);
        self.monitor.set_scan_time(scan_time.filter(|t| state.up && !t.is_zero()));
    }

    /// The links as `show interfaces` prints them: with the primary address of each family, which comes first in 1.6.
    pub fn views(&self, ifaces: &Ifaces) -> Vec<InterfaceView> {
        let conf = Arc::clone(&self.lock().conf);
        ifaces.iter().map(|iface| view(device(&conf), iface, ifaces)).collect()
    }
}

fn device(conf: &ProtocolConf) -> Option<&DeviceConf> {
    match &conf.kind {
        ProtocolKind::Device(conf) => Some(conf),
        _ => None,
    }
}

fn view(conf: Option<&DeviceConf>, iface: &Iface, ifaces: &Ifaces) -> InterfaceView {
    let primary: Vec<IpAddr> = Family::ALL.iter().filter_map(|f| primary(conf, iface, *f)).map(|a| a.addr).collect();
    let mut iface = iface.clone();
    if conf.is_none_or(|c| c.prefers_lowest) {
        iface.addrs.sort_by_key(|a| !primary.contains(&a.addr));
    }
    let master = ifaces.get(iface.master).map(|m| Arc::clone(&m.name));
    InterfaceView { iface, master, primary }
}

/// The address that stands for a link: the first `primary` rule that names one, what `preferred` names, else BIRD's
/// choice.
///
/// BIRD 1.6 prefers addresses that reach beyond the link, and of those the lowest, BIRD 2 the first; secondary ones
/// never count.
pub fn primary<'a>(conf: Option<&DeviceConf>, iface: &'a Iface, family: Family) -> Option<&'a IfaceAddr> {
    let candidates = || iface.addrs.iter().filter(|a| !a.secondary && Family::of(a.addr) == family);
    let lowest = conf.is_none_or(|c| c.prefers_lowest);
    let choice = |all: &mut dyn Iterator<Item = &'a IfaceAddr>| match lowest {
        true => all.min_by_key(|a| (a.scope <= Scope::Link, a.addr)),
        false => all.min_by_key(|a| is_link_local(a)),
    };
    let rules = conf.map(|c| c.primary.as_slice()).unwrap_or_default();
    let chosen = rules.iter().find_map(|(links, net)| {
        let is_meant = |a: &IfaceAddr| links.iter().find(|p| pattern::fits(p, iface, a)).is_some_and(|p| !p.negative);
        let named = |a: &&IfaceAddr| is_meant(a) && net.contains(a.addr);
        choice(&mut candidates().filter(named))
    });
    let preferred = || {
        let (_, addrs) = conf?.preferred.iter().find(|(links, _)| pattern::chooses(links, iface))?;
        let named = addrs.iter().rev().find(|a| Family::of(**a) == family && !is_link_local_addr(**a))?;
        candidates().find(|a| a.addr == *named)
    };
    chosen.or_else(preferred).or_else(|| choice(&mut candidates()))
}

const fn is_link_local(addr: &IfaceAddr) -> bool {
    is_link_local_addr(addr.addr)
}

const fn is_link_local_addr(addr: IpAddr) -> bool {
    matches!(addr, IpAddr::V6(v6) if v6.is_unicast_link_local())
}

#[cfg(test)]
mod tests {
    use super::super::lab;
    use super::*;
    use conf::config::IfacePattern;

    fn primary_of(addrs: &[&str]) -> String {
        let links = lab::links(&[("d0", addrs)]);
        primary(None, links.by_name("d0").unwrap(), Family::Ipv4).unwrap().addr.to_string()
    }

    /// reference/kernel/1.6.8/second-address-and-secondary.txt, and tried with 1.6.8.
    #[test]
    fn the_lowest_address_that_reaches_beyond_the_link_is_primary() {
        assert_eq!(primary_of(&["127.0.0.1/8", "10.8.8.8/32"]), "10.8.8.8");
        assert_eq!(primary_of(&["10.7.7.7/32", "10.1.9.1 peer 10.1.9.2"]), "10.1.9.1");
        assert_eq!(primary_of(&["10.1.1.1/24", "10.1.3.7/24", "10.1.0.7/24"]), "10.1.0.7");
        assert_eq!(primary_of(&["127.0.0.1/8"]), "127.0.0.1");
        assert_eq!(primary_of(&["10.1.1.1/24 secondary", "10.1.3.7/24"]), "10.1.3.7");
    }

    /// reference/kernel/2.0.12/second-address-and-secondary.txt.
    #[test]
    fn in_dialect_2_the_first_address_stands_for_the_link() {
        let conf = DeviceConf { prefers_lowest: false, ..DeviceConf::default() };
        let first_of = |addrs: &[&str]| {
            let links = lab::links(&[("d0", addrs)]);
            primary(Some(&conf), links.by_name("d0").unwrap(), Family::Ipv4).unwrap().addr.to_string()
        };
        assert_eq!(first_of(&["127.0.0.1/8", "10.8.8.8/32"]), "127.0.0.1");
        assert_eq!(first_of(&["10.7.7.7/32", "10.1.9.1 peer 10.1.9.2"]), "10.7.7.7");
        assert_eq!(first_of(&["10.1.1.1/24 secondary", "10.1.3.7/24"]), "10.1.3.7");
    }

    /// Tried with 2.0.12: the first list that chooses a link counts, and of what it names the last.
    #[test]
    fn of_preferred_addresses_the_last_of_the_first_list_that_fits_stands_for_the_link() {
        let links = lab::links(&[("d0", &["10.1.1.1/24", "10.2.1.1/24", "10.2.1.7/24 secondary"])]);
        let name = |name: &str| vec![IfacePattern { negative: false, name: Some(name.into()), prefix: None }];
        let chosen = |lists: &[(&str, &[&str])]| {
            let list = |(links, addrs): &(&str, &[&str])| {
                (name(links), addrs.iter().map(|a| a.parse().unwrap()).collect::<Vec<_>>())
            };
            let preferred = lists.iter().map(list).collect();
            let conf = DeviceConf { prefers_lowest: false, preferred, ..DeviceConf::default() };
            primary(Some(&conf), links.by_name("d0").unwrap(), Family::Ipv4).unwrap().addr.to_string()
        };
        assert_eq!(chosen(&[("d*", &["10.2.1.1", "fd00::1"])]), "10.2.1.1");
        assert_eq!(chosen(&[("d*", &["10.2.1.1", "10.2.1.7"])]), "10.1.1.1", "the last one cannot");
        assert_eq!(chosen(&[("d0", &[]), ("*", &["10.2.1.1"])]), "10.1.1.1", "the first list says nothing");
    }

    #[test]
    fn a_primary_rule_names_another() {
        let links = lab::links(&[("d0", &["10.1.1.1/24", "10.2.1.1/24"])]);
        let rule = IfacePattern { negative: false, name: Some("d*".into()), prefix: None };
        let conf = DeviceConf {
            scan_time: std::time::Duration::from_secs(10),
            primary: vec![(vec![rule.clone()], "10.2.0.0/16".parse().unwrap())],
            ..DeviceConf::default()
        };
        let chosen = primary(Some(&conf), links.by_name("d0").unwrap(), Family::Ipv4).unwrap();
        assert_eq!(chosen.addr.to_string(), "10.2.1.1");
        let but = IfacePattern { negative: true, name: Some("d0".into()), prefix: None };
        let conf = DeviceConf { primary: vec![(vec![but, rule], "10.2.0.0/16".parse().unwrap())], ..conf };
        let chosen = primary(Some(&conf), links.by_name("d0").unwrap(), Family::Ipv4).unwrap();
        assert_eq!(chosen.addr.to_string(), "10.1.1.1", "a link that the list leaves out");
    }
}
