//! As much BGP as a benchmark needs: a session opened, messages framed, an UPDATE read.

use super::table::Family;
use anyhow::{Context, Result, bail};
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// Message types (RFC 4271 4.1).
pub const OPEN: u8 = 1;
pub const UPDATE: u8 = 2;
pub const NOTIFICATION: u8 = 3;
pub const KEEPALIVE: u8 = 4;
pub const HEADER: usize = 19;
pub const PORT: u16 = 179;
/// The daemon's AS.
pub const DAEMON_AS: u32 = 65000;
/// How long a daemon may take to listen and to open a session.
const PATIENCE: Duration = Duration::from_secs(30);

/// The address of the daemon, in the network of all peers.
pub const fn daemon_address(family: Family) -> IpAddr {
    match family {
        Family::Ipv4 => IpAddr::V4(Ipv4Addr::new(10, 99, 0, 1)),
        Family::Ipv6 => IpAddr::V6(Ipv6Addr::new(0xfd99, 0, 0, 0, 0, 0, 0, 1)),
    }
}

/// The address of a peer.
pub const fn peer_address(family: Family, peer: usize) -> IpAddr {
    match family {
        Family::Ipv4 => IpAddr::V4(peer_id(peer)),
        Family::Ipv6 => IpAddr::V6(Ipv6Addr::new(0xfd99, 0, 0, 0, 0, 0, 1, 1 + peer as u16)),
    }
}

/// The router id of a peer.
const fn peer_id(peer: usize) -> Ipv4Addr {
    Ipv4Addr::new(10, 99, 1 + (peer / 200) as u8, 1 + (peer % 200) as u8)
}

/// How we open a session.
#[derive(Clone, Copy, Debug)]
pub struct Opening {
    pub family: Family,
    pub peer: usize,
    pub asn: u32,
    /// The hold time that we offer.
    pub hold_s: u16,
    /// The receive buffer asked for.
    pub receive_octets: usize,
    /// We speak the other family as well.
    pub both: bool,
}

impl Opening {
    /// A peer that hears as fast as it can.
    pub const fn new(family: Family, peer: usize, asn: u32, hold_s: u16) -> Self {
        Self { family, peer, asn, hold_s, receive_octets: 4 << 20, both: false }
    }

    /// Opens the session, again and again until the daemon takes it.
    pub fn establish(self) -> Result<TcpStream> {
        let end = Instant::now() + PATIENCE;
        loop {
            match self.once() {
                Ok(stream) => return Ok(stream),
                Err(error) if Instant::now() > end => {
                    return Err(error).with_context(|| format!("the daemon takes no session of peer {}", self.peer));
                }
                Err(_) => std::thread::sleep(Duration::from_millis(100)),
            }
        }
    }

    const fn families(self) -> &'static [Family] {
        match self.family {
            _ if self.both => &[Family::Ipv4, Family::Ipv6],
            Family::Ipv4 => &[Family::Ipv4],
            Family::Ipv6 => &[Family::Ipv6],
        }
    }

    fn once(self) -> Result<TcpStream> {
        let domain = if self.family == Family::Ipv4 { Domain::IPV4 } else { Domain::IPV6 };
        let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
        socket.set_recv_buffer_size(self.receive_octets)?;
        socket.bind(&SockAddr::from(SocketAddr::new(peer_address(self.family, self.peer), 0)))?;
        let to = SocketAddr::new(daemon_address(self.family), PORT);
        socket.connect_timeout(&to.into(), Duration::from_secs(1))?;
        let mut stream = TcpStream::from(socket);
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(&open(self.families(), self.asn, peer_id(self.peer), self.hold_s))?;
        expect(&mut stream, OPEN)?;
        stream.write_all(&keepalive())?;
        expect(&mut stream, KEEPALIVE)?;
        stream.set_read_timeout(None)?;
        Ok(stream)
    }
}

/// A KEEPALIVE.
pub fn keepalive() -> Vec<u8> {
    message(KEEPALIVE, &[])
}

/// A message with its header.
pub fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![0xff; 16];
    out.extend_from_slice(&((HEADER + body.len()) as u16).to_be_bytes());
    out.push(kind);
    out.extend_from_slice(body);
    out
}

/// An OPEN with these families, unicast, and four-octet AS numbers.
pub fn open(families: &[Family], asn: u32, id: Ipv4Addr, hold_s: u16) -> Vec<u8> {
    let mut body = vec![4];
    body.extend_from_slice(&(asn as u16).to_be_bytes());
    body.extend_from_slice(&hold_s.to_be_bytes());
    body.extend_from_slice(&id.octets());
    let mut capabilities = Vec::new();
    for family in families {
        capabilities.extend_from_slice(&[1, 4, 0, if *family == Family::Ipv4 { 1 } else { 2 }, 0, 1]);
    }
    capabilities.extend_from_slice(&[65, 4]);
    capabilities.extend_from_slice(&asn.to_be_bytes());
    body.extend_from_slice(&[capabilities.len() as u8 + 2, 2, capabilities.len() as u8]);
    body.extend_from_slice(&capabilities);
    message(OPEN, &body)
}

/// Reads one message of this type.
pub fn expect(stream: &mut TcpStream, wanted: u8) -> Result<()> {
    let mut head = [0; HEADER];
    stream.read_exact(&mut head)?;
    let octets = usize::from(u16::from_be_bytes([head[16], head[17]]));
    let mut body = vec![0; octets.saturating_sub(HEADER)];
    stream.read_exact(&mut body)?;
    if head[18] != wanted {
        bail!("message of type {} with {body:?} where type {wanted} was due", head[18]);
    }
    Ok(())
}

/// Gives each whole message's type and octets, header included, and how many octets those are.
pub fn frames(octets: &[u8], mut take: impl FnMut(u8, &[u8]) -> Result<()>) -> Result<usize> {
    let mut at = 0;
    while let Some(head) = octets[at..].first_chunk::<HEADER>() {
        let length = usize::from(u16::from_be_bytes([head[16], head[17]]));
        if length < HEADER {
            bail!("the daemon sent a message of {length} octets");
        }
        let Some(whole) = octets[at..].get(..length) else { break };
        take(head[18], whole)?;
        at += length;
    }
    Ok(at)
}

/// What an UPDATE says, as octets; empty where it says nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Update<'a> {
    pub withdrawn: &'a [u8],
    pub announced: &'a [u8],
    /// The AS numbers of AS_PATH's first segment.
    pub path: &'a [u8],
    pub communities: &'a [u8],
}

impl<'a> Update<'a> {
    /// Reads a message's body.
    pub fn read(family: Family, body: &'a [u8]) -> Option<Self> {
        const EXTENDED: u8 = 0x10;
        let (withdrawn, rest) = part(body)?;
        let (mut attributes, announced) = part(rest)?;
        let mut update = Update { withdrawn, announced, ..Self::default() };
        while !attributes.is_empty() {
            let ([flags, code], rest) = attributes.split_first_chunk::<2>()?;
            let (value, rest) = if flags & EXTENDED == 0 {
                let (length, rest) = rest.split_first()?;
                rest.split_at_checked(usize::from(*length))?
            } else {
                part(rest)?
            };
            match (*code, family) {
                (2, _) => update.path = value.get(2..)?,
                (8, _) => update.communities = value,
                // AFI, SAFI, the next hop behind its length, an octet that says nothing.
                (14, Family::Ipv6) => update.announced = value.get(5 + usize::from(*value.get(3)?)..)?,
                (15, Family::Ipv6) => update.withdrawn = value.get(3..)?,
                _ => {}
            }
            attributes = rest;
        }
        Some(update)
    }
}

/// A row of octets behind its length, and what follows it.
fn part(octets: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = octets.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}

/// Prefixes on the wire: the address in the upper bits, the length; the last is `None` when it is cut.
pub fn prefixes(mut octets: &[u8]) -> impl Iterator<Item = Option<(u64, u8)>> {
    std::iter::from_fn(move || {
        let (length, rest) = octets.split_first()?;
        let Some((upper, rest)) = rest.split_at_checked(usize::from(length.div_ceil(8))) else {
            octets = &[];
            return Some(None);
        };
        octets = rest;
        let address = upper.iter().take(8).rev().fold(0, |a, o| a >> 8 | u64::from(*o) << 56);
        Some(Some((address, *length)))
    })
}
