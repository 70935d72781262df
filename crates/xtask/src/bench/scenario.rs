//! The scenarios: one table of what is measured.
//!
//! A row says who announces how much to whom, how the daemon is configured and
//! what happens; `plays` holds the happening, `conf` the configurations, `budget`
//! what must be reached.

use super::conf::{self, Policy};
use super::ears::Choice;
use super::plays;
use super::stage::{Setting, Stage};
use super::subject::Subject;
use super::table::{Family, Sharing};
use anyhow::Result;
use std::path::PathBuf;
use std::time::Duration;

/// How much is done.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    pub routes: usize,
    /// Peers that announce.
    pub peers: usize,
    /// Length of the phases that have one.
    pub seconds: u64,
}

const fn scale(routes: usize, peers: usize, seconds: u64) -> Scale {
    Scale { routes, peers, seconds }
}

/// What bounds a scenario from below on this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// A relay that frames and copies.
    Relay,
    /// A bare loop of batched netlink requests.
    Loop,
    None,
}

/// One start of a daemon.
pub struct Part {
    pub policy: Policy,
    pub play: fn(&mut Stage) -> Result<()>,
}

/// What is measured.
pub struct Scenario {
    pub name: &'static str,
    pub about: &'static str,
    pub family: Family,
    /// How it is measured, and how it is tried.
    pub full: Scale,
    pub small: Scale,
    /// How many peers announce each set.
    pub copies: usize,
    /// Peers that only hear.
    pub receivers: usize,
    pub hold_s: u16,
    pub choice: Choice,
    pub bound: Bound,
    /// Questions are asked on the daemon's control socket, in BIRD's language.
    pub asks: bool,
    pub parts: &'static [Part],
}

const PLAIN: Part = Part { policy: Policy::Plain, play: plays::life };

const ROW: Scenario = Scenario {
    name: "",
    about: "",
    family: Family::Ipv4,
    full: scale(1_000_000, 1, 60),
    small: scale(3_000, 1, 2),
    copies: 1,
    receivers: 1,
    hold_s: 240,
    choice: Choice::Best,
    bound: Bound::Relay,
    asks: false,
    parts: &[PLAIN],
};

/// All of them.
pub static SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "full-table",
        about: "one peer's full table to another: load, every path changes, the peer is lost",
        ..ROW
    },
    Scenario { name: "ipv6", about: "the same with IPv6", family: Family::Ipv6, full: scale(250_000, 1, 0), ..ROW },
    Scenario {
        name: "two-feeds",
        about: "two peers announce the same full table, one of them is lost",
        full: scale(1_000_000, 2, 0),
        small: scale(3_000, 2, 0),
        copies: 2,
        parts: &[Part { play: plays::feeds, ..PLAIN }],
        ..ROW
    },
    Scenario {
        name: "four-feeds",
        about: "four peers announce the same full table: memory",
        full: scale(1_000_000, 4, 0),
        small: scale(3_000, 4, 0),
        copies: 4,
        parts: &[Part { play: plays::feeds, ..PLAIN }],
        ..ROW
    },
    Scenario {
        name: "route-server-50",
        about: "50 peers with 2,000 routes each, everybody hears everything",
        full: scale(100_000, 50, 0),
        small: scale(1_000, 5, 0),
        receivers: 0,
        parts: &[Part { play: plays::feeds, ..PLAIN }],
        ..ROW
    },
    Scenario {
        name: "route-server-200",
        about: "200 peers with 500 routes each, everybody hears everything",
        full: scale(100_000, 200, 0),
        small: scale(1_000, 20, 0),
        receivers: 0,
        parts: &[Part { play: plays::feeds, ..PLAIN }],
        ..ROW
    },
    Scenario {
        name: "filtered-route-server",
        about: "200 peers with 500 paths each, an export filter each, a sorted table and `secondary`",
        full: scale(50_000, 200, 0),
        small: scale(1_000, 10, 0),
        copies: 2,
        receivers: 0,
        choice: Choice::BestAllowed,
        bound: Bound::None,
        parts: &[Part { policy: Policy::RouteServer, play: plays::feeds }],
        ..ROW
    },
    Scenario {
        name: "tables-and-pipes",
        about: "200 peers with 100 paths each, a table each, and two pipes between it and the common one",
        full: scale(10_000, 200, 0),
        small: scale(500, 5, 0),
        copies: 2,
        receivers: 0,
        choice: Choice::BestOfItsTable,
        bound: Bound::None,
        parts: &[Part { policy: Policy::Pipes, play: plays::feeds }],
        ..ROW
    },
    Scenario {
        name: "kernel",
        about: "one peer's routes into the kernel, and out of it when the peer is lost",
        full: scale(500_000, 1, 0),
        receivers: 0,
        bound: Bound::Loop,
        parts: &[Part { policy: Policy::Kernel, play: plays::into_the_kernel }],
        ..ROW
    },
    Scenario {
        name: "filter",
        about: "an import filter with two prefix sets of 10,000, path length, bogon AS numbers, an added community",
        bound: Bound::None,
        parts: &[
            Part { play: plays::plain_load, ..PLAIN },
            Part { policy: Policy::Checked, play: plays::filtered_load },
        ],
        ..ROW
    },
    Scenario {
        name: "show-route",
        about: "the control socket asked every 20 ms while the table comes and changes; then `show route` to the end",
        bound: Bound::None,
        asks: true,
        parts: &[Part { play: plays::shown, ..PLAIN }],
        ..ROW
    },
    Scenario {
        name: "reload",
        about: "500 peers behind export filters with prefix sets of 100,000; one member of one set changes",
        full: scale(2_000, 500, 0),
        small: scale(500, 20, 0),
        receivers: 0,
        bound: Bound::None,
        asks: true,
        parts: &[Part { policy: Policy::LargeSets, play: plays::reloads }],
        ..ROW
    },
    Scenario {
        name: "configuration",
        about: "a generated route server of 20,000 lines, both families: read by `-p`, then by `configure`",
        full: scale(0, 2, 0),
        small: scale(0, 2, 0),
        receivers: 0,
        bound: Bound::None,
        asks: true,
        parts: &[Part { policy: Policy::Generated, play: plays::reads }],
        ..ROW
    },
    Scenario {
        name: "idle",
        about: "500 sessions that say nothing, hold time 9 s",
        full: scale(0, 500, 60),
        small: scale(0, 20, 2),
        receivers: 0,
        hold_s: 9,
        bound: Bound::None,
        parts: &[Part { play: plays::idle, ..PLAIN }],
        ..ROW
    },
    Scenario {
        name: "churn",
        about: "one in a hundred attribute sets changes each second, for a minute",
        bound: Bound::None,
        parts: &[Part { play: plays::churn, ..PLAIN }],
        ..ROW
    },
    Scenario {
        name: "slow-reader",
        about: "one of two receivers stops reading while all paths change ten times",
        full: scale(200_000, 1, 0),
        receivers: 2,
        bound: Bound::None,
        parts: &[Part { play: plays::slow_reader, ..PLAIN }],
        ..ROW
    },
    Scenario {
        name: "flapper",
        about: "the same routes announced and withdrawn as fast as the daemon reads, for a minute",
        full: scale(100_000, 1, 60),
        bound: Bound::None,
        parts: &[Part { play: plays::flapper, ..PLAIN }],
        ..ROW
    },
    Scenario {
        name: "ten-feeds",
        about: "a full table on ten sessions at once, hold time 9 s: every session stays",
        full: scale(1_000_000, 10, 0),
        small: scale(3_000, 10, 0),
        copies: 10,
        hold_s: 9,
        bound: Bound::None,
        parts: &[Part { play: plays::load, ..PLAIN }],
        ..ROW
    },
];

/// A scenario by its name.
pub fn find(name: &str) -> Option<&'static Scenario> {
    SCENARIOS.iter().find(|s| s.name == name)
}

impl Scenario {
    /// What a part of it means for a daemon; the process is not known yet.
    pub fn setting(&self, part: &Part, scale: Scale, subject: Subject, limit: Duration) -> Setting {
        let checked = part.policy == Policy::Checked;
        Setting {
            family: self.family,
            routes: scale.routes,
            sharing: Sharing { peers: scale.peers, copies: self.copies.min(scale.peers) },
            receivers: self.receivers,
            hold_s: self.hold_s,
            seconds: scale.seconds,
            choice: self.choice,
            denies: self.choice != Choice::Best,
            limit,
            community: checked.then_some(conf::CHECKED),
            rejected: if checked { conf::rejected(scale.routes) } else { 0 },
            // Route servers with filters are transparent (`rs client`).
            transparent: subject == Subject::Relay || self.choice != Choice::Best,
            only_copies: subject == Subject::Relay,
            echoes: subject.echoes(),
            pid: 0,
            control: PathBuf::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scenario_has_a_name_of_its_own_and_fewer_routes_when_small() {
        for (n, scenario) in SCENARIOS.iter().enumerate() {
            assert!(SCENARIOS[..n].iter().all(|s| s.name != scenario.name), "{}", scenario.name);
            assert!(scenario.small.routes <= scenario.full.routes && scenario.small.peers <= scenario.full.peers);
        }
    }
}
