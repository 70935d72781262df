//! As much BGP as a benchmark needs: a session opened, and messages framed.

use anyhow::{Context, Result, bail};
use socket2::{Domain, Protocol, Socket, Type};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddrV4, TcpStream};
use std::time::{Duration, Instant};

const OPEN: u8 = 1;
/// Message types (RFC 4271 4.1).
pub const UPDATE: u8 = 2;
pub const NOTIFICATION: u8 = 3;
const KEEPALIVE: u8 = 4;
const HEADER: usize = 19;
const PORT: u16 = 179;
/// No phase lasts as long.
const HOLD: u16 = 600;
/// How long a daemon may take to listen and to open a session.
const PATIENCE: Duration = Duration::from_secs(30);

/// A KEEPALIVE.
pub fn keepalive() -> Vec<u8> {
    message(KEEPALIVE, &[])
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![0xff; 16];
    out.extend_from_slice(&((HEADER + body.len()) as u16).to_be_bytes());
    out.push(kind);
    out.extend_from_slice(body);
    out
}

/// An OPEN with IPv4 unicast and four-octet AS numbers.
fn open(asn: u32, id: Ipv4Addr) -> Vec<u8> {
    let mut body = vec![4];
    body.extend_from_slice(&(asn as u16).to_be_bytes());
    body.extend_from_slice(&HOLD.to_be_bytes());
    body.extend_from_slice(&id.octets());
    let mut capabilities = vec![1, 4, 0, 1, 0, 1, 65, 4];
    capabilities.extend_from_slice(&asn.to_be_bytes());
    body.extend_from_slice(&[capabilities.len() as u8 + 2, 2, capabilities.len() as u8]);
    body.extend_from_slice(&capabilities);
    message(OPEN, &body)
}

/// Opens a session, again and again until the daemon takes it.
pub fn establish(from: Ipv4Addr, to: Ipv4Addr, asn: u32) -> Result<TcpStream> {
    let end = Instant::now() + PATIENCE;
    loop {
        match once(from, to, asn) {
            Ok(stream) => return Ok(stream),
            Err(error) if Instant::now() > end => return Err(error).context("the daemon takes no session"),
            Err(_) => std::thread::sleep(Duration::from_millis(100)),
        }
    }
}

fn once(from: Ipv4Addr, to: Ipv4Addr, asn: u32) -> Result<TcpStream> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
    socket.set_recv_buffer_size(4 << 20)?;
    socket.bind(&SocketAddrV4::new(from, 0).into())?;
    socket.connect_timeout(&SocketAddrV4::new(to, PORT).into(), Duration::from_secs(1))?;
    let mut stream = TcpStream::from(socket);
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    stream.write_all(&open(asn, from))?;
    expect(&mut stream, OPEN)?;
    stream.write_all(&keepalive())?;
    expect(&mut stream, KEEPALIVE)?;
    Ok(stream)
}

fn expect(stream: &mut TcpStream, wanted: u8) -> Result<()> {
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

/// Reads messages; keeps what is behind the last whole one.
pub struct Messages {
    stream: TcpStream,
    room: Vec<u8>,
    filled: usize,
}

impl Messages {
    pub fn new(stream: TcpStream) -> Self {
        Self { stream, room: vec![0; 1 << 20], filled: 0 }
    }

    /// Reads once and gives each whole message's type and body. `false`: the daemon has closed.
    ///
    /// Waits for the stream's timeout at most, which is no error.
    pub fn read(&mut self, mut take: impl FnMut(u8, &[u8]) -> Result<()>) -> Result<bool> {
        match self.stream.read(&mut self.room[self.filled..]) {
            Ok(0) => return Ok(false),
            Ok(octets) => self.filled += octets,
            Err(e) if matches!(e.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) => {}
            Err(e) => return Err(e.into()),
        }
        let mut at = 0;
        while let Some(head) = self.room[at..self.filled].first_chunk::<HEADER>() {
            let octets = usize::from(u16::from_be_bytes([head[16], head[17]]));
            if octets < HEADER {
                bail!("the daemon sent a message of {octets} octets");
            }
            let Some(whole) = self.room[at..self.filled].get(..octets) else { break };
            take(whole[18], &whole[HEADER..])?;
            at += octets;
        }
        self.room.copy_within(at..self.filled, 0);
        self.filled -= at;
        Ok(true)
    }
}
