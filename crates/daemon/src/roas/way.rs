//! One direction of a pipe between tables of authorisations.
//!
//! It is told the steps of the table that it reads and says what they come to in
//! the other, under the source that gave them. It counts as BIRD counts. What the
//! pipe itself has brought does not go back through it; what the other table has
//! of the same source by another way stays.

use super::inlet::{Inlet, InletSpec, Wanted};
use super::record::Record;
use crate::protocols::judged;
use control::view::PipeWay;
use filter::{Env, Policy, Scratch, Verdict};
use rib::stats::ExportStats;
use rib::trace::{self, Fate};
use route::{AttrSet, Ifaces, Moment, ProtocolId, RoaChange, RoaStep, RoaTables, SourceId};
use session::limiter::{Limiter, Line};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::watch;

/// What a direction of a pipe is to do.
#[derive(Clone)]
pub struct WaySpec {
    /// The table that it reads.
    pub from: Arc<str>,
    /// What the pipe's channel to that is called.
    pub channel: &'static str,
    /// What it lets through.
    pub policy: Policy,
    /// Links and addresses, for filters.
    pub ifaces: watch::Receiver<Arc<Ifaces>>,
    /// Whose it is, and the table that it fills.
    pub to: InletSpec,
}

/// See the head of the file.
pub struct Way {
    spec: WaySpec,
    inlet: Inlet,
    scratch: Scratch,
    noise: Limiter,
    offered: ExportStats,
}

/// What a step meets in the other table.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Met {
    /// Nothing of its source.
    Nothing,
    /// What this pipe has brought.
    Ours,
    /// What came by another way.
    Others,
}

impl Way {
    /// One that has told nothing yet.
    pub fn new(spec: WaySpec) -> Self {
        let inlet = Inlet::new(spec.to.clone());
        Self { spec, inlet, scratch: Scratch::new(), noise: Limiter::default(), offered: ExportStats::default() }
    }

    /// What it is to do.
    pub const fn spec(&self) -> &WaySpec {
        &self.spec
    }

    /// The pipe.
    pub const fn pipe(&self) -> ProtocolId {
        self.spec.to.protocol
    }

    /// Takes over new options. Its limit opens again; it is passed at once when more stand than it allows.
    pub fn set_spec(&mut self, spec: WaySpec) {
        self.inlet.set_spec(spec.to.clone());
        self.spec = spec;
    }

    /// Its counters, and whether its limit was passed.
    pub fn view(&self) -> (PipeWay, bool) {
        let way = PipeWay { routes: self.inlet.counts().0, offered: self.offered, taken: self.inlet.stats };
        (way, self.inlet.hits().1)
    }

    /// What steps of the table that it reads come to: changes of the other, one for each source.
    ///
    /// Of each authorisation there is one step at most. `is_busy`: the other table is being told of a change that has
    /// led here.
    pub fn judge<K: Record>(
        &mut self,
        steps: &[RoaStep<'_, K>],
        is_busy: bool,
        tables: &RoaTables,
        now: Moment,
    ) -> impl Iterator<Item = RoaChange<K>> + use<K> {
        let mut changes: BTreeMap<SourceId, RoaChange<K>> = BTreeMap::new();
        let ifaces = self.spec.ifaces.borrow().clone();
        for step in steps {
            let Some(into) = K::table(tables, &self.spec.to.into).map(Arc::as_ref) else { break };
            let met = self.met(into, step);
            let wanted = self.wanted(step, met, Env { ifaces: &ifaces, roas: tables });
            if is_busy || met == Met::Others {
                if wanted.is_some() {
                    self.say_clash(if is_busy { "loop" } else { "collision" }, &step.record, now);
                }
                continue;
            }
            // It had gone through, and a limit kept it out.
            let had_passed = || !step.comes && !self.is_own(step) && matches!(self.spec.policy, Policy::Accept);
            if wanted.is_none() && met == Met::Nothing && !had_passed() {
                continue;
            }
            let source = &step.lot.source;
            let change = changes.entry(source.id).or_insert_with(|| self.inlet.change(source));
            self.inlet.put(tables, step.record, wanted.map_or(Wanted::Nothing, Wanted::Accepted), change);
        }
        changes.into_values().filter(|change| !change.come.is_empty() || !change.gone.is_empty())
    }

    /// The attributes with which an authorisation goes through; `None`: it does not, or is gone.
    fn wanted<K: Record>(&mut self, step: &RoaStep<'_, K>, met: Met, env: Env<'_>) -> Option<AttrSet> {
        let (attrs, source) = (&step.lot.attrs, &*step.lot.source);
        let offered = &mut self.offered;
        if !step.comes {
            offered.withdraws_received += 1;
            self.say_removed(step, met);
            return None;
        }
        offered.updates_received += 1;
        if step.lot.by == self.spec.to.protocol {
            offered.updates_rejected += 1;
            self.say(Fate::RejectedByProtocol, step);
            return None;
        }
        match judged(&mut self.scratch, &self.spec.policy, step.record.view(attrs, source), env) {
            (Verdict::Accept, changed) => {
                offered.updates_accepted += 1;
                self.say(if met == Met::Ours { Fate::Replaced } else { Fate::Added }, step);
                Some(changed.unwrap_or_else(|| attrs.clone()))
            }
            (Verdict::Reject, _) => {
                offered.updates_filtered += 1;
                self.say(Fate::FilteredOut, step);
                self.say_removed(step, met);
                None
            }
        }
    }

    fn is_own<K>(&self, step: &RoaStep<'_, K>) -> bool {
        step.lot.by == self.spec.to.protocol
    }

    fn met<K: Record>(&self, into: &K::Table, step: &RoaStep<'_, K>) -> Met {
        let mut same_source = step.record.lots(into).into_iter().filter(|lot| lot.source.id == step.lot.source.id);
        match same_source.next() {
            None => Met::Nothing,
            Some(lot) if lot.by == self.spec.to.protocol => Met::Ours,
            Some(_) => Met::Others,
        }
    }

    /// A line of `debug` about the table that it reads.
    fn say<K: Record>(&self, fate: Fate, step: &RoaStep<'_, K>) {
        let (net, source) = (step.record.net().1, &step.lot.source);
        self.spec.to.diary.authority(self.spec.channel, trace::Way::Out, fate, &net, source);
    }

    fn say_removed<K: Record>(&self, step: &RoaStep<'_, K>, met: Met) {
        if met == Met::Ours {
            self.say(Fate::Removed, step);
        }
    }

    /// Says that an authorisation meets itself, unless that has been said often enough.
    fn say_clash<K: Record>(&mut self, what: &str, record: &K, now: Moment) {
        if self.noise.next(now) != Line::Drop {
            let (net, table) = (record.net().1, &self.spec.to.into);
            tracing::error!("Pipe {what} detected when sending {net} to table {table}");
        }
    }
}
