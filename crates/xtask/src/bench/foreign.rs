//! Configurations of the daemons that do not read bird.conf, each in its own language and with its own defaults.
//!
//! As for BIRD: everything in, everything out, one neighbour a peer, each passive.
//! What is switched off is only what would keep routes from being told at all.

use super::conf::Policy;
use super::scenario::Scenario;
use super::speaker::{DAEMON_AS, daemon_address, peer_address};
use super::stage::Setting;
use super::table::{Family, asn};
use super::witness;
use std::fmt::Write;

/// A neighbour: its address, its AS, and the family that it is told of.
struct Neighbour {
    address: String,
    asn: u32,
    family: Family,
}

/// All neighbours; the last is the witness, which is told of the family that has no routes.
fn neighbours(setting: &Setting) -> impl Iterator<Item = Neighbour> {
    let here = setting.family;
    let other = if here == Family::Ipv4 { Family::Ipv6 } else { Family::Ipv4 };
    let of = move |peer, asn, family| Neighbour { address: peer_address(here, peer).to_string(), asn, family };
    (0..setting.sessions()).map(move |peer| of(peer, asn(peer), here)).chain([of(witness::PEER, witness::ASN, other)])
}

const fn word(family: Family) -> &'static str {
    match family {
        Family::Ipv4 => "ipv4",
        Family::Ipv6 => "ipv6",
    }
}

/// Why none of them is measured in a scenario; `None` where all are.
pub fn cannot(scenario: &Scenario) -> Option<&'static str> {
    if scenario.asks {
        return Some("it does not speak with birdc");
    }
    scenario.parts.iter().find_map(|part| match part.policy {
        Policy::Plain => None,
        Policy::Kernel => Some("it leaves the kernel's routes to another process, or to another system"),
        Policy::Pipes => Some("it has no pipes between tables"),
        Policy::RouteServer | Policy::Checked | Policy::LargeSets | Policy::Generated => {
            Some("its filters are another language, in which this scenario is not written")
        }
    })
}

/// FRR: one file for bgpd.
pub fn frr(setting: &Setting) -> String {
    let mut out = format!(
        "router bgp {DAEMON_AS}\n bgp router-id 10.99.0.1\n no bgp ebgp-requires-policy\n \
         no bgp default ipv4-unicast\n"
    );
    for Neighbour { address, asn, .. } in neighbours(setting) {
        let _ = writeln!(out, " neighbor {address} remote-as {asn}\n neighbor {address} passive");
    }
    for family in [Family::Ipv4, Family::Ipv6] {
        let _ = writeln!(out, " address-family {} unicast", word(family));
        for n in neighbours(setting).filter(|n| n.family == family) {
            let _ = writeln!(out, "  neighbor {} activate", n.address);
        }
        out += " exit-address-family\n";
    }
    out
}

/// GoBGP: TOML.
pub fn gobgp(setting: &Setting) -> String {
    let mut out = format!(
        "[global.config]\n  as = {DAEMON_AS}\n  router-id = \"10.99.0.1\"\n  local-address-list = [\"{}\"]\n",
        daemon_address(setting.family)
    );
    for Neighbour { address, asn, family } in neighbours(setting) {
        let _ = writeln!(
            out,
            "[[neighbors]]\n  [neighbors.config]\n    neighbor-address = \"{address}\"\n    peer-as = {asn}\n  \
             [neighbors.transport.config]\n    passive-mode = true\n  [[neighbors.afi-safis]]\n    \
             [neighbors.afi-safis.config]\n      afi-safi-name = \"{}-unicast\"",
            word(family)
        );
    }
    out
}

/// OpenBGPD; `socket` is that of its control program.
pub fn openbgpd(setting: &Setting, socket: &str) -> String {
    let mut out = format!(
        "AS {DAEMON_AS}\nrouter-id 10.99.0.1\nlisten on {}\nfib-update no\nsocket \"{socket}\"\n",
        daemon_address(setting.family)
    );
    for Neighbour { address, asn, family } in neighbours(setting) {
        let families = match family {
            Family::Ipv4 => "announce IPv4 unicast\n announce IPv6 none",
            Family::Ipv6 => "announce IPv6 unicast\n announce IPv4 none",
        };
        let _ = writeln!(out, "neighbor {address} {{\n remote-as {asn}\n passive\n {families}\n}}");
    }
    out + "allow from any\nallow to any\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::scenario::{SCENARIOS, Scale, find};
    use crate::bench::subject::Subject;
    use std::time::Duration;

    fn setting(scenario: &str) -> Setting {
        let scenario = find(scenario).unwrap();
        let scale = Scale { routes: 100, peers: 1, seconds: 0 };
        scenario.setting(&scenario.parts[0], scale, Subject::Gobgp, Duration::from_secs(1))
    }

    #[test]
    fn the_quiet_peer_is_told_of_the_family_without_routes() {
        for (scenario, families) in [("full-table", ["ipv4", "ipv4", "ipv6"]), ("ipv6", ["ipv6", "ipv6", "ipv4"])] {
            let text = gobgp(&setting(scenario));
            let told: Vec<_> = text.lines().filter_map(|l| l.trim().strip_prefix("afi-safi-name = ")).collect();
            assert_eq!(told, families.map(|f| format!("\"{f}-unicast\"")), "{text}");
        }
    }

    #[test]
    fn they_take_part_where_nothing_but_routes_is_asked_of_them() {
        let taken: Vec<_> = SCENARIOS.iter().filter(|s| cannot(s).is_none()).map(|s| s.name).collect();
        assert!(taken.contains(&"route-server-200") && taken.contains(&"churn"), "{taken:?}");
        assert!(!taken.contains(&"tables-and-pipes") && !taken.contains(&"show-route"), "{taken:?}");
    }
}
