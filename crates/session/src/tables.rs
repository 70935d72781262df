//! The threads that own tables.

use crate::clock::Clock;
use crate::link::{EventSink, TableMsg};
use rib::table::{Table, TableSpec};
use route::TableId;

/// A handle to the threads that own tables.
#[derive(Clone)]
pub struct Tables {}

impl Tables {
    /// Starts the threads.
    pub fn start(threads: usize, clock: Clock, events: EventSink) -> Self {
        let _ = (threads, clock, events);
        Self {}
    }

    /// A new, empty table.
    pub fn add(&self, spec: TableSpec) {
        let _ = spec;
    }

    /// Drops a table and its readers.
    pub fn remove(&self, table: TableId) {
        let _ = table;
    }

    /// Sends a message to the owner of a table; never blocks. A message to an unknown table is dropped.
    pub fn send(&self, table: TableId, msg: TableMsg) {
        let _ = (table, msg);
    }

    /// Asks something of a table; `None` when there is no such table (any more).
    pub async fn query<R: Send + 'static>(
        &self,
        table: TableId,
        f: impl FnOnce(&mut Table) -> R + Send + 'static,
    ) -> Option<R> {
        let (answer, answered) = tokio::sync::oneshot::channel();
        let work = move |t: &mut Table| {
            let _ = answer.send(f(t));
        };
        self.send(table, TableMsg::Query(Box::new(work)));
        answered.await.ok()
    }
}
