//! UPDATE messages to be sent: canonical octets and NLRI, packed as tightly as the length allows.
//!
//! The attributes of an announcement are turned into the peer's form once, by
//! [`Encoder::set_attributes`], and copied into as many messages as its NLRI
//! need. Everything appends to a buffer of the caller's, whole messages only.
//!
//! IPv4 with an IPv4 next hop goes into the fields of RFC 4271, everything else
//! into MP_REACH_NLRI, which stands first (RFC 7606 5.1).

use crate::frame::{self, HEADER_OCTETS, Kind};
use crate::nlri::UNICAST;
use crate::open::AS_TRANS;
use crate::path;
use crate::{Nlri, PerFamily};
use route::Family;
use route::attr::{FLAG_EXTENDED, FLAG_OPTIONAL, FLAG_TRANSITIVE, code};
use route::attrs::Records;
use std::fmt;
use std::net::Ipv4Addr;

/// What was negotiated, as far as it changes how UPDATEs are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EncodeContext {
    /// AS numbers have four octets (RFC 6793).
    pub as4: bool,
    /// NLRI carry path identifiers (RFC 7911): we send, the peer receives.
    pub add_path_tx: PerFamily<bool>,
    /// [`frame::MESSAGE_OCTETS_MAX`] or [`frame::EXTENDED_OCTETS_MAX`].
    pub octets_max: usize,
}

/// Why attributes cannot be sent. The routes must be withdrawn instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CannotSend {
    /// They leave no room for a single prefix.
    TooLong,
    /// There is no next hop, or none that the family can have.
    NoNextHop,
}

impl fmt::Display for CannotSend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLong => "Attribute list too long",
            Self::NoNextHop => "no usable next hop",
        })
    }
}

impl std::error::Error for CannotSend {}

/// What a call has appended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Whole messages.
    pub messages: u32,
    /// NLRI in them.
    pub routes: u32,
    /// Where the last message begins in the buffer, when there is one.
    pub last_at: usize,
    /// NLRI in the last message.
    pub last_routes: u32,
}

/// Writes UPDATEs; to be reused, since it keeps its memory.
#[derive(Clone, Debug)]
pub struct Encoder {
    context: EncodeContext,
    family: Family,
    /// The attributes in the peer's form, without MP_REACH_NLRI.
    attributes: Vec<u8>,
    /// The next hop of MP_REACH_NLRI; empty: NEXT_HOP stands among the attributes.
    hop: Vec<u8>,
    scratch: Vec<u8>,
}

/// Withdrawn routes length and total path attribute length.
const LENGTH_FIELDS: usize = 4;
/// Flags, code and length of MP_REACH_NLRI or MP_UNREACH_NLRI, AFI, SAFI.
const MP_HEAD: usize = 4 + 3;

impl Encoder {
    /// Without attributes yet.
    pub const fn new(context: EncodeContext) -> Self {
        Self { context, family: Family::Ipv4, attributes: Vec::new(), hop: Vec::new(), scratch: Vec::new() }
    }

    /// What was negotiated.
    pub const fn context(&self) -> &EncodeContext {
        &self.context
    }

    /// Takes the attributes of the announcements that follow: canonical octets, as they shall be told to this peer.
    pub fn set_attributes(&mut self, family: Family, canonical: &[u8]) -> Result<(), CannotSend> {
        self.family = family;
        self.attributes.clear();
        self.hop.clear();
        let mut as4 = As4::default();
        let mut has_hop = false;
        for record in Records::new(canonical) {
            // AS4_PATH and AS4_AGGREGATOR stand where their codes belong.
            if record.code > code::AS4_AGGREGATOR {
                as4.put_once(&mut self.attributes);
            }
            match record.code {
                code::NEXT_HOP => {
                    has_hop = self.put_next_hop(record.flags, record.value);
                }
                code::AS_PATH if !self.context.as4 => {
                    self.scratch.clear();
                    if path::narrow(record.value, &mut self.scratch) {
                        as4.path = Some(record.value);
                    }
                    put_attribute(record.flags, record.code, &self.scratch, &mut self.attributes);
                }
                code::AGGREGATOR if !self.context.as4 => {
                    let (short, lossy) = narrow_aggregator(record.value);
                    as4.aggregator = lossy.then_some(record.value);
                    put_attribute(record.flags, record.code, &short, &mut self.attributes);
                }
                _ => put_attribute(record.flags, record.code, record.value, &mut self.attributes),
            }
        }
        as4.put_once(&mut self.attributes);
        if !has_hop {
            return Err(CannotSend::NoNextHop);
        }
        if self.announce_head() + Nlri::OCTETS_MAX > self.context.octets_max {
            return Err(CannotSend::TooLong);
        }
        Ok(())
    }

    /// NEXT_HOP for IPv4 in IPv4, else what goes into MP_REACH_NLRI. Whether the family can have it.
    fn put_next_hop(&mut self, flags: u8, value: &[u8]) -> bool {
        match (self.family, <[u8; 4]>::try_from(value)) {
            (Family::Ipv4, Ok(_)) => {
                put_attribute(flags, code::NEXT_HOP, value, &mut self.attributes);
            }
            // RFC 4798 2: an IPv4 address as an IPv6 next hop is IPv4-mapped.
            (Family::Ipv6, Ok(addr)) => {
                self.hop.extend(Ipv4Addr::from(addr).to_ipv6_mapped().octets());
            }
            (_, Err(_)) if matches!(value.len(), 16 | 32) => self.hop.extend_from_slice(value),
            (_, Err(_)) => return false,
        }
        true
    }

    /// The octets of an announcement without its NLRI.
    fn announce_head(&self) -> usize {
        let mp = if self.hop.is_empty() { 0 } else { MP_HEAD + 1 + self.hop.len() + 1 };
        HEADER_OCTETS + LENGTH_FIELDS + mp + self.attributes.len()
    }

    /// Appends announcements of the NLRI with the attributes set before, all of one family.
    pub fn announce(&self, nlris: impl IntoIterator<Item = Nlri>, out: &mut Vec<u8>) -> Written {
        let room = self.context.octets_max.saturating_sub(self.announce_head());
        self.pack(self.family, room, nlris, out, |out| {
            out.extend_from_slice(&[0; LENGTH_FIELDS]);
            if self.hop.is_empty() {
                out.extend_from_slice(&self.attributes);
                return Place::Field { attributes: self.attributes.len() };
            }
            let mp = begin_mp(code::MP_REACH_NLRI, self.family, out);
            out.push(self.hop.len() as u8);
            out.extend_from_slice(&self.hop);
            out.push(0);
            Place::Mp { mp, then: &self.attributes }
        })
    }

    /// Octets of NLRI that one withdrawal of a family holds.
    pub fn withdrawal_room(&self, family: Family) -> usize {
        let mp = if family == Family::Ipv4 { 0 } else { MP_HEAD };
        self.context.octets_max.saturating_sub(HEADER_OCTETS + LENGTH_FIELDS + mp)
    }

    /// Octets of an NLRI of a family in a message.
    pub fn octets_of(&self, family: Family, nlri: Nlri) -> usize {
        nlri.octets(*self.context.add_path_tx.get(family))
    }

    /// Appends withdrawals of the NLRI, all of the family named.
    pub fn withdraw(&self, family: Family, nlris: impl IntoIterator<Item = Nlri>, out: &mut Vec<u8>) -> Written {
        self.pack(family, self.withdrawal_room(family), nlris, out, |out| match family {
            Family::Ipv4 => {
                out.extend_from_slice(&[0; 2]);
                Place::Withdrawn
            }
            Family::Ipv6 => {
                out.extend_from_slice(&[0; LENGTH_FIELDS]);
                Place::Mp { mp: begin_mp(code::MP_UNREACH_NLRI, family, out), then: &[] }
            }
        })
    }

    /// Appends the End-of-RIB marker of a family (RFC 4724 2).
    pub fn end_of_rib(family: Family, out: &mut Vec<u8>) {
        let start = frame::begin(Kind::Update, out);
        match family {
            Family::Ipv4 => out.extend_from_slice(&[0; LENGTH_FIELDS]),
            Family::Ipv6 => {
                let [high, low] = family.afi().to_be_bytes();
                out.extend_from_slice(&[0, 0, 0, 6]);
                let unreach = [FLAG_OPTIONAL, code::MP_UNREACH_NLRI, 3, high, low, UNICAST];
                out.extend_from_slice(&unreach);
            }
        }
        frame::finish(start, out);
    }

    /// Writes messages until no NLRI is left: `begin` writes what stands before the NLRI and says where they are.
    fn pack<'a>(
        &self,
        family: Family,
        room: usize,
        nlris: impl IntoIterator<Item = Nlri>,
        out: &mut Vec<u8>,
        begin: impl Fn(&mut Vec<u8>) -> Place<'a>,
    ) -> Written {
        let with_path_ids = *self.context.add_path_tx.get(family);
        let mut nlris = nlris.into_iter().inspect(|n| debug_assert_eq!(n.net.family(), family));
        let mut written = Written::default();
        let mut next = nlris.next();
        while let Some(mut nlri) = next {
            let start = frame::begin(Kind::Update, out);
            let place = begin(out);
            let first = out.len();
            let before = written.routes;
            next = loop {
                nlri.put(with_path_ids, out);
                written.routes += 1;
                match nlris.next() {
                    Some(more) if out.len() - first + more.octets(with_path_ids) <= room => {
                        nlri = more;
                    }
                    other => break other,
                }
            };
            place.finish(start, out);
            frame::finish(start, out);
            written.messages += 1;
            (written.last_at, written.last_routes) = (start, written.routes - before);
        }
        written
    }
}

/// Where the NLRI of a message stand, which says what lengths are to be filled in behind them.
enum Place<'a> {
    /// At the end, behind as many octets of attributes.
    Field { attributes: usize },
    /// In the field of withdrawn routes; no attributes follow.
    Withdrawn,
    /// In the attribute that begins at `mp`; other attributes follow.
    Mp { mp: usize, then: &'a [u8] },
}

impl Place<'_> {
    fn finish(&self, start: usize, out: &mut Vec<u8>) {
        let fields = start + HEADER_OCTETS;
        match self {
            Self::Field { attributes } => frame::put_u16_at(out, fields + 2, *attributes),
            Self::Withdrawn => {
                let octets = out.len() - fields - 2;
                frame::put_u16_at(out, fields, octets);
                out.extend_from_slice(&[0, 0]);
            }
            Self::Mp { mp, then } => {
                let octets = out.len() - mp - 4;
                frame::put_u16_at(out, mp + 2, octets);
                out.extend_from_slice(then);
                let octets = out.len() - fields - LENGTH_FIELDS;
                frame::put_u16_at(out, fields + 2, octets);
            }
        }
    }
}

/// Appends the head of an attribute that carries NLRI, its length open. Gives the place of the attribute.
fn begin_mp(code: u8, family: Family, out: &mut Vec<u8>) -> usize {
    let mp = out.len();
    let [high, low] = family.afi().to_be_bytes();
    out.extend_from_slice(&[FLAG_OPTIONAL | FLAG_EXTENDED, code, 0, 0, high, low, UNICAST]);
    mp
}

/// Appends an attribute, with a length of two octets only where one is too short.
fn put_attribute(flags: u8, code: u8, value: &[u8], out: &mut Vec<u8>) {
    match u8::try_from(value.len()) {
        Ok(octets) => out.extend_from_slice(&[flags, code, octets]),
        Err(_) => {
            // Canonical values are never longer than that.
            let [high, low] = (value.len() as u16).to_be_bytes();
            out.extend_from_slice(&[flags | FLAG_EXTENDED, code, high, low]);
        }
    }
    out.extend_from_slice(value);
}

/// AGGREGATOR for a peer with two-octet AS numbers, and whether AS4_AGGREGATOR is needed.
fn narrow_aggregator(value: &[u8]) -> ([u8; 6], bool) {
    let &[a, b, c, d, e, f, g, h] = value else {
        return ([0; 6], false);
    };
    let asn = u32::from_be_bytes([a, b, c, d]);
    let short = u16::try_from(asn).unwrap_or(AS_TRANS);
    let [high, low] = short.to_be_bytes();
    ([high, low, e, f, g, h], u32::from(short) != asn)
}

/// What tells a peer with two-octet AS numbers, and those behind it, the long ones (RFC 6793 4.2.2).
#[derive(Default)]
struct As4<'a> {
    path: Option<&'a [u8]>,
    aggregator: Option<&'a [u8]>,
}

impl As4<'_> {
    fn put_once(&mut self, out: &mut Vec<u8>) {
        const FLAGS: u8 = FLAG_OPTIONAL | FLAG_TRANSITIVE;
        if let Some(path) = self.path.take() {
            let mut value = Vec::with_capacity(path.len());
            path::put_as4(path, &mut value);
            put_attribute(FLAGS, code::AS4_PATH, &value, out);
        }
        if let Some(aggregator) = self.aggregator.take() {
            put_attribute(FLAGS, code::AS4_AGGREGATOR, aggregator, out);
        }
    }
}
