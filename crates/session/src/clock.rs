//! The one clock of the process.
//!
//! The pure rooms are handed [`Moment`]s; here is where they come from.

use route::Moment;
use std::sync::OnceLock;
use std::time::Instant;

/// Tells [`Moment`]s. All clocks of a process have one epoch: the first use.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    epoch: Instant,
}

impl Clock {
    /// The process's clock.
    pub fn new() -> Self {
        static EPOCH: OnceLock<Instant> = OnceLock::new();
        Self { epoch: *EPOCH.get_or_init(Instant::now) }
    }

    /// One with an epoch of its own; it stands still before that.
    #[cfg(test)]
    pub(crate) const fn since(epoch: Instant) -> Self {
        Self { epoch }
    }

    /// Milliseconds since the epoch.
    pub fn now(&self) -> Moment {
        Moment(u64::try_from(self.epoch.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    /// When a moment is, as the runtime counts.
    pub fn instant(&self, moment: Moment) -> Instant {
        self.epoch + std::time::Duration::from_millis(moment.0)
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}
