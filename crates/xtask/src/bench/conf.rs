//! What the daemons are to do with routes, and that in both dialects of bird.conf; `foreign` has the other languages.

use super::generated;
use super::speaker::{daemon_address, peer_address};
use super::stage::Setting;
use super::table::{Family, asn};
use super::witness;
use std::fmt::Write;
use std::net::Ipv4Addr;

/// A dialect of bird.conf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// BIRD 1.6: options stand in the protocol.
    V1,
    /// BIRD 2: options stand in channels.
    V2,
}

/// What a daemon is to do with routes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// Everything in, everything out.
    Plain,
    /// Everything into the kernel as well.
    Kernel,
    /// An import filter as a careful network has one.
    Checked,
    /// Large prefix sets in the export filters.
    LargeSets,
    /// One sorted table, an export filter for each peer, the second best where that refuses the best.
    RouteServer,
    /// A table for each peer, and pipes.
    Pipes,
    /// A large route server as generators write it, in dialect 2, beside peers with everything in and out.
    Generated,
}

/// The configuration in a dialect of bird.conf.
pub fn bird(policy: Policy, setting: &Setting, dialect: Dialect) -> String {
    match policy {
        Policy::Plain => with_head(setting, dialect, "", "all"),
        Policy::Kernel => kernel(setting, dialect),
        Policy::Checked => filtered(setting, dialect),
        Policy::LargeSets => large_sets(setting, dialect),
        Policy::RouteServer => route_server(setting, dialect),
        Policy::Pipes => pipes(setting, dialect),
        Policy::Generated => with_head(setting, Dialect::V2, &generated::route_server(generated::MEMBERS), "all"),
    }
}

/// The file, beside the control socket.
pub const FILE: &str = "bench.conf";
/// The community that the import filter of the filter scenario adds: (65000, 1).
pub const CHECKED: u32 = 65000 << 16 | 1;
/// Members of each prefix set there.
const SET_MEMBERS: usize = 10_000;

/// What stands in a neighbour's protocol; `import` and `export` as behind these words.
#[derive(Default)]
struct Neighbour {
    protocol: String,
    channel: String,
    import: String,
    export: String,
}

/// A configuration: a head, whatever a scenario adds, one protocol a peer, the witness.
fn configuration(
    setting: &Setting,
    dialect: Dialect,
    head: &str,
    mut neighbour: impl FnMut(usize) -> Neighbour,
) -> String {
    let mut out = format!("log stderr all;\nrouter id 10.99.0.1;\nprotocol device {{ }}\n{head}");
    let mut put = |name: &str, peer: usize, asn: u32, n: &Neighbour| {
        let channel = format!("{} import {}; export {};", n.channel, n.import, n.export);
        let channel = match (dialect, setting.family) {
            (Dialect::V1, _) => channel,
            (Dialect::V2, Family::Ipv4) => format!("ipv4 {{ {channel} }};"),
            (Dialect::V2, Family::Ipv6) => format!("ipv6 {{ {channel} }};"),
        };
        let (here, far) = (daemon_address(setting.family), peer_address(setting.family, peer));
        let _ = writeln!(
            out,
            "protocol bgp {name} {{ local {here} as 65000; neighbor {far} as {asn}; passive; {} {channel} }}",
            n.protocol
        );
    };
    for peer in 0..setting.sessions() {
        put(&format!("n{peer}"), peer, asn(peer), &neighbour(peer));
    }
    let quiet = Neighbour { import: "all".into(), export: "none".into(), ..Neighbour::default() };
    put("witness", witness::PEER, witness::ASN, &quiet);
    out
}

/// Everything into the kernel.
fn kernel(setting: &Setting, dialect: Dialect) -> String {
    let head = match dialect {
        Dialect::V1 => "protocol kernel { export all; }\n",
        Dialect::V2 => "protocol kernel { ipv4 { export all; }; }\n",
    };
    with_head(setting, dialect, head, "all")
}

fn with_head(setting: &Setting, dialect: Dialect, head: &str, import: &str) -> String {
    configuration(setting, dialect, head, |_| Neighbour {
        import: import.into(),
        export: "all".into(),
        ..Neighbour::default()
    })
}

/// An import filter as a careful network has one: two prefix sets, the path's length, AS numbers that nobody may have.
fn filtered(setting: &Setting, dialect: Dialect) -> String {
    let table = setting.table();
    let rejected = table.prefixes_of(0..setting.rejected);
    let strangers = table.strangers().take(SET_MEMBERS.saturating_sub(rejected.len()));
    let customers = table.prefixes_of(setting.rejected..table.sets()).iter().copied().take(SET_MEMBERS);
    let head = format!(
        "define DENIED = [ {} ];\ndefine CUSTOMERS = [ {} ];\n\
         define BOGONS = [ 0, 23456, 64496..64511, 65535..131071, 4200000000..4294967295 ];\n\
         filter checked {{\n  if net ~ DENIED then reject;\n  if bgp_path.len > 64 then reject;\n  \
         if bgp_path ~ BOGONS then reject;\n  if net ~ CUSTOMERS then preference = 120;\n  \
         bgp_community.add((65000, 1));\n  accept;\n}}\n",
        members(rejected.iter().copied().chain(strangers)),
        members(customers),
    );
    with_head(setting, dialect, &head, "filter checked")
}

/// Prefixes as members of a set: a /24 with what is more specific, others alone, for the table has more specific ones of them.
fn members(prefixes: impl Iterator<Item = (u64, u8)>) -> String {
    let member = |(address, length): (u64, u8)| {
        let longest = if length < 24 { length } else { 32 };
        format!("{}/{length}{{{length},{longest}}}", Ipv4Addr::from_bits((address >> 32) as u32))
    };
    prefixes.map(member).collect::<Vec<_>>().join(", ")
}

/// A member of the large sets that a reload puts in the place of another; neither is a route of the table.
pub const MEMBER_BEFORE: &str = "198.18.0.0/24{24,32}";
pub const MEMBER_AFTER: &str = "198.18.1.0/24{24,32}";
/// Members of the large sets.
const LARGE_SET_MEMBERS: usize = 100_000;

/// Large prefix sets in the export filters: half of the peers are judged by the one that a reload changes.
fn large_sets(setting: &Setting, dialect: Dialect) -> String {
    let table = setting.table();
    let mut strangers = table.strangers();
    let mut set = |first: &str| format!("[ {first}, {} ]", members(strangers.by_ref().take(LARGE_SET_MEMBERS - 1)));
    let head = format!(
        "filter changing {{ if net ~ {} then reject; accept; }}\nfilter lasting {{ if net ~ {} then reject; accept; }}\n",
        set(MEMBER_BEFORE),
        set("198.19.0.0/24"),
    );
    configuration(setting, dialect, &head, |peer| Neighbour {
        import: "all".into(),
        export: if peer % 2 == 0 { "filter changing".into() } else { "filter lasting".into() },
        ..Neighbour::default()
    })
}

/// A route server of today: one sorted table, each member with a filter of its own and the second best where the best is not for it.
fn route_server(setting: &Setting, dialect: Dialect) -> String {
    let mut head = match dialect {
        Dialect::V1 => "table ixp sorted;\n".to_owned(),
        Dialect::V2 => "ipv4 table ixp sorted;\n".to_owned(),
    };
    for peer in 0..setting.sessions() {
        let _ = writeln!(head, "filter to_{peer} {{ {} accept; }}", denied(peer));
    }
    configuration(setting, dialect, &head, |peer| Neighbour {
        protocol: match dialect {
            Dialect::V1 => "rs client; table ixp; secondary;".into(),
            Dialect::V2 => "rs client;".into(),
        },
        channel: if dialect == Dialect::V2 { "table ixp; secondary;".into() } else { String::new() },
        import: "all".into(),
        export: format!("filter to_{peer}"),
    })
}

/// A route server of yesterday: a table for each member, with a pipe into the common table and one out of it.
fn pipes(setting: &Setting, dialect: Dialect) -> String {
    let (common, family) = match dialect {
        Dialect::V1 => ("master", ""),
        Dialect::V2 => ("master4", "ipv4 "),
    };
    let mut head = String::new();
    for n in 0..setting.sessions() {
        let _ = writeln!(
            head,
            "{family}table t{n};\n\
             filter out_{n} {{ if proto = \"n{n}\" then reject; {} accept; }}\n\
             protocol pipe in{n} {{ table {common}; peer table t{n}; import where proto = \"n{n}\"; export none; }}\n\
             protocol pipe out{n} {{ table {common}; peer table t{n}; import none; export filter out_{n}; }}",
            denied(n)
        );
    }
    configuration(setting, dialect, &head, |peer| {
        let table = format!("table t{peer};");
        let (protocol, channel) = match dialect {
            Dialect::V1 => (format!("rs client; {table}"), String::new()),
            Dialect::V2 => ("rs client;".to_owned(), table),
        };
        Neighbour { protocol, channel, import: "all".into(), export: "all".into() }
    })
}

/// What route servers do with the communities of their members.
fn denied(peer: usize) -> String {
    let asn = asn(peer);
    format!(
        "if (0, {asn}) ~ bgp_community then reject; \
         if (0, 65000) ~ bgp_community && ! ((65000, {asn}) ~ bgp_community) then reject;"
    )
}

/// How many sets the import filter rejects of a table with so many.
pub const fn rejected(routes: usize) -> u32 {
    let sets = routes / 5500;
    if sets == 0 { 1 } else { sets as u32 }
}

#[cfg(test)]
mod tests {
    use super::super::table::Table;
    use super::*;

    #[test]
    fn members_of_a_set_take_no_other_route_with_them() {
        let one = u64::from(Ipv4Addr::new(192, 0, 2, 0).to_bits()) << 32;
        assert_eq!(members([(one, 24), (one, 23)].into_iter()), "192.0.2.0/24{24,32}, 192.0.2.0/23{23,23}");
    }

    #[test]
    fn a_small_table_rejects_one_set() {
        let sharing = crate::bench::table::Sharing { peers: 1, copies: 1 };
        let table = Table::new(Family::Ipv4, 100, sharing, false);
        assert!(!table.prefixes_of(0..rejected(100)).is_empty());
        assert_eq!(rejected(1_000_000), 181);
    }
}
