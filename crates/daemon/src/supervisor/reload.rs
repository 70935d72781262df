//! `configure`: from a new configuration to a plan, and the plan carried out.
//!
//! A configuration that is wrong changes nothing. Of a right one only what
//! differs is touched: an unchanged session never resets, a changed filter is
//! re-judged, a changed option that needs it restarts its protocol alone. What
//! must stop is stopped first; when all of it has stopped, the rest is made.
//! Meanwhile a further `configure` is kept, the last one wins.

use super::actions::trace_tables;
use super::{Current, Instance, Order, Running, Supervisor};
use crate::translate;
use conf::config::{Config, DebugMask, ProtocolConf, ProtocolKind};
use conf::plan::{self, Action, Plan};
use control::request::{Answer, Configure};
use control::view::{ConfigureOutcome, ConfigureReport};
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
    /// Read while another one was being carried out.
    queued: Option<(Current, bool)>,
    /// The configuration before this one.
    previous: Option<Current>,
    /// The undo timer runs.
    undo_armed: bool,
}

impl Reload {
    /// Whether protocols are still stopping.
    pub fn in_progress(&self) -> bool {
        self.waiting
    }
}

impl Supervisor {
    /// SIGHUP.
    pub(super) fn reload_on_signal(&mut self) {
        let path = Arc::clone(&self.home);
        tracing::info!("Reconfiguration requested by SIGHUP");
        let _ = self.load_and_apply(&path, false);
    }

    /// `configure`.
    pub(super) fn configure(&mut self, file: Option<Arc<str>>, how: Configure, answer: Answer<ConfigureReport>) {
        let path = file.unwrap_or_else(|| Arc::clone(&self.home));
        let (outcome, undo_s) = match how {
            Configure::Check => (self.check(&path), None),
            Configure::Load { soft, undo_s } => {
                let outcome = self.load_and_apply(&path, soft);
                let undo_s = undo_s.filter(|s| *s > 0 && !matches!(outcome, ConfigureOutcome::Wrong(_)));
                if let Some(seconds) = undo_s {
                    self.arm_undo(seconds);
                }
                (outcome, undo_s)
            }
        };
        drop(answer.send(ConfigureReport { file: Some(path), undo_s, outcome }));
    }

    fn check(&self, path: &str) -> ConfigureOutcome {
        match self.reader.read(path) {
            Ok(_) => ConfigureOutcome::Fine,
            Err(refused) => ConfigureOutcome::Wrong(refused.report(false)),
        }
    }

    fn load_and_apply(&mut self, path: &Arc<str>, soft: bool) -> ConfigureOutcome {
        match self.reader.read(path) {
            Ok(loaded) => {
                for line in loaded.warning_lines() {
                    tracing::warn!("{line}");
                }
                let current = Current {
                    config: Arc::new(loaded.config),
                    path: Arc::clone(path),
                    read: self.world.deps.clock.now(),
                };
                self.apply(current, soft)
            }
            Err(refused) => {
                tracing::error!("{}", refused.line());
                ConfigureOutcome::Wrong(refused.report(false))
            }
        }
    }

    /// `configure undo`.
    pub(super) fn undo(&mut self) -> ConfigureReport {
        tracing::info!("Undoing last configuration");
        if self.reload.queued.take().is_some() {
            return ConfigureReport { file: None, undo_s: None, outcome: ConfigureOutcome::Unqueued };
        }
        let outcome = match self.reload.previous.take() {
            Some(previous) => {
                let outcome = self.apply(previous, false);
                self.reload.previous = None;
                outcome
            }
            None => ConfigureOutcome::Nothing,
        };
        self.reload.undo_armed = false;
        ConfigureReport { file: None, undo_s: None, outcome }
    }

    /// `configure confirm`.
    pub(super) fn confirm(&mut self) -> ConfigureReport {
        let outcome = if std::mem::take(&mut self.reload.undo_armed) {
            ConfigureOutcome::Confirmed
        } else {
            ConfigureOutcome::Nothing
        };
        ConfigureReport { file: None, undo_s: None, outcome }
    }

    fn arm_undo(&mut self, seconds: u32) {
        self.reload.undo_armed = true;
        let (turn, orders) = (self.reload.turn, self.orders.clone());
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(seconds.into())).await;
            let _ = orders.send(Order::UndoTimeout(turn));
        });
    }

    /// The undo timer ran out; nothing happens when it was confirmed or another configuration came.
    pub(super) fn undo_timeout(&mut self, turn: u64) {
        if self.reload.undo_armed && turn == self.reload.turn {
            tracing::info!("Config timeout expired, starting undo");
            let _ = self.undo();
        }
    }

    fn apply(&mut self, new: Current, soft: bool) -> ConfigureOutcome {
        if self.stopping {
            return ConfigureOutcome::Stopping;
        }
        if self.reload.waiting {
            self.reload.queued = Some((new, soft));
            return ConfigureOutcome::Queued;
        }
        tracing::info!("Reconfiguring");
        self.reload.turn += 1;
        let plan = plan::diff(&self.current.config, &new.config);
        let config = Arc::clone(&new.config);
        // Without one in the file the id stays, so that no session resets for it.
        self.router_id = config.router_id.unwrap_or(self.router_id);
        self.reload.previous = Some(std::mem::replace(&mut self.current, new));
        self.published.send_replace(Arc::clone(&config));
        self.make_tables(&config);
        self.set_roas(&config);
        self.world.deps.recorder.set_file(config.mrtdump_file.clone());
        let goodbyes = self.stop_what_changes(&plan);
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

    /// Stops what is removed or must restart. Those that need no time are gone at once.
    fn stop_what_changes(&mut self, plan: &Plan) -> Vec<tokio::task::JoinHandle<()>> {
        let mut goodbyes = Vec::new();
        let instances = std::mem::take(&mut self.instances);
        for instance in instances {
            let reason = match action_for(plan, &instance.conf.name) {
                Some(Action::Stop) => StopReason::Deconfigured,
                Some(Action::Restart) => StopReason::Reconfigure,
                _ => {
                    self.instances.push(instance);
                    continue;
                }
            };
            tracing::info!(
                "{} protocol {}",
                if reason == StopReason::Deconfigured { "Removing" } else { "Restarting" },
                instance.conf.name
            );
            for ids in &instance.channels {
                self.world.listeners.remove(ids.channel);
            }
            let world = self.world.clone();
            goodbyes.push(tokio::spawn(async move {
                instance.running.stop(reason, None).await;
                trace_tables(&world, &instance, DebugMask::default());
            }));
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
            // Spans and allocations of an unchanged protocol are new all the same; the operator's `disabled` stays what it is.
            if conf.disabled != instance.conf.disabled {
                self.follow_disabled(instance, conf);
            }
            let traced = conf.debug != instance.conf.debug;
            if conf.mrtdump != instance.conf.mrtdump {
                instance.running.mrtdump(conf.mrtdump);
            }
            instance.conf = Arc::new(conf.clone());
            if traced {
                instance.running.debug(conf.debug);
                trace_tables(&self.world, instance, conf.debug);
            }
            if changed {
                tracing::info!("Reloading protocol {}", conf.name);
                self.hand_over(instance, config, refilter);
            }
        }
        self.instances = instances;
    }

    fn follow_disabled(&self, instance: &mut Instance, conf: &ProtocolConf) {
        instance.enabled = !conf.disabled;
        instance.since = self.world.deps.clock.now();
        if conf.disabled {
            drop(instance.running.stop_soon(StopReason::Disable, None));
        } else {
            instance.running.begin();
        }
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
        if let Some((queued, soft)) = self.reload.queued.take() {
            self.apply(queued, soft);
        }
    }

    /// Makes what is not there yet, and puts all instances into the order of the configuration.
    fn finish_reload(&mut self) {
        let config = Arc::clone(&self.current.config);
        for conf in &config.protocols {
            if !self.instances.iter().any(|i| i.conf.name == conf.name) {
                self.make(conf, !conf.disabled);
            }
        }
        let place = |name: &str| config.protocols.iter().position(|c| &*c.name == name);
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
