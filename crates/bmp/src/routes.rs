//! Routes of a table as messages: what the import filter left of a neighbour's routes.

use crate::{Peer, View, put_update, put_updates};
use route::{AttrSet, Family, Prefix};
use wire::frame::EXTENDED_OCTETS_MAX;
use wire::{EncodeContext, Encoder, Nlri, PerFamily};

/// Puts routes into messages, those with one attribute set together. Keeps its memory.
///
/// A station knows from the OPENs whether prefixes carry path identifiers (RFC 7911), so each session has its own.
pub struct Routes {
    peer: Peer,
    family: Family,
    encoder: Encoder,
    /// Announced with these attributes at this time; `None`: withdrawn.
    waiting: Option<(AttrSet, u64)>,
    nlris: Vec<Nlri>,
    updates: Vec<u8>,
}

impl Routes {
    /// Routes of a neighbour in a family. `add_path`: its prefixes carry path identifiers there.
    pub fn new(peer: Peer, family: Family, add_path: bool) -> Self {
        let mut add_path_tx = PerFamily::default();
        *add_path_tx.get_mut(family) = add_path;
        let encoder = Encoder::new(EncodeContext { as4: true, add_path_tx, octets_max: EXTENDED_OCTETS_MAX });
        Self { peer, family, encoder, waiting: None, nlris: Vec::new(), updates: Vec::new() }
    }

    /// Takes a route that stands since `at_us`, or one that is gone. Messages appear when what comes can not share
    /// one; the last with [`finish`](Self::finish). The error is a route that no message can carry.
    pub fn put(
        &mut self,
        net: Prefix,
        path_id: u32,
        attrs: Option<&AttrSet>,
        at_us: u64,
        out: &mut Vec<u8>,
    ) -> Result<(), Prefix> {
        let same = match (&self.waiting, attrs) {
            (Some((waiting, _)), Some(attrs)) => waiting == attrs,
            (None, None) => true,
            _ => false,
        };
        let before = if same { Ok(()) } else { self.finish(at_us, out) };
        self.waiting = attrs.map(|attrs| (attrs.clone(), at_us));
        self.nlris.push(Nlri { net, path_id });
        before
    }

    /// Writes what waits. `now_us` is the time of withdrawals.
    pub fn finish(&mut self, now_us: u64, out: &mut Vec<u8>) -> Result<(), Prefix> {
        let Some(first) = self.nlris.first().map(|nlri| nlri.net) else { return Ok(()) };
        self.updates.clear();
        let mut outcome = Ok(());
        let mut at_us = now_us;
        match self.waiting.take() {
            None => drop(self.encoder.withdraw(self.family, self.nlris.drain(..), &mut self.updates)),
            Some((attrs, since_us)) => {
                at_us = since_us;
                match self.encoder.set_attributes(self.family, attrs.octets()) {
                    Ok(()) => drop(self.encoder.announce(self.nlris.drain(..), &mut self.updates)),
                    Err(_) => outcome = Err(first),
                }
            }
        }
        self.nlris.clear();
        put_updates(out, &self.peer, View::InPostPolicy, at_us, &self.updates);
        outcome
    }

    /// Writes what waits, and that all that stood has been told.
    pub fn end_of_rib(&mut self, now_us: u64, out: &mut Vec<u8>) -> Result<(), Prefix> {
        let outcome = self.finish(now_us, out);
        let mut marker = Vec::new();
        Encoder::end_of_rib(self.family, &mut marker);
        put_update(out, &self.peer, View::InPostPolicy, now_us, &marker);
        outcome
    }
}
