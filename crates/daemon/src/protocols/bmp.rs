//! `protocol bmp`: a monitoring station is told of neighbours and their routes (RFC 7854).
//!
//! One task talks to the station ([`station`]); sessions and tables put what it
//! shall hear into its queue and go on. What waits there is counted, and when it
//! is more than `tx buffer limit` the connection ends and begins anew, as in
//! BIRD: nobody ever waits for a station, and no memory runs away.

mod outgoing;
mod queue;
mod standing;
mod station;
mod statistics;
mod told;

use super::Start;
use super::diary::Diary;
use conf::config::{BmpConf, ProtocolConf, ProtocolKind};
use control::view::{BmpView, Info};
use queue::Gauge;
use route::Moment;
use session::peer::Deps;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Asks all neighbours that can be asked to tell their routes again.
pub type AskAll = Arc<dyn Fn() + Send + Sync>;

/// A running `bmp` protocol. Cheap to clone.
#[derive(Clone)]
pub struct BmpHandle {
    state: Arc<Mutex<Bmp>>,
    board: Arc<Board>,
}

struct Bmp {
    conf: Arc<ProtocolConf>,
    deps: Deps,
    diary: Diary,
    ask_all: AskAll,
    /// Talks while it is up.
    talk: Option<(JoinHandle<()>, watch::Sender<bool>)>,
}

/// How far the connection is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Down,
    Idle,
    Connect,
    Established,
}

/// What the operator sees.
#[derive(Default)]
struct Board {
    phase: Mutex<(Phase, Moment, String)>,
    gauge: Arc<Gauge>,
    sent: AtomicU64,
    sent_ever: AtomicU64,
}

impl Board {
    fn phase(&self) -> MutexGuard<'_, (Phase, Moment, String)> {
        self.phase.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note of a step; the time counts from the last change of what `show protocols` calls the state.
    fn come_to(&self, phase: Phase, now: Moment, error: Option<String>) {
        let mut seen = self.phase();
        if word(seen.0) != word(phase) {
            seen.1 = now;
        }
        seen.0 = phase;
        seen.2 = error.unwrap_or_default();
    }
}

const fn word(phase: Phase) -> &'static str {
    match phase {
        Phase::Down => "down",
        Phase::Idle | Phase::Connect => "start",
        Phase::Established => "up",
    }
}

impl BmpHandle {
    /// Makes it; it is down until [`begin`](Self::begin). Must be called inside the runtime.
    pub fn spawn(start: Start, ask_all: AskAll) -> Self {
        let board = Arc::<Board>::default();
        board.phase().1 = start.world.deps.clock.now();
        let state = Bmp { conf: start.conf, deps: start.world.deps, diary: start.diary, ask_all, talk: None };
        Self { state: Arc::new(Mutex::new(state)), board }
    }

    fn lock(&self) -> MutexGuard<'_, Bmp> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Goes up; nothing happens when it is up already.
    pub fn begin(&self) {
        let mut bmp = self.lock();
        let Some(conf) = own(&bmp.conf).filter(|_| bmp.talk.is_none()) else { return };
        bmp.diary.state("start");
        self.board.gauge.set_limit(conf.buffer_megabytes);
        let (stop, stopped) = watch::channel(false);
        let station = station::Station {
            name: Arc::clone(&bmp.conf.name),
            conf: conf.clone(),
            vrf: bmp.conf.vrf.clone(),
            deps: bmp.deps.clone(),
            diary: bmp.diary.clone(),
            board: Arc::clone(&self.board),
            ask_all: Arc::clone(&bmp.ask_all),
            asked: None,
        };
        bmp.talk = Some((tokio::spawn(station.run(stopped)), stop));
    }

    /// Goes down, taking leave of the station.
    pub async fn stop(&self) {
        let Some((talk, stop)) = self.lock().talk.take() else { return };
        let _ = stop.send(true);
        let _ = talk.await;
        let bmp = self.lock();
        self.board.come_to(Phase::Down, bmp.deps.clock.now(), None);
        bmp.diary.state("down");
    }

    /// Takes over what does not need a new connection.
    pub fn reconfigure(&self, conf: Arc<ProtocolConf>) {
        let mut bmp = self.lock();
        bmp.conf = conf;
        if let Some(own) = own(&bmp.conf) {
            self.board.gauge.set_limit(own.buffer_megabytes);
        }
    }

    /// The row of `show protocols`: state, since when, and the last column.
    pub fn row(&self) -> (&'static str, Moment, Info) {
        let seen = self.board.phase();
        let (phase, since, error) = &*seen;
        let text = match (phase, error.is_empty()) {
            (Phase::Down, _) => "Down".into(),
            (phase, true) => format!("{phase:?}").into(),
            (phase, false) => format!("{:<14}Error: {error}", format!("{phase:?}")).into(),
        };
        (word(*phase), *since, Info::Text(text))
    }

    /// What `show protocols all` has of it; `None` while it is down.
    pub fn view(&self) -> Option<BmpView> {
        let bmp = self.lock();
        let conf = own(&bmp.conf)?;
        let seen = self.board.phase();
        (seen.0 != Phase::Down).then(|| BmpView {
            station_addr: conf.station_addr,
            station_port: conf.station_port,
            local_addr: conf.local_addr,
            error: seen.2.as_str().into(),
            pending: self.board.gauge.pending(),
            limit: self.board.gauge.limit(),
            sent: self.board.sent.load(Ordering::Relaxed),
            sent_ever: self.board.sent_ever.load(Ordering::Relaxed),
        })
    }
}

fn own(conf: &ProtocolConf) -> Option<&BmpConf> {
    match &conf.kind {
        ProtocolKind::Bmp(own) => Some(own),
        _ => None,
    }
}
