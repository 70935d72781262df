//! The supervisor: one task that owns the running configuration and all protocol instances.
//!
//! Requests of the control socket and signals come through one queue. Questions
//! are answered by tasks of their own from copies of handles; orders are carried
//! out here, one at a time. What takes time (a session that says good-bye, a
//! kernel table that is emptied) is waited for by a task, which says so through
//! the same queue, so that nothing here ever waits long.

mod actions;
mod dumps;
mod members;
mod reading;
mod reload;
mod roas;

use reading::Wish;
pub use reload::Reload;

use crate::answers::{protocols, routes};
use crate::files::Disk;
use crate::instance::{Caller, Instance, Running};
use crate::protocols::{
    AggregatorHandle, BfdHandle, BmpHandle, DeviceHandle, Diary, DirectHandle, KernelHandle, MrtHandle, PipeHandle,
    RoaPipeHandle, RpkiHandle, Start, StaticHandle,
};
use crate::roas::Settled;
use crate::translate::{self, ChannelIds};
use crate::world::{Tripped, World};
use conf::config::{BgpConf, ChannelConf, Config, Dialect, ListenBgp, ProtocolConf, ProtocolKind};
use conf::load::{LoadOptions, Loaded, Refused};
use control::request::{Choice, Dump, ExportMode, ExportQuery, Farewell, Request, RouteQuery};
use control::view::{InterfaceView, MemoryView, Phase, RecoveryView, RouteItem, StatusView, Timer};
use filter::Policy;
use rib::query::{self, TableSpec};
use route::iface::Scope;
use route::{Ifaces, Moment, ProtocolId, RoaTables, TableId};
use session::limiter::Restarts;
use session::link::TableMsg;
use session::pace::Pace;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};

/// What reaches the supervisor beside requests.
#[derive(Debug)]
pub enum Order {
    /// SIGHUP.
    Reload,
    /// SIGTERM, SIGINT.
    Stop,
    /// SIGUSR1.
    Dump,
    /// The protocols that had to stop for a new configuration have stopped.
    Stopped(u64),
    /// The undo timer of this number ran out.
    UndoTimeout(u64),
    /// No further SIGHUP came for a moment.
    HangupSettled,
    /// A configuration was read and compared.
    Read(Box<reading::Read>),
    /// A route limit was passed.
    Limit(Tripped),
    /// A protocol that a limit restarts has waited long enough.
    LimitRestart(ProtocolId),
    /// A protocol that was to restart has stopped.
    BeginAgain(ProtocolId),
    /// A session cannot take over its new options while it stands.
    Renew(ProtocolId),
    /// A change of ROA tables has settled.
    Roas(Settled),
    /// A neighbour of a range has called, or is gone.
    Dynamic(session::dynamic::Word),
    /// It is time for a protocol `mrt` to write its tables.
    DumpTables(ProtocolId),
    /// A monitoring station came: neighbours shall tell again what they told before.
    AskNeighbors,
}

impl Order {
    /// For `debug latency`.
    const fn word(&self) -> &'static str {
        match self {
            Self::Reload | Self::HangupSettled => "SIGHUP",
            Self::Stop => "stop",
            Self::Dump => "dump",
            Self::Stopped(_) | Self::Read(_) | Self::UndoTimeout(_) => "configuration",
            Self::Limit(_) | Self::LimitRestart(_) => "limit",
            Self::BeginAgain(_) | Self::Renew(_) => "restart",
            Self::Roas(_) => "ROA change",
            Self::Dynamic(_) => "dynamic neighbor",
            Self::DumpTables(_) => "table dump",
            Self::AskNeighbors => "refresh",
        }
    }
}

/// A running configuration with its circumstances.
#[derive(Clone, Debug)]
pub struct Current {
    /// It.
    pub config: Arc<Config>,
    /// The file it was read from.
    pub path: Arc<str>,
    /// When it was read.
    pub read: Moment,
}

/// How configurations are read.
#[derive(Clone, Debug)]
pub struct Reader {
    /// Family and dialect of the command line.
    pub options: LoadOptions,
}

impl Reader {
    /// Reads a configuration from the disk.
    pub fn read(&self, path: &str) -> Result<Loaded, Refused> {
        self.read_with(path, &self.options)
    }

    /// Reads what shall run after another one; constants that did not change stay in memory once.
    pub fn read_after(&self, path: &str, before: &Config) -> Result<Loaded, Refused> {
        self.read_with(path, &LoadOptions { before: Some(Arc::clone(&before.symbols)), ..self.options.clone() })
    }

    /// Files that somebody is writing are read again, a few times.
    fn read_with(&self, path: &str, options: &LoadOptions) -> Result<Loaded, Refused> {
        let mut changed = String::new();
        for _ in 0..READS_MAX {
            let disk = Disk::default();
            let read = conf::load::load(path, &disk, options);
            match disk.changed() {
                None => return read,
                Some(file) => changed = file,
            }
            std::thread::sleep(READS_APART);
        }
        Err(Refused::because(format!("{changed}: File changed while it was read")))
    }
}

/// How often a configuration is read that changes while it is read.
const READS_MAX: usize = 5;
/// How long is waited before it is read again.
const READS_APART: Duration = Duration::from_millis(100);

/// Owns the running configuration and all instances.
pub struct Supervisor {
    world: World,
    reader: Reader,
    current: Current,
    /// The configuration of the command line: what `configure` without a name and SIGHUP read.
    home: Arc<str>,
    /// For the control socket and the log, which follow the running configuration.
    published: watch::Sender<Arc<Config>>,
    tables: HashMap<Arc<str>, TableId>,
    instances: Vec<Instance>,
    started: Moment,
    router_id: Ipv4Addr,
    /// Where neighbours are awaited: in dialect 1.6 as at the start.
    listen: ListenBgp,
    hostname: Arc<str>,
    reload: Reload,
    line: reading::Line,
    stopping: bool,
    farewell: Farewell,
    orders: mpsc::UnboundedSender<Order>,
    /// Where questions are answered: away from sessions.
    face: Handle,
}

/// Everything a supervisor is made of.
pub struct Parts {
    /// Threads and numbers.
    pub world: World,
    /// How configurations are read.
    pub reader: Reader,
    /// The first configuration.
    pub current: Current,
    /// Who follows it.
    pub published: watch::Sender<Arc<Config>>,
    /// The way into the queue.
    pub orders: mpsc::UnboundedSender<Order>,
    /// Where questions are answered.
    pub face: Handle,
}

impl Supervisor {
    /// Makes all tables and protocols of the first configuration and starts them.
    ///
    /// An error means that the daemon can not run at all (no router id).
    pub fn start(parts: Parts) -> Result<Self, String> {
        let Parts { world, reader, current, published, orders, face } = parts;
        let limits = orders.clone();
        world.listeners.on_limit(Box::new(move |tripped| drop(limits.send(Order::Limit(tripped)))));
        let roas = orders.clone();
        world.roas.on_settled(Box::new(move |settled| drop(roas.send(Order::Roas(settled)))));
        let words = orders.clone();
        world.deps.dynamic.on_word(Box::new(move |word| drop(words.send(Order::Dynamic(word)))));
        if current.config.protocols.iter().any(is_running_device) {
            let seen = Arc::clone(&world.monitor.ifaces().borrow());
            world.links.send_replace(seen);
        }
        let ifaces = Arc::clone(&world.deps.ifaces.borrow());
        let router_id = router_id(&current.config, &ifaces, None, true)?;
        let started = world.deps.clock.now();
        let hostname = nix::unistd::gethostname().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default().into();
        let mut this = Self {
            world,
            reader,
            home: Arc::clone(&current.path),
            listen: current.config.listen.clone(),
            current,
            published,
            tables: HashMap::new(),
            instances: Vec::new(),
            started,
            router_id,
            hostname,
            reload: Reload::default(),
            line: reading::Line::default(),
            stopping: false,
            farewell: Farewell::default(),
            orders,
            face,
        };
        let config = Arc::clone(&this.current.config);
        this.make_tables(&config);
        this.world.deps.exports.set_ifaces(ifaces);
        this.set_roas(&config);
        this.world.deps.recorder.set_file(config.mrtdump_file.clone());
        session::pace::set(translate::pace(&config.latency));
        config.protocols.iter().for_each(|conf| this.make(conf));
        this.begin_held();
        Ok(this)
    }

    /// Serves requests and orders until the daemon has stopped.
    pub async fn run(mut self, mut requests: mpsc::Receiver<Request>, mut orders: mpsc::UnboundedReceiver<Order>) {
        let mut links = self.world.monitor.ifaces();
        let pace = Pace::new("supervisor");
        loop {
            pace.end(1);
            tokio::select! {
                Ok(()) = links.changed() => {
                    pace.begin();
                    links.borrow_and_update();
                    pace.event("links", || self.look_at_links());
                }
                Some(order) = orders.recv() => {
                    if matches!(order, Order::Stop) {
                        break;
                    }
                    pace.begin();
                    pace.event(order.word(), || self.obey(order));
                }
                Some(request) = requests.recv() => {
                    pace.begin();
                    pace.event("command", || self.hear(request));
                }
                else => break,
            }
        }
        self.stop_all().await;
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Stop => {}
            Order::Reload => self.hangup(),
            Order::HangupSettled => self.hangup_settled(),
            Order::Read(read) => self.have_read(*read),
            Order::Dump => self.dump(),
            Order::Stopped(turn) => self.continue_reload(turn),
            Order::UndoTimeout(timer) => self.want(Wish::Undo(Err(timer))),
            Order::Limit(tripped) => self.trip(tripped),
            Order::LimitRestart(protocol) => self.restart_limited(protocol),
            Order::BeginAgain(protocol) => self.begin_again(protocol),
            Order::Renew(protocol) => self.renew(protocol),
            Order::Roas(settled) => self.judge_anew(&settled),
            Order::Dynamic(word) => self.hear_dynamic(word),
            Order::DumpTables(protocol) => self.dump_in_time(protocol),
            Order::AskNeighbors => self.ask_neighbors(),
        }
    }

    /// Links or addresses may have changed: gateways resolve anew, third-party next hops are judged anew.
    ///
    /// As with BIRD it is the device protocol that sees links: while none runs there are none.
    fn look_at_links(&self) {
        if self.reload.in_progress() {
            return;
        }
        let seen = self.instances.iter().any(|i| i.enabled && matches!(i.running, Running::Device(_)));
        let ifaces = &if seen { Arc::clone(&self.world.monitor.ifaces().borrow()) } else { Arc::default() };
        if *self.world.links.borrow() == *ifaces {
            return;
        }
        self.world.links.send_replace(Arc::clone(ifaces));
        for table in self.tables.values() {
            self.world.deps.tables.send(*table, TableMsg::Ifaces(Arc::clone(ifaces)));
        }
        self.world.deps.exports.set_ifaces(Arc::clone(ifaces));
    }

    fn hear(&mut self, request: Request) {
        match request {
            Request::Status(answer) => drop(answer.send(self.status())),
            Request::Memory(answer) => {
                let (deps, tables) = (self.world.deps.clone(), self.tables.values().copied().collect());
                let roas = self.world.roas.now();
                let config = self.current.config.files.iter().map(|file| file.text.len() as u64).sum();
                self.face.spawn(async move { answer.send(memory(deps, tables, &roas, config).await) });
            }
            Request::Interfaces(answer) => drop(answer.send(self.interfaces())),
            Request::Protocols { choice, detail, answer } => {
                let chosen = self.chosen(&choice);
                let (deps, table, joined) = (self.world.deps.clone(), self.default_table(), self.joined());
                let views = async move { protocols::answer(deps, table, joined, chosen, detail).await };
                self.face.spawn(async move { drop(answer.send(views.await)) });
            }
            Request::Routes { query, pages } => self.routes(query, pages),
            Request::Static { protocol, answer } => {
                let rows = self.instances.iter().find(|i| i.conf.name == protocol).map(|i| match &i.running {
                    Running::Static(handle) => handle.rows(),
                    _ => Vec::new(),
                });
                drop(answer.send(rows.unwrap_or_default()));
            }
            Request::BfdSessions { protocol, answer } => {
                let found = self.instances.iter().find(|i| i.conf.name == protocol && i.is_begun());
                match found.map(|i| &i.running) {
                    Some(Running::Bfd(handle)) => handle.views(answer),
                    _ => drop(answer.send(None)),
                }
            }
            Request::Act { action, choice, partial: Some(nets), answer, .. } => {
                drop(answer.send(self.reload_within(action, &choice, &nets)));
            }
            Request::Act { action, choice, message, partial: None, answer } => {
                let (rows, goodbyes) = self.act(action, &choice, message.as_ref());
                tokio::spawn(async move {
                    actions::stopped_or_soon(goodbyes).await;
                    drop(answer.send(rows));
                });
            }
            Request::Configure { file, how, answer } => self.want(Wish::Configure { file, how, answer }),
            Request::Undo(answer) => self.want(Wish::Undo(Ok(answer))),
            Request::ConfigureStatus(answer) => drop(answer.send(self.configure_status())),
            Request::Confirm(answer) => self.want(Wish::Confirm(answer)),
            Request::Debug { choice, channel, mask, answer } => {
                let count = match channel {
                    Some(channel) => self.debug_channel(&choice, channel, mask),
                    None => self.debug(&choice, mask),
                };
                let _ = answer.send(count);
            }
            Request::MrtDump { choice, mask, answer } => drop(answer.send(self.mrtdump(&choice, mask))),
            Request::DumpTables { order, answer } => self.dump_at_once(&order, answer),
            Request::Roas(answer) => drop(answer.send(self.world.roas.now())),
            Request::Passage { pipe, table, answer } => drop(answer.send(self.passage(&pipe, &table))),
            Request::EditRoa { table, edit, answer } => {
                self.edit_roa(&table, edit);
                let _ = answer.send(());
            }
            Request::DumpLines(what, answer) => self.dump_lines(what, answer),
            Request::Threads(answer) => {
                self.face.spawn_blocking(move || answer.send(crate::answers::threads::all()));
            }
            Request::Dump(what, answer) => {
                match what {
                    Dump::Events => session::pace::recent().iter().for_each(|l| tracing::debug!(target: "dump", "{l}")),
                    _ => self.dump(),
                }
                let _ = answer.send(());
            }
            Request::Down { farewell, answer } => {
                self.farewell = farewell;
                let _ = answer.send(());
                let _ = self.orders.send(Order::Stop);
            }
        }
    }

    /// Those that can not be asked are left alone.
    fn ask_neighbors(&self) {
        for instance in &self.instances {
            if let Running::Bgp(peer) = &instance.running {
                peer.reload_in();
            }
        }
    }

    fn chosen(&self, choice: &Choice) -> Vec<Instance> {
        self.instances.iter().filter(|i| choice.takes(&i.conf.name)).cloned().collect()
    }

    /// The tables that pipes lead into, where what is best in them counts for whoever it comes from: in dialect 1.6.
    fn joined(&self) -> Vec<TableId> {
        let counts = self.current.config.dialect == Dialect::V1;
        let pipes = self.instances.iter().filter(|_| counts).filter(|i| matches!(i.running, Running::Pipe(_)));
        let mut tables: Vec<_> = pipes.flat_map(|i| i.channels.iter().map(|c| c.table)).collect();
        tables.sort_unstable();
        tables.dedup();
        tables
    }

    fn default_table(&self) -> Arc<str> {
        self.current.config.tables.first().map(|t| Arc::clone(&t.name)).unwrap_or_default()
    }

    fn status(&self) -> StatusView {
        let recovery = &self.world.deps.recovery;
        let total_s = u32::try_from(self.current.config.graceful_restart_wait.as_secs()).unwrap_or(u32::MAX);
        let gone_ms = self.world.deps.clock.now().since_ms(self.started);
        StatusView {
            router_id: self.router_id,
            hostname: self.current.config.hostname.clone().unwrap_or_else(|| Arc::clone(&self.hostname)),
            started: self.started,
            configured: self.current.read,
            recovery: (!recovery.is_over()).then(|| RecoveryView {
                waiting: recovery.awaited(),
                timer: Timer { remaining_ms: (u64::from(total_s) * 1000).saturating_sub(gone_ms), total_s },
            }),
            phase: match () {
                () if self.stopping => Phase::Stopping,
                () if self.reload.in_progress() => Phase::Reconfiguring,
                () => Phase::Running,
            },
        }
    }

    fn interfaces(&self) -> Vec<InterfaceView> {
        let ifaces = Arc::clone(&self.world.deps.ifaces.borrow());
        self.instances
            .iter()
            .find_map(|i| match &i.running {
                Running::Device(device) => Some(device.views(&ifaces)),
                _ => None,
            })
            .unwrap_or_default()
    }

    fn routes(&self, query: Arc<RouteQuery>, pages: mpsc::Sender<RouteItem>) {
        let export = query.export.as_ref();
        let mut listed: Vec<_> = query.tables.iter().filter_map(|name| self.listed(name, export)).collect();
        if let Some(of) = &query.received {
            let instance = self.instances.iter().find(|i| i.conf.name == of.protocol);
            let Some(Running::Bgp(peer)) = instance.map(|i| &i.running) else { return };
            for one in &mut listed {
                (one.name, one.received) = ("import".into(), Some((peer.clone(), of.family)));
            }
        }
        self.face.spawn(routes::answer(self.world.deps.clone(), listed, query, pages));
    }

    fn listed(&self, name: &Arc<str>, export: Option<&ExportQuery>) -> Option<routes::Listed> {
        let table = *self.tables.get(name)?;
        let reads = |i: &&Instance| i.enabled && i.channels.iter().any(|c| c.table == table);
        let kernels = self.instances.iter().filter(reads).filter_map(|i| match &i.running {
            Running::Kernel(kernel) => Some(kernel.clone()),
            _ => None,
        });
        let judge = export.and_then(|export| self.judge(export, table));
        let is_told = export.is_some_and(|e| e.mode == ExportMode::Told);
        let name = if is_told { "export".into() } else { Arc::clone(name) };
        Some(routes::Listed { name, table, kernels: kernels.collect(), judge, received: None })
    }

    /// Who judges the routes of a table: the protocol's channel there.
    fn judge(&self, export: &ExportQuery, table: TableId) -> Option<routes::Judge> {
        let instance = self.instances.iter().find(|i| i.conf.name == export.protocol)?;
        // What is down is told nothing; BIRD 1.6 judges for it nevertheless.
        let is_2 = self.current.config.dialect == Dialect::V2;
        if is_2 && !instance.is_begun() {
            return None;
        }
        let place = instance.channels.iter().position(|c| c.table == table).unwrap_or(0);
        let channel = instance.conf.channels.get(place).or_else(|| instance.conf.channels.first());
        let policy = || channel.map(|c| c.export.clone()).unwrap_or_default();
        Some(match &instance.running {
            Running::Kernel(kernel) => routes::Judge::Kernel(kernel.clone()),
            Running::Pipe(pipe) => routes::Judge::Pipe(pipe.clone()),
            Running::Bgp(peer) => {
                let status = peer.status.borrow();
                let own = instance.channels.get(place).map(|ids| ids.channel);
                let member = status.channels.iter().find(|c| Some(c.channel) == own).and_then(|c| c.member);
                let own = channel.and_then(|c| c.bgp.as_ref());
                let candidates = match own {
                    Some(own) if own.add_paths_tx => routes::Candidates::All,
                    Some(own) if own.secondary => routes::Candidates::FirstAccepted,
                    _ => routes::Candidates::Best,
                };
                match (member, export.mode) {
                    (Some(member), ExportMode::Told) => routes::Judge::Told(member, candidates),
                    (Some(member), ExportMode::Exported) => routes::Judge::Holder(member, candidates),
                    (Some(member), _) => routes::Judge::Member(member, candidates),
                    (None, ExportMode::Told) => routes::Judge::Policy(Policy::Reject),
                    (None, _) if is_2 => return None,
                    (None, _) => routes::Judge::Policy(policy()),
                }
            }
            _ if is_2 => return None,
            _ => routes::Judge::Policy(policy()),
        })
    }

    fn make_tables(&mut self, config: &Config) {
        for table in &config.tables {
            if self.tables.contains_key(&table.name) {
                continue;
            }
            let id = self.world.numbers.table();
            let order = match config.dialect {
                _ if table.sorted => query::Order::Sorted,
                Dialect::V1 => query::Order::Newest,
                Dialect::V2 => query::Order::Arrival,
            };
            let spec = TableSpec { id, name: Arc::clone(&table.name), family: table.family, order };
            self.world.deps.tables.add(spec);
            let ifaces = Arc::clone(&self.world.deps.ifaces.borrow());
            self.world.deps.tables.send(id, TableMsg::Ifaces(ifaces));
            self.world.roas.tell(id);
            self.tables.insert(Arc::clone(&table.name), id);
        }
    }

    /// Makes an instance. It is listed from now on, and held.
    fn make(&mut self, conf: &ProtocolConf) {
        self.make_for(conf.clone(), None);
    }

    /// Makes an instance, also one that is not in the configuration.
    fn make_for(&mut self, conf: ProtocolConf, caller: Option<Caller>) {
        let conf = Arc::new(conf);
        let id = self.world.numbers.protocol();
        let own = |c: &ChannelConf| {
            let named = |family| match &conf.kind {
                ProtocolKind::Static(fixed) => fixed.igp_table(family),
                _ => c.bgp.as_ref().and_then(|own| own.igp_table(family)),
            };
            let mut ids = self.channel_ids(&c.table, named(c.family))?;
            let other = conf.channels.iter().find(|o| o.family != c.family);
            let other_family = c.family.other();
            let other_table = named(other_family).cloned().or_else(|| other.map(|o| Arc::clone(&o.table)));
            let other_table = other_table.unwrap_or_else(|| self.current.config.default_table_of(other_family));
            ids.other_igp_table = self.tables.get(&other_table).copied().unwrap_or(ids.igp_table);
            Some(ids)
        };
        let mut channels: Vec<_> = conf.channels.iter().filter_map(own).collect();
        if let ProtocolKind::Pipe(pipe) = &conf.kind {
            channels.extend(pipe.peer_table.as_ref().and_then(|peer| self.channel_ids(peer, None)));
        }
        let enabled = !conf.disabled;
        let voice = translate::voice(self.current.config.dialect);
        let diary = Diary::of(&conf, voice, || self.default_table());
        diary.initializing(enabled);
        let start = Start {
            id,
            conf: Arc::clone(&conf),
            channels: channels.clone(),
            diary: diary.clone(),
            world: self.world.clone(),
        };
        let Some(running) = self.spawn(&start) else { return };
        let since = self.world.deps.clock.now();
        let (message, restarts) = (None, Restarts::new(since));
        let instance =
            Instance { id, conf, channels, enabled, held: true, since, message, diary, running, restarts, caller };
        // Before its first route is on its way.
        actions::trace_tables(&self.world, &instance);
        self.instances.push(instance);
    }

    /// What is held may go up now, in the order of the configuration.
    fn begin_held(&mut self) {
        let now = self.world.deps.clock.now();
        for instance in self.instances.iter_mut().filter(|i| i.held) {
            instance.held = false;
            instance.since = now;
            if instance.enabled {
                instance.running.begin();
            }
        }
    }

    fn channel_ids(&self, table: &Arc<str>, igp_table: Option<&Arc<str>>) -> Option<ChannelIds> {
        let table = *self.tables.get(table)?;
        let igp_table = igp_table.and_then(|name| self.tables.get(name)).copied().unwrap_or(table);
        Some(ChannelIds { channel: self.world.numbers.channel(), table, igp_table, other_igp_table: igp_table })
    }

    /// Makes what runs of an instance; it is down.
    fn spawn(&self, start: &Start) -> Option<Running> {
        let other = match &start.conf.kind {
            ProtocolKind::Device(_) => Running::Device(DeviceHandle::spawn(start.clone())),
            ProtocolKind::Direct(_) => Running::Direct(DirectHandle::spawn(start.clone())),
            ProtocolKind::Kernel(_) => Running::Kernel(KernelHandle::spawn(start.clone())),
            ProtocolKind::Static(_) => Running::Static(StaticHandle::spawn(start.clone())),
            ProtocolKind::Pipe(_) if start.conf.channels.is_empty() => Running::RoaPipe(RoaPipeHandle::new(start)?),
            ProtocolKind::Pipe(_) => Running::Pipe(PipeHandle::spawn(start)?),
            ProtocolKind::Aggregator(_) => Running::Aggregator(AggregatorHandle::spawn(start)?),
            ProtocolKind::Bfd(_) => Running::Bfd(BfdHandle::spawn(start.clone())),
            ProtocolKind::Bmp(_) => {
                let orders = self.orders.clone();
                let ask_all = move || drop(orders.send(Order::AskNeighbors));
                Running::Bmp(BmpHandle::spawn(start.clone(), Arc::new(ask_all)))
            }
            ProtocolKind::Mrt(_) => {
                let (orders, id) = (self.orders.clone(), start.id);
                let is_time = move || drop(orders.send(Order::DumpTables(id)));
                Running::Mrt(MrtHandle::spawn(start.clone(), Arc::new(is_time)))
            }
            ProtocolKind::Rpki(_) => Running::Rpki(RpkiHandle::spawn(start.clone())),
            ProtocolKind::Bgp(bgp) => return Some(self.spawn_peer(start, bgp)),
        };
        for ids in &start.channels {
            self.world.listeners.add(ids.channel, &start.conf.name, None);
        }
        Some(other)
    }

    fn spawn_peer(&self, start: &Start, bgp: &BgpConf) -> Running {
        let config = &self.current.config;
        let (listen, id) = (&self.listen, self.router_id);
        let spec = translate::peer(&start.conf, bgp, config, listen, start.id, id, &start.channels);
        let peer = session::peer::spawn(spec, self.world.deps.clone());
        for ids in &start.channels {
            self.world.listeners.add(ids.channel, &start.conf.name, Some(peer.clone()));
        }
        Running::Bgp(peer)
    }

    fn dump(&self) {
        tracing::debug!(target: "dump", "{} protocols, {} tables", self.instances.len(), self.tables.len());
        for instance in &self.instances {
            let status = match &instance.running {
                Running::Bgp(peer) => format!("{:?}", *peer.status.borrow()),
                other => other.kind().word().to_owned(),
            };
            tracing::debug!(target: "dump", "protocol {}: enabled {}, {status}", instance.conf.name, instance.enabled);
        }
    }
}

fn is_running_device(conf: &ProtocolConf) -> bool {
    matches!(conf.kind, ProtocolKind::Device(_)) && !conf.disabled
}

/// The router id: as configured, else the lowest IPv4 address that reaches beyond its link, also one of loopback's.
///
/// An `old` one that is not configured stays unless the machine is to be asked again.
fn router_id(config: &Config, ifaces: &Ifaces, old: Option<Ipv4Addr>, asks_again: bool) -> Result<Ipv4Addr, String> {
    if let Some(id) = config.router_id.or(old.filter(|_| !asks_again)) {
        return Ok(id);
    }
    let links = ifaces.iter().filter(|l| l.is_up()).flat_map(|l| l.addrs.iter().map(move |a| (l, a)));
    let chosen = links
        .filter(|(_, a)| !a.secondary && matches!(a.scope, Scope::Site | Scope::Organization | Scope::Universe))
        .filter(|(l, a)| crate::protocols::means(&config.router_id_from, l, a))
        .filter_map(|(l, a)| match a.addr {
            IpAddr::V4(addr) => Some((addr, l)),
            IpAddr::V6(_) => None,
        })
        .min_by_key(|(addr, _)| *addr);
    let Some((id, link)) = chosen else {
        return Err("Cannot determine router ID, please configure it manually".into());
    };
    if old != Some(id) {
        tracing::info!("Chosen router ID {id} according to interface {}", link.name);
    }
    Ok(id)
}

async fn memory(deps: session::peer::Deps, tables: Vec<TableId>, roas: &RoaTables, config: u64) -> MemoryView {
    let mut view = MemoryView { total: resident(), config, ..MemoryView::default() };
    view.roa = roas.octets() as u64;
    for table in tables {
        let totals = deps.tables.query(table, |t| t.totals()).await.unwrap_or_default();
        view.tables += totals.octets - totals.attr_octets;
        view.attributes += totals.attr_octets;
    }
    view.protocols = view.total.saturating_sub(view.tables + view.attributes + view.roa + view.config);
    view
}

/// The resident memory of this process in octets; 0 when the kernel does not say.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: u64 = text.split(' ').nth(1).and_then(|p| p.parse().ok()).unwrap_or_default();
    let page = nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE).ok().flatten().unwrap_or(4096);
    pages * u64::try_from(page).unwrap_or(4096)
}
