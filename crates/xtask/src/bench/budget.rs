//! What must be reached: the table of the benchmark's budgets, and whether it is.
//!
//! Ratios are to BIRD 2.0.12 in the same run. No wall time need be below 1.3
//! times that of the relay.

use super::stage::Figures;
use Figure::{Cpu, CpuBeyond, Keepalive, More, Rss, Updates, Wall};
use Measure::{Bird2, Loop, Plain};

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
#[derive(Clone, Copy)]
pub struct Budget {
    /// Empty: every scenario.
    pub scenario: &'static str,
    /// Empty: the worst of all phases.
    pub phase: &'static str,
    pub figure: Figure,
    pub measure: Measure,
    pub at_most: f64,
    pub aim: f64,
}

const fn row(
    scenario: &'static str,
    phase: &'static str,
    figure: Figure,
    measure: Measure,
    at_most: f64,
    aim: f64,
) -> Budget {
    Budget { scenario, phase, figure, measure, at_most, aim }
}

/// "BIRD's number" and "fewer".
const FEWER: f64 = 0.9999;
/// Memory is "where it was" within this; less is what allocators do by themselves.
const WHERE_IT_WAS_MIB: f64 = 8.0;

/// All budgets of the issue, a line each.
pub static BUDGETS: &[Budget] = &[
    row("full-table", "load", Wall, Bird2, 0.35, 0.2),
    row("full-table", "load", Cpu, Bird2, 0.5, 0.3),
    row("full-table", "load", Rss, Bird2, 0.7, 0.5),
    row("full-table", "all change", Wall, Bird2, 0.35, 0.2),
    row("full-table", "all change", Cpu, Bird2, 0.5, 0.3),
    row("full-table", "peer lost", Wall, Bird2, 0.6, 0.4),
    row("full-table", "peer lost", Rss, Bird2, 1.0, 0.25),
    row("ipv6", "load", Wall, Bird2, 0.4, 0.2),
    row("ipv6", "load", Rss, Bird2, 0.7, 0.5),
    row("two-feeds", "load", Wall, Bird2, 0.35, 0.2),
    row("four-feeds", "load", Rss, Bird2, 0.7, 0.4),
    row("route-server-50", "load", Wall, Bird2, 0.25, 0.15),
    row("route-server-50", "load", Cpu, Bird2, 0.15, 0.08),
    row("route-server-200", "load", Wall, Bird2, 0.25, 0.12),
    row("route-server-200", "load", Cpu, Bird2, 0.12, 0.08),
    row("filtered-route-server", "load", Wall, Bird2, 1.0, 0.5),
    row("filtered-route-server", "load", Cpu, Bird2, 1.0, 0.5),
    row("filtered-route-server", "load", Rss, Bird2, 1.0, 0.5),
    row("tables-and-pipes", "load", Wall, Bird2, 1.0, 0.5),
    row("tables-and-pipes", "load", Cpu, Bird2, 1.0, 0.5),
    row("tables-and-pipes", "load", Rss, Bird2, 1.0, 0.5),
    row("kernel", "load", Wall, Loop, 1.3, 1.1),
    row("filter", "filtered load", CpuBeyond("plain load"), Bird2, 0.3, 0.1),
    row("show-route", "show route", Wall, Bird2, 0.5, 0.3),
    row("show-route", "load", More("show status p99 ms"), Plain, 20.0, 5.0),
    row("show-route", "load", More("show route for p99 ms"), Plain, 20.0, 5.0),
    row("show-route", "all change", More("show status p99 ms"), Plain, 20.0, 5.0),
    row("show-route", "all change", More("show route for p99 ms"), Plain, 20.0, 5.0),
    row("slow-reader", "one does not read, all change", More("growth MiB in 9 changes"), Plain, WHERE_IT_WAS_MIB, 1.0),
    row("flapper", "withdrawn again", More("growth MiB"), Plain, WHERE_IT_WAS_MIB, 1.0),
    row("", "load", Updates, Bird2, 1.0, FEWER),
    row("", "all change", Updates, Bird2, 1.0, FEWER),
    row("", "peer lost", Updates, Bird2, 1.0, FEWER),
    row("", "", Keepalive, Plain, 1000.0, 100.0),
];

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
            assert!(budget.scenario.is_empty() || scenario::find(budget.scenario).is_some(), "{}", budget.scenario);
            assert!(budget.aim <= budget.at_most);
        }
    }

    #[test]
    fn what_is_not_slower_than_the_relay_by_a_third_is_fast_enough() {
        let budget = row("full-table", "load", Wall, Bird2, 0.35, 0.2);
        assert_eq!(budget.judge(0.3, 0.0), Verdict::Ok);
        assert_eq!(budget.judge(0.3, 0.32), Verdict::Aim);
        assert_eq!(budget.judge(0.4, 0.32), Verdict::Over);
    }
}
