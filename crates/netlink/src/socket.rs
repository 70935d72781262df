//! Sockets to the kernel: requests in batches, dumps, and how all of them are opened.
//!
//! The kernel handles the requests of one `sendmsg` before the call returns, so
//! the answers wait in the receive buffer by then. Only the last request of a
//! batch asks for an acknowledgement; a request that fails is answered by
//! itself, with its sequence number. That costs 3.5 microseconds a route; a
//! request and an acknowledgement for each route cost twice as much.
//!
//! [`RouteSocket`] blocks, at most some seconds, and belongs on a thread of its own.

use crate::message::{Writer, messages};
use crate::palette::Palette;
use crate::reconcile::{Request, Verb};
use crate::route_message::{Call, decode, encode, encode_dump};
use crate::{Errno, SeenRoute};
use libc::{NLM_F_ACK, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE, NLM_F_REQUEST, RTM_DELROUTE, RTM_NEWROUTE};
use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_ROUTE};
use nix::sys::socket::{setsockopt, sockopt};
use nix::sys::time::{TimeVal, TimeValLike};
use route::Family;
use std::io;

/// Requests in one batch. Measured: 512 cost the kernel a twentieth less than 128, fewer than 64 much more.
const BATCH_REQUESTS: usize = 512;
/// A batch is sent when it is this long, whatever the number of requests.
const BATCH_OCTETS: usize = 64 * 1024;
/// What one read may bring; dumps of the kernel use at most half of it.
pub(crate) const READ_OCTETS: usize = 64 * 1024;
/// Answers to a whole batch of failing requests, and bursts of notifications, must fit.
pub(crate) const RECEIVE_BUFFER: usize = 8 * 1024 * 1024;
/// A kernel that does not answer this long is not waited for.
const ANSWER_S: i64 = 10;

/// Opens a socket that hears some groups (RTNLGRP_*), with a receive buffer of this size.
pub(crate) fn open(groups: &[u32], receive_octets: usize) -> io::Result<Socket> {
    let mut socket = Socket::new(NETLINK_ROUTE)?;
    socket.bind(&SocketAddr::new(0, 0))?;
    // Above the system's limit only with CAP_NET_ADMIN; with less, bursts are lost earlier and found by a rescan.
    if setsockopt(&socket, sockopt::RcvBufForce, &receive_octets).is_err() {
        let _ = socket.set_rx_buf_sz(libc::c_int::try_from(receive_octets).unwrap_or(libc::c_int::MAX));
    }
    for group in groups {
        socket.add_membership(*group)?;
    }
    Ok(socket)
}

/// Reads a datagram of the kernel; `None` when somebody else sent it.
pub(crate) fn read<'a>(socket: &Socket, buffer: &'a mut [u8]) -> io::Result<Option<&'a [u8]>> {
    let mut rest = &mut *buffer;
    let (len, from) = socket.recv_from(&mut rest, 0)?;
    Ok((from.port_number() == 0).then(|| buffer.get(..len).unwrap_or_default()))
}

/// What became of some requests.
#[derive(Debug, Default)]
pub struct BatchResult {
    /// The requests that failed, by their place, in rising order. All others were carried out.
    pub errors: Vec<(usize, Errno)>,
    /// Answers were lost: it is unknown which of the requests were carried out. A dump tells.
    pub lost: bool,
}

/// A socket for requests about routes.
pub struct RouteSocket {
    socket: Socket,
    sequence: u32,
    writer: Writer,
    buffer: Vec<u8>,
}

impl RouteSocket {
    /// Opens it in the network namespace of the calling thread.
    pub fn open() -> io::Result<Self> {
        Self::open_with(RECEIVE_BUFFER)
    }

    fn open_with(receive_octets: usize) -> io::Result<Self> {
        let socket = open(&[], receive_octets)?;
        setsockopt(&socket, sockopt::ReceiveTimeout, &TimeVal::seconds(ANSWER_S)).map_err(io::Error::from)?;
        // Answers need not repeat the request; old kernels repeat it, which does no harm.
        let _ = socket.set_cap_ack(true);
        // The kernel then dumps one table only; an old one dumps all, and we pass over the others.
        let _ = socket.set_netlink_get_strict_chk(true);
        Ok(Self { socket, sequence: 0, writer: Writer::default(), buffer: vec![0; READ_OCTETS] })
    }

    /// Shows every route of a table.
    ///
    /// Says whether the dump is whole: false when the table changed under it, so
    /// that routes may be missing. A table that does not exist has no routes.
    pub fn dump(&mut self, family: Family, table: u32, mut each: impl FnMut(SeenRoute)) -> io::Result<bool> {
        self.sequence = self.sequence.wrapping_add(1);
        self.writer.clear();
        encode_dump(&mut self.writer, self.sequence, family, table);
        self.socket.send(self.writer.octets(), 0)?;
        let mut whole = true;
        loop {
            let Some(datagram) = read(&self.socket, &mut self.buffer)? else {
                continue;
            };
            for m in messages(datagram).filter(|m| m.sequence == self.sequence) {
                whole &= !m.is_interrupted();
                match m.result() {
                    Some(0 | libc::ENOENT) => return Ok(whole),
                    Some(code) => return Err(io::Error::from_raw_os_error(code)),
                    None if m.kind == RTM_NEWROUTE => {
                        if let Some(seen) = decode(&m).filter(|s| s.table == table) {
                            each(seen);
                        }
                    }
                    None => {}
                }
            }
        }
    }

    /// Carries requests out, in their order.
    pub fn carry_out(&mut self, table: u32, palette: &Palette, requests: &[Request]) -> io::Result<BatchResult> {
        let mut result = BatchResult::default();
        let mut from = 0;
        while from < requests.len() {
            let taken = self.write_batch(table, palette, requests.get(from..).unwrap_or_default());
            let first = self.sequence.wrapping_sub(taken as u32).wrapping_add(1);
            self.socket.send(self.writer.octets(), 0)?;
            self.hear_answers(first, from, &mut result)?;
            from += taken;
        }
        Ok(result)
    }

    /// Writes as many requests as one batch takes, and says how many.
    fn write_batch(&mut self, table: u32, palette: &Palette, requests: &[Request]) -> usize {
        self.writer.clear();
        let mut taken = 0;
        for request in requests.iter().take(BATCH_REQUESTS) {
            let Some(route) = palette.get(request.route) else {
                continue;
            };
            self.sequence = self.sequence.wrapping_add(1);
            let (kind, flags) = match request.verb {
                Verb::Add => (RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL),
                Verb::Replace => (RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE),
                Verb::Remove => (RTM_DELROUTE, 0),
            };
            let flags = (flags | NLM_F_REQUEST) as u16;
            let call = Call { kind, flags, sequence: self.sequence };
            encode(&mut self.writer, call, table, request.net, route);
            taken += 1;
            if self.writer.octets().len() > BATCH_OCTETS {
                break;
            }
        }
        self.writer.add_flags(NLM_F_ACK as u16);
        taken
    }

    /// Hears the answers of a batch until the last request has been answered.
    fn hear_answers(&mut self, first: u32, place: usize, result: &mut BatchResult) -> io::Result<()> {
        loop {
            let datagram = match read(&self.socket, &mut self.buffer) {
                Ok(Some(datagram)) => datagram,
                Ok(None) => continue,
                Err(e) if e.raw_os_error() == Some(libc::ENOBUFS) => {
                    result.lost = true;
                    continue;
                }
                // The acknowledgement itself was lost.
                Err(_) if result.lost => return Ok(()),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) => return Err(e),
            };
            for m in messages(datagram) {
                let (Some(code), at) = (m.result(), m.sequence.wrapping_sub(first) as usize) else {
                    continue;
                };
                if at >= BATCH_REQUESTS {
                    continue;
                }
                if code != 0 {
                    result.errors.push((place + at, Errno(code)));
                }
                if m.sequence == self.sequence {
                    return Ok(());
                }
            }
        }
    }
}

impl std::fmt::Debug for RouteSocket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RouteSocket").field("sequence", &self.sequence).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{KernelRoute, Reconciler};
    use route::{Hop, IfIndex, Prefix, Resolved};

    /// 128 refusals do not fit into the smallest receive buffer. Needs root.
    #[test]
    fn answers_that_do_not_fit_are_said_to_be_lost_and_a_dump_tells() {
        nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNET).expect("a network namespace needs root");
        let mut socket = RouteSocket::open_with(0).unwrap();
        setsockopt(&socket.socket, sockopt::ReceiveTimeout, &TimeVal::milliseconds(100)).unwrap();
        let mut reconciler = Reconciler::new(Family::Ipv4, 254);
        let refused = KernelRoute::new(Resolved::Unicast(Hop::dev(IfIndex(9999))));
        let fine = KernelRoute::new(Resolved::Blackhole);
        for i in 0..128_u32 {
            let net = Prefix::new(std::net::Ipv4Addr::from_bits((20 << 24) + (i << 8)).into(), 24).unwrap();
            reconciler.want(net, Some(if i == 0 { &fine } else { &refused }));
        }
        reconciler.scan_begin();
        reconciler.scan_end(true);
        reconciler.told_all();
        let mut requests = Vec::new();
        reconciler.take(1000, &mut requests);
        let result = socket.carry_out(254, reconciler.palette(), &requests).unwrap();
        assert!(result.lost);
        requests.iter().for_each(|r| reconciler.lost(r));

        // The next scan finds what was carried out, and asks for the rest again.
        reconciler.scan_begin();
        let whole = socket.dump(Family::Ipv4, 254, |seen| reconciler.scan_saw(&seen)).unwrap();
        reconciler.scan_end(whole);
        requests.clear();
        reconciler.take(1000, &mut requests);
        assert_eq!(requests.len(), 127);
    }
}
