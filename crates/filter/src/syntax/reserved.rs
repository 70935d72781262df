//! The words that can not be names.
//!
//! Found by asking BIRD 1.6.8 (`bird` and `bird6`) for each word in its binary
//! and in its manual whether it may be defined as a constant, and BIRD 2.0.12
//! likewise. Of the latter's words those are left out that later releases of 2.x
//! allow as names (`data`, `len`, ...) and that mean nothing here at the place of a
//! name: they stand behind a dot, in commands, or in protocols that are not there.

use crate::dialect::Dialect;
use crate::names;
use route::Family;

/// Whether a word belongs to the language of a dialect, so that a name can not have this spelling.
pub fn is_reserved_in(word: &str, family: Option<Family>, dialect: Dialect) -> bool {
    match dialect {
        Dialect::V1 => is_reserved(word, family),
        Dialect::V2 => V2.binary_search(&word).is_ok(),
    }
}

/// Whether something can be given a name of this spelling, where nothing but a name can stand.
///
/// In dialect 2 that are nearly all words, as in later releases: all but those that mean something in filters.
pub fn may_be_given(word: &str, family: Option<Family>, dialect: Dialect) -> bool {
    match dialect {
        Dialect::V1 => !is_reserved(word, family),
        Dialect::V2 => !is_of_filters(word),
    }
}

/// Whether a word stands for something in the filters of dialect 2 which a name could be taken for.
fn is_of_filters(word: &str) -> bool {
    OF_FILTERS.binary_search(&word).is_ok()
        || names::attribute(word, Dialect::V2).is_some()
        || names::constant(word, Dialect::V2).is_some()
        || names::value_type(word, Dialect::V2).is_some()
        || names::function(word, Dialect::V2).is_some()
        || (names::is_foreign_attribute(word) && is_reserved_in(word, None, Dialect::V2))
}

#[rustfmt::skip]
static OF_FILTERS: &[&str] = &[
    "accept", "case", "defined", "do", "else", "empty", "enum", "error", "false", "for", "format", "from_hex",
    "function", "generic", "if", "in", "print", "printn", "reject", "return", "ro", "roa_check", "rt", "set",
    "then", "true", "unknown", "unset", "where",
];

/// Whether a word of the language of dialect 2 can be a name all the same, as in later releases, where nearly any can:
/// no expression, command or type begins with it, so that it is a name wherever one may stand beside something else.
pub fn may_be_name(word: &str, dialect: Dialect) -> bool {
    dialect == Dialect::V2 && NAMES_TOO.binary_search(&word).is_ok()
}

#[rustfmt::skip]
static NAMES_TOO: &[&str] = &[
    "address", "class", "client", "cluster", "cost", "first", "hop", "id", "length", "link", "local",
    "med", "metric", "mode", "neighbor", "neighbors", "next", "path", "paths", "peer", "port", "router",
    "rr", "rs", "rx", "tag", "tx", "version",
];

/// Whether a word belongs to the language of 1.6, so that a name of this spelling needs quotes.
///
/// A configuration of IPv6 has a few words more (of Babel and router
/// advertisements); without a family all words count.
pub fn is_reserved(word: &str, family: Option<Family>) -> bool {
    BOTH.binary_search(&word).is_ok() || (family != Some(Family::Ipv4) && IPV6_ONLY.binary_search(&word).is_ok())
}

#[rustfmt::skip]
static IPV6_ONLY: &[&str] = &[
    "autonomous", "babel", "config", "dnssl", "domain", "lifetime", "low", "managed", "mtu", "mult",
    "ns", "onlink", "other", "preferred", "propagate", "ra", "ra_lifetime", "ra_preference", "radv",
    "rdnss", "reachable", "rxcost", "skip", "valid", "wired", "wireless",
];

#[rustfmt::skip]
static BOTH: &[&str] = &[
    "ORIGIN_EGP", "ORIGIN_IGP", "ORIGIN_INCOMPLETE", "ROA_INVALID", "ROA_UNKNOWN", "ROA_VALID",
    "RTC_ANYCAST", "RTC_BROADCAST", "RTC_MULTICAST", "RTC_UNICAST", "RTD_BLACKHOLE", "RTD_DEVICE",
    "RTD_MULTIPATH", "RTD_PROHIBIT", "RTD_ROUTER", "RTD_UNREACHABLE", "RTS_BABEL", "RTS_BGP",
    "RTS_DEVICE", "RTS_DUMMY", "RTS_INHERIT", "RTS_OSPF", "RTS_OSPF_EXT1", "RTS_OSPF_EXT2",
    "RTS_OSPF_IA", "RTS_PIPE", "RTS_REDIRECT", "RTS_RIP", "RTS_STATIC", "RTS_STATIC_DEVICE",
    "SCOPE_HOST", "SCOPE_LINK", "SCOPE_ORGANIZATION", "SCOPE_SITE", "SCOPE_UNDEFINED",
    "SCOPE_UNIVERSE", "accept", "action", "add", "address", "administrative", "advertise", "after",
    "algorithm", "all", "allow", "always", "area", "as", "as4", "attributes", "auth",
    "authentication", "aware", "base", "bcast", "bfd", "bgp", "bgp_aggregator", "bgp_atomic_aggr",
    "bgp_cluster_list", "bgp_community", "bgp_ext_community", "bgp_large_community",
    "bgp_local_pref", "bgp_med", "bgp_next_hop", "bgp_origin", "bgp_originator_id", "bgp_path",
    "bgpmask", "bgppath", "blackhole", "block", "bool", "broadcast", "buffer", "bug",
    "capabilities", "case", "cast", "cease", "change", "check", "class", "client", "clist",
    "cluster", "collision", "commands", "communities", "configuration", "configure", "confirm",
    "connect", "connection", "contains", "cost", "cost2", "count", "cryptographic", "dead", "debug",
    "deconfigured", "default", "define", "defined", "delay", "delete", "description", "dest",
    "deterministic", "dev", "device", "direct", "disable", "disabled", "down", "drop", "dscp",
    "dual", "dump", "ec", "echo", "eclist", "ecmp", "eligible", "else", "empty", "enable", "error",
    "eval", "events", "export", "extended", "external", "false", "fatal", "filename", "filter",
    "filtered", "filters", "first", "flush", "for", "forget", "from", "function", "garbage",
    "gateway", "generate", "generic", "global", "graceful", "gw", "hello", "hidden", "hit", "hmac",
    "hold", "hop", "horizon", "id", "idle", "if", "ifindex", "ifname", "ignore", "igp",
    "igp_metric", "import", "in", "infinity", "info", "instance", "int", "interface", "interfaces",
    "interpret", "interval", "ip", "ipv4", "iso", "keep", "keepalive", "kernel", "keyed",
    "krt_advmss", "krt_cwnd", "krt_feature_allfrag", "krt_feature_ecn", "krt_hoplimit",
    "krt_initcwnd", "krt_initrwnd", "krt_lock_advmss", "krt_lock_cwnd", "krt_lock_hoplimit",
    "krt_lock_mtu", "krt_lock_reordering", "krt_lock_rto_min", "krt_lock_rtt", "krt_lock_rttvar",
    "krt_lock_sstresh", "krt_lock_window", "krt_metric", "krt_mtu", "krt_prefsrc", "krt_quickack",
    "krt_realm", "krt_reordering", "krt_rto_min", "krt_rtt", "krt_rttvar", "krt_scope",
    "krt_source", "krt_sstresh", "krt_window", "large", "last", "last_nonaggregated", "latency",
    "lc", "lclist", "learn", "len", "length", "limit", "link", "listen", "lived", "lladdr", "local",
    "log", "long", "lsa", "lsadb", "lsid", "mask", "match", "max", "md5", "med", "memory", "merge",
    "messages", "meticulous", "metric", "min", "missing", "mode", "mrt", "mrtdump", "ms",
    "multicast", "multihop", "multipath", "multiplier", "name", "nbma", "neighbor", "neighbors",
    "net", "netmask", "networks", "next", "no", "noexport", "nonbroadcast", "none", "normal",
    "nssa", "of", "off", "old", "older", "on", "only", "opaque", "ospf", "ospf_metric1",
    "ospf_metric2", "ospf_router_id", "ospf_tag", "out", "packets", "pair", "passive", "password",
    "passwords", "path", "paths", "peer", "period", "persist", "pipe", "plaintext",
    "pointomultipoint", "pointopoint", "poison", "poll", "port", "preexport", "prefer",
    "preference", "prefix", "prepend", "primary", "print", "printn", "priority", "prohibit",
    "proto", "protocol", "protocols", "ptmp", "ptp", "quad", "quitbird", "real", "receive",
    "recursive", "refresh", "reject", "rejected", "reload", "remote", "reset", "resources",
    "restart", "restrict", "retransmit", "retry", "return", "reverse", "rfc1583compat", "rip",
    "rip_metric", "rip_tag", "ro", "roa", "roa_check", "route", "router", "routes", "rr", "rs",
    "rt", "rx", "s", "scan", "scope", "secondary", "security", "self", "sessions", "set", "setkey",
    "sha1", "sha256", "sha384", "sha512", "short", "show", "shutdown", "simple", "sockets", "soft",
    "sorted", "source", "split", "stability", "stale", "start", "startup", "state", "states",
    "static", "stats", "status", "stderr", "strict", "string", "stub", "stubnet", "summary",
    "suppression", "symbols", "syslog", "table", "tag", "template", "then", "tick", "time",
    "timeformat", "timeout", "to", "topology", "trace", "translator", "transmit", "transparent",
    "true", "ttl", "tx", "type", "undo", "unknown", "unreachable", "unset", "update", "us",
    "v6only", "version", "via", "virtual", "vrf", "wait", "warn", "warning", "watchdog", "weight",
    "where", "yes", "zero",
];

#[rustfmt::skip]
static V2: &[&str] = &[
    "AF_IPV4", "AF_IPV6", "NET_FLOW4", "NET_FLOW6", "NET_IP4", "NET_IP6", "NET_IP6_SADR", "NET_ROA4",
    "NET_ROA6", "NET_VPN4", "NET_VPN6", "ORIGIN_EGP", "ORIGIN_IGP", "ORIGIN_INCOMPLETE", "RA_PREF_HIGH",
    "RA_PREF_LOW", "RA_PREF_MEDIUM", "ROA_INVALID", "ROA_UNKNOWN", "ROA_VALID", "RTD_BLACKHOLE",
    "RTD_PROHIBIT", "RTD_UNICAST", "RTD_UNREACHABLE", "RTS_BABEL", "RTS_BGP", "RTS_DEVICE",
    "RTS_INHERIT", "RTS_OSPF", "RTS_OSPF_EXT1", "RTS_OSPF_EXT2", "RTS_OSPF_IA", "RTS_PIPE",
    "RTS_REDIRECT", "RTS_RIP", "RTS_STATIC", "RTS_STATIC_DEVICE", "SCOPE_HOST", "SCOPE_LINK",
    "SCOPE_ORGANIZATION", "SCOPE_SITE", "SCOPE_UNDEFINED", "SCOPE_UNIVERSE", "accept", "action", "add",
    "address", "administrative", "advertise", "after", "aigp", "algorithm", "all", "allow", "always",
    "area", "as", "as4", "attribute", "attributes", "auth", "authentication", "autonomous", "aware",
    "babel", "babel_metric", "base", "bcast", "bfd", "bgp", "bgp_aggregator", "bgp_aigp",
    "bgp_atomic_aggr", "bgp_cluster_list", "bgp_community", "bgp_ext_community", "bgp_large_community",
    "bgp_local_pref", "bgp_med", "bgp_next_hop", "bgp_origin", "bgp_originator_id", "bgp_otc",
    "bgp_path", "bgpmask", "bgppath", "bind", "bird", "blackhole", "blake2b256", "blake2b512",
    "blake2s128", "blake2s256", "block", "bool", "broadcast", "bt_assert", "bt_check_assign",
    "bt_test_same", "bt_test_suite", "buffer", "bug", "by", "capabilities", "case", "cease", "change",
    "channels", "check", "circuit", "class", "client", "clist", "cluster", "collision", "commands",
    "communities", "confederation", "config", "configuration", "configure", "connect", "connection",
    "cost", "cost2", "count", "cryptographic", "current", "dead", "debug", "deconfigured", "default",
    "define", "defined", "delay", "delete", "demand", "description", "dest", "deterministic", "dev",
    "device", "digits", "direct", "disable", "disabled", "dnssl", "do", "domain", "down", "drop",
    "dscp", "dump", "dynamic", "ebgp", "ec", "echo", "eclist", "ecmp", "eligible", "else", "empty",
    "enable", "enforce", "entries", "error", "eval", "events", "exp", "expire", "export", "exported",
    "extended", "external", "false", "fatal", "filename", "filter", "filtered", "filters", "first",
    "flow4", "flow6", "for", "forget", "format", "free", "from", "function", "garbage", "gateway", "gc",
    "generate", "generic", "global", "graceful", "gw", "gw_mpls", "hello", "hidden", "high", "hit",
    "hmac", "hold", "hop", "horizon", "hostname", "ibgp", "id", "idle", "if", "ifindex", "ifname",
    "ignore", "igp", "igp_metric", "import", "in", "infinity", "info", "instance", "int", "interface",
    "interfaces", "internal", "interpret", "interval", "ip", "ipv4", "ipv4_mc", "ipv4_mpls", "ipv6",
    "ipv6_mc", "ipv6_mpls", "ipv6_sadr", "iso", "keep", "keepalive", "kernel", "key", "keyed",
    "krt_advmss", "krt_cwnd", "krt_feature_allfrag", "krt_feature_ecn", "krt_hoplimit", "krt_initcwnd",
    "krt_initrwnd", "krt_lock_advmss", "krt_lock_cwnd", "krt_lock_hoplimit", "krt_lock_mtu",
    "krt_lock_reordering", "krt_lock_rto_min", "krt_lock_rtt", "krt_lock_rttvar", "krt_lock_sstresh",
    "krt_lock_window", "krt_metric", "krt_mtu", "krt_prefsrc", "krt_quickack", "krt_realm",
    "krt_reordering", "krt_rto_min", "krt_rtt", "krt_rttvar", "krt_scope", "krt_source", "krt_sstresh",
    "krt_window", "large", "latency", "lc", "lclist", "learn", "length", "lifetime", "limit", "linger",
    "link", "lived", "lladdr", "local", "log", "long", "lsa", "lsadb", "lsid", "mac", "managed",
    "mandatory", "max", "md5", "med", "medium", "member", "memory", "merge", "messages", "meticulous",
    "metric", "min", "missing", "mode", "mpls", "mrt", "mrtdump", "ms", "mtu", "mult", "multicast",
    "multihop", "multiplier", "name", "nbma", "neighbor", "neighbors", "net", "netlink", "netmask",
    "networks", "next", "ng", "no", "noexport", "nonbroadcast", "none", "normal", "ns", "nssa", "of",
    "off", "older", "on", "onlink", "only", "originate", "ospf", "ospf_metric1", "ospf_metric2",
    "ospf_router_id", "ospf_tag", "other", "out", "packets", "pair", "passive", "password", "passwords",
    "path", "paths", "pe", "perf", "period", "permissive", "persist", "pipe", "plaintext",
    "pointomultipoint", "pointopoint", "poison", "poll", "port", "preexport", "prefer", "preference",
    "preferred", "prefix", "prepend", "pri", "primary", "print", "printn", "priority", "private",
    "prohibit", "propagate", "proto", "protocol", "protocols", "ptmp", "ptp", "public", "quad", "ra",
    "ra_lifetime", "ra_preference", "radv", "randomize", "range", "rd", "rdnss", "reachable", "real",
    "receive", "recursive", "refresh", "reject", "rejected", "reload", "remote", "repeat", "require",
    "reset", "resources", "restart", "restrict", "retrans", "retransmit", "retry", "return", "reverse",
    "rfc1583compat", "rfc5838", "rip", "rip_metric", "rip_tag", "ro", "roa4", "roa6", "roa_check",
    "roles", "route", "router", "routes", "rpki", "rr", "rs", "rt", "rx", "rxcost", "s", "sadr", "scan",
    "scope", "sec", "secondary", "security", "self", "sensitive", "sessions", "set", "setkey", "sets",
    "settle", "sha1", "sha256", "sha384", "sha512", "short", "show", "shutdown", "simple", "skip",
    "sockets", "solicited", "sorted", "source", "split", "ssh", "stability", "stale", "start",
    "startup", "states", "static", "stats", "stderr", "strict", "string", "stub", "stubnet",
    "summary", "suppression", "symbols", "syslog", "table", "tag", "tcp", "template", "then",
    "threshold", "tick", "time", "timeformat", "timeout", "timer", "to", "topology", "trace",
    "translator", "transmit", "transport", "trie", "trigger", "true", "ttl", "tx", "type", "unicast",
    "unknown", "unreachable", "unset", "update", "us", "user", "v2", "v3", "valid", "validate",
    "version", "via", "virtual", "vpn", "vpn4", "vpn4_mc", "vpn4_mpls", "vpn6", "vpn6_mc", "vpn6_mpls",
    "vrf", "wait", "warn", "warning", "watchdog", "weight", "where", "wired", "wireless", "yes", "zero",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_in_order() {
        assert!(BOTH.is_sorted() && IPV6_ONLY.is_sorted() && V2.is_sorted() && NAMES_TOO.is_sorted());
        assert!(OF_FILTERS.is_sorted());
    }

    #[test]
    fn what_later_releases_allow_as_a_name_is_none_in_2_and_stays_reserved_in_1_6() {
        for word in ["len", "low", "state"] {
            assert!(is_reserved(word, None) && !is_reserved_in(word, None, Dialect::V2), "{word}");
        }
        assert!(is_reserved_in("states", None, Dialect::V2));
    }

    #[test]
    fn short_words_are_reserved_too() {
        for word in ["rt", "s", "limit", "export"] {
            assert!(is_reserved(word, Some(Family::Ipv4)), "{word}");
        }
        assert!(!is_reserved("maxlen", Some(Family::Ipv4)));
        assert!(!is_reserved("radv", Some(Family::Ipv4)));
        assert!(is_reserved("radv", Some(Family::Ipv6)));
    }
}
