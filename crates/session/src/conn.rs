//! One TCP connection to a neighbour: how it is opened, read, written and closed.
//!
//! Reading goes through a scratch buffer that connections share, one for each that
//! reads at the same time; a connection keeps only the octets behind the last whole message.
//! Writing keeps to the borders of messages: pieces that wait in the outbox are
//! whole messages, and our own (KEEPALIVE, NOTIFICATION, ROUTE-REFRESH) are put
//! at the next border, also in the middle of a long piece, so they are never late.

use crate::outbox::Outbox;
use crate::peer::PeerSpec;
use crate::sockopt;
use crate::tcp_ao;
use bytes::Bytes;
use route::tcp_ao::Key;
use route::{IfIndex, Prefix};
use socket2::{Domain, Protocol, Socket, Type};
use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::io::{self, IoSlice};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use tokio::net::{TcpSocket, TcpStream};
use wire::frame::{EXTENDED_OCTETS_MAX, HEADER_OCTETS};

/// Octets taken from a socket at once.
pub(crate) const READ_OCTETS_MAX: usize = 256 * 1024;
/// The scratch buffer: what may be left of the last read, and one more read.
const SCRATCH_OCTETS: usize = EXTENDED_OCTETS_MAX + READ_OCTETS_MAX;
/// Octets written before others get their turn.
const WRITE_OCTETS_MAX: usize = 1 << 20;
/// Octets taken from the outbox before they are written.
const HELD_OCTETS: usize = 256 * 1024;
/// Pieces handed to the system at once.
const SLICES_MAX: usize = 64;
/// How long a connection that was given up may take for its last octets.
const LINGER: Duration = Duration::from_secs(5);

/// Scratch buffers that nobody reads into now.
static SPARE: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());

/// Lends a scratch buffer.
pub(crate) fn with_scratch<R>(work: impl FnOnce(&mut [u8]) -> R) -> R {
    let spare = || SPARE.lock().unwrap_or_else(PoisonError::into_inner);
    let lent = spare().pop();
    let mut scratch = lent.unwrap_or_else(|| vec![0; SCRATCH_OCTETS]);
    let outcome = work(&mut scratch);
    spare().push(scratch);
    outcome
}

/// Gives the memory of scratch buffers back; what is read next makes new ones.
pub(crate) fn forget_scratch() {
    SPARE.lock().unwrap_or_else(PoisonError::into_inner).clear();
}

/// The OPENs of a connection, whole messages; empty before they went over it.
#[derive(Debug, Default)]
pub(crate) struct Opens {
    pub(crate) sent: Vec<u8>,
    pub(crate) received: Vec<u8>,
}

/// A connection.
pub(crate) struct Conn {
    stream: TcpStream,
    pub(crate) remote: SocketAddr,
    pub(crate) local: SocketAddr,
    /// AS numbers of four octets, once both have said so in their OPENs.
    pub(crate) as4: bool,
    /// The OPENs of both sides, for monitoring stations.
    pub(crate) opens: Opens,
    /// Octets behind the last whole message.
    tail: Vec<u8>,
    /// Pieces taken from the outbox; `written` octets of the first are out.
    pieces: VecDeque<Bytes>,
    written: usize,
    /// Octets of the pieces, those written included.
    held: usize,
    /// Messages of our own for the next border.
    own: Vec<u8>,
    blocked: bool,
    /// Octets that the neighbour's side has taken, ever.
    taken: u64,
}

/// What came of a read.
pub(crate) enum Read {
    /// This many octets stand in the scratch buffer, those left from the last read included.
    Octets(usize),
    /// Nothing is there.
    Nothing,
    /// The neighbour has closed its side.
    Closed,
}

impl Conn {
    pub(crate) fn new(stream: TcpStream, remote: SocketAddr, local: SocketAddr) -> Self {
        let _ = stream.set_nodelay(true);
        // What the system has not sent yet is out of reach, too: without a bound it takes megabytes of routes that
        // may be old news when the neighbour reads on.
        let _ = socket2::SockRef::from(&stream).set_tcp_notsent_lowat(HELD_OCTETS as u32);
        Self {
            stream,
            remote,
            local,
            as4: false,
            opens: Opens::default(),
            tail: Vec::new(),
            pieces: VecDeque::new(),
            written: 0,
            held: 0,
            own: Vec::new(),
            blocked: false,
            taken: 0,
        }
    }

    /// Waits until something can be done: reading when `reads`, writing when something waits. Cancel safe.
    pub(crate) async fn ready(&self, reads: bool) -> io::Result<tokio::io::Ready> {
        let interest = match (reads, self.blocked) {
            (true, false) => Interest::READABLE,
            (false, true) => Interest::WRITABLE,
            (true, true) => Interest::READABLE | Interest::WRITABLE,
            (false, false) => return std::future::pending().await,
        };
        self.stream.ready(interest).await
    }

    /// Reads once. After that [`keep`](Self::keep) must be told what was not used.
    pub(crate) fn read(&mut self, scratch: &mut [u8]) -> io::Result<Read> {
        let kept = self.tail.len();
        let (head, room) = scratch.split_at_mut(kept);
        head.copy_from_slice(&self.tail);
        match self.stream.try_read(room) {
            Ok(0) => Ok(Read::Closed),
            Ok(octets) => Ok(Read::Octets(kept + octets)),
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => Ok(Read::Nothing),
            Err(e) => Err(e),
        }
    }

    /// Keeps what was not used of a read: less than a message.
    pub(crate) fn keep(&mut self, rest: &[u8]) {
        self.tail.clear();
        self.tail.extend_from_slice(rest);
        if rest.is_empty() && self.tail.capacity() > 4096 {
            self.tail = Vec::new();
        }
    }

    /// For the keys that it is signed with.
    pub(crate) const fn socket(&self) -> &TcpStream {
        &self.stream
    }

    /// Whether octets of the neighbour wait to be read.
    pub(crate) fn has_unread(&self) -> bool {
        sockopt::has_unread(&self.stream)
    }

    /// Where a whole message of our own is appended.
    pub(crate) const fn own(&mut self) -> &mut Vec<u8> {
        &mut self.own
    }

    /// Whether the socket takes no more for now.
    pub(crate) const fn is_blocked(&self) -> bool {
        self.blocked
    }

    /// Octets that were taken from the outbox, and not by the system yet.
    pub(crate) const fn unsent(&self) -> usize {
        self.held - self.written
    }

    /// Octets written so far.
    pub(crate) const fn taken(&self) -> u64 {
        self.taken
    }

    /// Writes what waits, here and in the outbox, until the socket is full or it is others' turn. `see` is shown what
    /// is taken from the outbox.
    pub(crate) fn write(&mut self, outbox: Option<&Outbox>, mut see: impl FnMut(&[Bytes])) -> io::Result<()> {
        let mut budget = WRITE_OCTETS_MAX;
        self.blocked = false;
        loop {
            self.place_own();
            // What stands here is out of reach of its group, so it is little: it may be old before it is written.
            if self.held < HELD_OCTETS
                && let Some(outbox) = outbox
            {
                let mut taken = Vec::new();
                outbox.take(HELD_OCTETS - self.held, &mut taken);
                see(&taken);
                self.held += taken.iter().map(Bytes::len).sum::<usize>();
                self.pieces.extend(taken);
            }
            if self.pieces.is_empty() {
                return Ok(());
            }
            if budget == 0 {
                // The socket may well take more: it will say so at once.
                self.blocked = true;
                return Ok(());
            }
            match self.write_once() {
                Ok(octets) => budget = budget.saturating_sub(octets),
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                    self.blocked = true;
                    return Ok(());
                }
                Err(e) => return Err(e),
            }
        }
    }

    fn write_once(&mut self) -> io::Result<usize> {
        let mut skip = self.written;
        let mut slices = Vec::with_capacity(self.pieces.len().min(SLICES_MAX));
        for piece in self.pieces.iter().take(SLICES_MAX) {
            slices.push(IoSlice::new(piece.get(skip..).unwrap_or_default()));
            skip = 0;
        }
        let octets = self.stream.try_write_vectored(&slices)?;
        self.advance(octets);
        Ok(octets)
    }

    fn advance(&mut self, octets: usize) {
        self.taken += octets as u64;
        self.written += octets;
        while let Some(first) = self.pieces.front() {
            if self.written < first.len() {
                break;
            }
            self.written -= first.len();
            self.held -= first.len();
            self.pieces.pop_front();
        }
    }

    /// Puts our own messages at the first border that is not behind what is written.
    fn place_own(&mut self) {
        if self.own.is_empty() {
            return;
        }
        let own = Bytes::from(std::mem::take(&mut self.own));
        self.held += own.len();
        if self.written == 0 {
            return self.pieces.push_front(own);
        }
        let Some(mut first) = self.pieces.pop_front() else {
            return self.pieces.push_front(own);
        };
        let rest = first.split_off(border(&first, self.written));
        if !rest.is_empty() {
            self.pieces.push_front(rest);
        }
        self.pieces.push_front(own);
        self.pieces.push_front(first);
    }

    /// Closes the connection. Our own messages (a NOTIFICATION) still go out, behind the message that was begun;
    /// what else waits is dropped.
    pub(crate) fn close(mut self) {
        if self.own.is_empty() {
            return;
        }
        self.place_own();
        let begun = usize::from(self.written > 0);
        self.pieces.truncate(begun + 1);
        while !self.pieces.is_empty() {
            if self.write_once().is_err() {
                break;
            }
        }
        tokio::spawn(self.linger());
    }

    /// Writes the rest and waits for the neighbour to close, so that the system does not take the last octets
    /// back because of others that nobody has read. At most [`LINGER`].
    async fn linger(mut self) {
        let work = async {
            while let Some(piece) = self.pieces.pop_front() {
                let rest = piece.get(self.written..).unwrap_or_default();
                self.written = 0;
                self.stream.write_all(rest).await?;
            }
            self.stream.shutdown().await?;
            let mut sink = [0; 4096];
            while self.stream.read(&mut sink).await? > 0 {}
            io::Result::Ok(())
        };
        let _ = tokio::time::timeout(LINGER, work).await;
    }
}

/// The end of the message in which octet `written - 1` of a piece stands. The piece begins at a border.
fn border(piece: &[u8], written: usize) -> usize {
    let mut at = 0;
    while at < written {
        let length = piece.get(at + 16..at + 18).and_then(|l| l.try_into().ok()).map(u16::from_be_bytes);
        match length {
            Some(octets) if usize::from(octets) >= HEADER_OCTETS => at += usize::from(octets),
            _ => return piece.len(),
        }
    }
    at.min(piece.len())
}

/// An attempt to open a connection.
pub(crate) type Connecting = Pin<Box<dyn Future<Output = io::Result<Conn>> + Send>>;

/// Why no attempt could be made: which call failed, and how.
pub(crate) struct CannotConnect {
    call: &'static str,
    error: io::Error,
}

/// What the log says.
impl fmt::Display for CannotConnect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.call {
            ADD_KEY => f.write_str(&tcp_ao::words(ADD_KEY, &self.error)),
            call => write!(f, "{call}: {}", sockopt::words(&self.error)),
        }
    }
}

const ADD_KEY: &str = "TCP_AO_ADD_KEY";

/// Begins to open a connection from `source` (unspecified: the system chooses) over a link (0: any). With the name of a
/// device it goes over that link whatever routes say, or by the routes of that VRF. With keys it is signed (TCP-AO), with
/// the first as long as the neighbour asks for no other.
pub(crate) fn connect(
    spec: &PeerSpec,
    source: Option<IpAddr>,
    link: IfIndex,
    name: Option<&str>,
    keys: &[Key],
) -> Result<Connecting, CannotConnect> {
    let failed = |call| move |error| CannotConnect { call, error };
    let peer = spec.peer_addr;
    let remote = scoped(peer, spec.peer_port, link);
    let kind = Type::STREAM.nonblocking();
    let socket = Socket::new(Domain::for_address(remote), kind, Some(Protocol::TCP)).map_err(failed("socket"))?;
    let hops = spec.multihop.unwrap_or(1);
    let ttl = if spec.ttl_security { 255 } else { hops };
    sockopt::set_ttl(&socket, peer, ttl).map_err(failed("TTL"))?;
    sockopt::set_precedence(&socket, peer).map_err(failed("TOS"))?;
    if spec.ttl_security {
        sockopt::set_min_ttl(&socket, peer, least_ttl(hops)).map_err(failed("MINTTL"))?;
    }
    if let Some(password) = &spec.password {
        sockopt::set_md5_key(&socket, Prefix::host(peer), Some(password)).map_err(failed("TCP_MD5SIG"))?;
    }
    for (n, key) in keys.iter().enumerate() {
        tcp_ao::add(&socket, peer, key, n == 0).map_err(failed(ADD_KEY))?;
    }
    if let Some(name) = name {
        socket.bind_device(Some(name.as_bytes())).map_err(failed("SO_BINDTODEVICE"))?;
    }
    let any: IpAddr = if peer.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let port = spec.local_port.unwrap_or(0);
    if source.is_some() || port != 0 {
        if port != 0 {
            socket.set_reuse_address(true).map_err(failed("SO_REUSEADDR"))?;
        }
        let from = scoped(source.unwrap_or(any), port, link);
        socket.bind(&from.into()).map_err(failed("bind"))?;
    }
    let socket = TcpSocket::from_std_stream(socket.into());
    Ok(Box::pin(async move {
        let stream = socket.connect(remote).await?;
        let local = stream.local_addr()?;
        Ok(Conn::new(stream, remote, local))
    }))
}

/// The options of a connection that came in.
pub(crate) fn prepare_accepted(spec: &PeerSpec, stream: &TcpStream) -> io::Result<()> {
    let hops = spec.multihop.unwrap_or(1);
    let ttl = if spec.ttl_security { 255 } else { hops };
    sockopt::set_ttl(stream, spec.peer_addr, ttl)?;
    if spec.ttl_security {
        sockopt::set_min_ttl(stream, spec.peer_addr, least_ttl(hops))?;
    }
    Ok(())
}

/// The least TTL that packets may have that crossed this many links (RFC 5082 3).
const fn least_ttl(hops: u8) -> u8 {
    if hops == 0 { 255 } else { 255 - (hops - 1) }
}

/// A link-local address means something only on its link.
pub(crate) fn scoped(addr: IpAddr, port: u16, link: IfIndex) -> SocketAddr {
    match addr {
        IpAddr::V6(a) if a.is_unicast_link_local() => SocketAddrV6::new(a, port, 0, link.0).into(),
        _ => SocketAddr::new(addr, port),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(octets: u16) -> Vec<u8> {
        let mut m = vec![0xff; usize::from(octets)];
        m[16..18].copy_from_slice(&octets.to_be_bytes());
        m
    }

    #[test]
    fn the_border_is_the_end_of_the_message_that_was_begun() {
        let piece = [message(19), message(100), message(23)].concat();
        let at = |written| border(&piece, written);
        assert_eq!((at(0), at(1), at(19), at(20), at(119), at(120)), (0, 19, 19, 119, 119, 142));
        assert_eq!(border(&[0; 30], 5), 30, "what is no message is not cut");
    }

    #[tokio::test]
    async fn a_connection_whose_neighbour_does_not_read_leaves_what_waits_in_the_outbox() {
        const PIECE: usize = 60_000;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let remote = listener.local_addr().unwrap();
        let stream = TcpStream::connect(remote).await.unwrap();
        let (_deaf, _) = listener.accept().await.unwrap();
        let local = stream.local_addr().unwrap();
        let mut conn = Conn::new(stream, remote, local);
        let outbox = Outbox::new(1 << 20);
        let pieces = 500;
        outbox.push((0..pieces).map(|_| Bytes::from(message(PIECE as u16))), 0);
        for _ in 0..100 {
            conn.write(Some(&outbox), |_| {}).unwrap();
            tokio::task::yield_now().await;
        }
        assert!(conn.is_blocked());
        let held = pieces * PIECE - outbox.octets() - usize::try_from(conn.taken()).unwrap();
        assert!(held <= HELD_OCTETS + PIECE, "{held} octets are out of reach of the group");
    }

    #[test]
    fn the_least_ttl_of_a_direct_neighbour_is_255() {
        assert_eq!((least_ttl(1), least_ttl(2), least_ttl(255)), (255, 254, 1));
    }
}
