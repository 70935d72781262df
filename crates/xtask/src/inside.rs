//! The lab's own small programs: run inside a namespace, they print plain lines.

use crate::bench::{relay, table::Family};
use anyhow::{Context, Result, bail};
use clap::Subcommand;
use socket2::{Domain, Protocol, Socket, Type};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

#[derive(Subcommand)]
pub enum Program {
    /// Serve one page; the page says who asked and at which address.
    Serve { address: SocketAddrV4 },
    /// Fetch the page; print it and our own address.
    Fetch { address: SocketAddrV4 },
    /// Print the routers on the way.
    Trace { to: Ipv4Addr },
    /// Print VXLAN packets (UDP 4789) seen on an interface, at most COUNT and not longer than SECONDS.
    Watch { iface: String, count: usize, seconds: u64 },
    /// Frame and copy the messages of so many sessions; a bound for `cargo xtask bench`.
    Relay {
        sessions: usize,
        /// Sessions over IPv6, about IPv6.
        #[arg(long)]
        six: bool,
    },
}

pub fn run(program: &Program) -> Result<()> {
    match program {
        Program::Serve { address } => serve(*address),
        Program::Fetch { address } => fetch(*address),
        Program::Trace { to } => trace(*to),
        Program::Watch { iface, count, seconds } => watch(iface, *count, Duration::from_secs(*seconds)),
        Program::Relay { sessions, six } => relay::run(if *six { Family::Ipv6 } else { Family::Ipv4 }, *sessions),
    }
}

fn serve(address: SocketAddrV4) -> Result<()> {
    let listener = TcpListener::bind(address)?;
    println!("listening");
    for stream in listener.incoming() {
        let mut stream = stream?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        let mut lines = BufReader::new(stream.try_clone()?.take(8192)).lines();
        while lines.next().transpose()?.is_some_and(|l| !l.is_empty()) {}
        let page = format!("hello from {}, you are {}\n", stream.local_addr()?.ip(), stream.peer_addr()?.ip());
        let head = "HTTP/1.0 200 OK\r\nContent-Type: text/plain";
        write!(stream, "{head}\r\nContent-Length: {}\r\n\r\n{page}", page.len())?;
    }
    Ok(())
}

fn fetch(address: SocketAddrV4) -> Result<()> {
    let mut stream = TcpStream::connect_timeout(&address.into(), Duration::from_secs(5))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    write!(stream, "GET / HTTP/1.0\r\nHost: {}\r\n\r\n", address.ip())?;
    let mut answer = String::new();
    Read::by_ref(&mut stream).take(65536).read_to_string(&mut answer)?;
    let (head, page) = answer.split_once("\r\n\r\n").context("no HTTP answer")?;
    if !head.starts_with("HTTP/1.0 200") {
        bail!("{head}");
    }
    print!("{page}");
    println!("asked by {}", stream.local_addr()?.ip());
    Ok(())
}

/// Sends UDP with growing TTL and reads who answers on a raw ICMP socket.
fn trace(to: Ipv4Addr) -> Result<()> {
    let icmp = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::ICMPV4))?;
    icmp.set_read_timeout(Some(Duration::from_secs(1)))?;
    for ttl in 1..=16 {
        let udp = std::net::UdpSocket::bind("0.0.0.0:0")?;
        udp.set_ttl(ttl)?;
        let port = 33_433 + ttl as u16;
        udp.send_to(b"rbird lab", (to, port))?;
        match answer_for(&icmp, port)? {
            Some((from, arrived)) => {
                println!("{ttl:2}  {from}");
                if arrived {
                    return Ok(());
                }
            }
            None => println!("{ttl:2}  *"),
        }
    }
    bail!("{to} was not reached in 16 hops")
}

/// The sender of the ICMP error about a datagram to this port, and whether it was the destination itself.
fn answer_for(icmp: &Socket, port: u16) -> Result<Option<(Ipv4Addr, bool)>> {
    let until = Instant::now() + Duration::from_secs(2);
    let mut room = [0u8; 512];
    while Instant::now() < until {
        let Ok(len) = (&*icmp).read(&mut room) else { continue };
        let octets = room.get(..len).unwrap_or_default();
        let Some(icmp_part) = ip_payload(octets) else { continue };
        let Some(quoted) = icmp_part.get(8..).and_then(ip_payload) else { continue };
        if quoted.get(2..4) != Some(&port.to_be_bytes()) {
            continue;
        }
        let (Some(&kind), Some(from)) = (icmp_part.first(), source(octets)) else { continue };
        return Ok(Some((from, kind == 3)));
    }
    Ok(None)
}

fn ip_payload(packet: &[u8]) -> Option<&[u8]> {
    let head = usize::from(packet.first()? & 0x0f) * 4;
    packet.get(head..)
}

fn source(packet: &[u8]) -> Option<Ipv4Addr> {
    Some(Ipv4Addr::from(<[u8; 4]>::try_from(packet.get(12..16)?).ok()?))
}

fn destination(packet: &[u8]) -> Option<Ipv4Addr> {
    Some(Ipv4Addr::from(<[u8; 4]>::try_from(packet.get(16..20)?).ok()?))
}

/// Watches an interface and prints outer and inner addresses of VXLAN packets.
fn watch(iface: &str, count: usize, most: Duration) -> Result<()> {
    use nix::sys::socket::{
        AddressFamily, LinkAddr, SockFlag, SockProtocol, SockType, recvfrom, setsockopt, socket, sockopt,
    };
    use nix::sys::time::TimeVal;
    let socket = socket(AddressFamily::Packet, SockType::Raw, SockFlag::SOCK_CLOEXEC, SockProtocol::EthAll)?;
    setsockopt(&socket, sockopt::ReceiveTimeout, &TimeVal::new(0, 200_000))?;
    println!("watching");
    let only = nix::net::if_::if_nametoindex(iface)? as usize;
    let until = Instant::now() + most;
    let mut seen = 0;
    let mut room = [0u8; 2048];
    while seen < count && Instant::now() < until {
        let Ok((len, Some(from))) = recvfrom::<LinkAddr>(socket.as_raw_fd(), &mut room) else { continue };
        if from.ifindex() != only {
            continue;
        }
        let packet = room.get(14..len).unwrap_or_default();
        if let Some(line) = vxlan_line(packet) {
            println!("{line}");
            seen += 1;
        }
    }
    Ok(())
}

fn vxlan_line(packet: &[u8]) -> Option<String> {
    const UDP: u8 = 17;
    if *packet.get(9)? != UDP {
        return None;
    }
    let udp = ip_payload(packet)?;
    if udp.get(2..4)? != 4789u16.to_be_bytes() {
        return None;
    }
    let vxlan = udp.get(8..)?;
    let vni = u32::from_be_bytes([0, *vxlan.get(4)?, *vxlan.get(5)?, *vxlan.get(6)?]);
    let inner = vxlan.get(8 + 14..)?;
    let (outer_from, outer_to) = (source(packet)?, destination(packet)?);
    Some(format!("{outer_from} > {outer_to}.4789: VXLAN, vni {vni}: {} > {}", source(inner)?, destination(inner)?))
}
