//! ROUTE-REFRESH messages (RFC 2918, RFC 7313).

use crate::frame::{self, HEADER_OCTETS, Kind};
use crate::nlri::family_of;
use crate::{Notification, notification};
use nom::number::complete::{be_u8, be_u16};
use nom::{IResult, Parser};
use route::Family;

/// What a ROUTE-REFRESH says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subtype {
    /// Please tell everything again. With outbound route filters (RFC 5291), which we do not announce, too.
    Request,
    /// BoRR: from here on everything is told again.
    Begin,
    /// EoRR: everything has been told.
    End,
    /// A subtype that we do not know: the message is ignored (RFC 7313 5).
    Unknown(u8),
}

impl Subtype {
    const fn octet(self) -> u8 {
        match self {
            Self::Request => 0,
            Self::Begin => 1,
            Self::End => 2,
            Self::Unknown(octet) => octet,
        }
    }
}

/// A ROUTE-REFRESH.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouteRefresh {
    /// The family; `None` for one that we do not know: the message is ignored.
    pub family: Option<Family>,
    /// What it says.
    pub subtype: Subtype,
}

impl RouteRefresh {
    /// Reads the body.
    ///
    /// Shorter than four octets is 1/2 (RFC 4271 6.1), longer is 7/1 with the
    /// whole message (RFC 7313 5).
    pub fn decode(body: &[u8]) -> Result<Self, Notification> {
        let Ok((rest, (afi, octet, safi))) = fields(body) else {
            return Err(Notification::bad_length(HEADER_OCTETS + body.len()));
        };
        if !rest.is_empty() {
            let mut message = Vec::new();
            let start = frame::begin(Kind::RouteRefresh, &mut message);
            message.extend_from_slice(body);
            frame::finish(start, &mut message);
            return Err(Notification::with_data(notification::REFRESH, 1, message));
        }
        let subtype = match octet {
            0 => Subtype::Request,
            1 => Subtype::Begin,
            2 => Subtype::End,
            _ => Subtype::Unknown(octet),
        };
        Ok(Self { family: family_of(afi, safi), subtype })
    }

    /// Appends the message for one family.
    pub fn encode(family: Family, subtype: Subtype, out: &mut Vec<u8>) {
        let start = frame::begin(Kind::RouteRefresh, out);
        out.extend_from_slice(&family.afi().to_be_bytes());
        out.extend_from_slice(&[subtype.octet(), crate::nlri::UNICAST]);
        frame::finish(start, out);
    }
}

fn fields(body: &[u8]) -> IResult<&[u8], (u16, u8, u8)> {
    (be_u16, be_u8, be_u8).parse(body)
}
