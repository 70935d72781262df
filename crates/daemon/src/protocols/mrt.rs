//! `protocol mrt`: says when it is time to write tables, and what became of it.
//!
//! Which tables, neighbours and files that are the supervisor knows, who is told
//! when a period is over and comes back with the dump that it has begun.

use super::Start;
use super::diary::Diary;
use conf::config::{ProtocolConf, ProtocolKind};
use session::mrt::dump::Failure;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Hears that a period is over.
pub type IsTime = Arc<dyn Fn() + Send + Sync>;

/// A running `mrt` protocol. Cheap to clone.
#[derive(Clone)]
pub struct MrtHandle {
    state: Arc<Mutex<Mrt>>,
}

struct Mrt {
    conf: Arc<ProtocolConf>,
    diary: Diary,
    is_time: IsTime,
    /// Counts the periods while it is up.
    timer: Option<JoinHandle<()>>,
    /// Waits for the dump that is being written.
    dump: Option<JoinHandle<()>>,
}

impl MrtHandle {
    /// Makes it; it is down until [`begin`](Self::begin). Must be called inside the runtime.
    pub fn spawn(start: Start, is_time: IsTime) -> Self {
        let state = Mrt { conf: start.conf, diary: start.diary, is_time, timer: None, dump: None };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    fn lock(&self) -> MutexGuard<'_, Mrt> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Goes up; nothing happens when it is up already. The first dump is a period away.
    pub fn begin(&self) {
        let mut mrt = self.lock();
        if mrt.timer.is_none() {
            mrt.diary.starting();
            mrt.count();
            mrt.diary.fed();
        }
    }

    /// Goes down; a dump that is being written is given up.
    #[expect(clippy::unused_async, reason = "all protocols stop alike")]
    pub async fn stop(&self) {
        let mut mrt = self.lock();
        if mrt.timer.is_none() {
            return;
        }
        mrt.diary.shutting_down();
        for task in [mrt.timer.take(), mrt.dump.take()].into_iter().flatten() {
            task.abort();
        }
        mrt.diary.down();
    }

    /// Takes over new options. A changed period begins now.
    pub fn reconfigure(&self, conf: Arc<ProtocolConf>) {
        let mut mrt = self.lock();
        let before = mrt.period_s();
        mrt.conf = conf;
        let now = mrt.period_s();
        if before == now {
            return;
        }
        mrt.diary.event(format_args!("Changing period from {before} to {now} s"));
        if let Some(timer) = mrt.timer.take() {
            timer.abort();
            mrt.count();
        }
    }

    /// Begins a dump, unless the last one is still being written, and sees to its end.
    pub fn run(&self, begin: impl FnOnce() -> oneshot::Receiver<Vec<Failure>>) {
        let mut mrt = self.lock();
        let name = Arc::clone(&mrt.conf.name);
        if mrt.timer.is_none() {
            return;
        }
        if mrt.dump.as_ref().is_some_and(|dump| !dump.is_finished()) {
            tracing::warn!("{name}: Earlier RIB table dump still not finished, skipping next one");
            return;
        }
        mrt.diary.event(format_args!("RIB table dump started"));
        let (written, this) = (begin(), self.clone());
        mrt.dump = Some(tokio::spawn(async move {
            for failure in written.await.unwrap_or_default() {
                tracing::error!("{name}: {failure}");
            }
            this.lock().diary.event(format_args!("RIB table dump done"));
        }));
    }
}

impl Mrt {
    fn period_s(&self) -> u32 {
        match &self.conf.kind {
            ProtocolKind::Mrt(mrt) => mrt.period_s,
            _ => 0,
        }
    }

    fn count(&mut self) {
        let (period, is_time) = (Duration::from_secs(self.period_s().max(1).into()), Arc::clone(&self.is_time));
        self.timer = Some(tokio::spawn(async move {
            let mut due = tokio::time::interval_at(tokio::time::Instant::now() + period, period);
            due.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                due.tick().await;
                is_time();
            }
        }));
    }
}
