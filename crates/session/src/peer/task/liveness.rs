//! `bfd`: the neighbour is watched while the protocol wants to be up and the neighbour can be reached.

use super::{Task, reach};
use crate::dynamic::Dynamic;
use crate::liveness::{Manner, Wanted, Watch};
use crate::peer::{BfdMode, PeerSpec};
use fsm::{Event, Life, Reach};
use route::{IfIndex, Ifaces, Within};
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// The neighbour as it is watched now.
pub(super) struct Watched {
    wanted: Wanted,
    manner: Option<Manner>,
    watch: Watch,
}

/// What the last decision was made from: whether the protocol is down, links, options.
pub(super) type Decided = (bool, Arc<Ifaces>, Arc<PeerSpec>);

impl Task {
    /// Begins or ends the watching when what decides it has changed. Called after every event.
    pub(super) fn follow_liveness(&mut self) {
        let down = self.machine.life() == Life::Down;
        let decided = |(was_down, ifaces, spec): &Decided| {
            *was_down == down && Arc::ptr_eq(ifaces, &self.ifaces) && Arc::ptr_eq(spec, &self.spec)
        };
        if self.decided.as_ref().is_some_and(decided) {
            return;
        }
        self.decided = Some((down, Arc::clone(&self.ifaces), Arc::clone(&self.spec)));
        let wanted = self.liveness_wanted();
        let manner = self.spec.liveness_manner.clone();
        let is_it = |w: &Watched| Some(w.wanted) == wanted && w.manner == manner;
        if self.watched.is_some() != wanted.is_some() || !self.watched.as_ref().is_none_or(is_it) {
            // What is asked for anew stays where the neighbour does: it is asked for before the other is let go.
            let watch = |wanted| self.deps.watcher.watch(wanted, manner.as_ref());
            self.watched = wanted.map(|wanted| Watched { wanted, watch: watch(wanted), manner: manner.clone() });
        }
    }

    fn liveness_wanted(&self) -> Option<Wanted> {
        let has_neighbor = !matches!(self.spec.dynamic, Dynamic::Range(_));
        let up = has_neighbor && self.spec.liveness != BfdMode::Off && self.machine.life() != Life::Down;
        let is_there = self.ifaces.within() != Within::Nowhere;
        if !up || !is_there || reach(&self.spec, &self.ifaces).0 != Reach::Ready {
            return None;
        }
        let link = IfIndex(self.link.load(Ordering::Relaxed));
        let link = Some(link).filter(|_| self.spec.multihop.is_none());
        let vrf = self.ifaces.within().device();
        Some(Wanted { remote: self.spec.peer_addr, local: self.source_addr()?, link, vrf })
    }

    pub(super) fn neighbor_lost(&mut self) {
        let graceful = self.spec.liveness == BfdMode::Graceful;
        self.handle(Event::LivenessLost { graceful });
    }
}

/// Ends when the neighbour is lost. Cancel safe.
pub(super) async fn lost(watched: Option<&mut Watched>) {
    if let Some(watched) = watched
        && watched.watch.losses.changed().await.is_ok()
    {
        return;
    }
    pending().await
}
