//! A route server's configuration as a generator writes it: functions and filters for each session, sets of a prefix a line.
//!
//! The shape is that of `integration/arouteserver/small2.conf`, which the tests run beside BIRD: what stands in front of
//! its first session, then its first two sessions, one of each family, again and again for other members.

use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr};

const SHAPE: &str = include_str!("../../../../integration/arouteserver/small2.conf");
/// Stands in front of each session.
const SESSION: &str = "# client\n";
/// What `bench::conf` writes by itself.
const WRITTEN: [&str; 3] = ["log ", "router id ", "protocol device "];
/// Members of the exchange that make some 20,000 lines.
pub const MEMBERS: u32 = 56;
/// Prefixes in a set, one a line.
const SET_MEMBERS: u32 = 110;

/// All but the head that every configuration of the benchmark has: in dialect 2, for so many members of the exchange.
pub fn route_server(members: u32) -> String {
    let mut parts = SHAPE.split(SESSION);
    let head = parts.next().unwrap_or_default();
    let sessions: Vec<&str> = parts.take(2).collect();
    let ours = |line: &&str| !WRITTEN.iter().any(|word| line.starts_with(word));
    let mut text: String = head.lines().filter(ours).flat_map(|line| [line, "\n"]).collect();
    for member in 0..members {
        sets(&mut text, member);
        for session in &sessions {
            text.push_str(&of_member(session, member));
        }
    }
    text
}

/// The origins and prefixes of a member; sets of different members differ.
fn sets(text: &mut String, member: u32) {
    let first = member * SET_MEMBERS;
    let v4 = (first..).map(|n| format!("\t{}/20{{20,24}}", Ipv4Addr::from_bits(0x2000_0000 + (n << 12))));
    let v6 = (first..).map(|n| format!("\t{}/32{{32,48}}", Ipv6Addr::from_bits((0x2a00_0000 + u128::from(n)) << 96)));
    let _ = writeln!(text, "define AS_M{member}_asns = [ {}, 3333 ];", asn(member));
    for (family, lines) in
        [(4, v4.take(SET_MEMBERS as usize).collect::<Vec<_>>()), (6, v6.take(SET_MEMBERS as usize).collect())]
    {
        let _ = writeln!(text, "define AS_M{member}_prefixes_{family} = [\n{}\n];", lines.join(",\n"));
    }
}

const fn asn(member: u32) -> u32 {
    200_000 + member
}

/// The session of the shape with the member's names, addresses and numbers.
fn of_member(session: &str, member: u32) -> String {
    let asn = asn(member).to_string();
    let (v4, v6) = (
        Ipv4Addr::from_bits(0x0a62_0001 + member),
        Ipv6Addr::from_bits((0x2001_0db8_0098 << 80) + 1 + u128::from(member)),
    );
    session
        .replace("192.0.2.11", &v4.to_string())
        .replace("2001:db8:1::11", &v6.to_string())
        .replace("AS_RIPE", &format!("AS_M{member}"))
        .replace("3333", &asn)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_has_some_twenty_thousand_lines() {
        let text = route_server(MEMBERS);
        let lines = text.lines().count();
        assert!((18_000..22_000).contains(&lines), "{lines}");
        assert_eq!(text.matches("protocol bgp AS").count(), 2 * MEMBERS as usize);
        assert!(!text.contains("AS3333_"), "a session of the shape stands as it was");
    }
}
