//! Configurations are read beside everything else: on a thread of their own, one after the other.
//!
//! Reading a large file and comparing it with what runs takes seconds; sessions,
//! tables and the control socket go on meanwhile. Who wants a configuration
//! stands in a line, so `configure`, `undo` and `confirm` are obeyed in the order
//! in which they came, and a plan is always made against what runs when it is
//! carried out. Hang-ups within [`HANGUPS_SETTLE`] are one.

use super::{Current, Order, Supervisor};
use conf::config::Config;
use conf::load::Refused;
use conf::plan::{self, Change, Effect, Plan};
use control::request::{Answer, Configure};
use control::view::{ConfigureOutcome, ConfigureReport};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// So long after a SIGHUP the configuration is read; Calico's confd sends three within milliseconds.
const HANGUPS_SETTLE: Duration = Duration::from_millis(50);

/// Somebody who wants another configuration to run.
#[derive(Debug)]
pub enum Wish {
    /// SIGHUP.
    Hangup,
    /// `configure`.
    Configure {
        /// The file, when it is not that of the command line.
        file: Option<Arc<str>>,
        /// How.
        how: Configure,
        /// Who waits for the reply.
        answer: Answer<ConfigureReport>,
    },
    /// `configure undo`; without an answer: the undo timer of this number ran out.
    Undo(Result<Answer<ConfigureReport>, u64>),
    /// `configure confirm`.
    Confirm(Answer<ConfigureReport>),
    /// It was queued while another one was carried out.
    Queued(Queued),
}

/// What waits until the configuration that is being carried out runs.
#[derive(Debug)]
pub enum Queued {
    /// A further one; `true` for `soft`.
    New(Current, bool),
    /// The way back.
    Undo,
}

/// The line in front of the reader.
#[derive(Debug, Default)]
pub struct Line {
    waiting: VecDeque<Wish>,
    is_reading: bool,
    hangup_settles: bool,
}

/// What the thread is given.
enum Job {
    Read(Arc<str>),
    Compare(Current),
}

/// What comes back of the thread.
pub struct Read {
    wish: Wish,
    result: Result<(Current, Plan), Refused>,
}

impl std::fmt::Debug for Read {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.wish.fmt(f)
    }
}

impl Supervisor {
    /// SIGHUP. Those that follow at once are the same one.
    pub(super) fn hangup(&mut self) {
        if std::mem::replace(&mut self.line.hangup_settles, true) {
            return;
        }
        tracing::info!("Reconfiguration requested by SIGHUP");
        let orders = self.orders.clone();
        tokio::spawn(async move {
            tokio::time::sleep(HANGUPS_SETTLE).await;
            let _ = orders.send(Order::HangupSettled);
        });
    }

    pub(super) fn hangup_settled(&mut self) {
        self.line.hangup_settles = false;
        self.want(Wish::Hangup);
    }

    /// At the end of the line.
    pub(super) fn want(&mut self, wish: Wish) {
        self.line.waiting.push_back(wish);
        self.read_next();
    }

    /// At its head: what has waited already.
    pub(super) fn want_first(&mut self, wish: Wish) {
        self.line.waiting.push_front(wish);
        self.read_next();
    }

    /// Takes on whoever stands first, until there is something for the thread to do.
    fn read_next(&mut self) {
        while !self.line.is_reading {
            let Some(wish) = self.line.waiting.pop_front() else { return };
            if let Some((wish, job)) = self.job(wish) {
                self.start_reading(wish, job);
            }
        }
    }

    /// What the thread has to do for a wish; nothing for one that is fulfilled at once.
    fn job(&mut self, wish: Wish) -> Option<(Wish, Job)> {
        match &wish {
            Wish::Hangup => {
                let path = Arc::clone(&self.home);
                Some((wish, Job::Read(path)))
            }
            Wish::Configure { file, .. } => {
                let path = file.clone().unwrap_or_else(|| Arc::clone(&self.home));
                Some((wish, Job::Read(path)))
            }
            Wish::Queued(Queued::New(current, _)) => {
                let current = current.clone();
                Some((wish, Job::Compare(current)))
            }
            Wish::Queued(Queued::Undo) => {
                let previous = self.previous()?;
                Some((wish, Job::Compare(previous)))
            }
            Wish::Undo(_) => {
                let Wish::Undo(whom) = wish else { return None };
                match self.begin_undo(whom.as_ref().err().copied()) {
                    Ok(previous) => Some((Wish::Undo(whom), Job::Compare(previous))),
                    Err(outcome) => {
                        reply(whom, ConfigureReport { file: None, undo_s: None, outcome });
                        None
                    }
                }
            }
            Wish::Confirm(_) => {
                let Wish::Confirm(answer) = wish else { return None };
                drop(answer.send(self.confirm()));
                None
            }
        }
    }

    fn start_reading(&mut self, wish: Wish, job: Job) {
        self.line.is_reading = true;
        let (reader, running) = (self.reader.clone(), Arc::clone(&self.current.config));
        let (clock, orders) = (self.world.deps.clock, self.orders.clone());
        let work = tokio::task::spawn_blocking(move || {
            let current = match job {
                Job::Compare(current) => current,
                Job::Read(path) => {
                    let loaded = reader.read_after(&path, &running)?;
                    for line in loaded.warning_lines() {
                        tracing::warn!("{line}");
                    }
                    for warning in conf::lint::surely_wrong(&loaded.config) {
                        tracing::warn!("{}", conf::lint::line(&warning, &loaded.config.files));
                    }
                    Current { config: Arc::new(loaded.config), path, read: clock.now() }
                }
            };
            let plan = plan::diff(&running, &current.config);
            Ok((current, plan))
        });
        tokio::spawn(async move {
            // A panic in there is ours; what runs runs on.
            let result = work.await.unwrap_or_else(|error| Err(Refused::because(format!("Internal error: {error}"))));
            let _ = orders.send(Order::Read(Box::new(Read { wish, result })));
        });
    }

    /// The thread is done: the plan is carried out, or told.
    pub(super) fn have_read(&mut self, read: Read) {
        self.line.is_reading = false;
        match (read.wish, read.result) {
            (Wish::Hangup, Ok((current, plan))) => {
                let _ = self.commit(current, plan, false, None);
            }
            (Wish::Queued(Queued::New(_, soft)), Ok((current, plan))) => {
                let _ = self.carry_out(current, plan, soft);
            }
            (Wish::Queued(Queued::Undo), Ok((current, plan))) => {
                let _ = self.carry_out(current, plan, false);
            }
            (Wish::Undo(whom), Ok((current, plan))) => {
                let outcome = self.carry_out(current, plan, false);
                reply(whom, ConfigureReport { file: None, undo_s: None, outcome });
            }
            (Wish::Configure { file, how, answer }, Ok((current, plan))) => {
                let file = Some(file.unwrap_or_else(|| Arc::clone(&self.home)));
                let report = match how {
                    Configure::Check => {
                        let plan = self.with_the_running(plan, &current.config);
                        let outcome = ConfigureOutcome::Fine(plan.to_string().lines().map(str::to_owned).collect());
                        ConfigureReport { file, undo_s: None, outcome }
                    }
                    Configure::Load { soft, undo_s } => {
                        let undo_s = undo_s.filter(|seconds| *seconds > 0);
                        ConfigureReport { file, undo_s, outcome: self.commit(current, plan, soft, undo_s) }
                    }
                };
                drop(answer.send(report));
            }
            (wish, Err(refused)) => {
                for line in refused.lines() {
                    tracing::error!("{line}");
                }
                let outcome = ConfigureOutcome::Wrong(refused.report(false));
                if let Wish::Configure { file, answer, .. } = wish {
                    let file = Some(file.unwrap_or_else(|| Arc::clone(&self.home)));
                    drop(answer.send(ConfigureReport { file, undo_s: None, outcome }));
                }
            }
            (Wish::Confirm(_), Ok(_)) => {}
        }
        self.read_next();
    }

    /// A plan with what an operator did since: who was disabled by hand, or by a limit, is enabled by a reload, and the
    /// other way round, as in BIRD.
    pub(super) fn with_the_running(&self, mut plan: Plan, new: &Config) -> Plan {
        let word = |disabled: bool| if disabled { "on" } else { "off" }.to_owned();
        for instance in &self.instances {
            let Some(conf) = new.protocols.iter().find(|c| c.name == instance.conf.name) else { continue };
            let is_disabled = !super::actions::is_enabled(instance);
            let planned = plan.protocols.iter_mut().find(|p| p.name == conf.name);
            if let Some(planned) = planned.filter(|p| p.action < plan::Action::Restart)
                && is_disabled != conf.disabled
            {
                planned.action = plan::Action::Restart;
                let (from, to) = (word(is_disabled), word(conf.disabled));
                planned.changes.push(Change { option: "disabled".into(), effect: Effect::Restart, from, to });
            }
        }
        plan
    }
}

/// Tells who asked; the timer asks for no answer.
fn reply(whom: Result<Answer<ConfigureReport>, u64>, report: ConfigureReport) {
    if let Ok(answer) = whom {
        drop(answer.send(report));
    }
}
