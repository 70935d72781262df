//! From UPDATEs to import batches: checks, next hop, import filter, sources.
//!
//! One [`Intake`] lives as long as a session. What an attribute list comes to is
//! known under its received octets until another list comes, so decoding and checks
//! are done once for a set and not once for a route; the filter is run once for each
//! answer that it gets to what it asks of prefixes ([`Memory`]). What a read of the
//! socket brought is collected in one batch a channel.
//!
//! A list that comes a second time is remembered for longer (bounded by
//! [`CACHE_ENTRIES_MAX`] and [`CACHE_OCTETS_MAX`]). Not one that comes for the first
//! time: in a full table nearly all lists come once, one message after the other, and
//! to remember them all costs as much as to decode them. Of those only a fingerprint
//! is kept.

mod gateway;
mod leak;
mod refused;
mod sources;

pub(crate) use sources::SourceIds;

use crate::peer::{PeerChannel, PeerSpec, ReceivedRow, WhichReceived};
use crate::received::Received;
use filter::run::{Env, RouteView, Verdict};
use filter::{Filter, Memory, Policy, Scratch};
use gateway::BadNextHop;
use hashbrown::HashTable;
use leak::{Leak, leak, mark_missing};
use refused::{BadPath, Refusal, is_bogus, refusal};
use rib::batch::{ImportBatch, ImportRow, What};
use route::attr::{FLAG_TRANSITIVE, code};
use route::attrs::{AttrSet, AttrSetBuilder, Local, Locals, Records, SharedLocal, hash_octets};
use route::hop::Dest;
use route::{Family, IfIndex, Ifaces, Moment, Prefix, RoaTables, Source, SourceId, SourceKind};
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::watch;
use wire::update::{Announced, Decoded};
use wire::{Notification, PerFamily, Update, UpdateContext, notification};

/// Rows of one batch.
pub(crate) const BATCH_ROWS_MAX: usize = 8192;
/// Attribute lists that are remembered.
const CACHE_ENTRIES_MAX: usize = 3584;
/// Fingerprints of attribute lists that came once.
const FINGERPRINTS: usize = 4096;
/// Octets of attribute lists that are remembered.
const CACHE_OCTETS_MAX: usize = 1 << 20;
/// Lines about what a peer sent that one read may bring; the rest is not said.
const LINES_MAX: usize = 32;
/// Lines that filters say of the routes of one read, which the operator asked for; how many were not said is.
const PRINTED_MAX: usize = 8192;

/// What attributes come to before the filter.
#[derive(Clone, Debug)]
enum Checked {
    /// A route.
    Route(AttrSet),
    /// Nothing: RFC 7606, a loop, or a next hop of our own withdraws what stood before.
    Nothing,
    /// The same, and the operator is told why (2).
    Invalid(Invalid),
}

/// Why a route counts as withdrawn; as text, BIRD's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Invalid {
    /// Its next hop makes no sense.
    NextHop(BadNextHop),
    /// The session does not take such a path.
    Path(BadPath),
    /// It is a leak.
    Leak(Leak),
}

impl std::fmt::Display for Invalid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NextHop(why) => why.fmt(f),
            Self::Path(why) => why.fmt(f),
            Self::Leak(why) => why.fmt(f),
        }
    }
}

/// An attribute list and what it comes to.
#[derive(Debug)]
struct Known {
    hash: u64,
    /// Empty: what was said of it must be said again when it comes again.
    key: Vec<u8>,
    family: Family,
    /// It came before.
    again: bool,
    checked: Checked,
    /// What the filter came to.
    judged: Memory<Judged>,
}

impl Known {
    fn is(&self, family: Family, hash: u64, key: &[u8]) -> bool {
        self.hash == hash && self.family == family && !key.is_empty() && self.key == key
    }

    /// How much of the bound it takes.
    fn octets(&self) -> usize {
        let sets = self.judged.iter().map(|j| AttrSet::HEAD_OCTETS + j.set.octets().len());
        self.key.len() + self.judged.octets() + sets.skip(1).sum::<usize>()
    }
}

/// What the filter says of an attribute list.
#[derive(Debug)]
struct Judged {
    verdict: Verdict,
    /// The set as the filter left it.
    set: AttrSet,
    /// The batch in whose palette the set stands already, and where.
    placed: Option<(u64, u32)>,
}

/// A line for the log, the name of the protocol not in front.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    Warning(String),
    Error(String),
    Info(String),
    /// What the neighbour did wrong.
    Remote(String),
    /// `Ignoring bogus route N received via P`: names the protocol itself.
    Bogus(Prefix),
}

/// A batch of one family, and the sources that it names for the first time.
#[derive(Debug, Default)]
pub(crate) struct Collected {
    pub(crate) sources: Vec<Arc<Source>>,
    pub(crate) batch: ImportBatch,
}

/// See the head of this file.
pub(crate) struct Intake {
    context: UpdateContext,
    spec: Arc<PeerSpec>,
    /// The link of a direct neighbour.
    link: IfIndex,
    ifaces: Arc<Ifaces>,
    roas: watch::Receiver<Arc<RoaTables>>,
    /// Those that count for the update being read.
    roas_now: Arc<RoaTables>,
    origin: Arc<Source>,
    sources: PerFamily<HashMap<u32, Arc<Source>>>,
    known_ids: SourceIds,
    /// The list that came last.
    current: Option<Known>,
    cache: HashTable<Known>,
    cache_octets: usize,
    /// By the hash of a list; made with the first.
    fingerprints: Vec<u32>,
    /// What channels with `import table` have received.
    received: PerFamily<Option<Box<Received>>>,
    /// When the update being read came.
    now: Moment,
    /// The last next hop in octets, and the local part of sets that have it.
    towards: Option<(Vec<u8>, Family, SharedLocal)>,
    /// Local parts of sets of one session are few.
    locals: Locals,
    collected: PerFamily<Collected>,
    serial: u64,
    decoded: Decoded,
    /// Where sets are made.
    work: AttrSetBuilder,
    /// Where a key is put together.
    key: Vec<u8>,
    /// Room for the next key that is kept.
    key_room: Vec<u8>,
    scratch: Scratch,
    lines: Vec<Line>,
    lines_left: usize,
    /// What filters said since the lines were taken.
    printed: usize,
}

impl Intake {
    /// `origin` is the record of the session's source, path identifier 0.
    pub(crate) fn new(
        spec: Arc<PeerSpec>,
        context: UpdateContext,
        origin: Arc<Source>,
        known_ids: SourceIds,
        link: IfIndex,
        ifaces: Arc<Ifaces>,
        mut roas: watch::Receiver<Arc<RoaTables>>,
    ) -> Self {
        let roas_now = Arc::clone(&roas.borrow_and_update());
        let mut received = PerFamily::default();
        for channel in spec.channels.iter().filter(|c| c.import_table) {
            *received.get_mut(channel.family) = Some(Box::new(Received::new(channel.receive_limit)));
        }
        Self {
            context,
            spec,
            link,
            ifaces,
            roas,
            roas_now,
            origin,
            sources: PerFamily::default(),
            known_ids,
            current: None,
            cache: HashTable::new(),
            cache_octets: 0,
            fingerprints: Vec::new(),
            received,
            now: Moment(0),
            towards: None,
            locals: Locals::new(),
            collected: PerFamily::default(),
            serial: 0,
            decoded: Decoded::new(),
            work: AttrSetBuilder::new(Local::new(SourceKind::Bgp, 0, Dest::Unreachable)),
            key: Vec::new(),
            key_room: Vec::new(),
            scratch: Scratch::default(),
            lines: Vec::new(),
            lines_left: LINES_MAX,
            printed: 0,
        }
    }

    /// New options or filters: what is remembered no longer holds.
    pub(crate) fn reconfigure(&mut self, spec: Arc<PeerSpec>) {
        self.spec = spec;
        self.forget();
    }

    /// Links or addresses changed: next hops are judged anew.
    pub(crate) fn set_ifaces(&mut self, ifaces: Arc<Ifaces>, link: IfIndex) {
        self.ifaces = ifaces;
        self.link = link;
        self.forget();
    }

    /// Other ROA tables: what is remembered no longer holds. Costs a look at a number when they are the same.
    fn look_at_roas(&mut self) {
        if self.roas.has_changed().unwrap_or(false) {
            self.roas_now = Arc::clone(&self.roas.borrow_and_update());
            self.forget();
        }
    }

    fn forget(&mut self) {
        self.current = None;
        self.towards = None;
        self.cache.clear();
        self.cache_octets = 0;
    }

    /// Takes in the body of an UPDATE. `Ok(Some(family))`: it was an End-of-RIB marker.
    pub(crate) fn update(&mut self, body: &[u8]) -> Result<Option<Family>, Notification> {
        self.look_at_roas();
        let update = Update::split(body, &self.context)?;
        for nlris in update.withdrawn() {
            let family = nlris.family();
            for nlri in nlris.iter() {
                self.unlearn(family, nlri.net, nlri.path_id);
                self.row(family, nlri.net, nlri.path_id, What::Withdraw)?;
            }
        }
        for announced in update.announced() {
            self.announced(&announced)?;
        }
        Ok(update.end_of_rib())
    }

    /// Lines for the log that have come up.
    pub(crate) fn lines(&mut self) -> Vec<Line> {
        self.lines_left = LINES_MAX;
        let unsaid = std::mem::take(&mut self.printed).saturating_sub(PRINTED_MAX);
        if unsaid > 0 {
            self.lines.push(Line::Warning(format!("{unsaid} more lines of the import filter are not said")));
        }
        std::mem::take(&mut self.lines)
    }

    /// How many rows wait in the fuller batch.
    pub(crate) fn rows(&self) -> usize {
        self.collected.ipv4.batch.rows.len().max(self.collected.ipv6.batch.rows.len())
    }

    /// What was collected for a family.
    pub(crate) fn take(&mut self, family: Family) -> Option<Collected> {
        let collected = self.collected.get_mut(family);
        if collected.batch.rows.is_empty() {
            return None;
        }
        self.serial += 1;
        Some(std::mem::take(collected))
    }

    /// A line that the filter says: `print`, a verdict with words, a run-time error.
    fn say_printed(&mut self, line: Line) {
        if self.printed < PRINTED_MAX {
            self.lines.push(line);
        }
        self.printed += 1;
    }

    fn say(&mut self, line: Line) {
        if self.lines_left > 0 {
            self.lines_left -= 1;
            self.lines.push(line);
        }
    }

    fn announced(&mut self, announced: &Announced<'_>) -> Result<(), Notification> {
        let spec = Arc::clone(&self.spec);
        let family = announced.nlris.family();
        let Some(channel) = spec.channels.iter().find(|c| c.family == family) else { return Ok(()) };
        let mut scratch = std::mem::take(&mut self.key);
        let known = self.recall(announced, announced.key(&mut scratch), channel);
        self.key = scratch;
        let mut known = known?;
        let outcome = self.announce(announced, channel, &mut known);
        self.current = Some(known);
        outcome
    }

    /// Finds what an attribute list comes to, or works it out.
    fn recall(&mut self, announced: &Announced<'_>, key: &[u8], channel: &PeerChannel) -> Result<Known, Notification> {
        let (family, hash) = (channel.family, hash_octets(key));
        match self.current.take() {
            Some(current) if current.is(family, hash, key) => return Ok(current),
            Some(current) => self.leave(current),
            None => {}
        }
        if let Ok(found) = self.cache.find_entry(hash, |known| known.is(family, hash, key)) {
            let (known, _) = found.remove();
            self.cache_octets -= known.octets();
            return Ok(known);
        }
        announced.attributes(&self.context, &mut self.decoded)?;
        let remarks: Vec<_> = self.decoded.remarks().iter().map(ToString::to_string).collect();
        let mut kept = std::mem::take(&mut self.key_room);
        kept.clear();
        if remarks.is_empty() {
            kept.extend_from_slice(key);
        }
        for remark in remarks {
            self.say(Line::Warning(remark));
        }
        let checked = if self.decoded.is_withdrawal() { Checked::Nothing } else { self.check(channel) };
        Ok(Known { hash, key: kept, family, again: false, checked, judged: Memory::default() })
    }

    /// Another list comes: this one is remembered if it came before.
    fn leave(&mut self, mut known: Known) {
        if !known.again && !self.came_before(known.hash) || known.key.is_empty() {
            self.key_room = known.key;
            return;
        }
        known.again = true;
        known.key.shrink_to_fit();
        let octets = known.octets();
        self.cache_octets += octets;
        if self.cache.len() >= CACHE_ENTRIES_MAX || self.cache_octets > CACHE_OCTETS_MAX {
            self.cache.clear();
            self.cache_octets = octets;
        }
        self.cache.insert_unique(known.hash, known, |known| known.hash);
    }

    /// Whether a list of this hash came before, as far as fingerprints say.
    fn came_before(&mut self, hash: u64) -> bool {
        self.fingerprints.resize(FINGERPRINTS, 0);
        let fingerprint = (hash >> 32) as u32;
        let place = self.fingerprints.get_mut(hash as usize % FINGERPRINTS);
        place.is_some_and(|place| std::mem::replace(place, fingerprint) == fingerprint)
    }

    /// Loops, next hop and defaults: what the decoded attributes are for this session.
    fn check(&mut self, channel: &PeerChannel) -> Checked {
        let (mut hop, mut has_local_pref, mut mark, mut has_alien) = (None, false, None, false);
        for record in Records::new(self.decoded.octets()) {
            match refusal(record, &self.spec) {
                None => {}
                Some(Refusal::Loop) => return Checked::Nothing,
                Some(Refusal::Path(why)) => return Checked::Invalid(Invalid::Path(why)),
            }
            match record.code {
                code::NEXT_HOP => hop = Some(record.value),
                code::LOCAL_PREF => has_local_pref = true,
                code::ONLY_TO_CUSTOMER => mark = <[u8; 4]>::try_from(record.value).ok().map(u32::from_be_bytes),
                code::AIGP => has_alien = !channel.aigp.is_on(),
                _ => {}
            }
        }
        let local = match (hop, &self.towards) {
            (Some(hop), Some((last, family, local))) if *hop == **last && *family == channel.family => local.clone(),
            (Some(hop), _) => {
                let local = match self.local(hop, channel) {
                    Ok(local) => self.locals.share(&local),
                    Err(why) if channel.strict_next_hop => return Checked::Invalid(Invalid::NextHop(why)),
                    Err(_) => return Checked::Nothing,
                };
                self.towards = Some((hop.to_vec(), channel.family, local.clone()));
                local
            }
            (None, _) => return Checked::Nothing,
        };
        if let Some(leak) = leak(mark, &self.spec) {
            return Checked::Invalid(Invalid::Leak(leak));
        }
        let new_mark = mark_missing(mark, &self.spec);
        if has_local_pref && new_mark.is_none() && !has_alien {
            return Checked::Route(AttrSet::from_canonical(self.decoded.octets(), local));
        }
        self.work.reset_octets(self.decoded.octets());
        if !has_local_pref {
            let default = self.spec.decision.default_local_pref.to_be_bytes();
            self.work.set_with_flags(FLAG_TRANSITIVE, code::LOCAL_PREF, &default);
        }
        if let Some(asn) = new_mark {
            self.work.set_u32(code::ONLY_TO_CUSTOMER, asn);
        }
        if has_alien {
            self.work.unset(code::AIGP);
            self.say(Line::Remote("Discarding AIGP attribute received on non-AIGP session".into()));
        }
        Checked::Route(AttrSet::from_canonical(self.work.octets(), local))
    }

    fn announce(
        &mut self,
        announced: &Announced<'_>,
        channel: &PeerChannel,
        known: &mut Known,
    ) -> Result<(), Notification> {
        let Known { checked, judged: memory, .. } = known;
        if let Checked::Invalid(why) = checked {
            self.say(Line::Remote(why.to_string()));
        }
        let is_said = matches!(checked, Checked::Invalid(_));
        let Checked::Route(set) = checked else {
            for nlri in announced.nlris.iter() {
                if is_said {
                    self.say(Line::Remote(format!("Invalid route {} withdrawn", nlri.net)));
                }
                self.unlearn(channel.family, nlri.net, nlri.path_id);
                self.row(channel.family, nlri.net, nlri.path_id, What::Withdraw)?;
            }
            return Ok(());
        };
        let takes_reserved = self.spec.rules.takes_reserved;
        if let Some(received) = self.received.get_mut(channel.family) {
            for nlri in announced.nlris.iter().filter(|nlri| !is_bogus(nlri.net, takes_reserved)) {
                received.put((nlri.net, nlri.path_id), set, self.now);
            }
        }
        let filter = match &channel.import {
            // Of one that reads what a next hop resolved to, the owner of the table runs it after resolution.
            Policy::Filter(filter) if !filter.inputs.resolved => Some(&**filter),
            policy => {
                if memory.is_empty() {
                    let rejects = matches!(policy, Policy::Reject);
                    let verdict = if rejects { Verdict::Reject } else { Verdict::Accept };
                    *memory = Memory::of(Judged { verdict, set: set.clone(), placed: None });
                }
                None
            }
        };
        for nlri in announced.nlris.iter() {
            let what = if is_bogus(nlri.net, takes_reserved) {
                self.say(Line::Bogus(nlri.net));
                What::Invalid(self.place(channel.family, set.clone()))
            } else if let Some(judged) = memory.always() {
                self.place_judged(channel.family, judged)
            } else {
                self.judge(channel.family, filter, nlri.net, set, memory)
            };
            self.row(channel.family, nlri.net, nlri.path_id, what)?;
        }
        Ok(())
    }

    #[inline]
    fn unlearn(&mut self, family: Family, net: Prefix, path_id: u32) {
        if let Some(received) = self.received.get_mut(family) {
            received.remove((net, path_id));
        }
    }

    /// Whether some channel keeps what it receives, so [`Self::set_now`] is of use.
    pub(crate) const fn keeps_received(&self) -> bool {
        self.received.ipv4.is_some() || self.received.ipv6.is_some()
    }

    /// When the update that follows came.
    pub(crate) const fn set_now(&mut self, now: Moment) {
        self.now = now;
    }

    /// What a family keeps of what it received.
    pub(crate) fn received(&mut self, family: Family) -> Option<&mut Received> {
        self.received.get_mut(family).as_deref_mut()
    }

    /// Whether what was received is being judged again.
    pub(crate) fn is_judging_again(&self) -> bool {
        let again = |family| self.received.get(family).as_ref().is_some_and(|r| r.is_judged_again());
        again(Family::Ipv4) || again(Family::Ipv6)
    }

    /// Judges a slice of what was received again.
    pub(crate) fn judge_again(&mut self) -> Result<(), Notification> {
        self.look_at_roas();
        let spec = Arc::clone(&self.spec);
        for channel in &spec.channels {
            let Some(received) = self.received.get_mut(channel.family) else { continue };
            for ((net, path_id), set) in received.next_again(BATCH_ROWS_MAX) {
                let set = if set.local().preference == channel.preference {
                    set
                } else {
                    self.work.reset_to(&set);
                    self.work.local.preference = channel.preference;
                    self.work.build()
                };
                let what = match &channel.import {
                    Policy::Filter(filter) if !filter.inputs.resolved => {
                        self.judge(channel.family, Some(filter), net, &set, &mut Memory::default())
                    }
                    Policy::Reject => What::Filtered(self.place(channel.family, set)),
                    _ => What::Announce(self.place(channel.family, set)),
                };
                self.row(channel.family, net, path_id, what)?;
            }
        }
        Ok(())
    }

    /// What was received, for the operator.
    pub(crate) fn show_received(&self, family: Family, which: WhichReceived, rows_max: usize) -> Vec<ReceivedRow> {
        let Some(received) = self.received.get(family) else { return Vec::new() };
        let row = |((net, path_id), row): (&(Prefix, u32), &crate::received::Row)| {
            let source = self.sources.get(family).get(path_id).filter(|_| *path_id != 0).unwrap_or(&self.origin);
            ReceivedRow { net: *net, attrs: row.set.clone(), source: Arc::clone(source), since: row.since }
        };
        match which {
            WhichReceived::Behind(behind) => received.page(behind, rows_max).map(row).collect(),
            WhichReceived::Exact(net) => received.exact(net).take(rows_max).map(row).collect(),
            WhichReceived::Covering(net) => {
                let net = received.covering(net);
                net.into_iter().flat_map(|net| received.exact(net)).take(rows_max).map(row).collect()
            }
        }
    }

    /// What the import filter says of a route: from memory, else by running it.
    fn judge(
        &mut self,
        family: Family,
        filter: Option<&Filter>,
        net: Prefix,
        set: &AttrSet,
        memory: &mut Memory<Judged>,
    ) -> What {
        let route = RouteView { roa: None, net, attrs: set, source: &self.origin, resolved: None, igp_metric: None };
        let env = Env { ifaces: &self.ifaces, roas: &self.roas_now };
        if let Some(judged) = memory.find(&mut self.scratch, route, env) {
            return self.place_judged(family, judged);
        }
        let Some(filter) = filter else { return What::Withdraw };
        let outcome = filter.run_noting(&mut self.scratch, route, env);
        for text in outcome.printed {
            self.say_printed(Line::Info(text));
        }
        if let Some(error) = outcome.error {
            self.say_printed(Line::Error(error));
        }
        let set = outcome.attrs.unwrap_or_else(|| set.clone());
        match memory.keep(&mut self.scratch, Judged { verdict: outcome.verdict, set, placed: None }) {
            Ok(judged) => self.place_judged(family, judged),
            Err(judged) => what(judged.verdict, self.place(family, judged.set)),
        }
    }

    #[inline]
    fn place_judged(&mut self, family: Family, judged: &mut Judged) -> What {
        let at = match judged.placed {
            Some((serial, at)) if serial == self.serial => at,
            _ => {
                let palette = &mut self.collected.get_mut(family).batch.palette;
                palette.push(judged.set.clone());
                (palette.len() - 1) as u32
            }
        };
        judged.placed = Some((self.serial, at));
        what(judged.verdict, at)
    }

    /// Puts a set into the palette, unless it is the one that was put there last.
    fn place(&mut self, family: Family, set: AttrSet) -> u32 {
        let palette = &mut self.collected.get_mut(family).batch.palette;
        if palette.last() != Some(&set) {
            palette.push(set);
        }
        (palette.len() - 1) as u32
    }

    #[inline]
    fn row(&mut self, family: Family, net: Prefix, path_id: u32, what: What) -> Result<(), Notification> {
        let source = self.source(family, path_id)?;
        self.collected.get_mut(family).batch.rows.push(ImportRow { net, source, what });
        Ok(())
    }

    /// The source of a path; introduced to the table before its first row.
    #[inline]
    fn source(&mut self, family: Family, path_id: u32) -> Result<SourceId, Notification> {
        if path_id == 0 {
            return Ok(self.origin.id);
        }
        if let Some(source) = self.sources.get(family).get(&path_id) {
            return Ok(source.id);
        }
        let Some(id) = self.known_ids.get(path_id) else {
            return Err(Notification::new(notification::CEASE, notification::cease::OUT_OF_RESOURCES));
        };
        let mut source = Source::clone(&self.origin);
        (source.id, source.path_id) = (id, path_id);
        let source = Arc::new(source);
        self.sources.get_mut(family).insert(path_id, Arc::clone(&source));
        self.collected.get_mut(family).sources.push(source);
        Ok(id)
    }
}

#[inline]
const fn what(verdict: Verdict, at: u32) -> What {
    match verdict {
        Verdict::Accept => What::Announce(at),
        Verdict::Reject => What::Filtered(at),
    }
}

#[cfg(test)]
mod tests;
