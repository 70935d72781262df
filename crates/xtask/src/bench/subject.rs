//! The daemons that are measured: what they are called, where they are, and how they are started.

use super::conf::{self, Dialect};
use super::scenario::{Bound, Part, Scenario};
use super::stage::Setting;
use super::table::Family;
use crate::build;
use crate::netns::Netns;
use anyhow::{Context, Result};
use clap::ValueEnum;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Who is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Subject {
    /// Ours.
    Rbird,
    /// BIRD 1.6.8.
    Bird,
    /// BIRD 2.0.12.
    Bird2,
    /// No daemon: frames and copies.
    Relay,
    /// No daemon: a bare loop of netlink requests.
    Loop,
}

/// What is known of one.
struct Row {
    subject: Subject,
    title: &'static str,
    program: fn(Family) -> Result<PathBuf>,
    configuration: fn(&Part, &Setting) -> String,
    /// Arguments: the configuration, the control socket, the scenario.
    arguments: fn(&Path, &Path, &Setting) -> Vec<String>,
    takes: fn(&Scenario) -> bool,
    /// It makes its control socket, if the scenario needs one.
    controlled: bool,
}

static SUBJECTS: &[Row] = &[
    Row {
        subject: Subject::Rbird,
        title: "rbird",
        program: |_| Ok(build::programs()?.daemon),
        configuration: |part, setting| (part.configuration)(setting, Dialect::V1),
        arguments: |conf, control, setting| {
            let mut arguments = birds(conf, control, setting);
            arguments.extend(["--family".into(), if setting.family == Family::Ipv4 { "4" } else { "6" }.into()]);
            arguments
        },
        takes: |_| true,
        controlled: true,
    },
    Row {
        subject: Subject::Bird,
        title: "BIRD 1.6",
        program: |family| {
            let program = if family == Family::Ipv4 { "bird" } else { "bird6" };
            build::which(program).context("BIRD 1.6 is not installed: apt-get install bird")
        },
        configuration: |part, setting| (part.configuration)(setting, Dialect::V1),
        arguments: birds,
        takes: |_| true,
        controlled: true,
    },
    Row {
        subject: Subject::Bird2,
        title: "BIRD 2",
        program: |_| Ok(build::bird2()?.join("bird")),
        configuration: |part, setting| (part.configuration)(setting, Dialect::V2),
        arguments: birds,
        takes: |_| true,
        controlled: true,
    },
    Row {
        subject: Subject::Relay,
        title: "relay",
        program: |_| Ok(std::env::current_exe()?),
        configuration: |_, _| String::new(),
        arguments: |_, _, setting| {
            let six = (setting.family == Family::Ipv6).then(|| "--six".into());
            let sessions = setting.sessions().to_string();
            ["inside".into(), "relay".into(), sessions].into_iter().chain(six).collect()
        },
        takes: |s| s.bound == Bound::Relay,
        controlled: false,
    },
    Row {
        subject: Subject::Loop,
        title: "bare loop",
        program: |_| Ok(PathBuf::new()),
        configuration: |_, _| String::new(),
        arguments: |_, _, _| Vec::new(),
        takes: |s| s.bound == Bound::Loop,
        controlled: false,
    },
];

/// In the foreground, with messages on stderr.
fn birds(conf: &Path, control: &Path, _: &Setting) -> Vec<String> {
    let path = |p: &Path| p.display().to_string();
    ["-d".into(), "-c".into(), path(conf), "-s".into(), path(control)].to_vec()
}

impl Subject {
    fn row(self) -> &'static Row {
        // Each has its row; a test counts them.
        SUBJECTS.iter().find(|r| r.subject == self).unwrap_or(&SUBJECTS[0])
    }

    /// What it is called in the figures.
    pub fn title(self) -> &'static str {
        self.row().title
    }

    /// Whether it can be measured in a scenario.
    pub fn takes(self, scenario: &Scenario) -> bool {
        (self.row().takes)(scenario)
    }

    /// No daemon but a bound from below.
    pub const fn is_bound(self) -> bool {
        matches!(self, Self::Relay | Self::Loop)
    }

    pub fn is_controlled(self) -> bool {
        self.row().controlled
    }

    /// The program; built, found or fetched.
    pub fn program(self, family: Family) -> Result<PathBuf> {
        (self.row().program)(family)
    }

    /// A command that starts it in the daemon's namespace.
    pub fn command(self, netns: &Netns, program: &Path, dir: &Path, part: &Part, setting: &Setting) -> Result<Command> {
        let conf = dir.join(conf::FILE);
        std::fs::write(&conf, (self.row().configuration)(part, setting))?;
        let mut command = netns.command("daemon", &program.display().to_string());
        command.args((self.row().arguments)(&conf, &setting.control, setting));
        Ok(command)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_subject_has_its_row() {
        for subject in Subject::value_variants() {
            assert_eq!(SUBJECTS.iter().filter(|r| r.subject == *subject).count(), 1, "{subject:?}");
        }
    }
}
