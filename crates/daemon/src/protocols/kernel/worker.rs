//! The thread that keeps a table of the kernel in step with one of ours.
//!
//! It waits for orders, changes of the journal, notices of the kernel and the
//! time of the next scan, and after each lets the reconciler's requests go. All
//! of its waiting for the kernel is here; nobody waits for it but who stops it.

use super::super::Start;
use super::super::channel::Import;
use super::super::policy::Runner;
use super::super::sight::{Hears, Sight};
use super::export::{Judged, Rules};
use super::{Limited, Order, Shared, kernel, learn, rules};
use crate::world::action_word;
use conf::channel_word;
use conf::config::{DebugMask, KernelConf, Learn, ProtocolConf};
use netlink::{Errno, KernelRoute, Learned, Notice, Reconciler, Request, RouteNotices, RouteSocket, Spot};
use rib::batch::{ChangeBatch, ChangeRow, Limit, LimitAction, Reading};
use rib::decision::Seen;
use rib::stats::ExportStats;
use rib::trace::{Fate, Trace, Tracing, Way};
use route::options::Voice;
use route::{Ifaces, Moment, Prefix, SourceKind, TableId};
use session::clock::Clock;
use session::limiter::{Limiter, Line, Restarts};
use session::link::{Delivery, ReaderId, Subscription, TableMsg};
use std::collections::{HashMap, HashSet};
use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

/// Requests taken from the reconciler at once.
const REQUESTS_MAX: usize = 1024;
/// Requests that go out before orders and changes are heard again.
const TURN_MAX: usize = 16 * REQUESTS_MAX;
/// Batches of the journal that are judged before requests go out.
const BATCHES_MAX: usize = 64;
/// The time between a link's going and the extra scan for it: our own routes over it are withdrawn by then.
const EXTRA_SCAN: Duration = Duration::from_millis(300);
/// A scan that failed is tried again after this time.
const AGAIN: Duration = Duration::from_secs(1);
/// So often a dump is begun again when the table changed under it.
const DUMPS_MAX: usize = 3;

/// Starts the thread. It ends when the orders end.
pub fn spawn(start: Start, orders: mpsc::UnboundedReceiver<Order>, shared: Arc<Shared>) {
    let name = Arc::clone(&start.conf.name);
    let thread = std::thread::Builder::new().name(format!("kernel {name}"));
    let spawned = thread.spawn(move || match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(down(start, orders, &shared)),
        Err(error) => tracing::error!("{}: {error}", start.conf.name),
    });
    if let Err(error) = spawned {
        tracing::error!("{name}: {error}");
    }
}

/// While the protocol is down only orders count, and the time to try again when the kernel refused.
async fn down(mut start: Start, mut orders: mpsc::UnboundedReceiver<Order>, shared: &Shared) {
    let mut again: Option<Instant> = None;
    let mut restarts = Restarts::new(start.world.deps.clock.now());
    loop {
        let order = tokio::select! {
            order = orders.recv() => order,
            () = tokio::time::sleep_until(again.unwrap_or_else(Instant::now)), if again.is_some() => Some(Order::Begin),
        };
        match order {
            None => return,
            Some(Order::Begin) => {
                start.diary.starting();
                let ended = up(&mut start, &mut orders, shared).await;
                shared.clear();
                start.diary.down();
                again = ended.as_ref().err().map(|_| Instant::now() + AGAIN);
                match ended {
                    Ok(End::Stopped(done) | End::Left(done)) => drop(done.send(())),
                    Ok(End::Abandoned) => return,
                    Ok(End::Limited(action)) => {
                        let now = start.world.deps.clock.now();
                        let (least_ms, name) = (start.conf.restart_least_ms(), &start.conf.name);
                        let is_down = action == LimitAction::Disable || !restarts.may(now, least_ms, name);
                        shared.set_limited(Limited { since: now, is_down });
                        again = (!is_down).then(|| Instant::now() + AGAIN);
                    }
                    Err(error) => tracing::error!("{}: Netlink: {error}", start.conf.name),
                }
            }
            Some(Order::Stop(done) | Order::Leave(done)) => {
                again = None;
                let _ = done.send(());
            }
            Some(Order::Reconfigure(conf, done)) => {
                shared.set_rules(rules(start.id, &conf));
                start.conf = conf;
                let _ = done.send(());
            }
            Some(Order::Debug(mask, channel)) => {
                set_debug(&mut start, mask, channel);
            }
            Some(Order::Reload) => {}
        }
    }
}

/// Other lines are wanted from now on: of the protocol, and of its channel.
fn set_debug(start: &mut Start, mask: DebugMask, channel: DebugMask) -> Tracing {
    let conf = Arc::make_mut(&mut start.conf);
    conf.debug = mask;
    conf.channels.iter_mut().for_each(|own| own.debug = channel);
    traced(conf, start.diary.voice())
}

/// How being up ended.
enum End {
    /// By order; this one hears when everything has been put away.
    Stopped(oneshot::Sender<()>),
    /// The same, and the kernel keeps its routes.
    Left(oneshot::Sender<()>),
    /// Nobody is left to give orders.
    Abandoned,
    /// It passed its export limit; the action is to restart or to disable.
    Limited(LimitAction),
}

impl Shared {
    fn set_rules(&self, rules: Option<Rules>) {
        *self.rules.lock().unwrap_or_else(PoisonError::into_inner) = rules;
    }

    fn set_limited(&self, limited: Limited) {
        *self.limited.lock().unwrap_or_else(PoisonError::into_inner) = Some(limited);
    }

    fn clear(&self) {
        self.feeding.store(false, Ordering::Relaxed);
        *self.stats.lock().unwrap_or_else(PoisonError::into_inner) = Default::default();
        self.refused.write().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// Works until it is stopped. After an error of the sockets our routes stay in the kernel, to be found again.
async fn up(start: &mut Start, orders: &mut mpsc::UnboundedReceiver<Order>, shared: &Shared) -> io::Result<End> {
    let (deliver, deliveries) = mpsc::unbounded_channel();
    let mut worker = Worker::new(start, deliver)?;
    let notices = RouteNotices::open(worker.reconciler.family(), worker.conf.rx_buffer)?;
    let ended = work(&mut worker, notices, deliveries, start, orders, shared).await;
    match &ended {
        Ok(End::Stopped(_) | End::Limited(_)) => worker.end(),
        // What was learned stays as well: neighbours that keep our routes must not hear that it goes.
        Ok(End::Left(_)) => worker.tell_table(TableMsg::Unsubscribe(worker.reader)),
        Ok(End::Abandoned) | Err(_) => worker.leave(),
    }
    ended
}

async fn work(
    worker: &mut Worker,
    mut notices: RouteNotices,
    mut deliveries: mpsc::UnboundedReceiver<Delivery>,
    start: &mut Start,
    orders: &mut mpsc::UnboundedReceiver<Order>,
    shared: &Shared,
) -> io::Result<End> {
    worker.begin();
    let mut ifaces = start.world.deps.ifaces.clone();
    let recovery = start.world.deps.recovery.clone();
    let over = recovery.over();
    tokio::pin!(over);
    let mut heard = Vec::new();
    let mut more = false;
    loop {
        tokio::select! {
            biased;
            order = orders.recv() => match order {
                None => return Ok(End::Abandoned),
                Some(Order::Stop(done)) => return Ok(End::Stopped(done)),
                Some(Order::Leave(done)) => return Ok(End::Left(done)),
                Some(Order::Begin) => {}
                Some(Order::Reload) => worker.reload(),
                Some(Order::Debug(mask, channel)) => worker.trace(set_debug(start, mask, channel)),
                Some(Order::Reconfigure(conf, done)) => {
                    start.conf = Arc::clone(&conf);
                    worker.reconfigure(conf);
                    shared.set_rules(Some(worker.rules.clone()));
                    let _ = done.send(());
                }
            },
            () = &mut over, if !worker.subscribed => worker.subscribe(),
            result = notices.next(&mut heard) => {
                result?;
                heard.drain(..).for_each(|notice| worker.heard(notice));
            }
            changed = ifaces.changed() => {
                changed.map_err(io::Error::other)?;
                worker.ifaces = ifaces.borrow_and_update().clone();
                worker.sight.look(&worker.ifaces, &worker.start.diary);
            }
            () = tokio::time::sleep_until(worker.next_scan) => worker.scan(),
            delivery = deliveries.recv() => {
                let mut next = delivery;
                for _ in 0..BATCHES_MAX {
                    let Some(delivery) = next else { break };
                    worker.delivered(&delivery);
                    next = deliveries.try_recv().ok();
                }
                if let Some(last) = next {
                    worker.delivered(&last);
                }
            }
            () = std::future::ready(()), if more => {}
        }
        if let Some(action @ (LimitAction::Restart | LimitAction::Disable)) = worker.passed {
            return Ok(End::Limited(action));
        }
        worker.teach();
        more = worker.work();
        worker.show(shared);
    }
}

/// A kernel protocol that is up.
struct Worker {
    start: Start,
    conf: KernelConf,
    rules: Rules,
    table: TableId,
    reader: ReaderId,
    import: Import,
    reconciler: Reconciler,
    learned: Learned,
    /// Prefixes that were taught to the table.
    taught: HashSet<Prefix>,
    /// Learned prefixes with a gateway that we do not find; tried again at each scan.
    strange: HashSet<Prefix>,
    socket: RouteSocket,
    ifaces: Arc<Ifaces>,
    clock: Clock,
    runner: Runner,
    stats: ExportStats,
    exported: u32,
    /// The export limit was passed and this is done about it.
    passed: Option<LimitAction>,
    /// A feed has begun to come.
    feeding: bool,
    /// The first feed has gone through.
    fed: bool,
    /// The table tells us its routes. With `graceful restart` not before our own restart is over: by then all that
    /// neighbours have told stands in the table, and one feed shows the kernel's routes that nobody wants any more.
    subscribed: bool,
    /// Where the table delivers.
    deliver: mpsc::UnboundedSender<Delivery>,
    next_scan: Instant,
    limiter: Limiter,
    /// The state that was said last.
    said_feeding: bool,
    sight: Sight,
    /// Which lines are wanted of single routes.
    tracing: Tracing,
    /// What traced routes led to, to be said when they go.
    traced: HashMap<Prefix, Arc<str>>,
}

impl Worker {
    fn new(start: &Start, deliver: mpsc::UnboundedSender<Delivery>) -> io::Result<Self> {
        let nothing = || io::Error::new(io::ErrorKind::InvalidInput, "kernel protocol without a channel");
        let conf = kernel(&start.conf).ok_or_else(nothing)?.clone();
        let import = Import::new(start, 0, SourceKind::Inherit).ok_or_else(nothing)?;
        Ok(Self {
            rules: rules(start.id, &start.conf).ok_or_else(nothing)?,
            table: import.table(),
            reader: ReaderId::next(),
            reconciler: Reconciler::new(import.conf().family, conf.table).owning(own_metric(&conf)),
            learned: Learned::new(conf.table, conf.learn == Learn::All),
            taught: HashSet::new(),
            strange: HashSet::new(),
            socket: RouteSocket::open()?,
            ifaces: start.world.deps.ifaces.borrow().clone(),
            clock: start.world.deps.clock,
            runner: Runner::new(start.world.deps.roas.clone()),
            stats: ExportStats::default(),
            exported: 0,
            passed: None,
            feeding: false,
            fed: false,
            subscribed: false,
            deliver,
            next_scan: Instant::now(),
            limiter: Limiter::default(),
            said_feeding: true,
            sight: Sight::new(Hears::Links),
            tracing: traced(&start.conf, start.diary.voice()),
            traced: HashMap::new(),
            start: start.clone(),
            conf,
            import,
        })
    }

    /// Looks at the kernel, then asks for the table's routes.
    fn begin(&mut self) {
        self.import.up();
        self.sight.open(&self.ifaces, &self.start.diary);
        self.scan();
        self.teach();
        if !self.conf.graceful_restart || self.start.world.deps.recovery.is_over() {
            self.subscribe();
        }
    }

    fn subscribe(&mut self) {
        self.subscribed = true;
        let reading = if self.conf.merge_paths.is_some() { Reading::All } else { Reading::Best };
        let sender = self.deliver.clone();
        let deliver = Box::new(move |delivery| drop(sender.send(delivery)));
        self.tell_table(TableMsg::Subscribe(Subscription { reader: self.reader, reading, deliver }));
    }

    /// Whether the table is telling what stands in it.
    fn come_to(&mut self, feeding: bool) {
        match (std::mem::replace(&mut self.said_feeding, feeding), feeding) {
            (false, true) => self.start.diary.feeding_again(),
            (true, false) => self.start.diary.fed(),
            _ => {}
        }
    }

    fn tell_table(&self, msg: TableMsg) {
        self.start.world.deps.tables.send(self.table, msg);
    }

    /// Goes down and leaves the kernel as it is.
    fn leave(&mut self) {
        self.tell_table(TableMsg::Unsubscribe(self.reader));
        self.import.down();
    }

    /// Goes down: removes our routes unless they are to persist.
    fn end(&mut self) {
        self.start.diary.shutting_down();
        self.leave();
        if !self.conf.persist {
            self.start.diary.event(format_args!("Flushing kernel routes"));
            self.reconciler.retire();
            while self.work() {}
        }
    }

    fn reload(&mut self) {
        self.passed = None;
        self.import.open_limits();
        self.look_again();
    }

    /// Scans at once, and judges all routes anew.
    fn look_again(&mut self) {
        self.come_to(true);
        self.next_scan = Instant::now();
        self.learned.again();
        self.tell_table(TableMsg::Refeed(self.reader));
    }

    /// Takes over options; a change of the kernel table or of what is read needs a restart, which the plan knows.
    fn reconfigure(&mut self, conf: Arc<ProtocolConf>) {
        let (Some(kernel), Some(rules), Some(channel)) =
            (kernel(&conf), rules(self.start.id, &conf), conf.channels.first())
        else {
            return;
        };
        self.conf = kernel.clone();
        self.rules = rules;
        self.import.set_conf(channel, false);
        self.import.respec();
        self.start.conf = conf;
        self.passed = None;
        self.look_again();
        if let Some(limit) = self.import.conf().export_limit.filter(|l| self.exported > l.routes_max) {
            self.pass(limit);
        }
    }

    /// Reads the kernel's table.
    fn scan(&mut self) {
        let now = Instant::now();
        self.next_scan = now + self.conf.scan_time.max(AGAIN);
        let learns = self.conf.learn != Learn::Off;
        let diary = self.start.diary.clone();
        diary.event(format_args!("Scanning routing table"));
        let Self { reconciler, learned, socket, .. } = self;
        let mut whole = Ok(false);
        for _ in 0..DUMPS_MAX {
            reconciler.scan_begin();
            learned.scan_begin();
            let (family, table) = (reconciler.family(), reconciler.table());
            whole = socket.dump(family, table, |seen| {
                reconciler.scan_saw(&seen);
                if learns {
                    learned.saw(&seen);
                }
            });
            if !matches!(whole, Ok(false)) {
                break;
            }
        }
        match whole {
            Ok(whole) => {
                diary.event(format_args!("Pruning table {}", self.import.conf().table));
                if learns {
                    diary.event(format_args!("Pruning inherited routes"));
                }
                reconciler.scan_end(whole);
                learned.scan_end(whole);
                self.strange.drain().for_each(|net| learned.touch(net));
            }
            Err(error) => {
                self.next_scan = now + AGAIN;
                self.warn(&format!("Netlink: {error}"));
            }
        }
    }

    fn heard(&mut self, notice: Notice) {
        match notice {
            Notice::Added(seen) => self.saw(&seen),
            Notice::Replaced(seen) => {
                self.reconciler.was_replaced(&seen);
                self.saw(&seen);
            }
            Notice::Gone(seen) => self.learned.gone(&seen),
            Notice::Unsettled(link) if !self.reconciler.uses(link) => {}
            Notice::Unsettled(_) | Notice::Lost => {
                self.next_scan = self.next_scan.min(Instant::now() + EXTRA_SCAN);
            }
        }
    }

    fn saw(&mut self, seen: &netlink::SeenRoute) {
        if self.conf.learn != Learn::Off && seen.net.family() == self.reconciler.family() {
            self.learned.saw(seen);
        }
    }

    fn delivered(&mut self, delivery: &Delivery) {
        match delivery {
            Delivery::Changes(batch) | Delivery::Feed(batch) => {
                batch.rows.iter().for_each(|row| self.judge(batch, row));
            }
            Delivery::FeedDone => {
                self.fed = true;
                self.come_to(false);
            }
        }
        self.feeding = match delivery {
            Delivery::Feed(_) => true,
            Delivery::FeedDone => false,
            Delivery::Changes(_) => self.feeding,
        };
    }

    fn judge(&mut self, batch: &ChangeBatch, row: &ChangeRow) {
        let paths = batch.paths_of(row).iter().filter_map(|p| {
            Some(Seen {
                attrs: batch.palette.get(p.attrs as usize)?,
                source: batch.sources.get(p.source as usize)?,
                hop: batch.hops.get(p.hop as usize)?,
                suppressed: p.suppressed,
            })
        });
        let (route, judged) = self.rules.wanted(row.net, paths, &self.ifaces, &mut self.runner);
        match &judged {
            None => self.stats.withdraws_received += 1,
            Some(judged) => {
                self.stats.updates_received += 1;
                match judged {
                    Judged::Vetoed => self.stats.updates_rejected += 1,
                    Judged::Rejected(_) => self.stats.updates_filtered += 1,
                    Judged::Accepted(..) => {}
                }
            }
        }
        let spot = self.reconciler.spot(row.net, row.id.0);
        let had = self.reconciler.wants_at(spot);
        let accepted = route.is_some();
        let route = route.filter(|_| had || self.is_below_limit());
        self.stats.updates_rejected += u64::from(accepted && route.is_none());
        if self.tracing.is_on() {
            let best = batch.paths_of(row).first();
            let to = best.and_then(|p| batch.hops.get(p.hop as usize));
            let source = best.and_then(|p| batch.sources.get(p.source as usize)).map(|s| &**s);
            let tail = to.map(|to| self.tracing.tail(&to.to, source, &self.ifaces)).unwrap_or_default();
            let refusal = match &judged {
                Some(Judged::Vetoed) => Some(Fate::RejectedByProtocol),
                Some(Judged::Rejected(_)) => Some(Fate::FilteredOut),
                _ if accepted && route.is_none() => Some(Fate::RejectedLimit),
                _ => None,
            };
            self.say(row.net, &tail, refusal, had, route.is_some());
        }
        self.want(spot, had, route.as_ref());
    }

    fn trace(&mut self, tracing: Tracing) {
        self.tracing = tracing;
        if !self.tracing.routes {
            self.traced = HashMap::new();
        }
    }

    /// Says what became of a route on its way to the kernel.
    fn say(&mut self, net: Prefix, tail: &Arc<str>, refusal: Option<Fate>, had: bool, told: bool) {
        let channel = self.tracing.channel;
        let protocol = || Arc::clone(&self.rules.name);
        let line = |fate, tail| Trace { protocol: protocol(), channel, way: Way::Out, fate, net, tail };
        let refused = refusal.filter(|_| self.tracing.filters).map(|fate| line(fate, Arc::clone(tail)));
        let moved = match (had, told) {
            _ if !self.tracing.routes => None,
            (false, false) => None,
            (true, false) => Some(line(Fate::Removed, self.traced.remove(&net).unwrap_or_default())),
            (had, true) => {
                self.traced.insert(net, Arc::clone(tail));
                Some(line(if had { Fate::Replaced } else { Fate::Added }, Arc::clone(tail)))
            }
        };
        for line in refused.into_iter().chain(moved) {
            tracing::info!(target: "trace", "{line}");
        }
    }

    fn want(&mut self, spot: Spot, had: bool, route: Option<&KernelRoute>) {
        self.exported = self.exported.saturating_add(u32::from(route.is_some())).saturating_sub(u32::from(had));
        if route.is_some() {
            self.stats.updates_accepted += 1;
        } else if had {
            self.stats.withdraws_accepted += 1;
        }
        self.reconciler.want_at(spot, route);
    }

    /// Whether one more route may be exported (`export limit`). Once passed, none is until a reload, but for `warn`.
    fn is_below_limit(&mut self) -> bool {
        if let Some(limit) = self.import.conf().export_limit.filter(|l| self.exported >= l.routes_max) {
            self.pass(limit);
        }
        matches!(self.passed, None | Some(LimitAction::Warn))
    }

    /// The limit is passed: said once until a reload.
    fn pass(&mut self, limit: Limit) {
        if self.passed.is_none() {
            self.passed = Some(limit.action);
            let (name, max, action) = (&self.rules.name, limit.routes_max, action_word(limit.action));
            tracing::warn!("Protocol {name} hits route export limit ({max}), action: {action}");
        }
    }

    /// Tells the table what was learned.
    fn teach(&mut self) {
        let preference = self.import.conf().preference;
        let mut lines = Vec::new();
        let Self { learned, import, ifaces, taught, strange, conf, .. } = self;
        learned.take(|net, best| match best.map(|seen| learn::attrs(seen, preference, conf, ifaces)) {
            Some(Ok(attrs)) => {
                taught.insert(net);
                import.announce(net, 0, &attrs, ifaces);
            }
            refused => {
                if let Some(Err(learn::Strange(gateway))) = refused {
                    let gateway = route::Written(gateway);
                    lines.push(format!("KRT: Received route {net} with strange next-hop {gateway}"));
                    strange.insert(net);
                }
                if taught.remove(&net) {
                    import.withdraw(net, 0);
                }
            }
        });
        import.flush();
        let now = self.clock.now();
        for line in lines {
            said(&mut self.limiter, now, line, |line| tracing::error!("{line}"));
        }
    }

    /// Carries requests out, a turn's worth. Says whether there are more.
    fn work(&mut self) -> bool {
        if self.fed {
            self.reconciler.told_all();
        }
        let mut requests = Vec::with_capacity(REQUESTS_MAX);
        for _ in 0..TURN_MAX / REQUESTS_MAX {
            requests.clear();
            self.reconciler.take(REQUESTS_MAX, &mut requests);
            if requests.is_empty() {
                return false;
            }
            if !self.carry_out(&requests) {
                return false;
            }
        }
        true
    }

    /// Carries some requests out; false when the kernel's answers were lost, and with them what we know.
    fn carry_out(&mut self, requests: &[Request]) -> bool {
        let table = self.reconciler.table();
        let result = match self.socket.carry_out(table, self.reconciler.palette(), requests) {
            Ok(result) if !result.lost => result,
            other => {
                requests.iter().for_each(|request| self.reconciler.lost(request));
                self.next_scan = Instant::now();
                if let Err(error) = other {
                    self.next_scan += AGAIN;
                    self.warn(&format!("Netlink: {error}"));
                }
                return false;
            }
        };
        let mut errors = result.errors.into_iter().peekable();
        for (at, request) in requests.iter().enumerate() {
            let error: Option<Errno> = errors.next_if(|(place, _)| *place == at).map(|(_, error)| error);
            if let Some(error) = self.reconciler.settle(request, error.map_or(Ok(()), Err)) {
                self.warn(&format!("Netlink: {error}"));
            }
        }
        true
    }

    fn warn(&mut self, line: &str) {
        said(&mut self.limiter, self.clock.now(), line.to_owned(), |line| tracing::warn!("{line}"));
    }

    /// Lets others see how things stand.
    fn show(&mut self, shared: &Shared) {
        *shared.stats.lock().unwrap_or_else(PoisonError::into_inner) = (self.stats, self.exported);
        shared.feeding.store(self.feeding, Ordering::Relaxed);
        let changes = self.reconciler.take_error_changes();
        if changes.is_empty() {
            return;
        }
        let mut refused = shared.refused.write().unwrap_or_else(PoisonError::into_inner);
        for net in changes {
            match self.reconciler.error(&net) {
                Some(_) => refused.insert(net),
                None => refused.remove(&net),
            };
        }
    }
}

/// Which lines are wanted about what goes to the kernel.
fn traced(conf: &ProtocolConf, voice: Voice) -> Tracing {
    let channel = conf.channels.first();
    let name = channel.map_or("", |c| channel_word(c.family, c.carries));
    Tracing::outwards(conf.debug, channel.map_or(DebugMask::default(), |c| c.debug), voice, name)
}

/// The metric of the routes that are ours; `None`: whatever it is.
fn own_metric(conf: &KernelConf) -> Option<u32> {
    conf.metric.filter(|metric| *metric != 0 && !conf.owns_all_metrics)
}

fn said(limiter: &mut Limiter, now: Moment, line: String, say: impl FnOnce(String)) {
    match limiter.next(now) {
        Line::Say => say(line),
        Line::Last => say(line + " ..."),
        Line::Drop => {}
    }
}
