//! `protocol kernel`: what a table says goes into a table of the kernel, and with `learn` the other way.
//!
//! The work is done on a thread of its own (`worker`), because requests to the
//! kernel block. This file is the handle: orders to the worker, and what others
//! may ask at any time without waiting for it.
//!
//! ```text
//!  journal ─► judge (export) ─► Reconciler ─► RouteSocket
//!  table ◄─ import filter ◄─ learn ◄─ Learned ◄─ dump and notices
//! ```

mod export;
mod learn;
mod worker;

use super::Start;
use super::policy::Runner;
use conf::config::{DebugMask, KernelConf, ProtocolConf, ProtocolKind};
use control::view::Exported;
use export::{Judged, Rules};
use rib::batch::ResolvedHop;
use rib::decision::Seen;
use rib::query::{NetView, PathView};
use rib::stats::ExportStats;
use route::{Ifaces, Moment, Prefix, ProtocolId, RoaTables};
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use tokio::sync::{mpsc, oneshot, watch};

/// A `kernel` protocol. Cheap to clone; its thread ends when all handles are gone.
#[derive(Clone)]
pub struct KernelHandle {
    orders: mpsc::UnboundedSender<Order>,
    shared: Arc<Shared>,
    ifaces: watch::Receiver<Arc<Ifaces>>,
    roas: watch::Receiver<Arc<RoaTables>>,
}

/// What the worker is told to do.
enum Order {
    Begin,
    /// The sender hears when it is done.
    Stop(oneshot::Sender<()>),
    /// Likewise; the kernel's routes stay.
    Leave(oneshot::Sender<()>),
    Reconfigure(Arc<ProtocolConf>, oneshot::Sender<()>),
    Reload,
    /// Of the protocol, and of its channel.
    Debug(DebugMask, DebugMask),
}

/// What the worker shows.
struct Shared {
    rules: Mutex<Option<Rules>>,
    stats: Mutex<(ExportStats, u32)>,
    refused: RwLock<HashSet<Prefix>>,
    limited: Mutex<Option<Limited>>,
    /// What stands in the table is on its way to us, and some of it has come.
    feeding: AtomicBool,
}

/// What the protocol did by itself when it passed its `export limit`.
#[derive(Clone, Copy, Debug)]
pub struct Limited {
    /// When.
    pub since: Moment,
    /// It went down and stays down until it is enabled (`disable`); otherwise it went up again (`restart`).
    pub is_down: bool,
}

impl KernelHandle {
    /// Makes it; it is down until [`begin`](Self::begin). Must be called inside the runtime.
    pub fn spawn(start: Start) -> Self {
        let (orders, heard) = mpsc::unbounded_channel();
        let rules = rules(start.id, &start.conf);
        let shared = Arc::new(Shared {
            rules: Mutex::new(rules),
            stats: Mutex::default(),
            refused: RwLock::default(),
            limited: Mutex::default(),
            feeding: AtomicBool::default(),
        });
        let ifaces = start.world.deps.ifaces.clone();
        let roas = start.world.deps.roas.clone();
        worker::spawn(start, heard, Arc::clone(&shared));
        Self { orders, shared, ifaces, roas }
    }

    /// Goes up; nothing happens when it is up already.
    ///
    /// What direct and static protocols have told before this is there when the
    /// kernel is first compared, so their routes of an earlier run are kept.
    pub fn begin(&self) {
        *self.shared.limited.lock().unwrap_or_else(PoisonError::into_inner) = None;
        let _ = self.orders.send(Order::Begin);
    }

    /// Goes down and removes its routes from the kernel, unless `persist`. The future ends when that is done.
    ///
    /// When the daemon ends, kernel protocols must be stopped before all others:
    /// what those withdraw afterwards must not reach a kernel whose routes persist.
    pub async fn stop(&self) {
        self.order(Order::Stop).await;
    }

    /// Goes down and leaves the kernel as it is: whoever comes next takes its routes over.
    pub async fn leave(&self) {
        self.order(Order::Leave).await;
    }

    /// Takes over new options; routes that stay the same are not touched.
    pub async fn reconfigure(&self, conf: Arc<ProtocolConf>) {
        self.order(|done| Order::Reconfigure(conf, done)).await;
    }

    /// Which lines are wanted from now on: what the protocol asks for, and its channel.
    pub fn debug(&self, mask: DebugMask, channel: DebugMask) {
        let _ = self.orders.send(Order::Debug(mask, channel));
    }

    async fn order(&self, order: impl FnOnce(oneshot::Sender<()>) -> Order) {
        let (done, waited) = oneshot::channel();
        let _ = self.orders.send(order(done));
        let _ = waited.await;
    }

    /// `reload`: scans at once and judges all routes anew.
    pub fn reload(&self) {
        let _ = self.orders.send(Order::Reload);
    }

    /// Export counters, and how many routes are exported now.
    pub fn stats(&self) -> (ExportStats, u32) {
        *self.shared.stats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What it did when it passed its `export limit`, since it was last told to go up.
    pub fn limited(&self) -> Option<Limited> {
        *self.shared.limited.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it is being told what stands in the table (`feed`).
    pub fn is_feeding(&self) -> bool {
        self.shared.feeding.load(Ordering::Relaxed)
    }

    /// Whether the kernel refused the best route of this prefix (` !`).
    pub fn is_refused(&self, net: &Prefix) -> bool {
        self.shared.refused.read().unwrap_or_else(PoisonError::into_inner).contains(net)
    }

    /// Whether the kernel refused any route.
    pub fn refuses_any(&self) -> bool {
        !self.shared.refused.read().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// `show route export|noexport|preexport kernel1`: for each path of each net what the export makes of it; `None`: no candidate.
    pub fn judge(&self, nets: &[NetView]) -> Vec<Vec<Option<Exported>>> {
        let rules = self.shared.rules.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(rules) = rules else { return nets.iter().map(|n| vec![None; n.paths.len()]).collect() };
        let ifaces = self.ifaces.borrow().clone();
        let mut runner = Runner::new(self.roas.clone());
        nets.iter().map(|net| judge_net(&rules, net, &ifaces, &mut runner)).collect()
    }
}

/// The rules by which a configuration judges; `None` when it is no kernel protocol with a channel.
fn rules(protocol: ProtocolId, conf: &ProtocolConf) -> Option<Rules> {
    let kernel = kernel(conf)?.clone();
    let export = conf.channels.first()?.export.clone();
    Some(Rules { protocol, name: Arc::clone(&conf.name), conf: kernel, export })
}

fn kernel(conf: &ProtocolConf) -> Option<&KernelConf> {
    match &conf.kind {
        ProtocolKind::Kernel(kernel) => Some(kernel),
        _ => None,
    }
}

fn judge_net(rules: &Rules, net: &NetView, ifaces: &Ifaces, runner: &mut Runner) -> Vec<Option<Exported>> {
    let valid = || net.paths.iter().filter(|p| !p.filtered);
    let candidate = |p: &PathView| p.best && !p.filtered;
    let mut told = |p: &PathView| {
        let judged = rules.judge(net.net, path(p), ifaces, runner);
        let anew = runner.written().has_field();
        match judged {
            Judged::Vetoed => Exported::Vetoed,
            Judged::Rejected(attrs) => Exported::Judged { attrs, accepted: false, anew },
            Judged::Accepted(attrs, _) => Exported::Judged { attrs, accepted: true, anew },
        }
    };
    let mut all: Vec<_> = net.paths.iter().map(|p| candidate(p).then(|| told(p))).collect();
    if rules.conf.merge_paths.is_some()
        && let Some(at) = net.paths.iter().position(candidate)
        && let (Some(route), Some(Judged::Accepted(attrs, alone))) =
            rules.wanted(net.net, valid().map(path), ifaces, runner)
        && route.dest != alone
        && let Some(place) = all.get_mut(at)
    {
        let hop = ResolvedHop { to: route.dest, igp_metric: None, recursive: false };
        *place = Some(Exported::Merged { attrs, hop });
    }
    all
}

fn path(p: &PathView) -> Seen<'_> {
    Seen { attrs: &p.attrs, source: &p.source, hop: &p.hop, suppressed: p.suppressed }
}
