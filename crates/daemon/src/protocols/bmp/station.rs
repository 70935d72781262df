//! The connection to a station: opened, kept, and opened again when it was lost.

use super::queue::{Feeder, Item};
use super::told::Told;
use super::{AskAll, Board, Diary, Phase, statistics};
use crate::background::reason;
use bmp::Reason;
use conf::config::BmpConf;
use route::{TableId, Vrf};
use session::link::{ReaderId, Subscription, TableMsg};
use session::peer::Deps;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// Before the first attempt.
const BEGIN_AFTER: Duration = Duration::from_millis(200);
/// How long an attempt may take, and how long is waited after a connection that was lost.
const RETRY_AFTER: Duration = Duration::from_secs(10);
/// How long the station may take for the last message.
const LEAVE_WITHIN: Duration = Duration::from_secs(1);
/// Neighbours are asked for their routes at most so often, however often the station comes back.
const ASK_AFTER: Duration = Duration::from_secs(60);
/// So much is encoded before it is written.
const WRITE_OCTETS: usize = 64 * 1024;

/// See the head of this file.
pub(super) struct Station {
    pub(super) name: Arc<str>,
    pub(super) conf: BmpConf,
    pub(super) vrf: Option<Vrf>,
    pub(super) deps: Deps,
    pub(super) diary: Diary,
    pub(super) board: Arc<Board>,
    pub(super) ask_all: AskAll,
    /// When neighbours were asked for their routes.
    pub(super) asked: Option<Instant>,
}

/// Why a connection is over.
enum End {
    /// The operator wants it.
    Stopped,
    /// More waited than may.
    Stalled,
    Closed,
    Lost(io::Error),
}

impl Station {
    /// Connects again and again, until it is stopped.
    pub(super) async fn run(mut self, mut stop: watch::Receiver<bool>) {
        self.come_to(Phase::Idle, None);
        let mut wait = BEGIN_AFTER;
        loop {
            tokio::select! {
                _ = stop.changed() => return,
                () = tokio::time::sleep(wait) => {}
            }
            wait = RETRY_AFTER;
            self.come_to(Phase::Connect, None);
            let connected = tokio::select! {
                _ = stop.changed() => return,
                connected = tokio::time::timeout(RETRY_AFTER, self.connect()) => connected,
            };
            let end = match connected {
                // Nobody answers: tried again at once, as in BIRD.
                Err(_) => {
                    wait = Duration::ZERO;
                    continue;
                }
                Ok(Err(error)) => End::Lost(error),
                Ok(Ok(stream)) => self.talk(stream, &mut stop).await,
            };
            let error = match end {
                End::Stopped => return,
                End::Stalled => {
                    tracing::error!("{}: Connection stalled", self.name);
                    None
                }
                End::Closed => {
                    self.diary.event(format_args!("Connection closed"));
                    None
                }
                End::Lost(error) => {
                    let error = reason(&error);
                    self.diary.event(format_args!("Connection lost ({error})"));
                    Some(error)
                }
            };
            self.come_to(Phase::Idle, error);
        }
    }

    fn come_to(&self, phase: Phase, error: Option<String>) {
        self.board.come_to(phase, self.deps.clock.now(), error);
    }

    async fn connect(&self) -> io::Result<TcpStream> {
        let to =
            SocketAddr::new(self.conf.station_addr.ok_or(io::ErrorKind::AddrNotAvailable)?, self.conf.station_port);
        self.diary.event(format_args!("Connecting to {} port {}", to.ip(), to.port()));
        let socket = match to.ip() {
            IpAddr::V4(_) => TcpSocket::new_v4()?,
            IpAddr::V6(_) => TcpSocket::new_v6()?,
        };
        if let Some(device) = self.vrf.as_ref().and_then(|vrf| vrf.name.as_ref()) {
            socket.bind_device(Some(device.as_bytes()))?;
        }
        if let Some(local) = self.conf.local_addr {
            socket.bind(SocketAddr::new(local, 0))?;
        }
        let stream = socket.connect(to).await?;
        self.diary.event(format_args!("Connected"));
        Ok(stream)
    }

    /// Talks until the connection is over.
    async fn talk(&mut self, stream: TcpStream, stop: &mut watch::Receiver<bool>) -> End {
        self.board.gauge.clear();
        self.board.sent.store(0, Ordering::Relaxed);
        self.come_to(Phase::Established, None);
        self.diary.event(format_args!("BMP session established"));
        self.diary.state("up");
        let (feeder, inbox) = Feeder::new(Arc::clone(&self.board.gauge));
        let ears = feeder.clone();
        let ear = self.deps.monitors.listen(Box::new(move |heard| ears.hear(&heard)), self.conf.pre_policy);
        let told = Told::new(&self.name, &self.conf, self.deps.clock, self.deps.exports.clone(), feeder.clone());
        let (reads, writes) = stream.into_split();
        let mut out = Vec::new();
        bmp::put_initiation(&mut out, &self.conf.system_description, &self.conf.system_name);
        let board = Arc::clone(&self.board);
        let (readers, reporting) = (Vec::new(), None);
        let mut talk = Talk { inbox, feeder, told, out, written: 0, waits: 0, writes, readers, reporting, board };
        let ask_at = self.ask_at();
        let end = talk.all(self, reads, stop, ask_at).await;
        self.deps.monitors.leave(ear);
        for (table, reader) in std::mem::take(&mut talk.readers) {
            self.deps.tables.send(table, TableMsg::Unsubscribe(reader));
        }
        match end {
            End::Stopped => talk.leave(Reason::Administrative).await,
            End::Stalled => talk.leave(Reason::OutOfResources).await,
            End::Closed | End::Lost(_) => {}
        }
        drop(talk);
        self.board.gauge.clear();
        self.diary.event(format_args!("BMP session closed"));
        self.diary.state("start");
        end
    }

    /// When neighbours are to be asked for what they told before the station came; `None`: not at all.
    fn ask_at(&self) -> Option<Instant> {
        let now = Instant::now();
        let soon = self.asked.map_or(now, |asked| now.max(asked + ASK_AFTER));
        self.conf.pre_policy.then_some(soon)
    }
}

/// A connection that stands.
struct Talk {
    inbox: mpsc::UnboundedReceiver<(Item, u64)>,
    feeder: Feeder,
    told: Told,
    /// Octets that are not written yet, from `written` on; they were `waits` in the queue.
    out: Vec<u8>,
    written: usize,
    waits: u64,
    writes: OwnedWriteHalf,
    readers: Vec<(TableId, ReaderId)>,
    reporting: Option<JoinHandle<()>>,
    board: Arc<Board>,
}

impl Talk {
    async fn all(
        &mut self,
        station: &mut Station,
        mut reads: OwnedReadHalf,
        stop: &mut watch::Receiver<bool>,
        mut ask_at: Option<Instant>,
    ) -> End {
        let board = Arc::clone(&self.board);
        let every = Duration::from_secs(station.conf.statistics_s.into());
        let mut report_at = (!every.is_zero()).then(|| Instant::now() + every);
        let mut ignored = [0; 512];
        loop {
            let rest = self.out.get(self.written..).unwrap_or_default();
            tokio::select! {
                biased;
                _ = stop.changed() => return End::Stopped,
                // Perhaps a word of the connection before, which is forgotten.
                () = board.gauge.stalled.notified() => if board.gauge.is_stalled() {
                    return End::Stalled;
                },
                // A station has nothing to say.
                read = reads.read(&mut ignored) => match read {
                    Ok(0) => return End::Closed,
                    Ok(_) => {}
                    Err(error) => return End::Lost(error),
                },
                written = self.writes.write(rest), if !rest.is_empty() => match written {
                    Ok(octets) => self.wrote(octets),
                    Err(error) => return End::Lost(error),
                },
                () = sleep_until(ask_at) => {
                    ask_at = None;
                    station.asked = Some(Instant::now());
                    (station.ask_all)();
                }
                () = sleep_until(report_at) => {
                    report_at = Some(Instant::now() + every);
                    self.report(station);
                }
                Some((item, octets)) = self.inbox.recv(), if rest.is_empty() => {
                    self.take(station, &item, octets);
                    while self.out.len() < WRITE_OCTETS
                        && let Ok((item, octets)) = self.inbox.try_recv()
                    {
                        self.take(station, &item, octets);
                    }
                }
            }
        }
    }

    /// Begins a statistics report, unless the last one is not done.
    fn report(&mut self, station: &Station) {
        if self.reporting.as_ref().is_none_or(JoinHandle::is_finished) {
            let report = statistics::report(station.deps.clone(), self.told.sessions(), self.feeder.clone());
            self.reporting = Some(tokio::spawn(report));
        }
    }

    fn take(&mut self, station: &Station, item: &Item, octets: u64) {
        self.waits += octets;
        let said = self.told.put(item, &mut self.out);
        if let Some(text) = said.states {
            station.diary.states(format_args!("{text}"));
        }
        for text in said.packets {
            station.diary.packet(format_args!("{text}"));
        }
        for table in said.tables {
            let reader = ReaderId::next();
            self.readers.push((table, reader));
            let feeder = self.feeder.clone();
            let deliver = Box::new(move |delivery| feeder.put(Item::Table(table, delivery)));
            let subscription = Subscription { reader, reading: rib::batch::Reading::Each, deliver };
            station.deps.tables.send(table, TableMsg::Subscribe(subscription));
        }
    }

    fn wrote(&mut self, octets: usize) {
        self.written += octets;
        self.board.sent.fetch_add(octets as u64, Ordering::Relaxed);
        self.board.sent_ever.fetch_add(octets as u64, Ordering::Relaxed);
        if self.written >= self.out.len() {
            self.out.clear();
            self.written = 0;
            self.board.gauge.gone(std::mem::take(&mut self.waits));
        }
    }

    /// The last message, behind what is left of one that was begun; what else waits is let go.
    async fn leave(&mut self, reason: Reason) {
        let mut last = self.out.split_off(self.written.min(self.out.len()));
        bmp::put_termination(&mut last, reason);
        let write = async {
            self.writes.write_all(&last).await?;
            self.writes.shutdown().await
        };
        // A station that takes nothing is left without a word.
        let _ = tokio::time::timeout(LEAVE_WITHIN, write).await;
    }
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
