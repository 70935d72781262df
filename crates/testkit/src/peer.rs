//! The peer: one TCP connection, its OPENs, its messages both ways.
//!
//! KEEPALIVEs are sent by a thread of their own once the session is
//! [established](Peer::establish), so a test may think as long as it likes; both
//! writers hold a lock for a whole message. KEEPALIVEs of the other side are passed
//! over.

use crate::Told;
use route::Family;
use socket2::{Domain, Protocol, Socket, Type};
use std::fmt;
use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};
use wire::capability::AddPath;
use wire::frame::{self, EXTENDED_OCTETS_MAX, KEEPALIVE, MESSAGE_OCTETS_MAX, Next};
use wire::{
    Capabilities, EncodeContext, Encoder, Message, Nlri, Notification, Open, PerFamily, RouteRefresh, UpdateContext,
};

/// How often a socket is asked again while something is awaited.
const PAUSE: Duration = Duration::from_millis(20);

/// Something that the daemon said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Its OPEN.
    Open(Open),
    /// The body of an UPDATE, which is in [`Peer::told`] already.
    Update(Vec<u8>),
    /// Its NOTIFICATION.
    Notification(Notification),
    /// A ROUTE-REFRESH.
    RouteRefresh(RouteRefresh),
    /// A KEEPALIVE; heard only before the session is established.
    Keepalive,
    /// The connection is closed or reset.
    Closed,
}

/// Why a test cannot go on.
#[derive(Debug)]
pub enum PeerError {
    /// The socket.
    Io(io::Error),
    /// The daemon sent what no daemon may: the NOTIFICATION that it deserves.
    Broken(Notification),
    /// Something else than what was awaited.
    Unexpected(Box<Heard>),
    /// Nothing came in time; what was awaited.
    TooLate(&'static str),
}

impl fmt::Display for PeerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "socket: {error}"),
            Self::Broken(notification) => write!(f, "the daemon broke the protocol: {notification}"),
            Self::Unexpected(heard) => write!(f, "unexpected: {heard:?}"),
            Self::TooLate(awaited) => write!(f, "too late: {awaited}"),
        }
    }
}

impl std::error::Error for PeerError {}

impl From<io::Error> for PeerError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// A peer with a TCP connection to the daemon.
#[derive(Debug)]
pub struct Peer {
    stream: TcpStream,
    writer: Arc<Mutex<TcpStream>>,
    buffer: Vec<u8>,
    /// What was negotiated, for what is read. Set by [`establish`](Self::establish); a test may set it as it likes.
    pub read_context: UpdateContext,
    /// What was negotiated, for what is written.
    pub write_context: EncodeContext,
    /// All UPDATEs so far.
    pub told: Told,
    /// Stops the thread that sends KEEPALIVEs when it is dropped.
    keepalives: Option<mpsc::Sender<()>>,
}

impl Peer {
    /// An OPEN such as most daemons send: IPv4 and IPv6, route refresh, four-octet AS; hold time 90.
    pub fn usual_open(asn: u32, router_id: u32) -> Open {
        let capabilities = Capabilities {
            families: vec![Family::Ipv4, Family::Ipv6],
            multiprotocol: true,
            route_refresh: true,
            as4: Some(asn),
            ..Capabilities::default()
        };
        Open::new(asn, 90, router_id, Some(capabilities))
    }

    /// Connects from an address of ours, again and again until the daemon listens.
    pub fn connect(from: IpAddr, to: SocketAddr, within: Duration) -> Result<Self, PeerError> {
        let end = Instant::now() + within;
        loop {
            let socket = Socket::new(Domain::for_address(to), Type::STREAM, Some(Protocol::TCP))?;
            socket.bind(&SocketAddr::new(from, 0).into())?;
            match socket.connect_timeout(&to.into(), within) {
                Ok(()) => return Self::over(socket.into()),
                Err(error) if Instant::now() >= end => return Err(error.into()),
                Err(_) => thread::sleep(PAUSE),
            }
        }
    }

    /// Waits for the daemon to connect to us.
    pub fn accept(listener: &TcpListener, within: Duration) -> Result<Self, PeerError> {
        let end = Instant::now() + within;
        listener.set_nonblocking(true)?;
        loop {
            match listener.accept() {
                Ok((stream, _)) => {
                    stream.set_nonblocking(false)?;
                    return Self::over(stream);
                }
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error.into()),
                Err(_) if Instant::now() >= end => return Err(PeerError::TooLate("a connection")),
                Err(_) => thread::sleep(PAUSE),
            }
        }
    }

    /// A peer over a connection that stands.
    pub fn over(stream: TcpStream) -> Result<Self, PeerError> {
        stream.set_nodelay(true)?;
        Ok(Self {
            writer: Arc::new(Mutex::new(stream.try_clone()?)),
            stream,
            buffer: Vec::new(),
            read_context: UpdateContext::default(),
            write_context: EncodeContext {
                as4: true,
                add_path_tx: PerFamily::default(),
                octets_max: MESSAGE_OCTETS_MAX,
            },
            told: Told::default(),
            keepalives: None,
        })
    }

    /// Exchanges OPENs and KEEPALIVEs, notes what was negotiated, and keeps the session alive from then on.
    /// Gives the daemon's OPEN.
    pub fn establish(&mut self, open: &Open, within: Duration) -> Result<Open, PeerError> {
        let mut octets = Vec::new();
        open.encode(&mut octets);
        self.send(&octets)?;
        let theirs = match self.hear(within)?.ok_or(PeerError::TooLate("an OPEN"))? {
            Heard::Open(theirs) => theirs,
            other => return Err(PeerError::Unexpected(Box::new(other))),
        };
        self.send(&KEEPALIVE)?;
        match self.hear(within)?.ok_or(PeerError::TooLate("a KEEPALIVE"))? {
            Heard::Keepalive => {}
            other => return Err(PeerError::Unexpected(Box::new(other))),
        }
        self.negotiate(open, &theirs);
        self.keep_alive(open.hold_time_s.min(theirs.hold_time_s));
        Ok(theirs)
    }

    fn negotiate(&mut self, ours: &Open, theirs: &Open) {
        let none = Capabilities::default();
        let our = ours.capabilities.as_ref().unwrap_or(&none);
        let their = theirs.capabilities.as_ref().unwrap_or(&none);
        let has =
            |c: &Capabilities, family| c.families.contains(&family) || (!c.multiprotocol && family == Family::Ipv4);
        let both = |family| has(our, family) && has(their, family);
        let can = |c: &Capabilities, family, what: fn(&AddPath) -> bool| {
            c.add_paths.iter().any(|a| a.family == family && what(a))
        };
        let receives = |family| can(our, family, |a| a.receive) && can(their, family, |a| a.send);
        let sends = |family| can(our, family, |a| a.send) && can(their, family, |a| a.receive);
        let per_family = |of: &dyn Fn(Family) -> bool| PerFamily { ipv4: of(Family::Ipv4), ipv6: of(Family::Ipv6) };
        let extended = our.extended_messages && their.extended_messages;
        let as4 = our.as4.is_some() && their.as4.is_some();
        self.read_context = UpdateContext {
            as4,
            add_path_rx: per_family(&receives),
            families: per_family(&both),
            extended_next_hop: PerFamily::default(),
            internal: ours.asn == theirs.asn,
            confederation: false,
            local_pref_allowed: false,
            recent_attributes: true,
        };
        self.write_context = EncodeContext {
            as4,
            add_path_tx: per_family(&sends),
            octets_max: if extended { EXTENDED_OCTETS_MAX } else { MESSAGE_OCTETS_MAX },
        };
    }

    /// Sends a KEEPALIVE each third of the hold time until the peer is dropped.
    fn keep_alive(&mut self, hold_time_s: u16) {
        if hold_time_s == 0 {
            return;
        }
        let every = Duration::from_secs(u64::from(hold_time_s)) / 3;
        let (stop, stopped) = mpsc::channel();
        let writer = Arc::clone(&self.writer);
        thread::spawn(move || {
            while stopped.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
                let mut stream = writer.lock().unwrap_or_else(PoisonError::into_inner);
                if stream.write_all(&KEEPALIVE).is_err() {
                    break;
                }
            }
        });
        self.keepalives = Some(stop);
    }

    /// Sends octets as they are, be they a message or not.
    pub fn send(&mut self, octets: &[u8]) -> Result<(), PeerError> {
        let mut stream = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(stream.write_all(octets)?)
    }

    /// Announces routes with attributes in canonical octets, all of one family.
    ///
    /// The next hop, the AS path and the rest are the caller's; nothing is added.
    pub fn announce(&mut self, canonical: &[u8], nets: &[Nlri]) -> Result<(), PeerError> {
        let Some(first) = nets.first() else { return Ok(()) };
        let mut encoder = Encoder::new(self.write_context);
        encoder
            .set_attributes(first.net.family(), canonical)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        let mut octets = Vec::new();
        encoder.announce(nets.iter().copied(), &mut octets);
        self.send(&octets)
    }

    /// Withdraws routes, all of one family.
    pub fn withdraw(&mut self, nets: &[Nlri]) -> Result<(), PeerError> {
        let Some(first) = nets.first() else { return Ok(()) };
        let mut octets = Vec::new();
        let encoder = Encoder::new(self.write_context);
        encoder.withdraw(first.net.family(), nets.iter().copied(), &mut octets);
        self.send(&octets)
    }

    /// Says End-of-RIB.
    pub fn end_of_rib(&mut self, family: Family) -> Result<(), PeerError> {
        let mut octets = Vec::new();
        Encoder::end_of_rib(family, &mut octets);
        self.send(&octets)
    }

    /// Ends the session with a NOTIFICATION.
    pub fn notify(mut self, notification: &Notification) -> Result<(), PeerError> {
        let mut octets = Vec::new();
        notification.encode(&mut octets);
        self.send(&octets)
    }

    /// The next thing that the daemon says; `None` when it says nothing in this time.
    pub fn hear(&mut self, within: Duration) -> Result<Option<Heard>, PeerError> {
        let end = Instant::now() + within;
        loop {
            if let Some(heard) = self.buffered()? {
                if heard == Heard::Keepalive && self.keepalives.is_some() {
                    continue;
                }
                return Ok(Some(heard));
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            self.stream.set_read_timeout(Some(left))?;
            let mut octets = [0; 65_536];
            match self.stream.read(&mut octets) {
                Ok(0) => return Ok(Some(Heard::Closed)),
                Ok(read) => self.buffer.extend(octets.iter().take(read)),
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {
                    return Ok(Some(Heard::Closed));
                }
                Err(error) if is_timeout(&error) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Takes a whole message off the buffer.
    fn buffered(&mut self) -> Result<Option<Heard>, PeerError> {
        let octets_max = self.write_context.octets_max;
        let Next::Frame(frame) = frame::next(&self.buffer, octets_max).map_err(PeerError::Broken)? else {
            return Ok(None);
        };
        let octets = frame.octets();
        let heard = match frame.message().map_err(PeerError::Broken)? {
            Message::Open(open) => Heard::Open(open),
            Message::Notification(notification) => Heard::Notification(notification),
            Message::Keepalive => Heard::Keepalive,
            Message::RouteRefresh(refresh) => Heard::RouteRefresh(refresh),
            Message::Update(body) => {
                self.told.take_in(body, &self.read_context).map_err(PeerError::Broken)?;
                Heard::Update(body.to_vec())
            }
        };
        self.buffer.drain(..octets);
        Ok(Some(heard))
    }

    /// Listens until what it was told pleases the test. UPDATEs and ROUTE-REFRESHes go by; anything else is an error.
    pub fn until(
        &mut self,
        awaited: &'static str,
        within: Duration,
        mut pleased: impl FnMut(&Told) -> bool,
    ) -> Result<&Told, PeerError> {
        let end = Instant::now() + within;
        while !pleased(&self.told) {
            match self.hear(end.saturating_duration_since(Instant::now()))? {
                Some(Heard::Update(_) | Heard::RouteRefresh(_) | Heard::Keepalive) => {}
                Some(other) => return Err(PeerError::Unexpected(Box::new(other))),
                None => return Err(PeerError::TooLate(awaited)),
            }
        }
        Ok(&self.told)
    }

    /// Listens until the daemon ends the session; its reason.
    pub fn until_notification(&mut self, within: Duration) -> Result<Notification, PeerError> {
        let end = Instant::now() + within;
        loop {
            match self.hear(end.saturating_duration_since(Instant::now()))? {
                Some(Heard::Notification(notification)) => return Ok(notification),
                Some(Heard::Closed) => return Err(PeerError::Unexpected(Box::new(Heard::Closed))),
                Some(_) => {}
                None => return Err(PeerError::TooLate("a NOTIFICATION")),
            }
        }
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted)
}
