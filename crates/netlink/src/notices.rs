//! What others do to the routes of the kernel, as it happens.
//!
//! Notifications about our own routes are dropped inside the kernel by a socket
//! filter: each route that we install would come back as one, and what happens
//! to our own routes by other hands is repaired at scans only.

use crate::SeenRoute;
use crate::message::{Message, messages, number};
use crate::readiness::register;
use crate::route_message::decode;
use crate::socket::{READ_OCTETS, open, read};
use libc::{NLM_F_REPLACE, RTM_DELADDR, RTM_DELLINK, RTM_DELROUTE, RTM_NEWLINK, RTM_NEWROUTE};
use netlink_sys::Socket;
use route::{Family, IfIndex};
use socket2::{SockFilter, SockRef};
use std::io;
use tokio::io::unix::AsyncFd;

/// RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV6_ROUTE.
const fn groups(family: Family) -> [u32; 3] {
    match family {
        Family::Ipv4 => [1, 5, 7],
        Family::Ipv6 => [1, 9, 11],
    }
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// Another program added a route.
    Added(SeenRoute),
    /// Another program's route took the place of one with the same prefix and metric, perhaps ours.
    Replaced(SeenRoute),
    /// Another program's route is gone.
    Gone(SeenRoute),
    /// This link went down or lost an address: the kernel may have removed routes without a word.
    Unsettled(IfIndex),
    /// Notifications were lost.
    Lost,
}

/// A socket that hears about routes of one family.
pub struct RouteNotices {
    socket: AsyncFd<Socket>,
    buffer: Vec<u8>,
}

impl RouteNotices {
    /// Opens it in the network namespace of the calling thread; so many octets may wait in it. Needs a tokio runtime.
    pub fn open(family: Family, receive_octets: u32) -> io::Result<Self> {
        let socket = open(&groups(family), usize::try_from(receive_octets).unwrap_or(usize::MAX))?;
        SockRef::from(&socket).attach_filter(&others_only())?;
        Ok(Self { socket: register(socket)?, buffer: vec![0; READ_OCTETS] })
    }

    /// Waits until something has happened and adds it to `into`. Safe to drop while waiting.
    pub async fn next(&mut self, into: &mut Vec<Notice>) -> io::Result<()> {
        loop {
            let mut ready = self.socket.readable().await?;
            let buffer = &mut self.buffer;
            let Ok(result) = ready.try_io(|socket| read(socket.get_ref(), buffer).map(|d| d.map(<[u8]>::len))) else {
                continue;
            };
            match result {
                Ok(Some(len)) => {
                    into.extend(messages(self.buffer.get(..len).unwrap_or_default()).filter_map(|m| notice(&m)))
                }
                Ok(None) => {}
                Err(e) if e.raw_os_error() == Some(libc::ENOBUFS) => into.push(Notice::Lost),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
            if !into.is_empty() {
                return Ok(());
            }
        }
    }
}

impl std::fmt::Debug for RouteNotices {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RouteNotices").finish_non_exhaustive()
    }
}

fn notice(m: &Message<'_>) -> Option<Notice> {
    match m.kind {
        RTM_NEWROUTE if i32::from(m.flags) & NLM_F_REPLACE != 0 => Some(Notice::Replaced(decode(m)?)),
        RTM_NEWROUTE => Some(Notice::Added(decode(m)?)),
        RTM_DELROUTE => Some(Notice::Gone(decode(m)?)),
        // `struct ifinfomsg` and `struct ifaddrmsg` both have the link's number as their second word.
        RTM_DELLINK | RTM_DELADDR => Some(Notice::Unsettled(IfIndex(number(m.body.get(4..)?)?))),
        RTM_NEWLINK => {
            let (index, flags) = (number(m.body.get(4..)?)?, number(m.body.get(8..)?)?);
            (flags & libc::IFF_UP as u32 == 0).then_some(Notice::Unsettled(IfIndex(index)))
        }
        _ => None,
    }
}

/// Passes everything but routes with `proto bird`.
///
/// The filter loads numbers in network order, netlink has them in the machine's:
/// hence the turned constants.
fn others_only() -> [SockFilter; 7] {
    const LOAD_HALF: u16 = 0x28;
    const LOAD_BYTE: u16 = 0x30;
    const JUMP_IF_EQUAL: u16 = 0x15;
    const RETURN: u16 = 0x06;
    let kind = |k: u16| u32::from(k.to_be());
    // Offsets: the type in the header; `rtm_protocol` is the sixth octet behind the header.
    [
        SockFilter::new(LOAD_HALF, 0, 0, 4),
        SockFilter::new(JUMP_IF_EQUAL, 1, 0, kind(RTM_NEWROUTE)),
        SockFilter::new(JUMP_IF_EQUAL, 0, 2, kind(RTM_DELROUTE)),
        SockFilter::new(LOAD_BYTE, 0, 0, 16 + 5),
        SockFilter::new(JUMP_IF_EQUAL, 1, 0, u32::from(crate::kernel_route::PROTO_BIRD)),
        SockFilter::new(RETURN, 0, 0, u32::MAX),
        SockFilter::new(RETURN, 0, 0, 0),
    ]
}
