//! Pipes: a table that imports what another table says.
//!
//! A pipe has two directions, and each is a channel of the table that it leads
//! to. There stands its [`Inlet`]: the batches of the table that it reads come
//! here as they are, shared with all other readers, and are judged here, on the
//! thread of the table that they go into. So a pipe keeps no list of what it
//! sent: what it sent is what stands here from its channel, and each word about
//! a path, or about a whole prefix, makes that equal to what should stand.
//!
//! A *transparent* pipe hands on each path under its own source, an *opaque* one
//! the best under the pipe's. A path that the pipe itself brought into the table
//! that it reads does not go back. The filter runs once for each attribute set
//! of a batch where its inputs allow that.
//!
//! Two ways for one source into a table are not allowed: the first stays, and a
//! line says so (`import`). Pipes in a circle end there as well; where a word is
//! overtaken on its way round, the number of pipes that a path has passed ends
//! it after [`PipeSpec::pipes_max`].

use crate::batch::{ChangeBatch, Path as Told, ResolvedHop, TableEvent};
use crate::channel::Channels;
use crate::import::{Want, Wanted};
use crate::intern::Sets;
use crate::nexthop::Hops;
use crate::path::{AttrsId, SlotId};
use crate::stats::ExportStats;
use crate::store::Found;
use crate::table::Table;
use filter::{Env, Filter, Policy, RouteView, Verdict};
use route::attrs::Local;
use route::{AttrSet, Carried, ChannelId, Dest, Moment, Prefix, Source, SourceKind};
use std::sync::Arc;

/// One direction of a pipe, as the table that it leads to must know it.
#[derive(Clone, Debug)]
pub struct PipeSpec {
    /// What the pipe is called: whose lines are traced here.
    pub name: Arc<str>,
    /// What is let through.
    pub policy: Policy,
    /// The pipe's channel into the table that it reads: what that brought does not go back.
    pub back: ChannelId,
    /// `mode opaque`; `None`: transparent.
    pub opaque: Option<Opaque>,
    /// A path that has passed more pipes than this goes round in a circle.
    pub pipes_max: u8,
}

/// What an opaque pipe puts on what it hands on.
#[derive(Clone, Debug)]
pub struct Opaque {
    /// The pipe as the giver of the routes.
    pub source: Arc<Source>,
    /// `preference` of the pipe.
    pub preference: u32,
}

/// What the table that a pipe reads says.
#[derive(Clone, Debug)]
pub enum Piped {
    /// A batch of the journal: what changed.
    Changes(Arc<ChangeBatch>),
    /// Prefixes with all that stands there now, to a pipe that asked for everything or had fallen behind.
    Current(Arc<ChangeBatch>),
    /// All that stood when the pipe came up has been said.
    Fed,
}

/// The state of one direction.
#[derive(Debug)]
pub(crate) struct Inlet {
    spec: Arc<PipeSpec>,
    /// Has heard all that stood when it came up.
    is_fed: bool,
    /// What was offered, and what became of it before the limit.
    pub(crate) stats: ExportStats,
}

/// Why two ways for one source meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Clash {
    /// By a circle of pipes.
    Loop,
    /// By two ways from one table to another.
    Collision,
}

/// Lets five lines through at once and one a second after that, as BIRD does.
#[derive(Debug)]
pub(crate) struct Noise {
    left: u64,
    at: Moment,
}

impl Default for Noise {
    fn default() -> Self {
        Self { left: Self::BURST, at: Moment(0) }
    }
}

impl Noise {
    const BURST: u64 = 5;

    fn admits(&mut self, now: Moment) -> bool {
        let seconds = now.since_ms(self.at) / 1000;
        if seconds > 0 {
            self.left = self.left.saturating_add(seconds).min(Self::BURST);
            self.at = now;
        }
        let admitted = self.left > 0;
        self.left -= u64::from(admitted);
        admitted
    }
}

/// What was found out about the sets of a batch.
struct Sheet<'a> {
    batch: &'a ChangeBatch,
    /// All is said once more: what is rejected is withdrawn, whether it stands or not, as BIRD counts it.
    again: bool,
    /// The slots of the batch's sources.
    slots: Vec<Option<SlotId>>,
    /// By the set's place in the palette: the last verdict, and for which source.
    verdicts: Vec<Option<(u32, Option<AttrsId>)>>,
    /// Sets held until the end of the batch.
    held: Vec<AttrsId>,
}

impl Table {
    /// The channel is a pipe's from now on, or has new rules: its limits open again.
    pub(crate) fn set_pipe(&mut self, at: u32, spec: PipeSpec) {
        if let Some(opaque) = &spec.opaque {
            self.channels.introduce(at, Arc::clone(&opaque.source));
        }
        let Some(channel) = self.channels.get_mut(at) else { return };
        channel.configure(channel.spec.clone());
        channel.pipe_name = Some(Arc::clone(&spec.name));
        let spec = Arc::new(spec);
        match &mut channel.inlet {
            Some(inlet) => inlet.spec = spec,
            None => channel.inlet = Some(Box::new(Inlet { spec, is_fed: false, stats: ExportStats::default() })),
        }
    }

    /// Makes what stands from a pipe equal to what the table that it reads says.
    pub(crate) fn take_piped(&mut self, at: u32, piped: &Piped, now: Moment, events: &mut Vec<TableEvent>) {
        let Some(inlet) = self.channels.get_mut(at).and_then(|c| c.inlet.as_mut()) else { return };
        let spec = Arc::clone(&inlet.spec);
        let (batch, whole) = match piped {
            Piped::Changes(batch) => (batch, spec.opaque.is_some()),
            Piped::Current(batch) => (batch, true),
            Piped::Fed => {
                inlet.is_fed = true;
                return;
            }
        };
        let mut sheet = Sheet {
            batch,
            again: inlet.is_fed && matches!(piped, Piped::Current(_)),
            slots: vec![None; batch.sources.len()],
            verdicts: vec![None; batch.palette.len()],
            held: Vec::new(),
        };
        if !whole {
            for each in &batch.each {
                let path = each.path.and_then(|n| batch.paths.get(n as usize));
                self.take_path(at, &spec, &mut sheet, each.net, each.source, path, now, events);
            }
        } else {
            let width = if spec.opaque.is_some() { 1 } else { usize::MAX };
            for row in &batch.rows {
                let paths = batch.paths_of(row);
                let paths = paths.get(..width.min(paths.len())).unwrap_or_default();
                self.take_prefix(at, &spec, &mut sheet, row.net, paths, now, events);
            }
        }
        for id in sheet.held {
            self.core.sets.drop(id, &mut self.core.hops);
        }
    }

    /// A prefix with all that the pipe may hand on.
    #[expect(clippy::too_many_arguments, reason = "where, by which rules, what, when, and whom to tell")]
    fn take_prefix(
        &mut self,
        at: u32,
        spec: &PipeSpec,
        sheet: &mut Sheet<'_>,
        net: Prefix,
        paths: &[Told],
        now: Moment,
        events: &mut Vec<TableEvent>,
    ) {
        for path in paths {
            self.take_path(at, spec, sheet, net, path.source, Some(path), now, events);
        }
        let Some(id) = self.nets.find(&net) else { return };
        let mut standing = std::mem::take(&mut self.scratch);
        self.nets.read(id, &mut standing);
        let kept = |slot: SlotId| match &spec.opaque {
            Some(_) => !paths.is_empty(),
            None => paths.iter().any(|p| sheet.slots.get(p.source as usize) == Some(&Some(slot))),
        };
        let mine = |slot: SlotId| self.channels.slot(slot).channel == at;
        let gone: Vec<SlotId> = standing.iter().map(|p| p.slot()).filter(|s| mine(*s) && !kept(*s)).collect();
        self.scratch = standing;
        for slot in gone {
            self.count_offer(at, |stats| stats.withdraws_received += 1);
            self.put(at, slot, net, Found::number(id), None, now, events);
        }
    }

    /// One path, or the word that it is gone.
    #[expect(clippy::too_many_arguments, reason = "where, by which rules, what, when, and whom to tell")]
    fn take_path(
        &mut self,
        at: u32,
        spec: &PipeSpec,
        sheet: &mut Sheet<'_>,
        net: Prefix,
        source: u32,
        path: Option<&Told>,
        now: Moment,
        events: &mut Vec<TableEvent>,
    ) {
        let Some(slot) = self.slot_of_told(at, spec, sheet, source) else { return };
        let own = sheet.batch.channels.get(source as usize) == Some(&spec.back);
        self.count_offer(at, |stats| match path {
            Some(_) => {
                stats.updates_received += 1;
                stats.updates_rejected += u64::from(own);
            }
            None => stats.withdraws_received += 1,
        });
        let wanted = match path {
            Some(path) if !own => self.judge_piped(at, spec, sheet, net, path, now, events),
            _ => None,
        };
        let found = self.nets.look(&net);
        if wanted.is_none() && !found.id.is_some_and(|id| self.stands(id, slot)) {
            // Whether a path that is gone had been let through is known only where all are.
            let was_let_through = path.is_none() && !own && matches!(spec.policy, Policy::Accept);
            if !sheet.again && !was_let_through {
                return;
            }
        }
        self.put(at, slot, net, found, wanted, now, events);
    }

    /// What is to stand of a path: judged, with one pipe more.
    #[expect(clippy::too_many_arguments, reason = "where, by which rules, what, when, and whom to tell")]
    fn judge_piped(
        &mut self,
        at: u32,
        spec: &PipeSpec,
        sheet: &mut Sheet<'_>,
        net: Prefix,
        path: &Told,
        now: Moment,
        events: &mut Vec<TableEvent>,
    ) -> Wanted {
        let verdict = match remembered(spec, sheet, path) {
            Some(known) => known,
            None => {
                let verdict = self.run_piped(at, spec, sheet, net, path, now, events);
                if let Some(place) = sheet.verdicts.get_mut(path.attrs as usize) {
                    *place = Some((path.source, verdict));
                }
                verdict
            }
        };
        let Some(attrs) = verdict else {
            self.count_offer(at, |stats| stats.updates_filtered += 1);
            return None;
        };
        let pipes = path.pipes.saturating_add(1);
        if pipes > spec.pipes_max {
            self.say_clash(at, Clash::Loop, net, now, events);
            return None;
        }
        self.count_offer(at, |stats| stats.updates_accepted += 1);
        Some(Want { attrs, filtered: false, pipes })
    }

    /// Runs the filter. What it lets through is interned and held by the sheet.
    #[expect(clippy::too_many_arguments, reason = "where, by which rules, what, when, and whom to tell")]
    fn run_piped(
        &mut self,
        at: u32,
        spec: &PipeSpec,
        sheet: &mut Sheet<'_>,
        net: Prefix,
        path: &Told,
        now: Moment,
        events: &mut Vec<TableEvent>,
    ) -> Option<AttrsId> {
        let batch = sheet.batch;
        let given = batch.palette.get(path.attrs as usize)?;
        let hop = batch.hops.get(path.hop as usize)?;
        let source = batch.sources.get(path.source as usize)?;
        let redirected = with_answer(given, hop);
        let attrs = redirected.as_ref().unwrap_or(given);
        let changed = match &spec.policy {
            Policy::Accept => None,
            Policy::Reject => return None,
            Policy::Filter(filter) => {
                let view =
                    RouteView { roa: None, net, attrs, source, resolved: Some(&hop.to), igp_metric: hop.igp_metric };
                let outcome = filter.run(&mut self.filters, view, Env { ifaces: &self.core.ifaces, roas: &self.roas });
                let channel = self.channels.get(at)?.id;
                events.extend(outcome.printed.into_iter().map(|text| TableEvent::Printed { channel, text }));
                events.extend(outcome.error.map(|text| TableEvent::Log { channel, text }));
                if outcome.verdict == Verdict::Reject {
                    return None;
                }
                outcome.attrs
            }
        };
        let attrs = changed.as_ref().unwrap_or(attrs);
        let opaque = spec.opaque.as_ref().map(|o| {
            let local = Local { kind: SourceKind::Pipe, preference: o.preference, ..attrs.local().clone() };
            AttrSet::from_canonical(attrs.octets(), local)
        });
        let id = hold(&mut self.core.sets, &mut self.core.hops, opaque.as_ref().unwrap_or(attrs), &mut sheet.held);
        self.answer_new_hops(now);
        Some(id)
    }

    /// The slot of a source of the batch, made known on the way.
    fn slot_of_told(&mut self, at: u32, spec: &PipeSpec, sheet: &mut Sheet<'_>, source: u32) -> Option<SlotId> {
        let place = sheet.slots.get_mut(source as usize)?;
        if place.is_none() {
            let given = sheet.batch.sources.get(source as usize)?;
            let source = spec.opaque.as_ref().map_or(given, |o| &o.source);
            *place = introduced(&mut self.channels, at, source);
        }
        *place
    }

    /// Whether a path of this slot stands at a prefix.
    fn stands(&mut self, id: crate::batch::NetId, slot: SlotId) -> bool {
        let mut paths = std::mem::take(&mut self.scratch);
        self.nets.read(id, &mut paths);
        let stands = paths.iter().any(|p| p.slot() == slot);
        self.scratch = paths;
        stands
    }

    fn count_offer(&mut self, at: u32, count: impl FnOnce(&mut ExportStats)) {
        if let Some(inlet) = self.channels.get_mut(at).and_then(|c| c.inlet.as_mut()) {
            count(&mut inlet.stats);
        }
    }

    /// Says that a route meets itself, unless that has been said often enough.
    pub(crate) fn say_clash(&mut self, at: u32, what: Clash, net: Prefix, now: Moment, events: &mut Vec<TableEvent>) {
        let Some(channel) = self.channels.get(at).map(|c| c.id) else { return };
        if self.noise.admits(now) {
            let word = if what == Clash::Loop { "loop" } else { "collision" };
            let text = format!("Pipe {word} detected when sending {net} to table {}", self.spec.name);
            events.push(TableEvent::Log { channel, text });
        }
    }
}

/// What was said of the same set before in this batch, where that counts for this path.
fn remembered(spec: &PipeSpec, sheet: &Sheet<'_>, path: &Told) -> Option<Option<AttrsId>> {
    let (source, verdict) = (*sheet.verdicts.get(path.attrs as usize)?)?;
    let reusable = |filter: &Filter| {
        let i = filter.inputs;
        !(i.net || i.effects || i.authorities()) && (!i.source || source == path.source)
    };
    let reused = match &spec.policy {
        Policy::Accept | Policy::Reject => true,
        Policy::Filter(filter) => reusable(filter),
    };
    reused.then_some(verdict)
}

/// The slot of a source; a record that is the same one is not given again.
fn introduced(channels: &mut Channels, at: u32, source: &Arc<Source>) -> Option<SlotId> {
    let known = channels.slot_of(at, source.id);
    if known.is_none_or(|slot| !Arc::ptr_eq(&channels.slot(slot).source, source)) {
        channels.introduce(at, Arc::clone(source));
    }
    channels.slot_of(at, source.id)
}

/// Interns a set; the use counts until `held` is let go.
fn hold(sets: &mut Sets, hops: &mut Hops, set: &AttrSet, held: &mut Vec<AttrsId>) -> AttrsId {
    let id = sets.intern(set, hops);
    held.push(id);
    id
}

/// The attributes with the answer to a recursive next hop in its place; `None` when there is nothing to replace.
pub fn with_answer(set: &AttrSet, hop: &ResolvedHop) -> Option<AttrSet> {
    if !matches!(set.local().dest, Dest::Recursive(_)) {
        return None;
    }
    let dest = Dest::Carried(Arc::new(Carried { to: hop.to.clone(), igp_metric: hop.igp_metric }));
    Some(AttrSet::from_canonical(set.octets(), Local { dest, ..set.local().clone() }))
}
