//! rbird beside what BIRD 1.6.8 and BIRD 2.0.12 did, case by case: every suite of `reference/`.
//!
//! `reference/compare.py` runs the daemon where BIRD ran, and fails when a case
//! differs that neither `compare-known.txt` (differs between two runs of BIRD)
//! nor `known-differences.txt` (rbird differs, with the reason) lists, and when
//! an entry of the latter is needed no longer.

use anyhow::{Context, Result, ensure};
use rbird_xtask::build::{bird2, top};
use std::process::Command;

/// Runs suites of a release, `1.6` or `2.0`.
fn suite(flavor: &str, names: &str) {
    if let Err(error) = compare(flavor, names) {
        panic!("suite {names} of {flavor}: {error:#}");
    }
}

/// Runs suites; an error names what differs.
fn compare(flavor: &str, names: &str) -> Result<()> {
    let programs = top().join("target/release");
    let mut compare = Command::new("python3");
    compare
        .arg(top().join("integration/reference/compare.py"))
        .args(["--flavor", flavor, "--suite", names, "--jobs", "1", "--show", "40"])
        .arg("--bird")
        .arg(programs.join("rbird"))
        .arg("--birdc")
        .arg(programs.join("rbirdc"))
        .env("PYTHONDONTWRITEBYTECODE", "1");
    if flavor == "2.0" {
        // The nodes of the lab run the real one; BIRD 1.6 is installed.
        let real = bird2()?;
        compare.arg("--node-bird").arg(real.join("bird")).arg("--node-birdc").arg(real.join("birdc"));
    }
    let ran = compare.output().context("python3")?;
    let said = String::from_utf8_lossy(&ran.stdout);
    ensure!(ran.status.success(), "{}\n{said}\n{}", ran.status, String::from_utf8_lossy(&ran.stderr));
    println!("{said}");
    Ok(())
}

macro_rules! suites {
    ($($name:ident: $flavor:literal $suites:literal;)*) => {$(
        #[test]
        fn $name() {
            suite($flavor, $suites);
        }
    )*};
}

// They mostly wait, and run side by side. The states go through the commands first: both are one run.
suites! {
    commands_and_states_are_those_of_bird: "1.6" "commands,states";
    commands_and_states_are_those_of_bird_2: "2.0" "commands,states";
    configurations_are_taken_and_refused_as_by_bird: "1.6" "config";
    configurations_are_taken_and_refused_as_by_bird_2: "2.0" "config";
    expressions_have_birds_values: "1.6" "filter";
    expressions_of_dialect_2_have_birds_values: "2.0" "filter";
    sessions_go_through_birds_states: "1.6" "fsm";
    sessions_go_through_the_states_of_bird_2: "2.0" "fsm";
    the_kernel_table_is_kept_as_by_bird: "1.6" "kernel";
    the_kernel_table_is_kept_as_by_bird_2: "2.0" "kernel";
    the_lab_looks_as_with_bird: "1.6" "lab";
    the_lab_looks_as_with_bird_2: "2.0" "lab";
}
