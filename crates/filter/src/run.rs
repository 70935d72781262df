//! Running a compiled filter on a route.
//!
//! The interpreter is given everything as arguments: the route, the interfaces,
//! the ROA tables, and a scratch that it reuses. It touches nothing else, so the
//! same inputs give the same outcome, and a caller may reuse an outcome for
//! routes that are equal in the filter's [`Inputs`].

use crate::interpret::{self, Scratch, Walk};
use crate::program::Program;
use crate::span::Span;
use route::attrs::LocalAttr;
use route::{AttrSet, Customer, Ifaces, Prefix, Resolved, Roa, RoaTables, Source};
use std::fmt;
use std::sync::Arc;

/// What a channel does with routes in one direction.
#[derive(Clone, Debug, Default)]
pub enum Policy {
    /// `all`.
    Accept,
    /// `none`.
    #[default]
    Reject,
    /// `filter F`, `filter { }`, `where E`.
    Filter(Arc<Filter>),
}

/// A compiled filter.
#[derive(Debug)]
pub struct Filter {
    /// Its name; `None` is printed `(unnamed)`.
    pub name: Option<Arc<str>>,
    /// What it reads and does, found by the compiler.
    pub inputs: Inputs,
    /// Where it is written.
    pub span: Span,
    /// What it does.
    pub program: Arc<Program>,
    /// Attributes that it may set for its own use: behind it they are what they were before it.
    pub transient: &'static [LocalAttr],
}

impl Filter {
    /// The same filter with these transient attributes.
    #[must_use]
    pub fn with_transient(&self, transient: &'static [LocalAttr]) -> Self {
        Self { name: self.name.clone(), program: Arc::clone(&self.program), transient, ..*self }
    }

    /// Runs it on a route.
    ///
    /// `scratch` is the caller's, one a thread; nothing of one run is seen by the next.
    pub fn run(&self, scratch: &mut Scratch, route: RouteView<'_>, env: Env<'_>) -> Outcome {
        self.outcome(
            interpret::filter(&self.program, scratch, route, env, self.name.as_deref(), false, &[]),
            route.attrs,
        )
    }

    /// Runs a filter of `merge by` on a route that is made of these.
    pub fn run_merging<'r>(
        &self,
        scratch: &mut Scratch,
        route: RouteView<'r>,
        merged: &'r [RouteView<'r>],
        env: Env<'r>,
    ) -> Outcome {
        let walk = interpret::filter(&self.program, scratch, route, env, self.name.as_deref(), false, merged);
        self.outcome(walk, route.attrs)
    }

    /// Runs it on a route and notes in `scratch` what it asks of the prefix, for [`Memory::keep`](crate::Memory::keep).
    pub fn run_noting(&self, scratch: &mut Scratch, route: RouteView<'_>, env: Env<'_>) -> Outcome {
        let outcome = self.outcome(
            interpret::filter(&self.program, scratch, route, env, self.name.as_deref(), true, &[]),
            route.attrs,
        );
        if outcome.error.is_some() || !outcome.printed.is_empty() {
            scratch.trace.is_sole();
        }
        outcome
    }

    fn outcome(&self, (walk, attrs): (Walk<Verdict>, Option<AttrSet>), before: &AttrSet) -> Outcome {
        let (verdict, error) = match walk.result {
            Ok(verdict) => (verdict, None),
            Err(words) => (Verdict::Reject, Some(words)),
        };
        let attrs = attrs.map(|set| self.without_transient(set, before));
        Outcome { verdict, attrs, written: walk.written, printed: walk.printed, error }
    }

    fn without_transient(&self, set: AttrSet, before: &AttrSet) -> AttrSet {
        let changed = |name: &&LocalAttr| set.local().extra(**name) != before.local().extra(**name);
        if !self.transient.iter().any(|name| changed(&name)) {
            return set;
        }
        let mut local = set.local().clone();
        for name in self.transient {
            local.set_extra(*name, before.local().extra(*name).cloned());
        }
        AttrSet::from_canonical(set.octets(), local)
    }

    /// Whether two filters do the same to every route, whatever their names: their programs are equal.
    pub fn is_same_program(&self, other: &Self) -> bool {
        std::ptr::eq(self, other) || (self.program == other.program && self.transient == other.transient)
    }
}

impl Policy {
    /// Whether two policies do the same to every route.
    pub fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Accept, Self::Accept) | (Self::Reject, Self::Reject) => true,
            (Self::Filter(a), Self::Filter(b)) => Arc::ptr_eq(a, b) || a.is_same_program(b),
            _ => false,
        }
    }

    /// The name that BIRD prints: `ACCEPT`, `REJECT`, a filter's name, `(unnamed)`.
    pub fn name(&self) -> &str {
        match self {
            Self::Accept => "ACCEPT",
            Self::Reject => "REJECT",
            Self::Filter(filter) => filter.name.as_deref().unwrap_or("(unnamed)"),
        }
    }
}

/// What a filter reads of the route and of the world, and whether running it has effects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Inputs {
    /// Reads `net`.
    pub net: bool,
    /// Reads `gw`, `ifname`, `ifindex`, `dest` or `igp_metric`: what a recursive next hop resolved to.
    pub resolved: bool,
    /// Reads `proto` or another fact of the source.
    pub source: bool,
    /// Reads a ROA table.
    pub roa: bool,
    /// Reads an ASPA table.
    pub aspa: bool,
    /// Reads or sets something that asks the list of interfaces.
    pub ifaces: bool,
    /// Prints or may stop the daemon: must run for every route.
    pub effects: bool,
}

impl Inputs {
    /// Whether it reads a table of authorisations.
    pub const fn authorities(self) -> bool {
        self.roa || self.aspa
    }

    /// What two pieces of one filter read together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            net: self.net || other.net,
            resolved: self.resolved || other.resolved,
            source: self.source || other.source,
            roa: self.roa || other.roa,
            aspa: self.aspa || other.aspa,
            ifaces: self.ifaces || other.ifaces,
            effects: self.effects || other.effects,
        }
    }
}

/// What a route of a table of authorisations is known by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authorised<'a> {
    /// Of a ROA table. Its prefix is that of the route.
    Origin(&'a Roa),
    /// Of an ASPA table. The prefix of the route says nothing.
    Customer(Customer),
}

/// As a net: `10.0.0.0/8-24 AS65001`, `65001`.
impl fmt::Display for Authorised<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Origin(Roa { prefix, max_len, asn }) => write!(f, "{prefix}-{max_len} AS{asn}"),
            Self::Customer(customer) => write!(f, "{customer}"),
        }
    }
}

/// A route as a filter sees it.
#[derive(Clone, Copy, Debug)]
pub struct RouteView<'a> {
    /// `net`.
    pub net: Prefix,
    /// `net` of a route of a ROA or ASPA table; `None`: it is none, and the prefix above is its net.
    pub roa: Option<Authorised<'a>>,
    /// Its attributes.
    pub attrs: &'a AttrSet,
    /// Who gave it.
    pub source: &'a Source,
    /// What the next hop resolved to, when that is known.
    pub resolved: Option<&'a Resolved>,
    /// The distance to a recursive next hop.
    pub igp_metric: Option<u32>,
}

/// The world as a filter sees it.
#[derive(Clone, Copy, Debug)]
pub struct Env<'a> {
    /// Links and addresses.
    pub ifaces: &'a Ifaces,
    /// The ROA and ASPA tables as they are for the whole run.
    pub roas: &'a RoaTables,
}

/// What a filter says of a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// `accept`.
    Accept,
    /// `reject`; also the end of a filter that does not say, and a run-time error.
    Reject,
}

/// A set of codes of BGP attributes, and whether a field of the route itself is in it. Codes from 63 on are not told apart
/// from what is not in it: nobody asks for them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written(u64);

impl Written {
    /// None.
    pub const NOTHING: Self = Self(0);

    const FIELD: u64 = 1 << 63;

    /// Adds a code.
    pub(crate) fn add(&mut self, code: u8) {
        self.0 |= 1u64.checked_shl(code.into()).unwrap_or_default() & !Self::FIELD;
    }

    /// Adds a field.
    pub(crate) const fn add_field(&mut self) {
        self.0 |= Self::FIELD;
    }

    /// Whether a code is in it.
    pub fn has(self, code: u8) -> bool {
        1u64.checked_shl(code.into()).is_some_and(|bit| self.0 & bit & !Self::FIELD != 0)
    }

    /// Whether scope, preference, gateway or another field is in it: for BIRD 1.6 that makes another route.
    pub const fn has_field(self) -> bool {
        self.0 & Self::FIELD != 0
    }
}

/// What came of running a filter on a route.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Accepted or rejected.
    pub verdict: Verdict,
    /// The changed attributes; `None` when the filter changed nothing. Also after a reject: kept
    /// filtered routes are kept as the filter left them.
    pub attrs: Option<AttrSet>,
    /// Which BGP attributes and fields it has set, added to or taken away, also to what stood there (BIRD 2: "fresh").
    pub written: Written,
    /// Lines that `print` made, for the log, class info.
    pub printed: Vec<String>,
    /// A run-time error, for the log, class error, BIRD's words.
    pub error: Option<String>,
}
