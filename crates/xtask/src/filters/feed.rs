//! A neighbour of both daemons, in a namespace beside theirs: it announces routes with attributes made by chance.
//!
//! Each daemon has two sessions with it, one external and one internal, and
//! hears the same octets on them. The hold time is 0: whoever is slow or is
//! started again stays in touch.

use super::Dialect;
use super::chance::Chance;
use crate::bench::speaker::{KEEPALIVE, OPEN, UPDATE, expect, keepalive, message, open};
use crate::bench::table::Family;
use crate::netns::Netns;
use anyhow::{Context, Result};
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// The AS of the daemons.
pub const OUR_AS: u32 = 65000;
/// The AS of the external session's other end.
pub const OTHER_AS: u32 = 65001;
/// How often a session looks whether it is over.
const LOOK: Duration = Duration::from_millis(200);

/// One session's ends and what is announced on it.
struct Side {
    from: IpAddr,
    asn: u32,
    id: Ipv4Addr,
    updates: Vec<u8>,
}

/// The neighbour's sessions; they end with it.
pub struct Feed {
    over: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Feed {
    /// Begins to call the daemons at these ports of `to`, from the node `b`.
    pub fn start(
        netns: &Netns,
        dialect: Dialect,
        (family, to): (Family, IpAddr),
        ports: &[u16],
        chance: &mut Chance,
    ) -> Result<Self> {
        let over = Arc::new(AtomicBool::new(false));
        let (external, internal) = nexts(family);
        // How far it is along a device route that is no interface's own BIRD 2 does not know, and rbird does.
        let internal = if dialect.is_2() { &internal[..4] } else { internal };
        let sides = [
            Side {
                from: external[0],
                asn: OTHER_AS,
                id: Ipv4Addr::new(10, 1, 1, 2),
                updates: updates(family, false, external, chance),
            },
            Side {
                from: internal[0],
                asn: OUR_AS,
                id: Ipv4Addr::new(10, 1, 1, 4),
                updates: updates(family, true, internal, chance),
            },
        ];
        let mut threads = Vec::new();
        for side in sides.map(Arc::new) {
            for port in ports {
                let (side, over, to) = (side.clone(), over.clone(), SocketAddr::new(to, *port));
                let name = netns.name("b");
                threads.push(std::thread::spawn(move || {
                    let entered = enter(&name);
                    while entered.is_ok() && !over.load(Ordering::Relaxed) {
                        // Nobody listens yet, or the daemon has ended.
                        let _ = talk(&side, family, to, &over);
                        std::thread::sleep(LOOK);
                    }
                }));
            }
        }
        Ok(Self { over, threads })
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        self.threads.drain(..).for_each(|thread| drop(thread.join()));
    }
}

/// Takes the calling thread into a namespace.
fn enter(name: &str) -> Result<()> {
    let file = std::fs::File::open(format!("/run/netns/{name}")).context("the neighbour's namespace")?;
    Ok(nix::sched::setns(file, nix::sched::CloneFlags::CLONE_NEWNET)?)
}

/// One session, until the other side ends it or all is over.
fn talk(side: &Side, family: Family, to: SocketAddr, over: &AtomicBool) -> Result<()> {
    let domain = if family == Family::Ipv4 { Domain::IPV4 } else { Domain::IPV6 };
    let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
    socket.bind(&SockAddr::from(SocketAddr::new(side.from, 0)))?;
    socket.connect_timeout(&to.into(), Duration::from_secs(1))?;
    let mut stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    stream.write_all(&open(&[family], side.asn, side.id, 0))?;
    expect(&mut stream, OPEN)?;
    stream.write_all(&keepalive())?;
    expect(&mut stream, KEEPALIVE)?;
    stream.write_all(&side.updates)?;
    stream.set_read_timeout(Some(LOOK))?;
    let mut room = [0; 4096];
    while !over.load(Ordering::Relaxed) {
        match stream.read(&mut room) {
            Ok(0) => break,
            Err(error) if error.kind() != std::io::ErrorKind::WouldBlock => break,
            _ => {}
        }
    }
    Ok(())
}

/// Next hops of external and internal routes; the first of each is the neighbour's own address.
fn nexts(family: Family) -> (&'static [IpAddr], &'static [IpAddr]) {
    const fn v4(a: u8, b: u8, c: u8, d: u8) -> IpAddr {
        IpAddr::V4(Ipv4Addr::new(a, b, c, d))
    }
    const fn v6(a: u16, b: u16, c: u16, h: u16) -> IpAddr {
        IpAddr::V6(std::net::Ipv6Addr::new(a, b, c, 0, 0, 0, 0, h))
    }
    // On the link, behind a gateway, nowhere, on a device route.
    static V4: [IpAddr; 5] = [v4(10, 1, 1, 4), v4(10, 1, 1, 3), v4(10, 1, 2, 9), v4(172, 16, 0, 1), v4(10, 20, 5, 5)];
    static V4_EXTERNAL: [IpAddr; 2] = [v4(10, 1, 1, 2), v4(10, 1, 1, 3)];
    static V6: [IpAddr; 5] =
        [v6(0xfd00, 1, 0, 4), v6(0xfd00, 1, 0, 3), v6(0x2001, 0xdb8, 1, 9), v6(0xfd99, 0, 0, 1), v6(0xfd20, 0, 0, 5)];
    static V6_EXTERNAL: [IpAddr; 2] = [v6(0xfd00, 1, 0, 2), v6(0xfd00, 1, 0, 3)];
    match family {
        Family::Ipv4 => (&V4_EXTERNAL, &V4),
        Family::Ipv6 => (&V6_EXTERNAL, &V6),
    }
}

/// What is announced, as length and first octets.
fn prefixes(family: Family, internal: bool) -> &'static [(u8, [u8; 6])] {
    match (family, internal) {
        (Family::Ipv4, false) => &[
            (24, [10, 1, 2, 0, 0, 0]),
            (16, [10, 40, 0, 0, 0, 0]),
            (24, [198, 51, 100, 0, 0, 0]),
            (25, [203, 0, 113, 128, 0, 0]),
            (26, [10, 1, 2, 64, 0, 0]),
            (10, [100, 64, 0, 0, 0, 0]),
        ],
        (Family::Ipv4, true) => &[
            (16, [10, 1, 0, 0, 0, 0]),
            (16, [10, 50, 0, 0, 0, 0]),
            (22, [192, 168, 4, 0, 0, 0]),
            (15, [198, 18, 0, 0, 0, 0]),
            (32, [10, 1, 2, 3, 0, 0]),
            (24, [10, 60, 1, 0, 0, 0]),
        ],
        (Family::Ipv6, false) => &[
            (48, [0x20, 1, 0x0d, 0xb8, 0, 1]),
            (48, [0x20, 1, 0x0d, 0xb8, 0, 0x40]),
            (44, [0x20, 1, 0x0d, 0xb8, 0, 0x20]),
            (32, [0x24, 1, 0, 5, 0, 0]),
            (20, [0x26, 0, 0x10, 0, 0, 0]),
        ],
        (Family::Ipv6, true) => &[
            (32, [0x20, 1, 0x0d, 0xb8, 0, 0]),
            (48, [0x20, 1, 0x0d, 0xb8, 0, 0x50]),
            (48, [0xfd, 0x50, 0, 0, 0, 1]),
            (33, [0x24, 1, 0, 5, 0x80, 0]),
            (28, [0x26, 0, 0x10, 0x10, 0, 0]),
        ],
    }
}

/// UPDATEs, one for each prefix.
fn updates(family: Family, internal: bool, nexts: &[IpAddr], chance: &mut Chance) -> Vec<u8> {
    let mut all = Vec::new();
    for (len, first) in prefixes(family, internal) {
        let mut nlri = vec![*len];
        nlri.extend_from_slice(&first[..usize::from(len.div_ceil(8))]);
        let next = nexts[chance.below(nexts.len())];
        let mut attributes = attributes(internal, chance);
        let mut behind = Vec::new();
        match next {
            IpAddr::V4(next) => {
                put(&mut attributes, 0x40, 3, &next.octets());
                behind = nlri;
            }
            IpAddr::V6(next) => {
                let reach = [&[0, 2, 1, 16][..], &next.octets(), &[0], &nlri].concat();
                put(&mut attributes, 0x80, 14, &reach);
            }
        }
        let mut body = vec![0, 0];
        body.extend_from_slice(&(attributes.len() as u16).to_be_bytes());
        body.extend(attributes);
        body.extend(behind);
        all.extend(message(UPDATE, &body));
    }
    all
}

fn put(attributes: &mut Vec<u8>, flags: u8, code: u8, value: &[u8]) {
    attributes.extend_from_slice(&[flags, code, value.len() as u8]);
    attributes.extend_from_slice(value);
}

/// All attributes but the next hop, in no particular number.
fn attributes(internal: bool, chance: &mut Chance) -> Vec<u8> {
    const ASES: [u32; 9] = [1, 2, 3, 7, 100, 65001, 65010, 70000, 4_200_000_000];
    let number = |chance: &mut Chance| ASES[chance.below(ASES.len())];
    let some = |chance: &mut Chance, most: usize| -> Vec<u32> {
        (0..chance.below(most)).map(|_| ASES[chance.below(ASES.len())]).collect()
    };
    let octets = |numbers: &[u32]| numbers.iter().flat_map(|n| n.to_be_bytes()).collect::<Vec<u8>>();
    let mut all = Vec::new();
    put(&mut all, 0x40, 1, &[chance.below(3) as u8]);
    let mut path = Vec::new();
    let mut sequence = if internal { Vec::new() } else { vec![OTHER_AS] };
    sequence.extend(some(chance, 5));
    for (kind, ases) in [(2, sequence), (1, if chance.percent(25) { some(chance, 4) } else { Vec::new() })] {
        if !ases.is_empty() {
            path.extend_from_slice(&[kind, ases.len() as u8]);
            path.extend(octets(&ases));
        }
    }
    put(&mut all, 0x40, 2, &path);
    if chance.percent(50) {
        let med = number(chance);
        put(&mut all, 0x80, 4, &med.to_be_bytes());
    }
    if internal {
        let preference = number(chance);
        put(&mut all, 0x40, 5, &preference.to_be_bytes());
    }
    if chance.percent(20) {
        put(&mut all, 0x40, 6, &[]);
    }
    if chance.percent(20) {
        let aggregator = [number(chance), 0x0a01_0102];
        put(&mut all, 0xc0, 7, &octets(&aggregator));
    }
    let list = |all: &mut Vec<u8>, flags: u8, code: u8, width: usize, chance: &mut Chance| {
        let pieces = [1, 2, 3, 5, 10, 100, (1 << 16) + 2, (5 << 16) + 7, (100 << 16) + 1];
        let mut items: Vec<u32> = (0..width * chance.below(4)).map(|_| pieces[chance.below(pieces.len())]).collect();
        if width == 1 {
            items.sort_unstable();
            items.dedup();
        } else {
            // The first numbers differ.
            items.iter_mut().step_by(width).zip(pieces).for_each(|(item, piece)| *item = piece);
        }
        if !items.is_empty() {
            put(all, flags, code, &octets(&items));
        }
    };
    list(&mut all, 0xc0, 8, 1, chance);
    if internal && chance.percent(40) {
        put(&mut all, 0x80, 9, &[1, 2, 3, 4]);
        // In no list one twice: BIRD's delete of it leaves memory that it has not set behind the list.
        let clusters = [0x0102_0304, 0x0200_0001, 0x0a00_0001].get(chance.below(3)..).unwrap_or_default();
        put(&mut all, 0x80, 10, &octets(clusters));
    }
    if chance.percent(60) {
        let value = 1 + chance.below(9) as u8;
        let communities = [[0, 2, 0, 1, 0, 0, 0, 2], [0, 3, 0, 100, 0, 0, 0, value], [2, 2, 0, 1, 0x11, 0x70, 0, 5]];
        put(&mut all, 0xc0, 16, &communities[..1 + chance.below(3)].concat());
    }
    list(&mut all, 0xc0, 32, 3, chance);
    all
}
