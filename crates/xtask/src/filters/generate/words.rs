//! The words and values that programs are made of.

use crate::filters::tree::Type;

/// What differs between the families.
pub struct Places {
    pub addresses: &'static [&'static str],
    pub prefixes: &'static [&'static str],
    /// What routes may be led to, and one that no link leads to.
    pub gateways: &'static [&'static str],
    /// The length of the longest prefix.
    pub longest: usize,
    /// Labels of `case` for addresses; `N` stands for a number.
    pub address_label: &'static str,
    pub range_label: &'static str,
}

pub static IPV4: Places = Places {
    addresses: &[
        "0.0.0.0",
        "10.0.0.1",
        "10.0.0.2",
        "10.0.0.99",
        "10.1.1.1",
        "10.1.1.2",
        "10.1.2.3",
        "127.0.0.1",
        "192.168.0.1",
        "192.168.255.255",
        "224.0.0.5",
        "255.255.255.255",
        "1.2.3.4",
    ],
    prefixes: &[
        "0.0.0.0/0",
        "10.0.0.0/8",
        "10.0.0.0/7",
        "10.1.0.0/16",
        "10.1.2.0/24",
        "10.1.2.3/32",
        "10.1.128.0/17",
        "10.20.0.0/16",
        "192.168.0.0/16",
        "192.168.4.0/22",
        "192.0.2.0/24",
        "0.0.0.0/1",
        "128.0.0.0/1",
        "172.16.0.0/12",
        "100.64.0.0/10",
    ],
    gateways: &["10.1.1.2", "10.1.1.77", "10.1.1.3", "10.77.0.1"],
    longest: 32,
    address_label: "10.0.0.N",
    range_label: "10.0.N.0..10.M.255.255",
};

pub static IPV6: Places = Places {
    addresses: &[
        "::",
        "::1",
        "fd00:1::1",
        "fd00:1::2",
        "fd00:1::99",
        "fd00::1",
        "fe80::1",
        "2001:db8::1",
        "2001:db8:1:2:3:4:5:6",
        "::ffff:10.0.0.1",
        "ff02::5",
        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    ],
    prefixes: &[
        "::/0",
        "2001:db8::/32",
        "2001:db8::/31",
        "2001:db8:1::/48",
        "2001:db8:1:2::/64",
        "2001:db8:1:2:3:4:5:6/128",
        "2001:db8:1:8000::/49",
        "2001:db8:20::/44",
        "fd00::/8",
        "fd00:1::/64",
        "::/1",
        "8000::/1",
        "2000::/3",
    ],
    gateways: &["fd00:1::2", "fd00:1::77", "fd00:1::3", "fd77::1"],
    longest: 128,
    address_label: "fd00:1::N",
    range_label: "fd00:N::..fd00:M::ffff",
};

/// The types of variables, with the words that declare them.
pub(super) const DECLARED: &[(&str, Type)] = &[
    ("bool", Type::Bool),
    ("int", Type::Int),
    ("pair", Type::Pair),
    ("quad", Type::Quad),
    ("ip", Type::Ip),
    ("prefix", Type::Prefix),
    ("ec", Type::Ec),
    ("lc", Type::Lc),
    ("string", Type::Text),
    ("bgpmask", Type::Mask),
    ("bgppath", Type::Path),
    ("clist", Type::Clist),
    ("eclist", Type::Eclist),
    ("lclist", Type::Lclist),
    ("int set", Type::IntSet),
    ("pair set", Type::PairSet),
    ("quad set", Type::QuadSet),
    ("ip set", Type::IpSet),
    ("prefix set", Type::PrefixSet),
    ("ec set", Type::EcSet),
    ("lc set", Type::LcSet),
];

/// Enumerations, with their constants.
pub(super) const ENUMS: &[(&str, &[&str])] = &[
    ("RTS", &["RTS_DUMMY", "RTS_STATIC", "RTS_INHERIT", "RTS_DEVICE", "RTS_STATIC_DEVICE", "RTS_BGP", "RTS_PIPE"]),
    ("SCOPE", &["SCOPE_HOST", "SCOPE_LINK", "SCOPE_SITE", "SCOPE_ORGANIZATION", "SCOPE_UNIVERSE"]),
    ("RTD", &["RTD_ROUTER", "RTD_DEVICE", "RTD_BLACKHOLE", "RTD_UNREACHABLE", "RTD_PROHIBIT", "RTD_MULTIPATH"]),
    ("RTC", &["RTC_UNICAST", "RTC_BROADCAST", "RTC_MULTICAST", "RTC_ANYCAST"]),
    ("ORIGIN", &["ORIGIN_IGP", "ORIGIN_EGP", "ORIGIN_INCOMPLETE"]),
    ("ROA", &["ROA_UNKNOWN", "ROA_VALID", "ROA_INVALID"]),
];

/// Attributes that read as a type. Those that a route may lack come behind.
pub(super) fn attributes(kind: Type) -> (&'static [&'static str], &'static [&'static str]) {
    match kind {
        Type::Int => (
            &["preference"],
            &[
                "bgp_med",
                "bgp_local_pref",
                "igp_metric",
                "krt_realm",
                "krt_mtu",
                "krt_advmss",
                "krt_scope",
                "krt_hoplimit",
                "krt_source",
                "krt_metric",
                "krt_window",
                "krt_rtt",
                "krt_rttvar",
                "krt_sstresh",
                "krt_cwnd",
                "krt_reordering",
                "krt_initcwnd",
                "krt_rto_min",
                "krt_initrwnd",
                "krt_quickack",
            ],
        ),
        Type::Bool => (
            &[],
            &[
                "krt_lock_mtu",
                "krt_lock_window",
                "krt_lock_rtt",
                "krt_lock_rto_min",
                "krt_feature_ecn",
                "krt_feature_allfrag",
            ],
        ),
        Type::Quad => (&[], &["bgp_originator_id"]),
        Type::Ip => (&["from", "gw"], &["bgp_next_hop", "krt_prefsrc"]),
        Type::Prefix => (&["net"], &[]),
        Type::Text => (&["proto", "ifname"], &[]),
        Type::Path => (&[], &["bgp_path"]),
        Type::Clist => (&["bgp_community"], &["bgp_cluster_list"]),
        Type::Eclist => (&["bgp_ext_community"], &[]),
        Type::Lclist => (&["bgp_large_community"], &[]),
        Type::Enum("RTS") => (&["source"], &[]),
        Type::Enum("SCOPE") => (&["scope"], &[]),
        Type::Enum("RTD") => (&["dest"], &[]),
        Type::Enum("RTC") => (&["cast"], &[]),
        _ => (&[], &[]),
    }
}

/// Attributes of which only presence is asked.
pub(super) const OPTIONAL: &[&str] = &[
    "bgp_path",
    "bgp_med",
    "bgp_local_pref",
    "bgp_origin",
    "bgp_next_hop",
    "bgp_community",
    "bgp_ext_community",
    "bgp_large_community",
    "bgp_aggregator",
    "bgp_atomic_aggr",
    "bgp_originator_id",
    "bgp_cluster_list",
    "igp_metric",
    "krt_metric",
    "krt_realm",
    "krt_mtu",
    "krt_prefsrc",
    "krt_source",
    "ifname",
    "gw",
    "from",
    "krt_lock_mtu",
];

pub(super) const NUMBERS: &[&str] = &[
    "0",
    "1",
    "2",
    "3",
    "5",
    "7",
    "8",
    "10",
    "16",
    "20",
    "24",
    "32",
    "33",
    "100",
    "150",
    "200",
    "255",
    "256",
    "65000",
    "65535",
    "65536",
    "2147483647",
    "2147483648",
    "4294967295",
    "4200000000",
    "0x10",
    "0xffff",
    "0xFFFFFFFF",
    "007",
];
pub(super) const SHORT: &[&str] = &["0", "1", "2", "3", "5", "7", "10", "20", "100", "65000", "65535", "0x10"];
pub(super) const QUADS: &[&str] = &["0.0.0.0", "1.2.3.4", "1.2.3.5", "2.0.0.1", "10.0.0.1", "255.255.255.255"];
pub(super) const TEXTS: &[&str] =
    &["", "a", "abc", "abd", "b", "d0", "eth0", "s1", "A", "a*b", "axxb", "static", "x y"];
pub(super) const PATTERNS: &[&str] =
    &["*", "a*", "*b", "a?c", "?", "??", "d*", "s?", "[a", "a*b", "*x*", "", "s1", "A*", "a\\*b"];

pub(super) const NUMBERS_SMALL: &[&str] = &["0", "1", "100", "200", "65535"];

/// What goes with what around `~`.
pub(super) const MATCHES: &[(Type, Type)] = &[
    (Type::Int, Type::IntSet),
    (Type::Pair, Type::PairSet),
    (Type::Ip, Type::IpSet),
    (Type::Quad, Type::QuadSet),
    (Type::Quad, Type::Clist),
    (Type::Ip, Type::Prefix),
    (Type::Prefix, Type::Prefix),
    (Type::Prefix, Type::PrefixSet),
    (Type::Prefix, Type::PrefixSet),
    (Type::Ec, Type::EcSet),
    (Type::Lc, Type::LcSet),
    (Type::Text, Type::Text),
    (Type::Path, Type::Mask),
    (Type::Path, Type::Mask),
    (Type::Path, Type::IntSet),
    (Type::Int, Type::Path),
    (Type::Pair, Type::Clist),
    (Type::Clist, Type::PairSet),
    (Type::Ec, Type::Eclist),
    (Type::Eclist, Type::EcSet),
    (Type::Lc, Type::Lclist),
    (Type::Lclist, Type::LcSet),
    (Type::Enum("RTS"), Type::EnumSet("RTS")),
    (Type::Enum("RTD"), Type::EnumSet("RTD")),
];

pub(super) fn constants(prefix: &str) -> &'static [&'static str] {
    ENUMS.iter().find(|(p, _)| *p == prefix).map_or(&["RTS_BGP"], |(_, all)| all)
}
