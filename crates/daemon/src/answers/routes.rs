//! `show route`: which nets, in which order, judged for whom.
//!
//! The table's owner is asked for slices of at most [`SLICE`] prefixes; the list
//! of a whole table is sorted here, on another thread when it is long; pages of
//! rows are asked for one at a time, as the client takes them, and bounded in
//! prefixes and in paths: nobody else waits long for the table.

use crate::protocols::{KernelHandle, PipeHandle, resolved};
use control::request::{ExportMode, Nets, RouteQuery};
use control::view::{Exported, RouteItem, RoutePage};
use filter::Policy;
use rib::batch::{NetId, ResolvedHop};
use rib::export::{ExportVerdict, Judged, MemberId};
use rib::query::{NetView, Page, PageNet, PagePath};
use rib::table::Table;
use route::{ChannelId, Dest, Family, Prefix, Resolved, SourceId, TableId};
use session::peer::{Deps, PeerHandle, ReceivedRow, WhichReceived};
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Prefixes copied in one visit to a table.
const SLICE: usize = 4096;

/// Nets in one page.
const PAGE: usize = 1024;

/// Paths with which a page is full.
const PATHS_MAX: usize = 2048;

/// For whom `export`, `preexport` and `noexport` judge.
#[derive(Clone)]
pub enum Judge {
    /// A BGP peer that is up: its export group, and which paths it may be told.
    Member(MemberId, Candidates),
    /// The same, of what was told, as the export filter left it (`export table`).
    Told(MemberId, Candidates),
    /// The same, of all that the table has: what was told is accepted (`exported`).
    Holder(MemberId, Candidates),
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
    /// For whom routes of this table are judged, when that was asked.
    pub judge: Option<Judge>,
    /// The peer and family whose received routes are listed in place of the table's.
    pub received: Option<(PeerHandle, Family)>,
}

/// Sends all pages of an answer; ends early when the client is gone.
pub async fn answer(deps: Deps, tables: Vec<Listed>, query: Arc<RouteQuery>, pages: mpsc::Sender<RouteItem>) {
    let before = query.export.as_ref().is_some_and(|e| e.mode == ExportMode::Before);
    for listed in tables {
        if pages.send(RouteItem::Table(Arc::clone(&listed.name))).await.is_err() {
            return;
        }
        if let Some((peer, family)) = &listed.received {
            if !send_received(&deps, &listed, peer, *family, query.nets, &pages).await {
                return;
            }
            continue;
        }
        if let Some(net) = Sought::of(query.nets) {
            // One visit to the table: each costs a change of threads, twice.
            let shown = deps.tables.query(listed.table, move |t| net.find(t).map(|id| t.show_all(&[id], 1)));
            if let Some((page, _)) = shown.await.flatten()
                && !send(&deps, &listed, page, before, &pages).await
            {
                return;
            }
            continue;
        }
        let mut ids = all(&deps, listed.table).await;
        if let Nets::In(within) = query.nets {
            ids.retain(|(net, _)| within.covers(net));
        }
        let mut rest = ids.as_slice();
        while !rest.is_empty() {
            let asked: Vec<NetId> = rest.iter().take(PAGE).map(|(_, id)| *id).collect();
            let shown = deps.tables.query(listed.table, move |t| t.show_all(&asked, PATHS_MAX));
            let Some((page, looked_at)) = shown.await else { break };
            rest = rest.get(looked_at.max(1)..).unwrap_or_default();
            if !send(&deps, &listed, page, before, &pages).await {
                return;
            }
        }
    }
}

/// Sends a page of nets; `false`: the client is gone.
async fn send(deps: &Deps, listed: &Listed, page: Page, before: bool, pages: &mpsc::Sender<RouteItem>) -> bool {
    let exports = judge_all(deps, listed.judge.as_ref(), listed.table, &page, before).await;
    let (page, exports) = match listed.judge {
        Some(Judge::Told(..)) => only_told(page, exports),
        _ => (page, exports),
    };
    let refused = refused(&page, &listed.kernels);
    pages.send(RouteItem::Nets(RoutePage { page, exports, refused })).await.is_ok()
}

/// A page without what the neighbour was not told: no part of the table that is listed.
fn only_told(page: Page, exports: Vec<Option<Exported>>) -> (Page, Vec<Option<Exported>>) {
    let is_told = |exported: &Option<Exported>| matches!(exported, Some(Exported::Judged { accepted: true, .. }));
    let (mut told, mut of_told) = (Page { sources: page.sources.clone(), ..Page::default() }, Vec::new());
    let mut exports = exports.into_iter();
    for net in &page.nets {
        let start = told.paths.len() as u32;
        for path in page.paths_of(net) {
            let exported = exports.next().flatten();
            if is_told(&exported) {
                told.paths.push(path.clone());
                of_told.push(exported);
            }
        }
        let end = told.paths.len() as u32;
        if end > start {
            told.nets.push(PageNet { paths: start..end, ..net.clone() });
        }
    }
    (told, of_told)
}

/// Sends what a channel has received; `false`: the client is gone.
async fn send_received(
    deps: &Deps,
    listed: &Listed,
    peer: &PeerHandle,
    family: Family,
    nets: Nets,
    pages: &mpsc::Sender<RouteItem>,
) -> bool {
    let mut which = match Sought::of(nets) {
        Some(Sought::Exact(net)) => WhichReceived::Exact(net),
        Some(Sought::Covering(net)) => WhichReceived::Covering(net),
        None => WhichReceived::Behind(None),
    };
    loop {
        let mut rows = peer.received(family, which, PATHS_MAX).await;
        let last = rows.last().map(|row| (row.net, row.source.path_id));
        if let Nets::In(within) = nets {
            rows.retain(|row| within.covers(&row.net));
        }
        let page = received_page(deps, listed.table, rows).await;
        if !page.nets.is_empty() {
            let page = RoutePage { page, exports: Vec::new(), refused: Vec::new() };
            if pages.send(RouteItem::Nets(page)).await.is_err() {
                return false;
            }
        }
        match (which, last) {
            (WhichReceived::Behind(_), Some(last)) => which = WhichReceived::Behind(Some(last)),
            _ => return true,
        }
    }
}

/// Received routes as a page. Where the next hop of one is looked up, it is shown as in the table, if it is there.
async fn received_page(deps: &Deps, table: TableId, rows: Vec<ReceivedRow>) -> Page {
    let looked_up: Vec<Prefix> =
        rows.iter().filter(|r| matches!(r.attrs.local().dest, Dest::Recursive(_))).map(|r| r.net).collect();
    let shown = match looked_up.is_empty() {
        true => None,
        false => {
            let find = move |t: &mut Table| {
                let ids: Vec<NetId> = looked_up.iter().filter_map(|net| t.find(net)).collect();
                t.show_all(&ids, usize::MAX).0.views()
            };
            deps.tables.query(table, find).await
        }
    };
    let hops: HashMap<(Prefix, SourceId), ResolvedHop> = shown
        .into_iter()
        .flatten()
        .flat_map(|n| n.paths.into_iter().map(move |p| ((n.net, p.source.id), p.hop)))
        .collect();
    let mut page = Page::default();
    for (at, row) in (0u32..).zip(rows) {
        let key = (row.net, row.source.id);
        match page.nets.last_mut() {
            Some(last) if last.net == row.net => last.paths.end = at + 1,
            _ => page.nets.push(PageNet { id: NetId(0), net: row.net, paths: at..at + 1 }),
        }
        let is_first = page.nets.last().is_some_and(|net| net.paths.start == at);
        let source = page.sources.iter().position(|s| s.id == row.source.id).unwrap_or_else(|| {
            page.sources.push(Arc::clone(&row.source));
            page.sources.len() - 1
        });
        let hop = match resolved(&row.attrs.local().dest) {
            Some(to) => ResolvedHop { to, igp_metric: None, recursive: false },
            None => hops.get(&key).cloned().unwrap_or(ResolvedHop {
                to: Resolved::Unreachable,
                igp_metric: None,
                recursive: true,
            }),
        };
        page.paths.push(PagePath {
            attrs: row.attrs,
            source: source as u32,
            channel: ChannelId(0),
            hop,
            since: row.since,
            filtered: false,
            stale: false,
            suppressed: false,
            best: is_first,
        });
    }
    page
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
            Nets::All | Nets::In(_) | Nets::Roa(_) | Nets::Aspa(_) => None,
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

/// What an export makes of each path of a page; empty when nobody asked. `before`: as its filter sees it.
async fn judge_all(
    deps: &Deps,
    judge: Option<&Judge>,
    table: TableId,
    page: &Page,
    before: bool,
) -> Vec<Option<Exported>> {
    let Some(judge) = judge else { return Vec::new() };
    let nets = page.views();
    let of_nets = match judge {
        Judge::Policy(policy) => {
            nets.iter().map(|n| n.paths.iter().map(|p| p.best.then(|| by_policy(policy, p))).collect()).collect()
        }
        Judge::Kernel(kernel) => kernel.judge(&nets),
        Judge::Pipe(pipe) => pipe.judge(table, &nets),
        Judge::Member(member, candidates) | Judge::Told(member, candidates) | Judge::Holder(member, candidates) => {
            let mut judged = deps.exports.judge(*member, nets.clone()).await.into_iter();
            let is_told = matches!(judge, Judge::Told(..) | Judge::Holder(..));
            let show = |judged| if is_told { told(judged) } else { exported(judged, before) };
            nets.iter().map(|n| chosen(n, *candidates, judged.by_ref().take(n.paths.len()).collect(), show)).collect()
        }
    };
    let of_nets: Vec<Vec<Option<Exported>>> = of_nets;
    // Whoever went away while it was asked has judged nothing.
    let mut of_nets = of_nets.into_iter();
    let of_net = |n: &NetView| {
        let mut all = of_nets.next().unwrap_or_default();
        all.resize(n.paths.len(), None);
        all
    };
    nets.iter().flat_map(of_net).collect()
}

/// Leaves out what is not a candidate.
fn chosen(
    net: &NetView,
    candidates: Candidates,
    judged: Vec<Judged>,
    show: impl Fn(Judged) -> Exported,
) -> Vec<Option<Exported>> {
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
            (is_candidate && !path.filtered).then(|| show(judged))
        })
        .collect()
}

fn by_policy(policy: &Policy, path: &rib::query::PathView) -> Exported {
    Exported::Judged { attrs: path.attrs.clone(), accepted: matches!(policy, Policy::Accept), anew: false }
}

/// What the neighbour holds, as the filter left it.
fn told(judged: Judged) -> Exported {
    Exported::Judged { accepted: judged.told, attrs: judged.attrs, anew: judged.anew }
}

fn exported(judged: Judged, before: bool) -> Exported {
    let attrs = if before { judged.before_filter } else { judged.attrs };
    let anew = judged.anew && !before;
    match judged.verdict {
        ExportVerdict::Vetoed => Exported::Vetoed,
        ExportVerdict::Filtered => Exported::Judged { attrs, accepted: false, anew },
        ExportVerdict::Accepted => Exported::Judged { attrs, accepted: true, anew },
    }
}

/// For each prefix of a page whether the kernel refused it; empty when it refuses nothing.
fn refused(page: &Page, kernels: &[KernelHandle]) -> Vec<bool> {
    let refusing: Vec<_> = kernels.iter().filter(|k| k.refuses_any()).collect();
    if refusing.is_empty() {
        return Vec::new();
    }
    page.nets.iter().map(|n| refusing.iter().any(|k| k.is_refused(&n.net))).collect()
}
