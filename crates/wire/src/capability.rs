//! Capabilities (RFC 5492): what a speaker says it can do.
//!
//! What an OPEN announces is a [`Capabilities`]; how each of them is read and
//! written stands in one row of `known`. Those that nobody here knows are kept
//! as they came.

mod known;

use known::KNOWN;
use nom::Parser;
use nom::combinator::all_consuming;
use nom::multi::{length_data, many0};
use nom::number::complete::be_u8;
use route::Family;

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
        match KNOWN.iter().find(|known| known.code == code) {
            Some(known) => (known.read)(self, value),
            None => {
                self.unknown.push((code, value.to_vec()));
                Ok(())
            }
        }
    }

    /// Appends all capabilities, in the order of BIRD 1.6.8.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        for known in KNOWN {
            (known.write)(self).iter().for_each(|value| put(known.code, value, out));
        }
        for (code, value) in &self.unknown {
            put(*code, value, out);
        }
    }
}

/// Appends code, length and value. Longer values cannot be: a capability's length has one octet, and ours are short.
fn put(code: u8, value: &[u8], out: &mut Vec<u8>) {
    let octets = value.len().min(usize::from(u8::MAX));
    out.extend_from_slice(&[code, octets as u8]);
    out.extend(value.iter().take(octets));
}
