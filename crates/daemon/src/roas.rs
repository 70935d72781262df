//! The ROA and ASPA tables of the daemon: what filters are shown, and who changes it.
//!
//! Tables are immutable snapshots. The board has the latest; a change, made by the
//! configuration, a command or a protocol, makes another one and hands it to everybody
//! who runs filters: peers and protocols follow the watch, tables and export groups
//! are told. Changes are made one at a time, each whole: nobody sees half of what a
//! cache server sent, or a table without what pipes bring there.
//!
//! When a protocol has changed a table and nothing more has followed for its settle
//! time, the prefixes whose authorisations are others than before are said to the
//! supervisor, which has what lies inside them judged anew.

mod inlet;
mod record;
mod round;
mod way;

pub use inlet::{Inlet, InletSpec, Wanted};
pub use record::Record;
pub use way::WaySpec;

use control::view::PipeWay;
use record::Touched;
use round::Round;
use route::{Moment, Prefix, ProtocolId, RoaChange, RoaTables, TableId};
use session::clock::Clock;
use session::export::Exports;
use session::link::TableMsg;
use session::tables::Tables;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::watch;
use way::Way;

/// See the head of the file. Cheap to clone.
#[derive(Clone)]
pub struct RoaBoard(Arc<Inner>);

struct Inner {
    now: watch::Sender<Arc<RoaTables>>,
    tables: Tables,
    exports: Exports,
    clock: Clock,
    /// Held while a change is made.
    state: Mutex<State>,
    /// Who has routes judged anew.
    settled: OnceLock<Box<dyn Fn(Settled) + Send + Sync>>,
}

#[derive(Default)]
struct State {
    /// The routing tables, in which import filters run.
    hearers: Vec<TableId>,
    /// The settle times of the ROA tables that have some.
    settle: HashMap<Arc<str>, [Duration; 2]>,
    /// What has changed and was not said yet.
    pending: Option<Pending>,
    /// The pipes that are up, in the order in which they came up.
    ways: Vec<Way>,
}

/// Changes that may be followed by others.
struct Pending {
    before: Arc<RoaTables>,
    touched: BTreeSet<Prefix>,
    aspas: bool,
    first: Moment,
    /// When it is said, unless more changes come.
    due: Moment,
}

/// What has changed.
#[derive(Clone, Debug)]
pub struct Settled {
    /// The tables as they were.
    pub before: Arc<RoaTables>,
    /// Prefixes whose authorisations are others than before, in order, none inside another.
    pub touched: Arc<[Prefix]>,
    /// Of some AS other providers are known than before.
    pub aspas: bool,
}

impl RoaBoard {
    /// Without tables.
    pub fn new(tables: Tables, exports: Exports, clock: Clock) -> Self {
        let now = watch::Sender::new(Arc::default());
        let (state, settled) = (Mutex::default(), OnceLock::new());
        Self(Arc::new(Inner { now, tables, exports, clock, state, settled }))
    }

    /// Changes that have settled go there; the first call counts.
    pub fn on_settled(&self, hear: Box<dyn Fn(Settled) + Send + Sync>) {
        let _ = self.0.settled.set(hear);
    }

    /// After which time without further changes routes are judged anew, and after which time at the latest, by table.
    pub fn set_settle(&self, settle: HashMap<Arc<str>, [Duration; 2]>) {
        self.lock().settle = settle;
    }

    /// The tables as they are now.
    pub fn now(&self) -> Arc<RoaTables> {
        Arc::clone(&self.0.now.borrow())
    }

    /// For who follows them.
    pub fn subscribe(&self) -> watch::Receiver<Arc<RoaTables>> {
        self.0.now.subscribe()
    }

    /// A routing table hears of changes from now on, and of what is now.
    pub fn tell(&self, table: TableId) {
        let mut state = self.lock();
        state.hearers.push(table);
        self.0.tables.send(table, TableMsg::Roas(self.now()));
    }

    /// A routing table is gone.
    pub fn forget(&self, table: TableId) {
        self.lock().hearers.retain(|hearer| *hearer != table);
    }

    /// Other tables: the configuration's, or what a command makes of them.
    pub fn replace(&self, make: impl FnOnce(&RoaTables) -> RoaTables) {
        let state = self.lock();
        let next = make(&self.now());
        self.publish(&state, next);
    }

    /// What a protocol does to a table. Nothing comes of it when there is no such table.
    pub fn change<K: Record>(&self, name: &str, change: RoaChange<K>) {
        self.turn(|round, ways| round.change(ways, name, change));
    }

    /// A pipe goes up, and tells what there is: one direction after the other.
    pub fn open(&self, directions: [WaySpec; 2]) {
        self.turn(|round, ways| {
            let first = ways.len();
            ways.extend(directions.into_iter().map(Way::new));
            (first..ways.len()).for_each(|at| round.feed(ways, at));
        });
    }

    /// A pipe goes down, and all that it has brought goes.
    pub fn close(&self, pipe: ProtocolId) {
        self.turn(|round, ways| {
            let (gone, mut others): (Vec<_>, Vec<_>) = ways.drain(..).partition(|way| way.pipe() == pipe);
            gone.iter().for_each(|way| round.clear(&mut others, &way.spec().to.into, pipe));
            *ways = others;
        });
    }

    /// New options of a pipe that is up. The directions that are marked tell all that there is.
    pub fn respec(&self, directions: [(WaySpec, bool); 2]) {
        self.turn(|round, ways| {
            for (spec, again) in directions {
                let is_it = |way: &Way| way.pipe() == spec.to.protocol && way.spec().to.into == spec.to.into;
                let Some(at) = ways.iter().position(is_it) else { continue };
                if let Some(way) = ways.get_mut(at) {
                    way.set_spec(spec);
                }
                if again {
                    round.feed(ways, at);
                }
            }
        });
    }

    /// What the direction of a pipe into a table has done, and whether its limit was passed.
    pub fn way(&self, pipe: ProtocolId, into: &str) -> Option<(PipeWay, bool)> {
        let state = self.lock();
        let way = state.ways.iter().find(|way| way.pipe() == pipe && *way.spec().to.into == *into)?;
        Some(way.view())
    }

    /// Makes a change.
    fn turn(&self, act: impl FnOnce(&mut Round, &mut Vec<Way>)) {
        let mut state = self.lock();
        let (before, now) = (self.now(), self.0.clock.now());
        let mut round = Round::new((*before).clone(), now);
        act(&mut round, &mut state.ways);
        let Round { tables, is_other, touched, .. } = round;
        if is_other {
            self.publish(&state, tables);
        }
        for (name, touched) in touched {
            let Some(pending) = self.wait(&mut state, &name, &before, now) else { continue };
            match touched {
                Touched::Prefixes(prefixes) => pending.touched.extend(prefixes),
                Touched::Providers => pending.aspas = true,
            }
        }
    }

    /// Has a change of a table said when it has settled; what it touches is to be added.
    fn wait<'s>(
        &self,
        state: &'s mut State,
        name: &str,
        before: &Arc<RoaTables>,
        now: Moment,
    ) -> Option<&'s mut Pending> {
        let [least, most] = state.settle.get(name).copied()?;
        let is_first = state.pending.is_none();
        let pending = state.pending.get_or_insert_with(|| Pending {
            before: Arc::clone(before),
            touched: BTreeSet::new(),
            aspas: false,
            first: now,
            due: now,
        });
        let after = |from: Moment, time: Duration| from.plus_ms(u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
        pending.due = after(now, least).min(after(pending.first, most));
        if is_first {
            tokio::spawn(say_when_settled(Arc::downgrade(&self.0)));
        }
        Some(pending)
    }

    fn publish(&self, state: &State, next: RoaTables) {
        let next = Arc::new(next);
        for table in &state.hearers {
            self.0.tables.send(*table, TableMsg::Roas(Arc::clone(&next)));
        }
        self.0.exports.set_roas(&next);
        self.0.now.send_replace(next);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock()
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits until what is pending is due, and says it.
async fn say_when_settled(inner: Weak<Inner>) {
    loop {
        let Some(inner) = inner.upgrade() else { return };
        let (due, now) = match &inner.lock().pending {
            Some(pending) => (pending.due, inner.clock.now()),
            None => return,
        };
        if due > now {
            drop(inner);
            tokio::time::sleep(Duration::from_millis(due.since_ms(now))).await;
            continue;
        }
        let Some(pending) = inner.lock().pending.take() else { return };
        let Pending { before, touched, aspas, .. } = pending;
        let settled = Settled { before, touched: outermost(touched), aspas };
        if let Some(hear) = inner.settled.get() {
            hear(settled);
        }
        return;
    }
}

/// Those that lie inside no other.
fn outermost(all: BTreeSet<Prefix>) -> Arc<[Prefix]> {
    let mut kept: Vec<Prefix> = Vec::new();
    for prefix in all {
        if !kept.last().is_some_and(|last| last.covers(&prefix)) {
            kept.push(prefix);
        }
    }
    kept.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_inside_another_is_said_with_it() {
        let all = ["10.0.0.0/8", "10.1.0.0/16", "11.0.0.0/8", "2001:db8::/32", "2001:db8:1::/48"];
        let kept = outermost(all.iter().map(|p| p.parse().unwrap()).collect());
        let kept: Vec<_> = kept.iter().map(ToString::to_string).collect();
        assert_eq!(kept, ["10.0.0.0/8", "11.0.0.0/8", "2001:db8::/32"]);
    }
}
