//! A channel to a ROA table: what static and RPKI say of who may originate what.
//!
//! An [`Authority`] runs the import filter over what the protocol gives, puts it
//! onto the board and counts as BIRD counts. Nothing is ever told out of such a
//! table, so there is no other side.

use super::Start;
use super::policy::Runner;
use crate::roas::RoaBoard;
use conf::channel_word;
use conf::config::ChannelConf;
use control::view::{ChannelView, RoutesView};
use filter::{RouteView, Verdict};
use rib::stats::{ExportStats, ImportStats, RouteCounts};
use route::attrs::Local;
use route::{AttrSet, Dest, Ifaces, Roa, RoaChange, Source, SourceId, SourceKind};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// See the head of the module.
pub struct Authority {
    conf: ChannelConf,
    board: RoaBoard,
    source: Arc<Source>,
    runner: Runner,
    plain: AttrSet,
    stats: ImportStats,
    up: bool,
}

impl Authority {
    /// For a channel of the protocol. `kind`: of protocol.
    pub fn new(start: &Start, conf: &ChannelConf, kind: SourceKind) -> Self {
        let source = Source {
            id: SourceId(start.world.deps.sources.fetch_add(1, Ordering::Relaxed)),
            protocol: start.id,
            protocol_name: Arc::clone(&start.conf.name),
            kind,
            path_id: 0,
            bgp: None,
        };
        Self {
            conf: conf.clone(),
            board: start.world.roas.clone(),
            source: Arc::new(source),
            runner: Runner::new(start.world.deps.roas.clone()),
            plain: plain(kind, conf),
            stats: ImportStats::default(),
            up: false,
        }
    }

    /// The channel's options.
    pub const fn conf(&self) -> &ChannelConf {
        &self.conf
    }

    /// Its attributes, before any filter.
    pub const fn plain(&self) -> &AttrSet {
        &self.plain
    }

    /// Who gives what comes by this channel.
    pub const fn source(&self) -> &Arc<Source> {
        &self.source
    }

    /// Takes over new options.
    pub fn set_conf(&mut self, conf: &ChannelConf) {
        self.plain = plain(self.source.kind, conf);
        self.conf = conf.clone();
    }

    /// The channel comes up.
    pub fn up(&mut self) {
        self.up = true;
        self.stats = ImportStats::default();
    }

    /// The channel goes down, what it gave with it.
    pub fn down(&mut self) {
        self.up = false;
        self.change(true, Vec::new(), Vec::new());
    }

    /// Takes some back and gives others. `whole`: what is not given now is gone.
    pub fn tell(&mut self, whole: bool, mut gone: Vec<Roa>, given: Vec<(Roa, AttrSet)>, ifaces: &Ifaces) {
        let (offered, taken_back) = (given.len(), gone.len());
        let mut come = Vec::with_capacity(offered);
        for (roa, attrs) in given {
            let view = RouteView {
                roa: Some(&roa),
                net: roa.prefix,
                attrs: &attrs,
                source: &self.source,
                resolved: None,
                igp_metric: None,
            };
            match self.runner.judge(&self.conf.import, view, ifaces) {
                (Verdict::Accept, changed) => come.push((roa, changed.unwrap_or(attrs))),
                // What stood before is withdrawn by one that is refused.
                (Verdict::Reject, _) => gone.push(roa),
            }
        }
        let accepted = come.len();
        let changed = self.change(whole, gone, come);
        let count = |n: usize| n as u64;
        let stats = &mut self.stats;
        stats.updates_received += count(offered);
        stats.updates_filtered += count(offered - accepted);
        stats.updates_accepted += count(changed.come);
        stats.updates_ignored += count(accepted.saturating_sub(changed.come));
        stats.withdraws_received += count(taken_back);
        stats.withdraws_accepted += count(changed.gone);
        stats.withdraws_ignored += count(taken_back.saturating_sub(changed.gone));
    }

    fn change(&self, whole: bool, gone: Vec<Roa>, come: Vec<(Roa, AttrSet)>) -> route::RoaChanged {
        let change = RoaChange { source: Arc::clone(&self.source), whole, gone, come };
        self.board.change(&self.conf.table, change)
    }

    /// As `show protocols all` shows it.
    pub fn view(&self) -> ChannelView {
        let imported = self.board.now().get(&self.conf.table).map_or(0, |t| t.given_by(self.source.protocol));
        let imported = u32::try_from(imported).unwrap_or(u32::MAX);
        let counts = RouteCounts { imported, filtered: 0, exported: 0, preferred: imported };
        let routes = RoutesView { counts, keep_filtered: false, import: self.stats, export: ExportStats::default() };
        ChannelView {
            name: channel_word(self.conf.family, true),
            table: Arc::clone(&self.conf.table),
            peer_table: None,
            state: if self.up { "UP" } else { "DOWN" },
            preference: self.conf.preference,
            import: self.conf.import.clone(),
            export: self.conf.export.clone(),
            recovery: None,
            receive_limit: None,
            import_limit: None,
            export_limit: None,
            routes: self.up.then_some(routes),
            pipe: None,
            restart: None,
            next_hop: None,
            igp_tables: Vec::new(),
        }
    }
}

/// What all authorisations of a channel have before its filter.
fn plain(kind: SourceKind, conf: &ChannelConf) -> AttrSet {
    AttrSet::local_only(Local::new(kind, conf.preference, Dest::Unreachable))
}
