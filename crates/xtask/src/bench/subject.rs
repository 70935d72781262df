//! The daemons that are measured: what they are called, where they are, and how they are started.

use super::conf::{self, Dialect, Policy};
use super::foreign;
use super::scenario::{Bound, Part, Scenario};
use super::stage::Setting;
use super::table::Family;
use crate::build;
use crate::netns::Netns;
use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use std::os::unix::fs::PermissionsExt;
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
    /// FRR's bgpd.
    Frr,
    /// GoBGP's gobgpd.
    Gobgp,
    /// OpenBGPD, all its processes.
    Openbgpd,
    /// No daemon: frames and copies.
    Relay,
    /// No daemon: a bare loop of netlink requests.
    Loop,
}

/// What is known of one: the one list of all that is measured.
struct Row {
    subject: Subject,
    title: &'static str,
    program: fn(Family) -> Result<PathBuf>,
    /// What stands in its file: the policy, the scenario, its folder.
    configuration: fn(Policy, &Setting, &Path) -> String,
    /// Arguments: the configuration, the control socket, the scenario.
    arguments: fn(&Path, &Path, &Setting) -> Vec<String>,
    /// Why it cannot be measured in a scenario.
    cannot: fn(&Scenario) -> Option<&'static str>,
    /// It makes its control socket when it has read its configuration.
    controlled: bool,
    /// It tells a peer that peer's own path too.
    echoes: bool,
}

/// What most have in common.
const ROW: Row = Row {
    subject: Subject::Rbird,
    title: "",
    program: |_| Ok(PathBuf::new()),
    configuration: |_, _, _| String::new(),
    arguments: |_, _, _| Vec::new(),
    cannot: |_| None,
    controlled: false,
    echoes: false,
};

static SUBJECTS: &[Row] = &[
    Row {
        subject: Subject::Rbird,
        title: "rbird",
        program: |_| Ok(build::programs()?.daemon),
        configuration: |policy, setting, _| conf::bird(policy, setting, Dialect::V1),
        arguments: |conf, control, setting| {
            let mut arguments = birds(conf, control, setting);
            arguments.extend(["--family".into(), if setting.family == Family::Ipv4 { "4" } else { "6" }.into()]);
            arguments
        },
        controlled: true,
        ..ROW
    },
    Row {
        subject: Subject::Bird,
        title: "BIRD 1.6",
        program: |family| {
            let program = if family == Family::Ipv4 { "bird" } else { "bird6" };
            build::which(program).context("BIRD 1.6 is not installed: apt-get install bird")
        },
        configuration: |policy, setting, _| conf::bird(policy, setting, Dialect::V1),
        arguments: birds,
        cannot: |s| {
            s.parts.iter().any(|p| p.policy == Policy::Generated).then_some("the configuration is of BIRD 2's language")
        },
        controlled: true,
        ..ROW
    },
    Row {
        subject: Subject::Bird2,
        title: "BIRD 2",
        program: |_| Ok(build::bird2()?.join("bird")),
        configuration: |policy, setting, _| conf::bird(policy, setting, Dialect::V2),
        arguments: birds,
        controlled: true,
        ..ROW
    },
    Row {
        subject: Subject::Frr,
        title: "FRR",
        program: |_| {
            let program = PathBuf::from("/usr/lib/frr/bgpd");
            ensure!(program.is_file(), "FRR is not installed: apt-get install frr");
            Ok(program)
        },
        configuration: |_, setting, _| foreign::frr(setting),
        // Alone: without zebra, which nothing here would ask, as the others run without their kernel's side.
        arguments: |conf, control, _| {
            let beside = |name| control.with_file_name(name).display().to_string();
            let words = ["-Z", "-S", "-P", "0", "-f", &conf.display().to_string()].map(str::to_owned);
            words.into_iter().chain(["-i".into(), beside("pid"), "--vty_socket".into(), beside("")]).collect()
        },
        cannot: foreign::cannot,
        echoes: true,
        ..ROW
    },
    Row {
        subject: Subject::Gobgp,
        title: "GoBGP",
        program: |_| build::which("gobgpd").context("GoBGP is not installed: apt-get install gobgpd"),
        configuration: |_, setting, _| foreign::gobgp(setting),
        arguments: |conf, _, _| ["-t", "toml", "-f", &conf.display().to_string()].map(str::to_owned).to_vec(),
        cannot: foreign::cannot,
        ..ROW
    },
    Row {
        subject: Subject::Openbgpd,
        title: "OpenBGPD",
        program: openbgpd,
        configuration: |_, setting, dir| foreign::openbgpd(setting, &dir.join("socket").display().to_string()),
        arguments: |conf, _, _| ["-d", "-f", &conf.display().to_string()].map(str::to_owned).to_vec(),
        cannot: foreign::cannot,
        ..ROW
    },
    Row {
        subject: Subject::Relay,
        title: "relay",
        program: |_| Ok(std::env::current_exe()?),
        arguments: |_, _, setting| {
            let six = (setting.family == Family::Ipv6).then(|| "--six".into());
            let sessions = setting.sessions().to_string();
            ["inside".into(), "relay".into(), sessions].into_iter().chain(six).collect()
        },
        cannot: |s| (s.bound != Bound::Relay).then_some("to copy is no bound of it"),
        ..ROW
    },
    Row {
        subject: Subject::Loop,
        title: "bare loop",
        cannot: |s| (s.bound != Bound::Loop).then_some("it has nothing to do with the kernel's routes"),
        ..ROW
    },
];

/// Debian's `bgpd`, that of FRR is another. Its package leaves it to its unit to make the folder that it locks itself into.
fn openbgpd(_: Family) -> Result<PathBuf> {
    ensure!(build::which("bgpctl").is_some(), "OpenBGPD is not installed: apt-get install openbgpd");
    let user = nix::unistd::User::from_name("_openbgpd")?
        .context("OpenBGPD's user _openbgpd is missing: reinstall openbgpd")?;
    std::fs::create_dir_all(&user.dir).with_context(|| user.dir.display().to_string())?;
    build::which("bgpd").context("OpenBGPD has no bgpd: apt-get install openbgpd")
}

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

    /// Why it cannot be measured in a scenario; `None` when it can.
    pub fn cannot(self, scenario: &Scenario) -> Option<&'static str> {
        (self.row().cannot)(scenario)
    }

    /// Whether it tells a peer that peer's own path too.
    pub fn echoes(self) -> bool {
        self.row().echoes
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
        std::fs::write(&conf, (self.row().configuration)(part.policy, setting, dir))?;
        // OpenBGPD reads no file that others may read.
        std::fs::set_permissions(&conf, std::fs::Permissions::from_mode(0o600))?;
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
