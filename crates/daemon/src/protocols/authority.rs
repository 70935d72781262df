//! A channel to a ROA or ASPA table: what static and RPKI say of who may originate what,
//! and who carries on the routes of whom.
//!
//! An [`Authority`] runs the import filter over what the protocol gives, and puts onto
//! the board what its inlet makes of it. Nothing is ever told out of such a table, so
//! there is no other side.

use super::Start;
use super::diary::Diary;
use super::policy::Runner;
use crate::roas::{Inlet, InletSpec, Record, RoaBoard, Wanted};
use crate::world::Listeners;
use conf::channel_word;
use conf::config::{ChannelConf, ProtocolConf};
use control::view::{ChannelView, LimitView, RoutesView};
use filter::Verdict;
use rib::stats::{ExportStats, RouteCounts};
use rib::trace::Fate;
use route::aspa::providers_value;
use route::attrs::{Local, LocalAttr};
use route::{AttrSet, Dest, Ifaces, Source, SourceId, SourceKind};
use std::collections::{BTreeMap, BTreeSet};
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// See the head of the module.
pub struct Authority<K = route::Roa> {
    conf: ChannelConf,
    board: RoaBoard,
    source: Arc<Source>,
    runner: Runner,
    plain: AttrSet,
    inlet: Inlet,
    listeners: Listeners,
    diary: Diary,
    up: bool,
    records: PhantomData<K>,
}

/// What becomes of that which a protocol gave before and does not name now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// It stays.
    Stays,
    /// It goes, and nobody has said so.
    Goes,
    /// It is withdrawn.
    Withdrawn,
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
        let source = Arc::new(Source {
            id: SourceId(start.world.deps.sources.fetch_add(1, Ordering::Relaxed)),
            protocol: start.id,
            protocol_name: Arc::clone(&start.conf.name),
            kind,
            path_id: 0,
            bgp: None,
        });
        let (listeners, diary) = (start.world.listeners.clone(), start.diary.clone());
        Self {
            conf: conf.clone(),
            board: start.world.roas.clone(),
            runner: Runner::new(start.world.deps.roas.clone()),
            plain: plain(kind, conf),
            inlet: Inlet::new(inlet_spec(conf, &source, &listeners, &diary)),
            source,
            listeners,
            diary,
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
        self.inlet.set_spec(inlet_spec(conf, &self.source, &self.listeners, &self.diary));
    }

    /// The channel comes up.
    pub fn up(&mut self) {
        self.up = true;
        self.inlet = Inlet::new(self.inlet.spec().clone());
    }

    /// The channel goes down, what it gave with it.
    pub fn down(&mut self) {
        self.up = false;
        self.tell(Rest::Goes, &[], Vec::new(), &Ifaces::default());
    }

    /// Takes some back and gives others. What goes makes room for what comes; of what is given twice the last counts.
    pub fn tell(&mut self, rest: Rest, gone: &[K], given: Vec<(K, AttrSet)>, ifaces: &Ifaces) {
        let tables = self.board.now();
        let Some(table) = K::table(&tables, &self.conf.table) else { return };
        let mut change = self.inlet.change(&self.source);
        self.inlet.stats.updates_received += given.len() as u64;
        self.inlet.stats.withdraws_received += gone.len() as u64;
        let mut given: BTreeMap<K, AttrSet> = given.into_iter().collect();
        given.retain(|record, _| record.is_net() || self.ignore(record));
        let mut gone: BTreeSet<K> = gone.iter().copied().filter(|record| !given.contains_key(record)).collect();
        if rest != Rest::Stays {
            for record in K::of_source(table, self.source.id) {
                if !given.contains_key(&record) && gone.insert(record) {
                    self.inlet.stats.withdraws_received += u64::from(rest == Rest::Withdrawn);
                }
            }
        }
        for record in gone {
            self.inlet.put(&tables, record, Wanted::Nothing, &mut change);
        }
        for (record, attrs) in given {
            let wanted = self.judge(&record, attrs, ifaces);
            self.inlet.put(&tables, record, wanted, &mut change);
        }
        self.board.change(&self.conf.table, change);
    }

    /// Takes note of one that is none.
    fn ignore(&mut self, record: &K) -> bool {
        self.inlet.stats.updates_rejected += 1;
        let (_, net) = record.net();
        tracing::warn!("Ignoring bogus prefix {net} received via {}", self.source.protocol_name);
        false
    }

    /// What the import filter makes of one.
    fn judge(&mut self, record: &K, attrs: AttrSet, ifaces: &Ifaces) -> Wanted {
        match self.runner.judge(&self.conf.import, record.view(&attrs, &self.source), ifaces) {
            (Verdict::Accept, changed) => Wanted::Accepted(changed.unwrap_or(attrs)),
            (Verdict::Reject, changed) => {
                self.inlet.stats.updates_filtered += 1;
                self.inlet.trace(Fate::FilteredOut, record, &self.source);
                Wanted::Filtered(changed.unwrap_or(attrs))
            }
        }
    }

    /// How many are the best.
    fn preferred(&self) -> u32 {
        let (tables, id) = (self.board.now(), self.source.id);
        let (Some(table), imported) = (K::table(&tables, &self.conf.table), self.inlet.counts().0) else { return 0 };
        if K::given(table).all(|(_, lot)| lot.source.id == id) {
            return imported;
        }
        let ours = K::given(table).filter(|(_, lot)| lot.source.id == id);
        let best = ours.filter(|(record, _)| record.lots(table).first().is_some_and(|best| best.source.id == id));
        u32::try_from(best.count()).unwrap_or(u32::MAX)
    }

    /// As `show protocols all` shows it.
    pub fn view(&self) -> ChannelView {
        let (imported, filtered) = self.inlet.counts();
        let counts = RouteCounts { imported, filtered, exported: 0, preferred: self.preferred() };
        let (keep_filtered, import) = (self.conf.keep_filtered, self.inlet.stats);
        let routes = RoutesView { counts, keep_filtered, import, export: ExportStats::default() };
        let (receive_hit, import_hit) = self.inlet.hits();
        ChannelView {
            name: channel_word(self.conf.family, K::CARRIES),
            table: Arc::clone(&self.conf.table),
            peer_table: None,
            state: if self.up { "UP" } else { "DOWN" },
            preference: self.conf.preference,
            import: self.conf.import.clone(),
            export: self.conf.export.clone(),
            recovery: None,
            receive_limit: LimitView::of(self.conf.receive_limit, receive_hit),
            import_limit: LimitView::of(self.conf.import_limit, import_hit),
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

fn inlet_spec(conf: &ChannelConf, source: &Source, listeners: &Listeners, diary: &Diary) -> InletSpec {
    InletSpec {
        protocol: source.protocol,
        name: Arc::clone(&source.protocol_name),
        into: Arc::clone(&conf.table),
        channel: channel_word(conf.family, conf.carries),
        keep_filtered: conf.keep_filtered,
        receive: conf.receive_limit,
        import: conf.import_limit,
        listeners: listeners.clone(),
        diary: diary.clone(),
    }
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
