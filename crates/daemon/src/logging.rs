//! The log: events of `tracing` become BIRD's lines, on BIRD's destinations.
//!
//! The rooms say `error!`, `warn!`, `info!`, `debug!`; classes that have no level
//! (remote, auth, fatal, bug, trace) are said by the event's target. Lines go
//! through a bounded queue to one thread that writes them, so a full disk or a
//! stopped terminal never holds up a session; what does not fit is counted and
//! said. Clients that said `echo` are given the lines as well.

mod sink;

use conf::config::{LogClass, LogTarget};
use sink::{Destination, Sink};
use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, RwLock};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

use crate::settings::LogFormat;

/// The name in front of lines on a terminal, also of `bird6`, as with BIRD.
pub const ON_TERMINALS: &str = "bird";

/// How many lines may wait for the disk.
const LINES_MAX: usize = 8192;

/// How long a line of the last classes, fatal and bug, may take to be written.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// How a moment is written in front of a line.
pub type Stamp = Arc<dyn Fn(SystemTime) -> String + Send + Sync>;

/// What stands in front of lines.
pub struct Heading {
    /// The moment, by `timeformat log`.
    pub stamp: Stamp,
    /// The moment in datagrams (RFC 3164 4.1.2, with digits of the second's fraction as BIRD has them).
    pub datagram_stamp: Stamp,
    /// The name of the machine, in datagrams.
    pub hostname: Arc<str>,
}

/// Who wants lines beside the destinations: the control socket's `echo`.
pub type Echo = Arc<dyn Fn(LogClass, &str) + Send + Sync>;

/// One line.
#[derive(Clone, Debug)]
struct Line {
    class: LogClass,
    text: String,
    at: SystemTime,
}

enum Message {
    Line(Line),
    Destinations(Vec<Destination>, Stamp),
    /// All before it is written: say so.
    Written(SyncSender<()>),
    End,
}

/// BIRD's word for a class.
pub const fn word(class: LogClass) -> &'static str {
    match class {
        LogClass::Debug => "DBG",
        LogClass::Trace => "TRACE",
        LogClass::Info => "INFO",
        LogClass::Remote => "RMT",
        LogClass::Warning => "WARN",
        LogClass::Error => "ERR",
        LogClass::Auth => "AUTH",
        LogClass::Fatal => "FATAL",
        LogClass::Bug => "BUG",
    }
}

fn class_of(event: &Event<'_>) -> LogClass {
    let meta = event.metadata();
    match meta.target() {
        "remote" => LogClass::Remote,
        "auth" => LogClass::Auth,
        "fatal" => LogClass::Fatal,
        "bug" => LogClass::Bug,
        "trace" => LogClass::Trace,
        _ => match *meta.level() {
            Level::ERROR => LogClass::Error,
            Level::WARN => LogClass::Warning,
            Level::INFO => LogClass::Info,
            Level::DEBUG => LogClass::Debug,
            Level::TRACE => LogClass::Trace,
        },
    }
}

/// Takes the message of an event and nothing else: our events have no other fields.
struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "message" {
            let _ = write!(self.0, "{value:?}");
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            self.0.push_str(value);
        }
    }
}

struct Front {
    queue: SyncSender<Box<Message>>,
    lost: AtomicU64,
    echo: RwLock<Option<Echo>>,
}

impl Front {
    fn take(&self, class: LogClass, text: String, echoed: bool) {
        // A line is one line, whatever a peer or a client has put into it.
        let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        if echoed
            && let Ok(echo) = self.echo.read()
            && let Some(echo) = echo.as_ref()
        {
            echo(class, &text);
        }
        let lost = self.lost.swap(0, Ordering::Relaxed);
        if lost > 0 {
            self.put(LogClass::Warning, format!("{lost} log lines were lost, the log is too slow"), lost);
        }
        self.put(class, text, 1);
        // Behind such a line the process may end at once, and the line is all that tells why.
        if matches!(class, LogClass::Fatal | LogClass::Bug) {
            self.wait_until_written();
        }
    }

    /// Not for ever: the disk may be stuck.
    fn wait_until_written(&self) {
        let (done, written) = sync_channel(1);
        if self.queue.try_send(Box::new(Message::Written(done))).is_ok() {
            let _ = written.recv_timeout(LAST_WORDS);
        }
    }

    fn put(&self, class: LogClass, text: String, counts: u64) {
        let line = Line { class, text, at: SystemTime::now() };
        if let Err(TrySendError::Full(_)) = self.queue.try_send(Box::new(Message::Line(line))) {
            self.lost.fetch_add(counts, Ordering::Relaxed);
        }
    }
}

struct Bridge(Arc<Front>);

impl<S: Subscriber> Layer<S> for Bridge {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        // Libraries below us talk to developers, not to operators.
        let class = class_of(event);
        if event.metadata().module_path().is_some_and(is_foreign) {
            return;
        }
        let mut text = Text(String::new());
        event.record(&mut text);
        // A dump is long, and whoever watches the log has not asked for it.
        self.0.take(class, text.0, event.metadata().target() != "dump");
    }
}

fn is_foreign(module: &str) -> bool {
    let room = module.split("::").next().unwrap_or_default();
    !(room.starts_with("rbird") || matches!(room, "session" | "netlink" | "control"))
}

/// The log of the process: stop it last.
pub struct Log {
    front: Arc<Front>,
    writer: Option<JoinHandle<()>>,
    setup: Setup,
}

/// What the command line and the settings say about the log.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The name in syslog.
    pub name: String,
    /// `-d`: standard error unless the configuration says otherwise.
    pub debug: bool,
    /// `-D`: everything also goes here.
    pub debug_file: Option<std::path::PathBuf>,
    /// The form of lines.
    pub format: LogFormat,
}

impl Log {
    /// Starts the log. Lines wait until [`Log::direct`] says where they go.
    pub fn start(setup: Setup) -> Self {
        let (queue, lines) = sync_channel(LINES_MAX);
        let front = Arc::new(Front { queue, lost: AtomicU64::new(0), echo: RwLock::new(None) });
        let _ =
            tracing::subscriber::set_global_default(tracing_subscriber::registry().with(Bridge(Arc::clone(&front))));
        let format = setup.format;
        let writer = std::thread::Builder::new().name("log".into()).spawn(move || write_lines(&lines, format)).ok();
        Self { front, writer, setup }
    }

    /// Says where lines go from now on: by `log` statements, or by default.
    pub fn direct(&self, targets: &[LogTarget], heading: &Heading) {
        let open = |t: &LogTarget| Sink::open(&t.to, &self.setup.name, heading);
        let mut destinations: Vec<Destination> =
            targets.iter().filter_map(|t| open(t).map(|sink| Destination { sink, classes: t.classes.0 })).collect();
        if targets.is_empty() {
            let sink = if self.setup.debug { Some(Sink::Terminal) } else { Sink::syslog(&self.setup.name) };
            destinations.extend(sink.map(|sink| Destination { sink, classes: u16::MAX }));
        }
        if let Some(sink) = self.setup.debug_file.as_deref().and_then(|path| Sink::file(path, None)) {
            destinations.push(Destination { sink, classes: u16::MAX });
        }
        let _ = self.front.queue.send(Box::new(Message::Destinations(destinations, Arc::clone(&heading.stamp))));
    }

    /// Gives lines to the control socket too.
    pub fn echo_to(&self, echo: Echo) {
        if let Ok(mut place) = self.front.echo.write() {
            *place = Some(echo);
        }
    }

    /// Writes what waits and ends.
    pub fn end(mut self) {
        let _ = self.front.queue.send(Box::new(Message::End));
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}

fn write_lines(lines: &Receiver<Box<Message>>, format: LogFormat) {
    let mut destinations: Option<(Vec<Destination>, Stamp)> = None;
    let mut early = Vec::new();
    for message in lines {
        match *message {
            Message::Line(line) => match &mut destinations {
                Some((to, stamp)) => write_line(&line, to, stamp, format),
                None => early.push(line),
            },
            Message::Destinations(mut to, stamp) => {
                if let Some((before, _)) = &destinations {
                    go_on(&mut to, before);
                }
                for line in early.drain(..) {
                    write_line(&line, &mut to, &stamp, format);
                }
                destinations = Some((to, stamp));
            }
            Message::Written(done) => drop(done.try_send(())),
            Message::End => return,
        }
    }
}

/// A file that is written round and round goes on where it was.
fn go_on(destinations: &mut [Destination], before: &[Destination]) {
    for destination in destinations {
        let Sink::Circle(circle) = &mut destination.sink else { continue };
        for before in before {
            if let Sink::Circle(before) = &before.sink {
                circle.go_on(before);
            }
        }
    }
}

fn write_line(line: &Line, destinations: &mut [Destination], stamp: &Stamp, format: LogFormat) {
    let stamped = || match format {
        LogFormat::Bird => format!("{} <{}> {}\n", stamp(line.at), word(line.class), line.text),
        LogFormat::Json => json_line(line, stamp),
    };
    for destination in destinations {
        if destination.classes & (1 << line.class as u16) == 0 {
            continue;
        }
        // Nobody is left to tell when the log itself cannot be written.
        let _ = match &mut destination.sink {
            Sink::Terminal => writeln!(std::io::stderr(), "{ON_TERMINALS}: {}", line.text),
            Sink::Stderr => std::io::stderr().write_all(stamped().as_bytes()),
            Sink::File(file) => file.write(stamped().as_bytes()),
            Sink::Circle(circle) => circle.write(stamped().as_bytes()),
            Sink::Syslog(syslog) => syslog.send(line),
            Sink::Udp(remote) => remote.send(line),
        };
    }
}

fn json_line(line: &Line, stamp: &Stamp) -> String {
    let escaped: String =
        line.text.chars().flat_map(|c| if matches!(c, '"' | '\\') { vec!['\\', c] } else { vec![c] }).collect();
    format!("{{\"time\":\"{}\",\"class\":\"{}\",\"message\":\"{escaped}\"}}\n", stamp(line.at), word(line.class))
}
