//! Listening sockets: an accepted connection goes to the peer whose address it has.
//!
//! Peers register while they are configured, also while they are down: what
//! comes then is refused by the peer itself, with its own log line. A connection
//! from an address that no peer has goes to whoever awaits neighbours in a range that holds it,
//! the longest range; without one it is logged and closed. Sockets are opened for
//! the first peer that wants one at an address and port, and closed when no peer
//! wants it any more. Those of `strict bind` are bound to an address of ours, to a link, or both; those of a VRF to its
//! device, so that a neighbour of the same address in another one is another neighbour.
//!
//! Bounds: strangers are named five at once and one a second; an accepted connection is handed over or closed at once; a peer has
//! room for `WAITING_MAX` that it has not looked at yet.

use crate::clock::Clock;
use crate::limiter::{Limiter, Line};
use crate::sockopt;
use route::{IfIndex, Prefix};
use socket2::{Domain, Protocol, Socket, Type};
use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::{IpAddr, Shutdown, SocketAddr};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

/// Connections that may wait for their peer's task.
pub(crate) const WAITING_MAX: usize = 4;
/// Connections that may wait for the accepting task, in the kernel.
const BACKLOG: i32 = 128;
/// What a listening socket answers with, so that a peer with TTL security hears it.
const TTL: u8 = 255;
/// After an error (no file descriptors, most likely) nothing is accepted for this long.
const ERROR_WAIT: Duration = Duration::from_secs(1);

/// A handle to the listening sockets of the daemon. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Listener {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    last: u64,
    sockets: HashMap<At, Listening>,
    peers: Vec<Entry>,
}

#[derive(Debug)]
struct Listening {
    socket: Arc<TcpListener>,
    task: AbortHandle,
}

impl Listening {
    /// Nobody is accepted any more. The task may hold the socket a while longer, so it listens no more from here on:
    /// whoever awaits connections at the same place next must not find it taken.
    fn end(&self) {
        self.task.abort();
        let _ = socket2::SockRef::from(&*self.socket).shutdown(Shutdown::Both);
    }
}

/// Which socket: one for all who await connections there.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct At {
    /// Its address and port.
    pub addr: SocketAddr,
    /// The link it is bound to, with its name; `None`: connections come over any.
    pub link: Option<(IfIndex, Arc<str>)>,
    /// The device of the VRF in which it is; `None`: in none. Without a link it is bound to that.
    pub vrf: Option<(IfIndex, Arc<str>)>,
}

impl At {
    /// The name of the device that the socket is bound to.
    fn device(&self) -> Option<&Arc<str>> {
        self.link.as_ref().or(self.vrf.as_ref()).map(|(_, name)| name)
    }
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.device() {
            Some(name) => write!(f, "{} on {name}", self.addr),
            None => write!(f, "{}", self.addr),
        }
    }
}

/// On which links a peer awaits connections.
#[derive(Clone, Debug, Default)]
pub enum ListenOn {
    /// On all, with one socket.
    #[default]
    All,
    /// On that of the neighbour (`strict bind` with `interface`).
    Own,
    /// On each that is like this, a socket for each (`interface range`).
    Like(LinkPattern),
}

/// Whether a link of this name is meant.
#[derive(Clone)]
pub struct LinkPattern(Arc<dyn Fn(&str) -> bool + Send + Sync>);

impl LinkPattern {
    /// `means` is asked for each link when links change.
    pub fn new(means: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(means))
    }

    /// Whether it means this link.
    pub fn means(&self, name: &str) -> bool {
        (self.0)(name)
    }
}

impl fmt::Debug for LinkPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkPattern")
    }
}

/// Who awaits connections.
#[derive(Debug)]
struct Entry {
    id: u64,
    wanted: Wanted,
    sink: mpsc::Sender<Incoming>,
}

/// What connections a peer awaits.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// At which of our sockets.
    pub at: At,
    /// Its address need not be ours yet. Who comes to a socket that is open already takes it as it is.
    pub free: bool,
    /// From where.
    pub remote: Remote,
    /// To which of our addresses; `None`: any.
    pub local: Option<IpAddr>,
    /// The link of a link-local neighbour, its number; 0: any. The peer keeps it up to date.
    pub link: Arc<AtomicU32>,
    /// TCP MD5.
    pub password: Option<Arc<str>>,
}

/// Whose connections a peer awaits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remote {
    /// Those of one neighbour.
    One(IpAddr),
    /// Those of a range, but for neighbours that are awaited by themselves.
    Range(Prefix),
}

impl Remote {
    /// The addresses, for the kernel.
    const fn prefix(self) -> Prefix {
        match self {
            Self::One(addr) => Prefix::host(addr),
            Self::Range(range) => range,
        }
    }

    /// How well an address fits: exactly, or into how long a range.
    fn fits(self, addr: IpAddr) -> Option<u8> {
        match self {
            Self::One(own) => (own == addr).then_some(u8::MAX),
            Self::Range(range) => range.contains(addr).then_some(range.len()),
        }
    }
}

/// A connection that came in for a peer.
#[derive(Debug)]
pub struct Incoming {
    /// The connection.
    pub stream: TcpStream,
    /// Its far end.
    pub remote: SocketAddr,
    /// Its near end.
    pub local: SocketAddr,
    /// The link it came over, as far as that is known: of a link-local neighbour, or of a socket bound to a link; else 0.
    pub link: IfIndex,
}

/// A peer's place at a listening socket; dropping it gives it up.
#[derive(Debug)]
pub struct Registration {
    id: u64,
    inner: Arc<Mutex<Inner>>,
}

impl Listener {
    /// No socket yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Awaits connections for a peer: opens the socket when nobody has, and sets the peer's key on it. What comes in goes
    /// to the sink.
    ///
    /// Must be called inside the runtime. An error is one of the system (address in use, no permission)
    /// and leaves nothing behind.
    pub fn register(&self, wanted: Wanted, sink: mpsc::Sender<Incoming>) -> io::Result<Registration> {
        let mut inner = lock(&self.inner);
        let socket = match inner.sockets.get(&wanted.at) {
            Some(listening) => Arc::clone(&listening.socket),
            None => {
                let socket = Arc::new(open(&wanted.at, wanted.free)?);
                let work = accept(Arc::clone(&socket), wanted.at.clone(), self.clone());
                let task = tokio::spawn(work).abort_handle();
                let listening = Listening { socket: Arc::clone(&socket), task };
                inner.sockets.insert(wanted.at.clone(), listening);
                socket
            }
        };
        if let Some(password) = &wanted.password
            && let Err(error) = sockopt::set_md5_key(&socket, wanted.remote.prefix(), Some(password))
        {
            inner.close_unwanted();
            return Err(error);
        }
        inner.last += 1;
        let id = inner.last;
        inner.peers.push(Entry { id, wanted, sink });
        Ok(Registration { id, inner: Arc::clone(&self.inner) })
    }

    /// Whether connections are still accepted from this socket.
    fn has(&self, socket: &Arc<TcpListener>) -> bool {
        lock(&self.inner).sockets.values().any(|listening| Arc::ptr_eq(&listening.socket, socket))
    }

    /// Where an accepted connection goes.
    fn sink(&self, at: &At, remote: SocketAddr, local: SocketAddr) -> Option<mpsc::Sender<Incoming>> {
        let link = scope(remote);
        let is_for = |w: &Wanted| {
            let own_link = w.link.load(Ordering::Relaxed);
            let here = w.at == *at
                && w.local.is_none_or(|a| a == local.ip())
                && (link == 0 || own_link == 0 || link == own_link);
            w.remote.fits(remote.ip()).filter(|_| here)
        };
        let inner = lock(&self.inner);
        let fitting = inner.peers.iter().filter_map(|e| Some((is_for(&e.wanted)?, e)));
        // Of two that fit alike the one that came first.
        let (_, entry) = fitting.rev().max_by_key(|(how_well, _)| *how_well)?;
        Some(entry.sink.clone())
    }
}

impl Registration {
    /// The listening socket, on which the peer puts keys of its own.
    pub(crate) fn socket(&self) -> Option<Arc<TcpListener>> {
        let inner = lock(&self.inner);
        let at = &inner.peers.iter().find(|e| e.id == self.id)?.wanted.at;
        inner.sockets.get(at).map(|listening| Arc::clone(&listening.socket))
    }
}

impl Inner {
    fn close_unwanted(&mut self) {
        let peers = &self.peers;
        self.sockets.retain(|at, listening| {
            let wanted = peers.iter().any(|e| e.wanted.at == *at);
            if !wanted {
                listening.end();
            }
            wanted
        });
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        let mut inner = lock(&self.inner);
        let Some(place) = inner.peers.iter().position(|e| e.id == self.id) else { return };
        let gone = inner.peers.swap_remove(place).wanted;
        // Somebody else may await the same neighbour, with a key of its own or without.
        let mut others = inner.peers.iter().map(|e| &e.wanted).filter(|w| w.at == gone.at && w.remote == gone.remote);
        let key = others.find_map(|w| w.password.clone());
        if gone.password != key
            && let Some(listening) = inner.sockets.get(&gone.at)
            && let Err(error) = sockopt::set_md5_key(&listening.socket, gone.remote.prefix(), key.as_deref())
        {
            let whose = gone.remote.prefix();
            tracing::error!("BGP: Cannot remove the key of {whose}: {}", sockopt::words(&error));
        }
        inner.close_unwanted();
    }
}

fn lock(inner: &Mutex<Inner>) -> MutexGuard<'_, Inner> {
    inner.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The number of a link-local neighbour's link; else 0.
fn scope(remote: SocketAddr) -> u32 {
    match remote {
        SocketAddr::V6(a) if a.ip().is_unicast_link_local() => a.scope_id(),
        _ => 0,
    }
}

fn open(place: &At, free: bool) -> io::Result<TcpListener> {
    let at = place.addr;
    let socket = Socket::new(Domain::for_address(at), Type::STREAM.nonblocking(), Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    if at.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    sockopt::set_ttl(&socket, at.ip(), TTL)?;
    sockopt::set_precedence(&socket, at.ip())?;
    if let Some(name) = place.device() {
        socket.bind_device(Some(name.as_bytes()))?;
    }
    if free {
        sockopt::set_free_bind(&socket, at.ip())?;
    }
    socket.bind(&at.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

async fn accept(socket: Arc<TcpListener>, at: At, listener: Listener) {
    let clock = Clock::new();
    let mut strangers = Limiter::default();
    loop {
        let (stream, remote) = match socket.accept().await {
            Ok(accepted) => accepted,
            Err(_) if !listener.has(&socket) => return,
            Err(error) => {
                tracing::error!("BGP: Cannot accept a connection: {}", sockopt::words(&error));
                tokio::time::sleep(ERROR_WAIT).await;
                continue;
            }
        };
        // A connection that is gone already has no near end.
        let Ok(local) = stream.local_addr() else { continue };
        match listener.sink(&at, remote, local) {
            Some(sink) => {
                // No room: the peer has not looked at the last ones yet, and this one is closed.
                let link = at.link.as_ref().map_or(IfIndex(scope(remote)), |(link, _)| *link);
                let _ = sink.try_send(Incoming { stream, remote, local, link });
            }
            None => {
                let (ip, port) = (route::Written(remote.ip()), remote.port());
                let dots = match strangers.next(clock.now()) {
                    Line::Say => "",
                    Line::Last => " ...",
                    Line::Drop => continue,
                };
                tracing::warn!("BGP: Unexpected connect from unknown address {ip} (port {port}){dots}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_place_that_was_given_up_can_be_taken_again_at_once() {
        let listener = Listener::new();
        let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|s| s.local_addr()).unwrap();
        let at = At { addr: free, link: None, vrf: None };
        let remote = Remote::One([127, 0, 0, 1].into());
        let wanted = Wanted { at, free: false, remote, local: None, link: Arc::default(), password: None };
        let (sink, mut incoming) = mpsc::channel(1);
        // Nobody else runs between two rounds: no task ends, no socket that a task holds is closed.
        let mut places = (0..3).map(|_| listener.register(wanted.clone(), sink.clone()).map(drop));
        assert!(places.all(|place| place.is_ok()));
        let _place = listener.register(wanted, sink.clone()).unwrap();
        let _stream = TcpStream::connect(free).await.unwrap();
        assert!(incoming.recv().await.is_some());
    }

    #[tokio::test]
    async fn who_may_take_a_foreign_address_shares_the_socket_with_who_may_not() {
        let listener = Listener::new();
        let addr = std::net::TcpListener::bind("127.0.0.1:0").and_then(|s| s.local_addr()).unwrap();
        let at = At { addr, link: None, vrf: None };
        let (sink, _incoming) = mpsc::channel(1);
        let places = [false, true, false].map(|free| {
            let remote = Remote::One([127, 0, 0, 1].into());
            let wanted = Wanted { at: at.clone(), free, remote, local: None, link: Arc::default(), password: None };
            listener.register(wanted, sink.clone())
        });
        assert!(places.iter().all(Result::is_ok), "{places:?}");
    }

    #[test]
    fn of_two_neighbours_of_one_address_the_one_in_the_vrf_of_the_socket_is_meant() {
        let listener = Listener::new();
        let at = |vrf: Option<u32>| At {
            addr: SocketAddr::from(([0, 0, 0, 0], 179)),
            link: None,
            vrf: vrf.map(|number| (IfIndex(number), format!("vrf{number}").into())),
        };
        let remote = SocketAddr::from(([10, 0, 0, 2], 40000));
        let local = SocketAddr::from(([10, 0, 0, 1], 179));
        let mut sinks = Vec::new();
        for (id, vrf) in [None, Some(5), Some(6)].into_iter().enumerate() {
            let (sink, incoming) = mpsc::channel(1);
            let remote = Remote::One(remote.ip());
            let wanted = Wanted { at: at(vrf), free: false, remote, local: None, link: Arc::default(), password: None };
            lock(&listener.inner).peers.push(Entry { id: id as u64, wanted, sink: sink.clone() });
            sinks.push((sink, incoming));
        }
        let meant = |vrf| {
            let sink = listener.sink(&at(vrf), remote, local)?;
            sinks.iter().position(|(own, _)| own.same_channel(&sink))
        };
        assert_eq!([None, Some(5), Some(6), Some(7)].map(meant), [Some(0), Some(1), Some(2), None]);
    }
}
