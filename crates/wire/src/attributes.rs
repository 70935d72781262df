//! Path attributes: received octets to canonical ones (see `route::attrs`), errors by RFC 7606.
//!
//! First all attributes are walked: flags, duplicates, attributes that we do not
//! know or that this peer has no say in. What stays is put in the order of codes,
//! and each value is checked by its shape and written. Which attributes there are
//! and what a wrong one leads to stands in the one table,
//! [`route::attr::ATTRIBUTES`]; here is how each shape is read.

use crate::Notification;
use crate::notification::{UPDATE, update as subcode};
use crate::path::{self, AsSize, Malformed};
use crate::update::{NextHop, UpdateContext};
use route::aigp;
use route::attr::{
    self, Attribute, Category, FLAG_EXTENDED, FLAG_OPTIONAL, FLAG_PARTIAL, FLAG_TRANSITIVE, Shape, Treat, code, origin,
};
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

/// One attribute in a message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RawAttribute<'a> {
    pub(crate) flags: u8,
    pub(crate) code: u8,
    pub(crate) value: &'a [u8],
    /// From the flags on: what a NOTIFICATION quotes.
    pub(crate) whole: &'a [u8],
}

impl RawAttribute<'_> {
    pub(crate) const fn carries_nlri(&self) -> bool {
        matches!(self.code, code::MP_REACH_NLRI | code::MP_UNREACH_NLRI)
    }
}

/// Walks the path attributes of a message. An attribute that runs beyond the end is an error with the octets
/// that are left, and the last item.
#[derive(Clone, Debug)]
pub(crate) struct RawAttributes<'a> {
    rest: &'a [u8],
}

impl<'a> RawAttributes<'a> {
    pub(crate) const fn new(raw: &'a [u8]) -> Self {
        Self { rest: raw }
    }

    fn split_one(octets: &'a [u8]) -> Option<(RawAttribute<'a>, &'a [u8])> {
        let (&[flags, code, length], short) = octets.split_first_chunk::<3>()?;
        let (length, tail) = if flags & FLAG_EXTENDED == 0 {
            (usize::from(length), short)
        } else {
            let (&low, tail) = short.split_first()?;
            (usize::from(u16::from_be_bytes([length, low])), tail)
        };
        let (value, rest) = tail.split_at_checked(length)?;
        let whole = octets.get(..octets.len() - rest.len())?;
        Some((RawAttribute { flags, code, value, whole }, rest))
    }
}

impl<'a> Iterator for RawAttributes<'a> {
    type Item = Result<RawAttribute<'a>, &'a [u8]>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let octets = std::mem::take(&mut self.rest);
        if octets.is_empty() {
            return None;
        }
        match Self::split_one(octets) {
            Some((attribute, rest)) => {
                self.rest = rest;
                Some(Ok(attribute))
            }
            None => Some(Err(octets)),
        }
    }
}

/// What was wrong with an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// Its value or length (RFC 7606 7).
    Malformed,
    /// Its optional or transitive flag (RFC 7606 3 c).
    Flags,
    /// It should be there and is not (RFC 7606 3 d).
    Missing,
    /// It is there again; the first one counts (RFC 7606 3 g).
    Repeated,
    /// It runs beyond the end of the attributes (RFC 7606 4).
    Overrun,
    /// AS4_PATH or AS4_AGGREGATOR from a peer with four-octet AS numbers (RFC 6793 6).
    UnexpectedAs4,
}

/// Something that RFC 7606 treated; as text, the line for the log at warning level without the protocol's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remark {
    /// The attribute, 0 for [`Wrong::Overrun`] where it cannot be told.
    pub code: u8,
    /// What was wrong.
    pub wrong: Wrong,
    /// What it led to.
    pub treat: Treat,
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.wrong == Wrong::UnexpectedAs4 {
            return f.write_str("Unexpected AS4_* attributes received");
        }
        if self.wrong == Wrong::Overrun {
            f.write_str("Attribute list")?;
        } else {
            write!(f, "Attribute {}", Name(self.code))?;
        }
        f.write_str(match self.wrong {
            Wrong::Malformed | Wrong::Overrun | Wrong::UnexpectedAs4 => " is malformed",
            Wrong::Flags => " has invalid flags",
            Wrong::Missing => " is missing",
            Wrong::Repeated => " is repeated",
        })?;
        f.write_str(match self.treat {
            Treat::Discard => ", ignoring it",
            Treat::Withdraw => ", withdrawing update",
            Treat::Reset => ", closing session",
        })
    }
}

/// The name of an attribute, known or not.
struct Name(u8);

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            code::MP_REACH_NLRI => f.write_str("mp_reach_nlri"),
            code::MP_UNREACH_NLRI => f.write_str("mp_unreach_nlri"),
            code::AS4_PATH => f.write_str("as4_path"),
            code::AS4_AGGREGATOR => f.write_str("as4_aggregator"),
            known_or_not => match attr::by_code(known_or_not) {
                Some(row) => f.write_str(row.name),
                None => write!(f, "{known_or_not:02x}"),
            },
        }
    }
}

/// The most remarks kept of one message: a peer may send more nonsense than a log should hold.
const REMARKS_MAX: usize = 8;

/// The outcome of decoding, and the memory it needs; to be reused.
#[derive(Clone, Debug, Default)]
pub struct Decoded {
    octets: Vec<u8>,
    entries: Vec<Entry>,
    remarks: Vec<Remark>,
    withdrawal: bool,
}

/// An attribute that stays, by its place in the received octets.
#[derive(Clone, Copy, Debug)]
struct Entry {
    code: u8,
    flags: u8,
    start: u32,
    length: u32,
}

impl Decoded {
    /// Nothing decoded yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Canonical octets; to be used only when this [is no withdrawal](Self::is_withdrawal).
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// The announced routes count as withdrawn (RFC 7606 2, "treat-as-withdraw").
    pub const fn is_withdrawal(&self) -> bool {
        self.withdrawal
    }

    /// What was treated; empty for a clean message. At most eight.
    pub fn remarks(&self) -> &[Remark] {
        &self.remarks
    }

    fn clear(&mut self) {
        self.octets.clear();
        self.entries.clear();
        self.remarks.clear();
        self.withdrawal = false;
    }

    fn remark(&mut self, code: u8, wrong: Wrong, treat: Treat) {
        self.withdrawal |= treat >= Treat::Withdraw;
        let remark = Remark { code, wrong, treat };
        if self.remarks.len() < REMARKS_MAX && !self.remarks.contains(&remark) {
            self.remarks.push(remark);
        }
    }

    fn has(&self, code: u8) -> bool {
        self.entries.iter().any(|e| e.code == code)
    }
}

/// A set of attribute codes.
#[derive(Default)]
struct Codes([u64; 4]);

impl Codes {
    /// Adds a code; whether it is new.
    fn insert(&mut self, code: u8) -> bool {
        let bit = 1u64 << (code % 64);
        match self.0.get_mut(usize::from(code / 64)) {
            Some(word) if *word & bit == 0 => {
                *word |= bit;
                true
            }
            _ => false,
        }
    }
}

/// Decodes the attributes of announced routes.
pub(crate) fn decode(
    raw: &[u8],
    hop: NextHop<'_>,
    context: &UpdateContext,
    decoded: &mut Decoded,
) -> Result<(), Notification> {
    decoded.clear();
    collect(raw, hop, context, decoded)?;
    for mandatory in [code::ORIGIN, code::AS_PATH, code::NEXT_HOP] {
        let elsewhere = mandatory == code::NEXT_HOP && matches!(hop, NextHop::Mp(_));
        let treated = decoded.remarks.iter().any(|r| r.code == mandatory);
        if !elsewhere && !treated && !decoded.has(mandatory) {
            decoded.remark(mandatory, Wrong::Missing, Treat::Withdraw); // RFC 7606 3 d)
        }
    }
    write_all(raw, hop, context, decoded);
    Ok(())
}

/// Looks for errors in the attributes of a message that announces nothing (RFC 7606 5.2).
///
/// "if any encountered error specifies an error-handling approach other than
/// 'attribute discard', then the 'session reset' approach MUST be used." Nothing
/// is missing there, since nothing is announced.
pub(crate) fn check_without_routes(raw: &[u8], context: &UpdateContext) -> Result<(), Notification> {
    let mut decoded = Decoded::new();
    collect(raw, NextHop::Attribute, context, &mut decoded)?;
    write_all(raw, NextHop::Attribute, context, &mut decoded);
    if decoded.withdrawal {
        return Err(Notification::new(UPDATE, subcode::MALFORMED_ATTRIBUTES));
    }
    Ok(())
}

/// Takes in the attributes that stay, in the order of their codes.
fn collect(raw: &[u8], hop: NextHop<'_>, context: &UpdateContext, decoded: &mut Decoded) -> Result<(), Notification> {
    let mut seen = Codes::default();
    let mut sorted = true;
    let mut at = 0;
    let mut last = 0;
    for found in RawAttributes::new(raw) {
        let Ok(attribute) = found else {
            decoded.remark(0, Wrong::Overrun, Treat::Withdraw); // RFC 7606 4
            break;
        };
        let start = at + (attribute.whole.len() - attribute.value.len());
        at += attribute.whole.len();
        if !seen.insert(attribute.code) {
            decoded.remark(attribute.code, Wrong::Repeated, Treat::Discard); // RFC 7606 3 g)
            continue;
        }
        if let Some(flags) = flags_kept(attribute, hop, context, decoded)? {
            let code = attribute.code;
            sorted &= last < code;
            last = code;
            let (start, length) = (start as u32, attribute.value.len() as u32);
            decoded.entries.push(Entry { code, flags, start, length });
        }
    }
    if matches!(hop, NextHop::Mp(_)) {
        sorted = false;
        let flags = FLAG_TRANSITIVE;
        decoded.entries.push(Entry { code: code::NEXT_HOP, flags, start: 0, length: 0 });
    }
    if !sorted {
        decoded.entries.sort_unstable_by_key(|e| e.code);
    }
    Ok(())
}

/// The flags in canonical form of an attribute that stays; `None` for one that does not.
fn flags_kept(
    attribute: RawAttribute<'_>,
    hop: NextHop<'_>,
    context: &UpdateContext,
    decoded: &mut Decoded,
) -> Result<Option<u8>, Notification> {
    if is_ignored(attribute.code, hop, context) {
        return Ok(None);
    }
    let kind = attribute.flags & (FLAG_OPTIONAL | FLAG_TRANSITIVE);
    let wanted = match attribute.code {
        code::MP_REACH_NLRI | code::MP_UNREACH_NLRI => Category::OptionalNonTransitive,
        code::AS4_PATH | code::AS4_AGGREGATOR => Category::OptionalTransitive,
        code => match row_of(code, context) {
            Some(row) => row.category,
            None => return unknown(attribute),
        },
    };
    let (wanted, partial) = match wanted {
        Category::WellKnown => (FLAG_TRANSITIVE, 0),
        Category::OptionalNonTransitive => (FLAG_OPTIONAL, 0),
        Category::OptionalTransitive => (FLAG_OPTIONAL | FLAG_TRANSITIVE, FLAG_PARTIAL),
    };
    if kind != wanted {
        // RFC 7606 3 c), but RFC 7311 3.2
        let treat = if attribute.code == code::AIGP { Treat::Discard } else { Treat::Withdraw };
        decoded.remark(attribute.code, Wrong::Flags, treat);
        return Ok(None);
    }
    if attribute.carries_nlri() {
        return Ok(None);
    }
    if context.as4 && matches!(attribute.code, code::AS4_PATH | code::AS4_AGGREGATOR) {
        decoded.remark(attribute.code, Wrong::UnexpectedAs4, Treat::Discard);
        return Ok(None);
    }
    Ok(Some(wanted | (attribute.flags & partial)))
}

/// Whether this peer has no say in an attribute, whatever it holds.
const fn is_ignored(code: u8, hop: NextHop<'_>, context: &UpdateContext) -> bool {
    match code {
        // RFC 4760 3: beside MP_REACH_NLRI it "SHOULD be ignored".
        code::NEXT_HOP => matches!(hop, NextHop::Mp(_)),
        // RFC 7606 7.5
        code::LOCAL_PREF => !(context.internal || context.confederation || context.local_pref_allowed),
        // RFC 7606 7.9, 7.10
        code::ORIGINATOR_ID | code::CLUSTER_LIST => !context.internal,
        _ => false,
    }
}

/// An attribute that is in no table (RFC 4271 5): carried on and marked as such when transitive, dropped when
/// only optional, an error (3/2) when it is called well-known.
fn unknown(attribute: RawAttribute<'_>) -> Result<Option<u8>, Notification> {
    if attribute.flags & FLAG_OPTIONAL == 0 {
        return Err(Notification::with_data(UPDATE, subcode::UNRECOGNIZED_WELL_KNOWN, attribute.whole));
    }
    let transitive = attribute.flags & FLAG_TRANSITIVE != 0;
    Ok(transitive.then_some(FLAG_OPTIONAL | FLAG_TRANSITIVE | FLAG_PARTIAL))
}

/// The row of an attribute that this session reads.
fn row_of(code: u8, context: &UpdateContext) -> Option<&'static Attribute> {
    attr::by_code(code).filter(|row| context.recent_attributes || !row.is_recent())
}

/// An IPv4 address out of an IPv4-mapped next hop, where IPv6 routes may have those (RFC 4798 2).
fn unmapped<'a>(octets: &'a [u8], context: &UpdateContext) -> &'a [u8] {
    const MAPPED: [u8; 12] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];
    let addr = octets.strip_prefix(&MAPPED).filter(|addr| addr.len() == 4);
    addr.filter(|_| context.extended_next_hop.ipv6).unwrap_or(octets)
}

/// Writes the canonical octets, and remarks on every value that is malformed.
fn write_all(raw: &[u8], hop: NextHop<'_>, context: &UpdateContext, decoded: &mut Decoded) {
    let entries = std::mem::take(&mut decoded.entries);
    let value_of = |entry: &Entry| {
        let start = entry.start as usize;
        raw.get(start..start + entry.length as usize).unwrap_or_default()
    };
    let find = |code| entries.iter().find(|e| e.code == code).map(value_of);
    let size = if context.as4 { AsSize::Four } else { AsSize::Two };
    let as4 = As4::of(find(code::AGGREGATOR), find(code::AS4_PATH), find(code::AS4_AGGREGATOR));

    for entry in &entries {
        let value = match hop {
            NextHop::Mp(octets) if entry.code == code::NEXT_HOP => unmapped(octets, context),
            _ => value_of(entry),
        };
        let written = match row_of(entry.code, context) {
            // Merged into AS_PATH and AGGREGATOR.
            None if entry.code == code::AS4_PATH || entry.code == code::AS4_AGGREGATOR => continue,
            None => record(entry, decoded, |out| {
                out.extend_from_slice(value);
                Ok(())
            }),
            Some(row) => record(entry, decoded, |out| match row.shape {
                Shape::AsPath => path::put(value, size, context.confederation, as4.path, out),
                Shape::Aggregator => aggregator(value, size, as4.aggregator, out),
                // The attribute has an IPv4 address; only MP_REACH_NLRI, whose lengths are checked, has more.
                Shape::NextHop if !matches!(hop, NextHop::Mp(_)) && value.len() != 4 => Err(Malformed),
                shape => put_plain(shape, value, out),
            }),
        };
        if written.is_err() {
            let treat = attr::by_code(entry.code).map_or(Treat::Discard, |row| row.on_error);
            decoded.remark(entry.code, Wrong::Malformed, treat);
        }
    }
    for (code, wrong) in [(code::AS4_PATH, as4.path_malformed), (code::AS4_AGGREGATOR, as4.aggregator_malformed)] {
        if wrong {
            decoded.remark(code, Wrong::Malformed, Treat::Discard); // RFC 6793 6
        }
    }
    decoded.entries = entries;
}

/// Appends a record. When the value turns out to be malformed, nothing is appended.
fn record(
    entry: &Entry,
    decoded: &mut Decoded,
    put: impl FnOnce(&mut Vec<u8>) -> Result<(), Malformed>,
) -> Result<(), Malformed> {
    let out = &mut decoded.octets;
    let start = out.len();
    out.extend_from_slice(&[entry.flags, entry.code, 0, 0]);
    let value = out.len();
    let length = put(out).and_then(|()| {
        u16::try_from(out.len() - value).map_err(|_| Malformed) // widened beyond what can be sent
    });
    match (length, out.get_mut(start + 2..value)) {
        (Ok(length), Some(place)) => {
            place.copy_from_slice(&length.to_be_bytes());
            Ok(())
        }
        _ => {
            out.truncate(start);
            Err(Malformed)
        }
    }
}

/// Checks a value that stands in canonical octets as it stands in messages.
fn put_plain(shape: Shape, value: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
    let value = match shape {
        Shape::Origin => matches!(value, [..=origin::INCOMPLETE]).then_some(value),
        Shape::NextHop => next_hop(value),
        Shape::U32 | Shape::RouterId => (value.len() == 4).then_some(value),
        Shape::Empty => value.is_empty().then_some(value),
        // RFC 7606 7.8, 7.10, 7.14; RFC 8092 6
        Shape::Communities | Shape::ClusterList => nonzero_multiple(value, 4),
        Shape::ExtCommunities => nonzero_multiple(value, 8),
        Shape::LargeCommunities => nonzero_multiple(value, 12),
        Shape::Aigp => aigp::is_well_formed(value).then_some(value),
        Shape::AsPath | Shape::Aggregator => None,
    };
    out.extend_from_slice(value.ok_or(Malformed)?);
    Ok(())
}

fn nonzero_multiple(value: &[u8], of: usize) -> Option<&[u8]> {
    (!value.is_empty() && value.len().is_multiple_of(of)).then_some(value)
}

/// The next hop, without a second address that is not link-local.
///
/// Addresses that no router can have are malformed (RFC 4271 6.3, "valid IP host address"): BIRD takes
/// 0.0.0.0, 127/8 and 240/4 and lets packets vanish.
fn next_hop(value: &[u8]) -> Option<&[u8]> {
    if let Ok(octets) = <[u8; 4]>::try_from(value) {
        return is_host4(octets.into()).then_some(value);
    }
    let (global, link_local) = value.split_first_chunk::<16>()?;
    let global_is_host = is_host6((*global).into());
    match <[u8; 16]>::try_from(link_local) {
        // Some send `::` and the link-local address where there is no global one.
        Ok(second) if Ipv6Addr::from(second).is_unicast_link_local() => {
            (global_is_host || *global == [0; 16]).then_some(value)
        }
        _ => global_is_host.then_some(global.as_slice()),
    }
}

const fn is_host4(addr: Ipv4Addr) -> bool {
    !matches!(addr.octets(), [0 | 127 | 224.., ..])
}

const fn is_host6(addr: Ipv6Addr) -> bool {
    !(addr.is_unspecified() || addr.is_loopback() || addr.is_multicast())
}

/// AS and address, widened to eight octets; of AS4_AGGREGATOR where that counts.
fn aggregator(value: &[u8], size: AsSize, as4: Option<&[u8]>, out: &mut Vec<u8>) -> Result<(), Malformed> {
    let start = out.len();
    match (size, value) {
        (AsSize::Four, [_, _, _, _, _, _, _, _]) => out.extend_from_slice(value),
        (AsSize::Two, &[high, low, a, b, c, d]) => match as4 {
            Some(wide) => out.extend_from_slice(wide),
            None => out.extend_from_slice(&[0, 0, high, low, a, b, c, d]),
        },
        _ => return Err(Malformed),
    }
    match out.get(start..start + 4) {
        Some([0, 0, 0, 0]) => Err(Malformed), // RFC 7607 2
        _ => Ok(()),
    }
}

/// What a peer with two-octet AS numbers hands through (RFC 6793 4.2.3).
#[derive(Default)]
struct As4<'a> {
    path: Option<&'a [u8]>,
    path_malformed: bool,
    aggregator: Option<&'a [u8]>,
    aggregator_malformed: bool,
}

impl<'a> As4<'a> {
    /// Which of the two count: well-formed ones, unless AGGREGATOR names an AS that would have fitted; then
    /// somebody on the way without AS4 has aggregated, and neither does.
    fn of(aggregator: Option<&[u8]>, as4_path: Option<&'a [u8]>, as4_aggregator: Option<&'a [u8]>) -> Self {
        let mut as4 = Self {
            path: as4_path.filter(|v| path::is_as4_path(v)),
            aggregator: as4_aggregator.filter(|v| v.len() == 8 && !v.starts_with(&[0; 4])),
            ..Self::default()
        };
        as4.path_malformed = as4.path.is_none() && as4_path.is_some();
        as4.aggregator_malformed = as4.aggregator.is_none() && as4_aggregator.is_some();
        let trans = crate::open::AS_TRANS.to_be_bytes();
        if aggregator.is_some_and(|v| !v.starts_with(&trans)) {
            as4.path = None;
            as4.aggregator = None;
        }
        as4
    }
}
