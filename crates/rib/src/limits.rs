//! `receive limit` and `import limit`: judged row by row, in the order of arrival.
//!
//! A limit that acts stays shut, also after withdrawals, until a new session or
//! a reload opens it. `warn` never shuts and says so each time the count stands
//! at the limit again, as BIRD does; the others say it once.

use crate::batch::{Limit, LimitAction};

/// A limit of a channel and whether it was passed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Gate {
    limit: Option<Limit>,
    state: State,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// Not passed yet.
    #[default]
    Open,
    /// Passed, and the action is a warning.
    Warned,
    /// Passed: nothing above is let in.
    Shut,
}

/// What a gate says of one more route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// The route may stand.
    pub admitted: bool,
    /// The limit to be told to the operator and the session.
    pub tell: Option<Limit>,
}

impl Gate {
    /// A gate that has not been passed.
    pub const fn new(limit: Option<Limit>) -> Self {
        Self { limit, state: State::Open }
    }

    /// One more route wants in while `standing` are there.
    pub fn admit(&mut self, standing: u32) -> Judgement {
        let Some(limit) = self.limit else { return Judgement { admitted: true, tell: None } };
        let tell = if standing >= limit.routes_max { self.pass(limit, standing) } else { None };
        Judgement { admitted: self.state != State::Shut, tell }
    }

    /// The limit is new and `standing` routes are there already: says so when they are too many.
    pub fn verify(&mut self, standing: u32) -> Option<Limit> {
        let limit = self.limit.filter(|l| standing > l.routes_max)?;
        self.pass(limit, standing)
    }

    /// Whether the limit was passed (`[HIT]` in `show protocols all`).
    pub fn was_passed(&self) -> bool {
        self.state != State::Open
    }

    fn pass(&mut self, limit: Limit, standing: u32) -> Option<Limit> {
        let before = self.state;
        if before == State::Shut {
            return None;
        }
        self.state = if limit.action == LimitAction::Warn { State::Warned } else { State::Shut };
        (before == State::Open || standing == limit.routes_max).then_some(limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(action: LimitAction) -> Gate {
        Gate::new(Some(Limit { routes_max: 2, action }))
    }

    #[test]
    fn block_lets_the_first_two_in_says_so_once_and_stays_shut_after_withdrawals() {
        let mut gate = gate(LimitAction::Block);
        assert!(gate.admit(0).admitted && gate.admit(1).admitted);
        assert!(!gate.was_passed());
        let third = gate.admit(2);
        assert!(!third.admitted && third.tell.is_some());
        assert_eq!(gate.admit(0), Judgement { admitted: false, tell: None });
        assert!(gate.was_passed());
    }

    #[test]
    fn warn_lets_all_in_and_says_so_whenever_the_count_stands_at_the_limit() {
        let mut gate = gate(LimitAction::Warn);
        let told: Vec<_> =
            [1, 2, 3, 4, 2].map(|n| gate.admit(n)).iter().map(|j| (j.admitted, j.tell.is_some())).collect();
        assert_eq!(told, [(true, false), (true, true), (true, false), (true, false), (true, true)]);
    }

    #[test]
    fn a_limit_that_comes_later_is_verified_against_what_stands() {
        assert!(gate(LimitAction::Disable).verify(2).is_none());
        assert!(gate(LimitAction::Disable).verify(3).is_some());
        assert!(Gate::new(None).verify(9).is_none());
    }
}
