//! Authorisations of providers (ASPA) and what they say of a path
//! (draft-ietf-sidrops-aspa-verification).
//!
//! An AS says which others carry its routes on; a path in which somebody carries
//! on what nobody gave him leave to is a leak. An [`AspaTable`] is an immutable
//! snapshot, as a [`RoaTable`](crate::RoaTable) is. Who the providers of a
//! customer are stands in the attributes of the entry, where filters see it and
//! may change it.

use crate::aspath::{AsPath, segment};
use crate::attrs::{LocalAttr, LocalValue};
use crate::roa::{Kept, RoaChange, RoaChanged, RoaLot, RoaStep, last_of_each, steps_between};
use crate::time::Moment;
use std::cmp::Reverse;
use std::fmt;
use std::sync::Arc;

/// The AS whose providers an authorisation names: the "prefix" of a route of an ASPA table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Customer(pub u32);

impl fmt::Display for Customer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// What a table says of a path, in BIRD's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AspaState {
    /// It may be, since not every AS has said who its providers are.
    Unknown = 0,
    /// Everybody on the way had leave.
    Valid = 1,
    /// Somebody had not.
    Invalid = 2,
}

/// The providers of one AS, from one who says so.
#[derive(Debug)]
pub struct AspaEntry {
    /// The AS.
    pub customer: Customer,
    /// Who says it and since when, with the attributes in which the providers stand.
    pub by: RoaLot,
}

impl AspaEntry {
    /// The providers, in the order in which they were given; 0: there is none.
    pub fn providers(&self) -> impl Iterator<Item = u32> + '_ {
        let octets = match self.by.attrs.local().extra(LocalAttr::AspaProviders) {
            Some(LocalValue::Octets(octets)) => &**octets,
            _ => &[],
        };
        octets.as_chunks::<4>().0.iter().map(|c| u32::from_be_bytes(*c))
    }

    /// Whether it says anything: a filter may have taken the attribute away.
    fn counts(&self) -> bool {
        self.by.attrs.local().extra(LocalAttr::AspaProviders).is_some()
    }
}

/// Providers as the attribute that holds them.
pub fn providers_value(providers: &[u32]) -> LocalValue {
    LocalValue::Octets(providers.iter().flat_map(|asn| asn.to_be_bytes()).collect())
}

/// All authorisations of one table; see the head of this file.
#[derive(Clone, Debug, Default)]
pub struct AspaTable {
    /// By customer, of one customer the most preferred first.
    entries: Vec<Arc<AspaEntry>>,
    kept: Kept<Customer>,
}

/// What an AS says of a neighbour on the path.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Leave {
    /// It says nothing of anybody.
    Unsaid,
    /// That is a provider.
    Given,
    /// That is none.
    Refused,
}

impl AspaTable {
    /// The table after a change by one source. What it gives that stands already keeps its time.
    #[must_use]
    pub fn after(&self, change: RoaChange<Customer>, since: Moment) -> (Self, RoaChanged<Customer>) {
        let (kept, is_other) = self.kept.after(&change, since);
        let RoaChange { source, by, whole, mut gone, come, kept: rejected } = change;
        gone.extend(rejected.into_iter().map(|(customer, _)| customer));
        gone.sort_unstable();
        let mut come = last_of_each(come);
        let mut changed = RoaChanged { kept: is_other, ..RoaChanged::default() };
        let mut entries = Vec::with_capacity(self.entries.len() + come.len());
        for entry in &self.entries {
            if entry.by.source.id == source.id && entry.by.by == by {
                if let Ok(at) = come.binary_search_by_key(&entry.customer, |(customer, ..)| *customer) {
                    let Some((_, attrs, is_new)) = come.get_mut(at) else { continue };
                    if *attrs != entry.by.attrs {
                        continue;
                    }
                    *is_new = false;
                } else if whole || gone.binary_search(&entry.customer).is_ok() {
                    changed.gone += 1;
                    changed.touched.push(entry.customer);
                    continue;
                }
            }
            entries.push(Arc::clone(entry));
        }
        for (customer, attrs, _) in come.into_iter().filter(|(.., is_new)| *is_new) {
            changed.come += 1;
            changed.touched.push(customer);
            let lot = RoaLot { source: Arc::clone(&source), by, attrs, since };
            entries.push(Arc::new(AspaEntry { customer, by: lot }));
        }
        // Stable, since it sees runs in order: a change of a big table costs one pass.
        entries.sort_by_key(|entry| (entry.customer, Reverse(entry.by.attrs.local().preference)));
        changed.touched.sort_unstable();
        changed.touched.dedup();
        (Self { entries, kept }, changed)
    }

    /// All that protocols have given, by customer.
    pub fn given(&self) -> impl Iterator<Item = (Customer, &RoaLot)> {
        self.entries.iter().map(|entry| (entry.customer, &entry.by))
    }

    /// What is otherwise than `before` for the customers that were `touched`: of each, what is gone, then what is new.
    pub fn steps_since<'t>(&'t self, before: &'t Self, touched: &[Customer]) -> Vec<RoaStep<'t, Customer>> {
        let mut steps = Vec::new();
        for customer in touched {
            steps_between(before.given_of(*customer), self.given_of(*customer), &mut steps);
        }
        steps
    }

    fn given_of(&self, customer: Customer) -> Vec<(Customer, &RoaLot)> {
        self.of(customer).iter().map(|entry| (customer, &entry.by)).collect()
    }

    /// What filters have rejected, and is kept.
    pub const fn kept(&self) -> &Kept<Customer> {
        &self.kept
    }

    /// All entries of one customer, the most preferred first.
    pub fn of(&self, customer: Customer) -> &[Arc<AspaEntry>] {
        let from = self.entries.partition_point(|entry| entry.customer < customer);
        let behind = self.entries.partition_point(|entry| entry.customer <= customer);
        self.entries.get(from..behind).unwrap_or_default()
    }

    /// The customers, or one of them, each with all entries of his.
    pub fn nets(&self, only: Option<Customer>) -> impl Iterator<Item = (Customer, Vec<&RoaLot>)> {
        let entries = only.map_or(self.entries.as_slice(), |customer| self.of(customer));
        let runs = entries.chunk_by(|a, b| a.customer == b.customer);
        runs.filter_map(|run| Some((run.first()?.customer, run.iter().map(|entry| &entry.by).collect())))
    }

    /// All entries, by customer.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<AspaEntry>> {
        self.entries.iter()
    }

    /// How many there are.
    pub const fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// What it takes, in octets.
    pub fn octets(&self) -> usize {
        let attrs = |entry: &Arc<AspaEntry>| size_of::<AspaEntry>() + 4 * entry.providers().count();
        size_of::<Self>() + self.entries.iter().map(attrs).sum::<usize>() + self.kept.octets()
    }

    /// What it says of a path. `upstream`: it came from a customer or a peer, so that everybody on it must have leave of
    /// who is behind him; else from a provider, and from some AS on it may have come down again.
    ///
    /// The draft counts from the origin, here the nearest AS is the first. One that stands several times in a row is one.
    /// Of an empty path, and of one with sets or a confederation, nothing good can be said.
    pub fn check(&self, path: AsPath<'_>, upstream: bool) -> AspaState {
        if path.is_empty() || path.segments().any(|s| s.kind != segment::AS_SEQUENCE) {
            return AspaState::Invalid;
        }
        let mut ramps = Ramps::default();
        let mut asns = path.asns();
        let (mut nearer, mut next) = (None, asns.next());
        while let Some(asn) = next {
            next = asns.by_ref().find(|farther| *farther != asn);
            let said = self.of(Customer(asn));
            let leave = |neighbor: Option<u32>| neighbor.map(|neighbor| leave(said, neighbor));
            ramps.step(leave(nearer), leave(next));
            nearer = Some(asn);
        }
        if upstream { ramps.upstream() } else { ramps.downstream() }
    }
}

fn leave(said: &[Arc<AspaEntry>], neighbor: u32) -> Leave {
    let mut found = Leave::Unsaid;
    for entry in said.iter().filter(|entry| entry.counts()) {
        if entry.providers().any(|provider| provider == neighbor) {
            return Leave::Given;
        }
        found = Leave::Refused;
    }
    found
}

/// How far a path may have gone up from its origin, and down to us: surely, and perhaps. Places count from us.
#[derive(Default)]
struct Ramps {
    /// How many ASes were seen.
    count: usize,
    /// The place from which on, to the origin, everybody gave or may have given leave to who is before him.
    up: [usize; 2],
    /// How many ASes from us on gave or may have given it to who is behind them, and the one after them.
    down: [Option<usize>; 2],
}

/// What is sure, and what can not be ruled out.
const SURE: usize = 0;
const POSSIBLE: usize = 1;

impl Ramps {
    fn step(&mut self, nearer: Option<Leave>, farther: Option<Leave>) {
        let place = self.count;
        self.count += 1;
        for (of, fits) in [(SURE, [Leave::Given; 2]), (POSSIBLE, [Leave::Given, Leave::Unsaid])] {
            let breaks = |leave: Option<Leave>| leave.is_some_and(|leave| !fits.contains(&leave));
            if let (true, Some(up)) = (breaks(nearer), self.up.get_mut(of)) {
                *up = place;
            }
            if let (true, Some(down @ None)) = (breaks(farther), self.down.get_mut(of)) {
                *down = Some(place + 1);
            }
        }
    }

    fn state(&self, covers: impl Fn(usize, Option<usize>) -> bool) -> AspaState {
        let [sure, possible] = [SURE, POSSIBLE].map(|of| {
            let up = self.up.get(of).copied().unwrap_or_default();
            covers(up, self.down.get(of).copied().flatten())
        });
        match (sure, possible) {
            (true, _) => AspaState::Valid,
            (false, true) => AspaState::Unknown,
            (false, false) => AspaState::Invalid,
        }
    }

    /// The way up is all of the path.
    fn upstream(&self) -> AspaState {
        self.state(|up, _| up == 0)
    }

    /// The way up and the way down meet, or lie beside each other.
    fn downstream(&self) -> AspaState {
        self.state(|up, down| down.is_none_or(|down| up <= down))
    }
}
