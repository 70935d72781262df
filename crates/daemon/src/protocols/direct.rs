//! `protocol direct`: the networks that the machine is connected to.
//!
//! One route for each address that is no secondary one and reaches beyond its
//! link, on links that are up. The same network on two links gives two routes:
//! the link's number is the path identifier. Patterns of addresses mean in BIRD 1.6
//! the address that stands for the link, as the device protocol has it, in 2 each.

use super::Start;
use super::channel::{Import, Told};
use super::device::{Standing, primary};
use super::diary::Diary;
use super::follow::{Follower, Following};
use super::pattern;
use super::sight::{Hears, Sight};
use conf::config::{DeviceConf, DirectConf, ProtocolConf, ProtocolKind};
use route::attrs::Local;
use route::iface::Scope;
use route::{AttrSet, Dest, Family, Hop, Ifaces, Prefix, SourceKind};
use std::sync::Arc;

/// A running `direct` protocol. Cheap to clone.
#[derive(Clone)]
pub struct DirectHandle(Following<Direct>);

impl DirectHandle {
    /// Makes it; it is down until [`begin`](Self::begin). Must be called inside the runtime.
    pub fn spawn(start: Start) -> Self {
        let channels = (0..start.conf.channels.len())
            .filter_map(|place| Some((Import::new(&start, place, SourceKind::Device)?, Told::default())))
            .collect();
        let sight = Sight::new(Hears::Addresses);
        let (conf, standing) = (Arc::clone(&start.conf), start.world.standing.clone());
        let state = Direct { conf, channels, diary: start.diary.clone(), sight, standing, up: false };
        Self(Following::spawn(state, &start))
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
}

struct Direct {
    conf: Arc<ProtocolConf>,
    channels: Vec<(Import, Told)>,
    diary: Diary,
    sight: Sight,
    standing: Standing,
    up: bool,
}

impl Direct {
    fn tell(&mut self, ifaces: &Ifaces, again: bool) {
        let ProtocolKind::Direct(conf) = &self.conf.kind else { return };
        let links = self.standing.rules();
        for (import, told) in &mut self.channels {
            let (family, preference) = (import.conf().family, import.conf().preference);
            told.tell(import, routes(conf, &links, family, preference, ifaces), ifaces, again);
        }
    }
}

impl Follower for Direct {
    fn begin(&mut self, ifaces: &Arc<Ifaces>) {
        if std::mem::replace(&mut self.up, true) {
            return;
        }
        self.diary.starting();
        for (import, told) in &mut self.channels {
            told.forget();
            import.up();
        }
        self.sight.open(ifaces, &self.diary);
        self.tell(ifaces, false);
        self.diary.fed();
    }

    fn end(&mut self) {
        if std::mem::replace(&mut self.up, false) {
            self.diary.shutting_down();
            self.channels.iter_mut().for_each(|(import, _)| import.down());
            self.diary.down();
        }
    }

    fn reconfigure(&mut self, conf: Arc<ProtocolConf>, ifaces: &Arc<Ifaces>) {
        for ((import, _), channel) in self.channels.iter_mut().zip(&conf.channels) {
            import.set_conf(channel, false);
            if self.up {
                import.respec();
            }
        }
        self.conf = conf;
        if self.up {
            self.tell(ifaces, true);
        }
    }

    fn look(&mut self, ifaces: &Arc<Ifaces>) {
        if self.up {
            self.sight.look(ifaces, &self.diary);
            self.tell(ifaces, false);
        }
    }
}

/// The routes that these links and addresses give. `links`: how the device protocol chooses what stands for them.
fn routes(
    conf: &DirectConf,
    links: &DeviceConf,
    family: Family,
    preference: u32,
    ifaces: &Ifaces,
) -> Vec<((Prefix, u32), AttrSet)> {
    let mut routes = Vec::new();
    for iface in ifaces.iter().filter(|i| i.is_up() && (i.flags.link_up || !conf.check_link)) {
        let local = Local::new(SourceKind::Device, preference, Dest::Via(Hop::dev(iface.index)));
        let attrs = AttrSet::local_only(local);
        let stands = if conf.by_primary { primary(Some(links), iface, family) } else { None };
        for addr in &iface.addrs {
            let reaches = !addr.secondary && addr.scope > Scope::Link && addr.prefix.family() == family;
            if reaches && pattern::means(&conf.interfaces, iface, stands.unwrap_or(addr)) {
                routes.push(((addr.prefix, iface.index.0), attrs.clone()));
            }
        }
    }
    routes
}

#[cfg(test)]
mod tests {
    use super::super::lab;
    use super::*;
    use conf::config::IfacePattern;

    fn nets(conf: &DirectConf, ifaces: &Ifaces) -> Vec<String> {
        nets_by(&DeviceConf::default(), conf, ifaces)
    }

    fn nets_by(links: &DeviceConf, conf: &DirectConf, ifaces: &Ifaces) -> Vec<String> {
        let mut all = routes(conf, links, Family::Ipv4, 240, ifaces);
        all.sort_by_key(|(key, _)| *key);
        all.iter().map(|((net, link), _)| format!("{net} {link}")).collect()
    }

    fn pattern(negative: bool, name: &str, prefix: Option<&str>) -> IfacePattern {
        IfacePattern { negative, name: Some(name.into()), prefix: prefix.map(|p| p.parse().unwrap()) }
    }

    const EVERYTHING: DirectConf = DirectConf { interfaces: Vec::new(), check_link: false, by_primary: false };

    /// The addresses of reference/kernel/1.6.8/second-address-and-secondary.txt.
    #[test]
    fn secondary_addresses_and_loopback_networks_give_no_route_and_peers_give_theirs() {
        let ifaces = lab::links(&[
            ("lo", &["127.0.0.1/8", "10.8.8.8/32"]),
            ("d0", &["10.1.1.1/24", "10.1.1.9/24 secondary", "10.7.7.7/32", "10.1.9.1 peer 10.1.9.2"]),
            ("d1", &["10.1.2.1/24", "169.254.1.1/16"]),
        ]);
        let expected = ["10.1.1.0/24 2", "10.1.2.0/24 3", "10.1.9.2/32 2", "10.7.7.7/32 2", "10.8.8.8/32 1"];
        assert_eq!(nets(&EVERYTHING, &ifaces), expected);
    }

    #[test]
    fn the_first_pattern_that_fits_decides() {
        let ifaces = lab::links(&[
            ("cali1", &["10.0.0.1/32"]),
            ("d0", &["10.1.1.1/24", "10.2.1.1/24"]),
            ("lo", &["10.9.9.9/32"]),
        ]);
        let calico = [pattern(true, "cali*", None), pattern(true, "vxlan*", None), pattern(false, "*", None)];
        let conf = DirectConf { interfaces: calico.into(), ..EVERYTHING };
        assert_eq!(nets(&conf, &ifaces), ["10.1.1.0/24 2", "10.2.1.0/24 2", "10.9.9.9/32 3"]);
        let conf = DirectConf { interfaces: vec![pattern(false, "d0", Some("10.2.0.0/16"))], ..EVERYTHING };
        assert_eq!(nets(&conf, &ifaces), ["10.2.1.0/24 2"]);
    }

    /// Tried with 1.6.8, and what its manual says of 2.
    #[test]
    fn in_dialect_1_a_link_is_judged_with_all_its_networks_by_the_address_that_stands_for_it() {
        let ifaces = lab::links(&[
            ("d0", &["10.9.0.1/24", "10.11.0.1/24", "10.12.0.1 peer 10.12.0.2"]),
            ("d1", &["10.10.0.1/24", "10.9.1.1/24", "10.13.0.1/32"]),
        ]);
        let net = IfacePattern { negative: false, name: None, prefix: Some("10.9.0.0/16".parse().unwrap()) };
        let each = DirectConf { interfaces: vec![net], ..EVERYTHING };
        let by_primary = DirectConf { by_primary: true, ..each.clone() };
        let any = IfacePattern { negative: false, name: None, prefix: None };
        let rules = DeviceConf { primary: vec![(vec![any], "10.10.0.0/24".parse().unwrap())], ..DeviceConf::default() };

        let of_d0 = ["10.9.0.0/24 1", "10.11.0.0/24 1", "10.12.0.2/32 1"];
        assert_eq!(nets_by(&rules, &by_primary, &ifaces), of_d0);
        // Without the rule 10.9.1.1, the lowest one, stands for d1.
        let of_both =
            ["10.9.0.0/24 1", "10.9.1.0/24 2", "10.10.0.0/24 2", "10.11.0.0/24 1", "10.12.0.2/32 1", "10.13.0.1/32 2"];
        assert_eq!(nets(&by_primary, &ifaces), of_both);
        assert_eq!(nets_by(&rules, &each, &ifaces), ["10.9.0.0/24 1", "10.9.1.0/24 2"]);
    }

    #[test]
    fn a_link_that_is_down_gives_nothing_and_one_without_carrier_only_without_check_link() {
        let mut links: Vec<_> =
            lab::links(&[("d0", &["10.1.1.1/24"]), ("d1", &["10.1.2.1/24"])]).iter().cloned().collect();
        links[0].flags.admin_up = false;
        links[1].flags.link_up = false;
        let ifaces = Ifaces::new(links);
        assert_eq!(nets(&EVERYTHING, &ifaces), ["10.1.2.0/24 2"]);
        assert_eq!(nets(&DirectConf { check_link: true, ..EVERYTHING }, &ifaces), [""; 0]);
    }
}
