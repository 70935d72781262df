//! `neighbor range`: a peer that hands callers on, and the members that are made for them.

use super::{DebugMask, Task};
use crate::dynamic::{Call, Dynamic, Place, Places, Word};
use crate::limiter::{self, Limiter};
use crate::listen::Incoming;
use fsm::{Event, Life, Phase};
use std::sync::Arc;

/// What a task has to do with a range.
#[derive(Debug, Default)]
pub(super) struct Part {
    /// A range: the places for its members; made with the first caller.
    places: Option<Places>,
    crowded: Limiter,
    /// A member: its place in its range.
    place: Option<Place>,
    /// A member has said that nothing is left of its session.
    over: bool,
}

impl Task {
    /// Somebody of our range has called.
    pub(super) fn call(&mut self, incoming: Incoming) {
        let runs = self.machine.phase() == Phase::Passive;
        let place = if runs { self.dynamic.places.get_or_insert_with(Places::new).take() } else { None };
        let word = if place.is_some() { "accepted" } else { "rejected" };
        let (ip, port) = (incoming.remote.ip(), incoming.remote.port());
        self.trace(DebugMask::EVENTS, &format!("Incoming connection from {ip} (port {port}) {word}"));
        match place {
            Some(place) => {
                let call = Call { range_of: self.spec.protocol, incoming, place };
                self.deps.dynamic.say(Word::Called(Box::new(call)));
            }
            None if runs => self.complain(&ip.to_string()),
            None => {}
        }
    }

    fn complain(&mut self, ip: &str) {
        let dots = match self.dynamic.crowded.next(self.deps.clock.now()) {
            limiter::Line::Say => "",
            limiter::Line::Last => " ...",
            limiter::Line::Drop => return,
        };
        tracing::warn!("{}: Too many dynamic neighbors, no room for {ip}{dots}", self.spec.name);
    }

    /// The beginning of a member.
    pub(super) fn adopt(&mut self, incoming: Incoming, place: Place) {
        self.dynamic.place = Some(place);
        self.handle(Event::Start);
        self.offer(incoming);
    }

    /// The neighbour has said its AS, if any but ours would do; and a member has its session.
    pub(super) fn settle(&mut self, peer_as: u32) {
        if let Some(place) = &mut self.dynamic.place {
            place.settle();
        }
        self.know_peer_as(peer_as);
    }

    /// The AS of a neighbour whose AS the options leave open; 0: it has no session any more.
    pub(super) fn know_peer_as(&mut self, peer_as: u32) {
        if self.spec.any_external && self.spec.peer_as != peer_as {
            Arc::make_mut(&mut self.spec).peer_as = peer_as;
        }
    }

    /// A member of which nothing is left says so, once; its range takes the next connection.
    pub(super) fn end_when_over(&mut self) {
        let ends = self.spec.dynamic == Dynamic::Member && !self.dynamic.over;
        if ends && self.machine.life() == Life::Start && self.machine.is_left() {
            self.dynamic.over = true;
            self.listening.end();
            self.deps.dynamic.say(Word::Over(self.spec.protocol));
        }
    }
}
