//! `configure`: from a new configuration to a plan, and the plan carried out.
//!
//! A configuration that is wrong changes nothing. Of a right one only what
//! differs is touched: an unchanged session never resets, a changed filter is
//! re-judged, a changed option that needs it restarts its protocol alone. What
//! is new is made at once, so that whoever asks behind the reply finds it; it is
//! held until what must stop has stopped. Meanwhile a further configuration is
//! kept, the last one wins. How they are read, and who is served when, is the
//! affair of [`super::reading`].

use super::actions::{is_enabled, trace_tables};
use super::members::configured;
use super::reading::{Queued, Wish};
use super::{Current, Instance, Order, Running, Supervisor};
use crate::instance::at_once;
use crate::translate;
use conf::config::{Carries, Config, Dialect, ProtocolConf, ProtocolKind};
use conf::plan::{Action, Plan, Reload as Again, Ways};
use control::request::{Change, ConfigureStatus};
use control::view::{ConfigureOutcome, ConfigureReport};
use route::{Moment, TableId};
use session::peer::{Refilter, StopReason};
use std::sync::Arc;
use std::time::Duration;

/// What is under way, and the way back.
#[derive(Default)]
pub struct Reload {
    /// Counts configurations, so that late messages of an earlier one are known.
    turn: u64,
    /// Protocols are stopping for the running configuration.
    waiting: bool,
    /// Wanted while another one was being carried out; the last one wins.
    queued: Option<Queued>,
    /// Tables that go once nobody uses them.
    leaving: Vec<TableId>,
    /// The configuration before this one.
    previous: Option<Current>,
    /// Nobody has gone back since the last configuration was taken on.
    undo_available: bool,
    /// The undo timer that runs.
    undo_timer: Option<u64>,
    /// When the last undo timer runs out.
    undo_at: Moment,
    /// The number of the last undo timer.
    undo_timers: u64,
}

impl Reload {
    /// Whether protocols are still stopping.
    pub fn in_progress(&self) -> bool {
        self.waiting
    }
}

impl Supervisor {
    /// The configuration before this one.
    pub(super) fn previous(&self) -> Option<Current> {
        self.reload.previous.clone()
    }

    /// `configure undo`, or the undo timer of this number ran out: the configuration to go back to, or what there is
    /// to say at once.
    pub(super) fn begin_undo(&mut self, timer: Option<u64>) -> Result<Current, ConfigureOutcome> {
        if timer.is_some() && timer != self.reload.undo_timer {
            return Err(ConfigureOutcome::Nothing);
        }
        if timer.is_some() {
            tracing::info!("Config timeout expired, starting undo");
        }
        if self.stopping {
            return Err(ConfigureOutcome::Stopping);
        }
        let Some(previous) = self.reload.previous.clone().filter(|_| self.reload.undo_available) else {
            return Err(ConfigureOutcome::Nothing);
        };
        self.reload.undo_available = false;
        self.reload.undo_timer = None;
        if !self.reload.waiting {
            return Ok(previous);
        }
        if self.reload.queued.take().is_some() {
            tracing::info!("Removing queued configuration");
            return Err(ConfigureOutcome::Unqueued);
        }
        tracing::info!("Queueing undo configuration");
        self.reload.queued = Some(Queued::Undo);
        Err(ConfigureOutcome::Queued)
    }

    /// `configure status`.
    pub(super) fn configure_status(&self) -> ConfigureStatus {
        let now = self.world.deps.clock.now();
        let change = match (self.stopping, self.reload.waiting, &self.reload.queued) {
            (true, ..) => Change::Shutdown,
            (_, true, Some(_)) => Change::Queued,
            (_, true, None) => Change::UnderWay,
            _ => Change::Done,
        };
        ConfigureStatus { change, undo_ms: self.reload.undo_timer.map(|_| self.reload.undo_at.since_ms(now)) }
    }

    /// `configure confirm`.
    pub(super) fn confirm(&mut self) -> ConfigureReport {
        let outcome = match self.reload.undo_timer.take() {
            Some(_) => ConfigureOutcome::Confirmed,
            None => ConfigureOutcome::Nothing,
        };
        ConfigureReport { file: None, undo_s: None, outcome }
    }

    /// Takes on a configuration that was read: now, or after the one that is being carried out.
    pub(super) fn commit(&mut self, new: Current, plan: Plan, soft: bool, undo_s: Option<u32>) -> ConfigureOutcome {
        if self.stopping {
            return ConfigureOutcome::Stopping;
        }
        self.reload.undo_available = true;
        self.reload.undo_timer = undo_s.map(|seconds| self.start_undo_timer(seconds));
        if !self.reload.waiting {
            return self.carry_out(new, plan, soft);
        }
        match self.reload.queued {
            Some(_) => tracing::info!("Queueing new configuration, ignoring the one already queued"),
            None => tracing::info!("Queueing new configuration"),
        }
        self.reload.queued = Some(Queued::New(new, soft));
        ConfigureOutcome::Queued
    }

    fn start_undo_timer(&mut self, seconds: u32) -> u64 {
        self.reload.undo_timers += 1;
        self.reload.undo_at = self.world.deps.clock.now().plus_s(seconds.into());
        let (timer, orders) = (self.reload.undo_timers, self.orders.clone());
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(seconds.into())).await;
            let _ = orders.send(Order::UndoTimeout(timer));
        });
        timer
    }

    /// Carries a plan out. Nothing else is being carried out.
    pub(super) fn carry_out(&mut self, new: Current, plan: Plan, soft: bool) -> ConfigureOutcome {
        if self.stopping {
            return ConfigureOutcome::Stopping;
        }
        tracing::info!("Reconfiguring");
        self.reload.turn += 1;
        self.keep_listening(&new.config);
        let plan = self.with_the_running(plan, &new.config);
        let config = Arc::clone(&new.config);
        // Without one in the file the id stays, so that no session resets for it, until other links are named.
        let ifaces = Arc::clone(&self.world.deps.ifaces.borrow());
        let asks_again = config.router_id_from != self.current.config.router_id_from;
        match super::router_id(&config, &ifaces, Some(self.router_id), asks_again) {
            Ok(id) => self.router_id = id,
            Err(_) => tracing::warn!("Cannot determine router ID, using old one"),
        }
        self.reload.previous = Some(std::mem::replace(&mut self.current, new));
        self.published.send_replace(Arc::clone(&config));
        self.reload.leaving = plan.tables_removed.iter().filter_map(|name| self.tables.remove(name)).collect();
        self.make_tables(&config);
        self.set_roas(&config);
        self.world.deps.recorder.set_file(config.mrtdump_file.clone());
        session::pace::set(translate::pace(&config.latency));
        self.world.monitor.set_rules(translate::iface_rules(&config));
        let order = self.order_after(&plan, &config);
        let goodbyes = self.stop_what_changes(&plan, &config);
        self.refilter_what_stays(&plan, &config, soft);
        self.make_what_is_new(&plan, &config);
        // Members of ranges stand behind all others.
        let place = |i: &Instance| order.iter().position(|name| *name == i.conf.name).unwrap_or(usize::MAX);
        self.instances.sort_by_cached_key(place);
        if goodbyes.is_empty() {
            self.finish_reload();
            return ConfigureOutcome::Done;
        }
        self.reload.waiting = true;
        let (turn, orders) = (self.reload.turn, self.orders.clone());
        tokio::spawn(async move {
            for goodbye in goodbyes {
                let _ = goodbye.await;
            }
            let _ = orders.send(Order::Stopped(turn));
        });
        ConfigureOutcome::InProgress
    }

    /// As in BIRD 1.6 all sessions, new ones, too, go on hearing where they have heard since the start.
    fn keep_listening(&mut self, new: &Config) {
        let old = &self.current.config;
        if [old.dialect, new.dialect] != [Dialect::V1; 2] {
            self.listen = new.listen.clone();
        } else if old.listen != new.listen {
            tracing::warn!("Reconfiguration of BGP listening socket not implemented, please restart BIRD.");
        }
    }

    /// Stops what is removed or must restart. What is down already is gone at once.
    fn stop_what_changes(&mut self, plan: &Plan, config: &Config) -> Vec<tokio::task::JoinHandle<()>> {
        let mut goodbyes = Vec::new();
        let instances = std::mem::take(&mut self.instances);
        for instance in instances {
            let name = &instance.conf.name;
            let reason = match action_for(plan, instance.configured_name()) {
                Some(Action::Stop) => StopReason::Deconfigured,
                Some(Action::Restart) => StopReason::Reconfigure,
                _ if instance.caller.is_some() && configured(&instance, config).is_none() => StopReason::Deconfigured,
                _ => {
                    self.instances.push(instance);
                    continue;
                }
            };
            let is_up = is_enabled(&instance);
            let stays_down = config.protocols.iter().any(|c| c.name == *name && c.disabled);
            match (reason, is_up, stays_down) {
                _ if instance.caller.is_some() => tracing::info!("Removing protocol {name}"),
                (StopReason::Deconfigured, ..) => tracing::info!("Removing protocol {name}"),
                (_, true, false) => tracing::info!("Restarting protocol {name}"),
                (_, true, true) => tracing::info!("Disabling protocol {name}"),
                (_, false, false) => tracing::info!("Enabling protocol {name}"),
                (_, false, true) => {}
            }
            let goodbye = self.dismiss(instance, reason);
            if is_up {
                goodbyes.push(goodbye);
            }
        }
        goodbyes
    }

    /// Gives new options to what keeps running. `soft`: routes are not judged anew before a `reload`.
    fn refilter_what_stays(&mut self, plan: &Plan, config: &Arc<Config>, soft: bool) {
        let mut instances = std::mem::take(&mut self.instances);
        for instance in &mut instances {
            let Some(conf) = &configured(instance, config) else { continue };
            let planned = plan.protocols.iter().find(|p| *p.name == **instance.configured_name());
            let judged = planned.filter(|p| matches!(p.action, Action::Refilter(_)));
            let again = judged.map_or(&[][..], |p| &p.reloads);
            let action = planned.map(|p| p.action);
            let changed = matches!(action, Some(Action::Update | Action::Refilter(_)));
            // Spans and allocations of an unchanged protocol are new all the same.
            let masks =
                |c: &ProtocolConf| c.channels.iter().chain(&c.roa_channels).map(|c| c.debug).collect::<Vec<_>>();
            let traced = conf.debug != instance.conf.debug || masks(conf) != masks(&instance.conf);
            if conf.mrtdump != instance.conf.mrtdump {
                instance.running.mrtdump(conf.mrtdump);
            }
            instance.conf = Arc::new(conf.clone());
            if traced {
                instance.debug(conf.debug);
                trace_tables(&self.world, instance);
            }
            match is_enabled(instance) {
                true => instance.diary.reconfigured(),
                // As in BIRD: what is down is made anew.
                false => instance.diary.made_anew(),
            }
            if changed {
                if judged.is_some() {
                    tell_of(conf, again, config.dialect, soft);
                }
                self.hand_over(instance, config, if soft { &[] } else { again });
            }
        }
        self.instances = instances;
    }

    /// `again`: the channels that judge their routes again.
    fn hand_over(&self, instance: &Instance, config: &Config, again: &[Again]) {
        let conf = Arc::clone(&instance.conf);
        let ways = again.iter().map(|a| a.ways).fold(Ways::default(), Ways::or);
        match (&instance.running, &conf.kind) {
            (Running::Bgp(peer), ProtocolKind::Bgp(bgp)) => {
                let spec =
                    translate::peer(&conf, bgp, config, &self.listen, instance.id, self.router_id, &instance.channels);
                let peer = peer.clone();
                let refilter = refilter(again);
                let (orders, id) = (self.orders.clone(), instance.id);
                at_once(async move {
                    if !peer.reconfigure(spec, refilter).await {
                        let _ = orders.send(Order::Renew(id));
                    }
                });
            }
            (Running::Device(p), _) => drop(at_once(with(p.clone(), |p| async move { p.reconfigure(conf).await }))),
            (Running::Direct(p), _) => drop(at_once(with(p.clone(), |p| async move { p.reconfigure(conf).await }))),
            (Running::Kernel(p), _) => drop(at_once(with(p.clone(), |p| async move { p.reconfigure(conf).await }))),
            (Running::Static(p), _) => drop(at_once(with(p.clone(), |p| async move { p.reconfigure(conf).await }))),
            (Running::Pipe(p), _) => p.reconfigure(conf, ways.import, ways.export),
            (Running::RoaPipe(p), _) => p.reconfigure(conf, ways.import, ways.export),
            (Running::Bfd(p), _) => drop(at_once(with(p.clone(), |p| async move { p.reconfigure(conf).await }))),
            (Running::Mrt(p), _) => p.reconfigure(conf),
            (Running::Rpki(p), _) => p.reconfigure(conf, ways.import),
            (Running::Bmp(p), _) => p.reconfigure(conf),
            (Running::Aggregator(p), _) => p.reconfigure(conf),
            (Running::Bgp(_), _) => {}
        }
    }

    /// The names of all protocols as they stand in lists when a plan has been carried out.
    ///
    /// In dialect 2 as in the configuration. BIRD 1.6 lists them as they were made: what stays, what was down and is
    /// made anew, what is added, and what must stop before it is made anew.
    fn order_after(&self, plan: &Plan, config: &Config) -> Vec<Arc<str>> {
        let mut confs: Vec<&ProtocolConf> = config.protocols.iter().collect();
        let place = |conf: &&ProtocolConf| {
            let old = self.instances.iter().enumerate().find(|(_, i)| i.conf.name == conf.name);
            match old {
                None => (2, 0),
                Some((at, instance)) if !is_enabled(instance) => (1, at),
                Some((at, _)) if action_for(plan, &conf.name) == Some(Action::Restart) => (3, at),
                Some((at, _)) => (0, at),
            }
        };
        if config.dialect == Dialect::V1 {
            confs.sort_by_cached_key(place);
        }
        confs.into_iter().map(|conf| conf.name.clone()).collect()
    }

    /// Makes what is not there yet.
    fn make_what_is_new(&mut self, plan: &Plan, config: &Config) {
        for conf in &config.protocols {
            if self.instances.iter().any(|i| i.conf.name == conf.name) {
                continue;
            }
            if action_for(plan, &conf.name) != Some(Action::Restart) {
                tracing::info!("Adding protocol {}", conf.name);
            }
            self.make(conf);
        }
    }

    /// What had to stop has stopped: what is new begins, then what was queued is taken on.
    pub(super) fn continue_reload(&mut self, turn: u64) {
        if turn != self.reload.turn || !self.reload.waiting {
            return;
        }
        self.reload.waiting = false;
        self.finish_reload();
        if let Some(queued) = self.reload.queued.take() {
            self.want_first(Wish::Queued(queued));
        }
    }

    fn finish_reload(&mut self) {
        for id in self.reload.leaving.drain(..) {
            self.world.roas.forget(id);
            self.world.deps.tables.remove(id);
        }
        self.begin_held();
        self.look_at_links();
        session::memory::give_back();
        tracing::info!("Reconfigured");
    }
}

/// Says what is judged again, or with `soft` what would be: BIRD 2 names channels, BIRD 1.6 protocols.
fn tell_of(conf: &ProtocolConf, again: &[Again], dialect: Dialect, soft: bool) {
    let name = &conf.name;
    let is_of_channels = dialect == Dialect::V2 && !matches!(conf.kind, ProtocolKind::Pipe(_)) && !again.is_empty();
    match (is_of_channels, soft) {
        (false, true) => {}
        (false, false) => tracing::info!("Reloading protocol {name}"),
        (true, false) => {
            again.iter().for_each(|a| tracing::info!("Reloading channel {name}.{}", a.channel()));
        }
        (true, true) => {
            for a in again {
                let sides = [(a.ways.import, "import"), (a.ways.export, "export")];
                for (_, side) in sides.into_iter().filter(|(changed, _)| *changed) {
                    tracing::info!("Channel {name}.{} changed {side}", a.channel());
                }
            }
        }
    }
}

/// What a session does for these channels.
fn refilter(again: &[Again]) -> Refilter {
    let mut all = Refilter::default();
    for one in again.iter().filter(|a| a.carries == Carries::Routes) {
        *all.import.get_mut(one.family) = one.ways.import;
        *all.export.get_mut(one.family) = one.ways.export;
    }
    all
}

fn action_for(plan: &Plan, name: &str) -> Option<Action> {
    plan.protocols.iter().find(|p| &*p.name == name).map(|p| p.action)
}

async fn with<P, F: Future<Output = ()>>(protocol: P, work: impl FnOnce(P) -> F) {
    work(protocol).await;
}

#[cfg(test)]
mod tests {
    use super::super::{Parts, Reader};
    use super::*;
    use crate::answers::protocols;
    use crate::settings::Settings;
    use crate::world::World;
    use conf::files::Memory;
    use conf::load::{LoadOptions, load};
    use control::request::{Action as Act, Choice};
    use control::view::{Did, Info};
    use netlink::{IfaceRules, Monitor};
    use route::{Family, Moment};
    use session::peer::Recovery;
    use tokio::runtime::Handle;
    use tokio::sync::{mpsc, watch};

    const BEFORE: &str = "router id 10.0.0.1; protocol device { }
        protocol static st { route 20.0.0.0/8 blackhole; }
        protocol bgp p { local as 1; neighbor 10.0.0.2 as 2; }
        protocol bgp q { local as 1; neighbor 10.0.0.3 as 2; }";

    /// `p` has another name, `q` another option and `st` another table.
    fn after() -> String {
        let text = BEFORE.replace("bgp p {", "bgp p2 {").replace("10.0.0.3 as 2;", "10.0.0.3 as 2; hold time 9;");
        text.replace("static st {", "static st { table t;").replace("protocol device", "table t; protocol device")
    }

    fn current(text: &str) -> Current {
        let files = Memory::new().with("c", text);
        let loaded = load("c", &files, &LoadOptions::default()).unwrap_or_else(|refused| panic!("{}", refused.line()));
        Current { config: Arc::new(loaded.config), path: "c".into(), read: Moment(0) }
    }

    /// A supervisor that nobody runs, in a namespace of its own; what it starts runs only while a test waits.
    async fn supervisor(text: &str) -> (Supervisor, mpsc::UnboundedReceiver<Order>) {
        nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNET).expect("a network namespace needs root");
        let rules = IfaceRules { family: Some(Family::Ipv4), needs_address: true };
        let monitor = Monitor::start(rules, None).await.unwrap();
        let world = World::start(&Settings::default(), monitor, Recovery::none());
        let current = current(text);
        let (orders, inbox) = mpsc::unbounded_channel();
        let parts = Parts {
            world,
            reader: Reader { options: LoadOptions::default() },
            published: watch::Sender::new(Arc::clone(&current.config)),
            current,
            orders,
            face: Handle::current(),
        };
        (Supervisor::start(parts).unwrap(), inbox)
    }

    fn configure(this: &mut Supervisor, text: &str) -> ConfigureOutcome {
        let new = current(text);
        let plan = conf::plan::diff(&this.current.config, &new.config);
        this.commit(new, plan, false, None)
    }

    /// What has to stop stops.
    async fn stopped(this: &mut Supervisor, inbox: &mut mpsc::UnboundedReceiver<Order>) {
        loop {
            if let Order::Stopped(turn) = inbox.recv().await.unwrap() {
                return this.continue_reload(turn);
            }
        }
    }

    /// `show protocols`: name, state, and the state of BGP.
    async fn listed(this: &Supervisor) -> Vec<String> {
        let chosen = this.chosen(&Choice::All);
        let views = protocols::answer(this.world.deps.clone(), this.default_table(), Vec::new(), chosen, false).await;
        let row = |v: control::view::ProtocolView| match v.info {
            Info::Bgp { state, .. } => format!("{} {} {state}", v.name, v.state),
            _ => format!("{} {}", v.name, v.state),
        };
        views.into_iter().map(row).collect()
    }

    #[tokio::test]
    async fn what_a_configuration_makes_is_listed_when_configure_answers() {
        let (mut this, mut inbox) = supervisor(BEFORE).await;
        for _ in 0..3 {
            assert!(matches!(configure(&mut this, &after()), ConfigureOutcome::InProgress));
            assert_eq!(listed(&this).await, ["device1 up", "p2 start Idle", "st down", "q start Idle"]);
            stopped(&mut this, &mut inbox).await;
            assert_eq!(listed(&this).await[2], "st up");
            assert!(matches!(configure(&mut this, BEFORE), ConfigureOutcome::InProgress));
            assert_eq!(listed(&this).await, ["device1 up", "p start Idle", "st down", "q start Idle"]);
            stopped(&mut this, &mut inbox).await;
        }
    }

    #[tokio::test]
    async fn where_sessions_are_heard_stays_until_the_next_start() {
        let (mut this, _inbox) = supervisor(&format!("listen bgp port 1179; {BEFORE}")).await;
        assert!(matches!(configure(&mut this, &format!("listen bgp port 1180; {BEFORE}")), ConfigureOutcome::Done));
        assert_eq!(this.listen.port, Some(1179));
        let of_2 = "router id 10.0.0.1; protocol device { } protocol static { ipv4; }";
        configure(&mut this, of_2);
        assert_eq!(this.listen.port, None);
    }

    #[tokio::test]
    async fn a_device_protocol_without_a_table_is_shown_with_what_its_options_say_of_one() {
        let text = BEFORE.replace("device {", "device { preference 3; import none; export limit 7;");
        let (this, _inbox) = supervisor(&text).await;
        let chosen = this.chosen(&Choice::Named("device1".into()));
        let views = protocols::answer(this.world.deps.clone(), this.default_table(), Vec::new(), chosen, true).await;
        let channel = &views[0].detail.as_ref().unwrap().channels[0];
        assert_eq!((channel.preference, channel.import.name(), channel.export.name()), (3, "REJECT", "REJECT"));
        assert_eq!(channel.export_limit.as_ref().unwrap().routes_max, 7);
    }

    #[tokio::test]
    async fn another_dialect_sees_links_and_addresses_as_its_release_does() {
        const NEW: &str = "router id 10.0.0.1; protocol device { } protocol static { ipv4; }";
        let (mut this, mut inbox) = supervisor(BEFORE).await;
        let ip = |args: &str| {
            let done = std::process::Command::new("ip").args(args.split(' ')).status().unwrap();
            assert!(done.success(), "ip {args}");
        };
        ip("link add d0 type veth peer name p0");
        ip("addr add fd01::1/64 dev d0 nodad");
        ip("link set d0 up");
        let mut links = this.world.monitor.ifaces();
        let mut seen = async |up: bool, addrs: bool| {
            let wanted = |i: &Arc<route::Ifaces>| {
                i.by_name("d0").is_some_and(|d| d.flags.admin_up && d.is_up() == up && d.addrs.is_empty() != addrs)
            };
            let waited = tokio::time::timeout(Duration::from_secs(60), links.wait_for(wanted)).await;
            assert!(waited.is_ok(), "up {up} is awaited, addresses {addrs}");
        };
        seen(false, false).await;
        for _ in 0..2 {
            if let ConfigureOutcome::InProgress = configure(&mut this, NEW) {
                stopped(&mut this, &mut inbox).await;
            }
            seen(true, true).await;
            if let ConfigureOutcome::InProgress = configure(&mut this, BEFORE) {
                stopped(&mut this, &mut inbox).await;
            }
            seen(false, false).await;
        }
    }

    #[tokio::test]
    async fn what_was_disabled_meanwhile_does_not_come_up_again_by_a_restart() {
        let (mut this, mut inbox) = supervisor(BEFORE).await;
        let st = |this: &Supervisor| this.instances.iter().find(|i| &*i.conf.name == "st").unwrap().id;
        let id = st(&this);
        let act = |this: &mut Supervisor, action| drop(this.act(action, &Choice::Named("st".into()), None));
        assert_eq!(listed(&this).await[1], "st up");
        act(&mut this, Act::Restart);
        act(&mut this, Act::Disable);
        while let Some(order) = inbox.recv().await {
            let is_it = matches!(order, Order::BeginAgain(protocol) if protocol == id);
            this.obey(order);
            if is_it {
                break;
            }
        }
        assert_eq!(listed(&this).await[1], "st down");
        this.obey(Order::LimitRestart(id));
        act(&mut this, Act::Enable);
        act(&mut this, Act::Disable);
        act(&mut this, Act::Enable);
        assert_eq!(listed(&this).await[1], "st up", "the last order counts, whoever runs first");
        // Gone from the configuration: nothing of it comes back.
        configure(&mut this, &BEFORE.replace("protocol static st { route 20.0.0.0/8 blackhole; }", ""));
        [Order::LimitRestart(id), Order::BeginAgain(id)].into_iter().for_each(|order| this.obey(order));
        assert_eq!(listed(&this).await, ["device1 up", "p start Idle", "q start Idle"]);
        // Nor a session by new options that it could not take over.
        let p = this.instances.iter().find(|i| &*i.conf.name == "p").unwrap().id;
        let (_, goodbyes) = this.act(Act::Disable, &Choice::Named("p".into()), None);
        for goodbye in goodbyes {
            goodbye.await.unwrap();
        }
        this.obey(Order::Renew(p));
        assert_eq!(listed(&this).await[1], "p down Down");
    }

    #[tokio::test]
    async fn an_operator_is_obeyed_while_a_protocol_waits_for_others_to_stop() {
        let (mut this, mut inbox) = supervisor(BEFORE).await;
        assert!(matches!(configure(&mut this, &after()), ConfigureOutcome::InProgress));
        let mut act = |action, name: &str| {
            let (rows, _) = this.act(action, &Choice::Named(name.into()), None);
            rows.into_iter().map(|r| r.did).collect::<Vec<_>>()
        };
        assert_eq!(act(Act::Disable, "st"), [Did::Disabled]);
        assert_eq!(act(Act::Restart, "q"), [Did::Restarted]);
        assert_eq!(act(Act::Disable, "p2"), [Did::Disabled]);
        assert_eq!(act(Act::Enable, "p2"), [Did::Enabled]);
        assert_eq!(act(Act::Enable, "p2"), [Did::AlreadyEnabled]);
        assert_eq!(listed(&this).await, ["device1 up", "p2 start Idle", "st down", "q start Idle"]);
        stopped(&mut this, &mut inbox).await;
        assert_eq!(listed(&this).await[2], "st down");
    }
}
