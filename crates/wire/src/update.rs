//! UPDATE messages, received (RFC 4271 4.3, RFC 4760, RFC 7911), with errors treated by RFC 7606.
//!
//! Two steps, so that a session can skip the second one. [`Update::split`] says
//! what stands where and checks every NLRI, so nothing is half done when a
//! message turns out to be broken. [`Announced::attributes`] makes canonical
//! octets of the path attributes. Between the two stands [`Announced::key`]: the
//! received octets that decide those attributes. Equal keys have equal attributes
//! as long as the [`UpdateContext`] is the same, so a session that remembers a
//! *clean* outcome (no remark) under its key need not decode it again.
//!
//! An UPDATE may announce twice, in the field of RFC 4271 and in MP_REACH_NLRI,
//! with different next hops; so what it announces is a list, and each entry has
//! attributes of its own.
//!
//! Nothing is allocated per route; [`Decoded`] is reused from message to message.

use crate::attributes::{self, RawAttribute, RawAttributes};
use crate::frame::HEADER_OCTETS;
use crate::nlri::{BadNlri, family_of};
use crate::notification::{UPDATE, update as subcode};
use crate::{Nlris, Notification, PerFamily};
use route::Family;
use route::attr::{FLAG_EXTENDED, code};

pub use crate::attributes::{Decoded, Remark, Wrong};

/// What was negotiated and configured, as far as it changes the meaning of an UPDATE.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UpdateContext {
    /// AS numbers have four octets (RFC 6793).
    pub as4: bool,
    /// NLRI carry path identifiers (RFC 7911): the peer sends, we receive.
    pub add_path_rx: PerFamily<bool>,
    /// The families of this session; NLRI of others are checked and passed over.
    pub families: PerFamily<bool>,
    /// Families whose routes may have next hops of the other family: IPv6 ones in MP_REACH_NLRI of IPv4 (RFC 8950),
    /// IPv4-mapped ones in that of IPv6 (RFC 4798), which come out as IPv4.
    pub extended_next_hop: PerFamily<bool>,
    /// The peer is in our AS.
    pub internal: bool,
    /// The peer is in our confederation, or in our AS while we are in one: its paths may hold
    /// confederation segments, its LOCAL_PREF counts (RFC 5065).
    pub confederation: bool,
    /// LOCAL_PREF of an external peer is believed (`allow bgp_local_pref`).
    pub local_pref_allowed: bool,
    /// Attributes that BIRD 1.6 does not know are read, and not carried as unknown ones are.
    pub recent_attributes: bool,
}

/// An UPDATE, split up; borrows the message.
#[derive(Clone, Copy, Debug)]
pub struct Update<'a> {
    withdrawn: [Option<Nlris<'a>>; 2],
    announced: [Option<Announced<'a>>; 2],
    end_of_rib: Option<Family>,
}

/// Routes with the same attributes and next hop.
#[derive(Clone, Copy, Debug)]
pub struct Announced<'a> {
    /// The routes.
    pub nlris: Nlris<'a>,
    raw: &'a [u8],
    hop: NextHop<'a>,
}

/// Where the next hop of announced routes stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NextHop<'a> {
    /// In the attribute NEXT_HOP, and MP_REACH_NLRI and MP_UNREACH_NLRI are not there.
    Attribute,
    /// In the attribute NEXT_HOP, beside attributes that carry NLRI.
    AttributeBesideMp,
    /// In MP_REACH_NLRI.
    Mp(&'a [u8]),
}

impl<'a> Update<'a> {
    /// Splits the body of an UPDATE.
    ///
    /// An error is one for which RFC 7606 leaves nothing but to end the session: lengths that do not
    /// fit together (3/1), NLRI that cannot be read (3/10, 3/1), MP_REACH_NLRI or MP_UNREACH_NLRI twice (3/1) or
    /// unreadable (3/9), and any error worth a withdrawal in a message that announces nothing (RFC 7606 5.2).
    pub fn split(body: &'a [u8], context: &UpdateContext) -> Result<Self, Notification> {
        let Fields { withdrawn, attributes: raw, announced } = Fields::split(body)?;
        let mp = MpAttributes::find(raw)?;
        let mut update = Self { withdrawn: [None, None], announced: [None, None], end_of_rib: None };

        let withdrawn = nlris(withdrawn, Family::Ipv4, context)?;
        let announced = nlris(announced, Family::Ipv4, context)?;
        if context.families.ipv4 {
            update.withdrawn[0] = some(withdrawn);
            let hop = if mp.is_none() { NextHop::Attribute } else { NextHop::AttributeBesideMp };
            update.announced[0] = some(announced).map(|nlris| Announced { nlris, raw, hop });
        }
        let unreach = mp.unreach.map(|a| mp_unreach(a, context)).transpose()?.flatten();
        update.withdrawn[1] = unreach.and_then(some);
        let reach = mp.reach.map(|a| mp_reach(a, context)).transpose()?.flatten();
        update.announced[1] =
            reach.and_then(|(nlris, hop)| some(nlris).map(|nlris| Announced { nlris, raw, hop: NextHop::Mp(hop) }));

        update.end_of_rib = match unreach {
            _ if !withdrawn.is_empty() || !announced.is_empty() => None,
            _ if raw.is_empty() => context.families.ipv4.then_some(Family::Ipv4),
            Some(nlris) if mp.alone && nlris.is_empty() => Some(nlris.family()),
            _ => None,
        };
        if announced.is_empty() && mp.reach.is_none() && !raw.is_empty() && !mp.alone {
            attributes::check_without_routes(raw, context)?;
        }
        Ok(update)
    }

    /// What is no longer reachable, by family; to be handled before what is announced (RFC 4271 4.3).
    pub fn withdrawn(&self) -> impl Iterator<Item = Nlris<'a>> + use<'a> {
        self.withdrawn.into_iter().flatten()
    }

    /// What is reachable.
    pub fn announced(&self) -> impl Iterator<Item = Announced<'a>> + use<'a> {
        self.announced.into_iter().flatten()
    }

    /// The message is the End-of-RIB marker of this family (RFC 4724 2).
    pub const fn end_of_rib(&self) -> Option<Family> {
        self.end_of_rib
    }
}

impl<'a> Announced<'a> {
    /// The received octets that decide the attributes: equal keys, equal [`attributes`](Self::attributes).
    ///
    /// They are the message's own octets where they lie together, else they are put together in `scratch`.
    pub fn key<'s>(&self, scratch: &'s mut Vec<u8>) -> &'s [u8]
    where
        'a: 's,
    {
        let hop = match self.hop {
            NextHop::Attribute => return self.raw,
            NextHop::AttributeBesideMp => &[],
            NextHop::Mp(hop) => hop,
        };
        scratch.clear();
        // An attribute list cannot begin like this: code 14 stands nowhere else in a key.
        scratch.extend_from_slice(&[0, code::MP_REACH_NLRI, self.nlris.family() as u8]);
        scratch.push(hop.len() as u8);
        scratch.extend_from_slice(hop);
        for found in RawAttributes::new(self.raw) {
            match found {
                // Its flags can be wrong, so they count; its value has been read.
                Ok(a) if a.carries_nlri() => {
                    scratch.extend_from_slice(&[a.flags & !FLAG_EXTENDED, a.code, 0]);
                }
                Ok(a) => scratch.extend_from_slice(a.whole),
                // What overruns leads to a remark, and so to nothing that is remembered.
                Err(rest) => scratch.extend_from_slice(rest),
            }
        }
        scratch
    }

    /// Makes canonical octets of the attributes.
    ///
    /// [`Decoded::is_withdrawal`] says whether RFC 7606 turns the announcement into a withdrawal. An
    /// error ends the session: an unknown well-known attribute (3/2).
    pub fn attributes(&self, context: &UpdateContext, decoded: &mut Decoded) -> Result<(), Notification> {
        attributes::decode(self.raw, self.hop, context, decoded)
    }
}

/// The three variable fields (RFC 4271 4.3).
struct Fields<'a> {
    withdrawn: &'a [u8],
    attributes: &'a [u8],
    announced: &'a [u8],
}

impl<'a> Fields<'a> {
    fn split(body: &'a [u8]) -> Result<Self, Notification> {
        let malformed = || Notification::new(UPDATE, subcode::MALFORMED_ATTRIBUTES);
        if body.len() < 4 {
            return Err(Notification::bad_length(HEADER_OCTETS + body.len()));
        }
        let (withdrawn, rest) = counted(body).ok_or_else(malformed)?;
        let (attributes, announced) = counted(rest).ok_or_else(malformed)?;
        Ok(Self { withdrawn, attributes, announced })
    }
}

/// The family of which the body of an UPDATE speaks, told before it is split. `None`: it cannot be told, or it is none of ours.
pub fn family(body: &[u8]) -> Option<Family> {
    let fields = Fields::split(body).ok()?;
    let mp = MpAttributes::find(fields.attributes).ok()?;
    match mp.reach.or(mp.unreach) {
        Some(mp) if fields.withdrawn.is_empty() => {
            let (&[high, low, safi], _) = mp.value.split_first_chunk::<3>()?;
            family_of(u16::from_be_bytes([high, low]), safi)
        }
        _ => Some(Family::Ipv4),
    }
}

/// A length of two octets and as much as it says; then the rest.
fn counted(octets: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = octets.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}

fn some(nlris: Nlris<'_>) -> Option<Nlris<'_>> {
    (!nlris.is_empty()).then_some(nlris)
}

fn nlris<'a>(octets: &'a [u8], family: Family, context: &UpdateContext) -> Result<Nlris<'a>, Notification> {
    Nlris::checked(octets, family, *context.add_path_rx.get(family)).map_err(|bad| {
        let subcode = match bad {
            BadNlri::Length => subcode::INVALID_NETWORK,
            // RFC 4271 6.3 has 10 for this as well; BIRD says 1, and nobody is worse off.
            BadNlri::Truncated => subcode::MALFORMED_ATTRIBUTES,
        };
        Notification::new(UPDATE, subcode)
    })
}

/// The attributes that carry NLRI.
#[derive(Default)]
struct MpAttributes<'a> {
    reach: Option<RawAttribute<'a>>,
    unreach: Option<RawAttribute<'a>>,
    /// MP_UNREACH_NLRI is the only attribute.
    alone: bool,
}

impl<'a> MpAttributes<'a> {
    /// Either of them twice leaves open which routes are meant: reset with 3/1 (RFC 7606 3 g).
    fn find(raw: &'a [u8]) -> Result<Self, Notification> {
        let mut found = Self::default();
        let mut others = false;
        for attribute in RawAttributes::new(raw) {
            let before = match attribute {
                Ok(a) if a.code == code::MP_REACH_NLRI => {
                    others = true;
                    found.reach.replace(a)
                }
                Ok(a) if a.code == code::MP_UNREACH_NLRI => found.unreach.replace(a),
                _ => {
                    others = true;
                    None
                }
            };
            if before.is_some() {
                return Err(Notification::new(UPDATE, subcode::MALFORMED_ATTRIBUTES));
            }
        }
        found.alone = found.unreach.is_some() && !others;
        Ok(found)
    }

    const fn is_none(&self) -> bool {
        self.reach.is_none() && self.unreach.is_none()
    }
}

/// Reads MP_UNREACH_NLRI (RFC 4760 4). `None`: of a family that this session has not.
fn mp_unreach<'a>(attribute: RawAttribute<'a>, context: &UpdateContext) -> Result<Option<Nlris<'a>>, Notification> {
    let (&[high, low, safi], octets) = attribute.value.split_first_chunk::<3>().ok_or_else(|| mp_error(attribute))?;
    match session_family(high, low, safi, context) {
        Some(family) => nlris(octets, family, context).map(Some),
        None => Ok(None),
    }
}

/// Reads MP_REACH_NLRI (RFC 4760 3): the routes and the octets of the next hop.
/// `None`: of a family that this session has not.
fn mp_reach<'a>(
    attribute: RawAttribute<'a>,
    context: &UpdateContext,
) -> Result<Option<(Nlris<'a>, &'a [u8])>, Notification> {
    let error = || mp_error(attribute);
    let (&[high, low, safi, hop_octets], rest) = attribute.value.split_first_chunk::<4>().ok_or_else(error)?;
    let Some(family) = session_family(high, low, safi, context) else {
        return Ok(None);
    };
    let (hop, rest) = rest.split_at_checked(usize::from(hop_octets)).ok_or_else(error)?;
    // RFC 7606 7.11: with a next hop of another length the NLRI cannot be found for sure.
    match (family, hop.len()) {
        (Family::Ipv4, 4) | (Family::Ipv6, 16 | 32) => {}
        (Family::Ipv4, 16 | 32) if context.extended_next_hop.ipv4 => {}
        _ => return Err(error()),
    }
    let (_reserved, octets) = rest.split_first().ok_or_else(error)?;
    Ok(Some((nlris(octets, family, context)?, hop)))
}

fn session_family(high: u8, low: u8, safi: u8, context: &UpdateContext) -> Option<Family> {
    family_of(u16::from_be_bytes([high, low]), safi).filter(|f| *context.families.get(*f))
}

/// Optional attribute error (3/9), with the attribute.
fn mp_error(attribute: RawAttribute<'_>) -> Notification {
    Notification::with_data(UPDATE, subcode::OPTIONAL_ATTRIBUTE, attribute.whole)
}
