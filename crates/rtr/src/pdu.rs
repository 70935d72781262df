//! Messages: octets to values and back.
//!
//! Every octet is a stranger's: a message is taken out of the stream by its
//! length, which is bounded, and read only when all of it is there. What is wrong
//! with it is a [`Fault`], in the codes of RFC 8210 5.10 and BIRD's words.

use route::net::{Prefix4, Prefix6};
use route::{Customer, Prefix, Roa};

/// The longest message that is taken, in octets (8210bis 5).
pub const OCTETS_MAX: usize = 65_535;
/// The octets of the head that every message has.
const HEAD: usize = 8;
/// So much of a faulty message is sent back at most.
const ECHO_MAX: usize = 512;

/// What a cache server says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pdu {
    /// There is something newer.
    SerialNotify {
        /// Of which session.
        session: u16,
        /// Up to which number.
        serial: u32,
    },
    /// What was asked for follows.
    CacheResponse {
        /// Of which session.
        session: u16,
    },
    /// An authorisation comes or goes.
    Prefix {
        /// It comes.
        announced: bool,
        /// It.
        roa: Roa,
    },
    /// Who carries on the routes of an AS, or that nobody says so any more (8210bis 5.12).
    Aspa {
        /// It comes.
        announced: bool,
        /// The AS.
        customer: Customer,
        /// The others; none with what goes.
        providers: Vec<u32>,
    },
    /// That was all.
    EndOfData {
        /// Of which session.
        session: u16,
        /// What was said reaches up to this number.
        serial: u32,
        /// From version 1 on: how often to ask, and for how long it counts.
        times: Option<Times>,
    },
    /// Nothing can be said since the number that was named.
    CacheReset,
    /// Something that is no use to a router that judges origins and paths: keys.
    Other(&'static str),
    /// A query: only routers send those.
    Query(&'static str),
    /// An error, which ends the connection but for some codes.
    Error {
        /// RFC 8210 5.10, 12.
        code: u16,
        /// In the server's words.
        text: String,
    },
}

/// What an End of Data says of time, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// How long to wait before asking for news.
    pub refresh: u32,
    /// How long to wait after a failure.
    pub retry: u32,
    /// How long data count that are not renewed.
    pub expire: u32,
}

/// What is wrong with a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// For the server (RFC 8210 5.10).
    pub code: u16,
    /// For the server and for the log.
    pub text: String,
}

impl Fault {
    /// Corrupt Data.
    pub(crate) fn corrupt(text: impl Into<String>) -> Self {
        Self { code: 0, text: text.into() }
    }
}

/// What a message is.
struct Sort {
    number: u8,
    name: &'static str,
    /// Its length in each version; of one that varies the least.
    octets: [usize; 3],
    varies: bool,
    /// The first version that has it.
    since: u8,
}

const fn fixed(number: u8, name: &'static str, octets: usize) -> Sort {
    Sort { number, name, octets: [octets; 3], varies: false, since: 0 }
}

/// All messages (RFC 8210 5, 8210bis 5).
static SORTS: &[Sort] = &[
    fixed(0, "Serial Notify", 12),
    fixed(1, "Serial Query", 12),
    fixed(2, "Reset Query", 8),
    fixed(3, "Cache Response", 8),
    fixed(4, "IPv4 Prefix", 20),
    fixed(6, "IPv6 Prefix", 32),
    Sort { number: 7, name: "End of Data", octets: [12, 24, 24], varies: false, since: 0 },
    fixed(8, "Cache Reset", 8),
    Sort { number: 9, name: "Router Key", octets: [8; 3], varies: true, since: 1 },
    Sort { number: ERROR, name: "Error", octets: [16; 3], varies: true, since: 0 },
    Sort { number: 11, name: "ASPA", octets: [12; 3], varies: true, since: 2 },
];

/// The number of errors.
const ERROR: u8 = 10;

impl Pdu {
    /// Its name, as BIRD writes it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::SerialNotify { .. } => "Serial Notify",
            Self::CacheResponse { .. } => "Cache Response",
            Self::Prefix { roa, .. } if roa.prefix.addr().is_ipv4() => "IPv4 Prefix",
            Self::Prefix { .. } => "IPv6 Prefix",
            Self::Aspa { .. } => "ASPA",
            Self::EndOfData { .. } => "End of Data",
            Self::CacheReset => "Cache Reset",
            Self::Error { .. } => "Error",
            Self::Other(name) | Self::Query(name) => name,
        }
    }

    /// What stands behind its name in a trace.
    pub(crate) fn detail(&self) -> String {
        match self {
            Self::SerialNotify { session, serial } => format!("(session id: {session}, serial number: {serial})"),
            Self::EndOfData { session, serial, times: None } => {
                format!("(session id: {session}, serial number: {serial})")
            }
            Self::EndOfData { session, serial, times: Some(Times { refresh, retry, expire }) } => format!(
                "(session id: {session}, serial number: {serial}, refresh: {refresh}s, retry: {retry}s, expire: {expire}s)"
            ),
            Self::CacheResponse { session } => format!("(session id: {session})"),
            Self::Prefix { roa, .. } => format!("({}-{} AS{})", roa.prefix, roa.max_len, roa.asn),
            Self::Aspa { customer, providers, .. } if providers.is_empty() => format!("{customer} transit"),
            Self::Aspa { customer, providers, .. } => {
                let providers: Vec<_> = providers.iter().map(u32::to_string).collect();
                format!("{customer} (providers {})", providers.join(", "))
            }
            Self::Other(_) => "(ignored)".to_owned(),
            Self::Error { code, text } => format!("({}: '{text}')", error_name(*code)),
            Self::CacheReset | Self::Query(_) => String::new(),
        }
    }
}

/// BIRD's name of an error (RFC 8210 12).
fn error_name(code: u16) -> &'static str {
    match code {
        0 => "Corrupt-Data",
        1 => "Internal-Error",
        2 => "No-Data-Available",
        3 => "Invalid-Request",
        4 => "Unsupported-Protocol-Version",
        5 => "Unsupported-PDU-Type",
        6 => "Withdrawal-Of-Unknown-Record",
        7 => "Duplicate-Announcement",
        8 => "Unexpected-Protocol-Version",
        _ => "Unknown-Error",
    }
}

/// The first message in what has come, once all of it is there; a length that no message has is a fault.
pub fn frame(octets: &[u8]) -> Result<Option<&[u8]>, Fault> {
    let Some(length) = octets.get(4..HEAD).and_then(|o| <[u8; 4]>::try_from(o).ok()) else { return Ok(None) };
    let length = u32::from_be_bytes(length) as usize;
    if !(HEAD..=OCTETS_MAX).contains(&length) {
        return Err(Fault::corrupt(format!("Received invalid packet length {length}")));
    }
    Ok(octets.get(..length))
}

/// Its version and what it says.
pub fn decode(octets: &[u8]) -> (u8, Result<Pdu, Fault>) {
    let version = octets.first().copied().unwrap_or_default();
    (version, read(octets, version))
}

/// Whether a message is of the kind that is not answered and read whatever its version.
pub(crate) fn is_error(octets: &[u8]) -> bool {
    octets.get(1) == Some(&ERROR)
}

fn read(octets: &[u8], version: u8) -> Result<Pdu, Fault> {
    let mut from = Reader(octets);
    let [_, number] = from.take();
    let session = u16::from_be_bytes(from.take());
    from.take::<4>();
    let Some(sort) = SORTS.iter().find(|s| s.number == number && (s.since <= version || number == ERROR)) else {
        return Err(Fault { code: 5, text: format!("Unsupported PDU type {number} received") });
    };
    let length = octets.len();
    let right = sort.octets.get(usize::from(version)).or(sort.octets.last()).copied().unwrap_or(HEAD);
    if length < right || length > right && !sort.varies {
        let word = if length < right { "at least " } else { "" };
        let name = sort.name;
        let text = format!("Received {name} packet with {length} bytes, but expected {word}{right} bytes");
        return Err(Fault::corrupt(text));
    }
    Ok(match number {
        0 => Pdu::SerialNotify { session, serial: from.number() },
        3 => Pdu::CacheResponse { session },
        4 => {
            let [flags, len, max_len, _] = from.take();
            let prefix = Prefix::V4(Prefix4 { addr: from.number(), len });
            authorisation(flags, prefix, max_len, from.number())?
        }
        6 => {
            let [flags, len, max_len, _] = from.take();
            let prefix = Prefix::V6(Prefix6 { addr: from.take(), len });
            authorisation(flags, prefix, max_len, from.number())?
        }
        7 => {
            let serial = from.number();
            let mut times = || Times { refresh: from.number(), retry: from.number(), expire: from.number() };
            Pdu::EndOfData { session, serial, times: (version > 0).then(&mut times) }
        }
        8 => Pdu::CacheReset,
        ERROR => Pdu::Error { code: session, text: error_text(from) },
        11 => {
            let [flags, _] = session.to_be_bytes();
            providers(flags, Customer(from.number()), from.0)?
        }
        1 | 2 => Pdu::Query(sort.name),
        _ => Pdu::Other(sort.name),
    })
}

/// Takes numbers off the front; what is not there is zero.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        match self.0.split_first_chunk() {
            Some((taken, rest)) => {
                self.0 = rest;
                *taken
            }
            None => [0; N],
        }
    }

    fn number(&mut self) -> u32 {
        u32::from_be_bytes(self.take())
    }

    /// As many octets as a number in front of them says, at most all that are there.
    fn counted(&mut self) -> &'a [u8] {
        let length = (self.number() as usize).min(self.0.len());
        let (taken, rest) = self.0.split_at_checked(length).unwrap_or_default();
        self.0 = rest;
        taken
    }
}

/// An authorisation that makes sense: a length the family has, none shorter than the prefix, and no bits behind it.
fn authorisation(flags: u8, prefix: Prefix, max_len: u8, asn: u32) -> Result<Pdu, Fault> {
    let bits = prefix.family().bits();
    if prefix.len() > max_len || max_len > bits {
        return Err(Fault::corrupt("Corrupted PDU: invalid pxlen or max_pxlen"));
    }
    if Prefix::new(prefix.addr(), prefix.len()) != Some(prefix) {
        return Err(Fault::corrupt("Corrupted PDU: bits behind the prefix"));
    }
    Ok(Pdu::Prefix { announced: flags & 1 == 1, roa: Roa { prefix, max_len, asn } })
}

/// Who carries on the routes of an AS: whole numbers to the end.
fn providers(flags: u8, customer: Customer, octets: &[u8]) -> Result<Pdu, Fault> {
    let (numbers, []) = octets.as_chunks::<4>() else {
        return Err(Fault::corrupt("Corrupted PDU: a provider has no four octets"));
    };
    let providers = numbers.iter().map(|number| u32::from_be_bytes(*number)).collect();
    Ok(Pdu::Aspa { announced: flags & 1 == 1, customer, providers })
}

/// The text of an error behind the copy of what it is about, as far as its lengths make sense; without what a terminal
/// would obey.
fn error_text(mut from: Reader<'_>) -> String {
    from.counted();
    String::from_utf8_lossy(from.counted()).chars().filter(|c| !c.is_control()).take(256).collect()
}

/// A message of ours; `field` is the session or the code.
fn written(version: u8, number: u8, field: u16, body: &[&[u8]]) -> Vec<u8> {
    let length = HEAD + body.iter().map(|part| part.len()).sum::<usize>();
    let mut octets = Vec::with_capacity(length);
    octets.extend([version, number]);
    octets.extend(field.to_be_bytes());
    octets.extend((length as u32).to_be_bytes());
    body.iter().for_each(|part| octets.extend_from_slice(part));
    octets
}

/// Asks for what is new since then.
pub(crate) fn serial_query(version: u8, session: u16, serial: u32) -> Vec<u8> {
    written(version, 1, session, &[&serial.to_be_bytes()])
}

/// Asks for everything.
pub(crate) fn reset_query(version: u8) -> Vec<u8> {
    written(version, 2, 0, &[])
}

/// Tells what is wrong with a message.
pub(crate) fn error(version: u8, fault: &Fault, about: &[u8]) -> Vec<u8> {
    let copy = about.get(..ECHO_MAX).unwrap_or(about);
    let length = |part: &[u8]| (part.len() as u32).to_be_bytes();
    let text = fault.text.as_bytes();
    written(version, ERROR, fault.code, &[&length(copy), copy, &length(text), text])
}
