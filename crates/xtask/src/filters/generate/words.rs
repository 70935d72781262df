//! The words and values that programs are made of.

use crate::filters::Dialect;
use crate::filters::tree::Type;

/// The dialects that have a word.
#[derive(Clone, Copy, PartialEq, Eq)]
enum In {
    Both,
    One,
    Two,
    Later,
}

impl In {
    const fn has(self, dialect: Dialect) -> bool {
        match self {
            Self::Both => true,
            Self::One => matches!(dialect, Dialect::One),
            Self::Two => matches!(dialect, Dialect::Two | Dialect::Later),
            Self::Later => matches!(dialect, Dialect::Later),
        }
    }
}

use In::{Both, Later, One, Two};

/// What differs between the families.
pub struct Places {
    pub addresses: &'static [&'static str],
    pub prefixes: &'static [&'static str],
    /// What routes may be led to, and one that no link leads to.
    pub gateways: &'static [&'static str],
    /// How long a prefix of any family may be.
    pub longest: usize,
    /// Whether addresses are masked by lengths beyond: of IPv6 BIRD reads behind its table of masks.
    pub masks_beyond: bool,
    /// Labels of `case` for addresses; `N` stands for a number.
    pub address_label: &'static str,
    pub range_label: &'static str,
}

pub static BOTH_FAMILIES: Places = Places {
    addresses: &[
        "10.0.0.1",
        "10.0.0.2",
        "10.0.0.99",
        "10.1.1.2",
        "10.1.2.3",
        "192.168.255.255",
        "255.255.255.255",
        "1.2.3.4",
        "::",
        "::1",
        "fd00:1::1",
        "fd00:1::2",
        "fd00:1::99",
        "fe80::1",
        "2001:db8::1",
        "2001:db8:1:2:3:4:5:6",
        "::ffff:10.0.0.1",
        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    ],
    prefixes: &[
        "0.0.0.0/0",
        "10.0.0.0/8",
        "10.0.0.0/7",
        "10.1.0.0/16",
        "10.1.2.0/24",
        "10.1.2.3/32",
        "10.1.128.0/17",
        "192.168.0.0/16",
        "192.168.4.0/22",
        "0.0.0.0/1",
        "128.0.0.0/1",
        "::/0",
        "2001:db8::/32",
        "2001:db8::/31",
        "2001:db8:1::/48",
        "2001:db8:1:2::/64",
        "2001:db8:1:2:3:4:5:6/128",
        "2001:db8:1:8000::/49",
        "fd00::/8",
        "::/1",
        "8000::/1",
    ],
    gateways: &["10.1.1.2", "10.1.1.77", "10.1.1.3", "10.77.0.1", "fd00:1::2", "fd00:1::77", "fd77::1"],
    longest: 32,
    masks_beyond: false,
    address_label: "10.0.0.N",
    range_label: "fd00:N::..fd00:M::ffff",
};

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
    masks_beyond: true,
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
    masks_beyond: false,
    address_label: "fd00:1::N",
    range_label: "fd00:N::..fd00:M::ffff",
};

/// The types of variables of a dialect, with the words that declare them.
pub(super) fn declared(dialect: Dialect) -> Vec<(&'static str, Type)> {
    let later = if dialect == Dialect::Later { DECLARED_LATER } else { &[] };
    [DECLARED, later].concat()
}

const DECLARED_LATER: &[(&str, Type)] = &[
    ("bytestring", Type::Bytes),
    ("enum rts", Type::Enum("RTS")),
    ("enum roa", Type::Enum("ROA")),
    ("enum net_type", Type::Enum("NET")),
    ("enum rts set", Type::EnumSet("RTS")),
];

const DECLARED: &[(&str, Type)] = &[
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
static ENUMS: &[(&str, In, &[&str])] = &[
    ("RTS", One, &["RTS_DUMMY", "RTS_STATIC", "RTS_INHERIT", "RTS_DEVICE", "RTS_STATIC_DEVICE", "RTS_BGP", "RTS_PIPE"]),
    ("RTS", Two, &["RTS_STATIC", "RTS_INHERIT", "RTS_DEVICE", "RTS_STATIC_DEVICE", "RTS_BGP", "RTS_PIPE", "RTS_BABEL"]),
    ("SCOPE", Both, &["SCOPE_HOST", "SCOPE_LINK", "SCOPE_SITE", "SCOPE_ORGANIZATION", "SCOPE_UNIVERSE"]),
    ("RTD", One, &["RTD_ROUTER", "RTD_DEVICE", "RTD_BLACKHOLE", "RTD_UNREACHABLE", "RTD_PROHIBIT", "RTD_MULTIPATH"]),
    ("RTD", Two, &["RTD_UNICAST", "RTD_BLACKHOLE", "RTD_UNREACHABLE", "RTD_PROHIBIT"]),
    ("RTC", One, &["RTC_UNICAST", "RTC_BROADCAST", "RTC_MULTICAST", "RTC_ANYCAST"]),
    ("ORIGIN", Both, &["ORIGIN_IGP", "ORIGIN_EGP", "ORIGIN_INCOMPLETE"]),
    ("ROA", Both, &["ROA_UNKNOWN", "ROA_VALID", "ROA_INVALID"]),
    ("NET", Two, &["NET_IP4", "NET_IP6", "NET_ROA4", "NET_ROA6", "NET_VPN4", "NET_IP6_SADR"]),
    ("AF", Two, &["AF_IPV4", "AF_IPV6"]),
    ("ASPA", Later, &["ASPA_UNKNOWN", "ASPA_VALID", "ASPA_INVALID"]),
];

/// The enumerations of a dialect, with their constants.
pub(super) fn enumerations(dialect: Dialect) -> Vec<(&'static str, &'static [&'static str])> {
    ENUMS.iter().filter(|(_, of, _)| of.has(dialect)).map(|(prefix, _, all)| (*prefix, *all)).collect()
}

/// The constants of an enumeration.
pub(super) fn constants(prefix: &str, dialect: Dialect) -> &'static [&'static str] {
    let found = ENUMS.iter().find(|(p, of, _)| *p == prefix && of.has(dialect));
    found.map_or(&["RTS_BGP"], |(.., all)| all)
}

/// Whether routes may lack an attribute.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    Always,
    Perhaps,
}

use Presence::{Always, Perhaps};

/// Attributes, by the type as which they read.
static ATTRIBUTES: &[(Type, Presence, In, &[&str])] = &[
    (Type::Int, Always, Both, &["preference"]),
    (Type::Int, Always, Two, &["ifindex"]),
    (
        Type::Int,
        Perhaps,
        Both,
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
    (Type::Int, Perhaps, Two, &["bgp_otc", "own_int"]),
    (Type::Bool, Always, Two, &["onlink"]),
    (
        Type::Bool,
        Perhaps,
        Both,
        &["krt_lock_mtu", "krt_lock_window", "krt_lock_rtt", "krt_lock_rto_min", "krt_feature_ecn"],
    ),
    // BIRD 2 ends when it is set.
    (Type::Bool, Perhaps, One, &["krt_feature_allfrag"]),
    (Type::Quad, Perhaps, Both, &["bgp_originator_id"]),
    (Type::Quad, Perhaps, Two, &["own_quad"]),
    (Type::Ip, Always, Both, &["from", "gw"]),
    (Type::Ip, Perhaps, Both, &["bgp_next_hop", "krt_prefsrc"]),
    (Type::Ip, Perhaps, Two, &["own_ip"]),
    (Type::Prefix, Always, Both, &["net"]),
    (Type::Text, Always, Both, &["proto", "ifname"]),
    (Type::Path, Perhaps, Both, &["bgp_path"]),
    (Type::Path, Perhaps, Two, &["own_path"]),
    (Type::Clist, Always, Both, &["bgp_community"]),
    (Type::Clist, Perhaps, Both, &["bgp_cluster_list"]),
    (Type::Clist, Perhaps, Two, &["own_clist"]),
    (Type::Eclist, Always, Both, &["bgp_ext_community"]),
    (Type::Eclist, Perhaps, Two, &["own_eclist"]),
    (Type::Lclist, Always, Both, &["bgp_large_community"]),
    (Type::Lclist, Perhaps, Two, &["own_lclist"]),
    (Type::Enum("RTS"), Always, Both, &["source"]),
    (Type::Enum("SCOPE"), Always, Both, &["scope"]),
    (Type::Enum("RTD"), Always, Both, &["dest"]),
    (Type::Enum("RTC"), Always, One, &["cast"]),
    // In 1.6 it reads as a number.
    (Type::Enum("ORIGIN"), Perhaps, Two, &["bgp_origin"]),
    (Type::Text, Perhaps, Later, &["own_text"]),
    (Type::Bytes, Perhaps, Later, &["own_bytes"]),
];

/// Attributes that read as a type.
pub(super) fn attributes(kind: Type, presence: Presence, dialect: Dialect) -> Vec<&'static str> {
    let rows = ATTRIBUTES.iter().filter(|(k, p, of, _)| *k == kind && *p == presence && of.has(dialect));
    // Later releases show it by another name.
    let renamed = |name: &&str| dialect == Dialect::Later && *name == "krt_sstresh";
    rows.flat_map(|(.., names)| *names).copied().filter(|name| !renamed(name)).collect()
}

/// Attributes that the base configuration of dialect 2 declares, with their types.
pub fn own(dialect: Dialect) -> Vec<(&'static str, Type, &'static str)> {
    let later = if dialect == Dialect::Later { OWN_LATER } else { &[] };
    [OWN, later].concat()
}

const OWN_LATER: &[(&str, Type, &str)] =
    &[("own_text", Type::Text, "string"), ("own_bytes", Type::Bytes, "bytestring")];

const OWN: &[(&str, Type, &str)] = &[
    ("own_int", Type::Int, "int"),
    ("own_quad", Type::Quad, "quad"),
    ("own_ip", Type::Ip, "ip"),
    ("own_path", Type::Path, "bgppath"),
    ("own_clist", Type::Clist, "clist"),
    ("own_eclist", Type::Eclist, "eclist"),
    ("own_lclist", Type::Lclist, "lclist"),
];

/// What stands behind a dot without an argument: of what, and what it gives.
static METHODS: &[(Type, &str, Type, In)] = &[
    (Type::Path, "first", Type::Int, Both),
    (Type::Path, "last", Type::Int, Both),
    (Type::Path, "last_nonaggregated", Type::Int, Both),
    (Type::Path, "len", Type::Int, Both),
    (Type::Prefix, "len", Type::Int, Both),
    (Type::Prefix, "ip", Type::Ip, Both),
    (Type::Clist, "len", Type::Int, Both),
    (Type::Eclist, "len", Type::Int, Both),
    (Type::Lclist, "len", Type::Int, Both),
    (Type::Prefix, "type", Type::Enum("NET"), Two),
    (Type::Ip, "is_v4", Type::Bool, Two),
    (Type::Pair, "asn", Type::Int, Two),
    (Type::Pair, "data", Type::Int, Two),
    (Type::Lc, "asn", Type::Int, Two),
    (Type::Lc, "data1", Type::Int, Two),
    (Type::Lc, "data2", Type::Int, Two),
    (Type::Clist, "min", Type::Pair, Two),
    (Type::Clist, "max", Type::Pair, Two),
    (Type::Eclist, "min", Type::Ec, Two),
    (Type::Eclist, "max", Type::Ec, Two),
    (Type::Lclist, "min", Type::Lc, Two),
    (Type::Lclist, "max", Type::Lc, Two),
    (Type::Path, "empty", Type::Path, Later),
    (Type::Clist, "empty", Type::Clist, Later),
    (Type::Eclist, "empty", Type::Eclist, Later),
    (Type::Lclist, "empty", Type::Lclist, Later),
];

/// The methods that give a type: of what, and their names.
pub(super) fn methods(gives: Type, dialect: Dialect) -> Vec<(Type, &'static str)> {
    let rows = METHODS.iter().filter(|(_, _, result, of)| *result == gives && of.has(dialect));
    rows.map(|(subject, name, ..)| (*subject, *name)).collect()
}

/// Lists that a loop walks along, with the type of their items.
pub(super) const WALKED: &[(Type, &str, Type)] = &[
    (Type::Path, "int", Type::Int),
    (Type::Clist, "pair", Type::Pair),
    (Type::Eclist, "ec", Type::Ec),
    (Type::Lclist, "lc", Type::Lc),
];

/// Attributes of which only presence is asked, or that are taken away.
static OPTIONAL: &[(In, &[&str])] = &[
    (
        Both,
        &[
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
        ],
    ),
    (Two, &["bgp_otc", "bgp_aigp", "own_int", "own_quad", "own_ip", "own_clist", "own_path"]),
    (Later, &["own_text", "own_bytes"]),
];

/// The attributes of which presence is asked, or that are taken away.
pub(super) fn optional(dialect: Dialect) -> Vec<&'static str> {
    OPTIONAL.iter().filter(|(of, _)| of.has(dialect)).flat_map(|(_, names)| *names).copied().collect()
}

/// What else may be asked for: what every route has in a way, a bit of a number.
pub(super) const ASKED: &[&str] = &["ifname", "gw", "from", "krt_lock_mtu"];

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

pub(super) const OCTETS: &[&str] =
    &["hex:", "hex:00", "hex:01:02", "hex:0102", "hex:ff", "0123456789abcdef0123456789ABCDEF"];
/// What octets are made of, and what they are not.
pub(super) const HEX: &[&str] = &["", "00", "01 02", "0102", "a", "zz", "ff-FF:0a.0b", " 12 "];

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
    (Type::Enum("ROA"), Type::EnumSet("ROA")),
    (Type::Enum("ORIGIN"), Type::EnumSet("ORIGIN")),
];
