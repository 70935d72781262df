//! The next hops of a table: each destination that was asked for, once, with what it resolved to.
//!
//! An attribute set says what was asked ([`Dest`]); here stands the answer, one
//! for all paths that ask the same. A gateway is looked up among our links; a
//! recursive one by the longest match in the table, as BIRD does it: the best
//! path of the longest prefix with a valid path decides, and when that path is
//! itself recursive, or the address is our own, the next hop is unreachable. It
//! does not fall through to a shorter prefix. A connected route hands out the
//! address itself on that link; any other route its own way.
//!
//! A changed best path concerns the next hops that lie inside its prefix and
//! were not answered by a longer one: [`Hops::touched_by`] finds them by one
//! range of an ordered set, after a filter on the first bits of the address has
//! said no for nearly all prefixes of a full table.
//!
//! A next hop may alternate with the selection that it takes part in: a route
//! that is best while it can be reached, and by being best covers its own next
//! hop with a recursive route. There is no right answer then. So an answer may
//! change [`TURNS_MAX`] times by the table's own doing; after that the next hop is
//! *held* unreachable, which takes its paths out of the race and lets the table
//! come to rest. A change from outside to a prefix that covers it begins anew at
//! once, any other change after [`RETRY_MS`].

use crate::batch::ResolvedHop;
use crate::blocks::Blocks;
use crate::chunks::Chunks;
use crate::elsewhere::HopWord;
use foldhash::fast::RandomState;
use hashbrown::{HashMap, HashTable};
use route::hop::Recursive;
use route::{Dest, Hop, IfIndex, Ifaces, Moment, Prefix, Resolved, TableId};
use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::hash::BuildHasher;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

/// The number of a next hop in its table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct HopId(pub(crate) u32);

/// What a lookup in the table answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// Where packets go and how far it is.
    pub(crate) hop: ResolvedHop,
    /// The length of the prefix that answered; 0 when none did.
    pub(crate) matched_len: u8,
    /// That prefix leads there by a route that is recursive itself, which is refused.
    pub(crate) through_recursive: bool,
}

impl Answer {
    /// No way, as far as a prefix of this length says.
    pub(crate) const fn unreachable(matched_len: u8) -> Self {
        let hop = ResolvedHop { to: Resolved::Unreachable, igp_metric: None, recursive: true };
        Self { hop, matched_len, through_recursive: false }
    }
}

/// How often an answer may change without a change from outside before it is held.
const TURNS_MAX: u8 = 8;
/// A next hop is warned of once, and the table warns of [`WARNINGS_MAX`], in each span of this many milliseconds.
const QUIET_MS: u64 = 10_000;
const WARNINGS_MAX: u32 = 20;
/// After this time a held next hop is tried again when anything changed from outside, in milliseconds.
const RETRY_MS: u64 = 10_000;

#[derive(Debug)]
struct Row {
    dest: Dest,
    answer: Answer,
    /// Attribute sets that ask for it.
    uses: u32,
    /// Where paths use it; kept only for next hops whose answer may change.
    users: Blocks,
    /// The answer changed and the prefixes of `users` have not all been looked at yet.
    pending: bool,
    /// Stands in `recheck`.
    queued: bool,
    /// How often the answer changed since the table rested or something changed from outside.
    turns: u8,
    /// Before this moment the operator is not warned of it again.
    quiet_until: Moment,
}

impl Row {
    /// The answer alternated and stays unreachable for a while.
    const fn is_held(&self) -> bool {
        self.turns >= TURNS_MAX
    }
}

/// All next hops of a table.
#[derive(Debug, Default)]
pub(crate) struct Hops {
    rows: Chunks<Row>,
    index: HashTable<u32>,
    seed: RandomState,
    free: Vec<HopId>,
    /// Recursive next hops by address.
    watched: BTreeSet<(IpAddr, HopId)>,
    /// How many of these have these first bits.
    heads: HashMap<u32, u32, RandomState>,
    /// Asked for and not answered yet, or to be answered anew.
    recheck: Vec<HopId>,
    /// Those with turns, held ones among them.
    turned: Vec<HopId>,
    /// When held ones may be tried again.
    retry_at: Moment,
    /// Something changed from outside since one was held.
    stirred: bool,
    /// When counting of warnings began, and how many there were since.
    warned: (Moment, u32),
    /// The table's own number: recursive next hops of other tables are answered there.
    home: Option<TableId>,
    /// What other tables have answered; only next hops that are in use.
    elsewhere: HashMap<Recursive, ResolvedHop, RandomState>,
    /// What is to be said to other tables.
    words: Vec<(Recursive, HopWord)>,
}

impl Hops {
    /// For the table of this number.
    pub(crate) fn of(home: TableId) -> Self {
        Self { home: Some(home), ..Self::default() }
    }

    fn is_elsewhere(&self, recursive: &Recursive) -> bool {
        self.home.is_some_and(|home| home != recursive.table)
    }

    /// The number of a destination that is in use.
    pub(crate) fn find(&self, dest: &Dest) -> Option<HopId> {
        self.index.find(self.seed.hash_one(dest), |n| self.rows[*n].dest == *dest).map(|n| HopId(*n))
    }

    /// The last word of another table about a next hop.
    pub(crate) fn answered_elsewhere(&self, recursive: &Recursive) -> Answer {
        let hop = self.elsewhere.get(recursive).cloned();
        hop.map_or(Answer::unreachable(0), |hop| Answer { hop, ..Answer::unreachable(0) })
    }

    /// Another table has answered: queues the next hop when it is still in use.
    pub(crate) fn heard(&mut self, dest: &Dest, recursive: Recursive, answer: ResolvedHop) {
        if let Some(id) = self.find(dest) {
            self.elsewhere.insert(recursive, answer);
            self.queue(id);
        }
    }

    /// What is to be said to other tables.
    pub(crate) fn take_words(&mut self) -> Vec<(Recursive, HopWord)> {
        std::mem::take(&mut self.words)
    }

    /// The number of a destination, with one use more. A new one is queued for its answer.
    pub(crate) fn intern(&mut self, dest: &Dest) -> HopId {
        let hash = self.seed.hash_one(dest);
        let Self { rows, index, seed, .. } = self;
        if let Some(found) = index.find(hash, |n| rows[*n].dest == *dest) {
            rows[*found].uses += 1;
            return HopId(*found);
        }
        let row = Row {
            dest: dest.clone(),
            answer: Answer::unreachable(0),
            uses: 1,
            users: Blocks::default(),
            pending: false,
            queued: false,
            turns: 0,
            quiet_until: Moment(0),
        };
        let id = match self.free.pop() {
            Some(id) => {
                // One that stands in `turned` does so once.
                let turns = rows[id.0].turns.min(1);
                rows[id.0] = Row { turns, ..row };
                id.0
            }
            None => rows.push(row),
        };
        index.insert_unique(hash, id, |n| seed.hash_one(&rows[*n].dest));
        if let Dest::Recursive(r) = dest
            && self.is_elsewhere(r)
        {
            self.words.push((r.clone(), HopWord::Ask));
        } else if let Dest::Recursive(r) = dest {
            self.watched.insert((r.gateway, HopId(id)));
            *self.heads.entry(head(r.gateway)).or_insert(0) += 1;
        }
        self.queue(HopId(id));
        HopId(id)
    }

    /// One use less; the last one gives the number back.
    pub(crate) fn drop(&mut self, id: HopId) {
        let Self { rows, index, seed, home, .. } = self;
        let row = &mut rows[id.0];
        row.uses -= 1;
        if row.uses > 0 {
            return;
        }
        if let Ok(found) = index.find_entry(seed.hash_one(&row.dest), |n| *n == id.0) {
            found.remove();
        }
        if let Dest::Recursive(r) = &row.dest
            && home.is_some_and(|home| home != r.table)
        {
            self.elsewhere.remove(r);
            self.words.push((r.clone(), HopWord::Forget));
        } else if let Dest::Recursive(r) = &row.dest {
            self.watched.remove(&(r.gateway, id));
            if let Some(count) = self.heads.get_mut(&head(r.gateway)) {
                *count -= 1;
                if *count == 0 {
                    self.heads.remove(&head(r.gateway));
                }
            }
        }
        row.dest = Dest::Prohibit;
        row.users.clear();
        self.free.push(id);
    }

    /// What was asked for.
    pub(crate) fn dest(&self, id: HopId) -> &Dest {
        &self.rows[id.0].dest
    }

    /// What it resolved to.
    pub(crate) fn resolved(&self, id: HopId) -> &ResolvedHop {
        &self.rows[id.0].answer.hop
    }

    /// Remembers that a path of this prefix uses it.
    pub(crate) fn used_by(&mut self, id: HopId, net: u32) {
        let row = &mut self.rows[id.0];
        if may_change(&row.dest) {
            row.users.add(net);
        }
    }

    /// The answer changed and the prefixes that use it are not all decided anew yet.
    pub(crate) fn is_pending(&self, id: HopId) -> bool {
        self.rows[id.0].pending
    }

    /// All prefixes have been decided anew.
    pub(crate) fn none_pending(&mut self) {
        for id in 0..self.rows.len() as u32 {
            self.rows[id].pending = false;
        }
    }

    /// Takes the next one that wants an answer.
    pub(crate) fn take_recheck(&mut self) -> Option<HopId> {
        let id = self.recheck.pop()?;
        self.rows[id.0].queued = false;
        Some(id)
    }

    /// Whether some want an answer.
    pub(crate) const fn wants_answers(&self) -> bool {
        !self.recheck.is_empty()
    }

    /// Takes an answer. When it differs from the one before, returns where paths use the next hop.
    pub(crate) fn answer(&mut self, id: HopId, mut answer: Answer, now: Moment) -> Option<&Blocks> {
        let row = &mut self.rows[id.0];
        if answer.hop.recursive && row.answer.hop != answer.hop {
            if row.turns == 0 {
                self.turned.push(id);
            }
            row.turns = row.turns.saturating_add(1);
            if row.is_held() {
                answer = Answer::unreachable(answer.matched_len);
                self.retry_at = now.plus_ms(RETRY_MS);
                self.stirred = false;
            }
        }
        let changed = row.answer.hop != answer.hop;
        row.answer = answer;
        row.pending |= changed && !row.users.is_empty();
        changed.then_some(&row.users)
    }

    /// Whether the operator should hear that this next hop is refused; not more often than he can read.
    pub(crate) fn may_warn(&mut self, id: HopId, now: Moment) -> bool {
        let row = &mut self.rows[id.0];
        if now < row.quiet_until {
            return false;
        }
        let (since, said) = &mut self.warned;
        if *said == 0 || now.since_ms(*since) >= QUIET_MS {
            (*since, *said) = (now, 0);
        }
        if *said == WARNINGS_MAX {
            return false;
        }
        *said += 1;
        row.quiet_until = now.plus_ms(QUIET_MS);
        true
    }

    /// The best path of this prefix changed: queues the next hops that may have another answer now.
    pub(crate) fn touched_by(&mut self, net: &Prefix) {
        if self.watched.is_empty() || !self.may_hold_watched(net) {
            return;
        }
        let (first, last) = (net.addr(), last_addr(net));
        let inside = self.watched.range((first, HopId(0))..=(last, HopId(u32::MAX)));
        let touched = inside.filter(|(_, id)| self.rows[id.0].answer.matched_len <= net.len());
        for id in touched.map(|(_, id)| *id).collect::<Vec<_>>() {
            self.queue(id);
        }
    }

    /// The paths of this prefix changed from outside: what alternates inside it may come to rest now.
    pub(crate) fn stirred_by(&mut self, net: &Prefix) {
        if self.turned.is_empty() {
            return;
        }
        self.stirred = true;
        if !self.may_hold_watched(net) {
            return;
        }
        let inside = self.watched.range((net.addr(), HopId(0))..=(last_addr(net), HopId(u32::MAX)));
        for (_, id) in inside {
            let row = &mut self.rows[id.0];
            let was_held = row.is_held();
            row.turns = row.turns.min(1);
            if was_held && !row.queued {
                row.queued = true;
                self.recheck.push(*id);
            }
        }
    }

    /// The table has come to rest: what changes from now on is no part of what was.
    pub(crate) fn rested(&mut self) {
        let Self { rows, turned, .. } = self;
        turned.retain(|id| {
            let row = &mut rows[id.0];
            let is_held = row.is_held();
            row.turns = if is_held { row.turns } else { 0 };
            is_held
        });
    }

    /// Tries held ones again when it is time and something changed meanwhile.
    pub(crate) fn retry(&mut self, now: Moment) {
        if self.stirred && now >= self.retry_at {
            self.stirred = false;
            for id in std::mem::take(&mut self.turned) {
                let was_held = self.rows[id.0].is_held();
                self.rows[id.0].turns = 0;
                if was_held {
                    self.queue(id);
                }
            }
        }
    }

    /// Links or addresses changed: queues everything that may have another answer now.
    pub(crate) fn links_changed(&mut self) {
        for id in std::mem::take(&mut self.turned) {
            self.rows[id.0].turns = 0;
        }
        for id in 0..self.rows.len() as u32 {
            if self.rows[id].uses > 0 && may_change(&self.rows[id].dest) {
                self.queue(HopId(id));
            }
        }
    }

    fn may_hold_watched(&self, net: &Prefix) -> bool {
        let bits = if matches!(net, Prefix::V4(_)) { HEAD_BITS_4 } else { HEAD_BITS_6 };
        u32::from(net.len()) < bits || self.heads.contains_key(&head(net.addr()))
    }

    fn queue(&mut self, id: HopId) {
        let row = &mut self.rows[id.0];
        if !row.queued && !row.is_held() {
            row.queued = true;
            self.recheck.push(id);
        }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.rows.len() - self.free.len()
    }

    /// Octets in use, roughly.
    pub(crate) fn octets(&self) -> usize {
        self.rows.octets() + self.watched.len() * 48
    }
}

const HEAD_BITS_4: u32 = 16;
const HEAD_BITS_6: u32 = 32;

/// The first bits of an address, on which the quick filter works.
const fn head(addr: IpAddr) -> u32 {
    match addr {
        IpAddr::V4(a) => a.to_bits() >> (32 - HEAD_BITS_4),
        IpAddr::V6(a) => (a.to_bits() >> (128 - HEAD_BITS_6)) as u32,
    }
}

/// The last address of a prefix.
fn last_addr(net: &Prefix) -> IpAddr {
    match net {
        Prefix::V4(p) => Ipv4Addr::from_bits(p.addr | !route::net::mask4(p.len)).into(),
        Prefix::V6(p) => Ipv6Addr::from_bits(u128::from_be_bytes(p.addr) | !route::net::mask6(p.len)).into(),
    }
}

/// Whether the answer depends on the table or on our links.
fn may_change(dest: &Dest) -> bool {
    match dest {
        Dest::Via(hop) => needs_link(hop),
        Dest::Multipath(hops) => hops.iter().any(needs_link),
        Dest::Recursive(_) => true,
        Dest::Blackhole | Dest::Unreachable | Dest::Prohibit | Dest::Carried(_) => false,
    }
}

const fn needs_link(hop: &Hop) -> bool {
    hop.iface.0 == 0
}

/// The answer to a destination; a recursive one is looked up by `lookup`.
pub(crate) fn resolve(dest: &Dest, ifaces: &Ifaces, lookup: impl FnOnce(&Recursive) -> Answer) -> Answer {
    let to = match dest {
        Dest::Recursive(recursive) => return lookup(recursive),
        Dest::Carried(carried) => {
            let hop = ResolvedHop { to: carried.to.clone(), igp_metric: carried.igp_metric, recursive: false };
            return Answer { hop, matched_len: 0, through_recursive: false };
        }
        Dest::Via(hop) => with_link(hop, ifaces).map_or(Resolved::Unreachable, Resolved::Unicast),
        Dest::Multipath(hops) => multipath(hops.iter().filter_map(|h| with_link(h, ifaces)).collect()),
        Dest::Blackhole => Resolved::Blackhole,
        Dest::Unreachable => Resolved::Unreachable,
        Dest::Prohibit => Resolved::Prohibit,
    };
    let hop = ResolvedHop { to, igp_metric: None, recursive: false };
    Answer { hop, matched_len: 0, through_recursive: false }
}

fn with_link(hop: &Hop, ifaces: &Ifaces) -> Option<Hop> {
    if !needs_link(hop) {
        return Some(*hop);
    }
    let (link, _) = ifaces.neighbor(hop.gateway?)?;
    Some(Hop { iface: link.index, ..*hop })
}

/// Several ways in BIRD's order: heavier first, then by address, then by link. One alone is a plain way.
fn multipath(mut hops: Vec<Hop>) -> Resolved {
    hops.sort_by_key(|h| (Reverse(h.weight), h.gateway, h.iface));
    match hops.as_slice() {
        [] => Resolved::Unreachable,
        [one] => Resolved::Unicast(Hop { weight: 0, ..*one }),
        _ => Resolved::Multipath(Arc::from(hops)),
    }
}

/// The way to a recursive next hop over a connected route: the address itself, or its link-local one, on that link.
pub(crate) fn on_link(recursive: &Recursive, link: IfIndex) -> Resolved {
    let gateway = recursive.link_local.as_deref().map_or(recursive.gateway, |ll| IpAddr::V6(*ll));
    Resolved::Unicast(Hop::via(gateway, link))
}
