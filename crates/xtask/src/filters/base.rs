//! What both daemons start with: routes whose attributes are set by chance, ROAs, and sessions.

use super::chance::Chance;
use super::feed::{OTHER_AS, OUR_AS};
use super::generate::{import_filter, own};
use super::{Dialect, Scene};
use crate::bench::table::Family;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The sessions of one family.
pub const SESSIONS: usize = 2;

/// The places of a family: addresses, and the routes that stand in the configuration.
pub struct Stage {
    pub family: Family,
    /// What names of channels and tables end with.
    digit: char,
    pub ours: IpAddr,
    /// Our address with its length; then the neighbour's two, external and internal.
    pub addresses: [&'static str; 3],
    neighbors: [&'static str; 2],
    /// Those of one protocol for one network first, then 1 to 4 once more, from another protocol.
    routes: &'static [&'static str],
    roas: &'static [&'static str],
}

static IPV4: Stage = Stage {
    family: Family::Ipv4,
    digit: '4',
    ours: IpAddr::V4(Ipv4Addr::new(10, 1, 1, 1)),
    addresses: ["10.1.1.1/24", "10.1.1.2/24", "10.1.1.4/24"],
    neighbors: ["10.1.1.2", "10.1.1.4"],
    routes: &[
        "0.0.0.0/0 via 10.1.1.2",
        "10.0.0.0/8 via 10.1.1.2",
        "10.1.0.0/16 blackhole",
        "10.1.2.0/24 via 10.1.1.3",
        "10.1.2.3/32 unreachable",
        "10.20.0.0/16 via \"d0\"",
        "10.30.0.0/16 multipath via 10.1.1.2 weight 2 via 10.1.1.3",
        "192.168.0.0/16 prohibit",
        "192.168.4.0/22 recursive 10.1.2.9",
        "192.0.2.0/24 via 10.1.1.77",
        "128.0.0.0/1 via 10.1.1.2",
        "172.16.0.0/12 blackhole",
    ],
    roas: &[
        "10.0.0.0/8 max 16 as 65001",
        "10.1.2.0/24 max 24 as 3",
        "192.168.0.0/16 max 24 as 100",
        "0.0.0.0/0 max 32 as 7",
        "10.1.2.0/24 max 32 as 65001",
    ],
};

static IPV6: Stage = Stage {
    family: Family::Ipv6,
    digit: '6',
    ours: IpAddr::V6(Ipv6Addr::new(0xfd00, 1, 0, 0, 0, 0, 0, 1)),
    addresses: ["fd00:1::1/64", "fd00:1::2/64", "fd00:1::4/64"],
    neighbors: ["fd00:1::2", "fd00:1::4"],
    routes: &[
        "::/0 via fd00:1::2",
        "2001:db8::/32 via fd00:1::2",
        "2001:db8:1::/48 blackhole",
        "2001:db8:1:2::/64 via fd00:1::3",
        "2001:db8:1:2:3:4:5:6/128 unreachable",
        "fd20::/32 via \"d0\"",
        "fd30::/32 multipath via fd00:1::2 weight 2 via fd00:1::3",
        "fd40::/16 prohibit",
        "2001:db8:20::/44 recursive 2001:db8:1:2::9",
        "2001:db8:3::/48 via fd00:1::77",
        "2000::/3 via fd00:1::2",
        "fd50::/32 blackhole",
    ],
    roas: &[
        "2001:db8::/32 max 48 as 65001",
        "2001:db8:1::/48 max 48 as 3",
        "fd00::/8 max 64 as 100",
        "::/0 max 128 as 7",
        "2001:db8:1::/48 max 128 as 65001",
    ],
};

impl Stage {
    /// Those of a scene.
    pub fn of(scene: Scene) -> Vec<&'static Self> {
        match scene {
            Scene { dialect: Dialect::One, family: Family::Ipv4 } => vec![&IPV4],
            Scene { dialect: Dialect::One, family: Family::Ipv6 } => vec![&IPV6],
            _ => vec![&IPV4, &IPV6],
        }
    }
}

/// The configuration; `LOG` and `PORT` stand for a daemon's own.
pub fn base(chance: &mut Chance, scene: Scene, stages: &[&Stage]) -> String {
    let mut text = "router id 10.1.1.1;\nlog \"LOG\" { info };\nprotocol device { }\n".to_owned();
    if scene.dialect.is_2() {
        own(scene.dialect).iter().for_each(|(name, _, word)| text += &format!("attribute {word} {name};\n"));
    } else {
        text += "listen bgp port PORT;\n";
    }
    if scene.dialect == Dialect::Later {
        text += "aspa table aspas;\nprotocol static ap { aspa { table aspas; }; ";
        for route in ["1 providers 2, 3", "2 providers 65001", "7 transit", "65001 providers 7", "100 providers 1"] {
            text += &format!("route aspa {route}; ");
        }
        text += "}\n";
    }
    text += "function mark(int n) { print \"#\", n; return n; }\n";
    for stage in stages {
        text += &stage.roas(scene.dialect);
        text += &stage.statics(chance, scene);
        text += &stage.peers(chance, scene);
    }
    text + "include \"programs.conf\";\n"
}

impl Stage {
    fn roas(&self, dialect: Dialect) -> String {
        let each = |word: &str| -> String { self.roas.iter().map(|roa| format!("{word} {roa}; ")).collect() };
        match dialect {
            Dialect::One => format!("roa table roas {{ {} }}\n", each("roa")),
            _ => {
                let table = format!("roa{0} table roas{0}", self.digit);
                format!(
                    "{table};\nprotocol static r{} {{ roa{} {{ table roas{}; }}; {} }}\n",
                    self.digit,
                    self.digit,
                    self.digit,
                    each("route")
                )
            }
        }
    }

    fn statics(&self, chance: &mut Chance, scene: Scene) -> String {
        let mut text = String::new();
        for (i, route) in self.routes.iter().chain(&self.routes[1..5]).enumerate() {
            let filter = if i % 4 == 3 { "all".into() } else { import_filter(chance, scene) };
            let options = format!("preference {}; import {filter};", 200 + i);
            text += &match scene.dialect {
                Dialect::One => format!("protocol static s{i} {{ {options} route {route}; }}\n"),
                _ => {
                    let route = route.replace("multipath ", "");
                    let digit = self.digit;
                    format!("protocol static s{digit}{i} {{ ipv{digit} {{ {options} }}; route {route}; }}\n")
                }
            };
        }
        text
    }

    fn peers(&self, chance: &mut Chance, scene: Scene) -> String {
        let mut text = String::new();
        for (name, neighbor, asn) in [("e", self.neighbors[0], OTHER_AS), ("i", self.neighbors[1], OUR_AS)] {
            let filter = if chance.percent(50) { "all".into() } else { import_filter(chance, scene) };
            let (ours, digit) = (self.ours, self.digit);
            // Those of 2.19 take no sets in paths by default.
            let sets = if scene.dialect == Dialect::Later { "allow as sets; " } else { "" };
            text += &match scene.dialect {
                Dialect::One => format!(
                    "protocol bgp {name}1 {{ local as {OUR_AS}; neighbor {neighbor} as {asn}; passive; import {filter}; }}\n"
                ),
                _ => format!(
                    "protocol bgp {name}{digit} {{ local {ours} port PORT as {OUR_AS}; neighbor {neighbor} as {asn}; \
                     passive; {sets}ipv{digit} {{ import {filter}; export none; }}; }}\n"
                ),
            };
        }
        text
    }
}
