//! Attribute sets: BGP attributes as canonical octets, and a small local part.
//!
//! *Canonical octets* are a sequence of records `flags, code, length (two
//! octets, big endian), value`, ordered by code, each code at most once, AS
//! numbers in four octets, the extended-length flag never set, other flags kept
//! as received. So two sets are equal when their octets and local parts are
//! equal, and sending a set is close to copying it. A set made by a protocol
//! other than BGP has no octets unless a filter adds some.
//!
//! A set is one allocation: header and octets behind one thin, shared pointer.
//! The local part is shared once more: nearly all sets of a session have one of
//! few, so [`Locals`] remembers the last and a set costs a pointer for it.
//! Its hash is computed once, here, with the process's secret seed; tables probe
//! with it and never hash the octets again. The seed is secret because peers
//! choose the octets.
//!
//! The *resolved* next hop is not part of a set; see [`crate::hop`].

use crate::attr::{self, code};
use crate::hop::Dest;
use crate::iface::Scope;
use crate::{AsPath, SourceKind};
use foldhash::fast::RandomState;
use std::cell::RefCell;
use std::fmt;
use std::hash::{BuildHasher, Hash, Hasher};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, OnceLock};
use triomphe::ThinArc;

/// Attributes of routes that are not BGP's: of the kernel, or named by the operator.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LocalValue {
    /// A number, an address of IPv4, or a truth value (0, 1).
    Int(u32),
    /// An address.
    Ip(IpAddr),
    /// Text.
    Text(Arc<str>),
    /// Octets of an attribute that the operator declared: a list, or octets as such.
    Octets(Arc<[u8]>),
}

/// The names of local attributes: the kernel's, with BIRD's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u16)]
#[expect(missing_docs, reason = "each is the attribute `krt_*` of its name")]
pub enum LocalAttr {
    KrtSource,
    KrtMetric,
    KrtPrefsrc,
    KrtRealm,
    KrtTunnel,
    KrtScope,
    /// RTAX_* metrics follow: lock bits, mtu, window, rtt, rttvar, sstresh, cwnd, advmss, reordering, hoplimit, initcwnd, features, rto_min, initrwnd, quickack, congctl, fastopen_no_cookie.
    KrtLock,
    KrtMtu,
    KrtWindow,
    KrtRtt,
    KrtRttvar,
    KrtSstresh,
    KrtCwnd,
    KrtAdvmss,
    KrtReordering,
    KrtHoplimit,
    KrtInitcwnd,
    KrtFeatures,
    KrtRtoMin,
    KrtInitrwnd,
    KrtQuickack,
    KrtCongctl,
    KrtFastopenNoCookie,
    /// The metric that a filter has set in place of the one of the next hop.
    IgpMetric,
    /// Who carries on the routes of an AS: what an authorisation of an ASPA table says.
    AspaProviders,
    /// An attribute declared by the operator (2.x `attribute`), by its number.
    Own(u16),
}

impl LocalAttr {
    /// The name in filters; `None` for an attribute that the operator declared.
    pub const fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::KrtSource => "krt_source",
            Self::KrtMetric => "krt_metric",
            Self::KrtPrefsrc => "krt_prefsrc",
            Self::KrtRealm => "krt_realm",
            Self::KrtTunnel => "krt_tunnel",
            Self::KrtScope => "krt_scope",
            Self::KrtLock => "krt_lock",
            Self::KrtMtu => "krt_mtu",
            Self::KrtWindow => "krt_window",
            Self::KrtRtt => "krt_rtt",
            Self::KrtRttvar => "krt_rttvar",
            Self::KrtSstresh => "krt_sstresh",
            Self::KrtCwnd => "krt_cwnd",
            Self::KrtAdvmss => "krt_advmss",
            Self::KrtReordering => "krt_reordering",
            Self::KrtHoplimit => "krt_hoplimit",
            Self::KrtInitcwnd => "krt_initcwnd",
            Self::KrtFeatures => "krt_features",
            Self::KrtRtoMin => "krt_rto_min",
            Self::KrtInitrwnd => "krt_initrwnd",
            Self::KrtQuickack => "krt_quickack",
            Self::KrtCongctl => "krt_congctl",
            Self::KrtFastopenNoCookie => "krt_fastopen_no_cookie",
            Self::IgpMetric => "igp_metric",
            Self::AspaProviders => "aspa_providers",
            Self::Own(_) => return None,
        })
    }
}

/// What a route carries beside its BGP attributes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Local {
    /// Higher wins before anything else is compared.
    pub preference: u32,
    /// RTS_*.
    pub kind: SourceKind,
    /// SCOPE_*.
    pub scope: Scope,
    /// Who sent the route; `None` for routes that nobody sent.
    pub from: Option<IpAddr>,
    /// Where packets should go, as asked for.
    pub dest: Dest,
    /// Further attributes, ordered by name, each once. `None` when there are none, which is nearly always.
    pub extra: Option<Arc<[(LocalAttr, LocalValue)]>>,
}

impl Local {
    /// The local part of a route with this destination and nothing special.
    pub const fn new(kind: SourceKind, preference: u32, dest: Dest) -> Self {
        Self { preference, kind, scope: Scope::Universe, from: None, dest, extra: None }
    }

    /// A further attribute.
    pub fn extra(&self, name: LocalAttr) -> Option<&LocalValue> {
        let extra = self.extra.as_deref()?;
        let at = extra.binary_search_by_key(&name, |(n, _)| *n).ok()?;
        extra.get(at).map(|(_, v)| v)
    }

    /// Sets or removes a further attribute.
    pub fn set_extra(&mut self, name: LocalAttr, value: Option<LocalValue>) {
        let mut all: Vec<_> = self.extra.as_deref().unwrap_or_default().to_vec();
        all.retain(|(n, _)| *n != name);
        if let Some(value) = value {
            all.push((name, value));
            all.sort();
        }
        self.extra = if all.is_empty() { None } else { Some(all.into()) };
    }
}

/// A local part that many sets share.
#[derive(Clone, Debug)]
pub struct SharedLocal(triomphe::Arc<(u64, Local)>);

impl SharedLocal {
    fn new(hash: u64, local: Local) -> Self {
        Self(triomphe::Arc::new((hash, local)))
    }

    fn hash_value(&self) -> u64 {
        self.0.0
    }

    fn is_same(&self, other: &Self) -> bool {
        triomphe::Arc::ptr_eq(&self.0, &other.0)
    }
}

impl From<Local> for SharedLocal {
    fn from(local: Local) -> Self {
        Self::new(seed().hash_one(&local), local)
    }
}

impl PartialEq for SharedLocal {
    fn eq(&self, other: &Self) -> bool {
        self.is_same(other) || self.0 == other.0
    }
}

const REMEMBERED: usize = 16;

/// Remembers some local parts that were used last, so that sets made one after the other share them.
#[derive(Clone, Debug, Default)]
pub struct Locals([Option<SharedLocal>; REMEMBERED]);

impl Locals {
    /// Remembers nothing.
    pub const fn new() -> Self {
        Self([const { None }; REMEMBERED])
    }

    /// The remembered one that is equal, else a new one, which is remembered from now on.
    pub fn share(&mut self, local: &Local) -> SharedLocal {
        let hash = seed().hash_one(local);
        let place = self.place(hash);
        match place {
            Some(known) if known.hash_value() == hash && known.0.1 == *local => known.clone(),
            _ => place.insert(SharedLocal::new(hash, local.clone())).clone(),
        }
    }

    fn place(&mut self, hash: u64) -> &mut Option<SharedLocal> {
        &mut self.0[hash as usize % REMEMBERED]
    }
}

#[derive(Debug)]
struct Head {
    hash: u64,
    local: SharedLocal,
}

/// A shared, immutable attribute set. Cloning is one reference count: once per set and reader, never per route.
#[derive(Clone)]
pub struct AttrSet(ThinArc<Head, u8>);

fn seed() -> &'static RandomState {
    static SEED: OnceLock<RandomState> = OnceLock::new();
    SEED.get_or_init(RandomState::default)
}

/// The process's seeded hash of octets that a peer chose, for first-level caches keyed by received octets.
pub fn hash_octets(octets: &[u8]) -> u64 {
    seed().hash_one(octets)
}

impl AttrSet {
    /// What a set takes beside its octets and the local part, which is shared: a count, a length, hash and pointer.
    pub const HEAD_OCTETS: usize = 2 * size_of::<usize>() + size_of::<Head>();

    /// A set of canonical octets and a local part. Use [`AttrSetBuilder`] unless the octets are canonical already.
    pub fn from_canonical(octets: &[u8], local: impl Into<SharedLocal>) -> Self {
        debug_assert!(is_canonical(octets), "octets of an attribute set must be canonical");
        let local = local.into();
        let mut hasher = seed().build_hasher();
        octets.hash(&mut hasher);
        hasher.write_u64(local.hash_value());
        let hash = hasher.finish();
        Self(ThinArc::from_header_and_slice(Head { hash, local }, octets))
    }

    /// A set without BGP attributes.
    pub fn local_only(local: Local) -> Self {
        Self::from_canonical(&[], local)
    }

    /// The canonical octets of the BGP attributes.
    #[inline]
    pub fn octets(&self) -> &[u8] {
        &self.0.slice
    }

    /// The part beside BGP.
    pub fn local(&self) -> &Local {
        &self.shared_local().0.1
    }

    fn shared_local(&self) -> &SharedLocal {
        &self.0.header.header.local
    }

    /// The hash of octets and local part, seeded, computed when the set was made.
    #[inline]
    pub fn hash_value(&self) -> u64 {
        self.0.header.header.hash
    }

    /// Whether both are the very same allocation.
    #[inline]
    pub fn is_same(&self, other: &Self) -> bool {
        ThinArc::as_ptr(&self.0) == ThinArc::as_ptr(&other.0)
    }

    /// All attributes in the order of their codes.
    pub fn iter(&self) -> Records<'_> {
        Records { rest: self.octets() }
    }

    /// The value of one attribute.
    pub fn get(&self, code: u8) -> Option<&[u8]> {
        self.iter().find(|r| r.code == code).map(|r| r.value)
    }

    /// A number-valued attribute.
    pub fn get_u32(&self, code: u8) -> Option<u32> {
        Some(u32::from_be_bytes(self.get(code)?.try_into().ok()?))
    }

    /// ORIGIN, `None` when absent.
    pub fn origin(&self) -> Option<u8> {
        self.get(code::ORIGIN)?.first().copied()
    }

    /// AS_PATH; empty when absent.
    pub fn as_path(&self) -> AsPath<'_> {
        AsPath::new(self.get(code::AS_PATH).unwrap_or_default())
    }

    /// NEXT_HOP: the global address, and the link-local one where IPv6 carries both.
    pub fn next_hop(&self) -> Option<(IpAddr, Option<Ipv6Addr>)> {
        next_hop(self.get(code::NEXT_HOP)?)
    }
}

/// Reads a NEXT_HOP value in canonical form: 4, 16 or 32 octets.
pub fn next_hop(value: &[u8]) -> Option<(IpAddr, Option<Ipv6Addr>)> {
    match value.len() {
        4 => Some((Ipv4Addr::from(<[u8; 4]>::try_from(value).ok()?).into(), None)),
        16 => Some((Ipv6Addr::from(<[u8; 16]>::try_from(value).ok()?).into(), None)),
        32 => {
            let (global, link_local) = value.split_at(16);
            let global = Ipv6Addr::from(<[u8; 16]>::try_from(global).ok()?);
            let link_local = Ipv6Addr::from(<[u8; 16]>::try_from(link_local).ok()?);
            Some((global.into(), Some(link_local)))
        }
        _ => None,
    }
}

impl PartialEq for AttrSet {
    fn eq(&self, other: &Self) -> bool {
        self.is_same(other)
            || (self.hash_value() == other.hash_value()
                && self.octets() == other.octets()
                && self.shared_local() == other.shared_local())
    }
}

impl Eq for AttrSet {}

impl Hash for AttrSet {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash_value());
    }
}

impl fmt::Debug for AttrSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AttrSet").field("bgp", &self.iter().collect::<Vec<_>>()).field("local", self.local()).finish()
    }
}

/// One attribute inside canonical octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// Optional, transitive, partial.
    pub flags: u8,
    /// The type code.
    pub code: u8,
    /// The value in canonical form.
    pub value: &'a [u8],
}

/// Walks canonical octets. Ends early rather than fail on octets that are not canonical.
#[derive(Clone, Debug)]
pub struct Records<'a> {
    rest: &'a [u8],
}

impl<'a> Records<'a> {
    /// Walks octets that a builder or an [`AttrSet`] made.
    #[inline]
    pub const fn new(octets: &'a [u8]) -> Self {
        Self { rest: octets }
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Record<'a>;

    #[inline]
    fn next(&mut self) -> Option<Record<'a>> {
        let (&[flags, code, high, low], rest) = self.rest.split_first_chunk::<4>()?;
        let (value, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes([high, low])))?;
        self.rest = rest;
        Some(Record { flags, code, value })
    }
}

fn is_canonical(octets: &[u8]) -> bool {
    let mut walked = 0;
    let mut last = None;
    for r in Records::new(octets) {
        if last >= Some(r.code) || r.flags & attr::FLAG_EXTENDED != 0 {
            return false;
        }
        last = Some(r.code);
        walked += 4 + r.value.len();
    }
    walked == octets.len()
}

/// Makes attribute sets: start from nothing or from a set, set and remove, build.
///
/// One allocation to be reused: a builder can be cleared and filled again.
#[derive(Clone, Debug)]
pub struct AttrSetBuilder {
    octets: Vec<u8>,
    /// The part beside BGP; free to change.
    pub local: Local,
    /// What it was before: mostly it is still that.
    before: Option<SharedLocal>,
    locals: RefCell<Locals>,
}

impl AttrSetBuilder {
    /// A set without BGP attributes.
    pub const fn new(local: Local) -> Self {
        Self { octets: Vec::new(), local, before: None, locals: RefCell::new(Locals::new()) }
    }

    /// A copy of a set, to be changed.
    pub fn from_set(set: &AttrSet) -> Self {
        Self {
            octets: set.octets().to_vec(),
            local: set.local().clone(),
            before: Some(set.shared_local().clone()),
            locals: RefCell::new(Locals::new()),
        }
    }

    /// Takes over another set and keeps the allocation.
    pub fn reset_to(&mut self, set: &AttrSet) {
        self.octets.clear();
        self.octets.extend_from_slice(set.octets());
        let before = self.before.as_ref().is_some_and(|before| before.is_same(set.shared_local()));
        if !before {
            self.before = Some(set.shared_local().clone());
        }
        if !before || self.local != *set.local() {
            self.local.clone_from(set.local());
        }
    }

    /// Begins anew from canonical octets, with the local part that is here, and keeps the allocation.
    pub fn reset_octets(&mut self, octets: &[u8]) {
        debug_assert!(is_canonical(octets), "octets of an attribute set must be canonical");
        self.octets.clear();
        self.octets.extend_from_slice(octets);
    }

    /// The canonical octets so far.
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// The value of one attribute.
    pub fn get(&self, code: u8) -> Option<&[u8]> {
        Records::new(&self.octets).find(|r| r.code == code).map(|r| r.value)
    }

    /// Sets an attribute with the flags of its category, keeping the partial bit of one that stands there.
    pub fn set(&mut self, code: u8, value: &[u8]) {
        self.set_marked(code, value, 0);
    }

    /// Sets an attribute of somebody else's route: an optional transitive one that was not there is partial (RFC 4271 5).
    pub fn attach(&mut self, code: u8, value: &[u8]) {
        self.set_marked(code, value, attr::FLAG_PARTIAL);
    }

    /// Puts more behind the value of an attribute, as if the whole were [set](Self::set), or with `attaches`
    /// [attached](Self::attach).
    pub fn extend(&mut self, code: u8, more: &[u8], attaches: bool) {
        let place @ (start, end) = self.place(code);
        let flags = self.flags_of(place, code, if attaches { attr::FLAG_PARTIAL } else { 0 });
        if start == end {
            return self.put(place, flags, code, more);
        }
        let Ok(len) = u16::try_from(end - start - 4 + more.len()) else { return };
        let [high, low] = len.to_be_bytes();
        let behind = self.octets.len();
        self.octets.resize(behind + more.len(), 0);
        self.octets.copy_within(end..behind, end + more.len());
        if let Some(place) = self.octets.get_mut(end..end + more.len()) {
            place.copy_from_slice(more);
        }
        if let Some(head) = self.octets.get_mut(start..start + 4) {
            head.copy_from_slice(&[flags, code, high, low]);
        }
    }

    fn set_marked(&mut self, code: u8, value: &[u8], mark_of_new: u8) {
        let place = self.place(code);
        self.put(place, self.flags_of(place, code, mark_of_new), code, value);
    }

    /// The flags of an attribute by its category. It is partial if what stands in its place is, or a new one is so marked.
    fn flags_of(&self, place: (usize, usize), code: u8, mark_of_new: u8) -> u8 {
        let old = if place.0 < place.1 { self.octets.get(place.0).copied() } else { None };
        let (flags, mark_of_new) = match attr::by_code(code).map(|a| a.category) {
            Some(attr::Category::WellKnown) => (attr::FLAG_TRANSITIVE, 0),
            Some(attr::Category::OptionalNonTransitive) => (attr::FLAG_OPTIONAL, 0),
            Some(attr::Category::OptionalTransitive) | None => {
                (attr::FLAG_OPTIONAL | attr::FLAG_TRANSITIVE, mark_of_new)
            }
        };
        flags | old.map_or(mark_of_new, |f| f & attr::FLAG_PARTIAL)
    }

    /// Sets an attribute with flags of the caller's; the extended-length flag is dropped.
    /// A value above 65,535 octets is left out: it could not be sent.
    pub fn set_with_flags(&mut self, flags: u8, code: u8, value: &[u8]) {
        self.put(self.place(code), flags, code, value);
    }

    /// Writes a record over what stands between two places.
    fn put(&mut self, (start, end): (usize, usize), flags: u8, code: u8, value: &[u8]) {
        let Ok(len) = u16::try_from(value.len()) else { return };
        let [high, low] = len.to_be_bytes();
        let new_end = start + 4 + value.len();
        let behind = self.octets.len() - end;
        if new_end > end {
            self.octets.resize(new_end + behind, 0);
        }
        self.octets.copy_within(end..end + behind, new_end);
        self.octets.truncate(new_end + behind);
        if let Some((head, place)) = self.octets.get_mut(start..new_end).and_then(|o| o.split_at_mut_checked(4)) {
            head.copy_from_slice(&[flags & !attr::FLAG_EXTENDED, code, high, low]);
            place.copy_from_slice(value);
        }
    }

    /// Sets a number.
    pub fn set_u32(&mut self, code: u8, value: u32) {
        self.set(code, &value.to_be_bytes());
    }

    /// Removes an attribute; nothing happens when it is not there.
    pub fn unset(&mut self, code: u8) {
        let (start, end) = self.place(code);
        self.octets.drain(start..end);
    }

    /// Keeps the attributes for which `keep` says so.
    pub fn retain(&mut self, mut keep: impl FnMut(Record<'_>) -> bool) {
        let mut kept = Vec::with_capacity(self.octets.len());
        for r in Records::new(&self.octets) {
            if keep(r) {
                let [high, low] = (r.value.len() as u16).to_be_bytes();
                kept.extend_from_slice(&[r.flags, r.code, high, low]);
                kept.extend_from_slice(r.value);
            }
        }
        self.octets = kept;
    }

    /// Where the record of a code stands, or the empty place where it would stand.
    fn place(&self, code: u8) -> (usize, usize) {
        let mut at = 0;
        for r in Records::new(&self.octets) {
            let end = at + 4 + r.value.len();
            if r.code == code {
                return (at, end);
            }
            if r.code > code {
                break;
            }
            at = end;
        }
        (at, at)
    }

    /// The finished set.
    pub fn build(&self) -> AttrSet {
        let local = match &self.before {
            Some(before) if before.0.1 == self.local => before.clone(),
            _ => self.locals.borrow_mut().share(&self.local),
        };
        AttrSet::from_canonical(&self.octets, local)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hop::Dest;

    fn local() -> Local {
        Local::new(SourceKind::Bgp, 100, Dest::Blackhole)
    }

    #[test]
    fn what_is_put_behind_a_value_is_as_if_the_whole_were_set() {
        for (before, attaches) in [(None, false), (None, true), (Some(attr::FLAG_PARTIAL), false), (Some(0), true)] {
            let mut a = AttrSetBuilder::new(local());
            a.set(code::ORIGIN, &[0]);
            a.set(code::LARGE_COMMUNITY, &[7; 12]);
            let flags = attr::FLAG_OPTIONAL | attr::FLAG_TRANSITIVE;
            before.into_iter().for_each(|mark| a.set_with_flags(flags | mark, code::COMMUNITY, &[1; 4]));
            let mut b = a.clone();
            let whole = [a.get(code::COMMUNITY).unwrap_or_default(), &[2; 4]].concat();
            if attaches {
                a.attach(code::COMMUNITY, &whole)
            } else {
                a.set(code::COMMUNITY, &whole)
            }
            b.extend(code::COMMUNITY, &[2; 4], attaches);
            assert_eq!(a.build(), b.build());
        }
    }

    #[test]
    fn attributes_stand_in_the_order_of_their_codes_whatever_the_order_of_setting() {
        let mut a = AttrSetBuilder::new(local());
        a.set_u32(code::LOCAL_PREF, 100);
        a.set(code::ORIGIN, &[0]);
        a.set_u32(code::MED, 5);
        let mut b = AttrSetBuilder::new(local());
        b.set_u32(code::MED, 7);
        b.set(code::ORIGIN, &[0]);
        b.set_u32(code::MED, 5);
        b.set_u32(code::LOCAL_PREF, 100);
        assert_eq!(a.build(), b.build());
        assert_eq!(a.build().hash_value(), b.build().hash_value());
        assert_eq!(a.build().iter().map(|r| r.code).collect::<Vec<_>>(), [1, 4, 5]);
    }

    #[test]
    fn sets_of_one_builder_share_their_local_part_and_are_three_words_and_their_octets() {
        assert_eq!(size_of::<Head>(), 16);
        // The seed decides who shares a place; these two do not.
        let place = |preference| seed().hash_one(&Local { preference, ..local() }) as usize % REMEMBERED;
        let preference = (200..).find(|p| place(*p) != place(local().preference)).unwrap();
        let mut a = AttrSetBuilder::new(local());
        let one = a.build();
        a.local.preference = preference;
        let other = a.build();
        a.reset_to(&one);
        a.set_u32(code::MED, 5);
        assert!(std::ptr::eq(a.build().local(), one.local()));
        a.local.preference = preference;
        assert!(std::ptr::eq(a.build().local(), other.local()));
        assert_eq!(a.build().local(), other.local());
        assert!(std::ptr::eq(AttrSetBuilder::from_set(&other).build().local(), other.local()));
        assert_eq!(AttrSetBuilder::new(local()).build(), one, "equal without being shared");
    }

    #[test]
    fn identity_is_over_the_local_part_too() {
        let mut other = local();
        other.preference = 200;
        assert_ne!(AttrSet::local_only(local()), AttrSet::local_only(other));
    }

    #[test]
    fn an_attribute_that_is_unset_is_gone() {
        let mut b = AttrSetBuilder::new(local());
        b.set_u32(code::MED, 5);
        b.unset(code::MED);
        b.unset(code::COMMUNITY);
        assert_eq!(b.build().octets(), &[] as &[u8]);
    }

    #[test]
    fn the_partial_bit_survives_a_new_value() {
        let mut b = AttrSetBuilder::new(local());
        b.set_with_flags(0xe0, code::COMMUNITY, &[0, 1, 0, 2]);
        b.set(code::COMMUNITY, &[0, 1, 0, 3]);
        assert_eq!(b.build().iter().next().unwrap().flags, 0xe0);
    }
}
