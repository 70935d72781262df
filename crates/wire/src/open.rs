//! OPEN messages (RFC 4271 4.2, RFC 5492, RFC 9072).

use crate::frame::{self, HEADER_OCTETS, Kind};
use crate::notification::{self, open as subcode};
use crate::{Capabilities, Notification};
use nom::bytes::complete::take;
use nom::combinator::verify;
use nom::multi::length_data;
use nom::number::complete::{be_u8, be_u16, be_u32};
use nom::{IResult, Parser};

/// The only version (RFC 4271 4.2).
const VERSION: u8 = 4;
/// What stands in the fixed field of an AS above 65,535 (RFC 6793 9).
pub const AS_TRANS: u16 = 23_456;
/// Optional parameter: capabilities.
const CAPABILITIES: u8 = 2;
/// Where the first optional parameter would have its type: the lengths that follow have two octets (RFC 9072 2).
const EXTENDED: u8 = 255;

/// An OPEN, sent or received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    /// The sender's AS: of the four-octet capability if it has one, else of the fixed field.
    pub asn: u32,
    /// The fixed field: [`AS_TRANS`] when the AS needs four octets. Another value than `asn` or that is a
    /// mistake of the peer; see [`is_inconsistent`](Self::is_inconsistent).
    pub as_field: u16,
    /// Seconds; 0 means no keepalives. A received value may still be the unacceptable 1 or 2.
    pub hold_time_s: u16,
    /// BGP identifier. A received value may still be the unacceptable 0.
    pub router_id: u32,
    /// What the sender can do. `None`: no optional parameter at all.
    pub capabilities: Option<Capabilities>,
}

impl Open {
    /// An OPEN to be sent. The fixed field follows from the AS.
    pub fn new(asn: u32, hold_time_s: u16, router_id: u32, capabilities: Option<Capabilities>) -> Self {
        let as_field = u16::try_from(asn).unwrap_or(AS_TRANS);
        Self { asn, as_field, hold_time_s, router_id, capabilities }
    }

    /// Whether the fixed field and the four-octet capability name different ASes.
    /// BIRD warns (`Peer advertised inconsistent AS numbers`) and goes on with the capability's.
    pub fn is_inconsistent(&self) -> bool {
        self.as_field != AS_TRANS && u32::from(self.as_field) != self.asn
    }

    /// Reads the body.
    ///
    /// Errors, in BIRD's order and with its data: 1/2 when the lengths do not fit together,
    /// 2/1 with the version, 2/0 for optional parameters or capabilities that do not parse, 2/4
    /// with the parameter. AS, hold time and identifier are for the session to judge, which
    /// knows what it expects.
    pub fn decode(body: &[u8]) -> Result<Self, Notification> {
        let bad_length = || Notification::bad_length(HEADER_OCTETS + body.len());
        let (rest, (version, as_field, hold_time_s, router_id)) = fixed(body).map_err(|_| bad_length())?;
        let (_, parameters) = parameters(rest).map_err(|_| bad_length())?;
        if version != VERSION {
            return Err(Notification::with_data(notification::OPEN, subcode::UNSUPPORTED_VERSION, [version]));
        }
        let capabilities = parameters.capabilities()?;
        let asn = capabilities.as_ref().and_then(|c| c.as4).unwrap_or(u32::from(as_field));
        Ok(Self { asn, as_field, hold_time_s, router_id, capabilities })
    }

    /// Appends the message, all capabilities in one optional parameter as BIRD 1.6.8 sends them.
    /// In the extended form of RFC 9072 when they need more than 253 octets.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let start = frame::begin(Kind::Open, out);
        out.push(VERSION);
        out.extend_from_slice(&self.as_field.to_be_bytes());
        out.extend_from_slice(&self.hold_time_s.to_be_bytes());
        out.extend_from_slice(&self.router_id.to_be_bytes());
        let mut value = Vec::new();
        if let Some(capabilities) = &self.capabilities {
            capabilities.encode(&mut value);
        }
        match u8::try_from(value.len()) {
            Ok(0) => out.push(0),
            Ok(octets @ ..=252) => out.extend_from_slice(&[octets + 2, CAPABILITIES, octets]),
            _ => {
                let octets = value.len() as u16;
                out.extend_from_slice(&[255, EXTENDED]);
                out.extend_from_slice(&(octets + 3).to_be_bytes());
                out.push(CAPABILITIES);
                out.extend_from_slice(&octets.to_be_bytes());
            }
        }
        out.extend_from_slice(&value);
        frame::finish(start, out);
    }
}

fn fixed(body: &[u8]) -> IResult<&[u8], (u8, u16, u16, u32)> {
    (be_u8, be_u16, be_u16, be_u32).parse(body)
}

/// The optional parameters, in one of the two forms.
struct Parameters<'a> {
    octets: &'a [u8],
    extended: bool,
}

/// All that follows the fixed part: the length must be that of the rest.
fn parameters(rest: &[u8]) -> IResult<&[u8], Parameters<'_>> {
    if let Ok((rest, (_, _, octets))) = extended_form(rest) {
        return Ok((rest, Parameters { octets, extended: true }));
    }
    let (rest, octets) = nom::combinator::all_consuming(length_data(be_u8)).parse(rest)?;
    Ok((rest, Parameters { octets, extended: false }))
}

/// "Non-Ext OP Len", which is not 0, "Non-Ext OP Type", which is 255, and the real length (RFC 9072 2).
fn extended_form(rest: &[u8]) -> IResult<&[u8], (u8, u8, &[u8])> {
    nom::combinator::all_consuming((
        verify(be_u8, |octets| *octets != 0),
        verify(be_u8, |kind| *kind == EXTENDED),
        length_data(be_u16),
    ))
    .parse(rest)
}

impl<'a> Parameters<'a> {
    /// All capabilities of all parameters. `None` when there is no parameter for them.
    fn capabilities(&self) -> Result<Option<Capabilities>, Notification> {
        let invalid = || Notification::new(notification::OPEN, subcode::UNSPECIFIC);
        let mut found: Option<Capabilities> = None;
        let mut rest = self.octets;
        while !rest.is_empty() {
            let (tail, (kind, value)) = self.one(rest).map_err(|_| invalid())?;
            if kind != CAPABILITIES {
                // BIRD's data: as many octets as the parameter's length says, counted from its type.
                let data: Vec<u8> = rest.iter().take(value.len()).copied().collect();
                return Err(Notification::with_data(notification::OPEN, subcode::UNSUPPORTED_PARAMETER, data));
            }
            found.get_or_insert_default().decode(value).map_err(|_| invalid())?;
            rest = tail;
        }
        Ok(found)
    }

    /// Type and value of the next parameter.
    fn one(&self, octets: &'a [u8]) -> IResult<&'a [u8], (u8, &'a [u8])> {
        let (rest, kind) = be_u8(octets)?;
        let (rest, length) = if self.extended {
            be_u16(rest)?
        } else {
            let (rest, length) = be_u8(rest)?;
            (rest, u16::from(length))
        };
        let (rest, value) = take(length)(rest)?;
        Ok((rest, (kind, value)))
    }
}
