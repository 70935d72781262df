//! Which paths a `show route` shows and counts.
//!
//! The rules are BIRD's. Every path of the kind asked for (valid, or filtered)
//! counts among "of N routes"; it is shown when its export is as asked, its
//! protocol is the one asked, and the filter accepts it. `primary` looks at the
//! first path of each net and at no other. What the filter changes is shown
//! changed.
//!
//! A path is marked ` *` when it is the table's own best path. A filter that
//! sets more than attributes of protocols (preference, gateway, ...), be it to
//! what was there, makes another route of it, which in BIRD 1.6 is nobody's best;
//! so does merging.

use crate::request::{ExportMode, Passage, RouteOutput, RouteQuery};
use crate::view::{Exported, RouteNet};
use filter::{Authorised, Env, Filter, Outcome, Policy, RouteView, Scratch, Verdict};
use rib::batch::ResolvedHop;
use rib::query::PagePath;
use route::{AttrSet, Dest, Family, Hop, IfIndex, Ifaces, Moment, Prefix, Resolved, RoaLot, RoaTables, Source};
use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

/// How many run-time errors of the query's filter go to the log.
const ERRORS_LOGGED: u32 = 10;

/// How many were shown, of how many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// Shown.
    pub shown: u64,
    /// Looked at.
    pub routes: u64,
    /// Nets with at least one looked at.
    pub networks: u64,
}

impl Sums {
    /// What was counted since then.
    pub const fn since(&self, before: &Self) -> Self {
        Self {
            shown: self.shown - before.shown,
            routes: self.routes - before.routes,
            networks: self.networks - before.networks,
        }
    }
}

/// A net with the paths that are shown, at least one.
#[derive(Clone, Copy, Debug)]
pub struct ShownNet<'s, 'a> {
    /// The prefix.
    pub net: Prefix,
    /// In the table's order.
    pub paths: &'s [ShownPath<'a>],
}

/// A path that is shown.
#[derive(Debug)]
pub struct ShownPath<'a> {
    /// Its attributes, as export and filter left them.
    pub attrs: Cow<'a, AttrSet>,
    /// Where packets go.
    pub hop: Cow<'a, ResolvedHop>,
    /// Who gave it.
    pub source: &'a Source,
    /// Since when it is so.
    pub since: Moment,
    /// What stands behind the bracket.
    pub mark: Mark,
    /// Not the best of its neighbour AS (`deterministic med`).
    pub suppressed: bool,
    /// Its gateway; of a route that `merge paths` has made, that of the best path.
    pub gateway: Option<IpAddr>,
}

/// An authorisation that is shown, of an origin or of providers, with all that protocols say of it; at least one.
#[derive(Debug)]
pub struct ShownRoa<'a> {
    /// Its net.
    pub net: Authorised<'a>,
    /// Who gives it and since when, the attributes as the filter left them, and whether it is the best.
    pub lots: Vec<(&'a RoaLot, Cow<'a, AttrSet>, bool)>,
}

/// The flag of a shown path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// Nothing.
    None,
    /// ` *`: the best.
    Best,
    /// ` !`: the best, and the kernel refused it.
    Refused,
}

/// The running selection of one `show route` in one table.
pub struct Selection<'q> {
    query: &'q RouteQuery,
    filter: FilterRun<'q>,
    sums: Sums,
}

impl<'q> Selection<'q> {
    /// Nothing seen yet.
    pub fn new(query: &'q RouteQuery, roas: Arc<RoaTables>) -> Self {
        Self { query, filter: FilterRun::new(&query.filter, roas), sums: Sums::default() }
    }

    /// What was counted so far.
    pub const fn sums(&self) -> Sums {
        self.sums
    }

    /// What is printed behind the last route, if anything is.
    ///
    /// A query for one net is never counted, even when `count` is asked for.
    pub fn total(&self) -> Option<Sums> {
        (!self.query.nets.is_one() && self.query.output != RouteOutput::List).then_some(self.sums)
    }

    /// Whether one net was asked for and has no path of the kind asked for.
    pub fn is_missing(&self) -> bool {
        self.query.nets.is_one() && self.sums.routes == 0
    }

    /// Looks at a net; says what is to be printed of it, if anything is. `room` is for its paths, and is used again.
    pub fn net<'n, 's>(
        &mut self,
        net: &RouteNet<'n>,
        ifaces: &Ifaces,
        room: &'s mut Vec<ShownPath<'n>>,
    ) -> Option<ShownNet<'s, 'n>> {
        room.clear();
        let mut looked_at = false;
        let mut only_counted = false;
        for (i, candidate) in net.paths.iter().enumerate() {
            if candidate.filtered != self.query.filtered {
                continue;
            }
            self.sums.routes += 1;
            looked_at = true;
            if only_counted {
                continue;
            }
            let export = net.exports.get(i).and_then(Option::as_ref);
            only_counted = matches!(export, Some(Exported::Merged { .. }));
            if let Some(mut path) = self.path(net, candidate, export, ifaces) {
                self.sums.shown += 1;
                path.mark = if i > 0 { Mark::None } else { path.mark };
                room.push(path);
            }
            if self.query.primary {
                break;
            }
        }
        self.sums.networks += u64::from(looked_at);
        let listed = self.query.output != RouteOutput::Count && !room.is_empty();
        listed.then_some(ShownNet { net: net.net, paths: room })
    }

    /// Looks at an authorisation, with what protocols have to say of it of the kind asked for; says what is to be printed.
    ///
    /// `is_first`: none of the other kind stands before. `passage`: that of the protocol for whom it is judged, while
    /// that is up.
    pub fn authority<'n>(
        &mut self,
        net: Authorised<'n>,
        lots: &[&'n RoaLot],
        is_first: bool,
        passage: Option<&Passage>,
        ifaces: &Ifaces,
    ) -> Option<ShownRoa<'n>> {
        self.sums.networks += u64::from(!lots.is_empty());
        let mut shown = Vec::new();
        for (i, lot) in lots.iter().enumerate() {
            self.sums.routes += 1;
            if let Some(attrs) = self.given(net, lot, passage, ifaces) {
                self.sums.shown += 1;
                shown.push((*lot, attrs, is_first && i == 0));
            }
            if self.query.primary {
                break;
            }
        }
        let listed = self.query.output != RouteOutput::Count && !shown.is_empty();
        listed.then_some(ShownRoa { net, lots: shown })
    }

    /// The attributes with which a protocol gives an authorisation; `None`: that is not asked for.
    fn given<'n>(
        &mut self,
        net: Authorised<'_>,
        lot: &'n RoaLot,
        passage: Option<&Passage>,
        ifaces: &Ifaces,
    ) -> Option<Cow<'n, AttrSet>> {
        let attrs = self.let_through(net, lot, passage, ifaces)?;
        if self.query.protocol.as_ref().is_some_and(|name| *name != lot.source.protocol_name) {
            return None;
        }
        let (changed, _) = self.filter.accepts(authority_view(net, &attrs, &lot.source), ifaces)?;
        Some(changed.map_or(attrs, Cow::Owned))
    }

    /// The attributes of an authorisation as the export left them; `None` when the query does not want what became of it.
    fn let_through<'n>(
        &mut self,
        net: Authorised<'_>,
        lot: &'n RoaLot,
        passage: Option<&Passage>,
        ifaces: &Ifaces,
    ) -> Option<Cow<'n, AttrSet>> {
        let given = Cow::Borrowed(&lot.attrs);
        let Some(asked) = &self.query.export else { return Some(given) };
        let passage = passage.filter(|passage| passage.by != lot.by)?;
        if asked.mode == ExportMode::Before {
            return Some(given);
        }
        let (accepted, changed) = match &passage.policy {
            Policy::Accept => (true, None),
            Policy::Reject => (false, None),
            Policy::Filter(filter) => {
                let outcome = self.filter.silent(filter, authority_view(net, &lot.attrs, &lot.source), ifaces);
                (outcome.verdict == Verdict::Accept, outcome.attrs)
            }
        };
        let changed = changed.filter(|_| asked.mode != ExportMode::Exported);
        (accepted == (asked.mode != ExportMode::Rejected)).then(|| changed.map_or(given, Cow::Owned))
    }

    fn path<'n>(
        &mut self,
        net: &RouteNet<'n>,
        path: &'n PagePath,
        export: Option<&'n Exported>,
        ifaces: &Ifaces,
    ) -> Option<ShownPath<'n>> {
        let (attrs, hop, made_anew) = self.exported(path, export)?;
        let source: &Source = net.sources.get(path.source as usize)?;
        if self.query.protocol.as_ref().is_some_and(|name| *name != source.protocol_name) {
            return None;
        }
        let view =
            RouteView { roa: None, net: net.net, attrs, source, resolved: Some(&hop.to), igp_metric: hop.igp_metric };
        let (changed, set_fields) = self.filter.accepts(view, ifaces)?;
        let attrs = changed.map_or(Cow::Borrowed(attrs), Cow::Owned);
        let (now, before) = (attrs.local(), path.attrs.local());
        let untouched = std::ptr::eq(now, before);
        let same_route = self.query.keeps_mark || !(made_anew || set_fields);
        let mark = match (same_route, net.sync_error) {
            (false, _) => Mark::None,
            (true, false) => Mark::Best,
            (true, true) => Mark::Refused,
        };
        let hop = match untouched || now.dest == before.dest {
            true => Cow::Borrowed(hop),
            false => Cow::Owned(chosen_hop(&now.dest, ifaces)),
        };
        let merged = matches!(export, Some(Exported::Merged { .. }));
        let gateway = if merged { gateway(&path.hop) } else { gateway(&hop) };
        Some(ShownPath { attrs, hop, source, since: path.since, mark, suppressed: path.suppressed, gateway })
    }

    /// The path as the export left it, and whether that made another route of it for BIRD 1.6; `None` when the query does
    /// not want what became of it.
    fn exported<'n>(
        &self,
        path: &'n PagePath,
        export: Option<&'n Exported>,
    ) -> Option<(&'n AttrSet, &'n ResolvedHop, bool)> {
        let Some(asked) = &self.query.export else {
            return Some((&path.attrs, &path.hop, false));
        };
        match export? {
            Exported::Vetoed => None,
            Exported::Judged { attrs, accepted, anew } => {
                let wanted = match asked.mode {
                    ExportMode::Before => true,
                    ExportMode::Accepted | ExportMode::Told | ExportMode::Exported => *accepted,
                    ExportMode::Rejected => !*accepted,
                };
                match asked.mode {
                    ExportMode::Exported => wanted.then_some((&path.attrs, &path.hop, false)),
                    _ => wanted.then_some((attrs, &path.hop, *anew)),
                }
            }
            Exported::Merged { .. } if asked.mode == ExportMode::Exported => Some((&path.attrs, &path.hop, false)),
            Exported::Merged { attrs, hop } => (asked.mode != ExportMode::Rejected).then_some((attrs, hop, true)),
        }
    }
}

/// An authorisation as a filter sees it.
fn authority_view<'a>(net: Authorised<'a>, attrs: &'a AttrSet, source: &'a Source) -> RouteView<'a> {
    let prefix = match net {
        Authorised::Origin(roa) => roa.prefix,
        Authorised::Customer(_) => Prefix::default(Family::Ipv4),
    };
    RouteView { roa: Some(net), net: prefix, attrs, source, resolved: None, igp_metric: None }
}

fn gateway(hop: &ResolvedHop) -> Option<IpAddr> {
    match hop.to {
        Resolved::Unicast(Hop { gateway, .. }) => gateway,
        _ => None,
    }
}

/// Where packets would go if a filter's choice were obeyed.
fn chosen_hop(dest: &Dest, ifaces: &Ifaces) -> ResolvedHop {
    let on_link = |hop: &Hop| {
        let neighbor = hop.gateway.and_then(|gateway| ifaces.neighbor(gateway));
        let iface = neighbor.map_or(hop.iface, |(link, _)| link.index);
        Hop { iface: if hop.iface == IfIndex(0) { iface } else { hop.iface }, ..*hop }
    };
    let to = match dest {
        Dest::Via(hop) => Resolved::Unicast(on_link(hop)),
        Dest::Multipath(hops) => Resolved::Multipath(hops.iter().map(on_link).collect()),
        Dest::Blackhole => Resolved::Blackhole,
        Dest::Unreachable | Dest::Recursive(_) => Resolved::Unreachable,
        Dest::Prohibit => Resolved::Prohibit,
        Dest::Carried(carried) => carried.to.clone(),
    };
    ResolvedHop { to, igp_metric: None, recursive: false }
}

/// The query's filter with what it needs to run many times.
struct FilterRun<'q> {
    policy: &'q Policy,
    roas: Arc<RoaTables>,
    scratch: Scratch,
    errors: u32,
}

impl<'q> FilterRun<'q> {
    fn new(policy: &'q Policy, roas: Arc<RoaTables>) -> Self {
        Self { policy, roas, scratch: Scratch::new(), errors: 0 }
    }

    /// What another filter says; what it prints is heard by nobody.
    fn silent(&mut self, filter: &Filter, route: RouteView<'_>, ifaces: &Ifaces) -> Outcome {
        filter.run(&mut self.scratch, route, Env { ifaces, roas: &self.roas })
    }

    /// `None` when it rejects; else the attributes if it changed any, and whether it has set fields.
    ///
    /// What it prints goes to the log, and so do its first errors.
    fn accepts(&mut self, route: RouteView<'_>, ifaces: &Ifaces) -> Option<(Option<AttrSet>, bool)> {
        let filter = match self.policy {
            Policy::Accept => return Some((None, false)),
            Policy::Reject => return None,
            Policy::Filter(filter) => filter,
        };
        let outcome = self.silent(filter, route, ifaces);
        for line in &outcome.printed {
            tracing::info!("{line}");
        }
        if let Some(error) = &outcome.error {
            self.errors += 1;
            match self.errors {
                n if n < ERRORS_LOGGED => tracing::error!("{error}"),
                ERRORS_LOGGED => tracing::error!("{error} ..."),
                _ => {}
            }
        }
        (outcome.verdict == Verdict::Accept).then_some((outcome.attrs, outcome.written.has_field()))
    }
}
