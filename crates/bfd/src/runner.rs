//! The thread on which sessions run.
//!
//! ```text
//!  anybody ──commands──► the thread: timers, sockets, sessions ──Tell──► whoever asked
//! ```
//!
//! The thread sleeps until a packet, a command or a deadline comes. Everything it
//! touches is its own; a [`Tell`] must only put the report somewhere, never wait.
//! On waking it reads what has come before it looks at who is late: a packet that
//! waits in the socket is a sign of life, however late we are to read it.
//!
//! A flood of packets delays nobody for long: a turn reads at most so many, then
//! the deadlines are served.

mod deadlines;
mod engine;
mod limit;
mod priority;
mod sockets;

use crate::packet::State;
use crate::session::{Detail, Options};
use std::io::{self, Write};
use std::net::IpAddr;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::Duration;

/// A session of this process; never given twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId(u64);

/// A link, for sessions of one hop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its number.
    pub index: u32,
    /// Its name.
    pub name: Arc<str>,
}

/// Where a report of a changed state goes. Called on the thread of the sessions: it must not wait.
pub type Tell = Box<dyn Fn(Report) + Send>;

/// What has become of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// Its state.
    pub state: State,
    /// How often it has gone from up to not up.
    pub downs: u32,
}

/// How the port of a session is opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hearing {
    /// On our address, and on the link of a neighbour one hop away; else on every address.
    pub strict: bool,
    /// Packets over IPv6 without a checksum are taken (RFC 6935).
    pub zero_checksum: bool,
}

/// A session to be run.
pub struct Spec {
    /// The protocol instance, for log lines.
    pub name: Arc<str>,
    /// Its debug mask: events 16, packets 32.
    pub debug: Arc<AtomicU32>,
    /// The neighbour.
    pub remote: IpAddr,
    /// Our address.
    pub local: IpAddr,
    /// The link of a neighbour that is one hop away; `None`: it may be more.
    pub link: Option<Link>,
    /// The device of the VRF in which it runs; `None`: of none.
    pub vrf: Option<Link>,
    /// Intervals and keys.
    pub options: Options,
    /// The port on which its packets come.
    pub hearing: Hearing,
    /// Who hears of it.
    pub tell: Tell,
}

/// A session, as `show bfd sessions` prints it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// Which.
    pub id: SessionId,
    /// The neighbour.
    pub remote: IpAddr,
    /// The link, of one hop.
    pub link: Option<Arc<str>>,
    /// The state.
    pub state: State,
    /// How long it has been so.
    pub age: Duration,
    /// Between two packets of ours, microseconds.
    pub interval_us: u32,
    /// The detection time, microseconds; 0 while the neighbour is not heard.
    pub timeout_us: u64,
    /// The rest.
    pub detail: Detail,
}

/// Where the answer to [`Runner::views`] goes.
pub type Answer = Box<dyn FnOnce(Vec<View>) + Send>;

enum Command {
    Add(SessionId, Box<Spec>),
    Remove(SessionId),
    Reconfigure(SessionId, Box<Options>),
    Views(Vec<SessionId>, Answer),
}

/// The thread, as others hold it. It ends when all handles are dropped.
#[derive(Clone)]
pub struct Runner {
    commands: mpsc::Sender<Command>,
    /// A byte here wakes the thread.
    wake: Arc<UnixStream>,
    ids: Arc<AtomicU64>,
}

impl Runner {
    /// Starts the thread; it opens sockets when there are sessions.
    pub fn start() -> io::Result<Self> {
        let (wake, woken) = UnixStream::pair()?;
        wake.set_nonblocking(true)?;
        woken.set_nonblocking(true)?;
        let (commands, inbox) = mpsc::channel();
        let engine = engine::Engine::new(inbox, woken);
        let body = move || {
            priority::raise();
            engine.run();
        };
        std::thread::Builder::new().name("bfd".to_owned()).spawn(body)?;
        Ok(Self { commands, wake: Arc::new(wake), ids: Arc::default() })
    }

    /// Begins a session; it is down.
    pub fn add(&self, spec: Spec) -> SessionId {
        let id = SessionId(self.ids.fetch_add(1, Ordering::Relaxed));
        self.send(Command::Add(id, Box::new(spec)));
        id
    }

    /// Ends a session without a word, as BIRD does: the neighbour finds out by its detection time.
    pub fn remove(&self, id: SessionId) {
        self.send(Command::Remove(id));
    }

    /// New intervals and keys; the session stays.
    pub fn reconfigure(&self, id: SessionId, options: Options) {
        self.send(Command::Reconfigure(id, Box::new(options)));
    }

    /// How these sessions are, in this order; those that are gone are left out.
    pub fn views(&self, ids: Vec<SessionId>, answer: Answer) {
        self.send(Command::Views(ids, answer));
    }

    fn send(&self, command: Command) {
        if self.commands.send(command).is_ok() {
            // A full pipe wakes as well.
            let _ = (&*self.wake).write(&[1]);
        }
    }
}
