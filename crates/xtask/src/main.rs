//! `cargo xtask`: everything that is done with the project beside compiling it.
//!
//! `lab` lays out the scenario in network namespaces and shows it working;
//! `test` is the whole test run, from installing what is missing to the labs
//! with real peers; `boot` runs rbird under systemd in a tree of its own;
//! `bench` measures against the real daemons; `count` counts instructions. The commands
//! behind `inside` are the lab's own small programs (a page over HTTP, a
//! traceroute, a packet watch), run by this same binary inside a namespace, so
//! that a machine needs nothing but `ip`.

use anyhow::Result;
use clap::{Parser, Subcommand};
use rbird_xtask::{bench, boot, count, filters, inside, lab, suite};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Work on rbird: lab, test, boot, bench, count, filters")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Lay out the lab in network namespaces, start it, show what it does, and clean up.
    Lab(lab::Options),
    /// Install what is missing, then format, lint, unit tests, doc tests, and the labs with real peers.
    Test(suite::Options),
    /// Measure rbird against the daemons of the field.
    Bench(bench::Options),
    /// Count the instructions that a route costs on each part of its way, and hold them against the limits.
    Count(count::Options),
    /// Run random filter programs in BIRD (1.6, or 2.0 with `--dialect 2`) and in rbird, and compare. Needs root and that BIRD.
    Filters(filters::Options),
    /// Boot a Debian 12 with systemd and try rbird under its units: ready, reload, crash, hang, stop. Needs root.
    Boot,
    /// The lab's own programs, run inside a namespace.
    #[command(hide = true, subcommand)]
    Inside(inside::Program),
}

fn main() -> Result<()> {
    match Arguments::parse().command {
        Command::Lab(options) => lab::run(&options),
        Command::Test(options) => suite::run(&options),
        Command::Bench(options) => bench::run(&options),
        Command::Count(options) => count::run(&options),
        Command::Filters(options) => filters::run(&options),
        Command::Boot => boot::run(),
        Command::Inside(program) => inside::run(&program),
    }
}
