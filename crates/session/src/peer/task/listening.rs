//! Where a peer awaits connections: one socket, or one for each link of `interface range`.
//!
//! Which they are follows from the options and the links as they stand, so this
//! is asked whenever links change: places that are wanted no more are given up,
//! new ones taken, and those that cannot be had now are tried again later. A
//! socket is bound to a link by its number: a link that comes again under the
//! same name is another one.

use super::Task;
use crate::conn::scoped;
use crate::dynamic::Dynamic;
use crate::listen::{At, Incoming, ListenOn, Registration, Remote, WAITING_MAX, Wanted};
use crate::sockopt;
use route::{IfIndex, Iface, Moment, Within};
use std::future::pending;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::mpsc;

/// How often a listening socket that could not be opened is tried.
const RETRY_S: u64 = 10;

/// The places, and what comes in there.
#[derive(Debug)]
pub(super) struct Part {
    places: Vec<(At, Registration)>,
    sink: mpsc::Sender<Incoming>,
    incoming: mpsc::Receiver<Incoming>,
    /// Nothing is awaited any more.
    over: bool,
    /// When places are asked for again that could not be had.
    pub(super) again: Option<Moment>,
}

impl Default for Part {
    fn default() -> Self {
        let (sink, incoming) = mpsc::channel(WAITING_MAX);
        Self { places: Vec::new(), sink, incoming, over: false, again: None }
    }
}

impl Part {
    /// The places that are taken.
    pub(super) fn places(&self) -> impl Iterator<Item = &Registration> {
        self.places.iter().map(|(_, place)| place)
    }

    /// The next connection. Cancel safe.
    pub(super) async fn incoming(&mut self) -> Incoming {
        match self.incoming.recv().await {
            Some(incoming) => incoming,
            None => pending().await,
        }
    }

    /// Awaits nothing any more; what waits is closed.
    pub(super) fn end(&mut self) {
        self.places.clear();
        self.incoming.close();
        while self.incoming.try_recv().is_ok() {}
        (self.over, self.again) = (true, None);
    }
}

impl Task {
    /// Takes the places that are wanted as links stand, and gives up the others.
    pub(super) fn listen(&mut self) {
        let wanted = if self.listening.over { Vec::new() } else { self.places() };
        for (_, place) in self.listening.places.extract_if(.., |(at, _)| !wanted.contains(at)) {
            self.keys.leave(&self.spec, &place);
        }
        // It was said already: links change often.
        let said = self.listening.again.is_some();
        for at in wanted {
            if self.listening.places.iter().any(|(taken, _)| *taken == at) {
                continue;
            }
            match self.deps.listener.register(self.awaited(at.clone()), self.listening.sink.clone()) {
                Ok(registration) => {
                    self.keys.come_to(&self.spec, &registration);
                    self.listening.places.push((at, registration));
                }
                Err(error) => {
                    let (name, words) = (&self.spec.name, sockopt::words(&error));
                    if !said {
                        tracing::error!("{name}: Socket error: Cannot listen on {at}: {words}");
                    }
                    self.listening.again = Some(self.deps.clock.now().plus_s(RETRY_S));
                }
            }
        }
    }

    /// Places that could not be had are asked for again.
    pub(super) fn listen_when_due(&mut self, now: Moment) {
        if self.listening.again.is_some_and(|at| at <= now) {
            self.listening.again = None;
            self.listen();
        }
    }

    fn awaited(&self, at: At) -> Wanted {
        Wanted {
            at,
            free: self.spec.free_bind,
            remote: match self.spec.dynamic {
                Dynamic::Range(range) => Remote::Range(range),
                Dynamic::No | Dynamic::Member => Remote::One(self.spec.peer_addr),
            },
            local: self.spec.local_addr.filter(|_| self.spec.match_local_addr),
            link: Arc::clone(&self.link),
            password: self.spec.password.clone(),
        }
    }

    /// The places that are wanted.
    fn places(&self) -> Vec<At> {
        let Some(addr) = self.spec.listen.filter(|_| self.ifaces.within() != Within::Nowhere) else {
            return Vec::new();
        };
        let named = self.spec.vrf.as_ref().and_then(|vrf| vrf.name.clone());
        let vrf = self.ifaces.within().device().zip(named);
        let on = |link: &Iface| At {
            addr: scoped(addr.ip(), addr.port(), link.index),
            link: Some((link.index, Arc::clone(&link.name))),
            vrf: vrf.clone(),
        };
        let own = || self.spec.iface.as_deref().and_then(|name| self.ifaces.by_name(name));
        match &self.spec.listen_on {
            ListenOn::All => {
                let link = own().map_or(IfIndex(0), |link| link.index);
                vec![At { addr: scoped(addr.ip(), addr.port(), link), link: None, vrf }]
            }
            ListenOn::Own => own().filter(|l| l.is_up()).map(on).into_iter().collect(),
            ListenOn::Like(pattern) => {
                let has = |link: &&Iface| self.spec.free_bind || has_addr(link, addr);
                self.ifaces.iter().filter(|l| l.is_up() && pattern.means(&l.name)).filter(has).map(on).collect()
            }
        }
    }
}

/// Whether an address can be awaited on a link; any address can.
fn has_addr(link: &Iface, at: SocketAddr) -> bool {
    at.ip().is_unspecified() || link.addrs.iter().any(|a| a.addr == at.ip())
}
