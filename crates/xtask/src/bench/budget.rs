//! What must be reached: the table of the benchmark's budgets, and whether it is.
//!
//! Ratios are to BIRD 2.0.12 in the same run. No wall time need be below 1.3
//! times that of the relay.

use super::stage::Figures;

/// A figure of a phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Figure {
    Wall,
    Cpu,
    Rss,
    Updates,
    /// One of a scenario's own, by its name.
    More(&'static str),
    /// Processor time beyond that of another phase.
    CpuBeyond(&'static str),
    /// The lateness of keepalives, in any phase of the scenario.
    Keepalive,
}

/// What a figure is measured by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// In parts of BIRD 2's.
    Bird2,
    /// In parts of the bare loop's.
    Loop,
    /// As it is.
    Plain,
}

/// A row of the table.
pub struct Budget {
    pub scenario: &'static str,
    pub phase: &'static str,
    pub figure: Figure,
    pub measure: Measure,
    pub at_most: f64,
    pub aim: f64,
}

const fn to_bird2(scenario: &'static str, phase: &'static str, figure: Figure, at_most: f64, aim: f64) -> Budget {
    Budget { scenario, phase, figure, measure: Measure::Bird2, at_most, aim }
}

const fn plain(scenario: &'static str, phase: &'static str, figure: Figure, at_most: f64, aim: f64) -> Budget {
    Budget { scenario, phase, figure, measure: Measure::Plain, at_most, aim }
}

/// "BIRD's number" and "fewer".
const FEWER: f64 = 0.9999;
/// Memory is "where it was" within this; less is what allocators do by themselves.
const WHERE_IT_WAS_MIB: f64 = 8.0;

/// All budgets of the issue.
pub static BUDGETS: &[Budget] = &[
    to_bird2("full-table", "load", Figure::Wall, 0.35, 0.2),
    to_bird2("full-table", "load", Figure::Cpu, 0.5, 0.3),
    to_bird2("full-table", "load", Figure::Rss, 0.7, 0.5),
    to_bird2("full-table", "load", Figure::Updates, 1.0, FEWER),
    to_bird2("full-table", "all change", Figure::Wall, 0.35, 0.2),
    to_bird2("full-table", "all change", Figure::Cpu, 0.5, 0.3),
    to_bird2("full-table", "all change", Figure::Updates, 1.0, FEWER),
    to_bird2("full-table", "peer lost", Figure::Wall, 0.6, 0.4),
    to_bird2("full-table", "peer lost", Figure::Rss, 1.0, 0.25),
    to_bird2("full-table", "peer lost", Figure::Updates, 1.0, FEWER),
    to_bird2("ipv6", "load", Figure::Wall, 0.4, 0.2),
    to_bird2("ipv6", "load", Figure::Rss, 0.7, 0.5),
    to_bird2("ipv6", "load", Figure::Updates, 1.0, FEWER),
    to_bird2("two-feeds", "load", Figure::Wall, 0.35, 0.2),
    to_bird2("two-feeds", "load", Figure::Updates, 1.0, FEWER),
    to_bird2("four-feeds", "load", Figure::Rss, 0.7, 0.4),
    to_bird2("four-feeds", "load", Figure::Updates, 1.0, FEWER),
    to_bird2("route-server-50", "load", Figure::Wall, 0.25, 0.15),
    to_bird2("route-server-50", "load", Figure::Cpu, 0.15, 0.08),
    to_bird2("route-server-50", "load", Figure::Updates, 1.0, FEWER),
    to_bird2("route-server-200", "load", Figure::Wall, 0.25, 0.12),
    to_bird2("route-server-200", "load", Figure::Cpu, 0.12, 0.08),
    to_bird2("route-server-200", "load", Figure::Updates, 1.0, FEWER),
    to_bird2("filtered-route-server", "load", Figure::Wall, 1.0, 0.5),
    to_bird2("filtered-route-server", "load", Figure::Cpu, 1.0, 0.5),
    to_bird2("filtered-route-server", "load", Figure::Rss, 1.0, 0.5),
    to_bird2("filtered-route-server", "load", Figure::Updates, 1.0, FEWER),
    to_bird2("tables-and-pipes", "load", Figure::Wall, 1.0, 0.5),
    to_bird2("tables-and-pipes", "load", Figure::Cpu, 1.0, 0.5),
    to_bird2("tables-and-pipes", "load", Figure::Rss, 1.0, 0.5),
    to_bird2("tables-and-pipes", "load", Figure::Updates, 1.0, FEWER),
    Budget { scenario: "kernel", phase: "load", figure: Figure::Wall, measure: Measure::Loop, at_most: 1.3, aim: 1.1 },
    to_bird2("filter", "filtered load", Figure::CpuBeyond("plain load"), 0.3, 0.1),
    to_bird2("show-route", "show route", Figure::Wall, 0.5, 0.3),
    plain("show-route", "load", Figure::More("show status p99 ms"), 20.0, 5.0),
    plain("show-route", "load", Figure::More("show route for p99 ms"), 20.0, 5.0),
    plain("show-route", "all change", Figure::More("show status p99 ms"), 20.0, 5.0),
    plain("show-route", "all change", Figure::More("show route for p99 ms"), 20.0, 5.0),
    plain(
        "slow-reader",
        "one does not read, all change",
        Figure::More("growth MiB in 9 changes"),
        WHERE_IT_WAS_MIB,
        1.0,
    ),
    plain("flapper", "withdrawn again", Figure::More("growth MiB"), WHERE_IT_WAS_MIB, 1.0),
];

/// The lateness of keepalives is a budget of every scenario, in milliseconds.
pub const KEEPALIVE: Budget = plain("", "", Figure::Keepalive, 1000.0, 100.0);
/// No wall time need be below so many times the relay's.
pub const OF_RELAY: f64 = 1.3;

impl Figure {
    /// What it is called.
    pub fn title(self) -> String {
        match self {
            Self::Wall => "wall s".into(),
            Self::Cpu => "CPU s".into(),
            Self::Rss => "RSS MiB".into(),
            Self::Updates => "UPDATEs".into(),
            Self::More(name) => name.into(),
            Self::CpuBeyond(phase) => format!("CPU s beyond {phase}"),
            Self::Keepalive => "latest keepalive ms".into(),
        }
    }

    /// Its value in a phase; `None` where it is not of one phase, or was not measured.
    pub fn of(self, figures: &Figures) -> Option<f64> {
        match self {
            Self::Wall => Some(figures.wall_seconds),
            Self::Cpu | Self::CpuBeyond(_) => Some(figures.cpu_seconds),
            Self::Rss => Some(figures.rss_mib),
            Self::Updates => Some(figures.updates as f64),
            Self::More(name) => figures.more.get(name).copied(),
            Self::Keepalive => Some(figures.keepalive_late_ms),
        }
    }
}

/// How a figure stands to its budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Aim,
    Ok,
    Over,
}

impl Budget {
    /// `bound` is the least ratio that need be reached.
    pub fn judge(&self, value: f64, bound: f64) -> Verdict {
        match value {
            v if v <= self.aim.max(bound) => Verdict::Aim,
            v if v <= self.at_most.max(bound) => Verdict::Ok,
            _ => Verdict::Over,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::scenario;

    #[test]
    fn every_budget_is_of_a_scenario() {
        for budget in BUDGETS {
            assert!(scenario::find(budget.scenario).is_some(), "{}", budget.scenario);
            assert!(budget.aim <= budget.at_most);
        }
    }

    #[test]
    fn what_is_not_slower_than_the_relay_by_a_third_is_fast_enough() {
        let budget = to_bird2("full-table", "load", Figure::Wall, 0.35, 0.2);
        assert_eq!(budget.judge(0.3, 0.0), Verdict::Ok);
        assert_eq!(budget.judge(0.3, 0.32), Verdict::Aim);
        assert_eq!(budget.judge(0.4, 0.32), Verdict::Over);
    }
}
