//! Lines about what a member is told, for those members of which lines are wanted.
//!
//! A traced member is worked out by itself, as one that is behind is, so what
//! the lines say is what it hears. What a route led to is known no more when it
//! goes, so it is kept for as long as routes are traced: one word a route.

use super::deaf::Deaf;
use super::diff::{Step, Work};
use super::group::{Group, Slot};
use super::{ExportVerdict, MemberSpec};
use crate::batch::{ChangeBatch, NetId, Path};
use crate::trace::{Fate, Trace, Tracing, Way};
use hashbrown::HashMap;
use route::ProtocolId;
use std::sync::Arc;

/// A path of the running row as it was judged.
pub(super) struct Seen {
    pub(super) path_id: u32,
    pub(super) protocol: Option<ProtocolId>,
    /// Why it is not told to anybody, or who does not hear it.
    pub(super) judged: Result<Deaf, ExportVerdict>,
    tail: Arc<str>,
}

/// What was said of the routes that a member was told, by prefix and path identifier.
pub(super) type Told = HashMap<(NetId, u32), Arc<str>>;

/// What a group keeps while lines are wanted.
#[derive(Default)]
pub(super) struct Lens {
    /// The members of which lines are wanted.
    pub(super) slots: Vec<Slot>,
    /// How a line of theirs says what it says of a route: they are of one family and one dialect.
    form: Tracing,
    /// The paths of the running row.
    pub(super) seen: Vec<Seen>,
}

impl Group {
    /// Which lines are wanted of a member from now on.
    pub fn set_tracing(&mut self, slot: Slot, tracing: Tracing) {
        if let Some(member) = self.member_mut(slot) {
            member.spec.tracing = tracing;
            if !tracing.routes {
                member.traced = Told::default();
            }
        }
        self.list_traced();
    }

    pub(super) fn list_traced(&mut self) {
        let is_traced = |(slot, _, spec): (Slot, _, &MemberSpec)| spec.tracing.is_on().then_some(slot);
        self.lens.slots = self.members().filter_map(is_traced).collect();
        let first = self.members().map(|(.., spec)| spec.tracing).find(|tracing| tracing.is_on());
        self.lens.form = first.unwrap_or_default();
    }

    /// Notes how a path of the running row was judged.
    pub(super) fn see(&mut self, batch: &ChangeBatch, path: &Path, path_id: u32, judged: Result<Deaf, ExportVerdict>) {
        let source = batch.sources.get(path.source as usize);
        let hop = batch.hops.get(path.hop as usize);
        let tail = hop.map(|hop| self.lens.form.tail(&hop.to, source.map(|s| &**s), self.ifaces())).unwrap_or_default();
        self.lens.seen.push(Seen { path_id, protocol: source.map(|s| s.protocol), judged, tail });
    }

    /// Says what a member hears of a row, and why it does not hear the rest.
    pub(super) fn trace(&mut self, slot: Slot, step: Step, counts: bool, speaks: bool, work: &Work) {
        let Some(spec) = self.member(slot).map(|m| &m.spec) else { return };
        let (tracing, own, protocol) = (spec.tracing, spec.protocol, Arc::clone(&spec.name));
        let (channel, net) = (tracing.channel, step.net);
        let line = |fate, tail| Trace { protocol: Arc::clone(&protocol), channel, way: Way::Out, fate, net, tail };
        if tracing.filters && counts {
            for n in 0..self.lens.seen.len() {
                if let Some(seen) = self.lens.seen.get(n)
                    && let Some(fate) = self.refusal(seen, slot, own)
                {
                    self.traces.push(line(fate, Arc::clone(&seen.tail)));
                }
            }
        }
        if !(tracing.routes && speaks) {
            return;
        }
        for (path_id, out) in &work.says {
            let key = (step.id, *path_id);
            let heard = |s: &&Seen| s.path_id == *path_id && s.judged.is_ok_and(|deaf| !self.deafness.has(deaf, slot));
            let tail = self.lens.seen.iter().find(heard).map(|s| Arc::clone(&s.tail)).unwrap_or_default();
            let Some(member) = self.member_mut(slot) else { return };
            let (fate, tail) = match out {
                None => (Fate::Removed, member.traced.remove(&key).unwrap_or_default()),
                Some(_) => {
                    member.traced.insert(key, Arc::clone(&tail));
                    let held = work.holds(*path_id);
                    (if held { Fate::Replaced } else { Fate::Added }, tail)
                }
            };
            self.traces.push(line(fate, tail));
        }
    }

    /// Why a member does not hear a path, if it does not.
    fn refusal(&self, seen: &Seen, slot: Slot, own: ProtocolId) -> Option<Fate> {
        match seen.judged {
            _ if seen.protocol == Some(own) => Some(Fate::RejectedByProtocol),
            Err(ExportVerdict::Filtered) => Some(Fate::FilteredOut),
            Err(_) => Some(Fate::RejectedByProtocol),
            Ok(deaf) if self.deafness.has(deaf, slot) => Some(Fate::RejectedByProtocol),
            Ok(_) if self.keeps_back => Some(Fate::RejectedLimit),
            Ok(_) => None,
        }
    }
}
