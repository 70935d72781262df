//! `cargo xtask test`: the whole test run, from a bare machine to the labs with real peers.
//!
//! Steps run in order and stop at the first that fails. What is missing on the
//! machine is installed first (apt, as root); a test whose peer cannot be
//! installed fails, it does not pass by not running.

use crate::build::{self, cargo, top, which};
use crate::netns::success;
use crate::{count, fuzz};
use anyhow::{Context, Result, bail};
use clap::Args;
use std::process::Command;
use std::time::Duration;

#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Leave out what needs root or other daemons, and the fuzzing: format, lint, unit and doc tests only.
    #[arg(long)]
    pub quick: bool,
    /// Run each fuzz target for so many seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 20)]
    pub fuzz: u64,
}

/// Crates whose tests need root, network namespaces, or other daemons.
const SLOW: &[&str] = &["rbird-integration", "rbird-netlink", "rbird-daemon", "rbird-testkit"];

/// The same of a test in a crate whose other tests need nothing.
const SLOW_TEST: &str = "every_scenario_of_the_benchmark";

/// A program that tests need, and the Debian package that has it.
const NEEDED: &[(&str, &str)] = &[
    ("ip", "iproute2"),
    ("bird", "bird"),
    ("tcpdump", "tcpdump"),
    ("tshark", "tshark"),
    ("traceroute", "traceroute"),
    ("curl", "curl"),
    ("vtysh", "frr"),
    ("gobgpd", "gobgpd"),
    ("bgpctl", "openbgpd"),
    ("bgpdump", "bgpdump"),
    ("stayrtr", "stayrtr"),
    ("python3", "python3"),
    ("g++", "g++"),
    ("valgrind", "valgrind"),
];

pub fn run(options: &Options) -> Result<()> {
    if !options.quick {
        apt_install(NEEDED)?;
    }
    step("format", &["fmt", "--all", "--check"], options.quick)?;
    // The programs are linked as one unit, for a minute on one processor: it has its own folder, so the lint can use the other.
    let programs = (!options.quick).then(build::Background::start).transpose()?;
    step("lint", &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"], options.quick)?;
    step("documentation", &["doc", "--workspace", "--no-deps", "--quiet"], options.quick)?;
    if let Some(programs) = programs {
        println!("\n== fuzz: each target for {} s", options.fuzz);
        let targets = fuzz::Targets::build()?;
        println!("\n== programs");
        programs.wait()?;
        targets.run(Duration::from_secs(options.fuzz))?;
        println!("\n== instructions a route");
        count::run(&count::Options::default())?;
    }
    step("doc tests", &["test", "--workspace", "--doc", "--quiet"], options.quick)?;
    // Last, so that the run ends with what cargo says about it; all of them, so that one run names every failure.
    let mut tests = vec!["test", "--workspace", "--no-fail-fast", "--lib", "--bins", "--tests"];
    if options.quick {
        tests.extend(SLOW.iter().flat_map(|name| ["--exclude", name]));
        tests.extend(["--", "--skip", SLOW_TEST]);
    }
    step("tests", &tests, options.quick)
}

fn step(name: &str, arguments: &[&str], quick: bool) -> Result<()> {
    println!("\n== {name}: cargo {}", arguments.join(" "));
    let mut cargo = cargo(arguments);
    cargo.current_dir(top()).env("RUSTDOCFLAGS", "-D warnings");
    if quick {
        cargo.env("RBIRD_QUICK", "1");
    }
    if std::env::var_os("RUST_TEST_THREADS").is_none() {
        cargo.env("RUST_TEST_THREADS", threads().to_string());
    }
    let status = cargo.status().context("cargo")?;
    if !status.success() {
        bail!("{name}: failed");
    }
    Ok(())
}

/// How many tests of a crate run side by side: those with real peers mostly wait.
fn threads() -> usize {
    2 * std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// Installs the packages of those programs that are not there.
pub fn apt_install(needed: &[(&str, &str)]) -> Result<()> {
    let missing: Vec<&str> =
        needed.iter().filter(|(program, _)| which(program).is_none()).map(|(_, package)| *package).collect();
    if missing.is_empty() {
        return Ok(());
    }
    if !nix::unistd::geteuid().is_root() {
        bail!("this needs root and these packages: apt-get install {}", missing.join(" "));
    }
    println!("installing {}", missing.join(" "));
    let apt = |arguments: &[&str]| {
        success(Command::new("apt-get").args(arguments).env("DEBIAN_FRONTEND", "noninteractive")).map(|_| ())
    };
    apt(&["-q", "update"])?;
    let mut install = vec!["-q", "install", "-y", "--no-install-recommends"];
    install.extend(&missing);
    apt(&install).with_context(|| format!("installing {}", missing.join(" ")))
}
