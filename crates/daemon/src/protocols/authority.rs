//! A channel to a ROA or ASPA table: what static and RPKI say of who may originate what,
//! and who carries on the routes of whom.
//!
//! An [`Authority`] runs the import filter over what the protocol gives, puts it
//! onto the board and counts as BIRD counts. Nothing is ever told out of such a
//! table, so there is no other side.

use super::Start;
use super::policy::Runner;
use crate::roas::RoaBoard;
use crate::world::{Listeners, Whose};
use conf::channel_word;
use conf::config::{Carries, ChannelConf, ProtocolConf};
use control::view::{ChannelView, LimitView, RoutesView};
use filter::{Authorised, RouteView, Verdict};
use rib::batch::{Limit, LimitKind};
use rib::limits::Gate;
use rib::stats::{ExportStats, ImportStats, RouteCounts};
use route::aspa::providers_value;
use route::attrs::{Local, LocalAttr};
use route::{AspaTable, AttrSet, Customer, Dest, Family, Ifaces, Prefix, ProtocolId, Roa};
use route::{RoaChange, RoaChanged, RoaTables, Source, SourceId, SourceKind};
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// What an authorisation is known by in its table.
pub trait Record: Copy {
    /// The channels to such tables.
    const CARRIES: Carries;

    /// Its net, as filters see it, with the prefix if there is one.
    fn net(&self) -> (Prefix, Authorised<'_>);

    /// Changes a table.
    fn change(board: &RoaBoard, table: &str, change: RoaChange<Self>) -> RoaChanged;

    /// How many of a table a protocol has given.
    fn given_by(tables: &RoaTables, table: &str, protocol: ProtocolId) -> usize;

    /// Whether it stands in a table, from this source.
    fn stands(&self, tables: &RoaTables, table: &str, source: SourceId) -> bool;
}

impl Record for Roa {
    const CARRIES: Carries = Carries::Origins;

    fn net(&self) -> (Prefix, Authorised<'_>) {
        (self.prefix, Authorised::Origin(self))
    }

    fn change(board: &RoaBoard, table: &str, change: RoaChange) -> RoaChanged {
        board.change(table, change)
    }

    fn given_by(tables: &RoaTables, table: &str, protocol: ProtocolId) -> usize {
        tables.get(table).map_or(0, |t| t.given_by(protocol))
    }

    fn stands(&self, tables: &RoaTables, table: &str, source: SourceId) -> bool {
        tables.get(table).is_some_and(|t| t.given_from(self, source).is_some())
    }
}

impl Record for Customer {
    const CARRIES: Carries = Carries::Providers;

    fn net(&self) -> (Prefix, Authorised<'_>) {
        (Prefix::default(Family::Ipv4), Authorised::Customer(*self))
    }

    fn change(board: &RoaBoard, table: &str, change: RoaChange<Self>) -> RoaChanged {
        board.change_aspas(table, change)
    }

    fn given_by(tables: &RoaTables, table: &str, protocol: ProtocolId) -> usize {
        tables.aspas(table).map_or(0, |t| t.given_by(protocol))
    }

    fn stands(&self, tables: &RoaTables, table: &str, source: SourceId) -> bool {
        let of = |t: &Arc<AspaTable>| t.of(*self).iter().any(|entry| entry.by.source.id == source);
        tables.aspas(table).is_some_and(of)
    }
}

/// See the head of the module.
pub struct Authority<K = Roa> {
    conf: ChannelConf,
    board: RoaBoard,
    source: Arc<Source>,
    runner: Runner,
    plain: AttrSet,
    stats: ImportStats,
    limits: Limits,
    listeners: Listeners,
    up: bool,
    records: PhantomData<K>,
}

impl<K: Record> Authority<K> {
    /// For all channels of a protocol that carry these.
    pub fn all(start: &Start, kind: SourceKind) -> Vec<Self> {
        let ours = start.conf.roa_channels.iter().filter(|c| c.carries == K::CARRIES);
        ours.map(|c| Self::new(start, c, kind)).collect()
    }

    /// Takes over new options of them.
    pub fn take_over(all: &mut [Self], conf: &ProtocolConf) {
        let ours = conf.roa_channels.iter().filter(|c| c.carries == K::CARRIES);
        all.iter_mut().zip(ours).for_each(|(channel, conf)| channel.set_conf(conf));
    }

    fn new(start: &Start, conf: &ChannelConf, kind: SourceKind) -> Self {
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
            limits: Limits::new(conf),
            listeners: start.world.listeners.clone(),
            up: false,
            records: PhantomData,
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

    fn set_conf(&mut self, conf: &ChannelConf) {
        self.plain = plain(self.source.kind, conf);
        self.conf = conf.clone();
        self.limits = Limits::new(conf);
        if self.limits.are_some() {
            let standing = self.standing(&self.board.now());
            let (receive, import) = (self.limits.receive.verify(standing), self.limits.import.verify(standing));
            self.say_passed(LimitKind::Receive, receive);
            self.say_passed(LimitKind::Import, import);
        }
    }

    /// The channel comes up.
    pub fn up(&mut self) {
        self.up = true;
        self.limits = Limits::new(&self.conf);
        self.stats = ImportStats::default();
    }

    /// The channel goes down, what it gave with it.
    pub fn down(&mut self) {
        self.up = false;
        self.change(true, Vec::new(), Vec::new());
    }

    /// Takes some back and gives others. `whole`: what is not given now is gone.
    pub fn tell(&mut self, whole: bool, mut gone: Vec<K>, given: Vec<(K, AttrSet)>, ifaces: &Ifaces) {
        let (offered, taken_back) = (given.len(), gone.len());
        let mut come = Vec::with_capacity(offered);
        let mut room = self.room(whole, &gone, &given);
        let mut accepted = 0;
        for (record, attrs) in given {
            let view = view_of(&record, &attrs, &self.source);
            match self.runner.judge(&self.conf.import, view, ifaces) {
                (Verdict::Accept, changed) => {
                    accepted += 1;
                    if self.admits(&record, room.as_mut()) {
                        come.push((record, changed.unwrap_or(attrs)));
                    }
                }
                // What stood before is withdrawn by one that is refused.
                (Verdict::Reject, _) => {
                    if let Some(room) = &mut room {
                        room.leaves(&record, &self.conf.table, self.source.id);
                    }
                    gone.push(record);
                }
            }
        }
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

    fn standing(&self, tables: &RoaTables) -> u32 {
        u32::try_from(K::given_by(tables, &self.conf.table, self.source.protocol)).unwrap_or(u32::MAX)
    }

    /// What limits are judged by, when there are any. What goes makes room first.
    fn room(&self, whole: bool, gone: &[K], given: &[(K, AttrSet)]) -> Option<Room> {
        if !self.limits.are_some() {
            return None;
        }
        let (tables, table, source) = (self.board.now(), &*self.conf.table, &*self.source);
        let stands = |record: &K| record.stands(&tables, table, source.id);
        let standing = if whole {
            given.iter().filter(|(record, _)| stands(record)).count()
        } else {
            let leave = gone.iter().filter(|record| stands(record)).count();
            K::given_by(&tables, table, source.protocol).saturating_sub(leave)
        };
        let standing = u32::try_from(standing).unwrap_or(u32::MAX);
        Some(Room { tables, standing })
    }

    /// Whether the limits let one more in. What stands may be replaced.
    fn admits(&mut self, record: &K, room: Option<&mut Room>) -> bool {
        let Some(room) = room else { return true };
        if record.stands(&room.tables, &self.conf.table, self.source.id) {
            return true;
        }
        let receive = self.limits.receive.admit(room.standing);
        self.say_passed(LimitKind::Receive, receive.tell);
        if !receive.admitted {
            return false;
        }
        let import = self.limits.import.admit(room.standing);
        self.say_passed(LimitKind::Import, import.tell);
        room.standing += u32::from(import.admitted);
        import.admitted
    }

    fn say_passed(&self, which: LimitKind, passed: Option<Limit>) {
        if let Some(passed) = passed {
            let Source { protocol, protocol_name, .. } = &*self.source;
            self.listeners.passed(Whose::Protocol(*protocol), protocol_name, which, passed);
        }
    }

    fn change(&self, whole: bool, gone: Vec<K>, come: Vec<(K, AttrSet)>) -> RoaChanged {
        let change = RoaChange { source: Arc::clone(&self.source), by: self.source.protocol, whole, gone, come };
        K::change(&self.board, &self.conf.table, change)
    }

    /// As `show protocols all` shows it.
    pub fn view(&self) -> ChannelView {
        let imported = self.standing(&self.board.now());
        let counts = RouteCounts { imported, filtered: 0, exported: 0, preferred: imported };
        let routes = RoutesView { counts, keep_filtered: false, import: self.stats, export: ExportStats::default() };
        ChannelView {
            name: channel_word(self.conf.family, K::CARRIES),
            table: Arc::clone(&self.conf.table),
            peer_table: None,
            state: if self.up { "UP" } else { "DOWN" },
            preference: self.conf.preference,
            import: self.conf.import.clone(),
            export: self.conf.export.clone(),
            recovery: None,
            receive_limit: LimitView::of(self.conf.receive_limit, self.limits.receive.was_passed()),
            import_limit: LimitView::of(self.conf.import_limit, self.limits.import.was_passed()),
            // Nothing is told out of such a table, so it is never passed.
            export_limit: LimitView::of(self.conf.export_limit, false),
            routes: self.up.then_some(routes),
            pipe: None,
            restart: None,
            next_hop: None,
            igp_tables: Vec::new(),
        }
    }
}

/// `receive limit` and `import limit` of a channel.
struct Limits {
    receive: Gate,
    import: Gate,
    are_some: bool,
}

impl Limits {
    fn new(conf: &ChannelConf) -> Self {
        Self {
            receive: Gate::new(conf.receive_limit),
            import: Gate::new(conf.import_limit),
            are_some: conf.receive_limit.is_some() || conf.import_limit.is_some(),
        }
    }

    const fn are_some(&self) -> bool {
        self.are_some
    }
}

/// The tables before a change, and how many of the channel stand as it goes on.
struct Room {
    tables: Arc<RoaTables>,
    standing: u32,
}

impl Room {
    fn leaves<K: Record>(&mut self, record: &K, table: &str, source: SourceId) {
        let stood = record.stands(&self.tables, table, source);
        self.standing = self.standing.saturating_sub(u32::from(stood));
    }
}

/// An authorisation as a filter sees it.
pub fn view_of<'a, K: Record>(record: &'a K, attrs: &'a AttrSet, source: &'a Source) -> RouteView<'a> {
    let (net, roa) = record.net();
    RouteView { roa: Some(roa), net, attrs, source, resolved: None, igp_metric: None }
}

/// What all authorisations of a channel have before its filter.
fn plain(kind: SourceKind, conf: &ChannelConf) -> AttrSet {
    AttrSet::local_only(Local::new(kind, conf.preference, Dest::Unreachable))
}

/// The attributes of an authorisation of providers.
pub fn with_providers(plain: &AttrSet, providers: &[u32]) -> AttrSet {
    let mut local = plain.local().clone();
    local.set_extra(LocalAttr::AspaProviders, Some(providers_value(providers)));
    AttrSet::local_only(local)
}
