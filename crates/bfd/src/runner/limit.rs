//! How often something may be said that a stranger can cause: five lines at once, then one a second.

use crate::session::Micros;

const BURST: u64 = 5;
const EACH_US: u64 = 1_000_000;

/// A bucket of lines.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Limit {
    /// When the bucket will be full again.
    full_at: Micros,
}

impl Limit {
    /// Whether one more may be said now.
    pub(super) const fn admits(&mut self, now: Micros) -> bool {
        let from = if self.full_at > now { self.full_at } else { now };
        if from + EACH_US > now + BURST * EACH_US {
            return false;
        }
        self.full_at = from + EACH_US;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_lines_at_once_then_one_a_second() {
        let mut limit = Limit::default();
        let said = |limit: &mut Limit, now| (0..100).filter(|_| limit.admits(now)).count();
        assert_eq!(said(&mut limit, 0), 5);
        assert_eq!(said(&mut limit, 999_999), 0);
        assert_eq!(said(&mut limit, 1_000_000), 1);
        assert_eq!(said(&mut limit, 60_000_000), 5);
    }
}
