//! NOTIFICATION messages: codes, subcodes, and BIRD's words for them.

use crate::Capabilities;
use crate::frame::{self, HEADER_OCTETS, Kind, MESSAGE_OCTETS_MAX};
use std::borrow::Cow;
use std::fmt;

/// Message header error.
pub const HEADER: u8 = 1;
/// OPEN message error.
pub const OPEN: u8 = 2;
/// UPDATE message error.
pub const UPDATE: u8 = 3;
/// Hold timer expired.
pub const HOLD_TIMER: u8 = 4;
/// Finite state machine error.
pub const FSM: u8 = 5;
/// Cease (RFC 4486).
pub const CEASE: u8 = 6;
/// ROUTE-REFRESH message error (RFC 7313).
pub const REFRESH: u8 = 7;
/// Send hold timer expired (RFC 9687 4).
pub const SEND_HOLD_TIMER: u8 = 8;

/// Subcodes of [`OPEN`].
#[expect(missing_docs, reason = "each constant is the subcode of its name")]
pub mod open {
    pub const UNSPECIFIC: u8 = 0;
    pub const UNSUPPORTED_VERSION: u8 = 1;
    pub const BAD_PEER_AS: u8 = 2;
    pub const BAD_IDENTIFIER: u8 = 3;
    pub const UNSUPPORTED_PARAMETER: u8 = 4;
    pub const UNACCEPTABLE_HOLD_TIME: u8 = 6;
    pub const UNSUPPORTED_CAPABILITY: u8 = 7;
    pub const ROLE_MISMATCH: u8 = 11;
}

/// Subcodes of [`UPDATE`].
#[expect(missing_docs, reason = "each constant is the subcode of its name")]
pub mod update {
    pub const MALFORMED_ATTRIBUTES: u8 = 1;
    pub const UNRECOGNIZED_WELL_KNOWN: u8 = 2;
    pub const MISSING_WELL_KNOWN: u8 = 3;
    pub const ATTRIBUTE_FLAGS: u8 = 4;
    pub const ATTRIBUTE_LENGTH: u8 = 5;
    pub const INVALID_ORIGIN: u8 = 6;
    pub const INVALID_NEXT_HOP: u8 = 8;
    pub const OPTIONAL_ATTRIBUTE: u8 = 9;
    pub const INVALID_NETWORK: u8 = 10;
    pub const MALFORMED_AS_PATH: u8 = 11;
}

/// Subcodes of [`CEASE`] (RFC 4486, RFC 8538).
#[expect(missing_docs, reason = "each constant is the subcode of its name")]
pub mod cease {
    pub const MAX_PREFIXES: u8 = 1;
    pub const ADMINISTRATIVE_SHUTDOWN: u8 = 2;
    pub const PEER_DECONFIGURED: u8 = 3;
    pub const ADMINISTRATIVE_RESET: u8 = 4;
    pub const CONNECTION_REJECTED: u8 = 5;
    pub const OTHER_CONFIGURATION_CHANGE: u8 = 6;
    pub const COLLISION: u8 = 7;
    pub const OUT_OF_RESOURCES: u8 = 8;
    pub const HARD_RESET: u8 = 9;
}

/// BIRD's words, by code and subcode.
///
/// They are what bird 1.6.8 wrote into its log when it was sent each pair, and later releases for what it did not know.
static WORDS: &[(u8, u8, &str)] = &[
    (1, 0, "Invalid message header"),
    (1, 1, "Connection not synchronized"),
    (1, 2, "Bad message length"),
    (1, 3, "Bad message type"),
    (2, 0, "Invalid OPEN message"),
    (2, 1, "Unsupported version number"),
    (2, 2, "Bad peer AS"),
    (2, 3, "Bad BGP identifier"),
    (2, 4, "Unsupported optional parameter"),
    (2, 5, "Authentication failure"),
    (2, 6, "Unacceptable hold time"),
    (2, 7, "Required capability missing"),
    (2, 8, "No supported AFI/SAFI"),
    (2, 11, "Role mismatch"),
    (3, 0, "Invalid UPDATE message"),
    (3, 1, "Malformed attribute list"),
    (3, 2, "Unrecognized well-known attribute"),
    (3, 3, "Missing mandatory attribute"),
    (3, 4, "Invalid attribute flags"),
    (3, 5, "Invalid attribute length"),
    (3, 6, "Invalid ORIGIN attribute"),
    (3, 7, "AS routing loop"),
    (3, 8, "Invalid NEXT_HOP attribute"),
    (3, 9, "Optional attribute error"),
    (3, 10, "Invalid network field"),
    (3, 11, "Malformed AS_PATH"),
    (4, 0, "Hold timer expired"),
    (5, 0, "Finite state machine error"),
    (5, 1, "Unexpected message in OpenSent state"),
    (5, 2, "Unexpected message in OpenConfirm state"),
    (5, 3, "Unexpected message in Established state"),
    (6, 0, "Cease"),
    (6, 1, "Maximum number of prefixes reached"),
    (6, 2, "Administrative shutdown"),
    (6, 3, "Peer de-configured"),
    (6, 4, "Administrative reset"),
    (6, 5, "Connection rejected"),
    (6, 6, "Other configuration change"),
    (6, 7, "Connection collision resolution"),
    (6, 8, "Out of Resources"),
    (7, 0, "Invalid ROUTE-REFRESH message"),
    (7, 1, "Invalid ROUTE-REFRESH message length"),
    (8, 0, "Send hold timer expired"),
];

/// Which errors about an OPEN have a number as their data, which the log shows as such: their subcodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Numbers(&'static [u8]);

impl Numbers {
    /// As BIRD 1.6 has it.
    pub const OF_1: Self = Self(&[open::BAD_PEER_AS]);
    /// As BIRD 2 has it.
    pub const OF_2: Self = Self(&[open::BAD_PEER_AS, open::UNACCEPTABLE_HOLD_TIME]);
}

/// How many octets of data are written into the log in hexadecimal.
const SHOWN_OCTETS_MAX: usize = 16;

/// The longest shutdown communication, its length octet not counted (RFC 9003 2).
pub const SHUTDOWN_TEXT_OCTETS_MAX: usize = 255;

/// The reason why a session ends (RFC 4271 4.5).
///
/// As text it is the log line of BIRD 1.6: the words of [`message`](Self::message) and
/// what the data say, `Bad peer AS: 65099`. [`line`](Self::line) is that of either release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// Error code.
    pub code: u8,
    /// Error subcode, 0 when unspecific.
    pub subcode: u8,
    /// Data, by code and subcode.
    pub data: Vec<u8>,
}

impl Notification {
    /// A NOTIFICATION without data.
    pub const fn new(code: u8, subcode: u8) -> Self {
        Self { code, subcode, data: Vec::new() }
    }

    /// A NOTIFICATION with data.
    pub fn with_data(code: u8, subcode: u8, data: impl Into<Vec<u8>>) -> Self {
        Self { code, subcode, data: data.into() }
    }

    /// Bad message length (1/2), with the length of the whole message.
    pub fn bad_length(octets: usize) -> Self {
        let octets = u16::try_from(octets).unwrap_or(u16::MAX);
        Self::with_data(HEADER, 2, octets.to_be_bytes())
    }

    /// Bad peer AS (2/2), with the AS that was announced.
    pub fn bad_peer_as(asn: u32) -> Self {
        Self::with_data(OPEN, open::BAD_PEER_AS, asn.to_be_bytes())
    }

    /// Unacceptable hold time (2/6), with the seconds that were proposed.
    pub fn unacceptable_hold_time(hold_time_s: u16) -> Self {
        Self::with_data(OPEN, open::UNACCEPTABLE_HOLD_TIME, hold_time_s.to_be_bytes())
    }

    /// Unsupported capability (2/7), with the capabilities that are missing as an OPEN would announce them (RFC 5492 5).
    pub fn missing_capabilities(missing: &Capabilities) -> Self {
        let mut data = Vec::new();
        missing.encode(&mut data);
        Self::with_data(OPEN, open::UNSUPPORTED_CAPABILITY, data)
    }

    /// A Cease with a shutdown communication (RFC 9003 2): [`cease::ADMINISTRATIVE_SHUTDOWN`] or
    /// [`cease::ADMINISTRATIVE_RESET`]. Text above 255 octets is cut at the border of a character;
    /// without text there are no data at all.
    pub fn with_shutdown_text(subcode: u8, text: &str) -> Self {
        let text = cut(text, SHUTDOWN_TEXT_OCTETS_MAX);
        let Ok(octets @ 1..) = u8::try_from(text.len()) else {
            return Self::new(CEASE, subcode);
        };
        let mut data = vec![octets];
        data.extend_from_slice(text.as_bytes());
        Self::with_data(CEASE, subcode, data)
    }

    /// Reads the body. Shorter than two octets is 1/2; to answer a NOTIFICATION with that is not allowed, so
    /// the caller only logs it (RFC 4271 6.4).
    pub fn decode(body: &[u8]) -> Result<Self, Self> {
        let (&[code, subcode], data) =
            body.split_first_chunk::<2>().ok_or_else(|| Self::bad_length(HEADER_OCTETS + body.len()))?;
        Ok(Self::with_data(code, subcode, data))
    }

    /// Appends the message. Data that would make it longer than 4,096 octets are cut.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let start = frame::begin(Kind::Notification, out);
        out.extend_from_slice(&[self.code, self.subcode]);
        out.extend(self.data.iter().take(MESSAGE_OCTETS_MAX - HEADER_OCTETS - 2));
        frame::finish(start, out);
    }

    /// BIRD's words for code and subcode, as `Last error` shows them: `Bad peer AS`, `Unknown error 6.10`.
    pub fn message(&self) -> Cow<'static, str> {
        match WORDS.iter().find(|(c, s, _)| (*c, *s) == (self.code, self.subcode)) {
            Some((_, _, words)) => Cow::Borrowed(words),
            None => Cow::Owned(format!("Unknown error {}.{}", self.code, self.subcode)),
        }
    }

    /// The shutdown communication (RFC 9003), control characters made blanks and octets that are no UTF-8
    /// replaced. `None` when there is none, or its length octet says more than there is.
    pub fn shutdown_text(&self) -> Option<String> {
        if self.code != CEASE || !matches!(self.subcode, cease::ADMINISTRATIVE_SHUTDOWN | cease::ADMINISTRATIVE_RESET) {
            return None;
        }
        let (&octets, rest) = self.data.split_first()?;
        let text = String::from_utf8_lossy(rest.get(..usize::from(octets))?);
        Some(text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect())
    }

    /// The log line, with these data as numbers.
    pub const fn line(&self, numbers: Numbers) -> Line<'_> {
        Line { notification: self, numbers }
    }

    /// The number in the data, in two octets or four.
    fn number(&self, numbers: Numbers) -> Option<u32> {
        if self.code != OPEN || !numbers.0.contains(&self.subcode) {
            return None;
        }
        match *self.data.as_slice() {
            [a, b] => Some(u32::from(u16::from_be_bytes([a, b]))),
            [a, b, c, d] => Some(u32::from_be_bytes([a, b, c, d])),
            _ => None,
        }
    }
}

/// The longest beginning of a text that has at most so many octets.
pub(crate) fn cut(text: &str, octets_max: usize) -> &str {
    (0..=octets_max).rev().find_map(|end| text.get(..end)).unwrap_or(text)
}

/// What the log says of a [`Notification`].
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    notification: &'a Notification,
    numbers: Numbers,
}

impl fmt::Display for Notification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.line(Numbers::OF_1), f)
    }
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { notification, numbers } = *self;
        f.write_str(&notification.message())?;
        if notification.data.is_empty() {
            return Ok(());
        }
        if let Some(number) = notification.number(numbers) {
            return write!(f, ": {number}");
        }
        match notification.shutdown_text() {
            Some(text) if text.is_empty() => return Ok(()),
            Some(text) => return write!(f, ": \"{text}\""),
            None => {}
        }
        f.write_str(": ")?;
        for octet in notification.data.iter().take(SHOWN_OCTETS_MAX) {
            write!(f, "{octet:02x}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Notification {}
