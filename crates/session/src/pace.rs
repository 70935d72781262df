//! How long the turns of the daemon's loops take: BIRD's `debug latency` and `watchdog`.
//!
//! BIRD has one loop and watches it. Here several loops serve others and must be
//! quick: each thread of tables, each of export groups, and the supervisor. Each
//! has a [`Pace`] and says when a turn begins and ends; what took too long is
//! logged in BIRD's words. With a timeout a thread of its own looks whether one
//! hangs, and ends the process. What was done last is kept for `dump events`.
//!
//! The limits are of the process, as a configuration is, so they stand in statics.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Once, PoisonError, Weak};
use std::time::{Duration, Instant};

/// What is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// `debug latency` with its `limit`: for one thing done in a turn.
    pub event: Option<Duration>,
    /// `watchdog warning`: for a whole turn.
    pub turn: Duration,
    /// `watchdog timeout`: a turn that takes longer ends the process.
    pub timeout: Option<Duration>,
}

const NEVER: u64 = u64::MAX;
static EVENT_US: AtomicU64 = AtomicU64::new(NEVER);
static TURN_US: AtomicU64 = AtomicU64::new(5_000_000);
static TIMEOUT_US: AtomicU64 = AtomicU64::new(NEVER);
static LOOPS: Mutex<Vec<Weak<Pace>>> = Mutex::new(Vec::new());
/// What was done last, the oldest in front; grows while `debug latency` is on.
static DONE: Mutex<VecDeque<Done>> = Mutex::new(VecDeque::new());
/// How much of it is kept.
const DONE_MAX: usize = 32;

/// One thing that was done in a turn.
struct Done {
    what: String,
    at: Instant,
    took_ms: u64,
}

/// The lines of `dump events`: what was done last, how many milliseconds ago it began, and how many it took.
pub fn recent() -> Vec<String> {
    let done = DONE.lock().unwrap_or_else(PoisonError::into_inner);
    let line =
        |one: &Done| format!("  Event {} at {:8} for {} ms", one.what, one.at.elapsed().as_millis(), one.took_ms);
    std::iter::once("Event log:".to_owned()).chain(done.iter().map(line)).collect()
}

/// Sets the limits from now on.
pub fn set(limits: Limits) {
    let us = |d: Duration| u64::try_from(d.as_micros()).unwrap_or(NEVER);
    EVENT_US.store(limits.event.map_or(NEVER, us), Ordering::Relaxed);
    TURN_US.store(us(limits.turn), Ordering::Relaxed);
    TIMEOUT_US.store(limits.timeout.map_or(NEVER, us), Ordering::Relaxed);
    if limits.timeout.is_some() {
        static WATCHER: Once = Once::new();
        WATCHER.call_once(|| crate::mailbox::spawn("watchdog".to_owned(), watch));
    }
}

/// The pace of one loop.
#[derive(Debug)]
pub struct Pace {
    name: String,
    born: Instant,
    /// When its turn began, microseconds after `born` and one; 0: it waits.
    busy: AtomicU64,
}

impl Pace {
    /// Of a loop by this name, which waits.
    pub fn new(name: impl Into<String>) -> Arc<Self> {
        let pace = Arc::new(Self { name: name.into(), born: Instant::now(), busy: AtomicU64::new(0) });
        let mut all = LOOPS.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|one| one.strong_count() > 0);
        all.push(Arc::downgrade(&pace));
        drop(all);
        pace
    }

    fn now_us(&self) -> u64 {
        u64::try_from(self.born.elapsed().as_micros()).unwrap_or(NEVER) + 1
    }

    /// A turn begins.
    pub fn begin(&self) {
        self.busy.store(self.now_us(), Ordering::Relaxed);
    }

    /// The turn ends; so many things were done in it.
    pub fn end(&self, events: usize) {
        let began = self.busy.swap(0, Ordering::Relaxed);
        let took = self.now_us().saturating_sub(began);
        if began > 0 && took > TURN_US.load(Ordering::Relaxed) {
            tracing::warn!("I/O loop cycle of {} took {} ms for {events} events", self.name, took / 1000);
        }
    }

    /// Does one thing of a turn, and says so when it took longer than `debug latency` allows.
    pub fn event<T>(&self, what: &str, work: impl FnOnce() -> T) -> T {
        let limit = EVENT_US.load(Ordering::Relaxed);
        if limit == NEVER {
            return work();
        }
        let (began, at) = (self.now_us(), Instant::now());
        let made = work();
        let took = self.now_us().saturating_sub(began);
        let done = Done { what: format!("{what} of {}", self.name), at, took_ms: took / 1000 };
        if took > limit {
            tracing::warn!("Event {} took {} ms", done.what, done.took_ms);
        }
        let mut all = DONE.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= DONE_MAX {
            all.pop_front();
        }
        all.push_back(done);
        drop(all);
        made
    }

    /// For how long its turn has lasted.
    fn busy_us(&self) -> u64 {
        match self.busy.load(Ordering::Relaxed) {
            0 => 0,
            began => self.now_us().saturating_sub(began),
        }
    }
}

/// The loop whose turn has lasted longer than this.
fn hanging(timeout_us: u64) -> Option<String> {
    let all: Vec<_> = LOOPS.lock().unwrap_or_else(PoisonError::into_inner).iter().filter_map(Weak::upgrade).collect();
    all.iter().find(|pace| pace.busy_us() > timeout_us).map(|pace| pace.name.clone())
}

/// Looks often enough that a loop is found within a tenth of the timeout.
fn watch() {
    loop {
        let timeout_us = TIMEOUT_US.load(Ordering::Relaxed);
        if let Some(name) = hanging(timeout_us) {
            tracing::error!(target: "fatal", "Watchdog timer timed out in {name}");
            std::process::abort();
        }
        std::thread::sleep(Duration::from_micros((timeout_us / 10).clamp(1_000, 1_000_000)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;
    use std::process::{Command, Stdio};

    #[test]
    fn a_loop_hangs_only_while_its_turn_lasts() {
        let pace = Pace::new("a loop under test");
        let is_hanging = || hanging(0).as_deref() == Some("a loop under test");
        assert!(!is_hanging());
        pace.begin();
        while pace.busy_us() == 0 {}
        assert!(is_hanging());
        assert_eq!(hanging(60_000_000), None);
        pace.end(1);
        assert!(!is_hanging());
        assert_eq!(pace.event("sum", || 1 + 1), 2);
    }

    /// What the test below runs in a process of its own, which this variable tells apart.
    const HANGS: &str = "RBIRD_TEST_HANGS";

    #[test]
    fn a_turn_without_an_end() {
        if std::env::var_os(HANGS).is_none() {
            return;
        }
        let pace = Pace::new("a loop that hangs");
        pace.begin();
        let timeout = Some(Duration::from_millis(20));
        set(Limits { event: None, turn: Duration::from_secs(5), timeout });
        loop {
            std::thread::park();
        }
    }

    #[test]
    fn a_loop_that_hangs_ends_the_process_as_if_it_had_crashed() {
        let mut hung = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "pace::tests::a_turn_without_an_end"])
            .env(HANGS, "yes")
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let until = Instant::now() + Duration::from_secs(60);
        let status = loop {
            match hung.try_wait().unwrap() {
                Some(status) => break status,
                None if Instant::now() > until => {
                    let _ = hung.kill();
                    break hung.wait().unwrap();
                }
                None => std::thread::sleep(Duration::from_millis(5)),
            }
        };
        const SIGABRT: i32 = 6;
        assert_eq!(status.signal(), Some(SIGABRT), "{status}");
    }
}
