//! The frame around every message (RFC 4271 4.1): marker, length, type.
//!
//! A frame is judged as soon as its 19 octets are there, so a peer that sends
//! rubbish is answered before its "length" has been waited for. How long the body
//! of each kind must be is the business of its decoder: in which state of the
//! session a message was allowed at all is asked first, as BIRD does.

use crate::{Notification, Open, RouteRefresh, notification};
use nom::bytes::complete::take;
use nom::number::complete::{be_u8, be_u16};
use nom::{IResult, Parser};

/// Marker, length and type.
pub const HEADER_OCTETS: usize = 19;
/// The longest message, header included (RFC 4271 4.1).
pub const MESSAGE_OCTETS_MAX: usize = 4096;
/// The longest message when both sides announced extended messages (RFC 8654 3).
pub const EXTENDED_OCTETS_MAX: usize = 65_535;

const MARKER: [u8; 16] = [0xff; 16];

/// The type octet of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Kind {
    /// OPEN.
    Open = 1,
    /// UPDATE.
    Update = 2,
    /// NOTIFICATION.
    Notification = 3,
    /// KEEPALIVE.
    Keepalive = 4,
    /// ROUTE-REFRESH (RFC 2918).
    RouteRefresh = 5,
}

impl Kind {
    const fn from_octet(octet: u8) -> Option<Self> {
        match octet {
            1 => Some(Self::Open),
            2 => Some(Self::Update),
            3 => Some(Self::Notification),
            4 => Some(Self::Keepalive),
            5 => Some(Self::RouteRefresh),
            _ => None,
        }
    }

    /// Whether RFC 8654 lets this message grow beyond 4,096 octets: all but OPEN and KEEPALIVE.
    const fn may_be_extended(self) -> bool {
        !matches!(self, Self::Open | Self::Keepalive)
    }
}

/// One message in a buffer, its header taken off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The type.
    pub kind: Kind,
    /// What follows the header.
    pub body: &'a [u8],
}

impl<'a> Frame<'a> {
    /// The octets that the frame takes in the buffer, header included.
    pub const fn octets(&self) -> usize {
        HEADER_OCTETS + self.body.len()
    }

    /// Reads the message; of an UPDATE nothing yet, since that needs what was negotiated.
    pub fn message(&self) -> Result<Message<'a>, Notification> {
        Ok(match self.kind {
            Kind::Open => Message::Open(Open::decode(self.body)?),
            Kind::Update => Message::Update(self.body),
            Kind::Notification => Message::Notification(Notification::decode(self.body)?),
            Kind::Keepalive => Message::Keepalive,
            Kind::RouteRefresh => Message::RouteRefresh(RouteRefresh::decode(self.body)?),
        })
    }
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message<'a> {
    /// OPEN.
    Open(Open),
    /// The body of an UPDATE; see [`crate::Update::split`].
    Update(&'a [u8]),
    /// NOTIFICATION.
    Notification(Notification),
    /// KEEPALIVE.
    Keepalive,
    /// ROUTE-REFRESH.
    RouteRefresh(RouteRefresh),
}

/// What stands at the beginning of a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next<'a> {
    /// A whole frame; the next one begins [`Frame::octets`] further on.
    Frame(Frame<'a>),
    /// Not all of it is there: the buffer must hold this many octets before it is worth asking again.
    NeedMore(usize),
}

/// The frame at the beginning of a buffer.
///
/// `octets_max` is [`MESSAGE_OCTETS_MAX`] or, once negotiated, [`EXTENDED_OCTETS_MAX`].
/// Errors are 1/1, 1/2 with the length, and 1/3 with the type (RFC 4271 6.1).
pub fn next(buffer: &[u8], octets_max: usize) -> Result<Next<'_>, Notification> {
    let Ok((rest, (marker, length, octet))) = header(buffer) else {
        return Ok(Next::NeedMore(HEADER_OCTETS));
    };
    if marker != MARKER {
        return Err(Notification::new(notification::HEADER, 1));
    }
    let octets = usize::from(length);
    if octets < HEADER_OCTETS || octets > octets_max {
        return Err(Notification::bad_length(octets));
    }
    let kind = Kind::from_octet(octet).ok_or_else(|| Notification::with_data(notification::HEADER, 3, [octet]))?;
    if octets > MESSAGE_OCTETS_MAX && !kind.may_be_extended() {
        return Err(Notification::bad_length(octets));
    }
    Ok(match rest.get(..octets - HEADER_OCTETS) {
        Some(body) => Next::Frame(Frame { kind, body }),
        None => Next::NeedMore(octets),
    })
}

fn header(buffer: &[u8]) -> IResult<&[u8], (&[u8], u16, u8)> {
    (take(16usize), be_u16, be_u8).parse(buffer)
}

/// A KEEPALIVE, ready to be sent.
pub const KEEPALIVE: [u8; HEADER_OCTETS] = {
    let mut octets = [0xff; HEADER_OCTETS];
    octets[16] = 0;
    octets[17] = HEADER_OCTETS as u8;
    octets[18] = Kind::Keepalive as u8;
    octets
};

/// Appends a header whose length is not known yet. Gives the place to hand to [`finish`].
pub(crate) fn begin(kind: Kind, out: &mut Vec<u8>) -> usize {
    let start = out.len();
    out.extend_from_slice(&MARKER);
    out.extend_from_slice(&[0, 0, kind as u8]);
    start
}

/// Writes the length of the message that [`begin`] started.
pub(crate) fn finish(start: usize, out: &mut [u8]) {
    let octets = out.len() - start;
    put_u16_at(out, start + MARKER.len(), octets);
}

/// Overwrites two octets that were left open. Values above 65,535 do not occur: messages are shorter.
pub(crate) fn put_u16_at(out: &mut [u8], at: usize, value: usize) {
    debug_assert!(value <= usize::from(u16::MAX));
    if let Some(place) = out.get_mut(at..at + 2) {
        place.copy_from_slice(&(value as u16).to_be_bytes());
    }
}
