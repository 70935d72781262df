//! Timers as values, chance as a value, and the waiting after errors.

use route::Moment;

/// A timer that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timer {
    /// When it expires.
    pub expires: Moment,
    /// Its full time in seconds, as it was asked for.
    pub total_s: u32,
}

impl Timer {
    /// A timer that expires after its full time.
    pub const fn exact(now: Moment, total_s: u32) -> Self {
        Self { expires: now.plus_s(total_s as u64), total_s }
    }

    /// A timer shortened by chance by up to a quarter, in whole seconds (RFC 4271 10): one of less than
    /// four seconds is exact.
    pub fn jittered(now: Moment, total_s: u32, chance: &mut Chance) -> Self {
        let spread_ms = u64::from(total_s / 4) * 1000;
        let less_ms = chance.below(spread_ms + 1);
        let expires = now.plus_ms(u64::from(total_s) * 1000 - less_ms);
        Self { expires, total_s }
    }

    /// Whether its time has come.
    pub fn is_due(&self, now: Moment) -> bool {
        self.expires <= now
    }

    /// Milliseconds that remain.
    pub const fn remaining_ms(&self, now: Moment) -> u64 {
        self.expires.since_ms(now)
    }
}

/// A sequence of numbers that follows from its seed (splitmix64). For jitter, never for secrets.
#[derive(Clone, Debug)]
pub struct Chance(u64);

impl Chance {
    /// The sequence of a seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number below `bound`; 0 when the bound is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)).checked_rem(bound).unwrap_or(0)
    }
}

/// How long to wait after an error: twice as long each time, up to a limit, and forgotten after a good while.
#[derive(Clone, Copy, Debug, Default)]
pub struct ErrorWait {
    delay_s: u32,
    /// The wait has not begun yet.
    due: bool,
    last: Option<Moment>,
}

impl ErrorWait {
    /// An error happened: the next wait is longer.
    pub fn error(&mut self, now: Moment, least_s: u32, most_s: u32, forget_s: u32) {
        if self.last.is_some_and(|at| now.since_ms(at) >= u64::from(forget_s) * 1000) {
            self.delay_s = 0;
        }
        self.last = Some(now);
        self.due = true;
        self.delay_s = match self.delay_s {
            0 => least_s,
            delay_s => delay_s.saturating_mul(2).min(most_s),
        };
    }

    /// There is nothing to wait for.
    pub fn forget(&mut self) {
        self.delay_s = 0;
        self.due = false;
    }

    /// The wait before the next start in seconds, once for each error.
    pub fn take(&mut self) -> Option<u32> {
        let due = std::mem::take(&mut self.due) && self.delay_s > 0;
        due.then_some(self.delay_s)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jittered_timer_loses_at_most_a_quarter() {
        let mut chance = Chance::new(7);
        let mut seen = (u64::MAX, 0);
        for _ in 0..10_000 {
            let at = Timer::jittered(Moment(500), 80, &mut chance).expires.0 - 500;
            seen = (seen.0.min(at), seen.1.max(at));
        }
        assert!((60_000..60_100).contains(&seen.0), "{seen:?}");
        assert!((79_900..=80_000).contains(&seen.1), "{seen:?}");
    }

    #[test]
    fn short_timers_are_exact_as_the_keepalive_of_hold_9_is() {
        let mut chance = Chance::new(1);
        for s in 0..4 {
            let at = Timer::jittered(Moment(0), s, &mut chance);
            assert_eq!(at, Timer::exact(Moment(0), s));
        }
    }

    #[test]
    fn error_waits_double_up_to_the_limit_and_are_forgotten() {
        let mut wait = ErrorWait::default();
        let mut seen = Vec::new();
        for i in 0..5 {
            wait.error(Moment(0).plus_s(i), 2, 10, 300);
            seen.extend(wait.take());
        }
        assert_eq!(seen, [2, 4, 8, 10, 10]);
        assert_eq!(wait.take(), None);
        wait.error(Moment(0).plus_s(4 + 300), 2, 10, 300);
        assert_eq!(wait.take(), Some(2));
    }
}
