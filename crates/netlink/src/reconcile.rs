//! What we want in a kernel table against what is there.
//!
//! The reconciler hears three things: what is wanted of each prefix, what a dump
//! of the table shows, and what became of requests. It says which requests are
//! left. Nothing is asked for before the first dump has ended and the wishes
//! have been told once, so a daemon that starts finds its old routes again and
//! touches those only that differ.
//!
//! Ours are the routes with `proto bird` (and, in BIRD 2, with our metric), and
//! only those are ever removed or replaced. Another program's route for the same prefix and metric makes an
//! addition fail; the error is kept, shown, and tried again at each scan, never
//! between: so what an operator does by hand stands until the next scan, as
//! with BIRD.
//!
//! A prefix is compared on the fields that we set. Where the kernel holds our
//! route in another form than we asked for (it caps an mtu, say), the first scan
//! after the request tells, the form is remembered, and later scans are content.

use crate::entries::{Entries, Entry, Spot};
use crate::palette::{Palette, RouteId};
use crate::{Errno, KernelRoute, SeenRoute};
use foldhash::fast::RandomState;
use hashbrown::HashMap;
use route::{Family, IfIndex, Prefix};
use std::collections::VecDeque;

/// Remembered forms; further ones are corrected at each scan, which costs a request and does no harm.
const FORMS_MAX: usize = 4096;

/// What a request asks the kernel to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Add the route; fail when there is one with this prefix and metric.
    Add,
    /// Put the route in the place of ours with this prefix and metric.
    Replace,
    /// Remove our route.
    Remove,
}

/// One request about one prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// The prefix.
    pub net: Prefix,
    /// What to do.
    pub verb: Verb,
    /// With which route; a number of [`Reconciler::palette`], good until the request is settled.
    pub route: RouteId,
    /// Where we have the prefix; nowhere when it is about one of the further routes of it.
    spot: Spot,
}

/// See the head of the module.
#[derive(Debug)]
pub struct Reconciler {
    family: Family,
    table: u32,
    /// The metric of our routes; `None`: all routes of `proto bird` are ours.
    own_metric: Option<u32>,
    palette: Palette,
    entries: Entries,
    /// Something is to be asked for these; they wait for the next turn.
    queue: VecDeque<Spot>,
    /// The turn that is being asked for.
    turn: VecDeque<Spot>,
    /// Further routes of ours for a prefix, with metrics that we do not want; to be removed.
    extras: Vec<(Prefix, RouteId)>,
    errors: HashMap<Prefix, Errno, RandomState>,
    /// Prefixes whose error came or went since somebody asked.
    error_changes: Vec<Prefix>,
    /// In which form the kernel holds what we asked for, where it is another.
    forms: HashMap<KernelRoute, KernelRoute, RandomState>,
    scanned: bool,
    told: bool,
}

impl Reconciler {
    /// For one table of the kernel and one family.
    pub fn new(family: Family, table: u32) -> Self {
        Self {
            family,
            table,
            own_metric: None,
            palette: Palette::default(),
            entries: Entries::default(),
            queue: VecDeque::new(),
            turn: VecDeque::new(),
            extras: Vec::new(),
            errors: HashMap::default(),
            error_changes: Vec::new(),
            forms: HashMap::default(),
            scanned: false,
            told: false,
        }
    }

    /// Only routes with this metric are ours; `None`: whatever their metric is.
    ///
    /// Those of `proto bird` with another stay as they are, as with BIRD 2.
    #[must_use]
    pub const fn owning(mut self, metric: Option<u32>) -> Self {
        self.own_metric = metric;
        self
    }

    /// Whether a route is ours.
    fn is_ours(&self, seen: &SeenRoute) -> bool {
        seen.is_ours() && self.own_metric.is_none_or(|metric| metric == seen.route.metric)
    }

    /// The kernel table.
    pub const fn table(&self) -> u32 {
        self.table
    }

    /// The family.
    pub const fn family(&self) -> Family {
        self.family
    }

    /// The routes that requests point to.
    pub const fn palette(&self) -> &Palette {
        &self.palette
    }

    /// Where we have a prefix; asked for by its number in the table that speaks of it, which is quicker than by
    /// itself. Good for the [`want_at`](Self::want_at) that follows.
    pub fn spot(&mut self, net: Prefix, number: u32) -> Spot {
        self.entries.spot_numbered(net, number)
    }

    /// Whether a route is wanted there.
    pub fn wants_at(&self, spot: Spot) -> bool {
        self.entries.look(spot).is_some_and(|e| e.wanted.is_some())
    }

    /// What is wanted of a prefix from now on; `None`: no route.
    pub fn want(&mut self, net: Prefix, route: Option<&KernelRoute>) {
        let spot = self.entries.spot(net);
        self.want_at(spot, route);
    }

    /// The same, of the prefix at a spot.
    pub fn want_at(&mut self, spot: Spot, route: Option<&KernelRoute>) {
        let Some(entry) = self.entries.at(spot) else { return };
        let route = route.filter(|_| entry.net.family() == self.family);
        let wanted = route.map(|r| match r.effective_metric(self.family) {
            metric if metric == r.metric => self.palette.hold(r),
            metric => self.palette.hold(&KernelRoute { metric, ..r.clone() }),
        });
        if entry.wanted == wanted {
            release(&mut self.palette, wanted);
            if entry.is_idle() {
                self.entries.forget(spot);
            }
            return;
        }
        release(&mut self.palette, std::mem::replace(&mut entry.wanted, wanted));
        entry.failed = false;
        entry.fresh = false;
        enqueue(entry, spot, &mut self.queue);
        let net = entry.net;
        self.set_error(net, None);
    }

    /// Whether a route that is wanted or present leads over this link, or has a source address of its own.
    pub fn uses(&self, link: IfIndex) -> bool {
        self.palette.iter().any(|r| r.prefsrc.is_some() || r.hops().iter().any(|h| h.iface == link))
    }

    fn set_error(&mut self, net: Prefix, error: Option<Errno>) {
        let old = match error {
            Some(error) => self.errors.insert(net, error),
            None if self.errors.is_empty() => return,
            None => self.errors.remove(&net),
        };
        if old.is_some() != error.is_some() {
            self.error_changes.push(net);
        }
    }

    /// Prefixes whose error came or went since the last call.
    pub fn take_error_changes(&mut self) -> Vec<Prefix> {
        std::mem::take(&mut self.error_changes)
    }

    /// Every wish has been told once. Before this nothing is installed or removed.
    pub fn told_all(&mut self) {
        self.told = true;
    }

    /// Whether requests may be taken: the first dump has ended and everything has been told.
    pub const fn is_ready(&self) -> bool {
        self.scanned && self.told
    }

    /// All wishes end: what is left to do is to remove every route of ours.
    pub fn retire(&mut self) {
        self.told = true;
        for spot in self.entries.spots() {
            let Some(entry) = self.entries.at(spot) else { continue };
            release(&mut self.palette, entry.wanted.take());
            enqueue(entry, spot, &mut self.queue);
        }
        self.error_changes.extend(self.errors.drain().map(|(net, _)| net));
    }

    /// A dump of the table begins. No request may be under way.
    pub fn scan_begin(&mut self) {
        for (_, id) in self.extras.drain(..) {
            self.palette.release(id);
        }
    }

    /// The dump shows a route, ours or another program's.
    pub fn scan_saw(&mut self, seen: &SeenRoute) {
        if seen.table != self.table || seen.net.family() != self.family || seen.tos != 0 {
            return;
        }
        if !self.is_ours(seen) {
            self.saw_alien(seen);
            return;
        }
        let spot = self.entries.spot(seen.net);
        let Some(entry) = self.entries.at(spot) else { return };
        let wanted = entry.wanted.and_then(|id| Some((id, self.palette.get(id)?)));
        let with_metric = wanted.is_some_and(|(_, w)| w.metric == seen.route.metric);
        let content = wanted.filter(|(_, w)| is_content(w, &seen.route, self.family, entry.fresh, &mut self.forms));
        let id = match content.map(|(id, _)| id) {
            Some(id) => {
                self.palette.again(id);
                id
            }
            None => self.palette.hold(&seen.route),
        };
        if !entry.seen {
            release(&mut self.palette, entry.present.replace(id));
        } else {
            // A second route of ours for the prefix: the one with the metric that is wanted stays.
            let extra = if with_metric { entry.present.replace(id) } else { Some(id) };
            self.extras.extend(extra.map(|id| (seen.net, id)));
        }
        entry.seen = true;
    }

    fn saw_alien(&mut self, seen: &SeenRoute) {
        let Some(entry) = self.entries.known(&seen.net) else {
            return;
        };
        let wanted = entry.wanted.and_then(|id| self.palette.get(id));
        if wanted.is_some_and(|w| w.metric == seen.route.metric) {
            entry.contested_now = true;
        }
    }

    /// The dump has ended. When it is not whole, routes that it did not show may still be there and are not missed.
    pub fn scan_end(&mut self, whole: bool) {
        self.scanned = true;
        let Self { entries, palette, queue, errors, error_changes, .. } = self;
        for spot in entries.spots() {
            let Some(entry) = entries.at(spot) else { continue };
            if !entry.seen && whole {
                release(palette, entry.present.take());
            }
            entry.seen = false;
            entry.contested = std::mem::take(&mut entry.contested_now);
            entry.failed = false;
            entry.fresh = false;
            if entry.wanted != entry.present {
                enqueue(entry, spot, queue);
            } else if !errors.is_empty() && errors.remove(&entry.net).is_some() {
                // Another hand has put it there.
                error_changes.push(entry.net);
            }
            if entry.is_idle() {
                entries.forget(spot);
            }
        }
    }

    /// The kernel says that another program put its route in the place of ours.
    pub fn was_replaced(&mut self, by: &SeenRoute) {
        if by.table != self.table || by.tos != 0 || self.is_ours(by) {
            return;
        }
        let Some(entry) = self.entries.known(&by.net) else {
            return;
        };
        let present = entry.present.and_then(|id| self.palette.get(id));
        if present.is_some_and(|p| p.metric == by.route.metric) {
            release(&mut self.palette, entry.present.take());
            // As with all that others do: we come back at the next scan.
            entry.failed = true;
        }
    }

    /// Takes requests, about `max`, behind what `into` has. Each must be settled before the next are taken.
    pub fn take(&mut self, max: usize, into: &mut Vec<Request>) {
        if !self.is_ready() {
            return;
        }
        while into.len() < max {
            if self.turn.is_empty() {
                self.begin_turn();
            }
            let Some(spot) = self.turn.pop_front() else {
                break;
            };
            let Some(entry) = self.entries.at(spot) else {
                continue;
            };
            entry.queued = false;
            let entry = *entry;
            if entry.is_idle() {
                self.entries.forget(spot);
            } else {
                self.ask(spot, &entry, into);
            }
        }
        while into.len() < max {
            let Some((net, route)) = self.extras.pop() else {
                break;
            };
            into.push(Request { net, verb: Verb::Remove, route, spot: Spot::NONE });
        }
    }

    /// Takes what waits: first what is wanted, as it came, then what is to go, longest prefixes first.
    ///
    /// A branch of the kernel's trie knows the shortest prefix in it, and looks for
    /// the next one when that goes. While 127.0.0.0/8 is there that is a walk over
    /// half of the root's children, once for many of the prefixes that go in any
    /// order, and nearly never when the long ones go first: which makes the removal
    /// of a full table cheaper by a third.
    fn begin_turn(&mut self) {
        let entries = &self.entries;
        let stays = |spot: &Spot| entries.look(*spot).is_some_and(|e| e.wanted.is_some());
        let length = |spot: &Spot| entries.look(*spot).map_or(0, |e| e.net.len());
        let (stay, mut go): (Vec<Spot>, Vec<Spot>) = self.queue.drain(..).partition(stays);
        go.sort_by_key(|spot| std::cmp::Reverse(length(spot)));
        self.turn.extend(stay.into_iter().chain(go));
    }

    /// The requests for one prefix: the smallest that lead from what is present to what is wanted.
    fn ask(&self, spot: Spot, entry: &Entry, into: &mut Vec<Request>) {
        let net = entry.net;
        let metric = |id: RouteId| self.palette.get(id).map(|r| r.metric);
        let add = |route| Request { net, verb: Verb::Add, route, spot };
        let remove = |route| Request { net, verb: Verb::Remove, route, spot };
        match (entry.wanted, entry.present) {
            (Some(wanted), Some(present)) if wanted == present => {}
            (_, Some(present)) if entry.failed => into.push(remove(present)),
            _ if entry.failed => {}
            (Some(wanted), None) => into.push(add(wanted)),
            (None, Some(present)) => into.push(remove(present)),
            // Another object in the kernel: the new one comes before the old one goes.
            (Some(wanted), Some(present)) if metric(wanted) != metric(present) => {
                into.extend([add(wanted), remove(present)]);
            }
            // A replacement would hit whichever of the two stands first.
            (Some(wanted), Some(present)) if entry.contested => into.extend([remove(present), add(wanted)]),
            (Some(wanted), Some(_)) => into.push(Request { net, verb: Verb::Replace, route: wanted, spot }),
            (None, None) => {}
        }
    }

    /// Hears what became of a request. Returns the error that an operator should read, when there is one.
    pub fn settle(&mut self, request: &Request, result: Result<(), Errno>) -> Option<Errno> {
        let Request { net, verb, route, spot } = *request;
        let error = match (verb, result) {
            // The kernel removes routes by itself, with links and addresses: gone is gone.
            (Verb::Remove, Err(Errno(libc::ESRCH | libc::ENOENT | libc::ENODEV))) => None,
            (_, result) => result.err(),
        };
        let Some(entry) = self.entries.at(spot).filter(|e| e.net == net) else {
            if verb == Verb::Remove {
                self.palette.release(route);
            }
            return error;
        };
        match verb {
            Verb::Remove if entry.present == Some(route) => {
                if error.is_none() {
                    release(&mut self.palette, entry.present.take());
                }
            }
            // One of the extras, or of an old metric.
            Verb::Remove => self.palette.release(route),
            Verb::Add | Verb::Replace if error.is_none() => {
                let old = if entry.wanted == Some(route) {
                    self.palette.again(route);
                    entry.fresh = true;
                    entry.present.replace(route)
                } else {
                    None
                };
                // After an addition beside the old metric, the removal of the old one follows in
                // the same batch and releases it.
                if verb == Verb::Replace {
                    release(&mut self.palette, old);
                }
            }
            Verb::Add | Verb::Replace => {
                entry.failed = true;
                if entry.present.is_some() {
                    enqueue(entry, spot, &mut self.queue);
                }
            }
        }
        let Entry { wanted, present, .. } = *entry;
        if entry.is_idle() {
            self.entries.forget(spot);
        }
        if wanted == present || wanted.is_none() {
            self.set_error(net, None);
        } else if verb != Verb::Remove {
            self.set_error(net, error);
        }
        error
    }

    /// It is not known what became of a request; the next scan tells.
    pub fn lost(&mut self, request: &Request) {
        let present = self.entries.look(request.spot).filter(|e| e.net == request.net).and_then(|e| e.present);
        if request.verb == Verb::Remove && present != Some(request.route) {
            self.palette.release(request.route);
        }
    }

    /// Why the kernel refused the route of this prefix; `None` when it did not.
    pub fn error(&self, net: &Prefix) -> Option<Errno> {
        self.errors.get(net).copied()
    }

    /// All prefixes whose routes the kernel refused.
    pub fn errors(&self) -> impl Iterator<Item = (&Prefix, Errno)> {
        self.errors.iter().map(|(net, e)| (net, *e))
    }

    /// How many prefixes are wanted or present.
    pub fn count(&self) -> usize {
        self.entries.count()
    }
}

/// Whether a route of ours, as the kernel shows it, is the one that is wanted.
///
/// `fresh`: nobody but us has touched it since we asked for it, so another form of it is the kernel's doing.
fn is_content(
    wanted: &KernelRoute,
    seen: &KernelRoute,
    family: Family,
    fresh: bool,
    forms: &mut HashMap<KernelRoute, KernelRoute, RandomState>,
) -> bool {
    if wanted.is_satisfied_by(seen, family) {
        return true;
    }
    if wanted.metric != seen.metric || !wanted.leads_where(seen) {
        return false;
    }
    if fresh && forms.len() < FORMS_MAX {
        forms.insert(wanted.clone(), seen.clone());
    }
    forms.get(wanted) == Some(seen)
}

fn enqueue(entry: &mut Entry, spot: Spot, queue: &mut VecDeque<Spot>) {
    if !entry.queued {
        entry.queued = true;
        queue.push_back(spot);
    }
}

fn release(palette: &mut Palette, id: Option<RouteId>) {
    if let Some(id) = id {
        palette.release(id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel_route::{PROTO_BIRD, TABLE_MAIN};
    use proptest::prelude::*;
    use route::{Hop, Resolved};
    use std::collections::BTreeMap;

    /// A kernel table that obeys requests as the kernel does.
    #[derive(Default)]
    struct Kernel {
        routes: BTreeMap<(Prefix, u32), (u8, KernelRoute)>,
        requests: usize,
    }

    const ALIEN: u8 = 4;
    /// The kernel refuses routes over this link.
    const BROKEN: IfIndex = IfIndex(3);

    impl Kernel {
        fn obey(&mut self, request: &Request, route: &KernelRoute) -> Result<(), Errno> {
            self.requests += 1;
            let key = (request.net, route.metric);
            let there = self.routes.get(&key).map(|(protocol, _)| *protocol);
            match request.verb {
                Verb::Remove if there == Some(PROTO_BIRD) => {
                    self.routes.remove(&key);
                    return Ok(());
                }
                Verb::Remove => return Err(Errno(libc::ESRCH)),
                Verb::Add if there.is_some() => return Err(Errno(libc::EEXIST)),
                Verb::Replace => assert_ne!(there, Some(ALIEN), "another program's route is replaced"),
                Verb::Add => {}
            }
            if route.hops().iter().any(|h| h.iface == BROKEN) {
                return Err(Errno(libc::EINVAL));
            }
            self.routes.insert(key, (PROTO_BIRD, route.clone()));
            Ok(())
        }

        fn seen(&self) -> Vec<SeenRoute> {
            let seen = |((net, _), (protocol, route)): (&(Prefix, u32), &(u8, KernelRoute))| SeenRoute {
                net: *net,
                protocol: *protocol,
                table: TABLE_MAIN,
                tos: 0,
                route: route.clone(),
            };
            self.routes.iter().map(seen).collect()
        }
    }

    fn work(r: &mut Reconciler, kernel: &mut Kernel) {
        let mut batch = Vec::new();
        loop {
            batch.clear();
            r.take(3, &mut batch);
            if batch.is_empty() {
                return;
            }
            let routes: Vec<_> = batch.iter().map(|q| r.palette().get(q.route).unwrap().clone()).collect();
            for (request, route) in batch.iter().zip(&routes) {
                let result = kernel.obey(request, route);
                r.settle(request, result);
            }
        }
    }

    fn scan(r: &mut Reconciler, kernel: &mut Kernel) {
        r.scan_begin();
        kernel.seen().iter().for_each(|seen| r.scan_saw(seen));
        r.scan_end(true);
        work(r, kernel);
    }

    fn net(n: u8) -> Prefix {
        format!("20.0.{n}.0/24").parse().unwrap()
    }

    fn route(link: u32, metric: u32) -> KernelRoute {
        KernelRoute { metric, ..KernelRoute::new(Resolved::Unicast(Hop::dev(IfIndex(link)))) }
    }

    #[derive(Clone, Debug)]
    enum Step {
        Want(u8, Option<(u32, u32)>),
        /// Another hand puts a route of some protocol there.
        Put(u8, u32, u32, u8),
        Take(u8, u32),
        Scan,
        Work,
    }

    fn step() -> impl Strategy<Value = Step> {
        let (nets, links, metrics) = (0_u8..4, 1_u32..4, 0_u32..3);
        prop_oneof![
            (nets.clone(), proptest::option::of((links, metrics.clone()))).prop_map(|(n, w)| Step::Want(n, w)),
            (nets.clone(), 1_u32..3, metrics.clone(), prop_oneof![Just(ALIEN), Just(PROTO_BIRD)])
                .prop_map(|(n, l, m, p)| Step::Put(n, l, m, p)),
            (nets, metrics).prop_map(|(n, m)| Step::Take(n, m)),
            Just(Step::Scan),
            Just(Step::Work),
        ]
    }

    proptest! {
        /// Whatever happened: after a scan the kernel holds what is wanted, but where another program's
        /// route stands or the kernel refuses; and a second scan changes nothing.
        #[test]
        fn a_scan_makes_the_kernel_what_is_wanted(steps in proptest::collection::vec(step(), 0..40)) {
            let mut r = Reconciler::new(Family::Ipv4, TABLE_MAIN);
            let mut kernel = Kernel::default();
            let mut wanted = BTreeMap::new();
            r.told_all();
            for step in steps {
                match step {
                    Step::Want(n, to) => {
                        let to = to.map(|(link, metric)| route(link, metric));
                        r.want(net(n), to.as_ref());
                        wanted.insert(net(n), to);
                    }
                    Step::Put(n, link, metric, protocol) => {
                        let seen = SeenRoute { net: net(n), protocol, table: TABLE_MAIN, tos: 0, route: route(link, metric) };
                        kernel.routes.insert((net(n), metric), (protocol, seen.route.clone()));
                        r.was_replaced(&seen);
                    }
                    Step::Take(n, metric) => drop(kernel.routes.remove(&(net(n), metric))),
                    Step::Scan => scan(&mut r, &mut kernel),
                    Step::Work => work(&mut r, &mut kernel),
                }
            }
            scan(&mut r, &mut kernel);
            let aliens: Vec<_> = kernel.seen().into_iter().filter(|s| !s.is_ours()).map(|s| (s.net, s.route.metric)).collect();
            let possible = |(net, to): (&Prefix, &Option<KernelRoute>)| {
                let to = to.clone().filter(|to| to.hops()[0].iface != BROKEN && !aliens.contains(&(*net, to.metric)))?;
                Some((*net, to))
            };
            let expected: Vec<_> = wanted.iter().filter_map(possible).collect();
            let ours: Vec<_> = kernel.seen().into_iter().filter(SeenRoute::is_ours).map(|s| (s.net, s.route)).collect();
            prop_assert_eq!(&ours, &expected);
            for (net, to) in &wanted {
                let refused = to.is_some() && !expected.iter().any(|(n, _)| n == net);
                prop_assert_eq!(r.error(net).is_some(), refused, "{}", net);
            }

            let (before, refused) = (kernel.requests, r.errors().count());
            scan(&mut r, &mut kernel);
            prop_assert_eq!(kernel.requests - before, refused, "only what was refused is tried again");

            r.retire();
            work(&mut r, &mut kernel);
            prop_assert!(kernel.seen().iter().all(|s| !s.is_ours()));
            prop_assert_eq!((r.count(), r.palette().count(), r.errors().count()), (0, 0, 0));
        }
    }

    #[test]
    fn nothing_is_asked_for_before_the_first_dump_has_ended_and_all_wishes_were_told() {
        let mut batch = Vec::new();
        let mut r = Reconciler::new(Family::Ipv4, TABLE_MAIN);
        r.want(net(1), Some(&route(1, 0)));
        r.told_all();
        r.take(10, &mut batch);
        assert_eq!(batch, []);
        r.scan_begin();
        r.take(10, &mut batch);
        assert_eq!(batch, []);
        r.scan_end(true);
        r.take(10, &mut batch);
        assert_eq!(batch.len(), 1);
    }

    #[test]
    fn what_is_wanted_is_asked_for_as_it_came_and_long_prefixes_go_first() {
        let mut kernel = Kernel::default();
        let mut r = Reconciler::new(Family::Ipv4, TABLE_MAIN);
        r.told_all();
        scan(&mut r, &mut kernel);
        let nets = ["20.0.0.0/8", "20.0.0.0/24", "30.0.0.0/16", "10.0.0.0/24"].map(|n| n.parse::<Prefix>().unwrap());
        let asked = |r: &mut Reconciler, to: Option<&KernelRoute>| {
            nets.iter().for_each(|net| r.want(*net, to));
            let mut batch = Vec::new();
            r.take(10, &mut batch);
            batch.iter().for_each(|request| assert_eq!(r.settle(request, Ok(())), None));
            batch.iter().map(|request| request.net).collect::<Vec<_>>()
        };
        assert_eq!(asked(&mut r, Some(&route(1, 0))), nets);
        assert_eq!(asked(&mut r, None), [nets[1], nets[3], nets[2], nets[0]]);
    }

    #[test]
    fn routes_that_an_interrupted_dump_does_not_show_are_not_missed() {
        let mut kernel = Kernel::default();
        let mut r = Reconciler::new(Family::Ipv4, TABLE_MAIN);
        r.want(net(1), Some(&route(1, 0)));
        r.told_all();
        scan(&mut r, &mut kernel);
        let before = kernel.requests;
        r.scan_begin();
        r.scan_end(false);
        work(&mut r, &mut kernel);
        assert_eq!(kernel.requests, before);
    }
}
