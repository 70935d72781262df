//! What must not come too often: log lines in floods (some, then dots, then some again), and restarts.

use route::Moment;

/// Lines that may come at once.
const BURST: u32 = 5;

/// Lets five lines through at once, and one more each second.
#[derive(Debug, Default)]
pub struct Limiter {
    spent: u32,
    since: Moment,
    quiet: bool,
}

/// What to do with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// Say it.
    Say,
    /// Say it, with ` ...` behind: further ones are not said for a while.
    Last,
    /// Do not say it.
    Drop,
}

impl Limiter {
    /// Another line, now.
    pub fn next(&mut self, now: Moment) -> Line {
        let seconds = u32::try_from(now.since_ms(self.since) / 1000).unwrap_or(u32::MAX);
        if seconds > 0 {
            self.spent = self.spent.saturating_sub(seconds);
            self.since = now;
        }
        if self.spent < BURST {
            self.spent += 1;
            self.quiet = false;
            return Line::Say;
        }
        if std::mem::replace(&mut self.quiet, true) { Line::Drop } else { Line::Last }
    }
}

/// When a protocol was last restarted by itself: `restart time`.
#[derive(Clone, Debug)]
pub struct Restarts {
    last: Moment,
}

impl Restarts {
    /// Of a protocol that is made now, which counts as a restart.
    pub const fn new(now: Moment) -> Self {
        Self { last: now }
    }

    /// Whether it may be restarted now. No, when that comes too early, which is said in the log: it stays down then.
    pub fn may(&mut self, now: Moment, least_ms: u64, name: &str) -> bool {
        if now.since_ms(self.last) < least_ms {
            tracing::error!("{name}: too frequent restarts, disabling");
            return false;
        }
        self.last = now;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_ends_in_dots_and_a_second_later_a_line_is_said_again() {
        let mut limiter = Limiter::default();
        let now = Moment(10_000);
        let said: Vec<_> = (0..8).map(|_| limiter.next(now)).collect();
        assert_eq!(said[..5], [Line::Say; 5]);
        assert_eq!(said[5..], [Line::Last, Line::Drop, Line::Drop]);
        assert_eq!(limiter.next(now.plus_s(1)), Line::Say);
        assert_eq!(limiter.next(now.plus_s(1)), Line::Last);
    }
}
