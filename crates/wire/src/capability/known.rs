//! The capabilities that we know: of each its number, how it is read, and how it is written.
//!
//! Adding one is adding a row. The rows stand in the order in which BIRD 1.6.8
//! writes them, which means nothing to a reader.

use super::{AddPath, Capabilities, GracefulRestart, LongLivedFamily, Malformed};
use crate::nlri::{UNICAST, family_of};
use crate::notification::cut;
use nom::Parser;
use nom::combinator::{all_consuming, eof, rest};
use nom::multi::{length_data, many0};
use nom::number::complete::{be_u8, be_u16, be_u24, be_u32};
use route::Family;

/// AFI of IPv6, as the family of a next hop.
const NEXT_HOP_IPV6: u16 = 2;
/// The R bit of graceful restart, in the field of flags and time.
const RESTARTING: u16 = 0x8000;
/// The time in that field.
const RESTART_TIME: u16 = 0x0fff;
/// The F bit of a family.
const FORWARDING: u8 = 0x80;
/// ADD-PATH: able to receive.
const RECEIVE: u8 = 1;
/// ADD-PATH: able to send.
const SEND: u8 = 2;
/// The longest name of a machine: its capability has two more octets.
const HOSTNAME_OCTETS_MAX: usize = 253;

/// A capability that we know.
pub(super) struct Known {
    /// Its number (IANA).
    pub(super) code: u8,
    /// Takes in its value.
    pub(super) read: fn(&mut Capabilities, &[u8]) -> Result<(), Malformed>,
    /// The values that are announced: none, one, or one for each part of what is said.
    pub(super) write: fn(&Capabilities) -> Vec<Vec<u8>>,
}

/// All of them.
pub(super) static KNOWN: &[Known] = &[
    // Multiprotocol (RFC 4760 8).
    Known { code: 1, read: read_multiprotocol, write: |c| c.families.iter().map(multiprotocol).collect() },
    // Route refresh (RFC 2918 2).
    Known { code: 2, read: |c, value| flag(value, &mut c.route_refresh), write: |c| announced(c.route_refresh) },
    // Extended next hop encoding (RFC 8950 4).
    Known { code: 5, read: read_extended_next_hop, write: |c| joined(&c.extended_next_hop, extended_next_hop) },
    // Role (RFC 9234 4.1).
    Known { code: 9, read: read_role, write: |c| c.roles.iter().map(|role| vec![*role]).collect() },
    // Graceful restart (RFC 4724 3).
    Known {
        code: 64,
        read: read_graceful_restart,
        write: |c| c.graceful_restart.iter().map(graceful_restart).collect(),
    },
    // Four-octet AS numbers (RFC 6793 3).
    Known { code: 65, read: read_as4, write: |c| c.as4.iter().map(|asn| asn.to_be_bytes().to_vec()).collect() },
    // ADD-PATH (RFC 7911 4).
    Known { code: 69, read: read_add_path, write: |c| joined(&c.add_paths, add_path) },
    // Enhanced route refresh (RFC 7313 3.1).
    Known { code: 70, read: |c, value| flag(value, &mut c.enhanced_refresh), write: |c| announced(c.enhanced_refresh) },
    // Extended messages (RFC 8654 3).
    Known {
        code: 6,
        read: |c, value| flag(value, &mut c.extended_messages),
        write: |c| announced(c.extended_messages),
    },
    // Long-lived graceful restart (RFC 9494 3.1).
    Known {
        code: 71,
        read: read_long_lived,
        write: |c| c.long_lived.iter().map(|all| each(all, long_lived)).collect(),
    },
    // The name of the machine (draft-walton-bgp-hostname-capability).
    Known { code: 73, read: read_hostname, write: |c| c.hostname.iter().map(|name| hostname(name)).collect() },
];

/// The value of a capability, which the parser must use up.
fn whole<'a, T>(
    parser: impl Parser<&'a [u8], Output = T, Error = nom::error::Error<&'a [u8]>>,
    value: &'a [u8],
) -> Result<T, Malformed> {
    all_consuming(parser).parse(value).map(|(_, found)| found).map_err(|_| Malformed)
}

/// A capability without a value.
fn flag(value: &[u8], known: &mut bool) -> Result<(), Malformed> {
    whole(eof, value)?;
    *known = true;
    Ok(())
}

fn announced(is: bool) -> Vec<Vec<u8>> {
    if is { vec![Vec::new()] } else { Vec::new() }
}

/// The octets of all items one behind the other.
fn each<T, const N: usize>(all: &[T], octets: fn(&T) -> [u8; N]) -> Vec<u8> {
    all.iter().flat_map(octets).collect()
}

/// One value for all items, if there are any.
fn joined<T, const N: usize>(all: &[T], octets: fn(&T) -> [u8; N]) -> Vec<Vec<u8>> {
    if all.is_empty() { Vec::new() } else { vec![each(all, octets)] }
}

fn read_multiprotocol(c: &mut Capabilities, value: &[u8]) -> Result<(), Malformed> {
    let (afi, _, safi) = whole((be_u16, be_u8, be_u8), value)?;
    c.multiprotocol = true;
    if let Some(family) = family_of(afi, safi)
        && !c.families.contains(&family)
    {
        c.families.push(family);
    }
    Ok(())
}

fn multiprotocol(family: &Family) -> Vec<u8> {
    let [high, low] = family.afi().to_be_bytes();
    vec![high, low, 0, UNICAST]
}

fn read_extended_next_hop(c: &mut Capabilities, value: &[u8]) -> Result<(), Malformed> {
    let rows = whole(many0((be_u16, be_u16, be_u16)), value)?;
    c.extended_next_hop.extend(rows.into_iter().filter_map(|(afi, safi, hop)| {
        let family = family_of(afi, u8::try_from(safi).ok()?)?;
        (family == Family::Ipv4 && hop == NEXT_HOP_IPV6).then_some(family)
    }));
    Ok(())
}

fn extended_next_hop(family: &Family) -> [u8; 6] {
    let [[a, b], [c, d], [e, f]] = [family.afi(), u16::from(UNICAST), NEXT_HOP_IPV6].map(u16::to_be_bytes);
    [a, b, c, d, e, f]
}

fn read_role(c: &mut Capabilities, value: &[u8]) -> Result<(), Malformed> {
    let role = whole(be_u8, value).unwrap_or(u8::MAX);
    if !c.roles.contains(&role) {
        c.roles.push(role);
    }
    Ok(())
}

fn read_graceful_restart(c: &mut Capabilities, value: &[u8]) -> Result<(), Malformed> {
    let (head, families) = whole((be_u16, many0((be_u16, be_u8, be_u8))), value)?;
    let kept = |(afi, safi, flags): (u16, u8, u8)| Some((family_of(afi, safi)?, flags & FORWARDING != 0));
    c.graceful_restart = Some(GracefulRestart {
        restarting: head & RESTARTING != 0,
        time_s: head & RESTART_TIME,
        families: families.into_iter().filter_map(kept).collect(),
    });
    Ok(())
}

fn graceful_restart(restart: &GracefulRestart) -> Vec<u8> {
    let restarting = if restart.restarting { RESTARTING } else { 0 };
    let mut value = (restarting | restart.time_s.min(RESTART_TIME)).to_be_bytes().to_vec();
    for (family, forwarding) in &restart.families {
        value.extend_from_slice(&family.afi().to_be_bytes());
        value.extend_from_slice(&[UNICAST, forwarding_flag(*forwarding)]);
    }
    value
}

fn read_as4(c: &mut Capabilities, value: &[u8]) -> Result<(), Malformed> {
    c.as4 = Some(whole(be_u32, value)?);
    Ok(())
}

fn read_add_path(c: &mut Capabilities, value: &[u8]) -> Result<(), Malformed> {
    let families = whole(many0((be_u16, be_u8, be_u8)), value)?;
    c.add_paths.extend(families.into_iter().filter_map(|(afi, safi, what)| {
        // RFC 7911 4: "If any other value is received, then the capability SHOULD be
        // treated as not understood and ignored".
        (1..=3).contains(&what).then_some(AddPath {
            family: family_of(afi, safi)?,
            receive: what & RECEIVE != 0,
            send: what & SEND != 0,
        })
    }));
    Ok(())
}

fn add_path(of: &AddPath) -> [u8; 4] {
    let [high, low] = of.family.afi().to_be_bytes();
    let receive = if of.receive { RECEIVE } else { 0 };
    let send = if of.send { SEND } else { 0 };
    [high, low, UNICAST, receive | send]
}

fn read_long_lived(c: &mut Capabilities, value: &[u8]) -> Result<(), Malformed> {
    let families = whole(many0((be_u16, be_u8, be_u8, be_u24)), value)?;
    let stale = |(afi, safi, flags, stale_time_s): (u16, u8, u8, u32)| {
        Some(LongLivedFamily { family: family_of(afi, safi)?, forwarding: flags & FORWARDING != 0, stale_time_s })
    };
    c.long_lived = Some(families.into_iter().filter_map(stale).collect());
    Ok(())
}

fn long_lived(of: &LongLivedFamily) -> [u8; 7] {
    let [high, low] = of.family.afi().to_be_bytes();
    let [_, a, b, c] = of.stale_time_s.to_be_bytes();
    [high, low, UNICAST, forwarding_flag(of.forwarding), a, b, c]
}

const fn forwarding_flag(forwarding: bool) -> u8 {
    if forwarding { FORWARDING } else { 0 }
}

/// Behind the name stands that of its domain. Nobody's session ends over a name.
fn read_hostname(c: &mut Capabilities, value: &[u8]) -> Result<(), Malformed> {
    if let Ok((name, _)) = whole((length_data(be_u8), rest), value) {
        let name = String::from_utf8_lossy(name);
        let name: String = name.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        c.hostname = Some(cut(&name, HOSTNAME_OCTETS_MAX).into());
    }
    Ok(())
}

/// Without a domain.
fn hostname(name: &str) -> Vec<u8> {
    let name = cut(name, HOSTNAME_OCTETS_MAX);
    let mut value = vec![name.len() as u8];
    value.extend_from_slice(name.as_bytes());
    value.push(0);
    value
}
