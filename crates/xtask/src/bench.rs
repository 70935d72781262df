//! `cargo xtask bench`: rbird measured against the daemons of the field, on this machine, in this run.
//!
//! Each round starts every daemon once, in turn, so that what else the machine
//! does falls on all of them alike; what is told in the end are medians, and
//! ratios to one of the others. A daemon lives in a network namespace, our load
//! in another (see `load`), joined by two veth pairs: one to the feeder, one to
//! the receiver. Nothing is tuned: import all, export all.
//!
//! - `table`: the synthetic Internet table, seeded.
//! - `load`: the feeder, the receiver and the clock; a program of its own.
//! - `speaker`: as much BGP as these need.
//! - `subject`: the daemons.
//! - `report`: medians, ratios, the table and the JSON.

pub mod load;
mod report;
mod speaker;
mod subject;
mod table;

use crate::netns::{Netns, ip};
use crate::reenter;
use anyhow::{Context, Result, bail, ensure};
use clap::{Args, ValueEnum};
use report::Measured;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use subject::Subject;

const PREFIX: &str = "rbb";

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Scenario {
    /// One peer's whole table to another peer: load, every path changes, the first peer is lost.
    FullTable,
}

#[derive(Args, Clone, Debug)]
pub struct Options {
    /// What is measured.
    #[arg(default_value = "full-table")]
    pub scenario: Scenario,
    /// Measure against these; ratios are to the first. bird2 is Debian's BIRD 2.0.12, bird BIRD 1.6.8.
    #[arg(long, value_delimiter = ',', default_value = "bird2,bird")]
    pub against: Vec<Subject>,
    /// How often each daemon is measured.
    #[arg(long, default_value_t = 3)]
    pub rounds: usize,
    /// Routes in the table.
    #[arg(long, default_value_t = 1_000_000)]
    pub routes: usize,
    /// Write all figures to this file.
    #[arg(long)]
    pub json: Option<PathBuf>,
}

/// Runs all rounds and prints the figures.
pub fn run(options: &Options) -> Result<()> {
    reenter::as_root()?;
    ensure!(options.routes <= table::ROUTES_MAX, "at most {} routes", table::ROUTES_MAX);
    let netns = Netns::new(&format!("{PREFIX}{}-", std::process::id()));
    let mut subjects = vec![Subject::Rbird];
    subjects.extend(options.against.iter().filter(|s| **s != Subject::Rbird));
    let programs = subjects.iter().map(|s| s.program()).collect::<Result<Vec<_>>>()?;
    let mut all = Vec::new();
    for round in 1..=options.rounds {
        for (subject, program) in subjects.iter().zip(&programs) {
            eprintln!("round {round} of {}: {}", options.rounds, subject.title());
            let bench = Bench::new(netns.clone())?;
            let phases = bench.measure(*subject, program, options.routes)?;
            all.extend(phases.into_iter().map(|figures| Measured { subject: subject.title().into(), round, figures }));
        }
    }
    println!("{}", report::table(&all, options.routes));
    if let Some(path) = &options.json {
        std::fs::write(path, serde_json::to_string_pretty(&all)?).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

/// The two namespaces of one measurement; they are removed with it.
struct Bench {
    netns: Netns,
    dir: PathBuf,
}

impl Bench {
    fn new(netns: Netns) -> Result<Self> {
        netns.remove();
        let dir = std::env::temp_dir().join(netns.name("dir"));
        std::fs::create_dir_all(&dir)?;
        let (here, far) = (netns.name("daemon"), netns.name("load"));
        for ns in [&here, &far] {
            ip(&["netns", "add", ns])?;
            ip(&["-n", ns, "link", "set", "lo", "up"])?;
        }
        for n in ["1", "2"] {
            let link = format!("b{n}");
            ip(&["link", "add", &link, "netns", &here, "type", "veth", "peer", "name", &link, "netns", &far])?;
            for (ns, host) in [(&here, 1), (&far, 2)] {
                ip(&["-n", ns, "addr", "add", &format!("10.99.{n}.{host}/24"), "dev", &link])?;
                ip(&["-n", ns, "link", "set", &link, "up"])?;
            }
        }
        Ok(Self { netns, dir })
    }

    fn measure(&self, subject: Subject, program: &Path, routes: usize) -> Result<Vec<load::Figures>> {
        let conf = self.dir.join("bench.conf");
        let log = self.dir.join("log");
        std::fs::write(&conf, subject.configuration())?;
        let said = std::fs::File::create(&log)?;
        let mut daemon = self.netns.command("daemon", &program.display().to_string());
        daemon.arg("-d").arg("-c").arg(&conf).arg("-s").arg(self.dir.join("ctl"));
        let daemon = Running(daemon.stdin(Stdio::null()).stdout(said.try_clone()?).stderr(said).spawn()?);
        let myself = std::env::current_exe()?;
        let mut load = self.netns.command("load", &myself.display().to_string());
        load.args(["inside", "load", "--pid", &daemon.0.id().to_string(), "--routes", &routes.to_string()]);
        let out = load.stdin(Stdio::null()).output()?;
        if !out.status.success() {
            let log = std::fs::read_to_string(&log).unwrap_or_default();
            bail!("{}: {}{log}", subject.title(), String::from_utf8_lossy(&out.stderr));
        }
        Ok(serde_json::from_slice(&out.stdout)?)
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.netns.remove();
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

/// A daemon; it ends with its measurement. `ip netns exec` becomes the daemon, so the process is its.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
