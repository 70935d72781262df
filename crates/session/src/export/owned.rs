//! A group with the ways to its members: what it has to say is encoded once and put into their outboxes.

use crate::encode::{Encoded, Encoding, Share};
use crate::link::{EventSink, ReaderId};
use crate::outbox::Outbox;
use crate::trace;
use rib::batch::{ChangeBatch, LimitKind, TableEvent};
use rib::export::{Advance, Group, Part, Remark, Slot};
use route::{TableId, Written};
use std::sync::Arc;

/// A group with the outboxes of its members.
pub(super) struct Owned {
    pub(super) group: Group,
    pub(super) table: TableId,
    pub(super) reader: ReaderId,
    pub(super) encoding: Encoding,
    pub(super) outlets: Vec<Option<Outlet>>,
}

/// The way to one member.
pub(super) struct Outlet {
    pub(super) outbox: Arc<Outbox>,
    /// Called by the outbox when it has room again.
    pub(super) wake: Arc<dyn Fn() + Send + Sync>,
    pub(super) full: bool,
    /// It leads to a monitoring station, which passes no limit and is not waited for.
    pub(super) mirrors: bool,
}

impl Owned {
    /// Takes a batch through the group and hands out what there is to say. `more` follows at once: a message that is
    /// not full may wait for it.
    pub(super) fn take(
        &mut self,
        batch: &ChangeBatch,
        part: Part,
        more: bool,
        advance: &mut Advance,
        events: &EventSink,
    ) {
        self.look_for_full(advance);
        self.group.take(batch, part, advance);
        if self.encoding.is_over_with(advance) {
            self.finish();
        }
        if !advance.runs.is_empty() {
            let encoded = self.encoding.encode(advance, batch, self.goes_on(more) && advance.signals.is_empty());
            self.hand_out(&encoded);
        }
        self.signal(advance);
        self.tell_fed(advance, events);
        self.log(advance);
        self.pass_limits(advance, events);
        self.look_for_full(advance);
        self.rest(more && !advance.runs.is_empty());
    }

    /// Whether more is to be said at once: the table has more, or a member can take what it was not told.
    fn goes_on(&self, more: bool) -> bool {
        more || self.group.wants_rows() || self.group.wants_page()
    }

    /// Says what waits, unless more comes at once.
    pub(super) fn rest(&mut self, more: bool) {
        if !self.goes_on(more) {
            self.finish();
        }
    }

    /// Says what was kept back for a fuller message.
    pub(super) fn finish(&mut self) {
        if let Some(encoded) = self.encoding.finish() {
            self.hand_out(&encoded);
        }
    }

    fn hand_out(&self, encoded: &Encoded) {
        for (i, outlet) in self.outlets.iter().enumerate() {
            let Some(outlet) = outlet else { continue };
            let Share { pieces, messages } = encoded.share(Slot(i as u16));
            if !pieces.is_empty() {
                outlet.outbox.push(pieces, messages);
            }
        }
    }

    /// Members whose outbox is full are told nothing from now on.
    fn look_for_full(&mut self, advance: &mut Advance) {
        for i in 0..self.outlets.len() {
            let Some(Some(outlet)) = self.outlets.get(i) else { continue };
            if !outlet.full && outlet.outbox.is_full(&outlet.wake) {
                self.set_full(Slot(i as u16), true, advance);
            }
        }
    }

    pub(super) fn set_full(&mut self, slot: Slot, full: bool, advance: &mut Advance) {
        if let Some(Some(outlet)) = self.outlets.get_mut(usize::from(slot.0)) {
            outlet.full = full;
            self.group.set_slow(slot, full, advance);
        }
    }

    pub(super) fn signal(&mut self, advance: &Advance) {
        if !advance.signals.is_empty() {
            self.finish();
        }
        for (slot, signal) in &advance.signals {
            if let Some(Some(outlet)) = self.outlets.get(usize::from(slot.0)) {
                let Share { pieces, messages } = self.encoding.signal(*signal);
                outlet.outbox.push(pieces, messages);
            }
        }
    }

    fn log(&self, advance: &mut Advance) {
        trace::say(&mut advance.traces);
        // The neighbour's own group has said it.
        if self.is_mirror() {
            return;
        }
        let any_name = || self.group.members().next().map_or("", |(.., spec)| &*spec.name);
        for remark in &advance.remarks {
            match remark {
                Remark::Printed(text) => tracing::info!("{text}"),
                Remark::Failed(text) => tracing::error!("{text}"),
                Remark::Untold(text) => tracing::error!("{}: {text}", any_name()),
            }
        }
        for (slot, net) in &advance.invalid_hops {
            let Some((.., spec)) = self.group.members().find(|(s, ..)| s == slot) else { continue };
            let (name, peer) = (&spec.name, Written(spec.peer_addr));
            match spec.tracing.channel {
                None => tracing::error!("{name}: Invalid NEXT_HOP attribute in route {net}"),
                Some(_) => {
                    tracing::error!("{name}: Invalid NEXT_HOP attribute - neighbor address {peer}");
                    tracing::error!("{name}: Invalid route {net} withdrawn");
                }
            }
        }
    }

    pub(super) fn tell_fed(&self, advance: &Advance, events: &EventSink) {
        advance.fed.iter().for_each(|slot| self.say_fed(*slot, events));
    }

    pub(super) fn say_fed(&self, slot: Slot, events: &EventSink) {
        if self.mirrors(slot) {
            return;
        }
        if let Some((.., spec)) = self.group.members().find(|(s, ..)| *s == slot) {
            events(self.table, TableEvent::Fed { channel: spec.channel, generation: spec.generation });
        }
    }

    pub(super) fn pass_limits(&self, advance: &Advance, events: &EventSink) {
        for (slot, limit) in advance.limits.iter().filter(|(slot, _)| !self.mirrors(*slot)) {
            let Some((.., spec)) = self.group.members().find(|(s, ..)| s == slot) else { continue };
            let (channel, generation) = (spec.channel, spec.generation);
            let event = TableEvent::Limit { channel, generation, which: LimitKind::Export, limit: *limit };
            events(self.table, event);
        }
    }

    /// Nobody is in it but monitoring stations.
    pub(super) fn is_mirror(&self) -> bool {
        self.outlets.iter().flatten().all(|outlet| outlet.mirrors)
    }

    fn mirrors(&self, slot: Slot) -> bool {
        matches!(self.outlets.get(usize::from(slot.0)), Some(Some(Outlet { mirrors: true, .. })))
    }
}
