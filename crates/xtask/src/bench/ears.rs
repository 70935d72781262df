//! What the peers hear: every session, on one thread, each prefix checked.
//!
//! A route is right when its path was sent by the peer whose path is the best of
//! those announced now, in the newest generation. What each session should hold
//! follows from [`Wanted`] by arithmetic; what it does hold is one number a prefix.
//! A path that nobody ever sent, a prefix of nobody's, and a session that ends
//! when it should not are errors.

use super::speaker::{HEADER, KEEPALIVE, NOTIFICATION, UPDATE, Update, frames, keepalive, prefixes};
use super::table::{NONE, Table};
use anyhow::{Context, Result, bail, ensure};
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};
use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, recv, send};
use std::io::Write;
use std::net::{Shutdown, TcpStream};
use std::os::fd::AsRawFd;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What one read may bring.
const ROOM: usize = 1 << 20;
/// A session that said nothing this long says KEEPALIVE.
const SAY_AGAIN: Duration = Duration::from_secs(2);

/// Whose path a prefix has, and of which generation: the peer in the upper octet; 0: none.
type Code = u16;

const fn code(peer: usize, generation: u8) -> Code {
    (peer as u16) << 8 | generation as u16
}

/// What of all paths to a prefix a daemon tells a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// The best, if it is not the peer's own and not denied to it.
    Best,
    /// The best of those that are neither (`secondary`).
    BestAllowed,
    /// The best of those not denied, if it is not the peer's own (a table for each peer).
    BestOfItsTable,
}

/// What is announced now.
#[derive(Debug)]
pub struct Wanted {
    pub choice: Choice,
    /// Which peers announce.
    pub up: Vec<bool>,
    /// The generation of each set; 0: it is not announced.
    pub generation: Vec<u8>,
    /// Sets below this number are rejected by the import filter.
    pub rejected: u32,
    /// A community that must stand on every route.
    pub community: Option<u32>,
    /// The daemon's AS, where it puts that in front of paths.
    pub lead: Option<u32>,
    /// A peer that is told its own path has heard nothing.
    pub echoes: bool,
}

impl Wanted {
    fn of(&self, table: &Table, ear: usize, set: u32) -> Code {
        let generation = self.generation[set as usize];
        if generation == 0 || set < self.rejected {
            return 0;
        }
        for rank in 0..table.sharing.copies {
            let peer = table.sharing.announcer(rank, set);
            if !self.up[peer] {
                continue;
            }
            let own = peer == ear;
            let denied = rank == 0 && table.denies(set, ear);
            match self.choice {
                _ if !own && !denied => return code(peer, generation),
                Choice::Best => return 0,
                Choice::BestOfItsTable if own => return 0,
                Choice::BestAllowed | Choice::BestOfItsTable => {}
            }
        }
        0
    }
}

/// The writing side of a session, shared by whoever sends.
#[derive(Debug)]
pub struct Mouth {
    stream: TcpStream,
    said: Mutex<Instant>,
}

impl Mouth {
    /// Sends whole messages.
    pub fn send(&self, messages: &[u8]) -> Result<()> {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        (&self.stream).write_all(messages)?;
        *said = Instant::now();
        Ok(())
    }

    /// Ends the session.
    pub fn close(&self) {
        let _ = self.stream.shutdown(Shutdown::Both);
    }

    /// A KEEPALIVE, if nothing was said for a while and nobody is just saying something.
    fn keep_alive(&self) -> Result<()> {
        let Ok(mut said) = self.said.try_lock() else { return Ok(()) };
        if said.elapsed() < SAY_AGAIN {
            return Ok(());
        }
        let message = keepalive();
        match send(self.stream.as_raw_fd(), &message, MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL) {
            Ok(sent) => (&self.stream).write_all(&message[sent..])?,
            // It has not read what we said before: that is a sign of life as well.
            Err(Errno::EAGAIN) => {}
            Err(error) => return Err(error.into()),
        }
        *said = Instant::now();
        Ok(())
    }
}

/// A session.
struct Ear {
    mouth: Arc<Mouth>,
    /// Octets of a message that has not come whole.
    kept: Vec<u8>,
    /// What it holds of each numbered prefix.
    held: Vec<Code>,
    /// Prefixes that are not as wanted.
    missing: usize,
    open: bool,
}

/// All sessions but the witness.
pub struct Ears {
    poll: Poll,
    events: Events,
    room: Vec<u8>,
    ears: Vec<Ear>,
    /// UPDATEs and their octets.
    pub updates: u64,
    pub octets: u64,
    kept_alive: Instant,
}

impl Ears {
    pub fn new() -> Result<Self> {
        Ok(Self {
            poll: Poll::new()?,
            events: Events::with_capacity(1024),
            room: vec![0; ROOM],
            ears: Vec::new(),
            updates: 0,
            octets: 0,
            kept_alive: Instant::now(),
        })
    }

    /// A session more; its number is that of its peer.
    pub fn add(&mut self, stream: TcpStream, table: &Table) -> Result<()> {
        let token = Token(self.ears.len());
        self.poll.registry().register(&mut SourceFd(&stream.as_raw_fd()), token, Interest::READABLE)?;
        let mouth = Arc::new(Mouth { stream, said: Mutex::new(Instant::now()) });
        self.ears.push(Ear { mouth, kept: Vec::new(), held: vec![0; table.numbers()], missing: 0, open: true });
        Ok(())
    }

    /// The writing sides, by peer.
    pub fn mouths(&self) -> Vec<Arc<Mouth>> {
        self.ears.iter().map(|e| e.mouth.clone()).collect()
    }

    /// Reads nothing of a peer any more, or again.
    pub fn listen_to(&mut self, peer: usize, listens: bool) -> Result<()> {
        let fd = self.ears[peer].mouth.stream.as_raw_fd();
        let registry = self.poll.registry();
        if listens {
            registry.register(&mut SourceFd(&fd), Token(peer), Interest::READABLE)?;
        } else {
            registry.deregister(&mut SourceFd(&fd))?;
        }
        Ok(())
    }

    /// A peer's session is about to end, and that is no error.
    pub fn let_go(&mut self, peer: usize) {
        self.ears[peer].open = false;
    }

    /// Counts anew what is not as wanted.
    pub fn want(&mut self, table: &Table, wanted: &Wanted) {
        for (number, ear) in self.ears.iter_mut().enumerate().filter(|(_, e)| e.open) {
            let codes: Vec<Code> = (0..table.sets()).map(|set| wanted.of(table, number, set)).collect();
            let right = |n: &usize| {
                let set = table.set_of(*n);
                set == NONE || codes[set as usize] == ear.held[*n]
            };
            ear.missing = table.numbers() - (0..table.numbers()).filter(right).count();
        }
    }

    /// Prefixes that are not as wanted, of all sessions, or of all but one.
    pub fn missing(&self, but: Option<usize>) -> usize {
        let open = self.ears.iter().enumerate().filter(|(n, e)| e.open && Some(*n) != but);
        open.map(|(_, e)| e.missing).sum()
    }

    /// Waits for something to read, and reads it.
    pub fn listen(&mut self, table: &Table, wanted: &Wanted, longest: Duration) -> Result<()> {
        if self.kept_alive.elapsed() > SAY_AGAIN / 2 {
            for ear in self.ears.iter().filter(|e| e.open) {
                ear.mouth.keep_alive()?;
            }
            self.kept_alive = Instant::now();
        }
        match self.poll.poll(&mut self.events, Some(longest)) {
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => return Ok(()),
            other => other?,
        }
        let ready: Vec<usize> = self.events.iter().map(|e| e.token().0).collect();
        for number in ready {
            self.read(number, table, wanted).with_context(|| format!("peer {number}"))?;
        }
        Ok(())
    }

    /// Reads all that a session has.
    fn read(&mut self, number: usize, table: &Table, wanted: &Wanted) -> Result<()> {
        let Self { room, ears, updates, octets, .. } = self;
        let ear = &mut ears[number];
        loop {
            let kept = ear.kept.len();
            room[..kept].copy_from_slice(&ear.kept);
            let got = match recv(ear.mouth.stream.as_raw_fd(), &mut room[kept..], MsgFlags::MSG_DONTWAIT) {
                Ok(0) | Err(Errno::ECONNRESET) => {
                    ensure!(!ear.open, "the daemon has closed the session");
                    return Ok(());
                }
                Ok(got) => got,
                Err(Errno::EAGAIN) => return Ok(()),
                Err(error) => return Err(error.into()),
            };
            let filled = &room[..kept + got];
            let read = frames(filled, |kind, message| {
                match kind {
                    UPDATE => {
                        *updates += 1;
                        *octets += message.len() as u64;
                        hear(number, ear, &message[HEADER..], table, wanted)?;
                    }
                    NOTIFICATION if ear.open => bail!("the daemon ended the session: {:?}", &message[HEADER..]),
                    KEEPALIVE | NOTIFICATION => {}
                    _ => bail!("a message of type {kind}"),
                }
                Ok(())
            })?;
            ear.kept.clear();
            ear.kept.extend_from_slice(&filled[read..]);
        }
    }
}

/// Notes what an UPDATE tells.
fn hear(number: usize, ear: &mut Ear, body: &[u8], table: &Table, wanted: &Wanted) -> Result<()> {
    let update = Update::read(table.family, body).context("an UPDATE is cut")?;
    let mut known = (NONE, false, 0, 0);
    let mut note = |prefix: Option<(u64, u8)>, announced: bool| {
        let (address, length) = prefix.context("a prefix is cut")?;
        let place = table.number(address, length);
        let place = place.with_context(|| format!("{address:x}/{length} is no route of ours"))?;
        let set = table.set_of(place);
        if (set, announced) != (known.0, known.1) {
            let told = if announced {
                let path = table.read_path(set, update.path, wanted.lead);
                let (peer, generation) =
                    path.with_context(|| format!("a wrong path for {address:x}/{length}: {:?}", update.path))?;
                if wanted.echoes && peer == number { 0 } else { code(peer, generation) }
            } else {
                0
            };
            known = (set, announced, wanted.of(table, number, set), told);
        }
        let (_, _, right, is) = known;
        ear.missing += usize::from(ear.held[place] == right);
        ear.missing -= usize::from(is == right);
        ear.held[place] = is;
        Ok(())
    };
    prefixes(update.withdrawn).try_for_each(|p| note(p, false))?;
    if update.announced.is_empty() {
        return Ok(());
    }
    if let Some(community) = wanted.community {
        let (communities, _) = update.communities.as_chunks::<4>();
        ensure!(communities.contains(&community.to_be_bytes()), "the community of the filter is missing");
    }
    prefixes(update.announced).try_for_each(|p| note(p, true))
}
