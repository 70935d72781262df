//! One direction of a pipe between ROA tables.
//!
//! It is told the steps of the table that it reads and says what they come to in
//! the other, under the source that gave them. It counts as BIRD counts. What the
//! pipe itself has brought does not go back through it; what the other table has
//! of the same source by another way stays.

use crate::protocols::judged;
use crate::world::{Listeners, Whose};
use control::view::PipeWay;
use filter::{Authorised, Env, Policy, RouteView, Scratch, Verdict};
use rib::batch::{Limit, LimitKind};
use rib::limits::Gate;
use rib::stats::{ExportStats, ImportStats};
use route::{AttrSet, Ifaces, Moment, ProtocolId, Roa, RoaChange, RoaStep, RoaTable, RoaTables, SourceId};
use session::limiter::{Limiter, Line};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::watch;

/// What a direction of a pipe is to do.
#[derive(Clone)]
pub struct WaySpec {
    /// Whose it is.
    pub pipe: ProtocolId,
    /// The name of that.
    pub name: Arc<str>,
    /// The table that it reads.
    pub from: Arc<str>,
    /// The table that it fills.
    pub into: Arc<str>,
    /// What it lets through.
    pub policy: Policy,
    /// How many may stand.
    pub limit: Option<Limit>,
    /// Links and addresses, for filters.
    pub ifaces: watch::Receiver<Arc<Ifaces>>,
    /// Who hears that the limit is passed.
    pub listeners: Listeners,
}

/// See the head of the file.
pub struct Way {
    spec: WaySpec,
    gate: Gate,
    scratch: Scratch,
    noise: Limiter,
    offered: ExportStats,
    taken: ImportStats,
    /// Authorisations that stand.
    routes: u32,
}

/// What a step meets in the other table.
#[derive(Clone, Copy)]
enum Standing<'t> {
    /// Nothing of its source.
    Nothing,
    /// What this pipe has brought.
    Ours(&'t AttrSet),
    /// What came by another way.
    Others,
}

impl Way {
    /// One that has told nothing yet.
    pub fn new(spec: WaySpec) -> Self {
        let (offered, taken) = (ExportStats::default(), ImportStats::default());
        let (gate, scratch, noise) = (Gate::new(spec.limit), Scratch::new(), Limiter::default());
        Self { spec, gate, scratch, noise, offered, taken, routes: 0 }
    }

    /// What it is to do.
    pub const fn spec(&self) -> &WaySpec {
        &self.spec
    }

    /// Takes over new options. Its limit opens again; it is passed at once when more stand than it allows.
    pub fn set_spec(&mut self, spec: WaySpec) {
        self.gate = Gate::new(spec.limit);
        self.spec = spec;
        let passed = self.gate.verify(self.routes);
        self.say_passed(passed);
    }

    /// Its counters, and whether its limit was passed.
    pub fn view(&self) -> (PipeWay, bool) {
        let way = PipeWay { routes: self.routes, offered: self.offered, taken: self.taken };
        (way, self.gate.was_passed())
    }

    /// What steps of the table that it reads come to: changes of the other, one for each source.
    ///
    /// `is_busy`: the other table is being told of a change that has led here.
    pub fn judge(
        &mut self,
        steps: &[RoaStep<'_>],
        is_busy: bool,
        tables: &RoaTables,
        now: Moment,
    ) -> impl Iterator<Item = RoaChange> + use<> {
        let mut changes: BTreeMap<SourceId, RoaChange> = BTreeMap::new();
        let (ifaces, into) = (self.spec.ifaces.borrow().clone(), tables.get(&self.spec.into));
        for step in steps {
            let Some(into) = into else { break };
            let wanted = self.wanted(step, Env { ifaces: &ifaces, roas: tables });
            if is_busy {
                if wanted.is_some() {
                    self.say_clash("loop", &step.roa, now);
                }
                continue;
            }
            let source = &step.lot.source;
            let change = || {
                let (source, by) = (Arc::clone(source), self.spec.pipe);
                RoaChange { source, by, whole: false, gone: Vec::new(), come: Vec::new() }
            };
            let change = changes.entry(source.id).or_insert_with(change);
            match (wanted, self.standing(into, step)) {
                (Some(_), Standing::Others) => self.say_clash("collision", &step.roa, now),
                (None, Standing::Others) => {}
                (Some(attrs), Standing::Ours(old)) if attrs == *old => self.taken.updates_ignored += 1,
                (Some(attrs), Standing::Ours(_)) => {
                    self.taken.updates_accepted += 1;
                    change.come.push((step.roa, attrs));
                }
                (Some(attrs), Standing::Nothing) => {
                    if self.admits() {
                        self.taken.updates_accepted += 1;
                        self.routes += 1;
                        change.come.push((step.roa, attrs));
                    } else {
                        self.taken.updates_ignored += 1;
                    }
                }
                (None, Standing::Ours(_)) => {
                    self.taken.withdraws_accepted += 1;
                    self.routes = self.routes.saturating_sub(1);
                    change.gone.push(step.roa);
                }
                (None, Standing::Nothing) => {
                    // It had gone through, and a limit kept it out.
                    let had_passed = !step.comes && !self.is_own(step) && matches!(self.spec.policy, Policy::Accept);
                    self.taken.withdraws_ignored += u64::from(had_passed);
                }
            }
        }
        changes.into_values().filter(|change| !change.come.is_empty() || !change.gone.is_empty())
    }

    /// The attributes with which an authorisation goes through; `None`: it does not, or is gone.
    fn wanted(&mut self, step: &RoaStep<'_>, env: Env<'_>) -> Option<AttrSet> {
        let offered = &mut self.offered;
        if !step.comes {
            offered.withdraws_received += 1;
            return None;
        }
        offered.updates_received += 1;
        if step.lot.by == self.spec.pipe {
            offered.updates_rejected += 1;
            return None;
        }
        let (attrs, source) = (&step.lot.attrs, &*step.lot.source);
        let roa = Some(Authorised::Origin(&step.roa));
        let view = RouteView { roa, net: step.roa.prefix, attrs, source, resolved: None, igp_metric: None };
        match judged(&mut self.scratch, &self.spec.policy, view, env) {
            (Verdict::Accept, changed) => {
                offered.updates_accepted += 1;
                Some(changed.unwrap_or_else(|| attrs.clone()))
            }
            (Verdict::Reject, _) => {
                offered.updates_filtered += 1;
                None
            }
        }
    }

    fn is_own(&self, step: &RoaStep<'_>) -> bool {
        step.lot.by == self.spec.pipe
    }

    fn standing<'t>(&self, into: &'t RoaTable, step: &RoaStep<'_>) -> Standing<'t> {
        match into.given_from(&step.roa, step.lot.source.id) {
            None => Standing::Nothing,
            Some(lot) if lot.by == self.spec.pipe => Standing::Ours(&lot.attrs),
            Some(_) => Standing::Others,
        }
    }

    /// Whether one more may stand.
    fn admits(&mut self) -> bool {
        let judged = self.gate.admit(self.routes);
        self.say_passed(judged.tell);
        judged.admitted
    }

    fn say_passed(&self, passed: Option<Limit>) {
        if let Some(limit) = passed {
            let WaySpec { pipe, name, listeners, .. } = &self.spec;
            listeners.passed(Whose::Protocol(*pipe), name, LimitKind::Import, limit);
        }
    }

    /// Says that an authorisation meets itself, unless that has been said often enough.
    fn say_clash(&mut self, what: &str, roa: &Roa, now: Moment) {
        if self.noise.next(now) != Line::Drop {
            let Roa { prefix, max_len, asn } = roa;
            let table = &self.spec.into;
            tracing::error!("Pipe {what} detected when sending {prefix}-{max_len} AS{asn} to table {table}");
        }
    }
}
