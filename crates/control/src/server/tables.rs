//! The tables of one `show route`: their heads and sums, and those of authorisations.

use super::About;
use crate::frame::Frame;
use crate::layout;
use crate::request::{Passage, RouteOutput, RouteQuery};
use crate::routes::{Selection, ShownRoa, Sums};
use route::RoaTables;
use std::sync::Arc;

/// The tables of authorisations that a `show route` sees.
pub(super) struct Authorities {
    pub(super) tables: Arc<RoaTables>,
    /// What the protocol for which routes are judged lets out of them, by table.
    pub(super) passages: Vec<(Arc<str>, Passage)>,
}

impl Authorities {
    pub(super) fn has(&self, name: &str) -> bool {
        self.tables.get(name).is_some() || self.tables.aspas(name).is_some()
    }

    pub(super) fn passage(&self, name: &str) -> Option<&Passage> {
        self.passages.iter().find(|(table, _)| **table == *name).map(|(_, passage)| passage)
    }

    /// Routes are judged for a pipe between such tables that is down, and none of them was named.
    pub(super) fn is_mute(&self, query: &RouteQuery) -> bool {
        let is_asked = query.export.is_some() && !query.heads_empty && !query.tables.is_empty();
        is_asked && self.passages.is_empty() && query.tables.iter().all(|name| self.has(name))
    }
}

/// The tables of one `show route`: their heads, and their sums.
pub(super) struct TableList<'q> {
    layout: &'static dyn layout::Layout,
    pub(super) query: &'q RouteQuery,
    /// The one whose nets come now.
    now: Option<Arc<str>>,
    is_headed: bool,
    pub(super) is_any_headed: bool,
    pub(super) count: usize,
    /// What was counted before it.
    before: Sums,
}

impl<'q> TableList<'q> {
    pub(super) fn new(layout: &'static dyn layout::Layout, query: &'q RouteQuery) -> Self {
        Self { layout, query, now: None, is_headed: false, is_any_headed: false, count: 0, before: Sums::default() }
    }

    /// The nets of another table follow.
    pub(super) fn next(&mut self, name: Arc<str>, selection: &Selection<'_>, out: &mut Frame) {
        self.close(selection, out);
        self.count += 1;
        self.now = Some(name);
        self.is_headed = false;
        self.before = selection.sums();
        if self.query.heads_empty {
            self.head(out);
        }
    }

    /// The head of the table, before the first thing that is said of it; a mere count has none.
    pub(super) fn head(&mut self, out: &mut Frame) {
        if let Some(name) = self.now.as_ref().filter(|_| !self.is_headed && self.query.output != RouteOutput::Count) {
            self.layout.table(name, !self.is_any_headed, out);
            (self.is_headed, self.is_any_headed) = (true, true);
        }
    }

    /// An authorisation of the table.
    pub(super) fn authority(&mut self, shown: &ShownRoa<'_>, about: &About, out: &mut Frame) {
        self.head(out);
        self.layout.roa_net(shown, self.query.detail, &about.setting(), out);
    }

    /// All nets of the table were seen.
    pub(super) fn close(&mut self, selection: &Selection<'_>, out: &mut Frame) {
        if selection.total().is_some()
            && let Some(name) = self.now.clone()
        {
            self.head(out);
            self.layout.table_sums(&name, &selection.sums().since(&self.before), out);
        }
        self.now = None;
    }
}
