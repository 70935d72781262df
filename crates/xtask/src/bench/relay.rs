//! A relay: no daemon at all, it only frames messages and copies them to everybody else.
//!
//! What it takes is the time of the sockets and of our own load; no daemon can be
//! faster on this machine. It keeps the octets of the prefixes that each peer has
//! announced, so that it can withdraw them when the peer is lost. Of several
//! announcers of a set it copies the first: the others say their AS twice.

use super::speaker::{DAEMON_AS, prefixes};
use super::speaker::{HEADER, KEEPALIVE, OPEN, PORT, UPDATE, Update, daemon_address, expect, frames, keepalive, open};
use super::table::{Family, put_withdrawal};
use anyhow::{Context, Result};
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};
use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, recv};
use std::io::Write;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::AsRawFd;

/// What one read may bring.
const ROOM: usize = 1 << 18;

struct Peer {
    stream: TcpStream,
    kept: Vec<u8>,
    /// Octets of the prefixes that it has announced.
    announced: Vec<u8>,
    /// The last AS_PATH's AS number that says the generation; with a new one all is announced anew.
    generation: [u8; 4],
    open: bool,
}

/// Takes so many sessions, then copies for ever.
pub fn run(family: Family, sessions: usize) -> Result<()> {
    let listener = TcpListener::bind((daemon_address(family), PORT))?;
    let mut poll = Poll::new()?;
    let mut peers = Vec::new();
    while peers.len() < sessions {
        let mut stream = listener.accept()?.0;
        stream.set_nodelay(true)?;
        expect(&mut stream, OPEN)?;
        stream.write_all(&open(&[family], DAEMON_AS, Ipv4Addr::new(10, 99, 0, 1), 240))?;
        stream.write_all(&keepalive())?;
        expect(&mut stream, KEEPALIVE)?;
        poll.registry().register(&mut SourceFd(&stream.as_raw_fd()), Token(peers.len()), Interest::READABLE)?;
        peers.push(Peer { stream, kept: Vec::new(), announced: Vec::new(), generation: [0; 4], open: true });
    }
    let mut events = Events::with_capacity(1024);
    let mut room = vec![0; ROOM];
    loop {
        match poll.poll(&mut events, None) {
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
            other => other?,
        }
        for event in &events {
            while copy(family, &mut peers, event.token().0, &mut room)? {}
        }
    }
}

/// Reads once and passes on what came; `false` when nothing is left.
fn copy(family: Family, peers: &mut [Peer], from: usize, room: &mut [u8]) -> Result<bool> {
    let peer = &mut peers[from];
    let kept = peer.kept.len();
    room[..kept].copy_from_slice(&peer.kept);
    let got = match recv(peer.stream.as_raw_fd(), &mut room[kept..], MsgFlags::MSG_DONTWAIT) {
        Err(Errno::EAGAIN) => return Ok(false),
        Ok(0) | Err(Errno::ECONNRESET) => {
            peer.open = false;
            let octets = withdrawals(family, &std::mem::take(&mut peer.announced));
            tell(peers, from, &octets);
            return Ok(false);
        }
        got => got?,
    };
    let filled = &room[..kept + got];
    let mut told = Vec::with_capacity(filled.len());
    let read = frames(filled, |kind, message| {
        if kind == UPDATE && is_first_choice(peer, family, &message[HEADER..])? {
            told.extend_from_slice(message);
        }
        Ok(())
    })?;
    peer.kept.clear();
    peer.kept.extend_from_slice(&filled[read..]);
    tell(peers, from, &told);
    Ok(true)
}

/// Whether to pass an UPDATE on; notes its prefixes.
fn is_first_choice(peer: &mut Peer, family: Family, body: &[u8]) -> Result<bool> {
    let update = Update::read(family, body).context("an UPDATE is cut")?;
    let (path, _) = update.path.as_chunks::<4>();
    let &[first, generation, ..] = path else { return Ok(true) };
    if first == generation {
        return Ok(false);
    }
    if peer.generation != generation {
        peer.generation = generation;
        peer.announced.clear();
    }
    peer.announced.extend_from_slice(update.announced);
    Ok(true)
}

fn tell(peers: &mut [Peer], from: usize, octets: &[u8]) {
    for (_, peer) in peers.iter_mut().enumerate().filter(|(n, p)| *n != from && p.open) {
        let _ = peer.stream.write_all(octets);
    }
}

/// Withdrawals of prefixes given as octets, in messages as full as they may be.
fn withdrawals(family: Family, announced: &[u8]) -> Vec<u8> {
    const FULL: usize = 4000;
    let (mut out, mut start, mut at) = (Vec::new(), 0, 0);
    for (_, length) in prefixes(announced).flatten() {
        let octets = 1 + usize::from(length.div_ceil(8));
        if at + octets - start > FULL {
            put_withdrawal(&mut out, family, &announced[start..at]);
            start = at;
        }
        at += octets;
    }
    if at > start {
        put_withdrawal(&mut out, family, &announced[start..at]);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_prefixes_are_withdrawn_in_whole_messages() {
        let announced: Vec<u8> = (0..3000u16).flat_map(|n| [24, 20, (n >> 8) as u8, n as u8]).collect();
        let mut back = Vec::new();
        let octets = withdrawals(Family::Ipv4, &announced);
        let read = frames(&octets, |_, message| {
            back.extend_from_slice(Update::read(Family::Ipv4, &message[HEADER..]).unwrap().withdrawn);
            Ok(())
        });
        assert_eq!(read.unwrap(), octets.len());
        assert_eq!(back, announced);
    }
}
