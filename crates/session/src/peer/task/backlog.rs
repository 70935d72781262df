//! `tx size warning`: the operator is told when much waits to be sent to the neighbour.
//!
//! What waits are octets of messages: in the outbox, and taken from it but not by the system yet. Prefixes that a full
//! outbox has made its groups mark have no octets. It is looked at after each attempt to write; while the socket takes
//! nothing the outbox itself calls when it has grown so far.

use super::Task;
use crate::conn::Conn;
use crate::limiter::{Limiter, Line};
use fsm::Which;
use route::Moment;

/// What has been said of one session.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    /// Since less waited than that.
    is_said: bool,
    lines: Limiter,
}

impl Backlog {
    /// So many octets wait now: whether there is something to say, which is so once until fewer do.
    fn see(&mut self, octets: usize, least: usize, now: Moment) -> Option<Line> {
        let was_said = std::mem::replace(&mut self.is_said, octets >= least);
        (self.is_said && !was_said).then(|| self.lines.next(now))
    }

    /// How many octets in the outbox there would be something to say of that nobody else wakes the task for.
    pub(super) fn awaits(&self, least: u32, conn: &Conn) -> Option<usize> {
        let is_awaited = least > 0 && !self.is_said && conn.is_blocked();
        is_awaited.then(|| (least as usize).saturating_sub(conn.unsent()))
    }
}

impl Task {
    /// Says it when what waits has come to `tx size warning`.
    pub(super) fn watch_backlog(&mut self) {
        let least = self.spec.tx_size_warning;
        let Some(session) = self.session.as_mut().filter(|_| least > 0) else { return };
        let conn = if session.which == Which::Outgoing { &self.out } else { &self.inc };
        let octets = session.outbox.octets() + conn.as_ref().map_or(0, Conn::unsent);
        let dots = match session.backlog.see(octets, least as usize, self.deps.clock.now()) {
            Some(Line::Say) => "",
            Some(Line::Last) => " ...",
            Some(Line::Drop) | None => return,
        };
        let name = &self.spec.name;
        tracing::warn!("{name}: Used {octets} memory for what waits to be sent (tx size warning {least}){dots}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_is_said_once_until_less_than_that_waits() {
        let mut backlog = Backlog::default();
        let mut said = |octets| backlog.see(octets, 1000, Moment(10_000)).is_some();
        assert_eq!([0, 999, 1000, 5000, 1000].map(&mut said), [false, false, true, false, false]);
        assert_eq!([999, 1000, 2000].map(&mut said), [false, true, false]);
    }

    #[test]
    fn a_backlog_that_comes_and_goes_ends_in_dots() {
        let mut backlog = Backlog::default();
        let said: Vec<_> = (0..16).filter_map(|n| backlog.see(n % 2, 1, Moment(10_000))).collect();
        assert_eq!(said[4..], [Line::Say, Line::Last, Line::Drop, Line::Drop]);
    }
}
