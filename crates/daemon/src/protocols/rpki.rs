//! `protocol rpki`: asks a cache server who may originate what, and who carries it on.
//!
//! What is said to the server is the affair of `rtr`; here are the socket, the
//! timers and the channels to ROA and ASPA tables. One task a protocol carries out what the
//! session asks for. The state stands behind a lock that is never held over a
//! wait; who shows it sees it between two events.

use super::Start;
use super::authority::{Authority, Rest, with_providers};
use super::diary::Diary;
use crate::world::World;
use conf::config::{CacheAddr, ProtocolConf, ProtocolKind, RpkiConf};
use control::view::{ChannelView, Info, RpkiView, Timer};
use route::{Customer, Family, Moment, Roa, SourceKind, Vrf};
use rtr::{Act, Interval, Options, Session, Topic};
use session::sockopt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// Octets of one read.
const READ_OCTETS: usize = 65_536;
/// How long the server may not take what is sent; there is little of it.
const SEND: Duration = Duration::from_secs(10);

/// A running `rpki` protocol. Cheap to clone.
#[derive(Clone)]
pub struct RpkiHandle {
    state: Arc<Mutex<Rpki>>,
    wake: Arc<Notify>,
}

struct Rpki {
    conf: Arc<ProtocolConf>,
    world: World,
    diary: Diary,
    session: Session,
    channels: Vec<Authority>,
    providers: Vec<Authority<Customer>>,
    since: Moment,
    /// It had a connection since it began.
    was_up: bool,
    task: Option<JoinHandle<()>>,
}

impl RpkiHandle {
    /// Makes it; it is down until [`begin`](Self::begin). Must be called inside the runtime.
    pub fn spawn(start: Start) -> Self {
        let (channels, providers) =
            (Authority::all(&start, SourceKind::Rpki), Authority::all(&start, SourceKind::Rpki));
        let Start { conf, world, diary, .. } = start;
        let session = Session::new(options(&own(&conf)));
        let since = world.deps.clock.now();
        let state = Rpki { conf, world, diary, session, channels, providers, since, was_up: false, task: None };
        Self { state: Arc::new(Mutex::new(state)), wake: Arc::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Rpki> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Goes up; nothing happens when it is up already.
    pub fn begin(&self) {
        let mut state = self.lock();
        if state.task.is_some() {
            return;
        }
        state.diary.beginning();
        state.session = Session::new(options(&own(&state.conf)));
        state.was_up = false;
        let now = state.now();
        state.since = now;
        state.hear(|session| session.start(now));
        state.diary.state("start");
        state.task = Some(tokio::spawn(Task { handle: self.clone(), link: Link::Closed }.run()));
    }

    /// Goes down, and what it has learned with it.
    #[expect(clippy::unused_async, reason = "all protocols stop alike")]
    pub async fn stop(&self) {
        let mut state = self.lock();
        let Some(task) = state.task.take() else { return };
        task.abort();
        state.diary.shutting_down();
        state.down();
        state.session = Session::new(options(&own(&state.conf)));
        state.since = state.now();
        state.diary.down();
    }

    /// Takes over new options. `anew`: what the server says is judged anew, so it is asked for everything.
    pub fn reconfigure(&self, conf: Arc<ProtocolConf>, anew: bool) {
        let mut state = self.lock();
        let (before, after) = (options(&own(&state.conf)), options(&own(&conf)));
        Authority::take_over(&mut state.channels, &conf);
        Authority::take_over(&mut state.providers, &conf);
        state.conf = conf;
        let now = state.now();
        if before != after {
            state.session.set_options(after, now);
        }
        if anew {
            state.hear(|session| session.ask_anew(now));
        }
        self.wake.notify_one();
    }

    /// The columns of `show protocols`: state, since when, and where the session is.
    pub fn row(&self) -> (&'static str, Moment, Info) {
        let state = self.lock();
        match &state.task {
            None => ("down", state.since, Info::Nothing),
            Some(_) => {
                let word = if state.session.is_connected() { "up" } else { "start" };
                (word, state.since, Info::Text(state.session.state().word().into()))
            }
        }
    }

    /// What `show protocols all` shows beside its channels; `None` while it is down.
    pub fn view(&self) -> Option<RpkiView> {
        let state = self.lock();
        state.task.as_ref()?;
        let (conf, session, now) = (own(&state.conf), &state.session, state.now());
        let timers =
            session.timers().map(|(at, total_s)| at.map(|at| Timer { remaining_ms: at.since_ms(now), total_s }));
        Some(RpkiView {
            server: conf.remote.as_ref().map(ToString::to_string).unwrap_or_default().into(),
            port: (conf.port != RpkiConf::PORT).then_some(conf.port),
            status: session.state().word(),
            transport: if password(&conf).is_some() { "TCP-MD5" } else { "Unprotected over TCP" },
            version: session.version(),
            session: session.id(),
            known: session.known().map(|(serial, at)| (serial, now.since_ms(at))),
            timers,
        })
    }

    /// Its channels, of which BIRD shows none while it is down.
    pub fn channels(&self) -> Vec<ChannelView> {
        let state = self.lock();
        if state.task.is_none() {
            return Vec::new();
        }
        let channel_state = match state.session.is_connected() {
            true => "UP",
            false if state.was_up => "START",
            false => "DOWN",
        };
        let views = state.channels.iter().map(Authority::view).chain(state.providers.iter().map(Authority::view));
        views.map(|view| ChannelView { state: channel_state, ..view }).collect()
    }
}

impl Rpki {
    fn now(&self) -> Moment {
        self.world.deps.clock.now()
    }

    /// Something happens to the session; what that leads to is done, but for what needs the socket.
    fn hear(&mut self, event: impl FnOnce(&mut Session)) {
        let (events, packets) = self.diary.wants_events_packets();
        self.session.trace(events, packets);
        let was_connected = self.session.is_connected();
        event(&mut self.session);
        if self.session.is_connected() == was_connected {
            return;
        }
        self.since = self.now();
        self.diary.connected(!was_connected);
        if !was_connected && !std::mem::replace(&mut self.was_up, true) {
            self.channels.iter_mut().for_each(Authority::up);
            self.providers.iter_mut().for_each(Authority::up);
        }
    }

    fn down(&mut self) {
        self.channels.iter_mut().for_each(Authority::down);
        self.providers.iter_mut().for_each(Authority::down);
    }

    /// What the session asks for of the socket; the rest is done.
    fn acts(&mut self) -> Vec<Act> {
        let mut of_socket = Vec::new();
        for act in self.session.take_acts() {
            match act {
                Act::Apply { whole, gone, come, aspas } => {
                    self.apply(whole, &gone, &come);
                    self.apply_providers(whole, &aspas);
                }
                Act::Expire => {
                    self.down();
                    self.was_up = false;
                }
                Act::Trace(Topic::Events, text) => self.diary.event(format_args!("{text}")),
                Act::Trace(Topic::Packets, text) => self.diary.packet(format_args!("{text}")),
                Act::Warn(text) => tracing::warn!("{}: {text}", self.conf.name),
                Act::Open | Act::Close | Act::Send(_) => of_socket.push(act),
            }
        }
        of_socket
    }

    fn apply(&mut self, whole: bool, gone: &[Roa], come: &[Roa]) {
        let ifaces = Arc::clone(&self.world.deps.ifaces.borrow());
        for channel in &mut self.channels {
            let family: Family = channel.conf().family;
            let of_family = |roa: &&Roa| roa.prefix.family() == family;
            let plain = channel.plain().clone();
            let given = come.iter().filter(of_family).map(|roa| (*roa, plain.clone())).collect();
            let gone: Vec<Roa> = gone.iter().filter(of_family).copied().collect();
            channel.tell(rest(whole), &gone, given, &ifaces);
        }
    }
}

impl Rpki {
    /// What the server says of providers stands in the attributes of each AS.
    fn apply_providers(&mut self, whole: bool, aspas: &[(Customer, Option<Vec<u32>>)]) {
        let ifaces = Arc::clone(&self.world.deps.ifaces.borrow());
        for channel in &mut self.providers {
            let plain = channel.plain().clone();
            let given = aspas
                .iter()
                .filter_map(|(customer, providers)| Some((*customer, with_providers(&plain, providers.as_deref()?))));
            let given = given.collect();
            let gone = aspas.iter().filter(|(_, providers)| providers.is_none()).map(|(customer, _)| *customer);
            channel.tell(rest(whole), &gone.collect::<Vec<_>>(), given, &ifaces);
        }
    }
}

/// What an answer of the server does to what it does not name.
const fn rest(whole: bool) -> Rest {
    if whole { Rest::Goes } else { Rest::Stays }
}

/// The connection.
enum Link {
    Closed,
    Opening(std::pin::Pin<Box<dyn Future<Output = io::Result<TcpStream>> + Send>>),
    Open(TcpStream),
}

/// What comes next.
enum Event {
    Opened(io::Result<TcpStream>),
    Read(io::Result<usize>),
    Time,
    Woken,
}

struct Task {
    handle: RpkiHandle,
    link: Link,
}

impl Task {
    async fn run(mut self) {
        let mut octets = vec![0; READ_OCTETS];
        loop {
            let (acts, deadline, now) = {
                let mut state = self.handle.lock();
                (state.acts(), state.session.deadline(), state.now())
            };
            if !acts.is_empty() {
                self.carry_out(acts).await;
                continue;
            }
            let wait = deadline.map(|at| Duration::from_millis(at.since_ms(now)));
            let event = self.next(&mut octets, wait).await;
            let mut state = self.handle.lock();
            // It was stopped while this waited for the lock: what came is of no session any more.
            if state.task.is_none() {
                return;
            }
            let now = state.now();
            match event {
                Event::Opened(Ok(stream)) => {
                    self.link = Link::Open(stream);
                    state.hear(|session| session.connected(now));
                }
                Event::Opened(Err(error)) | Event::Read(Err(error)) => {
                    self.link = Link::Closed;
                    state.hear(|session| session.lost(Some(&sockopt::words(&error)), now));
                }
                Event::Read(Ok(0)) => {
                    self.link = Link::Closed;
                    state.hear(|session| session.lost(None, now));
                }
                Event::Read(Ok(n)) => {
                    let read = octets.get(..n).unwrap_or_default();
                    state.hear(|session| session.received(read, now));
                }
                Event::Time => state.hear(|session| session.tick(now)),
                Event::Woken => {}
            }
        }
    }

    async fn next(&mut self, octets: &mut [u8], wait: Option<Duration>) -> Event {
        let time = async {
            match wait {
                Some(wait) => tokio::time::sleep(wait).await,
                None => std::future::pending().await,
            }
        };
        let socket = async {
            match &mut self.link {
                Link::Closed => std::future::pending().await,
                Link::Opening(opening) => Event::Opened(opening.await),
                Link::Open(stream) => Event::Read(stream.read(octets).await),
            }
        };
        tokio::select! {
            event = socket => event,
            () = time => Event::Time,
            () = self.handle.wake.notified() => Event::Woken,
        }
    }

    /// What a session asks for of its socket. What can not be sent is a connection that is lost.
    async fn carry_out(&mut self, acts: Vec<Act>) {
        for act in acts {
            match act {
                Act::Open => {
                    let conf = Arc::clone(&self.handle.lock().conf);
                    self.link = Link::Opening(Box::pin(open(own(&conf), conf.vrf.clone())));
                }
                Act::Close => self.link = Link::Closed,
                Act::Send(octets) => {
                    let Link::Open(stream) = &mut self.link else { continue };
                    let sent = tokio::time::timeout(SEND, stream.write_all(&octets)).await;
                    let sent = sent.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
                    if let Err(error) = sent {
                        self.link = Link::Closed;
                        let mut state = self.handle.lock();
                        let now = state.now();
                        if state.session.is_connected() {
                            state.hear(|session| session.lost(Some(&sockopt::words(&error)), now));
                        }
                    }
                }
                _ => {}
            }
        }
    }
}

/// Opens a connection to a server, whose name is looked up each time, outside the VRF in which the server is.
async fn open(conf: RpkiConf, vrf: Option<Vrf>) -> io::Result<TcpStream> {
    let fits = |addr: &SocketAddr| conf.local_addr.is_none_or(|local| local.is_ipv4() == addr.is_ipv4());
    let remote = match &conf.remote {
        Some(CacheAddr::Addr(addr)) => Some(SocketAddr::new(*addr, conf.port)),
        Some(CacheAddr::Name(name)) => tokio::net::lookup_host((&**name, conf.port)).await?.find(fits),
        None => None,
    };
    let remote = remote.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "Cannot resolve hostname"))?;
    let socket = if remote.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    if let Some(password) = password(&conf) {
        sockopt::set_md5_key(&socket, route::Prefix::host(remote.ip()), Some(password))?;
    }
    sockopt::set_precedence(&socket, remote.ip())?;
    if let Some(device) = vrf.and_then(|vrf| vrf.name) {
        socket.bind_device(Some(device.as_bytes()))?;
    }
    if let Some(local) = conf.local_addr {
        socket.bind(SocketAddr::new(local, 0))?;
    }
    socket.connect(remote).await
}

fn password(conf: &RpkiConf) -> Option<&str> {
    conf.transport.as_ref()?.as_deref()
}

/// Its own options.
fn own(conf: &ProtocolConf) -> RpkiConf {
    match &conf.kind {
        ProtocolKind::Rpki(own) => own.clone(),
        _ => RpkiConf::default(),
    }
}

fn options(conf: &RpkiConf) -> Options {
    let interval = |i: conf::config::Interval| Interval { seconds: i.seconds, keep: i.keep };
    Options {
        refresh: interval(conf.refresh),
        retry: interval(conf.retry),
        expire: interval(conf.expire),
        ignore_max_length: conf.ignore_max_length,
        min_version: conf.min_version,
        max_version: conf.max_version,
    }
}
