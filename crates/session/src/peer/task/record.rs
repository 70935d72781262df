//! What `mrtdump` records of a peer: the messages that it sends us, and the states of both connections.
//!
//! As with BIRD a message is recorded before anybody looks into it, and our own
//! messages are not. A state is recorded with the addresses of its connection, if
//! there is one: one that was closed without a NOTIFICATION is not there any more.

use super::{Task, unspecified};
use crate::conn::Conn;
use crate::peer::MrtMask;
use fsm::{Action, Event, Phase, Turn, Which};
use std::sync::atomic::Ordering;
use std::time::{SystemTime, UNIX_EPOCH};
use wire::frame::HEADER_OCTETS;
use wire::mrt::{self, Ends};
use wire::{Kind, update};

impl Task {
    /// Records a message as it came, header included.
    pub(super) fn record_message(&self, which: Which, kind: Kind, message: &[u8]) {
        if !self.spec.mrtdump.has(MrtMask::MESSAGES) || !self.deps.recorder.is_on() {
            return;
        }
        let Some(conn) = self.conn(which) else { return };
        let mut record = Vec::with_capacity(message.len() + 64);
        let path_ids = self.has_path_ids(kind, message);
        mrt::put_message(&mut record, now_s(), &self.ends(Some(conn)), conn.as4, path_ids, message);
        self.deps.recorder.record(record);
    }

    /// Whether it is an UPDATE whose NLRI carry path identifiers.
    fn has_path_ids(&self, kind: Kind, message: &[u8]) -> bool {
        let with = self.machine.negotiated().map_or(&[][..], |n| &n.add_path_rx);
        let family = || update::family(message.get(HEADER_OCTETS..)?);
        kind == Kind::Update && !with.is_empty() && family().is_some_and(|f| with.contains(&f))
    }

    /// The connection that the neighbour ends with a reason.
    pub(super) const fn heard_why(event: &Event) -> Option<Which> {
        match event {
            Event::Notification(which, _) => Some(*which),
            _ => None,
        }
    }

    /// Records what became of connections. `heard`: the neighbour has said of this one why it ends.
    pub(super) fn record_turns(&self, turns: &[Turn], heard: Option<Which>, actions: &[Action]) {
        if !self.spec.mrtdump.has(MrtMask::STATES) || !self.deps.recorder.is_on() {
            return;
        }
        for Turn { which, from, to } in turns.iter().copied().filter(|t| number(t.from) != number(t.to)) {
            let told = |a: &Action| matches!(a, Action::SendNotification(w, _) if *w == which);
            let ends = match to {
                Phase::Connect => self.ends_to_be(),
                Phase::Active => self.ends(None),
                Phase::Idle if heard != Some(which) && !actions.iter().any(told) => self.ends(None),
                _ => self.ends(self.conn(which).or(self.offered.as_ref())),
            };
            let mut record = Vec::with_capacity(64);
            mrt::put_state_change(&mut record, now_s(), &ends, number(from), number(to));
            self.deps.recorder.record(record);
        }
    }

    /// Those of the connection that we are about to open.
    fn ends_to_be(&self) -> Ends {
        let local_addr = self.source_addr().unwrap_or_else(|| unspecified(self.spec.peer_addr));
        Ends { peer_addr: self.spec.peer_addr, local_addr, ..self.ends(None) }
    }

    fn ends(&self, conn: Option<&Conn>) -> Ends {
        let nowhere = unspecified(self.spec.peer_addr);
        Ends {
            peer_as: self.spec.peer_as,
            local_as: self.spec.public_as(),
            peer_addr: conn.map_or(nowhere, |c| c.remote.ip()),
            local_addr: conn.map_or(nowhere, |c| c.local.ip()),
            link: u16::try_from(self.link.load(Ordering::Relaxed)).unwrap_or(0),
        }
    }
}

/// The number of RFC 6396 4.4.1; BIRD's own states are Idle to others.
const fn number(phase: Phase) -> u16 {
    match phase {
        Phase::Down | Phase::Idle | Phase::Passive => 1,
        Phase::Connect => 2,
        Phase::Active => 3,
        Phase::OpenSent => 4,
        Phase::OpenConfirm => 5,
        Phase::Established => 6,
    }
}

/// Seconds since 1970; the format ends in 2106.
fn now_s() -> u32 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
    u32::try_from(since).unwrap_or(u32::MAX)
}
