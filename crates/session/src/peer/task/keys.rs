//! TCP-AO (RFC 5925): the keys of a session, on the sockets that need them.
//!
//! While the protocol wants to be up its keys are on the listening sockets; our own
//! connection gets them before it connects, an accepted one has inherited them. A
//! key that the kernel refuses (it has not the algorithm) is left out; without any
//! that can be asked for the protocol goes down and stays there, as in BIRD.
//!
//! A reload changes the keys under a running session. Those that go are taken away
//! first, then new ones are added, then the neighbour is asked for the one that is
//! preferred now. Where that cannot be done (a key in use goes, and there is no other
//! that could take its place) the session begins anew.
//!
//! The kernel copies keys when a handshake is over, so a connection may come with
//! keys that a reload has changed since: [`Task::is_signed`] compares, and the
//! neighbour has to call again.

use super::Task;
use crate::listen::{Incoming, Registration};
use crate::peer::PeerSpec;
use crate::tcp_ao::{self, Instead, Seen};
use fsm::Life;
use route::Written;
use route::options::DebugMask;
use route::tcp_ao::{Key, preferred};
use std::io;
use std::mem;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use tokio::net::{TcpListener, TcpStream};
use wire::frame::KEEPALIVE;

/// The keys of a protocol that wants to be up.
#[derive(Debug, Default)]
pub(super) struct Part {
    /// In the order of the options; empty while the protocol is down.
    held: Vec<Held>,
    /// The one that the neighbour is asked for.
    best: Option<Key>,
    /// None could be used: the protocol cannot be up.
    refused: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Held {
    key: Key,
    /// It is on our sockets. Else the kernel has refused it.
    is_active: bool,
}

impl Part {
    /// Whether there turned out to be no key to be used, since this was last asked.
    pub(super) const fn were_refused(&mut self) -> bool {
        mem::replace(&mut self.refused, false)
    }

    /// Those for a connection of our own: the one that the neighbour is asked for, and the others.
    pub(super) fn best_first(&self) -> Vec<Key> {
        let is_best = |key: &&Key| self.best.as_ref().is_some_and(|best| best.ids() == key.ids());
        let others = self.active().filter(|key| !is_best(key));
        self.active().filter(is_best).chain(others).cloned().collect()
    }

    /// A new listening socket gets the keys.
    pub(super) fn come_to(&self, spec: &PeerSpec, place: &Registration) {
        if let Some(socket) = place.socket().map(Keyed::Listening) {
            for key in self.active() {
                put(spec, &socket, key);
            }
        }
    }

    /// A listening socket that others may go on with is given up.
    pub(super) fn leave(&self, spec: &PeerSpec, place: &Registration) {
        if let Some(socket) = place.socket().map(Keyed::Listening) {
            for key in self.active() {
                take(spec, &socket, key, Instead::default());
            }
        }
    }

    fn active(&self) -> impl DoubleEndedIterator<Item = &Key> {
        self.held.iter().filter(|held| held.is_active).map(|held| &held.key)
    }
}

/// What other options make of the keys.
#[derive(Debug, PartialEq, Eq)]
struct Change {
    /// The keys from now on; of new ones nothing is on a socket yet.
    held: Vec<Held>,
    /// Those that are on our sockets, and should not.
    gone: Vec<Key>,
    /// Those that are new.
    fresh: Vec<Key>,
}

impl Change {
    fn new(mut old: Vec<Held>, wanted: &[Key]) -> Self {
        let (mut held, mut fresh) = (Vec::new(), Vec::new());
        for key in wanted {
            let before = old.iter().position(|held| held.key.signs_as(key)).map(|at| old.swap_remove(at));
            if before.is_none() {
                fresh.push(key.clone());
            }
            held.push(Held { key: key.clone(), is_active: before.is_some_and(|before| before.is_active) });
        }
        let mut gone: Vec<Key> = old.into_iter().filter(|held| held.is_active).map(|held| held.key).collect();
        gone.sort_by_key(Key::ids);
        Self { held, gone, fresh }
    }
}

/// A socket that has keys.
enum Keyed<'a> {
    Listening(Arc<TcpListener>),
    /// With its name.
    Session(&'static str, &'a TcpStream),
}

impl Keyed<'_> {
    const fn kind(&self) -> &'static str {
        match self {
            Self::Listening(_) => "listening",
            Self::Session(kind, _) => kind,
        }
    }

    const fn is_session(&self) -> bool {
        matches!(self, Self::Session(..))
    }
}

impl AsFd for Keyed<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Listening(socket) => socket.as_fd(),
            Self::Session(_, socket) => socket.as_fd(),
        }
    }
}

impl Task {
    /// The protocol wants to be up.
    pub(super) fn take_keys(&mut self) {
        let keys = Arc::clone(&self.spec.ao_keys);
        if keys.is_empty() {
            return;
        }
        let held = keys.iter().map(|key| Held { key: key.clone(), is_active: self.enable(key) });
        self.keys.held = held.collect();
        self.keys.best = preferred(self.keys.active()).cloned();
        if self.keys.best.is_none() {
            tracing::error!("{}: No usable TCP-AO key", self.spec.name);
            self.give_up_keys();
            self.keys.refused = true;
        }
    }

    /// The protocol is down: it has no connection any more.
    pub(super) fn give_up_keys(&mut self) {
        let Part { held, .. } = mem::take(&mut self.keys);
        for Held { key, .. } in held.iter().filter(|held| held.is_active) {
            self.disable(key, None);
        }
    }

    /// Other options. False: the session cannot go on with the keys that they have.
    pub(super) fn take_over_keys(&mut self) -> bool {
        let wanted = Arc::clone(&self.spec.ao_keys);
        if self.keys.held.is_empty() {
            return wanted.is_empty() || self.machine.life() == Life::Down;
        }
        if wanted.is_empty() {
            return false;
        }
        let Change { held, gone, fresh } = Change::new(mem::take(&mut self.keys.held), &wanted);
        let before = self.keys.best.take();
        self.keys.held = held;
        self.keys.best = before.clone().filter(|best| self.keys.held.iter().any(|held| held.key.signs_as(best)));
        let goes_on = self.remove(&gone) && self.enable_all(&fresh) && self.ask_for_best();
        let moved = self.keys.best.as_ref().map(Key::ids) != before.as_ref().map(Key::ids);
        if goes_on && self.connecting.is_some() && (moved || !gone.is_empty() || !fresh.is_empty()) {
            // An attempt that is under way has the keys of before.
            self.connect();
        }
        goes_on
    }

    /// Takes away keys that may be in use. False: one of them is, and there is none to go on with.
    fn remove(&self, gone: &[Key]) -> bool {
        if gone.is_empty() {
            return true;
        }
        // The one that was asked for may be deprecated by now, and still serve.
        let backup = preferred(self.keys.active()).or(self.keys.best.as_ref());
        if backup.is_none() {
            tracing::warn!("{}: No usable backup key", self.spec.name);
        }
        // All of them, also when one cannot be taken away.
        gone.iter().filter(|key| !self.disable(key, backup)).count() == 0
    }

    fn enable_all(&mut self, fresh: &[Key]) -> bool {
        for key in fresh {
            let is_active = self.enable(key);
            if let Some(held) = self.keys.held.iter_mut().find(|held| held.key.ids() == key.ids()) {
                held.is_active = is_active;
            }
        }
        true
    }

    /// Asks the neighbour for the key that is preferred now.
    fn ask_for_best(&mut self) -> bool {
        let name = &self.spec.name;
        let Some(best) = preferred(self.keys.active()).cloned() else {
            tracing::error!("{name}: No usable TCP-AO key");
            return false;
        };
        if self.keys.best.as_ref().is_some_and(|before| before.ids() == best.ids()) {
            return true;
        }
        self.trace(DebugMask::EVENTS, &format!("Setting TCP-AO key {best} as RNext key"));
        for socket in self.sockets().iter().filter(|socket| socket.is_session()) {
            let outcome = tcp_ao::set_rnext(socket, &best);
            if !told(&self.spec, INFO, outcome, || format!("Cannot set TCP-AO key {best} as RNext key")) {
                return false;
            }
        }
        self.keys.best = Some(best);
        // The wish goes with the next segment: let there be one.
        if let Some(which) = self.session.as_ref().map(|s| s.which) {
            self.send(which, |own| own.extend_from_slice(&KEEPALIVE));
        }
        true
    }

    /// Puts a key on all our sockets, or on none.
    fn enable(&self, key: &Key) -> bool {
        self.trace(DebugMask::EVENTS, &format!("Adding TCP-AO key {key}"));
        let sockets = self.sockets();
        let done = sockets.iter().take_while(|socket| put(&self.spec, socket, key)).count();
        let all = done == sockets.len();
        if !all {
            for socket in sockets.iter().take(done) {
                take(&self.spec, socket, key, Instead::default());
            }
        }
        all
    }

    /// Takes a key from all our sockets; where it is in use `backup` takes its place.
    fn disable(&self, key: &Key, backup: Option<&Key>) -> bool {
        self.trace(DebugMask::EVENTS, &format!("Deleting TCP-AO key {key}"));
        let instead = |socket: &Keyed<'_>| match backup {
            Some(backup) if socket.is_session() => self.instead(socket, key, backup),
            _ => Instead::default(),
        };
        let failed = |socket: &&Keyed<'_>| !take(&self.spec, socket, key, instead(socket));
        self.sockets().iter().filter(failed).count() == 0
    }

    fn instead(&self, socket: &Keyed<'_>, key: &Key, backup: &Key) -> Instead {
        let name = &self.spec.name;
        let Ok(seen) = tcp_ao::seen(socket) else { return Instead::default() };
        let (current, rnext) = (seen.current == Some(key.send_id), seen.rnext == Some(key.recv_id));
        if current {
            tracing::warn!("{name}: Deleting TCP-AO Current key {key}, setting Current key to {backup}");
        }
        if rnext {
            tracing::warn!("{name}: Deleting TCP-AO RNext key {key}, setting RNext key to {backup}");
        }
        Instead { current: current.then_some(backup.send_id), rnext: rnext.then_some(backup.recv_id) }
    }

    /// All sockets of ours that have keys.
    fn sockets(&self) -> Vec<Keyed<'_>> {
        let listening = self.listening.places().filter_map(Registration::socket).map(Keyed::Listening);
        let conns = [("session (in)", &self.inc), ("session (out)", &self.out)];
        let conns = conns.into_iter().filter_map(|(kind, conn)| Some(Keyed::Session(kind, conn.as_ref()?.socket())));
        listening.chain(conns).collect()
    }

    /// Whether a connection that came in is signed with the keys that we have. If so the neighbour is asked for the one
    /// that we prefer.
    pub(super) fn is_signed(&self, incoming: &Incoming) -> bool {
        if self.keys.held.is_empty() {
            return true;
        }
        let Incoming { stream, remote, .. } = incoming;
        let name = &self.spec.name;
        if tcp_ao::seen(stream).ok().and_then(|seen| seen.current).is_none() {
            let (ip, port) = (Written(remote.ip()), remote.port());
            tracing::warn!("{name}: Connection from address {ip} (port {port}) has no TCP-AO key");
            return false;
        }
        let is_ours = self.has_our_keys(stream).and_then(|same| match &self.keys.best {
            Some(best) if same => tcp_ao::set_rnext(stream, best).map(|()| true),
            _ => Ok(false),
        });
        if let Err(error) = &is_ours {
            tracing::error!("{name}: Socket error: {}", tcp_ao::words(INFO, error));
        }
        let is_ours = is_ours.unwrap_or(false);
        if !is_ours {
            tracing::error!("{name}: Incoming connection aborted");
        }
        is_ours
    }

    fn has_our_keys(&self, stream: &TcpStream) -> io::Result<bool> {
        let name = &self.spec.name;
        let (there, ours) = (tcp_ao::ids(stream)?, self.keys.active().map(Key::ids).collect::<Vec<_>>());
        let strange = there.iter().filter(|ids| !ours.contains(ids));
        let missing = ours.iter().filter(|ids| !there.contains(ids));
        for (send, recv) in strange.clone() {
            tracing::warn!("{name}: Unexpected TCP-AO key {send}/{recv} found on socket");
        }
        for (send, recv) in missing.clone() {
            tracing::warn!("{name}: Expected TCP-AO key {send}/{recv} not found on socket");
        }
        Ok(strange.count() + missing.count() == 0)
    }

    /// What the kernel says of the session's keys.
    pub(super) fn keys_seen(&mut self) -> Option<Seen> {
        if self.keys.held.is_empty() {
            return None;
        }
        self.session_conn().and_then(|conn| tcp_ao::seen(conn.socket()).ok())
    }
}

const INFO: &str = "TCP_AO_INFO";

fn put(spec: &PeerSpec, socket: &Keyed<'_>, key: &Key) -> bool {
    let outcome = tcp_ao::add(socket, spec.peer_addr, key, false);
    let text = || format!("Cannot add TCP-AO key {key} to BGP {} socket", socket.kind());
    told(spec, "TCP_AO_ADD_KEY", outcome, text)
}

fn take(spec: &PeerSpec, socket: &Keyed<'_>, key: &Key, instead: Instead) -> bool {
    let outcome = tcp_ao::delete(socket, spec.peer_addr, key, instead);
    let text = || format!("Cannot delete TCP-AO key {key} from BGP {} socket", socket.kind());
    told(spec, "TCP_AO_DEL_KEY", outcome, text)
}

/// Whether it was done; if not the log has heard why.
fn told(spec: &PeerSpec, call: &str, outcome: io::Result<()>, text: impl FnOnce() -> String) -> bool {
    let Err(error) = outcome else { return true };
    tracing::error!("{}: Socket error: {}", spec.name, tcp_ao::words(call, &error));
    tracing::error!("{}: {}", spec.name, text());
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use route::tcp_ao::{Algorithm, Preference};

    fn key(id: u8, secret: &str, preference: Preference) -> Key {
        let secret = secret.as_bytes().into();
        Key { send_id: id, recv_id: id, secret, algorithm: Algorithm::HmacSha1, preference }
    }

    fn plain(id: u8, secret: &str) -> Key {
        key(id, secret, Preference::Plain)
    }

    const fn on(key: Key) -> Held {
        Held { key, is_active: true }
    }

    const fn off(key: Key) -> Held {
        Held { key, is_active: false }
    }

    #[test]
    fn a_key_of_another_preference_stays_on_the_sockets_and_one_of_another_secret_goes_and_comes() {
        let old = vec![on(plain(1, "a")), on(plain(2, "b")), on(plain(3, "c"))];
        let wanted = [key(2, "b", Preference::Deprecated), plain(1, "other"), plain(4, "d")];
        let change = Change::new(old, &wanted);
        assert_eq!(change.held, [on(wanted[0].clone()), off(wanted[1].clone()), off(wanted[2].clone())]);
        assert_eq!(change.gone, [plain(1, "a"), plain(3, "c")]);
        assert_eq!(change.fresh, wanted[1..]);
    }

    #[test]
    fn a_key_that_the_kernel_has_refused_is_neither_tried_again_nor_taken_away() {
        let old = vec![off(plain(1, "a")), off(plain(2, "b")), on(plain(3, "c"))];
        let change = Change::new(old, &[plain(1, "a"), plain(3, "c")]);
        let held = vec![off(plain(1, "a")), on(plain(3, "c"))];
        assert_eq!(change, Change { held, gone: Vec::new(), fresh: Vec::new() });
    }

    #[test]
    fn our_own_connection_begins_with_the_key_that_is_asked_for() {
        let best = key(2, "b", Preference::Preferred);
        let held = vec![on(plain(1, "a")), on(best.clone()), off(plain(3, "c"))];
        let part = Part { held, best: Some(best.clone()), refused: false };
        assert_eq!(part.best_first(), [best, plain(1, "a")]);
    }
}
