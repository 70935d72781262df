//! The kernel's routing table: what is in it, and how fast a bare loop fills it.
//!
//! The loop is the yardstick of the kernel scenario: the same routes, encoded
//! before the clock starts, 512 requests to a `sendmsg`, one acknowledgement to a
//! batch. No daemon can be faster than that on one socket.

use super::speaker::{peer_address, prefixes as wire_prefixes};
use super::stage::{Figures, Stage};
use super::table::{Family, Table};
use anyhow::{Context, Result, bail, ensure};
use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, recv, send, socket};
use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

/// The interface of the daemon's namespace.
pub const LINK: &str = "b1";
/// Requests to one `sendmsg`; more are not faster.
const BATCH: usize = 512;

/// The prefixes in the main table of a process's namespace.
pub fn prefixes(pid: u32) -> Result<usize> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/net/fib_triestat")).context("the daemon is gone")?;
    let main = text.split("Main:").nth(1).context("no main table")?;
    let count = main.lines().find_map(|l| l.trim().strip_prefix("Prefixes:")).context("no count of prefixes")?;
    Ok(count.trim().parse()?)
}

/// Whether there are so many prefixes now.
///
/// A look walks the whole trie, and the kernel's work for the daemon waits for it
/// in places. So it looks again when half of what is missing can have come at the
/// speed of before: seldom while much is missing, every few milliseconds at the end.
pub fn watch(pid: u32, count: usize) -> impl FnMut(&Stage) -> Result<bool> {
    const LEAST: Duration = Duration::from_millis(5);
    const MOST: Duration = Duration::from_millis(300);
    let mut last: Option<(Instant, usize)> = None;
    let mut again = Instant::now();
    move |_| {
        let now = Instant::now();
        if now < again {
            return Ok(false);
        }
        let missing = prefixes(pid)?.abs_diff(count);
        let left = last.and_then(|(then, before)| {
            let done = before.checked_sub(missing).filter(|done| *done > 0)?;
            Some((now - then).mul_f64(missing as f64 / done as f64))
        });
        again = Instant::now() + left.map_or(LEAST * 4, |left| left / 2).clamp(LEAST, MOST);
        last = Some((now, missing));
        Ok(missing == 0)
    }
}

/// Every route of the table is in the kernel, by way of its announcer.
pub fn check(pid: u32, table: &Table) -> Result<()> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/net/route"))?;
    let IpAddr::V4(gateway) = peer_address(Family::Ipv4, 0) else { bail!("IPv4 only") };
    let mut right = 0;
    for line in text.lines().skip(1) {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let &[_, net, via, _, _, _, _, mask, ..] = fields.as_slice() else { continue };
        // Hexadecimal, in the machine's order of octets.
        let read = |hex| u32::from_str_radix(hex, 16).map(|n| u32::from_ne_bytes(n.to_ne_bytes()).swap_bytes());
        let (net, via, mask) = (read(net)?, read(via)?, read(mask)?);
        let known = table.number(u64::from(net) << 32, mask.count_ones() as u8).is_some();
        ensure!(!known || via == gateway.to_bits(), "{} goes by {}", Ipv4Addr::from(net), Ipv4Addr::from(via));
        right += usize::from(known);
    }
    ensure!(right == table.prefixes().len(), "the kernel has {right} of {} routes", table.prefixes().len());
    Ok(())
}

/// Installs and removes all routes of a table in the namespace of the calling thread.
pub fn bare_loop(table: &Table) -> Result<Vec<Figures>> {
    let octets = table.announce(0, 0..table.sets(), 1, &[10, 99, 1, 1]);
    let mut nets = Vec::new();
    super::speaker::frames(&octets, |_, message| {
        let update = super::speaker::Update::read(Family::Ipv4, &message[super::speaker::HEADER..]);
        nets.extend(wire_prefixes(update.context("an UPDATE is cut")?.announced).flatten());
        Ok(())
    })?;
    let link = nix::net::if_::if_nametoindex(LINK)?;
    let mut all = Vec::new();
    for (title, adds) in [("load", true), ("peer lost", false)] {
        let batches: Vec<Vec<u8>> = nets.chunks(BATCH).map(|nets| batch(nets, link, adds)).collect();
        let socket = socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, SockProtocol::NetlinkRoute)?;
        let (cpu, start) = (thread_cpu_seconds()?, Instant::now());
        for octets in &batches {
            send(socket.as_raw_fd(), octets, MsgFlags::empty())?;
            let mut answer = [0; 4096];
            let got = recv(socket.as_raw_fd(), &mut answer, MsgFlags::empty())?;
            // struct nlmsgerr: the error stands behind the header of 16 octets.
            let error = answer.get(16..20.min(got)).and_then(|o| o.first_chunk()).map(|o| i32::from_ne_bytes(*o));
            ensure!(error == Some(0), "the kernel refuses a route: {error:?}");
        }
        let wall_seconds = start.elapsed().as_secs_f64();
        let cpu_seconds = thread_cpu_seconds()? - cpu;
        eprintln!("  {title}: {wall_seconds:.2} s, CPU {cpu_seconds:.2} s");
        all.push(Figures { phase: title.into(), wall_seconds, cpu_seconds, ..Figures::default() });
        if adds {
            check(std::process::id(), table).or_else(|_| check_here(table))?;
        }
    }
    Ok(all)
}

/// As [`check`], for the namespace of this thread, which may not be that of the process.
fn check_here(table: &Table) -> Result<()> {
    let tid = nix::unistd::gettid().as_raw() as u32;
    check(tid, table)
}

/// Requests about some routes; the last asks for an acknowledgement.
fn batch(nets: &[(u64, u8)], link: u32, adds: bool) -> Vec<u8> {
    const NEWROUTE: u16 = 24;
    const DELROUTE: u16 = 25;
    const REQUEST: u16 = 1;
    const ACK: u16 = 4;
    const CREATE_EXCLUSIVELY: u16 = 0x600;
    let mut out = Vec::with_capacity(nets.len() * 52);
    for (n, (address, length)) in nets.iter().enumerate() {
        let mut flags = REQUEST | if adds { CREATE_EXCLUSIVELY } else { 0 };
        if n + 1 == nets.len() {
            flags |= ACK;
        }
        out.extend_from_slice(&52u32.to_ne_bytes());
        out.extend_from_slice(&(if adds { NEWROUTE } else { DELROUTE }).to_ne_bytes());
        out.extend_from_slice(&flags.to_ne_bytes());
        out.extend_from_slice(&(n as u32).to_ne_bytes());
        out.extend_from_slice(&0u32.to_ne_bytes());
        // struct rtmsg: AF_INET, lengths, TOS, the main table, RTPROT_BIRD, universe, unicast, no flags.
        out.extend_from_slice(&[2, *length, 0, 0, 254, 12, 0, 1, 0, 0, 0, 0]);
        for (kind, value) in
            [(1u16, address.to_be_bytes()[..4].to_vec()), (5, vec![10, 99, 1, 1]), (4, link.to_ne_bytes().to_vec())]
        {
            out.extend_from_slice(&8u16.to_ne_bytes());
            out.extend_from_slice(&kind.to_ne_bytes());
            out.extend_from_slice(&value);
        }
    }
    out
}

/// The processor time of this thread.
fn thread_cpu_seconds() -> Result<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    Ok(text.split(' ').next().context("no processor time")?.parse::<f64>()? / 1e9)
}
