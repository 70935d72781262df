//! What a neighbour that restarts is owed (RFC 4724 4.2, RFC 9494 4.2): its routes stay for a while.
//!
//! A family is *retained* from the loss of the session until the neighbour has
//! told everything again (End-of-RIB), or its time is over. It is *long-lived*
//! once the restart time is over and the neighbour announced a long-lived stale
//! time for it.

use crate::{Config, Negotiated, Timer};
use route::{Family, Moment};

/// What becomes of a family's routes when the session is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// They go.
    Nothing,
    /// They stay and are stale.
    Stale,
}

/// A family whose routes stay though the session is lost, or back but not yet told everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Retained {
    pub(crate) family: Family,
    /// Seconds of its long-lived stale time; 0: none.
    pub(crate) long_lived_s: u32,
    /// Runs once the family is long-lived stale and the session not back.
    pub(crate) stale: Option<Timer>,
}

/// The neighbour's restart.
#[derive(Clone, Debug, Default)]
pub(crate) struct Restart {
    pub(crate) families: Vec<Retained>,
    /// Runs from the loss of the session until it is back.
    pub(crate) timer: Option<Timer>,
}

impl Restart {
    /// Whether routes are retained.
    pub(crate) fn is_active(&self) -> bool {
        !self.families.is_empty()
    }

    /// The session that had `negotiated` is lost without a NOTIFICATION: what is retained from now on.
    /// Nothing, unless we help and the neighbour announced that it can restart.
    pub(crate) fn begin(now: Moment, config: &Config, negotiated: &Negotiated) -> Self {
        if !config.restart_helper {
            return Self::default();
        }
        let retained = |family: &Family| {
            let long_lived_s = long_lived_s(config, negotiated, *family);
            let kept = negotiated.restart_of(*family).is_some() || long_lived_s > 0;
            kept.then_some(Retained { family: *family, long_lived_s, stale: None })
        };
        let families: Vec<_> = negotiated.families.iter().filter_map(retained).collect();
        let timer =
            (!families.is_empty()).then(|| Timer::exact(now, config.terms.restart_s(negotiated.restart_time_s())));
        Self { families, timer }
    }

    /// The session is back: the clocks stop. Gives the families whose retained routes must go, since the
    /// neighbour has not kept its forwarding state or no longer says so (RFC 4724 4.2).
    pub(crate) fn back(&mut self, negotiated: &Negotiated) -> Vec<Family> {
        self.timer = None;
        let (kept, gone): (Vec<Retained>, Vec<Retained>) = self.families.iter().partition(|r| {
            let forwarding = if r.stale.is_some() {
                negotiated.long_lived_of(r.family).is_some_and(|(kept, _)| kept)
            } else {
                negotiated.restart_of(r.family) == Some(true)
            };
            forwarding && negotiated.has(r.family)
        });
        self.families = kept;
        for r in &mut self.families {
            r.stale = None;
        }
        gone.into_iter().map(|r| r.family).collect()
    }

    /// The neighbour has told everything of a family; true when it was awaited.
    pub(crate) fn told(&mut self, family: Family) -> bool {
        let before = self.families.len();
        self.families.retain(|r| r.family != family);
        self.families.len() < before
    }

    /// The restart time is over: families go on as long-lived stale, or go. Gives (long-lived, gone).
    pub(crate) fn expire(&mut self, now: Moment) -> (Vec<Family>, Vec<Family>) {
        self.timer = None;
        let (kept, gone): (Vec<Retained>, Vec<Retained>) = self.families.iter().partition(|r| r.long_lived_s > 0);
        self.families = kept;
        for r in &mut self.families {
            r.stale = Some(Timer::exact(now, r.long_lived_s));
        }
        let names = |rows: &[Retained]| rows.iter().map(|r| r.family).collect();
        (names(&self.families), names(&gone))
    }

    /// Removes the families whose long-lived stale time is over.
    pub(crate) fn expire_long_lived(&mut self, now: Moment) -> Vec<Family> {
        let due = |r: &Retained| r.stale.is_some_and(|t| t.is_due(now));
        let gone = self.families.iter().filter(|r| due(r)).map(|r| r.family).collect();
        self.families.retain(|r| !due(r));
        gone
    }

    /// The long-lived stale timer that expires first.
    pub(crate) fn stale_timer(&self) -> Option<Timer> {
        self.families.iter().filter_map(|r| r.stale).min_by_key(|t| t.expires)
    }

    pub(crate) fn next_deadline(&self) -> Option<Moment> {
        let timers = [self.timer, self.stale_timer()];
        timers.into_iter().flatten().map(|t| t.expires).min()
    }
}

/// The stale time that both sides want for a family: the neighbour's, when we help for long.
pub(crate) fn long_lived_s(config: &Config, negotiated: &Negotiated, family: Family) -> u32 {
    if !config.long_lived_helper {
        return 0;
    }
    let (least, most) = *config.long_lived_bounds_s.get(family);
    negotiated.long_lived_of(family).map_or(0, |(_, seconds)| seconds.min(most).max(least))
}
