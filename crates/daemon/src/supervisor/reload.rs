//! `configure`: from a new configuration to a plan, and the plan carried out.
//!
//! A configuration that is wrong changes nothing. Of a right one only what
//! differs is touched: an unchanged session never resets, a changed filter is
//! re-judged, a changed option that needs it restarts its protocol alone. What
//! must stop is stopped first; when all of it has stopped, the rest is made.
//! Meanwhile a further configuration is kept, the last one wins. How they are
//! read, and who is served when, is the affair of [`super::reading`].

use super::actions::{is_enabled, trace_tables, untrace_tables};
use super::reading::{Queued, Wish};
use super::{Current, Instance, Order, Running, Supervisor};
use crate::translate;
use conf::config::{Config, ProtocolConf, ProtocolKind};
use conf::plan::{Action, Plan};
use control::view::{ConfigureOutcome, ConfigureReport};
use session::peer::{Refilter, StopReason};
use std::collections::HashSet;
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
    /// Those of the new configuration that are stopping, to begin anew.
    restarting: HashSet<Arc<str>>,
    /// Tables that are made anew once nobody uses them.
    remade: Vec<Arc<str>>,
    /// The configuration before this one.
    previous: Option<Current>,
    /// Nobody has gone back since the last configuration was taken on.
    undo_available: bool,
    /// The undo timer that runs.
    undo_timer: Option<u64>,
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
        let plan = self.with_the_running(plan, &new.config);
        let config = Arc::clone(&new.config);
        // Without one in the file the id stays, so that no session resets for it.
        self.router_id = config.router_id.unwrap_or(self.router_id);
        self.reload.previous = Some(std::mem::replace(&mut self.current, new));
        self.published.send_replace(Arc::clone(&config));
        self.make_tables(&config);
        self.set_roas(&config);
        self.world.deps.recorder.set_file(config.mrtdump_file.clone());
        session::pace::set(translate::pace(&config.latency));
        self.reload.remade = plan.tables_removed.iter().filter(|t| plan.tables_added.contains(t)).cloned().collect();
        let restarting = plan.protocols.iter().filter(|p| p.action == Action::Restart);
        self.reload.restarting = restarting.map(|p| Arc::clone(&p.name)).collect();
        let goodbyes = self.stop_what_changes(&plan, &config);
        self.refilter_what_stays(&plan, &config, soft);
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

    /// Stops what is removed or must restart. What is down already is gone at once.
    fn stop_what_changes(&mut self, plan: &Plan, config: &Config) -> Vec<tokio::task::JoinHandle<()>> {
        let mut goodbyes = Vec::new();
        let instances = std::mem::take(&mut self.instances);
        for instance in instances {
            let name = &instance.conf.name;
            let reason = match action_for(plan, name) {
                Some(Action::Stop) => StopReason::Deconfigured,
                Some(Action::Restart) => StopReason::Reconfigure,
                _ => {
                    self.instances.push(instance);
                    continue;
                }
            };
            let is_up = is_enabled(&instance);
            let stays_down = config.protocols.iter().any(|c| c.name == *name && c.disabled);
            match (reason, is_up, stays_down) {
                (StopReason::Deconfigured, ..) => tracing::info!("Removing protocol {name}"),
                (_, true, false) => tracing::info!("Restarting protocol {name}"),
                (_, true, true) => tracing::info!("Disabling protocol {name}"),
                (_, false, false) => tracing::info!("Enabling protocol {name}"),
                (_, false, true) => {}
            }
            for ids in &instance.channels {
                self.world.listeners.remove(ids.channel);
            }
            let world = self.world.clone();
            let goodbye = tokio::spawn(async move {
                instance.running.stop(reason, None).await;
                untrace_tables(&world, &instance);
            });
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
            let Some(conf) = config.protocols.iter().find(|c| c.name == instance.conf.name) else { continue };
            let action = action_for(plan, &conf.name);
            let refilter = match action {
                Some(Action::Refilter { import, export }) => {
                    Refilter { import: import && !soft, export: export && !soft }
                }
                _ => Refilter::default(),
            };
            let changed = matches!(action, Some(Action::Update | Action::Refilter { .. }));
            // Spans and allocations of an unchanged protocol are new all the same.
            let masks = |c: &ProtocolConf| c.channels.iter().map(|c| c.debug.0).collect::<Vec<_>>();
            let traced = conf.debug != instance.conf.debug || masks(conf) != masks(&instance.conf);
            if conf.mrtdump != instance.conf.mrtdump {
                instance.running.mrtdump(conf.mrtdump);
            }
            instance.conf = Arc::new(conf.clone());
            if traced {
                instance.running.debug(conf.debug);
                trace_tables(&self.world, instance, conf.debug);
            }
            if changed {
                if refilter.import || refilter.export {
                    tracing::info!("Reloading protocol {}", conf.name);
                }
                self.hand_over(instance, config, refilter);
            }
        }
        self.instances = instances;
    }

    fn hand_over(&self, instance: &Instance, config: &Config, refilter: Refilter) {
        let conf = Arc::clone(&instance.conf);
        match (&instance.running, &conf.kind) {
            (Running::Bgp(peer), ProtocolKind::Bgp(bgp)) => {
                let spec = translate::peer(&conf, bgp, config, instance.id, self.router_id, &instance.channels);
                let peer = peer.clone();
                tokio::spawn(async move {
                    if !peer.reconfigure(spec, refilter).await {
                        peer.stop(StopReason::Restart, None).await;
                    }
                });
            }
            (Running::Device(p), _) => {
                drop(tokio::spawn(with(p.clone(), |p| async move { p.reconfigure(conf).await })))
            }
            (Running::Direct(p), _) => {
                drop(tokio::spawn(with(p.clone(), |p| async move { p.reconfigure(conf).await })))
            }
            (Running::Kernel(p), _) => {
                drop(tokio::spawn(with(p.clone(), |p| async move { p.reconfigure(conf).await })))
            }
            (Running::Static(p), _) => {
                drop(tokio::spawn(with(p.clone(), |p| async move { p.reconfigure(conf).await })))
            }
            (Running::Pipe(p), _) => p.reconfigure(conf, refilter.import, refilter.export),
            (Running::Bfd(p), _) => drop(tokio::spawn(with(p.clone(), |p| async move { p.reconfigure(conf).await }))),
            (Running::Mrt(p), _) => p.reconfigure(conf),
            (Running::Bgp(_), _) => {}
        }
    }

    /// What had to stop has stopped: make what is new, then take on what was queued.
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

    /// Makes what is not there yet, and puts all instances into the order of the configuration.
    fn finish_reload(&mut self) {
        let config = Arc::clone(&self.current.config);
        for name in std::mem::take(&mut self.reload.remade) {
            if let Some(id) = self.tables.remove(&name) {
                self.world.deps.tables.remove(id);
            }
        }
        self.make_tables(&config);
        for conf in &config.protocols {
            if !self.instances.iter().any(|i| i.conf.name == conf.name) {
                if !self.reload.restarting.contains(&conf.name) {
                    tracing::info!("Adding protocol {}", conf.name);
                }
                self.make(conf, !conf.disabled);
            }
        }
        let place = |name: &str| config.protocols.iter().position(|c| &*c.name == name);
        self.reload.restarting.clear();
        self.instances.sort_by_key(|i| place(&i.conf.name));
        self.drop_tables(&config);
        self.look_at_links();
        tracing::info!("Reconfigured");
    }

    fn drop_tables(&mut self, config: &Config) {
        let gone: Vec<_> =
            self.tables.keys().filter(|name| !config.tables.iter().any(|t| t.name == **name)).cloned().collect();
        for name in gone {
            if let Some(id) = self.tables.remove(&name) {
                self.world.deps.tables.remove(id);
            }
        }
    }
}

fn action_for(plan: &Plan, name: &str) -> Option<Action> {
    plan.protocols.iter().find(|p| &*p.name == name).map(|p| p.action)
}

async fn with<P, F: Future<Output = ()>>(protocol: P, work: impl FnOnce(P) -> F) {
    work(protocol).await;
}
