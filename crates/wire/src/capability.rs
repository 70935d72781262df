//! Capabilities (RFC 5492): what a speaker says it can do.
//!
//! A capability stands in one place here: its code, its field, how it is read
//! and written. They are written in the order of BIRD 1.6.8, which is the order
//! of the `encode` below; the order means nothing to the reader.

use crate::nlri::{UNICAST, family_of};
use crate::notification::cut;
use nom::Parser;
use nom::combinator::{all_consuming, eof, rest};
use nom::multi::{length_data, many0};
use nom::number::complete::{be_u8, be_u16, be_u24, be_u32};
use route::Family;

/// Codes of IANA, by name.
mod code {
    pub(super) const MULTIPROTOCOL: u8 = 1;
    pub(super) const ROUTE_REFRESH: u8 = 2;
    pub(super) const EXTENDED_NEXT_HOP: u8 = 5;
    pub(super) const EXTENDED_MESSAGES: u8 = 6;
    pub(super) const ROLE: u8 = 9;
    pub(super) const GRACEFUL_RESTART: u8 = 64;
    pub(super) const FOUR_OCTET_AS: u8 = 65;
    pub(super) const ADD_PATH: u8 = 69;
    pub(super) const ENHANCED_REFRESH: u8 = 70;
    pub(super) const LONG_LIVED: u8 = 71;
    pub(super) const HOSTNAME: u8 = 73;
}

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

/// All capabilities of one OPEN.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// Multiprotocol (1), in the order given.
    pub families: Vec<Family>,
    /// Multiprotocol was announced, if only for families that we do not know.
    pub multiprotocol: bool,
    /// Route refresh (2).
    pub route_refresh: bool,
    /// Extended next hop encoding (5, RFC 8950): families whose routes may have IPv6 next hops.
    pub extended_next_hop: Vec<Family>,
    /// Extended messages (6).
    pub extended_messages: bool,
    /// Graceful restart (64).
    pub graceful_restart: Option<GracefulRestart>,
    /// Four-octet AS numbers (65), with the AS.
    pub as4: Option<u32>,
    /// ADD-PATH (69), per family.
    pub add_paths: Vec<AddPath>,
    /// Enhanced route refresh (70).
    pub enhanced_refresh: bool,
    /// Long-lived graceful restart (71).
    pub long_lived: Option<Vec<LongLivedFamily>>,
    /// Roles (9, RFC 9234) by their numbers, each once; 255 for what is no role. What several mean is for the session.
    pub roles: Vec<u8>,
    /// The name of the machine (73, draft-walton-bgp-hostname-capability), control characters made blanks.
    pub hostname: Option<Box<str>>,
    /// Capabilities that we do not know: code and value, as received.
    pub unknown: Vec<(u8, Vec<u8>)>,
}

/// Graceful restart (RFC 4724 3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GracefulRestart {
    /// The R bit: the speaker has restarted.
    pub restarting: bool,
    /// Seconds, 0 ..= 4095.
    pub time_s: u16,
    /// Families with their F bit: forwarding state was kept.
    pub families: Vec<(Family, bool)>,
}

/// ADD-PATH for one family (RFC 7911 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddPath {
    /// The family.
    pub family: Family,
    /// Able to receive several paths.
    pub receive: bool,
    /// Able to send several paths.
    pub send: bool,
}

/// Long-lived graceful restart for one family (RFC 9494 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LongLivedFamily {
    /// The family.
    pub family: Family,
    /// The F bit.
    pub forwarding: bool,
    /// Seconds, 24 bits.
    pub stale_time_s: u32,
}

/// The value of a capability that we know has another shape than its RFC gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

impl Capabilities {
    /// Adds the capabilities of one optional parameter. Of a capability that may stand once the last one counts.
    pub(crate) fn decode(&mut self, parameter: &[u8]) -> Result<(), Malformed> {
        let (_, all) = all_consuming(many0((be_u8, length_data(be_u8))))
            .parse(parameter)
            .map_err(|_: nom::Err<nom::error::Error<&[u8]>>| Malformed)?;
        all.into_iter().try_for_each(|(code, value)| self.take_in(code, value))
    }

    fn take_in(&mut self, code: u8, value: &[u8]) -> Result<(), Malformed> {
        match code {
            code::MULTIPROTOCOL => {
                let (afi, _, safi) = whole((be_u16, be_u8, be_u8), value)?;
                self.multiprotocol = true;
                if let Some(family) = family_of(afi, safi)
                    && !self.families.contains(&family)
                {
                    self.families.push(family);
                }
            }
            code::ROUTE_REFRESH => {
                whole(eof, value)?;
                self.route_refresh = true;
            }
            code::EXTENDED_NEXT_HOP => {
                let rows = whole(many0((be_u16, be_u16, be_u16)), value)?;
                self.extended_next_hop.extend(rows.into_iter().filter_map(|(afi, safi, hop)| {
                    let family = family_of(afi, u8::try_from(safi).ok()?)?;
                    (family == Family::Ipv4 && hop == NEXT_HOP_IPV6).then_some(family)
                }));
            }
            code::EXTENDED_MESSAGES => {
                whole(eof, value)?;
                self.extended_messages = true;
            }
            code::GRACEFUL_RESTART => {
                let (head, families) = whole((be_u16, many0((be_u16, be_u8, be_u8))), value)?;
                self.graceful_restart = Some(GracefulRestart {
                    restarting: head & RESTARTING != 0,
                    time_s: head & RESTART_TIME,
                    families: families
                        .into_iter()
                        .filter_map(|(afi, safi, flags)| Some((family_of(afi, safi)?, flags & FORWARDING != 0)))
                        .collect(),
                });
            }
            code::FOUR_OCTET_AS => self.as4 = Some(whole(be_u32, value)?),
            code::ADD_PATH => {
                let families = whole(many0((be_u16, be_u8, be_u8)), value)?;
                self.add_paths.extend(families.into_iter().filter_map(|(afi, safi, what)| {
                    // RFC 7911 4: "If any other value is received, then the capability SHOULD be
                    // treated as not understood and ignored".
                    (1..=3).contains(&what).then_some(AddPath {
                        family: family_of(afi, safi)?,
                        receive: what & RECEIVE != 0,
                        send: what & SEND != 0,
                    })
                }));
            }
            code::ENHANCED_REFRESH => {
                whole(eof, value)?;
                self.enhanced_refresh = true;
            }
            code::LONG_LIVED => {
                let families = whole(many0((be_u16, be_u8, be_u8, be_u24)), value)?;
                self.long_lived = Some(
                    families
                        .into_iter()
                        .filter_map(|(afi, safi, flags, stale_time_s)| {
                            Some(LongLivedFamily {
                                family: family_of(afi, safi)?,
                                forwarding: flags & FORWARDING != 0,
                                stale_time_s,
                            })
                        })
                        .collect(),
                );
            }
            code::ROLE => {
                let role = whole(be_u8, value).unwrap_or(u8::MAX);
                if !self.roles.contains(&role) {
                    self.roles.push(role);
                }
            }
            // Behind the name stands that of its domain. Nobody's session ends over a name.
            code::HOSTNAME => {
                if let Ok((name, _)) = whole((length_data(be_u8), rest), value) {
                    let name = String::from_utf8_lossy(name);
                    let name: String = name.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
                    self.hostname = Some(cut(&name, HOSTNAME_OCTETS_MAX).into());
                }
            }
            _ => self.unknown.push((code, value.to_vec())),
        }
        Ok(())
    }

    /// Appends all capabilities, in the order of BIRD 1.6.8.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        for family in &self.families {
            let [high, low] = family.afi().to_be_bytes();
            put(code::MULTIPROTOCOL, &[high, low, 0, UNICAST], out);
        }
        if self.route_refresh {
            put(code::ROUTE_REFRESH, &[], out);
        }
        if !self.extended_next_hop.is_empty() {
            let row = |f: &Family| [f.afi(), u16::from(UNICAST), NEXT_HOP_IPV6].map(u16::to_be_bytes);
            let value: Vec<u8> = self.extended_next_hop.iter().flat_map(row).flatten().collect();
            put(code::EXTENDED_NEXT_HOP, &value, out);
        }
        for role in &self.roles {
            put(code::ROLE, &[*role], out);
        }
        if let Some(restart) = &self.graceful_restart {
            put(code::GRACEFUL_RESTART, &restart.value(), out);
        }
        if let Some(asn) = self.as4 {
            put(code::FOUR_OCTET_AS, &asn.to_be_bytes(), out);
        }
        if !self.add_paths.is_empty() {
            let value: Vec<u8> = self.add_paths.iter().flat_map(AddPath::value).collect();
            put(code::ADD_PATH, &value, out);
        }
        if self.enhanced_refresh {
            put(code::ENHANCED_REFRESH, &[], out);
        }
        if self.extended_messages {
            put(code::EXTENDED_MESSAGES, &[], out);
        }
        if let Some(families) = &self.long_lived {
            let value: Vec<u8> = families.iter().flat_map(LongLivedFamily::value).collect();
            put(code::LONG_LIVED, &value, out);
        }
        if let Some(name) = &self.hostname {
            let name = cut(name, HOSTNAME_OCTETS_MAX);
            let mut value = vec![name.len() as u8];
            value.extend_from_slice(name.as_bytes());
            value.push(0); // no domain
            put(code::HOSTNAME, &value, out);
        }
        for (code, value) in &self.unknown {
            put(*code, value, out);
        }
    }
}

impl GracefulRestart {
    fn value(&self) -> Vec<u8> {
        let restarting = if self.restarting { RESTARTING } else { 0 };
        let mut value = (restarting | self.time_s.min(RESTART_TIME)).to_be_bytes().to_vec();
        for (family, forwarding) in &self.families {
            value.extend_from_slice(&family.afi().to_be_bytes());
            value.extend_from_slice(&[UNICAST, forwarding_flag(*forwarding)]);
        }
        value
    }
}

impl AddPath {
    const fn value(&self) -> [u8; 4] {
        let [high, low] = self.family.afi().to_be_bytes();
        let receive = if self.receive { RECEIVE } else { 0 };
        let send = if self.send { SEND } else { 0 };
        [high, low, UNICAST, receive | send]
    }
}

impl LongLivedFamily {
    const fn value(&self) -> [u8; 7] {
        let [high, low] = self.family.afi().to_be_bytes();
        let [_, a, b, c] = self.stale_time_s.to_be_bytes();
        [high, low, UNICAST, forwarding_flag(self.forwarding), a, b, c]
    }
}

const fn forwarding_flag(forwarding: bool) -> u8 {
    if forwarding { FORWARDING } else { 0 }
}

/// The value of a capability, which the parser must use up.
fn whole<'a, T>(
    parser: impl Parser<&'a [u8], Output = T, Error = nom::error::Error<&'a [u8]>>,
    value: &'a [u8],
) -> Result<T, Malformed> {
    all_consuming(parser).parse(value).map(|(_, found)| found).map_err(|_| Malformed)
}

/// Appends code, length and value. Longer values cannot be: a capability's length has one octet, and ours are short.
fn put(code: u8, value: &[u8], out: &mut Vec<u8>) {
    let octets = value.len().min(usize::from(u8::MAX));
    out.extend_from_slice(&[code, octets as u8]);
    out.extend(value.iter().take(octets));
}
