//! `show route`: which nets, in which order, judged for whom.
//!
//! The table's owner is asked for slices of at most [`SLICE`] prefixes; the list
//! of a whole table is sorted here, on another thread when it is long; pages of
//! rows are asked for one at a time, as the client takes them.

use crate::protocols::{KernelHandle, PipeHandle};
use control::request::{Nets, RouteQuery};
use control::view::{Exported, RouteItem, RouteNet, RoutePath};
use filter::Policy;
use rib::batch::NetId;
use rib::export::{ExportVerdict, Judged, MemberId};
use rib::query::NetView;
use rib::table::Table;
use route::{Prefix, TableId};
use session::peer::Deps;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Prefixes copied in one visit to a table.
const SLICE: usize = 4096;

/// Nets in one page.
const PAGE: usize = 256;

/// For whom `export`, `preexport` and `noexport` judge.
#[derive(Clone)]
pub enum Judge {
    /// A BGP peer that is up: its export group, and which paths it may be told.
    Member(MemberId, Candidates),
    /// A kernel protocol.
    Kernel(KernelHandle),
    /// A pipe.
    Pipe(PipeHandle),
    /// A protocol that is told nothing, or a peer that is down: its export policy alone.
    Policy(Policy),
}

/// Which paths of a net may be told to a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Candidates {
    /// The best.
    Best,
    /// The first that is accepted (`secondary`).
    FirstAccepted,
    /// Every one (ADD-PATH).
    All,
}

/// A table to be listed.
#[derive(Clone)]
pub struct Listed {
    /// Its name.
    pub name: Arc<str>,
    /// Its number.
    pub table: TableId,
    /// Kernel protocols that read it: they know which routes the kernel refused.
    pub kernels: Vec<KernelHandle>,
}

/// Sends all pages of an answer; ends early when the client is gone.
pub async fn answer(
    deps: Deps,
    tables: Vec<Listed>,
    query: Arc<RouteQuery>,
    judge: Option<Judge>,
    pages: mpsc::Sender<RouteItem>,
) {
    for listed in tables {
        if pages.send(RouteItem::Table(Arc::clone(&listed.name))).await.is_err() {
            return;
        }
        if let Some(net) = Sought::of(query.nets) {
            // One visit to the table: each costs a change of threads, twice.
            let shown = deps.tables.query(listed.table, move |t| net.find(t).and_then(|id| t.show(id)));
            let nets: Vec<_> = shown.await.flatten().into_iter().collect();
            if !nets.is_empty() && !send(&deps, &listed, judge.as_ref(), nets, &pages).await {
                return;
            }
            continue;
        }
        let ids = all(&deps, listed.table).await;
        for chunk in ids.chunks(PAGE) {
            let ids: Vec<NetId> = chunk.iter().map(|(_, id)| *id).collect();
            let shown =
                deps.tables.query(listed.table, move |t| ids.iter().filter_map(|id| t.show(*id)).collect::<Vec<_>>());
            let Some(nets) = shown.await else { break };
            if !send(&deps, &listed, judge.as_ref(), nets, &pages).await {
                return;
            }
        }
    }
}

/// Sends a page of nets; `false`: the client is gone.
async fn send(
    deps: &Deps,
    listed: &Listed,
    judge: Option<&Judge>,
    nets: Vec<NetView>,
    pages: &mpsc::Sender<RouteItem>,
) -> bool {
    let exported = judge_all(deps, judge, listed.table, &nets).await;
    pages.send(RouteItem::Nets(assemble(nets, exported, &listed.kernels))).await.is_ok()
}

/// One net that a query is about.
#[derive(Clone, Copy)]
enum Sought {
    Exact(Prefix),
    /// The longest that covers this.
    Covering(Prefix),
}

impl Sought {
    fn of(nets: Nets) -> Option<Self> {
        match nets {
            Nets::All => None,
            Nets::Exact(net) => Some(Self::Exact(net)),
            Nets::ForAddress(addr) => Some(Self::Covering(Prefix::host(addr))),
            Nets::ForPrefix(net) => Some(Self::Covering(net)),
        }
    }

    fn find(self, table: &Table) -> Option<NetId> {
        match self {
            Self::Exact(net) => table.find(&net),
            Self::Covering(net) => table.longest_match(&net),
        }
    }
}

/// All nets of a table, ordered by prefix.
async fn all(deps: &Deps, table: TableId) -> Vec<(Prefix, NetId)> {
    let mut found = Vec::new();
    let mut from = Some(NetId(0));
    while let Some(at) = from {
        let slice = deps.tables.query(table, move |t| {
            let mut out = Vec::new();
            let next = t.nets(at, SLICE, &mut out);
            (out, next)
        });
        let Some((mut out, next)) = slice.await else { break };
        found.append(&mut out);
        from = next;
    }
    if found.len() <= SLICE {
        found.sort_unstable();
        return found;
    }
    let sorted = tokio::task::spawn_blocking(move || {
        found.sort_unstable();
        found
    });
    sorted.await.unwrap_or_default()
}

/// What an export makes of each path of each net; empty when nobody asked.
async fn judge_all(deps: &Deps, judge: Option<&Judge>, table: TableId, nets: &[NetView]) -> Vec<Vec<Option<Exported>>> {
    match judge {
        None => Vec::new(),
        Some(Judge::Policy(policy)) => {
            nets.iter().map(|n| n.paths.iter().map(|p| p.best.then(|| by_policy(policy, p))).collect()).collect()
        }
        Some(Judge::Kernel(kernel)) => kernel.judge(nets),
        Some(Judge::Pipe(pipe)) => pipe.judge(table, nets),
        Some(Judge::Member(member, candidates)) => {
            let mut judged = deps.exports.judge(*member, nets.to_vec()).await.into_iter();
            nets.iter().map(|n| chosen(n, *candidates, judged.by_ref().take(n.paths.len()).collect())).collect()
        }
    }
}

/// Leaves out what is not a candidate.
fn chosen(net: &NetView, candidates: Candidates, judged: Vec<Judged>) -> Vec<Option<Exported>> {
    let mut told = false;
    net.paths
        .iter()
        .zip(judged)
        .map(|(path, judged)| {
            let is_candidate = match candidates {
                Candidates::Best => path.best,
                Candidates::FirstAccepted => !told,
                Candidates::All => true,
            };
            told |= is_candidate && judged.verdict == ExportVerdict::Accepted;
            (is_candidate && !path.filtered).then(|| exported(judged))
        })
        .collect()
}

fn by_policy(policy: &Policy, path: &rib::query::PathView) -> Exported {
    Exported::Judged { attrs: path.attrs.clone(), accepted: matches!(policy, Policy::Accept) }
}

fn exported(judged: Judged) -> Exported {
    match judged.verdict {
        ExportVerdict::Vetoed => Exported::Vetoed,
        ExportVerdict::Filtered => Exported::Judged { attrs: judged.attrs, accepted: false },
        ExportVerdict::Accepted => Exported::Judged { attrs: judged.attrs, accepted: true },
    }
}

fn assemble(nets: Vec<NetView>, exported: Vec<Vec<Option<Exported>>>, kernels: &[KernelHandle]) -> Vec<RouteNet> {
    let mut exported = exported.into_iter();
    nets.into_iter()
        .map(|n| {
            let mut of_net = exported.next().unwrap_or_default().into_iter();
            let paths = n.paths.into_iter().map(|path| RoutePath { path, export: of_net.next().flatten() }).collect();
            RouteNet { net: n.net, sync_error: kernels.iter().any(|k| k.is_refused(&n.net)), paths }
        })
        .collect()
}
